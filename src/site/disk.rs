//! How much room is left for files, and folders that nobody else looks into.

use std::io;
use std::path::Path;

/// Bytes that stay free on the disk: the databases need room too.
pub const RESERVE: u64 = 256 * 1024 * 1024;

/// Bytes that are free on the disk of a folder.
///
/// # Errors
/// What the system says, for example that there is no such folder.
pub async fn free(folder: &Path) -> io::Result<u64> {
    let folder = folder.to_owned();
    tokio::task::spawn_blocking(move || free_now(&folder)).await.map_err(io::Error::other)?
}

/// The same on a thread that may block.
///
/// # Errors
/// As for [`free`].
pub fn free_now(folder: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}
/// Makes a folder for what is nobody's but the server's own user's to read: databases, keys. One that is there already stays
/// as its owner has it.
///
/// # Errors
/// Whatever the file system says.
pub fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
