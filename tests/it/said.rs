//! What commands say they did, and the way back that they name.

use crate::support::{World, skill};
use crate::sync::{lines, world};
use serde_json::json;

const FILE: &str = "skills/deploy/SKILL.md";

#[test]
fn what_was_done_to_a_source_is_said() {
    let world = world();
    world.run(&["source", "set", "up", "ref=main"]).ok().prints(&["Set ref of source up: not set -> main ("]);
    let again = world.run(&["source", "set", "up", "ref=main"]).ok();
    again.prints(&["ref of source up is main already; nothing to do"]);
    let set = world.json(&["source", "set", "up", "exclude=[\"x\"]"]);
    assert_eq!((&set["done"], &set["key"], &set["value"]), (&json!("set"), &json!("exclude"), &json!("[\"x\"]")));
    world
        .run(&["source", "rename", "up", "sp"])
        .ok()
        .prints(&["Renamed source up to sp, with 2 skills (", "  deploy\n"]);
    let disabled = world.run(&["source", "disable", "sp"]).ok();
    disabled.prints(&["Disabled source sp: sync passes it by, its 2 skills stay ("]);
    world.run(&["source", "disable", "sp"]).ok().prints(&["Source sp is disabled already; nothing to do"]);
    let removed = world.run(&["source", "remove", "sp", "--adopt"]).ok();
    removed.prints(&["Removed source sp; of our own from now on: 2 skills ("]);
    let other = crate::sync::world();
    other.run(&["source", "remove", "up", "--delete"]).ok().prints(&["Removed source up, and deleted 2 skills ("]);
}

#[test]
fn what_is_adopted_can_be_linked_again_by_the_command_that_adopt_names() {
    let world = world();
    world.registry(&[(FILE, &lines("ours", "last"))]);
    let adopted = world.run(&["adopt", "deploy"]).ok().says(&["skillgraft link deploy --to up:skills/deploy"]);
    adopted.prints(&["Adopted deploy: it follows up no more ("]);
    world.upstream(&[(FILE, &lines("first", "v2"))]);
    world.run(&["link", "deploy", "--to", "up:skills/deploy", "--yes"]).ok();
    assert!(!world.read("registry/sources/up.toml").contains("\"skills/deploy\""), "its exclusion goes");
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("three_way", "opened"));
    // What people excluded by a glob of their own stays theirs, and is said.
    world.run(&["adopt", "deploy"]).ok();
    world.run(&["source", "set", "up", "exclude=[\"dep*\"]"]).ok();
    let linked = world.run(&["link", "deploy", "--to", "up:skills/deploy", "--yes"]).ok();
    linked.says(&["the settings of source `up` do not select skills/deploy", "sources/up.toml"]);
    assert_eq!(world.sync().class("deploy"), "unselected");
}

#[test]
fn what_is_disabled_or_declined_is_said_with_the_way_back() {
    let world = world();
    let revision = world.upstream(&[(FILE, &lines("first", "v2")), ("skills/more/SKILL.md", &skill("more", "v1"))]);
    world.sync();
    let declined = world.run(&["candidate", "decline", "deploy", "--reason", "later", "--until", "2999-01-01"]).ok();
    declined
        .says(&["to be asked again: skillgraft candidate retry deploy"])
        .prints(&[&format!("Declined deploy of up {} until 2999-01-01, or until upstream moves on (", &revision[..7])]);
    let declined = world.run(&["candidate", "decline", "more", "--reason", "no"]).ok();
    declined.says(&["take its path out of `exclude` in sources/up.toml"]).prints(&["for good: it was excluded"]);
    let disabled = world.run(&["disable", "deploy", "--reason", "leaks"]).ok();
    disabled.says(&["to bring it back: skillgraft enable deploy"]).prints(&["Disabled deploy: no agent loads it"]);
    let report = world.json(&["disable", "deploy", "other", "--reason", "leaks"]);
    assert_eq!((&report["skills"], &report["unchanged"]), (&json!(["other"]), &json!(["deploy"])));
    world.run(&["enable", "deploy", "other"]).ok().prints(&["Enabled deploy, with the content that it had last ("]);
    world.run(&["enable", "deploy"]).ok().prints(&["deploy is enabled already; nothing to do"]);
}

#[test]
fn an_import_that_meets_another_skill_shows_its_version_content_and_owners() {
    let world = World::new();
    world.run_in("", &["init", "registry"]).ok();
    world.write("bundle/deploy/SKILL.md", skill("deploy", "imported"));
    world.registry(&[
        (FILE, &skill("deploy", "here already")),
        ("skills/deploy.toml", "format = 1\nowners = [\"Ops <ops@example.com>\"]\n"),
    ]);
    world.run(&["tag"]).ok();
    let import = ["import", "--from", "../bundle"];
    let report = world.run(&[&["--json"], &import[..]].concat()).ends_with(3).json();
    let item = &report["skills"][0];
    let (here, to_come) = (item["conflict"]["tree"].as_str().unwrap(), item["tree"].as_str().unwrap());
    let here = format!("here: v1, {here}, belongs to Ops <ops@example.com>");
    world.run(&import).ends_with(3).says(&[&here, &format!("to come: {to_come}"), "skip, rename (deploy-2)"]);
}
