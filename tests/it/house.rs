//! The rules of the house that no compiler keeps: they are read off the sources.
//!
//! The lints of Cargo.toml and the lists of clippy.toml keep the others; ARCHITECTURE.md says which tool keeps which.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The layers, from the top down: a module may use those after it, and itself.
const LAYERS: [&str; 8] = ["cli", "ops", "sync", "source", "registry", "skill", "git", "types"];

/// A file is comfortable at 150 lines and asks for a second look at 400.
const LINES: usize = 600;

#[test]
fn imports_point_down_only() {
    let mut offenders = String::new();
    for line in source_lines() {
        let Some(own) = line.layer() else { continue };
        for used in line.crate_paths() {
            let Some(rank) = LAYERS.iter().position(|layer| *layer == used) else { continue };
            if rank < own {
                writeln!(offenders, "{line}: `{}` uses `{used}`, which is above it", LAYERS[own]).unwrap();
            }
        }
        if line.supers() > line.depth() {
            writeln!(offenders, "{line}: `super` leaves the module `{}`; write `crate::`", LAYERS[own]).unwrap();
        }
    }
    assert!(offenders.is_empty(), "\n{offenders}");
}

#[test]
fn gix_is_named_in_the_git_module_only() {
    offends(|line| !line.is_in("src/git") && ["gix::", "gix_", "use gix"].iter().any(|name| line.text.contains(name)));
}

#[test]
fn git_is_started_in_git_process_and_other_programs_in_source_host_only() {
    let starts = |text: &str| text.contains("process::Command") || text.contains(" Command::new(");
    offends(|line| {
        let may_start = line.is_in("src/git/process") || line.is_in("src/source/host/program.rs");
        !may_start && !line.is_in("src/git/test_world.rs") && !line.is_in("src/cli") && starts(&line.text)
    });
    // In src/cli, `Command` is the command line's own.
    offends(|line| line.is_in("src/cli") && line.text.contains("process::Command"));
}

#[test]
fn crates_that_reach_out_or_read_archives_have_one_place_each() {
    for (place, names) in [
        ("src/source/http", &["ureq::"][..]),
        ("src/source/host", &["rmcp::", "tokio::"]),
        ("src/source/archive", &["tar::", "zip::"]),
    ] {
        let named = |text: &str, name: &str| {
            let before = text.split(name).next().filter(|before| before.len() < text.len());
            before.is_some_and(|before| !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':'))
        };
        offends(|line| !line.is_in(place) && names.iter().any(|name| named(&line.text, name)));
    }
}

#[test]
fn the_command_line_is_typed_and_printed_in_cli_only() {
    let names = ["clap::", "anstream::", "indicatif::", "comfy_table::", "std::io::stdout", "std::io::stderr"];
    offends(|line| !line.is_in("src/cli") && names.iter().any(|name| line.text.contains(name)));
}

#[test]
fn no_file_is_longer_than_600_lines() {
    let mut problems = String::new();
    for (file, text) in rust_files(&root().join("src")).into_iter().chain(rust_files(&root().join("tests"))) {
        let lines = text.lines().count();
        if lines > LINES {
            writeln!(problems, "{file} has {lines} lines: take the second thing in it out").unwrap();
        }
    }
    assert!(problems.is_empty(), "\n{problems}");
}

#[test]
fn the_dependency_table_names_every_dependency_and_no_other() {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let in_manifest: BTreeSet<String> = ["dependencies", "dev-dependencies", "build-dependencies"]
        .iter()
        .filter_map(|kind| manifest.get(*kind)?.as_table())
        .flat_map(|table| table.keys().cloned())
        .collect();
    let text = read("ARCHITECTURE.md");
    let section = text.split("\n## Dependencies\n").nth(1).expect("ARCHITECTURE.md has the section Dependencies");
    let section = section.split("\n## ").next().unwrap();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    let in_table: BTreeSet<String> =
        cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect();
    assert_eq!(in_table, in_manifest, "left: ARCHITECTURE.md, right: Cargo.toml");
}

#[test]
fn the_check_script_runs_what_readme_says() {
    let (script, readme) = (read(".ci/run"), read("README.md"));
    for command in ["cargo test", "cargo fmt --check", "cargo clippy --all-targets -- -D warnings"] {
        assert!(script.contains(&format!("\n{command}\n")), ".ci/run does not run: {command}");
    }
    assert!(readme.contains("\ncargo test"), "README does not say how to test");
}

/// A line of code under `src/`.
struct Line {
    file: String,
    number: usize,
    text: String,
    /// The module's path below `src/`; `mod.rs` is its folder.
    module: Vec<String>,
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.number)
    }
}

impl Line {
    fn layer(&self) -> Option<usize> {
        LAYERS.iter().position(|layer| self.module.first().is_some_and(|module| module == layer))
    }

    fn is_in(&self, place: &str) -> bool {
        self.file.starts_with(place)
    }

    /// The first part of every path that begins with `crate`.
    fn crate_paths(&self) -> impl Iterator<Item = &str> {
        self.text.split("crate::").skip(1).map(move |rest| {
            let name = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
            assert!(!name.is_empty(), "{self}: one `use` for each module, so that this test can read it");
            name
        })
    }

    /// How many modules up the line goes.
    fn supers(&self) -> usize {
        let longest = |n: &usize| self.text.contains(&"super::".repeat(*n));
        (1..=6).take_while(longest).last().unwrap_or(0)
    }

    /// How many modules up a line may go and stay in its layer; one more in a `mod` of its own, which is indented.
    fn depth(&self) -> usize {
        self.module.len() - 1 + usize::from(self.text.starts_with(' '))
    }
}

/// Fails with every line that `is_wrong`.
fn offends(is_wrong: impl Fn(&Line) -> bool) {
    let lines = source_lines();
    let wrong = lines.iter().filter(|line| is_wrong(line));
    let shown: String = wrong.map(|line| format!("{line}: {}\n", line.text.trim())).collect();
    assert!(shown.is_empty(), "\n{shown}");
}

/// Returns every line of code under `src/`; comments may name what they like.
fn source_lines() -> Vec<Line> {
    let mut lines = Vec::new();
    for (file, text) in rust_files(&root().join("src")) {
        let path = file.trim_start_matches("src/").trim_end_matches(".rs");
        let module: Vec<String> = path.split('/').filter(|part| *part != "mod").map(str::to_owned).collect();
        for (index, text) in text.lines().enumerate() {
            let code = text.split("//").next().unwrap_or_default();
            if !code.trim().is_empty() {
                let (file, module) = (file.clone(), module.clone());
                lines.push(Line { file, number: index + 1, text: code.to_owned(), module });
            }
        }
    }
    assert!(lines.len() > 1000, "the sources were not found");
    lines
}

/// Returns the Rust files below `folder`, by path relative to the repository.
fn rust_files(folder: &Path) -> Vec<(String, String)> {
    let found = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().map(Result::unwrap);
    let rust = found.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "rs"));
    let name = |path: &Path| path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
    rust.map(|entry| (name(entry.path()), std::fs::read_to_string(entry.path()).unwrap())).collect()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
