//! `candidate resolve`: takes conflicts off the list, once a person has decided them.

use super::{Commit, Outside, candidate};
use crate::git::{Changes, Mode, Oid, Place, RefChange, Store, entry_at, with_changes};
use crate::registry::{Conflict, ConflictKind, Layout, Person, Registry, entry, fast_forward};
use crate::sync::merge::still_conflicted;
use crate::sync::{Branches, Ground, Reviewer};
use crate::types::{Error, ErrorKind, RelPath, Result, SkillId, SourceName};
use serde::Serialize;

/// Which side a person takes whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The team's version.
    Local,
    /// Upstream's version.
    Upstream,
}

/// What `resolve` did.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The format of this document.
    pub format: u32,
    /// The skill.
    pub skill: SkillId,
    /// The branch that the commit is on.
    pub branch: String,
    /// The commit.
    pub commit: Oid,
    /// The files that were resolved.
    pub resolved: Vec<String>,
    /// Whether that is a candidate's branch, not the default one.
    pub on_candidate: bool,
    /// The conflicts that are left.
    pub left: Vec<Conflict>,
}

/// Where the entry with the conflicts stands.
enum On {
    Candidate(SourceName),
    DefaultBranch,
}

/// Takes the conflicts at `paths` (all where there is none) off the list; with `take`, puts that side's file in place.
pub fn resolve(outside: &Outside, id: &str, paths: &[String], take: Option<Side>, commit: &Commit) -> Result<Report> {
    let (registry, _lock) = outside.locked_registry()?;
    let state = registry.state()?;
    let branches = Branches::load(&registry)?;
    let store = &registry.repository.store;
    let listed_here = |skill: &SkillId| {
        state.skills.get(skill).and_then(|s| s.entry()).is_some_and(|entry| !entry.conflicts.is_empty())
    };
    let (on, skill) = match SkillId::parse(id) {
        // A conflict that was merged all the same is resolved where it is: until then the candidate is not looked at.
        Ok(skill) if listed_here(&skill) => (On::DefaultBranch, skill),
        _ => {
            let (source, skill) = candidate::find(&registry, &branches, id)?;
            (On::Candidate(source), skill)
        }
    };
    let branch = match &on {
        On::Candidate(source) => Some(branches.get(store, &registry.names.candidate(source, &skill)?)?),
        On::DefaultBranch => None,
    };
    let head = branch.as_ref().and_then(|branch| branch.head).unwrap_or(registry.head);
    if let On::Candidate(source) = &on {
        let review = Reviewer::new(&registry, &state, &branches, outside.today)?.review(source, &skill)?;
        if let Some(notice) = review.diverged {
            return Err(Error::new(ErrorKind::Conflict, notice.message).hint(notice.hint.unwrap_or_default()));
        }
    }
    let ground = Ground::at(store, &state.layout, &skill, head)?;
    let at_entry = ground.entry.as_ref().ok_or_else(|| nothing_listed(&skill))?;
    let listed = at_entry.entry.clone()?.conflicts;
    if listed.is_empty() {
        return Err(nothing_listed(&skill));
    }
    for path in paths {
        if !listed.iter().any(|conflict| conflict.path == *path) {
            let all: Vec<_> = listed.iter().map(|conflict| crate::types::escape(&conflict.path)).collect();
            return Err(Error::new(
                ErrorKind::Usage,
                format!("no conflict is listed at `{}`", crate::types::one_line(path, 200)),
            )
            .hint(format!("the conflicts are at: {}", all.join(", "))));
        }
    }
    let (chosen, left): (Vec<Conflict>, Vec<Conflict>) =
        listed.into_iter().partition(|conflict| paths.is_empty() || paths.contains(&conflict.path));
    let mut changes = Changes::new();
    // A carry's conflict may stand beside the one that it was carried into; the latter knows upstream's own file, and
    // what is put in last stays.
    let mut in_order: Vec<&Conflict> = chosen.iter().collect();
    in_order.sort_by_key(|conflict| ground.upstream().is_some_and(|up| is_file_of(store, up.git_tree, conflict)));
    for conflict in in_order {
        let decision = Decision { registry: &registry, layout: &state.layout, skill: &skill, ground: &ground };
        match take {
            Some(side) => changes.extend(decision.take(conflict, side)?),
            None => decision.check_decided(conflict)?,
        }
    }
    let text = entry::with_conflicts(&at_entry.text, &left)?;
    let blob = store.write_blob(text.as_bytes())?;
    changes.insert(state.layout.entry(&skill), Some(Place { mode: Mode::File, id: blob }));
    let tree = with_changes(store, ground.tree, &changes)?;
    let resolved: Vec<String> = chosen.iter().map(|conflict| crate::types::escape(&conflict.path)).collect();
    let how = match take {
        Some(Side::Local) => "Taken from local: ",
        Some(Side::Upstream) => "Taken from upstream: ",
        None => "Resolved: ",
    };
    let named: Vec<String> = chosen.iter().map(|conflict| crate::types::inert(&conflict.path)).collect();
    let message = format!("Resolve conflicts in {skill}\n\n{how}{}\n", named.join(", "));
    let on_candidate = branch.is_some();
    let (commit, branch) = match branch {
        Some(branch) => {
            let person = Person::ask(&outside.git, &registry.repository)?;
            let new = store.write_commit(&person.new_commit(tree, vec![head], &commit.message(&message)))?;
            move_candidate(outside, &registry, &branch, new)?;
            (new, branch.name.short().to_owned())
        }
        None => {
            let changed = commit.commit(&registry, outside, "resolve", tree, &message)?;
            (changed.commit, changed.branch.short().to_owned())
        }
    };
    Ok(Report { format: 1, skill, branch, on_candidate, commit, resolved, left })
}

