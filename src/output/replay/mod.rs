//! What `admittance replay` found.

pub mod github;
pub mod json;
pub mod markdown;
pub mod text;

use std::fmt::Write as _;

use admittance_engine::verdict::Fate;
use admittance_engine::verdict::trace::{Computed, Evaluation, List};

use super::explain::{expression, mismatch};
use super::{Colour, printable};
use crate::replay::difference::Decision;
use crate::replay::report::{About, Example, Group, by_number};
use crate::replay::{Change, Report, Side};

/// A report and what its numbers are about.
#[derive(Clone, Copy, Debug)]
pub struct Found<'f> {
    /// The report.
    pub report: &'f Report,
    /// The names of the files, in their order.
    pub files: &'f [String],
    /// The policies that judged.
    pub new: &'f Side,
}

/// How many namespaces and owners are named.
const NAMED: usize = 5;

/// `1 review`, `12 reviews`
fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// `shop 10, blog 2, and 3 more`
fn named(counts: &crate::replay::report::Counts, nothing: &str) -> String {
    let sorted = by_number(counts);
    let shown = sorted.iter().take(NAMED).map(|(name, number)| {
        let name = if name.is_empty() { nothing } else { name };
        format!("{} {number}", printable(name))
    });
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if sorted.len() > NAMED {
        let _ = write!(text, ", and {} more", sorted.len() - NAMED);
    }
    text
}

/// What comes of no policy that is known.
fn policy(name: &str) -> &str {
    if name.is_empty() { "policies that were not recorded" } else { name }
}

/// `replayed 3 reviews: 1 decided alike, 2 otherwise (1 newly denied, 1 patch changed), 0 undecidable`
fn summary(report: &Report) -> String {
    let mut text = format!(
        "replayed {}: {} decided alike, {} otherwise",
        counted(report.reviews, "review"),
        report.same,
        report.different()
    );
    let kinds = Change::ALL.iter().filter_map(|change| Some((change, report.changed.get(change)?)));
    let kinds: Vec<String> = kinds.map(|(change, number)| format!("{number} {}", change.words())).collect();
    if !kinds.is_empty() {
        let _ = write!(text, " ({})", kinds.join(", "));
    }
    let _ = write!(text, ", {} undecidable", report.undecidable);
    text
}

impl Found<'_> {
    /// `FILE:LINE`
    fn place(&self, example: &Example) -> String {
        let (file, line) = example.place;
        format!("{}:{line}", self.files.get(file).map_or("", String::as_str))
    }

    /// File and line of a policy.
    fn origin(&self, policy: &str) -> Option<(&str, u32)> {
        let mutators = self.new.set.mutators().iter().map(|mutator| &mutator.head.origin);
        let validators = self.new.set.validators().iter().map(|validator| &validator.head.origin);
        let origin = mutators.chain(validators).find(|origin| origin.policy == policy)?;
        Some((&origin.unit, origin.line))
    }
}

/// `CREATE pods shop/web by ann at 2026-01-31T12:00:00Z`
fn about(about: &About) -> String {
    let About { operation, resource, namespace, name, user, time, .. } = about;
    let place = if namespace.is_empty() { String::new() } else { format!("{namespace}/") };
    let name = if name.is_empty() { "(no name)" } else { name };
    let mut text = format!("{operation} {resource} {place}{name}");
    if !user.is_empty() {
        let _ = write!(text, " by {user}");
    }
    if let Some(time) = time {
        let _ = write!(text, " at {time}");
    }
    printable(&text).into_owned()
}

/// Why it is decided so now, where the lines do not say it: what keeps the policy from matching, and the expressions that
/// decide, each with the values of its parts.
fn why(group: &Group, colour: Colour) -> Vec<String> {
    let mut lines = Vec::new();
    for step in &group.explanation {
        if step.outcome == Fate::NotMatched {
            lines.push(format!("not matched, {}", mismatch(step)));
        }
        let is_telling = |evaluation: &&Evaluation| {
            let decides = matches!(evaluation.list, List::MatchConditions | List::Validations | List::Mutations);
            decides && evaluation.result != Computed::Value("true".to_owned())
        };
        for evaluation in step.evaluations.iter().filter(is_telling) {
            lines.extend(expression(evaluation, colour).lines().map(str::to_owned));
        }
    }
    lines
}

/// What was decided and would be, a line each; what is said below it.
fn decisions(example: &Example) -> Vec<(&'static str, &'static str, Vec<String>)> {
    let difference = &example.difference;
    let shown = |title, decision: &Decision| {
        let verdict = if decision.allowed { "allowed" } else { "denied" };
        let patch = difference.change == Change::PatchChanged;
        let lines = decision.lines.iter().filter(|_| !patch).map(|line| printable(line).into_owned());
        let operations = decision.patch.iter().filter(|_| patch).map(|line| printable(line).into_owned());
        (
            title,
            if patch && decision.patch.is_empty() { "allowed unchanged" } else { verdict },
            lines.chain(operations).collect(),
        )
    };
    vec![shown("before", &difference.before), shown("now", &difference.after)]
}
