//! Where something is wrong, the words say what, and what to do about it.

use crate::support::{World, skill};

#[test]
fn a_day_is_asked_for_as_it_is_written() {
    let world = World::following(&[("skills/deploy/SKILL.md", &skill("deploy", "v1"))]);
    for args in [&["pause", "up"][..], &["candidate", "decline", "deploy", "--reason", "no"]] {
        for wrong in ["tomorrow", "31.1.2030", "2030-01-31T10:00", "2030-02-30"] {
            let run = world.run(&[args, &["--until", wrong]].concat()).ends_with(2);
            run.says(&["write a day as YYYY-MM-DD, for example 2030-01-31"]);
        }
    }
    world.run(&["pause", "--help"]).ok().prints(&["--until <YYYY-MM-DD>", "itself included"]);
    let over = ["pause", "up", "--until", "2020-01-01"];
    world.run(&over).ends_with(2).says(&["is over already", "hint: name today or a later day"]);
}

#[test]
fn a_source_that_cannot_be_read_is_not_called_disabled() {
    let world = World::following(&[("skills/deploy/SKILL.md", &skill("deploy", "v1"))]);
    world.registry(&[("sources/up.toml", "format = 1\ngit = \"../upstream\"\nenable = true\n")]);
    let why = "sources/up.toml:3:1: `enable` is no key here; did you mean `enabled`?";
    let run = world.run(&["status"]).ok();
    assert!(run.stdout.contains("up      cannot be read  1"), "{}", run.stdout);
    assert_eq!(run.stderr.matches(why).count(), 1, "{}", run.stderr);
    let run = world.run(&["source", "list"]).ok();
    assert!(run.stdout.contains("up      cannot be read  1") && run.stderr.contains(why), "{run:?}");
    let status = world.json(&["status"]);
    assert_eq!((&status["sources"][0]["error"], &status["sources"][0]["enabled"]), (&why.into(), &false.into()));
}

#[test]
fn a_default_branch_that_is_not_there_has_a_way_out() {
    let world = World::following(&[("skills/deploy/SKILL.md", &skill("deploy", "v1"))]);
    world.edit("registry/skillgraft.toml", "branch = \"main\"", "branch = \"trunk\"");
    world.registry(&[]);
    for command in ["status", "sync", "check", "list"] {
        world.run(&[command]).ends_with(1).says(&[
            "the default branch is `trunk`, and there is no such branch",
            "hint: write branch = \"main\" under [registry] in skillgraft.toml and commit it; or make it: git branch trunk main",
        ]);
    }
    // A forge's checkout of one commit, with that and nothing else.
    world.git("registry", &["switch", "-q", "--detach"]);
    world.git("registry", &["remote", "add", "origin", "../remote.git"]);
    let said = ["or make it: git branch trunk HEAD; or fetch it, if origin has it: git fetch origin trunk"];
    world.run(&["check"]).ends_with(1).says(&said);
    world.git("registry", &["remote", "remove", "origin"]);
    world.git("registry", &["switch", "-q", "main"]);
    world.git("registry", &["branch", "trunk", "main"]);
    world.run(&["status"]).ok();
    world.git("registry", &["branch", "-q", "-D", "trunk"]);
    world.edit("registry/skillgraft.toml", "branch = \"trunk\"", "branch = \"main\"");
    world.registry(&[]);
    world.run(&["status"]).ok();
}

#[test]
fn completions_are_in_the_help() {
    let world = World::new();
    world.run_in("", &["--help"]).ok().prints(&["completions"]);
    world.run_in("", &["completions", "bash"]).ok().prints(&["complete -F _skillgraft"]);
}

