//! `add` and `source enable`: everything comes in with one commit, or nothing does.

use crate::support::{World, listing, skill};
use serde_json::json;

fn two_skills() -> World {
    World::with_upstream(&[
        ("skills/deploy/SKILL.md", &skill("deploy", "v1")),
        ("skills/deploy/run.sh", "#!/bin/sh\n"),
        ("skills/review/SKILL.md", &skill("review", "v1")),
        ("LICENSE", "MIT\n"),
        ("README.md", "not a skill\n"),
    ])
}

#[test]
fn a_url_a_local_repository_and_a_plain_folder_bring_in_the_same_trees() {
    let upstream = two_skills();
    let tree = upstream.rev("upstream", "HEAD:skills/deploy");
    for source in ["url", "repository", "folder"] {
        let world = two_skills();
        let typed = match source {
            "url" => world.url("upstream"),
            "repository" => "../upstream".into(),
            _ => {
                world.git("upstream", &["worktree", "add", "-q", "--detach", "../plain"]);
                std::fs::remove_file(world.path("plain/.git")).unwrap();
                "../plain".into()
            }
        };
        let report = world.json(&["add", &typed, "--name", "up"]);
        assert_eq!(report["skills"], json!(["deploy", "review"]), "{source}");
        assert_eq!(world.rev("registry", "HEAD:skills/deploy"), tree, "{source}");
        assert_eq!(world.git("registry", &["rev-list", "--count", "HEAD"]), "2", "one commit: {source}");
        let brought = world.git("registry", &["diff", "--name-only", "HEAD~1", "HEAD"]);
        assert_eq!(
            brought.lines().collect::<Vec<_>>(),
            [
                "licenses/up/LICENSE",
                "skills/deploy.toml",
                "skills/deploy/SKILL.md",
                "skills/deploy/run.sh",
                "skills/review.toml",
                "skills/review/SKILL.md",
                "sources/up.toml",
            ],
            "{source}"
        );
        assert_eq!(world.git("registry", &["status", "--porcelain"]), "");
        let mirrored = world.git("registry", &["ls-tree", "-r", "--name-only", "mirror/up"]);
        let mirrored: Vec<_> = mirrored.lines().collect();
        assert_eq!(
            mirrored,
            ["LICENSE", "skills/deploy/SKILL.md", "skills/deploy/run.sh", "skills/review/SKILL.md"],
            "each skill at its upstream path: {source}"
        );
        assert_eq!(world.sync().class("deploy"), "unchanged", "{source}");
        assert_eq!(world.run(&["check"]).code, 0);
    }
}

#[test]
fn a_path_inside_the_registrys_own_repository_is_a_plain_folder() {
    let world = World::with_upstream(&[("skills/a/SKILL.md", &skill("a", "v1"))]);
    world.registry(&[("vendor/b/SKILL.md", &skill("b", "v1"))]);
    let report = world.json(&["add", "./vendor", "--name", "vendored"]);
    assert_eq!(report["skills"], json!(["b"]));
    assert_eq!(world.sync().class("b"), "unchanged");
}

#[test]
fn a_branch_is_followed() {
    let world = two_skills();
    world.git("upstream", &["switch", "-q", "-c", "next"]);
    world.upstream(&[("skills/deploy/SKILL.md", &skill("deploy", "next"))]);
    world.git("upstream", &["switch", "-q", "main"]);
    for (name, typed) in [("local", "../upstream".to_owned()), ("remote", world.url("upstream"))] {
        let flags = ["--name", name, "--ref", "next", "--namespace", name];
        world.run(&[&["add", &typed][..], &flags].concat()).ok();
        assert!(world.read(format!("registry/skills/{name}/deploy/SKILL.md")).contains("next"));
    }
    world.upstream(&[("skills/deploy/SKILL.md", &skill("deploy", "on main"))]);
    assert_eq!(world.sync().class("local/deploy"), "unchanged", "main is not followed");
    world.git("upstream", &["switch", "-q", "next"]);
    world.upstream(&[("skills/deploy/SKILL.md", &skill("deploy", "next 2"))]);
    let synced = world.sync();
    assert_eq!((synced.class("local/deploy"), synced.class("remote/deploy")), ("fast_forward", "fast_forward"));
}

#[test]
fn an_annotated_tag_is_followed_to_its_commit() {
    let world = two_skills();
    world.git("upstream", &["tag", "-a", "-m", "one", "v1.0"]);
    world.upstream(&[("skills/deploy/SKILL.md", &skill("deploy", "v2"))]);
    for (name, typed) in [("local", "../upstream".to_owned()), ("remote", world.url("upstream"))] {
        let flags = ["--name", name, "--ref", "v1.0", "--namespace", name];
        world.run(&[&["add", &typed][..], &flags].concat()).ok();
        assert!(world.read(format!("registry/skills/{name}/deploy/SKILL.md")).contains("v1"));
    }
    assert_eq!(world.sync().class("local/deploy"), "unchanged");
}

