//! Versions: one tag for each change of a skill, at its own commit, whenever and wherever it is made; and what people
//! do with them: `log`, `show`, `diff`, `export`, `rollback` (RULES, "Tags" and "Rollback").

use crate::support::{World, listing, skill};
use crate::sync::{lines, world};
use serde_json::json;

const FILE: &str = "skills/deploy/SKILL.md";

/// The tags of a repository with the objects that they are.
pub fn tags(world: &World, dir: &str) -> String {
    world.git(dir, &["for-each-ref", "--format=%(refname:short) %(objectname) %(*objectname)", "refs/tags"])
}

/// The tags of `deploy` and the commits that they are on.
fn deploys(world: &World, dir: &str) -> Vec<(String, String)> {
    let all = world.git(dir, &["for-each-ref", "--format=%(refname:short) %(*objectname)", "refs/tags/deploy/"]);
    all.lines().map(|line| line.split_once(' ').unwrap()).map(|(tag, id)| (tag.into(), id.into())).collect()
}

fn named(list: &[(&str, &String)]) -> Vec<(String, String)> {
    list.iter().map(|(tag, id)| ((*tag).to_owned(), (*id).clone())).collect()
}

pub fn edit(world: &World, first: &str) -> String {
    world.registry(&[(FILE, &lines(first, "last"))])
}

/// A world in which `deploy` has v1 (as added), v2 (edited), v3 (upstream's merged with the edit).
pub fn three() -> World {
    let world = world();
    edit(&world, "ours");
    world.upstream(&[(FILE, &lines("first", "v2"))]);
    world.sync();
    world.run(&["candidate", "accept", "deploy"]).ok();
    world.sync();
    world
}

#[test]
fn each_change_of_a_skill_is_tagged_at_its_own_commit() {
    let world = world();
    let first = world.head("registry");
    let second = edit(&world, "second");
    world.registry(&[("README.md", "not a skill\n")]);
    let third = edit(&world, "third");
    world.run(&["tag"]).ok();
    assert_eq!(
        deploys(&world, "registry"),
        named(&[("deploy/v1", &first), ("deploy/v2", &second), ("deploy/v3", &third)])
    );
    assert!(tags(&world, "registry").contains("other/v1"));
    let tag = world.git("registry", &["cat-file", "tag", "deploy/v3"]);
    for part in ["deploy v3", "Tree: git-sha256:", "Source: up", "Revision: "] {
        assert!(tag.contains(part), "{tag}");
    }
    let before = (tags(&world, "registry"), world.objects("registry"));
    world.run(&["tag"]).ok().says(&["every version has its tag"]);
    assert_eq!((tags(&world, "registry"), world.objects("registry")), before);
}

#[test]
fn an_entry_that_moves_alone_is_no_version() {
    let world = world();
    world.registry(&[(FILE, &lines("first", "both"))]);
    world.upstream(&[(FILE, &lines("first", "both"))]);
    assert_eq!(world.sync().class("deploy"), "already_applied");
    world.run(&["candidate", "accept", "deploy"]).ok();
    world.sync();
    assert_eq!(deploys(&world, "registry").len(), 2);
}

#[test]
fn any_cadence_and_any_clone_give_the_same_tags() {
    let world = world();
    world.sync();
    for first in ["a", "b", "c"] {
        edit(&world, first);
        world.registry(&[("skills/mine/SKILL.md", &skill("mine", first))]);
        world.sync();
    }
    // What a branch did on the way is one change of the default branch.
    world.git("registry", &["switch", "-q", "-c", "topic"]);
    edit(&world, "d");
    edit(&world, "e");
    world.git("registry", &["switch", "-q", "main"]);
    world.git("registry", &["merge", "-q", "--no-ff", "--no-edit", "topic"]);
    world.sync();
    world.git("", &["clone", "-q", "--no-tags", "registry", "clone"]);
    world.git("clone", &["remote", "remove", "origin"]);
    world.run_in("clone", &["tag"]).ok();
    assert_eq!(tags(&world, "clone"), tags(&world, "registry"));
    assert_eq!(deploys(&world, "clone").len(), 5);
    // A clone that has some of them goes on where they end.
    world.git("clone", &["tag", "-d", "deploy/v4", "deploy/v5", "mine/v3"]);
    world.run_in("clone", &["tag"]).ok();
    assert_eq!(tags(&world, "clone"), tags(&world, "registry"));
}

