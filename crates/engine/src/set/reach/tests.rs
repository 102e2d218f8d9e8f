use super::*;
use crate::document::SourceFile;
use crate::matching::{RawLabelSelector, RawResourceRule};
use crate::set::link;
use crate::unit::{Unit, compile};

fn policy(name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: {name} }}\nspec: {{ {spec} }}\n"
    )
}

fn entry(route: &str, webhook: &str) -> Entry {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Webhook {
        rules: Vec<RawResourceRule>,
        match_policy: Option<String>,
        namespace_selector: Option<RawLabelSelector>,
        object_selector: Option<RawLabelSelector>,
    }
    let webhook: Webhook = serde_saphyr::from_str(webhook).unwrap();
    let raw = RawMatchConstraints {
        resource_rules: Some(webhook.rules),
        exclude_resource_rules: None,
        match_policy: webhook.match_policy,
        namespace_selector: webhook.namespace_selector,
        object_selector: webhook.object_selector,
    };
    Entry::new(&format!("{route}.admittance.dev"), &raw)
}

/// What is said of policies with the same webhook on both routes; `!` before what is never asked.
fn said(policies: &[String], webhook: &str) -> Vec<String> {
    let unit = compile(&Unit::of_file(SourceFile::new("a.yaml", policies.concat()))).unwrap();
    let entries = Entries { mutate: entry("mutate", webhook), validate: entry("validate", webhook) };
    let found = unreached(&link(&[unit]).0, &entries);
    found.iter().map(|one| format!("{}{}", if one.is_whole { "!" } else { "" }, one.text)).collect()
}

const ALL: &str =
    r#"rules: [{ operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*/*"], scope: "*" }]"#;

fn with(more: &str) -> String {
    format!("{ALL}\n{more}")
}

const EXEMPT: &str = "namespaceSelector: { matchExpressions: [{ key: kubernetes.io/metadata.name, operator: NotIn, values: [kube-system, admittance] }] }";

#[test]
fn finds_nothing_where_everything_is_sent() {
    let policies = [
        policy("a", "module: host-ports"),
        policy("b", "module: set-image-pull-policy"),
        policy("c", "module: host-ports, namespaces: { include: [shop, 'kube-*'] }"),
    ];
    assert_eq!(said(&policies, ALL), [""; 0]);
    assert_eq!(said(&policies, &with(EXEMPT)), [""; 0]);
}

#[test]
fn names_the_rule_to_add_where_nothing_or_not_everything_is_sent() {
    let pods = r#"rules: [{ operations: [CREATE], apiGroups: [""], apiVersions: [v1], resources: [pods], scope: Namespaced }]"#;
    let found = said(
        &[
            policy("ports", "module: host-ports"),
            policy("protect", "module: delete-protection"),
            policy("pull", "module: set-image-pull-policy"),
        ],
        pods,
    );
    assert_eq!(
        found,
        [
            "policy `ports` is not asked about everything: validate.admittance.dev has no rule for UPDATE of pods, and for CREATE and UPDATE of pods/ephemeralcontainers, pods/resize, podtemplates, replicationcontrollers, replicasets of apps, deployments of apps, statefulsets of apps, daemonsets of apps, jobs of batch, cronjobs of batch; add {operations: [UPDATE], apiGroups: [\"\"], apiVersions: [\"*\"], resources: [pods]}, {operations: [CREATE, UPDATE], apiGroups: [\"\"], apiVersions: [\"*\"], resources: [pods/ephemeralcontainers, pods/resize, podtemplates, replicationcontrollers]}, {operations: [CREATE, UPDATE], apiGroups: [apps], apiVersions: [\"*\"], resources: [daemonsets, deployments, replicasets, statefulsets]}, {operations: [CREATE, UPDATE], apiGroups: [batch], apiVersions: [\"*\"], resources: [cronjobs, jobs]}",
            "!policy `protect` is never asked: validate.admittance.dev has no rule for DELETE of *; add {operations: [DELETE], apiGroups: [\"*\"], apiVersions: [\"*\"], resources: [\"*\"]}",
            "policy `pull` is not asked about everything: mutate.admittance.dev has no rule for UPDATE of pods/ephemeralcontainers; add {operations: [UPDATE], apiGroups: [\"\"], apiVersions: [\"*\"], resources: [pods/ephemeralcontainers]}",
        ]
    );
}

