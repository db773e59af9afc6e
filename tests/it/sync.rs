//! `sync`: every class, one candidate a skill, and nothing written without a cause.

use crate::support::{World, listing, skill};
use serde_json::json;

/// `deploy` has ten lines, so that edits at its ends merge.
pub fn lines(first: &str, last: &str) -> String {
    skill("deploy", &format!("{first}\n\n2\n\n3\n\n4\n\n5\n\n6\n\n{last}"))
}

/// A registry that follows `deploy` and `other`.
pub fn world() -> World {
    World::following(&[
        ("skills/deploy/SKILL.md", &lines("first", "last")),
        ("skills/other/SKILL.md", &skill("other", "v1")),
        ("LICENSE", "MIT\n"),
        ("README.md", "not a skill\n"),
    ])
}

fn deploy(world: &World, text: &str) -> String {
    world.upstream(&[("skills/deploy/SKILL.md", text)])
}

/// Everything that a sync could write, apart from its lock.
fn everything(world: &World, dir: &str) -> (String, Vec<String>) {
    (world.refs(dir), world.objects(dir))
}

#[test]
fn an_upstream_that_did_not_move_is_unchanged_and_nothing_is_written() {
    let world = world();
    // The first one tags what `add` brought.
    world.sync();
    let before = everything(&world, "registry");
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.class("other")), ("unchanged", "unchanged"));
    assert_eq!(synced.source("up")["outcome"], "unchanged");
    assert_eq!(everything(&world, "registry"), before);
}

#[test]
fn a_local_edit_alone_is_unchanged() {
    let world = world();
    world.registry(&[("skills/deploy/SKILL.md", &lines("ours", "last"))]);
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("unchanged", ""));
    assert_ne!(synced.skill("deploy")["local"], synced.skill("deploy")["base"]);
}

#[test]
fn an_unedited_skill_fast_forwards_to_exactly_what_upstream_has() {
    let world = world();
    let revision = deploy(&world, &lines("first", "upstream's"));
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("fast_forward", "opened"));
    assert_eq!(world.rev("registry", "candidate/up/deploy:skills/deploy"), world.rev("upstream", "HEAD:skills/deploy"));
    let changed = world.git("registry", &["diff", "--name-only", "main", "candidate/up/deploy"]);
    assert_eq!(changed, "skills/deploy.toml\nskills/deploy/SKILL.md", "content and entry, and nothing else");
    assert_eq!(world.rev("registry", "candidate/up/deploy^"), world.head("registry"), "one commit");
    let entry = world.show("registry", "candidate/up/deploy", "skills/deploy.toml");
    assert!(entry.contains(&format!("revision = \"{revision}\"")), "{entry}");
    assert!(entry.contains(&format!("mirror = \"{}\"", world.rev("registry", "mirror/up"))), "{entry}");
    assert_eq!(synced.class("other"), "unchanged");
}

#[test]
fn edits_on_both_sides_merge_three_ways() {
    let world = world();
    world.registry(&[("skills/deploy/SKILL.md", &lines("ours", "last"))]);
    deploy(&world, &lines("first", "upstream's"));
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("three_way", "opened"));
    assert_eq!(synced.conflicts("deploy"), Vec::<String>::new());
    let merged = world.show("registry", "candidate/up/deploy", "skills/deploy/SKILL.md");
    assert_eq!(merged, lines("ours", "upstream's"));
}

#[test]
fn what_the_team_has_already_needs_its_entry_moved_only() {
    let world = world();
    world.registry(&[("skills/deploy/SKILL.md", &lines("first", "both had this idea"))]);
    deploy(&world, &lines("first", "both had this idea"));
    assert_eq!(world.sync().class("deploy"), "already_applied");
    let changed = world.git("registry", &["diff", "--name-only", "main", "candidate/up/deploy"]);
    assert_eq!(changed, "skills/deploy.toml");
}

