//! Holds: what a team took back, declined or threw away is not proposed again, until upstream moves on (RULES,
//! "Holds").

use crate::support::{Synced, World, skill};
use crate::sync::{lines, world};

const FILE: &str = "skills/deploy/SKILL.md";

/// Upstream's text of `deploy` with another last line.
pub fn deploy(world: &World, last: &str) {
    world.upstream(&[("skills/deploy/SKILL.md", &lines("first", last))]);
}

/// Merges a candidate as a forge's button does, and leaves the branch.
pub fn merge(world: &World, branch: &str) -> String {
    world.git("registry", &["merge", "-q", "--no-ff", "--no-edit", branch]);
    world.head("registry")
}

/// Takes a merge back as people do.
fn revert_merge(world: &World, commit: &str) {
    world.git("registry", &["revert", "--no-edit", "-m", "1", commit]);
}

/// A world in which `deploy` v2 was merged and the merge reverted.
fn reverted(sync_in_between: bool) -> World {
    let world = world();
    deploy(&world, "v2");
    world.sync();
    let merged = merge(&world, "candidate/up/deploy");
    if sync_in_between {
        assert_eq!(world.sync().class("deploy"), "unchanged");
    }
    revert_merge(&world, &merged);
    world
}

#[track_caller]
pub fn is_held(synced: &Synced, kind: &str) {
    let skill = synced.skill("deploy");
    assert_eq!(skill["hold"], kind, "{skill:#}");
    assert_eq!(skill["notice"]["hint"], "to propose it all the same: skillgraft candidate retry deploy");
}

/// A second sync writes nothing at all.
#[track_caller]
pub fn is_settled(world: &World) {
    let before = (world.refs("registry"), world.objects("registry"));
    world.sync();
    assert_eq!((world.refs("registry"), world.objects("registry")), before);
}

fn entry(world: &World) -> String {
    world.read("registry/skills/deploy.toml")
}

#[test]
fn a_merge_that_was_reverted_is_held_with_and_without_a_sync_in_between() {
    for sync_in_between in [true, false] {
        let world = reverted(sync_in_between);
        let synced = world.sync();
        assert_eq!(synced.class("deploy"), "fast_forward");
        is_held(&synced, "reverted");
        assert_eq!(world.branches("registry", "candidate/"), Vec::<String>::new(), "the merged branch is gone");
        is_settled(&world);
        is_held(&world.sync(), "reverted");
        assert_eq!(world.read("registry/skills/deploy/SKILL.md"), lines("first", "last"));
    }
}

#[test]
fn a_squash_that_was_reverted_is_held_and_its_unedited_branch_closed() {
    let world = world();
    deploy(&world, "v2");
    world.sync();
    world.git("registry", &["merge", "-q", "--squash", "candidate/up/deploy"]);
    world.commit("registry", "squashed");
    world.git("registry", &["revert", "--no-edit", "HEAD"]);
    let synced = world.sync();
    is_held(&synced, "reverted");
    assert_eq!(synced.action("deploy"), "closed");
    assert_eq!(world.branches("registry", "candidate/"), Vec::<String>::new());
    is_settled(&world);
}

#[test]
fn a_held_branch_that_people_edited_is_left() {
    let world = world();
    deploy(&world, "v2");
    world.sync();
    world.git("registry", &["merge", "-q", "--squash", "candidate/up/deploy"]);
    world.commit("registry", "squashed");
    world.git("registry", &["revert", "--no-edit", "HEAD"]);
    let edited = world.review("candidate/up/deploy", &[("skills/deploy/reviewed.md", "a thought\n")]);
    let synced = world.sync();
    assert_eq!((synced.skill("deploy")["hold"].as_str(), synced.action("deploy")), (Some("reverted"), "left"));
    assert_eq!(world.rev("registry", "candidate/up/deploy"), edited);
}

