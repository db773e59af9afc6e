//! What an import would do with each skill, decided from one state of the default branch; nothing is written here but
//! objects that nobody names yet.

use super::bundle::{Origin, Wanted};
use super::names::{email_of, is_owner, names_like};
use super::report::{Conflict, Item, Status};
use super::{OnConflict, Options};
use crate::git::{Changes, Mode, Oid, Place, Store, with_changes};
use crate::ops::Outside;
use crate::registry::{self, Person, Registry, SkillState, State};
use crate::skill::spec::{Severity, check_skill_md};
use crate::skill::{SKILL_MD, TreeHasher, frontmatter, with_name};
use crate::source::peers::Record;
use crate::source::{Remark, flatten};
use crate::sync::id_for;
use crate::sync::versions::Versions;
use crate::types::{Error, RelPath, Result, SkillId, TreeHash, escape};
use std::collections::BTreeMap;

/// What a person decided about a conflict that they were shown.
#[derive(Debug, Clone, Copy)]
pub struct Decision {
    /// What is to happen.
    pub how: OnConflict,
    /// The content that they saw here.
    pub seen: Option<TreeHash>,
}

/// A skill with what is to be written of it.
pub struct Planned<'w> {
    /// What is told about it.
    pub item: Item,
    /// Its tree, in the registry's object database.
    pub tree: Option<Oid>,
    /// Where it comes from.
    pub origin: &'w Origin,
    /// What an installer recorded about it.
    pub record: Option<&'w Result<Record>>,
}

impl std::ops::Deref for Planned<'_> {
    type Target = Item;

    fn deref(&self) -> &Item {
        &self.item
    }
}

/// What an import would do.
pub struct Plan<'w> {
    /// The skills, in the order in which they were named.
    pub items: Vec<Planned<'w>>,
}

impl<'w> Plan<'w> {
    /// Makes the plan. `exact` is what `--as` and `--expect` say of the one skill.
    pub fn make(
        outside: &Outside,
        registry: &Registry,
        state: &State,
        options: &Options,
        wanted: &'w [Wanted],
        exact: (Option<&SkillId>, Option<TreeHash>),
        decisions: &BTreeMap<SkillId, Decision>,
    ) -> Result<Self> {
        let store = &registry.repository.store;
        let versions = Versions::load(registry, state)?;
        let email = Person::ask(&outside.git, &registry.repository).ok().and_then(|person| email_of(person.name()));
        let (name, expect) = exact;
        let planner = Planner {
            store,
            state,
            hasher: TreeHasher::new(store),
            versions,
            email,
            on_conflict: options.on_conflict,
            name,
            expect,
            decisions,
        };
        let mut items: Vec<Planned<'w>> = Vec::new();
        for skill in wanted {
            let planned = planner.plan(skill, &items)?;
            items.push(planned);
        }
        Ok(Plan { items })
    }

    /// Tells whether something stops the whole import: one commit with everything, or none.
    pub fn is_stopped(&self) -> bool {
        self.items.iter().any(|item| matches!(item.status, Status::Failed | Status::Conflict))
    }

    /// Returns the items of an import that writes nothing.
    pub fn held_back(self) -> Vec<Item> {
        let held = |planned: Planned<'_>| {
            let mut item = planned.item;
            if matches!(item.status, Status::Completed | Status::Renamed) {
                item.status = Status::Skipped;
                item.reason = "nothing_written";
                item.message = Some("another skill of this import could not come in, so nothing was written".into());
            }
            item
        };
        self.items.into_iter().map(held).collect()
    }
}

struct Planner<'a> {
    store: &'a Store,
    state: &'a State,
    hasher: TreeHasher<'a>,
    versions: Versions,
    email: Option<String>,
    on_conflict: Option<OnConflict>,
    name: Option<&'a SkillId>,
    expect: Option<TreeHash>,
    decisions: &'a BTreeMap<SkillId, Decision>,
}

