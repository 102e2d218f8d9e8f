//! What is answered.

use serde::Serialize;
use serde_json::value::RawValue;

use super::question::Query;
use super::{CompileError, compile};
use crate::cel::encoding::encode;
use crate::cel::error::{Phase as OfText, Problem};
use crate::cel::estimate::{Range, estimate};
use crate::cel::types::Type;
use crate::deadline::Deadline;
use crate::json::Arena;
/// What the variables of a query may take, in bytes.
const MEMORY: usize = 64 << 20;

/// An answer, as it is printed: `{id, value, type, cost}`, or `{id, error, phase, cost}`.
#[derive(Debug, Default, Serialize)]
pub struct Answer<'t> {
    /// The query's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<&'t RawValue>,
    /// The value ([`crate::cel::encoding`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Box<RawValue>>,
    /// The static type.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub ty: Option<String>,
    /// What went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Where it went wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// In the API server's cost units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<u64>,
    /// The range that the cost may be in, for variables of any size; where the query asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
}

/// A range of costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Estimate {
    /// At least.
    pub min: u64,
    /// At most.
    pub max: u64,
}

/// How far an expression came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// The query is none.
    Input,
    /// Its text is no expression.
    Parse,
    /// It is an expression that cannot be evaluated.
    Check,
    /// Its evaluation fails.
    Eval,
}

/// The answer to a line.
pub fn answer(line: &str, deadline: Deadline) -> Answer<'_> {
    match Query::read(line) {
        Ok(query) => of_query(&query, deadline),
        Err(error) => Answer { error: Some(error.to_string()), phase: Some(Phase::Input), ..Answer::default() },
    }
}

fn of_query<'t>(query: &Query<'t>, deadline: Deadline) -> Answer<'t> {
    let mut answer = Answer { id: query.id, ..Answer::default() };
    let compiled = match compile(query) {
        Ok(compiled) => compiled,
        Err(CompileError::Query(error)) => return answer.failed(Phase::Input, error.to_string()),
        Err(CompileError::Problems(problems)) => {
            let is_syntax = problems.iter().any(|problem| problem.phase == OfText::Parse);
            let phase = if is_syntax { Phase::Parse } else { Phase::Check };
            return answer.failed(phase, listed(&problems, &query.expr));
        }
    };
    answer.ty = Some(match compiled.program().result_type() {
        Type::Error => "error".to_owned(),
        ty => ty.to_string(),
    });
    if query.estimate {
        let Range { min, max } = estimate(compiled.program().checked());
        answer.estimate = Some(Estimate { min, max });
    }
    if query.check_only {
        return answer;
    }
    let arena = Arena::with_limit(MEMORY);
    let bound = match compiled.bind(query, &arena) {
        Ok(bound) => bound,
        Err(error) => return answer.failed(Phase::Input, error.to_string()),
    };
    let evaluated = compiled.evaluate(&bound, &arena, deadline, &mut ());
    answer.cost = Some(evaluated.cost);
    match evaluated
        .outcome
        .map_err(ToString::to_string)
        .and_then(|value| encode(value).map_err(|error| error.to_string()))
    {
        Ok(text) => answer.value = RawValue::from_string(text).ok(),
        Err(error) => return answer.failed(Phase::Eval, error),
    }
    answer
}

impl Answer<'_> {
    fn failed(mut self, phase: Phase, error: String) -> Self {
        self.phase = Some(phase);
        self.error = Some(error);
        self
    }
}

/// `1:5: message`, by line and column in characters, one problem a line.
fn listed(problems: &[Problem], text: &str) -> String {
    let place = |problem: &Problem| {
        let before = text.get(..problem.span.start as usize).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        format!("{}:{}: {}", before.matches('\n').count() + 1, line.chars().count() + 1, problem.message)
    };
    problems.iter().map(place).collect::<Vec<_>>().join("\n")
}
