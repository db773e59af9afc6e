//! What people do with updates that they do not want, and with those that they want after all.

use super::Done;
use super::buttons::is_ancestor;
use super::dice::Dice;
use super::team::{CANDIDATES, Team, upstream_of};
use jiff::ToSpan as _;
use skillgraft::ops;

/// Somebody deletes a candidate's branch.
pub fn delete_a_branch(team: &mut Team, dice: &mut Dice) -> Done {
    let Some((name, skill)) = dice.pick(&team.candidates()).cloned() else { return Ok(None) };
    if team.head_branch() == name {
        return Ok(None);
    }
    let (main, head) = (team.main(), team.get(&name).expect("listed"));
    team.lost_on_purpose(team.tree(head), team.tree(main));
    let accepted = |tree| {
        let entry = team.entry(tree, &skill)?;
        Some((upstream_of(&entry, "path")?, upstream_of(&entry, "accepted")?))
    };
    let (offers, has) = (accepted(team.tree(head)), accepted(team.tree(main)));
    let was_merged = offers == has || is_ancestor(team, head, main);
    if let Some((_, offers)) = offers {
        team.taken.delete(&skill, offers, was_merged);
    }
    team.set(&name, None);
    team.touched.remove(&name);
    Ok(Some(format!("{skill}{}", if was_merged { ", merged" } else { "" })))
}

pub fn retry(team: &mut Team, dice: &mut Dice) -> Done {
    let held: Vec<String> = team.taken.held.keys().cloned().collect();
    let Some(skill) = dice.pick(&held).cloned() else { return Ok(None) };
    let name = format!("{CANDIDATES}{skill}");
    let (before, main) = (team.refs(), team.main());
    let settings_stand = team.taken.held_at == Some(main) && !super::oracle::is_away(team);
    team.tick();
    let retried = match ops::decline::retry(&team.outside(), &skill) {
        Ok(retried) => retried.skill,
        // A branch that people edited stands in the way; and the default branch may have moved on.
        Err(_) if before.contains_key(&name) || !settings_stand => return Ok(Some(format!("{skill}: refused"))),
        Err(error) => return Err(format!("retry of {skill}: {}", error.full_message())),
    };
    team.repository.store.refresh();
    let head = team.get(&name).ok_or_else(|| format!("retry of {skill} made no branch"))?;
    let offers = team.entry(team.tree(head), &skill).and_then(|entry| upstream_of(&entry, "accepted"));
    if offers.is_none() || offers != retried.upstream.map(|hash| hash.to_string()) && retried.upstream.is_some() {
        return Err(format!("retry of {skill} offers {offers:?}, and says {:?}", retried.upstream));
    }
    let own = |name: &String| *name == format!("{CANDIDATES}{skill}") || name.starts_with("refs/skillgraft/");
    if let Some(moved) = super::asserted::changed_refs(&before, &team.refs()).iter().find(|name| !own(name)) {
        return Err(format!("retry of {skill} moved {moved}"));
    }
    team.taken.no_longer_withdrawn(&skill);
    Ok(Some(skill))
}

pub fn decline(team: &mut Team, dice: &mut Dice) -> Done {
    let Some((name, skill)) = dice.pick(&team.candidates()).cloned() else { return Ok(None) };
    let (main, head) = (team.main(), team.get(&name).expect("listed"));
    let before = team.main_tree();
    let path = team.entry(team.tree(head), &skill).and_then(|entry| upstream_of(&entry, "path"));
    let always = dice.chance(15);
    let until = dice.chance(30).then(|| team.today() + (dice.below(3) as i64).days());
    let options = ops::decline::Options {
        id: skill.clone(),
        reason: "not for us".into(),
        always,
        until,
        commit: Team::on_main(),
    };
    let offers = team.entry(team.tree(head), &skill).and_then(|entry| upstream_of(&entry, "accepted"));
    let entry = team.entry(before, &skill);
    let is_new = entry.as_ref().is_none_or(|entry| !entry.contains_key("upstream"));
    let local = super::oracle::tree_hash(&team.repository.store, team.skill_and_entry(before, &skill).0);
    let is_applied = offers.as_deref() == Some(&local) || entry.and_then(|e| upstream_of(&e, "accepted")) == offers;
    team.tick();
    let report = match ops::decline::decline(&team.outside(), &options) {
        Ok(report) => report,
        Err(_) if is_applied || is_new && until.is_some() => return Ok(Some(format!("{skill}: refused"))),
        Err(error) => return Err(format!("decline of {skill}: {}", error.full_message())),
    };
    team.moved_main(main);
    let after = team.main_tree();
    let declined = |tree| {
        let entry = team.entry(tree, &skill)?;
        Some(entry.get("declined")?.get("upstream")?.as_str()?.to_owned())
    };
    let is_recorded = match report.excluded {
        true => path.is_some_and(|path| super::oracle::hides(team, path.trim_start_matches("skills/"))),
        false => declined(after) == offers,
    };
    if !is_recorded || report.excluded != (always || is_new) {
        return Err(format!("decline of {skill} recorded {:?}, excluded {}", declined(after), report.excluded));
    }
    if team.get(&name).is_none() {
        team.touched.remove(&name);
    }
    let is_removal = offers == Some(super::oracle::tree_hash(&team.repository.store, None));
    team.count(match (is_new, is_removal, always) {
        (true, ..) => "decline of a new skill",
        (_, true, _) => "decline of a removal",
        (_, _, true) => "decline of an update, always",
        _ => "decline of an update",
    });
    Ok(Some(format!("{skill} always {always} until {until:?}, new {is_new}")))
}