#[test]
fn rewritten_history_goes_on_after_the_newest_commit_with_the_last_versions_tree() {
    let world = world();
    edit(&world, "second");
    world.run(&["tag"]).ok();
    let before = tags(&world, "registry");
    world.git("registry", &["commit", "-q", "--amend", "-m", "in other words"]);
    world.registry(&[("README.md", "more\n")]);
    world.run(&["tag"]).ok();
    assert_eq!(tags(&world, "registry"), before, "other words are no version");
    let third = edit(&world, "third");
    world.run(&["tag"]).ok();
    assert_eq!(deploys(&world, "registry")[2], ("deploy/v3".to_owned(), third));
}

#[test]
fn rewritten_history_without_the_last_versions_tree_is_tagged_at_its_head() {
    let world = world();
    edit(&world, "second");
    world.run(&["tag"]).ok();
    world.git("registry", &["reset", "-q", "--hard", "HEAD^"]);
    world.git("registry", &["commit", "-q", "--amend", "-m", "in other words"]);
    edit(&world, "another second");
    let head = edit(&world, "another third");
    world.run(&["tag"]).ok();
    assert_eq!(deploys(&world, "registry")[2..], [("deploy/v3".to_owned(), head)]);
}

#[test]
fn what_still_has_conflicts_is_no_version() {
    let world = world();
    edit(&world, "ours");
    world.upstream(&[(FILE, &lines("theirs", "last"))]);
    assert_eq!(world.sync().conflicts("deploy"), ["SKILL.md content"]);
    world.git("registry", &["merge", "-q", "--no-ff", "--no-edit", "candidate/up/deploy"]);
    world.sync();
    assert_eq!(deploys(&world, "registry").len(), 2, "the conflicted merge is none");
    edit(&world, "ours and theirs");
    world.sync();
    assert_eq!(deploys(&world, "registry").len(), 2, "nor is it while the entry lists the conflict");
    world.run(&["candidate", "resolve", "deploy"]).ok();
    world.sync();
    let all = deploys(&world, "registry");
    assert_eq!((all.len(), &all[2].1), (3, &world.head("registry")));
}

#[test]
fn a_ref_in_the_way_of_a_tag_fails_for_that_skill_alone_and_is_said() {
    let world = world();
    world.git("registry", &["tag", "deploy"]);
    world.run(&["tag"]).ends_with(1).says(&["deploy/v1"]);
    assert!(tags(&world, "registry").contains("other/v1"));
    let run = world.run(&["sync"]).ends_with(1);
    assert!(run.all().contains("deploy/v1"), "a sync is no quieter about it: {}", run.all());
    world.git("registry", &["tag", "-d", "deploy"]);
    world.sync();
    assert_eq!(deploys(&world, "registry").len(), 1);
}

#[test]
fn where_there_is_a_remote_only_what_it_has_is_tagged() {
    let world = world();
    world.git("", &["clone", "-q", "--bare", "registry", "hub.git"]);
    world.git("", &["clone", "-q", "hub.git", "clone"]);
    world.write("clone/skills/deploy/SKILL.md", lines("not pushed yet", "last"));
    world.commit("clone", "not pushed yet");
    world.sync_in("clone", &[]);
    assert_eq!(tags(&world, "clone"), "", "a sync without a push tags nothing");
    world.run_in("clone", &["tag"]).ok().says(&["once it is pushed"]);
    assert_eq!(deploys(&world, "clone").len(), 1);
    world.git("clone", &["push", "-q"]);
    world.run_in("clone", &["tag"]).ok();
    world.run_in("clone", &["tag"]).ok().says(&["every version has its tag"]);
    assert_eq!(deploys(&world, "clone")[1].1, world.head("clone"));
}

#[test]
fn log_says_where_each_version_came_from() {
    let world = three();
    world.run(&["rollback", "deploy", "--to", "v1", "--reason", "it broke"]).ok();
    let revision = world.head("upstream");
    let log = world.json(&["log", "deploy"]);
    let versions = log["versions"].as_array().unwrap();
    let origins: Vec<_> = versions.iter().map(|v| (v["version"].clone(), v["origin"].clone())).collect();
    let expected =
        [(4, "rollback"), (3, "merge"), (2, "local_edit"), (1, "upstream")].map(|(v, o)| (json!(v), json!(o)));
    assert_eq!(origins, expected, "newest first, what has no tag yet included");
    assert_eq!(versions[1]["revision"], revision.as_str());
    assert!(versions[2]["author"].as_str().unwrap().starts_with("Pat Person"));
    let text = world.run(&["log", "deploy"]).ok().stdout;
    assert!(text.contains("v3") && text.contains("v4"), "{text}");
    world.run(&["log", "nobody"]).ends_with(1).says(&["no version"]);
}

