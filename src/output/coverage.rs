//! What `admittance coverage` found.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use admittance_engine::proof::routes::{Gap, Named, Severity};
use admittance_engine::set::PolicySet;
use serde_json::{Value, json};

use super::github::annotation;
use super::place::Region;
use super::remark::{Level, Remark};
use super::{Colour, Tone, printable};

/// How many paths of fields stand on a line; the JSON forms have all.
const SHOWN: usize = 6;

/// How many policies a set has: one with several bindings counts once.
pub fn count(set: &PolicySet) -> usize {
    let mutators = set.mutators().iter().map(|mutator| (true, mutator.head.origin.policy.as_str()));
    let validators = set.validators().iter().map(|validator| (false, validator.head.origin.policy.as_str()));
    mutators.chain(validators).collect::<BTreeSet<_>>().len()
}

/// First what goes past each policy, then what is accepted, said once for all policies that have it in common.
pub fn text(policies: usize, gaps: &[Gap], colour: Colour) -> String {
    let mut text = String::new();
    let mut before: Option<&Option<Named>> = None;
    for gap in gaps.iter().filter(|gap| gap.severity != Severity::Accepted) {
        if before != Some(&gap.policy) {
            let _ = writeln!(text, "{}", title(gap.policy.as_ref(), colour));
            before = Some(&gap.policy);
        }
        let (word, tone) =
            if gap.severity == Severity::Bypass { ("bypass", Tone::Bad) } else { ("late  ", Tone::Caution) };
        let _ = writeln!(text, "  {}  {}", colour.paint(tone, word), line(gap));
        if !gap.why.is_empty() {
            let _ = writeln!(text, "          {}", printable(&gap.why));
        }
        for add in &gap.add {
            let _ = writeln!(text, "          {} {}", colour.paint(Tone::Good, "add:"), printable(add));
        }
    }
    let mut accepted: Vec<(&Gap, Vec<&str>)> = vec![];
    for gap in gaps.iter().filter(|gap| gap.severity == Severity::Accepted) {
        let name = gap.policy.as_ref().map_or("every policy", |policy| policy.name.as_str());
        let is_same = |known: &Gap| {
            (known.sort, &known.route, &known.changes, &known.why) == (gap.sort, &gap.route, &gap.changes, &gap.why)
        };
        match accepted.iter_mut().find(|(known, _)| is_same(known)) {
            Some((_, names)) => names.push(name),
            None => accepted.push((gap, vec![name])),
        }
    }
    if !accepted.is_empty() {
        let _ = writeln!(text, "{}", colour.paint(Tone::Strong, "accepted"));
    }
    for (gap, names) in accepted {
        let _ = writeln!(text, "  {}", line(gap));
        let _ = writeln!(text, "          {}; {}", printable(&gap.why), printable(&names.join(", ")));
    }
    let of = |severity| gaps.iter().filter(|gap| gap.severity == severity).count();
    let (bypass, late, accepted) = (of(Severity::Bypass), of(Severity::Late), of(Severity::Accepted));
    let noun = if policies == 1 { "policy" } else { "policies" };
    let _ = writeln!(text, "{policies} {noun}: {bypass} bypass, {late} late, {accepted} accepted");
    text
}

fn title(policy: Option<&Named>, colour: Colour) -> String {
    let Some(policy) = policy else { return colour.paint(Tone::Strong, "every policy") };
    let Named { name, unit, line, .. } = policy;
    format!("{} ({}:{line})", colour.paint(Tone::Strong, &printable(name)), printable(unit))
}

fn line(gap: &Gap) -> String {
    let mut changes: Vec<&str> = gap.changes.iter().map(String::as_str).take(SHOWN).collect();
    if gap.changes.len() > SHOWN {
        changes.push("…");
    }
    let separator = if changes.is_empty() { "" } else { ": " };
    printable(&format!("{}{separator}{}", gap.route, changes.join(", "))).into_owned()
}

fn value(gap: &Gap) -> Value {
    let policy = gap.policy.as_ref();
    json!({
        "severity": gap.severity.as_str(),
        "sort": gap.sort.as_str(),
        "policy": policy.map(|policy| &policy.name),
        "mutates": policy.map(|policy| policy.mutates),
        "unit": policy.map(|policy| &policy.unit),
        "line": policy.map(|policy| policy.line),
        "route": gap.route,
        "changes": gap.changes,
        "why": gap.why,
        "add": gap.add,
    })
}

/// One document: `{schemaVersion, policies, bypass, late, accepted, gaps}`.
pub fn json(policies: usize, gaps: &[Gap]) -> String {
    let of = |severity| gaps.iter().filter(|gap| gap.severity == severity).count();
    let document = json!({
        "schemaVersion": 1,
        "policies": policies,
        "bypass": of(Severity::Bypass),
        "late": of(Severity::Late),
        "accepted": of(Severity::Accepted),
        "gaps": gaps.iter().map(value).collect::<Vec<Value>>(),
    });
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

/// A line for each gap.
pub fn jsonl(gaps: &[Gap]) -> String {
    gaps.iter().fold(String::new(), |text, gap| text + &value(gap).to_string() + "\n")
}

/// An annotation at each policy for each of its gaps that is grave enough; what concerns every policy has no place.
pub fn github(gaps: &[Gap], is_grave: impl Fn(Severity) -> bool) -> String {
    let remark = |gap: &Gap| {
        let mut message = format!("{}: {}", gap.severity.as_str(), line(gap));
        if !gap.why.is_empty() {
            let _ = write!(message, "\n{}", gap.why);
        }
        for add in &gap.add {
            let _ = write!(message, "\nadd: {add}");
        }
        let policy = gap.policy.as_ref();
        Remark {
            level: if gap.severity == Severity::Bypass { Level::Error } else { Level::Warning },
            file: policy.map(|policy| policy.unit.clone()),
            region: policy.map(|policy| Region { line: policy.line as usize, column: 1, end_column: 2 }),
            title: policy.map_or_else(|| "every policy".to_owned(), |policy| policy.name.clone()),
            message,
        }
    };
    gaps.iter().filter(|gap| is_grave(gap.severity)).map(|gap| annotation(&remark(gap))).collect()
}
