//! A file that this program has made itself comes into the library as an upload of the person whose it is.

use super::item;
use super::reception::{Reception, full, not_written, part_path};
use super::sight::{Audience, Sight};
use super::upload::{self, Upload, UploadId};
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::ids::{MediaId, UserId};
use crate::rooms::upload::tidy_name;
use crate::site::disk::RESERVE;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// A whole file.
#[derive(Clone, Debug)]
pub struct Brought {
    /// 32 hexadecimal digits. Brought again under the same ones, it becomes no second item.
    pub id: String,
    pub user: UserId,
    /// What it is called, with its ending.
    pub name: String,
    pub audience: Audience,
    /// Where it is. It stays there.
    pub file: PathBuf,
}

impl Reception {
    /// Bytes that this person may still bring.
    pub async fn room(&self, user: UserId) -> Result<u64> {
        let quota = self.quota;
        self.library.db().read(move |conn| upload::room(conn, user, quota)).await
    }

    /// Which of these items somebody sees, or nobody in particular.
    pub async fn seen(&self, who: Option<UserId>, ids: Vec<MediaId>) -> Result<Vec<MediaId>> {
        self.library.db().read(move |conn| item::seen(conn, Sight(who), &ids)).await
    }

    /// Makes an item of a file. Killed anywhere, it goes on from there when it is called again.
    ///
    /// # Errors
    /// What [`upload::create`] refuses; `Invalid` for what is no media; `Busy` when the disk is full.
    pub async fn adopt(&self, brought: Brought) -> Result<MediaId> {
        let id = UploadId::parse(&brought.id).ok_or_else(|| Error::internal("no id for an upload"))?;
        let turn = self.turn(&id).await?;
        // The folder of part files is there afterwards.
        let free = self.free().await?;
        let upload = self.announced(id, &brought).await?;
        if let Some(item) = self.settle(&upload, &turn).await?.item {
            return Ok(item);
        }
        self.bring(&brought.file, &upload, free).await?;
        let state = self.settle(&upload, &turn).await?;
        state.item.ok_or(Error::Busy("That could not be stored just now. Try again in a moment."))
    }

    /// Its row, made unless it is there.
    async fn announced(&self, id: UploadId, brought: &Brought) -> Result<Upload> {
        let wanted = id.clone();
        let known = self.library.db().read(move |conn| upload::known(conn, &wanted)).await?;
        if let Some(known) = known {
            return Ok(known);
        }
        let meta = tokio::fs::metadata(&brought.file).await.map_err(|error| not_written(&error))?;
        let now = now_ms();
        let row = Upload {
            id,
            user_id: brought.user,
            name: tidy_name(&brought.name),
            length: i64::try_from(meta.len()).unwrap_or(i64::MAX),
            path: None,
            hash: None,
            media_id: None,
            started_at: now,
            touched_at: now,
            audience: brought.audience.as_str().to_owned(),
        };
        let (quota, made) = (self.quota, row.clone());
        self.library.db().write(move |conn| upload::create(conn, &row, quota)).await?;
        Ok(made)
    }

    /// Makes it the part file: another name of the same one, where both folders are on one disk; a copy otherwise, when
    /// `free` bytes are enough for it.
    async fn bring(&self, file: &Path, upload: &Upload, free: u64) -> Result<()> {
        let length = u64::try_from(upload.length).unwrap_or_default();
        let (from, to) = (file.to_owned(), part_path(&self.folder, &upload.id));
        let bring = move || -> io::Result<bool> {
            match std::fs::remove_file(&to) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            if std::fs::hard_link(&from, &to).is_ok() {
                return Ok(true);
            }
            if free < length.saturating_add(RESERVE) {
                return Ok(false);
            }
            std::fs::copy(&from, &to)?;
            std::fs::File::open(&to)?.sync_all()?;
            Ok(true)
        };
        let brought = tokio::task::spawn_blocking(bring).await.map_err(Error::internal)?;
        if brought.map_err(|error| not_written(&error))? { Ok(()) } else { Err(full()) }
    }
}
