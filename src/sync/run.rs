//! One run of the engine over the sources: what is observed, decided and, at the end, moved.

use super::branches::Branches;
use super::holds::Holder;
use super::mirror::{self, Mirror};
use super::moved::{self, Moved};
use super::plan::{Plan, Planner};
use super::publish::{Moves, Of};
use super::records::Records;
use super::report::{ErrorReport, Outcome, SourceReport, ended_pause};
use super::verdict::Judge;
use super::{Maker, MirrorHead, Options, import, late, mirror_head, offers, standing_mirror};
use crate::git::{History, Oid, RefChange, RefName, Store};
use crate::registry::{Entry, Pausable, Registry, SkillState, SourceFile, State, Upstream};
use crate::skill::TreeHasher;
use crate::source::{observe, observe_revision};
use crate::types::{Error, ErrorKind, RelPath, Result, SkillId, SourceName, TreeHash};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::OnceLock;

pub(super) struct Run<'a> {
    pub(super) registry: &'a Registry,
    pub(super) state: &'a State,
    pub(super) options: &'a Options<'a>,
    pub(super) branches: Branches,
    pub(super) hasher: TreeHasher<'a>,
    pub(super) main: History<'a>,
    pub(super) records: OnceLock<Result<Records>>,
}

/// A mirror that has looked at upstream, and the ref that it stands at here.
pub(super) struct Observed {
    mirror: Mirror,
    revision: Option<String>,
    local: Option<Oid>,
}

pub(super) enum Look {
    At(Box<Observed>),
    Away(Outcome),
    Gone,
}

impl<'a> Run<'a> {
    /// Reads what a run goes by: the branches, and the history of the default branch.
    pub(super) fn new(registry: &'a Registry, state: &'a State, options: &'a Options<'a>) -> Result<Self> {
        let store = &registry.repository.store;
        Ok(Run {
            registry,
            state,
            options,
            branches: Branches::load(registry)?,
            hasher: TreeHasher::new(store),
            main: History::of(store, registry.head)?,
            records: OnceLock::new(),
        })
    }
}

