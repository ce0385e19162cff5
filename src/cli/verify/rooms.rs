//! Whether what is stored of rooms and messages is whole: numbers without holes, nothing that hangs on nothing, an
//! index that is no further than what it is of. The content of files is compared with its hash.

use crate::db::schema::messages::{blobs, memberships, messages};
use crate::db::{Conn, integrity};
use crate::error::Result;
use crate::ids::{HOUSE, UserId};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;

const NUMBERED: &str = "SELECT r.id, r.last_seq, r.rev, COUNT(m.seq) AS stored, COALESCE(MIN(m.seq), 1) AS lowest, \
    COALESCE(MAX(m.seq), 0) AS highest, COUNT(DISTINCT m.rev) AS revs, COALESCE(MAX(m.rev), 0) AS newest \
    FROM rooms r LEFT JOIN messages m ON m.room_id = r.id WHERE r.deleted_at IS NULL \
    GROUP BY r.id, r.last_seq, r.rev ORDER BY r.id";

const LOST: [(&str, &str); 7] = [
    (
        "SELECT COUNT(*) AS many FROM reactions x WHERE NOT EXISTS \
         (SELECT 1 FROM messages m WHERE m.room_id = x.room_id AND m.seq = x.seq)",
        "reactions belong to no message.",
    ),
    (
        "SELECT COUNT(*) AS many FROM mentions x WHERE NOT EXISTS \
         (SELECT 1 FROM messages m WHERE m.room_id = x.room_id AND m.seq = x.seq)",
        "mentions belong to no message.",
    ),
    (
        "SELECT COUNT(*) AS many FROM attachments x WHERE x.seq IS NOT NULL AND NOT EXISTS \
         (SELECT 1 FROM messages m WHERE m.room_id = x.room_id AND m.seq = ABS(x.seq))",
        "attachments belong to no message.",
    ),
    (
        "SELECT COUNT(*) AS many FROM messages x WHERE x.reply_to IS NOT NULL AND NOT EXISTS \
         (SELECT 1 FROM messages m WHERE m.room_id = x.room_id AND m.seq = x.reply_to)",
        "messages answer one that was never there.",
    ),
    (
        "SELECT COUNT(*) AS many FROM rooms r WHERE r.about_kind = 'stream' AND r.deleted_at IS NULL AND NOT EXISTS \
         (SELECT 1 FROM streams s WHERE s.id = r.about_id)",
        "talks belong to no live stream.",
    ),
    (
        "SELECT COUNT(*) AS many FROM taken_down x WHERE NOT EXISTS (SELECT 1 FROM messages m \
         WHERE m.room_id = x.room_id AND m.seq = x.seq AND m.deleted_at IS NOT NULL)",
        "messages that are taken down are no longer where they were.",
    ),
    (
        "SELECT COUNT(*) AS many FROM blobs WHERE size <> LENGTH(content)",
        "files of messages are longer or shorter than they were.",
    ),
];

const INDEX: [(&str, &str); 3] = [
    (
        "SELECT COUNT(*) AS many FROM rooms WHERE indexed_rev > rev",
        "rooms are indexed beyond their last change.",
    ),
    (
        "SELECT COUNT(*) AS many FROM search_segments s WHERE s.state = 'ready' AND \
         (s.documents + 127) / 128 <> (SELECT COUNT(*) FROM search_documents d WHERE d.segment = s.id)",
        "segments of the search index lack a part.",
    ),
    (
        "SELECT COUNT(*) AS many FROM search_documents d WHERE NOT EXISTS \
         (SELECT 1 FROM search_segments s WHERE s.id = d.segment)",
        "parts of the search index belong to no segment.",
    ),
];

/// How many of the people are named who should be there.
const NAMED: usize = 5;

#[derive(QueryableByName)]
struct Numbered {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    last_seq: i64,
    #[diesel(sql_type = BigInt)]
    rev: i64,
    #[diesel(sql_type = BigInt)]
    stored: i64,
    #[diesel(sql_type = BigInt)]
    lowest: i64,
    #[diesel(sql_type = BigInt)]
    highest: i64,
    #[diesel(sql_type = BigInt)]
    revs: i64,
    #[diesel(sql_type = BigInt)]
    newest: i64,
}

/// Holes in `seq`, and a `rev` that was given twice or lies in the future: a sentence for each room.
pub fn numbers(conn: &mut Conn) -> Result<Vec<String>> {
    let rooms: Vec<Numbered> = diesel::sql_query(NUMBERED).load(conn)?;
    Ok(rooms.iter().filter_map(Numbered::fault).collect())
}

impl Numbered {
    fn fault(&self) -> Option<String> {
        let Self { id, last_seq, rev, stored, lowest, highest, revs, newest } = self;
        if (stored, *lowest, highest) != (last_seq, 1, last_seq) {
            Some(format!(
                "Room {id} counts {last_seq} messages, but {stored} are stored, numbered {lowest} to {highest}."
            ))
        } else if revs != stored || newest > rev {
            Some(format!(
                "Room {id} is at change {rev}, but its {stored} messages carry {revs} numbers of changes up to {newest}."
            ))
        } else {
            None
        }
    }
}

/// What hangs on a message that isn't there, and files of another length.
pub fn orphans(conn: &mut Conn) -> Result<Vec<String>> {
    integrity::ask(conn, &LOST)
}

/// The search index beside what it is of.
pub fn index(conn: &mut Conn) -> Result<Vec<String>> {
    integrity::ask(conn, &INDEX)
}

/// Authors and members whom the other database doesn't know.
pub fn strangers(conn: &mut Conn, people: &HashSet<UserId>) -> Result<Vec<String>> {
    let members: Vec<UserId> = memberships::table.select(memberships::user_id).distinct().load(conn)?;
    let authors: Vec<UserId> = messages::table.select(messages::author_id).distinct().load(conn)?;
    let mut found = Vec::new();
    for (ids, what) in [(members, "members of rooms"), (authors, "authors of messages")] {
        let unknown: Vec<String> =
            ids.iter().filter(|id| **id != HOUSE && !people.contains(id)).map(ToString::to_string).collect();
        if !unknown.is_empty() {
            let few = unknown.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
            found.push(format!("{} {what} have no account, such as {few}.", unknown.len()));
        }
    }
    Ok(found)
}

/// Files of messages whose content isn't what it was, by its SHA-256. Reads them all. Pictures are left out: what is
/// kept of one is not what was sent, and the hash is of that.
pub fn contents(conn: &mut Conn) -> Result<Vec<String>> {
    let plain = blobs::table.filter(blobs::mime.eq("application/octet-stream"));
    let hashes: Vec<String> = plain.select(blobs::hash).load(conn)?;
    let mut changed = 0;
    for hash in hashes {
        let content: Option<Vec<u8>> =
            blobs::table.find(&hash).select(blobs::content).first(conn).optional()?;
        let same = |bytes: Vec<u8>| data_encoding::HEXLOWER.encode(&Sha256::digest(&bytes)) == hash;
        changed += usize::from(!content.is_none_or(same));
    }
    Ok(if changed == 0 {
        Vec::new()
    } else {
        vec![format!("{changed} files of messages are not what was sent.")]
    })
}
