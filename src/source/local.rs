//! The skills in a root on this machine, as an agent sees them.
//!
//! Listing and loading ask one predicate, [`look`]: a key is taken only by a directory that really has a `SKILL.md` that
//! can be read. One that cannot be read is an error for its key, so that no other skill of that name steps in for it.
//!
//! Real directories come first, then links; each root has its own set of what was visited, so that an alias in another
//! root is not lost. A link may lead out of its root: agents follow it.

use super::directory;
use super::discover::Found;
use super::roots::Root;
use super::snapshot::Snapshot;
use crate::skill::{Limits, SKILL_MD};
use crate::types::{Context as _, Error, ErrorKind, RelPath, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// How deep a skill may lie below its root (OpenClaw's limit; most agents look one level deep).
const DEPTH: usize = 6;
/// How many files and folders a walk of one root may see.
const ENTRIES: usize = 50_000;
/// The largest `SKILL.md` that is looked at, in bytes.
const SKILL_MD_BYTES: u64 = 10 << 20;
/// Names that never hold skills.
const SKIPPED: [&str; 2] = [".git", "node_modules"];

/// What stands in a directory.
#[derive(Debug, Clone)]
pub enum Look {
    /// A skill, with its `SKILL.md`.
    Skill(Vec<u8>),
    /// A `SKILL.md` that cannot be read.
    Unreadable(Error),
    /// No `SKILL.md`.
    Nothing,
}

/// Tells what stands in `directory`. The one predicate of listing and loading.
pub fn look(directory: &Path) -> Look {
    let path = directory.join(SKILL_MD);
    // An exact name, also where the file system would find `skill.md` too.
    let stands = match std::fs::read_dir(directory) {
        Ok(mut entries) => entries.any(|entry| entry.is_ok_and(|entry| entry.file_name() == SKILL_MD)),
        // It may well be a skill, and nobody can tell: no other one of its name steps in.
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            return Look::Unreadable(
                Error::new(ErrorKind::Io, format!("cannot enter {}", directory.display())).because(error),
            );
        }
        Err(_) => false,
    };
    if !stands {
        return Look::Nothing;
    }
    let read = || -> std::io::Result<Option<Vec<u8>>> {
        // Asked before it is opened: to open a pipe is to wait for somebody to write.
        if !path.metadata()?.is_file() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        std::fs::File::open(&path)?.take(SKILL_MD_BYTES).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    };
    let failed = || Error::new(ErrorKind::Io, format!("cannot read {}", path.display()));
    match read() {
        Ok(Some(bytes)) => Look::Skill(bytes),
        Ok(None) => Look::Unreadable(failed().because("it is not a file")),
        Err(error) => Look::Unreadable(failed().because(error)),
    }
}

/// A directory that takes a key.
#[derive(Debug, Clone)]
pub struct LocalSkill {
    /// The key: its path below the root; for a plugin's skill, after the plugin's name.
    pub key: String,
    /// The directory as it is reached through the root.
    pub directory: PathBuf,
    /// Where it really stands.
    pub real: PathBuf,
    /// Its `SKILL.md`, or why that cannot be read.
    pub skill_md: Result<Vec<u8>>,
}

/// Something in a root that is no skill, although somebody may believe so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oddity {
    /// Where.
    pub path: PathBuf,
    /// The rule, for scripts.
    pub rule: &'static str,
    /// The sentence, for people.
    pub message: String,
}

/// What is in a root.
#[derive(Debug, Default)]
pub struct Listing {
    /// Its skills, by key.
    pub skills: Vec<LocalSkill>,
    /// What is odd.
    pub oddities: Vec<Oddity>,
}

/// Lists a root. What cannot be read is told and passed by; a root that does not exist is empty.
pub fn list(root: &Root) -> Listing {
    let Ok(real) = root.path.canonicalize() else {
        let mut empty = Listing::default();
        if root.path.is_symlink() {
            empty.oddities.push(dangling(&root.path));
        }
        return empty;
    };
    let out = Listing::default();
    let mut walk = Walk { root, real, budget: ENTRIES, visited: BTreeMap::new(), links: Vec::new(), out };
    walk.directory(&root.path, 0);
    // Links in the order of their paths; one may lead to more.
    while !walk.links.is_empty() {
        let mut links = std::mem::take(&mut walk.links);
        links.sort();
        links.into_iter().for_each(|(path, depth)| walk.link(&path, depth));
    }
    walk.empty_directories();
    walk.out.skills.sort_by(|a, b| a.key.cmp(&b.key));
    walk.out.oddities.sort_by(|a, b| a.path.cmp(&b.path));
    walk.out
}

