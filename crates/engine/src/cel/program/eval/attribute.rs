//! Names and what is selected from them (cel-go, interpreter/attributes.go).

use super::{Evaluation, ends_all, lost};
use crate::cel::error::{ErrorKind, Outcome};
use crate::cel::program::Recorder;
use crate::cel::program::cost::SELECT;
use crate::cel::program::tree::{Attribute, Base, Conditional, Key, Node, NodeKind, Qualifier};
use crate::cel::syntax::ExprId;
use crate::cel::value::{List, Map, Opaque, Value, whole_int};

/// What an attribute stands for.
#[derive(Clone, Copy)]
pub(super) enum Resolved<'a> {
    /// A value.
    Plain(Value<'a>),
    /// The value of an optional: there was an optional on the way.
    Present(Value<'a>),
    /// An optional without a value.
    Absent,
}

impl<'a, R: Recorder<'a>> Evaluation<'_, '_, 'a, R> {
    /// The value of an attribute, an optional where there was one on the way.
    #[inline(never)]
    pub(super) fn attribute(&mut self, attribute: &'a Attribute) -> Outcome<'a> {
        match self.resolve(attribute)? {
            Resolved::Plain(value) => Ok(value),
            resolved => self.wrapped(resolved),
        }
    }

    fn wrapped(&self, resolved: Resolved<'a>) -> Outcome<'a> {
        match resolved {
            Resolved::Plain(value) => Ok(value),
            Resolved::Present(value) => self.context.some(value),
            Resolved::Absent => Ok(Value::Optional(None)),
        }
    }

    /// `has(a.b)`
    #[inline(never)]
    pub(super) fn has(&mut self, attribute: &'a Attribute) -> Outcome<'a> {
        let mut steps = 0;
        let resolved = self.walk(attribute, &mut steps);
        // Upstream takes back the cost of a name, also where there is none: of `has((a ? b : c).d)`.
        if matches!(attribute.base, Base::Conditional(_)) {
            self.context.refund(SELECT);
        }
        Ok(match self.paid(steps, resolved)? {
            Resolved::Plain(value) => value,
            Resolved::Present(_) => Value::Bool(true),
            Resolved::Absent => Value::Bool(false),
        })
    }

    /// `a.orValue(b)`: without an optional made in between where `a` is an attribute.
    #[inline(never)]
    pub(super) fn or_value(&mut self, operands: &'a [Node; 2]) -> Outcome<'a> {
        let [left, right] = operands;
        if let NodeKind::Attribute(attribute) = &left.kind {
            let resolved = self.resolve(attribute);
            self.record_reached(left.id, &resolved);
            return match resolved? {
                Resolved::Plain(Value::Optional(None)) | Resolved::Absent => self.eval(right),
                Resolved::Plain(Value::Optional(Some(value))) => Ok(*value),
                Resolved::Plain(value) | Resolved::Present(value) => Ok(value),
            };
        }
        match self.eval(left)? {
            Value::Optional(None) => self.eval(right),
            Value::Optional(Some(value)) => Ok(*value),
            value => Ok(value),
        }
    }

    /// `a.or(b)`
    #[inline(never)]
    pub(super) fn or_optional(&mut self, operands: &'a [Node; 2]) -> Outcome<'a> {
        let [left, right] = operands;
        match self.eval(left)? {
            Value::Optional(None) => self.eval(right),
            value => Ok(value),
        }
    }

    /// `a.hasValue()`
    #[inline(never)]
    pub(super) fn has_value(&mut self, operand: &'a Node) -> Outcome<'a> {
        if let NodeKind::Attribute(attribute) = &operand.kind {
            let resolved = self.resolve(attribute);
            self.record_reached(operand.id, &resolved);
            return match self.paid(1, resolved)? {
                Resolved::Plain(Value::Optional(value)) => Ok(Value::Bool(value.is_some())),
                Resolved::Plain(_) => self.context.no_such_overload(),
                Resolved::Present(_) => Ok(Value::Bool(true)),
                Resolved::Absent => Ok(Value::Bool(false)),
            };
        }
        let value = self.attempt(operand)?;
        self.context.spend(1)?;
        match value? {
            Value::Optional(value) => Ok(Value::Bool(value.is_some())),
            _ => self.context.no_such_overload(),
        }
    }

    #[inline]
    fn resolve(&mut self, attribute: &'a Attribute) -> Outcome<'a, Resolved<'a>> {
        let mut steps = if matches!(attribute.base, Base::Conditional(_)) { 0 } else { SELECT };
        let resolved = self.walk(attribute, &mut steps);
        self.paid(steps, resolved)
    }

    /// Takes the cost of what was reached, also where that is an error.
    #[inline]
    pub(super) fn paid<T>(&self, cost: u64, outcome: Outcome<'a, T>) -> Outcome<'a, T> {
        match outcome {
            Err(error) if ends_all(error) => Err(error),
            outcome => self.context.spend(cost).and(outcome),
        }
    }

    /// Goes the way and counts its steps; what is evaluated on the way is paid for at once.
    fn walk(&mut self, attribute: &'a Attribute, steps: &mut u64) -> Outcome<'a, Resolved<'a>> {
        let mut value = match &attribute.base {
            Base::Declared(_, slot) => self.activation.value(*slot),
            Base::Local(_, local) => self.locals.get(*local).copied().unwrap_or_default(),
            base => return self.walk_from(base, attribute, steps),
        };
        if R::RECORDS || matches!(value, Value::Optional(_)) {
            let resolved = self.unwrapped(value)?;
            self.record_base(attribute, value);
            return self.follow(resolved, &attribute.qualifiers, steps);
        }
        for (position, qualifier) in attribute.qualifiers.iter().enumerate() {
            if let (Key::Field(name), Value::Map(Map::Node(map))) = (&qualifier.key, value)
                && let Some(node) = map.get(name)
                && !qualifier.is_test
                && !qualifier.is_optional
            {
                *steps += SELECT;
                value = Value::of_node(node);
                continue;
            }
            let rest = attribute.qualifiers.get(position..).unwrap_or_default();
            return self.follow(Resolved::Plain(value), rest, steps);
        }
        Ok(Resolved::Plain(value))
    }

    #[inline(never)]
    fn walk_from(&mut self, base: &'a Base, attribute: &'a Attribute, steps: &mut u64) -> Outcome<'a, Resolved<'a>> {
        let resolved = match base {
            Base::Declared(..) | Base::Local(..) => Resolved::Plain(Value::Null),
            Base::Lazy(_, local) => {
                let value = self.bound(*local)?;
                self.record_base(attribute, value);
                self.unwrapped(value)?
            }
            Base::PolicyVariable(_, index, is_test) => {
                *steps += SELECT;
                let value = self.activation.variable(*index, self.context)?;
                self.record_base(attribute, value);
                Resolved::Plain(if *is_test { Value::Bool(true) } else { value })
            }
            Base::Computed(node) => {
                let value = self.eval(node)?;
                self.unwrapped(value)?
            }
            Base::Conditional(conditional) => self.conditional(conditional, steps)?,
        };
        self.follow(resolved, &attribute.qualifiers, steps)
    }

    fn conditional(&mut self, conditional: &'a Conditional, steps: &mut u64) -> Outcome<'a, Resolved<'a>> {
        let branch = match self.eval(&conditional.condition)? {
            Value::Bool(true) => &conditional.then,
            Value::Bool(false) => &conditional.otherwise,
            _ => return self.context.no_such_overload(),
        };
        let resolved = self.walk(branch, steps);
        self.record_part(branch, &resolved);
        resolved
    }

    /// A value that is an optional, looked into.
    fn unwrapped(&self, value: Value<'a>) -> Outcome<'a, Resolved<'a>> {
        match value {
            Value::Optional(None) => Ok(Resolved::Absent),
            Value::Optional(Some(value)) => {
                // An optional in it comes out as what it holds, or as null.
                let mut value = *value;
                while let Value::Optional(inner) = value {
                    value = inner.copied().unwrap_or_default();
                }
                // A type comes out as its name.
                if let Some(name) = value.named_type() {
                    value = Value::String(self.context.text(&name)?);
                }
                if let Value::Opaque(opaque) = value
                    && !matches!(opaque, Opaque::Format(_) | Opaque::Lost(_) | Opaque::Unbound(_))
                {
                    value = Value::Opaque(Opaque::Lost(self.context.keep(opaque)?));
                }
                Ok(Resolved::Present(value))
            }
            value => Ok(Resolved::Plain(value)),
        }
    }

    /// Follows qualifiers (`applyQualifiers`).
    fn follow(
        &mut self,
        from: Resolved<'a>,
        qualifiers: &'a [Qualifier],
        steps: &mut u64,
    ) -> Outcome<'a, Resolved<'a>> {
        let (mut value, mut is_optional) = match from {
            Resolved::Plain(value) => (value, false),
            Resolved::Present(value) => (value, true),
            Resolved::Absent => return Ok(Resolved::Absent),
        };
        for (position, qualifier) in qualifiers.iter().enumerate() {
            is_optional |= qualifier.is_optional;
            if let Value::Opaque(Opaque::Lost(_) | Opaque::Unbound(_)) = value {
                return self.context.raise(lost(value));
            }
            // Upstream sees every plain step, but of optional ones only those that found something.
            *steps += u64::from(!is_optional);
            let mut key = Value::Null;
            let found = self.select(value, qualifier, &mut key)?;
            let reached = match found {
                Some(found) if is_optional => {
                    *steps += SELECT;
                    Ok(Resolved::Present(found))
                }
                None if is_optional => Ok(Resolved::Absent),
                found if qualifier.is_test => Ok(Resolved::Plain(Value::Bool(found.is_some()))),
                Some(found) => Ok(Resolved::Plain(found)),
                None if qualifier.is_declared_field && matches!(value, Value::Struct(_)) => {
                    Ok(Resolved::Plain(Value::Null))
                }
                None => self.missing(value, key, qualifier),
            };
            if position + 1 < qualifiers.len() {
                self.record_reached(qualifier.id, &reached);
            }
            value = match reached? {
                Resolved::Plain(value) | Resolved::Present(value) => value,
                Resolved::Absent => return Ok(Resolved::Absent),
            };
        }
        Ok(if is_optional { Resolved::Present(value) } else { Resolved::Plain(value) })
    }

    /// What stands under a qualifier; None if nothing does. `key` becomes what was looked for.
    fn select(
        &mut self,
        value: Value<'a>,
        qualifier: &'a Qualifier,
        key: &mut Value<'a>,
    ) -> Outcome<'a, Option<Value<'a>>> {
        *key = match &qualifier.key {
            Key::Field(name) => Value::String(name),
            Key::Constant(constant) => constant.value(),
            computed => self.key(computed)?,
        };
        match (value, *key) {
            (Value::Map(map), Value::String(name)) => Ok(map.field(name)),
            (Value::Map(map), key) => Ok(map.get(key)),
            (Value::List(list), key) => self.element(list, key),
            (Value::Struct(fields), Value::String(name)) => {
                Ok(fields.fields.iter().find(|field| field.0 == name).map(|field| field.1))
            }
            _ => Ok(None),
        }
    }

    /// The value of a key that is not constant.
    #[inline(never)]
    fn key(&mut self, key: &'a Key) -> Outcome<'a> {
        let value = match key {
            Key::Attribute(attribute) => {
                let mut steps = 0;
                let resolved = self.walk(attribute, &mut steps);
                self.record_part(attribute, &resolved);
                let resolved = self.paid(steps, resolved)?;
                self.wrapped(resolved)?
            }
            Key::Computed(node) => self.eval(node)?,
            Key::Field(name) => Value::String(name),
            Key::Constant(constant) => constant.value(),
        };
        let type_name = match value {
            Value::String(_) | Value::Int(_) | Value::Uint(_) | Value::Double(_) | Value::Bool(_) => return Ok(value),
            Value::Null => "<nil>",
            Value::Map(_) => "map[string]interface {}",
            Value::List(_) => "[]interface {}",
            other => other.type_name(),
        };
        self.context.raise_text(format_args!("invalid qualifier type: {type_name}"))
    }

    fn element(&self, list: List<'a>, key: Value<'a>) -> Outcome<'a, Option<Value<'a>>> {
        let position = match key {
            Value::Int(position) => Some(position),
            Value::Uint(position) => i64::try_from(position).ok(),
            Value::Double(position) => whole_int(position),
            other => {
                let name = other.type_name();
                return self.context.raise_text(format_args!("unsupported index type '{name}' in list"));
            }
        };
        match position {
            Some(position) => match usize::try_from(position) {
                Ok(position) => list.get(position, self.context),
                Err(_) => Ok(None),
            },
            None => match key {
                Value::Double(key) => self.context.raise_text(format_args!("unsupported index value {key} in list")),
                Value::Uint(key) => self.context.raise_text(format_args!("unsupported index value {key} in list")),
                _ => self.context.no_such_overload(),
            },
        }
    }

    #[cold]
    fn missing<T>(&self, value: Value<'a>, key: Value<'a>, qualifier: &'a Qualifier) -> Outcome<'a, T> {
        let kind = match (value, key) {
            (Value::List(_), Value::Int(key)) => ErrorKind::IndexOutOfBounds(key),
            (Value::List(_), Value::Uint(key)) => ErrorKind::IndexOutOfBounds(i64::try_from(key).unwrap_or(i64::MAX)),
            (Value::List(_), Value::Double(key)) => ErrorKind::IndexOutOfBounds(whole_int(key).unwrap_or(i64::MAX)),
            (_, Value::Double(key)) => {
                return self.context.raise_text(format_args!("no such key: {key}"));
            }
            _ => ErrorKind::NoSuchKey(key),
        };
        let error = self.context.raise(kind);
        error.map_err(|error| self.label(error, qualifier.id))
    }

    /// What the qualifiers start from: without them it is the whole, which whoever asked for it records.
    fn record_base(&mut self, attribute: &'a Attribute, value: Value<'a>) {
        if !R::RECORDS || attribute.qualifiers.is_empty() {
            return;
        }
        if let Base::Declared(id, _) | Base::Local(id, _) | Base::Lazy(id, _) | Base::PolicyVariable(id, ..) =
            attribute.base
        {
            self.recorder.record(id, &Ok(value));
        }
    }

    /// An attribute that is no node: a branch, a key.
    fn record_part(&mut self, attribute: &'a Attribute, resolved: &Outcome<'a, Resolved<'a>>) {
        if let Some(id) = attribute.id() {
            self.record_reached(id, resolved);
        }
    }

    /// What was reached, an optional where there was one on the way.
    #[inline]
    fn record_reached(&mut self, id: ExprId, reached: &Outcome<'a, Resolved<'a>>) {
        if !R::RECORDS {
            return;
        }
        match *reached {
            Ok(Resolved::Plain(value)) => self.recorder.record(id, &Ok(value)),
            Ok(Resolved::Present(value)) => self.recorder.record_held(id, value),
            Ok(Resolved::Absent) => self.recorder.record(id, &Ok(Value::Optional(None))),
            Err(error) => self.recorder.record(id, &Err(error)),
        }
    }
}
