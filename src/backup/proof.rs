//! Whether an archive is whole: its seal, the SHA-256 of every file in it, and that nothing is in it that the manifest doesn't name.
//!
//! The seal is the archive's last 2,048 bytes: a file with the SHA-256 of all bytes before it, and the two empty blocks
//! that end every archive. All of it follows from that hash, so that it is compared byte by byte.

use super::ROOT;
use super::manifest::{FORMAT, Kept, Manifest};
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};
use std::path::Path;

/// The last file but the seal.
pub const MANIFEST: &str = "manifest.json";
/// Bytes of the two empty blocks behind the last file.
pub const END: u64 = 1024;
/// Bytes of the seal: a header, a block with the hash, the end.
pub const SEAL: u64 = 2 * 512 + END;
/// The largest manifest that is read: millions of files have a smaller one.
const MANIFEST_MAX: u64 = 1 << 30;
const BUFFER: usize = 256 * 1024;

/// Why a file is no backup, or none any more; a part of a sentence.
#[derive(Debug)]
pub enum Fault {
    Foreign,
    Damaged(String),
    /// Its format is newer than this program.
    Future,
    Unreadable(io::Error),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => write!(f, "it is not a backup of Hubbub's"),
            Self::Damaged(why) => write!(f, "it is damaged or cut off ({why})"),
            Self::Future => write!(f, "a newer version of Hubbub has made it"),
            Self::Unreadable(error) => write!(f, "it can't be read: {error}"),
        }
    }
}

fn damaged(why: &str) -> Fault {
    Fault::Damaged(why.to_owned())
}

/// Reads a whole archive and compares every byte with what it should be.
///
/// # Errors
/// A sentence that names the file.
pub fn prove(path: &Path) -> Result<Manifest, String> {
    examine(path).map_err(|fault| format!("{} can't be used: {fault}.", path.display()))
}

fn examine(path: &Path) -> Result<Manifest, Fault> {
    let mut file = File::open(path).map_err(Fault::Unreadable)?;
    let length = file.metadata().map_err(Fault::Unreadable)?.len();
    // The first name in it; what is shorter may be the beginning of one.
    let wanted = format!("{ROOT}/README.txt\0");
    let mut head = Vec::new();
    (&mut file).take(wanted.len() as u64).read_to_end(&mut head).map_err(Fault::Unreadable)?;
    if head.is_empty() || !wanted.as_bytes().starts_with(&head) {
        return Err(Fault::Foreign);
    }
    let Some(body) = length.checked_sub(SEAL) else { return Err(damaged("it is too short")) };
    file.rewind().map_err(Fault::Unreadable)?;
    let (manifest, digest) = read_through(file.try_clone().map_err(Fault::Unreadable)?, body)?;
    let mut seal_there = Vec::new();
    file.seek(SeekFrom::Start(body)).map_err(Fault::Unreadable)?;
    (&mut file).take(SEAL + 1).read_to_end(&mut seal_there).map_err(Fault::Unreadable)?;
    if seal_there != seal(&digest).map_err(Fault::Unreadable)? {
        return Err(damaged("its seal doesn't fit"));
    }
    Ok(manifest)
}

/// The seal of an archive whose other bytes have this hash.
///
/// # Errors
/// Never: the name is short.
pub fn seal(digest: &[u8; 32]) -> io::Result<Vec<u8>> {
    let text = format!("{}\n", HEXLOWER.encode(digest));
    let mut header = tar::Header::new_gnu();
    header.set_path(format!("{ROOT}/seal"))?;
    header.set_entry_type(tar::EntryType::Regular);
    header.set_size(text.len() as u64);
    header.set_mode(0o600);
    header.set_mtime(0);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes.resize(usize::try_from(SEAL).unwrap_or(bytes.len()), 0);
    Ok(bytes)
}

