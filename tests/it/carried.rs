//! Carried candidates: what reviewers did on a branch moves along with it, by a merge commit, never by force (RULES,
//! "Candidate").

use crate::support::{World, skill};
use crate::sync::{lines, world};

const BRANCH: &str = "candidate/up/deploy";
const FILE: &str = "skills/deploy/SKILL.md";

fn upstream(world: &World, text: &str) {
    world.upstream(&[(FILE, text)]);
}

/// Commits something to the branch of `deploy`, as a reviewer does, and returns the commit.
fn review(world: &World, files: &[(&str, &str)]) -> String {
    world.review(BRANCH, files)
}

/// `deploy` with a middle line of a reviewer's.
fn reviewed(first: &str, last: &str) -> String {
    lines(first, last).replace("\n3\n", "\n3, said the reviewer\n")
}

/// An open candidate (upstream's last line is `v2`) with a reviewer's edit; returns the branch's head, too.
fn edited() -> (World, String) {
    let world = world();
    upstream(&world, &lines("first", "v2"));
    world.sync();
    let head = review(&world, &[(FILE, &reviewed("first", "v2"))]);
    let synced = world.sync();
    assert_eq!((synced.action("deploy"), world.rev("registry", BRANCH)), ("kept", head.clone()));
    assert_eq!(synced.skill("deploy")["candidate"]["edited"], true);
    (world, head)
}

/// The branch was carried: a merge of what it was and of what the tool would make, so a fast-forward.
#[track_caller]
fn is_carried(world: &World, old: &str) {
    let parents = world.git("registry", &["rev-list", "--parents", "-1", BRANCH]);
    let parents: Vec<_> = parents.split(' ').skip(1).collect();
    let offered = world.rev("registry", "refs/skillgraft/offered/up/deploy");
    assert_eq!(parents, [old, offered.as_str()], "old head first, then what the tool wants");
    assert_eq!(world.rev("registry", &format!("{offered}^")), world.rev("registry", "main"), "on the default branch");
    let before = (world.refs("registry"), world.objects("registry"));
    assert_eq!(world.sync().action("deploy"), "kept");
    assert_eq!((world.refs("registry"), world.objects("registry")), before, "a second sync writes nothing");
}

#[test]
fn an_edit_is_carried_to_upstreams_next_update() {
    let (world, old) = edited();
    upstream(&world, &lines("upstream's", "v2"));
    let synced = world.sync();
    assert_eq!(synced.action("deploy"), "carried");
    assert_eq!(synced.json["candidates"]["carried"], 1);
    is_carried(&world, &old);
    assert_eq!(world.show("registry", BRANCH, FILE), reviewed("upstream's", "v2"));
    world.run(&["candidate", "accept", "deploy"]).ok();
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), reviewed("upstream's", "v2"));
    let synced = world.sync();
    assert_eq!(synced.class("deploy"), "unchanged");
    assert!(world.branches("registry", "candidate/").is_empty());
}

#[test]
fn an_edit_is_carried_again_and_again() {
    let (world, mut old) = edited();
    for first in ["second", "third", "fourth"] {
        upstream(&world, &lines(first, "v2"));
        assert_eq!(world.sync().action("deploy"), "carried");
        is_carried(&world, &old);
        assert_eq!(world.show("registry", BRANCH, FILE), reviewed(first, "v2"));
        old = world.rev("registry", BRANCH);
    }
    world.git("registry", &["merge", "-q", "--no-ff", "--no-edit", BRANCH]);
    assert_eq!(world.sync().class("deploy"), "unchanged");
}

#[test]
fn an_edit_is_carried_when_the_default_branchs_skill_was_edited() {
    let (world, old) = edited();
    world.registry(&[(FILE, &lines("the team's", "last"))]);
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("three_way", "carried"));
    is_carried(&world, &old);
    assert_eq!(world.show("registry", BRANCH, FILE), reviewed("the team's", "v2"));
    world.run(&["candidate", "accept", "deploy"]).ok();
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), reviewed("the team's", "v2"));
    assert_eq!(world.sync().class("deploy"), "unchanged");
}

