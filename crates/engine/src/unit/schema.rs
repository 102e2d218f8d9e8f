//! JSON Schema of the documents, for editors.

use serde_json::{Map, Value, json};

use super::API_VERSION;
use super::admission_policy::raw::{RawAuditAnnotation, RawMatchCondition, RawMutation, RawValidation, RawVariable};
use super::policy_test::RawSpec;
use crate::matching::{RawMatchConstraints, RawNamespaceGlobs};
use crate::modules::{MODULES, inlined};

/// The schema of our own documents (JSON Schema, draft 2020-12): which settings a Policy accepts depends on its module.
pub fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Admittance policy or test of policies",
        "type": "object",
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": { "apiVersion": { "const": API_VERSION }, "kind": { "enum": ["Policy", "PolicyTest"] } },
        "if": { "required": ["kind"], "properties": { "kind": { "const": "PolicyTest" } } },
        "then": document("PolicyTest", "Unique among the tests of its file or ConfigMap", &embedded(inlined::<RawSpec>())),
        "else": document("Policy", "Unique among all policies", &spec()),
    })
}

/// The schema of a document of this kind.
fn document(kind: &str, name: &str, spec: &Value) -> Value {
    json!({
        "additionalProperties": false,
        "properties": {
            "apiVersion": { "const": API_VERSION },
            "kind": { "const": kind },
            "metadata": {
                "type": "object",
                "required": ["name"],
                "additionalProperties": false,
                "properties": {
                    "name": {
                        "description": format!("{name}: at most 63 lower case letters, digits, `-` and `.`."),
                        "type": "string",
                        "maxLength": 63,
                        "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
                    },
                    "labels": { "type": ["object", "null"], "additionalProperties": { "type": "string" } },
                    "annotations": { "type": ["object", "null"], "additionalProperties": { "type": "string" } }
                }
            },
            "spec": spec,
        }
    })
}

fn spec() -> Value {
    let ids = |mutates: bool| -> Vec<&str> {
        MODULES.iter().filter(|module| module.mutates == mutates).map(|module| module.id).collect()
    };
    let modules: Vec<Value> =
        MODULES.iter().map(|module| json!({ "const": module.id, "description": module.summary() })).collect();
    let mut rules: Vec<Value> = MODULES
        .iter()
        .map(|module| {
            json!({
                "if": { "required": ["module"], "properties": { "module": { "const": module.id } } },
                "then": { "properties": { "settings": embedded((module.schema)()) } }
            })
        })
        .collect();
    rules.push(json!({
        "if": { "anyOf": [
            { "required": ["module"], "properties": { "module": { "enum": ids(true) } } },
            { "required": ["mutations"] }
        ] },
        "then": { "properties": {
            "actions": { "items": { "enum": ["Mutate", "Audit"] }, "maxItems": 1 },
            "existing": false,
            "message": false
        } },
        "else": { "properties": {
            "actions": { "items": { "enum": ["Deny", "Warn", "Audit"] }, "uniqueItems": true },
            "order": false,
            "onDrift": false,
            "required": false
        } }
    }));
    let mut properties = Map::new();
    let mut field = |name: &str, description: &str, mut schema: Value| {
        if let Some(schema) = schema.as_object_mut() {
            schema.insert("description".to_owned(), description.into());
        }
        properties.insert(name.to_owned(), schema);
    };
    field("module", "The built-in kind of policy.", json!({ "oneOf": modules }));
    field("settings", "What the module is told; see its page.", json!({}));
    field(
        "actions",
        "Validating: any of Deny, Warn, Audit, but not Deny with Warn; default Deny. Mutating: Mutate or Audit; default Mutate. Audit alone is shadow mode.",
        json!({ "type": "array", "minItems": 1 }),
    );
    field(
        "failurePolicy",
        "What an evaluation error does: it takes the policy's actions, or is passed over. Default Fail.",
        json!({ "enum": ["Fail", "Ignore", null] }),
    );
    field(
        "existing",
        "On UPDATE: whether a finding that the stored object has already is let pass. Default Allow.",
        json!({ "enum": ["Allow", "Deny", null] }),
    );
    field(
        "order",
        "Mutators run in ascending order, then by name. Default 0.",
        json!({ "type": ["integer", "null"], "format": "int32" }),
    );
    survival(&mut field);
    field(
        "matchConstraints",
        "The fields and meaning of ValidatingAdmissionPolicy's; each field that is set replaces the module's.",
        embedded(inlined::<RawMatchConstraints>()),
    );
    field(
        "namespaces",
        "Patterns of namespaces, by the request's namespace or the name of a Namespace; cluster-scoped objects are not affected.",
        embedded(inlined::<RawNamespaceGlobs>()),
    );
    field(
        "message",
        "Replaces the module's own message, which stands in it for `{message}`.",
        json!({ "type": ["string", "null"] }),
    );
    expressions(&mut field);
    let own = |name: &str| json!({ "required": [name, "matchConstraints"] });
    json!({
        "type": "object",
        "oneOf": [{ "required": ["module"] }, own("validations"), own("mutations")],
        "additionalProperties": false,
        "properties": properties,
        "allOf": rules,
    })
}

