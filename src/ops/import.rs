//! `import`: brings skills that live in agents' folders into the registry, as the team's own.
//!
//! A conflict is a result, not a failure. Everything is planned under the lock, from the default branch as it then is;
//! what a person decides on a terminal is bound to the content that they were shown. One commit, or none.

mod bundle;
mod follow;
mod names;
mod plan;
mod report;

pub use report::{Conflict, Item, Status};

use super::{Commit, Outside};
use crate::git::{Changes, Mode, Place, with_changes};
use crate::registry::{self, Changed, Registry, State, entry};
use crate::types::{Error, ErrorKind, Result, SkillId, TreeHash};
use plan::{Decision, Plan};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What `import` is to do.
#[derive(Debug, Clone)]
pub struct Options {
    /// The keys of the skills; empty asks, or takes all of a folder.
    pub keys: Vec<String>,
    /// The folder or archive; none takes the roots of this machine.
    pub from: Option<PathBuf>,
    /// The id that the one skill gets.
    pub name: Option<String>,
    /// What happens where a skill of that id is here already; none asks.
    pub on_conflict: Option<OnConflict>,
    /// The content that an overwrite expects to replace.
    pub expect: Option<String>,
    /// Whether recorded upstreams are followed at once.
    pub link: bool,
    /// How it is committed.
    pub commit: Commit,
}

/// What happens to a skill whose id is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnConflict {
    /// It is reported, and nothing at all is written.
    Fail,
    /// It stays out.
    Skip,
    /// It comes in under another name.
    Rename,
    /// It replaces the content of the one that is here.
    Overwrite,
}

/// A skill, as a person is asked whether they want it.
#[derive(Debug, Clone)]
pub struct Choice {
    /// Its key.
    pub key: String,
    /// Where it is.
    pub path: String,
}

/// The keys that a person chose; none where there is no terminal.
pub type Chosen = Option<Vec<String>>;

/// How a person is asked; each answers nothing where there is no terminal.
pub struct Ask<'a> {
    /// Which skills.
    pub choose: &'a dyn Fn(&[Choice]) -> Result<Chosen>,
    /// What to do about a conflict.
    pub decide: &'a dyn Fn(&Conflict) -> Result<Option<OnConflict>>,
}

/// What `import` did.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The format of this document.
    pub format: u32,
    /// The skills, in the order in which they were named.
    pub skills: Vec<Item>,
    /// The commit; none where nothing was written.
    #[serde(flatten)]
    pub changed: Option<Changed>,
}

impl Report {
    /// Tells whether a skill failed, or an upstream that it was to follow.
    pub fn failed(&self) -> bool {
        self.skills.iter().any(|item| item.status == Status::Failed || item.link_error.is_some())
    }

    /// Tells whether a conflict waits for a decision.
    pub fn awaits_decision(&self) -> bool {
        self.skills.iter().any(|item| item.status == Status::Conflict)
    }
}

/// Imports skills.
///
/// # Errors
/// Where it cannot even be said what is to be imported. What is wrong with one skill is in its item.
pub fn import(outside: &Outside, options: &Options, ask: &Ask<'_>) -> Result<Report> {
    let as_typed = |typed: &str| {
        SkillId::parse(typed).map_err(|why| {
            Error::new(ErrorKind::Usage, "--as is no skill id").because(why).hint("for example: --as acme/deploy")
        })
    };
    let name = options.name.as_deref().map(as_typed).transpose()?;
    let expect = options.expect.as_deref().map(TreeHash::parse).transpose()?;
    if expect.is_some() && options.on_conflict != Some(OnConflict::Overwrite) {
        return Err(Error::new(ErrorKind::Usage, "--expect says what an overwrite is to replace")
            .hint("add: --on-conflict overwrite"));
    }
    let limits = outside.registry()?.state()?.settings.limits;
    let wanted = bundle::select(outside, &limits, options, ask)?;
    if wanted.len() != 1 && (name.is_some() || expect.is_some()) {
        return Err(Error::new(ErrorKind::Usage, "--as and --expect are about one skill").hint("name one key"));
    }
    let mut decisions: BTreeMap<SkillId, Decision> = BTreeMap::new();
    loop {
        let (registry, lock) = outside.locked_registry()?;
        let state = registry.state()?;
        let plan = Plan::make(outside, &registry, &state, options, &wanted, (name.as_ref(), expect), &decisions)?;
        let open: Vec<Conflict> = match options.on_conflict {
            None => plan.items.iter().filter_map(|item| item.conflict.clone()).collect(),
            Some(_) => Vec::new(),
        };
        let open = open.into_iter().filter(|conflict| !decisions.contains_key(&conflict.skill));
        let mut open = open.collect::<Vec<_>>().into_iter();
        let Some(mut conflict) = open.next() else {
            return carry_out(outside, &registry, &state, options, plan);
        };
        // Nobody else waits while a person thinks.
        drop(lock);
        loop {
            let Some(how) = (ask.decide)(&conflict)? else {
                return Ok(Report { format: 1, skills: plan.held_back(), changed: None });
            };
            decisions.insert(conflict.skill.clone(), Decision { how, seen: conflict.tree });
            match open.next() {
                Some(next) => conflict = next,
                None => break,
            }
        }
    }
}

fn carry_out(
    outside: &Outside,
    registry: &Registry,
    state: &State,
    options: &Options,
    mut plan: Plan<'_>,
) -> Result<Report> {
    if plan.is_stopped() {
        return Ok(Report { format: 1, skills: plan.held_back(), changed: None });
    }
    let mut changes = Changes::new();
    let mut entries = BTreeMap::new();
    if options.link {
        let followed = follow::follow(outside, registry, state, &mut plan)?;
        changes.extend(followed.files);
        entries = followed.entries;
    }
    let store = &registry.repository.store;
    let mut told = Vec::new();
    for planned in plan.items.iter_mut() {
        let Some(id) = planned.item.skill.clone() else { continue };
        let standing = state.skills.get(&id);
        let linked = entries.remove(&id);
        let comes_in = matches!(planned.item.status, Status::Completed | Status::Renamed);
        if !comes_in && linked.is_none() {
            continue;
        }
        if comes_in && let Some(tree) = planned.tree {
            changes.insert(state.layout.skill(&id), Some(Place { mode: Mode::Tree, id: tree }));
        }
        let before = standing.and_then(|skill| skill.entry.as_ref()).map(|entry| entry.text.as_str());
        let mut text = entry::with_origin(linked.as_deref().or(before), &planned.origin.keys())?;
        if standing.and_then(|skill| skill.entry()).is_some_and(|entry| entry.status != registry::Status::Active) {
            text = entry::with_status(Some(&text), "active")?;
        }
        if !comes_in {
            planned.item.status = Status::Completed;
            planned.item.reason = "linked";
        }
        let blob = store.write_blob(text.as_bytes())?;
        changes.insert(state.layout.entry(&id), Some(Place { mode: Mode::File, id: blob }));
        told.push(format!("{id}: {}", planned.origin.path));
    }
    let skills: Vec<Item> = plan.items.into_iter().map(|planned| planned.item).collect();
    if told.is_empty() {
        return Ok(Report { format: 1, skills, changed: None });
    }
    let subject = match told.as_slice() {
        [one] => format!("Import {}", one.split(':').next().unwrap_or_default()),
        many => format!("Import {} skills", many.len()),
    };
    let message = format!("{subject}\n\n{}\n", told.join("\n"));
    let tree = with_changes(store, state.tree, &changes)?;
    let changed = options.commit.commit(registry, outside, "import", tree, &message)?;
    Ok(Report { format: 1, skills, changed: Some(changed) })
}
