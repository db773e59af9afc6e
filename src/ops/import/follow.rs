//! `--link`: imported skills whose origin an installer recorded follow that upstream at once, from the state that they
//! were copied from. A source is registered where none has the repository; it follows these skills and no others.

use super::plan::{Plan, Planned};
use super::report::{Followed, Status};
use crate::git::{Changes, Mode, Oid, Place as At, Repository};
use crate::ops::Outside;
use crate::ops::add::relative_to;
use crate::ops::link;
use crate::registry::{NewSource, Origin, Registry, SourceFile, State};
use crate::source::location;
use crate::source::peers::{Place, Record, without_git};
use crate::source::{Remark, Snapshot, discover, observe_history};
use crate::sync::ancestry::{self, Copied, Origin as Base};
use crate::types::{Error, ErrorKind, RelPath, Result, SkillId, SourceName, escape};
use std::collections::BTreeMap;

/// What is to be written so that skills follow their upstreams.
pub struct Following {
    /// The files of new sources, and licence files.
    pub files: Changes,
    /// The entry of each skill that follows one.
    pub entries: BTreeMap<SkillId, String>,
}

/// Finds the upstreams. What cannot be found is told in the skill's item; the skill is then the team's own.
pub fn follow(outside: &Outside, registry: &Registry, state: &State, plan: &mut Plan<'_>) -> Result<Following> {
    let mut found = Following { files: Changes::new(), entries: BTreeMap::new() };
    let mut groups: BTreeMap<(Place, Option<String>), Vec<usize>> = BTreeMap::new();
    for (at, planned) in plan.items.iter_mut().enumerate() {
        match record_of(state, planned) {
            Some(Ok(record)) => groups.entry((record.place, record.reference)).or_default().push(at),
            Some(Err(error)) => planned.item.link_error = Some(escape(&error.full_message())),
            None if comes_in(planned) => {
                let message = "no installer recorded where it came from, so it follows nothing";
                planned.item.message.get_or_insert(message.to_owned());
            }
            None => {}
        }
    }
    let mut names: Vec<SourceName> = state.sources.keys().cloned().collect();
    for ((place, reference), members) in groups {
        let failed = |plan: &mut Plan<'_>, error: &Error| {
            members.iter().for_each(|at| plan.items[*at].item.link_error = Some(escape(&error.full_message())));
        };
        let mut group = match Group::observe(outside, registry, state, &place, reference, &names) {
            Ok(group) => group,
            Err(error) => {
                failed(plan, &error);
                continue;
            }
        };
        let mut copies = Vec::new();
        for at in &members {
            let planned = &mut plan.items[*at];
            let (Some(id), Some(local)) = (planned.skill.clone(), planned.tree) else { continue };
            let record = planned.record.and_then(|record| record.as_ref().ok());
            match group.path_of(&id, record) {
                Ok(path) => copies.push((*at, id, Copied { path, local }, record.and_then(|record| record.tree))),
                Err(error) => planned.item.link_error = Some(escape(&error.full_message())),
            }
        }
        let bases = match group.bases(&copies) {
            Ok(bases) => bases,
            Err(error) => {
                failed(plan, &error);
                continue;
            }
        };
        let mut paths = Vec::new();
        for ((at, id, copied, _), base) in copies.into_iter().zip(bases) {
            let planned = &mut plan.items[at];
            match group.link(&id, copied, base) {
                Ok(linked) => {
                    let proposal = linked.proposal;
                    let place = linked.entry.1.expect("an entry that is written");
                    found.entries.insert(id.clone(), text_of(registry, place.id)?);
                    // Of several states, the first one's.
                    linked.licenses.into_iter().for_each(|(path, place)| {
                        found.files.entry(path).or_insert(place);
                    });
                    paths.push(proposal.path.clone());
                    if proposal.unrelated {
                        let message = format!(
                            "it has hardly anything in common with {}:{}; to stop following, run: skillgraft adopt {id}",
                            proposal.source, proposal.path
                        );
                        planned.item.warnings.push(Remark::new(&id, "unrelated", message));
                    }
                    planned.item.upstream = Some(Followed {
                        source: proposal.source,
                        path: proposal.path,
                        revision: proposal.revision,
                        identical: proposal.identical,
                    });
                }
                Err(error) => planned.item.link_error = Some(escape(&error.full_message())),
            }
        }
        if !paths.is_empty()
            && let Some(new) = group.new_source(&paths)
        {
            let blob = registry.repository.store.write_blob(new.render().as_bytes())?;
            found.files.insert(state.layout.source(&group.source.name), Some(At { mode: Mode::File, id: blob }));
            names.push(group.source.name);
        }
    }
    Ok(found)
}

