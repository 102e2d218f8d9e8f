//! What keeps an object from being read as one of its kind, as the API server reads what a JSON patch of a
//! MutatingAdmissionPolicy has made (k8s.io/apiserver, pkg/admission/plugin/policy/mutating/patch/json_patch.go: strict, by
//! sigs.k8s.io/json): fields that the kind does not have, and values that do not go into their fields.
//!
//! Fields are named in upstream's words. Of a value that does not fit upstream names the Go type of the field, which the table
//! of types does not have: that text is ours. What only Go's types tell (numbers that are too large, texts that are no
//! quantity or no time) is not found here.

use std::fmt::Write as _;

use super::schema::{MapType, Scalar, Schema, Type, TypeId};
use crate::json::{Node, View};

/// How many unknown fields are named.
const MOST: usize = 100;

/// What is wrong with an object that was not wrong with it before. None: it can be read.
pub fn fault(schema: &Schema, before: Node<'_>, after: Node<'_>) -> Option<String> {
    let found = Walk::of(schema, after);
    if found.mistyped.is_empty() && found.unknown.is_empty() {
        return None;
    }
    let known = Walk::of(schema, before);
    // A value that does not fit ends the reading; unknown fields are listed.
    if let Some(mistyped) = found.mistyped.into_iter().find(|text| !known.mistyped.contains(text)) {
        return Some(mistyped);
    }
    let unknown = found.unknown.iter().filter(|path| !known.unknown.contains(path));
    let texts: Vec<String> = unknown.take(MOST).map(|path| format!("unknown field {path:?}")).collect();
    (!texts.is_empty()).then(|| format!("strict decoding error: {}", texts.join(", ")))
}

struct Walk<'s> {
    schema: &'s Schema,
    path: String,
    mistyped: Vec<String>,
    unknown: Vec<String>,
}

impl<'s> Walk<'s> {
    fn of(schema: &'s Schema, root: Node<'_>) -> Self {
        let mut walk = Self { schema, path: String::new(), mistyped: vec![], unknown: vec![] };
        walk.value(schema.root(), root);
        walk
    }

    /// Null goes into every field; what was left unread the API server itself has written.
    fn value(&mut self, id: TypeId, value: Node<'_>) {
        if value.is_null() || value.is_unread() {
            return;
        }
        let schema = self.schema;
        let of = schema.get(id);
        match value.view() {
            View::Map(_) => match &of.map {
                Some(map) => self.map(map, value),
                None => self.mistyped(of, "object"),
            },
            View::List(items) => match &of.list {
                Some(list) => {
                    for (index, item) in items.iter().enumerate() {
                        self.below(|path| write!(path, "[{index}]"), |walk| walk.value(list.element, *item));
                    }
                }
                None => self.mistyped(of, "array"),
            },
            View::String(_) => self.scalar(of, Scalar::String, "string"),
            View::Bool(_) => self.scalar(of, Scalar::Boolean, "bool"),
            View::Int(_) | View::UInt(_) | View::Float(_) => self.scalar(of, Scalar::Numeric, "number"),
            View::Null => {}
        }
    }

    /// Fields are visited in the order in which the patched object is written: by name.
    fn map(&mut self, map: &MapType, value: Node<'_>) {
        let mut entries: Vec<_> = value.entries().to_vec();
        entries.sort_by_key(|(key, _)| *key);
        for (key, value) in entries {
            let dot = if self.path.is_empty() { "" } else { "." };
            self.below(
                |path| write!(path, "{dot}{key}"),
                |walk| match map.under(key) {
                    Some(id) => walk.value(id, value),
                    None => walk.unknown.push(walk.path.clone()),
                },
            );
        }
    }

    fn scalar(&mut self, of: &Type, is: Scalar, name: &str) {
        if of.scalar.is_none_or(|scalar| scalar != is && scalar != Scalar::Untyped) {
            self.mistyped(of, name);
        }
    }

    fn mistyped(&mut self, of: &Type, is: &str) {
        let wanted = match (of.scalar, &of.list, &of.map) {
            (Some(Scalar::String), ..) => "a string",
            (Some(Scalar::Numeric), ..) => "a number",
            (Some(Scalar::Boolean), ..) => "a bool",
            (Some(Scalar::Untyped), ..) => "a scalar",
            (None, Some(_), _) => "an array",
            (None, None, _) => "an object",
        };
        self.mistyped.push(format!("json: cannot unmarshal {is} into the field {}, which holds {wanted}", self.path));
    }

    fn below(&mut self, step: impl FnOnce(&mut String) -> std::fmt::Result, visit: impl FnOnce(&mut Self)) {
        let before = self.path.len();
        // Writing to a text does not fail.
        let _ = step(&mut self.path);
        visit(self);
        self.path.truncate(before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Arena, read};
    use crate::kubernetes::schema::Schemas;

    fn found(before: &str, after: &str) -> Option<String> {
        let arena = Arena::with_limit(1 << 20);
        let schema = Schemas::built_in().of("apps/v1", "Deployment").unwrap();
        fault(&schema, read(&arena, before).unwrap(), read(&arena, after).unwrap())
    }

    #[test]
    fn names_every_field_that_the_kind_does_not_have() {
        let after = r#"{"spec":{"zebra":1,"template":{"spec":{"containers":[{"name":"a"},{"colour":"red"}],"ape":{}}}},
            "metadata":{"labels":{"any":"thing"},"label":{}}}"#;
        let text = "strict decoding error: unknown field \"metadata.label\", unknown field \"spec.template.spec.ape\", unknown field \"spec.template.spec.containers[1].colour\", unknown field \"spec.zebra\"";
        assert_eq!(found("{}", after).unwrap(), text);
        assert_eq!(found(after, after), None);
    }

    #[test]
    fn names_the_first_value_that_does_not_go_into_its_field() {
        let after = r#"{"spec":{"replicas":"3","paused":1,"other":2}}"#;
        let text = "json: cannot unmarshal number into the field spec.paused, which holds a bool";
        assert_eq!(found("{}", after).unwrap(), text);
        let wrong = [
            (r#"{"spec":[]}"#, "array into the field spec, which holds an object"),
            (r#"{"metadata":{"finalizers":"a"}}"#, "string into the field metadata.finalizers, which holds an array"),
            (r#"{"metadata":{"labels":{"a":true}}}"#, "bool into the field metadata.labels.a, which holds a string"),
        ];
        for (after, text) in wrong {
            assert_eq!(found("{}", after).unwrap(), format!("json: cannot unmarshal {text}"));
        }
    }

    #[test]
    fn accepts_what_the_kind_has() {
        let after = r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"creationTimestamp":null,"managedFields":[{"fieldsV1":{"f:a":{"f:b":{}}}}]},
            "spec":{"replicas":null,"strategy":{"rollingUpdate":{"maxSurge":1,"maxUnavailable":"25%"}},
            "template":{"spec":{"containers":[{"resources":{"limits":{"cpu":1,"memory":"1Gi"}},"ports":[]}]}}}}"#;
        assert_eq!(found("{}", after), None);
    }
}
