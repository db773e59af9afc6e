//! What ends by itself, and what `pause` is told where a source and a skill have one name.

use crate::holds::is_settled;
use crate::support::World;
use crate::sync::{lines, world};
use serde_json::json;

const FILE: &str = "skills/deploy/SKILL.md";

#[test]
fn a_pause_that_ended_is_reported_until_its_note_is_removed() {
    for (name, file) in [("up", "registry/sources/up.toml"), ("deploy", "registry/skills/deploy.toml")] {
        let world = world();
        world.run(&["pause", name, "--until", "2999-01-01"]).ok();
        world.upstream(&[(FILE, &lines("first", "v2"))]);
        let listed = |world: &World| match name {
            "up" => world.json(&["source", "list"])["sources"][0]["paused"].clone(),
            _ => world.json(&["list"])["skills"][0]["paused"].clone(),
        };
        world.sync();
        assert_eq!(listed(&world), true);
        assert!(world.run(&["list"]).ok().stdout.contains("paused") == (name == "deploy"));
        // As if time had passed.
        world.edit(file, "until = 2999-01-01", "until = 2020-01-01");
        world.commit("registry", "time passes");
        for _ in 0..2 {
            let synced = world.sync();
            let ended = if name == "up" { &synced.source("up")["ended"] } else { &synced.skill("deploy")["ended"] };
            let hint = format!("remove its note: skillgraft resume {name}");
            assert_eq!(ended, &json!([{"message": "its pause ended on 2020-01-01", "hint": hint}]));
            assert_eq!(synced.class("deploy"), "fast_forward");
        }
        is_settled(&world);
        assert_eq!(listed(&world), false);
        let status = world.run(&["status"]).ok().all();
        assert!(!status.contains("paused") && !world.run(&["list"]).ok().all().contains("paused"), "{status}");
        let said = [format!("{name}: its pause ended on 2020-01-01"), format!("skillgraft resume {name}")];
        world.run(&["sync"]).ok().says(&[&said[0], &said[1]]);
        world.run(&["resume", name]).ok();
        assert!(!world.read(file).contains("[paused]"));
        let synced = world.sync();
        assert_eq!((&synced.source("up")["ended"], &synced.skill("deploy")["ended"]), (&json!([]), &json!([])));
        assert_eq!(synced.action("deploy"), "kept");
    }
}

#[test]
fn what_ended_awaits_no_decision() {
    let world = world();
    world
        .registry(&[("sources/up.toml", &(world.read("registry/sources/up.toml") + "[paused]\nuntil = 2020-01-01\n"))]);
    world.run(&["sync", "--exit-code"]).ok().says(&["its pause ended on 2020-01-01"]);
}

#[test]
fn a_decline_that_ended_is_reported_as_long_as_upstream_offers_that_update() {
    let world = world();
    world.upstream(&[(FILE, &lines("first", "v2"))]);
    world.sync();
    world.run(&["candidate", "decline", "deploy", "--reason", "later", "--until", "2999-12-31"]).ok();
    assert_eq!(world.sync().skill("deploy")["ended"], json!([]));
    world.edit("registry/skills/deploy.toml", "until = 2999-12-31", "until = 2020-01-01");
    world.commit("registry", "time passes");
    let synced = world.sync();
    assert_eq!(synced.action("deploy"), "opened");
    let ended = &synced.skill("deploy")["ended"];
    assert_eq!(ended[0]["message"], "the decline of this update ended on 2020-01-01");
    assert_eq!(ended[0]["hint"], "decline it again: skillgraft candidate decline deploy --reason TEXT");
    is_settled(&world);
    world.upstream(&[(FILE, &lines("first", "v3"))]);
    assert_eq!(world.sync().skill("deploy")["ended"], json!([]), "of another update there is nothing to say");
}

#[test]
fn where_a_source_and_a_skill_have_one_name_pause_asks_which_is_meant() {
    let world = World::with_upstream(&[(FILE, &lines("first", "last"))]);
    world.run(&["add", "../upstream", "--name", "deploy"]).ok();
    let head = world.head("registry");
    for command in ["pause", "resume"] {
        let refused = world.run(&[command, "deploy"]).ends_with(2);
        refused.says(&["a source `deploy`, and a skill `deploy`", "source:deploy, or skill:deploy"]);
    }
    assert_eq!(world.head("registry"), head);
    for (kind, file) in [("source", "sources/deploy.toml"), ("skill", "skills/deploy.toml")] {
        let name = format!("{kind}:deploy");
        let report = world.json(&["pause", &name, "--until", "2999-01-01"]);
        assert_eq!((&report["kind"], &report["name"]), (&json!(kind), &json!("deploy")));
        assert_eq!(world.git("registry", &["diff", "--name-only", "HEAD^"]), file);
        world.edit(&format!("registry/{file}"), "until = 2999-01-01", "until = 2020-01-01");
        world.commit("registry", "time passes");
        world.run(&["sync"]).ok().says(&[&format!("skillgraft resume {name}")]);
        world.run(&["resume", &name]).ok();
        assert!(!world.read(format!("registry/{file}")).contains("[paused]"));
    }
    world.run(&["pause", "skill:nobody"]).ends_with(1).says(&["there is no skill `nobody`"]);
    world.run(&["pause", "source:nobody"]).ends_with(2).says(&["there is no source `nobody`"]);
}

#[test]
fn what_is_paused_already_changes_only_in_what_is_given() {
    for (name, kind, file) in [("up", "source", "sources/up.toml"), ("deploy", "skill", "skills/deploy.toml")] {
        let world = world();
        let path = format!("registry/{file}");
        let first = world.run(&["pause", name, "--reason", "the release first", "--until", "2998-01-01"]).ok();
        first.prints(&[&format!("Paused {kind} {name} until 2998-01-01, because: the release first (")]);
        world.edit(&path, "2998-01-01", "2998-01-01 # ask Pat");
        world.edit(&path, "Pat Person", "Sam Someone");
        world.commit("registry", "a word on it");
        let said = world.run(&["pause", name, "--until", "2999-01-01"]).ok();
        said.says(&["before: until 2998-01-01, because: the release first"])
            .prints(&[&format!("Changed the pause of {kind} {name}: until 2999-01-01, because: the release first (")]);
        let text = world.read(&path);
        for part in ["by = \"Sam Someone", "reason = \"the release first\"", "until = 2999-01-01"] {
            assert!(text.contains(part), "no {part} in {text}");
        }
        let report = world.json(&["pause", name, "--reason", "the second release"]);
        assert_eq!((&report["reason"], &report["until"]), (&json!("the second release"), &json!("2999-01-01")));
        assert_eq!(report["before"]["reason"], "the release first");
        let head = world.head("registry");
        let again = world.run(&["pause", name]).ok();
        again.prints(&[&format!("{kind} {name} is paused already until 2999-01-01, because: the second release")]);
        assert_eq!(world.head("registry"), head, "nothing was given, so nothing changes");
        // One that has ended is over: nothing of it is kept.
        world.edit(&path, "2999-01-01", "2020-01-01");
        world.commit("registry", "time passes");
        let report = world.json(&["pause", name]);
        assert_eq!(
            (&report["reason"], &report["until"], &report["before"]),
            (&json!(null), &json!(null), &json!(null))
        );
        assert!(!world.read(&path).contains("release") && world.read(&path).contains("by = \"Pat Person"));
        world.run(&["resume", name, "--no-sync"]).ok().prints(&[&format!("Resumed {kind} {name} (")]);
        world
            .run(&["resume", name, "--no-sync"])
            .ok()
            .prints(&[&format!("{kind} {name} is not paused; nothing to do")]);
    }
}
