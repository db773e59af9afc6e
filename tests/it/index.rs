//! The well-known index as a source, from a real server on loopback.

use crate::support::archives::{tar_gz, zip};
use crate::support::http::{Page, Server, digest};
use crate::support::reach::Reach;
use crate::support::{World, listing, skill};
use serde_json::{Value, json};
use skillgraft::registry::SourceFile;
use skillgraft::skill::Limits;
use skillgraft::source::observe;
use skillgraft::types::{ErrorKind, SourceName};
use std::time::{Duration, Instant, SystemTime};

const INDEX: &str = "/.well-known/agent-skills/index.json";
const OLD_INDEX: &str = "/.well-known/skills/index.json";
const SCHEMA: &str = "https://schemas.agentskills.io/discovery/0.2.0/schema.json";

/// The files of the cache of answers whose body has these words, each made as old as `days`.
fn aged(world: &World, words: &str, days: u64) -> Vec<std::path::PathBuf> {
    let all = std::fs::read_dir(world.path("cache/http")).unwrap().map(|entry| entry.unwrap().path());
    let found: Vec<_> =
        all.filter(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).contains(words)).collect();
    let at = SystemTime::now() - Duration::from_secs(days * 24 * 3600);
    found.iter().for_each(|path| {
        let file = std::fs::File::options().append(true).open(path).unwrap();
        file.set_modified(at).unwrap();
    });
    found
}

/// An entry whose artifact stands at `url`.
fn entry(name: &str, kind: &str, url: &str, bytes: &[u8]) -> Value {
    json!({ "name": name, "type": kind, "description": format!("Does {name}."), "url": url, "digest": digest(bytes), "new": 1 })
}

fn put_index(server: &Server, entries: &[Value]) {
    server.body(INDEX, json!({ "$schema": SCHEMA, "skills": entries }).to_string());
}

/// Puts up a skill of one file and returns its entry.
fn put_skill(server: &Server, name: &str, body: &str) -> Value {
    let text = skill(name, body);
    server.body(&format!("/.well-known/agent-skills/{name}/SKILL.md"), &text);
    entry(name, "skill-md", &format!("{name}/SKILL.md"), text.as_bytes())
}

/// A registry that follows a server with the skills `deploy` (one file) and `ops` (an archive).
fn following() -> (World, Server) {
    let (world, server) = (World::new(), Server::start());
    world.run_in("", &["init", "registry"]).ok();
    let archive = ops("v1");
    server.body("/cdn/ops.tar.gz", &archive);
    put_index(&server, &[put_skill(&server, "deploy", "v1"), entry("ops", "archive", "/cdn/ops.tar.gz", &archive)]);
    let url = format!("{}{INDEX}", server.url);
    world.run(&["add", &url, "--insecure", "--name", "site"]).ok();
    (world, server)
}

fn ops(body: &str) -> Vec<u8> {
    let text = skill("ops", body);
    tar_gz(&[
        ("./SKILL.md", &text, 'f'),
        ("scripts/", "", 'd'),
        ("scripts/run.sh", "#!/bin/sh\n", 'x'),
        ("guide.md", "scripts/run.sh", 'l'),
    ])
}

#[test]
fn skills_come_in_as_files_and_as_archives() {
    let (world, server) = following();
    assert_eq!(world.read("registry/skills/deploy/SKILL.md"), skill("deploy", "v1"));
    assert_eq!(world.read("registry/skills/ops/guide.md"), "#!/bin/sh\n", "links are resolved");
    let mode = world.git("registry", &["ls-tree", "HEAD", "skills/ops/scripts/run.sh"]);
    assert!(mode.starts_with("100755"), "{mode}");
    let sources = world.json(&["source", "list"]);
    assert_eq!(sources["sources"][0]["kind"], "index");
    assert_eq!(sources["sources"][0]["location"], format!("{}{INDEX}", server.url));
    let text = world.read("registry/sources/site.toml");
    assert!(text.contains("index = \"http://") && text.contains("insecure = true"), "{text}");
    world.run(&["check"]).ok();
}