#[test]
fn show_and_diff_take_any_state_of_a_skill() {
    let world = three();
    world.upstream(&[(FILE, &lines("first", "v3"))]);
    world.sync();
    let diff = world.run(&["diff", "deploy@v1", "@v2"]).ok().stdout;
    assert!(diff.contains("-first\n+ours\n") && !diff.contains("v2\n+"), "{diff}");
    assert!(diff.contains("--- v1/SKILL.md\n+++ v2/SKILL.md\n"), "{diff}");
    let diff = world.run(&["diff", "deploy@v1"]).ok().stdout;
    assert!(diff.contains("-last\n+v2\n"), "with one state, the other is the default branch's: {diff}");
    let diff = world.run(&["diff", "deploy"]).ok().stdout;
    assert!(diff.contains("--- base/SKILL.md\n+++ local/SKILL.md\n") && diff.contains("-first\n+ours\n"), "{diff}");
    let diff = world.run(&["diff", "deploy@base", "@upstream"]).ok().stdout;
    assert!(diff.contains("-v2\n+v3\n") && !diff.contains("ours"), "{diff}");
    let show = world.json(&["show", "deploy@v1"]);
    assert_eq!((&show["state"], &show["newest_version"]), (&json!("v1"), &json!(3)));
    world.run(&["diff", "deploy@v9"]).ends_with(1).says(&["no version v9", "the newest is v3"]);
    world.run(&["diff", "deploy@v1", "@tomorrow"]).ends_with(2).says(&["no state of a skill"]);
    world.run(&["show", "nobody"]).ends_with(1).says(&["no skill `nobody`"]);
}

#[test]
fn export_writes_a_version_whole_with_its_modes() {
    let world = world();
    world.registry(&[("skills/deploy/scripts/run", "#!/bin/sh\n"), ("skills/deploy/a/b.md", "deep\n")]);
    edit(&world, "third");
    world.run(&["tag"]).ok();
    world.run(&["export", "deploy@v2", "--to", "../out/new"]).ok();
    world.git("registry", &["worktree", "add", "-q", "--detach", "../at-v2", "deploy/v2"]);
    assert_eq!(listing(&world.path("out/new/deploy")), listing(&world.path("at-v2/skills/deploy")));
    assert_eq!(std::fs::read_dir(world.path("out/new")).unwrap().count(), 1, "nothing of the staging is left");
    let before = listing(&world.path("out"));
    world.run(&["export", "deploy", "--to", "../out/new"]).ends_with(1).says(&["exists already"]);
    assert_eq!(listing(&world.path("out")), before);
}

#[test]
#[cfg(unix)]
fn export_never_writes_through_a_symbolic_link() {
    let world = world();
    world.write("victim/SKILL.md", "precious\n");
    std::fs::create_dir(world.path("out")).unwrap();
    for target in ["../victim", "../nowhere"] {
        std::os::unix::fs::symlink(target, world.path("out/deploy")).unwrap();
        world.run(&["export", "deploy", "--to", "../out"]).ends_with(1).says(&["exists already"]);
        assert_eq!(world.read("victim/SKILL.md"), "precious\n");
        assert!(!world.exists("nowhere"));
        std::fs::remove_file(world.path("out/deploy")).unwrap();
    }
    // A link in the skill itself is not written, and nothing is left of the attempt.
    std::os::unix::fs::symlink("../../../victim/SKILL.md", world.path("registry/skills/deploy/link.md")).unwrap();
    world.commit("registry", "a link");
    world.run(&["export", "deploy", "--to", "../out"]).ends_with(1).says(&["link.md is a link or submodule"]);
    assert_eq!(listing(&world.path("out")), "", "whole or not at all");
    std::os::unix::fs::symlink("victim", world.path("linked")).unwrap();
    let before = listing(&world.path("victim"));
    world.run(&["export", "other", "--to", "../linked"]).ends_with(1).says(&["is a symbolic link", "--to "]);
    assert_eq!(listing(&world.path("victim")), before);
}

