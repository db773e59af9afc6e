//! The engine: from an upstream commit to a review branch, one step a file.
//!
//! `observe` (source) -> [`mirror`] -> [`offers`] -> [`classify`] -> [`merge`] -> [`candidate`] -> [`verdict`] and
//! [`plan`] -> one transaction of refs. Up to the last step nothing is on disk but objects that nobody names yet.

mod admit;
pub mod ancestry;
mod branches;
mod candidate;
mod carry;
pub mod classify;
pub mod holds;
pub mod merge;
mod mirror;
mod offers;
mod plan;
mod records;
pub mod report;
mod retry;
mod review;
mod verdict;
pub mod versions;

pub use admit::{Admission, admit};
pub use branches::{Branch, Branches};
pub use candidate::{Ground, Maker};
pub use classify::Class;
pub use mirror::{Mirror, commit_of_base};
pub use report::{Action, Outcome, Report};
pub use retry::retry;
pub use review::{Review, Trees, review};

use crate::git::{History, Oid, RefChange, Store};
use crate::registry::{Entry, IDENTITY, Registry, SourceFile, State, Status, Upstream};
use crate::skill::TreeHasher;
use crate::source::{Access, Found, Snapshot, flatten, observe, observe_revision};
use crate::types::{Context as _, Error, ErrorKind, RelPath, Result, SkillId, SourceName, TreeHash};
use holds::Holder;
use jiff::civil::Date;
use plan::{Plan, Planner};
use rayon::prelude::*;
use records::Records;
use report::{Counts, ErrorReport, SourceReport};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, OnceLock, PoisonError};
use verdict::Judge;

/// How many sources are asked at once by default. They wait for the network, not for the processor.
pub const JOBS: usize = 8;

/// What a sync is to do.
pub struct Options<'a> {
    /// The sources to look at; empty means all.
    pub sources: &'a [SourceName],
    /// How sources are reached. Its `dry_run` holds for the registry too: nothing is written.
    pub access: Access<'a>,
    /// How many sources are asked at once.
    pub jobs: usize,
    /// The day, for what ends by itself.
    pub today: Date,
    /// The time, in seconds since 1970, for reflogs.
    pub now: i64,
    /// Is told what is being waited for.
    pub progress: &'a (dyn Fn(&str) + Sync),
}

/// Brings candidates in step with upstream. Never writes the default branch, the index or a work tree.
///
/// # Errors
/// Where the registry itself cannot be read. What fails in a source or skill is part of the report.
pub fn sync(registry: &Registry, options: &Options<'_>) -> Result<Report> {
    let state = registry.state()?;
    let chosen = choose(&state, options.sources)?;
    let branches = Branches::load(registry)?;
    let store = &registry.repository.store;
    let hasher = TreeHasher::new(store);
    let main = History::of(store, registry.head)?;
    let records = OnceLock::new();
    let run =
        Run { registry, state: &state, options, branches: &branches, hasher: &hasher, main: &main, records: &records };

    let observed = in_parallel(&chosen, options.jobs, |name| run.observe(name));
    let mut sources = Vec::new();
    let mut plans = Vec::new();
    for (index, (name, observed)) in chosen.iter().zip(observed).enumerate() {
        let (report, mut changes) = run.source(index, name, observed);
        plans.append(&mut changes);
        sources.push(report);
    }
    options.access.git.check_cancelled()?;
    // Where no ref moves, what was made to compare with is not worth keeping: a second sync writes nothing.
    if !options.access.dry_run && !plans.is_empty() {
        store.flush()?;
        run.publish(plans, &mut sources)?;
    }
    let candidates = count(&sources);
    let branch = registry.branch.short().to_owned();
    Ok(Report {
        format: 1,
        branch,
        head: registry.head,
        sources,
        candidates,
        versions: Vec::new(),
        untagged: Vec::new(),
    })
}

/// What moves together: a source's mirror (no skill), or one skill's refs.
struct Moves {
    source: usize,
    skill: Option<usize>,
    changes: Vec<RefChange>,
}

struct Run<'a> {
    registry: &'a Registry,
    state: &'a State,
    options: &'a Options<'a>,
    branches: &'a Branches,
    hasher: &'a TreeHasher<'a>,
    main: &'a History<'a>,
    records: &'a OnceLock<Result<Records>>,
}

