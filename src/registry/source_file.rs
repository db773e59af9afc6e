//! `sources/<name>.toml`: one source, as people edit it. The tool changes single keys and keeps comments and order.

use super::settings::{Policy, WrittenPolicy};
use super::toml_file;
use crate::types::{Context as _, Error, ErrorKind, RelPath, Result, SourceName};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use jiff::civil::Date;
use serde::Deserialize;

/// The folder of the source files.
pub const FOLDER: &str = "sources";

/// Where a source's skills come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A git repository: a URL, or a path relative to the registry.
    Git(String),
    /// A plain directory: a path relative to the registry.
    Directory(String),
}

/// A source.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Its name.
    pub name: SourceName,
    /// Where it is.
    pub origin: Origin,
    /// Branch, tag or commit; none follows the remote's default branch.
    pub reference: Option<String>,
    /// What of it is followed.
    pub selection: Selection,
    /// The namespace of its skills' ids; empty for none.
    pub namespace: String,
    /// Whether sync looks at it.
    pub enabled: bool,
    /// The hold a person put on it.
    pub paused: Option<Paused>,
    /// The names it had before.
    pub was: Vec<SourceName>,
    policy: WrittenPolicy,
}

/// Who paused something, why, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paused {
    /// Who.
    pub by: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// The first day.
    pub since: Option<Day>,
    /// The last day.
    pub until: Option<Day>,
}

impl Paused {
    /// Tells whether it holds on the day `today`: `until` is its last day.
    pub fn holds_on(&self, today: Date) -> bool {
        self.until.is_none_or(|until| until.holds_on(today))
    }
}

/// A date in TOML: `2026-11-20`, bare or quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day(pub Date);

impl Day {
    /// Tells whether what lasts until this day, the last one, holds on the day `today`.
    pub fn holds_on(self, today: Date) -> bool {
        today <= self.0
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Bare(toml::value::Datetime),
            Quoted(String),
        }
        let text = match Written::deserialize(deserializer)? {
            Written::Bare(date) => date.to_string(),
            Written::Quoted(text) => text,
        };
        text.get(..10)
            .unwrap_or(&text)
            .parse()
            .map(Day)
            .map_err(|_| serde::de::Error::custom(format!("`{text}` is not a date; write, for example, 2026-11-20")))
    }
}

/// What of a source is followed.
#[derive(Debug, Clone)]
pub struct Selection {
    /// The folder that is looked at, relative to upstream's root.
    pub path: RelPath,
    skills: GlobSet,
    exclude: GlobSet,
}

impl Selection {
    /// Returns the selection. A glob with a `/` (or `.`, upstream's root) matches the upstream path, any other one the
    /// directory's name.
    pub fn new(path: RelPath, skills: &[String], exclude: &[String]) -> Result<Self> {
        Ok(Selection { path, skills: glob_set(skills)?, exclude: glob_set(exclude)? })
    }

    /// Tells whether the skill in the upstream directory `path` is selected. A skill at upstream's root has the name
    /// of its source.
    pub fn selects(&self, path: &RelPath, source: &SourceName) -> bool {
        path.is_within(&self.path) && matches(&self.skills, path, source) && !self.excludes(path, source)
    }

    /// Tells whether the skill in the upstream directory `path` is excluded.
    pub fn excludes(&self, path: &RelPath, source: &SourceName) -> bool {
        matches(&self.exclude, path, source)
    }
}

fn matches(globs: &GlobSet, path: &RelPath, source: &SourceName) -> bool {
    globs.is_match(path.name().unwrap_or(source.as_str())) || globs.is_match(path.as_str())
}

fn glob_set(globs: &[String]) -> Result<GlobSet> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        let built = GlobBuilder::new(glob).literal_separator(true).build();
        set.add(built.context(ErrorKind::Config, || format!("`{}` is not a glob", crate::types::one_line(glob, 80)))?);
    }
    set.build().context(ErrorKind::Config, || "the globs are too large")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[expect(dead_code, reason = "checked by toml_file::parse")]
    format: u64,
    git: Option<String>,
    path: Option<String>,
    r#ref: Option<String>,
    #[serde(default = "everything")]
    skills: Vec<String>,
    #[serde(default)]
    exclude: Vec<String>,
    #[serde(default)]
    namespace: String,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default)]
    was: Vec<String>,
    #[serde(default)]
    policy: WrittenPolicy,
    paused: Option<Paused>,
}

fn everything() -> Vec<String> {
    vec!["*".into()]
}

fn yes() -> bool {
    true
}

