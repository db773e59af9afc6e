//! The engine: from an upstream commit to a review branch, one step a file.
//!
//! `observe` (source) -> [`mirror`] -> [`moved`] and [`offers`] -> [`classify`] -> [`merge`] -> [`candidate`] ->
//! [`plan`] -> [`verdict`] on the open branch and [`reconcile`] -> refs. Up to the last step nothing is on disk but
//! objects that nobody names yet.

mod admit;
pub mod ancestry;
mod branches;
mod candidate;
mod candidate_state;
mod carry;
pub mod classify;
mod contained;
pub mod failures;
mod held;
mod held_back;
pub mod holds;
pub mod late;
mod licenses;
pub mod merge;
mod mirror;
pub mod missing;
mod moved;
mod notices;
mod offers;
mod plan;
mod publish;
mod push;
mod reconcile;
pub mod records;
mod renamed;
pub mod report;
mod retry;
mod review;
mod run;
mod verdict;
pub mod versions;

pub use admit::{Admission, admit};
pub use branches::{Branch, Branches};
pub use candidate::{Ground, Maker, subject as candidate_subject};
pub use candidate_state::CandidateState;
pub use classify::Class;
pub use contained::Contained;
pub use held::Held;
pub use held_back::held_back;
pub use mirror::{Mirror, commit_of_base};
pub use moved::RELATED;
pub use notices::{link_target, push_command};
pub use offers::id_for;
pub use push::{Delivery, Fate};
pub use renamed::Renamed;
pub use report::{Action, LicenseChange, Outcome, Report};
pub use retry::retry;
pub use review::{BranchEdits, Review, Reviewer, Trees};

use crate::git::Oid;
use crate::registry::{Registry, SourceFile, State, Upstream};
use crate::skill::TreeHasher;
use crate::source::{Access, Found, Snapshot, flatten};
use crate::types::{Context as _, Error, ErrorKind, RelPath, Result, SkillId, SourceName};
use jiff::civil::Date;
use publish::Moves;
use report::{Counts, SourceReport};
use run::Run;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, PoisonError};

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
    decide(registry, options, |run, moves, sources| run.publish(moves, sources)).map(|(report, ())| report)
}

/// Does the same on a view of the remote, and pushes what moves. Returns also the sources that have to be decided anew,
/// because the remote has moved meanwhile.
///
/// # Errors
/// Where the remote cannot be reached, or the registry there cannot be read.
pub fn push(
    registry: &Registry,
    options: &Options<'_>,
    delivery: &Delivery<'_>,
) -> Result<(Report, BTreeSet<SourceName>)> {
    decide(registry, options, |run, moves, sources| run.push(moves, sources, delivery))
}

