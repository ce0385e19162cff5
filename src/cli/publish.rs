//! `hubbub publish`: a demonstration instrument that sends into a live stream; also the example for one's own.

use super::instrument::Instrument;
use super::live::name_of;
use crate::config::Config;
use crate::live::{LocalKeys, StreamName};
use clap::{Arg, ArgMatches, Command, value_parser};
use std::collections::VecDeque;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, TcpStream, ToSocketAddrs as _};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Samples that wait while the server is away: ten minutes at one a second.
const WAITING: usize = 600;
/// Bytes of them.
const WAITING_BYTES: usize = 32 * 1024 * 1024;
/// Between two attempts to connect.
const PAUSE: Duration = Duration::from_millis(300);
/// How long the server may be silent while it is connected to or answers.
const PATIENCE: Duration = Duration::from_secs(10);

pub fn command() -> Command {
    let arg = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    Command::new("publish")
        .about("A demonstration instrument: beam energy, repetition rate and a drawn picture, into a live stream")
        .arg(arg("to", "URL", "the server, as http://HOST:PORT [default: the one of these settings]"))
        .arg(arg("name", "NAME", "the stream [default: stream-1]"))
        .arg(arg("key", "KEY", "the stream's key; on the machine of the data folder none is needed"))
        .arg(arg("rate", "HZ", "samples a second").value_parser(value_parser!(f64)).default_value("1"))
        .arg(arg("seconds", "S", "ends after so many seconds").value_parser(value_parser!(f64)))
        .arg(Arg::new("port").short('o').value_name("PORT").value_parser(value_parser!(u16)).help("the server's port on this machine"))
        .arg(Arg::new("number").short('d').value_name("N").value_parser(value_parser!(u32)).help("sends to the stream stream-N"))
}

/// Sends until it is told to stop or its seconds are over; a server that is away is waited for.
///
/// # Errors
/// A sentence for the person at the shell.
pub fn run(config: &Config, matches: &ArgMatches) -> Result<(), String> {
    let rate = matches.get_one::<f64>("rate").copied().unwrap_or(1.0);
    if !(rate > 0.0 && rate <= 1000.0) {
        return Err("The rate is a number above 0, at most 1000 samples a second.".to_owned());
    }
    let target = Target::of(config, matches)?;
    let seconds = matches.get_one::<f64>("seconds").copied();
    println!("Sending {rate} samples a second to {}. Press Ctrl-C to stop.", target.page());
    let queue = Arc::new(Queue::default());
    let making = queue.clone();
    std::thread::spawn(move || produce(&making, rate, seconds));
    let receipt = Sender { target, queue: queue.clone(), was_away: false }.run()?;
    println!("{}", receipt.trim());
    match queue.lock().dropped {
        0 => {}
        count => println!("{count} samples were dropped while the server was away."),
    }
    Ok(())
}

/// Makes samples in time, whatever becomes of them.
fn produce(queue: &Queue, rate: f64, seconds: Option<f64>) {
    let (mut instrument, start) = (Instrument::new(), Instant::now());
    let mut count = 0_u32;
    loop {
        let due = f64::from(count) / rate;
        if seconds.is_some_and(|end| due >= end) {
            queue.end();
            return;
        }
        std::thread::sleep(Duration::from_secs_f64(due).saturating_sub(start.elapsed()));
        queue.push(instrument.sample(if count == 0 { 0.0 } else { 1.0 / rate }));
        count += 1;
    }
}

/// Samples on their way; the oldest go when too many wait.
#[derive(Default)]
struct Queue {
    state: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    samples: VecDeque<String>,
    bytes: usize,
    dropped: u64,
    ended: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, sample: String) {
        let mut state = self.lock();
        while state.samples.len() >= WAITING || state.bytes + sample.len() > WAITING_BYTES {
            let Some(oldest) = state.samples.pop_front() else { break };
            state.bytes -= oldest.len();
            state.dropped += 1;
        }
        state.bytes += sample.len();
        state.samples.push_back(sample);
        self.changed.notify_all();
    }

    fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_all();
    }

    /// The oldest, when there is one within this time; nothing more comes after `Over`.
    fn take(&self, patience: Duration) -> Next {
        let is_quiet = |state: &mut Waiting| state.samples.is_empty() && !state.ended;
        let (mut state, _) = self
            .changed
            .wait_timeout_while(self.lock(), patience, is_quiet)
            .unwrap_or_else(PoisonError::into_inner);
        match state.samples.pop_front() {
            Some(sample) => {
                state.bytes -= sample.len();
                Next::Sample(sample)
            }
            None if state.ended => Next::Over,
            None => Next::Nothing,
        }
    }

    /// What could not be sent comes first again.
    fn put_back(&self, sample: String) {
        let mut state = self.lock();
        state.bytes += sample.len();
        state.samples.push_front(sample);
    }
}

