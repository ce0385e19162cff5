//! Whether what the library's table says is what lies in its folder: items, uploads under way, and what was made of both.

use crate::db::schema::messages::{jobs, media_items as m, media_uploads as u};
use crate::db::{Conn, integrity};
use crate::error::Result;
use crate::media::prepared::{POSTER, SPRITE, SPRITE_MAP, WAVE};
use crate::media::{Item, PRODUCTS, UPLOADS, hash_of};
use diesel::prelude::*;
use std::collections::HashSet;
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
    let present = m::table.filter(m::gone.eq(false)).order(m::id);
    let rows: Vec<(Item, Option<String>)> = present.select((Item::as_select(), m::hash)).load(conn)?;
    let mut found = Vec::new();
    for (item, hash) in rows {
        let path = &item.path;
        let full = folder.join(path);
        let Ok(meta) = std::fs::metadata(&full) else {
            found.push(format!("The file “{path}” is not in the library's folder."));
            continue;
        };
        if let (true, true, Some(hash)) = (hashes, item.is_of(&meta), hash)
            && hash_of(&full).is_ok_and(|now| now != hash)
        {
            found.push(format!("The content of “{path}” is not what was uploaded."));
        }
    }
    Ok(found)
}

/// Part files of no upload. One that is just being announced is seen in the table first.
pub fn uploads(conn: &mut Conn, folder: &Path) -> Result<Vec<String>> {
    let parts = names(&folder.join(UPLOADS));
    let known: HashSet<String> = u::table.select(u::id).load::<String>(conn)?.into_iter().collect();
    let stray = parts.iter().filter(|name| !known.contains(name.split('.').next().unwrap_or_default()));
    Ok(stray.map(|name| format!("The part file “{name}” belongs to no upload.")).collect())
}

/// What was made of items and isn't there, or is there for none.
pub fn products(conn: &mut Conn, folder: &Path) -> Result<Vec<String>> {
    let sets = names(&folder.join(PRODUCTS));
    let items: Vec<Item> = m::table.filter(m::prepared.is_not_null()).select(Item::as_select()).load(conn)?;
    let mut found = Vec::new();
    let mut known = HashSet::new();
    for item in &items {
        let Some(prepared) = item.prepared() else { continue };
        let set = folder.join(PRODUCTS).join(&prepared.set);
        let pictures = [
            (prepared.poster.is_some(), POSTER),
            (prepared.sprite.is_some(), SPRITE),
            (prepared.sprite.is_some(), SPRITE_MAP),
            (prepared.wave, WAVE),
        ];
        let made = pictures.into_iter().filter(|(made, _)| *made).map(|(_, name)| (name, None));
        let made = made.chain(prepared.renditions.iter().map(|one| (one.name.as_str(), Some(one.size))));
        for (name, bytes) in made {
            match std::fs::metadata(set.join(name)) {
                Err(_) => found.push(format!("“{name}” of “{}” is missing.", item.path)),
                Ok(meta) if bytes.is_some_and(|bytes| bytes != meta.len()) => {
                    found.push(format!(
                        "“{name}” of “{}” has another length than it was made with.",
                        item.path
                    ));
                }
                Ok(_) => {}
            }
        }
        known.insert(prepared.set);
    }
    let unfinished: i64 = jobs::table.filter(jobs::state.ne("failed")).count().get_result(conn)?;
    let is_expected = |set: &str| known.contains(set) || (unfinished > 0 && set.ends_with(".part"));
    let stray = sets.iter().filter(|set| !is_expected(set));
    found.extend(stray.map(|set| format!("“{PRODUCTS}/{set}” belongs to no item.")));
    Ok(found)
}

/// What lies in a folder; nothing where there is none.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    names
}
