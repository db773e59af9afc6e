//! Marketplaces: a file that lists plugins and says where each is. Pure.
//!
//! Every entry is read alone: one that says nothing that can be followed is reported with its name, and harms no other.
//! What would run a program to find a plugin (`command`) is never followed.

use super::plugin::{self, Stated, short};
use crate::types::{Context as _, Error, ErrorKind, RelPath, Result, one_line};
use serde_json::Value;
use std::collections::BTreeMap;

/// Where a marketplace's file stands in a repository; the first one counts.
pub const FILES: [&str; 3] =
    [".claude-plugin/marketplace.json", ".cursor-plugin/marketplace.json", ".agents/plugins/marketplace.json"];

/// How many plugins one may list.
const PLUGINS: usize = 10_000;

/// What a marketplace's file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marketplace {
    /// Its name.
    pub name: Option<String>,
    /// Its plugins, in its own order.
    pub plugins: Vec<Listed>,
    /// New names of plugins that had another one.
    pub renames: BTreeMap<String, String>,
}

/// One plugin of a marketplace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What is said of it.
    pub stated: Stated,
    /// Where it is, or why nobody can say.
    pub place: Result<Place, String>,
}

/// Where a plugin is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In the marketplace's own repository.
    Here(RelPath),
    /// In another git repository.
    Git {
        /// As the marketplace writes it: a URL, or `owner/repo` on GitHub.
        url: String,
        /// Its directory there.
        path: RelPath,
        /// Branch, tag or commit; a commit that is stated wins.
        reference: Option<String>,
    },
    /// In an archive.
    Archive {
        /// Where it is.
        url: String,
        /// Its digest.
        sha256: Option<String>,
    },
    /// In a package of npm.
    Npm {
        /// Its name.
        package: String,
        /// A version.
        version: Option<String>,
        /// Another registry than npm's own.
        registry: Option<String>,
    },
}

impl Marketplace {
    /// Returns the plugin of this name.
    pub fn find(&self, name: &str) -> Option<&Listed> {
        self.plugins.iter().find(|listed| listed.stated.name == name)
    }
}

/// Reads a marketplace's file.
///
/// # Errors
/// [`ErrorKind::NoEvidence`] where it is none: without its list nothing is known of any plugin.
pub fn parse(bytes: &[u8]) -> Result<Marketplace> {
    let text = std::str::from_utf8(bytes).context(ErrorKind::NoEvidence, || "it is not UTF-8")?;
    let written: Value = serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(text))
        .map_err(|error| Error::new(ErrorKind::NoEvidence, format!("it is not JSON: {error}")))?;
    let listed = written["plugins"].as_array();
    let listed = listed.ok_or_else(|| Error::new(ErrorKind::NoEvidence, "it has no list `plugins`"))?;
    if listed.len() > PLUGINS {
        return Err(Error::new(ErrorKind::Limit, format!("it lists more than {PLUGINS} plugins")));
    }
    let base = written["metadata"]["pluginRoot"].as_str().or(written["pluginRoot"].as_str());
    let base = RelPath::parse(base.unwrap_or(".")).context(ErrorKind::NoEvidence, || "its `pluginRoot`")?;
    let renames = written["renames"].as_object().into_iter().flatten();
    let renames = renames.filter_map(|(old, new)| Some((old.clone(), short(new)?))).collect();
    let plugins = listed.iter().filter_map(|entry| read(entry, &base)).collect();
    Ok(Marketplace { name: short(&written["name"]), plugins, renames })
}

/// An entry without a name is no plugin that anybody could ask for.
fn read(entry: &Value, base: &RelPath) -> Option<Listed> {
    let name = short(&entry["name"])?;
    let skills = match plugin::paths(&entry["skills"]) {
        Ok(skills) => entry.get("skills").map(|_| skills),
        Err(error) => {
            let stated = Stated { name, ..Stated::default() };
            return Some(Listed { stated, place: Err(error.full_message()) });
        }
    };
    let strict = entry["strict"].as_bool().unwrap_or(true);
    let stated = Stated { name, version: short(&entry["version"]), strict, skills };
    Some(Listed { stated, place: place(&entry["source"], base) })
}

