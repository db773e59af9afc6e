//! What a person is told about a skill: why nothing is proposed, where it may have gone, what has ended.

use super::branches::Branch;
use super::classify::Class;
use super::held::Held;
use super::holds::HoldKind;
use super::missing::way_back;
use super::moved::{ENOUGH, Lost};
use super::plan::Planner;
use super::report::{Notice, ended_pause};
use crate::git::RefName;
use crate::registry::{Entry, Pausable, Registry, View, skill_md_of};
use crate::skill::SKILL_MD;
use crate::types::{RelPath, SkillId, SourceName, TreeHash, shell_word};

impl Planner<'_> {
    /// Returns what to tell about a skill of this class.
    pub(super) fn notice(&self, id: &SkillId, class: Class) -> Option<Notice> {
        match (self.of_class(id, class), self.lost(id, class)) {
            (Some(kept), Some(lost)) => Some(Notice::new(format!("{}; {}", kept.message, lost.message), lost.hint)),
            (notice, lost) => notice.or(lost).or_else(|| self.without_skill_md(id)),
        }
    }

    fn without_skill_md(&self, id: &SkillId) -> Option<Notice> {
        let skill = self.state.skills.get(id)?;
        let base = skill.entry()?.upstream.as_ref()?.git_tree;
        let tree = skill.tree.filter(|tree| *tree != base)?;
        let directory = self.state.layout.skill(id);
        let hint = format!("bring it back from a commit that has it: git checkout <commit> -- {directory}/{SKILL_MD}");
        skill_md_of(self.maker.store, tree)
            .is_ok_and(|found| found.is_none())
            .then(|| Notice::new(format!("{directory} has no {SKILL_MD}, so no agent loads it"), hint))
    }

    fn of_class(&self, id: &SkillId, class: Class) -> Option<Notice> {
        let (directory, source) = (self.state.layout.skill(id), &self.source.name);
        match class {
            Class::Conflicted => Some(Notice::new(
                "the entry on the default branch lists unresolved conflicts, so updates wait",
                format!("resolve them, then: skillgraft candidate resolve {id}"),
            )),
            Class::MissingLocal => Some(Notice::new(
                format!("the entry stands, but {directory} is gone"),
                way_back(self.maker.store, &self.state.layout, self.judge.main.head(), id),
            )),
            Class::Unselected => Some(Notice::new(
                format!("the settings of source `{source}` no longer select it"),
                format!(
                    "select it again in {}, or keep it as the team's own: skillgraft adopt {id}",
                    self.state.layout.source(source)
                ),
            )),
            Class::Removed if self.policy_forbids(class) => {
                Some(Notice::new("it is gone upstream; `removed_skills = \"keep\"` leaves it here", None))
            }
            Class::Disabled
                if self.state.skills.get(id).is_some_and(|skill| skill.is_disabled() && skill.tree.is_some()) =>
            {
                Some(Notice::new(
                    format!("it is disabled, but {directory} stands there, so agents load it"),
                    format!("take it off: skillgraft disable {id} --reason TEXT, or use it: skillgraft enable {id}"),
                ))
            }
            Class::New if self.policy_forbids(class) => {
                Some(Notice::new("it is new upstream; `new_skills = \"ignore\"` leaves it there", None))
            }
            _ => None,
        }
    }

    /// Returns what to tell about a skill that is gone, and may have gone elsewhere.
    fn lost(&self, id: &SkillId, class: Class) -> Option<Notice> {
        let lost = self.moved.lost(id).filter(|_| class == Class::Removed)?;
        let source = &self.source.name;
        let (message, places) = match lost {
            Lost::Unclear(places) => {
                let list: Vec<&str> = places.iter().map(RelPath::as_str).collect();
                let message = format!("it may have moved to {}, but nobody can tell", list.join(" or "));
                (message, places.clone())
            }
            Lost::TooFar(path, percent) => {
                let message = format!(
                    "nearest to it is {path}, which appeared when it went, but has only {percent} % of it; from \
                     {ENOUGH} % on it would be followed"
                );
                (message, vec![path.clone()])
            }
        };
        let commands: Vec<String> =
            places.iter().map(|path| format!("skillgraft link {id} --to {}", link_target(source, path))).collect();
        Some(Notice::new(message, format!("to follow it there: {}", commands.join(", or "))))
    }

    /// Returns what to tell about a pause and a decline that are over.
    pub(super) fn ended(&self, id: &SkillId, entry: &Entry, upstream: Option<TreeHash>) -> Vec<Notice> {
        let name = self.state.pausable_as(Pausable::Skill(id));
        let pause = ended_pause(entry.paused.as_ref(), self.today, &name);
        pause.into_iter().chain(self.ended_decline(id, entry, upstream)).collect()
    }

    /// A decline of the update that upstream offers now; of another one there is nothing to say.
    fn ended_decline(&self, id: &SkillId, entry: &Entry, upstream: Option<TreeHash>) -> Option<Notice> {
        let declined = entry.declined.as_ref()?;
        let until = declined.until.filter(|until| !until.holds_on(self.today))?;
        let offered = upstream.unwrap_or(TreeHash::EMPTY).to_string();
        let hint = format!("decline it again: skillgraft candidate decline {id} --reason TEXT");
        (declined.upstream == offered)
            .then(|| Notice::new(format!("the decline of this update ended on {}", until.0), hint))
    }
}

