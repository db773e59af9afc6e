//! `candidate retry` where there is a remote: it writes here, a person publishes, and what is said says how.

use crate::push::{upstream_moves, world};
use crate::support::World;

const BRANCH: &str = "candidate/up/deploy";

/// An update that was pushed, and declined in `here`. Another runner has closed its branch; `here` has not pruned it yet.
fn declined() -> World {
    let world = world();
    upstream_moves(&world, "deploy", "v2");
    world.sync_in("here", &["--push"]);
    world.git("here", &["fetch", "-q"]);
    world.run_in("here", &["candidate", "decline", "deploy", "--reason", "early"]).ok();
    world.git("here", &["push", "-q"]);
    assert_eq!(world.sync_in("there", &["--push"]).action("deploy"), "closed");
    world
}

/// Runs the commands of a hint, one after the other.
fn obey(world: &World, dir: &str, commands: &str) {
    for command in commands.split(", ").map(|command| command.trim_start_matches("then: ")) {
        let words: Vec<&str> = command.split_whitespace().collect();
        match words[0] {
            "git" => drop(world.git(dir, &words[1..])),
            "skillgraft" => drop(world.run_in(dir, &words[1..]).ok()),
            other => panic!("{other} is no command: {commands}"),
        }
    }
}

#[test]
fn a_push_that_holds_an_update_back_names_the_commands_that_publish_it_and_they_do() {
    let world = declined();
    world.git("here", &["fetch", "-q", "--prune"]);
    let synced = world.sync_in("here", &["--push"]);
    let hint = synced.skill("deploy")["notice"]["hint"].as_str().unwrap();
    assert_eq!(
        hint,
        "to propose it all the same: skillgraft candidate retry deploy, then: git push origin candidate/up/deploy"
    );
    obey(&world, "here", hint.strip_prefix("to propose it all the same: ").unwrap());
    let synced = world.sync_in("there", &["--push"]);
    assert_eq!((synced.action("deploy"), synced.skill("deploy")["hold"].as_str()), ("kept", None));
    assert_eq!(world.rev("remote.git", BRANCH), world.rev("here", BRANCH));
}

#[test]
fn retry_says_how_to_publish_its_branch_and_said_twice_that_it_is_not_published_yet() {
    let world = declined();
    world.git("here", &["fetch", "-q", "--prune"]);
    let said = world.run_in("here", &["candidate", "retry", "deploy"]).ok();
    said.says(&["skillgraft candidate show deploy", "git push origin candidate/up/deploy"]);
    assert_eq!(
        world.sync_in("here", &["--push"]).action("deploy"),
        "held",
        "a push publishes nothing that only a clone has"
    );
    let said = world.run_in("here", &["candidate", "retry", "deploy"]).ends_with(2);
    said.says(&["open candidate already, here and not on origin", "publish it: git push origin candidate/up/deploy"]);
    world.git("here", &["push", "-q", "origin", BRANCH]);
    assert_eq!(world.sync_in("here", &["--push"]).action("deploy"), "kept");
    let said = world.run_in("here", &["candidate", "retry", "deploy"]).ends_with(2);
    said.says(&["`deploy` has an open candidate already\n", "skillgraft candidate show deploy"]);
}

#[test]
fn where_the_remotes_branch_is_still_known_here_retry_and_show_say_the_same_and_what_they_say_works() {
    let world = declined();
    let listed = world.run_in("here", &["--json", "candidate", "list"]).ok().json();
    assert_eq!(listed["candidates"][0]["state"], "declined", "nobody has pruned");
    let refused = world.run_in("here", &["candidate", "retry", "deploy"]).ends_with(2);
    let refused = refused.says(&["candidate/up/deploy stands still; the update that it offers is declined"]);
    let commands = "git push origin main, skillgraft sync --push, git fetch --prune origin";
    let refused = refused.says(&[&format!("run one after the other: {commands}, skillgraft candidate retry deploy")]);
    drop(refused);
    let shown = world.run_in("here", &["candidate", "show", "deploy"]).ok();
    shown.says(&[&format!("next: {commands}; to propose it all the same, then: skillgraft candidate retry deploy")]);
    obey(&world, "here", &format!("{commands}, skillgraft candidate retry deploy, git push origin {BRANCH}"));
    assert_eq!(world.sync_in("there", &["--push"]).action("deploy"), "kept");
}

#[test]
fn a_held_branch_that_only_this_clone_has_gives_way_to_retry() {
    let world = crate::sync::world();
    crate::holds::deploy(&world, "v2");
    world.sync();
    world.git("registry", &["merge", "-q", "--squash", BRANCH]);
    world.commit("registry", "squashed");
    world.git("registry", &["revert", "--no-edit", "HEAD"]);
    let before = world.rev("registry", BRANCH);
    world.run(&["candidate", "show", "deploy"]).ok().says(&["next: skillgraft sync up; to propose it all the same"]);
    world.run(&["candidate", "retry", "deploy"]).ok();
    assert_eq!(world.rev("registry", &format!("{BRANCH}~1")), world.head("registry"));
    assert_eq!(world.rev("registry", "refs/skillgraft/superseded/up/deploy"), before);
    assert_eq!(world.sync().action("deploy"), "kept");
}

