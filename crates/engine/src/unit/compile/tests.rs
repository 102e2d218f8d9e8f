use super::*;
use crate::document::Paint;

fn problems(text: &str) -> Vec<String> {
    let unit = Unit::of_file(SourceFile::new("p.yaml", text));
    match compile(&unit) {
        Ok(unit) => unit.warnings().iter().map(ToString::to_string).collect(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

/// A policy document with this spec.
fn policy(spec: &str) -> String {
    format!("apiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: p }}\nspec: {spec}\n")
}

fn problem(spec: &str) -> String {
    problems(&policy(spec)).join("\n")
}

#[test]
fn accepts_a_module_alone_and_every_field() {
    assert_eq!(problem("{ module: host-ports }"), "");
    let full = "
  module: host-ports
  settings: { allowed: ['8000-8080'] }
  actions: [Warn, Audit]
  failurePolicy: Ignore
  existing: Deny
  matchConstraints:
    namespaceSelector: { matchLabels: { a: b } }
    resourceRules:
    - { apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [CREATE] }
  namespaces: { include: [], exclude: ['sandbox-*'] }
  message: no host ports here
  matchConditions: []
  exceptions: []";
    assert_eq!(problem(full), "");
    assert_eq!(problem("{ module: add-labels, settings: { labels: { a: b } }, actions: [Audit], order: -3 }"), "");
}

#[test]
fn reports_all_problems_of_a_file_with_carets() {
    let text = "\
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata:
  name: Web
spec:
  modul: host-ports
  settings: { allowed: [80] }
  failurePolicy: Fial
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: ports }
spec:
  module: host-port
  actions: [Deny, Wran]
";
    let unit = Unit::of_file(SourceFile::new("p.yaml", text));
    let pages: Vec<String> =
        compile(&unit).unwrap_err().iter().map(|problem| problem.render(Paint::Plain).trim_end().to_owned()).collect();
    assert_eq!(
        pages.join("\n\n"),
        "\
error: invalid name `Web`: expected at most 63 lower case letters, digits, `-` and `.`, with a letter or digit at both ends
 --> p.yaml:4:9
  |
4 |   name: Web
  |         ^^^

error: missing field `module`, or instead of it `validations` or `mutations`
 --> p.yaml:5:1
  |
5 | spec:
  | ^^^^

error: unknown field `modul`, did you mean `module`?
 --> p.yaml:6:3
  |
6 |   modul: host-ports
  |   ^^^^^

error: unknown value `Fial`, did you mean `Fail`?
 --> p.yaml:8:18
  |
8 |   failurePolicy: Fial
  |                  ^^^^

error: unknown value `host-port`, did you mean `host-ports`?
  --> p.yaml:14:11
   |
14 |   module: host-port
   |           ^^^^^^^^^

error: unknown value `Wran`, did you mean `Warn`?
  --> p.yaml:15:19
   |
15 |   actions: [Deny, Wran]
   |                   ^^^^"
    );
}

#[test]
fn rejects_actions_that_do_not_go_together_or_with_the_module() {
    assert_eq!(
        problem("{ module: host-ports, actions: [Deny, Warn] }"),
        "p.yaml:4:38: error: Deny and Warn exclude each other: a denied request's user sees the denial"
    );
    assert_eq!(
        problem("{ module: host-ports, actions: [] }"),
        "p.yaml:4:38: error: expected at least one of Deny, Warn, Audit"
    );
    assert_eq!(
        problem("{ module: host-ports, actions: [Deny, Deny] }"),
        "p.yaml:4:38: error: an action stands here twice"
    );
    assert_eq!(
        problem("{ module: host-ports, actions: [Mutate] }"),
        "p.yaml:4:38: error: a policy that judges takes the actions Deny, Warn, Audit"
    );
    assert_eq!(
        problem("{ module: add-labels, settings: { labels: { a: b } }, actions: [Deny] }"),
        "p.yaml:4:70: error: a policy that changes objects takes the actions [Mutate] or [Audit]"
    );
    assert_eq!(
        problem("{ module: host-ports, order: 1 }"),
        "p.yaml:4:36: error: `order` is for policies that change objects, `host-ports` judges"
    );
    assert_eq!(
        problem("{ module: add-labels, settings: { labels: { a: b } }, message: m, existing: Deny }"),
        "p.yaml:4:70: error: `message` is for policies that judge, `add-labels` changes objects\n\
         p.yaml:4:83: error: `existing` is for policies that judge, `add-labels` changes objects"
    );
}

#[test]
fn names_what_this_version_does_not_support() {
    assert_eq!(
        problem("{ module: host-ports, exceptions: [{}] }"),
        "p.yaml:4:29: error: `exceptions` is not supported by this version"
    );
}

#[test]
fn rejects_documents_that_are_no_policies() {
    assert_eq!(
        problems("apiVersion: v1\nkind: Pod\n"),
        [
            "p.yaml:1:13: error: Pod of v1 is no policy: expected apiVersion admittance.dev/v1alpha1 and kind Policy, a policy of admissionregistration.k8s.io/v1, a ConfigMap that holds them, or a parameter of one of them"
        ]
    );
    assert_eq!(
        problems("apiVersion: admittance.dev/v1alpha1\nkind: Polcy\n"),
        ["p.yaml:2:7: error: unknown kind `Polcy`, accepted are Policy and PolicyTest"]
    );
    assert_eq!(problems("kind: Policy\n"), ["p.yaml:1:1: error: a document needs apiVersion and kind"]);
    assert_eq!(problems("- a\n"), ["p.yaml:1:1: error: expected a document with apiVersion and kind, found a list"]);
    assert_eq!(problems("# nothing\n---\n"), [""; 0]);
}

#[test]
fn rejects_a_name_that_stands_twice_in_a_unit() {
    let twice = format!("{}---\n{}", policy("{ module: host-ports }"), policy("{ module: latest-tag }"));
    let unit = Unit::of_file(SourceFile::new("p.yaml", twice));
    let problems = compile(&unit).unwrap_err();
    assert_eq!(problems[0].to_string(), "p.yaml:8:19: error: policy `p` is defined twice");
    assert_eq!(problems[0].related[0].1, "first defined here");
}

#[test]
fn puts_problems_of_settings_and_rules_where_they_stand() {
    assert_eq!(
        problem("{ module: host-ports, settings: { allowed: ['80', 90000x] } }"),
        "p.yaml:4:57: error: \"90000x\" names no ports: expected 1 to 65535, or a range such as \"8000-8080\""
    );
    assert_eq!(
        problem("{ module: host-ports, matchConstraints: { resourceRules: [] } }").split(": error").next(),
        Some("p.yaml:4:64")
    );
    assert_eq!(
        problem("{ module: host-ports, namespaces: { exclude: ['Bad_Name'] } }").split(": error").next(),
        Some("p.yaml:4:53")
    );
}

const CONFIG_MAP: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: policies
  labels: { admittance.dev/policies: \"true\" }
data:
  ports.yaml: |
    apiVersion: admittance.dev/v1alpha1
    kind: Policy
    metadata: { name: ports }
    spec: { module: host-ports }
  labels.yaml: |
    # comment
    apiVersion: admittance.dev/v1alpha1
    kind: Policy
    metadata: { name: labels }
    spec: { module: host-portz }
";

#[test]
fn shows_problems_inside_a_config_map_in_the_file_around_it() {
    assert_eq!(problems(CONFIG_MAP), ["p.yaml:17:21: error: unknown value `host-portz`, did you mean `host-ports`?"]);
    let sound = CONFIG_MAP.replace("host-portz", "latest-tag");
    let unit = compile(&Unit::of_file(SourceFile::new("p.yaml", sound))).unwrap();
    let policies: Vec<(String, u32)> = unit.policies().into_iter().map(|policy| (policy.name, policy.line)).collect();
    assert_eq!(policies, [("labels".to_owned(), 16), ("ports".to_owned(), 10)]);
}

#[test]
fn warns_about_a_config_map_without_the_label_and_rejects_other_keys() {
    let unlabelled = CONFIG_MAP.replace("host-portz", "latest-tag").replace("\"true\"", "\"yes\"");
    assert_eq!(
        problems(&unlabelled),
        [
            "p.yaml:3:1: warning: in a cluster this ConfigMap is not read: it lacks the label `admittance.dev/policies: \"true\"`"
        ]
    );
    let misnamed = CONFIG_MAP.replace("host-portz", "latest-tag").replace("ports.yaml", "ports.txt");
    assert_eq!(problems(&misnamed), ["p.yaml:7:3: error: the key `ports.txt` must end in .yaml, .yml or .json"]);
}

#[test]
fn has_a_digest_that_follows_names_and_contents() {
    let digest = |name: &str, text: &str| Unit::of_file(SourceFile::new(name, text)).digest();
    assert_eq!(digest("a", "b"), digest("a", "b"));
    assert_ne!(digest("a", "b"), digest("a", "c"));
    assert_ne!(digest("a", "b"), digest("c", "b"));
    assert_eq!(digest("a", "b").len(), 64);
}

#[test]
fn names_the_policies_that_cannot_work_without_a_cluster() {
    let spec = "{ module: host-ports, matchConstraints: { namespaceSelector: { matchLabels: { a: b } } } }";
    let unit = compile(&Unit::of_file(SourceFile::new("p.yaml", policy(spec)))).unwrap();
    let problems: Vec<String> = unit.needing_a_cluster().iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "p.yaml:3:19: error: policy `p` has a namespaceSelector, and this server does not know the labels of namespaces: select them by name under `namespaces`"
        ]
    );
    let rules = "matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods] }] }";
    let needing = |text: String| {
        let unit = compile(&Unit::of_file(SourceFile::new("p.yaml", text))).unwrap();
        unit.needing_a_cluster().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let asks = |what: &str| {
        let end = "and this server has no cluster to ask: name one with --kubeconfig";
        vec![format!("p.yaml:3:19: error: {what}, {end}")]
    };
    let own = |expression: &str| policy(&format!("{{ {rules}, validations: [{{ expression: \"{expression}\" }}] }}"));
    let reads = "namespaceObject.metadata.name == 'a'";
    assert_eq!(needing(own(reads)), asks("policy `p` reads namespaceObject"));
    let may = "authorizer.requestResource.check('x').allowed()";
    let conditioned = format!("{{ module: host-ports, matchConditions: [{{ name: may, expression: \"{may}\" }}] }}");
    assert_eq!(needing(policy(&conditioned)), asks("policy `p` asks the authorizer"));
    let native = |kind: &str, spec: &str| {
        format!("apiVersion: admissionregistration.k8s.io/v1\nkind: {kind}\nmetadata: {{ name: p }}\nspec: {spec}\n")
    };
    let validating = |expression: &str| {
        native(
            "ValidatingAdmissionPolicy",
            &format!("{{ {rules}, validations: [{{ expression: \"{expression}\" }}] }}"),
        )
    };
    assert_eq!(needing(validating(reads)), asks("policy `p` reads namespaceObject"));
    assert_eq!(needing(validating(may)), asks("policy `p` asks the authorizer"));
    let selecting = "{ policyName: p, validationActions: [Deny], matchResources: { namespaceSelector: { matchLabels: { a: b } } } }";
    let binding = native("ValidatingAdmissionPolicyBinding", selecting);
    assert_eq!(needing(binding), asks("binding `p` has a namespaceSelector"));
    assert!(needing(validating("object.metadata.name != 'a'")).is_empty());
    assert!(needing(policy("{ module: host-ports }")).is_empty());
    let labelled = policy(
        "{ module: pod-security, settings: { namespaceLabels: true }, matchConditions: [{ name: a, expression: 'true' }] }",
    );
    assert_eq!(needing(labelled), asks("policy `p` reads the labels of namespaces"));
    assert!(needing(policy("{ module: pod-security }")).is_empty());
}

#[test]
fn tells_versions_of_a_policy_by_what_it_says() {
    let versions = |text: &str| {
        let unit = compile(&Unit::of_file(SourceFile::new("p.yaml", text))).unwrap();
        unit.versions().to_vec()
    };
    let one = versions(&policy("{ module: host-ports, actions: [Audit] }"));
    assert_eq!(one.iter().map(|(name, digest)| (name.as_str(), digest.len())).collect::<Vec<_>>(), [("p", 16)]);
    let same = policy("\n  # in any order\n  actions:\n  - Audit\n  module: \"host-ports\"");
    assert_eq!(versions(&same), one);
    assert_eq!(versions(&same.replace("name: p", "name: p, labels: {a: b}")), one);
    assert_ne!(versions(&same.replace("Audit", "Warn")), one);
    let binding = "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: { name: b }\nspec: { policyName: p, validationActions: [Warn] }\n";
    let (warns, audits) = (versions(binding), versions(&binding.replace("Warn", "Audit")));
    assert_eq!(warns[0].0, "p");
    assert_ne!(warns, audits);
    let nested = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: c, labels: {{ admittance.dev/policies: \"true\" }} }}\ndata:\n  a.yaml: |\n    {}",
        same.replace('\n', "\n    ")
    );
    assert_eq!(versions(&nested), one);
}
