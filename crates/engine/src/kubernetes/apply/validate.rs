//! Whether an object fits its type (typed/validate.go), and whether a configuration leaves alone what is one value
//! (patch/smd.go, `findAtomics`).

use std::fmt;

use super::key::{Index, Key};
use super::{DEEPEST, MOST_LISTED, go_value};
use crate::json::{Arena, List, Node, View};
use crate::kubernetes::schema::{Items, ListType, MapType, Scalar, Schema, Type, TypeId};

/// Something that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Where: `.spec.replicas`; empty for the object itself.
    pub place: String,
    /// What is wrong there, in upstream's words.
    pub problem: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.is_empty() {
            return formatter.write_str(&self.problem);
        }
        write!(formatter, "{}: {}", self.place, self.problem)
    }
}

/// What does not fit in a configuration. No key may occur twice in a list.
pub(super) fn configuration(schema: &Schema, root: Node<'_>) -> Vec<Violation> {
    run(schema, root, false)
}

/// What does not fit in an object. It may have lists in which a key occurs twice.
pub(super) fn object(schema: &Schema, root: Node<'_>) -> Vec<Violation> {
    run(schema, root, true)
}

fn run(schema: &Schema, root: Node<'_>, is_object: bool) -> Vec<Violation> {
    // Keys of items are made here: a default that stands in for one.
    let arena = Arena::with_limit(usize::MAX);
    let mut walk = Walk { schema, arena: &arena, is_object, found: vec![] };
    walk.value(schema.root(), root, &Place { parent: None, step: Step::Root, depth: 0 });
    walk.found
}

/// A place while it is being visited.
#[derive(Clone, Copy)]
struct Place<'p> {
    parent: Option<&'p Place<'p>>,
    step: Step<'p>,
    depth: u32,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Root,
    Field(&'p str),
    Index(usize),
    Item(&'p Key<'p>),
}

impl<'p> Place<'p> {
    fn below(&'p self, step: Step<'p>) -> Self {
        Self { parent: Some(self), step, depth: self.depth + 1 }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(formatter)?;
        }
        match self.step {
            Step::Root => Ok(()),
            Step::Field(name) => write!(formatter, ".{name}"),
            Step::Index(index) => write!(formatter, "[{index}]"),
            Step::Item(key) => key.fmt(formatter),
        }
    }
}

struct Walk<'k> {
    schema: &'k Schema,
    arena: &'k Arena,
    is_object: bool,
    found: Vec<Violation>,
}

impl<'k> Walk<'k> {
    fn wrong(&mut self, place: &Place<'_>, problem: String) {
        if self.found.len() < MOST_LISTED {
            self.found.push(Violation { place: place.to_string(), problem });
        }
    }

    fn value(&mut self, id: TypeId, value: Node<'k>, place: &Place<'_>) {
        if value.is_unread() {
            // What the reader left unparsed is what the API server itself writes.
            return;
        }
        if place.depth > DEEPEST {
            return self.wrong(place, "nested too deeply".to_owned());
        }
        match part_for(self.schema.get(id), value) {
            Part::Map(map) => self.map(map, value, place),
            Part::Scalar(scalar) => self.scalar(scalar, value, place),
            Part::List(list) => self.list(list, value, place),
            Part::Nothing => self.wrong(place, "schema error: invalid atom: inlined".to_owned()),
        }
    }

    fn scalar(&mut self, scalar: Scalar, value: Node<'_>, place: &Place<'_>) {
        let view = value.view();
        let is_number = matches!(view, View::Int(_) | View::UInt(_) | View::Float(_));
        let is_scalar = is_number || matches!(view, View::String(_) | View::Bool(_));
        let (fits, expected) = match scalar {
            Scalar::Numeric => (is_number, "numeric (int or float)"),
            Scalar::String => (matches!(view, View::String(_)), "string"),
            Scalar::Boolean => (matches!(view, View::Bool(_)), "boolean"),
            Scalar::Untyped => (is_scalar, "any scalar"),
        };
        if !fits && !value.is_null() {
            let got = match scalar {
                Scalar::Numeric => go_type(value).to_owned(),
                Scalar::String => self.print(value, go_value::typed),
                Scalar::Boolean | Scalar::Untyped => self.print(value, go_value::plain),
            };
            self.wrong(place, format!("expected {expected}, got {got}"));
        }
    }