/// A mirror that has looked at upstream, and the ref that it stands at here.
struct Observed {
    mirror: Mirror,
    revision: Option<String>,
    local: Option<Oid>,
}

enum Look {
    At(Box<Observed>),
    Away(Outcome),
}

impl Run<'_> {
    fn store(&self) -> &Store {
        &self.registry.repository.store
    }

    fn source_file(&self, name: &SourceName) -> Option<&Result<SourceFile>> {
        self.state.sources.get(name).map(|source| &source.file)
    }

    fn readable_source(&self, name: &SourceName) -> Result<&SourceFile> {
        match self.source_file(name) {
            Some(file) => file.as_ref().map_err(Clone::clone),
            None => Err(Error::new(ErrorKind::NotFound, format!("skills follow source `{name}`, which has no file"))
                .hint(format!("restore sources/{name}.toml, or remove [upstream] from the entries that name it"))),
        }
    }

    fn observe(&self, name: &SourceName) -> Result<Look> {
        let file = self.readable_source(name)?;
        if !file.enabled {
            return Ok(Look::Away(Outcome::Disabled));
        }
        if file.paused_on(self.options.today) {
            return Ok(Look::Away(Outcome::Paused));
        }
        (self.options.progress)(&format!("asking {name}"));
        let limits = &self.state.settings.limits;
        let snapshot = observe(&self.options.access, file, &self.registry.directory, limits)?;
        let (local, previous) = mirror_head(self.registry, file)?;
        let mut mirror = mirror::observe(self.store(), previous, &snapshot, file, limits)?;
        let revision = snapshot.revision.clone();
        // It may hold the lock of the cache, which fetching a base has to take.
        drop(snapshot);
        self.join_bases(file, &mut mirror)?;
        Ok(Look::At(Box::new(Observed { mirror, revision, local })))
    }

    fn join_bases(&self, source: &SourceFile, mirror: &mut Mirror) -> Result<()> {
        let followed: Vec<&Entry> = self.state.followers(&source.name).map(|(_, _, entry)| entry).collect();
        let active = followed.iter().filter(|entry| entry.status == Status::Active);
        for upstream in active.filter_map(|entry| entry.upstream.as_ref()) {
            let is_removal = upstream.accepted == TreeHash::EMPTY;
            if !is_removal && !self.store().contains(upstream.git_tree) {
                // Brought here now, so that it is joined below, whatever the class: the next one may need it when
                // upstream has it no more. A failure is reported with its skill, where that needs the base.
                let _ = self.find_base(source, mirror, upstream);
            }
        }
        let upstreams = followed.iter().filter_map(|entry| entry.upstream.as_ref());
        if let Some(joined) = mirror::join_missing_bases(self.store(), mirror.head, &source.name, upstreams)? {
            mirror.head = joined;
            mirror.grew = true;
        }
        Ok(())
    }

    /// The three steps of the base look-up: the object that the entry names, the mirror's history, upstream itself.
    fn find_base(&self, source: &SourceFile, mirror: &Mirror, upstream: &Upstream) -> Result<Oid> {
        let is_it = |tree: Oid| Ok(self.hasher.hash(tree)? == upstream.accepted);
        if self.store().contains(upstream.git_tree) && is_it(upstream.git_tree).unwrap_or(false) {
            return Ok(upstream.git_tree);
        }
        if let Some(tree) = mirror::find_base(self.store(), mirror.head, &upstream.path, is_it)? {
            return Ok(tree);
        }
        let missing = || Error::new(ErrorKind::UnknownBase, "neither the repository nor the mirror has it");
        let revision = upstream.revision.as_deref().ok_or_else(missing)?;
        let snapshot = observe_revision(&self.options.access, source, revision, &self.registry.directory)?;
        let found = import(self.registry, self.state, &snapshot, &upstream.path)?.ok_or_else(|| {
            Error::new(ErrorKind::UnknownBase, format!("upstream {revision} has no such skill at {}", upstream.path))
        })?;
        if is_it(found)? { Ok(found) } else { Err(missing()) }
    }

    fn source(&self, index: usize, name: &SourceName, observed: Result<Look>) -> (SourceReport, Vec<Moves>) {
        let file = self.source_file(name).and_then(|file| file.as_ref().ok());
        let mut report = SourceReport {
            name: name.clone(),
            kind: file.map(SourceFile::kind),
            outcome: Outcome::Unchanged,
            revision: None,
            mirror: None,
            error: None,
            skills: Vec::new(),
            rejected: Vec::new(),
            warnings: Vec::new(),
        };
        let planned = match (observed, file) {
            (Ok(Look::At(observed)), Some(file)) => self.plan_source(index, file, *observed, &mut report),
            (Ok(Look::Away(outcome)), _) => {
                report.outcome = outcome;
                Ok(Vec::new())
            }
            (Ok(Look::At(_)), None) => unreachable!("only a source with a file is looked at"),
            (Err(error), _) => Err(error),
        };
        let moves = planned.unwrap_or_else(|error| {
            report.outcome = if self.state.sources.contains_key(name) { Outcome::Failed } else { Outcome::Missing };
            report.error = Some(ErrorReport::from(&error));
            Vec::new()
        });
        (report, moves)
    }

    /// Calls `act` with what decides about the skills of one source.
    fn with_planner<T>(&self, source: &SourceFile, mirror: &Mirror, act: impl FnOnce(&Planner<'_>) -> T) -> T {
        let find_base = |upstream: &Upstream| self.find_base(source, mirror, upstream);
        let maker = Maker {
            store: self.store(),
            hasher: self.hasher,
            layout: &self.state.layout,
            source: &source.name,
            mirror,
            find_base: &find_base,
        };
        let judge = Judge { maker: &maker, main: self.main };
        let records = || {
            let walked = self.records.get_or_init(|| Records::walk(self.store(), &self.state.layout, self.main));
            walked.as_ref().map_err(Clone::clone)
        };
        let holder = Holder {
            store: self.store(),
            layout: &self.state.layout,
            main: self.main,
            records: &records,
            today: self.options.today,
        };
        let planner = Planner {
            registry: self.registry,
            state: self.state,
            source,
            maker: &maker,
            judge: &judge,
            branches: self.branches,
            holder: &holder,
            today: self.options.today,
        };
        act(&planner)
    }

    /// Decides about candidates that stand under a name that the source had before: a clone that pulls a rename still
    /// has them, and nothing asks for them any more.
    fn of_former_names(&self, source: &SourceFile, mirror: &Mirror) -> Vec<Plan> {
        let mut plans = Vec::new();
        for name in source.was.iter().filter(|name| !self.state.sources.contains_key(*name)) {
            let open = self.branches.of_source(self.registry, name);
            if !open.is_empty() {
                let mut former = source.clone();
                former.name = name.clone();
                plans.extend(self.with_planner(&former, mirror, |planner| {
                    open.iter().map(|id| planner.abandoned(id)).collect::<Vec<_>>()
                }));
            }
        }
        // Of one that only the remote has there is nothing to say.
        plans.retain(|plan| plan.report.candidate.is_some() || plan.report.error.is_some());
        plans
    }

    fn plan_source(
        &self,
        index: usize,
        source: &SourceFile,
        observed: Observed,
        report: &mut SourceReport,
    ) -> Result<Vec<Moves>> {
        let Observed { mirror, revision, local } = observed;
        let new = offers::new_skills(self.store(), self.state, source, &mirror)?;
        let followed: Vec<_> = self.state.followers(&source.name).collect();
        let open = self.branches.of_source(self.registry, &source.name);
        let unreadable = self.unreadable(&source.name, &new.unreadable, &open);
        let known = |id: &SkillId| {
            new.offered.contains_key(id)
                || followed.iter().any(|(followed, ..)| *followed == id)
                || unreadable.iter().any(|(unreadable, ..)| *unreadable == id)
        };
        let mut plans: Vec<Plan> = self.with_planner(source, &mirror, |planner| {
            let followed = followed.par_iter().map(|(id, skill, entry)| planner.followed(id, skill, entry));
            let appeared = new.offered.par_iter().map(|(id, path)| planner.appeared(id, path));
            let abandoned = open.par_iter().filter(|id| !known(id)).map(|id| planner.abandoned(id));
            let unreadable = unreadable.par_iter().map(|(id, path, error)| planner.unreadable(id, path, error));
            followed.chain(appeared).chain(abandoned).chain(unreadable).collect()
        });
        plans.extend(self.of_former_names(source, &mirror));
        plans.sort_by(|a, b| a.report.id.cmp(&b.report.id));

        report.revision = revision;
        report.mirror = Some(mirror.head);
        report.rejected = mirror.rejected.iter().cloned().chain(new.refused).collect();
        report.warnings = mirror.remarks.iter().cloned().chain(new.collisions).collect();
        let mut moves = Vec::new();
        if mirror.grew || local.is_none() && !self.has_tracking_mirror(&source.name)? {
            let name = self.registry.names.mirror(&source.name)?;
            let changes = vec![RefChange { name, expected: local, new: Some(mirror.head) }];
            moves.push(Moves { source: index, skill: None, changes });
        }
        for plan in plans {
            if !plan.changes.is_empty() {
                moves.push(Moves { source: index, skill: Some(report.skills.len()), changes: plan.changes });
            }
            report.skills.push(plan.report);
        }
        if !moves.is_empty() {
            report.outcome = Outcome::Synced;
        }
        Ok(moves)
    }

    /// Returns the skills of this source, as far as anybody can tell, whose entry cannot be read: it names the source in
    /// words, upstream has a skill of that id, or there is a candidate.
    fn unreadable<'a>(
        &'a self,
        source: &SourceName,
        offered: &BTreeMap<SkillId, RelPath>,
        open: &[SkillId],
    ) -> Vec<(&'a SkillId, RelPath, &'a Error)> {
        let named = format!("source = \"{source}\"");
        let skills = self.state.skills.iter().filter_map(|(id, skill)| {
            let (error, text) = (skill.unreadable()?, &skill.entry.as_ref()?.text);
            let is_ours =
                offered.contains_key(id) || open.contains(id) || text.lines().any(|line| line.trim() == named);
            is_ours.then(|| (id, offered.get(id).cloned().unwrap_or_default(), error))
        });
        skills.collect()
    }

    fn has_tracking_mirror(&self, name: &SourceName) -> Result<bool> {
        let branch = self.registry.names.mirror(name)?;
        match self.registry.remote_tracking(branch.as_str()) {
            Some(tracking) => Ok(self.registry.repository.refs.get(&tracking)?.is_some()),
            None => Ok(false),
        }
    }

    /// Moves all refs in one transaction; where that fails, one by one, so that a ref in the way fails alone.
    fn publish(&self, moves: Vec<Moves>, sources: &mut [SourceReport]) -> Result<()> {
        let refs = &self.registry.repository.refs;
        let identity = format!("{IDENTITY} {} +0000", self.options.now);
        let all: Vec<RefChange> = moves.iter().flat_map(|moved| moved.changes.iter().cloned()).collect();
        if all.is_empty() || refs.apply(&all, "skillgraft: sync", &identity).is_ok() {
            return Ok(());
        }
        for moved in moves {
            let source = &mut sources[moved.source];
            if source.error.is_some() {
                // No candidate without its mirror: its base would not be reachable.
                continue;
            }
            let Err(error) = refs.apply(&moved.changes, "skillgraft: sync", &identity) else { continue };
            match moved.skill {
                None => {
                    source.outcome = Outcome::Failed;
                    source.error = Some(ErrorReport::from(&error));
                    source.skills.iter_mut().for_each(|skill| skill.candidate = None);
                }
                Some(skill) => {
                    source.skills[skill].error = Some(ErrorReport::from(&error));
                    source.skills[skill].candidate = None;
                }
            }
        }
        Ok(())
    }
}

