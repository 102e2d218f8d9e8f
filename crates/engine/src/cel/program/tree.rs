//! The tree that is evaluated.

use super::cost::Charge;
use super::membership::Membership;
use crate::cel::constant::Constant;
use crate::cel::environment::Slot;
use crate::cel::error::Outcome;
use crate::cel::function::Overload;
use crate::cel::regex::Regex;
use crate::cel::syntax::ExprId;
use crate::cel::value::Value;
use crate::cel::value::quantity::Amount;
use crate::kubernetes::quantity::Format;

/// A step of an evaluation. Its depth is bounded by the parser.
pub(super) struct Node {
    /// The expression that it comes from.
    pub(super) id: ExprId,
    pub(super) kind: NodeKind,
}

pub(super) enum NodeKind {
    /// A literal, or what was computed when the program was made. Costs nothing.
    Constant(Constant),
    /// A name and what is selected from it.
    Attribute(Box<Attribute>),
    /// `has(a.b)`: the last qualifier asks for the presence alone.
    Has(Box<Attribute>),
    /// `a && b && c`
    And(Box<[Node]>),
    /// `a || b || c`
    Or(Box<[Node]>),
    /// `!a`
    Not(Box<Node>),
    /// `a == b`
    Equal(Box<[Node; 2]>),
    /// `a != b`
    NotEqual(Box<[Node; 2]>),
    /// `a < b` and its like
    Order(Box<OrderTest>),
    /// `a in b`
    In(Box<InTest>),
    /// `a in [constants]`
    Member(Box<MemberTest>),
    /// `a + b`
    Add(Box<Addition>),
    /// `optional.orValue(a)`: the right one is evaluated where the left one has no value.
    OrValue(Box<[Node; 2]>),
    /// `optional.or(a)`
    OrOptional(Box<[Node; 2]>),
    /// `optional.hasValue()`
    HasValue(Box<Node>),
    /// Every other function.
    Call(Box<Call>),
    /// `matches`, `find` or `findAll` with a pattern that is known.
    Pattern(Box<PatternCall>),
    /// `[a, ?b]`
    List(Box<[Element]>),
    /// `{a: b, ?c: d}`
    Map(Box<[MapItem]>),
    /// `Type{a: b, ?c: d}`
    Struct(Box<StructItems>),
    /// A macro over a list or a map.
    Fold(Box<Fold>),
    /// `optional.optMap(x, transform)`: the name is bound where it is first used.
    Bind(Box<Bind>),
    /// What is a constant, and how it comes about, which is evaluated at no cost. For tests of the former by the latter.
    #[cfg(test)]
    Unfolded(Box<(Node, Constant)>),
}

/// A name or a computed value, and what is selected from it (cel-go, interpreter/attributes.go).
pub(super) struct Attribute {
    pub(super) base: Base,
    pub(super) qualifiers: Vec<Qualifier>,
}

pub(super) enum Base {
    /// A declared name.
    Declared(ExprId, Slot),
    /// A variable of a macro.
    Local(ExprId, usize),
    /// The name that `optMap` binds.
    Lazy(ExprId, usize),
    /// `variables.name`; whether its presence alone is asked for.
    PolicyVariable(ExprId, usize, bool),
    /// A computed value.
    Computed(Node),
    /// `condition ? a : b`
    Conditional(Box<Conditional>),
}

/// `condition ? then : otherwise`. The branches are attributes: names in them cost nothing themselves.
pub(super) struct Conditional {
    pub(super) id: ExprId,
    pub(super) condition: Node,
    pub(super) then: Attribute,
    pub(super) otherwise: Attribute,
}

/// A step into a value.
pub(super) struct Qualifier {
    /// The whole up to here.
    pub(super) id: ExprId,
    pub(super) key: Key,
    /// `.?a`, `[?a]`
    pub(super) is_optional: bool,
    /// The last one of `has(a.b)`.
    pub(super) is_test: bool,
    /// A field of a type that is declared with its fields and made by a literal: one that is not set is null.
    pub(super) is_declared_field: bool,
}

