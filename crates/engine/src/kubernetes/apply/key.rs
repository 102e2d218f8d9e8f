//! What tells the items of a list apart (fieldpath.PathElement).

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::json::path::hash_of;
use crate::json::{Arena, Node, View};
use crate::kubernetes::schema::{Items, ListType, Schema};

/// The identity of an item among its neighbours.
pub(super) enum Key<'a> {
    /// Of a set: the item itself.
    Value(Node<'a>),
    /// Of a list of maps: merge keys that it has, sorted by name, and their values.
    Fields(Vec<(&'a str, Node<'a>)>),
}

impl<'a> Key<'a> {
    /// The key of an item; the error is upstream's text (typed/helpers.go, `listItemToPathElement`).
    pub(super) fn of(arena: &'a Arena, schema: &'a Schema, list: &'a ListType, item: Node<'a>) -> Result<Self, String> {
        let Items::Keyed(names) = &list.items else {
            return match item.view() {
                View::Map(_) => Err("associative list without keys has an element that's a map type".to_owned()),
                View::List(_) => Err("not supported: associative list with lists as elements".to_owned()),
                View::Null => Err("associative list without keys has an element that's an explicit null".to_owned()),
                _ => Ok(Self::Value(item)),
            };
        };
        let Some(map) = item.as_map() else {
            let what = if item.is_null() { "a null element" } else { "non-map elements" };
            return Err(format!("associative list with keys may not have {what}"));
        };
        let mut fields = Vec::with_capacity(names.len());
        for name in names {
            let value = map.get(name);
            let value = value.or_else(|| schema.key_default(list, name).map(|default| default.build(arena)));
            // Without it the item is another one than those that have it.
            if let Some(value) = value {
                fields.push((name.as_ref(), value));
            }
        }
        if fields.is_empty() {
            let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
            return Err(format!(
                "associative list with keys has an element that omits all key fields [{}] (and doesn't have default \
                 values for any key fields)",
                names.join(" ")
            ));
        }
        fields.sort_by_key(|field| field.0);
        Ok(Self::Fields(fields))
    }

    fn hash(&self) -> u64 {
        match self {
            Self::Value(value) => hash_of(*value),
            Self::Fields(fields) => {
                let mut hasher = DefaultHasher::new();
                fields.iter().for_each(|(name, value)| (name, hash_of(*value)).hash(&mut hasher));
                hasher.finish()
            }
        }
    }
}

impl PartialEq for Key<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Value(left), Self::Value(right)) => left == right,
            (Self::Fields(left), Self::Fields(right)) => left == right,
            _ => false,
        }
    }
}

/// `[name="web"]`, `[="a"]`
impl fmt::Display for Key<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => {
                formatter.write_str("[=")?;
                print(*value, formatter)?;
            }
            Self::Fields(fields) => {
                for (position, (name, value)) in fields.iter().enumerate() {
                    write!(formatter, "{}{name}=", if position == 0 { '[' } else { ',' })?;
                    print(*value, formatter)?;
                }
            }
        }
        formatter.write_str("]")
    }
}

/// As value.ToString does it. It is as deep as the object that it is in.
fn print(value: Node<'_>, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value.view() {
        View::String(text) => write!(formatter, "{text:?}"),
        View::Int(value) => write!(formatter, "{value}"),
        View::UInt(value) => write!(formatter, "{value}"),
        View::Float(value) => write!(formatter, "{value}"),
        View::Bool(value) => write!(formatter, "{value}"),
        View::Null => formatter.write_str("null"),
        View::List(items) => {
            formatter.write_str("[")?;
            for (position, item) in items.iter().enumerate() {
                formatter.write_str(if position == 0 { "" } else { "," })?;
                print(*item, formatter)?;
            }
            formatter.write_str("]")
        }
        View::Map(map) => map.entries().iter().try_for_each(|(key, value)| {
            write!(formatter, "{key}=")?;
            print(*value, formatter)
        }),
    }
}

/// Where keys were seen first.
#[derive(Default)]
pub(super) struct Index {
    positions: BTreeMap<u64, Vec<usize>>,
}

impl Index {
    /// Notes the key at `position` of `keys`, unless an equal one is known: then its position.
    pub(super) fn insert(&mut self, keys: &[Key<'_>], position: usize) -> Option<usize> {
        let key = keys.get(position)?;
        let known = self.find(keys, key);
        if known.is_none() {
            self.positions.entry(key.hash()).or_default().push(position);
        }
        known
    }

    /// The position of the first key that equals this one.
    pub(super) fn find(&self, keys: &[Key<'_>], key: &Key<'_>) -> Option<usize> {
        let candidates = self.positions.get(&key.hash())?;
        candidates.iter().copied().find(|position| keys.get(*position) == Some(key))
    }
}
