//! Opening a file of the library without waiting for anything.

use std::fs::File;
use std::path::Path;

/// Opens a regular file whose way the system has in memory, with no link on it. Nothing where that can't be told at
/// once, which a thread finds out that may wait.
///
/// A film is asked for by the hundred, and waking a thread for each takes longer than opening it.
#[cfg(target_os = "linux")]
pub fn at_once(path: &Path) -> Option<File> {
    use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
    use std::path::Component;
    // Not blocking, since opening a named pipe would wait for somebody to write into it.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let way = ResolveFlags::CACHED | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    if path.components().any(|part| part == Component::ParentDir) {
        return None;
    }
    let file = File::from(openat2(CWD, path, flags, Mode::empty(), way).ok()?);
    file.metadata().is_ok_and(|meta| meta.is_file()).then_some(file)
}

#[cfg(not(target_os = "linux"))]
pub fn at_once(_: &Path) -> Option<File> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::io::{self, Read as _};
    use std::os::unix::fs::symlink;

    #[test]
    fn only_a_plain_file_is_opened_and_nothing_waits() -> io::Result<()> {
        let temp = tempfile::tempdir()?;
        let folder = temp.path().canonicalize()?;
        let path = folder.join("a.wav");
        std::fs::write(&path, "sound")?;
        // A kernel before 5.12 can't be asked.
        if let Some(mut file) = at_once(&path) {
            let mut text = String::new();
            file.read_to_string(&mut text)?;
            assert_eq!(text, "sound");
        }
        symlink(&path, folder.join("link.wav"))?;
        std::fs::create_dir(folder.join("real"))?;
        std::fs::write(folder.join("real/b.wav"), "other")?;
        symlink(folder.join("real"), folder.join("linked"))?;
        rustix::fs::mknodat(
            rustix::fs::CWD,
            folder.join("pipe.wav"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )?;
        for none in ["link.wav", "linked/b.wav", "real", "real/../a.wav", "pipe.wav", "nothing.wav"] {
            assert!(at_once(&folder.join(none)).is_none(), "{none}");
        }
        Ok(())
    }
}
