//! What is looked at before anything is changed in the data folder: that it is whole, that this program knows all that is in
//! it, and that there is a copy before the databases become others.

use super::make::{Wanted, databases, make};
use super::words;
use crate::config::Config;
use crate::db::{self, Access, Conn, FUTURE, Manager, Standing, Url, Which, integrity};
use std::path::{Path, PathBuf};

/// The file in the data folder while a restore goes on; also the ending of what isn't in its place yet.
pub const MARK: &str = ".restoring";
/// How copies are called that are made before the databases become others.
pub const BEFORE: &str = "before-";
/// Those that are kept: a look back over a few upgrades, without filling the disk.
const KEPT: usize = 3;

/// The sentence for a data folder in which a restore was interrupted.
pub fn interrupted(config: &Config) -> Option<String> {
    config.data.join(MARK).exists().then(|| {
        format!(
            "A restore into the data folder {} was interrupted, or still goes on. Empty the folder, and the databases \
             if they are elsewhere, and restore again.",
            config.data.display()
        )
    })
}

/// To be asked before the databases are opened to be changed. Makes a copy when they are about to become others.
///
/// # Errors
/// A sentence about why nothing may be changed here; nothing was then.
pub fn before_change(config: &Config) -> Result<(), String> {
    if let Some(sentence) = interrupted(config) {
        return Err(sentence);
    }
    let mut pending: Vec<String> = Vec::new();
    for (which, url) in databases(config) {
        if let Some(standing) = look(which, &url)?
            && !standing.applied.is_empty()
            && matches!(url, Url::Sqlite(_))
        {
            pending.extend(standing.pending);
        }
    }
    match pending.iter().max() {
        Some(newest) => copy(config, newest),
        None => Ok(()),
    }
}

/// How a database stands; nothing when there is none yet, or none that answers, which its opening will say.
fn look(which: Which, url: &Url) -> Result<Option<Standing>, String> {
    let bytes = match url {
        Url::Sqlite(path) => match std::fs::metadata(path) {
            Ok(meta) => meta.len(),
            Err(_) => return Ok(None),
        },
        Url::Postgres(_) => 0,
    };
    let manager = Manager { url: url.clone(), which, access: Access::Look };
    let name = which.name();
    let looked = || -> Result<(Standing, Option<String>), String> {
        let mut conn = manager.open().map_err(|error| words(&error))?;
        let standing = db::standing(&mut conn, which).map_err(|error| words(&error))?;
        if matches!(conn, Conn::Postgres(_)) || !standing.unknown.is_empty() {
            return Ok((standing, None));
        }
        let fault = integrity::glance(&mut conn, bytes).map_err(|error| words(&error))?;
        Ok((standing, fault))
    };
    let (standing, fault) = match looked() {
        Ok((standing, fault)) => (standing, fault),
        Err(what) if integrity::is_damage(&what) => (Standing::default(), Some(what)),
        Err(_) => return Ok(None),
    };
    if let Some(fault) = fault {
        return Err(format!(
            "The {name} database at {url} is damaged: {}. Nothing was changed. `hubbub verify` says more, and \
             `hubbub restore` puts a backup into an empty folder.",
            words(&fault)
        ));
    }
    if !standing.unknown.is_empty() {
        return Err(format!("The {name} database at {url} can't be used: {FUTURE}. Nothing was changed."));
    }
    Ok(Some(standing))
}

fn copy(config: &Config, newest: &str) -> Result<(), String> {
    let target = config.data.join(format!("{BEFORE}{newest}.tar"));
    // What was made before another try at the same is replaced: the last one may have changed something.
    let wanted = Wanted { force: true, recordings: false, media: false };
    make(config, &target, wanted).map_err(|sentence| {
        format!("The databases have to be brought up to date, and are copied before. {sentence} Nothing was changed.")
    })?;
    eprintln!("The databases are brought up to date. What they were before is in {}.", target.display());
    for old in copies(&config.data).into_iter().rev().skip(KEPT) {
        if let Err(error) = std::fs::remove_file(&old) {
            tracing::warn!(%error, "an old copy of the databases could not be removed");
        }
    }
    Ok(())
}

/// The copies in the data folder, oldest first.
fn copies(data: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(data).into_iter().flatten();
    let mut found: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    found.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(BEFORE) && name.ends_with(".tar")
    });
    found.sort_unstable();
    found
}
