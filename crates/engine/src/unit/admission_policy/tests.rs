use crate::document::SourceFile;
use crate::set::link;
use crate::unit::{Unit, compile};

fn problems(text: &str) -> Vec<String> {
    let unit = Unit::of_file(SourceFile::new("p.yaml", text));
    match compile(&unit) {
        Ok(unit) => unit.warnings().iter().map(ToString::to_string).collect(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

const RULE: &str = "{ apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods] }";

fn validating(spec: &str) -> String {
    format!(
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {{ name: p }}\nspec:\n\
         \x20 matchConstraints: {{ resourceRules: [{RULE}] }}\n{spec}"
    )
}

fn mutating(spec: &str) -> String {
    format!(
        "apiVersion: admissionregistration.k8s.io/v1beta1\nkind: MutatingAdmissionPolicy\nmetadata: {{ name: p }}\nspec:\n\
         \x20 matchConstraints: {{ resourceRules: [{RULE}] }}\n{spec}"
    )
}

fn binding(spec: &str) -> String {
    format!(
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicyBinding\nmetadata: {{ name: b }}\n\
         spec: {spec}\n"
    )
}

#[test]
fn accepts_documents_as_a_cluster_exports_them() {
    let text = "\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: p
  uid: 0f4b
  creationTimestamp: null
  managedFields: []
spec:
  failurePolicy: Ignore
  paramKind: { apiVersion: rules.example.com/v1, kind: ReplicaLimit }
  matchConstraints:
    matchPolicy: Equivalent
    namespaceSelector: {}
    objectSelector: {}
    resourceRules:
    - { apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments], scope: '*' }
  matchConditions: [{ name: a, expression: \"object.metadata.name != params.name\" }]
  variables: [{ name: count, expression: object.spec.replicas }]
  validations:
  - expression: variables.count <= params.most
    messageExpression: \"'at most ' + string(params.most)\"
    reason: Forbidden
  auditAnnotations: [{ key: count, valueExpression: string(variables.count) }]
status: { observedGeneration: 1 }
";
    assert_eq!(problems(text), [""; 0]);
}

#[test]
fn rejects_what_the_api_server_rejects_with_its_words() {
    let text = validating(
        "  failurePolicy: Never
  paramKind: { apiVersion: a/b/c, kind: 1x }
  matchConditions:
  - { expression: 'true' }
  - { name: 'a b', expression: ' ' }
  variables: [{ name: in, expression: '1' }]
  validations:
  - { expression: '' }
  - { expression: 'true', message: ' ', messageExpression: ' ', reason: Nope }
  - { expression: 'true', message: \"a\\nb\" }
  auditAnnotations:
  - { key: k, valueExpression: 'null' }
  - { key: k, valueExpression: '' }
",
    );
    assert_eq!(
        problems(&text),
        [
            "p.yaml:6:18: error: spec.failurePolicy: Unsupported value: \"Never\": supported values: \"Fail\", \"Ignore\"",
            "p.yaml:7:28: error: spec.paramKind.apiVersion: Invalid value: \"a/b/c\": unexpected GroupVersion string: a/b/c",
            "p.yaml:7:41: error: spec.paramKind.kind: Invalid value: \"1x\": may have mixed case, but should otherwise match: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
            "p.yaml:9:5: error: spec.matchConditions[0].name: Required value",
            "p.yaml:10:13: error: spec.matchConditions[1].name: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
            "p.yaml:10:32: error: spec.matchConditions[1].expression: Required value",
            "p.yaml:11:23: error: spec.variables[0].name: Invalid value: \"in\": must be a valid CEL identifier",
            "p.yaml:13:19: error: spec.validations[0].expression: Required value: expression is not specified",
            "p.yaml:14:36: error: spec.validations[1].message: Invalid value: \" \": must be non-empty if specified",
            "p.yaml:14:60: error: spec.validations[1].messageExpression: Invalid value: \" \": must be non-empty if specified",
            "p.yaml:14:73: error: spec.validations[1].reason: Unsupported value: \"Nope\": supported values: \"Forbidden\", \"Invalid\", \"RequestEntityTooLarge\"",
            "p.yaml:15:36: error: spec.validations[2].message: Invalid value: \"a\\nb\": must not contain line breaks",
            "p.yaml:18:12: error: spec.auditAnnotations[1].key: Duplicate value: \"k\"",
            "p.yaml:18:32: error: spec.auditAnnotations[1].valueExpression: Required value: valueExpression is not specified",
        ]
    );
}

#[test]
fn points_into_expressions_also_in_block_scalars() {
    let text = validating(
        "  validations:
  - expression: |
      object.metadata.name == 'a' &&
        object.spec.replicas ? 1 : 'x'
  - expression: \"1 +\\n 1\"
",
    );
    let found = problems(&text);
    assert!(found[0].starts_with("p.yaml:8:7: error: spec.validations[0].expression: found no"), "{found:?}");
    assert_eq!(
        found[1],
        "p.yaml:10:17: error: spec.validations[1].expression: Invalid value: \"1 +\\n 1\": must evaluate to bool but got int"
    );
}

#[test]
fn rejects_policies_that_say_nothing_and_rules_that_cannot_be() {
    let bare = "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {}\n";
    assert_eq!(
        problems(bare),
        [
            "p.yaml:1:1: error: spec.matchConstraints: Required value",
            "p.yaml:1:1: error: spec.validations: Required value: validations or auditAnnotations must contain at least one item",
            "p.yaml:1:1: error: spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item",
            "p.yaml:3:11: error: metadata.name: Required value: name or generateName is required",
        ]
    );
    let rule = "{ apiGroups: ['*', a], apiVersions: [''], operations: [create], resources: ['*', pods], scope: All }";
    let text = validating("  validations: [{ expression: 'true' }]\n").replace(RULE, rule);
    assert_eq!(
        problems(&text),
        [
            "p.yaml:5:52: error: spec.matchConstraints.resourceRules[0].apiGroups: Invalid value: [\"*\",\"a\"]: if '*' is present, must not specify other API groups",
            "p.yaml:5:76: error: spec.matchConstraints.resourceRules[0].apiVersions[0]: Required value",
            "p.yaml:5:94: error: spec.matchConstraints.resourceRules[0].operations[0]: Unsupported value: \"create\": supported values: \"*\", \"CONNECT\", \"CREATE\", \"DELETE\", \"UPDATE\"",
            "p.yaml:5:114: error: spec.matchConstraints.resourceRules[0].resources: Invalid value: [\"*\",\"pods\"]: if '*' is present, must not specify other resources without subresources",
            "p.yaml:5:134: error: spec.matchConstraints.resourceRules[0].scope: Unsupported value: \"All\": supported values: \"*\", \"Cluster\", \"Namespaced\"",
        ]
    );
}

#[test]
fn rejects_mutations_of_deletions_and_of_two_kinds_at_once() {
    let text = mutating(
        "  mutations:
  - { patchType: JSONPatch, applyConfiguration: { expression: 'Object{}' } }
  - { patchType: Merge }
  - { patchType: ApplyConfiguration, applyConfiguration: { expression: '1' } }
",
    )
    .replace("[CREATE]", "[DELETE]");
    assert_eq!(
        problems(&text),
        [
            "p.yaml:5:3: error: spec.reinvocationPolicy: Required value",
            "p.yaml:5:90: error: spec.matchConstraints.resourceRules.operations: Unsupported value: \"DELETE\": supported values: \"*\", \"CONNECT\", \"CREATE\", \"UPDATE\"",
            "p.yaml:7:5: error: spec.mutations[0].jsonPatch: Required value: must be specified when patchType is JSONPatch",
            "p.yaml:7:49: error: spec.mutations[0].applyConfiguration: Invalid value: \"{applyConfiguration}\": must not be specified when patchType is JSONPatch",
            "p.yaml:8:18: error: spec.mutations[1].patchType: Unsupported value: \"Merge\": supported values: \"ApplyConfiguration\", \"JSONPatch\"",
            "p.yaml:9:72: error: spec.mutations[2].applyConfiguration.expression: Invalid value: \"1\": must evaluate to Object but got int",
        ]
    );
}

#[test]
fn rejects_bindings_that_name_nothing() {
    assert_eq!(
        problems(&binding(
            "{ policyName: P, validationActions: [Deny, Warn, Warn, Maybe], paramRef: { name: a, selector: {} } }"
        )),
        [
            "p.yaml:4:21: error: spec.policyName: Invalid value: \"P\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
            "p.yaml:4:43: error: spec.validationActions: Invalid value: [\"Deny\",\"Warn\",\"Warn\",\"Maybe\"]: must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)",
            "p.yaml:4:56: error: spec.validationActions[2]: Duplicate value: \"Warn\"",
            "p.yaml:4:62: error: spec.validationActions[3]: Unsupported value: \"Maybe\": supported values: \"Audit\", \"Deny\", \"Warn\"",
            "p.yaml:4:80: error: spec.paramRef.parameterNotFoundAction: Required value",
            "p.yaml:4:88: error: spec.paramRef.name: Forbidden: name and selector are mutually exclusive",
            "p.yaml:4:101: error: spec.paramRef.selector: Forbidden: name and selector are mutually exclusive",
        ]
    );
}

#[test]
fn rejects_other_versions_kinds_and_unknown_fields() {
    let text = validating("  validations: [{ expression: 'true' }]\n");
    assert_eq!(
        problems(&text.replace("/v1\n", "/v1alpha1\n")),
        [
            "p.yaml:1:13: error: ValidatingAdmissionPolicy of admissionregistration.k8s.io/v1alpha1 is not read: write it as admissionregistration.k8s.io/v1, which has the same fields"
        ]
    );
    assert_eq!(
        problems("apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\n"),
        [
            "p.yaml:2:7: error: ValidatingWebhookConfiguration of admissionregistration.k8s.io is no policy: expected ValidatingAdmissionPolicy, MutatingAdmissionPolicy or a binding of one"
        ]
    );
    assert_eq!(
        problems(&validating("  validation: [{ expression: 'true' }]\n")),
        ["p.yaml:6:3: error: unknown field `validation`, did you mean `validations`?"]
    );
}

#[test]
fn does_not_let_new_conditions_use_variables() {
    let text = validating(
        "  variables: [{ name: a, expression: 'true' }]
  matchConditions: [{ name: c, expression: variables.a }]
  validations: [{ expression: variables.a }]
",
    );
    let found = problems(&text);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("p.yaml:7:44: error: spec.matchConditions[0].expression: undefined field 'a'"),
        "{found:?}"
    );
}

#[test]
fn reports_policies_without_bindings_bindings_without_policies_and_objects_that_nobody_wants() {
    let linked = |text: &str| {
        let unit = compile(&Unit::of_file(SourceFile::new("p.yaml", text))).unwrap();
        let (set, problems) = link(&[unit]);
        (set.len(), problems.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let policy = validating("  validations: [{ expression: 'true' }]\n");
    let bound = binding("{ policyName: p, validationActions: [Deny] }");
    assert_eq!(linked(&format!("{policy}---\n{bound}")), (1, vec![]));
    assert_eq!(
        linked(&policy),
        (0, vec!["p.yaml:3:19: warning: policy `p` has no binding: it is loaded and does nothing".to_owned()])
    );
    assert_eq!(
        linked(&bound),
        (
            0,
            vec![
                "p.yaml:3:19: warning: binding `b` puts nothing in force: there is no ValidatingAdmissionPolicy/p"
                    .to_owned()
            ]
        )
    );
    let limit = "apiVersion: rules.example.com/v1\nkind: Limit\nmetadata: { name: l }\nmost: 3\n";
    let taking = policy.replace("spec:\n", "spec:\n  paramKind: { apiVersion: rules.example.com/v1, kind: Limit }\n");
    assert_eq!(linked(&format!("{taking}---\n{bound}---\n{limit}")), (1, vec![]));
    let (count, problems) = linked(&format!("{policy}---\n{bound}---\n{limit}"));
    assert_eq!(count, 0);
    assert!(problems[0].starts_with("p.yaml:13:13: error: Limit of rules.example.com/v1 is no policy"), "{problems:?}");
}
