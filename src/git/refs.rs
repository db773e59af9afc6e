//! Refs: read, list, and change many at once by compare-and-swap.

use super::objects::Oid;
use super::recover::Journal;
use crate::types::{Context as _, Error, ErrorKind, Result};
use gix::bstr::{BString, ByteSlice as _};
use gix::refs::transaction::{Change, LogChange, PreviousValue, RefEdit, RefLog};
use gix::refs::{FullName, Target};
use std::collections::BTreeMap;
use std::fmt;

/// From this many changes on, refs are written to `packed-refs` in one rename instead of one file each.
const PACK_FROM: usize = 32;

/// A full ref name, such as `refs/heads/main`, that obeys `git check-ref-format`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct RefName(String);

impl RefName {
    /// Returns the name, or an error where git would refuse it.
    pub fn parse(full: impl Into<String>) -> Result<Self> {
        let full = full.into();
        let valid = full.starts_with("refs/") && FullName::try_from(BString::from(full.as_str())).is_ok();
        if valid {
            return Ok(RefName(full));
        }
        Err(Error::new(ErrorKind::Config, format!("`{}` is not a valid ref name", crate::types::one_line(&full, 120)))
            .hint("see: git help check-ref-format"))
    }

    /// Returns `refs/heads/<name>`.
    pub fn branch(name: &str) -> Result<Self> {
        Self::parse(format!("refs/heads/{name}"))
    }

    /// Returns the full name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name without `refs/heads/` or `refs/`, as people write it.
    pub fn short(&self) -> &str {
        self.0.strip_prefix("refs/heads/").or_else(|| self.0.strip_prefix("refs/")).unwrap_or(&self.0)
    }
}

impl fmt::Display for RefName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One change of a ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefChange {
    /// Which ref.
    pub name: RefName,
    /// What it must be now; `None`: it must not exist.
    pub expected: Option<Oid>,
    /// What it becomes; `None`: it is deleted.
    pub new: Option<Oid>,
}

/// The refs of a repository.
pub struct Refs {
    pub(super) repository: gix::ThreadSafeRepository,
}

impl Refs {
    /// Returns what a ref points to, symbolic refs followed.
    pub fn get(&self, name: &str) -> Result<Option<Oid>> {
        let repository = self.repository.to_thread_local();
        let found =
            repository.try_find_reference(name).context(ErrorKind::Git, || format!("cannot read ref {name}"))?;
        let Some(mut found) = found else { return Ok(None) };
        // A symbolic ref to a branch that does not exist yet is no commit, and no error.
        Ok(found.follow_to_object().ok().map(|id| Oid(id.detach())))
    }

    /// Returns the name that the symbolic ref `name` points to, if it is one.
    pub fn symbolic_target(&self, name: &str) -> Result<Option<String>> {
        let repository = self.repository.to_thread_local();
        let found =
            repository.try_find_reference(name).context(ErrorKind::Git, || format!("cannot read ref {name}"))?;
        Ok(found.and_then(|found| found.target().try_name().map(|name| name.as_bstr().to_str_lossy().into_owned())))
    }

    /// Returns the refs below `prefix` (which ends with `/`) by full name, with what they point to.
    pub fn list(&self, prefix: &str) -> Result<BTreeMap<String, Oid>> {
        let repository = self.repository.to_thread_local();
        let failed = || format!("cannot list the refs below {prefix}");
        let platform = repository.references().context(ErrorKind::Git, failed)?;
        let mut refs = BTreeMap::new();
        for found in platform.prefixed(prefix.as_bytes()).context(ErrorKind::Git, failed)? {
            let mut found = found.context(ErrorKind::Git, failed)?;
            if let Ok(name) = found.name().as_bstr().to_str().map(str::to_owned)
                && let Ok(id) = found.follow_to_object()
            {
                refs.insert(name, Oid(id.detach()));
            }
        }
        Ok(refs)
    }

