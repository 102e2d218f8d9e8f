//! Calls of functions.

use super::{Evaluation, ends_all, first_error};
use crate::cel::error::{ErrorKind, Outcome};
use crate::cel::program::Recorder;
use crate::cel::program::tree::{Addition, Call, Candidate, Known, PatternCall, PatternFunction};
use crate::cel::value::{List, Opaque, Quantity, Value};

/// No function has more arguments.
const ARGUMENTS: usize = 4;

impl<'a, R: Recorder<'a>> Evaluation<'_, '_, 'a, R> {
    #[inline(never)]
    pub(super) fn call(&mut self, call: &'a Call) -> Outcome<'a> {
        let mut outcomes: [Outcome<'a>; ARGUMENTS] = [Ok(Value::Null); ARGUMENTS];
        let mut values = [Value::Null; ARGUMENTS];
        let mut failed = false;
        let count = call.arguments.len();
        for (position, argument) in call.arguments.iter().enumerate() {
            let outcome = self.eval(argument);
            match outcome {
                Ok(value) => {
                    if let Some(place) = values.get_mut(position) {
                        *place = value;
                    }
                }
                Err(error) if ends_all(error) => return Err(error),
                // What stopped early costs nothing: upstream misses the arguments that it did not evaluate.
                Err(error) if call.stops_at_error && position + 1 < count => return Err(error),
                Err(_) => failed = true,
            }
            if let Some(place) = outcomes.get_mut(position) {
                *place = outcome;
            }
        }
        let outcomes = outcomes.get(..count).unwrap_or_default();
        let result = if failed {
            outcomes.iter().copied().find(Result::is_err).unwrap_or(Ok(Value::Null))
        } else if let Some(known) = &call.known {
            self.known(known)
        } else {
            self.dispatch(&call.candidates, values.get(..count).unwrap_or_default())
        };
        self.charge(call.charge, outcomes, result)
    }

    fn known(&self, known: &'a Known) -> Outcome<'a> {
        match known {
            Known::Constant(constant) => Ok(constant.value()),
            Known::Quantity { amount, format, text } => {
                let amount = self.context.keep_cell(*amount)?;
                let quantity = Quantity { amount, format: *format, text, is_pointer: false };
                Ok(Value::Opaque(Opaque::Quantity(self.context.keep(quantity)?)))
            }
        }
    }

    /// The one function that is meant, else the first one that takes the arguments.
    fn dispatch(&self, candidates: &'a [Candidate], arguments: &[Value<'a>]) -> Outcome<'a> {
        if let [only] = candidates
            && !only.is_guarded
        {
            return match (only.overload.call)(self.context, arguments) {
                Err(error)
                    if matches!(error.kind, ErrorKind::NoSuchOverload) && !only.takes(arguments, self.context)? =>
                {
                    self.no_overload(only.overload.function, arguments)
                }
                outcome => outcome,
            };
        }
        for candidate in candidates {
            if candidate.takes(arguments, self.context)? {
                return (candidate.overload.call)(self.context, arguments);
            }
        }
        match candidates.first() {
            Some(first) => self.no_overload(first.overload.function, arguments),
            None => self.context.no_such_overload(),
        }
    }

    /// `no such overload`, in the words that upstream has for this function: most name the types of the arguments.
    #[cold]
    pub(super) fn no_overload(&self, function: &str, arguments: &[Value<'a>]) -> Outcome<'a> {
        if let Some(lacks) = arguments.first().and_then(|first| lacks_trait(function, *first)) {
            return if lacks {
                self.context.raise_text(format_args!("no such overload: {function}"))
            } else {
                self.context.no_such_overload()
            };
        }
        if PLAIN.contains(&function) {
            return self.context.no_such_overload();
        }
        if let ("sort" | "@sortByAssociatedKeys", Some(Value::List(_))) = (function, arguments.first()) {
            return self.context.raise(ErrorKind::Text("list elements must be comparable"));
        }
        let types: Vec<&str> = arguments.iter().map(|argument| argument.type_name()).collect();
        self.context.raise_text(format_args!("no such overload: {function}({})", types.join(", ")))
    }

    /// `a + b`, the frequent ones without a detour.
    #[inline(never)]
    pub(super) fn add(&mut self, addition: &'a Addition) -> Outcome<'a> {
        let (left, right) = self.both(&addition.operands)?;
        let result = match (left, right) {
            (Ok(Value::List(left)), Ok(Value::List(right))) => left.plus(right, self.context).map(Value::List),
            (Ok(Value::Int(a)), Ok(Value::Int(b))) if a.checked_add(b).is_some() => Ok(Value::Int(a.wrapping_add(b))),
            (Ok(left), Ok(right)) => self.dispatch(&addition.candidates, &[left, right]),
            (left, right) => first_error(left, right),
        };
        self.charge(addition.charge, &[left, right], result)
    }

    /// `text.matches(pattern)`, `text.find(pattern)`, `text.findAll(pattern, limit)` with a known pattern: upstream stops at
    /// the first error then.
    #[inline(never)]
    pub(super) fn pattern(&mut self, call: &'a PatternCall) -> Outcome<'a> {
        let text = self.eval(&call.text)?;
        let pattern = Ok(Value::String(&call.pattern));
        let limit = match &call.limit {
            None => Ok(Value::Int(-1)),
            Some(limit) => self.attempt(limit)?,
        };
        let result = match (text, limit) {
            (_, Err(error)) => Err(error),
            (Value::String(text), Ok(Value::Int(limit))) => self.matched(call, text, limit),
            _ => self.context.no_such_overload(),
        };
        self.charge(call.charge, &[Ok(text), pattern], result)
    }

    fn matched(&self, call: &'a PatternCall, text: &'a str, limit: i64) -> Outcome<'a> {
        self.context.step(text.len() / 16)?;
        match call.function {
            PatternFunction::Matches => Ok(Value::Bool(call.regex.is_match(text))),
            PatternFunction::Find => Ok(Value::String(call.regex.find(text).unwrap_or_default())),
            PatternFunction::FindAll => {
                let limit = usize::try_from(limit).unwrap_or(usize::MAX);
                let mut found = vec![];
                for part in call.regex.find_all(text, limit) {
                    self.context.step(1)?;
                    found.push(Value::String(part));
                }
                List::of(&found, self.context).map(Value::List)
            }
        }
    }
}

/// Functions whose arguments upstream does not look at before they are called (cel-go, common/stdlib).
const PLAIN: [&str; 8] = ["!_", "@in", "contains", "dyn", "endsWith", "matches", "startsWith", "type"];

/// Whether upstream misses a trait of the first operand of an operator, and says so by the operator's name; None for what
/// is no operator. Texts and times take any function for a method of theirs, and do not say it.
fn lacks_trait(function: &str, first: Value<'_>) -> Option<bool> {
    use Value::{Bool, Bytes, Double, Duration, Int, List, Map, String, Timestamp, Uint};
    let has_trait = match function {
        "_+_" => matches!(first, Int(_) | Uint(_) | Double(_) | Bytes(_) | List(_)),
        "_-_" | "_*_" | "_/_" => matches!(first, Int(_) | Uint(_) | Double(_)),
        "_%_" => matches!(first, Int(_) | Uint(_)),
        "-_" => matches!(first, Int(_) | Double(_) | Bool(_)),
        "_<_" | "_<=_" | "_>_" | "_>=_" => {
            matches!(first, Bool(_) | Int(_) | Uint(_) | Double(_) | Bytes(_))
        }
        "size" => matches!(first, Bytes(_) | List(_) | Map(_)),
        "sort" => match first {
            List(_) => return None,
            _ => false,
        },
        _ => return None,
    };
    Some(!has_trait && !matches!(first, String(_) | Duration(_) | Timestamp(_)))
}
