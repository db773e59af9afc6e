//! Reasons can be read where people look: who holds an update back or paused something, why, and until when. And what an error
//! says to do works when it is pasted.

use crate::holds::{deploy, merge};
use crate::support::{Run, World, skill};
use crate::sync::{lines, world};
use serde_json::json;

const FILE: &str = "skills/deploy/SKILL.md";
const BRANCH: &str = "candidate/up/deploy";

/// A world with an open candidate.
fn open() -> World {
    let world = world();
    deploy(&world, "v2");
    world.sync();
    world
}

/// A world in which a reviewer edited the candidate, so that nothing deletes it.
fn edited() -> World {
    let world = open();
    world.review(BRANCH, &[(FILE, &lines("REV", "v2"))]);
    world
}

/// Runs the first command of each of the parts of a run's hint, as a shell would.
#[track_caller]
fn pastes(world: &World, run: &Run) {
    let hint =
        run.stderr.lines().find_map(|line| line.trim().strip_prefix("hint: ")).unwrap_or_else(|| panic!("{run:?}"));
    let commands = hint.split(", then: ").map(|part| part.rsplit_once(": ").map_or(part, |(_, command)| command));
    for command in commands {
        let (program, rest) = command.split_once(' ').unwrap();
        let args: Vec<String> = rest.split(' ').map(|word| word.trim_matches('\'').to_owned()).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        match program {
            "git" => drop(world.git("registry", &args)),
            "skillgraft" => drop(world.run(&args).ok()),
            other => panic!("{other} in {hint}"),
        }
    }
}

#[test]
fn who_declined_an_update_and_why_is_said_by_status_show_and_sync() {
    let world = open();
    world.run(&["candidate", "decline", "deploy", "--reason", "too early", "--until", "2999-01-01"]).ok();
    let said = "held: the team declined this update (by Pat Person until 2999-01-01: too early)";
    world.run(&["-v", "sync"]).ok().prints(&["deploy declined"].map(|_| "held")).says(&[said]);
    world.run(&["status"]).ok().says(&[&format!("deploy: {said}"), "skillgraft candidate retry deploy"]);
    world.run(&["status", "--exit-code"]).ok();
    world.run(&["show", "deploy"]).ok().prints(&["held      declined by Pat Person until 2999-01-01: too early"]);
    let held = json!({
        "kind": "declined", "by": "Pat Person", "reason": "too early", "until": "2999-01-01", "commit": null,
    });
    assert_eq!(world.sync().skill("deploy")["held"], held);
    let status = world.json(&["status"]);
    assert_eq!((&status["held_back"][0]["id"], &status["held_back"][0]["held"]), (&json!("deploy"), &held));
    assert_eq!(world.json(&["show", "deploy"])["held_back"]["held"], held);
}

#[test]
fn who_paused_something_and_why_is_said_by_status_and_show() {
    let world = world();
    world.run(&["pause", "deploy", "--reason", "waiting for 2.0", "--until", "2999-01-01"]).ok();
    let words = "by Pat Person since ";
    let run = world.run(&["status"]).ok().says(&["paused: deploy by Pat Person since "]);
    assert!(run.stderr.contains(" until 2999-01-01: waiting for 2.0"), "{}", run.stderr);
    world.run(&["show", "deploy"]).ok().prints(&[&format!("paused    {words}")]);
    assert_eq!(world.json(&["show", "deploy"])["pause"]["reason"], "waiting for 2.0");
    assert_eq!(world.sync().skill("deploy")["pause"]["until"], "2999-01-01");
    world.run(&["pause", "up", "--reason", "a freeze"]).ok();
    let run = world.run(&["status"]).ok().says(&["paused: source up is paused by Pat Person since "]);
    assert!(run.stderr.contains(": a freeze"), "{}", run.stderr);
    assert_eq!(world.json(&["source", "list"])["sources"][0]["pause"]["reason"], "a freeze");
    world.run(&["sync"]).ok().prints(&["up paused by Pat Person since "]);
    world.run(&["resume", "up", "--no-sync"]).ok();
    world.run(&["disable", "deploy", "--reason", "off"]).ok();
    world.run(&["show", "deploy"]).ok().prints(&["status    disabled"]);
}

#[test]
fn status_names_the_skills_that_the_settings_do_not_select_and_the_bases_that_nobody_has() {
    let world = world();
    world.run(&["source", "set", "up", "exclude=[\"other\"]"]).ok();
    let run = world.run(&["status", "--exit-code"]).ends_with(3);
    assert!(run.stderr.contains("other: the settings of source `up` no longer select it"), "{}", run.stderr);
    world.registry(&[(FILE, &lines("ours", "last"))]);
    let text = world.read("registry/skills/deploy.toml");
    let key = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    world.edit(
        "registry/skills/deploy.toml",
        &key("accepted"),
        &format!("accepted = \"git-sha256:{}\"", "1".repeat(64)),
    );
    world.edit("registry/skills/deploy.toml", &key("git_tree"), &format!("git_tree = \"{}\"", "1".repeat(40)));
    world.edit("registry/skills/deploy.toml", &key("revision"), &format!("revision = \"{}\"", "1".repeat(40)));
    world.commit("registry", "nobody has this base");
    let run = world.run(&["status"]);
    assert!(run.stderr.contains("the base of `deploy`") && run.stderr.contains("skillgraft link deploy"), "{run:?}");
}

