//! The program itself as a child process, for what only a whole process shows: being killed, exit codes, memory.

use crate::store::Store;
use hubbub::db::Which;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child as Process, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

/// A running `hubbub serve`. Dropping it kills it.
pub struct Child {
    process: Process,
    /// Where it listens, without a path.
    pub origin: String,
    /// All that it said when it started.
    pub greeting: String,
    log: Arc<Mutex<String>>,
}

/// `hubbub` with the settings of tests, in the store's folder; nothing of the caller's environment reaches it.
pub fn hubbub(store: &Store) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hubbub"));
    command.current_dir(store.folder()).env_clear().stdin(Stdio::null());
    command.args([
        "--accounts-url",
        &store.url(Which::Accounts),
        "--messages-url",
        &store.url(Which::Messages),
    ]);
    command.args(["--listen", "127.0.0.1:0", "--bcrypt-cost", "4", "--rate-limits", "off", "--workers", "2"]);
    command.env("HUBBUB_JOBS", "0").env("HUBBUB_LINK_PREVIEWS", "off").env("NO_COLOR", "1");
    command
}

/// The same program without root's right to open any file.
pub fn weak(command: Command) -> Command {
    if Command::new("id").arg("-u").output().unwrap().stdout != b"0\n" {
        return command;
    }
    let mut weak = Command::new("setpriv");
    let powers = "-dac_override,-dac_read_search";
    weak.args(["--inh-caps", powers, "--bounding-set", powers]).arg(command.get_program());
    weak.args(command.get_args()).env_clear().stdin(Stdio::null());
    for (name, value) in command.get_envs() {
        weak.env(name, value.unwrap_or_default());
    }
    weak.current_dir(command.get_current_dir().unwrap());
    weak
}

/// The port of the first address in `words` that begins so.
fn port_in(words: &str, begins: &str) -> Option<u16> {
    let rest = words.split(begins).nth(1)?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

impl Child {
    /// Starts it and returns when it has said which address to open.
    pub fn start(store: &Store) -> Self {
        Self::start_with(store, &[])
    }

    /// The same with further flags, or other ones.
    pub fn start_with(store: &Store, flags: &[&str]) -> Self {
        let mut command = hubbub(store);
        if let Some(path) = std::env::var_os("PATH").filter(|_| !flags.is_empty()) {
            command.env("PATH", path);
        }
        command.args(flags);
        Self::run(command)
    }

    /// The same with a `PATH` of its own.
    pub fn start_on_path(store: &Store, path: &str, flags: &[&str]) -> Self {
        let mut command = hubbub(store);
        command.env("PATH", path).args(flags);
        Self::run(command)
    }

    /// The same as somebody whom the rights of files hold back, which they don't do for root.
    pub fn start_weak(store: &Store, flags: &[&str]) -> Self {
        let mut command = weak(hubbub(store));
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command.args(flags);
        Self::run(command)
    }

    fn run(mut command: Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut greeting = String::new();
        for line in lines.by_ref() {
            greeting.push_str(&line.unwrap());
            greeting.push('\n');
            if greeting.contains("Press Ctrl-C") {
                break;
            }
        }
        let Some(port) = port_in(&greeting, "http://localhost:") else {
            let mut words = String::new();
            process.stderr.take().unwrap().read_to_string(&mut words).unwrap();
            panic!("it ended without an address: {words}");
        };
        // Read on, or the program would stop at a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let log = Arc::new(Mutex::new(String::new()));
        let (errors, heard) = (BufReader::new(process.stderr.take().unwrap()), log.clone());
        std::thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                let mut heard = heard.lock().unwrap();
                heard.push_str(&line);
                heard.push('\n');
            }
        });
        Self { process, origin: format!("http://127.0.0.1:{port}"), greeting, log }
    }

    /// The port for HTTPS.
    pub fn tls_port(&self) -> u16 {
        port_in(&self.greeting, "https://localhost:").unwrap()
    }

    /// Sends a signal, by its name.
    pub fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// `kill -9`: no chance to say or to finish anything.
    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// SIGTERM; waits for the end.
    pub fn terminate(mut self) -> ExitStatus {
        self.signal("TERM");
        self.process.wait().unwrap()
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Memory that the process holds, KiB.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
