//! What upstream, the environment and the repository may not do.

use crate::support::{World, listing, skill};
use crate::sync::{lines, world};

#[test]
fn variables_that_locate_another_repository_are_ignored() {
    let world = world();
    world.init("elsewhere");
    world.write("elsewhere/a", "a\n");
    world.commit("elsewhere", "elsewhere");
    world.run(&["add", &world.url("upstream"), "--name", "url", "--namespace", "url"]).ok();
    world.upstream(&[("skills/deploy/SKILL.md", &lines("first", "upstream's"))]);
    let before = (world.refs("elsewhere"), listing(&world.path("elsewhere/.git")));
    let run = |args: &[&str]| {
        let mut command = world.command(crate::support::PROGRAM, "registry");
        command.env("GIT_DIR", world.path("elsewhere/.git")).env("GIT_WORK_TREE", world.path("elsewhere"));
        command
            .env("GIT_INDEX_FILE", world.path("elsewhere/.git/index"))
            .env("GIT_COMMON_DIR", world.path("elsewhere/.git"));
        command.env("GIT_OBJECT_DIRECTORY", world.path("elsewhere/.git/objects")).env("GIT_NAMESPACE", "evil");
        command.env("GIT_EXTERNAL_DIFF", "false").env("GIT_PREFIX", "x").env("GIT_CEILING_DIRECTORIES", "/");
        let output = command.args(args).output().unwrap();
        assert!(output.status.success(), "{args:?} {}", String::from_utf8_lossy(&output.stderr));
    };
    run(&["sync"]);
    assert_eq!(world.branches("registry", "candidate/").len(), 2);
    run(&["candidate", "accept", "deploy", "url/deploy"]);
    assert!(world.read("registry/skills/deploy/SKILL.md").contains("upstream's"));
    assert_eq!((world.refs("elsewhere"), listing(&world.path("elsewhere/.git"))), before);
}

#[test]
fn configuration_from_the_environment_still_reaches_git() {
    let world = world();
    world.set_env("GIT_CONFIG_COUNT", Some("1"));
    world.set_env("GIT_CONFIG_KEY_0", Some(format!("url.{}/.insteadOf", world.url(""))));
    world.set_env("GIT_CONFIG_VALUE_0", Some("file:///mirror.example/"));
    world.run(&["add", "file:///mirror.example/upstream", "--name", "url", "--namespace", "url"]).ok();
    assert!(world.exists("registry/skills/url/deploy/SKILL.md"));
}

#[test]
fn a_url_with_a_password_is_refused_and_never_printed() {
    let world = world();
    let refs = world.refs("registry");
    for url in
        ["https://pat:hunter2@example.com/x", "https://ghp_hunter2@github.com/x", "ssh://git:hunter2@example.com/x"]
    {
        for args in [&["add", url][..], &["--json", "add", url, "--name", "x"], &["-v", "add", url, "--propose"]] {
            let run = world.run(args).ends_with(2);
            assert!(!run.all().contains("hunter2"), "{}", run.all());
            assert!(run.stderr.contains("password or token"), "{}", run.stderr);
        }
    }
    assert_eq!(world.refs("registry"), refs);
    // Nor where somebody wrote it into a source file by hand.
    world.registry(&[("sources/leak.toml", "format = 1\ngit = \"https://pat:hunter2@example.com/x\"\n")]);
    for args in [
        &["sync"][..],
        &["--json", "sync"],
        &["source", "list"],
        &["status"],
        &["check"],
        &["source", "enable", "leak"],
    ] {
        let run = world.run(args);
        assert!(!run.all().contains("hunter2"), "{args:?}: {}", run.all());
    }
}

