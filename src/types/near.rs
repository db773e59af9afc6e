//! The word that somebody may have meant.

/// Returns the one of `words` that is nearest to what was typed, where one is near: the case aside, one change in four
/// letters, and one more.
pub fn near<'w>(typed: &str, words: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let typed = typed.to_lowercase();
    let most = 1 + typed.chars().count() / 4;
    let near = words.into_iter().map(|word| (changes(&typed, &word.to_lowercase()), word));
    near.filter(|(changes, _)| *changes <= most).min_by_key(|(changes, _)| *changes).map(|(_, word)| word)
}

/// How many letters have to be put in, left out or changed to make `b` of `a` (Levenshtein).
fn changes(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_near_and_another_word_is_not() {
        let keys = ["git", "enabled", "exclude", "namespace"];
        assert_eq!(near("enable", keys), Some("enabled"));
        assert_eq!(near("Exclud", keys), Some("exclude"));
        assert_eq!(near("namspaec", keys), Some("namespace"));
        assert_eq!(near("gti", keys), None);
        assert_eq!(near("branch", keys), None);
    }
}
