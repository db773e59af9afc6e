//! A candidate whose content reached the default branch, by whatever button, is recognised and cleaned up.

use crate::support::World;
use crate::sync::{lines, world};

/// A world with an open three-way candidate of `deploy`, and the text that it proposes.
fn open() -> (World, String) {
    let world = world();
    world.registry(&[("skills/deploy/SKILL.md", &lines("ours", "last"))]);
    world.upstream(&[("skills/deploy/SKILL.md", &lines("first", "upstream's"))]);
    assert_eq!(world.sync().class("deploy"), "three_way");
    // The default branch has moved on, as it does.
    world.registry(&[("notes.txt", "unrelated\n")]);
    (world, lines("ours", "upstream's"))
}

fn settled(world: &World, text: &str, how: &str) {
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), text, "{how}");
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("unchanged", "closed"), "{how}");
    assert_eq!(world.branches("registry", "candidate/"), Vec::<String>::new(), "{how}");
    let refs = world.refs("registry");
    assert!(!refs.contains("refs/skillgraft/offered"), "{how}: {refs}");
    world.sync();
    assert_eq!(world.refs("registry"), refs, "{how}");
    // The base is right: the next update merges with the team's edit.
    world.upstream(&[("skills/deploy/SKILL.md", &lines("first", "upstream's second"))]);
    assert_eq!(world.sync().class("deploy"), "three_way", "{how}");
    world.run(&["candidate", "accept", "deploy"]).ok();
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), lines("ours", "upstream's second"), "{how}");
}

#[test]
fn a_merge_commit() {
    let (world, text) = open();
    world.git("registry", &["merge", "-q", "--no-ff", "candidate/up/deploy"]);
    settled(&world, &text, "merge");
}

#[test]
fn a_squash() {
    let (world, text) = open();
    world.git("registry", &["merge", "-q", "--squash", "candidate/up/deploy"]);
    world.commit("registry", "squashed, and the message says nothing");
    settled(&world, &text, "squash");
}

#[test]
fn a_rebase() {
    let (world, text) = open();
    world.git("registry", &["rebase", "-q", "main", "candidate/up/deploy"]);
    world.git("registry", &["switch", "-q", "main"]);
    world.git("registry", &["merge", "-q", "--ff-only", "candidate/up/deploy"]);
    settled(&world, &text, "rebase");
}

#[test]
fn a_rebase_as_a_forge_does_it_which_leaves_the_branch_where_it_was() {
    let (world, text) = open();
    let head = world.rev("registry", "candidate/up/deploy");
    world.git("registry", &["checkout", "-q", "--detach", &head]);
    world.git("registry", &["rebase", "-q", "main"]);
    let rebased = world.head("registry");
    world.git("registry", &["switch", "-q", "main"]);
    world.git("registry", &["merge", "-q", "--ff-only", &rebased]);
    settled(&world, &text, "forge rebase");
}

#[test]
fn a_cherry_pick() {
    let (world, text) = open();
    world.git("registry", &["cherry-pick", "candidate/up/deploy"]);
    settled(&world, &text, "cherry-pick");
}

#[test]
fn files_copied_by_hand_with_their_entry() {
    let (world, text) = open();
    world.git("registry", &["checkout", "-q", "candidate/up/deploy", "--", "skills"]);
    world.commit("registry", "by hand");
    settled(&world, &text, "by hand");
}

#[test]
fn an_octopus_of_several_candidates() {
    let (world, text) = open();
    world.upstream(&[("skills/other/SKILL.md", &crate::support::skill("other", "v2"))]);
    world.sync();
    world.git("registry", &["merge", "-q", "candidate/up/deploy", "candidate/up/other"]);
    settled(&world, &text, "octopus");
}

#[test]
fn a_merge_that_somebody_edited_first() {
    let (world, _) = open();
    world.git("registry", &["merge", "-q", "--no-commit", "--no-ff", "candidate/up/deploy"]);
    world.edit("registry/skills/deploy/SKILL.md", "ours", "ours, edited while merging");
    world.commit("registry", "merged with an edit");
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("unchanged", "closed"));
    assert!(world.read("registry/skills/deploy/SKILL.md").contains("edited while merging"));
}

#[test]
fn upstreams_content_copied_without_its_entry_is_already_applied() {
    let world = world();
    world.upstream(&[("skills/deploy/SKILL.md", &lines("first", "upstream's"))]);
    world.sync();
    world.registry(&[("skills/deploy/SKILL.md", &lines("first", "upstream's"))]);
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("already_applied", "remade"));
    let changed = world.git("registry", &["diff", "--name-only", "main", "candidate/up/deploy"]);
    assert_eq!(changed, "skills/deploy.toml");
    world.run(&["candidate", "accept", "deploy"]).ok();
    assert_eq!(world.sync().class("deploy"), "unchanged");
}

#[test]
fn an_edited_candidate_that_was_squashed_is_cleaned_up_too() {
    let (world, _) = open();
    world.git("registry", &["switch", "-q", "candidate/up/deploy"]);
    let edited = lines("ours", "upstream's").replace("\n4\n", "\n4, the reviewer adds\n");
    world.registry(&[("skills/deploy/SKILL.md", &edited)]);
    world.git("registry", &["switch", "-q", "main"]);
    world.git("registry", &["merge", "-q", "--squash", "candidate/up/deploy"]);
    world.commit("registry", "squashed");
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("unchanged", "closed"));
}

#[test]
fn an_update_that_was_merged_and_reverted_does_not_come_back_by_itself() {
    let (world, _) = open();
    world.git("registry", &["merge", "-q", "--no-ff", "candidate/up/deploy"]);
    world.sync();
    world.git("registry", &["revert", "--no-edit", "-m", "1", "HEAD"]);
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("three_way", "held"));
    assert_eq!(world.branches("registry", "candidate/"), Vec::<String>::new());
    world.upstream(&[("skills/deploy/SKILL.md", &lines("first", "upstream's second"))]);
    assert_eq!(world.sync().action("deploy"), "opened", "the next one is proposed");
}
