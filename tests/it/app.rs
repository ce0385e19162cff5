//! A whole server in the test's own process, on a port of its own, with databases and a media folder of its own.

use crate::store::Store;
use crate::visitor::Visitor;
use hubbub::app::{self, Running};
use hubbub::config::Config;
use hubbub::db::Which;
use hubbub::fetch::Outward;
use std::path::PathBuf;

/// A running server. Dropping it stops it, and fails the test when something accepted could not be finished.
pub struct App {
    settings: Vec<(String, String)>,
    /// Another way out to other people's servers than the system's.
    outward: Option<Outward>,
    running: Option<Running>,
    /// Behind `running`, so that the server is gone before its folder.
    pub store: Store,
}

/// A server with the settings of tests: cheap passwords, no rate limits, two workers.
pub async fn spawn_app() -> App {
    spawn_app_with(&[]).await
}

/// The same with further settings, or other ones.
pub async fn spawn_app_with(settings: &[(&str, &str)]) -> App {
    spawn_app_going(settings, None).await
}

/// The same with a way out of its own to other people's servers.
pub async fn spawn_app_going(settings: &[(&str, &str)], outward: Option<Outward>) -> App {
    let store = Store::new();
    let folder = |name: &str| store.folder().join(name).display().to_string();
    std::fs::create_dir(store.folder().join("media")).unwrap();
    let mut all: Vec<(String, String)> = [
        ("listen", "127.0.0.1:0".to_owned()),
        ("data", folder("data")),
        ("media", folder("media")),
        ("accounts_url", store.url(Which::Accounts)),
        ("messages_url", store.url(Which::Messages)),
        ("bcrypt_cost", "4".to_owned()),
        ("rate_limits", "off".to_owned()),
        ("workers", "2".to_owned()),
        // Tests that aren't about preparing don't wait for ffmpeg.
        ("jobs", "0".to_owned()),
        // Nor do tests look at the pages that they name.
        ("link_previews", "off".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    all.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let mut app = App { settings: all, outward, running: None, store };
    app.start().await;
    app
}

impl App {
    async fn start(&mut self) {
        let mut config = Config::default();
        for (name, value) in &self.settings {
            config.set(name, value).unwrap();
        }
        let outward = self.outward.clone();
        let start = move || match outward {
            Some(outward) => app::start_with(config, outward),
            None => app::start(config),
        };
        let started = tokio::task::spawn_blocking(start).await.unwrap();
        self.running = Some(started.unwrap());
    }

    /// Stops the server as a signal does, and starts it again on the same databases and the same port.
    pub async fn restart(&mut self) {
        let address = self.running().address.to_string();
        let running = self.running.take().unwrap();
        tokio::task::spawn_blocking(move || running.stop()).await.unwrap().unwrap();
        self.settings.push(("listen".to_owned(), address));
        self.start().await;
    }

    /// The same with a setting changed.
    pub async fn set(&mut self, name: &str, value: &str) {
        self.settings.push((name.to_owned(), value.to_owned()));
        self.restart().await;
    }

    /// Runs `hubbub …` beside the server: whether it succeeded, and what it said.
    pub fn shell(&self, words: &[&str]) -> (bool, String) {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_hubbub"));
        command.env_clear().current_dir(self.store.folder()).args(self.flags()).args(words);
        let done = command.output().unwrap();
        (done.status.success(), String::from_utf8([done.stdout, done.stderr].concat()).unwrap())
    }

    pub fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    /// Where it listens, without a path.
    pub fn origin(&self) -> String {
        format!("http://{}", self.running().address)
    }

    pub fn media(&self) -> PathBuf {
        self.store.folder().join("media")
    }

    /// What it was started with.
    pub fn settings(&self) -> impl Iterator<Item = (&str, &str)> {
        self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The settings as the command line wants them, for a second program beside the server.
    pub fn flags(&self) -> Vec<String> {
        let flag = |name: &String| format!("--{}", name.replace('_', "-"));
        let mut flags: Vec<String> = Vec::new();
        for (name, value) in self.settings.iter().filter(|(name, _)| name != "listen") {
            flags.extend([flag(name), value.clone()]);
        }
        flags
    }

    /// Somebody who isn't signed in.
    pub fn stranger(&self) -> Visitor {
        Visitor::new(&self.origin())
    }

    /// Somebody who has just registered under this name.
    pub async fn register(&self, name: &str) -> Visitor {
        let visitor = self.stranger();
        visitor.post("/register", &[("username", name), ("password", PASSWORD)]).await.is(303);
        visitor
    }

    /// Somebody who has entered with a display name alone.
    pub async fn guest(&self, name: &str) -> Visitor {
        let visitor = self.stranger();
        visitor.post("/guest", &[("display_name", name)]).await.is(303);
        visitor
    }
}

/// Everybody's password.
pub const PASSWORD: &str = "correct horse";

impl Drop for App {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            let stopped = running.stop();
            if !std::thread::panicking() {
                stopped.unwrap();
            }
        }
    }
}
