//! `source list` and `source enable`.

use super::{Commit, Outside, add};
use crate::registry::{SourceFile, source_file};
use crate::types::{Error, ErrorKind, Result, SourceName};
use serde::Serialize;

/// The sources of a registry.
#[derive(Debug, Serialize)]
pub struct List {
    /// The format of this document.
    pub format: u32,
    /// The sources, by name.
    pub sources: Vec<Item>,
}

/// One source.
#[derive(Debug, Clone, Serialize)]
pub struct Item {
    /// Its name.
    pub name: SourceName,
    /// The kind of its origin; none where its file cannot be read.
    pub kind: Option<&'static str>,
    /// Its URL or path.
    pub location: Option<String>,
    /// Branch, tag or commit.
    pub reference: Option<String>,
    /// Whether sync looks at it.
    pub enabled: bool,
    /// Whether it is paused today.
    pub paused: bool,
    /// How many skills follow it.
    pub skills: usize,
    /// What is wrong with its file.
    pub error: Option<String>,
}

/// Lists the sources.
pub fn list(outside: &Outside) -> Result<List> {
    let registry = outside.registry()?;
    let state = registry.state()?;
    let sources = state.sources.iter().map(|(name, source)| {
        let file = source.file.as_ref().ok();
        Item {
            name: name.clone(),
            kind: file.map(SourceFile::kind),
            location: file.map(|file| match &file.origin {
                source_file::Origin::Git(place) | source_file::Origin::Directory(place) => place.clone(),
            }),
            reference: file.and_then(|file| file.reference.clone()),
            enabled: file.is_some_and(|file| file.enabled),
            paused: file.is_some_and(|file| file.paused_on(outside.today)),
            skills: state.followers(name).count(),
            error: source.file.as_ref().err().map(Error::full_message),
        }
    });
    Ok(List { format: 1, sources: sources.collect() })
}

/// Enables a source that `add --no-enable` registered: its skills come in, in one commit.
pub fn enable(outside: &Outside, name: &str, commit: &Commit) -> Result<add::Report> {
    let (registry, _lock) = outside.locked_registry()?;
    let state = registry.state()?;
    let name = SourceName::parse(name)?;
    let source = state.sources.get(&name).ok_or_else(|| {
        Error::new(ErrorKind::Usage, format!("there is no source `{name}`"))
            .hint("see them all: skillgraft source list")
    })?;
    let file = source.file.as_ref().map_err(Clone::clone)?;
    if file.enabled {
        let (source, skills) = (name, Vec::new());
        return Ok(add::Report {
            format: 1,
            source,
            changed: None,
            enabled: true,
            skills,
            rejected: Vec::new(),
            warnings: Vec::new(),
        });
    }
    let text = source_file::with_enabled(&source.text, true)?;
    let file = SourceFile::parse(name, &text)?;
    add::follow(outside, &registry, &state, &file, &text, "enable", commit)
}
