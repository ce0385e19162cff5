//! The way of a file into the messages database: received aside, looked at on a thread that may be busy, stored through
//! the write door.

use super::attachment::{self, Attachment};
use super::membership::{self, Verb};
use super::{Rooms, post, room};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::ids::{AttachmentId, RoomId, UserId};
use crate::picture::{self, Thumbnail};
use crate::site::form_data::{self, Upload};
use crate::text::{is_blank, is_unruly};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::{Read, Seek};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Mutex as AsyncMutex, Semaphore};

/// Files that are looked at, or wait for the write door, at once. Each is in memory then.
const LOOKED_AT: usize = 2;
/// Millions of pixels above which a picture is decoded alone, 4 bytes each.
const LARGE: u64 = 32;
/// Uploads of one person that may come in at once. A browser sends three at a time.
const AT_ONCE: usize = 6;
/// Full messages that one person may have waiting to be sent.
const WAITING_MESSAGES: u64 = 2;
/// Characters of a name; file systems take 255 bytes.
const NAME_MAX: usize = 120;

/// What will be stored.
pub struct Prepared {
    /// SHA-256 of what was sent, in hexadecimal.
    pub hash: String,
    pub mime: &'static str,
    pub width: Option<i32>,
    pub height: Option<i32>,
    pub animated: bool,
    pub content: Vec<u8>,
    pub thumbnail: Option<Thumbnail>,
}

impl Prepared {
    /// Looks at the content. Takes up to a second of a core, and memory for the picture's pixels.
    ///
    /// # Errors
    /// `Invalid` for a picture that can't be shown.
    pub fn new(bytes: Vec<u8>) -> Result<Self> {
        let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(&bytes));
        let picture = picture::prepare(&bytes).map_err(|refused| Error::field("file", refused.0))?;
        Ok(match picture {
            Some(picture) => Self {
                hash,
                mime: picture.mime,
                width: i32::try_from(picture.width).ok(),
                height: i32::try_from(picture.height).ok(),
                animated: picture.animated,
                content: picture.content,
                thumbnail: picture.thumbnail,
            },
            // Whatever it says to be: nothing in it is to be run or shown by a browser that trusts this server.
            None => Self {
                hash,
                mime: "application/octet-stream",
                width: None,
                height: None,
                animated: false,
                content: bytes,
                thumbnail: None,
            },
        })
    }

    /// A small still picture that was drawn here.
    pub fn drawn(mime: &'static str, (width, height): (i32, i32), content: Vec<u8>) -> Self {
        let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(&content));
        Self {
            hash,
            mime,
            width: Some(width),
            height: Some(height),
            animated: false,
            content,
            thumbnail: None,
        }
    }

    /// Bytes of the content.
    pub fn size(&self) -> i64 {
        i64::try_from(self.content.len()).unwrap_or(i64::MAX)
    }
}

/// What bounds uploads, shared by all who upload. Cheap to clone.
#[derive(Clone)]
pub struct Uploads {
    /// Where files are received: beside the databases, as the system's own place for them may be memory.
    pub folder: Arc<Path>,
    /// Bytes of one file.
    pub bytes_max: u64,
    looked_at: Arc<Semaphore>,
    large: Arc<AsyncMutex<()>>,
    under_way: Arc<Mutex<HashMap<UserId, usize>>>,
}

/// The right to have one upload under way; dropped, the next may begin.
pub struct Turn {
    user: UserId,
    under_way: Arc<Mutex<HashMap<UserId, usize>>>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = under_way.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                under_way.remove(&self.user);
            }
        }
    }
}

impl Uploads {
    pub fn new(config: &Config) -> Self {
        Self {
            folder: config.data.as_path().into(),
            bytes_max: config.attachment_bytes,
            looked_at: Arc::new(Semaphore::new(LOOKED_AT)),
            large: Arc::default(),
            under_way: Arc::default(),
        }
    }

    /// Before the first byte is read.
    ///
    /// # Errors
    /// `TooMany` when this person has enough under way.
    pub fn begin(&self, user: UserId) -> Result<Turn> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let count = under_way.entry(user).or_default();
        if *count >= AT_ONCE {
            return Err(Error::TooMany { retry_after_ms: 1000 });
        }
        *count += 1;
        drop(under_way);
        Ok(Turn { user, under_way: self.under_way.clone() })
    }

    fn waiting_max(&self) -> i64 {
        let files = WAITING_MESSAGES * attachment::PER_MESSAGE as u64;
        i64::try_from(self.bytes_max.saturating_mul(files)).unwrap_or(i64::MAX)
    }
}

impl Rooms {
    /// Whether `user` may send something into the room: asked before a file is read, and again when it is stored.
    ///
    /// # Errors
    /// As for a message.
    pub async fn may_attach(&self, user: UserId, id: RoomId) -> Result<()> {
        self.db
            .read(move |conn| {
                let room = room::find(conn, id)?;
                membership::may(conn, user, &room, Verb::Post)
            })
            .await
    }

    /// Stores a file, to be sent with a message of the same person in the same room.
    ///
    /// # Errors
    /// `Invalid` for an empty file or a picture that can't be shown, `TooLarge`, and what
    /// [`attachment::store`] refuses.
    pub async fn attach(&self, user: UserId, room: RoomId, upload: Upload) -> Result<Attachment> {
        let Upload { name, mut file, size } = upload;
        if size == 0 {
            return Err(Error::field("file", "That file is empty."));
        }
        self.keep(user, room, name, size, move || {
            let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
            file.rewind().map_err(Error::internal)?;
            file.read_to_end(&mut bytes).map_err(Error::internal)?;
            Ok(bytes)
        })
        .await
    }

