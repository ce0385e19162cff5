//! The two programs that preparation needs, and where they are.

use std::ffi::OsStr;
use std::path::PathBuf;

/// ffmpeg and ffprobe, as found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tools {
    pub(super) ffmpeg: PathBuf,
    pub(super) ffprobe: PathBuf,
    pub(super) guard: Guard,
}

/// Programs of Linux that set bounds and then become the program they are given, so that it has them from its first
/// moment on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// Ends a program with the one that started it.
    pub(super) setpriv: Option<PathBuf>,
    pub(super) prlimit: Option<PathBuf>,
}

fn find(path: Option<&OsStr>, name: &str) -> Option<PathBuf> {
    let folders = path.map(std::env::split_paths).into_iter().flatten();
    // An entry that isn't absolute would mean the folder that the server happens to run in.
    folders.filter(|folder| folder.is_absolute()).map(|folder| folder.join(name)).find(|file| file.is_file())
}

impl Guard {
    /// Looks in the folders of `PATH`.
    pub fn find(path: Option<&OsStr>) -> Self {
        let path = path.filter(|_| cfg!(target_os = "linux"));
        Self { setpriv: find(path, "setpriv"), prlimit: find(path, "prlimit") }
    }
}

impl Tools {
    /// Looks in the folders of `PATH`. Nothing unless both are there.
    pub fn find(path: Option<&OsStr>) -> Option<Self> {
        let (ffmpeg, ffprobe) = (find(path, "ffmpeg")?, find(path, "ffprobe")?);
        Some(Self { ffmpeg, ffprobe, guard: Guard::find(path) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_must_be_there_and_a_relative_folder_is_no_place_to_look() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("ffmpeg"), "")?;
        assert_eq!(Tools::find(Some(folder.path().as_os_str())), None);
        std::fs::write(folder.path().join("ffprobe"), "")?;
        let found = Tools::find(Some(folder.path().as_os_str()));
        assert_eq!(found.map(|tools| tools.ffprobe), Some(folder.path().join("ffprobe")));
        assert_eq!(Tools::find(Some(OsStr::new("."))), None);
        assert_eq!(Tools::find(None), None);
        Ok(())
    }
}
