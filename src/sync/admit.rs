//! Brings in the skills of a source that a person has just added or enabled: what `new` candidates would propose,
//! ready for one commit on the default branch.

use super::candidate::{Ground, Maker, Offer};
use super::mirror::{self, oldest_of_newest_run};
use super::{moved, offers};
use crate::git::{Changes, Oid};
use crate::registry::{Registry, SourceFile, State, Upstream};
use crate::skill::TreeHasher;
use crate::source::plugin::Plugins;
use crate::source::{Access, Remark, observe};
use crate::types::{Error, ErrorKind, RelPath, Result, SkillId};
use std::collections::BTreeMap;

/// What comes in with a source.
pub struct Admission {
    /// The mirror's head.
    pub mirror: Oid,
    /// The local mirror branch as it was.
    pub local_mirror: Option<Oid>,
    /// The skills, with what each puts into the registry's tree.
    pub skills: Vec<(SkillId, Changes)>,
    /// The licence files of the source, those that are about skills of the team's own among them.
    pub licenses: Changes,
    /// The upstream path of each skill whose id is one of the team's own; each is among those that cannot come in.
    pub own: BTreeMap<SkillId, RelPath>,
    /// The guide of upstream's own registry, which stays there.
    pub guide: Option<RelPath>,
    /// Skills that cannot come in.
    pub rejected: Vec<Remark>,
    /// What is odd about skills that come in.
    pub warnings: Vec<Remark>,
    /// The plugins that they belong to.
    pub plugins: Plugins,
}

/// Looks at the source and makes everything that its skills need; moves no ref.
pub fn admit(registry: &Registry, state: &State, source: &SourceFile, access: &Access<'_>) -> Result<Admission> {
    let store = &registry.repository.store;
    let limits = &state.settings.limits;
    let snapshot = observe(access, source, &registry.directory, limits)?;
    let super::MirrorHead { local: local_mirror, head: previous, .. } = super::mirror_head(registry, source)?;
    let mirror = mirror::observe(store, previous, &snapshot, source, limits)?;
    let hasher = TreeHasher::new(store);
    let moved = moved::find(store, &hasher, state, source, &mirror)?;
    let new = offers::new_skills(store, state, source, &mirror, &moved)?;
    let no_base = |_: &Upstream| Err(Error::new(ErrorKind::UnknownBase, "a new skill has no base"));
    let (layout, name) = (&state.layout, &source.name);
    let maker = Maker { store, hasher: &hasher, layout, state, source: name, mirror: &mirror, find_base: &no_base };
    let ground = Ground { tree: state.tree, skill: None, entry: None };
    let mut skills = Vec::new();
    for (id, path) in &new.offered {
        let tree = mirror.skills.get(path).copied();
        let Some(tree) = tree else { continue };
        let offer = Offer {
            path: path.clone(),
            tree: Some(tree),
            accepted: hasher.hash(tree)?,
            mirror: oldest_of_newest_run(store, mirror.head, path, Some(tree))?,
        };
        let made = maker.make(&ground, &offer)?;
        skills.push((id.clone(), maker.changes(state.tree, id, &made)?));
    }
    let unreadable = new.unreadable.iter().map(|(id, path)| {
        Remark::new(path, "ownership", format!("`{id}` has an entry that cannot be read, so nobody knows whose it is"))
    });
    let rejected: Vec<Remark> = mirror.rejected.iter().cloned().chain(new.refused).chain(unreadable).collect();
    if skills.is_empty() && rejected.is_empty() && new.guide.is_some() {
        return Err(Error::new(
            ErrorKind::NoEvidence,
            "the source is a skillgraft registry, and nothing but its guide is selected",
        )
        .hint("its guide `using-skillgraft` is about that repository alone; add it again when it has skills"));
    }
    if skills.is_empty() && rejected.is_empty() && state.followers(&source.name).next().is_none() {
        return Err(Error::new(ErrorKind::NoEvidence, "the source has skills, but none is selected")
            .hint(format!(
                "look at `skills` and `exclude`: of a source that is here in sources/{}.toml, of a new one the options --skill \
                 and --exclude of add",
                source.name
            )));
    }
    let warnings = mirror.remarks.iter().cloned().chain(new.collisions).collect();
    let licenses = maker
        .license_changes(state.tree, None)?
        .into_iter()
        .chain(new.own.values().filter_map(|path| maker.record(path)));
    let licenses = licenses.collect();
    let (plugins, own) = (mirror.plugins, new.own);
    let (head, guide) = (mirror.head, new.guide);
    Ok(Admission { mirror: head, local_mirror, skills, licenses, own, guide, rejected, warnings, plugins })
}
