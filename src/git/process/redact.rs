//! Makes what git wrote fit to be shown: no credentials, no control characters.
//!
//! Works on text and not on known secrets, because a redirect or a helper may bring in ones that we never saw.

use super::environment::NO_ASKPASS;
use crate::types::{is_secret, is_token};

/// No token of a forge is shorter, in characters.
const SHORTEST_TOKEN: usize = 20;

/// Returns the last lines of a stderr, in one line that is safe to show.
pub fn last_words(stderr: &[u8]) -> String {
    let text = redact(&String::from_utf8_lossy(stderr));
    let noise = format!("askpass response from '{NO_ASKPASS}'");
    let lines = text.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty() && !line.contains(&noise));
    let lines: Vec<String> = lines.map(|line| line.chars().take(400).collect()).collect();
    printable(&lines[lines.len().saturating_sub(8)..].join("; "))
}

/// Replaces what could move the cursor or reverse the reading direction.
pub(super) fn printable(text: &str) -> String {
    let odd = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if odd(c) { '\u{fffd}' } else { c }).collect()
}

/// Returns `text` without the credentials of URLs (`https://***@host`, `?token=***`) and of `Authorization` headers, and
/// without forges' access tokens.
pub fn redact(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        // Not at a quote: a password may hold one.
        let url = &after[..after.find(char::is_whitespace).unwrap_or(after.len())];
        result.push_str(before);
        let secret = userinfo(url, before.ends_with("ssh://"));
        if secret > 0 {
            result.push_str("***");
        }
        result.push_str(&redact_query(&url[secret..]));
        rest = &after[url.len()..];
    }
    result.push_str(rest);
    let result = without_tokens(&result);
    let lower = result.to_ascii_lowercase();
    match lower.find("authorization:") {
        Some(at) => {
            let end = result[at..].find(['\n', '\r']).map_or(result.len(), |length| at + length);
            format!("{}***{}", &result[..at + "authorization:".len()], redact(&result[end..]))
        }
        None => result,
    }
}

/// A token is known by its beginning and its length, wherever it stands.
fn without_tokens(text: &str) -> String {
    let is_inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let words = text.split_inclusive(|c: char| !is_inside(c)).map(|piece| {
        let word = piece.trim_end_matches(|c: char| !is_inside(c));
        if word.len() >= SHORTEST_TOKEN && is_token(word) {
            format!("***{}", &piece[word.len()..])
        } else {
            piece.into()
        }
    });
    words.collect()
}

/// The length of the user information at the start of `url` (what follows `://`), without its `@`.
fn userinfo(url: &str, ssh: bool) -> usize {
    let authority = &url[..url.find(['/', '?', '#']).unwrap_or(url.len())];
    match authority.rfind('@') {
        // The account that ssh logs in to is no secret; with https a token may stand there.
        Some(at) if ssh && !authority[..at].contains(':') && !is_token(&authority[..at]) => 0,
        Some(at) => at,
        // A password with a raw `/` in it: no port looks like that.
        None => match authority.split_once(':') {
            Some((_, port)) if !port.bytes().all(|b| b.is_ascii_digit()) => url.rfind('@').unwrap_or(0),
            _ => 0,
        },
    }
}

fn redact_query(url: &str) -> String {
    let Some((path, query)) = url.split_once('?') else { return url.to_owned() };
    let pairs = query.split_inclusive(['&', ';', '#']).map(|pair| match pair.split_once('=') {
        Some((name, value)) => {
            let end = value.strip_suffix(['&', ';', '#']).map_or("", |kept| &value[kept.len()..]);
            if is_secret(name) { format!("{name}=***{end}") } else { pair.to_owned() }
        }
        None => pair.to_owned(),
    });
    format!("{path}?{}", pairs.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_redacted_wherever_they_stand() {
        let cases = [
            ("https://user:secret@host/x", "https://***@host/x"),
            ("https://ghp_secret@host/x y", "https://***@host/x y"),
            ("ssh://git@host/x", "ssh://git@host/x"),
            ("ssh://git:secret@host/x", "ssh://***@host/x"),
            ("git@host:x", "git@host:x"),
            ("https://u:sec/ret@host/x", "https://***@host/x"),
            ("https://u:se'c\"ret@host/x", "https://***@host/x"),
            ("https://u:a@b@host/x", "https://***@host/x"),
            ("https://host:80/x@1", "https://host:80/x@1"),
            (
                "a https://h/x?ref=a&access_token=secret&y=1#z b https://u:secret@k",
                "a https://h/x?ref=a&access_token=***&y=1#z b https://***@k",
            ),
            ("https://h/x?token=secret", "https://h/x?token=***"),
            ("> Authorization: Basic secret\nmore https://u:p@h", "> Authorization:***\nmore https://***@h"),
            ("nothing here", "nothing here"),
            ("ssh://ghp_abc@host/x", "ssh://***@host/x"),
            ("ghp_0123456789abcdefABCD@github.com:a/b", "***@github.com:a/b"),
            ("bad token 'glpat-0123456789_abcde-ABCD', go", "bad token '***', go"),
            ("a ghp_ prefix, gho_st and github_pat_", "a ghp_ prefix, gho_st and github_pat_"),
            ("url=https://u:ü@h", "url=https://***@h"),
        ];
        for (text, redacted) in cases {
            assert_eq!(redact(text), redacted);
            assert_eq!(redact(redacted), redacted);
        }
    }
}
