//! Reads an open candidate as a reviewer needs it. No network, nothing moves.

use super::branches::{Branch, Branches};
use super::candidate::{Ground, Maker, license_change};
use super::classify::Class;
use super::mirror::{self, Mirror, upstream_at};
use super::verdict::Judge;
use crate::git::{History, Oid};
use crate::registry::{Conflict, Registry, State, Upstream};
use crate::skill::TreeHasher;
use crate::types::{Error, ErrorKind, Result, SkillId, SourceName, TreeHash};
use serde::Serialize;

/// An open candidate.
#[derive(Debug, Serialize)]
pub struct Review {
    /// The skill.
    pub skill: SkillId,
    /// The source.
    pub source: SourceName,
    /// The skill's upstream path.
    pub path: crate::types::RelPath,
    /// The branch, as people write it.
    pub branch: String,
    /// Its head.
    pub commit: Oid,
    /// What the update is to the skill on the default branch now.
    pub class: Class,
    /// Whether people have edited it.
    pub edited: bool,
    /// Whether upstream or the default branch has moved since: the next sync makes it again.
    pub stale: bool,
    /// What it leaves for a person to decide.
    pub conflicts: Vec<Conflict>,
    /// The merge base.
    pub base: Option<TreeHash>,
    /// The skill on the default branch.
    pub local: Option<TreeHash>,
    /// The skill upstream.
    pub upstream: TreeHash,
    /// The upstream commit that the skill was last reconciled with.
    pub base_revision: Option<String>,
    /// The upstream commit that is offered.
    pub revision: Option<String>,
    /// Upstream's own version, before.
    pub base_version: Option<String>,
    /// Upstream's own version, as offered.
    pub version: Option<String>,
    /// The licence before and after, where the one before is known and another one follows.
    pub license_change: Option<LicenseChange>,
    /// The entries' upstreams, before and as offered.
    #[serde(skip)]
    pub entries: (Option<Upstream>, Upstream),
    /// The trees, for diffs.
    #[serde(skip)]
    pub trees: Trees,
}

/// Another licence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LicenseChange {
    /// What it was.
    pub before: String,
    /// What it is now; none where nothing is stated or known.
    pub after: Option<String>,
}

/// The trees of a candidate.
#[derive(Debug, Clone, Copy)]
pub struct Trees {
    /// The merge base's, where it is here.
    pub base: Option<Oid>,
    /// The skill on the default branch.
    pub local: Option<Oid>,
    /// The skill upstream; none for a removal.
    pub upstream: Option<Oid>,
    /// The skill as proposed.
    pub proposed: Option<Oid>,
}

