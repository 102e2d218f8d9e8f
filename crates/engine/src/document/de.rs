//! One serde `Deserializer` over the spanned tree, for any module's settings.
//!
//! serde stops at its first error, therefore [`settings`] walks along the type's JSON Schema first.

use std::fmt;
use std::ops::Range;

use schemars::JsonSchema;
use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Expected, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};

use super::decode::{Decoder, head, shorten};
use super::schema_walk;
use super::tree::{Entry, Kind, Spanned};
use crate::near_name;

/// What serde could not read, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError {
    /// The place; absent only if the error arose before any value was read.
    pub span: Option<Range<usize>>,
    /// What is wrong, in the words of the decoder.
    pub message: String,
}

/// Reads settings: all problems that their JSON Schema can tell are reported to the decoder, else what serde says.
///
/// A field that is `null` counts as absent, as it does for the API server.
pub fn settings<T: DeserializeOwned + JsonSchema>(decoder: &Decoder, node: &Spanned) -> Option<T> {
    let schema = schemars::schema_for!(T);
    let problems = schema_walk::walk(decoder.file(), schema.as_value(), node);
    let sound = problems.is_empty();
    for problem in problems {
        decoder.report(problem);
    }
    if !sound {
        return None;
    }
    match from_tree(node) {
        Ok(value) => Some(value),
        Err(error) => {
            decoder.error(error.span.unwrap_or_else(|| head(node)), error.message);
            None
        }
    }
}

/// As [`settings`], but what is missing and which values are accepted is left to the caller, who has his own words for it:
/// only unknown and mistyped fields are reported.
pub fn fields_of<T: DeserializeOwned + JsonSchema>(decoder: &Decoder, node: &Spanned) -> Option<T> {
    let mut schema = schemars::schema_for!(T).to_value();
    forget_values(&mut schema);
    let problems = schema_walk::walk(decoder.file(), &schema, node);
    let sound = problems.is_empty();
    problems.into_iter().for_each(|problem| decoder.report(problem));
    if !sound {
        return None;
    }
    from_tree(node).map_err(|error| decoder.error(error.span.unwrap_or_else(|| head(node)), error.message)).ok()
}

fn forget_values(schema: &mut serde_json::Value) {
    match schema {
        serde_json::Value::Object(fields) => {
            fields.remove("enum");
            fields.remove("required");
            fields.values_mut().for_each(forget_values);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(forget_values),
        _ => {}
    }
}

/// Reads any type that serde knows from a tree; the first error ends it.
pub fn from_tree<T: DeserializeOwned>(node: &Spanned) -> Result<T, SettingsError> {
    T::deserialize(Tree(node)).map_err(|error| error.at(|| head(node)))
}

impl SettingsError {
    fn new(message: impl fmt::Display) -> Self {
        Self { span: None, message: message.to_string() }
    }

    /// Adds the place, if a place further inside has not been added.
    fn at(mut self, span: impl FnOnce() -> Range<usize>) -> Self {
        self.span.get_or_insert_with(span);
        self
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SettingsError {}

impl de::Error for SettingsError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message)
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format_args!("expected {expected}, found {}", found(unexpected)))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let hint = near_name::hint(variant, expected.iter().copied());
        Self::new(format_args!("unknown value `{}`{hint}", shorten(variant)))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let hint = near_name::hint(field, expected.iter().copied());
        Self::new(format_args!("unknown field `{}`{hint}", shorten(field)))
    }
}

fn found(unexpected: Unexpected<'_>) -> String {
    match unexpected {
        Unexpected::Bool(value) => format!("the boolean `{value}`"),
        Unexpected::Unsigned(value) => format!("the integer `{value}`"),
        Unexpected::Signed(value) => format!("the integer `{value}`"),
        Unexpected::Float(value) => format!("the number `{value}`"),
        Unexpected::Str(value) => format!("the string {:?}", shorten(value)),
        Unexpected::Unit => "null".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a map".to_owned(),
        other => other.to_string(),
    }
}

/// A tree as serde sees it.
#[derive(Clone, Copy)]
struct Tree<'de>(&'de Spanned);

