//! What settings say that can be read and means nothing: a folder that is not there, licences that nobody has.

use super::{Finding, Severity, error};
use crate::git::Store;
use crate::registry::{State, elsewhere, settings, toml_file};
use crate::skill::license;
use crate::types::{RelPath, Result, escape};

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
    let Some(found) = elsewhere::skills(store, state)? else { return Ok(None) };
    let message = format!(
        "`registry.skills` is `{}`, and there is no such folder; there are skills in `{}`: name that one, or git mv it",
        state.settings.skills,
        escape(found.as_str())
    );
    let line = toml_file::line_of(&state.settings_text, "registry.skills");
    Ok(Some(Finding { line, ..error(state.layout.top(settings::FILE).as_str(), "skills-folder", message) }))
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
