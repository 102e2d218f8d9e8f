//! Policies of Kyverno in Kubernetes' own form.

use admittance_engine::kubernetes::kinds::Kinds;
use serde_json::{Map, Value, json};

/// The fields that both kinds of policies have in common with those of Kubernetes.
const FIELDS: [&str; 9] = [
    "failurePolicy",
    "paramKind",
    "matchConstraints",
    "validations",
    "auditAnnotations",
    "matchConditions",
    "variables",
    "mutations",
    "reinvocationPolicy",
];

const ALL: [&str; 4] = ["CREATE", "UPDATE", "DELETE", "CONNECT"];

/// Policies that are for their own namespace alone.
const NAMESPACED_VALIDATING: &str = "NamespacedValidatingPolicy";
const NAMESPACED_MUTATING: &str = "NamespacedMutatingPolicy";

/// Controllers for which Kyverno derives rules from those for pods.
const CONTROLLERS: [&str; 7] =
    ["CronJob", "DaemonSet", "Deployment", "Job", "ReplicaSet", "ReplicationController", "StatefulSet"];

/// A policy, and what puts it in force.
#[derive(Clone, Debug, PartialEq)]
pub struct Translated {
    /// The policy.
    pub policy: Value,
    /// Its bindings.
    pub bindings: Vec<Value>,
    /// Whether it changes objects.
    pub mutates: bool,
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

impl Translated {
    /// The policy of a document; `rule` names the one of a ClusterPolicy.
    ///
    /// # Errors
    /// Why it is none that Kubernetes could run.
    pub(super) fn of(document: &Value, rule: &str, bindings: &[Value], kinds: &Kinds) -> Result<Self, String> {
        let (version, kind) = (text(document, "/apiVersion"), text(document, "/kind"));
        let group = version.split('/').next().unwrap_or_default();
        let spec = document.get("spec").cloned().unwrap_or_default();
        let name = text(document, "/metadata/name");
        let (spec, param_ref, mutates) = match (group, kind) {
            (
                "policies.kyverno.io",
                "ValidatingPolicy" | "MutatingPolicy" | NAMESPACED_VALIDATING | NAMESPACED_MUTATING,
            ) => {
                if spec.pointer("/evaluation/mode").is_some_and(|mode| mode != "Kubernetes") {
                    return Err("it judges JSON and not Kubernetes' objects".to_owned());
                }
                (in_namespace(spec, kind, document), None, kind == "MutatingPolicy" || kind == NAMESPACED_MUTATING)
            }
            ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy" | "MutatingAdmissionPolicy") => {
                (spec, None, kind == "MutatingAdmissionPolicy")
            }
            ("kyverno.io", "ClusterPolicy" | "Policy") => {
                let (spec, param_ref) = of_rule(&spec, rule, kinds)?;
                (spec, param_ref, false)
            }
            _ => return Err(format!("{kind} of {group} is no policy in CEL")),
        };
        let mut spec = kept(&spec);
        if let (true, Some(fields)) = (mutates, spec.as_object_mut()) {
            // Kyverno's documents need not say it.
            fields.entry("reinvocationPolicy").or_insert_with(|| "Never".into());
        }
        let own = if mutates { "MutatingAdmissionPolicy" } else { "ValidatingAdmissionPolicy" };
        let of = |kind: &str, name: &str, spec: Value| {
            json!({
                "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind,
                "metadata": { "name": name }, "spec": spec,
            })
        };
        let binding_kind = format!("{own}Binding");
        let mut bound: Vec<Value> = bindings
            .iter()
            .filter(|binding| text(binding, "/kind") == binding_kind && text(binding, "/spec/policyName") == name)
            .map(|binding| {
                let mut spec = binding.get("spec").cloned().unwrap_or_default();
                // A violation is one, whatever is done about it.
                if let (false, Some(spec)) = (mutates, spec.as_object_mut()) {
                    spec.insert("validationActions".to_owned(), json!(["Deny"]));
                }
                // What older versions did not ask for.
                if let Some(reference) = spec.get_mut("paramRef").and_then(Value::as_object_mut) {
                    reference.entry("parameterNotFoundAction").or_insert_with(|| "Allow".into());
                }
                of(&binding_kind, text(binding, "/metadata/name"), spec)
            })
            .collect();
        if bound.is_empty() {
            let mut spec = Map::from_iter([("policyName".to_owned(), Value::from(name))]);
            if !mutates {
                spec.insert("validationActions".to_owned(), json!(["Deny"]));
            }
            if let Some(mut reference) = param_ref {
                if let Some(fields) = reference.as_object_mut() {
                    fields.entry("parameterNotFoundAction").or_insert_with(|| "Allow".into());
                }
                spec.insert("paramRef".to_owned(), reference);
            }
            bound.push(of(&binding_kind, "suite", spec.into()));
        }
        Ok(Self { policy: of(own, name, spec), bindings: bound, mutates })
    }

    /// The operation that a suite means when it names none: CREATE, or the only one that the policy is for.
    pub(super) fn operation(&self) -> String {
        let rules = list(self.policy.pointer("/spec/matchConstraints/resourceRules"));
        let operations: Vec<&str> =
            rules.iter().flat_map(|rule| list(rule.get("operations"))).filter_map(Value::as_str).collect();
        let creates = operations.is_empty() || operations.iter().any(|name| *name == "CREATE" || *name == "*");
        if creates { "CREATE".to_owned() } else { operations.into_iter().min().unwrap_or("CREATE").to_owned() }
    }

