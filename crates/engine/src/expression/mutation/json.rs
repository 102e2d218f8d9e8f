//! Values as JSON in operations of a patch: `ConvertToNative` into structpb.Value, and protojson.
//!
//! Numbers are doubles there: of an int or uint beyond 2^53 - 1 a string is made, and in an `Object{…}` such a number loses
//! its last digits.

use base64::Engine as _;

use super::native::{go_type, is_object, type_name};
use super::{DEEPEST, MOST_VALUES, MutationError};
use crate::cel::value::{List, Map, Struct, Value};
use crate::json::node::Entry;
use crate::json::{Arena, Node, View};

/// The largest whole number below which a double holds all others.
const SAFE: u64 = (1 << 53) - 1;

pub(super) struct Json<'a> {
    arena: &'a Arena,
    left: usize,
}

type Made<'a> = Result<Node<'a>, MutationError>;

/// In which of Go's forms a value stands: what holds it decides how whole numbers are written.
#[derive(Clone, Copy, PartialEq)]
enum Holder {
    /// Values of CEL: large numbers become strings.
    Value,
    /// An `Object{…}`: every number becomes a double (structpb.NewStruct).
    Object,
}

fn unfit<T>(why: &str) -> Result<T, MutationError> {
    let text = "JSONPath valueExpression evaluated to a type that could not marshal to JSON";
    Err(MutationError::of(format!("{text}: {why}")))
}

impl<'a> Json<'a> {
    pub(super) fn new(arena: &'a Arena) -> Self {
        Self { arena, left: MOST_VALUES }
    }

    pub(super) fn count(&mut self, more: usize) -> Result<(), MutationError> {
        let Some(left) = self.left.checked_sub(more) else { return unfit("too large") };
        self.left = left;
        Ok(())
    }

