//! Where cel-go's limits are, and what hostile texts take.

use std::time::{Duration, Instant};

use super::super::{MAX_BYTES, MAX_DEPTH, MAX_EXPRESSIONS, ParseOptions, parse, print};
use super::parsed;

/// The message of the only problem, or `accepted`.
fn outcome(text: &str) -> String {
    match parse(text, &ParseOptions::default()) {
        Ok(_) => "accepted".to_owned(),
        Err(problems) => problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>().join("; "),
    }
}

const LEVELS: &str = "the expression is nested too deeply, at most 250 levels are accepted";

/// The numbers are cel-go's own.
#[test]
fn counts_levels_as_upstream_does() {
    let around = |open: &str, close: &str, times: usize| format!("{}1{}", open.repeat(times), close.repeat(times));
    let after = |first: &str, next: &str, times: usize| format!("{first}{}", next.repeat(times));
    for (last, one_more) in [
        (around("(", ")", 249), around("(", ")", 250)),
        (around("[", "]", 249), around("[", "]", 250)),
        (around("{1: ", "}", 249), around("{1: ", "}", 250)),
        (around("f(", ")", 249), around("f(", ")", 250)),
        (around("-(", ")", 249), around("-(", ")", 250)),
        (around("1 + 2 * (", ")", 83), around("1 + 2 * (", ")", 84)),
        (around("1 * 2 + (", ")", 124), around("1 * 2 + (", ")", 125)),
        (around("1 < (", ")", 124), around("1 < (", ")", 125)),
        (around("a ? b : ", "", 249), around("a ? b : ", "", 250)),
        (around("a[", "]", 249), around("a[", "]", 250)),
        (around("a.all(x, ", ")", 249), around("a.all(x, ", ")", 250)),
        (after("a", ".a", 250), after("a", ".a", 251)),
        (after("a", ".f()", 250), after("a", ".f()", 251)),
        (after("a", "[0]", 250), after("a", "[0]", 251)),
        (after("1", "+1", 250), after("1", "+1", 251)),
        (after("1", "<1", 250), after("1", "<1", 251)),
        (after("a.all(x, a", ".a", 249) + ")", after("a.all(x, a", ".a", 250) + ")"),
    ] {
        assert_eq!(outcome(&last), "accepted", "{last}");
        assert_eq!(outcome(&one_more), LEVELS, "{one_more}");
    }
}

#[test]
fn chains_of_logical_operators_have_one_level() {
    for chain in [" && a", " || a"] {
        let ast = parsed(&format!("a{}", chain.repeat(MAX_BYTES / 5 - 1)));
        assert_eq!(ast.len(), MAX_BYTES / 5 + 1);
        let mut parts = 0;
        ast.get(ast.root()).unwrap().kind.for_each_part(|_| parts += 1);
        assert_eq!(parts, MAX_BYTES / 5);
    }
}

#[test]
fn refuses_longer_texts() {
    assert_eq!(outcome(&" ".repeat(MAX_BYTES - 1).replacen(' ', "1 ", 1)), "accepted");
    assert_eq!(outcome(&" ".repeat(MAX_BYTES + 1)), "the expression has 65537 bytes, at most 65536 are accepted");
}

/// cel-go has no such bound; nobody writes it.
#[test]
fn refuses_trees_that_macros_make_deeper_than_what_walks_them_bears() {
    let deep = |times: usize| format!("{}1{}", "a || a && !a.map(x, p, ".repeat(times), ")".repeat(times));
    assert_eq!(outcome(&deep(142)), "accepted");
    let message =
        format!("the expression is nested too deeply with its macros, at most {MAX_DEPTH} levels are accepted");
    assert_eq!(outcome(&deep(143)), message);
}

/// cel-go has no such bound, and runs out of memory.
#[test]
fn refuses_chains_of_opt_map_that_double_without_end() {
    let chain = |times: usize| format!("a{}", ".optMap(x, x)".repeat(times));
    assert!(parsed(&chain(12)).len() > 1 << 12);
    let message = format!("the expression is too large with its macros, at most {MAX_EXPRESSIONS} parts are accepted");
    assert_eq!(outcome(&chain(40)), message);
}

#[test]
fn hostile_texts_take_neither_stack_nor_time() {
    let parts = [
        "(",
        "[",
        "{",
        "f(",
        "a.f(",
        "a[",
        "{1:",
        "T{f:",
        "a?",
        "a?b:",
        "1+",
        "1+1*",
        "a&&",
        "a||b&&",
        "!",
        "-",
        "- ",
        "a.",
        "a.?",
        ".",
        ",",
        "[,",
        "(,",
        ")",
        "]",
        "a.all(x,",
        "a.all(x,x).",
        "'",
        "'''",
        "\"",
        "r'",
        "b'\\",
        "'\\u",
        "\\",
        "`",
        "$",
        "/",
        "//",
        "1",
        "1.",
        "1e",
        "0x",
        "in",
        " in ",
        "a in ",
        "=",
        "&",
        "|",
        "\u{e9}",
        "\0",
        "a b ",
        "(a b)",
        "[a b,",
        "((a b),",
        "a.optMap(x,x)",
        "if",
        "if(",
        "\\'",
        "''",
        "[][",
        "()(",
        "{}{",
        "a{",
        "a.a{",
        "a.in",
        "[?",
        "{?",
        "?",
        ":",
    ];
    for part in parts {
        for end in ["", "1)"] {
            let text = part.repeat((MAX_BYTES - end.len()) / part.len()) + end;
            let start = Instant::now();
            if let Ok(ast) = parse(&text, &ParseOptions::default()) {
                let printed = print(&ast);
                assert!(printed.len() > MAX_BYTES || print(&parsed(&printed)) == printed, "{part}");
            }
            assert!(start.elapsed() < Duration::from_secs(3), "{part} takes {:?}", start.elapsed());
        }
    }
}
