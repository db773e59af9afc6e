//! Who follows what: `pause`, `adopt`, `disable`, and sources that change, move or go.

use crate::support::{World, skill};
use crate::sync::{lines, world};
use serde_json::{Value, json};

const FILE: &str = "skills/deploy/SKILL.md";
const BRANCH: &str = "candidate/up/deploy";

fn deploy(world: &World, last: &str) {
    world.upstream(&[(FILE, &lines("first", last))]);
}

/// A reviewer's commit on the candidate of `deploy`.
fn review(world: &World) -> String {
    world.review(BRANCH, &[("skills/deploy/reviewed.md", "a thought\n")])
}

/// Nothing is written by another sync.
#[track_caller]
fn is_settled(world: &World) {
    let before = (world.refs("registry"), world.objects("registry"));
    world.sync();
    assert_eq!((world.refs("registry"), world.objects("registry")), before);
}

#[test]
fn a_paused_skill_is_passed_by_until_it_is_resumed() {
    let world = world();
    let report = world.json(&["pause", "deploy", "--reason", "the release first"]);
    assert_eq!((&report["kind"], &report["paused"]), (&json!("skill"), &json!(true)));
    let entry = world.read("registry/skills/deploy.toml");
    for part in ["[paused]", "by = \"Pat Person <pat@example.com>\"", "reason = \"the release first\"", "since = "] {
        assert!(entry.contains(part), "{entry}");
    }
    world.run(&["check"]).ok();
    deploy(&world, "v2");
    world.upstream(&[("skills/other/SKILL.md", &skill("other", "v2"))]);
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("paused", ""));
    assert_eq!(synced.action("other"), "opened", "the other skills go on");
    let again = world.json(&["resume", "deploy", "--no-sync"]);
    assert_eq!(again["paused"], false);
    assert!(!world.read("registry/skills/deploy.toml").contains("[paused]"));
    assert_eq!(world.branches("registry", BRANCH), Vec::<String>::new());
    assert_eq!(world.sync().action("deploy"), "opened");
    let head = world.head("registry");
    world.run(&["resume", "deploy", "--no-sync"]).ok();
    assert_eq!(world.head("registry"), head, "what is not paused needs no commit");
}

#[test]
fn resume_syncs_what_was_paused_be_it_a_source_or_a_skill() {
    for name in ["up", "deploy"] {
        let world = world();
        world.run(&["pause", name]).ok();
        deploy(&world, "v2");
        world.sync();
        assert_eq!(world.branches("registry", BRANCH), Vec::<String>::new());
        world.run(&["resume", name]).ok();
        assert_eq!(world.branches("registry", BRANCH), [BRANCH], "{name}");
    }
}

#[test]
fn a_paused_source_leaves_its_candidates_as_they_are() {
    let world = world();
    deploy(&world, "v2");
    world.sync();
    let open = world.rev("registry", BRANCH);
    world.run(&["pause", "up", "--reason", "waiting for 2.0", "--until", "2999-01-01"]).ok();
    assert!(world.read("registry/sources/up.toml").contains("until = 2999-01-01"));
    deploy(&world, "v3");
    let synced = world.sync();
    assert_eq!(synced.source("up")["outcome"], "paused");
    assert_eq!(world.rev("registry", BRANCH), open);
    is_settled(&world);
    world.run(&["resume", "up"]).ok();
    assert_ne!(world.rev("registry", BRANCH), open);
    world.run(&["pause", "nobody"]).ends_with(2).says(&["no source `nobody`", "skillgraft status"]);
}

