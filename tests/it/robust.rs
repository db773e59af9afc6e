//! Circumstances: newer formats, unreadable files, locks, odd homes, closed pipes, and what a sync may cost.

use crate::support::{PROGRAM, World, listing, skill};
use crate::sync::{lines, world};
use std::io::Write as _;
use std::process::Stdio;

#[test]
fn newer_settings_are_refused_and_nothing_is_written() {
    let world = world();
    world.edit("registry/skillgraft.toml", "format = 1", "format = 2\nnovel = true");
    world.commit("registry", "from the future");
    world.upstream(&[("skills/deploy/SKILL.md", &lines("first", "upstream's"))]);
    let before = (listing(&world.path("registry/.git")), listing(&world.path("registry")));
    for args in [&["sync"][..], &["add", "../upstream", "--name", "x"], &["status"], &["candidate", "list"], &["check"]]
    {
        world.run(args).ends_with(2).says(&["format 2 is newer than this program", "nothing was written"]);
    }
    assert_eq!((listing(&world.path("registry/.git")), listing(&world.path("registry"))), before);
}

#[test]
fn a_newer_source_file_fails_that_source_and_no_other() {
    let world = world();
    world.registry(&[("sources/future.toml", "format = 3\nwarp = 9\n")]);
    world.upstream(&[("skills/deploy/SKILL.md", &lines("first", "upstream's"))]);
    let synced = world.try_sync("registry", &[]);
    assert_eq!((synced.code, synced.action("deploy")), (1, "opened"));
    assert_eq!(synced.source("future")["error"]["kind"], "newer_format");
    world.run(&["source", "enable", "future"]).ends_with(2).says(&["sources/future.toml: format 3 is newer"]);
}

/// Breaks the entry of `deploy` while it has an open candidate, and syncs.
fn unreadable_entry(entry: &str, kind: &str) {
    let world = world();
    world.upstream(&[("skills/deploy/SKILL.md", &lines("first", "upstream's"))]);
    world.sync();
    let candidate = world.rev("registry", "candidate/up/deploy");
    world.registry(&[("skills/deploy.toml", entry)]);
    world.upstream(&[("skills/other/SKILL.md", &skill("other", "v2"))]);
    let synced = world.try_sync("registry", &[]);
    assert_eq!(synced.code, 1, "{:#}", synced.json);
    assert_eq!(synced.skill("deploy")["error"]["kind"], kind, "{:#}", synced.json);
    assert_eq!(synced.rejected("up"), Vec::<String>::new(), "it is not somebody else's");
    assert_eq!(world.rev("registry", "candidate/up/deploy"), candidate, "no evidence, no action");
    assert_eq!(synced.action("other"), "opened", "one skill's problem is never another's");
}

#[test]
fn an_entry_that_does_not_parse_fails_its_skill_alone_and_closes_nothing() {
    unreadable_entry("format = 1\nstatus = \"sleepy\"\n", "config");
}

#[test]
fn an_entry_of_a_newer_format_fails_its_skill_alone_and_closes_nothing() {
    unreadable_entry("format = 2\nstatus = \"hibernating\"\n", "newer_format");
}

#[test]
fn a_source_file_that_does_not_parse_fails_alone_with_line_and_column() {
    let world = world();
    world.registry(&[("sources/bad.toml", "format = 1\ngit = \"x\"\nenabled = \"no\"\n")]);
    world.upstream(&[("skills/deploy/SKILL.md", &lines("first", "upstream's"))]);
    let run = world.run(&["sync"]).ends_with(1).says(&["sources/bad.toml:3:11: "]);
    assert!(run.stdout.contains("deploy"));
}

#[test]
fn skills_of_a_source_whose_file_is_gone_are_reported_and_left_alone() {
    let world = world();
    world.upstream(&[("skills/deploy/SKILL.md", &lines("first", "upstream's"))]);
    world.sync();
    let branches = world.branches("registry", "");
    world.git("registry", &["rm", "-q", "sources/up.toml"]);
    world.commit("registry", "lost");
    let synced = world.try_sync("registry", &[]);
    assert_eq!((synced.code, synced.source("up")["outcome"].as_str()), (1, Some("missing")));
    assert_eq!(world.branches("registry", ""), branches);
}

#[test]
fn a_lock_that_another_process_holds_is_named_with_its_pid_and_left() {
    let world = world();
    let path = world.path("registry/.git/skillgraft/lock");
    let mut held = std::fs::OpenOptions::new().write(true).create(true).truncate(true).open(&path).unwrap();
    held.lock().unwrap();
    writeln!(held, "424242").unwrap();
    let refs = world.refs("registry");
    for args in [&["--no-wait", "sync"][..], &["add", "../upstream", "--name", "x", "--no-wait"]] {
        world.run(args).ends_with(1).says(&["process 424242 holds the lock"]);
    }
    world.run(&["--no-wait", "status"]).ok();
    world.run(&["--no-wait", "sync", "--dry-run"]).ok();
    assert_eq!(world.refs("registry"), refs);
    drop(held);
    world.run(&["--no-wait", "sync"]).ok();
}

