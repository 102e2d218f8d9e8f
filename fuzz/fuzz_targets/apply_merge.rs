//! Whatever the object and the configuration, merging ends with an object or an error, and leaves the first object as it was.
//! What the configuration says is in the result, what it does not name stays, and to apply it again changes nothing.

#![no_main]

use std::sync::OnceLock;

use admittance_engine::json::{Arena, List, Node, View, read};
use admittance_engine::kubernetes::apply::{ApplyError, apply};
use admittance_engine::kubernetes::schema::{Schema, Schemas};
use arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;

/// Forms of some parts of built-in kinds, as OpenAPI schemas: objects are made by them, and results are held against them.
const POD: &str = r#"{
    "type": "object", "properties": {
        "apiVersion": {"type": "string"}, "kind": {"type": "string"},
        "metadata": {"type": "object", "properties": {
            "name": {"type": "string"},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "finalizers": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
            "ownerReferences": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["uid"], "items":
                {"type": "object", "x-kubernetes-map-type": "atomic", "properties": {"uid": {"type": "string"}, "name": {"type": "string"}}}}
        }},
        "spec": {"type": "object", "properties": {
            "hostNetwork": {"type": "boolean"}, "priority": {"type": "integer"}, "nodeName": {"type": "string"},
            "nodeSelector": {"type": "object", "additionalProperties": {"type": "string"}, "x-kubernetes-map-type": "atomic"},
            "tolerations": {"type": "array", "items": {"type": "object", "properties": {"key": {"type": "string"}}}},
            "containers": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items":
                {"type": "object", "properties": {
                    "name": {"type": "string"}, "image": {"type": "string"}, "stdin": {"type": "boolean"},
                    "args": {"type": "array", "items": {"type": "string"}},
                    "ports": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["containerPort", "protocol"], "items":
                        {"type": "object", "properties": {"containerPort": {"type": "integer"}, "protocol": {"type": "string"}, "name": {"type": "string"}}}},
                    "env": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"], "items":
                        {"type": "object", "properties": {"name": {"type": "string"}, "value": {"type": "string"}}}},
                    "securityContext": {"type": "object", "properties": {"runAsUser": {"type": "integer"}, "privileged": {"type": "boolean"}}},
                    "resources": {"type": "object", "properties": {"limits": {"type": "object", "additionalProperties": {"type": "string"}}}}
                }}}
        }}
    }
}"#;

/// A custom resource: all ways to merge, one within another.
const WIDGET: &str = r#"{
    "type": "object", "properties": {
        "apiVersion": {"type": "string"}, "kind": {"type": "string"},
        "spec": {"type": "object", "properties": {
            "n": {"type": "integer"}, "s": {"type": "string"}, "b": {"type": "boolean"}, "x": {"x-kubernetes-int-or-string": true},
            "set": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
            "numbers": {"type": "array", "items": {"type": "number"}, "x-kubernetes-list-type": "set"},
            "list": {"type": "array", "items": {"type": "string"}},
            "one": {"type": "object", "properties": {"n": {"type": "integer"}}, "x-kubernetes-map-type": "atomic"},
            "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "map": {"type": "object", "additionalProperties": {"type": "object", "properties": {"n": {"type": "integer"}, "s": {"type": "string"}}}},
            "keyed": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["s", "n"], "items":
                {"type": "object", "properties": {
                    "s": {"type": "string", "default": "a"}, "n": {"type": "integer"}, "b": {"type": "boolean"},
                    "set": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
                    "inner": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["s"], "items":
                        {"type": "object", "properties": {"s": {"type": "string"}, "n": {"type": "integer"}}}}
                }}}
        }}
    }
}"#;

const TEXTS: [&str; 6] = ["a", "b", "c", "", "TCP", "UDP"];

struct Known {
    pod: Schema,
    widget: Schema,
    deduced: Schema,
}

fn known() -> &'static Known {
    static KNOWN: OnceLock<Known> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let built_in = Schemas::built_in();
        let arena = Arena::with_limit(1 << 20);
        let definition =
            format!(r#"{{"spec":{{"versions":[{{"name":"v1","schema":{{"openAPIV3Schema":{WIDGET}}}}}]}}}}"#);
        let definition = read(&arena, &definition).expect("the definition is JSON");
        Known {
            pod: built_in.of("v1", "Pod").expect("pods are built in"),
            widget: Schema::of_crd(definition, "v1", &built_in).expect("it is a definition"),
            deduced: built_in.deduced(),
        }
    })
}