/// Returns the local mirror, and the head to go on from: the local or the remote-tracking one, or both joined, or
/// the mirror of the name that the source had before.
fn mirror_head(registry: &Registry, source: &SourceFile) -> Result<(Option<Oid>, Option<Oid>)> {
    let refs = &registry.repository.refs;
    let local = refs.get(registry.names.mirror(&source.name)?.as_str())?;
    for name in std::iter::once(&source.name).chain(&source.was) {
        let branch = registry.names.mirror(name)?;
        let here = refs.get(branch.as_str())?;
        let tracking = registry.remote_tracking(branch.as_str());
        let remote = tracking.map(|name| refs.get(&name)).transpose()?.flatten();
        let head = match branches::counting(&registry.repository.store, here, remote)? {
            (Some(remote), true) => {
                let here = here.expect("two heads have diverged");
                Some(mirror::join_diverged(&registry.repository.store, &source.name, remote, here)?)
            }
            (head, _) => head,
        };
        if head.is_some() {
            return Ok((local, head));
        }
    }
    Ok((local, None))
}

/// Returns the sources to look at: those with a file and those that entries follow, or the named ones.
fn choose(state: &State, named: &[SourceName]) -> Result<Vec<SourceName>> {
    let followed = state.skills.values().filter_map(|skill| Some(skill.entry()?.upstream.as_ref()?.source.clone()));
    let known: std::collections::BTreeSet<SourceName> = state.sources.keys().cloned().chain(followed).collect();
    if named.is_empty() {
        return Ok(known.into_iter().collect());
    }
    for name in named {
        if !known.contains(name) {
            return Err(Error::new(ErrorKind::Usage, format!("there is no source `{name}`"))
                .hint("see them all: skillgraft source list"));
        }
    }
    Ok(known.into_iter().filter(|name| named.contains(name)).collect())
}

