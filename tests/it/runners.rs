//! Runners and forges as they are: protected branches, squash and rebase buttons, shallow and bare clones, upstreams that
//! go back, remotes that refuse (issue "Review on a forge", Proof).

use crate::push::{merge_on_forge, publish, upstream_moves, world};
use crate::support::{World, skill};

const BRANCH: &str = "candidate/up/deploy";

/// A world in which the remote has an open candidate for `deploy`.
fn proposed() -> World {
    let world = world();
    upstream_moves(&world, "deploy", "v2");
    world.sync_in("here", &["--push"]);
    world
}

/// A further run of any runner pushes nothing.
#[track_caller]
fn is_settled(world: &World) {
    let refs = world.refs("remote.git");
    for clone in ["here", "there"] {
        let again = world.sync_in(clone, &["--push"]);
        assert_eq!(again.json["pushed"]["refs"], 0, "{:#}", again.json);
    }
    assert_eq!(world.refs("remote.git"), refs);
}

/// Does something in a clone of the remote, and brings what it made of a branch to the remote, as a forge does: past
/// its hooks.
fn on_forge(world: &World, branch: &str, act: impl FnOnce()) {
    world.git("", &["clone", "-q", "remote.git", "forge"]);
    if branch != "main" {
        world.git("forge", &["checkout", "-q", branch]);
    }
    act();
    world.git("remote.git", &["fetch", "-q", "../forge", &format!("{branch}:{branch}")]);
    std::fs::remove_dir_all(world.path("forge")).unwrap();
}

fn pull(world: &World, clone: &str) {
    world.git(clone, &["pull", "-q", "--ff-only", "origin", "main"]);
    world.git(clone, &["fetch", "-q"]);
}

fn reviewed(world: &World) {
    on_forge(world, BRANCH, || {
        world.write("forge/skills/deploy/notes.md", "a reviewer's note\n");
        world.commit("forge", "A note");
    });
}

#[test]
fn a_protected_default_branch_takes_changes_by_proposals_and_hinders_no_push() {
    let world = world();
    let script =
        "while read old new ref; do case $ref in refs/heads/main) echo 'main is protected'; exit 1;; esac; done";
    world.write("remote.git/hooks/pre-receive", format!("#!/bin/sh\n{script}\n"));
    upstream_moves(&world, "deploy", "v2");
    assert_eq!(world.sync_in("here", &["--push"]).action("deploy"), "opened");
    pull(&world, "there");
    let main = world.rev("there", "main");
    world.run_in("there", &["candidate", "accept", "deploy", "--propose"]).ok();
    world.run_in("there", &["pause", "review", "--reason", "busy", "--propose"]).ok();
    assert_eq!(world.rev("there", "main"), main);
    let proposals = world.branches("there", "proposal/");
    assert_eq!(proposals.len(), 2, "{proposals:?}");
    for proposal in &proposals {
        world.git("there", &["push", "-q", "origin", proposal]);
    }
    is_settled(&world);
    for proposal in &proposals {
        on_forge(&world, "main", || {
            world.git("forge", &["merge", "-q", "--no-ff", "-m", "Merge", &format!("origin/{proposal}")]);
        });
    }
    let synced = world.sync_in("here", &["--push"]);
    assert_eq!((synced.action("deploy"), synced.class("review")), ("closed", "paused"));
    assert!(world.show("remote.git", "main", "skills/deploy/SKILL.md").contains("v2"));
    is_settled(&world);
}

#[test]
fn an_upstream_that_flips_between_two_states_is_followed_once_each_time() {
    let world = world();
    let first = world.head("upstream");
    upstream_moves(&world, "deploy", "v2");
    let second = world.head("upstream");
    let mirrored = || world.git("remote.git", &["rev-list", "--count", "mirror/up"]).parse::<u32>().unwrap();
    let mut offered = Vec::new();
    for (turn, runner) in ["here", "there", "here", "there"].into_iter().enumerate() {
        world.git("upstream", &["reset", "-q", "--hard", &second]);
        let synced = world.sync_in(runner, &["--push"]);
        assert_eq!((synced.class("deploy"), synced.action("deploy")), ("fast_forward", "opened"), "turn {turn}");
        offered.push(world.rev("remote.git", &format!("{BRANCH}^{{tree}}")));
        is_settled(&world);
        world.git("upstream", &["reset", "-q", "--hard", &first]);
        let before = mirrored();
        let synced = world.sync_in(runner, &["--push"]);
        assert_eq!((synced.class("deploy"), synced.action("deploy")), ("unchanged", "closed"), "turn {turn}");
        assert_eq!(mirrored(), before + 1, "one commit for one observed state");
        is_settled(&world);
    }
    assert_eq!(offered.len(), 4);
}

