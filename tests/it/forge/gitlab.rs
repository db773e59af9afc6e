//! GitLab: merge requests come from push options, which a hook of the bare remote writes down.

use super::runner::{Forge, Played, labels};
use crate::push::upstream_moves;
use crate::support::World;
use serde_json::{Value, json};

/// Writes down what each push moved, and what it was told.
const HOOK: &str = "#!/bin/sh
printf 'push' >>\"$GIT_DIR/pushes\"
while read -r _ _ ref; do printf ' %s' \"$ref\" >>\"$GIT_DIR/pushes\"; done
i=0
while [ \"$i\" -lt \"${GIT_PUSH_OPTION_COUNT:-0}\" ]; do
    eval \"printf ' -o %s' \\\"\\$GIT_PUSH_OPTION_$i\\\"\" >>\"$GIT_DIR/pushes\"
    i=$((i + 1))
done
echo >>\"$GIT_DIR/pushes\"
";

fn takes_options(world: &World) {
    world.git("remote.git", &["config", "receive.advertisePushOptions", "true"]);
    world.write("remote.git/hooks/pre-receive", HOOK);
}

fn pushes(world: &World) -> Vec<String> {
    let text = std::fs::read_to_string(world.path("remote.git/pushes")).unwrap_or_default();
    let _ = std::fs::remove_file(world.path("remote.git/pushes"));
    text.lines().map(str::to_owned).collect()
}

/// Runs a job of `.gitlab/skillgraft.yml` in a clone as GitLab's runner makes it: one ref, and no branch.
fn job(forge: &Forge, name: &str, branch: &str) -> Played {
    let jobs = forge.yaml(".gitlab/skillgraft.yml");
    let (base, job) = (&jobs[".skillgraft"], &jobs[name]);
    assert_eq!(job["extends"], ".skillgraft");
    let lines =
        |list: &Value| list.as_array().unwrap().iter().map(|l| l.as_str().unwrap().to_owned()).collect::<Vec<_>>();
    // What git would be told if the remote asked for a password.
    let asked = "printf 'protocol=https\nhost=git.example.com\n\n' | git credential fill || true".to_owned();
    let script = [lines(&base["before_script"]), lines(&job["script"]), vec![asked]].concat().join("\n");
    let world = &forge.world;
    let _ = std::fs::remove_dir_all(world.path("runner"));
    world.init("runner");
    let url = world.path("remote.git").display().to_string();
    world.git("runner", &["remote", "add", "origin", &url]);
    world.git("runner", &["fetch", "-q", "origin", &format!("+refs/heads/{branch}:refs/pipelines/1")]);
    world.git("runner", &["checkout", "-q", "--detach", "refs/pipelines/1"]);
    let mut command = forge.command("bash");
    for (name, value) in base["variables"].as_object().unwrap() {
        command.env(name, value.as_str().unwrap());
    }
    command.env("CI_DEFAULT_BRANCH", "main").env("CI_PROJECT_URL", url.trim_end_matches(".git"));
    command.env("CI_API_V4_URL", "http://forge.test/api/v4").env("CI_PROJECT_ID", "7");
    command.env("SKILLGRAFT_TOKEN", "s3cret").env("CI_JOB_TOKEN", "of the job");
    let output = command.args(["-e", "-o", "pipefail", "-c", &script]).output().unwrap();
    let log = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    Played { ok: output.status.success(), log }
}

#[test]
fn the_options_of_a_push_go_along_with_each_candidate_alone_after_its_mirror() {
    let world = crate::push::world();
    takes_options(&world);
    for name in ["deploy", "review"] {
        upstream_moves(&world, name, "v2");
    }
    let args = ["--push", "origin", "--push-option", "merge_request.create", "--push-option", "a=b c"];
    world.sync_in("here", &args);
    let candidate = |name: &str| {
        format!(
            "push refs/heads/candidate/up/{name} refs/skillgraft/offered/up/{name} -o merge_request.create -o a=b c"
        )
    };
    let made = pushes(&world);
    assert_eq!(made[..3], ["push refs/heads/mirror/up".into(), candidate("deploy"), candidate("review")]);
    assert!(made[3..].iter().all(|push| push.contains("refs/tags/") && !push.contains("-o")), "{made:?}");
    // Nothing is told of a candidate that stands, or that goes.
    crate::push::merge_on_forge(&world, "candidate/up/deploy");
    pushes(&world);
    world.sync_in("there", &args);
    let made = pushes(&world);
    assert!(made[0].contains("candidate/up/deploy") && made.iter().all(|push| !push.contains("-o")), "{made:?}");
}

#[test]
fn a_remote_that_takes_no_options_says_so_and_without_push_they_mean_nothing() {
    let world = crate::push::world();
    upstream_moves(&world, "deploy", "v2");
    let said = ["origin takes no push options", "leave --push-option out"];
    world.run_in("here", &["sync", "--push", "--push-option", "x"]).ends_with(1).says(&said);
    assert!(world.branches("remote.git", "candidate/").is_empty());
    world.run_in("here", &["sync", "--push-option", "x"]).ends_with(2).says(&["--push"]);
}

#[test]
fn the_job_makes_merge_requests_and_one_that_a_person_closed_withdraws_its_candidate() {
    let forge = Forge::new("gitlab", &["deploy"]);
    let world = &forge.world;
    takes_options(world);
    upstream_moves(world, "deploy", "v2");
    let played = job(&forge, "skillgraft-sync", "main");
    assert!(played.ok && played.log.contains("username=skillgraft\npassword=s3cret\n"), "{}", played.log);
    let made = pushes(world);
    let options = "-o merge_request.create -o merge_request.target=main -o merge_request.label=skillgraft \
                   -o merge_request.remove_source_branch";
    assert!(made.iter().any(|push| push.contains("candidate/up/deploy") && push.ends_with(options)), "{made:?}");

    // GitLab has made one, and a person closes it.
    let head = world.rev("remote.git", "candidate/up/deploy");
    forge.change(|state| {
        let label = json!([{"name": "skillgraft"}]);
        state["pulls"] = json!([{"number": 1, "state": "closed", "labels": label, "head": {"ref": "candidate/up/deploy", "sha": head}}]);
    });
    let played = job(&forge, "skillgraft-sync", "main");
    assert!(played.ok && played.log.contains("!1 was closed: candidate/up/deploy is withdrawn"), "{}", played.log);
    assert!(world.branches("remote.git", "candidate/").is_empty());
    assert_eq!(labels(&forge.pulls()[0]), ["skillgraft", "skillgraft-settled"]);
    assert_eq!(world.sync_in("here", &["--push"]).skill("deploy")["hold"], "withdrawn");
}

#[test]
fn the_job_on_a_merge_request_checks_it() {
    let forge = Forge::new("gitlab", &["deploy"]);
    forge.world.edit("there/skills/deploy/SKILL.md", "v1", "ours");
    forge.world.commit("there", "Our way");
    forge.world.git("there", &["push", "-q"]);
    upstream_moves(&forge.world, "deploy", "v2");
    forge.world.sync_in("here", &["--push"]);
    let played = job(&forge, "skillgraft-check", "main");
    assert!(played.ok, "{}", played.log);
    let played = job(&forge, "skillgraft-check", "candidate/up/deploy");
    assert!(!played.ok && played.log.contains("unresolved conflict"), "{}", played.log);
}

#[test]
fn jobs_run_where_they_should_and_a_ci_file_that_was_there_is_left_alone() {
    let forge = Forge::new("gitlab", &["deploy"]);
    assert_eq!(forge.yaml(".gitlab-ci.yml"), json!({"include": [{"local": ".gitlab/skillgraft.yml"}]}));
    let jobs = forge.yaml(".gitlab/skillgraft.yml");
    assert_eq!(jobs["skillgraft-sync"]["resource_group"], "skillgraft-sync");
    assert_eq!(jobs[".skillgraft"]["variables"]["GIT_DEPTH"], "0");

    let world = World::new();
    world.init("registry");
    world.write("registry/.gitlab-ci.yml", "test:\n  script: make\n");
    world.commit("registry", "ours");
    let run = world.run(&["init", "--forge", "gitlab"]).ok();
    assert!(run.stderr.contains("- local: .gitlab/skillgraft.yml"), "{}", run.stderr);
    assert_eq!(world.read("registry/.gitlab-ci.yml"), "test:\n  script: make\n");
    world.write("registry/.gitlab-ci.yml", "include:\n  - local: .gitlab/skillgraft.yml\ntest:\n  script: make\n");
    world.commit("registry", "as it says");
    assert_eq!(world.run(&["--json", "init", "--forge", "gitlab"]).ok().json()["include_missing"], false);
}
