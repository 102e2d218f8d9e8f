//! `request` and `namespaceObject` as expressions see them: the API server decodes them into structs and back, which drops
//! unknown fields, leaves out empty ones, and refuses values of the wrong type (k8s.io/api admission/v1 `AdmissionRequest` and
//! core/v1 `Namespace`; k8s.io/apiserver plugin/cel/condition.go `CreateNamespaceObject`).

use std::fmt;

use crate::cel::value::Timestamp;
use crate::json::{Arena, Node, View};

/// A value of the wrong type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongType {
    field: String,
    expected: &'static str,
    found: &'static str,
}

impl fmt::Display for WrongType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, expected, found } = self;
        match field.as_str() {
            "" => write!(formatter, "expected {expected}, found {found}"),
            _ => write!(formatter, "expected {expected} in {field}, found {found}"),
        }
    }
}

impl std::error::Error for WrongType {}

/// An AdmissionRequest. `object`, `oldObject` and `uid` are empty: policies have other names for the first two, and the API
/// server evaluates policies before the third is made.
///
/// # Errors
/// [`WrongType`]
pub fn request<'a>(node: Node<'a>, arena: &'a Arena) -> Result<Node<'a>, WrongType> {
    if node.is_null() { Ok(node) } else { Shape::Struct(REQUEST).of(node, arena, Path::ROOT) }
}

/// A Namespace.
///
/// # Errors
/// [`WrongType`]
pub fn namespace<'a>(node: Node<'a>, arena: &'a Arena) -> Result<Node<'a>, WrongType> {
    if node.is_null() { Ok(node) } else { Shape::Struct(NAMESPACE).of(node, arena, Path::ROOT) }
}

/// What Go type a field has.
#[derive(Clone, Copy)]
enum Shape {
    Text,
    Int,
    Bool,
    /// RFC 3339, stored in UTC and whole seconds
    Time,
    List(&'static Shape),
    Map(&'static Shape),
    Struct(&'static [Field]),
    /// What stands there, as it is.
    Any,
    /// Null, whatever stands there.
    Null,
    /// The empty text, whatever stands there.
    Empty,
}

/// Where a value stands; printed only where something is wrong.
#[derive(Clone, Copy)]
struct Path<'p> {
    within: Option<&'p Path<'p>>,
    name: &'p str,
}

impl Path<'_> {
    const ROOT: Self = Self { within: None, name: "" };

    fn print(&self) -> String {
        match self.within {
            Some(within) if within.within.is_some() => format!("{}.{}", within.print(), self.name),
            _ => self.name.to_owned(),
        }
    }
}

/// The most fields that a struct has.
const FIELDS: usize = REQUEST.len();

struct Field {
    name: &'static str,
    shape: Shape,
    presence: Presence,
}

/// When a field is there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    /// Always.
    Always,
    /// Where it is not the zero of its type (`omitempty`).
    NotEmpty,
    /// Where it is not null (`omitempty` of a pointer).
    NotNull,
}

use Presence::{Always, NotEmpty, NotNull};

const fn field(name: &'static str, shape: Shape, presence: Presence) -> Field {
    Field { name, shape, presence }
}

const REQUEST: &[Field] = &[
    field("uid", Shape::Empty, Always),
    field("kind", GROUP_VERSION_KIND, Always),
    field("resource", GROUP_VERSION_RESOURCE, Always),
    field("subResource", Shape::Text, NotEmpty),
    field("requestKind", GROUP_VERSION_KIND, NotNull),
    field("requestResource", GROUP_VERSION_RESOURCE, NotNull),
    field("requestSubResource", Shape::Text, NotEmpty),
    field("name", Shape::Text, NotEmpty),
    field("namespace", Shape::Text, NotEmpty),
    field("operation", Shape::Text, Always),
    field("userInfo", Shape::Struct(USER_INFO), Always),
    field("object", Shape::Null, Always),
    field("oldObject", Shape::Null, Always),
    field("dryRun", Shape::Bool, NotNull),
    field("options", Shape::Any, Always),
];

const GROUP_VERSION_KIND: Shape = Shape::Struct(&[
    field("group", Shape::Text, Always),
    field("version", Shape::Text, Always),
    field("kind", Shape::Text, Always),
]);

const GROUP_VERSION_RESOURCE: Shape = Shape::Struct(&[
    field("group", Shape::Text, Always),
    field("version", Shape::Text, Always),
    field("resource", Shape::Text, Always),
]);

