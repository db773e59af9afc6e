//! What people take back on the default branch, and take back again: `git revert`.

use super::Done;
use super::buttons::merge_tree;
use super::dice::Dice;
use super::team::Team;
use skillgraft::git::{Oid, first_parents};

/// How far back people look.
const RECENT: usize = 10;

/// `git revert` of something that landed not long ago; of a merge, `-m 1`. What is reverted may be a revert.
pub fn revert(team: &mut Team, dice: &mut Dice) -> Done {
    let store = &team.repository.store;
    let recent: Vec<Oid> = first_parents(store, team.main()).map(Result::unwrap).take(RECENT).collect();
    let moved_an_entry = |commit: &Oid| {
        let parent = store.commit(*commit).unwrap().parents.first().map(|parent| team.tree(*parent));
        let entries = |tree| super::trees::IDS.map(|skill| team.skill_and_entry(tree, skill).1);
        parent.is_some_and(|parent| entries(parent) != entries(team.tree(*commit)))
    };
    let landed: Vec<Oid> = recent.iter().copied().filter(moved_an_entry).collect();
    let choice = if dice.chance(85) { landed } else { recent };
    let Some(commit) = dice.pick(&choice).copied() else { return Ok(None) };
    revert_commit(team, commit)
}

pub fn revert_commit(team: &mut Team, commit: Oid) -> Done {
    let store = &team.repository.store;
    let Some(parent) = store.commit(commit).unwrap().parents.first().copied() else { return Ok(None) };
    let Some(tree) = merge_tree(team, Some(commit), team.main(), parent) else {
        return Ok(Some(format!("{} conflicts", commit.short())));
    };
    if tree == team.main_tree() {
        return Ok(None);
    }
    team.commit_to_main(tree, &format!("revert {commit}"));
    Ok(Some(commit.short()))
}
