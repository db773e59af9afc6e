//! Merges as candidates show them: conflicts are data, and nothing is decided silently.

use crate::support::{World, skill};
use crate::sync::{lines, world};

/// The local and the upstream side of one update, as files of `skills/deploy`; none removes the file.
type Side<'a> = &'a [(&'a str, Option<&'a [u8]>)];

/// A registry that follows `base`, edited here as `local` says, and an upstream that moved as `upstream` says.
fn diverged(base: &[(&str, &[u8])], local: Side<'_>, upstream: Side<'_>) -> World {
    let world = World::new();
    world.init("upstream");
    world.write("upstream/skills/deploy/SKILL.md", skill("deploy", "v1"));
    for (path, bytes) in base {
        world.write(format!("upstream/skills/deploy/{path}"), bytes);
    }
    world.commit("upstream", "base");
    world.run_in("", &["init", "registry"]).ok();
    world.run(&["add", "../upstream", "--name", "up"]).ok();
    for (dir, side) in [("registry", local), ("upstream", upstream)] {
        for (path, bytes) in side {
            let path = format!("{dir}/skills/deploy/{path}");
            match bytes {
                Some(bytes) => world.write(&path, bytes),
                None => std::fs::remove_file(world.path(&path)).unwrap(),
            }
        }
        world.commit(dir, "moves");
    }
    world
}

fn blob(world: &World, bytes: &[u8]) -> String {
    world.git_with("registry", &["hash-object", "--stdin"], bytes)
}

#[test]
fn a_text_conflict_has_markers_with_constant_labels_and_is_listed_with_its_three_blobs() {
    let (base, ours, theirs) = (lines("1", "last"), lines("1", "ours"), lines("1", "theirs"));
    let world = diverged(
        &[("SKILL.md", base.as_bytes())],
        &[("SKILL.md", Some(ours.as_bytes()))],
        &[("SKILL.md", Some(theirs.as_bytes()))],
    );
    let synced = world.sync();
    assert_eq!(synced.conflicts("deploy"), ["SKILL.md content"]);
    let text = world.show("registry", "candidate/up/deploy", "skills/deploy/SKILL.md");
    let conflict = "<<<<<<< local\nours\n||||||| base\nlast\n=======\ntheirs\n>>>>>>> upstream\n";
    assert!(text.ends_with(conflict), "{text}");
    let entry = world.show("registry", "candidate/up/deploy", "skills/deploy.toml");
    for (key, bytes) in [("base", &base), ("local", &ours), ("upstream", &theirs)] {
        assert!(entry.contains(&format!("{key} = \"{}\"", blob(&world, bytes.as_bytes()))), "{key}\n{entry}");
    }
    world.run(&["candidate", "accept", "deploy"]).ends_with(1).says(&["unresolved conflicts: SKILL.md (content)"]);
    world.git("registry", &["switch", "-q", "candidate/up/deploy"]);
    let check = world.run(&["--json", "check"]).ends_with(1).json();
    assert_eq!(check["findings"][0]["rule"], "conflict");
    world.git("registry", &["switch", "-q", "main"]);
}

#[test]
fn a_conflict_is_resolved_by_editing_the_branch() {
    let world = world();
    world.registry(&[("skills/deploy/SKILL.md", &lines("1", "ours"))]);
    world.upstream(&[("skills/deploy/SKILL.md", &lines("1", "theirs"))]);
    world.sync();
    world.run(&["candidate", "resolve", "deploy"]).ends_with(1).says(&["still has conflict markers", "--take"]);
    world.run(&["candidate", "resolve", "deploy", "nothing.md"]).ends_with(2).says(&["the conflicts are at: SKILL.md"]);
    world.git("registry", &["switch", "-q", "candidate/up/deploy"]);
    world.registry(&[("skills/deploy/SKILL.md", &lines("1", "ours and theirs"))]);
    world.run(&["candidate", "resolve", "deploy"]).ok();
    assert_eq!(world.git("registry", &["status", "--porcelain"]), "", "the checkout moved along");
    world.git("registry", &["switch", "-q", "main"]);
    let entry = world.show("registry", "candidate/up/deploy", "skills/deploy.toml");
    assert!(!entry.contains("[[conflict]]"), "{entry}");
    assert_eq!(world.sync().action("deploy"), "kept", "a resolved candidate is an edited one, and stays");
    world.run(&["candidate", "accept", "deploy"]).ok();
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), lines("1", "ours and theirs"));
    assert_eq!(world.sync().class("deploy"), "unchanged");
}

