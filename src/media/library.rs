//! The library: a folder, and the table that follows it.

use super::format::{Format, HEAD};
use super::item::{self, Changes, Found, Item, Known, Page};
use crate::clock::now_ms;
use crate::error::{Error, Result};
use crate::ids::MediaId;
use crate::rooms::Db;
use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::Mutex;

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

/// The samples that a new library starts with, the last one newest.
const SAMPLES: [(&str, &[u8]); 3] = [
    ("Nine bells.wav", include_bytes!("../../media/Nine bells.wav")),
    ("Slow walk.mp3", include_bytes!("../../media/Slow walk.mp3")),
    ("Sunrise.mp4", include_bytes!("../../media/Sunrise.mp4")),
];

/// The library as the handlers reach it; cheap to clone.
#[derive(Clone)]
pub struct Library {
    folder: Arc<Path>,
    db: Db,
    scan: Arc<Mutex<Option<Scan>>>,
    // Range requests come by the hundred for one film; its row changes almost never.
    items: moka::sync::Cache<MediaId, Arc<Item>>,
}

/// A file of the library, opened.
#[derive(Debug)]
pub struct Opened {
    pub item: Arc<Item>,
    pub file: File,
    /// As of the opened file, which the item's row may lag behind.
    pub meta: Metadata,
    pub mime: String,
}

/// The last look at the folder.
struct Scan {
    at: Instant,
    took: Duration,
    /// Every folder that was read, with its time of change.
    folders: Vec<(PathBuf, SystemTime)>,
}

impl Library {
    /// A library over `folder`. Where no such folder is, it is made, with the samples in it.
    ///
    /// # Errors
    /// A sentence that names the folder.
    pub fn open(folder: &Path, db: Db) -> Result<Self, String> {
        let cannot = |e: std::io::Error| format!("The media folder {} can't be used: {e}", folder.display());
        if let Err(error) = std::fs::metadata(folder) {
            if error.kind() != ErrorKind::NotFound {
                return Err(cannot(error));
            }
            std::fs::create_dir_all(folder).map_err(cannot)?;
            write_samples(folder).map_err(cannot)?;
        }
        let folder = folder.canonicalize().map_err(cannot)?;
        std::fs::read_dir(&folder).map_err(cannot)?;
        let items =
            moka::sync::Cache::builder().max_capacity(10_000).time_to_live(Duration::from_secs(30)).build();
        Ok(Self { folder: folder.into(), db, scan: Arc::default(), items })
    }

    /// A page of the list, newest first, and whether there are more.
    pub async fn page(&self, page: Page) -> Result<(Vec<Item>, bool)> {
        self.refresh().await?;
        self.db.read(move |conn| item::page(conn, &page)).await
    }

    /// How many items there are, and their bytes together.
    pub async fn total(&self) -> Result<(i64, i64)> {
        self.db.read(item::total).await
    }

    /// One item as it is now.
    ///
    /// # Errors
    /// `NotFound` when there is none, or its file is gone.
    pub async fn item(&self, id: MediaId) -> Result<Item> {
        self.refresh().await?;
        self.db.read(move |conn| item::find(conn, id)).await
    }

    /// Opens an item's file. It stays this file until it is dropped, whatever happens in the folder.
    ///
    /// # Errors
    /// `NotFound` as for [`item`](Self::item).
    pub async fn open_file(&self, id: MediaId) -> Result<Opened> {
        let item = if let Some(item) = self.items.get(&id) {
            item
        } else {
            let item = Arc::new(self.item(id).await?);
            self.items.insert(id, item.clone());
            item
        };
        let folder = self.folder.clone();
        let opened =
            tokio::task::spawn_blocking(move || open_inside(&folder, item)).await.map_err(Error::internal)?;
        match opened {
            Ok(opened) => {
                if differs(&opened) {
                    self.items.invalidate(&id);
                }
                Ok(opened)
            }
            Err(error) => {
                self.items.invalidate(&id);
                tracing::debug!(%id, %error, "a media file could not be opened");
                Err(Error::NotFound("There is no such item in the library."))
            }
        }
    }

    /// Lets the table follow the folder, unless that was done a moment ago and nothing speaks against it.
    pub async fn refresh(&self) -> Result<()> {
        // Held across the scan: those who come meanwhile wait for this one instead of starting their own.
        let mut last = self.scan.lock().await;
        let scan = last.take();
        let (folder, db) = (self.folder.clone(), self.db.clone());
        let scan = tokio::task::spawn_blocking(move || match scan {
            Some(scan) if scan.holds() => Ok(scan),
            _ => follow(&folder, &db),
        })
        .await
        .map_err(Error::internal)??;
        *last = Some(scan);
        Ok(())
    }
}

