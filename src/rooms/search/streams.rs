//! Messages that the index holds for likely, newest first, out of all segments at once. A segment is looked into only
//! when what it may hold is next, so that common words cost no more than rare ones.

use super::beginnings;
use super::bits::Bits;
use super::plan::{AnyOf, Plan};
use super::postings::{DOCUMENTS, Document, Key, read_documents, read_postings};
use crate::db::Conn;
use crate::db::schema::messages::{search_documents, search_segments, search_words};
use crate::error::Result;
use diesel::prelude::*;
use std::collections::{BinaryHeap, HashMap};

/// Segments that are looked into together at first; then four times as many, so that there are few queries.
const AT_FIRST: usize = 4;
/// With fewer likely messages than this, reading them costs less than finding all words with a certain beginning.
const FEW: usize = 64;

/// A stored segment, without what is in it.
struct Unopened {
    id: i64,
    documents: usize,
    newest: i64,
}

/// The likely messages of one segment.
struct Stream {
    segment: i64,
    /// Document numbers, ascending; the last one is next.
    likely: Vec<u32>,
    /// The part of the list of documents that was read last.
    list: (usize, Vec<Document>),
}

/// All likely messages, newest first.
pub struct Streams<'a> {
    plan: &'a Plan,
    wanted: Vec<AnyOf>,
    unwanted: Vec<String>,
    /// Those with the newest messages last.
    unopened: Vec<Unopened>,
    at_once: usize,
    opened: Vec<Stream>,
    heads: BinaryHeap<(Key, usize)>,
}

impl<'a> Streams<'a> {
    pub fn new(conn: &mut Conn, plan: &'a Plan) -> Result<Self> {
        use search_segments as s;
        let rows: Vec<(i64, i64, i64)> = s::table
            .filter(s::state.eq("ready").and(s::newest.ge(plan.since())).and(s::oldest.le(plan.before.at)))
            .order((s::newest.asc(), s::id.asc()))
            .select((s::id, s::documents, s::newest))
            .load(conn)?;
        let unopened = rows.into_iter().map(|(id, documents, newest)| Unopened {
            id,
            documents: usize::try_from(documents).unwrap_or(0),
            newest,
        });
        Ok(Self {
            plan,
            wanted: plan.wanted(),
            unwanted: plan.unwanted(),
            unopened: unopened.collect(),
            at_once: AT_FIRST,
            opened: Vec::new(),
            heads: BinaryHeap::new(),
        })
    }

    /// The next likely message.
    pub fn peek(&mut self, conn: &mut Conn) -> Result<Option<Key>> {
        while let Some(next) = self.unopened.last() {
            if self.heads.peek().is_some_and(|(head, _)| head.at > next.newest) {
                break;
            }
            self.open(conn)?;
        }
        Ok(self.heads.peek().map(|(key, _)| *key))
    }

    /// Goes on behind what [`peek`](Self::peek) answered.
    pub fn advance(&mut self, conn: &mut Conn) -> Result<()> {
        if let Some((_, n)) = self.heads.pop() {
            self.opened[n].likely.pop();
            self.show(conn, n)?;
        }
        Ok(())
    }

    /// Puts the newest message of a stream where all can be compared.
    fn show(&mut self, conn: &mut Conn, n: usize) -> Result<()> {
        let since = self.plan.since();
        let head = self.opened[n].head(conn)?.filter(|key| key.at >= since);
        self.heads.extend(head.map(|key| (key, n)));
        Ok(())
    }

    /// Looks into the next few segments.
    fn open(&mut self, conn: &mut Conn) -> Result<()> {
        let rest = self.unopened.len().saturating_sub(self.at_once);
        let group = self.unopened.split_off(rest);
        self.at_once *= 4;
        let ids: Vec<i64> = group.iter().map(|segment| segment.id).collect();
        let wanted = self.wanted.iter().flat_map(|any| &any.terms);
        let beginnings: Vec<String> =
            self.wanted.iter().filter_map(|any| any.prefix.as_deref()).map(beginnings::term).collect();
        let terms: Vec<&String> = wanted.chain(&self.unwanted).chain(&beginnings).collect();
        let mut read: HashMap<(i64, String), Bits> = HashMap::new();
        if !terms.is_empty() {
            use search_words as w;
            let rows: Vec<(i64, String, Vec<u8>)> = w::table
                .filter(w::segment.eq_any(&ids).and(w::word.eq_any(&terms)))
                .select((w::segment, w::word, w::postings))
                .load(conn)?;
            for (segment, word, part) in rows {
                self.gather(read.entry((segment, word)).or_default(), &part);
            }
        }
        for segment in group {
            let likely = self.likely(conn, &segment, &read)?;
            if likely.is_empty() {
                continue;
            }
            let mut stream = Stream { segment: segment.id, likely, list: (usize::MAX, Vec::new()) };
            if segment.newest >= self.plan.before.at {
                stream.cut(conn, self.plan.before)?;
            }
            self.opened.push(stream);
            self.show(conn, self.opened.len() - 1)?;
        }
        Ok(())
    }

