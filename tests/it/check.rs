//! `check`: all findings, each with file, line and rule.

use crate::support::{World, skill};
use serde_json::json;

/// The findings as `file:line severity rule`.
fn findings(world: &World) -> Vec<String> {
    let report = world.run(&["--json", "check"]).json();
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|f| {
            let line = f["line"].as_u64().map_or(String::new(), |line| format!(":{line}"));
            let text = |key: &str| f[key].as_str().unwrap().to_owned();
            format!("{}{line} {} {}", text("file"), text("severity"), text("rule"))
        })
        .collect()
}

#[test]
fn errors_and_warnings_are_told_apart_by_the_exit_code() {
    let world = World::following(&[("skills/deploy/SKILL.md", &skill("deploy", "v1"))]);
    world.run(&["check"]).ok().says(&["2 skills checked", "0 errors, 0 warnings"]);
    world.registry(&[("skills/deploy/SKILL.md", "---\nname: deploy\ndescription: d\nmodel: opus\n---\n")]);
    assert_eq!(findings(&world), ["skills/deploy/SKILL.md:4 warning unknown-field"]);
    world.run(&["check"]).ok().says(&["0 errors, 1 warning"]);
    world.registry(&[("skills/deploy/SKILL.md", "---\nname: other\ndescription: d\n---\n")]);
    assert_eq!(findings(&world), ["skills/deploy/SKILL.md:2 error name-directory"]);
    world.run(&["check"]).ends_with(1).says(&["1 error, 0 warnings"]);
}

#[test]
fn every_rule_of_the_spec_is_reported_with_its_line() {
    let world = World::following(&[("skills/deploy/SKILL.md", &skill("deploy", "v1"))]);
    let long = "x".repeat(1025);
    let body = "line\n".repeat(501);
    let files = [
        ("caps", "---\nname: Caps\ndescription: d\n---\n".to_owned()),
        ("chars", "---\nname: a_b\ndescription: d\n---\n".to_owned()),
        ("compat", format!("---\nname: compat\ndescription: d\ncompatibility: {}\n---\n", "x".repeat(501))),
        ("duplicate", "---\nname: duplicate\ndescription: d\nname: duplicate\n---\n".to_owned()),
        ("empty", "---\nname: empty\ndescription:\n---\n".to_owned()),
        ("hyphens", "---\nname: a--b\ndescription: d\n---\n".to_owned()),
        ("invalid", "---\nname: invalid\ndescription: Use: \"x\": y: z\n---\n".to_owned()),
        ("long", format!("---\nname: long\ndescription: {long}\n---\n{body}")),
        ("missing", "---\nlicense: MIT\n---\n".to_owned()),
        ("none", "# no frontmatter\n".to_owned()),
        ("type", "---\nname: type\ndescription: [a]\n---\n".to_owned()),
    ];
    for (name, text) in &files {
        world.write(format!("registry/skills/{name}/SKILL.md"), text);
    }
    world.commit("registry", "all wrong");
    let found = findings(&world);
    for expected in [
        "caps/SKILL.md:2 error name-lowercase",
        "chars/SKILL.md:2 error name-characters",
        "compat/SKILL.md:4 error compatibility-too-long",
        "duplicate/SKILL.md:4 error duplicate-key",
        "empty/SKILL.md:3 error description-empty",
        "hyphens/SKILL.md:2 error name-hyphens",
        "invalid/SKILL.md:3 error yaml-invalid",
        "long/SKILL.md:3 error description-too-long",
        "long/SKILL.md:505 warning body-too-long",
        "missing/SKILL.md:1 error description-missing",
        "missing/SKILL.md:1 error name-missing",
        "none/SKILL.md:1 error no-frontmatter",
        "type/SKILL.md:3 error description-type",
    ] {
        let expected = format!("skills/{expected}");
        assert!(found.contains(&expected), "no {expected} in {found:#?}");
    }
}