#[test]
fn an_unchanged_index_costs_one_conditional_request_and_writes_nothing() {
    let (world, server) = following();
    world.sync();
    let before = (world.refs("registry"), world.objects("registry"), listing(&world.path("cache")));
    server.asked();
    let synced = world.sync();
    assert_eq!(synced.source("site")["outcome"], "unchanged");
    assert_eq!(server.asked(), [format!("{INDEX} 304")]);
    assert_eq!((world.refs("registry"), world.objects("registry"), listing(&world.path("cache"))), before);
}

#[test]
fn a_changed_digest_brings_the_artifact_and_no_other() {
    let (world, server) = following();
    server.asked();
    let archive = ops("v2");
    server.body("/cdn/ops.tar.gz", &archive);
    put_index(&server, &[put_skill(&server, "deploy", "v1"), entry("ops", "archive", "/cdn/ops.tar.gz", &archive)]);
    let synced = world.sync();
    assert_eq!((synced.class("ops"), synced.class("deploy")), ("fast_forward", "unchanged"));
    assert_eq!(server.asked(), [format!("{INDEX} 200"), "/cdn/ops.tar.gz 200".into()]);
    world.run(&["candidate", "accept", "ops"]).ok();
    assert_eq!(world.read("registry/skills/ops/SKILL.md"), skill("ops", "v2"));
}

#[test]
fn two_clones_make_the_same_commits_of_the_same_index() {
    let (world, server) = following();
    world.git("", &["clone", "-q", "registry", "clone"]);
    put_index(&server, &[put_skill(&server, "deploy", "v2"), put_skill(&server, "ops", "now one file")]);
    world.sync();
    world.sync_in("clone", &[]);
    for branch in ["mirror/site", "candidate/site/deploy", "candidate/site/ops"] {
        assert_eq!(world.rev("registry", branch), world.rev("clone", branch), "{branch}");
    }
}

#[test]
fn what_cannot_be_read_is_not_gone() {
    let (world, server) = following();
    // Every way of failing, for `ops` alone.
    let good = ops("v2");
    let listed = |digest: &str| {
        let ops = json!({ "name": "ops", "type": "archive", "url": "/cdn/ops.tar.gz", "digest": digest });
        put_index(&server, &[put_skill(&server, "deploy", "v1"), ops]);
    };
    for (page, reason, says) in [
        (Page::Status(404), "unreachable", "there is nothing at"),
        (Page::Status(503), "unreachable", "status 503"),
        (Page::Truncated(good.clone()), "unreachable", "cannot fetch"),
        (Page::Body(ops("evil")), "altered", "has the digest sha256:"),
        (Page::Redirect("/cdn/ops.tar.gz".into()), "unreachable", "redirects more than 5 times"),
        (Page::Redirect("file:///etc/passwd".into()), "unreachable", "only https is"),
        (Page::Endless, "too_large", "has more than 128.0 MiB"),
    ] {
        listed(&digest(&good));
        server.put("/cdn/ops.tar.gz", page);
        let synced = world.try_sync("registry", &[]);
        assert_eq!((synced.class("ops"), synced.class("deploy")), ("unchanged", "unchanged"), "{says}");
        assert_eq!(
            synced.code,
            i32::from(["unreachable", "altered"].contains(&reason)),
            "what was not given, or is not what its digest says, is a failure; what nobody can take is not"
        );
        assert_eq!(synced.rejected("site"), [format!("ops {reason}")]);
        let message = synced.source("site")["rejected"][0]["message"].as_str().unwrap();
        assert!(message.contains(says), "{message}");
        let quiet = world.run(&["sync", "--quiet"]);
        assert_eq!(
            quiet.stderr.contains(says),
            quiet.code == 1,
            "cron mails failures, and nothing else:\n{}",
            quiet.stderr
        );
    }
    assert_eq!(world.branches("registry", "candidate/"), Vec::<String>::new());
    server.body("/cdn/ops.tar.gz", &good);
    assert_eq!(world.sync().class("ops"), "fast_forward");
    // Taken off the list it is gone, and a person decides.
    put_index(&server, &[put_skill(&server, "deploy", "v1")]);
    assert_eq!(world.sync().class("ops"), "removed");
}

