//! What upstream does.

use super::Done;
use super::dice::Dice;
use super::team::Team;
use super::trees::{self, SKILLS};
use skillgraft::git::{Mode, Oid, Place};

fn skills(team: &Team) -> Vec<(&'static str, Oid)> {
    let tree = team.upstream_tree();
    let at = |skill: &str| trees::directory_at(&team.upstream.store, tree, &format!("skills/{skill}"));
    SKILLS.iter().filter_map(|skill| Some((*skill, at(skill)?))).collect()
}

fn put(team: &mut Team, skill: &str, new: Option<Oid>) {
    let tree = team.upstream_tree();
    let store = &team.upstream.store;
    let tree = trees::with(store, tree, &format!("skills/{skill}"), trees::directory(store, new));
    team.publish(tree);
}

pub fn edits(team: &mut Team, dice: &mut Dice) -> Done {
    let Some((skill, mut tree)) = dice.pick(&skills(team)).copied() else { return Ok(None) };
    let mut said = Vec::new();
    for _ in 0..1 + dice.below(3) {
        let word = team.word('U');
        let (new, what) = trees::change_skill(&team.upstream.store, tree, dice, &word);
        tree = new;
        said.push(what);
    }
    put(team, skill, Some(tree));
    Ok(Some(format!("{skill} {}", said.join(", "))))
}

pub fn goes_back(team: &mut Team, dice: &mut Dice) -> Done {
    let start = team.states.len().saturating_sub(6);
    let tree = *dice.pick(&team.states[start..]).expect("upstream began with a state");
    team.publish(tree);
    Ok(Some(format!("to tree {}", tree.short())))
}

pub fn drops_a_skill(team: &mut Team, dice: &mut Dice) -> Done {
    let Some((skill, _)) = dice.pick(&skills(team)).copied() else { return Ok(None) };
    put(team, skill, None);
    Ok(Some(skill.into()))
}

pub fn adds_a_skill(team: &mut Team, dice: &mut Dice) -> Done {
    let there = skills(team);
    let missing: Vec<&str> = SKILLS.into_iter().filter(|skill| !there.iter().any(|(name, _)| name == skill)).collect();
    let Some(skill) = dice.pick(&missing).copied() else { return Ok(None) };
    let word = team.word('U');
    let new = trees::new_skill(&team.upstream.store, skill, &word);
    put(team, skill, Some(new));
    Ok(Some(format!("{skill} {word}")))
}

/// A link that leaves the repository rejects a skill.
pub fn spoils_a_skill(team: &mut Team, dice: &mut Dice) -> Done {
    let Some((skill, tree)) = dice.pick(&skills(team)).copied() else { return Ok(None) };
    let store = &team.upstream.store;
    let is_bad = trees::blob_at(store, tree, "bad").is_some();
    let link = Place { mode: Mode::Link, id: store.write_blob(b"/etc/passwd").unwrap() };
    let new = trees::with(store, tree, "bad", (!is_bad).then_some(link));
    put(team, skill, Some(new));
    Ok(Some(format!("{skill} {}", if is_bad { "is good again" } else { "links out of the repository" })))
}

pub fn changes_its_licence(team: &mut Team, dice: &mut Dice) -> Done {
    let word = team.word('U');
    let store = &team.upstream.store;
    let new = (!dice.chance(20)).then(|| trees::file(store, format!("licence {word}\n").as_bytes()));
    let tree = trees::with(store, team.upstream_tree(), "LICENSE", new);
    team.publish(tree);
    Ok(Some(if new.is_some() { word } else { "away".into() }))
}
