//! `skillgraft.toml`: the registry's settings.

use super::{source_file, toml_file};
use crate::git::RefName;
use crate::skill::{ByteSize, Limits};
use crate::types::{Error, ErrorKind, RelPath, Result};
use serde::Deserialize;

/// The file's name.
pub const FILE: &str = "skillgraft.toml";
/// The folder of the sources' licence files.
pub const LICENSES: &str = "licenses";

/// The registry's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The folder of the skills, relative to the registry.
    pub skills: RelPath,
    /// The default branch, where the team has named one.
    pub branch: Option<String>,
    /// What stands before the tool's branch names, for example `skillgraft/`.
    pub ref_prefix: String,
    /// What stands before the names of versions' tags; `ref_prefix` where nothing is written.
    pub tag_prefix: String,
    /// What to do with skills that appear or leave upstream.
    pub policy: Policy,
    /// How large a skill may be.
    pub limits: Limits,
}

/// What sync does on its own, and what `check` lets pass.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// A skill that appeared upstream.
    pub new_skills: NewSkills,
    /// A skill that left upstream.
    pub removed_skills: RemovedSkills,
    /// The licences that `check` lets pass; none: it does not ask. `*` lets all pass.
    pub licenses: Option<Vec<String>>,
}

/// `new_skills`: what to do with a skill that appeared upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NewSkills {
    /// Make a candidate.
    #[default]
    Propose,
    /// Only report it.
    Ignore,
}

/// `removed_skills`: what to do with a skill that left upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RemovedSkills {
    /// Make a candidate that removes it.
    #[default]
    Propose,
    /// Only report it.
    Keep,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[expect(dead_code, reason = "checked by toml_file::parse")]
    format: u64,
    #[serde(default)]
    registry: WrittenRegistry,
    #[serde(default)]
    policy: WrittenPolicy,
    #[serde(default)]
    limits: WrittenLimits,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct WrittenRegistry {
    skills: Option<String>,
    branch: Option<String>,
    ref_prefix: String,
    tag_prefix: Option<String>,
}

/// `[policy]`, here and in a source file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WrittenPolicy {
    new_skills: Option<NewSkills>,
    removed_skills: Option<RemovedSkills>,
    pub(super) licenses: Option<Vec<String>>,
}

impl WrittenPolicy {
    /// Returns `above` with the keys that are written here put in.
    pub(super) fn over(&self, above: &Policy) -> Policy {
        Policy {
            new_skills: self.new_skills.unwrap_or(above.new_skills),
            removed_skills: self.removed_skills.unwrap_or(above.removed_skills),
            licenses: self.licenses.clone().or_else(|| above.licenses.clone()),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct WrittenLimits {
    skill_files: Option<u64>,
    skill_bytes: Option<ByteSize>,
    file_bytes: Option<ByteSize>,
}

impl Settings {
    /// Reads the settings from the text of `skillgraft.toml`.
    pub fn parse(text: &str) -> Result<Self> {
        let written: Written = toml_file::parse(FILE, text)?;
        let skills = written.registry.skills.as_deref().unwrap_or("skills");
        let unusable = |key: &'static str| move |cause| toml_file::unusable(FILE, text, key, cause);
        let skills = RelPath::parse(skills).and_then(folder_of_its_own).map_err(unusable("registry.skills"))?;
        let prefix = written.registry.ref_prefix;
        if let Some(tags) = &written.registry.tag_prefix {
            RefName::parse(format!("refs/tags/{tags}x")).map_err(unusable("registry.tag_prefix"))?;
        }
        if let Some(branch) = &written.registry.branch {
            RefName::branch(branch).map_err(unusable("registry.branch"))?;
        }
        RefName::branch(&format!("{prefix}mirror/x")).map_err(unusable("registry.ref_prefix"))?;
        let defaults = Limits::default();
        Ok(Settings {
            skills,
            branch: written.registry.branch,
            tag_prefix: written.registry.tag_prefix.unwrap_or_else(|| prefix.clone()),
            ref_prefix: prefix,
            policy: written.policy.over(&Policy::default()),
            limits: Limits {
                skill_files: written.limits.skill_files.unwrap_or(defaults.skill_files),
                skill_bytes: written.limits.skill_bytes.map_or(defaults.skill_bytes, |size| size.0),
                file_bytes: written.limits.file_bytes.map_or(defaults.file_bytes, |size| size.0),
            },
        })
    }
}

/// Every `.toml` in the folder of the skills is an entry, so none of the registry's other files can be there.
fn folder_of_its_own(skills: RelPath) -> Result<RelPath> {
    let has_others = skills.components().next().is_none_or(|top| [source_file::FOLDER, LICENSES].contains(&top));
    if has_others {
        return Err(Error::new(ErrorKind::Config, format!("`{skills}` has other files of the registry")).hint(
            format!(
                "name a folder for skills alone in {FILE}, such as \"skills\", commit it, and run: skillgraft check"
            ),
        ));
    }
    Ok(skills)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_optional_but_the_format() {
        let settings = Settings::parse("format = 1\n").expect("valid");
        assert_eq!(settings.skills.as_str(), "skills");
        assert_eq!(settings.limits, Limits::default());
        assert!(Settings::parse("").is_err());
        assert!(Settings::parse("format = 1\n[registry]\nskills = \"../x\"\n").is_err());
        for taken in [".", "sources", "sources/ours", "licenses/up"] {
            let text = format!("format = 1\n[registry]\nskills = \"{taken}\"\n");
            let error = Settings::parse(&text).expect_err("it has other files");
            assert_eq!(error.to_string(), "skillgraft.toml:3:10: `registry.skills` cannot be used");
        }
        assert!(Settings::parse("format = 1\n[registry]\nref_prefix = \"a..b/\"\n").is_err());
    }
}
