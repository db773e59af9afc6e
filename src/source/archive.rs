//! Archives (`.tar`, `.tar.gz`, `.zip`) as snapshots: read entry by entry into memory, never unpacked onto a disk.
//!
//! What an archive says of its own paths is checked here; what its links and names mean for a skill is discovery's, as for
//! every other source. Which kind an archive is follows from its first bytes: file names and media types are often wrong.

mod tar;
mod zip;

use super::Access;
use super::directory::SKIPPED;
use super::http::{Client, WebUrl, sha256};
use super::snapshot::{Files, Snapshot, file_as_folder};
use crate::git::{Mode, Oid, Place, Store};
use crate::skill::{Limits, SKILL_MD, show_bytes};
use crate::types::{Error, ErrorKind, Result, one_line};
use std::cell::Cell;
use std::io::{self, Read};

/// How many entries an archive may have.
const ENTRIES: usize = 100_000;
/// How much one source may unpack to, in bytes.
const UNPACKED: u64 = 1 << 30;
/// A small archive may unpack to this much, whatever its size, in bytes.
const UNSUSPICIOUS: u64 = 64 << 20;
/// How many times its own size a larger archive may unpack to: text reaches 20, a bomb 1,000 and more.
const RATIO: u64 = 200;
/// The longest path, in bytes (Linux's `PATH_MAX`), and how many components it may have.
const PATH_BYTES: usize = 4096;
const COMPONENTS: usize = 64;
/// The longest target of a link, in bytes: Linux's `PATH_MAX`.
const TARGET_BYTES: u64 = super::links::TARGET_BYTES;

/// What becomes of a directory that holds everything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Top {
    /// It stays: the archive's root is the skill's.
    Keep,
    /// It goes where it only wraps, as in what forges pack (`repo-1.4.0/...`). `skills`, names with a dot in front and a
    /// skill mean something, and stay.
    Unwrap,
    /// The first component of every path goes, whatever it is: npm's rule.
    Strip,
}

/// How much the archives of one source may still unpack to.
pub struct Budget(Cell<u64>);

impl Default for Budget {
    /// Returns a whole budget.
    fn default() -> Self {
        Budget(Cell::new(UNPACKED))
    }
}

/// The content of an archive.
pub struct Unpacked {
    /// Where the blobs are.
    pub store: Store,
    /// The files and links.
    pub files: Files,
}

/// Returns the state of the archive at `url`, which the marketplace at the host `own` names. `digest` is its SHA-256 in hex, where that is known.
///
/// # Errors
/// [`ErrorKind::Rejected`] where the bytes are not those that the digest names.
pub fn observe(
    access: &Access<'_>,
    url: &str,
    own: &str,
    digest: Option<&str>,
    insecure: bool,
    limits: &Limits,
) -> Result<Snapshot> {
    let url = WebUrl::parse(url, insecure)?;
    let client = Client::new(access, own);
    let bytes = match digest {
        Some(digest) => client.get_checked(&url, access.max_bytes, |bytes| verify(bytes, digest, &url.shown()))?,
        None => client.get(&url, access.max_bytes)?.bytes,
    };
    let Unpacked { store, files } = unpack(&bytes, limits, Top::Unwrap, &Budget::default())?;
    Snapshot::of_files(store, &files)
}

/// Refuses bytes that do not have a SHA-256, which may be written with `sha256:` in front.
pub fn verify(bytes: &[u8], digest: &str, name: &str) -> Result<()> {
    let expected = digest.strip_prefix("sha256:").unwrap_or(digest);
    let actual = sha256(bytes);
    if expected == actual {
        return Ok(());
    }
    let expected = one_line(expected, 80);
    Err(Error::new(ErrorKind::Altered, format!("{name} has the digest sha256:{actual}, not sha256:{expected}"))
        .hint("it was changed without its digest, or on the way; it was not used"))
}

/// Reads an archive.
///
/// # Errors
/// [`ErrorKind::Rejected`] for what no honest archive has, [`ErrorKind::Limit`] for one that is too large.
pub fn unpack(bytes: &[u8], limits: &Limits, top: Top, budget: &Budget) -> Result<Unpacked> {
    let allowed = budget.0.get().min(UNSUSPICIOUS.max(bytes.len() as u64 * RATIO));
    let left = Cell::new(allowed);
    let mut collector =
        Collector { store: Store::in_memory(false), files: Files::new(), entries: 0, limits, left: &left };
    let read = match bytes {
        [0x1f, 0x8b, ..] => tar::read(flate2::read::MultiGzDecoder::new(bytes), &mut collector),
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => zip::read(bytes, &mut collector),
        _ if bytes.get(257..262) == Some(b"ustar") => tar::read(bytes, &mut collector),
        _ => Err(refused("it is neither .tar, nor .tar.gz, nor .zip")),
    };
    // What fails has cost as much as what does not.
    budget.0.set(budget.0.get() - (allowed - left.get()));
    if left.get() == 0 {
        let most = show_bytes(allowed);
        return Err(Error::new(ErrorKind::Limit, format!("the archive unpacks to more than {most}")));
    }
    read?;
    let Collector { store, files, .. } = collector;
    let files = without_top(files, top)?;
    if let Some(path) = file_as_folder(files.keys()) {
        return Err(refused(format!("{} is a file and a folder", shown(&path.join(&b'/')))));
    }
    Ok(Unpacked { store, files })
}

