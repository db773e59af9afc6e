//! What is wrong with a TOML file, in words for people: serde's own are for programmers.
//!
//! serde hands on sentences and no data, so they are read here, each form once; a form that is unknown is shown as it is.

use crate::types::{near, one_line};

/// Says what the error says: which key, what is expected of it, and which one may have been meant.
pub(super) fn plain(text: &str, error: &toml::de::Error) -> String {
    let said = error.message();
    let key = error.span().and_then(|span| key_at(text, span.start));
    let key = key.map_or("this".to_owned(), |key| format!("`{}`", one_line(key, 60)));
    let plain = [
        unknown_key(said),
        unknown_word(&key, said),
        wrong_kind(&key, said),
        missing(said),
        (said == "wanted string or table").then(|| format!("{key} must be text in quotes")),
        (said == "duplicate key").then(|| "this key stands here twice".to_owned()),
        said.starts_with("string values must be quoted").then(|| format!("the text of {key} needs quotes around it")),
    ];
    plain.into_iter().flatten().next().unwrap_or_else(|| one_line(said, 300))
}

/// `unknown field `x`, expected one of `a`, `b``
fn unknown_key(said: &str) -> Option<String> {
    let (typed, known) = said.strip_prefix("unknown field `")?.split_once('`')?;
    Some(match near(typed, quoted(known)) {
        Some(meant) => format!("`{}` is no key here; did you mean `{meant}`?", one_line(typed, 60)),
        None => format!("`{}` is no key here; there are {}", one_line(typed, 60), listed(known)),
    })
}

/// `unknown variant `x`, expected `a` or `b``
fn unknown_word(key: &str, said: &str) -> Option<String> {
    let (typed, known) = said.strip_prefix("unknown variant `")?.split_once('`')?;
    let meant = near(typed, quoted(known)).map_or(String::new(), |meant| format!("; did you mean `{meant}`?"));
    Some(format!("{key} is one of {}, not `{}`{meant}", listed(known), one_line(typed, 60)))
}

/// `invalid type: integer `1`, expected a string`
fn wrong_kind(key: &str, said: &str) -> Option<String> {
    let said = said.strip_prefix("invalid type: ").or_else(|| said.strip_prefix("invalid value: "))?;
    let (found, expected) = said.rsplit_once(", expected ")?;
    let expected = match expected {
        "a boolean" => "true or false",
        "a string" | "string" => "text in quotes",
        "a sequence" => "a list such as [\"a\", \"b\"]",
        "u64" | "u32" | "usize" => "a whole number, 0 or more",
        "a map" => "a table",
        other if other.starts_with("struct ") => "a table",
        other => other,
    };
    let found = match found.split_once(' ') {
        Some(("string", value)) => one_line(value, 60),
        Some((_, value)) => one_line(value.trim_matches('`'), 60),
        None if found == "map" => "a table".into(),
        None if found == "sequence" => "a list".into(),
        None => one_line(found, 60),
    };
    Some(format!("{key} must be {expected}, not {found}"))
}

/// `missing field `x``
fn missing(said: &str) -> Option<String> {
    let key = said.strip_prefix("missing field `")?.strip_suffix('`')?;
    Some(format!("`{key}` is missing"))
}

/// The words in backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn listed(known: &str) -> String {
    quoted(known).map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// The key of the line on which the byte `offset` stands, where one begins it.
fn key_at(text: &str, offset: usize) -> Option<&str> {
    let before = text.get(..offset)?;
    let line = &text[before.rfind('\n').map_or(0, |end| end + 1)..];
    let (key, _) = line.lines().next()?.split_once('=')?;
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    Some(key.trim()).filter(|key| !key.is_empty() && key.chars().all(is_bare))
}

#[cfg(test)]
mod tests {
    use crate::registry::{Entry, Settings, SourceFile};
    use crate::types::SourceName;

    fn source(lines: &str) -> String {
        let name = SourceName::parse("x").expect("valid");
        SourceFile::parse(name, &format!("format = 1\n{lines}\n")).expect_err(lines).full_message()
    }

