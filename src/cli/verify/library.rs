//! Whether what the library's table says is what lies in its folder: items, uploads under way, and what was made of both.

use super::renew;
use crate::db::schema::messages::{jobs, media_items as m, media_uploads as u};
use crate::db::{Conn, integrity};
use crate::error::Result;
use crate::jobs::queue;
use crate::media::{Item, PRODUCTS, UPLOADS, hash_of};
use diesel::prelude::*;
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;

const LOST: [(&str, &str); 3] = [
    (
        "SELECT COUNT(*) AS many FROM media_positions x WHERE NOT EXISTS \
         (SELECT 1 FROM media_items m WHERE m.id = x.media_id)",
        "remembered positions belong to no item.",
    ),
    (
        "SELECT COUNT(*) AS many FROM rooms r WHERE r.about_kind = 'media' AND r.deleted_at IS NULL AND NOT EXISTS \
         (SELECT 1 FROM media_items m WHERE m.id = r.about_id)",
        "talks belong to no item.",
    ),
    (
        "SELECT COUNT(*) AS many FROM media_uploads u WHERE u.media_id IS NOT NULL AND NOT EXISTS \
         (SELECT 1 FROM media_items m WHERE m.id = u.media_id)",
        "finished uploads belong to no item.",
    ),
];

/// Rows that belong to no item.
pub fn orphans(conn: &mut Conn) -> Result<Vec<String>> {
    integrity::ask(conn, &LOST)
}

/// Files of items that are not as they were, by size and time; with `hashes`, by their whole content. A file that was
/// replaced is found at the next look at the folder, and is no fault.
pub fn items(conn: &mut Conn, folder: &Path, hashes: bool) -> Result<Vec<String>> {
    renew(conn)?;
    let present = m::table.filter(m::gone.eq(false)).order(m::id);
    let rows: Vec<(Item, Option<String>)> = present.select((Item::as_select(), m::hash)).load(conn)?;
    let mut found = Vec::new();
    for (item, hash) in rows {
        let path = &item.path;
        let full = folder.join(path);
        match File::open(&full).and_then(|file| file.metadata()) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                found.push(format!("The file “{path}” is not in the library's folder."));
            }
            Err(error) => found.push(unread(path, &error)),
            Ok(meta) if hashes && item.is_of(&meta) => match hash.map(|hash| (hash_of(&full), hash)) {
                Some((Ok(now), hash)) if now != hash => {
                    found.push(format!("The content of “{path}” is not what was uploaded."));
                }
                Some((Err(error), _)) => found.push(unread(path, &error)),
                _ => {}
            },
            Ok(_) => {}
        }
    }
    Ok(found)
}

/// Part files of no upload.
pub fn uploads(conn: &mut Conn, folder: &Path) -> Result<Vec<String>> {
    let parts = match names(folder, UPLOADS) {
        Ok(parts) => parts,
        Err(fault) => return Ok(vec![fault]),
    };
    // After the folder was listed: a row is written before its file.
    renew(conn)?;
    let known: HashSet<String> = u::table.select(u::id).load::<String>(conn)?.into_iter().collect();
    let stray = parts.iter().filter(|name| !known.contains(name.split('.').next().unwrap_or_default()));
    Ok(stray.map(|name| format!("The part file “{name}” belongs to no upload.")).collect())
}

