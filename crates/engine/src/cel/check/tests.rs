//! The checker against the answers of the API server's own code.

use serde_json::{Value, json};

use super::{Checked, Reference, check};
use crate::cel::environment::Environment;
use crate::cel::error::{Phase, Problem};
use crate::cel::function::Version;
use crate::cel::syntax::parse;
use crate::cel::types::Type;
use crate::corpora;

/// The environment of a line of the collections: a policy's, and the variables that the line has besides.
fn environment(query: &Value) -> Environment {
    let version = query["k8s_version"].as_str().and_then(|version| version.strip_prefix("1.")?.parse().ok());
    let mut base = version.map_or_else(Environment::stored, |minor| Environment::of_version(Version(minor)));
    if query["patch_types"] == true {
        base = base.with_mutation_types();
    }
    if let Some(container) = query["container"].as_str() {
        base = base.with_container(container);
    }
    let policy = crate::expression::declarations::Declarations {
        params: query["params"] != false,
        authorizer: query["authorizer"] != "none",
        mutation: false,
    };
    let mut environment = crate::expression::declarations::policy_environment(base, &policy);
    for field in ["vars", "values", "types"] {
        for (name, _) in query[field].as_object().into_iter().flatten() {
            if !["object", "oldObject", "params", "request", "namespaceObject"].contains(&name.as_str()) {
                let ty = query["types"][name].as_str().map_or(Type::Dyn, read_type);
                environment.declare(name, ty);
            }
        }
    }
    for variable in query["variables"].as_array().into_iter().flatten() {
        let checked = compile(variable["expression"].as_str().unwrap(), &environment);
        let ty = checked.map_or(Type::Dyn, |checked| checked.result_type().clone());
        environment.declare_policy_variable(variable["name"].as_str().unwrap(), ty);
    }
    environment
}

fn read_type(text: &str) -> Type {
    let inner = |prefix: &str| Some(text.strip_prefix(prefix)?.strip_suffix(')')?.trim());
    if let Some(inner) = inner("list(") {
        return Type::list(read_type(inner));
    }
    if let Some(inner) = inner("wrapper(") {
        return Type::Wrapper(read_type(inner).into());
    }
    if let Some(inner) = inner("optional(").or_else(|| inner("optional_type(")) {
        return Type::optional(read_type(inner));
    }
    if let Some(inner) = inner("map(") {
        let (key, value) = inner.split_once(',').unwrap();
        return Type::map(read_type(key), read_type(value.trim()));
    }
    match text {
        "dyn" => Type::Dyn,
        "any" => Type::Any,
        "bool" => Type::Bool,
        "int" => Type::Int,
        "uint" => Type::Uint,
        "double" => Type::Double,
        "string" => Type::String,
        "bytes" => Type::Bytes,
        "null" | "null_type" => Type::Null,
        "timestamp" | "google.protobuf.Timestamp" => Type::Timestamp,
        "duration" | "google.protobuf.Duration" => Type::Duration,
        "type" => Type::of_type(Type::Dyn),
        other => panic!("type {other}"),
    }
}

fn compile(text: &str, environment: &Environment) -> Result<Checked, Vec<Problem>> {
    check(parse(text, &environment.parse_options())?, environment)
}

/// `ok TYPE`, `parse` or `check`, and the message.
fn answer(query: &Value) -> (String, String) {
    match compile(query["expr"].as_str().unwrap(), &environment(query)) {
        Ok(checked) => (format!("ok {}", checked.result_type()), String::new()),
        Err(problems) => {
            let phase = if problems[0].phase == Phase::Parse { "parse" } else { "check" };
            (phase.to_owned(), problems.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("; "))
        }
    }
}

/// The same of an answer of the API server's code; None where the line asks nothing of the checker: constants that cannot
/// be converted are found later.
fn expected(answer: &Value) -> Option<String> {
    let error = answer["error"].as_str().unwrap_or_default();
    match answer["phase"].as_str() {
        Some("input") => None,
        Some("check") if error.starts_with("program instantiation failed") && !error.contains("undefined type") => None,
        Some("panic") => Some("check".to_owned()),
        Some(phase @ ("parse" | "check")) => Some(phase.to_owned()),
        _ => Some(format!("ok {}", answer["type"].as_str().unwrap())),
    }
}

