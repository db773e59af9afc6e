//! The candidate branches as one run sees them: local, remote-tracking, offered, checked out.

use crate::git::{History, Oid, RefName, Store};
use crate::registry::{Registry, View};
use crate::types::{Result, SkillId, SourceName};
use std::collections::{BTreeMap, BTreeSet};

/// All refs that decide about candidates, read once.
pub struct Branches {
    local: BTreeMap<String, Oid>,
    remote: BTreeMap<String, Oid>,
    own: BTreeMap<String, Oid>,
    checked_out: BTreeMap<String, std::path::PathBuf>,
}

/// One candidate branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// Its name.
    pub name: RefName,
    /// The local branch.
    pub local: Option<Oid>,
    /// The remote-tracking branch.
    pub tracking: Option<Oid>,
    /// The head that counts.
    pub head: Option<Oid>,
    /// Local and remote-tracking branch each have something that the other has not.
    pub diverged: bool,
    /// Some work tree has it checked out.
    pub checked_out: bool,
}

impl Branches {
    /// Reads the refs of a registry.
    pub fn load(registry: &Registry) -> Result<Self> {
        let prefix = registry.names.all_candidates();
        let mut own = registry.list_here("refs/skillgraft/offered/")?;
        own.extend(registry.list_here("refs/skillgraft/superseded/")?);
        // What somebody looks at here is no matter to a remote.
        let checked_out = match registry.view {
            View::Clone => registry.repository.checked_out_branches(),
            View::Remote { .. } => BTreeMap::new(),
        };
        Ok(Branches {
            local: registry.list_here(&prefix)?,
            remote: registry.list_elsewhere(&prefix)?,
            own,
            checked_out,
        })
    }

    /// Returns the names of all candidate branches, local or not.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let remote_only = self.remote.keys().filter(|name| !self.local.contains_key(*name));
        self.local.keys().chain(remote_only).map(String::as_str)
    }

    /// Returns the skills of a source that have a candidate branch.
    pub fn of_source(&self, registry: &Registry, source: &SourceName) -> Vec<SkillId> {
        let prefix = registry.names.candidates(source);
        let names = self.names().filter(|name| name.starts_with(&prefix));
        let parsed = names.filter_map(|name| registry.names.parse_candidate(name));
        let mut ids: Vec<SkillId> = parsed.filter(|(of, _)| of == source).map(|(_, id)| id).collect();
        ids.sort();
        ids
    }

    /// Returns the sources of which this clone itself has a candidate, or remembers an offer.
    pub fn sources(&self, registry: &Registry) -> BTreeSet<SourceName> {
        let branches = self.local.keys().filter_map(|name| registry.names.parse_candidate(name));
        let offers = self.own.keys().filter_map(|name| registry.names.parse_offered(name));
        branches.chain(offers).map(|(source, _)| source).collect()
    }

    /// Returns the skills of a source of which this clone remembers an offer, with the refs that do.
    pub fn offers_of<'b>(
        &'b self,
        registry: &'b Registry,
        source: &'b SourceName,
    ) -> impl Iterator<Item = (SkillId, &'b str, Oid)> {
        self.own.iter().filter_map(move |(name, id)| {
            let (of, skill) = registry.names.parse_offered(name)?;
            (of == *source).then_some((skill, name.as_str(), *id))
        })
    }

    /// Returns one of the tool's own refs (`offered`, `superseded`).
    pub fn own(&self, name: &RefName) -> Option<Oid> {
        self.own.get(name.as_str()).copied()
    }

    /// Returns a branch. Where local and remote-tracking branch differ, the one that contains the other counts; where
    /// they diverged, the remote's.
    pub fn get(&self, store: &Store, name: &RefName) -> Result<Branch> {
        let local = self.local.get(name.as_str()).copied();
        let tracking = self.remote.get(name.as_str()).copied();
        let (head, diverged) = counting(store, local, tracking)?;
        let checked_out = self.checked_out.contains_key(name.as_str());
        Ok(Branch { name: name.clone(), local, tracking, head, diverged, checked_out })
    }
}

/// Returns the head that counts of a local and a remote-tracking ref, and whether they diverged.
pub fn counting(store: &Store, local: Option<Oid>, remote: Option<Oid>) -> Result<(Option<Oid>, bool)> {
    match (local, remote) {
        (Some(local), Some(remote)) if local != remote => {
            if History::of(store, local)?.contains(remote)? {
                Ok((Some(local), false))
            } else {
                let ahead = History::of(store, remote)?.contains(local)?;
                Ok((Some(remote), !ahead))
            }
        }
        (local, remote) => Ok((local.or(remote), false)),
    }
}
