//! Transport against real repositories, served over `file://` in a hermetic environment.

#![expect(clippy::print_stdout, reason = "what was measured")]
#![expect(clippy::disallowed_methods, reason = "tests make repositories and read them with git itself")]

use super::failure::classify_failure;
use super::*;
use crate::git::process::Environment;
#[cfg(unix)]
use crate::git::process::GitCommand;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

const LONG: Duration = Duration::from_secs(60);
const MIB: u64 = 1 << 20;

/// A temp dir with an upstream repository, a home for git's configuration, and a cache.
struct World {
    dir: tempfile::TempDir,
    git: Git,
}

impl World {
    fn new() -> World {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("home")).unwrap();
        let world = World { git: Git::new("git", &environment(dir.path(), &[])), dir };
        world.sh(".", &["init", "-q", "-b", "main", "up"]);
        for (key, value) in [("uploadpack.allowFilter", "true"), ("uploadpack.allowAnySHA1InWant", "true")] {
            world.sh("up", &["config", key, value]);
        }
        world.commit("one");
        init_bare(&world.git, &world.cache(), false).unwrap();
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn cache(&self) -> PathBuf {
        self.path("cache.git")
    }

    fn url(&self) -> String {
        format!("file://{}", self.path("up").display())
    }

    /// Runs plain git, without the code under test, and returns its trimmed output.
    fn sh(&self, dir: &str, args: &[&str]) -> String {
        let output = Command::new("git")
            .args(args)
            .current_dir(self.path(dir))
            .env_clear()
            .envs(environment(self.dir.path(), &[("GIT_NO_LAZY_FETCH", "1")]).0)
            .output()
            .unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn commit(&self, text: &str) -> String {
        fs::create_dir_all(self.path("up/skills/a")).unwrap();
        fs::write(self.path("up/skills/a/SKILL.md"), text).unwrap();
        fs::write(self.path("up/.gitmodules"), "[submodule \"x\"]\n\tpath = x\n\turl = https://example.com/x\n")
            .unwrap();
        self.sh("up", &["add", "."]);
        self.sh("up", &["commit", "-q", "-m", text]);
        self.sh("up", &["rev-parse", "HEAD"])
    }

    fn git_config(&self, text: &str) {
        fs::write(self.path("home/.gitconfig"), text).unwrap();
    }

    fn ls(&self, names: &[&str]) -> RemoteRefs {
        ls_remote(&self.git, Where::Nowhere, &local(&self.url()), names).unwrap()
    }

    fn fetch(&self, want: Want<'_>, filter: bool) -> Result<String> {
        let url = self.url();
        let request = FetchRequest { git_dir: &self.cache(), remote: local(&url), want, filter, max_bytes: 100 * MIB };
        fetch_commit(&self.git, &request)
    }

    fn blob(&self, commit: &str) -> String {
        self.sh("up", &["rev-parse", &format!("{commit}:skills/a/SKILL.md")])
    }

    fn has(&self, id: &str) -> bool {
        let output = self.git.command(Where::GitDir(&self.cache())).args(["cat-file", "-e"]).value(id).run().unwrap();
        output.status.success()
    }

    /// Every file of the cache, as one byte string.
    fn cache_bytes(&self) -> Vec<u8> {
        fn read(dir: &Path, all: &mut Vec<u8>) {
            for path in entries(dir) {
                all.extend_from_slice(path.to_string_lossy().as_bytes());
                if path.is_dir() { read(&path, all) } else { all.extend(fs::read(&path).unwrap()) }
            }
        }
        let mut all = Vec::new();
        read(&self.cache(), &mut all);
        all
    }
}

fn environment(dir: &Path, more: &[(&str, &str)]) -> Environment {
    let mut env: Vec<(OsString, OsString)> = [
        ("PATH", std::env::var("PATH").unwrap().as_str()),
        ("HOME", dir.join("home").to_str().unwrap()),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_AUTHOR_NAME", "A"),
        ("GIT_AUTHOR_EMAIL", "a@example.com"),
        ("GIT_COMMITTER_NAME", "A"),
        ("GIT_COMMITTER_EMAIL", "a@example.com"),
    ]
    .map(|(name, value)| (name.into(), value.into()))
    .into();
    env.extend(more.iter().map(|(name, value)| (name.into(), value.into())));
    Environment(env)
}

fn local(url: &str) -> Remote<'_> {
    Remote { url, allow: Protocols::Local, deadline: LONG }
}

