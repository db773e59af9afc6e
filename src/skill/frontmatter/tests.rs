//! Reading against what real files say and get wrong.

use super::*;
use proptest::prelude::*;

fn kinds(frontmatter: &Frontmatter) -> Vec<NoteKind> {
    frontmatter.notes.iter().map(|note| note.kind).collect()
}

fn read_yaml(yaml: &str) -> Frontmatter {
    read(format!("---\n{yaml}\n---\nbody\n").as_bytes())
}

#[test]
fn without_both_lines_there_is_no_frontmatter() {
    for file in ["", "text", "---", "---\nname: a\n", "\n---\nname: a\n---\n", "----\n---\n", "---\nname: a\n...\n"] {
        assert_eq!(split(file.as_bytes()), None, "{file:?}");
        assert_eq!(kinds(&read(file.as_bytes())), [NoteKind::NoFrontmatter], "{file:?}");
    }
}

#[test]
fn every_field_of_the_spec_is_read() {
    let read = read_yaml(
        "name: deploy\ndescription: >-\n  Deploys\n  things.\nlicense: MIT\ncompatibility: git\nmetadata:\n  version: \"1.4.0\"\nallowed-tools: Read Bash(git add:*)",
    );
    assert_eq!(read.notes, []);
    assert_eq!(read.name.as_deref(), Some("deploy"));
    assert_eq!(read.description.as_deref(), Some("Deploys things."));
    assert_eq!(read.license.as_deref(), Some("MIT"));
    assert_eq!(read.compatibility.as_deref(), Some("git"));
    assert_eq!(read.version.as_deref(), Some("1.4.0"));
    assert_eq!(read.allowed_tools, Some(vec!["Read".to_owned(), "Bash(git add:*)".to_owned()]));
    assert_eq!(read.lines["metadata"], 8);
    assert_eq!(read.unknown, []);
}

#[test]
fn unknown_keys_are_kept_with_their_lines() {
    let read = read_yaml("name: a\nversion: 1.10\nuser-invocable: true");
    assert_eq!(read.unknown, [("version".to_owned(), 3), ("user-invocable".to_owned(), 4)]);
    assert_eq!(read.version.as_deref(), Some("1.10"));
}

#[test]
fn a_top_level_version_goes_before_the_one_in_metadata() {
    let read = read_yaml("version: '2'\nmetadata:\n  version: '1'");
    assert_eq!(read.version.as_deref(), Some("2"));
}

#[test]
fn scalars_that_are_no_text_are_read_as_they_are_spelled() {
    let read = read_yaml(
        "name: 0x1F\ndescription: true\nlicense: 1e3\ncompatibility: on\nmetadata:\n  version: 1.10\n  x: .nan",
    );
    assert_eq!(read.name.as_deref(), Some("0x1F"));
    assert_eq!(read.description.as_deref(), Some("true"));
    assert_eq!(read.license.as_deref(), Some("1e3"));
    assert_eq!(read.compatibility.as_deref(), Some("on"));
    assert_eq!(read.metadata["version"], "1.10");
    assert_eq!(read.metadata["x"], ".nan");
    assert_eq!(kinds(&read), [NoteKind::NotText; 5]);
}

#[test]
fn an_alias_is_read_as_its_anchor_is_spelled() {
    let read = read_yaml("version: &v 1.10\nname: *v");
    assert_eq!((read.name.as_deref(), read.version.as_deref()), (Some("1.10"), Some("1.10")));
}

#[test]
fn wrong_types_are_notes() {
    let read = read_yaml("name: [a]\ndescription:\n  b: c\nmetadata: text\nallowed-tools: {a: b}\nlicense:");
    assert_eq!(kinds(&read), [NoteKind::WrongType; 4]);
    assert_eq!(read.notes.iter().map(|note| note.line.unwrap()).collect::<Vec<_>>(), [2, 3, 5, 6]);
    assert_eq!((read.name, read.description, read.license, read.allowed_tools), (None, None, None, None));
    let read = read_yaml("metadata:\n  tags: [a]\n  author: me\nallowed-tools:\n  - Read\n  - [x]\n  - 1");
    assert_eq!(kinds(&read), [NoteKind::WrongType; 2]);
    assert_eq!(read.metadata, BTreeMap::from([("author".to_owned(), "me".to_owned())]));
    assert_eq!(read.allowed_tools, Some(vec!["Read".to_owned(), "1".to_owned()]));
}

