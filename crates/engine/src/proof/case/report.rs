//! What became of a case, for keeping: nothing of it lives in an arena.

use std::collections::BTreeMap;

use super::compare::value;
use super::{CaseError, Failure, Ran, run};
use crate::document::{Diagnostic, Place};
use crate::json::{Arena, Node};
use crate::kubernetes::defaults::Defaults;
use crate::review::Review;
use crate::set::PolicySet;
use crate::unit::policy_test::{Case, PolicyTest};
use crate::verdict::{Fate, Step};

/// What became of a case.
#[derive(Clone, Debug)]
pub struct Report {
    /// The test.
    pub test: String,
    /// The case.
    pub case: String,
    /// Where the case has its name.
    pub place: Place,
    /// What is not as expected.
    pub failures: Vec<Failure>,
    /// Why it could not be run.
    pub error: Option<CaseError>,
    /// What happened; None where it could not be run.
    pub observed: Option<Observed>,
}

/// What the policies made of a case.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// Whether the request is allowed.
    pub allowed: bool,
    /// `status.code` of a denial.
    pub code: Option<u16>,
    /// The message of a denial.
    pub message: Option<String>,
    /// The policies that find something or cannot be evaluated.
    pub policies: Vec<String>,
    /// All warnings.
    pub warnings: Vec<String>,
    /// All evaluation errors, `POLICY: MESSAGE`.
    pub errors: Vec<String>,
    /// The object as it was written, as JSON in its own order.
    pub written: String,
    /// The same after mutation; None where nothing was changed.
    pub mutated: Option<String>,
    /// What each policy that matched did, by name.
    pub acted: BTreeMap<String, Acted>,
    /// All findings, `POLICY: PATH`, whatever is done about them.
    pub findings: Vec<String>,
    /// The rules of each policy's match constraints that fit the request, by the policy's name.
    pub rules: Vec<(String, usize)>,
    /// What became of every policy, and why.
    pub trace: Vec<Step>,
}

/// What a policy that matched did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Acted {
    /// It found something, or could not be evaluated.
    pub objects: bool,
    /// It changed the object, or would have.
    pub changes: bool,
}

impl Report {
    /// Runs a case.
    pub fn of<'a>(
        test: &PolicyTest,
        case: &'a Case,
        set: &'a PolicySet,
        defaults: &Defaults,
        arena: &'a Arena,
    ) -> Self {
        let ran = run(case, set, defaults, arena);
        let (test, place) = (test.name.clone(), case.place.clone());
        let report = Self { test, case: case.name.clone(), place, failures: vec![], error: None, observed: None };
        match ran {
            Err(error) => Self { error: Some(error), ..report },
            Ok(ran) => {
                let mut failures = ran.failures();
                failures.extend(ran.instability(set));
                Self { failures, observed: Some(Observed::of(&ran, set)), ..report }
            }
        }
    }

    /// Whether the case was run and everything is as expected.
    pub fn has_passed(&self) -> bool {
        self.failures.is_empty() && self.error.is_none()
    }

    /// What is wrong, each with its place.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let error = self.error.as_ref().map(|error| {
            let message = format!("test `{}`, case `{}` cannot be run: {error}", self.test, self.case);
            Diagnostic::error(&self.place.file, self.place.span.clone(), message)
        });
        let failures = self.failures.iter().map(|failure| {
            let message = format!("test `{}`, case `{}` fails: {}", self.test, self.case, failure.text());
            let mut problem = Diagnostic::error(&failure.place.file, failure.place.span.clone(), message);
            problem.notes.extend((!failure.note.is_empty()).then(|| failure.note.clone()));
            problem
        });
        error.into_iter().chain(failures).collect()
    }
}

impl Observed {
    fn of(ran: &Ran<'_>, set: &PolicySet) -> Self {
        let judged = &ran.judged;
        let verdict = &judged.verdict;
        let refusal = verdict.refusal();
        let json = |node: Node<'_>| serde_json::to_string(&node).unwrap_or_default();
        let mut acted: BTreeMap<String, Acted> = BTreeMap::new();
        let name = |origin: &crate::verdict::Origin| origin.policy.clone();
        for step in verdict.trace.iter().filter(|step| step.outcome != Fate::NotMatched) {
            let acted = acted.entry(name(&step.origin)).or_default();
            acted.objects |= matches!(step.outcome, Fate::Found | Fate::Failed);
            acted.changes |= step.outcome == Fate::Changed;
        }
        Self {
            allowed: refusal.is_none(),
            code: refusal.map(|refusal| refusal.code),
            message: refusal.map(|_| verdict.message()),
            policies: verdict.policies().into_iter().map(str::to_owned).collect(),
            warnings: verdict.warnings(),
            errors: verdict
                .failures
                .iter()
                .map(|failure| format!("{}: {}", failure.origin.policy, failure.error))
                .collect(),
            written: json(judged.written),
            mutated: (judged.written != judged.mutated).then(|| json(judged.mutated)),
            acted,
            findings: verdict
                .findings
                .iter()
                .map(|found| format!("{}: {}", found.origin.policy, found.finding.path))
                .collect(),
            rules: rules(set, &judged.review),
            trace: verdict.trace.clone(),
        }
    }
}

fn rules(set: &PolicySet, review: &Review<'_>) -> Vec<(String, usize)> {
    let mutators = set.mutators().iter().map(|one| &one.head);
    let heads = mutators.chain(set.validators().iter().map(|one| &one.head));
    heads
        .flat_map(|head| head.constraints.fitting(review).map(|position| (head.origin.policy.clone(), position)))
        .collect()
}

impl Observed {
    /// Whether the policies decided the same: what is found where, what fails, and what is changed. Messages may differ, for
    /// they may name what a policy allows.
    pub fn is_same(&self, other: &Self) -> bool {
        (self.code, &self.findings, &self.mutated) == (other.code, &other.findings, &other.mutated)
            && self.errors.len() == other.errors.len()
    }
}

impl<'a> Ran<'a> {
    /// What mutating a second time changes; None where that is nothing, as it must be.
    fn instability(&self, set: &'a PolicySet) -> Option<Failure> {
        let once = self.judged.verdict.roots;
        if once.original.is_same(once.mutated) {
            return None;
        }
        let again = self.again(set)?;
        let twice = again.verdict.roots;
        if once.mutated == twice.mutated {
            return None;
        }
        let mut names: Vec<&str> =
            again.verdict.edits.iter().filter(|edit| !edit.shadow).map(|edit| edit.origin.policy.as_str()).collect();
        names.dedup();
        Some(Failure {
            field: "idempotence",
            expected: value(once.mutated),
            got: value(twice.mutated),
            note: format!("changed a second time by {}", names.join(", ")),
            place: self.case.place.clone(),
        })
    }
}