#[test]
fn a_pause_ends_by_itself_after_its_last_day() {
    for (name, file) in [("up", "registry/sources/up.toml"), ("deploy", "registry/skills/deploy.toml")] {
        let world = world();
        world.run(&["pause", name, "--until", "2020-01-01"]).ends_with(2).says(&["--until 2020-01-01 is over"]);
        world.run(&["pause", name, "--until", "2999-01-01"]).ok();
        deploy(&world, "v2");
        world.sync();
        assert_eq!(world.branches("registry", BRANCH), Vec::<String>::new());
        // As if time had passed.
        world.edit(file, "until = 2999-01-01", "until = 2020-01-01");
        world.commit("registry", "time passes");
        assert_eq!(world.sync().action("deploy"), "opened", "{name}");
        is_settled(&world);
    }
}

#[test]
fn an_adopted_skill_keeps_its_content_and_lineage_and_does_not_come_back() {
    let world = world();
    let revision = world.head("upstream");
    deploy(&world, "v2");
    world.sync();
    let report = world.json(&["adopt", "deploy"]);
    assert_eq!((&report["skills"], &report["disabled"]), (&json!(["deploy"]), &json!([])));
    let entry = world.read("registry/skills/deploy.toml");
    assert!(entry.contains(&format!("lineage = [\"adopted_from:up@{}\"]", &revision[..7])), "{entry}");
    assert!(!entry.contains("[upstream]"), "{entry}");
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), lines("first", "last"));
    assert!(world.read("registry/sources/up.toml").contains("\"skills/deploy\""));
    world.run(&["check"]).ok();
    let synced = world.sync();
    let ids: Vec<_> = synced.source("up")["skills"].as_array().unwrap().iter().map(|s| s["id"].clone()).collect();
    assert!(!ids.contains(&json!("deploy")) || synced.action("deploy") == "closed", "{ids:?}");
    assert_eq!(world.branches("registry", "candidate/"), Vec::<String>::new(), "its open candidate went");
    deploy(&world, "v3");
    world.sync();
    assert_eq!(world.branches("registry", "candidate/"), Vec::<String>::new());
    is_settled(&world);
    world.run(&["adopt", "deploy"]).ends_with(2).says(&["follows no upstream"]);
}

#[test]
fn adopting_leaves_a_candidate_that_people_edited() {
    let world = world();
    deploy(&world, "v2");
    world.sync();
    let edited = review(&world);
    world.run(&["adopt", "deploy"]).ok();
    let synced = world.sync();
    assert_eq!(synced.action("deploy"), "left");
    assert_eq!(world.rev("registry", BRANCH), edited);
}

#[test]
fn adopting_the_last_skill_of_a_source_disables_it() {
    let world = world();
    let report = world.json(&["adopt", "deploy", "other"]);
    assert_eq!(report["disabled"], json!(["up"]));
    assert!(world.read("registry/sources/up.toml").contains("enabled = false"));
    assert_eq!(world.sync().source("up")["outcome"], "disabled");
}

#[test]
fn a_skill_that_lists_conflicts_is_not_adopted() {
    let world = world();
    world.registry(&[(FILE, &lines("ours", "last"))]);
    world.upstream(&[(FILE, &lines("theirs", "last"))]);
    world.sync();
    world.git("registry", &["merge", "-q", "--no-ff", "--no-edit", BRANCH]);
    let head = world.head("registry");
    world.run(&["adopt", "other", "deploy"]).ends_with(1).says(&["unresolved conflicts", "candidate resolve deploy"]);
    assert_eq!(world.head("registry"), head, "all of them or none");
}

#[test]
fn a_disabled_skill_is_off_the_branch_and_comes_back_with_its_last_content() {
    let world = world();
    world.registry(&[(FILE, &lines("ours", "last")), ("skills/deploy/run", "#!/bin/sh\n")]);
    let before = world.rev("registry", "HEAD:skills/deploy");
    world.sync();
    world.run(&["disable", "deploy", "--reason", "it leaks"]).ok();
    assert!(!world.exists("registry/skills/deploy"));
    assert!(world.read("registry/skills/deploy.toml").contains("status = \"disabled\""));
    let message = world.git("registry", &["log", "-1", "--format=%B"]);
    assert!(message.contains("it leaks"), "{message}");
    world.run(&["check"]).ok();
    deploy(&world, "v2");
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("disabled", ""));
    is_settled(&world);
    world.run(&["export", "deploy@v2", "--to", "../out"]).ok();
    world.run(&["enable", "deploy"]).ok();
    assert_eq!(world.rev("registry", "HEAD:skills/deploy"), before);
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("three_way", "opened"));
    assert_eq!(world.show("registry", BRANCH, FILE), lines("ours", "v2"));
    let head = world.head("registry");
    world.run(&["enable", "deploy"]).ok();
    assert_eq!(world.head("registry"), head);
}

