//! Where preparations are ordered, cancelled and ordered again.

use super::job::{Place, Prepare};
use super::tools::Tools;
use crate::accounts::Keeper;
use crate::clock::now_ms;
use crate::db::Conn;
use crate::db::schema::messages::media_items;
use crate::error::{Error, Result};
use crate::ids::MediaId;
use crate::jobs::{Jobs, queue};
use crate::media::Library;
use crate::media::item::Item;
use crate::media::prepared::PLAYED;
use crate::media::record::find_own;
use diesel::prelude::*;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

/// A file that was written a moment ago may still be growing; ms.
const SETTLED: i64 = 2000;
/// Items that are ordered in one transaction.
const SOME: i64 = 200;

const CANCELLED: &str = "Preparing it was cancelled.";
const NO_TOOLS: &str = "This server has no ffmpeg, which it needs to make this playable in browsers. The file itself can be downloaded.";

/// The library's preparations as handlers reach them; cheap to clone.
#[derive(Clone)]
pub struct Preparation {
    library: Library,
    jobs: Jobs,
    tools: Option<Arc<Tools>>,
    /// This node takes part at all.
    active: bool,
}

impl Preparation {
    /// With `active` unset, this node leaves preparing to others, or to nobody.
    pub fn new(library: Library, jobs: Jobs, tools: Option<Tools>, active: bool) -> Self {
        Self { library, jobs, tools: tools.map(Arc::new), active }
    }

    pub(super) fn library(&self) -> &Library {
        &self.library
    }

    pub(super) fn tools(&self) -> Option<&Arc<Tools>> {
        self.tools.as_ref().filter(|_| self.active)
    }

    /// What this node's runner needs for it; nothing when it takes no part.
    pub fn place(&self) -> Option<Place> {
        Place::of(self)
    }

    /// Orders what nobody has ordered yet. Without ffmpeg it says so at the items that need it.
    pub async fn order(&self) -> Result<()> {
        if !self.active {
            return Ok(());
        }
        let able = self.tools.is_some();
        let now = now_ms();
        let mut found = self.library.db().read(move |conn| unprepared(conn, able, now)).await?;
        if able && !found.is_empty() {
            let folder = self.library.folder().to_owned();
            let look = move || found.into_iter().filter(|item| is_settled(&folder, item)).collect();
            found = tokio::task::spawn_blocking(look).await.map_err(Error::internal)?;
        }
        if found.is_empty() {
            return Ok(());
        }
        let ordered = self.library.db().write(move |conn| {
            let mut items = unprepared(conn, able, now)?;
            items.retain(|item| found.iter().any(|one| one.id == item.id && one.version() == item.version()));
            for item in &items {
                if able {
                    queue::put(conn, &Prepare::from(item), now)?;
                } else {
                    say_without(conn, item)?;
                }
            }
            Ok(items.len())
        });
        let items = ordered.await?;
        tracing::debug!(items, "preparations were ordered");
        self.jobs.ring();
        Ok(())
    }

    /// Prepares an item once more.
    ///
    /// # Errors
    /// As for [`find_own`]; `Conflict` where nothing can be prepared.
    pub async fn again(&self, id: MediaId, by: Keeper) -> Result<Item> {
        if self.tools().is_none() {
            return Err(Error::conflict("no_tools", "This server can't prepare anything: it has no ffmpeg."));
        }
        let item = self.library.db().write(move |conn| {
            let item = find_own(conn, id, by)?;
            queue::put(conn, &Prepare::from(&item), now_ms())?;
            find_own(conn, id, by)
        });
        let item = item.await?;
        self.jobs.end::<Prepare>(id.0);
        self.jobs.ring();
        Ok(item)
    }

    /// Ends an item's preparation. What was made before stays.
    ///
    /// # Errors
    /// As for [`find_own`]; `Conflict` when it isn't being prepared.
    pub async fn cancel(&self, id: MediaId, by: Keeper) -> Result<Item> {
        let item = self.library.db().write(move |conn| {
            use media_items as m;
            find_own(conn, id, by)?;
            if !queue::remove::<Prepare>(conn, id.0)? {
                return Err(Error::conflict("not_preparing", "It isn't being prepared."));
            }
            diesel::update(m::table.find(id))
                .set((m::state.eq("failed"), m::progress.eq(0), m::error.eq(CANCELLED)))
                .execute(conn)?;
            find_own(conn, id, by)
        });
        let item = item.await?;
        self.jobs.end::<Prepare>(id.0);
        Ok(item)
    }
}