    /// Stores the files of a plain form, to be sent with its message. A form that is sent twice finds those of the
    /// first time, or its repeated nonce would mean another message.
    ///
    /// # Errors
    /// As for [`attach`](Self::attach).
    pub async fn attach_all(
        &self,
        user: UserId,
        room: RoomId,
        nonce: &str,
        files: Vec<Upload>,
    ) -> Result<Vec<AttachmentId>> {
        if files.is_empty() {
            return Ok(Vec::new());
        }
        let asked = nonce.to_owned();
        let earlier = self.db.read(move |conn| post::earlier(conn, user, &asked)).await?;
        let sent = Attachment::list(earlier.and_then(|message| message.attachments).as_ref());
        if sent.len() == files.len() {
            return Ok(sent.into_iter().map(|attachment| attachment.id).collect());
        }
        let mut ids = Vec::with_capacity(files.len());
        for file in files {
            ids.push(self.attach(user, room, file).await?.id);
        }
        Ok(ids)
    }

    /// Stores a picture that came as bytes, and answers with its number.
    ///
    /// # Errors
    /// As for [`attach`](Self::attach); `Invalid` for what is no picture.
    pub async fn store_image(&self, user: UserId, room: RoomId, bytes: Vec<u8>) -> Result<AttachmentId> {
        let Some(kind) = picture::Kind::of(&bytes) else {
            return Err(Error::field("file", "Only JPEG, PNG, GIF and WebP are taken as pictures."));
        };
        let name = format!("image.{}", kind.mime().trim_start_matches("image/"));
        let size = bytes.len() as u64;
        Ok(self.keep(user, room, name, size, move || Ok(bytes)).await?.id)
    }

    async fn keep(
        &self,
        user: UserId,
        room: RoomId,
        name: String,
        size: u64,
        bytes: impl FnOnce() -> Result<Vec<u8>> + Send + 'static,
    ) -> Result<Attachment> {
        let uploads = &self.uploads;
        if size > uploads.bytes_max {
            return Err(form_data::too_large(uploads.bytes_max));
        }
        // Held until it is stored, or finished files would pile up in memory before the write door.
        let _place = uploads.looked_at.acquire().await.map_err(Error::internal)?;
        let bytes = tokio::task::spawn_blocking(bytes).await.map_err(Error::internal)??;
        let _alone =
            if picture::megapixels(&bytes) > LARGE { Some(uploads.large.lock().await) } else { None };
        let prepared = tokio::task::spawn_blocking(move || Prepared::new(bytes)).await;
        let prepared = prepared.map_err(Error::internal)??;
        let (name, waiting_max) = (tidy_name(&name), uploads.waiting_max());
        self.db.write(move |conn| attachment::store(conn, user, room, &name, &prepared, waiting_max)).await
    }

    /// Removes what nobody sent, and content that nobody refers to any more.
    pub async fn sweep_attachments(&self) -> Result<()> {
        while self.db.write(|conn| attachment::sweep(conn, crate::clock::now_ms())).await? {}
        Ok(())
    }
}

/// A file's name as others see it: without folders, without signs that hide what it ends with.
pub fn tidy_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let visible: String = last.chars().filter(|c| !is_unruly(*c)).collect();
    let visible = visible.trim();
    if is_blank(visible.trim_matches('.')) {
        return "file".to_owned();
    }
    let length = visible.chars().count();
    if length <= NAME_MAX {
        return visible.to_owned();
    }
    // The end says what it is.
    let ending = visible.rsplit_once('.').map(|(_, end)| end).filter(|end| end.chars().count() <= 10);
    let ending = ending.map_or(String::new(), |end| format!(".{end}"));
    let stem: String = visible.chars().take(NAME_MAX - ending.chars().count()).collect();
    format!("{stem}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_no_folders_and_hides_nothing() {
        for (typed, shown) in [
            ("cat.jpg", "cat.jpg"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\ann\\cat.jpg", "cat.jpg"),
            ("harmless\u{202e}gpj.exe", "harmlessgpj.exe"),
            ("a\r\nb\0.txt", "ab.txt"),
            ("實驗 記錄.pdf", "實驗 記錄.pdf"),
            ("", "file"),
            ("..", "file"),
            ("dir/", "file"),
        ] {
            assert_eq!(tidy_name(typed), shown, "{typed:?}");
        }
        let long = tidy_name(&format!("{}.tar", "長".repeat(500)));
        assert!(long.chars().count() == NAME_MAX && long.ends_with("長.tar"), "{long}");
    }

    #[test]
    fn a_person_has_some_uploads_under_way_and_a_finished_one_makes_room() {
        let uploads = Uploads::new(&Config::default());
        let mut turns: Vec<Turn> = (0..AT_ONCE).map(|_| uploads.begin(UserId(1)).unwrap()).collect();
        assert!(matches!(uploads.begin(UserId(1)), Err(Error::TooMany { .. })));
        assert!(uploads.begin(UserId(2)).is_ok());
        turns.pop();
        assert!(uploads.begin(UserId(1)).is_ok());
        drop(turns);
        assert!(uploads.under_way.lock().unwrap().is_empty());
    }
}