pub(super) enum Key {
    /// `.name`, `['name']`
    Field(Box<str>),
    /// `[0]`, `[true]`
    Constant(Constant),
    /// `[a.b]`, `[a ? 0 : 1]`: an attribute as a key costs no name.
    Attribute(Attribute),
    /// `[a + 1]`
    Computed(Node),
}

/// `a < b`, `a <= b`, `a > b`, `a >= b`
pub(super) struct OrderTest {
    pub(super) operands: [Node; 2],
    pub(super) wanted: Wanted,
    pub(super) charge: Charge,
}

/// Which orders are true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// `a in b`
pub(super) struct InTest {
    pub(super) operands: [Node; 2],
    pub(super) charge: Charge,
}

/// `a in [constants]`
pub(super) struct MemberTest {
    pub(super) operand: Node,
    pub(super) members: Membership,
}

/// `a + b`
pub(super) struct Addition {
    pub(super) operands: [Node; 2],
    pub(super) charge: Charge,
    pub(super) candidates: Box<[Candidate]>,
}

/// A call of a function.
pub(super) struct Call {
    pub(super) arguments: Box<[Node]>,
    pub(super) candidates: Box<[Candidate]>,
    pub(super) charge: Charge,
    /// Whether the first error ends the evaluation of the arguments (cel-go's `evalVarArgs`); else all are evaluated.
    pub(super) stops_at_error: bool,
    /// What the function returns for arguments that are all constant, where that is known.
    pub(super) known: Option<Known>,
}

/// An outcome that is known before.
pub(super) enum Known {
    Constant(Constant),
    /// A quantity is made anew each time: sums and comparisons write into it.
    Quantity {
        amount: Amount,
        format: Format,
        text: Box<str>,
    },
}

/// A function that may be meant, chosen by the types of the arguments.
pub(super) struct Candidate {
    pub(super) overload: &'static Overload,
    pub(super) parameters: Box<[Parameter]>,
    /// Whether the types of elements count, also where this is the only candidate: the function looks at the others itself.
    pub(super) is_guarded: bool,
}

/// The type of a parameter, as far as values are looked at.
#[derive(PartialEq)]
pub(super) enum Parameter {
    Any,
    Named(&'static str),
    List(Box<Parameter>),
    Map(Box<Parameter>, Box<Parameter>),
}

/// A call with a pattern that is known.
pub(super) struct PatternCall {
    pub(super) text: Node,
    pub(super) pattern: Box<str>,
    pub(super) regex: Regex,
    pub(super) function: PatternFunction,
    /// How many are wanted, of `findAll(pattern, n)`.
    pub(super) limit: Option<Node>,
    pub(super) charge: Charge,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PatternFunction {
    Matches,
    Find,
    FindAll,
}

/// An element of a list literal.
pub(super) struct Element {
    pub(super) value: Node,
    pub(super) is_optional: bool,
}

/// An entry of a map literal.
pub(super) struct MapItem {
    pub(super) key: Node,
    pub(super) value: Node,
    pub(super) is_optional: bool,
}

/// A struct literal.
pub(super) struct StructItems {
    pub(super) name: Box<str>,
    pub(super) fields: Box<[StructItem]>,
}

/// A field of a struct literal.
pub(super) struct StructItem {
    pub(super) name: Box<str>,
    pub(super) value: Node,
    pub(super) is_optional: bool,
}

/// A macro over a list or a map.
pub(super) struct Fold {
    pub(super) range: Node,
    /// The place of the variables among the locals: one, or two neighbours.
    pub(super) local: usize,
    pub(super) has_two: bool,
    pub(super) kind: FoldKind,
}

pub(super) enum FoldKind {
    All(Node),
    Exists(Node),
    ExistsOne(Node),
    /// `map` and `filter`
    Collect {
        predicate: Option<Node>,
        transform: Node,
    },
    /// `transformMap`
    Entries {
        predicate: Option<Node>,
        transform: Node,
    },
    /// `transformMapEntry`
    Merge {
        predicate: Option<Node>,
        transform: Node,
    },
}

/// A name that stands for a value.
pub(super) struct Bind {
    pub(super) local: usize,
    pub(super) value: Node,
    pub(super) body: Node,
}

impl Attribute {
    /// The expression that it is, unless that is a node of its own.
    pub(super) fn id(&self) -> Option<ExprId> {
        match (self.qualifiers.last(), &self.base) {
            (Some(last), _) => Some(last.id),
            (None, Base::Computed(_)) => None,
            (None, Base::Conditional(conditional)) => Some(conditional.id),
            (None, Base::Declared(id, _) | Base::Local(id, _) | Base::Lazy(id, _) | Base::PolicyVariable(id, ..)) => {
                Some(*id)
            }
        }
    }
}

impl Node {
    /// The constant that it is.
    pub(super) const fn constant(&self) -> Option<&Constant> {
        match &self.kind {
            NodeKind::Constant(constant) => Some(constant),
            #[cfg(test)]
            NodeKind::Unfolded(unfolded) => Some(&unfolded.1),
            _ => None,
        }
    }
}

impl Candidate {
    /// A function as a candidate.
    pub(super) fn new(overload: &'static Overload) -> Self {
        let parameters: Box<[Parameter]> = overload.parameters.iter().map(|text| Parameter::of(text)).collect();
        // Upstream takes lists of anything for these.
        let is_lenient = matches!(overload.id, "list_flatten" | "list_flatten_int");
        let is_guarded = !is_lenient && parameters.iter().any(Parameter::has_typed_elements);
        Self { overload, parameters, is_guarded }
    }

