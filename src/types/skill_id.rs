//! The id of a skill: its directory below `skills/`, with an optional namespace.

use super::{Error, ErrorKind, RelPath, Result, check_component};
use std::borrow::Borrow;
use std::fmt;

/// A skill's id: components of 1 to 64 `a-z`, `0-9` and single hyphens (the Agent Skills spec's rule for `name`),
/// joined by `/`; at most four of them. No component looks like a version (`v12`), because tags are `<id>/v<N>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct SkillId(String);

impl SkillId {
    /// Returns the id, or an error that says which rule it breaks.
    pub fn parse(text: &str) -> Result<Self> {
        let refuse = |why: &str| {
            Err(Error::new(
                ErrorKind::Rejected,
                format!("`{}` cannot be a skill id: {why}", super::one_line(text, 120)),
            ))
        };
        if text.split('/').count() > 4 {
            return refuse("it has more than four components");
        }
        for component in text.split('/') {
            if !is_spec_name(component) {
                return refuse("a component has 1 to 64 lowercase letters, digits and single hyphens");
            }
            if is_version(component) {
                return refuse("a component that looks like a version (`v<N>`) would collide with tags");
            }
            if check_component(component).is_err() {
                return refuse("a component is the name of a Windows device");
            }
        }
        Ok(SkillId(text.into()))
    }

    /// Returns the id in `namespace` (empty for none) whose last component is `name`.
    pub fn in_namespace(namespace: &str, name: &str) -> Result<Self> {
        if namespace.is_empty() { Self::parse(name) } else { Self::parse(&format!("{namespace}/{name}")) }
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the last component: the directory's name.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().expect("an id has a component")
    }

    /// Returns the id as one component of a branch name: `acme/ops` is `acme.ops`.
    pub fn as_branch_component(&self) -> String {
        self.0.replace('/', ".")
    }

    /// Returns the id that [`as_branch_component`](Self::as_branch_component) came from.
    pub fn from_branch_component(component: &str) -> Result<Self> {
        Self::parse(&component.replace('.', "/"))
    }

    /// Returns the ids that are namespaces of this one: of `a/b/c`, `a` and `a/b`.
    pub fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.0.match_indices('/').map(|(at, _)| &self.0[..at])
    }

    /// Returns the path below the skills folder.
    pub fn as_path(&self) -> RelPath {
        RelPath::parse(&self.0).expect("an id obeys the stricter rules of a path")
    }
}

/// So that text is looked up as it is: an id compares as its text does.
impl Borrow<str> for SkillId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SkillId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_spec_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.contains("--")
}

fn is_version(component: &str) -> bool {
    component.strip_prefix('v').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_never_looks_like_a_tag_or_leaves_the_folder() {
        for bad in ["", "a//b", "/a", "a/", "v1", "a/v12", "..", "a/../b", "A", "a--b", "aux", "a/b/c/d/e", "a.b"] {
            assert!(SkillId::parse(bad).is_err(), "{bad}");
        }
        let id = SkillId::parse("acme/ops").expect("valid");
        assert_eq!((id.name(), id.as_branch_component().as_str()), ("ops", "acme.ops"));
        assert_eq!(SkillId::from_branch_component("acme.ops").expect("valid"), id);
        assert_eq!(id.namespaces().collect::<Vec<_>>(), ["acme"]);
    }
}