#[test]
fn the_teams_own_skill_is_disabled_and_enabled_too() {
    let world = world();
    world.registry(&[("skills/mine/SKILL.md", &skill("mine", "ours"))]);
    world.run(&["disable", "mine", "--reason", "summer"]).ok();
    assert!(!world.exists("registry/skills/mine"));
    world.run(&["check"]).ok();
    world.run(&["enable", "mine"]).ok();
    assert_eq!(world.read("registry/skills/mine/SKILL.md"), skill("mine", "ours"));
    world.run(&["check"]).ok();
    world.run(&["disable", "nobody", "--reason", "no"]).ends_with(1).says(&["no skill `nobody`"]);
}

#[test]
fn source_set_changes_one_key_and_refuses_what_cannot_be_read() {
    let world = world();
    world.edit("registry/sources/up.toml", "format = 1", "# ours\nformat = 1");
    world.commit("registry", "a comment");
    world.git("upstream", &["tag", "v1"]);
    deploy(&world, "v2");
    world.run(&["source", "set", "up", "ref=v1"]).ok();
    let text = world.read("registry/sources/up.toml");
    assert!(text.starts_with("# ours\n") && text.contains("ref = \"v1\""), "{text}");
    assert_eq!(world.sync().class("deploy"), "unchanged", "the tag is where it was");
    world.run(&["source", "set", "up", "policy.new_skills=ignore"]).ok();
    world.run(&["source", "set", "up", "exclude=[\"other\"]"]).ok();
    assert_eq!(world.sync().class("other"), "unselected");
    let head = world.head("registry");
    for wrong in ["enabled=perhaps", "nonsense=1", "policy.new_skills=maybe", "ref", "namespace=Not Valid"] {
        world.run(&["source", "set", "up", wrong]).ends_with(2);
    }
    world.run(&["source", "set", "nobody", "ref=v1"]).ends_with(2).says(&["skillgraft source list"]);
    assert_eq!(world.head("registry"), head);
}

#[test]
fn a_renamed_source_takes_its_mirror_entries_and_licences_along() {
    let world = world();
    world.registry(&[(FILE, &lines("ours", "last"))]);
    deploy(&world, "v2");
    world.upstream(&[("LICENSE", "MIT, 2026\n")]);
    world.sync();
    let mirror = world.rev("registry", "mirror/up");
    let report = world.json(&["source", "rename", "up", "acme"]);
    assert_eq!((&report["source"], &report["skills"]), (&json!("acme"), &json!(["deploy", "other"])));
    assert!(!world.exists("registry/sources/up.toml"));
    assert!(world.read("registry/sources/acme.toml").contains("was = [\"up\"]"));
    assert!(world.exists("registry/licenses/acme") && !world.exists("registry/licenses/up"));
    assert!(world.read("registry/skills/deploy.toml").contains("source = \"acme\""));
    assert_eq!(world.rev("registry", "mirror/acme"), mirror);
    assert_eq!(world.branches("registry", "mirror/"), ["mirror/acme"]);
    assert_eq!(world.branches("registry", "candidate/"), Vec::<String>::new());
    world.run(&["check"]).ok();
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("three_way", "opened"));
    assert_eq!(world.show("registry", "candidate/acme/deploy", FILE), lines("ours", "v2"));
    assert_eq!(world.rev("registry", "mirror/acme"), mirror, "ids survive");
    is_settled(&world);
    world.run(&["candidate", "accept", "deploy"]).ok();
    assert_eq!(world.sync().class("deploy"), "unchanged");
}