    /// A value for a message. What an object holds is not told.
    fn print(&self, value: Node<'_>, print: fn(Node<'_>) -> String) -> String {
        if self.is_object { go_type(value).to_owned() } else { print(value) }
    }

    fn map(&mut self, map: &'k MapType, value: Node<'k>, place: &Place<'_>) {
        if value.is_null() {
            return;
        }
        let Some(entries) = value.as_map() else {
            let got = self.print(value, go_value::plain);
            return self.wrong(place, format!("expected map, got {got}"));
        };
        for (key, value) in entries.entries() {
            let below = place.below(Step::Field(key));
            // Upstream stops at the first.
            let Some(of) = map.under(key) else {
                return self.wrong(&below, "field not declared in schema".to_owned());
            };
            self.value(of, *value, &below);
        }
    }

    fn list(&mut self, list: &'k ListType, value: Node<'k>, place: &Place<'_>) {
        if value.is_null() {
            return;
        }
        let Some(items) = value.as_list() else {
            let got = self.print(value, go_value::plain);
            return self.wrong(place, format!("expected list, got {got}"));
        };
        if list.items == Items::Atomic {
            for (index, item) in items.iter().enumerate() {
                self.value(list.element, *item, &place.below(Step::Index(index)));
            }
            return;
        }
        let (keys, fault) = self.keys(list, items);
        let mut index = Index::default();
        for ((position, key), item) in keys.iter().enumerate().zip(items) {
            if index.insert(&keys, position).is_some() && !self.is_object {
                self.wrong(place, format!("duplicate entries for key {key}"));
            }
            self.value(list.element, *item, &place.below(Step::Item(key)));
        }
        if let Some(fault) = fault {
            self.wrong(place, format!("element {}: {fault}", keys.len()));
        }
    }

    /// The keys of items up to the first that has none, and why it has none.
    fn keys(&self, list: &'k ListType, items: List<'k>) -> (Vec<Key<'k>>, Option<String>) {
        let mut keys = Vec::with_capacity(items.len());
        for item in items {
            match Key::of(self.arena, self.schema, list, *item) {
                Ok(key) => keys.push(key),
                Err(fault) => return (keys, Some(fault)),
            }
        }
        (keys, None)
    }
}

/// The part of a type that a value is held against (typed/helpers.go, `deduceAtom` and `handleAtom`): that of its own kind;
/// where the type has none such, any.
pub(super) enum Part<'t> {
    Map(&'t MapType),
    Scalar(Scalar),
    List(&'t ListType),
    Nothing,
}

pub(super) fn part_for<'t>(of: &'t Type, value: Node<'_>) -> Part<'t> {
    let fitting = match value.view() {
        View::Null => None,
        View::List(_) => of.list.as_ref().map(Part::List),
        View::Map(_) => of.map.as_ref().map(Part::Map),
        _ => of.scalar.map(Part::Scalar),
    };
    let any = || match of {
        Type { map: Some(map), .. } => Part::Map(map),
        Type { scalar: Some(scalar), .. } => Part::Scalar(*scalar),
        Type { list: Some(list), .. } => Part::List(list),
        _ => Part::Nothing,
    };
    fitting.unwrap_or_else(any)
}

/// The name of the type that a value has in Go.
fn go_type(value: Node<'_>) -> &'static str {
    match value.view() {
        View::Null => "<nil>",
        View::Bool(_) => "bool",
        View::Int(_) => "int64",
        View::UInt(_) | View::Float(_) => "float64",
        View::String(_) => "string",
        View::List(_) => "[]interface {}",
        View::Map(_) => "map[string]interface {}",
    }
}

/// Where a configuration sets a list or a map that is one value. It has been held against its type before.
pub(super) fn atomic_places(schema: &Schema, root: Node<'_>) -> Vec<String> {
    let mut found = vec![];
    atomic(schema, schema.root(), root, &Place { parent: None, step: Step::Root, depth: 0 }, &mut found);
    found
}

fn atomic(schema: &Schema, id: TypeId, value: Node<'_>, place: &Place<'_>, found: &mut Vec<String>) {
    let of = schema.get(id);
    let mut note = |is_atomic: bool| {
        if is_atomic && found.len() < MOST_LISTED {
            found.push(place.to_string());
        }
    };
    match (value.view(), &of.map, &of.list) {
        (View::Map(entries), Some(map), _) => {
            note(map.is_atomic);
            // Into declared fields alone, not into the values of other keys: so does upstream.
            for (key, value) in entries.entries() {
                if let Some(of) = map.declared(key) {
                    atomic(schema, of, *value, &place.below(Step::Field(key)), found);
                }
            }
        }
        (View::List(items), _, Some(list)) => {
            note(list.items == Items::Atomic);
            for (index, item) in items.iter().enumerate() {
                atomic(schema, list.element, *item, &place.below(Step::Index(index)), found);
            }
        }
        _ => {}
    }
}