#[test]
fn rollback_takes_content_and_entry_back_together_and_declines_what_it_leaves() {
    let world = three();
    let entry = world.show("registry", "deploy/v2", "skills/deploy.toml");
    let report = world.json(&["rollback", "deploy", "--reason", "v3 broke the build"]);
    assert_eq!((&report["to"], &report["declined"]), (&json!(2), &json!(true)));
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), lines("ours", "last"));
    let now = world.read("registry/skills/deploy.toml");
    assert!(now.starts_with(entry.trim_end()), "the entry of v2, and the decline:\n{now}");
    assert!(now.contains("[declined]") && now.contains("reason = \"v3 broke the build\""), "{now}");
    let changed = world.git("registry", &["diff", "--name-only", "HEAD^"]);
    assert_eq!(changed, "skills/deploy.toml\nskills/deploy/SKILL.md", "in one commit");
    let synced = world.sync();
    assert!(synced.skill("deploy")["hold"].is_string(), "it does not return tomorrow: {:#}", synced.json);
    assert!(world.branches("registry", "candidate/").is_empty());
    world.run(&["check"]).ok();
    // The next one is proposed, and merges with what is here now.
    world.upstream(&[(FILE, &lines("first", "v3"))]);
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("three_way", "opened"));
    assert_eq!(world.show("registry", "candidate/up/deploy", FILE), lines("ours", "v3"));
}

#[test]
fn rollback_without_a_version_goes_further_back_each_time_and_never_to_what_was_taken_back() {
    let world = world();
    for text in ["v2", "v3"] {
        world.upstream(&[(FILE, &lines("first", text))]);
        world.sync();
        world.run(&["candidate", "accept", "deploy"]).ok();
    }
    world.run(&["tag"]).ok();
    let text = || world.read("registry/skills/deploy/SKILL.md");
    world.run(&["rollback", "deploy", "--reason", "leaks"]).ok();
    assert!(text().contains("v2"), "{}", text());
    world.run(&["tag"]).ok();
    world.run(&["rollback", "deploy", "--reason", "leaks, too"]).ok();
    assert!(text().contains("last"), "{}", text());
    world.run(&["tag"]).ok();
    let refused = world.run(&["rollback", "deploy", "--reason", "again"]).ends_with(1);
    refused.says(&["is what v1 was, and has no version before that", "rollback deploy --to vN"]);
    assert!(text().contains("last"), "{}", text());
    world.run(&["rollback", "deploy", "--to", "v2", "--reason", "that one is good after all"]).ok();
    assert!(text().contains("v2"), "{}", text());
}

#[test]
fn rollback_leaves_a_pause_as_it_stands_today() {
    let world = world();
    world.run(&["pause", "deploy", "--reason", "freeze"]).ok();
    edit(&world, "ours");
    world.run(&["resume", "deploy", "--no-sync"]).ok();
    world.run(&["tag"]).ok();
    world.run(&["rollback", "deploy", "--to", "v1", "--reason", "too bold"]).ok();
    assert!(world.read("registry/skills/deploy/SKILL.md").contains("last"));
    let entry = world.read("registry/skills/deploy.toml");
    assert!(!entry.contains("[paused]"), "{entry}");
    world.run(&["pause", "deploy", "--reason", "freeze"]).ok();
    world.run(&["rollback", "deploy", "--to", "v2", "--reason", "not so bold"]).ok();
    let entry = world.read("registry/skills/deploy.toml");
    assert!(entry.contains("[paused]") && entry.contains("freeze"), "{entry}");
}

#[test]
fn rollback_of_an_edit_of_our_own_declines_nothing() {
    let world = world();
    edit(&world, "ours");
    world.sync();
    let report = world.json(&["rollback", "deploy", "--reason", "no"]);
    assert_eq!(report["declined"], false);
    assert!(!world.read("registry/skills/deploy.toml").contains("[declined]"));
    assert_eq!(world.sync().class("deploy"), "unchanged");
    world.run(&["rollback", "deploy", "--to", "v1", "--reason", "no"]).ends_with(2).says(&["is what v1 was already"]);
}

