//! What is a skill upstream, what is one only once, and what is rejected alone.

use crate::support::sync::remarks;
use crate::support::{World, skill};
use serde_json::{Value, json};

/// Adds the upstream as source `up` and returns the report.
fn added(world: &World) -> Value {
    world.json(&["add", "../upstream", "--name", "up"])
}

/// A tree of the upstream made entry by entry, with names that no work tree could have.
fn tree(world: &World, entries: &[(&str, &str, &[u8])]) -> String {
    let mut lines = Vec::new();
    for (kind, id, name) in entries {
        lines.extend(format!("{kind} {id}\t").into_bytes());
        lines.extend(*name);
        lines.push(0);
    }
    world.git_with("upstream", &["mktree", "-z", "--missing"], &lines)
}

fn blob(world: &World, text: &str) -> String {
    world.git_with("upstream", &["hash-object", "-w", "--stdin"], text.as_bytes())
}

fn commit_tree(world: &World, tree: &str) {
    let commit = world.git("upstream", &["commit-tree", "-m", "made by hand", tree]);
    world.git("upstream", &["update-ref", "HEAD", &commit]);
}

#[test]
fn identical_copies_for_several_agents_are_one_skill() {
    let text = skill("deploy", "v1");
    let world = World::with_upstream(&[
        (".claude/skills/deploy/SKILL.md", &text),
        (".agents/skills/deploy/SKILL.md", &text),
        ("skills/deploy/SKILL.md", &text),
    ]);
    let report = added(&world);
    assert_eq!((&report["skills"], &report["warnings"]), (&json!(["deploy"]), &json!([])));
    assert!(world.read("registry/skills/deploy.toml").contains("path = \"skills/deploy\""));
    assert_eq!(world.sync().class("deploy"), "unchanged");
}

#[test]
fn copies_that_differ_are_a_reported_collision_decided_by_the_documented_order() {
    let world = World::with_upstream(&[
        (".claude/skills/deploy/SKILL.md", &skill("deploy", "claude's")),
        (".agents/skills/deploy/SKILL.md", &skill("deploy", "the agents'")),
    ]);
    let report = added(&world);
    assert_eq!(remarks(&report["warnings"]), [".agents/skills/deploy collision"]);
    assert!(world.read("registry/skills/deploy/SKILL.md").contains("the agents'"));
    let again = world.sync();
    assert_eq!(remarks(&again.source("up")["warnings"]), [".agents/skills/deploy collision"], "never silently");
    assert_eq!(again.class("deploy"), "unchanged");
}

#[test]
fn a_copy_that_appears_later_is_no_new_skill_and_takes_nothing_over() {
    let world = World::following(&[("other/deploy/SKILL.md", &skill("deploy", "v1"))]);
    world.upstream(&[("skills/deploy/SKILL.md", &skill("deploy", "a different one"))]);
    let synced = world.sync();
    assert_eq!(synced.class("deploy"), "unchanged");
    assert_eq!(remarks(&synced.source("up")["warnings"]), ["other/deploy collision"]);
}

#[test]
fn a_skill_md_at_the_root_is_a_single_skill() {
    let world = World::with_upstream(&[
        ("SKILL.md", &skill("whole", "v1")),
        ("LICENSE", "MIT\n"),
        ("docs/nested/SKILL.md", &skill("nested", "part of the whole")),
    ]);
    let report = added(&world);
    assert_eq!(report["skills"], json!(["whole"]));
    assert!(world.exists("registry/skills/whole/docs/nested/SKILL.md"), "nothing below a skill is another");
    assert!(world.read("registry/skills/whole.toml").contains("path = \".\""));
    assert_eq!(world.read("registry/licenses/up/LICENSE"), "MIT\n");
    world.upstream(&[("SKILL.md", &skill("whole", "v2"))]);
    assert_eq!(world.sync().class("whole"), "fast_forward");
    world.run(&["candidate", "accept", "whole"]).ok();
    assert_eq!(world.sync().class("whole"), "unchanged");
}

#[test]
fn a_root_skill_without_a_name_is_called_like_its_source() {
    let world = World::with_upstream(&[("SKILL.md", "no frontmatter at all\n")]);
    assert_eq!(added(&world)["skills"], json!(["up"]));
}

