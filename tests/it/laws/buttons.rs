//! Merge buttons. What each does, git says.

use super::Done;
use super::dice::Dice;
use super::repositories::{git, git_ok};
use super::taken_back;
use super::team::{CANDIDATES, MAIN, Team, conflicts, upstream_of};
use super::trees::{self, minus, of, show};
use skillgraft::git::{Oid, merge_base};
use skillgraft::ops;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Button {
    Merge,
    Squash,
    Rebase,
    /// Only the first commit, as with `git cherry-pick`.
    CherryPick,
    /// `skillgraft candidate accept`.
    Accept,
}

pub const ALL: [Button; 5] = [Button::Merge, Button::Squash, Button::Rebase, Button::CherryPick, Button::Accept];

/// Merges two commits as git does; none where they conflict.
pub fn merge_tree(team: &Team, base: Option<Oid>, one: Oid, two: Oid) -> Option<Oid> {
    let (one, two) = (one.to_string(), two.to_string());
    let base = base.map(|base| format!("--merge-base={base}"));
    let mut args = vec!["merge-tree", "--write-tree", "--no-messages"];
    args.extend(base.as_deref());
    args.extend([one.as_str(), two.as_str()]);
    let output = git(&team.desk(), &args);
    match output.status.code() {
        Some(0) => Some(Oid::parse(String::from_utf8(output.stdout).unwrap().trim()).unwrap()),
        Some(1) => None,
        _ => panic!("git {args:?}: {}", String::from_utf8_lossy(&output.stderr)),
    }
}

/// Applies the commits of `onto..head` one by one, merges left out, as `git rebase` and forges do.
fn replay(team: &mut Team, onto: Oid, head: Oid, most: usize) -> Option<Oid> {
    let range = format!("{onto}..{head}");
    let commits = git_ok(&team.desk(), &["rev-list", "--reverse", "--topo-order", "--no-merges", &range]);
    let mut at = onto;
    for commit in commits.lines().take(most) {
        let commit = Oid::parse(commit).unwrap();
        let parent = team.repository.store.commit(commit).unwrap().parents[0];
        let tree = merge_tree(team, Some(parent), at, commit)?;
        if tree != team.tree(at) {
            at = team.commit(tree, vec![at], "replayed");
        }
    }
    Some(at)
}

/// Presses a button on a candidate, and looks at what it did to the default branch.
pub fn press_on(team: &mut Team, skill: &str, button: Button) -> Result<&'static str, String> {
    let name = format!("{CANDIDATES}{skill}");
    let (main, head) = (team.main(), team.get(&name).expect("an open candidate"));
    let new = match button {
        Button::Merge => merge_tree(team, None, main, head).map(|tree| team.commit(tree, vec![main, head], "merge")),
        Button::Squash => merge_tree(team, None, main, head)
            .map(|tree| if tree == team.tree(main) { main } else { team.commit(tree, vec![main], "squash") }),
        Button::Rebase => replay(team, main, head, usize::MAX),
        Button::CherryPick => replay(team, main, head, 1),
        Button::Accept => return accept_one(team, skill, &name, main, head),
    };
    let Some(new) = new else { return Ok("conflicts") };
    if is_ancestor(team, head, main) {
        return Ok("was there");
    }
    team.set(MAIN, Some(new));
    landed(team, skill, &name, button, main, head)?;
    Ok("ok")
}

/// Tells whether commits of a branch that the default branch lacks are merges.
pub fn has_merges(team: &Team, head: Oid) -> bool {
    !git_ok(&team.desk(), &["rev-list", "--merges", &format!("{}..{head}", team.main())]).is_empty()
}

pub fn is_ancestor(team: &Team, commit: Oid, of: Oid) -> bool {
    merge_base(&team.repository.store, commit, of).unwrap() == Some(commit)
}

fn accept_one(team: &mut Team, skill: &str, name: &str, main: Oid, head: Oid) -> Result<&'static str, String> {
    let theirs = merge_tree(team, None, main, head);
    let base = merge_base(&team.repository.store, main, head).unwrap().expect("one history");
    let listed = team.entry(team.tree(head), skill).is_some_and(|entry| !conflicts(&entry).is_empty());
    let moved = team.skill_and_entry(team.tree(base), skill) != team.skill_and_entry(team.tree(main), skill);
    let offers_nothing = team.entry(team.tree(head), skill).is_none_or(|entry| !entry.contains_key("upstream"));
    // Although no sync has closed it yet.
    let unwanted = taken_back::is_unwanted(team, skill, head);
    let may_refuse = listed || moved || offers_nothing || unwanted || theirs.is_none() || is_ancestor(team, head, main);
    team.tick();
    match ops::accept::accept(&team.outside(), &[skill.to_owned()], &Team::on_main()) {
        Err(_) if may_refuse => Ok("refused"),
        Err(error) => Err(format!("accept refuses {skill}: {}", error.full_message())),
        Ok(_) if listed || moved => Err(format!("accept takes {skill}: conflicts {listed}, moved {moved}")),
        Ok(_) if unwanted && !team.foxtrot => Err(format!("accept takes {skill}, which the team does not want")),
        Ok(_) => {
            let (new, touched) = (team.main(), team.touched.contains(name));
            let parents = team.repository.store.commit(new).unwrap().parents.clone();
            if parents != [main, head] || !touched && theirs != Some(team.tree(new)) {
                return Err(format!("accept of {skill} made {new}, git makes tree {theirs:?}"));
            }
            landed(team, skill, name, Button::Accept, main, head)?;
            Ok("ok")
        }
    }
}

