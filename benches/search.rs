//! How long a search takes among two million messages in 3,200 rooms, and what keeping the index costs the writer.
//!
//! `cargo bench --bench search [-- --quick] [-- --messages N] [-- --database postgres://…]`. A third of the messages
//! is in groups that neither of the two people who search belongs to; the word `hidden` stands in each of those and
//! nowhere else. `--quick` takes 3,000 messages.

mod figures;

use diesel::prelude::*;
use figures::{Benched, is_quick, median, rounds, seconds};
use hubbub::config::Config;
use hubbub::db::schema::messages::{memberships, messages, rooms};
use hubbub::ids::{RoomId, UserId};
use hubbub::on_conn;
use hubbub::rooms::search::{Asked, Indexer, Key, Pace, Query, find};
use hubbub::rooms::{Asker, Author, Change, Mentionable, Message, Request, RoomName, Rooms, Typed};
use std::time::Instant;
use tokio::sync::oneshot;

/// Somebody in a thousand groups, and somebody in three.
const MANY: UserId = UserId(1);
const FEW: UserId = UserId(2);
const CHANNELS: u64 = 200;
const OWN: u64 = 1000;
const OTHERS: u64 = 2000;
const VOCABULARY: u64 = 60_000;
/// Milliseconds between two messages: two million fill the better part of a year.
const APART: i64 = 10_000;
const START: i64 = 1_700_000_000_000;

/// The same numbers in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    /// Small numbers often, large ones seldom, as words are.
    fn word(&mut self) -> u64 {
        let most = 1 + self.roll(VOCABULARY);
        let some = 1 + self.roll(most);
        self.roll(some)
    }
}

fn option(name: &str) -> Option<String> {
    std::env::args().skip_while(|arg| arg != name).nth(1)
}

fn main() -> Benched {
    let many =
        option("--messages").map_or(Ok(if is_quick() { 3_000 } else { 2_000_000 }), |n| n.parse::<u64>())?;
    let folder = tempfile::tempdir()?;
    let mut config = Config::default();
    config.set("data", &folder.path().to_string_lossy())?;
    if let Some(url) = option("--database") {
        config.set("messages_url", &url)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let rooms = Rooms::open(&config, |_| {})?;
        let started = Instant::now();
        fill(&rooms, many).await?;
        let size =
            |name: &str| std::fs::metadata(folder.path().join(name)).map_or(0, |file| file.len() >> 20);
        println!(
            "{many} messages stored in {:.0} s, {} MB",
            started.elapsed().as_secs_f64(),
            size("messages.db")
        );
        let started = Instant::now();
        Indexer::new(rooms.db.clone())?.run(Pace::Eager).await?;
        let taken = started.elapsed().as_secs_f64();
        println!(
            "indexed in {taken:.0} s ({:.0} a second), {} MB then",
            many as f64 / taken,
            size("messages.db")
        );
        measure(&rooms, many).await?;
        write_beside_the_indexer(&rooms).await
    })
}

async fn fill(rooms: &Rooms, many: u64) -> Benched {
    rooms.db.write(|conn| Ok(make_rooms(conn)?)).await?;
    let (mut dice, mut seqs) =
        (Dice(88_172_645_463_325_252), vec![0; usize::try_from(CHANNELS + OWN + OTHERS)? + 1]);
    let mut rows = Vec::new();
    for n in 0..many {
        let third = dice.roll(3);
        let (first, count) =
            [(0, CHANNELS), (CHANNELS, OWN), (CHANNELS + OWN, OTHERS)][usize::try_from(third)?];
        let room = first + dice.roll(count);
        let seq = &mut seqs[usize::try_from(room)?];
        *seq += 1;
        rows.push(message(&mut dice, n, room, *seq, third == 2)?);
        if rows.len() == 1000 || n + 1 == many {
            let some = std::mem::take(&mut rows);
            rooms
                .db
                .write(move |conn| {
                    on_conn!(conn, c => diesel::insert_into(messages::table).values(&some).execute(c))?;
                    Ok(())
                })
                .await?;
        }
    }
    rooms
        .db
        .write(move |conn| {
            for (room, seq) in (0..).zip(&seqs) {
                let row = rooms::table.find(RoomId(1000 + room));
                diesel::update(row).set((rooms::last_seq.eq(seq), rooms::rev.eq(seq))).execute(conn)?;
            }
            Ok(())
        })
        .await?;
    Ok(())
}

fn make_rooms(conn: &mut hubbub::db::Conn) -> QueryResult<()> {
    for n in 0..CHANNELS + OWN + OTHERS {
        let id = RoomId(1000 + i64::try_from(n).unwrap_or(0));
        let name = format!("room {n}");
        let (kind, key) = if n < CHANNELS { ("channel", Some(name.clone())) } else { ("group", None) };
        let row = (
            rooms::id.eq(id),
            rooms::kind.eq(kind),
            rooms::name.eq(name),
            rooms::name_key.eq(key),
            rooms::created_at.eq(START),
            rooms::active_at.eq(START),
        );
        diesel::insert_into(rooms::table).values(row).execute(conn)?;
        let mut members = vec![UserId(3)];
        members.extend((n < CHANNELS + OWN).then_some(MANY));
        members.extend((CHANNELS..CHANNELS + 3).contains(&n).then_some(FEW));
        for user in members {
            let row = (
                memberships::user_id.eq(user),
                memberships::room_id.eq(id),
                memberships::joined_at.eq(START),
            );
            diesel::insert_into(memberships::table).values(row).execute(conn)?;
        }
    }
    Ok(())
}

