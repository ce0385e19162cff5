//! Many people in one room, who all hear what one of them says: how many there may be, and how much may be said.

use super::bench::{LATE, Measured, Plan, about, ms, share};
use super::client::Client;
use std::cell::RefCell;
use std::fmt;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::task::{JoinHandle, JoinSet};

/// People who come in at the same time.
const AT_THE_DOOR: usize = 16;
/// Descriptors that are left for everything else. Each person takes two, one at either end.
const LEFT: u64 = 200;
/// Messages a second while the room grows.
const CALM: u32 = 5;
/// How long is waited for those of a step that are under way at its end.
const REST: Duration = Duration::from_secs(1);

/// What all of them have heard in this step.
#[derive(Default)]
struct Heard {
    /// Messages before this one are of an earlier step.
    step: u64,
    late: Vec<Duration>,
    ended: usize,
}

/// A room full of people.
pub struct Crowd {
    address: SocketAddr,
    room: i64,
    speaker: Client,
    said: u32,
    members: Vec<JoinHandle<()>>,
    heard: Rc<RefCell<Heard>>,
    began: Instant,
    step: u64,
}

/// How many people were served well.
pub struct Size {
    people: usize,
    within: Duration,
    end: End,
}

/// Why there are no more.
enum End {
    /// With so many it took so long.
    Late(usize, Duration),
    Tried,
    Time,
    Descriptors,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { people, within, end } = self;
        if *people == 0 {
            return write!(f, "one room  Not even a few people at {CALM} messages a second are served well.");
        }
        write!(
            f,
            "one room  About {} people in one room at {CALM} messages a second: 99 of 100 deliveries within {}. ",
            about(*people as f64),
            ms(*within)
        )?;
        match end {
            End::Late(more, within) if *within == Duration::MAX => {
                write!(f, "With {} some never came.", about(*more as f64))
            }
            End::Late(more, within) => write!(f, "With {} it was {}.", about(*more as f64), ms(*within)),
            End::Tried | End::Time => write!(f, "More were not tried."),
            End::Descriptors => {
                write!(f, "More were not tried: no more files and connections may be open (`ulimit -Hn`).")
            }
        }
    }
}

/// How much may be said.
pub struct Pace {
    people: usize,
    rate: u32,
    within: Duration,
    ended: bool,
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { people, rate, within, ended } = self;
        let deliveries = *people as f64 * f64::from(*rate);
        write!(
            f,
            "          With {} people there, about {} messages a second, which is {} deliveries a second: 99 of 100 within {}.{}",
            about(*people as f64),
            about(f64::from(*rate)),
            about(deliveries),
            ms(*within),
            if *ended { "" } else { " More was not tried." }
        )
    }
}

