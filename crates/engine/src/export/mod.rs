//! Policies as ValidatingAdmissionPolicies of the same meaning, which the API server enforces by itself: they keep denying
//! while every replica of the webhook is down and it fails open.
//!
//! `constraints` says what is matched, `conditions` what is exempt, `checks` what a module looks for, `expressions` what a
//! policy's own expressions say. What is made is compiled as any policy document is: what the API server would refuse is
//! never handed over.

mod checks;
mod conditions;
mod constraints;
mod expressions;
mod standing;

pub use standing::{Installed, Standing, State};

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::document::{Severity, SourceFile};
use crate::matching::NameSource;
use crate::policy::{Actions, FailurePolicy, Validator};
use crate::unit::{CompiledUnit, Judging, Unit, compile};

/// The label of every twin, set to `true`.
pub const LABEL: &str = "admittance.dev/twin";
/// The annotation that names the policy that a twin is of.
pub const TWIN_OF: &str = "admittance.dev/twin-of";
/// The annotation with the digest of that policy: [`CompiledUnit::policy_digest`].
pub const SOURCE_DIGEST: &str = "admittance.dev/source-digest";
/// What a twin's name begins with; the policy's name follows.
pub const PREFIX: &str = "admittance-twin-";

/// What the webhook is never asked about, so that its twins are not either: the chart's values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exemptions {
    /// Namespaces that the webhook's entries leave out.
    pub namespaces: Vec<String>,
    /// Namespaces of policy ConfigMaps, besides those.
    pub policy_namespaces: Vec<String>,
    /// What the chart's own objects are called.
    pub name: String,
}

impl Default for Exemptions {
    fn default() -> Self {
        Self {
            namespaces: ["kube-system", "kube-node-lease", "admittance"].map(str::to_owned).to_vec(),
            policy_namespaces: vec![],
            name: "admittance".to_owned(),
        }
    }
}

/// What becomes of the policies of some units.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Export {
    /// By unit, then in the order of their documents.
    pub twins: Vec<Twin>,
    /// What is not checked while no webhook answers.
    pub unchecked: Vec<Unchecked>,
}

/// A policy that the API server can enforce by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Twin {
    /// Which policy it is of.
    pub source: Source,
    /// Whether the policy is one of Kubernetes' own kind: its documents are as they were, with label and annotations.
    pub is_native: bool,
    /// ValidatingAdmissionPolicy and ValidatingAdmissionPolicyBindings.
    pub documents: Vec<Value>,
    /// What it sees otherwise than its policy, as phrases.
    pub differs: Vec<String>,
}

/// A policy without a twin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unchecked {
    /// Which one.
    pub source: Source,
    /// Why it has none.
    pub reason: String,
    /// Whether it refuses requests.
    pub denies: bool,
}

/// Where a policy comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its name.
    pub policy: String,
    /// The module that it configures.
    pub module: Option<&'static str>,
    /// Its unit.
    pub unit: String,
    /// The line of the unit on which it starts.
    pub line: u32,
    /// [`CompiledUnit::policy_digest`]
    pub digest: String,
}

/// The twins of all policies of these units that can have one, and the others with the reason.
pub fn export(units: &[Arc<CompiledUnit>], exemptions: &Exemptions) -> Export {
    let mut export = Export::default();
    for unit in units {
        for (validator, judging) in unit.validators.iter().zip(&unit.judging) {
            let origin = &validator.head.origin;
            let source = source(unit, &origin.policy, (&origin.policy, origin.module, origin.line));
            match twin(validator, judging, &source, exemptions) {
                Ok(twin) => export.twins.push(twin),
                Err(reason) => {
                    let denies = matches!(validator.actions, Actions::Deny { .. });
                    export.unchecked.push(Unchecked { source, reason, denies });
                }
            }
        }
        for mutator in &unit.mutators {
            let origin = &mutator.head.origin;
            export.unchecked.push(Unchecked {
                source: source(unit, &origin.policy, (&origin.policy, origin.module, origin.line)),
                reason: "it changes objects, and a ValidatingAdmissionPolicy only judges".to_owned(),
                denies: false,
            });
        }
        natives(unit, units, &mut export);
    }
    export
}

