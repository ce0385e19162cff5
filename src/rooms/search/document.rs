//! What of a message is indexed: its title, its words, the names and descriptions of its files, its author and what it carries.

use super::postings::{Document, Key};
use super::words::{Atom, atoms, terms};
use crate::ids::UserId;
use crate::rooms::Message;
use std::collections::HashSet;

/// The term that every message has.
pub const EVERY: &str = "*";

/// What a message can carry besides words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Has {
    Link,
    Image,
    File,
    Code,
}

impl Has {
    /// The word behind `has:`; also in the plural.
    pub fn parse(word: &str) -> Option<Self> {
        match word.to_lowercase().trim_end_matches('s') {
            "link" => Some(Self::Link),
            "image" | "picture" => Some(Self::Image),
            "file" => Some(Self::File),
            "code" => Some(Self::Code),
            _ => None,
        }
    }

    /// The term under which it is indexed; no word has a colon in it.
    pub fn term(self) -> &'static str {
        match self {
            Self::Link => "has:link",
            Self::Image => "has:image",
            Self::File => "has:file",
            Self::Code => "has:code",
        }
    }
}

/// A message as the index takes it.
pub struct Indexed {
    pub document: Document,
    pub terms: HashSet<String>,
}

impl Indexed {
    pub fn new(message: &Message) -> Self {
        let mut all: HashSet<String> = terms(&words(message)).collect();
        all.extend([EVERY.to_owned(), author_term(message.user)]);
        all.extend(carried(message).into_iter().map(|has| has.term().to_owned()));
        let key = Key { at: message.at.max(0), room: message.room.0, seq: message.seq };
        Self { document: Document { key, rev: message.rev }, terms: all }
    }
}

/// The term of everything that somebody wrote; no word begins with its first character.
pub fn author_term(author: UserId) -> String {
    format!("@{author}")
}

/// All that can be searched for as words.
pub fn words(message: &Message) -> Vec<Atom> {
    let mut all = atoms(message.title.as_deref().unwrap_or_default());
    all.extend(atoms(&message.text));
    for file in files(message) {
        all.extend(atoms(&file.name));
        all.extend(atoms(&file.description));
    }
    all
}

/// What it carries besides words.
pub fn carried(message: &Message) -> Vec<Has> {
    let files = files(message);
    let mut all = Vec::new();
    if message.text.contains("http://") || message.text.contains("https://") {
        all.push(Has::Link);
    }
    if message.text.contains('`') {
        all.push(Has::Code);
    }
    if !files.is_empty() {
        all.push(Has::File);
    }
    if files.iter().any(|file| file.mime.starts_with("image/")) {
        all.push(Has::Image);
    }
    all
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct File {
    name: String,
    mime: String,
    description: String,
}

fn files(message: &Message) -> Vec<File> {
    let stored = message.attachments.as_ref();
    stored.and_then(|json| serde_json::from_str(&json.0).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::RoomId;
    use crate::rooms::message::Json;

    #[test]
    fn a_message_is_indexed_with_all_that_it_carries() {
        let message = Message {
            room: RoomId(4),
            seq: 2,
            rev: 9,
            user: UserId(7),
            at: 1000,
            title: Some("Lunch".into()),
            text: "see `x` at https://example.org".into(),
            attachments: Some(Json(
                r#"[{"id":1,"mime":"image/png","name":"menu_today.png","description":"soup"}]"#.into(),
            )),
            ..Message::default()
        };
        let indexed = Indexed::new(&message);
        assert_eq!(indexed.document, Document { key: Key { at: 1000, room: 4, seq: 2 }, rev: 9 });
        for term in [
            "*",
            "@7",
            "lunch",
            "x",
            "menu_today",
            "soup",
            "today",
            "has:link",
            "has:code",
            "has:image",
            "has:file",
        ] {
            assert!(indexed.terms.contains(term), "{term} is not in {:?}", indexed.terms);
        }
        assert!(
            carried(&Message { attachments: Some(Json("damaged".into())), ..Message::default() }).is_empty()
        );
    }
}