#[test]
fn entries_and_sources_that_do_not_parse_show_file_line_and_column() {
    let world = World::following(&[("skills/deploy/SKILL.md", &skill("deploy", "v1"))]);
    world.edit("registry/skills/deploy.toml", "status = \"active\"", "status = \"sleepy\"");
    world.registry(&[("sources/bad.toml", "format = 1\ngit = \"x\"\nenable = true\n")]);
    let found = findings(&world);
    assert_eq!(found, ["skills/deploy.toml:2 error entry-invalid", "sources/bad.toml:3 error source-invalid"]);
    let text = world.run(&["check"]).ends_with(1).stdout;
    assert!(text.contains("skills/deploy.toml:2: error [entry-invalid] `status` is one of `active`, "), "{text}");
    assert!(text.contains("`enable` is no key here; did you mean `enabled`?"), "{text}");
    // The other commands name the same place, and what to do.
    let said = [
        "sources/bad.toml:3:1: `enable` is no key here",
        "edit sources/bad.toml, commit it, and run: skillgraft check",
    ];
    world.run(&["source", "disable", "bad"]).ends_with(2).says(&said);
    world.run(&["source", "rename", "bad", "worse"]).ends_with(2).says(&said);
    let said = ["sources/up.toml:4:1: `enble` is no key here; did you mean `enable", "nothing was changed"];
    world.run(&["source", "set", "up", "enble=true"]).ends_with(2).says(&said);
    world.registry(&[("sources/bad.toml", "format = 1\ngit = x\n")]);
    let said = ["sources/bad.toml:2:7: the text of `git` needs quotes around it", "edit sources/bad.toml"];
    world.run(&["source", "set", "bad", "ref=main"]).ends_with(2).says(&said);
}

#[test]
fn a_broken_settings_file_is_an_error_with_its_place() {
    let world = World::following(&[("skills/deploy/SKILL.md", &skill("deploy", "v1"))]);
    world.registry(&[("skillgraft.toml", "format = 1\n[registry]\nbranch = main\n")]);
    for command in ["check", "sync", "status", "list"] {
        world.run(&[command]).ends_with(2).says(&["skillgraft.toml:3:10: "]);
    }
    world.registry(&[("skillgraft.toml", "[registry]\n")]);
    world.run(&["sync"]).ends_with(2).says(&["skillgraft.toml: `format` is missing", "format = 1"]);
}

#[test]
fn a_skills_folder_that_is_not_there_is_an_error_where_skills_are_elsewhere() {
    let world = World::following(&[("skills/deploy/SKILL.md", &skill("deploy", "v1"))]);
    world.edit("registry/skillgraft.toml", "# skills = \"skills\"", "skills = \"nope\"");
    world.registry(&[]);
    assert_eq!(findings(&world), ["skillgraft.toml:7 error skills-folder"]);
    let text = world.run(&["check"]).ends_with(1).stdout;
    assert!(
        text.contains("`registry.skills` is `nope`, and there is no such folder; there are skills in `skills`"),
        "{text}"
    );
    // A skill that was disabled has its entry only.
    world.git("registry", &["rm", "-rq", "skills/deploy", "skills/using-skillgraft"]);
    world.commit("registry", "entries only");
    assert_eq!(findings(&world), ["skillgraft.toml:7 error skills-folder"]);
    // Without any skill there is nothing to be missed.
    world.git("registry", &["rm", "-rq", "skills"]);
    world.commit("registry", "no skills");
    world.run(&["check"]).ok();
    for outside in ["../skills", "/srv/skills"] {
        world.edit("registry/skillgraft.toml", "skills = \"nope\"", &format!("skills = \"{outside}\""));
        world.registry(&[]);
        world.run(&["check"]).ends_with(2).says(&["skillgraft.toml:7:10: `registry.skills` cannot be used"]);
        world.edit("registry/skillgraft.toml", outside, "nope");
    }
}

#[test]
fn every_command_refuses_settings_that_would_hide_the_entries() {
    let world = World::following(&[("skills/deploy/SKILL.md", &skill("deploy", "v1"))]);
    let elsewhere = ["`registry.skills` is `nope`, and there is no such folder", "there are entries in `skills`"];
    let others = ["`registry.skills` cannot be used", "has other files of the registry"];
    let mut written = "# skills = \"skills\"".to_owned();
    for (folder, says) in [("nope", elsewhere), ("sources", others), ("licenses/up", others), (".", others)] {
        let line = format!("skills = \"{folder}\"");
        world.edit("registry/skillgraft.toml", &written, &line);
        written = line;
        world.commit("registry", "another folder");
        world.upstream(&[("skills/deploy/SKILL.md", &skill("deploy", folder))]);
        let refs = world.all_refs("registry");
        for command in [
            &["sync"][..],
            &["status"],
            &["list"],
            &["show", "deploy"],
            &["candidate", "list"],
            &["source", "list"],
            &["add", "../upstream", "--name", "again", "--namespace", "again"],
            &["tag"],
        ] {
            world.run(command).ends_with(2).says(&["error: skillgraft.toml:7:10: ", "skillgraft check"]).says(&says);
        }
        assert_eq!(world.all_refs("registry"), refs, "{folder}");
    }
    // It works again with the line as it was.
    world.edit("registry/skillgraft.toml", &written, "# skills = \"skills\"");
    world.commit("registry", "back");
    assert_eq!(world.sync().class("deploy"), "fast_forward");
}