#[test]
fn nothing_below_a_skill_is_another() {
    let world = World::with_upstream(&[
        ("skills/outer/SKILL.md", &skill("outer", "v1")),
        ("skills/outer/examples/inner/SKILL.md", &skill("inner", "an example")),
    ]);
    assert_eq!(added(&world)["skills"], json!(["outer"]));
    assert_eq!(world.run(&["check"]).code, 0);
}

#[test]
#[cfg(unix)]
fn a_symlink_that_stays_inside_is_resolved_to_what_it_points_to() {
    let world = World::new();
    world.init("upstream");
    world.write("upstream/shared/lib.sh", "#!/bin/sh\n");
    world.write("upstream/shared/more/data.txt", "data\n");
    world.write("upstream/skills/deploy/SKILL.md", skill("deploy", "v1"));
    for (link, target) in [("lib.sh", "../../shared/lib.sh"), ("more", "../../shared/more")] {
        std::os::unix::fs::symlink(target, world.path(format!("upstream/skills/deploy/{link}"))).unwrap();
    }
    std::fs::create_dir_all(world.path("upstream/.claude")).unwrap();
    std::os::unix::fs::symlink("../skills", world.path("upstream/.claude/skills")).unwrap();
    world.commit("upstream", "links");
    world.run_in("", &["init", "registry"]).ok();
    let report = added(&world);
    assert_eq!((&report["skills"], &report["warnings"]), (&json!(["deploy"]), &json!([])), "an alias is no copy");
    let modes = world.git("registry", &["ls-tree", "-r", "--format=%(objectmode) %(path)", "HEAD", "skills/deploy/"]);
    assert_eq!(
        modes.lines().collect::<Vec<_>>(),
        ["100644 skills/deploy/SKILL.md", "100755 skills/deploy/lib.sh", "100644 skills/deploy/more/data.txt"]
    );
    world.write("upstream/shared/more/data.txt", "data 2\n");
    world.commit("upstream", "what a link leads to changes");
    assert_eq!(world.sync().class("deploy"), "fast_forward", "a change behind a link is a change of the skill");
}

#[test]
#[cfg(unix)]
fn links_that_leave_dangle_or_loop_reject_their_skill_alone() {
    let world = World::with_upstream(&[("skills/good/SKILL.md", &skill("good", "v1"))]);
    for (name, link, target) in [
        ("absolute", "passwd", "/etc/passwd"),
        ("dangles", "x", "../nowhere"),
        ("escapes", "x", "../../../outside"),
        ("loops", "x", "x"),
        ("aa-up", "x", ".."),
    ] {
        world.write(format!("upstream/skills/{name}/SKILL.md"), skill(name, "v1"));
        std::os::unix::fs::symlink(target, world.path(format!("upstream/skills/{name}/{link}"))).unwrap();
    }
    world.commit("upstream", "bad links");
    let report = added(&world);
    assert_eq!(report["skills"], json!(["good"]));
    assert_eq!(
        remarks(&report["rejected"]),
        [
            "skills/aa-up symlink_loop",
            "skills/absolute symlink_escapes",
            "skills/dangles symlink_dangling",
            "skills/escapes symlink_escapes",
            "skills/loops symlink_loop"
        ]
    );
    let synced = world.sync();
    assert_eq!((synced.code, synced.class("good"), synced.rejected("up").len()), (0, "unchanged", 5));
}

#[test]
#[cfg(unix)]
fn a_plain_folder_never_reads_what_a_link_leads_to_outside() {
    let world = World::new();
    world.write("outside/secret", "secret\n");
    world.write("plain/skills/bad/SKILL.md", skill("bad", "v1"));
    world.write("plain/skills/good/SKILL.md", skill("good", "v1"));
    std::os::unix::fs::symlink("../../../outside/secret", world.path("plain/skills/bad/x")).unwrap();
    world.run_in("", &["init", "registry"]).ok();
    let report = world.json(&["add", "../plain", "--name", "up"]);
    assert_eq!(report["skills"], json!(["good"]));
    assert_eq!(remarks(&report["rejected"]), ["skills/bad symlink_escapes"]);
    let all = world.git("registry", &["cat-file", "--batch-all-objects", "--batch"]);
    assert!(!all.contains("secret\n"));
}