fn source(unit: &CompiledUnit, key: &str, (policy, module, line): (&str, Option<&'static str>, u32)) -> Source {
    let digest = unit.policy_digest(key).unwrap_or_default().to_owned();
    Source { policy: policy.to_owned(), module, unit: unit.name().to_owned(), line, digest }
}

/// Policies of Kubernetes' own kinds are their own twins, together with the bindings of all units.
fn natives(unit: &CompiledUnit, units: &[Arc<CompiledUnit>], export: &mut Export) {
    for native in &unit.natives {
        let key = native.key();
        let source = source(unit, &key, (&native.origin.policy, None, native.origin.line));
        if native.mutates {
            let reason = "it changes objects, and a ValidatingAdmissionPolicy only judges: the API server runs the \
                          MutatingAdmissionPolicy itself if it is applied as it is";
            export.unchecked.push(Unchecked { source, reason: reason.to_owned(), denies: false });
            continue;
        }
        let bindings = units.iter().flat_map(|unit| {
            let bindings = unit.bindings.iter().filter(|binding| binding.policy_key() == key);
            bindings.filter_map(|binding| unit.native_document(&binding.key()))
        });
        let documents: Vec<Value> =
            unit.native_document(&key).into_iter().chain(bindings).map(|document| stamped(document, &source)).collect();
        if documents.len() < 2 {
            let reason = "it has no binding: it is loaded and does nothing".to_owned();
            export.unchecked.push(Unchecked { source, reason, denies: false });
            continue;
        }
        export.twins.push(Twin { source, is_native: true, documents, differs: vec![] });
    }
}

/// A document with the label and the annotations of a twin.
fn stamped(document: &Value, source: &Source) -> Value {
    let mut document = document.clone();
    let metadata = entry(&mut document, "metadata");
    entry(metadata, "labels")[LABEL] = "true".into();
    let annotations = entry(metadata, "annotations");
    annotations[TWIN_OF] = source.policy.as_str().into();
    annotations[SOURCE_DIGEST] = source.digest.as_str().into();
    document
}

/// A map under a key of a map, made where there is none.
fn entry<'v>(value: &'v mut Value, key: &str) -> &'v mut Value {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    let inner = &mut value[key];
    if !inner.is_object() {
        *inner = Value::Object(Map::new());
    }
    inner
}

fn twin(validator: &Validator, judging: &Judging, source: &Source, exemptions: &Exemptions) -> Result<Twin, String> {
    let head = &validator.head;
    let (mut spec, mut differs) = match judging {
        Judging::Module { twin, .. } => {
            let twin = twin.as_ref().map_err(|reason| reason.0.to_string())?;
            let differs = twin.differs.iter().map(ToString::to_string).collect();
            (checks::of(twin, validator), differs)
        }
        Judging::Expressions(expressions) => (expressions::of(expressions, validator.existing)?, vec![]),
    };
    let rules = head.constraints.resource_rules.iter().chain(&head.constraints.exclude_resource_rules);
    if head.constraints.names == NameSource::Object && rules.clone().any(|rule| !rule.names.is_empty()) {
        differs.push("does not know the name of what is deleted with others, or named by the API server".to_owned());
    }
    let own = match judging {
        Judging::Module { conditions, .. } => conditions,
        Judging::Expressions(expressions) => &expressions.conditions,
    };
    spec.insert(
        "failurePolicy".to_owned(),
        if head.failure_policy == FailurePolicy::Ignore { "Ignore" } else { "Fail" }.into(),
    );
    spec.insert("matchConstraints".to_owned(), constraints::of(&head.constraints));
    spec.insert("matchConditions".to_owned(), conditions::of(head, own, exemptions));
    let name = format!("{PREFIX}{}", source.policy);
    let actions: Vec<&str> = match validator.actions {
        Actions::Deny { audit } => ["Deny"].into_iter().chain(audit.then_some("Audit")).collect(),
        Actions::Warn { audit } => ["Warn"].into_iter().chain(audit.then_some("Audit")).collect(),
        Actions::Audit => vec!["Audit"],
    };
    let document = |kind: &str, spec: Value| {
        let document = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": { "name": name }, "spec": spec,
        });
        stamped(&document, source)
    };
    let binding = json!({
        "policyName": name,
        "validationActions": actions,
        "matchResources": { "namespaceSelector": { "matchExpressions": [{
            "key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": exemptions.namespaces,
        }] } },
    });
    let documents = vec![
        document("ValidatingAdmissionPolicy", Value::Object(spec)),
        document("ValidatingAdmissionPolicyBinding", binding),
    ];
    refused(&documents).map_or(Ok(()), |problem| Err(format!("its twin would be refused: {problem}")))?;
    Ok(Twin { source: source.clone(), is_native: false, documents, differs })
}

/// What the API server would say against the documents.
fn refused(documents: &[Value]) -> Option<String> {
    let text: Vec<String> = documents.iter().map(ToString::to_string).collect();
    let file = SourceFile::new("twin", text.join("\n"));
    let problems = compile(&Unit::of_file(file)).err()?;
    let error = problems.into_iter().find(|problem| problem.severity == Severity::Error);
    error.map(|problem| problem.message)
}

#[cfg(test)]
mod tests;
