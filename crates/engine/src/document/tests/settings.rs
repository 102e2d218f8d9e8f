//! Settings: the walk along their schema finds all problems, serde makes the value.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;

use super::*;

#[derive(Debug, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Settings {
    /// Required.
    name: String,
    #[serde(default)]
    allowed: Vec<String>,
    #[serde(default)]
    ports: Vec<u16>,
    #[serde(default)]
    pull_policy: Option<PullPolicy>,
    #[serde(default)]
    container: Option<Container>,
    #[serde(default)]
    rules: Vec<Rule>,
    #[serde(default)]
    scope: Option<Scope>,
    #[serde(default)]
    when: Option<When>,
    #[serde(default)]
    limits: BTreeMap<String, i64>,
    #[serde(default)]
    kinds: BTreeSet<String>,
    #[serde(default)]
    ratio: Option<f64>,
    #[serde(default)]
    pair: Option<(String, bool)>,
    #[serde(default)]
    either: Option<NumberOrName>,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
enum PullPolicy {
    Always,
    /// Documented, and so on a line of its own in the schema.
    IfNotPresent,
    Never,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Container {
    image: String,
    #[serde(default)]
    args: Vec<String>,
    /// Recursive.
    #[serde(default)]
    next: Option<Box<Container>>,
}

/// Tagged inside.
#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase", deny_unknown_fields)]
enum Rule {
    Prefix { value: String },
    Length { max: u8 },
}

/// Tagged outside, with a variant that has no content.
#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Scope {
    Everything,
    Namespaces(Vec<String>),
    Labels { key: String },
}

