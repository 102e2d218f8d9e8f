//! What sigs.k8s.io/yaml v1.6.0 makes of texts, one a line in `kubernetes_yaml.jsonl`: `{yaml, documents}` or
//! `{yaml, error}`. The answers are those of its `YAMLToJSON` behind apimachinery's document reader.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{lines, read, values};

#[derive(Deserialize)]
struct Fact {
    yaml: String,
    documents: Option<Vec<Value>>,
}

/// JSON has one kind of number; a float and an integer of the same value are the same.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other || (one.is_f64() || other.is_f64()) && one.as_f64() == other.as_f64()
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|((key, one), (name, other))| key == name && same(one, other))
        }
        _ => one == other,
    }
}

#[test]
fn reads_yaml_as_kubernetes_does() {
    let mut wrong = Vec::new();
    let facts: Vec<Fact> =
        include_str!("kubernetes_yaml.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(facts.len() > 800);
    for Fact { yaml, documents } in facts {
        let (_, parsed) = read(&yaml);
        let ours = Value::Array(values(&parsed));
        let agrees = match documents {
            Some(documents) => {
                let theirs = documents.into_iter().filter(|document| !document.is_null()).collect();
                parsed.problems.is_empty() && same(&ours, &Value::Array(theirs))
            }
            None => !parsed.problems.is_empty(),
        };
        if !agrees {
            wrong.push(format!("{yaml:?} gave {ours} {:?}", lines(&parsed.problems)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Where we know better, or the parser does: each line is (text, Kubernetes' answer, ours).
#[test]
fn differs_from_kubernetes_where_it_says_so() {
    let cases = [
        // A second document without `---` would be lost.
        ("a: 1\n...\nb: 2\n", json!([{"a": 1}]), json!([{"a": 1}, {"b": 2}])),
        // Content on the line of `---` is YAML; kubectl refuses it.
        ("--- {a: 1}\n", Value::Null, json!([{"a": 1}])),
        // JSON's escapes inside YAML.
        (r#"a: "\/\ud83d\ude00""#, Value::Null, json!([{"a": "/😀"}])),
        // Directives.
        ("%YAML 1.2\n---\na: 1\n", Value::Null, json!([{"a": 1}])),
        // Line breaks of YAML 1.1 that 1.2 gave up.
        ("a: 'x\u{85}y'\n", json!([{"a": "x y"}]), json!([{"a": "x\u{85}y"}])),
        // Names of anchors with a point.
        ("a: &b.c 1\nd: *b.c\n", Value::Null, json!([{"a": 1, "d": 1}])),
        // A tab before content.
        ("-\ta\n", Value::Null, json!([["a"]])),
    ];
    for (yaml, theirs, ours) in cases {
        let (_, parsed) = read(yaml);
        assert_eq!(lines(&parsed.problems), [""; 0], "{yaml:?}");
        assert_eq!(Value::Array(values(&parsed)), ours, "{yaml:?}");
        assert_ne!(theirs, ours, "{yaml:?}");
    }
}

/// What Kubernetes takes, and we do not.
#[test]
fn rejects_what_kubernetes_lets_pass() {
    let cases = [
        ("a: 1\n'a': 2\n", "2:1: error: duplicate key `a`"),
        ("- a: {b: 1, b: 2}\n", "1:13: error: duplicate key `b`"),
        // A number and a string that become the same key: Kubernetes takes either, by chance.
        ("1: a\n\"1\": b\n", "2:1: error: duplicate key `1`"),
        ("{\"a\": 1, \"a\": 2}", "1:10: error: duplicate key `a`"),
        ("a: !!binary gIA=\n", "1:13: error: !!binary value is not UTF-8 when decoded"),
        ("a: [\n\t1\n]\n", "2:2: error: tabs disallowed within this context (block indentation)"),
        ("a: \"\\'\"\n", "1:4: error: while parsing a quoted scalar, found unknown escape character"),
        ("a: 'b\nc'\n", "2:1: error: invalid indentation in multiline quoted scalar"),
        ("a: [#c\n b]\n", "1:5: error: comments must be separated from other tokens by whitespace"),
        // Kubernetes reads the list and drops what follows it.
        ("[a] b\n", "1:5: error: nothing may follow a document but `---`"),
    ];
    for (yaml, error) in cases {
        assert_eq!(lines(&read(yaml).1.problems), [format!("f.yaml:{error}")], "{yaml:?}");
    }
}

#[test]
fn reads_a_stream_of_json_as_kubectl_does() {
    let (_, parsed) = read("\u{feff} {\"a\": 1.0, \"b\": -0, \"c\": 1e2}{\"d\": 18446744073709551615}\n\n[]\tnull\n");
    assert_eq!(lines(&parsed.problems), [""; 0]);
    // Unlike in YAML a number with a point stays a float.
    assert_eq!(values(&parsed), [json!({"a": 1.0, "b": 0, "c": 100.0}), json!({"d": u64::MAX}), json!([])]);
    let (_, parsed) = read("{\n\t\"tabs\":\t\"\\/\\ud834\\udd1e\"\n}");
    assert_eq!(values(&parsed), [json!({"tabs": "/\u{1d11e}"})]);
    // Not JSON after all.
    let (_, parsed) = read("{a: [1.0]}\n---\nb: 2\n");
    assert_eq!(values(&parsed), [json!({"a": [1]}), json!({"b": 2})]);
}

#[test]
fn rejects_broken_json_where_it_breaks() {
    let cases = [
        ("{\"a\": 1,, }", "1:9: error: key must be a string"),
        ("{a: 1, \"b\": [}", "1:13: error: mismatched bracket '[' closed by '}'"),
        ("{\"é\": 1 \"b\": 2}", "1:9: error: expected `,` or `}`"),
        ("{\"a\": {\"b\": 1}", "1:14: error: EOF while parsing an object"),
        ("{\"a\": 1e400}", "1:7: error: the number 1e400 is out of range"),
        ("{\"a\": 1, \"b\": \"\\ud800\"}", "1:15: error: unexpected end of hex escape"),
        ("\u{feff}{\"a\": 1}\n{\"b\"; 2}", "2:5: error: expected `:`"),
    ];
    for (json, error) in cases {
        assert_eq!(lines(&read(json).1.problems), [format!("f.yaml:{error}")], "{json:?}");
    }
}
