//! Snapshot + events = fresh state: what a client has put together from live messages and `changes` is, byte for byte,
//! what somebody reads who comes afresh.
//!
//! `HUBBUB_CONVERGENCE` is the number of random operations, `HUBBUB_SEED` repeats a run.

use crate::app::{App, spawn_app};
use crate::socket::Socket;
use crate::visitor::{Visitor, nonce};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tokio::task::JoinSet;

/// Random numbers that come again with the seed: SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % end as u64).unwrap()
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// A room as a client of the contract knows it: the highest `rev` of each message, and how far nothing is missing.
#[derive(Default)]
struct Replica {
    have: i64,
    early: BTreeSet<i64>,
    messages: BTreeMap<i64, Value>,
}

impl Replica {
    fn know(&mut self, message: &Value) {
        let seq = message["seq"].as_i64().unwrap();
        if self.messages.get(&seq).is_none_or(|known| known["rev"].as_i64() < message["rev"].as_i64()) {
            self.messages.insert(seq, message.clone());
        }
    }

    /// A live message.
    fn receive(&mut self, message: &Value) {
        let rev = message["rev"].as_i64().unwrap();
        if rev > self.have {
            self.early.insert(rev);
            while self.early.remove(&(self.have + 1)) {
                self.have += 1;
            }
        }
        self.know(message);
    }

    /// An answer to `changes`.
    fn catch_up(&mut self, changes: &Value) {
        for message in changes["messages"].as_array().unwrap() {
            self.know(message);
        }
        self.have = self.have.max(changes["rev"].as_i64().unwrap());
        let have = self.have;
        self.early.retain(|rev| *rev > have);
    }
}

/// One tab of one person.
struct Tab {
    visitor: Visitor,
    socket: Socket,
    rooms: BTreeMap<i64, Replica>,
    dice: Dice,
    /// Loses its connection now and then.
    is_shaky: bool,
}

const EMOJI: [&str; 6] = ["👍", "❤️", "🎉", "👀", "👩🏽‍🚀", "1️⃣"];
const TEXTS: [&str; 6] = [
    "plain words",
    "**loud** words",
    "@bob have a look",
    "@all come",
    "字字珠璣\n\n- 一\n- 二",
    "`code` & <b>",
];

impl Tab {
    async fn open(visitor: Visitor, rooms: &[i64], dice: Dice, is_shaky: bool) -> Self {
        let socket = visitor.socket().await;
        let rooms = rooms.iter().map(|id| (*id, Replica::default())).collect();
        let mut tab = Self { visitor, socket, rooms, dice, is_shaky };
        tab.catch_up().await;
        tab
    }

    fn hear(&mut self) {
        for frame in self.socket.take_waiting() {
            self.take(&frame);
        }
    }

    fn take(&mut self, frame: &Value) {
        if frame["type"] == "message"
            && let Some(replica) = self.rooms.get_mut(&frame["room"].as_i64().unwrap())
        {
            replica.receive(frame);
        }
    }

    /// Asks for what was missed, until nothing is.
    async fn catch_up(&mut self) {
        for room in self.rooms.keys().copied().collect::<Vec<_>>() {
            loop {
                let after = self.rooms[&room].have;
                let limit = 1 + self.dice.below(40);
                let ask = json!({ "type": "changes", "room": room, "after": after, "limit": limit });
                let changes = self.socket.must(ask).await;
                self.rooms.get_mut(&room).unwrap().catch_up(&changes);
                if changes["more"] == false {
                    break;
                }
            }
        }
        self.hear();
    }

    /// Loses the connection without a word and comes back.
    async fn reconnect(&mut self) {
        self.socket = self.visitor.socket().await;
        self.catch_up().await;
    }

    /// Does something until it is answered: asked again, with the same nonce, after every loss.
    async fn ask(&mut self, request: Value) -> Value {
        loop {
            if self.is_shaky && self.dice.below(12) == 0 {
                // Sent, and the answer never heard.
                self.socket.say(request.clone()).await;
                self.reconnect().await;
            }
            if let Some(reply) = self.socket.try_ask(request.clone()).await {
                self.hear();
                return reply;
            }
            self.reconnect().await;
        }
    }

    /// One random operation; refusals are part of it.
    async fn act(&mut self) {
        let rooms: Vec<i64> = self.rooms.keys().copied().collect();
        let room = *self.dice.one(&rooms);
        let known: Vec<i64> = self.rooms[&room].messages.keys().copied().collect();
        let what = self.dice.below(if known.is_empty() { 3 } else { 12 });
        let seq = if known.is_empty() { 0 } else { *self.dice.one(&known) };
        let on = self.dice.below(3) > 0;
        let text = format!("{} {}", self.dice.one(&TEXTS), self.dice.below(1000));
        let (request, refusals): (Value, &[&str]) = match what {
            0..=2 => (json!({ "type": "send", "room": room, "nonce": nonce(), "text": text }), &[]),
            3 => (
                json!({ "type": "send", "room": room, "nonce": nonce(), "text": text, "reply_to": seq }),
                &[],
            ),
            4 | 5 => {
                (json!({ "type": "edit", "room": room, "seq": seq, "text": text }), &["not_yours", "deleted"])
            }
            6 => (json!({ "type": "delete", "room": room, "seq": seq }), &["not_yours"]),
            7..=9 => {
                let emoji = *self.dice.one(&EMOJI);
                let request = json!({ "type": "react", "room": room, "seq": seq, "emoji": emoji, "on": on });
                (request, &["deleted"])
            }
            _ => {
                let request = json!({ "type": "pin", "room": room, "seq": seq, "on": on });
                (request, &["not_owner", "deleted"])
            }
        };
        let reply = self.ask(request.clone()).await;
        let code = reply["error"]["code"].as_str();
        assert!(code.is_none_or(|code| refusals.contains(&code)), "{request}: {reply}");
    }

