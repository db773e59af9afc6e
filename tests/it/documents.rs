//! What the documents say is what the program does: README's tour is run, the command reference is generated.
//!
//! `SNAPSHOTS=overwrite cargo test documents` writes down what the program says now.

use std::collections::{BTreeMap, BTreeSet};
#[cfg(unix)]
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// The shell's commands of a `console` block begin with this; what follows is what they print, on stdout and stderr.
#[cfg(unix)]
const PROMPT: &str = "$ ";

#[test]
#[cfg(unix)]
fn readme_commands_print_what_readme_says() {
    let dir = tempfile::tempdir().unwrap();
    let text = read("README.md");
    let mut told = String::new();
    let mut lines = text.lines().peekable();
    let (mut is_console, mut commands) = (false, 0);
    while let Some(line) = lines.next() {
        told.push_str(line);
        told.push('\n');
        is_console = if line.starts_with("```") { line == "```console" } else { is_console };
        let Some(mut command) = line.strip_prefix(PROMPT).filter(|_| is_console).map(str::to_owned) else { continue };
        while command.ends_with('\\') {
            let more = lines.next().expect("a command goes on after a backslash");
            told.push_str(more);
            told.push('\n');
            command = format!("{command}\n{more}");
        }
        let mut written = String::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with("```") && !line.starts_with(PROMPT)) {
            written.push_str(line);
            written.push('\n');
        }
        let printed = in_shell(dir.path(), &command);
        commands += 1;
        // Ids follow the clock and the template; only that they are ids is promised.
        told.push_str(if ids_hidden(&written) == ids_hidden(&printed) { &written } else { &printed });
    }
    assert!(commands > 10, "the tour was not found");
    expect_file("README.md", &told);
}

#[test]
fn the_command_reference_is_the_one_that_clap_generates() {
    let mut text = String::from(
        "# Commands\n\nGenerated from the program's own `--help` by `SNAPSHOTS=overwrite cargo test documents`; a test \
         compares.\nEvery command takes the global options, which stand here once.\n",
    );
    for (path, help) in commands() {
        let (own, global) = help.split_once("\nGlobal options:\n").expect("every command has them");
        let title = format!("skillgraft {}", path.join(" "));
        text.push_str(&format!("\n## {}\n\n```text\n{}\n```\n", title.trim_end(), own.trim_end()));
        if path.is_empty() {
            text.push_str(&format!("\n## Global options\n\n```text\n{}\n```\n", global.trim_end()));
        }
    }
    expect_file("COMMANDS.md", &text);
}

#[test]
fn every_command_that_a_message_or_document_names_exists() {
    let known: BTreeSet<String> = commands().into_keys().map(|path| path.join(" ")).collect();
    let mut unknown = Vec::new();
    for file in texts() {
        for (number, line) in std::fs::read_to_string(&file).unwrap().lines().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            for (at, name) in line.match_indices("skillgraft ") {
                let (before, rest) = (&line[..at], &line[at + name.len()..]);
                let is_prose = !before.trim().is_empty()
                    && !["`", ": ", "$ ", "then ", "&& "].iter().any(|end| before.ends_with(end));
                let words: Vec<&str> = rest.split([' ', '`', '"', '\\', ',', ';', '.', ')']).take(2).collect();
                let two = words.join(" ");
                let is_command = words[0].starts_with(|c: char| c.is_ascii_lowercase());
                let has_subcommands = known.iter().any(|path| path.starts_with(&format!("{} ", words[0])));
                let exists = if has_subcommands { known.contains(&two) } else { known.contains(words[0]) };
                if is_command && !is_prose && !exists {
                    unknown.push(format!("{}:{}: skillgraft {two}", file.display(), number + 1));
                }
            }
        }
    }
    assert!(unknown.is_empty(), "\n{}", unknown.join("\n"));
}

