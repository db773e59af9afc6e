//! `link`: a skill that was copied from somewhere long ago follows its upstream again, from the state that it was
//! copied from (RULES, Mirror 4).

use crate::support::{World, skill};
use crate::sync::lines;
use serde_json::{Value, json};

const FILE: &str = "skills/deploy/SKILL.md";

/// An upstream with three states of `deploy`, and a registry with `text` as its own `deploy`; source `up` is only
/// registered. Returns the upstream's revisions.
fn copied(text: &str) -> (World, Vec<String>) {
    let world = World::with_upstream(&[(FILE, &lines("first", "last")), ("skills/deploy/run", "#!/bin/sh\n")]);
    let mut revisions = vec![world.head("upstream")];
    revisions.push(world.upstream(&[(FILE, &lines("first", "second"))]));
    revisions.push(world.upstream(&[(FILE, &lines("third", "second")), ("skills/deploy/new.md", "new\n")]));
    world.write("registry/skills/deploy/run", "#!/bin/sh\n");
    world.registry(&[(FILE, text)]);
    let url = world.url("upstream");
    world.run(&["add", &url, "--name", "up", "--no-enable"]).ok();
    (world, revisions)
}

/// Links, and lets sync look at the source.
fn link(world: &World, more: &[&str]) -> Value {
    let report = world.json(&[&["link", "deploy", "--to", "up", "--yes"], more].concat());
    let changed = world.git("registry", &["diff", "--name-only", "HEAD^"]);
    assert_eq!(changed, "skills/deploy.toml", "only the entry");
    world.run(&["source", "enable", "up"]).ok();
    report
}

/// Every base that an entry names is reachable through the mirror.
#[track_caller]
fn base_is_in_the_mirror(world: &World, dir: &str) {
    let entry = world.show(dir, "HEAD", "skills/deploy.toml");
    let value = |key: &str| {
        let line = entry.lines().find(|line| line.starts_with(&format!("{key} = "))).unwrap();
        line.split('"').nth(1).unwrap().to_owned()
    };
    let base = value("mirror");
    world.git(dir, &["merge-base", "--is-ancestor", &base, "mirror/up"]);
    assert_eq!(world.rev(dir, &format!("{base}:{}", value("path"))), value("git_tree"));
}

#[test]
fn an_identical_copy_finds_the_revision_it_was_copied_from() {
    let (world, revisions) = copied(&lines("first", "second"));
    let report = link(&world, &[]);
    assert_eq!((&report["identical"], &report["revision"]), (&json!(true), &json!(revisions[1])));
    assert_eq!(report["path"], "skills/deploy");
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("fast_forward", "opened"));
    base_is_in_the_mirror(&world, "registry");
    world.run(&["candidate", "accept", "deploy"]).ok();
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), lines("third", "second"));
    assert_eq!(world.sync().class("deploy"), "unchanged");
}

#[test]
fn an_edited_copy_finds_the_nearest_revision_and_merges_three_ways_after_the_next_sync() {
    let (world, revisions) = copied(&lines("first", "second").replace("\n3\n", "\n3, said the team\n"));
    let report = link(&world, &[]);
    assert_eq!((&report["identical"], &report["revision"]), (&json!(false), &json!(revisions[1])));
    assert_eq!((&report["same_files"], &report["other_files"]), (&json!(1), &json!(1)));
    assert_eq!(report["changed_lines"], 2);
    let head = world.head("registry");
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("three_way", "opened"));
    assert_eq!(synced.conflicts("deploy"), Vec::<String>::new());
    assert_eq!(world.head("registry"), head);
    base_is_in_the_mirror(&world, "registry");
    let merged = world.show("registry", "candidate/up/deploy", FILE);
    assert_eq!(merged, lines("third", "second").replace("\n3\n", "\n3, said the team\n"));
    assert!(world.has("registry", "candidate/up/deploy", "skills/deploy/new.md"));
    let before = (world.refs("registry"), world.objects("registry"));
    assert_eq!(world.sync().action("deploy"), "kept");
    assert_eq!((world.refs("registry"), world.objects("registry")), before, "a second sync writes nothing");
    // And on, after upstream's next move.
    world.run(&["candidate", "accept", "deploy"]).ok();
    world.upstream(&[(FILE, &lines("third", "fourth"))]);
    assert_eq!(world.sync().class("deploy"), "three_way");
    base_is_in_the_mirror(&world, "registry");
}

