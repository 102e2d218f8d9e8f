//! Which gaps policies have, whole.

use super::*;
use crate::document::SourceFile;
use crate::matching::{RawMatchConstraints, RawResourceRule};
use crate::set::{Entries, Entry, link};
use crate::unit::{Unit, compile};

fn policy(name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: {name} }}\nspec: {{ {spec} }}\n"
    )
}

fn rules(operations: &str, group: &str, resources: &str) -> String {
    format!(
        "matchConstraints: {{ resourceRules: [{{ apiGroups: [{group:?}], apiVersions: [v1], operations: [{operations}], resources: [{resources}] }}] }}"
    )
}

fn cel(name: &str, rules: &str, expression: &str) -> String {
    policy(name, &format!("{rules}, validations: [{{ expression: {expression:?} }}]"))
}

fn around(resources: &str) -> Around {
    let rules: Vec<RawResourceRule> = serde_saphyr::from_str(&format!(
        "[{{ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: [{resources:?}] }}]"
    ))
    .unwrap();
    let raw = RawMatchConstraints { resource_rules: Some(rules), ..RawMatchConstraints::default() };
    let entries = Entries { mutate: Entry::new("mutate", &raw), validate: Entry::new("validate", &raw) };
    Around { entries, webhooks: vec![] }
}

fn gaps(policies: &[String]) -> Vec<Gap> {
    let unit = compile(&Unit::of_file(SourceFile::new("a.yaml", policies.concat()))).unwrap();
    coverage(&link(&[unit]).0, &around("*/*"))
}

/// `NAME SEVERITY ROUTE [CHANGES]` of those that are not accepted.
fn grave(policies: &[String]) -> Vec<String> {
    let gaps = gaps(policies);
    let grave = gaps.iter().filter(|gap| gap.severity != Severity::Accepted);
    grave.map(said).collect()
}

fn accepted(policies: &[String]) -> Vec<String> {
    let gaps = gaps(policies);
    gaps.iter().filter(|gap| gap.severity == Severity::Accepted && gap.policy.is_some()).map(said).collect()
}

fn said(gap: &Gap) -> String {
    let name = gap.policy.as_ref().map_or("*", |policy| policy.name.as_str());
    format!("{name} {} {} [{}]", gap.severity.as_str(), gap.route, gap.changes.join(" "))
}

#[test]
fn modules_by_their_defaults_leave_nothing_open() {
    let modules =
        ["latest-tag", "host-ports", "privileged", "pod-security", "resource-requirements", "probes", "naked-pods"];
    let policies: Vec<String> = modules.iter().map(|id| policy(id, &format!("module: {id}"))).collect();
    assert_eq!(grave(&policies), [""; 0]);
}

#[test]
fn a_pod_changes_by_its_subresources() {
    let pods = rules("CREATE", "", "pods");
    assert_eq!(
        grave(&[policy("tags", &format!("module: latest-tag, {pods}"))]),
        [
            "tags bypass UPDATE of pods [spec.containers[*].image spec.initContainers[*].image]",
            "tags bypass UPDATE of pods/ephemeralcontainers [spec.ephemeralContainers[*].image]",
            "tags late CREATE and UPDATE of podtemplates, replicationcontrollers, daemonsets, deployments, replicasets, statefulsets, cronjobs, jobs [spec.containers[*].image spec.ephemeralContainers[*].image spec.initContainers[*].image]",
        ]
    );
    assert_eq!(
        grave(&[policy("limits", &format!("module: resource-requirements, {pods}"))]),
        [
            "limits bypass UPDATE of pods/resize [spec.containers[*].resources spec.initContainers[*].resources spec.resources]",
            "limits late CREATE and UPDATE of podtemplates, replicationcontrollers, daemonsets, deployments, replicasets, statefulsets, cronjobs, jobs [spec.containers[*].resources spec.initContainers[*].resources spec.resources]",
        ]
    );
    // What is immutable needs no UPDATE.
    let hosts = grave(&[policy("hosts", &format!("module: host-namespaces, {pods}"))]);
    assert_eq!(hosts.len(), 1, "{hosts:?}");
}

