//! `show` and `log`: one skill, and how it came to be what it is.

use super::discover::{Seen, SeenSkill};
use super::{Outside, list, spec};
use crate::git::{Oid, entry_at};
use crate::registry::{Entry, Registry, State, read_entry};
use crate::skill::TreeHasher;
use crate::source::roots::Layer;
use crate::sync::versions::Versions;
use crate::types::{Error, ErrorKind, Result, SkillId, TreeHash};
use serde::Serialize;

/// A skill.
#[derive(Debug, Serialize)]
pub struct Show {
    /// The format of this document.
    pub format: u32,
    /// What is known of it on the default branch.
    #[serde(flatten)]
    pub skill: list::Item,
    /// The state that was asked for.
    pub state: String,
    /// The hash of that state.
    pub state_tree: Option<TreeHash>,
    /// Its files.
    pub files: Vec<String>,
    /// The newest version.
    pub newest_version: Option<u64>,
    /// Who answers for it.
    pub owners: Vec<String>,
    /// Where it came from, oldest first.
    pub lineage: Vec<String>,
}

/// The versions of a skill.
#[derive(Debug, Serialize)]
pub struct Log {
    /// The format of this document.
    pub format: u32,
    /// The skill.
    pub skill: SkillId,
    /// Its versions, newest first.
    pub versions: Vec<Logged>,
}

/// One version.
#[derive(Debug, Serialize)]
pub struct Logged {
    /// The number.
    pub version: u64,
    /// The commit that brought it.
    pub commit: Oid,
    /// Who made that commit.
    pub author: String,
    /// When, in seconds since 1970.
    pub date: i64,
    /// The commit's first line.
    pub subject: String,
    /// Where it came from.
    pub origin: Origin,
    /// The upstream revision that its entry names.
    pub revision: Option<String>,
    /// The skill's tree hash.
    pub tree: Option<TreeHash>,
}

/// Where a version came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Its content is upstream's.
    Upstream,
    /// The entry moved, and the content is a merge with local edits.
    Merge,
    /// Content and entry went back to an earlier version.
    Rollback,
    /// Only the content changed: somebody here edited it.
    LocalEdit,
}

/// Describes a skill.
pub fn show(outside: &Outside, text: &str) -> Result<Show> {
    let registry = outside.registry()?;
    let state = registry.state()?;
    let store = &registry.repository.store;
    let versions = Versions::load(&registry, &state)?;
    let point =
        spec::find(&registry, &state, &versions, text).map_err(|error| found_elsewhere(outside, text, error))?;
    let skill = state.skills.get(&point.id);
    let skill = skill.ok_or_else(|| {
        Error::new(ErrorKind::NotFound, format!("`{}` is not on {} any more", point.id, registry.branch.short()))
    })?;
    let files = super::diff::summarize(store, None, point.tree)?;
    let entry = skill.entry();
    Ok(Show {
        format: 1,
        skill: list::describe(store, &TreeHasher::new(store), &state, &point.id, skill, outside.today)?,
        state_tree: point.tree.map(|tree| TreeHasher::new(store).hash(tree)).transpose()?,
        state: point.label,
        files: files.into_iter().map(|file| file.path).collect(),
        newest_version: versions.newest(&point.id),
        owners: entry.map_or(Vec::new(), |entry| entry.owners.clone()),
        lineage: entry.map_or(Vec::new(), |entry| entry.lineage.clone()),
    })
}

/// Says where a skill is that the registry does not have, as `discover` would.
fn found_elsewhere(outside: &Outside, key: &str, error: Error) -> Error {
    if error.kind() != ErrorKind::NotFound {
        return error;
    }
    let seen = Seen::on(outside, &[]);
    let is_it = |seen: &SeenSkill<'_>| seen.skill.key == key && seen.root.layer != Layer::Registry;
    let place = seen.skills().find(is_it).map(|seen| seen.skill.directory.display().to_string());
    match place {
        Some(place) => error.hint(format!("there is one outside of the registry, {place}: skillgraft import {key}")),
        None => error,
    }
}

/// Lists the versions of a skill, those without a tag included.
pub fn log(outside: &Outside, id: &str) -> Result<Log> {
    let registry = outside.registry()?;
    let state = registry.state()?;
    let store = &registry.repository.store;
    let versions = Versions::load(&registry, &state)?;
    let skill = SkillId::parse(id)?;
    let mut commits: Vec<(u64, Oid)> = Vec::new();
    for (number, tag) in versions.of(&skill) {
        commits.extend(store.peel_to_commit(tag)?.map(|commit| (number, commit)));
    }
    let untagged = versions.missing(store, &state, registry.head)?.into_iter().filter(|version| version.skill == skill);
    commits.extend(untagged.map(|version| (version.report.version, version.report.commit)));
    if commits.is_empty() {
        return Err(Error::new(ErrorKind::NotFound, format!("`{skill}` has no version"))
            .hint("see the skills: skillgraft list"));
    }
    let mut logged: Vec<Logged> = Vec::new();
    for (version, commit) in commits {
        let one = describe(&registry, &state, &skill, version, commit, &logged)?;
        logged.push(one);
    }
    logged.reverse();
    Ok(Log { format: 1, skill, versions: logged })
}

fn describe(
    registry: &Registry,
    state: &State,
    id: &SkillId,
    version: u64,
    commit: Oid,
    earlier: &[Logged],
) -> Result<Logged> {
    let store = &registry.repository.store;
    let data = store.commit(commit)?;
    let (tree, entry) = at(registry, state, id, commit)?;
    let before = data.parents.first().map(|parent| at(registry, state, id, *parent)).transpose()?;
    let upstream = entry.as_ref().and_then(|entry| entry.upstream.as_ref());
    let moved = upstream.map(|up| up.accepted)
        != before.as_ref().and_then(|(_, entry)| entry.as_ref()?.upstream.as_ref().map(|up| up.accepted));
    let origin = match upstream {
        _ if earlier.iter().any(|other| other.tree == tree && tree.is_some()) => Origin::Rollback,
        Some(up) if Some(up.accepted) == tree => Origin::Upstream,
        Some(_) if moved => Origin::Merge,
        _ => Origin::LocalEdit,
    };
    Ok(Logged {
        version,
        commit,
        author: data.author.clone(),
        date: data.committed,
        subject: data.subject().to_owned(),
        origin,
        revision: upstream.and_then(|up| up.revision.clone()),
        tree,
    })
}

fn at(registry: &Registry, state: &State, id: &SkillId, commit: Oid) -> Result<(Option<TreeHash>, Option<Entry>)> {
    let store = &registry.repository.store;
    let tree = store.commit(commit)?.tree;
    let skill = crate::git::tree_at(store, tree, &state.layout.skill(id))?;
    let entry = entry_at(store, tree, &state.layout.entry(id))?.filter(|place| place.mode.is_file());
    let entry = entry.map(|place| read_entry(store, state.layout.entry(id).as_str(), place.id)).transpose()?;
    Ok((skill.map(|tree| TreeHasher::new(store).hash(tree)).transpose()?, entry.and_then(|entry| entry.entry.ok())))
}
