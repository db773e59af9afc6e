//! The mirror of a source: one commit per observed upstream state that changed a skill (RULES, "Mirror").

mod join;
mod read;

pub use join::{commit_of_base, join_diverged, join_missing_bases};
pub use read::{
    find_base, licenses_at, oldest_of_newest_run, plugins_at, revision_of, skills_in, standing, upstream_at,
};

use crate::git::{Changes, Mode, NewCommit, Oid, Place, Store, with_changes};
use crate::registry::{Origin, SourceFile, identity_at};
use crate::skill::{Limits, SKILL_MD};
use crate::source::plugin::{self, Plugins};
use crate::source::{
    Discovery, Found, GONE, Remark, Snapshot, beside, discover, flatten, has_skill_md, licenses, read_marketplace,
    recorded_licenses,
};
use crate::types::{Error, ErrorKind, RelPath, Result, SourceName, inert, short_revision};
use read::{Content, content};
use std::collections::{BTreeMap, BTreeSet};

/// The date of mirror commits that have none to take: 1 January 2000.
const FIRST_DATE: i64 = 946_684_800;
/// The trailer that records the upstream commit.
const REVISION: &str = "Revision";

/// A mirror after it has observed upstream.
#[derive(Debug)]
pub struct Mirror {
    /// Its head.
    pub head: Oid,
    /// The head's tree.
    pub tree: Oid,
    /// The skills it holds, by upstream path.
    pub skills: BTreeMap<RelPath, Oid>,
    /// The licence files it holds.
    pub licenses: Vec<(RelPath, Oid)>,
    /// Whether this observation added a commit.
    pub grew: bool,
    /// Skills that were not taken.
    pub rejected: Vec<Remark>,
    /// What is odd about skills that were taken.
    pub remarks: Vec<Remark>,
    /// The plugins that its skills belong to, as its head says.
    pub plugins: Plugins,
}

/// Records what `snapshot` holds on top of the mirror's head `previous`.
///
/// # Errors
/// [`ErrorKind::NoEvidence`] where upstream lists no skill at all.
pub fn observe(
    store: &Store,
    previous: Option<Oid>,
    snapshot: &Snapshot,
    source: &SourceFile,
    limits: &Limits,
) -> Result<Mirror> {
    let discovery = discover(snapshot, snapshot.folders(&source.selection.path))?;
    if discovery.found.is_empty() && discovery.unusable.is_empty() && snapshot.listed.skills.is_empty() {
        return Err(nothing_found(source, snapshot));
    }
    let before = previous.map(|head| content(store, head)).transpose()?.unwrap_or_default();
    let mut rejected = unusable(&discovery);
    rejected.extend(snapshot.listed.rejected.iter().cloned());
    let mut remarks = snapshot.listed.remarks.clone();
    let mut skills = BTreeMap::new();
    let mut flats = Vec::new();
    for found in discovery.found.iter().filter(|found| source.selection.selects(&found.path, &source.name)) {
        if found.path.is_within(&own_folder()) {
            rejected.push(Remark::new(&found.path, "path", format!("`{OWN}` is the mirror's own folder")));
            continue;
        }
        match unchanged(snapshot, store, &before, found) {
            Some(tree) => drop(skills.insert(found.path.clone(), tree)),
            None => match flatten(snapshot, found, limits)? {
                Ok(flat) => flats.push(flat),
                Err(remark) => rejected.push(remark),
            },
        }
    }
    let license_folder = snapshot.scope.as_ref().map_or(&source.selection.path, |scope| &scope.root);
    let paths: Vec<&RelPath> = skills.keys().chain(flats.iter().map(|flat| &flat.path)).collect();
    let beside = beside(snapshot, license_folder, &paths)?;
    snapshot.need(flats.iter().flat_map(|flat| flat.blobs()).chain(beside))?;
    for flat in &flats {
        match flat.copy_into(snapshot, store, limits)? {
            Ok((tree, odd)) => {
                skills.insert(flat.path.clone(), tree);
                remarks.extend(odd);
            }
            Err(remark) => rejected.push(remark),
        }
    }
    keep_last_trees(snapshot, &before, &mut skills)?;
    let mut license_files = Vec::new();
    for (path, id) in licenses(snapshot, license_folder, skills.keys())? {
        license_files.push((path, store.copy_blob(snapshot.store(), id)?));
    }
    for (path, text) in recorded_licenses(snapshot, skills.keys())? {
        license_files.push((path, store.write_blob(text.as_bytes())?));
    }
    let (plugins, odd) = match &snapshot.scope {
        Some(scope) => (scope.plugins(), Vec::new()),
        None => plugin::find(snapshot, skills.keys())?,
    };
    remarks.extend(odd);
    let tree = tree_of(store, &skills, &license_files)?;
    let head = match previous {
        // What is known of plugins is written along with a change, and is none itself.
        Some(head) if without_own(store, store.commit(head)?.tree, &skills)? == tree => head,
        _ => {
            let tree = with_plugins(store, tree, &skills, &plugins)?;
            commit(store, previous, &before, tree, &skills, snapshot, &source.name)?
        }
    };
    let (tree, plugins) = (store.commit(head)?.tree, plugins_at(store, head)?);
    let grew = previous != Some(head);
    Ok(Mirror { head, tree, skills, licenses: license_files, grew, rejected, remarks, plugins })
}

