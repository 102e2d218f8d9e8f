//! What becomes of each policy, taken down where the run asks for it. Nothing here decides anything.

use super::{Pass, Route};
use crate::json::{Node, diff};
use crate::kubernetes::list_keys;
use crate::matching::{self, MatchConstraints, NamespaceGlobs, Outcome, Reason};
use crate::policy::{Head, Mutator, Validator};
use crate::review::{Operation, Review, Subject};
use crate::set::PolicySet;
use crate::verdict::trace::{Evaluation, Found, List};
use crate::verdict::{Discretion, Fate, Finding, PolicyError, Reported, Step};

/// What a trace of this review may show: offline everything but Secrets, in the server what anybody may read.
pub(super) fn discretion(review: &Review<'_>, route: Route) -> Discretion {
    let holds_tokens = review.subresource == "token" || review.resource.resource == "tokenreviews";
    let discretion = Discretion::new(route != Route::Offline || holds_tokens);
    let (kind, resource) = (review.kind, review.resource);
    let operation = review.operation.as_str();
    for text in [kind.group, kind.version, kind.kind, resource.resource, review.subresource, review.name] {
        discretion.learn_text(text);
    }
    for text in [review.namespace, operation, review.user.username] {
        discretion.learn_text(text);
    }
    review.user.groups.iter().for_each(|group| discretion.learn_text(group));
    discretion
}

/// What was seen of one evaluation of a policy.
pub(super) struct Seen {
    evaluations: Vec<Evaluation>,
    why_not: Option<&'static str>,
    /// Findings that the stored object has already.
    pub(super) existing: Vec<Finding>,
}

impl Seen {
    pub(super) fn of(reported: &mut Reported) -> Self {
        let evaluations = std::mem::take(&mut reported.evaluations);
        Self { evaluations, why_not: reported.why_not, existing: vec![] }
    }
}

