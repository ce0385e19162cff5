//! The folder in which products are made. It gets its last name when all of them are whole and on the disk.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// What the name of an unfinished folder ends with.
pub const UNFINISHED: &str = ".part";

/// An unfinished folder. Dropping it removes it.
pub struct Workshop {
    folder: Option<PathBuf>,
    last: PathBuf,
}

impl Workshop {
    /// Makes the folder `set.part` inside `products`. Blocks.
    pub fn open(products: &Path, set: &str) -> io::Result<Self> {
        let folder = products.join(format!("{set}{UNFINISHED}"));
        fs::create_dir_all(&folder)?;
        Ok(Self { folder: Some(folder), last: products.join(set) })
    }

    /// Where a file of this name is made.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.as_deref().unwrap_or(&self.last).join(name)
    }

    /// Makes sure that all of it is on the disk and gives the folder its last name. Blocks.
    pub fn finish(mut self) -> io::Result<()> {
        let Some(folder) = self.folder.take() else { return Ok(()) };
        let done = seal(&folder, &self.last);
        if done.is_err() {
            self.folder = Some(folder);
        }
        done
    }
}

fn seal(folder: &Path, last: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        File::open(entry?.path())?.sync_all()?;
    }
    File::open(folder)?.sync_all()?;
    fs::rename(folder, last)?;
    last.parent().map_or(Ok(()), |products| File::open(products)?.sync_all())
}

impl Drop for Workshop {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            // What is left, the next tidying removes.
            let _ = fs::remove_dir_all(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_finished_leaves_nothing() -> io::Result<()> {
        let products = tempfile::tempdir()?;
        let workshop = Workshop::open(products.path(), "a")?;
        fs::write(workshop.path("x"), "half")?;
        drop(workshop);
        assert_eq!(fs::read_dir(products.path())?.count(), 0);
        let workshop = Workshop::open(products.path(), "b")?;
        fs::write(workshop.path("x"), "whole")?;
        workshop.finish()?;
        assert_eq!(fs::read(products.path().join("b/x"))?, b"whole");
        assert_eq!(fs::read_dir(products.path())?.count(), 1);
        Ok(())
    }
}
