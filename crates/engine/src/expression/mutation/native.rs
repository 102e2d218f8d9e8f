//! The tree of an apply configuration: what Go's `Value()` makes of `Object{…}` (pkg/cel/mutation/dynamic, `convertField`).
//!
//! Only what stands directly in a field of an `Object` is unwrapped well. A list or map literal inside of another stays a
//! value of CEL, which nothing fits, as do null, uint, bytes and times.

use super::names::held;
use super::{DEEPEST, MOST_VALUES, MutationError};
use crate::cel::types::Type;
use crate::cel::value::{List, Map, Opaque, Struct, Value};
use crate::json::node::Entry;
use crate::json::{Arena, Node, View};

pub(super) struct Native<'a> {
    arena: &'a Arena,
    /// The literal `[]`: a list when it is merged, null when it is written (a nil slice).
    nothing: Node<'a>,
    has_nothing: bool,
    left: usize,
}

/// What cannot stand in a tree: its place, and what Go calls its type.
pub(super) struct Foreign {
    place: String,
    kind: &'static str,
}

impl Foreign {
    fn new(kind: &'static str) -> Self {
        Self { place: String::new(), kind }
    }

    fn under(self, step: &str) -> Self {
        Self { place: format!("{step}{}", self.place), kind: self.kind }
    }
}

type Tree<'a> = Result<Node<'a>, Foreign>;

impl<'a> Native<'a> {
    pub(super) fn new(arena: &'a Arena) -> Self {
        let one = arena.keep_slice(&[Node::NULL]);
        Self { arena, nothing: Node::list(one.get(..0).unwrap_or(&[])), has_nothing: false, left: MOST_VALUES }
    }