impl<'de> Tree<'de> {
    fn visit<V: Visitor<'de>>(self, visitor: V, without_nulls: bool) -> Result<V::Value, SettingsError> {
        let result = match &self.0.kind {
            Kind::Null => visitor.visit_unit(),
            Kind::Bool(value) => visitor.visit_bool(*value),
            Kind::Int(value) => visitor.visit_i64(*value),
            Kind::UInt(value) => visitor.visit_u64(*value),
            Kind::Float(value) => visitor.visit_f64(*value),
            Kind::String(text) => visitor.visit_borrowed_str(&text.value),
            Kind::List(items) => {
                let mut items = Items(items.iter());
                let value = visitor.visit_seq(&mut items);
                value.and_then(|value| match items.0.len() {
                    0 => Ok(value),
                    more => Err(SettingsError::new(format_args!("the list has {more} items too many"))),
                })
            }
            Kind::Map(map) => visitor.visit_map(Entries { rest: map.entries.iter(), value: None, without_nulls }),
        };
        result.map_err(|error| error.at(|| head(self.0)))
    }
}

impl<'de> Deserializer<'de> for Tree<'de> {
    type Error = SettingsError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SettingsError> {
        self.visit(visitor, false)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SettingsError> {
        match self.0.kind {
            Kind::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, SettingsError> {
        visitor.visit_newtype_struct(self).map_err(|error| error.at(|| head(self.0)))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, SettingsError> {
        self.visit(visitor, true)
    }

    /// A name alone, or a map of one name to the content.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, SettingsError> {
        let variant = match &self.0.kind {
            Kind::String(text) => Variant { name: &text.value, content: None },
            Kind::Map(map) => match map.entries.as_slice() {
                [Entry { key, value, .. }] => Variant { name: key, content: Some(value) },
                _ => return Err(SettingsError::new("expected a map with a single key").at(|| head(self.0))),
            },
            _ => return self.visit(visitor, false),
        };
        visitor.visit_enum(variant).map_err(|error| error.at(|| head(self.0)))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SettingsError> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map identifier
    }
}

struct Items<'de>(std::slice::Iter<'de, Spanned>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = SettingsError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, SettingsError> {
        let Some(node) = self.0.next() else { return Ok(None) };
        seed.deserialize(Tree(node)).map(Some).map_err(|error| error.at(|| head(node)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct Entries<'de> {
    rest: std::slice::Iter<'de, Entry>,
    value: Option<&'de Entry>,
    without_nulls: bool,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = SettingsError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, SettingsError> {
        let without_nulls = self.without_nulls;
        let Some(entry) = self.rest.find(|entry| !without_nulls || entry.value.kind != Kind::Null) else {
            return Ok(None);
        };
        self.value = Some(entry);
        let key = seed.deserialize(BorrowedStrDeserializer::new(&entry.key));
        key.map(Some).map_err(|error: SettingsError| error.at(|| entry.key_span.clone()))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, SettingsError> {
        let Some(entry) = self.value.take() else {
            return Err(SettingsError::new("a value was asked for before its key"));
        };
        seed.deserialize(Tree(&entry.value)).map_err(|error| error.at(|| head(&entry.value)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

struct Variant<'de> {
    name: &'de str,
    content: Option<&'de Spanned>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = SettingsError;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self), SettingsError> {
        let name: StrDeserializer<'_, SettingsError> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> Variant<'de> {
    fn content(self) -> Result<Tree<'de>, SettingsError> {
        match self.content {
            Some(node) => Ok(Tree(node)),
            None => Err(SettingsError::new(format_args!("`{0}` needs content: {0}: …", self.name))),
        }
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = SettingsError;

    fn unit_variant(self) -> Result<(), SettingsError> {
        match self.content {
            None | Some(Spanned { kind: Kind::Null, .. }) => Ok(()),
            Some(node) => Err(SettingsError::new(format_args!("`{}` takes no content", self.name)).at(|| head(node))),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, SettingsError> {
        seed.deserialize(self.content()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, SettingsError> {
        self.content()?.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, SettingsError> {
        self.content()?.visit(visitor, true)
    }
}
