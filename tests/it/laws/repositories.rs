//! Git itself, repositories next to each other, and what is on disk.

use crate::support::found;
use skillgraft::git::{BString, Environment, Git, Mode, Oid, Store, Tree, TreeEntry};
use skillgraft::ops::Outside;
use skillgraft::source::Trust;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, SystemTime};

fn environment(clock: i64) -> Vec<(OsString, OsString)> {
    let date = format!("{clock} +0000");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let fixed = [
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("HOME", "/nonexistent"),
        ("GIT_AUTHOR_NAME", "Person"),
        ("GIT_AUTHOR_EMAIL", "person@acme.example"),
        ("GIT_COMMITTER_NAME", "Person"),
        ("GIT_COMMITTER_EMAIL", "person@acme.example"),
        ("GIT_AUTHOR_DATE", &date),
        ("GIT_COMMITTER_DATE", &date),
    ];
    let fixed = fixed.into_iter().map(|(key, value)| (key.into(), value.into()));
    fixed.chain([("PATH".into(), path)]).collect()
}

/// Runs git without anybody's configuration.
pub fn git(dir: &Path, args: &[&str]) -> Output {
    Command::new(found("git", None))
        .args(args)
        .current_dir(dir)
        .env_clear()
        .envs(environment(1_700_000_000))
        .output()
        .unwrap()
}

/// Runs git, which must succeed, and returns what it said.
pub fn git_ok(dir: &Path, args: &[&str]) -> String {
    let output = git(dir, args);
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Returns the world outside of the registry in `directory`.
pub fn outside(directory: &Path, clock: i64) -> Outside {
    Outside {
        directory: directory.to_owned(),
        git: Git::new("git", &Environment(environment(clock))),
        environment: Environment::default(),
        trust: Trust::default(),
        cache: directory.parent().unwrap().join("cache"),
        machine: skillgraft::source::roots::Machine::default(),
        today: jiff::Timestamp::from_second(clock).unwrap().to_zoned(jiff::tz::TimeZone::UTC).date(),
        now: clock,
        // A git that another walk just started holds our lock file open until it is git.
        lock_wait: Duration::from_secs(10),
    }
}

/// What a clone has as its own branches, and what it only knows of the remote.
pub enum Clone<'a> {
    /// All refs are its own.
    Whole,
    /// As after `git clone`: only the default branch is its own.
    Fresh { main: &'a str },
}

/// Makes the bare repository `dir`, which finds its objects in `lender`, with these refs.
pub fn borrow(dir: &Path, lender: &Path, refs: &BTreeMap<String, Oid>, kind: Clone<'_>) {
    let _ = fs::remove_dir_all(dir);
    for folder in ["objects/info", "objects/pack", "refs/heads"] {
        fs::create_dir_all(dir.join(folder)).unwrap();
    }
    let mut config = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n".to_owned();
    let mut packed = BTreeMap::new();
    for (name, id) in refs {
        match kind {
            Clone::Whole => drop(packed.insert(name.clone(), *id)),
            Clone::Fresh { main } => {
                if name == main {
                    packed.insert(name.clone(), *id);
                }
                if let Some(branch) = name.strip_prefix("refs/heads/") {
                    packed.insert(format!("refs/remotes/origin/{branch}"), *id);
                }
            }
        }
    }
    if let Clone::Fresh { .. } = kind {
        config.push_str("[remote \"origin\"]\n\turl = ../team\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n");
    }
    let packed: Vec<String> = packed.into_iter().map(|(name, id)| format!("{id} {name}\n")).collect();
    fs::write(dir.join("HEAD"), "ref: refs/heads/main\n").unwrap();
    fs::write(dir.join("config"), config).unwrap();
    fs::write(dir.join("packed-refs"), format!("# pack-refs with: peeled fully-peeled sorted \n{}", packed.concat()))
        .unwrap();
    fs::write(dir.join("objects/info/alternates"), format!("{}\n", lender.join("objects").display())).unwrap();
}

/// Every file below a folder, with its size and its time of change.
pub type Listing = BTreeMap<String, (u64, SystemTime)>;

/// Lists the files below `dir`; the registry's lock is no content.
pub fn listing(dir: &Path) -> Listing {
    fn collect(dir: &Path, name: &str, all: &mut Listing) {
        for entry in fs::read_dir(dir).unwrap().flatten() {
            let name = format!("{name}/{}", entry.file_name().to_string_lossy());
            let data = fs::symlink_metadata(entry.path()).unwrap();
            if data.is_dir() {
                collect(&entry.path(), &name, all);
            } else if !name.ends_with("/skillgraft/lock") {
                all.insert(name, (data.len(), data.modified().unwrap()));
            }
        }
    }
    let mut all = Listing::new();
    collect(dir, "", &mut all);
    all
}

/// Returns what is in one listing and not in the other.
pub fn changed(before: &Listing, after: &Listing) -> Vec<String> {
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names.into_iter().filter(|name| before.get(*name) != after.get(*name)).cloned().collect()
}

/// Copies a tree with everything in it from one repository to another.
pub fn copy_tree(from: &Store, to: &Store, tree: Oid) -> Oid {
    let entries = from.tree(tree).unwrap().entries().to_vec();
    let copied = entries.into_iter().map(|entry| TreeEntry {
        id: match entry.mode {
            Mode::Tree => copy_tree(from, to, entry.id),
            _ => to.write_blob(&from.blob(entry.id).unwrap()).unwrap(),
        },
        name: BString::from(entry.name.to_vec()),
        ..entry
    });
    to.write_tree(&Tree::from_entries(copied.collect())).unwrap()
}
