//! Messages show what a module calls public, and nothing else.

use admittance_engine::json::{Arena, SegmentBuf};
use admittance_engine::modules::MODULES;
use admittance_engine::review::Operation;
use serde_json::{Map, Value, json};

use super::run::{Input, body, build, inputs_of, review, run};
use crate::case::{Request, cases};

const SECRET: &str = "SECRET-4711";

/// Fields that say what an object is; all others become secrets.
const KEPT: &[&str] = &["apiVersion", "kind", "hostNetwork"];

/// Every other string becomes a secret, and every container and metadata get more of them. What stands in `public` fields
/// stays.
fn marked(value: &Value, key: &str, public: &[&str]) -> Value {
    let is_public =
        || public.iter().any(|field| field.strip_suffix('*').map_or(key == *field, |it| key.starts_with(it)));
    match value {
        value if is_public() => value.clone(),
        Value::String(_) if !KEPT.contains(&key) => SECRET.into(),
        Value::Array(items) => items.iter().map(|item| marked(item, key, public)).collect(),
        Value::Object(map) => {
            let mut marked: Map<String, Value> =
                map.iter().map(|(key, value)| (key.clone(), self::marked(value, key, public))).collect();
            if map.contains_key("image") {
                marked.insert("env".into(), json!([{"name": SECRET, "value": SECRET}]));
                marked.insert("args".into(), json!([SECRET]));
                marked.insert("command".into(), json!([SECRET]));
            }
            marked.into()
        }
        other => other.clone(),
    }
}

#[test]
fn validators_show_public_fields_only() {
    let cases = cases();
    let mut findings = 0;
    for module in MODULES.iter().filter(|module| !module.mutates) {
        for Input { settings, case } in inputs_of(module, &cases) {
            let (object, old_object) = (&case.object, &case.old_object);
            let kept = (marked(object, "", module.public), marked(old_object, "", module.public));
            for (keeps_public, (object, old_object)) in [
                (false, (object.clone(), old_object.clone())),
                (false, (marked(object, "", &[]), marked(old_object, "", &[]))),
                (false, numbers(object, old_object)),
                (true, kept),
            ] {
                for operation in Operation::ALL {
                    let request = Request { operation: Some(operation.as_str().to_owned()), ..case.request.clone() };
                    let body = body(&case.asking(request, object.clone(), old_object.clone()));
                    let arena = Arena::with_limit(1 << 24);
                    let review = review(&arena, &body);
                    let judged = review.judged().unwrap();
                    let (_, reported) = run(&build(module, &settings), module.public, &review, judged).unwrap();
                    for finding in reported.findings {
                        findings += 1;
                        let is_public = finding.path.0.iter().any(
                            |segment| matches!(segment, SegmentBuf::Key(key) if module.public.contains(&key.as_str())),
                        );
                        let shows = finding.message.contains(SECRET) || finding.message.contains(&NUMBER.to_string());
                        assert!(!(keeps_public && shows), "{}: {}", module.id, finding.message);
                        if finding.path.0.is_empty() {
                            // What is said of a whole object may show what stands in public fields anywhere.
                            continue;
                        }
                        assert!(is_public || !shows, "{}: {}: {}", module.id, finding.path, finding.message);
                        for private in ["annotations", "env", "args", "command"] {
                            let is_private = finding.path.0.contains(&SegmentBuf::Key(private.to_owned()));
                            assert!(!(is_private && shows), "{}: {}", module.id, finding.path);
                        }
                    }
                }
            }
        }
    }
    assert!(findings > 100, "the objects violate too little to show anything: {findings}");
}

const NUMBER: i64 = 47_114_711;

/// The same with numbers in the place of strings: a value of the wrong type is no less secret.
fn numbers(object: &Value, old_object: &Value) -> (Value, Value) {
    fn replace(value: Value) -> Value {
        match value {
            Value::String(text) if text == SECRET => NUMBER.into(),
            Value::Array(items) => items.into_iter().map(replace).collect(),
            Value::Object(map) => {
                map.into_iter().map(|(key, value)| (key, replace(value))).collect::<Map<_, _>>().into()
            }
            other => other,
        }
    }
    (replace(marked(object, "", &[])), replace(marked(old_object, "", &[])))
}

#[test]
fn public_fields_are_harmless_ones() {
    const HARMLESS: &[&str] = &[
        "add",
        "externalIPs",
        "generateName",
        "host",
        "hostPort",
        "hosts",
        "image",
        "labels",
        "loadBalancerSourceRanges",
        "name",
        "namespace",
        "procMount",
        "storageClassName",
        "type",
        // Fields of security contexts in the form that they had before they were fields.
        "container.apparmor.security.beta.kubernetes.io/*",
        "container.seccomp.security.alpha.kubernetes.io/*",
        "seccomp.security.alpha.kubernetes.io/pod",
    ];
    for module in MODULES {
        for field in module.public {
            assert!(HARMLESS.contains(field), "{}: {field}", module.id);
        }
    }
}
