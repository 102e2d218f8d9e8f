//! Which texts are expressions, and what they mean. The outcomes are cel-go's.

use super::super::super::error::Phase;
use super::super::{ParseOptions, parse, print};
use super::{parsed, part, problems, tree};
use crate::corpora;

#[test]
fn reads_operators_by_precedence_and_from_the_left() {
    for (text, expected) in [
        ("a + b * c - d", "(_-_ (_+_ a (_*_ b c)) d)"),
        ("a - b - c", "(_-_ (_-_ a b) c)"),
        ("a / b % c", "(_%_ (_/_ a b) c)"),
        ("a < b == c in d", "(@in (_==_ (_<_ a b) c) d)"),
        ("a != b >= c", "(_>=_ (_!=_ a b) c)"),
        ("a && b || c && d || e", "(_||_ (_&&_ a b) (_&&_ c d) e)"),
        ("(a && b) && c", "(_&&_ (_&&_ a b) c)"),
        ("a && (b && c)", "(_&&_ a (_&&_ b c))"),
        ("a ? b : c ? d : e", "(_?_:_ a b (_?_:_ c d e))"),
        ("a || b ? c || d : e", "(_?_:_ (_||_ a b) (_||_ c d) e)"),
        ("!a.b[c].d(e)", "(!_ (.d (_[_] (. a b) c) e))"),
        ("!!a", "a"),
        ("!!!a", "(!_ a)"),
        ("-a + -b", "(_+_ (-_ a) (-_ b))"),
        ("- - a", "a"),
        ("a--1", "(_-_ a -1)"),
        ("a -1", "(_-_ a 1)"),
    ] {
        assert_eq!(tree(text), expected, "{text}");
    }
}

