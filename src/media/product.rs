//! Opening what was made of an item's file: renditions, posters and the like.

use super::item::Item;
use super::library::{Library, Opened};
use super::open;
use super::prepared::Prepared;
use super::sight::{NO_ITEM, Sight};
use crate::error::{Error, Result};
use crate::ids::MediaId;
use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where products lie, inside the library's folder. Hidden, so that a look at the folder doesn't see it.
pub const FOLDER: &str = ".prepared";

/// Which product an opened file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    pub set: String,
    pub name: String,
}

impl Library {
    /// Where the products of all items lie, each set in a folder of its own.
    pub(super) fn products(&self) -> PathBuf {
        self.folder().join(FOLDER)
    }

    /// Opens the best that every browser plays: the original, or a rendition of one that doesn't play everywhere.
    ///
    /// # Errors
    /// `NotFound` as for [`item`](Self::item).
    pub async fn open_best(&self, id: MediaId, sight: Sight) -> Result<Opened> {
        let item = self.remembered(id, sight).await?;
        if let Some(Prepared { plays: false, set, renditions, .. }) = item.prepared()
            && let Some(best) = renditions.first()
        {
            let (product, mime) = (Product { set: set.clone(), name: best.name.clone() }, best.mime.clone());
            if let Ok(opened) = self.open_in_set(item.clone(), product, mime).await {
                return Ok(opened);
            }
        }
        self.open_own(item).await
    }

    /// Opens a product by its name. `set` is what its address says: that of another state of the file is not found,
    /// so that nobody who plays it gets parts of two.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn open_product(
        &self,
        id: MediaId,
        sight: impl Into<Sight>,
        name: &str,
        set: Option<&str>,
    ) -> Result<Opened> {
        let sight = sight.into();
        let mut item = self.remembered(id, sight).await?;
        if of(&item, name, set).is_none() {
            // The row may be newer than what is remembered.
            self.forget(id);
            item = self.remembered(id, sight).await?;
        }
        let (product, mime) = of(&item, name, set).ok_or_else(no_product)?;
        self.open_in_set(item, product, mime).await
    }

    async fn open_in_set(&self, item: Arc<Item>, product: Product, mime: String) -> Result<Opened> {
        let relative = Path::new(FOLDER).join(&product.set).join(&product.name);
        let (id, path) = (item.id, self.folder().join(&relative));
        let file = match open::at_once(self.folder(), &relative) {
            Some(file) => Ok(file),
            None => tokio::task::spawn_blocking(move || open_plain(&path)).await.map_err(Error::internal)?,
        };
        let opened = file.map(|(file, meta)| Opened { item, file, meta, mime, product: Some(product) });
        opened.map_err(|error| {
            self.forget(id);
            tracing::warn!(%id, %error, "a product of the library could not be opened");
            no_product()
        })
    }
}

fn of(item: &Item, name: &str, set: Option<&str>) -> Option<(Product, String)> {
    let prepared = item.prepared()?;
    if set.is_some_and(|set| set != prepared.set) {
        return None;
    }
    let mime = prepared.mime_of(name)?.to_owned();
    Some((Product { set: prepared.set.clone(), name: name.to_owned() }, mime))
}

/// Opens a regular file; a link in its place is none.
fn open_plain(path: &Path) -> std::io::Result<(File, Metadata)> {
    if !std::fs::symlink_metadata(path)?.is_file() {
        return Err(std::io::ErrorKind::PermissionDenied.into());
    }
    let file = File::open(path)?;
    let meta = file.metadata()?;
    Ok((file, meta))
}

fn no_product() -> Error {
    NO_ITEM
}
