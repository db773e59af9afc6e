//! `candidate accept`: merges candidates into the default branch, one merge commit each, the checkout moved once.

use super::{Commit, Outside, candidate};
use crate::git::{History, Oid, RefChange};
use crate::registry::{Destination, Pausable, Person, Registry, State, Status};
use crate::sync::merge::merge_trees;
use crate::sync::{Branches, CandidateState, Class, Ground, Review, Reviewer};
use crate::types::{Error, ErrorKind, Result};
use serde::Serialize;

/// What `accept` did.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The format of this document.
    pub format: u32,
    /// The branch that the commits are on.
    pub branch: String,
    /// The candidates, in the order in which they were merged.
    pub accepted: Vec<Accepted>,
}

/// A candidate that was merged.
#[derive(Debug, Serialize)]
pub struct Accepted {
    /// The skill.
    pub skill: String,
    /// The candidate's branch.
    pub candidate: String,
    /// The merge commit.
    pub commit: Oid,
}

/// Merges candidates. All of them, or none.
///
/// # Errors
/// [`ErrorKind::Conflict`] where a conflict is unresolved, or the default branch has moved under a candidate.
pub fn accept(outside: &Outside, ids: &[String], commit: &Commit) -> Result<Report> {
    let (registry, _lock) = outside.locked_registry()?;
    let state = registry.state()?;
    let branches = Branches::load(&registry)?;
    let reviewer = Reviewer::new(&registry, &state, &branches, outside.today)?;
    let mut reviews: Vec<Review> = Vec::new();
    for id in ids {
        let (source, skill) = candidate::find(&registry, &branches, id)?;
        if !reviews.iter().any(|review| review.source == source && review.skill == skill) {
            let review = reviewer.review(&source, &skill)?;
            refuse_what_is_not_ready(outside, &registry, &state, &review)?;
            reviews.push(review);
        }
    }
    let person = Person::ask(&outside.git, &registry.repository)?;
    let change = commit.change(&registry, outside, "accept");
    let (mut head, mut accepted) = (registry.head, Vec::new());
    for review in &reviews {
        let tree = merge(&registry, head, review)?;
        let message = commit
            .message(&format!("Accept {} from {}\n\nMerges branch {}.\n", review.skill, review.source, review.branch));
        head = change.build(&person, tree, vec![head, review.commit], &message)?;
        accepted.push(Accepted { skill: review.skill.to_string(), candidate: review.branch.clone(), commit: head });
    }
    let changed = change.publish(&person, head)?;
    if commit.destination == Destination::DefaultBranch {
        delete_accepted(outside, &registry, &branches, &reviews);
    }
    Ok(Report { format: 1, branch: changed.branch.short().to_owned(), accepted })
}

fn refuse_what_is_not_ready(outside: &Outside, registry: &Registry, state: &State, review: &Review) -> Result<()> {
    let id = &review.skill;
    if let Some(notice) = &review.diverged {
        let hint = notice.hint.clone().unwrap_or_default();
        return Err(Error::new(ErrorKind::Conflict, notice.message.clone())
            .hint(format!("{hint}, git checkout {}, skillgraft candidate accept {id}", registry.branch.short())));
    }
    if matches!(review.state, CandidateState::Reverted | CandidateState::Declined) {
        let (why, first) = what_comes_first(outside, state, review);
        return Err(Error::new(ErrorKind::Conflict, why).hint(first));
    }
    if !review.conflicts.is_empty() {
        let paths: Vec<_> = review
            .conflicts
            .iter()
            .map(|c| format!("{} ({})", crate::types::escape(&c.path), c.kind.as_str()))
            .collect();
        return Err(Error::new(
            ErrorKind::Conflict,
            format!("the candidate of `{id}` has unresolved conflicts: {}", paths.join(", ")),
        )
        .hint(format!("edit the files on {}, commit, and run: skillgraft candidate resolve {id}", review.branch)));
    }
    let store = &registry.repository.store;
    let main = History::of(store, registry.head)?;
    if main.contains(review.commit)? {
        return Err(Error::new(
            ErrorKind::Conflict,
            format!("the candidate of `{id}` is on the default branch already"),
        )
        .hint("clean up its branch: skillgraft sync"));
    }
    // A candidate says what becomes of one state of the skill. On another state a textual merge could move the entry
    // without the content.
    let now = Ground::at(store, &state.layout, id, registry.head)?;
    let agrees = match main.merge_base(review.commit)? {
        Some(base) => Ground::at(store, &state.layout, id, base)?.agrees_with(&now),
        None => false,
    };
    if agrees {
        return Ok(());
    }
    let (why, first) = what_comes_first(outside, state, review);
    Err(Error::new(ErrorKind::Conflict, why).hint(first))
}

