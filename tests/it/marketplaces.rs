//! Marketplaces: one source for each plugin, which follows the marketplace's pin; what fails, fails alone.

use crate::support::{Run, World, listing, skill, sync::remarks};
use serde_json::{Value, json};

const MARKET: &str = "upstream/.claude-plugin/marketplace.json";

/// Writes the marketplace's file and commits it.
fn lists(world: &World, plugins: Value) -> String {
    let file = json!({"name": "market", "owner": {"name": "Acme"}, "plugins": plugins, "renames": {"old": "new"}});
    world.write(MARKET, file.to_string());
    world.commit("upstream", "the marketplace moves")
}

/// A marketplace that is about to list plugins, and the repository `other` with two of its own.
fn market() -> World {
    let world = World::with_upstream(&[("README.md", "a marketplace\n")]);
    world.init("other");
    world.write("other/LICENSE", "MIT\n");
    world.write("other/skills/review/SKILL.md", skill("review", "v1"));
    world.write("other/.claude-plugin/plugin.json", json!({"name": "other", "version": "1.0.0"}).to_string());
    world.write("other/below/tools/skills/lint/SKILL.md", skill("lint", "v1"));
    world.commit("other", "one");
    world
}

fn plugin(world: &World, name: &str, version: &str) {
    let folder = format!("upstream/plugins/{name}");
    world.write(format!("{folder}/.claude-plugin/plugin.json"), json!({"name": name, "version": version}).to_string());
    world.write(format!("{folder}/skills/{name}-skill/SKILL.md"), skill(&format!("{name}-skill"), "v1"));
}

fn failed(report: &Value) -> Vec<String> {
    let failed = report["failed"].as_array().unwrap().iter();
    failed.map(|f| format!("{}: {}", f["plugin"].as_str().unwrap(), f["error"]["message"].as_str().unwrap())).collect()
}

fn add(world: &World, args: &[&str]) -> Run {
    world.run(&[&["--json", "add", "../upstream"], args].concat())
}