const USER_INFO: &[Field] = &[
    field("username", Shape::Text, NotEmpty),
    field("uid", Shape::Text, NotEmpty),
    field("groups", Shape::List(&Shape::Text), NotEmpty),
    field("extra", Shape::Map(&Shape::List(&Shape::Text)), NotEmpty),
];

const NAMESPACE: &[Field] = &[
    field("metadata", Shape::Struct(METADATA), Always),
    field("spec", Shape::Struct(&[field("finalizers", Shape::List(&Shape::Text), NotEmpty)]), Always),
    field("status", Shape::Struct(STATUS), Always),
];

const METADATA: &[Field] = &[
    field("name", Shape::Text, NotEmpty),
    field("generateName", Shape::Text, NotEmpty),
    field("namespace", Shape::Text, NotEmpty),
    field("uid", Shape::Text, NotEmpty),
    field("resourceVersion", Shape::Text, NotEmpty),
    field("generation", Shape::Int, NotEmpty),
    field("creationTimestamp", Shape::Time, NotNull),
    field("deletionTimestamp", Shape::Time, NotNull),
    field("deletionGracePeriodSeconds", Shape::Int, NotNull),
    field("labels", Shape::Map(&Shape::Text), NotEmpty),
    field("annotations", Shape::Map(&Shape::Text), NotEmpty),
    field("finalizers", Shape::List(&Shape::Text), NotEmpty),
];

const STATUS: &[Field] =
    &[field("phase", Shape::Text, NotEmpty), field("conditions", Shape::List(&Shape::Struct(CONDITION)), NotEmpty)];

const CONDITION: &[Field] = &[
    field("type", Shape::Text, Always),
    field("status", Shape::Text, Always),
    // `omitempty` leaves out no struct.
    field("lastTransitionTime", Shape::Time, Always),
    field("reason", Shape::Text, NotEmpty),
    field("message", Shape::Text, NotEmpty),
];

impl Shape {
    /// The value of this type that `node` is read as. Null is the zero of the type.
    fn of<'a>(self, node: Node<'a>, arena: &'a Arena, path: Path<'_>) -> Result<Node<'a>, WrongType> {
        let wrong = |expected| WrongType { field: path.print(), expected, found: node.kind() };
        // What nobody may see is handed on as it is, to whoever looks.
        if node.is_unread() && matches!(self, Self::Text | Self::Any) {
            return Ok(node);
        }
        match (self, node.view()) {
            (Self::Null, _) => Ok(Node::NULL),
            (Self::Empty, _) | (Self::Text, View::Null) => Ok(Node::string("")),
            (Self::Int, View::Null) => Ok(Node::int(0)),
            (Self::Bool, View::Null) => Ok(Node::bool(false)),
            (Self::Any, _)
            | (Self::Time | Self::List(_) | Self::Map(_), View::Null)
            | (Self::Text, View::String(_))
            | (Self::Int, View::Int(_))
            | (Self::Bool, View::Bool(_)) => Ok(node),
            (Self::Time, View::String(text)) => {
                let time = Timestamp::parse(text).map_err(|_| wrong("a time of RFC 3339"))?;
                let time = Timestamp { nanoseconds: 0, offset: 0, ..time };
                Ok(Node::string(arena.text(&time.print())))
            }
            (Self::List(shape), View::List(items)) => {
                let items: Result<Vec<_>, _> = items.iter().map(|item| shape.of(*item, arena, path)).collect();
                Ok(arena.list(&items?))
            }
            (Self::Map(shape), View::Map(map)) => {
                let entries: Result<Vec<_>, _> = map
                    .entries()
                    .iter()
                    .map(|(key, value)| Ok((*key, shape.of(*value, arena, Path { within: Some(&path), name: key })?)))
                    .collect();
                Ok(arena.map(&entries?))
            }
            (Self::Struct(fields), View::Map(_) | View::Null) => {
                let mut entries = [("", Node::NULL); FIELDS];
                let mut count = 0;
                for field in fields {
                    // Go's decoder takes names in any case, and the last one of several.
                    let given = node.entries().iter().rev().find(|entry| entry.0.eq_ignore_ascii_case(field.name));
                    let given = given.map_or(Node::NULL, |entry| entry.1);
                    let value = field.shape.of(given, arena, Path { within: Some(&path), name: field.name })?;
                    if field.presence.holds(given, value)
                        && let Some(entry) = entries.get_mut(count)
                    {
                        *entry = (field.name, value);
                        count += 1;
                    }
                }
                Ok(arena.map(entries.get(..count).unwrap_or(&[])))
            }
            (Self::Text, _) => Err(wrong("a string")),
            (Self::Int, _) => Err(wrong("a whole number")),
            (Self::Bool, _) => Err(wrong("a boolean")),
            (Self::Time, _) => Err(wrong("a time of RFC 3339")),
            (Self::List(_), _) => Err(wrong("a list")),
            (Self::Map(_) | Self::Struct(_), _) => Err(wrong("a map")),
        }
    }
}