#[test]
fn a_clone_that_pulls_a_rename_goes_on_with_the_old_mirror() {
    let world = world();
    deploy(&world, "v2");
    world.sync();
    world.git("", &["clone", "-q", "--bare", "registry", "hub.git"]);
    world.git("", &["clone", "-q", "hub.git", "clone"]);
    world.sync_in("clone", &[]);
    world.run_in("clone", &["source", "rename", "up", "acme"]).ok();
    world.git("clone", &["push", "-q"]);
    world.git("registry", &["pull", "-q", "../hub.git", "main"]);
    assert!(world.read("registry/sources/acme.toml").contains("was = [\"up\"]"));
    let old = world.rev("registry", "mirror/up");
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("fast_forward", "opened"));
    assert_eq!(world.rev("registry", "mirror/acme"), old);
    world.sync_in("clone", &[]);
    assert_eq!(world.rev("clone", "mirror/acme"), old);
    assert_eq!(world.rev("clone", "candidate/acme/deploy"), world.rev("registry", "candidate/acme/deploy"));
    assert_eq!(world.branches("registry", "candidate/"), ["candidate/acme/deploy"], "one branch for a skill");
}

#[test]
fn a_rename_to_a_name_that_is_taken_is_refused() {
    let world = world();
    world.write("plain/mine/SKILL.md", skill("mine", "v1"));
    world.run(&["add", "../plain", "--name", "plain"]).ok();
    let refs = world.refs("registry");
    world.run(&["source", "rename", "up", "plain"]).ends_with(1).says(&["a source `plain` already"]);
    world.run(&["source", "rename", "up", "up"]).ends_with(1);
    world.run(&["source", "rename", "up", "Not Valid"]).ends_with(2);
    assert_eq!(world.refs("registry"), refs);
}

#[test]
fn a_source_with_an_edited_or_checked_out_candidate_neither_moves_nor_goes() {
    let commands: [&[&str]; 3] = [
        &["source", "rename", "up", "acme"],
        &["source", "remove", "up", "--adopt"],
        &["source", "remove", "up", "--delete"],
    ];
    let world = world();
    deploy(&world, "v2");
    world.sync();
    world.git("registry", &["worktree", "add", "-q", "../review", BRANCH]);
    let refs = world.refs("registry");
    for command in commands {
        world.run(command).ends_with(1).says(&[BRANCH, "is checked out"]);
    }
    assert_eq!(world.refs("registry"), refs);
    // The hint is a command, and it helps.
    let review_there = world.path("review").display().to_string();
    world.run(commands[0]).says(&[&format!("leave it there first: git -C '{review_there}' switch --detach")]);
    world.git("registry", &["-C", &review_there, "switch", "-q", "--detach"]);
    world.run(&["source", "rename", "up", "acme"]).ok();
    world.run(&["source", "rename", "acme", "up"]).ok();
    world.sync();
    world.git("registry", &["worktree", "remove", "../review"]);
    review(&world);
    let refs = world.refs("registry");
    for command in commands {
        world.run(command).ends_with(1).says(&[BRANCH, "has edits"]);
    }
    assert_eq!(world.refs("registry"), refs);
}

