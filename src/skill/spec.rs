//! The Agent Skills spec as rules that a SKILL.md is checked against.
//!
//! What the reference validator (`skills-ref validate`) refuses is an error; what the spec only recommends, or what merely makes
//! readers disagree, is a warning. Two of its refusals are warnings here, because they are normal in real skills and harm no
//! reader: fields that the spec does not know, and a byte order mark.
//! Source: <https://agentskills.io/specification>

mod name;

pub use name::{NAME_CHARS, name_is_valid, name_made_valid};

use super::frontmatter::{self, Frontmatter, Note, NoteKind, SPEC_FIELDS};
use name::{name_faults, normalized};
use serde::Serialize;
use std::fmt;

/// The longest `description`, in characters.
pub const DESCRIPTION_CHARS: usize = 1024;
/// The longest `compatibility`, in characters.
pub const COMPATIBILITY_CHARS: usize = 500;
/// The longest body that the spec recommends, in lines.
pub const BODY_LINES: usize = 500;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It must be mended.
    Error,
    /// It should be known.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        })
    }
}

/// One place where a SKILL.md departs from the spec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule's id, in kebab case; stable, so that people can search for it.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Counted from 1, in the file; None where the finding has no place.
    pub line: Option<usize>,
    /// The sentence.
    pub message: String,
}

/// Returns every departure of a SKILL.md from the spec, in line order.
///
/// `directory_name` is the name of the directory that holds it, without its parents.
pub fn check_skill_md(bytes: &[u8], directory_name: &str) -> Vec<Finding> {
    let read = frontmatter::read(bytes);
    let mut findings: Vec<Finding> = read.notes.iter().filter_map(finding_of_note).collect();
    let has = |kind| read.notes.iter().any(|note| note.kind == kind);
    // Without `key: value` pairs that is the finding, and each missing field would only repeat it.
    if !has(NoteKind::NoFrontmatter) && !has(NoteKind::NotAMapping) {
        check_name(&read, directory_name, &mut findings);
        check_description(&read, &mut findings);
        check_compatibility(&read, &mut findings);
        check_unknown_fields(&read, &mut findings);
    }
    check_body(bytes, &mut findings);
    // Stable: the findings of one line stay in the order of the rules.
    findings.sort_by_key(|finding| finding.line);
    findings
}

fn finding_of_note(note: &Note) -> Option<Finding> {
    let key = note.key.as_deref();
    let (rule, severity) = match (note.kind, key) {
        (NoteKind::ByteOrderMark, _) => ("byte-order-mark", Severity::Warning),
        (NoteKind::NotUtf8, _) => ("not-utf8", Severity::Error),
        (NoteKind::NoFrontmatter, _) => ("no-frontmatter", Severity::Error),
        (NoteKind::InvalidYaml, _) => ("yaml-invalid", Severity::Error),
        (NoteKind::NotAMapping, _) => ("frontmatter-not-mapping", Severity::Error),
        (NoteKind::DuplicateKey, _) => ("duplicate-key", Severity::Error),
        (NoteKind::WrongType, Some("name")) => ("name-type", Severity::Error),
        (NoteKind::WrongType, Some("description")) => ("description-type", Severity::Error),
        (NoteKind::WrongType, Some("compatibility")) => ("compatibility-type", Severity::Error),
        (NoteKind::WrongType, Some("allowed-tools")) => ("allowed-tools-type", Severity::Error),
        // The spec says what these are, the validator does not look.
        (NoteKind::WrongType, Some("license")) => ("license-type", Severity::Warning),
        (NoteKind::WrongType, Some("metadata")) => ("metadata-type", Severity::Warning),
        (NoteKind::NotText, Some(key)) if SPEC_FIELDS.contains(&key) => ("not-quoted", Severity::Warning),
        // Of a field that the spec does not know, it knows no type either.
        (NoteKind::WrongType | NoteKind::NotText, _) => return None,
    };
    Some(Finding { rule, severity, line: note.line, message: note.message.clone() })
}

fn check_name(read: &Frontmatter, directory_name: &str, findings: &mut Vec<Finding>) {
    let Some(name) =
        required(read, "name", read.name.as_deref(), ["name-missing", "name-empty", "name-type"], findings)
    else {
        return;
    };
    let line = read.lines.get("name").copied();
    for (rule, message) in name_faults(name) {
        findings.push(Finding { rule, severity: Severity::Error, line, message });
    }
    if normalized(name) != normalized(directory_name) {
        let message = format!("name {name:?} must equal the name of the skill's directory, {directory_name:?}");
        findings.push(Finding { rule: "name-directory", severity: Severity::Error, line, message });
    }
}

