//! What a person is told about a skill: why nothing is proposed, where it may have gone, what has ended.

use super::classify::Class;
use super::held::Held;
use super::holds::HoldKind;
use super::missing::way_back;
use super::moved::{ENOUGH, Lost};
use super::plan::Planner;
use super::report::{Notice, ended_pause};
use crate::git::RefName;
use crate::registry::{Entry, Pausable};
use crate::types::{RelPath, SkillId, TreeHash};

impl Planner<'_> {
    /// Returns what to tell about a skill of this class.
    pub(super) fn notice(&self, id: &SkillId, class: Class) -> Option<Notice> {
        match (self.of_class(id, class), self.lost(id, class)) {
            (Some(kept), Some(lost)) => Some(Notice::new(format!("{}; {}", kept.message, lost.message), lost.hint)),
            (notice, lost) => notice.or(lost),
        }
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
            places.iter().map(|path| format!("skillgraft link {id} --to {source}:{path}")).collect();
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

/// What to tell about a held update.
pub(super) fn held(id: &SkillId, hold: &Held) -> Notice {
    let message = match hold.kind {
        HoldKind::Reverted => "held: the team took this very update back",
        HoldKind::Declined => "held: the team declined this update",
        HoldKind::Withdrawn => "held: somebody deleted the branch of this update",
    };
    let words =
        Some(hold.words()).filter(|words| !words.is_empty()).map_or(String::new(), |words| format!(" ({words})"));
    let message = format!("{message}{words}; the next one is proposed again");
    Notice::new(message, format!("to propose it all the same: skillgraft candidate retry {id}"))
}

/// What to tell about a branch that only has a candidate's name.
pub(super) fn foreign(branch: &RefName) -> Notice {
    let name = branch.short();
    Notice::new(
        format!("{name} is somebody's own branch, not a candidate, so it was left alone"),
        format!("give it another name, and the update gets its branch: git branch -m {name} NEW-NAME"),
    )
}