    /// Whether the function takes these (cel-go, common/decls `matchesRuntimeSignature`).
    pub(super) fn takes<'a>(
        &self,
        arguments: &[Value<'a>],
        context: &crate::cel::context::Context<'_, 'a>,
    ) -> Outcome<'a, bool> {
        if self.parameters.len() != arguments.len() {
            return Ok(false);
        }
        for (parameter, argument) in self.parameters.iter().zip(arguments) {
            if !parameter.takes(*argument, context)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Parameter {
    fn has_typed_elements(&self) -> bool {
        match self {
            Self::Any | Self::Named(_) => false,
            Self::List(element) => **element != Self::Any,
            Self::Map(key, value) => **key != Self::Any || **value != Self::Any,
        }
    }

    /// A type as an [`Overload`] writes it.
    pub(super) fn of(text: &'static str) -> Self {
        let inner = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
        if let Some(element) = inner("list") {
            return Self::List(Box::new(Self::of(element)));
        }
        if let Some((key, value)) = inner("map").and_then(|inner| inner.split_once(',')) {
            return Self::Map(Box::new(Self::of(key.trim())), Box::new(Self::of(value.trim())));
        }
        match text {
            "dyn" | "any" | "google.protobuf.Any" => Self::Any,
            _ if text.len() == 1 => Self::Any,
            "timestamp" => Self::Named("google.protobuf.Timestamp"),
            "duration" => Self::Named("google.protobuf.Duration"),
            _ => match text.split_once('(') {
                Some((name, _)) => Self::Named(name),
                None => Self::Named(text),
            },
        }
    }

    /// Whether a value is of it: of a list and a map the first element counts.
    pub(super) fn takes<'a>(
        &self,
        value: Value<'a>,
        context: &crate::cel::context::Context<'_, 'a>,
    ) -> Outcome<'a, bool> {
        Ok(match (self, value) {
            (Self::Any, _) => true,
            (Self::Named(name), _) => value.type_name() == *name,
            (Self::List(element), Value::List(list)) => match list.get(0, context)? {
                Some(first) => element.takes(first, context)?,
                None => true,
            },
            (Self::Map(key, element), Value::Map(map)) => match map.iter().next() {
                Some((first, value)) => key.takes(first, context)? && element.takes(value, context)?,
                None => true,
            },
            _ => false,
        })
    }
}
