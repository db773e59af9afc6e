//! What a registry holds at one commit. Every decision is made from this, never from the work tree.

use super::entry::{Entry, Status};
use super::names::Layout;
use super::settings::{self, Settings};
use super::source_file::{self, SourceFile};
use super::toml_file;
use crate::git::{Mode, Oid, Store, entry_at, tree_at};
use crate::skill::SKILL_MD;
use crate::types::{Error, ErrorKind, RelPath, Result, SkillId, SourceName};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// The content of a registry at one commit.
pub struct State {
    /// The commit.
    pub commit: Oid,
    /// The commit's whole tree.
    pub tree: Oid,
    /// Where things are in that tree.
    pub layout: Layout,
    /// `skillgraft.toml`.
    pub settings: Settings,
    /// Its text, for messages that name a line.
    pub settings_text: String,
    /// `sources/*.toml`, by name; a file that cannot be read fails alone.
    pub sources: BTreeMap<SourceName, SourceState>,
    /// Every skill directory and every entry, by id.
    pub skills: BTreeMap<SkillId, SkillState>,
    /// Directories among the skills that are no skills: namespaces, and whatever people keep there.
    folders: BTreeSet<String>,
    /// Files in the places above that are neither.
    pub strays: Vec<Error>,
    /// The skills that follow each source.
    followers: BTreeMap<SourceName, Vec<SkillId>>,
}

/// A source file.
#[derive(Debug, Clone)]
pub struct SourceState {
    /// Its text.
    pub text: String,
    /// What it says.
    pub file: Result<SourceFile>,
}

