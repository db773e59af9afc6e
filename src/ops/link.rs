//! `link`: makes a skill that was copied from somewhere follow its upstream. Finds the state it was copied from.

mod stated;

use super::{Commit, Outside};
use crate::git::{Changes, Mode, Oid, Place, with_changes};
use crate::registry::{Changed, Registry, SourceFile, State, Upstream, entry, source_file};
use crate::skill::TreeHasher;
use crate::source::{Snapshot, discover, observe, observe_at, observe_history};
use crate::sync::ancestry::{self, Copied, Origin, Rival};
use crate::sync::merge::Alike;
use crate::sync::{self, RELATED, commit_of_base, import};
use crate::types::{Error, ErrorKind, RelPath, Result, SkillId, SourceName, TreeHash, short_revision};
use serde::Serialize;
use stated::Stated;
use std::collections::BTreeMap;

/// What `link` is to do.
#[derive(Debug, Clone)]
pub struct Options {
    /// The skill.
    pub skill: String,
    /// The source, `NAME` or `NAME:PATH`.
    pub to: String,
    /// The upstream commit that the skill was copied from; none searches for it.
    pub base: Option<String>,
    /// How it is committed.
    pub commit: Commit,
}

/// What was found, before anything is written.
#[derive(Debug, Clone, Serialize)]
pub struct Proposal {
    /// The skill.
    pub skill: SkillId,
    /// The source.
    pub source: SourceName,
    /// The skill's path there.
    pub path: RelPath,
    /// The upstream commit; none for a plain directory.
    pub revision: Option<String>,
    /// The commit's date, in seconds since 1970.
    pub date: Option<i64>,
    /// The base's hash.
    pub base: TreeHash,
    /// Whether the skill is that state, byte for byte.
    pub identical: bool,
    /// How many files are the same.
    pub same_files: usize,
    /// How many files differ.
    pub other_files: usize,
    /// How many files stand there only.
    pub missing_files: usize,
    /// How many lines differ in the files that stand here.
    pub changed_lines: Option<usize>,
    /// Other states that are as near, or nearly.
    pub rivals: Vec<Rival>,
    /// How much of its `SKILL.md` is in that state's, in whole percent.
    pub alike: u32,
    /// Hardly anything of it is in that state, the nearest: no file but a licence, and less than [`RELATED`] percent of its
    /// `SKILL.md`.
    /// Perhaps it is another skill of the same name.
    pub unrelated: bool,
}

/// Who says that what was found is right.
#[derive(Clone, Copy)]
pub enum Consent<'a> {
    /// The person, before anything was found (`--yes`). That holds for what has something in common.
    Beforehand,
    /// A person who is asked, with all that was found.
    Asked(&'a dyn Fn(&[Proposal]) -> Result<bool>),
}

impl Consent<'_> {
    /// Tells whether `found` may be linked.
    ///
    /// # Errors
    /// [`ErrorKind::NoEvidence`] where nobody was asked, and one of them has hardly anything in common with upstream's: every
    /// later update would be merged with a text that it does not come from.
    pub(super) fn is_given(self, found: &[Proposal], hint: impl FnOnce() -> String) -> Result<bool> {
        let Consent::Asked(ask) = self else {
            let unrelated: Vec<String> = found.iter().filter(|it| it.unrelated).map(Proposal::distance).collect();
            return match unrelated.is_empty() {
                true => Ok(true),
                false => Err(Error::new(ErrorKind::NoEvidence, unrelated.join("; ")).hint(hint())),
            };
        };
        ask(found)
    }
}

impl Proposal {
    fn distance(&self) -> String {
        let Proposal { skill, source, path, alike, .. } = self;
        format!(
            "`{skill}` has hardly anything in common with {source}:{path}: no file, and {alike} % of its SKILL.md, where \
             --yes wants {RELATED} %"
        )
    }
}

/// What `link` did.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The format of this document.
    pub format: u32,
    /// What was found.
    #[serde(flatten)]
    pub proposal: Proposal,
    /// Whether sync looks at the source; one that was only registered waits for `source enable`.
    pub source_enabled: bool,
    /// Whether the source's settings select the skill's path.
    pub selected: bool,
    /// What was committed; none where the person said no.
    #[serde(flatten)]
    pub changed: Option<Changed>,
}

