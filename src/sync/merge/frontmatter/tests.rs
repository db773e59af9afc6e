//! Merges of whole files, a table of cases and random ones.

use super::*;
use proptest::prelude::*;

const MARKERS: Markers = Markers { size: 7 };

/// A body merge that always conflicts.
fn conflicted_body(_: &[u8], _: &[u8], _: &[u8]) -> (Vec<u8>, bool) {
    (b"<conflict>\n".to_vec(), true)
}

fn merge(base: &str, local: &str, upstream: &str) -> Option<(String, usize)> {
    match merge_skill_md(base.as_bytes(), local.as_bytes(), upstream.as_bytes(), MARKERS, conflicted_body) {
        FrontmatterMerge::Unsplittable => None,
        FrontmatterMerge::Merged { bytes, conflicts } => Some((String::from_utf8(bytes).unwrap(), conflicts)),
    }
}

/// Merges frontmatters below one body, and takes the lines around the merged one away again.
fn merge_yamls(base: &str, local: &str, upstream: &str) -> Option<(String, usize)> {
    let file = |yaml| format!("---\n{yaml}---\nbody\n");
    let (file, conflicts) = merge(&file(base), &file(local), &file(upstream))?;
    Some((file.strip_prefix("---\n").unwrap().strip_suffix("---\nbody\n").unwrap().to_owned(), conflicts))
}

fn clean(yaml: &str) -> Option<(String, usize)> {
    Some((yaml.to_owned(), 0))
}

#[test]
fn neighbouring_keys_changed_on_two_sides_merge() {
    let merged = merge_yamls("name: a\ndescription: b\n", "name: x\ndescription: b\n", "name: a\ndescription: y\n");
    assert_eq!(merged, clean("name: x\ndescription: y\n"));
}

#[test]
fn a_key_changed_on_both_sides_is_a_conflict_in_diff3_layout() {
    let (merged, conflicts) = merge_yamls("a: 1\nb: 1\n", "a: 2\nb: 1\n", "a: 3\nb: 2\n").unwrap();
    assert_eq!(conflicts, 1);
    assert_eq!(merged, "<<<<<<< local\na: 2\n||||||| base\na: 1\n=======\na: 3\n>>>>>>> upstream\nb: 2\n");
}

#[test]
fn markers_have_the_length_and_the_line_ending_asked_for() {
    let file = |yaml: &str| format!("---\r\n{yaml}\r\n---\r\n").into_bytes();
    let merged = merge_skill_md(&file("a: 1"), &file("a: 2"), &file("a: 3"), Markers { size: 3 }, conflicted_body);
    let expected = b"---\r\n<<< local\r\na: 2\r\n||| base\r\na: 1\r\n===\r\na: 3\r\n>>> upstream\r\n---\r\n".to_vec();
    assert_eq!(merged, FrontmatterMerge::Merged { bytes: expected, conflicts: 1 });
}

#[test]
fn a_key_deleted_on_one_side_goes_unless_the_other_changed_it() {
    assert_eq!(merge_yamls("a: 1\nb: 1\nc: 1\n", "a: 1\nc: 1\n", "a: 1\nb: 1\nc: 2\n"), clean("a: 1\nc: 2\n"));
    assert_eq!(merge_yamls("a: 1\nb: 1\nc: 1\n", "a: 1\nb: 1\nc: 2\n", "a: 1\nc: 1\n"), clean("a: 1\nc: 2\n"));
    let (merged, conflicts) = merge_yamls("a: 1\nb: 1\n", "a: 1\n", "a: 1\nb: 2\n").unwrap();
    assert_eq!(conflicts, 1);
    assert_eq!(merged, "a: 1\n<<<<<<< local\n||||||| base\nb: 1\n=======\nb: 2\n>>>>>>> upstream\n");
    assert_eq!(merge_yamls("a: 1\nb: 1\n", "a: 1\nb: 2\n", "a: 1\n").unwrap().1, 1);
}