#[test]
fn upstream_moving_on_ends_a_revert_and_the_next_update_has_both() {
    let world = reverted(true);
    is_held(&world.sync(), "reverted");
    world.upstream(&[("skills/deploy/SKILL.md", &lines("third", "v2"))]);
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("fast_forward", "opened"));
    merge(&world, "candidate/up/deploy");
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), lines("third", "v2"));
    assert_eq!(world.sync().class("deploy"), "unchanged");
}

#[test]
fn a_reverted_revert_is_accepted_and_reverting_once_more_holds_again() {
    let world = reverted(true);
    world.git("registry", &["revert", "--no-edit", "HEAD"]);
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), &synced.skill("deploy")["hold"]), ("unchanged", &serde_json::Value::Null));
    world.git("registry", &["revert", "--no-edit", "HEAD"]);
    is_held(&world.sync(), "reverted");
    is_settled(&world);
}

#[test]
fn an_update_that_upstream_offers_again_after_another_was_accepted_is_still_the_one_taken_back() {
    let world = reverted(true);
    deploy(&world, "v3");
    world.sync();
    merge(&world, "candidate/up/deploy");
    assert_eq!(world.sync().class("deploy"), "unchanged");
    deploy(&world, "v2");
    is_held(&world.sync(), "reverted");
}

#[test]
fn going_forth_to_another_update_takes_nothing_back() {
    let world = world();
    for last in ["v2", "v3", "v2", "v3"] {
        deploy(&world, last);
        let synced = world.sync();
        assert_eq!(synced.skill("deploy")["hold"], serde_json::Value::Null, "upstream flips to {last}");
        assert!(["opened", "remade"].contains(&synced.action("deploy")));
        merge(&world, "candidate/up/deploy");
    }
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), lines("first", "v3"));
}

#[test]
fn a_revert_holds_through_a_rename_of_the_skill_here() {
    for renamed_first in [true, false] {
        let world = world();
        deploy(&world, "v2");
        world.sync();
        let merged = merge(&world, "candidate/up/deploy");
        world.sync();
        let rename = || {
            world.git("registry", &["mv", "skills/deploy", "skills/ship"]);
            world.git("registry", &["mv", "skills/deploy.toml", "skills/ship.toml"]);
            world.edit("registry/skills/ship/SKILL.md", "name: deploy", "name: ship");
            world.commit("registry", "our name for it");
        };
        if renamed_first {
            rename();
            revert_merge(&world, &merged);
        } else {
            revert_merge(&world, &merged);
            rename();
        }
        let synced = world.sync();
        assert_eq!(synced.class("ship"), "three_way");
        assert_eq!(synced.skill("ship")["hold"], "reverted", "renamed first: {renamed_first}");
        assert_eq!(world.branches("registry", "candidate/"), Vec::<String>::new());
        is_settled(&world);
    }
}

#[test]
fn a_new_skill_that_was_taken_in_and_taken_back_is_held() {
    let world = world();
    world.upstream(&[("skills/fresh/SKILL.md", &skill("fresh", "v1"))]);
    world.sync();
    let merged = merge(&world, "candidate/up/fresh");
    revert_merge(&world, &merged);
    let synced = world.sync();
    assert_eq!((synced.class("fresh"), synced.skill("fresh")["hold"].as_str()), ("new", Some("reverted")));
    assert!(world.branches("registry", "candidate/").is_empty());
    world.upstream(&[("skills/fresh/SKILL.md", &skill("fresh", "v2"))]);
    assert_eq!(world.sync().action("fresh"), "opened");
}

#[test]
fn what_the_team_has_itself_is_never_held() {
    let world = reverted(true);
    world.registry(&[("skills/deploy/SKILL.md", &lines("first", "v2"))]);
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("already_applied", "opened"));
    world.git("registry", &["branch", "-D", "candidate/up/deploy"]);
    assert_eq!(world.sync().action("deploy"), "opened", "not even where its branch was deleted");
}

