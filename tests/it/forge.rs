//! `init --forge`: what is laid down, and what its steps do, run for real with a forge that lives in a file (issue "Review
//! on a forge").
#![cfg(unix)]

mod gitlab;
mod runner;

use crate::push::{merge_on_forge, publish, upstream_moves};
use crate::support::{World, skill};
use runner::{Forge, labels};
use serde_json::{Value, json};

/// Plays a scenario on both forges that share the script: where they are asked in different words.
fn on_each(skills: &[&str], scenario: impl Fn(&Forge)) {
    for kind in ["github", "forgejo"] {
        scenario(&Forge::new(kind, skills));
    }
}

fn on_github(skills: &[&str], scenario: impl Fn(&Forge)) {
    scenario(&Forge::new("github", skills));
}

#[test]
fn each_candidate_becomes_one_pull_request_with_text_label_and_status() {
    on_each(&["deploy", "review"], |forge| {
        for name in ["deploy", "review"] {
            upstream_moves(&forge.world, name, "v2");
        }
        let log = forge.syncs();
        assert!(log.contains("#1 opened for candidate/up/deploy"), "{log}");
        assert_eq!(forge.open(), ["candidate/up/deploy: skillgraft", "candidate/up/review: skillgraft"]);
        forge.world.git("here", &["fetch", "-q"]);
        let shown = forge.world.run_in("here", &["--json", "candidate", "show", "deploy"]).ok().json();
        let pull = &forge.pulls()[0];
        assert_eq!((&pull["title"], &pull["base"]["ref"]), (&shown["pull_request"]["title"], &json!("main")));
        assert!(
            pull["body"].as_str().unwrap().starts_with(shown["pull_request"]["body"].as_str().unwrap()),
            "{pull:#}"
        );
        for branch in ["candidate/up/deploy", "candidate/up/review"] {
            let status = forge.status(branch);
            assert_eq!((&status["context"], &status["state"]), (&json!("skillgraft/check"), &json!("success")));
            assert_eq!(status["description"], "3 skills: 0 errors, 0 warnings");
        }
        assert_eq!(forge.world.read("hub/summary").lines().count(), 4, "the job's summary says what was opened");

        forge.writes();
        forge.syncs();
        assert_eq!(forge.writes(), [""; 0], "nothing moved, so nothing is written");
        let check = forge.check("candidate/up/deploy");
        assert!(check.ok, "{}", check.log);
    });
}

#[test]
fn a_pull_request_follows_its_candidate_and_goes_when_it_is_merged() {
    on_github(&["deploy", "review"], |forge| {
        upstream_moves(&forge.world, "deploy", "v2");
        upstream_moves(&forge.world, "review", "v2");
        forge.syncs();
        forge.writes();
        upstream_moves(&forge.world, "deploy", "v3");
        forge.syncs();
        let head = forge.world.rev("remote.git", "candidate/up/deploy");
        assert_eq!(forge.writes(), ["PATCH pulls/1".into(), format!("POST statuses/{head}")]);
        merge_on_forge(&forge.world, "candidate/up/review");
        let log = forge.syncs();
        assert_eq!(forge.open(), ["candidate/up/deploy: skillgraft"], "{log}");
        assert_eq!(forge.world.branches("remote.git", "candidate/"), ["candidate/up/deploy"]);
        assert!(!log.contains("withdrawn"), "{log}");
        assert_eq!(forge.pulls()[1]["merged_at"], "2026");
    });
}

