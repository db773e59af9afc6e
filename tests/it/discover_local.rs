//! `discover`: the skills that agents on this machine see. Each rule is the name of a test.

use crate::support::{World, listing, skill};
use serde_json::Value;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

/// A world with a project under git.
fn project() -> World {
    let world = World::new();
    world.init("app");
    world
}

/// Writes a skill by the book.
fn put(world: &World, directory: &str) {
    let name = directory.rsplit('/').next().unwrap();
    world.write(format!("{directory}/SKILL.md"), skill(name, directory));
}

/// Makes a link at `at` that says `to`.
fn link(world: &World, to: &str, at: &str) {
    std::fs::create_dir_all(world.path(at).parent().unwrap()).unwrap();
    symlink(to, world.path(at)).unwrap();
}

#[track_caller]
fn discover(world: &World, dir: &str, args: &[&str]) -> Value {
    world.run_in(dir, &[&["--json", "discover"], args].concat()).ok().json()
}

/// The skills of a report as `id layer kind path`, the path relative to the world.
fn told(world: &World, report: &Value) -> Vec<String> {
    let root = format!("{}/", world.path("").display());
    let root = root.replace("//", "/");
    let line = |skill: &Value| {
        let text = |key: &str| skill[key].as_str().unwrap().replace(&root, "");
        format!("{} {} {} {}", text("id"), text("layer"), text("kind"), text("path"))
    };
    report["skills"].as_array().unwrap().iter().map(line).collect()
}

/// The findings as `rule path`.
fn findings(world: &World, report: &Value) -> Vec<String> {
    let root = format!("{}/", world.path("").display()).replace("//", "/");
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|f| format!("{} {}", f["rule"].as_str().unwrap(), f["path"].as_str().unwrap().replace(&root, "")))
        .collect()
}

#[test]
fn symlinked_skill_directories_count() {
    let world = project();
    put(&world, "elsewhere/deploy");
    link(&world, "../../../elsewhere/deploy", "app/.claude/skills/deploy");
    link(&world, "../../../elsewhere", "app/.claude/skills/team");
    let report = discover(&world, "app", &[]);
    // The link to the folder above leads to the same skill, which this root has already.
    assert_eq!(told(&world, &report), ["deploy project provider app/.claude/skills/deploy"]);
    let target = world.path("elsewhere/deploy").display().to_string();
    assert_eq!((&report["skills"][0]["links_to"], &report["skills"][0]["files"]), (&target.into(), &1.into()));
}

#[test]
fn an_alias_in_another_root_is_not_lost() {
    let world = project();
    put(&world, "app/.agents/skills/deploy");
    link(&world, "../../.agents/skills/deploy", "app/.claude/skills/deploy");
    put(&world, "app/.cursor/real/review");
    link(&world, "real", "app/.cursor/skills");
    link(&world, "../.cursor/real", "app/.windsurf/skills");
    let report = discover(&world, "app", &["--doctor"]);
    assert_eq!(
        told(&world, &report),
        [
            "deploy project provider app/.claude/skills/deploy",
            "deploy project universal app/.agents/skills/deploy",
            "review project provider app/.cursor/skills/review",
            "review project provider app/.windsurf/skills/review",
        ]
    );
    assert_eq!(findings(&world, &report), [""; 0], "the same folder twice is nothing to put right");
}

#[test]
fn of_a_directory_and_a_link_to_it_in_one_root_the_directory_counts() {
    let world = project();
    put(&world, "app/.claude/skills/deploy");
    link(&world, "deploy", "app/.claude/skills/alias");
    let report = discover(&world, "app", &["--doctor"]);
    assert_eq!(told(&world, &report), ["deploy project provider app/.claude/skills/deploy"]);
    assert_eq!(findings(&world, &report), [""; 0]);
}