/// Returns why a candidate cannot be accepted although it has no conflicts, and what to do first. A sync alone helps only
/// where sync looks at the skill.
fn what_comes_first(outside: &Outside, state: &State, review: &Review) -> (String, String) {
    let (id, source) = (&review.skill, &review.source);
    let file = state.sources.get(source).and_then(|source| source.file.as_ref().ok());
    let status = state.skills.get(id).and_then(|skill| skill.entry()).map(|entry| entry.status);
    match (review.class, review.held.as_ref()) {
        (Class::Disabled, _) if status == Some(Status::Declined) => (
            format!("the entry of `{id}` says that it is declined"),
            format!("set status = \"active\" in {}, commit, and run: skillgraft sync {source}", state.layout.entry(id)),
        ),
        (Class::Disabled, _) => (
            format!("`{id}` is disabled"),
            format!("enable it first: skillgraft enable {id}, then: skillgraft sync {source}"),
        ),
        (Class::Paused, _) => {
            let name = state.pausable_as(Pausable::Skill(id));
            (format!("`{id}` is paused"), format!("resume it first: skillgraft resume {name}"))
        }
        (Class::Conflicted, _) => (
            format!("the entry of `{id}` on the default branch lists conflicts"),
            format!("resolve them, then: skillgraft candidate resolve {id}"),
        ),
        (Class::Unselected, _) => (
            format!("the settings of source `{source}` do not select `{id}`"),
            format!("select it again first, in {}, then: skillgraft sync {source}", state.layout.source(source)),
        ),
        (_, Some(held)) => {
            let mut commands = review.closing.clone();
            commands.push(format!("skillgraft candidate retry {id}"));
            (
                format!("the update of `{id}` was {}", held.kind.as_str()),
                format!("to propose it again: {}", commands.join(", then: ")),
            )
        }
        _ if file.is_some_and(|file| !file.enabled) => (
            format!("`{id}` has changed since its candidate was made, and source `{source}` is disabled"),
            format!("enable it first: skillgraft source enable {source}"),
        ),
        _ if file.is_some_and(|file| file.paused_on(outside.today)) => (
            format!("`{id}` has changed since its candidate was made, and source `{source}` is paused"),
            format!("resume it first: skillgraft resume {}", state.pausable_as(Pausable::Source(source))),
        ),
        _ => (
            format!("`{id}` has changed on the default branch since its candidate was made"),
            format!("bring the candidate in step first: skillgraft sync {source}"),
        ),
    }
}

fn merge(registry: &Registry, head: Oid, review: &Review) -> Result<Oid> {
    let store = &registry.repository.store;
    let base = History::of(store, registry.head)?.merge_base(review.commit)?;
    let base = base.map(|base| store.commit(base)).transpose()?.map_or(store.empty_tree(), |commit| commit.tree);
    let merged = merge_trees(store, base, store.commit(head)?.tree, store.commit(review.commit)?.tree)?;
    if merged.conflicts.is_empty() {
        return Ok(merged.tree);
    }
    let paths: Vec<_> =
        merged.conflicts.iter().map(|conflict| crate::types::escape(&conflict.path.to_string())).collect();
    Err(Error::new(
        ErrorKind::Conflict,
        format!("{} conflicts with the default branch in {}", review.branch, paths.join(", ")),
    )
    .hint(format!("bring the candidate in step first: skillgraft sync {}", review.source)))
}

/// What is merged has no branch any more. A branch that is checked out stays; the next sync tells.
fn delete_accepted(outside: &Outside, registry: &Registry, branches: &Branches, reviews: &[Review]) {
    let identity = super::identity(outside);
    let gone = |review: &Review| -> Result<Vec<RefChange>> {
        let branch =
            branches.get(&registry.repository.store, &registry.names.candidate(&review.source, &review.skill)?)?;
        if branch.checked_out || branch.local != Some(review.commit) {
            return Ok(Vec::new());
        }
        let offered = registry.names.offered(&review.source, &review.skill)?;
        let mut changes = vec![RefChange { name: branch.name, expected: branch.local, new: None }];
        let expected = branches.own(&offered);
        changes.extend(expected.map(|_| RefChange { name: offered, expected, new: None }));
        Ok(changes)
    };
    let delete = |changes: &[RefChange]| registry.repository.refs.apply(changes, "skillgraft: accepted", &identity);
    // The merges stand whatever becomes of the branches; the next sync deletes them.
    let changes: Vec<Vec<RefChange>> = reviews.iter().filter_map(|review| gone(review).ok()).collect();
    // Together, because each time git's file of all refs is written anew; one that moved meanwhile stays alone.
    if delete(&changes.concat()).is_err() {
        changes.iter().for_each(|changes| drop(delete(changes)));
    }
}
