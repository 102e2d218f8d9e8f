//! The one function that decides. The server, `check`, `test` and `replay` all call [`admit`]: they can never disagree.

mod doubt;
mod drift;
mod native;
mod objects;
pub mod offline;
mod run;
mod settle;
mod tracing;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

pub use run::{Budget, Detail, Route, Run};

use self::native::{decision, is_policy, what_an_error_does};
use self::objects::Objects;
use self::tracing::Seen;
use crate::deadline::Stopwatch;
use crate::json::Node;
use crate::kubernetes::kinds::Kinds;
use crate::matching::{self, NamespaceGlobs, Outcome};
use crate::policy::{Actions, Existing, Head, Mutator, Validator};
use crate::review::{Lookup, Operation, Review, Subject};
use crate::set::PolicySet;
use crate::verdict::{
    Action, Annotation, Bounds, Discretion, Edit, Expressed, Finding, Judged, Judgement, PolicyError, PolicyFailure,
    PolicyFinding, Report, Reported, Roots, Tracer, Verdict,
};

/// What the policies need to know before they can decide. Whoever can find it out does so and calls again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needs(pub Vec<Lookup<'static>>);

/// Judges one review. Pure, synchronous, total: a panic or an error of one policy is that policy's, under its
/// failurePolicy, and leaves no half-made change.
///
/// # Errors
/// [`Needs`], all of them at once, where a policy asked what nobody has looked up yet.
pub fn admit<'a>(set: &'a PolicySet, review: &Review<'a>, run: &Run<'_>) -> Result<Verdict<'a>, Needs> {
    let mut pass = Pass::new(set.kinds(), review, run);
    if run.route == Route::Validate {
        pass.mutate_aside(set);
    } else {
        pass.mutate_all(set);
    }
    if run.route != Route::Mutate {
        for validator in set.validators_for(review) {
            let action = validator.actions.gravest();
            pass.watched(&validator.head, (action, false), |pass| pass.validate(validator));
        }
    }
    pass.trace_others(set);
    pass.finish()
}

/// One review on its way through the policies.
struct Pass<'p, 'a> {
    kinds: &'p Kinds,
    review: &'p Review<'a>,
    run: &'p Run<'p>,
    /// What the first reader of the object found.
    objects: Option<Result<Objects<'a>, PolicyError>>,
    verdict: Verdict<'a>,
    needs: Vec<Lookup<'static>>,
    /// The mutators that run once more if something is changed, by their position among the candidates, and for which of
    /// their parameters they have run.
    reinvocable: BTreeMap<usize, Vec<usize>>,
    /// The object as it was when this round of the mutators began: the selectors of Kubernetes' own policies see it so.
    begun: Option<Node<'a>>,
    /// The round: what may run in it, and None in the first.
    again: Option<Vec<usize>>,
    /// Whether a native mutation succeeded, even if it changed nothing.
    is_dirty: bool,
    /// The position of the last mutator that changed something; beyond all of them where it was in the second round.
    last_change: Option<usize>,
    /// What a trace may show; None where none is made.
    discretion: Option<Discretion>,
}

impl<'p, 'a> Pass<'p, 'a> {
    fn new(kinds: &'p Kinds, review: &'p Review<'a>, run: &'p Run<'p>) -> Self {
        Self {
            kinds,
            review,
            run,
            objects: None,
            verdict: Verdict::default(),
            needs: vec![],
            reinvocable: BTreeMap::new(),
            begun: None,
            again: None,
            is_dirty: false,
            last_change: None,
            discretion: (run.detail == Detail::Trace).then(|| tracing::discretion(review, run.route)),
        }
    }

    /// Whether this policy has its turn on `root`. What keeps it from it is recorded.
    fn is_due(
        &mut self,
        head: &'a Head,
        (action, mutates): (Action, bool),
        root: fn(&Roots<'a>) -> Node<'a>,
    ) -> Option<Objects<'a>> {
        if self.run.deadline.is_over() {
            self.trace_failure(head, mutates, &PolicyError::Deadline);
            self.fail(head, action, PolicyError::Deadline);
            return None;
        }
        let objects = match self.objects() {
            Ok(objects) => objects,
            Err(error) => {
                self.trace_failure(head, mutates, &error);
                self.fail(head, action, error);
                return None;
            }
        };
        let current = root(&self.verdict.roots);
        let object = if head.is_native() && mutates { self.begun.unwrap_or(current) } else { current };
        let subject = Subject { object, old_object: objects.old, review: self.review };
        if head.is_native() && is_policy(self.review) {
            self.trace_passed_by(head, mutates, "Kubernetes' own policies judge no policies and no bindings");
            return None;
        }
        let everywhere = NamespaceGlobs::default();
        let own = (&head.constraints, &head.namespaces, Expressed::Constraints);
        let bound = head.binding.as_ref().map(|constraints| (constraints, &everywhere, Expressed::Binding));
        for (constraints, namespaces, step) in std::iter::once(own).chain(bound) {
            match matching::matches(constraints, namespaces, subject, self.run.lookups, self.kinds) {
                Outcome::Matched => {}
                Outcome::NotMatched(reason) => {
                    self.trace_mismatch(head, mutates, reason, (constraints, namespaces), subject);
                    return None;
                }
                Outcome::Error(error) => {
                    self.trace_failure(head, mutates, &error);
                    self.misconfigured(head, (action, mutates), step, error);
                    return None;
                }
                Outcome::Needs(lookup) => {
                    self.needs.push(lookup);
                    return None;
                }
            }
        }
        if objects.is_in_doubt && head.origin.module.is_some() {
            self.review.arena.mark_unknown();
        }
        if objects.only_releases && head.origin.module.is_some() {
            self.trace_passed_by(
                head,
                mutates,
                "the update only takes finalizers away from an object that is being deleted",
            );
            return None;
        }
        self.verdict.matched += 1;
        if self.again.is_none() {
            self.verdict.takes_turn(self.review.arena, &head.origin, mutates);
        }
        Some(objects)
    }

