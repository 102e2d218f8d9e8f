//! What is exported, and that it says what it is of.

use std::sync::Arc;

use serde_json::Value;

use super::{Exemptions, Export, SOURCE_DIGEST, TWIN_OF, export};
use crate::document::SourceFile;
use crate::unit::{Unit, compile};

fn exported(text: &str) -> Export {
    let unit =
        compile(&Unit::of_file(SourceFile::new("p.yaml", text))).unwrap_or_else(|problems| panic!("{problems:?}"));
    export(&[Arc::clone(&unit)], &Exemptions::default())
}

fn only(text: &str) -> Vec<Value> {
    let export = exported(text);
    assert!(export.unchecked.is_empty(), "{:?}", export.unchecked);
    export.twins.into_iter().next().unwrap().documents
}

#[test]
fn makes_a_policy_and_a_binding_of_a_module() {
    let documents = only(
        "apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: no-privileged }
spec: { module: privileged, actions: [Warn, Audit], existing: Deny, failurePolicy: Ignore, message: 'no: {message}' }",
    );
    let [policy, binding] = documents.as_slice() else { panic!("{documents:?}") };
    assert_eq!(policy["metadata"]["name"], "admittance-twin-no-privileged");
    assert_eq!(policy["metadata"]["labels"]["admittance.dev/twin"], "true");
    assert_eq!(policy["metadata"]["annotations"][TWIN_OF], "no-privileged");
    assert_eq!(policy["metadata"]["annotations"][SOURCE_DIGEST].as_str().map(str::len), Some("sha256:".len() + 64));
    assert_eq!(policy["spec"]["failurePolicy"], "Ignore");
    assert_eq!(policy["spec"]["validations"][0]["expression"], "variables.found1.size() == 0");
    assert_eq!(
        policy["spec"]["validations"][0]["message"],
        "no: privileged containers are not allowed: take the field away, or set it to false"
    );
    assert_eq!(binding["spec"]["validationActions"], serde_json::json!(["Warn", "Audit"]));
    assert_eq!(binding["spec"]["policyName"], "admittance-twin-no-privileged");
    assert_eq!(
        binding["spec"]["matchResources"]["namespaceSelector"]["matchExpressions"][0]["values"],
        serde_json::json!(["kube-system", "kube-node-lease", "admittance"])
    );
}

#[test]
fn digests_what_a_policy_says_and_not_how() {
    let digest = |text: &str| only(text)[0]["metadata"]["annotations"][SOURCE_DIGEST].clone();
    let one = digest(
        "# comment\napiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: {name: p}\nspec: {module: privileged, existing: Deny}",
    );
    let same = digest(
        "kind: Policy\napiVersion: admittance.dev/v1alpha1\nspec: {existing: Deny, module: privileged}\nmetadata: {name: p}",
    );
    let other =
        digest("apiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: {name: p}\nspec: {module: privileged}");
    assert_eq!(one, same);
    assert_ne!(one, other);
}

#[test]
fn says_why_there_is_no_twin() {
    let export = exported(
        "apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: labels }
spec: { module: add-labels, settings: { labels: { a: b } } }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: hosts }
spec: { module: unique-ingress-hosts }
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: alone }
spec:
  matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods] }] }
  validations: [{ expression: 'true' }]",
    );
    let said: Vec<(&str, &str)> =
        export.unchecked.iter().map(|row| (row.source.policy.as_str(), row.reason.as_str())).collect();
    assert_eq!(
        said,
        [
            ("hosts", "it looks up other objects in the cluster, which a ValidatingAdmissionPolicy cannot"),
            ("labels", "it changes objects, and a ValidatingAdmissionPolicy only judges"),
            ("alone", "it has no binding: it is loaded and does nothing"),
        ]
    );
    assert!(export.twins.is_empty());
}

#[test]
fn takes_native_policies_as_they_are() {
    let export = exported(
        "apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: native, labels: { team: a } }
spec:
  matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods] }] }
  validations: [{ expression: 'object.spec.containers.size() < 3' }]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: { name: everywhere }
spec: { policyName: native, validationActions: [Deny] }",
    );
    let twin = &export.twins[0];
    assert!(twin.is_native && export.unchecked.is_empty());
    assert_eq!(twin.documents[0]["metadata"]["name"], "native");
    assert_eq!(twin.documents[0]["metadata"]["labels"]["team"], "a");
    assert_eq!(twin.documents[0]["spec"]["validations"][0]["expression"], "object.spec.containers.size() < 3");
    assert_eq!(twin.documents[1]["metadata"]["name"], "everywhere");
    assert_eq!(twin.documents[1]["metadata"]["annotations"][TWIN_OF], "native");
}
