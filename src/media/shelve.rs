//! The last step of an upload: a whole file gets its place in the library, once for each content.
//!
//! The order makes it safe to be killed anywhere: the place is written down, the file is moved there, the row is made.
//! Whoever finds a place written down but no row ([`Reception::tidy`], or the sender who asks) goes on from there.

use super::part;
use super::receive::judge;
use super::reception::{Reception, State, Turn, not_written, part_path};
use super::scan::{modified_ms, size};
use super::sight::Sight;
use super::upload::{self, Placed, Upload};
use crate::error::{Error, Result};
use crate::ids::MediaId;
use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

/// Bytes of a file's name without its ending; file systems take 255, and a number may follow.
const STEM: usize = 180;
/// Names that are tried: "Song.mp3", "Song (2).mp3" and so on.
const NAMES: u32 = 10_000;

impl Reception {
    /// How far this upload is; a whole one is finished.
    pub(super) async fn settle(&self, upload: &Upload, turn: &Turn) -> Result<State> {
        let length = u64::try_from(upload.length).unwrap_or_default();
        let state = |offset, item, known| State { offset, length, item, known };
        if upload.media_id.is_some() {
            return Ok(state(length, upload.media_id, false));
        }
        if let (Some(path), Some(hash)) = (&upload.path, &upload.hash)
            && self.stands(path, hash).await?
        {
            let item = self.place(upload, path, hash).await?;
            self.remove_part(turn).await?;
            return Ok(state(length, Some(item), false));
        }
        let arrived = self.begin(turn).await?;
        if arrived < length {
            return Ok(state(arrived, None, false));
        }
        let (item, known) = self.finish(upload, turn).await?;
        Ok(state(length, Some(item), known))
    }

    /// Whether the file has been moved to where it was to stand.
    async fn stands(&self, path: &str, hash: &str) -> Result<bool> {
        let (full, hash) = (self.library.folder().join(path), hash.to_owned());
        let look = move || part::hash_of(&full).is_ok_and(|found| found == hash);
        tokio::task::spawn_blocking(look).await.map_err(Error::internal)
    }

    /// Makes an item of a whole part file. Answers with it, and whether the content was there already.
    ///
    /// # Errors
    /// `Invalid` for what is no media, which is given up.
    async fn finish(&self, upload: &Upload, turn: &Turn) -> Result<(MediaId, bool)> {
        let _one = self.finishing.lock().await;
        let head = self.with_part(turn, |part| {
            let head = part.head()?;
            part.rest()?;
            Ok((head, part.hash()))
        });
        let (head, hash) = head.await?;
        let format = match judge(&upload.name, &head) {
            Ok(format) => format,
            Err(error) => {
                self.discard_held(turn).await?;
                return Err(error);
            }
        };
        if let Some(twin) = self.twin(upload, &hash).await? {
            let id = upload.id.clone();
            self.library.db().write(move |conn| upload::settle(conn, &id, twin)).await?;
            self.remove_part(turn).await?;
            return Ok((twin, true));
        }
        // A look at the folder between the move and the row would take the file for one that was dropped there.
        let _still = self.library.still().await;
        let path = self.move_in(upload, turn, format.extension(), &hash).await?;
        let item = self.place(upload, &path, &hash).await?;
        self.remove_part(turn).await?;
        Ok((item, false))
    }

    /// The item that has this content, among those that its sender sees: of others they learn nothing.
    async fn twin(&self, upload: &Upload, hash: &str) -> Result<Option<MediaId>> {
        let (size, sight) = (upload.length, Sight::from(upload.user_id));
        self.library.refresh().await?;
        let (db, folder, hash) =
            (self.library.db().clone(), self.library.folder().to_owned(), hash.to_owned());
        let look = move || -> Result<Option<MediaId>> {
            let likes = db.read_blocking(|conn| upload::of_size(conn, size, sight))?;
            Ok(upload::of_content(&db, &folder, likes, &hash)?.map(|like| like.id))
        };
        tokio::task::spawn_blocking(look).await.map_err(Error::internal)?
    }

    /// Moves the part file under a name of its own. Answers with its path.
    async fn move_in(&self, upload: &Upload, turn: &Turn, extension: &str, hash: &str) -> Result<String> {
        for number in 1..=NAMES {
            let path = numbered(&upload.name, extension, number);
            let full = self.library.folder().join(&path);
            let (id, noted, sum) = (upload.id.clone(), path.clone(), hash.to_owned());
            if full.symlink_metadata().is_ok()
                || !self.library.db().write(move |conn| upload::promise(conn, &id, &noted, &sum)).await?
            {
                continue;
            }
            let (from, folder) = (part_path(&self.folder, &turn.id), self.library.folder().to_owned());
            let moved = tokio::task::spawn_blocking(move || move_file(&from, &full, &folder)).await;
            match moved.map_err(Error::internal)? {
                Ok(()) => return Ok(path),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(not_written(&error)),
            }
        }
        Err(Error::conflict(
            "name_taken",
            "The library has too many files of that name. Give it another one.",
        ))
    }