fuzz_target!(|bytes: &[u8]| {
    let arena = Arena::with_limit(1 << 30);
    let known = known();
    let mut input = Unstructured::new(bytes);
    let Ok(choice) = input.int_in_range(0..=3) else { return };
    let (schema, form) = match choice {
        0 => (&known.pod, POD),
        1 => (&known.deduced, WIDGET),
        _ => (&known.widget, WIDGET),
    };
    let form = read(&arena, form).expect("the form is JSON");
    let mut maker = Maker { arena: &arena, keeps_to_form: input.ratio(1, 2).unwrap_or_default() };
    let Ok(object) = maker.value(&mut input, form, 0) else { return };
    maker.keeps_to_form = input.ratio(7, 8).unwrap_or_default();
    let Ok(configuration) = maker.value(&mut input, form, 0) else { return };
    // Both are objects wherever they come from.
    if object.as_map().is_none() || configuration.as_map().is_none() {
        return;
    }
    check(&arena, schema, form, object, configuration, choice == 1);
});

fn check<'a>(
    arena: &'a Arena,
    schema: &Schema,
    form: Node<'a>,
    object: Node<'a>,
    configuration: Node<'a>,
    is_deduced: bool,
) {
    let before = text(object);
    let result = apply(arena, schema, object, configuration);
    assert_eq!(text(object), before, "the first object stays");
    let shown = || format!("{before} {}", text(configuration));
    let merged = match result {
        Ok(merged) => merged,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            if let ApplyError::Object(_) = error {
                // Then nothing can be applied to it.
                assert!(apply(arena, schema, object, arena.map(&[])).is_err(), "{}", shown());
            }
            return;
        }
    };
    let again = apply(arena, schema, merged, configuration).unwrap_or_else(|error| panic!("{error}: {}", shown()));
    assert!(again == merged, "{}\n{}\n{}", shown(), text(merged), text(again));
    let nothing = apply(arena, schema, object, arena.map(&[])).expect("the object fits");
    assert!(nothing.is_same(object) || object.entries().is_empty(), "{}", shown());
    let names = ["apiVersion", "kind"];
    assert!(names.iter().all(|name| merged.get(name) == object.get(name)), "{}", shown());
    if !is_deduced {
        for entry in configuration.entries().iter().filter(|entry| !names.contains(&entry.0)) {
            let part = form.at(&["properties", entry.0]).unwrap_or_default();
            if let Some(merged) = merged.get(entry.0) {
                said(part, entry.1, merged, &shown);
            } else {
                panic!("{} is lost: {}", entry.0, shown());
            }
        }
    }
    stays(object, configuration, merged, &shown);
}

/// What the configuration says is in the result.
fn said(form: Node<'_>, configuration: Node<'_>, merged: Node<'_>, shown: &dyn Fn() -> String) {
    match (configuration.view(), merged.view()) {
        (View::Map(said_map), View::Map(_)) => {
            for (key, value) in said_map.entries() {
                let part =
                    form.at(&["properties", key]).or_else(|| form.get("additionalProperties")).unwrap_or_default();
                let merged = merged.get(key).unwrap_or_else(|| panic!("{key} is lost: {}", shown()));
                said(part, *value, merged, shown);
            }
        }
        (View::List(items), View::List(merged)) if form.get("x-kubernetes-list-type").is_some() => {
            let keys = form.items_of("x-kubernetes-list-map-keys");
            for item in items {
                let twins = twins(*item, merged, keys, form);
                assert_eq!(twins.len(), 1, "{}", shown());
                said(form.get("items").unwrap_or_default(), *item, twins[0], shown);
            }
        }
        // Nothing is taken away by an empty one.
        (View::Null, View::Map(_) | View::List(_)) => {}
        (View::Map(empty), _) if empty.is_empty() => {}
        (View::List([]), _) => {}
        _ => assert!(configuration == merged, "{}", shown()),
    }
}

/// The items with the same key; those of sets are their own keys.
fn twins<'a>(item: Node<'a>, others: List<'a>, keys: List<'_>, form: Node<'_>) -> Vec<Node<'a>> {
    let key_of = |item: Node<'a>| -> Vec<Option<String>> {
        let of = |key: &Node<'_>| {
            let name = key.as_str().unwrap_or_default();
            let default = form.at(&["items", "properties", name, "default"]).map(text);
            let default = default.or_else(|| (name == "protocol").then(|| "\"TCP\"".to_owned()));
            let default = default.or_else(|| (name == "name").then(|| "\"\"".to_owned()));
            item.get(name).map(text).or(default)
        };
        keys.iter().map(of).collect()
    };
    let is_twin = |other: &Node<'a>| if keys.is_empty() { *other == item } else { key_of(*other) == key_of(item) };
    others.iter().copied().filter(is_twin).collect()
}

