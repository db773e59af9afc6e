//! `sources/<name>.toml`: one source, as people edit it. The tool changes single keys and keeps comments and order.

pub mod edit;

use super::paused::Paused;
use super::settings::{Policy, WrittenPolicy};
use super::toml_file;
use crate::types::{Context as _, Error, ErrorKind, RelPath, Result, SourceName, one_line};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use jiff::civil::Date;
use serde::Deserialize;

/// The folder of the source files.
pub const FOLDER: &str = "sources";
/// The namespace that stands for the name of the plugin that a skill belongs to.
pub const PLUGIN_NAMESPACE: &str = "plugin";

/// Where a source's skills come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A git repository: a URL, or a path relative to the registry.
    Git(String),
    /// A plain directory: a path relative to the registry.
    Directory(String),
    /// A file that `git bundle` wrote: a path relative to the registry.
    Bundle(String),
    /// A plugin that a marketplace lists.
    Plugin {
        /// The marketplace: a git URL, or a path relative to the registry.
        marketplace: String,
        /// The plugin's name there.
        plugin: String,
    },
    /// A well-known index: its address.
    Index(String),
    /// A skill on ClawHub, or on a registry that speaks the same.
    ClawHub {
        /// `slug`, or `owner/slug` where several owners have one.
        skill: String,
        /// The registry's address; none for ClawHub itself.
        registry: Option<String>,
    },
    /// A program that serves skills (MCP's skills extension), with its arguments.
    Command(Vec<String>),
}

impl Origin {
    /// Returns the word for the kind, as JSON shows it.
    pub fn kind(&self) -> &'static str {
        match self {
            Origin::Git(_) => "git",
            Origin::Directory(_) => "directory",
            Origin::Bundle(_) => "bundle",
            Origin::Plugin { .. } => "plugin",
            Origin::Index(_) => "index",
            Origin::ClawHub { .. } => "clawhub",
            Origin::Command(_) => "command",
        }
    }

    /// Returns the key of a source file that says where it is.
    fn key(&self) -> &'static str {
        match self {
            Origin::Directory(_) => "path",
            Origin::Plugin { .. } => "marketplace",
            other => other.kind(),
        }
    }

    /// Returns the place as people name it.
    pub fn location(&self) -> String {
        match self {
            Origin::Git(place) | Origin::Directory(place) | Origin::Bundle(place) | Origin::Index(place) => {
                place.clone()
            }
            Origin::Plugin { marketplace, .. } => marketplace.clone(),
            Origin::ClawHub { skill, registry: None } => format!("clawhub:{skill}"),
            Origin::ClawHub { skill, registry: Some(registry) } => format!("clawhub:{skill} at {registry}"),
            Origin::Command(command) => command.join(" "),
        }
    }
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
    /// The namespace of its skills' ids; empty for none, [`PLUGIN_NAMESPACE`] for each skill's plugin.
    pub namespace: String,
    /// Whether it may come over unencrypted http.
    pub insecure: bool,
    /// Whether sync looks at it.
    pub enabled: bool,
    /// The hold a person put on it.
    pub paused: Option<Paused>,
    /// The names it had before.
    pub was: Vec<SourceName>,
    policy: WrittenPolicy,
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
        set.add(built.context(ErrorKind::Config, || format!("`{}` is not a glob", one_line(glob, 80)))?);
    }
    set.build().context(ErrorKind::Config, || "the globs are too large")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[expect(dead_code, reason = "checked by toml_file::parse")]
    format: u64,
    git: Option<String>,
    index: Option<String>,
    clawhub: Option<String>,
    registry: Option<String>,
    command: Option<Vec<String>>,
    path: Option<String>,
    bundle: Option<String>,
    marketplace: Option<String>,
    plugin: Option<String>,
    r#ref: Option<String>,
    #[serde(default = "everything")]
    skills: Vec<String>,
    #[serde(default)]
    exclude: Vec<String>,
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    insecure: bool,
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

