//! The fields of a PolicyTest as somebody writes them: what they may hold is their schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// Any object: it is read from the document itself, with its places.
type Object = BTreeMap<String, Value>;

/// `spec` of a PolicyTest.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "its schema is what is used: cases are read one by one")]
pub(in crate::unit) struct RawSpec {
    /// The policies that are tested, by name. Default: all of the same file or ConfigMap.
    policies: Option<Vec<String>>,
    /// Requests, and what must become of them.
    #[schemars(length(min = 1))]
    cases: Vec<RawCase>,
}

/// One request, and what must become of it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawCase {
    /// What is special about it; unique in its test.
    pub(super) name: String,
    /// The object as a user writes it.
    #[serde(rename = "object")]
    _object: Option<Object>,
    /// The object as it is stored, for UPDATE and DELETE.
    #[serde(rename = "oldObject")]
    _old_object: Option<Object>,
    /// Default: DELETE with only an oldObject, UPDATE with both, else CREATE.
    pub(super) operation: Option<RawOperation>,
    /// What else the request says.
    pub(super) request: Option<RawRequest>,
    /// Where an object goes that names no namespace. Default: `default`. Empty: an object of a kind that is not built in is
    /// in no namespace.
    pub(super) namespace: Option<String>,
    /// The Namespace as the cluster has it. Default: one of the right name, without labels of its own.
    #[serde(rename = "namespaceObject")]
    _namespace_object: Option<Object>,
    /// Who asks. Default: `admittance-test`, in the group `system:authenticated`.
    pub(super) user_info: Option<RawUser>,
    /// The object, or objects, that policies take for parameters, as the cluster has them.
    #[serde(rename = "params")]
    _params: Option<RawParams>,
    /// What the authorizer answers: `Allow`, `Deny` or `Error` to every question, or a list of what is allowed.
    pub(super) authorizer: Option<RawAuthorizer>,
    /// What must become of it: whatever is named here.
    pub(super) expect: Option<RawExpect>,
}

/// `operation` of an AdmissionRequest.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum RawOperation {
    Create,
    Update,
    Delete,
    Connect,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawRequest {
    /// The resource: its name in the plural, or all of `{group, version, resource}`. Default: the one of the object's kind.
    pub(super) resource: Option<RawResource>,
    /// `status`, `ephemeralcontainers`, `exec`
    pub(super) subresource: Option<String>,
    /// Default: the object's.
    pub(super) name: Option<String>,
    /// CreateOptions, UpdateOptions, PatchOptions or DeleteOptions.
    #[serde(rename = "options")]
    _options: Option<Object>,
    /// Whether nothing will be stored.
    pub(super) dry_run: Option<bool>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum RawResource {
    Name(String),
    Whole(RawWholeResource),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawWholeResource {
    pub(super) group: Option<String>,
    pub(super) version: String,
    pub(super) resource: String,
}

/// `UserInfo` of authentication.k8s.io/v1.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawUser {
    pub(super) username: Option<String>,
    pub(super) uid: Option<String>,
    /// `system:authenticated` is always among them, and of a service account its own two groups.
    pub(super) groups: Option<Vec<String>>,
    pub(super) extra: Option<BTreeMap<String, Vec<String>>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "they are read from the document itself")]
pub(super) enum RawParams {
    One(Object),
    Many(Vec<Object>),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum RawAuthorizer {
    Word(RawAnswer),
    Only(Vec<RawAccess>),
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
pub(super) enum RawAnswer {
    Allow,
    Deny,
    Error,
}

/// What is allowed; a field that is absent stands for anything.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawAccess {
    pub(super) user: Option<String>,
    pub(super) verb: Option<String>,
    pub(super) group: Option<String>,
    pub(super) resource: Option<String>,
    pub(super) subresource: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
    /// Of a request that is about no resource: `/healthz`.
    pub(super) path: Option<String>,
}

/// What must become of a request. Texts of messages are parts of them, or /patterns/.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawExpect {
    /// Whether it is allowed.
    pub(super) allowed: Option<bool>,
    /// `status.code` of a denial.
    pub(super) code: Option<u16>,
    /// A part of the message of a denial, or a /pattern/ that it matches.
    pub(super) message: Option<String>,
    /// The whole object after all mutations, without what the API server fills in.
    #[serde(rename = "object")]
    _object: Option<Object>,
    /// The operations (RFC 6902) that make the object of the one that was written; empty for none.
    #[serde(rename = "patch")]
    _patch: Option<Vec<Object>>,
    /// The warnings, in order: as many as there are, of each a part or a /pattern/.
    pub(super) warnings: Option<Vec<String>>,
    /// Audit annotations that must be there, of each value a part or a /pattern/.
    pub(super) audit_annotations: Option<BTreeMap<String, String>>,
    /// Evaluation errors (`POLICY: MESSAGE`): as many as there are, of each a part or a /pattern/. Default: none.
    pub(super) errors: Option<Vec<String>>,
    /// Exactly the policies that find something, or cannot be evaluated.
    pub(super) policies: Option<Vec<String>>,
}
