//! What somebody typed into the search box, understood: words, phrases, what must not be there, and where to look.

use super::document::Has;
use super::moment::moment;
use super::words::{Atom, atoms, pair};
use crate::error::{Error, Result};
use std::ops::Range;

/// Characters of a query.
pub const QUERY_MAX: usize = 400;
/// A last word shorter than this stands for itself alone: one letter begins far too many words.
const PREFIX_MIN: usize = 2;

/// A word or a phrase.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clause {
    pub atoms: Vec<Atom>,
    /// The last word is only the beginning of one.
    pub prefix: bool,
    /// It must not be there.
    pub without: bool,
}

/// A person or a room, as they were typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub name: String,
    pub without: bool,
}

/// A search as it was typed; names are not yet looked up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    pub clauses: Vec<Clause>,
    pub from: Vec<Named>,
    pub rooms: Vec<Named>,
    pub has: Vec<(Has, bool)>,
    /// From this moment on, ms.
    pub since: Option<i64>,
    /// Up to this moment, ms.
    pub until: Option<i64>,
}

impl Query {
    /// # Errors
    /// A sentence for the field `q`.
    pub fn parse(typed: &str) -> Result<Self> {
        if typed.chars().count() > QUERY_MAX {
            return Err(Error::field("q", "A search has at most 400 characters."));
        }
        let mut query = Self::default();
        let mut rest = typed.trim_start();
        // The last word is still being typed, unless a space ends it; filters may stand behind it.
        let mut typing = None;
        while !rest.is_empty() {
            let (piece, behind) = Piece::take(rest);
            let before = query.clauses.len();
            query.add(&piece)?;
            if query.clauses.len() > before {
                let ended = piece.quoted || piece.without || (!behind.is_empty() && behind.trim().is_empty());
                typing = (!ended).then_some(before);
            }
            rest = behind.trim_start();
        }
        if let Some(clause) = typing.and_then(|last| query.clauses.get_mut(last)) {
            clause.prefix = clause.may_be_a_beginning();
        }
        Ok(query)
    }

    /// The filters in what was typed: each as it stands there, and what stays without it.
    pub fn filters(typed: &str) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut rest = typed.trim_start();
        while !rest.is_empty() {
            let start = typed.len() - rest.len();
            let (piece, behind) = Piece::take(rest);
            let end = typed.len() - behind.len();
            if piece.key.is_some() && !piece.value.is_empty() {
                let left = format!("{} {}", typed[..start].trim_end(), behind.trim_start());
                found.push((typed[start..end].to_owned(), left.trim().to_owned()));
            }
            rest = behind.trim_start();
        }
        found
    }

    /// Nothing to look for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn add(&mut self, piece: &Piece) -> Result<()> {
        let (name, without) = (piece.value.to_owned(), piece.without);
        match piece.key {
            // While it is being typed there is nothing behind the colon yet.
            Some(_) if name.is_empty() => {}
            Some(Key::From) => self.from.push(Named { name: unmarked(&name), without }),
            Some(Key::In) => self.rooms.push(Named { name: unmarked(&name), without }),
            Some(Key::Has) => self.has.push((has(&name)?, without)),
            Some(Key::Since) => self.since = Some(moment("since", &name)?),
            Some(Key::Until) => self.until = Some(moment("until", &name)?),
            None => self.add_words(piece),
        }
        Ok(())
    }

    fn add_words(&mut self, piece: &Piece) {
        let starred = piece.value.strip_suffix('*').filter(|_| !piece.quoted);
        let atoms = atoms(starred.unwrap_or(piece.value));
        if atoms.is_empty() {
            return;
        }
        let mut clause = Clause { atoms, prefix: false, without: piece.without };
        clause.prefix = starred.is_some() && clause.may_be_a_beginning();
        self.clauses.push(clause);
    }

    /// Where in `text` the words stand that were searched for, as bytes, ascending and apart from each other.
    pub fn marks(&self, text: &str) -> Vec<Range<usize>> {
        let found = atoms(text);
        let wanted = self.clauses.iter().filter(|clause| !clause.without);
        let mut marks: Vec<Range<usize>> = wanted.flat_map(|clause| clause.places(&found)).collect();
        marks.sort_unstable_by_key(|mark| (mark.start, mark.end));
        marks.dedup_by(|next, before| {
            let touches = next.start <= before.end;
            if touches {
                before.end = before.end.max(next.end);
            }
            touches
        });
        marks
    }
}

impl Clause {
    fn may_be_a_beginning(&self) -> bool {
        self.atoms.last().is_some_and(|last| !last.gram && last.word.chars().count() >= PREFIX_MIN)
    }