#[test]
fn a_source_that_would_run_a_program_is_refused() {
    let world = world();
    for typed in
        ["ext::sh -c 'touch /tmp/owned'", "http://example.com/x", "fd::3", "--upload-pack=touch /tmp/owned", "host:-x"]
    {
        world.run(&["add", "--name", "x", "--", typed]).ends_with(2).says(&["hint:"]);
    }
    world.registry(&[("sources/evil.toml", "format = 1\ngit = \"ext::sh -c 'touch owned'\"\n")]);
    assert_eq!(world.try_sync("registry", &["evil"]).code, 1);
    for reference in ["--upload-pack=x", "-x", "a..b", "x:y", "refs/heads/*"] {
        let url = world.url("upstream");
        let run = world.run(&["add", &url, "--name", "x", &format!("--ref={reference}")]);
        assert_ne!(run.code, 0, "{reference}");
    }
    assert_eq!(world.git("registry", &["status", "--porcelain"]), "");
}

#[test]
fn terminal_escapes_from_upstream_never_reach_the_terminal_raw() {
    let evil = "\x1b]0;owned\x07\x1b[31m\u{202e}";
    let yaml = "\\e]0;owned\\a\\e[31m\\u202e";
    let world = World::with_upstream(&[
        ("skills/good/SKILL.md", &skill("good", "v1")),
        (
            "skills/evil/SKILL.md",
            &format!(
                "---\nname: \"{yaml}\"\ndescription: \"{yaml}\"\nlicense: \"{yaml}\"\nversion: \"{yaml}\"\nmetadata:\n  version: \"{yaml}\"\n\"{yaml}\": x\n---\n{evil}\n"
            ),
        ),
    ]);
    world.write(format!("upstream/skills/{evil}/SKILL.md"), skill("named", "v1"));
    world.write(format!("upstream/skills/inner/{evil}.md"), evil);
    world.write("upstream/skills/inner/SKILL.md", skill("inner", evil));
    world.upstream(&[(&format!("LICENSE-{evil}"), "x\n")]);
    let mut shown = world.run(&["add", "../upstream", "--name", "up"]).ok().all();
    world.upstream(&[(
        "skills/evil/SKILL.md",
        &format!("---\nname: evil\ndescription: \"{yaml} 2\"\nversion: \"{yaml} 2\"\n---\n{evil}2\n"),
    )]);
    world.git("upstream", &["commit", "-q", "--amend", "-m", evil]);
    for args in [
        &["sync"][..],
        &["-v", "sync"],
        &["status"],
        &["list"],
        &["check"],
        &["candidate", "list"],
        &["candidate", "show", "evil"],
        &["candidate", "diff", "evil"],
        &["source", "list"],
        &["candidate", "accept", "evil"],
        &["candidate", "show", evil],
        &["add", evil],
        &["add", "../upstream", "--name", evil],
        &["add", "../upstream", "--name", "x", "--path", evil],
        &["add", "../upstream", "--name", "x", "--ref", evil],
        &["sync", evil],
    ] {
        shown.push_str(&world.run(args).all());
    }
    for raw in ['\x1b', '\x07', '\u{202e}'] {
        assert!(!shown.contains(raw), "{raw:?} in {shown:?}");
    }
    // In a document a terminal's commands are JSON's own escapes.
    let json = world.run(&["--json", "sync"]).stdout + &world.run(&["--json", "list"]).stdout;
    assert!(!json.contains(['\x1b', '\x07']), "{json:?}");
    let list = world.json(&["list"]);
    assert!(list["skills"].as_array().unwrap().iter().any(|s| s["id"] == "evil"), "{list:#}");
}

/// Puts hooks and a filter into the registry that leave a trace when they run.
fn traps(world: &World) {
    let trace = world.path("ran");
    for hook in [
        "post-checkout",
        "post-commit",
        "post-index-change",
        "post-merge",
        "post-rewrite",
        "post-update",
        "pre-commit",
        "pre-merge-commit",
        "pre-push",
        "prepare-commit-msg",
        "commit-msg",
        "reference-transaction",
        "update",
        "pre-auto-gc",
    ] {
        world
            .write(format!("registry/.git/hooks/{hook}"), format!("#!/bin/sh\necho {hook} >> '{}'\n", trace.display()));
    }
    let hook = format!("echo filter >> '{}'; cat", trace.display());
    for key in ["filter.evil.smudge", "filter.evil.clean", "diff.evil.textconv", "merge.evil.driver"] {
        world.git("registry", &["config", key, &hook]);
    }
    let _ = std::fs::remove_file(&trace);
}

