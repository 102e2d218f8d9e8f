use admittance_engine::document::SourceFile;
use admittance_engine::unit::Unit;
use serde_json::{Value, json};

use super::*;

fn policy(name: &str, module: &str) -> String {
    format!(
        "apiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: {name} }}\nspec: {{ module: {module} }}\n"
    )
}

fn config_map(name: &str, text: &str) -> Value {
    let labels = json!({"admittance.dev/policies": "true"});
    json!({"metadata": {"name": name, "namespace": "ns", "labels": labels}, "data": {"a.yaml": text}})
}

/// One unit `ns/there` runs.
fn active(text: &str) -> Active {
    let file = SourceFile::new("ns/there/a.yaml", text);
    let compiled = compile(&Unit { name: "ns/there".to_owned(), files: vec![file] }).unwrap();
    Active { compiled: vec![compiled], ..Active::default() }
}

fn ask(request: &Value) -> Value {
    ask_where(request, None)
}

fn ask_where(request: &Value, entries: Option<&Entries>) -> Value {
    let mut whole = json!({"uid": "u", "operation": "CREATE", "userInfo": {"username": "ann"}});
    whole.as_object_mut().unwrap().extend(request.as_object().unwrap().clone());
    let body = json!({"request": whole}).to_string();
    let answer = judge(body.as_bytes(), &active(&policy("ports", "host-ports")), entries).unwrap();
    serde_json::from_slice::<Value>(&answer).unwrap()["response"].take()
}

fn refused(request: &Value) -> String {
    let response = ask(request);
    assert_eq!((&response["allowed"], &response["status"]["code"]), (&json!(false), &json!(422)));
    response["status"]["message"].as_str().unwrap().to_owned()
}

/// The warnings of an answer that allows.
fn allowed(request: &Value) -> Vec<String> {
    let response = ask(request);
    assert_eq!(response["allowed"], true, "{response}");
    response["warnings"].as_array().into_iter().flatten().map(|it| it.as_str().unwrap().to_owned()).collect()
}

#[test]
fn refuses_what_is_broken_with_its_place() {
    assert_eq!(
        refused(&json!({"object": config_map("new", &policy("x", "host-prots"))})).lines().take(3).collect::<Vec<_>>(),
        [
            "the policies are broken",
            "error: unknown value `host-prots`, did you mean `host-ports`?",
            " --> ns/new/a.yaml:4:17"
        ]
    );
    let mut odd = config_map("new", "");
    odd["data"] = json!({"notes.txt": ""});
    assert_eq!(refused(&json!({"object": odd})), "ns/new: the key `notes.txt` must end in .yaml, .yml or .json");
}

#[test]
fn refuses_policies_that_do_not_pass_their_tests() {
    let test = "---\napiVersion: admittance.dev/v1alpha1\nkind: PolicyTest\nmetadata: { name: t }\nspec:\n  cases:\n  - name: root\n    object: { apiVersion: v1, kind: Pod }\n    expect:\n      allowed: ";
    let unit = |allowed: bool| config_map("new", &format!("{}{test}{allowed}\n", policy("x", "privileged")));
    assert_eq!(
        refused(&json!({"object": unit(false)})),
        "\
the policies are not proven
error: test `t`, case `root` fails: allowed: expected false, got true
  --> ns/new/a.yaml:14:7
   |
14 |       allowed: false
   |       ^^^^^^^"
    );
    assert!(allowed(&json!({"object": unit(true)})).is_empty());
}

#[test]
fn refuses_the_name_of_a_policy_that_another_unit_has() {
    let message = refused(&json!({"object": config_map("new", &policy("ports", "privileged"))}));
    let expected =
        "error: policy `ports` is defined in ns/there already: all of ns/new is left out until one of them is renamed";
    assert_eq!(message.lines().nth(1).unwrap(), expected);
    // The unit itself may change.
    assert!(
        allowed(&json!({"operation": "UPDATE", "object": config_map("there", &policy("ports", "privileged")),
        "oldObject": config_map("there", "")}))
        .is_empty()
    );
}

#[test]
fn lets_pass_what_changes_no_policy_and_those_who_clean_up() {
    let broken = config_map("new", "broken");
    assert!(allowed(&json!({"operation": "UPDATE", "object": broken, "oldObject": broken})).is_empty());
    for cleaner in CLEANERS {
        let user = json!({"username": cleaner});
        let there = config_map("there", "");
        assert!(allowed(&json!({"operation": "DELETE", "oldObject": there, "userInfo": user})).is_empty());
    }
}

