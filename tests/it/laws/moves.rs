//! Skills that the team renames or deletes with plain git.

use super::Done;
use super::dice::Dice;
use super::team::Team;
use super::trees;

/// `git mv` of a skill's directory and its entry.
pub fn rename(team: &mut Team, dice: &mut Dice) -> Done {
    let tree = team.main_tree();
    let there = team.skills();
    let Some(old) = dice.pick(&there) else { return Ok(None) };
    let new = old.strip_suffix("-acme").map_or_else(|| format!("{old}-acme"), str::to_owned);
    if team.skill_and_entry(tree, &new) != (None, None) {
        return Ok(None);
    }
    let store = &team.repository.store;
    let (mut moved, places) = (tree, ["", ".toml"]);
    for suffix in places {
        let at = trees::path(&format!("skills/{old}{suffix}"));
        let place = skillgraft::git::entry_at(store, tree, &at).unwrap();
        moved = trees::with(store, moved, &format!("skills/{old}{suffix}"), None);
        moved = trees::with(store, moved, &format!("skills/{new}{suffix}"), place);
    }
    team.commit_to_main(moved, "rename");
    Ok(Some(format!("{old} to {new}")))
}

/// `git rm` of a skill's directory, of its entry, or of both.
pub fn delete(team: &mut Team, dice: &mut Dice) -> Done {
    let Some(skill) = dice.pick(&team.skills()).cloned() else { return Ok(None) };
    let what: &[&str] = dice.pick(&[&[""][..], &["", ".toml"], &["", ".toml"], &[".toml"]]).unwrap();
    let store = &team.repository.store;
    let remove = |tree, suffix: &&str| trees::with(store, tree, &format!("skills/{skill}{suffix}"), None);
    let tree = what.iter().fold(team.main_tree(), remove);
    team.commit_to_main(tree, "delete");
    Ok(Some(format!("{skill} {what:?}")))
}