#[test]
fn a_force_pushed_upstream_is_followed_and_what_it_had_stays_in_the_mirror() {
    let world = proposed();
    let mirror = world.rev("remote.git", "mirror/up");
    world.write("upstream/deploy/SKILL.md", skill("deploy", "v2 again"));
    world.git("upstream", &["commit", "-q", "--all", "--amend", "-m", "rewritten"]);
    let synced = world.sync_in("there", &["--push"]);
    assert_eq!(synced.action("deploy"), "remade");
    assert!(world.git_tries("remote.git", &["merge-base", "--is-ancestor", &mirror, "mirror/up"]));
    assert!(world.show("remote.git", BRANCH, "skills/deploy/SKILL.md").contains("v2 again"));
    is_settled(&world);
}

#[test]
fn a_forge_that_only_squashes_leaves_the_right_base() {
    for edited in [false, true] {
        let world = proposed();
        if edited {
            reviewed(&world);
        }
        on_forge(&world, "main", || {
            world.git("forge", &["merge", "-q", "--squash", &format!("origin/{BRANCH}")]);
            world.commit("forge", "Update deploy (#1)");
        });
        let synced = world.sync_in("there", &["--push"]);
        assert_eq!((synced.class("deploy"), synced.action("deploy")), ("unchanged", "closed"), "{:#}", synced.json);
        assert_eq!(synced.json["versions"][0]["tag"], "deploy/v2");
        is_settled(&world);
        upstream_moves(&world, "deploy", "v3");
        let class = if edited { "three_way" } else { "fast_forward" };
        let synced = world.sync_in("here", &["--push"]);
        assert_eq!((synced.class("deploy"), synced.action("deploy")), (class, "opened"));
        assert_eq!(world.has("remote.git", BRANCH, "skills/deploy/notes.md"), edited);
        is_settled(&world);
    }
}

#[test]
fn a_forge_that_rebases_leaves_the_right_base() {
    let world = proposed();
    reviewed(&world);
    on_forge(&world, "main", || {
        world.write("forge/notes.md", "something else\n");
        world.commit("forge", "Something else");
        world.git("forge", &["checkout", "-q", BRANCH]);
        world.git("forge", &["rebase", "-q", "main"]);
        world.git("forge", &["checkout", "-q", "main"]);
        world.git("forge", &["merge", "-q", "--ff-only", BRANCH]);
    });
    let synced = world.sync_in("there", &["--push"]);
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("unchanged", "closed"), "{:#}", synced.json);
    assert!(world.has("remote.git", "main", "skills/deploy/notes.md"));
    assert_eq!(world.git("remote.git", &["rev-list", "--merges", "--count", "main"]), "0");
    is_settled(&world);
}

#[test]
fn a_runner_that_fetches_no_tags_tags_no_version_twice() {
    let world = proposed();
    merge_on_forge(&world, BRANCH);
    world.git("", &["clone", "-q", "--no-tags", "remote.git", "untagged"]);
    assert_eq!(world.git("untagged", &["tag"]), "");
    let synced = world.sync_in("untagged", &["--push"]);
    assert_eq!(synced.json["versions"][0]["tag"], "deploy/v2");
    assert_eq!(world.git("remote.git", &["tag"]), "deploy/v1\ndeploy/v2\nreview/v1\nusing-skillgraft/v1");
    is_settled(&world);
}