#[test]
fn an_index_that_fails_closes_nothing() {
    let (world, server) = following();
    put_index(&server, &[put_skill(&server, "deploy", "v2"), put_skill(&server, "ops", "v2")]);
    world.sync();
    let refs = world.refs("registry");
    let unknown =
        json!({ "$schema": "https://schemas.agentskills.io/discovery/9.0.0/schema.json", "skills": [] }).to_string();
    let empty = json!({ "$schema": SCHEMA, "skills": [] }).to_string();
    // What stands at the old place is no reason to believe that the new one is gone for good.
    server.body(OLD_INDEX, json!({ "skills": [{ "name": "deploy", "files": ["SKILL.md"] }] }).to_string());
    for (page, kind, says) in [
        (Page::Body(unknown.into_bytes()), "no_evidence", "which is not known"),
        (Page::Body(empty.into_bytes()), "no_evidence", "the index lists no skill that can be used: its list is empty"),
        (Page::Body(b"<html>".to_vec()), "no_evidence", "is no index of skills"),
        (Page::Status(404), "no_evidence", "there is nothing at"),
        (Page::Status(500), "network", "status 500"),
        (Page::Status(429), "network", "fewer requests"),
        (Page::Endless, "limit", "has more than 16.0 MiB"),
    ] {
        server.put(INDEX, page);
        let synced = world.try_sync("registry", &[]);
        assert_eq!(synced.code, 1, "{says}");
        let error = &synced.source("site")["error"];
        assert_eq!(error["kind"], kind, "{error}");
        assert!(error["message"].as_str().unwrap().contains(says), "{error}");
        assert_eq!(world.refs("registry"), refs);
    }
}

#[test]
fn when_nothing_can_be_read_the_source_fails() {
    let (world, server) = following();
    world.sync();
    let refs = world.refs("registry");
    let gone = |name: &str| entry(name, "skill-md", "/gone", b"new");
    put_index(&server, &[gone("deploy"), gone("ops")]);
    let synced = world.try_sync("registry", &[]);
    assert_eq!((synced.code, synced.source("site")["outcome"].as_str()), (1, Some("failed")));
    assert!(
        synced.source("site")["error"]["message"]
            .as_str()
            .unwrap()
            .contains("nothing that the index lists could be read")
    );
    assert_eq!(world.refs("registry"), refs);
}

#[test]
fn an_entry_that_breaks_a_rule_is_rejected_alone() {
    let (world, server) = (World::new(), Server::start());
    world.run_in("", &["init", "registry"]).ok();
    let text = skill("x", "x");
    server.body("/x", &text);
    let archive = |entries: &[(&str, &str, char)]| {
        let bytes = tar_gz(entries);
        let path = format!("/{}", &digest(&bytes)[7..]);
        server.body(&path, &bytes);
        (path, bytes)
    };
    let (nested, nested_bytes) = archive(&[("x/SKILL.md", &text, 'f')]);
    let (escaping, escaping_bytes) = archive(&[("SKILL.md", &text, 'f'), ("other.md", "../deploy/SKILL.md", 'l')]);
    let (absolute, absolute_bytes) = archive(&[("SKILL.md", &text, 'f'), ("passwd", "/etc/passwd", 'l')]);
    let (traversal, traversal_bytes) = archive(&[("SKILL.md", &text, 'f'), ("../../evil", "x", 'f')]);
    put_index(
        &server,
        &[
            put_skill(&server, "deploy", "v1"),
            entry("Bad Name", "skill-md", "/x", text.as_bytes()),
            entry("../up", "skill-md", "/x", text.as_bytes()),
            entry("deploy", "skill-md", "/x", text.as_bytes()),
            entry("of-the-future", "container", "/x", text.as_bytes()),
            json!({ "name": "no-digest", "type": "skill-md", "url": "/x" }),
            json!({ "name": "md5", "type": "skill-md", "url": "/x", "digest": "md5:00" }),
            json!({ "name": "unsafe-url", "type": "skill-md", "url": "file:///etc/passwd", "digest": digest(b"") }),
            entry("nested", "archive", &nested, &nested_bytes),
            entry("escaping", "archive", &escaping, &escaping_bytes),
            entry("absolute", "archive", &absolute, &absolute_bytes),
            entry("traversal", "archive", &traversal, &traversal_bytes),
            json!("no object"),
        ],
    );
    let added = world.json(&["add", &format!("{}{INDEX}", server.url), "--insecure"]);
    assert_eq!(added["skills"], json!(["deploy"]));
    let mut rejected = crate::support::sync::remarks(&added["rejected"]);
    rejected.sort();
    assert_eq!(
        rejected,
        [
            " name",
            "../up name",
            "Bad Name name",
            "absolute symlink_escapes",
            "deploy name_collision",
            "escaping refused",
            "md5 refused",
            "nested refused",
            "no-digest refused",
            "of-the-future refused",
            "traversal refused",
            "unsafe-url refused",
        ]
    );
    assert_eq!(added["source"], "127-0-0-1", "an index is called after its host");
}

