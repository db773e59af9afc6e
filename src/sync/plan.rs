//! Decides about one skill: its class, its candidate, and the refs that have to move. Writes objects, moves nothing.

use super::branches::{Branch, Branches};
use super::candidate::{Ground, Made, Maker, Offer, unknown_base};
use super::carry::Carried;
use super::classify::{Class, Facts, classify};
use super::contained::Contained;
use super::holds::{Hold, Holder};
use super::mirror::{oldest_of_newest_run, upstream_at};
use super::moved::Moved;
use super::notices::{foreign, held};
use super::renamed::Renamed;
use super::report::{Action, CandidateReport, ErrorReport, Notice, SkillReport};
use super::verdict::Judge;
use crate::git::{Oid, RefChange, RefName};
use crate::registry::{Conflict, Entry, NewSkills, Registry, RemovedSkills, SkillState, SourceFile, State, Status};
use crate::types::{Error, ErrorKind, RelPath, Result, SkillId, TreeHash};
use jiff::civil::Date;

/// What is to happen to one skill.
pub struct Plan {
    /// What to tell.
    pub report: SkillReport,
    /// What to move.
    pub changes: Vec<RefChange>,
}

/// RULES, "Wanted": the candidate that would be made on the default branch now.
struct Wanted<'a> {
    id: &'a SkillId,
    class: Class,
    ground: &'a Ground,
    offer: &'a Offer,
    made: &'a Made,
}

/// What `refs/skillgraft/offered` has of a skill.
struct Offered {
    name: RefName,
    now: Option<Oid>,
    /// Under a name that the source had before, where nothing but this is left of the candidate: it was withdrawn, and
    /// that goes along.
    former: Option<(RefName, Oid)>,
}

impl Offered {
    fn commit(&self) -> Option<Oid> {
        self.now.or(self.former.as_ref().map(|(_, commit)| *commit))
    }

    /// Returns the changes after which it names `new`, under the present name alone.
    fn moved(self, new: Option<Oid>) -> Vec<RefChange> {
        let former = self.former.map(|(name, commit)| RefChange { name, expected: Some(commit), new: None });
        let present = RefChange { name: self.name, expected: self.now, new };
        former.into_iter().chain([present]).filter(|change| change.expected != change.new).collect()
    }
}

/// Decides about the skills of one source.
pub struct Planner<'a> {
    /// The registry.
    pub registry: &'a Registry,
    /// What it holds on the default branch.
    pub state: &'a State,
    /// The source.
    pub source: &'a SourceFile,
    /// What candidates are made with.
    pub maker: &'a Maker<'a>,
    /// Where its skills went that left their entry's path.
    pub moved: &'a Moved,
    /// The judge of open candidates.
    pub judge: &'a Judge<'a>,
    /// The open candidates.
    pub branches: &'a Branches,
    /// The judge of holds.
    pub holder: &'a Holder<'a>,
    /// The day, for what ends by itself.
    pub today: Date,
}