#[test]
fn every_plugin_that_can_be_followed_becomes_a_source_in_one_commit_and_the_others_fail_alone() {
    let world = market();
    let (url, sha) = (world.url("other"), world.head("other"));
    plugin(&world, "ops", "1.4.0");
    plugin(&world, "hidden", "1.0.0");
    world.write("upstream/plugins/loose/skills/a/SKILL.md", skill("a", "v1"));
    world.write("upstream/plugins/loose/skills/b/SKILL.md", skill("b", "v1"));
    world.write("upstream/plugins/loose/.claude-plugin/plugin.json", "{\"name\": \"x\", \"version\": \"9\"}");
    world.write("upstream/plugins/empty/commands/x.md", "a command\n");
    lists(
        &world,
        json!([
            {"name": "ops", "source": "./plugins/ops", "version": "0.0.1"},
            {"name": "loose", "source": "./plugins/loose", "strict": false, "skills": ["./skills/b"], "version": "2"},
            {"name": "whole", "source": {"source": "url", "url": url, "sha": sha}},
            {"name": "part", "source": {"source": "git-subdir", "url": url, "path": "below/tools", "ref": "main"}},
            {"name": "empty", "source": "./plugins/empty"},
            {"name": "gone", "source": "./plugins/gone"},
            {"name": "away", "source": {"source": "url", "url": world.url("nowhere"), "sha": sha}},
            {"name": "runs", "source": {"source": "command", "command": ["touch", "evil"]}},
            {"name": "packed", "source": {"source": "npm", "package": "x"}},
            {"name": "odd", "source": {"source": "moon"}},
        ]),
    );
    let run = add(&world, &["--plugin", "*"]).ends_with(1);
    let report = run.json();
    let sources = report["plugins"].as_array().unwrap();
    let brought: Vec<_> =
        sources.iter().map(|s| (s["source"].clone(), s["version"].clone(), s["skills"].clone())).collect();
    assert_eq!(
        brought,
        [
            (json!("ops"), json!("1.4.0"), json!(["ops-skill"])),
            (json!("loose"), json!("2"), json!(["b"])),
            (json!("whole"), json!("1.0.0"), json!(["review"])),
            (json!("part"), json!(null), json!(["lint"])),
        ]
    );
    let failed = failed(&report);
    for (at, why) in ["away: ", "gone: ", "odd: ", "packed: ", "runs: "].iter().enumerate() {
        assert!(failed[at].starts_with(why), "{failed:#?}");
    }
    assert_eq!(failed.len(), 5, "{failed:#?}");
    assert!(failed[4].contains("never run") && !world.exists("registry/evil"));
    assert_eq!(world.git("registry", &["rev-list", "--count", "HEAD"]), "2", "one commit");
    assert_eq!(world.branches("registry", "mirror/"), ["mirror/loose", "mirror/ops", "mirror/part", "mirror/whole"]);
    let file = world.read("registry/sources/ops.toml");
    assert!(file.contains("marketplace = \"../upstream\"\nplugin = \"ops\"\n"), "{file}");
    assert!(
        world.read("registry/skills/lint.toml").contains("path = \"below/tools/skills/lint\""),
        "upstream's own path"
    );
    assert!(world.exists("registry/licenses/part/LICENSE"), "the licence of the repository that it comes from");
    assert!(world.read("registry/skills/b.toml").contains("version = \"2\""), "the entry is the manifest");
    let synced = world.sync();
    assert_eq!((synced.class("review"), synced.class("lint")), ("unchanged", "unchanged"));
    assert_eq!(synced.source("ops")["kind"], "plugin");
    assert_eq!(synced.source("ops")["plugins"], json!([{"path": "plugins/ops", "name": "ops", "version": "1.4.0"}]));
    assert_eq!(world.run(&["check"]).code, 0);
    let list = world.json(&["source", "list"]);
    let ops = list["sources"].as_array().unwrap().iter().find(|source| source["name"] == "ops").unwrap();
    assert_eq!((&ops["kind"], &ops["plugin"], &ops["version"]), (&json!("plugin"), &json!("ops"), &json!("1.4.0")));
    let shown = world.json(&["source", "show", "part"]);
    assert_eq!((&shown["plugin"], &shown["version"]), (&json!("part"), &json!(null)));
    // Once more changes nothing, and says so.
    let again = add(&world, &["--plugin", "[lopw]*"]).json();
    assert_eq!((again.get("commit"), again["unchanged"].as_array().unwrap().len()), (None, 4));
}

#[test]
fn a_plugin_without_skills_is_skipped_and_fails_nothing() {
    let world = market();
    plugin(&world, "ops", "1.4.0");
    plugin(&world, "more", "1.0.0");
    world.write("upstream/plugins/empty/commands/x.md", "a command\n");
    let ops = json!([
        {"name": "ops", "source": "./plugins/ops"},
        {"name": "more", "source": "./plugins/more"},
        {"name": "empty", "source": "./plugins/empty"},
    ]);
    lists(&world, ops);
    let run = add(&world, &["--plugin", "*", "--skill", "ops*"]).ok();
    let skipped =
        |name: &str, reason: &str, message: &str| json!({"plugin": name, "reason": reason, "message": message});
    assert_eq!(
        run.json()["skipped"],
        json!([
            skipped("more", "none_selected", "none of its skills is selected"),
            skipped("empty", "no_skills", "it has no skills"),
        ])
    );
    assert_eq!((failed(&run.json()), world.exists("registry/sources/empty.toml")), (Vec::new(), false));
    // Once more, and for people: what is followed is not what was asked to be added again.
    world.run(&["add", "../upstream", "--plugin", "*"]).ok().says(&["skipped: 1 plugin without skills: empty\n"]);
    // Nothing but such ones is what nobody wanted.
    world.run(&["add", "../upstream", "--plugin", "empty"]).ends_with(1).prints(&["No plugin was added"]);
    // A plugin that loses its skills later has failed: what it brought stays.
    std::fs::remove_dir_all(world.path("upstream/plugins/ops/skills")).unwrap();
    world.write("upstream/plugins/ops/commands/x.md", "a command\n");
    world.commit("upstream", "no more skills");
    let synced = world.try_sync("registry", &[]);
    let error = &synced.source("ops")["error"];
    assert_eq!((synced.code, &error["kind"]), (1, &json!("no_evidence")), "{error:#}");
    assert!(error["message"].as_str().unwrap().contains("plugin `ops` has no skills"), "{error:#}");
}