#[test]
fn an_edited_branch_stays_as_it_is_while_only_other_things_move() {
    let (world, old) = edited();
    world.registry(&[("README.md", "something else\n")]);
    world.upstream(&[("skills/other/SKILL.md", &skill("other", "v2"))]);
    let synced = world.sync();
    assert_eq!(synced.action("deploy"), "kept");
    assert_eq!(world.rev("registry", BRANCH), old);
}

#[test]
fn an_edited_branch_is_carried_to_upstreams_new_licence_so_that_all_candidates_can_be_merged() {
    let world = world();
    world.upstream(&[("LICENSE", "v1 of the licence\n"), (FILE, &lines("first", "v2"))]);
    world.sync();
    let old = review(&world, &[(FILE, &reviewed("first", "v2"))]);
    assert_eq!(world.sync().action("deploy"), "kept");
    world.upstream(&[("LICENSE", "v2 of the licence\n"), ("skills/other/SKILL.md", &skill("other", "Another text."))]);
    let synced = world.sync();
    assert_eq!((synced.action("deploy"), synced.action("other")), ("carried", "opened"));
    is_carried(&world, &old);
    for branch in [BRANCH, "candidate/up/other"] {
        world.git("registry", &["merge", "-q", "--squash", branch]);
        world.commit("registry", branch);
    }
    assert_eq!(world.read("registry/licenses/up/LICENSE"), "v2 of the licence\n");
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), reviewed("first", "v2"));
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.class("other")), ("unchanged", "unchanged"));
    // Where a reviewer has changed the licence file, too, that is left for the merge.
    upstream(&world, &lines("first", "v3"));
    world.sync();
    let licence = ("licenses/up/LICENSE", "v2 of the licence, as we understand it\n");
    let head = review(&world, &[(FILE, &reviewed("second", "v3")), licence]);
    assert_eq!((world.sync().action("deploy"), world.rev("registry", BRANCH)), ("kept", head.clone()));
    world.upstream(&[("LICENSE", "v3 of the licence\n")]);
    assert_eq!((world.sync().action("deploy"), world.rev("registry", BRANCH)), ("kept", head));
}

#[test]
fn a_carried_branch_that_is_squashed_is_accepted() {
    let (world, _) = edited();
    upstream(&world, &lines("upstream's", "v2"));
    world.sync();
    world.git("registry", &["merge", "-q", "--squash", BRANCH]);
    world.commit("registry", "squashed");
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("unchanged", "closed"));
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), reviewed("upstream's", "v2"));
}

#[test]
fn an_edit_outside_of_the_skill_is_kept() {
    let world = world();
    upstream(&world, &lines("first", "v2"));
    world.sync();
    let old = review(&world, &[("docs/deploy.md", "how we deploy\n")]);
    upstream(&world, &lines("first", "v3"));
    assert_eq!(world.sync().action("deploy"), "carried", "a change anywhere else in the repository is an edit");
    is_carried(&world, &old);
    assert_eq!(world.show("registry", BRANCH, "docs/deploy.md"), "how we deploy\n");
    assert_eq!(world.show("registry", BRANCH, FILE), lines("first", "v3"));
}

