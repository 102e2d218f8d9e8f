//! Evaluation against the answers of the API server's own code, and the bounds that it does not have.

mod cases;
mod recording;

use std::time::{Duration, Instant};

use super::{Activation, Composition, EXPRESSION_COST, Names, Program, Recorder, Variables, compile};
use crate::cel::context::{Context, Meter, NoHost};
use crate::cel::encoding::encode;
use crate::cel::environment::{Environment, Slot};
use crate::cel::error::{Outcome, Phase};
use crate::cel::syntax::ExprId;
use crate::cel::types::Type;
use crate::cel::value::Value;
use crate::deadline::Deadline;
use crate::json::{Arena, read};

const OBJECT: &str =
    r#"{"spec":{"x":1,"s":"abc","l":[1,2,3],"n":null,"m":{"a":1}},"b":true,"s":"hello","i":5,"l":["a","b"],"d":1.5}"#;

/// Bytes for new values.
const MEMORY: usize = 16 << 20;

fn environment() -> Environment {
    let mut environment = Environment::stored();
    environment.declare("object", Type::Dyn);
    environment
}

fn compiled(text: &str) -> Program {
    compile(text, &environment()).unwrap_or_else(|problems| panic!("{text}: {problems:?}"))
}

/// Value or `!` and error, and what it cost.
fn evaluated(program: &Program, cost: u64) -> (String, u64) {
    evaluated_with(program, &Composition::new(), cost, &mut ())
}

fn evaluated_with<R: for<'a> Recorder<'a>>(
    program: &Program,
    composition: &Composition,
    cost: u64,
    recorder: &mut R,
) -> (String, u64) {
    evaluated_until(program, composition, &Meter::new(cost, MEMORY, Deadline::never()), recorder)
}

fn evaluated_until<R: for<'a> Recorder<'a>>(
    program: &Program,
    composition: &Composition,
    meter: &Meter,
    recorder: &mut R,
) -> (String, u64) {
    let cost = meter.cost_left();
    let arena = Arena::with_limit(64 << 20);
    let object = read(&arena, OBJECT).unwrap();
    let context = Context::new(&arena, meter, &NoHost);
    let variables = Variables::new(composition, &arena);
    let names = Names { values: &[Value::of_node(object)], variables: &variables };
    let text = match program.evaluate(&context, &names, recorder) {
        Ok(value) => encode(value).unwrap(),
        Err(error) => format!("!{error}"),
    };
    (text, cost - meter.cost_left() + variables.take_cost())
}

fn answer(text: &str) -> (String, u64) {
    evaluated(&compiled(text), EXPRESSION_COST)
}

