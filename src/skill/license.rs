//! The licence of a skill: what its frontmatter states, else what the nearest licence file is known to be.
//!
//! Nothing is guessed. A text is known by its beginning, its end, decisive phrases and the number of its words, so that
//! a clause that somebody put in makes it unknown. Two different licences in one folder are no answer either.

mod known;

use super::{SKILL_MD, frontmatter};
use crate::git::{Oid, Store, entry_at, tree_at};
use crate::types::{RelPath, Result, near, one_line};
use spdx::{Expression, ParseMode};

/// The longest statement that is kept, in characters.
const LONGEST: usize = 100;
/// The largest licence file that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// Returns the licence of the skill in `tree`, which stands at `path` of the tree `root` (a mirror's, or the licence
/// files of a source): an SPDX expression, or upstream's own words where those say something else. None where nothing
/// is stated and no file is known.
pub fn of_skill(store: &Store, tree: Oid, root: Option<Oid>, path: &RelPath) -> Result<Option<String>> {
    let skill_md = store.tree(tree)?.get(SKILL_MD.as_bytes()).filter(|entry| entry.mode.is_file()).map(|e| e.id);
    let read = skill_md.map(|blob| store.blob(blob)).transpose()?.map(|bytes| frontmatter::read(&bytes));
    let statement = read.and_then(|read| read.license).as_deref().and_then(statement);
    if let Some(expression) = statement.as_deref().and_then(expression) {
        return Ok(Some(expression));
    }
    // Words that are no licence: they may send us to the file, and else they stand as they are.
    if statement.as_deref().is_some_and(|words| !names_a_file(words)) {
        return Ok(statement);
    }
    if files_in(store, tree)?.is_empty()
        && let Some(recorded) = recorded_beside(store, root, path)?
    {
        return Ok(recorded.or(statement));
    }
    Ok(of_files(store, tree, root, path)?.map(str::to_owned).or(statement))
}

/// What stands before the licence in a file that says only this (REUSE 3.3, "comment headers" and "adjacent files").
const TAG: &str = "SPDX-License-Identifier:";

/// What stands there where nobody has said which licence it is (SPDX 2.3, "concluded license").
const UNKNOWN: &str = "NOASSERTION";

/// Returns the file that records the licence of the skill at `path`, beside its directory, and its text: `<path>.license`, as
/// REUSE has it. It takes the place of an entry, which stays where it is. Words that are no SPDX expression, and none, are
/// recorded as unknown: licence files further up are about something else.
pub fn record(path: &RelPath, license: Option<&str>) -> Option<(RelPath, String)> {
    let known = license.and_then(statement).as_deref().and_then(expression);
    Some((record_of(path)?, format!("{TAG} {}\n", known.as_deref().unwrap_or(UNKNOWN))))
}

/// Returns the path of the skill whose record a file is, by the file's name.
pub fn recorded_by(file: &RelPath) -> Option<RelPath> {
    RelPath::parse(file.as_str().strip_suffix(".license")?).ok()
}

/// Returns the path of a skill's record, there or not; none for a skill that is the whole repository.
pub fn record_of(path: &RelPath) -> Option<RelPath> {
    RelPath::parse(&format!("{path}.license")).ok().filter(|_| !path.is_root())
}

/// Returns what the record of a skill says, where it has one: a licence, or that none is known.
fn recorded_beside(store: &Store, root: Option<Oid>, path: &RelPath) -> Result<Option<Option<String>>> {
    let (Some(root), Some(file)) = (root, record_of(path)) else { return Ok(None) };
    let Some(place) = entry_at(store, root, &file)?.filter(|place| place.mode.is_file()) else { return Ok(None) };
    let text = store.blob(place.id)?;
    let said = String::from_utf8_lossy(&text).strip_prefix(TAG).and_then(statement);
    Ok(Some(said.filter(|said| said != UNKNOWN).as_deref().and_then(expression)))
}

/// Returns a frontmatter's `license` on one line; none where it is empty.
pub fn statement(text: &str) -> Option<String> {
    Some(one_line(text, LONGEST)).filter(|text| !text.is_empty())
}

/// Returns the SPDX expression that a statement is, or one licence by its usual name (`MIT License`).
pub fn expression(statement: &str) -> Option<String> {
    let parsed = Expression::parse_mode(statement, mode()).is_ok();
    if parsed { Some(statement.to_owned()) } else { known::by_name(statement).map(str::to_owned) }
}

/// Tells whether an entry's `license` says something: words that only send the reader to a file say nothing. They
/// were written down before licence files were read.
pub fn is_known(license: &str) -> bool {
    expression(license).is_some() || !names_a_file(license)
}

