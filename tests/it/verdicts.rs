//! The verdict on a candidate says what is true of the branch as it stands: what people did on it, what was decided about
//! it, and what merging it does.

use crate::holds::{deploy, merge};
use crate::support::World;
use crate::sync::{lines, world};
use serde_json::{Value, json};

const FILE: &str = "skills/deploy/SKILL.md";
const BRANCH: &str = "candidate/up/deploy";

fn show(world: &World) -> Value {
    world.json(&["candidate", "show", "deploy"])
}

fn markdown(world: &World) -> String {
    world.run(&["candidate", "show", "deploy", "--format", "markdown"]).ok().stdout
}

fn review(world: &World, files: &[(&str, &str)]) {
    world.git("registry", &["switch", "-q", BRANCH]);
    world.registry(files);
    world.git("registry", &["switch", "-q", "main"]);
}

/// A world with an open candidate, which a reviewer edited.
fn edited() -> World {
    let world = world();
    deploy(&world, "v2");
    world.sync();
    review(&world, &[(FILE, &lines("REV", "v2")), ("README.md", "seen\n")]);
    world
}

#[test]
fn the_verdict_on_an_edited_branch_does_not_say_that_the_skill_becomes_what_upstream_has() {
    let world = edited();
    let shown = show(&world);
    let verdict = shown["verdict"].as_str().unwrap();
    assert!(!verdict.contains("becomes what upstream has"), "{verdict}");
    assert!(verdict.contains("People edited the branch in 1 commit: 2 files differ"), "{verdict}");
    let files = json!(["README.md", FILE]);
    assert_eq!(shown["branch_edits"], json!({"commits": 1, "by": ["Pat Person"], "files": files}));
    assert_eq!(shown["merging"], "any");
    assert!(markdown(&world).contains("Any merge button does."));
}

#[test]
fn a_carried_branch_is_said_to_be_no_branch_to_rebase_and_git_agrees() {
    let world = edited();
    deploy(&world, "v3");
    assert_eq!(world.sync().action("deploy"), "carried");
    let (shown, text) = (show(&world), markdown(&world));
    assert_eq!(shown["merging"], "no_rebase");
    assert_eq!(shown["branch_edits"]["commits"], 1, "the carry is the tool's");
    assert!(shown["verdict"].as_str().unwrap().contains("carried on to this update: 2 files differ"));
    assert!(!text.contains("Any merge button"), "{text}");
    for part in ["git refuses to rebase it", "1 commit by `Pat Person`", "| `skills/deploy/SKILL.md` | as it stands"] {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
    world.git("registry", &["switch", "-q", "--detach", BRANCH]);
    assert!(!world.git_tries("registry", &["rebase", "main"]), "otherwise the words are wrong");
    world.git("registry", &["rebase", "--abort"]);
    world.git("registry", &["switch", "-q", "main"]);
    world.git("registry", &["merge", "-q", "--squash", BRANCH]);
    assert!(world.read(format!("registry/{FILE}")).contains("REV"), "what the verdict said stays");
}

#[test]
fn the_verdict_on_a_held_update_says_who_holds_it_and_why() {
    let world = edited();
    world.run(&["candidate", "decline", "deploy", "--reason", "too @early", "--until", "2999-01-01"]).ok();
    let (shown, text) = (show(&world), markdown(&world));
    let held = json!({
        "kind": "declined", "by": "Pat Person", "reason": "too @early", "until": "2999-01-01", "commit": null,
    });
    assert_eq!((&shown["held"], &shown["merging"]), (&held, &json!("held")));
    assert!(shown["verdict"].as_str().unwrap().contains("The team declined this very update"));
    assert!(!text.contains("candidate accept") && !text.contains("Any merge button"), "{text}");
    assert!(text.contains("**This very update was declined** by `Pat Person` until 2999-01-01: `too \\u{40}early`"));
    world
        .run(&["candidate", "show", "deploy"])
        .ok()
        .prints(&["held      declined by Pat Person until 2999-01-01: too @early"]);
    // Taken back.
    let world = world_with_a_revert();
    let shown = show(&world);
    assert_eq!(shown["held"]["kind"], "reverted");
    assert!(shown["held"]["reason"].as_str().unwrap().starts_with("Revert "), "{shown:#}");
    assert!(shown["verdict"].as_str().unwrap().contains("took it back"), "{shown:#}");
}

fn world_with_a_revert() -> World {
    let world = world();
    deploy(&world, "v2");
    world.sync();
    let merged = merge(&world, BRANCH);
    world.git("registry", &["revert", "--no-edit", "-m", "1", &merged]);
    world
}

#[test]
fn the_class_of_a_candidate_is_the_one_that_sync_gives() {
    let world = edited();
    world.run(&["disable", "deploy", "--reason", "off"]).ok();
    let shown = show(&world);
    assert_eq!(shown["class"], world.sync().skill("deploy")["class"]);
    assert_eq!((&shown["class"], &shown["merging"]), (&json!("disabled"), &json!("blocked")));
    assert!(shown["verdict"].as_str().unwrap().starts_with("The skill is disabled here"), "{shown:#}");
    let world = edited();
    world.run(&["pause", "deploy", "--reason", "later"]).ok();
    assert_eq!(show(&world)["class"], "paused");
}
