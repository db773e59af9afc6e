//! What a team took back, declined, adopted or excluded stays away, wherever upstream moves it (ARCHITECTURE, "Moves").

use crate::holds::{is_held, is_settled, merge};
use crate::moved::{ids, moved, moves};
use crate::sync::{lines, world};
use serde_json::{Value, json};

const FILE: &str = "skills/deploy/SKILL.md";
const BRANCH: &str = "candidate/up/deploy";

#[test]
fn a_merged_move_that_is_reverted_is_held_until_upstream_moves_on() {
    for edited in [false, true] {
        let world = world();
        moves(&world, "skills/deploy", "skills/ship");
        if edited {
            world.upstream(&[("skills/ship/SKILL.md", &lines("first", "v2"))]);
        }
        world.sync();
        let merged = merge(&world, BRANCH);
        world.sync();
        world.git("registry", &["revert", "--no-edit", "-m", "1", &merged]);
        let synced = world.sync();
        assert_eq!(synced.class("deploy"), if edited { "fast_forward" } else { "moved" });
        is_held(&synced, "reverted");
        assert_eq!(ids(&synced), ["deploy", "other"]);
        is_settled(&world);
        world.run(&["candidate", "retry", "deploy"]).ok();
        assert_eq!(world.sync().action("deploy"), "kept");
        world.git("registry", &["branch", "-q", "-D", BRANCH]);
        is_held(&world.sync(), "reverted");
        world.upstream(&[("skills/ship/SKILL.md", &lines("first", "v3"))]);
        let synced = world.sync();
        assert_eq!((synced.class("deploy"), synced.action("deploy")), ("fast_forward", "opened"));
        moved(&synced, "skills/deploy", "skills/ship");
    }
}

#[test]
fn an_update_says_that_it_contains_what_was_taken_back_before_upstream_moved_the_skill() {
    let world = world();
    world.upstream(&[(FILE, &lines("first", "v2"))]);
    let revision = world.head("upstream");
    world.sync();
    let merged = merge(&world, BRANCH);
    world.git("registry", &["revert", "--no-edit", "-m", "1", &merged]);
    is_held(&world.sync(), "reverted");
    moves(&world, "skills/deploy", "skills/ship");
    world.upstream(&[("skills/ship/SKILL.md", &lines("first", "v3"))]);
    let synced = world.sync();
    moved(&synced, "skills/deploy", "skills/ship");
    let contains = &synced.skill("deploy")["contains"];
    assert_eq!(
        (&contains[0]["kind"], &contains[0]["revision"]),
        (&json!("reverted"), &json!(revision)),
        "{contains:#}"
    );
    assert_eq!(contains.as_array().unwrap().len(), 1);
}

#[test]
fn a_skill_that_the_team_deleted_does_not_come_back_because_upstream_moves_it() {
    let world = world();
    world.git("registry", &["rm", "-rq", "skills/deploy", "skills/deploy.toml"]);
    world.commit("registry", "not for us");
    is_held(&world.sync(), "reverted");
    moves(&world, "skills/deploy", "skills/ship");
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), &synced.skill("deploy")["path"]), ("new", &json!("skills/ship")));
    is_held(&synced, "reverted");
    is_settled(&world);
    world.run(&["candidate", "retry", "deploy"]).ok();
    assert_eq!(world.sync().action("deploy"), "kept");
    merge(&world, BRANCH);
    assert_eq!(world.sync().class("deploy"), "unchanged");
}

#[test]
fn an_adopted_skill_does_not_come_back_as_a_new_one_from_where_upstream_moved_it_to() {
    let world = world();
    world.git("upstream", &["mv", "skills/deploy", "skills/ship"]);
    world.upstream(&[("skills/ship/SKILL.md", &lines("first", "last").replace("name: deploy", "name: ship"))]);
    moved(&world.sync(), "skills/deploy", "skills/ship");
    world.run(&["adopt", "deploy"]).ok();
    let synced = world.sync();
    assert_eq!(ids(&synced), ["other"], "{:#}", synced.json);
    assert_eq!(world.branches("registry", "candidate/"), Vec::<String>::new());
    is_settled(&world);
}

#[test]
fn a_move_can_be_declined_and_its_branch_withdrawn() {
    let declined = world();
    moves(&declined, "skills/deploy", "skills/ship");
    declined.sync();
    declined.run(&["candidate", "decline", "deploy", "--reason", "we stay"]).ok();
    is_held(&declined.sync(), "declined");
    is_settled(&declined);
    declined.run(&["check"]).ok();
    declined.upstream(&[("skills/ship/SKILL.md", &lines("first", "v2"))]);
    assert_eq!(declined.sync().action("deploy"), "opened");

    let withdrawn = world();
    moves(&withdrawn, "skills/deploy", "skills/ship");
    withdrawn.sync();
    withdrawn.git("registry", &["branch", "-q", "-D", BRANCH]);
    is_held(&withdrawn.sync(), "withdrawn");
    is_settled(&withdrawn);
}

#[test]
fn a_branch_that_was_merged_and_deleted_by_hand_withdraws_no_move() {
    let world = world();
    world.upstream(&[(FILE, &lines("first", "v2"))]);
    world.sync();
    merge(&world, BRANCH);
    world.git("registry", &["branch", "-q", "-D", BRANCH]);
    moves(&world, "skills/deploy", "skills/ship");
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("moved", "opened"));
}

#[test]
fn declining_a_move_for_ever_excludes_the_new_place_and_the_skill_is_gone_upstream() {
    let world = world();
    moves(&world, "skills/deploy", "skills/ship");
    world.sync();
    world.run(&["candidate", "decline", "deploy", "--reason", "no", "--always"]).ok();
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), &synced.skill("deploy")["moved_from"]), ("removed", &Value::Null));
    assert_eq!(ids(&synced), ["deploy", "other"]);
}

#[test]
fn a_skill_that_the_team_excluded_does_not_come_back_because_upstream_moves_it() {
    let world = world();
    world.upstream(&[(FILE, &lines("first", "v2"))]);
    world.sync();
    world.run(&["candidate", "decline", "deploy", "--reason", "we wrote our own", "--always"]).ok();
    assert_eq!(world.sync().class("deploy"), "unselected");
    moves(&world, "skills/deploy", "skills/ship");
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("unselected", ""));
    assert_eq!(ids(&synced), ["deploy", "other"], "nor as a new one");
    is_settled(&world);
}
