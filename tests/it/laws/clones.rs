//! Other clones of the same registry.

use super::Done;
use super::dice::Dice;
use super::repositories::{Clone, borrow, git, git_ok, outside};
use super::team::{CANDIDATES, MAIN, MIRROR, Team};
use super::trees::{self, Words, minus, of, show};
use skillgraft::git::{NewCommit, Oid, Repository, merge_base};
use skillgraft::ops::Outside;
use std::collections::BTreeMap;

type Checked<T = ()> = Result<T, String>;
type Refs = BTreeMap<String, Oid>;

/// Law 6: another clone of the same state, with all refs or only with remote-tracking ones, comes to the same ids.
pub fn twins(team: &Team, refs: &Refs) -> Vec<(&'static str, Refs)> {
    let lender = team.desk().join(".git");
    [("twin", Clone::Whole), ("fresh", Clone::Fresh { main: MAIN })]
        .into_iter()
        .map(|(name, kind)| {
            let dir = team.path(name);
            borrow(&dir, &lender, refs, kind);
            // Another time of the same day.
            let theirs = Outside { today: team.today(), ..outside(&dir, team.clock + 5) };
            team.sync(&theirs, false);
            (name, Repository::open(&dir).unwrap().refs.list("refs/").unwrap())
        })
        .collect()
}

/// Tells whether a branch has edits only, because its update was taken apart from them and it was rebased: nothing but what a
/// clone remembers tells then that it was a candidate, and a fresh one leaves it alone.
fn moves_no_entry(team: &Team, head: &Oid, skill: &str) -> bool {
    let base = merge_base(&team.repository.store, team.main(), *head).unwrap().expect("one history");
    let entry = |commit| team.skill_and_entry(team.tree(commit), skill).1;
    entry(base) == entry(*head)
}