#[test]
fn zip_archives_and_redirects_to_another_place_are_followed() {
    let (world, server, elsewhere) = (World::new(), Server::start(), Server::start());
    world.run_in("", &["init", "registry"]).ok();
    let text = skill("packed", "v1");
    let bytes = zip(&[("SKILL.md", &text, 'f'), ("run.sh", "#!/bin/sh\n", 'x'), ("again.md", "SKILL.md", 'l')]);
    elsewhere.body("/moved/packed.zip", &bytes);
    // What is relative in an index is relative to where it was found.
    elsewhere.body(
        "/moved/index.json",
        json!({ "$schema": SCHEMA, "skills": [entry("packed", "archive", "packed.zip", &bytes)] }).to_string(),
    );
    server.put(INDEX, Page::Redirect(format!("{}/moved/index.json", elsewhere.url)));
    world.run(&["add", &format!("{}/.well-known/agent-skills/", server.url), "--insecure", "--name", "site"]).ok();
    assert_eq!(world.read("registry/skills/packed/again.md"), text);
    assert!(world.git("registry", &["ls-tree", "HEAD", "skills/packed/run.sh"]).starts_with("100755"));
    elsewhere.asked();
    assert_eq!(world.sync().source("site")["outcome"], "unchanged");
    assert_eq!(elsewhere.asked(), ["/moved/index.json 304"]);
}

#[test]
fn the_index_of_version_0_1_is_the_fallback() {
    let (world, server) = (World::new(), Server::start());
    world.run_in("", &["init", "registry"]).ok();
    let index = json!({ "skills": [
        { "name": "deploy", "description": "Does deploy.", "files": ["SKILL.md", "docs/the guide.md"] },
        { "name": "broken", "description": "Is broken.", "files": ["SKILL.md"] },
        { "name": "escaping", "description": "Escapes.", "files": ["SKILL.md", "../../secret"] },
        { "name": "headless", "description": "Has no SKILL.md.", "files": ["README.md"] },
    ]});
    server.body(OLD_INDEX, index.to_string());
    server.body("/.well-known/skills/deploy/SKILL.md", skill("deploy", "v1"));
    server.body("/.well-known/skills/deploy/docs/the%20guide.md", "guide\n");
    server.body("/.well-known/skills/headless/README.md", "x\n");
    let added = world.json(&["add", &format!("{}{INDEX}", server.url), "--insecure", "--name", "site"]);
    assert_eq!(added["skills"], json!(["deploy"]));
    assert_eq!(
        crate::support::sync::remarks(&added["rejected"]),
        ["broken unreachable", "escaping refused", "headless refused"]
    );
    assert_eq!(crate::support::sync::remarks(&added["warnings"]), [". unverified"]);
    assert_eq!(world.read("registry/skills/deploy/docs/the guide.md"), "guide\n");
    server.asked();
    let synced = world.try_sync("registry", &[]);
    assert_eq!((synced.code, synced.source("site")["outcome"].as_str()), (1, Some("unchanged")));
    assert!(server.asked().iter().all(|asked| asked.ends_with(" 304") || asked.ends_with(" 404")));
    server.body("/.well-known/skills/deploy/SKILL.md", skill("deploy", "v2"));
    server.body("/.well-known/skills/broken/SKILL.md", skill("broken", "no more"));
    assert_eq!(world.sync().class("deploy"), "fast_forward");
}