#[test]
fn of_duplicate_keys_the_last_one_counts() {
    let read = read_yaml("name: a\nname: b\ndescription: d");
    assert_eq!(kinds(&read), [NoteKind::DuplicateKey]);
    assert_eq!(read.notes[0].line, Some(3));
    assert_eq!((read.name.as_deref(), read.description.as_deref()), (Some("b"), Some("d")));
    assert_eq!(read.lines["name"], 3);
}

#[test]
fn invalid_yaml_costs_only_the_broken_key() {
    let read =
        read_yaml("name: a\ndescription: Use when: it rains\nmetadata:\n  version: '3'\nallowed-tools:\n  - Read");
    assert_eq!(kinds(&read), [NoteKind::InvalidYaml]);
    assert_eq!(read.notes[0].line, Some(3), "{:?}", read.notes);
    assert!(!read.notes[0].message.contains("line"), "{:?}", read.notes);
    assert_eq!(read.name.as_deref(), Some("a"));
    assert_eq!(read.description.as_deref(), Some("Use when: it rains"));
    assert_eq!(read.version.as_deref(), Some("3"));
    assert_eq!(read.allowed_tools, Some(vec!["Read".to_owned()]));
    assert_eq!(read.lines["allowed-tools"], 6);
}

#[test]
fn duplicates_are_noticed_in_invalid_yaml_too() {
    let read = read_yaml("name: a\nname: b\ndescription: x: y");
    assert_eq!(kinds(&read), [NoteKind::DuplicateKey, NoteKind::InvalidYaml]);
    assert_eq!(read.name.as_deref(), Some("b"));
}

#[test]
fn a_frontmatter_without_keys_is_a_note() {
    assert_eq!(kinds(&read_yaml("- a\n- b")), [NoteKind::NotAMapping]);
    assert_eq!(kinds(&read_yaml("just text")), [NoteKind::NotAMapping]);
    assert_eq!(kinds(&read_yaml("# only a comment")), []);
    assert_eq!(kinds(&read(b"---\n---\n")), []);
}

#[test]
fn bytes_that_are_no_utf8_are_read_lossily() {
    let read = read(b"---\nname: a\ndescription: caf\xE9\nversion: 1.10\n---\n");
    assert_eq!(kinds(&read), [NoteKind::NotUtf8, NoteKind::NotText]);
    assert_eq!(read.notes[0].line, Some(3));
    assert_eq!(read.description.as_deref(), Some("caf\u{FFFD}"));
    assert_eq!(read.version.as_deref(), Some("1.10"));
}

#[test]
fn a_byte_order_mark_and_crlf_do_not_hide_the_frontmatter() {
    let read = read(b"\xEF\xBB\xBF---\r\nname: a\r\ndescription: |\r\n  x\r\n  y\r\n---\r\n");
    assert_eq!(kinds(&read), [NoteKind::ByteOrderMark]);
    assert_eq!((read.name.as_deref(), read.description.as_deref()), (Some("a"), Some("x\ny\n")));
}

#[test]
fn a_yaml_bomb_is_refused() {
    let mut yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let alias = format!("*a{}", level - 1);
        yaml += &format!("a{level}: &a{level} [{}]\n", [alias.as_str(); 9].join(", "));
    }
    let read = read_yaml(&format!("name: a\n{yaml}"));
    assert!(kinds(&read).contains(&NoteKind::InvalidYaml));
    assert_eq!(read.name.as_deref(), Some("a"));
    let deep = read_yaml(&format!("name: {}", "[".repeat(100_000)));
    assert!(kinds(&deep).contains(&NoteKind::InvalidYaml));
    let scalar = format!("a: &a {}\nb: [{}]", "x".repeat(200_000), ["*a"; 2000].join(","));
    assert!(kinds(&read_yaml(&scalar)).contains(&NoteKind::InvalidYaml));
}

#[test]
fn tools_are_split_outside_parentheses_only() {
    assert_eq!(tools("Read, Bash(git add:*, git rm:*) Write"), ["Read", "Bash(git add:*, git rm:*)", "Write"]);
    assert_eq!(tools(" "), Vec::<String>::new());
}

proptest! {
    #[test]
    fn no_bytes_make_reading_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        read(&bytes);
        read(&[b"---\n", &bytes[..], b"\n---\n"].concat());
    }

    #[test]
    fn no_yaml_like_text_makes_reading_panic(yaml in "([a-c]{1,2}|[-:?#&*!|>'\"%@,{}\\[\\] \\n\\t~<é0-9.]|: |\\n  ){0,60}") {
        let read = read_yaml(&yaml);
        prop_assert!(read.notes.iter().all(|note| note.line.is_some_and(|line| line >= 1)));
    }
}