#[test]
fn every_command_in_the_templates_for_forges_has_the_options_that_it_is_given() {
    let known = commands();
    let mut called = BTreeSet::new();
    for file in texts().iter().filter(|file| file.starts_with(at("registry-template/forge"))) {
        // Options on lines of their own belong to the line before.
        let text = std::fs::read_to_string(file).unwrap();
        let text = text.lines().map(str::trim).collect::<Vec<_>>().join("\n").replace("\n--", " --");
        for line in text.lines() {
            // A label of that name is no call.
            for (at, name) in line.match_indices("skillgraft ").filter(|(at, _)| !line[..*at].ends_with('=')) {
                let call = line[at + name.len()..].split(['|', '>', ';', '`', ')', '&']).next().unwrap();
                let mut words: Vec<&str> = call.split_whitespace().collect();
                let is_call = words.first().is_some_and(|first| first.starts_with('-') && *first != "--");
                if words.first() == Some(&"-C") {
                    words.drain(..2);
                }
                let mut path = Vec::new();
                for word in words.iter().filter(|word| !word.starts_with('-')) {
                    path.push((*word).to_owned());
                    if !known.contains_key(&path) {
                        path.pop();
                        break;
                    }
                }
                assert!(!is_call || !path.is_empty(), "{}: which command is `{call}`?", file.display());
                let help = &known[&path];
                for option in words.iter().filter(|word| word.starts_with('-') && !path.is_empty()) {
                    let option = option.split('=').next().unwrap();
                    assert!(help.contains(option), "{}: {path:?} has no {option}", file.display());
                    called.insert(format!("{} {option}", path.join(" ")));
                }
            }
        }
    }
    let some = ["check --format", "sync --push", "sync --push-option", "candidate show --json", "init --forge"];
    assert!(some.iter().all(|call| called.contains(*call)), "{called:?}");
}

/// Returns the help of every command that is not hidden, by the words that call it.
fn commands() -> BTreeMap<Vec<String>, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![Vec::<String>::new()];
    while let Some(path) = open.pop() {
        let output = Command::new(env!("CARGO_BIN_EXE_skillgraft")).args(&path).arg("--help").env_clear().output();
        let help = String::from_utf8(output.unwrap().stdout).unwrap();
        let below = help.split("\nCommands:\n").nth(1).unwrap_or_default().split("\n\n").next().unwrap();
        for line in below.lines() {
            let name = line.split_whitespace().next().expect("a command has a name");
            if name != "help" {
                open.push(path.iter().map(String::as_str).chain([name]).map(str::to_owned).collect());
            }
        }
        found.insert(path, help);
    }
    found
}

/// Returns what `command` prints in a shell of its own, in a hermetic environment with `skillgraft` on PATH.
#[cfg(unix)]
fn in_shell(dir: &Path, command: &str) -> String {
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_skillgraft"));
    let bin = binary.parent().unwrap().display().to_string();
    let path = std::env::var("PATH").unwrap_or_default();
    let home = dir.join("home");
    let work = dir.join("work");
    std::fs::create_dir_all(&home).unwrap();
    std::fs::create_dir_all(&work).unwrap();
    let identity = "[user]\n\tname = Ada\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n";
    std::fs::write(home.join(".gitconfig"), identity).unwrap();
    // Where the last command left off: `cd` carries over from one command to the next.
    let last = dir.join("last");
    let here = std::fs::read_to_string(&last).map_or(work, |text| PathBuf::from(text.trim_end()));
    let script =
        format!("{{ {command}\n}} 2>&1; code=$?; pwd >\"$LAST\"; [ $code -eq 0 ] || echo \"[exit code $code]\"");
    let output = Command::new("sh")
        .args(["-c", &script])
        .current_dir(here)
        .env_clear()
        .env("PATH", format!("{bin}:{path}"))
        .env("HOME", &home)
        .env("LAST", &last)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("TMPDIR", dir)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    text.replace(dir.canonicalize().unwrap().to_str().unwrap(), "/tmp").replace(dir.to_str().unwrap(), "/tmp")
}

/// Returns `text` with every run of 7 or more hex digits as `#`. An id may be all letters: one in a thousand is.
#[cfg(unix)]
fn ids_hidden(text: &str) -> String {
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let mut hidden = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(is_hex) {
        hidden.push_str(&rest[..start]);
        rest = &rest[start..];
        let run = &rest[..rest.find(|c| !is_hex(c)).unwrap_or(rest.len())];
        hidden.push_str(if run.len() >= 7 { "#" } else { run });
        rest = &rest[run.len()..];
    }
    hidden + rest
}

/// The files whose words people follow: messages, the template, the documents.
fn texts() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"].map(at).into();
    for folder in ["src", "registry-template"] {
        let found = walkdir::WalkDir::new(at(folder)).into_iter().map(Result::unwrap);
        files.extend(found.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path));
    }
    files
}

fn expect_file(name: &str, text: &str) {
    if std::env::var("SNAPSHOTS").is_ok_and(|mode| mode == "overwrite") {
        std::fs::write(at(name), text).unwrap();
        return;
    }
    let written = std::fs::read_to_string(at(name)).unwrap_or_default();
    let difference = similar::TextDiff::from_lines(written.as_str(), text);
    let difference = difference.unified_diff().header(name, "what the program says").to_string();
    assert!(written == text, "\n{difference}\nif that is right: SNAPSHOTS=overwrite cargo test documents");
}

#[cfg(unix)]
fn read(name: &str) -> String {
    std::fs::read_to_string(at(name)).unwrap()
}

fn at(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}
