//! What a sync did, as one document: the table and the JSON are made of it (DESIGN, section 5).

use super::classify::Class;
use super::contained::Contained;
use super::held::Held;
use super::holds::HoldKind;
use super::renamed::Renamed;
use crate::git::{Oid, RefName};
use crate::registry::Paused;
use crate::registry::{Conflict, Uncommitted};
use crate::source::Remark;
use crate::source::plugin::Plugin;
use crate::types::{Error, ErrorKind, SourceName, TreeHash};
use jiff::civil::Date;
use serde::Serialize;

/// What a sync did.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The format of this document.
    pub format: u32,
    /// The default branch.
    pub branch: String,
    /// Its head, which everything was computed from.
    pub head: Oid,
    /// The sources, by name.
    pub sources: Vec<SourceReport>,
    /// How many candidates met which fate.
    pub candidates: Counts,
    /// The versions that were tagged.
    pub versions: Vec<VersionReport>,
    /// Versions whose tag could not be made.
    pub untagged: Vec<ErrorReport>,
    /// Settings and source files of the work tree that are not committed as they stand, so that this run has not read them.
    pub uncommitted: Vec<Uncommitted>,
    /// What went to the remote; none where nothing was to be pushed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pushed: Option<PushReport>,
}

/// What went to the remote.
#[derive(Debug, Serialize)]
pub struct PushReport {
    /// The remote.
    pub remote: String,
    /// How many refs were moved there.
    pub refs: usize,
    /// The command after which this clone sees them.
    pub fetch: String,
}

/// How many candidates met which fate.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// New branches.
    pub opened: usize,
    /// Branches that were still right.
    pub kept: usize,
    /// Branches that nobody had edited and that were made again.
    pub remade: usize,
    /// Branches whose edits were applied to the new candidate.
    pub carried: usize,
    /// Branches that were deleted.
    pub closed: usize,
}

/// A version that was tagged.
#[derive(Debug, Serialize)]
pub struct VersionReport {
    /// The skill.
    pub skill: String,
    /// The number.
    pub version: u64,
    /// The tag.
    pub tag: String,
    /// The commit that brought it.
    pub commit: Oid,
}

/// What happened to one source.
#[derive(Debug, Serialize)]
pub struct SourceReport {
    /// Its name.
    pub name: SourceName,
    /// The kind of its origin.
    pub kind: Option<&'static str>,
    /// How it ended.
    pub outcome: Outcome,
    /// The upstream commit that was looked at.
    pub revision: Option<String>,
    /// The mirror's head.
    pub mirror: Option<Oid>,
    /// What failed.
    pub error: Option<ErrorReport>,
    /// The plugins that its skills belong to, as the mirror's head says.
    pub plugins: Vec<Plugin>,
    /// Who paused it, where it is paused, why, and until when.
    pub pause: Option<Paused>,
    /// Its skills, by id.
    pub skills: Vec<SkillReport>,
    /// Skills that were not taken.
    pub rejected: Vec<Remark>,
    /// What is odd about skills that were taken.
    pub warnings: Vec<Remark>,
    /// A pause of it that is over: it holds nothing back any more, but stands in the file still.
    pub ended: Vec<Notice>,
}

/// How a source ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Something changed.
    Synced,
    /// Nothing changed.
    Unchanged,
    /// A person has paused it.
    Paused,
    /// Its file says `enabled = false`.
    Disabled,
    /// Skills follow it, but it has no file.
    Missing,
    /// Its file was removed and nothing follows it; what this clone has of it is tidied away.
    Removed,
    /// It failed; nothing of it was touched.
    Failed,
}

impl Outcome {
    /// Returns the name, as JSON writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Synced => "synced",
            Outcome::Unchanged => "unchanged",
            Outcome::Paused => "paused",
            Outcome::Disabled => "disabled",
            Outcome::Missing => "missing",
            Outcome::Removed => "removed",
            Outcome::Failed => "failed",
        }
    }
}

/// An error in a report.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorReport {
    /// The kind, for scripts.
    pub kind: ErrorKind,
    /// The sentence with its causes.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl From<&Error> for ErrorReport {
    fn from(error: &Error) -> Self {
        ErrorReport {
            kind: error.kind(),
            message: crate::types::escape(&crate::git::redact(&error.full_message())),
            hint: error.hint_text().map(crate::git::redact),
        }
    }
}

