//! What is decided otherwise.

use admittance_engine::json::Arena;
use admittance_engine::recording::{Outcome, Said};

use super::case::{Before, Case};
use super::judge::Judged;

/// How a decision differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// It was allowed and would be denied.
    NewlyDenied,
    /// It was denied and would be allowed.
    NewlyAllowed,
    /// It is allowed with another change.
    PatchChanged,
    /// The verdict is the same, and something else is said: in a denial or as warnings.
    MessageChanged,
}

impl Change {
    /// All, the gravest first.
    pub const ALL: [Self; 4] = [Self::NewlyDenied, Self::NewlyAllowed, Self::PatchChanged, Self::MessageChanged];

    /// For people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NewlyDenied => "newly denied",
            Self::NewlyAllowed => "newly allowed",
            Self::PatchChanged => "patch changed",
            Self::MessageChanged => "message changed",
        }
    }

    /// For programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NewlyDenied => "newlyDenied",
            Self::NewlyAllowed => "newlyAllowed",
            Self::PatchChanged => "patchChanged",
            Self::MessageChanged => "messageChanged",
        }
    }
}

/// One difference.
#[derive(Clone, Debug)]
pub struct Difference {
    /// How it differs.
    pub change: Change,
    /// The policies that it comes of; none where that is not known.
    pub policies: Vec<String>,
    /// What was decided.
    pub before: Decision,
    /// What would be.
    pub after: Decision,
}

/// One of the two decisions, for people to see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// Whether the request is allowed.
    pub allowed: bool,
    /// What is said, each a line.
    pub lines: Vec<String>,
    /// The change, each operation a line of JSON.
    pub patch: Vec<String>,
}

/// What came of a comparison.
#[derive(Clone, Debug)]
pub enum Comparison {
    /// Nothing else is decided.
    Same,
    /// Something is.
    Different(Box<Difference>),
    /// It hangs on what is not known: on what.
    Undecidable(Vec<String>),
}

/// What a side of the comparison knows.
struct Known<'k> {
    allowed: Option<bool>,
    outcome: &'k Outcome,
    lines: &'k [Said],
    doubts: Vec<String>,
    is_ours: bool,
}

/// What was answered against what would be.
pub fn with_answer(arena: &Arena, case: &Case<'_>, before: &Before, after: &Judged) -> Comparison {
    let outcome = &before.outcome;
    let doubts = outcome.in_doubt.iter().map(|policy| format!("{policy} looked at what is redacted")).collect();
    let before =
        Known { allowed: Some(outcome.allowed), outcome, lines: &outcome.lines, doubts, is_ours: before.is_ours };
    compare(arena, case, &before, &known(after))
}

/// One set against another.
pub fn between(arena: &Arena, case: &Case<'_>, before: &Judged, after: &Judged) -> Comparison {
    compare(arena, case, &known(before), &known(after))
}

fn known(judged: &Judged) -> Known<'_> {
    Known {
        allowed: judged.allowed,
        outcome: &judged.outcome,
        lines: &judged.lines,
        doubts: judged.doubts.clone(),
        is_ours: true,
    }
}

fn compare(arena: &Arena, case: &Case<'_>, before: &Known<'_>, after: &Known<'_>) -> Comparison {
    let mut doubts = before.doubts.clone();
    doubts.extend(after.doubts.iter().filter(|doubt| !before.doubts.contains(doubt)).cloned());
    let undecidable = || Comparison::Undecidable(doubts.clone());
    let different = |change, policies| {
        let before = Decision::of(before);
        let after = Decision::of(after);
        Comparison::Different(Box::new(Difference { change, policies, before, after }))
    };
    match (before.allowed, after.allowed) {
        (Some(true), Some(false)) => return different(Change::NewlyDenied, denying(after)),
        (Some(false), Some(true)) => return different(Change::NewlyAllowed, denying(before)),
        (Some(_), Some(_)) if doubts.is_empty() => {}
        _ => return undecidable(),
    }
    let compares_patch = before.is_ours || before.outcome.patch.is_some();
    if compares_patch && before.allowed == Some(true) {
        let object = case.review.judged().unwrap_or_default();
        match before.outcome.makes_the_same(after.outcome, arena, object) {
            Some(true) => {}
            Some(false) => return different(Change::PatchChanged, changing(before, after)),
            None => return Comparison::Undecidable(vec!["what the patch makes of what is redacted".to_owned()]),
        }
    }
    let policies = saying_otherwise(before, after);
    if before.is_ours && !policies.is_empty() {
        return different(Change::MessageChanged, policies);
    }
    Comparison::Same
}

fn unique<'t>(names: impl Iterator<Item = &'t String>) -> Vec<String> {
    let mut unique: Vec<String> = Vec::new();
    for name in names.filter(|name| !name.is_empty()) {
        if !unique.contains(name) {
            unique.push(name.clone());
        }
    }
    unique
}

fn denying(side: &Known<'_>) -> Vec<String> {
    unique(side.lines.iter().filter(|said| said.action == "Deny").map(|said| &said.policy))
}

/// Those that change the object on one side alone; where they are the same, all of them.
fn changing(before: &Known<'_>, after: &Known<'_>) -> Vec<String> {
    let (left, right) = (&before.outcome.changed_by, &after.outcome.changed_by);
    let only = left.iter().filter(|name| !right.contains(name)).chain(right.iter().filter(|name| !left.contains(name)));
    let only = unique(only);
    if only.is_empty() { unique(left.iter().chain(right)) } else { only }
}

/// Those with a line that the other side lacks.
fn saying_otherwise(before: &Known<'_>, after: &Known<'_>) -> Vec<String> {
    let lacks = |side: &[Said], said: &Said, count: usize| side.iter().filter(|other| *other == said).count() < count;
    let only = |one: &[Said], other: &[Said]| -> Vec<String> {
        let extra = one.iter().filter(|said| lacks(other, said, one.iter().filter(|it| it == said).count()));
        extra.map(|said| said.policy.clone()).collect()
    };
    let all = [only(before.lines, after.lines), only(after.lines, before.lines)].concat();
    unique(all.iter())
}

impl Decision {
    fn of(side: &Known<'_>) -> Self {
        let warning = |said: &Said| if said.action == "Warn" { "warning: " } else { "" };
        let operations: Vec<&serde_json::value::RawValue> =
            side.outcome.patch.as_ref().and_then(|patch| serde_json::from_str(patch.get()).ok()).unwrap_or_default();
        Self {
            allowed: side.allowed == Some(true),
            lines: side.lines.iter().map(|said| format!("{}{}", warning(said), said.text)).collect(),
            patch: operations.iter().map(|operation| operation.get().to_owned()).collect(),
        }
    }
}
