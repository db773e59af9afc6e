//! `allowed-tools` merged tool by tool: a set that keeps local's order and spelling.

use super::blocks::around_value;
use super::unchanged;

/// A tool, and how it is written, quotes included.
struct Tool {
    name: String,
    written: String,
}

/// How a list of tools is written.
enum Style {
    /// The spec's: one string. The separator is None where a single tool does not show it.
    Text { quote: Option<char>, separator: Option<&'static str> },
    /// `[a, b]`
    Flow { quote: Option<char> },
    /// A flow list over several lines: it can be read, but how to add to its layout is anyone's guess.
    FlowLines,
    /// `- a` on lines of their own.
    Items { indent: String, quote: Option<char> },
}

/// The block of `allowed-tools`, taken apart.
struct Tools<'a> {
    /// The comments, and the key with its colon.
    head: &'a [u8],
    /// From behind the colon to the line ending behind the last tool.
    value: &'a str,
    /// Blank lines and comments.
    tail: &'a [u8],
    tools: Vec<Tool>,
    style: Style,
}

/// Returns local without what upstream removed and with what upstream added, in local's style; None if that cannot be told.
pub(super) fn merge(base: Option<&[u8]>, local: &[u8], upstream: &[u8]) -> Option<Vec<u8>> {
    let base = match base {
        Some(base) => Some(Tools::read(base)?),
        None => None,
    };
    let (local, upstream) = (Tools::read(local)?, Tools::read(upstream)?);
    let in_base = |tool: &Tool| base.as_ref().is_some_and(|base| base.has(tool));
    let around = base.as_ref().map_or((&b"allowed-tools:"[..], &b""[..]), |base| (base.head, base.tail));
    let head = unchanged(around.0, local.head, upstream.head)?;
    let tail = unchanged(around.1, local.tail, upstream.tail)?;

    let mut merged: Vec<(&str, String)> = Vec::new();
    for tool in local.tools.iter().filter(|tool| !in_base(tool) || upstream.has(tool)) {
        merged.push((&tool.name, tool.written.clone()));
    }
    let kept = merged.len();
    for tool in upstream.tools.iter().filter(|tool| !in_base(tool) && !local.has(tool)) {
        if !merged.iter().any(|(name, _)| *name == tool.name) {
            merged.push((&tool.name, local.style.write(&tool.name)?));
        }
    }
    if kept == local.tools.len() && kept == merged.len() {
        return Some([head, local.value.as_bytes(), tail].concat());
    }
    let sides = [Some(&local), Some(&upstream), base.as_ref()];
    let separator = sides.into_iter().flatten().find_map(|side| side.style.separator()).unwrap_or(" ");
    let written: Vec<&str> = merged.iter().map(|(_, written)| written.as_str()).collect();
    let bytes = [head, local.render(&written, separator)?.as_bytes(), tail].concat();
    // Quoting has corners (a comma, a lone `*`): what does not read back as meant is left to people.
    let read_back = Tools::read(&bytes)?;
    read_back.tools.iter().map(|tool| tool.name.as_str()).eq(merged.iter().map(|(name, _)| *name)).then_some(bytes)
}

impl<'a> Tools<'a> {
    fn read(block: &'a [u8]) -> Option<Self> {
        let (head, value, tail) = around_value(block);
        let value = std::str::from_utf8(value).ok()?;
        let text = value.trim();
        let (tools, style) = match text.chars().next()? {
            '-' => read_items(value)?,
            '[' => read_flow(text)?,
            _ => read_text(text)?,
        };
        Some(Tools { head, value, tail, tools, style })
    }

    fn has(&self, tool: &Tool) -> bool {
        self.tools.iter().any(|known| known.name == tool.name)
    }

    /// Returns a value like this one, with other tools.
    fn render(&self, written: &[&str], separator: &str) -> Option<String> {
        let line_ending = if self.value.ends_with("\r\n") { "\r\n" } else { "\n" };
        let gap = &self.value[..self.value.len() - self.value.trim_start().len()];
        Some(match &self.style {
            Style::Text { quote, .. } => {
                format!("{gap}{}{line_ending}", quoted(&written.join(separator), *quote, is_plain_text)?)
            }
            Style::Flow { .. } => format!("{gap}[{}]{line_ending}", written.join(", ")),
            Style::FlowLines => return None,
            Style::Items { .. } if written.is_empty() => format!(" []{line_ending}"),
            Style::Items { indent, .. } => {
                let items = written.iter().map(|tool| format!("{indent}- {tool}{line_ending}"));
                [line_ending.to_owned()].into_iter().chain(items).collect()
            }
        })
    }
}

impl Style {
    fn separator(&self) -> Option<&'static str> {
        match self {
            Style::Text { separator, .. } => *separator,
            _ => None,
        }
    }

    /// Returns how one more tool is written in this style.
    fn write(&self, name: &str) -> Option<String> {
        match self {
            Style::Text { .. } => Some(name.to_owned()),
            Style::Flow { quote } | Style::Items { quote, .. } => quoted(name, *quote, is_plain_item),
            Style::FlowLines => None,
        }
    }
}

