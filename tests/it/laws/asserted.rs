//! A sync, and everything that must be true after it.

use super::buttons::{self, Button, is_ancestor};
use super::candidates::{check_content, check_own};
use super::clones::{check_twins, twins};
use super::dice::Dice;
use super::repositories::{changed, git, listing};
use super::team::{CANDIDATES, Causes, Left, MIRROR, Team, conflicts, upstream_of};
use super::trees::{self, IDS, PLACES, Words, minus, of, show};
use super::{Done, oracle, people, taken_back};
use skillgraft::git::Oid;
use skillgraft::sync::Report;
use std::collections::{BTreeMap, BTreeSet};

type Checked<T = ()> = Result<T, String>;
type Refs = BTreeMap<String, Oid>;

/// The first day: the skills come in as candidates, and are accepted.
pub fn begin(team: &mut Team) -> Checked {
    sync_once(team, &mut Dice::new(0))?;
    for skill in ["net", "deploy", "ops"] {
        buttons::press_on(team, skill, Button::Accept)?;
    }
    Ok(())
}

pub fn end(team: &mut Team) -> Checked {
    people::back_to_the_desk(team);
    let mut dice = Dice::new(1);
    merge_everything(team, &mut dice)?;
    let said = git(&team.desk(), &["fsck", "--strict", "--no-dangling", "--no-progress"]);
    let said = String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).into_owned();
    if said.is_empty() { Ok(()) } else { Err(format!("git fsck --strict: {said}")) }
}

pub fn sync(team: &mut Team, dice: &mut Dice) -> Done {
    let said = sync_once(team, dice)?;
    if dice.chance(50) {
        people::back_to_the_desk(team);
    }
    Ok(Some(said.unwrap_or("no evidence".into())))
}

/// Law 10: all open candidates, merged by any button in any order, end in `unchanged` with everybody's lines there.
pub fn merge_everything(team: &mut Team, dice: &mut Dice) -> Done {
    if sync_once(team, dice)?.is_none() {
        return Ok(None);
    }
    let mut open = team.candidates();
    dice.shuffle(&mut open);
    let mut merged = Vec::new();
    for (name, skill) in open {
        let Some(left) = team.last.get(&name).cloned() else { continue };
        // An edited branch that is behind would have to be carried, and one that is checked out stays.
        if left.action == "left" || left.action == "none" || team.head_branch() == name {
            continue;
        }
        let on_main = team.entry(team.main_tree(), &skill).is_some_and(|entry| !conflicts(&entry).is_empty());
        let listed = |team: &Team| {
            let tree = team.tree(team.get(&name).expect("open"));
            team.entry(tree, &skill).is_some_and(|entry| !conflicts(&entry).is_empty())
        };
        while listed(team) && !on_main {
            people::resolve_one(team, dice, &name, &skill)?;
        }
        let edited = team.touched.contains(&name);
        let button = *dice.pick(&buttons::ALL).unwrap();
        // Without the merge that carried it on, what its reviewers resolved is listed again.
        let is_carried = || buttons::has_merges(team, team.get(&name).expect("open"));
        let button = match button {
            Button::CherryPick if edited => Button::Squash,
            Button::Rebase if is_carried() => Button::Squash,
            button => button,
        };
        let before = team.main_tree();
        let outcome = buttons::press_on(team, &skill, button)?;
        team.count(&format!("button {button:?} {outcome}"));
        // A branch from before a force push brings back what was forced away, of other skills too.
        if outcome != "ok" && !edited && !team.dirty.contains(&skill) {
            return Err(format!("{button:?} of the fresh candidate of {skill}: {outcome}"));
        }
        if outcome == "ok" {
            let after = team.main_tree();
            merged.retain(|other: &String| team.skill_and_entry(before, other) == team.skill_and_entry(after, other));
            merged.push(skill);
        }
    }
    if sync_once(team, dice)?.is_none() {
        // A branch from before a force push may bring a pause back.
        return match oracle::is_away(team) {
            true => Ok(Some(merged.join(", "))),
            false => Err("the same upstream was evidence before".into()),
        };
    }
    let classes = oracle::classes(team);
    for skill in &merged {
        let class = classes.get(skill.as_str()).copied();
        if class != Some("unchanged") {
            return Err(format!("the candidate of {skill} was merged, and then it is {class:?}"));
        }
        let store = &team.repository.store;
        let upstream = team.upstream_now(skill).map_or(Words::new(), |tree| team.reader.tree(store, tree));
        let here = team.reader.skill(store, team.tree(team.main()), skill);
        let missing = minus(&minus(&of(&upstream, b'U'), &here), &team.removed_from(skill));
        if !missing.is_empty() {
            return Err(format!("{skill} is unchanged, but upstream's {} is not here", show(&missing)));
        }
    }
    Ok(Some(merged.join(", ")))
}

