//! `check`: every rule on every skill, entry and source of the commit that is checked out. All findings, not the first.

mod settings;

use super::Outside;
use crate::git::{History, Mode, Oid, Store, tree_at};
use crate::registry::{Registry, SkillState, State, Status, Uncommitted, Upstream, skill_md_of};
use crate::skill::spec::{self, Severity, check_skill_md};
use crate::skill::{Limits, SKILL_MD, TreeHasher, license, show_bytes};
use crate::sync::late::{self, moved_without_content};
use crate::sync::missing::way_back;
use crate::sync::records::Records;
use crate::types::{Error, ErrorKind, RelPath, Result, SkillId, escape, fold_component};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::BTreeMap;

/// What `check` found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The format of this document.
    pub format: u32,
    /// The commit that was looked at.
    pub commit: Oid,
    /// How many skills were looked at.
    pub skills: usize,
    /// The findings, by file and line.
    pub findings: Vec<Finding>,
    /// Files of the work tree that are not as that commit has them: they were not looked at.
    pub uncommitted: Vec<Uncommitted>,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// The file, relative to the repository.
    pub file: String,
    /// The line, where there is one.
    pub line: Option<usize>,
    /// The rule's name.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
}

impl Report {
    /// Returns how many findings have this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}

/// Checks the commit that `HEAD` is at (in a pull request's checkout, the proposed one), else the default branch's.
pub fn check(outside: &Outside) -> Result<Report> {
    let registry = outside.registry()?;
    let commit = registry.repository.head_commit()?.unwrap_or(registry.head);
    check_commit(outside, &registry, commit)
}

fn check_commit(outside: &Outside, registry: &Registry, commit: Oid) -> Result<Report> {
    let store = &registry.repository.store;
    let state = State::load(store, &registry.folder, commit)?;
    let hasher = TreeHasher::new(store);
    // A shallow clone has no history to look into.
    let history = History::of(store, commit)?;
    let records = Records::walk(store, &state.layout, &history).ok();
    let checker = Checker { store, state: &state, head: commit, hasher: &hasher, records: records.as_ref() };
    let mut findings = checker.sources();
    findings.extend(settings::check(store, &state)?);
    findings.extend(state.strays.iter().map(|error| located(error, "name", &escape(&error.to_string()))));
    let skills: Vec<(&SkillId, &SkillState)> = state.skills.iter().collect();
    let of_skills: Vec<Vec<Finding>> =
        skills.into_par_iter().map(|(id, skill)| checker.skill(id, skill)).collect::<Result<_>>()?;
    findings.extend(of_skills.into_iter().flatten());
    findings.sort();
    let uncommitted = registry.uncommitted_files(&outside.git, &state.layout);
    Ok(Report { format: 1, commit, skills: state.skills.len(), findings, uncommitted })
}

struct Checker<'a> {
    store: &'a Store,
    state: &'a State,
    head: Oid,
    hasher: &'a TreeHasher<'a>,
    records: Option<&'a Records>,
}

