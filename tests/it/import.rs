//! `import`: skills from agents' folders come under the registry's care. A conflict is a result, not a failure.

use crate::support::{World, skill};
use serde_json::{Value, json};
use skillgraft::git::{Environment, Git};
use skillgraft::ops::import::{Ask, Conflict, OnConflict, Options, import};
use skillgraft::ops::{Commit, Outside};
use skillgraft::registry::Destination;
use skillgraft::source::roots::Machine;
use std::cell::RefCell;
use std::os::unix::fs::symlink;

/// A registry, and a folder `bundle` with the skills `deploy` (three files) and `review`.
pub fn world() -> World {
    let world = World::new();
    world.run_in("", &["init", "registry"]).ok();
    world.write("bundle/deploy/SKILL.md", skill("deploy", "imported"));
    world.write("bundle/deploy/run", "#!/bin/sh\n");
    world.write("bundle/deploy/docs/a.md", "a\n");
    world.write("bundle/review/SKILL.md", skill("review", "imported"));
    world
}

/// Imports from the bundle and returns exit code and report.
#[track_caller]
fn run(world: &World, args: &[&str]) -> (i32, Value) {
    let run = world.run(&[&["--json", "import", "--from", "../bundle"], args].concat());
    (run.code, run.json())
}

/// What of a repository an import that writes nothing leaves as it is.
fn state(world: &World) -> (String, Vec<String>, String) {
    (world.refs("registry"), world.objects("registry"), world.git("registry", &["status", "--porcelain"]))
}

/// The skills of a report as `key status reason`.
pub fn told(report: &Value) -> Vec<String> {
    let line = |item: &Value| {
        let text = |key: &str| item[key].as_str().unwrap_or("-").to_owned();
        format!("{} {} {}", text("key"), text("status"), text("reason"))
    };
    let skills = report["skills"].as_array().unwrap_or_else(|| panic!("{report:#}"));
    skills.iter().map(line).collect()
}

/// The tree hash of a skill on the default branch, as git itself computes it in a SHA-256 repository.
fn tree_hash(world: &World, directory: &str) -> String {
    world.git("", &["init", "-q", "--object-format=sha256", "hashes"]);
    let mut copy = std::process::Command::new("cp");
    let copied = copy.arg("-rp").arg(world.path(directory).join(".")).arg(world.path("hashes")).status();
    assert!(copied.unwrap().success());
    world.git("hashes", &["add", "-A"]);
    let tree = world.git("hashes", &["write-tree"]);
    std::fs::remove_dir_all(world.path("hashes")).unwrap();
    format!("git-sha256:{tree}")
}

#[test]
fn an_import_is_one_commit_with_files_modes_and_origin() {
    let world = world();
    let before = world.head("registry");
    let (code, report) = run(&world, &[]);
    assert_eq!((code, told(&report)), (0, vec!["deploy completed new".into(), "review completed new".into()]));
    assert_eq!(report["commit"], world.head("registry"));
    assert_eq!(world.rev("registry", "HEAD^"), before, "one commit");
    assert_eq!(report["skills"][0]["tree"], tree_hash(&world, "bundle/deploy"));
    let modes = world.git("registry", &["ls-tree", "-r", "--format=%(objectmode) %(path)", "HEAD", "skills/deploy"]);
    assert_eq!(modes, "100644 skills/deploy/SKILL.md\n100644 skills/deploy/docs/a.md\n100755 skills/deploy/run");
    let entry = world.read("registry/skills/deploy.toml");
    assert_eq!(entry, "format = 1\nstatus = \"active\"\n\n[origin]\nkind = \"folder\"\npath = \"deploy\"\n");
    assert_eq!(world.git("registry", &["log", "-1", "--format=%s"]), "Import 2 skills");
    world.run(&["check"]).ok();
    let own = world.json(&["list"]);
    assert_eq!(own["skills"].as_array().unwrap().len(), 3);
}