#[test]
fn an_added_key_stands_behind_the_key_it_follows() {
    assert_eq!(
        merge_yamls("a: 1\nb: 1\n", "l: 1\na: 1\nb: 1\nm: 1\n", "a: 1\nu: 1\nv: 1\nb: 1\nw: 1\n"),
        clean("l: 1\na: 1\nu: 1\nv: 1\nb: 1\nw: 1\nm: 1\n")
    );
    assert_eq!(merge_yamls("a: 1\n", "a: 2\n", "u: 1\na: 1\n"), clean("u: 1\na: 2\n"));
    assert_eq!(merge_yamls("", "a: 1\n", "b: 1\n").unwrap().1, 0);
    assert_eq!(merge_yamls("", "a: 1\n", "a: 2\n").unwrap().1, 1);
}

#[test]
fn the_side_that_moved_keys_decides_their_order() {
    assert_eq!(
        merge_yamls("a: 1\nb: 1\n", "a: 2\nx: 1\nb: 1\n", "b: 1\na: 1\ny: 1\n"),
        clean("b: 1\na: 2\nx: 1\ny: 1\n")
    );
    assert_eq!(merge_yamls("a: 1\nb: 1\n", "b: 1\na: 1\n", "a: 2\nb: 1\ny: 1\n"), clean("b: 1\ny: 1\na: 2\n"));
}

#[test]
fn comments_above_a_key_and_the_lines_below_it_are_its_own() {
    let base = "# top\n\n# on a\na: 1\n\n# on b\nb: >\n  text\n\n  more\n";
    assert_eq!(
        blocks(base.as_bytes()).unwrap().iter().map(|block| block.bytes).collect::<Vec<_>>(),
        [&b"# top\n\n"[..], b"# on a\na: 1\n\n", b"# on b\nb: >\n  text\n\n  more\n"]
    );
    let local = "# TOP\n\na: 1\n\n# on b\nb: >\n  text\n\n  more\n";
    let upstream = "# top\n\n# on a\na: 1\n\n# on B\nb: >\n  text\n\n  more\n";
    assert_eq!(merge_yamls(base, local, upstream), clean("# TOP\n\na: 1\n\n# on B\nb: >\n  text\n\n  more\n"));
}

#[test]
fn what_is_not_understood_is_unsplittable_but_only_if_both_sides_changed_it() {
    for yaml in [
        "a: 1\na: 2\n",
        "just text\n",
        "\"a\": 1\n",
        "{a: 1}\n",
        "? a\n",
        "- a\n",
        "  a: 1\n",
        "a: &x 1\n",
        "a: \"open\nb: still a\"\n",
        "a: 'it''s\nb: x'\n",
        "a: [x,\ny: z]\n",
        "a: {x: y,\nb: z}\n",
        "...\n",
        "a: 1\rb: 1\n",
        "\rb: 1\n",
    ] {
        assert_eq!(merge_yamls(yaml, &format!("{yaml}x: 1\n"), &format!("{yaml}y: 1\n")), None, "{yaml:?}");
        assert_eq!(merge_yamls(yaml, yaml, "u: 1\n"), clean("u: 1\n"), "{yaml:?}");
    }
    assert_eq!(merge("---\na: 1\n---\n", "no frontmatter", "---\na: 1\n---\n"), None);
}

#[test]
fn values_that_are_closed_in_their_block_split() {
    for yaml in [
        "a: \"x: \\\" y\" # \"\nb: 1\n",
        "a: 'it''s'\nb: 1\n",
        "a: [x, \"]\", don't]\nb: 1\n",
        "a: [\n  x, # ]\n]\nb: 1\n",
        "a:\n- x\n- y\nb: 1\n",
        "a: it's \"so\" [\nb: 1\n",
        "a: \"over\n  lines\"\n\nb: 1\n",
    ] {
        assert_eq!(blocks(yaml.as_bytes()).map(|blocks| keys(&blocks)), Some(vec!["", "a", "b"]), "{yaml:?}");
    }
}

