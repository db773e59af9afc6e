//! Whose refs count: this clone's, or the remote's alone.
//!
//! A sync that pushes decides from what the remote has, and from nothing that only this clone has: so any two runners
//! decide the same. The remote's refs are kept under a prefix of their own, where nobody else writes.

use super::settings::{self, Settings};
use super::{Registry, toml_file};
use crate::git::{
    Oid, OwnRemote, Protocols, RefChange, RefName, Remote, RemoteRefs, entry_at, ls_remote, no_such_remote,
};
use crate::types::{Error, ErrorKind, RelPath, Result};
use std::collections::BTreeMap;

/// The refs that count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum View {
    /// This clone's: local ones, else the remote-tracking ones.
    Clone,
    /// A remote's, as they were when they were last fetched.
    Remote {
        /// The remote's name.
        remote: String,
        /// Every ref that it has, what people pushed there too.
        names: BTreeMap<String, String>,
    },
}

/// Where the refs of a remote are kept: `refs/heads/x` as `<this>heads/x`.
fn kept_under(remote: &str) -> String {
    format!("refs/skillgraft/remote/{remote}/")
}

impl View {
    /// Returns the ref of this repository that says what `name` is where a change of it would be made.
    fn kept(&self, name: &str) -> String {
        match self {
            View::Clone => name.to_owned(),
            View::Remote { remote, .. } => name.replacen("refs/", &kept_under(remote), 1),
        }
    }
}

impl Registry {
    /// Returns what a ref is where a change of it would be made: here, or on the remote that is pushed to.
    pub fn here(&self, name: &str) -> Result<Option<Oid>> {
        self.repository.refs.get(&self.view.kept(name))
    }

    /// Returns what a branch is on the remote as far as this clone knows; nothing where the remote itself counts.
    pub fn elsewhere(&self, branch: &str) -> Result<Option<Oid>> {
        match self.remote_tracking(branch) {
            Some(tracking) => self.repository.refs.get(&tracking),
            None => Ok(None),
        }
    }

    /// Returns what one of the tool's own refs was on the remote when this clone last pushed there.
    pub fn pushed_elsewhere(&self, name: &str) -> Result<Option<Oid>> {
        match &self.remote {
            Some(remote) => self.repository.refs.get(&self.kept_at(remote, name)),
            None => Ok(None),
        }
    }

    /// Returns the refs below `prefix`, by full name, where changes of them would be made.
    pub fn list_here(&self, prefix: &str) -> Result<BTreeMap<String, Oid>> {
        self.listed(&self.view.kept(prefix), prefix)
    }

    /// Returns the branches below `prefix`, by full name, that the remote has as far as this clone knows.
    pub fn list_elsewhere(&self, prefix: &str) -> Result<BTreeMap<String, Oid>> {
        self.remote_tracking(prefix).map_or(Ok(BTreeMap::new()), |tracking| self.listed(&tracking, prefix))
    }

    fn listed(&self, kept: &str, prefix: &str) -> Result<BTreeMap<String, Oid>> {
        let refs = self.repository.refs.list(kept)?;
        Ok(refs.into_iter().map(|(name, id)| (name.replacen(kept, prefix, 1), id)).collect())
    }

    /// Returns the ref that remembers, where it counts, up to which head versions are tagged.
    pub fn tagged(&self) -> String {
        self.view.kept("refs/skillgraft/tagged")
    }

    /// Returns the registry as a remote has it now: its default branch, its refs, and none that only this clone has.
    /// Asks with one process, and fetches with another where something moved.
    pub fn on_remote(mut self, remote: &OwnRemote<'_>) -> Result<Self> {
        let known = self.repository.remotes();
        if !known.iter().any(|name| name == remote.name) {
            return Err(no_such_remote(remote.name, &known));
        }
        let asked = Remote { url: remote.name, allow: Protocols::AsConfigured, deadline: remote.deadline };
        let found = ls_remote(remote.git, remote.at, &asked, &[])?;
        let default = found.head.clone().filter(|head| found.get(head).is_some());
        // Settings may name another branch, or another prefix: they are read from what the remote has.
        let mut branch = match default {
            Some(head) => RefName::parse(head)?,
            None => self.branch.clone(),
        };
        let mut settled = false;
        for _ in 0..3 {
            if found.get(branch.as_str()).is_none() {
                return Err(no_default_branch(remote.name, &branch, found.head.as_deref()));
            }
            self.fetch(remote, &found, &branch)?;
            let head = self.repository.refs.get(&self.kept_at(remote.name, branch.as_str()))?;
            let head = head.ok_or_else(|| no_default_branch(remote.name, &branch, found.head.as_deref()))?;
            let settings = self.settings_at(head)?;
            let names = super::RefNames::new(&settings.ref_prefix);
            let named = settings.branch.as_deref().map_or(Ok(branch.clone()), RefName::branch)?;
            settled = named == branch && names == self.names;
            (branch, self.names, self.head) = (named, names, head);
            if settled {
                break;
            }
        }
        if !settled {
            let message = format!("the settings on {} name one branch after the other as the default one", remote.name);
            return Err(Error::new(ErrorKind::Config, message)
                .hint("let skillgraft.toml of all of them name the same: [registry] branch = \"main\""));
        }
        let names = found.refs.into_iter().collect();
        self.remote = None;
        self.view = View::Remote { remote: remote.name.to_owned(), names };
        self.branch = branch;
        Ok(self)
    }