#[test]
fn retry_proposes_what_is_held_and_sync_leaves_that_branch_alone() {
    let world = reverted(true);
    world.sync();
    let main = world.head("registry");
    let report = world.json(&["candidate", "retry", "deploy"]);
    assert_eq!(world.head("registry"), main, "retry writes only branch and marker");
    assert_eq!(world.branches("registry", "candidate/"), ["candidate/up/deploy"], "{report:#}");
    assert_eq!(world.sync().action("deploy"), "kept");
    is_settled(&world);
    world.run(&["candidate", "retry", "deploy"]).ends_with(2).says(&["open candidate already", "candidate show"]);
    let merged = merge(&world, "candidate/up/deploy");
    assert_eq!(world.sync().class("deploy"), "unchanged");
    revert_merge(&world, &merged);
    is_held(&world.sync(), "reverted");
}

#[test]
fn retry_of_a_skill_of_which_nothing_is_held_says_so() {
    let world = world();
    world.sync();
    world.run(&["candidate", "retry", "deploy"]).ends_with(2).says(&["nothing is held back of `deploy`"]);
    world.run(&["candidate", "retry", "nobody"]).ends_with(1).says(&["no source offers a skill `nobody`"]);
}

#[test]
fn a_declined_update_is_recorded_with_reason_and_person_and_ends_when_upstream_moves_on() {
    let world = world();
    deploy(&world, "v2");
    world.sync();
    let report = world.json(&["candidate", "decline", "deploy", "--reason", "Too chatty for us"]);
    assert_eq!(report["excluded"], false);
    let text = entry(&world);
    for part in ["[declined]", "reason = \"Too chatty for us\"", "by = \"Pat Person <pat@example.com>\""] {
        assert!(text.contains(part), "{text}");
    }
    let message = world.git("registry", &["log", "-1", "--format=%an%n%B"]);
    assert!(message.starts_with("Pat Person\nDecline deploy from up\n\nToo chatty for us\n"), "{message}");
    assert_eq!(world.git("registry", &["diff", "--name-only", "HEAD^"]), "skills/deploy.toml");
    assert!(world.branches("registry", "candidate/").is_empty(), "its branch is closed at once");
    is_held(&world.sync(), "declined");
    is_settled(&world);
    world.run(&["check"]).ok();
    deploy(&world, "v3");
    assert_eq!(world.sync().action("deploy"), "opened");
    let proposed = world.show("registry", "candidate/up/deploy", "skills/deploy.toml");
    assert!(proposed.contains("[declined]"), "another update keeps the record: {proposed}");
    merge(&world, "candidate/up/deploy");
    deploy(&world, "v2");
    is_held(&world.sync(), "declined");
}

#[test]
fn retry_of_a_declined_update_offers_an_entry_without_the_decline() {
    let world = world();
    deploy(&world, "v2");
    world.sync();
    world.run(&["candidate", "decline", "deploy", "--reason", "no"]).ok();
    world.sync();
    world.run(&["candidate", "retry", "deploy"]).ok();
    assert_eq!(world.sync().action("deploy"), "kept");
    let proposed = world.show("registry", "candidate/up/deploy", "skills/deploy.toml");
    assert!(!proposed.contains("[declined]"), "{proposed}");
    merge(&world, "candidate/up/deploy");
    assert_eq!(world.sync().class("deploy"), "unchanged");
}

#[test]
fn a_decline_that_ends_is_over_on_the_day_after() {
    let world = world();
    deploy(&world, "v2");
    world.sync();
    let refs = world.refs("registry");
    let past = ["candidate", "decline", "deploy", "--reason", "later", "--until", "2020-01-01"];
    world.run(&past).ends_with(2).says(&["--until 2020-01-01 is over already"]);
    assert_eq!(world.refs("registry"), refs);
    world.run(&["candidate", "decline", "deploy", "--reason", "later", "--until", "2999-12-31"]).ok();
    assert!(entry(&world).contains("until = 2999-12-31"), "{}", entry(&world));
    is_held(&world.sync(), "declined");
    // As if time had passed.
    world.edit("registry/skills/deploy.toml", "until = 2999-12-31", "until = 2020-01-01");
    world.commit("registry", "time passes");
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("fast_forward", "opened"));
    is_settled(&world);
}

