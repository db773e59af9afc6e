//! Packages of an npm registry, from a real server on loopback.

use crate::support::archives::tar_gz;
use crate::support::http::{Page, Server};
use crate::support::reach::Reach;
use crate::support::{World, skill};
use base64::Engine as _;
use serde_json::{Value, json};
use sha2::Digest as _;
use skillgraft::skill::Limits;
use skillgraft::source::{DEADLINE, Snapshot, npm};
use skillgraft::types::Result;

fn package(body: &str) -> Vec<u8> {
    let text = skill("deploy", body);
    tar_gz(&[("package/package.json", "{}", 'f'), ("package/skills/deploy/SKILL.md", &text, 'f')])
}

fn integrity(bytes: &[u8]) -> String {
    format!("sha512-{}", base64::prelude::BASE64_STANDARD.encode(sha2::Sha512::digest(bytes)))
}

fn put(server: &Server, path: &str, dist: &Value) {
    let packument = json!({
        "dist-tags": { "latest": "1.4.0", "next": "2.0.0-rc.1" },
        "versions": { "1.4.0": { "dist": dist }, "1.3.0": { "dist": { "tarball": "/gone.tgz" } } },
        "time": { "1.4.0": "2026-01-02T03:04:05.678Z" },
    });
    server.body(path, packument.to_string());
}

fn observe(
    world: &World,
    name: &str,
    version: Option<&str>,
    registry: Option<&str>,
    own: &[(&str, &str)],
) -> Result<Snapshot> {
    let reach = Reach::from(world, own);
    npm::observe(
        &reach.access(DEADLINE),
        name,
        version,
        registry.map(|url| (url, "127.0.0.1")),
        &world.path("project"),
        true,
        &Limits::default(),
    )
}

#[test]
fn the_latest_version_comes_verified_with_its_name_and_date() {
    let (world, server) = (World::new(), Server::start());
    let bytes = package("v1");
    server.body("/-/acme-1.4.0.tgz", &bytes);
    put(
        &server,
        "/@acme%2Fskills",
        &json!({ "tarball": format!("{}/-/acme-1.4.0.tgz", server.url), "integrity": integrity(&bytes) }),
    );
    for (registry, own) in
        [(Some(server.url.as_str()), vec![]), (None, vec![("NPM_CONFIG_REGISTRY", server.url.as_str())])]
    {
        let snapshot = observe(&world, "@acme/skills", None, registry, &own).unwrap();
        assert_eq!((snapshot.revision.as_deref(), snapshot.date), (Some("1.4.0"), Some(1_767_323_045)));
        let names: Vec<_> = snapshot.list(snapshot.tree).unwrap().into_iter().map(|(_, name, _)| name).collect();
        assert_eq!(names, [b"package.json".to_vec(), b"skills".to_vec()], "npm's wrapping directory is gone");
    }
    assert_eq!(server.asked(), ["/@acme%2Fskills 200", "/-/acme-1.4.0.tgz 200", "/@acme%2Fskills 304"]);
}

#[test]
fn the_registry_is_the_one_that_npm_would_ask() {
    let (world, server) = (World::new(), Server::start());
    let bytes = package("v1");
    server.body("/a.tgz", &bytes);
    let dist = json!({ "tarball": "/a.tgz", "integrity": integrity(&bytes) });
    for place in ["variable", "project", "user", "scope"] {
        put(&server, &format!("/{place}/@acme%2Fskills"), &dist);
        put(&server, &format!("/{place}/skills"), &dist);
    }
    let at = |place: &str| format!("{}/{place}/", server.url);
    let asks = |package: &str, own: &[(&str, &str)]| {
        server.asked();
        observe(&world, package, None, None, own).unwrap();
        server.asked().remove(0)
    };
    let home = world.path("home").display().to_string();
    let variable = at("variable");
    let home = ("HOME", home.as_str());
    world.write("home/.npmrc", format!("; mine\nregistry={}\n//x/:_authToken=secret\n", at("user")));
    assert_eq!(asks("skills", &[home]), "/user/skills 200");
    world.write("project/.npmrc", format!("registry = {}\n@acme:registry={}\n", at("project"), at("scope")));
    assert_eq!(asks("skills", &[home]), "/project/skills 200");
    assert_eq!(asks("skills", &[home, ("NPM_CONFIG_REGISTRY", &variable)]), "/variable/skills 200");
    assert_eq!(asks("@acme/skills", &[home, ("NPM_CONFIG_REGISTRY", &variable)]), "/scope/@acme%2Fskills 200");
}

