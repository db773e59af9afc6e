//! What `rollback` must not bring back or lose, and what becomes of versions when the folder of skills moves.

use crate::holds::{is_settled, merge};
use crate::moved::{entry, ids, moved, moves};
use crate::support::{World, skill};
use crate::sync::{lines, world};
use crate::versions::{edit, tags, three};
use serde_json::json;

const FILE: &str = "skills/deploy/SKILL.md";
const BRANCH: &str = "candidate/up/deploy";

#[test]
fn rollback_leaves_what_the_team_has_declined_declined() {
    // The update is declined while an edit of our own stands; who takes the edit back does not ask for the update.
    let world = world();
    edit(&world, "ours");
    world.run(&["tag"]).ok();
    world.upstream(&[(FILE, &lines("first", "bad"))]);
    world.sync();
    world.run(&["candidate", "decline", "deploy", "--reason", "bad"]).ok();
    assert_eq!(world.json(&["rollback", "deploy", "--reason", "no"])["declined"], false);
    assert_eq!(world.sync().skill("deploy")["hold"], "declined");
    // An update is accepted, the next one declined, and then the accepted one given up, too.
    let world = crate::sync::world();
    world.run(&["tag"]).ok();
    world.upstream(&[(FILE, &lines("first", "v2"))]);
    world.sync();
    world.run(&["candidate", "accept", "deploy"]).ok();
    world.run(&["tag"]).ok();
    world.upstream(&[(FILE, &lines("first", "v3"))]);
    world.sync();
    world.run(&["candidate", "decline", "deploy", "--reason", "v3 leaks"]).ok();
    world.run(&["rollback", "deploy", "--reason", "v2 leaks, too"]).ok();
    assert_eq!(world.sync().skill("deploy")["hold"], "declined");
    world.upstream(&[(FILE, &lines("first", "v2"))]);
    assert_eq!(world.sync().skill("deploy")["hold"], "reverted", "the abandoned one does not return either");
}

#[test]
fn rollback_brings_no_conflict_back_that_was_resolved() {
    let world = world();
    let file = "registry/skills/deploy/data";
    world.upstream(&[("skills/deploy/data", "a\0a")]);
    world.sync();
    world.run(&["candidate", "accept", "deploy"]).ok();
    world.registry(&[("skills/deploy/data", "ours\0")]);
    world.sync();
    let settled = world.read("registry/skills/deploy.toml");
    // Merged unresolved: the tree is what it was, and the entry lists the conflict.
    world.upstream(&[("skills/deploy/data", "theirs\0")]);
    assert_eq!(world.sync().conflicts("deploy"), ["data binary"]);
    world.git("registry", &["merge", "-q", "--no-edit", "candidate/up/deploy"]);
    world.run(&["candidate", "resolve", "deploy", "--take", "upstream"]).ok();
    world.sync();
    let report = world.json(&["rollback", "deploy", "--reason", "ours was better"]);
    assert_eq!((&report["to"], &report["declined"]), (&json!(3), &json!(true)));
    let entry = world.read("registry/skills/deploy.toml");
    assert!(entry.starts_with(settled.trim_end()) && !entry.contains("[[conflict]]"), "{entry}");
    assert_eq!(world.read(file), "ours\0");
    world.run(&["check"]).ok();
    assert!(world.sync().skill("deploy")["hold"].is_string());
}

#[test]
fn rollback_does_not_pass_over_a_version_that_has_no_tag_yet() {
    let world = world();
    world.run(&["tag"]).ok();
    edit(&world, "second");
    edit(&world, "third");
    let log = world.json(&["log", "deploy"]);
    let tagged: Vec<_> = log["versions"].as_array().unwrap().iter().map(|one| one["tag"].is_string()).collect();
    assert_eq!(tagged, [false, false, true]);
    world.run(&["log", "deploy"]).ok().prints(&["(Pat Person <pat@example.com>) (untagged)\n"]);
    let head = world.head("registry");
    let refused = world.run(&["rollback", "deploy", "--reason", "no"]).ends_with(1);
    refused.says(&["`deploy` v2, the version before, was not tagged yet; the newest that was is v1", "skillgraft tag"]);
    assert_eq!(world.head("registry"), head);
    world.run(&["tag"]).ok();
    world.run(&["rollback", "deploy", "--reason", "no"]).ok().prints(&["deploy to v2"]);
    // One version without a tag is the present one: what stands before it has its tag.
    edit(&world, "fifth");
    world.run(&["tag"]).ok();
    edit(&world, "sixth");
    world.run(&["rollback", "deploy", "--reason", "no"]).ok().prints(&["deploy to v5"]);
}