/// The record of a skill that comes in, or is here and follows nothing yet.
fn record_of(state: &State, planned: &Planned<'_>) -> Option<Result<Record>> {
    let is_here = comes_in(planned) || planned.status == Status::Unchanged;
    let standing = planned.skill.as_ref().and_then(|id| state.skills.get(id)).and_then(|skill| skill.entry());
    let follows = standing.is_some_and(|entry| entry.upstream.is_some());
    (is_here && !follows).then(|| planned.record.cloned()).flatten()
}

fn text_of(registry: &Registry, entry: Oid) -> Result<String> {
    let bytes = registry.repository.store.blob(entry)?;
    Ok(String::from_utf8(bytes).expect("an entry that was rendered is text"))
}

fn comes_in(planned: &Planned<'_>) -> bool {
    matches!(planned.status, Status::Completed | Status::Renamed)
}

/// A skill with its place in the plan, and the tree that was recorded of it.
type Copy = (usize, SkillId, Copied, Option<Oid>);

/// Skills that came from one repository.
struct Group<'a> {
    registry: &'a Registry,
    state: &'a State,
    source: SourceFile,
    is_new: bool,
    snapshot: Snapshot,
}

impl<'a> Group<'a> {
    fn observe(
        outside: &Outside,
        registry: &'a Registry,
        state: &'a State,
        place: &Place,
        reference: Option<String>,
        names: &[SourceName],
    ) -> Result<Self> {
        let (origin, typed) = origin_of(outside, registry, place)?;
        let known = state.sources.values().filter_map(|source| source.file.as_ref().ok());
        let known = known.filter(|source| source.reference == reference && same_origin(&source.origin, &origin));
        let standing = known.min_by_key(|source| !source.enabled).cloned();
        let is_new = standing.is_none();
        let source = match standing {
            Some(source) => source,
            None => {
                let name = free_name(&typed, names)?;
                SourceFile::parse(name, &describe(origin, reference, Vec::new()).render())?
            }
        };
        let limits = &state.settings.limits;
        let snapshot = observe_history(&outside.access(false, false), &source, &registry.directory, limits)?;
        Ok(Group { registry, state, source, is_new, snapshot })
    }

    /// Where upstream has a skill: as recorded, else by its name.
    fn path_of(&self, id: &SkillId, record: Option<&Record>) -> Result<RelPath> {
        let path = match record.and_then(|record| record.path.clone()) {
            Some(path) => path,
            None => self.path_by_name(id)?,
        };
        if !self.is_new && !self.source.selection.selects(&path, &self.source.name) {
            let message = format!("source `{}` has this repository, but does not select {path}", self.source.name);
            let hint = format!("add it to `skills` in {}", self.state.layout.source(&self.source.name));
            return Err(Error::new(ErrorKind::Config, message).hint(hint));
        }
        Ok(path)
    }

    /// The states that the skills were copied from: those with the recorded trees, else the nearest ones. One walk finds
    /// the nearest for all, and everything that has to be read is asked for at once.
    fn bases(&self, copies: &[Copy]) -> Result<Vec<Option<Base>>> {
        let store = &self.registry.repository.store;
        let mut bases = Vec::new();
        for (_, _, copied, recorded) in copies {
            let found = recorded.map(|tree| ancestry::find_recorded(&self.snapshot, store, copied, tree));
            bases.push(found.transpose()?.flatten());
        }
        let open: Vec<usize> = (0..copies.len()).filter(|at| bases[*at].is_none()).collect();
        let searched: Vec<Copied> = open.iter().map(|at| copies[*at].2.clone()).collect();
        for (at, base) in open.into_iter().zip(ancestry::find_origins(&self.snapshot, store, &searched)?) {
            bases[at] = base;
        }
        let mut blobs = Vec::new();
        for base in bases.iter().flatten() {
            blobs.extend(ancestry::blobs(&self.snapshot, base)?);
        }
        self.snapshot.need(blobs)?;
        Ok(bases)
    }