#[test]
fn runners_that_clone_anew_with_depth_1_do_what_one_with_all_history_does() {
    let world = world();
    let run = |name: &str| {
        world.git("", &["clone", "-q", "--depth=1", &world.url("remote.git"), name]);
        world.sync_in(name, &["--push"])
    };
    upstream_moves(&world, "deploy", "v2");
    assert_eq!(run("run1").action("deploy"), "opened");
    let again = run("run2");
    assert_eq!((again.action("deploy"), again.json["pushed"]["refs"].as_u64()), ("kept", Some(0)));
    merge_on_forge(&world, BRANCH);
    let merged = run("run3");
    assert_eq!((merged.action("deploy"), merged.json["versions"][0]["tag"].as_str()), ("closed", Some("deploy/v2")));
    world.git("there", &["pull", "-q"]);
    world.git("there", &["revert", "--no-edit", "-m", "1", "HEAD"]);
    world.git("there", &["push", "-q"]);
    let reverted = run("run4");
    assert_eq!(reverted.skill("deploy")["hold"], "reverted", "{:#}", reverted.json);
    upstream_moves(&world, "deploy", "v3");
    assert_eq!(run("run5").action("deploy"), "opened");
    is_settled(&world);
}

#[test]
fn a_clone_with_nothing_but_remote_tracking_refs_pushes_as_well() {
    let world = world();
    upstream_moves(&world, "deploy", "v2");
    world.git("", &["clone", "-q", "remote.git", "detached"]);
    world.git("detached", &["checkout", "-q", "--detach"]);
    world.git("detached", &["branch", "-q", "-D", "main"]);
    assert_eq!(world.sync_in("detached", &["--push"]).action("deploy"), "opened");
    assert_eq!(world.branches("detached", ""), Vec::<String>::new());
    assert_eq!(world.sync_in("detached", &["--push"]).json["pushed"]["refs"], 0);
    is_settled(&world);
}

#[test]
fn a_stale_clone_of_the_default_branch_decides_from_the_remotes() {
    let world = proposed();
    merge_on_forge(&world, BRANCH);
    upstream_moves(&world, "deploy", "v3");
    // `there` is two commits behind, and has an own one.
    world.edit("there/skills/review/SKILL.md", "v1", "only there");
    world.commit("there", "not yet pushed");
    let synced = world.sync_in("there", &["--push"]);
    assert_eq!(synced.json["head"], world.rev("remote.git", "main").as_str());
    assert_eq!(world.rev("remote.git", &format!("{BRANCH}~1")), world.rev("remote.git", "main"));
    is_settled(&world);
}

#[test]
fn mirrors_that_diverged_are_joined_by_a_merge_and_never_forced() {
    let world = world();
    // `here` has seen a state that the remote's runner never saw.
    upstream_moves(&world, "deploy", "v2");
    world.sync_in("here", &[]);
    let ours = world.rev("here", "mirror/up");
    upstream_moves(&world, "deploy", "v3");
    world.sync_in("there", &["--push"]);
    let theirs = world.rev("remote.git", "mirror/up");
    world.git("here", &["fetch", "-q"]);
    world.sync_in("here", &[]);
    assert_eq!(world.git("here", &["rev-list", "--parents", "-1", "mirror/up"]).split(' ').count(), 3);
    for side in [&ours, &theirs] {
        assert!(world.git_tries("here", &["merge-base", "--is-ancestor", side, "mirror/up"]));
    }
    world.git("here", &["push", "-q", "origin", "mirror/up"]);
    let joined = world.rev("remote.git", "mirror/up");
    is_settled(&world);
    assert_eq!(world.rev("remote.git", "mirror/up"), joined);
    upstream_moves(&world, "deploy", "v4");
    assert_eq!(world.sync_in("there", &["--push"]).action("deploy"), "remade");
    assert_eq!(world.rev("remote.git", "mirror/up~1"), joined);
}

#[test]
fn a_candidate_that_only_the_remote_has_is_accepted_in_any_clone() {
    let world = proposed();
    pull(&world, "there");
    world.run_in("there", &["candidate", "accept", "deploy"]).ok();
    world.git("there", &["push", "-q", "origin", "main"]);
    let synced = world.sync_in("here", &["--push"]);
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("unchanged", "closed"));
    assert_eq!(synced.json["versions"][0]["tag"], "deploy/v2");
    is_settled(&world);
}

