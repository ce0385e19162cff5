//! Removing products that no item has any more.

use super::workshop::UNFINISHED;
use crate::clock::now_ms;
use crate::db::Conn;
use crate::db::schema::messages::media_items;
use crate::error::{Error, Result};
use crate::ids::is_random;
use crate::jobs::queue;
use crate::media::Library;
use crate::media::prepared::Prepared;
use diesel::dsl::exists;
use diesel::prelude::*;
use std::collections::HashSet;
use std::io::ErrorKind;

/// How long the products of a file wait that has left the folder: a disk may come back. ms
const KEPT: i64 = 30 * 24 * 3600 * 1000;

/// The sets that items have, and those that are being made.
fn needed(conn: &mut Conn) -> Result<HashSet<String>> {
    use media_items as m;
    // First: a job that ends in between leaves its set in the item's row, which is read after.
    let mut sets: HashSet<String> = queue::leases(conn)?.into_iter().collect();
    let rows: Vec<Option<String>> =
        m::table.filter(m::prepared.is_not_null()).select(m::prepared).load(conn)?;
    let set = |json: &String| serde_json::from_str::<Prepared>(json).ok().map(|made| made.set);
    sets.extend(rows.iter().flatten().filter_map(set));
    Ok(sets)
}

/// Items whose files have been gone for so long that their products go too.
#[diesel::dsl::auto_type(no_type_alias)]
fn long_gone(now: i64) -> _ {
    let before: i64 = now - KEPT;
    let since = media_items::gone.eq(true).and(media_items::gone_at.lt(before));
    media_items::table.filter(since.and(media_items::prepared.is_not_null()))
}

fn forget_long_gone(conn: &mut Conn, now: i64) -> Result<()> {
    use media_items as m;
    diesel::update(long_gone(now))
        .set((m::prepared.eq(None::<&str>), m::state.eq(None::<&str>)))
        .execute(conn)?;
    Ok(())
}

impl Library {
    /// Removes the products that no item has, and what unfinished work left behind.
    pub async fn sweep_products(&self) -> Result<()> {
        let folder = self.products();
        let listed = tokio::task::spawn_blocking(move || -> std::io::Result<Vec<String>> {
            let entries = match std::fs::read_dir(folder) {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
                entries => entries?,
            };
            let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
            Ok(names.filter(|name| set_of(name).is_some()).collect())
        });
        let listed = listed.await.map_err(Error::internal)?.map_err(Error::internal)?;
        if listed.is_empty() {
            return Ok(());
        }
        // Only a look at first, so that an idle server writes nothing.
        let now = now_ms();
        let some = move |conn: &mut Conn| Ok(diesel::select(exists(long_gone(now))).get_result(conn)?);
        if self.db().read(some).await? {
            self.db().write(move |conn| forget_long_gone(conn, now)).await?;
        }
        // After the folder was read: whoever made one of them had its lease by then.
        let needed = self.db().read(needed).await?;
        let folder = self.products();
        let remove = move || {
            for name in listed {
                if set_of(&name).is_some_and(|set| !needed.contains(set))
                    && let Err(error) = std::fs::remove_dir_all(folder.join(&name))
                {
                    tracing::warn!(%error, "products that nobody needs could not be removed");
                }
            }
        };
        tokio::task::spawn_blocking(remove).await.map_err(Error::internal)
    }
}

/// The set of a folder that was made here; nothing for any other name.
fn set_of(name: &str) -> Option<&str> {
    let set = name.strip_suffix(UNFINISHED).unwrap_or(name);
    is_random(set).then_some(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_of_sets_are_swept() {
        let set = "0123456789abcdef0123456789abcdef";
        assert_eq!(set_of(set), Some(set));
        assert_eq!(set_of(&format!("{set}.part")), Some(set));
        for name in ["", "..", "notes", "0123456789ABCDEF0123456789abcdef", &format!("{set}.old")] {
            assert_eq!(set_of(name), None, "{name}");
        }
    }
}
