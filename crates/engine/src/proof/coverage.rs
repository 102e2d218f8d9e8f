//! What no case shows: policies that nobody has seen both ways.

use std::collections::BTreeMap;

use super::case::{Acted, Report};
use crate::document::Diagnostic;
use crate::unit::CompiledUnit;

/// What the cases, taken together, do not show of the policies of these units, each at its place, as warnings.
///
/// A policy that judges is to be seen with an object that it objects to and with one that it lets pass, a policy that changes
/// objects with one that it changes and with one that it leaves as it is; all of them of requests that it matches.
pub fn uncovered(units: &[&CompiledUnit], reports: &[&Report]) -> Vec<Diagnostic> {
    let mut seen: BTreeMap<&str, Vec<Acted>> = BTreeMap::new();
    for observed in reports.iter().filter_map(|report| report.observed.as_ref()) {
        for (policy, acted) in &observed.acted {
            seen.entry(policy).or_default().push(*acted);
        }
    }
    let mut problems = Vec::new();
    for unit in units {
        for (name, key, mutates) in unit.all_policies() {
            let seen = seen.get(name).map(Vec::as_slice).unwrap_or_default();
            if let Some(missing) = missing(seen, mutates) {
                let message = format!("policy `{name}`: {missing}");
                problems.extend(unit.problem_at(&key, message).map(Diagnostic::into_warning));
            }
        }
    }
    problems.sort_by(|left, right| order(left).cmp(&order(right)));
    problems
}

fn order(problem: &Diagnostic) -> (&str, usize) {
    (problem.place.file.name(), problem.place.span.start)
}

/// What is missing, in words; None where nothing is.
fn missing(seen: &[Acted], mutates: bool) -> Option<&'static str> {
    let acts = |acted: &Acted| if mutates { acted.changes } else { acted.objects };
    Some(match (seen.iter().any(acts), seen.iter().any(|acted| !acts(acted)), mutates) {
        (true, true, _) => return None,
        _ if seen.is_empty() => "no case of any test matches it",
        (false, _, true) => "no case shows an object that it changes",
        (_, false, true) => "no case shows an object that it leaves as it is",
        (false, _, false) => "no case shows an object that it objects to",
        (_, false, false) => "no case shows an object that it lets pass",
    })
}