#[test]
fn a_pin_that_moves_is_what_moves_a_plugin() {
    let world = market();
    let pinned = |sha: &str| {
        lists(
            &world,
            json!([{"name": "whole", "source": {"source": "url", "url": world.url("other"), "ref": "main", "sha": sha}}]),
        )
    };
    let first = world.head("other");
    pinned(&first);
    add(&world, &["--plugin", "whole"]).ok();
    world.write("other/skills/review/SKILL.md", skill("review", "v2"));
    world.write("other/.claude-plugin/plugin.json", json!({"name": "other", "version": "1.1.0"}).to_string());
    let second = world.commit("other", "two");
    let synced = world.sync();
    assert_eq!((synced.class("review"), &synced.source("whole")["revision"]), ("unchanged", &json!(first)));
    pinned(&second);
    let before = (listing(&world.path("cache")), world.refs("registry"), world.objects("registry"));
    assert_eq!(world.sync_in("registry", &["--dry-run"]).class("review"), "fast_forward");
    assert_eq!((listing(&world.path("cache")), world.refs("registry"), world.objects("registry")), before);
    let synced = world.sync();
    assert_eq!((synced.class("review"), &synced.source("whole")["revision"]), ("fast_forward", &json!(second)));
    assert_eq!(synced.skill("review")["plugin"], json!({"name": "whole", "from": "1.0.0", "to": "1.1.0"}));
    world.run(&["candidate", "accept", "review"]).ok();
    assert!(world.read("registry/skills/review/SKILL.md").contains("v2"));
    // A pin may go back, too, and a repository of the pinned commit may be elsewhere.
    world.git("", &["clone", "-q", "other", "moved"]);
    lists(&world, json!([{"name": "whole", "source": {"source": "url", "url": world.url("moved"), "sha": second}}]));
    assert_eq!(world.sync().class("review"), "unchanged");
}

#[test]
fn a_plugin_that_left_the_marketplace_is_no_evidence_and_loses_nothing() {
    let world = market();
    plugin(&world, "old", "1.0.0");
    plugin(&world, "ops", "1.0.0");
    let both = json!([{"name": "old", "source": "./plugins/old"}, {"name": "ops", "source": "./plugins/ops"}]);
    lists(&world, both);
    add(&world, &["--plugin", "*"]).ok();
    world.sync();
    let refs = world.refs("registry");
    lists(&world, json!([{"name": "ops", "source": "./plugins/ops"}, {"name": "new", "source": "./plugins/old"}]));
    let synced = world.try_sync("registry", &[]);
    let error = &synced.source("old")["error"];
    assert_eq!((synced.code, &error["kind"]), (1, &json!("no_evidence")));
    assert!(error["message"].as_str().unwrap().contains("lists no plugin `old`"), "{error}");
    assert!(error["hint"].as_str().unwrap().contains("called `new`"), "{error}");
    assert_eq!(synced.source("ops")["outcome"], "unchanged", "the others go on");
    for broken in ["{", "{\"plugins\": []}"] {
        world.write(MARKET, broken);
        world.commit("upstream", "a slip");
        let synced = world.try_sync("registry", &[]);
        assert_eq!((synced.code, &synced.source("ops")["error"]["kind"]), (1, &json!("no_evidence")), "{broken}");
    }
    std::fs::remove_file(world.path(MARKET)).unwrap();
    world.commit("upstream", "gone");
    assert_eq!(world.try_sync("registry", &[]).code, 1);
    assert_eq!(world.refs("registry"), refs);
    // What the hint says works.
    lists(&world, json!([{"name": "new", "source": "./plugins/old"}]));
    world.run(&["source", "set", "old", "plugin=new"]).ok();
    assert_eq!(world.try_sync("registry", &["old"]).class("old-skill"), "unchanged");
}

