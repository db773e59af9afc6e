//! What of a snapshot belongs to one plugin, by what its manifest and its marketplace say.

use super::Plugins;
use super::manifest::read_all;
use crate::git::Mode;
use crate::source::links;
use crate::source::snapshot::Snapshot;
use crate::types::{Error, ErrorKind, RelPath, Result};
use std::collections::BTreeSet;

/// Where a plugin has its skills, if it says nothing else.
pub(in crate::source) const SKILLS: &str = "skills";

/// What of a snapshot belongs to one plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The plugin's directory.
    pub root: RelPath,
    /// The folders that have its skills.
    pub folders: Vec<RelPath>,
    /// Its name.
    pub name: String,
    /// Its version, where stated.
    pub version: Option<String>,
}

impl Scope {
    /// Returns the plugin as the only one.
    pub fn plugins(&self) -> Plugins {
        let mut plugins = Plugins::default();
        plugins.insert(self.root.clone(), self.name.clone(), self.version.clone());
        plugins
    }

    /// Tells whether a skill at `path` is one of the plugin's.
    pub fn has(&self, path: &RelPath) -> bool {
        self.folders.iter().any(|folder| path.is_within(folder))
    }
}

/// What a marketplace says of a plugin, beside where it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stated {
    /// Its name.
    pub name: String,
    /// Its version, where the plugin states none.
    pub version: Option<String>,
    /// Whether the plugin has a manifest of its own, which goes first; else the marketplace's entry is the manifest.
    pub strict: bool,
    /// Folders of skills, or skills.
    pub skills: Option<Vec<RelPath>>,
}

/// Returns what of `snapshot` belongs to the plugin in the directory `root`: no folder, where it has no skills.
///
/// # Errors
/// [`ErrorKind::NoEvidence`] where upstream has no such directory.
pub fn scope(snapshot: &Snapshot, root: &RelPath, stated: &Stated) -> Result<Scope> {
    let is_folder = |path: &RelPath| -> Result<bool> {
        Ok(matches!(links::follow(snapshot, &[], path.as_str().as_bytes())?, Ok(real) if real.mode == Mode::Tree))
    };
    if !is_folder(root)? {
        let message = format!("plugin `{}` is listed at `{root}`, where upstream has no folder", stated.name);
        return Err(
            Error::new(ErrorKind::NoEvidence, message).hint("look at the marketplace; nothing was closed or removed")
        );
    }
    let own = if stated.strict { read_all(snapshot, [root].into_iter())?.0.remove(root) } else { None };
    let version = own.as_ref().and_then(|own| own.version.clone()).or_else(|| stated.version.clone());
    let default = RelPath::parse(SKILLS).expect("a fixed name");
    let listed = stated.skills.clone();
    let wanted: Vec<RelPath> = match (stated.strict, listed) {
        // The marketplace's entry is all there is: what it lists, and nothing besides.
        (false, Some(listed)) => listed,
        (_, listed) => {
            let own = own.into_iter().flat_map(|own| own.skills);
            std::iter::once(default.clone()).chain(own).chain(listed.unwrap_or_default()).collect()
        }
    };
    let mut folders = BTreeSet::new();
    for folder in wanted {
        let folder = root.join_path(&folder);
        if is_folder(&folder)? {
            folders.insert(folder);
        }
    }
    if folders.is_empty() && crate::source::discover::has_skill_md(snapshot, root)? {
        // A plugin that is one skill.
        folders.insert(root.clone());
    }
    Ok(Scope { root: root.clone(), folders: outermost(folders), name: stated.name.clone(), version })
}

/// Returns the folders that lie in none of the others, sorted by their components: what lies in one follows it.
fn outermost(folders: BTreeSet<RelPath>) -> Vec<RelPath> {
    let mut sorted: Vec<RelPath> = folders.into_iter().collect();
    sorted.sort_by(|a, b| a.components().cmp(b.components()));
    let mut kept: Vec<RelPath> = Vec::new();
    for folder in sorted {
        if !kept.last().is_some_and(|last| folder.is_within(last)) {
            kept.push(folder);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_that_lie_in_others_count_for_nothing() {
        let path = |text: &&str| RelPath::parse(text).expect("valid");
        let folders = ["a", "a-b", "a/b", "a/b/c", "b/c", "b/c-d"].iter().map(path).collect();
        assert_eq!(outermost(folders), ["a", "a-b", "b/c", "b/c-d"].iter().map(path).collect::<Vec<_>>());
        assert_eq!(outermost([".", "a", "b"].iter().map(path).collect()), [RelPath::root()]);
    }
}