#[test]
fn of_two_links_to_one_folder_in_one_root_the_second_is_said_to_be_the_first() {
    let world = project();
    put(&world, "elsewhere/deploy");
    put(&world, "group/review");
    for name in ["deploy", "ship"] {
        link(&world, "../../../elsewhere/deploy", &format!("app/.claude/skills/{name}"));
    }
    for name in ["one", "two"] {
        link(&world, "../../../group", &format!("app/.claude/skills/{name}"));
    }
    // Another root has its own.
    link(&world, "../../../elsewhere/deploy", "app/.cursor/skills/deploy");
    let report = discover(&world, "app", &["--doctor"]);
    assert_eq!(
        told(&world, &report),
        [
            "deploy project provider app/.claude/skills/deploy",
            "deploy project provider app/.cursor/skills/deploy",
            "one/review project provider app/.claude/skills/one/review",
        ]
    );
    assert_eq!(findings(&world, &report), ["alias app/.claude/skills/ship", "alias app/.claude/skills/two"]);
    let message = &report["findings"][0]["message"];
    assert_eq!(message, "it leads to the same folder as `deploy` in this root, which counts");
}

#[test]
fn a_key_is_taken_only_by_a_directory_with_a_readable_skill_md() {
    let world = project();
    world.write("app/.claude/skills/deploy/README.md", "not a skill\n");
    world.write("app/.codex/skills/deploy/skill.md", skill("deploy", "spelt otherwise"));
    put(&world, "app/.agents/skills/deploy");
    let report = discover(&world, "app", &["--doctor"]);
    assert_eq!(told(&world, &report), ["deploy project universal app/.agents/skills/deploy"]);
    assert_eq!(report["skills"][0]["shadowed_by"], Value::Null);
    assert_eq!(
        findings(&world, &report),
        ["no_skill_md app/.claude/skills/deploy", "no_skill_md app/.codex/skills/deploy"]
    );
}

#[test]
fn an_unreadable_skill_md_is_an_error_for_that_key_and_never_falls_through() {
    let world = project();
    link(&world, "nowhere.md", "app/.claude/skills/deploy/SKILL.md");
    put(&world, "app/.agents/skills/deploy");
    world.run_in("", &["init", "registry"]).ok();
    let report = discover(&world, "app", &["--doctor"]);
    let skills = report["skills"].as_array().unwrap();
    assert!(skills[0]["error"].as_str().unwrap().contains("cannot read"), "{report:#}");
    assert_eq!(skills[1]["shadowed_by"], skills[0]["path"], "the readable one does not step in");
    assert!(findings(&world, &report).contains(&"unreadable app/.claude/skills/deploy/SKILL.md".into()), "{report:#}");
    // Loading asks the same question.
    let head = world.head("registry");
    let run = world.run(&["--json", "import", "deploy", "--from", "../app"]).ends_with(1);
    let item = &run.json()["skills"][0];
    assert_eq!((&item["status"], &item["reason"]), (&"failed".into(), &"unreadable".into()));
    assert_eq!(world.head("registry"), head);
}

#[test]
fn dangling_links_loops_and_directories_without_skill_md_do_not_stop_the_walk() {
    let world = project();
    let root = "app/.claude/skills";
    world.write(format!("{root}/empty/notes.md"), "no skill\n");
    world.write(format!("{root}/a-file"), "no folder\n");
    link(&world, "gone", &format!("{root}/dangling"));
    link(&world, ".", &format!("{root}/here"));
    link(&world, "../../..", &format!("{root}/up"));
    link(&world, "loop-b", &format!("{root}/loop-a"));
    link(&world, "loop-a", &format!("{root}/loop-b"));
    put(&world, &format!("{root}/zz"));
    put(&world, &format!("{root}/group/inner"));
    link(&world, "..", &format!("{root}/group/again"));
    let report = discover(&world, "app", &["--doctor"]);
    assert_eq!(
        told(&world, &report),
        ["group/inner project provider app/.claude/skills/group/inner", "zz project provider app/.claude/skills/zz"]
    );
    assert_eq!(
        findings(&world, &report),
        [
            "dangling_link app/.claude/skills/dangling",
            "no_skill_md app/.claude/skills/empty",
            "dangling_link app/.claude/skills/loop-a",
            "dangling_link app/.claude/skills/loop-b",
        ]
    );
}