fn agrees(collection: &str, lines: usize) {
    let mut wrong = Vec::new();
    for line in corpora::lines(collection, lines) {
        let line: Value = serde_json::from_str(&line).unwrap();
        let Some(expected) = line.get("query").and_then(|_| expected(&line["kubernetes"])) else { continue };
        let (got, message) = answer(&line["query"]);
        if got != expected {
            wrong.push(format!("{}: got {got} {message}, expected {expected}", line["query"]));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn accepts_and_types_what_kubernetes_does() {
    agrees("cel-spec.jsonl", 2_456);
    agrees("k8s-cel-lib.jsonl", 168);
    agrees("k8s-cel-cost.jsonl", 116);
}

/// The answer for an expression of a policy without variables, as new at 1.`minor`.
fn answer_at(minor: u32, text: &str) -> (String, String) {
    answer(&json!({ "expr": text, "k8s_version": format!("1.{minor}") }))
}

fn message(text: &str) -> String {
    answer(&json!({ "expr": text })).1
}

#[test]
fn versions_bring_what_they_brought() {
    for (text, minor, ty) in [
        ("quantity('1')", 28, "kubernetes.Quantity"),
        ("optional.of(1)", 28, "optional_type(int)"),
        ("1 < 2.0", 28, "bool"),
        ("'%d'.format([1])", 29, "string"),
        ("net.IP", 30, "type(net.IP)"),
        ("[1].all(i, x, true)", 32, "bool"),
        ("semver('1.0.0')", 33, "kubernetes.Semver"),
        ("[2, 1].sortBy(x, x)", 34, "list(int)"),
    ] {
        assert_eq!(answer_at(minor - 1, text).0, "check", "{text}");
        assert_eq!(answer_at(minor, text).0, format!("ok {ty}"), "{text}");
    }
    // Upstream forgets the restriction once it has entered a comprehension.
    assert_eq!(answer_at(27, "[1].all(x, x < 2.0) && 1 < 2.0").0, "ok bool");
    assert_eq!(answer_at(27, "1 < 2.0 && [1].all(x, x < 2)").0, "check");
    // Literals are looked at since 1.29.
    assert_eq!(answer_at(28, "matches('[', 'a')").0, "ok bool");
    assert_eq!(answer_at(29, "matches('[', 'a')").0, "check");
}

#[test]
fn says_what_is_wrong_and_what_to_do() {
    for (text, expected) in [
        ("1 + 'a'", "found no matching overload for '_+_' applied to '(int, string)'"),
        (
            "1 + 2u",
            "found no matching overload for '_+_' applied to '(int, uint)', convert one of them with `int()`, `uint()` or \
             `double()`",
        ),
        ("size.x", "undeclared reference to 'size': it is a function, call it as `size(…)`"),
        ("objekt.spec", "undeclared reference to 'objekt', did you mean `object`?"),
        ("startWith(object.a, 'b')", "undeclared reference to 'startWith', did you mean `startsWith`?"),
        (
            "startsWith(object.a, 'b')",
            "found no matching overload for 'startsWith' applied to '(dyn, string)', call it as `receiver.startsWith(…)`",
        ),
        ("request.operaton", "undefined field 'operaton' of 'kubernetes.AdmissionRequest', did you mean `operation`?"),
        ("[1, 'a']", "expected type 'int' but found 'string': the values of a literal are all of one type"),
        ("[?object.a]", "expected type 'optional_type(dyn)' but found 'dyn', write it with `optional.of()` or `.?`"),
        ("1.all(x, x)", "expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)"),
        ("[int].map(t, t)", "reference to undefined type 't': a type cannot be kept in a variable, only be named"),
        (
            "'%d'.format(['a'])",
            "error during formatting: decimal clause can only be used on integers, was given string",
        ),
        ("Object{}", "undeclared reference to 'Object': it can be made in mutations alone"),
        ("1 ? 2 : 3", "found no matching overload for '_?_:_' applied to '(int, int, int)'"),
    ] {
        assert_eq!(message(text), expected, "{text}");
    }
    assert_eq!(
        answer_at(32, "semver('1.0.0').major() > 1").1,
        "undeclared reference to 'semver': `semver` needs Kubernetes 1.33; undeclared reference to 'major': `major` needs \
         Kubernetes 1.33"
    );
}

#[test]
fn policy_variables_keep_the_types_that_upstream_keeps() {
    for (expression, ty) in [
        ("1", "int"),
        ("[['a']]", "list(list(string))"),
        ("quantity('1')", "dyn"),
        ("[optional.of(1)]", "list(dyn)"),
        ("request", "dyn"),
        ("1 +", "dyn"),
    ] {
        let query = json!({ "expr": "variables.x", "variables": [{ "name": "x", "expression": expression }] });
        assert_eq!(answer(&query).0, format!("ok {ty}"), "{expression}");
    }
}

#[test]
fn names_refer_to_what_they_mean() {
    let mut environment = environment(&json!({}));
    assert_eq!(environment.declare_policy_variable("a", Type::Int), 0);
    assert_eq!(environment.declare_policy_variable("b", Type::Int), 1);
    let root = |text| {
        let checked = compile(text, &environment).unwrap();
        checked.reference(checked.ast().root()).clone()
    };
    let resource = crate::expression::declarations::REQUEST_RESOURCE;
    assert!(matches!(root("authorizer.requestResource"), Reference::Declared(slot) if slot == resource));
    assert!(matches!(root("variables.b"), Reference::PolicyVariable(1)));
    assert!(matches!(root("has(variables.a)"), Reference::PolicyVariable(0)));
    assert!(matches!(root("net.IP"), Reference::TypeName(Type::Opaque("net.IP"))));
    assert!(matches!(root("object.spec"), Reference::None));
    let overloads = |text| match root(text) {
        Reference::Overloads(overloads) => overloads.iter().map(|overload| overload.id).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(overloads("optional.of(1)"), ["optional_of"]);
    assert_eq!(overloads("1 + 1"), ["add_int64"]);
    assert_eq!(overloads("object.a.size()"), ["bytes_size", "list_size", "map_size", "string_size"]);
}

#[test]
fn checks_the_deepest_trees_on_a_small_stack() {
    let deep = [
        "[".repeat(240) + &"]".repeat(240),
        "[1].all(x, true && ".repeat(60) + "true" + &")".repeat(60),
        "object".to_owned() + &".a".repeat(240),
        vec!["object.a"; 5_000].join(" && "),
    ];
    let check = move || deep.iter().map(|text| answer(&json!({ "expr": text })).0).collect::<Vec<_>>();
    let answers = std::thread::Builder::new().stack_size(1024 * 1024).spawn(check).unwrap().join().unwrap();
    assert!(answers[0].starts_with("ok list("), "{}", answers[0]);
    assert_eq!(answers[1..], ["ok bool", "ok dyn", "ok bool"]);
}

#[test]
fn types_that_double_are_refused_in_time() {
    let text = "[1].map(x, ".to_owned() + &"optional.of({x: x}).optMap(x, ".repeat(6) + "x" + &")".repeat(6) + ")";
    assert!(answer(&json!({ "expr": text })).0.starts_with("ok list(optional_type("));
    let mut environment = environment(&json!({}));
    environment.declare("x", Type::map(Type::Int, Type::Int));
    let mut ty = Type::Int;
    for _ in 0..64 {
        ty = Type::map(ty.clone(), ty);
    }
    environment.declare("huge", ty);
    let problems = compile("huge == huge", &environment).unwrap_err();
    assert_eq!(problems[0].message, "the types of this expression are nested too deeply or grow too large");
}