/// The folder of a mirror's tree that upstream cannot have.
const OWN: &str = ".skillgraft";
const PLUGINS: &str = ".skillgraft/plugins.json";

fn own_folder() -> RelPath {
    RelPath::parse(OWN).expect("a fixed name")
}

fn plugins_file() -> RelPath {
    RelPath::parse(PLUGINS).expect("a fixed name")
}

/// Puts in which plugins the skills belong to, so that an entry's `version` follows from the mirror alone. A skill that
/// is the whole repository has its manifest in itself.
fn with_plugins(store: &Store, tree: Oid, skills: &BTreeMap<RelPath, Oid>, plugins: &Plugins) -> Result<Oid> {
    match plugins.to_json().filter(|_| !skills.contains_key(&RelPath::root())) {
        Some(text) => {
            let place = Place { mode: Mode::File, id: store.write_blob(&text)? };
            with_changes(store, tree, &Changes::from([(plugins_file(), Some(place))]))
        }
        None => Ok(tree),
    }
}

fn without_own(store: &Store, tree: Oid, skills: &BTreeMap<RelPath, Oid>) -> Result<Oid> {
    if skills.contains_key(&RelPath::root()) {
        return Ok(tree);
    }
    with_changes(store, tree, &Changes::from([(own_folder(), None)]))
}

fn nothing_found(source: &SourceFile, snapshot: &Snapshot) -> Error {
    if let Some(scope) = &snapshot.scope {
        return Error::new(ErrorKind::NoEvidence, format!("plugin `{}` has no skills", scope.name)).hint(GONE);
    }
    // What lists its skills has no folders that one could look in.
    let who = match source.origin {
        Origin::Index(_) => Some("index"),
        Origin::Command(_) => Some("program"),
        _ => None,
    };
    if let Some(who) = who {
        let error = Error::new(ErrorKind::NoEvidence, format!("the {who} lists no skill that can be used"))
            .hint("nothing was closed or removed");
        return match snapshot.listed.rejected.first() {
            Some(Remark { path, message, .. }) => error.because(format!("{path}: {message}")),
            None => error.because("its list is empty"),
        };
    }
    let place = &source.selection.path;
    let error = Error::new(ErrorKind::NoEvidence, format!("no directory with a {SKILL_MD} below `{place}`"));
    match read_marketplace(snapshot) {
        Ok(Some(_)) => error.hint(
            "it is a marketplace, and its plugins are elsewhere: add them with --plugin GLOB, or all with --plugin '*'",
        ),
        _ => error
            .hint("look at --path and --ref, or `path` and `ref` in the source file; nothing was closed or removed"),
    }
}

fn unusable(discovery: &Discovery) -> Vec<Remark> {
    discovery
        .unusable
        .iter()
        .map(|(path, why)| Remark::new(path, "path", format!("`{path}` cannot be used: {why}")))
        .collect()
}

/// A tree that the mirror already holds was checked when it came, and has no links in it.
fn unchanged(snapshot: &Snapshot, store: &Store, before: &Content, found: &Found) -> Option<Oid> {
    let same_kind = snapshot.store().is_sha256() == store.is_sha256();
    before.skills.get(&found.path).copied().filter(|tree| same_kind && *tree == found.tree)
}

