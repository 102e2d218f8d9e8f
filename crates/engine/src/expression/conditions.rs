//! `matchConditions` (k8s.io/apiserver, admission/plugin/webhook/matchconditions): false beats an error, an error is one
//! under the failurePolicy.

use std::sync::Arc;

use super::access::Authorizer;
use super::pass::{CONDITIONS_BUDGET, Ended, Evaluated, Input, Pass};
use super::policy::CelPolicy;
use crate::cel::context::{Context, Meter};
use crate::cel::value::Value;
use crate::cel::watch::Watch;
use crate::json::Node;
use crate::review::{Operation, Review, Subject};
use crate::rule::{Mentions, Mutate, Reads, Validate};
use crate::verdict::trace::List;
use crate::verdict::{Expressed, Judged, Judgement, PolicyError, Report, Tracer};

/// What conditions say.
#[derive(Debug)]
pub(super) enum Met {
    Yes,
    No,
    /// The errors, merged.
    Failed(String),
}

/// Whether all conditions hold.
///
/// # Errors
/// What ended the evaluation but for the budget, which is an error like others.
pub(super) fn meet<'a>(
    policy: &'a CelPolicy,
    context: &Context<'_, 'a>,
    review: &Review<'a>,
    input: &Input<'_, 'a>,
) -> Result<Met, Ended> {
    if policy.conditions.is_empty() {
        return Ok(Met::Yes);
    }
    let mut input = *input;
    input.namespace = Node::NULL;
    input.request = policy.request(review, review.request_resource, context.arena());
    let mut pass = Pass::new(policy, context, review, &input, CONDITIONS_BUDGET);
    let (mut errors, mut is_false): (Vec<String>, bool) = (vec![], false);
    for (index, condition) in policy.conditions.iter().enumerate() {
        pass.begin(List::MatchConditions, index, policy.condition_names.get(index).map(String::as_str));
        match pass.evaluate(condition) {
            Ok(Evaluated::Value(Value::Bool(false))) => is_false = true,
            // Once a condition is false no error counts. Equal errors are said once.
            Ok(Evaluated::Failed(error)) if !errors.contains(&error) => errors.push(error),
            Ok(_) => {}
            Err(ended @ Ended::OutOfBudget) => return Ok(Met::Failed(ended.message())),
            Err(ended) => return Err(ended),
        }
    }
    Ok(match errors.as_slice() {
        _ if is_false => Met::No,
        [] => Met::Yes,
        [error] => Met::Failed(error.clone()),
        errors => Met::Failed(format!("[{}]", errors.join(", "))),
    })
}

/// A module under match conditions.
#[derive(Debug)]
pub struct Conditioned<R> {
    conditions: Arc<CelPolicy>,
    rule: R,
}

impl<R> Conditioned<R> {
    /// The rule, where the conditions hold.
    pub const fn new(conditions: Arc<CelPolicy>, rule: R) -> Self {
        Self { conditions, rule }
    }

    fn holds<'a>(&'a self, subject: Subject<'_, 'a>, report: &mut Report<'_>) -> bool {
        let review = subject.review;
        let input = input(subject, Node::NULL, report.tracer());
        let bounds = report.bounds();
        let meter = Meter::new(0, bounds.bytes, bounds.deadline);
        let host = Authorizer::new(review, report);
        let context = Context::new(review.arena, &meter, &host).watched(watch(&input));
        let met = meet(&self.conditions, &context, review, &input);
        let needs = host.into_needs();
        let is_unanswered = !needs.is_empty();
        needs.into_iter().for_each(|need| report.need(need));
        match met {
            _ if is_unanswered => false,
            Ok(Met::Yes) => true,
            Ok(Met::No) => false,
            Ok(Met::Failed(message)) => {
                let outcome = Judged::Fails { message, is_fatal: None };
                report.judge(Judgement { step: Expressed::Conditions, outcome });
                false
            }
            Err(ended) => {
                report.error(bound(ended));
                false
            }
        }
    }
}

pub(super) fn bound(ended: Ended) -> PolicyError {
    match ended {
        Ended::Bound(error) => error,
        other => PolicyError::Other(other.message()),
    }
}

/// What the expressions of a policy see of a subject.
pub(super) fn input<'e, 'a>(
    subject: Subject<'_, 'a>,
    params: Node<'a>,
    tracer: Option<&'e Tracer<'e>>,
) -> Input<'e, 'a> {
    let is_deletion = subject.review.operation == Operation::Delete;
    Input {
        object: if is_deletion { Node::NULL } else { subject.object },
        old_object: subject.old_object.unwrap_or_default(),
        params,
        tracer,
        ..Input::default()
    }
}

/// Who watches its expressions.
pub(super) fn watch<'e, 'a>(input: &Input<'e, 'a>) -> Option<&'e dyn Watch<'a>> {
    input.tracer.map(|tracer| tracer as &dyn Watch<'a>)
}

impl Validate for Conditioned<Box<dyn Validate>> {
    fn asks(&self) -> Option<&'static str> {
        self.conditions.asks().or_else(|| self.rule.asks())
    }

    fn expressions(&self) -> Vec<(List, usize, &str)> {
        self.conditions.expressions().into_iter().chain(self.rule.expressions()).collect()
    }

    fn reads(&self) -> Reads {
        Reads { conditions: self.conditions.reads().conditions, ..self.rule.reads() }
    }

    fn validate<'a>(&'a self, subject: Subject<'_, 'a>, report: &mut Report<'_>) {
        if self.holds(subject, report) {
            self.rule.validate(subject, report);
        }
    }
}

impl Mutate for Conditioned<Box<dyn Mutate>> {
    fn asks(&self) -> Option<&'static str> {
        self.conditions.asks().or_else(|| self.rule.asks())
    }

    fn mentions(&self) -> Mentions {
        self.conditions.mentions()
    }

    fn expressions(&self) -> Vec<(List, usize, &str)> {
        self.conditions.expressions().into_iter().chain(self.rule.expressions()).collect()
    }

    fn reads(&self) -> Reads {
        Reads { conditions: self.conditions.reads().conditions, ..self.rule.reads() }
    }

    fn mutate<'a>(&'a self, subject: Subject<'_, 'a>, report: &mut Report<'_>) -> Result<Node<'a>, PolicyError> {
        if self.holds(subject, report) { self.rule.mutate(subject, report) } else { Ok(subject.object) }
    }
}