    /// The whole configuration. `kind` and `apiVersion` are left out: upstream overwrites them.
    pub(super) fn configuration(&mut self, root: &Struct<'a>) -> Result<Node<'a>, MutationError> {
        let fields: Vec<_> =
            root.fields.iter().copied().filter(|field| !matches!(field.0, "kind" | "apiVersion")).collect();
        self.fields(&fields, 0).map_err(|Foreign { place, kind }| {
            let text = "error applying patch: failed to convert patch object to typed object";
            MutationError::of(format!("{text}: {place}: unsupported value of type {kind}"))
        })
    }

    /// The merged object, with null where it has the literal `[]`.
    pub(super) fn finish(&self, merged: Node<'a>) -> Node<'a> {
        if self.has_nothing { self.without_nothing(merged) } else { merged }
    }

    fn without_nothing(&self, node: Node<'a>) -> Node<'a> {
        if node.is_unread() {
            return node;
        }
        match node.view() {
            View::List(_) if node.is_same(self.nothing) => Node::NULL,
            View::List(items) => {
                let items: Vec<_> = items.iter().map(|item| self.without_nothing(*item)).collect();
                self.arena.list(&items)
            }
            View::Map(map) => {
                let entries = map.entries().iter().map(|(key, value)| (*key, self.without_nothing(*value)));
                self.arena.map(&entries.collect::<Vec<_>>())
            }
            _ => node,
        }
    }

    fn count(&mut self, depth: u32) -> Result<(), Foreign> {
        if depth > DEEPEST {
            return Err(Foreign::new("(nested too deeply)"));
        }
        self.left = self.left.checked_sub(1).ok_or(Foreign::new("(too large)"))?;
        Ok(())
    }

    pub(super) fn fields(&mut self, fields: &[(&'a str, Value<'a>)], depth: u32) -> Tree<'a> {
        let mut entries: Vec<Entry<'a>> = Vec::with_capacity(fields.len());
        for (name, value) in fields {
            entries.push((*name, self.field(*value, depth + 1).map_err(|foreign| foreign.under(&format!(".{name}")))?));
        }
        Ok(self.arena.map(&entries))
    }

    /// What stands in a field.
    fn field(&mut self, value: Value<'a>, depth: u32) -> Tree<'a> {
        self.count(depth)?;
        match held(value) {
            Value::List(list @ (List::Values(_) | List::Constants(_))) if list.is_empty() => {
                self.has_nothing = true;
                Ok(self.nothing)
            }
            Value::List(list @ (List::Values(_) | List::Constants(_))) => self.list(list, depth),
            Value::Map(map @ (Map::Values(_) | Map::Constants(_))) => {
                let mut entries: Vec<Entry<'a>> = Vec::with_capacity(map.len());
                for (key, value) in map.iter() {
                    let Value::String(key) = key else { return Err(Foreign::new("map with a key that is no string")) };
                    let value = self.value(value, depth + 1).map_err(|foreign| foreign.under(&format!(".{key}")))?;
                    entries.push((key, value));
                }
                Ok(self.arena.map(&entries))
            }
            value => self.value(value, depth),
        }
    }

    fn list(&mut self, list: List<'a>, depth: u32) -> Tree<'a> {
        let mut items = vec![];
        for (index, item) in list.iter().enumerate() {
            items.push(self.value(item, depth + 1).map_err(|foreign| foreign.under(&format!("[{index}]")))?);
        }
        Ok(self.arena.list(&items))
    }

    /// What stands anywhere else.
    fn value(&mut self, value: Value<'a>, depth: u32) -> Tree<'a> {
        self.count(depth)?;
        match held(value) {
            Value::Bool(value) => Ok(Node::bool(value)),
            Value::Int(value) => Ok(Node::int(value)),
            Value::Double(value) if value.is_finite() => Ok(Node::float(value)),
            Value::Double(_) => Err(Foreign::new("float64 (no number)")),
            Value::String(value) => Ok(Node::string(value)),
            Value::Optional(_) => Ok(Node::NULL),
            Value::Type(of) => Ok(Node::string(self.arena.text(type_name(of).as_str()))),
            Value::List(List::Nodes(items)) => Ok(Node::list(items)),
            Value::List(list @ List::Sum(_)) => self.list(list, depth),
            Value::Map(Map::Node(map)) => Ok(Node::map(map)),
            Value::Struct(object) if is_object(object) => self.fields(object.fields, depth),
            other => Err(Foreign::new(go_type(other))),
        }
    }
}

/// Whether it is an `Object{…}` of any level, not a `JSONPatch{…}`.
pub(super) fn is_object(value: &Struct<'_>) -> bool {
    value.name == "Object" || value.name.starts_with("Object.")
}

/// The name of a type without its parameters: `list`.
pub(super) fn type_name(of: &Type) -> String {
    let mut name = of.to_string();
    if let Some(end) = name.find('(') {
        name.truncate(end);
    }
    name
}

/// What Go calls the type of a value that is none of JSON's.
pub(super) fn go_type(value: Value<'_>) -> &'static str {
    match value {
        Value::Null => "structpb.NullValue",
        Value::Uint(_) => "uint64",
        Value::Bytes(_) => "[]uint8",
        Value::Duration(_) => "time.Duration",
        Value::Timestamp(_) => "time.Time",
        Value::List(_) => "[]ref.Val",
        Value::Map(_) => "map[ref.Val]ref.Val",
        Value::Struct(_) => "*mutation.JSONPatchVal",
        Value::Opaque(Opaque::Quantity(_)) => "*resource.Quantity",
        Value::Opaque(Opaque::Ip(_)) => "netip.Addr",
        Value::Opaque(Opaque::Cidr(_)) => "netip.Prefix",
        Value::Opaque(Opaque::Url(_)) => "*url.URL",
        Value::Opaque(Opaque::Semver(_)) => "semver.Version",
        Value::Opaque(_) => "library.receiverOnlyObjectVal",
        Value::Bool(_) | Value::Int(_) | Value::Double(_) | Value::String(_) | Value::Type(_) | Value::Optional(_) => {
            "scalar"
        }
    }
}