#[test]
fn hooks_of_the_registry_never_run() {
    let world = world();
    traps(&world);
    world.upstream(&[
        ("skills/deploy/SKILL.md", &lines("first", "upstream's")),
        ("skills/other/SKILL.md", &skill("other", "v2")),
    ]);
    world.run(&["add", &world.url("upstream"), "--name", "url", "--namespace", "url"]).ok();
    world.run(&["sync"]).ok();
    world.run(&["candidate", "accept", "deploy"]).ok();
    world.run(&["candidate", "accept", "other", "--propose"]).ok();
    world.run(&["sync"]).ok();
    assert!(!world.exists("ran"), "{}", world.read("ran"));
}

#[test]
fn filters_of_an_upstreams_gitattributes_are_never_run_by_sync() {
    let world = world();
    traps(&world);
    let evil = "* filter=evil diff=evil merge=evil\n";
    world.upstream(&[
        ("skills/deploy/.gitattributes", evil),
        ("skills/deploy/SKILL.md", &lines("theirs", "last")),
        ("skills/new/.gitattributes", evil),
        ("skills/new/SKILL.md", &skill("new", "v1")),
        (".gitattributes", evil),
    ]);
    world.git("registry", &["config", "core.hooksPath", "/dev/null"]);
    world.registry(&[("skills/deploy/SKILL.md", &lines("first", "ours"))]);
    let _ = std::fs::remove_file(world.path("ran"));
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("new")), ("three_way", "opened"));
    world.run(&["candidate", "diff", "deploy"]).ok();
    world.run(&["candidate", "show", "deploy"]).ok();
    world.run(&["check"]).ok();
    assert!(!world.exists("ran"), "{}", world.read("ran"));
}

#[test]
fn what_a_fetch_brings_is_checked_by_git_and_a_failed_one_leaves_nothing_behind() {
    let world = world();
    world.run(&["add", &world.url("upstream"), "--name", "url", "--namespace", "url"]).ok();
    world.is_broken_on_purpose("upstream");
    let blob = world.git_with("upstream", &["hash-object", "-w", "--stdin"], b"x");
    let entries = format!("100644 blob {blob}\t.git\n100644 blob {blob}\tSKILL.md\n");
    let tree = world.git_with("upstream", &["mktree"], entries.as_bytes());
    let commit = world.git("upstream", &["commit-tree", "-p", "HEAD", "-m", "evil", &tree]);
    world.git("upstream", &["update-ref", "HEAD", &commit]);
    let synced = world.try_sync("registry", &["url"]);
    assert_eq!((synced.code, synced.source("url")["outcome"].as_str()), (1, Some("failed")));
    let cache = listing(&world.path("cache"));
    assert!(!cache.contains("tmp_"), "{cache}");
    assert!(world.git_tries("registry", &["fsck", "--strict"]));
}

#[cfg(unix)]
#[test]
fn a_command_that_names_what_upstream_called_its_files_can_be_pasted_and_runs_nothing_else() {
    let name = "it's $(touch pwned) `touch pwned`; touch pwned & x.md";
    let file = format!("skills/deploy/{name}");
    let world = World::following(&[("skills/deploy/SKILL.md", &skill("deploy", "v1")), (&file, "one\n")]);
    world.registry(&[(&file, "ours\n")]);
    world.upstream(&[(&file, "theirs\n")]);
    world.sync();
    let run = world.run(&["candidate", "resolve", "deploy"]).ends_with(1).all();
    let command = run.split("or take one side: skillgraft ").nth(1).unwrap().lines().next().unwrap();
    let pasted =
        world.command("sh", "registry").args(["-c", &format!("{} {command}", crate::support::PROGRAM)]).output();
    let pasted = pasted.unwrap();
    assert!(pasted.status.success(), "{command}\n{}", String::from_utf8_lossy(&pasted.stderr));
    assert_eq!(world.show("registry", "candidate/up/deploy", &file), "theirs\n");
    assert!(!world.exists("registry/pwned"));
}