#[test]
fn a_skill_that_appears_upstream_is_proposed_or_ignored_by_policy() {
    let world = world();
    world.upstream(&[("skills/fresh/SKILL.md", &skill("fresh", "v1"))]);
    let synced = world.sync();
    assert_eq!((synced.class("fresh"), synced.action("fresh")), ("new", "opened"));
    assert!(!world.exists("registry/skills/fresh"));
    world.run(&["candidate", "accept", "fresh"]).ok();
    assert_eq!(world.sync().class("fresh"), "unchanged");
    world.edit("registry/skillgraft.toml", "[policy]\n", "[policy]\nnew_skills = \"ignore\"\n");
    world.commit("registry", "ignore new ones");
    world.upstream(&[("skills/fresher/SKILL.md", &skill("fresher", "v1"))]);
    let synced = world.sync();
    assert_eq!((synced.class("fresher"), synced.action("fresher")), ("new", ""));
    assert_eq!(world.branches("registry", "candidate/"), Vec::<String>::new());
    world.edit("registry/sources/up.toml", "format = 1\n", "format = 1\n[policy]\nnew_skills = \"propose\"\n");
    let text = world.read("registry/sources/up.toml").replace("[policy]\nnew_skills = \"propose\"\n", "");
    world.write("registry/sources/up.toml", format!("{text}\n[policy]\nnew_skills = \"propose\"\n"));
    world.commit("registry", "but not from here");
    assert_eq!(world.sync().action("fresher"), "opened", "a source's own policy goes first");
}

#[test]
fn a_skill_that_leaves_upstream_is_proposed_for_removal_or_kept_by_policy() {
    let world = world();
    world.git("upstream", &["rm", "-rq", "skills/other"]);
    world.commit("upstream", "no more other");
    world.edit("registry/skillgraft.toml", "[policy]\n", "[policy]\nremoved_skills = \"keep\"\n");
    world.commit("registry", "keep them");
    let synced = world.sync();
    assert_eq!((synced.class("other"), synced.action("other")), ("removed", ""));
    assert!(synced.skill("other")["notice"]["message"].as_str().unwrap().contains("keep"));
    world.edit("registry/skillgraft.toml", "removed_skills = \"keep\"\n", "");
    world.commit("registry", "let go");
    assert_eq!(world.sync().action("other"), "opened");
    world.run(&["candidate", "accept", "other"]).ok();
    assert!(!world.exists("registry/skills/other"));
    assert!(world.exists("registry/skills/other.toml"), "the entry stays, so that it is known if it comes back");
    assert_eq!(world.run(&["check"]).code, 0);
    assert_eq!(world.sync().class("other"), "unchanged");
    world.upstream(&[("skills/other/SKILL.md", &skill("other", "v1"))]);
    assert_eq!(world.sync().class("other"), "fast_forward", "what comes back is proposed again");
}

#[test]
fn a_removed_skill_that_was_edited_here_is_a_conflict() {
    let world = world();
    world.registry(&[("skills/other/SKILL.md", &skill("other", "ours"))]);
    world.git("upstream", &["rm", "-rq", "skills/other"]);
    world.commit("upstream", "no more other");
    let synced = world.sync();
    assert_eq!(synced.class("other"), "removed");
    assert_eq!(synced.conflicts("other"), ["SKILL.md modify_delete"]);
    let kept = world.show("registry", "candidate/up/other", "skills/other/SKILL.md");
    assert_eq!(kept, skill("other", "ours"), "without markers, the tree holds local's version");
}

#[test]
fn an_entry_whose_directory_is_gone_is_a_notice_that_names_the_commands() {
    let world = world();
    world.git("registry", &["rm", "-rq", "skills/other"]);
    world.commit("registry", "deleted by hand");
    world.upstream(&[("skills/other/SKILL.md", &skill("other", "v2"))]);
    let synced = world.sync();
    assert_eq!((synced.class("other"), synced.action("other")), ("missing_local", ""));
    let hint = synced.skill("other")["notice"]["hint"].as_str().unwrap();
    assert!(hint.contains("git checkout") && hint.contains("skills/other.toml"), "{hint}");
}

