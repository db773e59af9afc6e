//! Skills that appeared upstream: which id each gets, and what stands in the way.
//!
//! A repository may carry copies of one skill for several agents. Identical copies are one skill; different ones are a
//! collision, decided by [`preference`] and reported.

use super::mirror::Mirror;
use super::moved::Moved;
use super::notices::link_target;
use crate::git::{Oid, Store};
use crate::registry::source_file::PLUGIN_NAMESPACE;
use crate::registry::{SkillState, SourceFile, State};
use crate::skill::{SKILL_MD, frontmatter, spec};
use crate::source::Remark;
use crate::types::{RelPath, Result, SkillId};
use std::collections::{BTreeMap, BTreeSet};

/// The skill that teaches agents to use a registry, and what its frontmatter's `metadata` says of it.
const GUIDE: &str = "using-skillgraft";
const GUIDE_MARK: (&str, &str) = ("skillgraft", "registry-guide");

/// Skills that appeared, and what was found odd.
#[derive(Debug, Default)]
pub struct NewSkills {
    /// The upstream path of each new skill, by the id it gets.
    pub offered: BTreeMap<SkillId, RelPath>,
    /// The upstream path of each skill whose id is one of the team's own: it stays out, but can be linked.
    pub own: BTreeMap<SkillId, RelPath>,
    /// Skills that cannot come in.
    pub refused: Vec<Remark>,
    /// Different skills of one name, of which one was taken.
    pub collisions: Vec<Remark>,
    /// The guide of upstream's own registry, where it is one: it is about that repository, and no skill for another.
    pub guide: Option<RelPath>,
    /// Skills whose id has an entry that cannot be read: nobody can say whether they are new.
    pub unreadable: BTreeMap<SkillId, RelPath>,
}

/// Returns the skills of the mirror that no entry follows, at its path or where the skill `moved` to.
pub fn new_skills(
    store: &Store,
    state: &State,
    source: &SourceFile,
    mirror: &Mirror,
    moved: &Moved,
) -> Result<NewSkills> {
    let mut found = NewSkills::default();
    let bound: BTreeMap<&RelPath, &SkillId> = state
        .followers(&source.name)
        .filter_map(|(id, _, entry)| Some((moved.place(id).unwrap_or(&entry.upstream.as_ref()?.path), id)))
        .collect();
    let mut by_id: BTreeMap<SkillId, Vec<(&RelPath, Oid)>> = BTreeMap::new();
    for (path, tree) in &mirror.skills {
        if bound.contains_key(path) || !source.selection.selects(path, &source.name) {
            continue;
        }
        match id_of(store, source, mirror, path, *tree)? {
            Ok(id) if is_guide(store, &id, *tree)? => found.guide = Some(path.clone()),
            Ok(id) => by_id.entry(id).or_default().push((path, *tree)),
            Err(remark) => found.refused.push(remark),
        }
    }
    for (id, mut copies) in by_id {
        copies.sort_by_key(|(path, _)| preference(path));
        let followed = bound.iter().find(|(_, bound_id)| ***bound_id == id).map(|(path, _)| *path);
        // A copy of a skill that is followed already is not new, whatever its path.
        let standing = followed.and_then(|path| Some((path, *mirror.skills.get(path)?)));
        let (chosen, rest) = match standing {
            Some(followed) => (followed, &copies[..]),
            None => (copies[0], &copies[1..]),
        };
        if let Some(gone) = followed
            && standing.is_none()
        {
            let message = format!(
                "`{id}` follows {gone}, where upstream has nothing any more, and this is a skill of that name, but not \
                 surely the one that stood there; to follow it: skillgraft link {id} --to {}",
                link_target(&source.name, chosen.0)
            );
            found.refused.push(Remark::new(chosen.0, "moved", message));
        }
        let trees: BTreeSet<Oid> = rest.iter().map(|(_, tree)| *tree).collect();
        if trees.iter().any(|tree| *tree != chosen.1) {
            let others: Vec<_> =
                rest.iter().filter(|(_, tree)| *tree != chosen.1).map(|(path, _)| path.as_str()).collect();
            let message = format!(
                "`{id}` stands in {} places with different content; {} is followed, not {}",
                others.len() + 1,
                chosen.0,
                others.join(", ")
            );
            found.collisions.push(Remark::new(chosen.0, "collision", message));
        }
        if followed.is_some() {
            continue;
        }
        if state.skills.get(&id).is_some_and(|skill| skill.unreadable().is_some()) {
            found.unreadable.insert(id, chosen.0.clone());
            continue;
        }
        if state.skills.get(&id).is_some_and(SkillState::is_own) {
            found.own.insert(id.clone(), chosen.0.clone());
        }
        match state.taken(&id) {
            Some(owner) => found.refused.push(Remark::new(
                chosen.0,
                "ownership",
                format!("{owner}, so upstream's skill of that name stays out"),
            )),
            None => drop(found.offered.insert(id, chosen.0.clone())),
        }
    }
    refuse_namespaces(&mut found);
    Ok(found)
}

