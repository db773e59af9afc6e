//! A branch or a tag in the way of one that is to be: it fails for that skill alone, and is named with the way out.

use crate::holds::deploy;
use crate::support::World;
use crate::sync::world;

/// Gives the obstacle another name, as the hint says.
fn obey(world: &World, hint: &str) {
    let commands = hint.strip_prefix("give it another name, then run this again: ").unwrap();
    for command in commands.replace("<new name>", "elsewhere").split(" && ") {
        world.git("registry", &command.split(' ').skip(1).collect::<Vec<_>>());
    }
}

#[test]
fn a_tag_in_the_way_of_a_version_is_named_and_moved_as_the_hint_says() {
    let world = world();
    world.git("registry", &["tag", "deploy"]);
    let synced = world.try_sync("registry", &[]);
    let failed = &synced.json["untagged"][0];
    let message = "refs/tags/deploy is in the way of refs/tags/deploy/v1: git keeps one of the two";
    assert_eq!((synced.json["untagged"].as_array().unwrap().len(), failed["message"].as_str()), (1, Some(message)));
    assert!(world.git_tries("registry", &["rev-parse", "-q", "--verify", "other/v1"]), "the others are tagged");
    world.run(&["tag"]).ends_with(1).says(&[message, "git tag <new name> deploy && git tag -d deploy"]);
    obey(&world, failed["hint"].as_str().unwrap());
    assert_eq!(world.sync().json["versions"][0]["tag"], "deploy/v1");
}

#[test]
fn a_branch_in_the_way_of_a_candidate_is_named_and_moved_as_the_hint_says() {
    let world = world();
    world.git("registry", &["branch", "candidate/up/deploy/x"]);
    deploy(&world, "v2");
    world.upstream(&[("skills/other/SKILL.md", &crate::support::skill("other", "v2"))]);
    let synced = world.try_sync("registry", &[]);
    assert_eq!((synced.code, synced.action("other")), (1, "opened"));
    let error = &synced.skill("deploy")["error"];
    let message =
        "refs/heads/candidate/up/deploy/x is in the way of refs/heads/candidate/up/deploy: git keeps one of the two";
    assert_eq!(error["message"], message);
    let said = world.run(&["status"]).ok();
    assert!(!said.all().contains("has no candidate"), "{}", said.all());
    assert!(!world.run(&["candidate", "list"]).ok().all().contains("deploy"));
    obey(&world, error["hint"].as_str().unwrap());
    assert_eq!(world.sync().action("deploy"), "opened");
}