impl Scan {
    fn holds(&self) -> bool {
        let age = self.at.elapsed();
        let unchanged = || {
            self.folders.iter().all(|(path, changed)| {
                std::fs::metadata(path).and_then(|m| m.modified()).is_ok_and(|now| now == *changed)
            })
        };
        if self.took > LONG { age < self.took * SHARE } else { age < BELIEVED && unchanged() }
    }
}

fn write_samples(folder: &Path) -> std::io::Result<()> {
    for (name, sample) in SAMPLES {
        // Under another name first: a half-written sample must never be listed.
        let partial = folder.join(format!(".{name}.part"));
        File::create(&partial)?.write_all(sample)?;
        std::fs::rename(&partial, folder.join(name))?;
    }
    Ok(())
}

/// Reads folder and table, and writes the difference.
fn follow(folder: &Path, db: &Db) -> Result<Scan> {
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

fn head(file: &File) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(HEAD);
    file.take(HEAD as u64).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Opens the file of an item, which must be a regular one inside the folder by all the symlinks on its way.
fn open_inside(folder: &Path, item: Arc<Item>) -> std::io::Result<Opened> {
    let relative = Path::new(&item.path);
    if !relative.components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(ErrorKind::PermissionDenied.into());
    }
    let full = folder.join(relative).canonicalize()?;
    // Before opening: opening a named pipe would wait for somebody to write into it.
    if !full.starts_with(folder) || !std::fs::metadata(&full)?.is_file() {
        return Err(ErrorKind::PermissionDenied.into());
    }
    let file = File::open(&full)?;
    let meta = file.metadata()?;
    let mut opened = Opened { mime: item.mime.clone(), item, file, meta };
    if differs(&opened) {
        let head = head(&opened.file).unwrap_or_default();
        if let Some(format) = Format::of(&full, &head) {
            format.mime.clone_into(&mut opened.mime);
        }
    }
    Ok(opened)
}

