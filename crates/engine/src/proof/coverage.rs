//! What no case shows of the policies: outcomes, rules of what they match, expressions and parts of these.

use std::collections::{BTreeMap, BTreeSet};

use super::case::{Acted, Report};
use crate::document::Diagnostic;
use crate::matching::MatchConstraints;
use crate::modules::MODULES;
use crate::unit::{CompiledUnit, Listed};
use crate::verdict::trace::{Computed, Evaluation, List};

/// What the cases, taken together, do not show of the policies of these units, each at its place, as warnings.
///
/// - A policy that judges is to be seen with an object that it objects to and with one that it lets pass, a policy that changes
///   objects with one that it changes and with one that it leaves as it is; all of them of requests that it matches.
/// - Each rule that it is written to match by is to fit a request.
/// - Each expression is to be evaluated, and each part that `&&`, `||`, `?:` or a macro may pass over.
pub fn uncovered(units: &[&CompiledUnit], reports: &[&Report]) -> Vec<Diagnostic> {
    let mut seen: BTreeMap<&str, Seen<'_>> = BTreeMap::new();
    for observed in reports.iter().filter_map(|report| report.observed.as_ref()) {
        for (policy, acted) in &observed.acted {
            seen.entry(policy).or_default().acted.push(*acted);
        }
        for (policy, position) in &observed.rules {
            seen.entry(policy).or_default().rules.insert(*position);
        }
        for step in &observed.trace {
            seen.entry(&step.origin.policy).or_default().evaluations.extend(&step.evaluations);
        }
    }
    let nothing = Seen::default();
    let mut problems = Vec::new();
    for unit in units {
        for policy in unit.all_policies() {
            for missing in seen.get(policy.name).unwrap_or(&nothing).missing(&policy) {
                let message = format!("policy `{}`: {missing}", policy.name);
                problems.extend(unit.problem_at(&policy.key, message).map(Diagnostic::into_warning));
            }
        }
    }
    problems.sort_by(|left, right| order(left).cmp(&order(right)));
    problems
}

fn order(problem: &Diagnostic) -> (&str, usize) {
    (problem.place.file.name(), problem.place.span.start)
}

/// What all cases show of one policy.
#[derive(Default)]
struct Seen<'r> {
    acted: Vec<Acted>,
    rules: BTreeSet<usize>,
    evaluations: Vec<&'r Evaluation>,
}

impl Seen<'_> {
    fn missing(&self, policy: &Listed<'_>) -> Vec<String> {
        let rules = self.rules(policy);
        if self.acted.is_empty() {
            return vec!["no case of any test matches it".to_owned()];
        }
        let mut missing: Vec<String> = self.outcome(policy.mutates).map(str::to_owned).into_iter().collect();
        missing.extend(rules);
        for (list, index, text) in &policy.expressions {
            missing.extend(self.expression(*list, *index, text));
        }
        missing
    }

    fn outcome(&self, mutates: bool) -> Option<&'static str> {
        let acts = |acted: &Acted| if mutates { acted.changes } else { acted.objects };
        let acted = self.acted.iter().any(acts);
        let rested = self.acted.iter().any(|acted| !acts(acted));
        match (acted, rested, mutates) {
            (true, true, _) => None,
            (false, _, true) => Some("no case shows an object that it changes"),
            (_, false, true) => Some("no case shows an object that it leaves as it is"),
            (false, _, false) => Some("no case shows an object that it objects to"),
            (_, false, false) => Some("no case shows an object that it lets pass"),
        }
    }

    /// Rules that the policy has of itself and not of its module.
    fn rules(&self, policy: &Listed<'_>) -> Vec<String> {
        let rules = &policy.constraints.resource_rules;
        let module = MODULES.iter().find(|module| Some(module.id) == policy.module);
        let is_default = |module: &crate::modules::ModuleEntry| {
            MatchConstraints::for_module(&module.applies, module.mutates).resource_rules == *rules
        };
        if module.is_some_and(is_default) {
            return vec![];
        }
        let unseen = (0..rules.len()).filter(|position| !self.rules.contains(position));
        unseen.map(|position| format!("no case fits matchConstraints.resourceRules[{position}]")).collect()
    }

    /// What was never evaluated of an expression: all of it, or parts.
    fn expression(&self, list: List, index: usize, text: &str) -> Vec<String> {
        let place = place(list, index);
        let own = |evaluation: &&&Evaluation| evaluation.list == list && evaluation.index == index;
        let mut parts: BTreeMap<u32, (u32, u32, bool)> = BTreeMap::new();
        let mut is_evaluated = false;
        for evaluation in self.evaluations.iter().filter(own) {
            is_evaluated = true;
            for part in &evaluation.parts {
                let (.., reached) = parts.entry(part.id).or_insert((part.start, part.end, false));
                *reached |= !matches!(part.result, Computed::NotEvaluated(_));
            }
        }
        // A message is for denials: whether there is one has been said.
        let needs_denial = list == List::MessageExpressions && !self.acted.iter().any(|acted| acted.objects);
        if !is_evaluated {
            return if needs_denial { vec![] } else { vec![format!("no case evaluates {place}: {}", brief(text))] };
        }
        let unreached = parts.values().filter(|(.., reached)| !reached);
        let shown = unreached.filter_map(|(start, end, _)| text.get(*start as usize..*end as usize));
        shown.map(|part| format!("no case evaluates `{}` in {place}", brief(part))).collect()
    }
}

/// `validations[1].messageExpression`
fn place(list: List, index: usize) -> String {
    let suffix = if list == List::MessageExpressions { ".messageExpression" } else { "" };
    format!("{}[{index}]{suffix}", list.as_str())
}

/// The longest part of an expression that is shown, in characters.
const SHOWN: usize = 80;

/// A text in one line, its end left out where it is long.
fn brief(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line,
    }
}

#[cfg(test)]
mod tests;
