//! `demo`: the whole story on bundled skills, without network. Every step is the real command.

use super::{Commit, Outside, add, candidate, init, link, sync};
use crate::git::Where;
use crate::registry::Destination;
use crate::sync::{Class, Report as SyncReport};
use crate::types::{Context as _, Error, ErrorKind, Result};
use include_dir::{Dir, include_dir};
use serde::Serialize;
use std::path::{Path, PathBuf};

static ONE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/fixtures/demo/one");
static TWO: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/fixtures/demo/two");

/// What the demo made.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The format of this document.
    pub format: u32,
    /// The registry.
    pub registry: PathBuf,
    /// The upstream.
    pub upstream: PathBuf,
    /// The skills that came in at first.
    pub added: Vec<String>,
    /// The local edits, skill and what was done.
    pub edits: Vec<(&'static str, &'static str)>,
    /// The second sync, in which everything happens.
    pub sync: SyncReport,
    /// The candidates that are open at the end.
    pub candidates: candidate::List,
}

impl Report {
    /// Returns the skill whose candidate tells most: the merge without conflict.
    pub fn example(&self) -> &str {
        let merged = self.candidates.candidates.iter().find(|c| c.class == Class::ThreeWay && c.conflicts.is_empty());
        merged.or(self.candidates.candidates.first()).map_or("deploy", |candidate| candidate.skill.as_str())
    }
}

/// Plays the story in `directory`, which must be empty or not exist.
pub fn demo(outside: &Outside, directory: &Path) -> Result<Report> {
    let directory = outside.directory.join(directory);
    std::fs::create_dir_all(&directory).context(ErrorKind::Io, || format!("cannot create {}", directory.display()))?;
    let mut content =
        std::fs::read_dir(&directory).context(ErrorKind::Io, || format!("cannot open {}", directory.display()))?;
    if content.next().is_some() {
        return Err(Error::new(ErrorKind::Usage, format!("{} is not empty", directory.display()))
            .hint("name a folder that does not exist yet: skillgraft demo DIR"));
    }
    let directory =
        directory.canonicalize().context(ErrorKind::Io, || format!("cannot open {}", directory.display()))?;
    let (upstream, registry) = (directory.join("upstream"), directory.join("registry"));

    // An upstream that somebody else keeps.
    repository(outside, &upstream, "Example Authors", "authors@upstream.example")?;
    lay_down(&ONE, &upstream)?;
    commit_all(outside, &upstream, "Five skills")?;

    // The team's registry follows it.
    repository(outside, &registry, "Demo Team", "team@registry.example")?;
    let here = Outside { directory: registry.clone(), cache: directory.join("cache"), ..outside.clone() };
    init::init(&here, Path::new("."), None)?;
    let commit = Commit { destination: Destination::DefaultBranch, message: None };
    let (source, name) = ("../upstream".to_owned(), Some("example".to_owned()));
    let (skills, exclude, namespace) = (Vec::new(), Vec::new(), String::new());
    let options = add::Options {
        source,
        command: None,
        name,
        reference: None,
        path: None,
        skills,
        exclude,
        namespace,
        insecure: false,
        enable: true,
        link: false,
        commit,
    };
    let added = add::add(&here, &options, link::Consent::Beforehand)?;

    // The team edits some skills, as it likes.
    let edits: [(&str, &str, &str, &str); 3] = [
        ("deploy", "make test", "make test lint", "runs the linter too"),
        ("triage", "30 days", "60 days", "waits longer before closing"),
        ("notes", "for the reader.\n", "for the reader. Name breaking changes first.\n", "had upstream's idea first"),
    ];
    for (skill, from, to, _) in edits {
        let file = registry.join("skills").join(skill).join("SKILL.md");
        let text =
            std::fs::read_to_string(&file).context(ErrorKind::Io, || format!("cannot read {}", file.display()))?;
        write(&file, text.replacen(from, to, 1).as_bytes())?;
    }
    commit_all(outside, &registry, "Our own way of working")?;

    // Upstream moves on, and a sync proposes what that means here.
    lay_down(&TWO, &upstream)?;
    commit_all(outside, &upstream, "Improve four skills")?;
    let quiet = |_: &str| {};
    let options = sync::Options {
        sources: &[],
        dry_run: false,
        offline: false,
        push: None,
        push_options: &[],
        jobs: 1,
        progress: &quiet,
    };
    let sync = sync::sync(&here, &options)?;
    let candidates = candidate::list(&here)?;
    Ok(Report {
        format: 1,
        registry,
        upstream,
        added: added.skills.iter().map(ToString::to_string).collect(),
        edits: edits.iter().map(|(skill, _, _, what)| (*skill, *what)).collect(),
        sync,
        candidates,
    })
}

fn repository(outside: &Outside, directory: &Path, name: &'static str, email: &'static str) -> Result<()> {
    std::fs::create_dir_all(directory).context(ErrorKind::Io, || format!("cannot create {}", directory.display()))?;
    let git = || outside.git.command(Where::WorkTree(directory));
    git().config("init.defaultRefFormat", "files").args(["init", "--quiet", "--initial-branch=main"]).run_ok()?;
    // The demo must not need anybody's identity, nor be signed with anybody's key.
    for (key, value) in [("user.name", name), ("user.email", email), ("commit.gpgSign", "false")] {
        git().args(["config", key, value]).run_ok()?;
    }
    Ok(())
}

fn commit_all(outside: &Outside, directory: &Path, message: &'static str) -> Result<()> {
    let git = || outside.git.command(Where::WorkTree(directory));
    git().args(["add", "--all"]).run_ok()?;
    git().args(["commit", "--quiet", "-m", message]).run_ok()?;
    Ok(())
}

fn lay_down(folder: &Dir<'_>, directory: &Path) -> Result<()> {
    for below in folder.dirs() {
        lay_down(below, directory)?;
    }
    for file in folder.files() {
        let path = directory.join(file.path());
        let parent = path.parent().unwrap_or(directory);
        std::fs::create_dir_all(parent).context(ErrorKind::Io, || format!("cannot create {}", parent.display()))?;
        write(&path, file.contents())?;
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    #[expect(clippy::disallowed_methods, reason = "files of the demo, in a folder that it made")]
    std::fs::write(path, bytes).context(ErrorKind::Io, || format!("cannot write {}", path.display()))
}