#[test]
fn a_skills_folder_that_is_not_there_yet_is_made_by_the_first_skill() {
    let world = World::with_upstream(&[("skills/deploy/SKILL.md", &skill("deploy", "v1"))]);
    world.edit("registry/skillgraft.toml", "# skills = \"skills\"", "skills = \".agents/skills\"");
    // What else is in the repository is no skill of the registry, and another registry in it has its own entries.
    world.write("registry/docs/example/SKILL.md", skill("example", "not ours"));
    world.run_in("registry", &["init", "team"]).ok();
    world.run_in("registry/team", &["add", "../../upstream"]).ok();
    world.commit("registry", "where agents look");
    assert_eq!(world.json(&["list"])["skills"], json!([]));
    world.run(&["add", "../upstream"]).ok();
    assert!(world.exists("registry/.agents/skills/deploy.toml"));
    assert_eq!(world.sync().class("deploy"), "unchanged");
}

#[test]
fn edits_that_are_not_committed_are_said_to_be_unchecked() {
    let world = World::following(&[("LICENSE", "MIT\n"), ("skills/deploy/SKILL.md", &skill("deploy", "v1"))]);
    assert_eq!(world.json(&["check"])["uncommitted"], json!([]));
    world.write("registry/.gitignore", "*.log\n");
    world.write("registry/skills/deploy/run.log", "git does not look at it\n");
    world.write("registry/README.md", "not the registry's own\n");
    let index = std::fs::read(world.path("registry/.git/index")).unwrap();
    assert!(!world.run(&["check"]).ok().stderr.contains("notice"));
    world.write("registry/skills/deploy/SKILL.md", "no skill any more\n");
    let one = "notice: skills/deploy/SKILL.md is not committed as it stands; what was checked is the commit\n";
    world.run(&["check"]).ok().says(&[one]);
    world.write("registry/skills/new \u{1b}[2J/SKILL.md", "new\n");
    world.write("registry/sources/more.toml", "format = 1\n");
    std::fs::remove_file(world.path("registry/licenses/up/LICENSE")).unwrap();
    world.run(&["check"]).ok().says(&["LICENSE and 3 other files are not committed as they stand"]);
    assert_eq!(
        world.json(&["check"])["uncommitted"],
        json!([
            {"file": "licenses/up/LICENSE", "change": "deleted"},
            {"file": "skills/deploy/SKILL.md", "change": "changed"},
            {"file": "skills/new \u{1b}[2J/SKILL.md", "change": "added"},
            {"file": "sources/more.toml", "change": "added"},
        ])
    );
    assert_eq!(std::fs::read(world.path("registry/.git/index")).unwrap(), index, "it only looks");
    assert_eq!(world.run(&["check", "--quiet"]).ok().stderr, "");
    // In the folder of a larger repository files are named as the registry names them; a bare one has none.
    world.run_in("upstream", &["init", "ours"]).ok();
    world.write("upstream/ours/skills/a/SKILL.md", "new\n");
    let report = world.run_in("upstream/ours", &["--json", "check"]).ok().json();
    assert_eq!(report["uncommitted"], json!([{"file": "skills/a/SKILL.md", "change": "added"}]));
    world.git("", &["clone", "-q", "--bare", "registry", "bare.git"]);
    assert_eq!(world.run_in("bare.git", &["--json", "check"]).ok().json()["uncommitted"], json!([]));
}

