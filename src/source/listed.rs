//! A plugin that a marketplace lists, as a source: it follows the marketplace's pin, and so moves when that does.
//!
//! What a marketplace says is upstream's word: it may send us to another repository, but not to this machine's disk
//! unless it lies there itself, and to nothing that runs a program. Its file is read once in a run, and the files of all
//! its plugins that the run will want are fetched in one request.

use super::Access;
use super::git::{self, Place};
use super::http::{has_proxy, is_private_host};
use super::location::{self, Repository as Written};
use super::marketplace::{self, Marketplace};
use super::plugin::{self, Stated};
use super::snapshot::Snapshot;
use crate::git::{Mode, Oid, Repository, Store, entry_at, tree_at};
use crate::skill::Limits;
use crate::types::{Context as _, Error, ErrorKind, RelPath, Result, one_line};
use std::path::Path;
use std::sync::Arc;

/// How many blobs one request may ask for ahead of time, and how many tree entries are looked at to find them.
const AHEAD: usize = 50_000;
/// What is to be done about a plugin that is no more.
pub const GONE: &str =
    "its skills stay; where it is gone for good: skillgraft source remove SOURCE --adopt (or --delete)";
/// How deep folders are looked into: no deeper than a path that can be used.
const DEPTH: usize = 32;

/// A marketplace, and how what it says is followed.
#[derive(Clone, Copy)]
pub struct Shop<'a> {
    /// How sources are reached.
    pub access: &'a Access<'a>,
    /// As the source file writes it.
    pub written: &'a str,
    /// Its branch, tag or commit.
    pub reference: Option<&'a str>,
    /// Whether unencrypted http is allowed.
    pub insecure: bool,
    /// The directory that relative paths start at.
    pub registry: &'a Path,
    /// How large a file may be.
    pub limits: &'a Limits,
}

/// Where a plugin's files are.
#[derive(Clone, PartialEq, Eq)]
enum Repo {
    /// In the marketplace's own repository or folder.
    Own,
    /// In another repository, at this ref.
    Other(Place, Option<String>),
    /// In an archive or a package of npm.
    Package(marketplace::Place),
}

struct Found {
    repo: Repo,
    root: RelPath,
    stated: Stated,
}

impl<'a> Shop<'a> {
    /// Returns what the marketplace lists; a run reads it once.
    ///
    /// # Errors
    /// [`ErrorKind::NoEvidence`] where there is no marketplace's file, or none that can be read.
    pub fn listing(&self) -> Result<Arc<Marketplace>> {
        self.access.memo.market(self.written, self.reference, || {
            let snapshot = self.snapshot()?;
            read(&snapshot)?.map(Arc::new).ok_or_else(|| {
                Error::new(ErrorKind::NoEvidence, format!("{} is no marketplace", git::shown(self.written)))
                    .hint(format!("a marketplace has one of {}", marketplace::FILES.join(", ")))
            })
        })
    }

    /// Returns the state of a plugin, with what of it is the plugin's.
    pub fn observe(&self, plugin: &str) -> Result<Snapshot> {
        let found = self.find(plugin)?;
        let snapshot = self.open(&found.repo)?;
        self.fetch_ahead(&found.repo, &snapshot);
        let scope = plugin::scope(&snapshot, &found.root, &found.stated)?;
        Ok(Snapshot { scope: Some(scope), ..snapshot })
    }

    /// Returns the state of a plugin's repository at another ref, all of it.
    pub fn observe_at(&self, plugin: &str, reference: &str) -> Result<Snapshot> {
        match self.find(plugin)?.repo {
            Repo::Own => Shop { reference: Some(reference), ..*self }.snapshot(),
            Repo::Other(place, _) => git::observe(self.access, &place, Some(reference)),
            Repo::Package(_) => Err(Error::new(ErrorKind::UnknownBase, "a package has no earlier states")),
        }
    }

    /// Returns the state of a plugin's repository at a commit that an entry recorded, all of it.
    pub fn observe_revision(&self, plugin: &str, revision: &str) -> Result<Snapshot> {
        self.observe_at(plugin, revision).context(ErrorKind::UnknownBase, || format!("cannot fetch {revision}"))
    }

