//! A plugin that a marketplace lists, as a source: it follows the marketplace's pin, and so moves when that does.
//!
//! What a marketplace says is upstream's word: it may send us to another repository, but not to this machine's disk
//! unless it lies there itself, and to nothing that runs a program. Its file is read once in a run, and the files of all
//! its plugins that the run will want are fetched in one request.

mod ahead;
mod reach;

use super::Access;
use super::Remark;
use super::git::{self, Place};
use super::marketplace::{self, Marketplace};
use super::plugin::{self, Stated};
use super::snapshot::Snapshot;
use crate::git::{Repository, entry_at};
use crate::skill::Limits;
use crate::types::{Context as _, Error, ErrorKind, RelPath, Result, one_line};
use std::path::Path;
use std::sync::Arc;

/// What is to be done about a plugin that is no more.
pub const GONE: &str =
    "its skills stay; where it is gone for good: skillgraft source remove SOURCE --adopt (or --delete)";

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
                let mut snapshot = super::archive::observe(access, url, &own, sha256.as_deref(), insecure, limits)?;
                if sha256.is_none() {
                    let message = "the marketplace states no `sha256` of the archive: what came cannot be verified";
                    snapshot.listed.remarks.push(Remark::new(".", "unverified", message));
                }
                Ok(snapshot)
            }
            marketplace::Place::Npm { package, version, registry } => {
                // Without one it is the user's own.
                let insecure = registry.as_ref().map_or(Ok(self.insecure), |registry| self.insecure_at(registry))?;
                let own = registry.as_ref().map(|registry| self.typed_host(registry)).transpose()?;
                let registry = registry.as_deref().zip(own.as_deref());
                super::npm::observe(access, package, version.as_deref(), registry, self.registry, insecure, limits)
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
