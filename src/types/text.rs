//! Text from upstream that escapes itself: nothing that a terminal would obey leaves the program.

use std::fmt::Write as _;

/// Returns `text` with every control character but `\n` and `\t` shown as `\u{..}`, and the characters that
/// reorder text (bidirectional overrides, "Trojan Source") and the zero-width ones shown the same way.
pub fn escape(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\n' || c == '\t' || !is_hidden(c) {
            shown.push(c);
        } else {
            write!(shown, "\\u{{{:x}}}", c as u32).expect("writing to a String cannot fail");
        }
    }
    shown
}

/// Returns `text` escaped, on one line, at most `max` characters long, with an ellipsis where it was cut.
pub fn one_line(text: &str, max: usize) -> String {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown = escape(&flat);
    if shown.chars().count() <= max {
        return shown;
    }
    shown.chars().take(max.saturating_sub(1)).chain(['…']).collect()
}

/// Returns `text`, escaped, as one word of a command that people paste into a shell: quoted, unless no shell reads
/// anything into it.
pub fn shell_word(text: &str) -> String {
    let text = escape(text);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// Returns text with a URL as it may be shown: in its host, letters that only look like ASCII are written as what they are.
pub fn visible(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return escape(url) };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let plain = |c: char| if c.is_ascii() { c.to_string() } else { c.escape_unicode().to_string() };
    format!("{}://{}{}", escape(scheme), host.chars().map(plain).collect::<String>(), escape(path))
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_in_another_script_is_shown_as_what_it_is() {
        assert_eq!(visible("https://g\u{456}thub.com/\u{fc}"), "https://g\\u{456}thub.com/\u{fc}");
        assert_eq!(visible("../\u{fc}"), "../\u{fc}");
    }

    #[test]
    fn a_word_of_a_command_is_one_word_and_no_command() {
        assert_eq!(shell_word("up:skills/a-b_c.md"), "up:skills/a-b_c.md");
        assert_eq!(shell_word("a b.md"), "'a b.md'");
        assert_eq!(shell_word("$(touch x)`y`;&"), "'$(touch x)`y`;&'");
        assert_eq!(shell_word("it's"), "'it'\\''s'");
        assert_eq!(shell_word(""), "''");
    }

    #[test]
    fn an_escape_sequence_is_shown_not_sent() {
        assert_eq!(escape("\u{1b}[2Jhi\r\n"), "\\u{1b}[2Jhi\\u{d}\n");
        assert_eq!(escape("a\u{202e}b"), "a\\u{202e}b");
        assert_eq!(one_line("a\n  b  c", 4), "a b…");
    }
}
