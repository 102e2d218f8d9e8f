//! `check --explain -o text`: for each object, what became of each policy and why.

mod excerpt;
mod step;
mod tree;

use std::fmt::Write as _;
use std::sync::Arc;

use admittance_engine::document::SourceFile;
use admittance_engine::json::{Node, PathBuf, SegmentBuf};
use admittance_engine::verdict::trace::Evaluation;
use admittance_engine::verdict::{Action, Fate, PolicyFinding, Step};

use super::place::{Region, written};
use super::text::{Tally, title};
use super::{Colour, Tone, printable, yaml_diff};
use crate::manifests::{Judged, Manifest};
use excerpt::excerpt;
use tree::tree;

pub(super) use step::what_it_did;

/// One expression with the values of its parts, for `admittance cel --explain`.
pub fn expression(evaluation: &Evaluation, colour: Colour) -> String {
    tree(evaluation, 0, colour)
}

/// Everything about one object, ended by an empty line.
pub fn block(
    file: &Arc<SourceFile>,
    manifest: &Manifest<'_>,
    judged: &Judged<'_>,
    diff: bool,
    colour: Colour,
) -> String {
    let explained = Explained { file, manifest, judged, colour };
    let title = title(file, judged);
    let (tone, outcome) = Tally::of(judged).outcome();
    let mut text = format!("{title}: {}\n", colour.paint(tone, outcome));
    let (asked, others): (Vec<&Step>, Vec<&Step>) = judged.verdict.trace.iter().partition(|step| explains(step));
    for step in asked {
        explained.step(step, &mut text);
    }
    if !others.is_empty() {
        let _ = writeln!(text, "\n  {}", colour.paint(Tone::Strong, "not matched"));
        let name = |step: &Step| match &step.origin.binding {
            Some(binding) => format!("{} by {}", step.origin.policy, binding.name),
            None => step.origin.policy.clone(),
        };
        let longest = others.iter().map(|step| name(step).chars().count()).max().unwrap_or_default();
        for step in others {
            let policy = printable(&name(step)).into_owned();
            let padding = longest.saturating_sub(policy.chars().count());
            let _ = writeln!(text, "    {policy}{:padding$}  {}", "", mismatch(step));
        }
    }
    text.push('\n');
    if diff {
        text.push_str(&yaml_diff::unified(judged.written, judged.mutated, &title, colour));
    }
    text
}

/// Whether there is more to say of a policy than that it is about other requests.
fn explains(step: &Step) -> bool {
    step.outcome != Fate::NotMatched || !step.evaluations.is_empty()
}

/// `the policy is for operation DELETE, the request has CREATE`
pub(super) fn mismatch(step: &Step) -> String {
    let part = step.decided_by.as_ref().map_or_else(String::new, |part| format!(" ({part})"));
    let text = match &step.compared {
        Some(compared) => {
            format!(
                "{}: wanted {}, found {}{part}",
                compared.what,
                or_nothing(&compared.wanted),
                or_nothing(&compared.found)
            )
        }
        None => format!("{}{part}", step.reason),
    };
    printable(&text).into_owned()
}

fn or_nothing(text: &str) -> &str {
    if text.is_empty() { "nothing" } else { text }
}

struct Explained<'e, 'a> {
    file: &'e Arc<SourceFile>,
    manifest: &'e Manifest<'e>,
    judged: &'e Judged<'a>,
    colour: Colour,
}