#[test]
#[cfg(unix)]
fn a_skill_md_that_is_a_link_is_read_through() {
    let world = World::with_upstream(&[("docs/real.md", &skill("linked", "v1"))]);
    std::fs::create_dir_all(world.path("upstream/skills/linked")).unwrap();
    std::os::unix::fs::symlink("../../docs/real.md", world.path("upstream/skills/linked/SKILL.md")).unwrap();
    world.commit("upstream", "a linked SKILL.md");
    assert_eq!(added(&world)["skills"], json!(["linked"]));
    assert!(world.read("registry/skills/linked/SKILL.md").contains("name: linked"));
    assert_eq!(world.sync().class("linked"), "unchanged");
}

#[test]
fn a_submodule_rejects_its_skill_alone() {
    let world = World::with_upstream(&[
        ("skills/good/SKILL.md", &skill("good", "v1")),
        ("skills/with-module/SKILL.md", &skill("with-module", "v1")),
    ]);
    let commit = world.head("upstream");
    let info = format!("160000,{commit},skills/with-module/vendored");
    world.git("upstream", &["update-index", "--add", "--cacheinfo", &info]);
    world.git("upstream", &["commit", "-q", "-m", "a submodule"]);
    let report = added(&world);
    assert_eq!(report["skills"], json!(["good"]));
    assert_eq!(remarks(&report["rejected"]), ["skills/with-module submodule"]);
}

#[test]
fn path_names_that_break_the_rules_reject_their_skill_alone() {
    let world = World::with_upstream(&[("README.md", "x\n")]);
    world.is_broken_on_purpose("upstream");
    let file = blob(&world, "x\n");
    let bad: [(&str, &[u8]); 14] = [
        ("backslash", br"a\b"),
        ("colon", b"c:x"),
        ("control", b"a\x1b[2Jb"),
        ("device", b"con.txt"),
        ("dot-git", b".git"),
        ("dot-git-case", b".GIT"),
        ("dot-git-hfs", ".g\u{200c}it".as_bytes()),
        ("dot-git-ntfs", b"git~1"),
        ("dots", b".."),
        ("latin1", b"caf\xe9"),
        ("long", &[b'a'; 256]),
        ("newline", b"a\nb"),
        ("superscript", "lpt\u{b2}".as_bytes()),
        ("trailing", b"a. "),
    ];
    let mut skills = Vec::new();
    for (name, path) in bad.iter().chain(&[("good", &b"fine.txt"[..])]) {
        let text = blob(&world, &skill(name, "v1"));
        skills.push((*name, tree(&world, &[("100644 blob", &text, b"SKILL.md"), ("100644 blob", &file, path)])));
    }
    let both = tree(
        &world,
        &[
            ("100644 blob", &blob(&world, &skill("case", "v1")), b"SKILL.md"),
            ("100644 blob", &file, b"A.md"),
            ("100644 blob", &file, b"a.md"),
        ],
    );
    skills.push(("case", both));
    let unicode = tree(
        &world,
        &[
            ("100644 blob", &blob(&world, &skill("unicode", "v1")), b"SKILL.md"),
            ("100644 blob", &file, "e\u{301}.md".as_bytes()),
            ("100644 blob", &file, "\u{e9}.md".as_bytes()),
        ],
    );
    skills.push(("unicode", unicode));
    let entries: Vec<_> = skills.iter().map(|(name, id)| ("040000 tree", id.as_str(), name.as_bytes())).collect();
    commit_tree(&world, &tree(&world, &entries));
    let report = added(&world);
    assert_eq!(report["skills"], json!(["good"]));
    let mut expected: Vec<String> = bad.iter().map(|(name, _)| format!("{name} path")).collect();
    expected.extend(["case name_collision".into(), "unicode name_collision".into()]);
    expected.sort();
    let mut rejected = remarks(&report["rejected"]);
    rejected.sort();
    assert_eq!(rejected, expected);
    let text = world.run(&["sync"]).ok().all();
    assert!(!text.contains('\x1b') && text.contains("\\u{1b}"), "{text}");
}