fn text(error: &Error) -> String {
    format!("{} | {:?}", error.full_message(), error.hint_text())
}

fn contains(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}

/// A program that stands in for git. Another process writes it: while this one had it open for writing, a test that forks
/// at that moment would keep it busy.
#[cfg(unix)]
fn script(world: &World, body: &str) -> Git {
    let path = world.path("fake-git");
    let write = "printf '#!/bin/sh\\n%s\\n' \"$1\" > \"$2\" && chmod +x \"$2\"";
    assert!(Command::new("sh").args(["-c", write, "sh", body]).arg(&path).status().unwrap().success());
    Git::new(path, &environment(world.dir.path(), &[]))
}

#[cfg(unix)]
fn version(git: &Git) -> GitCommand<'_> {
    git.command(Where::Nowhere).arg("version")
}

#[test]
fn one_process_resolves_head_branches_and_peeled_tags() {
    let world = World::new();
    let first = world.sh("up", &["rev-parse", "HEAD"]);
    world.sh("up", &["tag", "-a", "-m", "v1", "v1"]);
    world.sh("up", &["branch", "topic"]);
    let second = world.commit("two");
    let refs = world.ls(&["v1", "topic", "gone"]);
    assert_eq!(refs.head.as_deref(), Some("refs/heads/main"));
    assert_eq!(refs.resolve(Some("v1")), Some(("refs/tags/v1".into(), first.as_str())));
    assert_eq!(refs.resolve(Some("topic")), Some(("refs/heads/topic".into(), first.as_str())));
    assert_eq!(refs.resolve(Some("gone")), None);
    assert_eq!(refs.get("HEAD"), Some(second.as_str()));
    assert_eq!(world.ls(&["main"]).resolve(None), Some(("refs/heads/main".into(), second.as_str())));
    assert_eq!(world.ls(&["HEAD"]).resolve(None).unwrap().1, second);
    assert_eq!(world.ls(&["refs/tags/v1"]).resolve(Some("refs/tags/v1")).unwrap().1, first);
    assert_eq!(world.ls(&[]).refs.len(), 5);
}

#[test]
fn a_detached_head_and_an_empty_repository_have_no_head_branch() {
    let world = World::new();
    let id = world.sh("up", &["rev-parse", "HEAD"]);
    world.sh("up", &["checkout", "-q", "--detach"]);
    assert_eq!(world.ls(&[]).head, None);
    assert_eq!(world.ls(&["HEAD"]).resolve(None), Some(("HEAD".into(), id.as_str())));
    world.sh(".", &["init", "-q", "empty"]);
    let url = format!("file://{}", world.path("empty").display());
    let refs = ls_remote(&world.git, Where::Nowhere, &local(&url), &["main"]).unwrap();
    assert_eq!((refs.refs.len(), refs.resolve(None)), (0, None));
}

#[test]
fn a_pattern_matches_whole_names_only() {
    let world = World::new();
    world.sh("up", &["update-ref", "refs/remotes/origin/HEAD", "HEAD"]);
    world.sh("up", &["update-ref", "refs/heads/x/refs/heads/main", "HEAD"]);
    let names: Vec<String> = world.ls(&["main"]).refs.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["HEAD", "refs/heads/main"]);
}

