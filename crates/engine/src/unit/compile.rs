//! A unit: one file or one ConfigMap. It becomes active as a whole, or its last good version stays.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::policy_document::{self, Policy};
use super::{API_VERSION, config_map};
use crate::document::{Decoder, Diagnostic, Limits, Severity, SourceFile, Spanned, parse};
use crate::policy::{Mutator, Validator};

/// What a source hands over: files under one name.
#[derive(Clone, Debug)]
pub struct Unit {
    /// The path of the file, or `NAMESPACE/NAME` of the ConfigMap.
    pub name: String,
    /// The file, or the ConfigMap's keys.
    pub files: Vec<Arc<SourceFile>>,
}

impl Unit {
    /// A unit of one file.
    pub fn of_file(file: Arc<SourceFile>) -> Self {
        Self { name: file.name().to_owned(), files: vec![file] }
    }

    /// SHA-256 over names and contents, in hexadecimal.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for text in
            std::iter::once(self.name.as_str()).chain(self.files.iter().flat_map(|file| [file.name(), file.text()]))
        {
            // The length in front keeps two texts from being read as one.
            hash.update(text.len().to_le_bytes());
            hash.update(text);
        }
        hexadecimal(&hash.finalize())
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        use fmt::Write as _;
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A unit whose documents are all sound.
pub struct CompiledUnit {
    pub(crate) name: String,
    pub(crate) digest: String,
    pub(crate) mutators: Vec<Arc<Mutator>>,
    pub(crate) validators: Vec<Arc<Validator>>,
    warnings: Vec<Diagnostic>,
    places: BTreeMap<String, Diagnostic>,
}

/// A policy of a unit, for lists of what is loaded.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct PolicySummary {
    /// Its name.
    pub name: String,
    /// The module that it configures.
    pub module: Option<&'static str>,
    /// `Deny`, `Warn`, `Audit` or `Mutate`.
    pub action: &'static str,
    /// The line of the unit on which it starts.
    pub line: u32,
}

impl CompiledUnit {
    /// The unit's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// [`Unit::digest`]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What its author should know although nothing is wrong.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// Its policies, by name.
    pub fn policies(&self) -> Vec<PolicySummary> {
        let summary = |origin: &crate::verdict::Origin, action| PolicySummary {
            name: origin.policy.clone(),
            module: origin.module,
            action,
            line: origin.line,
        };
        let mutators = self
            .mutators
            .iter()
            .map(|mutator| summary(&mutator.head.origin, if mutator.shadow { "Audit" } else { "Mutate" }));
        let validators = self
            .validators
            .iter()
            .map(|validator| summary(&validator.head.origin, validator.actions.gravest().as_str()));
        let mut policies: Vec<PolicySummary> = mutators.chain(validators).collect();
        policies.sort_by(|left, right| left.name.cmp(&right.name));
        policies
    }

    /// Errors for whoever cannot look anything up in a cluster: policies that need it would fail on every request.
    pub fn needing_a_cluster(&self) -> Vec<Diagnostic> {
        let mutators = self.mutators.iter().map(|mutator| &mutator.head);
        let heads = mutators.chain(self.validators.iter().map(|validator| &validator.head));
        heads
            .filter(|head| !head.constraints.namespace_selector.is_empty())
            .filter_map(|head| {
                let name = &head.origin.policy;
                let message = format!(
                    "policy `{name}` has a namespaceSelector, and this server does not know the labels of namespaces: select them by name under `namespaces`"
                );
                self.problem_at(name, message)
            })
            .collect()
    }

    /// A problem with the policy of this name, at its place.
    pub(crate) fn problem_at(&self, policy: &str, message: String) -> Option<Diagnostic> {
        let mut problem = self.places.get(policy)?.clone();
        problem.message = message;
        Some(problem)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(String::as_str)
    }
}

impl fmt::Debug for CompiledUnit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "CompiledUnit({}, {} policies)", self.name, self.places.len())
    }
}