#[test]
fn a_range_of_versions_is_no_pin_and_is_called_that() {
    let (world, server) = (World::new(), Server::start());
    put(&server, "/skills", &json!({ "tarball": "/a.tgz" }));
    for (version, says) in [
        ("^1.0.0", "range"),
        ("~1.4", "range"),
        ("1.x", "range"),
        ("1", "range"),
        (">=1 <2", "range"),
        ("1.4.0 || 2", "range"),
        ("*", "range"),
        ("9.9.9", "no version"),
        ("beta", "no version"),
        ("1.4.0-rc.1", "no version"),
    ] {
        let error = observe(&world, "skills", Some(version), Some(&server.url), &[]).err().unwrap();
        assert!(error.full_message().contains(says), "{version}: {}", error.full_message());
    }
}

#[test]
fn what_is_not_what_the_registry_describes_is_refused() {
    let (world, server) = (World::new(), Server::start());
    let bytes = package("v1");
    server.body("/a.tgz", &bytes);
    let other = integrity(b"other");
    for (dist, says) in [
        (json!({ "tarball": "/a.tgz", "integrity": other }), "has the integrity sha512-"),
        (json!({ "tarball": "/a.tgz", "integrity": format!("md5-xx {other}") }), "has the integrity sha512-"),
        (json!({ "tarball": "/a.tgz", "shasum": "a9993e364706816aba3e25717850c26c9cd0d89d" }), "not a9993e36"),
        (json!({ "tarball": "/a.tgz" }), "states no integrity"),
        (json!({ "tarball": "file:///etc/passwd", "integrity": other }), "only https is"),
    ] {
        put(&server, "/acme", &dist);
        let error = observe(&world, "acme", None, Some(&server.url), &[]).err().unwrap();
        assert!(error.full_message().contains(says), "{}", error.full_message());
    }
    // Any of several hashes of the strongest kind will do, options or not.
    put(
        &server,
        "/acme",
        &json!({ "tarball": "/a.tgz", "integrity": format!("sha256-no {other} {}?x", integrity(&bytes)) }),
    );
    observe(&world, "acme", Some("latest"), Some(&server.url), &[]).unwrap();
    // SHA-1, of packages that have nothing better.
    world.write("a.tgz", &bytes);
    let summed = world.command("sha1sum", "").arg("a.tgz").output().unwrap().stdout;
    let sha1 = String::from_utf8(summed).unwrap();
    put(&server, "/acme", &json!({ "tarball": "/a.tgz", "shasum": sha1.split(' ').next().unwrap() }));
    observe(&world, "acme", Some("1.4.0"), Some(&server.url), &[]).unwrap();
}

#[test]
fn a_version_that_is_not_there_and_a_registry_that_nobody_names_are_said() {
    let (world, server) = (World::new(), Server::start());
    put(&server, "/acme", &json!({ "tarball": "/a.tgz" }));
    for (name, version, registry, says) in [
        ("acme", Some("9.9.9"), Some(server.url.as_str()), "no version `9.9.9`"),
        ("acme", Some("next"), Some(server.url.as_str()), "no version `next`"),
        ("gone", None, Some(server.url.as_str()), "there is nothing at"),
        ("acme", None, None, "no registry is named"),
        ("../up", None, Some(server.url.as_str()), "is no name of an npm package"),
        ("@acme", None, Some(server.url.as_str()), "is no name of an npm package"),
        ("@a/b/c", None, Some(server.url.as_str()), "is no name of an npm package"),
    ] {
        let error = observe(&world, name, version, registry, &[]).err().unwrap();
        assert!(error.to_string().contains(says), "{name}: {}", error.full_message());
    }
    server.put("/acme", Page::Redirect("ftp://elsewhere/".into()));
    let error = observe(&world, "acme", None, Some(&server.url), &[]).err().unwrap();
    assert!(error.full_message().contains("only https is"), "{}", error.full_message());
}
