//! What `init` lays down: the registry's own files, and what runs it on a forge or a server.

use crate::registry::settings;
use crate::types::{RelPath, Result};
use include_dir::{Dir, include_dir};
use serde::Serialize;

static TEMPLATE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/registry-template");
/// The part of it that is laid down on demand only.
const FORGES: &str = "forge";

/// Where a registry is reviewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Forge {
    /// GitHub Actions.
    Github,
    /// GitLab CI.
    Gitlab,
    /// Forgejo Actions, and Gitea's.
    Forgejo,
    /// No forge: a server with systemd or cron.
    None,
}

/// A file to lay down.
pub(super) struct File {
    /// Its path in the repository.
    pub(super) path: RelPath,
    /// The path as people read it: the registry's own files from its folder, a forge's from the repository's root.
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

/// What is filled in.
pub(super) struct Filled<'a> {
    /// The default branch.
    pub(super) branch: &'a str,
    /// The registry's folder in the repository.
    pub(super) folder: &'a RelPath,
}

impl Forge {
    /// Returns the forge as people write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Forge::Github => "github",
            Forge::Gitlab => "gitlab",
            Forge::Forgejo => "forgejo",
            Forge::None => "none",
        }
    }

    /// Returns the file that says at its top what a person has to set up once.
    pub fn manual(self) -> &'static str {
        match self {
            Forge::Github => ".github/workflows/skillgraft.yml",
            Forge::Gitlab => ".gitlab/skillgraft.yml",
            Forge::Forgejo => ".forgejo/workflows/skillgraft.yml",
            Forge::None => "server/skillgraft.service",
        }
    }

    /// The script that two forges share, where it belongs there.
    fn shared(self) -> Option<(&'static str, &'static str)> {
        match self {
            Forge::Github => Some(("forge/pull-requests.sh", ".github/skillgraft/pull-requests.sh")),
            Forge::Forgejo => Some(("forge/pull-requests.sh", ".forgejo/skillgraft/pull-requests.sh")),
            Forge::Gitlab | Forge::None => None,
        }
    }
}

/// Returns the registry's own files, in order.
pub(super) fn registry(filled: &Filled<'_>) -> Result<Vec<File>> {
    let mut files = Vec::new();
    for (name, bytes) in below(&TEMPLATE).into_iter().filter(|(name, _)| !name.starts_with("forge/")) {
        let bytes = if name == settings::FILE {
            text(bytes).replace("branch = \"main\"", &format!("branch = {:?}", filled.branch)).into_bytes()
        } else {
            bytes.to_vec()
        };
        files.push(File { path: filled.folder.join_path(&RelPath::parse(&name)?), name, bytes });
    }
    Ok(files)
}

/// Returns the files of a forge, in order. A forge looks for them at the repository's root, wherever the registry is.
pub(super) fn forge(forge: Forge, filled: &Filled<'_>) -> Result<Vec<File>> {
    let folder = format!("{FORGES}/{}", forge.as_str());
    let own = TEMPLATE.get_dir(&folder).expect("every forge has a folder in the template");
    let named = |name: &str| name[folder.len() + 1..].to_owned();
    let mut found: Vec<(String, &[u8])> = below(own).into_iter().map(|(name, bytes)| (named(&name), bytes)).collect();
    if let Some((from, to)) = forge.shared() {
        let shared = TEMPLATE.get_file(from).expect("the shared script is in the template");
        found.push((to.to_owned(), shared.contents()));
    }
    found.sort();
    let root = if forge == Forge::None { filled.folder.clone() } else { RelPath::root() };
    let file = |(name, bytes): (String, &[u8])| {
        Ok(File { path: root.join_path(&RelPath::parse(&name)?), name, bytes: fill(bytes, filled).into_bytes() })
    };
    found.into_iter().map(file).collect()
}

/// The words stand in double quotes, in YAML: what a branch or folder may have in its name is escaped as there.
fn fill(bytes: &[u8], filled: &Filled<'_>) -> String {
    let quoted = |word: &str| word.replace('\\', "\\\\").replace('"', "\\\"");
    let folder = if *filled.folder == RelPath::root() { "." } else { filled.folder.as_str() };
    text(bytes)
        .replace("@VERSION@", env!("CARGO_PKG_VERSION"))
        .replace("@BRANCH@", &quoted(filled.branch))
        .replace("@FOLDER@", &quoted(folder))
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the template is text")
}

fn below<'d>(folder: &'d Dir<'_>) -> Vec<(String, &'d [u8])> {
    let mut files = Vec::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        folders.extend(folder.dirs());
        files.extend(folder.files().map(|file| (file.path().to_string_lossy().replace('\\', "/"), file.contents())));
    }
    files.sort();
    files
}
