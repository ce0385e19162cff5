//! What becomes of a recording that has ended, or that a kill has ended: its film in the library, its readings beside it.

use super::super::video;
use super::row::{self, Finished, Recording};
use super::{FILM, Film, READINGS, Recordings};
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::ids;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, ErrorKind};
use std::path::Path;
use std::time::Duration;

/// A row without a file here may be another node's; after a week nobody's, ms.
const LOST: i64 = 7 * 24 * 60 * 60 * 1000;

/// What lies in the data folder.
struct Kept {
    film: Option<Duration>,
    /// Bytes of it.
    film_bytes: u64,
    readings: Lines,
}

/// Readings that are whole.
#[derive(Debug, Default, PartialEq, Eq)]
struct Lines {
    count: i64,
    bytes: u64,
    /// When the last of them came, ms.
    last: Option<i64>,
}

impl Recordings {
    /// Finishes a recording that is written no more. `ended`: when (ms), and why, if it wasn't meant to; nothing after
    /// a kill. What was done already is done again to the same end.
    ///
    /// # Errors
    /// When the disk or the database isn't what it should be; to be tried again then.
    pub async fn settle(&self, id: &str, ended: Option<(i64, Option<&'static str>)>) -> Result<()> {
        let wanted = id.to_owned();
        let found = self.0.db.read(move |conn| row::find(conn, &wanted)).await?;
        let Some(row) = found.filter(|row| !row.settled) else { return Ok(()) };
        let (film, readings) = (self.path(id, FILM), self.path(id, READINGS));
        let look = move || look_at(&film, &readings).map_err(Error::internal);
        let kept = tokio::task::spawn_blocking(look).await.map_err(Error::internal)??;
        if kept.film.is_none() && kept.readings.count == 0 {
            return self.forget(id).await;
        }
        self.note(&row, &kept, ended).await?;
        if kept.film.is_some() { self.land(&row, &kept.readings).await } else { Ok(()) }
    }

    async fn note(
        &self,
        row: &Recording,
        kept: &Kept,
        ended: Option<(i64, Option<&'static str>)>,
    ) -> Result<()> {
        let lasts = kept.film.and_then(|film| i64::try_from(film.as_millis()).ok());
        let guessed = kept.readings.last.max(lasts.map(|lasts| row.started_at + lasts));
        let (at, trouble) = ended.unzip();
        let note = Finished {
            ended_at: at.or(row.ended_at).or(guessed).unwrap_or(row.started_at),
            duration: lasts,
            samples: kept.readings.count,
            bytes: i64::try_from(kept.film_bytes + kept.readings.bytes).unwrap_or(i64::MAX),
            settled: kept.film.is_none(),
            trouble: trouble.flatten().map(str::to_owned),
        };
        let id = row.id.clone();
        self.0.db.write(move |conn| row::end(conn, &id, &note)).await
    }

    /// Brings its film into the library; what refuses it there is written down.
    async fn land(&self, row: &Recording, readings: &Lines) -> Result<()> {
        let asked = row.clone();
        let stream = self.0.db.read(move |conn| row::stream_of(conn, &asked)).await?;
        let film = Film {
            id: row.id.clone(),
            user: row.user_id,
            title: row.title.clone(),
            // What was made private meanwhile stays so.
            public: row.public && stream.is_none_or(|stream| stream.public),
            file: self.path(&row.id, FILM),
        };
        let (id, bytes) = (row.id.clone(), i64::try_from(readings.bytes).unwrap_or(i64::MAX));
        match self.0.shelf.land(film).await {
            Ok(item) => {
                self.0.db.write(move |conn| row::land(conn, &id, item, bytes)).await?;
                let done: &[&str] = if readings.count > 0 { &[FILM] } else { &[FILM, READINGS] };
                self.remove(&row.id, done).await
            }
            Err(error @ (Error::Internal(_) | Error::Damaged(_))) => Err(error),
            Err(refused) => {
                let reason = refused.detail();
                self.0.db.write(move |conn| row::refuse(conn, &id, &reason)).await
            }
        }
    }

    /// Deletes a recording; a film that is in the library stays there.
    pub(super) async fn forget(&self, id: &str) -> Result<()> {
        self.remove(id, &[FILM, READINGS]).await?;
        let id = id.to_owned();
        self.0.db.write(move |conn| row::remove(conn, &id)).await
    }

    async fn remove(&self, id: &str, endings: &[&str]) -> Result<()> {
        for ending in endings {
            match tokio::fs::remove_file(self.path(id, ending)).await {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(Error::internal(error)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Finishes what a kill has left, tries again what was refused, and removes what belongs to nothing any more.
    ///
    /// # Errors
    /// When the database doesn't answer.
    pub async fn sweep(&self) -> Result<()> {
        for row in self.0.db.read(row::unsettled).await? {
            if self.is_open(&row.id) {
                continue;
            }
            let is_here = [FILM, READINGS].iter().any(|ending| self.path(&row.id, ending).exists());
            let swept = match is_here {
                true => self.settle(&row.id, None).await,
                false if row.started_at < now_ms() - LOST => self.forget(&row.id).await,
                false => Ok(()),
            };
            if let Err(error) = swept {
                tracing::warn!(%error, "a recording could not be finished; it is tried again");
            }
        }
        for id in self.0.db.read(row::left_over).await? {
            self.forget(&id).await?;
        }
        for (id, ending, is_empty) in self.files().await? {
            let wanted = id.clone();
            let row = self.0.db.read(move |conn| row::find(conn, &wanted)).await?;
            // A kill before the row was made, or after it was said that the film is in the library.
            let needless = row.map_or(is_empty, |row| row.settled && ending == FILM);
            if needless && !self.is_open(&id) {
                self.remove(&id, &[ending]).await?;
            }
        }
        Ok(())
    }

    /// What lies in the folder: ids, endings, and whether there is nothing in it.
    async fn files(&self) -> Result<Vec<(String, &'static str, bool)>> {
        let folder = self.0.folder.clone();
        let list = move || {
            let mut found = Vec::new();
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                let Some((id, ending)) = name.split_once('.') else { continue };
                let ending = [FILM, READINGS].into_iter().find(|known| *known == ending);
                if let Some(ending) = ending.filter(|_| ids::is_random(id)) {
                    found.push((id.to_owned(), ending, entry.metadata().is_ok_and(|meta| meta.len() == 0)));
                }
            }
            found
        };
        tokio::task::spawn_blocking(list).await.map_err(Error::internal)
    }
}

/// Makes whole what is there. Blocks.
fn look_at(film: &Path, readings: &Path) -> io::Result<Kept> {
    let lasts = match video::finish(film) {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        finished => finished?,
    };
    let film_bytes = lasts.map_or(Ok(0), |_| film.metadata().map(|meta| meta.len()))?;
    Ok(Kept { film: lasts, film_bytes, readings: cut(readings)? })
}

/// Cuts a file of lines behind its last whole one, and counts them.
fn cut(path: &Path) -> io::Result<Lines> {
    let file = match File::options().read(true).write(true).open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Lines::default()),
        opened => opened?,
    };
    let (mut lines, mut line, mut reader) = (Lines::default(), Vec::new(), BufReader::new(&file));
    let mut newest = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 || line.last() != Some(&b'\n') {
            break;
        }
        lines.count += 1;
        lines.bytes += line.len() as u64;
        std::mem::swap(&mut newest, &mut line);
    }
    if file.metadata()?.len() != lines.bytes {
        file.set_len(lines.bytes)?;
        file.sync_all()?;
    }
    let newest: serde_json::Value = serde_json::from_slice(&newest).unwrap_or_default();
    lines.last = newest["at"].as_i64();
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_are_cut_behind_the_last_whole_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ndjson");
        assert_eq!(cut(&path).unwrap(), Lines::default());
        let two = "{\"seq\":1,\"at\":5,\"fields\":{}}\n{\"seq\":2,\"at\":7,\"fields\":{}}\n";
        for rest in ["", "{", "{\"seq\":3,\"at\":9,\"fields\":{}}"] {
            std::fs::write(&path, format!("{two}{rest}")).unwrap();
            let lines = cut(&path).unwrap();
            assert_eq!((lines.count, lines.last), (2, Some(7)));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), two);
        }
        std::fs::write(&path, "{\"seq\":").unwrap();
        assert_eq!(cut(&path).unwrap(), Lines::default());
    }
}