#[test]
fn a_pull_request_that_a_person_closed_withdraws_its_candidate_until_upstream_moves() {
    on_each(&["deploy"], |forge| {
        upstream_moves(&forge.world, "deploy", "v2");
        forge.syncs();
        forge.close("candidate/up/deploy");
        // Whatever else moves at the same time.
        forge.world.git("there", &["pull", "-q"]);
        forge.world.write("there/skills/deploy/ours.md", "a note of ours\n");
        forge.world.commit("there", "Our own file");
        forge.world.git("there", &["push", "-q"]);
        let log = forge.syncs();
        assert!(log.contains("#1 was closed: candidate/up/deploy is withdrawn"), "{log}");
        assert!(forge.world.branches("remote.git", "candidate/").is_empty());
        assert_eq!(labels(&forge.pulls()[0]), ["skillgraft", "skillgraft-settled"]);
        let synced = forge.world.sync_in("here", &["--push"]);
        assert_eq!(synced.skill("deploy")["hold"], "withdrawn");
        forge.writes();
        forge.syncs();
        assert_eq!((forge.writes(), forge.open()), (vec![], vec![]));
        upstream_moves(&forge.world, "deploy", "v3");
        forge.syncs();
        assert_eq!(forge.open(), ["candidate/up/deploy: skillgraft"]);
    });
}

#[test]
fn an_update_that_is_retried_is_not_withdrawn_again_by_the_old_closing() {
    on_github(&["deploy"], |forge| {
        upstream_moves(&forge.world, "deploy", "v2");
        forge.syncs();
        let candidate = forge.world.rev("remote.git", "candidate/up/deploy");
        forge.close("candidate/up/deploy");
        forge.syncs();
        // The very same commit is there again.
        forge.world.git("remote.git", &["update-ref", "refs/heads/candidate/up/deploy", &candidate]);
        forge.syncs();
        assert_eq!(forge.world.rev("remote.git", "candidate/up/deploy"), candidate);
        assert_eq!(forge.pulls().len(), 2);
        assert_eq!(forge.open(), ["candidate/up/deploy: skillgraft"]);
    });
}

#[test]
fn a_pull_request_that_is_closed_after_its_candidate_moved_on_withdraws_nothing() {
    on_github(&["deploy"], |forge| {
        upstream_moves(&forge.world, "deploy", "v2");
        forge.syncs();
        forge.close("candidate/up/deploy");
        upstream_moves(&forge.world, "deploy", "v3");
        forge.world.sync_in("here", &["--push"]);
        forge.syncs();
        assert_eq!(forge.open(), ["candidate/up/deploy: skillgraft"]);
    });
}

#[test]
fn a_conflict_is_labelled_and_fails_the_check_until_it_is_resolved() {
    on_each(&["deploy"], |forge| {
        forge.world.edit("there/skills/deploy/SKILL.md", "v1", "ours");
        forge.world.commit("there", "Our way");
        forge.world.git("there", &["push", "-q"]);
        upstream_moves(&forge.world, "deploy", "v2");
        forge.syncs();
        assert_eq!(forge.open(), ["candidate/up/deploy: skillgraft conflict"]);
        let status = forge.status("candidate/up/deploy");
        assert_eq!(status["state"], "failure", "{status:#}");
        let check = forge.check("candidate/up/deploy");
        assert!(!check.ok && check.log.contains("unresolved conflict"), "{}", check.log);

        forge.world.git("there", &["fetch", "-q"]);
        forge.world.git("there", &["switch", "-q", "candidate/up/deploy"]);
        forge.world.run_in("there", &["candidate", "resolve", "deploy", "--take", "local"]).ok();
        forge.world.git("there", &["push", "-q"]);
        let log = forge.syncs();
        assert_eq!(forge.open(), ["candidate/up/deploy: skillgraft"], "{log}");
        assert_eq!(forge.status("candidate/up/deploy")["state"], "success");
    });
}

