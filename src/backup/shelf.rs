//! Folders of files on their way into an archive and out of it: recordings, and the library when it is wanted.

use super::archive::{Archive, sync_folder};
use super::words;
use std::fs::{File, FileTimes};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

/// Folders in folders that are looked into, as deep as the library itself looks.
const DEPTH: usize = 32;

/// What a folder has on its way into place.
const STAGING: &str = ".restoring";

/// Adds all files of a folder, links left out, each as it is at its turn. Answers with a sentence for each that wasn't to be
/// had whole.
///
/// # Errors
/// When the archive can't be written, or the folder not be read.
pub fn pack(archive: &mut Archive, folder: &Path, name: &str) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    list(folder, "", 0, &mut found)
        .map_err(|error| format!("the folder {}: {}", folder.display(), words(&error)))?;
    found.sort_unstable();
    let mut notes = Vec::new();
    for inside in found {
        let path = folder.join(&inside);
        let mut file = match File::open(&path) {
            // Deleted since, which the server may do.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            file => file.map_err(|error| format!("the file {}: {}", path.display(), words(&error)))?,
        };
        let unread = |error: &io::Error| format!("the file {}: {}", path.display(), words(error));
        let before = file.metadata().map_err(|error| unread(&error))?;
        let copied = archive.add(&format!("{name}/{inside}"), Some(modified(&before)), |out| {
            io::copy(&mut (&mut file).take(before.len()), out).map_err(|error| unread(&error))
        })?;
        let after = file.metadata().map_err(|error| unread(&error))?;
        // What is appended to has been copied up to where it was.
        let grew = after.len() > before.len();
        if copied < before.len() || (modified(&after) != modified(&before) && !grew) {
            notes.push(format!("{} was changed while it was copied.", path.display()));
        }
    }
    Ok(notes)
}

/// Milliseconds since 1970.
fn modified(meta: &std::fs::Metadata) -> i64 {
    let since = meta.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.and_then(|time| i64::try_from(time.as_millis()).ok()).unwrap_or_default()
}

/// Names without end or that no text can hold are none of Hubbub's.
fn list(folder: &Path, inside: &str, depth: usize, found: &mut Vec<String>) -> io::Result<()> {
    let entries = match std::fs::read_dir(folder.join(inside)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let (kind, Ok(name)) = (entry.file_type()?, entry.file_name().into_string()) else { continue };
        if name == STAGING {
            continue;
        }
        let name = if inside.is_empty() { name } else { format!("{inside}/{name}") };
        if kind.is_dir() && depth < DEPTH {
            list(folder, &name, depth + 1, found)?;
        } else if kind.is_file() {
            found.push(name);
        }
    }
    Ok(())
}

/// Files on their way into a folder: first into a hidden one inside it, on the same disk.
pub struct Shelf {
    folder: PathBuf,
    staging: PathBuf,
    used: bool,
}

impl Shelf {
    /// For this folder, which may not be there yet.
    pub fn new(folder: PathBuf) -> Self {
        let staging = folder.join(STAGING);
        Self { folder, staging, used: false }
    }

    /// Receives a file by its path inside the folder.
    ///
    /// # Errors
    /// What the disk says, or that the name leads out of the folder.
    pub fn receive(
        &mut self,
        inside: &str,
        modified: Option<i64>,
        from: &mut dyn Read,
    ) -> Result<(), String> {
        if inside.is_empty() || inside.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(format!("the name “{inside}” leads elsewhere"));
        }
        let path = self.staging.join(inside);
        let mut write = || -> io::Result<()> {
            self.used = true;
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            let mut file = File::create_new(&path)?;
            io::copy(from, &mut file)?;
            file.flush()?;
            if let Some(ms) = modified.and_then(|ms| u64::try_from(ms).ok()) {
                let time = UNIX_EPOCH + Duration::from_millis(ms);
                file.set_times(FileTimes::new().set_modified(time))?;
            }
            file.sync_all()
        };
        write().map_err(|error| format!("the file {}: {}", path.display(), words(&error)))
    }

    /// Puts all of it into place.
    ///
    /// # Errors
    /// What the disk says.
    pub fn place(&self) -> Result<(), String> {
        if !self.used {
            return Ok(());
        }
        let place = || -> io::Result<()> {
            for entry in std::fs::read_dir(&self.staging)? {
                let entry = entry?;
                std::fs::rename(entry.path(), self.folder.join(entry.file_name()))?;
            }
            std::fs::remove_dir(&self.staging)?;
            sync_folder(&self.folder)
        };
        place().map_err(|error| format!("the folder {}: {}", self.folder.display(), words(&error)))
    }

    /// Leaves nothing of what was received.
    pub fn clear(&self) {
        if self.used {
            // Nothing can be done about what can't be removed; the restore has failed in words already.
            let _ = std::fs::remove_dir_all(&self.staging);
        }
    }
}