#[test]
fn a_skill_that_the_settings_no_longer_select_is_a_notice() {
    let world = world();
    deploy(&world, &lines("first", "upstream's"));
    world.sync();
    world.edit("registry/sources/up.toml", "skills = [\"*\"]", "skills = [\"*\"]\nexclude = [\"deploy\"]");
    world.commit("registry", "exclude deploy");
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("unselected", "closed"));
    let hint = synced.skill("deploy")["notice"]["hint"].as_str().unwrap();
    assert!(hint.contains("sources/up.toml"), "{hint}");
    assert!(world.exists("registry/skills/deploy/SKILL.md"));
}

#[test]
fn an_entry_that_lists_a_conflict_on_the_default_branch_is_skipped_and_reported() {
    let world = world();
    world.registry(&[("skills/deploy/SKILL.md", &lines("first", "ours"))]);
    deploy(&world, &lines("first", "upstream's"));
    assert_eq!(world.sync().conflicts("deploy"), ["SKILL.md content"]);
    world.git("registry", &["merge", "-q", "candidate/up/deploy"]);
    deploy(&world, &lines("first", "upstream's second"));
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("conflicted", ""));
    assert!(synced.skill("deploy")["notice"]["hint"].as_str().unwrap().contains("candidate resolve deploy"));
    world.run(&["check"]).ends_with(1);
    world.run(&["candidate", "resolve", "deploy"]).ends_with(1).says(&["still has conflict markers"]);
    world.registry(&[("skills/deploy/SKILL.md", &lines("first", "ours and upstream's"))]);
    world.run(&["candidate", "resolve", "deploy"]).ok();
    assert!(!world.read("registry/skills/deploy.toml").contains("[[conflict]]"));
    assert_eq!(world.sync().class("deploy"), "three_way");
}

#[test]
fn a_second_sync_writes_nothing() {
    let world = world();
    world.registry(&[("skills/deploy/SKILL.md", &lines("ours", "last"))]);
    deploy(&world, &lines("theirs", "upstream's"));
    world.upstream(&[("skills/fresh/SKILL.md", &skill("fresh", "v1"))]);
    world.git("upstream", &["rm", "-rq", "skills/other"]);
    world.commit("upstream", "remove other");
    let first = world.sync();
    assert_eq!(first.json["candidates"]["opened"], 3, "{:#}", first.json);
    let before = everything(&world, "registry");
    let second = world.sync();
    assert_eq!(second.json["candidates"], json!({"opened": 0, "kept": 3, "remade": 0, "carried": 0, "closed": 0}));
    assert_eq!(second.source("up")["outcome"], "unchanged");
    assert_eq!(everything(&world, "registry"), before);
}

#[test]
fn the_mirror_grows_only_when_a_skill_or_a_licence_changed() {
    let world = world();
    let mirror = || world.rev("registry", "mirror/up");
    let first = mirror();
    let revision = world.upstream(&[("README.md", "still not a skill\n")]);
    let synced = world.sync();
    assert_eq!(mirror(), first);
    assert_eq!(synced.source("up")["revision"], json!(revision));
    world.upstream(&[("LICENSE", "Apache-2.0\n")]);
    world.sync();
    assert_eq!(world.rev("registry", "mirror/up^"), first, "append-only");
    let second = mirror();
    deploy(&world, &lines("first", "upstream's"));
    world.sync();
    assert_eq!(world.rev("registry", "mirror/up^"), second);
    let candidate = world.show("registry", "candidate/up/deploy", "licenses/up/LICENSE");
    assert_eq!(candidate, "Apache-2.0\n", "the licence comes along with the skill that it covers");
}

