//! What the checker said of an expression and of each of its parts holds when it is evaluated.

use admittance_engine::cel::error::Outcome;
use admittance_engine::cel::program::{Program, Recorder};
use admittance_engine::cel::syntax::ExprId;
use admittance_engine::cel::value::Value;
use admittance_engine::deadline::Deadline;
use admittance_engine::expression::query::{Query, compile};
use admittance_engine::json::Arena;

use super::instance::{is_instance, is_static};

/// The part of the expression whose value is not of its type, and both; None where all are, or where types are not known
/// before the evaluation.
pub(crate) fn broken(line: &str) -> Option<String> {
    let query = Query::read(line).unwrap();
    let compiled = compile(&query).ok()?;
    let arena = Arena::with_limit(64 << 20);
    let bound = compiled.bind(&query, &arena).unwrap();
    let mut held =
        Held { program: compiled.program(), is_static: is_static(compiled.program().checked()), broken: None };
    let evaluated = compiled.evaluate(&bound, &arena, Deadline::never(), &mut held);
    held.record(compiled.program().ast().root(), &evaluated.outcome);
    held.broken
}

/// Whether types are known before the evaluation, and it has a value.
pub(crate) fn is_typed(line: &str) -> bool {
    let query = Query::read(line).unwrap();
    let Ok(compiled) = compile(&query) else { return false };
    let arena = Arena::with_limit(64 << 20);
    let bound = compiled.bind(&query, &arena).unwrap();
    is_static(compiled.program().checked())
        && compiled.evaluate(&bound, &arena, Deadline::never(), &mut ()).outcome.is_ok()
}

struct Held<'p> {
    program: &'p Program,
    is_static: bool,
    broken: Option<String>,
}

impl<'a> Recorder<'a> for Held<'_> {
    fn record(&mut self, expression: ExprId, outcome: &Outcome<'a>) {
        let Ok(value) = outcome else { return };
        self.see(expression, *value);
    }

    fn record_held(&mut self, expression: ExprId, value: Value<'a>) {
        self.see(expression, Value::Optional(Some(&value)));
    }
}

impl Held<'_> {
    fn see(&mut self, expression: ExprId, value: Value<'_>) {
        let ty = self.program.checked().type_of(expression);
        if self.is_static && self.broken.is_none() && !is_instance(value, ty) {
            let span = self.program.ast().span(expression);
            let text = &self.program.text()[span.start as usize..span.end as usize];
            self.broken = Some(format!("{text} is {}, not {ty}", value.type_name()));
        }
    }
}