#[test]
fn delimiters_and_byte_order_mark_come_from_the_side_that_changed_them() {
    let merged = merge("---\na: 1\n---\nx\n", "\u{FEFF}---\na: 1\n--- \nx\n", "---  \na: 2\n---\nx\n");
    assert_eq!(merged, Some(("\u{FEFF}---  \na: 2\n--- \nx\n".to_owned(), 0)));
}

#[test]
fn a_closing_line_above_a_body_is_a_whole_line() {
    let merged = merge("---\na: 1\n---\nx\n", "---\na: 1\n---", "---\na: 1\n---\ny\n");
    assert_eq!(merged, Some(("---\na: 1\n---\n<conflict>\n".to_owned(), 1)));
    let merged = merge("---\na: 1\n---", "---\na: 2\n---", "---\na: 1\n---\ny\n");
    assert_eq!(merged, Some(("---\na: 2\n---\ny\n".to_owned(), 0)));
}

#[test]
fn converted_line_endings_alone_do_not_conflict() {
    let base = "a: 1\nb: 1\n";
    assert_eq!(merge_yamls(base, "a: 1\r\nb: 1\r\n", "a: 1\nb: 2\n"), clean("a: 1\r\nb: 2\n"));
    assert_eq!(merge_yamls(base, "a: 1\nb: 2\n", "a: 1\r\nb: 2\r\n"), clean("a: 1\r\nb: 2\n"));
    assert_eq!(merge_yamls(base, "a: 1\r\nb: 2\r\n", "a: 1\nb: 3\n").unwrap().1, 1);
}

#[test]
fn allowed_tools_merge_tool_by_tool_in_locals_style() {
    for (base, local, upstream, merged) in [
        ("Read Write", "Read Write Bash(git add:*)", "Read Glob", "Read Bash(git add:*) Glob"),
        ("Read, Write", "Read, Write, Bash", "Read, Write, Grep", "Read, Write, Bash, Grep"),
        ("Read,Write", "Write", "Read,Write,Grep", "Write,Grep"),
        ("\"Read\"", "\"Read Bash(a: b)\"", "Read Grep", "\"Read Bash(a: b) Grep\""),
        ("[Read]", "[\"Read\", \"X\"]", "[Read, Y]", "[\"Read\", \"X\", \"Y\"]"),
        ("[Read]", "[Read, X]", "Read Bash(a, b)", "[Read, X, \"Bash(a, b)\"]"),
        ("Read", "\n  - Read\n  - X", "[Read, 'Y(a: b)']", "\n  - Read\n  - X\n  - \"Y(a: b)\""),
        ("\n- Read\n- Write", "\n- Write", "\n- Read\n- Grep", "\n- Grep"),
        ("\n  - Read\n  - Write", "\n  - Read", "\n  - Write", " []"),
        ("[Read, Write]", "[Read, Write, X]", "[\n  Read,\n  Y,\n]", "[Read, X, Y]"),
        ("Read Write", "Write Read", "Read, Write", "Write Read"),
        ("Read", "Read X", "Read X", "Read X"),
    ] {
        let yaml = |tools: &str| match tools.starts_with(['\n', ' ']) {
            true => format!("allowed-tools:{tools}\n"),
            false => format!("allowed-tools: {tools}\n"),
        };
        assert_eq!(merge_yamls(&yaml(base), &yaml(local), &yaml(upstream)), clean(&yaml(merged)), "{local:?}");
    }
    assert_eq!(merge_yamls("", "allowed-tools: A\n", "allowed-tools: [B, A, B]\n"), clean("allowed-tools: A B\n"));
}

#[test]
fn comments_and_blank_lines_around_tools_merge_too() {
    assert_eq!(
        merge_yamls("# c\nallowed-tools: A\n", "allowed-tools: A B\n", "# c\nallowed-tools: A C\n\n# end\n"),
        clean("allowed-tools: A B C\n\n# end\n")
    );
}

