use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::*;
use crate::json::{Arena, edit, patch, read};
use crate::oracle;

/// The lists that these tests use.
fn keys(parent: &str, field: &str) -> &'static [ListKey] {
    const NAME: &[ListKey] = &[ListKey::new("name")];
    const PORT: &[ListKey] = &[ListKey::new("containerPort"), ListKey::with_default("protocol", "TCP")];
    match (parent, field) {
        (_, "containers" | "env" | "webhooks") => NAME,
        ("containers", "ports") => PORT,
        _ => &[],
    }
}

fn arena() -> Arena {
    Arena::with_limit(1 << 30)
}

fn operations(from: &str, to: &str) -> String {
    let arena = arena();
    let operations = diff(read(&arena, from).unwrap(), read(&arena, to).unwrap(), keys);
    serde_json::to_string(&operations).unwrap()
}

/// The diff as JSON, after it was applied by our own code and by the json-patch crate and both gave `to`.
fn checked(from: &Value, to: &Value) -> Value {
    let arena = arena();
    let (from_text, to_text) = (from.to_string(), to.to_string());
    let (old, new) = (read(&arena, &from_text).unwrap(), read(&arena, &to_text).unwrap());
    let operations = diff(old, new, keys);
    assert_eq!(operations.is_empty(), old == new, "{from} {to}");

    let printed = serde_json::to_value(&operations).unwrap();
    let applied =
        patch::apply(&arena, old, &operations).unwrap_or_else(|error| panic!("{from} {to} {printed} {error}"));
    assert!(applied == new, "{from} {to} {printed}");

    let text = printed.to_string();
    let again = patch::read(read(&arena, &text).unwrap()).unwrap();
    assert!(patch::apply(&arena, old, &again).unwrap() == new, "{from} {to} {printed}");

    let mut theirs = from.clone();
    let their_patch: json_patch::Patch = serde_json::from_value(printed.clone()).unwrap();
    json_patch::patch(&mut theirs, &their_patch).unwrap_or_else(|error| panic!("{from} {to} {printed} {error}"));
    let theirs = theirs.to_string();
    assert!(read(&arena, &theirs).unwrap() == new, "{from} {to} {printed}");
    printed
}

