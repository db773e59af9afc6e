//! The mirror of a source: one commit per observed upstream state that changed a skill (RULES, "Mirror").

use crate::git::{
    Changes, History, Mode, NewCommit, Oid, Place, Store, entry_at, first_parents, tree_at, with_changes,
};
use crate::registry::{IDENTITY, Origin, SourceFile, Upstream};
use crate::skill::{Limits, SKILL_MD};
use crate::source::plugin::{self, Plugins};
use crate::source::{
    Discovery, Found, GONE, Remark, Snapshot, beside, discover, flatten, has_skill_md, is_license, licenses,
    read_marketplace,
};
use crate::types::{Error, ErrorKind, RelPath, Result, SourceName, inert, short_revision};
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

/// Returns the plugins that the skills of a mirror commit belong to.
pub fn plugins_at(store: &Store, commit: Oid) -> Result<Plugins> {
    let tree = store.commit(commit)?.tree;
    match entry_at(store, tree, &plugins_file())?.filter(|place| place.mode.is_file()) {
        Some(place) => Ok(Plugins::from_json(&store.blob(place.id)?)),
        None if upstream_at(store, tree, &RelPath::root())?.is_some() => plugin::in_tree(store, tree),
        None => Ok(Plugins::default()),
    }
}

/// Returns a mirror as it stands, where upstream was not looked at.
pub fn standing(store: &Store, head: Oid) -> Result<Mirror> {
    let Content { skills, licenses } = content(store, head)?;
    let tree = store.commit(head)?.tree;
    let plugins = plugins_at(store, head)?;
    Ok(Mirror { head, tree, skills, licenses, grew: false, rejected: Vec::new(), remarks: Vec::new(), plugins })
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
    let trailer = snapshot.revision.as_deref().map_or(String::new(), |id| format!("\n{REVISION}: {id}\n"));
    let message = format!("mirror {source}{at}\n\n{}\n{trailer}", lines.join("\n"));
    write(store, tree, previous.into_iter().collect(), date, message)
}

/// A mirror of an upstream that is one skill holds at its root what upstream has there, workflows too: no forge is to run
/// them. GitHub, GitLab, Forgejo and others know these words.
const NOT_RUN: &str = "[skip ci]";

fn write(store: &Store, tree: Oid, parents: Vec<Oid>, date: i64, message: String) -> Result<Oid> {
    let identity = format!("{IDENTITY} {date} +0000");
    let message = message.replacen('\n', &format!("\n\n{NOT_RUN}\n"), 1);
    store.write_commit(&NewCommit { tree, parents, author: identity.clone(), committer: identity, message })
}

#[derive(Default)]
struct Content {
    skills: BTreeMap<RelPath, Oid>,
    licenses: Vec<(RelPath, Oid)>,
}

/// Reads a mirror commit: directories with a `SKILL.md` are skills, files outside of them are licence files.
fn content(store: &Store, commit: Oid) -> Result<Content> {
    let mut content = Content::default();
    collect(store, store.commit(commit)?.tree, &RelPath::root(), &mut content)?;
    if content.skills.contains_key(&RelPath::root()) {
        let tree = store.tree(store.commit(commit)?.tree)?;
        for entry in tree.entries().iter().filter(|entry| entry.mode.is_file() && is_license(&entry.name)) {
            if let Ok(path) = RelPath::root().join(&entry.name) {
                content.licenses.push((path, entry.id));
            }
        }
    }
    Ok(content)
}

fn collect(store: &Store, tree: Oid, path: &RelPath, content: &mut Content) -> Result<()> {
    let entries = store.tree(tree)?;
    if entries.get(SKILL_MD.as_bytes()).is_some_and(|entry| entry.mode.is_file()) {
        content.skills.insert(path.clone(), tree);
        return Ok(());
    }
    for entry in entries.entries() {
        // What breaks a rule was not put there by this program, and nothing of ours depends on it.
        let Ok(below) = path.join(&entry.name) else { continue };
        if below.as_str() == OWN {
            continue;
        }
        match entry.mode {
            Mode::Tree => collect(store, entry.id, &below, content)?,
            Mode::File | Mode::Executable => content.licenses.push((below, entry.id)),
            Mode::Link | Mode::Submodule => {}
        }
    }
    Ok(())
}

/// Returns the skills that the tree of a mirror commit holds, by upstream path.
pub fn skills_in(store: &Store, mirror_tree: Oid) -> Result<BTreeMap<RelPath, Oid>> {
    let mut content = Content::default();
    collect(store, mirror_tree, &RelPath::root(), &mut content)?;
    Ok(content.skills)
}

