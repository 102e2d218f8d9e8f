mod expressions;

use super::*;
use crate::cel::value::{List, Map, Struct, Value};
use crate::json::read;
use crate::kubernetes::schema::Schemas;

fn arena() -> Arena {
    Arena::with_limit(1 << 30)
}

/// `name{field: value}`
fn object<'a>(arena: &'a Arena, name: &'a str, fields: &[(&'a str, Value<'a>)]) -> Value<'a> {
    Value::Struct(arena.keep(Struct { name, fields: arena.keep_slice(fields) }))
}

fn list<'a>(arena: &'a Arena, values: &[Value<'a>]) -> Value<'a> {
    Value::List(List::Values(arena.keep_slice(values)))
}

/// What adding the value at `/a` makes of an object without fields.
fn added<'a>(arena: &'a Arena, value: Value<'a>) -> Result<String, String> {
    let fields = [("op", Value::String("add")), ("path", Value::String("/a")), ("value", value)];
    let patch = list(arena, &[object(arena, "JSONPatch", &fields)]);
    let result = json_patch(arena, read(arena, r#"{"kind":"X"}"#).unwrap(), patch);
    result.map(|node| serde_json::to_string(&node.get("a")).unwrap()).map_err(|error| error.text)
}

/// What an apply configuration makes of a pod.
fn applied<'a>(arena: &'a Arena, pod: &'a str, fields: &[(&'a str, Value<'a>)]) -> Result<String, String> {
    let value = object(arena, "Object", fields);
    let schema = Schemas::built_in().of("v1", "Pod").unwrap();
    let result = apply_configuration(arena, Ok(&schema), read(arena, pod).unwrap(), value);
    result.map(|node| serde_json::to_string(&node).unwrap()).map_err(|error| error.text)
}

#[test]
fn writes_values_of_operations_as_protobuf_does() {
    let arena = arena();
    let large = 9_007_199_254_740_993;
    let check = |value, expected: &str| assert_eq!(added(&arena, value).unwrap(), expected);
    check(Value::Int(large), "\"9007199254740993\"");
    check(Value::Uint(5), "5");
    check(Value::Uint(u64::MAX), "\"18446744073709551615\"");
    check(Value::Double(2.0), "2");
    check(Value::Double(1e20), "1e+20");
    check(Value::Double(1_234_567_890_123_456_789.0), "1234567890123456800");
    check(Value::Double(-0.0), "0");
    check(Value::Bytes(b"ab"), "\"YWI=\"");
    check(Value::Null, "null");
    check(Value::Optional(Some(&Value::Int(1))), "1");
    check(object(&arena, "Object", &[("b", Value::Int(large))]), r#"{"b":9007199254740992}"#);
    let node = read(&arena, r#"[9007199254740993,1.0,null,{"a":1}]"#).unwrap();
    check(Value::of_node(node), r#"["9007199254740993",1,null,{"a":1}]"#);
    let copy = object(&arena, "Object.a", &[("b", Value::of_node(node))]);
    check(copy, r#"{"b":[9007199254740992,1,null,{"a":1}]}"#);
}

#[test]
fn refuses_values_that_upstream_cannot_write() {
    let arena = arena();
    let check = |value, expected: &str| {
        let text = "JSONPath valueExpression evaluated to a type that could not marshal to JSON: ";
        assert_eq!(added(&arena, value).unwrap_err(), format!("{text}{expected}"));
    };
    check(Value::Optional(None), "optional.none() dereference");
    check(object(&arena, "Object.a", &[("b", Value::Null)]), "proto: invalid type: structpb.NullValue");
    let nested = list(&arena, &[list(&arena, &[Value::Int(1)])]);
    check(object(&arena, "Object.a", &[("b", nested)]), "proto: invalid type: []ref.Val");
    let objects = list(&arena, &[object(&arena, "Object.a", &[])]);
    check(objects, "the API server fails on a list of objects: write a sum of two lists");
    check(
        Value::Double(f64::NAN),
        "json: error calling MarshalJSON for type *structpb.Value: proto: google.protobuf.Value.number_value: invalid NaN \
         value",
    );
}

#[test]
fn compares_names_of_types_with_names_of_fields() {
    let arena = arena();
    let wrong = object(&arena, "Object.specx", &[]);
    let right = object(&arena, "Object.spec.containers", &[("name", Value::String("a"))]);
    let spec = object(&arena, "Object.spec", &[("containers", list(&arena, &[right]))]);
    assert_eq!(applied(&arena, "{}", &[("spec", spec)]).unwrap(), r#"{"spec":{"containers":[{"name":"a"}]}}"#);
    let error = applied(&arena, "{}", &[("spec", wrong)]).unwrap_err();
    assert_eq!(
        error,
        "type mismatch: unexpected type name \"Object.specx\", expected \"Object.spec\", which matches field name path from \
         root Object type"
    );
}

#[test]
fn takes_what_go_takes_in_a_configuration() {
    let arena = arena();
    let spec = |field, value| [("spec", object(&arena, "Object.spec", arena.keep_slice(&[(field, value)])))];
    let check =
        |field, value, expected: &str| assert_eq!(applied(&arena, "{}", &spec(field, value)).unwrap(), expected);
    check("activeDeadlineSeconds", Value::Double(2.5), r#"{"spec":{"activeDeadlineSeconds":2.5}}"#);
    check("containers", list(&arena, &[]), r#"{"spec":{"containers":null}}"#);
    check("containers", Value::List(List::Nodes(&[])), r#"{"spec":{"containers":[]}}"#);
    check("hostname", Value::Optional(Some(&Value::String("a"))), r#"{"spec":{"hostname":"a"}}"#);
    check("hostname", Value::Optional(None), r#"{"spec":{"hostname":null}}"#);
    let error = |field, value| applied(&arena, "{}", &spec(field, value)).unwrap_err();
    let start = "error applying patch: failed to convert patch object to typed object: ";
    let foreign = |place, kind| format!("{start}{place}: unsupported value of type {kind}");
    assert_eq!(error("priority", Value::Uint(5)), foreign(".spec.priority", "uint64"));
    assert_eq!(error("priority", Value::Null), foreign(".spec.priority", "structpb.NullValue"));
    let entries = arena.keep_slice(&[]);
    let map = list(&arena, &[Value::Map(Map::Node(&crate::json::Map::EMPTY)), list(&arena, entries)]);
    assert_eq!(error("containers", map), foreign(".spec.containers[1]", "[]ref.Val"));
    assert_eq!(
        error("hostname", Value::Int(5)),
        format!("{start}.spec.hostname: expected string, got &value.valueUnstructured{{Value:5}}")
    );
    assert_eq!(
        error("hostNetwork", Value::String("x")),
        format!("{start}.spec.hostNetwork: expected boolean, got &{{x}}")
    );
    let kind = [("kind", Value::Uint(5)), ("apiVersion", Value::Null)];
    assert_eq!(applied(&arena, r#"{"kind":"Pod"}"#, &kind).unwrap(), r#"{"kind":"Pod"}"#);
}

#[test]
fn ends_on_values_that_are_too_long_or_too_deep() {
    let arena = arena();
    let mut value = list(&arena, &[Value::Int(1)]);
    for _ in 0..40 {
        value = list(&arena, &[value, value]);
    }
    assert!(added(&arena, value).unwrap_err().ends_with("too large"));
    let mut deep = Value::Int(1);
    for _ in 0..100_000 {
        deep = object(&arena, "Object", arena.keep_slice(&[("a", deep)]));
    }
    assert!(added(&arena, deep).is_err());
    assert!(applied(&arena, "{}", &[("spec", deep)]).is_err());
}

#[test]
fn answers_an_object_without_a_kind_as_an_internal_error() {
    let arena = arena();
    let step = object(&arena, "JSONPatch", &[("op", Value::String("remove")), ("path", Value::String("/kind"))]);
    let object = read(&arena, r#"{"kind":"X"}"#).unwrap();
    let error = json_patch(&arena, object, list(&arena, &[step])).unwrap_err();
    assert_eq!((error.text.as_str(), error.is_internal), ("Internal error occurred: Object 'Kind' is missing", true));
    assert!(json_patch(&arena, object, list(&arena, &[])).unwrap().is_same(object));
}
