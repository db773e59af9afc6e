//! Plugins of a repository: whose skill is whose, in which version, and what a manifest can and cannot do.

use crate::support::{World, skill, sync::remarks};
use serde_json::json;

fn manifest(name: &str, version: &str) -> String {
    format!("{{\"name\": \"{name}\", \"version\": \"{version}\", \"unknown\": [1]}}\n")
}

/// An upstream with the plugin `acme` at its root and `ops` below it.
fn two_plugins() -> World {
    World::with_upstream(&[
        (".claude-plugin/plugin.json", &manifest("acme", "1.4.0")),
        ("skills/deploy/SKILL.md", &skill("deploy", "v1")),
        ("skills/review/SKILL.md", &skill("review", "v1")),
        ("plugins/ops/.codex-plugin/plugin.json", &manifest("ops", "0.1.0")),
        ("plugins/ops/skills/restart/SKILL.md", &skill("restart", "v1")),
    ])
}

#[test]
fn a_plugins_version_is_recorded_and_a_candidate_says_how_it_moves() {
    let world = two_plugins();
    world.run(&["add", "../upstream", "--name", "up"]).ok();
    assert!(world.read("registry/skills/deploy.toml").contains("version = \"1.4.0\""));
    assert!(world.read("registry/skills/restart.toml").contains("version = \"0.1.0\""), "the nearest plugin's");
    world.upstream(&[
        (".claude-plugin/plugin.json", &manifest("acme", "1.5.0")),
        ("skills/deploy/SKILL.md", &skill("deploy", "v2")),
    ]);
    let synced = world.sync();
    let moved = json!({"name": "acme", "from": "1.4.0", "to": "1.5.0"});
    assert_eq!((synced.class("deploy"), &synced.skill("deploy")["plugin"]), ("fast_forward", &moved));
    assert_eq!(synced.class("review"), "unchanged", "a version alone moves no skill");
    let plugins = json!([
        {"path": ".", "name": "acme", "version": "1.5.0"},
        {"path": "plugins/ops", "name": "ops", "version": "0.1.0"},
    ]);
    assert_eq!(synced.source("up")["plugins"], plugins);
    let said = world.git("registry", &["log", "-1", "--format=%B", "candidate/up/deploy"]);
    assert!(said.contains("\nPlugin acme 1.4.0 -> 1.5.0.\n"), "{said}");
    assert!(world.run(&["-v", "sync"]).stdout.contains("acme 1.4.0 -> 1.5.0"));
    assert!(world.run(&["candidate", "show", "deploy"]).stdout.contains("1.4.0 -> 1.5.0"));
    world.run(&["candidate", "accept", "deploy"]).ok();
    assert!(world.read("registry/skills/deploy.toml").contains("version = \"1.5.0\""));
    assert_eq!(world.json(&["show", "deploy"])["version"], "1.5.0");
    assert_eq!(world.sync().class("deploy"), "unchanged");
    let refs = world.refs("registry");
    world.sync();
    assert_eq!(world.refs("registry"), refs, "a second sync writes nothing");
    assert_eq!(world.run(&["check"]).code, 0);
}

#[test]
fn a_manifest_that_changes_alone_makes_no_mirror_commit() {
    let world = two_plugins();
    world.run(&["add", "../upstream", "--name", "up"]).ok();
    world.sync();
    let refs = world.refs("registry");
    world.upstream(&[(".claude-plugin/plugin.json", &manifest("acme", "2.0.0"))]);
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), &synced.source("up")["outcome"]), ("unchanged", &json!("unchanged")));
    assert_eq!(world.refs("registry"), refs);
    // It is written along with the next change.
    world.upstream(&[("skills/review/SKILL.md", &skill("review", "v2"))]);
    let moved = json!({"name": "acme", "from": "1.4.0", "to": "2.0.0"});
    assert_eq!(world.sync().skill("review")["plugin"], moved);
    let kept = world.show("registry", "mirror/up", ".skillgraft/plugins.json");
    assert_eq!(kept.matches("\"name\"").count(), 2, "{kept}");
    assert!(kept.contains("\"version\": \"2.0.0\""), "{kept}");
}

#[test]
fn the_same_upstream_makes_the_same_ids_in_any_clone() {
    let world = two_plugins();
    world.run(&["add", "../upstream", "--name", "up"]).ok();
    world.git("", &["clone", "-q", "registry", "other"]);
    let head = world.upstream(&[("skills/deploy/SKILL.md", &skill("deploy", "v2"))]);
    let revision = |dir: &str| {
        let synced = world.sync_in(dir, &[]);
        assert_eq!(synced.source("up")["revision"], json!(head));
        (world.rev(dir, "mirror/up"), world.rev(dir, "candidate/up/deploy"))
    };
    assert_eq!(revision("registry"), revision("other"));
}