#[test]
fn takes_versions_for_equivalent_where_the_api_server_does() {
    let sent = "rules: [{ operations: [CREATE], apiGroups: [apps], apiVersions: [v1beta1], resources: [deployments] }]";
    let named = policy(
        "a",
        "matchConstraints: { resourceRules: [{ apiGroups: [apps], apiVersions: [v1], resources: [deployments], operations: [CREATE] }] }, validations: [{ expression: 'true' }]",
    );
    assert_eq!(said(std::slice::from_ref(&named), sent), [""; 0]);
    assert_eq!(
        said(&[named], &format!("{sent}\nmatchPolicy: Exact")),
        [
            "!policy `a` is never asked: validate.admittance.dev has no rule for CREATE of deployments of apps; add {operations: [CREATE], apiGroups: [apps], apiVersions: [v1], resources: [deployments]}"
        ]
    );
}

#[test]
fn knows_where_objects_live() {
    let cluster =
        r#"rules: [{ operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*"], scope: Cluster }]"#;
    let of = |name: &str, resource: &str| {
        policy(
            name,
            &format!(
                "matchConstraints: {{ resourceRules: [{{ apiGroups: [''], apiVersions: [v1], resources: [{resource}], operations: [CREATE] }}] }}, validations: [{{ expression: 'true' }}]"
            ),
        )
    };
    let found = said(&[of("a", "namespaces"), of("b", "services")], cluster);
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with(
            "!policy `b` is never asked: validate.admittance.dev has no rule for CREATE of services; add {"
        ),
        "{found:?}"
    );
}

#[test]
fn says_what_is_never_sent_to_webhooks() {
    let nodes = policy(
        "a",
        "matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: [v1], resources: [nodes], operations: [CREATE] }] }, validations: [{ expression: 'true' }]",
    );
    assert_eq!(
        said(&[nodes], ALL),
        ["!policy `a` is never asked: nodes are not sent to webhooks, so that a cluster can recover"]
    );
}

#[test]
fn holds_namespaces_that_are_named_against_those_that_are_exempt() {
    let of =
        |name: &str, names: &str| policy(name, &format!("module: host-ports, namespaces: {{ include: [{names}] }}"));
    let selecting = policy(
        "d",
        "module: host-ports, matchConstraints: { namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: admittance } } }",
    );
    assert_eq!(
        said(&[of("a", "kube-system"), of("b", "kube-system, shop"), of("c", "shop"), selecting], &with(EXEMPT)),
        [
            "!policy `a` is never asked: validate.admittance.dev sends nothing of kube-system; take it out of the exempt namespaces, or out of the policy",
            "policy `b` is not asked about everything: validate.admittance.dev sends nothing of kube-system; take it out of the exempt namespaces, or out of the policy",
            "!policy `d` is never asked: validate.admittance.dev sends nothing of admittance; take it out of the exempt namespaces, or out of the policy",
        ]
    );
}

#[test]
fn says_which_labels_an_entry_asks_for_that_the_policy_does_not() {
    let labelled =
        with("namespaceSelector: { matchLabels: { tier: gold } }\nobjectSelector: { matchLabels: { app: web } }");
    let same = policy(
        "b",
        "module: host-ports, matchConstraints: { namespaceSelector: { matchLabels: { tier: gold } }, objectSelector: { matchLabels: { app: web } } }",
    );
    let half =
        policy("c", "module: host-ports, matchConstraints: { namespaceSelector: { matchLabels: { tier: gold } } }");
    assert_eq!(
        said(&[policy("a", "module: host-ports"), same, half], &labelled),
        [
            "policy `a` is not asked about everything: validate.admittance.dev sends only what is in namespaces with tier in (gold); take that out of its namespaceSelector",
            "policy `c` is not asked about everything: validate.admittance.dev sends only objects with app in (web); take its objectSelector away",
        ]
    );
}
