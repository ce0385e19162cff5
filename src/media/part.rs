//! The part file of an upload: grows at its end, is hashed while it does, and forgets what broke off in between.

use super::format::HEAD;
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Bytes read in one go where a file is hashed again.
const CHUNK: usize = 1024 * 1024;

/// What has arrived so far. Everything here blocks.
pub struct Part {
    path: PathBuf,
    digest: Sha256,
    length: u64,
    /// Open only while something arrives: a hundred paused uploads must not hold a hundred descriptors.
    file: Option<File>,
}

/// A state to come back to.
pub struct Mark {
    digest: Sha256,
    length: u64,
}

impl Part {
    /// Reads what an earlier process left, if any; takes as long as hashing it does.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut part = Self { path: path.to_owned(), digest: Sha256::new(), length: 0, file: None };
        let mut digest = Sha256::new();
        part.length = digest_file(part.file()?, &mut digest)?;
        part.digest = digest;
        Ok(part)
    }

    /// Whether the file is as long as it was left; somebody may have tidied the folder.
    pub fn holds(&self) -> bool {
        std::fs::metadata(&self.path).is_ok_and(|meta| meta.len() == self.length)
    }

    /// Bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    fn file(&mut self) -> io::Result<&mut File> {
        if self.file.is_none() {
            let mut open = OpenOptions::new();
            self.file = Some(open.read(true).write(true).create(true).truncate(false).open(&self.path)?);
        }
        self.file.as_mut().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Appends all of it, or nothing.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let length = self.length;
        let file = self.file()?;
        file.seek(SeekFrom::Start(length))?;
        if let Err(error) = file.write_all(bytes) {
            file.set_len(length)?;
            return Err(error);
        }
        self.digest.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }

    pub fn mark(&self) -> Mark {
        Mark { digest: self.digest.clone(), length: self.length }
    }

    /// Forgets what came after the mark.
    pub fn roll_back(&mut self, mark: Mark) -> io::Result<()> {
        self.file()?.set_len(mark.length)?;
        (self.digest, self.length) = (mark.digest, mark.length);
        Ok(())
    }

    /// Its beginning, as far as formats are told by it.
    pub fn head(&mut self) -> io::Result<Vec<u8>> {
        let file = self.file()?;
        file.seek(SeekFrom::Start(0))?;
        let mut bytes = Vec::with_capacity(HEAD);
        file.take(HEAD as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Puts what has arrived onto the disk and lets go of the file.
    pub fn rest(&mut self) -> io::Result<()> {
        match self.file.take() {
            Some(file) => file.sync_all(),
            None => Ok(()),
        }
    }

    /// SHA-256 of what has arrived, in hexadecimal.
    pub fn hash(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.digest.clone().finalize())
    }
}

fn digest_file(file: &mut File, digest: &mut Sha256) -> io::Result<u64> {
    let mut bytes = vec![0; CHUNK];
    let mut length = 0;
    loop {
        match file.read(&mut bytes) {
            Ok(0) => return Ok(length),
            Ok(n) => {
                digest.update(&bytes[..n]);
                length += n as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// SHA-256 of a file, in hexadecimal.
pub fn hash_of(path: &Path) -> io::Result<String> {
    let mut digest = Sha256::new();
    digest_file(&mut File::open(path)?, &mut digest)?;
    Ok(data_encoding::HEXLOWER.encode(&digest.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_the_whole_file_however_it_came() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("part");
        let mut part = Part::open(&path)?;
        part.write(b"one ")?;
        let mark = part.mark();
        part.write(b"wrong")?;
        part.roll_back(mark)?;
        part.rest()?;
        assert!(part.holds() && part.length() == 4);
        // As after a restart.
        let mut part = Part::open(&path)?;
        assert_eq!(part.length(), 4);
        part.write(b"two")?;
        part.rest()?;
        assert_eq!(std::fs::read(&path)?, b"one two");
        assert_eq!(part.hash(), hash_of(&path)?);
        assert_eq!(part.hash(), data_encoding::HEXLOWER.encode(&Sha256::digest(b"one two")));
        assert_eq!(part.head()?, b"one two");
        std::fs::remove_file(&path)?;
        assert!(!part.holds());
        Ok(())
    }
}