#[test]
fn the_namespace_plugin_puts_each_plugins_name_before_its_skills() {
    let same = skill("deploy", "another one");
    let world = two_plugins();
    world.upstream(&[("plugins/ops/skills/deploy/SKILL.md", &same), ("plugins/none/x/SKILL.md", &skill("x", "v1"))]);
    let report = world.json(&["add", "../upstream", "--name", "up", "--namespace", "plugin"]);
    let ids = ["acme/deploy", "acme/review", "acme/x", "ops/deploy", "ops/restart"];
    assert_eq!(report["skills"], json!(ids));
    assert!(world.read("registry/sources/up.toml").contains("namespace = \"plugin\""));
    world.upstream(&[("plugins/ops/skills/drain/SKILL.md", &skill("drain", "v1"))]);
    assert_eq!(world.sync().class("ops/drain"), "new");

    let flat = two_plugins();
    flat.upstream(&[("plugins/ops/skills/deploy/SKILL.md", &same)]);
    let report = flat.json(&["add", "../upstream", "--name", "up"]);
    assert_eq!(report["skills"], json!(["deploy", "restart", "review"]));
    assert_eq!(remarks(&report["warnings"]), ["skills/deploy collision"]);
}

#[test]
fn a_manifest_that_cannot_be_read_is_a_warning_and_no_more() {
    let long = format!("{{\"name\": \"{}\"}}", "x".repeat(5 << 20));
    for broken in ["{", "{\"name\": \"\"}", "{\"name\": \"a\", \"skills\": \"../../etc\"}", &long] {
        let own = skill("deploy", "v1").replace("name:", "metadata:\n  version: \"7\"\nname:");
        let world = World::with_upstream(&[
            ("p/.claude-plugin/plugin.json", broken),
            ("p/skills/deploy/SKILL.md", &own),
            ("q/plugin.json", "{\"name\": \"Panel\", \"type\": \"panel\"}"),
            ("q/skills/chart/SKILL.md", &skill("chart", "v1")),
        ]);
        let report = world.json(&["add", "../upstream", "--name", "up"]);
        assert_eq!(report["skills"], json!(["chart", "deploy"]));
        assert_eq!(remarks(&report["warnings"]), ["p/.claude-plugin/plugin.json plugin_manifest"]);
        assert!(world.read("registry/skills/deploy.toml").contains("version = \"7\""), "its own version, as before");
        assert!(!world.has("registry", "mirror/up", ".skillgraft"), "no plugin, no file");
        assert_eq!(world.sync().class("deploy"), "unchanged");
    }
}

#[test]
fn a_plain_folder_with_a_manifest_is_a_plugin_too() {
    let world = World::with_upstream(&[]);
    world.write("plain/.cursor-plugin/plugin.json", manifest("acme", "1.0.0"));
    world.write("plain/skills/deploy/SKILL.md", skill("deploy", "v1"));
    world.run(&["add", "../plain", "--namespace", "plugin"]).ok();
    assert!(world.read("registry/skills/acme/deploy.toml").contains("version = \"1.0.0\""));
    world.write("plain/.cursor-plugin/plugin.json", manifest("acme", "1.1.0"));
    assert_eq!(world.sync().class("acme/deploy"), "unchanged");
    world.write("plain/skills/deploy/SKILL.md", skill("deploy", "v2"));
    assert_eq!(world.sync().skill("acme/deploy")["plugin"]["to"], "1.1.0");
}

#[test]
fn a_repository_that_is_one_skill_has_its_manifest_in_itself() {
    let world = World::with_upstream(&[
        ("SKILL.md", &skill("deploy", "v1")),
        (".claude-plugin/plugin.json", &manifest("acme", "1.0.0")),
    ]);
    world.run(&["add", "../upstream", "--name", "up"]).ok();
    assert!(world.read("registry/skills/deploy.toml").contains("version = \"1.0.0\""));
    world.upstream(&[(".claude-plugin/plugin.json", &manifest("acme", "1.1.0"))]);
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), &synced.skill("deploy")["plugin"]["to"]), ("fast_forward", &json!("1.1.0")));
    let refs = world.refs("registry");
    world.sync();
    assert_eq!(world.refs("registry"), refs, "a second sync writes nothing");
}

#[test]
fn upstream_cannot_write_what_a_mirror_says_of_plugins() {
    let forged = "{\"format\": 1, \"plugins\": [{\"path\": \".\", \"name\": \"forged\", \"version\": \"9\"}]}";
    let world = World::with_upstream(&[
        (".skillgraft/plugins.json", forged),
        (".skillgraft/SKILL.md", &skill("forged", "v1")),
        ("skills/deploy/SKILL.md", &skill("deploy", "v1")),
    ]);
    let report = world.json(&["add", "../upstream", "--name", "up"]);
    assert_eq!(report["skills"], json!(["deploy"]));
    assert_eq!(remarks(&report["rejected"]), [".skillgraft path"]);
    assert!(!world.read("registry/skills/deploy.toml").contains("version"));
}