#[test]
fn what_accept_says_to_do_first_helps() {
    let accept = |world: &World| world.run(&["candidate", "accept", "deploy"]);
    for (command, said) in [
        (&["pause", "deploy", "--reason", "later"][..], "is paused"),
        (&["disable", "deploy", "--reason", "off"], "is disabled"),
        (&["candidate", "decline", "deploy", "--reason", "no"], "was declined"),
    ] {
        let world = edited();
        world.run(command).ok();
        let run = accept(&world).ends_with(1).says(&[said]);
        pastes(&world, &run);
        accept(&world).ok();
        assert!(world.read(format!("registry/{FILE}")).contains("v2"), "{command:?}");
    }
}

#[test]
fn declining_a_new_skill_is_undone_by_the_command_that_retry_names() {
    let world = world();
    world.run(&["source", "set", "up", "exclude=[\"drafts/*\"]"]).ok();
    world.upstream(&[("skills/fresh/SKILL.md", &skill("fresh", "v1"))]);
    world.sync();
    world.run(&["candidate", "decline", "fresh", "--reason", "no use"]).ok();
    world.sync();
    let run = world.run(&["candidate", "retry", "fresh"]).ends_with(2);
    let run = run.says(&["`exclude` of source `up` leaves `fresh` out (skills/fresh)", "'exclude=[\"drafts/*\"]'"]);
    pastes(&world, &run);
    assert_eq!(world.sync().action("fresh"), "kept", "the sync that was pasted opened it");
    assert!(world.read("registry/sources/up.toml").contains("drafts/*"), "what else is excluded stays so");
}

#[test]
fn a_skill_whose_directory_is_gone_is_told_with_commands_that_can_be_pasted() {
    let world = world();
    let before = world.head("registry");
    world.git("registry", &["rm", "-rq", "skills/deploy"]);
    world.commit("registry", "gone");
    let back = format!("git checkout {before} -- skills/deploy");
    let run = world.run(&["check"]).ends_with(1);
    for part in [&*back, "git mv skills/deploy.toml NEW.toml", "skillgraft disable deploy --reason \"it is gone\""] {
        assert!(run.stdout.contains(part), "no {part:?} in {}", run.stdout);
    }
    world.run(&["sync"]).ok().says(&[&back]);
    world.git("registry", &["checkout", "-q", &before, "--", "skills/deploy"]);
    world.commit("registry", "back");
    world.run(&["check"]).ok();
    // The other way.
    world.git("registry", &["rm", "-rq", "skills/deploy"]);
    world.commit("registry", "gone again");
    world.run(&["disable", "deploy", "--reason", "it is gone"]).ok();
    world.run(&["check"]).ok();
}

#[test]
fn a_merged_then_reverted_update_names_the_commit_that_took_it_back() {
    let world = open();
    let merged = merge(&world, BRANCH);
    world.git("registry", &["revert", "--no-edit", "-m", "1", &merged]);
    let revert = world.head("registry");
    let said = format!("held: the team took this very update back (in {} by Pat Person: Revert", &revert[..7]);
    world.run(&["-v", "sync"]).ok().says(&[&said]);
    world.run(&["status"]).ok().says(&[&said]);
}

#[test]
fn slips_of_the_pen_end_with_2_and_removals_look_alike_everywhere() {
    let world = world();
    world.run(&["pause", "nowhere"]).ends_with(2);
    world.run(&["sync", "nowhere"]).ends_with(2);
    std::fs::create_dir_all(world.path("outside")).unwrap();
    world.run_in("outside", &["list"]).ends_with(2).says(&["skillgraft init"]);
    world.run(&["resume", "up"]).ok().prints(&["source up is not paused; nothing to do"]);
    world.git("upstream", &["rm", "-rq", "skills/other"]);
    world.commit("upstream", "no more other");
    let synced = world.sync();
    let shown = world.json(&["candidate", "show", "other"]);
    assert_eq!((&shown["upstream"], &shown["id"]), (&synced.skill("other")["upstream"], &json!("other")));
    assert!(shown["upstream"].is_null());
    world.run(&["candidate", "show", "other"]).ok().prints(&["upstream  nothing"]);
    // A folder that is gone is no matter of the network.
    world.edit("registry/sources/up.toml", "../upstream", "../nowhere");
    world.commit("registry", "gone");
    let failed = world.try_sync("registry", &[]);
    assert_eq!(failed.source("up")["error"]["kind"], "io");
}

#[test]
fn the_base_that_link_prints_can_be_given_back_and_a_wrong_one_names_no_option_that_link_lacks() {
    let world = world();
    let text = world.run(&["link", "deploy", "--to", "up", "--yes"]).ok().stdout;
    let base = world.head("upstream");
    assert!(text.contains(&base), "{text}");
    world.run(&["link", "deploy", "--to", "up", "--base", &base, "--yes"]).ok();
    let run = world.run(&["link", "deploy", "--to", "up", "--base", "v9", "--yes"]).ends_with(1);
    assert!(!run.stderr.contains("--ref") && run.stderr.contains("`v9`"), "{}", run.stderr);
}
