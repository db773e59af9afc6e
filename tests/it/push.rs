//! `sync --push`: what it decides from, what it writes, and how it gives way (DESIGN, section 2; issue "Review on a forge").

use crate::support::{World, skill};
use std::process::Stdio;

/// A world with a bare remote that holds a registry following two skills, and the clones `here` and `there`.
pub fn world() -> World {
    let world =
        World::following(&[("deploy/SKILL.md", &skill("deploy", "v1")), ("review/SKILL.md", &skill("review", "v1"))]);
    publish(&world);
    world
}

/// Puts the registry on a bare remote, without its mirrors, and clones that twice.
pub fn publish(world: &World) {
    world.git("", &["init", "-q", "--bare", "remote.git"]);
    world.git("registry", &["remote", "add", "origin", "../remote.git"]);
    world.git("registry", &["push", "-q", "origin", "main"]);
    for clone in ["here", "there"] {
        world.git("", &["clone", "-q", "remote.git", clone]);
    }
}

pub fn upstream_moves(world: &World, name: &str, text: &str) {
    world.upstream(&[(&format!("{name}/SKILL.md"), &skill(name, text))]);
}

/// Merges a branch of the remote into its default branch, as a forge's button does.
pub fn merge_on_forge(world: &World, branch: &str) {
    world.git("", &["clone", "-q", "remote.git", "forge"]);
    world.git("forge", &["merge", "-q", "--no-ff", "-m", "Merge", &format!("origin/{branch}")]);
    world.git("forge", &["push", "-q", "origin", "main"]);
    std::fs::remove_dir_all(world.path("forge")).unwrap();
}

/// Refuses what the update hook's script refuses; `$1` is the ref.
fn update_hook(world: &World, script: &str) {
    world.write("remote.git/hooks/update", format!("#!/bin/sh\n{script}\n"));
}

#[test]
fn mirror_candidate_and_marker_are_pushed_and_a_second_run_pushes_nothing() {
    let world = world();
    upstream_moves(&world, "deploy", "v2");
    let synced = world.sync_in("here", &["--push"]);
    assert_eq!((synced.action("deploy"), synced.json["pushed"]["remote"].as_str()), ("opened", Some("origin")));
    assert_eq!(world.branches("remote.git", "mirror/"), ["mirror/up"]);
    assert_eq!(world.branches("remote.git", "candidate/"), ["candidate/up/deploy"]);
    assert_eq!(
        world.rev("remote.git", "refs/skillgraft/offered/up/deploy"),
        world.rev("remote.git", "candidate/up/deploy")
    );
    assert!(world.rev("remote.git", "deploy/v1").len() == 40, "versions are tagged on the remote");
    let (remote, here) = (world.refs("remote.git"), world.refs("here"));
    for clone in ["here", "there"] {
        let again = world.sync_in(clone, &["--push"]);
        assert_eq!((again.action("deploy"), again.json["pushed"]["refs"].as_u64()), ("kept", Some(0)));
        assert_eq!(world.refs("remote.git"), remote);
    }
    assert_eq!(world.refs("here"), here);
}

#[test]
fn only_what_the_remote_has_decides_and_an_unpushed_commit_is_never_published() {
    let world = world();
    upstream_moves(&world, "deploy", "v2");
    world.edit("here/skills/review/SKILL.md", "v1", "only here");
    let unpushed = world.commit("here", "not yet pushed");
    world.sync_in("here", &[]);
    world.sync_in("here", &["--push"]);
    world.sync_in("there", &["--push"]);
    assert!(!world.git_tries("remote.git", &["cat-file", "-e", &unpushed]), "the remote has the unpushed commit");
    assert_eq!(world.rev("remote.git", "candidate/up/deploy~1"), world.rev("remote.git", "main"));
}

#[test]
fn a_candidate_merged_on_the_forge_is_cleared_away_by_any_runner() {
    let world = world();
    upstream_moves(&world, "deploy", "v2");
    world.sync_in("here", &["--push"]);
    merge_on_forge(&world, "candidate/up/deploy");
    let synced = world.sync_in("there", &["--push"]);
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("unchanged", "closed"));
    assert!(world.branches("remote.git", "candidate/").is_empty());
    assert!(!world.refs("remote.git").contains("offered"));
    assert_eq!(synced.json["versions"][0]["tag"], "deploy/v2");
    world.sync_in("here", &["--push"]);
}