/// What can be paused: it has a file of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pausable<'a> {
    /// A source.
    Source(&'a SourceName),
    /// A skill with an entry.
    Skill(&'a SkillId),
}

/// A skill: its directory, its entry, or both.
#[derive(Debug, Clone, Default)]
pub struct SkillState {
    /// The tree of its directory.
    pub tree: Option<Oid>,
    /// Its entry.
    pub entry: Option<EntryState>,
}

/// An entry's file.
#[derive(Debug, Clone)]
pub struct EntryState {
    /// The blob.
    pub blob: Oid,
    /// Its text.
    pub text: String,
    /// What it says.
    pub entry: Result<Entry>,
}

impl SkillState {
    /// Returns the entry, where there is one that can be read.
    pub fn entry(&self) -> Option<&Entry> {
        self.entry.as_ref()?.entry.as_ref().ok()
    }

    /// Tells whether the skill is here and follows nothing: the team's own.
    pub fn is_own(&self) -> bool {
        self.tree.is_some() && self.unreadable().is_none() && self.entry().is_none_or(|entry| entry.upstream.is_none())
    }

    /// Tells whether a person has taken it off the default branch.
    pub fn is_disabled(&self) -> bool {
        self.entry().is_some_and(|entry| entry.status == Status::Disabled)
    }

    /// Returns why the entry cannot be read, if there is one that cannot.
    pub fn unreadable(&self) -> Option<&Error> {
        self.entry.as_ref()?.entry.as_ref().err()
    }
}

impl State {
    /// Reads the registry in `folder` at `commit`.
    ///
    /// # Errors
    /// Where there is no registry, or its settings cannot be read. Sources and entries fail alone.
    pub fn load(store: &Store, folder: &RelPath, commit: Oid) -> Result<Self> {
        let tree = store.commit(commit)?.tree;
        let file = folder.join_path(&RelPath::parse(settings::FILE).expect("a fixed name"));
        let place = entry_at(store, tree, &file)?.filter(|place| place.mode.is_file()).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("commit {} has no {file}", commit.short()))
                .hint("commit skillgraft.toml on the default branch, or run: skillgraft init")
        })?;
        let settings_text = toml_file::utf8(settings::FILE, &store.blob(place.id)?)?.to_owned();
        let settings = Settings::parse(&settings_text)?;
        let layout = Layout::new(folder, &settings.skills, place.id);
        let mut strays = Vec::new();
        let sources = load_sources(store, tree, folder, &mut strays)?;
        let mut folders = BTreeSet::new();
        let skills = load_skills(store, tree, &layout, &mut folders, &mut strays)?;
        let mut followers: BTreeMap<SourceName, Vec<SkillId>> = BTreeMap::new();
        for (id, skill) in &skills {
            if let Some(upstream) = skill.entry().and_then(|entry| entry.upstream.as_ref()) {
                followers.entry(upstream.source.clone()).or_default().push(id.clone());
            }
        }
        Ok(State { commit, tree, layout, settings, settings_text, sources, skills, folders, strays, followers })
    }

    /// Takes in the skills `ids` as a tree that is about to be committed has them, so that the next source of the same
    /// commit finds them taken.
    pub fn take_in<'i>(&mut self, store: &Store, tree: Oid, ids: impl Iterator<Item = &'i SkillId>) -> Result<()> {
        self.tree = tree;
        for id in ids {
            let (skill, blob) = skill_at(store, tree, &self.layout, id)?;
            let entry = blob.map(|blob| read_entry(store, self.layout.entry(id).as_str(), blob)).transpose()?;
            let state = SkillState { tree: skill, entry };
            if let Some(upstream) = state.entry().and_then(|entry| entry.upstream.as_ref()) {
                self.followers.entry(upstream.source.clone()).or_default().push(id.clone());
            }
            self.skills.insert(id.clone(), state);
        }
        Ok(())
    }

    /// Returns the skills that follow `source`, with their entries.
    pub fn followers<'a>(
        &'a self,
        source: &'a SourceName,
    ) -> impl Iterator<Item = (&'a SkillId, &'a SkillState, &'a Entry)> {
        self.followers.get(source).into_iter().flatten().filter_map(|id| {
            let skill = self.skills.get(id)?;
            Some((id, skill, skill.entry()?))
        })
    }

    /// Tells whether the skill's entry follows `source`.
    pub fn follows(&self, id: &SkillId, source: &SourceName) -> bool {
        let entry = self.skills.get(id).and_then(SkillState::entry);
        entry.and_then(|entry| entry.upstream.as_ref()).is_some_and(|upstream| upstream.source == *source)
    }

    /// Returns how `pause` and `resume` call a source or a skill: by its name, and by its kind too where a source and a
    /// skill have that name.
    pub fn pausable_as(&self, what: Pausable<'_>) -> String {
        let (kind, name) = match what {
            Pausable::Source(name) => ("source", name.as_str()),
            Pausable::Skill(id) => ("skill", id.as_str()),
        };
        let is_source = self.sources.contains_key(name);
        let is_skill = self.skills.get(name).is_some_and(|skill| skill.entry.is_some());
        if is_source && is_skill { format!("{kind}:{name}") } else { name.to_owned() }
    }

    /// Returns why the id cannot be given to a new skill of `source`: who has it, or a namespace in the way.
    pub fn taken(&self, id: &SkillId) -> Option<String> {
        if let Some(skill) = self.skills.get(id) {
            return Some(match skill.entry().and_then(|entry| entry.upstream.as_ref()) {
                Some(upstream) => format!("`{id}` follows source `{}` at {}", upstream.source, upstream.path),
                None => format!("`{id}` is the team's own"),
            });
        }
        if let Some(above) = id.namespaces().find(|above| self.skills.contains_key(*above)) {
            return Some(format!("`{above}` is a skill, so it cannot be the namespace of `{id}`"));
        }
        let below = format!("{id}/");
        // What begins with these words stands right after them.
        let after = (Bound::Included(below.as_str()), Bound::Unbounded);
        if let Some((inside, _)) = self.skills.range::<str, _>(after).next()
            && inside.as_str().starts_with(&below)
        {
            return Some(format!("`{id}` is the namespace of `{inside}`"));
        }
        // A new skill's tree would take the place of these files.
        let has_files = self.folders.contains(id.as_str());
        has_files.then(|| format!("{} holds files that are no skill", self.layout.skill(id)))
    }
}

fn load_sources(
    store: &Store,
    tree: Oid,
    folder: &RelPath,
    strays: &mut Vec<Error>,
) -> Result<BTreeMap<SourceName, SourceState>> {
    let mut sources = BTreeMap::new();
    let folder = folder.join_path(&RelPath::parse(source_file::FOLDER).expect("a fixed name"));
    let Some(tree) = tree_at(store, tree, &folder)? else { return Ok(sources) };
    for entry in store.tree(tree)?.entries() {
        let name = entry.name.to_string();
        let Some(stem) = name.strip_suffix(".toml").filter(|_| entry.mode.is_file()) else { continue };
        match SourceName::parse(stem) {
            Ok(name) => {
                let bytes = store.blob(entry.id)?;
                let path = SourceFile::path_of(&name);
                let text = toml_file::utf8(path.as_str(), &bytes).map(str::to_owned);
                let file = text.clone().and_then(|text| SourceFile::parse(name.clone(), &text));
                sources.insert(name, SourceState { text: text.unwrap_or_default(), file });
            }
            Err(error) => strays.push(Error::new(ErrorKind::Config, format!("{folder}/{name}")).because(error)),
        }
    }
    Ok(sources)
}

