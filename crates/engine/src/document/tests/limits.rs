//! What a hostile file costs: nothing much, and an error with its place.

use std::fmt::Write;

use super::*;

fn problems(text: &str, limits: &Limits) -> Vec<String> {
    lines(&parse(&SourceFile::new("f.yaml", text), limits).problems)
}

#[test]
fn rejects_files_that_are_too_large() {
    let limits = Limits { bytes: 4, ..Limits::default() };
    assert_eq!(problems("a: 12", &limits), ["f.yaml:1:1: error: the file has 5 bytes, at most 4 are read"]);
    assert_eq!(problems("a: 1", &limits), [""; 0]);
}

#[test]
fn rejects_what_is_nested_too_deep() {
    let limits = Limits { depth: 3, ..Limits::default() };
    let too_deep = |place: &str| vec![format!("f.yaml:{place}: error: lists and maps are nested deeper than 3 levels")];
    assert_eq!(problems("[[[1]]]", &limits), [""; 0]);
    assert_eq!(problems("[[[[1]]]]", &limits), too_deep("1:4"));
    assert_eq!(problems("a:\n  b:\n    c:\n      d: 1", &limits), too_deep("4:7"));
    assert_eq!(problems("{\"a\": {\"b\": {\"c\": {}}}}", &limits), too_deep("1:19"));
    assert_eq!(problems("a: &x [[1]]\nb: [*x]", &limits), too_deep("2:5"));
    // The next document is read all the same.
    let parsed = parse(&SourceFile::new("f.yaml", "[[[[1]]]]\n---\na: 1\n"), &limits);
    assert_eq!(values(&parsed), [serde_json::json!({"a": 1})]);
}

#[test]
fn survives_a_hundred_thousand_open_brackets() {
    for open in ["[", "{a: ", "{\"a\":", "- ", "? ", "- - "] {
        let text = open.repeat(100_000);
        let found = problems(&text, &Limits::default());
        assert_eq!(found.len(), 1, "{open}");
        let known = ["nested deeper than 100 levels", "unclosed bracket", "EOF while parsing"];
        assert!(known.iter().any(|known| found[0].contains(known)), "{found:?}");
    }
    let whole = "{\"a\":".repeat(10_000) + "1" + &"}".repeat(10_000);
    assert_eq!(problems(&whole, &Limits::default()).len(), 1);
}

#[test]
fn rejects_aliases_that_multiply() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let _ = writeln!(bomb, "a{level}: &a{level} [{}]", vec![format!("*a{}", level - 1); 10].join(", "));
    }
    let limits = Limits { nodes: 50_000, ..Limits::default() };
    let found = problems(&bomb, &limits);
    assert_eq!(found, ["f.yaml:5:20: error: the file holds more than 50000 values when its aliases are expanded"]);
    // Few values, but each is long.
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), vec!["*a"; 100].join(", "));
    assert_eq!(problems(&long, &limits).len(), 1);
    // The same through merges.
    let fields: Vec<String> = (0..1000).map(|field| format!("f{field}: 1")).collect();
    let merges = format!("a: &a {{{}}}\nb: [{}]\n", fields.join(", "), vec!["{<<: *a}"; 100].join(", "));
    assert_eq!(problems(&merges, &limits).len(), 1);
}

#[test]
fn rejects_an_alias_inside_its_own_anchor() {
    assert_eq!(
        problems("a: &x [1, *x]", &Limits::default()),
        ["f.yaml:1:11: error: an alias stands inside the value that it names"]
    );
}

#[test]
fn finds_duplicates_among_many_keys() {
    let mut text = String::new();
    for key in 0..20_000 {
        let _ = writeln!(text, "k{key}: 1");
    }
    text.push_str("k17: 2\n");
    assert_eq!(problems(&text, &Limits::default()), ["f.yaml:20001:1: error: duplicate key `k17`"]);
}

#[test]
fn keeps_the_list_of_problems_short() {
    let found = problems(&"a: 1\n".repeat(5000), &Limits::default());
    assert_eq!(found.len(), 1001);
    assert_eq!(found[1000], "f.yaml:1001:1: error: the file has 1000 problems, the rest of it is not read");
}
