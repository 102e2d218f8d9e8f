//! The generated table of types and rules, read into the form that the passes walk.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::rule::{RawRule, Rule};
use crate::json::{Node, View};

/// All that is known of types and defaults.
#[derive(Debug)]
pub(super) struct Table {
    kinds: Vec<Kind>,
    types: Vec<Type>,
}

/// The place of a type in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TypeId(usize);

#[derive(Debug)]
struct Kind {
    group: &'static str,
    version: &'static str,
    name: &'static str,
    id: TypeId,
}

/// A struct of the API.
#[derive(Debug)]
pub(super) struct Type {
    /// Sorted by name.
    pub(super) fields: Vec<Field>,
    pub(super) rules: Vec<Rule>,
    /// Whether nothing is filled in or completed in it or in what it holds.
    pub(super) is_settled: bool,
}

/// A field of a type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) shape: Shape,
    /// `!`: written whether or not it has a value.
    pub(super) is_always: bool,
    /// `?`: zero is a value like any other.
    pub(super) is_optional: bool,
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    One(Inner),
    List(Inner),
    Map(Inner),
}

/// What a field, or each element of its list or map, is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Inner {
    Scalar(Scalar),
    Type(TypeId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    String,
    Bool,
    Int,
    IntOrString,
    Quantity,
    Time,
    Bytes,
    Any,
}

impl Table {
    /// Reads the text of a table.
    pub(super) fn read(text: &'static str) -> Result<Self, String> {
        let raw: RawTable = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let ids: HashMap<&str, TypeId> = raw.types.keys().enumerate().map(|(n, name)| (*name, TypeId(n))).collect();
        let fields_of = |fields: &BTreeMap<&'static str, &'static str>| {
            fields.iter().map(|(name, shape)| Field::parse(name, shape, &ids)).collect::<Result<Vec<_>, _>>()
        };
        let types = raw
            .types
            .values()
            .map(|fields| Ok(Type { fields: fields_of(fields)?, rules: vec![], is_settled: false }))
            .collect::<Result<Vec<_>, String>>()?;
        let kind_of = |(key, of): (&'static str, &'static str)| {
            let id = *ids.get(of).ok_or_else(|| format!("kind {key:?} has the unknown type {of:?}"))?;
            let (api_version, name) = key.rsplit_once('/').ok_or_else(|| format!("{key:?} is no kind"))?;
            let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
            Ok::<_, String>(Kind { group, version, name, id })
        };
        let kinds = raw.kinds.into_iter().map(kind_of).collect::<Result<_, _>>()?;
        let mut table = Self { kinds, types };
        for (name, rules) in raw.rules {
            let id = *ids.get(name).ok_or_else(|| format!("there are rules for the unknown type {name:?}"))?;
            let rules = rules.into_iter().map(|rule| rule.check(&table, id)).collect::<Result<_, _>>()?;
            if let Some(found) = table.types.get_mut(id.0) {
                found.rules = rules;
            }
        }
        table.mark_settled();
        Ok(table)
    }

    /// The type of the objects of this kind.
    pub(super) fn kind(&self, group: &str, version: &str, kind: &str) -> Option<TypeId> {
        let found = self.kinds.iter().find(|row| row.name == kind && row.group == group && row.version == version);
        found.map(|row| row.id)
    }

    pub(super) fn get(&self, id: TypeId) -> Option<&Type> {
        self.types.get(id.0)
    }

    /// Marks the types in which the second and third pass find nothing to do, by taking the mark away until no more change.
    fn mark_settled(&mut self) {
        for found in &mut self.types {
            found.is_settled = found.rules.is_empty() && !found.fields.iter().any(Field::may_need_completion);
        }
        loop {
            let settled: Vec<bool> = self.types.iter().map(|found| found.is_settled).collect();
            let is_settled = |field: &Field| {
                field.shape.type_id().is_none_or(|TypeId(inner)| settled.get(inner).copied().unwrap_or_default())
            };
            for found in &mut self.types {
                found.is_settled &= found.fields.iter().all(is_settled);
            }
            if self.types.iter().zip(settled).all(|(found, before)| found.is_settled == before) {
                return;
            }
        }
    }
}

