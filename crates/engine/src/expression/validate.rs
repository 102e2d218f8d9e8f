//! Validations and audit annotations: k8s.io/apiserver, admission/plugin/policy/validating/validator.go, once for each
//! parameter of the binding.

use std::sync::Arc;

use super::access::Authorizer;
use super::conditions::{Met, bound, input, meet, watch};
use super::parameters::{self, NoParameters, ParamKind, ParamRef, collect};
use super::pass::{BUDGET, Ended, Evaluated, Input, Pass};
use super::policy::{CelPolicy, Validation};
use super::typed;
use crate::cel::context::{Context, Meter};
use crate::cel::value::Value;
use crate::json::Node;
use crate::review::{Answer, Lookup, Review, Subject};
use crate::rule::{Reads, Validate};
use crate::verdict::trace::List;
use crate::verdict::{Expressed, Judged, Judgement, Refusal, Report};

/// The longest message that an expression may make, in bytes; a longer one is not shown.
const MESSAGE: usize = 5 * 1024;
/// The longest audit annotation of one evaluation, in bytes.
const ANNOTATION: usize = 10 * 1024;

/// A policy in CEL under one binding, or one of ours, which needs none.
#[derive(Debug)]
pub struct Bound {
    pub(super) policy: Arc<CelPolicy>,
    param_kind: Option<Arc<ParamKind>>,
    param_ref: Option<ParamRef>,
    pub(super) is_lenient: bool,
}

/// What is the same for all parameters.
pub(super) struct Case<'a> {
    pub(super) namespace: Node<'a>,
    pub(super) params: &'a [Node<'a>],
}

impl Bound {
    /// The policy with the parameters that this binding names.
    pub const fn new(policy: Arc<CelPolicy>, param_kind: Option<Arc<ParamKind>>, param_ref: Option<ParamRef>) -> Self {
        Self { policy, param_kind, param_ref, is_lenient: false }
    }

    /// The same for objects that are no values of Go's types: patches may put into them what their kinds do not have.
    #[must_use]
    pub const fn lenient(mut self, is_lenient: bool) -> Self {
        self.is_lenient = is_lenient;
        self
    }

    /// What it may ask of the cluster: see [`Lookup::covers`].
    pub fn lookups(&self) -> Vec<Lookup<'static>> {
        let mut lookups = self.policy.lookups();
        if let (Some(kind), Some(reference)) = (&self.param_kind, &self.param_ref) {
            lookups.extend(parameters::lookups(kind, reference));
        }
        lookups
    }

    /// Parameters and namespace. None where they cannot be had; the report says why.
    pub(super) fn case<'a>(&self, review: &Review<'a>, report: &mut Report<'_>) -> Option<Case<'a>> {
        let (kind, reference) = (self.param_kind.as_deref(), self.param_ref.as_ref());
        let params = match collect(kind, reference, review.namespace, report, review.arena) {
            Ok(params) => params,
            Err(NoParameters::Unanswered) => return None,
            Err(NoParameters::Misconfigured(step, message)) => {
                fail(report, step, message);
                return None;
            }
        };
        if params.is_empty() {
            if let Some(tracer) = report.tracer() {
                tracer.nothing("its binding's paramRef names no object that is there, which it allows");
            }
            return None;
        }
        let namespace = if self.policy.uses_namespace() { namespace(review, report)? } else { Node::NULL };
        Some(Case { namespace, params })
    }
}

/// The request's namespace; null for objects outside of namespaces, and for Namespaces.
fn namespace<'a>(review: &Review<'a>, report: &mut Report<'_>) -> Option<Node<'a>> {
    let kind = review.request_kind;
    let is_namespace = kind.kind == "Namespace" && kind.version == "v1" && kind.group.is_empty();
    if review.namespace.is_empty() || is_namespace {
        return Some(Node::NULL);
    }
    let lookup = Lookup::Namespace(review.namespace.into());
    match report.answer(&lookup, review.arena) {
        Answer::Found(node) => match typed::namespace(node, review.arena) {
            Ok(node) => Some(node),
            Err(error) => {
                fail(report, Expressed::Validations, format!("namespace {:?}: {error}", review.namespace));
                None
            }
        },
        Answer::Missing => {
            let message = format!("namespaces {:?} not found", review.namespace);
            let is_fatal = Some(Refusal { code: 404, reason: "NotFound" });
            report.judge(Judgement { step: Expressed::Validations, outcome: Judged::Fails { message, is_fatal } });
            None
        }
        Answer::Unknown => {
            report.need(lookup.into_owned());
            None
        }
        Answer::Unavailable(reason) => {
            fail(report, Expressed::Validations, format!("{lookup} is not known: {reason}"));
            None
        }
    }
}

