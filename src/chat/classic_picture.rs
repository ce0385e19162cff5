//! Pictures of `/ws/classic`, whose old clients write what is in them into the frame, and read it from there.

use super::Chat;
use super::classic_protocol::{FRAME_BYTES, Send};
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::picture::Kind;
use crate::rooms::{Attachment, attachment};
use data_encoding::{BASE64, BASE64_NOPAD};
use std::borrow::Cow;

/// Bytes of a picture in a frame to a client, in base64: as much as a client may send, and space for the rest.
const INSIDE: usize = FRAME_BYTES - 64 * 1024;

/// A `Send`, and the picture whose address its `Content` is.
pub struct Part {
    pub send: Send,
    pub picture: Option<Attachment>,
}

/// The picture in `Content`: base64, or a data URL of that.
///
/// # Errors
/// `Invalid` for what is neither, or no picture.
pub fn read(content: &str) -> Result<Vec<u8>> {
    let wrong = || Error::field("Content", "The picture can't be read: write it as base64 or as a data URL.");
    let content = content.trim();
    let is_url = content.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"));
    let written = if is_url {
        let (about, written) = content.split_once(',').ok_or_else(wrong)?;
        if !about.to_ascii_lowercase().ends_with(";base64") {
            return Err(wrong());
        }
        written
    } else {
        content
    };
    // Some encoders break lines.
    let written = if written.contains(char::is_whitespace) {
        Cow::Owned(written.split_whitespace().collect())
    } else {
        Cow::Borrowed(written)
    };
    let bytes = BASE64_NOPAD.decode(written.trim_end_matches('=').as_bytes()).map_err(|_| wrong())?;
    if Kind::of(&bytes).is_none() {
        return Err(Error::field("Content", "Only JPEG, PNG, GIF and WebP are taken as pictures."));
    }
    Ok(bytes)
}

impl Part {
    /// Puts the picture into `Content` if it takes at most `most` bytes there; answers with the bytes that it takes, 0
    /// for a text, `None` where its address stays.
    pub async fn fill(&mut self, chat: &Chat, reader: UserId, most: usize) -> Result<Option<usize>> {
        let Some(picture) = &self.picture else { return Ok(Some(0)) };
        let about = format!("data:{};base64,", picture.mime);
        let size = usize::try_from(picture.size).unwrap_or(usize::MAX / 2);
        let length = about.len().saturating_add(size.div_ceil(3).saturating_mul(4));
        if length > most.min(INSIDE) {
            return Ok(None);
        }
        let id = picture.id;
        let read = move |conn: &mut _| {
            let stored = attachment::find(conn, reader, id)?;
            attachment::read(conn, &stored.hash, false, 0, stored.bytes(false))
        };
        let bytes = match chat.rooms.db.read(read).await {
            Ok(bytes) => bytes,
            // Removed in this moment.
            Err(Error::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut content = about;
        BASE64.encode_append(&bytes, &mut content);
        self.send.content = content;
        Ok(Some(length))
    }

    /// The same for a single frame.
    pub async fn fill_frame(&mut self, chat: &Chat, reader: UserId) -> Result<()> {
        self.fill(chat, reader, INSIDE).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_read_from_base64_and_from_a_data_url() {
        let png = b"\x89PNG\r\n\x1a\nabc";
        let written = BASE64.encode(png);
        let (one, other) = written.split_at(6);
        for content in [
            written.clone(),
            written.trim_end_matches('=').to_owned(),
            format!("data:image/png;base64,{written}"),
            format!("DATA:image/jpeg;name=x;Base64,{written}\n"),
            format!("{one}\r\n{other}"),
        ] {
            assert_eq!(read(&content).ok().as_deref(), Some(png.as_slice()), "{content}");
        }
        let svg = BASE64.encode(b"<svg onload='alert(1)'/>");
        for content in ["", "hello there", "data:image/png,abc", "data:;base64", "data:é", &svg] {
            assert!(matches!(read(content), Err(Error::Invalid(_))), "{content}");
        }
    }
}
