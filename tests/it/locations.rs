//! What a spelling brings in: ref, folder and skill that it carries, folders of the same name, bundles, plain http.

use crate::support::{World, skill};
use serde_json::json;

/// An upstream that stands where `https://github.com/acme/tools` leads, with a branch that has a slash.
fn on_github() -> World {
    let world = World::new();
    world.init("acme/tools");
    for name in ["deploy", "review"] {
        world.write(format!("acme/tools/skills/{name}/SKILL.md"), skill(name, "on main"));
    }
    world.commit("acme/tools", "one");
    world.git("acme/tools", &["switch", "-q", "-c", "feature/x"]);
    world.write("acme/tools/skills/deploy/SKILL.md", skill("deploy", "on feature/x"));
    world.commit("acme/tools", "two");
    world.git("acme/tools", &["switch", "-q", "main"]);
    world.run_in("", &["init", "registry"]).ok();
    world.serves("https://github.com/");
    world
}

#[test]
fn what_a_spelling_carries_becomes_ref_path_and_skills_of_the_source() {
    let github = "git = \"https://github.com/acme/tools\"";
    for (typed, keys, skills) in [
        ("acme/tools", vec![], json!(["deploy", "review"])),
        ("acme/tools/skills/deploy", vec!["path = \"skills/deploy\""], json!(["deploy"])),
        ("acme/tools@review", vec!["skills = [\"review\"]"], json!(["review"])),
        ("skills.sh/acme/tools/review", vec!["skills = [\"review\"]"], json!(["review"])),
        ("acme/tools#feature/x", vec!["ref = \"feature/x\""], json!(["deploy", "review"])),
        // The remote alone knows that the ref is `feature/x`, and not `feature`.
        (
            "https://github.com/acme/tools/blob/feature/x/skills/deploy/SKILL.md",
            vec!["ref = \"feature/x\"", "path = \"skills/deploy\""],
            json!(["deploy"]),
        ),
        ("github.com/acme/tools/tree/feature/x", vec!["ref = \"feature/x\""], json!(["deploy", "review"])),
    ] {
        let world = on_github();
        let report = world.json(&["add", typed]);
        assert_eq!((&report["source"], &report["skills"]), (&json!("tools"), &skills), "{typed}");
        let file = world.read("registry/sources/tools.toml");
        assert!(file.contains(github), "{typed}: {file}");
        for key in ["ref = \"feature/x\"", "path = \"skills/deploy\"", "skills = [\"review\"]"] {
            assert_eq!(file.contains(key), keys.contains(&key), "{typed}: {key}\n{file}");
        }
        let changed = file.contains("ref =") && skills != json!(["review"]);
        let deploy = world.path("registry/skills/deploy/SKILL.md");
        assert!(!deploy.exists() || world.read(deploy).contains("on feature/x") == changed, "{typed}");
        assert_eq!(world.sync().source("tools")["outcome"], "unchanged", "{typed}");
    }
}

#[test]
fn a_folder_that_no_ref_of_the_remote_begins_is_no_guess() {
    let world = on_github();
    let refused = world.run(&["add", "https://github.com/acme/tools/tree/gone/skills"]).ends_with(1);
    refused.says(&["no branch, tag or commit `gone`", "name another branch or tag"]);
    assert_eq!(world.git("registry", &["rev-list", "--count", "HEAD"]), "1");
}

