//! Plugins: which directories say that they are one, what each is called, and which skills belong to it.
//!
//! A skill belongs to the plugin whose root is the nearest directory above it with a manifest. A manifest is somebody
//! else's file in a format that still moves: what it says beside name, version and skills is not looked at, and one that
//! cannot be read is a warning and harms nothing else.

use super::assemble::Remark;
use super::links;
use super::marketplace::{Listed, Place};
use super::snapshot::Snapshot;
use crate::git::{Mode, Oid, Store, entry_at};
use crate::skill::SKILL_MD;
use crate::types::{Context as _, Error, ErrorKind, RelPath, Result, one_line};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Where manifests stand in a plugin's directory, the one that counts first.
pub const MANIFESTS: [&str; 6] = [
    ".claude-plugin/plugin.json",
    ".cursor-plugin/plugin.json",
    ".codex-plugin/plugin.json",
    ".github/plugin/plugin.json",
    "gemini-extension.json",
    "plugin.json",
];
/// The largest manifest or marketplace file that is read, in bytes.
pub const MANIFEST_BYTES: u64 = 4 << 20;
/// How many folders of skills one manifest may list.
const PATHS: usize = 1000;
/// How much of a name or version is kept.
const NAME_CHARS: usize = 100;
/// Where a plugin has its skills, if it says nothing else.
pub(super) const SKILLS: &str = "skills";

/// What a manifest says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The plugin's name.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// Folders of skills, or skills, beside the default one; relative to the plugin's root.
    pub skills: Vec<RelPath>,
}

/// Reads a manifest; none where a `plugin.json` belongs to something else (editors and dashboards have plugins, too).
///
/// # Errors
/// [`ErrorKind::Rejected`], without the file's name.
pub fn parse(file: &str, bytes: &[u8]) -> Result<Option<Manifest>> {
    let text = std::str::from_utf8(bytes).context(ErrorKind::Rejected, || "it is not UTF-8")?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let written: serde_json::Value = match serde_json::from_str(text) {
        Ok(written) => written,
        // Without a word that says so, nobody knows that it should have been a manifest.
        Err(_) if file == "plugin.json" => return Ok(None),
        Err(error) => return Err(Error::new(ErrorKind::Rejected, format!("it is not JSON: {error}"))),
    };
    let speaks_of_plugins = ["skills", "commands", "agents", "hooks", "mcpServers"];
    if file == "plugin.json"
        && !(written["name"].is_string()
            && (speaks_of_plugins.iter().any(|key| written.get(key).is_some())
                || written["$schema"].as_str().is_some_and(|schema| schema.contains("plugin"))))
    {
        return Ok(None);
    }
    let name = short(&written["name"]).ok_or_else(|| Error::new(ErrorKind::Rejected, "it has no `name`"))?;
    Ok(Some(Manifest { name, version: short(&written["version"]), skills: paths(&written["skills"])? }))
}

/// A name or version that can be shown; none where there is none.
pub(super) fn short(value: &serde_json::Value) -> Option<String> {
    let text = value.as_str().map(|text| one_line(text, NAME_CHARS));
    text.filter(|text| !text.is_empty())
}

/// One path or several, relative to a plugin's root.
pub(super) fn paths(value: &serde_json::Value) -> Result<Vec<RelPath>> {
    let written = match value {
        serde_json::Value::String(one) => vec![one.as_str()],
        serde_json::Value::Array(many) => many.iter().filter_map(serde_json::Value::as_str).collect(),
        _ => Vec::new(),
    };
    if written.len() > PATHS {
        return Err(Error::new(ErrorKind::Limit, format!("its `skills` has more than {PATHS} paths")));
    }
    written.into_iter().map(|path| RelPath::parse(path).context(ErrorKind::Rejected, || "its `skills`")).collect()
}

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
    if folders.is_empty() && super::discover::has_skill_md(snapshot, root)? {
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

/// Reads the manifests of some directories, fetching them in one request.
fn read_all<'p>(
    snapshot: &Snapshot,
    directories: impl Iterator<Item = &'p RelPath>,
) -> Result<(BTreeMap<RelPath, Manifest>, Vec<Remark>)> {
    let mut places = Vec::new();
    for directory in directories {
        places.push((directory, manifests_in(snapshot.store(), snapshot.tree, directory)?));
    }
    snapshot.need(places.iter().flat_map(|(_, files)| files.iter().map(|(_, id)| *id)))?;
    let (mut manifests, mut remarks) = (BTreeMap::new(), Vec::new());
    for (directory, files) in places {
        let (manifest, odd) = read_in(snapshot.store(), directory, files)?;
        remarks.extend(odd);
        manifest.into_iter().for_each(|manifest| drop(manifests.insert(directory.clone(), manifest)));
    }
    Ok((manifests, remarks))
}

