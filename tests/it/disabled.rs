//! `disable` and `enable` while other things happen to the skill: its candidate is merged, files come to its directory.

use crate::holds::{deploy, is_settled, merge};
use crate::support::World;
use crate::sync::{lines, world};

const FILE: &str = "skills/deploy/SKILL.md";
const BRANCH: &str = "candidate/up/deploy";

fn disable(world: &World) {
    world.run(&["disable", "deploy", "--reason", "it leaks"]).ok();
}

/// `deploy` with an open candidate that somebody fetched before it was disabled, and merges all the same.
fn disabled_with_a_candidate(files: &[(&str, &str)]) -> World {
    let world = world();
    world.upstream(files);
    world.sync();
    world.git("registry", &["branch", "theirs", BRANCH]);
    disable(&world);
    world
}

/// A merge that stops at a deleted file; what upstream made of it is kept.
fn merge_and_keep_theirs(world: &World) {
    assert!(!world.git_tries("registry", &["merge", "-q", "--no-edit", "theirs"]), "modify/delete");
    world.commit("registry", "merged, theirs kept");
    assert!(world.exists("registry/skills/deploy/SKILL.md"));
}

#[test]
fn disable_closes_the_open_candidate_at_once() {
    let world = disabled_with_a_candidate(&[(FILE, &lines("first", "v2"))]);
    assert_eq!(world.branches("registry", "candidate/"), Vec::<String>::new());
    assert_eq!(world.sync().action("deploy"), "");
    is_settled(&world);
    world.run(&["enable", "deploy"]).ok();
    assert_eq!(world.sync().action("deploy"), "opened", "nobody has withdrawn it");
}

#[test]
fn disable_leaves_a_candidate_that_people_edited() {
    let world = world();
    deploy(&world, "v2");
    world.sync();
    let head = world.review(BRANCH, &[("skills/deploy/reviewed.md", "a thought\n")]);
    disable(&world);
    assert_eq!(world.rev("registry", BRANCH), head);
    assert_eq!(world.sync().action("deploy"), "left");
    assert_eq!(world.rev("registry", BRANCH), head);
}

#[test]
fn a_candidate_that_was_merged_while_its_skill_was_disabled_is_applied_to_the_content_that_comes_back() {
    let world = disabled_with_a_candidate(&[("skills/deploy/extra.md", "extra\n")]);
    merge(&world, "theirs");
    let synced = world.sync();
    let notice = synced.skill("deploy")["notice"]["message"].as_str().unwrap();
    assert_eq!(notice, "it is disabled, but skills/deploy stands there, so agents load it");
    world.run(&["check"]).ends_with(1).prints(&["[disabled-present]", "skillgraft enable deploy"]);
    world.run(&["status"]).ok().says(&["`deploy` is disabled, but its directory is there"]);
    world.run(&["enable", "deploy"]).ok();
    assert_eq!(world.show("registry", "HEAD", FILE), lines("first", "last"));
    assert_eq!(world.show("registry", "HEAD", "skills/deploy/extra.md"), "extra\n");
    let synced = world.sync();
    assert_eq!(
        (synced.class("deploy"), synced.skill("deploy")["local"].clone()),
        ("unchanged", synced.skill("deploy")["base"].clone())
    );
    world.run(&["check"]).ok();
}

#[test]
fn the_rest_of_the_content_comes_back_too_where_upstreams_skill_md_was_kept_in_the_merge() {
    let world = world();
    world.registry(&[("skills/deploy/ours.md", "ours\n"), (FILE, &lines("ours", "last"))]);
    deploy(&world, "v2");
    world.sync();
    world.git("registry", &["branch", "theirs", BRANCH]);
    disable(&world);
    merge_and_keep_theirs(&world);
    assert!(!world.exists("registry/skills/deploy/ours.md"), "git deletes what only one side changed");
    world.run(&["check"]).ends_with(1).prints(&["skills/deploy: error [disabled-present]"]);
    world.run(&["enable", "deploy"]).ok();
    assert_eq!(world.read("registry/skills/deploy/ours.md"), "ours\n");
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), lines("ours", "v2"));
    assert_eq!(world.sync().class("deploy"), "unchanged");
}

#[test]
fn a_disabled_skill_that_stands_there_again_is_disabled_again() {
    let world = disabled_with_a_candidate(&[(FILE, &lines("first", "v2"))]);
    merge_and_keep_theirs(&world);
    disable(&world);
    assert!(!world.exists("registry/skills/deploy"));
    world.run(&["check"]).ok();
    world.run(&["enable", "deploy"]).ok();
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), lines("first", "v2"));
}

#[test]
fn an_update_that_conflicts_with_the_content_is_left_out_and_its_entry_with_it() {
    let world = world();
    world.registry(&[(FILE, &lines("first", "ours"))]);
    deploy(&world, "v2");
    world.sync();
    world.run(&["candidate", "resolve", "deploy", "--take", "upstream"]).ok();
    world.git("registry", &["branch", "theirs", BRANCH]);
    disable(&world);
    assert!(!world.git_tries("registry", &["merge", "-q", "--no-edit", "theirs"]));
    world.git("registry", &["rm", "-q", FILE]);
    world.commit("registry", "merged, deleted still");
    let said = world.run(&["enable", "deploy"]).ok();
    said.says(&["it was left out; to propose it again: skillgraft candidate retry deploy"]);
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), lines("first", "ours"));
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.skill("deploy")["hold"].as_str()), ("three_way", Some("reverted")));
    world.run(&["candidate", "retry", "deploy"]).ok();
    assert_eq!(world.sync().conflicts("deploy"), ["SKILL.md content"]);
}

#[test]
fn what_came_to_the_directory_of_a_disabled_skill_stays_beside_the_content_that_comes_back() {
    let world = world();
    disable(&world);
    world.registry(&[("skills/deploy/note.md", "a note\n")]);
    world.run(&["enable", "deploy"]).ok();
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), lines("first", "last"));
    assert_eq!(world.read("registry/skills/deploy/note.md"), "a note\n");
}

#[test]
fn a_file_in_the_way_of_the_content_that_comes_back_is_named_and_nothing_changes() {
    let world = world();
    disable(&world);
    let head = world.registry(&[(FILE, "another\n")]);
    let said = world.run(&["enable", "deploy"]).ends_with(1);
    said.says(&["files stand in the way of `deploy`: skills/deploy/SKILL.md", "git mv skills/deploy/SKILL.md"]);
    assert_eq!(world.head("registry"), head);
    world.git("registry", &["mv", FILE, "another.md"]);
    world.commit("registry", "out of the way");
    world.run(&["enable", "deploy"]).ok();
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), lines("first", "last"));
}

#[test]
fn a_skill_that_people_disabled_by_hand_keeps_what_they_did_to_it_since() {
    let world = world();
    world.edit("registry/skills/deploy.toml", "active", "disabled");
    world.commit("registry", "off");
    world.registry(&[(FILE, &lines("ours", "last"))]);
    world.run(&["enable", "deploy"]).ok();
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), lines("ours", "last"));
}

#[test]
fn sync_and_check_say_that_a_directory_has_no_skill_md() {
    let world = world();
    world.write("registry/skills/deploy/extra.md", "extra\n");
    world.git("registry", &["rm", "-q", FILE]);
    world.commit("registry", "SKILL.md gone");
    let synced = world.sync();
    let notice = &synced.skill("deploy")["notice"];
    assert_eq!(notice["message"], "skills/deploy has no SKILL.md, so no agent loads it");
    world.run(&["check"]).ends_with(1).prints(&["[skill-md-missing]"]);
}