#[test]
fn two_plugins_of_one_repository_at_two_commits_both_work() {
    let world = market();
    let first = world.head("other");
    world.write("other/below/tools/skills/lint/SKILL.md", skill("lint", "v2"));
    let second = world.commit("other", "two");
    let at = |name: &str, path: &str, sha: &str| json!({"name": name, "source": {"source": "git-subdir", "url": world.url("other"), "path": path, "sha": sha}});
    lists(&world, json!([at("a", ".", &first), at("b", "below/tools", &second), at("c", "below/tools", &first)]));
    let report = add(&world, &["--plugin", "*", "--namespace", "plugin"]).ok().json();
    assert_eq!(report["plugins"].as_array().unwrap().len(), 3);
    assert!(world.read("registry/skills/b/lint/SKILL.md").contains("v2"));
    assert!(world.read("registry/skills/c/lint/SKILL.md").contains("v1"));
    world.counts_git();
    let synced = world.sync();
    assert_eq!((synced.class("a/review"), synced.class("b/lint")), ("unchanged", "unchanged"));
    assert!(!world.git_runs().iter().any(|run| run.contains("ls-remote") || run.contains("fetch")), "a pin is cached");
    assert_eq!(world.sync_in("registry", &["--offline"]).class("c/lint"), "unchanged");
}

/// The git processes of `add --plugin *`, of a sync that changes everything, and of one that changes nothing.
fn processes(plugins: usize) -> [usize; 3] {
    let world = market();
    let names: Vec<String> = (0..plugins).map(|n| format!("p{n}")).collect();
    let all = |version: &str| {
        for name in &names {
            plugin(&world, name, version);
            world
                .write(format!("upstream/plugins/{name}/skills/{name}-skill/{version}"), format!("{name} {version}\n"));
            world.write(format!("other/{name}/skills/{name}-far/SKILL.md"), skill(&format!("{name}-far"), version));
        }
        let sha = world.commit("other", version);
        let here = names.iter().map(|name| json!({"name": name, "source": format!("./plugins/{name}")}));
        let far = names.iter().map(|name| {
            json!({"name": format!("{name}-far"),
                   "source": {"source": "git-subdir", "url": world.url("other"), "path": name, "sha": sha}})
        });
        lists(&world, here.chain(far).collect());
    };
    all("1");
    world.counts_git();
    let market = world.url("upstream");
    let report = world.json(&["add", &market, "--plugin", "*"]);
    assert_eq!(report["plugins"].as_array().unwrap().len(), 2 * plugins);
    let adding = world.git_runs().len();
    all("2");
    world.git_runs();
    let synced = world.run(&["--json", "sync"]).ok().json();
    assert_eq!(synced["candidates"]["opened"], json!(2 * plugins));
    let moving = world.git_runs();
    world.run(&["sync"]).ok();
    [adding, moving.len(), world.git_runs().len()]
}

#[test]
fn a_marketplace_that_cannot_be_reached_is_asked_once_and_the_cache_has_what_it_said() {
    let world = market();
    plugin(&world, "ops", "1.0.0");
    plugin(&world, "dev", "1.0.0");
    lists(&world, json!([{"name": "ops", "source": "./plugins/ops"}, {"name": "dev", "source": "./plugins/dev"}]));
    world.run(&["add", &world.url("upstream"), "--plugin", "*"]).ok();
    world.sync();
    let refs = world.refs("registry");
    std::fs::rename(world.path("upstream"), world.path("away")).unwrap();
    world.counts_git();
    let synced = world.try_sync("registry", &[]);
    assert_eq!(synced.code, 1);
    for name in ["ops", "dev"] {
        assert_eq!(synced.source(name)["error"]["kind"], "not_found", "{:#}", synced.source(name));
    }
    assert_eq!(world.git_runs().iter().filter(|run| run.contains("ls-remote")).count(), 1);
    assert_eq!(world.sync_in("registry", &["--offline"]).class("ops-skill"), "unchanged");
    std::fs::rename(world.path("away"), world.path("upstream")).unwrap();
    std::fs::remove_dir_all(world.path("cache")).unwrap();
    assert_eq!(world.sync().class("dev-skill"), "unchanged");
    assert_eq!(world.refs("registry"), refs);
}