#[test]
fn declining_always_excludes_the_path() {
    let world = world();
    deploy(&world, "v2");
    world.sync();
    let report = world.json(&["candidate", "decline", "deploy", "--reason", "we wrote our own", "--always"]);
    assert_eq!(report["excluded"], true);
    let source = world.read("registry/sources/up.toml");
    assert!(source.contains("exclude = [\"skills/deploy\"]"), "{source}");
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("unselected", ""));
    is_settled(&world);
    deploy(&world, "v3");
    assert_eq!(world.sync().class("deploy"), "unselected", "upstream moving on does not end it");
}

#[test]
fn declining_a_new_skill_excludes_it() {
    let world = world();
    world.upstream(&[("skills/fresh/SKILL.md", &skill("fresh", "v1"))]);
    world.sync();
    let until = ["candidate", "decline", "fresh", "--reason", "no", "--until", "2999-01-01"];
    world.run(&until).ends_with(2).says(&["`fresh` is new", "leave --until away"]);
    let report = world.json(&["candidate", "decline", "fresh", "--reason", "not ours"]);
    assert_eq!(report["excluded"], true);
    assert!(world.branches("registry", "candidate/").is_empty());
    world.upstream(&[("skills/fresh/SKILL.md", &skill("fresh", "v2"))]);
    world.sync();
    assert!(world.branches("registry", "candidate/").is_empty());
    assert!(!world.exists("registry/skills/fresh.toml"));
}

#[test]
fn declining_what_the_team_has_already_is_refused() {
    let world = world();
    world.registry(&[("skills/deploy/SKILL.md", &lines("first", "v2"))]);
    deploy(&world, "v2");
    assert_eq!(world.sync().class("deploy"), "already_applied");
    let refs = world.refs("registry");
    let refused = world.run(&["candidate", "decline", "deploy", "--reason", "no"]).ends_with(2);
    refused.says(&["nothing to decline", "skillgraft candidate accept deploy"]);
    assert_eq!(world.refs("registry"), refs);
}

#[test]
fn declining_a_removal_keeps_the_skill_until_it_is_back_upstream() {
    let world = world();
    world.git("upstream", &["rm", "-rq", "skills/other"]);
    world.commit("upstream", "no more other");
    assert_eq!(world.sync().class("other"), "removed");
    world.run(&["candidate", "decline", "other", "--reason", "we still need it"]).ok();
    let synced = world.sync();
    assert_eq!((synced.class("other"), synced.skill("other")["hold"].as_str()), ("removed", Some("declined")));
    assert!(world.exists("registry/skills/other/SKILL.md"));
    is_settled(&world);
    world.upstream(&[("skills/other/SKILL.md", &skill("other", "v2"))]);
    let synced = world.sync();
    assert_eq!((synced.class("other"), synced.action("other")), ("fast_forward", "opened"));
}

#[test]
fn declining_an_edited_candidate_leaves_the_reviewers_branch() {
    let world = world();
    deploy(&world, "v2");
    world.sync();
    let edited = world.review("candidate/up/deploy", &[("skills/deploy/reviewed.md", "a thought\n")]);
    world.run(&["candidate", "decline", "deploy", "--reason", "no"]).ok();
    assert_eq!(world.rev("registry", "candidate/up/deploy"), edited);
    let synced = world.sync();
    assert_eq!((synced.skill("deploy")["hold"].as_str(), synced.action("deploy")), (Some("declined"), "left"));
    assert_eq!(world.rev("registry", "candidate/up/deploy"), edited);
}

