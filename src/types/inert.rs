//! Text from upstream that no forge obeys: nothing in it mentions, links, closes an issue, skips CI or draws.
//!
//! Three forms for three places. [`inert`] is for commit messages, which forges read without markup: what could be active
//! is shown as `\u{..}`, as [`escape`](super::escape) shows control characters. [`code_span`] and [`code_fence`] are for
//! Markdown: there the text is code, and only what forges look for in code too is broken up.

use super::text::{escape, one_line};
use std::fmt::Write as _;

/// The words that make CI pass a commit by. Forges look for them in the raw text: a pull request's body becomes the
/// message of a squashed commit.
const SKIPS: [&str; 3] = ["***no_ci***", "skip-checks", "skip_ci"];

/// Returns `text` on one line, with every character shown as `\u{..}` that could begin a mention, a reference, a link,
/// HTML or a word for CI.
pub fn inert(text: &str) -> String {
    disarm(&escape(&text.replace(['\n', '\t'], " ")), |c, Around { before, next, above, rest }| match c {
        '<' | '>' | '[' | ']' | '`' | '@' => true,
        // References: an issue, a merge request, a snippet, an epic, a label, a milestone, of GitLab and others.
        '#' | '!' | '$' | '&' | '~' | '%' => next.is_alphanumeric() || next == '"',
        // Markup, and `***NO_CI***`.
        '*' => before == c || next == c,
        // A scheme, or a host that forges link without one.
        ':' => rest.starts_with("://"),
        '.' => before == 'w' || before == 'W',
        // `GH-1`, and keys of issue trackers.
        '-' => before.is_ascii_uppercase() && next.is_ascii_digit() || above.ends_with("gh") && next.is_ascii_digit(),
        's' | 'S' => SKIPS.iter().any(|skip| rest.starts_with(skip)),
        _ => false,
    })
}