/// Tagged beside.
#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(tag = "kind", content = "value")]
enum When {
    Always,
    Matches(String),
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
enum NumberOrName {
    Number(u16),
    Name(String),
}

fn read_settings<T: serde::de::DeserializeOwned + JsonSchema>(text: &str) -> (Option<T>, Vec<Diagnostic>) {
    let (file, root) = document(text);
    let decoder = Decoder::new(&file);
    let settings = settings(&decoder, root.at("/settings").unwrap());
    (settings, decoder.finish())
}

fn problems(text: &str) -> Vec<String> {
    let text = text.replace('\n', "\n  ");
    let (settings, problems) = read_settings::<Settings>(&format!("settings:\n  {text}\n"));
    assert!(settings.is_none() != problems.is_empty());
    problems.iter().map(|problem| problem.to_string().replace("f.yaml:", "").replace(" error:", "")).collect()
}

#[test]
fn accepts_everything_that_serde_derives() {
    let (read, problems) = read_settings::<Settings>(
        r#"
settings:
  name: x
  allowed: [a, "b"]
  ports: [80, 65535]
  pullPolicy: IfNotPresent
  container: { image: i, next: { image: j } }
  rules:
  - { type: prefix, value: v }
  - { type: length, max: 255 }
  scope: { namespaces: [x] }
  when: { kind: Matches, value: m }
  limits: { a: -1 }
  kinds: [Pod]
  ratio: 1
  pair: [p, true]
  either: 8080
"#,
    );
    assert_eq!(lines(&problems), [""; 0]);
    assert_eq!(
        read.unwrap(),
        Settings {
            name: "x".to_owned(),
            allowed: vec!["a".to_owned(), "b".to_owned()],
            ports: vec![80, 65535],
            pull_policy: Some(PullPolicy::IfNotPresent),
            container: Some(Container {
                image: "i".to_owned(),
                args: Vec::new(),
                next: Some(Box::new(Container { image: "j".to_owned(), args: Vec::new(), next: None })),
            }),
            rules: vec![Rule::Prefix { value: "v".to_owned() }, Rule::Length { max: 255 }],
            scope: Some(Scope::Namespaces(vec!["x".to_owned()])),
            when: Some(When::Matches("m".to_owned())),
            limits: BTreeMap::from([("a".to_owned(), -1)]),
            kinds: BTreeSet::from(["Pod".to_owned()]),
            ratio: Some(1.0),
            pair: Some(("p".to_owned(), true)),
            either: Some(NumberOrName::Number(8080)),
        }
    );
    for (text, scope) in
        [("everything", Scope::Everything), ("{ labels: { key: k } }", Scope::Labels { key: "k".to_owned() })]
    {
        let (read, _) = read_settings::<Settings>(&format!("settings: {{ name: x, scope: {text} }}"));
        assert_eq!(read.unwrap().scope, Some(scope));
    }
}

#[test]
fn keeps_null_fields_absent() {
    let (read, _) = read_settings::<Settings>("settings: { name: x, allowed: , ports: ~, pullPolicy: null }");
    assert_eq!(read.unwrap(), Settings { name: "x".to_owned(), ..Settings::default() });
    assert_eq!(problems("name:\n"), ["1:1: missing field `name`"]);
}

#[test]
fn rejects_all_problems_at_once() {
    let (_, problems) = read_settings::<Settings>(
        "spec: x
settings:
  alowed: [a]
  ports: [80, 70000, \"90\"]
  pullPolicy: always
  container:
    args: {a: b}
    next: { image: 5 }
",
    );
    assert_eq!(
        rendered(&problems),
        "\
error: missing field `name`
 --> f.yaml:2:1
  |
2 | settings:
  | ^^^^^^^^

error: unknown field `alowed`, did you mean `allowed`?
 --> f.yaml:3:3
  |
3 |   alowed: [a]
  |   ^^^^^^

error: expected an integer from 0 to 65535, found the integer `70000`
 --> f.yaml:4:15
  |
4 |   ports: [80, 70000, \"90\"]
  |               ^^^^^

error: expected an integer from 0 to 65535, found the string \"90\"
 --> f.yaml:4:22
  |
4 |   ports: [80, 70000, \"90\"]
  |                      ^^^^

error: unknown value `always`, did you mean `Always`?
 --> f.yaml:5:15
  |
5 |   pullPolicy: always
  |               ^^^^^^

error: missing field `image`
 --> f.yaml:6:3
  |
6 |   container:
  |   ^^^^^^^^^

error: expected a list of strings, found a map
 --> f.yaml:7:11
  |
7 |     args: {a: b}
  |           ^^^^^^

error: expected a string, found the integer `5`
 --> f.yaml:8:20
  |
8 |     next: { image: 5 }
  |                    ^
  |
  = help: quote it: \"5\"
"
    );
}

#[test]
fn rejects_each_kind_of_field_in_its_words() {
    let cases: &[(&str, &[&str])] = &[
        ("allowed: a", &["3:12: expected a list of strings, found the string \"a\""]),
        ("allowed: [1.5]", &["3:13: expected a string, found the number `1.5`"]),
        ("pullPolicy: [Always]", &["3:15: expected one of `Always`, `Never`, `IfNotPresent`, found a list"]),
        (
            "pullPolicy: Sometimes",
            &["3:15: unknown value `Sometimes`, expected one of `Always`, `Never`, `IfNotPresent`"],
        ),
        ("rules: [{ type: prefx, value: v }]", &["3:19: unknown value `prefx`, did you mean `prefix`?"]),
        ("rules: [{ value: v }]", &["3:13: missing field `type`"]),
        (
            "rules: [{ type: length, max: 256, mx: 1 }]",
            &[
                "3:32: expected an integer from 0 to 255, found the integer `256`",
                "3:37: unknown field `mx`, did you mean `max`?",
            ],
        ),
        ("rules: [a]", &["3:11: expected a map, found the string \"a\""]),
        ("scope: everythin", &["3:10: unknown value `everythin`, did you mean `everything`?"]),
        ("scope: { namespace: [] }", &["3:12: unknown field `namespace`, did you mean `namespaces`?"]),
        (
            "scope: { namespaces: [], labels: {key: k} }",
            &["3:3: expected a map with a single field, one of `namespaces`, `labels`"],
        ),
        ("scope: { labels: { } }", &["3:12: missing field `key`"]),
        ("scope: [x]", &["3:10: expected `everything` or a map, found a list"]),
        ("when: { kind: Matches }", &["3:3: missing field `value`"]),
        (
            "limits: { a: b, c: 1 }",
            &["3:16: expected an integer from -9223372036854775808 to 9223372036854775807, found the string \"b\""],
        ),
        ("kinds: [Pod, Pod]", &["3:16: the list holds this item twice"]),
        ("ratio: x", &["3:10: expected a number, found the string \"x\""]),
        ("pair: [p]", &["3:9: expected at least 2 items, found 1"]),
        (
            "pair: [1, 2, 3]",
            &[
                "3:9: expected at most 2 items, found 3",
                "3:10: expected a string, found the integer `1`",
                "3:13: expected true or false, found the integer `2`",
            ],
        ),
        ("either: []", &["3:11: expected a string or an integer from 0 to 65535, found a list"]),
        ("either: 99999", &["3:11: expected an integer from 0 to 65535, found the integer `99999`"]),
    ];
    for (text, expected) in cases {
        assert_eq!(problems(&format!("name: x\n{text}")), *expected, "{text}");
    }
    let (_, found) = read_settings::<Settings>("settings: [1]");
    assert_eq!(lines(&found), ["f.yaml:1:11: error: expected a map, found a list"]);
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Whole {
    id: u8,
    #[serde(flatten)]
    part: FlatPart,
    #[serde(flatten)]
    rule: Option<FlatRule>,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct FlatPart {
    color: String,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum FlatRule {
    Exact(String),
    Prefix(String),
}

#[test]
fn knows_flattened_fields() {
    let (read, found) = read_settings::<Whole>("settings: { id: 1, color: red, exact: x }");
    assert_eq!(lines(&found), [""; 0]);
    assert_eq!(
        read.unwrap(),
        Whole { id: 1, part: FlatPart { color: "red".to_owned() }, rule: Some(FlatRule::Exact("x".to_owned())) }
    );
    let (_, found) = read_settings::<Whole>("settings: { id: 300, colour: red }");
    assert_eq!(
        lines(&found),
        [
            "f.yaml:1:1: error: missing field `color`",
            "f.yaml:1:17: error: expected an integer from 0 to 255, found the integer `300`",
            "f.yaml:1:22: error: unknown field `colour`, did you mean `color`?",
        ]
    );
}

/// A check that no schema tells.
#[derive(Debug, PartialEq, JsonSchema)]
struct Even(i64);

impl<'de> Deserialize<'de> for Even {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match i64::deserialize(deserializer)? {
            even if even % 2 == 0 => Ok(Self(even)),
            odd => Err(serde::de::Error::custom(format_args!("{odd} is odd"))),
        }
    }
}

#[test]
fn points_to_the_value_that_serde_refuses() {
    let (_, found) = read_settings::<BTreeMap<String, Vec<Even>>>("settings:\n  a: [2, 4]\n  b: [2, 3]\n");
    assert_eq!(lines(&found), ["f.yaml:3:10: error: 3 is odd"]);
}