impl Run<'_> {
    fn store(&self) -> &Store {
        &self.registry.repository.store
    }

    fn source_file(&self, name: &SourceName) -> Option<&Result<SourceFile>> {
        self.state.sources.get(name).map(|source| &source.file)
    }

    pub(super) fn readable_source(&self, name: &SourceName) -> Result<&SourceFile> {
        match self.source_file(name) {
            Some(file) => file.as_ref().map_err(Clone::clone),
            None => Err(Error::new(ErrorKind::NotFound, format!("skills follow source `{name}`, which has no file"))
                .hint(format!("restore sources/{name}.toml, or remove [upstream] from the entries that name it"))),
        }
    }

    pub(super) fn observe(&self, name: &SourceName) -> Result<Look> {
        if self.source_file(name).is_none() && self.state.followers(name).next().is_none() {
            return Ok(Look::Gone);
        }
        let file = self.readable_source(name)?;
        if !file.enabled {
            return Ok(Look::Away(Outcome::Disabled));
        }
        if file.paused_on(self.options.today) {
            return Ok(Look::Away(Outcome::Paused));
        }
        let limits = &self.state.settings.limits;
        let snapshot = observe(&self.options.access, file, &self.registry.directory, limits)?;
        let MirrorHead { local, head, joined } = mirror_head(self.registry, file)?;
        let mut mirror = mirror::observe(self.store(), head, &snapshot, file, limits)?;
        mirror.grew |= joined;
        let revision = snapshot.revision.clone();
        // It may hold the lock of the cache, which fetching a base has to take.
        drop(snapshot);
        self.join_bases(file, &mut mirror)?;
        Ok(Look::At(Box::new(Observed { mirror, revision, local })))
    }

    fn join_bases(&self, source: &SourceFile, mirror: &mut Mirror) -> Result<()> {
        let followed: Vec<&Entry> = self.state.followers(&source.name).map(|(_, _, entry)| entry).collect();
        // A disabled skill's too: it comes back one day, and upstream may have forgotten by then.
        for upstream in followed.iter().filter_map(|entry| entry.upstream.as_ref()) {
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
        let limits = &self.state.settings.limits;
        let snapshot = observe_revision(&self.options.access, source, revision, &self.registry.directory, limits)?;
        let found = import(self.registry, self.state, &snapshot, &upstream.path)?.map_err(|why| {
            Error::new(ErrorKind::UnknownBase, format!("upstream {revision} has no such skill at {}", upstream.path))
                .because(why)
        })?;
        if is_it(found)? { Ok(found) } else { Err(missing()) }
    }

    pub(super) fn source(&self, index: usize, name: &SourceName, observed: Result<Look>) -> (SourceReport, Vec<Moves>) {
        let file = self.source_file(name).and_then(|file| file.as_ref().ok());
        let mut report = SourceReport {
            name: name.clone(),
            kind: file.map(SourceFile::kind),
            outcome: Outcome::Unchanged,
            revision: None,
            mirror: None,
            error: None,
            plugins: Vec::new(),
            pause: file.and_then(|file| file.paused.clone()).filter(|paused| paused.holds_on(self.options.today)),
            skills: Vec::new(),
            rejected: Vec::new(),
            warnings: Vec::new(),
            ended: Vec::new(),
        };
        let paused = file.and_then(|file| file.paused.as_ref());
        let pausable = self.state.pausable_as(Pausable::Source(name));
        report.ended.extend(ended_pause(paused, self.options.today, &pausable));
        let planned = match (observed, file) {
            (Ok(Look::At(observed)), Some(file)) => self.plan_source(index, file, *observed, &mut report),
            (Ok(Look::Away(outcome)), _) => {
                report.outcome = outcome;
                Ok(Vec::new())
            }
            (Ok(Look::Gone), _) => {
                report.outcome = Outcome::Removed;
                self.tidy_away(index, name, &mut report)
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
    pub(super) fn with_planner<T>(
        &self,
        source: &SourceFile,
        mirror: &Mirror,
        moved: &Moved,
        act: impl FnOnce(&Planner<'_>) -> T,
    ) -> T {
        let find_base = |upstream: &Upstream| self.find_base(source, mirror, upstream);
        let maker = Maker {
            store: self.store(),
            hasher: &self.hasher,
            layout: &self.state.layout,
            state: self.state,
            source: &source.name,
            mirror,
            find_base: &find_base,
        };
        let judge = Judge { maker: &maker, main: &self.main };
        let records = || {
            let walked = self.records.get_or_init(|| Records::walk(self.store(), &self.state.layout, &self.main));
            walked.as_ref().map_err(Clone::clone)
        };
        let holder = Holder {
            store: self.store(),
            layout: &self.state.layout,
            main: &self.main,
            records: &records,
            today: self.options.today,
        };
        let planner = Planner {
            registry: self.registry,
            state: self.state,
            source,
            maker: &maker,
            moved,
            judge: &judge,
            branches: &self.branches,
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
                plans.extend(self.with_planner(&former, mirror, &Moved::default(), |planner| {
                    open.iter().map(|id| planner.abandoned(id)).collect::<Vec<_>>()
                }));
            }
        }
        // Of one that only the remote has there is nothing to say.
        plans.retain(|plan| plan.report.candidate.is_some() || plan.report.error.is_some());
        plans
    }

    /// Decides about what this clone has of a source that was removed: unedited candidates go, and so does the memory of
    /// offers. The mirror stays, because entries in the history name it.
    fn tidy_away(&self, index: usize, name: &SourceName, report: &mut SourceReport) -> Result<Vec<Moves>> {
        let Some(mirror) = standing_mirror(self.registry, name)? else { return Ok(Vec::new()) };
        let source = SourceFile::gone(name);
        let open = self.branches.of_source(self.registry, name);
        let plans = self.with_planner(&source, &mirror, &Moved::default(), |planner| {
            open.iter().map(|id| planner.abandoned(id)).collect::<Vec<_>>()
        });
        let mut moves = Vec::new();
        for plan in plans.into_iter().filter(|plan| plan.report.candidate.is_some() || plan.report.error.is_some()) {
            if !plan.changes.is_empty() {
                moves.push(Moves { source: index, of: Of::Skill(report.skills.len()), changes: plan.changes });
            }
            report.skills.push(plan.report);
        }
        let forgotten = self.branches.offers_of(self.registry, name).filter(|(id, ..)| !open.contains(id));
        let forgotten = forgotten
            .map(|(_, name, id)| Ok(RefChange { name: RefName::parse(name)?, expected: Some(id), new: None }))
            .collect::<Result<Vec<_>>>()?;
        if !forgotten.is_empty() {
            moves.push(Moves { source: index, of: Of::Memory, changes: forgotten });
        }
        Ok(moves)
    }

    fn plan_source(
        &self,
        index: usize,
        source: &SourceFile,
        observed: Observed,
        report: &mut SourceReport,
    ) -> Result<Vec<Moves>> {
        let Observed { mirror, revision, local } = observed;
        let moved = moved::find(self.store(), &self.hasher, self.state, source, &mirror)?;
        let new = offers::new_skills(self.store(), self.state, source, &mirror, &moved)?;
        let followed: Vec<_> = self.state.followers(&source.name).collect();
        let open = self.branches.of_source(self.registry, &source.name);
        let unreadable = self.unreadable(&source.name, &new.unreadable, &open);
        let known = |id: &SkillId| {
            new.offered.contains_key(id)
                || self.state.follows(id, &source.name)
                || unreadable.iter().any(|(unreadable, ..)| *unreadable == id)
        };
        let mut plans: Vec<Plan> = self.with_planner(source, &mirror, &moved, |planner| {
            let followed = followed.par_iter().map(|(id, skill, entry)| planner.followed(id, skill, entry));
            let appeared = new.offered.par_iter().map(|(id, path)| planner.appeared(id, path));
            let abandoned = open.par_iter().filter(|id| !known(id)).map(|id| planner.abandoned(id));
            let unreadable = unreadable.par_iter().map(|(id, path, error)| planner.unreadable(id, path, error));
            followed.chain(appeared).chain(abandoned).chain(unreadable).collect()
        });
        self.tell_late(&followed, &mut plans)?;
        plans.extend(self.of_former_names(source, &mirror));
        plans.sort_by(|a, b| a.report.id.cmp(&b.report.id));

        report.revision = revision;
        report.mirror = Some(mirror.head);
        report.plugins = mirror.plugins.iter().cloned().collect();
        report.rejected = mirror.rejected.iter().cloned().chain(new.refused).collect();
        report.warnings = mirror.remarks.iter().cloned().chain(new.collisions).collect();
        let mut moves = Vec::new();
        if mirror.grew || local.is_none() && !self.has_tracking_mirror(&source.name)? {
            let name = self.registry.names.mirror(&source.name)?;
            let changes = vec![RefChange { name, expected: local, new: Some(mirror.head) }];
            moves.push(Moves { source: index, of: Of::Mirror, changes });
        }
        for plan in plans {
            if !plan.changes.is_empty() {
                moves.push(Moves { source: index, of: Of::Skill(report.skills.len()), changes: plan.changes });
            }
            report.skills.push(plan.report);
        }
        if !moves.is_empty() {
            report.outcome = Outcome::Synced;
        }
        Ok(moves)
    }

    fn tell_late(&self, followed: &[(&SkillId, &SkillState, &Entry)], plans: &mut [Plan]) -> Result<()> {
        let upstreams: BTreeMap<&str, (&SkillId, &Upstream)> =
            followed.iter().filter_map(|(id, _, entry)| Some((id.as_str(), (*id, entry.upstream.as_ref()?)))).collect();
        let mut skills: Vec<_> = plans
            .iter_mut()
            .filter_map(|plan| {
                let (id, upstream) = *upstreams.get(plan.report.id.as_str())?;
                Some((id, upstream, &mut plan.report))
            })
            .collect();
        late::tell(self.store(), &self.state.layout, self.registry.head, &mut skills)
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
        Ok(self.registry.elsewhere(self.registry.names.mirror(name)?.as_str())?.is_some())
    }
}
