//! What becomes of a skill's branch: opened, kept, re-made, carried, left or closed, with the refs that remember it.

use super::branches::Branch;
use super::candidate::{Ground, Made, Offer};
use super::carry::Carried;
use super::classify::Class;
use super::contained::Contained;
use super::mirror;
use super::notices::{deleting, diverged, foreign, made_anew};
use super::plan::Planner;
use super::renamed::Renamed;
use super::report::{Action, CandidateReport, Notice, SkillReport};
use crate::git::{Oid, RefChange, RefName, first_parents};
use crate::registry::Conflict;
use crate::types::{Result, SkillId};

/// RULES, "Wanted": the candidate that would be made on the default branch now.
pub(super) struct Wanted<'a> {
    pub id: &'a SkillId,
    pub class: Class,
    pub ground: &'a Ground,
    pub offer: &'a Offer,
    pub made: &'a Made,
}

/// What `refs/skillgraft/offered` has of a skill.
pub(super) struct Offered {
    name: RefName,
    now: Option<Oid>,
    /// Under a name that the source had before, where nothing but this is left of the candidate: it was withdrawn, and
    /// that goes along.
    former: Option<(RefName, Oid)>,
}

impl Offered {
    pub(super) fn commit(&self) -> Option<Oid> {
        self.now.or(self.former.as_ref().map(|(_, commit)| *commit))
    }

    /// Returns the changes after which it names `new`, under the present name alone.
    fn moved(self, new: Option<Oid>) -> Vec<RefChange> {
        let former = self.former.map(|(name, commit)| RefChange { name, expected: Some(commit), new: None });
        let present = RefChange { name: self.name, expected: self.now, new };
        former.into_iter().chain([present]).filter(|change| change.expected != change.new).collect()
    }
}

impl Planner<'_> {
    /// Makes the wanted candidate, or keeps, re-makes or carries the one that is open.
    pub(super) fn propose(
        &self,
        wanted: &Wanted<'_>,
        branch: &Branch,
        report: &mut SkillReport,
    ) -> Result<Vec<RefChange>> {
        let mut candidate = self.report_of(wanted, branch)?;
        self.describe(wanted, report)?;
        let offered = self.offered(wanted.id)?.commit();
        let changes = match branch.head {
            None => self.make_anew(wanted, branch, Action::Opened, &mut candidate, report)?,
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
            Some(_) => self.make_anew(wanted, branch, Action::Remade, &mut candidate, report)?,
        };
        report.candidate = Some(candidate);
        if report.notice.is_none() {
            report.notice = self.edits_here(wanted.id, branch)?;
        }
        Ok(changes)
    }

    /// Makes the wanted candidate in the place of whatever stands there: `retry` has looked at that.
    pub(super) fn propose_anew(
        &self,
        wanted: &Wanted<'_>,
        branch: &Branch,
        report: &mut SkillReport,
    ) -> Result<Vec<RefChange>> {
        let mut candidate = self.report_of(wanted, branch)?;
        self.describe(wanted, report)?;
        let changes = self.make_anew(wanted, branch, Action::Opened, &mut candidate, report)?;
        report.candidate = Some(candidate);
        Ok(changes)
    }

    fn report_of(&self, wanted: &Wanted<'_>, branch: &Branch) -> Result<CandidateReport> {
        Ok(CandidateReport {
            branch: branch.name.clone(),
            commit: branch.head,
            action: Action::Kept,
            edited: false,
            conflicts: wanted.made.conflicts.clone(),
            license_change: self.maker.license_change(wanted.ground, wanted.made)?,
        })
    }

    fn describe(&self, wanted: &Wanted<'_>, report: &mut SkillReport) -> Result<()> {
        report.contains = self.contained(wanted)?;
        let base = wanted.ground.upstream().map(|followed| followed.git_tree);
        report.renamed = Renamed::find(self.state, self.maker.store, wanted.id, base, wanted.offer.tree)?;
        Ok(())
    }

    fn contained(&self, wanted: &Wanted<'_>) -> Result<Vec<Contained>> {
        let entry = wanted.ground.entry.as_ref().and_then(|entry| entry.entry.as_ref().ok());
        match entry.filter(|_| matches!(wanted.class, Class::FastForward | Class::ThreeWay)) {
            Some(entry) => self.holder.contained(self.maker.hasher, wanted.id, entry, wanted.offer),
            None => Ok(Vec::new()),
        }
    }

    fn make_anew(
        &self,
        wanted: &Wanted<'_>,
        branch: &Branch,
        action: Action,
        candidate: &mut CandidateReport,
        report: &mut SkillReport,
    ) -> Result<Vec<RefChange>> {
        if let Some(notice) = self.must_not_move(wanted.id, branch)? {
            candidate.action = Action::Left;
            report.notice = Some(notice);
            return Ok(Vec::new());
        }
        candidate.action = action;
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
            let (store, main) = (self.maker.store, &self.registry.branch);
            let catch_up = self.maker.layout.catch_up(store, store.commit(head)?.tree, &branch.name, main);
            let anew = made_anew(self.registry, branch, wanted.id);
            let hint =
                catch_up.unwrap_or_else(|| format!("merge the branch as it is, or have a new one instead: {anew}"));
            return leave("its branch has edits, and what they were made on can no longer be told".into(), hint);
        };
        let agrees = old.skill == wanted.made.skill && old.entry == wanted.made.entry;
        if agrees && base.agrees_with(wanted.ground) && !self.has_former_licenses(head, wanted)? {
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

    /// Tells whether a branch has the licence files of an earlier mirror commit, and upstream has others by now: two candidates
    /// that disagree about them could not both be merged.
    fn has_former_licenses(&self, head: Oid, wanted: &Wanted<'_>) -> Result<bool> {
        let (maker, store) = (self.maker, self.maker.store);
        let here = maker.licenses_in(store.commit(head)?.tree)?;
        if here == maker.wanted_licenses(wanted.id, wanted.ground, wanted.made)? {
            return Ok(false);
        }
        let offered = Ground::at(store, maker.layout, wanted.id, head)?.upstream().map(|offered| offered.mirror);
        for commit in first_parents(store, maker.mirror.head) {
            let commit = commit?;
            if mirror::licenses_at(store, commit)? == here {
                return Ok(true);
            }
            if Some(commit) == offered {
                break;
            }
        }
        Ok(false)
    }

    /// The class wants nothing: an unedited branch is deleted, an edited one left, unless its change is on the default
    /// branch.
    pub(super) fn settle(&self, id: &SkillId, branch: &Branch, report: &mut SkillReport) -> Result<Vec<RefChange>> {
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
                let delete = deleting(self.registry, branch).join(", then: ");
                let hint = format!("merge what is worth keeping, then delete it: {delete}");
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
        self.edits_here(id, branch)
    }

    /// RULES, "diverged: the remote's, and it is said": where people's work is what the remote has not.
    pub(super) fn edits_here(&self, id: &SkillId, branch: &Branch) -> Result<Option<Notice>> {
        let has_edits = self.judge.has_edits_apart(branch, id)?;
        Ok(has_edits.then(|| diverged(self.registry, &branch.name)))
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

    pub(super) fn branch(&self, id: &SkillId) -> Result<Branch> {
        self.branches.get(self.maker.store, &self.registry.names.candidate(&self.source.name, id)?)
    }

    pub(super) fn offered(&self, id: &SkillId) -> Result<Offered> {
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
}