#[test]
fn a_forge_that_deletes_merged_branches_leaves_nothing_withdrawn() {
    let world = world();
    upstream_moves(&world, "deploy", "v2");
    world.sync_in("here", &["--push"]);
    merge_on_forge(&world, "candidate/up/deploy");
    world.git("remote.git", &["branch", "-q", "-D", "candidate/up/deploy"]);
    let synced = world.sync_in("there", &["--push"]);
    assert_eq!((synced.class("deploy"), synced.skill("deploy")["hold"].as_str()), ("unchanged", None));
    upstream_moves(&world, "deploy", "v3");
    assert_eq!(world.sync_in("here", &["--push"]).action("deploy"), "opened");
}

#[test]
fn a_branch_that_a_person_deleted_on_the_remote_stays_away_for_every_runner() {
    let world = world();
    upstream_moves(&world, "deploy", "v2");
    world.sync_in("here", &["--push"]);
    world.git("remote.git", &["branch", "-q", "-D", "candidate/up/deploy"]);
    for clone in ["here", "there", "here"] {
        let synced = world.sync_in(clone, &["--push"]);
        assert_eq!(synced.skill("deploy")["hold"], "withdrawn", "{:#}", synced.json);
    }
    upstream_moves(&world, "deploy", "v3");
    assert_eq!(world.sync_in("there", &["--push"]).action("deploy"), "opened");
}

#[test]
fn edits_of_a_reviewer_on_the_remote_are_carried_and_never_forced_away() {
    let world = world();
    upstream_moves(&world, "deploy", "v2");
    world.sync_in("here", &["--push"]);
    world.git("there", &["fetch", "-q"]);
    world.git("there", &["checkout", "-q", "candidate/up/deploy"]);
    world.write("there/skills/deploy/notes.md", "a reviewer's note\n");
    let edit = world.commit("there", "A note");
    world.git("there", &["push", "-q", "origin", "candidate/up/deploy"]);
    world.git("there", &["checkout", "-q", "main"]);
    upstream_moves(&world, "deploy", "v3");
    let synced = world.sync_in("here", &["--push"]);
    assert_eq!(synced.action("deploy"), "carried");
    assert!(world.git_tries("remote.git", &["merge-base", "--is-ancestor", &edit, "candidate/up/deploy"]));
    assert_eq!(world.sync_in("there", &["--push"]).action("deploy"), "kept");
}

#[test]
fn a_ref_that_a_hook_refuses_fails_alone_and_is_named() {
    let world = world();
    for name in ["deploy", "review"] {
        upstream_moves(&world, name, "v2");
    }
    update_hook(&world, "case $1 in */candidate/up/deploy) echo 'found a secret'; exit 1;; esac");
    let synced = world.try_sync("here", &["--push"]);
    assert_eq!(synced.code, 1);
    let error = &synced.skill("deploy")["error"];
    assert_eq!(error["kind"], "refused", "{error:#}");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("candidate/up/deploy") && message.contains("found a secret"), "{message}");
    assert_eq!(synced.action("review"), "opened");
    assert_eq!(world.branches("remote.git", "candidate/"), ["candidate/up/review"]);
    assert!(!world.refs("remote.git").contains("offered/up/deploy"), "nothing says that it was offered");
    // Once the rule is gone the next run does it.
    std::fs::remove_file(world.path("remote.git/hooks/update")).unwrap();
    assert_eq!(world.sync_in("here", &["--push"]).action("deploy"), "opened");
}

