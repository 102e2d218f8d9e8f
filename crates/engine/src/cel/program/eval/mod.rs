//! Evaluation (cel-go, interpreter/interpretable.go), the cost counted on the way (runtimecost.go).
//!
//! An error is a value: where cel-go evaluates the second operand although the first one failed, so does this, because it
//! costs. Errors that nothing absorbs end everything at once.

mod attribute;
mod call;
mod fold;
mod literal;

pub(super) use literal::is_same_key;

use super::cost;
use super::tree::{InTest, MemberTest, Node, NodeKind, OrderTest, Wanted};
use super::{Activation, Recorder};
use crate::cel::context::Context;
use crate::cel::error::{Error, ErrorKind, Outcome};
use crate::cel::syntax::ExprId;
use crate::cel::value::{Equality, List, Map, Opaque, Value, compare, contains, equal};

/// One evaluation of one program.
pub(super) struct Evaluation<'e, 'x, 'a, R> {
    pub(super) context: &'e Context<'x, 'a>,
    pub(super) activation: &'e dyn Activation<'a>,
    pub(super) recorder: &'e mut R,
    /// The variables of macros.
    pub(super) locals: &'e mut [Value<'a>],
    /// Names that `optMap` bound and nobody has used yet.
    pub(super) pending: Vec<(usize, &'a Node)>,
    /// Elements of lists on their way, of all macros that are being evaluated.
    pub(super) scratch: Vec<Value<'a>>,
}

/// Whether an error ends everything.
pub(super) fn ends_all(error: &Error<'_>) -> bool {
    !error.kind.is_absorbable()
}