    /// Makes the row of a file that stands in its place.
    async fn place(&self, upload: &Upload, path: &str, hash: &str) -> Result<MediaId> {
        let full = self.library.folder().join(path);
        let look = move || -> io::Result<_> {
            let mut head = Vec::new();
            let file = File::open(full)?;
            let meta = file.metadata()?;
            file.take(super::format::HEAD as u64).read_to_end(&mut head)?;
            Ok((meta, head))
        };
        let looked = tokio::task::spawn_blocking(look).await.map_err(Error::internal)?;
        let (meta, head) = looked.map_err(|error| not_written(&error))?;
        let title = Path::new(&upload.name).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let placed = Placed {
            path: path.to_owned(),
            title,
            format: judge(&upload.name, &head)?,
            size: size(&meta),
            modified_at: modified_ms(&meta),
            hash: hash.to_owned(),
        };
        let upload = upload.clone();
        self.library.db().write(move |conn| upload::place(conn, &upload, &placed)).await
    }
}

/// `Song.mp3`, or `Song (2).mp3`. The ending is that of the content, whatever the sender called it.
fn numbered(name: &str, extension: &str, number: u32) -> String {
    let given = Path::new(name);
    let fits = given.extension().is_some_and(|end| same_family(&end.to_string_lossy(), extension));
    let stem = if fits { given.file_stem().unwrap_or_default().to_string_lossy() } else { name.into() };
    // What begins with a dot is hidden, from the library too.
    let stem = stem.trim_start_matches('.');
    let mut end = stem.len().min(STEM);
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    let stem = if end == 0 { "file" } else { &stem[..end] };
    let ending = given.extension().filter(|_| fits).map_or(extension.into(), |end| end.to_string_lossy());
    if number == 1 { format!("{stem}.{ending}") } else { format!("{stem} ({number}).{ending}") }
}

/// Whether a file with this ending is taken for what it is.
fn same_family(ending: &str, extension: &str) -> bool {
    let ending = ending.to_ascii_lowercase();
    let others: &[&str] = match extension {
        "ogg" => &["oga", "opus"],
        "mp4" => &["m4v"],
        _ => &[],
    };
    ending == extension || others.contains(&ending.as_str())
}

/// Moves a file where nothing is: a link fails when there is something, a rename would replace it.
fn move_file(from: &Path, to: &Path, folder: &Path) -> io::Result<()> {
    match std::fs::hard_link(from, to) {
        Ok(()) => std::fs::remove_file(from)?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(error),
        // A file system without links; names are given out one at a time.
        Err(_) => std::fs::rename(from, to)?,
    }
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_gets_the_ending_of_its_content_and_a_name_that_every_disk_takes() {
        for (name, extension, number, path) in [
            ("Song.mp3", "mp3", 1, "Song.mp3"),
            ("Song.MP3", "mp3", 2, "Song (2).MP3"),
            ("voice.opus", "ogg", 1, "voice.opus"),
            ("film.txt", "mp4", 1, "film.txt.mp4"),
            ("film.mp3", "mp4", 1, "film.mp3.mp4"),
            ("film", "webm", 3, "film (3).webm"),
            (".hidden.mp4", "mp4", 1, "hidden.mp4"),
            ("...", "mp4", 1, "file.mp4"),
        ] {
            assert_eq!(numbered(name, extension, number), path, "{name}");
        }
        let long = numbered(&format!("{}.mp4", "長".repeat(115)), "mp4", 9999);
        assert!(long.len() < 255 && long.ends_with("長 (9999).mp4"), "{long}");
    }

    #[test]
    fn a_move_never_replaces_anything() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let (from, to) = (folder.path().join("a"), folder.path().join("b"));
        std::fs::write(&from, "new")?;
        std::fs::write(&to, "old")?;
        let refused = move_file(&from, &to, folder.path()).map_err(|error| error.kind());
        assert_eq!(refused, Err(ErrorKind::AlreadyExists));
        assert_eq!(std::fs::read(&to)?, b"old");
        std::fs::remove_file(&to)?;
        move_file(&from, &to, folder.path())?;
        assert!(!from.exists() && std::fs::read(&to)? == b"new");
        Ok(())
    }
}