/// Reads the archive up to `length`, its seal left out, and answers with its manifest, which all of it agrees with, and
/// with the hash of those bytes.
///
/// # Errors
/// What is wrong with it.
pub fn read_through(file: File, length: u64) -> Result<(Manifest, [u8; 32]), Fault> {
    let mut body =
        Hashed { inner: BufReader::with_capacity(BUFFER, file).take(length), digest: Sha256::new() };
    let mut found = Vec::new();
    let mut manifest: Option<Manifest> = None;
    each(&mut body, |name, content| {
        if manifest.is_some() {
            return Err(damaged("something stands behind its manifest"));
        }
        if name == MANIFEST {
            let mut text = Vec::new();
            content.take(MANIFEST_MAX).read_to_end(&mut text).map_err(|error| unread(&error))?;
            manifest = Some(read_manifest(&text)?);
        } else {
            found.push(hash(name, content)?);
        }
        Ok(())
    })?;
    // What lies behind the last file belongs to the hash too.
    io::copy(&mut body, &mut io::sink()).map_err(Fault::Unreadable)?;
    if body.inner.limit() > 0 {
        return Err(damaged("it ends too early"));
    }
    let manifest = manifest.ok_or_else(|| damaged("its end is missing"))?;
    let same = |(kept, found): (&Kept, &(String, u64, String))| {
        (&kept.name, kept.bytes, &kept.sha256) == (&found.0, found.1, &found.2)
    };
    if manifest.files.len() != found.len() || !manifest.files.iter().zip(&found).all(same) {
        return Err(damaged("its files are not what its manifest says"));
    }
    Ok((manifest, body.digest.finalize().into()))
}

fn read_manifest(text: &[u8]) -> Result<Manifest, Fault> {
    #[derive(serde::Deserialize)]
    struct Format {
        format: u32,
    }
    let Format { format } =
        serde_json::from_slice(text).map_err(|_| damaged("its manifest can't be read"))?;
    // A later one may say other things.
    if format > FORMAT {
        return Err(Fault::Future);
    }
    serde_json::from_slice(text).map_err(|_| damaged("its manifest can't be read"))
}

/// Goes through the files of an archive in their order, by their names inside it.
fn each(
    archive: impl Read,
    mut visit: impl FnMut(&str, &mut dyn Read) -> Result<(), Fault>,
) -> Result<(), Fault> {
    for entry in tar::Archive::new(archive).entries().map_err(|error| unread(&error))? {
        let mut entry = entry.map_err(|error| unread(&error))?;
        visit(&name_of(&entry)?, &mut entry)?;
    }
    Ok(())
}

fn unread(error: &io::Error) -> Fault {
    Fault::Damaged(super::words(error))
}

fn name_of(entry: &tar::Entry<impl Read>) -> Result<String, Fault> {
    let name =
        String::from_utf8(entry.path_bytes().into_owned()).map_err(|_| damaged("a name can't be read"))?;
    let inside = name.strip_prefix(ROOT).and_then(|rest| rest.strip_prefix('/'));
    match (inside, entry.header().entry_type()) {
        (Some(inside), tar::EntryType::Regular) => Ok(inside.to_owned()),
        _ => Err(damaged("something in it doesn't belong there")),
    }
}

/// Reads some files of an archive that has been proven, and proves each of them once more while it is read.
///
/// # Errors
/// What `visit` says, or that the archive was changed meanwhile; a part of a sentence.
pub fn unpack(
    archive: &Path,
    manifest: &Manifest,
    mut visit: impl FnMut(&Kept, &mut dyn Read) -> Result<(), String>,
    wanted: impl Fn(&str) -> bool,
) -> Result<(), String> {
    let fault = |fault: Fault| fault.to_string();
    let file = BufReader::with_capacity(BUFFER, File::open(archive).map_err(|error| super::words(&error))?);
    let mut opened = tar::Archive::new(file);
    let entries = opened.entries_with_seek().map_err(|error| unread(&error)).map_err(fault)?;
    // The manifest has them in the archive's order, itself left out.
    for (entry, kept) in entries.zip(&manifest.files) {
        let entry = entry.map_err(|error| unread(&error)).map_err(fault)?;
        if name_of(&entry).map_err(fault)? != kept.name {
            return Err(fault(damaged("it was changed while it was read")));
        }
        if !wanted(&kept.name) {
            continue;
        }
        let mut content = Hashed { inner: entry, digest: Sha256::new() };
        visit(kept, &mut content)?;
        io::copy(&mut content, &mut io::sink()).map_err(|error| unread(&error)).map_err(fault)?;
        if HEXLOWER.encode(&content.digest.finalize()) != kept.sha256 {
            return Err(fault(damaged("it was changed while it was read")));
        }
    }
    Ok(())
}

fn hash(name: &str, content: &mut dyn Read) -> Result<(String, u64, String), Fault> {
    let mut digest = Sha256::new();
    let mut buffer = vec![0; BUFFER];
    let mut bytes = 0;
    loop {
        match content.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => {
                digest.update(&buffer[..read]);
                bytes += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unread(&error)),
        }
    }
    Ok((name.to_owned(), bytes, HEXLOWER.encode(&digest.finalize())))
}

/// Hashes what is read through it.
struct Hashed<R> {
    inner: R,
    digest: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.digest.update(&buffer[..read]);
        Ok(read)
    }
}
