//! What was taken back stays away however its entry went through the history: renamed, broken, deleted, in another folder.

use crate::holds::{deploy, is_held, is_settled, merge};
use crate::moved::{moved, moves};
use crate::support::{Synced, World, skill};
use crate::sync::{lines, world};

const FILE: &str = "skills/deploy/SKILL.md";
const BRANCH: &str = "candidate/up/deploy";

/// A world in which v2 of `deploy` was merged, and the merge.
fn merged() -> (World, String) {
    let world = world();
    deploy(&world, "v2");
    world.sync();
    let merged = merge(&world, BRANCH);
    assert_eq!(world.sync().class("deploy"), "unchanged");
    (world, merged)
}

fn reverted() -> World {
    let (world, merged) = merged();
    world.git("registry", &["revert", "--no-edit", "-m", "1", &merged]);
    world
}

#[track_caller]
fn stays_away(world: &World, id: &str) -> Synced {
    let synced = world.sync();
    assert_eq!(synced.skill(id)["hold"], "reverted", "{:#}", synced.skill(id));
    assert_eq!(world.branches("registry", "candidate/"), Vec::<String>::new());
    is_settled(world);
    synced
}

/// Swaps two skills' names, as people do with `git mv`.
fn swap(world: &World, one: &str, other: &str) {
    for end in ["", ".toml"] {
        let [one, other] = [one, other].map(|id| format!("skills/{id}{end}"));
        world.git("registry", &["mv", &one, "skills/aside"]);
        world.git("registry", &["mv", &other, &one]);
        world.git("registry", &["mv", "skills/aside", &other]);
    }
    world.commit("registry", "swaps two names");
}

#[test]
fn what_was_taken_back_stays_away_when_two_skills_swap_their_names() {
    let world = reverted();
    swap(&world, "deploy", "other");
    let synced = stays_away(&world, "other");
    assert_eq!((synced.skill("other")["path"].as_str(), synced.class("deploy")), (Some("skills/deploy"), "unchanged"));
    swap(&world, "deploy", "other");
    stays_away(&world, "deploy");
    // Taken again under another name, it is the one that stands.
    world.run(&["candidate", "retry", "deploy"]).ok();
    merge(&world, BRANCH);
    swap(&world, "deploy", "other");
    let synced = world.sync();
    assert_eq!((synced.class("other"), synced.skill("other")["hold"].as_str()), ("unchanged", None));
}

#[test]
fn what_was_taken_back_stays_away_when_each_of_three_skills_takes_the_next_ones_name() {
    let world = reverted();
    for (from, to) in [("other", "third"), ("deploy", "other")] {
        for end in ["", ".toml"] {
            world.git("registry", &["mv", &format!("skills/{from}{end}"), &format!("skills/{to}{end}")]);
        }
    }
    world.commit("registry", "everybody moves on");
    stays_away(&world, "other");
}

#[test]
fn a_revert_whose_entry_could_not_be_read_in_one_commit_is_a_revert() {
    let (world, merged) = merged();
    world.git("registry", &["revert", "--no-commit", "-m", "1", &merged]);
    let right = world.read("registry/skills/deploy.toml");
    world.registry(&[("skills/deploy.toml", &format!("<<<<<<< HEAD\n{right}"))]);
    assert_eq!(world.try_sync("registry", &[]).code, 1, "it is said");
    world.registry(&[("skills/deploy.toml", &right)]);
    stays_away(&world, "deploy");
}

#[test]
fn a_skill_that_was_deleted_and_restored_as_it_was_before_an_update_does_not_get_that_update_again() {
    let (world, merged) = merged();
    world.git("registry", &["rm", "-rq", "skills/deploy", "skills/deploy.toml"]);
    world.commit("registry", "away with it");
    world.git("registry", &["checkout", "-q", &format!("{merged}^1"), "--", "skills/deploy", "skills/deploy.toml"]);
    let restored = world.commit("registry", "back, as it was");
    let synced = stays_away(&world, "deploy");
    let said = synced.skill("deploy")["notice"]["message"].as_str().unwrap();
    assert!(said.contains(&restored[..7]), "{said}");
    world.run(&["candidate", "retry", "deploy"]).ok();
    assert_eq!(world.sync().action("deploy"), "kept", "somebody asked for it");
    deploy(&world, "v3");
    let contains = world.sync().skill("deploy")["contains"].clone();
    assert_eq!((&contains[0]["kind"], contains.as_array().unwrap().len()), (&"reverted".into(), 1), "{contains:#}");
}

#[test]
fn a_skill_that_was_deleted_and_restored_as_it_was_has_taken_nothing_back() {
    let (world, _) = merged();
    world.git("registry", &["rm", "-rq", "skills/deploy", "skills/deploy.toml"]);
    let deleted = world.commit("registry", "away with it");
    world.git("registry", &["revert", "--no-edit", &deleted]);
    assert_eq!(world.sync().class("deploy"), "unchanged");
    deploy(&world, "v3");
    assert_eq!(world.sync().action("deploy"), "opened");
}

