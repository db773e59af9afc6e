//! `show` and `log`: one skill, and how it came to be what it is.

use super::discover::{Seen, SeenSkill};
use super::{Outside, list, spec};
use crate::git::Oid;
use crate::registry::{Entry, Registry, SkillState, State, read_entry, skill_then};
use crate::skill::TreeHasher;
use crate::source::roots::Layer;
use crate::sync;
use crate::sync::report::SkillReport;
use crate::sync::versions::Versions;
use crate::types::{Error, ErrorKind, Result, SkillId, TreeHash};
use serde::Serialize;

/// A skill.
#[derive(Debug, Serialize)]
pub struct Show {
    /// The format of this document.
    pub format: u32,
    /// What is known of it: at a version's commit, else on the default branch.
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
    /// Why sync proposes nothing of it now, as sync reports it; none for a version, and where nothing is held back.
    pub held_back: Option<SkillReport>,
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
    /// Whether it has its tag; without it, no other command takes the number yet.
    pub tagged: bool,
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
    let skill = match point.commit {
        // A version is described as its own commit has it.
        Some(commit) => Some(standing_at(&registry, &state, &point.id, commit)?),
        None => state.skills.get(&point.id).cloned(),
    };
    let skill = skill.as_ref().ok_or_else(|| {
        Error::new(ErrorKind::NotFound, format!("`{}` is not on {} any more", point.id, registry.branch.short()))
    })?;
    let root = point.commit.map_or(Ok(state.tree), |commit| store.commit(commit).map(|commit| commit.tree))?;
    let files = super::diff::summarize(store, None, point.tree)?;
    let entry = skill.entry();
    let quiet = |_: &str| {};
    let held_back = match point.commit {
        Some(_) => None,
        None => sync::held_back(&registry, &state, &outside.offline(&quiet), Some(&point.id))?.pop(),
    };
    Ok(Show {
        held_back,
        format: 1,
        skill: list::describe(store, &TreeHasher::new(store), &state, root, &point.id, skill, outside.today)?,
        state_tree: point.tree.map(|tree| TreeHasher::new(store).hash(tree)).transpose()?,
        state: point.label,
        files: files.into_iter().map(|file| file.path).collect(),
        newest_version: versions.newest(&point.id),
        owners: entry.map_or(Vec::new(), |entry| entry.owners.clone()),
        lineage: entry.map_or(Vec::new(), |entry| entry.lineage.clone()),
    })
}

fn standing_at(registry: &Registry, state: &State, id: &SkillId, commit: Oid) -> Result<SkillState> {
    let store = &registry.repository.store;
    let (tree, entry) = skill_then(store, commit, &state.layout, id)?;
    let entry = entry.map(|blob| read_entry(store, state.layout.entry(id).as_str(), blob)).transpose()?;
    Ok(SkillState { tree, entry })
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
    let tagged = commits.len();
    let untagged = versions.missing(store, &state, registry.head)?.into_iter().filter(|version| version.skill == skill);
    commits.extend(untagged.map(|version| (version.report.version, version.report.commit)));
    if commits.is_empty() {
        return Err(Error::new(ErrorKind::NotFound, format!("`{skill}` has no version"))
            .hint("see the skills: skillgraft list"));
    }
    let mut logged: Vec<Logged> = Vec::new();
    for (version, commit) in commits {
        let mut one = describe(&registry, &state, &skill, version, commit, &logged)?;
        one.tagged = logged.len() < tagged;
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
    let mut before = before.and_then(|(_, entry)| entry);
    // A commit that resolves what was merged with conflicts brings what moved since the version before.
    if before.as_ref().is_some_and(|entry| !entry.conflicts.is_empty()) {
        before = earlier.last().map(|last| at(registry, state, id, last.commit)).transpose()?.and_then(|(_, it)| it);
    }
    let accepted = |entry: &Entry| entry.upstream.as_ref().map(|up| up.accepted);
    let moved = upstream.map(|up| up.accepted) != before.as_ref().and_then(accepted);
    let origin = match upstream {
        _ if went_back(registry, state, id, (tree, entry.as_ref()), earlier)? => Origin::Rollback,
        Some(up) if Some(up.accepted) == tree => Origin::Upstream,
        Some(_) if moved => Origin::Merge,
        _ => Origin::LocalEdit,
    };
    Ok(Logged {
        version,
        tagged: true,
        commit,
        author: data.author.clone(),
        date: data.committed,
        subject: data.subject().to_owned(),
        origin,
        revision: upstream.and_then(|up| up.revision.clone()),
        tree,
    })
}

/// Tells whether a version's content and entry are those that an earlier one had in its first or its last commit.
fn went_back(
    registry: &Registry,
    state: &State,
    id: &SkillId,
    now: (Option<TreeHash>, Option<&Entry>),
    earlier: &[Logged],
) -> Result<bool> {
    let record =
        |entry: Option<&Entry>| entry.and_then(|entry| entry.upstream.as_ref()).map(|up| (up.accepted, up.mirror));
    let store = &registry.repository.store;
    for (index, _) in earlier.iter().enumerate().filter(|(_, other)| other.tree == now.0 && now.0.is_some()) {
        let next = earlier.get(index + 1).map(|next| store.commit(next.commit)).transpose()?;
        let last = next.and_then(|next| next.parents.first().copied());
        for commit in [earlier[index].commit].into_iter().chain(last) {
            if record(at(registry, state, id, commit)?.1.as_ref()) == record(now.1) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn at(registry: &Registry, state: &State, id: &SkillId, commit: Oid) -> Result<(Option<TreeHash>, Option<Entry>)> {
    let SkillState { tree, entry } = standing_at(registry, state, id, commit)?;
    let hash = tree.map(|tree| TreeHasher::new(&registry.repository.store).hash(tree)).transpose()?;
    Ok((hash, entry.and_then(|entry| entry.entry.ok())))
}