/// What upstream writes at a place of an error is Go's: rows whose expected text is a bare `!` take any error.
#[test]
fn values_errors_and_costs_are_those_of_the_api_server() {
    let mut wrong = vec![];
    for (text, value, cost) in cases::CASES {
        let (ours, our_cost) = answer(text);
        let is_same = if *value == "!" { ours.starts_with('!') } else { json(&ours) == json(value) };
        if !is_same || our_cost != *cost {
            wrong.push(format!("{text}\n    ours {ours} at {our_cost}\n    upstream {value} at {cost}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases::CASES.len(), wrong.join("\n"));
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}

#[test]
fn refuses_conversions_of_constants_that_fail() {
    for text in ["true || int('x') == 1", "uint(-1) == 1u", "bool('yes')", "string(b'\\xff')", "'a'.matches('[')"] {
        let problems = compile(text, &environment()).unwrap_err();
        assert!(problems.iter().all(|problem| problem.phase == Phase::Check), "{text}: {problems:?}");
    }
}

#[test]
fn leaves_other_failing_constants_to_the_evaluation() {
    assert_eq!(answer("true || 1/0 == 1").0, r#"{"bool":true}"#);
    assert_eq!(answer("1/0 == 1").0, "!division by zero");
}

#[test]
fn no_operator_absorbs_that_the_cost_limit_is_exceeded() {
    let program = compiled("object.spec.l.all(x, x > 0) || true");
    let (value, cost) = evaluated(&program, EXPRESSION_COST);
    assert_eq!((value.as_str(), cost), (r#"{"bool":true}"#, 19));
    assert_eq!(evaluated(&program, 19).0, r#"{"bool":true}"#);
    assert_eq!(evaluated(&program, 18).0, "!operation cancelled: actual cost limit exceeded");
}

#[test]
fn ends_where_upstreams_evaluator_crashes() {
    let (text, _) = answer("object.nope.distinct() == [] || true");
    assert!(text.starts_with("!internal error: "), "{text}");
}

fn composed(declared: &[(&str, &str)], text: &str) -> (Program, Composition) {
    let mut environment = environment();
    let mut composition = Composition::new();
    for (name, expression) in declared {
        let _ = composition.add(name, expression, &mut environment);
    }
    (compile(text, &environment).unwrap(), composition)
}

fn variables(declared: &[(&str, &str)], text: &str) -> (String, u64) {
    let (program, composition) = composed(declared, text);
    evaluated_with(&program, &composition, EXPRESSION_COST, &mut ())
}

#[test]
fn variables_are_computed_once_and_paid_for_once() {
    let declared = [("five", "object.i"), ("ten", "variables.five + variables.five")];
    // 2 for five; 5 for ten, which takes five twice; 9 for the expression.
    assert_eq!(
        variables(&declared, "variables.ten == 10 && variables.five == 5 && true"),
        (r#"{"bool":true}"#.into(), 13)
    );
}

#[test]
fn variables_that_are_not_used_cost_nothing() {
    assert_eq!(variables(&[("bad", "object.nope")], "1 == 1").1, 1);
}

#[test]
fn errors_of_variables_name_them_and_are_absorbed() {
    let declared = [("bad", "object.nope")];
    assert_eq!(
        variables(&declared, "variables.bad == 1").0,
        r#"!composited variable "bad" fails to evaluate: no such key: nope"#
    );
    assert_eq!(variables(&declared, "variables.bad == 1 || true").0, r#"{"bool":true}"#);
}

#[test]
fn a_variable_that_does_not_compile_harms_only_what_uses_it() {
    let declared = [("bad", "object +")];
    assert_eq!(variables(&declared, "object.b").0, r#"{"bool":true}"#);
    let (text, _) = variables(&declared, "variables.bad == 1");
    assert_eq!(
        text,
        "!composited variable \"bad\" fails to compile: compilation failed: ERROR: <input>:1:9: the expression ends where a value is \
         expected\n | object +\n | ........^"
    );
    let (text, _) = variables(&[("bad", "string(dyn([1]))")], "variables.bad == 'x'");
    assert_eq!(
        text,
        "!composited variable \"bad\" fails to compile: program instantiation failed: no such overload: string(list)"
    );
}

/// Doubles a list again and again: 2 to the power of `count`.
fn doubled(count: usize) -> Vec<(String, String)> {
    let first = ("v0".to_owned(), "[1, 2]".to_owned());
    let next = (1..count).map(|number| (format!("v{number}"), format!("variables.v{0} + variables.v{0}", number - 1)));
    std::iter::once(first).chain(next).collect()
}

#[test]
fn doubled_lists_take_no_memory() {
    let declared = doubled(40);
    let declared: Vec<(&str, &str)> = declared.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    assert_eq!(variables(&declared, "variables.v39.size()").0, r#"{"int":1099511627776}"#);
    assert_eq!(variables(&declared, "variables.v39[1099511627775]").0, r#"{"int":2}"#);
}

#[test]
fn walking_over_doubled_lists_ends() {
    let declared = doubled(40);
    let declared: Vec<(&str, &str)> = declared.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    for text in ["variables.v39 == variables.v39", "3 in variables.v39", "variables.v39.sum() > 0"] {
        let (program, composition) = composed(&declared, text);
        let soon = Deadline::at(Instant::now() + Duration::from_millis(50));
        let meter = Meter::new(u64::MAX, MEMORY, soon);
        let (text, _) = evaluated_until(&program, &composition, &meter, &mut ());
        assert_eq!(text, "!operation cancelled: the deadline has passed");
    }
}

#[test]
fn texts_are_bounded() {
    let text = format!("{}object.s{}", "(".repeat(60), " + object.s)".repeat(60));
    assert!(answer(&text).0.starts_with(r#"{"string":"hello"#));
    let mut declared = vec![("t0".to_owned(), "'0123456789'".to_owned())];
    declared
        .extend((1..40).map(|number| (format!("t{number}"), format!("variables.t{0} + variables.t{0}", number - 1))));
    let declared: Vec<(&str, &str)> = declared.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let (text, _) = variables(&declared, "variables.t39.size()");
    assert!(text.contains("fails to evaluate") || text.starts_with("!operation cancelled: "), "{text}");
}

#[test]
fn the_deepest_trees_need_no_large_stack() {
    let nested = |open: &str, middle: &str, close: &str, depth: usize| {
        format!("{}{middle}{}", open.repeat(depth), close.repeat(depth))
    };
    let mut texts = vec![
        nested("(true ? ", "1", " : 2)", 45),
        nested("[", "1", "]", 45),
        nested("{'a': ", "1", "}", 45),
        nested("(1 + ", "1", ")", 80),
        nested("dyn(", "1", ")", 80),
        nested("[1, 2].all(x, ", "true", ")", 45),
        nested("[object].map(x, ", "object", ")", 45),
        nested("object[", "'s'", "]", 45),
        nested("optional.of(", "object", ")", 45),
        nested("object.?i.optMap(x, ", "object", ")", 45),
        format!("object{}", ".a".repeat(80)),
        format!("1{}", " + 1".repeat(200)),
        format!("true{}", " && true".repeat(4000)),
    ];
    // The deepest that the parser takes.
    for (open, middle, close) in [
        ("(object.b ? ", "object.i", " : 2)"),
        ("[object, ", "object", "]"),
        ("(object.i + ", "object.i", ")"),
        ("string(", "object.i", ")"),
        ("object.l.all(x, ", "object.b", ")"),
        ("object.l.map(x, ", "x", ")"),
        ("object.l.transformMap(k, v, ", "v", ")"),
        ("object.?i.optMap(x, ", "x", ")"),
        ("object[", "object.s", "]"),
        ("!(object.b && ", "object.b", ")"),
        ("{'a': ", "object", "}"),
    ] {
        let deepest = (1..260).rev().map(|depth| nested(open, middle, close, depth));
        texts.extend(deepest.into_iter().find(|text| compile(text, &environment()).is_ok()));
    }
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(move || {
        for text in &texts {
            if let Ok(program) = compile(text, &environment()) {
                evaluated(&program, EXPRESSION_COST);
            }
        }
        texts.len()
    });
    assert_eq!(thread.unwrap().join().unwrap(), 24);
}

#[test]
fn time_ends_an_evaluation() {
    let program =
        compiled("object.l.all(a, object.l.all(b, object.l.all(c, lists.range(10000).all(d, d >= 0)))) || true");
    let meter = Meter::new(u64::MAX, MEMORY, Deadline::at(Instant::now()));
    let (text, _) = evaluated_until(&program, &Composition::new(), &meter, &mut ());
    assert_eq!(text, "!operation cancelled: the deadline has passed");
}

/// Collects places and outcomes.
#[derive(Default)]
struct Trace(Vec<(ExprId, String)>);

impl<'a> Recorder<'a> for Trace {
    fn record(&mut self, expression: ExprId, outcome: &Outcome<'a>) {
        let text = match outcome {
            Ok(value) => encode(*value).unwrap(),
            Err(error) => format!("!{error}"),
        };
        self.0.push((expression, text));
    }

    fn record_held(&mut self, expression: ExprId, value: Value<'a>) {
        self.0.push((expression, encode(Value::Optional(Some(&value))).unwrap()));
    }
}

#[test]
fn a_recorder_sees_every_part_before_the_whole() {
    let text = "object.i == 5 && object.spec.l.exists(x, x == 2)";
    let program = compiled(text);
    let mut trace = Trace::default();
    evaluated_with(&program, &Composition::new(), EXPRESSION_COST, &mut trace);
    let seen: Vec<(&str, &str)> = trace
        .0
        .iter()
        .map(|(id, outcome)| {
            let span = program.ast().span(*id);
            (&text[span.start as usize..span.end as usize], outcome.as_str())
        })
        .collect();
    let named = |part: &str| seen.iter().filter(|seen| seen.0 == part).map(|seen| seen.1).collect::<Vec<_>>();
    assert_eq!(named("object.i"), [r#"{"int":5}"#]);
    assert_eq!(named("object.i == 5"), [r#"{"bool":true}"#]);
    assert_eq!(named("x == 2"), [r#"{"bool":false}"#, r#"{"bool":true}"#]);
    assert_eq!(seen.last(), Some(&(text, r#"{"bool":true}"#)));
}

/// What the predicate of `filter` says is recorded as the predicate's, and what is kept as the macro's.
#[test]
fn a_recorder_tells_the_elements_of_a_filter_from_its_predicate() {
    let text = "object.spec.l.filter(e, e > 2)";
    let program = compiled(text);
    let mut trace = Trace::default();
    evaluated_with(&program, &Composition::new(), EXPRESSION_COST, &mut trace);
    let named = |part: &str| {
        let span = |id: &ExprId| program.ast().span(*id);
        let is_part = |id: &ExprId| &text[span(id).start as usize..span(id).end as usize] == part;
        trace.0.iter().filter(|(id, _)| is_part(id)).map(|(_, outcome)| outcome.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(named("e > 2"), [r#"{"bool":false}"#, r#"{"bool":false}"#, r#"{"bool":true}"#]);
    // Those of the predicate, and the one that is kept.
    assert_eq!(named("e"), [r#"{"int":1}"#, r#"{"int":2}"#, r#"{"int":3}"#, r#"{"int":3}"#]);
    assert_eq!(named(text), [r#"{"list":[3]}"#]);
}

/// Steps of a selection: an optional after a `?`, and the error of the one that fails.
#[test]
fn a_recorder_sees_the_steps_of_a_selection() {
    let seen = |text: &str| {
        let program = compiled(text);
        let mut trace = Trace::default();
        evaluated_with(&program, &Composition::new(), EXPRESSION_COST, &mut trace);
        let span = |id: &ExprId| program.ast().span(*id);
        let row = |(id, outcome): &(ExprId, String)| {
            format!("{} {outcome}", &text[span(id).start as usize..span(id).end as usize])
        };
        trace.0.iter().skip(1).map(row).collect::<Vec<_>>()
    };
    assert_eq!(
        seen("object.spec.?m.a"),
        [
            r#"object.spec {"map":{"l":[1,2,3],"m":{"a":1},"n":null,"s":"abc","x":1}}"#,
            r#"object.spec.?m {"optional":{"a":1}}"#,
            r#"object.spec.?m.a {"optional":1}"#
        ]
    );
    assert_eq!(
        seen("object.?nope.a.b"),
        [r#"object.?nope {"optional":null}"#, r#"object.?nope.a.b {"optional":null}"#]
    );
    assert_eq!(seen("object.nope.a"), ["object.nope !no such key: nope", "object.nope.a !no such key: nope"]);
}

/// Evaluations without one are compiled without it: this constant stands before each of its calls.
#[test]
fn nothing_is_recorded_for_nobody() {
    const { assert!(!<() as Recorder<'static>>::RECORDS && <Trace as Recorder<'static>>::RECORDS) };
}

#[test]
fn recording_changes_neither_value_nor_cost() {
    for (text, ..) in cases::CASES {
        let program = compiled(text);
        let silent = evaluated(&program, EXPRESSION_COST);
        let recorded = evaluated_with(&program, &Composition::new(), EXPRESSION_COST, &mut Trace::default());
        assert_eq!(silent, recorded, "{text}");
    }
}

#[test]
fn errors_know_their_place() {
    let text = "object.b && object.spec.nope.x == 1";
    let program = compiled(text);
    let arena = Arena::with_limit(1 << 20);
    let object = read(&arena, OBJECT).unwrap();
    let meter = Meter::new(EXPRESSION_COST, MEMORY, Deadline::never());
    let context = Context::new(&arena, &meter, &NoHost);
    let error = program.evaluate(&context, &Object(Value::of_node(object)), &mut ()).unwrap_err();
    let span = program.ast().span(error.at.unwrap());
    assert_eq!(&text[span.start as usize..span.end as usize], "object.spec.nope");
}

struct Object<'a>(Value<'a>);

impl<'a> Activation<'a> for Object<'a> {
    fn value(&self, _: Slot) -> Value<'a> {
        self.0
    }

    fn variable(&self, _: usize, context: &Context<'_, 'a>) -> Outcome<'a> {
        context.no_such_overload()
    }
}
