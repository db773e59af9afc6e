//! Decides about one skill: its class, whether a hold or the policy keeps its update back, and what to propose. Writes
//! objects, moves nothing.

use super::branches::{Branch, Branches};
use super::candidate::{Ground, Maker, Offer, unknown_base};
use super::classify::{Class, Facts, classify};
use super::holds::{Hold, Holder};
use super::mirror::{oldest_of_newest_run, upstream_at};
use super::moved::Moved;
use super::notices::{closing, foreign, held, push_command};
use super::reconcile::Wanted;
use super::report::{ErrorReport, Notice, SkillReport};
use super::verdict::Judge;
use crate::git::{Oid, RefChange};
use crate::registry::{Entry, NewSkills, Registry, RemovedSkills, SkillState, SourceFile, State, Status};
use crate::types::{Error, ErrorKind, RelPath, Result, SkillId, TreeHash};
use jiff::civil::Date;

/// What is to happen to one skill.
pub struct Plan {
    /// What to tell.
    pub report: SkillReport,
    /// What to move.
    pub changes: Vec<RefChange>,
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
        if !class.wants_candidate() || class == Class::New && upstream.is_none() {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("nothing is held back of `{id}`: it is {}", class.as_str()),
            ));
        }
        let (ground, offer) = self.ground_and_offer(path, existing, upstream, &report)?;
        let branch = self.branch(id)?;
        self.refuse_what_is_open(id, &branch, existing.map(|(_, entry)| entry), &offer)?;
        report.plugin = self.maker.plugin_move(&ground, &offer)?;
        let made = self.maker.make(&ground, &offer)?;
        let wanted = Wanted { id, class, ground: &ground, offer: &offer, made: &made };
        let changes = self.propose_anew(&wanted, &branch, &mut report)?;
        Ok((report, changes))
    }

    /// A branch that offers what is held, and that nobody asked for, is not open: an unedited one that only this clone
    /// has gives way. What was merged, and perhaps taken back, is not open either.
    fn refuse_what_is_open(&self, id: &SkillId, branch: &Branch, entry: Option<&Entry>, offer: &Offer) -> Result<()> {
        let Some(head) = branch.head else { return Ok(()) };
        if self.judge.main.contains(head)? {
            return Ok(());
        }
        let refused = |message: String, hint: String| Err(Error::new(ErrorKind::Usage, message).hint(hint));
        let hold = self.holder.hold(id, entry, offer, None)?;
        let held = hold.map(|hold| Ok((hold.kind, self.judge.is_asked_for(head, id, offer, &hold.rests_on)?)));
        match held.transpose()? {
            Some((_, false)) if self.judge.is_foreign(head, id, self.offered(id)?.commit())? => {
                let Notice { message, hint } = foreign(&branch.name);
                refused(message, hint.unwrap_or_default())
            }
            Some((kind, false)) => {
                let edited = self.judge.is_edited(head, id, None)?;
                let mut commands = closing(self.registry, branch, edited);
                if branch.checked_out {
                    commands.insert(0, format!("git checkout {}", self.registry.branch.short()));
                }
                if commands.is_empty() {
                    return Ok(());
                }
                commands.push(format!("skillgraft candidate retry {id}"));
                let (what, first) = match edited {
                    true => (", with edits of people", "keep what is worth keeping, then "),
                    false => ("", ""),
                };
                let message = format!(
                    "{} stands still{what}; the update that it offers is {}",
                    branch.name.short(),
                    kind.as_str()
                );
                refused(message, format!("{first}run one after the other: {}", commands.join(", ")))
            }
            _ => match &self.registry.remote {
                Some(remote) if branch.local == branch.head && branch.local != branch.tracking => refused(
                    format!("`{id}` has an open candidate already, here and not on {remote}"),
                    format!("publish it: {}", push_command(remote, &branch.name)),
                ),
                _ => refused(
                    format!("`{id}` has an open candidate already"),
                    format!("see it: skillgraft candidate show {id}"),
                ),
            },
        }
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
        report.pause = existing.and_then(|(_, entry)| entry.paused.clone()).filter(|_| class == Class::Paused);
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
            let known = self.holder.why(&hold, existing.map(|(_, entry)| entry), &offer.accepted.to_string())?;
            report.hold = Some(hold.kind);
            report.notice = Some(held(id, &known, &self.registry.view, &branch.name));
            report.held = Some(known);
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
        held: None,
        pause: None,
        contains: Vec::new(),
        notice: None,
        ended: Vec::new(),
        error: None,
    }
}