#[test]
fn the_sign_belongs_to_a_number_that_follows_it() {
    for (text, expected) in [
        ("-1", "-1"),
        ("- 1", "-1"),
        ("--1", "1"),
        ("---1", "(-_ 1)"),
        ("-(1)", "(-_ 1)"),
        ("-(-1)", "(-_ -1)"),
        ("-1.f()", "(.f -1)"),
        ("-1u", "(-_ 1u)"),
        ("-.5", "dbfe0000000000000"),
        ("-0.0", "d8000000000000000"),
        ("!-1", "(!_ -1)"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("-0x8000000000000000", "-9223372036854775808"),
    ] {
        assert_eq!(tree(text), expected, "{text}");
    }
}

#[test]
fn reads_constants() {
    for (text, expected) in [
        ("007", "7"),
        ("0xFf", "255"),
        ("0xFfU", "255u"),
        ("18446744073709551615u", "18446744073709551615u"),
        ("1.5e-3", "d3f589374bc6a7efa"),
        ("1E3", "d408f400000000000"),
        ("1e-400", "d0000000000000000"),
        ("null", "null"),
        (r"'\a\b\f\n\r\t\v\\\'\x22\?\`'", "s07080c0a0d090b5c27223f60"),
        (r#""\u00e9\U0001F600\351\xe9é""#, "sc3a9f09f9880c3a9c3a9c3a9"),
        (r"b'\351\xe9é'", "be9e9c3a9"),
        (r"r'\n\'", "s5c6e5c"),
        (r"bR'\n'", "b5c6e"),
        ("''", "s"),
        ("''''''", "s"),
        ("'''a\r\nb\r'c'''", "s610a620a2763"),
        ("r\"\"\"\\\"\"\"", "s5c"),
        ("'\u{1F600}'", "sf09f9880"),
    ] {
        assert_eq!(tree(text), expected, "{text}");
    }
}

#[test]
fn reads_names_calls_lists_maps_and_structs() {
    for (text, expected) in [
        (".a.b", "(. .a b)"),
        ("a.namespace", "(. a namespace)"),
        ("a.if()", "(.if a)"),
        ("a. ? b", "(_?._ a s62)"),
        ("a[?b]", "(_[?_] a b)"),
        (".f(a)", "(.f a)"),
        ("1.e5", "(. 1 e5)"),
        ("[]", "[]"),
        ("[,]", "[]"),
        ("[a, ?b,]", "[a ?b]"),
        ("{}", "{}"),
        ("{,}", "{}"),
        ("{a ? b : c : d, ?e: f,}", "{(_?_:_ a b c):d ?e:f}"),
        ("a.b{}", "a.b{}"),
        (".a.b{c: d, ?namespace: e,}", ".a.b{c:d ?namespace:e}"),
        ("namespace{,}", "namespace{}"),
        ("T{}.a", "(. T{} a)"),
        ("a?.b:.5", "(_?_:_ a .b d3fe0000000000000)"),
        ("a // b\n\u{c}\t+ c // d", "(_+_ a c)"),
    ] {
        assert_eq!(tree(text), expected, "{text}");
    }
}

#[test]
fn refuses_what_is_no_expression_and_says_where_and_why() {
    for (text, place, message) in [
        ("", "", "the expression ends where a value is expected"),
        ("// a", "", "the expression ends where a value is expected"),
        ("a +", "", "the expression ends where a value is expected"),
        ("a b", "b", "`b` stands where an operator or the end of the expression is expected"),
        ("a and b", "and", "`and` is no operator, did you mean `&&`?"),
        ("a = b", "=", "`=` is no operator, did you mean `==`?"),
        ("a | b", "|", "`|` is no operator, did you mean `||`?"),
        ("a $ b", "$", "`$` has no meaning outside of a text"),
        ("a ? b ? c : d : e", "?", "`?` stands where `:` and what the condition gives otherwise is expected"),
        ("f(a", "(", "`(` is not closed, add `)`"),
        ("f(a]", "]", "`]` stands where `,` or `)` is expected"),
        ("f(a,)", ")", "`)` stands where an argument is expected"),
        ("[a", "[", "`[` is not closed, add `]`"),
        ("a[0", "[", "`[` is not closed, add `]`"),
        ("{a}", "}", "`}` stands where `:` and the value of the key is expected"),
        ("-!a", "!", "`!` stands where a value is expected"),
        ("a.true", "true", "`true` is a reserved word, write `['true']` for a field of that name"),
        ("a.`b-c`", "`b-c`", "names in backticks are not part of the language here, write `['b-c']`"),
        ("a.?b(c)", "(", "`(` stands where an operator or the end of the expression is expected"),
        ("a[0].b{}", "{", "`{` stands where an operator or the end of the expression is expected"),
        ("if", "if", "`if` is a reserved word and names neither a variable nor a function"),
        ("namespace()", "namespace", "`namespace` is a reserved word and names neither a variable nor a function"),
        ("9223372036854775808", "9223372036854775808", "the number is outside of int's 64 bits"),
        ("--9223372036854775808", "9223372036854775808", "the number is outside of int's 64 bits"),
        ("-0x8000000000000001", "-0x8000000000000001", "the number is outside of int's 64 bits"),
        ("18446744073709551616u", "18446744073709551616u", "the number is outside of uint's 64 bits"),
        ("1e400", "1e400", "the number is too large for a double"),
        ("0X1", "X1", "`X1` stands where an operator or the end of the expression is expected"),
        ("1_0", "_0", "`_0` stands where an operator or the end of the expression is expected"),
        ("'a' 'b'", "'b'", "`'b'` stands where an operator or the end of the expression is expected"),
        ("rb'a'", "'a'", "`'a'` stands where an operator or the end of the expression is expected"),
        ("'a", "'a", "the text that begins here does not end on its line, close it with `'`"),
        ("'''a'", "'''a'", "the text that begins here does not end, close it with `'''`"),
        (r"'\z'", r"\", r"`\z` is no escape, write `\\` for a backslash or a raw text r'…'"),
        (r"'\400'", r"\", r"`\4` is no escape, write `\\` for a backslash or a raw text r'…'"),
        (r"'\x4'", r"\x", r"the escape `\x` needs 2 more digits"),
        (r"'\ud800'", r"'\ud800'", "an escape names a code point that is no character"),
        (r"'\U00110000'", r"'\U00110000'", "an escape names a code point that is no character"),
        (r"'\UFFFFFFFF'", r"'\UFFFFFFFF'", "an escape names a code point that is no character"),
        (
            r"b'\u0041'",
            r"b'\u0041'",
            r"bytes have no escapes `\u` and `\U`, write the character itself or its bytes as `\x`",
        ),
        ("\u{a0}a", "\u{a0}", r"`\u{a0}` has no meaning outside of a text"),
    ] {
        assert_eq!(problems(text), [(place.to_owned(), message.to_owned())], "{text}");
    }
}

#[test]
fn goes_on_after_a_problem_at_the_next_comma_or_bracket() {
    let places = |text: &str| problems(text).into_iter().map(|(place, _)| place).collect::<Vec<_>>();
    assert_eq!(places("[a b, c d].all(x, if) && f(1 2) && g(*, 3u 4)"), ["b", "d", "if", "2", "*", "4"]);
    assert_eq!(places("{a, b: 'c' d, e: f} ? (g h) : i[j k] + while"), [",", "d", "h", "k", "while"]);
    assert_eq!(places("a = b | '\\q' + 1e999"), ["=", "|", "\\", "1e999"]);
    assert_eq!(places(&"$".repeat(1000)).len(), 100);
}

#[test]
fn places_are_those_of_the_text() {
    let text = " (a + b)\n  .c( 'é' ) && x.all(y , !y)";
    let ast = parsed(text);
    let places: Vec<&str> = (0..ast.len())
        .map(|index| super::super::ExprId(u32::try_from(index).unwrap()))
        .map(|id| part(text, ast.span(id)))
        .collect();
    assert!(places.starts_with(&["a", "b", "a + b", "'é'", "(a + b)\n  .c( 'é' )", "x", "y", "!y"]), "{places:?}");
    assert_eq!(places.iter().filter(|place| **place == "x.all(y , !y)").count(), places.len() - 9);
    assert_eq!(places.last(), Some(&text.trim()));
}

#[test]
fn writes_no_needless_parentheses() {
    for text in [
        "(a + b) * c - (d - e)",
        "a && (b && c) || !(d || e)",
        "(a ? b : c) ? d : e ? f : g",
        "!(!a) && -(-a) == -(1) && -(-1) == -a.b",
        "(a < b) == (c < d)",
        "has(a.b) ? a.?b[?0].orValue(-1.5) : [1u, ?c, -9223372036854775808]",
        "{'it\\'s': b'\\xff\\\\', ?d: null}.e(T{f: 1e300, ?g: \"\"})",
        "a.map(x, x > 1, x).exists_one(y, y.transformMap(i, v, v) == {}).optMap(z, z.optFlatMap(w, w)).sortBy(q, q.r)",
    ] {
        let expected = text.replace("\"\"", "''").replace("(a < b) ==", "a < b ==");
        assert_eq!(print(&parsed(text)), expected);
    }
}

/// Errors of parsing, and no others, are found here.
#[test]
fn agrees_with_the_conformance_tests() {
    let (mut accepted, mut refused) = (0, 0);
    for line in corpora::lines("cel-spec.jsonl", 2_456) {
        let row: serde_json::Value = serde_json::from_str(&line).unwrap();
        let Some(text) = row["query"]["expr"].as_str() else { continue };
        match (parse(text, &ParseOptions::default()), row["kubernetes"]["phase"].as_str()) {
            (Err(problems), Some("parse")) => {
                assert!(problems.iter().all(|problem| problem.phase == Phase::Parse));
                refused += 1;
            }
            (Ok(ast), phase) if phase != Some("parse") => {
                assert_eq!(print(&parsed(&print(&ast))), print(&ast));
                accepted += 1;
            }
            (outcome, phase) => panic!("{text}: {outcome:?}, expected {phase:?}"),
        }
    }
    assert!(matches!((accepted, refused), (1_731, 14) | (0, 0)), "{accepted} accepted, {refused} refused");
}
