//! Which values an explanation may show.
//!
//! Offline everything of the user's own files is shown but for Secrets. In the server, and wherever a Secret is among what was
//! read, a text or number is shown only if it stands where anybody may read it (PRODUCT.md, section 3): not in a Secret's data,
//! not in env, arguments, commands, annotations or tokens. What an expression makes of texts is then not shown either, unless
//! it is such a text again.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use serde_json::Value;

use super::trace::Change;
use super::wording::cut;
use crate::json::patch::Operation;
use crate::json::{Node, View};

/// Keys whose values are shown to nobody, wherever they stand.
const HIDDEN: [&str; 6] = ["env", "args", "command", "annotations", "token", "managedFields"];
/// The same at the root of a Secret.
const HIDDEN_OF_SECRETS: [&str; 2] = ["data", "stringData"];
/// So many texts of an object are known; those beyond are not shown.
const TEXTS: usize = 100_000;

/// So many nodes of a value are shown.
const NODES: usize = 500;
/// The longest text of a value that is shown, in bytes.
const TEXT: usize = 1024;

/// What may be shown, as far as it was learned.
#[derive(Debug)]
pub struct Discretion {
    is_guarded: Cell<bool>,
    public: RefCell<BTreeSet<String>>,
}

impl Discretion {
    /// Shows everything (`is_guarded` false) until a Secret is learned of.
    pub fn new(is_guarded: bool) -> Self {
        Self { is_guarded: is_guarded.into(), public: RefCell::default() }
    }

    /// Takes an object that expressions may read: what of it is public may be shown.
    pub fn learn(&self, object: Node<'_>) {
        let is_secret = object.str("kind") == Some("Secret");
        if is_secret {
            self.is_guarded.set(true);
        }
        self.walk(object, is_secret);
    }

    /// Takes a text that is public: a name in the request, a literal of an expression.
    pub fn learn_text(&self, text: &str) {
        let mut public = self.public.borrow_mut();
        if public.len() < TEXTS && !public.contains(text) {
            public.insert(text.to_owned());
        }
    }

    fn walk(&self, node: Node<'_>, is_secret: bool) {
        match node.view() {
            View::Map(map) => {
                for (key, value) in map.entries() {
                    if HIDDEN.contains(key) || (is_secret && HIDDEN_OF_SECRETS.contains(key)) {
                        continue;
                    }
                    self.learn_text(key);
                    self.walk(*value, false);
                }
            }
            View::List(items) => items.iter().for_each(|item| self.walk(*item, false)),
            View::String(text) => self.learn_text(text),
            View::Int(number) => self.learn_text(&number.to_string()),
            View::UInt(number) => self.learn_text(&number.to_string()),
            View::Float(number) => self.learn_text(&number.to_string()),
            View::Null | View::Bool(_) => {}
        }
    }

    /// Whether not everything is shown.
    pub fn is_guarded(&self) -> bool {
        self.is_guarded.get()
    }

    /// Whether a text, or a number as text, is shown.
    pub fn shows(&self, text: &str) -> bool {
        !self.is_guarded() || self.public.borrow().contains(text)
    }

    /// An operation of a patch for an object of this kind.
    pub fn change(&self, kind: &str, operation: &Operation<'_>) -> Change {
        let path = operation.path().to_owned();
        let value = operation.value().filter(|_| self.shows_place(kind, &path));
        let from = match operation {
            Operation::Move { from, .. } | Operation::Copy { from, .. } => Some(from.clone()),
            _ => None,
        };
        let hidden = operation.value().is_some() && value.is_none();
        let value = value.map(|value| self.shown(value, &mut { NODES }));
        Change { op: operation.op(), path, from, value, hidden }
    }

    /// A value in which long texts are cut and what is not to be seen is replaced.
    fn shown(&self, node: Node<'_>, left: &mut usize) -> Value {
        let Some(rest) = left.checked_sub(1) else { return Value::from("…") };
        *left = rest;
        match node.view() {
            View::Map(map) => {
                let mut shown = serde_json::Map::new();
                for (key, value) in map.entries() {
                    let is_hidden = self.is_guarded() && HIDDEN.contains(key);
                    let value = if is_hidden { Value::from("(not shown)") } else { self.shown(*value, left) };
                    shown.insert((*key).to_owned(), value);
                    if *left == 0 {
                        break;
                    }
                }
                Value::Object(shown)
            }
            View::List(items) => {
                let mut shown = vec![];
                for item in items {
                    shown.push(self.shown(*item, left));
                    if *left == 0 {
                        break;
                    }
                }
                Value::Array(shown)
            }
            View::String(text) => Value::from(cut(text, TEXT)),
            View::Int(number) => Value::from(number),
            View::UInt(number) => Value::from(number),
            View::Float(number) => Value::from(number),
            View::Bool(value) => Value::from(value),
            View::Null => Value::Null,
        }
    }

    /// Whether what stands at this JSON pointer of an object of this kind is shown, whatever it says.
    pub fn shows_place(&self, kind: &str, pointer: &str) -> bool {
        let mut keys = pointer.split('/').skip(1);
        let is_of_secret = kind == "Secret" && keys.clone().next().is_none_or(|key| HIDDEN_OF_SECRETS.contains(&key));
        !self.is_guarded() || !(is_of_secret || pointer.is_empty() || keys.any(|key| HIDDEN.contains(&key)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Arena, read};

    const POD: &str = r#"{"kind":"Pod","metadata":{"name":"web","annotations":{"key":"private"},"labels":{"team":"red"}},
        "spec":{"containers":[{"image":"nginx","args":["--password=x"],"env":[{"name":"A","value":"b"}],"ports":[{"containerPort":80}]}]}}"#;

    #[test]
    fn shows_everything_offline_until_there_is_a_secret() {
        let arena = Arena::with_limit(1 << 20);
        let discretion = Discretion::new(false);
        discretion.learn(read(&arena, POD).unwrap());
        assert!(discretion.shows("--password=x") && discretion.shows("made by an expression"));
        let secret = r#"{"kind":"Secret","metadata":{"name":"s","labels":{"a":"b"}},"data":{"k":"aHVudGVyMg=="},"stringData":{"pin":1234}}"#;
        discretion.learn(read(&arena, secret).unwrap());
        for (text, shown) in [
            ("s", true),
            ("nginx", true),
            ("80", true),
            ("aHVudGVyMg==", false),
            ("k", false),
            ("1234", false),
            ("hunter2", false),
        ] {
            assert_eq!(discretion.shows(text), shown, "{text}");
        }
    }

    #[test]
    fn hides_in_the_server_what_may_hold_a_secret() {
        let arena = Arena::with_limit(1 << 20);
        let discretion = Discretion::new(true);
        discretion.learn(read(&arena, POD).unwrap());
        for (text, shown) in [("web", true), ("red", true), ("private", false), ("--password=x", false), ("b", false)] {
            assert_eq!(discretion.shows(text), shown, "{text}");
        }
        for (kind, pointer, shown) in [
            ("Pod", "/metadata/labels/team", true),
            ("Pod", "/spec/containers/0/env/-", false),
            ("Pod", "/metadata/annotations", false),
            ("Pod", "", false),
            ("Secret", "/data/k", false),
            ("Secret", "/metadata/labels/a", true),
            ("ConfigMap", "/data/k", true),
        ] {
            assert_eq!(discretion.shows_place(kind, pointer), shown, "{kind} {pointer}");
        }
    }
}