/// The blobs of the manifests in `directory` of a tree.
pub(super) fn manifests_in(store: &Store, tree: Oid, directory: &RelPath) -> Result<Vec<(&'static str, Oid)>> {
    let Some(folder) = crate::git::tree_at(store, tree, directory)? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for file in MANIFESTS {
        let path = RelPath::parse(file).expect("a fixed name");
        if let Some(place) = entry_at(store, folder, &path)?.filter(|place| place.mode.is_file()) {
            found.push((file, place.id));
        }
    }
    Ok(found)
}

/// Reads one directory's manifests as one: the name of the first, the first version, and everybody's skills.
fn read_in(
    store: &Store,
    directory: &RelPath,
    files: Vec<(&'static str, Oid)>,
) -> Result<(Option<Manifest>, Vec<Remark>)> {
    let mut whole: Option<Manifest> = None;
    let mut remarks = Vec::new();
    for (file, id) in files {
        match read_one(store, file, id) {
            Ok(None) => {}
            Ok(Some(manifest)) => match &mut whole {
                None => whole = Some(manifest),
                Some(whole) => {
                    whole.version = whole.version.take().or(manifest.version);
                    whole.skills.extend(manifest.skills);
                }
            },
            Err(error) => {
                let path = directory.join_path(&RelPath::parse(file).expect("a fixed name"));
                let message = format!("the manifest {path} is not used: {}", error.full_message());
                remarks.push(Remark::new(path, "plugin_manifest", message));
            }
        }
    }
    Ok((whole, remarks))
}

fn read_one(store: &Store, file: &str, id: Oid) -> Result<Option<Manifest>> {
    match store.header(id)? {
        Some((_, size)) if size > MANIFEST_BYTES => {
            Err(Error::new(ErrorKind::Limit, format!("it has more than {MANIFEST_BYTES} bytes")))
        }
        _ => parse(file, &store.blob(id)?),
    }
}

/// Tells whether a file of a plain folder says something about plugins, by its path.
pub fn is_manifest(path: &str) -> bool {
    let fits = |known: &str| path.strip_suffix(known).is_some_and(|above| above.is_empty() || above.ends_with('/'));
    MANIFESTS.iter().chain(&super::marketplace::FILES).any(|known| fits(known)) && !path.ends_with(SKILL_MD)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(path: &str) -> Vec<u8> {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
        std::fs::read(root.join(path)).expect(path)
    }

    #[test]
    fn every_kind_of_manifest_says_name_version_and_skills() {
        for file in MANIFESTS {
            let manifest = parse(file, &fixture(&format!("plugins/{file}"))).expect(file).expect("a plugin's");
            assert_eq!((manifest.name.as_str(), manifest.version.as_deref()), ("acme-ops", Some("1.4.0")), "{file}");
        }
        let paths = |bytes: &str| parse("x", bytes.as_bytes()).expect("valid").expect("a manifest").skills.len();
        assert_eq!(paths(r#"{"name": "a", "skills": "./more/"}"#), 1);
        assert_eq!(paths(r#"{"name": "a", "skills": ["./more", "other/deep"]}"#), 2);
        assert_eq!(paths(r#"{"name": "a", "version": 3, "unknown": {"deep": []}}"#), 0);
        assert_eq!(paths("\u{feff}{\"name\": \"a\"}"), 0);
    }

    #[test]
    fn a_manifest_lists_at_most_a_thousand_folders_and_those_in_others_count_for_nothing() {
        let list = |count: usize| paths(&serde_json::json!(vec!["a"; count])).map(|paths| paths.len());
        assert_eq!(list(1000).expect("allowed"), 1000);
        assert_eq!(list(1001).expect_err("too many").kind(), ErrorKind::Limit);
        let path = |text: &&str| RelPath::parse(text).expect("valid");
        let folders = ["a", "a-b", "a/b", "a/b/c", "b/c", "b/c-d"].iter().map(path).collect();
        assert_eq!(outermost(folders), ["a", "a-b", "b/c", "b/c-d"].iter().map(path).collect::<Vec<_>>());
        assert_eq!(outermost([".", "a", "b"].iter().map(path).collect()), [RelPath::root()]);
    }

    #[test]
    fn a_broken_manifest_is_an_error_and_somebody_elses_is_none() {
        for bad in [
            "",
            "[",
            "{}",
            r#"{"name": ""}"#,
            r#"{"name": 3}"#,
            r#"{"name": "a", "skills": "../up"}"#,
            r#"{"name": "a", "skills": ["/etc"]}"#,
        ] {
            assert!(parse(MANIFESTS[0], bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(parse(MANIFESTS[0], &[0xff]).is_err());
        for other in [r#"{"name": "Panel", "type": "panel", "id": "x"}"#, "{}", "[", r#"{"skills": []}"#] {
            assert_eq!(parse("plugin.json", other.as_bytes()).expect("no error"), None, "{other}");
        }
    }

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
