//! Makes a skill's clean tree of what upstream has: links resolved, every name and size checked.
//!
//! Two steps, so that the blobs of all skills are fetched in one request: [`flatten`] looks at trees only,
//! [`Flat::copy_into`] at blobs.

use super::discover::Found;
use super::links::{self, Broken};
use super::snapshot::Snapshot;
use crate::git::{BString, Mode, Oid, Store, Tree, TreeEntry};
use crate::skill::{Limits, SKILL_MD, show_bytes};
use crate::types::{Error, ErrorKind, RelPath, Result, fold_component};
use serde::Serialize;
use std::collections::BTreeMap;

/// How many directories one skill may have.
const DIRECTORIES: usize = 4096;
/// The first bytes of a Git LFS pointer (its spec, version 1), and the size that no pointer exceeds.
const LFS: &[u8] = b"version https://git-lfs.github.com/spec/v1";
const LFS_BYTES: u64 = 1024;

/// Why a skill was not taken, or what is odd about one that was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// The skill's upstream path.
    pub path: String,
    /// The rule, for scripts.
    pub reason: &'static str,
    /// The sentence, for people.
    pub message: String,
}

/// The reason of a skill that upstream lists but did not give: nobody's content is wrong, something failed.
const UNREACHABLE: &str = "unreachable";
/// The reason of a skill whose content is not what its digest says.
const ALTERED: &str = "altered";

impl Remark {
    /// Returns a remark on the skill at `path`.
    pub fn new(path: impl ToString, reason: &'static str, message: impl Into<String>) -> Self {
        Remark { path: crate::types::escape(&path.to_string()), reason, message: crate::types::escape(&message.into()) }
    }

    /// Tells whether something failed, on the way or upstream; else the skill is one that cannot be taken, run after run.
    pub fn is_failure(&self) -> bool {
        [UNREACHABLE, ALTERED].contains(&self.reason)
    }

    /// Returns a remark on the skill at `path`, which could not be taken because of `error`.
    pub fn of(path: &RelPath, error: &Error) -> Self {
        let reason = match error.kind() {
            ErrorKind::Network | ErrorKind::NoEvidence => UNREACHABLE,
            ErrorKind::Altered => ALTERED,
            ErrorKind::Limit => "too_large",
            _ => "refused",
        };
        Remark::new(path, reason, error.full_message())
    }
}

/// The files of one skill, links resolved.
#[derive(Debug)]
pub struct Flat {
    /// The skill's upstream path.
    pub path: RelPath,
    files: BTreeMap<RelPath, (bool, Oid)>,
    /// Upstream's own tree, where nothing had to be resolved.
    as_is: Option<Oid>,
}

/// Collects the files of a skill.
///
/// # Errors
/// The inner error rejects this skill alone; the outer one is about the source.
pub fn flatten(snapshot: &Snapshot, found: &Found, limits: &Limits) -> Result<Result<Flat, Remark>> {
    let mut collector = Collector { snapshot, limits, found, files: BTreeMap::new(), directories: 0, links: 0 };
    if let Err(remark) = collector.directory(&RelPath::root(), found.tree, &found.real, &mut Vec::new())? {
        return Ok(Err(remark));
    }
    let as_is = (collector.links == 0).then_some(found.tree);
    Ok(Ok(Flat { path: found.path.clone(), files: collector.files, as_is }))
}

struct Collector<'s> {
    snapshot: &'s Snapshot,
    limits: &'s Limits,
    found: &'s Found,
    files: BTreeMap<RelPath, (bool, Oid)>,
    directories: usize,
    links: usize,
}

impl Collector<'_> {
    fn reject<T>(&self, reason: &'static str, message: String) -> Result<Result<T, Remark>> {
        Ok(Err(Remark::new(&self.found.path, reason, message)))
    }

    fn directory(
        &mut self,
        path: &RelPath,
        tree: Oid,
        real: &[Vec<u8>],
        above: &mut Vec<Oid>,
    ) -> Result<Result<(), Remark>> {
        self.directories += 1;
        if self.directories > DIRECTORIES {
            return self.reject("too_many_files", format!("it has more than {DIRECTORIES} folders"));
        }
        if above.contains(&tree) {
            return self.reject("symlink_loop", format!("the link at {path} leads back into a folder above it"));
        }
        above.push(tree);
        let entries = self.snapshot.store().tree(tree)?;
        let mut names: BTreeMap<String, &[u8]> = BTreeMap::new();
        for entry in entries.entries() {
            let below = match path.join(&entry.name) {
                Ok(below) => below,
                Err(rule) => {
                    let shown = format!("{path}/{}", String::from_utf8_lossy(&entry.name));
                    return self.reject("path", format!("`{shown}` cannot be used: {}", rule.message()));
                }
            };
            let folded = fold_component(below.name().expect("a joined path has a name"));
            if let Some(other) = names.insert(folded, &entry.name) {
                let other = String::from_utf8_lossy(other);
                return self
                    .reject("name_collision", format!("`{below}` and `{other}` are one name on some file systems"));
            }
            let mut inside = real.to_vec();
            inside.push(entry.name.to_vec());
            let step = match entry.mode {
                Mode::Tree => self.directory(&below, entry.id, &inside, above)?,
                Mode::File | Mode::Executable => self.file(below, entry.mode, entry.id)?,
                Mode::Submodule => self.reject("submodule", format!("`{below}` is a submodule"))?,
                Mode::Link => self.link(&below, real, &entry.name, above)?,
            };
            if step.is_err() {
                return Ok(step);
            }
        }
        above.pop();
        Ok(Ok(()))
    }

    fn file(&mut self, path: RelPath, mode: Mode, id: Oid) -> Result<Result<(), Remark>> {
        if self.files.len() as u64 >= self.limits.skill_files {
            let most = self.limits.skill_files;
            return self.reject("too_many_files", format!("it has more than {most} files (`limits.skill_files`)"));
        }
        self.files.insert(path, (mode == Mode::Executable, id));
        Ok(Ok(()))
    }

    fn link(
        &mut self,
        path: &RelPath,
        real: &[Vec<u8>],
        name: &[u8],
        above: &mut Vec<Oid>,
    ) -> Result<Result<(), Remark>> {
        self.links += 1;
        match links::follow(self.snapshot, real, name)? {
            Ok(target) if target.mode == Mode::Tree => self.directory(path, target.id, &target.path, above),
            Ok(target) if target.mode.is_file() => self.file(path.clone(), target.mode, target.id),
            Ok(_) => self.reject("submodule", format!("the link `{path}` leads to a submodule")),
            Err(Broken::Escapes) => {
                self.reject("symlink_escapes", format!("the link `{path}` leads out of the repository"))
            }
            Err(Broken::Dangles) => self.reject("symlink_dangling", format!("the link `{path}` leads to nothing")),
            Err(Broken::Loops) => self.reject("symlink_loop", format!("the link `{path}` leads in a circle")),
        }
    }
}