#[test]
fn a_held_branch_with_edits_is_left_and_the_way_to_do_without_it_is_named() {
    let world = crate::sync::world();
    crate::holds::deploy(&world, "v2");
    world.sync();
    let edited = world.review(BRANCH, &[("skills/deploy/reviewed.md", "a thought\n")]);
    world.run(&["candidate", "decline", "deploy", "--reason", "early"]).ok();
    let said = world.run(&["candidate", "retry", "deploy"]).ends_with(2);
    said.says(&[
        "stands still, with edits of people",
        "git branch -D candidate/up/deploy, skillgraft candidate retry deploy",
    ]);
    assert_eq!(world.rev("registry", BRANCH), edited);
    obey(&world, "registry", &format!("git branch -D {BRANCH}, skillgraft candidate retry deploy"));
    assert_eq!(world.sync().action("deploy"), "kept");
}

#[test]
fn a_branch_of_somebodys_own_that_has_the_name_is_no_candidate_and_stays() {
    let world = crate::sync::world();
    crate::holds::deploy(&world, "v2");
    world.sync();
    world.run(&["candidate", "decline", "deploy", "--reason", "early"]).ok();
    world.git("registry", &["switch", "-q", "-c", BRANCH]);
    let own = world.registry(&[("notes.md", "mine\n")]);
    world.git("registry", &["switch", "-q", "main"]);
    let said = world.run(&["candidate", "retry", "deploy"]).ends_with(2);
    said.says(&["is somebody's own branch, not a candidate", "git branch -m candidate/up/deploy NEW-NAME"]);
    assert_eq!(world.rev("registry", BRANCH), own);
    world.git("registry", &["branch", "-m", BRANCH, "mine"]);
    world.run(&["candidate", "retry", "deploy"]).ok();
}

#[test]
fn accept_refuses_what_the_team_took_back_as_it_refuses_what_it_declined() {
    for kind in ["reverted", "declined"] {
        let world = crate::sync::world();
        crate::holds::deploy(&world, "v2");
        world.sync();
        world.git("registry", &["branch", "kept", BRANCH]);
        match kind {
            "declined" => drop(world.run(&["candidate", "decline", "deploy", "--reason", "early"]).ok()),
            _ => {
                world.git("registry", &["merge", "-q", "--squash", BRANCH]);
                world.commit("registry", "squashed");
                world.git("registry", &["revert", "--no-edit", "HEAD"]);
            }
        }
        world.git("registry", &["branch", "-f", BRANCH, "kept"]);
        let head = world.head("registry");
        let said = world.run(&["candidate", "accept", "deploy"]).ends_with(1);
        said.says(&[&format!("the update of `deploy` was {kind}"), "skillgraft candidate retry deploy"]);
        assert_eq!(world.head("registry"), head);
        world.run(&["candidate", "retry", "deploy"]).ok();
        world.run(&["candidate", "accept", "deploy"]).ok();
        assert_eq!(world.sync().class("deploy"), "unchanged");
    }
}

/// Puts a commit that has nothing to do with the registry in the place of the candidate.
fn unrelated(world: &World, dir: &str) {
    let tree = world.git_with(dir, &["mktree"], b"");
    let commit = world.git(dir, &["commit-tree", &tree, "-m", "quite something else"]);
    world.git(dir, &["branch", "-f", BRANCH, &commit]);
}

#[test]
fn a_branch_of_which_nothing_can_be_told_gives_way_to_a_new_one_by_the_commands_that_are_named() {
    let told = "merge the branch as it is, or have a new one instead: ";
    let world = crate::sync::world();
    crate::holds::deploy(&world, "v2");
    world.sync();
    unrelated(&world, "registry");
    let synced = world.sync();
    let hint = synced.skill("deploy")["notice"]["hint"].as_str().unwrap().strip_prefix(told).unwrap();
    world.run(&["candidate", "show", "deploy"]).ends_with(2).says(&[hint]);
    obey(&world, "registry", hint);
    assert_eq!((world.sync().action("deploy"), world.branches("registry", BRANCH).len()), ("kept", 1));

    let world = crate::push::world();
    upstream_moves(&world, "deploy", "v2");
    world.sync_in("here", &["--push"]);
    unrelated(&world, "there");
    world.git("there", &["push", "-q", "--force", "origin", BRANCH]);
    let synced = world.sync_in("here", &["--push"]);
    let hint = synced.skill("deploy")["notice"]["hint"].as_str().unwrap().strip_prefix(told).unwrap().to_owned();
    world.git("here", &["fetch", "-q"]);
    let of_clone = hint.strip_suffix(&format!(", then: git push origin {BRANCH}")).unwrap();
    world.run_in("here", &["candidate", "show", "deploy"]).ends_with(2).says(&[of_clone]);
    obey(&world, "here", &hint);
    assert_eq!(world.sync_in("here", &["--push"]).action("deploy"), "kept");
}
