//! A timeline's messages as they are shown: who stands under whose name, where days begin and unread ones start.

use crate::rooms::{Attachment, Message, Preview, Quote, Reaction};
use crate::site::page::{Person, Stamp};

/// Messages of one author within this many milliseconds stand together under one name.
const TOGETHER: i64 = 5 * 60 * 1000;

/// One message in a timeline; empty, it is the `<template>` that live messages are made from.
#[derive(Debug, Clone, Default)]
pub struct MessageView {
    pub seq: i64,
    pub rev: i64,
    pub author: Person,
    pub at: Stamp,
    /// Empty when the message has none.
    pub title: String,
    pub text: String,
    /// The text as sanitised HTML, when Markdown changed something.
    pub html: Option<String>,
    pub attachments: Vec<Attachment>,
    /// What the page that it leads to says of itself.
    pub preview: Option<Preview>,
    pub edited: bool,
    pub deleted: bool,
    pub pinned: bool,
    /// What it replies to.
    pub reply: Option<Quote>,
    pub reactions: Vec<Reaction>,
    /// Stands under the message before without repeating the name; set by [`arrange`].
    pub follows: bool,
    /// A new day begins here; set by [`arrange`].
    pub new_day: bool,
    /// The first one that the person hasn't read; set by [`arrange`].
    pub first_unread: bool,
    /// The one that a permalink leads to.
    pub focus: bool,
}

/// Groups messages by author, and marks where days begin and where unread ones start.
/// `messages` ascend by `seq`; `viewer` never has their own messages unread.
pub fn arrange(messages: &mut [MessageView], read_seq: i64, viewer: Option<i64>) {
    // Under another name, or as a guest no more, somebody is introduced again.
    let mut before: Option<(Person, Stamp)> = None;
    let mut unread_found = false;
    for message in messages {
        let same = before.as_ref().is_some_and(|(author, at)| {
            *author == message.author && at.day() == message.at.day() && message.at.0 - at.0 < TOGETHER
        });
        message.new_day = before.as_ref().is_none_or(|(_, at)| at.day() != message.at.day());
        if !unread_found && message.seq > read_seq && viewer.is_some_and(|id| id != message.author.id) {
            message.first_unread = read_seq > 0;
            unread_found = true;
        }
        message.follows = same && !message.first_unread && message.title.is_empty();
        before = Some((message.author.clone(), message.at));
    }
}

impl From<Message> for MessageView {
    fn from(message: Message) -> Self {
        Self {
            edited: message.edited_at.is_some(),
            deleted: message.deleted_at.is_some(),
            pinned: message.pinned,
            // Whoever has the message it replies to fills in the words.
            reply: message.reply_to.map(|seq| Quote { seq, ..Quote::default() }),
            reactions: message.reactions(),
            html: message.html,
            seq: message.seq,
            rev: message.rev,
            author: Person::new(message.user.0, message.name, message.guest),
            at: Stamp(message.at),
            title: message.title.unwrap_or_default(),
            text: message.text,
            attachments: Attachment::list(message.attachments.as_ref()),
            preview: Preview::of(message.preview.as_ref()),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(seq: i64, author: i64, at: i64) -> MessageView {
        MessageView {
            seq,
            rev: seq,
            author: Person::new(author, "Ann", false),
            at: Stamp(at),
            text: "hello".into(),
            ..MessageView::default()
        }
    }

    #[test]
    fn messages_of_one_author_stand_together_for_five_minutes() {
        let mut messages =
            vec![message(1, 1, 0), message(2, 1, 1000), message(3, 1, 400_000), message(4, 2, 400_001)];
        arrange(&mut messages, 0, Some(1));
        messages.push(MessageView { author: Person::new(2, "Ann", true), ..message(5, 2, 400_002) });
        arrange(&mut messages, 0, Some(1));
        let follows: Vec<bool> = messages.iter().map(|message| message.follows).collect();
        assert_eq!(
            follows,
            [false, true, false, false, false],
            "a guest who becomes an account is introduced"
        );
        assert!(messages[0].new_day && !messages[1].new_day);
    }

    #[test]
    fn unread_starts_at_the_first_message_of_somebody_else() {
        let mut messages = vec![message(1, 2, 0), message(2, 1, 1), message(3, 2, 2), message(4, 2, 3)];
        arrange(&mut messages, 1, Some(1));
        let marked: Vec<i64> = messages.iter().filter(|m| m.first_unread).map(|m| m.seq).collect();
        assert_eq!(marked, [3]);
    }
}
