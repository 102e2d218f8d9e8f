//! JSON values that outlive a review: settings and what modules add to objects.

use std::fmt;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};
use serde_json::Value;

use super::arena::Arena;
use super::node::Node;

/// An owned JSON value, for use in settings (`container: Constant`). It is copied into a review's arena when it is needed:
/// that costs its own size, not that of the object.
///
/// Its Debug prints the kind only: settings may hold what nobody should read in a log.
#[derive(Clone, PartialEq, Default)]
pub struct Constant(Value);

impl Constant {
    /// A copy in the arena.
    pub fn build<'a>(&self, arena: &'a Arena) -> Node<'a> {
        build(&self.0, arena)
    }

    /// The value itself, for code that is not on the path of a request.
    pub fn value(&self) -> &Value {
        &self.0
    }
}

impl From<Value> for Constant {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

fn build<'a>(value: &Value, arena: &'a Arena) -> Node<'a> {
    match value {
        Value::Null => Node::NULL,
        Value::Bool(value) => Node::bool(*value),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(int), _) => Node::int(int),
            (_, Some(uint)) => Node::uint(uint),
            _ => Node::float(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => Node::string(arena.text(text)),
        Value::Array(items) => arena.list_of(items.iter().map(|item| build(item, arena))),
        Value::Object(entries) => {
            arena.map_of(entries.iter().map(|(key, value)| (arena.text(key), build(value, arena))))
        }
    }
}

impl<'de> Deserialize<'de> for Constant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self)
    }
}

impl Serialize for Constant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// Any JSON value.
impl schemars::JsonSchema for Constant {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AnyValue".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        true.into()
    }

    fn inline_schema() -> bool {
        true
    }
}

impl fmt::Debug for Constant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.0 {
            Value::Null => "Constant(null)",
            Value::Bool(_) => "Constant(boolean)",
            Value::Number(_) => "Constant(number)",
            Value::String(_) => "Constant(string)",
            Value::Array(_) => "Constant(list)",
            Value::Object(_) => "Constant(map)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::read;

    #[test]
    fn is_the_same_value_in_an_arena() {
        let text = r#"{"a":[1,-1,0.5,18446744073709551615,"x",null,true,{}]}"#;
        let arena = Arena::with_limit(1 << 20);
        let constant: Constant = serde_json::from_str(text).unwrap();
        assert!(constant.build(&arena) == read(&arena, text).unwrap());
        assert_eq!(format!("{constant:?}"), "Constant(map)");
    }
}