#[test]
fn a_walk_is_bounded_in_depth_and_in_what_it_reads() {
    let world = project();
    put(&world, "app/.claude/skills/a/b/c/d/e/six");
    put(&world, "app/.claude/skills/1/2/3/4/5/6/seven");
    put(&world, "app/.claude/skills/node_modules/pkg");
    std::fs::create_dir_all(world.path("app/.claude/skills/pipe")).unwrap();
    let pipe = world.path("app/.claude/skills/pipe/SKILL.md");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let report = discover(&world, "app", &[]);
    let ids: Vec<_> = report["skills"].as_array().unwrap().iter().map(|skill| &skill["id"]).collect();
    assert_eq!(ids, ["a/b/c/d/e/six", "pipe"], "nobody waits for a pipe");
    assert!(report["skills"][1]["error"].as_str().unwrap().contains("not a file"));
}

#[test]
fn listing_and_loading_use_the_same_predicate() {
    let world = project();
    let root = "app/.claude/skills";
    put(&world, &format!("{root}/plain"));
    put(&world, "app/elsewhere/linked");
    link(&world, "../../elsewhere/linked", &format!("{root}/linked"));
    world.write(format!("{root}/by-link/real.md"), skill("by-link", "text"));
    link(&world, "real.md", &format!("{root}/by-link/SKILL.md"));
    std::fs::create_dir_all(world.path(format!("{root}/folder/SKILL.md"))).unwrap();
    link(&world, "gone", &format!("{root}/broken/SKILL.md"));
    world.write(format!("{root}/none/skill.md"), "text\n");
    world.run_in("", &["init", "registry"]).ok();
    let report = discover(&world, "app", &[]);
    let mut seen = Vec::new();
    for listed in report["skills"].as_array().unwrap() {
        let key = listed["id"].as_str().unwrap();
        let run = world.run(&["--json", "import", key, "--from", "../app"]);
        let status = run.json()["skills"][0]["status"].clone();
        assert_eq!(listed["error"].is_null(), status == "completed", "{key}: {:#}", run.json());
        seen.push(format!("{key} {}", status.as_str().unwrap()));
    }
    assert_eq!(seen, ["broken failed", "by-link completed", "folder failed", "linked completed", "plain completed"]);
    world.run(&["import", "none", "--from", "../app"]).ends_with(1).says(&["no skill `none`", "discover --doctor"]);
}

#[test]
fn the_layers_come_in_their_order_and_the_provider_root_before_the_universal_one() {
    let world = project();
    world.run_in("", &["init", "app/registry"]).ok();
    for directory in [
        "named/deploy",
        "path/deploy",
        "app/registry/.claude/skills/deploy",
        "app/registry/.agents/skills/deploy",
        "app/.claude/skills/deploy",
        "app/.agents/skills/deploy",
        "app/registry/skills/deploy",
        "home/.claude/skills/deploy",
        "home/.agents/skills/deploy",
        "home/.config/agents/skills/deploy",
        "app/node_modules/@acme/tools/skills/deploy",
        "app/node_modules/pkg/skills/deploy",
        "system/etc/codex/skills/deploy",
        "system/etc/agents/skills/deploy",
    ] {
        put(&world, directory);
    }
    world.set_env("SKILLGRAFT_SKILLS_PATH", Some(world.path("path")));
    let named = world.path("named").display().to_string();
    let report = discover(&world, "app/registry", &["--skill-dir", &named]);
    let deploys: Vec<_> =
        told(&world, &report).into_iter().filter_map(|line| Some(line.strip_prefix("deploy ")?.to_owned())).collect();
    assert_eq!(
        deploys,
        [
            "command_line universal named/deploy",
            "environment universal path/deploy",
            "project provider app/registry/.claude/skills/deploy",
            "project universal app/registry/.agents/skills/deploy",
            "project provider app/.claude/skills/deploy",
            "project universal app/.agents/skills/deploy",
            "registry universal app/registry/skills/deploy",
            "user provider home/.claude/skills/deploy",
            "user universal home/.agents/skills/deploy",
            "user universal home/.config/agents/skills/deploy",
            "package universal app/node_modules/@acme/tools/skills/deploy",
            "package universal app/node_modules/pkg/skills/deploy",
            "system provider system/etc/codex/skills/deploy",
            "system universal system/etc/agents/skills/deploy",
        ]
    );
    let first = &report["skills"][0];
    assert_eq!(first["shadows"].as_array().unwrap().len(), 13);
    assert_eq!(report["skills"][13]["shadowed_by"], first["path"]);
}

