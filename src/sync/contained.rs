//! Updates that the team took back or declined, and that lie on the way to the one that is offered now.
//!
//! A hold is on one upstream state only; the next one is proposed again, and it may well contain what the team did not
//! want. Nothing decides by this: it is told to whoever reviews.

use super::candidate::Offer;
use super::holds::{HoldKind, Holder};
use super::mirror::{revision_of, upstream_at};
use super::records::Update;
use crate::git::{Oid, first_parents};
use crate::registry::{Entry, Upstream};
use crate::skill::TreeHasher;
use crate::types::{Result, SkillId, TreeHash};
use serde::Serialize;
use std::collections::BTreeMap;

/// An update that the team did not want, and that the offered one contains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contained {
    /// Whether it was reverted or declined.
    pub kind: HoldKind,
    /// Its tree hash.
    pub upstream: TreeHash,
    /// The upstream commit that the mirror recorded with it.
    pub revision: Option<String>,
    /// Why, in the words of the person: the reason of a decline, the first line of the commit that took it back.
    pub reason: Option<String>,
    /// Who.
    pub by: Option<String>,
    /// The commit of the default branch that took it back.
    pub commit: Option<Oid>,
}

impl Holder<'_> {
    /// Returns the updates that the team reverted or declined and that the mirror passed on its way from the entry's
    /// base to `offer`, newest first. The mirror is walked only where there is such an update.
    pub fn contained(
        &self,
        hasher: &TreeHasher<'_>,
        id: &SkillId,
        entry: &Entry,
        offer: &Offer,
    ) -> Result<Vec<Contained>> {
        let Some(followed) = &entry.upstream else { return Ok(Vec::new()) };
        let mut unwanted = self.unwanted(id, entry, followed)?;
        unwanted.remove(&offer.accepted);
        unwanted.remove(&followed.accepted);
        let mut passed: Vec<Contained> = Vec::new();
        if unwanted.is_empty() {
            return Ok(passed);
        }
        let mut newer = None;
        for commit in first_parents(self.store, offer.mirror) {
            let commit = commit?;
            let there = self.store.commit(commit)?.tree;
            let tree = match upstream_at(self.store, there, &offer.path)? {
                // Before upstream moved it.
                None => upstream_at(self.store, there, &followed.path)?,
                tree => tree,
            };
            if commit == followed.mirror || tree == Some(followed.git_tree) {
                break;
            }
            let hash = tree.map(|tree| hasher.hash(tree)).transpose()?.unwrap_or(TreeHash::EMPTY);
            if newer != Some(hash) {
                passed.extend(unwanted.remove(&hash));
            }
            newer = Some(hash);
            // The oldest commit of its run is the one that brought it.
            if let Some(last) = passed.last_mut().filter(|last| last.upstream == hash) {
                last.revision = revision_of(self.store, commit)?;
            }
        }
        Ok(passed)
    }

    fn unwanted(&self, id: &SkillId, entry: &Entry, followed: &Upstream) -> Result<BTreeMap<TreeHash, Contained>> {
        let mut unwanted = BTreeMap::new();
        let records = (self.records)()?;
        for accepted in records.went_back(&followed.path) {
            let commits = self.newest(records.taken_back(Update { entry: Some(id), accepted, only_at: None }))?;
            let Some(commit) = commits.first().copied() else { continue };
            let data = self.store.commit(commit)?;
            let reason = Some(data.subject().to_owned()).filter(|subject| !subject.is_empty());
            let by = Some(name(&data.author));
            let (kind, revision, commit) = (HoldKind::Reverted, None, Some(commit));
            unwanted.insert(accepted, Contained { kind, upstream: accepted, revision, reason, by, commit });
        }
        let declined =
            entry.declined.as_ref().filter(|declined| declined.until.is_none_or(|until| until.holds_on(self.today)));
        if let Some(declined) = declined
            && let Ok(upstream) = TreeHash::parse(&declined.upstream)
        {
            let commit = unwanted.get(&upstream).and_then(|one: &Contained| one.commit);
            let (reason, by) = (declined.reason.clone(), declined.by.as_deref().map(name));
            let kind = HoldKind::Declined;
            unwanted.insert(upstream, Contained { kind, upstream, revision: None, reason, by, commit });
        }
        Ok(unwanted)
    }
}

/// Returns a person's name without the address.
pub(super) fn name(person: &str) -> String {
    person.split(" <").next().unwrap_or(person).to_owned()
}

impl Contained {
    /// Returns the sentence that tells it, on one line and escaped.
    pub fn sentence(&self) -> String {
        let what = match &self.revision {
            Some(revision) => format!("of {}", crate::types::short_revision(revision)),
            None => self.upstream.to_string(),
        };
        let by = self.by.as_ref().map_or(String::new(), |by| format!(" by {}", crate::types::one_line(by, 60)));
        let why = self.reason.as_ref().map_or(String::new(), |why| format!(": {}", crate::types::one_line(why, 200)));
        format!("this update contains the one {what}, which was {}{by}{why}", self.kind.as_str())
    }
}