    /// Whether it stands in a text with these atoms.
    pub fn stands_in(&self, found: &[Atom]) -> bool {
        self.begins(found).next().is_some()
    }

    fn begins<'a>(&'a self, found: &'a [Atom]) -> impl Iterator<Item = usize> + 'a {
        let many = self.atoms.len();
        (0..(found.len() + 1).saturating_sub(many)).filter(move |at| {
            let here = &found[*at..*at + many];
            here.iter().zip(&self.atoms).enumerate().all(|(n, (is, wanted))| {
                is.gram == wanted.gram
                    && (is.glued || !wanted.glued)
                    && (is.word == wanted.word
                        || is.parts.contains(&wanted.word)
                        || (self.prefix && n + 1 == many && begins_with(is, &wanted.word)))
            })
        })
    }

    fn places<'a>(&'a self, found: &'a [Atom]) -> impl Iterator<Item = Range<usize>> + 'a {
        let many = self.atoms.len();
        self.begins(found).map(move |at| found[at].at.start..found[at + many - 1].at.end)
    }

    /// The terms that a message with this clause is indexed under, and the beginning of one more.
    pub fn terms(&self) -> (Vec<String>, Option<String>) {
        let (mut whole, mut beginning) = (Vec::new(), None);
        for (n, atom) in self.atoms.iter().enumerate() {
            let last = n + 1 == self.atoms.len();
            if atom.gram {
                // A pair says more than its characters, and is rarer.
                match n.checked_sub(1).map(|before| &self.atoms[before]) {
                    Some(before) if atom.glued => whole.push(pair(before, atom)),
                    _ if self.atoms.get(n + 1).is_some_and(|next| next.glued) => {}
                    _ => whole.push(atom.word.clone()),
                }
            } else if last && self.prefix {
                beginning = Some(atom.word.clone());
            } else {
                whole.push(atom.word.clone());
            }
        }
        (whole, beginning)
    }
}

fn begins_with(atom: &Atom, wanted: &str) -> bool {
    atom.word.starts_with(wanted) || atom.parts.iter().any(|part| part.starts_with(wanted))
}

#[derive(Clone, Copy)]
enum Key {
    From,
    In,
    Has,
    Since,
    Until,
}

const KEYS: [(&str, Key); 5] =
    [("from", Key::From), ("in", Key::In), ("has", Key::Has), ("since", Key::Since), ("until", Key::Until)];

/// What stands between two spaces, quotes taken together.
struct Piece<'a> {
    without: bool,
    key: Option<Key>,
    quoted: bool,
    value: &'a str,
}

impl<'a> Piece<'a> {
    /// The first piece of `text`, and what stands behind it.
    fn take(text: &'a str) -> (Self, &'a str) {
        let bare =
            text.strip_prefix('-').filter(|rest| rest.starts_with(|c: char| !c.is_whitespace() && c != '-'));
        let without = bare.is_some();
        let mut rest = bare.unwrap_or(text);
        let mut key = None;
        for (name, kind) in KEYS {
            let behind = rest.get(..name.len()).filter(|head| head.eq_ignore_ascii_case(name));
            let behind = behind.and_then(|_| rest[name.len()..].strip_prefix([':', '：']));
            if let Some(behind) = behind {
                (key, rest) = (Some(kind), behind);
                break;
            }
        }
        if let Some(inside) = rest.strip_prefix(is_quote) {
            // A quote that is never closed reaches to the end: it is still being typed.
            let end = inside.find(is_quote).unwrap_or(inside.len());
            let behind = inside[end..].chars().next().map_or("", |quote| &inside[end + quote.len_utf8()..]);
            return (Self { without, key, quoted: true, value: &inside[..end] }, behind);
        }
        let end = rest.find(|c: char| c.is_whitespace() || is_quote(c)).unwrap_or(rest.len());
        (Self { without, key, quoted: false, value: &rest[..end] }, &rest[end..])
    }
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\u{201C}' | '\u{201D}' | '\u{201E}' | '\u{FF02}')
}

/// `@ann` and `#general` are how people write names.
fn unmarked(name: &str) -> String {
    name.trim().trim_start_matches('#').to_owned()
}

