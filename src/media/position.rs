//! How far each person has got in an item: the same at the desk and on the phone.

use super::item::{self, Item};
use super::sight::Sight;
use crate::clock::now_ms;
use crate::db::Conn;
use crate::db::schema::messages::media_positions;
use crate::error::{Error, FieldError, Result};
use crate::ids::{MediaId, UserId};
use crate::on_conn;
use diesel::prelude::*;
use std::collections::HashMap;

/// Longer than anything that is recorded, ms: thirty days.
const LONGEST: i64 = 30 * 24 * 3600 * 1000;
/// What was left before that is begun again, ms.
const BARELY: i64 = 5_000;

/// A place in an item.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Queryable, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
pub struct Position {
    /// From the beginning, ms.
    pub position: i64,
    /// How long the item is, ms; 0 where nobody knows.
    #[serde(default)]
    pub length: i64,
}

impl Position {
    /// # Errors
    /// `Invalid` for what is no place in a recording.
    pub fn check(self) -> Result<Self> {
        let wrong = |field| FieldError::new(field, "A place in a recording is given in milliseconds.");
        let mut errors = Vec::new();
        if !(0..=LONGEST).contains(&self.position) {
            errors.push(wrong("position"));
        }
        if !(0..=LONGEST).contains(&self.length) {
            errors.push(wrong("length"));
        }
        if errors.is_empty() { Ok(self) } else { Err(Error::Invalid(errors)) }
    }

    /// How much of it has been played, percent; nothing when that isn't known, or isn't worth a word.
    pub fn percent(self, item: &Item) -> Option<i64> {
        let length = item.duration.unwrap_or(self.length);
        (length > 0 && self.position > 0).then(|| (self.position * 100 / length).clamp(1, 100))
    }

    /// Where to go on; nothing for what was hardly begun or is as good as over.
    pub fn go_on(self, item: &Item) -> Option<i64> {
        let length = item.duration.unwrap_or(self.length);
        let over = length > 0 && self.position >= length - (length / 20).min(30_000);
        (self.position >= BARELY && !over).then_some(self.position)
    }
}

/// How far somebody has got in one item.
pub fn of(conn: &mut Conn, user: UserId, id: MediaId) -> Result<Option<Position>> {
    use media_positions as p;
    Ok(p::table.find((user, id)).select((p::position, p::length)).first(conn).optional()?)
}

/// The same for each of these items that they have begun.
pub fn among(conn: &mut Conn, user: UserId, ids: &[MediaId]) -> Result<HashMap<MediaId, Position>> {
    use media_positions as p;
    let rows: Vec<(MediaId, Position)> = p::table
        .filter(p::user_id.eq(user).and(p::media_id.eq_any(ids)))
        .select((p::media_id, (p::position, p::length)))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}

/// Keeps how far somebody has got. The last word counts, whatever device it comes from.
///
/// # Errors
/// `NotFound` for an item that isn't there for them.
pub fn put(conn: &mut Conn, user: UserId, id: MediaId, at: Position) -> Result<()> {
    use media_positions as p;
    item::find(conn, id, Sight::from(user))?;
    let place = (p::position.eq(at.position), p::length.eq(at.length), p::updated_at.eq(now_ms()));
    let row = (p::user_id.eq(user), p::media_id.eq(id), place);
    on_conn!(conn, c => diesel::insert_into(p::table)
        .values(row)
        .on_conflict((p::user_id, p::media_id))
        .do_update()
        .set(place)
        .execute(c))?;
    Ok(())
}

/// A moment as people write it into an address: `83`, `83.5`, `1m23s`, `1:23`, `1:02:03`. Seconds; nothing for what
/// is none. `static/js/lib/moments.js` reads the same.
pub fn read_moment(text: &str) -> Option<f64> {
    let text = text.trim().to_ascii_lowercase();
    if text.is_empty()
        || text.len() > 20
        || !text.bytes().all(|b| b.is_ascii_digit() || b":.hms".contains(&b))
    {
        return None;
    }
    let number = |part: &str, digits: usize| -> Option<f64> {
        let whole = (1..=digits).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        if whole { part.parse().ok() } else { None }
    };
    let fine = |part: &str, digits: usize| -> Option<f64> {
        match part.split_once('.') {
            Some((whole, rest)) => {
                let tenths: f64 = number(rest, 3).and_then(|_| format!("0.{rest}").parse().ok())?;
                Some(number(whole, digits)? + tenths)
            }
            None => number(part, digits),
        }
    };
    if let Some((front, seconds)) = text.rsplit_once(':') {
        let (hours, minutes) = match front.split_once(':') {
            Some((hours, minutes)) => (number(hours, 3)?, number(minutes, 2)?),
            None => (0.0, number(front, 2)?),
        };
        let whole = seconds.split('.').next().unwrap_or_default();
        let seconds = fine(seconds, 2).filter(|s| whole.len() == 2 && *s < 60.0)?;
        return Some(hours * 3600.0 + minutes * 60.0 + seconds);
    }
    if let Some(plain) = fine(text.strip_suffix('s').unwrap_or(&text), 6) {
        return Some(plain);
    }
    let (mut rest, mut sum) = (text.as_str(), 0.0);
    for (unit, digits, worth) in [('h', 3, 3600.0), ('m', 4, 60.0), ('s', 5, 1.0)] {
        if let Some((part, after)) = rest.split_once(unit) {
            sum += number(part, digits)? * worth;
            rest = after;
        }
    }
    rest.is_empty().then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_in_every_way_people_write_one_and_nothing_else_is() {
        for (text, seconds) in [
            ("83", 83.0),
            ("83s", 83.0),
            ("83.5", 83.5),
            ("1m23s", 83.0),
            ("1h2m3s", 3723.0),
            ("2m", 120.0),
            ("1:23", 83.0),
            ("01:02:03", 3723.0),
            ("0", 0.0),
            ("1:02.5", 62.5),
        ] {
            assert_eq!(read_moment(text), Some(seconds), "{text}");
        }
        for text in [
            "", "-3", "1:60", "1:2", "abc", "1m2h", "1e9", "::", "9999999", "s", "ｓ", "1.2345", "m",
            "1:2:3:4",
        ] {
            assert_eq!(read_moment(text), None, "{text}");
        }
    }
}