#[test]
fn skills_come_from_the_folders_that_agents_read_and_no_committed_byte_names_the_machine() {
    let world = world();
    world.write("home/.claude/skills/mine/SKILL.md", skill("mine", "of the user"));
    world.write("registry/.cursor/skills/ours/SKILL.md", skill("ours", "of the project"));
    world.write("system/etc/codex/skills/theirs/SKILL.md", skill("theirs", "of the administrator"));
    let report = world.json(&["import", "mine", "ours", "theirs"]);
    let origins: Vec<_> = report["skills"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| [&i["kind"], &i["layer"], &i["provider"], &i["path"]])
        .collect();
    assert_eq!(
        json!(origins),
        json!([
            ["provider", "user", "claude-code", "~/.claude/skills/mine"],
            ["provider", "project", "cursor", ".cursor/skills/ours"],
            ["provider", "system", "codex", "theirs"]
        ])
    );
    let entry = world.read("registry/skills/mine.toml");
    let origin =
        "kind = \"provider\"\nlayer = \"user\"\nprovider = \"claude-code\"\npath = \"~/.claude/skills/mine\"\n";
    assert!(entry.ends_with(&format!("[origin]\n{origin}")), "{entry}");
    let everything = world.git("registry", &["show", "--format=raw", "HEAD"]);
    assert!(!everything.contains(world.path("").to_str().unwrap().trim_end_matches('/')), "{everything}");
    // The registry's own skills are not imported into it.
    world.run(&["import", "using-skillgraft"]).ends_with(1).says(&["no skill `using-skillgraft`"]);
}

#[test]
fn a_conflict_is_a_result_and_nothing_is_written() {
    let world = world();
    world.registry(&[
        ("skills/deploy/SKILL.md", &skill("deploy", "here already")),
        ("skills/deploy.toml", "format = 1\nowners = [\"Ops <ops@example.com>\"]\n"),
    ]);
    world.run(&["tag"]).ok();
    let before = state(&world);
    for args in [&[][..], &["--on-conflict", "fail"], &["--on-conflict", "overwrite"]] {
        let (code, report) = run(&world, args);
        assert_eq!(code, 3, "{report:#}");
        let reason = if args.ends_with(&["overwrite"]) { "not_owner" } else { "exists" };
        assert_eq!(told(&report), [format!("deploy conflict {reason}"), "review skipped nothing_written".into()]);
        assert_eq!(
            report["skills"][0]["conflict"],
            json!({
                "skill": "deploy",
                "version": 1,
                "tree": tree_hash(&world, "registry/skills/deploy"),
                "owners": ["Ops <ops@example.com>"],
                "can_overwrite": false,
                "suggested_name": "deploy-2",
            })
        );
        assert_eq!(state(&world), before);
    }
    world.set_env("GIT_AUTHOR_EMAIL", Some("OPS@example.com"));
    assert_eq!(run(&world, &[]).1["skills"][0]["conflict"]["can_overwrite"], true);
    assert_eq!(run(&world, &["--on-conflict", "overwrite"]).0, 0);
}

#[test]
fn a_failure_of_one_skill_holds_all_back() {
    let world = world();
    symlink("/etc/passwd", world.path("bundle/deploy/secrets")).unwrap();
    let before = state(&world);
    let (code, report) = run(&world, &[]);
    assert_eq!(
        (code, told(&report)),
        (1, vec!["deploy failed symlink_escapes".into(), "review skipped nothing_written".into()])
    );
    assert_eq!(state(&world), before);
    assert_eq!(run(&world, &["review"]).0, 0, "what is named alone comes in alone");
}