#[test]
fn an_edited_copy_of_one_file_finds_its_base_however_many_states_upstream_had_since() {
    let world = World::with_upstream(&[(FILE, &lines("first", "last"))]);
    let copied_from = world.head("upstream");
    for state in 0..12 {
        world.upstream(&[(FILE, &lines("first", "last").replace("\n4\n", &format!("\n4, state {state}\n")))]);
    }
    world.registry(&[(FILE, &lines("first", "last").replace("\n2\n", "\n2, said the team\n"))]);
    world.run(&["add", &world.url("upstream"), "--name", "up", "--no-enable"]).ok();
    let report = link(&world, &[]);
    assert_eq!((&report["revision"], &report["changed_lines"]), (&json!(copied_from), &json!(2)));
}

#[test]
fn a_fresh_clone_makes_the_same_base() {
    let (world, _) = copied(&lines("first", "second").replace("\n3\n", "\n3, said the team\n"));
    link(&world, &[]);
    world.git("", &["clone", "-q", "registry", "clone"]);
    let here = world.sync();
    let there = world.sync_in("clone", &[]);
    assert_eq!((here.class("deploy"), there.class("deploy")), ("three_way", "three_way"));
    assert_eq!(world.rev("clone", "mirror/up"), world.rev("registry", "mirror/up"));
    assert_eq!(world.rev("clone", "candidate/up/deploy"), world.rev("registry", "candidate/up/deploy"));
    base_is_in_the_mirror(&world, "clone");
}

#[test]
fn a_base_can_be_named_by_commit_tag_or_branch_and_is_recorded_as_the_commit() {
    for by_tag in [false, true] {
        let (world, revisions) = copied("---\nname: deploy\ndescription: All our own.\n---\n\nours\n");
        world.git("upstream", &["tag", "v1", &revisions[0]]);
        let named = if by_tag { "v1" } else { revisions[0].as_str() };
        let report = link(&world, &["--base", named]);
        assert_eq!((&report["revision"], &report["identical"]), (&json!(revisions[0]), &json!(false)));
        let entry = world.read("registry/skills/deploy.toml");
        assert!(entry.contains(&format!("revision = \"{}\"", revisions[0])), "{entry}");
        world.sync();
        base_is_in_the_mirror(&world, "registry");
    }
}

#[test]
fn a_base_that_upstream_has_not_is_refused_and_nothing_is_written() {
    let (world, _) = copied(&lines("first", "second"));
    let refs = world.refs("registry");
    for revision in ["no-such-branch", "0123456789012345678901234567890123456789"] {
        world.run(&["link", "deploy", "--to", "up", "--yes", "--base", revision]).ends_with(1).says(&[revision]);
    }
    world.run(&["link", "deploy", "--to", "up:skills/nothing", "--yes"]).ends_with(1).says(&["skills/nothing"]);
    world
        .run(&["link", "deploy", "--to", "nobody", "--yes"])
        .ends_with(2)
        .says(&["no source `nobody`", "skillgraft add"]);
    world.run(&["link", "nobody", "--to", "up", "--yes"]).ends_with(1).says(&["no skill `nobody`"]);
    assert_eq!(world.refs("registry"), refs);
}

#[test]
fn without_a_terminal_it_shows_what_it_found_and_needs_yes() {
    let (world, revisions) = copied(&lines("first", "second"));
    let refs = world.refs("registry");
    world.run(&["link", "deploy", "--to", "up"]).ends_with(2).says(&[&revisions[1][..7], "--yes"]);
    assert_eq!(world.refs("registry"), refs);
}

