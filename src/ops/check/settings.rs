//! What settings say that can be read and means nothing: a folder that is not there, licences that nobody has.

use super::{Finding, Severity, error};
use crate::git::{Oid, Store, tree_at};
use crate::registry::{Entry, State, settings, source_file, toml_file};
use crate::skill::{SKILL_MD, license};
use crate::types::{RelPath, Result, escape};

/// How deep below the registry skills are looked for where their folder is gone.
const DEEPEST: u32 = 6;

/// Returns the findings of `skillgraft.toml` and of the source files.
pub(super) fn check(store: &Store, state: &State) -> Result<Vec<Finding>> {
    let mut findings: Vec<Finding> = skills_folder(store, state)?.into_iter().collect();
    let file = state.layout.top(settings::FILE);
    findings.extend(licenses(state, &file, &state.settings_text, state.settings.policy.licenses.as_deref()));
    for (name, source) in &state.sources {
        let said = source.file.as_ref().ok().and_then(|file| file.own_licenses());
        findings.extend(licenses(state, &state.layout.source(name), &source.text, said));
    }
    Ok(findings)
}

/// `[registry] skills` names a folder that is there, unless the registry has no skills at all.
fn skills_folder(store: &Store, state: &State) -> Result<Option<Finding>> {
    let layout = &state.layout;
    if tree_at(store, state.tree, &layout.skills)?.is_some() {
        return Ok(None);
    }
    let Some(root) = tree_at(store, state.tree, &layout.folder)? else { return Ok(None) };
    let Some(found) = folder_of_skills(store, root, &RelPath::root(), DEEPEST)? else { return Ok(None) };
    let message = format!(
        "`registry.skills` is `{}`, and there is no such folder; there are skills in `{}`: name that one, or git mv it",
        state.settings.skills,
        escape(found.as_str())
    );
    let line = toml_file::line_of(&state.settings_text, "registry.skills");
    Ok(Some(Finding { line, ..error(layout.top(settings::FILE).as_str(), "skills-folder", message) }))
}

/// The first folder below `path` in which a skill or an entry stands. Sources, which are no entries, are passed over.
fn folder_of_skills(store: &Store, tree: Oid, path: &RelPath, depth: u32) -> Result<Option<RelPath>> {
    let tree = store.tree(tree)?;
    let mut below = Vec::new();
    for entry in tree.entries() {
        let Ok(inside) = path.join(&entry.name) else { continue };
        if entry.mode == crate::git::Mode::Tree {
            if store.tree(entry.id)?.get(SKILL_MD.as_bytes()).is_some() {
                return Ok(Some(path.clone()));
            }
            below.push((entry.id, inside));
        } else if inside.as_str().ends_with(".toml") && is_entry(store, entry.id, &inside)? {
            return Ok(Some(path.clone()));
        }
    }
    for (tree, inside) in below {
        if depth > 0
            && inside.as_str() != source_file::FOLDER
            && let Some(found) = folder_of_skills(store, tree, &inside, depth - 1)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn is_entry(store: &Store, blob: Oid, path: &RelPath) -> Result<bool> {
    let bytes = store.blob(blob)?;
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    Ok(Entry::parse(path.as_str(), text).is_ok_and(|entry| entry.upstream.is_some()))
}

/// Each word of `policy.licenses` is SPDX, or what the entry of some skill says in upstream's own words. Another one lets
/// nothing pass, which is hardly what was meant.
fn licenses(state: &State, file: &RelPath, text: &str, said: Option<&[String]>) -> Vec<Finding> {
    let stated = |word: &str| {
        let upstreams = state.skills.values().filter_map(|skill| skill.entry()?.upstream.as_ref());
        upstreams.filter_map(|upstream| upstream.license.as_deref()).any(|license| license.eq_ignore_ascii_case(word))
    };
    let unknown = said.unwrap_or_default().iter().enumerate();
    let unknown = unknown.filter(|(_, word)| !license::is_spdx(word) && !stated(word));
    let findings = unknown.map(|(index, word)| {
        let meant = license::nearest_id(word).map_or(String::new(), |id| format!("; did you mean `{id}`?"));
        let message = format!(
            "`policy.licenses` has `{}`, which is no SPDX id, and no skill here states it{meant}",
            escape(word)
        );
        let line = toml_file::line_of(text, &format!("policy.licenses.{index}"));
        Finding { line, severity: Severity::Warning, ..error(file.as_str(), "license-unknown", message) }
    });
    findings.collect()
}
