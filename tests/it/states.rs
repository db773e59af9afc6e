//! The states of candidates: derived from refs, trees and entries, so that every clone says the same. And updates that
//! contain what the team reverted or declined.

use crate::holds::{deploy, merge};
use crate::support::{World, skill};
use crate::sync::{lines, world};
use serde_json::{Value, json};

const FILE: &str = "skills/deploy/SKILL.md";
const BRANCH: &str = "candidate/up/deploy";

/// Commits an edit on the candidate's branch, as a reviewer does.
fn review(world: &World, files: &[(&str, &str)]) {
    world.git("registry", &["switch", "-q", BRANCH]);
    world.registry(files);
    world.git("registry", &["switch", "-q", "main"]);
}

/// Asserts what this clone and a fresh one say of the candidate of `deploy`.
#[track_caller]
fn both_say(world: &World, state: &str) -> Value {
    world.git("", &["clone", "-q", "registry", "second"]);
    let ask = |dir: &str| {
        let run = world.run_in(dir, &["--json", "candidate", "list"]).ok();
        run.json()["candidates"].as_array().unwrap().iter().find(|one| one["skill"] == "deploy").unwrap().clone()
    };
    let (here, there) = (ask("registry"), ask("second"));
    assert_eq!(here["state"], state, "{here:#}");
    assert_eq!(here, there);
    std::fs::remove_dir_all(world.path("second")).unwrap();
    world.run(&["candidate", "list"]).ok();
    here
}

/// A world with an open candidate.
fn open() -> World {
    let world = world();
    deploy(&world, "v2");
    world.sync();
    world
}

#[test]
fn a_candidate_that_is_the_tools_own_is_open() {
    both_say(&open(), "open");
}

#[test]
fn one_that_lists_a_conflict_is_conflicted() {
    let world = world();
    world.registry(&[(FILE, &lines("first", "ours"))]);
    deploy(&world, "theirs");
    world.sync();
    both_say(&world, "conflicted");
}

#[test]
fn one_that_people_changed_is_edited() {
    let world = open();
    review(&world, &[(FILE, &lines("reviewed", "v2"))]);
    both_say(&world, "edited");
}

#[test]
fn one_that_peoples_edits_were_applied_to_is_carried() {
    let world = open();
    review(&world, &[(FILE, &lines("reviewed", "v2"))]);
    deploy(&world, "v3");
    assert_eq!(world.sync().action("deploy"), "carried");
    both_say(&world, "carried");
    // One more edit on top, and main merged in, leave it so.
    review(&world, &[("skills/deploy/more.md", "more\n")]);
    world.registry(&[("README.md", "the team's\n")]);
    world.git("registry", &["switch", "-q", BRANCH]);
    world.git("registry", &["merge", "-q", "--no-edit", "main"]);
    world.git("registry", &["switch", "-q", "main"]);
    both_say(&world, "carried");
}

#[test]
fn one_whose_whole_change_is_on_the_default_branch_is_accepted_by_any_button() {
    for squash in [false, true] {
        let world = open();
        if squash {
            world.git("registry", &["merge", "-q", "--squash", BRANCH]);
            world.commit("registry", "squashed");
        } else {
            merge(&world, BRANCH);
        }
        both_say(&world, "accepted");
        assert_eq!(world.json(&["status"])["candidates"], json!([]), "nothing awaits anybody");
        // What the team does to it afterwards takes nothing back.
        world.registry(&[(FILE, &lines("ours", "v2"))]);
        both_say(&world, "accepted");
        assert_eq!(world.sync().action("deploy"), "closed");
    }
}

#[test]
fn one_of_which_a_part_is_on_the_default_branch_is_partly_accepted() {
    // A file of two, picked by hand.
    let world = world();
    world.upstream(&[(FILE, &lines("first", "v2")), ("skills/deploy/more.md", "more\n")]);
    world.sync();
    world.git("registry", &["checkout", "-q", BRANCH, "--", "skills/deploy/more.md"]);
    world.commit("registry", "only this file");
    both_say(&world, "partly_accepted");
    // An edit that came after the merge.
    let world = open();
    merge(&world, BRANCH);
    review(&world, &[(FILE, &lines("reviewed too late", "v2"))]);
    both_say(&world, "partly_accepted");
    assert_eq!(world.sync().action("deploy"), "left", "somebody's edit is never deleted");
    both_say(&world, "partly_accepted");
}

#[test]
fn one_whose_update_was_declined_is_declined() {
    let world = open();
    review(&world, &[(FILE, &lines("reviewed", "v2"))]);
    world.run(&["candidate", "decline", "deploy", "--reason", "too early"]).ok();
    both_say(&world, "declined");
    let shown = world.run(&["candidate", "show", "deploy"]).ok();
    assert!(shown.stdout.contains("(declined)") && shown.stderr.contains("skillgraft candidate retry deploy"));
    // Excluded in the source is declined for good.
    let world = open();
    review(&world, &[(FILE, &lines("reviewed", "v2"))]);
    world.run(&["candidate", "decline", "deploy", "--reason", "never", "--always"]).ok();
    both_say(&world, "declined");
}