pub fn check_twins(team: &mut Team, after: &Refs, twins: Vec<(&'static str, Refs)>) -> Checked {
    for (name, theirs) in twins {
        team.count("compared with another clone");
        if name == "twin" {
            if theirs != *after {
                return Err(format!("a clone of the same state came to\n{theirs:#?}\nnot to\n{after:#?}"));
            }
            continue;
        }
        for (name, ours) in after.iter().filter(|(name, _)| name.starts_with(CANDIDATES) || *name == MIRROR) {
            let tracking = name.replacen("refs/heads/", "refs/remotes/origin/", 1);
            let here = theirs.get(name).or_else(|| theirs.get(&tracking));
            if here != Some(ours) && !here.is_some_and(|head| moves_no_entry(team, head, &name[CANDIDATES.len()..])) {
                return Err(format!("a fresh clone has {name} at {here:?}, not at {ours}"));
            }
        }
    }
    Ok(())
}

/// Two clones with a bare remote between them, which plain git alone fills. One has the registry as it is; the other
/// had it some syncs ago, syncs that, and fetches late. People edit candidates in both.
pub fn two_clones(team: &mut Team, dice: &mut Dice) -> Done {
    let (now, earlier) = (heads(&team.refs()), team.earlier.clone());
    let (Some(old), main) = (earlier.get(MAIN).copied(), team.main()) else { return Ok(None) };
    if merge_base(&team.repository.store, old, main).unwrap() != Some(old) || super::oracle::is_away(team) {
        return Ok(None);
    }
    if !super::oracle::is_evidence(team) {
        // Each sync counts that the source failed.
        return Ok(None);
    }
    let lender = team.desk().join(".git");
    borrow(&team.path("hub"), &lender, &now, Clone::Whole);
    for (name, refs) in [("early", &now), ("late", &earlier)] {
        borrow(&team.path(name), &lender, refs, Clone::Fresh { main: MAIN });
        git_ok(&team.path(name), &["config", "remote.origin.url", "../hub"]);
    }
    let mut said =
        vec![format!("{} commits late", git_ok(&team.desk(), &["rev-list", "--count", &format!("{old}..{main}")]))];
    for name in ["early", "late"] {
        sync_in(team, name)?;
        if dice.chance(50) {
            said.extend(review_in(team, dice, name));
        }
    }
    push(team, "early", true);
    for _ in 0..2 {
        for name in ["late", "early"] {
            fetch(team, name);
            sync_in(team, name)?;
            push(team, name, name == "early" && said.len() == 1);
        }
    }
    if said.len() == 1 {
        fetch(team, "late");
        sync_in(team, "late")?;
        agree(team)?;
        team.count("two clones that agreed");
    }
    Ok(Some(said.join(", ")))
}

/// Two runners that push to a bare remote, the second with a stale default branch: the first makes of the remote what one
/// clone with these refs would have made of them, and the second has nothing to push.
pub fn two_runners(team: &mut Team, _: &mut Dice) -> Done {
    if !super::oracle::is_evidence(team) {
        // Each runner counts that the source failed.
        return Ok(None);
    }
    let now = team.refs();
    let earlier = if team.earlier.contains_key(MAIN) { team.earlier.clone() } else { now.clone() };
    let lender = team.desk().join(".git");
    for name in ["hub", "alone"] {
        borrow(&team.path(name), &lender, &now, Clone::Whole);
    }
    for (name, refs) in [("first", &now), ("second", &earlier)] {
        borrow(&team.path(name), &lender, refs, Clone::Fresh { main: MAIN });
        git_ok(&team.path(name), &["config", "remote.origin.url", "../hub"]);
    }
    team.tick();
    team.sync(&outside(&team.path("alone"), team.clock), false);
    let counting = |name: &str| -> Refs {
        let mut refs = open(team, name).refs.list("refs/").unwrap();
        refs.retain(|name, _| name != "refs/skillgraft/tagged");
        refs
    };
    let alone = counting("alone");
    for (name, pushes) in [("first", true), ("second", false)] {
        let report = team.push(&outside(&team.path(name), team.clock));
        let hub = counting("hub");
        if hub != alone {
            return Err(format!("after {name} pushed, the remote is at\n{hub:#?}\nand a sync alone at\n{alone:#?}"));
        }
        let pushed = report.pushed.map_or(0, |pushed| pushed.refs);
        if !pushes && pushed > 0 {
            return Err(format!("the second runner pushed {pushed} refs"));
        }
    }
    team.count("two runners that agreed");
    Ok(Some("push".into()))
}

fn heads(refs: &Refs) -> Refs {
    refs.iter().filter(|(name, _)| name.starts_with("refs/heads/")).map(|(name, id)| (name.clone(), *id)).collect()
}

fn open(team: &Team, name: &str) -> Repository {
    Repository::open(&team.path(name)).unwrap()
}

/// Law 1 for candidates in every clone, and law 3.
fn sync_in(team: &mut Team, name: &str) -> Checked {
    team.tick();
    let before = words(team, name);
    let report = team.sync(&outside(&team.path(name), team.clock), false);
    if let Some(error) = report.sources[0].skills.iter().find_map(|skill| skill.error.as_ref()) {
        return Err(format!("the sync in {name}: {error:?}"));
    }
    let lost = minus(&minus(&before, &words(team, name)), &team.removed);
    if !lost.is_empty() {
        return Err(format!("the sync in {name} lost {}", show(&lost)));
    }
    let refs = open(team, name).refs.list("refs/").unwrap();
    team.sync(&outside(&team.path(name), team.clock), false);
    let again = open(team, name).refs.list("refs/").unwrap();
    if refs == again { Ok(()) } else { Err(format!("the second sync in {name} moved {refs:#?} to {again:#?}")) }
}

/// What people wrote that is on the default branch or on a candidate, here or as known of the remote.
fn words(team: &mut Team, name: &str) -> Words {
    let clone = open(team, name);
    let mut words = Words::new();
    for (name, id) in clone.refs.list("refs/").unwrap() {
        let is_own = name.starts_with("refs/skillgraft/") || name.starts_with("refs/tags/");
        if !is_own {
            words.extend(of(&team.reader.tree(&clone.store, clone.store.commit(id).unwrap().tree), b'P'));
        }
    }
    words
}

/// Somebody edits a candidate in their clone.
fn review_in(team: &mut Team, dice: &mut Dice, name: &str) -> Option<String> {
    let clone = open(team, name);
    let open: Vec<(String, Oid)> = clone.refs.list(CANDIDATES).unwrap().into_iter().collect();
    let (branch, head) = dice.pick(&open).cloned()?;
    let (word, skill) = (team.word('P'), branch[CANDIDATES.len()..].to_owned());
    let tree = clone.store.commit(head).unwrap().tree;
    let directory = trees::directory_at(&clone.store, tree, &format!("skills/{skill}"))?;
    let (changed, what) = trees::change_skill(&clone.store, directory, dice, &word);
    let place = trees::directory(&clone.store, Some(changed));
    let new = trees::with(&clone.store, tree, &format!("skills/{skill}"), place);
    // What a person takes out in one of two clones is taken out in both.
    let gone = minus(&team.reader.tree(&clone.store, tree), &team.reader.tree(&clone.store, new));
    team.removed.extend(gone);
    let who = format!("Person <person@acme.example> {} +0000", team.tick());
    let commit =
        NewCommit { tree: new, parents: vec![head], author: who.clone(), committer: who, message: "review\n".into() };
    let commit = clone.store.write_commit(&commit).unwrap();
    clone.store.flush().unwrap();
    git_ok(&team.path(name), &["update-ref", &branch, &commit.to_string()]);
    Some(format!("{name} edits {skill}: {what}"))
}

/// Without force the remote takes only what goes on from what it has.
fn push(team: &Team, name: &str, force: bool) {
    let plus = if force { "+" } else { "" };
    let candidates = format!("{plus}refs/heads/candidate/*:refs/heads/candidate/*");
    git(&team.path(name), &["push", "-q", "origin", "refs/heads/mirror/*:refs/heads/mirror/*", &candidates]);
}

fn fetch(team: &Team, name: &str) {
    git_ok(&team.path(name), &["fetch", "-q", "--prune", "origin"]);
    git_ok(&team.path(name), &["update-ref", MAIN, "refs/remotes/origin/main"]);
}

/// Law 6: what nobody edited is the same in both clones.
fn agree(team: &Team) -> Checked {
    let counting = |name: &str| -> Refs {
        let clone = open(team, name);
        let mut refs = heads(&clone.refs.list("refs/").unwrap());
        refs.retain(|name, _| name == MIRROR || name.starts_with(CANDIDATES));
        for (tracking, remote) in clone.refs.list("refs/remotes/origin/").unwrap() {
            let branch = tracking.replacen("remotes/origin", "heads", 1);
            if branch != MIRROR && !branch.starts_with(CANDIDATES) {
                continue;
            }
            let is_ahead = |local: &Oid| merge_base(&clone.store, *local, remote).unwrap() == Some(remote);
            if !refs.get(&branch).is_some_and(is_ahead) {
                refs.insert(branch, remote);
            }
        }
        refs
    };
    let (early, late) = (counting("early"), counting("late"));
    if early == late { Ok(()) } else { Err(format!("two clones of one remote: {early:#?}\nand late: {late:#?}")) }
}
