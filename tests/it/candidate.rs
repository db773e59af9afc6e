//! `candidate list`, `show`, `diff` and `accept`.

use crate::support::{Synced, World, skill};
use crate::sync::{lines, world};
use serde_json::json;

/// Two open candidates, `deploy` three-way and `other` fast-forward.
fn two_open() -> World {
    let world = world();
    world.registry(&[("skills/deploy/SKILL.md", &lines("ours", "last"))]);
    world.upstream(&[
        ("skills/deploy/SKILL.md", &lines("first", "upstream's")),
        ("skills/other/SKILL.md", &skill("other", "v2")),
    ]);
    world.sync();
    world
}

#[test]
fn several_are_accepted_at_once_and_the_checkout_moves_along() {
    let world = two_open();
    let before = world.head("registry");
    let report = world.json(&["candidate", "accept", "deploy", "candidate/up/other", "-m", "Reviewed by Pat"]);
    assert_eq!(report["accepted"].as_array().unwrap().len(), 2);
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), lines("ours", "upstream's"));
    assert_eq!(world.read("registry/skills/other/SKILL.md"), skill("other", "v2"));
    assert_eq!(world.git("registry", &["status", "--porcelain"]), "");
    assert_eq!(world.branches("registry", "candidate/"), Vec::<String>::new());
    assert_eq!(world.git("registry", &["rev-list", "--first-parent", "--count", &format!("{before}..HEAD")]), "2");
    let message = world.git("registry", &["log", "-1", "--format=%an%n%B"]);
    assert!(message.starts_with("Pat Person\nReviewed by Pat\n\nAccept other from up"), "{message}");
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.class("other")), ("unchanged", "unchanged"));
    world.run(&["candidate", "accept", "deploy"]).ends_with(1).says(&["no candidate `deploy`", "candidate list"]);
}

#[test]
fn all_are_accepted_or_none() {
    let world = two_open();
    world.upstream(&[("skills/deploy/SKILL.md", &lines("theirs", "upstream's"))]);
    assert_eq!(world.sync().conflicts("deploy"), ["SKILL.md content"]);
    let refs = world.refs("registry");
    world.run(&["candidate", "accept", "other", "deploy"]).ends_with(1).says(&["unresolved conflicts: SKILL.md"]);
    world.run(&["candidate", "accept", "other", "nobody"]).ends_with(1).says(&["no candidate `nobody`"]);
    assert_eq!(world.refs("registry"), refs);
}

#[test]
fn accept_with_propose_leaves_the_default_branch_alone() {
    let world = two_open();
    let head = world.head("registry");
    let report = world.json(&["candidate", "accept", "deploy", "--propose"]);
    let branch = report["branch"].as_str().unwrap().to_owned();
    assert!(branch.starts_with("proposal/accept-"), "{branch}");
    assert_eq!(world.head("registry"), head);
    assert_eq!(world.show("registry", &branch, "skills/deploy/SKILL.md"), lines("ours", "upstream's"));
    assert_eq!(world.sync().action("deploy"), "kept", "the candidate waits until the proposal is merged");
    world.git("registry", &["merge", "-q", &branch]);
    assert_eq!(world.sync().action("deploy"), "closed");
}

#[test]
fn accept_refuses_what_changed_on_the_default_branch_since() {
    let world = two_open();
    world.registry(&[("skills/deploy/SKILL.md", &lines("ours again", "last"))]);
    let refused = world.run(&["candidate", "accept", "deploy"]).ends_with(1);
    refused.says(&["has changed on the default branch", "skillgraft sync up"]);
    world.sync();
    world.run(&["candidate", "accept", "deploy"]).ok();
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), lines("ours again", "upstream's"));
}

#[test]
fn accept_refuses_uncommitted_work_in_the_way_and_loses_nothing() {
    let world = two_open();
    world.write("registry/skills/other/SKILL.md", "a draft\n");
    let refs = world.refs("registry");
    world.run(&["candidate", "accept", "other"]).ends_with(1).says(&["skills/other/SKILL.md", "stash"]);
    assert_eq!(world.read("registry/skills/other/SKILL.md"), "a draft\n");
    assert_eq!(world.refs("registry"), refs);
    world.run(&["candidate", "accept", "deploy"]).ok();
    assert_eq!(world.git("registry", &["status", "--porcelain"]), " M skills/other/SKILL.md");
}

