use std::sync::Arc;

use super::*;
use crate::document::SourceFile;
use crate::unit::{CompiledUnit, Unit, compile};

const POLICIES: &str = "\
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: ports }
spec: { module: host-ports }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: labels }
spec: { module: add-labels, settings: { labels: { team: none } } }
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: limit }
spec:
  paramKind: { apiVersion: v1, kind: ConfigMap }
  matchConstraints: { resourceRules: [{ apiGroups: [apps], apiVersions: [v1], operations: ['*'], resources: [deployments, deployments/scale] }] }
  validations:
  - expression: int(params.data.max) >= object.spec.replicas || authorizer.group('apps').resource('deployments').check('exceed').allowed()
    messageExpression: \"'at most ' + params.data.max + ' in ' + namespaceObject.metadata.labels['team'] + ' for ' + request.userInfo.username + ' ' + request.operation + ' ' + string(request.dryRun)\"
---
";

fn unit(cases: &str) -> Arc<CompiledUnit> {
    let test = "apiVersion: admittance.dev/v1alpha1\nkind: PolicyTest\nmetadata: { name: t }\nspec:\n  cases:\n";
    compile(&Unit::of_file(SourceFile::new("u.yaml", format!("{POLICIES}{test}{cases}"))))
        .unwrap_or_else(|problems| panic!("{}", problems[0]))
}

fn proof(cases: &str) -> Proof {
    prove(&unit(cases), &Defaults::built_in(), &mut Steps::default())
}

/// The problems of a proof that was refused, without their places.
fn refused(cases: &str) -> Vec<String> {
    match proof(cases) {
        Proof::Refused(problems) => problems.into_iter().map(|problem| problem.message).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn proves_what_is_as_expected() {
    let cases = "\
\x20 - name: a port of the node
    object: { apiVersion: v1, kind: Pod, metadata: { name: a }, spec: { containers: [{ name: c, image: i, ports: [{ containerPort: 80, hostPort: 80 }] }] } }
    expect:
      allowed: false
      code: 403
      message: \"ports: spec.containers[0].ports[0].hostPort: host port 80 is not allowed\"
      policies: [ports]
  - name: a label is added, and nothing that the API server fills in
    object: { apiVersion: v1, kind: Pod, metadata: { name: a }, spec: { containers: [{ name: c, image: i }] } }
    expect:
      allowed: true
      policies: []
      warnings: []
      object: { apiVersion: v1, kind: Pod, metadata: { labels: { team: none }, name: a }, spec: { containers: [{ name: c, image: i }] } }
      patch: [{ op: add, path: /metadata/labels, value: { team: none } }]
  - name: parameters, the namespace, the user and the authorizer are those of the case
    object: { apiVersion: autoscaling/v1, kind: Scale, metadata: { name: a, namespace: shop }, spec: { replicas: 3 } }
    oldObject: { apiVersion: autoscaling/v1, kind: Scale, metadata: { name: a, namespace: shop }, spec: { replicas: 1 } }
    request: { resource: { group: apps, version: v1, resource: deployments }, subresource: scale, dryRun: true }
    namespaceObject: { metadata: { labels: { team: blue } } }
    userInfo: { username: ann }
    params: { apiVersion: v1, kind: ConfigMap, metadata: { name: max, namespace: shop }, data: { max: '2' } }
    authorizer: [{ verb: drain, resource: deployments }]
    expect: { code: 422, message: '/limit: at most 2 in blue for ann UPDATE true$/', policies: [limit] }
  - name: who may exceed it
    object: { apiVersion: apps/v1, kind: Deployment, metadata: { name: a, namespace: shop }, spec: { replicas: 3 } }
    params: [{ apiVersion: v1, kind: ConfigMap, metadata: { name: max, namespace: shop }, data: { max: '2' } }]
    authorizer: [{ verb: exceed, user: admittance-test }]
    expect: { allowed: true }
";
    assert_eq!(proof(cases), Proof::Proven);
}

#[test]
fn names_what_is_not_as_expected() {
    let pod = |name: &str| {
        format!(
            "{{ apiVersion: v1, kind: Pod, metadata: {{ name: {name} }}, spec: {{ containers: [{{ name: c, image: i, ports: [{{ containerPort: 80, hostPort: 80 }}] }}] }} }}"
        )
    };
    let (pod, plain) = (pod("a"), "{ apiVersion: v1, kind: Pod, metadata: { name: a } }");
    let cases = format!(
        "\
\x20 - {{ name: allowed, object: {pod}, expect: {{ allowed: true, policies: [] }} }}
  - {{ name: code, object: {pod}, expect: {{ code: 422, message: never }} }}
  - {{ name: object, object: {plain}, expect: {{ object: {plain}, patch: [] }} }}
  - {{ name: denial, object: {plain}, expect: {{ code: 403, message: never, auditAnnotations: {{ a: b }}, warnings: [a] }} }}
  - {{ name: implied, object: {pod}, expect: {{ patch: [] }} }}
  - {{ name: nothing, object: {plain} }}
  - {{ name: error, object: {{ apiVersion: apps/v1, kind: Deployment, metadata: {{ name: a }} }}, expect: {{ code: 500 }} }}
"
    );
    let message = "ports: spec.containers[0].ports[0].hostPort: host port 80 is not allowed; none is";
    assert_eq!(
        refused(&cases),
        [
            "test `t`, case `allowed` fails: allowed: expected true, got false".to_owned(),
            "test `t`, case `allowed` fails: policies: expected [], got [\"ports\"]".to_owned(),
            "test `t`, case `code` fails: code: expected 422, got 403".to_owned(),
            format!("test `t`, case `code` fails: message: expected \"never\", got \"{message}\""),
            "test `t`, case `object` fails: `object` is another one".to_owned(),
            "test `t`, case `object` fails: `patch` is another one".to_owned(),
            "test `t`, case `denial` fails: code: expected 403, got none".to_owned(),
            "test `t`, case `denial` fails: message: expected \"never\", got none".to_owned(),
            "test `t`, case `denial` fails: warnings: expected [\"a\"], got []".to_owned(),
            "test `t`, case `denial` fails: auditAnnotations: expected {\"a\":\"b\"}, got {}".to_owned(),
            "test `t`, case `implied` fails: allowed: expected true, got false".to_owned(),
            "test `t`, case `nothing` fails: it expects nothing: `admittance test --update` writes down what happens"
                .to_owned(),
            "test `t`, case `error` fails: errors: expected [], got [\"limit: failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction\"]"
                .to_owned(),
        ]
    );
}

#[test]
fn places_a_failure_at_its_expectation_and_refuses_what_cannot_be_run() {
    let cases = "\
\x20 - name: a
    object: { apiVersion: v1, kind: Pod, metadata: { name: a } }
    expect:
      allowed: false
  - name: b
    object: { apiVersion: v1, kind: Pod, metadata: { name: a } }
    operation: CONNECT
    expect: { allowed: true }
";
    let Proof::Refused(problems) = proof(cases) else { panic!() };
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "u.yaml:29:7: error: test `t`, case `a` fails: allowed: expected false, got true",
            "u.yaml:30:11: error: test `t`, case `b` cannot be run: nobody connects with a Pod: a CONNECT takes PodExecOptions, \
             PodAttachOptions, PodPortForwardOptions, PodProxyOptions, ServiceProxyOptions or NodeProxyOptions",
        ]
    );
}