#[test]
fn a_commit_is_a_pin_that_never_moves() {
    let world = two_skills();
    let pin = world.head("upstream");
    world.upstream(&[("skills/deploy/SKILL.md", &skill("deploy", "v2"))]);
    for (name, typed) in [("local", "../upstream".to_owned()), ("remote", world.url("upstream"))] {
        let flags = ["--name", name, "--ref", &pin, "--namespace", name];
        world.run(&[&["add", &typed][..], &flags].concat()).ok();
        assert!(world.read(format!("registry/skills/{name}/deploy/SKILL.md")).contains("v1"));
    }
    world.upstream(&[("skills/deploy/SKILL.md", &skill("deploy", "v3"))]);
    world.sync();
    let refs = world.refs("registry");
    let synced = world.sync();
    assert_eq!((synced.class("local/deploy"), synced.class("remote/deploy")), ("unchanged", "unchanged"));
    assert_eq!(synced.source("remote")["revision"], json!(pin));
    assert_eq!(world.refs("registry"), refs);
}

#[test]
fn a_ref_that_is_not_there_is_named_and_nothing_is_written() {
    let world = two_skills();
    let before = listing(&world.path("registry/.git/refs"));
    for typed in ["../upstream".to_owned(), world.url("upstream")] {
        world.run(&["add", &typed, "--ref", "gone"]).ends_with(1).says(&["`gone`", "hint:"]);
    }
    assert_eq!(listing(&world.path("registry/.git/refs")), before);
}

#[test]
fn only_what_path_skill_and_exclude_select_comes_in() {
    let files = ["a/skills/one", "a/skills/two", "a/skills/two-old", "b/skills/three"];
    let texts: Vec<(String, String)> =
        files.map(|path| (format!("{path}/SKILL.md"), skill(path.rsplit('/').next().unwrap(), "v1"))).into();
    let texts: Vec<(&str, &str)> = texts.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    for (flags, expected) in [
        (&["--path", "a"][..], json!(["one", "two", "two-old"])),
        (&["--skill", "t*"], json!(["three", "two", "two-old"])),
        (&["--skill", "t*", "--exclude", "*-old", "--path", "a"], json!(["two"])),
        (&["--skill", "one", "--skill", "three"], json!(["one", "three"])),
    ] {
        let world = World::with_upstream(&texts);
        let report = world.json(&[&["add", "../upstream"], flags].concat());
        assert_eq!(report["skills"], expected, "{flags:?}");
    }
    let world = World::with_upstream(&texts);
    world.run(&["add", "../upstream", "--skill", "nothing-*"]).ends_with(1).says(&["none is selected", "--skill"]);
    world.run(&["add", "../upstream", "--path", "c"]).ends_with(1).says(&["no folder `c`"]);
    assert_eq!(world.git("registry", &["rev-list", "--count", "HEAD"]), "1");
}

#[test]
fn a_namespace_stands_before_every_id() {
    let world = two_skills();
    let report = world.json(&["add", "../upstream", "--name", "up", "--namespace", "acme"]);
    assert_eq!(report["skills"], json!(["acme/deploy", "acme/review"]));
    assert!(world.exists("registry/skills/acme/deploy.toml"));
    world.upstream(&[("skills/deploy/SKILL.md", &skill("deploy", "v2"))]);
    world.sync();
    assert_eq!(world.branches("registry", "candidate/"), ["candidate/up/acme.deploy"]);
}

#[test]
fn a_skill_id_is_never_another_ones_namespace_and_never_looks_like_a_version() {
    let world = two_skills();
    world.registry(&[("skills/acme/SKILL.md", &skill("acme", "ours"))]);
    let refused = world.run(&["add", "../upstream", "--namespace", "acme"]).ends_with(1);
    refused.says(&["`acme` is a skill, so it cannot be the namespace of `acme/deploy`"]);
    world.upstream(&[("skills/v2/SKILL.md", &skill("v2", "x")), ("skills/ok/SKILL.md", &skill("v10", "x"))]);
    let report = world.json(&["add", "../upstream", "--name", "up"]);
    assert_eq!(report["skills"], json!(["deploy", "ok", "review"]), "the directory's name, where `name` cannot be one");
    assert_eq!(crate::support::sync::remarks(&report["rejected"]), ["skills/v2 no_id"]);
    world.run(&["add", "../upstream", "--name", "again", "--namespace", "v3"]).ends_with(2);
}

