//! The variables of a policy (k8s.io/apiserver, pkg/admission/plugin/cel/composition.go): expressions with names, computed
//! where they are first used, each within a limit of its own.

use std::cell::Cell;
use std::fmt;

use super::{Activation, EXPRESSION_COST, Program, program};
use crate::cel::check::check;
use crate::cel::context::Context;
use crate::cel::environment::{Environment, Slot};
use crate::cel::error::{ErrorKind, Limit, Outcome, Problem};
use crate::cel::issues;
use crate::cel::syntax::parse;
use crate::cel::types::Type;
use crate::cel::value::Value;
use crate::cel::watch::Watched;
use crate::json::Arena;

/// The compiled `variables:` of a policy, in order: one may use those before it.
#[derive(Debug, Default)]
pub struct Composition {
    variables: Vec<Variable>,
}

#[derive(Debug)]
struct Variable {
    name: String,
    program: Result<Program, Vec<Problem>>,
    /// Why there is no program, in the API server's text; empty where there is one.
    failure: String,
}

impl Composition {
    /// No variables.
    pub const fn new() -> Self {
        Self { variables: vec![] }
    }

    /// Compiles a variable and declares it: expressions that are compiled in `environment` from now on may use it. One that
    /// does not compile harms only what uses it, and is of type dyn for them.
    pub fn add(
        &mut self,
        name: &str,
        expression: &str,
        environment: &mut Environment,
    ) -> &Result<Program, Vec<Problem>> {
        let checked = parse(expression, &environment.parse_options()).and_then(|ast| check(ast, environment)).map_err(
            |problems| {
                let failure = format!("compilation failed: {}", issues::print(expression, &problems));
                (problems, failure)
            },
        );
        let compiled = checked.and_then(|checked| {
            program(expression, checked).map_err(|problems| {
                let problem = problems.first().map_or("", |problem| problem.message.as_str());
                let failure = format!("program instantiation failed: {problem}");
                (problems, failure)
            })
        });
        let (program, failure) = match compiled {
            Ok(program) => (Ok(program), String::new()),
            Err((problems, failure)) => (Err(problems), failure),
        };
        let declared = program.as_ref().map_or(Type::Dyn, |program| declared_type(program.result_type()));
        environment.declare_policy_variable(name, declared);
        let variable = Variable { name: name.to_owned(), program, failure };
        self.variables.push(variable);
        match self.variables.last() {
            Some(variable) => &variable.program,
            None => const { &Err(vec![]) },
        }
    }

    /// Name and program of each, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Result<Program, Vec<Problem>>)> {
        self.variables.iter().map(|variable| (variable.name.as_str(), &variable.program))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.variables.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.variables.is_empty()
    }
}

/// The type that other expressions see (`convertCelTypeToDeclType`): what is no scalar, list or map is dyn.
fn declared_type(result: &Type) -> Type {
    match result {
        Type::Any
        | Type::Bool
        | Type::Bytes
        | Type::Double
        | Type::Duration
        | Type::Int
        | Type::Null
        | Type::String
        | Type::Timestamp
        | Type::Uint => result.clone(),
        Type::List(element) => Type::list(declared_type(element)),
        Type::Map(key, value) => Type::map(declared_type(key), declared_type(value)),
        _ => Type::Dyn,
    }
}

/// The values of a policy's variables in one pass over its expressions.
pub struct Variables<'a> {
    composition: &'a Composition,
    values: &'a [Cell<Option<Outcome<'a>>>],
    cost: Cell<u64>,
}

impl<'a> Variables<'a> {
    /// Values that nobody has asked for yet.
    pub fn new(composition: &'a Composition, arena: &'a Arena) -> Self {
        Self { composition, values: arena.keep_cells(composition.variables.len(), None), cost: Cell::new(0) }
    }

    /// The name of a variable.
    pub fn name(&self, index: usize) -> Option<&'a str> {
        self.composition.variables.get(index).map(|variable| variable.name.as_str())
    }

    /// The value of a variable, computed the first time. `names` says what the other names mean; its `variable` has to lead
    /// here.
    ///
    /// # Errors
    /// `composited variable "x" fails to evaluate: …`, also where the variable is over its cost limit: `||` absorbs that. Other
    /// limits, and questions without an answer, stay what they are.
    pub fn value(&self, index: usize, names: &dyn Activation<'a>, context: &Context<'_, 'a>) -> Outcome<'a> {
        let (Some(variable), Some(cell)) = (self.composition.variables.get(index), self.values.get(index)) else {
            return context.raise_text(format_args!("no such variable: {index}"));
        };
        if let Some(outcome) = cell.get() {
            return outcome;
        }
        let outcome = self.compute(index, variable, names, context);
        cell.set(Some(outcome));
        outcome
    }

    fn compute(
        &self,
        index: usize,
        variable: &'a Variable,
        names: &dyn Activation<'a>,
        context: &Context<'_, 'a>,
    ) -> Outcome<'a> {
        let name = &variable.name;
        let Ok(program) = &variable.program else {
            let failure = &variable.failure;
            return context.raise_text(format_args!("composited variable {name:?} fails to compile: {failure}"));
        };
        let (outcome, cost) = context.with_cost_limit(EXPRESSION_COST, || {
            context.nested(|| program.evaluate_watched(context, names, Watched::Variable { index, name }))
        });
        self.cost.set(self.cost.get().saturating_add(cost));
        match outcome {
            Err(error)
                if error.kind.is_absorbable()
                    || matches!(error.kind, ErrorKind::Internal(_) | ErrorKind::Limit(Limit::Cost)) =>
            {
                context.raise_text(format_args!("composited variable {name:?} fails to evaluate: {error}"))
            }
            outcome => outcome,
        }
    }

    /// The cost of the variables that were computed since it was last asked for; it counts against the policy's budget.
    pub fn take_cost(&self) -> u64 {
        self.cost.take()
    }
}

/// Names and values are the object's.
impl fmt::Debug for Variables<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Variables({})", self.values.len())
    }
}

/// Declared names by slot, and a policy's variables: the activation of most callers.
#[derive(Debug)]
pub struct Names<'n, 'a> {
    /// Values of the declared names, by slot; null beyond.
    pub values: &'n [Value<'a>],
    /// The policy's variables.
    pub variables: &'n Variables<'a>,
}

impl<'a> Activation<'a> for Names<'_, 'a> {
    fn value(&self, slot: Slot) -> Value<'a> {
        self.values.get(slot.0 as usize).copied().unwrap_or_default()
    }

    fn variable(&self, index: usize, context: &Context<'_, 'a>) -> Outcome<'a> {
        self.variables.value(index, self, context)
    }
}