#[test]
fn one_of_several_conflicts_is_resolved_and_the_others_stay_listed() {
    let world = diverged(
        &[("a.md", b"base\n"), ("b.md", b"base\n")],
        &[("a.md", Some(b"ours\n")), ("b.md", Some(b"ours\n"))],
        &[("a.md", Some(b"theirs\n")), ("b.md", Some(b"theirs\n"))],
    );
    assert_eq!(world.sync().conflicts("deploy"), ["a.md content", "b.md content"]);
    let report = world.json(&["candidate", "resolve", "deploy", "a.md", "--take", "upstream"]);
    assert_eq!(report["resolved"], serde_json::json!(["a.md"]));
    assert_eq!(report["left"][0]["path"], "b.md");
    assert_eq!(world.show("registry", "candidate/up/deploy", "skills/deploy/a.md"), "theirs\n");
    world.run(&["candidate", "accept", "deploy"]).ends_with(1).says(&["b.md (content)"]);
    world.run(&["candidate", "resolve", "candidate/up/deploy", "--take", "local"]).ok();
    world.run(&["candidate", "accept", "deploy"]).ok();
    assert_eq!(world.read("registry/skills/deploy/b.md"), "ours\n");
}

#[test]
fn take_decides_binary_files_and_keeps_the_executable_bit() {
    for (side, expected) in [("local", b"#!\0ours"), ("upstream", b"#!\0them")] {
        let world = diverged(&[("tool", b"#!\0base")], &[("tool", Some(b"#!\0ours"))], &[("tool", Some(b"#!\0them"))]);
        assert_eq!(world.sync().conflicts("deploy"), ["tool binary"]);
        assert_eq!(world.show("registry", "candidate/up/deploy", "skills/deploy/tool"), "#!\0ours", "no markers");
        world.run(&["candidate", "resolve", "deploy"]).ends_with(1).says(&["nothing says that this is wanted"]);
        world.run(&["candidate", "resolve", "deploy", "--take", side]).ok();
        world.run(&["candidate", "accept", "deploy"]).ok();
        assert_eq!(std::fs::read(world.path("registry/skills/deploy/tool")).unwrap(), expected);
        let mode = world.git("registry", &["ls-tree", "--format=%(objectmode)", "HEAD", "skills/deploy/tool"]);
        assert_eq!(mode, "100755");
    }
}

#[test]
fn take_decides_modify_delete_from_either_side() {
    for (local_deletes, side, left) in [
        (true, "local", None),
        (true, "upstream", Some("x, edited\n")),
        (false, "local", Some("x, edited\n")),
        (false, "upstream", None),
    ] {
        let (deletes, edits): (Side<'_>, Side<'_>) = (&[("x.md", None)], &[("x.md", Some(b"x, edited\n"))]);
        let (local, upstream) = if local_deletes { (deletes, edits) } else { (edits, deletes) };
        let world = diverged(&[("x.md", b"x\n")], local, upstream);
        let how = format!("local deletes: {local_deletes}, take {side}");
        assert_eq!(world.sync().conflicts("deploy"), ["x.md modify_delete"], "{how}");
        world.run(&["candidate", "resolve", "deploy"]).ends_with(1);
        world.run(&["candidate", "resolve", "deploy", "x.md", "--take", side]).ok();
        world.run(&["candidate", "accept", "deploy"]).ok();
        let now = std::fs::read_to_string(world.path("registry/skills/deploy/x.md")).ok();
        assert_eq!(now.as_deref(), left, "{how}");
        assert_eq!(world.sync().class("deploy"), "unchanged", "{how}");
    }
}

#[test]
fn a_skill_that_documents_conflict_markers_is_no_conflict() {
    let text = "<<<<<<< local\none\n||||||| base\nzero\n=======\ntwo\n>>>>>>> upstream\n";
    let (base, ours) = (lines("1", text), lines("ours", text));
    let theirs = lines("1", &format!("{text}\nmore about markers"));
    let world = diverged(
        &[("SKILL.md", base.as_bytes())],
        &[("SKILL.md", Some(ours.as_bytes()))],
        &[("SKILL.md", Some(theirs.as_bytes()))],
    );
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.conflicts("deploy")), ("three_way", Vec::new()));
    world.run(&["candidate", "accept", "deploy"]).ok();
    let merged = lines("ours", &format!("{text}\nmore about markers"));
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), merged);
    assert_eq!(world.run(&["check"]).code, 0);
}

