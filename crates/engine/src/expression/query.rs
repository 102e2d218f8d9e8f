//! One expression with its variables as a line of JSON, and what it comes to as another: what `admittance cel --jsonl` reads and
//! writes. The expression is compiled and evaluated as one of a ValidatingAdmissionPolicy is (k8s.io/apiserver,
//! pkg/admission/plugin/cel).

mod answer;
mod bind;
mod question;

pub use answer::{Answer, Estimate, Phase, answer};
pub use bind::Bound;
pub use question::{Authorizing, NamedExpression, Query, QueryError};

use std::cell::Cell;

use self::bind::{bind, bind_trees};
use super::declarations::{Declarations, policy_environment};
use crate::cel::context::{Context, Meter};
use crate::cel::encoding::parse_type;
use crate::cel::environment::{Environment, Slot};
use crate::cel::error::{Outcome, Problem};
use crate::cel::function::Version;
use crate::cel::program::{self, Activation, Composition, EXPRESSION_COST, Program, Recorder, Variables};
use crate::cel::types::Type;
use crate::cel::value::Value;
use crate::deadline::Deadline;
use crate::json::{Arena, Node};

/// What the values that one evaluation makes may take, in bytes.
const MEMORY: usize = 16 << 20;

/// A compiled query.
#[derive(Debug)]
pub struct Compiled {
    program: Program,
    composition: Composition,
    /// Names that no policy has, and where their values stand.
    declared: Vec<(String, Slot)>,
}

/// Why a query cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompileError {
    /// It is no query.
    Query(QueryError),
    /// Its expression is wrong.
    Problems(Vec<Problem>),
}

/// The outcome of an evaluation, and what it took.
#[derive(Clone, Copy, Debug)]
pub struct Evaluated<'a> {
    /// The value.
    pub outcome: Outcome<'a>,
    /// In the API server's cost units, those of the variables that were used among them.
    pub cost: u64,
}

/// Compiles the expression of a query, and those of its variables: one of these that does not compile harms only what uses it.
///
/// # Errors
/// [`CompileError`]
pub fn compile(query: &Query<'_>) -> Result<Compiled, CompileError> {
    let base = base(query).map_err(CompileError::Query)?;
    let options = Declarations {
        params: query.params,
        authorizer: query.authorizer != Authorizing::Undeclared,
        mutation: query.patch_types,
    };
    let mut environment = policy_environment(base, &options);
    let mut declared = vec![];
    for (name, ty) in query.declared_names() {
        let ty = match ty {
            Some(text) => parse_type(text).ok_or_else(|| CompileError::Query(QueryError::unknown_type(text)))?,
            None => Type::Dyn,
        };
        declared.push((name.to_owned(), environment.declare(name, ty)));
    }
    let mut composition = Composition::new();
    for variable in &query.variables {
        composition.add(&variable.name, &variable.expression, &mut environment);
    }
    let program = program::compile(&query.expr, &environment).map_err(CompileError::Problems)?;
    Ok(Compiled { program, composition, declared })
}

fn base(query: &Query<'_>) -> Result<Environment, QueryError> {
    let environment = match &query.k8s_version {
        Some(text) => Environment::of_version(version(text)?),
        None => Environment::stored(),
    };
    Ok(match query.container.as_str() {
        "" => environment,
        container => environment.with_container(container),
    })
}

/// A version of Kubernetes: `1.30`, `v1.30.2`.
///
/// # Errors
/// For what is none.
pub fn version(text: &str) -> Result<Version, QueryError> {
    let mut numbers = text.strip_prefix('v').unwrap_or(text).split('.');
    let mut number = || numbers.next().and_then(|digits| digits.parse::<u32>().ok());
    match (number(), number()) {
        (Some(0), Some(_)) => Ok(Version(0)),
        (Some(1), Some(minor)) => Ok(Version(minor)),
        (Some(_), Some(_)) => Ok(Version(u32::MAX)),
        _ => Err(QueryError::version(text)),
    }
}

impl Compiled {
    /// The expression.
    pub const fn program(&self) -> &Program {
        &self.program
    }

    /// The values of the query's variables; evaluations borrow them.
    ///
    /// # Errors
    /// For variables that cannot be read.
    pub fn bind<'a>(&self, query: &Query<'a>, arena: &'a Arena) -> Result<Bound<'a>, QueryError> {
        bind(query, &self.declared, arena)
    }

    /// As [`Compiled::bind`], from variables that have been read.
    ///
    /// # Errors
    /// For a `request` or `namespaceObject` that is none.
    pub fn bind_trees<'a>(&self, variables: &[(&str, Node<'a>)], arena: &'a Arena) -> Result<Bound<'a>, QueryError> {
        bind_trees(variables, &self.declared, Authorizing::Allow, arena)
    }

    /// Evaluates the expression.
    pub fn evaluate<'a, R: Recorder<'a>>(
        &'a self,
        bound: &Bound<'a>,
        arena: &'a Arena,
        deadline: Deadline,
        recorder: &mut R,
    ) -> Evaluated<'a> {
        let meter = Meter::new(EXPRESSION_COST, MEMORY, deadline);
        let context = Context::new(arena, &meter, &bound.authorizer);
        let variables = Variables::new(&self.composition, arena);
        let names = Named { bound, variables: &variables, missing: Cell::new(None) };
        let mut outcome = self.program.evaluate(&context, &names, recorder);
        if let Some(name) = names.missing.take() {
            outcome = context.raise_text(format_args!("no such attribute(s): {name}"));
        }
        let cost = (EXPRESSION_COST - meter.cost_left()).saturating_add(variables.take_cost());
        Evaluated { outcome, cost }
    }
}

/// What the names of a query mean. Upstream fails where a declared variable has no value, and takes a plain value of the name
/// `variables` before the policy's own.
struct Named<'n, 'a> {
    bound: &'n Bound<'a>,
    variables: &'n Variables<'a>,
    /// A variable without a value that was asked for.
    missing: Cell<Option<&'n str>>,
}

impl<'a> Activation<'a> for Named<'_, 'a> {
    fn value(&self, slot: Slot) -> Value<'a> {
        let value = self.bound.values.get(slot.0 as usize).copied().unwrap_or_default();
        if matches!(value, Value::Null)
            && let Some((name, _)) = self.bound.unbound.iter().find(|(_, unbound)| *unbound == slot)
        {
            self.missing.set(Some(name));
        }
        value
    }

    fn variable(&self, index: usize, context: &Context<'_, 'a>) -> Outcome<'a> {
        let Some(plain) = self.bound.plain_variables else { return self.variables.value(index, self, context) };
        let name = self.variables.name(index).unwrap_or_default();
        match plain {
            Value::Map(map) if map.field(name).is_some() => Ok(map.field(name).unwrap_or_default()),
            Value::Map(_) => context.raise_text(format_args!("no such key: {name}")),
            _ => context.no_such_overload(),
        }
    }
}

#[cfg(test)]
mod tests;