fn check_description(read: &Frontmatter, findings: &mut Vec<Finding>) {
    let rules = ["description-missing", "description-empty", "description-type"];
    if required(read, "description", read.description.as_deref(), rules, findings).is_none() {
        return;
    }
    // Spaces at the ends count, as they do for the validator: a block scalar ends in a line feed.
    let chars = read.description.as_deref().map_or(0, |text| text.chars().count());
    if chars > DESCRIPTION_CHARS {
        let message = format!("`description` has {chars} characters; at most {DESCRIPTION_CHARS} are allowed");
        let line = read.lines.get("description").copied();
        findings.push(Finding { rule: "description-too-long", severity: Severity::Error, line, message });
    }
}

/// Returns a required field without the spaces around it, or says why there is nothing to check.
fn required<'a>(
    read: &Frontmatter,
    key: &str,
    value: Option<&'a str>,
    [missing, empty, wrong_type]: [&'static str; 3],
    findings: &mut Vec<Finding>,
) -> Option<&'a str> {
    let trimmed = value.map(str::trim).filter(|text| !text.is_empty());
    if trimmed.is_some() || findings.iter().any(|finding| finding.rule == wrong_type) {
        return trimmed;
    }
    let line = read.lines.get(key).copied();
    let (rule, message) = match line {
        Some(_) => (empty, format!("`{key}` is empty")),
        None => (missing, format!("`{key}` is missing")),
    };
    // A missing field is said on the opening line, where it would be added.
    findings.push(Finding { rule, severity: Severity::Error, line: line.or(Some(1)), message });
    None
}

fn check_compatibility(read: &Frontmatter, findings: &mut Vec<Finding>) {
    let Some(&line) = read.lines.get("compatibility") else { return };
    let type_is_wrong = findings.iter().any(|finding| finding.rule == "compatibility-type");
    let chars = read.compatibility.as_deref().map_or(0, |text| text.chars().count());
    let (rule, severity, message) = match chars {
        0 if type_is_wrong => return,
        // The spec wants at least one character, the validator does not mind.
        0 => ("compatibility-empty", Severity::Warning, "`compatibility` is empty: leave it out".to_owned()),
        1..=COMPATIBILITY_CHARS => return,
        _ => {
            let message = format!("`compatibility` has {chars} characters; at most {COMPATIBILITY_CHARS} are allowed");
            ("compatibility-too-long", Severity::Error, message)
        }
    };
    findings.push(Finding { rule, severity, line: Some(line), message });
}

fn check_unknown_fields(read: &Frontmatter, findings: &mut Vec<Finding>) {
    findings.extend(read.unknown.iter().map(|(key, line)| Finding {
        rule: "unknown-field",
        severity: Severity::Warning,
        line: Some(*line),
        message: format!("the spec does not know the field {key:?}; `metadata` is the place for fields of one's own"),
    }));
}

fn check_body(bytes: &[u8], findings: &mut Vec<Finding>) {
    let start = frontmatter::split(bytes).map_or(0, |split| split.body.start);
    let lines = bytes[start..].split_inclusive(|&b| b == b'\n').count();
    if lines > BODY_LINES {
        let before = bytes[..start].iter().filter(|&&b| b == b'\n').count();
        let message = format!(
            "the body has {lines} lines; the spec recommends at most {BODY_LINES}: move detail to files beside it"
        );
        let line = Some(before + BODY_LINES + 1);
        findings.push(Finding { rule: "body-too-long", severity: Severity::Warning, line, message });
    }
}

#[cfg(test)]
mod tests {
    use super::Severity::{Error, Warning};
    use super::*;
    use proptest::prelude::*;

    /// The findings as (rule, severity, line).
    fn check(file: &str) -> Vec<(&'static str, Severity, Option<usize>)> {
        check_skill_md(file.as_bytes(), "deploy").into_iter().map(|f| (f.rule, f.severity, f.line)).collect()
    }

    fn check_yaml(yaml: &str) -> Vec<(&'static str, Severity, Option<usize>)> {
        check(&format!("---\n{yaml}\n---\nbody\n"))
    }

    #[test]
    fn a_skill_by_the_book_has_no_findings() {
        let full =
            "name: deploy\ndescription: d\nlicense: MIT\ncompatibility: git\nmetadata:\n  a: b\nallowed-tools: Read";
        assert_eq!(check_yaml(full), []);
        assert_eq!(check_yaml("name: deploy\ndescription: d\nallowed-tools:\n  - Read\n  - Write"), []);
    }

