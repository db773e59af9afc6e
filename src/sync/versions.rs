//! Versions: annotated tags `<skill id>/v<N>`, one for each change of a skill at its own commit (RULES, "Tags").
//!
//! Nothing of a tag depends on when it is made: its date is the commit's, so that any cadence and any clone give the
//! same tags.

use super::report::VersionReport;
use crate::git::{History, Oid, RefChange, RefName, Store, entry_at, first_parents, tree_at};
use crate::registry::{Layout, Registry, State, identity_at, read_entry, settings, skill_then};
use crate::skill::{SKILL_MD, TreeHasher};
use crate::types::{RelPath, Result, SkillId};
use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};

/// The versions of a registry's skills, as tags name them: for each skill, tag objects by number.
pub struct Versions {
    prefix: String,
    tags: BTreeMap<SkillId, BTreeMap<u64, Oid>>,
}

/// A version that is to be tagged.
pub struct NewVersion {
    /// The skill.
    pub skill: SkillId,
    /// What to move.
    pub change: RefChange,
    /// What to tell.
    pub report: VersionReport,
}

impl Versions {
    /// Reads the tags.
    pub fn load(registry: &Registry, state: &State) -> Result<Self> {
        let prefix = format!("refs/tags/{}", state.settings.tag_prefix);
        let mut tags: BTreeMap<SkillId, BTreeMap<u64, Oid>> = BTreeMap::new();
        for (name, tag) in registry.list_here("refs/tags/")? {
            let Some((id, digits)) = name.strip_prefix(&prefix).and_then(|name| name.rsplit_once("/v")) else {
                continue;
            };
            if let (Ok(id), Some(number)) = (SkillId::parse(id), number(digits)) {
                tags.entry(id).or_default().insert(number, tag);
            }
        }
        Ok(Versions { prefix, tags })
    }

    /// Returns the versions of a skill, oldest first: number and tag.
    pub fn of(&self, id: &SkillId) -> impl DoubleEndedIterator<Item = (u64, Oid)> + '_ {
        self.tags.get(id).into_iter().flatten().map(|(number, tag)| (*number, *tag))
    }

    /// Returns the name of a version's tag, made or not yet.
    pub fn tag(&self, id: &SkillId, number: u64) -> String {
        tag(&self.prefix, id, number).trim_start_matches("refs/tags/").to_owned()
    }

    /// Returns the newest version's number.
    pub fn newest(&self, id: &SkillId) -> Option<u64> {
        self.of(id).next_back().map(|(number, _)| number)
    }

    /// Returns the versions that the first-parent history of `head` brought and that have no tag yet.
    pub fn missing(&self, store: &Store, state: &State, head: Oid) -> Result<Vec<NewVersion>> {
        let chain = since_registry(store, &state.layout, head)?;
        let mut tagger = Tagger { store, prefix: &self.prefix, hasher: TreeHasher::new(store), new: Vec::new() };
        let mut lines = self.starting_points(store, &state.layout, head, &chain)?;
        let (mut before, mut layout) = (None, state.layout.clone());
        for (at, commit) in chain.iter().enumerate() {
            let tree = store.commit(*commit)?.tree;
            layout = layout.then(store, tree)?;
            let folder = tree_at(store, tree, &layout.skills)?;
            let mut touched: BTreeSet<SkillId> = BTreeSet::new();
            if folder != before {
                changed_skills(store, before, folder, "", &mut touched)?;
            }
            // A skill whose line begins here is looked at, changed or not.
            touched.extend(lines.iter().filter(|(_, line)| line.from == at).map(|(id, _)| id.clone()));
            before = folder;
            for id in touched {
                let line = lines.entry(id.clone()).or_default();
                if at >= line.from {
                    tagger.look(&id, line, *commit, &layout)?;
                }
            }
        }
        Ok(tagger.new)
    }

    /// Where each tagged skill's next version can be: after its newest tag.
    fn starting_points(
        &self,
        store: &Store,
        layout: &Layout,
        head: Oid,
        chain: &[Oid],
    ) -> Result<BTreeMap<SkillId, Line>> {
        let places: BTreeMap<Oid, usize> = chain.iter().enumerate().map(|(at, id)| (*id, at)).collect();
        let (mut lines, mut containing) = (BTreeMap::new(), None);
        for id in self.tags.keys() {
            let Some((number, tag)) = self.of(id).next_back() else { continue };
            let Some(commit) = store.peel_to_commit(tag)? else { continue };
            let (last, _) = skill_then(store, commit, layout, id)?;
            if !places.contains_key(&commit) && containing.is_none() {
                containing = Some(first_containing(store, chain)?);
            }
            let from = match (places.get(&commit), containing.as_ref().and_then(|it| it.get(&commit))) {
                (Some(at), _) => at + 1,
                (None, Some(at)) => *at,
                // This clone's branch is behind what was tagged elsewhere: its next versions are not known here yet.
                _ if History::of(store, commit)?.contains_if_present(head)? => chain.len(),
                _ => after_newest_with(store, layout, id, chain, last)?,
            };
            lines.insert(id.clone(), Line { number, last, from });
        }
        Ok(lines)
    }
}

/// The ref of a version's tag; `prefix` is what stands before all of them.
fn tag(prefix: &str, id: &SkillId, number: u64) -> String {
    format!("{prefix}{id}/v{number}")
}

/// How far the versions of one skill have come.
#[derive(Default)]
struct Line {
    number: u64,
    last: Option<Oid>,
    /// The index in the chain from which commits count.
    from: usize,
}