#[test]
fn a_candidate_that_only_the_remote_has_is_declined_in_any_clone_and_stays_away() {
    let world = proposed();
    pull(&world, "there");
    world.run_in("there", &["candidate", "decline", "deploy", "--reason", "too soon"]).ok();
    world.git("there", &["push", "-q", "origin", "main"]);
    let synced = world.sync_in("here", &["--push"]);
    assert_eq!((synced.skill("deploy")["hold"].as_str(), synced.action("deploy")), (Some("declined"), "closed"));
    assert!(world.branches("remote.git", "candidate/").is_empty());
    is_settled(&world);
}

#[test]
fn a_candidate_that_only_the_remote_has_is_retried_in_any_clone_and_stays() {
    let world = proposed();
    world.git("remote.git", &["branch", "-q", "-D", BRANCH]);
    assert_eq!(world.sync_in("here", &["--push"]).skill("deploy")["hold"], "withdrawn");
    pull(&world, "there");
    world.run_in("there", &["candidate", "retry", "deploy"]).ok();
    world.git("there", &["push", "-q", "origin", BRANCH]);
    let synced = world.sync_in("here", &["--push"]);
    assert_eq!((synced.skill("deploy")["hold"].as_str(), synced.action("deploy")), (None, "kept"), "{:#}", synced.json);
    is_settled(&world);
}

#[test]
fn a_conflict_that_only_the_remote_has_is_resolved_in_any_clone() {
    let world = world();
    world.edit("here/skills/deploy/SKILL.md", "v1", "ours");
    world.commit("here", "Our own words");
    world.git("here", &["push", "-q", "origin", "main"]);
    upstream_moves(&world, "deploy", "v2");
    assert_eq!(world.sync_in("here", &["--push"]).conflicts("deploy"), ["SKILL.md content"]);
    pull(&world, "there");
    world.run_in("there", &["candidate", "resolve", "deploy", "--take", "upstream"]).ok();
    world.git("there", &["push", "-q", "origin", BRANCH]);
    let resolved = world.rev("remote.git", BRANCH);
    let synced = world.sync_in("here", &["--push"]);
    assert_eq!(synced.conflicts("deploy"), Vec::<String>::new(), "{:#}", synced.json);
    assert_eq!(world.rev("remote.git", BRANCH), resolved);
    is_settled(&world);
    merge_on_forge(&world, BRANCH);
    assert_eq!(world.sync_in("there", &["--push"]).class("deploy"), "unchanged");
    is_settled(&world);
}

#[test]
fn a_stale_local_copy_of_an_edited_branch_neither_decides_nor_is_moved() {
    let world = proposed();
    world.git("here", &["fetch", "-q"]);
    world.git("here", &["branch", "-q", BRANCH, &format!("origin/{BRANCH}")]);
    let stale = world.rev("here", BRANCH);
    reviewed(&world);
    upstream_moves(&world, "deploy", "v3");
    assert_eq!(world.sync_in("here", &["--push"]).action("deploy"), "carried");
    assert!(world.has("remote.git", BRANCH, "skills/deploy/notes.md"));
    assert_eq!(world.rev("here", BRANCH), stale);
    is_settled(&world);
    // Without --push the one that contains the other counts.
    world.git("here", &["fetch", "-q"]);
    let synced = world.sync_in("here", &[]);
    assert_eq!(synced.skill("deploy")["candidate"]["commit"], world.rev("remote.git", BRANCH).as_str());
}