#[test]
fn the_path_is_named_where_upstream_calls_it_otherwise_or_has_several() {
    let world = World::with_upstream(&[
        ("skills/ship/SKILL.md", &skill("ship", "v1")),
        ("a/deploy/SKILL.md", &skill("deploy", "a")),
        ("b/deploy/SKILL.md", &skill("deploy", "b")),
    ]);
    world.registry(&[(FILE, &skill("deploy", "b")), ("skills/mine/SKILL.md", &skill("mine", "v1"))]);
    world.run(&["add", "../upstream", "--name", "up", "--no-enable"]).ok();
    let refused = world.run(&["link", "deploy", "--to", "up", "--yes"]).ends_with(2);
    refused.says(&["more than one `deploy`", "--to up:a/deploy", "--to up:b/deploy"]);
    let report = world.json(&["link", "deploy", "--to", "up:b/deploy", "--yes"]);
    assert_eq!((&report["path"], &report["identical"]), (&json!("b/deploy"), &json!(true)));
    world.run(&["link", "mine", "--to", "up", "--yes"]).ends_with(1).says(&["no directory `mine`", "up:PATH"]);
    let report = world.json(&["link", "mine", "--to", "up:skills/ship", "--yes"]);
    assert_eq!(report["path"], "skills/ship");
}

#[test]
fn a_linked_skill_keeps_what_its_entry_says_of_owners_and_its_comments() {
    let (world, _) = copied(&lines("first", "second"));
    world.registry(&[("skills/deploy.toml", "# ours\nformat = 1\nowners = [\"ops@acme.example\"]\n")]);
    link(&world, &[]);
    let entry = world.read("registry/skills/deploy.toml");
    assert!(entry.contains("# ours") && entry.contains("owners = [\"ops@acme.example\"]"), "{entry}");
    world.run(&["check"]).ok();
}

#[test]
fn linking_a_new_source_brings_nothing_in_by_itself() {
    let (world, _) = copied(&lines("first", "second"));
    world.upstream(&[("skills/more/SKILL.md", &skill("more", "v1"))]);
    let said = world.run(&["link", "deploy", "--to", "up", "--yes"]).ok();
    said.says(&["source `up` is disabled", "skillgraft source enable up"]);
    world.run(&["source", "enable", "up"]).ok();
    let synced = world.sync();
    assert_eq!((synced.class("more"), synced.action("more")), ("new", "opened"), "a candidate, as for any new one");
    assert!(!world.exists("registry/skills/more"));
}

#[test]
fn an_unknown_base_is_repaired_by_link() {
    let (world, _) = copied(&lines("first", "second").replace("\n3\n", "\n3, said the team\n"));
    link(&world, &[]);
    world.sync();
    // The entry names a tree that nobody has any more.
    let entry = world.read("registry/skills/deploy.toml");
    let broken: String = entry
        .lines()
        .map(|line| match line.split_once(" = ") {
            Some(("accepted", _)) => format!("accepted = \"git-sha256:{}\"\n", "1".repeat(64)),
            Some((key @ ("git_tree" | "mirror" | "revision"), _)) => format!("{key} = \"{}\"\n", "1".repeat(40)),
            _ => format!("{line}\n"),
        })
        .collect();
    world.registry(&[("skills/deploy.toml", &broken)]);
    let synced = world.try_sync("registry", &[]);
    assert_eq!(synced.code, 1, "{:#}", synced.json);
    let error = &synced.skill("deploy")["error"];
    assert_eq!(error["kind"], "unknown_base");
    assert!(error["hint"].as_str().unwrap().contains("skillgraft link deploy --to up"), "{error}");
    link(&world, &[]);
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), &synced.skill("deploy")["error"]), ("three_way", &Value::Null));
    base_is_in_the_mirror(&world, "registry");
    let merged = world.show("registry", "candidate/up/deploy", FILE);
    assert_eq!(merged, lines("third", "second").replace("\n3\n", "\n3, said the team\n"));
}

