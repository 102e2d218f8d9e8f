//! The first pass: what reading an object into its Go type keeps of it.

use super::rebuild::{self, Entries};
use super::scalar;
use super::table::{Field, Inner, Shape, Table, TypeId};
use crate::json::{Arena, Node};

pub(super) struct Typing<'t, 'a> {
    pub(super) table: &'t Table,
    pub(super) arena: &'a Arena,
}

impl<'a> Typing<'_, 'a> {
    /// The object less the fields that its type does not have and those that have no value. Where a field is always written,
    /// a zero stays where it is: the rules look through it ([`Field::is_zero`]).
    pub(super) fn object(&self, id: TypeId, object: Node<'a>) -> Node<'a> {
        let (Some(found), Some(map)) = (self.table.get(id), object.as_map()) else { return object };
        let mut entries = Entries::of(map);
        for (key, value) in map.entries() {
            entries.put(key, *value, found.field(key).and_then(|field| self.field(field, *value)));
        }
        for field in &found.fields {
            if let Some(inner) = field.made_type()
                && map.position(field.name).is_none()
            {
                entries.add(field.name, self.empty(inner));
            }
        }
        entries.finish(self.arena, object)
    }

    fn field(&self, field: &Field, value: Node<'a>) -> Option<Node<'a>> {
        if value.is_null() {
            return field.made_type().map(|id| self.empty(id)).or(field.is_always.then_some(value));
        }
        let new = match field.shape {
            Shape::One(inner) => self.one(inner, value),
            Shape::List(inner) => rebuild::items(self.arena, value, |item| self.element(inner, item)),
            Shape::Map(inner) => rebuild::values(self.arena, value, |item| self.element(inner, item)),
        };
        (field.is_always || !field.is_zero(new)).then_some(new)
    }

    fn element(&self, inner: Inner, value: Node<'a>) -> Node<'a> {
        match inner {
            Inner::Type(id) if value.is_null() => self.empty(id),
            Inner::Scalar(scalar) if value.is_null() => scalar.zero(),
            _ => self.one(inner, value),
        }
    }

    fn one(&self, inner: Inner, value: Node<'a>) -> Node<'a> {
        match inner {
            Inner::Type(id) => self.object(id, value),
            Inner::Scalar(scalar) => scalar::canonical(self.arena, scalar, value),
        }
    }

    fn empty(&self, id: TypeId) -> Node<'a> {
        self.object(id, self.arena.map(&[]))
    }
}
