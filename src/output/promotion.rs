//! Whether the evidence about a policy is enough to take it one step further: from Audit to Warn to Deny, or to Mutate.

use std::fmt::Write as _;

use serde_json::json;

use super::{Colour, Tone, evidence, printable};
use crate::evidence::page::PolicyOfPage;
use crate::evidence::step::Step;

/// What became of a policy that somebody wants to take one step further.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What it did so far.
    pub policy: PolicyOfPage,
    /// When that was looked at, in seconds since 1970.
    pub time: u64,
    /// The step; None where there is none.
    pub step: Option<Step>,
    /// Whether the file was changed.
    pub written: bool,
    /// What speaks against it.
    pub objections: Vec<String>,
}

/// For people: the evidence, then the document after the step, or why there is none.
pub fn text(outcome: &Outcome, colour: Colour) -> String {
    let name = printable(&outcome.policy.name);
    let mut text = format!("evidence:\n{}", evidence::of_policy(&outcome.policy, outcome.time, colour));
    let way = |step: &Step| format!("from {} to {}", step.from, step.to);
    if !outcome.objections.is_empty() {
        let way = outcome.step.as_ref().map(|step| format!(" {}", way(step))).unwrap_or_default();
        let _ = writeln!(text, "{name}{way}: {}", colour.paint(Tone::Bad, "not yet"));
        for objection in &outcome.objections {
            let _ = writeln!(text, "  {}", objection.replace('\n', "\n  "));
        }
    } else if let Some(step) = &outcome.step {
        let where_ =
            if outcome.written { format!(", written to {}", printable(step.file.name())) } else { String::new() };
        let _ = writeln!(text, "{name} {}: {}{where_}", way(step), colour.paint(Tone::Good, "the evidence is enough"));
        if !outcome.written {
            let _ = write!(text, "---\n{}", step.document);
        }
    }
    text
}

/// The same as one document: `{schemaVersion, policy, from, to, promoted, written, objections, file, document, evidence}`.
pub fn json(outcome: &Outcome) -> String {
    let step = outcome.step.as_ref();
    let promoted = step.filter(|_| outcome.objections.is_empty());
    let document = json!({
        "schemaVersion": 1,
        "policy": outcome.policy.name,
        "from": step.map(|step| step.from),
        "to": step.map(|step| step.to),
        "promoted": promoted.is_some(),
        "written": outcome.written,
        "objections": outcome.objections,
        "file": step.map(|step| step.file.name()),
        "document": promoted.map(|step| &step.document),
        "evidence": outcome.policy,
    });
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

/// What has to be seen first.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// How many requests the policy has judged, in the version that is active.
    pub requests: u64,
    /// How long this version is active, and how long nothing was violated and nothing failed: in seconds.
    pub age: u64,
    /// How many violations and errors are accepted all the same.
    pub violations: u64,
}

/// What speaks against the step; nothing, where the evidence is enough. `time` is when the evidence was looked at.
pub fn objections(policy: &PolicyOfPage, wanted: Wanted, time: u64) -> Vec<String> {
    let mut found = vec![];
    let total = &policy.total;
    if total.requests < wanted.requests {
        found.push(format!(
            "too few requests: {} of {} that are wanted (--min-requests)",
            counted(total.requests),
            counted(wanted.requests)
        ));
    }
    let age = time.saturating_sub(policy.since);
    if age < wanted.age {
        found.push(format!(
            "too short a time: this version is active for {}, wanted are {} (--min-age)",
            length(age),
            length(wanted.age)
        ));
    }
    let is_recent = |last: u64| last > 0 && (wanted.age == 0 || time.saturating_sub(last) < wanted.age);
    let troubles = total.violations.saturating_add(total.errors);
    if troubles > wanted.violations && is_recent(total.last_trouble) {
        if total.violations > 0 {
            found.push(violations(policy, wanted, time));
        }
        if total.errors > 0 {
            found.push(format!("evaluation errors: {}, the server's log says why", counted(total.errors)));
        }
    }
    found
}

/// How many owners of violations a text names.
const NAMED: usize = 10;

