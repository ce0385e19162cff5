//! The library: a folder, and the table that follows it.

use super::format::Format;
use super::item::{self, Item};
use super::open;
use super::product::Product;
use super::scan::{Scan, follow, head};
use super::shelf::{self, Page};
use super::sight::{NO_ITEM, Seen, Sight};
use crate::error::{Error, Result};
use crate::ids::MediaId;
use crate::rooms::Db;
use std::fs::{File, Metadata};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, OwnedMutexGuard};

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
    /// What it is of the things that were made of the item's file; nothing for the file itself.
    pub product: Option<Product>,
}

impl Opened {
    /// What it is called when it is saved.
    pub fn file_name(&self) -> String {
        let file = self.item.file_name();
        match &self.product {
            Some(product) => {
                let stem = Path::new(file).file_stem().unwrap_or_default().to_string_lossy();
                format!("{stem}.{}", product.name)
            }
            None => file.to_owned(),
        }
    }
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

    /// A page of the list, and whether there are more.
    pub async fn page(&self, page: Page) -> Result<(Vec<Item>, bool)> {
        self.refresh_to_read().await?;
        while self.db.read(shelf::is_behind).await? {
            match self.db.write(shelf::catch_up).await {
                Err(Error::Busy(_)) => break,
                Err(error) => return Err(error),
                Ok(()) => {}
            }
        }
        self.db.read(move |conn| shelf::page(conn, &page)).await
    }

    /// How many items there are, and their bytes together.
    pub async fn total(&self, sight: Sight) -> Result<(i64, i64)> {
        self.db.read(move |conn| item::total(conn, sight)).await
    }

    /// One item as it is now.
    ///
    /// # Errors
    /// `NotFound` when there is none, its file is gone, or it isn't for these eyes.
    pub async fn item(&self, id: MediaId, sight: impl Into<Sight>) -> Result<Item> {
        let sight = sight.into();
        self.refresh_to_read().await?;
        self.db.read(move |conn| item::find(conn, id, sight)).await
    }

    /// Opens an item's file. It stays this file until it is dropped, whatever happens in the folder.
    ///
    /// # Errors
    /// `NotFound` as for [`item`](Self::item).
    pub async fn open_file(&self, id: MediaId, sight: impl Into<Sight>) -> Result<Opened> {
        let item = self.remembered(id, sight.into()).await?;
        self.open_own(item).await
    }

    /// Opens the file of an item that whoever asks may see.
    pub(super) async fn open_own(&self, item: Arc<Item>) -> Result<Opened> {
        let id = item.id;
        if let Some((file, meta)) = open::at_once(&self.folder, Path::new(&item.path))
            && item.is_of(&meta)
        {
            return Ok(Opened { mime: item.mime.clone(), item, file, meta, product: None });
        }
        let folder = self.folder.clone();
        let opened =
            tokio::task::spawn_blocking(move || open_inside(&folder, item)).await.map_err(Error::internal)?;
        match opened {
            Ok(opened) => {
                if !opened.item.is_of(&opened.meta) {
                    self.items.invalidate(&id);
                }
                Ok(opened)
            }
            Err(error) => {
                self.items.invalidate(&id);
                tracing::debug!(%id, %error, "a media file could not be opened");
                Err(NO_ITEM)
            }
        }
    }

    /// An item as it was a moment ago, for whoever sees it now.
    pub(super) async fn remembered(&self, id: MediaId, sight: Sight) -> Result<Arc<Item>> {
        if let Some(item) = self.items.get(&id) {
            match sight.of(&item) {
                Seen::Yes => {}
                Seen::No => return Err(NO_ITEM),
                asked @ Seen::ByMembers(..) => self.db.read(move |conn| asked.check(conn)).await?,
            }
            return Ok(item);
        }
        let item = Arc::new(self.item(id, sight).await?);
        self.items.insert(id, item.clone());
        Ok(item)
    }

    /// Where an item's file is, and what the disk says of it. Blocks.
    pub(super) fn look_at(&self, item: Arc<Item>) -> std::io::Result<(PathBuf, Metadata)> {
        let path = self.folder.join(&item.path).canonicalize()?;
        Ok((path, open_inside(&self.folder, item)?.meta))
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn db(&self) -> &Db {
        &self.db
    }

    /// Its row is another one now, or gone.
    pub(super) fn forget(&self, id: MediaId) {
        self.items.invalidate(&id);
    }

    /// While it is held nobody looks at the folder.
    pub(super) async fn still(&self) -> OwnedMutexGuard<Option<Scan>> {
        self.scan.clone().lock_owned().await
    }

    /// The same for those who only read: while nothing can be stored they get what is known so far.
    pub async fn refresh_to_read(&self) -> Result<()> {
        match self.refresh().await {
            Err(Error::Busy(_)) => Ok(()),
            done => done,
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

fn write_samples(folder: &Path) -> std::io::Result<()> {
    for (name, sample) in SAMPLES {
        // Under another name first: a half-written sample must never be listed.
        let partial = folder.join(format!(".{name}.part"));
        File::create(&partial)?.write_all(sample)?;
        std::fs::rename(&partial, folder.join(name))?;
    }
    Ok(())
}

/// Opens the file of an item, which must be a regular one inside the folder by all the symlinks on its way.
fn open_inside(folder: &Path, item: Arc<Item>) -> std::io::Result<Opened> {
    let relative = Path::new(&item.path);
    if !open::is_below(relative) {
        return Err(ErrorKind::PermissionDenied.into());
    }
    let full = folder.join(relative).canonicalize()?;
    // Before opening: opening a named pipe would wait for somebody to write into it.
    if !full.starts_with(folder) || !std::fs::metadata(&full)?.is_file() {
        return Err(ErrorKind::PermissionDenied.into());
    }
    let file = File::open(&full)?;
    let meta = file.metadata()?;
    let mut opened = Opened { mime: item.mime.clone(), item, file, meta, product: None };
    if !opened.item.is_of(&opened.meta) {
        let head = head(&opened.file).unwrap_or_default();
        if let Some(format) = Format::of(&full, &head) {
            format.mime.clone_into(&mut opened.mime);
        }
    }
    Ok(opened)
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
        let (count, bytes) = library.total(Sight::default()).await?;
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
        assert_eq!(
            place.library.open_file(id, Sight::default()).await.map(drop).map_err(|e| e.status()),
            Err(404)
        );
        place.put("a.wav", b"RIFF....WAVE and more")?;
        assert_eq!(place.paths().await?, ["a.wav"]);
        let item = place.library.item(id, Sight::default()).await?;
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
        place.library.open_file(id, Sight::default()).await?;
        std::fs::remove_file(place.media.join("a.wav"))?;
        std::fs::write(place.temp.path().join("secret.wav"), b"secret")?;
        std::os::unix::fs::symlink(place.temp.path().join("secret.wav"), place.media.join("a.wav"))?;
        assert_eq!(
            place.library.open_file(id, Sight::default()).await.map(drop).map_err(|e| e.status()),
            Err(404)
        );
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