#[test]
fn a_reviewers_keys_in_the_entry_are_carried_and_upstreams_are_the_tools() {
    let world = world();
    upstream(&world, &lines("first", "v2"));
    world.sync();
    let entry = world.show("registry", BRANCH, "skills/deploy.toml");
    let owned = entry.replace("status = \"active\"", "status = \"active\"\nowners = [\"ops@acme.example\"]");
    let old = review(&world, &[("skills/deploy.toml", &owned)]);
    upstream(&world, &lines("first", "v3"));
    assert_eq!(world.sync().action("deploy"), "carried");
    is_carried(&world, &old);
    let carried = world.show("registry", BRANCH, "skills/deploy.toml");
    assert!(carried.contains("owners = [\"ops@acme.example\"]"), "{carried}");
    let wanted = world.show("registry", "refs/skillgraft/offered/up/deploy", "skills/deploy.toml");
    let upstream_of = |text: &str| text[text.find("[upstream]").unwrap()..].to_owned();
    assert_eq!(upstream_of(&carried), upstream_of(&wanted));
}

#[test]
fn a_comment_that_a_reviewer_wrote_in_the_entry_is_carried() {
    let world = world();
    upstream(&world, &lines("first", "v2"));
    world.sync();
    let entry = world.show("registry", BRANCH, "skills/deploy.toml");
    let noted = entry
        .replace("status = \"active\"\n", "# Ann asks: who runs this?\nstatus = \"active\" # since March\n# ours\n");
    let old = review(&world, &[("skills/deploy.toml", &noted)]);
    // Meanwhile somebody writes a comment at the same place on the default branch.
    let here = world.show("registry", "main", "skills/deploy.toml");
    let here = here.replace("status = \"active\"\n", "status = \"active\"\n# theirs\n");
    world.registry(&[("skills/deploy.toml", &here)]);
    upstream(&world, &lines("first", "v3"));
    assert_eq!(world.sync().action("deploy"), "carried");
    is_carried(&world, &old);
    let carried = world.show("registry", BRANCH, "skills/deploy.toml");
    for comment in ["# Ann asks: who runs this?\nstatus", "# since March\n", "# ours\n", "# theirs\n"] {
        assert!(carried.contains(comment), "{carried}");
    }
}

#[test]
fn a_carry_that_conflicts_lists_it_and_waits_until_it_is_resolved() {
    let (world, old) = edited();
    upstream(&world, &lines("first", "v2").replace("\n3\n", "\n3, said upstream\n"));
    let synced = world.sync();
    assert_eq!(synced.action("deploy"), "carried");
    assert_eq!(synced.conflicts("deploy"), ["SKILL.md content"]);
    is_carried_with_conflict(&world, &old);
    world.run(&["candidate", "accept", "deploy"]).ends_with(1).says(&["unresolved conflicts: SKILL.md"]);
    // Upstream moves on: the branch waits.
    let waiting = world.rev("registry", BRANCH);
    upstream(&world, &lines("upstream's", "v2").replace("\n3\n", "\n3, said upstream\n"));
    let synced = world.sync();
    assert_eq!((synced.action("deploy"), world.rev("registry", BRANCH)), ("left", waiting));
    let notice = &synced.skill("deploy")["notice"];
    assert!(notice["hint"].as_str().unwrap().contains("candidate resolve deploy"), "{notice}");
    // Decided: it goes on, and nothing of either side is lost.
    review(&world, &[(FILE, &lines("first", "v2").replace("\n3\n", "\n3, say both\n"))]);
    world.run(&["candidate", "resolve", "deploy"]).ok();
    let old = world.rev("registry", BRANCH);
    let synced = world.sync();
    assert_eq!((synced.action("deploy"), synced.conflicts("deploy")), ("carried", vec![]));
    is_carried(&world, &old);
    assert_eq!(world.show("registry", BRANCH, FILE), lines("upstream's", "v2").replace("\n3\n", "\n3, say both\n"));
    world.run(&["candidate", "accept", "deploy"]).ok();
    assert_eq!(world.sync().class("deploy"), "unchanged");
    world.run(&["check"]).ok();
}

