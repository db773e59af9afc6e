//! What the team does to skills and sources, in states that are odd: `link`, `adopt`, `source enable`, `export`.

use crate::support::{World, listing, skill};
use crate::sync::{lines, world};

const FILE: &str = "skills/deploy/SKILL.md";

/// A world whose default branch has a conflict that nobody resolved.
fn conflicted() -> World {
    let world = world();
    world.registry(&[(FILE, &lines("ours", "last"))]);
    world.upstream(&[(FILE, &lines("theirs", "last"))]);
    world.sync();
    world.git("registry", &["merge", "-q", "--no-edit", "candidate/up/deploy"]);
    world
}

#[test]
fn link_does_not_take_unresolved_conflicts_off_the_list() {
    let world = conflicted();
    let head = world.head("registry");
    let refused = world.run(&["link", "deploy", "--to", "up", "--yes"]).ends_with(1);
    refused.says(&["`deploy` lists unresolved conflicts", "skillgraft candidate resolve deploy"]);
    assert_eq!(world.head("registry"), head);
    world.run(&["check"]).ends_with(1);
}

#[test]
fn the_revisions_that_link_shows_can_be_given_to_base() {
    let world = world();
    let first = world.head("upstream");
    world.upstream(&[(FILE, &lines("first", "v2"))]);
    world.registry(&[("skills/mine/SKILL.md", &lines("ours", "ours"))]);
    let found = world.run(&["link", "mine", "--to", "up:skills/deploy", "--yes"]).ok();
    found.prints(&["nearly as near, to be named with --base:\n", &first]);
    world.run(&["link", "mine", "--to", "up:skills/deploy", "--base", &first, "--yes"]).ok();
    assert!(world.read("registry/skills/mine.toml").contains(&format!("revision = \"{first}\"")));
}

#[test]
fn adopting_one_of_two_skills_that_follow_a_path_leaves_the_other_one_selected() {
    let world = world();
    world.registry(&[("skills/deploy-acme/SKILL.md", &lines("ours", "last"))]);
    world.run(&["link", "deploy-acme", "--to", "up:skills/deploy", "--yes"]).ok();
    world.sync();
    world.run(&["adopt", "deploy-acme"]).ok();
    assert_eq!(world.sync().class("deploy"), "unchanged");
    world.upstream(&[(FILE, &lines("first", "v2"))]);
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("fast_forward", "opened"));
    // With the last one that follows it the path is excluded.
    world.run(&["candidate", "accept", "deploy"]).ok();
    world.run(&["adopt", "deploy"]).ok();
    assert!(world.read("registry/sources/up.toml").contains("exclude = [\"skills/deploy\"]"));
    assert!(world.sync().json["sources"][0]["skills"].as_array().unwrap().iter().all(|it| it["class"] != "new"));
}

#[test]
fn adopt_says_what_is_wrong_with_a_source_file_that_cannot_be_read() {
    let world = world();
    world.registry(&[("sources/up.toml", "format = 1\ngti = \"../upstream\"\n")]);
    world.run(&["adopt", "deploy"]).ends_with(2).says(&["sources/up.toml:2:1", "skillgraft check"]);
}

#[test]
fn a_source_that_is_enabled_again_says_how_many_skills_follow_it() {
    let world = world();
    world.run(&["source", "disable", "up"]).ok();
    let enabled = world.run(&["source", "enable", "up"]).ok();
    enabled.prints(&["Enabled source up: sync looks at it again, 2 skills follow it"]);
    world.run(&["source", "disable", "up"]).ok();
    assert_eq!(world.json(&["source", "enable", "up"])["followers"], serde_json::json!(["deploy", "other"]));
}

#[test]
#[cfg(unix)]
fn export_does_not_write_through_a_link_that_is_named_with_a_slash() {
    let world = world();
    world.write("victim/SKILL.md", skill("victim", "precious"));
    std::os::unix::fs::symlink("victim", world.path("linked")).unwrap();
    let before = listing(&world.path("victim"));
    for to in ["../linked/", "../linked/.", "../linked//"] {
        world.run(&["export", "deploy", "--to", to]).ends_with(1).says(&["is a symbolic link"]);
    }
    assert_eq!(listing(&world.path("victim")), before);
}

#[test]
fn what_waits_for_review_says_that_the_next_command_waits_too() {
    let world = world();
    world.run(&["tag"]).ok();
    world.registry(&[(FILE, &lines("ours", "last"))]);
    for (command, next) in [
        (&["source", "rename", "up", "acme"][..], "next: skillgraft sync acme"),
        (&["source", "disable", "up"], "to follow it again: skillgraft source enable up"),
        (&["disable", "deploy", "--reason", "no"], "to bring it back: skillgraft enable deploy"),
        (&["adopt", "deploy"], "to follow it again: skillgraft link deploy --to up:skills/deploy"),
    ] {
        let proposed = world.run(&[command, &["--propose"]].concat()).ok();
        assert!(proposed.stderr.contains("once proposal/") && proposed.stderr.contains(&format!(" is merged, {next}")));
    }
    let renamed = world.run(&["source", "rename", "up", "acme"]).ok();
    assert!(renamed.stderr.starts_with("next: skillgraft sync acme"), "{}", renamed.stderr);
    // A candidate that is left over is no skill of the source.
    world.upstream(&[(FILE, &lines("first", "v2"))]);
    world.run(&["sync"]).ok().prints(&["(2 skills, 1 waiting)"]);
    let proposed = world.json(&["source", "rename", "acme", "up", "--propose"]);
    world.git("registry", &["merge", "-q", "--squash", proposed["branch"].as_str().unwrap()]);
    world.commit("registry", "the other name again");
    world.run(&["sync"]).ok().prints(&["(2 skills, 1 waiting)", "closed  candidate/acme/deploy"]);
}
