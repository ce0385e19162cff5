//! What the page that a message leads to says of itself, shown under the message: the part of the message, and how it gets there.
//!
//! Its picture is an attachment of the message that the message's list doesn't name, so that it is seen by whom the message
//! is seen, and goes when it goes.

use super::attachment;
use super::change::{Done, Fact, Outcome};
use super::message::{self, Json, Message};
use super::post;
use super::upload::Prepared;
use crate::db::Conn;
use crate::db::schema::messages::attachments;
use crate::error::{Error, Result};
use crate::ids::{AttachmentId, HOUSE, RoomId, UserId};
use crate::text::first_link;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What stands in the place of a preview that somebody took off.
const OFF: &str = "false";
/// Pixels from which on a picture that is wider than high is shown over the whole width.
const WIDE: i32 = 320;

/// The preview as it stands in a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Preview {
    /// The link as it stands in the message.
    pub url: String,
    pub title: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What the whole site is called; its server's name when it doesn't say.
    pub site: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<Picture>,
}

/// A small copy of the page's picture, kept here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = PreviewPicture)]
pub struct Picture {
    /// A path of this server.
    pub url: String,
    pub width: i32,
    pub height: i32,
    /// What is to be seen, in the page's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

impl Preview {
    /// What a message's stored JSON says; nothing when it has none, or none any more.
    pub fn of(stored: Option<&Json>) -> Option<Self> {
        stored.and_then(|json| serde_json::from_str(&json.0).ok())
    }

    /// Its picture is shown over the whole width, not beside the words.
    pub fn is_wide(&self) -> bool {
        self.picture.as_ref().is_some_and(|p| p.width >= WIDE && p.width * 5 > p.height * 6)
    }
}

/// Whether clients learn of no preview.
#[allow(clippy::ref_option, reason = "serde hands over the field itself")]
pub(super) fn is_nothing(stored: &Option<Json>) -> bool {
    stored.as_ref().is_none_or(|json| json.0 == OFF)
}

/// A message that leads to a page and shows nothing of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linked {
    pub room: RoomId,
    pub seq: i64,
    pub author: UserId,
    pub link: String,
}

impl Linked {
    /// For a message that is stored now. What the house says itself was made here and leads back here.
    pub(super) fn of(message: &Message, link: Option<&String>) -> Option<Fact> {
        let link = link.filter(|_| message.preview.is_none() && message.user != HOUSE)?.clone();
        let (room, seq, author) = (message.room, message.seq, message.user);
        Some(Fact::Linked(Self { room, seq, author, link }))
    }
}

/// A preview on its way under the message that leads to its page.
pub struct Showing {
    pub room: RoomId,
    pub seq: i64,
    /// Without its picture's address, which comes with the picture.
    pub preview: Preview,
    pub picture: Option<Arc<Prepared>>,
}

/// Puts a preview under its message, if that is still there, leads to the same page and shows nothing yet.
pub(super) fn apply(conn: &mut Conn, showing: &Showing) -> Result<Done> {
    let nothing = Ok((Outcome::Stored, Vec::new()));
    let Some(room) = post::lock(conn, showing.room)? else { return nothing };
    let mut message = message::find(conn, room.id, showing.seq)?;
    let is_wanted = message.deleted_at.is_none()
        && message.preview.is_none()
        && link_of(&message).as_ref() == Some(&showing.preview.url);
    if !is_wanted {
        return nothing;
    }
    let mut preview = showing.preview.clone();
    preview.picture = match (&showing.picture, preview.picture) {
        (Some(prepared), Some(picture)) => Some(bring_picture(conn, &message, picture, prepared)?),
        _ => None,
    };
    message.preview = Some(Json(serde_json::to_string(&preview).map_err(Error::internal)?));
    message.rev = room.rev + 1;
    super::amend::store(conn, &message)?;
    Ok((Outcome::Stored, vec![Fact::Message(Arc::new(message))]))
}

fn bring_picture(
    conn: &mut Conn,
    message: &Message,
    picture: Picture,
    prepared: &Prepared,
) -> Result<Picture> {
    let name = format!("preview.{}", prepared.mime.trim_start_matches("image/"));
    let described = (name.as_str(), picture.description.as_str());
    let id = attachment::bring(conn, message.user, message.room, described, prepared)?;
    diesel::update(attachments::table.find(id)).set(attachments::seq.eq(message.seq)).execute(conn)?;
    Ok(Picture { url: format!("/attachments/{id}/{name}"), ..picture })
}

/// The page that a message leads to.
pub(super) fn link_of(message: &Message) -> Option<String> {
    first_link(&message.text, message.html.as_deref())
}

/// Takes the preview off, or has it sought again; says whether that changes anything.
pub(super) fn set(conn: &mut Conn, message: &mut Message, on: bool) -> Result<bool> {
    let is_off = message.preview.as_ref().is_some_and(|json| json.0 == OFF);
    // One that is on its way must not come either.
    if on != is_off || link_of(message).is_none() {
        return Ok(false);
    }
    forget(conn, message)?;
    message.preview = (!on).then(|| Json(OFF.to_owned()));
    Ok(true)
}

/// Removes what the message shows of a page, and the picture with it.
pub(super) fn forget(conn: &mut Conn, message: &mut Message) -> Result<()> {
    let Some(preview) = message.preview.take() else { return Ok(()) };
    if Preview::of(Some(&preview)).is_none_or(|preview| preview.picture.is_none()) {
        return Ok(());
    }
    let named: Vec<AttachmentId> = message.attached();
    let own = attachments::table
        .filter(attachments::room_id.eq(message.room).and(attachments::seq.eq(message.seq)))
        .filter(attachments::id.ne_all(named));
    let hashes: Vec<String> = own.clone().select(attachments::hash).load(conn)?;
    diesel::delete(own).execute(conn)?;
    attachment::remove_orphans(conn, hashes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_wide_when_it_is_large_and_lies() {
        let with = |width, height| {
            let picture = Some(Picture { width, height, ..Picture::default() });
            Preview { picture, ..Preview::default() }.is_wide()
        };
        assert!(with(640, 360) && with(320, 200));
        assert!(!with(640, 640) && !with(200, 100) && !with(320, 640));
        assert!(!Preview::default().is_wide());
    }

    #[test]
    fn what_was_taken_off_is_no_preview() {
        let off = Some(Json(OFF.to_owned()));
        assert!(is_nothing(&off) && is_nothing(&None) && Preview::of(off.as_ref()).is_none());
        assert!(!is_nothing(&Some(Json("{}".to_owned()))));
    }
}
