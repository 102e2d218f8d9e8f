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