/// Links a skill, if `agree` says yes to what was found. The entry is written, and the licence files that cover the skill; an `exclude` of its path goes;
/// the next sync joins the base to the mirror (RULES, Mirror 4).
pub fn link(outside: &Outside, options: &Options, consent: Consent<'_>) -> Result<Report> {
    let (registry, _lock) = outside.locked_registry()?;
    let state = registry.state()?;
    let store = &registry.repository.store;
    let id = SkillId::parse(&options.skill)?;
    let skill = state.skills.get(&id).ok_or_else(|| {
        Error::new(ErrorKind::NotFound, format!("there is no skill `{id}`")).hint("see them all: skillgraft list")
    })?;
    let local = skill.tree.ok_or_else(|| {
        let error = Error::new(ErrorKind::NotFound, format!("the directory of `{id}` is gone"));
        match skill.is_disabled() {
            true => error.hint(format!("it is disabled; bring it back first: skillgraft enable {id}")),
            false => error,
        }
    })?;
    if skill.entry().is_some_and(|entry| !entry.conflicts.is_empty()) {
        return Err(Error::new(ErrorKind::Conflict, format!("`{id}` lists unresolved conflicts"))
            .hint(format!("resolve them first: skillgraft candidate resolve {id}")));
    }
    let (name, path) = match options.to.split_once(':') {
        Some((name, path)) => (SourceName::parse(name)?, Some(RelPath::parse(path)?)),
        None => (SourceName::parse(&options.to)?, None),
    };
    let source = state.sources.get(&name).ok_or_else(|| {
        Error::new(ErrorKind::Usage, format!("there is no source `{name}`"))
            .hint(format!("register it first: skillgraft add URL --name {name} --no-enable"))
    })?;
    let source_text = source.text.as_str();
    let source = source.file.as_ref().map_err(Clone::clone)?;
    let finder = Finder { outside, registry: &registry, state: &state, source };
    // What the skill follows is where upstream has it now; the base may stand where upstream had it then.
    let (snapshot, origin, path) = match &options.base {
        Some(revision) => finder.at_revision(&id, skill, path, revision, local)?,
        None => finder.in_history(&id, skill, path, local)?,
    };
    let found = prepare(&registry, &state, source, &snapshot, &Found { id: &id, path, origin, local })?;
    let insists = options.base.is_some() && matches!(consent, Consent::Beforehand);
    let agreed = insists || consent.is_given(std::slice::from_ref(&found.proposal), || name_base(&found.proposal))?;
    if !agreed {
        let selected = source.selection.selects(&found.proposal.path, &name);
        return Ok(Report {
            format: 1,
            proposal: found.proposal,
            source_enabled: source.enabled,
            selected,
            changed: None,
        });
    }
    let mut changes = found.licenses;
    changes.extend([found.entry]);
    // What `adopt` or a decline excluded, the person now wants after all.
    let text = source_file::edit::without_excluded(source_text, &found.proposal.path)?;
    if text != source_text {
        let place = Place { mode: Mode::File, id: store.write_blob(text.as_bytes())? };
        changes.insert(state.layout.source(&name), Some(place));
    }
    let selected = SourceFile::parse(name.clone(), &text)?.selection.selects(&found.proposal.path, &name);
    let whole = with_changes(store, state.tree, &changes)?;
    let message = format!("Link {id} to {name}\n\n{}\n", found.sentence);
    let changed = options.commit.commit(&registry, outside, "link", whole, &message)?;
    let (proposal, source_enabled) = (found.proposal, source.enabled);
    Ok(Report { format: 1, proposal, source_enabled, selected, changed: Some(changed) })
}

fn name_base(found: &Proposal) -> String {
    let Proposal { skill, source, path, .. } = found;
    format!(
        "if it was copied from there all the same, name the commit: skillgraft link {skill} --to {} --base REV",
        sync::link_target(source, path)
    )
}

/// Where a skill was copied from.
pub(super) struct Found<'a> {
    pub(super) id: &'a SkillId,
    /// Where upstream has it now.
    pub(super) path: RelPath,
    pub(super) origin: Origin,
    pub(super) local: Oid,
}

