//! Reads an open candidate as a reviewer needs it. No network, nothing moves.

mod edits;
mod words;

pub use edits::BranchEdits;

use super::branches::{Branch, Branches};
use super::candidate::{Ground, Maker, Offer, license_change};
use super::candidate_state::CandidateState;
use super::classify::{Class, Facts, classify};
use super::contained::Contained;
use super::held::Held;
use super::holds::{HoldKind, Holder};
use super::mirror::{self, Mirror, upstream_at};
use super::notices::{closing, diverged, made_anew};
use super::records::Records;
use super::renamed::Renamed;
use super::report::{LicenseChange, Notice};
use super::verdict::Judge;
use crate::git::{History, Oid};
use crate::registry::{Conflict, Registry, State, Status, Upstream};
use crate::skill::TreeHasher;
use crate::types::{Error, ErrorKind, Result, SkillId, SourceName, TreeHash};
use jiff::civil::Date;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// An open candidate.
#[derive(Debug, Serialize)]
pub struct Review {
    /// The skill's id, as sync names it.
    pub id: SkillId,
    /// The same.
    pub skill: SkillId,
    /// The source.
    pub source: SourceName,
    /// The skill's upstream path.
    pub path: crate::types::RelPath,
    /// The path that its entry names on the default branch, where upstream moved it.
    pub moved_from: Option<crate::types::RelPath>,
    /// Another name that upstream gives it now.
    pub renamed: Option<Renamed>,
    /// The branch, as people write it.
    pub branch: String,
    /// Its head.
    pub commit: Oid,
    /// What the update is to the skill on the default branch now.
    pub class: Class,
    /// What has become of the branch.
    pub state: CandidateState,
    /// Class and state in words, with the hashes that they follow from.
    pub verdict: String,
    /// Who decided that this very update is not wanted, and why.
    pub held: Option<Held>,
    /// Whether people have edited it.
    pub edited: bool,
    /// What people did on the branch, where they edited it and the mirror is here.
    pub branch_edits: Option<BranchEdits>,
    /// Whether people's edits were carried to it.
    pub carried: bool,
    /// Whether upstream or the default branch has moved since: the next sync makes it again.
    pub stale: bool,
    /// What to tell where this clone's branch has edits that the remote's, which counts, has not.
    pub diverged: Option<Notice>,
    /// What it leaves for a person to decide.
    pub conflicts: Vec<Conflict>,
    /// The merge base.
    pub base: Option<TreeHash>,
    /// The skill on the default branch.
    pub local: Option<TreeHash>,
    /// The skill upstream; for a removal the empty tree, which JSON shows as null, as sync does.
    #[serde(serialize_with = "null_for_nothing")]
    pub upstream: TreeHash,
    /// The upstream commit that the skill was last reconciled with.
    pub base_revision: Option<String>,
    /// The upstream commit that is offered.
    pub revision: Option<String>,
    /// Upstream's own version, before.
    pub base_version: Option<String>,
    /// Upstream's own version, as offered.
    pub version: Option<String>,
    /// The licence before and after, where another one follows.
    pub license_change: Option<LicenseChange>,
    /// Updates that the team reverted or declined, and that this one contains.
    pub contains: Vec<Contained>,
    /// The commands that do away with the branch before `candidate retry` makes it again; none where that does so itself.
    #[serde(skip)]
    pub closing: Vec<String>,
    /// The entries' upstreams, before and as offered.
    #[serde(skip)]
    pub entries: (Option<Upstream>, Upstream),
    /// The trees, for diffs.
    #[serde(skip)]
    pub trees: Trees,
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

impl Review {
    /// Tells whether it still asks a person for something. Edits of an update that nobody wants do: nothing deletes them.
    pub fn awaits_decision(&self) -> bool {
        self.state.awaits_decision() || self.edited && self.state != CandidateState::Accepted
    }
}

/// Reads candidates of one registry; what they share is read once.
pub struct Reviewer<'a> {
    registry: &'a Registry,
    state: &'a State,
    branches: &'a Branches,
    hasher: TreeHasher<'a>,
    main: History<'a>,
    records: OnceLock<Result<Records>>,
    mirrors: Mutex<BTreeMap<SourceName, Option<Arc<Mirror>>>>,
    today: Date,
}

