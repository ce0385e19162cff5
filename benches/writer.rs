//! Messages a second through the write door, by batch size, beside bare SQLite that inserts and commits the same rows.
//!
//! `cargo bench --bench writer [-- --quick]`. Both sides sync every commit; the ratio is what the rules cost: room,
//! nonce and membership looked up, numbers taken, every sender answered.

mod figures;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use figures::{Benched, median, rounds, seconds};
use hubbub::config::Config;
use hubbub::ids::{RoomId, UserId};
use hubbub::rooms::{Asker, Author, Change, Mentionable, Nonce, Post, Request, RoomName, Rooms, Typed};
use std::time::Instant;
use tokio::sync::oneshot;

const TEXT: &str = "a message of an ordinary length, as people write them when they talk to each other in a room, 120 characters in all …";

fn main() -> Benched {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!("batch   hubbub msg/s   bare SQLite rows/s   ratio");
    for batch in [1, 8, 64, 256] {
        let (mut ours, mut bare) = (Vec::new(), Vec::new());
        for _ in 0..rounds() {
            ours.push(runtime.block_on(through_the_door(batch))?);
            bare.push(bare_sqlite(batch)?);
        }
        let (ours, bare) = (median(ours), median(bare));
        println!("{batch:>5}   {ours:>12.0}   {bare:>18.0}   {:>5.2}", ours / bare);
    }
    Ok(())
}

async fn through_the_door(batch: usize) -> Benched<f64> {
    let folder = tempfile::tempdir()?;
    let mut config = Config::default();
    config.set("data", &folder.path().to_string_lossy())?;
    let rooms = Rooms::open(&config, |_| {})?;
    let name = RoomName::parse("bench").map_err(|e| e.message)?;
    let owner = UserId(1);
    let room = rooms.change_room(Request::CreateChannel { owner, name, topic: String::new() }).await?.id;
    let (started, mut stored) = (Instant::now(), 0u32);
    while started.elapsed() < seconds() {
        let mut answers = Vec::with_capacity(batch);
        for _ in 0..batch {
            let (asker, answer) = oneshot::channel();
            rooms.db.submit(Change::new(Request::Post(post(room, owner)?), Asker::Call(asker)))?;
            answers.push(answer);
        }
        for answer in answers {
            answer.await??;
            stored += 1;
        }
    }
    Ok(f64::from(stored) / started.elapsed().as_secs_f64())
}

fn post(room: RoomId, author: UserId) -> Benched<Post> {
    let author = Author { id: author, name: "Ann".into(), ..Author::default() };
    Ok(Typed::new(TEXT)?.check(author, room, &Mentionable::new())?)
}

fn bare_sqlite(batch: usize) -> Benched<f64> {
    let folder = tempfile::tempdir()?;
    let mut conn = SqliteConnection::establish(&folder.path().join("bare.db").to_string_lossy())?;
    conn.batch_execute(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE rows (room BIGINT, seq BIGINT, nonce TEXT, text TEXT, PRIMARY KEY (room, seq)) WITHOUT ROWID;
         CREATE UNIQUE INDEX rows_by_nonce ON rows (nonce);",
    )?;
    let (started, mut stored) = (Instant::now(), 0u32);
    while started.elapsed() < seconds() {
        conn.immediate_transaction(|conn| -> Benched {
            for _ in 0..batch {
                stored += 1;
                diesel::sql_query("INSERT INTO rows VALUES (1, ?, ?, ?)")
                    .bind::<diesel::sql_types::BigInt, _>(i64::from(stored))
                    .bind::<diesel::sql_types::Text, _>(Nonce::random()?.as_str())
                    .bind::<diesel::sql_types::Text, _>(TEXT)
                    .execute(conn)?;
            }
            Ok(())
        })?;
    }
    Ok(f64::from(stored) / started.elapsed().as_secs_f64())
}
