//! `check -o text`: a block for each object that there is something to say about, and a sum at the end.

use std::fmt;
use std::sync::Arc;

use admittance_engine::document::SourceFile;
use admittance_engine::verdict::{Action, PolicyFinding};

use super::place::written;
use super::{Colour, Tone, printable, yaml_diff};
use crate::manifests::{Judged, Manifest};

/// How objects fared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All that were judged.
    pub objects: usize,
    /// Refused.
    pub denied: usize,
    /// Allowed with a warning.
    pub warned: usize,
    /// Changed by mutation, refused ones among them.
    pub changed: usize,
}

impl Tally {
    /// One object.
    pub fn of(judged: &Judged<'_>) -> Self {
        let verdict = &judged.verdict;
        let denied = !verdict.is_allowed();
        let warned = !denied
            && (verdict.findings.iter().any(|found| found.action == Action::Warn)
                || verdict.failures.iter().any(|failure| failure.action == Some(Action::Warn)));
        let changed = judged.written != judged.mutated;
        Self { objects: 1, denied: denied.into(), warned: warned.into(), changed: changed.into() }
    }

    /// How one object fared, in words.
    pub(super) const fn outcome(self) -> (Tone, &'static str) {
        match self {
            Self { denied: 1, .. } => (Tone::Bad, "denied"),
            Self { warned: 1, .. } => (Tone::Caution, "allowed with warnings"),
            Self { changed: 1, .. } => (Tone::Good, "allowed, changed"),
            _ => (Tone::Good, "allowed"),
        }
    }

    /// The sum.
    pub fn add(&mut self, other: Self) {
        self.objects += other.objects;
        self.denied += other.denied;
        self.warned += other.warned;
        self.changed += other.changed;
    }
}

/// `3 objects: 1 denied, 1 with warnings, 2 changed`
impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { objects, denied, warned, changed } = self;
        write!(formatter, "{objects} {}: {denied} denied", if *objects == 1 { "object" } else { "objects" })?;
        if *warned > 0 {
            write!(formatter, ", {warned} with warnings")?;
        }
        if *changed > 0 {
            write!(formatter, ", {changed} changed")?;
        }
        Ok(())
    }
}

/// The block for one object: a line that says what it is and how it fared, a line for each finding with its line and
/// column in the file, for each evaluation error and each policy that changed it. Empty where there is nothing to say.
pub fn block(
    file: &Arc<SourceFile>,
    manifest: &Manifest<'_>,
    judged: &Judged<'_>,
    diff: bool,
    colour: Colour,
) -> String {
    let verdict = &judged.verdict;
    if verdict.findings.is_empty() && verdict.failures.is_empty() && verdict.edits.is_empty() {
        return String::new();
    }
    let (tone, outcome) = Tally::of(judged).outcome();
    let title = title(file, judged);
    let mut lines = vec![format!("{title}: {}", colour.paint(tone, outcome))];
    let mut line = |tone, word: &str, text: &str| {
        lines.push(format!("  {} {}", colour.paint(tone, &format!("{word:<6}")), printable(text)));
    };
    for found in &verdict.findings {
        let (tone, word) = word(Some(found.action));
        line(tone, word, &format!("{} {found}", place(file, manifest, judged, found)));
    }
    for failure in &verdict.failures {
        let (tone, word) = word(failure.action);
        line(tone, word, &failure.to_string());
    }
    for edit in &verdict.edits {
        if edit.shadow {
            line(Tone::Note, "audit", &format!("{}: would change the object", edit.origin.policy));
        } else {
            line(Tone::Good, "change", &edit.origin.policy);
        }
    }
    let mut text = lines.join("\n") + "\n";
    if diff {
        text.push_str(&yaml_diff::unified(judged.written, judged.mutated, &title, colour));
    }
    text
}

/// What is done about a finding or an error; an error under `failurePolicy: Ignore` is passed over.
fn word(action: Option<Action>) -> (Tone, &'static str) {
    match action {
        Some(Action::Deny) => (Tone::Bad, "deny"),
        Some(Action::Warn) => (Tone::Caution, "warn"),
        Some(Action::Audit) => (Tone::Note, "audit"),
        None => (Tone::Note, "ignore"),
    }
}

/// `FILE: Pod shop/web`
pub(super) fn title(file: &SourceFile, judged: &Judged<'_>) -> String {
    printable(&format!("{}: {}", file.name(), name_of(judged))).into_owned()
}

/// `Pod shop/web`
pub(super) fn name_of(judged: &Judged<'_>) -> String {
    let review = &judged.review;
    let name = match review.object_name() {
        "" => "(no name)",
        name => name,
    };
    let is_namespaced = !review.namespace.is_empty() && !review.is_of_namespace();
    let namespace = if is_namespaced { format!("{}/", review.namespace) } else { String::new() };
    format!("{} {namespace}{name}", review.kind.kind)
}

/// `LINE:COLUMN` of a finding in the file.
fn place(file: &SourceFile, manifest: &Manifest<'_>, judged: &Judged<'_>, found: &PolicyFinding) -> String {
    let position = file.position(written(manifest, judged, &found.finding.path).0.span.start);
    format!("{}:{}", position.line, position.column)
}