#[test]
fn two_clones_of_the_same_state_make_the_same_ids() {
    let world = world();
    world.registry(&[("skills/deploy/SKILL.md", &lines("ours", "last"))]);
    deploy(&world, &lines("theirs", "upstream's"));
    world.upstream(&[("skills/fresh/SKILL.md", &skill("fresh", "v1"))]);
    let copied = world.command("cp", "").args(["-a", "registry", "second"]).status().unwrap();
    assert!(copied.success());
    let first = world.sync();
    // Another machine, another time, another person.
    world.set_env("GIT_AUTHOR_DATE", Some("2031-01-01T00:00:00Z"));
    world.set_env("GIT_COMMITTER_NAME", Some("Somebody Else"));
    world.set_env("TZ", Some("Asia/Tokyo"));
    world.set_env("SKILLGRAFT_CACHE_DIR", Some(world.path("another-cache")));
    let second = world.sync_in("second", &[]);
    assert_eq!(first.json, second.json);
    assert_eq!(world.refs("registry"), world.refs("second"));
}

#[test]
fn unrelated_movement_of_the_default_branch_keeps_a_candidate() {
    let world = world();
    deploy(&world, &lines("first", "upstream's"));
    world.sync();
    let candidate = world.rev("registry", "candidate/up/deploy");
    world.registry(&[("README.md", "moved on\n"), ("skills/other/SKILL.md", &skill("other", "ours"))]);
    world.upstream(&[("README.md", "upstream too\n")]);
    assert_eq!(world.sync().action("deploy"), "kept");
    assert_eq!(world.rev("registry", "candidate/up/deploy"), candidate);
}

#[test]
fn a_candidate_that_is_no_longer_right_is_made_again_and_its_old_head_is_remembered() {
    let world = world();
    deploy(&world, &lines("first", "upstream's"));
    world.sync();
    let old = world.rev("registry", "candidate/up/deploy");
    world.registry(&[("skills/deploy/SKILL.md", &lines("ours", "last"))]);
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("three_way", "remade"));
    assert_eq!(world.rev("registry", "refs/skillgraft/superseded/up/deploy"), old);
    let text = world.show("registry", "candidate/up/deploy", "skills/deploy/SKILL.md");
    assert_eq!(text, lines("ours", "upstream's"));
    deploy(&world, &lines("first", "upstream's second"));
    assert_eq!(world.sync().action("deploy"), "remade");
    assert_eq!(world.branches("registry", "candidate/"), ["candidate/up/deploy"], "at most one branch a skill");
}

#[test]
fn a_candidate_that_a_reviewer_edited_is_left_alone_while_nothing_moves() {
    let world = world();
    deploy(&world, &lines("first", "upstream's"));
    world.sync();
    let edited = world.review("candidate/up/deploy", &[("skills/deploy/SKILL.md", &lines("reviewer's", "upstream's"))]);
    let synced = world.sync();
    assert_eq!(synced.action("deploy"), "kept");
    assert_eq!(synced.skill("deploy")["candidate"]["edited"], true);
    assert_eq!(world.rev("registry", "candidate/up/deploy"), edited);
}

#[test]
fn a_reviewers_line_is_never_lost_when_upstream_moves_on() {
    let world = world();
    deploy(&world, &lines("first", "upstream's"));
    world.sync();
    let edited = world.review("candidate/up/deploy", &[("skills/deploy/SKILL.md", &lines("reviewer's", "upstream's"))]);
    deploy(&world, &lines("first", "upstream's second"));
    let synced = world.sync();
    assert_eq!(synced.action("deploy"), "carried");
    let text = world.show("registry", "candidate/up/deploy", "skills/deploy/SKILL.md");
    assert_eq!(text, lines("reviewer's", "upstream's second"));
    assert!(world.git_tries("registry", &["merge-base", "--is-ancestor", &edited, "candidate/up/deploy"]));
    let before = everything(&world, "registry");
    world.sync();
    assert_eq!(everything(&world, "registry"), before);
}