    /// The `value` of an operation.
    pub(super) fn value(&mut self, value: Value<'a>) -> Made<'a> {
        match value {
            Value::Struct(object) if is_object(object) => self.fields(object, 0),
            value => self.dynamic(value, 0),
        }
    }

    fn enter(&mut self, depth: u32) -> Result<(), MutationError> {
        if depth > DEEPEST {
            return unfit("nested too deeply");
        }
        self.count(1)
    }

    /// `ConvertToNative(structpb.Value)` of a value of CEL.
    fn dynamic(&mut self, value: Value<'a>, depth: u32) -> Made<'a> {
        self.enter(depth)?;
        match value {
            Value::Null => Ok(Node::NULL),
            Value::Bool(value) => Ok(Node::bool(value)),
            Value::Int(value) => Ok(self.int(value, Holder::Value)),
            Value::Uint(value) if value <= SAFE => Ok(Node::uint(value)),
            Value::Uint(value) => Ok(self.text(format_args!("{value}"))),
            Value::Double(value) => double(value),
            Value::String(value) => Ok(Node::string(value)),
            Value::Bytes(value) => Ok(self.bytes(value)),
            Value::Duration(value) => Ok(self.text(format_args!("{}", value.print()))),
            Value::Timestamp(value) => Ok(self.text(format_args!("{}", value.print()))),
            Value::Optional(Some(value)) => self.dynamic(*value, depth + 1),
            Value::Optional(None) => unfit("optional.none() dereference"),
            Value::List(List::Nodes(items)) => self.node(Node::list(items), Holder::Value, depth),
            Value::Map(Map::Node(map)) => self.node(Node::map(map), Holder::Value, depth),
            Value::List(list) => {
                let is_sum = matches!(list, List::Sum(_));
                let mut items = vec![];
                for item in list.iter() {
                    items.push(match item {
                        // A sum has become plain data by then.
                        Value::Struct(object) if is_sum && is_object(object) => self.plain(item, depth + 1)?,
                        Value::Struct(_) => {
                            return unfit("the API server fails on a list of objects: write a sum of two lists");
                        }
                        item => self.dynamic(item, depth + 1)?,
                    });
                }
                Ok(self.arena.list(&items))
            }
            Value::Map(map) => {
                let mut entries: Vec<Entry<'a>> = Vec::with_capacity(map.len());
                for (key, value) in map.iter() {
                    let Value::String(key) = key else {
                        return unfit(&format!("unsupported type conversion from '{}' to string", key.type_name()));
                    };
                    if matches!(value, Value::Struct(_)) {
                        return unfit("the API server fails on a map of objects: make it an object");
                    }
                    entries.push((key, self.dynamic(value, depth + 1)?));
                }
                Ok(self.arena.map(&entries))
            }
            Value::Type(_) => unfit("type conversion not supported for 'type'"),
            Value::Struct(_) | Value::Opaque(_) => {
                let name = value.type_name();
                let name = match name.rsplit_once('.') {
                    // Upstream's libraries say their short names, but for that of the authorizer.
                    Some((package, name)) if package != "kubernetes.authorization" => name,
                    _ => name,
                };
                unfit(&format!("type conversion error from '{name}' to '*structpb.Value'"))
            }
        }
    }

    /// An `Object{…}` on its own: `convertField`, then structpb.NewStruct.
    fn fields(&mut self, object: &Struct<'a>, depth: u32) -> Made<'a> {
        self.enter(depth)?;
        let mut entries: Vec<Entry<'a>> = Vec::with_capacity(object.fields.len());
        for (name, value) in object.fields {
            entries.push((*name, self.field(*value, depth + 1)?));
        }
        Ok(self.arena.map(&entries))
    }

    fn field(&mut self, value: Value<'a>, depth: u32) -> Made<'a> {
        match super::names::held(value) {
            Value::List(list @ (List::Values(_) | List::Constants(_))) => self.objects(list, depth),
            Value::Map(map @ (Map::Values(_) | Map::Constants(_))) => {
                let mut entries: Vec<Entry<'a>> = Vec::with_capacity(map.len());
                for (key, value) in map.iter() {
                    let Value::String(key) = key else { return unfit("map key is not string") };
                    entries.push((key, self.object(value, depth + 1)?));
                }
                Ok(self.arena.map(&entries))
            }
            value => self.object(value, depth),
        }
    }

    fn objects(&mut self, list: List<'a>, depth: u32) -> Made<'a> {
        let mut items = vec![];
        for item in list.iter() {
            items.push(self.object(item, depth + 1)?);
        }
        Ok(self.arena.list(&items))
    }

    /// structpb.NewValue of what `Value()` gives.
    fn object(&mut self, value: Value<'a>, depth: u32) -> Made<'a> {
        self.enter(depth)?;
        match super::names::held(value) {
            Value::Bool(value) => Ok(Node::bool(value)),
            Value::Int(value) => Ok(self.int(value, Holder::Object)),
            #[expect(clippy::cast_precision_loss, reason = "as upstream")]
            Value::Uint(value) => double(value as f64),
            Value::Double(value) => double(value),
            Value::String(value) => Ok(Node::string(value)),
            Value::Bytes(value) => Ok(self.bytes(value)),
            Value::Optional(_) => Ok(Node::NULL),
            Value::Type(of) => Ok(self.text(format_args!("{}", type_name(of)))),
            Value::List(List::Nodes(items)) => self.node(Node::list(items), Holder::Object, depth),
            Value::List(list @ List::Sum(_)) => self.objects(list, depth),
            Value::Map(Map::Node(map)) => self.node(Node::map(map), Holder::Object, depth),
            Value::Struct(object) if is_object(object) => self.fields(object, depth),
            other => unfit(&format!("proto: invalid type: {}", go_type(other))),
        }
    }

    /// What `Value()` gives, read as a value of CEL again.
    fn plain(&mut self, value: Value<'a>, depth: u32) -> Made<'a> {
        self.enter(depth)?;
        match super::names::held(value) {
            Value::Struct(object) if is_object(object) => {
                let mut entries: Vec<Entry<'a>> = Vec::with_capacity(object.fields.len());
                for (name, value) in object.fields {
                    entries.push((*name, self.plain(*value, depth + 1)?));
                }
                Ok(self.arena.map(&entries))
            }
            Value::List(list @ (List::Values(_) | List::Constants(_) | List::Sum(_))) => {
                let mut items = vec![];
                for item in list.iter() {
                    items.push(self.plain(item, depth + 1)?);
                }
                Ok(self.arena.list(&items))
            }
            Value::Map(map @ (Map::Values(_) | Map::Constants(_))) => {
                let mut entries: Vec<Entry<'a>> = Vec::with_capacity(map.len());
                for (key, value) in map.iter() {
                    let Value::String(key) = key else { return unfit("map key is not string") };
                    entries.push((key, self.plain(value, depth + 1)?));
                }
                Ok(self.arena.map(&entries))
            }
            Value::Optional(_) => Ok(Node::NULL),
            value => self.dynamic(value, depth),
        }
    }

    /// A part of an object. It is copied only where a number in it changes.
    fn node(&mut self, node: Node<'a>, holder: Holder, depth: u32) -> Made<'a> {
        self.enter(depth)?;
        Ok(match node.view() {
            View::Int(value) => self.int(value, holder),
            #[expect(clippy::cast_precision_loss, reason = "as upstream")]
            View::UInt(value) => double(value as f64)?,
            View::Float(value) => double(value)?,
            View::List(items) => {
                let made =
                    items.iter().map(|item| self.node(*item, holder, depth + 1)).collect::<Result<Vec<_>, _>>()?;
                let is_same = made.iter().zip(items).all(|(made, item)| made.is_same(*item));
                if is_same { node } else { self.arena.list(&made) }
            }
            View::Map(map) => {
                let of_entry = |entry: &Entry<'a>| Ok((entry.0, self.node(entry.1, holder, depth + 1)?));
                let made = map.entries().iter().map(of_entry).collect::<Result<Vec<Entry<'a>>, _>>()?;
                let is_same = made.iter().zip(map.entries()).all(|(made, entry)| made.1.is_same(entry.1));
                if is_same { node } else { self.arena.map(&made) }
            }
            View::Null | View::Bool(_) | View::String(_) => node,
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "as upstream")]
    fn int(&self, value: i64, holder: Holder) -> Node<'a> {
        if value.unsigned_abs() <= SAFE {
            return Node::int(value);
        }
        match holder {
            Holder::Value => self.text(format_args!("{value}")),
            Holder::Object => number(value as f64),
        }
    }

    fn bytes(&self, bytes: &[u8]) -> Node<'a> {
        self.text(format_args!("{}", base64::engine::general_purpose::STANDARD.encode(bytes)))
    }

    fn text(&self, text: std::fmt::Arguments<'_>) -> Node<'a> {
        Node::string(self.arena.format(text))
    }
}

fn double<'a>(value: f64) -> Made<'a> {
    if value.is_finite() {
        return Ok(number(value));
    }
    let name = if value.is_nan() { "NaN" } else { "Inf" };
    unfit(&format!(
        "json: error calling MarshalJSON for type *structpb.Value: proto: google.protobuf.Value.number_value: invalid \
         {name} value"
    ))
}

/// A double as it is read again from its JSON: one without a fraction is a whole number there, that of its shortest digits.
fn number<'a>(value: f64) -> Node<'a> {
    let is_whole = value.fract() == 0.0 && value.abs() < 1e21;
    let whole = if is_whole { value.to_string().parse().ok() } else { None };
    whole.map_or(Node::float(value), Node::int)
}
