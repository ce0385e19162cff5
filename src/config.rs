//! Every setting, stated once: its name, default, meaning and valid values. The command line, the environment,
//! `hubbub.toml`, `--help` and the README's table all come from [`SETTINGS`].

mod values;

use crate::db::Url;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use values::{
    between, domains, file, filter, list, log_format, parse, path, registration, rights, some, some_text,
    switch, unless_off, url, urls,
};

/// Who may make an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    Open,
    /// Only with an invite.
    Invite,
    Closed,
}

/// What a guest may do only if the owner says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Create channels.
    Channels,
    /// Write privately.
    Direct,
    /// Have a private key.
    Key,
    /// Create groups.
    Groups,
    /// Send pictures and files.
    Files,
}

/// The most background jobs that may run at once.
const JOBS_MAX: usize = 64;

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// What the server was told.
#[derive(Clone, Debug)]
pub struct Config {
    pub listen: SocketAddr,
    pub tls_listen: Option<SocketAddr>,
    pub tls_cert: Option<PathBuf>,
    pub tls_key: Option<PathBuf>,
    /// Plain HTTP only leads to HTTPS.
    pub tls_redirect: bool,
    pub acme_names: Vec<String>,
    pub acme_directory: String,
    pub acme_contact: Option<String>,
    pub acme_root: Option<PathBuf>,
    pub public_url: Option<String>,
    pub origins: Vec<String>,
    pub trusted_proxies: Vec<IpAddr>,
    pub data: PathBuf,
    pub media: PathBuf,
    accounts_url: Option<Url>,
    messages_url: Option<Url>,
    pub registration: Registration,
    pub guests: bool,
    pub guest_rights: Vec<Right>,
    pub public_reading: bool,
    /// How long somebody is new here; 0 for not at all.
    pub newcomer_hours: i64,
    /// Characters.
    pub password_min: usize,
    pub bcrypt_cost: u32,
    pub rate_limits: bool,
    pub connections_per_person: usize,
    pub connections_per_address: usize,
    /// Bytes that may wait for one connection.
    pub unread_bytes: usize,
    /// Seconds.
    unread_seconds: u64,
    /// Seconds.
    head_seconds: u64,
    /// Pages that people link to are looked at.
    pub link_previews: bool,
    /// Addresses beside those of the open internet that are looked at for that.
    pub link_preview_allow: Vec<SocketAddr>,
    /// Bytes of one file that is sent with a message.
    pub attachment_bytes: u64,
    /// Bytes of all that one person may have uploaded to the library.
    pub media_person_bytes: u64,
    /// The same of all people together.
    pub media_total_bytes: u64,
    /// Background jobs at once; 0 leaves them to other nodes, or to nobody.
    pub jobs: usize,
    /// HTTP worker threads.
    pub workers: usize,
    pub log: String,
    pub log_format: LogFormat,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            tls_listen: None,
            tls_cert: None,
            tls_key: None,
            tls_redirect: false,
            acme_names: Vec::new(),
            acme_directory: "https://acme-v02.api.letsencrypt.org/directory".into(),
            acme_contact: None,
            acme_root: None,
            public_url: None,
            origins: Vec::new(),
            trusted_proxies: Vec::new(),
            data: "data".into(),
            media: "media".into(),
            accounts_url: None,
            messages_url: None,
            registration: Registration::Open,
            guests: true,
            guest_rights: vec![Right::Channels, Right::Direct, Right::Key],
            public_reading: false,
            newcomer_hours: 0,
            password_min: 8,
            bcrypt_cost: 12,
            rate_limits: true,
            connections_per_person: 64,
            connections_per_address: 4096,
            unread_bytes: 256 * 1024,
            unread_seconds: 30,
            head_seconds: 5,
            link_previews: true,
            link_preview_allow: Vec::new(),
            attachment_bytes: 25 * 1024 * 1024,
            media_person_bytes: 20 << 30,
            media_total_bytes: 100 << 30,
            jobs: std::thread::available_parallelism().map_or(1, usize::from).min(JOBS_MAX),
            workers: std::thread::available_parallelism().map_or(2, usize::from),
            log: "info".into(),
            log_format: LogFormat::Text,
        }
    }
}

impl Config {
    pub fn accounts_url(&self) -> Url {
        self.accounts_url.clone().unwrap_or_else(|| Url::Sqlite(self.data.join("accounts.db")))
    }

    pub fn messages_url(&self) -> Url {
        self.messages_url.clone().unwrap_or_else(|| Url::Sqlite(self.data.join("messages.db")))
    }

    /// How long a client may read nothing of what waits for it.
    pub fn unread_for(&self) -> Duration {
        Duration::from_secs(self.unread_seconds)
    }

    /// How long the head of a request may take.
    pub fn head_within(&self) -> Duration {
        Duration::from_secs(self.head_seconds)
    }

    /// Where people open this place, as far as the settings know.
    pub fn url(&self) -> String {
        let ip = self.listen.ip();
        match &self.public_url {
            Some(url) => url.clone(),
            None if ip.is_loopback() || ip.is_unspecified() => {
                format!("http://localhost:{}", self.listen.port())
            }
            None => format!("http://{}", self.listen),
        }
    }