/// Reads a skill that [`list`] found: its files, and what links inside it lead to within the root. A skill that is itself
/// a link out of the root is read where it stands.
///
/// Of a folder that a person named (`only_in`, a real path) nothing outside is read, wherever its links lead.
///
/// # Errors
/// Where its `SKILL.md` cannot be read any more, or it stands outside of `only_in`.
pub fn load(root: &Root, skill: &LocalSkill, only_in: Option<&Path>, limits: &Limits) -> Result<(Snapshot, Found)> {
    match look(&skill.directory) {
        Look::Skill(_) => {}
        Look::Unreadable(error) => return Err(error),
        Look::Nothing => {
            return Err(Error::new(ErrorKind::NotFound, format!("{} has no {SKILL_MD}", skill.directory.display())));
        }
    }
    let opened = |path: &Path| path.canonicalize().context(ErrorKind::Io, || format!("cannot open {}", path.display()));
    let real = opened(&skill.directory)?;
    let within = opened(&root.path)?;
    let within = match only_in {
        Some(folder) if !real.starts_with(folder) => {
            let message = format!("it is a link out of the folder, to {}", real.display());
            return Err(Error::new(ErrorKind::Rejected, message).hint("to import it, name the folder where it stands"));
        }
        Some(folder) if !within.starts_with(folder) => folder.to_owned(),
        _ => within,
    };
    let (base, below) = match real.strip_prefix(&within) {
        Ok(below) => (within.clone(), below.to_owned()),
        Err(_) => (real.clone(), PathBuf::new()),
    };
    let text = below.to_str().map(|text| text.replace(std::path::MAIN_SEPARATOR, "/"));
    let path = RelPath::parse(text.as_deref().unwrap_or("\0"))?;
    let snapshot = directory::read_skill(&base, &real, limits)?;
    let tree = crate::git::tree_at(snapshot.store(), snapshot.tree, &path)?
        .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("{} is gone", skill.directory.display())))?;
    let real = path.components().map(|component| component.as_bytes().to_vec()).collect();
    Ok((snapshot, Found { path, tree, real }))
}

struct Walk<'r> {
    root: &'r Root,
    real: PathBuf,
    budget: usize,
    /// Real directories, and how each was reached first.
    visited: BTreeMap<PathBuf, PathBuf>,
    links: Vec<(PathBuf, usize)>,
    out: Listing,
}