#[test]
fn content_that_equals_what_is_here_is_unchanged_and_a_retry_changes_nothing() {
    let world = world();
    assert_eq!(run(&world, &[]).0, 0);
    let before = state(&world);
    for args in [&[][..], &["--on-conflict", "overwrite"], &["--on-conflict", "rename"], &["--link"]] {
        let (code, report) = run(&world, args);
        let all = ["deploy unchanged identical", "review unchanged identical"];
        assert_eq!((code, told(&report)), (0, all.map(str::to_owned).to_vec()));
        assert_eq!(report["commit"], Value::Null);
        assert_eq!(state(&world), before);
    }
}

#[test]
fn an_overwrite_keeps_entry_owners_and_versions_and_removes_what_the_bundle_lacks() {
    let world = world();
    let entry = "format = 1\n# ask Ops\nstatus = \"active\"\nowners = [\"pat@example.com\"]\nlineage = [\"adopted_from:up@1\"]\n";
    world.registry(&[
        ("skills/deploy/SKILL.md", &skill("deploy", "here already")),
        ("skills/deploy/old.md", "goes\n"),
        ("skills/deploy.toml", entry),
    ]);
    world.run(&["tag"]).ok();
    let first = world.rev("registry", "deploy/v1");
    let (code, report) = run(&world, &["deploy", "--on-conflict", "overwrite"]);
    assert_eq!((code, told(&report)), (0, vec!["deploy completed overwritten".into()]));
    assert!(!world.exists("registry/skills/deploy/old.md"));
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), skill("deploy", "imported"));
    let after = world.read("registry/skills/deploy.toml");
    assert_eq!(after, format!("{entry}\n[origin]\nkind = \"folder\"\npath = \"deploy\"\n"));
    world.run(&["tag"]).ok();
    assert_eq!(world.rev("registry", "deploy/v1"), first);
    assert!(world.has("registry", "deploy/v2", "skills/deploy/run"));
}

#[test]
fn a_skipped_skill_stays_out_and_the_others_come_in() {
    let world = world();
    world.registry(&[("skills/deploy/SKILL.md", &skill("deploy", "here already"))]);
    let (code, report) = run(&world, &["--on-conflict", "skip"]);
    assert_eq!((code, told(&report)), (0, vec!["deploy skipped exists".into(), "review completed new".into()]));
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), skill("deploy", "here already"));
}

#[test]
fn a_renamed_skill_has_the_new_name_in_it_and_a_retry_finds_it() {
    let world = world();
    world.registry(&[
        ("skills/deploy/SKILL.md", &skill("deploy", "here already")),
        ("skills/deploy-2/SKILL.md", &skill("deploy-2", "taken too")),
    ]);
    let (code, report) = run(&world, &["deploy", "--on-conflict", "rename"]);
    assert_eq!((code, told(&report)), (0, vec!["deploy renamed exists".into()]));
    assert_eq!(report["skills"][0]["skill"], "deploy-3");
    let imported = skill("deploy", "imported").replacen("name: deploy", "name: deploy-3", 1);
    assert_eq!(world.read("registry/skills/deploy-3/SKILL.md"), imported);
    assert!(world.exists("registry/skills/deploy-3/run"));
    world.run(&["check"]).ok();
    let before = state(&world);
    let (code, report) = run(&world, &["deploy", "--on-conflict", "rename"]);
    assert_eq!((code, told(&report)), (0, vec!["deploy unchanged identical".into()]));
    assert_eq!(state(&world), before);
}

#[test]
fn a_name_can_be_chosen_for_one_skill() {
    let world = world();
    let (code, report) = run(&world, &["deploy", "--as", "acme/release"]);
    assert_eq!((code, &report["skills"][0]["skill"]), (0, &json!("acme/release")));
    assert!(world.read("registry/skills/acme/release/SKILL.md").contains("\nname: release\n"));
    world.run(&["check"]).ok();
    assert_eq!(told(&run(&world, &["deploy", "--as", "acme/release"]).1), ["deploy unchanged identical"]);
    let refused = world.run(&["import", "--from", "../bundle", "--as", "x"]).ends_with(2);
    refused.says(&["about one skill"]);
    world.run(&["import", "deploy", "--from", "../bundle", "--as", "Not A Name"]).ends_with(2);
}

