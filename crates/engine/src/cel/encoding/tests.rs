use super::{decode, encode};
use crate::cel::context::{Context, Meter, NoHost};
use crate::cel::value::Value;
use crate::deadline::Deadline;
use crate::json::{Arena, read};

/// What a value is written as after it was read; or why it cannot be read.
fn again(text: &str) -> String {
    let arena = Arena::with_limit(1 << 20);
    let meter = Meter::new(0, 1 << 20, Deadline::never());
    let context = Context::new(&arena, &meter, &NoHost);
    match decode(read(&arena, text).unwrap(), &context) {
        Ok(value) => encode(value).unwrap(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn writes_what_it_read() {
    for text in [
        r#"{"null":null}"#,
        r#"{"bool":true}"#,
        r#"{"int":-9223372036854775808}"#,
        r#"{"uint":18446744073709551615}"#,
        r#"{"double":1.0}"#,
        r#"{"double":1e300}"#,
        r#"{"double":"NaN"}"#,
        r#"{"double":"-Infinity"}"#,
        r#"{"string":"\"ü\n"}"#,
        r#"{"bytes":"aGk="}"#,
        r#"{"duration":"-1.5s"}"#,
        r#"{"duration":"-9223372036.854775808s"}"#,
        r#"{"timestamp":"0001-01-01T00:00:00Z"}"#,
        r#"{"timestamp":"1969-12-31T23:59:59.000000001Z"}"#,
        r#"{"timestamp":"9999-12-31T23:59:59.999999999Z"}"#,
        r#"{"type":"google.protobuf.Timestamp"}"#,
        r#"{"type":"list"}"#,
        r#"{"optional":null}"#,
        r#"{"optional":{"null":null}}"#,
        r#"{"optional":{"optional":1}}"#,
        r#"{"list":[1,1.0,{"uint":1},null,"x",[],{},{"a":{"bytes":""}}]}"#,
        r#"{"map":{"a":1,"b":{"c":[true]}}}"#,
        r#"{"map":[["a",4],[1,3],[true,1.5],[{"uint":1},2]]}"#,
        r#"{"map":[["int",1]]}"#,
        r#"{"list":[{"map":[["null",null]]},{"int":1,"x":2}]}"#,
    ] {
        assert_eq!(again(text), text);
    }
}

#[test]
fn reads_other_forms_of_the_same_value() {
    for (text, same) in [
        (r#"{"double":1}"#, r#"{"double":1.0}"#),
        (r#"{"duration":"1h1m0.5s"}"#, r#"{"duration":"3660.5s"}"#),
        (r#"{"double":"+Inf"}"#, r#"{"double":"Infinity"}"#),
        (r#"{"timestamp":"2024-01-01T01:00:00.50+01:00"}"#, r#"{"timestamp":"2024-01-01T00:00:00.5Z"}"#),
        (r#"{"map":{"b":1,"a":2}}"#, r#"{"map":{"a":2,"b":1}}"#),
        (r#"{"list":[{"string":"x"},{"list":[]},1e0]}"#, r#"{"list":["x",[],1.0]}"#),
    ] {
        assert_eq!(again(text), same);
    }
}

#[test]
fn refuses_what_is_no_value() {
    for (text, problem) in [
        ("1", "expected an object with one key, the tag of a value, such as {\"int\":1}, found number"),
        (
            r#"{"int":1,"uint":1}"#,
            "expected an object with one key, the tag of a value, such as {\"int\":1}, found map",
        ),
        (r#"{"nope":1}"#, "cannot read a value tagged \"nope\""),
        (r#"{"opaque":{"type":"net.IP","value":"::1"}}"#, "cannot read a value tagged \"opaque\""),
        (r#"{"int":1.5}"#, "expected a whole number of 64 bits behind the tag \"int\""),
        (r#"{"int":9223372036854775808}"#, "expected a whole number of 64 bits behind the tag \"int\""),
        (r#"{"uint":-1}"#, "expected a whole number from 0 behind the tag \"uint\""),
        (r#"{"bytes":"?"}"#, "expected base64 behind the tag \"bytes\""),
        (r#"{"timestamp":"yesterday"}"#, "expected a time of RFC 3339 behind the tag \"timestamp\""),
        (r#"{"type":"net.IP"}"#, "unknown type \"net.IP\""),
        (r#"{"map":[[1]]}"#, "expected pairs of key and value behind the tag \"map\""),
        (r#"{"map":[[1.5,1]]}"#, "expected keys of bool, int, uint or string behind the tag \"map\""),
        (r#"{"map":[[1,1],[1,2]]}"#, "expected different keys behind the tag \"map\""),
    ] {
        assert_eq!(again(text), problem);
    }
}

#[test]
fn refuses_to_write_billions_of_elements() {
    let arena = Arena::with_limit(1 << 20);
    let meter = Meter::new(0, 1 << 20, Deadline::never());
    let context = Context::new(&arena, &meter, &NoHost);
    let mut value = Value::Null;
    for _ in 0..40 {
        value = Value::List(crate::cel::value::List::of(&[value, value], &context).unwrap());
    }
    assert_eq!(encode(value).unwrap_err().to_string(), "the value is too large or too deep to be printed");
    for _ in 0..2000 {
        value = Value::Optional(Some(context.keep(value).unwrap()));
    }
    assert!(encode(value).is_err());
}