/// A skill that is to be linked: what was found, and the entry that records it.
pub(super) struct Linked {
    pub(super) proposal: Proposal,
    pub(super) entry: (RelPath, Option<Place>),
    /// The licence files that cover it there, where none stands at their path here.
    pub(super) licenses: Changes,
    /// What the commit's message says.
    pub(super) sentence: String,
}

/// Makes the entry of a skill whose origin was found. `snapshot` is upstream at the origin's state.
pub(super) fn prepare(
    registry: &Registry,
    state: &State,
    source: &SourceFile,
    snapshot: &Snapshot,
    found: &Found<'_>,
) -> Result<Linked> {
    let Found { id, path, origin, local } = found;
    let store = &registry.repository.store;
    let name = &source.name;
    let tree = import(registry, state, snapshot, &origin.path)?.map_err(|why| {
        Error::new(ErrorKind::Rejected, format!("upstream's {} at {} cannot be taken in", origin.path, origin.revision))
            .because(why)
            .hint(format!(
                "name another revision: skillgraft link {id} --to {} --base REV",
                sync::link_target(name, path)
            ))
    })?;
    let (revision, date) = match snapshot.commit() {
        Some(_) => (Some(origin.revision.to_string()), Some(origin.date)),
        None => (snapshot.revision.clone(), snapshot.date),
    };
    let hasher = TreeHasher::new(store);
    let accepted = hasher.hash(tree)?;
    let stated = Stated::read(store, state, source, snapshot, &origin.path, tree)?;
    let mut upstream = Upstream {
        source: name.clone(),
        path: path.clone(),
        accepted,
        git_tree: tree,
        mirror: tree,
        revision: revision.clone(),
        version: stated.version,
        license: stated.license,
    };
    upstream.mirror = commit_of_base(store, name, &upstream)?;
    let standing = state.skills.get(*id).and_then(|skill| skill.entry.as_ref());
    let text = entry::render(standing.map(|entry| entry.text.as_str()), &upstream, &[])?;
    let place = Place { mode: Mode::File, id: store.write_blob(text.as_bytes())? };
    let at = revision.as_deref().map_or(String::new(), |id| format!(" at {}", short_revision(id)));
    let alike = Alike::new(store).skill_md(tree, *local)?;
    let proposal = Proposal {
        skill: (*id).clone(),
        source: name.clone(),
        path: path.clone(),
        date,
        revision,
        base: accepted,
        identical: hasher.hash(*local)? == accepted,
        same_files: origin.same_files,
        other_files: origin.other_files,
        missing_files: origin.missing_files,
        changed_lines: origin.changed_lines,
        rivals: origin.rivals.clone(),
        alike,
        unrelated: alike < RELATED && !ancestry::share_a_file(store, tree, *local)?,
    };
    let sentence = format!("It was copied from {}{at}.", crate::types::inert(path.as_str()));
    let (entry, licenses) = ((state.layout.entry(id), Some(place)), stated.licenses);
    Ok(Linked { proposal, entry, licenses, sentence })
}

/// Finds the origins of skills of the team's own, each named with the path at which `source` has it now: one walk over
/// upstream's history for all, and one request for what has to be read.
pub(super) fn find_all(
    outside: &Outside,
    registry: &Registry,
    state: &State,
    source: &SourceFile,
    own: &BTreeMap<SkillId, RelPath>,
) -> Result<Vec<Linked>> {
    let limits = &state.settings.limits;
    let mut snapshot = observe_history(&outside.access(false, false), source, &registry.directory, limits)?;
    let skills: Vec<(&SkillId, Copied)> = own
        .iter()
        .filter_map(|(id, path)| Some((id, Copied { path: path.clone(), local: state.skills.get(id)?.tree? })))
        .collect();
    let copied: Vec<Copied> = skills.iter().map(|(_, copied)| copied.clone()).collect();
    let origins = ancestry::find_origins(&snapshot, &registry.repository.store, &copied)?;
    let finder = Finder { outside, registry, state, source };
    let (mut found, mut blobs) = (Vec::new(), Vec::new());
    for ((id, Copied { path, local }), origin) in skills.into_iter().zip(origins) {
        let origin = origin.ok_or_else(|| finder.nothing_at(&path))?;
        blobs.extend(ancestry::blobs(&snapshot, &origin)?);
        found.push(Found { id, path, origin, local });
    }
    snapshot.need(blobs)?;
    let mut linked = Vec::new();
    for found in found {
        snapshot.tree = ancestry::root(&snapshot, &found.origin)?;
        linked.push(prepare(registry, state, source, &snapshot, &found)?);
    }
    Ok(linked)
}