#[test]
fn a_forges_page_of_a_folder_whose_name_no_ref_could_have_is_understood() {
    let world = on_github();
    let folders = [".claude/skills", "my notes/all", "in [x]", "home~", "old.lock/skills", "a..b"];
    for folder in folders {
        world.write(format!("acme/tools/{folder}/pdf/SKILL.md"), skill("pdf", folder));
    }
    world.commit("acme/tools", "Folders of all names");
    world.git("acme/tools", &["branch", "-f", "feature/x"]);
    for (at, folder) in folders.iter().enumerate() {
        let typed = folder.replace(' ', "%20");
        for (spelling, reference) in [
            (format!("https://github.com/acme/tools/tree/main/{typed}/pdf"), "main"),
            (format!("https://github.com/acme/tools/blob/main/{typed}/pdf/SKILL.md"), "main"),
            (format!("https://github.com/acme/tools/blob/feature/x/{typed}/pdf/SKILL.md"), "feature/x"),
            (format!("https://raw.githubusercontent.com/acme/tools/main/{typed}/pdf/SKILL.md"), "main"),
            (format!("https://github.com/acme/tools/-/tree/main/{typed}/pdf"), "main"),
            (format!("https://github.com/acme/tools/src/branch/feature/x/{typed}/pdf"), "feature/x"),
        ] {
            let name = format!("s{at}");
            world.run(&["add", &spelling, "--name", &name, "--no-enable"]).ok();
            let file = world.read(format!("registry/sources/{name}.toml"));
            assert!(file.contains(&format!("ref = \"{reference}\"\npath = \"{folder}/pdf\"")), "{spelling}: {file}");
            world.run(&["source", "remove", &name, "--delete"]).ok();
        }
        let added = world.json(&[
            "add",
            &format!("github.com/acme/tools/tree/main/{typed}"),
            "--name",
            &format!("s{at}"),
            "--namespace",
            &format!("n{at}"),
        ]);
        assert_eq!(added["skills"], json!([format!("n{at}/pdf")]), "{folder}");
    }
}

#[test]
fn a_skill_is_also_known_by_the_name_in_its_frontmatter_and_its_directory_is_written_down() {
    for flags in [
        &["skills.sh/acme/tools/vercel-react"][..],
        &["acme/tools@Vercel-React"],
        &["acme/tools", "--skill", "vercel-react"],
    ] {
        let world = on_github();
        world.write("acme/tools/skills/react/SKILL.md", skill("vercel-react", "v1"));
        world.write("acme/tools/.claude/skills/react/SKILL.md", skill("vercel-react", "v1"));
        world.commit("acme/tools", "A skill whose directory has another name");
        let report = world.json(&[&["add"], flags].concat());
        assert_eq!(report["skills"], json!(["vercel-react"]), "{flags:?}");
        let said = report["warnings"][0].clone();
        assert_eq!(said["reason"], "by_name", "{said}");
        assert!(said["message"].as_str().unwrap().contains("directory `react`"), "{said}");
        assert!(world.read("registry/sources/tools.toml").contains("skills = [\"react\"]"));
        assert_eq!(world.sync().class("vercel-react"), "unchanged");
    }
}

#[test]
fn a_skill_that_the_source_has_not_is_answered_with_those_that_it_has() {
    let world = on_github();
    for name in ["one", "two"] {
        world.write(format!("acme/tools/skills/{name}/SKILL.md"), skill("twin", name));
    }
    world.commit("acme/tools", "Two directories of one name");
    world
        .run(&["add", "acme/tools@gone"])
        .ends_with(1)
        .says(&["no skill `gone`", "deploy, one (twin), review, two (twin)"]);
    world.run(&["add", "acme/tools@twin"]).ends_with(1).says(&["several", "skills/one, skills/two", "--skill PATH"]);
    assert_eq!(world.json(&["add", "acme/tools", "--skill", "skills/one"])["skills"], json!(["twin"]));
}

#[test]
fn what_a_spelling_and_an_option_say_differently_is_refused() {
    let world = on_github();
    for (typed, flag, value) in [
        ("acme/tools#v1", "--ref", "v2"),
        ("acme/tools/skills", "--path", "other"),
        ("acme/tools@review", "--skill", "deploy"),
    ] {
        world.run(&["add", typed, flag, value]).ends_with(2).says(&["the source says", flag]);
    }
    world.run(&["add", "acme/tools#feature/x", "--ref", "feature/x", "--path", "./skills/"]).ok();
}