#[test]
fn licences_that_nothing_can_have_are_reported() {
    let quoted = skill("odd", "v1").replace("description:", "license: Ask Pat\ndescription:");
    let world = World::following(&[("skills/odd/SKILL.md", &quoted)]);
    let policy = "licenses = [\n  \"mit\",\n  \"Apache-2\",\n  \"Ask Pat\",\n  \"MIT OR ISC\",\n  \"*\",\n]\n";
    world.edit("registry/skillgraft.toml", "[limits]\n", &format!("{policy}[limits]\n"));
    world.edit("registry/sources/up.toml", "skills =", "policy.licenses = [\"Ask Pat\", \"MIT License\"]\nskills =");
    world.registry(&[]);
    let line =
        world.read("registry/skillgraft.toml").lines().position(|line| line.contains("Apache-2\",")).unwrap() + 1;
    let found = findings(&world);
    let here = format!("skillgraft.toml:{line} warning license-unknown");
    assert_eq!(found, [here, "sources/up.toml:3 warning license-unknown".into()]);
    let text = world.run(&["check"]).ok().stdout;
    assert!(text.contains("did you mean `Apache-2.0`?") && text.contains("did you mean `MIT`?"), "{text}");
}

#[test]
#[cfg(unix)]
fn every_other_rule_is_reported_too() {
    let world = World::following(&[
        ("skills/deploy/SKILL.md", &skill("deploy", "v1")),
        ("skills/gone/SKILL.md", &skill("gone", "v1")),
        ("skills/orphan/SKILL.md", &skill("orphan", "v1")),
    ]);
    world.git("registry", &["rm", "-rq", "skills/gone"]);
    world.edit("registry/skills/orphan.toml", "source = \"up\"", "source = \"nobody\"");
    world.write("registry/skills/deploy/.gitignore", "*.log\n");
    world.write("registry/skills/deploy/inner/SKILL.md", skill("inner", "v1"));
    world.write("registry/skills/v2/SKILL.md", skill("v2", "v1"));
    world.write("registry/skills/a/b/SKILL.md", skill("b", "v1"));
    world.write("registry/skills/a/SKILL.md", skill("a", "v1"));
    world.write("registry/skills/many/SKILL.md", skill("many", "v1"));
    world.write("registry/skills/many/x", [b'x'; 3000]);
    world.write("registry/skills/many/y", "y");
    world.write("registry/skills/no-md.toml", "format = 1\n");
    world.write("registry/skills/no-md/README.md", "x\n");
    std::os::unix::fs::symlink("SKILL.md", world.path("registry/skills/many/link")).unwrap();
    let limits = "[limits]\nskill_files = 2\nskill_bytes = \"2 KiB\"\nfile_bytes = \"1 KiB\"\n";
    world.edit("registry/skillgraft.toml", "[limits]\n", limits);
    // What no file system here would hold.
    let blob = world.git_with("registry", &["hash-object", "-w", "--stdin"], b"x");
    for name in ["skills/case/a.md", "skills/case/A.md", "skills/case/con.txt", "skills/case/a\\b"] {
        world.git("registry", &["update-index", "--add", "--cacheinfo", &format!("100644,{blob},{name}")]);
    }
    let text = world.git_with("registry", &["hash-object", "-w", "--stdin"], skill("case", "v1").as_bytes());
    world.git("registry", &["update-index", "--add", "--cacheinfo", &format!("100644,{text},skills/case/SKILL.md")]);
    let commit = world.head("registry");
    world.git("registry", &["update-index", "--add", "--cacheinfo", &format!("160000,{commit},skills/case/module")]);
    world.git(
        "registry",
        &[
            "add",
            "skills/v2",
            "skills/a",
            "skills/many",
            "skills/deploy",
            "skills/orphan.toml",
            "skillgraft.toml",
            "skills/no-md",
            "skills/no-md.toml",
        ],
    );
    world.git("registry", &["commit", "-q", "-m", "all wrong"]);
    let found = findings(&world);
    for expected in [
        "skills/case/a.md error name-collision",
        "skills/case/a\\b error path",
        "skills/case/con.txt error path",
        "skills/case/module error submodule",
        "skills/deploy/.gitignore warning git-control-file",
        "skills/gone.toml error missing-local",
        "skills/many error too-large",
        "skills/many error too-many-files",
        "skills/many/link warning symlink",
        "skills/many/x error file-too-large",
        "skills/no-md error skill-md-missing",
        "skills/orphan.toml error source-missing",
    ] {
        assert!(found.iter().any(|f| f == expected), "no {expected} in {found:#?}");
    }
    assert!(found.iter().any(|f| f.starts_with("skills") && f.ends_with("error name")), "v2: {found:#?}");
    world.run(&["check"]).ends_with(1);
}