    fn link(&mut self, id: &SkillId, copied: Copied, base: Option<Base>) -> Result<link::Linked> {
        let Copied { path, local } = copied;
        let base = base.ok_or_else(|| {
            let message = format!("no state of {} has a skill at {path}", self.source.name);
            Error::new(ErrorKind::NotFound, message)
        })?;
        // Read at the commit that was found.
        let root = ancestry::root(&self.snapshot, &base)?;
        let head = std::mem::replace(&mut self.snapshot.tree, root);
        let found = link::Found { id, path, origin: base, local };
        let linked = link::prepare(self.registry, self.state, &self.source, &self.snapshot, &found);
        self.snapshot.tree = head;
        linked
    }

    /// The one directory of upstream with the skill's name.
    fn path_by_name(&self, id: &SkillId) -> Result<RelPath> {
        let found = discover(&self.snapshot, &[RelPath::root()])?.found.into_iter().map(|found| found.path);
        let mut same = found.filter(|path| path.name() == Some(id.name()));
        match (same.next(), same.next()) {
            (Some(path), None) => Ok(path),
            (None, _) => Err(Error::new(ErrorKind::NotFound, format!("upstream has no directory `{}`", id.name()))),
            (Some(one), Some(other)) => {
                let message = format!("upstream has more than one `{}`: {one}, {other}", id.name());
                Err(Error::new(ErrorKind::Usage, message))
            }
        }
    }

    /// The source to register; it follows the skills at `paths` and no others.
    fn new_source(&self, paths: &[RelPath]) -> Option<NewSource> {
        let skills = paths.iter().map(|path| globset::escape(path.as_str())).collect();
        self.is_new.then(|| describe(self.source.origin.clone(), self.source.reference.clone(), skills))
    }
}

fn describe(origin: Origin, reference: Option<String>, skills: Vec<String>) -> NewSource {
    let (path, namespace) = (RelPath::root(), String::new());
    NewSource { origin, reference, path, skills, exclude: Vec::new(), namespace, insecure: false, enabled: true }
}

/// A folder is written down relative to the registry, and only where that names nothing of the machine or its user: not
/// from the root of the disk, and not across the border of the home.
fn origin_of(outside: &Outside, registry: &Registry, place: &Place) -> Result<(Origin, String)> {
    let folder = match place {
        Place::Url(url) => return Ok((Origin::Git(url.clone()), url.clone())),
        Place::Index(url) => return Ok((Origin::Index(url.clone()), url.clone())),
        Place::Folder(folder) => folder,
    };
    let gone = || Error::new(ErrorKind::NotFound, "the folder that it was installed from is not there any more");
    let real = folder.canonicalize().map_err(|error| gone().because(error))?;
    let here = &registry.directory;
    if real == *here {
        return Err(Error::new(ErrorKind::Usage, "it was installed from this very registry"));
    }
    let shares = here.components().zip(real.components()).filter(|(one, other)| one == other).count() > 1;
    let home = outside.machine.home.as_ref().and_then(|home| home.canonicalize().ok());
    if !shares || home.is_some_and(|home| here.starts_with(&home) != real.starts_with(&home)) {
        let message = "it was installed from a folder elsewhere on this machine, and that path says nothing to others: \
                       `skillgraft add` its repository's URL, then use `skillgraft link`";
        return Err(Error::new(ErrorKind::Usage, message));
    }
    let text = relative_to(here, &real).to_str().map(|text| text.replace(std::path::MAIN_SEPARATOR, "/"));
    let text = text.ok_or_else(gone)?;
    let text = if text.starts_with('.') { text } else { format!("./{text}") };
    let is_repository = Repository::open(&real).is_ok();
    Ok((if is_repository { Origin::Git(text.clone()) } else { Origin::Directory(text.clone()) }, text))
}

fn same_origin(one: &Origin, other: &Origin) -> bool {
    match (one, other) {
        (Origin::Git(one), Origin::Git(other)) => without_git(one) == without_git(other),
        (one, other) => one == other,
    }
}

fn free_name(typed: &str, names: &[SourceName]) -> Result<SourceName> {
    let named = location::parse(typed).ok().and_then(|location| location::default_name(&location));
    let name = named.map_or("imported".to_owned(), |name| name.to_string());
    let numbered = (2u64..).map(|number| format!("{}-{number}", &name[..name.len().min(58)]));
    let mut names_like = std::iter::once(name.clone()).chain(numbered).map(|name| SourceName::parse(&name));
    names_like
        .find(|name| name.as_ref().is_ok_and(|name| !names.contains(name)))
        .expect("there are more numbers than sources")
}