/// The laws of a merge: nobody's line is lost, upstream's change is there where the entry says so, and nothing else moved.
fn landed(team: &mut Team, skill: &str, name: &str, button: Button, old: Oid, head: Oid) -> Result<(), String> {
    let new = team.main();
    let (old_tree, new_tree, head_tree) = (team.tree(old), team.tree(new), team.tree(head));
    let store = &team.repository.store;
    let now = team.reader.tree(store, new_tree);
    let whole = button != Button::CherryPick;
    let mut wanted = of(&team.reader.tree(store, old_tree), b'P');
    if whole {
        wanted.extend(of(&team.reader.tree(store, head_tree), b'P'));
    }
    // What a person took out on the candidate goes with it, although somebody put it back on the default branch since.
    let taken_out = team.removed_on.get(name).cloned().unwrap_or_default();
    team.removed.extend(minus(&taken_out, &now));
    let here = team.reader.skill(store, new_tree, skill);
    team.removed_from.entry(skill.to_owned()).or_default().extend(minus(&taken_out, &here));
    // Where a reviewer and the default branch wrote the same key of the entry, the reviewer's word is carried (RULES).
    let entry = format!("skills/{skill}.toml");
    let mut written = |tree| {
        let place = skillgraft::git::entry_at(store, tree, &trees::path(&entry)).unwrap();
        of(&team.reader.tree(store, trees::with(store, store.empty_tree(), &entry, place)), b'P')
    };
    let (ours, theirs) = (written(old_tree), written(head_tree));
    if !minus(&theirs, &ours).is_empty() {
        team.removed.extend(minus(&ours, &now));
    }
    let lost = minus(&minus(&wanted, &now), &team.removed);
    if !lost.is_empty() {
        return Err(format!("{button:?} of {skill} lost {} from the default branch", show(&lost)));
    }
    let fresh = !team.dirty.contains(skill)
        && team.last.get(name).is_some_and(|left| left.action != "left" && left.action != "edited");
    let entries = (team.entry(old_tree, skill), team.entry(new_tree, skill));
    if fresh
        && let (before, Some(entry)) = &entries
        && conflicts(entry).is_empty()
    {
        let store = &team.repository.store;
        let words = |reader: &mut trees::Reader, entry: &toml::Table| {
            let tree = upstream_of(entry, "git_tree").map(|id| Oid::parse(&id).unwrap());
            tree.filter(|tree| store.contains(*tree)).map_or(trees::Words::new(), |tree| reader.tree(store, tree))
        };
        let offered = words(&mut team.reader, entry);
        let base = before.as_ref().map_or(trees::Words::new(), |entry| words(&mut team.reader, entry));
        let here = team.reader.skill(store, new_tree, skill);
        let missing = minus(&minus(&minus(&offered, &base), &here), &team.removed_from(skill));
        let missing = minus(&missing, &taken_out);
        if !missing.is_empty() {
            return Err(format!(
                "{button:?} of {skill}: the entry accepts upstream, but {} is not here",
                show(&missing)
            ));
        }
    }
    // Where files of the skill are gone since, git looks for places that they were renamed to, and may find any.
    let base = merge_base(store, old, head).unwrap().map_or(store.empty_tree(), |base| team.tree(base));
    let files = |tree| team.skill_and_entry(tree, skill).0.map(|skill| trees::files(store, skill)).unwrap_or_default();
    let there = files(old_tree);
    let are_gone = files(base).keys().any(|file| !there.contains_key(file));
    if are_gone {
        // What upstream changed in them may be in any place, too, and the entry says all the same that it is accepted.
        let offered = team.reader.skill(store, head_tree, skill);
        let here = team.reader.skill(store, new_tree, skill);
        team.removed.extend(minus(&of(&offered, b'U'), &here));
    } else if !team.touched.contains(name) {
        let elsewhere = trees::differences(store, old_tree, new_tree).into_iter().find(|path| !belongs_to(path, skill));
        if let Some(path) = elsewhere {
            return Err(format!("{button:?} of the unedited candidate of {skill} changed {path}"));
        }
    }
    team.mark_dirty(old_tree, new_tree);
    Ok(())
}

/// Tells whether an unedited candidate of the skill may change that path.
pub fn belongs_to(path: &str, skill: &str) -> bool {
    path.starts_with(&format!("skills/{skill}/"))
        || path == format!("skills/{skill}.toml")
        || path.starts_with("licenses/sp/")
}