#[test]
fn a_file_of_version_0_1_that_is_a_folder_too_rejects_its_skill_alone() {
    let (world, server) = (World::new(), Server::start());
    world.run_in("", &["init", "registry"]).ok();
    let index = json!({ "skills": [
        { "name": "below", "description": "x", "files": ["SKILL.md", "SKILL.md/x"] },
        { "name": "deploy", "description": "Does deploy.", "files": ["SKILL.md"] },
        { "name": "root", "description": "x", "files": ["SKILL.md", "."] },
    ]});
    server.body(OLD_INDEX, index.to_string());
    for page in ["deploy/SKILL.md", "below/SKILL.md", "below/SKILL.md/x", "root/SKILL.md", "root"] {
        server.body(&format!("/.well-known/skills/{page}"), skill("deploy", "v1"));
    }
    let added = world.json(&["add", &format!("{}{INDEX}", server.url), "--insecure", "--name", "site"]);
    assert_eq!(added["skills"], json!(["deploy"]));
    assert_eq!(crate::support::sync::remarks(&added["rejected"]), ["below refused", "root refused"]);
}

#[test]
fn a_file_of_version_0_1_comes_from_the_host_of_its_index_alone() {
    let (world, server, elsewhere) = (World::new(), Server::start(), Server::start());
    world.run_in("", &["init", "registry"]).ok();
    let entry = |name: &str| json!({ "name": name, "description": "x", "files": ["SKILL.md"] });
    server.body(OLD_INDEX, json!({ "skills": [entry("away"), entry("moved")] }).to_string());
    server.put("/.well-known/skills/away/SKILL.md", Page::Redirect(format!("{}/SKILL.md", elsewhere.url)));
    server.put("/.well-known/skills/moved/SKILL.md", Page::Redirect("/SKILL.md".into()));
    elsewhere.body("/SKILL.md", skill("away", "v1"));
    server.body("/SKILL.md", skill("moved", "v1"));
    let added = world.json(&["add", &format!("{}{INDEX}", server.url), "--insecure", "--name", "site"]);
    assert_eq!(added["skills"], json!(["moved"]));
    assert_eq!(crate::support::sync::remarks(&added["rejected"]), ["away refused"]);
}

#[test]
fn nothing_leads_into_a_private_network_but_the_source_s_own_address() {
    let (world, server) = (World::new(), Server::start());
    world.run_in("", &["init", "registry"]).ok();
    let other = server.url.replace("127.0.0.1", "127.0.0.2");
    let text = skill("moved", "v1");
    server.put("/moved", Page::Redirect(format!("{other}/x")));
    let moved = entry("moved", "skill-md", "/moved", text.as_bytes());
    let named = entry("named", "skill-md", &format!("{other}/x"), text.as_bytes());
    put_index(&server, &[put_skill(&server, "deploy", "v1"), moved, named]);
    server.body("/x", &text);
    let added = world.json(&["add", &format!("{}{INDEX}", server.url), "--insecure", "--name", "site"]);
    assert_eq!(added["skills"], json!(["deploy"]));
    assert_eq!(crate::support::sync::remarks(&added["rejected"]), ["moved refused", "named refused"]);
    assert!(!server.asked().iter().any(|asked| asked.starts_with("/x")));
}

#[test]
fn offline_reads_the_cache_and_a_dry_run_leaves_it_alone() {
    let (world, server) = following();
    server.asked();
    world.sync_in("registry", &["--offline"]);
    assert_eq!(server.asked(), Vec::<String>::new());
    put_index(&server, &[put_skill(&server, "deploy", "v2"), put_skill(&server, "ops", "v2")]);
    let before = (world.refs("registry"), world.objects("registry"), listing(&world.path("cache")));
    let synced = world.sync_in("registry", &["--dry-run"]);
    assert_eq!((synced.class("deploy"), synced.class("ops")), ("fast_forward", "fast_forward"));
    assert_eq!((world.refs("registry"), world.objects("registry"), listing(&world.path("cache"))), before);
    std::fs::remove_dir_all(world.path("cache")).unwrap();
    let synced = world.try_sync("registry", &["--offline"]);
    assert_eq!((synced.code, synced.source("site")["error"]["kind"].as_str()), (1, Some("network")));
    assert_eq!(world.sync().class("deploy"), "fast_forward", "the cache may be deleted at any time");
}