/// Tells whether a licence (an SPDX expression, or any words) is one of those that are allowed: of `A OR B` one, of
/// `A AND B` both. `*` allows all.
pub fn is_allowed(license: Option<&str>, allowed: &[String]) -> bool {
    let is_listed = |name: &str| allowed.iter().any(|one| one == "*" || one.eq_ignore_ascii_case(name));
    let Some(license) = license else { return is_listed("*") };
    is_listed(license)
        || Expression::parse_mode(license, mode())
            .is_ok_and(|expression| expression.evaluate(|wanted| is_listed(&wanted.license.to_string())))
}

/// Tells whether a word of `[policy] licenses` is SPDX as [`is_allowed`] compares it, or `*`.
pub fn is_spdx(word: &str) -> bool {
    let is_id = || spdx::identifiers::LICENSES.iter().any(|license| license.name.eq_ignore_ascii_case(word));
    word == "*" || is_id() || Expression::parse_mode(word, mode()).is_ok()
}

/// Returns the SPDX id that was meant by a word which is none: a licence's usual name, or nearly an id.
pub fn nearest_id(word: &str) -> Option<&'static str> {
    known::by_name(word).or_else(|| near(word, spdx::identifiers::LICENSES.iter().map(|license| license.name)))
}

/// SPDX as it is written: no id that is only nearly one.
fn mode() -> ParseMode {
    ParseMode { allow_deprecated: true, ..ParseMode::STRICT }
}

/// Tells whether a statement sends the reader to a licence file.
fn names_a_file(statement: &str) -> bool {
    let words = known::words(statement);
    words.split(' ').any(|word| matches!(word, "license" | "copying" | "unlicense"))
}

/// Returns what the licence files nearest to the skill are: in its directory, else in the folders above it.
fn of_files(store: &Store, tree: Oid, root: Option<Oid>, path: &RelPath) -> Result<Option<&'static str>> {
    let inside = files_in(store, tree)?;
    if !inside.is_empty() {
        return one_license(store, &inside);
    }
    let Some(root) = root else { return Ok(None) };
    let mut folder = path.parent();
    while let Some(here) = folder {
        let files = match tree_at(store, root, &here)? {
            Some(tree) => files_in(store, tree)?,
            None => Vec::new(),
        };
        if !files.is_empty() {
            return one_license(store, &files);
        }
        folder = here.parent();
    }
    Ok(None)
}

fn files_in(store: &Store, tree: Oid) -> Result<Vec<Oid>> {
    let tree = store.tree(tree)?;
    let files = tree.entries().iter().filter(|entry| entry.mode.is_file() && is_license_file(&entry.name));
    Ok(files.map(|entry| entry.id).collect())
}

/// Several files are one licence only where each of them is known to be it.
fn one_license(store: &Store, files: &[Oid]) -> Result<Option<&'static str>> {
    let mut found = None;
    for file in files {
        let small = store.header(*file)?.is_some_and(|(_, size)| size <= LARGEST);
        let known = if small { recognise(&String::from_utf8_lossy(&store.blob(*file)?)) } else { None };
        if known.is_none() || found.is_some_and(|found| Some(found) != known) {
            return Ok(None);
        }
        found = known;
    }
    Ok(found)
}

/// Returns the SPDX id of a licence's text; none where it is not one of the known ones to the word.
pub fn recognise(text: &str) -> Option<&'static str> {
    known::by_text(text)
}