#[test]
fn an_overwrite_that_expects_other_content_fails_and_never_creates() {
    let world = world();
    let expect = |hash: &str| run(&world, &["deploy", "--on-conflict", "overwrite", "--expect", hash]);
    let unknown = format!("git-sha256:{}", "1".repeat(64));
    // Not there (any more): removed, or renamed.
    let before = state(&world);
    let (code, report) = expect(&unknown);
    assert_eq!((code, told(&report)), (1, vec!["deploy failed removed".into()]));
    assert_eq!(state(&world), before);
    world.registry(&[("skills/deploy/SKILL.md", &skill("deploy", "here already"))]);
    let hash = tree_hash(&world, "registry/skills/deploy");
    // Changed meanwhile.
    let before = state(&world);
    let (code, report) = expect(&unknown);
    assert_eq!((code, told(&report)), (1, vec!["deploy failed changed".into()]));
    assert_eq!(report["skills"][0]["conflict"]["tree"], hash);
    assert_eq!(state(&world), before);
    // The rights were lost meanwhile.
    world.registry(&[("skills/deploy.toml", "format = 1\nowners = [\"ops@example.com\"]\n")]);
    let before = state(&world);
    let (code, report) = expect(&hash);
    assert_eq!((code, told(&report)), (1, vec!["deploy failed not_owner".into()]));
    assert_eq!(state(&world), before);
    // Only the entry stands.
    world.registry(&[("skills/deploy.toml", "format = 1\n")]);
    world.run(&["disable", "deploy", "--reason", "x"]).ok();
    let before = state(&world);
    let (code, report) = expect(&hash);
    assert_eq!((code, told(&report)), (1, vec!["deploy failed changed".into()]));
    assert_eq!(state(&world), before);
    world.run(&["enable", "deploy"]).ok();
    let (code, report) = expect(&hash);
    assert_eq!((code, told(&report)), (0, vec!["deploy completed overwritten".into()]));
    let (code, report) = expect(&hash);
    assert_eq!((code, told(&report)), (0, vec!["deploy unchanged identical".into()]), "a retry of a finished import");
    let alone = world.run(&["import", "deploy", "--from", "../bundle", "--expect", &hash]).ends_with(2);
    alone.says(&["--on-conflict overwrite"]);
}

#[test]
fn what_check_will_not_pass_comes_in_with_a_warning_that_says_so() {
    let world = world();
    world.write("bundle/plain/SKILL.md", "# Plain\n");
    let (code, report) = run(&world, &["plain"]);
    assert_eq!((code, told(&report)), (0, vec!["plain completed new".into()]));
    let warnings = report["skills"][0]["warnings"].as_array().unwrap();
    assert!(warnings.iter().any(|warning| warning["reason"] == "no-frontmatter"), "{report:#}");
    world.run(&["check"]).ends_with(1).prints(&["no-frontmatter"]);
    let refused = world.run(&["import", "deploy", "--from", "../bundle", "--as", "Bad Id"]).ends_with(2);
    refused.says(&["--as is no skill id"]);
}

#[test]
fn a_disabled_skill_comes_back_by_enable_and_not_by_an_overwrite_in_passing() {
    let world = world();
    world.registry(&[("skills/deploy/SKILL.md", &skill("deploy", "here already"))]);
    world.run(&["disable", "deploy", "--reason", "x"]).ok();
    let (code, report) = run(&world, &["deploy"]);
    assert_eq!((code, &report["skills"][0]["conflict"]["tree"]), (3, &Value::Null));
    assert!(report["skills"][0]["message"].as_str().unwrap().contains("is disabled"), "{report:#}");
    let (code, report) = run(&world, &["deploy", "--on-conflict", "overwrite"]);
    assert_eq!((code, told(&report)), (1, vec!["deploy failed disabled".into()]));
    assert!(world.read("registry/skills/deploy.toml").contains("status = \"disabled\""));
    world.run(&["enable", "deploy"]).ok();
    assert_eq!(run(&world, &["deploy", "--on-conflict", "overwrite"]).0, 0);
    assert!(world.read("registry/skills/deploy.toml").contains("status = \"active\""));
}

