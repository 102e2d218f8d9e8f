//! Literals of lists, maps and structs.

use super::Evaluation;
use crate::cel::error::Outcome;
use crate::cel::program::Recorder;
use crate::cel::program::cost::{LIST, MAP, STRUCT};
use crate::cel::program::tree::{Element, MapItem, StructItems};
use crate::cel::value::{List, Map, Struct, Value};

impl<'a, R: Recorder<'a>> Evaluation<'_, '_, 'a, R> {
    /// `[a, ?b]`: costs the same if an element fails.
    #[inline(never)]
    pub(super) fn list(&mut self, elements: &'a [Element]) -> Outcome<'a> {
        let base = self.scratch.len();
        let result = self.elements(elements);
        let list = match self.paid(LIST, result) {
            Ok(()) => List::of(self.scratch.get(base..).unwrap_or_default(), self.context).map(Value::List),
            Err(error) => Err(error),
        };
        self.scratch.truncate(base);
        list
    }

    fn elements(&mut self, elements: &'a [Element]) -> Outcome<'a, ()> {
        for element in elements {
            let value = match self.eval(&element.value)? {
                Value::Optional(None) if element.is_optional => continue,
                Value::Optional(Some(value)) if element.is_optional => *value,
                other if element.is_optional => {
                    let name = other.type_name();
                    return self.context.raise_text(format_args!(
                        "cannot initialize optional list element from non-optional value of type {name}"
                    ));
                }
                value => value,
            };
            self.scratch.push(value);
        }
        Ok(())
    }

    /// `{a: b, ?c: d}`: of entries with the same key the last one counts.
    #[inline(never)]
    pub(super) fn map(&mut self, items: &'a [MapItem]) -> Outcome<'a> {
        let mut entries: Vec<(Value<'a>, Value<'a>)> = vec![];
        let result = self.entries(items, &mut entries);
        self.paid(MAP, result)?;
        Map::of(&entries, self.context).map(Value::Map)
    }

    fn entries(&mut self, items: &'a [MapItem], entries: &mut Vec<(Value<'a>, Value<'a>)>) -> Outcome<'a, ()> {
        for item in items {
            let key = self.eval(&item.key)?;
            let value = self.eval(&item.value)?;
            self.hashable(key)?;
            self.context.step(entries.len())?;
            let before = entries.iter().position(|(other, _)| is_same_key(*other, key));
            let value = match value {
                Value::Optional(None) if item.is_optional => {
                    if let Some(before) = before {
                        entries.remove(before);
                    }
                    continue;
                }
                Value::Optional(Some(value)) if item.is_optional => *value,
                other if item.is_optional => {
                    let name = other.type_name();
                    return self.context.raise_text(format_args!(
                        "cannot initialize optional entry from non-optional value of type {name}"
                    ));
                }
                value => value,
            };
            match before.and_then(|before| entries.get_mut(before)) {
                Some(entry) => entry.1 = value,
                None => entries.push((key, value)),
            }
        }
        Ok(())
    }

    /// `Type{a: b, ?c: d}`
    #[inline(never)]
    pub(super) fn structure(&mut self, items: &'a StructItems) -> Outcome<'a> {
        let mut fields: Vec<(&'a str, Value<'a>)> = vec![];
        let result = self.fields(items, &mut fields);
        self.paid(STRUCT, result)?;
        let fields = self.context.keep_slice(&fields)?;
        Ok(Value::Struct(self.context.keep(Struct { name: &items.name, fields })?))
    }

    fn fields(&mut self, items: &'a StructItems, fields: &mut Vec<(&'a str, Value<'a>)>) -> Outcome<'a, ()> {
        for item in &items.fields {
            let value = match self.eval(&item.value)? {
                Value::Optional(None) if item.is_optional => {
                    fields.retain(|(name, _)| *name != &*item.name);
                    continue;
                }
                Value::Optional(Some(value)) if item.is_optional => *value,
                other if item.is_optional => {
                    let name = other.type_name();
                    return self.context.raise_text(format_args!(
                        "cannot initialize optional entry '{}' from non-optional value of type {name}",
                        item.name
                    ));
                }
                value => value,
            };
            match fields.iter_mut().find(|(name, _)| *name == &*item.name) {
                Some(field) => field.1 = value,
                None => fields.push((&item.name, value)),
            }
        }
        Ok(())
    }
}

/// Whether two keys are the same for Go's maps: of the same type and equal.
#[expect(clippy::float_cmp, reason = "as upstream")]
pub(in crate::cel::program) fn is_same_key(left: Value<'_>, right: Value<'_>) -> bool {
    match (left, right) {
        (Value::String(left), Value::String(right)) => left == right,
        (Value::Int(left), Value::Int(right)) => left == right,
        (Value::Uint(left), Value::Uint(right)) => left == right,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Double(left), Value::Double(right)) => left == right,
        (Value::Duration(left), Value::Duration(right)) => left == right,
        (Value::Timestamp(left), Value::Timestamp(right)) => {
            (left.seconds, left.nanoseconds, left.offset) == (right.seconds, right.nanoseconds, right.offset)
        }
        (Value::Null, Value::Null) => true,
        _ => false,
    }
}