#[test]
fn a_registry_whose_skills_folder_is_an_agents_own_is_listed_once() {
    let world = World::new();
    world.run_in("", &["init", "registry"]).ok();
    world.write("registry/skillgraft.toml", "format = 1\n[registry]\nskills = \".claude/skills\"\n");
    world.git("registry", &["mv", "skills/using-skillgraft", "moved"]);
    std::fs::create_dir_all(world.path("registry/.claude/skills")).unwrap();
    std::fs::rename(world.path("registry/moved"), world.path("registry/.claude/skills/using-skillgraft")).unwrap();
    world.commit("registry", "where agents look");
    let report = discover(&world, "registry", &[]);
    let path = "using-skillgraft registry provider registry/.claude/skills/using-skillgraft";
    assert_eq!(
        (told(&world, &report), &report["skills"][0]["agents"][0]),
        (vec![path.to_owned()], &"claude-code".into())
    );
    world.write("registry/sub/x", "x\n");
    assert_eq!(told(&world, &discover(&world, "registry/sub", &[])), [path]);
}

#[test]
fn project_roots_are_looked_for_from_the_working_directory_up_to_the_top_of_the_repository() {
    let world = project();
    put(&world, ".claude/skills/outside");
    put(&world, "app/.claude/skills/top");
    put(&world, "app/sub/.claude/skills/near");
    std::fs::create_dir_all(world.path("app/sub/deep")).unwrap();
    let report = discover(&world, "app/sub/deep", &[]);
    let expected = ["near project provider app/sub/.claude/skills/near", "top project provider app/.claude/skills/top"];
    assert_eq!(told(&world, &report), expected);
}

#[test]
fn variables_move_the_user_roots_of_their_agents() {
    let world = project();
    put(&world, "moved/claude/skills/a");
    put(&world, "moved/xdg/goose/skills/b");
    put(&world, "home/.claude/skills/left");
    world.set_env("CLAUDE_CONFIG_DIR", Some(world.path("moved/claude")));
    world.set_env("XDG_CONFIG_HOME", Some(world.path("moved/xdg")));
    let report = discover(&world, "app", &[]);
    assert_eq!(
        told(&world, &report),
        ["a user provider moved/claude/skills/a", "b user provider moved/xdg/goose/skills/b"]
    );
    assert_eq!(report["skills"][0]["agents"][0], "claude-code");
}

#[test]
fn skills_of_installed_plugins_have_the_plugins_name_before_their_own() {
    let world = project();
    put(&world, "home/.claude/plugins/cache/market/ops/1.0.0/skills/deploy");
    put(&world, "home/.gemini/extensions/cloud/skills/deploy");
    // Its manifest names more: a folder of skills, and a skill.
    put(&world, "home/.claude/plugins/cache/market/ops/1.0.0/extra/audit");
    put(&world, "home/.claude/plugins/cache/market/ops/1.0.0/review");
    let manifest = serde_json::json!({"name": "ops", "skills": ["./extra", "./review", "./skills/"]});
    world.write("home/.claude/plugins/cache/market/ops/1.0.0/.claude-plugin/plugin.json", manifest.to_string());
    let path = world.path("home/.claude/plugins/cache/market/ops/1.0.0").display().to_string();
    let list = serde_json::json!({"version": 2, "plugins": {"ops@market": [{"scope": "user", "installPath": path}],
        "odd": "text", "relative@market": [{"installPath": "../../.."}]}});
    world.write("home/.claude/plugins/installed_plugins.json", list.to_string());
    let report = discover(&world, "app", &[]);
    assert_eq!(
        told(&world, &report),
        [
            "cloud/deploy package provider home/.gemini/extensions/cloud/skills/deploy",
            "ops/audit package provider home/.claude/plugins/cache/market/ops/1.0.0/extra/audit",
            "ops/deploy package provider home/.claude/plugins/cache/market/ops/1.0.0/skills/deploy",
            "ops/review package provider home/.claude/plugins/cache/market/ops/1.0.0/review",
        ]
    );
}

