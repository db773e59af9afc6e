//! The rules for a skill's name, and the valid name closest to a directory's.

use unicode_normalization::UnicodeNormalization;

/// The longest `name`, in characters.
pub const NAME_CHARS: usize = 64;

/// Returns whether a skill may be called this: 1 to 64 lowercase letters and digits of any script, with single hyphens between them.
pub fn name_is_valid(name: &str) -> bool {
    name_faults(name).is_empty()
}

/// Returns the valid name closest to a directory's; None when no letter or digit is left.
pub fn name_made_valid(directory: &str) -> Option<String> {
    let mut name = String::new();
    let mut chars = 0;
    let mut after_gap = false;
    for c in normalized(&normalized(directory).to_lowercase()).chars() {
        if !is_name_char(c) {
            after_gap = true;
            continue;
        }
        let hyphen = after_gap && !name.is_empty();
        chars += 1 + usize::from(hyphen);
        if chars > NAME_CHARS {
            break;
        }
        if hyphen {
            name.push('-');
        }
        after_gap = false;
        name.push(c);
    }
    // The letters without a lowercase form, and what cutting can do to a composed one, are left to the rule itself.
    name_is_valid(&name).then_some(name)
}

fn is_name_char(c: char) -> bool {
    c.is_alphanumeric() && c.to_lowercase().eq([c])
}

/// Returns the form in which the reference validator compares names.
pub(super) fn normalized(name: &str) -> String {
    name.nfkc().collect()
}

/// Returns the rules that a name breaks, with what is wrong about it.
pub(super) fn name_faults(name: &str) -> Vec<(&'static str, String)> {
    let name = normalized(name);
    let mut faults = Vec::new();
    let chars = name.chars().count();
    if chars == 0 {
        faults.push(("name-empty", "`name` is empty".to_owned()));
    }
    if chars > NAME_CHARS {
        faults.push(("name-too-long", format!("`name` has {chars} characters; at most {NAME_CHARS} are allowed")));
    }
    if name != name.to_lowercase() {
        faults.push(("name-lowercase", format!("name {name:?} must be lowercase")));
    }
    if name.starts_with('-') || name.ends_with('-') || name.contains("--") {
        faults.push((
            "name-hyphens",
            format!("name {name:?} may have only single hyphens, and only between other characters"),
        ));
    }
    if let Some(wrong) = name.chars().find(|&c| !c.is_alphanumeric() && c != '-') {
        faults.push((
            "name-characters",
            format!("name {name:?} holds {wrong:?}; only letters, digits and hyphens are allowed"),
        ));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_of_any_script_are_valid_as_for_the_reference_validator() {
        for name in ["a", "pdf-2", "2", "überblick", "技能", &"a".repeat(64)] {
            assert!(name_is_valid(name), "{name}");
        }
        for name in ["", "A", "a_b", "a b", "-a", "a-", "a--b", "a.b", "a/b", "Überblick", &"a".repeat(65)] {
            assert!(!name_is_valid(name), "{name}");
        }
    }

    #[test]
    fn a_directory_name_becomes_the_closest_valid_name() {
        for (directory, name) in [
            ("My Skill", Some("my-skill")),
            ("__a--b..c__", Some("a-b-c")),
            ("ﬁle Ü", Some("file-ü")),
            ("...", None),
            ("", None),
            (&format!("{}-b", "a".repeat(63)), Some(&*"a".repeat(63))),
            (&"A".repeat(80), Some(&*"a".repeat(64))),
        ] {
            assert_eq!(name_made_valid(directory).as_deref(), name, "{directory}");
        }
    }

    proptest! {
        #[test]
        fn a_name_made_valid_is_valid_and_stays(directory in "\\PC{0,80}") {
            if let Some(name) = name_made_valid(&directory) {
                prop_assert!(name_is_valid(&name));
                prop_assert_eq!(name_made_valid(&name), Some(name));
            }
        }

        #[test]
        fn a_name_is_made_whenever_an_ascii_letter_or_digit_is_there(directory in "[A-Za-z0-9_. -]{0,80}") {
            let has_any = directory.chars().any(|c| c.is_ascii_alphanumeric());
            prop_assert_eq!(name_made_valid(&directory).is_some(), has_any);
        }
    }
}