#[test]
fn a_folder_of_the_same_name_makes_owner_and_repository_ambiguous() {
    let world = on_github();
    world.registry(&[("acme/tools/ours/SKILL.md", &skill("ours", "here"))]);
    let refused = world.run(&["add", "acme/tools"]).ends_with(2);
    refused.says(&["./acme/tools", "https://github.com/acme/tools"]);
    let refused = world.run(&["add", "acme/tools@ours"]).ends_with(2);
    refused.says(&["./acme/tools", "https://github.com/acme/tools for the repository"]);
    assert_eq!(world.json(&["add", "./acme/tools", "--name", "here"])["skills"], json!(["ours"]));
    let far = world.json(&["add", "https://github.com/acme/tools", "--name", "far"]);
    assert_eq!(far["skills"], json!(["deploy", "review"]));
}

#[test]
fn a_source_file_may_say_owner_and_repository_too() {
    let world = on_github();
    world.registry(&[("sources/up.toml", "format = 1\ngit = \"acme/tools\"\nref = \"feature/x\"\n")]);
    assert_eq!(world.sync().skill("deploy")["class"], "new");
    world.registry(&[("sources/up.toml", "format = 1\ngit = \"acme/tools#feature/x\"\n")]);
    let synced = world.try_sync("registry", &[]);
    assert_eq!((synced.code, &synced.source("up")["outcome"]), (1, &json!("failed")));
    assert!(synced.source("up")["error"]["hint"].as_str().unwrap().contains("`ref`"));
}

#[test]
fn what_is_not_understood_is_refused_with_the_list_of_what_is() {
    let world = World::with_upstream(&[("a/SKILL.md", &skill("a", "v1"))]);
    for typed in ["ftp://h/x", "npm:skills", "https://github.com/a/b/issues/1", "a/b#semver:^1"] {
        world.run(&["add", typed]).ends_with(2).says(&["a source is one of: owner/repo", "skills.sh/", ".bundle"]);
    }
}

#[test]
fn plain_http_needs_a_person_who_allows_it_and_a_source_file_that_says_so() {
    let world = World::with_upstream(&[("a/SKILL.md", &skill("a", "v1"))]);
    world.run(&["add", "http://127.0.0.1:9/x"]).ends_with(2).says(&["unprotected", "--insecure"]);
    // Nobody listens there: what counts is that git was let go there, and the second time was not.
    world.run(&["add", "http://127.0.0.1:9/x", "--insecure"]).ends_with(1).says(&["127.0.0.1"]);
    world.run(&["add", "http://127.0.0.1:9/x", "--insecure", "--no-enable"]).ok();
    assert!(world.read("registry/sources/x.toml").contains("insecure = true"));
    world.registry(&[("sources/x.toml", "format = 1\ngit = \"http://127.0.0.1:9/x\"\n")]);
    let error = world.try_sync("registry", &[]).source("x")["error"].clone();
    assert_eq!(error["kind"], "config");
    assert!(error["hint"].as_str().unwrap().contains("insecure = true"), "{error}");
}

#[test]
fn a_host_that_only_looks_like_another_one_is_shown_as_what_it_is() {
    let world = World::with_upstream(&[("a/SKILL.md", &skill("a", "v1"))]);
    world.run(&["add", "https://g\u{456}thub.com/acme/tools", "--no-enable"]).ok();
    let shown = world.run(&["source", "list"]).ok().stdout;
    assert!(shown.contains("https://g\\u{456}thub.com/acme/tools") && !shown.contains('\u{456}'), "{shown}");
    assert!(world.read("registry/sources/tools.toml").contains("https://g\u{456}thub.com/"), "as it was typed");
}