/// Returns `text` as a Markdown code span on one line, at most `max` characters of it.
pub fn code_span(text: &str, max: usize) -> String {
    let text = tame(&one_line(text, max));
    if text.is_empty() {
        return "` `".into();
    }
    // A pipe ends a table's cell even in code.
    let text = text.replace('|', "\\u{7c}");
    let fence = "`".repeat(longest_run(&text, '`') + 1);
    let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Returns `text` as a fenced code block, its lines as they are.
pub fn code_fence(text: &str) -> String {
    let text = tame(&escape(text));
    let fence = "`".repeat(longest_run(&text, '`').max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n", text.trim_end_matches('\n'))
}

/// Breaks up what forges look for in the raw text of a message, code or not: words for CI, closing keywords' references
/// and mentions, each by showing its first sign as `\u{..}`.
fn tame(text: &str) -> String {
    disarm(text, |c, Around { before, next, above, rest }| match c {
        '[' => skips_ci(rest),
        '#' | '!' => next.is_ascii_digit(),
        '@' => !before.is_alphanumeric() && (next.is_alphanumeric() || next == '_'),
        '-' => above.ends_with("gh") && next.is_ascii_digit(),
        '/' => ["/issues/", "/pull/", "/merge_requests/"].iter().any(|path| rest.starts_with(path)),
        '*' | 's' | 'S' => SKIPS.iter().any(|skip| rest.starts_with(skip)),
        _ => false,
    })
}

/// What stands around a character.
struct Around<'t> {
    /// The one before it; a space at the start.
    before: char,
    /// The one after it; a space at the end.
    next: char,
    /// All that is before it, in lowercase.
    above: &'t str,
    /// It and all after it, in lowercase.
    rest: &'t str,
}

/// Returns a text with every character by its number that would do something where it stands.
fn disarm(text: &str, is_active: impl Fn(char, Around<'_>) -> bool) -> String {
    let lower = text.to_ascii_lowercase();
    let mut shown = String::with_capacity(text.len());
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let next = text[at + c.len_utf8()..].chars().next().unwrap_or(' ');
        let (above, rest) = lower.split_at(at);
        if is_active(c, Around { before, next, above, rest }) {
            write!(shown, "\\u{{{:x}}}", c as u32).expect("writing to a String cannot fail");
        } else {
            shown.push(c);
        }
        before = c;
    }
    shown
}

/// Tells whether a bracket's words ask CI to pass by: `[skip ci]`, `[ci-skip]`, `[no ci]`, `[skip actions]`, ...
fn skips_ci(rest: &str) -> bool {
    let inside = rest.trim_start_matches('[').split([']', '\n']).next().unwrap_or_default();
    let words: Vec<&str> = inside.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words == ["no", "ci"] || matches!(words.len(), 2 | 3) && words.contains(&"skip")
}

fn longest_run(text: &str, sign: char) -> usize {
    text.split(|c| c != sign).map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: [&str; 22] = [
        "@octocat please look",
        "fixes #1",
        "Closes: GH-12",
        "resolves acme/tools#7",
        "closes https://github.com/acme/tools/issues/3",
        "see https://gitlab.com/a/b/-/merge_requests/4",
        "[skip ci]",
        "[CI SKIP] and [no ci]",
        "***NO_CI***",
        "skip-checks: true",
        "<img src=x onerror=alert(1)>",
        "![beacon](https://evil.example/x.png)",
        "[click](https://evil.example)",
        "``` \n# heading\n@team\n```",
        "`code` @here",
        "a | b | c",
        "line\n\nSigned-off-by: Nobody <n@example.com>",
        "\u{202e}txt.exe\u{1b}[2J\u{0}",
        "&#64;octocat &lt;b&gt;",
        "!4 &5 ~bug %6 $7",
        "JIRA-12 www.evil.example",
        "````````",
    ];

    /// Every construct that a forge would obey in plain text.
    fn active(text: &str) -> Option<&'static str> {
        let lower = text.to_lowercase();
        let bytes: Vec<char> = text.chars().collect();
        let pair = |sign: char, of: fn(char) -> bool| bytes.windows(2).any(|two| two[0] == sign && of(two[1]));
        match () {
            () if text.contains(['\n', '\r', '\u{1b}', '\u{0}', '\u{202e}']) => Some("control"),
            () if pair('@', char::is_alphanumeric) => Some("mention"),
            () if ['#', '!', '$', '&', '~', '%'].iter().any(|sign| pair(*sign, char::is_alphanumeric)) => {
                Some("reference")
            }
            () if lower.contains("gh-1") => Some("reference"),
            () if lower.contains("://") || lower.contains("www.") => Some("link"),
            () if text.contains(['<', '>', '[', ']', '`']) => Some("markup"),
            () if SKIPS.iter().any(|skip| lower.contains(skip)) || lower.contains("**") => Some("ci"),
            () => None,
        }
    }

    /// Everything that is active wherever it stands: forges read it in code and in messages.
    fn active_in_code(text: &str) -> bool {
        let lower = text.to_lowercase();
        let skips = ["[skip ci]", "[ci skip]", "[no ci]", "***no_ci***", "skip-checks"];
        skips.iter().any(|skip| lower.contains(skip))
            || ["#1", "#7", "gh-12", "/issues/3", "/merge_requests/4"].iter().any(|word| lower.contains(word))
            || lower.contains(" @")
            || lower.starts_with('@')
    }

    #[test]
    fn hostile_text_is_inert_in_a_commit_message() {
        for text in HOSTILE {
            let shown = inert(text);
            assert_eq!(active(&shown), None, "{text:?} became {shown:?}");
        }
        for plain in ["references/api.md", "Release notes (2026) v1.2.3, done.", "__init__.py a-b", "Apache-2.0"] {
            assert_eq!(inert(plain), plain);
        }
    }

    #[test]
    fn hostile_text_is_inert_in_markdown() {
        for text in HOSTILE {
            let span = code_span(text, 200);
            let sign = span.chars().take_while(|c| *c == '`').count();
            let inside = &span[sign..span.len() - sign];
            assert!(longest_run(inside, '`') < sign && !span.contains(['\n', '|']), "{span:?}");
            let fence = code_fence(text);
            let lines: Vec<&str> = fence.lines().collect();
            let marks = lines[0].trim_end_matches("text");
            assert_eq!((lines[lines.len() - 1], marks.len() >= 3), (marks, true), "{fence:?}");
            assert!(longest_run(&lines[1..lines.len() - 1].join("\n"), '`') < marks.len(), "{fence:?}");
            for shown in [inside, &fence] {
                assert!(!active_in_code(shown), "{text:?} became {shown:?}");
            }
        }
        assert_eq!(code_span("SKILL.md", 80), "`SKILL.md`");
        assert_eq!(code_span("a `b`", 80), "`` a `b` ``");
        let code = "a -> b [label=\"no\"]; // p@q.example, issue 12\n#heading\nx[1]";
        assert_eq!(code_fence(code), format!("```text\n{code}\n```\n"), "code stays legible");
    }

    proptest::proptest! {
        #[test]
        fn whatever_upstream_writes_is_inert(text in "[@#!<>`*_\\[\\]()|:/&~%$a-cA-C1 \\n\\u{202e}\\u{1b}.-]{0,60}", all in "\\PC{0,40}") {
            for text in [text, all] {
                proptest::prop_assert_eq!(active(&inert(&text)), None, "{:?}", inert(&text));
                let span = code_span(&text, 100);
                let sign = span.chars().take_while(|c| *c == '`').count();
                let inside = &span[sign..span.len() - sign];
                proptest::prop_assert!(longest_run(inside, '`') < sign && !span.contains(['\n', '|']), "{:?}", span);
                let fence = code_fence(&text);
                let (first, rest) = fence.split_once('\n').expect("a fence has lines");
                let (inside, last) = rest.trim_end().rsplit_once('\n').expect("a fence has lines");
                proptest::prop_assert_eq!(first.trim_end_matches("text"), last);
                proptest::prop_assert!(longest_run(inside, '`') < last.len(), "{:?}", fence);
            }
        }
    }
}
