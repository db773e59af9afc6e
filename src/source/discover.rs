//! Finds the skills of a snapshot: a directory with `SKILL.md` is a skill, and nothing below it is another.
//!
//! Real directories come first; links to directories are followed only where they lead to something that was not
//! already seen, so that an alias (`.claude/skills -> ../skills`) is not a copy.

use super::links::{self, Broken};
use super::snapshot::Snapshot;
use crate::git::{Mode, Oid, Store, entry_at, tree_at};
use crate::registry::{Entry, settings};
use crate::skill::{SKILL_MD, license};
use crate::types::{Error, ErrorKind, RelPath, Result};
use std::collections::BTreeSet;

/// How many tree entries a walk may see. A repository of 13 objects can stand for ten thousand million paths.
const ENTRIES: usize = 1_000_000;
/// In how many folders the licence files of one upstream registry may lie.
const LICENSE_FOLDERS: usize = 10_000;
/// The largest licence file that is kept, in bytes.
const LICENSE_BYTES: u64 = 1 << 20;

/// A directory with a `SKILL.md`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its path as upstream names it.
    pub path: RelPath,
    /// Its tree, links and all.
    pub tree: Oid,
    /// Where it really stands: what links inside it are relative to.
    pub real: Vec<Vec<u8>>,
}

/// What a walk found.
#[derive(Debug, Default)]
pub struct Discovery {
    /// The skills, by path.
    pub found: Vec<Found>,
    /// Directories with a `SKILL.md` whose path breaks a rule.
    pub unusable: Vec<(String, &'static str)>,
}

/// Returns the skills below these folders.
pub fn discover(snapshot: &Snapshot, folders: &[RelPath]) -> Result<Discovery> {
    let mut walk =
        Walk { snapshot, budget: ENTRIES, visited: BTreeSet::new(), links: Vec::new(), out: Discovery::default() };
    for folder in folders {
        match links::follow(snapshot, &[], folder.as_str().as_bytes())? {
            Ok(start) if start.mode == Mode::Tree => walk.directory(folder.clone(), start.id, start.path)?,
            _ => {
                return Err(Error::new(ErrorKind::NoEvidence, format!("upstream has no folder `{folder}`")).hint(
                    "name another one with --path, or as `path` in the source file; nothing was closed or removed",
                ));
            }
        }
    }
    // Links to directories, in the order of their paths; one may lead to more.
    while !walk.links.is_empty() {
        let mut links = std::mem::take(&mut walk.links);
        links.sort_by(|a, b| a.path.cmp(&b.path));
        snapshot.need(links.iter().map(|link| link.id))?;
        for link in links {
            walk.link(link)?;
        }
    }
    walk.out.found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(walk.out)
}

/// Tells whether upstream still has a `SKILL.md` in the directory `path`.
pub fn has_skill_md(snapshot: &Snapshot, path: &RelPath) -> Result<bool> {
    let path = path.join_path(&RelPath::parse(SKILL_MD).expect("a fixed name"));
    Ok(matches!(links::follow(snapshot, &[], path.as_str().as_bytes())?, Ok(real) if real.mode.is_file()))
}

/// Returns the licence files of the folders above `scope` and above the skills at `paths`, the root included, with their
/// blobs: those that cover the skills. What is inside a skill comes with it. Where upstream is a registry, those of the
/// sources that its skills follow are among them.
pub fn licenses<'p>(
    snapshot: &Snapshot,
    scope: &RelPath,
    paths: impl Iterator<Item = &'p RelPath>,
) -> Result<Vec<(RelPath, Oid)>> {
    let paths: Vec<&RelPath> = paths.collect();
    let mut folders = and_above(paths.iter().filter_map(|path| path.parent()).chain([scope.clone()]));
    folders.extend(of_registries(snapshot, &paths)?);
    let mut found = license_files(snapshot.store(), snapshot.tree, folders)?;
    snapshot.need(found.iter().map(|(_, id)| *id))?;
    found.retain(|(_, id)| matches!(snapshot.store().header(*id), Ok(Some((_, size))) if size <= LICENSE_BYTES));
    found.sort();
    Ok(found)
}

