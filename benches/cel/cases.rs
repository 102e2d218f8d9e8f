//! The expressions that are measured, over a pod of 9 KB, its request and its namespace.

use admittance_engine::expression::query::{Compiled, NamedExpression, Query, compile};
use admittance_engine::json::{Arena, Node, read};
use serde::Deserialize;

use crate::Failure;

const CASES: &str = include_str!("cases.jsonl");

/// The variables of all cases, as JSON.
pub(crate) const VARIABLES: &str = include_str!("variables.json");

/// An expression, as policies in the field have them.
#[derive(Deserialize)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) expr: String,
    #[serde(default)]
    variables: Vec<NamedExpression>,
}

impl Case {
    /// All of them.
    pub(crate) fn all() -> Result<Vec<Self>, Failure> {
        CASES.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }

    /// The policy's own variables.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|variable| (variable.name.as_str(), variable.expression.as_str()))
    }

    /// The expression as a policy's program.
    pub(crate) fn compile(&self) -> Result<Compiled, Failure> {
        let query = Query { variables: self.variables.clone(), ..Query::of(&self.expr) };
        compile(&query).map_err(|error| format!("{}: {error:?}", self.name).into())
    }
}

/// The variables, read.
pub(crate) fn variables(arena: &Arena) -> Result<Vec<(&str, Node<'_>)>, Failure> {
    let variables = read(arena, VARIABLES)?;
    Ok(variables.entries().to_vec())
}
