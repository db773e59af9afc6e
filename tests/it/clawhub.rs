//! A skill on ClawHub, from a server on loopback that speaks its API.

use crate::support::archives::{Entry, zip};
use crate::support::http::{Page, Server, digest};
use crate::support::{World, skill};
use serde_json::{Value, json};

const SKILL: &str = "/api/v1/skills/deploy";

/// Puts a version up, as the newest.
fn put(server: &Server, version: &str, files: &[Entry<'_>]) {
    overview(server, version, &Value::Null);
    let described: Vec<_> = files
        .iter()
        .map(|(path, content, _)| json!({ "path": path, "size": content.len(), "sha256": &digest(content.as_bytes())[7..] }))
        .collect();
    let created = 1_767_225_600_500_i64 + version.len() as i64;
    server.body(
        &format!("/api/v1/skills/deploy/versions/{version}"),
        json!({ "version": { "version": version, "createdAt": created, "files": described } }).to_string(),
    );
    let meta = format!("{{\"slug\": \"deploy\", \"version\": \"{version}\"}}");
    server.body(&download(version), zip(&[files, &[("_meta.json", meta.as_str(), 'f')]].concat()));
}

fn overview(server: &Server, version: &str, moderation: &Value) {
    server.body(
        SKILL,
        json!({ "skill": { "slug": "deploy" }, "latestVersion": { "version": version }, "moderation": moderation })
            .to_string(),
    );
}

fn download(version: &str) -> String {
    format!("/api/v1/download?slug=deploy&version={version}")
}

fn registered() -> (World, Server) {
    let (world, server) = (World::new(), Server::start());
    world.run_in("", &["init", "registry"]).ok();
    let file =
        format!("format = 1\nclawhub = \"deploy\"\nregistry = \"{}\"\ninsecure = true\nenabled = false\n", server.url);
    world.registry(&[("sources/hub.toml", &file)]);
    (world, server)
}

#[test]
fn a_skill_is_followed_version_by_version() {
    let (world, server) = registered();
    put(&server, "1.0.0", &[("SKILL.md", &skill("deploy", "v1"), 'f'), ("scripts/run.sh", "#!/bin/sh\n", 'x')]);
    world.run(&["source", "enable", "hub"]).ok();
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), skill("deploy", "v1"));
    assert!(!world.exists("registry/skills/deploy/_meta.json"), "what ClawHub adds is not the skill's");
    let entry = world.read("registry/skills/deploy.toml");
    assert!(entry.contains("revision = \"1.0.0\"") && entry.contains("path = \"deploy\""), "{entry}");
    server.asked();
    assert_eq!(world.sync().source("hub")["outcome"], "unchanged");
    assert_eq!(server.asked(), [format!("{SKILL} 304"), "/api/v1/skills/deploy/versions/1.0.0 304".into()]);

    put(&server, "1.1.0", &[("SKILL.md", &skill("deploy", "v2"), 'f')]);
    world.git("", &["clone", "-q", "registry", "clone"]);
    let synced = world.sync();
    assert_eq!(synced.class("deploy"), "fast_forward");
    assert_eq!(
        (synced.source("hub")["kind"].as_str(), synced.source("hub")["revision"].as_str()),
        (Some("clawhub"), Some("1.1.0"))
    );
    world.sync_in("clone", &[]);
    assert_eq!(world.rev("registry", "candidate/hub/deploy"), world.rev("clone", "candidate/hub/deploy"));
    world.run(&["candidate", "accept", "deploy"]).ok();
    assert!(world.read("registry/skills/deploy.toml").contains("revision = \"1.1.0\""));

    // A version is a pin.
    world.run(&["source", "set", "hub", "ref=1.0.0"]).ok();
    assert_eq!(world.sync().source("hub")["revision"], "1.0.0");
}

#[test]
fn a_base_that_nobody_has_any_more_is_fetched_by_its_version() {
    let (world, server) = registered();
    let text = skill("deploy", "v1");
    put(&server, "1.0.0", &[("SKILL.md", &text, 'f')]);
    world.run(&["source", "enable", "hub"]).ok();
    world.registry(&[("skills/deploy/notes.md", "ours\n"), ("skills/deploy/SKILL.md", &skill("deploy", "ours"))]);
    // History rewritten to one root, the mirror gone: the base is nowhere.
    let root = world.git("registry", &["commit-tree", "-m", "all there is", "HEAD^{tree}"]);
    world.git("registry", &["reset", "-q", "--hard", &root]);
    world.git("registry", &["update-ref", "-d", "refs/heads/mirror/hub"]);
    world.git("registry", &["reflog", "expire", "--expire=now", "--all"]);
    world.git("registry", &["gc", "-q", "--prune=now"]);
    put(&server, "1.1.0", &[("SKILL.md", &text, 'f'), ("new.md", "new\n", 'f')]);
    let synced = world.sync();
    assert_eq!((synced.class("deploy"), synced.action("deploy")), ("three_way", "opened"));
    assert!(world.has("registry", "candidate/hub/deploy", "skills/deploy/new.md"));
}