/// Returns these folders, and those above them.
pub(super) fn and_above(starts: impl Iterator<Item = RelPath>) -> BTreeSet<RelPath> {
    let mut folders = BTreeSet::new();
    for start in starts {
        let mut folder = Some(start);
        while let Some(here) = folder.filter(|here| !folders.contains(here)) {
            folder = here.parent();
            folders.insert(here);
        }
    }
    folders
}

/// Returns the licence files in these folders, of any size.
pub(super) fn license_files(store: &Store, tree: Oid, folders: BTreeSet<RelPath>) -> Result<Vec<(RelPath, Oid)>> {
    let mut found = Vec::new();
    for here in folders {
        let Ok(Some(folder)) = tree_at(store, tree, &here) else { continue };
        for entry in store.tree(folder)?.entries().iter().filter(|entry| entry.mode.is_file()) {
            if is_license(&entry.name)
                && let Ok(path) = here.join(&entry.name)
            {
                found.push((path, entry.id));
            }
        }
    }
    Ok(found)
}

/// Returns the folders in which registries keep the licence files of the sources that these skills follow there
/// (`licenses/<source>/`, and what lies below).
fn of_registries(snapshot: &Snapshot, skills: &[&RelPath]) -> Result<BTreeSet<RelPath>> {
    let store = snapshot.store();
    let mut found = BTreeSet::new();
    for (registry, _, entry) in entries_of_registries(snapshot, skills)? {
        let Some(upstream) = entry.upstream else { continue };
        let folder = registry.join_path(&named(settings::LICENSES)).join_path(&named(upstream.source.as_str()));
        let mut open = vec![folder];
        while let Some(here) = open.pop().filter(|_| found.len() < LICENSE_FOLDERS) {
            let Some(tree) = tree_at(store, snapshot.tree, &here)? else { continue };
            let below = store.tree(tree)?;
            let below = below.entries().iter().filter(|entry| entry.mode == Mode::Tree);
            open.extend(below.filter_map(|entry| here.join(&entry.name).ok()));
            found.insert(here);
        }
    }
    Ok(found)
}

/// Returns the licences that registries recorded in the entries of these skills, each as a file beside its skill and the file's
/// text: a licence is the one thing of an entry that is upstream's to say.
pub fn recorded_licenses<'p>(
    snapshot: &Snapshot,
    paths: impl Iterator<Item = &'p RelPath>,
) -> Result<Vec<(RelPath, String)>> {
    let recorded = |(_, skill, entry): (RelPath, &RelPath, Entry)| {
        let follows = entry.upstream.is_some();
        let license = entry.upstream.and_then(|upstream| upstream.license).or(entry.license);
        // What a team wrote itself is under the licence of its repository, if it says nothing else.
        if follows || license.is_some() { license::record(skill, license.as_deref()) } else { None }
    };
    Ok(entries_of_registries(snapshot, &paths.collect::<Vec<_>>())?.into_iter().filter_map(recorded).collect())
}

fn named(name: &str) -> RelPath {
    RelPath::parse(name).expect("a fixed name")
}

/// Returns the entries that these skills have where upstream is a registry, each with the registry's folder.
fn entries_of_registries<'p>(
    snapshot: &Snapshot,
    skills: &[&'p RelPath],
) -> Result<Vec<(RelPath, &'p RelPath, Entry)>> {
    let store = snapshot.store();
    let folders = and_above(skills.iter().filter_map(|path| path.parent()));
    let is_registry = |folder: &&RelPath| {
        let file = folder.join_path(&named(settings::FILE));
        matches!(entry_at(store, snapshot.tree, &file), Ok(Some(place)) if place.mode.is_file())
    };
    let registries: Vec<&RelPath> = folders.iter().filter(is_registry).collect();
    let mut entries = Vec::new();
    for skill in skills {
        let Some(registry) = registries.iter().rfind(|registry| skill.is_within(registry)) else { continue };
        let Ok(entry) = RelPath::parse(&format!("{skill}.toml")) else { continue };
        if let Some(place) = entry_at(store, snapshot.tree, &entry)?.filter(|place| place.mode.is_file()) {
            entries.push((*registry, *skill, entry, place.id));
        }
    }
    snapshot.need(entries.iter().map(|(.., id)| *id))?;
    let mut found = Vec::new();
    for (registry, skill, path, id) in entries {
        // One that cannot be read is that registry's affair.
        let text = String::from_utf8(store.blob(id)?).unwrap_or_default();
        found.extend(Entry::parse(path.as_str(), &text).ok().map(|entry| (registry.clone(), skill, entry)));
    }
    Ok(found)
}

