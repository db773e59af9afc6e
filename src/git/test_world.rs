//! What tests of git stand on: a repository that is served over `file://`, in a hermetic environment.

#![expect(clippy::disallowed_methods, reason = "tests make repositories and read them with git itself")]

use super::process::{Environment, Git, Protocols, Where};
use super::transport::{FetchRequest, Remote, RemoteRefs, Want, entries, fetch_commit, init_bare, ls_remote};
use crate::types::error::{Error, Result};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

pub(super) const LONG: Duration = Duration::from_secs(60);
pub(super) const MIB: u64 = 1 << 20;

/// A temp dir with an upstream repository, a home for git's configuration, and a cache.
pub(super) struct World {
    pub(super) dir: tempfile::TempDir,
    pub(super) git: Git,
}

impl World {
    pub(super) fn new() -> World {
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

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(super) fn cache(&self) -> PathBuf {
        self.path("cache.git")
    }

    pub(super) fn url(&self) -> String {
        format!("file://{}", self.path("up").display())
    }

    /// Runs plain git, without the code under test, and returns its trimmed output.
    pub(super) fn sh(&self, dir: &str, args: &[&str]) -> String {
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

    pub(super) fn commit(&self, text: &str) -> String {
        fs::create_dir_all(self.path("up/skills/a")).unwrap();
        fs::write(self.path("up/skills/a/SKILL.md"), text).unwrap();
        fs::write(self.path("up/.gitmodules"), "[submodule \"x\"]\n\tpath = x\n\turl = https://example.com/x\n")
            .unwrap();
        self.sh("up", &["add", "."]);
        self.sh("up", &["commit", "-q", "-m", text]);
        self.sh("up", &["rev-parse", "HEAD"])
    }

    pub(super) fn git_config(&self, text: &str) {
        fs::write(self.path("home/.gitconfig"), text).unwrap();
    }

    pub(super) fn ls(&self, names: &[&str]) -> RemoteRefs {
        ls_remote(&self.git, Where::Nowhere, &local(&self.url()), names).unwrap()
    }

    pub(super) fn fetch(&self, want: Want<'_>, filter: bool) -> Result<String> {
        let url = self.url();
        let request = FetchRequest { git_dir: &self.cache(), remote: local(&url), want, filter, max_bytes: 100 * MIB };
        fetch_commit(&self.git, &request)
    }

    pub(super) fn blob(&self, commit: &str) -> String {
        self.sh("up", &["rev-parse", &format!("{commit}:skills/a/SKILL.md")])
    }

    pub(super) fn has(&self, id: &str) -> bool {
        let output = self.git.command(Where::GitDir(&self.cache())).args(["cat-file", "-e"]).value(id).run().unwrap();
        output.status.success()
    }

    /// Every file of the cache, as one byte string.
    pub(super) fn cache_bytes(&self) -> Vec<u8> {
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

pub(super) fn environment(dir: &Path, more: &[(&str, &str)]) -> Environment {
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

pub(super) fn local(url: &str) -> Remote<'_> {
    Remote { url, allow: Protocols::Local, deadline: LONG }
}

pub(super) fn text(error: &Error) -> String {
    format!("{} | {:?}", error.full_message(), error.hint_text())
}

pub(super) fn contains(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}