/// What the configuration does not name stays, down to where it says something else than a map.
fn stays(object: Node<'_>, configuration: Node<'_>, merged: Node<'_>, shown: &dyn Fn() -> String) {
    let (Some(map), Some(said)) = (object.as_map(), configuration.as_map()) else { return };
    for (key, value) in map.entries() {
        let merged = merged.get(key).unwrap_or_else(|| panic!("{key} is gone: {}", shown()));
        match said.get(key) {
            None => assert!(merged == *value, "{key} has changed: {}", shown()),
            Some(configuration) if *key != "kind" && *key != "apiVersion" => {
                stays(*value, configuration, merged, shown)
            }
            Some(_) => {}
        }
    }
}

fn text(node: Node<'_>) -> String {
    serde_json::to_string(&node).expect("a tree is JSON")
}

/// Makes values of a form, and now and then others.
struct Maker<'a> {
    arena: &'a Arena,
    keeps_to_form: bool,
}

impl<'a> Maker<'a> {
    fn value(&self, input: &mut Unstructured<'_>, form: Node<'a>, depth: usize) -> Result<Node<'a>> {
        if depth > 0 && input.ratio(1, 24)? {
            return Ok(Node::NULL);
        }
        if !self.keeps_to_form && input.ratio(1, 16)? {
            return self.other(input, depth);
        }
        match form.str("type") {
            Some("object") => self.object(input, form, depth),
            Some("array") => {
                let mut items = vec![];
                while items.len() < 5 && more(input, 2, 3)? {
                    items.push(self.value(input, form.get("items").unwrap_or_default(), depth + 1)?);
                }
                Ok(self.arena.list(&items))
            }
            Some("boolean") => Ok(Node::bool(input.arbitrary()?)),
            Some("integer") => Ok(Node::int(input.int_in_range(-1..=3)?)),
            Some("number") => Ok(match input.int_in_range(0..=2)? {
                0 => Node::int(input.int_in_range(-1..=2)?),
                1 => Node::uint(input.arbitrary()?),
                _ => Node::float(f64::from(input.int_in_range(-4i8..=4)?) / 2.0),
            }),
            Some(_) => Ok(Node::string(input.choose(&TEXTS)?)),
            None if input.arbitrary()? => Ok(Node::int(input.int_in_range(0..=3)?)),
            None => Ok(Node::string(input.choose(&TEXTS)?)),
        }
    }

    fn object(&self, input: &mut Unstructured<'_>, form: Node<'a>, depth: usize) -> Result<Node<'a>> {
        let mut entries: Vec<(&str, Node<'_>)> = vec![];
        for (name, form) in form.entries_of("properties") {
            if more(input, 2, 3)? {
                entries.push((name, self.value(input, *form, depth + 1)?));
            }
        }
        let others = form.get("additionalProperties");
        let is_open = others.is_some() || form.get("x-kubernetes-preserve-unknown-fields").is_some();
        while is_open && entries.len() < 4 && more(input, 1, 2)? {
            let key = *input.choose(&TEXTS)?;
            let value = match others {
                Some(form) => self.value(input, form, depth + 1)?,
                None => self.other(input, depth + 1)?,
            };
            if entries.iter().all(|entry| entry.0 != key) {
                entries.push((key, value));
            }
        }
        Ok(self.arena.map(&entries))
    }

    fn other(&self, input: &mut Unstructured<'_>, depth: usize) -> Result<Node<'a>> {
        Ok(match input.int_in_range(0..=if depth < 8 { 7 } else { 4 })? {
            0 => Node::NULL,
            1 => Node::bool(input.arbitrary()?),
            2 => Node::int(input.arbitrary()?),
            3 => Node::uint(input.arbitrary()?),
            4 => Node::string(input.choose(&TEXTS)?),
            5 => {
                let mut items = vec![];
                while items.len() < 4 && more(input, 1, 2)? {
                    items.push(self.other(input, depth + 1)?);
                }
                self.arena.list(&items)
            }
            _ => {
                let key = *input.choose(&TEXTS)?;
                self.arena.map(&[(key, self.other(input, depth + 1)?)])
            }
        })
    }
}

/// An input that is used up would say yes for ever.
fn more(input: &mut Unstructured<'_>, in_so_many: u8, of: u8) -> Result<bool> {
    Ok(!input.is_empty() && input.ratio(in_so_many, of)?)
}