impl Planner<'_> {
    /// Decides about a skill that follows this source, at its entry's path or where upstream moved it to.
    pub fn followed(&self, id: &SkillId, skill: &SkillState, entry: &Entry) -> Plan {
        let path = entry.upstream.as_ref().map(|upstream| &upstream.path);
        let path = self.moved.place(id).or(path).cloned().unwrap_or_default();
        let mut plan = self.guarded(id, &path, |report| self.decide(id, &path, Some((skill, entry)), report));
        plan.report.ended = self.ended(id, entry, plan.report.upstream);
        plan
    }

    /// Decides about a skill that appeared at the upstream path `path`.
    pub fn appeared(&self, id: &SkillId, path: &RelPath) -> Plan {
        self.guarded(id, path, |report| self.decide(id, path, None, report))
    }

    /// Reports a skill whose entry cannot be read. Without a base nothing is known, so nothing of it moves.
    pub fn unreadable(&self, id: &SkillId, path: &RelPath, error: &Error) -> Plan {
        self.guarded(id, path, |_| Err(error.clone()))
    }

    /// Decides about a candidate whose skill neither follows this source nor is offered by it.
    pub fn abandoned(&self, id: &SkillId) -> Plan {
        self.guarded(id, &RelPath::root(), |report| {
            let branch = self.branch(id)?;
            self.settle(id, &branch, report)
        })
    }

    /// Proposes a held update again, because a person asks for it: writes only branch and marker.
    ///
    /// # Errors
    /// Where there is nothing to propose, or a branch is open already.
    pub fn asked_for(
        &self,
        id: &SkillId,
        path: &RelPath,
        existing: Option<(&SkillState, &Entry)>,
    ) -> Result<(SkillReport, Vec<RefChange>)> {
        let mut report = empty_report(id, path);
        let upstream = upstream_at(self.maker.store, self.maker.mirror.tree, path)?;
        let class = match existing {
            Some((skill, entry)) => self.classify(skill, entry, path, upstream, &mut report)?,
            None => {
                report.upstream = upstream.map(|tree| self.maker.hasher.hash(tree)).transpose()?;
                Class::New
            }
        };
        report.class = Some(class);
        let branch = self.branch(id)?;
        // What was merged, and perhaps taken back, is not open any more.
        let merged = branch.head.map_or(Ok(true), |head| self.judge.main.contains(head))?;
        if !merged {
            return Err(Error::new(ErrorKind::Usage, format!("`{id}` has an open candidate already"))
                .hint(format!("see it: skillgraft candidate show {id}")));
        }
        if !class.wants_candidate() || class == Class::New && upstream.is_none() {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("nothing is held back of `{id}`: it is {}", class.as_str()),
            ));
        }
        let (ground, offer) = self.ground_and_offer(path, existing, upstream, &report)?;
        report.plugin = self.maker.plugin_move(&ground, &offer)?;
        let made = self.maker.make(&ground, &offer)?;
        let wanted = Wanted { id, class, ground: &ground, offer: &offer, made: &made };
        let changes = self.propose(&wanted, &branch, &mut report)?;
        Ok((report, changes))
    }

    fn ground_and_offer(
        &self,
        path: &RelPath,
        existing: Option<(&SkillState, &Entry)>,
        upstream: Option<Oid>,
        report: &SkillReport,
    ) -> Result<(Ground, Offer)> {
        let ground = Ground {
            tree: self.state.tree,
            skill: existing.and_then(|(skill, _)| skill.tree),
            entry: existing.and_then(|(skill, _)| skill.entry.clone()),
        };
        let offer = Offer {
            path: path.clone(),
            tree: upstream,
            accepted: report.upstream.unwrap_or(TreeHash::EMPTY),
            mirror: oldest_of_newest_run(self.maker.store, self.maker.mirror.head, path, upstream)?,
        };
        Ok((ground, offer))
    }

    /// One skill's problem is never another's: an error becomes part of its report, and nothing of it moves.
    fn guarded(
        &self,
        id: &SkillId,
        path: &RelPath,
        decide: impl FnOnce(&mut SkillReport) -> Result<Vec<RefChange>>,
    ) -> Plan {
        let mut report = empty_report(id, path);
        let changes = decide(&mut report).unwrap_or_else(|error| {
            report.error = Some(ErrorReport::from(&error));
            report.candidate = None;
            Vec::new()
        });
        Plan { report, changes }
    }

    fn decide(
        &self,
        id: &SkillId,
        path: &RelPath,
        existing: Option<(&SkillState, &Entry)>,
        report: &mut SkillReport,
    ) -> Result<Vec<RefChange>> {
        let upstream = upstream_at(self.maker.store, self.maker.mirror.tree, path)?;
        let class = match existing {
            Some((skill, entry)) => self.classify(skill, entry, path, upstream, report)?,
            None => {
                report.upstream = upstream.map(|tree| self.maker.hasher.hash(tree)).transpose()?;
                Class::New
            }
        };
        report.class = Some(class);
        report.notice = self.notice(id, class);
        if matches!(class, Class::Paused | Class::Conflicted) {
            return Ok(Vec::new());
        }
        let branch = self.branch(id)?;
        if !class.wants_candidate() || self.policy_forbids(class) {
            return self.settle(id, &branch, report);
        }
        let (ground, offer) = self.ground_and_offer(path, existing, upstream, report)?;
        report.plugin = self.maker.plugin_move(&ground, &offer)?;
        if let Some(hold) = self.hold(id, class, &branch, existing.map(|(_, entry)| entry), &offer)? {
            report.hold = Some(hold.kind);
            report.notice = Some(held(id, &hold));
            return self.settle(id, &branch, report);
        }
        let made = self.maker.make(&ground, &offer).map_err(|error| match ground.upstream() {
            Some(followed) if error.kind() == ErrorKind::UnknownBase => unknown_base(id, followed, &error),
            _ => error,
        })?;
        self.propose(&Wanted { id, class, ground: &ground, offer: &offer, made: &made }, &branch, report)
    }

    fn classify(
        &self,
        skill: &SkillState,
        entry: &Entry,
        path: &RelPath,
        upstream: Option<Oid>,
        report: &mut SkillReport,
    ) -> Result<Class> {
        let followed = entry.upstream.as_ref().expect("only skills that follow the source are asked about");
        // Where upstream is the base by git's own id, nothing new has to be hashed.
        let base_stands = upstream == Some(followed.git_tree);
        let hash = |tree: Oid| {
            if base_stands && tree == followed.git_tree { Ok(followed.accepted) } else { self.maker.hasher.hash(tree) }
        };
        report.base = Some(followed.accepted);
        report.local = skill.tree.map(hash).transpose()?;
        report.upstream = upstream.map(hash).transpose()?;
        let moved = *path != followed.path;
        report.moved_from = moved.then(|| followed.path.to_string());
        // Who excludes a path does not want the skill, wherever upstream puts it.
        let selection = &self.source.selection;
        let excluded = moved && selection.excludes(&followed.path, &self.source.name);
        Ok(classify(&Facts {
            disabled: entry.status != Status::Active,
            paused: entry.paused_on(self.today),
            conflicted: !entry.conflicts.is_empty(),
            selected: selection.selects(path, &self.source.name) && !excluded,
            moved,
            base: followed.accepted,
            local: report.local,
            upstream: report.upstream,
        }))
    }

    pub(super) fn policy_forbids(&self, class: Class) -> bool {
        let policy = self.source.policy(&self.state.settings.policy);
        class == Class::New && policy.new_skills == NewSkills::Ignore
            || class == Class::Removed && policy.removed_skills == RemovedSkills::Keep
    }

    /// Returns the hold that keeps the offer back. A branch that offers this very update, and was made when the
    /// default branch already had what the hold rests on, was asked for: that is what `retry` makes.
    fn hold(
        &self,
        id: &SkillId,
        class: Class,
        branch: &Branch,
        entry: Option<&Entry>,
        offer: &Offer,
    ) -> Result<Option<Hold>> {
        if class == Class::AlreadyApplied {
            return Ok(None);
        }
        let offered = self.offered(id)?.commit();
        let hold = self.holder.hold(id, entry, offer, offered.filter(|_| branch.head.is_none()))?;
        let (Some(hold), Some(head)) = (&hold, branch.head) else { return Ok(hold) };
        let asked_for = self.judge.is_asked_for(head, id, offer, &hold.rests_on)?;
        Ok(Some(hold.clone()).filter(|_| !asked_for))
    }

    fn branch(&self, id: &SkillId) -> Result<Branch> {
        self.branches.get(self.maker.store, &self.registry.names.candidate(&self.source.name, id)?)
    }

    fn offered(&self, id: &SkillId) -> Result<Offered> {
        let names = &self.registry.names;
        let name = names.offered(&self.source.name, id)?;
        let now = self.branches.own(&name);
        let mut former = None;
        for before in self.source.was.iter().filter(|name| !self.state.sources.contains_key(*name)) {
            let marker = names.offered(before, id)?;
            let is_open = self.branches.get(self.maker.store, &names.candidate(before, id)?)?.head.is_some();
            if let Some(commit) = self.branches.own(&marker).filter(|_| now.is_none() && former.is_none() && !is_open) {
                former = Some((marker, commit));
            }
        }
        Ok(Offered { name, now, former })
    }

    fn propose(&self, wanted: &Wanted<'_>, branch: &Branch, report: &mut SkillReport) -> Result<Vec<RefChange>> {
        let mut candidate = CandidateReport {
            branch: branch.name.clone(),
            commit: branch.head,
            action: Action::Kept,
            edited: false,
            conflicts: wanted.made.conflicts.clone(),
            license_change: self.maker.license_change(wanted.ground, wanted.made)?,
        };
        report.contains = self.contained(wanted)?;
        let base = wanted.ground.upstream().map(|followed| followed.git_tree);
        report.renamed = Renamed::find(self.state, self.maker.store, wanted.id, base, wanted.offer.tree)?;
        let offered = self.offered(wanted.id)?.commit();
        let changes = match branch.head {
            None => {
                candidate.action = Action::Opened;
                self.make_anew(wanted, branch, &mut candidate)?
            }
            Some(head) if self.judge.is_kept(head, wanted.id, wanted.ground, wanted.made)? => {
                self.still_offered(wanted.id, head, offered)?
            }
            Some(head) if self.judge.is_foreign(head, wanted.id, offered)? => {
                candidate.action = Action::Left;
                report.notice = Some(foreign(&branch.name));
                Vec::new()
            }
            Some(head) if self.judge.is_edited(head, wanted.id, offered)? => {
                candidate.edited = true;
                candidate.conflicts = self.listed_at(head, wanted.id)?;
                self.carry_on(wanted, branch, head, &mut candidate, report)?
            }
            Some(_) => match self.must_not_move(wanted.id, branch)? {
                Some(notice) => {
                    candidate.action = Action::Left;
                    report.notice = Some(notice);
                    Vec::new()
                }
                None => {
                    candidate.action = Action::Remade;
                    self.make_anew(wanted, branch, &mut candidate)?
                }
            },
        };
        report.candidate = Some(candidate);
        Ok(changes)
    }

    fn contained(&self, wanted: &Wanted<'_>) -> Result<Vec<Contained>> {
        let entry = wanted.ground.entry.as_ref().and_then(|entry| entry.entry.as_ref().ok());
        match entry.filter(|_| matches!(wanted.class, Class::FastForward | Class::ThreeWay)) {
            Some(entry) => self.holder.contained(self.maker.hasher, entry, wanted.offer),
            None => Ok(Vec::new()),
        }
    }

    fn make_anew(
        &self,
        wanted: &Wanted<'_>,
        branch: &Branch,
        candidate: &mut CandidateReport,
    ) -> Result<Vec<RefChange>> {
        let commit = self.commit(wanted)?;
        candidate.commit = Some(commit);
        self.moved(wanted.id, branch, Some(commit), Some(commit), branch.head)
    }

    fn commit(&self, wanted: &Wanted<'_>) -> Result<Oid> {
        let Wanted { id, class, ground, offer, made } = *wanted;
        self.maker.commit(id, class, self.state.commit, ground, offer, made)
    }

    fn listed_at(&self, commit: Oid, id: &SkillId) -> Result<Vec<Conflict>> {
        let entry = Ground::at(self.maker.store, self.maker.layout, id, commit)?.entry;
        Ok(entry.and_then(|entry| entry.entry.ok()).map_or(Vec::new(), |entry| entry.conflicts))
    }

    /// An edited candidate is left alone while the old and the wanted one agree and the default branch's skill and
    /// entry are as they were; else its edits are carried to the wanted one.
    fn carry_on(
        &self,
        wanted: &Wanted<'_>,
        branch: &Branch,
        head: Oid,
        candidate: &mut CandidateReport,
        report: &mut SkillReport,
    ) -> Result<Vec<RefChange>> {
        let name = branch.name.short();
        let mut leave = |message: String, hint: String| {
            candidate.action = Action::Left;
            report.notice = Some(Notice::new(message, hint));
            Ok(Vec::new())
        };
        let Some((base, old)) = self.judge.old_candidate(head, wanted.id)? else {
            let hint = format!("merge the branch as it is, or delete it for a new one: git branch -D {name}");
            return leave("its branch has edits, and what they were made on can no longer be told".into(), hint);
        };
        let agrees = old.skill == wanted.made.skill && old.entry == wanted.made.entry;
        if agrees && base.agrees_with(wanted.ground) {
            return Ok(Vec::new());
        }
        if let Some(notice) = self.must_not_move(wanted.id, branch)? {
            candidate.action = Action::Left;
            report.notice = Some(notice);
            return Ok(Vec::new());
        }
        let commit = self.commit(wanted)?;
        match self.maker.carry(wanted.id, head, &base, &old, commit)? {
            Carried::Done(carried, conflicts) => {
                candidate.action = Action::Carried;
                candidate.commit = Some(carried);
                candidate.conflicts = conflicts;
                self.moved(wanted.id, branch, Some(carried), Some(commit), None)
            }
            Carried::Waits => leave(
                "its branch waits: edits that were carried on left conflicts, which nobody has resolved yet".into(),
                format!("resolve them on {name}, then: skillgraft candidate resolve {}", wanted.id),
            ),
            Carried::Refused(paths) => leave(
                format!(
                    "its branch has edits outside of the skill that conflict with {}: {}",
                    self.registry.branch.short(),
                    paths.join(", ")
                ),
                format!("merge {} into {name} by hand", self.registry.branch.short()),
            ),
        }
    }

    /// The class wants nothing: an unedited branch is deleted, an edited one left, unless its change is on the default
    /// branch.
    fn settle(&self, id: &SkillId, branch: &Branch, report: &mut SkillReport) -> Result<Vec<RefChange>> {
        let marker = self.offered(id)?;
        let offered = marker.commit();
        let Some(head) = branch.head else {
            // Nobody has to know any more that it was offered once it was accepted.
            let accepted = match offered {
                Some(offered) => {
                    let offer = Ground::at(self.maker.store, self.maker.layout, id, offered)?;
                    report.class == Some(Class::Unchanged) && offer.upstream().map(|up| up.accepted) == report.base
                }
                None => false,
            };
            if report.hold.is_some() {
                let branch = branch.name.clone();
                report.candidate = Some(CandidateReport {
                    branch,
                    commit: None,
                    action: Action::Held,
                    edited: false,
                    conflicts: Vec::new(),
                    license_change: None,
                });
            }
            return Ok(marker.moved(offered.filter(|_| !accepted)));
        };
        let mut candidate = CandidateReport {
            branch: branch.name.clone(),
            commit: Some(head),
            action: Action::Left,
            edited: self.judge.is_edited(head, id, offered)?,
            conflicts: Vec::new(),
            license_change: None,
        };
        let mut changes = Vec::new();
        if self.judge.is_foreign(head, id, offered)? {
            report.notice.get_or_insert_with(|| foreign(&branch.name));
        } else if candidate.edited && !self.judge.is_contained(head)? {
            report.notice.get_or_insert_with(|| {
                let hint =
                    format!("merge what is worth keeping, then delete it: git branch -D {}", branch.name.short());
                Notice::new("people have edited its candidate, which nothing asks for any more", hint)
            });
        } else if branch.local.is_none() {
            // Only the remote has it, and only `--push` writes there.
            return Ok(Vec::new());
        } else if let Some(notice) = self.must_not_move(id, branch)? {
            report.notice = Some(notice);
        } else {
            candidate.action = Action::Closed;
            candidate.commit = None;
            let superseded = (!self.judge.main.contains(head)?).then_some(head);
            changes = self.moved(id, branch, None, None, superseded)?;
        }
        report.candidate = Some(candidate);
        Ok(changes)
    }

    /// A branch that is checked out is never moved or deleted, nor one whose local edits the remote has not.
    fn must_not_move(&self, id: &SkillId, branch: &Branch) -> Result<Option<Notice>> {
        if branch.checked_out {
            return Ok(Some(Notice::new(
                format!("{} is checked out in a work tree, so it was not moved", branch.name.short()),
                format!("check out another branch there, then run: skillgraft sync {}", self.source.name),
            )));
        }
        if let Some(local) = branch.local.filter(|local| Some(*local) != branch.head)
            && branch.diverged
            && self.judge.is_edited(local, id, None)?
        {
            return Ok(Some(Notice::new(
                format!("{} has edits here and others on the remote, so it was not moved", branch.name.short()),
                format!("join the two: git checkout {0} && git pull", branch.name.short()),
            )));
        }
        Ok(None)
    }

    /// `offered` is written by every sync: a run that was killed after it had moved the branch left it behind.
    fn still_offered(&self, id: &SkillId, head: Oid, offered: Option<Oid>) -> Result<Vec<RefChange>> {
        // Of a carry it names the second parent, also where no edit was left to carry.
        let is_carry = offered.is_some() && self.maker.store.commit(head)?.parents.get(1).copied() == offered;
        if offered == Some(head) || is_carry || self.judge.is_edited(head, id, None)? {
            return Ok(Vec::new());
        }
        let name = self.registry.names.offered(&self.source.name, id)?;
        Ok(vec![RefChange { name, expected: offered, new: Some(head) }])
    }

    /// Returns the changes that move a candidate to `new`, with the refs that remember what was made and what was.
    fn moved(
        &self,
        id: &SkillId,
        branch: &Branch,
        new: Option<Oid>,
        made: Option<Oid>,
        superseded: Option<Oid>,
    ) -> Result<Vec<RefChange>> {
        let names = &self.registry.names;
        let mut changes = vec![RefChange { name: branch.name.clone(), expected: branch.local, new }];
        changes.extend(self.offered(id)?.moved(made));
        if superseded.is_some() {
            let name = names.superseded(&self.source.name, id)?;
            changes.push(RefChange { expected: self.branches.own(&name), name, new: superseded });
        }
        changes.retain(|change| change.expected != change.new);
        Ok(changes)
    }
}

fn empty_report(id: &SkillId, path: &RelPath) -> SkillReport {
    SkillReport {
        id: id.to_string(),
        path: path.to_string(),
        moved_from: None,
        renamed: None,
        class: None,
        base: None,
        local: None,
        upstream: None,
        plugin: None,
        candidate: None,
        hold: None,
        contains: Vec::new(),
        notice: None,
        ended: Vec::new(),
        error: None,
    }
}