#[test]
fn the_number_of_git_processes_depends_on_the_repositories_and_not_on_the_plugins() {
    let (few, many) = (processes(1), processes(12));
    assert_eq!(few, many);
    assert!(many.iter().all(|count| *count <= 14), "{many:?}");
}

#[test]
fn a_marketplace_elsewhere_cannot_point_at_this_machine() {
    let world = World::new();
    world.init("acme/market");
    world.init("acme/tools");
    world.write("acme/tools/skills/lint/SKILL.md", skill("lint", "v1"));
    world.commit("acme/tools", "one");
    let plugins = json!([
        {"name": "private", "source": {"source": "url", "url": world.url("acme/tools")}},
        {"name": "path", "source": {"source": "url", "url": "/etc"}},
        {"name": "helper", "source": {"source": "url", "url": "ext::sh -c id"}},
        {"name": "option", "source": {"source": "github", "repo": "--upload-pack=x"}},
        {"name": "plain", "source": {"source": "url", "url": "http://127.0.0.1:9/x"}},
        {"name": "secret", "source": {"source": "url", "url": "https://u:hunter2@h/x"}},
        {"name": "fine", "source": {"source": "github", "repo": "acme/tools"}},
    ]);
    world.write("acme/market/.claude-plugin/marketplace.json", json!({"name": "m", "plugins": plugins}).to_string());
    world.commit("acme/market", "one");
    world.run_in("", &["init", "registry"]).ok();
    world.serves("https://github.com/");
    let run = world.run(&["--json", "add", "acme/market", "--plugin", "*"]).ends_with(1);
    let report = run.json();
    assert_eq!(report["plugins"][0]["skills"], json!(["lint"]));
    assert_eq!(failed(&report).len(), 6, "{report:#}");
    assert!(!run.all().contains("hunter2"));
    assert!(failed(&report).iter().any(|line| line.starts_with("private: ") && line.contains("this machine")));
    assert_eq!(world.sync().class("lint"), "unchanged");
}

#[test]
fn a_marketplace_is_a_plain_source_too_and_without_skills_it_says_how() {
    let world = market();
    plugin(&world, "ops", "1.0.0");
    lists(&world, json!([{"name": "ops", "source": "./plugins/ops"}]));
    world.write("upstream/plugins/ops/.claude-plugin/plugin.json", "{\"name\": \"ops\"}");
    world.write("upstream/plugins/bare/skills/bare/SKILL.md", skill("bare", "v1"));
    lists(
        &world,
        json!([
            {"name": "ops", "source": "./plugins/ops", "version": "1.2.0"},
            {"name": "bare", "source": "./plugins/bare", "version": "3.0.0", "strict": false},
        ]),
    );
    assert_eq!(world.json(&["add", "../upstream", "--name", "all"])["skills"], json!(["bare", "ops-skill"]));
    assert!(world.read("registry/skills/ops-skill.toml").contains("version = \"1.2.0\""), "the marketplace's entry");
    assert!(world.read("registry/skills/bare.toml").contains("version = \"3.0.0\""));

    let world = market();
    lists(&world, json!([{"name": "whole", "source": {"source": "url", "url": world.url("other")}}]));
    world.run(&["add", "../upstream"]).ends_with(1).says(&["--plugin"]);
    world.run(&["add", "../upstream", "--plugin", "no*"]).ends_with(1).says(&["no plugin", "it lists whole"]);
    world.run(&["add", "../other", "--plugin", "*"]).ends_with(1).says(&["is no marketplace", "marketplace.json"]);
    world.run(&["add", "../upstream", "--plugin", "*", "--path", "x"]).ends_with(2).says(&["--path"]);
    assert_eq!(world.git("registry", &["rev-list", "--count", "HEAD"]), "1");
}