impl<'a> Pass<'_, 'a> {
    fn step(&mut self, head: &Head, mutates: bool, tell: impl FnOnce(&Self, &Discretion, &mut Step)) {
        let Some(discretion) = &self.discretion else { return };
        let mut step = Step::new(head.origin.clone(), mutates);
        self.review.arena.aside(|| tell(self, discretion, &mut step));
        self.verdict.trace.push(step);
    }

    /// It could not be asked.
    pub(super) fn trace_failure(&mut self, head: &Head, mutates: bool, error: &PolicyError) {
        self.step(head, mutates, |_, _, step| {
            step.outcome = Fate::Failed;
            step.errors.push(error.to_string());
            step.reason = format!("evaluation error: {error}");
        });
    }

    /// It is not asked, for a reason that does not stand in it.
    pub(super) fn trace_passed_by(&mut self, head: &Head, mutates: bool, reason: &str) {
        self.step(head, mutates, |_, _, step| reason.clone_into(&mut step.reason));
    }

    /// It does not match.
    pub(super) fn trace_mismatch(
        &mut self,
        head: &Head,
        mutates: bool,
        reason: Reason,
        (constraints, namespaces): (&MatchConstraints, &NamespaceGlobs),
        subject: Subject<'_, 'a>,
    ) {
        let lookups = self.run.lookups;
        self.step(head, mutates, |_, _, step| {
            let is_own = std::ptr::eq(constraints, &raw const head.constraints);
            let (part, compared) = matching::compare(reason, constraints, namespaces, subject, lookups);
            let room = match reason {
                Reason::NotIncluded | Reason::NamespaceExcluded(_) => "",
                _ if is_own => "matchConstraints.",
                _ => "matchResources.",
            };
            step.reason = match &head.origin.binding {
                Some(binding) if !is_own => format!("its binding {}: {}", binding.name, reason.explain(constraints)),
                _ => reason.explain(constraints),
            };
            step.decided_by = Some(format!("{room}{part}"));
            step.compared = compared;
        });
    }

    /// A validator had its turn. What is in the verdict from these positions on is its own.
    pub(super) fn trace_validation(&mut self, validator: &Validator, seen: Seen, failed: usize, found: usize) {
        self.step(&validator.head, false, |pass, _, step| {
            let new = pass.verdict.findings.iter().skip(found).map(|found| (&found.finding, found.action, false));
            let action = validator.actions.gravest();
            let old = seen.existing.iter().map(|finding| (finding, action.max(finding.gravest), true));
            let findings = new.chain(old).map(|(finding, action, existing)| Found {
                path: finding.path.to_string(),
                message: if existing { validator.wording(finding.message.clone()) } else { finding.message.clone() },
                action,
                existing,
            });
            step.findings = findings.collect();
            let count = step.findings.iter().filter(|found| !found.existing).count();
            let old = step.findings.len() - count;
            step.outcome = if count > 0 { Fate::Found } else { Fate::Passed };
            step.reason = match (count, old) {
                (0, 0) => "nothing against it".to_owned(),
                (0, _) => format!("{}, as in the stored object (existing: Allow)", plural(old)),
                (_, 0) => plural(count),
                _ => format!("{}, and {old} as in the stored object (existing: Allow)", plural(count)),
            };
            pass.tell_evaluations(step, seen.evaluations, seen.why_not, failed);
        });
    }

    /// A mutator had its turn.
    pub(super) fn trace_mutation(
        &mut self,
        mutator: &Mutator,
        seen: Seen,
        failed: usize,
        (before, after): (Node<'a>, Node<'a>),
    ) {
        self.step(&mutator.head, true, |pass, discretion, step| {
            let is_same = after.is_same(before);
            step.shadow = mutator.shadow;
            step.outcome = if is_same { Fate::Unchanged } else { Fate::Changed };
            let reason = match (is_same, mutator.shadow) {
                (true, _) => "changes nothing",
                (false, false) => "changes the object",
                (false, true) => "would change the object, in shadow mode",
            };
            reason.clone_into(&mut step.reason);
            let kind = pass.review.kind.kind;
            let changes = if is_same { vec![] } else { diff(before, after, list_keys::of) };
            step.changes = changes.iter().map(|operation| discretion.change(kind, operation)).collect();
            pass.tell_evaluations(step, seen.evaluations, seen.why_not, failed);
        });
    }

    /// Expressions and errors, and what they mean for the outcome.
    fn tell_evaluations(
        &self,
        step: &mut Step,
        evaluations: Vec<Evaluation>,
        why_not: Option<&'static str>,
        failed: usize,
    ) {
        step.errors = self.verdict.failures.iter().skip(failed).map(|failure| failure.error.to_string()).collect();
        let is_silent = step.findings.is_empty() && step.changes.is_empty();
        let is_condition = |evaluation: &&Evaluation| evaluation.list == List::MatchConditions;
        let goes_on = evaluations.iter().any(|one| !matches!(one.list, List::MatchConditions | List::Variables));
        let is_false = evaluations.iter().filter(is_condition).find(|condition| condition.result.is(false));
        if let (Some(error), true) = (step.errors.first(), is_silent) {
            step.outcome = Fate::Failed;
            step.reason = format!("evaluation error: {error}");
        } else if let Some(condition) = is_false.filter(|_| !goes_on && is_silent) {
            let name = condition.name.as_deref().unwrap_or_default();
            step.outcome = Fate::NotMatched;
            step.reason = format!("the match condition {name:?} is false");
            step.decided_by = Some(condition.to_string());
        } else if let Some(why_not) = why_not.filter(|_| is_silent) {
            step.outcome = Fate::NotMatched;
            why_not.clone_into(&mut step.reason);
        }
        step.evaluations = evaluations;
    }

    /// The policies that nobody asked: no rule of theirs is about such requests, or mutators have nothing to change.
    pub(super) fn trace_others(&mut self, set: &'a PolicySet) {
        if self.discretion.is_none() {
            return;
        }
        let review = self.review;
        if self.run.route != Route::Validate {
            for mutator in set.mutators() {
                let is_candidate =
                    set.mutators_for(review).any(|candidate| std::ptr::eq(candidate, &raw const **mutator));
                let is_module = mutator.head.origin.module.is_some();
                match review.operation {
                    _ if !is_candidate => self.trace_unconcerned(&mutator.head, true),
                    Operation::Delete => {
                        self.trace_passed_by(&mutator.head, true, "on a DELETE there is nothing to change");
                    }
                    Operation::Connect if is_module => {
                        self.trace_passed_by(&mutator.head, true, "modules do not change the options of a CONNECT");
                    }
                    _ => {}
                }
            }
        }
        if self.run.route != Route::Mutate {
            for validator in set.validators() {
                if !set.validators_for(review).any(|candidate| std::ptr::eq(candidate, &raw const **validator)) {
                    self.trace_unconcerned(&validator.head, false);
                }
            }
        }
    }

    fn trace_unconcerned(&mut self, head: &Head, mutates: bool) {
        let subject = Subject { object: self.verdict.roots.mutated, old_object: None, review: self.review };
        let globs = NamespaceGlobs::default();
        if let Outcome::NotMatched(reason) =
            matching::matches(&head.constraints, &globs, subject, self.run.lookups, self.kinds)
        {
            self.trace_mismatch(head, mutates, reason, (&head.constraints, &globs), subject);
        }
    }
}

/// `2 findings`
fn plural(count: usize) -> String {
    if count == 1 { "1 finding".to_owned() } else { format!("{count} findings") }
}