impl Flat {
    /// Returns the blobs of all files.
    pub fn blobs(&self) -> impl Iterator<Item = Oid> + '_ {
        self.files.values().map(|(_, id)| *id)
    }

    /// Returns the blob of the skill's `SKILL.md`.
    pub fn skill_md(&self) -> Option<Oid> {
        self.files.get(&RelPath::parse(SKILL_MD).expect("a fixed name")).map(|(_, id)| *id)
    }

    /// Checks sizes, copies the files into `store`, and returns the skill's tree with what is odd about it.
    ///
    /// # Errors
    /// The inner error rejects this skill alone.
    pub fn copy_into(
        &self,
        snapshot: &Snapshot,
        store: &Store,
        limits: &Limits,
    ) -> Result<Result<(Oid, Vec<Remark>), Remark>> {
        let reject = |reason, message: String| Ok(Err(Remark::new(&self.path, reason, message)));
        let mut remarks = Vec::new();
        let mut total = 0;
        for (path, (_, id)) in &self.files {
            let Some((_, size)) = snapshot.store().header(*id)? else {
                return reject("missing", format!("upstream did not give `{path}` (object {id})"));
            };
            total += size;
            if size > limits.file_bytes {
                let most = show_bytes(limits.file_bytes);
                return reject(
                    "file_too_large",
                    format!("`{path}` has {}; at most {most} (`limits.file_bytes`)", show_bytes(size)),
                );
            }
            if size <= LFS_BYTES && snapshot.store().blob(*id)?.starts_with(LFS) {
                remarks.push(Remark::new(
                    &self.path,
                    "lfs_pointer",
                    format!("`{path}` is a Git LFS pointer, not the file"),
                ));
            }
            let name = path.name().unwrap_or_default();
            if name == ".gitattributes" || name == ".gitignore" {
                let message =
                    format!("`{path}` changes how git treats files in the registry; look at it before you accept");
                remarks.push(Remark::new(&self.path, "git_control_file", message));
            }
        }
        if total > limits.skill_bytes {
            let most = show_bytes(limits.skill_bytes);
            return reject("too_large", format!("it has {}; at most {most} (`limits.skill_bytes`)", show_bytes(total)));
        }
        let mut files = BTreeMap::new();
        for (path, (executable, id)) in &self.files {
            let mode = if *executable { Mode::Executable } else { Mode::File };
            files.insert(path.clone(), Some(crate::git::Place { mode, id: store.copy_blob(snapshot.store(), *id)? }));
        }
        let tree = self.write_trees(snapshot, store, &files)?;
        Ok(Ok((tree, remarks)))
    }

    fn write_trees(&self, snapshot: &Snapshot, store: &Store, files: &crate::git::Changes) -> Result<Oid> {
        if let Some(as_is) = self.as_is {
            let copied = copy_tree(snapshot.store(), store, as_is, &RelPath::root(), files)?;
            return Ok(copied.unwrap_or(store.empty_tree()));
        }
        crate::git::with_changes(store, store.empty_tree(), files)
    }
}

/// Copies trees as they are, so that an unresolved skill keeps upstream's tree id; empty directories, which no
/// checkout shows, are left out.
fn copy_tree(from: &Store, to: &Store, tree: Oid, path: &RelPath, files: &crate::git::Changes) -> Result<Option<Oid>> {
    let mut entries = Vec::new();
    for entry in from.tree(tree)?.entries() {
        let below = path.join(&entry.name).expect("checked when it was flattened");
        let id = match entry.mode {
            Mode::Tree => copy_tree(from, to, entry.id, &below, files)?,
            _ => files.get(&below).and_then(|place| place.map(|place| place.id)),
        };
        if let Some(id) = id {
            entries.push(TreeEntry { mode: entry.mode, name: BString::from(entry.name.to_vec()), id });
        }
    }
    if entries.is_empty() { Ok(None) } else { to.write_tree(&Tree::from_entries(entries)).map(Some) }
}
