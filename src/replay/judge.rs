//! A review before one set of policies.

use std::cell::RefCell;

use admittance_engine::deadline::Deadline;
use admittance_engine::pipeline::{self, Budget, Detail, Run};
use admittance_engine::recording::Outcome;
use admittance_engine::recording::outcome::{Said, lines};
use admittance_engine::set::{Parameters, PolicySet};
use admittance_engine::verdict::{Action, Step, Verdict};

use super::case::Case;
use super::known::Known;

/// One set of policies.
#[derive(Debug)]
pub struct Side {
    /// The policies.
    pub set: PolicySet,
    /// Objects that they take for parameters.
    pub parameters: Parameters,
}

/// What a side decides.
#[derive(Debug)]
pub struct Judged {
    /// What it comes to.
    pub outcome: Outcome,
    /// Whether the request is allowed, if that is certain.
    pub allowed: Option<bool>,
    /// What it tells the user, also what is in doubt.
    pub lines: Vec<Said>,
    /// Why something is in doubt.
    pub doubts: Vec<String>,
}

impl Side {
    /// Judges the case as the server would.
    pub fn judge<'a>(&'a self, case: &Case<'a>) -> Judged {
        let known = self.known(case);
        let verdict = self.admit(case, &known, false);
        let doubts = doubts(&verdict, &known);
        Judged {
            outcome: Outcome::of(&case.review, &verdict, case.route),
            allowed: verdict.is_allowed_for_certain(),
            lines: lines(&verdict),
            doubts,
        }
    }

    /// What becomes of one policy in this case.
    pub fn explain<'a>(&'a self, case: &Case<'a>, policy: &str) -> Vec<Step> {
        let mut trace = self.admit(case, &self.known(case), true).trace;
        trace.retain(|step| step.origin.policy == policy);
        trace
    }

    fn known<'k>(&'k self, case: &'k Case<'_>) -> Known<'k> {
        Known {
            kinds: self.set.kinds(),
            parameters: &self.parameters,
            lookups: &case.lookups,
            cluster: case.cluster,
            in_vain: RefCell::default(),
        }
    }

    fn admit<'a>(&'a self, case: &Case<'a>, known: &Known<'_>, trace: bool) -> Verdict<'a> {
        let run = Run {
            route: case.route,
            deadline: Deadline::never(),
            budget: Budget::default(),
            lookups: known,
            detail: if trace { Detail::Trace } else { Detail::Findings },
            timed: false,
            judges_drift: false,
        };
        // Every lookup has an answer, if only that nobody knows: nothing is needed any more.
        pipeline::admit(&self.set, &case.review, &run).unwrap_or_default()
    }
}

/// What each policy in doubt hangs on. One that fails for want of an answer names the question.
fn doubts(verdict: &Verdict<'_>, known: &Known<'_>) -> Vec<String> {
    let in_vain: Vec<String> = known.in_vain.borrow().iter().cloned().collect();
    let mut doubts: Vec<String> = Vec::new();
    for doubt in verdict.doubts.iter().filter(|doubt| doubt.action != Action::Audit) {
        let policy = &doubt.origin.policy;
        let has_failed = verdict.failures.iter().any(|failure| failure.origin == doubt.origin);
        let reasons = if has_failed && !in_vain.is_empty() {
            in_vain.iter().map(|what| format!("{policy} needs {what}")).collect()
        } else {
            vec![format!("{policy} looks at what is redacted")]
        };
        for reason in reasons {
            if !doubts.contains(&reason) {
                doubts.push(reason);
            }
        }
    }
    doubts
}
