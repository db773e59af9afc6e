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

#[test]
fn link_finds_the_state_that_was_copied_from_a_branch_or_before_a_merge_the_wrong_way_round() {
    let world = world();
    let merge = |from: &str| world.git("upstream", &["merge", "-q", "--no-ff", "--no-edit", from]);
    world.git("upstream", &["switch", "-q", "-c", "dev"]);
    let branch = world.upstream(&[(FILE, &lines("half done", "last"))]);
    world.upstream(&[(FILE, &lines("done", "last"))]);
    world.git("upstream", &["switch", "-q", "main"]);
    merge("dev");
    world.git("upstream", &["switch", "-q", "-c", "fork"]);
    world.upstream(&[(FILE, &lines("forked", "last"))]);
    world.git("upstream", &["switch", "-q", "main"]);
    let before = world.upstream(&[(FILE, &lines("done", "on main"))]);
    // Somebody pulls main into a fork, and pushes that as main.
    world.git("upstream", &["switch", "-q", "fork"]);
    merge("main");
    world.git("upstream", &["branch", "-f", "main", "fork"]);
    world.git("upstream", &["switch", "-q", "main"]);
    let on_first_parents = world.git("upstream", &["rev-list", "--first-parent", "main"]);
    assert!(!on_first_parents.contains(&before) && !on_first_parents.contains(&branch));
    world.registry(&[
        ("skills/one/SKILL.md", &lines("half done", "last")),
        ("skills/two/SKILL.md", &lines("done", "on main")),
    ]);
    for (copy, revision) in [("one", &branch), ("two", &before)] {
        let found = world.json(&["link", copy, "--to", "up:skills/deploy", "--yes"]);
        assert_eq!((&found["identical"], &found["revision"]), (&true.into(), &revision.as_str().into()), "{found:#}");
    }
    world.sync();
}

#[test]
fn link_says_why_a_state_cannot_be_taken_in() {
    let world = world();
    world.edit("registry/skillgraft.toml", "[limits]\n", "[limits]\nskill_files = 1\n");
    world.upstream(&[("skills/many/SKILL.md", &skill("many", "v1")), ("skills/many/more.md", "more\n")]);
    world.registry(&[("skills/many/SKILL.md", &skill("many", "v1")), ("skills/many/more.md", "more\n")]);
    let refused = world.run(&["link", "many", "--to", "up:skills/many", "--yes"]).ends_with(1);
    refused.says(&["cannot be taken in", "it has more than 1 file", "--base REV"]);
}

#[test]
fn what_is_disabled_says_what_comes_before_a_link_and_what_a_rename_needs() {
    let world = world();
    world.run(&["disable", "deploy", "--reason", "no"]).ok();
    world.run(&["link", "deploy", "--to", "up", "--yes"]).ends_with(1).says(&["skillgraft enable deploy"]);
    world.git("registry", &["mv", "skills/deploy.toml", "skills/ship.toml"]);
    world.commit("registry", "another name");
    world.run(&["enable", "ship"]).ends_with(1).says(&["give skills/ship.toml its former name again"]);
    world.git("registry", &["mv", "skills/ship.toml", "skills/deploy.toml"]);
    world.commit("registry", "its former name");
    world.run(&["enable", "deploy"]).ok();
    world.git("registry", &["mv", "skills/deploy.toml", "skills/ship.toml"]);
    world.git("registry", &["mv", "skills/deploy", "skills/ship"]);
    world.commit("registry", "another name");
    assert_eq!(world.sync().class("ship"), "unchanged");
}

#[test]
fn a_tag_of_somebodys_own_that_only_looks_like_a_version_is_none() {
    let world = world();
    for tag in ["deploy/v01", "deploy/v+7", "deploy/v0"] {
        world.git("registry", &["tag", tag, "HEAD^"]);
    }
    world.run(&["tag"]).ok();
    let first = world.rev("registry", "deploy/v1^{commit}");
    assert_eq!(first, world.head("registry"));
    assert_eq!(world.json(&["log", "deploy"])["versions"].as_array().unwrap().len(), 1);
    for state in ["deploy@v01", "deploy@v+1", "deploy@v0"] {
        world.run(&["show", state]).ends_with(2).says(&["is no state of a skill", "v1, v2, ..."]);
    }
}

#[test]
fn a_diff_of_two_skills_says_which_side_is_which() {
    let world = world();
    world.run(&["tag"]).ok();
    world.run(&["diff", "deploy@v1", "other"]).ok().prints(&["--- deploy@v1/SKILL.md\n+++ other@local/SKILL.md\n"]);
    let diff = world.json(&["diff", "deploy", "other@v1"]);
    assert_eq!((&diff["from"], &diff["to"]), (&"deploy@local".into(), &"other@v1".into()));
    let own = world.run(&["diff", "using-skillgraft"]).ends_with(2);
    own.says(&["follows no upstream", "using-skillgraft@v1"]);
    world.run(&["diff", "using-skillgraft@v1"]).ok();
}

#[test]
fn a_git_that_holds_the_index_is_told_from_changes_that_are_in_the_way() {
    let world = world();
    let refs = world.refs("registry");
    world.write("registry/.git/index.lock", "");
    let refused = world.run(&["disable", "deploy", "--reason", "no"]).ends_with(1);
    refused.says(&["another git works on the index, so nothing was changed", "index.lock", "run the command again"]);
    assert_eq!(world.refs("registry"), refs);
    std::fs::remove_file(world.path("registry/.git/index.lock")).unwrap();
    world.run(&["disable", "deploy", "--reason", "no"]).ok();
}