    fn gather(&self, bits: &mut Bits, part: &[u8]) {
        // What can't be read was written by nobody here; the rest is still an answer.
        let _ =
            read_postings(part, |room| self.plan.rooms.contains(room), |_, document| bits.insert(document));
    }

    /// The documents of a segment that have all that is wanted and nothing that isn't.
    fn likely(
        &self,
        conn: &mut Conn,
        segment: &Unopened,
        read: &HashMap<(i64, String), Bits>,
    ) -> Result<Vec<u32>> {
        let none = Bits::default();
        let of = |term: &String| read.get(&(segment.id, term.clone())).unwrap_or(&none);
        let mut found: Option<Bits> = None;
        for any in self.wanted.iter().filter(|any| any.prefix.is_none()) {
            let mut either = Bits::default();
            for term in &any.terms {
                either.add(of(term));
            }
            found = Some(found.map_or_else(|| either.clone(), |all| all.common(&either)));
        }
        for prefix in self.wanted.iter().filter_map(|any| any.prefix.as_ref()) {
            if found.as_ref().is_some_and(|all| all.count() < FEW) {
                continue;
            }
            let either = match read.get(&(segment.id, beginnings::term(prefix))) {
                Some(all) => all.clone(),
                None => self.beginning_with(conn, segment.id, prefix)?,
            };
            found = Some(match found {
                Some(all) => all.common(&either),
                None => either,
            });
        }
        let mut found = found.unwrap_or_default();
        for term in &self.unwanted {
            found.remove(of(term));
        }
        Ok(found.numbers().take_while(|n| (*n as usize) < segment.documents).collect())
    }

    /// Word by word: that many words begin so that the segment has a term for it is the exception.
    fn beginning_with(&self, conn: &mut Conn, segment: i64, prefix: &str) -> Result<Bits> {
        use search_words as w;
        let rows: Vec<Vec<u8>> = w::table
            .filter(
                w::segment.eq(segment).and(w::word.ge(prefix)).and(w::word.lt(format!("{prefix}\u{10FFFF}"))),
            )
            .select(w::postings)
            .load(conn)?;
        let mut bits = Bits::default();
        for part in &rows {
            self.gather(&mut bits, part);
        }
        Ok(bits)
    }
}

impl Stream {
    fn head(&mut self, conn: &mut Conn) -> Result<Option<Key>> {
        match self.likely.last().copied() {
            Some(number) => self.key(conn, number).map(Some),
            None => Ok(None),
        }
    }

    /// Which message a document is.
    fn key(&mut self, conn: &mut Conn, number: u32) -> Result<Key> {
        use search_documents as d;
        let (part, place) = (number as usize / DOCUMENTS, number as usize % DOCUMENTS);
        if self.list.0 != part {
            let stored: Vec<u8> = d::table
                .find((self.segment, i64::try_from(part).unwrap_or(i64::MAX)))
                .select(d::documents)
                .first(conn)
                .optional()?
                .unwrap_or_default();
            self.list = (part, read_documents(&stored));
        }
        let document = self.list.1.get(place);
        document.map(|document| document.key).ok_or_else(|| {
            crate::error::Error::internal(format!("segment {} of the search index is damaged", self.segment))
        })
    }

    /// Drops what isn't before `end`, by halving.
    fn cut(&mut self, conn: &mut Conn, end: Key) -> Result<()> {
        let (mut low, mut high) = (0, self.likely.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.key(conn, self.likely[middle])? < end { low = middle + 1 } else { high = middle }
        }
        self.likely.truncate(low);
        Ok(())
    }
}
