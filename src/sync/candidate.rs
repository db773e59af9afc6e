//! A candidate: the one commit that proposes an update of one skill (RULES, "Candidate").
//!
//! What the tool would make on any commit is computed here from that commit and an offer of upstream, so that the same
//! code makes a new candidate and tells whether an old one is still the tool's own.

use super::classify::Class;
use super::merge::merge_skill;
use super::mirror::{self, Mirror};
use super::renamed::{self, Renamed};
use super::report::{LicenseChange, PluginMove};
use crate::git::{Changes, Mode, NewCommit, Oid, Place, Store, same_except, tree_at, with_changes};
use crate::registry::{Conflict, EntryState, Layout, State, Upstream, entry, identity_at, read_entry, skill_at};
use crate::skill::{SKILL_MD, TreeHasher, frontmatter, license};
use crate::source::plugin::Plugins;
use crate::types::{Error, ErrorKind, RelPath, Result, SkillId, SourceName, TreeHash, inert, one_line, short_revision};
use std::borrow::Cow;

/// Finds the tree of an entry's base (the three steps of `unknown_base`).
pub type FindBase<'a> = &'a (dyn Fn(&Upstream) -> Result<Oid> + Sync);

/// What candidates of one source are made with.
pub struct Maker<'a> {
    /// The registry's objects.
    pub store: &'a Store,
    /// Tree hashes.
    pub hasher: &'a TreeHasher<'a>,
    /// Where things are.
    pub layout: &'a Layout,
    /// The registry on the default branch.
    pub state: &'a State,
    /// The source.
    pub source: &'a SourceName,
    /// Its mirror.
    pub mirror: &'a Mirror,
    /// The base look-up.
    pub find_base: FindBase<'a>,
}

/// A commit as one skill's candidate sees it.
#[derive(Clone)]
pub struct Ground {
    /// The commit's whole tree.
    pub tree: Oid,
    /// The skill there.
    pub skill: Option<Oid>,
    /// The entry there.
    pub entry: Option<EntryState>,
}

/// What upstream offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The skill's upstream path.
    pub path: RelPath,
    /// The skill's tree; none: it was removed.
    pub tree: Option<Oid>,
    /// The tree's hash; [`TreeHash::EMPTY`] for a removal.
    pub accepted: TreeHash,
    /// The mirror commit that brought it.
    pub mirror: Oid,
}

/// What the tool makes of an offer on a ground.
pub struct Made {
    /// The skill's new tree.
    pub skill: Option<Oid>,
    /// The entry's blob.
    pub entry: Oid,
    /// The entry's text with the licence in the skill's own words, as it was written before licence files were read; none
    /// where that is the same.
    former_entry: Option<String>,
    /// What it leaves for a person to decide.
    pub conflicts: Vec<Conflict>,
    /// Where upstream has the skill; none: no more.
    pub at: Option<RelPath>,
}

impl Ground {
    /// Returns the ground of a skill at any commit.
    pub fn at(store: &Store, layout: &Layout, id: &SkillId, commit: Oid) -> Result<Self> {
        let tree = store.commit(commit)?.tree;
        let (skill, entry) = skill_at(store, tree, layout, id)?;
        let entry = entry.map(|blob| read_entry(store, layout.entry(id).as_str(), blob)).transpose()?;
        Ok(Ground { tree, skill, entry })
    }

    /// Tells whether skill and entry are the same on both.
    pub fn agrees_with(&self, other: &Ground) -> bool {
        let blob = |ground: &Ground| ground.entry.as_ref().map(|entry| entry.blob);
        self.skill == other.skill && blob(self) == blob(other)
    }

    /// Returns the upstream that the entry follows, if it can be read and follows one.
    pub fn upstream(&self) -> Option<&Upstream> {
        self.entry.as_ref()?.entry.as_ref().ok()?.upstream.as_ref()
    }
}