    /// Whether somebody on another machine can open a page: it listens beyond loopback, or a proxy in front does.
    pub fn is_public(&self) -> bool {
        let local =
            |name: &str| name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let mut addresses = std::iter::once(self.listen).chain(self.tls_listen);
        addresses.any(|address| !address.ip().is_loopback())
            || self.public_host().is_some_and(|name| !local(name))
    }

    /// The name or the address in `public_url`, without its port.
    pub fn public_host(&self) -> Option<&str> {
        let (_, host) = self.public_url.as_deref()?.split_once("://")?;
        let end = if host.starts_with('[') { host.find(']').map(|at| at + 1) } else { host.find(':') };
        Some(host[..end.unwrap_or(host.len())].trim_matches(['[', ']']))
    }

    /// Whether HTTPS has a certificate of the place's own authority.
    pub fn has_own_authority(&self) -> bool {
        self.tls_listen.is_some() && self.tls_cert.is_none()
    }

    /// Whether people come by HTTPS, though the server itself speaks none: a proxy in front does.
    pub fn is_behind_https(&self) -> bool {
        self.tls_listen.is_none() && self.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
    }

    /// Sets one setting from its text, as every source does.
    ///
    /// # Errors
    /// A sentence with the setting, the value and what would be valid.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let Some(setting) = SETTINGS.iter().find(|s| s.name == name) else {
            return Err(format!("There is no setting “{name}”."));
        };
        (setting.set)(self, value.trim())
            .map_err(|()| format!("The setting {name} can't be “{value}”. Valid: {}.", setting.valid))
    }

    /// Puts the sources together: a flag beats the environment, which beats the file, which beats the default.
    ///
    /// `flags` and `environment` answer with a setting's text when they have it; `file` is the path of a TOML file.
    ///
    /// # Errors
    /// One sentence per call, for the first wrong value met.
    pub fn load(
        flags: impl Fn(&str) -> Option<String>,
        environment: impl Fn(&str) -> Option<String>,
        file: Option<&Path>,
    ) -> Result<Self, String> {
        let mut config = Self::default();
        for (name, value) in file.map(read_file).transpose()?.unwrap_or_default() {
            config.set(&name, &value).map_err(|e| format!("{e} (in the settings file)"))?;
        }
        for setting in SETTINGS {
            if let Some(value) = flags(setting.name).or_else(|| environment(&setting.variable())) {
                config.set(setting.name, &value)?;
            }
        }
        Ok(config)
    }
}

fn read_file(path: &Path) -> Result<BTreeMap<String, String>, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| format!("The settings file {} can't be read: {e}", path.display()))?;
    let table: toml::Table =
        text.parse().map_err(|e| format!("The settings file {} is not valid TOML: {e}", path.display()))?;
    table
        .into_iter()
        .map(|(name, value)| {
            let text = match value {
                toml::Value::String(s) => s,
                toml::Value::Integer(n) => n.to_string(),
                toml::Value::Boolean(b) => if b { "on" } else { "off" }.to_owned(),
                toml::Value::Array(items) => items
                    .iter()
                    .map(|v| v.as_str().unwrap_or_default().to_owned())
                    .collect::<Vec<_>>()
                    .join(","),
                other => {
                    return Err(format!(
                        "The setting {name} can't be a {}: a text, a number or true/false is needed.",
                        other.type_str()
                    ));
                }
            };
            Ok((name, text))
        })
        .collect()
}

/// One setting: all that any source or page says about it.
pub struct Setting {
    pub name: &'static str,
    /// As shown to people.
    pub default: &'static str,
    pub meaning: &'static str,
    /// What a value may be, to complete "Valid: …".
    pub valid: &'static str,
    set: fn(&mut Config, &str) -> Result<(), ()>,
}

impl Setting {
    /// `HUBBUB_LISTEN` for `listen`.
    pub fn variable(&self) -> String {
        format!("HUBBUB_{}", self.name.to_uppercase())
    }

    /// `tls-listen` for `tls_listen`.
    pub fn flag(&self) -> String {
        self.name.replace('_', "-")
    }
}

macro_rules! settings {
    ($($name:ident, $default:literal, $meaning:literal, $valid:literal, $parse:expr;)+) => {
        /// All settings, in the order in which help and README list them.
        pub const SETTINGS: &[Setting] = &[$(Setting {
            name: stringify!($name),
            default: $default,
            meaning: $meaning,
            valid: $valid,
            set: |config, text| {
                config.$name = $parse(text)?;
                Ok(())
            },
        }),+];
    };
}