impl Explained<'_, '_> {
    fn step(&self, step: &Step, text: &mut String) {
        let (tone, word) = self.word(step);
        let origin = &step.origin;
        let kind = match (origin.module, &origin.binding) {
            (Some(module), _) => format!("module {module}, "),
            (None, Some(binding)) => format!("bound by {}, ", binding.name),
            (None, None) => String::new(),
        };
        let about = printable(&format!("({kind}{}:{})", origin.unit, origin.line)).into_owned();
        let policy = self.colour.paint(Tone::Strong, &printable(&origin.policy));
        let about = self.colour.paint(Tone::Faint, &about);
        let _ = writeln!(text, "\n  {policy}: {} {about}", self.colour.paint(tone, &word));
        for error in &step.errors {
            let error = format!("evaluation error: {}", printable(error));
            let _ = writeln!(text, "    {}", self.colour.paint(Tone::Caution, &error));
        }
        for found in self.findings(step) {
            self.finding(found, text);
        }
        for found in step.findings.iter().filter(|found| found.existing) {
            let place = if found.path.is_empty() { String::new() } else { format!("{}: ", found.path) };
            let line = format!("let pass, the stored object has it too: {place}{}", found.message);
            let _ = writeln!(text, "    {}", self.colour.paint(Tone::Note, &printable(&line)));
        }
        text.push_str(&what_it_did(step, 4, self.colour));
    }

    /// What became of it: `denies`, with the reason.
    fn word(&self, step: &Step) -> (Tone, String) {
        let gravest = self.findings(step).map(|found| found.action).min();
        match (step.outcome, gravest) {
            (Fate::NotMatched, _) => (Tone::Note, format!("not matched, {}", printable(&step.reason))),
            (Fate::Failed, _) => (Tone::Caution, "failed".to_owned()),
            (Fate::Found, Some(Action::Deny)) => (Tone::Bad, format!("denies, {}", step.reason)),
            (Fate::Found, Some(Action::Warn)) => (Tone::Caution, format!("warns, {}", step.reason)),
            (Fate::Found, _) => (Tone::Note, format!("audits, {}", step.reason)),
            (Fate::Changed, _) if step.shadow => (Tone::Note, step.reason.clone()),
            (Fate::Changed | Fate::Passed | Fate::Unchanged, _) => (Tone::Good, step.reason.clone()),
        }
    }

    /// Its findings as the verdict has them.
    fn findings<'s>(&'s self, step: &'s Step) -> impl Iterator<Item = &'s PolicyFinding> {
        let own = move |found: &&PolicyFinding| Arc::ptr_eq(&found.origin, &step.origin);
        self.judged.verdict.findings.iter().filter(own)
    }

    fn finding(&self, found: &PolicyFinding, text: &mut String) {
        let tone = match found.action {
            Action::Deny => Tone::Bad,
            Action::Warn => Tone::Caution,
            Action::Audit => Tone::Note,
        };
        let path = &found.finding.path;
        let _ = writeln!(text, "    {}", self.colour.paint(tone, &printable(&found.finding.message)));
        if path.0.is_empty() {
            return;
        }
        let (at, is_there) = written(self.manifest, self.judged, path);
        let region = Region::of(self.file, &at.span);
        let label = if is_there { path.to_string() } else { format!("{path} is not in the file{}", self.origin(path)) };
        text.push_str(&excerpt(self.file, at.span.start, &region, &printable(&label), 4, (tone, self.colour)));
    }

    /// Where something comes from that is not in the file.
    fn origin(&self, path: &PathBuf) -> String {
        let of_kind = |node| is_at(node, path);
        let edits = self.judged.verdict.edits.iter().filter(|edit| !edit.shadow);
        let mut added = edits.filter(|edit| !of_kind(edit.before) && of_kind(edit.after));
        if let Some(edit) = added.next_back() {
            return format!(": {} adds it", edit.origin.policy);
        }
        let is_default = of_kind(self.judged.verdict.roots.original);
        if is_default { ": a default of the API server's".to_owned() } else { String::new() }
    }
}

/// Whether there is something at this path.
fn is_at(root: Node<'_>, path: &PathBuf) -> bool {
    let mut node = root;
    for segment in &path.0 {
        let next = match segment {
            SegmentBuf::Key(key) => node.get(key),
            SegmentBuf::Item { index, key: None } => node.items().get(*index).copied(),
            SegmentBuf::Item { key: Some((field, value)), .. } => {
                node.items().iter().copied().find(|item| item.str(field) == Some(value))
            }
        };
        match next {
            Some(next) => node = next,
            None => return false,
        }
    }
    true
}