#[test]
fn an_edited_candidate_is_accepted_with_its_edit() {
    let world = two_open();
    world.git("registry", &["switch", "-q", "candidate/up/other"]);
    world.registry(&[("skills/other/SKILL.md", &skill("other", "v2, reviewed"))]);
    // Accepted from the candidate's own checkout, the branch stays, because somebody stands on it.
    world.run(&["candidate", "accept", "other"]).ok();
    assert_eq!(world.show("registry", "main", "skills/other/SKILL.md"), skill("other", "v2, reviewed"));
    world.git("registry", &["switch", "-q", "main"]);
    let synced = world.sync();
    assert_eq!((synced.class("other"), synced.action("other")), ("unchanged", "closed"));
}

#[test]
fn list_and_show_tell_class_state_and_files() {
    let world = two_open();
    let list = world.json(&["candidate", "list"]);
    let shown: Vec<_> =
        list["candidates"].as_array().unwrap().iter().map(|c| (c["skill"].clone(), c["class"].clone())).collect();
    assert_eq!(shown, [(json!("deploy"), json!("three_way")), (json!("other"), json!("fast_forward"))]);
    let show = world.json(&["candidate", "show", "candidate/up/deploy"]);
    assert_eq!((&show["edited"], &show["stale"]), (&json!(false), &json!(false)));
    assert_eq!(show["files"], json!([{"path": "SKILL.md", "change": "changed"}]));
    world.registry(&[("skills/deploy/SKILL.md", &lines("ours again", "last"))]);
    assert_eq!(world.json(&["candidate", "show", "deploy"])["stale"], true);
    world.run(&["candidate", "show", "nobody"]).ends_with(1).says(&["skillgraft candidate list"]);
}

#[test]
fn diff_shows_local_to_candidate_and_with_upstream_base_to_upstream() {
    let world = two_open();
    let diff = world.run(&["candidate", "diff", "deploy"]).ok().stdout;
    assert!(diff.contains("-last\n+upstream's\n") && !diff.contains("-first"), "{diff}");
    assert!(diff.contains("--- local/SKILL.md\n+++ candidate/SKILL.md\n"), "{diff}");
    let diff = world.run(&["candidate", "diff", "deploy", "--upstream"]).ok().stdout;
    assert!(diff.contains("-last\n+upstream's\n") && !diff.contains("ours"), "{diff}");
    assert!(diff.contains("--- base/SKILL.md\n+++ upstream/SKILL.md\n"), "{diff}");
    assert!(!diff.contains('\x1b'), "no colour into a pipe");
    let colored = world.run(&["--color", "always", "candidate", "diff", "deploy"]).ok().stdout;
    assert!(colored.contains("\x1b[31m-last\x1b[0m"), "{colored:?}");
}

#[test]
fn gits_own_diff_says_the_same() {
    let world = two_open();
    let ours = world.run(&["candidate", "diff", "deploy"]).ok().stdout;
    let gits = world.git("registry", &["diff", "main", "candidate/up/deploy", "--", "skills/deploy"]);
    let hunks =
        |text: &str| text.lines().skip_while(|line| !line.starts_with("@@")).map(str::to_owned).collect::<Vec<_>>();
    // git adds the section's heading behind the second @@.
    let cut = |line: String| line.rfind("@@").filter(|at| *at > 0).map_or(line.clone(), |at| line[..at + 2].to_owned());
    let gits: Vec<_> = hunks(&gits).into_iter().map(cut).collect();
    assert_eq!(hunks(ours.trim_end()), gits);
}

#[test]
#[cfg(unix)]
fn diff_shows_new_deleted_binary_and_mode_changes() {
    let world = World::following(&[
        ("skills/deploy/SKILL.md", &skill("deploy", "v1")),
        ("skills/deploy/gone.md", "gone\n"),
        ("skills/deploy/data", "a\0b\n"),
        ("skills/deploy/run", "echo\n"),
    ]);
    std::fs::remove_file(world.path("upstream/skills/deploy/gone.md")).unwrap();
    world.make_executable("upstream/skills/deploy/run");
    world.upstream(&[("skills/deploy/data", "a\0c\n"), ("skills/deploy/fresh.md", "no line feed at the end")]);
    world.sync();
    let diff = world.run(&["candidate", "diff", "deploy"]).ok().stdout;
    for part in [
        "binary files differ",
        "new file mode 100644\n--- /dev/null\n",
        "deleted file mode 100644\n",
        "+++ /dev/null\n",
        "old mode 100644\nnew mode 100755\n",
        "+no line feed at the end\n\\ No newline at end of file\n",
    ] {
        assert!(diff.contains(part), "no {part:?} in\n{diff}");
    }
}