    #[test]
    fn name_and_description_are_required() {
        assert_eq!(
            check_yaml("license: MIT"),
            [("name-missing", Error, Some(1)), ("description-missing", Error, Some(1))]
        );
        assert_eq!(check("---\n---\n"), [("name-missing", Error, Some(1)), ("description-missing", Error, Some(1))]);
        assert_eq!(
            check_yaml("name:\ndescription: '  '"),
            [("name-empty", Error, Some(2)), ("description-empty", Error, Some(3))]
        );
        assert_eq!(
            check_yaml("name: [a]\ndescription: {a: b}"),
            [("name-type", Error, Some(2)), ("description-type", Error, Some(3))]
        );
    }

    #[test]
    fn each_rule_for_names_has_its_own_finding() {
        for (name, rules) in [
            ("Deploy", vec!["name-lowercase", "name-directory"]),
            ("-deploy", vec!["name-hyphens", "name-directory"]),
            ("a--b", vec!["name-hyphens", "name-directory"]),
            ("a_b", vec!["name-characters", "name-directory"]),
            (&"a".repeat(65), vec!["name-too-long", "name-directory"]),
            ("other", vec!["name-directory"]),
        ] {
            let found: Vec<_> = check_yaml(&format!("name: {name}\ndescription: d")).into_iter().map(|f| f.0).collect();
            assert_eq!(found, rules, "{name}");
        }
    }

    #[test]
    fn limits_count_characters_and_not_bytes() {
        let yaml = |d, c| format!("name: deploy\ndescription: {}\ncompatibility: {}", "é".repeat(d), "é".repeat(c));
        assert_eq!(check_yaml(&yaml(1024, 500)), []);
        assert_eq!(
            check_yaml(&yaml(1025, 501)),
            [("description-too-long", Error, Some(3)), ("compatibility-too-long", Error, Some(4))]
        );
        assert_eq!(check_yaml(&yaml(1, 0)), [("compatibility-empty", Warning, Some(4))]);
    }

    #[test]
    fn types_are_errors_only_where_the_reference_validator_looks() {
        let base = "name: deploy\ndescription: d\n";
        for (yaml, rule, severity) in [
            ("compatibility: [a]", "compatibility-type", Error),
            ("allowed-tools:\n  a: b", "allowed-tools-type", Error),
            ("allowed-tools:\n  - [a]", "allowed-tools-type", Error),
            ("metadata: text", "metadata-type", Warning),
            ("metadata: {a: [b]}", "metadata-type", Warning),
            ("metadata: {version: 1.0}", "not-quoted", Warning),
            ("license: [MIT]", "license-type", Warning),
            ("version: 1.0", "unknown-field", Warning),
        ] {
            assert_eq!(check_yaml(&format!("{base}{yaml}")), [(rule, severity, Some(4))], "{yaml}");
        }
    }

    #[test]
    fn invalid_yaml_is_an_error_at_its_line_and_the_rest_is_checked() {
        let found = check_yaml("name: deploy\ndescription: a: b\nmodel: opus");
        assert_eq!(found, [("yaml-invalid", Error, Some(3)), ("unknown-field", Warning, Some(4))]);
    }

    #[test]
    fn a_file_without_frontmatter_has_one_finding() {
        assert_eq!(check("# Deploy\n"), [("no-frontmatter", Error, Some(1))]);
        assert_eq!(check_yaml("- a"), [("frontmatter-not-mapping", Error, Some(2))]);
    }

    #[test]
    fn bytes_are_checked_too() {
        let file = b"\xEF\xBB\xBF---\nname: deploy\ndescription: d\n---\ncaf\xE9\n";
        let found: Vec<_> = check_skill_md(file, "deploy").into_iter().map(|f| (f.rule, f.severity, f.line)).collect();
        assert_eq!(found, [("byte-order-mark", Warning, Some(1)), ("not-utf8", Error, Some(5))]);
    }

    #[test]
    fn a_body_of_more_than_500_lines_is_a_warning_at_the_first_line_too_many() {
        let file = |lines| format!("---\nname: deploy\ndescription: d\n---\n{}", "x\n".repeat(lines));
        assert_eq!(check(&file(500)), []);
        assert_eq!(check(&file(501)), [("body-too-long", Warning, Some(505))]);
    }

    #[test]
    fn duplicate_keys_are_errors() {
        assert_eq!(check_yaml("name: a\nname: deploy\ndescription: d"), [("duplicate-key", Error, Some(3))]);
    }

    #[test]
    fn severities_are_lowercase_in_json() {
        assert_eq!(serde_json::to_string(&[Error, Warning]).unwrap(), r#"["error","warning"]"#);
    }

    proptest! {
        #[test]
        fn findings_come_in_line_order(bytes in "(---\n|name: [aA-]{0,3}\n|x: 1\n|description:\n|[:\\[]|\n){0,12}") {
            let found = check_skill_md(bytes.as_bytes(), "a");
            prop_assert!(found.is_sorted_by_key(|finding| finding.line));
        }
    }
}