/// Syncs, and says what was done to which candidate; none where upstream was no evidence.
fn sync_once(team: &mut Team, dice: &mut Dice) -> Checked<Option<String>> {
    team.tick();
    taken_back::note(team);
    if oracle::is_away(team) {
        return sync_while_away(team);
    }
    let outside_of_git = team.outside();
    let git_dir = team.desk().join(".git");
    let dry = dice.chance(25).then(|| {
        let before = listing(&team.path("."));
        let report = team.sync(&outside_of_git, true);
        (changed(&before, &listing(&team.path("."))), report)
    });
    let before = team.refs();
    let is_at_desk = team.head_branch() == "refs/heads/desk";
    // After a force push it matters which candidates the tool remembers to have offered, and a fresh clone does not know.
    let twins = (is_at_desk && !team.forced && dice.chance(25)).then(|| twins(team, &before));
    let person = what_a_person_sees(team);
    let report = team.sync(&outside_of_git, false);
    team.repository.store.refresh();
    let after = team.refs();
    if what_a_person_sees(team) != person {
        return Err("sync touched HEAD, the index or the work tree".into());
    }
    if let Some((written, dry)) = dry {
        if !written.is_empty() {
            return Err(format!("a dry run wrote {written:?}"));
        }
        let text = |report: &Report| serde_json::to_string_pretty(&report.sources).unwrap();
        if text(&dry) != text(&report) {
            return Err(format!("a dry run said {}\nand sync did {}", text(&dry), text(&report)));
        }
    }
    let evidence = oracle::look(team);
    check_report(&report, evidence)?;
    if !evidence {
        team.count("sync without evidence");
        if let Some(moved) = moved_by_a_source(&before, &after) {
            return Err(format!("a source that lists nothing moved {moved}"));
        }
        team.dirty.clear();
        return Ok(None);
    }
    if let Some(twins) = twins {
        check_twins(team, &after, twins)?;
    }
    check_classes(team, &report)?;
    check_mirror(team)?;
    check_lost_lines(team, &before, &after)?;
    taken_back::check(team, &report, &before)?;
    let said = check_candidates(team, &report, &before, &after)?;
    team.forced = false;
    check_bases(team)?;

    let listed = listing(&git_dir);
    let again = team.sync(&outside_of_git, false);
    let written = changed(&listed, &listing(&git_dir));
    if !written.is_empty() || team.refs() != after {
        return Err(format!("the second sync wrote {written:?}"));
    }
    if let Some(moved) = again.sources[0].skills.iter().find(|skill| {
        skill.candidate.as_ref().is_some_and(|candidate| !["kept", "left", "held"].contains(&candidate.action.as_str()))
    }) {
        return Err(format!("the second sync says {:?}", moved.candidate));
    }
    team.dirty.clear();
    if team.earlier.is_empty() || dice.chance(30) {
        team.earlier = after;
    }
    Ok(Some(said))
}

/// A source that is paused or disabled is not looked at, and nothing of it moves.
fn sync_while_away(team: &mut Team) -> Checked<Option<String>> {
    let before = team.refs();
    let report = team.sync(&team.outside(), false);
    let outcome = format!("{:?}", report.sources[0].outcome);
    team.count(&format!("sync of a source that is {outcome}"));
    if !["Paused", "Disabled"].contains(&outcome.as_str()) {
        return Err(format!("the source is paused or disabled, and sync says {outcome}"));
    }
    match moved_by_a_source(&before, &team.refs()) {
        Some(moved) => Err(format!("a source that is {outcome} moved {moved}")),
        None => Ok(None),
    }
}

