//! `candidate decline` and `candidate retry`: what the team does not want, and what it wants after all.

use super::{Commit, Outside, candidate};
use crate::git::{Changes, Mode, Place, RefChange, with_changes};
use crate::registry::{Changed, Day, Destination, Person, Registry, State, entry, source_file};
use crate::sync::report::SkillReport;
use crate::sync::{self, Branches, Class, Review, Reviewer};
use crate::types::{Context as _, Error, ErrorKind, Result, SkillId, SourceName};
use jiff::civil::Date;
use serde::Serialize;

/// What `decline` is to do.
#[derive(Debug, Clone)]
pub struct Options {
    /// A branch or a skill.
    pub id: String,
    /// Why.
    pub reason: String,
    /// Never propose this skill again: its path is excluded in the source.
    pub always: bool,
    /// The last day on which this holds.
    pub until: Option<Date>,
    /// How it is committed.
    pub commit: Commit,
}

/// What `decline` did.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The format of this document.
    pub format: u32,
    /// The skill.
    pub skill: SkillId,
    /// The commit.
    #[serde(flatten)]
    pub changed: Changed,
    /// Whether the skill's path was excluded in its source.
    pub excluded: bool,
    /// The source.
    pub source: SourceName,
    /// What the declined update was.
    pub class: Class,
    /// Its upstream commit; none for a plain folder.
    pub revision: Option<String>,
    /// The last day on which this holds, where one was given.
    pub until: Option<String>,
    /// The branch that stays, because people have edited it.
    pub branch_left: Option<String>,
    /// The commands that do away with that branch.
    pub delete: Vec<String>,
}

/// Declines the update that a candidate proposes: recorded with its content's hash, so that it ends when upstream
/// moves on. A skill that is new is excluded in its source, because it has no entry to record anything in.
pub fn decline(outside: &Outside, options: &Options) -> Result<Report> {
    if let Some(until) = options.until.filter(|until| *until < outside.today) {
        return Err(Error::new(ErrorKind::Usage, format!("--until {until} is over already"))
            .hint("name today or a later day: it is the last one on which this holds"));
    }
    let (registry, _lock) = outside.locked_registry()?;
    let state = registry.state()?;
    let branches = Branches::load(&registry)?;
    let (source, skill) = candidate::find(&registry, &branches, &options.id)?;
    let review = Reviewer::new(&registry, &state, &branches, outside.today)?.review(&source, &skill)?;
    let excluded = options.always || review.class == Class::New;
    if review.class == Class::New && options.until.is_some() {
        return Err(Error::new(
            ErrorKind::Usage,
            format!("`{skill}` is new: declining it excludes it, and that does not end by itself"),
        )
        .hint("leave --until away, or set `new_skills = \"ignore\"` in the source"));
    }
    if review.class == Class::AlreadyApplied {
        return Err(Error::new(
            ErrorKind::Usage,
            format!("there is nothing to decline: `{skill}` is what upstream has already"),
        )
        .hint(format!("record that upstream has it too: skillgraft candidate accept {skill}")));
    }
    let person = Person::ask(&outside.git, &registry.repository)?;
    let changes = if excluded {
        exclude(&registry, &state, &review)?
    } else {
        let declined = entry::Declined {
            upstream: review.upstream.to_string(),
            reason: Some(options.reason.clone()),
            by: Some(person.name().to_owned()),
            until: options.until.map(Day),
        };
        record(&registry, &state, &skill, &declined)?
    };
    let message =
        format!("Decline {skill} from {source}\n\n{}\n\nUpdate: {}\n", options.reason.trim(), review.upstream);
    let tree = with_changes(&registry.repository.store, state.tree, &changes)?;
    let change = options.commit.change(&registry, outside, "decline");
    let changed = change.commit(&person, tree, &options.commit.message(&message))?;
    if options.commit.destination == Destination::DefaultBranch && !review.edited {
        close(outside, &registry, &branches, &review, "skillgraft: decline")?;
    }
    let (class, revision, until) = (review.class, review.revision, options.until.map(|day| day.to_string()));
    let delete = if review.edited { review.closing } else { Vec::new() };
    let branch_left = review.edited.then_some(review.branch);
    Ok(Report { format: 1, skill, changed, excluded, source, class, revision, until, branch_left, delete })
}

fn record(registry: &Registry, state: &State, skill: &SkillId, declined: &entry::Declined) -> Result<Changes> {
    let store = &registry.repository.store;
    let standing = state.skills.get(skill).and_then(|skill| skill.entry.as_ref());
    let standing = standing
        .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("`{skill}` has no entry on the default branch")))?;
    let text = entry::with_declined(&standing.text, Some(declined))?;
    let place = Place { mode: Mode::File, id: store.write_blob(text.as_bytes())? };
    Ok(Changes::from([(state.layout.entry(skill), Some(place))]))
}

fn exclude(registry: &Registry, state: &State, review: &Review) -> Result<Changes> {
    let store = &registry.repository.store;
    let source = state.sources.get(&review.source);
    let source =
        source.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("source `{}` has no file", review.source)))?;
    let text = source_file::edit::with_excluded(&source.text, &review.path)?;
    let place = Place { mode: Mode::File, id: store.write_blob(text.as_bytes())? };
    Ok(Changes::from([(state.layout.source(&review.source), Some(place))]))
}

/// Deletes a branch that nothing asks for any more. One that is checked out, or that is not what was reviewed, stays
/// until the next sync.
pub(super) fn close(
    outside: &Outside,
    registry: &Registry,
    branches: &Branches,
    review: &Review,
    why: &str,
) -> Result<()> {
    let name = registry.names.candidate(&review.source, &review.skill)?;
    let branch = branches.get(&registry.repository.store, &name)?;
    if branch.checked_out || branch.local != Some(review.commit) {
        return Ok(());
    }
    let offered = registry.names.offered(&review.source, &review.skill)?;
    let superseded = registry.names.superseded(&review.source, &review.skill)?;
    let mut changes = vec![
        RefChange { name, expected: branch.local, new: None },
        RefChange { expected: branches.own(&superseded), name: superseded, new: branch.local },
    ];
    let expected = branches.own(&offered);
    changes.extend(expected.map(|_| RefChange { name: offered, expected, new: None }));
    changes.retain(|change| change.expected != change.new);
    let identity = super::identity(outside);
    registry.repository.refs.apply(&changes, why, &identity)
}

/// What `retry` did.
#[derive(Debug, Serialize)]
pub struct Retried {
    /// The format of this document.
    pub format: u32,
    /// The skill, as a sync reports it.
    #[serde(flatten)]
    pub skill: SkillReport,
    /// The command that publishes the branch; none where there is no remote.
    pub publish: Option<String>,
}

/// Proposes an update again that is held back. `id` is a skill.
pub fn retry(outside: &Outside, id: &str) -> Result<Retried> {
    let (registry, _lock) = outside.locked_registry()?;
    let id = match registry.names.parse_candidate(&format!("refs/heads/{}", id.trim_start_matches("refs/heads/"))) {
        Some((_, skill)) => skill,
        None => SkillId::parse(id).context(ErrorKind::Usage, || "name the skill")?,
    };
    let quiet = |_: &str| {};
    let skill = sync::retry(&registry, &outside.offline(&quiet), &id)?;
    let branch = skill.candidate.as_ref().map(|candidate| &candidate.branch);
    let publish = registry.remote.as_ref().zip(branch).map(|(remote, branch)| sync::push_command(remote, branch));
    Ok(Retried { format: 1, skill, publish })
}