    fn kept_at(&self, remote: &str, name: &str) -> String {
        name.replacen("refs/", &kept_under(remote), 1)
    }

    /// Brings what decides: the default branch, mirrors, candidates, the tool's own refs, versions.
    fn fetch(&self, remote: &OwnRemote<'_>, found: &RemoteRefs, branch: &RefName) -> Result<()> {
        let own = ["offered/", "superseded/", "failed/"].map(|kind| format!("refs/skillgraft/{kind}"));
        let candidates = self.names.all_candidates();
        let mirrors = candidates.replace("candidate/", "mirror/");
        let prefixes: Vec<String> = own.into_iter().chain([candidates, mirrors, "refs/tags/".into()]).collect();
        let counts = |name: &str| name == branch.as_str() || prefixes.iter().any(|prefix| name.starts_with(prefix));
        let there: BTreeMap<String, &str> = found
            .refs
            .iter()
            .filter(|(name, _)| counts(name) && !name.ends_with("^{}"))
            .map(|(name, id)| (self.kept_at(remote.name, name), id.as_str()))
            .collect();
        let is_shallow = self.repository.is_shallow();
        let kept = self.repository.refs.list(&kept_under(remote.name))?;
        let kept = kept.iter().filter(|(name, _)| !name.ends_with("/skillgraft/tagged"));
        let is_known = kept
            .map(|(name, id)| (name.clone(), id.to_string()))
            .eq(there.into_iter().map(|(name, id)| (name, id.to_owned())));
        if is_known && !is_shallow {
            return Ok(());
        }
        let spec = |name: &str| format!("+{name}:{}", self.kept_at(remote.name, name));
        let patterns = prefixes.iter().map(|prefix| spec(&format!("{prefix}*")));
        let refspecs: Vec<String> = std::iter::once(spec(branch.as_str())).chain(patterns).collect();
        remote.fetch(&refspecs, is_shallow)?;
        self.repository.store.refresh();
        Ok(())
    }

    fn settings_at(&self, commit: Oid) -> Result<Settings> {
        let store = &self.repository.store;
        let file = self.folder.join_path(&RelPath::parse(settings::FILE).expect("a fixed name"));
        match entry_at(store, store.commit(commit)?.tree, &file)? {
            Some(place) => Settings::parse(toml_file::utf8(settings::FILE, &store.blob(place.id)?)?),
            None => Err(Error::new(ErrorKind::NotFound, format!("the remote's default branch has no {file}"))
                .hint("push the branch that has it first: git push")),
        }
    }

    /// Remembers what a push moved, so that the next run has nothing to fetch. A failure to remember costs that fetch.
    pub fn remember_pushed(&self, changes: &[&RefChange], identity: &str) {
        let kept = |change: &&RefChange| -> Option<RefChange> {
            let name = RefName::parse(self.view.kept(change.name.as_str())).ok()?;
            let expected = self.repository.refs.get(name.as_str()).ok()?;
            (expected != change.new).then_some(RefChange { name, expected, new: change.new })
        };
        let kept: Vec<RefChange> = changes.iter().filter_map(kept).collect();
        let _ = self.repository.refs.apply(&kept, "skillgraft: push", identity);
    }
}

fn no_default_branch(remote: &str, branch: &RefName, head: Option<&str>) -> Error {
    let branch = branch.short();
    let named = head.and_then(|head| head.strip_prefix("refs/heads/")).filter(|head| *head != branch);
    let error = Error::new(ErrorKind::NotFound, format!("{remote} has no branch `{branch}`, where the registry is"));
    error.hint(match named {
        Some(head) => {
            format!("if it is now called `{head}`, say so in skillgraft.toml: [registry] branch = \"{head}\"")
        }
        None => format!("push it first: git push {remote} {branch}"),
    })
}