/// One branch that is looked at.
struct Open<'o> {
    branch: &'o Branch,
    source: &'o SourceName,
    id: &'o SkillId,
    head: Oid,
    class: Class,
    proposed: &'o Ground,
    offered: &'o Upstream,
    now: &'o Ground,
}

/// What examining a branch tells.
struct Examined {
    state: CandidateState,
    edited: bool,
    carried: bool,
    stale: bool,
    branch_edits: Option<BranchEdits>,
    held: Option<Held>,
    contains: Vec<Contained>,
    diverged: Option<Notice>,
}

impl<'a> Reviewer<'a> {
    /// Returns a reader of the candidates of `registry`; `today` is for declines that end.
    pub fn new(registry: &'a Registry, state: &'a State, branches: &'a Branches, today: Date) -> Result<Self> {
        let store = &registry.repository.store;
        let main = History::of(store, registry.head)?;
        let (hasher, records, mirrors) = (TreeHasher::new(store), OnceLock::new(), Mutex::default());
        Ok(Reviewer { registry, state, branches, hasher, main, records, mirrors, today })
    }

    /// Returns the mirror of a source as it stands.
    fn mirror(&self, source: &SourceName) -> Result<Option<Arc<Mirror>>> {
        let mut mirrors = self.mirrors.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = mirrors.get(source) {
            return Ok(known.clone());
        }
        let mirror = super::standing_mirror(self.registry, source)?.map(Arc::new);
        mirrors.insert(source.clone(), mirror.clone());
        Ok(mirror)
    }

    fn unreadable(&self, branch: &Branch, proposed: &Ground, id: &SkillId) -> Error {
        let error = Error::new(ErrorKind::Config, format!("{} has no entry that can be read", branch.name.short()));
        let anew = made_anew(self.registry, branch, id);
        match proposed.entry.as_ref().map(|entry| entry.entry.clone()) {
            Some(Err(cause)) => {
                error.because(cause).hint(format!("mend the entry on the branch, or have a new one instead: {anew}"))
            }
            _ => {
                let (store, main) = (&self.registry.repository.store, &self.registry.branch);
                let catch_up = self.state.layout.catch_up(store, proposed.tree, &branch.name, main);
                error.hint(catch_up.unwrap_or_else(|| format!("have a new one instead: {anew}")))
            }
        }
    }

