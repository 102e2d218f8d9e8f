//! A unit: one file or one ConfigMap. It becomes active as a whole, or its last good version stays.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::admission_policy::{Binding, Document, Native};
use super::found::{Found, Read};
use super::judging::Judging;
use super::parameter::Parameter;
use super::policy_document::Policy;
use super::policy_test::PolicyTest;
use crate::document::{Diagnostic, Severity, SourceFile, Spanned};
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
    /// What each of the validators says.
    pub(crate) judging: Vec<Judging>,
    pub(crate) natives: Vec<Native>,
    pub(crate) bindings: Vec<Binding>,
    pub(crate) parameters: Vec<Parameter>,
    tests: Vec<PolicyTest>,
    warnings: Vec<Diagnostic>,
    places: BTreeMap<String, Diagnostic>,
    versions: Vec<(String, String)>,
    /// Of each policy and binding, by the same keys.
    digests: BTreeMap<String, String>,
    /// Of Kubernetes' own kinds, by the same keys.
    documents: BTreeMap<String, Value>,
}

/// A policy of a unit, for lists of what is loaded.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct PolicySummary {
    /// Its name.
    pub name: String,
    /// The module that it configures.
    pub module: Option<&'static str>,
    /// `Deny`, `Warn`, `Audit` or `Mutate`; `Bound` for a policy of Kubernetes' own kinds, whose bindings say it.
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

    /// The digest of what the document of this policy says, `sha256:…`: equal where the policy means the same. Policies of
    /// Kubernetes' own kinds and their bindings are named by kind and name.
    pub fn policy_digest(&self, key: &str) -> Option<&str> {
        self.digests.get(key).map(String::as_str)
    }

    /// The document of a policy of Kubernetes' own kinds, or of a binding.
    pub(crate) fn native_document(&self, key: &str) -> Option<&Value> {
        self.documents.get(key)
    }

    /// What its author should know although nothing is wrong.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// Its tests, in the order of its files.
    pub fn tests(&self) -> &[PolicyTest] {
        &self.tests
    }

    /// Takes its tests away: nobody but `proof` reads them, and what they hold takes room.
    pub fn forget_tests(&mut self) {
        self.tests = vec![];
    }

    /// The names of its policies, each with the front of [`Self::policy_digest`], 16 hexadecimal digits. A policy of Kubernetes' own kinds stands here once more for each binding of it, with the
    /// binding's.
    pub fn versions(&self) -> &[(String, String)] {
        &self.versions
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
        let natives = self.natives.iter().map(|native| summary(&native.origin, "Bound"));
        let mut policies: Vec<PolicySummary> = mutators.chain(validators).chain(natives).collect();
        policies.sort_by(|left, right| left.name.cmp(&right.name));
        policies
    }

    /// Errors for whoever cannot look anything up in a cluster: policies that need it would fail on every request. Parameters
    /// may stand among the policy documents: see `set::missing_parameters`.
    pub fn needing_a_cluster(&self) -> Vec<Diagnostic> {
        let own = self.mutators.iter().map(|mutator| (&mutator.head, mutator.rule.asks()));
        let own = own.chain(self.validators.iter().map(|validator| (&validator.head, validator.rule.asks())));
        let own = own.filter_map(|(head, asks)| {
            let name = &head.origin.policy;
            let message = match asks {
                _ if !head.constraints.namespace_selector.is_empty() => format!(
                    "policy `{name}` has a namespaceSelector, and this server does not know the labels of namespaces: select them by name under `namespaces`"
                ),
                asks => without_a_cluster("policy", name, asks?),
            };
            self.problem_at(name, message)
        });
        let natives = self.natives.iter().filter_map(|native| {
            let selects = native.selects_namespaces().then_some(SELECTS);
            let what = selects.or_else(|| native.rule.asks())?;
            self.problem_at(&native.key(), without_a_cluster("policy", &native.origin.policy, what))
        });
        let bindings = self.bindings.iter().filter(|binding| binding.selects_namespaces());
        let bindings = bindings.filter_map(|binding| {
            self.problem_at(&binding.key(), without_a_cluster("binding", &binding.name, SELECTS))
        });
        own.chain(natives).chain(bindings).collect()
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

const SELECTS: &str = "has a namespaceSelector";

fn without_a_cluster(kind: &str, name: &str, what: &str) -> String {
    format!("{kind} `{name}` {what}, and this server has no cluster to ask: name one with --kubeconfig")
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
    compile_edited(unit, &|_| {})
}

/// What is enough of a digest to tell versions of one policy from each other.
fn front(digest: &str) -> String {
    digest.trim_start_matches("sha256:").chars().take(16).collect()
}

/// The same as if the documents of policies were other ones: `edit` changes each document of kind Policy, or of
/// Kubernetes' own kinds, before it is read. What it adds has the place of what was there.
///
/// # Errors
/// As those of [`compile`].
pub fn compile_edited(unit: &Unit, edit: &dyn Fn(&mut Spanned)) -> Result<Arc<CompiledUnit>, Vec<Diagnostic>> {
    let mut found =
        Found { unit: &unit.name, edit, documents: vec![], parameters: vec![], tests: vec![], problems: vec![] };
    for file in &unit.files {
        found.read_file(file);
    }
    let places = found.places();
    found.test_names();
    let (mut digests, mut native_documents) = (BTreeMap::new(), BTreeMap::new());
    let Found { documents, parameters, tests, problems, .. } = found;
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        return Err(problems);
    }
    let (mut mutators, mut validators, mut natives, mut bindings) = (vec![], vec![], vec![], vec![]);
    let (mut judging, mut versions) = (vec![], vec![]);
    for (document, _, said) in documents {
        versions.push((document.policy().to_owned(), front(&said.digest)));
        if let Some(native) = said.native {
            native_documents.insert(document.key(), native);
        }
        digests.insert(document.key(), said.digest);
        match document {
            Read::Own(Policy::Mutates(mutator)) => mutators.push(Arc::new(mutator)),
            Read::Own(Policy::Judges(validator, says)) => {
                validators.push(Arc::new(validator));
                judging.push(*says);
            }
            Read::Native(Document::Policy(native)) => natives.push(native),
            Read::Native(Document::Binding(binding)) => bindings.push(binding),
        }
    }
    Ok(Arc::new(CompiledUnit {
        name: unit.name.clone(),
        digest: unit.digest(),
        mutators,
        validators,
        judging,
        natives,
        bindings,
        parameters,
        tests,
        warnings: problems,
        places,
        versions,
        digests,
        documents: native_documents,
    }))
}

#[cfg(test)]
mod tests;