fn violations(policy: &PolicyOfPage, wanted: Wanted, time: u64) -> String {
    let total = &policy.total;
    let mut text = format!(
        "violations: {} by {}, the last {} ago, wanted are {} in {} (--max-violations)",
        counted(total.violations),
        plural(total.violators, "owner"),
        length(time.saturating_sub(total.last_trouble)),
        wanted.violations,
        length(wanted.age),
    );
    let mut owners: Vec<_> = policy.namespaces.iter().flat_map(|it| &it.counts.violating_owners).collect();
    owners.sort_by(|left, right| right.requests.cmp(&left.requests).then(left.owner.cmp(&right.owner)));
    for owner in owners.iter().take(NAMED) {
        let last = length(time.saturating_sub(owner.last));
        let _ = write!(text, "\n  {}: {}, the last {last} ago", printable(&owner.owner), counted(owner.requests));
    }
    let more = total.violators.saturating_sub(u64::try_from(owners.len().min(NAMED)).unwrap_or(u64::MAX));
    if more > 0 {
        let _ = write!(text, "\n  and {more} more");
    }
    text
}

/// A number for people: `1,234,567`.
pub fn counted(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 owner`, `2 owners`.
pub fn plural(number: u64, what: &str) -> String {
    format!("{} {what}{}", counted(number), if number == 1 { "" } else { "s" })
}

/// A length of time for people, in its largest unit: `12d`, `3h`, `5m`, `7s`.
pub fn length(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::page::{Counts, NamespaceOfPage, OwnerOfPage};

    const DAY: u64 = 86_400;
    const WANTED: Wanted = Wanted { requests: 1_000, age: 7 * DAY, violations: 0 };
    const NOW: u64 = 100 * DAY;

    fn policy(requests: u64, days: u64, violations: u64, last_trouble: u64) -> PolicyOfPage {
        let owner = |name: &str, requests: u64| OwnerOfPage { owner: name.to_owned(), requests, last: last_trouble };
        let counts = Counts {
            requests,
            violations,
            last_trouble,
            violators: violations.min(12),
            violating_owners: vec![owner("shop/Deployment/web", 1), owner("shop/Job/once\x1b", 2)],
            ..Counts::default()
        };
        PolicyOfPage {
            since: NOW - days * DAY,
            total: counts.clone(),
            namespaces: vec![NamespaceOfPage { namespace: Some("shop".to_owned()), counts }],
            ..PolicyOfPage::default()
        }
    }

    #[test]
    fn has_nothing_against_a_policy_that_nothing_violated_for_long_enough() {
        assert!(objections(&policy(1_000, 7, 0, 0), WANTED, NOW).is_empty());
        assert!(objections(&policy(1_000, 30, 5, NOW - 8 * DAY), WANTED, NOW).is_empty(), "those are mended");
        let lenient = Wanted { violations: 5, ..WANTED };
        assert!(objections(&policy(1_000, 7, 5, NOW), lenient, NOW).is_empty());
    }

    #[test]
    fn says_all_that_speaks_against_it() {
        assert_eq!(
            objections(&policy(999, 6, 30, NOW - 7_200), WANTED, NOW),
            [
                "too few requests: 999 of 1,000 that are wanted (--min-requests)",
                "too short a time: this version is active for 6d, wanted are 7d (--min-age)",
                "violations: 30 by 12 owners, the last 2h ago, wanted are 0 in 7d (--max-violations)
  shop/Job/once\\u{1b}: 2, the last 2h ago
  shop/Deployment/web: 1, the last 2h ago
  and 10 more",
            ]
        );
        let mut failing = policy(2_000, 8, 0, NOW);
        failing.total.errors = 3;
        assert_eq!(objections(&failing, WANTED, NOW), ["evaluation errors: 3, the server's log says why"]);
    }

    #[test]
    fn counts_any_violation_where_no_age_is_wanted() {
        let at_once = Wanted { requests: 1, age: 0, violations: 0 };
        assert_eq!(objections(&policy(1, 0, 1, NOW - DAY), at_once, NOW).len(), 1);
        assert!(objections(&policy(1, 0, 0, 0), at_once, NOW).is_empty());
    }

    #[test]
    fn writes_numbers_and_times_for_people() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(counted), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([59, 60, 7_199, 86_400, 700_000].map(length), ["59s", "1m", "1h", "1d", "8d"]);
        assert_eq!((plural(1, "owner"), plural(2_000, "owner")), ("1 owner".to_owned(), "2,000 owners".to_owned()));
    }
}