struct Finder<'a> {
    outside: &'a Outside,
    registry: &'a Registry,
    state: &'a State,
    source: &'a SourceFile,
}

impl Finder<'_> {
    fn at_revision(
        &self,
        id: &SkillId,
        skill: &crate::registry::SkillState,
        path: Option<RelPath>,
        revision: &str,
        local: Oid,
    ) -> Result<(Snapshot, Origin, RelPath)> {
        let access = self.outside.access(false, false);
        // A branch, a tag or a commit; what is recorded is the commit.
        let snapshot =
            observe_at(&access, self.source, revision, &self.registry.directory, &self.state.settings.limits)?;
        let path = self.path(id, skill, path, &snapshot)?;
        let found = ancestry::state_at(&snapshot, &self.registry.repository.store, &path, local)?;
        let origin = found.ok_or_else(|| self.nothing_at(&path))?;
        Ok((snapshot, origin, path))
    }

    fn in_history(
        &self,
        id: &SkillId,
        skill: &crate::registry::SkillState,
        path: Option<RelPath>,
        local: Oid,
    ) -> Result<(Snapshot, Origin, RelPath)> {
        let access = self.outside.access(false, false);
        let limits = &self.state.settings.limits;
        let present = observe(&access, self.source, &self.registry.directory, limits)?;
        let path = self.path(id, skill, path, &present)?;
        drop(present);
        let snapshot = observe_history(&access, self.source, &self.registry.directory, limits)?;
        let copied = [Copied { path: path.clone(), local }];
        let found = ancestry::find_origins(&snapshot, &self.registry.repository.store, &copied)?.pop().flatten();
        let origin = found.ok_or_else(|| self.nothing_at(&path))?;
        // Read on at the commit that was found.
        let tree = ancestry::root(&snapshot, &origin)?;
        Ok((Snapshot { tree, ..snapshot }, origin, path))
    }

    /// The path that was named, or that the entry has, or else the one directory of upstream with the skill's name.
    fn path(
        &self,
        id: &SkillId,
        skill: &crate::registry::SkillState,
        named: Option<RelPath>,
        snapshot: &Snapshot,
    ) -> Result<RelPath> {
        let followed =
            skill.entry().and_then(|entry| entry.upstream.as_ref()).filter(|up| up.source == self.source.name);
        if let Some(path) = named.or_else(|| followed.map(|up| up.path.clone())) {
            return Ok(path);
        }
        let found = discover(snapshot, snapshot.folders(&self.source.selection.path))?.found;
        let mut same: Vec<RelPath> =
            found.into_iter().map(|found| found.path).filter(|path| path.name() == Some(id.name())).collect();
        same.sort_by_key(|path| path.components().count());
        let mut same = same.into_iter();
        match (same.next(), same.next()) {
            (Some(path), None) => Ok(path),
            (Some(first), Some(second)) => Err(Error::new(
                ErrorKind::Usage,
                format!("source `{}` has more than one `{}`", self.source.name, id.name()),
            )
            .hint(format!(
                "name the path: --to {}, or --to {}",
                sync::link_target(&self.source.name, &first),
                sync::link_target(&self.source.name, &second)
            ))),
            (None, _) => Err(Error::new(
                ErrorKind::NotFound,
                format!("source `{}` has no directory `{}`", self.source.name, id.name()),
            )
            .hint(format!("name the path: --to {}:PATH", self.source.name))),
        }
    }

    fn nothing_at(&self, path: &RelPath) -> Error {
        Error::new(ErrorKind::NotFound, format!("no state of source `{}` has a skill at {path}", self.source.name))
            .hint(format!("name the path: --to {}:PATH", self.source.name))
    }
}
