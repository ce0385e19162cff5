//! Which of the server's nodes this is, over its restarts.

use crate::error::Result;
use crate::ids;
use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;

/// The file in the data folder.
const FILE: &str = "node";
/// Hexadecimal digits of a name, with which its leases begin: two nodes of the same name are as good as impossible, and
/// the rest tells a node's own leases apart.
const DIGITS: usize = 12;

/// One node. As long as it lives, no other program has its name.
pub struct Node {
    name: String,
    /// Locked, which the system undoes when the program ends, however it ends.
    _held: Option<File>,
}

impl Node {
    /// The node that keeps its data here. Whoever can't have its name, because another program over the same folder has
    /// it, is a node of its own until it ends.
    ///
    /// # Errors
    /// `Internal` when the system has no randomness to give.
    pub fn open(data: &Path) -> Result<Self> {
        let mut name = ids::random()?;
        name.truncate(DIGITS);
        match held(data, &name) {
            Ok(Some((name, file))) => return Ok(Self { name, _held: Some(file) }),
            Ok(None) => tracing::warn!("another program works with the same data folder"),
            Err(error) => tracing::warn!(%error, "the node's name can't be kept in the data folder"),
        }
        Ok(Self { name, _held: None })
    }

    /// What its leases begin with.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A new lease: 32 hexadecimal digits that nobody had before.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn lease(&self) -> Result<String> {
        Ok(format!("{}{}", self.name, &ids::random()?[DIGITS..]))
    }
}

/// The name that is kept, or `fresh` from now on; nothing while another program holds it.
fn held(data: &Path, fresh: &str) -> io::Result<Option<(String, File)>> {
    let mut file =
        File::options().read(true).write(true).create(true).truncate(false).open(data.join(FILE))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let mut kept = String::new();
    // What can't be read is no name either, and is replaced by one.
    let _ = (&mut file).take(1024).read_to_string(&mut kept);
    let is_name = kept.len() == DIGITS && kept.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !is_name {
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(fresh.as_bytes())?;
        file.sync_all()?;
        fresh.clone_into(&mut kept);
    }
    Ok(Some((kept, file)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_keeps_its_name_and_shares_it_with_nobody() -> std::result::Result<(), Box<dyn std::error::Error>>
    {
        let folder = tempfile::tempdir()?;
        let node = Node::open(folder.path())?;
        let (name, lease) = (node.name().to_owned(), node.lease()?);
        assert!(ids::is_random(&lease) && lease.starts_with(&name) && lease != node.lease()?);
        assert_ne!(Node::open(folder.path())?.name(), name);
        drop(node);
        assert_eq!(Node::open(folder.path())?.name(), name);
        std::fs::write(folder.path().join(FILE), b"\xff not a name")?;
        let other = Node::open(folder.path())?;
        assert!(other.name().len() == DIGITS && other.name() != name);
        let name = other.name().to_owned();
        drop(other);
        assert_eq!(Node::open(folder.path())?.name(), name);
        assert_eq!(Node::open(Path::new("/nowhere"))?.name().len(), DIGITS);
        Ok(())
    }
}
