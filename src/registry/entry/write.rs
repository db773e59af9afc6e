//! Writing entries: single keys of the text that stands there are changed, the rest stays as people left it.

use super::{Conflict, Declined, Upstream};
use crate::registry::paused::{Day, Paused, date_item};
use crate::types::{Context as _, Error, ErrorKind, Result, SourceName};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

/// Returns the text of an entry that follows `upstream` and lists `conflicts`: `previous` (none for a new skill) with
/// those keys changed. A `[declined]` stays unless it names this very update.
pub fn render(previous: Option<&str>, upstream: &Upstream, conflicts: &[Conflict]) -> Result<String> {
    let mut document: DocumentMut = match previous {
        Some(text) => text.parse().context(ErrorKind::Config, || "the entry is not TOML")?,
        None => {
            let mut document = DocumentMut::new();
            document["format"] = value(1);
            document["status"] = value("active");
            document
        }
    };
    write_upstream(&mut document, upstream)?;
    write_conflicts(&mut document, conflicts);
    let declined = document.get("declined").and_then(|table| table.get("upstream")).and_then(Item::as_str);
    if declined == Some(upstream.accepted.to_string().as_str()) {
        document.remove("declined");
    }
    Ok(document.to_string())
}

/// Returns the text of an entry with another list of conflicts, everything else as it was.
pub fn with_conflicts(text: &str, conflicts: &[Conflict]) -> Result<String> {
    let mut document: DocumentMut = text.parse().context(ErrorKind::Config, || "the entry is not TOML")?;
    write_conflicts(&mut document, conflicts);
    Ok(document.to_string())
}

/// Returns the entry of a carried candidate: the wanted one (`new`), with what people changed from `old` to `head` in
/// keys outside of `[upstream]`, `[declined]` and `[[conflict]]`, and in the comments before keys and tables.
pub fn carried(old: &str, head: &str, new: &str, conflicts: &[Conflict]) -> Result<String> {
    let read = |text: &str| text.parse::<DocumentMut>().context(ErrorKind::Config, || "the entry is not TOML");
    let (old, head, mut new) = (read(old)?, read(head)?, read(new)?);
    let keys: std::collections::BTreeSet<&str> = old.iter().chain(head.iter()).map(|(key, _)| key).collect();
    for key in keys.into_iter().filter(|key| !matches!(*key, "upstream" | "declined" | "conflict")) {
        let shown = |document: &DocumentMut| document.get(key).map(ToString::to_string);
        match (head.get(key), shown(&old) != shown(&head)) {
            (Some(item), true) => drop(new.insert(key, item.clone())),
            (None, true) => drop(new.remove(key)),
            (_, false) => {}
        }
    }
    carry_comments(&old, &head, &mut new);
    write_conflicts(&mut new, conflicts);
    Ok(new.to_string())
}

/// Does to the comments of `new` what was done from `old` to `head`: lines that came before a key or table come, lines
/// that went go.
fn carry_comments(old: &DocumentMut, head: &DocumentMut, new: &mut DocumentMut) {
    let keys: Vec<String> = new.iter().map(|(key, _)| key.to_owned()).collect();
    for key in keys {
        let (before, after) = (comments(old, &key), comments(head, &key));
        if before == after {
            continue;
        }
        let mut lines = comments(new, &key);
        lines.retain(|line| after.contains(line) || !before.contains(line));
        let came: Vec<String> =
            after.into_iter().filter(|line| !before.contains(line) && !lines.contains(line)).collect();
        lines.extend(came);
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        match (new.get_mut(&key), text) {
            (Some(Item::Table(table)), text) => table.decor_mut().set_prefix(text),
            (_, text) => {
                new.key_mut(&key).expect("it was listed").leaf_decor_mut().set_prefix(text);
            }
        }
    }
}

/// Returns the lines that stand before a key or a table.
fn comments(document: &DocumentMut, key: &str) -> Vec<String> {
    let decor = match document.get(key) {
        Some(Item::Table(table)) => Some(table.decor()),
        Some(Item::Value(_)) => document.key(key).map(toml_edit::Key::leaf_decor),
        _ => None,
    };
    let prefix = decor.and_then(|decor| decor.prefix()).and_then(|prefix| prefix.as_str());
    prefix.unwrap_or("").lines().map(str::to_owned).collect()
}

/// Returns the text of an entry that follows nothing any more; `lineage` says what it followed.
pub fn adopted(text: &str, lineage: &str) -> Result<String> {
    let mut document: DocumentMut = text.parse().context(ErrorKind::Config, || "the entry is not TOML")?;
    for key in ["upstream", "declined", "conflict", "paused"] {
        document.remove(key);
    }
    let list = document.entry("lineage").or_insert_with(|| value(toml_edit::Array::new()));
    let list = list.as_array_mut().ok_or_else(|| Error::new(ErrorKind::Config, "`lineage` is not a list"))?;
    list.push(lineage);
    Ok(document.to_string())
}

/// Returns the text of an entry with another status; a skill of the team's own may have had none.
pub fn with_status(text: Option<&str>, status: &str) -> Result<String> {
    let mut document: DocumentMut =
        text.unwrap_or("format = 1\n").parse().context(ErrorKind::Config, || "the entry is not TOML")?;
    document["status"] = value(status);
    Ok(document.to_string())
}

