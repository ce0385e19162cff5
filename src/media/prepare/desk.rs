//! Where preparations are ordered, cancelled and ordered again.

use super::job::{Place, Prepare};
use super::tools::Tools;
use crate::clock::now_ms;
use crate::db::Conn;
use crate::db::schema::messages::media_items;
use crate::error::{Error, Result};
use crate::ids::MediaId;
use crate::jobs::{Jobs, queue};
use crate::media::Library;
use crate::media::item::Item;
use crate::media::prepared::PLAYED;
use crate::media::record::{Keeper, find_own};
use diesel::prelude::*;
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
        if self.library.db().read(move |conn| unprepared(conn, able, now)).await?.is_empty() {
            return Ok(());
        }
        let ordered = self.library.db().write(move |conn| {
            let items = unprepared(conn, able, now)?;
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

fn say_without(conn: &mut Conn, item: &Item) -> Result<()> {
    use media_items as m;
    diesel::update(m::table.find(item.id))
        .set((m::state.eq("failed"), m::error.eq(NO_TOOLS)))
        .execute(conn)?;
    Ok(())
}