#[test]
fn a_skill_whose_own_folder_has_a_bad_name_is_reported() {
    let world = World::with_upstream(&[("README.md", "x\n")]);
    world.is_broken_on_purpose("upstream");
    let text = blob(&world, &skill("bad", "v1"));
    let inner = tree(&world, &[("100644 blob", &text, b"SKILL.md")]);
    let root = tree(
        &world,
        &[("040000 tree", &inner, b"a\\b"), ("040000 tree", &inner, b"fine"), ("040000 tree", &inner, b"x\x1b[31m")],
    );
    commit_tree(&world, &root);
    let report = added(&world);
    assert_eq!(report["skills"], json!(["bad"]));
    assert_eq!(remarks(&report["rejected"]).len(), 2, "{report:#}");
}

#[test]
fn lfs_pointers_and_git_control_files_are_reported_and_kept_as_they_are() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    let world = World::with_upstream(&[
        ("skills/deploy/SKILL.md", &skill("deploy", "v1")),
        ("skills/deploy/model.bin", pointer),
        ("skills/deploy/.gitattributes", "* filter=evil\n"),
        ("skills/deploy/.gitignore", "*.log\n"),
    ]);
    let report = added(&world);
    let mut warnings = remarks(&report["warnings"]);
    warnings.sort();
    assert_eq!(
        warnings,
        ["skills/deploy git_control_file", "skills/deploy git_control_file", "skills/deploy lfs_pointer"]
    );
    assert_eq!(world.show("registry", "HEAD", "skills/deploy/model.bin"), pointer);
    let check = world.run(&["--json", "check"]).json();
    let rules: Vec<_> = check["findings"].as_array().unwrap().iter().map(|f| f["rule"].as_str().unwrap()).collect();
    assert_eq!(rules, ["git-control-file", "git-control-file"]);
}

#[test]
fn thirteen_objects_that_stand_for_ten_thousand_million_paths_are_refused_in_no_time() {
    let world = World::with_upstream(&[("skills/good/SKILL.md", &skill("good", "v1"))]);
    let mut id = blob(&world, "bomb\n");
    let mut kind = "100644 blob";
    for _ in 0..10 {
        let names: Vec<String> = (0..10).map(|n| format!("d{n}")).collect();
        let entries: Vec<_> = names.iter().map(|name| (kind, id.as_str(), name.as_bytes())).collect();
        id = tree(&world, &entries);
        kind = "040000 tree";
    }
    let good = world.rev("upstream", "HEAD:skills");
    // Inside a skill the bomb rejects that skill.
    let text = blob(&world, &skill("bomb", "v1"));
    let bomb = tree(&world, &[("100644 blob", &text, b"SKILL.md"), ("040000 tree", &id, b"d")]);
    commit_tree(&world, &tree(&world, &[("040000 tree", &bomb, b"bomb"), ("040000 tree", &good, b"skills")]));
    let report = added(&world);
    assert_eq!(report["skills"], json!(["good"]));
    assert_eq!(remarks(&report["rejected"]), ["bomb too_many_files"]);
    world.sync();
    // Anywhere else it stops the source, which says what to do.
    commit_tree(&world, &tree(&world, &[("040000 tree", &id, b"d"), ("040000 tree", &good, b"skills")]));
    let refs = world.refs("registry");
    let synced = world.try_sync("registry", &[]);
    assert_eq!(synced.code, 1);
    assert_eq!(synced.source("up")["error"]["kind"], "limit", "{:#}", synced.json);
    assert_eq!(world.refs("registry"), refs);
    world.run(&["add", "../upstream", "--name", "narrow", "--path", "skills", "--namespace", "n"]).ok();
}

