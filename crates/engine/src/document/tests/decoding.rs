//! The collecting decoder: all problems at once, each in its place.

use std::collections::BTreeMap;

use super::*;

#[derive(Debug, PartialEq, Clone)]
enum Action {
    Deny,
    Warn,
}

#[derive(Debug, PartialEq)]
struct Rule {
    name: Located<String>,
    order: i32,
    actions: Vec<Action>,
    labels: BTreeMap<String, String>,
    enabled: bool,
    parts: Vec<Part>,
}

#[derive(Debug, PartialEq)]
struct Part {
    port: u16,
}

impl<'t> Decode<'t> for Action {
    fn expected() -> String {
        "an action".to_owned()
    }
    fn expected_many() -> String {
        "actions".to_owned()
    }
    fn decode(decoder: &Decoder, node: &'t Spanned) -> Option<Self> {
        decoder.choice(node, &[("Deny", Self::Deny), ("Warn", Self::Warn)])
    }
}

impl<'t> Decode<'t> for Part {
    fn expected() -> String {
        "a part".to_owned()
    }
    fn expected_many() -> String {
        "parts".to_owned()
    }
    fn decode(decoder: &Decoder, node: &'t Spanned) -> Option<Self> {
        let mut fields = decoder.fields(node)?;
        let port = fields.required("port");
        fields.finish();
        Some(Self { port: port? })
    }
}

impl<'t> Decode<'t> for Rule {
    fn expected() -> String {
        "a rule".to_owned()
    }
    fn expected_many() -> String {
        "rules".to_owned()
    }
    fn decode(decoder: &Decoder, node: &'t Spanned) -> Option<Self> {
        let mut fields = decoder.fields(node)?;
        let name = fields.required("name");
        let order = fields.optional("order");
        let actions = fields.optional("actions");
        let labels = fields.optional("labels");
        let enabled = fields.optional("enabled");
        let parts = fields.optional("parts");
        fields.finish();
        Some(Self {
            name: name?,
            order: order.unwrap_or_default(),
            actions: actions.unwrap_or_default(),
            labels: labels.unwrap_or_default(),
            enabled: enabled.unwrap_or(true),
            parts: parts.unwrap_or_default(),
        })
    }
}

fn decode(text: &str) -> (Option<Rule>, Vec<Diagnostic>) {
    let (file, root) = document(text);
    let decoder = Decoder::new(&file);
    let rule = decoder.decode(&root);
    (rule, decoder.finish())
}

#[test]
fn accepts_a_whole_rule() {
    let (rule, problems) =
        decode("name: a\norder: -1\nactions: [Deny, Warn]\nlabels: {k: v}\nenabled: no\nparts:\n- port: 80\n");
    assert_eq!(lines(&problems), [""; 0]);
    assert_eq!(
        rule.unwrap(),
        Rule {
            name: Located { value: "a".to_owned(), span: 6..7 },
            order: -1,
            actions: vec![Action::Deny, Action::Warn],
            labels: BTreeMap::from([("k".to_owned(), "v".to_owned())]),
            enabled: false,
            parts: vec![Part { port: 80 }],
        }
    );
}

#[test]
fn keeps_null_fields_absent() {
    let (rule, problems) = decode("name: a\norder: ~\nactions:\nparts: null\n");
    assert_eq!(lines(&problems), [""; 0]);
    assert_eq!(rule.unwrap().order, 0);
}

#[test]
fn rejects_all_problems_at_once() {
    let (_, problems) = decode(
        "nam: a\norder: 3000000000\nactions: [Deny, Warm]\nlabels: {a: yes, b: 8080, c: c}\nenabled: \"true\"\nparts:\n- port: 99999\n- prot: 80\n- [80]\n",
    );
    assert_eq!(
        rendered(&problems),
        "\
error: missing field `name`
 --> f.yaml:1:1
  |
1 | nam: a
  | ^^^

error: unknown field `nam`, did you mean `name`?
 --> f.yaml:1:1
  |
1 | nam: a
  | ^^^

error: expected an integer from -2147483648 to 2147483647, found the integer `3000000000`
 --> f.yaml:2:8
  |
2 | order: 3000000000
  |        ^^^^^^^^^^

error: unknown value `Warm`, did you mean `Warn`?
 --> f.yaml:3:17
  |
3 | actions: [Deny, Warm]
  |                 ^^^^

error: expected a string, found the boolean `yes`
 --> f.yaml:4:13
  |
4 | labels: {a: yes, b: 8080, c: c}
  |             ^^^
  |
  = help: quote it: \"yes\"

error: expected a string, found the integer `8080`
 --> f.yaml:4:21
  |
4 | labels: {a: yes, b: 8080, c: c}
  |                     ^^^^
  |
  = help: quote it: \"8080\"

error: expected true or false, found the string \"true\"
 --> f.yaml:5:10
  |
5 | enabled: \"true\"
  |          ^^^^^^

error: expected an integer from 0 to 65535, found the integer `99999`
 --> f.yaml:7:9
  |
7 | - port: 99999
  |         ^^^^^

error: missing field `port`
 --> f.yaml:8:3
  |
8 | - prot: 80
  |   ^^^^

error: unknown field `prot`, did you mean `port`?
 --> f.yaml:8:3
  |
8 | - prot: 80
  |   ^^^^

error: expected a map, found a list
 --> f.yaml:9:3
  |
9 | - [80]
  |   ^^^^
"
    );
}

#[test]
fn rejects_all_problems_of_all_documents() {
    let (_, parsed) = read("a: 1\na: 2\nb: .nan\n---\nc: [1\n---\nd: e\nf: g: h\n---\nname: x\n");
    assert_eq!(
        lines(&parsed.problems),
        [
            "f.yaml:2:1: error: duplicate key `a`",
            "f.yaml:3:4: error: .nan is not a number that JSON can hold",
            "f.yaml:5:4: error: unclosed bracket '['",
            "f.yaml:8:5: error: mapping values are not allowed in this context",
        ]
    );
    assert_eq!(values(&parsed), [serde_json::json!({"name": "x"})]);
}

#[test]
fn points_to_the_key_that_holds_what_is_incomplete() {
    let (file, root) = document("spec:\n  rule:\n    order: 1\n");
    let decoder = Decoder::new(&file);
    assert_eq!(decoder.decode::<Rule>(root.at("/spec/rule").unwrap()), None);
    assert!(decoder.has_errors());
    assert_eq!(lines(&decoder.finish()), ["f.yaml:2:3: error: missing field `name`"]);
}