    /// Waits until the live messages have brought it to `rev`.
    async fn reach(&mut self, room: i64, rev: i64) {
        while self.rooms[&room].have < rev {
            let frame = self.socket.frame("the newest change").await.expect("the socket stays open");
            self.take(&frame);
        }
    }
}

/// The room as somebody sees it who has never been here: its pages, and the `rev` that they were read at.
async fn fresh(visitor: &Visitor, room: i64) -> (BTreeMap<i64, Value>, i64) {
    let rev = visitor.get(&format!("/api/v1/rooms/{room}")).await.is(200).json()["rev"].as_i64().unwrap();
    let mut all = BTreeMap::new();
    loop {
        let after = all.keys().next_back().copied().unwrap_or(0);
        let path = format!("/api/v1/rooms/{room}/messages?after={after}&limit=100");
        let page = visitor.get(&path).await.is(200).json();
        for message in page["messages"].as_array().unwrap() {
            all.insert(message["seq"].as_i64().unwrap(), message.clone());
        }
        if page["more"] == false {
            return (all, rev);
        }
    }
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

/// Ann, who owns the channel, in two tabs; Bob; and the founder, who moderates. Only Ann's first tab never loses its
/// connection: it has nothing but live messages.
async fn tabs(app: &App, rooms: &mut Vec<i64>, seed: u64) -> Vec<Tab> {
    let founder = app.register("founder").await;
    let (ann, bob) = (app.register("ann").await, app.register("bob").await);
    let room = ann.create("talk").await;
    for visitor in [&bob, &founder] {
        visitor.join(&room).await.is(200);
    }
    rooms.extend([1, room["id"].as_i64().unwrap()]);
    let other = Visitor::with_cookie_of(&ann);
    let mut tabs = Vec::new();
    for (number, visitor) in [ann, other, bob, founder].into_iter().enumerate() {
        tabs.push(Tab::open(visitor, rooms, Dice(seed + number as u64), number > 0).await);
    }
    tabs
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn snapshot_and_events_are_the_fresh_state() {
    let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let seed = number("HUBBUB_SEED", u64::from(clock.subsec_nanos()));
    let operations = number("HUBBUB_CONVERGENCE", 1000);
    println!("HUBBUB_SEED={seed}");
    let app = spawn_app().await;
    let mut rooms = Vec::new();
    let mut acting = JoinSet::new();
    for mut tab in tabs(&app, &mut rooms, seed).await {
        acting.spawn(async move {
            for _ in 0..operations.div_ceil(4) {
                tab.act().await;
            }
            tab
        });
    }
    let mut tabs = acting.join_all().await;
    let stranger = app.register("newcomer").await;
    let mut kinds = BTreeSet::new();
    for room in rooms {
        let (messages, rev) = fresh(&stranger, room).await;
        let count = i64::try_from(messages.len()).unwrap();
        assert!(messages.keys().copied().eq(1..=count), "seq has holes: {:?}", messages.keys());
        let revs: BTreeSet<i64> = messages.values().map(|m| m["rev"].as_i64().unwrap()).collect();
        assert_eq!(
            (revs.len(), revs.last().copied()),
            (messages.len(), Some(rev)),
            "each change has its rev"
        );
        for tab in &mut tabs {
            tab.reach(room, rev).await;
            let replica = &tab.rooms[&room];
            assert_eq!((replica.have, replica.early.len()), (rev, 0), "HUBBUB_SEED={seed}");
            for (seq, message) in &messages {
                assert_eq!(replica.messages.get(seq), Some(message), "HUBBUB_SEED={seed}");
            }
            assert_eq!(replica.messages.len(), messages.len(), "HUBBUB_SEED={seed}");
        }
        for message in messages.values() {
            let fields = ["edited", "deleted", "reply_to", "thread", "reactions", "pinned", "to_all"];
            kinds.extend(fields.into_iter().filter(|field| message.get(field).is_some()));
        }
    }
    assert!(operations < 300 || kinds.len() == 7, "something was never tried: {kinds:?}");
}

#[tokio::test]
async fn one_nonce_sent_a_thousand_times_is_one_message_and_one_answer() {
    let app = spawn_app().await;
    let ann = app.register("ann").await;
    let room = ann.create("talk").await;
    let send = json!({ "type": "send", "room": room["id"], "nonce": nonce(), "text": "only **once**" });
    // Five hundred whose answers are lost.
    for _ in 0..10 {
        let mut socket = ann.socket().await;
        for _ in 0..50 {
            socket.say(send.clone()).await;
        }
    }
    let mut socket = ann.socket().await;
    let first = socket.must(send.clone()).await;
    let same = |reply: &Value| ["seq", "rev", "at"].iter().all(|field| reply[field] == first[field]);
    // And five hundred more while the message is edited, reacted to and deleted.
    let amendments = [
        json!({ "type": "edit", "text": "something else" }),
        json!({ "type": "react", "emoji": "👍", "on": true }),
        json!({ "type": "edit", "text": "only **once**" }),
        json!({ "type": "pin", "on": true }),
        json!({ "type": "delete" }),
    ];
    for mut amendment in amendments {
        amendment["room"] = room["id"].clone();
        amendment["seq"] = first["seq"].clone();
        socket.must(amendment).await;
        for _ in 0..100 {
            let reply = socket.must(send.clone()).await;
            assert!(same(&reply), "{reply} is not {first}");
        }
        let mut other = send.clone();
        other["text"] = json!("something else");
        socket.refused(other, "nonce_reused").await;
    }
    let (messages, rev) = fresh(&ann, room["id"].as_i64().unwrap()).await;
    assert_eq!((messages.len(), rev), (1, 6));
}
