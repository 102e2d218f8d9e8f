//! A run that explains decides as one that does not, and explains every policy, without what nobody may read.

use admittance_engine::deadline::Deadline;
use admittance_engine::json::Arena;
use admittance_engine::pipeline::{Budget, Detail, Route, Run, admit};
use admittance_engine::review::Envelope;
use admittance_engine::set::PolicySet;
use admittance_engine::verdict::{Fate, Judged, Verdict};
use serde_json::{Value, to_value};

use crate::case::{Case, cases};
use crate::cluster::Cluster;

const ROUTES: [Route; 3] = [Route::Mutate, Route::Validate, Route::Offline];

fn judge<T>(case: &Case, set: &PolicySet, route: Route, detail: Detail, see: impl FnOnce(&Verdict<'_>) -> T) -> T {
    let (arena, body) = (Arena::with_limit(Budget::REVIEW), case.review(set.kinds()));
    let (envelope, read) = Envelope::read(&arena, body.as_bytes());
    read.unwrap_or_else(|error| panic!("{}: {error}", case.name));
    let review = envelope.into_review(&arena).unwrap_or_else(|error| panic!("{}: {error}", case.name));
    let lookups = Cluster::of(case);
    let (deadline, budget) = (Deadline::never(), Budget::default());
    let run = Run { route, deadline, budget, lookups: &lookups, detail, timed: false, judges_drift: false };
    see(&admit(set, &review, &run).unwrap_or_else(|needs| panic!("{}: {needs:?}", case.name)))
}

/// All that a verdict says, but for what is kept only where it is asked for.
fn said(verdict: &Verdict<'_>) -> Vec<String> {
    let roots = verdict.roots;
    let decided = verdict.decisions.iter().filter(|decision| decision.judgement.outcome != Judged::Admits);
    let roots = [roots.original, roots.mutated, roots.shadow].map(|root| to_value(root).unwrap().to_string());
    let edits = verdict.edits.iter().map(|edit| format!("{} {} {:?}", edit.origin.policy, edit.shadow, edit.after));
    let mut said: Vec<String> = roots.into_iter().chain(edits).collect();
    said.extend(verdict.findings.iter().map(|found| format!("{found:?}")));
    said.extend(verdict.failures.iter().map(|failure| format!("{failure:?}")));
    said.extend(verdict.annotations.iter().map(|annotation| format!("{annotation:?}")));
    said.extend(decided.filter(|decision| decision.origin.binding.is_some()).map(|decision| format!("{decision:?}")));
    said.push(verdict.matched.to_string());
    said
}

/// How many judgements are kept that admit.
fn admits(verdict: &Verdict<'_>) -> usize {
    verdict.decisions.iter().filter(|decision| decision.judgement.outcome == Judged::Admits).count()
}

#[test]
fn explains_every_policy_of_every_case_and_decides_as_without() {
    let (mut expressions, mut parts, mut changes, mut admitted) = (0, 0, 0, 0);
    for case in &cases() {
        let set = case.set();
        for route in ROUTES {
            let plain = judge(case, &set, route, Detail::Findings, |verdict| {
                assert!(verdict.trace.is_empty());
                said(verdict)
            });
            let admits = judge(case, &set, route, Detail::Judgements, |verdict| {
                assert_eq!(said(verdict), plain, "{} {route:?}", case.name);
                assert!(verdict.trace.is_empty());
                admits(verdict)
            });
            admitted += admits;
            judge(case, &set, route, Detail::Trace, |verdict| {
                assert_eq!(said(verdict), plain, "{} {route:?}", case.name);
                assert_eq!(self::admits(verdict), admits, "{} {route:?}", case.name);
                let steps = verdict.trace.iter();
                let is_explained = |policy: &str| steps.clone().any(|step| step.origin.policy == policy);
                let mutators = set.mutators().iter().filter(|_| route != Route::Validate);
                let validators = set.validators().iter().filter(|_| route != Route::Mutate);
                let heads = mutators.map(|one| &one.head).chain(validators.map(|one| &one.head));
                for head in heads {
                    assert!(is_explained(&head.origin.policy), "{}: {} {route:?}", case.name, head.origin.policy);
                }
                let found = steps.clone().flat_map(|step| &step.findings).filter(|found| !found.existing).count();
                assert_eq!(found, verdict.findings.len(), "{}", case.name);
                for step in steps.clone() {
                    assert_eq!(step.outcome == Fate::Found, step.findings.iter().any(|found| !found.existing));
                    assert_eq!(step.changes.is_empty(), step.outcome != Fate::Changed, "{}", case.name);
                    assert!(!step.reason.is_empty(), "{}", case.name);
                }
                let evaluations = || steps.clone().flat_map(|step| &step.evaluations);
                for evaluation in evaluations() {
                    let whole = evaluation.parts.first();
                    assert!(whole.is_none_or(|whole| whole.result == evaluation.result), "{}", case.name);
                    for part in &evaluation.parts {
                        assert!(evaluation.expression.get(part.start as usize..part.end as usize).is_some());
                    }
                }
                expressions += evaluations().count();
                parts += evaluations().map(|evaluation| evaluation.parts.len()).sum::<usize>();
                changes += steps.map(|step| step.changes.len()).sum::<usize>();
            });
        }
    }
    let counts = [expressions, parts, changes, admitted];
    assert!(counts.iter().zip([200, 1000, 100, 20]).all(|(count, least)| *count > least), "{counts:?}");
}

/// Texts below keys that hold what nobody may read, of at least so many bytes.
fn hidden(value: &Value, is_hidden: bool, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let hides = ["env", "args", "command", "annotations"].contains(&key.as_str());
                hidden(value, is_hidden || hides, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| hidden(item, is_hidden, found)),
        Value::String(text) if is_hidden && text.len() >= 8 => found.push(text.clone()),
        _ => {}
    }
}

#[test]
fn explains_in_the_server_without_what_nobody_may_read() {
    let mut looked_for = 0;
    for case in &cases() {
        let set = case.set();
        let mut texts = vec![];
        [&case.object, &case.old_object].into_iter().for_each(|object| hidden(object, false, &mut texts));
        let open = case.object.to_string();
        texts.retain(|text| open.matches(text.as_str()).count() == 1);
        for route in [Route::Mutate, Route::Validate] {
            judge(case, &set, route, Detail::Trace, |verdict| {
                for step in &verdict.trace {
                    let computed =
                        step.evaluations.iter().flat_map(|one| &one.parts).map(|part| format!("{:?}", part.result));
                    let changed = step.changes.iter().map(|change| format!("{:?}", change.value));
                    for shown in computed.chain(changed) {
                        for text in &texts {
                            let is_literal = step.evaluations.iter().any(|one| one.expression.contains(text.as_str()));
                            assert!(is_literal || !shown.contains(text.as_str()), "{}: {shown}", case.name);
                            looked_for += 1;
                        }
                    }
                }
            });
        }
    }
    assert!(looked_for > 100, "{looked_for}");
}
