//! A look at the library's folder: which files are there, and how that differs from the table.

use super::format::{Format, HEAD};
use super::item::{self, Changes, Found, Known};
use crate::clock::now_ms;
use crate::error::Result;
use crate::rooms::Db;
use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long a scan is believed when no folder of it has changed. A file that grows changes no folder.
const BELIEVED: Duration = Duration::from_secs(1);
/// A scan that takes longer is one of a huge folder. It is believed [`SHARE`] times as long as it took, so that
/// listing the library can't keep a core busy.
const LONG: Duration = Duration::from_millis(250);
const SHARE: u32 = 20;
/// Folders inside folders; deeper ones are not looked into.
const DEPTH: usize = 16;
/// Files in the library. A folder with more was not meant to be one.
const FILES: usize = 100_000;

/// The last look at the folder.
pub struct Scan {
    at: Instant,
    took: Duration,
    /// Every folder that was read, with its time of change.
    folders: Vec<(PathBuf, SystemTime)>,
}

impl Scan {
    /// Whether the table needs no new look.
    pub fn holds(&self) -> bool {
        let age = self.at.elapsed();
        let unchanged = || {
            self.folders.iter().all(|(path, changed)| {
                std::fs::metadata(path).and_then(|m| m.modified()).is_ok_and(|now| now == *changed)
            })
        };
        if self.took > LONG { age < self.took * SHARE } else { age < BELIEVED && unchanged() }
    }
}

/// Reads folder and table, and writes the difference.
pub fn follow(folder: &Path, db: &Db) -> Result<Scan> {
    let started = Instant::now();
    let mut walk = Walk { root: folder, folders: Vec::new(), files: Vec::new() };
    if let Err(error) = walk.enter(folder, 0) {
        // An unplugged disk is no reason to forget a library; what the table says is the best there is.
        tracing::warn!(%error, "the media folder can't be read");
    } else {
        let known = db.read_blocking(item::known)?;
        let changes = compare(walk.files, known);
        if !changes.is_empty() {
            tracing::info!(
                new = changes.new.len(),
                changed = changes.changed.len(),
                gone = changes.gone.len(),
                "the media folder has changed"
            );
            let now = now_ms();
            db.write_blocking(move |conn| item::apply(conn, &changes, now))?;
        }
    }
    Ok(Scan { at: Instant::now(), took: started.elapsed(), folders: walk.folders })
}

/// A file met on the way.
struct Met {
    path: String,
    full: PathBuf,
    size: i64,
    modified_at: i64,
}

struct Walk<'a> {
    root: &'a Path,
    folders: Vec<(PathBuf, SystemTime)>,
    files: Vec<Met>,
}

impl Walk<'_> {
    fn enter(&mut self, folder: &Path, depth: usize) -> std::io::Result<()> {
        // Taken before reading: a file that comes meanwhile makes the folder newer than this.
        let changed = std::fs::metadata(folder)?.modified()?;
        self.folders.push((folder.to_owned(), changed));
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            if hidden || self.files.len() >= FILES {
                continue;
            }
            let path = entry.path();
            // Gone between the two looks, or not to be read: as if it weren't there.
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() && depth < DEPTH {
                let _ = self.enter(&path, depth + 1);
            } else if kind.is_file() || (kind.is_symlink() && leads_inside(self.root, &path)) {
                self.files.extend(self.meet(path));
            }
        }
        Ok(())
    }

    fn meet(&self, full: PathBuf) -> Option<Met> {
        Format::of(&full, &[])?;
        let meta = std::fs::metadata(&full).ok().filter(Metadata::is_file)?;
        let parts: Option<Vec<&str>> =
            full.strip_prefix(self.root).ok()?.components().map(|part| part.as_os_str().to_str()).collect();
        let path = parts?.join("/");
        Some(Met { path, size: size(&meta), modified_at: modified_ms(&meta), full })
    }
}

fn leads_inside(root: &Path, path: &Path) -> bool {
    path.canonicalize().is_ok_and(|target| target.starts_with(root))
}

/// What must be written. Reads the first bytes of files that are new or have changed.
fn compare(met: Vec<Met>, known: Vec<Known>) -> Changes {
    let mut known: HashMap<String, Known> = known.into_iter().map(|row| (row.path.clone(), row)).collect();
    let mut changes = Changes::default();
    for file in met {
        match known.remove(&file.path) {
            None => changes.new.extend(file.look()),
            Some(row) if row.gone || (row.size, row.modified_at) != (file.size, file.modified_at) => {
                changes.changed.extend(file.look().map(|found| (row.id, found)));
            }
            Some(_) => {}
        }
    }
    changes.gone = known.into_values().filter(|row| !row.gone).map(|row| row.id).collect();
    // The newest file gets the highest id, and so stands first in the list.
    changes.new.sort_by(|a, b| (a.modified_at, &a.path).cmp(&(b.modified_at, &b.path)));
    changes
}

impl Met {
    fn look(self) -> Option<Found> {
        let head = File::open(&self.full).ok().and_then(|file| head(&file)).unwrap_or_default();
        let format = Format::of(&self.full, &head)?;
        let title = self.full.file_stem()?.to_str()?.to_owned();
        let Self { path, size, modified_at, .. } = self;
        Some(Found { path, title, kind: format.kind, mime: format.mime, size, modified_at })
    }
}

/// A file's beginning, as long as [`Format::of`] wants it.
pub fn head(file: &File) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(HEAD);
    file.take(HEAD as u64).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Bytes.
pub fn size(meta: &Metadata) -> i64 {
    i64::try_from(meta.len()).unwrap_or(i64::MAX)
}

/// Milliseconds; 0 where there is no such time or it lies before the epoch.
pub fn modified_ms(meta: &Metadata) -> i64 {
    let since = meta.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.and_then(|time| i64::try_from(time.as_millis()).ok()).unwrap_or_default()
}
