//! Places: of values, of keys, and inside strings.

use super::*;

#[test]
fn keeps_the_place_of_every_key_and_value() {
    let (file, root) = document(
        "# é\nspec:\n  list:\n   - a: \"é\" # c\n   - [1, 2]\n  block: |\n    é\n    x\n\n  none:\n  flow: { \"k\": v }\nlast: b\n",
    );
    let at = |pointer: &str| file.slice(&root.at(pointer).unwrap().span);
    assert_eq!(at("/spec/list/0/a"), "\"é\"");
    assert_eq!(at("/spec/list/0"), "a: \"é\"");
    assert_eq!(at("/spec/list/1"), "[1, 2]");
    assert_eq!(at("/spec/list"), "- a: \"é\" # c\n   - [1, 2]");
    assert_eq!(at("/spec/block"), "é\n    x");
    assert_eq!(at("/spec/none"), "");
    assert_eq!(at("/spec/flow"), "{ \"k\": v }");
    assert_eq!(at("/last"), "b");
    assert_eq!(file.slice(&root.entry("/spec/flow/k").unwrap().key_span), "\"k\"");
    assert_eq!(file.slice(&root.entry("/spec/list").unwrap().key_span), "list");
    assert_eq!(root.at("/spec/nothing"), None);
    assert_eq!(root.at("spec"), None);
    assert_eq!(root.at("").unwrap(), &root);
    // As far as the way exists.
    assert_eq!(file.slice(&root.place("/spec/list/7/x")), at("/spec/list"));
    let (_, odd) = document("a/b: {c~d: [1]}");
    assert_eq!(odd.at("/a~1b/c~0d/0").unwrap().kind, Kind::Int(1));
}

#[test]
fn keeps_places_in_json() {
    let (file, root) = document("{\"é\": {\"k\": [1, \"x\\n\"]}, \"n\" : null}");
    assert_eq!(file.slice(&root.place("/é/k/1")), "\"x\\n\"");
    assert_eq!(file.slice(&root.entry("/n").unwrap().key_span), "\"n\"");
    assert_eq!(file.slice(&root.place("/n")), "null");
    let Kind::String(text) = &root.at("/é/k/1").unwrap().kind else { panic!() };
    assert_eq!(file.slice(&text.raw_range(&file, 1..2)), "\\n");
}

#[test]
fn gives_what_an_alias_names_the_place_of_its_definition() {
    let (file, root) = document("a: &x {k: v}\nb: *x\nc: {<<: *x, j: 1}\n");
    assert_eq!(root.at("/b").unwrap().span, root.at("/a").unwrap().span);
    assert_eq!(file.position(root.place("/c/k").start).line, 1);
}

/// For each case the decoded text, a part of it, and the raw text of that part.
#[test]
fn carries_places_inside_strings_into_the_file() {
    let cases = [
        ("a: plain text\n", "text", "text"),
        ("a: one\n  two\n\n  three\n", "two\nthree", "two\n\n  three"),
        ("a: one\n  two\n", "e t", "e\n  t"),
        ("a: 'it''s é'\n", "'s é", "''s é"),
        ("a: 'it''s'\n", "s", "s"),
        ("a: \"x\\u00e9\\ty\"\n", "é\ty", "\\u00e9\\ty"),
        ("a: \"\\ud83d\\ude00z\"\n", "😀", "\\ud83d\\ude00"),
        ("a: \"one \\\n  two\"\n", "two", "two"),
        ("a: \"one\n\n  two\"\n", "\n", "\n\n  "),
        ("a: |\n  object.x &&\n    object.y\n", "object.y", "object.y"),
        ("a: |\n  object.x &&\n    object.y\n", "&&\n  object.y", "&&\n    object.y"),
        ("a: |\n\n\n  é\n  x\n", "x", "x"),
        ("- |2\n   x\n  y\n", " x\ny", " x\n  y"),
        ("a: |\r\n  x\r\n  y\r\n", "x\ny", "x\r\n  y"),
        ("a: >-\n  one\n  two\n\n  three\n    four\n  five\n", "three\n  four\nfive", "three\n    four\n  five"),
        ("a: >-\n  one\n  two\n\n  three\n", "two\nthree", "two\n\n  three"),
        ("a: >\n\n  one\n  two\n", "two", "two"),
        ("a: !!binary aGk=\n", "i", "aGk="),
    ];
    for (yaml, part, raw) in cases {
        let (file, root) = document(yaml);
        let Some(Spanned { kind: Kind::String(text), .. }) = root.at("/a").or(root.at("/0")) else {
            panic!("{yaml:?}")
        };
        let at = text.value.rfind(part).unwrap_or_else(|| panic!("{:?} in {:?}", part, text.value));
        assert_eq!(file.slice(&text.raw_range(&file, at..at + part.len())), raw, "{yaml:?}");
    }
}

#[test]
fn carries_empty_places_and_the_end() {
    for (yaml, at, column) in [("a: 'bc'\n", 1, 6), ("a: 'bc'\n", 2, 7), ("a: ''\n", 0, 5), ("a: bc\n", 99, 6)] {
        let (file, root) = document(yaml);
        let Some(Spanned { kind: Kind::String(text), .. }) = root.at("/a") else { panic!("{yaml:?}") };
        let range = text.raw_range(&file, at..at);
        assert!(range.is_empty(), "{yaml:?}");
        assert_eq!(file.position(range.start).column, column, "{yaml:?}");
    }
}