#[test]
fn rollback_is_refused_where_the_version_followed_another_upstream_or_none() {
    let world = world();
    world.registry(&[("skills/mine/SKILL.md", &skill("mine", "ours"))]);
    world.registry(&[("skills/mine/SKILL.md", &skill("mine", "ours, edited"))]);
    world.upstream(&[("skills/mine/SKILL.md", &skill("mine", "ours, edited"))]);
    world.sync();
    world.run(&["link", "mine", "--to", "up", "--yes"]).ok();
    world.sync();
    let head = world.head("registry");
    let refused = world.run(&["rollback", "mine", "--to", "v1", "--reason", "no"]).ends_with(2);
    refused.says(&["followed another upstream, or none, at v1", "skillgraft export mine@v1"]);
    assert_eq!(world.head("registry"), head);
}

#[test]
fn rollback_goes_back_to_before_the_source_had_another_name() {
    let world = three();
    world.run(&["source", "rename", "up", "above"]).ok();
    world.run(&["rollback", "deploy", "--reason", "v3 broke the build"]).ok();
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), lines("ours", "last"));
    let entry = world.read("registry/skills/deploy.toml");
    assert!(entry.contains("source = \"above\"") && entry.contains("[declined]"), "{entry}");
    world.run(&["check"]).ok();
    let synced = world.sync();
    assert!(synced.skill("deploy")["hold"].is_string(), "{:#}", synced.json);
}

#[test]
fn rollback_refuses_uncommitted_work_in_the_way() {
    let world = three();
    world.write("registry/skills/deploy/SKILL.md", "a draft\n");
    let refs = world.refs("registry");
    world.run(&["rollback", "deploy", "--reason", "no"]).ends_with(1).says(&["skills/deploy/SKILL.md"]);
    assert_eq!((world.refs("registry"), world.read("registry/skills/deploy/SKILL.md")), (refs, "a draft\n".into()));
}

#[test]
fn a_tag_prefix_and_a_namespace_are_part_of_the_name() {
    let world = World::with_upstream(&[(FILE, &lines("first", "last"))]);
    world.run(&["add", "../upstream", "--name", "up", "--namespace", "acme"]).ok();
    world.registry(&[("skills/mine/SKILL.md", &skill("mine", "v1"))]);
    let text = world.read("registry/skillgraft.toml").replacen("[registry]\n", "[registry]\ntag_prefix = \"sg/\"\n", 1);
    world.write("registry/skillgraft.toml", text);
    world.commit("registry", "a prefix");
    world.run(&["tag"]).ok();
    let all = world.git("registry", &["tag"]);
    assert_eq!(all, "sg/acme/deploy/v1\nsg/mine/v1\nsg/using-skillgraft/v1");
    world.run(&["export", "acme/deploy@v1", "--to", "../out"]).ok();
    assert_eq!(world.read("out/deploy/SKILL.md"), lines("first", "last"));
}

#[test]
fn a_skill_that_was_deleted_and_comes_back_goes_on_counting() {
    let world = world();
    world.sync();
    world.git("registry", &["rm", "-rq", "skills/deploy", "skills/deploy.toml"]);
    world.commit("registry", "no more deploy");
    world.sync();
    assert_eq!(deploys(&world, "registry").len(), 1, "an end is no version");
    world.run(&["log", "deploy"]).ok();
    world.run(&["export", "deploy@v1", "--to", "../out"]).ok();
    let back = edit(&world, "back");
    world.sync();
    assert_eq!(deploys(&world, "registry")[1], ("deploy/v2".to_owned(), back));
}

#[test]
fn a_disabled_skill_that_is_enabled_again_is_no_new_version() {
    let world = world();
    world.sync();
    world.run(&["disable", "deploy", "--reason", "no"]).ok();
    world.sync();
    world.run(&["enable", "deploy"]).ok();
    world.sync();
    assert_eq!(deploys(&world, "registry").len(), 1);
}

#[test]
fn a_renamed_skill_begins_with_a_version_of_its_own() {
    let world = world();
    world.sync();
    world.git("registry", &["mv", "skills/deploy", "skills/ship"]);
    world.git("registry", &["mv", "skills/deploy.toml", "skills/ship.toml"]);
    let renamed = world.commit("registry", "our name for it");
    world.sync();
    assert_eq!(world.rev("registry", "ship/v1^{commit}"), renamed);
    assert_eq!(deploys(&world, "registry").len(), 1);
    assert_eq!(world.json(&["log", "ship"])["versions"][0]["origin"], "upstream");
}