impl Maker<'_> {
    /// Makes the candidate's skill and entry on `ground`.
    pub fn make(&self, ground: &Ground, offer: &Offer) -> Result<Made> {
        let (skill, conflicts) = self.merge(ground, offer)?;
        let (version, license, statement) = match (offer.tree, ground.upstream()) {
            (Some(tree), _) => self.stated(tree, offer)?,
            (None, Some(up)) => (up.version.clone(), up.license.clone(), up.license.clone()),
            (None, None) => (None, None, None),
        };
        let mut upstream = Upstream {
            source: self.source.clone(),
            path: offer.path.clone(),
            accepted: offer.accepted,
            git_tree: offer.tree.unwrap_or(self.store.empty_tree()),
            mirror: offer.mirror,
            revision: mirror::revision_of(self.store, offer.mirror)?,
            version,
            license,
        };
        let standing = ground.entry.as_ref().map(|entry| entry.text.as_str());
        let text = entry::render(standing, &upstream, &conflicts)?;
        let mut former_entry = None;
        if upstream.license != statement {
            upstream.license = statement;
            former_entry = Some(entry::render(standing, &upstream, &conflicts)?);
        }
        Ok(Made {
            skill,
            entry: self.store.write_blob(text.as_bytes())?,
            former_entry,
            conflicts,
            at: offer.tree.map(|_| offer.path.clone()),
        })
    }

    fn merge(&self, ground: &Ground, offer: &Offer) -> Result<(Option<Oid>, Vec<Conflict>)> {
        let Some(followed) = ground.upstream() else { return Ok((offer.tree, Vec::new())) };
        // Upstream is the base still, at another path: local stays.
        if ground.skill == offer.tree || offer.accepted == followed.accepted {
            return Ok((ground.skill, Vec::new()));
        }
        let local_is_base = match ground.skill {
            Some(local) => self.hasher.hash(local)? == followed.accepted,
            None => followed.accepted == TreeHash::EMPTY,
        };
        if local_is_base {
            return Ok((offer.tree, Vec::new()));
        }
        let empty = self.store.empty_tree();
        let merged =
            merge_skill(self.store, self.base(followed)?, ground.skill.unwrap_or(empty), offer.tree.unwrap_or(empty))?;
        Ok(((merged.tree != empty).then_some(merged.tree), merged.conflicts))
    }

    fn base(&self, followed: &Upstream) -> Result<Oid> {
        match followed.accepted {
            // Nothing, since a removal was accepted, and no database has to have that.
            TreeHash::EMPTY => Ok(self.store.empty_tree()),
            _ => (self.find_base)(followed),
        }
    }

    /// Returns the version of the skill's plugin, else its own, its licence, and the words in which it states one. The licence files
    /// are those of the mirror commit that brought the skill, so that an offer always makes the same entry.
    fn stated(&self, tree: Oid, offer: &Offer) -> Result<(Option<String>, Option<String>, Option<String>)> {
        let root = self.store.commit(offer.mirror)?.tree;
        let license = license::of_skill(self.store, tree, Some(root), &offer.path)?;
        let skill_md = self.store.tree(tree)?.get(SKILL_MD.as_bytes()).filter(|e| e.mode.is_file()).map(|e| e.id);
        let plugin = self.plugins_at(offer.mirror)?.of(&offer.path).and_then(|plugin| plugin.version.clone());
        let Some(skill_md) = skill_md else { return Ok((plugin, license, None)) };
        let read = frontmatter::read(&self.store.blob(skill_md)?);
        let version = read.version.map(|text| one_line(&text, 100)).filter(|text| !text.is_empty());
        Ok((plugin.or(version), license, read.license.as_deref().and_then(license::statement)))
    }

    fn plugins_at(&self, commit: Oid) -> Result<Cow<'_, Plugins>> {
        if commit == self.mirror.head {
            return Ok(Cow::Borrowed(&self.mirror.plugins));
        }
        mirror::plugins_at(self.store, commit).map(Cow::Owned)
    }

    /// Returns which plugin an offer moves, and between which versions; none where no plugin has it.
    pub fn plugin_move(&self, ground: &Ground, offer: &Offer) -> Result<Option<PluginMove>> {
        let Some(plugin) = self.plugins_at(offer.mirror)?.of(&offer.path).cloned() else { return Ok(None) };
        let from = match ground.upstream().filter(|up| self.store.contains(up.mirror)) {
            Some(up) => self.plugins_at(up.mirror)?.of(&up.path).and_then(|plugin| plugin.version.clone()),
            None => None,
        };
        Ok(Some(PluginMove { name: plugin.name, from, to: plugin.version }))
    }

    /// Returns what a candidate puts into the registry's tree `ground`.
    pub fn changes(&self, ground: Oid, id: &SkillId, made: &Made) -> Result<Changes> {
        let mut changes = self.license_changes(ground, Some((id, made)))?;
        changes.insert(self.layout.skill(id), made.skill.map(|id| Place { mode: Mode::Tree, id }));
        changes.insert(self.layout.entry(id), Some(Place { mode: Mode::File, id: made.entry }));
        Ok(changes)
    }

    /// Returns the candidate's commit on `head`, whose ground is `ground`: the same for the same inputs, anywhere.
    pub fn commit(
        &self,
        id: &SkillId,
        class: Class,
        head: Oid,
        ground: &Ground,
        offer: &Offer,
        made: &Made,
    ) -> Result<Oid> {
        let tree = with_changes(self.store, ground.tree, &self.changes(ground.tree, id, made)?)?;
        let date = self.store.commit(head)?.committed.max(self.store.commit(offer.mirror)?.committed);
        let identity = identity_at(date);
        let message = self.message(id, class, ground, offer, made)?;
        let parents = vec![head];
        self.store.write_commit(&NewCommit { tree, parents, author: identity.clone(), committer: identity, message })
    }

    fn message(&self, id: &SkillId, class: Class, ground: &Ground, offer: &Offer, made: &Made) -> Result<String> {
        let source = self.source;
        let revision = mirror::revision_of(self.store, offer.mirror)?;
        let subject = subject(id, class, source, revision.as_deref(), &offer.path);
        let what = match class {
            Class::New => "The skill is new upstream.",
            Class::Removed => "The skill is gone upstream; its entry stays, so that it is known if it comes back.",
            Class::AlreadyApplied => {
                "The content is upstream's already. Only the entry moves, to be the next merge base."
            }
            Class::Moved => "The content is the same. Only the entry moves, to where upstream has the skill now.",
            Class::FastForward => "The skill was not edited here, so it becomes what upstream has.",
            _ => "Upstream's changes are merged with the edits made here.",
        };
        let mut message = format!("{subject}\n\n{what}\n");
        if let Some(left) = ground.upstream().filter(|up| up.source == *source && up.path != offer.path) {
            let (from, to) = (inert(left.path.as_str()), inert(offer.path.as_str()));
            message.push_str(&format!("\nUpstream moved it from {from} to {to}.\n"));
        }
        if let Some((from, to)) = self.renamed(id, class, ground, offer)? {
            let sentence = renamed::sentence(from.as_deref().map(inert).as_deref(), &inert(&to), id.as_str());
            message.push_str(&format!("\nUpstream renamed it: {sentence}.\n"));
        }
        if let Some(LicenseChange { before, after }) = self.license_change(ground, made)? {
            let [before, after] = [before, after].map(|one| one.as_deref().map_or("none is stated".into(), inert));
            message.push_str(&format!("\nLicence: {before} -> {after}\n"));
        }
        if let Some(moved) = self.plugin_move(ground, offer)? {
            let version = |text: Option<String>| text.as_deref().map(inert);
            let moved = PluginMove { name: inert(&moved.name), from: version(moved.from), to: version(moved.to) };
            message.push_str(&format!("\nPlugin {moved}.\n"));
        }
        if !made.conflicts.is_empty() {
            message.push_str("\nConflicts, to be resolved on this branch:\n");
            for conflict in &made.conflicts {
                message.push_str(&format!("  {} ({})\n", inert(&conflict.path), conflict.kind.as_str()));
            }
        }
        let base = ground.upstream().map_or(TreeHash::EMPTY, |up| up.accepted);
        let trailers = [
            ("Skillgraft-Skill", id.to_string()),
            ("Skillgraft-Source", source.to_string()),
            ("Skillgraft-Class", class.as_str().to_owned()),
            ("Skillgraft-Base", base.to_string()),
            ("Skillgraft-Upstream", offer.accepted.to_string()),
            ("Skillgraft-Mirror", offer.mirror.to_string()),
        ];
        message.push('\n');
        for (key, value) in trailers {
            message.push_str(&format!("{key}: {value}\n"));
        }
        if let Some(revision) = revision {
            message.push_str(&format!("Skillgraft-Revision: {revision}\n"));
        }
        Ok(message)
    }

    /// Returns the names between which an update renames the skill. Asked only where every clone has the base, so that all
    /// of them write the same message.
    fn renamed(
        &self,
        id: &SkillId,
        class: Class,
        ground: &Ground,
        offer: &Offer,
    ) -> Result<Option<(Option<String>, String)>> {
        let base = match class {
            Class::FastForward => ground.skill,
            Class::ThreeWay => ground.upstream().map(|followed| self.base(followed)).transpose()?,
            _ => None,
        };
        match (base, offer.tree) {
            (Some(base), Some(upstream)) => Renamed::names(self.store, id, base, upstream),
            _ => Ok(None),
        }
    }

    /// Returns the change of licence that a candidate on `ground` brings.
    pub fn license_change(&self, ground: &Ground, made: &Made) -> Result<Option<LicenseChange>> {
        let entry = read_entry(self.store, self.layout.skills.as_str(), made.entry)?.entry.ok();
        Ok(license_change(ground.upstream(), entry.and_then(|entry| entry.upstream).as_ref()))
    }

    /// Tells whether the whole tree `tree` is `ground` with the candidate put in, the licence files of the mirror's
    /// head included.
    pub fn is_exactly(&self, tree: Oid, id: &SkillId, ground: &Ground, made: &Made) -> Result<bool> {
        if !self.is_apart_from_licenses(tree, id, ground, made)? {
            return Ok(false);
        }
        Ok(self.licenses_in(tree)? == self.wanted_licenses(id, ground, made)?)
    }

    /// Returns the folder of the source's licence files in the candidate on `ground`.
    pub fn wanted_licenses(&self, id: &SkillId, ground: &Ground, made: &Made) -> Result<Option<Oid>> {
        let changes = self.license_changes(ground.tree, Some((id, made)))?;
        self.licenses_in(with_changes(self.store, ground.tree, &changes)?)
    }

    /// Returns the folder of the source's licence files in a tree.
    pub fn licenses_in(&self, tree: Oid) -> Result<Option<Oid>> {
        tree_at(self.store, tree, &self.layout.licenses(self.source))
    }

    fn is_apart_from_licenses(&self, tree: Oid, id: &SkillId, ground: &Ground, made: &Made) -> Result<bool> {
        let (skill, entry) = skill_at(self.store, tree, self.layout, id)?;
        let except = [self.layout.skill(id), self.layout.entry(id), self.layout.licenses(self.source)];
        Ok(skill == made.skill && self.is_entry(entry, made)? && same_except(self.store, tree, ground.tree, &except)?)
    }

    /// Tells whether a blob is the entry that was made, or the one with the licence in the skill's own words: a better look at it is
    /// no cause to make all candidates again.
    fn is_entry(&self, blob: Option<Oid>, made: &Made) -> Result<bool> {
        match (blob, &made.former_entry) {
            (Some(blob), Some(former)) if blob != made.entry => Ok(self.store.blob(blob)? == former.as_bytes()),
            (blob, _) => Ok(blob == Some(made.entry)),
        }
    }

    /// Tells whether the whole tree of `head`, licence files apart, is the tool's candidate re-made from the entry at
    /// `head` on the commit `on`.
    pub fn is_remade_on(&self, head: Oid, on: Oid, id: &SkillId) -> Result<bool> {
        let proposed = Ground::at(self.store, self.layout, id, head)?;
        let ground = Ground::at(self.store, self.layout, id, on)?;
        match self.remake(&proposed, &ground)? {
            Some(made) => self.is_apart_from_licenses(proposed.tree, id, &ground, &made),
            None => Ok(false),
        }
    }

    /// Re-makes on `ground` the candidate whose entry stands at `proposed`; none where that entry offers nothing that
    /// can still be made.
    pub fn remake(&self, proposed: &Ground, ground: &Ground) -> Result<Option<Made>> {
        let Some(offered) = proposed.upstream() else { return Ok(None) };
        if ground.upstream().is_some_and(|here| here.record() == offered.record() && here.path == offered.path) {
            // The ground has this very update: the candidate would change nothing.
            let entry = ground.entry.as_ref().map(|entry| entry.blob);
            let at = Some(&offered.path).filter(|_| offered.accepted != TreeHash::EMPTY).cloned();
            let made = |entry| Made { skill: ground.skill, entry, former_entry: None, conflicts: Vec::new(), at };
            return Ok(entry.map(made));
        }
        let tree = (offered.accepted != TreeHash::EMPTY).then_some(offered.git_tree);
        if offered.source != *self.source || !self.store.contains(offered.mirror) {
            return Ok(None);
        }
        let offer = Offer { path: offered.path.clone(), tree, accepted: offered.accepted, mirror: offered.mirror };
        match self.make(ground, &offer) {
            Ok(made) => Ok(Some(made)),
            // A base or a tree that is gone: then nobody can say that the branch is the tool's own.
            Err(error) if matches!(error.kind(), ErrorKind::UnknownBase | ErrorKind::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Returns the first line of a candidate's commit: what it does to the skill, in words of ours only.
pub fn subject(id: &SkillId, class: Class, source: &SourceName, revision: Option<&str>, path: &RelPath) -> String {
    let at = revision.map_or(String::new(), |id| format!(" {}", inert(short_revision(id))));
    match class {
        Class::New => format!("{id}: add from {source}{at}"),
        Class::Removed => format!("{id}: removed by {source}{at}"),
        Class::AlreadyApplied => format!("{id}: record {source}{at}, which is here already"),
        Class::Moved => format!("{id}: follow {source}{at} to {}", inert(path.as_str())),
        _ => format!("{id}: update to {source}{at}"),
    }
}

/// Returns the change of licence between two entries; a licence that appears is one. Of a removal there is nothing to say.
pub fn license_change(before: Option<&Upstream>, after: Option<&Upstream>) -> Option<LicenseChange> {
    let after = after.filter(|after| after.accepted != TreeHash::EMPTY)?;
    let before = before?.license.as_deref().filter(|stated| license::is_known(stated));
    let before = before.map(|stated| license::expression(stated).unwrap_or_else(|| stated.to_owned()));
    (after.license != before).then(|| LicenseChange { before, after: after.license.clone() })
}

/// Returns the error for a base that can be found nowhere.
pub fn unknown_base(id: &SkillId, upstream: &Upstream, tried: &Error) -> Error {
    Error::new(ErrorKind::UnknownBase, format!("the base of `{id}` ({}) can be found nowhere", upstream.accepted))
        .because(tried.clone())
        .hint(format!(
            "nothing was changed; bring the branch mirror/{0} from a clone that has it (git fetch), or find the base \
             anew: skillgraft link {id} --to {0}",
            upstream.source
        ))
}
