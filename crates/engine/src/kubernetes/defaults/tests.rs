use std::path::Path;

use super::*;
use crate::json::{Map, View, read};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/defaults");

/// Applies the defaults of the kind that the object says it is.
fn apply<'a>(defaults: &Defaults, arena: &'a Arena, object: Node<'a>) -> Node<'a> {
    let api_version = object.str("apiVersion").unwrap_or_default();
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    defaults.apply(arena, group, version, object.str("kind").unwrap_or_default(), object)
}

/// Where two trees differ, a line for each place.
fn differences(path: &str, got: Node<'_>, want: Node<'_>, lines: &mut Vec<String>) {
    let show = |node: Option<Node<'_>>| node.map_or("nothing".to_owned(), |node| serde_json::to_string(&node).unwrap());
    match (got.view(), want.view()) {
        (View::Map(got), View::Map(want)) => {
            let keys = |map: &Map<'_>| map.entries().iter().map(|entry| entry.0.to_owned()).collect::<Vec<_>>();
            let missing = keys(want).into_iter().filter(|key| got.get(key).is_none());
            for key in keys(got).into_iter().chain(missing) {
                match (got.get(&key), want.get(&key)) {
                    (Some(got), Some(want)) => differences(&format!("{path}.{key}"), got, want, lines),
                    (got, want) => lines.push(format!("{path}.{key}: got {}, want {}", show(got), show(want))),
                }
            }
        }
        (View::List(got), View::List(want)) if got.len() == want.len() => {
            for (n, (got, want)) in got.iter().zip(want).enumerate() {
                differences(&format!("{path}[{n}]"), *got, *want, lines);
            }
        }
        _ if got != want => lines.push(format!("{path}: got {}, want {}", show(Some(got)), show(Some(want)))),
        _ => {}
    }
}

fn fixtures() -> Vec<(String, String, String)> {
    let names = std::fs::read_dir(FIXTURES).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter_map(|name| Some(name.strip_suffix(".in.json")?.to_owned())).collect();
    names.sort();
    let text =
        |name: &str, end: &str| std::fs::read_to_string(Path::new(FIXTURES).join(format!("{name}.{end}"))).unwrap();
    names.into_iter().map(|name| (name.clone(), text(&name, "in.json"), text(&name, "out.json"))).collect()
}

#[test]
fn makes_of_manifests_what_an_api_server_sent_to_a_webhook() {
    let (defaults, fixtures) = (Defaults::built_in(), fixtures());
    assert!(fixtures.len() >= 57);
    let mut lines = vec![];
    for (name, input, output) in &fixtures {
        let arena = Arena::with_limit(1 << 20);
        let got = apply(&defaults, &arena, read(&arena, input).unwrap());
        differences(name, got, read(&arena, output).unwrap(), &mut lines);
    }
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}

#[test]
fn changes_nothing_the_second_time() {
    let defaults = Defaults::built_in();
    for (name, input, output) in fixtures() {
        let arena = Arena::with_limit(1 << 20);
        let once = apply(&defaults, &arena, read(&arena, &input).unwrap());
        assert!(apply(&defaults, &arena, once).is_same(once), "{name}");
        let sent = read(&arena, &output).unwrap();
        assert!(apply(&defaults, &arena, sent).is_same(sent), "{name}, as it was sent");
    }
}