#[test]
fn a_candidate_branch_that_is_checked_out_anywhere_is_never_moved() {
    let world = world();
    deploy(&world, &lines("first", "upstream's"));
    world.sync();
    world.git("registry", &["worktree", "add", "-q", "../review", "candidate/up/deploy"]);
    let candidate = world.rev("registry", "candidate/up/deploy");
    deploy(&world, &lines("first", "upstream's second"));
    for dir in ["registry", "review"] {
        let synced = world.sync_in(dir, &[]);
        assert_eq!(synced.action("deploy"), "left", "from {dir}");
        assert!(synced.skill("deploy")["notice"]["message"].as_str().unwrap().contains("checked out"));
        assert_eq!(world.rev("registry", "candidate/up/deploy"), candidate);
        assert_eq!(world.git("review", &["status", "--porcelain"]), "");
    }
    // Not deleted either, once nothing asks for it any more.
    world.git("registry", &["merge", "-q", "candidate/up/deploy"]);
    world.edit("registry/sources/up.toml", "skills = [\"*\"]", "skills = [\"*\"]\nexclude = [\"deploy\"]");
    world.commit("registry", "exclude deploy");
    world.sync();
    assert_eq!(world.rev("registry", "candidate/up/deploy"), candidate);
    world.git("registry", &["worktree", "remove", "../review"]);
    assert_eq!(world.sync().action("deploy"), "closed");
}

#[test]
fn a_linked_worktree_shares_the_registrys_candidates_and_lock() {
    let world = world();
    world.git("registry", &["worktree", "add", "-q", "-b", "feature", "../linked"]);
    deploy(&world, &lines("first", "upstream's"));
    let synced = world.sync_in("linked", &[]);
    assert_eq!(synced.json["branch"], "main", "the default branch, not the one that is checked out here");
    assert_eq!(world.branches("registry", "candidate/"), ["candidate/up/deploy"]);
    world.run_in("linked", &["candidate", "accept", "deploy"]).ok();
    assert!(world.read("registry/skills/deploy/SKILL.md").contains("upstream's"), "main is checked out over there");
    assert_eq!(world.git("registry", &["status", "--porcelain"]), "");
    assert_eq!(world.git("linked", &["status", "--porcelain"]), "");
}

#[test]
fn a_detached_head_does_not_matter_to_sync() {
    let world = world();
    deploy(&world, &lines("first", "upstream's"));
    world.git("registry", &["checkout", "-q", "--detach", "HEAD~1"]);
    let synced = world.sync();
    assert_eq!((synced.json["branch"].as_str(), synced.action("deploy")), (Some("main"), "opened"));
    world.run(&["candidate", "accept", "deploy"]).ok();
    assert!(world.show("registry", "main", "skills/deploy/SKILL.md").contains("upstream's"));
    assert_eq!(world.git("registry", &["status", "--porcelain"]), "");
}

#[test]
fn a_fresh_clone_with_only_remote_tracking_refs_goes_on_where_the_team_is() {
    let world = world();
    deploy(&world, &lines("first", "upstream's"));
    world.sync();
    world.git("", &["init", "-q", "--bare", "team.git"]);
    world.git("registry", &["push", "-q", "../team.git", "refs/heads/*:refs/heads/*"]);
    world.git("", &["clone", "-q", "team.git", "fresh"]);
    let before = world.refs("fresh");
    let synced = world.sync_in("fresh", &[]);
    assert_eq!(synced.action("deploy"), "kept");
    assert_eq!(synced.source("up")["mirror"], json!(world.rev("registry", "mirror/up")));
    assert_eq!(world.branches("fresh", ""), ["main"], "what the remote has is not made again");
    assert_eq!(
        world.refs("fresh").lines().filter(|line| line.contains("refs/heads")).count(),
        before.lines().filter(|line| line.contains("refs/heads")).count()
    );
    let listed = world.run_in("fresh", &["--json", "candidate", "list"]).ok().json();
    assert_eq!(listed["candidates"][0]["skill"], "deploy");
    deploy(&world, &lines("first", "upstream's second"));
    let (here, there) = (world.sync_in("fresh", &[]), world.sync());
    assert_eq!(here.skill("deploy")["candidate"]["commit"], there.skill("deploy")["candidate"]["commit"]);
    assert_eq!(world.rev("fresh", "mirror/up"), world.rev("registry", "mirror/up"));
    // Where the two have diverged, the remote's counts, until it is pushed.
    world.git("fresh", &["push", "-q", "--force", "origin", "candidate/up/deploy"]);
    world.run_in("fresh", &["candidate", "accept", "deploy"]).ok();
    assert_eq!(world.sync_in("fresh", &[]).class("deploy"), "unchanged");
}

