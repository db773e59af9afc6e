//! The keys of a source file as they are written, and which of them say where the skills come from.

use super::Origin;
use crate::registry::paused::Paused;
use crate::registry::settings::WrittenPolicy;
use crate::registry::toml_file;
use crate::types::{Error, ErrorKind, Result};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    #[expect(dead_code, reason = "checked by toml_file::parse")]
    format: u64,
    git: Option<String>,
    index: Option<String>,
    clawhub: Option<String>,
    pub(super) registry: Option<String>,
    command: Option<Vec<String>>,
    path: Option<String>,
    bundle: Option<String>,
    marketplace: Option<String>,
    plugin: Option<String>,
    pub(super) r#ref: Option<String>,
    #[serde(default = "everything")]
    pub(super) skills: Vec<String>,
    #[serde(default)]
    pub(super) exclude: Vec<String>,
    #[serde(default)]
    pub(super) namespace: String,
    #[serde(default)]
    pub(super) insecure: bool,
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    #[serde(default)]
    pub(super) was: Vec<String>,
    #[serde(default)]
    pub(super) policy: WrittenPolicy,
    pub(super) paused: Option<Paused>,
}

fn everything() -> Vec<String> {
    vec!["*".into()]
}

fn yes() -> bool {
    true
}

impl Written {
    /// Returns where the skills come from, and the folder of it that is looked at.
    pub(super) fn origin(&self, file: &str, text: &str) -> Result<(Origin, Option<String>)> {
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
