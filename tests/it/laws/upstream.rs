//! What upstream does.

use super::Done;
use super::dice::Dice;
use super::places::base_name;
use super::team::Team;
use super::trees::{self, PLACES};
use skillgraft::git::{Mode, Oid, Place, first_parents};

/// Returns the skills that upstream has, by place.
fn skills(team: &Team) -> Vec<(&'static str, Oid)> {
    let tree = team.upstream_tree();
    let at = |place: &str| trees::directory_at(&team.upstream.store, tree, &format!("skills/{place}"));
    PLACES.iter().filter_map(|place| Some((*place, at(place)?))).collect()
}

fn a_free_place(team: &Team, dice: &mut Dice) -> Option<&'static str> {
    let there = skills(team);
    let free: Vec<&str> = PLACES.into_iter().filter(|place| !there.iter().any(|(taken, _)| taken == place)).collect();
    dice.pick(&free).copied()
}

fn put(team: &mut Team, place: &str, new: Option<Oid>) {
    put_all(team, &[(place, new)]);
}

/// Puts several skills in or takes them out, in one commit.
fn put_all(team: &mut Team, changes: &[(&str, Option<Oid>)]) {
    let store = &team.upstream.store;
    let put = |tree, (place, new): &(&str, Option<Oid>)| {
        trees::with(store, tree, &format!("skills/{place}"), trees::directory(store, *new))
    };
    let tree = changes.iter().fold(team.upstream_tree(), put);
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

/// A skill moves to another directory, as it is.
pub fn moves_a_skill(team: &mut Team, dice: &mut Dice) -> Done {
    let (Some((from, tree)), Some(to)) = (dice.pick(&skills(team)).copied(), a_free_place(team, dice)) else {
        return Ok(None);
    };
    put_all(team, &[(from, None), (to, Some(tree))]);
    Ok(Some(format!("{from} to {to}")))
}

/// A skill moves, and something in it is another way.
pub fn moves_and_edits_a_skill(team: &mut Team, dice: &mut Dice) -> Done {
    let (Some((from, tree)), Some(to)) = (dice.pick(&skills(team)).copied(), a_free_place(team, dice)) else {
        return Ok(None);
    };
    let word = team.word('U');
    let (tree, what) = trees::change_skill(&team.upstream.store, tree, dice, &word);
    put_all(team, &[(from, None), (to, Some(tree))]);
    Ok(Some(format!("{from} to {to}, {what}")))
}

/// A skill moves, and its `name` with it.
pub fn renames_a_skill(team: &mut Team, dice: &mut Dice) -> Done {
    let (Some((from, tree)), Some(to)) = (dice.pick(&skills(team)).copied(), a_free_place(team, dice)) else {
        return Ok(None);
    };
    let (mut tree, mut what) = (trees::with_name(&team.upstream.store, tree, base_name(to)), String::new());
    if dice.chance(30) {
        let word = team.word('U');
        (tree, what) = trees::change_skill(&team.upstream.store, tree, dice, &word);
    }
    put_all(team, &[(from, None), (to, Some(tree))]);
    Ok(Some(format!("{from} to {to}, {what}")))
}

/// A skill moves, and back again; in between somebody may have looked.
pub fn moves_a_skill_and_back(team: &mut Team, dice: &mut Dice) -> Done {
    let (Some((from, mut tree)), Some(to)) = (dice.pick(&skills(team)).copied(), a_free_place(team, dice)) else {
        return Ok(None);
    };
    let there = if dice.chance(30) { trees::with_name(&team.upstream.store, tree, base_name(to)) } else { tree };
    put_all(team, &[(from, None), (to, Some(there))]);
    let is_seen = dice.chance(70);
    if is_seen {
        super::asserted::sync(team, dice)?;
    }
    if dice.chance(30) {
        let word = team.word('U');
        tree = trees::change_skill(&team.upstream.store, tree, dice, &word).0;
    }
    put_all(team, &[(from, Some(tree)), (to, None)]);
    Ok(Some(format!("{from} to {to}, seen {is_seen}")))
}

/// A skill moves to where another one stands, which goes, moves on, or takes its place.
pub fn moves_a_skill_to_anothers_place(team: &mut Team, dice: &mut Dice) -> Done {
    let mut there = skills(team);
    dice.shuffle(&mut there);
    let [(from, tree), (to, other), ..] = there[..] else { return Ok(None) };
    let onward = match dice.below(3) {
        0 => None,
        1 => Some(from),
        _ => a_free_place(team, dice),
    };
    let mut changes = vec![(from, None), (to, Some(tree))];
    changes.extend(onward.map(|onward| (onward, Some(other))));
    put_all(team, &changes);
    Ok(Some(format!("{from} to {to}, and that to {onward:?}")))
}

/// All skills are gone at once, and mostly there again after somebody looked.
pub fn lists_nothing(team: &mut Team, dice: &mut Dice) -> Done {
    let there = skills(team);
    let gone: Vec<(&str, Option<Oid>)> = there.iter().map(|(place, _)| (*place, None)).collect();
    put_all(team, &gone);
    super::asserted::sync(team, dice)?;
    let comes_back = dice.chance(80);
    if comes_back {
        let back: Vec<(&str, Option<Oid>)> = there.iter().map(|(place, tree)| (*place, Some(*tree))).collect();
        put_all(team, &back);
    }
    Ok(Some(format!("comes back {comes_back}")))
}

/// A skill that it had once is there again, as it was.
pub fn brings_a_skill_back(team: &mut Team, dice: &mut Dice) -> Done {
    let Some(skill) = a_free_place(team, dice) else { return Ok(None) };
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
    let Some(skill) = a_free_place(team, dice) else { return Ok(None) };
    let word = team.word('U');
    let new = trees::new_skill(&team.upstream.store, base_name(skill), &word);
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