impl Written {
    /// Returns where the skills come from, and the folder of it that is looked at.
    fn origin(&self, file: &str, text: &str) -> Result<(Origin, Option<String>)> {
        let wrong = |key: &str, what: &str| {
            Error::new(ErrorKind::Config, format!("{}: {what}", toml_file::place(file, text, key)))
        };
        let keys = [
            ("git", self.git.is_some()),
            ("bundle", self.bundle.is_some()),
            ("marketplace", self.marketplace.is_some()),
            ("index", self.index.is_some()),
            ("clawhub", self.clawhub.is_some()),
            ("command", self.command.is_some()),
        ];
        let said: Vec<&str> = keys.iter().filter(|(_, is_said)| *is_said).map(|(key, _)| *key).collect();
        if let [one, other, ..] = said[..] {
            return Err(wrong(other, &format!("it says both `{one}` and `{other}`")).hint("keep one of them"));
        }
        if self.marketplace.is_some() != self.plugin.is_some() {
            let key = if self.plugin.is_some() { "plugin" } else { "marketplace" };
            return Err(wrong(key, "`marketplace` and `plugin` belong together")
                .hint("for all skills of a marketplace's repository write `git` instead"));
        }
        if self.registry.is_some() && self.clawhub.is_none() {
            return Err(wrong("registry", "`registry` goes with `clawhub` only").hint("remove `registry`"));
        }
        let has_folder = matches!(said[..], ["git" | "bundle"] | []);
        if self.path.is_some() && !has_folder {
            return Err(wrong("path", &format!("`{}` has no `path`: it says itself where the skills are", said[0]))
                .hint("remove `path`"));
        }
        if self.r#ref.is_some() && matches!(said[..], ["index" | "command"]) {
            return Err(wrong("ref", &format!("`{}` has no `ref`: it has one state", said[0])).hint("remove `ref`"));
        }
        let folder = self.path.clone();
        if let Some(git) = &self.git {
            return Ok((Origin::Git(git.clone()), folder));
        }
        if let Some(bundle) = &self.bundle {
            return Ok((Origin::Bundle(bundle.clone()), folder));
        }
        let origin = match (&self.marketplace, &self.plugin, &self.index, &self.clawhub, &self.command, folder) {
            (Some(marketplace), Some(plugin), ..) => {
                Origin::Plugin { marketplace: marketplace.clone(), plugin: plugin.clone() }
            }
            (_, _, Some(index), ..) => Origin::Index(index.clone()),
            (_, _, _, Some(skill), ..) => Origin::ClawHub { skill: skill.clone(), registry: self.registry.clone() },
            (_, _, _, _, Some(command), _) if command.is_empty() => {
                return Err(wrong("command", "`command` names no program")
                    .hint("write `command = [\"program\", \"argument\"]`"));
            }
            (_, _, _, _, Some(command), _) => Origin::Command(command.clone()),
            (.., Some(path)) => Origin::Directory(path),
            (.., None) => {
                return Err(wrong("", "it does not say where the skills are").hint(
                    "write one of `git = \"https://...\"`, `path = \"...\"` for a folder, `bundle`, `marketplace` with \
                     `plugin`, `index`, `clawhub` and `command`",
                ));
            }
        };
        Ok((origin, None))
    }
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
        let (origin, path) = written.origin(file, text)?;
        let unusable = |key: &'static str| move |cause| toml_file::unusable(file, text, key, cause);
        let place = origin.location();
        let said = if let Origin::Command(command) = &origin { &command[..] } else { std::slice::from_ref(&place) };
        // Of a program's arguments only a URL is known to be one.
        for text in said.iter().filter(|text| origin.kind() != "command" || text.contains("://")) {
            crate::types::refuse_credentials(text).map_err(unusable(origin.key()))?;
        }
        crate::types::refuse_credentials(written.registry.as_deref().unwrap_or_default())
            .map_err(unusable("registry"))?;
        if !written.namespace.is_empty() {
            crate::types::SkillId::parse(&written.namespace).map_err(unusable("namespace"))?;
        }
        let path = RelPath::parse(path.as_deref().unwrap_or(".")).map_err(unusable("path"))?;
        glob_set(&written.exclude).map_err(unusable("exclude"))?;
        let was = written.was.iter().map(|name| SourceName::parse(name)).collect::<Result<_>>();
        Ok(SourceFile {
            selection: Selection::new(path, &written.skills, &written.exclude).map_err(unusable("skills"))?,
            was: was.map_err(unusable("was"))?,
            name,
            origin,
            reference: written.r#ref,
            namespace: written.namespace,
            insecure: written.insecure,
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

    /// Returns the licences that the file itself allows, where it says any.
    pub fn own_licenses(&self) -> Option<&[String]> {
        self.policy.licenses.as_deref()
    }

    /// Tells whether the source is paused on the day `today`. A pause ends after its `until`.
    pub fn paused_on(&self, today: Date) -> bool {
        self.paused.as_ref().is_some_and(|paused| paused.holds_on(today))
    }

    /// Returns the word for the kind of origin, as JSON shows it.
    pub fn kind(&self) -> &'static str {
        self.origin.kind()
    }
}

