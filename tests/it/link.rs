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
        ("skills/ship/SKILL.md", &skill("ship", "One and the same text.")),
        ("a/deploy/SKILL.md", &skill("deploy", "a")),
        ("b/deploy/SKILL.md", &skill("deploy", "b")),
    ]);
    world
        .registry(&[(FILE, &skill("deploy", "b")), ("skills/mine/SKILL.md", &skill("mine", "One and the same text."))]);
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

#[test]
fn a_linked_skill_has_the_licences_and_the_entry_that_add_would_have_made_of_its_base() {
    let (mit, apache) = (include_str!("../../LICENSE-MIT"), include_str!("../../LICENSE-APACHE"));
    let manifest = |version: &str| format!("{{\"name\": \"ops\", \"version\": \"{version}\"}}");
    let (file, plugin) = ("plugins/ops/skills/deploy/SKILL.md", "plugins/ops/.claude-plugin/plugin.json");
    let world = World::with_upstream(&[
        (file, &lines("first", "last")),
        (plugin, &manifest("1.0.0")),
        ("LICENSE", mit),
        ("plugins/ops/NOTICE", "Made by us.\n"),
    ]);
    let then = world.head("upstream");
    world.upstream(&[(file, &lines("first", "second")), (plugin, &manifest("2.0.0")), ("LICENSE", apache)]);
    let entry = |dir: &str| {
        let text = world.read(format!("{dir}/skills/deploy.toml"));
        text.lines().filter(|line| !line.starts_with("mirror = ")).map(str::to_owned).collect::<Vec<_>>()
    };
    for (last, at) in [("last", Some(then.as_str())), ("second", None)] {
        // A copy, and a registry that had followed at that commit.
        let (copy, added) = (format!("copy-{last}"), format!("added-{last}"));
        for dir in [&copy, &added] {
            world.run_in("", &["init", dir]).ok();
        }
        world.write(format!("{copy}/{FILE}"), lines("first", last));
        world.commit(&copy, "a copy");
        let url = world.url("upstream");
        world.run_in(&copy, &["add", &url, "--name", "up", "--no-enable"]).ok();
        world.run_in(&copy, &["link", "deploy", "--to", "up", "--yes"]).ok();
        let mut add = vec!["add", &url, "--name", "up"];
        add.extend(at.iter().flat_map(|at| ["--ref", at]));
        world.run_in(&added, &add).ok();
        assert_eq!(entry(&copy), entry(&added));
        let says = |line: &str| entry(&copy).iter().any(|there| there == line);
        let (version, license) = if at.is_some() { ("1.0.0", "MIT") } else { ("2.0.0", "Apache-2.0") };
        assert!(
            says(&format!("version = {version:?}")) && says(&format!("license = {license:?}")),
            "{:?}",
            entry(&copy)
        );
        let licenses = |dir: &str| world.rev(dir, "HEAD:licenses");
        assert_eq!(licenses(&copy), licenses(&added));
        world.run_in(&copy, &["source", "enable", "up"]).ok();
        let synced = world.sync_in(&copy, &[]);
        assert_eq!(synced.class("deploy"), if at.is_some() { "fast_forward" } else { "unchanged" });
        world.run_in(&copy, &["check"]).ok();
    }
}

#[test]
fn licence_files_that_are_here_already_stay_as_they_are() {
    let (world, _) = copied(&lines("first", "second"));
    world.upstream(&[("LICENSE", "old\n"), ("NOTICE", "by us\n")]);
    world.registry(&[("licenses/up/LICENSE", "newer\n")]);
    world.git("upstream", &["rm", "-rq", "skills/deploy"]);
    world.commit("upstream", "away");
    world.git("upstream", &["revert", "--no-edit", "HEAD"]);
    world.run(&["link", "deploy", "--to", "up", "--yes", "--base", "HEAD"]).ok();
    assert_eq!(world.read("registry/licenses/up/LICENSE"), "newer\n");
    assert_eq!(world.read("registry/licenses/up/NOTICE"), "by us\n");
}