/// Tells whether the conflict's upstream side is the file that the upstream tree has at its path.
fn is_file_of(store: &Store, tree: Oid, conflict: &Conflict) -> bool {
    let place = RelPath::parse(&conflict.path).ok().and_then(|path| entry_at(store, tree, &path).ok().flatten());
    conflict.upstream.is_some() && place.map(|place| place.id) == conflict.upstream
}

fn nothing_listed(skill: &SkillId) -> Error {
    Error::new(ErrorKind::NotFound, format!("`{skill}` lists no conflict"))
        .hint("see what waits: skillgraft candidate list")
}

/// A branch that somebody has checked out moves with its files, or not at all.
fn move_candidate(outside: &Outside, registry: &Registry, branch: &crate::sync::Branch, new: Oid) -> Result<()> {
    let repository = &registry.repository;
    repository.store.flush()?;
    if let Some(work_tree) = repository.work_tree_of_branch(&branch.name)? {
        return fast_forward(&outside.git, &work_tree, new);
    }
    let identity = super::identity(outside);
    let change = RefChange { name: branch.name.clone(), expected: branch.local, new: Some(new) };
    repository.refs.apply(&[change], "skillgraft: resolve", &identity)
}

struct Decision<'a> {
    registry: &'a Registry,
    layout: &'a Layout,
    skill: &'a SkillId,
    ground: &'a Ground,
}

impl Decision<'_> {
    fn path(&self, conflict: &Conflict) -> Result<RelPath> {
        Ok(self.layout.skill(self.skill).join_path(&RelPath::parse(&conflict.path)?))
    }

    /// Returns the change that puts a side's file in place; a side that has none removes it.
    fn take(&self, conflict: &Conflict, side: Side) -> Result<Changes> {
        let store = &self.registry.repository.store;
        let path = self.path(conflict)?;
        let blob = match side {
            Side::Local => conflict.local,
            Side::Upstream => conflict.upstream,
        };
        let Some(id) = blob else { return Ok(Changes::from([(path, None)])) };
        if !store.contains(id) {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("the file to take (object {id}) is not in this clone"),
            )
            .hint(format!("fetch the mirror first: skillgraft sync, then try again, or edit {path} by hand")));
        }
        let mode = self.mode_of(conflict, id, side)?;
        Ok(Changes::from([(path, Some(Place { mode, id }))]))
    }

    /// The mode that the side gives the file: upstream's tree knows it, and the branch knows local's.
    fn mode_of(&self, conflict: &Conflict, id: Oid, side: Side) -> Result<Mode> {
        let store = &self.registry.repository.store;
        let inner = RelPath::parse(&conflict.path)?;
        let upstream = self.ground.upstream().map(|up| up.git_tree).filter(|tree| store.contains(*tree));
        let trees = match side {
            Side::Upstream => [upstream, self.ground.skill],
            Side::Local => [self.ground.skill, upstream],
        };
        for tree in trees.into_iter().flatten() {
            if let Some(place) = entry_at(store, tree, &inner)?
                && (place.id == id || place.mode.is_file())
            {
                return Ok(place.mode);
            }
        }
        Ok(Mode::File)
    }

    /// Without `--take` a person has decided by editing: markers are gone, or the file is not what the tool put there.
    fn check_decided(&self, conflict: &Conflict) -> Result<()> {
        let store = &self.registry.repository.store;
        let path = self.path(conflict)?;
        let now = entry_at(store, self.ground.tree, &path)?.filter(|place| place.mode != Mode::Tree);
        let (shown, word) = (crate::types::escape(&conflict.path), crate::types::shell_word(&conflict.path));
        let has_markers = matches!(conflict.kind, ConflictKind::Content | ConflictKind::AddAdd);
        if has_markers
            && let Some(place) = now
            && still_conflicted(store, conflict, &store.blob(place.id)?)?
        {
            return Err(Error::new(ErrorKind::Conflict, format!("{shown} still has conflict markers on the branch"))
                .hint(format!("edit and commit it there first, or take one side: skillgraft candidate resolve {} {word} --take upstream", self.skill)));
        }
        if !has_markers && now.map(|place| place.id) == conflict.local {
            return Err(Error::new(
                ErrorKind::Conflict,
                format!(
                    "{shown} ({}) still is the local version: nothing says that this is wanted",
                    conflict.kind.as_str()
                ),
            )
            .hint(format!(
                "decide: skillgraft candidate resolve {} {word} --take local, or --take upstream",
                self.skill
            )));
        }
        Ok(())
    }
}