#[test]
fn a_removed_source_leaves_its_skills_as_our_own_or_takes_them_with_it() {
    for fate in ["--adopt", "--delete"] {
        let world = world();
        world.registry(&[("skills/mine/SKILL.md", &skill("mine", "ours"))]);
        deploy(&world, "v2");
        world.sync();
        let mirror = world.rev("registry", "mirror/up");
        world.run(&["source", "remove", "up"]).ends_with(2).says(&["--adopt", "--delete"]);
        let report = world.json(&["source", "remove", "up", fate]);
        assert_eq!(report["skills"], json!(["deploy", "other"]));
        assert!(!world.exists("registry/sources/up.toml"));
        assert_eq!(world.exists("registry/skills/deploy/SKILL.md"), fate == "--adopt");
        assert!(world.exists("registry/skills/mine/SKILL.md"));
        if fate == "--adopt" {
            let entry = world.read("registry/skills/deploy.toml");
            assert!(entry.contains("adopted_from:up@") && !entry.contains("[upstream]"), "{entry}");
            assert!(world.exists("registry/licenses/up"), "vendored skills keep their licence");
        }
        assert_eq!(world.branches("registry", "candidate/"), Vec::<String>::new());
        assert_eq!(world.rev("registry", "mirror/up"), mirror, "merge bases live there");
        world.run(&["check"]).ok();
        assert_eq!(world.sync().json["sources"], json!([]));
        is_settled(&world);
    }
}

#[test]
fn a_disabled_source_is_passed_by_and_enabled_again() {
    let world = world();
    deploy(&world, "v2");
    world.sync();
    let open = world.rev("registry", BRANCH);
    world.run(&["source", "disable", "up"]).ok();
    deploy(&world, "v3");
    assert_eq!(world.sync().source("up")["outcome"], "disabled");
    assert_eq!(world.rev("registry", BRANCH), open);
    let list = world.json(&["source", "list"]);
    assert_eq!((&list["sources"][0]["enabled"], &list["sources"][0]["skills"]), (&json!(false), &json!(2)));
    world.run(&["source", "enable", "up"]).ok();
    assert_eq!(world.sync().action("deploy"), "remade");
    let shown = world.json(&["source", "show", "up"]);
    assert!(shown["text"].as_str().unwrap().contains("git = ") || shown["text"].as_str().unwrap().contains("path = "));
}

#[test]
fn every_command_can_propose_instead() {
    let world = world();
    world.registry(&[("skills/mine/SKILL.md", &skill("mine", "ours"))]);
    deploy(&world, "v2");
    world.sync();
    let commands: [&[&str]; 8] = [
        &["pause", "deploy"],
        &["adopt", "deploy"],
        &["disable", "mine", "--reason", "no"],
        &["source", "disable", "up"],
        &["source", "rename", "up", "acme"],
        &["source", "remove", "up", "--adopt"],
        &["source", "set", "up", "ref=main"],
        &["candidate", "decline", "deploy", "--reason", "no"],
    ];
    for command in commands {
        let before: (String, Vec<String>) = (world.head("registry"), world.branches("registry", "candidate/"));
        let report: Value = world.json(&[command, &["--propose"]].concat());
        let branch = report["branch"].as_str().unwrap_or_else(|| panic!("{command:?}: {report:#}")).to_owned();
        assert!(branch.starts_with("proposal/"), "{command:?}: {branch}");
        assert_eq!((world.head("registry"), world.branches("registry", "candidate/")), before, "{command:?}");
        assert!(world.branches("registry", "mirror/") == ["mirror/up"], "{command:?}");
        world.git("registry", &["branch", "-q", "-D", &branch]);
    }
}

#[test]
fn adopting_closes_an_unedited_candidate_at_once_because_a_disabled_source_is_never_looked_at() {
    let world = world();
    deploy(&world, "v2");
    world.upstream(&[("skills/other/SKILL.md", &skill("other", "v2"))]);
    world.sync();
    let edited = review(&world);
    world.run(&["adopt", "deploy", "other"]).ok();
    assert_eq!(world.branches("registry", "candidate/"), [BRANCH], "only what people edited stays");
    assert_eq!(world.rev("registry", BRANCH), edited);
    world.sync();
    is_settled(&world);
}