    /// Whether the verdict on such an object comes from a rule that Kyverno derives of one for pods.
    pub(super) fn is_derived_for(&self, kind: &str) -> bool {
        let rules = list(self.policy.pointer("/spec/matchConstraints/resourceRules"));
        let mut resources = rules.iter().flat_map(|rule| list(rule.get("resources")));
        CONTROLLERS.contains(&kind) && !rules.is_empty() && resources.all(|resource| resource == "pods")
    }
}

/// The spec of a policy that may be for one namespace alone.
fn in_namespace(mut spec: Value, kind: &str, document: &Value) -> Value {
    if kind == NAMESPACED_VALIDATING || kind == NAMESPACED_MUTATING {
        let namespace = Value::from(text(document, "/metadata/namespace"));
        let condition =
            json!({ "name": "in-its-namespace", "expression": format!("request.namespace == {namespace}") });
        let mut conditions = list(spec.get("matchConditions")).to_vec();
        conditions.push(condition);
        if let Some(fields) = spec.as_object_mut() {
            fields.insert("matchConditions".to_owned(), conditions.into());
        }
    }
    spec
}

/// What of a spec Kubernetes has as well. Rules without operations are for all.
fn kept(spec: &Value) -> Value {
    let kept = FIELDS.iter().filter_map(|key| Some(((*key).to_owned(), spec.get(*key)?.clone())));
    let mut spec = Value::Object(kept.filter(|(_, value)| !value.is_null()).collect());
    for part in ["resourceRules", "excludeResourceRules"] {
        let rules = spec.pointer_mut(&format!("/matchConstraints/{part}")).and_then(Value::as_array_mut);
        for rule in rules.into_iter().flatten().filter_map(Value::as_object_mut) {
            if rule.get("operations").is_none_or(Value::is_null) {
                rule.insert("operations".to_owned(), json!(ALL));
            }
        }
    }
    spec
}

/// A rule of a ClusterPolicy with `validate.cel`, and its paramRef.
fn of_rule(spec: &Value, name: &str, kinds: &Kinds) -> Result<(Value, Option<Value>), String> {
    let rules = list(spec.get("rules"));
    if name.starts_with("autogen-") {
        return Err("Kyverno derives this rule from one for pods".to_owned());
    }
    let rule = rules.iter().find(|rule| text(rule, "/name") == name || (name.is_empty() && rules.len() == 1));
    let Some(rule) = rule else { return Err(format!("there is no rule {name:?}")) };
    let Some(cel) = rule.pointer("/validate/cel") else { return Err("the rule is not in CEL".to_owned()) };
    if rule.get("exclude").is_some() || rule.get("context").is_some() || rule.get("preconditions").is_some() {
        return Err("the rule has exclude, context or preconditions, which are not CEL".to_owned());
    }
    let filters = rule.get("match").and_then(Value::as_object).ok_or("the rule matches nothing")?;
    let resources: Vec<&Value> = filters.iter().flat_map(|(_, filters)| list(Some(filters))).collect();
    if filters.contains_key("all") && resources.len() > 1 {
        return Err("the rule matches by several filters at once".to_owned());
    }
    let mut rules = vec![];
    for filter in resources {
        let is_plain = filter.as_object().is_some_and(|filter| filter.keys().all(|key| key == "resources"));
        let fields = filter.get("resources").and_then(Value::as_object).filter(|_| is_plain);
        let fields = fields.ok_or("the rule matches by users or roles")?;
        if let Some(key) = fields.keys().find(|key| !matches!(key.as_str(), "kinds" | "operations")) {
            return Err(format!("the rule matches by {key}"));
        }
        let operations = fields.get("operations").cloned().unwrap_or_else(|| json!(["CREATE", "UPDATE"]));
        for kind in list(fields.get("kinds")).iter().filter_map(Value::as_str) {
            rules.push(resource_rule(kind, &operations, kinds));
        }
    }
    let spec = json!({
        "matchConstraints": { "resourceRules": rules },
        "matchConditions": rule.get("celPreconditions"),
        "validations": cel.get("expressions"),
        "variables": cel.get("variables"),
        "auditAnnotations": cel.get("auditAnnotations"),
        "paramKind": cel.get("paramKind"),
    });
    Ok((spec, cel.get("paramRef").cloned()))
}

/// The rule for a kind as Kyverno names it: `Pod`, `v1/Pod`, `apps/v1/Deployment`, `batch/*/CronJob`, `Pod/exec`.
fn resource_rule(name: &str, operations: &Value, kinds: &Kinds) -> Value {
    let mut parts: Vec<&str> = name.split('/').collect();
    let is_subresource =
        |part: &str| part.starts_with(|char: char| char.is_ascii_lowercase()) && !part.starts_with('v');
    let subresource = parts.pop_if(|part| is_subresource(part)).map(|part| format!("/{part}")).unwrap_or_default();
    let kind = parts.pop().unwrap_or("*");
    let version = parts.pop().unwrap_or("*");
    let group = parts.pop();
    let resource = resource(group, kind, kinds);
    json!({
        "apiGroups": [group.unwrap_or("*")],
        "apiVersions": [version],
        "resources": [format!("{resource}{subresource}")],
        "operations": operations,
    })
}

/// The resource of a kind; of one that is not built in as kubectl guesses it.
pub(super) fn resource(group: Option<&str>, kind: &str, kinds: &Kinds) -> String {
    let known = kinds
        .rows()
        .iter()
        .find(|row| row.kind == kind && group.is_none_or(|group| group == "*" || group == row.group));
    let lower = kind.to_lowercase();
    match (known, lower.as_str()) {
        (Some(row), _) => row.resource.to_owned(),
        (None, "*") => lower,
        (None, _) => match lower.strip_suffix('y') {
            Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies"),
            _ if lower.ends_with('s') => format!("{lower}es"),
            _ => format!("{lower}s"),
        },
    }
}
