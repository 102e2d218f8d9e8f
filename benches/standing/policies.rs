//! Folders with as many policies as are asked for.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::Failure;

/// What the policies of a folder are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// The fourteen rules as modules, again and again under other names.
    Modules,
    /// The same as ValidatingAdmissionPolicies.
    Cel,
    /// In turn a module, a ValidatingAdmissionPolicy, and one that changes objects: a module or a MutatingAdmissionPolicy.
    /// Whatever changes objects is proven before it runs.
    Mixed,
}

impl Sort {
    pub(crate) const ALL: [Self; 3] = [Self::Modules, Self::Cel, Self::Mixed];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Modules => "modules",
            Self::Cel => "CEL",
            Self::Mixed => "mixed",
        }
    }
}

/// The rules that policies are made of.
pub(crate) struct Rules {
    modules: Vec<Vec<Value>>,
    cel: Vec<Vec<Value>>,
}

impl Rules {
    pub(crate) fn read() -> Result<Self, Failure> {
        let modules = documents("benches/rules.modules.yaml")?.into_iter().map(|document| vec![document]).collect();
        let cel = documents("benches/rules.vap.yaml")?.chunks(2).map(<[Value]>::to_vec).collect();
        Ok(Self { modules, cel })
    }

    /// A folder with `count` policies, a file each.
    pub(crate) fn folder(&self, sort: Sort, count: usize) -> Result<TempDir, Failure> {
        let folder = tempfile::tempdir()?;
        for number in 0..count {
            fs::write(folder.path().join(format!("{number:05}.yaml")), self.text(sort, number)?)?;
        }
        Ok(folder)
    }

    /// The documents of one policy, which names itself after its number.
    pub(crate) fn text(&self, sort: Sort, number: usize) -> Result<String, Failure> {
        let pick = |rules: &[Vec<Value>], at: usize| rules.get(at % rules.len().max(1)).cloned().ok_or("no rules");
        let documents = match (sort, number % 3) {
            (Sort::Modules, _) => pick(&self.modules, number)?,
            (Sort::Cel, _) => pick(&self.cel, number)?,
            (Sort::Mixed, 0) => pick(&self.modules, number / 3)?,
            (Sort::Mixed, 1) => pick(&self.cel, number / 3)?,
            (Sort::Mixed, _) => mutating(number),
        };
        let named = documents.into_iter().map(|mut document| {
            for pointer in ["/metadata/name", "/spec/policyName"] {
                if let Some(name) = document.pointer_mut(pointer) {
                    *name = json!(format!("{}-{number}", name.as_str().unwrap_or_default()));
                }
            }
            serde_json::to_string(&document)
        });
        Ok(named.collect::<Result<Vec<_>, _>>()?.join("\n---\n"))
    }
}

/// A policy that adds a label or an annotation of its own to pods.
fn mutating(number: usize) -> Vec<Value> {
    let key = format!("bench.example.com/n{number}");
    if number.is_multiple_of(2) {
        let settings = json!({ "labels": { key: "yes" } });
        return vec![json!({
            "apiVersion": "admittance.dev/v1alpha1", "kind": "Policy",
            "metadata": { "name": "bench-label" },
            "spec": { "module": "add-labels", "settings": settings },
        })];
    }
    let expression = format!("Object{{metadata: Object.metadata{{annotations: {{\"{key}\": \"yes\"}}}}}}");
    let (version, name) = ("admissionregistration.k8s.io/v1", json!({ "name": "bench-annotation" }));
    vec![
        json!({
            "apiVersion": version, "kind": "MutatingAdmissionPolicy", "metadata": name,
            "spec": {
                "failurePolicy": "Fail", "reinvocationPolicy": "Never",
                "matchConstraints": { "resourceRules": [
                    { "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"] },
                ] },
                "mutations": [
                    { "patchType": "ApplyConfiguration", "applyConfiguration": { "expression": expression } },
                ],
            },
        }),
        json!({
            "apiVersion": version, "kind": "MutatingAdmissionPolicyBinding", "metadata": name,
            "spec": { "policyName": "bench-annotation" },
        }),
    ]
}

/// The documents of a file of this package.
fn documents(path: &str) -> Result<Vec<Value>, Failure> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))?;
    Ok(serde_saphyr::from_multiple(&text)?)
}