#[test]
fn diff_escapes_what_a_terminal_would_obey() {
    let world = world();
    let text = skill("other", "\x1b]0;owned\x07 \u{202e}evil\u{200b} \x1b[2J\r\n\x08");
    world.upstream(&[("skills/other/SKILL.md", &text)]);
    world.sync();
    for args in [&["candidate", "diff", "other"][..], &["candidate", "diff", "other", "--upstream"]] {
        let shown = world.run(args).ok().all();
        for raw in ['\x1b', '\x07', '\u{202e}', '\u{200b}', '\r', '\x08'] {
            assert!(!shown.contains(raw), "{raw:?} in {shown:?}");
        }
        assert!(shown.contains("\\u{1b}]0;owned\\u{7}"), "{shown}");
    }
}

#[test]
fn a_branch_of_that_name_that_is_no_candidate_is_told_and_left() {
    let world = two_open();
    world.git("registry", &["branch", "candidate/up/mine", "main"]);
    world.git("registry", &["switch", "-q", "-c", "candidate/up/stuff", "main"]);
    world.registry(&[("stuff.txt", "somebody's own\n")]);
    let head = world.head("registry");
    world.git("registry", &["switch", "-q", "main"]);
    let list = world.json(&["candidate", "list"]);
    assert_eq!(list["candidates"].as_array().unwrap().len(), 2);
    assert!(!list["unreadable"].as_array().unwrap().is_empty(), "{list:#}");
    world.sync();
    assert_eq!(world.rev("registry", "candidate/up/stuff"), head, "a person's commit is never deleted");
}

#[test]
fn a_merged_branch_that_was_brought_up_to_date_is_a_candidate_in_a_fresh_clone_too() {
    for squash in [false, true] {
        let world = world();
        world.upstream(&[("skills/deploy/SKILL.md", &lines("first", "v2"))]);
        world.sync();
        let button: &[&str] =
            if squash { &["merge", "-q", "--squash"] } else { &["merge", "-q", "--no-ff", "--no-edit"] };
        world.git("registry", &[button, &["candidate/up/deploy"]].concat());
        if squash {
            world.commit("registry", "squash");
        }
        // "Update branch", although it is merged.
        world.git("registry", &["switch", "-q", "candidate/up/deploy"]);
        world.git("registry", &["merge", "-q", "--no-ff", "--no-edit", "main"]);
        world.git("registry", &["switch", "-q", "main"]);
        world.upstream(&[("skills/deploy/SKILL.md", &lines("first", "v3"))]);
        world.git("", &["clone", "-q", "registry", "fresh"]);
        let (here, there) = (world.sync(), world.sync_in("fresh", &[]));
        let commit = |synced: &Synced| synced.skill("deploy")["candidate"]["commit"].clone();
        assert_eq!((here.action("deploy"), there.action("deploy")), ("remade", "remade"), "squash {squash}");
        assert_eq!(commit(&here), commit(&there));
    }
}

#[test]
fn a_skill_that_comes_back_after_its_removal_was_accepted_in_part_is_merged_with_what_stayed() {
    let file = |path: &str| format!("skills/deploy/{path}");
    let (skill_md, docs) = (file("SKILL.md"), file("docs/a.md"));
    let text = skill("deploy", "v1");
    let other = skill("other", "stays");
    let world = World::following(&[(&skill_md, &text), (&docs, "theirs\n"), ("skills/other/SKILL.md", &other)]);
    world.registry(&[(&docs, "ours\n")]);
    std::fs::remove_dir_all(world.path("upstream/skills/deploy")).unwrap();
    world.commit("upstream", "gone");
    let synced = world.sync();
    assert_eq!(
        (synced.class("deploy"), synced.conflicts("deploy")),
        ("removed", vec!["docs/a.md modify_delete".into()])
    );
    world.run(&["candidate", "resolve", "deploy", "--take", "local"]).ok();
    world.run(&["candidate", "accept", "deploy"]).ok();
    assert!(!world.exists(&format!("registry/{skill_md}")) && world.read(format!("registry/{docs}")) == "ours\n");
    world.sync();
    world.upstream(&[(&skill_md, &skill("deploy", "v2"))]);
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("three_way", "opened"));
    let branch = "candidate/up/deploy";
    assert!(world.show("registry", branch, &skill_md).contains("v2"));
    assert_eq!(world.show("registry", branch, &docs), "ours\n");
}
