//! `import --link`: what other installers recorded about where a skill came from becomes an upstream that is followed.

use crate::support::{World, skill};
use crate::sync::lines;
use serde_json::{Value, json};

const FILE: &str = "skills/deploy/SKILL.md";

/// An upstream with two states of `deploy` and a `review`, an empty registry, and a project `app` in which `deploy` is
/// the first of them. Returns the upstream's revisions.
fn world() -> (World, Vec<String>) {
    let review = skill("review", "reviews");
    let world = World::with_upstream(&[(FILE, &lines("first", "last")), ("skills/review/SKILL.md", &review)]);
    let mut revisions = vec![world.head("upstream")];
    revisions.push(world.upstream(&[(FILE, &lines("first", "second"))]));
    world.init("app");
    world.write("app/.agents/skills/deploy/SKILL.md", lines("first", "last"));
    world.write("app/.agents/skills/review/SKILL.md", review);
    (world, revisions)
}

/// Writes the lock file of a project as `npx skills` does.
fn lock(world: &World, skills: &Value) {
    world.write("app/skills-lock.json", json!({"version": 1, "skills": skills}).to_string());
}

#[track_caller]
fn import(world: &World, args: &[&str], code: i32) -> Value {
    world.run(&[&["--json", "import", "--from", "../app", "--link"], args].concat()).ends_with(code).json()
}

#[test]
fn skills_of_a_projects_lock_file_follow_their_upstream_at_once_in_one_commit() {
    let (world, revisions) = world();
    let url = world.url("upstream");
    let entry = |name: &str| {
        json!({"source": "acme/skills", "sourceType": "git", "sourceUrl": url,
            "skillPath": format!("skills/{name}/SKILL.md"), "computedHash": "ff"})
    };
    lock(&world, &json!({"deploy": entry("deploy"), "review": entry("review")}));
    let before = world.head("registry");
    let report = import(&world, &[], 0);
    assert_eq!(world.rev("registry", "HEAD^"), before, "one commit");
    let followed = json!({"source": "upstream", "path": "skills/deploy", "revision": revisions[0], "identical": true});
    assert_eq!(report["skills"][0]["upstream"], followed);
    assert_eq!(report["skills"][0]["tool"], "skills");
    let source = world.read("registry/sources/upstream.toml");
    assert!(source.contains("skills = [\"skills/deploy\", \"skills/review\"]"), "{source}");
    let entry = world.read("registry/skills/deploy.toml");
    assert!(
        entry.contains("[upstream]") && entry.contains("[origin]") && entry.contains("tool = \"skills\""),
        "{entry}"
    );
    let committed = world.git("registry", &["show", "--format=raw", "HEAD"]);
    assert!(!committed.contains(world.path("upstream").to_str().unwrap()), "no path of the machine: {committed}");
    // From here on it is a skill like any other that follows.
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.class("review")), ("fast_forward", "unchanged"));
    world.run(&["candidate", "accept", "deploy"]).ok();
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), lines("first", "second"));
    world.run(&["check"]).ok();
    // A retry finds an older copy, and a person decides.
    assert_eq!(import(&world, &[], 3)["skills"][0]["status"], "conflict");
}

#[test]
fn a_retry_of_a_finished_import_with_links_changes_nothing() {
    let (world, _) = world();
    lock(&world, &json!({"deploy": {"source": "../upstream", "sourceType": "local"}}));
    import(&world, &[], 0);
    let before = (world.refs("registry"), world.objects("registry"));
    let report = import(&world, &[], 0);
    assert_eq!((&report["skills"][0]["status"], &report["commit"]), (&json!("unchanged"), &Value::Null));
    assert_eq!((world.refs("registry"), world.objects("registry")), before);
}

#[test]
fn a_skill_that_was_imported_before_can_be_linked_later() {
    let (world, revisions) = world();
    world.run(&["import", "--from", "../app"]).ok();
    lock(&world, &json!({"deploy": {"source": world.path("upstream"), "sourceType": "local"}}));
    let report = import(&world, &[], 0);
    let item = &report["skills"][0];
    assert_eq!((&item["status"], &item["reason"]), (&json!("completed"), &json!("linked")));
    assert_eq!(item["upstream"]["revision"], revisions[0]);
    let source = world.read("registry/sources/upstream.toml");
    assert!(source.contains("git = \"../upstream\""), "no path of the machine: {source}");
    assert_eq!(world.git("registry", &["diff", "--name-only", "HEAD^"]), "skills/deploy.toml\nsources/upstream.toml");
    assert_eq!(world.sync().class("deploy"), "fast_forward");
}

#[test]
fn a_source_that_has_the_repository_already_is_followed() {
    let (world, _) = world();
    world.run(&["add", "../upstream", "--name", "up", "--skill", "deploy", "--no-enable"]).ok();
    lock(
        &world,
        &json!({"deploy": {"source": "../upstream", "sourceType": "local"},
        "review": {"source": "../upstream", "sourceType": "local"}}),
    );
    let report = import(&world, &[], 1);
    assert_eq!(report["skills"][0]["upstream"]["source"], "up");
    let error = report["skills"][1]["link_error"].as_str().unwrap();
    assert!(error.contains("does not select skills/review"), "{error}");
    assert_eq!(report["skills"][1]["status"], "completed", "it came in, as the team's own");
    assert!(!world.exists("registry/sources/upstream.toml"));
}

