//! A server of a bench's own in a temporary folder, and people on it.

#![allow(dead_code, reason = "each bench uses its own part of this")]

use crate::figures::Benched;
use hubbub::app::{self, Running};
use hubbub::config::Config;

/// A server on a free port of 127.0.0.1, with everything it stores in a folder that goes with it.
pub struct House {
    pub running: Running,
    pub folder: tempfile::TempDir,
}

impl House {
    pub fn open() -> Benched<Self> {
        let folder = tempfile::tempdir()?;
        let mut config = Config::default();
        for (name, value) in [
            ("listen", "127.0.0.1:0"),
            ("data", &folder.path().join("data").to_string_lossy()),
            ("media", &folder.path().join("media").to_string_lossy()),
            ("rate_limits", "off"),
            ("bcrypt_cost", "4"),
        ] {
            config.set(name, value)?;
        }
        Ok(Self { running: app::start(config)?, folder })
    }

    /// `http://127.0.0.1:PORT`
    pub fn base(&self) -> String {
        format!("http://{}", self.running.address)
    }

    /// Lets somebody in with a display name; answers with the cookie.
    pub async fn guest(&self, http: &reqwest::Client, name: &str) -> Benched<String> {
        let answer =
            http.post(format!("{}/guest", self.base())).form(&[("display_name", name)]).send().await?;
        let cookie = answer.headers().get("set-cookie").ok_or("a guest got no cookie")?.to_str()?;
        Ok(cookie.split(';').next().unwrap_or_default().to_owned())
    }
}

/// A client that keeps redirects to itself, as the pages answer forms with them.
pub fn http() -> Benched<reqwest::Client> {
    // The client wants to know whose cryptography it has, though all here is plain.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?)
}