#[test]
fn what_is_not_what_clawhub_describes_is_refused_and_closes_nothing() {
    let (world, server) = registered();
    put(&server, "1.0.0", &[("SKILL.md", &skill("deploy", "v1"), 'f')]);
    world.run(&["source", "enable", "hub"]).ok();
    world.sync();
    put(&server, "1.1.0", &[("SKILL.md", &skill("deploy", "v2"), 'f'), ("a.md", "a", 'f')]);
    let refs = world.refs("registry");
    let two = skill("deploy", "v2");
    for (page, says) in [
        (Page::Body(zip(&[("SKILL.md", &two, 'f')])), "lacks `a.md`"),
        (Page::Body(zip(&[("SKILL.md", &two, 'f'), ("a.md", "b", 'f')])), "`a.md` is not the file"),
        (Page::Body(zip(&[("SKILL.md", &two, 'f'), ("a.md", "a", 'f'), ("b.md", "b", 'f')])), "is not said to have"),
        (Page::Body(b"{\"repo\": \"acme/skills\", \"path\": \"deploy\"}".to_vec()), "it points at a repository"),
        (Page::Body(b"Not a zip".to_vec()), "neither .tar"),
        (Page::Status(410), "there is nothing at"),
        (Page::Status(429), "fewer requests"),
    ] {
        server.put(&download("1.1.0"), page);
        let synced = world.try_sync("registry", &[]);
        assert_eq!(synced.code, 1);
        let message = synced.source("hub")["error"]["message"].as_str().unwrap();
        assert!(message.contains(says), "{message}");
    }
    overview(&server, "1.1.0", &json!({ "isMalwareBlocked": true }));
    assert!(world.try_sync("registry", &[]).source("hub")["error"]["message"].as_str().unwrap().contains("as malware"));
    assert_eq!(world.refs("registry"), refs);
    put(&server, "1.1.0", &[("SKILL.md", &two, 'f')]);
    overview(&server, "1.1.0", &json!({ "isSuspicious": true, "summary": "wants\u{1b}[2J your keys" }));
    let synced = world.sync();
    assert_eq!(crate::support::sync::remarks(&synced.source("hub")["warnings"]), ["deploy suspicious"]);
    assert!(!world.run(&["sync"]).all().contains('\u{1b}'));
}

#[test]
fn hints_tell_what_is_not_cached_from_what_is_not_there() {
    let (world, _server) = registered();
    world.registry(&[("sources/hub.toml", &world.read("registry/sources/hub.toml").replace("enabled = false\n", ""))]);
    let hint = |args: &[&str]| {
        let synced = world.try_sync("registry", args);
        (synced.code, synced.source("hub")["error"]["hint"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(hint(&["--offline"]), (1, "run once without --offline".into()));
    assert!(hint(&[]).1.contains("several owners"), "{:?}", hint(&[]));
}

#[test]
fn add_writes_what_people_copy_and_refuses_what_is_no_skill() {
    let world = World::new();
    world.run_in("", &["init", "registry"]).ok();
    world.run(&["add", "clawhub:gifgrep", "--ref", "1.2.3", "--no-enable"]).ok();
    assert_eq!(
        world.read("registry/sources/gifgrep.toml"),
        "format = 1\nclawhub = \"gifgrep\"\nref = \"1.2.3\"\nskills = [\"*\"]\nenabled = false\n"
    );
    let list = world.json(&["source", "list"]);
    assert_eq!(
        (&list["sources"][0]["kind"], &list["sources"][0]["location"]),
        (&json!("clawhub"), &json!("clawhub:gifgrep"))
    );
    world.run(&["add", "clawhub:../x", "--name", "x"]).ends_with(2).says(&["is no skill of clawhub.ai"]);
    world.run(&["add", "clawhub:a", "--path", "x"]).ends_with(2).says(&["has no --ref and no --path"]);
}