#[test]
fn a_copy_of_skill_md_alone_is_measured_by_its_own_lines_and_not_by_files_that_were_never_copied() {
    let world = World::with_upstream(&[(FILE, &lines("first", "last"))]);
    let text = lines("quite", "another").replace("\n2\n", "\ntwo\n").replace("\n6\n", "\nsix\n");
    let copied_from = world.upstream(&[
        (FILE, &text),
        ("skills/deploy/guide.md", &"A long guide.\n".repeat(99)),
        ("skills/deploy/b", "b\n"),
    ]);
    world.registry(&[(FILE, &text.replace("\n4\n", "\n4, said the team\n"))]);
    world.run(&["add", &world.url("upstream"), "--name", "up", "--no-enable"]).ok();
    let report = link(&world, &[]);
    assert_eq!((&report["revision"], &report["changed_lines"]), (&json!(copied_from), &json!(2)));
    assert_eq!((&report["missing_files"], &report["rivals"]), (&json!(2), &json!([])));
}

#[test]
fn states_that_are_nearly_as_near_are_shown_and_of_equals_the_newest_is_taken() {
    let state = |line: &str| lines("first", "last").replace("\n4\n", &format!("\n{line}\n"));
    let world = World::with_upstream(&[(FILE, &state("four"))]);
    let first = world.head("upstream");
    let far = lines("quite", "another").replace("\n2\n", "\ntwo\n").replace("\n6\n", "\nsix\n");
    let second = world.upstream(&[(FILE, &far)]);
    let third = world.upstream(&[(FILE, &state("FOUR"))]);
    world.registry(&[(FILE, &state("4, said the team"))]);
    world.run(&["add", &world.url("upstream"), "--name", "up", "--no-enable"]).ok();
    let asked = world.run(&["link", "deploy", "--to", "up"]).ends_with(2);
    let rival = format!("nearly as near, to be named with --base:\n    {first} of 2026-01-01 (2 lines changed)");
    assert!(!asked.stderr.contains(&second[..7]), "{}", asked.stderr);
    asked.says(&[&third[..7], &rival]);
    let report = world.json(&["link", "deploy", "--to", "up", "--yes"]);
    assert_eq!((&report["revision"], report["rivals"].as_array().unwrap().len()), (&json!(third), 1));
    assert_eq!(report["rivals"][0]["revision"], first);
    let report = world.json(&["link", "deploy", "--to", "up", "--yes", "--base", &first]);
    assert_eq!(report["revision"], first);
}

#[test]
#[cfg(unix)]
fn a_newer_state_that_differs_in_the_executable_bit_only_is_not_identical() {
    let (world, revisions) = copied(&lines("third", "second"));
    world.write("registry/skills/deploy/new.md", "new\n");
    world.registry(&[]);
    world.make_executable("upstream/skills/deploy/new.md");
    world.upstream(&[]);
    let report = link(&world, &[]);
    assert_eq!((&report["revision"], &report["identical"]), (&json!(revisions[2]), &json!(true)));
}

#[test]
fn a_skill_that_has_hardly_anything_in_common_is_linked_only_by_who_names_the_base() {
    let ours = format!("---\nname: deploy\ndescription: All our own.\n---\n\n{}", "Quite another skill.\n".repeat(9));
    let (world, revisions) = copied(&ours);
    // A licence is no likeness.
    world.git("registry", &["rm", "-q", "skills/deploy/run"]);
    world.registry(&[("skills/deploy/LICENSE", "the same\n")]);
    world.upstream(&[("skills/deploy/LICENSE", "the same\n")]);
    let refs = world.refs("registry");
    let refused = world.run(&["link", "deploy", "--to", "up", "--yes"]).ends_with(1);
    refused.says(&[
        "`deploy` has hardly anything in common with up:skills/deploy",
        "where --yes wants 25 %",
        "skillgraft link deploy --to up:skills/deploy --base REV",
    ]);
    assert_eq!(world.refs("registry"), refs);
    world.run(&["link", "deploy", "--to", "up"]).ends_with(2).says(&["hardly anything in common: ", "% of SKILL.md"]);
    let report = world.json(&["link", "deploy", "--to", "up", "--yes", "--base", &revisions[0]]);
    assert_eq!((&report["unrelated"], &report["revision"]), (&json!(true), &json!(revisions[0])));
}
