//! Gives a SKILL.md another `name`, all other bytes as they were: a skill that is taken in under another name is one whose
//! name equals its directory again.

use super::frontmatter;

/// Returns the SKILL.md with `name` as its name; none where it says no name on a line of its own.
pub fn with_name(skill_md: &[u8], name: &str) -> Option<Vec<u8>> {
    let line = *frontmatter::read(skill_md).lines.get("name")?;
    let mut lines: Vec<&[u8]> = skill_md.split_inclusive(|byte| *byte == b'\n').collect();
    let old = lines.get(line - 1)?;
    let ending = if old.ends_with(b"\r\n") { "\r\n" } else { "\n" };
    let new = format!("name: {name}{ending}");
    lines[line - 1] = new.as_bytes();
    let changed = lines.concat();
    // A name over several lines, or one that the rest of the YAML refers to, is left to a person.
    let (before, after) = (frontmatter::read(skill_md), frontmatter::read(&changed));
    let same = after.lines == before.lines && after.description == before.description && after.notes == before.notes;
    (same && after.name.as_deref() == Some(name)).then_some(changed)
}

#[cfg(test)]
mod tests {
    use super::with_name;

    #[test]
    fn only_the_line_of_the_name_changes() {
        let new = |text: &str| with_name(text.as_bytes(), "new").map(|text| String::from_utf8(text).expect("UTF-8"));
        let text = "---\ndescription: d\nname: old # why\n---\n\nname: old\n";
        assert_eq!(new(text).expect("changed"), "---\ndescription: d\nname: new\n---\n\nname: old\n");
        assert_eq!(new("---\r\nname: 'old'\r\n---\r\n").expect("changed"), "---\r\nname: new\r\n---\r\n");
        for left_alone in ["# no frontmatter\n", "---\ndescription: d\n---\n", "---\nname: >\n  old\n---\n"] {
            assert_eq!(new(left_alone), None, "{left_alone}");
        }
    }
}