#[test]
fn tools_that_cannot_be_told_apart_are_a_conflict() {
    for (base, local, upstream) in [
        ("A", "A, B C", "A D"),
        ("A", "A Bash(x", "A D"),
        ("A", "A # safe", "A D"),
        ("A", ">-\n  A B", "A D"),
        ("A", "\"A \\\"B\"", "A D"),
        ("[A]", "[\n  A,\n  B\n  ]", "[A, D]"),
        ("[A]", "[A, [B]]", "[A, D]"),
        ("A", "", "A D"),
        ("A", "A B", "{D: E}"),
        ("A", "A\n  B", "A D"),
        ("A", "\n  - A\n  - B # safe", "A D"),
    ] {
        let yaml = |tools: &str| format!("allowed-tools: {tools}\n");
        let merged = merge_yamls(&yaml(base), &yaml(local), &yaml(upstream));
        assert_eq!(merged.map(|(_, conflicts)| conflicts), Some(1), "{local:?}");
    }
}

#[test]
fn the_body_is_merged_only_when_both_sides_changed_it() {
    assert_eq!(
        merge("---\n---\na\n", "---\n---\nb\n", "---\n---\nc\n"),
        Some(("---\n---\n<conflict>\n".to_owned(), 1))
    );
    assert_eq!(merge("---\n---\na\n", "---\n---\nb\n", "---\n---\na\n"), Some(("---\n---\nb\n".to_owned(), 0)));
}

/// A frontmatter of blocks in any order, with values, comments and line endings that differ.
fn any_yaml() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        "[a-c]",
        Just("\"x: y\"".to_owned()),
        Just(">\n  text\n\n  more".to_owned()),
        Just("\n- x\n- y".to_owned()),
        Just("[x,\n  y]".to_owned()),
    ];
    let around = (
        prop_oneof![4 => Just(""), 1 => Just("# c\n"), 1 => Just("# d\n")],
        prop_oneof![4 => Just(""), 1 => Just("\n")],
    );
    let block = (prop::sample::select(vec!["k", "l", "m", "name", "description"]), value, around);
    (proptest::collection::vec(block, 0..5), prop::bool::weighted(0.2)).prop_map(|(blocks, crlf)| {
        let mut seen = Vec::new();
        let mut yaml = String::new();
        for (key, value, (above, below)) in blocks {
            if !seen.contains(&key) {
                seen.push(key);
                yaml += &format!("{above}{key}: {value}\n{below}");
            }
        }
        if crlf { yaml.replace('\n', "\r\n") } else { yaml }
    })
}

