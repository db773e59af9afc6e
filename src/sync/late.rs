//! Stale entry-only candidates that were merged late (RULES, last line of "Candidate").
//!
//! An `already_applied` candidate moves the entry alone. Merged after the team has changed the skill again, it records
//! an update whose content is not there, and no merge will ever bring it.

use super::classify::Class;
use super::merge::merge_skill;
use super::records::Records;
use super::report::{Notice, SkillReport};
use crate::git::{Oid, Store, first_parents, tree_at};
use crate::registry::{Layout, Upstream, read_entry, skill_then};
use crate::types::{Result, SkillId, TreeHash};
use std::collections::BTreeMap;

/// How many first-parent commits a sync looks back; `check` looks at all of them.
const LOOKS_BACK: usize = 100;

/// Returns the commit that moved the entry to what it accepts now without changing the skill, although the merge on its
/// parent would have changed it. A person may have meant that (`candidate resolve --take local`), or not.
pub fn moved_without_content(
    store: &Store,
    layout: &Layout,
    records: &Records,
    id: &SkillId,
    upstream: &Upstream,
) -> Result<Option<Oid>> {
    match records.newest_move(&upstream.path, upstream.accepted) {
        Some(commit) => if_without_content(store, layout, commit, id, upstream),
        None => Ok(None),
    }
}

fn if_without_content(
    store: &Store,
    layout: &Layout,
    commit: Oid,
    id: &SkillId,
    upstream: &Upstream,
) -> Result<Option<Oid>> {
    let data = store.commit(commit)?;
    let Some(parent) = data.parents.first() else { return Ok(None) };
    let (now, _) = skill_then(store, commit, layout, id)?;
    let (before, entry) = skill_then(store, *parent, layout, id)?;
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

/// Returns what such a commit did, and the commands that undo it.
pub fn told(store: &Store, commit: Oid, id: &SkillId) -> Result<Notice> {
    let mainline = if store.commit(commit)?.parents.len() > 1 { "-m 1 " } else { "" };
    let short = commit.short();
    let message = format!("commit {short} recorded an update without its content");
    Ok(Notice::new(
        message,
        format!("if nobody meant that: git revert --no-edit {mainline}{short}, then: skillgraft candidate retry {id}"),
    ))
}

/// Tells of such commits in a sync's reports. Asked only about skills that are neither their base nor in need of another
/// notice, and only back to [`LOOKS_BACK`] commits before `head`.
pub(super) fn tell(
    store: &Store,
    layout: &Layout,
    head: Oid,
    skills: &mut [(&SkillId, &Upstream, &mut SkillReport)],
) -> Result<()> {
    let may_be = |report: &SkillReport| {
        matches!(report.class, Some(Class::Unchanged | Class::ThreeWay))
            && report.local.is_some()
            && report.local != report.base
            && report.notice.is_none()
    };
    // What is open yet, with the entry's blob in the commit after.
    let mut open: BTreeMap<&SkillId, (usize, Option<Oid>)> = BTreeMap::new();
    for (at, (id, _, report)) in skills.iter().enumerate() {
        if may_be(report) {
            open.insert(id, (at, None));
        }
    }
    let mut moved: Vec<(usize, Oid)> = Vec::new();
    let mut after: Option<(Oid, Option<Oid>)> = None;
    for commit in first_parents(store, head).take(LOOKS_BACK) {
        if open.is_empty() {
            break;
        }
        let commit = commit?;
        let tree = store.commit(commit)?.tree;
        let folder = tree_at(store, tree, &layout.then(store, tree)?.skills)?;
        if let Some((newer, of_newer)) = after
            && of_newer != folder
        {
            for (id, (at, blob)) in std::mem::take(&mut open) {
                let (_, entry) = skill_then(store, commit, layout, id)?;
                let same = blob.is_some() && entry == blob;
                if same || accepted(store, layout, id, entry)? == Some(skills[at].1.accepted) {
                    open.insert(id, (at, entry));
                } else {
                    moved.push((at, newer));
                }
            }
        }
        after = Some((commit, folder));
    }
    for (at, commit) in moved {
        let (id, upstream, report) = &mut skills[at];
        if let Some(late) = if_without_content(store, layout, commit, id, upstream)? {
            report.notice = Some(told(store, late, id)?);
        }
    }
    Ok(())
}

fn accepted(store: &Store, layout: &Layout, id: &SkillId, entry: Option<Oid>) -> Result<Option<TreeHash>> {
    let entry = entry.map(|blob| read_entry(store, layout.entry(id).as_str(), blob)).transpose()?;
    Ok(entry.and_then(|state| state.entry.ok()?.upstream).map(|upstream| upstream.accepted))
}
