//! What the documents say, before anybody has checked it: the fields of admissionregistration.k8s.io/v1 (v1beta1 has the
//! same). Everything is optional, so that what is missing is found by the same check as what is wrong.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::matching::{RawLabelSelector, RawMatchConstraints};

/// A document with a spec and a status, which is passed over.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RawPolicy<S> {
    #[serde(rename = "apiVersion")]
    _api_version: Option<String>,
    #[serde(rename = "kind")]
    _kind: Option<String>,
    pub metadata: Option<RawMetadata>,
    pub spec: Option<S>,
    #[serde(rename = "status")]
    _status: Option<Value>,
}

/// A binding, of either kind.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RawBinding<S> {
    #[serde(rename = "apiVersion")]
    _api_version: Option<String>,
    #[serde(rename = "kind")]
    _kind: Option<String>,
    pub metadata: Option<RawMetadata>,
    pub spec: Option<S>,
}

/// `ObjectMeta`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RawMetadata {
    pub name: Option<String>,
    pub generate_name: Option<String>,
    pub namespace: Option<String>,
    pub labels: Option<BTreeMap<String, String>>,
    pub annotations: Option<BTreeMap<String, String>>,
    #[serde(rename = "selfLink")]
    _self_link: Option<Value>,
    #[serde(rename = "uid")]
    _uid: Option<Value>,
    #[serde(rename = "resourceVersion")]
    _resource_version: Option<Value>,
    #[serde(rename = "generation")]
    _generation: Option<Value>,
    #[serde(rename = "creationTimestamp")]
    _creation_timestamp: Option<Value>,
    #[serde(rename = "deletionTimestamp")]
    _deletion_timestamp: Option<Value>,
    #[serde(rename = "deletionGracePeriodSeconds")]
    _deletion_grace_period_seconds: Option<Value>,
    #[serde(rename = "ownerReferences")]
    _owner_references: Option<Value>,
    #[serde(rename = "finalizers")]
    _finalizers: Option<Value>,
    #[serde(rename = "managedFields")]
    _managed_fields: Option<Value>,
}

/// `ValidatingAdmissionPolicySpec`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RawValidatingSpec {
    pub param_kind: Option<RawParamKind>,
    pub match_constraints: Option<RawMatchConstraints>,
    pub validations: Option<Vec<RawValidation>>,
    pub failure_policy: Option<String>,
    pub audit_annotations: Option<Vec<RawAuditAnnotation>>,
    pub match_conditions: Option<Vec<RawMatchCondition>>,
    pub variables: Option<Vec<RawVariable>>,
}

/// `MutatingAdmissionPolicySpec`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RawMutatingSpec {
    pub param_kind: Option<RawParamKind>,
    pub match_constraints: Option<RawMatchConstraints>,
    pub variables: Option<Vec<RawVariable>>,
    pub mutations: Option<Vec<RawMutation>>,
    pub failure_policy: Option<String>,
    pub match_conditions: Option<Vec<RawMatchCondition>>,
    pub reinvocation_policy: Option<String>,
}

/// `ParamKind`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RawParamKind {
    pub api_version: Option<String>,
    pub kind: Option<String>,
}

/// A condition in CEL that a request must satisfy for the policy to judge it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "MatchCondition")]
pub struct RawMatchCondition {
    /// Unique within the policy: letters, digits, `-`, `_`, `.`, perhaps with a DNS name and `/` in front.
    #[schemars(required)]
    pub name: Option<String>,
    /// CEL that is true or false; false for one condition and the policy does not judge the request. It sees `object`,
    /// `oldObject`, `request`, `authorizer`.
    #[schemars(required)]
    pub expression: Option<String>,
}

/// A named expression, computed when it is first needed, at most once.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Variable")]
pub struct RawVariable {
    /// A CEL identifier: other expressions say `variables.NAME`.
    #[schemars(required)]
    pub name: Option<String>,
    /// CEL; it may use the variables before it.
    #[schemars(required)]
    pub expression: Option<String>,
}

/// A check in CEL.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Validation")]
pub struct RawValidation {
    /// CEL that is true where there is nothing to say against the request.
    #[schemars(required)]
    pub expression: Option<String>,
    /// What users read where it is false: one line.
    pub message: Option<String>,
    /// Forbidden, Invalid or RequestEntityTooLarge. Default: Invalid.
    #[schemars(extend("enum" = ["Forbidden", "Invalid", "RequestEntityTooLarge", null]))]
    pub reason: Option<String>,
    /// CEL that makes the message: a string of one line; where it fails, `message` is shown.
    pub message_expression: Option<String>,
}

/// An entry for the audit log.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "AuditAnnotation")]
pub struct RawAuditAnnotation {
    /// Its key behind the policy's name.
    #[schemars(required)]
    pub key: Option<String>,
    /// CEL that makes the value: a string, or null for no entry.
    #[schemars(required)]
    pub value_expression: Option<String>,
}

/// A change of the object.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Mutation")]
pub struct RawMutation {
    /// ApplyConfiguration or JSONPatch.
    #[schemars(required, extend("enum" = ["ApplyConfiguration", "JSONPatch"]))]
    pub patch_type: Option<String>,
    /// With patchType ApplyConfiguration: CEL that makes an `Object{…}`, which is merged.
    pub apply_configuration: Option<RawExpression>,
    /// With patchType JSONPatch: CEL that makes a list of `JSONPatch{…}`.
    pub json_patch: Option<RawExpression>,
}

/// An expression of a mutation.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "MutationExpression")]
pub struct RawExpression {
    /// CEL.
    #[schemars(required)]
    pub expression: Option<String>,
}

/// `ValidatingAdmissionPolicyBindingSpec`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RawValidatingBindingSpec {
    pub policy_name: Option<String>,
    pub param_ref: Option<RawParamRef>,
    pub match_resources: Option<RawMatchConstraints>,
    pub validation_actions: Option<Vec<String>>,
}

/// `MutatingAdmissionPolicyBindingSpec`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RawMutatingBindingSpec {
    pub policy_name: Option<String>,
    pub param_ref: Option<RawParamRef>,
    pub match_resources: Option<RawMatchConstraints>,
}

/// `ParamRef`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RawParamRef {
    pub name: Option<String>,
    pub namespace: Option<String>,
    pub selector: Option<RawLabelSelector>,
    pub parameter_not_found_action: Option<String>,
}