fn message(dice: &mut Dice, n: u64, room: u64, seq: i64, hidden: bool) -> Benched<Message> {
    let mut text = String::new();
    for _ in 0..6 + dice.roll(14) {
        text.push_str(&format!("w{} ", dice.word()));
    }
    if n.is_multiple_of(5) {
        for _ in 0..4 + dice.roll(10) {
            text.extend(char::from_u32(0x4E00 + u32::try_from(dice.word() % 3000)?));
        }
    }
    text.push_str(if n.is_multiple_of(2) { " even" } else { " odd" });
    if hidden {
        text.push_str(" hidden");
    }
    if n % 400_000 == 77 {
        text.push_str(" needle 顯微鏡");
    }
    let author = if n.is_multiple_of(5) { 10 } else { 11 + dice.roll(500) };
    Ok(Message {
        room: RoomId(1000 + i64::try_from(room)?),
        seq,
        rev: seq,
        first_rev: seq,
        user: UserId(i64::try_from(author)?),
        name: "Ann".into(),
        nonce: format!("bench-{n:016}"),
        at: START + i64::try_from(n)? * APART,
        text,
        ..Message::default()
    })
}

async fn measure(rooms: &Rooms, many: u64) -> Benched {
    let times_each = if is_quick() { 2 } else { 200 };
    let middle = START + i64::try_from(many)? * APART / 2;
    println!("\n{:<44} {:>5}  {:>9} {:>9} {:>9}", "search", "found", "p50 ms", "p99 ms", "worst ms");
    for (who, name) in [(MANY, "in 1,000 groups"), (FEW, "in 3 groups")] {
        println!("somebody {name}:");
        for (about, typed, before) in [
            ("a rare word", "needle", None),
            ("a common word", "even ", None),
            ("a common word, from the middle on", "even ", Some(middle)),
            ("two common words", "even w0 ", None),
            ("two common words, never together", "even odd ", None),
            ("a rare and a common word", "needle even ", None),
            ("a Chinese word of two characters, common", "一丁", None),
            ("a Chinese word of two characters, rare", "顯微", None),
            ("the beginning of many words", "w1", None),
            ("a rare word and the beginning of many", "needle w1", None),
            ("a phrase of two common words", "\"w0 w1\"", None),
            ("a common word, by one who wrote much", "even from:10", None),
            ("a common word, by one who wrote little", "odd from:400", None),
            ("all by one who wrote little", "from:400", None),
            ("a common word in one channel", "even in:\"room 7\"", None),
            ("a word common where one may not read", "hidden", None),
            ("the same and a common one", "hidden even ", None),
            ("nothing has it", "nowhere ", None),
        ] {
            let asked = asked(who, typed, before)?;
            let mut times = Vec::with_capacity(times_each);
            let mut found = 0;
            for _ in 0..times_each {
                let asked = asked.clone();
                let started = Instant::now();
                found = rooms.db.snapshot(move |conn| find(conn, &asked)).await?.messages.len();
                times.push(started.elapsed().as_secs_f64() * 1000.0);
            }
            times.sort_by(f64::total_cmp);
            let (half, most) = (times[times_each / 2], times[(times_each * 99 / 100).saturating_sub(1)]);
            println!("  {about:<42} {found:>5}  {half:>9.2} {most:>9.2} {:>9.2}", times[times_each - 1]);
        }
    }
    Ok(())
}

fn asked(user: UserId, typed: &str, before: Option<i64>) -> Benched<Asked> {
    let query = Query::parse(typed)?;
    let people =
        query.from.iter().filter_map(|named| Some((named.name.clone(), UserId(named.name.parse().ok()?))));
    let people = people.collect();
    let before = before.map(|at| Key { at, room: 0, seq: 0 });
    Ok(Asked { user: Some(user), query, before, limit: 50, people, ..Asked::default() })
}

/// Messages a second through the write door, with nothing beside it and with the indexer at work.
async fn write_beside_the_indexer(rooms: &Rooms) -> Benched {
    let name = RoomName::parse("bench").map_err(|e| e.message)?;
    let request = Request::CreateChannel { owner: MANY, name, topic: String::new() };
    let room = rooms.change_room(request).await?.id;
    println!("\nbatch   msg/s alone   msg/s beside the indexer   ratio");
    for batch in [8, 256] {
        let mut alone = Vec::new();
        for _ in 0..rounds() {
            alone.push(write(rooms, room, batch).await?);
        }
        let alone = median(alone);
        let indexer = Indexer::new(rooms.db.clone())?;
        let working = tokio::spawn(async move {
            loop {
                if indexer.run(Pace::Patient).await.is_err() {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        });
        let mut beside = Vec::new();
        for _ in 0..rounds() {
            beside.push(write(rooms, room, batch).await?);
        }
        working.abort();
        let beside = median(beside);
        println!("{batch:>5}   {alone:>11.0}   {beside:>24.0}   {:>5.2}", beside / alone);
    }
    Ok(())
}

async fn write(rooms: &Rooms, room: RoomId, batch: usize) -> Benched<f64> {
    let mut dice = Dice(2_463_534_242);
    let (started, mut stored) = (Instant::now(), 0u32);
    while started.elapsed() < seconds() {
        let mut answers = Vec::with_capacity(batch);
        for n in 0..batch as u64 {
            let (asker, answer) = oneshot::channel();
            let author = Author { id: MANY, name: "Ann".into(), ..Author::default() };
            let typed = Typed::new(message(&mut dice, n, 0, 1, false)?.text)?;
            let post = typed.check(author, room, &Mentionable::new())?;
            rooms.db.submit(Change::new(Request::Post(post), Asker::Call(asker)))?;
            answers.push(answer);
        }
        for answer in answers {
            answer.await??;
            stored += 1;
        }
    }
    Ok(f64::from(stored) / started.elapsed().as_secs_f64())
}