#[test]
fn no_more_are_open_at_once_than_allowed_and_the_oldest_come_first() {
    on_github(&["a", "b", "c"], |forge| {
        let file = "there/.github/workflows/skillgraft.yml";
        forge.world.edit(file, "SKILLGRAFT_MAX_OPEN: \"20\"", "SKILLGRAFT_MAX_OPEN: \"1\"");
        forge.world.commit("there", "One at a time");
        forge.world.git("there", &["push", "-q"]);
        upstream_moves(&forge.world, "b", "v2");
        forge.syncs();
        for name in ["a", "c"] {
            upstream_moves(&forge.world, name, "v2");
        }
        let log = forge.syncs();
        assert_eq!(forge.open(), ["candidate/up/b: skillgraft"]);
        assert!(log.contains("2 more wait: at most 1 pull requests"), "{log}");
        merge_on_forge(&forge.world, "candidate/up/b");
        forge.syncs();
        assert_eq!(forge.open().len(), 1);
    });
}

#[test]
fn a_persons_own_pull_request_on_our_branch_is_left_alone() {
    on_github(&["deploy"], |forge| {
        upstream_moves(&forge.world, "deploy", "v2");
        forge.world.sync_in("here", &["--push"]);
        let own = |title: &str, branch: &str, number: usize| {
            let head = json!({"ref": branch, "sha": "", "repo": {"full_name": "acme/skills"}});
            json!({"number": number, "state": "open", "merged_at": null, "title": title, "body": null, "labels": [], "head": head})
        };
        forge.change(|state| state["pulls"] = json!([own("Mine", "candidate/up/deploy", 1)]));
        forge.syncs();
        assert_eq!(forge.writes(), [""; 0]);
        // Nor is another branch's that somebody gave our label, open or closed.
        forge.world.git("remote.git", &["branch", "-q", "feature", "main~1"]);
        forge.change(|state| {
            let mut pull = own("Mine", "feature", 2);
            pull["labels"] = json!([{"name": "skillgraft"}]);
            pull["state"] = "closed".into();
            pull["head"]["sha"] = forge.world.rev("remote.git", "feature").into();
            state["pulls"].as_array_mut().unwrap().push(pull);
        });
        forge.syncs();
        assert_eq!(forge.world.branches("remote.git", "feature"), ["feature"]);
    });
}

#[test]
fn a_pull_request_whose_branch_is_gone_is_closed_where_the_forge_does_not() {
    on_github(&["deploy"], |forge| {
        forge.world.write("hub/keeps-open", "");
        upstream_moves(&forge.world, "deploy", "v2");
        forge.syncs();
        forge.world.git("remote.git", &["branch", "-q", "-D", "candidate/up/deploy"]);
        forge.writes();
        forge.syncs();
        let writes = forge.writes();
        assert!(writes.starts_with(&["POST issues/1/comments".into(), "PATCH pulls/1".into()]), "{writes:?}");
        assert!(forge.open().is_empty());
    });
}

#[test]
fn one_pull_request_that_the_forge_refuses_fails_alone() {
    on_github(&["deploy", "review"], |forge| {
        upstream_moves(&forge.world, "deploy", "v2");
        forge.syncs();
        upstream_moves(&forge.world, "deploy", "v3");
        upstream_moves(&forge.world, "review", "v2");
        forge.world.write("hub/fails", "PATCH pulls/1\n");
        let played = forge.sync();
        assert!(
            !played.ok && played.log.contains("PATCH pulls/1 failed: {\"message\": \"no luck\"}"),
            "{}",
            played.log
        );
        assert_eq!(forge.open(), ["candidate/up/deploy: skillgraft", "candidate/up/review: skillgraft"]);
        forge.world.write("hub/fails", "");
        forge.syncs();
    });
}

#[test]
fn a_source_that_fails_fails_the_job_and_keeps_no_pull_request_back() {
    on_github(&["deploy"], |forge| {
        forge.world.write("there/sources/gone.toml", "format = 1\ngit = \"../gone\"\n");
        forge.world.commit("there", "A source that is not there");
        forge.world.git("there", &["push", "-q"]);
        upstream_moves(&forge.world, "deploy", "v2");
        let played = forge.sync();
        assert!(!played.ok && played.log.contains("gone"), "{}", played.log);
        assert_eq!(forge.open(), ["candidate/up/deploy: skillgraft"]);
    });
}

