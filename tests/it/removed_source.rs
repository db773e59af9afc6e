//! A source that was removed elsewhere: what a clone that pulls that still has of it.

use crate::holds::is_settled;
use crate::support::World;
use crate::sync::{lines, world};
use serde_json::json;

const BRANCH: &str = "candidate/up/deploy";

/// A clone with two open candidates and a withdrawn one, into which the removal of their source was pulled. Before the pull
/// `meanwhile` happens in the clone.
fn pulled(fate: &str, meanwhile: impl Fn(&World)) -> World {
    let world = world();
    world.upstream(&[
        ("skills/deploy/SKILL.md", &lines("first", "v2")),
        ("skills/other/SKILL.md", &crate::support::skill("other", "v2")),
        ("skills/fresh/SKILL.md", &crate::support::skill("fresh", "v1")),
    ]);
    world.git("", &["clone", "-q", "registry", "clone"]);
    world.sync();
    world.git("registry", &["branch", "-q", "-D", "candidate/up/fresh"]);
    meanwhile(&world);
    world.run_in("clone", &["source", "remove", "up", fate]).ok();
    world.git("registry", &["pull", "-q", "../clone", "main"]);
    world
}

#[test]
fn candidates_of_a_source_that_was_removed_elsewhere_are_closed_and_the_mirror_stays() {
    for fate in ["--adopt", "--delete"] {
        let world = pulled(fate, |_| {});
        let mirror = world.rev("registry", "mirror/up");
        let open = world.refs("registry");
        let dry = world.sync_in("registry", &["--dry-run"]);
        assert_eq!((dry.action("deploy"), world.refs("registry")), ("closed", open));
        let synced = world.sync();
        assert_eq!(synced.source("up")["outcome"], "removed");
        assert_eq!((synced.action("deploy"), synced.action("other")), ("closed", "closed"));
        assert_eq!(synced.json["candidates"]["closed"], 2);
        assert_eq!(world.branches("registry", "candidate/"), Vec::<String>::new());
        let refs = world.refs("registry");
        assert!(!refs.contains("refs/skillgraft/offered/"), "{refs}");
        assert_eq!(world.rev("registry", "mirror/up"), mirror, "merge bases live there");
        assert_eq!(world.sync().json["sources"], json!([]), "then there is nothing to say any more");
        is_settled(&world);
    }
}

#[test]
fn a_candidate_that_people_edited_is_left_and_said_when_its_source_was_removed_elsewhere() {
    let world = pulled("--adopt", |world| {
        world.review(BRANCH, &[("skills/deploy/reviewed.md", "a thought\n")]);
    });
    let edited = world.rev("registry", BRANCH);
    for action in ["closed", ""] {
        let synced = world.sync();
        assert_eq!(synced.action("deploy"), "left");
        let notice = &synced.skill("deploy")["notice"];
        assert!(notice["message"].as_str().unwrap().contains("people have edited its candidate"), "{notice}");
        assert_eq!(notice["hint"], format!("merge what is worth keeping, then delete it: git branch -D {BRANCH}"));
        let others = synced.json["sources"][0]["skills"].as_array().unwrap().len();
        assert_eq!(others, if action == "closed" { 2 } else { 1 });
    }
    assert_eq!(world.branches("registry", "candidate/"), [BRANCH]);
    assert_eq!(world.rev("registry", BRANCH), edited);
    is_settled(&world);
    world.git("registry", &["branch", "-q", "-D", BRANCH]);
    world.sync();
    assert!(!world.refs("registry").contains("refs/skillgraft/offered/"));
}

#[test]
fn a_source_file_that_is_gone_while_skills_follow_it_closes_nothing() {
    let world = world();
    world.upstream(&[("skills/deploy/SKILL.md", &lines("first", "v2"))]);
    world.sync();
    world.git("registry", &["rm", "-q", "sources/up.toml"]);
    world.commit("registry", "by mistake");
    let synced = world.try_sync("registry", &[]);
    assert_eq!((synced.code, &synced.source("up")["outcome"]), (1, &json!("missing")));
    assert_eq!(world.branches("registry", "candidate/"), [BRANCH]);
}
