//! What holds for any input.

use std::fmt::Write;

use proptest::prelude::*;
use serde_json::{Map as Object, Value, json};

use super::*;

fn check_spans(file: &SourceFile, node: &Spanned) -> Result<(), TestCaseError> {
    let inside = |span: &std::ops::Range<usize>| file.text().get(span.clone()).is_some();
    prop_assert!(inside(&node.span), "{:?}", node.span);
    match &node.kind {
        Kind::List(items) => items.iter().try_for_each(|item| check_spans(file, item))?,
        Kind::Map(map) => {
            for entry in &map.entries {
                prop_assert!(inside(&entry.key_span));
                check_spans(file, &entry.value)?;
            }
        }
        Kind::String(text) => check_offsets(file, text)?,
        _ => {}
    }
    Ok(())
}

/// Each character of a decoded string is written as itself, as an escape, or as a break with blanks around it.
fn check_offsets(file: &SourceFile, text: &Text) -> Result<(), TestCaseError> {
    let mut before = 0;
    for (at, character) in text.value.char_indices() {
        let range = text.raw_range(file, at..at + character.len_utf8());
        let raw = file.text().get(range.clone());
        prop_assert!(raw.is_some(), "{:?} in {:?}", range, file.text());
        let raw = raw.unwrap_or_default();
        if text.style == offsets::Style::Opaque || text.value.trim_matches('\n').is_empty() {
            continue;
        }
        let fits = raw.starts_with(character)
            || raw.starts_with('\\')
            || raw == "''"
            || matches!(character, ' ' | '\n')
                && raw.trim().is_empty()
                && (!raw.is_empty() || range.end == text.raw.end);
        prop_assert!(fits, "{:?} written as {:?} in {:?}", character, raw, file.text());
        prop_assert!(range.start >= before, "{:?} goes back in {:?}", character, file.text());
        before = range.start;
    }
    Ok(())
}

fn check(text: &str) -> Result<(), TestCaseError> {
    let (file, parsed) = read(text);
    for problem in &parsed.problems {
        prop_assert!(file.text().get(problem.place.span.clone()).is_some());
        problem.render(Paint::Plain);
    }
    parsed.documents.iter().try_for_each(|document| check_spans(&file, document))
}

/// YAML in block style, each string as JSON writes it.
fn to_yaml(value: &Value, indent: usize, out: &mut String) {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                let _ = write!(out, "\n{pad}{}:", Value::from(key.as_str()));
                to_yaml(value, indent + 2, out);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                let _ = write!(out, "\n{pad}-");
                to_yaml(item, indent + 2, out);
            }
        }
        plain => {
            let _ = write!(out, " {plain}");
        }
    }
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        // Whole floats become integers in YAML.
        any::<f64>().prop_filter("finite", |x| x.is_finite() && x.fract() != 0.0).prop_map(Value::from),
        "[ -~\u{e9}\u{1F600}\\n\\t\"]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec(("[ -~\u{e9}\\n]{0,8}", inner), 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Object<_, _>>())),
        ]
    })
}

/// One scalar in any of the five notations, well formed more often than not.
fn scalar() -> impl Strategy<Value = String> {
    let line = "[a-c \u{e9}'\"#:]{0,6}[a-c\u{e9}]?";
    let header = prop::sample::select(vec!["|", "|-", "|+", "|2", ">", ">-", ">+", ">2", "> # c"]);
    let lines = prop::collection::vec((0usize..3, line), 0..7);
    let eol = prop::sample::select(vec!["\n", "\r\n"]);
    let block = (header, lines, eol.clone()).prop_map(|(header, lines, eol)| {
        lines.iter().fold(format!("k: {header}{eol}"), |text, (more, line)| text + &" ".repeat(2 + more) + line + eol)
    });
    let flow = (
        prop::sample::select(vec!["", "'", "\""]),
        prop::collection::vec("([a-c \u{e9}\\t]|''|\\\\n|\\\\u00e9|\\\\\\\\|\\\\x41|\\\\ ){0,5}(\\\\)?", 0..6),
        eol,
    )
        .prop_map(|(quote, lines, eol)| format!("k: {quote}a{}{quote}{eol}", lines.join(&format!("{eol}  "))));
    prop_oneof![block, flow]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn keeps_calm_on_any_text(text in any::<String>()) {
        check(&text)?;
    }

    #[test]
    fn keeps_calm_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        match SourceFile::from_bytes("f.yaml", bytes) {
            Ok(file) => check(file.text())?,
            Err(error) => { error.render(Paint::Plain); }
        }
    }

    #[test]
    fn keeps_spans_inside_on_text_that_is_nearly_yaml(
        text in "([a-c\u{e9}]|[ ]{1,2}|\n {0,4}|\n {0,4}- |\r\n|: |\\? |- |\\[|\\]|\\{|\\}|, |'|\"|\\||>|#|&a |\\*a|!!str |<<: |---\n|\\\\|[0-9]|\t){0,30}"
    ) {
        check(&text)?;
        check(&format!("{{\"a\":{text}"))?;
    }

    #[test]
    fn finds_each_character_of_a_scalar_in_the_file(text in scalar()) {
        check(&text)?;
    }

    #[test]
    fn reads_back_what_was_written(value in json_value()) {
        let value = json!({ "v": value });
        let (_, root) = document(&value.to_string());
        prop_assert_eq!(root.to_value(), value.clone());
        let (_, root) = document(&serde_json::to_string_pretty(&value).unwrap());
        prop_assert_eq!(root.to_value(), value.clone());
        let mut yaml = String::from("---");
        to_yaml(&value, 0, &mut yaml);
        let (_, root) = document(&yaml);
        prop_assert_eq!(root.to_value(), value.clone(), "{}", yaml);
        // And serde reads the same value from the tree.
        prop_assert_eq!(from_tree::<Value>(&root).unwrap(), value);
    }
}
