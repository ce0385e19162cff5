//! The command `together`: watching an item with others, by its talk.
//!
//! `{"type":"together","id","room","do":…}` with `do` one of
//! - `look`: what is going on; for whoever may read the talk.
//! - `join` with `playing`, `position`, `rate` of one's own player: watch from now on. Where nobody watched it begins with
//!   those, and the reply says `"begun":true`. For members.
//! - `move` with the `version` that one has seen and any of `playing`, `position`, `rate`: moves everybody. A version that
//!   isn't the newest is refused with `outdated`, and nothing moves.
//! - `leave`.
//!
//! Replies, and the frame `{"type":"together",…}` that all other connections of members get, at once after a move and within
//! a second when somebody comes or goes, have `room`, `watching` (people),
//! `people` (the first 20, `{user, name}`) and `state`: `{item, playing, position, rate, at, by, version}`, or null when
//! nobody watches. `position` is in milliseconds, as of `at` on the server's clock, which the reply to `ping` tells too.

use super::connection::{Connection, Context};
use super::protocol;
use super::together::{Answer, Move, Start, Together, Watcher, Wish};
use crate::accounts::Person;
use crate::error::{Error, Result};
use crate::ids::RoomId;
use crate::rooms::talk::{About, Subject};
use crate::rooms::{Verb, may, room};
use serde::Deserialize;

/// The longest recording, ms: a week.
const LONGEST: i64 = 7 * 24 * 3600 * 1000;
const SLOWEST: f64 = 0.25;
const FASTEST: f64 = 4.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Deed {
    Look,
    Join,
    Move,
    Leave,
}

/// The command as it comes.
#[derive(Debug, Deserialize)]
pub struct Command {
    room: RoomId,
    #[serde(rename = "do")]
    deed: Deed,
    version: Option<i64>,
    playing: Option<bool>,
    position: Option<i64>,
    rate: Option<f64>,
}

impl Command {
    /// # Errors
    /// A sentence for a number that no recording has.
    fn check(&self) -> Result<()> {
        if self.position.is_some_and(|position| !(0..=LONGEST).contains(&position)) {
            return Err(Error::field("position", "A position is a number of milliseconds from 0 to a week."));
        }
        if self.rate.is_some_and(|rate| !(SLOWEST..=FASTEST).contains(&rate)) {
            return Err(Error::field("rate", "A rate is a number from 0.25 to 4."));
        }
        Ok(())
    }

    fn wish(&self, item: i64, person: &Person) -> Result<Wish> {
        let needed =
            || Error::bad_request("bad_request", "Say what your player does: playing, position and rate.");
        Ok(match self.deed {
            Deed::Look => Wish::Look,
            Deed::Leave => Wish::Leave,
            Deed::Join => {
                let start = Start {
                    playing: self.playing.ok_or_else(needed)?,
                    position: self.position.ok_or_else(needed)?,
                    rate: self.rate.ok_or_else(needed)?,
                };
                let watcher = Watcher { user: person.id, name: person.display_name.clone() };
                Wish::Join { item, watcher, start }
            }
            Deed::Move => Wish::Move(Move {
                version: self
                    .version
                    .ok_or_else(|| Error::bad_request("bad_request", "Say which version you have seen."))?,
                playing: self.playing,
                position: self.position,
                rate: self.rate,
            }),
        })
    }
}

/// Runs the command; the reply goes out when the state is known.
pub fn run(connection: &mut Connection, ctx: &mut Context, request: Option<u64>, command: Command) {
    let (chat, person) = (connection.link.chat.clone(), connection.link.person.clone());
    let from = (connection.link.local.worker, connection.link.key);
    let work = async move {
        if command.deed != Deed::Look {
            chat.limits.moves(person.id)?;
        }
        if command.deed == Deed::Move {
            person.may_speak()?;
        }
        command.check()?;
        let (id, user) = (command.room, person.id);
        let verb = if command.deed == Deed::Look { Verb::Read } else { Verb::Keep };
        let about = chat.rooms.db.read(move |conn| {
            let found = room::find(conn, id)?;
            may(conn, user, &found, verb)?;
            Ok(found.about())
        });
        let Some(About { kind: Subject::Media, id: item }) = about.await? else {
            return Err(Error::bad_request(
                "nothing_to_watch",
                "There is nothing to watch together in this room.",
            ));
        };
        let asked = Together { room: id, connection: from, wish: command.wish(item, &person)? };
        let answer: Result<Answer> =
            chat.server.send(asked).await.map_err(|error| Error::internal(error.to_string()))?;
        answer
    };
    connection.answer(ctx, request, async move { protocol::reply_or_refusal(request, work.await) });
}