#[test]
fn plain_http_and_passwords_are_refused() {
    let (world, server) = (World::new(), Server::start());
    world.run_in("", &["init", "registry"]).ok();
    world.run(&["add", &format!("{}{INDEX}", server.url)]).ends_with(2).says(&["comes unprotected", "--insecure"]);
    let secret = server.url.replace("http://", "http://pat:hunter2@");
    let run = world.run(&["add", &format!("{secret}{INDEX}"), "--insecure"]).ends_with(2);
    assert!(!run.all().contains("hunter2"), "{}", run.all());
    assert_eq!(server.asked(), Vec::<String>::new());
    assert!(!world.exists("registry/sources/127-0-0-1.toml"));
}

#[test]
fn only_selected_skills_are_fetched() {
    let (world, server) = (World::new(), Server::start());
    world.run_in("", &["init", "registry"]).ok();
    put_index(&server, &[put_skill(&server, "deploy", "v1"), put_skill(&server, "ops", "v1")]);
    world.run(&["add", &format!("{}{INDEX}", server.url), "--insecure", "--name", "site", "--skill", "deploy"]).ok();
    assert_eq!(server.asked(), [format!("{INDEX} 200"), "/.well-known/agent-skills/deploy/SKILL.md 200".into()]);
    let run = world.run(&["add", &format!("{}{INDEX}", server.url), "--insecure", "--name", "none", "--skill", "x*"]);
    run.ends_with(1).says(&["none is selected"]);
}

#[test]
fn a_user_s_proxy_is_used_and_no_proxy_is_obeyed() {
    let (world, server, proxy) = (World::new(), Server::start(), Server::start());
    world.run_in("", &["init", "registry"]).ok();
    put_index(&server, &[put_skill(&server, "deploy", "v1")]);
    world.set_env("http_proxy", Some(&proxy.url));
    let url = format!("{}{INDEX}", server.url);
    world.run(&["add", &url, "--insecure", "--name", "site"]).ends_with(1);
    assert_eq!((server.asked().len(), proxy.asked().is_empty()), (0, false));
    world.set_env("http_proxy", Some("http://a b:c"));
    world.run(&["add", &url, "--insecure", "--name", "site"]).ends_with(2).says(&["the proxy", "cannot be used"]);
    assert_eq!(server.asked(), Vec::<String>::new(), "nobody goes around a proxy");
    world.set_env("http_proxy", Some(&proxy.url));
    world.set_env("no_proxy", Some("example.com, 127.0.0.1"));
    world.run(&["add", &url, "--insecure", "--name", "site"]).ok();
}

#[test]
fn a_server_that_does_not_answer_is_given_up_at_the_deadline() {
    let (world, server) = (World::new(), Server::start());
    server.put(INDEX, Page::Silent);
    let reach = Reach::from(&world, &[]);
    let text = format!("format = 1\nindex = \"{}\"\ninsecure = true\n", server.url);
    let source = SourceFile::parse(SourceName::parse("site").unwrap(), &text).unwrap();
    let started = Instant::now();
    let access = reach.access(Duration::from_secs(1));
    let error = observe(&access, &source, &world.path(""), &Limits::default()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Network);
    assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
}

#[test]
fn a_copied_skill_is_linked_to_what_the_index_has_now() {
    let (world, server) = (World::new(), Server::start());
    world.run_in("", &["init", "registry"]).ok();
    put_index(&server, &[put_skill(&server, "deploy", "v1")]);
    world.registry(&[("skills/deploy/SKILL.md", &skill("deploy", "v1"))]);
    let url = format!("{}{INDEX}", server.url);
    world.run(&["add", &url, "--insecure", "--name", "site", "--no-enable"]).ok();
    world.run(&["link", "deploy", "--to", "site", "--yes"]).ok();
    let entry = world.read("registry/skills/deploy.toml");
    assert!(entry.contains("source = \"site\"") && !entry.contains("revision"), "{entry}");
    world.run(&["source", "enable", "site"]).ok();
    put_index(&server, &[put_skill(&server, "deploy", "v2")]);
    assert_eq!(world.sync().class("deploy"), "fast_forward");
}