#[test]
fn leaves_kinds_that_it_does_not_know_as_they_are() {
    let (defaults, arena) = (Defaults::built_in(), Arena::with_limit(1 << 20));
    for (group, version, kind) in [
        ("", "v1", "Namespace"),
        ("", "v2", "Pod"),
        ("example.com", "v1", "Pod"),
        ("apps", "v1beta1", "Deployment"),
        ("", "v1", "Deployment"),
        ("", "", ""),
    ] {
        let object = read(&arena, r#"{"spec":{"containers":[{"image":"a"}],"unknown":null}}"#).unwrap();
        assert!(defaults.apply(&arena, group, version, kind, object).is_same(object));
    }
}

#[test]
fn goes_by_the_kind_that_it_is_told() {
    let (defaults, arena) = (Defaults::built_in(), Arena::with_limit(1 << 20));
    let object = read(&arena, r#"{"kind":"Pod","spec":{}}"#).unwrap();
    let sent = defaults.apply(&arena, "", "v1", "ConfigMap", object);
    assert_eq!(serde_json::to_string(&sent).unwrap(), r#"{"kind":"Pod","metadata":{}}"#);
}

#[test]
fn keeps_the_order_of_the_user_and_shares_what_does_not_change() {
    let (defaults, arena) = (Defaults::built_in(), Arena::with_limit(1 << 20));
    let text = r#"{"data":{"b":"1","a":"2"},"metadata":{"managedFields":[{"manager":"a"}],"name":"a"},"kind":"ConfigMap","x":1}"#;
    let object = read(&arena, text).unwrap();
    let sent = defaults.apply(&arena, "", "v1", "ConfigMap", object);
    assert_eq!(serde_json::to_string(&sent).unwrap(), text.replace(r#","x":1"#, ""));
    for field in ["data", "metadata"] {
        assert!(sent.get(field).unwrap().is_same(object.get(field).unwrap()));
    }
    assert_eq!(format!("{:?}", sent.at(&["metadata", "managedFields"])), "Some(unparsed, 17 bytes)");
}

/// What becomes of a pod of this text.
fn pod(text: &str) -> String {
    let arena = Arena::with_limit(1 << 20);
    let sent = Defaults::built_in().apply(&arena, "", "v1", "Pod", read(&arena, text).unwrap());
    serde_json::to_string(&sent).unwrap()
}

#[test]
fn leaves_values_of_a_wrong_type_as_they_stand() {
    for whole in ["null", "5", r#""text""#, "[null,{}]"] {
        assert_eq!(pod(whole), whole);
    }
    assert_eq!(pod(r#"{"metadata":[null],"spec":"","status":0}"#), r#"{"metadata":[null],"spec":"","status":0}"#);
    let defaults = r#""enableServiceLinks":true,"dnsPolicy":"ClusterFirst","restartPolicy":"Always","schedulerName":"default-scheduler","securityContext":{},"terminationGracePeriodSeconds":30"#;
    for (given, written) in [
        (r#""containers":{"a":null}"#, r#""containers":{"a":null}"#),
        (r#""containers":[5,"",[null]]"#, r#""containers":[5,"",[null]]"#),
        (r#""hostNetwork":"","containers":[]"#, r#""hostNetwork":"","containers":[]"#),
        (r#""hostNetwork":[],"containers":[]"#, r#""hostNetwork":[],"containers":[]"#),
        (r#""overhead":{"cpu":true},"containers":[]"#, r#""overhead":{"cpu":true},"containers":[]"#),
        (r#""nodeSelector":[],"containers":[]"#, r#""nodeSelector":[],"containers":[]"#),
    ] {
        let expected = format!(r#"{{"spec":{{{written},{defaults}}},"metadata":{{}},"status":{{}}}}"#);
        assert_eq!(pod(&format!(r#"{{"spec":{{{given}}}}}"#)), expected);
    }
    let accounts = pod(r#"{"spec":{"serviceAccount":5,"serviceAccountName":"a"}}"#);
    assert!(accounts.contains(r#""serviceAccount":5,"serviceAccountName":"a""#), "{accounts}");
    let address = pod(r#"{"status":{"podIP":5,"podIPs":[{"ip":"::1"}]}}"#);
    assert!(address.contains(r#"{"podIP":5,"podIPs":[{"ip":"::1"}]}"#), "{address}");
}

#[test]
fn adds_the_sidecars_that_run_beside_an_init_container() {
    let needs = |cpu: &str, more: &str| format!(r#"{{"resources":{{"requests":{{"cpu":"{cpu}"}}}}{more}}}"#);
    let sidecar = r#","restartPolicy":"Always""#;
    let requested = |init: &[String], main: &str| {
        let (init, main) = (init.join(","), needs(main, ""));
        let own = r#""resources":{"limits":{"memory":"1Gi"}}"#;
        let sent = pod(&format!(r#"{{"spec":{{{own},"initContainers":[{init}],"containers":[{main}]}}}}"#));
        let sent: serde_json::Value = serde_json::from_str(&sent).unwrap();
        sent["spec"]["resources"]["requests"].to_string()
    };
    let both = |cpu: &str| format!(r#"{{"cpu":"{cpu}","memory":"1Gi"}}"#);
    assert_eq!(requested(&[], "100m"), both("100m"));
    assert_eq!(requested(&[needs("1", ""), needs("2", "")], "100m"), both("2"));
    assert_eq!(requested(&[needs("1", sidecar), needs("2", "")], "100m"), both("3"));
    assert_eq!(requested(&[needs("2", ""), needs("1", sidecar)], "100m"), both("2"));
    assert_eq!(requested(&[needs("1", sidecar), needs("500m", "")], "3"), both("4"));
}

mod properties;