/// Makes a channel; answers with its number.
pub async fn create(client: &mut Client, name: &str) -> Measured<i64> {
    let asked = format!(r#"{{"kind":"channel","name":"{name}"}}"#);
    let made = client.post("/api/v1/rooms", "application/json", &asked).await?.is(201)?;
    let made: serde_json::Value = serde_json::from_slice(&made.body)?;
    made["id"].as_i64().ok_or_else(|| "the server made no room".into())
}

/// A message as a browser sends it.
pub fn send(room: i64, number: u32, text: &str) -> String {
    format!(r#"{{"type":"send","id":{number},"room":{room},"nonce":"{number:032}","text":"{text}"}}"#)
}

impl Crowd {
    /// A room with one who speaks.
    pub async fn gather(address: SocketAddr) -> Measured<Self> {
        let mut speaker = Client::enter(address, "Speaker").await?;
        let room = create(&mut speaker, "everybody").await?;
        let speaker = speaker.upgrade().await?;
        let (heard, began) = (Rc::default(), Instant::now());
        Ok(Self { address, room, speaker, said: 0, members: Vec::new(), heard, began, step: 0 })
    }

    /// Lets people in, step by step, until the last of 100 waits too long.
    pub async fn grow(&mut self, plan: &Plan, began: Instant) -> Measured<Size> {
        let mut good = Size { people: 0, within: Duration::ZERO, end: End::Tried };
        for people in plan.people.iter().copied() {
            if began.elapsed() > plan.length {
                good.end = End::Time;
                break;
            }
            if !fits(people) {
                good.end = End::Descriptors;
                break;
            }
            self.let_in(people).await?;
            let within = self.speak(CALM, plan.step).await?;
            if within > LATE {
                good.end = End::Late(people, within);
                break;
            }
            good = Size { people, within, ..good };
        }
        Ok(good)
    }

    /// Speaks faster and faster to as many as were served well; nothing where that was nobody.
    pub async fn hurry(&mut self, plan: &Plan, size: &Size, began: Instant) -> Measured<Option<Pace>> {
        if size.people == 0 {
            return Ok(None);
        }
        for member in self.members.drain(size.people.min(self.members.len())..) {
            member.abort();
        }
        tokio::time::sleep(REST).await;
        let mut good = Pace { people: size.people, rate: CALM, within: size.within, ended: false };
        for rate in plan.rates.iter().copied() {
            if began.elapsed() > plan.length + plan.length / 3 {
                break;
            }
            let within = self.speak(rate, plan.step).await?;
            if within > LATE {
                good.ended = true;
                break;
            }
            good = Pace { rate, within, ..good };
        }
        Ok(Some(good))
    }

    async fn let_in(&mut self, people: usize) -> Measured {
        let mut coming = JoinSet::new();
        let (mut next, room, address) = (self.members.len(), self.room, self.address);
        while next < people || !coming.is_empty() {
            while next < people && coming.len() < AT_THE_DOOR {
                coming.spawn_local(come(address, room, next));
                next += 1;
            }
            if let Some(socket) = coming.join_next().await {
                let listening = listen(socket??, self.heard.clone(), self.began);
                self.members.push(tokio::task::spawn_local(listening));
            }
        }
        // Who has come in is told to those who are there, once a second.
        tokio::time::sleep(REST).await;
        Ok(())
    }

    /// Says so many messages a second for a while; how late 99 of 100 of their deliveries were.
    async fn speak(&mut self, rate: u32, length: Duration) -> Measured<Duration> {
        self.step += 1;
        *self.heard.borrow_mut() = Heard { step: self.step, ..Heard::default() };
        let mut pace = tokio::time::interval(Duration::from_secs(1) / rate);
        let (started, mut said) = (Instant::now(), 0);
        // A machine that can't keep up isn't asked to for ever.
        while said < u128::from(rate) * length.as_millis() / 1000 && started.elapsed() < length * 2 {
            // What comes back to the speaker has to be read, or the server lets go.
            let mut due = Box::pin(pace.tick());
            loop {
                tokio::select! {
                    _ = &mut due => break,
                    frame = self.speaker.hear() => drop(frame?),
                }
            }
            (said, self.said) = (said + 1, self.said + 1);
            let text = format!("{} {}", self.step, self.began.elapsed().as_micros());
            self.speaker.say(&send(self.room, self.said, &text)).await?;
        }
        let (all, end) = (usize::try_from(said)? * self.members.len(), Instant::now() + REST);
        while self.heard.borrow().late.len() < all && Instant::now() < end {
            if let Ok(frame) = tokio::time::timeout(Duration::from_millis(5), self.speaker.hear()).await {
                frame?;
            }
        }
        let mut heard = self.heard.borrow_mut();
        if heard.ended > 0 {
            return Ok(Duration::MAX);
        }
        let told = all.max(heard.late.len());
        heard.late.resize(told, Duration::MAX);
        Ok(share(&mut heard.late, 99))
    }
}

/// Whether so many people may be connected at once.
fn fits(people: usize) -> bool {
    let allowed = rlimit::Resource::NOFILE.get_soft().unwrap_or(1024);
    (people as u64) * 2 + LEFT <= allowed
}

async fn come(address: SocketAddr, room: i64, number: usize) -> Measured<Client> {
    let mut client = Client::enter(address, &format!("Member {number}")).await?;
    client.post(&format!("/api/v1/rooms/{room}/join"), "application/json", "").await?.is(200)?;
    client.upgrade().await
}

/// Notes how late each message comes, as long as the connection lasts.
async fn listen(mut socket: Client, heard: Rc<RefCell<Heard>>, began: Instant) {
    while let Ok(frame) = socket.hear().await {
        let now = began.elapsed();
        let Some((step, sent)) = spoken(&frame) else { continue };
        let mut heard = heard.borrow_mut();
        if step == heard.step {
            heard.late.push(now.saturating_sub(sent));
        }
    }
    heard.borrow_mut().ended += 1;
}

/// The step and the moment that are a message's text.
fn spoken(frame: &[u8]) -> Option<(u64, Duration)> {
    const MARK: &[u8] = br#""text":""#;
    if !frame.starts_with(br#"{"type":"message""#) {
        return None;
    }
    let at = frame.windows(MARK.len()).position(|window| window == MARK)? + MARK.len();
    let text = std::str::from_utf8(frame[at..].split(|byte| *byte == b'"').next()?).ok()?;
    let (step, sent) = text.split_once(' ')?;
    Some((step.parse().ok()?, Duration::from_micros(sent.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_tells_its_step_and_when_it_was_sent() {
        let frame = br#"{"type":"message","room":2,"seq":1,"name":"Speaker","text":"3 1500","rev":1}"#;
        assert_eq!(spoken(frame), Some((3, Duration::from_micros(1500))));
        assert_eq!(spoken(br#"{"type":"message","text":"hello"}"#), None);
        assert_eq!(spoken(br#"{"type":"room","text":"3 1500"}"#), None);
    }

    #[test]
    fn what_was_found_is_said_in_words() {
        let size =
            Size { people: 900, within: Duration::from_millis(120), end: End::Late(1400, Duration::MAX) };
        assert_eq!(
            size.to_string(),
            "one room  About 900 people in one room at 5 messages a second: 99 of 100 deliveries within 120 ms. With 1,400 some never came."
        );
        let pace = Pace { people: 900, rate: 40, within: Duration::from_millis(80), ended: false };
        assert_eq!(
            pace.to_string(),
            "          With 900 people there, about 40 messages a second, which is 36,000 deliveries a second: 99 of 100 within 80 ms. More was not tried."
        );
    }
}
