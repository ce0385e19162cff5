//! The channels as pages: the list of all, and one channel with its newest messages.

use askama::Template;

use crate::site::page::{FieldErrors, Person, Shell, Stamp};

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
    pub edited: bool,
    pub deleted: bool,
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
    let mut before: Option<(i64, Stamp)> = None;
    let mut unread_found = false;
    for message in messages {
        let same = before.is_some_and(|(author, at)| {
            author == message.author.id && at.day() == message.at.day() && message.at.0 - at.0 < TOGETHER
        });
        message.new_day = before.is_none_or(|(_, at)| at.day() != message.at.day());
        if !unread_found && message.seq > read_seq && viewer.is_some_and(|id| id != message.author.id) {
            message.first_unread = read_seq > 0;
            unread_found = true;
        }
        message.follows = same && !message.first_unread && message.title.is_empty();
        before = Some((message.author.id, message.at));
    }
}

/// One channel in the list of all.
#[derive(Debug, Clone, Default)]
pub struct ChannelRow {
    pub id: i64,
    pub name: String,
    /// `/c/{name}`, percent-encoded.
    pub href: String,
    pub topic: String,
    pub members: i64,
    pub joined: bool,
}

/// The list of all channels, and the form to create one.
#[derive(Template)]
#[template(path = "chat/channels.html")]
pub struct ChannelsPage {
    pub shell: Shell,
    pub channels: Vec<ChannelRow>,
    /// The next page's address.
    pub next: Option<String>,
    /// Signed in, so that creating and joining are offered.
    pub may_create: bool,
    pub typed_name: String,
    pub typed_topic: String,
    /// Fields `name`, `topic`, and `""` for the form as a whole.
    pub errors: FieldErrors,
}

/// The channel that a page shows.
#[derive(Debug, Clone, Default)]
pub struct RoomView {
    pub id: i64,
    pub name: String,
    /// `/c/{name}`, percent-encoded; `…/join` and `…/leave` belong to it.
    pub href: String,
    pub topic: String,
    pub members: i64,
    /// The viewer is a member and may write.
    pub joined: bool,
    /// The room's `rev` in the snapshot that the messages were read in.
    pub rev: i64,
    pub last_seq: i64,
    pub read_seq: i64,
}

/// One channel.
#[derive(Template)]
#[template(path = "chat/channel.html")]
pub struct ChannelPage {
    pub shell: Shell,
    pub room: RoomView,
    /// Ascending by `seq`, put through [`arrange`].
    pub messages: Vec<MessageView>,
    /// Older messages than these exist.
    pub more: bool,
    /// Newer messages than these exist: this is not the end of the conversation.
    pub newer: bool,
    /// 16 to 64 random characters; a doubled submit stores once.
    pub nonce: String,
    pub typed_text: String,
    /// Field `text`, and `""` for the form as a whole.
    pub errors: FieldErrors,
}

impl ChannelPage {
    fn first_seq(&self) -> i64 {
        self.messages.first().map_or(0, |message| message.seq)
    }

    fn blank(&self) -> MessageView {
        MessageView::default()
    }
}

#[cfg(test)]
mod page_tests {
    use super::*;

    const HOSTILE: &str = "\"><script>alert('x')</script>";

    fn message(seq: i64, author: i64, at: i64) -> MessageView {
        MessageView {
            seq,
            rev: seq,
            author: Person::new(author, HOSTILE, author == 2),
            at: Stamp(at),
            text: HOSTILE.into(),
            ..MessageView::default()
        }
    }

    #[test]
    fn the_channel_page_escapes_everything() {
        let mut messages = vec![message(1, 1, 0), message(2, 2, 1000)];
        messages[1].title = HOSTILE.into();
        messages[1].edited = true;
        arrange(&mut messages, 1, Some(1));
        let page = ChannelPage {
            shell: Shell::new(HOSTILE, HOSTILE),
            room: RoomView {
                id: 5,
                name: HOSTILE.into(),
                href: "/c/%22".into(),
                topic: HOSTILE.into(),
                members: 2,
                joined: true,
                rev: 2,
                last_seq: 2,
                read_seq: 1,
            },
            messages,
            more: true,
            newer: true,
            nonce: HOSTILE.into(),
            typed_text: HOSTILE.into(),
            errors: FieldErrors::one("text", HOSTILE),
        };
        let html = page.render().unwrap();
        assert!(!html.contains("<script>alert"), "{html}");
        assert!(html.contains("id=\"m-2\"") && html.contains("data-read-seq=\"1\""), "{html}");
    }

    #[test]
    fn the_list_escapes_names_and_topics() {
        let page = ChannelsPage {
            shell: Shell::new("Channels", "/channels"),
            channels: vec![ChannelRow {
                name: HOSTILE.into(),
                topic: HOSTILE.into(),
                ..ChannelRow::default()
            }],
            next: Some(HOSTILE.into()),
            may_create: true,
            typed_name: HOSTILE.into(),
            typed_topic: HOSTILE.into(),
            errors: FieldErrors::one("name", HOSTILE),
        };
        assert!(!page.render().unwrap().contains("<script>alert"));
    }

    #[test]
    fn messages_of_one_author_stand_together_for_five_minutes() {
        let mut messages =
            vec![message(1, 1, 0), message(2, 1, 1000), message(3, 1, 400_000), message(4, 2, 400_001)];
        arrange(&mut messages, 0, Some(1));
        let follows: Vec<bool> = messages.iter().map(|message| message.follows).collect();
        assert_eq!(follows, [false, true, false, false]);
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
