//! The three steps of the base look-up, and what happens when all fail.

use crate::support::World;
use crate::sync::lines;

/// A registry that follows a URL, with a local edit, and an upstream that moved on; both sides changed `deploy`.
fn moved() -> World {
    let world = World::with_upstream(&[("skills/deploy/SKILL.md", &lines("first", "last"))]);
    world.run(&["add", &world.url("upstream"), "--name", "up"]).ok();
    world.registry(&[("skills/deploy/SKILL.md", &lines("ours", "last"))]);
    world.upstream(&[("skills/deploy/SKILL.md", &lines("first", "upstream's"))]);
    world
}

fn merged(world: &World) {
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("three_way", "opened"));
    let text = world.show("registry", "candidate/up/deploy", "skills/deploy/SKILL.md");
    assert_eq!(text, lines("ours", "upstream's"));
    // Every base is reachable through the mirror from now on.
    let entry = world.show("registry", "candidate/up/deploy", "skills/deploy.toml");
    assert!(entry.contains("[upstream]"));
    let before = (world.refs("registry"), world.objects("registry"));
    assert_eq!(world.sync().action("deploy"), "kept");
    assert_eq!((world.refs("registry"), world.objects("registry")), before);
}

/// Rewrites the registry's history to one root commit and forgets everything else, so that no object of the base is
/// left; `cut_mirror` takes the mirror away too.
fn forget(world: &World) {
    let root = world.git("registry", &["commit-tree", "-m", "all there is", "HEAD^{tree}"]);
    world.git("registry", &["reset", "-q", "--hard", &root]);
    world.git("registry", &["update-ref", "-d", "refs/heads/mirror/up"]);
    world.git("registry", &["reflog", "expire", "--expire=now", "--all"]);
    world.git("registry", &["gc", "-q", "--prune=now"]);
    let accepted = git_tree(world);
    assert!(!world.git_tries("registry", &["cat-file", "-e", &accepted]), "the base is really gone");
}

/// Upstream rewrites its history, and forgets the old one.
fn upstream_forgets(world: &World) {
    let root = world.git("upstream", &["commit-tree", "-m", "all there is", "HEAD^{tree}"]);
    world.git("upstream", &["reset", "-q", "--hard", &root]);
    world.git("upstream", &["reflog", "expire", "--expire=now", "--all"]);
    world.git("upstream", &["gc", "-q", "--prune=now"]);
}

fn git_tree(world: &World) -> String {
    let entry = world.read("registry/skills/deploy.toml");
    let line = entry.lines().find(|line| line.starts_with("git_tree")).unwrap();
    line.split('"').nth(1).unwrap().to_owned()
}

#[test]
fn first_the_object_that_the_entry_names() {
    merged(&moved());
}

#[test]
fn an_object_that_is_not_what_accepted_proves_is_not_believed_and_the_mirror_is_asked() {
    let world = moved();
    let wrong = world.rev("registry", "HEAD:skills/using-skillgraft");
    let right = git_tree(&world);
    world.edit("registry/skills/deploy.toml", &right, &wrong);
    world.commit("registry", "a wrong git_tree");
    let check = world.run(&["--json", "check"]).ends_with(1).json();
    assert_eq!(check["findings"][0]["rule"], "base-mismatch");
    merged(&world);
}

#[test]
fn second_the_mirrors_history_by_hash() {
    let world = moved();
    let right = git_tree(&world);
    world.edit("registry/skills/deploy.toml", &right, &"1".repeat(40));
    world.commit("registry", "a git_tree that is nowhere");
    merged(&world);
}

#[test]
fn third_upstream_itself_is_asked_for_the_recorded_revision() {
    let world = moved();
    forget(&world);
    std::fs::remove_dir_all(world.path("cache")).unwrap();
    merged(&world);
    assert!(world.git_tries("registry", &["cat-file", "-e", &git_tree(&world)]), "the base was brought here");
    let reachable = world.git("registry", &["log", "--format=%T", "mirror/up"]);
    assert!(reachable.lines().count() > 1, "and joined to the mirror");
}

#[test]
fn a_base_that_can_be_found_nowhere_fails_closed_and_names_the_way_out() {
    let world = moved();
    forget(&world);
    std::fs::remove_dir_all(world.path("cache")).unwrap();
    upstream_forgets(&world);
    let files = crate::support::listing(&world.path("registry"));
    for _ in 0..2 {
        let synced = world.try_sync("registry", &[]);
        assert_eq!(synced.code, 1);
        let error = &synced.skill("deploy")["error"];
        assert_eq!(error["kind"], "unknown_base", "{:#}", synced.json);
        let hint = error["hint"].as_str().unwrap();
        assert!(hint.contains("skillgraft link deploy --to up"), "{hint}");
        assert_eq!(world.branches("registry", "candidate/"), Vec::<String>::new(), "never a silent overwrite");
        assert_eq!(crate::support::listing(&world.path("registry")), files);
    }
    world.run(&["sync"]).ends_with(1).says(&["skillgraft link deploy --to up"]);
}