#[test]
fn no_enable_only_registers_and_enable_does_the_rest() {
    let world = two_skills();
    let report = world.json(&["add", "../upstream", "--name", "up", "--no-enable"]);
    assert_eq!((&report["enabled"], &report["skills"]), (&json!(false), &json!([])));
    assert_eq!(world.git("registry", &["diff", "--name-only", "HEAD~1"]), "sources/up.toml");
    assert_eq!(world.branches("registry", "mirror/"), Vec::<String>::new(), "nothing was fetched");
    assert_eq!(world.sync().source("up")["outcome"], "disabled");
    world.edit("registry/sources/up.toml", "format = 1", "# why we have it\nformat = 1");
    world.commit("registry", "a comment");
    let report = world.json(&["source", "enable", "up"]);
    assert_eq!(report["skills"], json!(["deploy", "review"]));
    assert!(world.read("registry/sources/up.toml").starts_with("# why we have it\n"), "comments stay");
    assert_eq!(world.sync().class("deploy"), "unchanged");
    let again = world.json(&["source", "enable", "up"]);
    assert_eq!(again.get("commit"), None, "twice is a no-op");
    world.run(&["source", "enable", "nobody"]).ends_with(2).says(&["skillgraft source list"]);
}

#[test]
fn propose_commits_to_a_branch_of_its_own() {
    let world = two_skills();
    let (head, files) = (world.head("registry"), listing(&world.path("registry")));
    let report = world.json(&["add", "../upstream", "--name", "up", "--propose", "-m", "We need these"]);
    let branches = world.branches("registry", "proposal/");
    assert_eq!(branches.len(), 1);
    assert!(branches[0].starts_with("proposal/add-"), "{branches:?}");
    assert_eq!(world.rev("registry", &branches[0]), report["commit"].as_str().unwrap());
    assert_eq!((world.head("registry"), listing(&world.path("registry"))), (head, files));
    assert!(world.git("registry", &["log", "-1", "--format=%B", &branches[0]]).starts_with("We need these\n\nFollow"));
    assert_eq!(world.sync().json["sources"], json!([]), "not followed before the proposal is merged");
    world.git("registry", &["merge", "-q", "--ff-only", &branches[0]]);
    assert_eq!(world.sync().class("deploy"), "unchanged");
}

#[test]
fn adding_the_same_source_twice_is_a_no_op() {
    let world = two_skills();
    world.run(&["add", "../upstream"]).ok();
    let refs = world.refs("registry");
    let report = world.json(&["add", "../upstream"]);
    assert_eq!((report.get("commit"), &report["skills"]), (None, &json!([])));
    assert_eq!(world.refs("registry"), refs);
    world.git("", &["clone", "-q", "upstream", "other"]);
    let other = world.run(&["add", "../other", "--name", "upstream"]).ends_with(1);
    other.says(&["there is a source `upstream` already", "--name"]);
    assert_eq!(world.refs("registry"), refs);
}

#[test]
fn ownership_conflicts_say_who_owns_each_name_and_nothing_is_written() {
    let world = two_skills();
    world.run(&["add", "../upstream", "--name", "first", "--skill", "deploy"]).ok();
    world.registry(&[("skills/review/SKILL.md", &skill("review", "ours"))]);
    let state = || (world.refs("registry"), world.objects("registry"), listing(&world.path("registry")));
    let before = state();
    let refused = world.run(&["add", "../upstream", "--name", "second"]).ends_with(1);
    refused.says(&["`deploy` follows source `first` at skills/deploy", "`review` is the team's own", "--namespace"]);
    assert_eq!(state(), before);
    world.run(&["add", "../upstream", "--name", "second", "--namespace", "second"]).ok();
}

#[test]
fn uncommitted_work_in_the_way_stops_the_command_and_is_not_lost() {
    let world = two_skills();
    world.write("registry/skills/deploy/SKILL.md", "an untracked draft\n");
    let refs = world.refs("registry");
    world.run(&["add", "../upstream", "--name", "up"]).ends_with(1).says(&["skills/deploy/SKILL.md", "stash"]);
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), "an untracked draft\n");
    assert_eq!(world.refs("registry"), refs, "the mirror was taken back too");
    assert!(!world.exists("registry/skills/review"));
}

#[test]
fn uncommitted_work_elsewhere_is_neither_committed_nor_in_the_way() {
    let world = two_skills();
    world.edit("registry/README.md", "#", "# Edited:");
    world.write("registry/staged.txt", "staged\n");
    world.git("registry", &["add", "staged.txt"]);
    world.run(&["add", "../upstream", "--name", "up"]).ok();
    assert_eq!(world.git("registry", &["status", "--porcelain"]), " M README.md\nA  staged.txt");
    assert!(!world.has("registry", "HEAD", "staged.txt"));
}

