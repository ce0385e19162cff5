//! What a finished job writes: everything that was found and made, in one change of the item's row.

use super::job::Prepare;
use super::probe::Video;
use crate::db::Conn;
use crate::db::schema::messages::media_items;
use crate::error::{Error, Result};
use crate::ids::MediaId;
use crate::jobs::Done;
use crate::media::Library;
use crate::media::format::Kind;
use crate::media::item::Item;
use crate::media::part;
use crate::media::prepared::{Chapter, Prepared};
use crate::media::upload::{self, Likeness};
use diesel::prelude::*;

/// All that was found and made.
pub struct Findings {
    /// ms; 0 when it isn't known.
    pub duration: i64,
    pub chapters: Vec<Chapter>,
    pub video: Option<Video>,
    pub made: Prepared,
}

/// The columns that say it.
#[derive(Clone, Debug, Queryable, Selectable, AsChangeset)]
#[diesel(table_name = media_items, treat_none_as_null = true)]
struct Columns {
    kind: String,
    duration: Option<i64>,
    width: Option<i32>,
    height: Option<i32>,
    chapters: Option<String>,
    prepared: Option<String>,
}

/// Publishes what was made. Nothing when the file is another one by now; its products are nobody's then and swept.
pub fn findings(library: &Library, job: Prepare, found: Findings) -> Done {
    let library = library.clone();
    Box::new(move |conn| {
        let kind = if found.video.is_some() { Kind::Video } else { Kind::Audio };
        let side =
            |of: fn(&Video) -> u32| found.video.as_ref().and_then(|video| i32::try_from(of(video)).ok());
        let json = |text: serde_json::Result<String>| text.map_err(Error::internal).map(Some);
        let columns = Columns {
            kind: kind.as_str().to_owned(),
            duration: Some(found.duration).filter(|duration| *duration > 0),
            width: side(|video| video.width),
            height: side(|video| video.height),
            chapters: if found.chapters.is_empty() {
                None
            } else {
                json(serde_json::to_string(&found.chapters))?
            },
            prepared: json(serde_json::to_string(&found.made))?,
        };
        write(conn, &library, &job, &columns)
    })
}

/// Takes back that it is waiting: whoever looks next sees the file as it is.
pub fn nothing(job: Prepare) -> Done {
    Box::new(move |conn| {
        diesel::update(job.own()).set(media_items::state.eq(None::<&str>)).execute(conn)?;
        Ok(())
    })
}

fn write(conn: &mut Conn, library: &Library, job: &Prepare, columns: &Columns) -> Result<()> {
    use media_items as m;
    let done = (m::state.eq("ready"), m::progress.eq(100), m::error.eq(None::<&str>));
    diesel::update(job.own()).set((columns, done)).execute(conn)?;
    library.forget(job.item);
    Ok(())
}

/// The same content was prepared before: its products serve both, if they are whole.
pub async fn twin(library: &Library, item: &Item, job: &Prepare) -> Result<Option<Done>> {
    let (id, bytes) = (item.id, item.size);
    let mut likes = library.db().read(move |conn| ready_of_size(conn, id, bytes)).await?;
    if likes.is_empty() {
        return Ok(None);
    }
    let (folder, db, path) = (library.folder().to_owned(), library.db().clone(), item.path.clone());
    let products = library.products();
    let look = move || -> Result<Option<(Likeness, String)>> {
        likes.retain(|(_, made)| {
            serde_json::from_str::<Prepared>(made).is_ok_and(|made| made.is_whole(&products))
        });
        let Ok(own) = part::hash_of(&folder.join(path)) else { return Ok(None) };
        let all = likes.iter().map(|(like, _)| like.clone()).collect();
        let like = upload::of_content(&db, &folder, all, &own)?;
        Ok(like.and_then(|like| likes.into_iter().find(|(one, _)| one.id == like.id)))
    };
    let Some((like, made)) = tokio::task::spawn_blocking(look).await.map_err(Error::internal)?? else {
        return Ok(None);
    };
    let (library, job) = (library.clone(), job.clone());
    Ok(Some(Box::new(move |conn| {
        use media_items as m;
        let still = m::table.filter(m::id.eq(like.id).and(m::modified_at.eq(like.modified_at)));
        let still = still.filter(m::state.eq("ready").and(m::prepared.eq(&made)));
        let columns: Option<Columns> = still.select(Columns::as_select()).first(conn).optional()?;
        match columns {
            Some(columns) => write(conn, &library, &job, &columns),
            // It was deleted or changed in this moment; the next look begins anew.
            None => nothing(job.clone())(conn),
        }
    })))
}

/// Those of this size in bytes, each with what was made of it as stored.
fn ready_of_size(conn: &mut Conn, but: MediaId, bytes: i64) -> Result<Vec<(Likeness, String)>> {
    use media_items as m;
    let rows: Vec<(Likeness, Option<String>)> = m::table
        .filter(m::size.eq(bytes).and(m::id.ne(but)).and(m::gone.eq(false)))
        .filter(m::state.eq("ready").and(m::prepared.is_not_null()))
        .order(m::id)
        .limit(8)
        .select(((m::id, m::path, m::modified_at, m::hash), m::prepared))
        .load(conn)?;
    Ok(rows.into_iter().filter_map(|(like, made)| Some((like, made?))).collect())
}