enum Next {
    Sample(String),
    Nothing,
    Over,
}

/// Where samples go.
struct Target {
    /// `host:port`
    authority: String,
    name: String,
    key: Option<String>,
    config: Config,
}

impl Target {
    fn of(config: &Config, matches: &ArgMatches) -> Result<Self, String> {
        let text = |name| matches.get_one::<String>(name).cloned();
        let number = matches.get_one::<u32>("number").copied();
        let name = text("name").unwrap_or_else(|| name_of(number.unwrap_or(1)));
        StreamName::parse(&name).map_err(|wrong| wrong.message.into_owned())?;
        let port = matches.get_one::<u16>("port").copied();
        let authority = match (text("to"), port) {
            (Some(url), _) => authority_of(&url)?,
            (None, Some(port)) => format!("127.0.0.1:{port}"),
            (None, None) => format!("127.0.0.1:{}", config.listen.port()),
        };
        let target = Self { authority, name, key: text("key"), config: config.clone() };
        if target.key.is_none() && !target.is_here() {
            return Err("On another machine the stream's key is needed: --key KEY.".to_owned());
        }
        Ok(target)
    }

    fn is_here(&self) -> bool {
        let host = self.authority.rsplit_once(':').map_or("", |(host, _)| host).trim_matches(['[', ']']);
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    fn page(&self) -> String {
        format!("http://{}/live/{}", self.authority.replace("127.0.0.1", "localhost"), self.name)
    }

    /// The key, or that of this machine's data folder once the server has made it.
    fn key(&self) -> Result<String, String> {
        match &self.key {
            Some(key) => Ok(key.clone()),
            None => Ok(LocalKeys::read(&self.config.data)?.key(&self.name)),
        }
    }
}

fn authority_of(url: &str) -> Result<String, String> {
    let Some(rest) = url.strip_prefix("http://") else {
        return Err(
            "The address has to be http://HOST:PORT; this demonstration doesn't speak HTTPS.".to_owned()
        );
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let bare = authority.trim_start_matches(|c| c != ']');
    let with_port = if authority.starts_with('[') { bare.contains(':') } else { authority.contains(':') };
    Ok(if with_port { authority.to_owned() } else { format!("{authority}:80") })
}

/// The way to the server, made again whenever it breaks.
struct Sender {
    target: Target,
    queue: Arc<Queue>,
    was_away: bool,
}

/// How a connection ended.
enum Ended {
    /// Everything was sent; what the server said of it.
    Done(String),
    /// It is away, or restarts.
    Away,
    /// It doesn't want these samples.
    Refused(String),
}

impl Sender {
    fn run(mut self) -> Result<String, String> {
        loop {
            match self.connection() {
                Ok(Ended::Done(receipt)) => return Ok(receipt),
                Ok(Ended::Refused(words)) => return Err(words),
                Ok(Ended::Away) | Err(_) => {
                    if !self.was_away {
                        println!("The server doesn't answer. Samples wait for it.");
                    }
                    self.was_away = true;
                    std::thread::sleep(PAUSE);
                }
            }
        }
    }

    fn connection(&mut self) -> std::io::Result<Ended> {
        let Ok(key) = self.target.key() else { return Ok(Ended::Away) };
        let Target { authority, name, .. } = &self.target;
        let address = authority.to_socket_addrs()?.next().ok_or(ErrorKind::NotFound)?;
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        write!(
            stream,
            "PUT /live/{name}/push HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
        )?;
        if self.was_away {
            println!("The server is there again.");
            self.was_away = false;
        }
        loop {
            match self.queue.take(Duration::from_millis(200)) {
                Next::Sample(sample) => {
                    // An answer before the end is a refusal or a farewell: this sample is for the next connection.
                    if let Some(early) = early_answer(&mut stream)? {
                        self.queue.put_back(sample);
                        return Ok(judge(&early));
                    }
                    if let Err(error) = chunk(&mut stream, &sample) {
                        self.queue.put_back(sample);
                        return Err(error);
                    }
                }
                Next::Nothing => {
                    if let Some(early) = early_answer(&mut stream)? {
                        return Ok(judge(&early));
                    }
                }
                Next::Over => {
                    stream.write_all(b"0\r\n\r\n")?;
                    stream.set_read_timeout(Some(PATIENCE))?;
                    let answer = read_answer(&mut stream)?;
                    return Ok(match judge(&answer) {
                        Ended::Away if answer.starts_with("HTTP/1.1 200") => Ended::Done(body(&answer)),
                        other => other,
                    });
                }
            }
        }
    }
}

fn chunk(stream: &mut TcpStream, sample: &str) -> std::io::Result<()> {
    stream.write_all(format!("{:x}\r\n{sample}\r\n", sample.len()).as_bytes())
}

/// What the server has said although the body isn't over.
fn early_answer(stream: &mut TcpStream) -> std::io::Result<Option<String>> {
    stream.set_nonblocking(true)?;
    let mut first = [0];
    let peeked = stream.peek(&mut first);
    stream.set_nonblocking(false)?;
    match peeked {
        Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
        Ok(_) => {
            stream.set_read_timeout(Some(Duration::from_millis(500)))?;
            read_answer(stream).map(Some)
        }
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

/// Head and body, as far as they come.
fn read_answer(stream: &mut TcpStream) -> std::io::Result<String> {
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&answer);
        let length = text
            .to_ascii_lowercase()
            .split("content-length: ")
            .nth(1)
            .and_then(|rest| rest.split("\r\n").next().and_then(|number| number.parse::<usize>().ok()));
        if let Some((head, _)) = text.split_once("\r\n\r\n")
            && answer.len() >= head.len() + 4 + length.unwrap_or_default()
        {
            return Ok(text.into_owned());
        }
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(text.into_owned()),
            Ok(count) => answer.extend_from_slice(&buffer[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return Ok(text.into_owned());
            }
            Err(error) => return Err(error),
        }
    }
}

fn body(answer: &str) -> String {
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
}

fn judge(answer: &str) -> Ended {
    let status = answer.split(' ').nth(1).unwrap_or_default();
    if !status.starts_with('4') {
        return Ended::Away;
    }
    let problem = serde_json::from_str::<serde_json::Value>(&body(answer)).unwrap_or_default();
    let words = problem["detail"].as_str().or(problem["first_error"].as_str());
    Ended::Refused(format!("The server refuses ({status}): {}", words.unwrap_or("no reason was given.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_samples_go_and_are_counted() {
        let queue = Queue::default();
        for number in 0..WAITING + 5 {
            queue.push(number.to_string());
        }
        assert_eq!(queue.lock().dropped, 5);
        let Next::Sample(first) = queue.take(Duration::ZERO) else { panic!("nothing waits") };
        assert_eq!(first, "5");
        queue.put_back(first);
        assert_eq!(queue.lock().samples.len(), WAITING);
        let large = "x".repeat(WAITING_BYTES / 2 + 1);
        queue.push(large.clone());
        queue.push(large);
        assert_eq!(queue.lock().samples.len(), 1);
        queue.end();
        assert!(matches!(queue.take(Duration::ZERO), Next::Sample(_)));
        assert!(matches!(queue.take(Duration::ZERO), Next::Over));
    }

    #[test]
    fn addresses_are_plain_http() {
        assert_eq!(authority_of("http://lab:8888/").unwrap(), "lab:8888");
        assert_eq!(authority_of("http://lab").unwrap(), "lab:80");
        assert_eq!(authority_of("http://[::1]").unwrap(), "[::1]:80");
        assert_eq!(authority_of("http://[::1]:8888").unwrap(), "[::1]:8888");
        assert!(authority_of("https://lab").is_err());
    }

    #[test]
    fn answers_are_judged_by_their_status() {
        let refusal = judge("HTTP/1.1 403 Forbidden\r\n\r\n{\"detail\":\"Not this key.\"}");
        assert!(matches!(refusal, Ended::Refused(words) if words.contains("Not this key.")));
        assert!(matches!(judge("HTTP/1.1 503 Service Unavailable\r\n\r\n"), Ended::Away));
    }
}