/// Returns the place that `link --to` takes, as a word for a shell: upstream chose the path.
pub fn link_target(source: &SourceName, path: &RelPath) -> String {
    shell_word(&format!("{source}:{path}"))
}

/// What to tell about a held update. Where the remote counts, a branch that `retry` makes here has to go there too.
pub(super) fn held(id: &SkillId, hold: &Held, view: &View, branch: &RefName) -> Notice {
    let message = match hold.kind {
        HoldKind::Reverted => "held: the team took this very update back",
        HoldKind::Declined => "held: the team declined this update",
        HoldKind::Withdrawn => "held: somebody deleted the branch of this update",
    };
    let words =
        Some(hold.words()).filter(|words| !words.is_empty()).map_or(String::new(), |words| format!(" ({words})"));
    let message = format!("{message}{words}; the next one is proposed again");
    let publish = match view {
        View::Clone => String::new(),
        View::Remote { remote, .. } => format!(", then: {}", push_command(remote, branch)),
    };
    Notice::new(message, format!("to propose it all the same: skillgraft candidate retry {id}{publish}"))
}

/// Returns the command that publishes a branch. A person runs it: `sync --push` publishes no commit that only a clone has.
pub fn push_command(remote: &str, branch: &RefName) -> String {
    format!("git push {remote} {}", branch.short())
}

/// What to tell about a branch with work of people here that the remote's one, which counts, has not.
pub(super) fn diverged(registry: &Registry, branch: &RefName) -> Notice {
    let (name, remote) = (branch.short(), registry.remote.as_deref().unwrap_or("origin"));
    Notice::new(
        format!("{name} has edits here and others on {remote}; what {remote} has counts, and neither is moved"),
        format!(
            "join the two: git checkout {name} && git merge {remote}/{name}, then: {}",
            push_command(remote, branch)
        ),
    )
}

/// Returns the commands that do away with a branch, here and on the remote; none where `retry` does so itself.
pub(super) fn closing(registry: &Registry, branch: &Branch, edited: bool) -> Vec<String> {
    let remote = registry.remote.as_ref().filter(|_| branch.tracking.is_some());
    let published = remote.map(|remote| format!("git push {remote} {}", registry.branch.short()));
    let gone = match (edited, remote) {
        (true, _) => deleting(registry, branch),
        (false, Some(remote)) => vec!["skillgraft sync --push".into(), format!("git fetch --prune {remote}")],
        (false, None) => Vec::new(),
    };
    published.into_iter().chain(gone).collect()
}

/// Returns the commands that delete a branch wherever it is.
pub(super) fn deleting(registry: &Registry, branch: &Branch) -> Vec<String> {
    let name = branch.name.short();
    let (here, remote) = match &registry.view {
        View::Remote { remote, .. } => (false, Some(remote.as_str())),
        View::Clone => (branch.local.is_some(), registry.remote.as_deref().filter(|_| branch.tracking.is_some())),
    };
    let there = remote.map(|it| [format!("git push {it} --delete {name}"), format!("git fetch --prune {it}")]);
    there.into_iter().flatten().chain(here.then(|| format!("git branch -D {name}"))).collect()
}

/// Returns the commands that put a new candidate in the place of a branch: who deletes it withdraws its update.
pub(super) fn made_anew(registry: &Registry, branch: &Branch, id: &SkillId) -> String {
    let mut commands = deleting(registry, branch);
    commands.push(format!("skillgraft candidate retry {id}"));
    if let View::Remote { remote, .. } = &registry.view {
        commands.push(push_command(remote, &branch.name));
    }
    commands.join(", then: ")
}

/// What to tell about a branch that only has a candidate's name.
pub(super) fn foreign(branch: &RefName) -> Notice {
    let name = branch.short();
    Notice::new(
        format!("{name} is somebody's own branch, not a candidate, so it was left alone"),
        format!("give it another name, and the update gets its branch: git branch -m {name} NEW-NAME"),
    )
}
