//! The archive while it is written: beside its target under a name of its own, which nobody takes for a backup.

use super::manifest::{Kept, Manifest};
use super::{ROOT, proof, words};
use crate::clock::now_ms;
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{BufWriter, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Bytes that are hashed and written at once.
const BUFFER: usize = 256 * 1024;

/// What the first file says, to whoever finds the archive in ten years.
const README: &str = "\
This is a backup of a Hubbub server. `hubbub restore FILE` puts it into an empty data folder; `hubbub verify FILE`
says whether it is whole. It can be read without Hubbub as well:

accounts/ and messages/ have the tables of the two databases, each in the binary format of PostgreSQL's COPY:
`COPY table (columns) FROM 'file' WITH (FORMAT binary)` reads one. manifest.json names the columns in their order, and
the length and SHA-256 of every file. recordings/ and media/ have files as they were.

seal is the SHA-256 of all bytes before its own header, in hexadecimal.

Whoever has this file can read everything that was written. Keep it like the server itself.
";

/// An archive that isn't whole yet. Dropped, nothing of it stays.
pub struct Archive {
    tar: tar::Builder<NamedTempFile>,
    target: PathBuf,
    force: bool,
    files: Vec<Kept>,
}

impl Archive {
    /// Begins one that will stand at `target`.
    ///
    /// # Errors
    /// When something stands there already, unless `force`; or when nothing can be written there.
    pub fn begin(target: &Path, force: bool) -> Result<Self, String> {
        if target.is_dir() {
            return Err(format!("{} is a folder. Name a file in it.", target.display()));
        }
        if !force && target.exists() {
            return Err(format!(
                "{} is there already. Choose another name, or say --force to replace it.",
                target.display()
            ));
        }
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let file = tempfile::Builder::new()
            .prefix(&format!(".{name}."))
            .suffix(".part")
            .tempfile_in(folder_of(target))
            .map_err(|error| not_written(target, &error))?;
        let mut archive =
            Self { tar: tar::Builder::new(file), target: target.to_owned(), force, files: Vec::new() };
        archive
            .add("README.txt", None, |out| out.write_all(README.as_bytes()).map_err(|error| words(&error)))?;
        Ok(archive)
    }

    /// Adds a file of a length that isn't known before. `modified`: when it was last written, ms.
    ///
    /// # Errors
    /// What `write` or the disk says, as a part of a sentence.
    pub fn add<T>(
        &mut self,
        name: &str,
        modified: Option<i64>,
        write: impl FnOnce(&mut dyn Write) -> Result<T, String>,
    ) -> Result<T, String> {
        let (done, kept) = self.write(name, modified, write)?;
        self.files.push(kept);
        Ok(done)
    }

    fn write<T>(
        &mut self,
        name: &str,
        modified: Option<i64>,
        write: impl FnOnce(&mut dyn Write) -> Result<T, String>,
    ) -> Result<(T, Kept), String> {
        let mut header = header(modified.unwrap_or_else(now_ms));
        let entry = self.tar.append_writer(&mut header, format!("{ROOT}/{name}")).map_err(|e| words(&e))?;
        let mut out =
            BufWriter::with_capacity(BUFFER, Hashing { inner: entry, digest: Sha256::new(), bytes: 0 });
        let done = write(&mut out)?;
        let Hashing { inner, digest, bytes } = out.into_inner().map_err(|error| words(error.error()))?;
        inner.finish().map_err(|error| words(&error))?;
        let sha256 = HEXLOWER.encode(&digest.finalize());
        Ok((done, Kept { name: name.to_owned(), bytes, sha256, modified }))
    }

    /// Writes the manifest, reads all of it back, seals it, and gives it its name. Answers with its bytes
    /// and all that the manifest says.
    ///
    /// # Errors
    /// A sentence; nothing stays then.
    pub fn finish(mut self, mut manifest: Manifest) -> Result<(u64, Manifest), String> {
        let target = self.target.clone();
        let failed = |error: &dyn std::fmt::Display| not_written(&target, error);
        manifest.files = std::mem::take(&mut self.files);
        let text = serde_json::to_vec_pretty(&manifest).map_err(|error| failed(&error))?;
        let write = |out: &mut dyn Write| out.write_all(&text).map_err(|error| words(&error));
        self.write(proof::MANIFEST, None, write).map_err(|error| failed(&error))?;
        let mut file = self.tar.into_inner().map_err(|error| failed(&error))?;
        // What ends an archive is a part of the seal.
        let length = file.as_file().metadata().map_err(|error| failed(&error))?.len() - proof::END;
        let written = file.reopen().map_err(|error| failed(&error))?;
        let (read, digest) = proof::read_through(written, length)
            .map_err(|fault| failed(&format!("what was written is read back otherwise ({fault})")))?;
        if read != manifest {
            return Err(failed(&"what was written is read back otherwise"));
        }
        let mut seal = || {
            file.as_file().set_len(length)?;
            file.seek(SeekFrom::Start(length))?;
            file.write_all(&proof::seal(&digest)?)?;
            file.as_file().sync_all()
        };
        seal().map_err(|error| failed(&error))?;
        let placed = if self.force { file.persist(&target) } else { file.persist_noclobber(&target) };
        placed.map_err(|error| failed(&error.error))?;
        sync_folder(folder_of(&target)).map_err(|error| failed(&error))?;
        Ok((length + proof::SEAL, manifest))
    }
}

fn header(modified: i64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_mode(0o600);
    header.set_mtime(u64::try_from(modified / 1000).unwrap_or_default());
    header
}

fn not_written(target: &Path, error: &dyn std::fmt::Display) -> String {
    format!("The backup {} could not be written: {}.", target.display(), words(&error))
}

/// The folder that a file is in, or will be.
pub fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes what was renamed in a folder survive a power cut.
///
/// # Errors
/// What the system says.
pub fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Hashes and counts what passes.
struct Hashing<W> {
    inner: W,
    digest: Sha256,
    bytes: u64,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.digest.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}