#[test]
fn a_hook_that_refuses_whole_pushes_is_isolated_by_halving() {
    let files: Vec<(String, String)> =
        (0..12).map(|n| (format!("s{n}/SKILL.md"), skill(&format!("s{n}"), "v1"))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let world = World::following(&files);
    publish(&world);
    world.sync_in("here", &["--push"]);
    for n in 0..12 {
        world.upstream(&[(&format!("s{n}/SKILL.md"), &skill(&format!("s{n}"), if n == 7 { "SECRET" } else { "v2" }))]);
    }
    let scan = "while read old new ref; do git cat-file -p $new | head -1 | grep -q tree && \
                git grep -q SECRET $new -- skills && { echo 'push protection'; exit 1; }; done; exit 0";
    world.write("remote.git/hooks/pre-receive", format!("#!/bin/sh\n{scan}\n"));
    let synced = world.try_sync("here", &["--push"]);
    assert_eq!(synced.code, 1);
    assert!(synced.skill("s7")["error"]["message"].as_str().unwrap().contains("push protection"));
    assert_eq!(world.branches("remote.git", "candidate/").len(), 11);
}

#[test]
fn a_mirror_that_is_refused_keeps_its_candidates_back() {
    let world = world();
    upstream_moves(&world, "deploy", "v2");
    update_hook(&world, "case $1 in */mirror/*) exit 1;; esac");
    let synced = world.try_sync("here", &["--push"]);
    assert_eq!((synced.code, &synced.source("up")["outcome"]), (1, &"failed".into()));
    assert!(world.branches("remote.git", "candidate/").is_empty());
}

#[test]
fn a_remote_without_atomic_pushes_works_too() {
    let world = world();
    world.git("remote.git", &["config", "receive.advertiseAtomic", "false"]);
    for name in ["deploy", "review"] {
        upstream_moves(&world, name, "v2");
    }
    // Whoever looks at a candidate finds its base: the mirror is there first, the marker comes last.
    update_hook(&world, "echo $1 >> $GIT_DIR/order");
    let synced = world.sync_in("here", &["--push"]);
    assert_eq!((synced.action("deploy"), synced.action("review")), ("opened", "opened"));
    let order: Vec<String> = world.read("remote.git/order").lines().map(str::to_owned).collect();
    assert_eq!(order[0], "refs/heads/mirror/up");
    assert!(
        order[1].starts_with("refs/heads/candidate/") && order[3].starts_with("refs/skillgraft/offered/"),
        "{order:?}"
    );
    assert_eq!(world.sync_in("there", &["--push"]).json["pushed"]["refs"], 0);
}

#[test]
fn a_ref_in_the_way_on_the_remote_fails_that_skill_alone_and_is_named() {
    let world = world();
    for name in ["deploy", "review"] {
        upstream_moves(&world, name, "v2");
    }
    world.git("remote.git", &["branch", "-q", "candidate/up/deploy/mine", "main"]);
    let synced = world.try_sync("here", &["--push"]);
    let message = synced.skill("deploy")["error"]["message"].as_str().unwrap();
    assert!(message.contains("refs/heads/candidate/up/deploy/mine"), "{message}");
    assert_eq!(synced.action("review"), "opened");
}

#[test]
fn somebody_elses_branch_under_our_name_is_left_alone() {
    let world = world();
    upstream_moves(&world, "deploy", "v2");
    world.git("there", &["checkout", "-q", "-b", "candidate/up/deploy"]);
    world.write("there/mine.txt", "mine\n");
    let theirs = world.commit("there", "My own work");
    world.git("there", &["push", "-q", "origin", "candidate/up/deploy"]);
    world.git("there", &["checkout", "-q", "main"]);
    let synced = world.sync_in("here", &["--push"]);
    assert_eq!(synced.action("deploy"), "left", "{:#}", synced.json);
    assert_eq!(world.rev("remote.git", "candidate/up/deploy"), theirs);
}

#[test]
fn a_shallow_clone_is_deepened_by_a_push() {
    let world = world();
    upstream_moves(&world, "deploy", "v2");
    world.git("", &["clone", "-q", "--depth=1", &world.url("remote.git"), "shallow"]);
    assert!(world.exists("shallow/.git/shallow"));
    assert_eq!(world.sync_in("shallow", &["--push"]).action("deploy"), "opened");
    assert!(!world.exists("shallow/.git/shallow"));
    world.sync_in("here", &["--push"]);
}

#[test]
fn a_bare_mirror_clone_pushes_as_well() {
    let world = world();
    upstream_moves(&world, "deploy", "v2");
    world.git("", &["clone", "-q", "--mirror", "remote.git", "runner.git"]);
    assert_eq!(world.sync_in("runner.git", &["--push"]).action("deploy"), "opened");
    assert_eq!(world.branches("remote.git", "candidate/"), ["candidate/up/deploy"]);
}

#[test]
fn another_default_branch_of_the_remote_is_followed() {
    let world = world();
    upstream_moves(&world, "deploy", "v2");
    world.git("remote.git", &["branch", "-q", "-m", "main", "trunk"]);
    world.git("remote.git", &["symbolic-ref", "HEAD", "refs/heads/trunk"]);
    // The settings that `init` writes name the branch: that is said, and nothing is guessed.
    let said = ["no branch `main`", "branch = \"trunk\""];
    world.run_in("here", &["sync", "--push"]).ends_with(1).says(&said);
    world.git("there", &["fetch", "-q"]);
    world.git("there", &["checkout", "-q", "trunk"]);
    world.edit("there/skillgraft.toml", "branch = \"main\"", "");
    world.commit("there", "The remote says which branch it is");
    world.git("there", &["push", "-q", "origin", "trunk"]);
    let synced = world.sync_in("here", &["--push"]);
    assert_eq!((synced.json["branch"].as_str(), synced.action("deploy")), (Some("trunk"), "opened"));
}

#[test]
fn a_force_pushed_default_branch_is_taken_as_it_is_now() {
    let world = world();
    upstream_moves(&world, "deploy", "v2");
    world.sync_in("here", &["--push"]);
    world.git("there", &["commit", "-q", "--amend", "-m", "Rewritten"]);
    world.git("there", &["push", "-q", "--force", "origin", "main"]);
    let synced = world.sync_in("here", &["--push"]);
    assert_eq!(world.rev("remote.git", "candidate/up/deploy~1"), world.rev("remote.git", "main"));
    assert_eq!(synced.json["head"], world.rev("remote.git", "main").as_str());
}

#[test]
fn a_clone_that_is_behind_what_was_tagged_elsewhere_invents_no_versions() {
    let world = world();
    world.sync_in("here", &["--push"]);
    world.edit("there/skills/deploy/SKILL.md", "v1", "edited elsewhere");
    world.commit("there", "the team edits");
    world.git("there", &["push", "-q", "origin", "main"]);
    world.sync_in("there", &["--push"]);
    // The tag of version 2 is here, the commit that it names is not on any branch here yet.
    world.git("here", &["fetch", "-q", "origin", "refs/tags/*:refs/tags/*"]);
    assert!(world.rev("here", "deploy/v2").len() == 40);
    let tagged = world.run_in("here", &["--json", "tag"]).ok().json();
    assert_eq!(tagged["versions"].as_array().unwrap().len(), 0, "{tagged:#}");
    let log = world.run_in("here", &["log", "deploy"]).ok().stdout;
    assert!(!log.contains("v3"), "{log}");
}

#[test]
fn a_missing_remote_is_an_error_that_names_the_command() {
    let world = World::following(&[("deploy/SKILL.md", &skill("deploy", "v1"))]);
    world.run(&["sync", "--push"]).ends_with(2).says(&["no remote", "git remote add"]);
    world.run(&["sync", "--push", "nowhere"]).ends_with(2).says(&["no remote `nowhere`"]);
    world.git("registry", &["remote", "add", "origin", "../gone.git"]);
    world.run(&["sync", "--push"]).ends_with(1).says(&["cannot read origin"]);
}

#[test]
fn a_dry_run_pushes_nothing() {
    let world = world();
    upstream_moves(&world, "deploy", "v2");
    let before = world.refs("remote.git");
    assert_eq!(world.sync_in("here", &["--push", "--dry-run"]).action("deploy"), "opened");
    assert_eq!(world.refs("remote.git"), before);
}

#[test]
fn eight_runners_at_once_end_with_what_one_alone_would_have_made() {
    let world = world();
    let clones: Vec<String> = (0..8).map(|n| format!("runner{n}")).collect();
    for clone in &clones {
        world.git("", &["clone", "-q", "remote.git", clone]);
    }
    for round in 2..12 {
        upstream_moves(&world, "deploy", &format!("v{round}"));
        upstream_moves(&world, "review", &format!("v{round}"));
        // What one alone makes of the same state.
        world.git("", &["clone", "-q", "--mirror", "remote.git", "twin.git"]);
        world.git("", &["clone", "-q", "twin.git", "alone"]);
        world.sync_in("alone", &["--push"]);
        let runs: Vec<_> = clones
            .iter()
            .map(|clone| {
                let mut command = world.command(crate::support::PROGRAM, clone);
                command.args(["sync", "--push"]).stdout(Stdio::piped()).stderr(Stdio::piped());
                command.spawn().unwrap()
            })
            .collect();
        for run in runs {
            let output = run.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        assert_eq!(world.refs("remote.git"), world.refs("twin.git"), "round {round}");
        for gone in ["twin.git", "alone"] {
            std::fs::remove_dir_all(world.path(gone)).unwrap();
        }
        if round % 3 == 0 {
            merge_on_forge(&world, "candidate/up/deploy");
        }
    }
}