#[test]
fn says_exactly_what_changed() {
    for (from, to, expected) in [
        // nothing
        ("{}", "{}", "[]"),
        (r#"{"a":1,"b":[0.5,{}]}"#, r#"{"b":[5e-1,{}],"a":1.0}"#, "[]"),
        // roots
        ("1", "2", r#"[{"op":"replace","path":"","value":2}]"#),
        (r#"{"a":1}"#, "[1]", r#"[{"op":"replace","path":"","value":[1]}]"#),
        (r#"{"a":1}"#, r#"{"b":1}"#, r#"[{"op":"replace","path":"","value":{"b":1}}]"#),
        // maps
        (
            r#"{"a":1,"b":2,"c":3}"#,
            r#"{"a":1,"b":4,"d":null}"#,
            r#"[{"op":"replace","path":"/b","value":4},{"op":"remove","path":"/c"},{"op":"add","path":"/d","value":null}]"#,
        ),
        (r#"{"a":null}"#, "{}", r#"[{"op":"remove","path":"/a"}]"#),
        (
            r#"{"metadata":{"name":"a"}}"#,
            r#"{"metadata":{"name":"a","annotations":{"x/y~z":"1","b":"2"}}}"#,
            r#"[{"op":"add","path":"/metadata/annotations","value":{"x/y~z":"1","b":"2"}}]"#,
        ),
        (
            r#"{"annotations":{"own/er":"me"}}"#,
            r#"{"annotations":{"own/er":"me","a~b":"1"}}"#,
            r#"[{"op":"add","path":"/annotations/a~0b","value":"1"}]"#,
        ),
        (
            r#"{"annotations":{"own/er":"me","x":""}}"#,
            r#"{"annotations":{"x":""}}"#,
            r#"[{"op":"remove","path":"/annotations/own~1er"}]"#,
        ),
        (r#"{"labels":{"a":"1","b":"2"}}"#, r#"{"labels":{}}"#, r#"[{"op":"replace","path":"/labels","value":{}}]"#),
        // lists with keys
        (
            r#"{"spec":{"containers":[{"name":"a","image":"x"},{"name":"b"}]}}"#,
            r#"{"spec":{"containers":[{"name":"proxy"},{"name":"a","image":"x"},{"name":"b"}]}}"#,
            r#"[{"op":"add","path":"/spec/containers/0","value":{"name":"proxy"}}]"#,
        ),
        (
            r#"{"containers":[{"name":"a","image":"x"},{"name":"b"}]}"#,
            r#"{"containers":[{"name":"b"},{"name":"a","image":"y"},{"name":"c"}]}"#,
            r#"[{"op":"add","path":"/containers/0","value":{"name":"b"}},{"op":"replace","path":"/containers/1/image","value":"y"},{"op":"replace","path":"/containers/2","value":{"name":"c"}}]"#,
        ),
        (
            r#"{"containers":[{"name":"a","image":"x"},{"name":"b"},{"name":"c"}]}"#,
            r#"{"containers":[{"name":"a","image":"y"},{"name":"c"}]}"#,
            r#"[{"op":"replace","path":"/containers/0/image","value":"y"},{"op":"remove","path":"/containers/1"}]"#,
        ),
        (
            r#"{"containers":[{"name":"a"},{"name":"b"},{"name":"c"}]}"#,
            r#"{"containers":[{"name":"a"},{"name":"x","image":"y"},{"name":"c"}]}"#,
            r#"[{"op":"replace","path":"/containers/1","value":{"name":"x","image":"y"}}]"#,
        ),
        (
            r#"{"containers":[{"name":"a"}]}"#,
            r#"{"containers":[{"name":"b"},{"name":"c"}]}"#,
            r#"[{"op":"replace","path":"/containers","value":[{"name":"b"},{"name":"c"}]}]"#,
        ),
        (
            r#"{"containers":[{"name":"a","ports":[{"containerPort":53},{"containerPort":53,"protocol":"UDP"}]}]}"#,
            r#"{"containers":[{"name":"a","ports":[{"containerPort":80},{"containerPort":53,"protocol":"TCP"},{"containerPort":53,"protocol":"UDP","name":"dns"}]}]}"#,
            r#"[{"op":"add","path":"/containers/0/ports/0","value":{"containerPort":80}},{"op":"add","path":"/containers/0/ports/1/protocol","value":"TCP"},{"op":"add","path":"/containers/0/ports/2/name","value":"dns"}]"#,
        ),
        // a key twice: by equality then
        (
            r#"{"env":[{"name":"A","value":"1"},{"name":"A","value":"2"}]}"#,
            r#"{"env":[{"name":"A","value":"0"},{"name":"A","value":"1"},{"name":"A","value":"2"}]}"#,
            r#"[{"op":"add","path":"/env/0","value":{"name":"A","value":"0"}}]"#,
        ),
        // lists without keys
        (
            r#"["a","b","c"]"#,
            r#"["x","a","c"]"#,
            r#"[{"op":"add","path":"/0","value":"x"},{"op":"remove","path":"/2"}]"#,
        ),
        (r#"["a","b"]"#, r#"["a","c","b"]"#, r#"[{"op":"add","path":"/1","value":"c"}]"#),
        (r#"["a","b"]"#, r#"["a"]"#, r#"[{"op":"remove","path":"/1"}]"#),
        (r#"["a","b","a"]"#, r#"["a","b","a","b"]"#, r#"[{"op":"add","path":"/3","value":"b"}]"#),
        (r#"["a","b"]"#, r#"["c","d"]"#, r#"[{"op":"replace","path":"","value":["c","d"]}]"#),
        (r#"["a"]"#, r#"["b"]"#, r#"[{"op":"replace","path":"/0","value":"b"}]"#),
        ("[]", r#"["a"]"#, r#"[{"op":"add","path":"/0","value":"a"}]"#),
        (
            r#"{"tolerations":[{"key":"a","operator":"Exists"},{"key":"b"}]}"#,
            r#"{"tolerations":[{"key":"a","operator":"Exists","effect":"NoExecute"},{"key":"b"}]}"#,
            r#"[{"op":"add","path":"/tolerations/0/effect","value":"NoExecute"}]"#,
        ),
        (
            r#"[{"key":"a","operator":"Exists","effect":"NoSchedule"}]"#,
            r#"[{"key":"b","operator":"Equal","value":"x","effect":"NoExecute"}]"#,
            r#"[{"op":"replace","path":"/0","value":{"key":"b","operator":"Equal","value":"x","effect":"NoExecute"}}]"#,
        ),
        ("[[1,2],[3]]", "[[1,2,4],[3]]", r#"[{"op":"add","path":"/0/2","value":4}]"#),
    ] {
        assert_eq!(operations(from, to), expected, "{from} {to}");
        checked(&serde_json::from_str(from).unwrap(), &serde_json::from_str(to).unwrap());
    }
}

#[test]
fn replaces_a_long_list_without_keys_when_that_is_shorter_and_never_one_with_keys() {
    let list = |field: &str, items: Vec<Value>| json!({"other": 1, field: items});
    let numbers = |count: i64| (0..count).map(|number| json!(number));
    let printed = checked(&list("args", numbers(20).collect()), &list("args", numbers(20).rev().collect()));
    assert_eq!(printed.as_array().unwrap().len(), 1, "{printed}");

    let hooks = |count: i64| (0..count).map(|number| json!({"name": number.to_string(), "url": "https://x"}));
    let printed = checked(&list("webhooks", hooks(20).collect()), &list("webhooks", hooks(20).rev().collect()));
    assert_eq!(printed.as_array().unwrap().len(), 38, "{printed}");
    let text = "a text that is long enough to make the list longer than the operations on its neighbours".repeat(20);
    let with_text = |items: Vec<Value>| json!({"args": items.into_iter().chain([json!(text)]).collect::<Vec<_>>()});
    let printed = checked(&with_text(numbers(20).collect()), &with_text(numbers(20).rev().collect()));
    assert_eq!(printed.as_array().unwrap().len(), 38, "{printed}");
}

#[test]
fn finds_one_insertion_in_a_long_list() {
    let items = |range: std::ops::Range<usize>| range.map(|number| json!({"key": number % 997})).collect::<Vec<_>>();
    let from = items(0..1_000);
    let mut to = from.clone();
    to.insert(1, json!("new"));
    to.insert(900, json!("new as well"));
    let printed = checked(&json!(from), &json!(to));
    assert_eq!(
        printed,
        json!([{"op": "add", "path": "/1", "value": "new"}, {"op": "add", "path": "/900", "value": "new as well"}])
    );
    let items: Vec<Value> = (0..1_000).map(|number| json!(number * 7 % 300)).collect();
    checked(&json!(items), &json!(items.iter().rev().collect::<Vec<_>>()));
}

#[test]
fn skips_what_both_roots_share_and_allocates_nothing_for_equal_ones() {
    let arena = arena();
    let text = json!({
        "metadata": {"labels": {"a": "b"}, "managedFields": [{"manager": "m"}], "finalizers": ["x", "y"]},
        "spec": {"containers": [{"name": "a", "env": [{"name": "A", "value": "1.5"}], "args": [0.5, null, true]}]},
    })
    .to_string();
    let (one, other) = (read(&arena, &text).unwrap(), read(&arena, &text).unwrap());
    for root in [one, other] {
        let mut count = usize::MAX;
        let measured = allocation_counter::measure(|| count = diff(one, root, keys).len());
        assert_eq!((count, measured.count_total), (0, 0));
    }
    let new = edit::set(&arena, one, &["metadata", "labels", "c"], Node::string("d")).unwrap();
    let operations = diff(one, new, keys);
    assert_eq!(
        serde_json::to_string(&operations).unwrap(),
        r#"[{"op":"add","path":"/metadata/labels/c","value":"d"}]"#
    );
}

#[test]
fn compares_what_was_left_unparsed() {
    let from = r#"{"metadata":{"managedFields":[{"manager":"a","time":"x"}]}}"#;
    let to = r#"{"metadata":{"managedFields":[ {"manager":"b","time":"x"} ]}}"#;
    assert_eq!(operations(from, to), r#"[{"op":"replace","path":"/metadata/managedFields/0/manager","value":"b"}]"#);
    assert_eq!(operations(from, &from.replace(":[", ": [ ")), "[]");
}

#[test]
fn compares_trees_that_edits_made_deep() {
    let arena = arena();
    for levels in [128usize, 255, 256, 257, 700] {
        let nested = |leaf: i64| {
            (0..levels).fold(Node::int(leaf), |inner, level| {
                if level % 2 == 0 { arena.list(&[inner]) } else { arena.map(&[("a", inner), ("b", Node::NULL)]) }
            })
        };
        let (from, to) = (nested(1), nested(2));
        assert!(diff(from, nested(1), keys).is_empty());
        let operations = diff(from, to, keys);
        assert_eq!(operations.len(), 1);
        assert_eq!(operations[0].path().split('/').count() - 1, levels.min(DEEPEST));
        if levels <= DEEPEST {
            assert!(patch::apply(&arena, from, &operations).unwrap() == to);
        }
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let text = prop::sample::select(vec!["", "a", "b", "~/", "ü\n", "<&>\u{2028}"]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (0..3i64).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        prop::sample::select(vec![0.0, -0.0, 1.0, 2.0, 0.1, 1e300, 9_007_199_254_740_992.0]).prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let key = prop::sample::select(vec!["a", "b", "", "~", "/", "~1", "0", "-", "name", "env", "<k>"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::btree_map(key, inner, 0..6)
                .prop_map(|map| map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Value>()),
        ]
    })
}

/// The value with some of its parts changed, as `choices` say.
fn changed(value: &Value, choices: &mut impl Iterator<Item = u8>) -> Value {
    let choice = choices.next().unwrap_or(255);
    match (choice, value) {
        (0..8, _) => json!({"a": choice}),
        (8..12, _) => Value::Null,
        (_, Value::Array(items)) => {
            let mut items: Vec<Value> = items.iter().map(|item| changed(item, choices)).collect();
            let position = usize::from(choice) % (items.len() + 1);
            match choice % 8 {
                0 => items.reverse(),
                1 => items.insert(position, json!(choice)),
                2 if position < items.len() => drop(items.remove(position)),
                3 if position < items.len() => items.push(items[position].clone()),
                4 => items.rotate_left(position),
                _ => {}
            }
            Value::Array(items)
        }
        (_, Value::Object(map)) => {
            let mut map: serde_json::Map<_, _> =
                map.iter().map(|(key, value)| (key.clone(), changed(value, choices))).collect();
            match choice % 8 {
                0 => drop(map.insert(format!("~{choice}/"), json!(1))),
                1 if !map.is_empty() => {
                    let key = map.keys().nth(usize::from(choice) % map.len()).cloned().unwrap();
                    map.remove(&key);
                }
                _ => {}
            }
            Value::Object(map)
        }
        _ => value.clone(),
    }
}

fn related_json() -> impl Strategy<Value = (Value, Value)> {
    (any_json(), prop::collection::vec(any::<u8>(), 0..40))
        .prop_map(|(value, choices)| (value.clone(), changed(&value, &mut choices.into_iter())))
}

/// Lists of maps with keys, now and then without, or with one twice.
fn keyed(key: &'static str, values: Vec<Value>, fields: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    let many = values.len();
    let chosen = prop::sample::subsequence(values, 0..=many).prop_shuffle();
    let broken = prop::sample::select(vec![0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3]);
    (chosen, prop::collection::vec(fields, many), broken)
        .prop_map(move |(values, fields, broken)| {
            let mut items: Vec<Value> = values
                .into_iter()
                .zip(fields)
                .map(|(value, mut item)| {
                    item[key] = value;
                    item
                })
                .collect();
            match (broken, items.first().cloned()) {
                (1, Some(item)) => items.push(item),
                (2, Some(_)) => items.push(json!({"image": "no name"})),
                (3, _) => items.push(json!("no map")),
                _ => {}
            }
            Value::Array(items)
        })
        .boxed()
}

fn any_pod() -> impl Strategy<Value = Value> {
    let names = |names: &[&str]| names.iter().map(|name| json!(name)).collect::<Vec<_>>();
    let texts = |texts: &[&'static str]| prop::sample::select(texts.to_vec());
    let env =
        keyed("name", names(&["A", "B", "C", "D"]), texts(&["1", "2"]).prop_map(|text| json!({"value": text})).boxed());
    let port = (texts(&["TCP", "UDP", ""]), texts(&["x", "y"])).prop_map(|(protocol, name)| match protocol {
        "" => json!({"name": name}),
        _ => json!({"name": name, "protocol": protocol}),
    });
    let ports = keyed("containerPort", vec![json!(53), json!(80), json!(53), json!(80.0)], port.boxed());
    let args = prop::collection::vec(texts(&["-a", "-b", "-c", "x"]), 0..6);
    let container = (texts(&["nginx", "redis:7"]), env, ports, args)
        .prop_map(|(image, env, ports, args)| json!({"image": image, "env": env, "ports": ports, "args": args}));
    let containers = keyed("name", names(&["web", "log", "proxy", "db", "dns"]), container.boxed());
    let tolerations =
        prop::collection::vec((texts(&["a", "b", "c"]), texts(&["Exists", "Equal"])), 0..5).prop_map(|items| {
            items.into_iter().map(|(key, operator)| json!({"key": key, "operator": operator})).collect::<Vec<_>>()
        });
    let labels = prop::collection::btree_map(texts(&["app", "example.com/a", "x~y"]), texts(&["1", "2"]), 0..4);
    let annotations = prop::option::of(labels.clone());
    (containers, tolerations, labels, annotations).prop_map(|(containers, tolerations, labels, annotations)| {
        json!({
            "kind": "Pod",
            "metadata": {"name": "p", "labels": labels, "annotations": annotations},
            "spec": {"containers": containers, "tolerations": tolerations},
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn leads_from_any_value_to_any_other(from in any_json(), to in any_json()) {
        checked(&from, &to);
    }

    #[test]
    fn leads_from_any_value_to_one_made_of_it((from, to) in related_json()) {
        checked(&from, &to);
        checked(&to, &from);
    }

    #[test]
    fn leads_from_any_pod_to_any_other(from in any_pod(), to in any_pod()) {
        checked(&from, &to);
    }
}

/// `json-patch` applies patches with the library that the API server uses. It reads
/// lines `{doc, patch}` and answers each by a line `{result}` or `{error}`.
#[test]
fn means_the_same_to_the_api_server() {
    const PAIRS: usize = 2_000;
    let mut runner = TestRunner::deterministic();
    let maps = |value: Value| if value.is_object() { value } else { json!({"root": value}) };
    let pairs: Vec<(Value, Value)> = (0..PAIRS)
        .map(|number| match number % 3 {
            0 => (any_json(), any_json()).new_tree(&mut runner).unwrap().current(),
            1 => related_json().new_tree(&mut runner).unwrap().current(),
            _ => (any_pod(), any_pod()).new_tree(&mut runner).unwrap().current(),
        })
        // Objects are maps; the library takes no scalar as a document.
        .map(|(from, to)| (maps(from), maps(to)))
        .collect();
    let questions = pairs.iter().map(|(from, to)| json!({"doc": from, "patch": checked(from, to)})).collect();
    let Some(answers) = oracle::ask("json-patch", questions) else { return };
    for ((from, to), answer) in pairs.iter().zip(&answers) {
        let (arena, to_text) = (arena(), to.to_string());
        let result = read(&arena, answer).unwrap().get("result");
        assert!(result.is_some_and(|result| result == read(&arena, &to_text).unwrap()), "{from} {to} {answer}");
    }
    println!("json-patch: {} of {PAIRS}", answers.len());
}