/// Whether the file is another one than its row describes.
fn differs(opened: &Opened) -> bool {
    (opened.item.size, opened.item.modified_at) != (size(&opened.meta), modified_ms(&opened.meta))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::rooms::Rooms;

    type Tested = std::result::Result<(), Box<dyn std::error::Error>>;

    struct Place {
        temp: tempfile::TempDir,
        media: PathBuf,
        library: Library,
    }

    fn place() -> std::result::Result<Place, Box<dyn std::error::Error>> {
        let temp = tempfile::tempdir()?;
        let media = temp.path().join("media");
        std::fs::create_dir(&media)?;
        let library = Library::open(&media, database(temp.path())?)?;
        Ok(Place { temp, media, library })
    }

    fn database(folder: &Path) -> std::result::Result<Db, Box<dyn std::error::Error>> {
        let mut config = Config::default();
        config.set("data", &folder.to_string_lossy())?;
        Ok(Rooms::open(&config, |_| ())?.db)
    }

    impl Place {
        fn put(&self, name: &str, bytes: &[u8]) -> std::io::Result<()> {
            std::fs::write(self.media.join(name), bytes)
        }

        async fn paths(&self) -> Result<Vec<String>> {
            // As if a second had passed: the tests are quicker than a folder's clock ticks.
            *self.library.scan.lock().await = None;
            Ok(self.library.page(Page::default()).await?.0.into_iter().map(|item| item.path).collect())
        }
    }

    #[tokio::test]
    async fn a_new_library_has_the_samples_and_their_right_types() -> Tested {
        let temp = tempfile::tempdir()?;
        let library = Library::open(&temp.path().join("made/media"), database(temp.path())?)?;
        let (items, more) = library.page(Page::default()).await?;
        let seen: Vec<_> =
            items.iter().map(|i| (i.title.as_str(), i.kind.as_str(), i.mime.as_str())).collect();
        assert_eq!(
            seen,
            [
                ("Sunrise", "video", "video/mp4"),
                ("Slow walk", "audio", "audio/mpeg"),
                ("Nine bells", "audio", "audio/wav")
            ]
        );
        assert!(!more);
        let (count, bytes) = library.total().await?;
        assert_eq!((count, bytes), (3, items.iter().map(|i| i.size).sum()));
        assert!(bytes < 2_000_000);
        Ok(())
    }

    #[tokio::test]
    async fn a_file_that_leaves_and_returns_keeps_its_id() -> Tested {
        let place = place()?;
        place.put("a.wav", b"RIFF....WAVE")?;
        assert_eq!(place.paths().await?, ["a.wav"]);
        let id = place.library.page(Page::default()).await?.0[0].id;
        std::fs::remove_file(place.media.join("a.wav"))?;
        assert!(place.paths().await?.is_empty());
        assert_eq!(place.library.open_file(id).await.map(drop).map_err(|e| e.status()), Err(404));
        place.put("a.wav", b"RIFF....WAVE and more")?;
        assert_eq!(place.paths().await?, ["a.wav"]);
        let item = place.library.item(id).await?;
        assert_eq!((item.id, item.size), (id, 21));
        Ok(())
    }

    #[tokio::test]
    async fn a_dropped_file_is_listed_without_waiting() -> Tested {
        let place = place()?;
        assert!(place.library.page(Page::default()).await?.0.is_empty());
        // Longer than the folder's clock ticks, shorter than a scan is believed.
        tokio::time::sleep(Duration::from_millis(30)).await;
        place.put("new.mp3", b"ID3")?;
        assert_eq!(place.library.page(Page::default()).await?.0.len(), 1);
        Ok(())
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn only_media_files_inside_the_folder_are_items() -> Tested {
        use std::os::unix::fs::symlink;
        let place = place()?;
        place.put("in.wav", b"RIFF....WAVE")?;
        place.put("notes.txt", b"x")?;
        place.put(".hidden.wav", b"x")?;
        std::fs::create_dir(place.media.join("sub"))?;
        place.put("sub/deep.MP3", b"ID3")?;
        std::fs::write(place.temp.path().join("outside.wav"), b"secret")?;
        symlink(place.temp.path().join("outside.wav"), place.media.join("link.wav"))?;
        symlink(place.media.join("in.wav"), place.media.join("alias.wav"))?;
        symlink(place.temp.path(), place.media.join("up"))?;
        std::fs::create_dir(place.media.join("folder.mp4"))?;
        let mut paths = place.paths().await?;
        paths.sort();
        assert_eq!(paths, ["alias.wav", "in.wav", "sub/deep.MP3"]);
        Ok(())
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_file_that_became_a_link_out_of_the_folder_is_not_opened() -> Tested {
        let place = place()?;
        place.put("a.wav", b"RIFF....WAVE")?;
        place.paths().await?;
        let id = place.library.page(Page::default()).await?.0[0].id;
        place.library.open_file(id).await?;
        std::fs::remove_file(place.media.join("a.wav"))?;
        std::fs::write(place.temp.path().join("secret.wav"), b"secret")?;
        std::os::unix::fs::symlink(place.temp.path().join("secret.wav"), place.media.join("a.wav"))?;
        assert_eq!(place.library.open_file(id).await.map(drop).map_err(|e| e.status()), Err(404));
        Ok(())
    }

    #[tokio::test]
    async fn pages_go_both_ways_and_a_title_is_found_by_a_part_of_it() -> Tested {
        let place = place()?;
        for n in 1..=5 {
            place.put(&format!("Song {n}_%.mp3"), b"ID3")?;
            place.paths().await?;
        }
        let titles = async |page| -> Result<(Vec<String>, bool)> {
            let (items, more) = place.library.page(page).await?;
            Ok((items.into_iter().map(|i| i.title).collect(), more))
        };
        let ids: Vec<MediaId> = place.library.page(Page::default()).await?.0.iter().map(|i| i.id).collect();
        let two = Page { limit: 2, ..Page::default() };
        assert_eq!(titles(two.clone()).await?, (vec!["Song 5_%".into(), "Song 4_%".into()], true));
        let before = Page { before: Some(ids[3]), ..two.clone() };
        assert_eq!(titles(before).await?, (vec!["Song 1_%".into()], false));
        let after = Page { after: Some(ids[4]), ..two };
        assert_eq!(titles(after).await?, (vec!["Song 3_%".into(), "Song 2_%".into()], true));
        let query = |text: &str| Page { query: Some(text.into()), ..Page::default() };
        assert_eq!(titles(query("SONG 3_%")).await?.0, ["Song 3_%"]);
        assert!(titles(query("S%3")).await?.0.is_empty());
        let videos = Page { kind: Some(crate::media::Kind::Video), ..Page::default() };
        assert!(titles(videos).await?.0.is_empty());
        Ok(())
    }
}
