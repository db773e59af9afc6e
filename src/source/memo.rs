//! What one run has asked upstreams already.
//!
//! Many sources may come from one repository: a marketplace's plugins do. So what a remote answered, and the repository
//! of the cache while anybody reads from it, are shared by the sources of a run, and the number of processes depends on
//! the number of upstreams, not of sources. A run's memo ends with the run: the next one asks anew.

use super::Access;
use super::cache::{self, CacheRepository};
use super::http::resolves_inside;
use super::marketplace::Marketplace;
use super::snapshot::Snapshot;
use crate::git::{Oid, Repository};
use crate::registry::{Origin, SourceFile};
use crate::types::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

/// What one run has asked upstreams already.
#[derive(Default)]
pub struct Memo {
    upstreams: Mutex<BTreeMap<String, Upstream>>,
    here: Mutex<BTreeMap<(PathBuf, Option<String>), Opened>>,
    folders: Mutex<BTreeMap<PathBuf, Snapshot>>,
    markets: Mutex<BTreeMap<Market, Once<Result<Arc<Marketplace>>>>>,
    expected: Mutex<BTreeMap<Market, BTreeSet<String>>>,
    ahead: Mutex<BTreeMap<(String, Oid), Once<()>>>,
    inside: Mutex<BTreeMap<String, Once<bool>>>,
    tidied: OnceLock<()>,
}

/// What the first one who asks finds out, while the others wait.
type Once<T> = Arc<OnceLock<T>>;

/// A marketplace and its ref, as source files write them.
type Market = (String, Option<String>);

/// A repository of this disk, and the commit that is looked at.
type Opened = (Arc<Repository>, Oid);

/// One URL. Its lock is held while git talks to it: two fetches into one repository would tidy up after each other.
pub(super) type Upstream = Arc<Mutex<Asked>>;

/// What is known of one URL.
#[derive(Default)]
pub(super) struct Asked {
    /// The ref and commit that a name stands for.
    pub(super) resolved: BTreeMap<Option<String>, Result<(String, String)>>,
    /// Commits that could not be fetched.
    pub(super) refused: BTreeMap<String, Error>,
    /// The repository, as long as a snapshot may fetch more into it.
    held: Weak<CacheRepository>,
    /// That of a dry run, which goes away with the run.
    temporary: Option<Arc<CacheRepository>>,
}

impl Memo {
    /// Returns what is known of `url`.
    pub(super) fn upstream(&self, url: &str) -> Upstream {
        locked(&self.upstreams).entry(url.to_owned()).or_default().clone()
    }

    /// Returns the repository at a path of this disk and the commit that `find` finds in it: the same one for the whole
    /// run, whoever moves it meanwhile.
    pub(super) fn here(
        &self,
        path: PathBuf,
        reference: Option<&str>,
        find: impl FnOnce() -> Result<Opened>,
    ) -> Result<Opened> {
        let mut here = locked(&self.here);
        let key = (path, reference.map(str::to_owned));
        if let Some(known) = here.get(&key) {
            return Ok(known.clone());
        }
        let found = find()?;
        here.insert(key, found.clone());
        Ok(found)
    }

    /// Returns the state of a plain folder: the same one for the whole run.
    pub(super) fn folder(&self, path: &Path, read: impl FnOnce() -> Result<Snapshot>) -> Result<Snapshot> {
        let mut folders = locked(&self.folders);
        if let Some(known) = folders.get(path) {
            return Ok(known.clone());
        }
        let snapshot = read()?;
        folders.insert(path.to_owned(), snapshot.clone());
        Ok(snapshot)
    }

    /// Returns what a marketplace lists, or why nobody can say; the first one who asks reads it.
    pub(super) fn market(
        &self,
        written: &str,
        reference: Option<&str>,
        read: impl FnOnce() -> Result<Arc<Marketplace>>,
    ) -> Result<Arc<Marketplace>> {
        let key = (written.to_owned(), reference.map(str::to_owned));
        let known = locked(&self.markets).entry(key).or_default().clone();
        known.get_or_init(read).clone()
    }

    /// Remembers the plugins that a run is going to look at, so that their files come in one request.
    pub fn expect<'s>(&self, sources: impl Iterator<Item = &'s SourceFile>) {
        let mut expected = locked(&self.expected);
        for source in sources {
            if let Origin::Plugin { marketplace, plugin } = &source.origin {
                let key = (marketplace.clone(), source.reference.clone());
                expected.entry(key).or_default().insert(plugin.clone());
            }
        }
    }

    /// Returns the plugins of a marketplace that this run is going to look at.
    pub(super) fn expected(&self, written: &str, reference: Option<&str>) -> BTreeSet<String> {
        let key = (written.to_owned(), reference.map(str::to_owned));
        locked(&self.expected).get(&key).cloned().unwrap_or_default()
    }

    /// Does something for a marketplace and a tree, once in a run; others wait until it is done.
    pub(super) fn once_for(&self, written: &str, tree: Oid, act: impl FnOnce()) {
        let key = (written.to_owned(), tree);
        let once = locked(&self.ahead).entry(key).or_default().clone();
        once.get_or_init(act);
    }

    /// Tidies the kept answers up, once in a run; others wait until it is done.
    pub(super) fn tidy_once(&self, act: impl FnOnce()) {
        self.tidied.get_or_init(act);
    }

    /// Says beforehand where a host's name leads.
    #[cfg(test)]
    pub(super) fn leads_inside(&self, host: &str, inside: bool) {
        locked(&self.inside).insert(host.to_owned(), Arc::new(OnceLock::from(inside)));
    }

    /// Tells whether a host's name leads to this machine or into a private network; it is resolved once in a run.
    pub(super) fn is_inside(&self, host: &str) -> bool {
        let known = locked(&self.inside).entry(host.to_owned()).or_default().clone();
        *known.get_or_init(|| resolves_inside(host))
    }
}

impl Asked {
    /// Returns the repository of the cache that `url` is fetched into, locked against other processes until nobody in
    /// this one holds it any more.
    pub(super) fn hold(&mut self, access: &Access<'_>, url: &str, sha256: bool) -> Result<Arc<CacheRepository>> {
        if let Some(held) = self.held() {
            return Ok(held);
        }
        let open = if access.dry_run { cache::open_temporary } else { cache::open };
        let held = Arc::new(open(access.cache, url, access.git, sha256)?);
        self.held = Arc::downgrade(&held);
        self.temporary = access.dry_run.then(|| held.clone());
        Ok(held)
    }

    /// Returns the repository, if somebody in this process holds it.
    pub(super) fn held(&self) -> Option<Arc<CacheRepository>> {
        self.held.upgrade()
    }
}

/// Locks what a thread that has panicked may have held: it is only a memo.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