fn has(word: &str) -> Result<Has> {
    Has::parse(word).ok_or_else(|| {
        Error::field("q", format!("Behind “has:” stands link, image, file or code, not “{word}”."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn query(typed: &str) -> Query {
        Query::parse(typed).unwrap_or_default()
    }

    fn found(typed: &str, text: &str) -> bool {
        let atoms = atoms(text);
        let query = query(typed);
        assert!(!query.clauses.is_empty(), "{typed}");
        query.clauses.iter().all(|clause| clause.stands_in(&atoms) != clause.without)
    }

    #[test]
    fn words_phrases_and_beginnings_are_found() {
        for (typed, text) in [
            ("hello", "Hello, world"),
            ("hel", "hello"),
            ("hel from:ann has:link", "hello"),
            ("hel* wor*", "hello world"),
            ("\"hello world\"", "Hello, WORLD!"),
            ("world -moon", "hello world"),
            ("天氣", "今天天氣很好"),
            ("天氣很好", "今天天氣很好"),
            ("\"天氣\" good", "天氣 is good"),
            ("std::io", "use std::io::Error;"),
            ("file", "let x = read_file(path);"),
            ("read_fi", "read_file"),
            ("café", "CAFE"),
            ("мир", "Миру — мир"),
            ("don’t", "I don't"),
            ("c++", "I like C++."),
            ("\"he said “yes", "he said yes"),
        ] {
            assert!(found(typed, text), "{typed:?} in {text:?}");
        }
        for (typed, text) in [
            ("\"hel\"", "hello"),
            ("hel ", "hello"),
            ("hel hello", "hello"),
            ("\"world hello\"", "hello world"),
            ("world -hello", "hello world"),
            ("天好", "天氣很好"),
            ("天氣", "天 氣"),
            ("std::io", "io and std"),
            ("h", "hello"),
        ] {
            assert!(!found(typed, text), "{typed:?} in {text:?}");
        }
    }

    #[test]
    fn filters_are_told_from_words() {
        let all = query(
            "from:@Ann in:#general -in:\"Room 12\" has:links since:2026-03 until:2026-03-31 http://x -- from:",
        );
        assert_eq!(all.from, [Named { name: "@Ann".into(), without: false }]);
        assert_eq!(
            all.rooms,
            [
                Named { name: "general".into(), without: false },
                Named { name: "Room 12".into(), without: true }
            ]
        );
        assert_eq!(all.has, [(Has::Link, false)]);
        assert_eq!((all.since, all.until), (Some(1_772_323_200_000), Some(1_775_001_599_999)));
        assert_eq!(all.clauses.len(), 1);
        assert!(query("").is_empty() && query(" from: -- \" ").is_empty());
    }

    #[test]
    fn a_filter_can_be_taken_out_of_what_was_typed() {
        let filters = Query::filters("lunch from:ann -in:\"Room 12\" today has:");
        let wanted = [
            ("from:ann", "lunch -in:\"Room 12\" today has:"),
            ("-in:\"Room 12\"", "lunch from:ann today has:"),
        ];
        assert_eq!(filters, wanted.map(|(filter, rest)| (filter.to_owned(), rest.to_owned())));
    }

    #[test]
    fn what_cannot_be_meant_gets_a_sentence() {
        for typed in
            ["has:luck", "since:soon", "until:2026-13", "since:2026-02-30", "since:1-2-3-4", &"x".repeat(401)]
        {
            assert!(matches!(Query::parse(typed), Err(Error::Invalid(_))), "{typed}");
        }
        assert_eq!(query("since:1772323200000").since, Some(1_772_323_200_000));
    }

    #[test]
    fn marks_cover_what_was_searched_for() {
        let text = "今天天氣很好, hello Hello_World";
        let marked: Vec<&str> = query("天氣 hel").marks(text).into_iter().map(|mark| &text[mark]).collect();
        assert_eq!(marked, ["天氣", "hello", "Hello_World"]);
    }

    proptest! {
        #[test]
        fn no_query_breaks_anything(typed in any::<String>(), text in any::<String>()) {
            if let Ok(query) = Query::parse(&typed) {
                let mut end = 0;
                for mark in query.marks(&text) {
                    prop_assert!(mark.start >= end && text.get(mark.clone()).is_some());
                    end = mark.end;
                }
            }
        }

        #[test]
        fn every_quoted_piece_of_a_text_finds_it(words in prop::collection::vec("[a-zA-Z0-9а-я\u{4E00}-\u{4E20}_]{1,8}", 1..9), from in 0usize..8, many in 1usize..8) {
            let text = words.join(" ");
            let from = from.min(words.len() - 1);
            let piece = words[from..(from + many).min(words.len())].join(" ");
            let query = query(&format!("\"{piece}\""));
            let atoms = atoms(&text);
            prop_assert!(query.clauses.iter().all(|clause| clause.stands_in(&atoms)), "{} in {}", piece, text);
            let terms: std::collections::HashSet<String> = super::super::words::terms(&atoms).collect();
            for clause in &query.clauses {
                prop_assert!(clause.terms().0.iter().all(|term| terms.contains(term)));
            }
        }
    }
}