#[test]
fn a_skill_that_follows_an_upstream_and_is_overwritten_stays_linked() {
    let world = World::following(&[("skills/deploy/SKILL.md", &skill("deploy", "upstream's"))]);
    world.write("bundle/deploy/SKILL.md", skill("deploy", "imported"));
    let upstream =
        |entry: String| entry.split("[upstream]").nth(1).unwrap().split("\n\n").next().unwrap().trim().to_owned();
    let before = upstream(world.read("registry/skills/deploy.toml"));
    assert_eq!(run(&world, &["--on-conflict", "overwrite"]).0, 0);
    assert_eq!(upstream(world.read("registry/skills/deploy.toml")), before);
    let synced = world.sync();
    assert_eq!(synced.class("deploy"), "unchanged", "it has local edits, and upstream did not move");
    assert_eq!(world.json(&["list"])["skills"][0]["edited"], true);
}

#[test]
fn links_inside_the_root_are_resolved_and_a_link_out_of_it_is_refused() {
    let world = world();
    world.write("bundle/shared/common.md", "shared\n");
    symlink("../shared/common.md", world.path("bundle/deploy/common.md")).unwrap();
    symlink("../shared", world.path("bundle/deploy/all")).unwrap();
    assert_eq!(run(&world, &["deploy"]).0, 0);
    assert_eq!(world.read("registry/skills/deploy/common.md"), "shared\n");
    assert_eq!(world.read("registry/skills/deploy/all/common.md"), "shared\n");
    world.write("outside.md", "secret\n");
    symlink("../../outside.md", world.path("bundle/review/leak.md")).unwrap();
    let (code, report) = run(&world, &["review"]);
    assert_eq!((code, told(&report)), (1, vec!["review failed symlink_escapes".into()]));
    std::fs::remove_file(world.path("bundle/review/leak.md")).unwrap();
    symlink("..", world.path("bundle/review/loop")).unwrap();
    let (code, report) = run(&world, &["review"]);
    assert_eq!((code, told(&report)[0].starts_with("review failed")), (1, true), "{report:#}");
}

#[test]
fn a_skill_that_is_a_link_out_of_its_root_is_read_where_it_stands() {
    let world = world();
    std::fs::create_dir_all(world.path("agent")).unwrap();
    symlink("../bundle/deploy", world.path("agent/deploy")).unwrap();
    // What lies beside it there is none of it.
    symlink("../review/SKILL.md", world.path("bundle/deploy/beside.md")).unwrap();
    world.set_env("SKILLGRAFT_SKILLS_PATH", Some(world.path("agent")));
    let report = world.run(&["--json", "import", "deploy"]).ends_with(1).json();
    assert_eq!(told(&report), ["deploy failed symlink_escapes"]);
    std::fs::remove_file(world.path("bundle/deploy/beside.md")).unwrap();
    // A folder that is only named may be anybody's: nothing outside of it comes in.
    let report = world.run(&["--json", "import", "--from", "../agent"]).ends_with(1).json();
    assert_eq!(told(&report), ["deploy failed unreadable"]);
    let report = world.run(&["--json", "import", "deploy"]).ends_with(0).json();
    assert_eq!(told(&report), ["deploy completed new"]);
}