pub(super) fn fail(report: &mut Report<'_>, step: Expressed, message: String) {
    report.judge(Judgement { step, outcome: Judged::Fails { message, is_fatal: None } });
}

impl Validate for Bound {
    fn asks(&self) -> Option<&'static str> {
        self.policy.asks()
    }

    fn expressions(&self) -> Vec<(List, usize, &str)> {
        self.policy.expressions()
    }

    fn reads(&self) -> Reads {
        self.policy.reads()
    }

    fn validate<'a>(&'a self, subject: Subject<'_, 'a>, report: &mut Report<'_>) {
        let review = subject.review;
        let Some(case) = self.case(review, report) else { return };
        let bounds = report.bounds();
        let meter = Meter::new(0, bounds.bytes, bounds.deadline);
        for &params in case.params {
            let host = Authorizer::new(review, report);
            let mut input = input(subject, params, report.tracer());
            input.namespace = case.namespace;
            let context = Context::new(review.arena, &meter, &host).watched(watch(&input));
            if let Some(tracer) = input.tracer {
                tracer.parameter(params, case.namespace, review.arena);
            }
            let mut judgements = Judgements { keeps_all: bounds.keeps_all, ..Judgements::default() };
            let ended = judge(&self.policy, &context, review, input, &mut judgements);
            let needs = host.into_needs();
            if !needs.is_empty() {
                needs.into_iter().for_each(|need| report.need(need));
                continue;
            }
            judgements.made.into_iter().for_each(|judgement| report.judge(judgement));
            judgements.annotations.into_iter().for_each(|(key, value)| report.annotate(key, value));
            if let Err(ended) = ended {
                report.error(bound(ended));
            }
        }
    }
}

/// What one evaluation says.
#[derive(Debug, Default)]
struct Judgements {
    /// Whether what admits is wanted as well.
    keeps_all: bool,
    made: Vec<Judgement>,
    annotations: Vec<(String, String)>,
}

impl Judgements {
    fn add(&mut self, step: Expressed, outcome: Judged) {
        self.made.push(Judgement { step, outcome });
    }

    fn fail(&mut self, step: Expressed, message: String) {
        self.add(step, Judged::Fails { message, is_fatal: None });
    }
}

/// Conditions, validations, messages, annotations: each pass computes the policy's variables anew.
fn judge<'a>(
    policy: &'a CelPolicy,
    context: &Context<'_, 'a>,
    review: &Review<'a>,
    mut input: Input<'_, 'a>,
    found: &mut Judgements,
) -> Result<(), Ended> {
    match meet(policy, context, review, &input)? {
        Met::Yes => {}
        Met::No => return Ok(()),
        Met::Failed(message) => {
            found.fail(Expressed::Conditions, message);
            return Ok(());
        }
    }
    input.request = policy.request(review, review.resource, context.arena());
    let mut pass = Pass::new(policy, context, review, &input, BUDGET);
    // In the arena, and errors beside it: where all is well nothing is allocated.
    let (values, mut failed) = (context.arena().keep_cells(policy.validations.len(), None), vec![]);
    for ((index, validation), value) in policy.validations.iter().enumerate().zip(values) {
        pass.begin(List::Validations, index, None);
        match pass.evaluate(&validation.expression) {
            Ok(Evaluated::Value(made)) => value.set(Some(made)),
            Ok(Evaluated::Failed(message)) => failed.push(message),
            Err(ended @ Ended::OutOfBudget) => {
                found.fail(Expressed::Validations, ended.message());
                return Ok(());
            }
            Err(ended) => return Err(ended),
        }
    }
    let mut pass = Pass::new(policy, context, review, &input, pass.budget()).without_authorizer();
    let messages = messages(policy, &mut pass)?;
    let mut failed = failed.into_iter();
    for (position, (validation, value)) in policy.validations.iter().zip(values).enumerate() {
        let step = Expressed::Validation(position);
        match (value.get(), &messages) {
            (None, _) => found.fail(step, failed.next().unwrap_or_default()),
            (_, Err(ended)) => found.fail(step, format!("failed messageExpression: {}", ended.message())),
            (Some(Value::Bool(true)), _) if !found.keeps_all => {}
            (Some(Value::Bool(true)), _) => found.add(step, Judged::Admits),
            (Some(_), Ok(messages)) => {
                let made = messages.iter().find(|(of, _)| *of == position).map(|(_, text)| *text);
                let message = message(validation, made);
                found.add(step, Judged::Denies { refusal: validation.refusal, message });
            }
        }
    }
    annotate(policy, context, review, &input, found)
}