#[test]
fn a_skill_at_the_top_of_its_repository_is_declined_for_ever_and_adopted_too() {
    for command in [&["candidate", "decline", "up", "--always", "--reason", "no"][..], &["adopt", "up"]] {
        let world = World::with_upstream(&[("SKILL.md", &skill("up", "v1"))]);
        world.run(&["add", "../upstream", "--name", "up"]).ok();
        world.upstream(&[("SKILL.md", &skill("up", "v2"))]);
        assert_eq!(world.sync().action("up"), "opened");
        world.run(command).ok();
        world.sync();
        assert!(world.branches("registry", "candidate/").is_empty(), "{command:?}");
        world.upstream(&[("SKILL.md", &skill("up", "v3"))]);
        world.sync();
        assert!(world.branches("registry", "candidate/").is_empty(), "{command:?}");
        world.run(&["check"]).ok();
        // Looked at again, it still does not come back.
        if command[0] == "adopt" {
            world.run(&["source", "enable", "up"]);
            world.sync();
            assert!(world.branches("registry", "candidate/").is_empty(), "{command:?}");
        }
    }
}

#[test]
fn a_skill_of_the_teams_own_is_neither_adopted_nor_paused_in_silence() {
    let world = world();
    world.registry(&[("skills/mine/SKILL.md", &skill("mine", "ours"))]);
    world.run(&["adopt", "mine"]).ends_with(2).says(&["follows no upstream"]);
    world.run(&["adopt", "nobody"]).ends_with(1).says(&["no skill `nobody`"]);
    world.run(&["pause", "mine"]).ends_with(2).says(&["no skill `mine` that follows one"]);
    world.run(&["adopt", "deploy"]).ok();
    world.run(&["pause", "deploy"]).ends_with(2).says(&["no skill `deploy` that follows one"]);
}

#[test]
fn what_is_gone_from_here_is_not_adopted_and_list_says_that_it_was_removed() {
    let world = world();
    std::fs::remove_dir_all(world.path("upstream/skills/deploy")).unwrap();
    world.commit("upstream", "gone");
    world.sync();
    world.run(&["candidate", "accept", "deploy"]).ok();
    let list = world.run(&["list"]).ok().stdout;
    assert!(list.lines().any(|line| line.contains("deploy") && line.contains("removed")), "{list}");
    let refused = world.run(&["adopt", "deploy"]).ends_with(1);
    refused.says(&["skills/deploy is gone, so there is nothing to adopt", "git rm skills/deploy.toml"]);
    world.git("registry", &["rm", "-q", "skills/deploy.toml"]);
    world.commit("registry", "as the hint says");
    world.run(&["check"]).ok();
}

#[test]
fn commands_work_in_a_bare_repository() {
    let world = world();
    deploy(&world, "v2");
    world.sync();
    world.git("", &["clone", "-q", "--mirror", "registry", "hub.git"]);
    world.git("hub.git", &["remote", "remove", "origin"]);
    world.run_in("hub.git", &["candidate", "decline", "deploy", "--reason", "no"]).ok();
    world.run_in("hub.git", &["pause", "other"]).ok();
    world.run_in("hub.git", &["tag"]).ok();
    assert!(world.show("hub.git", "main", "skills/deploy.toml").contains("[declined]"));
    assert!(world.show("hub.git", "main", "skills/other.toml").contains("[paused]"));
    assert!(world.branches("hub.git", "candidate/").is_empty());
    world.run_in("hub.git", &["disable", "deploy", "--reason", "no"]).ok();
    world.run_in("hub.git", &["enable", "deploy"]).ok();
    world.run_in("hub.git", &["adopt", "deploy"]).ok();
    world.run_in("hub.git", &["source", "rename", "up", "acme"]).ok();
    assert_eq!(world.branches("hub.git", "mirror/"), ["mirror/acme"]);
}

#[test]
fn what_is_excluded_already_is_not_excluded_twice() {
    let world = world();
    world.edit("registry/sources/up.toml", "skills = [\"*\"]", "skills = [\"*\"]\nexclude = [\"skills/deploy\"]");
    world.commit("registry", "exclude deploy");
    world.run(&["adopt", "deploy"]).ok();
    assert!(world.read("registry/sources/up.toml").contains("exclude = [\"skills/deploy\"]"));
}

