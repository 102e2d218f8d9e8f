//! What is asked of literals beyond their types (cel-go `cel/validator.go`).

use super::super::environment::Environment;
use super::unify::Unknowns;
use super::{Checked, Reference, format, messages, parts, problem};
use crate::cel::context::{Context, Meter, NoHost};
use crate::cel::error::Problem;
use crate::cel::function::Version;
use crate::cel::syntax::{ExprId, ExprKind, Literal};
use crate::cel::types::Type;
use crate::cel::value::Value;
use crate::deadline::Deadline;
use crate::json::Arena;

/// Since when literals of durations, times and patterns are looked at, and format strings.
const LITERALS: Version = Version(29);

/// Memory for the values that literals are converted to.
const BYTES: usize = 1 << 24;

/// All problems of an expression whose types are right.
pub(super) fn validate(checked: &Checked, environment: &Environment) -> Vec<Problem> {
    let mut validation = Validation {
        checked,
        looks_at_literals: environment.version() >= LITERALS,
        unknowns: Unknowns::new(),
        problems: Vec::new(),
    };
    // Literals anywhere in the arguments of `format` may mix types.
    let mut todo = vec![(checked.ast().root(), false)];
    while let Some((id, is_exempt)) = todo.pop() {
        let is_exempt = validation.look_at(id, is_exempt);
        todo.extend(parts(checked, id).into_iter().map(|part| (part, is_exempt)));
    }
    validation.problems
}

struct Validation<'c> {
    checked: &'c Checked,
    looks_at_literals: bool,
    unknowns: Unknowns,
    problems: Vec<Problem>,
}

impl Validation<'_> {
    /// Whether the parts may mix types.
    fn look_at(&mut self, id: ExprId, is_exempt: bool) -> bool {
        let Some(expression) = self.checked.ast().get(id) else {
            return is_exempt;
        };
        match &expression.kind {
            ExprKind::List { elements, optional } if !is_exempt => self.list(elements, optional),
            ExprKind::Map(entries) if !is_exempt => {
                let keys: Vec<_> = entries.iter().map(|entry| (entry.key, false)).collect();
                let values: Vec<_> = entries.iter().map(|entry| (entry.value, entry.optional)).collect();
                self.same_types(&keys, false);
                self.same_types(&values, false);
            }
            ExprKind::Call { target, function, args } if self.looks_at_literals => {
                match &**function {
                    "duration" | "timestamp" | "matches" => self.literal_argument(id, function, args),
                    "format" => self.format(id, *target, args),
                    _ => {}
                }
                return is_exempt || &**function == "format";
            }
            _ => {}
        }
        is_exempt
    }

    fn list(&mut self, elements: &[ExprId], optional: &[u32]) {
        let is_optional = |index: usize| u32::try_from(index).is_ok_and(|index| optional.binary_search(&index).is_ok());
        let elements: Vec<_> = elements.iter().enumerate().map(|(index, id)| (*id, is_optional(index))).collect();
        self.same_types(&elements, true);
    }

    /// All must have the type of the first. An optional that is dyn makes upstream panic where it looks for the type inside.
    fn same_types(&mut self, values: &[(ExprId, bool)], first_problem_only: bool) {
        let mut first: Option<&Type> = None;
        for (id, is_optional) in values {
            let ty = match self.checked.type_of(*id) {
                Type::Optional(inner) if *is_optional => inner,
                ty if *is_optional => {
                    let message = messages::mismatch(&Type::optional(Type::Dyn), ty);
                    self.report(*id, format!("{message}, write it with `optional.of()` or `.?`"));
                    break;
                }
                ty => ty,
            };
            match first {
                None => first = Some(ty),
                Some(first) if self.unknowns.exact(first, ty) => {}
                Some(first) => {
                    let message = messages::mismatch(first, ty);
                    self.report(*id, format!("{message}: the values of a literal are all of one type"));
                    if first_problem_only {
                        break;
                    }
                }
            }
        }
    }

    /// A literal that is converted or compiled must be convertible.
    fn literal_argument(&mut self, id: ExprId, function: &str, args: &[ExprId]) {
        let Some(argument) = args.first() else { return };
        let Some(ExprKind::Literal(literal)) = self.checked.ast().get(*argument).map(|argument| &argument.kind) else {
            return;
        };
        let Reference::Overloads(overloads) = self.checked.reference(id) else { return };
        let Some(overload) = overloads.first() else { return };
        let arena = Arena::with_limit(BYTES);
        let meter = Meter::new(u64::MAX, BYTES, Deadline::never());
        let context = Context::new(&arena, &meter, &NoHost);
        let value = value_of(literal);
        // Of `matches` the first argument is taken for the pattern, also where it is called as a function, as upstream.
        let outcome = if function == "matches" {
            (overload.call)(&context, &[Value::String(""), value])
        } else {
            (overload.call)(&context, &[value])
        };
        if let Err(error) = outcome {
            self.report(*argument, format!("invalid {function} argument: {error}"));
        }
    }

    fn format(&mut self, id: ExprId, target: Option<ExprId>, args: &[ExprId]) {
        let (Some(target), [list]) = (target, args) else { return };
        let Reference::Overloads(overloads) = self.checked.reference(id) else { return };
        let ast = self.checked.ast();
        if let Some(ExprKind::Literal(Literal::String(text))) = ast.get(target).map(|target| &target.kind)
            && let Some(ExprKind::List { elements, .. }) = ast.get(*list).map(|list| &list.kind)
            && overloads.iter().any(|overload| overload.id == "string_format")
            && let Err((place, message)) = format::validate(self.checked, text, elements)
        {
            self.report(place.unwrap_or(id), message);
        }
    }

    fn report(&mut self, id: ExprId, message: String) {
        self.problems.push(problem(self.checked.ast(), id, message));
    }
}

fn value_of(literal: &Literal) -> Value<'_> {
    match literal {
        Literal::Null => Value::Null,
        Literal::Bool(value) => Value::Bool(*value),
        Literal::Int(value) => Value::Int(*value),
        Literal::Uint(value) => Value::Uint(*value),
        Literal::Double(value) => Value::Double(*value),
        Literal::String(value) => Value::String(value),
        Literal::Bytes(value) => Value::Bytes(value),
    }
}
