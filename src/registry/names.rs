//! Where things are: paths in the registry's tree, names of refs.

use super::settings::{self, Settings};
use super::source_file::SourceFile;
use crate::git::{Oid, RefName, Store, entry_at};
use crate::types::{RelPath, Result, SkillId, SourceName};

/// The paths of a registry, relative to the root of its repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The registry's folder; the root where the registry is the whole repository.
    pub folder: RelPath,
    /// The folder of the skills.
    pub skills: RelPath,
    /// The blob of the settings that say so.
    settings: Oid,
}

impl Layout {
    /// Returns the layout of a registry in `folder` whose settings, the blob `settings`, name `skills`.
    pub fn new(folder: &RelPath, skills: &RelPath, settings: Oid) -> Self {
        Layout { folder: folder.clone(), skills: folder.join_path(skills), settings }
    }

    /// Returns the layout of a commit of before, whose tree is `tree`: the team may have moved `[registry] skills` since.
    /// Settings that are not there, or cannot be read, name no other place.
    pub fn then(&self, store: &Store, tree: Oid) -> Result<Self> {
        let file = entry_at(store, tree, &self.top(settings::FILE))?.filter(|place| place.mode.is_file());
        let Some(file) = file.filter(|file| file.id != self.settings) else { return Ok(self.clone()) };
        let text = String::from_utf8(store.blob(file.id)?).unwrap_or_default();
        Ok(Settings::parse(&text).map_or(self.clone(), |then| Layout::new(&self.folder, &then.skills, file.id)))
    }

    /// Returns the commands that bring `branch`, whose tree is `tree`, to where the skills are now; none where it has them there.
    pub fn catch_up(&self, store: &Store, tree: Oid, branch: &RefName, main: &RefName) -> Option<String> {
        let then = self.then(store, tree).ok()?;
        let (branch, main) = (branch.short(), main.short());
        (then.skills != self.skills)
            .then(|| format!("the folder of skills has moved since: git switch {branch} && git merge --no-edit {main}"))
    }

    /// Returns the directory of a skill.
    pub fn skill(&self, id: &SkillId) -> RelPath {
        self.skills.join_path(&id.as_path())
    }

    /// Returns the file of a skill's entry.
    pub fn entry(&self, id: &SkillId) -> RelPath {
        self.skills.join_path(&RelPath::parse(&format!("{id}.toml")).expect("an id and an ending make a path"))
    }

    /// Returns the folder of a source's licence files.
    pub fn licenses(&self, source: &SourceName) -> RelPath {
        self.folder.join_path(
            &RelPath::parse(&format!("{}/{source}", settings::LICENSES)).expect("a source's name is a component"),
        )
    }

    /// Returns the file of a source.
    pub fn source(&self, name: &SourceName) -> RelPath {
        self.folder.join_path(&SourceFile::path_of(name))
    }

    /// Returns the path of a file at the registry's top.
    pub fn top(&self, name: &str) -> RelPath {
        self.folder.join_path(&RelPath::parse(name).expect("a fixed name"))
    }
}

/// The names of the tool's refs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefNames {
    prefix: String,
}

impl RefNames {
    /// Returns the refspecs that bring candidates and mirrors into a bare clone, quoted for a shell.
    pub fn refspecs(&self) -> String {
        let of = |kind: &str| format!("refs/heads/{0}{kind}/*:refs/heads/{0}{kind}/*", self.prefix);
        format!("'+{}' '{}'", of("candidate"), of("mirror"))
    }

    /// Returns the names for a registry whose settings say `ref_prefix = prefix`.
    pub fn new(prefix: &str) -> Self {
        RefNames { prefix: prefix.into() }
    }

    /// Returns the branch that mirrors a source.
    pub fn mirror(&self, source: &SourceName) -> Result<RefName> {
        RefName::branch(&format!("{}mirror/{source}", self.prefix))
    }

    /// Returns the beginning of the names of a source's candidates.
    pub fn candidates(&self, source: &SourceName) -> String {
        format!("refs/heads/{}candidate/{source}/", self.prefix)
    }

    /// Returns the beginning of the names of all candidates.
    pub fn all_candidates(&self) -> String {
        format!("refs/heads/{}candidate/", self.prefix)
    }

    /// Returns the branch of a skill's candidate.
    pub fn candidate(&self, source: &SourceName, id: &SkillId) -> Result<RefName> {
        RefName::parse(format!("{}{}", self.candidates(source), id.as_branch_component()))
    }

    /// Returns the branch for a command's commit that goes through review.
    pub fn proposal(&self, command: &str, hash: &str) -> Result<RefName> {
        RefName::branch(&format!("{}proposal/{command}-{hash}", self.prefix))
    }

    /// Returns the ref that names the candidate the tool last made.
    pub fn offered(&self, source: &SourceName, id: &SkillId) -> Result<RefName> {
        RefName::parse(format!("{}{}", self.offers(source), id.as_branch_component()))
    }

    /// Returns the beginning of the names of a source's offers.
    pub fn offers(&self, source: &SourceName) -> String {
        format!("refs/skillgraft/offered/{source}/")
    }

    /// Returns the ref that keeps what a candidate was before it moved on.
    pub fn superseded(&self, source: &SourceName, id: &SkillId) -> Result<RefName> {
        RefName::parse(format!("refs/skillgraft/superseded/{source}/{}", id.as_branch_component()))
    }

    /// Returns the ref that says how often in a row a source has failed.
    pub fn failed(&self, source: &SourceName) -> Result<RefName> {
        RefName::parse(format!("refs/skillgraft/failed/{source}"))
    }

    /// Returns the source and skill of the candidate branch `full`.
    pub fn parse_candidate(&self, full: &str) -> Option<(SourceName, SkillId)> {
        let (source, id) = full.strip_prefix(&self.all_candidates())?.split_once('/')?;
        Some((SourceName::parse(source).ok()?, SkillId::from_branch_component(id).ok()?))
    }

    /// Returns the source and skill of the ref `full`, which names an offered candidate.
    pub fn parse_offered(&self, full: &str) -> Option<(SourceName, SkillId)> {
        let (source, id) = full.strip_prefix("refs/skillgraft/offered/")?.split_once('/')?;
        Some((SourceName::parse(source).ok()?, SkillId::from_branch_component(id).ok()?))
    }

    /// Tells whether a branch is the tool's: never the default branch by accident.
    pub fn is_ours(&self, full: &str) -> bool {
        let ours = full.strip_prefix("refs/heads/").and_then(|name| name.strip_prefix(&self.prefix));
        ours.is_some_and(|name| ["mirror/", "candidate/", "proposal/"].iter().any(|kind| name.starts_with(kind)))
    }
}