    /// Reads the candidate of a skill.
    ///
    /// # Errors
    /// Where its branch has no entry that can be read: then it is not a candidate that this tool made. Where the default
    /// branch's entry cannot be read.
    pub fn review(&self, source: &SourceName, id: &SkillId) -> Result<Review> {
        let (store, layout) = (&self.registry.repository.store, &self.state.layout);
        let branch = self.branches.get(store, &self.registry.names.candidate(source, id)?)?;
        let head = branch.head.ok_or_else(|| no_candidate(id))?;
        let proposed = Ground::at(store, layout, id, head)?;
        let offered = proposed.upstream().cloned().ok_or_else(|| self.unreadable(&branch, &proposed, id))?;
        let now = Ground::at(store, layout, id, self.registry.head)?;
        // Without what the skill follows nobody can say what the candidate would do to it.
        if let Some(Err(cause)) = now.entry.as_ref().map(|entry| &entry.entry) {
            return Err(cause.clone());
        }
        let followed = now.upstream().cloned();
        let local = now.skill.map(|tree| self.hasher.hash(tree)).transpose()?;
        let base = followed.as_ref().map(|up| up.accepted);
        let left = followed.as_ref().filter(|up| up.source == offered.source && up.path != offered.path);
        let moved_from = left.map(|up| up.path.clone());
        let class = self.class_of(&now, &offered, local);
        let open = Open { branch: &branch, source, id, head, class, proposed: &proposed, offered: &offered, now: &now };
        let examined = self.examine(&open)?;
        let here = |tree: Oid| (tree != store.empty_tree() && store.contains(tree)).then_some(tree);
        let conflicts = conflicts_of(&proposed);
        let trees = Trees {
            base: followed.as_ref().and_then(|up| here(up.git_tree)),
            local: now.skill,
            upstream: here(offered.git_tree),
            proposed: proposed.skill,
        };
        let words = words::Facts {
            class,
            state: examined.state,
            base,
            local,
            upstream: offered.accepted,
            conflicts: conflicts.len(),
            stale: examined.stale,
            carried: examined.carried,
            edited: examined.edited,
            branch_edits: examined.branch_edits.as_ref(),
            held: examined.held.as_ref(),
        };
        Ok(Review {
            verdict: words::verdict(&words),
            id: id.clone(),
            skill: id.clone(),
            source: source.clone(),
            path: offered.path.clone(),
            moved_from,
            renamed: Renamed::find(self.state, store, id, trees.base, trees.upstream)?,
            branch: branch.name.short().to_owned(),
            commit: head,
            class,
            state: examined.state,
            held: examined.held,
            edited: examined.edited,
            branch_edits: examined.branch_edits,
            carried: examined.carried,
            stale: examined.stale,
            diverged: examined.diverged,
            closing: closing(self.registry, &branch, examined.edited),
            conflicts,
            base,
            local,
            upstream: offered.accepted,
            base_revision: followed.as_ref().and_then(|up| up.revision.clone()),
            revision: offered.revision.clone(),
            base_version: followed.as_ref().and_then(|up| up.version.clone()),
            version: offered.version.clone(),
            license_change: license_change(followed.as_ref(), Some(&offered)),
            contains: examined.contains,
            trees,
            entries: (followed, offered),
        })
    }

    fn examine(&self, open: &Open<'_>) -> Result<Examined> {
        let store = &self.registry.repository.store;
        let Some(mirror) = self.mirror(open.source)? else {
            // Without the mirror nobody can tell what the tool would have made.
            let state = CandidateState::Edited;
            let (carried, stale, branch_edits, held, diverged) = (false, false, None, None, None);
            let contains = Vec::new();
            return Ok(Examined { state, edited: true, carried, stale, branch_edits, held, contains, diverged });
        };
        let find_base = |upstream: &Upstream| base_here(store, &self.hasher, &mirror, upstream);
        let (hasher, layout, source) = (&self.hasher, &self.state.layout, open.source);
        let maker = Maker { store, hasher, layout, state: self.state, source, mirror: &mirror, find_base: &find_base };
        let judge = Judge { maker: &maker, main: &self.main };
        let records = || {
            let walked = self.records.get_or_init(|| Records::walk(store, layout, &self.main));
            walked.as_ref().map_err(Clone::clone)
        };
        let holder = Holder { store, layout, main: &self.main, records: &records, today: self.today };
        let base = self.main.merge_base(open.head)?.map(|base| Ground::at(store, layout, open.id, base)).transpose()?;
        let moved_here = base.as_ref().is_none_or(|base| !base.agrees_with(open.now));
        let upstream_now = upstream_at(store, mirror.tree, &open.offered.path)?.unwrap_or(store.empty_tree());
        // Not by what this clone remembers to have offered: every clone is to say the same.
        let edited = judge.is_edited(open.head, open.id, None)?;
        let stale = moved_here || upstream_now != open.offered.git_tree || !edited && !self.is_kept(&judge, open)?;
        let carried = edited && judge.is_carried(open.head, open.id)?;
        let offer = open.offer();
        let entry = open.now.entry.as_ref().and_then(|entry| entry.entry.as_ref().ok());
        let contains = match entry.filter(|_| matches!(open.class, Class::FastForward | Class::ThreeWay)) {
            Some(entry) => holder.contained(hasher, open.id, entry, &offer)?,
            None => Vec::new(),
        };
        let held = self.hold(&holder, &judge, open, &offer)?;
        let branch_edits = if edited { Some(judge.branch_edits(open.head, open.id)?) } else { None };
        let accepted =
            || -> Result<bool> { Ok((moved_here || self.main.contains(open.head)?) && judge.is_contained(open.head)?) };
        let partly = || judge.is_partly_on_main(base.as_ref(), open.now, open.proposed);
        let state = match held.as_ref().map(|held| held.kind) {
            Some(HoldKind::Reverted) => CandidateState::Reverted,
            Some(_) => CandidateState::Declined,
            None if accepted()? => CandidateState::Accepted,
            None if (moved_here || open.class == Class::Unchanged) && partly()? => CandidateState::PartlyAccepted,
            None if stale => CandidateState::Stale,
            None if !conflicts_of(open.proposed).is_empty() => CandidateState::Conflicted,
            None if carried => CandidateState::Carried,
            None if edited => CandidateState::Edited,
            None => CandidateState::Open,
        };
        let apart = judge.has_edits_apart(open.branch, open.id)?;
        let diverged = apart.then(|| diverged(self.registry, &open.branch.name));
        Ok(Examined { state, edited, carried, stale, branch_edits, held, contains, diverged })
    }