#[test]
fn a_skill_md_in_another_spelling_is_never_taken_for_content() {
    let world = world();
    world.write("bundle/deploy/skill.md", skill("deploy", "another"));
    let (code, report) = run(&world, &["deploy"]);
    assert_eq!((code, told(&report)), (1, vec!["deploy failed name_collision".into()]));
    std::fs::remove_file(world.path("bundle/deploy/skill.md")).unwrap();
    // In a folder of its own it is a file like any other.
    world.write("bundle/deploy/examples/SKILL.md", skill("example", "an example"));
    assert_eq!(run(&world, &["deploy"]).0, 0);
    assert!(world.exists("registry/skills/deploy/examples/SKILL.md"));
}

#[test]
fn the_limits_and_checks_of_upstream_skills_hold_for_imports() {
    let world = world();
    world.write(
        "registry/skillgraft.toml",
        "format = 1
[limits]
skill_files = 3
file_bytes = \"1 KiB\"
",
    );
    world.commit("registry", "limits");
    world.write("bundle/review/big", "x".repeat(2000));
    assert_eq!(told(&run(&world, &["review"]).1), ["review failed file_too_large"]);
    world.write("bundle/deploy/four", "4\n");
    let (code, report) = run(&world, &["deploy"]);
    assert_eq!((code, told(&report)[0].starts_with("deploy failed")), (1, true));
    assert!(report["skills"][0]["message"].as_str().unwrap().contains("`limits.skill_files`"), "{report:#}");
    world.write("bundle/con/SKILL.md", skill("con", "a device"));
    assert_eq!(told(&run(&world, &["con"]).1), ["con failed unreadable"]);
    world.write("bundle/--/SKILL.md", "no name\n");
    assert_eq!(told(&run(&world, &["--", "--"]).1), ["-- failed no_id"]);
}

#[test]
fn two_skills_that_would_be_one_are_told() {
    let world = world();
    world.write("bundle/other/SKILL.md", skill("review", "the same name"));
    let (code, report) = run(&world, &["other", "review"]);
    assert_eq!(
        (code, told(&report)),
        (1, vec!["other skipped nothing_written".into(), "review failed same_id".into()])
    );
    world.write("bundle/review/inner/deep/SKILL.md", skill("deep", "inside a skill is no skill"));
    assert_eq!(run(&world, &["deploy", "review"]).0, 0);
    world.write("bundle/deploy-group/deep/SKILL.md", skill("deep", "in a folder"));
    let (code, report) = run(&world, &["deploy-group/deep", "--as", "deploy/deep"]);
    assert_eq!((code, told(&report)), (1, vec!["deploy-group/deep failed namespace".into()]));
    let (code, report) = run(&world, &["deploy-group/deep"]);
    assert_eq!((code, &report["skills"][0]["skill"]), (0, &json!("deploy-group/deep")));
}

#[test]
fn without_a_key_a_folder_or_a_terminal_nobody_guesses() {
    let world = world();
    world.run(&["import"]).ends_with(2).says(&["agents see no skill that is not here already", "--from DIR"]);
    world.write("home/.claude/skills/deploy/SKILL.md", skill("deploy", "seen"));
    world.run(&["import"]).ends_with(2).says(&["nobody can be asked", "skillgraft discover"]);
    world.run_in("bundle", &["import", "deploy"]).ends_with(2).says(&["skillgraft init"]);
}

#[test]
fn a_proposal_leaves_the_default_branch_alone() {
    let world = world();
    let before = world.head("registry");
    let (code, report) = run(&world, &["deploy", "--propose", "-m", "As agreed"]);
    assert_eq!((code, world.head("registry")), (0, before));
    let branch = report["branch"].as_str().unwrap();
    assert!(branch.starts_with("proposal/import-") && world.has("registry", branch, "skills/deploy/run"));
    assert!(world.git("registry", &["log", "-1", "--format=%B", branch]).starts_with("As agreed\n\nImport deploy\n"));
}