#[test]
fn names_urls_and_ids_that_are_none_are_refused_before_git_runs() {
    let world = World::new();
    let git = Git::new("/does/not/exist", &Environment::default());
    for name in ["a b", "-x..", "*", "a..b", "x.lock", "", "a\nb", "@{1}", "refs/heads/a//b"] {
        let error = ls_remote(&git, Where::Nowhere, &local("/x"), &[name]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{name}");
    }
    for url in ["", "--upload-pack=evil", "https://x\n/"] {
        assert_eq!(ls_remote(&git, Where::Nowhere, &local(url), &[]).unwrap_err().kind(), ErrorKind::Usage);
    }
    assert_eq!(world.fetch(Want::Commit("--all"), true).unwrap_err().kind(), ErrorKind::Usage);
    let error = world.git.command(Where::Nowhere).arg("log").value("--output=/tmp/x").run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    let error = ls_remote(&git, Where::Nowhere, &local("/x"), &[]).unwrap_err();
    assert!(error.hint_text().unwrap().contains("install git"));
}

#[test]
fn blobs_that_were_looked_for_before_they_were_fetched_are_seen_afterwards() {
    let world = World::new();
    let id = world.commit("two");
    world.fetch(Want::Ref { name: "refs/heads/main", id: &id }, true).unwrap();
    let store = crate::git::Repository::open(&world.cache()).unwrap().store;
    let hex = world.blob(&id);
    let blob = crate::git::Oid::parse(&hex).unwrap();
    assert!(!store.contains(blob));
    fetch_blobs(&world.git, &world.cache(), &local(&world.url()), &[hex], MIB).unwrap();
    store.refresh();
    assert!(store.contains(blob) && store.header(blob).unwrap().is_some());
}

#[test]
fn a_fetch_brings_trees_and_then_the_blobs_asked_for() {
    let world = World::new();
    let old = world.sh("up", &["rev-parse", "HEAD"]);
    let id = world.commit("two");
    let config = fs::read(world.cache().join("config")).unwrap();
    assert_eq!(world.fetch(Want::Ref { name: "refs/heads/main", id: &id }, true).unwrap(), id);
    assert_eq!(world.sh("cache.git", &["rev-parse", &format!("{FETCHED}{id}")]), id);
    assert!(world.has(&format!("{id}^{{tree}}")) && !world.has(&old) && !world.has(&world.blob(&id)));
    fetch_blobs(&world.git, &world.cache(), &local(&world.url()), &[world.blob(&id)], MIB).unwrap();
    assert_eq!(world.sh("cache.git", &["cat-file", "blob", &world.blob(&id)]), "two");
    // The next commit, and the way back to an older one that is no branch's head.
    let third = world.commit("three");
    assert_eq!(world.fetch(Want::Commit(&third), true).unwrap(), third);
    assert_eq!(world.fetch(Want::Commit(&old), true).unwrap(), old);
    fetch_blobs(&world.git, &world.cache(), &local(&world.url()), &[world.blob(&third), world.blob(&old)], MIB)
        .unwrap();
    assert_eq!(world.sh("cache.git", &["cat-file", "blob", &world.blob(&old)]), "one");
    fetch_blobs(&world.git, &world.cache(), &local(&world.url()), &[], MIB).unwrap();
    assert_eq!(fs::read(world.cache().join("config")).unwrap(), config, "fetches write no configuration");
    assert!(!contains(&world.cache_bytes(), "file://"), "and no URL");
}

#[test]
fn without_a_filter_blobs_come_too_also_those_that_were_left_out_before() {
    let world = World::new();
    let id = world.commit("two");
    world.fetch(Want::Commit(&id), true).unwrap();
    assert!(!world.has(&world.blob(&id)));
    world.fetch(Want::Commit(&id), false).unwrap();
    assert!(world.has(&world.blob(&id)));
    let id = world.commit("three");
    world.fetch(Want::Commit(&id), false).unwrap();
    assert!(world.has(&world.blob(&id)));
}

#[test]
fn a_server_that_does_not_filter_is_fine() {
    let world = World::new();
    world.sh("up", &["config", "uploadpack.allowFilter", "false"]);
    for text in ["two", "three"] {
        let id = world.commit(text);
        world.fetch(Want::Commit(&id), true).unwrap();
        assert!(world.has(&world.blob(&id)));
    }
}

#[test]
fn a_server_that_refuses_the_filter_is_asked_without() {
    let world = World::new();
    world.fetch(Want::Commit(&world.sh("up", &["rev-parse", "HEAD"])), true).unwrap();
    world.sh("up", &["config", "uploadpackfilter.allow", "false"]);
    let id = world.commit("two");
    world.fetch(Want::Commit(&id), true).unwrap();
    assert!(world.has(&world.blob(&id)));
}

#[test]
fn a_server_that_hides_ids_is_asked_by_name_and_then_for_everything() {
    let world = World::new();
    world.git_config("[protocol]\n\tversion = 0\n");
    world.sh("up", &["config", "uploadpack.allowAnySHA1InWant", "false"]);
    let first = world.sh("up", &["rev-parse", "HEAD"]);
    world.sh("up", &["tag", "-a", "-m", "v1", "v1"]);
    let second = world.commit("two");
    let third = world.commit("three");
    world.fetch(Want::Ref { name: "refs/heads/main", id: &third }, true).unwrap();
    assert!(!world.has(&second));
    let refs = world.ls(&["v1"]);
    let (name, id) = refs.resolve(Some("v1")).unwrap();
    assert_eq!(world.fetch(Want::Ref { name: &name, id }, true).unwrap(), first);
    assert_eq!(world.sh("cache.git", &["rev-parse", &format!("{FETCHED}{first}")]), first, "not the tag object");
    assert_eq!(world.fetch(Want::Commit(&second), true).unwrap(), second);
    assert_eq!(world.sh("cache.git", &["rev-parse", &format!("{FETCHED}{second}")]), second);
    let missing = world.fetch(Want::Commit(&"1".repeat(40)), true).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert!(missing.full_message().contains("no branch or tag"), "{}", text(&missing));
    // A name that moved meanwhile: the id is on no branch any more.
    let moved = world.fetch(Want::Ref { name: "refs/heads/main", id: &"2".repeat(40) }, true).unwrap_err();
    assert_eq!(moved.kind(), ErrorKind::NoEvidence, "{}", text(&moved));
    let error = fetch_blobs(&world.git, &world.cache(), &local(&world.url()), &[world.blob(&second)], MIB).unwrap_err();
    assert!(error.full_message().contains("cannot fetch 1 files"), "{}", text(&error));
    world.fetch(Want::Ref { name: "refs/heads/main", id: &third }, false).unwrap();
    assert!(world.has(&world.blob(&third)));
}

#[test]
fn a_sha256_cache_holds_a_sha256_upstream() {
    let world = World::new();
    world.sh(".", &["init", "-q", "--object-format=sha256", "up256"]);
    world.sh("up256", &["commit", "-q", "--allow-empty", "-m", "x"]);
    let url = format!("file://{}", world.path("up256").display());
    let refs = ls_remote(&world.git, Where::Nowhere, &local(&url), &["HEAD"]).unwrap();
    let id = refs.get("HEAD").unwrap();
    let wrong = world.cache();
    let mut request =
        FetchRequest { git_dir: &wrong, remote: local(&url), want: Want::Commit(id), filter: true, max_bytes: MIB };
    assert_eq!(fetch_commit(&world.git, &request).unwrap_err().kind(), ErrorKind::Git);
    let right = world.path("256.git");
    init_bare(&world.git, &right, true).unwrap();
    request.git_dir = &right;
    assert_eq!(fetch_commit(&world.git, &request).unwrap(), id);
}

#[test]
fn objects_that_fsck_refuses_do_not_enter_the_cache() {
    let world = World::new();
    let blob = world.blob("HEAD");
    fs::write(world.path("tree"), format!("100644 blob {blob}\tok\n")).unwrap();
    // `mktree` checks little, but not nothing; this tree has an entry named `.git`.
    let mut raw = b"100644 .git\0".to_vec();
    raw.extend((0..40).step_by(2).map(|i| u8::from_str_radix(&blob[i..i + 2], 16).unwrap()));
    fs::write(world.path("raw"), raw).unwrap();
    let tree = world.sh("up", &["hash-object", "-w", "-t", "tree", "--literally", "../raw"]);
    let id = world.sh("up", &["commit-tree", "-m", "evil", &tree]);
    let error = world.fetch(Want::Commit(&id), true).unwrap_err();
    assert!(error.full_message().contains("hasDotgit"), "{}", text(&error));
    assert!(!world.has(&id));
}

#[test]
fn a_password_shows_up_in_no_error_and_in_no_file() {
    let world = World::new();
    let id = world.sh("up", &["rev-parse", "HEAD"]);
    world.git_config(&format!("[url \"{}\"]\n\tinsteadOf = https://bob:hunter2@example.invalid/up\n", world.url()));
    let remote = local("https://bob:hunter2@example.invalid/up");
    let git_dir = world.cache();
    let mut request = FetchRequest { git_dir: &git_dir, remote, want: Want::Commit(&id), filter: true, max_bytes: MIB };
    fetch_commit(&world.git, &request).unwrap();
    fetch_blobs(&world.git, &git_dir, &remote, &[world.blob(&id)], MIB).unwrap();
    world.git_config("");
    request.remote.allow = Protocols::Secure;
    request.remote.url = "https://bob:hunter2@127.0.0.1:9/up?private_token=hunter2";
    let errors = [
        fetch_commit(&world.git, &request).unwrap_err(),
        fetch_blobs(&world.git, &git_dir, &request.remote, &["1".repeat(40)], MIB).unwrap_err(),
        ls_remote(&world.git, Where::Nowhere, &request.remote, &[]).unwrap_err(),
        fetch_commit(&world.git, &FetchRequest { remote: local(request.remote.url), ..request }).unwrap_err(),
        ls_remote(&world.git, Where::Nowhere, &local("https://bob:hunter2@x/\n"), &[]).unwrap_err(),
    ];
    for error in &errors {
        assert!(!text(error).contains("hunter2"), "{}", text(error));
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
    assert_eq!(errors[2].kind(), ErrorKind::Network, "{}", text(&errors[2]));
    assert_eq!(errors[3].kind(), ErrorKind::Usage, "{}", text(&errors[3]));
    assert!(!contains(&world.cache_bytes(), "hunter2"));
}

#[test]
fn transports_that_were_not_allowed_are_refused() {
    let world = World::new();
    world.git_config("[protocol \"file\"]\n\tallow = always\n[protocol \"ext\"]\n\tallow = always\n");
    let marker = world.path("marker");
    let ext = format!("ext::touch {}", marker.display());
    for allow in
        [Protocols::None, Protocols::Secure, Protocols::InsecureHttp, Protocols::Local, Protocols::AsConfigured]
    {
        let file = ls_remote(&world.git, Where::Nowhere, &Remote { allow, ..local(&world.url()) }, &[]);
        assert_eq!(file.is_ok(), matches!(allow, Protocols::Local | Protocols::AsConfigured), "{allow:?}");
        let error = ls_remote(&world.git, Where::Nowhere, &Remote { allow, ..local(&ext) }, &[]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{}", text(&error));
    }
    let http = Remote { allow: Protocols::Secure, ..local("http://127.0.0.1:9/x") };
    let error = ls_remote(&world.git, Where::Nowhere, &http, &[]).unwrap_err();
    assert!(error.full_message().contains("transport 'http' not allowed"), "{}", text(&error));
    let narrow = Git::new("git", &environment(world.dir.path(), &[("GIT_ALLOW_PROTOCOL", "ssh:https")]));
    for allow in [Protocols::Local, Protocols::AsConfigured] {
        ls_remote(&narrow, Where::Nowhere, &Remote { allow, ..local(&world.url()) }, &[]).unwrap_err();
    }
    assert!(!marker.exists());
}

#[test]
#[cfg(unix)]
fn a_hung_git_is_ended_with_its_children_at_the_deadline() {
    let world = World::new();
    let pid = world.path("pid");
    let git = script(&world, &format!("sleep 1000 & echo $! > {}; wait", pid.display()));
    let started = Instant::now();
    let remote =
        Remote { url: "https://example.com/x", allow: Protocols::Secure, deadline: Duration::from_millis(300) };
    let error = ls_remote(&git, Where::Nowhere, &remote, &[]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network);
    assert!(error.full_message().contains("did not finish within 300ms"), "{}", text(&error));
    assert!(started.elapsed() < Duration::from_secs(2));
    let pid = fs::read_to_string(pid).unwrap();
    // Killed, but not by a parent that waits for it: the end takes a moment.
    let runs = || {
        let state = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        !state.is_empty() && !state.contains(") Z")
    };
    while runs() {
        assert!(started.elapsed() < Duration::from_secs(10), "the child still runs");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
#[cfg(unix)]
fn a_flag_ends_a_running_command() {
    let world = World::new();
    let flag = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let git = script(&world, "sleep 1000").cancelled_by(flag);
    let started = Instant::now();
    let error = version(&git).run().unwrap_err();
    assert!(error.full_message().contains("interrupted") && started.elapsed() < Duration::from_secs(2));
}

#[test]
#[cfg(unix)]
fn a_daemon_that_keeps_the_pipes_open_is_not_waited_for() {
    let world = World::new();
    let git = script(&world, "sleep 20 & echo done");
    let started = Instant::now();
    let output = version(&git).run_ok().unwrap();
    assert_eq!(output.stdout, b"done\n");
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
#[cfg(unix)]
fn output_that_is_read_late_on_a_busy_machine_is_not_lost() {
    let world = World::new();
    // The end of git is seen long before its output: a child of it writes what counts.
    let git = script(&world, "(sleep 0.7; echo late) &");
    let output = version(&git).run_ok().unwrap();
    assert_eq!(output.stdout, b"late\n");
}

#[test]
#[cfg(unix)]
fn output_and_input_larger_than_any_pipe_do_not_block() {
    let world = World::new();
    let git = script(&world, "tee /dev/stderr");
    let input = vec![b'x'; 5 << 20];
    let output = version(&git).stdin_bytes(input.clone()).run_ok().unwrap();
    assert_eq!((output.stdout == input, output.stderr.len()), (true, 64 << 10));
    let git = script(&world, "exit 3");
    assert_eq!(version(&git).stdin_bytes(input).run().unwrap().status.code(), Some(3));
    let git = script(&world, "exec cat /dev/zero");
    assert_eq!(version(&git).run().unwrap_err().kind(), ErrorKind::Limit);
}

#[test]
#[cfg(unix)]
fn messages_cannot_move_the_cursor() {
    let world = World::new();
    let git = script(&world, "printf 'remote: \\033[2Jhi\\rfatal: no\\342\\200\\256\\n' >&2; exit 128");
    let message = version(&git).run_ok().unwrap_err().full_message();
    assert_eq!(message, "`git version` exited with code 128: remote: \u{fffd}[2Jhi; fatal: no\u{fffd}");
}

#[test]
#[cfg(unix)]
fn the_child_sees_the_given_environment_without_what_redirects_git() {
    let world = World::new();
    let removed =
        ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_FUTURE", "GIT_TRACE"];
    let kept =
        ["GIT_SSH_COMMAND", "GIT_CONFIG_KEY_0", "GIT_ASKPASS", "HTTPS_PROXY", "SSH_AUTH_SOCK", "GIT_AUTHOR_DATE"];
    let vars: Vec<(&str, &str)> = removed.iter().chain(&kept).map(|name| (*name, "1")).collect();
    script(&world, "env");
    let git = Git::new(world.path("fake-git"), &environment(world.dir.path(), &vars));
    let output = String::from_utf8(version(&git).run_ok().unwrap().stdout).unwrap();
    let has = |name: &str| output.lines().any(|line| line.starts_with(&format!("{name}=")));
    assert!(removed.iter().all(|name| !has(name)) && kept.iter().all(|name| has(name)), "{output}");
    assert!(output.contains("LC_ALL=C\n") && output.contains("SSH_ASKPASS=false\n"));
    let git = Git::new(world.path("fake-git"), &environment(world.dir.path(), &[("SSH_ASKPASS", "mine")]));
    assert!(String::from_utf8(version(&git).run_ok().unwrap().stdout).unwrap().contains("SSH_ASKPASS=mine\n"));
}

#[test]
fn a_fetch_that_grows_too_much_is_ended_and_leaves_nothing_temporary() {
    let world = World::new();
    let mut state = 1_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    for name in ["big1", "big2", "big3"] {
        let bytes: Vec<u8> = (0..20 << 20).map(|_| random()).collect();
        fs::write(world.path("up").join(name), bytes).unwrap();
    }
    let id = world.commit("big");
    let (url, git_dir) = (world.url(), world.cache());
    let mut request = FetchRequest {
        git_dir: &git_dir,
        remote: local(&url),
        want: Want::Commit(&id),
        filter: false,
        max_bytes: 4 * MIB,
    };
    let error = fetch_commit(&world.git, &request).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit, "{}", text(&error));
    let left: Vec<PathBuf> =
        entries(&git_dir.join("objects/pack")).filter(|path| file_name(path).contains("tmp")).collect();
    assert!(left.is_empty(), "{left:?}");
    request.filter = true;
    fetch_commit(&world.git, &request).unwrap();
}

#[test]
fn only_what_a_killed_fetch_left_is_cleaned_away() {
    let world = World::new();
    let id = world.sh("up", &["rev-parse", "HEAD"]);
    world.fetch(Want::Commit(&id), true).unwrap();
    let before = world.cache_bytes();
    let cache = world.cache();
    let rubbish = [
        "objects/pack/tmp_pack_x",
        "objects/pack/tmp_idx_x",
        "objects/pack/pack-1.pack",
        "objects/ab/tmp_obj_x",
        "objects/tmp_objdir-incoming-x/pack/a",
        "shallow.lock",
        "shallow_x",
        "refs/skillgraft/fetched/x.lock",
    ];
    for path in rubbish.map(|path| cache.join(path)) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "rubbish").unwrap();
    }
    fs::write(cache.join("objects/pack/pack-2.keep"), "fetch-pack 1 on host\n").unwrap();
    clean_temporary_files(&cache).unwrap();
    fs::remove_dir(cache.join("objects/ab")).unwrap();
    assert_eq!(world.cache_bytes().len(), before.len());
    assert!(!contains(&world.cache_bytes(), "rubbish"));
    clean_temporary_files(&world.path("nowhere")).unwrap();
}

#[test]
fn failures_are_told_apart() {
    let cases = [
        (
            "remote: Repository not found.\nfatal: repository 'https://github.com/x/y/' not found",
            ErrorKind::NotFound,
            "check the URL",
        ),
        (
            "ERROR: Repository not found.\nfatal: Could not read from remote repository.",
            ErrorKind::NotFound,
            "check the URL",
        ),
        (
            "fatal: could not read Username for 'https://github.com': terminal prompts disabled",
            ErrorKind::Network,
            "credentials",
        ),
        (
            "git@github.com: Permission denied (publickey).\nfatal: Could not read from remote repository.",
            ErrorKind::Network,
            "credentials",
        ),
        ("fatal: unable to access 'https://x/': Could not resolve host: x", ErrorKind::Network, "offline"),
        ("ssh: Could not resolve hostname x: Name or service not known", ErrorKind::Network, "offline"),
        ("ssh: connect to host x port 22: Connection timed out", ErrorKind::Network, "in time"),
        (
            "fatal: unable to access 'https://x/': Failed to connect to x port 443: Connection refused",
            ErrorKind::Network,
            "proxy",
        ),
        ("fatal: transport 'file' not allowed", ErrorKind::Usage, "https or ssh"),
        ("Host key verification failed.", ErrorKind::Network, "ssh <host>"),
        ("fatal: couldn't find remote ref refs/heads/x", ErrorKind::NotFound, "ls-remote"),
        (
            "fatal: '/x' does not appear to be a git repository\nfatal: Could not read from remote repository.",
            ErrorKind::NotFound,
            "check the URL",
        ),
        ("SSL certificate problem: self-signed certificate", ErrorKind::Network, "certificate"),
    ];
    for (stderr, kind, hint) in cases {
        let found = classify_failure(stderr);
        assert!(found.0 == kind && found.1.unwrap().contains(hint), "{stderr}: {found:?}");
    }
    assert_eq!(classify_failure("fatal: something else"), (ErrorKind::Git, None));
}

#[test]
fn credentials_are_redacted_wherever_they_stand() {
    let cases = [
        ("https://user:secret@host/x", "https://***@host/x"),
        ("https://ghp_secret@host/x y", "https://***@host/x y"),
        ("ssh://git@host/x", "ssh://git@host/x"),
        ("ssh://git:secret@host/x", "ssh://***@host/x"),
        ("git@host:x", "git@host:x"),
        ("https://u:sec/ret@host/x", "https://***@host/x"),
        ("https://u:se'c\"ret@host/x", "https://***@host/x"),
        ("https://u:a@b@host/x", "https://***@host/x"),
        ("https://host:80/x@1", "https://host:80/x@1"),
        (
            "a https://h/x?ref=a&access_token=secret&y=1#z b https://u:secret@k",
            "a https://h/x?ref=a&access_token=***&y=1#z b https://***@k",
        ),
        ("https://h/x?token=secret", "https://h/x?token=***"),
        ("> Authorization: Basic secret\nmore https://u:p@h", "> Authorization:***\nmore https://***@h"),
        ("nothing here", "nothing here"),
        ("ssh://ghp_abc@host/x", "ssh://***@host/x"),
        ("ghp_0123456789abcdefABCD@github.com:a/b", "***@github.com:a/b"),
        ("bad token 'glpat-0123456789_abcde-ABCD', go", "bad token '***', go"),
        ("a ghp_ prefix, gho_st and github_pat_", "a ghp_ prefix, gho_st and github_pat_"),
        ("url=https://u:ü@h", "url=https://***@h"),
    ];
    for (text, redacted) in cases {
        assert_eq!(redact(text), redacted);
        assert_eq!(redact(redacted), redacted);
    }
}

/// `cargo test --release overhead -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn overhead() {
    let world = World::new();
    let mut table = Vec::new();
    let median = |mut times: Vec<Duration>| {
        times.sort();
        times[times.len() / 2].as_secs_f64() * 1e3
    };
    let (mut ours, mut bare, mut same) = (vec![], vec![], vec![]);
    for _ in 0..100 {
        let now = Instant::now();
        world.ls(&["main"]);
        ours.push(now.elapsed());
        let now = Instant::now();
        world.sh(
            ".",
            &[
                "ls-remote",
                "--symref",
                "--",
                &world.url(),
                "refs/heads/main",
                "refs/tags/main",
                "refs/tags/main^{}",
                "HEAD",
            ],
        );
        bare.push(now.elapsed());
    }
    table.push(("ls-remote", median(ours), median(bare)));
    let (mut ours, mut bare) = (vec![], vec![]);
    init_bare(&world.git, &world.path("bare.git"), false).unwrap();
    for round in 0..60 {
        let id = world.commit(&format!("round {round}"));
        let ours_first = round % 2 == 0;
        for turn in [ours_first, !ours_first] {
            let now = Instant::now();
            if turn {
                world.fetch(Want::Commit(&id), true).unwrap();
                ours.push(now.elapsed());
            } else {
                let spec = format!("+{id}:{FETCHED}{id}");
                let url = format!("remote.{REMOTE}.url={}", world.url());
                let fixed = ["-c", &url, "-c", "gc.auto=0", "-c", "fetch.fsckObjects=true"];
                let args: Vec<&str> =
                    fixed.into_iter().chain(FETCH).chain(["--depth=1", "--filter=blob:none", REMOTE, &spec]).collect();
                world.sh("bare.git", &args);
                bare.push(now.elapsed());
            }
        }
    }
    table.push(("fetch", median(ours), median(bare)));
    for _ in 0..200 {
        let now = Instant::now();
        world.git.command(Where::Nowhere).arg("version").run_ok().unwrap();
        same.push(now.elapsed());
    }
    let ours = median(same);
    let bare = (0..200)
        .map(|_| {
            let now = Instant::now();
            world.sh(".", &["version"]);
            now.elapsed()
        })
        .collect();
    table.push(("version", ours, median(bare)));
    for (what, ours, bare) in table {
        println!("{what}: ours {ours:.2} ms, bare git {bare:.2} ms, difference {:.2} ms", ours - bare);
    }
}
