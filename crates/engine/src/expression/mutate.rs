//! Mutations: k8s.io/apiserver, admission/plugin/policy/mutating/dispatcher.go. They run in order, each on what the one
//! before made; after one that fails the next still runs.

use std::sync::LazyLock;

use super::access::Authorizer;
use super::conditions::{Met, bound, input, meet};
use super::mutation::{self, MutationError};
use super::pass::{BUDGET, Ended, Evaluated, Input, Pass};
use super::validate::{Bound, fail};
use crate::cel::context::{Context, Meter};
use crate::cel::types::Type;
use crate::json::Node;
use crate::kubernetes::schema::Schemas;
use crate::review::{Lookup, Subject};
use crate::rule::Mutate;
use crate::verdict::{Expressed, Judged, Judgement, PolicyError, Refusal, Report};

/// What the expression of a mutation makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchType {
    /// An `Object{…}`, which is merged.
    ApplyConfiguration,
    /// A list of `JSONPatch{…}`.
    JsonPatch,
}

/// How built-in kinds are merged: read once, the same for all policies.
static SCHEMAS: LazyLock<Schemas> = LazyLock::new(Schemas::built_in);

impl PatchType {
    /// The type of the expression.
    pub(super) fn result(self) -> Type {
        match self {
            Self::ApplyConfiguration => Type::Struct("Object".into()),
            Self::JsonPatch => Type::list(Type::Struct("JSONPatch".into())),
        }
    }
}

impl Mutate for Bound {
    fn mutate<'a>(&'a self, subject: Subject<'_, 'a>, report: &mut Report<'_>) -> Result<Node<'a>, PolicyError> {
        let review = subject.review;
        let mut object = subject.object;
        // Without an object there is nothing to patch.
        let Some(case) = self.case(review, report).filter(|_| !subject.object.is_null()) else { return Ok(object) };
        let bounds = report.bounds();
        let meter = Meter::new(0, bounds.bytes, bounds.deadline);
        for (position, params) in case.params.iter().enumerate() {
            let mut input = input(Subject { object, ..subject }, *params);
            input.namespace = case.namespace;
            let host = Authorizer::new(review, report);
            let met = meet(&self.policy, &Context::new(review.arena, &meter, &host), review, &input);
            if asked(host.into_needs(), report) {
                continue;
            }
            match met {
                Ok(Met::Yes) => {}
                Ok(Met::No) => continue,
                Ok(Met::Failed(message)) => {
                    fail(report, Expressed::Conditions, message);
                    continue;
                }
                Err(ended) => return Err(bound(ended)),
            }
            if !report.invokes(position) {
                continue;
            }
            input.request = self.policy.request(review, review.resource, review.arena);
            for index in 0..self.policy.mutations.len() {
                input.object = object;
                let host = Authorizer::new(review, report);
                let context = Context::new(review.arena, &meter, &host);
                let outcome = self.apply(index, &context, subject, &input);
                if asked(host.into_needs(), report) {
                    return Ok(subject.object);
                }
                match outcome {
                    Ok(changed) => {
                        object = changed;
                        report.mutated();
                    }
                    Err(Failure::Bound(error)) => return Err(error),
                    Err(Failure::Said { message, is_fatal }) => report.judge(Judgement {
                        step: Expressed::Mutation(index),
                        outcome: Judged::Fails { message, is_fatal },
                    }),
                }
            }
        }
        Ok(object)
    }
}

/// Why a mutation did nothing.
enum Failure {
    /// In the API server's words; some errors refuse the request whatever the failurePolicy is.
    Said { message: String, is_fatal: Option<Refusal> },
    /// A bound that the API server does not have.
    Bound(PolicyError),
}

fn asked(needs: Vec<Lookup<'static>>, report: &mut Report<'_>) -> bool {
    let is_asked = !needs.is_empty();
    needs.into_iter().for_each(|need| report.need(need));
    is_asked
}

impl Bound {
    /// The object after one mutation. Its budget is its own.
    fn apply<'a>(
        &'a self,
        index: usize,
        context: &Context<'_, 'a>,
        subject: Subject<'_, 'a>,
        input: &Input<'a>,
    ) -> Result<Node<'a>, Failure> {
        let said = |message: String| Failure::Said { message, is_fatal: None };
        let Some((patch_type, expression)) = self.policy.mutations.get(index) else { return Ok(input.object) };
        if let Err(error) = &expression.program {
            return Err(said(error.explain(&expression.text)));
        }
        let mut pass = Pass::new(&self.policy, context, subject.review, input, BUDGET);
        let value = match pass.evaluate(expression) {
            Ok(Evaluated::Value(value)) => value,
            Ok(Evaluated::Failed(message)) => return Err(said(message)),
            Err(ended @ Ended::OutOfBudget) => return Err(said(ended.message())),
            Err(ended) => return Err(Failure::Bound(bound(ended))),
        };
        let arena = context.arena();
        let changed = match patch_type {
            PatchType::ApplyConfiguration => mutation::apply_configuration(arena, &SCHEMAS, input.object, value),
            PatchType::JsonPatch => mutation::json_patch(arena, input.object, value),
        };
        changed.map_err(|MutationError { text, is_internal }| Failure::Said {
            message: text,
            is_fatal: is_internal.then_some(Refusal::INTERNAL_ERROR),
        })
    }
}