#[test]
fn rollback_says_what_is_wrong_with_an_entry_that_cannot_be_read() {
    let world = three();
    world.registry(&[("skills/deploy.toml", "format = 1\nsatus = \"active\"\n")]);
    world.run(&["rollback", "deploy", "--reason", "no"]).ends_with(2).says(&["skills/deploy.toml:2:1"]);
}

#[test]
fn a_folder_of_skills_that_moves_takes_versions_and_holds_along() {
    let world = three();
    let taken = world.head("registry");
    world.git("registry", &["revert", "--no-edit", "-m", "1", &taken]);
    assert_eq!(world.sync().skill("deploy")["hold"], "reverted");
    let before = tags(&world, "registry");
    std::fs::create_dir(world.path("registry/.claude")).unwrap();
    world.git("registry", &["mv", "skills", ".claude/skills"]);
    world.edit("registry/skillgraft.toml", "[registry]\n", "[registry]\nskills = \".claude/skills\"\n");
    world.edit("registry/.gitattributes", "/skills/", "/.claude/skills/");
    world.commit("registry", "agents load it from here");
    assert_eq!(world.sync().skill("deploy")["hold"], "reverted", "what was taken back stays away");
    assert_eq!(tags(&world, "registry"), before, "the same content is no new version");
    let log = world.json(&["log", "deploy"]);
    let origins: Vec<_> = log["versions"].as_array().unwrap().iter().map(|one| one["origin"].clone()).collect();
    assert_eq!(origins, ["rollback", "merge", "local_edit", "upstream"], "{log:#}");
    assert!(world.run(&["diff", "deploy@v1", "@v2"]).ok().stdout.contains("-first\n+ours\n"));
    world.run(&["export", "deploy@v1", "--to", "../out"]).ok();
    assert_eq!(world.read("out/deploy/SKILL.md"), lines("first", "last"));
    world.run(&["rollback", "deploy", "--to", "v1", "--reason", "no"]).ok();
    assert_eq!(world.read("registry/.claude/skills/deploy/SKILL.md"), lines("first", "last"));
    assert_eq!(world.sync().skill("deploy")["hold"], "reverted");
    // What was disabled before the move comes back after it.
    world.run(&["disable", "other", "--reason", "no"]).ok();
    world.git("registry", &["mv", ".claude/skills", "abilities"]);
    world.edit("registry/skillgraft.toml", ".claude/skills", "abilities");
    world.commit("registry", "and from there");
    world.run(&["enable", "other"]).ok();
    assert_eq!(world.read("registry/abilities/other/SKILL.md"), skill("other", "v1"));
}

#[test]
fn an_edited_candidate_is_brought_along_when_the_folder_of_skills_moves() {
    let world = world();
    world.upstream(&[(FILE, &lines("first", "v2"))]);
    world.sync();
    world.git("registry", &["switch", "-q", BRANCH]);
    edit(&world, "a reviewer's");
    world.git("registry", &["switch", "-q", "main"]);
    world.git("registry", &["mv", "skills", "abilities"]);
    world.edit("registry/skillgraft.toml", "[registry]\n", "[registry]\nskills = \"abilities\"\n");
    world.commit("registry", "another place");
    let head = world.rev("registry", BRANCH);
    let said = format!("git switch {BRANCH} && git merge --no-edit main");
    world.run(&["sync"]).ok().says(&["has edits", &said]);
    assert_eq!(world.rev("registry", BRANCH), head);
    world.run(&["candidate", "show", "deploy"]).ends_with(2).says(&[&said]);
    world.git("registry", &["switch", "-q", BRANCH]);
    world.git("registry", &["merge", "-q", "--no-edit", "main"]);
    world.git("registry", &["switch", "-q", "main"]);
    assert_eq!(world.sync().action("deploy"), "kept");
    world.run(&["candidate", "accept", "deploy"]).ok();
    assert_eq!(world.read("registry/abilities/deploy/SKILL.md"), lines("a reviewer's", "last"));
}