#[test]
fn a_disabled_and_a_paused_source_are_skipped() {
    let world = world();
    deploy(&world, &lines("first", "upstream's"));
    let text = world.read("registry/sources/up.toml");
    for (more, outcome) in [
        ("enabled = false\n".to_owned(), "disabled"),
        ("[paused]\nby = \"Ops <ops@acme.example>\"\nreason = \"r\"\nsince = 2026-11-20\n".to_owned(), "paused"),
    ] {
        world.registry(&[("sources/up.toml", &format!("{text}{more}"))]);
        let synced = world.sync();
        assert_eq!(synced.source("up")["outcome"], outcome);
        assert_eq!(synced.source("up")["skills"], json!([]));
    }
    world.registry(&[("sources/up.toml", &format!("{text}[paused]\nreason = \"r\"\nuntil = 2020-01-01\n"))]);
    assert_eq!(world.sync().action("deploy"), "opened", "a pause ends by itself");
}

#[test]
fn a_failing_source_fails_alone_and_the_exit_code_says_so_at_the_end() {
    let world = world();
    world.git("", &["clone", "-q", "upstream", "second"]);
    world.run(&["add", "../second", "--name", "second", "--namespace", "second"]).ok();
    world.run(&["add", &world.url("upstream"), "--name", "third", "--namespace", "third"]).ok();
    deploy(&world, &lines("first", "upstream's"));
    world.sync();
    deploy(&world, &lines("first", "upstream's second"));
    world.git("second", &["pull", "-q"]);
    std::fs::rename(world.path("upstream"), world.path("away")).unwrap();
    let before = world.branches("registry", "");
    let synced = world.try_sync("registry", &[]);
    assert_eq!(synced.code, 1);
    let outcomes: Vec<_> = ["up", "second", "third"].map(|name| synced.source(name)["outcome"].clone()).into();
    assert_eq!(outcomes, [json!("failed"), json!("synced"), json!("failed")]);
    assert_eq!(synced.action("second/deploy"), "opened");
    let after: Vec<_> =
        world.branches("registry", "").into_iter().filter(|b| b != "candidate/second/second.deploy").collect();
    assert_eq!(before, after, "no evidence, no action");
    for name in ["up", "third"] {
        assert!(
            synced.source(name)["error"]["message"].is_string() && synced.source(name)["error"]["hint"].is_string(),
            "{:#}",
            synced.json
        );
    }
    world.run(&["sync", "second"]).ok();
    world.run(&["sync", "nobody"]).ends_with(2).says(&["no source `nobody`", "skillgraft source list"]);
}

#[test]
fn an_upstream_that_suddenly_lists_nothing_closes_and_removes_nothing() {
    let world = world();
    deploy(&world, &lines("first", "upstream's"));
    world.sync();
    let before = world.refs("registry");
    world.git("upstream", &["rm", "-rq", "skills"]);
    world.commit("upstream", "everything is gone");
    let synced = world.try_sync("registry", &[]);
    assert_eq!((synced.code, synced.source("up")["outcome"].as_str()), (1, Some("failed")));
    assert_eq!(synced.source("up")["error"]["kind"], "no_evidence");
    assert_eq!(world.refs("registry"), before);
}

