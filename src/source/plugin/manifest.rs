//! The manifests of plugins: where they stand, and what each says.

use crate::git::{Oid, Store, entry_at};
use crate::skill::SKILL_MD;
use crate::source::assemble::Remark;
use crate::source::marketplace;
use crate::source::snapshot::Snapshot;
use crate::types::{Context as _, Error, ErrorKind, RelPath, Result, one_line};
use std::collections::BTreeMap;

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
pub(super) const NAME_CHARS: usize = 100;

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
pub(in crate::source) fn short(value: &serde_json::Value) -> Option<String> {
    let text = value.as_str().map(|text| one_line(text, NAME_CHARS));
    text.filter(|text| !text.is_empty())
}

/// One path or several, relative to a plugin's root.
pub(in crate::source) fn paths(value: &serde_json::Value) -> Result<Vec<RelPath>> {
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

/// Reads the manifests of some directories, fetching them in one request.
pub(super) fn read_all<'p>(
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
pub(in crate::source) fn manifests_in(
    store: &Store,
    tree: Oid,
    directory: &RelPath,
) -> Result<Vec<(&'static str, Oid)>> {
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
pub(super) fn read_in(
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
    MANIFESTS.iter().chain(&marketplace::FILES).any(|known| fits(known)) && !path.ends_with(SKILL_MD)
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
    fn a_manifest_lists_at_most_a_thousand_folders() {
        let list = |count: usize| paths(&serde_json::json!(vec!["a"; count])).map(|paths| paths.len());
        assert_eq!(list(1000).expect("allowed"), 1000);
        assert_eq!(list(1001).expect_err("too many").kind(), ErrorKind::Limit);
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
}