/// Reads the candidate of a skill.
///
/// # Errors
/// Where its branch has no entry that can be read: then it is not a candidate that this tool made.
pub fn review(
    registry: &Registry,
    state: &State,
    branches: &Branches,
    source: &SourceName,
    id: &SkillId,
) -> Result<Review> {
    let store = &registry.repository.store;
    let branch = branches.get(store, &registry.names.candidate(source, id)?)?;
    let head = branch.head.ok_or_else(|| no_candidate(id))?;
    let hasher = TreeHasher::new(store);
    let mirror = super::standing_mirror(registry, source)?;
    let proposed = Ground::at(store, &state.layout, id, head)?;
    let offered = proposed.upstream().cloned().ok_or_else(|| unreadable(&branch, &proposed))?;
    let now = Ground::at(store, &state.layout, id, registry.head)?;
    let followed = now.upstream().cloned();
    let local = now.skill.map(|tree| hasher.hash(tree)).transpose()?;
    let base = followed.as_ref().map(|up| up.accepted);
    let gone = offered.accepted == TreeHash::EMPTY;
    let class = match base {
        None => Class::New,
        Some(base) if base == offered.accepted => Class::Unchanged,
        Some(_) if gone => Class::Removed,
        Some(_) if local == Some(offered.accepted) => Class::AlreadyApplied,
        Some(base) if local == (base != TreeHash::EMPTY).then_some(base) => Class::FastForward,
        Some(_) => Class::ThreeWay,
    };
    let (edited, moved_here) = match &mirror {
        Some(mirror) => examine(registry, state, branches, mirror, &Open { source, id, head }, &now)?,
        None => (true, false),
    };
    let upstream_now = match &mirror {
        Some(mirror) => upstream_at(store, mirror.tree, &offered.path)?,
        None => None,
    };
    let upstream_moved = mirror.is_some() && upstream_now.unwrap_or(store.empty_tree()) != offered.git_tree;
    let here = |tree: Oid| (tree != store.empty_tree() && store.contains(tree)).then_some(tree);
    Ok(Review {
        skill: id.clone(),
        source: source.clone(),
        path: offered.path.clone(),
        branch: branch.name.short().to_owned(),
        commit: head,
        class,
        edited,
        stale: upstream_moved || moved_here,
        conflicts: proposed
            .entry
            .as_ref()
            .and_then(|e| e.entry.as_ref().ok())
            .map_or(Vec::new(), |e| e.conflicts.clone()),
        base,
        local,
        upstream: offered.accepted,
        base_revision: followed.as_ref().and_then(|up| up.revision.clone()),
        revision: offered.revision.clone(),
        base_version: followed.as_ref().and_then(|up| up.version.clone()),
        version: offered.version.clone(),
        license_change: license_change(followed.as_ref(), Some(&offered))
            .map(|(before, after)| LicenseChange { before: before.to_owned(), after: after.map(str::to_owned) }),
        trees: Trees {
            base: followed.as_ref().and_then(|up| here(up.git_tree)),
            local: now.skill,
            upstream: here(offered.git_tree),
            proposed: proposed.skill,
        },
        entries: (followed, offered),
    })
}

struct Open<'a> {
    source: &'a SourceName,
    id: &'a SkillId,
    head: Oid,
}

/// Returns whether the branch is edited, and whether the default branch has moved under it.
fn examine(
    registry: &Registry,
    state: &State,
    branches: &Branches,
    mirror: &Mirror,
    open: &Open<'_>,
    now: &Ground,
) -> Result<(bool, bool)> {
    let Open { source, id, head } = *open;
    let store = &registry.repository.store;
    let hasher = TreeHasher::new(store);
    let find_base = |upstream: &Upstream| base_here(store, &hasher, mirror, upstream);
    let maker = Maker { store, hasher: &hasher, layout: &state.layout, source, mirror, find_base: &find_base };
    let main = History::of(store, registry.head)?;
    let judge = Judge { maker: &maker, main: &main };
    let offered = branches.own(&registry.names.offered(source, id)?);
    let moved = match main.merge_base(head)? {
        Some(base) => !Ground::at(store, &state.layout, id, base)?.agrees_with(now),
        None => true,
    };
    Ok((judge.is_edited(head, id, offered)?, moved))
}

fn base_here(store: &crate::git::Store, hasher: &TreeHasher<'_>, mirror: &Mirror, upstream: &Upstream) -> Result<Oid> {
    let is_it = |tree: Oid| Ok(hasher.hash(tree)? == upstream.accepted);
    if store.contains(upstream.git_tree) && is_it(upstream.git_tree).unwrap_or(false) {
        return Ok(upstream.git_tree);
    }
    let found = mirror::find_base(store, mirror.head, &upstream.path, is_it)?;
    found.ok_or_else(|| Error::new(ErrorKind::UnknownBase, "neither the repository nor the mirror has the base"))
}

fn no_candidate(id: &SkillId) -> Error {
    Error::new(ErrorKind::NotFound, format!("`{id}` has no candidate")).hint("see them all: skillgraft candidate list")
}

fn unreadable(branch: &Branch, proposed: &Ground) -> Error {
    let error = Error::new(ErrorKind::Config, format!("{} has no entry that can be read", branch.name.short()));
    match proposed.entry.as_ref().map(|entry| entry.entry.clone()) {
        Some(Err(cause)) => {
            error.because(cause).hint("mend the entry on the branch, or delete the branch for a new one")
        }
        _ => error.hint("delete the branch; the next sync makes a new one"),
    }
}
