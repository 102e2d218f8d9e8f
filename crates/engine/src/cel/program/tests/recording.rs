//! What is kept of an evaluation, and that keeping it changes nothing.

use super::*;
use crate::cel::encoding::brief;
use crate::cel::program::Recording;
use crate::cel::watch::Part;

/// Outcome and cost, with and without a recording, under these bounds; and what was recorded.
fn both<T>(program: &Program, cost: u64, memory: usize, see: impl FnOnce(&[Part<'_>]) -> T) -> ([(String, u64); 2], T) {
    let arena = Arena::with_limit(64 << 20);
    let object = read(&arena, OBJECT).unwrap();
    let composition = Composition::new();
    let variables = Variables::new(&composition, &arena);
    let names = Names { values: &[Value::of_node(object)], variables: &variables };
    let text = |outcome: Outcome<'_>| match outcome {
        Ok(value) => encode(value).unwrap_or_else(|error| error.to_string()),
        Err(error) => format!("!{error}"),
    };
    let plain = {
        let meter = Meter::new(cost, memory, Deadline::never());
        let outcome = text(program.evaluate(&Context::new(&arena, &meter, &NoHost), &names, &mut ()));
        (outcome, meter.cost_left())
    };
    let meter = Meter::new(cost, memory, Deadline::never());
    let mut recording = Recording::new(program.ast());
    let outcome = text(program.evaluate(&Context::new(&arena, &meter, &NoHost), &names, &mut recording));
    let seen = see(&recording.into_parts());
    ([plain, (outcome, meter.cost_left())], seen)
}

/// A line for each part, literals left out.
fn tree(text: &str) -> Vec<String> {
    let program = compiled(text);
    let line = |part: &Part<'_>| {
        let span = program.ast().span(part.expression);
        let indent = "  ".repeat(part.depth as usize);
        let turn = part.turn.map_or_else(String::new, |turn| format!("[{turn}] "));
        let left_out =
            if part.turns_left_out > 0 { format!(" ({} left out)", part.turns_left_out) } else { String::new() };
        let outcome = match part.outcome {
            None => "not evaluated".to_owned(),
            Some(Ok(value)) if part.is_held => format!("some {}", brief(value, 20, None)),
            Some(Ok(value)) => brief(value, 20, None),
            Some(Err(error)) => format!("!{error}"),
        };
        format!("{indent}{turn}{}: {outcome}{left_out}", &text[span.start as usize..span.end as usize])
    };
    both(&program, EXPRESSION_COST, MEMORY, |parts| parts.iter().map(line).collect()).1
}

#[test]
fn keeps_parts_under_their_wholes() {
    assert_eq!(
        tree("object.i == 5 && object.spec.l.exists(x, x == 2)"),
        [
            "object.i == 5 && object.spec.l.exists(x, x == 2): true",
            "  object.i == 5: true",
            "    object.i: 5",
            "      object: {\"spec\": {\"x\": 1, \"s…",
            "    5: 5",
            "  object.spec.l.exists(x, x == 2): true",
            "    object.spec.l: [1, 2, 3]",
            "      object.spec: {\"x\": 1, \"s\": \"abc\",…",
            "        object: {\"spec\": {\"x\": 1, \"s…",
            "    [0] x == 2: false",
            "      x: 1",
            "      2: 2",
            "    [1] x == 2: true",
            "      x: 2",
            "      2: 2",
        ]
    );
}

#[test]
fn names_what_was_passed_over() {
    assert_eq!(
        tree("object.b || object.nope"),
        [
            "object.b || object.nope: true",
            "  object.b: true",
            "    object: {\"spec\": {\"x\": 1, \"s…",
            "  object.nope: not evaluated"
        ]
    );
    assert_eq!(
        tree("object.b ? 'a' : object.s"),
        [
            "object.b ? 'a' : object.s: \"a\"",
            "  object.b: true",
            "    object: {\"spec\": {\"x\": 1, \"s…",
            "  'a': \"a\"",
            "  object.s: not evaluated"
        ]
    );
    assert_eq!(
        tree("object.l.filter(x, x == 'z').all(y, y != '')")[..4],
        [
            "object.l.filter(x, x == 'z').all(y, y != ''): true",
            "  object.l.filter(x, x == 'z'): []",
            "    object.l: [\"a\", \"b\"]",
            "      object: {\"spec\": {\"x\": 1, \"s…"
        ]
    );
    assert_eq!(tree("object.l.filter(x, x == 'z').all(y, y != '')").last().unwrap(), "  y != '': not evaluated");
}

#[test]
fn shows_the_body_of_a_macro_and_nothing_that_the_macro_made() {
    assert_eq!(
        tree("object.spec.?x.optMap(v, v + 1).orValue(0)"),
        [
            "object.spec.?x.optMap(v, v + 1).orValue(0): 2",
            "  object.spec.?x.optMap(v, v + 1): some 2",
            "    object.spec.?x: some 1",
            "      object.spec: {\"x\": 1, \"s\": \"abc\",…",
            "        object: {\"spec\": {\"x\": 1, \"s…",
            "    v + 1: 2",
            "      v: 1",
            "      1: 1",
            "  0: not evaluated"
        ]
    );
}

#[test]
fn keeps_the_first_and_the_last_turns_and_those_that_fail() {
    let turns = |text: &str| -> Vec<String> {
        tree(text).into_iter().filter(|line| line.starts_with("  [") || line.contains("left out")).collect()
    };
    assert_eq!(
        turns("lists.range(100).all(x, x < 90)"),
        [
            "lists.range(100).all(x, x < 90): false (81 left out)",
            "  [0] x < 90: true",
            "  [1] x < 90: true",
            "  [2] x < 90: true",
            "  [3] x < 90: true",
            "  [4] x < 90: true",
            "  [86] x < 90: true",
            "  [87] x < 90: true",
            "  [88] x < 90: true",
            "  [89] x < 90: true",
            "  [90] x < 90: false"
        ]
    );
    let failing = turns("lists.range(100).all(x, 10 / (x - 50) < 20)");
    assert!(failing.iter().any(|line| line == "  [50] 10 / (x - 50) < 20: !division by zero"), "{failing:?}");
    let nested = "lists.range(50).all(a, lists.range(50).all(b, lists.range(20).all(c, a + b + c >= 0)))";
    assert!(tree(nested).len() < 4500, "{}", tree(nested).len());
}

#[test]
fn changes_neither_outcome_nor_cost() {
    let texts = cases::CASES.iter().map(|(text, ..)| *text);
    for text in texts.chain(["object.spec.?x.orValue(1) + object.?nope.?y.orValue(2)", "object.?s.hasValue()"]) {
        let program = compiled(text);
        let bounds = [(EXPRESSION_COST, MEMORY), (3, MEMORY), (7, MEMORY), (EXPRESSION_COST, 0), (EXPRESSION_COST, 40)];
        for (cost, memory) in bounds {
            let ([plain, recorded], count) = both(&program, cost, memory, |parts| usize::from(!parts.is_empty()));
            assert_eq!(plain, recorded, "{text} within {cost} and {memory}");
            assert!(count > 0, "{text}");
        }
    }
}