/// What was made of items and isn't there, or is there for none.
pub fn products(conn: &mut Conn, folder: &Path) -> Result<Vec<String>> {
    let sets = match names(folder, PRODUCTS) {
        Ok(sets) => sets,
        Err(fault) => return Ok(vec![fault]),
    };
    // After the folder was listed: whoever makes a set has its lease, and then the item has the set.
    renew(conn)?;
    let items: Vec<Item> = m::table.filter(m::prepared.is_not_null()).select(Item::as_select()).load(conn)?;
    let mut found = Vec::new();
    let mut known: HashSet<String> = queue::leases(conn)?.into_iter().collect();
    for item in &items {
        let Some(prepared) = item.prepared() else {
            found.push(format!("What was made of “{}” can't be told any more.", item.path));
            continue;
        };
        let set = folder.join(PRODUCTS).join(&prepared.set);
        for (name, bytes) in prepared.files() {
            match std::fs::metadata(set.join(name)) {
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    found.push(format!("“{name}” of “{}” is missing.", item.path));
                }
                Err(error) => found.push(unread(&format!("{name}” of “{}", item.path), &error)),
                Ok(meta) if bytes.is_some_and(|bytes| bytes != meta.len()) => {
                    found.push(format!(
                        "“{name}” of “{}” has another length than it was made with.",
                        item.path
                    ));
                }
                Ok(_) => {}
            }
        }
        known.insert(prepared.set.clone());
    }
    let unfinished: i64 = jobs::table.filter(jobs::state.ne("failed")).count().get_result(conn)?;
    let is_expected = |set: &str| known.contains(set) || (unfinished > 0 && set.ends_with(".part"));
    let stray = sets.iter().filter(|set| !is_expected(set));
    found.extend(stray.map(|set| format!("“{PRODUCTS}/{set}” belongs to no item.")));
    Ok(found)
}

fn unread(name: &str, error: &io::Error) -> String {
    format!("“{name}” can't be read: {error}.")
}

/// What lies in a folder of the library's, sorted; nothing where there is none.
///
/// # Errors
/// A sentence when it can't be read.
fn names(folder: &Path, name: &str) -> std::result::Result<Vec<String>, String> {
    let list = || -> io::Result<Vec<String>> {
        let entries = match std::fs::read_dir(folder.join(name)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names.collect()
    };
    let mut names = list().map_err(|error| unread(name, &error))?;
    names.sort_unstable();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::db::Which;
    use crate::rooms::Rooms;

    type Tested = std::result::Result<(), Box<dyn std::error::Error>>;

    #[test]
    fn what_came_after_the_first_look_at_the_database_is_no_fault() -> Tested {
        let folder = tempfile::tempdir()?;
        let mut config = Config::default();
        config.set("data", &folder.path().to_string_lossy())?;
        let db = Rooms::open(&config, |_| ())?.db;
        let mut conn = super::super::open(config.messages_url(), Which::Messages)?;
        let before: i64 = u::table.count().get_result(&mut conn)?;
        assert_eq!(before, 0);
        let (id, set) = ("00112233445566778899aabbccddeeff", "0123456789abcdef0123456789abcdef");
        db.write_blocking(move |conn| {
            let upload = (
                (u::id.eq(id), u::user_id.eq(1_i64), u::name.eq("a.wav"), u::length.eq(9_i64)),
                (u::started_at.eq(1_i64), u::touched_at.eq(1_i64)),
            );
            diesel::insert_into(u::table).values(upload).execute(conn)?;
            let job = (
                (jobs::kind.eq("prepare_media"), jobs::subject.eq(1_i64), jobs::payload.eq("{}")),
                (jobs::state.eq("running"), jobs::attempts.eq(1), jobs::progress.eq(0)),
                (jobs::queued_at.eq(1_i64), jobs::due_at.eq(1_i64), jobs::lease.eq(set)),
            );
            diesel::insert_into(jobs::table).values(job).execute(conn)?;
            Ok(())
        })?;
        let media = folder.path().join("media");
        std::fs::create_dir_all(media.join(PRODUCTS).join(set))?;
        std::fs::create_dir_all(media.join(UPLOADS))?;
        std::fs::write(media.join(UPLOADS).join(format!("{id}.part")), "half")?;
        assert_eq!(uploads(&mut conn, &media)?, [""; 0]);
        assert_eq!(products(&mut conn, &media)?, [""; 0]);
        // What stays wrong is found all the same.
        std::fs::create_dir(media.join(PRODUCTS).join(id))?;
        assert_eq!(products(&mut conn, &media)?.len(), 1);
        std::fs::remove_dir_all(media.join(UPLOADS))?;
        std::fs::write(media.join(UPLOADS), "no folder")?;
        let said = uploads(&mut conn, &media)?;
        assert!(said.len() == 1 && said[0].starts_with("“.uploads” can't be read: "), "{said:?}");
        db.close();
        Ok(())
    }
}
