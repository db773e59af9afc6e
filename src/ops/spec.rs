//! `SKILL`, `SKILL@vN`, `SKILL@base` and `SKILL@upstream`: how people name a state of a skill.

use crate::git::Oid;
use crate::registry::{Registry, SkillState, State, skill_then};
use crate::sync::versions::{self, Versions};
use crate::sync::{self, standing_mirror};
use crate::types::{Context as _, Error, ErrorKind, Result, SkillId, one_line};

/// A state of a skill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// The skill.
    pub id: SkillId,
    /// How it was named: `local`, `v3`, `base` or `upstream`.
    pub label: String,
    /// The skill's tree; none where there is nothing.
    pub tree: Option<Oid>,
    /// The commit, for a version.
    pub commit: Option<Oid>,
}

/// Finds the state that `text` names.
pub fn find(registry: &Registry, state: &State, versions: &Versions, text: &str) -> Result<Point> {
    let (id, at) = text.split_once('@').map_or((text, None), |(id, at)| (id, Some(at)));
    let id = SkillId::parse(id).context(ErrorKind::Usage, || format!("`{}` names no skill", one_line(text, 120)))?;
    let skill = state.skills.get(&id);
    let unknown =
        || Error::new(ErrorKind::NotFound, format!("there is no skill `{id}`")).hint("see them all: skillgraft list");
    let point = |label: &str, tree, commit| Point { id: id.clone(), label: label.into(), tree, commit };
    match at {
        None => Ok(point("local", skill.ok_or_else(unknown)?.tree, None)),
        Some("base") => Ok(point("base", base(registry, &id, skill.ok_or_else(unknown)?)?, None)),
        Some("upstream") => Ok(point("upstream", upstream(registry, state, &id, skill.ok_or_else(unknown)?)?, None)),
        Some(version) => {
            let number = version.strip_prefix('v').and_then(versions::number);
            let number = number.ok_or_else(|| {
                Error::new(ErrorKind::Usage, format!("`@{}` is no state of a skill", one_line(version, 60)))
                    .hint("after the `@` stands v1, v2, ..., base or upstream")
            })?;
            if skill.is_none() && versions.newest(&id).is_none() {
                return Err(unknown());
            }
            let (tree, commit) = version_at(registry, state, versions, &id, number)?;
            Ok(point(&format!("v{number}"), tree, Some(commit)))
        }
    }
}

/// Returns the tree and the commit of a version.
pub fn version_at(
    registry: &Registry,
    state: &State,
    versions: &Versions,
    id: &SkillId,
    number: u64,
) -> Result<(Option<Oid>, Oid)> {
    let store = &registry.repository.store;
    let tag = versions.of(id).find(|(n, _)| *n == number).map(|(_, tag)| tag);
    let tag = tag.ok_or_else(|| match versions.newest(id) {
        Some(newest) => no_version(registry, format!("`{id}` has no version v{number}: the newest is v{newest}")),
        None => no_version(registry, format!("`{id}` has no version v{number}: none of it was tagged yet")),
    })?;
    let commit = store
        .peel_to_commit(tag)?
        .ok_or_else(|| Error::new(ErrorKind::Git, format!("the tag of `{id}` v{number} names no commit")))?;
    Ok((skill_then(store, commit, &state.layout, id)?.0, commit))
}

/// Returns the error for a version that has no tag, with what makes tags here.
pub fn no_version(registry: &Registry, message: String) -> Error {
    Error::new(ErrorKind::NotFound, message).hint(match registry.remote {
        Some(_) => {
            "versions are tags: `skillgraft sync --push` makes them, of what the remote has (git push first); those that are there already \
             come with: git fetch --tags"
        }
        None => "versions are tags: `skillgraft sync` makes them, and at once: skillgraft tag",
    })
}

fn base(registry: &Registry, id: &SkillId, skill: &SkillState) -> Result<Option<Oid>> {
    let upstream = followed(id, skill)?;
    let store = &registry.repository.store;
    if upstream.git_tree == store.empty_tree() {
        return Ok(None);
    }
    if store.contains(upstream.git_tree) {
        return Ok(Some(upstream.git_tree));
    }
    Err(Error::new(ErrorKind::NotFound, format!("the base of `{id}` is not in this clone"))
        .hint(format!("bring it here: skillgraft sync {}", upstream.source)))
}

fn upstream(registry: &Registry, state: &State, id: &SkillId, skill: &SkillState) -> Result<Option<Oid>> {
    let followed = followed(id, skill)?;
    let mirror = standing_mirror(registry, &followed.source)?.ok_or_else(|| {
        Error::new(ErrorKind::NotFound, format!("source `{}` was never synced here", followed.source))
            .hint(format!("run: skillgraft sync {}", followed.source))
    })?;
    let path = sync::place_of(registry, state, &mirror, id, followed)?;
    Ok(mirror.skills.get(&path).copied())
}

fn followed<'s>(id: &SkillId, skill: &'s SkillState) -> Result<&'s crate::registry::Upstream> {
    skill.entry().and_then(|entry| entry.upstream.as_ref()).ok_or_else(|| {
        Error::new(ErrorKind::Usage, format!("`{id}` follows no upstream: it is the team's own"))
            .hint(format!("it has versions: skillgraft log {id}, then name one, as {id}@v1"))
    })
}