impl SourceFile {
    /// Returns the path of a source's file, relative to the registry.
    pub fn path_of(name: &SourceName) -> RelPath {
        RelPath::parse(&format!("{FOLDER}/{name}.toml")).expect("a source's name is a path component")
    }

    /// Reads a source from the text of its file.
    pub fn parse(name: SourceName, text: &str) -> Result<Self> {
        let file = Self::path_of(&name);
        let file = file.as_str();
        let written: Written = toml_file::parse(file, text)?;
        let here = || file.to_owned();
        let (origin, path) = match (written.git, written.path) {
            (Some(git), path) => (Origin::Git(git), path),
            (None, Some(path)) => (Origin::Directory(path), None),
            (None, None) => {
                return Err(Error::new(ErrorKind::Config, format!("{file}: it says neither `git` nor `path`"))
                    .hint("write `git = \"https://...\"`, or `path = \"...\"` for a folder"));
            }
        };
        if let Origin::Git(url) = &origin {
            crate::types::refuse_credentials(url).context(ErrorKind::Config, here)?;
        }
        if !written.namespace.is_empty() {
            crate::types::SkillId::parse(&written.namespace).context(ErrorKind::Config, here)?;
        }
        let path = RelPath::parse(path.as_deref().unwrap_or(".")).context(ErrorKind::Config, here)?;
        Ok(SourceFile {
            selection: Selection::new(path, &written.skills, &written.exclude).context(ErrorKind::Config, here)?,
            was: written
                .was
                .iter()
                .map(|n| SourceName::parse(n))
                .collect::<Result<_>>()
                .context(ErrorKind::Config, here)?,
            name,
            origin,
            reference: written.r#ref,
            namespace: written.namespace,
            enabled: written.enabled,
            paused: written.paused,
            policy: written.policy,
        })
    }

    /// Returns what stands for a source whose file is gone: nothing is asked of it but its name.
    pub fn gone(name: &SourceName) -> Self {
        Self::parse(name.clone(), "format = 1\npath = \".\"\nenabled = false\n").expect("fixed text")
    }

    /// Returns the same source at another branch, tag or commit.
    #[must_use]
    pub fn at(&self, reference: &str) -> Self {
        SourceFile { reference: Some(reference.to_owned()), ..self.clone() }
    }

    /// Returns the policy that holds for this source.
    pub fn policy(&self, registry: &Policy) -> Policy {
        self.policy.over(registry)
    }

    /// Tells whether the source is paused on the day `today`. A pause ends after its `until`.
    pub fn paused_on(&self, today: Date) -> bool {
        self.paused.as_ref().is_some_and(|paused| paused.holds_on(today))
    }

    /// Returns the word for the kind of origin, as JSON shows it.
    pub fn kind(&self) -> &'static str {
        match self.origin {
            Origin::Git(_) => "git",
            Origin::Directory(_) => "directory",
        }
    }
}

/// What `add` writes down. Only what differs from the default is written, but for the keys that people look for.
#[derive(Debug, Clone)]
pub struct NewSource {
    /// Where it is.
    pub origin: Origin,
    /// Branch, tag or commit.
    pub reference: Option<String>,
    /// The folder looked at; only for git.
    pub path: RelPath,
    /// Globs; empty means everything.
    pub skills: Vec<String>,
    /// Globs.
    pub exclude: Vec<String>,
    /// The namespace; empty for none.
    pub namespace: String,
    /// Whether sync looks at it.
    pub enabled: bool,
}

impl NewSource {
    /// Returns the text of the source file.
    pub fn render(&self) -> String {
        let mut document = toml_edit::DocumentMut::new();
        document["format"] = toml_edit::value(1);
        match &self.origin {
            Origin::Git(url) => document["git"] = toml_edit::value(url),
            Origin::Directory(path) => document["path"] = toml_edit::value(path),
        }
        if let Some(reference) = &self.reference {
            document["ref"] = toml_edit::value(reference);
        }
        if !self.path.is_root() {
            document["path"] = toml_edit::value(self.path.as_str());
        }
        let everything = ["*".to_owned()];
        let skills = if self.skills.is_empty() { &everything[..] } else { &self.skills };
        document["skills"] = toml_edit::value(toml_edit::Array::from_iter(skills));
        if !self.exclude.is_empty() {
            document["exclude"] = toml_edit::value(toml_edit::Array::from_iter(&self.exclude));
        }
        if !self.namespace.is_empty() {
            document["namespace"] = toml_edit::value(&self.namespace);
        }
        if !self.enabled {
            document["enabled"] = toml_edit::value(false);
        }
        document.to_string()
    }
}