#[test]
fn a_real_conflict_beside_documented_markers_is_resolved_without_touching_these() {
    let text = "<<<<<<< local\none\n||||||| base\nzero\n=======\ntwo\n>>>>>>> upstream\n\nand the end";
    let world = World::following(&[("skills/deploy/SKILL.md", &lines("first", text))]);
    world.registry(&[("skills/deploy/SKILL.md", &lines("ours", text))]);
    world.upstream(&[("skills/deploy/SKILL.md", &lines("theirs", text))]);
    assert_eq!(world.sync().conflicts("deploy"), ["SKILL.md content"]);
    world.run(&["candidate", "resolve", "deploy"]).ends_with(1).says(&["still has conflict markers"]);
    world.review("candidate/up/deploy", &[("skills/deploy/SKILL.md", &lines("ours and theirs", text))]);
    world.run(&["candidate", "resolve", "deploy"]).ok();
    world.run(&["candidate", "accept", "deploy"]).ok();
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), lines("ours and theirs", text));
}

#[test]
#[cfg(unix)]
fn executable_bits_merge() {
    let world = diverged(&[("run", b"echo\n"), ("other", b"x\n")], &[], &[]);
    world.write("registry/skills/deploy/run", "echo ours\n");
    world.commit("registry", "content here");
    world.make_executable("upstream/skills/deploy/run");
    world.write("upstream/skills/deploy/other", "y\n");
    world.commit("upstream", "the bit there");
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.conflicts("deploy")), ("three_way", Vec::new()));
    let entry =
        world.git("registry", &["ls-tree", "--format=%(objectmode)", "candidate/up/deploy", "skills/deploy/run"]);
    assert_eq!(entry, "100755");
    assert_eq!(world.show("registry", "candidate/up/deploy", "skills/deploy/run"), "echo ours\n");
}

#[test]
fn a_file_that_upstream_renamed_takes_the_teams_edit_along() {
    let body: String = (0..30).map(|n| format!("line {n}\n")).collect();
    let edited = body.replace("line 3\n", "line 3, ours\n");
    let world = diverged(
        &[("old.md", body.as_bytes())],
        &[("old.md", Some(edited.as_bytes()))],
        &[("old.md", None), ("new.md", Some(body.as_bytes()))],
    );
    let synced = world.sync();
    assert_eq!(synced.conflicts("deploy"), Vec::<String>::new());
    assert_eq!(world.show("registry", "candidate/up/deploy", "skills/deploy/new.md"), edited);
    assert!(!world.has("registry", "candidate/up/deploy", "skills/deploy/old.md"));
}

#[test]
fn both_sides_adding_a_file_differently_is_add_add() {
    let world = diverged(&[], &[("x.md", Some(b"ours\n"))], &[("x.md", Some(b"theirs\n"))]);
    assert_eq!(world.sync().conflicts("deploy"), ["x.md add_add"]);
    world.run(&["candidate", "resolve", "deploy", "--take", "upstream"]).ok();
    world.run(&["candidate", "accept", "deploy"]).ok();
    assert_eq!(world.read("registry/skills/deploy/x.md"), "theirs\n");
}

#[test]
fn frontmatter_merges_by_key_and_allowed_tools_by_element() {
    let text = |description: &str, tools: &str| {
        format!("---\nname: deploy\ndescription: {description}\nallowed-tools: {tools}\n---\n\nbody\n")
    };
    let world = diverged(
        &[("SKILL.md", text("d", "Read Write").as_bytes())],
        &[("SKILL.md", Some(text("ours", "Read Write Bash").as_bytes()))],
        &[("SKILL.md", Some(text("d", "Read Grep").as_bytes()))],
    );
    let synced = world.sync();
    assert_eq!(synced.conflicts("deploy"), Vec::<String>::new());
    let merged = world.show("registry", "candidate/up/deploy", "skills/deploy/SKILL.md");
    let tools = merged.lines().find(|line| line.starts_with("allowed-tools")).unwrap();
    let mut tools: Vec<_> = tools.split_whitespace().skip(1).collect();
    tools.sort_unstable();
    assert_eq!(tools, ["Bash", "Grep", "Read"], "{merged}");
    assert!(merged.contains("description: ours"));
}