#[test]
fn a_forge_runs_nothing_of_an_upstream_that_brings_workflows_at_its_root() {
    let world = World::with_upstream(&[
        ("SKILL.md", &skill("deploy", "v1")),
        (".github/workflows/evil.yml", "on: push\n"),
        (".gitlab-ci.yml", "evil: {script: evil}\n"),
    ]);
    world.run(&["add", "../upstream", "--name", "deploy"]).ok();
    publish(&world);
    world.upstream(&[("SKILL.md", &skill("deploy", "v2"))]);
    world.sync_in("here", &["--push"]);
    assert!(world.has("remote.git", "mirror/deploy", ".github/workflows/evil.yml"), "every byte is there");
    let message = world.git("remote.git", &["log", "-1", "--format=%B", "mirror/deploy"]);
    assert!(message.lines().any(|line| line == "[skip ci]"), "{message}");
    let candidate = "candidate/deploy/deploy";
    assert!(!world.has("remote.git", candidate, ".github") && !world.has("remote.git", candidate, ".gitlab-ci.yml"));
    assert!(!world.git("remote.git", &["log", "-1", "--format=%B", candidate]).contains("[skip ci]"));
}

#[test]
fn every_file_is_read_as_yaml_and_asks_for_no_more_than_it_needs() {
    let forge = Forge::new("github", &["deploy"]);
    let workflow = forge.yaml(".github/workflows/skillgraft.yml");
    assert_eq!(workflow["permissions"], json!({}));
    assert_eq!(workflow["jobs"]["check"]["permissions"], json!({"contents": "read"}));
    let needs = json!({"contents": "write", "pull-requests": "write", "statuses": "write"});
    assert_eq!(workflow["jobs"]["sync"]["permissions"], needs);
    assert_eq!(workflow["jobs"]["sync"]["concurrency"]["cancel-in-progress"], false);
    assert_eq!(workflow["on"]["push"]["branches"], json!(["main"]));
    assert_eq!(workflow["env"]["SKILLGRAFT_VERSION"], env!("CARGO_PKG_VERSION"));
    let forge = Forge::new("forgejo", &["deploy"]);
    assert_eq!(forge.yaml(".forgejo/workflows/skillgraft.yml")["env"]["SKILLGRAFT_DIR"], ".");
}

#[test]
fn an_existing_registry_gets_what_is_missing_and_nothing_is_overwritten() {
    let world = World::new();
    world.run_in("", &["init", "registry"]).ok();
    world.git("registry", &["rm", "-q", "-r", "skills/using-skillgraft"]);
    world.write("registry/.github/skillgraft/pull-requests.sh", "# ours\n");
    world.commit("registry", "We know how");
    let report = world.run(&["--json", "init", "--forge", "github"]).ok().json();
    assert_eq!(report["written"], json!([".github/workflows/skillgraft.yml"]));
    assert_eq!(report["left_alone"], json!([".github/skillgraft/pull-requests.sh"]));
    assert_eq!(world.read("registry/.github/skillgraft/pull-requests.sh"), "# ours\n");
    assert!(world.git("registry", &["log", "-1", "--format=%s"]).contains("github"));
    let again = world.run(&["--json", "init", "--forge", "github"]).ok().json();
    assert_eq!((&again["commit"], &again["written"]), (&Value::Null, &json!([])));
    world.run(&["init", "--forge", "sourcehut"]).ends_with(2);
}