#[test]
fn a_renamed_source_can_be_renamed_back_and_its_mirror_goes_on() {
    let world = world();
    deploy(&world, "v2");
    world.sync();
    let mirror = world.rev("registry", "mirror/up");
    world.run(&["source", "rename", "up", "acme"]).ok();
    world.sync();
    world.run(&["source", "rename", "acme", "up"]).ok();
    assert_eq!(world.branches("registry", "mirror/"), ["mirror/up"]);
    let synced = world.sync();
    assert_eq!((synced.action("deploy"), world.rev("registry", "mirror/up")), ("opened", mirror));
    assert_eq!(world.branches("registry", "candidate/"), [BRANCH]);
    is_settled(&world);
}

#[test]
fn a_disabled_skill_is_rolled_back_only_with_its_entry() {
    let world = world();
    world.registry(&[(FILE, &lines("ours", "last"))]);
    world.sync();
    world.run(&["disable", "deploy", "--reason", "it leaks"]).ok();
    world.run(&["rollback", "deploy", "--to", "v1", "--reason", "this one does not leak"]).ok();
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), lines("first", "last"));
    assert!(world.read("registry/skills/deploy.toml").contains("status = \"active\""));
    assert_eq!(world.sync().class("deploy"), "unchanged");
    world.run(&["check"]).ok();
}

#[test]
fn a_persons_branch_among_a_sources_candidates_does_not_go_with_it() {
    let world = world();
    world.sync();
    world.git("registry", &["switch", "-q", "-c", "candidate/up/stuff", "main"]);
    let theirs = world.registry(&[("stuff.txt", "somebody's own\n")]);
    world.git("registry", &["switch", "-q", "main"]);
    for command in [&["source", "remove", "up", "--adopt"][..], &["source", "rename", "up", "acme"]] {
        world.run(command).ends_with(1).says(&["candidate/up/stuff"]);
        assert_eq!(world.rev("registry", "candidate/up/stuff"), theirs);
    }
}

#[test]
fn a_branch_that_differs_from_the_remotes_does_not_go_with_its_source() {
    let world = world();
    deploy(&world, "v2");
    world.sync();
    world.git("", &["clone", "-q", "--bare", "registry", "hub.git"]);
    world.git("", &["clone", "-q", "hub.git", "robot"]);
    deploy(&world, "v3");
    world.sync_in("robot", &[]);
    world.git("robot", &["push", "-q", "--force", "origin", &format!("{BRANCH}:{BRANCH}"), "mirror/up"]);
    world.git("registry", &["remote", "add", "origin", &world.url("hub.git")]);
    world.git("registry", &["fetch", "-q"]);
    let ours = review(&world);
    for command in [&["source", "remove", "up", "--adopt"][..], &["source", "rename", "up", "acme"]] {
        world.run(command).ends_with(1).says(&[BRANCH]);
        assert_eq!(world.rev("registry", BRANCH), ours);
    }
}

#[test]
fn a_new_skill_stays_out_where_a_directory_of_its_name_holds_files_of_the_teams() {
    let world = world();
    world.registry(&[("skills/third/notes.md", "ours\n")]);
    world.upstream(&[("skills/third/SKILL.md", &skill("third", "v1"))]);
    let synced = world.sync();
    assert_eq!(world.branches("registry", "candidate/"), Vec::<String>::new());
    assert_eq!(synced.rejected("up"), ["skills/third ownership"]);
    let rejected = &synced.source("up")["rejected"][0];
    assert!(rejected["message"].as_str().unwrap().contains("skills/third holds files that are no skill"), "{rejected}");
    // Once they are elsewhere, it is offered.
    world.git("registry", &["mv", "skills/third/notes.md", "notes.md"]);
    world.commit("registry", "elsewhere");
    assert_eq!(world.sync().class("third"), "new");
}