/// How a skill ends, before it is told.
struct Verdict {
    status: Status,
    reason: &'static str,
    message: Option<String>,
    conflict: Option<Conflict>,
}

impl Verdict {
    fn new(status: Status, reason: &'static str) -> Self {
        Verdict { status, reason, message: None, conflict: None }
    }

    fn because(status: Status, reason: &'static str, message: impl Into<String>) -> Self {
        Verdict { message: Some(escape(&message.into())), ..Verdict::new(status, reason) }
    }
}

impl Planner<'_> {
    fn plan<'w>(&self, wanted: &'w Wanted, earlier: &[Planned<'w>]) -> Result<Planned<'w>> {
        let origin = &wanted.origin;
        let mut item = Item {
            key: wanted.key.clone(),
            skill: None,
            status: Status::Failed,
            reason: "unreadable",
            message: None,
            kind: origin.kind,
            layer: origin.layer,
            provider: origin.provider,
            path: origin.path.clone(),
            tool: origin.tool,
            tree: None,
            conflict: None,
            upstream: None,
            link_error: None,
            warnings: Vec::new(),
        };
        let mut tree = None;
        let verdict = match self.read(wanted)? {
            Err(remark) => Verdict::because(Status::Failed, remark.reason, remark.message),
            Ok((content, warnings)) => {
                item.warnings = warnings;
                item.warnings.extend(wanted.shadowed.iter().map(|path| {
                    Remark::new(
                        path,
                        "shadowed",
                        format!("another `{}`, which comes later and was not taken", wanted.key),
                    )
                }));
                let (id, content, verdict) = self.place(wanted, content, earlier)?;
                item.tree = Some(self.hasher.hash(content)?);
                if let Some(id) = id.as_ref().filter(|_| matches!(verdict.status, Status::Completed | Status::Renamed))
                {
                    item.warnings.extend(self.what_check_refuses(id, content)?);
                }
                (item.skill, tree) = (id, Some(content));
                verdict
            }
        };
        (item.status, item.reason, item.message, item.conflict) =
            (verdict.status, verdict.reason, verdict.message, verdict.conflict);
        Ok(Planned { item, tree, origin, record: wanted.record.as_ref() })
    }

    /// Takes the skill's files into the object database by the rules that hold for upstream's.
    fn read(&self, wanted: &Wanted) -> Result<Result<(Oid, Vec<Remark>), Remark>> {
        let limits = &self.state.settings.limits;
        let rejected = |error: &Error| Remark::new(&wanted.key, "unreadable", error.full_message());
        let (snapshot, found) = match wanted.read(limits) {
            Ok(read) => read,
            Err(error) => return Ok(Err(rejected(&error))),
        };
        match flatten(&snapshot, &found, limits)? {
            Ok(flat) => {
                snapshot.need(flat.blobs())?;
                flat.copy_into(&snapshot, self.store, limits)
            }
            Err(remark) => Ok(Err(remark)),
        }
    }

    /// Finds the id of a skill, and what that means; the content is another where the name in it had to change.
    fn place(&self, wanted: &Wanted, content: Oid, earlier: &[Planned<'_>]) -> Result<(Option<SkillId>, Oid, Verdict)> {
        let (id, content) = match self.name {
            Some(name) => (name.clone(), self.named(content, name)?),
            None => match self.id_of(wanted, content)? {
                Some(id) => (id, content),
                None => {
                    let message = "neither its `name` nor its directory can be a skill id; choose one with --as";
                    return Ok((None, content, Verdict::because(Status::Failed, "no_id", message)));
                }
            },
        };
        if let Some(other) = earlier.iter().find(|item| item.skill.as_ref() == Some(&id)) {
            let message = format!("`{}` of this import is `{id}` too; import one of them with --as", other.key);
            return Ok((Some(id), content, Verdict::because(Status::Failed, "same_id", message)));
        }
        let Some(standing) = self.state.skills.get(&id) else {
            let verdict = match self.refused(&id, earlier) {
                Some(message) => Verdict::because(Status::Failed, "namespace", message),
                None if self.expected(&id).is_some() => {
                    let message = format!("there is no `{id}` any more that could be overwritten");
                    Verdict::because(Status::Failed, "removed", message)
                }
                None => Verdict::new(Status::Completed, "new"),
            };
            return Ok((Some(id), content, verdict));
        };
        if standing.tree == Some(content) {
            return Ok((Some(id), content, Verdict::new(Status::Unchanged, "identical")));
        }
        if let Some(error) = standing.unreadable() {
            return Ok((Some(id), content, Verdict::because(Status::Failed, "entry_invalid", error.full_message())));
        }
        self.decide(id, content, standing, earlier)
    }

    fn decide(
        &self,
        id: SkillId,
        content: Oid,
        standing: &SkillState,
        earlier: &[Planned<'_>],
    ) -> Result<(Option<SkillId>, Oid, Verdict)> {
        let conflict = self.conflict(&id, standing, earlier)?;
        let failed = |reason, message: String| Verdict::because(Status::Failed, reason, message);
        if let Some(expected) = self.expected(&id)
            && conflict.tree != expected
        {
            let verdict = failed("changed", format!("`{id}` has changed meanwhile, so it was not overwritten"));
            return Ok((Some(id), content, Verdict { conflict: Some(conflict), ..verdict }));
        }
        // Who disabled it keeps it away from every consumer; that ends by `enable`, not in passing.
        let is_disabled = standing.entry().is_some_and(|entry| entry.status == registry::Status::Disabled);
        let another = match is_disabled {
            true => format!("there is another `{id}`, which is disabled; to bring that back: skillgraft enable {id}"),
            false => format!("there is another `{id}`"),
        };
        let decided = self.decisions.get(&id).map(|decision| decision.how);
        Ok(match decided.or(self.on_conflict).unwrap_or(OnConflict::Fail) {
            OnConflict::Skip => (Some(id), content, Verdict::because(Status::Skipped, "exists", another)),
            OnConflict::Rename => self.renamed(&id, content, earlier)?,
            OnConflict::Overwrite if is_disabled => (Some(id), content, failed("disabled", another)),
            OnConflict::Overwrite if conflict.can_overwrite => {
                (Some(id), content, Verdict::new(Status::Completed, "overwritten"))
            }
            OnConflict::Overwrite => {
                let message = format!("`{id}` belongs to {}", conflict.owners.join(", "));
                let status = if self.expected(&id).is_some() { Status::Failed } else { Status::Conflict };
                let verdict = Verdict::because(status, "not_owner", message);
                (Some(id), content, Verdict { conflict: Some(conflict), ..verdict })
            }
            OnConflict::Fail => {
                let verdict = Verdict::because(Status::Conflict, "exists", another);
                (Some(id), content, Verdict { conflict: Some(conflict), ..verdict })
            }
        })
    }

    /// The content that an overwrite was decided on; the inner one is none where only an entry stood.
    fn expected(&self, id: &SkillId) -> Option<Option<TreeHash>> {
        let decided = self.decisions.get(id).filter(|decision| decision.how == OnConflict::Overwrite);
        self.expect.map(Some).or_else(|| decided.map(|decision| decision.seen))
    }

    fn conflict(&self, id: &SkillId, standing: &SkillState, earlier: &[Planned<'_>]) -> Result<Conflict> {
        let owners = standing.entry().map(|entry| entry.owners.clone()).unwrap_or_default();
        let free =
            names_like(id).find(|name| !self.state.skills.contains_key(name) && self.refused(name, earlier).is_none());
        Ok(Conflict {
            skill: id.clone(),
            version: self.versions.newest(id),
            tree: standing.tree.map(|tree| self.hasher.hash(tree)).transpose()?,
            can_overwrite: is_owner(&owners, self.email.as_deref()),
            owners,
            suggested_name: free.expect("there are more numbers than skills"),
        })
    }

    /// The first free name; the one under which this very skill came in before, so that a retry changes nothing.
    fn renamed(&self, id: &SkillId, content: Oid, earlier: &[Planned<'_>]) -> Result<(Option<SkillId>, Oid, Verdict)> {
        for name in names_like(id) {
            let renamed = self.named(content, &name)?;
            match self.state.skills.get(&name) {
                Some(skill) if skill.tree == Some(renamed) => {
                    return Ok((Some(name), renamed, Verdict::new(Status::Unchanged, "identical")));
                }
                None if self.refused(&name, earlier).is_none() => {
                    let message = format!("there is another `{id}`");
                    return Ok((Some(name), renamed, Verdict::because(Status::Renamed, "exists", message)));
                }
                _ => {}
            }
        }
        unreachable!("there are more numbers than skills")
    }

    /// Why a new skill cannot have this id: of the registry's skills and those that come in with it.
    fn refused(&self, id: &SkillId, earlier: &[Planned<'_>]) -> Option<String> {
        // What stays out is in nobody's way.
        let comes_in = |item: &&Planned<'_>| !matches!(item.status, Status::Failed | Status::Skipped);
        let others: Vec<&SkillId> = earlier.iter().filter(comes_in).filter_map(|item| item.skill.as_ref()).collect();
        if others.contains(&id) {
            return Some(format!("another skill of this import is `{id}`"));
        }
        let above = others.iter().find(|other| id.namespaces().any(|above| other.as_str() == above));
        let below = others.iter().find(|other| other.namespaces().any(|above| above == id.as_str()));
        match (above, below) {
            (Some(other), _) => Some(format!("`{other}` is a skill, so it cannot be the namespace of `{id}`")),
            (_, Some(other)) => Some(format!("`{id}` is the namespace of `{other}`")),
            (None, None) if self.state.skills.contains_key(id) => None,
            (None, None) => self.state.taken(id),
        }
    }

    /// The frontmatter's name where it is valid, else the directory's, as for upstream's skills. A folder around a skill is
    /// its namespace, where it can be one; several (`plugins/acme/skills/deploy`) are only the place where it lies.
    fn id_of(&self, wanted: &Wanted, content: Oid) -> Result<Option<SkillId>> {
        let (namespace, directory) = wanted.key.rsplit_once('/').unwrap_or(("", &wanted.key));
        let namespace = if namespace.contains('/') { "" } else { namespace };
        let name = frontmatter::read(&self.skill_md(content)?).name;
        let namespaced = id_for(name.as_deref(), namespace, directory);
        Ok(namespaced.or_else(|| id_for(name.as_deref(), "", directory)))
    }

    /// Returns the content with the name that the id says.
    fn named(&self, content: Oid, id: &SkillId) -> Result<Oid> {
        let skill_md = self.skill_md(content)?;
        if frontmatter::read(&skill_md).name.as_deref() == Some(id.name()) {
            return Ok(content);
        }
        let Some(changed) = with_name(&skill_md, id.name()) else { return Ok(content) };
        let path = RelPath::parse(SKILL_MD).expect("a fixed name");
        let mode = self.store.tree(content)?.get(SKILL_MD.as_bytes()).map_or(Mode::File, |entry| entry.mode);
        let place = Place { mode, id: self.store.write_blob(&changed)? };
        with_changes(self.store, content, &Changes::from([(path, Some(place))]))
    }

    /// What `check` will not pass: it comes in all the same, and somebody has to mend it.
    fn what_check_refuses(&self, id: &SkillId, content: Oid) -> Result<Vec<Remark>> {
        let mut findings = check_skill_md(&self.skill_md(content)?, id.name());
        findings.retain(|finding| finding.severity == Severity::Error);
        Ok(findings.into_iter().map(|finding| Remark::new(id, finding.rule, finding.message)).collect())
    }

    fn skill_md(&self, content: Oid) -> Result<Vec<u8>> {
        let entry = self.store.tree(content)?.get(SKILL_MD.as_bytes()).map(|entry| entry.id);
        entry.map_or(Ok(Vec::new()), |id| self.store.blob(id))
    }
}