    #[test]
    fn no_word_of_serde_reaches_people() {
        for (lines, said) in [
            ("git = \"a\"\nenable = true", "sources/x.toml:3:1: `enable` is no key here; did you mean `enabled`?"),
            ("git = \"a\"\nenabled = \"no\"", "sources/x.toml:3:11: `enabled` must be true or false, not \"no\""),
            ("git = 1", "sources/x.toml:2:7: `git` must be text in quotes, not 1"),
            ("git = main", "sources/x.toml:2:7: the text of `git` needs quotes around it"),
            ("git = [\"a\"]", "sources/x.toml:2:7: `git` must be text in quotes, not a list"),
            ("git = {a = 1}", "sources/x.toml:2:7: `git` must be text in quotes, not a table"),
            (
                "git = \"a\"\nskills = \"*\"",
                "sources/x.toml:3:10: `skills` must be a list such as [\"a\", \"b\"], not \"*\"",
            ),
            ("git = \"a\"\nskills = [\n  1,\n]", "sources/x.toml:4:3: this must be text in quotes, not 1"),
            ("git = \"a\"\ngit = \"b\"", "sources/x.toml:3:1: this key stands here twice"),
            ("git = \"a\"\npaused = true", "sources/x.toml:3:10: `paused` must be a table, not true"),
            (
                "git = \"a\"\n[paused]\nuntil = \"tomorrow\"",
                "sources/x.toml:4:9: `tomorrow` is not a day; write it as YYYY-MM-DD, for example 2026-11-20",
            ),
            (
                "git = \"a\"\n[paused]\nuntil = 7",
                "sources/x.toml:4:9: write a day as YYYY-MM-DD, for example 2026-11-20",
            ),
            (
                "git = \"a\"\n[paused]\nwhy = \"x\"",
                "sources/x.toml:4:1: `why` is no key here; there are `by`, `reason`, `since`, `until`",
            ),
            (
                "git = \"a\"\n[policy]\nnew_skills = \"proposed\"",
                "sources/x.toml:4:14: `new_skills` is one of `propose`, `ignore`, not `proposed`; did you mean `propose`?",
            ),
            ("git = \"a\"\n[policy]\nnew_skills = 1", "sources/x.toml:4:14: `new_skills` must be text in quotes"),
            ("git = \"a\"\nnamespace = \"A\"", "sources/x.toml:3:13: `namespace` cannot be used: "),
            ("git = \"a\"\npath = \"../x\"", "sources/x.toml:3:8: `path` cannot be used: "),
            ("git = \"a\"\nskills = [\"[\"]", "sources/x.toml:3:10: `skills` cannot be used: "),
            ("git = \"a\"\nindex = \"b\"", "sources/x.toml:3:9: it says both `git` and `index`"),
            ("git = \"https://u:p@h/x\"", "sources/x.toml:2:7: `git` cannot be used: "),
        ] {
            assert!(source(lines).starts_with(said), "{said}\n{}", source(lines));
        }
    }

    #[test]
    fn settings_and_entries_have_the_same_words() {
        let settings =
            |lines: &str| Settings::parse(&format!("format = 1\n{lines}\n")).expect_err(lines).full_message();
        for (lines, said) in [
            (
                "branch = \"main\"",
                "skillgraft.toml:2:1: `branch` is no key here; there are `format`, `registry`, `policy`, `limits`",
            ),
            (
                "[limits]\nskill_files = -1",
                "skillgraft.toml:3:15: `skill_files` must be a whole number, 0 or more, not -1",
            ),
            (
                "[limits]\nskill_bytes = \"much\"",
                "skillgraft.toml:3:15: `much` is not a size; write a number of bytes or, for example, \"16 MiB\"",
            ),
            (
                "[limits]\nskill_bytes = true",
                "skillgraft.toml:3:15: write a number of bytes or, for example, \"16 MiB\"",
            ),
            ("[registry]\nskills = \"/abs\"", "skillgraft.toml:3:10: `registry.skills` cannot be used: "),
            ("[registry]\nbranch = \"a..b\"", "skillgraft.toml:3:10: `registry.branch` cannot be used: "),
        ] {
            assert!(settings(lines).starts_with(said), "{said}\n{}", settings(lines));
        }
        let entry = |lines: &str| {
            Entry::parse("skills/a.toml", &format!("format = 1\n{lines}\n")).expect_err(lines).full_message()
        };
        for (lines, said) in [
            (
                "status = \"sleepy\"",
                "skills/a.toml:2:10: `status` is one of `active`, `disabled`, `declined`, not `sleepy`",
            ),
            ("[upstream]\nsource = \"a\"", "skills/a.toml:2:1: `path` is missing"),
        ] {
            assert!(entry(lines).starts_with(said), "{said}\n{}", entry(lines));
        }
    }
}