/// Mirror 1: a skill that is now rejected or unselected keeps its last tree as long as upstream has its `SKILL.md`.
fn keep_last_trees(snapshot: &Snapshot, before: &Content, skills: &mut BTreeMap<RelPath, Oid>) -> Result<()> {
    let left: Vec<_> = before.skills.iter().filter(|(path, _)| !skills.contains_key(*path)).collect();
    if left.is_empty() {
        return Ok(());
    }
    let above = |path: &RelPath| std::iter::successors(path.parent(), RelPath::parent);
    let mut folders: BTreeSet<RelPath> = skills.keys().flat_map(above).collect();
    for (path, tree) in left {
        let overlaps = || folders.contains(path) || above(path).any(|above| skills.contains_key(&above));
        // What a plugin has dropped is gone, whoever else has it.
        let is_in_scope = snapshot.scope.as_ref().is_none_or(|scope| scope.has(path));
        let stands = || Ok::<_, Error>(snapshot.listed.skills.contains(path) || has_skill_md(snapshot, path)?);
        if is_in_scope && !overlaps() && stands()? {
            folders.extend(above(path));
            skills.insert(path.clone(), *tree);
        }
    }
    Ok(())
}

fn tree_of(store: &Store, skills: &BTreeMap<RelPath, Oid>, licenses: &[(RelPath, Oid)]) -> Result<Oid> {
    if let Some(root) = skills.get(&RelPath::root()) {
        // A skill that is the whole repository holds its licence files itself.
        return Ok(*root);
    }
    let place = |mode, id| Some(Place { mode, id });
    let skills = skills.iter().map(|(path, id)| (path.clone(), place(Mode::Tree, *id)));
    let licenses = licenses.iter().map(|(path, id)| (path.clone(), place(Mode::File, *id)));
    with_changes(store, store.empty_tree(), &licenses.chain(skills).collect::<Changes>())
}

fn commit(
    store: &Store,
    previous: Option<Oid>,
    before: &Content,
    tree: Oid,
    skills: &BTreeMap<RelPath, Oid>,
    snapshot: &Snapshot,
    source: &SourceName,
) -> Result<Oid> {
    let date = match (snapshot.date, previous) {
        (Some(date), _) => date,
        (None, Some(parent)) => store.commit(parent)?.committed + 1,
        (None, None) => FIRST_DATE,
    };
    let mut lines = Vec::new();
    for (path, tree) in skills {
        match before.skills.get(path) {
            None => lines.push(format!("added {}", inert(path.as_str()))),
            Some(old) if old != tree => lines.push(format!("changed {}", inert(path.as_str()))),
            Some(_) => {}
        }
    }
    lines.extend(
        before
            .skills
            .keys()
            .filter(|path| !skills.contains_key(path))
            .map(|path| format!("removed {}", inert(path.as_str()))),
    );
    lines.sort();
    if lines.is_empty() {
        lines.push("changed licence files".into());
    }
    let at = snapshot.revision.as_deref().map_or(String::new(), |id| format!(" {}", short_revision(id)));
    let trailer = trailer(snapshot.revision.as_deref());
    let message = format!("mirror {source}{at}\n\n{}\n{trailer}", lines.join("\n"));
    write(store, tree, previous.into_iter().collect(), date, message)
}

/// What a message ends in to record the upstream commit, where there is one.
fn trailer(revision: Option<&str>) -> String {
    revision.map_or(String::new(), |id| format!("\n{REVISION}: {id}\n"))
}

/// A mirror of an upstream that is one skill holds at its root what upstream has there, workflows too: no forge is to run
/// them. GitHub, GitLab, Forgejo and others know these words.
const NOT_RUN: &str = "[skip ci]";

fn write(store: &Store, tree: Oid, parents: Vec<Oid>, date: i64, message: String) -> Result<Oid> {
    let identity = identity_at(date);
    let message = message.replacen('\n', &format!("\n\n{NOT_RUN}\n"), 1);
    store.write_commit(&NewCommit { tree, parents, author: identity.clone(), committer: identity, message })
}