/// Items that nobody has ordered, and with tools those that were given up for want of them.
fn unprepared(conn: &mut Conn, able: bool, now: i64) -> Result<Vec<Item>> {
    use media_items as m;
    let mut query = m::table
        .filter(m::gone.eq(false).and(m::trashed_at.is_null()))
        // A time in the future says nothing about a file that grows.
        .filter(m::modified_at.lt(now - SETTLED).or(m::modified_at.gt(now)).or(m::user_id.is_not_null()))
        .order(m::id)
        .limit(SOME)
        .select(Item::as_select())
        .into_boxed();
    query = if able {
        query.filter(m::state.is_null().or(m::state.eq("failed").and(m::error.eq(NO_TOOLS))))
    } else {
        query.filter(m::state.is_null().and(m::mime.ne_all(PLAYED)))
    };
    Ok(query.load(conn)?)
}

/// Whether the file is the one that the row describes. One that grows, or is gone, is prepared when the row has followed
/// it: until then a job for it would end at once and be ordered again. One that can't be looked at gets its job, which
/// says so. Blocks.
fn is_settled(folder: &Path, item: &Item) -> bool {
    match std::fs::metadata(folder.join(&item.path)) {
        Ok(meta) => item.is_of(&meta),
        Err(error) => error.kind() != ErrorKind::NotFound,
    }
}

fn say_without(conn: &mut Conn, item: &Item) -> Result<()> {
    use media_items as m;
    diesel::update(m::table.find(item.id))
        .set((m::state.eq("failed"), m::error.eq(NO_TOOLS)))
        .execute(conn)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::db::schema::messages::jobs;
    use crate::media::prepare::tools::Guard;
    use crate::rooms::Rooms;
    use std::fs::{File, FileTimes};
    use std::io::Write as _;
    use std::time::{Duration, Instant, SystemTime};

    type Tested = std::result::Result<(), Box<dyn std::error::Error>>;

    /// Writes to a file as if that had been long ago.
    fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
        let mut file = File::options().create(true).append(true).open(path)?;
        file.write_all(bytes)?;
        file.set_times(FileTimes::new().set_modified(SystemTime::now() - Duration::from_hours(1)))
    }

    #[tokio::test]
    async fn a_file_is_ordered_when_its_row_says_what_it_is() -> Tested {
        let temp = tempfile::tempdir()?;
        let media = temp.path().join("media");
        std::fs::create_dir(&media)?;
        for name in ["grows.wav", "goes.wav"] {
            write(&media.join(name), b"RIFF....WAVE")?;
        }
        let mut config = Config::default();
        config.set("data", &temp.path().to_string_lossy())?;
        let library = Library::open(&media, Rooms::open(&config, |_| ())?.db)?;
        let tools = Tools { ffmpeg: "/nowhere".into(), ffprobe: "/nowhere".into(), guard: Guard::default() };
        let desk = Preparation::new(library.clone(), Jobs::default(), Some(tools), true);
        let ordered = |conn: &mut Conn| Ok(jobs::table.count().get_result::<i64>(conn)?);
        library.refresh().await?;
        std::fs::remove_file(media.join("goes.wav"))?;
        write(&media.join("grows.wav"), b" and more of it")?;
        // A job would find another file than it was ordered for, end, and be ordered again, for ever.
        desk.order().await?;
        assert_eq!(library.db().read(ordered).await?, 0);
        let begun = Instant::now();
        loop {
            library.refresh().await?;
            desk.order().await?;
            let now = library.db().read(ordered).await?;
            if now > 0 {
                assert_eq!(now, 1);
                break;
            }
            assert!(begun.elapsed() < Duration::from_mins(1), "it was never ordered");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }
}
