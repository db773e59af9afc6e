//! `source list` and `source show`: what the sources are, without changing them.

use super::find;
use crate::ops::Outside;
use crate::registry::{Origin, Paused, Registry, SourceFile};
use crate::sync::standing_mirror;
use crate::types::{Error, Result, SkillId, SourceName};
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
    /// Its URL or path; of a plugin, its marketplace's.
    pub location: Option<String>,
    /// The plugin that it follows.
    pub plugin: Option<String>,
    /// The plugin's version in the mirror, where stated.
    pub version: Option<String>,
    /// Branch, tag or commit.
    pub reference: Option<String>,
    /// Whether sync looks at it.
    pub enabled: bool,
    /// Whether it is paused today.
    pub paused: bool,
    /// Who paused it, where it is paused today, why, and until when.
    pub pause: Option<Paused>,
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
            location: file.map(|file| file.origin.location()),
            version: file.and_then(|file| plugin_of(file).and_then(|_| version(&registry, file))),
            plugin: file.and_then(plugin_of),
            reference: file.and_then(|file| file.reference.clone()),
            enabled: file.is_some_and(|file| file.enabled),
            paused: file.is_some_and(|file| file.paused_on(outside.today)),
            pause: file.and_then(|file| file.paused.clone()).filter(|paused| paused.holds_on(outside.today)),
            skills: state.followers(name).count(),
            error: source.file.as_ref().err().map(Error::full_message),
        }
    });
    Ok(List { format: 1, sources: sources.collect() })
}

fn plugin_of(file: &SourceFile) -> Option<String> {
    match &file.origin {
        Origin::Plugin { plugin, .. } => Some(plugin.clone()),
        _ => None,
    }
}

/// The version of the plugin as the mirror has it.
fn version(registry: &Registry, file: &SourceFile) -> Option<String> {
    let mirror = standing_mirror(registry, &file.name).ok()??;
    mirror.plugins.iter().next()?.version.clone()
}

/// A source's file.
#[derive(Debug, Serialize)]
pub struct Show {
    /// The format of this document.
    pub format: u32,
    /// The source.
    pub source: SourceName,
    /// The kind of its origin; none where its file cannot be read.
    pub kind: Option<&'static str>,
    /// The plugin that it follows.
    pub plugin: Option<String>,
    /// The plugin's version in the mirror, where stated.
    pub version: Option<String>,
    /// The text of its file; of one that cannot be read, without credentials.
    pub text: String,
    /// The skills that follow it.
    pub skills: Vec<SkillId>,
}

/// Shows the file of a source.
pub fn show(outside: &Outside, name: &str) -> Result<Show> {
    let registry = outside.registry()?;
    let state = registry.state()?;
    let (source, file) = find(&state, name)?;
    let skills = state.followers(&source).map(|(id, ..)| id.clone()).collect();
    let read = file.file.as_ref().ok();
    let plugin = read.and_then(plugin_of);
    let version = read.filter(|_| plugin.is_some()).and_then(|read| version(&registry, read));
    // What was refused may have been refused for a credential.
    let text = if read.is_some() { file.text.clone() } else { crate::git::redact(&file.text) };
    Ok(Show { format: 1, kind: read.map(SourceFile::kind), plugin, version, text, skills, source })
}