fn load_skills(
    store: &Store,
    tree: Oid,
    layout: &Layout,
    folders: &mut BTreeSet<String>,
    strays: &mut Vec<Error>,
) -> Result<BTreeMap<SkillId, SkillState>> {
    let mut skills: BTreeMap<SkillId, (Option<Oid>, Option<Oid>)> = BTreeMap::new();
    if let Some(tree) = tree_at(store, tree, &layout.skills)? {
        collect(store, tree, "", layout, &mut skills, folders, strays)?;
    }
    let read = |(id, (tree, blob)): (SkillId, (Option<Oid>, Option<Oid>))| -> Result<(SkillId, SkillState)> {
        let entry = blob.map(|blob| read_entry(store, layout.entry(&id).as_str(), blob)).transpose()?;
        Ok((id, SkillState { tree, entry }))
    };
    skills.into_iter().collect::<Vec<_>>().into_par_iter().map(read).collect()
}

/// Reads an entry's blob; `path` is for messages.
pub fn read_entry(store: &Store, path: &str, blob: Oid) -> Result<EntryState> {
    let bytes = store.blob(blob)?;
    let text = toml_file::utf8(path, &bytes).map(str::to_owned);
    let entry = text.clone().and_then(|text| Entry::parse(path, &text));
    Ok(EntryState { blob, text: text.unwrap_or_default(), entry })
}

fn collect(
    store: &Store,
    tree: Oid,
    namespace: &str,
    layout: &Layout,
    skills: &mut BTreeMap<SkillId, (Option<Oid>, Option<Oid>)>,
    folders: &mut BTreeSet<String>,
    strays: &mut Vec<Error>,
) -> Result<()> {
    let tree = store.tree(tree)?;
    for entry in tree.entries() {
        let name = entry.name.to_string();
        let id = |name: &str| SkillId::in_namespace(namespace, name);
        let slash = if namespace.is_empty() { "" } else { "/" };
        let place = format!("{}/{namespace}{slash}{name}", layout.skills);
        let stray = |error| Error::new(ErrorKind::Rejected, place.clone()).because(error);
        match (entry.mode, name.strip_suffix(".toml")) {
            (Mode::File | Mode::Executable, Some(stem)) => match id(stem) {
                Ok(id) => skills.entry(id).or_default().1 = Some(entry.id),
                Err(error) => strays.push(stray(error)),
            },
            (Mode::Tree, _) => {
                let has_entry = tree.get(format!("{name}.toml").as_bytes()).is_some_and(|e| e.mode.is_file());
                if has_entry || store.tree(entry.id)?.get(SKILL_MD.as_bytes()).is_some_and(|e| e.mode != Mode::Tree) {
                    match id(&name) {
                        Ok(id) => skills.entry(id).or_default().0 = Some(entry.id),
                        Err(error) => strays.push(stray(error)),
                    }
                } else {
                    let below = if namespace.is_empty() { name.clone() } else { format!("{namespace}/{name}") };
                    if namespace.split('/').count() < 3 {
                        collect(store, entry.id, &below, layout, skills, folders, strays)?;
                    }
                    folders.insert(below);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Returns the tree of a skill and the blob of its entry in the tree of any commit.
pub fn skill_at(store: &Store, tree: Oid, layout: &Layout, id: &SkillId) -> Result<(Option<Oid>, Option<Oid>)> {
    let skill = tree_at(store, tree, &layout.skill(id))?;
    let entry = entry_at(store, tree, &layout.entry(id))?.filter(|place| place.mode.is_file());
    Ok((skill, entry.map(|place| place.id)))
}

/// Returns the tree of a skill and the blob of its entry in a commit of before, wherever `[registry] skills` was then.
pub fn skill_then(store: &Store, commit: Oid, layout: &Layout, id: &SkillId) -> Result<(Option<Oid>, Option<Oid>)> {
    let tree = store.commit(commit)?.tree;
    skill_at(store, tree, &layout.then(store, tree)?, id)
}

/// Returns the blob of a skill's `SKILL.md`; none where its tree has none of its own.
pub fn skill_md_of(store: &Store, tree: Oid) -> Result<Option<Oid>> {
    let tree = store.tree(tree)?;
    Ok(tree.get(SKILL_MD.as_bytes()).filter(|entry| entry.mode.is_file()).map(|entry| entry.id))
}