#[test]
fn files_with_bad_names_are_reported_by_their_names() {
    let world = World::following(&[("skills/deploy/SKILL.md", &skill("deploy", "v1"))]);
    world.registry(&[
        ("sources/Bad Name.toml", "format = 1\ngit = \"x\"\n"),
        ("skills/v2/SKILL.md", &skill("v2", "v1")),
        ("skills/acme/Big.toml", "format = 1\n"),
    ]);
    let expected = ["skills/acme/Big.toml error name", "skills/v2 error name", "sources/Bad Name.toml error name"];
    assert_eq!(findings(&world), expected);
    let text = world.run(&["check"]).ends_with(1).stdout;
    assert!(text.contains("skills/v2: error [name] `v2` cannot be a skill id"), "{text}");
}

#[test]
fn check_looks_at_the_commit_that_is_checked_out() {
    let world = World::following(&[("skills/deploy/SKILL.md", &skill("deploy", "v1"))]);
    world.git("registry", &["switch", "-q", "-c", "pull-request"]);
    world.registry(&[("skills/deploy/SKILL.md", "no frontmatter\n")]);
    world.run(&["check"]).ends_with(1);
    world.git("registry", &["switch", "-q", "main"]);
    world.run(&["check"]).ok();
}

#[test]
fn an_entry_only_candidate_that_was_merged_late_is_reported() {
    let world = crate::sync::world();
    let (before, after) = (crate::sync::lines("first", "v1"), crate::sync::lines("first", "v2"));
    world.upstream(&[("skills/deploy/SKILL.md", &before)]);
    world.sync();
    world.run(&["candidate", "accept", "deploy"]).ok();
    // The team had upstream's next idea first, and then thought better of it.
    world.registry(&[("skills/deploy/SKILL.md", &after)]);
    world.upstream(&[("skills/deploy/SKILL.md", &after)]);
    assert_eq!(world.sync().class("deploy"), "already_applied");
    world.registry(&[("skills/deploy/SKILL.md", &before)]);
    world.git("registry", &["merge", "-q", "--no-edit", "candidate/up/deploy"]);
    let late = world.head("registry");
    let found = findings(&world);
    assert!(found.contains(&"skills/deploy.toml warning update-without-content".into()), "{found:?}");
    let said = world.run(&["check"]).stdout;
    assert!(said.contains(&format!("commit {} recorded an update without its content", &late[..7])), "{said}");
    let synced = world.sync();
    let notice = &synced.skill("deploy")["notice"];
    assert_eq!(notice["message"], format!("commit {} recorded an update without its content", &late[..7]));
    // Undone and proposed again, as the message says.
    let hint = notice["hint"].as_str().unwrap().strip_prefix("if nobody meant that: ").unwrap();
    assert!(said.contains(hint), "{said}");
    let (undo, again) = hint.split_once(", then: ").unwrap();
    world.git("registry", &undo.split(' ').skip(1).collect::<Vec<_>>());
    assert!(world.sync().skill("deploy")["notice"]["message"].as_str().unwrap().starts_with("held: "));
    world.run(&again.split(' ').skip(1).collect::<Vec<_>>()).ok();
    world.run(&["candidate", "accept", "deploy"]).ok();
    assert!(world.read("registry/skills/deploy/SKILL.md").contains("v2"));
    assert!(!findings(&world).iter().any(|finding| finding.contains("update-without-content")));
    assert!(world.sync().skill("deploy")["notice"].is_null());
}

#[test]
fn a_late_entry_is_told_by_sync_when_it_was_squashed_and_upstream_has_moved_on_too() {
    let world = crate::sync::world();
    let text = |last: &str| crate::sync::lines("first", last);
    world.registry(&[("skills/deploy/SKILL.md", &text("v2"))]);
    world.upstream(&[("skills/deploy/SKILL.md", &text("v2"))]);
    assert_eq!(world.sync().class("deploy"), "already_applied");
    world.registry(&[("skills/deploy/SKILL.md", &text("last"))]);
    world.git("registry", &["merge", "-q", "--squash", "candidate/up/deploy"]);
    let late = world.commit("registry", "squashed late");
    world.upstream(&[("skills/deploy/SKILL.md", &crate::sync::lines("third", "v2"))]);
    let synced = world.sync();
    let notice = &synced.skill("deploy")["notice"];
    assert_eq!(
        (synced.class("deploy"), notice["message"].as_str()),
        ("three_way", Some(format!("commit {} recorded an update without its content", &late[..7]).as_str()))
    );
    assert!(notice["hint"].as_str().unwrap().contains(&format!("git revert --no-edit {}, ", &late[..7])), "{notice}");
}
