use super::*;
use crate::document::SourceFile;
use crate::set::link;
use crate::unit::{Unit, compile};

/// A policy in CEL that does what its rules say.
fn native(name: &str, rules: &str) -> String {
    format!(
        "---\napiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: {name} }}\nspec:\n  matchConstraints: {{ resourceRules: [{rules}] }}\n  validations: [{{ expression: 'true' }}]\n"
    )
}

fn rule(group: &str, version: &str, resources: &str, operations: &str) -> String {
    format!(
        "{{ apiGroups: ['{group}'], apiVersions: ['{version}'], resources: [{resources}], operations: [{operations}] }}"
    )
}

fn module(name: &str, module: &str) -> String {
    format!(
        "---\napiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: {name} }}\nspec: {{ module: {module} }}\n"
    )
}

fn rules_of(policies: &[String]) -> WebhookRules {
    let unit = compile(&Unit::of_file(SourceFile::new("a.yaml", policies.concat()))).unwrap();
    webhook_rules(&link(&[unit]).0)
}

/// `CREATE,UPDATE apps/v1 deployments,statefulsets (a,b)`
fn lines(rules: &[WebhookRule]) -> Vec<String> {
    let line = |rule: &WebhookRule| {
        let operations: Vec<&str> = rule.operations.iter().map(crate::review::Operation::as_str).collect();
        let scope = if rule.scope == Scope::Any { String::new() } else { format!(" {}", rule.scope.as_str()) };
        format!(
            "{} {}/{} {}{scope} ({})",
            operations.join(","),
            rule.groups.join(","),
            rule.version,
            rule.resources.join(","),
            rule.policies.join(",")
        )
    };
    rules.iter().map(line).collect()
}

#[test]
fn asks_for_what_modules_apply_to_in_one_rule_a_group() {
    let found = rules_of(&[
        module("ports", "host-ports"),
        module("tags", "latest-tag"),
        module("pull", "set-image-pull-policy"),
    ]);
    assert_eq!(
        lines(&found.validate),
        [
            "CREATE,UPDATE /* pods,pods/ephemeralcontainers,pods/resize,podtemplates,replicationcontrollers (ports,tags)",
            "CREATE,UPDATE apps/* daemonsets,deployments,replicasets,statefulsets (ports,tags)",
            "CREATE,UPDATE batch/* cronjobs,jobs (ports,tags)",
        ]
    );
    assert_eq!(lines(&found.mutate), ["CREATE /* pods (pull)", "UPDATE /* pods/ephemeralcontainers (pull)"]);
    assert_eq!(found.notes, [""; 0]);
}

#[test]
fn names_one_version_of_a_resource_for_all_who_match_it() {
    let found = rules_of(&[
        native("named", &rule("apps", "v1", "deployments", "CREATE")),
        native("scale", &rule("apps", "*", "deployments/scale", "UPDATE")),
        native("any", &rule("apps", "*", "'deployments', 'statefulsets'", "CREATE, DELETE")),
    ]);
    assert_eq!(
        lines(&found.validate),
        [
            "CREATE,DELETE apps/* statefulsets (any)",
            "UPDATE apps/v1 deployments/scale (scale)",
            "CREATE,DELETE apps/v1 deployments (any,named)",
        ]
    );
}

#[test]
fn says_which_policies_want_a_version_that_is_not_sent() {
    let scalers = |version| rule("autoscaling", version, "horizontalpodautoscalers", "CREATE");
    let found = rules_of(&[native("old", &scalers("v1")), native("new", &scalers("v2"))]);
    assert_eq!(lines(&found.validate), ["CREATE autoscaling/v2 horizontalpodautoscalers (new,old)"]);
    assert_eq!(
        found.notes,
        [
            "policy `old` is for another version of horizontalpodautoscalers of autoscaling than v2, which other policies need: only one can be sent, and others are evaluation errors of the policy"
        ]
    );
}

#[test]
fn renders_everything_as_it_is_and_nothing_beside_it() {
    let found = rules_of(&[
        native("all", &rule("*", "*", "'*/*'", "CREATE")),
        native("exec", &rule("", "v1", "pods/exec, pods", "CONNECT, CREATE")),
    ]);
    assert_eq!(lines(&found.validate), ["CONNECT /v1 pods,pods/exec (exec)", "CREATE */* */* (all,exec)"]);
    assert_eq!(
        found.notes,
        [
            "policy `exec` is for version v1 of pods, and because of the rule for */* each is sent in the version in which it is asked: others are evaluation errors of the policy",
            "policy `exec` is for version v1 of pods/exec, and because of the rule for */* each is sent in the version in which it is asked: others are evaluation errors of the policy",
        ]
    );
}

#[test]
fn never_asks_for_what_a_cluster_recovers_by() {
    let found = rules_of(&[
        native("nodes", &rule("", "v1", "nodes, nodes/status, pods", "CREATE")),
        native("reviews", &rule("authorization.k8s.io", "v1", "'*'", "CREATE")),
    ]);
    assert_eq!(lines(&found.validate), ["CREATE /v1 pods (nodes)"]);
    assert_eq!(found.notes.len(), 3);
    assert_eq!(
        found.notes[1],
        "policy `nodes` is never asked about nodes: that is not sent to webhooks, so that a cluster can recover"
    );
    assert_eq!(
        found.notes[2],
        "policy `reviews` is never asked about * of authorization.k8s.io: that is not sent to webhooks, so that a cluster can recover"
    );
}

#[test]
fn keeps_the_scope_where_it_says_something() {
    let scoped = |group: &str, resource: &str, scope: &str| {
        format!(
            "{{ apiGroups: ['{group}'], apiVersions: ['*'], resources: ['{resource}'], operations: [CREATE], scope: {scope} }}"
        )
    };
    let found = rules_of(&[
        native("a", &scoped("", "pods", "Namespaced")),
        native("b", &scoped("", "namespaces", "Cluster")),
        native("c", &scoped("*", "*", "Namespaced")),
    ]);
    assert_eq!(lines(&found.validate), ["CREATE /* namespaces (b)", "CREATE */* * Namespaced (a,c)"]);
}

#[test]
fn joins_groups_that_serve_the_same() {
    let ingresses = |group| rule(group, "v1", "ingresses", "CREATE");
    let found = rules_of(&[native("a", &format!("{}, {}", ingresses("extensions"), ingresses("networking.k8s.io")))]);
    assert_eq!(lines(&found.validate), ["CREATE extensions,networking.k8s.io/v1 ingresses (a)"]);
}