#[track_caller]
fn is_carried_with_conflict(world: &World, old: &str) {
    assert_eq!(world.rev("registry", &format!("{BRANCH}^1")), old);
    let text = world.show("registry", BRANCH, FILE);
    for part in ["<<<<<<<", "3, said the reviewer", "3, said upstream", ">>>>>>>"] {
        assert!(text.contains(part), "no {part}: {text}");
    }
    assert!(world.show("registry", BRANCH, "skills/deploy.toml").contains("[[conflict]]"));
    let before = (world.refs("registry"), world.objects("registry"));
    let synced = world.sync();
    assert_eq!(synced.conflicts("deploy"), ["SKILL.md content"], "it still lists them");
    assert_eq!((world.refs("registry"), world.objects("registry")), before, "a second sync writes nothing");
}

#[test]
fn a_conflict_of_the_candidate_that_a_reviewer_resolved_stays_resolved_when_upstream_moves_elsewhere() {
    let world = world();
    world.registry(&[(FILE, &lines("first", "ours"))]);
    upstream(&world, &lines("first", "theirs"));
    assert_eq!(world.sync().conflicts("deploy"), ["SKILL.md content"]);
    review(&world, &[(FILE, &lines("first", "ours and theirs"))]);
    world.run(&["candidate", "resolve", "deploy"]).ok();
    assert_eq!(world.sync().action("deploy"), "kept");
    world.upstream(&[("skills/deploy/more.md", "more\n")]);
    let synced = world.sync();
    assert_eq!(synced.action("deploy"), "carried");
    assert_eq!(synced.conflicts("deploy"), Vec::<String>::new());
    assert_eq!(world.show("registry", BRANCH, FILE), lines("first", "ours and theirs"));
    assert_eq!(world.show("registry", BRANCH, "skills/deploy/more.md"), "more\n");
}

#[test]
fn a_carry_that_would_conflict_outside_of_the_skill_is_not_made() {
    let world = world();
    world.registry(&[("README.md", "one line\n")]);
    upstream(&world, &lines("first", "v2"));
    world.sync();
    let old = review(&world, &[("README.md", "the reviewer's line\n")]);
    world.registry(&[("README.md", "the team's line\n")]);
    upstream(&world, &lines("first", "v3"));
    let synced = world.sync();
    assert_eq!((synced.action("deploy"), world.rev("registry", BRANCH)), ("left", old.clone()));
    let notice = synced.skill("deploy")["notice"]["message"].as_str().unwrap().to_owned();
    assert!(notice.contains("outside of the skill") && notice.contains("README.md"), "{notice}");
    // What the hint says is what helps.
    world.git("registry", &["switch", "-q", BRANCH]);
    world.git_tries("registry", &["merge", "-q", "main"]);
    world.registry(&[("README.md", "both lines\n")]);
    world.git("registry", &["switch", "-q", "main"]);
    assert_eq!(world.sync().action("deploy"), "carried");
    assert_eq!(world.show("registry", BRANCH, "README.md"), "both lines\n");
    assert_eq!(world.show("registry", BRANCH, FILE), lines("first", "v3"));
}

#[test]
fn a_checked_out_branch_is_not_carried() {
    let (world, old) = edited();
    upstream(&world, &lines("upstream's", "v2"));
    world.git("registry", &["switch", "-q", BRANCH]);
    let synced = world.sync();
    assert_eq!((synced.action("deploy"), world.rev("registry", BRANCH)), ("left", old.clone()));
    assert!(synced.skill("deploy")["notice"]["message"].as_str().unwrap().contains("checked out"));
    world.git("registry", &["switch", "-q", "main"]);
    assert_eq!(world.sync().action("deploy"), "carried");
    is_carried(&world, &old);
}

