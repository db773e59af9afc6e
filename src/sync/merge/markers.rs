//! Conflict markers that cannot be mistaken for text: longer than any that the merged texts contain.
//!
//! A skill may document conflict markers. The length follows from the three texts alone, so that anyone who has the
//! conflict's ids can tell its markers from such an example.

use crate::git::ByteSlice as _;

/// The length of git's own markers.
const USUAL: usize = 7;

/// Returns the length of markers for a merge of these texts: 7, or one more than the longest that they contain.
pub fn marker_size(texts: &[&[u8]]) -> u8 {
    let runs = texts.iter().flat_map(|text| lines(text)).filter_map(marker_run);
    let size = runs.max().map_or(USUAL, |longest| longest + 1);
    u8::try_from(size).unwrap_or(u8::MAX)
}

/// Tells whether the text has a line that is a marker of that length with its label.
pub fn has_markers(text: &[u8], size: u8) -> bool {
    let size = usize::from(size);
    lines(text).any(|line| match line.first() {
        Some(b'<') => is_marker(line, b'<', size, b" local"),
        Some(b'|') => is_marker(line, b'|', size, b" base"),
        Some(b'>') => is_marker(line, b'>', size, b" upstream"),
        _ => false,
    })
}

fn is_marker(line: &[u8], sign: u8, size: usize, label: &[u8]) -> bool {
    line.strip_suffix(label).is_some_and(|run| run.len() == size && run.iter().all(|byte| *byte == sign))
}

/// Returns the length of the marker that the line begins with, if it could be one.
fn marker_run(line: &[u8]) -> Option<usize> {
    let sign = line.first().copied().filter(|byte| b"<>|".contains(byte))?;
    let run = line.iter().take_while(|byte| **byte == sign).count();
    (run >= USUAL && matches!(line.get(run), None | Some(b' '))).then_some(run)
}

/// Returns the lines without their ends, LF or CRLF.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.lines_with_terminator().map(|line| {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        line.strip_suffix(b"\r").unwrap_or(line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_outgrow_those_in_the_texts() {
        assert_eq!(marker_size(&[b"plain", b""]), 7);
        assert_eq!(marker_size(&[b"<<<<<< six", b"=======\n", b" <<<<<<<", b"<<<<<<<x"]), 7);
        assert_eq!(marker_size(&[b"a\n<<<<<<< HEAD\n", b"b\n>>>>>>>>>\r\n"]), 10);
        assert_eq!(marker_size(&["|".repeat(254).as_bytes()]), 255);
        assert_eq!(marker_size(&["|".repeat(4000).as_bytes()]), 255);
    }

    #[test]
    fn only_our_own_markers_count() {
        for text in ["<<<<<<< local\n", "a\n||||||| base\r\n", ">>>>>>> upstream"] {
            assert!(has_markers(text.as_bytes(), 7), "{text:?}");
            assert!(!has_markers(text.as_bytes(), 8), "{text:?}");
        }
        for text in ["<<<<<<< HEAD\n", " <<<<<<< local\n", "<<<<<<< local \n", "=======\n", ">>>>>>> local\n"] {
            assert!(!has_markers(text.as_bytes(), 7), "{text:?}");
        }
    }
}