#[test]
fn a_source_file_that_says_two_places_or_what_does_not_go_together_is_refused() {
    let world = World::new();
    world.run_in("", &["init", "registry"]).ok();
    for (text, says) in [
        ("git = \"x\"\nindex = \"https://h\"", "both `git` and `index`"),
        ("clawhub = \"x\"\ncommand = [\"x\"]", "both `clawhub` and `command`"),
        ("index = \"https://h\"\npath = \"x\"", "`index` has no `path`"),
        ("index = \"https://h\"\nref = \"x\"", "`index` has no `ref`"),
        ("git = \"x\"\nregistry = \"https://h\"", "`registry` goes with"),
        ("command = []", "names no program"),
        ("enabled = true", "does not say where"),
        ("clawhub = \"x\"\nregistry = \"https://u:p@h\"", "password or token"),
    ] {
        world.registry(&[("sources/odd.toml", &format!("format = 1\n{text}\n"))]);
        let synced = world.try_sync("registry", &[]);
        let error = &synced.source("odd")["error"];
        assert_eq!(error["kind"], "config", "{error}");
        assert!(error["message"].as_str().unwrap().contains(says), "{error}");
    }
}

#[test]
fn answers_that_nobody_used_for_90_days_go_and_those_in_use_stay() {
    let (world, server) = following();
    let is_there = |files: &[std::path::PathBuf]| files.iter().any(|path| path.exists());
    let v1 = aged(&world, "v1", 89);
    assert_eq!(v1.len(), 1, "the file; the archive is packed");
    world.sync();
    assert!(is_there(&v1) && v1[0].metadata().unwrap().modified().unwrap().elapsed().unwrap().as_secs() < 3600);
    // Now the address has another body, and the one before lies at an address of its own.
    let text = skill("deploy", "v2");
    server.body("/elsewhere", &text);
    put_index(&server, &[entry("deploy", "skill-md", "/elsewhere", text.as_bytes())]);
    world.sync();
    aged(&world, "v1", 91);
    for args in [&["--offline"][..], &["--dry-run"]] {
        world.sync_in("registry", args);
        assert!(is_there(&v1), "{args:?} writes nothing");
    }
    world.sync();
    assert!(!is_there(&v1));
    assert_eq!(aged(&world, "v2", 91).len(), 1);
    world.sync();
    // It was removed before it was asked for, and came anew.
    assert_eq!(aged(&world, "v2", 0).len(), 1);
}

#[test]
fn hints_name_what_helps_with_this_kind_of_source() {
    let (world, server) = following();
    put_index(&server, &[]);
    let hint = |synced: &Value| synced["error"]["hint"].as_str().unwrap_or_default().to_owned();
    let said = hint(world.try_sync("registry", &[]).source("site"));
    assert!(!said.contains("--path") && said.contains("nothing was closed"), "{said}");
    // A site of which nothing is known yet has no source file to look at.
    let add = |path: &str, says: &[&str]| {
        let url = format!("{}{path}{INDEX}", server.url);
        let run = world.run(&["add", &url, "--insecure", "--name", "other"]).ends_with(1).says(says);
        assert!(!run.stderr.contains("source file") && !run.stderr.contains("--path"), "{}", run.stderr);
    };
    add(
        "/none",
        &["there is no index of skills at", "nor at", "/.well-known/skills/index.json", "look at the address"],
    );
    server.put(&format!("/closed{INDEX}"), Page::Status(403));
    add("/closed", &["status 403", "what anybody may read"]);
    server.put(&format!("/broken{INDEX}"), Page::Status(503));
    add("/broken", &["status 503", "try again later"]);
    let gone =
        world.run(&["add", "http://127.0.0.1:1/.well-known/agent-skills/index.json", "--insecure", "--name", "x"]);
    gone.ends_with(1).says(&["cannot fetch", "look at the address, and at https_proxy"]);
}