#[test]
fn log_tells_an_update_that_brings_back_what_upstream_had_before_from_a_rollback() {
    let world = world();
    for text in ["v2", "last"] {
        world.upstream(&[(FILE, &lines("first", text))]);
        world.sync();
        world.run(&["candidate", "accept", "deploy"]).ok();
    }
    let log = world.json(&["log", "deploy"]);
    let origins: Vec<_> = log["versions"].as_array().unwrap().iter().map(|one| one["origin"].clone()).collect();
    assert_eq!(origins, ["upstream", "upstream", "upstream"], "{log:#}");
}

#[test]
fn a_rollback_goes_back_across_a_move_and_the_abandoned_update_is_held_at_the_new_place() {
    let world = world();
    let before = entry(&world, "main");
    moves(&world, "skills/deploy", "skills/ship");
    world.upstream(&[("skills/ship/SKILL.md", &lines("first", "v2"))]);
    world.sync();
    world.run(&["candidate", "accept", "deploy"]).ok();
    world.run(&["tag"]).ok();
    let report = world.json(&["rollback", "deploy", "--reason", "v2 leaks"]);
    assert_eq!((&report["to"], &report["declined"]), (&json!(1), &json!(true)));
    let now = world.read("registry/skills/deploy.toml");
    assert!(now.starts_with(before.trim_end()) && now.contains("reason = \"v2 leaks\""), "{now}");
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), lines("first", "last"));
    let synced = world.sync();
    moved(&synced, "skills/deploy", "skills/ship");
    assert!(synced.skill("deploy")["hold"].is_string(), "{:#}", synced.json);
    assert_eq!(ids(&synced), ["deploy", "other"], "and it is no new skill");
    is_settled(&world);
    world.run(&["check"]).ok();
    world.upstream(&[("skills/ship/SKILL.md", &lines("first", "v3"))]);
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("fast_forward", "opened"));
    merge(&world, BRANCH);
    assert_eq!(world.sync().class("deploy"), "unchanged");
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), lines("first", "v3"));
}

/// A world in which upstream moved `deploy`, which was accepted, and offers another skill in its place.
fn replaced() -> World {
    let world = world();
    moves(&world, "skills/deploy", "skills/ship");
    world.upstream(&[("skills/ship/SKILL.md", &lines("first", "v2"))]);
    world.sync();
    world.run(&["candidate", "accept", "deploy"]).ok();
    world.upstream(&[(FILE, &skill("launch", "Quite another one."))]);
    world.sync();
    world
}

#[test]
fn a_rollback_to_a_place_that_another_skill_follows_by_now_is_refused() {
    let world = replaced();
    world.run(&["candidate", "accept", "launch"]).ok();
    world.run(&["tag"]).ok();
    let head = world.head("registry");
    let refused = world.run(&["rollback", "deploy", "--reason", "no"]).ends_with(2);
    refused.says(&["`deploy` followed `skills/deploy` at v1, and `launch` follows that now", "export deploy@v1"]);
    assert_eq!(world.head("registry"), head);
}

#[test]
fn a_rollback_to_a_place_where_upstream_has_another_skill_by_now_is_refused() {
    let world = replaced();
    world.run(&["tag"]).ok();
    let refused = world.run(&["rollback", "deploy", "--reason", "no"]).ends_with(2);
    refused.says(&["followed `skills/deploy` at v1, and upstream has another skill there now", "export deploy@v1"]);
    // The one that stood there is back: it is the same skill again.
    world.git("upstream", &["rm", "-rq", "skills/deploy"]);
    moves(&world, "skills/ship", "skills/deploy");
    world.sync();
    world.run(&["rollback", "deploy", "--reason", "no"]).ok();
    assert!(entry(&world, "main").contains("path = \"skills/deploy\""));
}