    /// The mutators in their order, and once more those of `reinvocationPolicy: IfNeeded`, as upstream
    /// (admission/plugin/policy/mutating/dispatcher.go): where a mutation succeeded, all of them that ran in the first round.
    /// Modules, which may be run any number of times, then run until they agree.
    fn mutate_all(&mut self, set: &'a PolicySet) {
        let (review, is_connect) = (self.review, self.review.operation == Operation::Connect);
        if review.operation == Operation::Delete {
            return;
        }
        let candidates = || {
            let all = set.mutators_for(review).enumerate();
            all.filter(move |(_, mutator)| !is_connect || mutator.head.origin.module.is_none())
        };
        if candidates().next().is_none() {
            return;
        }
        self.begun = self.objects().is_ok().then_some(self.verdict.roots.mutated);
        for (position, mutator) in candidates() {
            self.mutate(mutator, position);
        }
        if self.is_dirty && !self.reinvocable.is_empty() && self.verdict.refusal().is_none() {
            self.begun = Some(self.verdict.roots.mutated);
            let again = std::mem::take(&mut self.reinvocable);
            for (position, mutator) in candidates() {
                if let Some(invoked) = again.get(&position) {
                    self.again = Some(invoked.clone());
                    self.mutate(mutator, position);
                }
            }
            self.again = None;
        }
        self.settle(|| candidates().filter(|(_, mutator)| mutator.head.origin.module.is_some()));
    }

    fn mutate(&mut self, mutator: &'a Mutator, position: usize) {
        let action = if mutator.shadow { Action::Audit } else { Action::Deny };
        self.watched(&mutator.head, (action, true), |pass| pass.mutate_once(mutator, position, action));
    }