#[test]
fn a_plain_directory_has_one_state_to_link_to() {
    let world = World::new();
    world.write("plain/deploy/SKILL.md", lines("first", "theirs"));
    world.run_in("", &["init", "registry"]).ok();
    world.registry(&[(FILE, &lines("ours", "last"))]);
    world.run(&["add", "../plain", "--name", "up", "--no-enable"]).ok();
    let report = link(&world, &[]);
    assert_eq!((&report["revision"], &report["identical"]), (&Value::Null, &json!(false)));
    assert_eq!(world.sync().class("deploy"), "unchanged");
    world.write("plain/deploy/SKILL.md", lines("first", "theirs").replace("\n3\n", "\n3, theirs\n"));
    let synced = world.sync();
    assert_eq!(synced.class("deploy"), "three_way");
    base_is_in_the_mirror(&world, "registry");
}

#[test]
fn a_skill_that_follows_one_source_can_be_linked_to_another() {
    let world = World::following(&[(FILE, &lines("first", "last"))]);
    world.upstream(&[(FILE, &lines("first", "second"))]);
    world.sync();
    world.git("", &["clone", "-q", "upstream", "fork"]);
    world.run(&["add", "../fork", "--name", "fork", "--no-enable"]).ok();
    world.run(&["link", "deploy", "--to", "fork", "--yes"]).ok();
    world.run(&["source", "enable", "fork"]).ok();
    let synced = world.sync();
    assert_eq!(
        (synced.class("deploy"), world.branches("registry", "candidate/")),
        ("fast_forward", vec!["candidate/fork/deploy".into()])
    );
    let before = (world.refs("registry"), world.objects("registry"));
    world.sync();
    assert_eq!((world.refs("registry"), world.objects("registry")), before);
}

#[test]
fn link_with_propose_is_reviewed_like_any_commit() {
    let (world, _) = copied(&lines("first", "second"));
    let head = world.head("registry");
    let report = world.json(&["link", "deploy", "--to", "up", "--yes", "--propose"]);
    assert_eq!(world.head("registry"), head);
    world.git("registry", &["merge", "-q", report["branch"].as_str().unwrap()]);
    world.run(&["source", "enable", "up"]).ok();
    assert_eq!(world.sync().class("deploy"), "fast_forward");
    base_is_in_the_mirror(&world, "registry");
}

#[test]
fn a_copy_that_is_older_than_upstreams_move_finds_its_base_at_the_former_path() {
    let world = World::with_upstream(&[("deploy/SKILL.md", &lines("first", "last")), ("deploy/run", "#!/bin/sh\n")]);
    let copied = world.head("upstream");
    world.upstream(&[("deploy/SKILL.md", &lines("first", "second"))]);
    world.git("upstream", &["rm", "-q", "-r", "--cached", "deploy"]);
    std::fs::create_dir_all(world.path("upstream/skills")).unwrap();
    std::fs::rename(world.path("upstream/deploy"), world.path("upstream/skills/deploy")).unwrap();
    world.upstream(&[]);
    world.write("registry/skills/deploy/run", "#!/bin/sh\n");
    world.registry(&[(FILE, &lines("first", "last").replace("\n3\n", "\n3, said the team\n"))]);
    let url = world.url("upstream");
    world.run(&["add", &url, "--name", "up", "--no-enable"]).ok();
    let report = link(&world, &[]);
    assert_eq!((&report["revision"], &report["path"]), (&json!(copied), &json!("skills/deploy")));
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("three_way", "opened"));
    let merged = world.show("registry", "candidate/up/deploy", FILE);
    assert_eq!(merged, lines("first", "second").replace("\n3\n", "\n3, said the team\n"));
    base_is_in_the_mirror(&world, "registry");
}
