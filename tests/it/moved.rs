//! Skills that upstream moved: the entry follows in its candidate, the skill's id here stays (ARCHITECTURE, "Moves").
//! What a rename is, git itself is asked.

use crate::holds::{is_settled, merge};
use crate::support::{Synced, World, skill};
use crate::sync::{lines, world};
use serde_json::{Value, json};

const FILE: &str = "skills/deploy/SKILL.md";
const BRANCH: &str = "candidate/up/deploy";

/// Moves a directory of the upstream, and commits.
pub fn moves(world: &World, from: &str, to: &str) -> String {
    let above = world.path("upstream").join(to);
    std::fs::create_dir_all(above.parent().unwrap()).unwrap();
    world.git("upstream", &["mv", from, to]);
    world.commit("upstream", "moves things about")
}

/// What git says about the last commit of the upstream: `R100 from to`, by paths of SKILL.md.
fn gits_word(world: &World) -> String {
    let said = world.git("upstream", &["diff", "--name-status", "-M", "HEAD^", "HEAD", "--", "*SKILL.md"]);
    said.replace('\t', " ").replace("/SKILL.md", "")
}

/// `deploy` was found to have moved.
#[track_caller]
pub fn moved(synced: &Synced, from: &str, to: &str) {
    let skill = synced.skill("deploy");
    assert_eq!((&skill["moved_from"], &skill["path"]), (&json!(from), &json!(to)), "{skill:#}");
}

pub fn ids(synced: &Synced) -> Vec<String> {
    let skills = synced.source("up")["skills"].as_array().unwrap();
    skills.iter().map(|skill| skill["id"].as_str().unwrap().to_owned()).collect()
}

pub fn entry(world: &World, revision: &str) -> String {
    world.show("registry", revision, "skills/deploy.toml")
}

#[test]
fn a_skill_that_upstream_only_moved_is_followed_by_its_entry_alone() {
    for (to, edited_here) in [("skills/ship", false), ("plugins/ops/skills/deploy", true)] {
        let world = world();
        if edited_here {
            world.registry(&[(FILE, &lines("ours", "last"))]);
        }
        moves(&world, "skills/deploy", to);
        assert_eq!(gits_word(&world), format!("R100 skills/deploy {to}"));
        let synced = world.sync();
        assert_eq!((synced.class("deploy"), synced.action("deploy")), ("moved", "opened"));
        moved(&synced, "skills/deploy", to);
        assert_eq!(ids(&synced), ["deploy", "other"], "the new path is not a new skill");
        assert_eq!(synced.rejected("up"), Vec::<String>::new());
        let changed = world.git("registry", &["diff", "--name-only", "main", BRANCH]);
        assert_eq!(changed, "skills/deploy.toml", "the skill's own id and content stay");
        assert!(entry(&world, BRANCH).contains(&format!("path = \"{to}\"")), "{}", entry(&world, BRANCH));
        is_settled(&world);
        let shown = world.run(&["candidate", "show", "deploy"]).ok().all();
        assert!(shown.contains(&format!("moved     from skills/deploy to {to}")), "{shown}");
        world.run(&["sync", "--verbose"]).ok().says(&[&format!("moved from skills/deploy to {to}")]);
        world.run(&["candidate", "accept", "deploy"]).ok();
        let synced = world.sync();
        assert_eq!((synced.class("deploy"), &synced.skill("deploy")["moved_from"]), ("unchanged", &Value::Null));
        is_settled(&world);
        world.run(&["check"]).ok();
        // The next update comes from the new place, and merges with what was edited here.
        world.upstream(&[(&format!("{to}/SKILL.md"), &lines("first", "upstream's"))]);
        assert_eq!(world.sync().class("deploy"), if edited_here { "three_way" } else { "fast_forward" });
        merge(&world, BRANCH);
        let first = if edited_here { "ours" } else { "first" };
        assert_eq!(world.read("registry/skills/deploy/SKILL.md"), lines(first, "upstream's"));
    }
}