impl Checker<'_> {
    fn sources(&self) -> Vec<Finding> {
        let files = self.state.sources.iter().filter_map(|(name, source)| Some((name, source.file.as_ref().err()?)));
        files.map(|(name, error)| located(error, "source-invalid", self.state.layout.source(name).as_str())).collect()
    }

    fn skill(&self, id: &SkillId, skill: &SkillState) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        let entry_file = self.state.layout.entry(id);
        if let Some(above) =
            id.namespaces().find(|above| self.state.skills.keys().any(|other| other.as_str() == *above))
        {
            findings.push(error(
                entry_file.as_str(),
                "namespace",
                format!("`{above}` is a skill, so it cannot be the namespace of `{id}`"),
            ));
        }
        match skill.entry.as_ref().map(|entry| &entry.entry) {
            Some(Err(wrong)) => findings.push(located(wrong, "entry-invalid", entry_file.as_str())),
            Some(Ok(entry)) => {
                for conflict in &entry.conflicts {
                    let message = format!(
                        "unresolved conflict in {} ({}); run: skillgraft candidate resolve {id}",
                        escape(&conflict.path),
                        conflict.kind.as_str()
                    );
                    findings.push(error(entry_file.as_str(), "conflict", message));
                }
                if let Some(upstream) = &entry.upstream {
                    if !self.state.sources.contains_key(&upstream.source) {
                        let message =
                            format!("it follows source `{0}`, but there is no sources/{0}.toml", upstream.source);
                        findings.push(error(entry_file.as_str(), "source-missing", message));
                    }
                    // An object that is not in this clone (shallow, or a mirror not fetched) proves nothing.
                    if self.store.contains(upstream.git_tree)
                        && self.hasher.hash(upstream.git_tree).is_ok_and(|hash| hash != upstream.accepted)
                    {
                        findings.push(error(
                            entry_file.as_str(),
                            "base-mismatch",
                            "`git_tree` is not the tree that `accepted` proves; restore both from the default branch"
                                .into(),
                        ));
                    }
                }
                if let (Some(upstream), Some(records)) = (&entry.upstream, self.records)
                    && let Some(commit) = moved_without_content(self.store, &self.state.layout, records, id, upstream)?
                {
                    let late = late::told(self.store, commit, id)?;
                    let message = format!("{}; {}", late.message, late.hint.unwrap_or_default());
                    findings.push(warning(entry_file.as_str(), "update-without-content", message));
                }
                let active = entry.status == Status::Active;
                let gone = entry.upstream.as_ref().is_none_or(|up| up.accepted != crate::types::TreeHash::EMPTY);
                if skill.tree.is_none() && active && gone {
                    findings.push(error(
                        entry_file.as_str(),
                        "missing-local",
                        format!(
                            "the entry stands, but {} is gone; {}",
                            self.state.layout.skill(id),
                            way_back(self.store, &self.state.layout, self.head, id)
                        ),
                    ));
                }
            }
            None => {}
        }
        findings.extend(self.license(id, skill)?);
        if let Some(tree) = skill.tree {
            if skill.is_disabled() {
                let message = format!(
                    "the skill is disabled, but its directory stands here, so agents load it; take it off: skillgraft \
                     disable {id} --reason <why>, or use it: skillgraft enable {id}"
                );
                findings.push(error(self.state.layout.skill(id).as_str(), "disabled-present", message));
            }
            self.files(id, skill, tree, &mut findings)?;
        }
        Ok(findings)
    }

    /// `[policy] licenses`: a skill that follows an upstream has one of the licences that the team allows.
    fn license(&self, id: &SkillId, skill: &SkillState) -> Result<Option<Finding>> {
        let upstream = skill.entry().and_then(|entry| entry.upstream.as_ref()).filter(|_| skill.tree.is_some());
        let Some(upstream) = upstream else { return Ok(None) };
        let registry = &self.state.settings.policy;
        let source = self.state.sources.get(&upstream.source).and_then(|source| source.file.as_ref().ok());
        let policy = source.map_or_else(|| registry.clone(), |source| source.policy(registry));
        let Some(allowed) = policy.licenses else { return Ok(None) };
        let license = super::list::license_of(self.store, self.state, self.state.tree, skill)?;
        let file = self.state.layout.entry(id);
        if license::is_allowed(license.as_deref(), &allowed) {
            let next = self.license_of_what_stands(upstream, skill)?;
            let comes = upstream.license == license && !license::is_allowed(next.as_deref(), &allowed);
            let next = next.map_or("none that is known".into(), |next| format!("`{}`", escape(&next)));
            let message = format!(
                "`{id}` was accepted under `{}`; what stands in {} now is {next}, which `policy.licenses` does not \
                 allow: look at it before the next update",
                escape(license.as_deref().unwrap_or_default()),
                self.state.layout.licenses(&upstream.source)
            );
            return Ok(comes.then(|| warning(file.as_str(), "license", message)));
        }
        let (shown, way) = match license {
            Some(license) => (
                format!("licence `{}`", escape(&license)),
                format!("Allow it there or in {}", self.state.layout.source(&upstream.source)),
            ),
            None => (
                "no licence that is known".into(),
                format!(
                    "The next update records one that upstream states by then; what the team knows is written into \
                     {file}, above [upstream]: license = \"MIT\""
                ),
            ),
        };
        let message = format!(
            "`{id}` has {shown}; `policy.licenses` allows {}. {way}, or let the skill go: skillgraft disable {id} \
             --reason \"its licence\"",
            if allowed.is_empty() { "none".into() } else { escape(&allowed.join(", ")) },
        );
        Ok(Some(error(file.as_str(), "license", message)))
    }

    /// Returns the licence of a skill by what it states and by the licence files here, whatever its entry recorded: another skill
    /// of the source may have brought other files since.
    fn license_of_what_stands(&self, upstream: &Upstream, skill: &SkillState) -> Result<Option<String>> {
        let Some(tree) = skill.tree else { return Ok(None) };
        let files = tree_at(self.store, self.state.tree, &self.state.layout.licenses(&upstream.source))?;
        license::of_skill(self.store, tree, files, &upstream.path)
    }

    /// The rules of the spec. What upstream breaks in the very same way is upstream's affair: a warning.
    fn skill_md(&self, id: &SkillId, skill: &SkillState, blob: Oid) -> Result<Vec<Finding>> {
        let file = format!("{}/{SKILL_MD}", self.state.layout.skill(id));
        let base = self.base(skill);
        let of_base = match base {
            Base::Here(base) => self.of_spec(id, skill_md_of(self.store, base)?)?,
            Base::None | Base::Elsewhere => Vec::new(),
        };
        let mut found = self.of_spec(id, Some(blob))?;
        for finding in found.iter_mut().filter(|finding| finding.severity == Severity::Error) {
            if of_base.iter().any(|base| (base.rule, &base.message) == (finding.rule, &finding.message)) {
                finding.severity = Severity::Warning;
                finding.message.push_str(" (upstream has it so)");
            } else if matches!(base, Base::Elsewhere) {
                finding
                    .message
                    .push_str(" (the base is not in this clone, so nobody can tell whether upstream has it so)");
            }
        }
        let finding = |f: spec::Finding| {
            let (line, rule, severity, message) = (f.line, f.rule, f.severity, escape(&f.message));
            Finding { file: file.clone(), line, rule, severity, message }
        };
        Ok(found.into_iter().map(finding).collect())
    }

    fn of_spec(&self, id: &SkillId, skill_md: Option<Oid>) -> Result<Vec<spec::Finding>> {
        Ok(skill_md
            .map(|blob| self.store.blob(blob))
            .transpose()?
            .map_or(Vec::new(), |text| check_skill_md(&text, id.name())))
    }

    fn base(&self, skill: &SkillState) -> Base {
        match skill.entry().and_then(|entry| entry.upstream.as_ref()) {
            Some(upstream) if self.store.contains(upstream.git_tree) => Base::Here(upstream.git_tree),
            Some(_) => Base::Elsewhere,
            None => Base::None,
        }
    }

    fn files(&self, id: &SkillId, skill: &SkillState, tree: Oid, findings: &mut Vec<Finding>) -> Result<()> {
        let directory = self.state.layout.skill(id);
        match skill_md_of(self.store, tree)? {
            Some(blob) => findings.extend(self.skill_md(id, skill, blob)?),
            None if skill.is_disabled() => {}
            None => findings.push(error(
                directory.as_str(),
                "skill-md-missing",
                format!("there is no {SKILL_MD}, so no agent loads it"),
            )),
        }
        let mut sums = Sums::default();
        self.tree(&directory, tree, &mut sums, findings)?;
        let Limits { skill_files, skill_bytes, .. } = self.state.settings.limits;
        if sums.files > skill_files {
            findings.push(error(
                directory.as_str(),
                "too-many-files",
                format!("{} files; at most {skill_files} (`limits.skill_files`)", sums.files),
            ));
        }
        if sums.bytes > skill_bytes {
            let message =
                format!("{}; at most {} (`limits.skill_bytes`)", show_bytes(sums.bytes), show_bytes(skill_bytes));
            findings.push(error(directory.as_str(), "too-large", message));
        }
        Ok(())
    }

    fn tree(&self, directory: &RelPath, tree: Oid, sums: &mut Sums, findings: &mut Vec<Finding>) -> Result<()> {
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        for entry in self.store.tree(tree)?.entries() {
            let shown = escape(&format!("{directory}/{}", entry.name));
            let path = match directory.join(&entry.name) {
                Ok(path) => path,
                Err(rule) => {
                    findings.push(error(&shown, "path", rule.message().into()));
                    continue;
                }
            };
            if let Some(other) = names.insert(fold_component(path.name().unwrap_or_default()), shown.clone()) {
                findings.push(error(
                    &shown,
                    "name-collision",
                    format!("it is one name with {other} on some file systems"),
                ));
            }
            match entry.mode {
                Mode::Tree => self.tree(&path, entry.id, sums, findings)?,
                Mode::Submodule => {
                    findings.push(error(&shown, "submodule", "a submodule is not part of the skill".into()))
                }
                Mode::Link => {
                    findings.push(warning(&shown, "symlink", "a symbolic link works on some systems only".into()))
                }
                Mode::File | Mode::Executable => {
                    let size = self.store.header(entry.id)?.map_or(0, |(_, size)| size);
                    sums.files += 1;
                    sums.bytes += size;
                    let most = self.state.settings.limits.file_bytes;
                    if size > most {
                        findings.push(error(
                            &shown,
                            "file-too-large",
                            format!("{}; at most {} (`limits.file_bytes`)", show_bytes(size), show_bytes(most)),
                        ));
                    }
                    if entry.name == ".gitattributes" || entry.name == ".gitignore" {
                        findings.push(warning(
                            &shown,
                            "git-control-file",
                            "it changes how git treats files in the registry".into(),
                        ));
                    }
                }
            }
        }
        Ok(())
    }
}