/// A button on any candidate; what lists conflicts is only now and then merged all the same.
pub fn press(team: &mut Team, dice: &mut Dice) -> Done {
    let button = *dice.pick(&ALL[..4]).unwrap();
    press_any(team, dice, button)
}

pub fn accept(team: &mut Team, dice: &mut Dice) -> Done {
    press_any(team, dice, Button::Accept)
}

fn press_any(team: &mut Team, dice: &mut Dice, button: Button) -> Done {
    let Some((name, skill)) = dice.pick(&team.candidates()).cloned() else { return Ok(None) };
    let head = team.get(&name).expect("listed");
    let entry = team.entry(team.tree(head), &skill);
    let listed = entry.as_ref().is_some_and(|entry| !conflicts(entry).is_empty());
    let offers = entry.and_then(|entry| upstream_of(&entry, "accepted"));
    let delete = dice.chance(50);
    if listed && !dice.chance(30) {
        return Ok(None);
    }
    let outcome = press_on(team, &skill, button)?;
    team.count(&format!("button {button:?} {outcome}"));
    if outcome == "ok" && delete && button != Button::Accept && team.head_branch() != name {
        if let Some(offers) = offers {
            team.taken.delete(&skill, offers, true);
        }
        team.set(&name, None);
    }
    if team.get(&name).is_none() {
        team.touched.remove(&name);
    }
    Ok(Some(format!("{button:?} {skill} -> {outcome}{}", if delete { ", branch deleted" } else { "" })))
}

/// Somebody takes only some of a candidate's files: `git checkout <branch> -- <file>...`, with its entry or without.
pub fn take_some_files(team: &mut Team, dice: &mut Dice) -> Done {
    let Some((name, skill)) = dice.pick(&team.candidates()).cloned() else { return Ok(None) };
    let (main, theirs) = (team.main_tree(), team.tree(team.get(&name).expect("listed")));
    let entry = team.entry(theirs, &skill);
    if team.skills().iter().all(|there| *there != skill)
        || entry.as_ref().is_none_or(|entry| !conflicts(entry).is_empty())
    {
        return Ok(None);
    }
    let store = &team.repository.store;
    let of_skill = |path: &String| path.starts_with(&format!("skills/{skill}/"));
    let mut taken: Vec<String> = trees::differences(store, main, theirs).into_iter().filter(of_skill).collect();
    taken.retain(|_| dice.chance(50));
    let with_entry = dice.chance(40);
    taken.extend(with_entry.then(|| format!("skills/{skill}.toml")));
    let take = |tree, path: &String| {
        let place = skillgraft::git::entry_at(store, theirs, &trees::path(path)).unwrap();
        trees::with(store, tree, path, place)
    };
    let tree = taken.iter().fold(main, take);
    if tree == main {
        return Ok(None);
    }
    if with_entry {
        // Whoever takes the entry says that the rest of the update is not wanted.
        team.lost_on_purpose(theirs, tree);
        let offered = entry.and_then(|entry| upstream_of(&entry, "git_tree")).map(|id| Oid::parse(&id).unwrap());
        offered.into_iter().for_each(|offered| team.lost_on_purpose(offered, tree));
    }
    team.commit_to_main(tree, "some files");
    Ok(Some(format!("{skill} {taken:?}")))
}

/// The forge's "Update branch": merges the default branch into a candidate.
pub fn update_branch(team: &mut Team, dice: &mut Dice) -> Done {
    let Some((name, skill)) = dice.pick(&team.candidates()).cloned() else { return Ok(None) };
    let (main, head) = (team.main(), team.get(&name).expect("listed"));
    if is_ancestor(team, main, head) {
        return Ok(None);
    }
    let Some(tree) = merge_tree(team, None, head, main) else { return Ok(Some(format!("{skill} conflicts"))) };
    moved_under(team, &name, &skill, main, head);
    let commit = team.commit(tree, vec![head, main], "update branch");
    team.set(&name, Some(commit));
    Ok(Some(skill))
}

pub fn rebase_a_candidate(team: &mut Team, dice: &mut Dice) -> Done {
    let Some((name, skill)) = dice.pick(&team.candidates()).cloned() else { return Ok(None) };
    let (main, head) = (team.main(), team.get(&name).expect("listed"));
    let Some(new) = replay(team, main, head, usize::MAX) else { return Ok(Some(format!("{skill} conflicts"))) };
    if new == main {
        return Ok(None);
    }
    moved_under(team, &name, &skill, main, head);
    team.set(&name, Some(new));
    Ok(Some(skill))
}

/// Where the skill itself moved, git's merge need not be the tool's, and then counts as a person's work.
fn moved_under(team: &mut Team, name: &str, skill: &str, main: Oid, head: Oid) {
    let base = merge_base(&team.repository.store, main, head).unwrap().expect("one history");
    if team.skill_and_entry(team.tree(base), skill) != team.skill_and_entry(team.tree(main), skill) {
        team.touched.insert(name.to_owned());
    }
}
