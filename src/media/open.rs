//! Opening a file of the library without waiting for anything.

use std::fs::{File, Metadata};
use std::path::{Component, Path};

/// Opens a regular file below `folder`, which has no link in its own way, if the system has its way in memory and there
/// is no link on that. Nothing where this can't be told at once: a thread that may wait finds out.
///
/// A film is asked for by the hundred, and waking a thread for each takes longer than opening it.
#[cfg(target_os = "linux")]
pub fn at_once(folder: &Path, relative: &Path) -> Option<(File, Metadata)> {
    use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
    if !is_below(relative) {
        return None;
    }
    // Not blocking, since opening a named pipe would wait for somebody to write into it.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let way = ResolveFlags::CACHED | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let file = File::from(openat2(CWD, folder.join(relative), flags, Mode::empty(), way).ok()?);
    let meta = file.metadata().ok()?;
    meta.is_file().then_some((file, meta))
}

#[cfg(not(target_os = "linux"))]
pub fn at_once(_: &Path, _: &Path) -> Option<(File, Metadata)> {
    None
}

/// Whether a path that follows a folder's stays below that, but for links.
pub fn is_below(relative: &Path) -> bool {
    relative.components().all(|part| matches!(part, Component::Normal(_)))
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
        let opened = at_once(&folder, Path::new("a.wav"));
        if let Some((mut file, _)) = opened {
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
        let absolute = path.to_string_lossy().into_owned();
        for none in
            ["link.wav", "linked/b.wav", "real", "real/../a.wav", "pipe.wav", "nothing.wav", "", &absolute]
        {
            assert!(at_once(&folder, Path::new(none)).is_none(), "{none}");
        }
        Ok(())
    }
}