#[test]
fn limits_reject_a_skill_alone_and_can_be_adjusted() {
    let world = World::with_upstream(&[("skills/good/SKILL.md", &skill("good", "v1"))]);
    for n in 0..6 {
        world.write(format!("upstream/skills/many/{n}.txt"), "x\n");
    }
    world.write("upstream/skills/many/SKILL.md", skill("many", "v1"));
    world.write("upstream/skills/large/SKILL.md", skill("large", "v1"));
    world.write("upstream/skills/large/data.bin", [b'x'; 3000]);
    world.write("upstream/skills/sum/SKILL.md", skill("sum", "v1"));
    world.write("upstream/skills/sum/1", [b'y'; 1800]);
    world.write("upstream/skills/sum/2", [b'z'; 1800]);
    world.commit("upstream", "large ones");
    let limits = "\nskill_files = 5\nskill_bytes = \"3 KiB\"\nfile_bytes = \"2 KiB\"\n";
    world.edit("registry/skillgraft.toml", "[limits]\n", &format!("[limits]{limits}"));
    world.commit("registry", "limits");
    let report = added(&world);
    assert_eq!(report["skills"], json!(["good"]));
    let mut rejected = remarks(&report["rejected"]);
    rejected.sort();
    assert_eq!(rejected, ["skills/large file_too_large", "skills/many too_many_files", "skills/sum too_large"]);
    let text = world.read("registry/skillgraft.toml").replace(limits, "\n");
    world.registry(&[("skillgraft.toml", &text)]);
    let synced = world.sync();
    assert_eq!((synced.class("large"), synced.class("many"), synced.class("sum")), ("new", "new", "new"));
}

#[test]
fn a_renamed_frontmatter_keeps_the_binding_by_path() {
    let world = World::following(&[("skills/deploy/SKILL.md", &skill("deploy", "v1"))]);
    world.upstream(&[("skills/deploy/SKILL.md", &skill("ship-it", "v2"))]);
    let synced = world.sync();
    assert_eq!(synced.class("deploy"), "fast_forward");
    assert_eq!(world.branches("registry", "candidate/"), ["candidate/up/deploy"]);
}

#[test]
fn every_frontmatter_that_exists_is_read_and_never_rewritten() {
    let world = World::new();
    world.init("upstream");
    let files: [(&str, &[u8]); 7] = [
        ("bom", b"\xef\xbb\xbf---\nname: bom\ndescription: d\n---\n"),
        ("crlf", b"---\r\nname: crlf\r\ndescription: d\r\n---\r\nbody\r\n"),
        ("none", b"# Just text\n"),
        ("unknown", b"---\nname: unknown\ndescription: d\nmodel: opus\n---\n"),
        ("invalid", b"---\nname: invalid\ndescription: Use when: the user says \"x\": y\n---\n"),
        ("latin", b"---\nname: latin\ndescription: caf\xe9\n---\n"),
        ("empty", b""),
    ];
    for (name, bytes) in files {
        world.write(format!("upstream/skills/{name}/SKILL.md"), bytes);
    }
    world.commit("upstream", "odd ones");
    world.run_in("", &["init", "registry"]).ok();
    let report = added(&world);
    assert_eq!(report["skills"], json!(["bom", "crlf", "empty", "invalid", "latin", "none", "unknown"]));
    for (name, bytes) in files {
        assert_eq!(std::fs::read(world.path(format!("registry/skills/{name}/SKILL.md"))).unwrap(), bytes);
    }
    assert_eq!(world.git("registry", &["status", "--porcelain"]), "");
    assert_eq!(world.sync().class("crlf"), "unchanged");
    let list = world.json(&["list"]);
    let found = list["skills"].as_array().unwrap().iter().find(|s| s["id"] == "invalid").unwrap();
    assert_eq!(found["description"], "Use when: the user says \"x\": y", "read as `key: rest of the line`");
}

#[test]
#[cfg(unix)]
fn a_skill_that_becomes_unusable_keeps_its_last_tree_and_its_candidate() {
    let world = World::following(&[
        ("skills/deploy/SKILL.md", &skill("deploy", "v1")),
        ("skills/other/SKILL.md", &skill("other", "v1")),
    ]);
    world.upstream(&[("skills/deploy/SKILL.md", &skill("deploy", "v2"))]);
    world.sync();
    let candidate = world.rev("registry", "candidate/up/deploy");
    std::os::unix::fs::symlink("/etc/passwd", world.path("upstream/skills/deploy/x")).unwrap();
    world.upstream(&[("skills/deploy/SKILL.md", &skill("deploy", "v3"))]);
    let synced = world.sync();
    assert_eq!(synced.rejected("up"), ["skills/deploy symlink_escapes"]);
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("fast_forward", "kept"));
    assert_eq!(world.rev("registry", "candidate/up/deploy"), candidate);
}