#[test]
fn uncommitted_work_in_the_way_stops_an_import() {
    let world = world();
    world.write("registry/skills/deploy/SKILL.md", "not committed\n");
    let before = state(&world);
    world.run(&["import", "--from", "../bundle"]).ends_with(1).says(&["the work tree is in the way"]);
    assert_eq!(
        (world.refs("registry"), world.read("registry/skills/deploy/SKILL.md")),
        (before.0, "not committed\n".into())
    );
}

/// Returns the registry of this world as somebody's who works there.
pub fn outside(world: &World) -> Outside {
    let environment = ["PATH", "HOME"].map(|name| (name.into(), std::env::var_os(name).unwrap_or_default()));
    let identity = [
        ("GIT_AUTHOR_NAME", "Pat"),
        ("GIT_AUTHOR_EMAIL", "pat@example.com"),
        ("GIT_COMMITTER_NAME", "Pat"),
        ("GIT_COMMITTER_EMAIL", "pat@example.com"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
    ];
    let identity = identity.map(|(name, value)| (name.into(), value.into()));
    let environment = Environment(environment.into_iter().chain(identity).collect());
    Outside {
        directory: world.path("registry"),
        git: Git::new("git", &environment),
        environment,
        trust: Default::default(),
        cache: world.path("cache"),
        machine: Machine::default(),
        today: jiff::civil::date(2026, 11, 20),
        now: 1_800_000_000,
        lock_wait: std::time::Duration::from_secs(10),
    }
}

/// Returns the options of an import without any.
pub fn without_options() -> Options {
    Options {
        keys: Vec::new(),
        from: None,
        name: None,
        on_conflict: None,
        expect: None,
        link: false,
        commit: Commit { destination: Destination::DefaultBranch, message: None },
    }
}

/// Imports `deploy` with somebody at the terminal who answers `how`, after `meanwhile`.
fn at_a_terminal(world: &World, how: OnConflict, meanwhile: impl Fn()) -> (Vec<Conflict>, Value) {
    let outside = outside(world);
    let options = Options { keys: vec!["deploy".into()], from: Some("../bundle".into()), ..without_options() };
    let asked = RefCell::new(Vec::new());
    let decide = |conflict: &Conflict| {
        asked.borrow_mut().push(conflict.clone());
        meanwhile();
        Ok(Some(how))
    };
    let ask = Ask { choose: &|_| panic!("a key was named"), decide: &decide };
    let report = import(&outside, &options, &ask).unwrap();
    (asked.into_inner(), serde_json::to_value(report).unwrap())
}

#[test]
fn a_terminal_is_asked_and_what_was_decided_holds_for_the_content_that_was_shown() {
    for (how, status) in [
        (OnConflict::Fail, "conflict exists"),
        (OnConflict::Skip, "skipped exists"),
        (OnConflict::Rename, "renamed exists"),
        (OnConflict::Overwrite, "completed overwritten"),
    ] {
        let world = world();
        world.registry(&[("skills/deploy/SKILL.md", &skill("deploy", "here already"))]);
        let (asked, report) = at_a_terminal(&world, how, || ());
        assert_eq!((asked.len(), told(&report)), (1, vec![format!("deploy {status}")]));
        assert_eq!(asked[0].suggested_name.as_str(), "deploy-2");
    }
    let world = world();
    world.registry(&[("skills/deploy/SKILL.md", &skill("deploy", "here already"))]);
    let (_, report) = at_a_terminal(&world, OnConflict::Overwrite, || {
        // The lock is free while the person thinks.
        world.registry(&[("skills/deploy/SKILL.md", &skill("deploy", "somebody was faster"))]);
    });
    assert_eq!(told(&report), ["deploy failed changed"]);
    let (_, report) = at_a_terminal(&world, OnConflict::Overwrite, || {
        world.git("registry", &["mv", "skills/deploy", "skills/renamed"]);
        world.commit("registry", "renamed");
    });
    assert_eq!(told(&report), ["deploy failed removed"], "it is not created anew");
    assert!(!world.exists("registry/skills/deploy"));
}
