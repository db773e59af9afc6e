//! Commands that change the default branch: `rollback`, `disable`, `enable`, `adopt`, `link`, `pause`, `resume`.

use super::Done;
use super::dice::Dice;
use super::oracle::hides;
use super::team::{Team, upstream_of};
use super::trees::{self, IDS};
use jiff::ToSpan as _;
use skillgraft::git::Oid;
use skillgraft::ops;
use skillgraft::types::Error;

/// A command that was refused says why in words; what matters here is that it did nothing.
fn refused(team: &Team, main: Oid, what: &str, error: &Error) -> Done {
    if team.main() != main {
        return Err(format!("{what} failed, and moved the default branch: {}", error.full_message()));
    }
    Ok(Some(format!("{what}: refused")))
}

pub fn rollback(team: &mut Team, dice: &mut Dice) -> Done {
    let Some(skill) = dice.pick(&team.skills()).cloned() else { return Ok(None) };
    let prefix = format!("refs/tags/{skill}/v");
    let tags = team.refs().into_keys().filter_map(|name| name.strip_prefix(&prefix)?.parse::<u64>().ok());
    let mut versions: Vec<u64> = tags.collect();
    versions.sort_unstable();
    let newest = versions.len().saturating_sub(4);
    let to = if dice.chance(50) { None } else { dice.pick(&versions[newest..]).copied() };
    let main = team.main();
    team.tick();
    let report = match ops::rollback::rollback(&team.outside(), &skill, to, "it broke", &Team::on_main()) {
        Ok(report) => report,
        Err(error) => return refused(team, main, &format!("{skill} to {to:?}"), &error),
    };
    let (before, after) = (team.tree(main), team.main_tree());
    let tag = team.get(&format!("{prefix}{}", report.to)).expect("it was rolled back to");
    let then = team.tree(team.repository.store.peel(tag).unwrap());
    if team.skill_and_entry(after, &skill).0 != team.skill_and_entry(then, &skill).0 {
        return Err(format!("rollback of {skill} to v{} did not bring its content back", report.to));
    }
    let accepted = |tree| team.entry(tree, &skill).and_then(|entry| upstream_of(&entry, "accepted"));
    let abandoned = accepted(before).filter(|abandoned| accepted(after).as_ref() != Some(abandoned));
    let declined =
        |tree| team.entry(tree, &skill).and_then(|entry| Some(entry.get("declined")?["upstream"].to_string()));
    // What was declined before, and is on offer, stays declined; the abandoned update is held as taken back then.
    let stays = declined(before).is_some_and(|before| declined(after) == Some(before));
    if abandoned.is_some_and(|abandoned| !stays && !declined(after).is_some_and(|it| it.contains(&abandoned))) {
        return Err(format!("rollback of {skill} to v{} did not decline what it abandoned", report.to));
    }
    team.moved_main(main);
    Ok(Some(format!("{skill} to v{}", report.to)))
}

pub fn disable_or_enable(team: &mut Team, dice: &mut Dice) -> Done {
    let tree = team.main_tree();
    let status = |skill: &str| Some(team.entry(tree, skill)?.get("status")?.as_str()?.to_owned());
    let (off, on): (Vec<&str>, Vec<&str>) = IDS
        .into_iter()
        .filter(|skill| status(skill).is_some() || team.skill_and_entry(tree, skill).0.is_some())
        .partition(|skill| status(skill).as_deref() == Some("disabled"));
    let enabling = !off.is_empty() && dice.chance(80);
    let Some(skill) = dice.pick(if enabling { &off } else { &on }).copied() else { return Ok(None) };
    let (main, ids) = (team.main(), [skill.to_owned()]);
    team.tick();
    let done = match enabling {
        true => ops::disable::enable(&team.outside(), &ids, &Team::on_main()),
        false => ops::disable::disable(&team.outside(), &ids, "not now", &Team::on_main()),
    };
    let what = format!("{} {skill}", if enabling { "enable" } else { "disable" });
    if let Err(error) = done {
        return refused(team, main, &what, &error);
    }
    team.moved_main(main);
    let is_there = team.skill_and_entry(team.main_tree(), skill).0.is_some();
    if is_there != enabling || status_of(team, skill) != if enabling { "active" } else { "disabled" } {
        return Err(format!("{what}: its directory is there: {is_there}"));
    }
    Ok(Some(what))
}

fn status_of(team: &Team, skill: &str) -> String {
    let entry = team.entry(team.main_tree(), skill).expect("both leave an entry");
    entry["status"].as_str().unwrap().to_owned()
}