#[test]
fn runs_the_tests_of_a_units_own_policies_alone() {
    let case = "cases: [{ name: a, object: { apiVersion: v1, kind: Pod }, expect: { allowed: false } }]";
    let test = |policies: &str| {
        format!(
            "apiVersion: admittance.dev/v1alpha1\nkind: PolicyTest\nmetadata: {{ name: t }}\nspec: {{ {policies}{case} }}\n"
        )
    };
    let proven = |text: String| {
        let unit = compile(&Unit::of_file(SourceFile::new("u.yaml", text))).unwrap();
        prove(&unit, &Defaults::built_in(), &mut Steps::default())
    };
    assert_eq!(proven(test("")), Proof::Proven, "there are no policies");
    assert_eq!(proven(format!("{POLICIES}{}", test("policies: [other], "))), Proof::Proven, "they are other units'");
    assert!(matches!(proven(format!("{POLICIES}{}", test("policies: [labels], "))), Proof::Refused(_)));
    let Proof::Refused(problems) = proven(format!("{POLICIES}{}", test("policies: [labels, port], "))) else {
        panic!()
    };
    assert_eq!(problems[0].to_string(), "u.yaml:24:28: error: unknown policy `port`, did you mean `ports`?");
}

#[test]
fn is_pending_when_the_steps_are_used_up() {
    let case = "  - { name: a, object: { apiVersion: v1, kind: Pod }, expect: { allowed: true } }\n";
    let unit = unit(case);
    let with = |steps| prove(&unit, &Defaults::built_in(), &mut Steps::new(steps));
    assert_eq!((with(2), with(3)), (Proof::Pending, Proof::Pending), "mutations are tried first");
    assert_eq!(with(1_000), Proof::Proven);
}