    /// Returns the present state of a plugin's repository with its whole history.
    pub fn observe_history(&self, plugin: &str) -> Result<Snapshot> {
        match self.find(plugin)?.repo {
            Repo::Other(place, reference) => git::observe_history(self.access, &place, reference.as_deref()),
            Repo::Package(package) => self.package(&package),
            Repo::Own => match self.place()? {
                Some(place) => git::observe_history(self.access, &place, self.reference),
                None => self.snapshot(),
            },
        }
    }

    /// The marketplace's own repository; none where it is a plain folder.
    fn place(&self) -> Result<Option<Place>> {
        let place = Place::repository(self.written, self.insecure, self.registry)?;
        let is_folder = matches!(&place, Place::Here(path) if path.is_dir() && Repository::open(path).is_err());
        Ok((!is_folder).then_some(place))
    }

    fn snapshot(&self) -> Result<Snapshot> {
        match self.place()? {
            Some(place) => git::observe(self.access, &place, self.reference),
            None => {
                let folder = self.registry.join(self.written);
                self.access.memo.folder(&folder, || super::directory::read(&folder, self.limits))
            }
        }
    }

    fn open(&self, repo: &Repo) -> Result<Snapshot> {
        match repo {
            Repo::Own => self.snapshot(),
            Repo::Other(place, reference) => git::observe(self.access, place, reference.as_deref()),
            Repo::Package(package) => self.package(package),
        }
    }

    fn package(&self, package: &marketplace::Place) -> Result<Snapshot> {
        let Shop { access, limits, .. } = *self;
        match package {
            marketplace::Place::Archive { url, sha256 } => {
                let (insecure, own) = (self.insecure_at(url)?, self.typed_host(url)?);
                super::archive::observe(access, url, &own, sha256.as_deref(), insecure, limits)
            }
            marketplace::Place::Npm { package, version, registry } => {
                // Without one it is the user's own.
                let insecure = registry.as_ref().map_or(Ok(self.insecure), |registry| self.insecure_at(registry))?;
                let own = registry.as_ref().map(|registry| self.typed_host(registry)).transpose()?;
                let registry = registry.as_deref().zip(own.as_deref());
                super::npm::observe(access, package, version.as_deref(), registry, insecure, limits)
            }
            marketplace::Place::Here(_) | marketplace::Place::Git { .. } => unreachable!("a repository is no package"),
        }
    }

    fn find(&self, name: &str) -> Result<Found> {
        let listing = self.listing()?;
        let listed = listing.find(name).ok_or_else(|| self.not_listed(&listing, name))?;
        let stated = listed.stated.clone();
        let unsupported = |why: &str| {
            Error::new(ErrorKind::Rejected, format!("plugin `{name}` cannot be followed: {why}"))
                .hint("nothing was closed or removed")
        };
        match &listed.place {
            Err(why) => Err(unsupported(why)),
            Ok(marketplace::Place::Here(root)) => Ok(Found { repo: Repo::Own, root: root.clone(), stated }),
            Ok(marketplace::Place::Git { url, path, reference }) => {
                let place = self.elsewhere(url).map_err(|error| unsupported(&error.full_message()))?;
                Ok(Found { repo: Repo::Other(place, reference.clone()), root: path.clone(), stated })
            }
            Ok(package @ (marketplace::Place::Archive { .. } | marketplace::Place::Npm { .. })) => {
                Ok(Found { repo: Repo::Package(package.clone()), root: RelPath::root(), stated })
            }
        }
    }

    /// Another repository that a marketplace names.
    fn elsewhere(&self, url: &str) -> Result<Place> {
        let wrong = |why: &str| Error::new(ErrorKind::Rejected, format!("`{}` {why}", one_line(url, 200)));
        match location::parse_repository(url)? {
            Written::Path(_) => Err(wrong("is no URL of a repository")),
            Written::Url(named) if location::is_local(&named) && !self.is_local()? => {
                Err(wrong("is on this machine, where only a marketplace of this machine may point"))
            }
            Written::Url(named) => {
                let insecure = self.insecure_at(&named)?;
                self.refuse_inside(&named)?;
                Place::repository(url, insecure, self.registry)
            }
        }
    }

    /// Returns the host that the person typed: the marketplace's. What one on this machine names is as good as typed.
    fn typed_host(&self, url: &str) -> Result<String> {
        Ok(match location::parse_repository(self.written)? {
            Written::Url(own) if !location::is_local(&own) => host(&own),
            _ => host(url),
        })
    }