impl Presence {
    fn holds(self, given: Node<'_>, value: Node<'_>) -> bool {
        match self {
            Self::Always => true,
            Self::NotNull => !given.is_null(),
            Self::NotEmpty => match value.view() {
                View::Null => false,
                View::Bool(value) => value,
                View::Int(value) => value != 0,
                View::String(value) => !value.is_empty(),
                View::List(items) => !items.is_empty(),
                View::Map(map) => !map.entries().is_empty(),
                View::UInt(_) | View::Float(_) => true,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::read;

    fn typed(kind: &str, text: &str) -> String {
        let arena = Arena::with_limit(1 << 20);
        let node = read(&arena, text).unwrap();
        let typed = if kind == "request" { request(node, &arena) } else { namespace(node, &arena) };
        typed.map_or_else(|error| error.to_string(), |node| serde_json::to_string(&node).unwrap())
    }

    #[test]
    fn fills_in_what_a_request_always_has() {
        let empty = r#""resource":{"group":"","version":"","resource":""}"#;
        assert_eq!(
            typed("request", "{}"),
            format!(
                r#"{{"uid":"","kind":{{"group":"","version":"","kind":""}},{empty},"operation":"","userInfo":{{}},"object":null,"oldObject":null,"options":null}}"#
            )
        );
        assert_eq!(typed("request", "null"), "null");
    }

    #[test]
    fn drops_unknown_and_empty_fields_of_a_request() {
        let text = r#"{"uid":"x","kind":{"GROUP":"g","x":1},"requestKind":{},"name":"","namespace":"n","operation":"CREATE",
            "userInfo":{"username":"u","groups":[],"extra":{"a":[],"b":null,"c":["x"]}},"object":{"a":1},"dryRun":false,
            "options":{"a":1.5},"nope":1}"#;
        assert_eq!(
            typed("request", text),
            concat!(
                r#"{"uid":"","kind":{"group":"g","version":"","kind":""},"resource":{"group":"","version":"","resource":""},"#,
                r#""requestKind":{"group":"","version":"","kind":""},"namespace":"n","operation":"CREATE","#,
                r#""userInfo":{"username":"u","extra":{"a":[],"b":null,"c":["x"]}},"object":null,"oldObject":null,"#,
                r#""dryRun":false,"options":{"a":1.5}}"#
            )
        );
    }

    #[test]
    fn writes_times_of_a_namespace_in_utc_and_whole_seconds() {
        let text = r#"{"kind":"Namespace","metadata":{"name":"n","generation":0,"creationTimestamp":"2024-01-01T00:00:00.5+01:00",
            "deletionGracePeriodSeconds":0,"labels":{"a":null},"managedFields":[]},"spec":{"finalizers":[]},
            "status":{"conditions":[{"type":"T"}]}}"#;
        assert_eq!(
            typed("namespace", text),
            concat!(
                r#"{"metadata":{"name":"n","creationTimestamp":"2023-12-31T23:00:00Z","deletionGracePeriodSeconds":0,"#,
                r#""labels":{"a":""}},"spec":{},"status":{"conditions":[{"type":"T","status":"","lastTransitionTime":null}]}}"#
            )
        );
    }

    #[test]
    fn refuses_values_of_the_wrong_type() {
        for (kind, text, problem) in [
            ("request", "[]", "expected a map, found list"),
            ("request", r#"{"kind":"x"}"#, "expected a map in kind, found string"),
            ("request", r#"{"userInfo":{"groups":[1]}}"#, "expected a string in userInfo.groups, found number"),
            (
                "namespace",
                r#"{"metadata":{"generation":1.0}}"#,
                "expected a whole number in metadata.generation, found number",
            ),
            (
                "namespace",
                r#"{"metadata":{"creationTimestamp":""}}"#,
                "expected a time of RFC 3339 in metadata.creationTimestamp, found string",
            ),
        ] {
            assert_eq!(typed(kind, text), problem);
        }
    }
}
