//! From a tree to text.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::value::RawValue;

use super::node::{Node, View};

/// Prints the tree as JSON, keys in their order; a part that nobody looked into is copied as it stands, one
/// that is redacted is its marker.
impl Serialize for Node<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(raw) = self.raw_text().and_then(|text| serde_json::from_str::<&RawValue>(text).ok()) {
            return raw.serialize(serializer);
        }
        if let Some(redacted) = self.as_redacted() {
            return serializer.serialize_str(redacted.marker());
        }
        match self.view() {
            View::Null => serializer.serialize_unit(),
            View::Bool(value) => serializer.serialize_bool(value),
            View::Int(value) => serializer.serialize_i64(value),
            View::UInt(value) => serializer.serialize_u64(value),
            View::Float(value) => serializer.serialize_f64(value),
            View::String(value) => serializer.serialize_str(value),
            View::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(item))?;
                list.end()
            }
            View::Map(map) => {
                let mut out = serializer.serialize_map(Some(map.len()))?;
                map.entries().iter().try_for_each(|(key, value)| out.serialize_entry(key, value))?;
                out.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::json::{Arena, read};

    #[test]
    fn prints_what_it_read() {
        let text = r#"{"b":[null,true,-1,18446744073709551615,0.1,"\n\u0001ü"],"managedFields":[ {"a" : 1} ],"a":{}}"#;
        let arena = Arena::with_limit(1 << 20);
        assert_eq!(serde_json::to_string(&read(&arena, text).unwrap()).unwrap(), text);
    }
}