#[test]
fn warns_when_the_last_one_that_enforces_goes_or_loses_its_label() {
    let there = config_map("there", "");
    let expected = ["ns/there is the last one with policies that deny or mutate: nothing is enforced any more"];
    assert_eq!(allowed(&json!({"operation": "DELETE", "oldObject": there})), expected);
    let mut bare = there.clone();
    bare["metadata"]["labels"] = json!({});
    assert_eq!(allowed(&json!({"operation": "UPDATE", "object": bare, "oldObject": there})), expected);
    assert!(allowed(&json!({"operation": "DELETE", "oldObject": config_map("other", "")})).is_empty());
}

#[test]
fn warns_about_what_is_too_large_for_kubectl() {
    let text = format!("{}# {}\n", policy("x", "host-ports"), "-".repeat(256 << 10));
    let warnings = allowed(&json!({"object": config_map("new", &text)}));
    assert_eq!(
        warnings,
        ["ns/new has 262247 bytes: over 262144 a client-side `kubectl apply` fails, use --server-side or split it"]
    );
}

#[test]
fn refuses_a_body_that_is_no_review_of_a_config_map() {
    let error = judge(b"{}", &Active::default(), None).unwrap_err();
    assert_eq!(error, "expected an AdmissionReview of a ConfigMap: missing field `request` at line 1 column 2");
}

#[test]
fn refuses_policies_that_would_never_be_asked_and_warns_of_those_that_are_not_asked_about_everything() {
    let configuration = json!({"webhooks": [{"name": "validate.admittance.dev", "rules": [
        {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["services", "pods"]}]}]});
    let entries = Entries {
        mutate: crate::cluster::webhooks::entry(&json!({}), "mutate.admittance.dev"),
        validate: crate::cluster::webhooks::entry(&configuration, "validate.admittance.dev"),
    };
    let answer = |module: &str| ask_where(&json!({"object": config_map("new", &policy("x", module))}), Some(&entries));
    assert_eq!(
        answer("set-image-pull-policy")["status"]["message"],
        "policies would never be asked\npolicy `x` is never asked: mutate.admittance.dev has no rule for CREATE of pods, and for UPDATE of pods/ephemeralcontainers; add {operations: [CREATE], apiGroups: [\"\"], apiVersions: [\"*\"], resources: [pods]}, {operations: [UPDATE], apiGroups: [\"\"], apiVersions: [\"*\"], resources: [pods/ephemeralcontainers]}"
    );
    let partly = answer("service-types");
    assert_eq!(partly["allowed"], true);
    let warning = partly["warnings"][0].as_str().unwrap();
    assert!(warning.starts_with("policy `x` is not asked about everything: validate.admittance.dev has no rule for UPDATE of services; add {"), "{warning}");
    assert_eq!(allowed(&json!({"object": config_map("new", &policy("x", "set-image-pull-policy"))})), [""; 0]);
}

#[test]
fn refuses_mutations_that_pile_up_and_conflicts_that_are_new() {
    let piles = "\
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: side }
spec:
  matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods] }] }
  mutations:
  - patchType: JSONPatch
    jsonPatch: { expression: '[JSONPatch{op: \"add\", path: \"/spec/containers/-\", value: {\"name\": \"side\"}}]' }
";
    let said = refused(&json!({"object": config_map("new", piles)}));
    assert!(said.contains("error: policy `side` changes an object again that it has changed already\n"), "{said}");
    assert!(said.contains("note: the second run: [{\"op\":\"add\""), "{said}");

    let label =
        |name: &str, team: &str| policy(name, &format!("add-labels, settings: {{ labels: {{ team: {team} }} }}"));
    let both = format!("{}---\n{}", label("a", "shop"), label("b", "bank"));
    let said = refused(&json!({"object": config_map("new", &both)}));
    let expected = "\
policies want different values for one field
warning: policies `a` and `b` want different values for metadata.labels.team: \"shop\" and \"bank\"; give them different `order`, so that the later one is meant
";
    assert!(said.starts_with(expected), "{said}");
    let meant = both.replacen("spec: {", "spec: { order: 1,", 1);
    assert!(allowed(&json!({"object": config_map("new", &meant)})).is_empty());
}