/// The fields about mutations that are not in the final object.
fn survival(field: &mut impl FnMut(&str, &str, Value)) {
    field(
        "onDrift",
        "Mutating: what is done on /validate where the change is not in the object. Default Report; Deny takes `required: true`.",
        json!({ "enum": ["Report", "Warn", "Deny", null] }),
    );
    field("required", "Mutating: with `onDrift: Deny`, that denying is meant.", json!({ "type": ["boolean", "null"] }));
}

/// The fields that hold expressions.
fn expressions(field: &mut impl FnMut(&str, &str, Value)) {
    field(
        "matchConditions",
        "Conditions in CEL that a request must satisfy to be judged, with the meaning of ValidatingAdmissionPolicy's.",
        embedded(inlined::<Option<Vec<RawMatchCondition>>>()),
    );
    field(
        "variables",
        "Named expressions for validations or mutations, each computed where it is first used.",
        embedded(inlined::<Option<Vec<RawVariable>>>()),
    );
    field(
        "validations",
        "Instead of a module: checks in CEL, with the meaning of ValidatingAdmissionPolicy's.",
        embedded(inlined::<Option<Vec<RawValidation>>>()),
    );
    field(
        "auditAnnotations",
        "Beside validations: entries for the audit log in CEL.",
        embedded(inlined::<Option<Vec<RawAuditAnnotation>>>()),
    );
    field(
        "mutations",
        "Instead of a module: changes in CEL, with the meaning of MutatingAdmissionPolicy's.",
        embedded(inlined::<Option<Vec<RawMutation>>>()),
    );
}

/// A schema as a part of another one.
fn embedded(schema: schemars::Schema) -> Value {
    let mut schema = schema.to_value();
    if let Some(fields) = schema.as_object_mut() {
        fields.remove("$schema");
        fields.remove("title");
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_a_branch_with_strict_settings_for_every_module() {
        let schema = schema();
        let branches = schema.pointer("/else/properties/spec/allOf").and_then(Value::as_array).unwrap();
        assert_eq!(branches.len(), MODULES.len() + 1);
        for (branch, module) in branches.iter().zip(MODULES) {
            assert_eq!(branch.pointer("/if/properties/module/const"), Some(&json!(module.id)));
            let settings = branch.pointer("/then/properties/settings").unwrap();
            assert_eq!(settings.get("additionalProperties"), Some(&json!(false)), "{}", module.id);
        }
        let case = schema.pointer("/then/properties/spec/properties/cases/items").unwrap();
        for part in ["", "/properties/expect", "/properties/request", "/properties/userInfo"] {
            let part = case.pointer(part).unwrap();
            let part = part.pointer("/anyOf/0").unwrap_or(part);
            assert_eq!(part.get("additionalProperties"), Some(&json!(false)), "{part}");
        }
        assert!(!schema.to_string().contains("$ref"), "a reference would point outside the embedded part");
    }
}
