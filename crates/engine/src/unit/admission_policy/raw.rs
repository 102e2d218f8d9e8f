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
pub(crate) struct RawPolicy<S> {
    #[serde(rename = "apiVersion")]
    _api_version: String,
    #[serde(rename = "kind")]
    _kind: String,
    pub(crate) metadata: Option<RawMetadata>,
    pub(crate) spec: Option<S>,
    #[serde(rename = "status")]
    _status: Option<Value>,
}

/// A binding, of either kind.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawBinding<S> {
    #[serde(rename = "apiVersion")]
    _api_version: Option<String>,
    #[serde(rename = "kind")]
    _kind: Option<String>,
    pub(crate) metadata: Option<RawMetadata>,
    pub(crate) spec: Option<S>,
}

/// `ObjectMeta`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawMetadata {
    pub(crate) name: Option<String>,
    pub(crate) generate_name: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) labels: Option<BTreeMap<String, String>>,
    pub(crate) annotations: Option<BTreeMap<String, String>>,
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
pub(crate) struct RawValidatingSpec {
    pub(crate) param_kind: Option<RawParamKind>,
    pub(crate) match_constraints: Option<RawMatchConstraints>,
    pub(crate) validations: Option<Vec<RawValidation>>,
    pub(crate) failure_policy: Option<String>,
    pub(crate) audit_annotations: Option<Vec<RawAuditAnnotation>>,
    pub(crate) match_conditions: Option<Vec<RawMatchCondition>>,
    pub(crate) variables: Option<Vec<RawVariable>>,
}

/// `MutatingAdmissionPolicySpec`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawMutatingSpec {
    pub(crate) param_kind: Option<RawParamKind>,
    pub(crate) match_constraints: Option<RawMatchConstraints>,
    pub(crate) variables: Option<Vec<RawVariable>>,
    pub(crate) mutations: Option<Vec<RawMutation>>,
    pub(crate) failure_policy: Option<String>,
    pub(crate) match_conditions: Option<Vec<RawMatchCondition>>,
    pub(crate) reinvocation_policy: Option<String>,
}

/// `ParamKind`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawParamKind {
    pub(crate) api_version: Option<String>,
    pub(crate) kind: Option<String>,
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
pub(crate) struct RawValidatingBindingSpec {
    pub(crate) policy_name: Option<String>,
    pub(crate) param_ref: Option<RawParamRef>,
    pub(crate) match_resources: Option<RawMatchConstraints>,
    pub(crate) validation_actions: Option<Vec<String>>,
}

/// `MutatingAdmissionPolicyBindingSpec`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawMutatingBindingSpec {
    pub(crate) policy_name: Option<String>,
    pub(crate) param_ref: Option<RawParamRef>,
    pub(crate) match_resources: Option<RawMatchConstraints>,
}

/// `ParamRef`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawParamRef {
    pub(crate) name: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) selector: Option<RawLabelSelector>,
    pub(crate) parameter_not_found_action: Option<String>,
}
