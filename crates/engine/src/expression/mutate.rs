//! Mutations: k8s.io/apiserver, admission/plugin/policy/mutating/dispatcher.go. They run in order, each on what the one
//! before made; after one that fails the next still runs.

use std::sync::LazyLock;

use super::access::Authorizer;
use super::conditions::{Met, bound, input, meet, watch};
use super::mutation::{self, MutationError};
use super::pass::{BUDGET, Ended, Evaluated, Input, Pass};
use super::validate::{Bound, fail};
use crate::cel::context::{Context, Meter};
use crate::cel::types::Type;
use crate::json::Node;
use crate::kubernetes::decoding;
use crate::kubernetes::schema::{Schema, Schemas};
use crate::review::{Answer, KindName, Lookup, ObjectName, Review, Subject};
use crate::rule::{Mentions, Mutate, Reads};
use crate::verdict::trace::List;
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

/// Reads the schemas, so that no request has to.
pub(super) fn prepare() {
    LazyLock::force(&SCHEMAS);
}

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
    fn asks(&self) -> Option<&'static str> {
        self.policy.asks()
    }

    fn mentions(&self) -> Mentions {
        self.policy.mentions()
    }

    fn expressions(&self) -> Vec<(List, usize, &str)> {
        self.policy.expressions()
    }

    fn reads(&self) -> Reads {
        self.policy.reads()
    }

    fn mutate<'a>(&'a self, subject: Subject<'_, 'a>, report: &mut Report<'_>) -> Result<Node<'a>, PolicyError> {
        let review = subject.review;
        let mut object = subject.object;
        let Some(case) = self.case(review, report) else { return Ok(object) };
        let bounds = report.bounds();
        let meter = Meter::new(0, bounds.bytes, bounds.deadline);
        let merges = self.policy.mutations.iter().any(|(patch_type, _)| *patch_type == PatchType::ApplyConfiguration);
        let names = |object: Node<'a>| (object.str("apiVersion"), object.str("kind"));
        let mut schema = None;
        for (position, &params) in case.params.iter().enumerate() {
            let mut input = input(Subject { object, ..subject }, params, report.tracer());
            input.namespace = case.namespace;
            if let Some(tracer) = input.tracer {
                tracer.parameter(params, case.namespace, review.arena);
            }
            let host = Authorizer::new(review, report);
            let context = Context::new(review.arena, &meter, &host).watched(watch(&input));
            let met = meet(&self.policy, &context, review, &input);
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
            // Without an object there is nothing to patch.
            if !report.invokes(position) || object.is_null() {
                continue;
            }
            input.request = self.policy.request(review, review.resource, review.arena);
            for index in 0..self.policy.mutations.len() {
                input.object = object;
                // A mutation may have changed the kind.
                if merges && schema.as_ref().is_none_or(|(of, _)| *of != names(object)) {
                    let Some(found) = schema_for(review, object, report) else { return Ok(subject.object) };
                    schema = Some((names(object), found));
                }
                let host = Authorizer::new(review, report);
                let context = Context::new(review.arena, &meter, &host).watched(watch(&input));
                let outcome = self.apply(index, &context, subject, &input, schema.as_ref().map(|(_, schema)| schema));
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

/// How an object is merged. None where its definition has to be asked for first; the report says so. A cluster that has no
/// definition of the kind, or nobody to ask, leaves what can be deduced.
fn schema_for(review: &Review<'_>, object: Node<'_>, report: &mut Report<'_>) -> Option<Result<Schema, MutationError>> {
    let (api_version, kind) = (object.str("apiVersion").unwrap_or_default(), object.str("kind").unwrap_or_default());
    let Some((group, version)) = api_version.split_once('/').filter(|_| !SCHEMAS.serves(api_version)) else {
        return Some(mutation::schema_of(&SCHEMAS, object));
    };
    let definition = ObjectName {
        kind: KindName::CUSTOM_RESOURCE_DEFINITION,
        namespace: "".into(),
        name: format!("{}.{group}", review.resource.resource).into(),
    };
    let lookup = Lookup::Object(definition);
    let unusable = |why: &dyn std::fmt::Display| {
        MutationError::of(format!("how a {kind} of {api_version} is merged is not known: {why}"))
    };
    match report.answer(&lookup, review.arena) {
        Answer::Found(node) => {
            Some(Schema::of_crd(node, version, &SCHEMAS).map_err(|error| unusable(&format!("{lookup}: {error}"))))
        }
        Answer::Missing => Some(Ok(SCHEMAS.deduced())),
        Answer::Unavailable(reason) => Some(Err(unusable(&format!("{lookup}: {reason}")))),
        Answer::Unknown => {
            report.need(lookup.into_owned());
            None
        }
    }
}

impl Bound {
    /// The object after one mutation. Its budget is its own.
    fn apply<'a>(
        &'a self,
        index: usize,
        context: &Context<'_, 'a>,
        subject: Subject<'_, 'a>,
        input: &Input<'_, 'a>,
        schema: Option<&Result<Schema, MutationError>>,
    ) -> Result<Node<'a>, Failure> {
        let said = |message: String| Failure::Said { message, is_fatal: None };
        let Some((patch_type, expression)) = self.policy.mutations.get(index) else { return Ok(input.object) };
        if let Err(error) = &expression.program {
            let error = error.explain(&expression.text);
            if let Some(tracer) = input.tracer {
                tracer.begin(List::Mutations, index, None);
                tracer.failed(&expression.text, &error);
            }
            return Err(said(error));
        }
        let mut pass = Pass::new(&self.policy, context, subject.review, input, BUDGET);
        pass.begin(List::Mutations, index, None);
        let value = match pass.evaluate(expression) {
            Ok(Evaluated::Value(value)) => value,
            Ok(Evaluated::Failed(message)) => return Err(said(message)),
            Err(ended @ Ended::OutOfBudget) => return Err(said(ended.message())),
            Err(ended) => return Err(Failure::Bound(bound(ended))),
        };
        let arena = context.arena();
        let changed = match patch_type {
            PatchType::ApplyConfiguration => match schema {
                Some(schema) => mutation::apply_configuration(arena, schema.as_ref(), input.object, value),
                None => Ok(input.object),
            },
            PatchType::JsonPatch => {
                mutation::json_patch(arena, input.object, value).and_then(|patched| self.decoded(input.object, patched))
            }
        };
        changed.map_err(|MutationError { text, is_internal }| Failure::Said {
            message: text,
            is_fatal: is_internal.then_some(Refusal::INTERNAL_ERROR),
        })
    }

    /// The object that a patch has made, if it can be read as one of its kind.
    fn decoded<'a>(&self, before: Node<'a>, patched: Node<'a>) -> Result<Node<'a>, MutationError> {
        if self.is_lenient || patched.is_same(before) {
            return Ok(patched);
        }
        let text = |field: &str| patched.str(field).unwrap_or_default();
        let schema = SCHEMAS.of(text("apiVersion"), text("kind"));
        match schema.and_then(|schema| decoding::fault(&schema, before, patched)) {
            None => Ok(patched),
            Some(fault) => Err(MutationError { text: format!("Internal error occurred: {fault}"), is_internal: true }),
        }
    }
}