#[test]
fn a_fresh_registry_has_its_forge_in_the_first_commit_and_nothing_of_the_kind_without_the_option() {
    let world = World::new();
    world.run_in("", &["init", "plain"]).ok();
    let files = world.git("plain", &["ls-files"]);
    assert!(!files.contains("server/") && !files.contains("forge") && !files.contains(".git/"), "{files}");
    for (kind, file) in [
        ("github", ".github/workflows/skillgraft.yml"),
        ("gitlab", ".gitlab/skillgraft.yml"),
        ("forgejo", ".forgejo/workflows/skillgraft.yml"),
        ("none", "server/skillgraft.timer"),
    ] {
        let run = world.run_in("", &["init", kind, "--forge", kind]).ok();
        assert!(run.stderr.contains("read the top of"), "{}", run.stderr);
        assert!(world.exists(&format!("{kind}/{file}")));
        assert_eq!(world.git(kind, &["rev-list", "--count", "HEAD"]), "1");
        let files = world.git(kind, &["ls-files"]);
        let forges = files.lines().filter(|path| path.contains("skillgraft.yml") || path.starts_with("server/"));
        assert!(
            forges.clone().count() >= 1 && forges.clone().all(|path| path.contains(kind) || kind == "none"),
            "{files}"
        );
        for path in files.lines() {
            assert!(!world.read(format!("{kind}/{path}")).contains("@VERSION@"), "{path} is not filled in");
        }
    }
}

#[test]
fn a_registry_in_a_folder_has_its_workflow_at_the_root_of_the_repository() {
    let world = World::new();
    world.git("", &["init", "-q", "-b", "trunk", "product"]);
    world.write("product/README.md", "the product\n");
    world.commit("product", "the product");
    world.run_in("product", &["init", "tools/our skills", "--forge", "github"]).ok();
    let text = world.read("product/.github/workflows/skillgraft.yml");
    let workflow: Value = serde_saphyr::from_str(&text).unwrap();
    assert_eq!(
        (&workflow["env"]["SKILLGRAFT_DIR"], &workflow["on"]["push"]["branches"]),
        (&json!("tools/our skills"), &json!(["trunk"]))
    );
    world.run_in("product", &["init", "tools/our skills", "--forge", "none"]).ok();
    assert!(world.exists("product/tools/our skills/server/crontab"));
}

#[test]
fn the_jobs_of_a_registry_in_a_folder_work_there() {
    let forge = Forge::in_folder("github", &["deploy"], "tools/our skills");
    upstream_moves(&forge.world, "deploy", "v2");
    forge.syncs();
    assert_eq!(forge.open(), ["candidate/up/deploy: skillgraft"]);
    assert_eq!(forge.status("candidate/up/deploy")["description"], "2 skills: 0 errors, 0 warnings");
    let check = forge.check("candidate/up/deploy");
    assert!(check.ok, "{}", check.log);
}

#[test]
fn a_server_without_a_forge_runs_the_line_of_its_service_and_of_its_crontab() {
    let forge = Forge::new("none", &["deploy"]);
    forge.world.git("", &["clone", "-q", "--bare", "remote.git", "runner"]);
    let service = forge.world.show("remote.git", "main", "server/skillgraft.service");
    let start = service.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let crontab = forge.world.show("remote.git", "main", "server/crontab");
    let line = crontab.lines().find_map(|line| line.strip_prefix("17 * * * *  ")).unwrap();
    for (round, line) in [start, line].into_iter().enumerate() {
        upstream_moves(&forge.world, "deploy", &format!("v{}", round + 2));
        let clone = forge.world.path("there").display().to_string();
        let line = line.replace("/var/lib/skillgraft/registry", &clone).replace("/srv/our-skills", &clone);
        let line = line
            .replace("/usr/local/bin/skillgraft", "skillgraft")
            .replace("skillgraft ", &format!("{} ", crate::support::PROGRAM));
        let output = forge.command("sh").args(["-e", "-c", &line]).output().unwrap();
        assert!(output.status.success(), "{line}\n{}", String::from_utf8_lossy(&output.stderr));
        let shown = forge.world.show("remote.git", "candidate/up/deploy", "skills/deploy/SKILL.md");
        assert!(shown.contains(&format!("v{}", round + 2)), "{shown}");
    }
}
