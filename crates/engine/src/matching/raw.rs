//! What a document says, before anybody has checked it: also the documents' schema.
//!
//! Nearly everything is optional here, so that what is missing is found by the same check as what is wrong, and all of it
//! is reported at once.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// Which requests a policy judges: the fields and meaning of `MatchResources` in admissionregistration.k8s.io/v1.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "MatchConstraints")]
pub struct RawMatchConstraints {
    /// The operations on resources that the policy is for. It judges a request that any of these rules fits.
    pub resource_rules: Option<Vec<RawResourceRule>>,
    /// The operations on resources that the policy leaves alone. They win over resourceRules.
    pub exclude_resource_rules: Option<Vec<RawResourceRule>>,
    /// Exact: a request in another version of a resource than the rules name is not judged. Equivalent: it is.
    /// Default: Equivalent.
    #[schemars(extend("enum" = ["Exact", "Equivalent", null]))]
    pub match_policy: Option<String>,
    /// By labels of the object's namespace, or of the Namespace itself. Other cluster-scoped objects are not affected.
    pub namespace_selector: Option<RawLabelSelector>,
    /// By labels of the object: the new or the stored one has to satisfy it.
    pub object_selector: Option<RawLabelSelector>,
}

/// Operations on resources.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "ResourceRule")]
pub struct RawResourceRule {
    /// API groups; "" is the core group, "*" alone is all.
    #[schemars(required)]
    pub api_groups: Option<Vec<String>>,
    /// Versions; "*" alone is all.
    #[schemars(required)]
    pub api_versions: Option<Vec<String>>,
    /// CREATE, UPDATE, DELETE, CONNECT; "*" alone is all.
    #[schemars(required)]
    pub operations: Option<Vec<String>>,
    /// Plural names: "pods", "pods/log", "pods/*" (pods and all their subresources), "*/scale", "*" (no subresources), "*/*".
    #[schemars(required)]
    pub resources: Option<Vec<String>>,
    /// Names of objects; none means any name.
    pub resource_names: Option<Vec<String>>,
    /// Cluster, Namespaced or "*". Default: "*".
    #[schemars(extend("enum" = ["Cluster", "Namespaced", "*", null]))]
    pub scope: Option<String>,
}

/// Labels that must be there: all of matchLabels and matchExpressions. The empty one selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "LabelSelector")]
pub struct RawLabelSelector {
    /// Keys with the value that each must have.
    pub match_labels: Option<BTreeMap<String, String>>,
    /// Conditions on keys.
    pub match_expressions: Option<Vec<RawRequirement>>,
}

/// A condition on one label.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "LabelSelectorRequirement")]
pub struct RawRequirement {
    /// The label's key.
    #[schemars(required)]
    pub key: Option<String>,
    /// In, NotIn, Exists or DoesNotExist.
    #[schemars(required, extend("enum" = ["In", "NotIn", "Exists", "DoesNotExist"]))]
    pub operator: Option<String>,
    /// For In and NotIn, at least one; for the others none.
    pub values: Option<Vec<String>>,
}

/// Namespaces by name. In patterns `*` stands for any text and `?` for one character.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "NamespaceGlobs")]
pub struct RawNamespaceGlobs {
    /// If it is not empty, only these namespaces.
    pub include: Option<Vec<String>>,
    /// Not these; they win over include.
    pub exclude: Option<Vec<String>>,
}
