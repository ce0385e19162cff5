//! How a segment of the search index is written into bytes: which documents a word stands in, and which messages
//! the documents are. Numbers are LEB128; what ascends is written as differences.

use std::fmt;
use std::str::FromStr;

/// Bytes of one part of a word's postings. SQLite keeps what is smaller on the page of its key.
const PART: usize = 900;
/// Documents in one part of a segment's list of them.
pub const DOCUMENTS: usize = 128;

/// A message in the order of time; the second and third field tell apart what was posted in the same moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// When it was posted, ms.
    pub at: i64,
    pub room: i64,
    pub seq: i64,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.at, self.room, self.seq)
    }
}

impl FromStr for Key {
    type Err = ();

    /// A bare moment stands for the first message of it.
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut numbers = text.split('-').map(|n| n.parse::<i64>().ok().filter(|n| *n >= 0).ok_or(()));
        let at = numbers.next().ok_or(())??;
        let key = match (numbers.next(), numbers.next()) {
            (None, None) => Self { at, room: 0, seq: 0 },
            (Some(room), Some(seq)) => Self { at, room: room?, seq: seq? },
            _ => return Err(()),
        };
        if numbers.next().is_some() { Err(()) } else { Ok(key) }
    }
}

/// A document of a segment: a message as of `rev`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Document {
    pub key: Key,
    pub rev: i64,
}

fn put(bytes: &mut Vec<u8>, number: u64) {
    let mut rest = number;
    loop {
        let low = u8::try_from(rest & 0x7F).unwrap_or(0);
        rest >>= 7;
        if rest == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(first & 0x7F) << shift;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn put_signed(bytes: &mut Vec<u8>, number: i64) {
    // Nothing is posted before 1970, and no id is negative.
    put(bytes, u64::try_from(number).unwrap_or(0));
}

fn take_signed(bytes: &mut &[u8]) -> Option<i64> {
    take(bytes)?.try_into().ok()
}

/// Writes where a word stands, `(room, document)` ascending, as parts: runs of one room each, with their length in
/// bytes, so that whole rooms can be skipped.
pub fn write_postings(places: &[(i64, u32)]) -> Vec<Vec<u8>> {
    let mut parts: Vec<Vec<u8>> = vec![Vec::new()];
    for room in places.chunk_by(|a, b| a.0 == b.0) {
        let (mut run, mut before) = (Vec::new(), 0);
        for (n, (id, document)) in room.iter().enumerate() {
            put(&mut run, u64::from(document - before));
            before = *document;
            if run.len() >= PART / 2 || n + 1 == room.len() {
                append(&mut parts, *id, &run);
                run.clear();
                before = 0;
            }
        }
    }
    parts
}

fn append(parts: &mut Vec<Vec<u8>>, room: i64, run: &[u8]) {
    if parts.last().is_none_or(|part| part.len() + run.len() > PART) {
        parts.push(Vec::new());
    }
    if let Some(part) = parts.last_mut() {
        put_signed(part, room);
        put(part, run.len() as u64);
        part.extend_from_slice(run);
    }
}

/// Reads one part: `wanted` says of each room whether its documents are handed to `found`.
/// Stops at what can't be read.
pub fn read_postings(
    part: &[u8],
    wanted: impl Fn(i64) -> bool,
    mut found: impl FnMut(i64, u32),
) -> Option<()> {
    let mut rest = part;
    while !rest.is_empty() {
        let room = take_signed(&mut rest)?;
        let length = usize::try_from(take(&mut rest)?).ok()?;
        let (mut run, behind) = rest.split_at_checked(length)?;
        rest = behind;
        if !wanted(room) {
            continue;
        }
        let mut document = 0u32;
        while !run.is_empty() {
            document = document.checked_add(u32::try_from(take(&mut run)?).ok()?)?;
            found(room, document);
        }
    }
    Some(())
}

/// Writes [`DOCUMENTS`] or fewer, ascending by their key.
pub fn write_documents(documents: &[Document]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(documents.len() * 8);
    let mut before = 0;
    for Document { key, rev } in documents {
        put_signed(&mut bytes, key.at - before);
        put_signed(&mut bytes, key.room);
        put_signed(&mut bytes, key.seq);
        put_signed(&mut bytes, *rev);
        before = key.at;
    }
    bytes
}

/// Reads what [`write_documents`] wrote; stops at what can't be read.
pub fn read_documents(part: &[u8]) -> Vec<Document> {
    let (mut rest, mut at, mut documents) = (part, 0i64, Vec::with_capacity(DOCUMENTS));
    let mut next = || {
        at = at.checked_add(take_signed(&mut rest)?)?;
        let (room, seq) = (take_signed(&mut rest)?, take_signed(&mut rest)?);
        Some(Document { key: Key { at, room, seq }, rev: take_signed(&mut rest)? })
    };
    while let Some(document) = next() {
        documents.push(document);
    }
    documents
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_key_is_read_as_it_is_written() {
        let key = Key { at: 1_700_000_000_000, room: 12, seq: 3 };
        assert_eq!(key.to_string().parse(), Ok(key));
        assert_eq!("17".parse(), Ok(Key { at: 17, room: 0, seq: 0 }));
        for wrong in ["", "x", "1-2", "1-2-3-4", "-1", "1--2"] {
            assert!(wrong.parse::<Key>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn postings_are_read_as_they_were_written(
            places in prop::collection::btree_set((1i64..40, 0u32..70_000), 1..3000),
            unwanted in 1i64..40,
        ) {
            let places: Vec<(i64, u32)> = places.into_iter().collect();
            let parts = write_postings(&places);
            let mut read = Vec::new();
            for part in &parts {
                prop_assert!(part.len() <= PART + 20);
                read_postings(part, |room| room != unwanted, |room, doc| read.push((room, doc)));
            }
            let kept: Vec<(i64, u32)> = places.into_iter().filter(|place| place.0 != unwanted).collect();
            prop_assert_eq!(read, kept);
        }

        #[test]
        fn documents_are_read_as_they_were_written(
            keys in prop::collection::btree_set((0i64..1_800_000_000_000, 1i64..500, 1i64..99_999), 1..DOCUMENTS),
        ) {
            let documents: Vec<Document> = keys.into_iter()
                .map(|(at, room, seq)| Document { key: Key { at, room, seq }, rev: seq + 1 })
                .collect();
            prop_assert_eq!(read_documents(&write_documents(&documents)), documents);
        }

        #[test]
        fn damaged_bytes_break_nothing(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            read_documents(&bytes);
            let mut count = 0;
            read_postings(&bytes, |_| true, |_, _| count += 1);
            prop_assert!(count <= bytes.len());
        }
    }
}
