//! Values in a few words, for explanations.

use std::fmt::Write as _;

use super::encode::{seconds, text, utc};
use crate::cel::value::{List, Map, Opaque, Struct, Value};

/// How deep a value is shown.
const LEVELS: usize = 20;

/// What one writes to get the value, on one line and cut after some `limit` bytes: `["a", "b", …`. With `shows`, texts and
/// numbers stand there only if it says so; of the others only the type.
pub fn brief(value: Value<'_>, limit: usize, shows: Option<&dyn Fn(&str) -> bool>) -> String {
    let mut brief = Brief { text: String::new(), limit, shows };
    if brief.value(value, 0).is_none() {
        brief.text.push('…');
    }
    brief.text
}

struct Brief<'s> {
    text: String,
    limit: usize,
    shows: Option<&'s dyn Fn(&str) -> bool>,
}

/// None once the text is cut.
type Written = Option<()>;

impl Brief<'_> {
    fn push(&mut self, text: &str) -> Written {
        let left = self.limit.saturating_sub(self.text.len());
        if text.len() <= left {
            self.text.push_str(text);
            return Some(());
        }
        self.text.push_str(text.get(..text.floor_char_boundary(left)).unwrap_or_default());
        None
    }

    /// Writes `printed` if what it says may be shown.
    fn guarded(&mut self, said: &str, type_name: &str, printed: &str) -> Written {
        if self.shows.is_none_or(|shows| shows(said)) {
            self.push(printed)
        } else {
            self.push("(")?;
            self.push(type_name)?;
            self.push(", not shown)")
        }
    }

    fn quoted(&mut self, text: &str) -> Written {
        if self.shows.is_some_and(|shows| !shows(text)) {
            return self.push("(string, not shown)");
        }
        let start = text.get(..text.floor_char_boundary(self.limit)).unwrap_or_default();
        let quoted = serde_json::to_string(start).unwrap_or_default();
        self.push(&quoted)?;
        if start.len() < text.len() { None } else { Some(()) }
    }

    fn value(&mut self, value: Value<'_>, depth: usize) -> Written {
        if depth > LEVELS {
            return self.push("…");
        }
        match value {
            Value::Null => self.push("null"),
            Value::Bool(value) => self.push(if value { "true" } else { "false" }),
            Value::Int(number) => self.number(&number.to_string(), "int", ""),
            Value::Uint(number) => self.number(&number.to_string(), "uint", "u"),
            Value::Double(number) => {
                let said = number.to_string();
                self.guarded(&said, "double", &format!("{number:?}"))
            }
            Value::String(text) => self.quoted(text),
            Value::Bytes(bytes) => self.guarded("", "bytes", &format!("(bytes, {} of them)", bytes.len())),
            Value::Duration(value) => {
                let said = seconds(value);
                self.guarded(&said, "duration", &format!("duration(\"{said}\")"))
            }
            Value::Timestamp(value) => {
                let said = utc(value);
                self.guarded(&said, "timestamp", &format!("timestamp(\"{said}\")"))
            }
            Value::Type(_) => self.push(&value.named_type().unwrap_or_default()),
            Value::Optional(None) => self.push("optional.none()"),
            Value::Optional(Some(value)) => {
                self.push("optional.of(")?;
                self.value(*value, depth + 1)?;
                self.push(")")
            }
            Value::List(list) => self.list(list, depth),
            Value::Map(map) => self.map(map, depth),
            Value::Struct(value) => self.structure(value, depth),
            Value::Opaque(value) => self.opaque(value),
        }
    }

    fn number(&mut self, said: &str, type_name: &str, suffix: &str) -> Written {
        self.guarded(said, type_name, &format!("{said}{suffix}"))
    }

    fn list(&mut self, list: List<'_>, depth: usize) -> Written {
        self.push("[")?;
        for (position, item) in list.iter().enumerate() {
            if position > 0 {
                self.push(", ")?;
            }
            self.value(item, depth + 1)?;
        }
        self.push("]")
    }

    fn map(&mut self, map: Map<'_>, depth: usize) -> Written {
        self.push("{")?;
        for (position, (key, value)) in map.iter().enumerate() {
            if position > 0 {
                self.push(", ")?;
            }
            self.value(key, depth + 1)?;
            self.push(": ")?;
            self.value(value, depth + 1)?;
        }
        self.push("}")
    }

    fn structure(&mut self, value: &Struct<'_>, depth: usize) -> Written {
        self.push(value.name)?;
        self.push("{")?;
        for (position, (name, field)) in value.fields.iter().enumerate() {
            if position > 0 {
                self.push(", ")?;
            }
            self.push(name)?;
            self.push(": ")?;
            self.value(*field, depth + 1)?;
        }
        self.push("}")
    }

    fn opaque(&mut self, value: Opaque<'_>) -> Written {
        let Some(function) = value.function() else {
            return match value {
                Opaque::Format(name) => self.push(&format!("format.{name}()")),
                _ => self.push(value.type_name()),
            };
        };
        let said = text(value).unwrap_or_default();
        let mut printed = String::new();
        let _ = write!(printed, "{function}({said:?})");
        self.guarded(&said, function, &printed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Arena, read};

    fn value<'a>(arena: &'a Arena, text: &'a str) -> Value<'a> {
        Value::of_node(read(arena, text).unwrap())
    }

    #[test]
    fn cuts_what_is_long_and_says_so() {
        let arena = Arena::with_limit(1 << 20);
        let list = value(&arena, r#"{"a":["x",1,2.5,null,true],"b":{}}"#);
        assert_eq!(brief(list, 100, None), r#"{"a": ["x", 1, 2.5, null, true], "b": {}}"#);
        assert_eq!(brief(list, 12, None), r#"{"a": ["x", …"#);
        assert_eq!(brief(Value::String("üüü"), 5, None), "\"üü…");
        assert_eq!(brief(Value::String(&"x".repeat(10)), 10, None), "\"xxxxxxxxx…");
    }

    #[test]
    fn shows_what_may_be_shown() {
        let arena = Arena::with_limit(1 << 20);
        let map = value(&arena, r#"{"image":"nginx","port":80,"token":"hunter2","pin":1234}"#);
        let shows = |text: &str| ["image", "nginx", "port", "80", "token", "pin"].contains(&text);
        assert_eq!(
            brief(map, 200, Some(&shows)),
            r#"{"image": "nginx", "port": 80, "token": (string, not shown), "pin": (int, not shown)}"#
        );
        assert_eq!(brief(Value::Bytes(b"ab"), 200, Some(&shows)), "(bytes, not shown)");
        assert_eq!(brief(Value::Bytes(b"ab"), 200, None), "(bytes, 2 of them)");
    }
}