/// Tells whether a file holds a licence, by its name; notices and lists of third parties do not.
fn is_license_file(name: &[u8]) -> bool {
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    let ends = |rest: &str| rest.is_empty() || rest.starts_with(['-', '_', '.']);
    ["license", "licence", "copying", "unlicense"].iter().any(|known| name.strip_prefix(known).is_some_and(ends))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_an_expression_a_usual_name_or_only_words() {
        for (stated, is) in [
            ("MIT", Some("MIT")),
            ("mit", Some("MIT")),
            ("MIT License", Some("MIT")),
            ("The MIT Licence", Some("MIT")),
            ("Apache 2.0", Some("Apache-2.0")),
            ("Apache License, Version 2.0", Some("Apache-2.0")),
            ("MIT OR Apache-2.0", Some("MIT OR Apache-2.0")),
            ("(MIT OR GPL-2.0-only) AND CC-BY-4.0", Some("(MIT OR GPL-2.0-only) AND CC-BY-4.0")),
            ("GPL-3.0", Some("GPL-3.0")),
            ("LicenseRef-acme", Some("LicenseRef-acme")),
            ("Apache", None),
            ("BSD", None),
            ("Complete terms in LICENSE.txt", None),
            ("Proprietary", None),
            ("", None),
        ] {
            assert_eq!(expression(stated).as_deref(), is, "{stated:?}");
        }
        assert!(names_a_file("Complete terms in LICENSE.txt") && names_a_file("see COPYING"));
        assert!(!names_a_file("Proprietary") && !names_a_file("unlicensed"));
    }

    #[test]
    fn of_an_or_one_has_to_be_allowed_and_of_an_and_both() {
        let allowed = ["MIT".to_owned(), "Apache-2.0".to_owned(), "ask Legal".to_owned()];
        for (license, is) in [
            (Some("MIT"), true),
            (Some("MIT OR GPL-3.0-only"), true),
            (Some("MIT AND GPL-3.0-only"), false),
            (Some("MIT AND Apache-2.0"), true),
            (Some("ISC"), false),
            (Some("ask Legal"), true),
            (Some("Proprietary"), false),
            (None, false),
        ] {
            assert_eq!(is_allowed(license, &allowed), is, "{license:?}");
        }
        assert!(is_allowed(None, &["*".to_owned()]) && !is_allowed(Some("MIT"), &[]));
    }

    #[test]
    fn the_texts_that_spdx_publishes_are_known_and_no_other_is_taken_for_one() {
        let mut known = std::collections::BTreeSet::new();
        for license in spdx::identifiers::LICENSES {
            let id = spdx::license_id(license.name).expect("in the list");
            let Some(found) = recognise(id.text()) else { continue };
            // These have another one's words: `-only` and `-or-later` are said elsewhere, and so are the others.
            let endings = ["-only", "-or-later", "+", "-NetBSD", "-no-copyleft-exception"];
            let stem = endings.iter().find_map(|ending| license.name.strip_suffix(ending)).unwrap_or(license.name);
            assert_eq!(found, stem, "the text of {}", license.name);
            known.insert(found);
        }
        assert_eq!(known.into_iter().collect::<Vec<_>>(), known::ids());
    }

    #[test]
    fn a_text_with_a_clause_put_in_is_not_known() {
        let mit = spdx::license_id("MIT").expect("known").text().to_owned();
        let own = include_str!("../../LICENSE-APACHE");
        assert_eq!((recognise(&mit), recognise(own)), (Some("MIT"), Some("Apache-2.0")));
        assert_eq!(recognise(include_str!("../../LICENSE-MIT")), Some("MIT"));
        let clause = "\nThe Software shall be used for Good, not Evil.\n";
        for text in [&mit, own] {
            let middle = text.len() / 2;
            let middle = (middle..).find(|at| text.is_char_boundary(*at)).expect("the end is one");
            assert_eq!(recognise(&format!("{text}{clause}")), None, "after it");
            assert_eq!(recognise(&format!("{clause}{text}")), None, "before it");
            assert_eq!(recognise(&format!("{}{clause}{}", &text[..middle], &text[middle..])), None, "within");
        }
        assert_eq!(recognise(&format!("Copyright (c) 2026 Acme, Ltd. All rights reserved.\n\n{mit}")), Some("MIT"));
        assert_eq!(recognise("MIT"), None, "a name is no text");
    }

    #[test]
    fn a_text_with_one_other_word_is_not_known_and_whoever_grants_it_may_be_named() {
        let text = |id: &str| spdx::license_id(id).expect("known").text().to_owned();
        for (id, word, other) in [
            ("Apache-2.0", "no-charge, royalty-free", "royalty-bearing, surcharged"),
            ("Apache-2.0", "perpetual, worldwide", "revocable, worldwide"),
            ("MIT", "sublicense, and/or sell", "and/or sublicense"),
            ("MIT", "AUTHORS OR COPYRIGHT HOLDERS BE", "AUTHORS, EXCEPT TOWARDS THEIR FRIENDS, BE"),
            ("BSD-3-Clause", "with or without modification, are", "with or without modification, mostly are"),
            ("GPL-3.0", "We, the Free Software Foundation, use", "We, the Free Software Foundation, do not use"),
        ] {
            let text = text(id);
            assert!(text.contains(word), "{id} says {word}");
            assert_eq!((recognise(&text), recognise(&text.replacen(word, other, 1))), (Some(id), None), "{other}");
        }
        let mit = text("MIT");
        for after in ["No AI use.", "Not for sale."] {
            assert_eq!(recognise(&format!("{mit}\n{after}\n")), None, "{after}");
        }
        for before in ["Commercial use needs another licence.", "For non-commercial purposes:"] {
            assert_eq!(recognise(&format!("{before}\n\n{mit}")), None, "{before}");
        }
        for (id, theirs, name) in [
            ("MIT", "AUTHORS OR COPYRIGHT HOLDERS", "ACME TOOL COMPANY"),
            ("ISC", "THE AUTHOR", "NPM"),
            ("BSD-3-Clause", "the copyright holder nor", "Acme nor"),
        ] {
            let text = text(id);
            assert!(text.contains(theirs), "{id} says {theirs}");
            assert_eq!(recognise(&text.replace(theirs, name)), Some(id));
        }
        let numbered = text("BSD-2-Clause");
        assert_eq!(recognise(&numbered.replace("1. ", "* ").replace("2. ", "* ")), Some("BSD-2-Clause"));
    }
}
