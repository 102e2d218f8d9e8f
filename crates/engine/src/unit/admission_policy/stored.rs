//! Policies and bindings as somebody has stored them: taken without the checks of new ones, unknown fields passed over.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::native::{Binding, Native};
use super::raw::{
    RawBinding, RawMutatingBindingSpec, RawMutatingSpec, RawPolicy, RawValidatingBindingSpec, RawValidatingSpec,
};
use crate::expression::Role;
use crate::modules::inlined;
use crate::verdict::Origin;

impl Native {
    /// A policy document, in a cluster that serves no other versions of resources than the request's.
    ///
    /// # Errors
    /// When it is of another kind, or a field has the wrong type.
    pub fn stored(document: &Value) -> Result<Self, String> {
        let origin = Origin { policy: String::new(), module: None, unit: String::new(), line: 0, binding: None };
        let native = match document.get("kind").and_then(Value::as_str).unwrap_or_default() {
            "ValidatingAdmissionPolicy" => {
                Self::validating(&lenient::<RawPolicy<RawValidatingSpec>>(document, "policy")?, origin)
            }
            "MutatingAdmissionPolicy" => {
                Self::mutating(&lenient::<RawPolicy<RawMutatingSpec>>(document, "policy")?, origin)
            }
            kind => return Err(format!("unknown kind of policy {kind:?}")),
        };
        Ok(native.knowing_all_versions())
    }

    /// What the API server would refuse the expressions of a new policy for: field and text.
    pub fn expression_errors(&self) -> Vec<(String, String)> {
        let path = |role| match role {
            Role::Variable(position) => format!("spec.variables[{position}].expression"),
            Role::MatchCondition(position) => format!("spec.matchConditions[{position}].expression"),
            Role::Validation(position) => format!("spec.validations[{position}].expression"),
            Role::Message(position) => format!("spec.validations[{position}].messageExpression"),
            Role::AuditAnnotation(position) => format!("spec.auditAnnotations[{position}].valueExpression"),
            Role::Mutation(position) => {
                let part = match self.rule.patch_type(position) {
                    Some(crate::expression::PatchType::JsonPatch) => "jsonPatch",
                    _ => "applyConfiguration",
                };
                format!("spec.mutations[{position}].{part}.expression")
            }
        };
        self.rule.roles().filter_map(|role| Some((path(role), self.rule.explain(role)?))).collect()
    }
}

impl Binding {
    /// A binding document; without a kind it is taken for one of this policy.
    ///
    /// # Errors
    /// When a field has the wrong type.
    pub fn stored(document: &Value, policy: &Native) -> Result<Option<Self>, String> {
        let kind = if policy.mutates { "MutatingAdmissionPolicyBinding" } else { "ValidatingAdmissionPolicyBinding" };
        let own = document.get("kind").and_then(Value::as_str).unwrap_or_default();
        let name = document.pointer("/spec/policyName").and_then(Value::as_str).unwrap_or_default();
        if name != policy.origin.policy || !(own.is_empty() || own == kind) {
            return Ok(None);
        }
        let binding = if policy.mutates {
            Self::mutating(&lenient::<RawBinding<RawMutatingBindingSpec>>(document, "binding")?)
        } else {
            Self::validating(&lenient::<RawBinding<RawValidatingBindingSpec>>(document, "binding")?)
        };
        Ok(Some(binding))
    }
}

fn lenient<T: DeserializeOwned + JsonSchema>(document: &Value, what: &str) -> Result<T, String> {
    let mut document = document.clone();
    prune(inlined::<T>().as_value(), &mut document);
    serde_json::from_value(document).map_err(|error| format!("{what}: {error}"))
}

/// Takes away the fields that a schema does not have.
fn prune(schema: &Value, value: &mut Value) {
    for part in ["anyOf", "allOf", "oneOf"].iter().filter_map(|key| schema.get(key)?.as_array()).flatten() {
        prune(part, value);
    }
    match value {
        Value::Object(fields) => {
            let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
            fields.retain(|key, _| properties.contains_key(key));
            for (key, value) in fields {
                if let Some(schema) = properties.get(key) {
                    prune(schema, value);
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                items.iter_mut().for_each(|item| prune(schema, item));
            }
        }
        _ => {}
    }
}
