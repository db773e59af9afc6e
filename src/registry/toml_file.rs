//! Reads the TOML files that people write, with errors that name file, line and column.

mod words;

use crate::types::{Error, ErrorKind, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The format that this program reads and writes.
pub const FORMAT: u64 = 1;

#[derive(Deserialize)]
struct Header {
    format: Option<toml::Spanned<u64>>,
}

/// Reads `text`, which stands in the file `path`.
///
/// # Errors
/// [`ErrorKind::NewerFormat`] where the file's `format` is newer than [`FORMAT`]; [`ErrorKind::Config`] otherwise.
pub fn parse<T: DeserializeOwned>(path: &str, text: &str) -> Result<T> {
    // A registry has thousands of these files. What we write begins like this, and a second `format` would be an error.
    if text.lines().next() != Some("format = 1") {
        check_format(path, text)?;
    }
    toml::from_str(text).map_err(|error| at(path, text, &error))
}

fn check_format(path: &str, text: &str) -> Result<()> {
    let header: Header = toml::from_str(text).map_err(|error| at(path, text, &error))?;
    match header.format {
        None => Err(Error::new(ErrorKind::Config, format!("{path}: `format` is missing"))
            .hint("write `format = 1` as the first line")),
        Some(format) if *format.get_ref() > FORMAT => Err(Error::new(
            ErrorKind::NewerFormat,
            format!("{path}: format {} is newer than this program, which reads up to {FORMAT}", format.get_ref()),
        )
        .hint("install a newer skillgraft; nothing was written")),
        Some(format) if *format.get_ref() == 0 => {
            Err(Error::new(ErrorKind::Config, format!("{path}: there is no format 0")).hint("write `format = 1`"))
        }
        Some(_) => Ok(()),
    }
}

/// Returns the bytes of a file of ours as text.
pub fn utf8<'t>(path: &str, bytes: &'t [u8]) -> Result<&'t str> {
    std::str::from_utf8(bytes).map_err(|error| {
        Error::new(ErrorKind::Config, format!("{path}: byte {} is not UTF-8", error.valid_up_to() + 1))
            .hint(correct(path))
    })
}

fn at(path: &str, text: &str, error: &toml::de::Error) -> Error {
    let said = words::plain(text, error);
    Error::new(ErrorKind::Config, format!("{}: {said}", shown(path, text, error.span()))).hint(correct(path))
}

/// Returns `file:line:column` of what `key` says, for messages: `policy.licenses.1` is the second one of a list. The file
/// alone where nothing says it.
pub fn place(path: &str, text: &str, key: &str) -> String {
    shown(path, text, span(text, key))
}

/// Returns the line of what `key` says.
pub fn line_of(text: &str, key: &str) -> Option<usize> {
    Some(line_and_column(text, span(text, key)?.start).0)
}

fn span(text: &str, key: &str) -> Option<std::ops::Range<usize>> {
    let document = toml_edit::Document::parse(text).ok()?;
    key.split('.').try_fold(document.as_item(), within)?.span()
}

fn within<'i>(item: &'i toml_edit::Item, name: &str) -> Option<&'i toml_edit::Item> {
    match name.parse::<usize>() {
        Ok(index) => item.get(index),
        Err(_) => item.get(name),
    }
}

/// Returns the error of a file that can be read as TOML, but in which what `key` says cannot be used.
pub fn unusable(path: &str, text: &str, key: &str, cause: Error) -> Error {
    let hint = cause.hint_text().map_or_else(|| correct(path), str::to_owned);
    Error::new(ErrorKind::Config, format!("{}: `{key}` cannot be used", place(path, text, key)))
        .because(cause)
        .hint(hint)
}

/// What every error of a file that people write ends in. What counts is what is committed.
fn correct(path: &str) -> String {
    format!("edit {path}, commit it, and run: skillgraft check")
}

fn shown(path: &str, text: &str, span: Option<std::ops::Range<usize>>) -> String {
    match span {
        Some(span) => {
            let (line, column) = line_and_column(text, span.start);
            format!("{path}:{line}:{column}")
        }
        None => path.to_owned(),
    }
}

/// Returns the 1-based line and column (in characters) of a byte offset.
pub fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[expect(dead_code, reason = "every file has it")]
        format: u64,
        #[expect(dead_code, reason = "read by the test's errors only")]
        enabled: Option<bool>,
    }

    #[test]
    fn an_error_names_file_line_and_column() {
        let error =
            parse::<Sample>("sources/x.toml", "format = 1\nenabled = \"no\"\n").expect_err("a string is no bool");
        assert!(error.to_string().starts_with("sources/x.toml:2:11: "), "{error}");
        assert_eq!(error.hint_text(), Some("edit sources/x.toml, commit it, and run: skillgraft check"));
    }

    #[test]
    fn a_newer_format_is_told_apart_even_with_fields_unknown_here() {
        let error = parse::<Sample>("a.toml", "format = 2\nnovel = 1\n").expect_err("newer");
        assert_eq!(error.kind(), ErrorKind::NewerFormat);
    }

    #[test]
    fn the_place_of_a_key_is_where_its_value_stands() {
        let text = "format = 1\n[policy]\nlicenses = [\n  \"MIT\",\n  \"Apache\",\n]\n";
        assert_eq!(place("a.toml", text, "policy.licenses.1"), "a.toml:5:3");
        assert_eq!(place("a.toml", text, "policy.licenses"), "a.toml:3:12");
        assert_eq!(place("a.toml", text, "policy.nothing"), "a.toml");
    }
}