fn decide<T: Default>(
    registry: &Registry,
    options: &Options<'_>,
    publish: impl FnOnce(&Run<'_>, &[Moves], &mut [SourceReport]) -> Result<T>,
) -> Result<(Report, T)> {
    let state = registry.state()?;
    let run = Run::new(registry, &state, options)?;
    let chosen = choose(&state, options.sources, gone(registry, &state, &run.branches))?;
    options.access.memo.expect(chosen.iter().filter_map(|name| state.sources.get(name)?.file.as_ref().ok()));
    let waiting = Waiting { progress: options.progress, names: Mutex::default() };
    let observed = in_parallel(&chosen, options.jobs, |name| waiting.during(name, || run.observe(name)));
    let mut sources = Vec::new();
    let mut plans = Vec::new();
    for (index, (name, observed)) in chosen.iter().zip(observed).enumerate() {
        let (report, mut changes) = run.source(index, name, observed);
        plans.append(&mut changes);
        sources.push(report);
    }
    if !options.access.dry_run {
        plans.append(&mut failures::count_failures(registry, &sources)?);
        // A source's moves stand together, its mirror first.
        plans.sort_by_key(|moved| moved.source);
    }
    options.access.git.check_cancelled()?;
    // Where no ref moves, what was made to compare with is not worth keeping: a second sync writes nothing.
    let mut published = T::default();
    if !options.access.dry_run && !plans.is_empty() {
        registry.repository.store.flush()?;
        published = publish(&run, &plans, &mut sources)?;
    }
    let candidates = count(&sources);
    let branch = registry.branch.short().to_owned();
    let (versions, untagged) = (Vec::new(), Vec::new());
    let pushed = None;
    let head = registry.head;
    let uncommitted = Vec::new();
    let report = Report { format: 1, branch, head, sources, candidates, versions, untagged, uncommitted, pushed };
    Ok((report, published))
}

/// Where a source's mirror stands before upstream is looked at.
struct MirrorHead {
    /// The local mirror.
    local: Option<Oid>,
    /// The head to go on from: the local or the remote-tracking one, or both joined, or the mirror of the name that the
    /// source had before.
    head: Option<Oid>,
    /// The head is a join that no ref names yet.
    joined: bool,
}

fn mirror_head(registry: &Registry, source: &SourceFile) -> Result<MirrorHead> {
    let local = registry.here(registry.names.mirror(&source.name)?.as_str())?;
    for name in std::iter::once(&source.name).chain(&source.was) {
        let branch = registry.names.mirror(name)?;
        let here = registry.here(branch.as_str())?;
        let remote = registry.elsewhere(branch.as_str())?;
        let (head, joined) = match branches::counting(&registry.repository.store, here, remote)? {
            (Some(remote), true) => {
                let here = here.expect("two heads have diverged");
                (Some(mirror::join_diverged(&registry.repository.store, &source.name, remote, here)?), true)
            }
            (head, _) => (head, false),
        };
        if head.is_some() {
            return Ok(MirrorHead { local, head, joined });
        }
    }
    Ok(MirrorHead { local, head: None, joined: false })
}

/// Returns the sources that were removed: no file, no follower, no new name, and this clone still has something of them.
fn gone(registry: &Registry, state: &State, branches: &Branches) -> BTreeSet<SourceName> {
    let mut gone = branches.sources(registry);
    gone.retain(|name| !state.sources.contains_key(name) && state.followers(name).next().is_none());
    // Of a file that cannot be read nobody knows what it was called before.
    let files = state.sources.values().map(|source| source.file.as_ref());
    match files.collect::<Result<Vec<_>, _>>() {
        Ok(files) => gone.retain(|name| !files.iter().any(|file| file.was.contains(name))),
        Err(_) => gone.clear(),
    }
    gone
}

/// Returns the sources to look at: those with a file, those that entries follow and those that are `gone`, or the named
/// ones.
fn choose(state: &State, named: &[SourceName], gone: BTreeSet<SourceName>) -> Result<Vec<SourceName>> {
    let followed = state.skills.values().filter_map(|skill| Some(skill.entry()?.upstream.as_ref()?.source.clone()));
    let known: BTreeSet<SourceName> = state.sources.keys().cloned().chain(followed).chain(gone).collect();
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

/// Counts what became of candidates.
pub fn count(sources: &[SourceReport]) -> Counts {
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
pub fn in_parallel<T: Sync, R: Send>(items: &[T], jobs: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
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

/// Tells which sources have not answered yet: of many that are asked at once, the slow ones.
struct Waiting<'a> {
    progress: &'a (dyn Fn(&str) + Sync),
    names: Mutex<BTreeSet<SourceName>>,
}

impl Waiting<'_> {
    fn during<R>(&self, name: &SourceName, ask: impl FnOnce() -> R) -> R {
        self.tell(|names| _ = names.insert(name.clone()));
        let answer = ask();
        self.tell(|names| _ = names.remove(name));
        answer
    }

    fn tell(&self, change: impl FnOnce(&mut BTreeSet<SourceName>)) {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut names);
        let names: Vec<&str> = names.iter().map(SourceName::as_str).collect();
        (self.progress)(&format!("waiting for {}", names.join(", ")));
    }
}

/// Reads the head of a source's mirror as it stands: local, else remote-tracking.
pub fn standing_mirror(registry: &Registry, source: &SourceName) -> Result<Option<Mirror>> {
    let branch = registry.names.mirror(source)?;
    let (here, remote) = (registry.here(branch.as_str())?, registry.elsewhere(branch.as_str())?);
    let head = branches::counting(&registry.repository.store, here, remote)?.0;
    let mirror = head.map(|head| mirror::standing(&registry.repository.store, head)).transpose();
    mirror.context(ErrorKind::Git, || format!("cannot read the mirror of `{source}`"))
}

/// Returns the path at which upstream has a skill now: its entry's, or where upstream moved it to.
pub fn place_of(
    registry: &Registry,
    state: &State,
    mirror: &Mirror,
    id: &SkillId,
    upstream: &Upstream,
) -> Result<RelPath> {
    let source = state.sources.get(&upstream.source).and_then(|source| source.file.as_ref().ok());
    let Some(source) = source.filter(|_| !mirror.skills.contains_key(&upstream.path)) else {
        return Ok(upstream.path.clone());
    };
    let store = &registry.repository.store;
    let moved = moved::find(store, &TreeHasher::new(store), state, source, mirror)?;
    Ok(moved.place(id).unwrap_or(&upstream.path).clone())
}

/// Copies the skill at `path` of a snapshot into the registry's database; where there is none, or where it breaks a rule,
/// returns why.
pub fn import(
    registry: &Registry,
    state: &State,
    snapshot: &Snapshot,
    path: &RelPath,
) -> Result<std::result::Result<Oid, String>> {
    let limits = &state.settings.limits;
    let Some(tree) = crate::git::tree_at(snapshot.store(), snapshot.tree, path)? else {
        return Ok(Err("no directory stands there".into()));
    };
    let real = path.components().map(|component| component.as_bytes().to_vec()).collect();
    let flat = match flatten(snapshot, &Found { path: path.clone(), tree, real }, limits)? {
        Ok(flat) => flat,
        Err(remark) => return Ok(Err(remark.message)),
    };
    snapshot.need(flat.blobs())?;
    let copied = flat.copy_into(snapshot, &registry.repository.store, limits)?;
    Ok(copied.map(|(tree, _)| tree).map_err(|remark| remark.message))
}
