//! Skills that upstream gives another name: the id here is the team's, so people are told, and nothing is renamed by itself.

use crate::holds::{is_settled, merge};
use crate::support::{World, skill};
use crate::sync::{lines, world};
use serde_json::{Value, json};

const FILE: &str = "skills/deploy/SKILL.md";
const SHIP: &str = "skills/ship/SKILL.md";
const BRANCH: &str = "candidate/up/deploy";
const FOLLOW: &str = "git mv skills/deploy skills/ship && git mv skills/deploy.toml skills/ship.toml && git commit -m \
                      'Rename deploy to ship'";

/// Upstream calls `deploy` `name`, and puts it in `directory`.
fn renames(world: &World, directory: &str, name: &str) {
    world.git("upstream", &["mv", "skills/deploy", directory]);
    world.edit(&format!("upstream/{directory}/SKILL.md"), "name: deploy", &format!("name: {name}"));
    world.commit("upstream", "another name");
}

fn findings(world: &World) -> Vec<(Value, Value, Value)> {
    let report = world.run(&["--json", "check"]).json();
    let finding = |f: &Value| (f["file"].clone(), f["severity"].clone(), f["rule"].clone());
    report["findings"].as_array().unwrap().iter().map(finding).collect()
}

#[test]
fn a_skill_that_upstream_renames_keeps_its_id_and_everybody_is_told_how_to_follow_or_to_stay() {
    for edited in [false, true] {
        let world = world();
        if edited {
            world.registry(&[(FILE, &lines("ours", "last"))]);
        }
        renames(&world, "skills/ship", "ship");
        let synced = world.sync();
        assert_eq!(
            (synced.class("deploy"), synced.action("deploy")),
            (if edited { "three_way" } else { "fast_forward" }, "opened")
        );
        let renamed = &synced.skill("deploy")["renamed"];
        assert_eq!(
            (&renamed["from"], &renamed["to"], &renamed["follow"]),
            (&json!("deploy"), &json!("ship"), &json!(FOLLOW))
        );
        assert!(world.has("registry", BRANCH, FILE) && !world.has("registry", BRANCH, SHIP), "the id here stays");
        let told = "upstream names it ship now instead of deploy; here it stays deploy";
        let said = world.run(&["sync", "--verbose"]).ok();
        said.says(&[
            "deploy: it moved from skills/deploy to skills/ship upstream",
            &format!("deploy: {told}"),
            &format!("to follow, once it is accepted: {FOLLOW}"),
            "to stay: do nothing",
        ]);
        let stay = "write `name: deploy` into skills/deploy/SKILL.md";
        world.run(&["candidate", "show", "deploy"]).ok().prints(&[told, FOLLOW, stay]);
        assert_eq!(world.json(&["candidate", "show", "deploy"])["renamed"], *renamed);
        let markdown = ["candidate", "show", "deploy", "--format", "markdown"];
        let parts = [
            "- **Upstream moved it:** from `skills/deploy` to `skills/ship`",
            "- **Upstream renamed it:** `ship` instead of `deploy`; here it stays `deploy`.",
            &format!("To follow, once it is merged: `{FOLLOW}`."),
        ];
        world.run(&markdown).ok().prints(&parts);
        let message = world.git("registry", &["log", "-1", "--format=%B", BRANCH]);
        assert!(message.contains(&format!("Upstream renamed it: {told}.")), "{message}");
        is_settled(&world);

        // Accepted, nothing fails: it is upstream's own words that differ.
        world.run(&["candidate", "accept", "deploy"]).ok();
        assert_eq!(findings(&world), [(json!(FILE), json!("warning"), json!("name-directory"))]);
        world.run(&["check"]).ok().prints(&["\"ship\" must equal", "(upstream has it so)"]);
        assert_eq!(world.sync().class("deploy"), "unchanged");

        // The commands as they were said.
        let mut shell = world.command("sh", "registry");
        assert!(shell.args(["-c", FOLLOW]).output().unwrap().status.success());
        world.run(&["check"]).ok().says(&["0 errors, 0 warnings"]);
        let synced = world.sync();
        assert_eq!(synced.class("ship"), "unchanged");
        is_settled(&world);
        world.edit("upstream/skills/ship/SKILL.md", "last", "upstream's next");
        world.commit("upstream", "on it goes");
        let synced = world.sync();
        assert_eq!((synced.action("ship"), &synced.skill("ship")["renamed"]), ("opened", &Value::Null));
        merge(&world, "candidate/up/ship");
        assert!(world.read("registry/skills/ship/SKILL.md").contains("upstream's next"));
    }
}

