//! Withdrawn: an update whose branch somebody deleted by hand stays away, until upstream moves on (RULES, "Holds").

use crate::holds::{deploy, is_held, is_settled, merge};
use crate::sync::world;

#[test]
fn a_branch_that_somebody_deleted_is_withdrawn_until_upstream_moves_on() {
    let world = world();
    deploy(&world, "v2");
    world.sync();
    world.git("registry", &["branch", "-q", "-D", "candidate/up/deploy"]);
    is_held(&world.sync(), "withdrawn");
    is_settled(&world);
    // Another upstream move is another update.
    deploy(&world, "v3");
    assert_eq!(world.sync().action("deploy"), "opened");
    assert_eq!(world.sync().action("deploy"), "kept");
}

#[test]
fn a_withdrawn_update_comes_back_by_retry_or_in_a_clone_that_knows_of_no_offer() {
    let world = world();
    deploy(&world, "v2");
    world.sync();
    world.git("registry", &["branch", "-q", "-D", "candidate/up/deploy"]);
    is_held(&world.sync(), "withdrawn");
    world.git("", &["clone", "-q", "registry", "clone"]);
    let synced = world.sync_in("clone", &[]);
    assert_eq!(synced.action("deploy"), "opened", "the marker is this clone's own");
    world.run(&["candidate", "retry", "deploy"]).ok();
    assert_eq!(world.sync().action("deploy"), "kept");
    assert_eq!(world.rev("clone", "candidate/up/deploy"), world.rev("registry", "candidate/up/deploy"));
}

#[test]
fn excluding_or_pausing_keeps_the_marker_of_what_was_withdrawn() {
    let world = world();
    deploy(&world, "v2");
    world.sync();
    world.git("registry", &["branch", "-q", "-D", "candidate/up/deploy"]);
    world.run(&["pause", "deploy", "--reason", "busy"]).ok();
    assert_eq!(world.sync().class("deploy"), "paused");
    world.run(&["resume", "deploy", "--no-sync"]).ok();
    is_held(&world.sync(), "withdrawn");
    world.edit("registry/sources/up.toml", "skills = [\"*\"]", "skills = [\"*\"]\nexclude = [\"deploy\"]");
    world.commit("registry", "exclude deploy");
    world.sync();
    world.edit("registry/sources/up.toml", "exclude = [\"deploy\"]", "exclude = []");
    world.commit("registry", "and back");
    is_held(&world.sync(), "withdrawn");
}

#[test]
fn an_update_that_was_accepted_before_its_branch_was_deleted_is_not_withdrawn() {
    let world = world();
    deploy(&world, "v2");
    world.sync();
    merge(&world, "candidate/up/deploy");
    world.git("registry", &["branch", "-q", "-D", "candidate/up/deploy"]);
    assert_eq!(world.sync().class("deploy"), "unchanged");
    let refs = world.refs("registry");
    assert!(!refs.contains("refs/skillgraft/offered/up/deploy"), "{refs}");
}

#[test]
fn what_was_withdrawn_stays_away_when_its_source_is_renamed() {
    let world = world();
    deploy(&world, "v2");
    world.sync();
    world.git("registry", &["branch", "-q", "-D", "candidate/up/deploy"]);
    is_held(&world.sync(), "withdrawn");
    world.run(&["source", "rename", "up", "acme"]).ok();
    is_held(&world.sync(), "withdrawn");
    is_settled(&world);
}

#[test]
fn what_was_withdrawn_stays_away_when_its_source_is_renamed_through_review_or_by_a_colleague() {
    for by_colleague in [false, true] {
        let world = world();
        world.upstream(&[("skills/fresh/SKILL.md", &crate::support::skill("fresh", "v1"))]);
        deploy(&world, "v2");
        world.sync();
        for id in ["deploy", "fresh"] {
            world.git("registry", &["branch", "-q", "-D", &format!("candidate/up/{id}")]);
        }
        is_held(&world.sync(), "withdrawn");
        if by_colleague {
            world.git("", &["clone", "-q", "registry", "clone"]);
            world.run_in("clone", &["source", "rename", "up", "acme"]).ok();
            world.git("registry", &["pull", "-q", "../clone", "main"]);
        } else {
            let report = world.json(&["source", "rename", "up", "acme", "--propose"]);
            is_held(&world.sync(), "withdrawn");
            world.git("registry", &["merge", "-q", report["branch"].as_str().unwrap()]);
        }
        let dry = world.sync_in("registry", &["--dry-run"]);
        is_held(&dry, "withdrawn");
        for _ in 0..2 {
            let synced = world.sync();
            is_held(&synced, "withdrawn");
            assert_eq!((synced.class("fresh"), &synced.skill("fresh")["hold"]), ("new", &"withdrawn".into()));
            let refs = world.refs("registry");
            assert!(refs.contains("refs/skillgraft/offered/acme/deploy"), "{refs}");
            assert!(!refs.contains("refs/skillgraft/offered/up/"), "{refs}");
        }
        is_settled(&world);
        deploy(&world, "v3");
        assert_eq!(world.sync().action("deploy"), "opened", "until upstream moves on");
    }
}