#[test]
fn one_whose_update_was_taken_back_is_reverted_and_a_retried_one_is_open() {
    let world = open();
    let merged = merge(&world, BRANCH);
    world.git("registry", &["revert", "--no-edit", "-m", "1", &merged]);
    both_say(&world, "reverted");
    world.sync();
    world.run(&["candidate", "retry", "deploy"]).ok();
    both_say(&world, "open");
}

#[test]
fn one_that_sync_would_make_again_is_stale() {
    let world = open();
    world.registry(&[(FILE, &lines("ours", "last"))]);
    assert_eq!(both_say(&world, "stale")["edited"], false);
    world.sync();
    both_say(&world, "open");
}

#[test]
fn an_update_that_contains_a_reverted_one_says_so_until_it_is_accepted() {
    let world = open();
    let merged = merge(&world, BRANCH);
    world.git("registry", &["revert", "--no-edit", "-m", "1", &merged]);
    let revert = world.head("registry");
    let revision = world.head("upstream");
    assert_eq!(world.sync().skill("deploy")["contains"], json!([]), "it is held, not offered");
    deploy(&world, "v3");
    let synced = world.sync();
    let contains = synced.skill("deploy")["contains"].clone();
    let subject = format!("Revert \"{}\"", world.git("registry", &["log", "-1", "--format=%s", &merged]));
    let is = json!([{
        "kind": "reverted", "upstream": contains[0]["upstream"], "revision": revision,
        "reason": subject, "by": "Pat Person", "commit": revert,
    }]);
    assert_eq!(contains, is);
    assert_eq!(world.json(&["candidate", "show", "deploy"])["contains"], is);
    assert_eq!(world.sync().skill("deploy")["contains"], is, "a second sync says it too");
    let said = format!("this update contains the one of {}, which was reverted by Pat Person: Revert", &revision[..7]);
    world.run(&["sync"]).ok().says(&[&said]);
    assert!(world.run(&["candidate", "show", "deploy"]).ok().stdout.contains(&said));
    world.run(&["candidate", "accept", "deploy"]).ok();
    deploy(&world, "v4");
    assert_eq!(world.sync().skill("deploy")["contains"], json!([]), "the team has taken it with the other");
}

#[test]
fn an_update_that_contains_a_declined_one_says_why_and_by_whom() {
    let world = open();
    let declined = world.json(&["candidate", "show", "deploy"])["upstream"].clone();
    world.run(&["candidate", "decline", "deploy", "--reason", "deletes backups"]).ok();
    deploy(&world, "v3");
    deploy(&world, "v4");
    let synced = world.sync();
    let contains = &synced.skill("deploy")["contains"];
    // The mirror saw v2 and v4; what it never saw, nobody can tell.
    assert_eq!(contains[0]["upstream"], declined);
    assert_eq!((&contains[0]["kind"], &contains[0]["reason"]), (&json!("declined"), &json!("deletes backups")));
    assert_eq!((&contains[0]["by"], &contains[0]["commit"]), (&json!("Pat Person"), &json!(null)));
    // A rollback is both: it names the version's update, with its reason.
    let world = open();
    world.run(&["candidate", "accept", "deploy"]).ok();
    world.run(&["rollback", "deploy", "--to", "v1", "--reason", "too strict"]).ok();
    deploy(&world, "v3");
    let synced = world.sync();
    let contains = synced.skill("deploy")["contains"].as_array().unwrap();
    assert_eq!((contains.len(), &contains[0]["reason"]), (1, &json!("too strict")));
    assert!(contains[0]["commit"].is_string());
}

#[test]
fn a_new_skill_and_a_removal_have_states_too() {
    let world = world();
    world.upstream(&[("skills/fresh/SKILL.md", &skill("fresh", "v1"))]);
    std::fs::remove_dir_all(world.path("upstream/skills/deploy")).unwrap();
    world.commit("upstream", "one comes, one goes");
    world.sync();
    both_say(&world, "open");
    let fresh = world.json(&["candidate", "show", "fresh"]);
    assert_eq!((&fresh["state"], &fresh["class"]), (&json!("open"), &json!("new")));
    merge(&world, BRANCH);
    both_say(&world, "accepted");
    review(&world, &[]);
    merge(&world, "candidate/up/fresh");
    assert_eq!(world.json(&["candidate", "show", "fresh"])["state"], "accepted");
}

#[test]
fn one_of_a_skill_whose_entry_cannot_be_read_has_no_state_and_is_not_called_new() {
    let world = open();
    let entry = world.read("registry/skills/deploy.toml");
    world.registry(&[("skills/deploy.toml", &format!("{entry}<<<<<<< HEAD\n"))]);
    for command in [&["candidate", "show", "deploy"], &["candidate", "accept", "deploy"]] {
        world.run(command).ends_with(2).says(&["skills/deploy.toml:", "edit skills/deploy.toml, commit it"]);
    }
    world.run(&["candidate", "list"]).says(&["skills/deploy.toml:"]);
    world.registry(&[("skills/deploy.toml", &entry)]);
    assert_eq!(world.json(&["candidate", "show", "deploy"])["state"], "open");
}
