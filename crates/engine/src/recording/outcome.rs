//! What was answered, or would be.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::json::patch::{self, Operation as PatchOperation};
use crate::json::{Arena, Node, read};
use crate::pipeline::Route;
use crate::response;
use crate::review::Review;
use crate::verdict::{Action, Verdict};

/// An answer without what only the wire needs, in a form that can be compared.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Whether the request is allowed.
    pub allowed: bool,
    /// The code of a denial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    /// What the user is told: denials, then warnings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Said>,
    /// The change of an allowed request, RFC 6902; None where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<Box<RawValue>>,
    /// The policies that made the change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed_by: Vec<String>,
    /// Policies that looked at what is redacted. Where there are any, lines and patch are not known and left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_doubt: Vec<String>,
}

/// One line for the user.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Said {
    /// The policy that says it; empty where that is not known.
    pub policy: String,
    /// `Deny` or `Warn`.
    pub action: String,
    /// The line, as in an answer.
    pub text: String,
}

impl Outcome {
    /// What this verdict leads to on this route.
    pub fn of(review: &Review<'_>, verdict: &Verdict<'_>, route: Route) -> Self {
        let refusal = verdict.refusal();
        let mut in_doubt: Vec<String> = Vec::new();
        for doubt in verdict.doubts.iter().filter(|doubt| doubt.action != Action::Audit) {
            if !in_doubt.contains(&doubt.origin.policy) {
                in_doubt.push(doubt.origin.policy.clone());
            }
        }
        let outcome = Self { allowed: refusal.is_none(), code: refusal.map(|refusal| refusal.code), ..Self::default() };
        if !in_doubt.is_empty() {
            return Self { in_doubt, ..outcome };
        }
        let operations = match route {
            Route::Mutate | Route::Offline if refusal.is_none() => response::patch(review, verdict),
            _ => vec![],
        };
        let mut changed_by: Vec<String> = Vec::new();
        let edits = verdict.edits.iter().filter(|edit| !edit.shadow && !operations.is_empty());
        for policy in edits.map(|edit| &edit.origin.policy) {
            if !changed_by.contains(policy) {
                changed_by.push(policy.clone());
            }
        }
        Self { lines: lines(verdict), patch: print(&operations), changed_by, ..outcome }
    }

    /// Whether both change the object to the same one, which is printed here as it was before. None where that hangs on what
    /// is not known, or a patch cannot be read.
    pub fn makes_the_same(&self, other: &Self, arena: &Arena, object: Node<'_>) -> Option<bool> {
        let text = |outcome: &Self| outcome.patch.as_ref().map_or("[]".to_owned(), |patch| patch.get().to_owned());
        let (left, right) = (text(self), text(other));
        if left == right {
            return Some(true);
        }
        let before = arena.unknowns();
        let made = |text: &str| {
            let patch = read(arena, arena.text(text)).ok()?.with_redacted(arena);
            let object = read(arena, arena.text(&serde_json::to_string(&object).ok()?)).ok()?.with_redacted(arena);
            patch::apply(arena, object, &patch::read(patch).ok()?).ok()
        };
        let is_same = made(&left)? == made(&right)?;
        (arena.unknowns() == before).then_some(is_same)
    }
}

/// What a verdict tells the user: denials, then warnings.
pub fn lines(verdict: &Verdict<'_>) -> Vec<Said> {
    let findings = verdict.findings.iter().map(|found| (&found.origin, Some(found.action), found.to_string()));
    let failures = verdict.failures.iter().map(|failure| (&failure.origin, failure.action, failure.to_string()));
    let said: Vec<_> = findings.chain(failures).collect();
    let of = |wanted: Action| {
        let these = said.iter().filter(move |(_, action, _)| *action == Some(wanted));
        these.map(move |(origin, _, text)| Said {
            policy: origin.policy.clone(),
            action: wanted.as_str().to_owned(),
            text: text.clone(),
        })
    };
    of(Action::Deny).chain(of(Action::Warn)).collect()
}

fn print(operations: &[PatchOperation<'_>]) -> Option<Box<RawValue>> {
    if operations.is_empty() {
        return None;
    }
    serde_json::value::to_raw_value(operations).ok()
}