/// What `add` writes down. Only what differs from the default is written, but for the keys that people look for.
#[derive(Debug, Clone)]
pub struct NewSource {
    /// Where it is.
    pub origin: Origin,
    /// Branch, tag or commit; of ClawHub, a version.
    pub reference: Option<String>,
    /// The folder looked at; only for git.
    pub path: RelPath,
    /// Globs; empty means everything.
    pub skills: Vec<String>,
    /// Globs.
    pub exclude: Vec<String>,
    /// The namespace; empty for none.
    pub namespace: String,
    /// Whether it may come over unencrypted http.
    pub insecure: bool,
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
            Origin::Bundle(path) => document["bundle"] = toml_edit::value(path),
            Origin::Plugin { marketplace, plugin } => {
                document["marketplace"] = toml_edit::value(marketplace);
                document["plugin"] = toml_edit::value(plugin);
            }
            Origin::Index(url) => document["index"] = toml_edit::value(url),
            Origin::ClawHub { skill, registry } => {
                document["clawhub"] = toml_edit::value(skill);
                if let Some(registry) = registry {
                    document["registry"] = toml_edit::value(registry);
                }
            }
            Origin::Command(command) => {
                document["command"] = toml_edit::value(toml_edit::Array::from_iter(command));
            }
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
        if self.insecure {
            document["insecure"] = toml_edit::value(true);
        }
        if !self.enabled {
            document["enabled"] = toml_edit::value(false);
        }
        document.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> SourceName {
        SourceName::parse("s").expect("valid")
    }

    #[test]
    fn what_add_writes_is_what_sync_reads() {
        let plugin = Origin::Plugin { marketplace: "https://example.com/m.git".into(), plugin: "ops".into() };
        for (origin, folder) in [
            (Origin::Git("https://example.com/a.git".into()), "skills"),
            (Origin::Bundle("../a.bundle".into()), "skills"),
            (plugin, "."),
        ] {
            let new = NewSource {
                origin,
                reference: Some("main".into()),
                path: RelPath::parse(folder).expect("valid"),
                skills: vec!["deploy*".into()],
                exclude: vec!["deploy-old".into()],
                namespace: "acme".into(),
                insecure: true,
                enabled: false,
            };
            let source = SourceFile::parse(name(), &new.render()).expect("own output");
            assert_eq!((&source.origin, source.reference.as_deref()), (&new.origin, Some("main")));
            assert_eq!((source.enabled, source.insecure, source.namespace.as_str()), (false, true, "acme"));
            let selects = |path: &str| source.selection.selects(&RelPath::parse(path).expect("valid"), &name());
            assert!(selects("skills/deploy") && selects("skills/x/deploy-2"));
            assert!(!selects("skills/deploy-old") && !selects("skills/ops"));
            assert_eq!(selects("deploy"), folder == ".");
        }
    }

    #[test]
    fn a_source_file_has_one_origin() {
        for keys in [
            "",
            "git = \"x\"\nbundle = \"y\"",
            "marketplace = \"x\"",
            "plugin = \"x\"",
            "marketplace = \"x\"\nplugin = \"y\"\npath = \"z\"",
            "git = \"x\"\nmarketplace = \"x\"\nplugin = \"y\"",
        ] {
            let error = SourceFile::parse(name(), &format!("format = 1\n{keys}\n")).expect_err(keys);
            assert!(error.full_message().starts_with("sources/s.toml:"), "{error:?}");
        }
    }

    #[test]
    fn enabling_keeps_comments_and_order() {
        let text = "format = 1\n# why\nenabled = false # for now\ngit = \"x\"\n";
        assert_eq!(edit::with_enabled(text, true).expect("valid"), "format = 1\ngit = \"x\"\n");
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