/// Returns a ref that moved; tags apart, because versions are the default branch's alone, whatever upstream is, and the
/// count of failures.
fn moved_by_a_source(before: &Refs, after: &Refs) -> Option<String> {
    let is_tag = |name: &String| name.starts_with("refs/tags/") || name == "refs/skillgraft/tagged";
    changed_refs(before, after).into_iter().find(|name| !is_tag(name) && name != "refs/skillgraft/failed/sp")
}

/// Returns the names of what differs.
pub fn changed_refs(before: &Refs, after: &Refs) -> BTreeSet<String> {
    let names = before.keys().chain(after.keys());
    names.filter(|name| before.get(*name) != after.get(*name)).cloned().collect()
}

/// HEAD, the index, and every file outside of `.git`.
fn what_a_person_sees(team: &Team) -> (Vec<u8>, Vec<u8>, super::repositories::Listing) {
    let read = |name: &str| std::fs::read(team.desk().join(name)).unwrap();
    let mut files = listing(&team.desk());
    files.retain(|name, _| !name.starts_with("/.git/"));
    (read(".git/HEAD"), read(".git/index"), files)
}

fn check_report(report: &Report, evidence: bool) -> Checked {
    let source = &report.sources[0];
    if let Some(skill) = source.skills.iter().find(|skill| skill.error.is_some()) {
        return Err(format!("{} failed: {:?}", skill.id, skill.error));
    }
    if source.error.is_some() == evidence {
        return Err(format!("evidence {evidence}, but the source says {:?}", source.error));
    }
    Ok(())
}

fn check_classes(team: &mut Team, report: &Report) -> Checked {
    let at = |id: String, class: &str, place: &str| (id, format!("{class} at {place}"));
    let expected: BTreeMap<String, String> =
        oracle::classes(team).into_iter().map(|(id, class)| at(id.clone(), class, &team.place(&id))).collect();
    let mut found = BTreeMap::new();
    for skill in &report.sources[0].skills {
        let Some(class) = skill.class else { continue };
        team.count(&format!("class {}", class.as_str()));
        if skill.moved_from.is_some() {
            team.count(&format!("upstream moved it, {}", class.as_str()));
        }
        found.extend([at(skill.id.clone(), class.as_str(), skill.path.trim_start_matches("skills/"))]);
    }
    if found == expected { Ok(()) } else { Err(format!("classes {found:?}, the oracle says {expected:?}")) }
}

fn check_mirror(team: &Team) -> Checked {
    let head = team.get(MIRROR).ok_or("there is no mirror")?;
    let store = &team.repository.store;
    let tree = team.tree(head);
    let skills: BTreeMap<String, Oid> = PLACES
        .iter()
        .filter_map(|skill| Some((skill.to_string(), trees::directory_at(store, tree, &format!("skills/{skill}"))?)))
        .collect();
    let license = trees::blob_at(store, tree, "LICENSE");
    if skills == *team.mirrored() && license == team.license {
        return Ok(());
    }
    Err(format!("the mirror holds {skills:?} and {license:?}, not {:?} and {:?}", team.mirrored(), team.license))
}

/// Law 1, for candidates: what a person wrote there is there, or on the default branch, or a person took it out.
fn check_lost_lines(team: &mut Team, before: &Refs, after: &Refs) -> Checked {
    let main = team.main_tree();
    for (name, old) in before.iter().filter(|(name, _)| name.starts_with(CANDIDATES)) {
        let new = after.get(name).copied();
        if new == Some(*old) {
            continue;
        }
        let (old, new) = (team.tree(*old), new.map(|new| team.tree(new)));
        let store = &team.repository.store;
        let mut here = team.reader.tree(store, main);
        here.extend(new.map_or(Words::new(), |new| team.reader.tree(store, new)));
        let lost = minus(&minus(&of(&team.reader.tree(store, old), b'P'), &here), &team.removed);
        if !lost.is_empty() {
            return Err(format!("sync lost {} from {name}", show(&lost)));
        }
    }
    Ok(())
}