#[test]
fn the_tree_that_an_installer_recorded_is_the_base_of_a_copy_that_it_changed() {
    // `gh skill` writes into the frontmatter, so no state of upstream is identical.
    let (world, revisions) = world();
    let tree = world.rev("upstream", &format!("{}:skills/deploy", revisions[0]));
    let keys = format!(
        "metadata:\n  github-repo: {}\n  github-path: skills/deploy\n  github-ref: refs/heads/main\n  github-tree-sha: {tree}\n",
        world.url("upstream")
    );
    let text = lines("first", "second").replacen("description:", &format!("{keys}description:"), 1);
    world.write("app/.agents/skills/deploy/SKILL.md", &text);
    let report = import(&world, &["deploy"], 0);
    let item = &report["skills"][0];
    assert_eq!((&item["tool"], &item["upstream"]["identical"]), (&json!("gh"), &json!(false)));
    assert_eq!(item["upstream"]["revision"], revisions[0], "not the nearest one: the recorded one");
    assert!(world.read("registry/sources/upstream.toml").contains("ref = \"main\""));
    assert_eq!(world.sync().class("deploy"), "three_way");
}

#[test]
fn the_users_lock_file_is_about_the_users_folders() {
    let (world, revisions) = world();
    world.write("home/.agents/skills/deploy/SKILL.md", lines("first", "last"));
    world.write("registry/.claude/skills/review/SKILL.md", skill("review", "the project's own"));
    let entry = json!({"source": "x", "sourceType": "git", "sourceUrl": world.url("upstream"), "skillFolderHash": "",
        "installedAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z"});
    let lock = json!({"version": 3, "skills": {"deploy": entry, "review": entry}, "dismissed": {}});
    world.write("home/.agents/.skill-lock.json", lock.to_string());
    let report = world.json(&["import", "deploy", "review", "--link"]);
    assert_eq!(report["skills"][0]["upstream"]["revision"], revisions[0]);
    assert_eq!(report["skills"][1]["upstream"], Value::Null, "a project's skill of that name is another");
    assert_eq!(report["skills"][0]["path"], "~/.agents/skills/deploy");
}

#[test]
fn a_folder_across_the_border_of_the_home_is_not_written_down() {
    let (world, _) = world();
    world.git("", &["clone", "-q", "upstream", "home/upstream"]);
    lock(&world, &json!({"deploy": {"source": world.path("home/upstream"), "sourceType": "local"}}));
    let report = import(&world, &["deploy"], 1);
    let error = report["skills"][0]["link_error"].as_str().unwrap();
    assert!(error.contains("elsewhere on this machine"), "{error}");
    assert!(!world.git("registry", &["show", "--format=raw", "HEAD"]).contains("home"));
}

#[test]
fn a_hostile_lock_file_can_do_nothing_but_fail() {
    let (world, _) = world();
    let evil = world.path("evil").display().to_string();
    for (url, path, reference) in [
        (format!("ext::sh -c touch% {evil}"), "skills/deploy", "main"),
        ("--upload-pack=touch evil".into(), "skills/deploy", "main"),
        (world.url("upstream"), "../../home", "main"),
        (world.url("upstream"), "skills/deploy", "--output=evil"),
        (world.url("upstream"), "skills/nothing-here", "main"),
        (world.url("gone"), "skills/deploy", "main"),
    ] {
        lock(
            &world,
            &json!({"deploy": {"source": url, "sourceType": "git", "sourceUrl": url, "skillPath": path, "ref": reference},
            "review": 7}),
        );
        let report = import(&world, &[], 1);
        for item in report["skills"].as_array().unwrap() {
            assert!(item["link_error"].is_string() && item["upstream"].is_null(), "{report:#}");
            assert_ne!(item["status"], "failed", "it is the team's own");
        }
        assert!(!world.exists("evil") && !world.exists("registry/evil"));
        assert_eq!(world.git("registry", &["ls-files", "sources"]), "sources/README.md");
    }
    world.write("app/skills-lock.json", "not JSON");
    import(&world, &[], 0);
}

#[test]
fn without_link_the_origin_is_only_recorded() {
    let (world, _) = world();
    let entry = json!({"source": "acme/skills", "sourceType": "github", "skillPath": FILE});
    lock(&world, &json!({"deploy": entry}));
    let report = world.json(&["import", "deploy", "--from", "../app"]);
    assert_eq!(report["skills"][0]["upstream"], Value::Null);
    let entry = world.read("registry/skills/deploy.toml");
    assert!(entry.contains("source = \"https://github.com/acme/skills\"") && !entry.contains("[upstream]"), "{entry}");
}