#[test]
fn a_skill_that_was_moved_and_edited_is_an_update_from_its_new_place() {
    let world = world();
    world.registry(&[(FILE, &lines("ours", "last"))]);
    world.git("upstream", &["mv", "skills/deploy", "skills/ship"]);
    world.upstream(&[("skills/ship/SKILL.md", &lines("first", "upstream's"))]);
    assert!(gits_word(&world).starts_with('R'), "{}", gits_word(&world));
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("three_way", "opened"));
    moved(&synced, "skills/deploy", "skills/ship");
    assert_eq!(world.show("registry", BRANCH, FILE), lines("ours", "upstream's"));
    let message = world.git("registry", &["log", "-1", "--format=%B", BRANCH]);
    assert!(message.contains("Upstream moved it from skills/deploy to skills/ship."), "{message}");
    is_settled(&world);
    merge(&world, BRANCH);
    assert_eq!(world.sync().class("deploy"), "unchanged");
    is_settled(&world);
    // A fresh clone of the state before would have made the same candidate.
    world.git("", &["clone", "-q", "registry", "clone"]);
    assert_eq!(world.sync_in("clone", &[]).class("deploy"), "unchanged");
}

#[test]
fn what_the_team_has_already_at_the_new_place_needs_its_entry_only() {
    let world = world();
    world.registry(&[(FILE, &lines("first", "both had this idea"))]);
    world.git("upstream", &["mv", "skills/deploy", "skills/ship"]);
    world.upstream(&[("skills/ship/SKILL.md", &lines("first", "both had this idea"))]);
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("already_applied", "opened"));
    moved(&synced, "skills/deploy", "skills/ship");
}

#[test]
fn less_than_half_is_another_skill_and_the_notice_names_it() {
    let world = world();
    world.git("upstream", &["mv", "skills/deploy", "skills/ship"]);
    let text = lines("first", "last").replace("\n5\n\n6\n", &format!("\n{}\n", "quite another story ".repeat(5)));
    world.upstream(&[("skills/ship/SKILL.md", &text.replace("name: deploy", "name: ship"))]);
    assert_eq!(gits_word(&world), "D skills/deploy\nA skills/ship", "git thinks so too");
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("removed", "opened"));
    assert_eq!((synced.class("ship"), synced.action("ship")), ("new", "opened"));
    let notice = &synced.skill("deploy")["notice"];
    assert!(notice["message"].as_str().unwrap().contains("nearest to it is skills/ship"), "{notice}");
    assert_eq!(notice["hint"], "to follow it there: skillgraft link deploy --to up:skills/ship");
    is_settled(&world);
    // The way that the notice names leads there.
    world.run(&["link", "deploy", "--to", "up:skills/ship", "--yes"]).ok();
    let synced = world.sync();
    assert_eq!((synced.skill("deploy")["path"].as_str(), ids(&synced).len()), (Some("skills/ship"), 3));
    assert_eq!(synced.action("ship"), "closed", "it is followed now, so it is not new");
}

#[test]
fn a_licence_or_scripts_that_many_skills_share_make_no_move() {
    let shared = "The same licence text in every skill.\n".repeat(100);
    let world = World::following(&[
        (FILE, &lines("first", "last")),
        ("skills/deploy/LICENSE.txt", &shared),
        ("skills/other/SKILL.md", &skill("other", "v1")),
    ]);
    world.git("upstream", &["rm", "-rq", "skills/deploy"]);
    world.upstream(&[
        ("skills/ship/SKILL.md", "---\nname: ship\ndescription: Quite another one.\n---\n\nSail.\n"),
        ("skills/ship/LICENSE.txt", &shared),
    ]);
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.class("ship")), ("removed", "new"));
}

#[test]
fn of_a_directory_of_the_same_name_all_files_count() {
    let world = world();
    world.upstream(&[("skills/deploy/guide.md", &"A long guide.\n".repeat(100))]);
    world.sync();
    world.run(&["candidate", "accept", "deploy"]).ok();
    moves(&world, "skills/deploy", "plugins/deploy");
    world.upstream(&[("plugins/deploy/SKILL.md", &skill("deploy", "Read guide.md."))]);
    // One observation has both.
    let synced = world.sync();
    assert_eq!(synced.class("deploy"), "fast_forward");
    moved(&synced, "skills/deploy", "plugins/deploy");
}

