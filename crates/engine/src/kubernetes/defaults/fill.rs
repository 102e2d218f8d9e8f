//! The second and the third pass: rules fill in values, and what is always written gets its zero.
//!
//! They are one walk: completing an object changes nothing that a rule of another type looks at, as rules take a zero
//! for no value, and rules only look down, from objects that were filled in before.

use super::rebuild::{self, Entries};
use super::rule::{Action, Rule, Setting, Source};
use super::scalar;
use super::table::{Field, Inner, Shape, Table, TypeId};
use super::{pod_ips, pod_level};
use crate::json::{Arena, Node, Segment, edit};
use crate::kubernetes::image::Image;
use crate::kubernetes::quantity::Quantity;

pub(super) struct Filling<'t, 'a> {
    pub(super) table: &'t Table,
    pub(super) arena: &'a Arena,
}

impl<'a> Filling<'_, 'a> {
    /// The object with all that the API server adds to it. It went through the first pass.
    pub(super) fn object(&self, id: TypeId, object: Node<'a>) -> Node<'a> {
        let Some(found) = self.table.get(id).filter(|found| !found.is_settled) else { return object };
        if object.as_map().is_none() {
            return object;
        }
        let object = found.rules.iter().fold(object, |object, rule| self.apply(rule, object));
        let Some(map) = object.as_map() else { return object };
        let mut entries = Entries::of(map);
        for (key, value) in map.entries() {
            let new = found.field(key).map_or(Some(*value), |field| self.field(field, *value));
            entries.put(key, *value, new);
        }
        for field in found.fields.iter().filter(|field| field.is_always) {
            if map.position(field.name).is_none() {
                entries.add(field.name, field.zero());
            }
        }
        entries.finish(self.arena, object)
    }

    fn field(&self, field: &Field, value: Node<'a>) -> Option<Node<'a>> {
        if value.is_null() {
            return Some(field.zero());
        }
        match field.shape {
            Shape::One(Inner::Type(id)) => Some(self.object(id, value)),
            Shape::List(Inner::Type(id)) => Some(rebuild::items(self.arena, value, |item| self.object(id, item))),
            Shape::Map(Inner::Type(id)) => Some(rebuild::values(self.arena, value, |item| self.object(id, item))),
            // A map that the rules have emptied.
            Shape::Map(Inner::Scalar(_)) if field.is_zero(value) => None,
            Shape::Map(Inner::Scalar(_)) | Shape::List(Inner::Scalar(_)) | Shape::One(Inner::Scalar(_)) => Some(value),
        }
    }

    fn apply(&self, rule: &Rule, object: Node<'a>) -> Node<'a> {
        let holds = |object: Node<'a>, place: &[usize]| {
            rule.conditions.iter().all(|condition| condition.holds(condition.path.at(object, place)))
        };
        match &rule.action {
            Action::Set(setting) => setting.path.places(object).iter().fold(object, |object, place| {
                if holds(object, place) { self.set(setting, object, place) } else { object }
            }),
            _ if !holds(object, &[]) => object,
            Action::Remove(path) => edit::remove(self.arena, object, &path.segments(&[])),
            Action::RoundUpToMilli(path) => {
                let Some(amounts) = path.at(object, &[]) else { return object };
                let rounded = rebuild::values(self.arena, amounts, |amount| round_up_to_milli(self.arena, amount));
                self.put(object, path.segments(&[]).as_slice(), rounded)
            }
            Action::PodIps => pod_ips::keep_alike(self.arena, object),
            Action::PodLevelResources => pod_level::fill(self.arena, object),
        }
    }

    fn set(&self, setting: &Setting, object: Node<'a>, place: &[usize]) -> Node<'a> {
        let now = setting.path.at(object, place);
        let is_free = now.is_none_or(|now| {
            // What has a wrong type is not a value that a rule could know anything about.
            let is_typed = setting.path.field().is_none_or(|field| field.accepts(now));
            is_typed && (setting.is_replacing || setting.over.iter().any(|literal| literal.is(now)))
        });
        let value = match &setting.source {
            Source::Keys(path) => self.with_keys(now, path.at(object, place)),
            _ if !is_free => return object,
            Source::To(literal) => Some(literal.node(self.arena)),
            Source::Copy(path) => path.at(object, place),
            Source::PullPolicy(path) => Some(Node::string(pull_policy(path.at(object, place)))),
        };
        let segments = setting.path.segments(place);
        match value {
            Some(value) => self.put(object, &segments, value),
            None if now.is_some() && !setting.over.is_empty() => edit::remove(self.arena, object, &segments),
            None => object,
        }
    }

    /// The map `now` with the entries of `source` whose keys it lacks.
    fn with_keys(&self, now: Option<Node<'a>>, source: Option<Node<'a>>) -> Option<Node<'a>> {
        let source = source.filter(|source| !source.entries().is_empty())?;
        let Some(now) = now else { return Some(source) };
        let map = now.as_map()?;
        let mut entries = Entries::of(map);
        map.entries().iter().for_each(|(key, value)| entries.put(key, *value, Some(*value)));
        for (key, value) in source.entries() {
            if map.position(key).is_none() {
                entries.add(key, *value);
            }
        }
        Some(entries.finish(self.arena, now))
    }

    /// Where something on the way has a wrong type, nothing is set.
    fn put(&self, object: Node<'a>, segments: &[Segment<'_>], value: Node<'a>) -> Node<'a> {
        edit::set(self.arena, object, segments, value).unwrap_or(object)
    }
}

fn round_up_to_milli<'a>(arena: &'a Arena, amount: Node<'a>) -> Node<'a> {
    Quantity::read(amount).map_or(amount, |quantity| scalar::text_of(arena, amount, &quantity.rounded_up_to_milli()))
}

/// How an image is pulled by whose container nothing is said about it.
fn pull_policy(image: Option<Node<'_>>) -> &'static str {
    let Ok(image) = Image::parse(image.and_then(Node::as_str).unwrap_or_default()) else { return "IfNotPresent" };
    match (image.tag(), image.digest()) {
        (Some("latest"), _) | (None, None) => "Always",
        _ => "IfNotPresent",
    }
}
