//! `matchConditions`: the policy's own, and whom and what the webhook is never asked about, so that both judge the same
//! requests. The expressions are those of the chart's webhook configurations.

use serde_json::{Value, json};

use super::Exemptions;
use crate::expression::Named;
use crate::matching::{Names, NamespaceGlobs, ResourcePattern};
use crate::policy::Head;
use crate::review::Operation;
use crate::twin::{fits, lists, quoted};

/// The name of the condition, groups (`*` is all), resource, subresource, CEL.
type Forbidden = (&'static str, &'static [&'static str], Option<&'static str>, Option<&'static str>, &'static str);

/// What is never sent to webhooks.
const FORBIDDEN: [Forbidden; 8] = [
    ("nodes", &[""], Some("nodes"), None, "request.resource.group != '' || request.resource.resource != 'nodes'"),
    (
        "leases",
        &["coordination.k8s.io"],
        Some("leases"),
        None,
        "request.resource.group != 'coordination.k8s.io' || request.resource.resource != 'leases'",
    ),
    (
        "csi-nodes",
        &["storage.k8s.io"],
        Some("csinodes"),
        None,
        "request.resource.group != 'storage.k8s.io' || request.resource.resource != 'csinodes'",
    ),
    (
        "certificate-requests",
        &["certificates.k8s.io"],
        Some("certificatesigningrequests"),
        None,
        "request.resource.group != 'certificates.k8s.io' || request.resource.resource != 'certificatesigningrequests'",
    ),
    (
        "events",
        &["", "events.k8s.io"],
        Some("events"),
        None,
        "!(request.resource.group in ['', 'events.k8s.io']) || request.resource.resource != 'events'",
    ),
    (
        "reviews",
        &["authentication.k8s.io", "authorization.k8s.io"],
        None,
        None,
        "!(request.resource.group in ['authentication.k8s.io', 'authorization.k8s.io'])",
    ),
    (
        "tokens",
        &[""],
        Some("serviceaccounts"),
        Some("token"),
        "request.resource.resource != 'serviceaccounts' || !has(request.subResource) || request.subResource != 'token'",
    ),
    (
        "webhook-configurations",
        &["admissionregistration.k8s.io"],
        None,
        None,
        "request.resource.group != 'admissionregistration.k8s.io' || !(request.resource.resource in ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'])",
    ),
];

/// An update that lets an object go (`review::release`).
const RELEASES: &str = "\
request.operation != 'UPDATE' || !has(oldObject.metadata) || !has(oldObject.metadata.deletionTimestamp) || !(\
object.metadata.?finalizers.orValue([]).size() < oldObject.metadata.?finalizers.orValue([]).size() && \
object.metadata.?finalizers.orValue([]).all(f, f in oldObject.metadata.finalizers) && \
object.all(k, k == 'metadata' || k in oldObject && object[k] == oldObject[k]) && \
oldObject.all(k, k in object) && \
object.metadata.all(k, k in ['finalizers', 'managedFields', 'resourceVersion', 'generation'] || \
k in oldObject.metadata && object.metadata[k] == oldObject.metadata[k]) && \
oldObject.metadata.all(k, k in ['finalizers', 'managedFields', 'resourceVersion', 'generation'] || k in object.metadata))";

/// All conditions, the policy's own last.
pub(super) fn of(head: &Head, own: &[Named], exemptions: &Exemptions) -> Value {
    let mut conditions: Vec<(String, String)> = vec![];
    let mut add = |name: &str, expression: String| conditions.push((format!("admittance.dev/{name}"), expression));
    add(
        "not-the-api-server",
        "!has(request.userInfo.username) || request.userInfo.username != 'system:apiserver'".to_owned(),
    );
    for (name, groups, resource, subresource, expression) in FORBIDDEN {
        if groups.iter().any(|group| matches(head, group, resource, subresource)) {
            add(&format!("not-{name}"), expression.to_owned());
        }
    }
    own_objects(head, exemptions, &mut add);
    if let Some(expression) = namespaces(&head.namespaces) {
        add("namespaces", expression);
    }
    let updates = head.constraints.resource_rules.iter().any(|rule| rule.operations.has(Operation::Update));
    if head.origin.module.is_some() && updates {
        add("not-only-releases", RELEASES.to_owned());
    }
    let own = own.iter().map(|condition| (condition.name.clone(), condition.expression.clone()));
    let written = |(name, expression): (String, String)| json!({ "name": name, "expression": expression });
    conditions.into_iter().chain(own).map(written).collect()
}

/// What the chart makes outside of its namespace, what repairs policies, and what agents of exempt namespaces keep.
fn own_objects(head: &Head, exemptions: &Exemptions, add: &mut impl FnMut(&str, String)) {
    let roles = "rbac.authorization.k8s.io";
    let name = &exemptions.name;
    if ["clusterroles", "clusterrolebindings"].iter().any(|resource| matches(head, roles, Some(resource), None)) {
        add(
            "not-own-roles",
            format!(
                "request.resource.group != '{roles}' || !(request.resource.resource in ['clusterroles', 'clusterrolebindings']) || request.name != {}",
                quoted(name)
            ),
        );
    }
    if !exemptions.policy_namespaces.is_empty() {
        let namespaces = lists(&exemptions.policy_namespaces);
        let elsewhere = format!("!has(request.namespace) || !(request.namespace in {namespaces})");
        if matches(head, "", Some("configmaps"), None) {
            add(
                "not-policy-config-maps",
                format!("request.resource.group != '' || request.resource.resource != 'configmaps' || {elsewhere}"),
            );
        }
        if matches(head, roles, None, None) {
            add(
                "not-own-roles-beside-policies",
                format!(
                    "request.resource.group != '{roles}' || request.name != {} || {elsewhere}",
                    quoted(&format!("{name}-policies"))
                ),
            );
        }
    }
    let is_of_agents = |group: &str| group.contains('.') && !group.ends_with(".k8s.io");
    let agents = head.constraints.resource_rules.iter().any(|rule| match &rule.groups {
        Names::Any => true,
        Names::Only(groups) => groups.iter().any(|group| is_of_agents(group)),
    });
    if agents {
        let groups = exemptions.namespaces.iter().map(|namespace| format!("system:serviceaccounts:{namespace}"));
        add(
            "not-agents-of-exempt-namespaces",
            format!(
                "has(request.namespace) && request.namespace != '' || !request.resource.group.contains('.') || \
                 request.resource.group.endsWith('.k8s.io') || !has(request.userInfo.groups) || \
                 !request.userInfo.groups.exists(group, group in {})",
                lists(groups)
            ),
        );
    }
}

/// Whether a rule of the policy may fit something of this group (and resource, and subresource, where they are given).
fn matches(head: &Head, group: &str, resource: Option<&str>, subresource: Option<&str>) -> bool {
    let fits = |pattern: &ResourcePattern| {
        let same = |known: &Option<String>, wanted: Option<&str>| match (known.as_deref(), wanted) {
            (Some(known), Some(wanted)) => known == wanted,
            _ => true,
        };
        same(&pattern.resource, resource) && same(&pattern.subresource, subresource)
    };
    head.constraints.resource_rules.iter().any(|rule| {
        let is_of_group = match &rule.groups {
            Names::Any => true,
            Names::Only(groups) => groups.iter().any(|known| known == group),
        };
        is_of_group && rule.resources.iter().any(fits)
    })
}

/// The policy's `namespaces`: of the request's namespace, or the Namespace's own name.
fn namespaces(globs: &NamespaceGlobs) -> Option<String> {
    if globs.included().is_empty() && globs.excluded().is_empty() {
        return None;
    }
    let mut parts = vec![];
    if !globs.excluded().is_empty() {
        parts.push(format!("!{}", bracketed(&fits("n", globs.excluded()))));
    }
    if !globs.included().is_empty() {
        parts.push(bracketed(&fits("n", globs.included())));
    }
    let name = "request.resource.group == '' && request.resource.resource == 'namespaces' ? \
                request.?name.orValue('') : request.?namespace.orValue('')";
    Some(format!("[{name}].all(n, n == '' || {})", parts.join(" && ")))
}

fn bracketed(expression: &str) -> String {
    if expression.starts_with('(') || expression.starts_with("n.") {
        expression.to_owned()
    } else {
        format!("({expression})")
    }
}
