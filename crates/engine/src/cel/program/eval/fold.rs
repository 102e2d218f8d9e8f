//! Macros over lists and maps. Each does what cel-go's expansion of it into a fold does, and costs what that costs: a name, an
//! operator, a list at every turn (cel-go, parser/macro.go, ext/comprehensions.go).

use super::literal::is_same_key;
use super::{Evaluation, ends_all};
use crate::cel::error::Outcome;
use crate::cel::program::Recorder;
use crate::cel::program::cost::{LIST, SELECT};
use crate::cel::program::tree::{Bind, Fold, FoldKind, Node};
use crate::cel::value::{List, Map, Value};

/// Whether a walk goes on.
enum Walk {
    On,
    Ended,
}

/// What a turn does with its predicate.
enum Turn<'a> {
    Taken,
    Passed,
    Failed(Outcome<'a>),
}

/// Entries on their way into a map.
#[derive(Default)]
struct Entries<'a> {
    entries: Vec<(Value<'a>, Value<'a>)>,
}

impl<'a, R: Recorder<'a>> Evaluation<'_, '_, 'a, R> {
    #[inline(never)]
    pub(super) fn fold(&mut self, fold: &'a Fold) -> Outcome<'a> {
        let range = self.eval(&fold.range)?;
        if !matches!(range, Value::List(_) | Value::Map(_)) {
            let name = go_type(range);
            return if fold.has_two {
                self.context.raise_text(format_args!("unsupported comprehension range type: {name}"))
            } else {
                self.context.raise_text(format_args!("got '{name}', expected iterable type"))
            };
        }
        match &fold.kind {
            FoldKind::All(predicate) => self.quantifier(fold, range, predicate, false),
            FoldKind::Exists(predicate) => self.quantifier(fold, range, predicate, true),
            FoldKind::ExistsOne(predicate) => self.exists_one(fold, range, predicate),
            FoldKind::Collect { predicate, transform } => {
                let base = self.scratch.len();
                let list = self.collect(fold, range, predicate.as_ref(), transform);
                self.scratch.truncate(base);
                list
            }
            FoldKind::Entries { predicate, transform } => {
                self.transform_entries(fold, range, predicate.as_ref(), transform, false)
            }
            FoldKind::Merge { predicate, transform } => {
                self.transform_entries(fold, range, predicate.as_ref(), transform, true)
            }
        }
    }

    /// `all` and `exists`: the accumulator is asked for before each turn, and what it holds is combined with the predicate.
    #[inline(never)]
    fn quantifier(&mut self, fold: &'a Fold, range: Value<'a>, predicate: &'a Node, decisive: bool) -> Outcome<'a> {
        // `@not_strictly_false(@result)`, of `exists` with a `!` in it.
        let condition = if decisive { 3 } else { 2 };
        let mut failed: Option<Outcome<'a>> = None;
        let mut decided = false;
        self.walk_range(fold, range, |this| {
            this.context.spend(condition)?;
            if decided {
                return Ok(Walk::Ended);
            }
            this.context.spend(SELECT)?;
            match this.eval(predicate) {
                Ok(Value::Bool(value)) => decided = value == decisive,
                Ok(_) => {
                    if failed.is_none() {
                        failed = Some(this.context.no_such_overload());
                    }
                }
                Err(error) if ends_all(error) => return Err(error),
                Err(error) => {
                    failed.get_or_insert(Err(error));
                }
            }
            Ok(Walk::On)
        })?;
        self.context.spend(SELECT)?;
        match failed {
            _ if decided => Ok(Value::Bool(decisive)),
            Some(failed) => failed,
            None => Ok(Value::Bool(!decisive)),
        }
    }

    /// Whether a turn counts: where there is a predicate, its error replaces what was accumulated.
    fn turn(&mut self, predicate: Option<&'a Node>) -> Outcome<'a, Turn<'a>> {
        let Some(predicate) = predicate else { return Ok(Turn::Taken) };
        match self.eval(predicate) {
            Ok(Value::Bool(true)) => Ok(Turn::Taken),
            Ok(Value::Bool(false)) => Ok(Turn::Passed),
            Ok(_) => Ok(Turn::Failed(self.context.no_such_overload())),
            Err(error) if ends_all(error) => Err(error),
            Err(error) => Ok(Turn::Failed(Err(error))),
        }
    }

    #[inline(never)]
    fn exists_one(&mut self, fold: &'a Fold, range: Value<'a>, predicate: &'a Node) -> Outcome<'a> {
        let mut failed: Option<Outcome<'a>> = None;
        let mut count = 0_u64;
        self.walk_range(fold, range, |this| {
            match this.turn(Some(predicate))? {
                // `@result + 1`
                Turn::Taken => {
                    this.context.spend(SELECT + 1)?;
                    count += 1;
                }
                Turn::Passed => {}
                Turn::Failed(error) => failed = Some(error),
            }
            Ok(Walk::On)
        })?;
        // `@result == 1`
        self.context.spend(SELECT + 1)?;
        failed.unwrap_or(Ok(Value::Bool(count == 1)))
    }

    #[inline(never)]
    fn collect(
        &mut self,
        fold: &'a Fold,
        range: Value<'a>,
        predicate: Option<&'a Node>,
        transform: &'a Node,
    ) -> Outcome<'a> {
        // `@result + [transform]`; a list of one constant is a constant itself.
        let cost = if transform.constant().is_some() { 0 } else { LIST } + 1;
        let mut failed: Option<Outcome<'a>> = None;
        let base = self.scratch.len();
        self.walk_range(fold, range, |this| {
            match this.turn(predicate)? {
                Turn::Passed => return Ok(Walk::On),
                Turn::Failed(error) => {
                    failed = Some(error);
                    return Ok(Walk::On);
                }
                Turn::Taken => {}
            }
            this.context.spend(SELECT)?;
            let outcome = this.attempt(transform)?;
            this.context.spend(cost)?;
            match outcome {
                Ok(value) => this.scratch.push(value),
                Err(error) => {
                    failed.get_or_insert(Err(error));
                }
            }
            Ok(Walk::On)
        })?;
        self.context.spend(SELECT)?;
        match failed {
            Some(failed) => failed,
            None => List::of(self.scratch.get(base..).unwrap_or_default(), self.context).map(Value::List),
        }
    }

    #[inline(never)]
    fn transform_entries(
        &mut self,
        fold: &'a Fold,
        range: Value<'a>,
        predicate: Option<&'a Node>,
        transform: &'a Node,
        merges: bool,
    ) -> Outcome<'a> {
        let mut failed: Option<Outcome<'a>> = None;
        let mut made = Entries::default();
        self.walk_range(fold, range, |this| {
            match this.turn(predicate)? {
                Turn::Passed => return Ok(Walk::On),
                Turn::Failed(error) => {
                    failed = Some(error);
                    return Ok(Walk::On);
                }
                Turn::Taken => {}
            }
            this.context.spend(SELECT)?;
            if !merges {
                // `cel.@mapInsert(@result, key, transform)` has three arguments: nothing comes after the first error.
                if failed.is_some() {
                    return Ok(Walk::On);
                }
                this.context.spend(SELECT)?;
            }
            let outcome = this.attempt(transform)?;
            this.context.spend(1)?;
            let value = match outcome {
                Ok(_) if failed.is_some() => return Ok(Walk::On),
                Ok(value) => value,
                Err(error) => {
                    failed.get_or_insert(Err(error));
                    return Ok(Walk::On);
                }
            };
            let inserted = if merges {
                this.merge(&mut made, value)
            } else {
                let key = this.locals.get(fold.local).copied().unwrap_or_default();
                this.insert(&mut made, key, value)
            };
            match inserted {
                Err(error) if ends_all(error) => return Err(error),
                Err(error) => failed = Some(Err(error)),
                Ok(()) => {}
            }
            Ok(Walk::On)
        })?;
        self.context.spend(SELECT)?;
        match failed {
            Some(failed) => failed,
            None => Map::of(&made.entries, self.context).map(Value::Map),
        }
    }

    fn merge(&mut self, made: &mut Entries<'a>, value: Value<'a>) -> Outcome<'a, ()> {
        let Value::Map(map) = value else { return self.context.no_such_overload() };
        for (key, value) in map.iter() {
            self.insert(made, key, value)?;
        }
        Ok(())
    }

    fn insert(&mut self, made: &mut Entries<'a>, key: Value<'a>, value: Value<'a>) -> Outcome<'a, ()> {
        self.context.step(made.entries.len() / 4 + 1)?;
        if made.entries.iter().any(|(other, _)| is_same_key(*other, key)) {
            return match key {
                Value::String(key) => self.context.raise_text(format_args!("insert failed: key {key} already exists")),
                _ => self.context.raise_text(format_args!("insert failed: the key already exists")),
            };
        }
        made.entries.push((key, value));
        Ok(())
    }

    /// `optMap`: the name's value is computed where it is first used, and costs then.
    #[inline(never)]
    pub(super) fn bind(&mut self, bind: &'a Bind) -> Outcome<'a> {
        self.pending.push((bind.local, &bind.value));
        let value = self.eval(&bind.body);
        self.pending.retain(|(local, _)| *local != bind.local);
        value
    }

    /// The value that `optMap` bound.
    #[inline(never)]
    pub(super) fn bound(&mut self, local: usize) -> Outcome<'a> {
        if let Some(position) = self.pending.iter().rposition(|pending| pending.0 == local) {
            let (_, node) = self.pending.remove(position);
            let value = self.eval(node)?;
            self.set(local, value);
        }
        Ok(self.locals.get(local).copied().unwrap_or_default())
    }

    #[inline]
    fn set(&mut self, local: usize, value: Value<'a>) {
        if let Some(place) = self.locals.get_mut(local) {
            *place = value;
        }
    }

    /// Sets the variables for each element, and asks `turn`.
    #[inline]
    fn walk_range(
        &mut self,
        fold: &'a Fold,
        range: Value<'a>,
        mut turn: impl FnMut(&mut Self) -> Outcome<'a, Walk>,
    ) -> Outcome<'a, ()> {
        let (local, has_two) = (fold.local, fold.has_two);
        let mut index = 0_i64;
        let mut element = |this: &mut Self, value: Value<'a>| {
            this.context.step(1)?;
            if has_two {
                this.set(local, Value::Int(index));
                this.set(local + 1, value);
                index += 1;
            } else {
                this.set(local, value);
            }
            turn(this)
        };
        match range {
            Value::List(List::Nodes(nodes)) => {
                for node in nodes {
                    if matches!(element(self, Value::of_node(*node))?, Walk::Ended) {
                        break;
                    }
                }
            }
            Value::List(list) => {
                for value in list.iter() {
                    if matches!(element(self, value)?, Walk::Ended) {
                        break;
                    }
                }
            }
            Value::Map(map) => {
                for (key, value) in map.iter() {
                    self.context.step(1)?;
                    self.set(local, key);
                    if has_two {
                        self.set(local + 1, value);
                    }
                    if matches!(turn(self)?, Walk::Ended) {
                        break;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// As Go's `%T` prints it.
fn go_type(value: Value<'_>) -> &str {
    match value {
        Value::Null => "types.Null",
        Value::Bool(_) => "types.Bool",
        Value::Int(_) => "types.Int",
        Value::Uint(_) => "types.Uint",
        Value::Double(_) => "types.Double",
        Value::String(_) => "types.String",
        Value::Bytes(_) => "types.Bytes",
        Value::Duration(_) => "types.Duration",
        Value::Timestamp(_) => "types.Timestamp",
        Value::Type(_) => "*types.Type",
        Value::Optional(_) => "*types.Optional",
        other => other.type_name(),
    }
}