/// What happened to one skill.
#[derive(Debug, Serialize)]
pub struct SkillReport {
    /// Its id.
    pub id: String,
    /// Its upstream path.
    pub path: String,
    /// The path that its entry names, where upstream moved it.
    pub moved_from: Option<String>,
    /// Another name that upstream gives it now, where an update is proposed.
    pub renamed: Option<Renamed>,
    /// Its class; none where it failed before it could be classified.
    pub class: Option<Class>,
    /// The merge base.
    pub base: Option<TreeHash>,
    /// The skill on the default branch.
    pub local: Option<TreeHash>,
    /// The skill upstream.
    pub upstream: Option<TreeHash>,
    /// The plugin that it belongs to, and how an update moves it.
    pub plugin: Option<PluginMove>,
    /// Its candidate.
    pub candidate: Option<CandidateReport>,
    /// Why its update is held back.
    pub hold: Option<HoldKind>,
    /// Who holds it back, why, and until when.
    pub held: Option<Held>,
    /// Who paused the skill, where it is paused, why, and until when.
    pub pause: Option<Paused>,
    /// Updates that the team reverted or declined, and that the proposed one contains.
    pub contains: Vec<Contained>,
    /// What a person should know or do.
    pub notice: Option<Notice>,
    /// A pause or a decline of it that is over: it holds nothing back any more, but stands in the entry still.
    pub ended: Vec<Notice>,
    /// What failed.
    pub error: Option<ErrorReport>,
}

/// The plugin that a skill belongs to, and its versions before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PluginMove {
    /// Its name.
    pub name: String,
    /// Its version when the skill was last reconciled, where stated.
    pub from: Option<String>,
    /// Its version as offered, where stated.
    pub to: Option<String>,
}

impl std::fmt::Display for PluginMove {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)?;
        match (&self.from, &self.to) {
            (Some(from), Some(to)) if from != to => write!(f, " {from} -> {to}"),
            (_, Some(to)) => write!(f, " {to}"),
            (_, None) => Ok(()),
        }
    }
}

/// Something that a person should know or do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// The sentence.
    pub message: String,
    /// The commands that settle it.
    pub hint: Option<String>,
}

impl Notice {
    /// Returns a notice.
    pub fn new(message: impl Into<String>, hint: impl Into<Option<String>>) -> Self {
        Notice { message: message.into(), hint: hint.into() }
    }
}

/// Returns what to tell about a pause that ended before the day `today`; `name` is what `resume` calls it.
pub fn ended_pause(paused: Option<&Paused>, today: Date, name: &str) -> Option<Notice> {
    let until = paused.filter(|paused| !paused.holds_on(today))?.until?;
    let hint = format!("remove its note: skillgraft resume {name}");
    Some(Notice::new(format!("its pause ended on {}", until.0), hint))
}

/// A skill's candidate.
#[derive(Debug, Clone, Serialize)]
pub struct CandidateReport {
    /// Its branch.
    #[serde(serialize_with = "short")]
    pub branch: RefName,
    /// Its head; none where the branch was deleted.
    pub commit: Option<Oid>,
    /// What was done.
    pub action: Action,
    /// Whether people have edited it.
    pub edited: bool,
    /// What it leaves for a person to decide.
    pub conflicts: Vec<Conflict>,
    /// Another licence than the base had.
    pub license_change: Option<LicenseChange>,
}

/// Another licence than the base had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LicenseChange {
    /// What it was; none where nothing was stated or known.
    pub before: Option<String>,
    /// What it is; none where nothing is stated or known.
    pub after: Option<String>,
}

fn short<S: serde::Serializer>(name: &RefName, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(name.short())
}

/// What was done with a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The branch is new.
    Opened,
    /// It was still right.
    Kept,
    /// Nobody had edited it, and it was made again.
    Remade,
    /// Its edits were applied to the new candidate.
    Carried,
    /// The update is held back.
    Held,
    /// The branch was deleted: nothing is left to propose.
    Closed,
    /// The branch was left alone, although it is not what sync would make now; the notice says why.
    Left,
}

impl Action {
    /// Returns the name, as JSON writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Opened => "opened",
            Action::Kept => "kept",
            Action::Remade => "remade",
            Action::Carried => "carried",
            Action::Held => "held",
            Action::Closed => "closed",
            Action::Left => "left",
        }
    }
}

impl Report {
    /// Tells whether a source or a skill failed.
    pub fn failed(&self) -> bool {
        let skill_failed = |source: &SourceReport| {
            source.skills.iter().any(|skill| skill.error.is_some()) || source.rejected.iter().any(Remark::is_failure)
        };
        !self.untagged.is_empty() || self.sources.iter().any(|source| source.error.is_some() || skill_failed(source))
    }

    /// Tells whether something awaits a person: an open candidate or a notice.
    pub fn awaits_decision(&self) -> bool {
        let open = |candidate: &CandidateReport| !matches!(candidate.action, Action::Closed | Action::Held);
        // A held update was decided already.
        let awaits = |skill: &SkillReport| {
            skill.notice.is_some() && skill.hold.is_none() || skill.candidate.as_ref().is_some_and(open)
        };
        self.sources.iter().flat_map(|source| &source.skills).any(awaits)
    }
}