    /// Refuses a repository that the marketplace names where its name leads inside, and the marketplace's own does not.
    /// git resolves it once more, so this is no proof; what is fetched in this process is looked at as it is connected.
    fn refuse_inside(&self, url: &str) -> Result<()> {
        let (own, named) = (self.typed_host(url)?, host(url));
        let is_asked = !self.access.offline && !has_proxy(self.access.environment, url);
        if named == own || !is_asked || !self.access.memo.is_inside(&named) || self.access.memo.is_inside(&own) {
            return Ok(());
        }
        Err(inside(url))
    }

    /// Tells whether an address that the marketplace names may be unencrypted: where the person has allowed that for the
    /// marketplace's own host, or the marketplace lies on this machine.
    ///
    /// # Errors
    /// Where the address is this machine or in a private network, and the marketplace is neither there nor here.
    fn insecure_at(&self, url: &str) -> Result<bool> {
        match host(url) {
            named if named == self.typed_host(url)? => Ok(self.insecure),
            named if is_private_host(&named) => Err(inside(url)),
            _ => Ok(false),
        }
    }

    fn is_local(&self) -> Result<bool> {
        Ok(match location::parse_repository(self.written)? {
            Written::Path(_) => true,
            Written::Url(url) => location::is_local(&url),
        })
    }

    fn not_listed(&self, listing: &Marketplace, name: &str) -> Error {
        let error = Error::new(
            ErrorKind::NoEvidence,
            format!("{} lists no plugin `{}`", git::shown(self.written), one_line(name, 100)),
        );
        match listing.renames.get(name) {
            Some(new) => error.hint(format!(
                "it is called `{0}` there now: set `plugin = \"{0}\"` in the source file; nothing was closed or removed",
                one_line(new, 100)
            )),
            None => error.hint(GONE),
        }
    }

    /// Fetches in one request what the plugins of this run will want of a repository. A failure is each plugin's own.
    fn fetch_ahead(&self, repo: &Repo, snapshot: &Snapshot) {
        if snapshot.fetch.is_none() {
            return;
        }
        self.access.memo.once_for(self.written, snapshot.tree, || {
            let names = self.access.memo.expected(self.written, self.reference);
            let mut ahead = Ahead { store: snapshot.store(), blobs: Vec::new(), left: AHEAD };
            for found in names.iter().filter_map(|name| self.find(name).ok()).filter(|found| found.repo == *repo) {
                if ahead.collect(snapshot.tree, &found).is_err() {
                    return;
                }
            }
            let _ = snapshot.need(ahead.blobs);
        });
        // What another thread has fetched into a repository that this one had opened before.
        snapshot.store().refresh();
    }
}

fn inside(url: &str) -> Error {
    let url = one_line(&crate::git::redact(url), 200);
    let message =
        format!("`{url}` is on this machine or in a private network, where only a marketplace from there may point");
    Error::new(ErrorKind::Rejected, message)
}

/// The host that a URL of any kind names, or one as ssh writes it (`user@host:path`).
fn host(url: &str) -> String {
    let authority = match url.split_once("://") {
        Some((_, rest)) => rest.split(['/', '?', '#']).next().unwrap_or_default(),
        None => url.split('/').next().unwrap_or_default(),
    };
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let end = if host.starts_with('[') { host.find(']').map(|at| at + 1) } else { host.find(':') };
    host[..end.unwrap_or(host.len())].to_ascii_lowercase()
}

/// Collects blobs that will be wanted.
struct Ahead<'s> {
    store: &'s Store,
    blobs: Vec<Oid>,
    left: usize,
}

impl Ahead<'_> {
    fn collect(&mut self, tree: Oid, found: &Found) -> Result<()> {
        let manifests = plugin::manifests_in(self.store, tree, &found.root)?;
        self.blobs.extend(manifests.into_iter().map(|(_, id)| id));
        let skills = RelPath::parse("skills").expect("a fixed name");
        for folder in found.stated.skills.iter().flatten().chain([&skills]) {
            if let Some(folder) = tree_at(self.store, tree, &found.root.join_path(folder))? {
                self.below(folder, DEPTH)?;
            }
        }
        for above in std::iter::successors(Some(found.root.clone()), RelPath::parent) {
            let Some(folder) = tree_at(self.store, tree, &above)? else { continue };
            let entries = self.store.tree(folder)?;
            let licenses = entries.entries().iter().filter(|entry| entry.mode.is_file());
            self.blobs.extend(licenses.filter(|entry| super::is_license(&entry.name)).map(|entry| entry.id));
        }
        Ok(())
    }

    fn below(&mut self, tree: Oid, depth: usize) -> Result<()> {
        for entry in self.store.tree(tree)?.entries() {
            self.left = self.left.checked_sub(1).ok_or_else(|| Error::new(ErrorKind::Limit, "too many files"))?;
            match entry.mode {
                Mode::Tree if depth > 0 => self.below(entry.id, depth - 1)?,
                Mode::Tree | Mode::Submodule => {}
                _ => self.blobs.push(entry.id),
            }
        }
        Ok(())
    }
}