fn place(source: &Value, base: &RelPath) -> Result<Place, String> {
    let text = |key: &str| source[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let needed = |key: &str| text(key).ok_or_else(|| format!("its source has no `{key}`"));
    if let Some(path) = source.as_str() {
        return here(path, base);
    }
    let kind = source["source"].as_str().unwrap_or_default();
    match kind {
        "local" | "path" | "directory" => here(&needed("path")?, base),
        // Codex writes the marketplace's own repository so.
        "url" | "git" if text("url").is_some_and(|url| url.starts_with('.')) => here(&needed("url")?, base),
        "github" | "url" | "git" | "git-subdir" => {
            let url = if kind == "github" { needed("repo")? } else { needed("url")? };
            let path = if kind == "git-subdir" { Some(needed("path")?) } else { text("path") };
            Ok(Place::Git { url, path: relative(path.as_deref().unwrap_or("."))?, reference: reference(source)? })
        }
        "archive" => Ok(Place::Archive { url: needed("url")?, sha256: text("sha256") }),
        "npm" => Ok(Place::Npm { package: needed("package")?, version: text("version"), registry: text("registry") }),
        "command" => Err("its source is a command, and commands of a marketplace are never run".into()),
        _ if source.is_null() => Err("it has no `source`".into()),
        other => Err(format!("its source is of the kind `{}`, which skillgraft does not know", one_line(other, 40))),
    }
}

/// A path below `pluginRoot`, unless it says that folder itself.
fn here(path: &str, base: &RelPath) -> Result<Place, String> {
    let path = relative(path)?;
    Ok(Place::Here(if path.is_within(base) { path } else { base.join_path(&path) }))
}

fn relative(path: &str) -> Result<RelPath, String> {
    RelPath::check(path).map_err(|rule| format!("its path `{}` cannot be used: {}", one_line(path, 80), rule.message()))
}

/// The commit that is stated, else branch or tag.
fn reference(source: &Value) -> Result<Option<String>, String> {
    if let Some(sha) = source["sha"].as_str().filter(|sha| !sha.is_empty()) {
        let sha = sha.to_ascii_lowercase();
        return match super::is_commit_id(&sha) {
            true => Ok(Some(sha)),
            false => Err(format!("its `sha` is not a full commit id: `{}`", one_line(&sha, 80))),
        };
    }
    Ok(source["ref"].as_str().filter(|name| !name.is_empty()).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelPath {
        RelPath::parse(text).expect("valid")
    }

    #[test]
    fn every_kind_of_source_is_read_and_a_stated_commit_wins() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/marketplaces");
        let text = std::fs::read(root.join(FILES[0])).expect("a fixture");
        let market = parse(&text).expect("valid");
        assert_eq!(market.name.as_deref(), Some("acme"));
        assert_eq!(market.renames["old-ops"], "ops");
        let place = |name: &str| market.find(name).expect(name).place.clone();
        let sha = "0123456789abcdef0123456789abcdef01234567";
        let git = |url: &str, at: &str, reference: Option<&str>| {
            Ok(Place::Git { url: url.into(), path: path(at), reference: reference.map(str::to_owned) })
        };
        assert_eq!(place("ops"), Ok(Place::Here(path("plugins/ops"))));
        assert_eq!(place("by-root"), Ok(Place::Here(path("plugins/by-root"))));
        assert_eq!(place("local"), Ok(Place::Here(path("plugins/local"))));
        assert_eq!(place("itself"), Ok(Place::Here(path("plugins"))));
        assert_eq!(place("on-github"), git("acme/tools", ".", Some("v1")));
        assert_eq!(place("pinned"), git("https://example.com/a.git", ".", Some(sha)));
        assert_eq!(place("below"), git("https://example.com/a.git", "plugins/b", Some("main")));
        let archive = Place::Archive { url: "https://example.com/a.tgz".into(), sha256: Some("ab".repeat(32)) };
        assert_eq!(place("archived"), Ok(archive));
        let (package, version) = ("@acme/skills".to_owned(), Some("1.2.0".to_owned()));
        assert_eq!(place("packaged"), Ok(Place::Npm { package, version, registry: None }));
        for (name, why) in [
            ("commanded", "never run"),
            ("unheard-of", "`carrier-pigeon`"),
            ("nowhere", "no `source`"),
            ("outside", "cannot be used"),
            ("half-pinned", "full commit id"),
            ("odd-skills", "`skills`"),
        ] {
            let refused = place(name).expect_err(name);
            assert!(refused.contains(why), "{name}: {refused}");
        }
        let stated = &market.find("loose").expect("listed").stated;
        assert_eq!((stated.strict, stated.skills.as_deref()), (false, Some(&[path("skills/deploy")][..])));
        assert_eq!(stated.version.as_deref(), Some("2.0.0"));
        assert_eq!(market.plugins.len(), 16, "an entry without a name is no plugin");
    }

    #[test]
    fn every_file_of_a_marketplace_is_read() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/marketplaces");
        for file in FILES {
            let market = parse(&std::fs::read(root.join(file)).expect(file)).expect(file);
            assert_eq!(market.find("ops").expect(file).place, Ok(Place::Here(path("plugins/ops"))), "{file}");
        }
    }

    #[test]
    fn what_is_no_list_of_plugins_is_no_evidence() {
        for bad in ["", "[]", "{}", r#"{"plugins": {}}"#, r#"{"plugins": [], "metadata": {"pluginRoot": "../x"}}"#] {
            assert_eq!(parse(bad.as_bytes()).expect_err(bad).kind(), ErrorKind::NoEvidence);
        }
    }
}
