//! The texts that a verdict becomes. Nothing in them is unique to one request: controllers turn denials into Events, and
//! Events with equal texts are counted instead of piled up.

use std::fmt::{Display, Write as _};

use super::finding::{Action, PolicyFinding};
use super::verdict::{Annotation, Verdict};

/// The longest denial, in bytes. A Status of this size fits into every Event and terminal; what is cut is counted.
const MESSAGE: usize = 16 * 1024;
/// The longest warning, in bytes (PRODUCT: kubectl and client-go cut longer ones at 256 themselves).
const WARNING: usize = 256;
/// All warnings of an answer together, in bytes: the API server drops what is over.
const WARNINGS: usize = 4096;
/// The longest audit annotation, in bytes, as upstream's for ValidatingAdmissionPolicy.
const ANNOTATION: usize = 10_240;
/// The most causes in a Status.
pub(crate) const CAUSES: usize = 100;

/// `text`, at most `limit` bytes long, the cut marked with `…`.
pub fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let mark = '…';
    let end = (0..=limit.saturating_sub(mark.len_utf8())).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    let mut cut = text.get(..end).unwrap_or_default().to_owned();
    cut.push(mark);
    cut
}

/// Warnings as an answer may hold them: at most 256 bytes each and 4,096 in all.
pub(crate) fn warnings<T: Display>(texts: impl Iterator<Item = T>) -> Vec<String> {
    lines(texts.map(|text| cut(&text.to_string(), WARNING)), WARNINGS - 32)
}

/// Lines up to a number of bytes in all; the last says how many were left out.
fn lines<T: Display>(items: impl Iterator<Item = T>, limit: usize) -> Vec<String> {
    let (mut lines, mut used, mut left) = (Vec::new(), 0, 0usize);
    for item in items {
        let line = item.to_string();
        if left == 0 && (used + line.len() < limit || lines.is_empty()) {
            let line = cut(&line, limit);
            used += line.len() + 1;
            lines.push(line);
        } else {
            left += 1;
        }
    }
    if left > 0 {
        lines.push(format!("… and {left} more"));
    }
    lines
}

/// One line of a verdict: a finding or a failure.
enum Line<'v> {
    Finding(&'v PolicyFinding),
    Failure(&'v super::verdict::PolicyFailure),
}

impl Display for Line<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Finding(finding) => finding.fmt(formatter),
            Self::Failure(failure) => failure.fmt(formatter),
        }
    }
}

impl Verdict<'_> {
    /// The text of a denial: a line for each finding and each error that denies; empty where the request is allowed.
    pub fn message(&self) -> String {
        lines(self.denials().map(Line::Finding).chain(self.fatal().map(Line::Failure)), MESSAGE).join("\n")
    }

    /// What the user sees although the request is allowed: at most 256 bytes each and 4,096 in all.
    pub fn warnings(&self) -> Vec<String> {
        let findings = self.findings.iter().filter(|finding| finding.action == Action::Warn).map(Line::Finding);
        let failures = self.failures.iter().filter(|failure| failure.action == Some(Action::Warn)).map(Line::Failure);
        warnings(findings.chain(failures))
    }

    /// What goes into the audit log: policies' own annotations, and under `validation_failure` the findings of policies
    /// with the action Audit, under `shadow_mutations` what mutators in shadow mode would have changed. Keys hold no `/`: the API server puts the webhook's name and one in front and drops others.
    pub fn audit_annotations(&self) -> Vec<(String, String)> {
        let mut annotations: Vec<(String, String)> = Vec::new();
        for (position, Annotation { origin, key, .. }) in self.annotations.iter().enumerate() {
            let is_same = |other: &&Annotation| other.origin.policy == origin.policy && other.key == *key;
            if self.annotations.iter().take(position).any(|other| is_same(&other)) {
                continue;
            }
            // What the bindings and parameters of a policy say under one key stands together, each text once, as upstream.
            let mut values: Vec<&str> = Vec::new();
            for value in self.annotations.iter().filter(is_same).map(|annotation| annotation.value.as_str()) {
                if !values.contains(&value) {
                    values.push(value);
                }
            }
            let key = annotation_key(&origin.policy, key);
            // The answer is a map: where two policies' keys are cut to the same one, the first stays.
            if !annotations.iter().any(|(taken, _)| *taken == key) {
                annotations.push((key, cut(&values.join(", "), ANNOTATION)));
            }
        }
        let audited = self.findings.iter().filter(|finding| finding.audited);
        let failed =
            self.failures.iter().filter(|failure| failure.action == Some(Action::Audit) || failure.action.is_none());
        let texts = audited.map(Line::Finding).chain(failed.map(Line::Failure));
        let failures = lines(texts, ANNOTATION - 32);
        if !failures.is_empty() {
            annotations.push(("validation_failure".to_owned(), failures.join("\n")));
        }
        if !self.drifts.is_empty() {
            annotations.push(("mutation_drift".to_owned(), lines(self.drifts.iter(), ANNOTATION - 32).join("\n")));
        }
        let shadow = lines(self.shadow_changes().iter(), ANNOTATION - 32);
        if !shadow.is_empty() {
            annotations.push(("shadow_mutations".to_owned(), shadow.join("\n")));
        }
        annotations
    }

    /// The policies that find something or fail, each once, in their order.
    pub fn policies(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        let origins = self.findings.iter().map(|finding| &finding.origin);
        for origin in origins.chain(self.failures.iter().map(|failure| &failure.origin)) {
            if !names.contains(&origin.policy.as_str()) {
                names.push(&origin.policy);
            }
        }
        names
    }
}

/// A key of an audit annotation: letters, digits, `-`, `_`, `.`, at most 63 bytes and no `/` (the name part of a qualified
/// name, apimachinery's validation); other characters become `_`.
pub fn annotation_key(policy: &str, key: &str) -> String {
    let mut text = String::with_capacity(policy.len() + key.len() + 1);
    let _ = write!(text, "{policy}.{key}");
    let text: String = text
        .chars()
        .map(|char| if char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.') { char } else { '_' })
        .take(63)
        .collect();
    text.trim_matches(|char: char| !char.is_ascii_alphanumeric()).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_between_characters_and_marks_the_cut() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcdef", 5), "ab…");
        assert_eq!(cut("aüüü", 6), "aü…");
    }

    #[test]
    fn counts_the_lines_that_are_left_out() {
        assert_eq!(lines(["aa", "bb", "cc", "dd"].iter(), 7), ["aa", "bb", "… and 2 more"]);
        assert_eq!(lines(["aaaaaaaaaa"].iter(), 7), ["aaaa…"]);
        assert!(lines(std::iter::empty::<&str>(), 7).is_empty());
    }

    #[test]
    fn makes_keys_that_the_api_server_takes() {
        assert_eq!(annotation_key("no-host-ports", "found"), "no-host-ports.found");
        assert_eq!(annotation_key("a/b", "ü"), "a_b");
        assert_eq!(annotation_key(&"x".repeat(80), "k").len(), 63);
    }
}