#[test]
fn a_revert_that_was_made_on_a_side_branch_holds_once_it_is_merged() {
    for squashed in [false, true] {
        let world = world();
        deploy(&world, "v2");
        world.sync();
        let merged = merge(&world, "candidate/up/deploy");
        world.sync();
        world.git("registry", &["switch", "-q", "-c", "back"]);
        revert_merge(&world, &merged);
        world.git("registry", &["switch", "-q", "main"]);
        world.registry(&[("README.md", "meanwhile\n")]);
        assert_eq!(world.sync().class("deploy"), "unchanged", "not on the default branch yet");
        if squashed {
            world.git("registry", &["merge", "-q", "--squash", "back"]);
            world.commit("registry", "back to v1");
        } else {
            merge(&world, "back");
        }
        is_held(&world.sync(), "reverted");
        is_settled(&world);
    }
}

#[test]
fn a_revert_holds_for_a_namespaced_skill() {
    let world = World::with_upstream(&[(FILE, &lines("first", "last"))]);
    world.run(&["add", "../upstream", "--name", "up", "--namespace", "acme"]).ok();
    deploy(&world, "v2");
    world.sync();
    let merged = merge(&world, "candidate/up/acme.deploy");
    world.sync();
    revert_merge(&world, &merged);
    let synced = world.sync();
    assert_eq!(synced.skill("acme/deploy")["hold"], "reverted");
    world.run(&["candidate", "retry", "acme/deploy"]).ok();
    assert_eq!(world.sync().action("acme/deploy"), "kept");
    world.run(&["candidate", "decline", "acme/deploy", "--reason", "again no"]).ok();
    assert!(world.sync().skill("acme/deploy")["hold"].is_string());
    is_settled(&world);
    assert!(world.git("registry", &["tag"]).contains("acme/deploy/v1"));
}

#[test]
fn what_was_retried_and_declined_again_stays_away() {
    let world = world();
    deploy(&world, "v2");
    world.sync();
    world.run(&["candidate", "decline", "deploy", "--reason", "no"]).ok();
    world.run(&["candidate", "retry", "deploy"]).ok();
    world.run(&["candidate", "decline", "deploy", "--reason", "still no"]).ok();
    assert!(entry(&world).contains("still no"));
    is_held(&world.sync(), "declined");
    assert!(world.branches("registry", "candidate/").is_empty());
}

#[test]
fn a_declined_update_stays_declined_when_the_skill_or_its_source_is_renamed() {
    let world = world();
    deploy(&world, "v2");
    world.sync();
    world.run(&["candidate", "decline", "deploy", "--reason", "no"]).ok();
    world.run(&["source", "rename", "up", "acme"]).ok();
    is_held(&world.sync(), "declined");
    world.git("registry", &["mv", "skills/deploy", "skills/ship"]);
    world.git("registry", &["mv", "skills/deploy.toml", "skills/ship.toml"]);
    world.commit("registry", "our name for it");
    assert_eq!(world.sync().skill("ship")["hold"], "declined");
    is_settled(&world);
}

#[test]
fn a_shallow_clone_says_what_it_lacks_or_syncs_alike() {
    let world = reverted(true);
    world.sync();
    world.git("", &["clone", "-q", "--bare", "registry", "hub.git"]);
    world.git("", &["clone", "-q", "--depth", "1", "--no-single-branch", &world.url("hub.git"), "shallow"]);
    let synced = world.try_sync("shallow", &[]);
    // What a team took back must not return only because a robot's clone is shallow.
    assert!(world.branches("shallow", "candidate/").is_empty(), "{:#}", synced.json);
}

/// A world that accepted that upstream removed `other`.
fn removed() -> World {
    let world = world();
    world.sync();
    world.git("upstream", &["rm", "-rq", "skills/other"]);
    world.commit("upstream", "no more other");
    assert_eq!(world.sync().class("other"), "removed");
    world.run(&["candidate", "accept", "other"]).ok();
    assert_eq!(world.sync().class("other"), "unchanged");
    world
}

