//! Plugins: which directories say that they are one, what each is called, and which skills belong to it.
//!
//! A skill belongs to the plugin whose root is the nearest directory above it with a manifest. A manifest is somebody
//! else's file in a format that still moves: what it says beside name, version and skills is not looked at, and one that
//! cannot be read is a warning and harms nothing else.

mod manifest;
mod scope;

pub use manifest::{MANIFEST_BYTES, MANIFESTS, Manifest, is_manifest, parse};
pub(super) use manifest::{manifests_in, paths, short};
pub(super) use scope::SKILLS;
pub use scope::{Scope, Stated, scope};

use super::assemble::Remark;
use super::marketplace::{Listed, Place};
use super::snapshot::Snapshot;
use crate::git::{Oid, Store};
use crate::types::{RelPath, Result, one_line};
use manifest::{NAME_CHARS, read_all, read_in};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A plugin's name and version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plugin {
    /// Its directory upstream.
    pub path: String,
    /// Its name.
    pub name: String,
    /// Its version, where stated.
    pub version: Option<String>,
}

/// The plugins that skills belong to, by directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plugins(BTreeMap<RelPath, Plugin>);

#[derive(Serialize, Deserialize)]
struct Written {
    format: u32,
    plugins: Vec<Plugin>,
}

impl Plugins {
    /// Returns the plugin that the skill at `path` belongs to: the nearest one above it.
    pub fn of(&self, path: &RelPath) -> Option<&Plugin> {
        std::iter::successors(Some(path.clone()), RelPath::parent).find_map(|above| self.0.get(&above))
    }

    /// Returns all of them, by directory.
    pub fn iter(&self) -> impl Iterator<Item = &Plugin> {
        self.0.values()
    }

    /// Returns the file that a mirror keeps of them: the same bytes for the same plugins.
    pub fn to_json(&self) -> Option<Vec<u8>> {
        let written = Written { format: 1, plugins: self.0.values().cloned().collect() };
        let text = serde_json::to_string_pretty(&written).expect("strings are JSON");
        (!self.0.is_empty()).then(|| format!("{text}\n").into_bytes())
    }

    /// Reads the file that a mirror keeps; what is none has none.
    pub fn from_json(bytes: &[u8]) -> Self {
        let written = serde_json::from_slice::<Written>(bytes).ok().filter(|written| written.format == 1);
        let mut plugins = Plugins::default();
        for plugin in written.into_iter().flat_map(|written| written.plugins) {
            // A mirror may come from anybody's clone.
            let short = |text: &str| one_line(text, NAME_CHARS);
            if let Ok(path) = RelPath::check(&plugin.path) {
                plugins.insert(path, short(&plugin.name), plugin.version.as_deref().map(short));
            }
        }
        plugins
    }

    fn insert(&mut self, path: RelPath, name: String, version: Option<String>) {
        let plugin = Plugin { path: path.to_string(), name, version };
        self.0.insert(path, plugin);
    }
}

/// Returns the plugins that the skills at `skills` belong to, and a remark on each manifest that cannot be read.
pub fn find<'p>(snapshot: &Snapshot, skills: impl Iterator<Item = &'p RelPath>) -> Result<(Plugins, Vec<Remark>)> {
    let skills: Vec<&RelPath> = skills.collect();
    let above: BTreeSet<RelPath> =
        skills.iter().flat_map(|path| std::iter::successors(Some((*path).clone()), RelPath::parent)).collect();
    let (mut manifests, remarks) = read_all(snapshot, above.iter())?;
    // One that is broken matters to those who follow its plugins, and is nothing to a source of the whole repository.
    if let Ok(Some(market)) = super::listed::read(snapshot) {
        market.plugins.into_iter().for_each(|listed| add_listed(&mut manifests, listed));
    }
    let mut all = Plugins::default();
    for (path, manifest) in manifests {
        all.insert(path, manifest.name, manifest.version);
    }
    // One that no skill belongs to is not worth remembering.
    let used: BTreeSet<String> = skills.iter().filter_map(|path| Some(all.of(path)?.path.clone())).collect();
    all.0.retain(|_, plugin| used.contains(&plugin.path));
    Ok((all, remarks))
}

/// Adds what the repository's own marketplace says of one of its plugins: a version that the manifest lacks, or all of
/// the manifest where the marketplace's entry is it.
fn add_listed(manifests: &mut BTreeMap<RelPath, Manifest>, listed: Listed) {
    let Ok(Place::Here(root)) = listed.place else { return };
    let Stated { name, version, strict, skills } = listed.stated;
    match manifests.get_mut(&root) {
        Some(manifest) => manifest.version = manifest.version.take().or(version),
        // With a list of skills, several plugins share one folder, and a skill's path tells no plugin.
        None if !strict && skills.is_none() => {
            manifests.insert(root, Manifest { name, version, skills: Vec::new() });
        }
        None => {}
    }
}

/// Returns the plugin whose manifest stands in the tree of a skill: that of a skill that is a whole repository.
pub fn in_tree(store: &Store, tree: Oid) -> Result<Plugins> {
    let mut plugins = Plugins::default();
    let (found, _) = read_in(store, &RelPath::root(), manifests_in(store, tree, &RelPath::root())?)?;
    if let Some(manifest) = found {
        plugins.insert(RelPath::root(), manifest.name, manifest.version);
    }
    Ok(plugins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skill_belongs_to_the_nearest_plugin_and_the_file_reads_back_as_itself() {
        let path = |text: &str| RelPath::parse(text).expect("valid");
        let mut plugins = Plugins::default();
        plugins.insert(RelPath::root(), "whole".into(), Some("1".into()));
        plugins.insert(path("plugins/a"), "a".into(), None);
        let name = |at: &str| plugins.of(&path(at)).map(|plugin| plugin.name.clone());
        assert_eq!(name("plugins/a/skills/x").as_deref(), Some("a"));
        assert_eq!(name("plugins/ab/skills/x").as_deref(), Some("whole"));
        assert_eq!(Plugins::from_json(&plugins.to_json().expect("not empty")), plugins);
        assert_eq!(Plugins::default().to_json(), None);
        assert_eq!(Plugins::from_json(b"{\"format\": 2, \"plugins\": []}"), Plugins::default());
    }
}
