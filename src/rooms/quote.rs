//! What a reply shows of the message that it answers.

use super::message::Message;
use crate::db::Conn;
use crate::db::schema::messages::messages;
use crate::error::Result;
use crate::ids::RoomId;
use crate::text;
use diesel::prelude::*;
use std::collections::HashMap;

/// Characters of a quote; more than a line has.
const LONGEST: usize = 160;

/// The beginning of a message on one line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quote {
    pub seq: i64,
    /// Who wrote it.
    pub name: String,
    /// Empty for a message that was deleted.
    pub words: String,
}

/// The messages that `replies` answer, by `seq`; those among `replies` themselves cost nothing.
pub fn of(conn: &mut Conn, room: RoomId, replies: &[Message]) -> Result<HashMap<i64, Quote>> {
    let mut quotes = HashMap::new();
    let mut missing = Vec::new();
    for seq in replies.iter().filter_map(|message| message.reply_to) {
        match replies.binary_search_by_key(&seq, |message| message.seq).ok().and_then(|at| replies.get(at)) {
            Some(there) => {
                let words = quote(seq, there.name.clone(), &there.text, there.html.as_deref());
                quotes.insert(seq, words);
            }
            None => missing.push(seq),
        }
    }
    if !missing.is_empty() {
        let rows: Vec<(i64, String, String, Option<String>)> = messages::table
            .filter(messages::room_id.eq(room).and(messages::seq.eq_any(missing)))
            .select((messages::seq, messages::author_name, messages::text, messages::html))
            .load(conn)?;
        quotes.extend(
            rows.into_iter().map(|(seq, name, text, html)| (seq, quote(seq, name, &text, html.as_deref()))),
        );
    }
    Ok(quotes)
}

fn quote(seq: i64, name: String, plain: &str, html: Option<&str>) -> Quote {
    let line = html.map_or_else(|| plain.split_whitespace().collect::<Vec<_>>().join(" "), text::words);
    let words = match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    };
    Quote { seq, name, words }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_is_one_line_and_not_long() {
        assert_eq!(quote(1, "Ann".into(), "a\n\n b\tc", None).words, "a b c");
        let long = quote(1, "Ann".into(), &"字".repeat(400), None).words;
        assert_eq!(long.chars().count(), LONGEST + 1);
    }
}