#[test]
fn versions_begin_with_the_registry() {
    let world = World::new();
    world.init("registry");
    world.registry(&[(FILE, &lines("before", "last"))]);
    world.run_in("", &["init", "registry"]).ok();
    let begun = world.head("registry");
    let second = edit(&world, "second");
    world.run(&["tag"]).ok();
    assert_eq!(deploys(&world, "registry"), named(&[("deploy/v1", &begun), ("deploy/v2", &second)]));
}

#[test]
fn a_dry_run_tags_nothing_and_says_what_it_would() {
    let world = world();
    let before = (world.refs("registry"), world.objects("registry"));
    let synced = world.sync_in("registry", &["--dry-run"]);
    assert_eq!(synced.json["versions"].as_array().unwrap().len(), 3, "{:#}", synced.json);
    assert_eq!((world.refs("registry"), world.objects("registry")), before);
}

#[test]
fn show_of_a_version_describes_what_that_versions_commit_has() {
    let world = world();
    let first = world.head("upstream");
    let edit = lines("ours", "last");
    world.registry(&[("skills/deploy/SKILL.md", &edit)]);
    let second = world.upstream(&[("skills/deploy/SKILL.md", &lines("first", "theirs"))]);
    world.sync();
    world.run(&["candidate", "accept", "deploy"]).ok();
    world.run(&["tag"]).ok();
    let of = |text: &str| {
        let shown = world.json(&["show", text]);
        assert_eq!(shown["tree"], shown["state_tree"], "{text}");
        (shown["revision"].clone(), shown["edited"].clone())
    };
    assert_eq!(of("deploy@v1"), (first.clone().into(), false.into()));
    assert_eq!(of("deploy@v2"), (first.into(), true.into()));
    assert_eq!(of("deploy@v3"), (second.clone().into(), true.into()));
    assert_eq!(of("deploy"), (second.into(), true.into()));
}

#[test]
fn log_calls_an_update_a_merge_although_its_conflict_was_resolved_on_the_default_branch() {
    let world = world();
    let file = "skills/deploy/SKILL.md";
    world.registry(&[(file, &lines("ours", "last"))]);
    world.upstream(&[(file, &lines("theirs", "last"))]);
    world.sync();
    world.git("registry", &["merge", "-q", "--no-edit", "candidate/up/deploy"]);
    world.write(format!("registry/{file}"), lines("both", "last"));
    world.commit("registry", "decided");
    world.run(&["candidate", "resolve", "deploy"]).ok();
    world.registry(&[(file, &lines("both", "ours"))]);
    let log = world.json(&["log", "deploy"]);
    let origins: Vec<_> = log["versions"].as_array().unwrap().iter().map(|one| one["origin"].clone()).collect();
    assert_eq!(origins, ["local_edit", "merge", "local_edit", "upstream"], "{log:#}");
}

#[test]
fn before_the_first_tag_errors_say_what_makes_versions() {
    let world = world();
    edit(&world, "second");
    let here = "`skillgraft sync` makes them, and at once: skillgraft tag";
    let rollback = ["rollback", "deploy", "--reason", "no"];
    world.run(&rollback).ends_with(1).says(&["no version to go back to: none of it was tagged yet", here]);
    world.run(&[&rollback[..], &["--to", "v1"]].concat()).ends_with(1).says(&["no version v1: none of it was", here]);
    world.run(&["export", "deploy@v1", "--to", "out"]).ends_with(1).says(&["no version v1: none of it was", here]);
    world.run(&["export", "nobody@v1", "--to", "out"]).ends_with(1).says(&["there is no skill `nobody`"]);
    // The command that is named leads there.
    world.run(&["tag"]).ok();
    world.run(&rollback).ok().prints(&["deploy to v1"]);
    world
        .run(&["rollback", "other", "--reason", "no"])
        .ends_with(1)
        .says(&["is what v1 was, and has no version before"]);

    let remote = crate::push::world();
    let said = ["`skillgraft sync --push` makes them, of what the remote has", "git fetch --tags"];
    remote.run_in("here", &["export", "deploy@v1", "--to", "out"]).ends_with(1).says(&said);
    remote.run_in("here", &["sync", "--push"]).ok();
    remote.git("here", &["fetch", "-q", "--tags"]);
    remote.run_in("here", &["export", "deploy@v1", "--to", "out"]).ok();
}