#[test]
fn a_skill_that_a_plugin_drops_is_removed_although_the_repository_still_has_it() {
    let world = market();
    plugin(&world, "ops", "1.0.0");
    world.write("upstream/shared/drain/SKILL.md", skill("drain", "v1"));
    let with =
        |skills: Value| lists(&world, json!([{"name": "ops", "source": "./", "strict": false, "skills": skills}]));
    with(json!(["./plugins/ops/skills", "./shared/drain"]));
    let report = add(&world, &["--plugin", "ops"]).ok().json();
    assert_eq!(report["plugins"][0]["skills"], json!(["drain", "ops-skill"]));
    with(json!(["./plugins/ops/skills"]));
    let synced = world.sync();
    assert_eq!((synced.class("drain"), synced.action("drain")), ("removed", "opened"));
    assert_eq!(synced.class("ops-skill"), "unchanged");
}

#[test]
fn names_that_are_taken_get_the_marketplaces_name_before_them_and_skills_stay_out() {
    let world = market();
    plugin(&world, "up", "1.0.0");
    plugin(&world, "twin", "1.0.0");
    world.write("upstream/plugins/twin/skills/up-skill/SKILL.md", skill("up-skill", "another"));
    lists(&world, json!([{"name": "up", "source": "./plugins/up"}, {"name": "twin", "source": "./plugins/twin"}]));
    world.run(&["add", "../other", "--name", "up"]).ok();
    let run = add(&world, &["--plugin", "*"]).ends_with(1);
    let report = run.json();
    assert_eq!((&report["plugins"][0]["source"], &report["failed"]), (&json!("market-up"), &json!([])));
    assert_eq!(report["plugins"][1]["skills"], json!(["twin-skill"]));
    assert_eq!(remarks(&report["plugins"][1]["rejected"]), ["plugins/twin/skills/up-skill ownership"]);
    world.run(&["check"]).ok();

    let world = market();
    plugin(&world, "up", "1.0.0");
    plugin(&world, "twin", "1.0.0");
    world.write("upstream/plugins/twin/skills/up-skill/SKILL.md", skill("up-skill", "another"));
    lists(&world, json!([{"name": "up", "source": "./plugins/up"}, {"name": "twin", "source": "./plugins/twin"}]));
    let report = add(&world, &["--plugin", "*", "--namespace", "plugin"]).ok().json();
    assert_eq!(report["plugins"][1]["skills"], json!(["twin/twin-skill", "twin/up-skill"]));
    world.run(&["add", "../upstream", "--plugin", "*", "--name", "x"]).ends_with(2).says(&["--name"]);
}

#[test]
fn a_plain_folder_can_be_a_marketplace_and_plugins_can_wait() {
    let world = market();
    plugin(&world, "ops", "1.0.0");
    lists(&world, json!([{"name": "ops", "source": "./plugins/ops"}]));
    world.git("upstream", &["worktree", "add", "-q", "--detach", "../plain"]);
    std::fs::remove_file(world.path("plain/.git")).unwrap();
    let report = world.json(&["add", "../plain", "--plugin", "ops", "--no-enable"]);
    assert_eq!((&report["enabled"], &report["plugins"][0]["skills"]), (&json!(false), &json!([])));
    assert_eq!(world.json(&["source", "enable", "ops"])["skills"], json!(["ops-skill"]));
    world.write("plain/plugins/ops/skills/ops-skill/SKILL.md", skill("ops-skill", "v2"));
    assert_eq!(world.sync().class("ops-skill"), "fast_forward");
}

#[test]
fn a_copied_skill_is_linked_to_a_plugin() {
    let world = market();
    let first = world.head("other");
    world.write("other/skills/review/SKILL.md", skill("review", "v2"));
    let second = world.commit("other", "two");
    lists(&world, json!([{"name": "whole", "source": {"source": "url", "url": world.url("other"), "sha": second}}]));
    world.registry(&[("skills/review/SKILL.md", &skill("review", "v1"))]);
    add(&world, &["--plugin", "whole", "--no-enable"]).ok();
    world.run(&["link", "review", "--to", "whole", "--yes"]).ok();
    assert!(world.read("registry/skills/review.toml").contains(&format!("revision = \"{first}\"")));
    world.run(&["source", "enable", "whole"]).ok();
    assert_eq!(world.sync().class("review"), "fast_forward");
}