#[test]
fn the_folder_of_the_skills_may_move_and_nothing_is_forgotten() {
    let world = reverted();
    world.sync();
    let log = |world: &World| world.run(&["log", "deploy"]).ok().all();
    let before = log(&world);
    assert!(before.starts_with("v3 "), "{before}");
    std::fs::create_dir(world.path("registry/.claude")).unwrap();
    world.git("registry", &["mv", "skills", ".claude/skills"]);
    world.edit("registry/skillgraft.toml", "# skills = \"skills\"", "skills = \".claude/skills\"");
    world.commit("registry", "where agents look");
    stays_away(&world, "deploy");
    assert_eq!(log(&world), before, "what only moved is no new version");
    world.run(&["rollback", "deploy", "--to", "v2", "--reason", "it was fine"]).ok();
    assert_eq!(world.read("registry/.claude/skills/deploy/SKILL.md"), lines("first", "v2"));
    assert_eq!(world.sync().class("deploy"), "unchanged");
}

#[test]
fn an_update_that_was_taken_back_does_not_return_because_upstream_moves_it() {
    for withdrawn in [false, true] {
        let world = world();
        world.upstream(&[(FILE, &lines("first", "v2"))]);
        world.sync();
        if withdrawn {
            world.git("registry", &["branch", "-q", "-D", BRANCH]);
        } else {
            let merged = merge(&world, BRANCH);
            world.git("registry", &["revert", "--no-edit", "-m", "1", &merged]);
        }
        world.sync();
        moves(&world, "skills/deploy", "skills/ship");
        let synced = world.sync();
        moved(&synced, "skills/deploy", "skills/ship");
        is_held(&synced, if withdrawn { "withdrawn" } else { "reverted" });
        is_settled(&world);
    }
}

#[test]
fn what_was_taken_back_at_one_place_stays_away_at_all_that_upstream_moves_it_to() {
    // Reverted where upstream had moved it to, and moved again.
    let world = world();
    moves(&world, "skills/deploy", "skills/ship");
    world.upstream(&[("skills/ship/SKILL.md", &lines("first", "v2"))]);
    world.sync();
    let merged = merge(&world, BRANCH);
    world.git("registry", &["revert", "--no-edit", "-m", "1", &merged]);
    is_held(&world.sync(), "reverted");
    moves(&world, "skills/ship", "skills/float");
    let synced = world.sync();
    moved(&synced, "skills/deploy", "skills/float");
    is_held(&synced, "reverted");
    is_settled(&world);

    // Reverted, moved, followed there with the next update, and upstream goes back to what was reverted.
    let world = self::world();
    world.upstream(&[(FILE, &lines("first", "v2"))]);
    world.sync();
    let merged = merge(&world, BRANCH);
    world.git("registry", &["revert", "--no-edit", "-m", "1", &merged]);
    moves(&world, "skills/deploy", "skills/ship");
    world.upstream(&[("skills/ship/SKILL.md", &lines("first", "v3"))]);
    assert_eq!(world.sync().action("deploy"), "remade");
    merge(&world, BRANCH);
    assert_eq!(world.sync().class("deploy"), "unchanged");
    world.upstream(&[("skills/ship/SKILL.md", &lines("first", "v2"))]);
    is_held(&world.sync(), "reverted");
    is_settled(&world);
}

#[test]
fn what_was_taken_back_of_one_skill_is_not_held_for_the_one_that_upstream_puts_in_its_place() {
    let world = world();
    world.upstream(&[(FILE, &lines("first", "v2"))]);
    world.sync();
    let merged = merge(&world, BRANCH);
    world.git("registry", &["revert", "--no-edit", "-m", "1", &merged]);
    is_held(&world.sync(), "reverted");
    // Both are followed to other places, and the other one stands where this one was.
    moves(&world, "skills/deploy", "skills/ship");
    world.upstream(&[("skills/ship/SKILL.md", &lines("first", "v3"))]);
    world.sync();
    world.run(&["candidate", "accept", "deploy"]).ok();
    moves(&world, "skills/other", "skills/deploy");
    assert_eq!(world.sync().skill("other")["path"], "skills/deploy");
    world.run(&["candidate", "accept", "other"]).ok();
    // Upstream gives the other one what was taken back of this one.
    world.upstream(&[(FILE, &lines("first", "v2"))]);
    let synced = world.sync();
    assert_eq!((synced.skill("other")["hold"].as_str(), synced.action("other")), (None, "opened"), "{:#}", synced.json);
    is_settled(&world);
    // Given back to the one of which it was taken back, it is held, wherever that stands.
    world.upstream(&[("skills/ship/SKILL.md", &lines("first", "v2"))]);
    is_held(&world.sync(), "reverted");
}

#[test]
fn a_removal_that_was_taken_back_is_not_that_of_the_skill_which_stands_there_now() {
    let world = world();
    moves(&world, "skills/deploy", "skills/ship");
    world.sync();
    world.run(&["candidate", "accept", "deploy"]).ok();
    world.upstream(&[(FILE, &skill("launch", "Quite another one."))]);
    world.sync();
    world.run(&["candidate", "accept", "launch"]).ok();
    world.git("upstream", &["rm", "-rq", "skills/ship"]);
    world.commit("upstream", "the moved one goes");
    assert_eq!(world.sync().class("deploy"), "removed");
    let merged = merge(&world, BRANCH);
    world.git("registry", &["revert", "--no-edit", "-m", "1", &merged]);
    is_held(&world.sync(), "reverted");
    world.git("upstream", &["rm", "-rq", "skills/deploy"]);
    world.commit("upstream", "the other one goes");
    let synced = world.sync();
    assert_eq!((synced.class("launch"), synced.action("launch")), ("removed", "opened"));
    is_held(&synced, "reverted");
    is_settled(&world);
}