settings! {
    listen, "127.0.0.1:8080", "the address and port for plain HTTP", "ADDRESS:PORT, for example 127.0.0.1:8080", parse;
    tls_listen, "off", "the address and port for HTTPS; with no tls_cert and tls_key a small local authority and a certificate signed by it are made once and kept in data", "off, or ADDRESS:PORT, for example 127.0.0.1:8181", unless_off;
    tls_cert, "none", "the certificate for HTTPS as a PEM file, followed by those between it and its authority; read again on SIGHUP", "a file", file;
    tls_key, "none", "the key of tls_cert as a PEM file, without a passphrase", "a file", file;
    tls_redirect, "off", "plain HTTP does nothing but lead to HTTPS", "on or off", switch;
    acme_names, "none", "names for which an authority such as Let's Encrypt is asked for a certificate, and asked again before it ends; in builds with --features acme, with tls_listen on port 443 of these names", "domain names, separated by commas", domains;
    acme_directory, "https://acme-v02.api.letsencrypt.org/directory", "the authority that is asked", "https://…", some_text;
    acme_contact, "none", "an address that the authority may write to", "an address of e-mail", some;
    acme_root, "none", "the certificate of the authority that the authority's own server shows, as a PEM file, for one of one's own", "a file", file;
    public_url, "none", "the address that people type, when a proxy stands in front", "http://… or https://… without a path", url;
    origins, "none", "other origins to accept, separated by commas", "http://… or https://…, separated by commas", urls;
    trusted_proxies, "none", "addresses whose X-Forwarded-For counts, separated by commas", "IP addresses, separated by commas", list;
    data, "./data", "the folder for databases and keys", "a folder", path;
    media, "./media", "the media library's folder: a file dropped there appears in the library", "a folder", path;
    accounts_url, "sqlite://DATA/accounts.db", "the database of people and sessions", "sqlite://PATH or postgres://USER@HOST/NAME", some;
    messages_url, "sqlite://DATA/messages.db", "the database of rooms, messages and media", "sqlite://PATH or postgres://USER@HOST/NAME", some;
    registration, "open", "who may make an account", "open, invite or closed", registration;
    guests, "on", "a visitor may enter with a display name alone", "on or off", switch;
    guest_rights, "channels,direct,key", "what guests may do besides reading and writing: create channels, write privately, have a private key, create groups, send files", "any of channels, direct, key, groups, files, separated by commas, or none", rights;
    public_reading, "off", "the board and the channels can be read without signing in", "on or off", switch;
    newcomer_hours, "0", "for how many hours an account or guest is new: they send no links and no files, and begin private conversations only with those who look after the place; 0 for never", "0 to 720", |text| between(text, 0, 720);
    password_min, "8", "the fewest characters of a password", "3 to 71", |text| between(text, 3, 71);
    bcrypt_cost, "12", "how costly a password is to guess; one more doubles it", "4 to 15", |text| between(text, 4, 15);
    rate_limits, "on", "limits on sends, logins and connections; off only for load tests", "on or off", switch;
    connections_per_person, "64", "WebSockets and event streams that one person may have open, so that nobody's open pages crowd out the others; with rate_limits off as many as one likes", "1 to 100000", |text| between(text, 1, 100_000);
    connections_per_address, "4096", "the same for one address: a school or a company may be behind it", "1 to 1000000", |text| between(text, 1, 1_000_000);
    unread_bytes, "262144", "bytes that may wait for one connection, so that whoever reads slowly or not at all costs little; a client whose backlog is larger is let go, comes back and asks for what it missed", "65536 to 16777216 (64 KiB to 16 MiB)", |text| between(text, 64 * 1024, 16 * 1024 * 1024);
    unread_seconds, "30", "for how many seconds a client may read nothing of what waits for it, before its place is given up", "10 to 300", |text| between(text, 10, 300);
    head_seconds, "5", "within how many seconds the head of a request has to be there, so that nobody holds connections open by sending it slowly", "1 to 60", |text| between(text, 1, 60);
    link_previews, "on", "under a message with a link stands what that page says of itself; the server fetches it, readers' browsers never do", "on or off", switch;
    link_preview_allow, "none", "addresses of your own network that link previews may be fetched from, separated by commas; otherwise only the open internet's are, at ports 80 and 443", "ADDRESS:PORT, for example 10.0.0.5:80, separated by commas", list;
    attachment_bytes, "26214400", "the largest picture or file that can be sent with a message, in bytes", "1048576 to 209715200 (1 to 200 MiB)", |text| between(text, 1024 * 1024, 200 * 1024 * 1024);
    media_person_bytes, "21474836480", "what one person may upload to the library in all, in bytes (20 GiB: some hours of film), so that nobody fills the disk alone", "1048576 to 1125899906842624 (1 MiB to 1 PiB)", |text| between(text, 1 << 20, 1 << 50);
    media_total_bytes, "107374182400", "what all people together may upload to the library, in bytes (100 GiB); what lies in the folder otherwise doesn't count", "1048576 to 1125899906842624 (1 MiB to 1 PiB)", |text| between(text, 1 << 20, 1 << 50);
    jobs, "number of cores", "films and recordings that are prepared at once, at most 64; 0 prepares none", "0 to 64", |text| between(text, 0, JOBS_MAX);
    workers, "number of cores", "HTTP worker threads", "1 to 256", |text| between(text, 1, 256);
    log, "info", "a tracing filter", "a filter such as info or hubbub=debug", filter;
    log_format, "text", "how log lines are written", "text or json", log_format;
}

#[cfg(test)]
mod tests;
