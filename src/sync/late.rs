//! Stale entry-only candidates that were merged late (RULES, last line of "Candidate").
//!
//! An `already_applied` candidate moves the entry alone. Merged after the team has changed the skill again, it records
//! an update whose content is not there, and no merge will ever bring it.

use super::merge::merge_skill;
use super::records::Records;
use crate::git::{Oid, Store};
use crate::registry::{Layout, Upstream, read_entry, skill_at};
use crate::types::{Result, SkillId, TreeHash};

/// Returns the commit that moved the entry to what it accepts now without changing the skill, although the merge on its
/// parent would have changed it. A person may have meant that (`candidate resolve --take local`), or not.
pub fn moved_without_content(
    store: &Store,
    layout: &Layout,
    records: &Records,
    id: &SkillId,
    upstream: &Upstream,
) -> Result<Option<Oid>> {
    let Some(commit) = records.newest_move(&upstream.path, upstream.accepted) else { return Ok(None) };
    let data = store.commit(commit)?;
    let Some(parent) = data.parents.first() else { return Ok(None) };
    let (now, _) = skill_at(store, data.tree, layout, id)?;
    let (before, entry) = skill_at(store, store.commit(*parent)?.tree, layout, id)?;
    let (Some(local), Some(entry)) = (before, entry) else { return Ok(None) };
    let base = read_entry(store, layout.entry(id).as_str(), entry)?.entry.ok().and_then(|entry| entry.upstream);
    let Some(base) = base.filter(|base| base.accepted != TreeHash::EMPTY) else { return Ok(None) };
    // What is not in this clone proves nothing.
    if now != before || !store.contains(base.git_tree) || !store.contains(upstream.git_tree) {
        return Ok(None);
    }
    let merged = merge_skill(store, base.git_tree, local, upstream.git_tree)?;
    Ok((merged.tree != local).then_some(commit))
}