fn count(sources: &[SourceReport]) -> Counts {
    let mut counts = Counts::default();
    for candidate in sources.iter().flat_map(|source| &source.skills).filter_map(|skill| skill.candidate.as_ref()) {
        match candidate.action {
            Action::Opened => counts.opened += 1,
            Action::Kept => counts.kept += 1,
            Action::Remade => counts.remade += 1,
            Action::Carried => counts.carried += 1,
            Action::Closed => counts.closed += 1,
            Action::Held | Action::Left => {}
        }
    }
    counts
}

/// Calls `work` on every item, at most `jobs` at once; the results keep the order of the items.
fn in_parallel<T: Sync, R: Send>(items: &[T], jobs: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let queue: Mutex<VecDeque<usize>> = Mutex::new((0..items.len()).collect());
    let done: Mutex<BTreeMap<usize, R>> = Mutex::default();
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    std::thread::scope(|scope| {
        for _ in 0..jobs.clamp(1, items.len().max(1)) {
            scope.spawn(|| {
                while let Some(index) = next() {
                    let result = work(&items[index]);
                    done.lock().unwrap_or_else(PoisonError::into_inner).insert(index, result);
                }
            });
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}

/// Reads the head of a source's mirror as it stands: local, else remote-tracking.
pub fn standing_mirror(registry: &Registry, source: &SourceName) -> Result<Option<Mirror>> {
    let refs = &registry.repository.refs;
    let branch = registry.names.mirror(source)?;
    let remote = registry.remote_tracking(branch.as_str()).map(|name| refs.get(&name)).transpose()?.flatten();
    let head = branches::counting(&registry.repository.store, refs.get(branch.as_str())?, remote)?.0;
    let mirror = head.map(|head| mirror::standing(&registry.repository.store, head)).transpose();
    mirror.context(ErrorKind::Git, || format!("cannot read the mirror of `{source}`"))
}

/// Copies the skill at `path` of a snapshot into the registry's database; none where there is none, or where it breaks
/// a rule.
pub fn import(registry: &Registry, state: &State, snapshot: &Snapshot, path: &RelPath) -> Result<Option<Oid>> {
    let limits = &state.settings.limits;
    let Some(tree) = crate::git::tree_at(snapshot.store(), snapshot.tree, path)? else { return Ok(None) };
    let real = path.components().map(|component| component.as_bytes().to_vec()).collect();
    let Ok(flat) = flatten(snapshot, &Found { path: path.clone(), tree, real }, limits)? else { return Ok(None) };
    snapshot.need(flat.blobs())?;
    Ok(flat.copy_into(snapshot, &registry.repository.store, limits)?.ok().map(|(tree, _)| tree))
}