    fn mutate_once(&mut self, mutator: &'a Mutator, position: usize, action: Action) {
        let head = &mutator.head;
        let root: fn(&Roots<'a>) -> Node<'a> =
            if mutator.shadow { |roots| roots.shadow } else { |roots| roots.mutated };
        let Some(objects) = self.is_due(head, (action, true), root) else { return };
        let before = root(&self.verdict.roots);
        let watch = self.stopwatch();
        let failed = self.verdict.failures.len();
        let (result, mut reported) =
            self.evaluate(head, before, objects.old, |subject, report| mutator.rule.mutate(subject, report));
        self.stop(head, watch);
        let place = if self.again.is_some() { usize::MAX } else { position };
        let after = match result {
            Ok(after) => after,
            Err(error) => {
                self.fail(head, action, error);
                before
            }
        };
        self.is_dirty |= reported.has_mutated;
        if mutator.is_reinvoked && !reported.invoked.is_empty() {
            self.reinvocable.insert(position, reported.invoked.clone());
        }
        let seen = Seen::of(&mut reported);
        self.note(head, (action, true), reported);
        self.trace_mutation(mutator, seen, failed, (before, after));
        let together = self.verdict.roots.mutated.is_same(self.verdict.roots.shadow);
        if mutator.shadow || together {
            self.verdict.roots.shadow = after;
        } else {
            // The shadow has gone its own way before: the change is made to it as well, and only the change.
            let shadow = self.verdict.roots.shadow;
            let (result, _) =
                self.evaluate(head, shadow, objects.old, |subject, report| mutator.rule.mutate(subject, report));
            self.verdict.roots.shadow = result.unwrap_or(shadow);
        }
        if !mutator.shadow {
            self.verdict.roots.mutated = after;
        }
        if !after.is_same(before) {
            self.last_change = Some(place);
            let (origin, order) = (head.origin.clone(), (!head.is_native()).then_some(mutator.order));
            self.verdict.edits.push(Edit { origin, shadow: mutator.shadow, order, before, after });
        }
    }

    fn validate(&mut self, validator: &'a Validator) {
        let head = &validator.head;
        let action = validator.actions.gravest();
        let root: fn(&Roots<'a>) -> Node<'a> =
            if validator.actions == Actions::Audit { |roots| roots.shadow } else { |roots| roots.mutated };
        let Some(objects) = self.is_due(head, (action, false), root) else { return };
        let judge = |subject: Subject<'_, 'a>, report: &mut Report<'_>| {
            validator.rule.validate(subject, report);
            Ok(())
        };
        let object = root(&self.verdict.roots);
        let failed = self.verdict.failures.len();
        let watch = self.stopwatch();
        let (result, mut reported) = self.evaluate(head, object, objects.old, judge);
        self.stop(head, watch);
        if let Err(error) = result {
            self.fail(head, action, error);
        }
        let mut seen = Seen::of(&mut reported);
        if self.review.operation == Operation::Update
            && validator.existing == Existing::Allow
            && !reported.findings.is_empty()
            && let Some(old) = objects.old
        {
            let (_, before) = self.evaluate(head, old, None, judge);
            let is_old = |finding: &Finding| before.findings.iter().any(|old| old.is_same(finding));
            if self.discretion.is_some() {
                seen.existing.extend(reported.findings.iter().filter(|finding| is_old(finding)).cloned());
            }
            reported.findings.retain(|finding| !is_old(finding));
        }
        let found = self.verdict.findings.len();
        let findings = std::mem::take(&mut reported.findings);
        self.verdict.findings.extend(findings.into_iter().map(|finding| PolicyFinding {
            origin: head.origin.clone(),
            action: action.max(finding.gravest),
            audited: validator.actions.audits(),
            finding: Finding { message: validator.wording(finding.message), ..finding },
        }));
        self.note(head, (action, false), reported);
        self.trace_validation(validator, seen, failed, found);
    }

    /// Runs one rule where its panic, its memory and what it could not read are its own.
    fn evaluate<T>(
        &self,
        head: &Head,
        object: Node<'a>,
        old_object: Option<Node<'a>>,
        rule: impl FnOnce(Subject<'_, 'a>, &mut Report<'_>) -> Result<T, PolicyError>,
    ) -> (Result<T, PolicyError>, Reported) {
        let arena = self.review.arena;
        let (used, unreadable) = (arena.used(), arena.has_unreadable());
        let subject = Subject { object, old_object, review: self.review };
        let tracer = self.discretion.as_ref().map(Tracer::new);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let keeps_all = self.run.detail != Detail::Findings;
            let bounds = Bounds { deadline: self.run.deadline, bytes: self.run.budget.policy, keeps_all };
            let mut report = Report::new(head.public, self.run.lookups).within(bounds).traced(tracer.as_ref());
            if let Some(invoked) = &self.again {
                report = report.again(invoked);
            }
            let result = rule(subject, &mut report);
            (result, report.into_reported())
        }));
        let (result, mut reported) = outcome.unwrap_or_else(|_| (Err(PolicyError::Panic), Reported::default()));
        if let Some(tracer) = tracer {
            reported.why_not = tracer.why_not();
            reported.evaluations = tracer.into_evaluations();
        }
        let result = if matches!(result, Err(PolicyError::Panic)) {
            result
        } else if arena.used() - used > self.run.budget.policy || arena.is_full() {
            Err(PolicyError::Budget)
        } else if arena.has_unreadable() && !unreadable {
            Err(PolicyError::unreadable_part())
        } else {
            result
        };
        (result, reported)
    }

    fn stopwatch(&self) -> Option<Stopwatch> {
        self.run.timed.then(Stopwatch::start)
    }

    fn stop(&mut self, head: &Head, watch: Option<Stopwatch>) {
        self.verdict.times.extend(watch.map(|watch| (Arc::clone(&head.origin), watch.read())));
    }

    fn note(&mut self, head: &Head, (action, mutates): (Action, bool), reported: Reported) {
        for error in reported.errors {
            let overrides = matches!(&error, PolicyError::Expression { step, .. } if step.overrides_actions());
            self.fail(head, if overrides && head.is_native() { Action::Deny } else { action }, error);
        }
        let annotation = |(key, value)| Annotation { origin: head.origin.clone(), key, value };
        self.verdict.annotations.extend(reported.annotations.into_iter().map(annotation));
        if head.is_native() || self.run.detail != Detail::Findings {
            let judgements = reported.judgements.into_iter();
            self.verdict.decisions.extend(judgements.map(|judgement| decision(head, mutates, judgement)));
        }
        self.needs.extend(reported.needs);
    }

    /// An error of matching. One of Kubernetes' own policies denies for it whatever its binding's actions are.
    fn misconfigured(&mut self, head: &Head, (action, mutates): (Action, bool), step: Expressed, error: PolicyError) {
        if head.is_native() {
            let outcome = Judged::Fails { message: error.to_string(), is_fatal: None };
            self.verdict.decisions.push(decision(head, mutates, Judgement { step, outcome }));
            self.fail(head, Action::Deny, error);
        } else {
            self.fail(head, action, error);
        }
    }

    fn fail(&mut self, head: &Head, action: Action, error: PolicyError) {
        let action = what_an_error_does(head, action, &error);
        self.verdict.failures.push(PolicyFailure { origin: head.origin.clone(), action, error });
    }

    fn finish(mut self) -> Result<Verdict<'a>, Needs> {
        if self.needs.is_empty() {
            return Ok(self.verdict);
        }
        self.needs.sort();
        self.needs.dedup();
        Err(Needs(self.needs))
    }
}

#[cfg(test)]
mod tests;