#[test]
fn a_source_that_was_renamed_elsewhere_takes_its_candidates_along() {
    let world = proposed();
    reviewed(&world);
    upstream_moves(&world, "review", "v2");
    world.sync_in("here", &["--push"]);
    world.git("remote.git", &["branch", "-q", "-D", "candidate/up/review"]);
    let mirror = world.rev("remote.git", "mirror/up");
    world.run_in("there", &["source", "rename", "up", "acme"]).ok();
    world.git("there", &["push", "-q", "origin", "main"]);
    let synced = world.sync_in("here", &["--push"]);
    assert!(world.git_tries("remote.git", &["merge-base", "--is-ancestor", &mirror, "mirror/acme"]));
    assert!(world.has("remote.git", BRANCH, "skills/deploy/notes.md"), "an edited branch stays");
    assert!(
        world.branches("remote.git", "candidate/").contains(&"candidate/acme/deploy".to_owned()),
        "{:#}",
        synced.json
    );
    is_settled(&world);
}

#[test]
fn a_source_that_was_removed_elsewhere_has_its_candidates_closed_on_the_remote() {
    let world = proposed();
    upstream_moves(&world, "review", "v2");
    world.sync_in("here", &["--push"]);
    world.git("remote.git", &["branch", "-q", "-D", "candidate/up/review"]);
    let mirror = world.rev("remote.git", "mirror/up");
    world.run_in("there", &["source", "remove", "up", "--adopt"]).ok();
    world.git("there", &["push", "-q", "origin", "main"]);
    let synced = world.sync_in("here", &["--push"]);
    assert_eq!((synced.source("up")["outcome"].as_str(), synced.action("deploy")), (Some("removed"), "closed"));
    assert!(world.branches("remote.git", "candidate/").is_empty());
    assert!(!world.refs("remote.git").contains("offered"), "{}", world.refs("remote.git"));
    assert_eq!(world.rev("remote.git", "mirror/up"), mirror);
    is_settled(&world);
}

#[test]
fn a_source_with_more_refs_than_one_push_takes_is_pushed_in_parts() {
    let names: Vec<String> = (0..120).map(|n| format!("s{n}")).collect();
    let files = |text: &str| -> Vec<(String, String)> {
        names.iter().map(|name| (format!("{name}/SKILL.md"), skill(name, text))).collect()
    };
    let borrowed = |files: &[(String, String)], world: &World| {
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        world.upstream(&files);
    };
    let world = World::new();
    world.init("upstream");
    borrowed(&files("v1"), &world);
    world.run_in("", &["init", "registry"]).ok();
    world.run(&["add", "../upstream", "--name", "up"]).ok();
    publish(&world);
    borrowed(&files("v2"), &world);
    world.write("remote.git/hooks/pre-receive", "#!/bin/sh\nwc -l >> $GIT_DIR/pushes\n");
    let synced = world.sync_in("here", &["--push"]);
    assert_eq!(synced.json["candidates"]["opened"], 120);
    let pushes: Vec<u32> =
        world.read("remote.git/pushes").lines().map(|line| line.trim().parse::<u32>().unwrap()).collect();
    assert!(pushes.iter().all(|refs| *refs <= 100), "{pushes:?}");
    assert_eq!(pushes.iter().sum::<u32>(), 1 + 240 + 121, "the mirror, candidates with their markers, versions");
    is_settled(&world);
}

