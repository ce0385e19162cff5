//! The bytes of one request on their way into a part file: bounded in memory, kept when the way breaks off.

use super::format::{Format, HEAD};
use super::reception::{OPEN, Reception, State, Turn, empty};
use super::upload::{self, Upload, UploadId};
use crate::error::{Error, Result};
use crate::ids::UserId;
use actix_web::web::Payload;
use bytes::{Bytes, BytesMut};
use futures_core::Stream as _;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use std::future::poll_fn;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

/// Bytes of one request that are in memory before they are written. Larger writes are no quicker.
const BUFFER: usize = 256 * 1024;
/// How long a sender may stay silent. What has arrived is kept, so letting go costs nothing.
const SILENCE: Duration = Duration::from_secs(30);

/// What the sender says that the bytes of one request add up to.
pub enum Checksum {
    Sha1(Sha1, Vec<u8>),
    Sha256(Sha256, Vec<u8>),
}

impl Checksum {
    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(digest, _) => digest.update(bytes),
            Self::Sha256(digest, _) => digest.update(bytes),
        }
    }

    fn holds(self) -> bool {
        match self {
            Self::Sha1(digest, said) => digest.finalize().as_slice() == said,
            Self::Sha256(digest, said) => digest.finalize().as_slice() == said,
        }
    }
}

/// One request with bytes of an upload.
pub struct Sending {
    pub payload: Payload,
    /// Where the sender goes on.
    pub offset: u64,
    /// Bytes of the request, where it says so.
    pub bytes: Option<u64>,
    pub checksum: Option<Checksum>,
    /// What comes is all of it, however long: its end is the file's.
    pub open: bool,
}

/// The code of the refusal of bytes that don't add up to what the sender says.
pub const CHECKSUM: &str = "checksum";

impl Reception {
    /// Takes what one request brings. What has arrived is kept when it breaks off, unless a checksum was to say that
    /// it is right.
    ///
    /// # Errors
    /// `Conflict` at another offset than the upload's; `TooLarge` beyond what was announced; `Invalid` for what is no
    /// media, which is given up; `NotFound`, `Busy`.
    pub async fn receive(&self, id: &UploadId, user: UserId, sending: Sending) -> Result<State> {
        self.find(id, user).await?;
        let mut turn = self.turn(id).await?;
        let upload = self.find(id, user).await?;
        let length = u64::try_from(upload.length).unwrap_or_default();
        let start = if upload.media_id.is_some() { length } else { self.begin(&turn).await? };
        if sending.offset != start {
            let words = format!("So far {start} bytes have arrived. Go on from there.");
            return Err(Error::conflict("offset", words));
        }
        if sending.bytes.is_some_and(|bytes| bytes > length.saturating_sub(start)) {
            return Err(too_much());
        }
        let open = sending.open;
        if upload.media_id.is_none() {
            self.take(&mut turn, &upload, sending).await?;
        }
        let upload = if open { self.close(&upload, &turn).await? } else { upload };
        self.settle(&upload, &turn).await
    }

    /// Notes how long a file has become whose sender didn't say.
    async fn close(&self, upload: &Upload, turn: &Turn) -> Result<Upload> {
        let arrived = self.begin(turn).await?;
        if arrived == 0 {
            return Err(empty());
        }
        let (id, length) = (upload.id.clone(), i64::try_from(arrived).unwrap_or(i64::MAX));
        self.library.db().write(move |conn| upload::close(conn, &id, length)).await?;
        Ok(Upload { length, ..upload.clone() })
    }

    async fn take(&self, turn: &mut Turn, upload: &Upload, sending: Sending) -> Result<()> {
        let mark = match sending.checksum {
            Some(_) => Some(self.with_part(turn, |part| Ok(part.mark())).await?),
            None => None,
        };
        let outcome = self.append(turn, upload, sending).await;
        if let (Err(_), Some(mark)) = (&outcome, mark) {
            self.with_part(turn, |part| part.roll_back(mark)).await?;
        }
        if matches!(outcome, Err(Error::Invalid(_))) {
            self.discard_held(turn).await?;
            return outcome;
        }
        self.with_part(turn, super::part::Part::rest).await?;
        let id = upload.id.clone();
        self.library.db().write(move |conn| upload::touch(conn, &id)).await?;
        outcome
    }

    async fn append(&self, turn: &mut Turn, upload: &Upload, sending: Sending) -> Result<()> {
        let Sending { mut payload, offset, mut checksum, open, .. } = sending;
        let mut left = u64::try_from(upload.length).unwrap_or_default().saturating_sub(offset);
        let mut buffer = BytesMut::new();
        let ended = loop {
            let bytes = tokio::select! {
                biased;
                () = turn.is_over() => break Err(taken_over()),
                bytes = next(&mut payload) => bytes,
            };
            match bytes {
                Ok(Some(bytes)) => {
                    // A byte more than has come, always: what a kill leaves is never taken for the whole file.
                    if open && left <= bytes.len() as u64 {
                        left += self.extend(upload).await?;
                    }
                    let Some(rest) = left.checked_sub(bytes.len() as u64) else { break Err(too_much()) };
                    left = rest;
                    if let Some(checksum) = &mut checksum {
                        checksum.update(&bytes);
                    }
                    buffer.extend_from_slice(&bytes);
                    if buffer.len() >= BUFFER {
                        self.write(turn, upload, buffer.split().freeze()).await?;
                    }
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        if !buffer.is_empty() {
            self.write(turn, upload, buffer.freeze()).await?;
        }
        ended?;
        if checksum.is_none_or(Checksum::holds) {
            return Ok(());
        }
        Err(Error::bad_request(CHECKSUM, "The bytes were changed on their way. Send them again."))
    }

    /// Writes some bytes; with those that show what the file is, it is judged.
    async fn write(&self, turn: &Turn, upload: &Upload, bytes: Bytes) -> Result<()> {
        // One whose length isn't known announces a single byte at first, by which nothing can be judged.
        let length = u64::try_from(upload.length).unwrap_or_default();
        let enough = if length == OPEN { HEAD as u64 } else { length.min(HEAD as u64) };
        let head = self
            .with_part(turn, move |part| {
                let before = part.length();
                part.write(&bytes)?;
                if before < enough && part.length() >= enough { part.head().map(Some) } else { Ok(None) }
            })
            .await?;
        head.map_or(Ok(()), |head| judge(&upload.name, &head).map(drop))
    }
}

/// What a file that was sent is, by its beginning.
///
/// # Errors
/// `Invalid` for what is no media.
pub fn judge(name: &str, head: &[u8]) -> Result<Format> {
    Format::of_content(Path::new(name), head).ok_or_else(|| {
        Error::field(
            "file",
            "That is no sound or film that is known here. Known are WAV, MP3, Ogg, FLAC, M4A, AAC, MP4, WebM, MOV and MKV.",
        )
    })
}

async fn next(payload: &mut Payload) -> Result<Option<Bytes>> {
    let bytes = poll_fn(|context| Pin::new(&mut *payload).poll_next(context));
    match tokio::time::timeout(SILENCE, bytes).await {
        Ok(bytes) => bytes.transpose().map_err(|_| broken_off()),
        Err(_) => Err(broken_off()),
    }
}

fn broken_off() -> Error {
    Error::bad_request("broken_off", "The upload broke off. What has arrived is kept; go on from there.")
}

fn taken_over() -> Error {
    Error::conflict("taken_over", "Another connection goes on with this upload.")
}

fn too_much() -> Error {
    Error::TooLarge("Those are more bytes than were announced.".into())
}