#[test]
fn several_syncs_at_once_wait_for_each_other_and_end_in_the_same_state() {
    let world = world();
    world.upstream(&[("skills/deploy/SKILL.md", &lines("first", "upstream's"))]);
    let start = || {
        let mut command = world.command(PROGRAM, "registry");
        command.args(["--json", "sync"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let running: Vec<_> = (0..4).map(|_| start()).collect();
    let mut actions = Vec::new();
    for child in running {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let skills = report["sources"][0]["skills"].as_array().unwrap();
        let deploy = skills.iter().find(|skill| skill["id"] == "deploy").unwrap();
        actions.push(deploy["candidate"]["action"].as_str().unwrap().to_owned());
    }
    actions.sort();
    assert_eq!(actions, ["kept", "kept", "kept", "opened"]);
}

#[test]
fn line_ending_conversion_changes_no_byte_of_a_skill() {
    let world = World::new();
    world.init("upstream");
    world.write("upstream/skills/deploy/SKILL.md", lines("first", "last"));
    world.write("upstream/skills/deploy/dos.txt", "a\r\nb\r\n");
    world.write("upstream/skills/deploy/mixed.txt", "a\r\nb\n");
    world.commit("upstream", "line endings");
    world.run_in("", &["init", "registry"]).ok();
    world.git("registry", &["config", "core.autocrlf", "true"]);
    world.run(&["add", "../upstream", "--name", "up"]).ok();
    for (path, bytes) in [("dos.txt", "a\r\nb\r\n"), ("mixed.txt", "a\r\nb\n"), ("SKILL.md", &lines("first", "last"))] {
        assert_eq!(world.read(format!("registry/skills/deploy/{path}")), bytes);
    }
    assert_eq!(world.git("registry", &["status", "--porcelain"]), "");
    assert_eq!(world.json(&["status"])["edited"], 0);
    world.registry(&[("skills/deploy/dos.txt", "a\r\nb\r\nours\r\n")]);
    world.upstream(&[("skills/deploy/SKILL.md", &lines("first", "upstream's"))]);
    assert_eq!(world.sync().class("deploy"), "three_way");
    world.run(&["candidate", "accept", "deploy"]).ok();
    assert_eq!(world.read("registry/skills/deploy/dos.txt"), "a\r\nb\r\nours\r\n");
    assert_eq!(world.git("registry", &["status", "--porcelain"]), "");
}

#[test]
fn a_home_that_does_not_exist_is_no_obstacle() {
    let world = world();
    world.set_env("HOME", Some(world.path("no/such/home")));
    world.set_env("SKILLGRAFT_CACHE_DIR", None::<&str>);
    world.run(&["add", &world.url("upstream"), "--name", "url", "--namespace", "url"]).ok();
    world.upstream(&[("skills/deploy/SKILL.md", &lines("first", "upstream's"))]);
    assert_eq!(world.sync().action("url/deploy"), "opened");
    assert!(world.exists("no/such/home/.cache/skillgraft"), "the documented place");
    world.set_env("XDG_CACHE_HOME", Some(world.path("xdg")));
    world.sync();
    assert!(world.exists("xdg/skillgraft"));
}

#[test]
fn a_pipe_that_closes_early_ends_the_output_and_no_more() {
    let world = world();
    for args in [&["list"][..], &["--json", "sync"], &["check"], &["--help"]] {
        let mut command = world.command(PROGRAM, "registry");
        let mut child = command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
        assert!(output.stderr.is_empty() || !String::from_utf8_lossy(&output.stderr).contains("panick"));
    }
}

/// The git processes of a sync over a URL in which every one of `skills` skills merges three ways.
fn processes(skills: usize) -> (usize, usize) {
    let world = World::new();
    world.init("upstream");
    let all = |dir: &str, first: &str, last: &str| {
        for n in 0..skills {
            world.write(format!("{dir}/skills/s{n}/SKILL.md"), lines(first, last).replace("deploy", &format!("s{n}")));
        }
        world.commit(dir, "all");
    };
    all("upstream", "first", "last");
    world.run_in("", &["init", "registry"]).ok();
    world.run(&["add", &world.url("upstream"), "--name", "up"]).ok();
    all("registry", "ours", "last");
    all("upstream", "first", "upstream's");
    world.counts_git();
    let count = || world.git_runs().len();
    let run = |args: &[&str]| {
        let mut command = world.command(PROGRAM, "registry");
        let output = command.args(args).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        (count(), String::from_utf8(output.stdout).unwrap())
    };
    let (merging, report) = run(&["--json", "sync"]);
    assert!(report.contains(&format!("\"opened\": {skills}")), "{report}");
    let (idle, _) = run(&["sync"]);
    (merging, idle)
}

#[test]
#[cfg(unix)]
fn the_number_of_git_processes_of_a_sync_does_not_depend_on_the_number_of_skills() {
    let (few, idle) = processes(3);
    assert_eq!((few, idle), processes(40));
    assert_eq!(idle, 1, "an unmoved upstream costs one ls-remote");
    assert!(few <= 6, "{few}");
}

#[test]
#[cfg(unix)]
fn licences_and_manifests_are_fetched_together_with_the_skills() {
    let world = World::new();
    world.init("upstream");
    for option in ["uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"] {
        world.git("upstream", &["config", option, "true"]);
    }
    let manifest = r#"{"name": "acme", "version": "1.4.0"}"#;
    let marketplace = r#"{"name": "acme", "owner": {"name": "Acme"}, "plugins": [{"name": "acme", "source": "./"}]}"#;
    world.write("upstream/skills/deploy/SKILL.md", lines("first", "last"));
    world.write("upstream/LICENSE", "All rights reserved.\n");
    world.write("upstream/.claude-plugin/plugin.json", manifest);
    world.write("upstream/.claude-plugin/marketplace.json", marketplace);
    world.commit("upstream", "all");
    world.run_in("", &["init", "registry"]).ok();
    world.counts_git();
    let fetches = || world.git_runs().iter().filter(|run| run.contains(" fetch ")).count();
    world.run(&["add", &world.url("upstream"), "--name", "up"]).ok();
    assert_eq!(fetches(), 2, "the trees, then the files");
    let entry = world.read("registry/skills/deploy.toml");
    assert!(entry.contains("version = \"1.4.0\""), "{entry}");
    // A runner without a cache, which has the skills in its mirror.
    std::fs::remove_dir_all(world.path("cache")).unwrap();
    world.run(&["sync"]).ok();
    assert_eq!(fetches(), 2, "the trees, then what stands beside the skills");
}

#[test]
#[cfg(unix)]
fn a_local_repository_is_read_without_any_process() {
    let world = world();
    world.upstream(&[("skills/deploy/SKILL.md", &lines("first", "upstream's"))]);
    world.counts_git();
    let mut command = world.command(PROGRAM, "registry");
    assert!(command.arg("sync").output().unwrap().status.success());
    assert!(!world.exists("count"), "{}", world.read("count"));
}

#[test]
fn many_new_objects_enter_as_one_pack() {
    let world = World::new();
    world.init("upstream");
    for n in 0..150 {
        world.write(format!("upstream/skills/s{n}/SKILL.md"), skill(&format!("s{n}"), "v1"));
    }
    world.commit("upstream", "many");
    world.run_in("", &["init", "registry"]).ok();
    let loose = || world.git("registry", &["count-objects", "-v"]);
    let before = loose();
    world.run(&["add", "../upstream", "--name", "up"]).ok();
    let after = loose();
    let value = |text: &str, key: &str| -> u64 {
        let line = text.lines().find(|line| line.starts_with(&format!("{key}: "))).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert_eq!(value(&after, "packs"), value(&before, "packs") + 1);
    assert_eq!(value(&after, "count"), value(&before, "count"), "no loose ones");
    assert!(!world.git("registry", &["count-objects", "-v"]).contains("garbage: 1"));
    let kept = listing(&world.path("registry/.git/objects/pack"));
    assert!(!kept.contains(".keep") && !kept.contains("tmp_"), "{kept}");
}

#[test]
fn outside_of_a_registry_the_error_names_the_command_to_run() {
    let world = World::new();
    for args in [&["sync"][..], &["status"], &["list"], &["check"], &["candidate", "list"]] {
        world.run_in("home", args).ends_with(2).says(&["skillgraft.toml", "skillgraft init"]);
    }
    world.run_in("", &["-C", "nowhere", "sync"]).ends_with(2).says(&["no such folder"]);
    world.run_in("", &["sink"]).ends_with(2);
}

#[test]
fn json_errors_are_documents_too() {
    let world = world();
    let run = world.run(&["--json", "candidate", "accept", "nobody"]).ends_with(1);
    let error = run.json();
    assert_eq!(error["error"]["kind"], "not_found", "{error:#}");
    assert!(error["error"]["hint"].as_str().unwrap().contains("candidate list"));
}

#[test]
fn many_skills_at_the_top_of_their_repository_come_in() {
    let files: Vec<(String, String)> =
        (0..300).map(|n| format!("skill-{n:03}")).map(|id| (format!("{id}/SKILL.md"), skill(&id, "v1"))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let world = World::following(&files);
    assert_eq!(world.sync().source("up")["skills"].as_array().unwrap().len(), 300);
}