/// Mirror 2: the directory at the entry's path in the mirror's tree if it holds a `SKILL.md` itself; else nothing.
pub fn upstream_at(store: &Store, mirror_tree: Oid, path: &RelPath) -> Result<Option<Oid>> {
    let Some(tree) = tree_at(store, mirror_tree, path)? else { return Ok(None) };
    let is_skill = store.tree(tree)?.get(SKILL_MD.as_bytes()).is_some_and(|entry| entry.mode.is_file());
    Ok(is_skill.then_some(tree))
}

/// Mirror 3: the oldest commit of the newest run of first-parent commits that hold `tree` (or nothing) at `path`.
pub fn oldest_of_newest_run(store: &Store, head: Oid, path: &RelPath, tree: Option<Oid>) -> Result<Oid> {
    let mut oldest = head;
    for commit in first_parents(store, head) {
        let commit = commit?;
        if upstream_at(store, store.commit(commit)?.tree, path)? != tree {
            break;
        }
        oldest = commit;
    }
    Ok(oldest)
}

/// Returns the upstream commit that a mirror commit recorded.
pub fn revision_of(store: &Store, mirror_commit: Oid) -> Result<Option<String>> {
    Ok(store.commit(mirror_commit)?.trailer(REVISION).map(str::to_owned))
}

/// Mirror 4: joins the bases that the mirror's history lacks, so that every merge base stays reachable. Returns the
/// head to go on from, or none where nothing was missing.
pub fn join_missing_bases<'e>(
    store: &Store,
    head: Oid,
    source: &SourceName,
    followed: impl Iterator<Item = &'e Upstream>,
) -> Result<Option<Oid>> {
    let history = History::of(store, head)?;
    let mut missing = Vec::new();
    for upstream in followed {
        let is_removal = upstream.git_tree == store.empty_tree();
        if is_removal || history.contains_if_present(upstream.mirror)? || !store.contains(upstream.git_tree) {
            continue;
        }
        let base = commit_of_base(store, source, upstream)?;
        if !history.contains_if_present(base)? {
            missing.push(base);
        }
    }
    if missing.is_empty() {
        return Ok(None);
    }
    missing.sort_unstable();
    missing.dedup();
    let commit = store.commit(head)?;
    let parents = std::iter::once(head).chain(missing).collect();
    let trailer = commit.trailer(REVISION).map_or(String::new(), |id| format!("\n{REVISION}: {id}\n"));
    let message = format!("mirror {source}: join bases\n{trailer}");
    write(store, commit.tree, parents, commit.committed, message).map(Some)
}

/// Returns the parentless commit that holds only a skill's base at its path. Its date is fixed, so that every clone
/// makes the same one without asking upstream.
pub fn commit_of_base(store: &Store, source: &SourceName, upstream: &Upstream) -> Result<Oid> {
    let tree = tree_of(store, &BTreeMap::from([(upstream.path.clone(), upstream.git_tree)]), &[])?;
    let trailer = upstream.revision.as_deref().map_or(String::new(), |id| format!("\n{REVISION}: {id}\n"));
    write(
        store,
        tree,
        Vec::new(),
        FIRST_DATE,
        format!("mirror {source}: base of {}\n{trailer}", inert(upstream.path.as_str())),
    )
}

/// Mirror 5: joins two mirrors that have diverged; the remote's goes first and gives the tree.
pub fn join_diverged(store: &Store, source: &SourceName, remote: Oid, local: Oid) -> Result<Oid> {
    let commit = store.commit(remote)?;
    let trailer = commit.trailer(REVISION).map_or(String::new(), |id| format!("\n{REVISION}: {id}\n"));
    let date = commit.committed.max(store.commit(local)?.committed);
    write(store, commit.tree, vec![remote, local], date, format!("mirror {source}: join diverged mirrors\n{trailer}"))
}

/// Searches the mirror's history for a skill's tree with this hash: the second step of the base look-up.
pub fn find_base(store: &Store, head: Oid, path: &RelPath, is_it: impl Fn(Oid) -> Result<bool>) -> Result<Option<Oid>> {
    let mut tried = BTreeSet::new();
    let mut found = None;
    History::of(store, head)?.visit(|_, commit| {
        if let Some(tree) = upstream_at(store, commit.tree, path)?
            && tried.insert(tree)
            && is_it(tree)?
        {
            found = Some(tree);
        }
        Ok(found.is_none())
    })?;
    Ok(found)
}