#[test]
fn a_dry_run_tells_the_same_and_writes_nothing_at_all() {
    let world = world();
    world.run(&["add", &world.url("upstream"), "--name", "url", "--namespace", "url"]).ok();
    // Versions are told by the run that tags them.
    world.sync();
    deploy(&world, &lines("first", "upstream's"));
    std::fs::remove_file(world.path("registry/.git/skillgraft/lock")).unwrap();
    let listings = || {
        let dirs = ["registry/.git", "cache", "home", "tmp", "upstream/.git"];
        dirs.map(|dir| listing(&world.path(dir)))
    };
    let before = listings();
    let dry = world.sync_in("registry", &["--dry-run"]);
    assert_eq!(listings(), before);
    assert_eq!((dry.action("deploy"), dry.action("url/deploy")), ("opened", "opened"));
    let wet = world.sync();
    assert_eq!(dry.json, wet.json, "a dry run says what the real one does");
    let before = listings();
    let dry = world.sync_in("registry", &["--dry-run"]);
    assert_eq!(dry.action("deploy"), "kept");
    assert_eq!(listings(), before);
    deploy(&world, &lines("first", "upstream's second"));
    let before = listings();
    world.run(&["sync", "--dry-run", "--exit-code"]).ends_with(3);
    assert_eq!(listings(), before);
}

#[test]
fn offline_uses_the_cache_and_contacts_nothing() {
    let world = World::with_upstream(&[("skills/deploy/SKILL.md", &lines("first", "last"))]);
    world.run(&["add", &world.url("upstream"), "--name", "up"]).ok();
    deploy(&world, &lines("first", "upstream's"));
    assert_eq!(world.sync_in("registry", &["--offline"]).class("deploy"), "unchanged", "as it was last seen");
    world.sync();
    world.git("registry", &["branch", "-q", "-D", "candidate/up/deploy"]);
    world.git("registry", &["update-ref", "-d", "refs/skillgraft/offered/up/deploy"]);
    std::fs::rename(world.path("upstream"), world.path("away")).unwrap();
    assert_eq!(world.try_sync("registry", &[]).code, 1);
    let synced = world.sync_in("registry", &["--offline"]);
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("fast_forward", "opened"));
    std::fs::remove_dir_all(world.path("cache")).unwrap();
    let synced = world.try_sync("registry", &["--offline"]);
    assert_eq!(synced.code, 1);
    assert!(synced.source("up")["error"]["hint"].as_str().unwrap().contains("without --offline"));
}

#[test]
fn exit_code_3_says_that_something_awaits_a_decision() {
    let world = world();
    world.run(&["sync", "--exit-code"]).ok();
    world.run(&["status", "--exit-code"]).ok();
    deploy(&world, &lines("first", "upstream's"));
    world.run(&["sync", "--exit-code"]).ends_with(3);
    world.run(&["status", "--exit-code"]).ends_with(3);
    world.run(&["sync"]).ok();
}

#[test]
fn a_ref_prefix_stands_before_every_branch() {
    let world = World::with_upstream(&[("skills/deploy/SKILL.md", &lines("first", "last"))]);
    world.edit("registry/skillgraft.toml", "# ref_prefix = \"\"", "ref_prefix = \"skillgraft/\"");
    world.commit("registry", "shared repository");
    world.run(&["add", "../upstream", "--name", "up"]).ok();
    deploy(&world, &lines("first", "upstream's"));
    world.sync();
    assert_eq!(world.branches("registry", ""), ["main", "skillgraft/candidate/up/deploy", "skillgraft/mirror/up"]);
    world.run(&["candidate", "accept", "deploy"]).ok();
    assert_eq!(world.sync().class("deploy"), "unchanged");
}

#[test]
fn a_skill_that_moved_with_git_mv_here_is_still_followed() {
    let world = world();
    world.git("registry", &["mv", "skills/deploy", "skills/ship"]);
    world.git("registry", &["mv", "skills/deploy.toml", "skills/ship.toml"]);
    world.commit("registry", "renamed here");
    deploy(&world, &lines("first", "upstream's"));
    let synced = world.sync();
    assert_eq!((synced.class("ship"), synced.action("ship")), ("fast_forward", "opened"));
    assert_eq!(world.branches("registry", "candidate/"), ["candidate/up/ship"]);
}
