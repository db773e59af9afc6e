//! A plain local directory as a snapshot: read into memory, the parts that hold skills and no others.

use super::snapshot::{Files, Snapshot};
use crate::git::{Mode, Place, Store};
use crate::skill::{Limits, SKILL_MD, show_bytes};
use crate::types::{Context as _, Error, ErrorKind, RelPath, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// How many files and folders a walk may see.
const ENTRIES: usize = 1_000_000;
/// Names that belong to git or to a file manager, never to a skill.
pub(super) const SKIPPED: [&str; 4] = [".git", ".DS_Store", "Thumbs.db", "desktop.ini"];

/// Tells whether a name belongs to git or to a file manager, and so is no part of a skill.
pub fn is_skipped(name: &std::ffi::OsStr) -> bool {
    SKIPPED.iter().any(|skipped| name == *skipped)
}

/// Reads `directory`. Files outside of skills are read only where a link leads to them.
pub fn read(directory: &Path, limits: &Limits) -> Result<Snapshot> {
    let root = directory.canonicalize().map_err(|error| {
        Error::new(ErrorKind::Io, format!("cannot open the folder {}", directory.display()))
            .because(error)
            .hint("look at `path` in the source file; relative paths start at the registry")
    })?;
    let listing = list(&root)?;
    take(&root, &listing, limits)
}

/// Reads the directory `skill` of `root` (both real paths), and what links in it lead to within the root; nothing else.
/// The snapshot's paths begin at `root`.
pub fn read_skill(root: &Path, skill: &Path, limits: &Limits) -> Result<Snapshot> {
    let mut listing = Listing::default();
    let mut open = vec![skill.to_owned()];
    let mut walked: BTreeSet<PathBuf> = BTreeSet::new();
    while let Some(start) = open.pop() {
        if !start.ancestors().any(|above| walked.contains(above)) {
            let before = listing.link_targets.clone();
            listing.walk(root, &start)?;
            let targets = listing.link_targets.difference(&before).map(|target| root.join(target));
            // A link to what the skill stands in is a loop: it is refused, not read.
            open.extend(targets.filter(|target| !skill.starts_with(target)));
            walked.insert(start);
        }
    }
    if listing.files.len() as u64 > limits.skill_files {
        let most = limits.skill_files;
        let message = format!("it has {} files; at most {most} (`limits.skill_files`)", listing.files.len());
        return Err(Error::new(ErrorKind::Limit, message));
    }
    let sizes = listing.files.keys().filter_map(|path| root.join(path).symlink_metadata().ok());
    let total: u64 = sizes.map(|file| file.len()).sum();
    if total > limits.skill_bytes {
        let (has, most) = (show_bytes(total), show_bytes(limits.skill_bytes));
        return Err(Error::new(ErrorKind::Limit, format!("it has {has}; at most {most} (`limits.skill_bytes`)")));
    }
    let everything = walked.iter().filter_map(|start| Some(start.strip_prefix(root).ok()?.to_owned()));
    listing.skills.extend(everything);
    take(root, &listing, limits)
}

fn take(root: &Path, listing: &Listing, limits: &Limits) -> Result<Snapshot> {
    let store = Store::in_memory(false);
    let mut files = Files::new();
    for (path, kind) in &listing.files {
        if !listing.is_wanted(path) {
            continue;
        }
        let absolute = root.join(path);
        let place = match kind {
            Kind::Link => Place { mode: Mode::Link, id: store.write_blob(&link_target(&absolute)?)? },
            Kind::File => read_file(&absolute, limits, &store)?,
        };
        files.insert(components(path), place);
    }
    Snapshot::of_files(store, &files)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Link,
}

#[derive(Default)]
struct Listing {
    files: BTreeMap<PathBuf, Kind>,
    skills: BTreeSet<PathBuf>,
    link_targets: BTreeSet<PathBuf>,
}

impl Listing {
    fn is_wanted(&self, path: &Path) -> bool {
        let at_the_top = path.parent() == Some(Path::new(""));
        self.files.get(path) == Some(&Kind::Link)
            || path.to_str().is_some_and(super::plugin::is_manifest)
            || at_the_top && path.to_str().is_some_and(|name| RelPath::check(name).is_ok())
            || path.ancestors().any(|above| self.skills.contains(above) || self.link_targets.contains(above))
    }
}

fn list(root: &Path) -> Result<Listing> {
    let mut listing = Listing::default();
    listing.walk(root, root)?;
    Ok(listing)
}

impl Listing {
    /// Adds what stands at and below `start`, a real path within `root`.
    fn walk(&mut self, root: &Path, start: &Path) -> Result<()> {
        let walk = WalkDir::new(start).min_depth(usize::from(start == root)).follow_links(false).sort_by_file_name();
        for (count, entry) in walk.into_iter().filter_entry(|entry| !is_skipped(entry.file_name())).enumerate() {
            if count >= ENTRIES {
                return Err(Error::new(
                    ErrorKind::Limit,
                    format!("{} has more than {ENTRIES} files and folders", root.display()),
                )
                .hint("name the folder of the skills in the source file"));
            }
            let entry = entry.context(ErrorKind::Io, || format!("cannot read the folder {}", root.display()))?;
            let path = entry.path().strip_prefix(root).expect("a walk stays below its root").to_owned();
            let kind = entry.file_type();
            if kind.is_symlink() {
                // Outside of the root is nothing that may be read; discovery reports such a link.
                if let Ok(target) = entry.path().canonicalize()
                    && let Ok(target) = target.strip_prefix(root)
                {
                    self.link_targets.insert(target.to_owned());
                }
                self.files.insert(path.clone(), Kind::Link);
            } else if kind.is_file() {
                self.files.insert(path.clone(), Kind::File);
            }
            if entry.file_name() == SKILL_MD && !kind.is_dir() {
                self.skills.insert(path.parent().unwrap_or(Path::new("")).to_owned());
            }
        }
        Ok(())
    }
}

/// Reads at most one byte more than a file may have: enough for the limit to be seen and reported.
fn read_file(path: &Path, limits: &Limits, store: &Store) -> Result<Place> {
    let failed = || format!("cannot read {}", path.display());
    let file = std::fs::File::open(path).context(ErrorKind::Io, failed)?;
    let executable = is_executable(&file.metadata().context(ErrorKind::Io, failed)?);
    let mut bytes = Vec::new();
    file.take(limits.file_bytes + 1).read_to_end(&mut bytes).context(ErrorKind::Io, failed)?;
    let mode = if executable { Mode::Executable } else { Mode::File };
    Ok(Place { mode, id: store.write_blob(&bytes)? })
}

#[cfg(unix)]
fn is_executable(metadata: &std::fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_metadata: &std::fs::Metadata) -> bool {
    false
}

fn link_target(path: &Path) -> Result<Vec<u8>> {
    let target =
        std::fs::read_link(path).context(ErrorKind::Io, || format!("cannot read the link {}", path.display()))?;
    Ok(bytes_of(target.as_os_str()))
}

fn components(path: &Path) -> Vec<Vec<u8>> {
    path.components().map(|component| bytes_of(component.as_os_str())).collect()
}

#[cfg(unix)]
fn bytes_of(text: &std::ffi::OsStr) -> Vec<u8> {
    std::os::unix::ffi::OsStrExt::as_bytes(text).to_vec()
}

#[cfg(not(unix))]
fn bytes_of(text: &std::ffi::OsStr) -> Vec<u8> {
    text.to_string_lossy().replace('\\', "/").into_bytes()
}