impl Type {
    pub(super) fn field(&self, name: &str) -> Option<&Field> {
        let position = self.fields.binary_search_by(|field| field.name.cmp(name)).ok()?;
        self.fields.get(position)
    }
}

impl Field {
    fn parse(name: &'static str, text: &str, ids: &HashMap<&str, TypeId>) -> Result<Self, String> {
        let (rest, is_always) = text.strip_suffix('!').map_or((text, false), |rest| (rest, true));
        let (rest, is_optional) = rest.strip_suffix('?').map_or((rest, false), |rest| (rest, true));
        let inner = |inner: &str| {
            let known = ids.get(inner).map(|id| Inner::Type(*id)).or_else(|| Scalar::named(inner).map(Inner::Scalar));
            known.ok_or_else(|| format!("field {name:?} has the unknown shape {text:?}"))
        };
        let shape = if let Some(rest) = rest.strip_prefix("[]") {
            Shape::List(inner(rest)?)
        } else if let Some(rest) = rest.strip_prefix("{}") {
            Shape::Map(inner(rest)?)
        } else {
            Shape::One(inner(rest)?)
        };
        Ok(Self { name, shape, is_always, is_optional })
    }

    /// Whether the third pass may have something to do where rules have not been.
    fn may_need_completion(&self) -> bool {
        self.is_always || matches!(self.shape, Shape::Map(_)) && !self.is_optional
    }

    /// The type of which an empty object is written where the field has no value.
    pub(super) fn made_type(&self) -> Option<TypeId> {
        match self.shape {
            Shape::One(Inner::Type(id)) if self.is_always && !self.is_optional => Some(id),
            _ => None,
        }
    }

    /// Whether `value` is of the right type and says no more than that the field has no value.
    pub(super) fn is_zero(&self, value: Node<'_>) -> bool {
        if self.is_optional {
            return false;
        }
        match (self.shape, value.view()) {
            (Shape::List(_), View::List(items)) => !self.is_always && items.is_empty(),
            (Shape::Map(_) | Shape::One(Inner::Type(_)), View::Map(map)) => !self.is_always && map.is_empty(),
            (Shape::One(Inner::Scalar(scalar)), view) => match (scalar, view) {
                (Scalar::String | Scalar::Bytes, View::String(text)) => text.is_empty(),
                // "" is a name of a port that is missing, and 0 is none at all.
                (Scalar::IntOrString, View::String(text)) => !self.is_always && text.is_empty(),
                (Scalar::Int | Scalar::IntOrString, View::Int(int)) => int == 0,
                (Scalar::Bool, View::Bool(bool)) => !bool,
                _ => false,
            },
            _ => false,
        }
    }

    /// What stands where the field is always written and has no value.
    pub(super) fn zero(&self) -> Node<'static> {
        match self.shape {
            Shape::One(Inner::Scalar(scalar)) if !self.is_optional => scalar.zero(),
            _ => Node::NULL,
        }
    }

    /// Whether `value` has the JSON type of the field.
    pub(super) fn accepts(&self, value: Node<'_>) -> bool {
        match (self.shape, value.view()) {
            (Shape::List(_), View::List(_)) | (Shape::Map(_) | Shape::One(Inner::Type(_)), View::Map(_)) => true,
            (Shape::One(Inner::Scalar(scalar)), view) => scalar.accepts(view),
            _ => false,
        }
    }
}

impl Shape {
    /// The type that it is made of.
    pub(super) fn type_id(self) -> Option<TypeId> {
        let (Self::One(inner) | Self::List(inner) | Self::Map(inner)) = self;
        if let Inner::Type(id) = inner { Some(id) } else { None }
    }
}