#[test]
fn a_removal_that_was_taken_back_is_held_be_it_by_a_revert_or_a_rollback() {
    for rolled_back in [false, true] {
        let world = removed();
        if rolled_back {
            world.run(&["rollback", "other", "--reason", "we need it"]).ok();
        } else {
            world.git("registry", &["revert", "--no-edit", "-m", "1", "HEAD"]);
        }
        assert_eq!(world.read("registry/skills/other/SKILL.md"), skill("other", "v1"));
        let synced = world.sync();
        assert_eq!((synced.class("other"), synced.skill("other")["hold"].is_string()), ("removed", true));
        assert!(world.branches("registry", "candidate/").is_empty());
        is_settled(&world);
        world.run(&["check"]).ok();
        // It comes back upstream: another update.
        world.upstream(&[("skills/other/SKILL.md", &skill("other", "v2"))]);
        let synced = world.sync();
        assert_eq!((synced.class("other"), synced.action("other")), ("fast_forward", "opened"));
    }
}

#[test]
fn a_decline_through_review_closes_the_branch_once_it_is_merged() {
    let world = world();
    deploy(&world, "v2");
    world.sync();
    let report = world.json(&["candidate", "decline", "candidate/up/deploy", "--reason", "no", "--propose"]);
    assert_eq!(world.sync().action("deploy"), "kept");
    merge(&world, report["branch"].as_str().unwrap());
    let synced = world.sync();
    is_held(&synced, "declined");
    assert_eq!(synced.action("deploy"), "closed");
    is_settled(&world);
}

#[test]
fn a_team_that_edits_its_skill_after_a_revert_is_still_not_asked_again() {
    let world = reverted(true);
    world.sync();
    world.registry(&[(FILE, &lines("ours", "last"))]);
    let synced = world.sync();
    assert_eq!(synced.class("deploy"), "three_way");
    is_held(&synced, "reverted");
    is_settled(&world);
    deploy(&world, "v3");
    assert_eq!(world.sync().action("deploy"), "opened");
    merge(&world, "candidate/up/deploy");
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), lines("ours", "v3"));
}

#[test]
fn a_retried_branch_that_is_deleted_by_hand_is_held_again() {
    let world = reverted(true);
    world.sync();
    world.run(&["candidate", "retry", "deploy"]).ok();
    world.git("registry", &["branch", "-q", "-D", "candidate/up/deploy"]);
    is_held(&world.sync(), "reverted");
    is_settled(&world);
}

#[test]
fn a_retried_branch_stays_when_a_branch_from_before_the_revert_is_merged() {
    let world = reverted(true);
    world.git("registry", &["branch", "-q", "older", "HEAD^"]);
    world.sync();
    world.run(&["candidate", "retry", "deploy"]).ok();
    let retried = world.rev("registry", "candidate/up/deploy");
    world.git("registry", &["switch", "-q", "older"]);
    world.registry(&[("docs/elsewhere.md", "a colleague's\n")]);
    world.git("registry", &["switch", "-q", "main"]);
    merge(&world, "older");
    let synced = world.sync();
    assert_eq!((synced.skill("deploy")["hold"].as_str(), synced.action("deploy")), (None, "kept"), "{:#}", synced.json);
    assert_eq!(world.rev("registry", "candidate/up/deploy"), retried);
    world.run(&["candidate", "accept", "deploy"]).ok();
}

#[test]
fn a_retried_branch_is_carried_and_remade_like_any_other() {
    let world = reverted(true);
    world.sync();
    world.run(&["candidate", "retry", "deploy"]).ok();
    world.registry(&[(FILE, &lines("ours", "last"))]);
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("three_way", "remade"));
    assert_eq!(world.show("registry", "candidate/up/deploy", FILE), lines("ours", "v2"));
    world.review("candidate/up/deploy", &[("skills/deploy/reviewed.md", "a thought\n")]);
    world.registry(&[(FILE, &lines("ours again", "last"))]);
    assert_eq!(world.sync().action("deploy"), "carried");
    is_settled(&world);
    world.run(&["candidate", "accept", "deploy"]).ok();
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), lines("ours again", "v2"));
    assert_eq!(world.sync().class("deploy"), "unchanged");
}
