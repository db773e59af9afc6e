//! What `enable` brings back: the content that a skill had last, with what came to its directory while it was disabled.
//!
//! A candidate that is merged while its skill is disabled moves the entry, and of the content only files that nobody had
//! deleted. So the content is the one before `disable`, and where the entry has moved since, the update is applied to
//! it: base and content move together. An update that conflicts with it is left out, and the entry goes back.

use crate::git::{Oid, Store, first_parents};
use crate::registry::{EntryState, Registry, State, Status, Upstream, entry, read_entry, skill_md_of, skill_then};
use crate::sync::merge::{merge_skill, merge_trees};
use crate::types::{Error, ErrorKind, Result, SkillId, TreeHash, escape};

/// What comes back.
pub(super) struct Back {
    /// The skill's tree.
    pub tree: Oid,
    /// The text of its entry, as active.
    pub entry: String,
    /// An update that was merged meanwhile conflicts with the content, so content and entry are without it.
    pub left_out: bool,
}

/// What stood at a skill's place before it was disabled.
struct Last {
    tree: Oid,
    entry: Option<EntryState>,
    /// What stood there in the commit after: nothing, where a command disabled it.
    left: Option<Oid>,
}

/// Returns what `enable` puts on the default branch.
///
/// # Errors
/// [`ErrorKind::NotFound`] where no commit has content; [`ErrorKind::Conflict`] where files stand in the way.
pub(super) fn bring_back(registry: &Registry, state: &State, id: &SkillId) -> Result<Back> {
    let store = &registry.repository.store;
    let skill = state.skills.get(id).expect("the caller has looked it up");
    let text = skill.entry.as_ref().map_or("format = 1\n", |entry| entry.text.as_str());
    let last = last(registry, state, id)?;
    let (tree, record) = updated(store, &last, skill.entry().and_then(|entry| entry.upstream.as_ref()))?;
    let text = match record {
        Some(record) => entry::render(Some(text), record, &[])?,
        None => text.to_owned(),
    };
    let tree = with_what_stands(registry, state, id, tree, &last, skill.tree)?;
    Ok(Back { tree, entry: entry::with_status(Some(&text), "active")?, left_out: record.is_some() })
}

/// The last first-parent commit in which the skill was in use; where there is none, the last one with its content.
fn last(registry: &Registry, state: &State, id: &SkillId) -> Result<Last> {
    let store = &registry.repository.store;
    let (mut after, mut unused) = (None, None);
    for commit in first_parents(store, registry.head) {
        let (tree, blob) = skill_then(store, commit?, &state.layout, id)?;
        if let Some(full) = tree
            && skill_md_of(store, full)?.is_some()
        {
            let entry = blob.map(|blob| read_entry(store, state.layout.entry(id).as_str(), blob)).transpose()?;
            let is_disabled = |entry: &EntryState| entry.entry.as_ref().is_ok_and(|e| e.status == Status::Disabled);
            let is_off = entry.as_ref().is_some_and(is_disabled);
            let last = Last { tree: full, entry, left: after };
            if !is_off {
                return Ok(last);
            }
            unused.get_or_insert(last);
        }
        after = tree;
    }
    unused.ok_or_else(|| {
        Error::new(ErrorKind::NotFound, format!("no commit of {} has content of `{id}`", registry.branch.short())).hint(format!(
            "if it was renamed while it was disabled, give {} its former name again (git mv), enable it under that, and rename both then",
            state.layout.entry(id)
        ))
    })
}

/// Returns the content with the update that the entry has recorded since; where it conflicts, the content without it and
/// the record to go back to.
fn updated<'l>(store: &Store, last: &'l Last, now: Option<&Upstream>) -> Result<(Oid, Option<&'l Upstream>)> {
    let then = last.entry.as_ref().and_then(|state| state.entry.as_ref().ok()?.upstream.as_ref());
    let (Some(then), Some(now)) = (then, now) else { return Ok((last.tree, None)) };
    // Another source was linked since, with a base of its own.
    if then.accepted == now.accepted || then.source != now.source {
        return Ok((last.tree, None));
    }
    let is_removal = [then, now].iter().any(|upstream| upstream.accepted == TreeHash::EMPTY);
    if !is_removal && store.contains(then.git_tree) && store.contains(now.git_tree) {
        let merged = merge_skill(store, then.git_tree, last.tree, now.git_tree)?;
        if merged.conflicts.is_empty() && skill_md_of(store, merged.tree)?.is_some() {
            return Ok((merged.tree, None));
        }
    }
    Ok((last.tree, Some(then)))
}

/// Adds what came to the directory since the skill was disabled.
fn with_what_stands(
    registry: &Registry,
    state: &State,
    id: &SkillId,
    tree: Oid,
    last: &Last,
    now: Option<Oid>,
) -> Result<Oid> {
    let store = &registry.repository.store;
    let Some(now) = now else { return Ok(tree) };
    let merged = merge_trees(store, last.left.unwrap_or(store.empty_tree()), tree, now)?;
    if merged.conflicts.is_empty() {
        return Ok(merged.tree);
    }
    let directory = state.layout.skill(id);
    let paths: Vec<String> =
        merged.conflicts.iter().map(|conflict| escape(&format!("{directory}/{}", conflict.path))).collect();
    Err(Error::new(ErrorKind::Conflict, format!("files stand in the way of `{id}`: {}", paths.join(", "))).hint(
        format!(
            "move them away and commit that (git mv {} <another place>), then run again: skillgraft enable {id}",
            paths[0]
        ),
    ))
}
