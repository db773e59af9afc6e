//! What upstream does.

use super::Done;
use super::dice::Dice;
use super::team::Team;
use super::trees::{self, SKILLS};
use skillgraft::git::{Mode, Oid, Place, first_parents};

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

/// To what it was before, and forth again, with somebody looking in between: A, B, A, B.
pub fn flips(team: &mut Team, dice: &mut Dice) -> Done {
    let now = team.upstream_tree();
    let before = team.states.iter().rev().copied().find(|tree| *tree != now);
    let Some(before) = before else { return Ok(None) };
    let times = 1 + dice.below(3);
    for tree in [before, now, before].into_iter().take(times) {
        team.publish(tree);
        super::asserted::sync(team, dice)?;
    }
    Ok(Some(format!("{times} times, to tree {} first", before.short())))
}

/// Its branch goes back to an older commit, or on from there with something else.
pub fn pushes_with_force(team: &mut Team, dice: &mut Dice) -> Done {
    let head = team.upstream_head();
    let above: Vec<Oid> = first_parents(&team.upstream.store, head).map(Result::unwrap).take(5).skip(1).collect();
    let Some(to) = dice.pick(&above).copied() else { return Ok(None) };
    team.set_upstream(to);
    match dice.below(3) {
        0 => Ok(Some(format!("back to {}", to.short()))),
        1 => {
            // A new history that has nothing in common with the old one.
            let tree = team.upstream_tree();
            team.publish_on(tree, Vec::new());
            edits(team, dice)
        }
        _ => edits(team, dice),
    }
}

/// A skill moves to another directory.
pub fn renames_a_skill(team: &mut Team, dice: &mut Dice) -> Done {
    let there = skills(team);
    let free: Vec<&str> = SKILLS.into_iter().filter(|skill| !there.iter().any(|(name, _)| name == skill)).collect();
    let (Some((old, content)), Some(new)) = (dice.pick(&there).copied(), dice.pick(&free).copied()) else {
        return Ok(None);
    };
    let store = &team.upstream.store;
    let tree = trees::with(store, team.upstream_tree(), &format!("skills/{old}"), None);
    let tree = trees::with(store, tree, &format!("skills/{new}"), trees::directory(store, Some(content)));
    team.publish(tree);
    Ok(Some(format!("{old} to {new}")))
}

/// A skill that it had once is there again, as it was.
pub fn brings_a_skill_back(team: &mut Team, dice: &mut Dice) -> Done {
    let there = skills(team);
    let missing: Vec<&str> = SKILLS.into_iter().filter(|skill| !there.iter().any(|(name, _)| name == skill)).collect();
    let Some(skill) = dice.pick(&missing).copied() else { return Ok(None) };
    let at = |tree: &Oid| trees::directory_at(&team.upstream.store, *tree, &format!("skills/{skill}"));
    let Some(content) = team.states.iter().rev().find_map(at) else { return Ok(None) };
    put(team, skill, Some(content));
    Ok(Some(skill.into()))
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