#[test]
fn the_doctor_explains_unknown_fields_names_and_shadowing() {
    let world = project();
    let text = "---\nname: deploy\ndescription: Deploys.\nmodel: large\n---\n";
    world.write("app/.claude/skills/deploy/SKILL.md", text);
    world.write("app/.cursor/skills/other/SKILL.md", skill("ops", "the folder has another name"));
    world.write("app/.agents/skills/deploy/SKILL.md", skill("deploy", "different"));
    let report = discover(&world, "app", &["--doctor"]);
    assert_eq!(
        findings(&world, &report),
        [
            "shadowed app/.agents/skills/deploy",
            "unknown-field app/.claude/skills/deploy/SKILL.md",
            "name-directory app/.cursor/skills/other/SKILL.md",
        ]
    );
    assert_eq!(report["findings"][1]["line"], 4);
    let run = world.run_in("app", &["discover", "--doctor"]).ok();
    assert!(run.stdout.contains("SKILL.md:4: warning [unknown-field] the spec does not know"), "{}", run.stdout);
    assert!(world.run_in("app", &["discover"]).ok().stdout.contains("shadowed"));
}

/// The agents of a skill's list `key`.
fn agents(skill: &Value, key: &str) -> Vec<String> {
    skill[key].as_array().unwrap().iter().map(|agent| agent.as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_skill_is_shadowed_for_the_agents_that_read_both_roots_and_for_no_other() {
    let world = project();
    put(&world, "app/.claude/skills/deploy");
    put(&world, "app/.codex/skills/deploy");
    put(&world, "app/.kiro/skills/review");
    put(&world, "app/.roo/skills/review");
    let report = discover(&world, "app", &["--doctor"]);
    let [claude, codex, kiro, roo] = report["skills"].as_array().unwrap().as_slice() else { panic!("{report:#}") };
    // Cursor reads Claude's folder before Codex's; Codex does not read Claude's at all.
    assert_eq!(agents(codex, "agents"), ["codex", "cursor"]);
    assert_eq!(agents(codex, "shadowed_for"), ["cursor"]);
    assert_eq!((&codex["shadowed_by"], &claude["shadows"][0]), (&claude["path"], &codex["path"]));
    assert_eq!((agents(claude, "shadowed_for"), &claude["shadowed_by"]), (Vec::new(), &Value::Null));
    for alone in [kiro, roo] {
        assert_eq!((&alone["shadowed_by"], alone["shadows"].as_array().unwrap().len()), (&Value::Null, 0), "{alone:#}");
    }
    assert_eq!(findings(&world, &report), ["shadowed app/.codex/skills/deploy", "copy app/.roo/skills/review"]);
    let message = report["findings"][0]["message"].as_str().unwrap();
    assert!(message.ends_with("hides this one from cursor; still seen by codex"), "{message}");
    let message = report["findings"][1]["message"].as_str().unwrap();
    assert!(message.contains("with other content") && message.ends_with("no agent reads both"), "{message}");
    assert!(world.run_in("app", &["discover"]).ok().stdout.contains("partly shadowed"));
}

#[test]
fn each_agent_looks_into_its_own_folder_first_and_into_the_nearest_project_before_that() {
    let world = project();
    for root in [".claude", ".cursor", "near/.claude"] {
        put(&world, &format!("app/{root}/skills/deploy"));
    }
    let report = discover(&world, "app", &[]);
    let [claude, cursor] = report["skills"].as_array().unwrap().as_slice() else { panic!("{report:#}") };
    // Claude's folder comes first in the list, but not for Cursor, which reads both.
    assert_eq!((&claude["shadowed_by"], agents(claude, "shadowed_for")), (&cursor["path"], vec!["cursor".to_owned()]));
    assert_eq!(cursor["shadowed_by"], Value::Null);
    let report = discover(&world, "app/near", &[]);
    let [near, claude, cursor] = report["skills"].as_array().unwrap().as_slice() else { panic!("{report:#}") };
    assert_eq!(near["shadowed_by"], Value::Null);
    assert_eq!((&claude["shadowed_by"], &cursor["shadowed_by"]), (&near["path"], &near["path"]));
    assert_eq!(agents(claude, "shadowed_for"), agents(claude, "agents"));
}

#[test]
fn copies_with_the_same_content_are_nothing_to_put_right_also_after_an_import() {
    let world = project();
    world.run_in("", &["init", "registry"]).ok();
    let text = skill("deploy", "the same");
    for root in ["registry/.claude", "registry/.agents", "home/.codex"] {
        world.write(format!("{root}/skills/deploy/SKILL.md"), &text);
    }
    let report = discover(&world, "registry", &["--doctor"]);
    assert_eq!(findings(&world, &report), [""; 0]);
    assert_eq!(report["skills"][1]["shadowed_by"], report["skills"][0]["path"], "shadowed it is, all the same");
    world.run(&["import", "deploy"]).ok();
    assert_eq!(findings(&world, &discover(&world, "registry", &["--doctor"])), [""; 0]);
    // The team edits its own: what agents read is another skill now.
    world.write("registry/skills/deploy/notes.md", "ours\n");
    assert_eq!(findings(&world, &discover(&world, "registry", &["--doctor"])), ["copy registry/skills/deploy"]);
}

#[test]
fn show_says_where_a_skill_is_that_the_registry_does_not_have() {
    let world = World::new();
    world.run_in("", &["init", "registry"]).ok();
    put(&world, "registry/.claude/skills/deploy");
    let run = world.run(&["show", "deploy"]).ends_with(1);
    run.says(&["registry/.claude/skills/deploy: skillgraft import deploy"]);
    let run = world.run(&["show", "gone"]).ends_with(1);
    assert!(!run.stderr.contains("import"), "{}", run.stderr);
}

#[test]
fn the_doctor_finds_what_import_would_refuse() {
    let world = project();
    put(&world, "app/.claude/skills/deploy");
    link(&world, "gone.md", "app/.claude/skills/deploy/dangling.md");
    link(&world, "../../../../outside", "app/.claude/skills/deploy/outside");
    link(&world, "../shared.md", "app/.claude/skills/deploy/shared.md");
    world.write("app/.claude/skills/shared.md", "inside the root\n");
    world.write("outside/secret", "outside\n");
    let report = discover(&world, "app", &["--doctor"]);
    assert_eq!(
        findings(&world, &report),
        ["dangling_link app/.claude/skills/deploy/dangling.md", "symlink_escapes app/.claude/skills/deploy/outside",]
    );
}

#[test]
fn discover_works_outside_of_any_registry_without_a_home_and_writes_nothing() {
    let world = World::new();
    put(&world, "plain/.claude/skills/deploy");
    world.set_env("HOME", Some(PathBuf::from("/nonexistent/home")));
    let before = listing(&world.path(""));
    let report = discover(&world, "plain", &["--doctor"]);
    assert_eq!(told(&world, &report), ["deploy project provider plain/.claude/skills/deploy"]);
    assert_eq!(listing(&world.path("")), before);
    world.run_in("home", &["discover"]).ok().says(&["no skill in any folder"]);
    world.run_in("plain", &["discover", "--skill-dir", "gone"]).ends_with(2).says(&["no such folder"]);
}

#[test]
fn what_a_skill_says_cannot_command_the_terminal() {
    let world = project();
    world.write("app/.claude/skills/a\u{1b}[2J/SKILL.md", skill("a", "b"));
    world.write(
        "app/.claude/skills/evil/SKILL.md",
        "---\nname: \"e\\u001b[2J\"\ndescription: \"\\u001b]0;x\\u0007\"\n---\n",
    );
    let run = world.run_in("app", &["--color", "never", "discover", "--doctor"]).ok();
    assert!(!run.all().contains('\u{1b}'), "{:?}", run.all());
    let run = world.run_in("app", &["--json", "discover", "--doctor"]).ok();
    assert!(!run.all().contains('\u{1b}'), "{}", run.all());
}