/// Texts, each with the position of its validation.
type Messages<'a> = Vec<(usize, &'a str)>;

/// The text of each messageExpression that made one: also of those whose validation is true, because they cost. The inner
/// error says that the budget ran out.
fn messages<'a>(policy: &'a CelPolicy, pass: &mut Pass<'_, '_, 'a>) -> Result<Result<Messages<'a>, Ended>, Ended> {
    let mut messages = vec![];
    for (index, validation) in policy.validations.iter().enumerate() {
        let Some(expression) = &validation.message_expression else { continue };
        pass.begin(List::MessageExpressions, index, None);
        let made = match pass.evaluate(expression) {
            Ok(Evaluated::Value(Value::String(text))) => Some(text),
            Ok(_) => None,
            Err(ended @ Ended::OutOfBudget) => return Ok(Err(ended)),
            Err(ended) => return Err(ended),
        };
        messages.extend(made.map(|text| (index, text)));
    }
    Ok(Ok(messages))
}

/// What users read: what the messageExpression made, else the message, else the expression.
fn message(validation: &Validation, made: Option<&str>) -> String {
    let made = made.map(go_trim).filter(|text| text.len() <= MESSAGE && !text.contains('\n'));
    let text = made.filter(|text| !text.is_empty()).unwrap_or_else(|| go_trim(&validation.message));
    if text.is_empty() {
        format!("failed expression: {}", go_trim(&validation.expression.text))
    } else {
        text.to_owned()
    }
}

/// Go's strings.TrimSpace: the same characters as Rust's.
fn go_trim(text: &str) -> &str {
    text.trim()
}

fn annotate<'a>(
    policy: &'a CelPolicy,
    context: &Context<'_, 'a>,
    review: &Review<'a>,
    input: &Input<'_, 'a>,
    found: &mut Judgements,
) -> Result<(), Ended> {
    if policy.annotations.is_empty() {
        return Ok(());
    }
    let mut pass = Pass::new(policy, context, review, input, BUDGET).without_authorizer();
    let mut outcomes = Vec::with_capacity(policy.annotations.len());
    for (index, (key, expression)) in policy.annotations.iter().enumerate() {
        pass.begin(List::AuditAnnotations, index, Some(key));
        match pass.evaluate(expression) {
            Ok(outcome) => outcomes.push(outcome),
            // Upstream forgets what the validations said.
            Err(ended @ Ended::OutOfBudget) => {
                found.made.clear();
                found.fail(Expressed::Validations, ended.message());
                return Ok(());
            }
            Err(ended) => return Err(ended),
        }
    }
    for (position, ((key, _), outcome)) in policy.annotations.iter().zip(outcomes).enumerate() {
        match outcome {
            Evaluated::Failed(message) => found.fail(Expressed::AuditAnnotation(position), message),
            Evaluated::Value(Value::String(text)) => {
                let text = go_trim(text);
                if !text.is_empty() {
                    let end = text.floor_char_boundary(ANNOTATION);
                    found.annotations.push((key.clone(), text.get(..end).unwrap_or_default().to_owned()));
                }
            }
            Evaluated::Value(_) => {}
        }
    }
    Ok(())
}