#[test]
fn update_branch_a_rebase_and_another_message_are_no_edits() {
    type Button = fn(&World);
    let buttons: [(&str, Button); 3] = [
        ("update branch", |world| drop(world.git("registry", &["merge", "-q", "--no-edit", "main"]))),
        ("rebase", |world| drop(world.git("registry", &["rebase", "-q", "main"]))),
        ("message", |world| drop(world.git("registry", &["commit", "-q", "--amend", "-m", "our words"]))),
    ];
    for (name, button) in buttons {
        let world = world();
        upstream(&world, &lines("first", "v2"));
        world.sync();
        world.registry(&[("README.md", "something else\n")]);
        world.git("registry", &["switch", "-q", BRANCH]);
        button(&world);
        world.git("registry", &["switch", "-q", "main"]);
        let synced = world.sync();
        assert_eq!(
            (synced.action("deploy"), &synced.skill("deploy")["candidate"]["edited"]),
            ("kept", &false.into()),
            "{name}"
        );
        upstream(&world, &lines("first", "v3"));
        assert_eq!(world.sync().action("deploy"), "remade", "{name}");
        assert_eq!(world.show("registry", BRANCH, FILE), lines("first", "v3"));
    }
}

#[test]
fn an_edited_branch_of_which_upstream_took_the_update_back_is_left_and_said() {
    let (world, old) = edited();
    upstream(&world, &lines("first", "last"));
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("unchanged", "left"));
    assert_eq!(world.rev("registry", BRANCH), old);
    let notice = &synced.skill("deploy")["notice"];
    assert!(notice["hint"].as_str().unwrap().contains("git branch -D candidate/up/deploy"), "{notice}");
}

#[test]
fn a_carry_gives_the_same_commit_in_another_clone() {
    let (world, _) = edited();
    world.git("", &["clone", "-q", "--bare", "registry", "hub.git"]);
    world.git("", &["clone", "-q", "hub.git", "clone"]);
    world.git("clone", &["branch", "-q", BRANCH, &format!("origin/{BRANCH}")]);
    upstream(&world, &lines("upstream's", "v2"));
    assert_eq!(world.sync().action("deploy"), "carried");
    assert_eq!(world.sync_in("clone", &[]).action("deploy"), "carried");
    assert_eq!(world.rev("clone", BRANCH), world.rev("registry", BRANCH));
}

#[test]
fn an_edited_branch_of_a_skill_that_was_renamed_here_is_left_and_said() {
    for edit in [false, true] {
        let world = world();
        upstream(&world, &lines("first", "v2"));
        world.sync();
        let head = if edit { review(&world, &[("skills/deploy/reviewed.md", "a thought\n")]) } else { String::new() };
        world.git("registry", &["mv", "skills/deploy", "skills/ship"]);
        world.git("registry", &["mv", "skills/deploy.toml", "skills/ship.toml"]);
        world.commit("registry", "our name for it");
        let synced = world.sync();
        assert_eq!((synced.class("ship"), synced.action("ship")), ("fast_forward", "opened"));
        assert_eq!(synced.action("deploy"), if edit { "left" } else { "closed" });
        if edit {
            assert_eq!(world.rev("registry", BRANCH), head);
            assert!(synced.skill("deploy")["notice"]["hint"].as_str().unwrap().contains("git branch -D"));
        }
        let before = (world.refs("registry"), world.objects("registry"));
        world.sync();
        assert_eq!((world.refs("registry"), world.objects("registry")), before);
    }
}

#[test]
fn an_edit_is_carried_when_upstream_removes_the_skill() {
    let (world, old) = edited();
    world.git("upstream", &["rm", "-rq", "skills/deploy"]);
    world.commit("upstream", "no more deploy");
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("removed", "carried"));
    assert_eq!(synced.conflicts("deploy"), ["SKILL.md modify_delete"], "what a reviewer wrote is not deleted silently");
    assert_eq!(world.rev("registry", &format!("{BRANCH}^1")), old);
    assert_eq!(world.show("registry", BRANCH, FILE), reviewed("first", "v2"));
    let before = (world.refs("registry"), world.objects("registry"));
    world.sync();
    assert_eq!((world.refs("registry"), world.objects("registry")), before);
    world.run(&["candidate", "resolve", "deploy", "--take", "upstream"]).ok();
    world.run(&["candidate", "accept", "deploy"]).ok();
    assert!(!world.exists("registry/skills/deploy"));
    assert_eq!(world.sync().class("deploy"), "unchanged");
}

