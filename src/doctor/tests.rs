use serde_json::{Value, json};

use super::*;

fn entry(name: &str, policy: &str) -> Value {
    json!({
        "name": name,
        "failurePolicy": policy,
        "timeoutSeconds": 5,
        "clientConfig": {"service": {"name": "admittance", "namespace": "ours", "path": "/x"}, "caBundle": "LS0t"},
        "rules": [{"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"], "scope": "*"}],
        "namespaceSelector": {"matchExpressions": [
            {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system", "kube-node-lease", "ours"]}]},
        "matchConditions": [
            {"name": "a", "expression": "!(request.resource.resource in ['nodes', 'leases', 'events'])"},
            {"name": "b", "expression": "!request.resource.group.endsWith('.k8s.io')"},
            {"name": "c", "expression": "request.resource.resource != 'configmaps' || request.namespace != 'team'"},
        ],
    })
}

fn pod(name: &str, node: &str) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "ours", "labels": {"app": "hook"}},
        "spec": {"serviceAccountName": "hook", "nodeName": node, "containers": [
            {"args": ["serve", "--config-maps-from", "team"], "env": [{"name": "ADMITTANCE_LISTEN", "value": "x"}]}]},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    })
}

/// A cluster in which nothing is wrong.
fn sound(policy: &str) -> Snapshot {
    let configuration = |entry: Value| vec![json!({"metadata": {"name": "admittance"}, "webhooks": [entry]})];
    let mut validating = configuration(entry("validate.admittance.dev", policy));
    let selector = json!({"matchExpressions": [
        {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["ours", "team"]}]});
    let units = json!({
        "name": "units.admittance.dev",
        "failurePolicy": "Ignore",
        "clientConfig": {"caBundle": "LS0t"},
        "namespaceSelector": selector,
    });
    validating[0]["webhooks"].as_array_mut().unwrap().push(units);
    let namespace = |name: &str| json!({"metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}}});
    Snapshot {
        namespace: "ours".to_owned(),
        name: "admittance".to_owned(),
        api_server: json!({"major": "1", "minor": "36", "gitVersion": "v1.36.3"}),
        mutating: configuration(entry("mutate.admittance.dev", policy)),
        validating,
        namespaces: ["kube-system", "ours", "cni", "shop"].map(namespace).to_vec(),
        services: vec![json!({"metadata": {"name": "admittance"}, "spec": {"selector": {"app": "hook"}}})],
        pods: vec![pod("a", "n1"), pod("b", "n2"), json!({"metadata": {"name": "other", "labels": {"app": "x"}}})],
        budgets: vec![json!({"spec": {"selector": {"matchLabels": {"app": "hook"}}}})],
        ..Snapshot::default()
    }
}

/// `high: WHAT`
fn said(snapshot: &Snapshot) -> Vec<String> {
    let grade = |severity| match severity {
        Severity::High => "high",
        Severity::Medium => "medium",
        Severity::Low => "low",
    };
    let found = examine(snapshot, &Policies::read(snapshot));
    found.iter().map(|finding| format!("{}: {}", grade(finding.severity), finding.what)).collect()
}

#[test]
fn finds_nothing_in_a_sound_cluster() {
    for policy in ["Fail", "Ignore"] {
        assert_eq!(said(&sound(policy)), [""; 0]);
    }
}

#[test]
fn misses_configurations_entries_and_bundles() {
    let mut snapshot = sound("Ignore");
    snapshot.mutating.clear();
    snapshot.validating[0]["webhooks"][0]["name"] = json!("other");
    assert_eq!(
        said(&snapshot),
        [
            "high: there is no MutatingWebhookConfiguration admittance",
            "high: the ValidatingWebhookConfiguration admittance has no entry validate.admittance.dev",
        ]
    );
    let mut snapshot = sound("Fail");
    snapshot.mutating[0]["webhooks"][0]["clientConfig"]["caBundle"].take();
    assert_eq!(said(&snapshot), ["high: mutate.admittance.dev has no caBundle"]);
}

#[test]
fn looks_at_the_entry_for_policies_where_config_maps_hold_them() {
    let mut snapshot = sound("Fail");
    let entry = &mut snapshot.validating[0]["webhooks"][1];
    entry["failurePolicy"] = json!("Fail");
    entry["clientConfig"] = json!({});
    entry["namespaceSelector"]["matchExpressions"][0]["values"] = json!(["ours"]);
    assert_eq!(
        said(&snapshot),
        [
            "high: units.admittance.dev fails closed",
            "medium: units.admittance.dev has no caBundle",
            "low: units.admittance.dev does not select the namespace team",
        ]
    );
    snapshot.validating[0]["webhooks"].as_array_mut().unwrap().pop();
    let missing = "low: the ValidatingWebhookConfiguration admittance has no entry units.admittance.dev";
    assert_eq!(said(&snapshot), [missing]);
    for pod in &mut snapshot.pods {
        pod["spec"]["containers"] = json!([{"args": ["serve", "-p", "/policies"]}]);
    }
    assert_eq!(said(&snapshot), [""; 0]);
}

#[test]
fn sees_long_timeouts_and_old_api_servers() {
    let mut snapshot = sound("Ignore");
    snapshot.mutating[0]["webhooks"][0]["timeoutSeconds"] = json!(30);
    snapshot.api_server = json!({"major": "1", "minor": "27+", "gitVersion": "v1.27.1"});
    assert_eq!(
        said(&snapshot),
        ["high: the API server's version is v1.27.1", "medium: mutate.admittance.dev has a timeout of 30 s"]
    );
}

#[test]
fn sees_what_is_not_exempt() {
    let mut snapshot = sound("Fail");
    snapshot.validating[0]["webhooks"][0]["namespaceSelector"].take();
    snapshot.validating[0]["webhooks"][0]["matchConditions"][0].take();
    assert_eq!(
        said(&snapshot),
        [
            "high: validate.admittance.dev does not exempt the namespace kube-system",
            "high: validate.admittance.dev does not exempt the namespace kube-node-lease",
            "high: validate.admittance.dev does not exempt the namespace ours",
            "high: validate.admittance.dev sends nodes",
            "high: validate.admittance.dev sends events",
        ]
    );
    snapshot.validating[0]["webhooks"][0]["rules"][0]["resources"] = json!(["services"]);
    assert_eq!(said(&snapshot), [""; 0]);
}

#[test]
fn sees_what_a_closed_webhook_cannot_be_repaired_by() {
    let conditions = json!([{"name": "a", "expression": "!(request.resource.resource in ['nodes', 'leases', 'events', 'tokenreviews', 'subjectaccessreviews'])"}]);
    let with = |policy: &str| {
        let mut snapshot = sound(policy);
        snapshot.validating[0]["webhooks"][0]["matchConditions"] = conditions.clone();
        said(&snapshot)
    };
    assert_eq!(
        with("Fail"),
        [
            "medium: validate.admittance.dev sends changes of clusterroles named admittance",
            "medium: validate.admittance.dev sends changes of clusterrolebindings named admittance",
            "medium: validate.admittance.dev sends the ConfigMaps with policies in team",
        ]
    );
    assert_eq!(with("Ignore"), [""; 0]);
}

#[test]
fn counts_who_answers_for_a_closed_webhook() {
    let mut snapshot = sound("Fail");
    snapshot.pods[1]["spec"]["nodeName"] = json!("n1");
    snapshot.budgets.clear();
    let both = "mutate.admittance.dev and validate.admittance.dev refuse what is not judged, and";
    assert_eq!(
        said(&snapshot),
        [
            format!("medium: {both} no PodDisruptionBudget protects the pods"),
            format!("medium: {both} all pods run on one node"),
        ]
    );
    snapshot.pods[1]["status"]["conditions"][0]["status"] = json!("False");
    assert_eq!(said(&snapshot)[0], format!("high: {both} one pod answers"));
    let mut open = sound("Ignore");
    (open.pods, open.budgets) = (vec![], vec![]);
    assert_eq!(said(&open), [""; 0]);
}

#[test]
fn sees_others_that_hold_our_pods_back() {
    let mut snapshot = sound("Ignore");
    let pods = json!([{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}]);
    let other = |failure: &str, selector: Value| {
        json!({"metadata": {"name": "kyverno"}, "webhooks": [
            {"name": "k.example.com", "failurePolicy": failure, "rules": pods, "namespaceSelector": selector}]})
    };
    let expected = "medium: the webhook k.example.com of the ValidatingWebhookConfiguration kyverno judges pods in ours, and refuses them while nobody answers for it";
    snapshot.validating.push(other("Fail", json!({})));
    assert_eq!(said(&snapshot), [expected]);
    let exempt =
        json!({"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["ours"]}]});
    for harmless in [other("Ignore", json!({})), other("Fail", exempt)] {
        snapshot.validating[1] = harmless;
        assert_eq!(said(&snapshot), [""; 0]);
    }
}

#[test]
fn sees_agents_of_nodes_outside_of_exempt_namespaces() {
    let agent = |namespace: &str, spec: Value| json!({"metadata": {"name": "agent", "namespace": namespace}, "spec": {"template": {"metadata": {}, "spec": spec}}});
    let mut snapshot = sound("Fail");
    snapshot.daemon_sets = vec![
        agent("cni", json!({"hostNetwork": true})),
        agent("shop", json!({"hostNetwork": false})),
        agent("kube-system", json!({"hostNetwork": true})),
        agent("shop", json!({"priorityClassName": "system-node-critical"})),
    ];
    assert_eq!(
        said(&snapshot),
        [
            "high: the DaemonSet cni/agent uses the network of its nodes, and its namespace is not exempt",
            "high: the DaemonSet shop/agent has the priority system-node-critical, and its namespace is not exempt",
        ]
    );
}

fn config_map(namespace: &str, name: &str, module: &str) -> Value {
    let text = format!(
        "apiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: {name} }}\nspec: {{ module: {module} }}\n"
    );
    json!({"metadata": {"name": name, "namespace": namespace}, "data": {"a.yaml": text}})
}

#[test]
fn sees_policies_that_are_broken_or_unread_or_never_asked() {
    let mut snapshot = sound("Ignore");
    snapshot.config_maps = vec![
        config_map("ours", "a", "host-prots"),
        config_map("elsewhere", "b", "host-ports"),
        config_map("team", "c", "set-image-pull-policy"),
    ];
    snapshot.mutating[0]["webhooks"][0]["rules"][0]["resources"] = json!(["services"]);
    let found = said(&snapshot);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(
        found[0].starts_with("high: policy `c` is never asked: mutate.admittance.dev has no rule for CREATE of pods, "),
        "{}",
        found[0]
    );
    assert_eq!(
        found[1..],
        [
            "medium: the ConfigMap elsewhere/b has policies, and nobody watches its namespace",
            "medium: the ConfigMap ours/a is broken: ours/a/a.yaml:4:17: error: unknown value `host-prots`, did you mean `host-ports`?",
        ]
    );
}

#[test]
fn asks_for_the_rights_that_policies_need_and_says_which_are_lacking() {
    let mut snapshot = sound("Ignore");
    snapshot.config_maps = vec![config_map("ours", "a", "disruption-budget")];
    let mut policies = Policies::read(&snapshot);
    let rights = policies.rights(&snapshot);
    let names: Vec<&str> = rights.iter().map(|right| right.name.as_str()).collect();
    assert!(
        names.contains(&"list poddisruptionbudgets.policy") && names.contains(&"get configmaps in team"),
        "{names:?}"
    );
    assert!(
        names.contains(&"watch mutatingwebhookconfigurations.admissionregistration.k8s.io \"admittance\""),
        "{names:?}"
    );
    assert_eq!(rights[0].review["spec"]["user"], "system:serviceaccount:ours:hook");
    policies.lack(vec!["list poddisruptionbudgets.policy".to_owned()], None);
    let found = examine(&snapshot, &policies);
    assert_eq!(found[0].what, "the servers may not list poddisruptionbudgets.policy");
}

#[test]
fn verifies_the_certificate_that_is_served_with_the_bundle() {
    use k8s_openapi::ByteString;
    let made = |name: &str| crate::certificates::self_signed(&[name.to_owned()]).unwrap().pem;
    let encoded = |text: &str| serde_json::to_value(ByteString(text.as_bytes().to_vec())).unwrap();
    let mut snapshot = sound("Fail");
    let served = made("admittance.ours.svc");
    snapshot.secrets.insert("hook-tls".to_owned(), json!({"data": {"tls.crt": encoded(&served)}}));
    for all in [&mut snapshot.mutating, &mut snapshot.validating] {
        all[0]["webhooks"][0]["clientConfig"]["caBundle"] = encoded(&served);
    }
    assert_eq!(said(&snapshot), [""; 0]);
    snapshot.mutating[0]["webhooks"][0]["clientConfig"]["caBundle"] = encoded(&made("admittance.ours.svc"));
    let found = said(&snapshot);
    assert_eq!(found.len(), 1, "{found:?}");
    let expected = "high: the caBundle of mutate.admittance.dev does not verify the certificate in the Secret hook-tls for admittance.ours.svc: ";
    assert!(found[0].starts_with(expected), "{found:?}");
    let elsewhere = made("other.ours.svc");
    snapshot.secrets.insert("hook-tls".to_owned(), json!({"data": {"tls.crt": encoded(&elsewhere)}}));
    for all in [&mut snapshot.mutating, &mut snapshot.validating] {
        all[0]["webhooks"][0]["clientConfig"]["caBundle"] = encoded(&elsewhere);
    }
    assert_eq!(said(&snapshot).len(), 2);
}

#[test]
fn finds_twins_that_are_not_what_their_policies_are() {
    let policy = |name: &str, module: &str| {
        format!(
            "apiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: {name} }}\nspec: {{ module: {module} }}\n---\n"
        )
    };
    let text = policy("ports", "host-ports") + &policy("paths", "host-path") + &policy("hosts", "unique-ingress-hosts");
    let mut snapshot = sound("Ignore");
    snapshot.config_maps = vec![json!({
        "metadata": {"name": "p", "namespace": "ours", "labels": {"admittance.dev/policies": "true"}},
        "data": {"p.yaml": text},
    })];
    assert_eq!(said(&snapshot), [""; 0], "who has no twins wants none");
    let twin = |of: &str| {
        json!({"metadata": {"name": format!("admittance-twin-{of}"), "annotations": {
            "admittance.dev/twin-of": of, "admittance.dev/source-digest": "sha256:00"}}})
    };
    snapshot.twins = vec![twin("ports"), twin("gone")];
    assert_eq!(
        said(&snapshot),
        [
            "medium: the twin of policy \"ports\" is stale: the policy has changed since",
            "medium: the twin \"admittance-twin-gone\" is of a policy that is no more",
            "low: policy \"paths\" has no twin, and others have",
            "low: policy \"hosts\" can have no twin: it looks up other objects in the cluster, which a \
             ValidatingAdmissionPolicy cannot",
        ]
    );
}