#[test]
fn who_stays_may_keep_the_name_and_the_next_update_keeps_it_too() {
    let world = world();
    renames(&world, "skills/ship", "ship");
    world.sync();
    world.run(&["candidate", "accept", "deploy"]).ok();
    world.edit(&format!("registry/{FILE}"), "name: ship", "name: deploy");
    world.commit("registry", "here it is deploy");
    assert_eq!(findings(&world), []);
    world.upstream(&[(SHIP, &lines("first", "v2").replace("name: deploy", "name: ship"))]);
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), &synced.skill("deploy")["renamed"]), ("three_way", &Value::Null), "told once");
    merge(&world, BRANCH);
    assert_eq!(world.read(format!("registry/{FILE}")), lines("first", "v2"));
}

#[test]
fn a_name_that_is_taken_here_or_is_no_id_has_no_command_to_follow_it() {
    for name in ["other", "Ship It; rm -rf ~", "v2"] {
        let world = world();
        renames(&world, "skills/ship", &format!("{name:?}"));
        let renamed = world.sync().skill("deploy")["renamed"].clone();
        assert_eq!((&renamed["to"], &renamed["follow"]), (&json!(name), &Value::Null));
        let said = world.run(&["candidate", "show", "deploy"]).ok().all();
        assert!(said.contains("to stay: ") && !said.contains("git mv"), "{said}");
    }
}

#[test]
fn in_a_namespace_the_new_id_stays_in_it() {
    let world =
        World::with_upstream(&[(FILE, &lines("first", "last")), ("skills/other/SKILL.md", &skill("other", "v1"))]);
    world.run(&["add", "../upstream", "--name", "up", "--namespace", "acme"]).ok();
    renames(&world, "skills/ship", "ship");
    let renamed = world.sync().skill("acme/deploy")["renamed"].clone();
    let follow = renamed["follow"].as_str().unwrap().to_owned();
    assert!(follow.starts_with("git mv skills/acme/deploy skills/acme/ship && "), "{follow}");
}

#[test]
fn what_upstream_breaks_is_a_warning_and_what_the_team_breaks_is_an_error() {
    let odd = "---\nname: Deploy_It\ndescription: Deploys.\n---\n\nbody\n";
    let world = World::following(&[(FILE, odd)]);
    let file = json!(FILE);
    let all =
        |severity: &str, rules: [&str; 3]| rules.map(|rule| (file.clone(), json!(severity), json!(rule))).to_vec();
    let rules = ["name-characters", "name-directory", "name-lowercase"];
    assert_eq!(findings(&world), all("warning", rules));
    world.run(&["check"]).ok().says(&["0 errors, 3 warnings"]);
    // Edited elsewhere it is upstream's all the same; another fault of the same rule is the team's.
    world.edit(&format!("registry/{FILE}"), "body", "our body");
    world.commit("registry", "ours");
    assert_eq!(findings(&world), all("warning", rules));
    world.edit(&format!("registry/{FILE}"), "Deploy_It", "Deploy_That");
    world.commit("registry", "ours");
    assert_eq!(findings(&world), all("error", rules));
    world.edit(&format!("registry/{FILE}"), "Deploy_That", "Deploy_It");
    world.edit(&format!("registry/{FILE}"), "description: Deploys.\n", "");
    world.commit("registry", "ours");
    assert!(findings(&world).contains(&(file.clone(), json!("error"), json!("description-missing"))));
    world.edit(&format!("registry/{FILE}"), "---\n\nour", "description: Deploys.\n---\n\nour");
    world.commit("registry", "mended");
    world.run(&["check"]).ok();
    // Adopted, it is the team's own.
    world.run(&["adopt", "deploy"]).ok();
    assert_eq!(findings(&world), all("error", rules));
}

#[test]
fn without_the_base_nobody_can_tell_and_the_error_says_so() {
    let world = World::following(&[(FILE, &lines("first", "last").replace("name: deploy", "name: Deploy"))]);
    world.edit(&format!("registry/{FILE}"), "first", "ours");
    world.commit("registry", "ours");
    world.run(&["check"]).ok();
    let url = world.url("registry");
    world.git("", &["clone", "-q", "--depth", "1", "--single-branch", "--branch", "main", &url, "shallow"]);
    world.run_in("shallow", &["check"]).ends_with(1).prints(&["the base is not in this clone"]);
    world.git("", &["clone", "-q", &url, "whole"]);
    world.run_in("whole", &["check"]).ok();
}