fn any_file() -> impl Strategy<Value = String> {
    let line = prop::sample::select(vec!["---\n", "--- \n", "---\r\n"]);
    (prop::sample::select(vec!["", "\u{FEFF}"]), line.clone(), any_yaml(), line, "([ab]\n){0,3}")
        .prop_map(|(bom, opening, yaml, closing, body)| format!("{bom}{opening}{yaml}{closing}{body}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn whoever_changed_alone_gets_all_of_it(b in any_file(), x in any_file()) {
        prop_assert_eq!(merge(&b, &b, &x), Some((x.clone(), 0)));
        prop_assert_eq!(merge(&b, &x, &b), Some((x.clone(), 0)));
        prop_assert_eq!(merge(&b, &x, &x), Some((x.clone(), 0)));
    }

    #[test]
    fn these_frontmatters_split_and_join_up(yaml in any_yaml()) {
        let joined: Vec<u8> = blocks(yaml.as_bytes()).unwrap().iter().flat_map(|block| block.bytes.to_vec()).collect();
        prop_assert_eq!(joined, yaml.into_bytes());
    }

    #[test]
    fn a_clean_merge_keeps_every_line_that_one_side_added(b in any_yaml(), l in any_yaml(), u in any_yaml()) {
        let (merged, conflicts) = merge_yamls(&b, &l, &u).unwrap();
        if conflicts == 0 {
            let has = |text: &str, line: &str| text.lines().any(|other| other == line);
            for line in l.lines().chain(u.lines()).filter(|line| !has(&b, line)) {
                prop_assert!(has(&merged, line), "{:?} is missing in {:?}", line, merged);
            }
        }
    }

    #[test]
    fn a_clean_merge_has_each_key_once_and_splits_again(b in any_yaml(), l in any_yaml(), u in any_yaml()) {
        let (merged, conflicts) = merge_yamls(&b, &l, &u).unwrap();
        if conflicts == 0 {
            let merged = blocks(merged.as_bytes()).expect("blocks join up to blocks");
            for key in keys(&merged) {
                prop_assert!(keys(&blocks(l.as_bytes()).unwrap()).contains(&key) || keys(&blocks(u.as_bytes()).unwrap()).contains(&key));
            }
        }
    }

    #[test]
    fn a_body_change_and_a_frontmatter_change_never_conflict(y1 in any_yaml(), y2 in any_yaml(), b1 in "([ab]\n){0,3}", b2 in "([ab]\n){0,3}") {
        let file = |yaml: &str, body: &str| format!("---\n{yaml}---\n{body}");
        let expected = Some((file(&y2, &b2), 0));
        prop_assert_eq!(merge(&file(&y1, &b1), &file(&y2, &b1), &file(&y1, &b2)), expected.clone());
        prop_assert_eq!(merge(&file(&y1, &b1), &file(&y1, &b2), &file(&y2, &b1)), expected);
    }

    #[test]
    fn tools_are_a_set(
        b in proptest::collection::btree_set(prop::sample::select(vec!["A", "B(x y)", "C", "D:*", "E(a, b)"]), 1..5),
        l in proptest::collection::btree_set(prop::sample::select(vec!["A", "B(x y)", "C", "D:*", "E(a, b)"]), 1..5),
        u in proptest::collection::btree_set(prop::sample::select(vec!["A", "B(x y)", "C", "D:*", "E(a, b)"]), 1..5),
        styles in [0_usize..5, 0_usize..5, 0_usize..5],
    ) {
        let write = |tools: &std::collections::BTreeSet<&str>, style| {
            let tools: Vec<_> = tools.iter().copied().collect();
            let quoted: Vec<_> = tools.iter().map(|tool| format!("'{tool}'")).collect();
            match style {
                0 => format!("allowed-tools: {}\n", tools.join(" ")),
                1 => format!("allowed-tools: '{}'\n", tools.join(", ")),
                2 => format!("allowed-tools: [{}]\n", quoted.join(", ")),
                3 => format!("allowed-tools:\n  - {}\n", quoted.join("\n  - ")),
                _ => format!("allowed-tools:\r\n- {}\r\n", tools.join("\r\n- ")),
            }
        };
        let (merged, conflicts) = merge_yamls(&write(&b, styles[0]), &write(&l, styles[1]), &write(&u, styles[2])).unwrap();
        prop_assert_eq!(conflicts, 0);
        let read = crate::skill::frontmatter::read(format!("---\n{merged}---\n").as_bytes());
        prop_assert_eq!(&read.notes, &[]);
        let mut found = read.allowed_tools.unwrap();
        found.sort();
        let expected: Vec<_> = l.iter().chain(&u).filter(|tool| (l.contains(*tool) && u.contains(*tool)) || !b.contains(*tool))
            .copied().collect::<std::collections::BTreeSet<_>>().into_iter().collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn no_bytes_make_a_merge_panic(sides in proptest::array::uniform3("(a|b|allowed-tools|: |:|\n|- |  |\"|'|\\[|\\]|#|,|\\(|\\)|\\\\|é|\r){0,30}")) {
        let [b, l, u] = sides.map(|yaml| format!("---\n{yaml}\n---\n"));
        merge(&b, &l, &u);
    }
}
