//! A skill that upstream calls by another name than it did. Its id here is the team's, so nothing is renamed by itself: people are
//! told what upstream did, and how to follow or to stay.

use crate::git::{Oid, Store};
use crate::registry::State;
use crate::skill::{SKILL_MD, frontmatter};
use crate::types::{Result, SkillId, one_line};
use serde::Serialize;

/// The longest name that is shown, in characters: the spec's own limit.
const LONGEST: usize = 64;

/// Another `name` in upstream's `SKILL.md` than before, and than the id here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Renamed {
    /// The name before, where one was stated.
    pub from: Option<String>,
    /// The name now.
    pub to: String,
    /// The commands that follow it once the update is accepted; none where the name cannot be an id here, or is taken.
    pub follow: Option<String>,
    /// What to do to stay.
    pub stay: String,
}

impl Renamed {
    /// Returns the names of a skill in two upstream states, where the second is another one than the first and than the
    /// id's.
    pub fn names(store: &Store, id: &SkillId, base: Oid, upstream: Oid) -> Result<Option<(Option<String>, String)>> {
        let (from, to) = (name_in(store, base)?, name_in(store, upstream)?);
        Ok(to.filter(|to| from.as_ref() != Some(to) && to != id.name()).map(|to| (from, to)))
    }

    /// Returns what people are told of a skill whose base and upstream are these trees; none where either is not here, or
    /// upstream has not renamed it.
    pub fn find(
        state: &State,
        store: &Store,
        id: &SkillId,
        base: Option<Oid>,
        upstream: Option<Oid>,
    ) -> Result<Option<Self>> {
        let (Some(base), Some(upstream)) = (base.filter(|tree| store.contains(*tree)), upstream) else {
            return Ok(None);
        };
        let Some((from, to)) = Renamed::names(store, id, base, upstream)? else { return Ok(None) };
        let namespace = id.namespaces().last().unwrap_or_default();
        let free = SkillId::in_namespace(namespace, &to).ok().filter(|new| state.taken(new).is_none());
        let layout = &state.layout;
        let follow = free.as_ref().map(|new| {
            let (from, to) = (layout.skill(id), layout.skill(new));
            let (entry, new_entry) = (layout.entry(id), layout.entry(new));
            format!("git mv {from} {to} && git mv {entry} {new_entry} && git commit -m 'Rename {id} to {new}'")
        });
        let stay = format!(
            "do nothing, and `check` only warns of it; or write `name: {}` into {}/{SKILL_MD}",
            id.name(),
            layout.skill(id)
        );
        Ok(Some(Renamed { from, to, follow, stay }))
    }

    /// Returns the sentence that says what upstream did.
    pub fn sentence(&self, id: &str) -> String {
        sentence(self.from.as_deref(), &self.to, id)
    }
}

/// Returns the sentence that says what upstream did, with names as they are given.
pub fn sentence(from: Option<&str>, to: &str, id: &str) -> String {
    let before = from.map_or(String::new(), |from| format!(" instead of {from}"));
    format!("upstream names it {to} now{before}; here it stays {id}")
}

fn name_in(store: &Store, tree: Oid) -> Result<Option<String>> {
    let skill_md =
        store.tree(tree)?.get(SKILL_MD.as_bytes()).filter(|entry| entry.mode.is_file()).map(|entry| entry.id);
    let read = skill_md.map(|blob| store.blob(blob)).transpose()?.map(|bytes| frontmatter::read(&bytes));
    Ok(read.and_then(|read| read.name).map(|name| one_line(&name, LONGEST)).filter(|name| !name.is_empty()))
}