#[test]
fn edits_that_are_not_committed_are_named_and_change_nothing() {
    let world = World::following(&[("skills/deploy/SKILL.md", &skill("deploy", "v1"))]);
    world.write("registry/skills/deploy/SKILL.md", "a skill is edited freely\n");
    for command in ["status", "sync"] {
        let said = world.run(&[command]).ok().stderr;
        assert!(!said.contains("not committed"), "{said}");
    }
    let committed = world.read("registry/sources/up.toml");
    world.write("registry/sources/up.toml", committed.replace('\n', "\r\n"));
    assert_eq!(world.json(&["status"])["uncommitted"], serde_json::json!([]), "git's own line ends are no edit");
    world.edit("registry/sources/up.toml", "skills", "enabled = false\r\nskills");
    world.write("registry/sources/new.toml", "format = 1\ngit = \"../upstream\"\n");
    world.write("registry/sources/README.md", "no source\n");
    let said = [
        "notice: sources/new.toml is new but not committed; sync reads main",
        "notice: sources/up.toml is changed but not committed; sync reads main",
    ];
    world.counts_git();
    world.run(&["status"]).ok().says(&said);
    assert!(world.git_runs().is_empty(), "files are read, no git is asked about them");
    for command in ["status", "sync"] {
        world.run(&[command]).ok().says(&said);
        assert!(!world.run(&[command, "--quiet"]).ok().stderr.contains("committed"));
    }
    assert_eq!(world.json(&["sync"])["sources"][0]["outcome"], "unchanged", "the edit does not count");
    let uncommitted = &world.json(&["sync"])["uncommitted"];
    assert_eq!(uncommitted[1], serde_json::json!({"file": "sources/up.toml", "change": "changed"}));
    std::fs::remove_file(world.path("registry/sources/up.toml")).unwrap();
    world.run(&["status"]).ok().says(&["sources/up.toml is deleted but not committed"]);
    // A bare repository has no files.
    world.git("", &["clone", "-q", "--bare", "registry", "bare.git"]);
    assert_eq!(world.run_in("bare.git", &["--json", "status"]).ok().json()["uncommitted"], serde_json::json!([]));
    // Committed, they count, and nothing is left to say.
    world.commit("registry", "committed");
    assert_eq!(world.json(&["status"])["uncommitted"], serde_json::json!([]));
}

#[test]
fn a_push_reads_the_branch_of_the_remote() {
    let world = World::following(&[("skills/deploy/SKILL.md", &skill("deploy", "v1"))]);
    world.git("", &["clone", "-q", "--bare", "registry", "remote.git"]);
    world.git("registry", &["remote", "add", "origin", "../remote.git"]);
    world.git("registry", &["fetch", "-q"]);
    world.edit("registry/sources/up.toml", "skills", "enabled = false\nskills");
    let said = ["sources/up.toml is changed but not committed; sync reads main of origin"];
    world.run(&["sync", "--push"]).ok().says(&said);
}

#[test]
fn a_token_is_neither_written_down_nor_printed() {
    let world = World::following(&[("skills/deploy/SKILL.md", &skill("deploy", "v1"))]);
    let head = world.head("registry");
    let token = "github_pat_11ABCDEFG0123456789";
    let quiet = |args: &[&str]| {
        let run = world.run(args).ends_with(2);
        assert!(!format!("{}{}", run.stdout, run.stderr).contains(token), "{run:?}");
        run
    };
    for url in [
        format!("https://{token}@github.com/acme/skills"),
        format!("https://oauth2:{token}@gitlab.com/acme/skills"),
        format!("https://gitlab.com/acme/skills?private_token={token}"),
        format!("https://example.com/.well-known/agent-skills/index.json?token={token}"),
        format!("ssh://{token}@github.com/acme/skills"),
        format!("{token}@github.com:acme/skills"),
        format!("pat:{token}@github.com/acme/skills"),
    ] {
        quiet(&["add", &url]).says(&["which would be committed", "git help credentials"]);
        quiet(&["--json", "add", &url]);
        quiet(&["source", "set", "up", &format!("git={url}")]);
        quiet(&["add", "--name", "tool", "--command", "program", &format!("--from=https://{token}@h/x")]);
    }
    let url = format!("https://{token}@github.com/acme/skills");
    for args in [&["show", &url][..], &["source", "show", &url], &["sync", &url], &["sync", "--push", &url]] {
        for json in [&[][..], &["--json"]] {
            let run = world.run(&[json, args].concat());
            assert!(run.code != 0 && !format!("{}{}", run.stdout, run.stderr).contains(token), "{run:?}");
        }
    }
    assert_eq!(world.head("registry"), head);
    // By hand it can be written, and then it is named by its place.
    let file = format!("format = 1\ngit = \"https://{token}@github.com/acme/skills\"\n");
    world.registry(&[("sources/bad.toml", &file)]);
    for args in [&["status"][..], &["check"], &["sync", "bad"], &["source", "list"], &["source", "show", "bad"]] {
        for json in [&[][..], &["--json"]] {
            let run = world.run(&[json, args].concat());
            let said = format!("{}{}", run.stdout, run.stderr);
            assert!(!said.contains(token), "{args:?}: {said}");
            assert!(said.contains("`git` cannot be used") || args[1..] == ["show", "bad"], "{said}");
        }
    }
}
