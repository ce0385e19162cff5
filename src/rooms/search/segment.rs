//! A segment of the search index: up to some ten thousand messages with the words in them. Written once; several
//! small ones are merged into a larger one.

use super::beginnings;
use super::document::Indexed;
use super::postings::{DOCUMENTS, Document, Key, read_postings, write_documents, write_postings};
use std::collections::{BTreeMap, HashMap};

/// Messages of the largest segments. Larger ones would take long to merge, smaller ones be many to look into.
pub const LARGEST: usize = 65_536;
/// From how many messages on a segment belongs to the next tier; those of the last are not merged any more.
const TIERS: [i64; 3] = [512, 4096, 32_768];
/// Segments of one tier that are merged into one.
const FANOUT: usize = 8;

/// A segment that is being put together.
#[derive(Default)]
pub struct Builder {
    documents: Vec<Document>,
    words: HashMap<String, Vec<u32>>,
}

/// A word with where it stands: `(room, document)` ascending, and the same as it is stored.
pub struct Placed {
    pub word: String,
    pub places: Vec<(i64, u32)>,
    pub parts: Vec<Vec<u8>>,
}

impl Placed {
    pub fn new(word: String, mut places: Vec<(i64, u32)>) -> Self {
        places.sort_unstable();
        places.dedup();
        let parts = write_postings(&places);
        Self { word, places, parts }
    }
}

/// A segment as it is stored.
#[derive(Debug, Default)]
pub struct Segment {
    pub documents: i64,
    pub oldest: i64,
    pub newest: i64,
    /// Each part of the list of documents.
    pub lists: Vec<Vec<u8>>,
    /// A word or a beginning of many, and its parts; ascending.
    pub words: Vec<(String, Vec<Vec<u8>>)>,
}

impl Builder {
    pub fn len(&self) -> usize {
        self.documents.len()
    }

    /// Adds a message in any order of time.
    pub fn add(&mut self, message: Indexed) {
        let number = u32::try_from(self.documents.len()).unwrap_or(u32::MAX);
        self.documents.push(message.document);
        for term in message.terms {
            self.words.entry(term).or_default().push(number);
        }
    }

    /// Brings the messages into the order of time.
    pub fn finish(self) -> Segment {
        let mut order: Vec<usize> = (0..self.documents.len()).collect();
        order.sort_unstable_by_key(|n| self.documents[*n]);
        let documents: Vec<Document> = order.iter().map(|n| self.documents[*n]).collect();
        let mut number = vec![0; order.len()];
        for (new, old) in (0..).zip(&order) {
            number[*old] = new;
        }
        let sorted: BTreeMap<String, Vec<u32>> = self.words.into_iter().collect();
        let words = sorted.into_iter().map(|(word, places)| {
            let places = places.into_iter();
            let places = places.map(|old| (self.documents[old as usize].key.room, number[old as usize]));
            Placed::new(word, places.collect())
        });
        Segment::new(&documents, words.collect())
    }
}

impl Segment {
    /// `documents` and `words` ascend.
    fn new(documents: &[Document], words: Vec<Placed>) -> Self {
        let shared = beginnings::shared(&words).into_iter().map(|(beginning, found)| {
            let places = found.numbers().map(|n| (documents[n as usize].key.room, n));
            Placed::new(beginnings::term(beginning), places.collect())
        });
        let shared: Vec<Placed> = shared.collect();
        let all = words.into_iter().chain(shared);
        let mut words: Vec<(String, Vec<Vec<u8>>)> = all.map(|placed| (placed.word, placed.parts)).collect();
        words.sort_unstable();
        Self {
            documents: i64::try_from(documents.len()).unwrap_or(i64::MAX),
            oldest: documents.first().map_or(0, |document| document.key.at),
            newest: documents.last().map_or(0, |document| document.key.at),
            lists: documents.chunks(DOCUMENTS).map(write_documents).collect(),
            words,
        }
    }
}

/// A stored segment, read whole.
pub struct Source {
    pub documents: Vec<Document>,
    /// Words with their parts, in any order.
    pub words: Vec<(String, Vec<u8>)>,
}

/// Puts segments together. Of a message that is in several of them, the newest `rev` is kept; of a room that isn't
/// `alive` any more, nothing.
pub fn merge(sources: Vec<Source>, alive: impl Fn(i64) -> bool) -> Segment {
    let mut newest: HashMap<Key, i64> = HashMap::new();
    for document in sources.iter().flat_map(|source| &source.documents) {
        let rev = newest.entry(document.key).or_insert(document.rev);
        *rev = (*rev).max(document.rev);
    }
    newest.retain(|key, _| alive(key.room));
    let mut documents: Vec<Document> =
        newest.iter().map(|(key, rev)| Document { key: *key, rev: *rev }).collect();
    documents.sort_unstable();
    let numbers: HashMap<Document, u32> = documents.iter().copied().zip(0..).collect();
    let mut words: BTreeMap<String, Vec<(i64, u32)>> = BTreeMap::new();
    for source in sources {
        let moved: Vec<Option<u32>> =
            source.documents.iter().map(|document| numbers.get(document).copied()).collect();
        // Which beginnings many words share is seen anew.
        for (word, part) in source.words.into_iter().filter(|(word, _)| !beginnings::is_beginning(word)) {
            let places = words.entry(word).or_default();
            // A part that can't be read was written by nobody here; what came before it is kept.
            let _ = read_postings(
                &part,
                |_| true,
                |room, old| {
                    places.extend(moved.get(old as usize).copied().flatten().map(|new| (room, new)));
                },
            );
        }
    }
    let words = words.into_iter().filter(|(_, places)| !places.is_empty());
    let words = words.map(|(word, places)| Placed::new(word, places));
    Segment::new(&documents, words.collect())
}