#[test]
fn names_the_rule_to_add() {
    let found = gaps(&[policy("tags", &format!("module: latest-tag, {}", rules("CREATE, UPDATE", "", "pods")))]);
    let gap = found.iter().find(|gap| gap.sort == Sort::Subresource && gap.severity == Severity::Bypass).unwrap();
    assert_eq!(
        gap.add,
        [r#"{operations: [UPDATE], apiGroups: [""], apiVersions: [v1], resources: [pods/ephemeralcontainers]}"#]
    );
}

#[test]
fn a_policy_on_one_controller_misses_pods_and_the_others() {
    let found = grave(&[cel(
        "tags",
        &rules("CREATE, UPDATE", "apps", "deployments"),
        "object.spec.template.spec.containers.all(c, !c.image.endsWith(':latest'))",
    )]);
    assert_eq!(
        found,
        [
            "tags bypass CREATE of pods [spec.containers[*].image]",
            "tags bypass CREATE of pods [spec.initContainers[*].image]",
            "tags bypass UPDATE of pods/ephemeralcontainers [spec.ephemeralContainers[*].image]",
        ]
    );
}

#[test]
fn policies_may_share_the_work() {
    let templates = rules("CREATE, UPDATE", "apps", "deployments, statefulsets, daemonsets, replicasets");
    let found = grave(&[
        policy("pods", "module: pod-security"),
        policy("net", &format!("module: host-namespaces, {templates}")),
    ]);
    assert_eq!(found, [""; 0]);
}

#[test]
fn fields_decide_what_is_a_gap() {
    let one = |operations: &str, group: &str, resources: &str, expression: &str| {
        grave(&[cel("p", &rules(operations, group, resources), expression)])
    };
    assert_eq!(
        one("CREATE", "apps", "deployments", "object.spec.replicas < 5"),
        ["p bypass UPDATE of deployments [spec.replicas]", "p bypass UPDATE of deployments/scale [spec.replicas]",]
    );
    assert_eq!(one("CREATE, UPDATE", "apps", "deployments, deployments/scale", "object.spec.replicas < 5"), [""; 0]);
    assert_eq!(one("CREATE", "apps", "deployments", "object.metadata.name != 'x'"), [""; 0]);
    assert_eq!(one("CREATE", "apps", "deployments", "object.spec.selector.matchLabels.app == 'x'"), [""; 0]);
    assert_eq!(one("UPDATE", "", "services", "object.spec.type == oldObject.spec.type"), [""; 0]);
    assert_eq!(
        one("UPDATE", "", "services", "object.spec.type == 'ClusterIP'"),
        ["p bypass CREATE of services [spec.type]"]
    );
    assert_eq!(
        one("CREATE", "example.com", "widgets", "object.spec.size < 3"),
        ["p bypass UPDATE of widgets [spec.size]"]
    );
}

#[test]
fn labels_change_through_the_status_too() {
    let found = accepted(&[policy(
        "team",
        &format!(
            "module: required-labels, settings: {{ labels: [{{ key: team }}] }}, {}",
            rules("CREATE, UPDATE", "", "pods")
        ),
    )]);
    assert_eq!(found, ["team accepted CREATE of bindings, pods/binding; UPDATE of pods/status [metadata.labels]",]);
}

#[test]
fn mutators_are_not_held_to_what_comes_later() {
    assert_eq!(grave(&[policy("l", "module: add-labels, settings: { labels: { a: b } }")]), [""; 0]);
    assert_eq!(
        accepted(&[policy(
            "r",
            "module: replace-registry, settings: { mirrors: [{ from: docker.io, to: mirror.example.com }] }"
        )]),
        ["r accepted UPDATE of pods [spec.containers[*].image spec.initContainers[*].image]",]
    );
}

#[test]
fn deletions_go_other_ways() {
    assert_eq!(
        grave(&[cel("p", &rules("DELETE", "", "pods"), "!has(oldObject.metadata.annotations)")]),
        ["p bypass CREATE of pods/eviction []", "p late DELETE of namespaces []"]
    );
    assert_eq!(
        accepted(&[policy("d", "module: delete-protection")]),
        [
            "d accepted CREATE of pods/eviction []",
            "d accepted UPDATE before the DELETE [metadata.annotations metadata.labels]",
        ]
    );
}

#[test]
fn connections_have_siblings() {
    assert_eq!(grave(&[cel("p", &rules("CONNECT", "", "pods/exec"), "false")]), ["p bypass CONNECT of pods/attach []"]);
}

#[test]
fn labels_of_their_owners_are_a_way_out() {
    let selector = |selector: &str| {
        let rules = rules("CREATE, UPDATE", "", "services")
            .replace("{ resourceRules", &format!("{{ objectSelector: {{ {selector} }}, resourceRules"));
        gaps(&[cel("p", &rules, "object.spec.type == 'ClusterIP'")])
            .iter()
            .filter(|gap| gap.sort == Sort::Selection)
            .map(said)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        selector("matchExpressions: [{ key: skip, operator: DoesNotExist }]"),
        ["p bypass objects without !skip []"]
    );
    assert_eq!(selector("matchLabels: { app: web }"), ["p accepted objects without app in (web) []"]);
}

#[test]
fn an_exact_match_leaves_versions_out() {
    let rules = "matchConstraints: { matchPolicy: Exact, resourceRules: [{ apiGroups: [autoscaling], apiVersions: [v2], operations: [CREATE, UPDATE], resources: [horizontalpodautoscalers] }] }";
    assert_eq!(
        grave(&[cel("p", rules, "object.spec.maxReplicas < 9")]),
        ["p bypass horizontalpodautoscalers in version v1 []"]
    );
    assert_eq!(grave(&[cel("p", &rules.replace("Exact", "Equivalent"), "object.spec.maxReplicas < 9")]), [""; 0]);
}

#[test]
fn conditions_and_namespaces_are_said() {
    let more = "namespaces: { exclude: [sandbox] }, failurePolicy: Ignore, matchConditions: [{ name: a, expression: 'request.userInfo.username != \"root\"' }, { name: b, expression: 'object.spec.type == \"NodePort\"' }]";
    assert_eq!(
        accepted(&[policy("p", &format!("module: external-ips, {more}"))]),
        [
            "p accepted everything in sandbox []",
            "p accepted users and groups for whom a matchCondition is false []",
            "p accepted whatever it cannot be evaluated for []",
        ]
    );
}

#[test]
fn what_is_not_sent_is_a_gap() {
    let text = policy("p", "module: exec-into-pods");
    let unit = compile(&Unit::of_file(SourceFile::new("a.yaml", text))).unwrap();
    let found = coverage(&link(&[unit]).0, &around("pods"));
    let sent: Vec<String> = found.iter().filter(|gap| gap.sort == Sort::Webhook).map(said).collect();
    assert_eq!(sent, ["p bypass never asked []"]);
}

#[test]
fn what_is_not_sent_to_webhooks_at_all_is_accepted() {
    let found = gaps(&[cel("p", &rules("UPDATE", "", "nodes"), "object.spec.unschedulable == true")]);
    let sent: Vec<String> = found.iter().filter(|gap| gap.sort == Sort::Webhook).map(said).collect();
    assert_eq!(sent, ["p accepted never asked []"]);
}