/// Returns the text of an entry whose source has another name.
pub fn with_source(text: &str, source: &SourceName) -> Result<String> {
    let mut document: DocumentMut = text.parse().context(ErrorKind::Config, || "the entry is not TOML")?;
    let table = document.get_mut("upstream").and_then(Item::as_table_like_mut);
    let table = table.ok_or_else(|| Error::new(ErrorKind::Config, "`upstream` is not a table"))?;
    table.insert("source", value(source.as_str()));
    Ok(document.to_string())
}

/// Returns the text of an entry that says where the skill was imported from, in the order of `origin`; `text` is none
/// for a new skill. Everything else stays.
pub fn with_origin(text: Option<&str>, origin: &[(&str, &str)]) -> Result<String> {
    let text = text.unwrap_or("format = 1\nstatus = \"active\"\n");
    let mut document: DocumentMut = text.parse().context(ErrorKind::Config, || "the entry is not TOML")?;
    let mut table = Table::new();
    for (key, text) in origin {
        table[key] = value(*text);
    }
    document["origin"] = Item::Table(table);
    Ok(document.to_string())
}

/// Returns the text of an entry with `[declined]` set, or taken out.
pub fn with_declined(text: &str, declined: Option<&Declined>) -> Result<String> {
    let mut document: DocumentMut = text.parse().context(ErrorKind::Config, || "the entry is not TOML")?;
    document.remove("declined");
    if let Some(declined) = declined {
        let mut table = Table::new();
        table["upstream"] = value(&declined.upstream);
        for (key, text) in [("reason", &declined.reason), ("by", &declined.by)] {
            if let Some(text) = text {
                table[key] = value(text);
            }
        }
        if let Some(until) = declined.until {
            table["until"] = date_item(until.0);
        }
        document["declined"] = Item::Table(table);
    }
    Ok(document.to_string())
}

/// Returns the text of an entry or source file with `[paused]` set, or taken out.
pub fn with_paused(text: &str, paused: Option<&Paused>) -> Result<String> {
    let mut document: DocumentMut = text.parse().context(ErrorKind::Config, || "the file is not TOML")?;
    let Some(paused) = paused else {
        document.remove("paused");
        return Ok(document.to_string());
    };
    let table = document.entry("paused").or_insert_with(|| Item::Table(Table::new()));
    let table = table.as_table_like_mut().ok_or_else(|| Error::new(ErrorKind::Config, "`paused` is not a table"))?;
    let text = |text: &Option<String>| text.as_ref().map(value);
    let day = |day: Option<Day>| day.map(|day| date_item(day.0));
    let keys = [
        ("by", text(&paused.by)),
        ("reason", text(&paused.reason)),
        ("since", day(paused.since)),
        ("until", day(paused.until)),
    ];
    for (key, item) in keys {
        match item {
            // What is so already keeps how it was written.
            Some(item) if table.get(key).is_some_and(|there| says(there) == says(&item)) => {}
            Some(item) => drop(table.insert(key, item)),
            None => drop(table.remove(key)),
        }
    }
    Ok(document.to_string())
}

/// What a value says, however it was written.
fn says(item: &Item) -> String {
    item.as_str().map_or_else(|| item.to_string().trim().to_owned(), str::to_owned)
}

fn write_upstream(document: &mut DocumentMut, upstream: &Upstream) -> Result<()> {
    let table = document.entry("upstream").or_insert_with(|| Item::Table(Table::new()));
    let table = table.as_table_like_mut().ok_or_else(|| Error::new(ErrorKind::Config, "`upstream` is not a table"))?;
    let accepted = upstream.accepted.to_string();
    let (git_tree, mirror) = (upstream.git_tree.to_string(), upstream.mirror.to_string());
    let keys = [
        ("source", Some(upstream.source.as_str())),
        ("path", Some(upstream.path.as_str())),
        ("accepted", Some(accepted.as_str())),
        ("git_tree", Some(git_tree.as_str())),
        ("mirror", Some(mirror.as_str())),
        ("revision", upstream.revision.as_deref()),
        ("version", upstream.version.as_deref()),
        ("license", upstream.license.as_deref()),
    ];
    for (key, text) in keys {
        match text {
            Some(text) if table.get(key).and_then(Item::as_str) == Some(text) => {}
            Some(text) => drop(table.insert(key, value(text))),
            None => drop(table.remove(key)),
        }
    }
    Ok(())
}

fn write_conflicts(document: &mut DocumentMut, conflicts: &[Conflict]) {
    document.remove("conflict");
    if conflicts.is_empty() {
        return;
    }
    let mut tables = ArrayOfTables::new();
    for conflict in conflicts {
        let mut table = Table::new();
        table["path"] = value(&conflict.path);
        table["kind"] = value(conflict.kind.as_str());
        let sides = [("base", conflict.base), ("local", conflict.local), ("upstream", conflict.upstream)];
        for (key, id) in sides.into_iter().filter_map(|(key, id)| Some((key, id?))) {
            table[key] = value(id.to_string());
        }
        tables.push(table);
    }
    document["conflict"] = Item::ArrayOfTables(tables);
}
