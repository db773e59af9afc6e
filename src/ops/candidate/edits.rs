//! What a candidate makes of the files that were edited here, and the places where a person has to decide.

use crate::git::{Oid, Store, tree_at};
use crate::registry::ConflictKind;
use crate::sync::Review;
use crate::types::{RelPath, Result};
use serde::Serialize;

/// The most regions that are read of one candidate.
const REGIONS: usize = 100;
/// The most lines of one region that are quoted.
const LINES: usize = 40;
/// The most characters of one region that are quoted.
const CHARACTERS: usize = 2_000;

/// A file that was edited here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LocalEdit {
    /// Its path in the skill.
    pub path: String,
    /// What became of the edit.
    pub fate: Fate,
}

/// What became of an edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// The file stays as it is here.
    Kept,
    /// Both changes are in it.
    Merged,
    /// A person has to decide.
    Conflict,
    /// It becomes what upstream has.
    Upstream,
    /// It goes.
    Removed,
}

impl Fate {
    /// Returns what became of the edit, in words.
    pub fn words(self) -> &'static str {
        match self {
            Fate::Kept => "kept",
            Fate::Merged => "merged with upstream's",
            Fate::Conflict => "conflict: to be decided",
            Fate::Upstream => "becomes what upstream has",
            Fate::Removed => "removed",
        }
    }
}

/// A place with conflict markers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Region {
    /// The file's path in the skill.
    pub path: String,
    /// The line of the first marker, from 1.
    pub first_line: usize,
    /// The line of the last marker.
    pub last_line: usize,
    /// What stands there, markers and all; not more than 40 lines and 2,000 characters of it.
    pub text: String,
    /// Whether more stands there.
    pub cut: bool,
}

/// Returns the files of the skill that differ from the base, with what the candidate makes of them. Empty where the base
/// is not here.
pub fn local_edits(store: &Store, review: &Review) -> Result<Vec<LocalEdit>> {
    let trees = &review.trees;
    let (Some(base), Some(local)) = (trees.base, trees.local) else { return Ok(Vec::new()) };
    let mut edits = Vec::new();
    for (path, (_, here)) in super::super::diff::changed(store, Some(base), Some(local))? {
        let at = |tree: Option<Oid>| super::super::diff::file_at(store, tree, &path);
        let (proposed, upstream) = (at(trees.proposed)?, at(trees.upstream)?);
        let fate = match () {
            () if review.conflicts.iter().any(|conflict| conflict.path == path) => Fate::Conflict,
            () if proposed == here => Fate::Kept,
            () if proposed.is_none() => Fate::Removed,
            () if proposed == upstream => Fate::Upstream,
            () => Fate::Merged,
        };
        edits.push(LocalEdit { path, fate });
    }
    Ok(edits)
}

/// Returns the places with conflict markers in the files that the candidate lists.
pub fn regions(store: &Store, review: &Review) -> Result<Vec<Region>> {
    let mut regions = Vec::new();
    let Some(tree) = review.trees.proposed else { return Ok(regions) };
    let marked = review.conflicts.iter().filter(|c| matches!(c.kind, ConflictKind::Content | ConflictKind::AddAdd));
    for path in marked.map(|conflict| &conflict.path) {
        let Ok(place) = RelPath::parse(path) else { continue };
        let (Some(folder), Some(name)) = (place.parent(), place.name()) else { continue };
        let Some(folder) = tree_at(store, tree, &folder)? else { continue };
        let file = store.tree(folder)?.get(name.as_bytes()).filter(|entry| entry.mode.is_file()).map(|entry| entry.id);
        if let Some(file) = file {
            regions.extend(in_file(path, &String::from_utf8_lossy(&store.blob(file)?)));
        }
    }
    regions.truncate(REGIONS);
    Ok(regions)
}

fn in_file(path: &str, text: &str) -> Vec<Region> {
    let is_marker = |line: &str, sign: char, label: &str| {
        let run = line.trim_end().strip_suffix(label);
        run.is_some_and(|run| run.len() >= 7 && run.chars().all(|c| c == sign)).then(|| line.trim_end().len())
    };
    let lines: Vec<&str> = text.lines().collect();
    let mut regions = Vec::new();
    let mut open: Option<(usize, usize)> = None;
    for (at, line) in lines.iter().enumerate() {
        match open {
            None => open = is_marker(line, '<', " local").map(|length| (at, length)),
            // As many signs as it began with: " upstream" is three letters longer than " local".
            Some((first, length)) if is_marker(line, '>', " upstream") == Some(length + 3) => {
                let quoted = lines[first..=at].iter().take(LINES).copied().collect::<Vec<_>>().join("\n");
                let shown: String = quoted.chars().take(CHARACTERS).collect();
                let cut = at - first >= LINES || shown.len() < quoted.len();
                let (first_line, last_line) = (first + 1, at + 1);
                regions.push(Region { path: path.to_owned(), first_line, last_line, text: shown, cut });
                open = None;
            }
            Some(_) => {}
        }
    }
    regions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_found_by_markers_of_one_length() {
        let text = "a\n<<<<<<<< local\nx\n<<<<<<< local\n|||||||| base\n>>>>>>> upstream\ny\n>>>>>>>> upstream\nb\n";
        let found = in_file("SKILL.md", text);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].first_line, found[0].last_line, found[0].cut), (2, 8, false));
        let long = format!("<<<<<<< local\n{}>>>>>>> upstream\n", "line\n".repeat(100));
        let found = in_file("SKILL.md", &long);
        assert_eq!((found[0].last_line, found[0].text.lines().count(), found[0].cut), (102, LINES, true));
        assert_eq!(in_file("SKILL.md", "<<<<<<< local\nnever closed\n"), []);
    }
}