    /// Changes refs, all or none as far as the files of git allow; `message` and `identity` (`Name <email> seconds
    /// zone`) go to the reflogs; a change of very many refs at once is not logged.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] where a ref is not what was expected, or another process holds its lock.
    pub fn apply(&self, changes: &[RefChange], message: &str, identity: &str) -> Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        let mut repository = self.repository.to_thread_local();
        if changes.len() >= PACK_FROM {
            // A file for each ref again, of hundreds that no person moved; what they were is in `superseded`.
            repository.refs.write_reflog = gix::refs::store::WriteReflog::Disable;
        }
        let _journal = Journal::begin(repository.common_dir(), changes);
        let edits = changes.iter().map(|change| edit(change, message)).collect::<Result<Vec<_>>>()?;
        let committer = gix::actor::SignatureRef::from_bytes(identity.as_bytes())
            .context(ErrorKind::Git, || format!("`{identity}` is not an identity"))?;
        let wait = gix::lock::acquire::Fail::AfterDurationWithBackoff(std::time::Duration::from_secs(2));
        let mut transaction = repository.refs.transaction();
        if changes.len() >= PACK_FROM {
            let find = Box::new(&repository.objects);
            transaction = transaction.packed_refs(
                gix::refs::file::transaction::PackedRefs::DeletionsAndNonSymbolicUpdatesRemoveLooseSourceReference(
                    find,
                ),
            );
        }
        let names = || match changes {
            [one] => format!("cannot move {}", one.name),
            _ => format!("cannot move {} refs, {} among them", changes.len(), changes[0].name),
        };
        let moved = transaction.prepare(edits, wait, wait).and_then(|prepared| prepared.commit(Some(committer)));
        moved.map(drop).map_err(|cause| {
            if let Some(obstacle) = changes.iter().find_map(|change| self.in_the_way(change)) {
                return obstacle;
            }
            Error::new(ErrorKind::Conflict, names())
                .because(cause.into_boxed())
                .hint("somebody moved it meanwhile; run the command again")
        })
    }
}

impl Refs {
    /// Says which ref makes a new one impossible, because of git's files: `a` and `a/b` cannot both be.
    fn in_the_way(&self, change: &RefChange) -> Option<Error> {
        let name = change.name.as_str();
        if change.expected.is_some() || change.new.is_none() {
            return None;
        }
        let mut above = name.match_indices('/').map(|(at, _)| name[..at].to_owned());
        let found = above
            .find(|above| self.get(above).is_ok_and(|found| found.is_some()))
            .or_else(|| self.list(&format!("{name}/")).ok()?.into_keys().next())?;
        let way = match (found.strip_prefix("refs/tags/"), found.strip_prefix("refs/heads/")) {
            (Some(tag), _) => format!("git tag <new name> {tag} && git tag -d {tag}"),
            (_, Some(branch)) => format!("git branch -m {branch} <new name>"),
            _ => format!("git update-ref <new name> {found} && git update-ref -d {found}"),
        };
        let message = format!("{found} is in the way of {name}: git keeps one of the two");
        Some(Error::new(ErrorKind::Conflict, message).hint(format!("give it another name, then run this again: {way}")))
    }
}

trait Boxed {
    fn into_boxed(self) -> Box<dyn std::error::Error + Send + Sync>;
}

impl Boxed for gix::Error {
    fn into_boxed(self) -> Box<dyn std::error::Error + Send + Sync> {
        Box::new(self)
    }
}

fn edit(change: &RefChange, message: &str) -> Result<RefEdit> {
    let name = FullName::try_from(BString::from(change.name.as_str()))
        .context(ErrorKind::Git, || format!("`{}` is not a valid ref name", change.name))?;
    let expected = match change.expected {
        Some(id) => PreviousValue::MustExistAndMatch(Target::Object(id.0)),
        None => PreviousValue::MustNotExist,
    };
    let log = LogChange { mode: RefLog::AndReference, force_create_reflog: false, message: message.into() };
    let change = match (change.new, change.expected) {
        (Some(new), _) => Change::Update { log, expected, new: Target::Object(new.0) },
        (None, Some(_)) => Change::Delete { expected, log: RefLog::AndReference },
        (None, None) => {
            return Err(Error::new(ErrorKind::Git, format!("nothing to do for {name}", name = change.name)));
        }
    };
    Ok(RefEdit { change, name, deref: false })
}