    fn is_kept(&self, judge: &Judge<'_>, open: &Open<'_>) -> Result<bool> {
        match judge.maker.remake(open.proposed, open.now)? {
            Some(wanted) => judge.is_kept(open.head, open.id, open.now, &wanted),
            None => Ok(false),
        }
    }

    /// Returns why the update that the branch offers is held, if it is and nobody asked for it again.
    fn hold(&self, holder: &Holder<'_>, judge: &Judge<'_>, open: &Open<'_>, offer: &Offer) -> Result<Option<Held>> {
        if matches!(open.class, Class::AlreadyApplied | Class::Unchanged) {
            return Ok(None);
        }
        let source = self.state.sources.get(open.source).and_then(|source| source.file.as_ref().ok());
        if source.is_some_and(|source| !source.selection.selects(&offer.path, &source.name)) {
            return Ok(Some(Held::bare(HoldKind::Declined)));
        }
        let entry = open.now.entry.as_ref().and_then(|entry| entry.entry.as_ref().ok());
        let Some(hold) = holder.hold(open.id, entry, offer, None)? else { return Ok(None) };
        let asked_for = judge.is_asked_for(open.head, open.id, offer, &hold.rests_on)?;
        if asked_for {
            return Ok(None);
        }
        holder.why(&hold, entry, &offer.accepted.to_string()).map(Some)
    }

    /// Returns the class as sync sees it, with what the branch offers in the place of the mirror's head.
    fn class_of(&self, now: &Ground, offered: &Upstream, local: Option<TreeHash>) -> Class {
        let Some(Ok(entry)) = now.entry.as_ref().map(|entry| entry.entry.as_ref()) else { return Class::New };
        let Some(followed) = &entry.upstream else { return Class::New };
        let source = self.state.sources.get(&offered.source).and_then(|source| source.file.as_ref().ok());
        let selects = |path| source.is_none_or(|source| source.selection.selects(path, &source.name));
        classify(&Facts {
            disabled: entry.status != Status::Active,
            paused: entry.paused_on(self.today),
            conflicted: !entry.conflicts.is_empty(),
            selected: selects(&offered.path),
            moved: followed.source == offered.source && followed.path != offered.path,
            base: followed.accepted,
            local,
            upstream: (offered.accepted != TreeHash::EMPTY).then_some(offered.accepted),
        })
    }
}

impl Open<'_> {
    fn offer(&self) -> Offer {
        let Upstream { path, accepted, git_tree, mirror, .. } = self.offered.clone();
        Offer { path, tree: (accepted != TreeHash::EMPTY).then_some(git_tree), accepted, mirror }
    }
}

fn null_for_nothing<S: serde::Serializer>(hash: &TreeHash, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    Some(hash).filter(|hash| **hash != TreeHash::EMPTY).serialize(serializer)
}

fn conflicts_of(proposed: &Ground) -> Vec<Conflict> {
    let entry = proposed.entry.as_ref().and_then(|entry| entry.entry.as_ref().ok());
    entry.map_or(Vec::new(), |entry| entry.conflicts.clone())
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