fn refused(why: impl AsRef<str>) -> Error {
    Error::new(ErrorKind::Rejected, format!("the archive is refused: {}", why.as_ref()))
}

fn shown(path: &[u8]) -> String {
    one_line(&String::from_utf8_lossy(path), 200)
}

/// Gathers entries by the rules that all kinds share.
struct Collector<'a> {
    store: Store,
    files: Files,
    entries: usize,
    limits: &'a Limits,
    left: &'a Cell<u64>,
}

impl Collector<'_> {
    /// Counts an entry, and returns the components of its path; none for the root and for what belongs to git or to a
    /// file manager.
    fn enter(&mut self, path: &[u8]) -> Result<Option<Vec<Vec<u8>>>> {
        self.entries += 1;
        if self.entries > ENTRIES {
            return Err(Error::new(ErrorKind::Limit, format!("the archive has more than {ENTRIES} entries")));
        }
        let components = components(path)?;
        let skipped = |component: &Vec<u8>| SKIPPED.iter().any(|name| component == name.as_bytes());
        Ok(Some(components).filter(|components| !components.is_empty() && !components.iter().any(skipped)))
    }

    /// Reads at most one byte more than a file may have: enough for the limit to be seen and reported.
    fn file(&mut self, path: Vec<Vec<u8>>, executable: bool, reader: impl Read) -> Result<()> {
        let mut bytes = Vec::new();
        reader.take(self.limits.file_bytes + 1).read_to_end(&mut bytes).map_err(broken)?;
        let mode = if executable { Mode::Executable } else { Mode::File };
        let id = self.store.write_blob(&bytes)?;
        self.put(path, Place { mode, id })
    }

    fn link(&mut self, path: Vec<Vec<u8>>, target: &[u8]) -> Result<()> {
        if target.is_empty() || target.len() as u64 > TARGET_BYTES || target.contains(&0) {
            return Err(refused(format!("the link {} leads nowhere", shown(&path.join(&b'/')))));
        }
        let id: Oid = self.store.write_blob(target)?;
        self.put(path, Place { mode: Mode::Link, id })
    }

    /// A hard link is another name for a file that came before it.
    fn hard_link(&mut self, path: Vec<Vec<u8>>, target: &[u8]) -> Result<()> {
        let place = self.files.get(&components(target)?).copied();
        let place = place.ok_or_else(|| {
            refused(format!(
                "the hard link {} leads to {}, which is not in it",
                shown(&path.join(&b'/')),
                shown(target)
            ))
        })?;
        self.put(path, place)
    }

    fn put(&mut self, path: Vec<Vec<u8>>, place: Place) -> Result<()> {
        let name = shown(&path.join(&b'/'));
        match self.files.insert(path, place) {
            None => Ok(()),
            Some(_) => Err(refused(format!("it has {name} twice"))),
        }
    }
}

/// The components of a path; an archive that names anything outside of itself is refused as a whole.
fn components(path: &[u8]) -> Result<Vec<Vec<u8>>> {
    let refuse = |why: &str| Err(refused(format!("the path {} {why}", shown(path))));
    if path.len() > PATH_BYTES || path.split(|byte| *byte == b'/').count() > COMPONENTS {
        let (start, _) = path.split_at(path.len().min(PATH_BYTES));
        return Err(refused(format!(
            "the path {} has more than {PATH_BYTES} bytes or {COMPONENTS} components",
            shown(start)
        )));
    }
    let has_drive = path.get(1) == Some(&b':') && path[0].is_ascii_alphabetic();
    if path.starts_with(b"/") || has_drive {
        return refuse("is absolute");
    }
    if path.iter().any(|byte| matches!(byte, b'\\' | 0)) {
        return refuse("has a backslash or a NUL");
    }
    let parts = path.split(|byte| *byte == b'/').filter(|part| !matches!(*part, b"" | b"."));
    let parts: Vec<Vec<u8>> = parts.map(<[u8]>::to_vec).collect();
    if parts.iter().any(|part| part == b"..") {
        return refuse("has a `..`");
    }
    Ok(parts)
}

fn without_top(files: Files, top: Top) -> Result<Files> {
    let first = files.keys().next().and_then(|path| path.first()).cloned().unwrap_or_default();
    let only_wraps = || {
        first != b"skills"
            && !first.starts_with(b".")
            && files.keys().all(|path| path.len() > 1 && path[0] == first)
            && !files.contains_key(&vec![first.clone(), SKILL_MD.into()])
    };
    let strip = match top {
        Top::Keep => false,
        Top::Unwrap => only_wraps(),
        Top::Strip => true,
    };
    if !strip {
        return Ok(files);
    }
    let mut below = Files::new();
    for (path, place) in files.into_iter().filter(|(path, _)| path.len() > 1) {
        if below.insert(path[1..].to_vec(), place).is_some() {
            return Err(refused(format!("it has {} twice", shown(&path[1..].join(&b'/')))));
        }
    }
    Ok(below)
}

fn broken(error: io::Error) -> Error {
    refused("it is broken").because(error)
}

/// A reader that fails once it has read what it may.
struct Counted<'a, R> {
    inner: R,
    left: &'a Cell<u64>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        match self.left.get().checked_sub(count as u64) {
            Some(left) => self.left.set(left),
            None => {
                self.left.set(0);
                return Err(io::Error::other("it unpacks to too much"));
            }
        }
        Ok(count)
    }
}