struct Tagger<'a> {
    store: &'a Store,
    prefix: &'a str,
    hasher: TreeHasher<'a>,
    new: Vec<NewVersion>,
}

impl Tagger<'_> {
    fn look(&mut self, id: &SkillId, line: &mut Line, commit: Oid, layout: &Layout) -> Result<()> {
        let store = self.store;
        let tree = store.commit(commit)?.tree;
        let Some(skill) = tree_at(store, tree, &layout.skill(id))?.filter(|skill| Some(*skill) != line.last) else {
            return Ok(());
        };
        // A namespace is a folder, too.
        if store.tree(skill)?.get(SKILL_MD.as_bytes()).is_none() {
            return Ok(());
        }
        let entry = entry_at(store, tree, &layout.entry(id))?.filter(|place| place.mode.is_file());
        let entry = entry.map(|place| read_entry(store, layout.entry(id).as_str(), place.id)).transpose()?;
        let entry = entry.and_then(|entry| entry.entry.ok());
        if entry.as_ref().is_some_and(|entry| !entry.conflicts.is_empty()) {
            return Ok(());
        }
        let version = line.number + 1;
        let name = RefName::parse(tag(self.prefix, id, version))?;
        let tag = name.as_str().trim_start_matches("refs/tags/").to_owned();
        let mut message = format!("{id} v{version}\n\nTree: {}\n", self.hasher.hash(skill)?);
        if let Some(upstream) = entry.and_then(|entry| entry.upstream) {
            message.push_str(&format!("Source: {}\nUpstream: {}\n", upstream.source, upstream.accepted));
            if let Some(revision) = upstream.revision {
                message.push_str(&format!("Revision: {revision}\n"));
            }
        }
        let date = store.commit(commit)?.committed;
        let object = store.write_tag(&tag, commit, &identity_at(date), &message)?;
        self.new.push(NewVersion {
            skill: id.clone(),
            change: RefChange { name, expected: None, new: Some(object) },
            report: VersionReport { skill: id.to_string(), version, tag, commit },
        });
        (line.number, line.last) = (version, Some(skill));
        Ok(())
    }
}

/// Reads a version's number as tags have it: from 1, without a sign or zeros before it.
pub fn number(digits: &str) -> Option<u64> {
    digits.parse().ok().filter(|number: &u64| *number > 0 && number.to_string() == digits)
}

/// Returns the first-parent commits of `head` since the one that brought `skillgraft.toml`, oldest first.
fn since_registry(store: &Store, layout: &Layout, head: Oid) -> Result<Vec<Oid>> {
    let file = layout.top(settings::FILE);
    let mut chain = Vec::new();
    let mut oldest = 0;
    for commit in first_parents(store, head) {
        let commit = commit?;
        chain.push(commit);
        if entry_at(store, store.commit(commit)?.tree, &file)?.is_some() {
            oldest = chain.len();
        }
    }
    chain.truncate(oldest);
    chain.reverse();
    Ok(chain)
}

/// For every commit in the history of `chain`, oldest first, the place of the first one there that contains it.
fn first_containing(store: &Store, chain: &[Oid]) -> Result<BTreeMap<Oid, usize>> {
    let mut first = BTreeMap::new();
    for (at, commit) in chain.iter().enumerate() {
        let mut open = vec![*commit];
        while let Some(commit) = open.pop() {
            if let Entry::Vacant(new) = first.entry(commit) {
                new.insert(at);
                open.extend(&store.commit(commit)?.parents);
            }
        }
    }
    Ok(first)
}

/// History was rewritten: commits count after the newest one with the last version's tree; where there is none, only
/// the head does.
fn after_newest_with(store: &Store, layout: &Layout, id: &SkillId, chain: &[Oid], last: Option<Oid>) -> Result<usize> {
    for (at, commit) in chain.iter().enumerate().rev() {
        if last.is_some() && skill_then(store, *commit, layout, id)?.0 == last {
            return Ok(at + 1);
        }
    }
    Ok(chain.len().saturating_sub(1))
}

/// Collects the skills of which something differs between two `skills` folders.
fn changed_skills(
    store: &Store,
    old: Option<Oid>,
    new: Option<Oid>,
    above: &str,
    out: &mut BTreeSet<SkillId>,
) -> Result<()> {
    let read = |id: Option<Oid>| id.map_or(Ok(Default::default()), |id| store.tree(id));
    let (old, new) = (read(old)?, read(new)?);
    let names: BTreeSet<&[u8]> = old.entries().iter().chain(new.entries()).map(|entry| entry.name.as_slice()).collect();
    for name in names.into_iter().filter(|name| old.get(name) != new.get(name)) {
        let text = String::from_utf8_lossy(name);
        let stem = text.strip_suffix(".toml").unwrap_or(&text);
        let id = if above.is_empty() { stem.to_owned() } else { format!("{above}/{stem}") };
        let Ok(id) = SkillId::parse(&id) else { continue };
        let folder =
            |tree: &crate::git::Tree| tree.get(name).filter(|e| e.mode == crate::git::Mode::Tree).map(|e| e.id);
        let (before, after) = (folder(&old), folder(&new));
        let is_skill = |tree: Option<Oid>| -> Result<bool> {
            Ok(match tree {
                Some(tree) => store.tree(tree)?.get(SKILL_MD.as_bytes()).is_some(),
                None => false,
            })
        };
        let is_namespace = (before.is_some() || after.is_some()) && !is_skill(before)? && !is_skill(after)?;
        if is_namespace && RelPath::parse(id.as_str())?.components().count() < 4 {
            changed_skills(store, before, after, id.as_str(), out)?;
        }
        out.insert(id);
    }
    Ok(())
}