/// Which of the segments `(id, documents)`, ascending by id, should be merged next; none when they are few.
pub fn due(segments: &[(i64, i64)]) -> Vec<i64> {
    for tier in 0..TIERS.len() {
        let floor = if tier == 0 { 0 } else { TIERS[tier - 1] };
        let mut room = i64::try_from(LARGEST).unwrap_or(i64::MAX);
        let of_tier: Vec<_> =
            segments.iter().filter(|(_, documents)| (floor..TIERS[tier]).contains(documents)).collect();
        if of_tier.len() >= FANOUT {
            let fit = of_tier.into_iter().take_while(|(_, documents)| {
                room -= documents;
                room >= 0
            });
            return fit.map(|(id, _)| *id).collect();
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rooms::search::postings::read_documents;
    use std::collections::BTreeSet;

    fn indexed(at: i64, room: i64, seq: i64, rev: i64, terms: &[&str]) -> Indexed {
        Indexed {
            document: Document { key: Key { at, room, seq }, rev },
            terms: terms.iter().map(|&term| term.to_owned()).collect(),
        }
    }

    fn documents(segment: &Segment) -> Vec<Document> {
        segment.lists.iter().flat_map(|part| read_documents(part)).collect()
    }

    /// Word → messages.
    fn read(segment: &Segment) -> BTreeMap<String, BTreeSet<(i64, i64)>> {
        let documents = documents(segment);
        let mut found: BTreeMap<String, BTreeSet<(i64, i64)>> = BTreeMap::new();
        for (word, parts) in &segment.words {
            for part in parts {
                let places = found.entry(word.clone()).or_default();
                read_postings(
                    part,
                    |_| true,
                    |room, n| {
                        assert_eq!(documents[n as usize].key.room, room);
                        places.insert((room, documents[n as usize].key.seq));
                    },
                );
            }
        }
        found
    }

    fn source(segment: &Segment) -> Source {
        let words = segment.words.iter().flat_map(|(word, parts)| {
            parts.iter().map(|part| (word.clone(), part.clone())).collect::<Vec<_>>()
        });
        Source { documents: documents(segment), words: words.collect() }
    }

    fn built(messages: Vec<Indexed>) -> Segment {
        let mut builder = Builder::default();
        for message in messages {
            builder.add(message);
        }
        builder.finish()
    }

    #[test]
    fn a_segment_is_in_the_order_of_time_whatever_came_first() {
        let segment = built(vec![
            indexed(30, 1, 2, 2, &["a", "b"]),
            indexed(10, 2, 1, 1, &["a"]),
            indexed(20, 1, 1, 1, &["b"]),
        ]);
        assert_eq!((segment.documents, segment.oldest, segment.newest), (3, 10, 30));
        assert_eq!(documents(&segment).iter().map(|d| d.key.at).collect::<Vec<_>>(), [10, 20, 30]);
        let found = read(&segment);
        assert_eq!(found["a"], [(1, 2), (2, 1)].into());
        assert_eq!(found["b"], [(1, 1), (1, 2)].into());
    }

    #[test]
    fn merging_keeps_the_newest_state_and_drops_dead_rooms() {
        let old = built(vec![
            indexed(10, 1, 1, 1, &["before"]),
            indexed(11, 1, 2, 2, &["same"]),
            indexed(12, 9, 1, 1, &["dead"]),
        ]);
        let new = built(vec![indexed(10, 1, 1, 5, &["after"]), indexed(20, 2, 1, 1, &["same"])]);
        for order in [[&old, &new], [&new, &old]] {
            let merged = merge(order.map(source).into(), |room| room != 9);
            let found = read(&merged);
            assert_eq!(merged.documents, 3);
            assert_eq!(found.keys().collect::<Vec<_>>(), ["after", "same"]);
            assert_eq!(found["same"], [(1, 2), (2, 1)].into());
        }
    }

    #[test]
    fn a_beginning_of_many_words_has_a_term_that_merging_makes_anew() {
        let many = |from: i64, to: i64| {
            let messages = (from..to).map(|n| indexed(n, n % 3 + 1, n, n, &[&format!("nu{n:04}"), "other"]));
            built(messages.collect())
        };
        let halves = [many(0, 200), many(200, 400)];
        for half in &halves {
            assert!(!read(half).contains_key("^nu"), "two hundred words are read one by one");
        }
        let merged = merge(halves.each_ref().map(source).into(), |room| room != 2);
        let found = read(&merged);
        let wanted: BTreeSet<(i64, i64)> =
            (0..400).map(|n| (n % 3 + 1, n)).filter(|(room, _)| *room != 2).collect();
        assert_eq!(found["^nu"], wanted);
        assert_eq!(found["^nu0"], wanted);
        assert!(!found.contains_key("^nu00") && !found.contains_key("^ot"));
        let again = merge(vec![source(&merged)], |room| room == 1);
        assert!(!read(&again).keys().any(|word| word.starts_with('^')), "few are left");
    }

    #[test]
    fn segments_of_one_size_are_merged_and_the_largest_left_alone() {
        let small = |many: i64| (1..=many).map(|id| (id, 100)).collect::<Vec<_>>();
        assert!(due(&small(7)).is_empty());
        assert_eq!(due(&small(8)), (1..=8).collect::<Vec<_>>());
        assert!(due(&(1..=50).map(|id| (id, 40_000)).collect::<Vec<_>>()).is_empty());
        assert_eq!(due(&(1..=8).map(|id| (id, 20_000)).collect::<Vec<_>>()), [1, 2, 3]);
    }
}