/// Tells whether a file is a licence or notice, by the names that GitHub's `licensee` looks for first.
pub fn is_license(name: &[u8]) -> bool {
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    let stem = name.strip_suffix(".md").or_else(|| name.strip_suffix(".txt")).or_else(|| name.strip_suffix(".rst"));
    let stem = stem.unwrap_or(&name);
    let stem = stem.strip_prefix("third_party_").or_else(|| stem.strip_prefix("third-party-")).unwrap_or(stem);
    let ends = |rest: &str| matches!(rest, "" | "s") || rest.starts_with(['-', '_', '.']);
    ["license", "licence", "copying", "notice", "unlicense"]
        .iter()
        .any(|known| stem.strip_prefix(known).is_some_and(ends))
}

struct LinkAt {
    path: RelPath,
    id: Oid,
    /// The real directory that it stands in.
    inside: Vec<Vec<u8>>,
    name: Vec<u8>,
}

struct Walk<'s> {
    snapshot: &'s Snapshot,
    budget: usize,
    /// Real directories that were walked, or are skills.
    visited: BTreeSet<Vec<Vec<u8>>>,
    links: Vec<LinkAt>,
    out: Discovery,
}

impl Walk<'_> {
    fn directory(&mut self, path: RelPath, tree: Oid, real: Vec<Vec<u8>>) -> Result<()> {
        if !self.visited.insert(real.clone()) {
            return Ok(());
        }
        let tree_entries = self.snapshot.store().tree(tree)?;
        let Some(left) = self.budget.checked_sub(tree_entries.entries().len() + 1) else {
            return Err(Error::new(ErrorKind::Limit, format!("upstream has more than {ENTRIES} files and folders"))
                .hint("name the folder of the skills: `path` in the source file, or --path"));
        };
        self.budget = left;
        if tree_entries.get(SKILL_MD.as_bytes()).is_some_and(|e| e.mode.is_file() || e.mode == Mode::Link) {
            self.out.found.push(Found { path, tree, real });
            return Ok(());
        }
        for entry in tree_entries.entries() {
            let below = match path.join(&entry.name) {
                Ok(below) => below,
                Err(rule) => {
                    self.report_unusable(&path, &entry.name, entry.mode, entry.id, rule.message())?;
                    continue;
                }
            };
            match entry.mode {
                Mode::Tree => {
                    let mut real = real.clone();
                    real.push(entry.name.to_vec());
                    self.directory(below, entry.id, real)?;
                }
                Mode::Link => {
                    let (inside, name) = (real.clone(), entry.name.to_vec());
                    self.links.push(LinkAt { path: below, id: entry.id, inside, name });
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn link(&mut self, link: LinkAt) -> Result<()> {
        match links::follow(self.snapshot, &link.inside, &link.name)? {
            Ok(real) if real.mode == Mode::Tree => self.directory(link.path, real.id, real.path),
            // A link to a file, or to nothing, is no skill and harms none.
            Ok(_) | Err(Broken::Dangles | Broken::Escapes | Broken::Loops) => Ok(()),
        }
    }

    /// A name that breaks the rules matters only where a skill would have stood.
    fn report_unusable(&mut self, path: &RelPath, name: &[u8], mode: Mode, id: Oid, why: &'static str) -> Result<()> {
        if mode == Mode::Tree && self.snapshot.store().tree(id)?.get(SKILL_MD.as_bytes()).is_some() {
            let shown = format!("{path}/{}", String::from_utf8_lossy(name));
            self.out.unusable.push((shown, why));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::is_license;

    #[test]
    fn licence_files_are_known_by_their_names() {
        for name in
            ["LICENSE", "license.md", "LICENSE-MIT", "COPYING", "NOTICE.txt", "LICENCE", "THIRD_PARTY_NOTICES.md"]
        {
            assert!(is_license(name.as_bytes()), "{name}");
        }
        for name in ["licenses.json", "NOTICEABLE.md", "README.md", "LICENSEE"] {
            assert!(!is_license(name.as_bytes()), "{name}");
        }
    }
}