#[test]
fn two_equally_good_places_are_followed_by_nobody_and_link_decides() {
    let world = world();
    let text = lines("first", "last");
    world.git("upstream", &["rm", "-rq", "skills/deploy"]);
    world.upstream(&[("skills/ship/SKILL.md", &text), ("skills/sail/SKILL.md", &text)]);
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), &synced.skill("deploy")["moved_from"]), ("removed", &Value::Null));
    let notice = &synced.skill("deploy")["notice"];
    assert!(notice["message"].as_str().unwrap().contains("skills/sail or skills/ship"), "{notice}");
    let hint = notice["hint"].as_str().unwrap();
    for place in ["sail", "ship"] {
        assert!(hint.contains(&format!("skillgraft link deploy --to up:skills/{place}")), "{hint}");
    }
    is_settled(&world);
    world.run(&["link", "deploy", "--to", "up:skills/sail", "--yes"]).ok();
    assert_eq!(world.sync().class("deploy"), "unchanged");
}

#[test]
fn of_identical_copies_the_order_of_copies_decides_and_they_may_have_stood_there_before() {
    let world = World::following(&[
        (FILE, &lines("first", "last")),
        (".claude/skills/deploy/SKILL.md", &lines("first", "last")),
        ("plugins/ops/deploy/SKILL.md", &lines("first", "last")),
        ("skills/other/SKILL.md", &skill("other", "v1")),
    ]);
    world.git("upstream", &["rm", "-rq", "skills/deploy"]);
    world.commit("upstream", "one copy less");
    let synced = world.sync();
    assert_eq!(synced.class("deploy"), "moved");
    moved(&synced, "skills/deploy", "plugins/ops/deploy");
    assert_eq!(ids(&synced), ["deploy", "other"]);
    is_settled(&world);
    merge(&world, BRANCH);
    assert_eq!(world.sync().class("deploy"), "unchanged");
}

#[test]
fn a_skill_of_the_same_name_goes_before_one_that_is_more_alike() {
    let world = world();
    world.git("upstream", &["mv", "skills/deploy", "ops-deploy"]);
    std::fs::create_dir_all(world.path("upstream/ops")).unwrap();
    world.git("upstream", &["mv", "ops-deploy", "ops/deploy"]);
    let (twin, own) = (lines("first", "nearly the same"), lines("quite new", "really quite new"));
    world.upstream(&[("ops/deploy-gcp/SKILL.md", &twin), ("ops/deploy/SKILL.md", &own)]);
    moved(&world.sync(), "skills/deploy", "ops/deploy");
}

#[test]
fn many_skills_that_move_at_once_each_find_their_own_place() {
    let names = ["aws", "azure", "deploy", "gcp"];
    let text = |name: &str| skill(name, &format!("Deploys to {name}.\n\n{}", "The same for all of them.\n".repeat(9)));
    let files: Vec<(String, String)> =
        names.iter().map(|name| (format!("skills/{name}/SKILL.md"), text(name))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let world = World::following(&files);
    std::fs::create_dir(world.path("upstream/cloud")).unwrap();
    for name in names {
        world.git("upstream", &["mv", &format!("skills/{name}"), &format!("cloud/to-{name}")]);
        world.edit(&format!("upstream/cloud/to-{name}/SKILL.md"), "Deploys to", "Ships to");
    }
    world.commit("upstream", "everything moves, and changes a little");
    let synced = world.sync();
    for name in names {
        assert_eq!(synced.skill(name)["path"], format!("cloud/to-{name}"), "{:#}", synced.json);
        assert_eq!(synced.class(name), "fast_forward");
    }
    assert_eq!(ids(&synced), names);
}

#[test]
fn two_skills_that_became_one_are_not_followed() {
    let text = lines("first", "last");
    let world = World::following(&[
        (FILE, &text),
        ("skills/launch/SKILL.md", &text.replace("name: deploy", "name: launch")),
        ("skills/other/SKILL.md", &skill("other", "v1")),
    ]);
    world.git("upstream", &["rm", "-rq", "skills/deploy", "skills/launch"]);
    world.upstream(&[("skills/ship/SKILL.md", &text.replace("name: deploy", "name: floats"))]);
    let synced = world.sync();
    for id in ["deploy", "launch"] {
        assert_eq!(synced.class(id), "removed");
        let message = synced.skill(id)["notice"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains("skills/ship"), "{message}");
    }
    is_settled(&world);
}

#[test]
fn a_move_stays_one_whatever_upstream_does_to_the_skill_afterwards() {
    let world = world();
    moves(&world, "skills/deploy", "skills/ship");
    world.sync();
    world.upstream(&[("skills/ship/SKILL.md", &skill("ship", "not a line of it is left"))]);
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("fast_forward", "remade"));
    moved(&synced, "skills/deploy", "skills/ship");
    // And once more, before anybody has merged anything.
    moves(&world, "skills/ship", "tools/float");
    let synced = world.sync();
    moved(&synced, "skills/deploy", "tools/float");
    assert_eq!(ids(&synced), ["deploy", "other"]);
    is_settled(&world);
    merge(&world, BRANCH);
    assert_eq!(world.sync().class("deploy"), "unchanged");
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), skill("ship", "not a line of it is left"));
}

