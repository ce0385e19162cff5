//! What somebody says, ready to be stored: the text, what it looks like, and whom it calls.

use super::typed::Text;
use super::{Rooms, room, talk};
use crate::accounts::Directory;
use crate::error::Result;
use crate::ids::{RoomId, UserId};
use crate::text::{self, Known};
use std::collections::{HashMap, HashSet};

/// What a text can mean. Looked up before the words are made, since the write door doesn't know the people.
#[derive(Clone, Debug, Default)]
pub struct Mentionable {
    /// By folded user name.
    pub people: HashMap<String, UserId>,
    /// Folded names.
    pub channels: HashSet<String>,
    /// The page of the recording that the room is about.
    pub recording: Option<String>,
}

impl Mentionable {
    /// Nobody and nothing.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Rooms {
    /// What a text for `room` can mean: the people and channels of `@name` and `#name`, as far as they exist, and in
    /// the talk about a recording that, for `1:23`.
    pub async fn mentionable(
        &self,
        directory: &Directory,
        room: Option<RoomId>,
        text: &str,
    ) -> Result<Mentionable> {
        let (people, channels) = (text::candidates(text), text::channel_candidates(text));
        let people = if people.is_empty() { HashMap::new() } else { directory.named(people).await? };
        let channels = if channels.is_empty() {
            HashSet::new()
        } else {
            self.db.read(move |conn| room::channels_named(conn, &channels)).await?
        };
        let recording = match room.filter(|_| text::has_moments(text)) {
            Some(id) => self.db.read(move |conn| talk::recording(conn, id)).await?,
            None => None,
        };
        Ok(Mentionable { people, channels, recording })
    }
}

/// Words of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    pub text: Text,
    /// Sanitised; `None` when the text is shown as it is.
    pub html: Option<String>,
    /// Whom it calls by name, each once.
    pub mentions: Vec<UserId>,
    /// It calls everybody in the room.
    pub to_all: bool,
    /// The word of the filter for which it is to be reported.
    pub flagged: Option<String>,
    /// The first page of another server that it leads to.
    pub link: Option<String>,
}

impl Words {
    /// Renders a text for a place with these people and channels.
    pub fn new(text: Text, known: &Mentionable) -> Self {
        let Mentionable { people, channels, recording } = known;
        let known = Known {
            is_person: &|name| people.contains_key(name),
            is_channel: &|name| channels.contains(name),
            recording: recording.as_deref(),
        };
        let rendered = text::render_for(text.as_str(), known);
        let mentions = rendered.mentions.iter().filter_map(|name| people.get(name).copied()).collect();
        let link = text::first_link(text.as_str(), rendered.html.as_deref());
        Self { html: rendered.html, mentions, to_all: rendered.to_all, flagged: None, link, text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_call_the_people_who_exist() -> Result<(), crate::error::FieldError> {
        let people = HashMap::from([("ann".into(), UserId(7)), ("bob".into(), UserId(9))]);
        let people = Mentionable { people, ..Mentionable::new() };
        let words = Words::new(Text::parse("@Ann and @ANN, not @eve; and @all")?, &people);
        assert_eq!((words.mentions, words.to_all), (vec![UserId(7)], true));
        Ok(())
    }
}
