//! What identifies a message's content when its nonce comes again.

use super::attachment::Attachment;
use super::message::Message;
use crate::ids::AttachmentId;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// What the sender decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Content<'a> {
    pub text: &'a str,
    pub title: Option<&'a str>,
    pub reply_to: Option<i64>,
    /// The ids of what is attached, in order.
    pub attachments: &'a [AttachmentId],
}

impl Content<'_> {
    /// SHA-256 in hexadecimal.
    pub fn digest(&self) -> String {
        // Nothing in it can fail to be written.
        let json = serde_json::to_vec(self).unwrap_or_default();
        data_encoding::HEXLOWER.encode(&Sha256::digest(json))
    }
}

impl Message {
    /// Whether it was sent with this content, whatever it says now.
    pub fn was_sent_as(&self, content: &Content<'_>) -> bool {
        match &self.first_digest {
            Some(digest) => *digest == content.digest(),
            None => self.content(&self.attached()) == *content,
        }
    }

    /// The digest of its content as it is now.
    pub fn digest(&self) -> String {
        self.content(&self.attached()).digest()
    }

    fn content<'a>(&'a self, attachments: &'a [AttachmentId]) -> Content<'a> {
        Content { text: &self.text, title: self.title.as_deref(), reply_to: self.reply_to, attachments }
    }

    /// The ids of what it says is attached.
    pub(super) fn attached(&self) -> Vec<AttachmentId> {
        Attachment::list(self.attachments.as_ref()).iter().map(|a| a.id).collect()
    }
}