/// Returns a date as TOML writes it, bare.
pub(super) fn date_item(date: Date) -> toml_edit::Item {
    let date = toml_edit::Date {
        year: date.year().unsigned_abs(),
        month: date.month().unsigned_abs(),
        day: date.day().unsigned_abs(),
    };
    toml_edit::value(toml_edit::Datetime { date: Some(date), time: None, offset: None })
}

/// Returns the text of a source file that also excludes the skill at the upstream path `path`.
pub fn with_excluded(text: &str, path: &RelPath) -> Result<String> {
    let mut document: toml_edit::DocumentMut = text.parse().context(ErrorKind::Config, || "the source file")?;
    let list = document.entry("exclude").or_insert_with(|| toml_edit::value(toml_edit::Array::new()));
    let list = list.as_array_mut().ok_or_else(|| Error::new(ErrorKind::Config, "`exclude` is not a list"))?;
    // A name may have characters that globs give a meaning to.
    let glob = globset::escape(path.as_str());
    if !list.iter().any(|there| there.as_str() == Some(&glob)) {
        list.push(glob);
    }
    Ok(document.to_string())
}

/// Returns the text of a source file that says which name it had before.
pub fn with_former_name(text: &str, was: &SourceName) -> Result<String> {
    let mut document: toml_edit::DocumentMut = text.parse().context(ErrorKind::Config, || "the source file")?;
    let list = document.entry("was").or_insert_with(|| toml_edit::value(toml_edit::Array::new()));
    let list = list.as_array_mut().ok_or_else(|| Error::new(ErrorKind::Config, "`was` is not a list"))?;
    list.insert(0, was.as_str());
    Ok(document.to_string())
}

/// Returns the text of a source file with one key set: `policy.new_skills` is a key of a table, and a value that is no
/// TOML is a string.
pub fn with_key(text: &str, key: &str, typed: &str) -> Result<String> {
    let mut document: toml_edit::DocumentMut = text.parse().context(ErrorKind::Config, || "the source file")?;
    let read: toml_edit::Value = typed.parse().unwrap_or_else(|_| typed.into());
    let (table, key) = match key.split_once('.') {
        Some((table, key)) => (document.entry(table).or_insert_with(toml_edit::table).as_table_like_mut(), key),
        None => (Some(document.as_table_mut() as &mut dyn toml_edit::TableLike), key),
    };
    let table = table.ok_or_else(|| Error::new(ErrorKind::Usage, "that key is no table"))?;
    table.insert(key, toml_edit::Item::Value(read));
    Ok(document.to_string())
}

/// Returns the text of a source file with `enabled` set, everything else as it was.
pub fn with_enabled(text: &str, enabled: bool) -> Result<String> {
    let mut document: toml_edit::DocumentMut = text.parse().context(ErrorKind::Config, || "the source file")?;
    if enabled {
        document.remove("enabled");
    } else {
        document["enabled"] = toml_edit::value(false);
    }
    Ok(document.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> SourceName {
        SourceName::parse("s").expect("valid")
    }

    #[test]
    fn what_add_writes_is_what_sync_reads() {
        let new = NewSource {
            origin: Origin::Git("https://example.com/a.git".into()),
            reference: Some("main".into()),
            path: RelPath::parse("skills").expect("valid"),
            skills: vec!["deploy*".into()],
            exclude: vec!["deploy-old".into()],
            namespace: "acme".into(),
            enabled: false,
        };
        let source = SourceFile::parse(name(), &new.render()).expect("own output");
        assert_eq!((source.origin, source.enabled, source.namespace.as_str()), (new.origin, false, "acme"));
        let selects = |path: &str| source.selection.selects(&RelPath::parse(path).expect("valid"), &name());
        assert!(selects("skills/deploy") && selects("skills/x/deploy-2"));
        assert!(!selects("skills/deploy-old") && !selects("deploy") && !selects("skills/ops"));
    }

    #[test]
    fn enabling_keeps_comments_and_order() {
        let text = "format = 1\n# why\nenabled = false # for now\ngit = \"x\"\n";
        assert_eq!(with_enabled(text, true).expect("valid"), "format = 1\ngit = \"x\"\n");
    }

    #[test]
    fn a_password_in_a_url_is_refused() {
        assert!(SourceFile::parse(name(), "format = 1\ngit = \"https://u:p@example.com/a\"\n").is_err());
    }

    #[test]
    fn a_pause_ends_after_its_last_day() {
        let text = "format = 1\ngit = \"x\"\n[paused]\nreason = \"r\"\nuntil = 2026-11-20\n";
        let source = SourceFile::parse(name(), text).expect("valid");
        assert!(source.paused_on(jiff::civil::date(2026, 11, 20)));
        assert!(!source.paused_on(jiff::civil::date(2026, 11, 21)));
    }
}