/// Adopts a skill, or links one that follows nothing to upstream again.
pub fn adopt_or_link(team: &mut Team, dice: &mut Dice) -> Done {
    let tree = team.main_tree();
    let follows = |skill: &&String| team.entry(tree, skill).is_some_and(|entry| entry.contains_key("upstream"));
    let all = team.skills();
    let (followers, own): (Vec<&String>, Vec<&String>) = all.iter().partition(follows);
    let linking = !own.is_empty() && dice.chance(80);
    let Some(skill) = dice.pick(if linking { &own } else { &followers }).map(|skill| skill.to_string()) else {
        return Ok(None);
    };
    let (main, places) = (team.main(), [team.followed(&skill), team.place(&skill)]);
    team.tick();
    let (outside, commit) = (team.outside(), Team::on_main());
    let what = format!("{} {skill}", if linking { "link" } else { "adopt" });
    let done = match linking {
        true => {
            let own = skill.trim_end_matches("-acme");
            let to = dice.pick(&trees::PLACES).copied().filter(|_| dice.chance(40)).unwrap_or(own);
            let to = format!("sp:skills/{to}");
            let options = ops::link::Options { skill: skill.clone(), to, base: None, commit };
            ops::link::link(&outside, &options, ops::link::Consent::Asked(&|_| Ok(true))).map(|_| ())
        }
        false => ops::adopt::adopt(&outside, std::slice::from_ref(&skill), &commit).map(|_| ()),
    };
    if let Err(error) = done {
        return refused(team, main, &what, &error);
    }
    let (before, after) = (team.skill_and_entry(tree, &skill).0, team.skill_and_entry(team.main_tree(), &skill).0);
    if before != after {
        return Err(format!("{what} changed its content"));
    }
    team.moved_main(main);
    // What another skill follows is no new one.
    let entry = |id: &&str| team.entry(team.main_tree(), id).is_some_and(|entry| entry.get("upstream").is_some());
    let others: Vec<String> = IDS.into_iter().filter(entry).map(|id| team.followed(id)).collect();
    let is_followed = |place: &String| others.contains(&places[0]) || others.contains(place);
    if let Some(place) = places.iter().find(|place| !linking && !hides(team, place) && !is_followed(place)) {
        return Err(format!("{what} leaves {place} to come back as a new skill"));
    }
    // Who links says that this state was copied: what it has and the copy has not was taken out here.
    let entry = team.entry(team.main_tree(), &skill).filter(|_| linking);
    let base = entry.and_then(|entry| upstream_of(&entry, "git_tree")).map(|id| Oid::parse(&id).unwrap());
    if let (Some(base), Some(copy)) = (base, before) {
        team.lost_on_purpose(base, copy);
    }
    // Adopting disables a source that nothing follows any more.
    Ok(Some(what))
}

pub fn pause_or_resume(team: &mut Team, dice: &mut Dice) -> Done {
    let tree = team.main_tree();
    // What follows nothing has nothing to wait for.
    let waits = |entry: &toml::Table| entry.contains_key("upstream") || entry.contains_key("paused");
    let there = IDS.into_iter().filter(|skill| team.entry(tree, skill).is_some_and(|entry| waits(&entry)));
    let is_paused = |skill: &&str| team.entry(tree, skill).is_some_and(|entry| entry.contains_key("paused"));
    let (mut paused, mut active): (Vec<&str>, Vec<&str>) = there.partition(is_paused);
    let source = trees::blob_at(&team.repository.store, tree, "sources/sp.toml").expect("nobody removes it");
    let source = String::from_utf8(team.repository.store.blob(source).unwrap()).unwrap();
    if source.contains("[paused]") { &mut paused } else { &mut active }.push("sp");
    let resuming = !paused.is_empty() && dice.chance(75);
    let Some(name) = dice.pick(if resuming { &paused } else { &active }).copied() else { return Ok(None) };
    let until = dice.chance(60).then(|| team.today() + (dice.below(3) as i64).days());
    let main = team.main();
    team.tick();
    let (outside, commit) = (team.outside(), Team::on_main());
    let done = match resuming {
        true => ops::pause::resume(&outside, name, &commit),
        false => ops::pause::pause(&outside, name, Some("waiting"), until, &commit),
    };
    let what = format!("{} {name} until {until:?}", if resuming { "resume" } else { "pause" });
    if let Err(error) = done {
        return Err(format!("{what}: {}", error.full_message()));
    }
    team.moved_main(main);
    Ok(Some(what))
}

/// What ends by itself ends.
pub fn days_pass(team: &mut Team, dice: &mut Dice) -> Done {
    let days = 1 + dice.below(3) as i64;
    team.clock += days * 24 * 60 * 60;
    Ok(Some(format!("{days}")))
}