#[test]
fn a_bare_registry_moves_by_compare_and_swap() {
    let world = two_skills();
    world.git("", &["clone", "-q", "--bare", "registry", "bare.git"]);
    let upstream = world.path("upstream").display().to_string();
    world.run_in("bare.git", &["add", &upstream, "--name", "up"]).ok();
    assert!(world.has("bare.git", "main", "skills/deploy/SKILL.md"));
    world.upstream(&[("skills/deploy/SKILL.md", &skill("deploy", "v2"))]);
    assert_eq!(world.sync_in("bare.git", &[]).class("deploy"), "fast_forward");
    world.run_in("bare.git", &["candidate", "accept", "deploy"]).ok();
    assert!(world.show("bare.git", "main", "skills/deploy/SKILL.md").contains("v2"));
    assert_eq!(world.sync_in("bare.git", &[]).class("deploy"), "unchanged");
    assert_eq!(world.run_in("bare.git", &["check"]).code, 0);
}

#[test]
fn a_source_without_any_skill_is_an_error_that_writes_nothing() {
    let world = World::with_upstream(&[("README.md", "nothing here\n")]);
    let refs = world.refs("registry");
    world.run(&["add", "../upstream"]).ends_with(1).says(&["SKILL.md"]);
    world.run(&["add", "../nowhere"]).ends_with(2).says(&["there is no folder"]);
    world.run(&["add", &world.url("nowhere")]).ends_with(1);
    world.init("empty");
    world.run(&["add", "../empty"]).ends_with(1).says(&["no commit yet"]);
    world.run(&["add", &world.url("empty")]).ends_with(1);
    assert_eq!(world.refs("registry"), refs);
}

#[test]
fn a_shallow_upstream_is_as_good_as_a_full_one() {
    let world = two_skills();
    world.upstream(&[("skills/deploy/SKILL.md", &skill("deploy", "v2"))]);
    world.git("", &["clone", "-q", "--depth", "1", &world.url("upstream"), "shallow"]);
    for (name, typed) in [("local", "../shallow".to_owned()), ("remote", world.url("shallow"))] {
        world.run(&["add", &typed, "--name", name, "--namespace", name]).ok();
        assert!(world.read(format!("registry/skills/{name}/deploy/SKILL.md")).contains("v2"));
    }
    world.upstream(&[("skills/deploy/SKILL.md", &skill("deploy", "v3"))]);
    world.git("shallow", &["fetch", "-q", "--depth", "1"]);
    world.git("shallow", &["reset", "-q", "--hard", "origin/main"]);
    let synced = world.sync();
    assert_eq!((synced.class("local/deploy"), synced.class("remote/deploy")), ("fast_forward", "fast_forward"));
}

#[test]
fn an_upstream_of_sha256_objects_is_followed_too() {
    let world = World::new();
    world.git("", &["init", "-q", "--object-format=sha256", "upstream"]);
    world.upstream(&[("skills/deploy/SKILL.md", &skill("deploy", "v1"))]);
    world.run_in("", &["init", "registry"]).ok();
    world.run(&["add", "../upstream", "--name", "up"]).ok();
    assert!(world.read("registry/skills/deploy/SKILL.md").contains("v1"));
    let accepted = format!("accepted = \"git-sha256:{}\"", world.rev("upstream", "HEAD:skills/deploy"));
    assert!(world.read("registry/skills/deploy.toml").contains(&accepted), "git's own id is the tree hash");
    world.upstream(&[("skills/deploy/SKILL.md", &skill("deploy", "v2"))]);
    assert_eq!(world.sync().class("deploy"), "fast_forward");
}

#[cfg(unix)]
#[test]
fn a_source_of_which_nothing_can_come_in_is_refused_with_the_reasons() {
    let world = World::with_upstream(&[("skills/bad/SKILL.md", &skill("bad", "v1"))]);
    std::os::unix::fs::symlink("/etc/passwd", world.path("upstream/skills/bad/secrets")).unwrap();
    world.commit("upstream", "A link that leads out");
    let before = world.all_refs("registry");
    let refused = world.run(&["add", "../upstream", "--name", "up"]).ends_with(1);
    refused.says(&["no skill of the source can come in", "skills/bad: ", "--no-enable"]);
    assert_eq!(world.all_refs("registry"), before);
    assert!(!world.exists("registry/sources/up.toml"));
    world.run(&["add", "../upstream", "--name", "up", "--no-enable"]).ok();
    world.run(&["source", "enable", "up"]).ends_with(1).says(&["no skill of the source can come in"]);
}
