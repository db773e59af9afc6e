//! `sources/<name>.toml`: one source, as people edit it. The tool changes single keys and keeps comments and order.

pub mod edit;
mod new;
mod written;

pub use new::NewSource;

use super::paused::Paused;
use super::settings::{Policy, WrittenPolicy};
use super::toml_file;
use crate::types::{Context as _, ErrorKind, RelPath, Result, SourceName, one_line};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use jiff::civil::Date;
use written::Written;

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

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> SourceName {
        SourceName::parse("s").expect("valid")
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