fn read_items(value: &str) -> Option<(Vec<Tool>, Style)> {
    let mut lines = value.lines();
    // The rest of the key's line.
    lines.next().filter(|line| line.trim().is_empty())?;
    let mut indents = Vec::new();
    let mut tools = Vec::new();
    for line in lines {
        let item = line.trim_start_matches(' ');
        indents.push(&line[..line.len() - item.len()]);
        tools.push(read_item(item.strip_prefix("- ")?.trim())?);
    }
    let indent = indents.first().filter(|first| indents.iter().all(|indent| indent == *first))?.to_string();
    let quote = quote_of(&tools);
    Some((tools, Style::Items { indent, quote }))
}

fn read_flow(text: &str) -> Option<(Vec<Tool>, Style)> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    let mut items = vec![String::new()];
    let mut quote = None;
    for c in inner.chars() {
        match (quote, c) {
            (None, ',') => {
                items.push(String::new());
                continue;
            }
            (None, '"' | '\'') if items.last().is_some_and(|item| item.trim().is_empty()) => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
        items.last_mut()?.push(c);
    }
    // The last one may be followed by a comma; and nothing at all is a list too.
    items.pop_if(|item| item.trim().is_empty());
    let tools: Vec<Tool> = items.iter().map(|item| read_item(item.trim())).collect::<Option<_>>()?;
    let quote = quote_of(&tools);
    Some((tools, if text.contains('\n') { Style::FlowLines } else { Style::Flow { quote } }))
}

fn read_text(text: &str) -> Option<(Vec<Tool>, Style)> {
    let (text, quote) = read_scalar(text)?;
    let pieces = |at: fn(char) -> bool| -> Option<Vec<&str>> {
        let (mut pieces, mut depth, mut start) = (Vec::new(), 0_usize, 0);
        for (index, c) in text.char_indices() {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.checked_sub(1)?,
                c if depth == 0 && at(c) => {
                    pieces.push(text[start..index].trim());
                    start = index + c.len_utf8();
                }
                _ => {}
            }
        }
        pieces.push(text[start..].trim());
        (depth == 0).then_some(pieces)
    };
    let by_comma = pieces(|c| c == ',')?;
    let by_space: Vec<&str> = pieces(|c| c == ' ')?.into_iter().filter(|piece| !piece.is_empty()).collect();
    let (names, separator) = match (by_comma.len(), by_space.len()) {
        (1, 0 | 1) => (by_space, None),
        (1, _) => (by_space, Some(" ")),
        // `a, b c`: two tools or three?
        _ if by_comma.iter().any(|name| name.is_empty() || pieces_in(name) > 1) => return None,
        _ => (by_comma, Some(if text.contains(", ") { ", " } else { "," })),
    };
    let tools = names.into_iter().map(|name| Tool { name: name.to_owned(), written: name.to_owned() }).collect();
    Some((tools, Style::Text { quote, separator }))
}

/// Returns how many words stand in a name, parentheses and what they hold being part of a word.
fn pieces_in(name: &str) -> usize {
    crate::skill::frontmatter::tools(name).len()
}

fn read_item(written: &str) -> Option<Tool> {
    let (name, _) = read_scalar(written)?;
    (!name.trim().is_empty()).then(|| Tool { name, written: written.to_owned() })
}

/// Reads a scalar on one line; None for what means something else in YAML, for escapes, and where a comment follows.
fn read_scalar(text: &str) -> Option<(String, Option<char>)> {
    if let Some(inner) = text.strip_prefix('"') {
        let inner = inner.strip_suffix('"')?;
        return (!inner.contains(['"', '\\', '\n'])).then(|| (inner.to_owned(), Some('"')));
    }
    if let Some(inner) = text.strip_prefix('\'') {
        let inner = inner.strip_suffix('\'')?;
        let lone = inner.replace("''", "").contains(['\'', '\n']);
        return (!lone).then(|| (inner.replace("''", "'"), Some('\'')));
    }
    is_plain_text(text).then(|| (text.to_owned(), None))
}

fn quote_of(tools: &[Tool]) -> Option<char> {
    tools.first()?.written.chars().next().filter(|c| ['"', '\''].contains(c))
}

/// Returns a scalar in quotes, or without where `quote` is None and it may stand so; None if no quotes without escapes fit.
fn quoted(text: &str, quote: Option<char>, is_plain: fn(&str) -> bool) -> Option<String> {
    match quote {
        _ if text.contains(char::is_control) => None,
        None if is_plain(text) => Some(text.to_owned()),
        None | Some('"') if !text.contains(['"', '\\']) => Some(format!("\"{text}\"")),
        _ => Some(format!("'{}'", text.replace('\'', "''"))),
    }
}

/// Returns whether a text may stand without quotes as the value of a key. Strict: some that may are said not to.
fn is_plain_text(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c.is_alphanumeric() || "_(./$~".contains(c));
    starts && !text.contains(": ") && !text.contains(" #") && !text.ends_with(':') && !text.contains(char::is_control)
}

/// Returns whether a text may stand without quotes as an item of a list in either form.
fn is_plain_item(text: &str) -> bool {
    is_plain_text(text) && !text.contains([',', '[', ']', '{', '}', '"'])
}