impl Walk<'_> {
    fn directory(&mut self, path: &Path, depth: usize) {
        let Ok(real) = path.canonicalize() else { return self.out.oddities.push(dangling(path)) };
        if self.visited.contains_key(&real) {
            return;
        }
        self.visited.insert(real.clone(), path.to_owned());
        let skill_md = match look(path) {
            Look::Skill(bytes) => Some(Ok(bytes)),
            Look::Unreadable(error) => Some(Err(error)),
            Look::Nothing => None,
        };
        if let Some(skill_md) = skill_md
            && (depth > 0 || self.root.may_be_skill)
        {
            return self.take(path, real, skill_md);
        }
        if depth < DEPTH {
            self.children(path, depth);
        }
    }

    fn children(&mut self, path: &Path, depth: usize) {
        let entries = match std::fs::read_dir(path) {
            Ok(entries) => entries.take(self.budget + 1).collect::<std::io::Result<Vec<_>>>(),
            Err(error) => Err(error),
        };
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(error) => return self.odd(path, "unreadable", format!("the folder cannot be read: {error}")),
        };
        let Some(left) = self.budget.checked_sub(entries.len()) else {
            self.budget = 0;
            let message = format!("the root has more than {ENTRIES} files and folders; the rest was not looked at");
            return self.odd(path, "too_many", message);
        };
        self.budget = left;
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries.iter().filter(|entry| !SKIPPED.iter().any(|name| entry.file_name() == *name)) {
            match entry.file_type() {
                Ok(kind) if kind.is_symlink() => self.links.push((entry.path(), depth + 1)),
                Ok(kind) if kind.is_dir() => self.directory(&entry.path(), depth + 1),
                _ => {}
            }
        }
    }

    fn link(&mut self, path: &Path, depth: usize) {
        match path.canonicalize() {
            // Up to the root or above it: a loop, in which nothing new is found.
            Ok(target) if self.real.starts_with(&target) => {}
            // A link to a folder of the root itself is an alias on purpose; of two others somebody may be surprised.
            Ok(target) if target.is_dir() => {
                match self.visited.get(&target).filter(|_| !target.starts_with(&self.real)) {
                    Some(first) => {
                        let first = first.strip_prefix(&self.root.path).unwrap_or(first).display();
                        self.odd(
                            path,
                            "alias",
                            format!("it leads to the same folder as `{first}` in this root, which counts"),
                        );
                    }
                    None => self.directory(path, depth),
                }
            }
            Ok(_) => {}
            Err(_) => self.out.oddities.push(dangling(path)),
        }
    }

    fn take(&mut self, path: &Path, real: PathBuf, skill_md: Result<Vec<u8>>) {
        let below = path.strip_prefix(&self.root.path).unwrap_or(Path::new(""));
        let name = if below.as_os_str().is_empty() { real.file_name().map(Path::new) } else { Some(below) };
        let Some(name) = name.and_then(Path::to_str).filter(|name| !name.contains(char::is_control)) else {
            return self.odd(path, "name", "its name cannot be a key".into());
        };
        let name = name.replace(std::path::MAIN_SEPARATOR, "/");
        let key = if self.root.namespace.is_empty() { name } else { format!("{}/{name}", self.root.namespace) };
        self.out.skills.push(LocalSkill { key, directory: path.to_owned(), real, skill_md });
    }

    /// Directories right below the root in which no skill was found.
    fn empty_directories(&mut self) {
        let entries = std::fs::read_dir(&self.root.path).into_iter().flatten().flatten().take(ENTRIES);
        let skills: BTreeSet<&Path> = self.out.skills.iter().map(|skill| skill.directory.as_path()).collect();
        let real_skills: BTreeSet<&Path> = self.out.skills.iter().map(|skill| skill.real.as_path()).collect();
        let oddities: BTreeSet<&Path> = self.out.oddities.iter().map(|oddity| oddity.path.as_path()).collect();
        let is_alias = |path: &Path| {
            path.canonicalize().is_ok_and(|real| self.real.starts_with(&real) || has_within(&real_skills, &real))
        };
        let found: Vec<Oddity> = entries
            .filter(|entry| !SKIPPED.iter().any(|name| entry.file_name() == *name))
            .map(|entry| entry.path())
            .filter(|path| {
                path.is_dir() && !has_within(&skills, path) && !has_within(&oddities, path) && !is_alias(path)
            })
            .filter(|_| !skills.contains(self.root.path.as_path()))
            .map(|path| {
                let other = std::fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.file_name());
                let other = other.map(|name| name.to_string_lossy().into_owned());
                let message = match other.filter(|name| name.eq_ignore_ascii_case(SKILL_MD)).min() {
                    Some(name) => format!("it has `{name}`, but agents look for {SKILL_MD}"),
                    None => format!("no {SKILL_MD} in it, so it is no skill"),
                };
                Oddity { path, rule: "no_skill_md", message }
            })
            .collect();
        self.out.oddities.extend(found);
    }

    fn odd(&mut self, path: &Path, rule: &'static str, message: String) {
        self.out.oddities.push(Oddity { path: path.to_owned(), rule, message });
    }
}

/// Tells whether one of `paths` is `folder` or inside it: such paths stand together, the folder first.
fn has_within(paths: &BTreeSet<&Path>, folder: &Path) -> bool {
    paths.range(folder..).next().is_some_and(|path| path.starts_with(folder))
}

fn dangling(path: &Path) -> Oddity {
    Oddity { path: path.to_owned(), rule: "dangling_link", message: "the link leads nowhere".into() }
}