#[test]
fn a_bundle_is_followed_and_a_newer_one_in_its_place_is_an_update() {
    let world = World::with_upstream(&[("skills/deploy/SKILL.md", &skill("deploy", "v1"))]);
    let bundle = |world: &World| world.git("upstream", &["bundle", "create", "-q", "../in.bundle", "--all"]);
    bundle(&world);
    let report = world.json(&["add", "../in.bundle"]);
    assert_eq!((&report["source"], &report["skills"]), (&json!("in"), &json!(["deploy"])));
    assert!(world.read("registry/sources/in.toml").contains("bundle = \"../in.bundle\""));
    let first = world.sync_in("registry", &["--offline"]);
    assert_eq!((first.class("deploy"), &first.source("in")["kind"]), ("unchanged", &json!("bundle")));
    let head = world.upstream(&[("skills/deploy/SKILL.md", &skill("deploy", "v2"))]);
    assert_eq!(world.sync().class("deploy"), "unchanged", "the bundle is what counts");
    std::fs::remove_file(world.path("in.bundle")).unwrap();
    assert_eq!(world.try_sync("registry", &[]).source("in")["outcome"], "failed");
    bundle(&world);
    let synced = world.sync_in("registry", &["--offline"]);
    assert_eq!((synced.class("deploy"), &synced.source("in")["revision"]), ("fast_forward", &json!(head)));
    assert!(world.show("registry", "candidate/in/deploy", "skills/deploy/SKILL.md").contains("v2"));
    // Every base is reachable through the mirror, whatever becomes of the bundle.
    world.run(&["candidate", "accept", "deploy"]).ok();
    std::fs::remove_file(world.path("in.bundle")).unwrap();
    assert_eq!(world.run(&["check"]).code, 0);
}

#[test]
fn a_bundle_without_a_head_is_its_only_branch_and_of_several_one_is_named() {
    let world = World::with_upstream(&[("deploy/SKILL.md", &skill("deploy", "v1"))]);
    world.git("upstream", &["tag", "v1"]);
    world.git("upstream", &["bundle", "create", "-q", "../one.bundle", "main", "v1"]);
    assert_eq!(world.json(&["add", "../one.bundle"])["skills"], json!(["deploy"]));
    assert_eq!(world.sync().class("deploy"), "unchanged");
    assert_eq!(world.run(&["add", "../one.bundle", "--name", "two", "--ref", "gone"]).ends_with(1).code, 1);
    world.git("upstream", &["branch", "next"]);
    world.git("upstream", &["bundle", "create", "-q", "../two.bundle", "main", "next"]);
    world.run(&["add", "../two.bundle"]).ends_with(1).says(&["no HEAD", "main, next", "--ref"]);
    let flags = ["--ref", "next", "--namespace", "next"];
    world.run(&[&["add", "../two.bundle"], &flags[..]].concat()).ok();
}

#[test]
fn a_bundle_that_is_cut_off_missing_or_none_is_called_that() {
    let world = World::with_upstream(&[("deploy/SKILL.md", &skill("deploy", "v1"))]);
    let whole_id = world.head("upstream");
    world.git("upstream", &["bundle", "create", "-q", "../whole.bundle", "main"]);
    let whole = std::fs::read(world.path("whole.bundle")).unwrap();
    for length in [0, 5, 16, 30, 60, 70, 90, 100, whole.len() - 1] {
        world.write("cut.bundle", &whole[..length]);
        let refused = world.run(&["add", "../cut.bundle"]).ends_with(1);
        refused.says(&["cut.bundle cannot be read as a git bundle", "git bundle create"]);
    }
    world.upstream(&[("deploy/SKILL.md", &skill("deploy", "v2"))]);
    world.git("upstream", &["bundle", "create", "-q", "../thin.bundle", &format!("{whole_id}..main")]);
    world.run(&["add", "../thin.bundle"]).ends_with(1).says(&["thin.bundle cannot be read", "all that it builds on"]);
    world.run(&["add", "../nope.bundle"]).ends_with(2).says(&["there is no file", "nope.bundle"]);
}

#[test]
fn a_branch_of_a_bundle_and_a_folder_of_it_are_followed() {
    let world = World::with_upstream(&[("a/x/SKILL.md", &skill("x", "v1")), ("b/y/SKILL.md", &skill("y", "v1"))]);
    world.git("upstream", &["branch", "stable"]);
    world.upstream(&[("a/x/SKILL.md", &skill("x", "v2"))]);
    world.git("upstream", &["bundle", "create", "-q", "../in.bundle", "--all"]);
    let report = world.json(&["add", &world.url("in.bundle"), "--ref", "stable", "--path", "a"]);
    assert_eq!(report["skills"], json!(["x"]));
    assert!(world.read("registry/skills/x/SKILL.md").contains("v1"));
    assert_eq!(world.sync().class("x"), "unchanged");
}