/// Checks all documents of a unit.
///
/// # Errors
/// Every problem of every file, if one of them is an error; warnings among them.
pub fn compile(unit: &Unit) -> Result<Arc<CompiledUnit>, Vec<Diagnostic>> {
    let mut found = Found { unit: &unit.name, policies: vec![], problems: vec![] };
    for file in &unit.files {
        found.read_file(file);
    }
    let places = found.places();
    let Found { policies, problems, .. } = found;
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        return Err(problems);
    }
    let (mut mutators, mut validators) = (vec![], vec![]);
    for (policy, _) in policies {
        match policy {
            Policy::Mutates(mutator) => mutators.push(Arc::new(mutator)),
            Policy::Judges(validator) => validators.push(Arc::new(validator)),
        }
    }
    Ok(Arc::new(CompiledUnit {
        name: unit.name.clone(),
        digest: unit.digest(),
        mutators,
        validators,
        warnings: problems,
        places,
    }))
}

/// What was found so far: policies with their places, and problems.
pub(super) struct Found<'u> {
    pub(super) unit: &'u str,
    pub(super) policies: Vec<(Policy, Diagnostic)>,
    pub(super) problems: Vec<Diagnostic>,
}

impl Found<'_> {
    pub(super) fn read_file(&mut self, file: &Arc<SourceFile>) {
        let parsed = parse(file, &Limits::default());
        self.problems.extend(parsed.problems);
        let decoder = Decoder::new(file);
        for document in &parsed.documents {
            self.read_document(&decoder, document);
        }
        self.problems.extend(decoder.finish());
    }

    fn read_document(&mut self, decoder: &Decoder, document: &Spanned) {
        let Some(map) = document.as_map() else {
            decoder.mistyped(document, "a document with apiVersion and kind");
            return;
        };
        let text = |key: &str| map.get(key).and_then(Spanned::as_str).unwrap_or_default();
        match (text("apiVersion"), text("kind")) {
            (API_VERSION, "Policy") => {
                let file = decoder.file();
                let line = u32::try_from(file.position(document.span.start).line).unwrap_or(u32::MAX);
                if let Some(policy) = policy_document::decode(decoder, document, self.unit, line) {
                    let place = Diagnostic::error(file, document.place("/metadata/name"), "");
                    self.policies.push((policy, place));
                }
            }
            ("v1", "ConfigMap") => config_map::read(self, decoder, document),
            ("v1", "List") => {
                let items = document.at("/items").map(|items| &items.kind);
                if let Some(crate::document::Kind::List(items)) = items {
                    items.iter().for_each(|item| self.read_document(decoder, item));
                }
            }
            (API_VERSION, kind @ "PolicyTest") => {
                decoder.error(document.place("/kind"), format!("kind {kind} is not supported by this version"));
            }
            (group, kind) if group.starts_with("admissionregistration.k8s.io/") => {
                decoder.error(document.place("/kind"), format!("kind {kind} of {group} is not supported by this version"));
            }
            (API_VERSION, kind) => {
                decoder.error(document.place("/kind"), format!("unknown kind `{kind}`, accepted is Policy"));
            }
            ("", _) | (_, "") => {
                decoder.error(document.place(""), "a document needs apiVersion and kind");
            }
            (group, kind) => decoder.error(
                document.place("/apiVersion"),
                format!("{kind} of {group} is no policy: expected apiVersion {API_VERSION} and kind Policy, or a ConfigMap that holds them"),
            ),
        }
    }

    /// Where each policy has its name; a name that stands twice is an error at the later place.
    fn places(&mut self) -> BTreeMap<String, Diagnostic> {
        let mut places: BTreeMap<String, Diagnostic> = BTreeMap::new();
        for (policy, place) in &self.policies {
            let name = &policy.head().origin.policy;
            if let Some(first) = places.get(name) {
                let mut problem = place.clone();
                problem.message = format!("policy `{name}` is defined twice");
                self.problems.push(problem.related(&first.place.file, first.place.span.clone(), "first defined here"));
            } else {
                places.insert(name.clone(), place.clone());
            }
        }
        places
    }
}

#[cfg(test)]
mod tests;