/// The upstream state that a skill was last reconciled with.
enum Base {
    /// It follows nothing: it is the team's own.
    None,
    /// Its tree.
    Here(Oid),
    /// This clone does not have it.
    Elsewhere,
}

#[derive(Default)]
struct Sums {
    files: u64,
    bytes: u64,
}

fn error(file: &str, rule: &'static str, message: String) -> Finding {
    Finding { file: file.into(), line: None, rule, severity: Severity::Error, message }
}

fn warning(file: &str, rule: &'static str, message: String) -> Finding {
    Finding { severity: Severity::Warning, ..error(file, rule, message) }
}

/// An error of one of our files begins with `file:line:column: `, or with `file: `, which the finding says itself.
fn located(wrong: &Error, rule: &'static str, file: &str) -> Finding {
    let rule = if wrong.kind() == ErrorKind::NewerFormat { "newer-format" } else { rule };
    let message = escape(&wrong.full_message());
    let (place, said) = message.split_once(": ").unwrap_or(("", &message));
    let line = place.split(':').nth(1).and_then(|line| line.parse().ok());
    let names_file = place.split(':').next().is_some_and(|named| !named.is_empty() && file.ends_with(named));
    let said = if names_file { said } else { &message };
    Finding { line, ..error(file, rule, said.to_owned()) }
}