/// Reads the marketplace's file of a repository; none where there is none.
///
/// # Errors
/// Where it is broken.
pub fn read(snapshot: &Snapshot) -> Result<Option<Marketplace>> {
    for file in marketplace::FILES {
        let path = RelPath::parse(file).expect("a fixed name");
        let Some(place) = entry_at(snapshot.store(), snapshot.tree, &path)?.filter(|place| place.mode.is_file()) else {
            continue;
        };
        snapshot.need([place.id])?;
        if matches!(snapshot.store().header(place.id)?, Some((_, size)) if size > plugin::MANIFEST_BYTES) {
            return Err(Error::new(ErrorKind::Limit, format!("{file} has more than {} bytes", plugin::MANIFEST_BYTES)));
        }
        let read = marketplace::parse(&snapshot.store().blob(place.id)?);
        return read.map(Some).map_err(|cause| {
            Error::new(ErrorKind::NoEvidence, format!("{file} cannot be read"))
                .because(cause)
                .hint("nothing was closed or removed")
        });
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::{Environment, Git};
    use crate::source::{FETCH_BYTES, Trust};

    #[test]
    fn a_marketplace_elsewhere_names_no_private_address_and_nothing_unprotected() {
        let environment = Environment(Default::default());
        let (git, trust) = (Git::new("git", &environment), Trust::in_folder(Path::new("none")));
        let access = Access {
            git: &git,
            environment: &environment,
            cache: Path::new("none"),
            trust: &trust,
            offline: true,
            dry_run: true,
            deadline: super::super::DEADLINE,
            first_answer: super::super::FIRST_ANSWER,
            max_bytes: FETCH_BYTES,
            now: 0,
            memo: Default::default(),
        };
        let limits = Limits::default();
        let shop = |written| Shop {
            access: &access,
            written,
            reference: None,
            insecure: true,
            registry: Path::new("none"),
            limits: &limits,
        };
        let named = |written, url| shop(written).insecure_at(url).map_err(|error| error.kind());
        let elsewhere = "https://market.example/m.git";
        assert_eq!(named(elsewhere, "http://other.example/a.tgz"), Ok(false));
        assert_eq!(named(elsewhere, "http://market.example:80/a.tgz"), Ok(true));
        for private in [
            "http://127.0.0.1:9/x",
            "https://u@169.254.169.254/x",
            "ssh://git@[fd00::1]:22/x",
            "git@10.0.0.1:x",
            "https://localhost?x",
        ] {
            assert_eq!(named(elsewhere, private), Err(ErrorKind::Rejected), "{private}");
            assert_eq!(named("../market", private), Ok(true), "{private}");
        }
        assert_eq!(named("http://127.0.0.1:8/m.git", "http://127.0.0.1:9/x"), Ok(true));
        // A name counts as what it resolves to, unless the marketplace is inside as well, or a proxy is asked.
        for (host, inside) in [("market.example", false), ("git.intranet.example", true), ("intranet.example", true)] {
            access.memo.leads_inside(host, inside);
        }
        let proxy = Environment([("https_proxy".into(), "http://proxy.example:3128".into())].into());
        let online = Access { offline: false, ..access.clone() };
        let proxied = Access { environment: &proxy, ..online.clone() };
        let refuses = |access, written| {
            let shop = Shop { access, ..shop(written) };
            shop.refuse_inside("https://intranet.example/x.git").is_err()
        };
        assert!(refuses(&online, elsewhere));
        assert!(!refuses(&online, "https://git.intranet.example/m.git") && !refuses(&online, "../market"));
        assert!(!refuses(&proxied, elsewhere) && !refuses(&access, elsewhere));
    }
}
