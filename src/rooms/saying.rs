//! What a thing says by itself in the talk about it: an alarm of a stream. The talk is made if nobody has begun it.

use super::amend;
use super::attachment;
use super::author::Author;
use super::change::{Done, Fact, Outcome};
use super::post::{self, Post, Posted, Stored};
use super::room::nowhere;
use super::talk::{self, About};
use super::typed::Nonce;
use super::upload::Prepared;
use super::words::Words;
use crate::db::{Conn, Run};
use crate::error::{Error, Result};
use crate::ids::HOUSE;
use std::sync::Arc;

/// Words under a number of their own. Said again they take the place of what was said under it before.
#[derive(Clone)]
pub struct Saying {
    pub about: About,
    /// What the thing is called now.
    pub name: String,
    pub nonce: Nonce,
    pub words: Words,
    /// Shown with the words when they are said first.
    pub picture: Option<Arc<Shown>>,
}

/// A picture with its file's name, and what is to be seen.
pub struct Shown {
    pub name: String,
    pub description: String,
    pub picture: Prepared,
}

pub(super) fn apply(conn: &mut Conn, saying: &Saying) -> Result<Done> {
    if let Some(first) = post::earlier(conn, HOUSE, saying.nonce.as_str())? {
        let posted = Posted { seq: first.seq, rev: first.first_rev, at: first.at };
        let changed = amend::reword(conn, &first, &saying.words)?;
        let facts = changed.map(|message| Fact::Message(Arc::new(message)));
        return Ok((Outcome::Posted(posted), facts.into_iter().collect()));
    }
    if !talk::is_open(conn, HOUSE, Some(saying.about))? {
        return Err(nowhere());
    }
    let (room, mut facts) = talk::have(conn, saying.about, &saying.name)?;
    let attachments = match &saying.picture {
        Some(shown) => {
            vec![attachment::bring(conn, HOUSE, room.id, (&shown.name, &shown.description), &shown.picture)?]
        }
        None => Vec::new(),
    };
    let post = Post {
        room: room.id,
        author: Author { id: HOUSE, name: saying.name.clone(), ..Author::default() },
        nonce: saying.nonce.clone(),
        title: None,
        words: saying.words.clone(),
        reply_to: None,
        attachments,
    };
    match post::apply(conn, &[&post], Run::Again)?.pop() {
        Some(Stored::New(message)) => {
            let posted = Posted { seq: message.seq, rev: message.rev, at: message.at };
            facts.push(Fact::Message(Arc::from(message)));
            Ok((Outcome::Posted(posted), facts))
        }
        Some(Stored::Again(posted)) => Ok((Outcome::Posted(posted), facts)),
        Some(Stored::Refused(error)) => Err(error),
        None => Err(Error::internal("a post without an outcome")),
    }
}
