//! The formats of `check` that other programs read: GitHub's workflow commands, and SARIF.

use crate::ops::check::{Finding, Report};
use crate::skill::spec::Severity;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Returns one workflow command for each finding; GitHub shows them beside the lines of a pull request.
pub fn github(report: &Report) -> String {
    report.findings.iter().map(annotation).collect()
}

fn annotation(finding: &Finding) -> String {
    let command = if finding.severity == Severity::Error { "error" } else { "warning" };
    let line = finding.line.map_or(String::new(), |line| format!(",line={line}"));
    let (file, title) = (property(&finding.file), property(finding.rule));
    format!("::{command} file={file}{line},title={title}::{}\n", data(&finding.message))
}

/// GitHub's escapes for the text of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// GitHub's escapes for a property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Returns the report as SARIF 2.1.0 (OASIS), which code scanning services read.
pub fn sarif(report: &Report) -> String {
    let rules: BTreeMap<&str, Value> =
        report.findings.iter().map(|finding| (finding.rule, json!({ "id": finding.rule }))).collect();
    let results: Vec<Value> = report.findings.iter().map(result).collect();
    let driver = json!({
        "name": "skillgraft",
        "version": env!("CARGO_PKG_VERSION"),
        "rules": rules.into_values().collect::<Vec<_>>(),
    });
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{ "tool": { "driver": driver }, "results": results }],
    });
    format!("{document:#}\n")
}

fn result(finding: &Finding) -> Value {
    // SARIF may do without a region; GitHub's documentation and other readers ask for one.
    let place = json!({
        "artifactLocation": { "uri": uri(&finding.file), "uriBaseId": "%SRCROOT%" },
        "region": { "startLine": finding.line.unwrap_or(1) },
    });
    let level = if finding.severity == Severity::Error { "error" } else { "warning" };
    let (rule, message) = (finding.rule, json!({ "text": finding.message }));
    json!({ "ruleId": rule, "level": level, "message": message, "locations": [{ "physicalLocation": place }] })
}

/// A relative reference of RFC 3986.
fn uri(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let finding = Finding {
            file: "skills/a b/SKILL.md".into(),
            line: Some(3),
            rule: "name-directory",
            severity: Severity::Error,
            message: "100%: no\n::error::evil".into(),
        };
        let commit = crate::git::Oid::parse(&"1".repeat(40)).expect("valid");
        Report { format: 1, commit, skills: 1, findings: vec![finding], uncommitted: Vec::new() }
    }

    #[test]
    fn a_message_cannot_become_a_workflow_command() {
        let text = github(&report());
        assert_eq!(text, "::error file=skills/a b/SKILL.md,line=3,title=name-directory::100%25: no%0A::error::evil\n");
    }

    #[test]
    fn sarif_names_rule_level_file_and_line() {
        let document: Value = serde_json::from_str(&sarif(&report())).expect("own output");
        let result = &document["runs"][0]["results"][0];
        assert_eq!((&result["ruleId"], &result["level"]), (&json!("name-directory"), &json!("error")));
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "skills/a%20b/SKILL.md");
        assert_eq!(place["region"]["startLine"], 3);
        let mut of_the_file = report();
        of_the_file.findings[0].line = None;
        let document: Value = serde_json::from_str(&sarif(&of_the_file)).expect("own output");
        let place = &document["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
        assert_eq!(place["region"]["startLine"], 1, "every result has a region");
    }
}