#[test]
fn a_remote_that_takes_none_of_the_tools_own_refs_is_said_plainly() {
    let world = world();
    world.git("remote.git", &["config", "receive.hideRefs", "refs/skillgraft"]);
    for name in ["deploy", "review"] {
        upstream_moves(&world, name, "v2");
    }
    for run in 1..=2 {
        let synced = world.try_sync("here", &["--push"]);
        assert_eq!(synced.code, 1, "run {run}");
        let message = synced.skill("deploy")["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains("skillgraft/offered/up/deploy") && message.contains("hidden"), "{message}");
        assert_eq!(world.branches("remote.git", "candidate/").len(), 2, "what it takes is there");
    }
    world.git("remote.git", &["config", "--unset", "receive.hideRefs"]);
    world.sync_in("here", &["--push"]);
    is_settled(&world);
}

#[test]
fn a_remote_that_goes_away_between_two_pushes_is_an_error_and_the_next_run_goes_on() {
    let world = world();
    world.init("other");
    world.write("other/ship/SKILL.md", skill("ship", "v1"));
    world.commit("other", "other begins");
    world.run_in("there", &["add", "../other", "--name", "other"]).ok();
    world.git("there", &["push", "-q", "origin", "main"]);
    upstream_moves(&world, "deploy", "v2");
    world.write("other/ship/SKILL.md", skill("ship", "v2"));
    world.commit("other", "other moves");
    let away = world.path("away.git");
    world.write("remote.git/hooks/post-receive", format!("#!/bin/sh\nmv \"$PWD\" '{}'\n", away.display()));
    world.run_in("here", &["sync", "--push"]).ends_with(1).says(&["cannot", "origin"]);
    std::fs::rename(away, world.path("remote.git")).unwrap();
    std::fs::remove_file(world.path("remote.git/hooks/post-receive")).unwrap();
    assert_eq!(world.branches("remote.git", "candidate/").len(), 1);
    world.sync_in("here", &["--push"]);
    assert_eq!(world.branches("remote.git", "candidate/").len(), 2);
    is_settled(&world);
}

#[test]
fn credentials_in_the_remotes_url_are_never_shown() {
    let world = proposed();
    let secret = "https://robot:s3cr3t-t0ken@127.0.0.1:1/team/skills.git";
    world.git("here", &["remote", "set-url", "origin", secret]);
    for args in [&["sync", "--push"][..], &["--json", "sync", "--push"], &["-v", "sync", "--push"], &["status"]] {
        let run = world.run_in("here", args);
        assert!(!run.all().contains("s3cr3t"), "{args:?}\n{}", run.all());
    }
    let run = world.run_in("here", &["sync", "--push", secret]).ends_with(2);
    assert!(!run.all().contains("s3cr3t"), "{}", run.all());
}

/// `../upstream` of the far runner is a copy that lags behind: each follows what it sees, so the mirror goes to and fro,
/// but nothing is forced, nothing is lost, and whoever sees the newest state last has the last word.
#[test]
fn runners_that_see_different_upstreams_lose_nothing_and_the_last_one_settles() {
    let world = world();
    world.git("", &["clone", "-q", &world.url("remote.git"), "far/runner"]);
    world.git("", &["clone", "-q", "upstream", "far/upstream"]);
    upstream_moves(&world, "deploy", "v2");
    world.sync_in("here", &["--push"]);
    reviewed(&world);
    let note = world.rev("remote.git", BRANCH);
    upstream_moves(&world, "review", "v2");
    let mut mirror = world.rev("remote.git", "mirror/up");
    for runner in ["far/runner", "here", "far/runner", "here"] {
        world.sync_in(runner, &["--push"]);
        assert!(world.git_tries("remote.git", &["merge-base", "--is-ancestor", &mirror, "mirror/up"]), "forced back");
        assert!(
            world.git_tries("remote.git", &["merge-base", "--is-ancestor", &note, BRANCH]),
            "lost a reviewer's note"
        );
        mirror = world.rev("remote.git", "mirror/up");
    }
    assert!(world.show("remote.git", "candidate/up/review", "skills/review/SKILL.md").contains("v2"));
    is_settled(&world);
}

#[test]
fn a_carry_after_which_no_edit_is_left_is_settled_at_once() {
    let world = proposed();
    reviewed(&world);
    on_forge(&world, "main", || {
        world.git("forge", &["merge", "-q", "--squash", &format!("origin/{BRANCH}")]);
        world.commit("forge", "Update deploy (#1)");
    });
    upstream_moves(&world, "deploy", "v3");
    assert_eq!(world.sync_in("here", &["--push"]).action("deploy"), "carried");
    is_settled(&world);
}

#[test]
fn a_bare_runner_reaches_a_remote_whose_url_is_relative_from_anywhere() {
    let world = world();
    upstream_moves(&world, "deploy", "v2");
    world.git("", &["clone", "-q", "--bare", "remote.git", "runner.git"]);
    world.git("runner.git", &["remote", "set-url", "origin", "../remote.git"]);
    let run = world.run_in("upstream", &["-C", "../runner.git", "sync", "--push"]).ok();
    assert!(run.all().contains("opened"), "{}", run.all());
    assert_eq!(world.branches("remote.git", "candidate/"), ["candidate/up/deploy"]);
}
