use super::*;
use crate::document::SourceFile;
use crate::set::link;
use crate::unit::{Unit, compile};

/// `get,list,watch  namespaces (a,b)`
fn lines(policies: &str) -> Vec<String> {
    let unit = compile(&Unit::of_file(SourceFile::new("a.yaml", policies))).unwrap();
    let line = |right: &Right| {
        let names = if right.names.is_empty() { String::new() } else { format!("[{}]", right.names.join(",")) };
        let guess = right.guessed_from.as_ref().map(|kind| format!(" guessed from {kind}")).unwrap_or_default();
        let group = if right.group.is_empty() { "core" } else { &right.group };
        let place = if right.namespace.is_empty() { String::new() } else { format!(" in {}", right.namespace) };
        format!(
            "{} {group} {}{names}{place} ({}){guess}",
            right.verbs.join(","),
            right.resource,
            right.policies.join(",")
        )
    };
    rights(&link(&[unit]).0).iter().map(line).collect()
}

fn policy(name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: {name} }}\nspec: {{ {spec} }}\n"
    )
}

const PODS: &str = "matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [CREATE] }] }";

#[test]
fn asks_for_nothing_where_policies_ask_nothing() {
    assert_eq!(lines(&policy("a", "module: host-ports")), [""; 0]);
}

#[test]
fn says_what_modules_list() {
    let all = [
        policy("budgets", "module: disruption-budget"),
        policy("hosts", "module: unique-ingress-hosts"),
        policy("labels", "module: pod-security, settings: { namespaceLabels: true }"),
        policy("plain", "module: pod-security"),
        policy("services", "module: unique-service-selectors"),
        policy("copy", "module: copy-namespace-labels, settings: { labels: [team] }"),
    ];
    assert_eq!(
        lines(&all.concat()),
        [
            "get,list,watch core namespaces (copy,labels)",
            "list core pods (labels)",
            "list,watch core services (services)",
            "list,watch networking.k8s.io ingresses (hosts)",
            "list,watch policy poddisruptionbudgets (budgets)",
        ]
    );
}

#[test]
fn says_what_expressions_read() {
    let all = [
        policy("selects", "module: host-ports, matchConstraints: { namespaceSelector: { matchLabels: { a: b } } }"),
        policy("reads", &format!("{PODS}, validations: [{{ expression: \"namespaceObject.metadata.name != 'x'\" }}]")),
        policy(
            "asks",
            "module: host-ports, matchConditions: [{ name: a, expression: \"authorizer.path('/x').check('get').allowed()\" }]",
        ),
    ];
    assert_eq!(
        lines(&all.concat()),
        ["get,list,watch core namespaces (reads,selects)", "create authorization.k8s.io subjectaccessreviews (asks)",]
    );
}

#[test]
fn names_definitions_where_rules_name_custom_resources() {
    let merging = |name: &str, group: &str, resource: &str| {
        policy(
            name,
            &format!(
                "matchConstraints: {{ resourceRules: [{{ apiGroups: ['{group}'], apiVersions: ['*'], resources: ['{resource}'], operations: [CREATE] }}] }}, mutations: [{{ patchType: ApplyConfiguration, applyConfiguration: {{ expression: 'Object{{}}' }} }}]"
            ),
        )
    };
    assert_eq!(lines(&merging("a", "", "pods")), [""; 0]);
    assert_eq!(
        lines(&(merging("a", "example.com", "widgets") + &merging("b", "example.com", "gears"))),
        ["get apiextensions.k8s.io customresourcedefinitions[gears.example.com,widgets.example.com] (a,b)"]
    );
    assert_eq!(lines(&merging("a", "*", "widgets")), ["get apiextensions.k8s.io customresourcedefinitions (a)"]);
}

#[test]
fn names_parameters_as_bindings_do() {
    let policy = "
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: limit }
spec:
  paramKind: { apiVersion: KIND }
  matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods] }] }
  validations: [{ expression: 'params.x == true' }]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: { name: to-limit }
spec: { policyName: limit, validationActions: [Deny], paramRef: { REFERENCE, parameterNotFoundAction: Deny } }
";
    let lines = |kind: &str, reference: &str| lines(&policy.replace("KIND", kind).replace("REFERENCE", reference));
    let configuration = "v1, kind: ConfigMap";
    assert_eq!(lines(configuration, "name: a, namespace: shop"), ["get core configmaps[a] in shop (limit)"]);
    assert_eq!(lines(configuration, "name: a"), ["get core configmaps[a] (limit)"]);
    assert_eq!(lines(configuration, "selector: {}"), ["list,watch core configmaps (limit)"]);
    assert_eq!(
        lines("example.com/v1, kind: PortPolicy", "selector: {}, namespace: shop"),
        ["list,watch example.com portpolicies in shop (limit) guessed from PortPolicy of example.com/v1"]
    );
}