#[test]
fn a_move_that_upstream_takes_back_closes_its_candidate() {
    let world = world();
    moves(&world, "skills/deploy", "skills/ship");
    assert_eq!(world.sync().action("deploy"), "opened");
    moves(&world, "skills/ship", "skills/deploy");
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("unchanged", "closed"));
    is_settled(&world);
}

#[test]
fn a_disabled_skill_does_not_come_back_because_upstream_moves_it() {
    let world = world();
    world.run(&["disable", "deploy", "--reason", "not now"]).ok();
    moves(&world, "skills/deploy", "skills/ship");
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), ids(&synced)), ("disabled", vec!["deploy".to_owned(), "other".to_owned()]));
    is_settled(&world);
}

#[test]
fn a_source_whose_folder_moved_is_followed_once_its_file_names_the_new_one() {
    let world =
        World::with_upstream(&[(FILE, &lines("first", "last")), ("skills/other/SKILL.md", &skill("other", "v1"))]);
    world.run(&["add", "../upstream", "--name", "up", "--path", "skills", "--namespace", "acme"]).ok();
    moves(&world, "skills", "plugins");
    let failed = world.try_sync("registry", &[]);
    assert_eq!((failed.code, &failed.source("up")["error"]["kind"]), (1, &json!("no_evidence")));
    world.run(&["source", "set", "up", "path=plugins"]).ok();
    let synced = world.sync();
    for id in ["acme/deploy", "acme/other"] {
        assert_eq!((synced.class(id), synced.action(id)), ("moved", "opened"));
    }
    world.run(&["candidate", "accept", "acme/deploy", "acme/other"]).ok();
    assert_eq!(world.sync().class("acme/deploy"), "unchanged");
}

#[test]
fn a_place_that_another_entry_follows_is_taken() {
    let world = world();
    world.upstream(&[("skills/ship/SKILL.md", &lines("first", "last").replace("name: deploy", "name: ship"))]);
    world.sync();
    world.run(&["candidate", "accept", "ship"]).ok();
    world.git("upstream", &["rm", "-rq", "skills/deploy"]);
    world.commit("upstream", "the old one goes");
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.class("ship")), ("removed", "unchanged"));
}

#[test]
fn an_open_candidate_that_people_edited_is_carried_to_the_new_place() {
    let world = world();
    world.upstream(&[(FILE, &lines("first", "v2"))]);
    world.sync();
    world.review(BRANCH, &[("skills/deploy/reviewed.md", "a thought\n")]);
    moves(&world, "skills/deploy", "skills/ship");
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("fast_forward", "carried"));
    assert!(world.has("registry", BRANCH, "skills/deploy/reviewed.md"));
    assert!(entry(&world, BRANCH).contains("path = \"skills/ship\""));
    is_settled(&world);
    merge(&world, BRANCH);
    assert_eq!(world.sync().class("deploy"), "unchanged");
}

#[test]
fn a_clone_without_the_mirror_tells_a_move_by_the_base() {
    let world = world();
    moves(&world, "skills/deploy", "skills/ship");
    world.git("", &["clone", "-q", "--single-branch", "--branch", "main", "registry", "clone"]);
    let synced = world.sync_in("clone", &[]);
    moved(&synced, "skills/deploy", "skills/ship");
    assert_eq!(synced.class("deploy"), "moved");
    let diff = world.run(&["diff", "deploy@base", "deploy@upstream"]).all();
    assert!(!diff.contains("SKILL.md"), "@upstream is where it stands now: {diff}");
}
