//! What goes wrong: problems of an expression's text, and errors as values of its evaluation.

use std::fmt;

use super::syntax::{ExprId, Span};
use super::value::Value;

/// Something wrong with the text of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, in bytes of the expression.
    pub span: Span,
    /// What is wrong and what to do: lower case, no full stop.
    pub message: String,
    /// Who found it.
    pub phase: Phase,
}

/// A step of the way from text to program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It is no expression.
    Parse,
    /// It is an expression that cannot be evaluated: types, declarations, literals that cannot be converted.
    Check,
}

/// The outcome of an evaluation. The error lives in the arena, so that a result is as small as a value.
pub type Outcome<'a, T = Value<'a>> = Result<T, &'a Error<'a>>;

/// An evaluation error. It is a value: `||`, `&&`, `all` and `exists` may absorb it.
#[derive(Clone, Copy)]
pub struct Error<'a> {
    /// What went wrong.
    pub kind: ErrorKind<'a>,
    /// The expression that raised it, filled in by the evaluator.
    pub at: Option<ExprId>,
}

/// What went wrong. Texts are those of cel-go, made only when somebody reads them.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum ErrorKind<'a> {
    /// A map without the key, or an object without the field.
    NoSuchKey(Value<'a>),
    /// A struct type without the field.
    NoSuchField(&'a str),
    /// No function of the name takes these arguments.
    NoSuchOverload,
    /// An index outside of a list.
    IndexOutOfBounds(i64),
    /// `1 / 0`
    DivisionByZero,
    /// `1 % 0`
    ModulusByZero,
    /// A number outside of its type.
    Overflow(&'static str),
    /// A value of this type was in an optional, and upstream cannot take it out.
    Unconvertible(&'a str),
    /// A declared name without a value.
    NoSuchAttribute(&'a str),
    /// Anything else.
    Text(&'a str),
    /// Upstream's evaluator crashes here. Nothing absorbs it, but a policy variable turns it into an error of its own.
    Internal(&'a str),
    /// A bound of evaluation was reached. Nothing absorbs it.
    Limit(Limit),
    /// The authorizer, or another part of the surroundings, has to be asked first. Nothing absorbs it.
    Unanswered,
}

/// The bounds of an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The API server's cost units.
    Cost,
    /// Bytes for new values.
    Memory,
    /// Nesting of values and of evaluation.
    Depth,
    /// The deadline.
    Time,
}

impl ErrorKind<'_> {
    /// Whether logical operators may absorb it.
    pub const fn is_absorbable(&self) -> bool {
        !matches!(self, Self::Internal(_) | Self::Limit(_) | Self::Unanswered)
    }
}

impl fmt::Display for Error<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(formatter)
    }
}

impl fmt::Display for ErrorKind<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchKey(Value::String(key)) => write!(formatter, "no such key: {key}"),
            Self::NoSuchKey(Value::Int(key)) => write!(formatter, "no such key: {key}"),
            Self::NoSuchKey(Value::Uint(key)) => write!(formatter, "no such key: {key}"),
            Self::NoSuchKey(Value::Bool(key)) => write!(formatter, "no such key: {key}"),
            Self::NoSuchKey(_) => formatter.write_str("no such key"),
            Self::NoSuchField(name) => write!(formatter, "no such field '{name}'"),
            Self::NoSuchOverload => formatter.write_str("no such overload"),
            Self::IndexOutOfBounds(index) => write!(formatter, "index out of bounds: {index}"),
            Self::DivisionByZero => formatter.write_str("division by zero"),
            Self::ModulusByZero => formatter.write_str("modulus by zero"),
            Self::Overflow(what) => write!(formatter, "{what} overflow"),
            Self::Unconvertible(name) => write!(formatter, "unsupported conversion to ref.Val: {name}"),
            Self::NoSuchAttribute(name) => write!(formatter, "no such attribute(s): {name}"),
            Self::Text(text) => formatter.write_str(text),
            Self::Internal(text) => write!(formatter, "internal error: {text}"),
            Self::Limit(Limit::Cost) => formatter.write_str("operation cancelled: actual cost limit exceeded"),
            Self::Limit(Limit::Memory) => formatter.write_str("operation cancelled: memory limit exceeded"),
            Self::Limit(Limit::Depth) => formatter.write_str("operation cancelled: values are nested too deeply"),
            Self::Limit(Limit::Time) => formatter.write_str("operation cancelled: the deadline has passed"),
            Self::Unanswered => formatter.write_str("not decided: the authorizer has to be asked"),
        }
    }
}

/// Its Debug prints no values: they may come from an object.
impl fmt::Debug for Error<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Error at {:?}", self.at)
    }
}