#[test]
#[cfg(unix)]
fn upstream_is_asked_again_for_a_base_that_it_has_not_only_when_it_has_moved() {
    let world = moved();
    forget(&world);
    std::fs::remove_dir_all(world.path("cache")).unwrap();
    let before = world.head("upstream");
    let root = world.git("upstream", &["commit-tree", "-m", "all there is", "HEAD^{tree}"]);
    world.git("upstream", &["reset", "-q", "--hard", &root]);
    world.git("upstream", &["branch", "-q", "old", &before]);
    world.git("upstream", &["bundle", "create", "-q", "../old.bundle", "old"]);
    world.git("upstream", &["branch", "-q", "-D", "old"]);
    world.git("upstream", &["reflog", "expire", "--expire=now", "--all"]);
    world.git("upstream", &["gc", "-q", "--prune=now"]);
    world.counts_git();
    let asked = || {
        let _ = std::fs::remove_file(world.path("count"));
        let run = world.run(&["--json", "sync"]);
        let text = std::fs::read_to_string(world.path("count")).unwrap_or_default();
        (run.json()["sources"][0]["skills"][0]["error"]["kind"].clone(), text.matches(" fetch ").count())
    };
    let unknown = serde_json::json!("unknown_base");
    let (kind, first) = asked();
    assert!(kind == unknown && first > 1, "the head, and the base in vain: {first}");
    assert_eq!(asked(), (unknown.clone(), 0));
    assert_eq!(asked(), (unknown.clone(), 0));
    world.upstream(&[("skills/deploy/SKILL.md", &lines("first", "upstream's second"))]);
    let (kind, again) = asked();
    assert!(kind == unknown && again > 1, "it has moved, so it may have it now: {again}");
    assert_eq!(asked(), (unknown, 0));
    world.git("upstream", &["fetch", "-q", "../old.bundle", "old:old"]);
    world.upstream(&[("skills/deploy/SKILL.md", &lines("first", "upstream's third"))]);
    assert_eq!(asked().0, serde_json::Value::Null, "and so it has");
    let text = world.show("registry", "candidate/up/deploy", "skills/deploy/SKILL.md");
    assert_eq!(text, lines("ours", "upstream's third"));
    let cache = world.git("", &["--git-dir", &cache(&world), "for-each-ref", "refs/skillgraft/missing"]);
    assert_eq!(cache, "", "what was found is not missing any more");
}

/// The git directory of the one repository in the cache.
fn cache(world: &World) -> String {
    let mut entries = std::fs::read_dir(world.path("cache/git")).unwrap().map(|entry| entry.unwrap().path());
    entries.find(|path| path.is_dir()).unwrap().display().to_string()
}

#[test]
fn one_skills_unknown_base_is_never_another_ones_problem() {
    let world = World::with_upstream(&[
        ("skills/deploy/SKILL.md", &lines("first", "last")),
        ("skills/other/SKILL.md", &crate::support::skill("other", "v1")),
    ]);
    world.run(&["add", "../upstream", "--name", "up"]).ok();
    let text = world.read("registry/skills/deploy.toml").replace(&git_tree(&world), &"1".repeat(40));
    let accepted = text.lines().find(|line| line.starts_with("accepted")).unwrap().to_owned();
    let text = text.replace(&accepted, &format!("accepted = \"git-sha256:{}\"", "2".repeat(64)));
    world.registry(&[("skills/deploy.toml", &text), ("skills/deploy/SKILL.md", &lines("ours", "last"))]);
    world.upstream(&[
        ("skills/deploy/SKILL.md", &lines("first", "upstream's")),
        ("skills/other/SKILL.md", &crate::support::skill("other", "v2")),
    ]);
    let synced = world.try_sync("registry", &[]);
    assert_eq!(synced.code, 1);
    assert_eq!(synced.skill("deploy")["error"]["kind"], "unknown_base");
    assert_eq!(synced.action("other"), "opened");
}

#[test]
fn a_fast_forward_needs_no_base() {
    let world = World::with_upstream(&[("skills/deploy/SKILL.md", &lines("first", "last"))]);
    world.run(&["add", &world.url("upstream"), "--name", "up"]).ok();
    world.git("registry", &["update-ref", "-d", "refs/heads/mirror/up"]);
    world.upstream(&[("skills/deploy/SKILL.md", &lines("first", "upstream's"))]);
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("fast_forward", "opened"));
}

#[test]
fn the_base_of_a_disabled_skill_is_kept_too_because_upstream_may_forget_it_until_it_is_enabled() {
    let world = moved();
    forget(&world);
    world.run(&["disable", "deploy", "--reason", "not now"]).ok();
    assert_eq!(world.sync().class("deploy"), "disabled");
    std::fs::remove_dir_all(world.path("cache")).unwrap();
    upstream_forgets(&world);
    world.run(&["enable", "deploy"]).ok();
    merged(&world);
}