/// Among new skills too, no id is another's namespace.
fn refuse_namespaces(found: &mut NewSkills) {
    let inside: Vec<SkillId> = found
        .offered
        .keys()
        .filter(|id| id.namespaces().any(|above| found.offered.keys().any(|other| other.as_str() == above)))
        .cloned()
        .collect();
    for id in inside {
        if let Some(path) = found.offered.remove(&id) {
            found.refused.push(Remark::new(path, "ownership", format!("another new skill is the namespace of `{id}`")));
        }
    }
}

/// Tells whether a skill is the one that `init` lays down in each registry, by the mark that it has there. Teams edit theirs,
/// so its content tells nothing.
fn is_guide(store: &Store, id: &SkillId, tree: Oid) -> Result<bool> {
    let skill_md = store.tree(tree)?.get(SKILL_MD.as_bytes()).map(|entry| entry.id);
    let Some(skill_md) = skill_md.filter(|_| id.name() == GUIDE) else { return Ok(false) };
    let metadata = frontmatter::read(&store.blob(skill_md)?).metadata;
    Ok(metadata.get(GUIDE_MARK.0).is_some_and(|mark| mark == GUIDE_MARK.1))
}

/// The frontmatter's `name` where it is valid, else the directory's name made valid.
pub(super) fn id_of(
    store: &Store,
    source: &SourceFile,
    mirror: &Mirror,
    path: &RelPath,
    tree: Oid,
) -> Result<Result<SkillId, Remark>> {
    let namespace = match source.namespace.as_str() {
        PLUGIN_NAMESPACE => {
            mirror.plugins.of(path).and_then(|plugin| spec::name_made_valid(&plugin.name)).unwrap_or_default()
        }
        written => written.to_owned(),
    };
    let skill_md = store.tree(tree)?.get(SKILL_MD.as_bytes()).map(|entry| entry.id);
    let name = match skill_md {
        Some(blob) => frontmatter::read(&store.blob(blob)?).name,
        None => None,
    };
    let directory = path.name().unwrap_or(source.name.as_str());
    id_for(name.as_deref(), &namespace, directory).map_or_else(
        || {
            let message = match id_for(name.as_deref(), "", directory) {
                Some(_) => format!("`{namespace}` cannot be a namespace of ids; choose another one: --namespace NS"),
                None => format!("neither its `name` nor the directory `{directory}` can be a skill id"),
            };
            Ok(Err(Remark::new(path, "no_id", message)))
        },
        |id| Ok(Ok(id)),
    )
}

/// Returns the id of a skill: the frontmatter's `name` where it is valid, else the directory's name made valid; none
/// where neither can be one.
pub fn id_for(name: Option<&str>, namespace: &str, directory: &str) -> Option<SkillId> {
    let named = name.and_then(|name| SkillId::in_namespace(namespace, name).ok().filter(|id| id.name() == name));
    named.or_else(|| SkillId::in_namespace(namespace, &spec::name_made_valid(directory)?).ok())
}

/// Which of several copies is followed, best first: `skills/`, then any folder that is not hidden, then
/// `.agents/skills/` (the universal one), then `.claude/skills/`, then the others; the shorter path, then the
/// alphabet.
pub(super) fn preference(path: &RelPath) -> (u8, usize, RelPath) {
    let text = path.as_str();
    let rank = match () {
        () if text.starts_with("skills/") => 0,
        () if !path.components().any(|component| component.starts_with('.') && component != ".") => 1,
        () if text.starts_with(".agents/skills/") => 2,
        () if text.starts_with(".claude/skills/") => 3,
        () => 4,
    };
    (rank, path.components().count(), path.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_copies_is_the_documented_one() {
        let mut paths: Vec<RelPath> =
            [".cursor/skills/a", ".claude/skills/a", "plugins/x/skills/a", ".agents/skills/a", "skills/a", "b/a"]
                .map(|path| RelPath::parse(path).expect("valid"))
                .into();
        paths.sort_by_key(preference);
        let order: Vec<_> = paths.iter().map(RelPath::as_str).collect();
        assert_eq!(
            order,
            ["skills/a", "b/a", "plugins/x/skills/a", ".agents/skills/a", ".claude/skills/a", ".cursor/skills/a"]
        );
    }
}