impl Scalar {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "string" => Self::String,
            "bool" => Self::Bool,
            "int" => Self::Int,
            "intOrString" => Self::IntOrString,
            "quantity" => Self::Quantity,
            "time" => Self::Time,
            "bytes" => Self::Bytes,
            "any" => Self::Any,
            _ => return None,
        })
    }

    pub(super) fn zero(self) -> Node<'static> {
        match self {
            Self::String => Node::string(""),
            Self::Bool => Node::bool(false),
            Self::Int | Self::IntOrString => Node::int(0),
            Self::Quantity => Node::string("0"),
            Self::Time | Self::Bytes | Self::Any => Node::NULL,
        }
    }

    fn accepts(self, view: View<'_>) -> bool {
        match self {
            Self::String | Self::Time | Self::Bytes => matches!(view, View::String(_)),
            Self::Bool => matches!(view, View::Bool(_)),
            Self::Int => matches!(view, View::Int(_)),
            Self::IntOrString => matches!(view, View::Int(_) | View::String(_)),
            Self::Quantity => matches!(view, View::Int(_) | View::UInt(_) | View::Float(_) | View::String(_)),
            Self::Any => true,
        }
    }
}

#[derive(Deserialize)]
struct RawTable {
    #[serde(borrow)]
    kinds: BTreeMap<&'static str, &'static str>,
    types: BTreeMap<&'static str, BTreeMap<&'static str, &'static str>>,
    rules: BTreeMap<&'static str, Vec<RawRule>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &'static str) -> String {
        Table::read(text).unwrap_err()
    }

    #[test]
    fn rejects_tables_that_contradict_themselves() {
        assert_eq!(error(r#"{"kinds":{"v1/A":"A"},"types":{},"rules":{}}"#), r#"kind "v1/A" has the unknown type "A""#);
        assert_eq!(error(r#"{"kinds":{"A":"A"},"types":{"A":{}},"rules":{}}"#), r#""A" is no kind"#);
        assert_eq!(
            error(r#"{"kinds":{},"types":{"A":{"a":"[][]int!"}},"rules":{}}"#),
            r#"field "a" has the unknown shape "[][]int!""#
        );
        assert_eq!(error(r#"{"kinds":{},"types":{},"rules":{"A":[]}}"#), r#"there are rules for the unknown type "A""#);
    }

    #[test]
    fn rejects_rules_that_it_would_not_apply() {
        const TYPES: &str = r#"{"A":{"a":"int","b":"[]B","m":"{}string"},"B":{"c":"string"}}"#;
        for (rule, expected) in [
            (r#"{"set":"b[].d","to":1}"#, r#"the path "b[].d" leads nowhere"#),
            (r#"{"set":"a[].c","to":1}"#, r#"the path "a[].c" leads nowhere"#),
            (r#"{"set":"a[k]","to":1}"#, r#"the path "a[k]" leads nowhere"#),
            (r#"{"set":"m[k","to":1}"#, r#"the path "m[k" leads nowhere"#),
            (r#"{"set":"b[].c","sibling":"a"}"#, r#"there is no "a" beside "b[].c""#),
            (r#"{"set":"a","to":1,"copy":"a"}"#, r#"the rule for "a" must say one thing that it is set to"#),
            (r#"{"set":"a"}"#, r#"the rule for "a" must say one thing that it is set to"#),
            (r#"{"remove":"b[].c"}"#, r#"only "set" may lead through lists"#),
            (r#"{"rule":"pods"}"#, r#"a rule must have one of "set", "remove" and a known "rule""#),
            (r#"{"remove":"a","set":"a","to":1}"#, r#"a rule must have one of "set", "remove" and a known "rule""#),
        ] {
            let table = format!(r#"{{"kinds":{{}},"types":{TYPES},"rules":{{"A":[{rule}]}}}}"#);
            assert_eq!(error(table.leak()), expected);
        }
    }

    #[test]
    fn settles_what_no_pass_would_change() {
        let table = Table::read(
            r#"{"kinds":{},"types":{"A":{"b":"B?","a":"string"},"B":{"c":"[]C"},"C":{"d":"string!"},"D":{"d":"D?"}},"rules":{}}"#,
        );
        let settled: Vec<bool> = table.unwrap().types.iter().map(|found| found.is_settled).collect();
        assert_eq!(settled, [false, false, false, true]);
    }
}
