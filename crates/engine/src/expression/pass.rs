//! One pass over some expressions of a policy, on one budget (plugin/cel/activation.go `Evaluate`, condition.go `ForInput`).

use super::declarations::{AUTHORIZER, NAMESPACE_OBJECT, OBJECT, OLD_OBJECT, PARAMS, REQUEST, REQUEST_RESOURCE};
use super::policy::{CelPolicy, Expression};
use crate::cel::context::Context;
use crate::cel::environment::Slot;
use crate::cel::error::{ErrorKind, Limit};
use crate::cel::program::{EXPRESSION_COST, Names, Variables};
use crate::cel::value::{Authorizer, Opaque, Resource, Value};
use crate::cel::watch::Watched;
use crate::json::Node;
use crate::review::Review;
use crate::verdict::trace::List;
use crate::verdict::{PolicyError, Tracer};

/// Budgets in the API server's cost units (pkg/apis/cel/config.go).
pub(super) const BUDGET: u64 = 10_000_000;
pub(super) const CONDITIONS_BUDGET: u64 = 2_500_000;

const OUT_OF_BUDGET: &str =
    "validation failed due to running out of cost budget, no further validation rules will be run";

/// What the variables of a policy's expressions stand for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Input<'e, 'a> {
    /// Who watches.
    pub(super) tracer: Option<&'e Tracer<'e>>,
    pub(super) object: Node<'a>,
    pub(super) old_object: Node<'a>,
    pub(super) params: Node<'a>,
    pub(super) request: Node<'a>,
    pub(super) namespace: Node<'a>,
}

/// What an expression came to.
pub(super) enum Evaluated<'a> {
    Value(Value<'a>),
    /// An error, in the API server's words.
    Failed(String),
}

/// Why no further expression is evaluated.
#[derive(Debug)]
pub(super) enum Ended {
    /// The budget is used up.
    OutOfBudget,
    /// The authorizer has to be asked first.
    Unanswered,
    /// A bound that the API server does not have.
    Bound(PolicyError),
}

impl Ended {
    /// In the API server's words.
    pub(super) fn message(&self) -> String {
        match self {
            Self::OutOfBudget => OUT_OF_BUDGET.to_owned(),
            Self::Unanswered => "the authorizer has to be asked first".to_owned(),
            Self::Bound(error) => error.to_string(),
        }
    }
}

/// Expressions on their way, with the policy's variables as far as they have been computed.
pub(super) struct Pass<'e, 'x, 'a> {
    context: &'e Context<'x, 'a>,
    values: [Value<'a>; SLOTS],
    variables: Variables<'a>,
    budget: u64,
    tracer: Option<&'e Tracer<'e>>,
}

const SLOTS: usize = 8;

impl<'e, 'x, 'a> Pass<'e, 'x, 'a> {
    /// All names stand for something.
    pub(super) fn new(
        policy: &'a CelPolicy,
        context: &'e Context<'x, 'a>,
        review: &Review<'a>,
        input: &Input<'e, 'a>,
        budget: u64,
    ) -> Self {
        let mut values = [Value::Null; SLOTS];
        let mut set = |slot: Slot, value| {
            if let Some(place) = values.get_mut(slot.0 as usize) {
                *place = value;
            }
        };
        set(OBJECT, Value::of_node(input.object));
        set(OLD_OBJECT, Value::of_node(input.old_object));
        set(PARAMS, Value::of_node(input.params));
        set(REQUEST, Value::of_node(input.request));
        set(NAMESPACE_OBJECT, Value::of_node(input.namespace));
        if policy.uses_authorizer() {
            let authorizer = |authorizer| Value::Opaque(Opaque::Authorizer(context.arena().keep(authorizer)));
            let resource = Resource {
                group: review.request_resource.group,
                resource: review.request_resource.resource,
                subresource: review.subresource,
                namespace: review.namespace,
                name: review.name,
                ..Resource::default()
            };
            set(AUTHORIZER, authorizer(Authorizer::Authorizer { service_account: None }));
            set(REQUEST_RESOURCE, authorizer(Authorizer::Resource(resource)));
        }
        Self {
            context,
            values,
            variables: Variables::new(&policy.composition, context.arena()),
            budget,
            tracer: input.tracer,
        }
    }

    /// The same without an authorizer, as upstream evaluates messages and audit annotations: whoever asks it gets an error.
    pub(super) fn without_authorizer(mut self) -> Self {
        for (slot, name) in [(AUTHORIZER, &"authorizer"), (REQUEST_RESOURCE, &"authorizer.requestResource")] {
            if let Some(place) = self.values.get_mut(slot.0 as usize) {
                *place = Value::Opaque(Opaque::Unbound(name));
            }
        }
        self
    }

    /// What is left of the budget.
    pub(super) const fn budget(&self) -> u64 {
        self.budget
    }

    /// Says which expression comes next, to whoever watches.
    #[inline]
    pub(super) fn begin(&self, list: List, index: usize, name: Option<&str>) {
        if let Some(tracer) = self.tracer {
            tracer.begin(list, index, name);
        }
    }

    /// Evaluates one expression. One that does not compile costs nothing.
    ///
    /// # Errors
    /// What ends the pass.
    pub(super) fn evaluate(&mut self, expression: &'a Expression) -> Result<Evaluated<'a>, Ended> {
        let text = &expression.text;
        let program = match &expression.program {
            Ok(program) => program,
            Err(error) => {
                let error = format!("compilation error: {}", error.explain(text));
                if let Some(tracer) = self.tracer {
                    tracer.failed(text, &error);
                }
                return Ok(Evaluated::Failed(error));
            }
        };
        let names = Names { values: &self.values, variables: &self.variables };
        let context = self.context;
        let evaluate = || program.evaluate_watched(context, &names, Watched::Expression);
        let (outcome, cost) = context.with_cost_limit(EXPRESSION_COST, evaluate);
        for cost in [self.variables.take_cost(), cost] {
            self.budget = self.budget.checked_sub(cost).ok_or(Ended::OutOfBudget)?;
        }
        match outcome {
            Ok(value) => Ok(Evaluated::Value(value)),
            Err(error) => match error.kind {
                ErrorKind::Unanswered => Err(Ended::Unanswered),
                ErrorKind::Limit(Limit::Time) => Err(Ended::Bound(PolicyError::Deadline)),
                ErrorKind::Limit(Limit::Memory) => Err(Ended::Bound(PolicyError::Budget)),
                _ => Ok(Evaluated::Failed(format!("expression '{text}' resulted in error: {error}"))),
            },
        }
    }
}