#[test]
fn a_file_that_a_reviewer_deleted_stays_deleted_and_upstreams_change_of_it_is_a_conflict() {
    let world = World::following(&[(FILE, &lines("first", "last")), ("skills/deploy/extra.md", "extra\n")]);
    upstream(&world, &lines("first", "v2"));
    world.sync();
    world.git("registry", &["switch", "-q", BRANCH]);
    world.git("registry", &["rm", "-q", "skills/deploy/extra.md"]);
    world.commit("registry", "we do not need it");
    world.git("registry", &["switch", "-q", "main"]);
    upstream(&world, &lines("first", "v3"));
    let synced = world.sync();
    assert_eq!((synced.action("deploy"), synced.conflicts("deploy").len()), ("carried", 0));
    assert!(!world.has("registry", BRANCH, "skills/deploy/extra.md"));
    world.upstream(&[("skills/deploy/extra.md", "more extra\n")]);
    let synced = world.sync();
    assert_eq!(
        (synced.action("deploy"), synced.conflicts("deploy")),
        ("carried", vec!["extra.md modify_delete".into()])
    );
    world.run(&["candidate", "resolve", "deploy", "--take", "local"]).ok();
    assert!(!world.has("registry", BRANCH, "skills/deploy/extra.md"), "local is the reviewer's side");
    world.run(&["candidate", "accept", "deploy"]).ok();
    assert!(!world.exists("registry/skills/deploy/extra.md"));
    assert_eq!(world.sync().class("deploy"), "unchanged");
}

#[test]
fn a_carried_and_merged_branch_that_is_reverted_is_held() {
    let (world, _) = edited();
    upstream(&world, &lines("upstream's", "v2"));
    world.sync();
    world.run(&["candidate", "accept", "deploy"]).ok();
    world.git("registry", &["revert", "--no-edit", "-m", "1", "HEAD"]);
    let synced = world.sync();
    assert_eq!(synced.skill("deploy")["hold"], "reverted");
    assert!(world.branches("registry", "candidate/").is_empty());
}

#[test]
fn an_edited_branch_that_was_squashed_is_closed_though_the_team_edited_the_skill_since() {
    let (world, _) = edited();
    world.git("registry", &["merge", "-q", "--squash", BRANCH]);
    world.commit("registry", "squashed");
    world.registry(&[(FILE, &reviewed("the team's", "v2"))]);
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("unchanged", "closed"));
}

#[test]
fn an_edited_branch_of_which_only_a_part_was_taken_is_left() {
    let (world, old) = edited();
    // Somebody took the tool's commit without the reviewer's.
    world.git("registry", &["cherry-pick", &format!("{BRANCH}^")]);
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("unchanged", "left"));
    assert_eq!(world.rev("registry", BRANCH), old);
    let before = (world.refs("registry"), world.objects("registry"));
    world.sync();
    assert_eq!((world.refs("registry"), world.objects("registry")), before);
    // Merged later, the edit comes in and nothing else changes.
    assert!(world.git_tries("registry", &["merge", "-q", "--no-edit", BRANCH]));
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), reviewed("first", "v2"));
    assert_eq!(world.sync().action("deploy"), "closed");
}

/// A world whose registry has a remote `hub.git`, to which the candidate of `deploy` was pushed, and a reviewer's clone.
fn with_hub() -> World {
    let world = world();
    upstream(&world, &lines("first", "v2"));
    world.sync();
    world.git("", &["clone", "-q", "--bare", "registry", "hub.git"]);
    world.git("registry", &["remote", "add", "origin", &world.url("hub.git")]);
    world.git("registry", &["fetch", "-q"]);
    world.git("", &["clone", "-q", "hub.git", "reviewer"]);
    world.git("reviewer", &["switch", "-q", BRANCH]);
    world.write(format!("reviewer/{FILE}"), reviewed("first", "v2"));
    world.commit("reviewer", "reviewed");
    world.git("reviewer", &["push", "-q"]);
    world.git("registry", &["fetch", "-q"]);
    world
}