fn check_candidates(team: &mut Team, report: &Report, before: &Refs, after: &Refs) -> Checked<String> {
    let main = team.main();
    let mut said = Vec::new();
    let mut last = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for skill in &report.sources[0].skills {
        let Some(candidate) = &skill.candidate else { continue };
        let name = candidate.branch.as_str().to_owned();
        let action = candidate.action.as_str();
        team.count(&format!("candidate {action}{}", if candidate.edited { ", edited" } else { "" }));
        said.push(format!(
            "{} {} {action}{}",
            skill.id,
            skill.class.map_or("-", |c| c.as_str()),
            if candidate.edited { ", edited" } else { "" }
        ));
        if after.get(&name).copied() != candidate.commit {
            return Err(format!("{name} is at {:?}, the report says {candidate:?}", after.get(&name)));
        }
        if !seen.insert(skill.id.clone()) || name != format!("{CANDIDATES}{}", skill.id) {
            return Err(format!("{} has more than one branch", skill.id));
        }
        if candidate.edited && !team.touched.contains(&name) {
            return Err(format!("{name} counts as edited, but nobody edited it"));
        }
        if team.head_branch() == name && before.get(&name) != after.get(&name) {
            return Err(format!("{name} is checked out, and sync moved it"));
        }
        match candidate.commit {
            None => {
                team.touched.remove(&name);
                team.removed_on.remove(&name);
            }
            Some(head) => {
                // Edits that were carried are still people's.
                if before.get(&name) != Some(&head) && action != "carried" {
                    team.touched.remove(&name);
                    team.removed_on.remove(&name);
                }
                let wanted = skill.class.is_some_and(|class| class.wants_candidate());
                let is_own = !candidate.edited && action != "left";
                if is_own && wanted {
                    check_own(team, &skill.id, head, action, main)?;
                    check_content(team, &skill.id, head, skill.class.map_or("", |class| class.as_str()))?;
                }
                let left = Left {
                    head,
                    action: if candidate.edited && matches!(action, "kept" | "carried") { "edited" } else { action },
                    causes: causes(team, &skill.id),
                };
                if let Some(earlier) = team.last.get(&name).filter(|_| !team.forced)
                    && earlier.causes == left.causes
                    && before.get(&name) == Some(&earlier.head)
                    && earlier.head != head
                    && !is_ancestor(team, earlier.head, main)
                    && earlier.action != "left"
                {
                    return Err(format!("{name} was rewritten without a cause: {} to {head}", earlier.head));
                }
                last.insert(name, left);
            }
        }
    }
    for name in after.keys().filter(|name| name.starts_with("refs/heads/candidate/")) {
        // Classes that are skipped leave their branch without a word.
        last.entry(name.clone()).or_insert(Left { head: after[name], action: "none", causes: Causes::default() });
        if before.get(name) != after.get(name) && !report_names(report, name) {
            return Err(format!("sync moved {name} and does not say so"));
        }
    }
    team.last = last;
    Ok(said.join("; "))
}

fn report_names(report: &Report, name: &str) -> bool {
    let skills = report.sources.iter().flat_map(|source| &source.skills);
    skills.filter_map(|skill| skill.candidate.as_ref()).any(|candidate| candidate.branch.as_str() == name)
}

fn causes(team: &Team, skill: &str) -> Causes {
    let (local, entry) = team.skill_and_entry(team.main_tree(), skill);
    ([local, entry, team.upstream_now(skill), team.license], team.place(skill))
}

/// Law 7: the base of every entry is in the mirror's history, at its path.
fn check_bases(team: &Team) -> Checked {
    let store = &team.repository.store;
    let mut held = BTreeSet::new();
    let mut commits = vec![team.get(MIRROR).expect("checked before")];
    let mut seen = BTreeSet::new();
    while let Some(id) = commits.pop() {
        if !seen.insert(id) {
            continue;
        }
        let commit = store.commit(id).unwrap();
        for place in PLACES {
            held.extend(trees::directory_at(store, commit.tree, &format!("skills/{place}")).map(|tree| (place, tree)));
        }
        commits.extend(&commit.parents);
    }
    for skill in IDS {
        let entry = team.entry(team.main_tree(), skill);
        let Some(entry) = entry.filter(|entry| entry.contains_key("upstream")) else { continue };
        let base = Oid::parse(&upstream_of(&entry, "git_tree").expect("an entry has it")).unwrap();
        let needed = upstream_of(&entry, "accepted") != Some(oracle::tree_hash(store, None));
        let name = team.followed(skill);
        if needed && !held.contains(&(name.as_str(), base)) {
            return Err(format!("the base of {skill}, {base}, is not reachable through the mirror"));
        }
    }
    Ok(())
}