/// The error that stands in the place of a value.
#[cold]
fn lost(value: Value<'_>) -> ErrorKind<'_> {
    match value {
        Value::Opaque(Opaque::Unbound(name)) => ErrorKind::NoSuchAttribute(name),
        value => ErrorKind::Unconvertible(value.type_name()),
    }
}

/// The first of two errors.
#[cold]
fn first_error<'a>(left: Outcome<'a>, right: Outcome<'a>) -> Outcome<'a> {
    left.and(right)
}

impl<'a, R: Recorder<'a>> Evaluation<'_, '_, 'a, R> {
    /// The value of a node.
    pub(super) fn eval(&mut self, node: &'a Node) -> Outcome<'a> {
        let outcome = match self.step(node) {
            Err(error) if error.at.is_none() => Err(self.label(error, node.id)),
            Ok(value @ Value::Opaque(Opaque::Lost(_) | Opaque::Unbound(_))) => {
                self.context.raise(lost(value)).map_err(|error| self.label(error, node.id))
            }
            outcome => outcome,
        };
        if R::RECORDS {
            self.recorder.record(node.id, &outcome);
        }
        outcome
    }

    /// The error with its place.
    #[cold]
    fn label(&self, error: &'a Error<'a>, at: ExprId) -> &'a Error<'a> {
        self.context.arena().keep(Error { kind: error.kind, at: Some(at) })
    }

    #[inline]
    fn step(&mut self, node: &'a Node) -> Outcome<'a> {
        match &node.kind {
            NodeKind::Constant(constant) => Ok(constant.value()),
            NodeKind::Attribute(attribute) => self.attribute(attribute),
            NodeKind::Has(attribute) => self.has(attribute),
            NodeKind::And(terms) => self.connective(terms, false),
            NodeKind::Or(terms) => self.connective(terms, true),
            NodeKind::Not(operand) => self.not(operand),
            NodeKind::Equal(operands) => self.equality(operands, true),
            NodeKind::NotEqual(operands) => self.equality(operands, false),
            NodeKind::Order(test) => self.order(test),
            NodeKind::In(test) => self.is_in(test),
            NodeKind::Member(test) => self.is_member(test),
            NodeKind::Add(addition) => self.add(addition),
            NodeKind::OrValue(operands) => self.or_value(operands),
            NodeKind::OrOptional(operands) => self.or_optional(operands),
            NodeKind::HasValue(operand) => self.has_value(operand),
            NodeKind::Call(call) => self.call(call),
            NodeKind::Pattern(call) => self.pattern(call),
            NodeKind::List(elements) => self.list(elements),
            NodeKind::Map(items) => self.map(items),
            NodeKind::Struct(items) => self.structure(items),
            NodeKind::Fold(fold) => self.fold(fold),
            NodeKind::Bind(bind) => self.bind(bind),
            #[cfg(test)]
            NodeKind::Unfolded(unfolded) => self.context.with_cost_limit(u64::MAX, || self.eval(&unfolded.0)).0,
        }
    }

    /// Both operands of a function that is strict: the second one is evaluated, and costs, even if the first one fails.
    #[inline]
    fn both(&mut self, operands: &'a [Node; 2]) -> Outcome<'a, (Outcome<'a>, Outcome<'a>)> {
        let [left, right] = operands;
        Ok((self.attempt(left)?, self.attempt(right)?))
    }

    /// The outcome of a node: an error outside where it ends everything, else within.
    #[inline]
    fn attempt(&mut self, node: &'a Node) -> Outcome<'a, Outcome<'a>> {
        match self.eval(node) {
            Err(error) if ends_all(error) => Err(error),
            outcome => Ok(outcome),
        }
    }

    /// `&&` and `||`: the first term that decides ends it; else the first error counts.
    #[inline(never)]
    fn connective(&mut self, terms: &'a [Node], decisive: bool) -> Outcome<'a> {
        let mut failed = None;
        for term in terms {
            match self.eval(term) {
                Ok(Value::Bool(value)) if value == decisive => return Ok(Value::Bool(decisive)),
                Ok(Value::Bool(_)) => {}
                Ok(_) => {
                    if failed.is_none() {
                        failed = Some(self.context.no_such_overload());
                    }
                }
                Err(error) if ends_all(error) => return Err(error),
                Err(error) => {
                    failed.get_or_insert(Err(error));
                }
            }
        }
        failed.unwrap_or(Ok(Value::Bool(!decisive)))
    }

    #[inline(never)]
    fn not(&mut self, operand: &'a Node) -> Outcome<'a> {
        let value = self.attempt(operand)?;
        self.context.spend(1)?;
        match value? {
            Value::Bool(value) => Ok(Value::Bool(!value)),
            _ => self.context.no_such_overload(),
        }
    }

    #[inline(never)]
    fn equality(&mut self, operands: &'a [Node; 2], wanted: bool) -> Outcome<'a> {
        let (left, right) = self.both(operands)?;
        self.context.spend(cost::equality(&left, &right, wanted))?;
        let (Ok(left), Ok(right)) = (left, right) else { return first_error(left, right) };
        if let (Value::String(left), Value::String(right)) = (left, right)
            && left.len() < 64
        {
            return Ok(Value::Bool((left == right) == wanted));
        }
        match equal(left, right, self.context)? {
            Equality::Equal => Ok(Value::Bool(wanted)),
            Equality::Different => Ok(Value::Bool(!wanted)),
            Equality::NoSuchOverload if wanted => self.context.no_such_overload(),
            Equality::NoSuchOverload => Ok(Value::Bool(true)),
        }
    }

    #[inline(never)]
    fn order(&mut self, test: &'a OrderTest) -> Outcome<'a> {
        let (left, right) = self.both(&test.operands)?;
        if let (Ok(Value::Int(left)), Ok(Value::Int(right))) = (left, right) {
            self.context.spend(1)?;
            return Ok(Value::Bool(test.wanted.is(left.cmp(&right))));
        }
        let result = match (left, right) {
            (Ok(left), Ok(right)) => self.compared(test.wanted, left, right),
            (left, right) => first_error(left, right),
        };
        self.charge(test.charge, &[left, right], result)
    }

    fn compared(&self, wanted: Wanted, left: Value<'a>, right: Value<'a>) -> Outcome<'a> {
        match compare(left, right, self.context) {
            Ok(order) => Ok(Value::Bool(wanted.is(order))),
            Err(error) if matches!(error.kind, ErrorKind::NoSuchOverload) => {
                self.no_overload(wanted.function(), &[left, right])
            }
            Err(error) => Err(error),
        }
    }

    /// A value that can be a key of upstream's maps.
    fn hashable(&self, value: Value<'a>) -> Outcome<'a, Value<'a>> {
        match value.unhashable() {
            None => Ok(value),
            Some(name) => {
                let text = self.context.arena().format(format_args!("runtime error: hash of unhashable type {name}"));
                self.context.raise(ErrorKind::Internal(text))
            }
        }
    }

    #[inline(never)]
    fn is_in(&mut self, test: &'a InTest) -> Outcome<'a> {
        let (left, right) = self.both(&test.operands)?;
        let result = match (left, right) {
            (Ok(value), Ok(aggregate)) => self.holds(aggregate, value),
            (left, right) => first_error(left, right),
        };
        self.charge(test.charge, &[left, right], result)
    }

    #[inline(never)]
    fn is_member(&mut self, test: &'a MemberTest) -> Outcome<'a> {
        let value = self.eval(&test.operand)?;
        let value = self.hashable(value)?;
        Ok(Value::Bool(test.members.contains(value)))
    }

    /// `value in aggregate`
    fn holds(&self, aggregate: Value<'a>, value: Value<'a>) -> Outcome<'a> {
        match aggregate {
            // Upstream looks for nothing in a map without entries.
            Value::Map(map) if map.is_empty() => Ok(Value::Bool(false)),
            Value::Map(map @ Map::Node(_)) => Ok(Value::Bool(map.get(value).is_some())),
            Value::Map(map) => Ok(Value::Bool(map.get(self.hashable(value)?).is_some())),
            Value::List(List::Nodes(nodes)) if nodes.len() < 64 => {
                for node in nodes {
                    if equal(value, Value::of_node(*node), self.context)? == Equality::Equal {
                        return Ok(Value::Bool(true));
                    }
                }
                Ok(Value::Bool(false))
            }
            Value::List(list) => contains(list, value, self.context).map(Value::Bool),
            _ => self.context.no_such_overload(),
        }
    }

    /// Takes the cost of a call, whether it worked or not.
    #[inline]
    fn charge(&self, charge: cost::Charge, arguments: &[Outcome<'a>], result: Outcome<'a>) -> Outcome<'a> {
        match charge {
            cost::Charge::Flat(cost) => self.context.spend(cost)?,
            charge => self.context.spend(cost::cost(charge, arguments, &result, self.context)?)?,
        }
        result
    }
}

impl Wanted {
    const fn function(self) -> &'static str {
        match self {
            Self::Less => "_<_",
            Self::LessOrEqual => "_<=_",
            Self::Greater => "_>_",
            Self::GreaterOrEqual => "_>=_",
        }
    }

    const fn is(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}