#[test]
fn an_edit_that_only_the_remote_has_is_carried() {
    let world = with_hub();
    let theirs = world.head("reviewer");
    let synced = world.sync();
    assert_eq!((synced.action("deploy"), &synced.skill("deploy")["candidate"]["edited"]), ("kept", &true.into()));
    upstream(&world, &lines("upstream's", "v2"));
    assert_eq!(world.sync().action("deploy"), "carried");
    is_carried(&world, &theirs);
    assert_eq!(world.show("registry", BRANCH, FILE), reviewed("upstream's", "v2"));
}

#[test]
fn where_local_edits_and_the_remotes_diverged_nothing_moves_and_it_is_said() {
    let world = with_hub();
    let ours = review(&world, &[("skills/deploy/ours.md", "ours\n")]);
    upstream(&world, &lines("upstream's", "v2"));
    let synced = world.sync();
    assert_eq!((synced.action("deploy"), world.rev("registry", BRANCH)), ("left", ours.clone()));
    let notice = &synced.skill("deploy")["notice"];
    assert!(notice["message"].as_str().unwrap().contains("others on origin"), "{notice}");
    // Neither does a decline or an adoption take them away.
    world.run(&["candidate", "decline", "deploy", "--reason", "no"]).ok();
    assert_eq!(world.rev("registry", BRANCH), ours);
    // Joined, they are carried together.
    world.git("registry", &["switch", "-q", BRANCH]);
    world.git("registry", &["merge", "-q", "--no-edit", &format!("origin/{BRANCH}")]);
    world.git("registry", &["switch", "-q", "main"]);
    world.sync();
    assert_eq!(world.show("registry", BRANCH, "skills/deploy/ours.md"), "ours\n");
}

#[test]
fn edits_that_only_the_local_branch_has_survive_a_decline_of_the_remotes() {
    // The remote's branch is unedited and was made again; ours has a commit on the older one.
    let world = world();
    upstream(&world, &lines("first", "v2"));
    world.sync();
    world.git("", &["clone", "-q", "--bare", "registry", "hub.git"]);
    world.git("", &["clone", "-q", "hub.git", "robot"]);
    upstream(&world, &lines("first", "v3"));
    world.sync_in("robot", &[]);
    world.git("robot", &["push", "-q", "--force", "origin", &format!("{BRANCH}:{BRANCH}"), "mirror/up"]);
    world.git("registry", &["remote", "add", "origin", &world.url("hub.git")]);
    world.git("registry", &["fetch", "-q"]);
    let ours = review(&world, &[("skills/deploy/ours.md", "ours\n")]);
    world.run(&["candidate", "decline", "deploy", "--reason", "no"]).ok();
    assert_eq!(world.rev("registry", BRANCH), ours, "nobody's commit goes with a decline");
    let synced = world.try_sync("registry", &[]);
    assert_eq!(world.rev("registry", BRANCH), ours, "{:#}", synced.json);
}

#[test]
fn who_declines_an_edited_candidate_that_only_the_remote_has_is_told_how_to_delete_it_there() {
    let world = with_hub();
    world.git("", &["clone", "-q", "hub.git", "fresh"]);
    let run = world.run_in("fresh", &["candidate", "decline", "deploy", "--reason", "not now"]).ok();
    run.says(&[&format!(
        "{BRANCH} has edits, so it stays; when nobody needs them: git push origin main, then: git push origin --delete \
         {BRANCH}, then: git fetch --prune origin\n"
    )]);
    assert!(world.has("hub.git", BRANCH, FILE), "nothing was deleted yet");
}
