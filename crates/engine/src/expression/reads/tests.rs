//! What expressions are found to read.

use super::super::policy::{Expressions, Named, ValidationText};
use super::*;
use crate::verdict::Refusal;

fn reads(variables: &[(&str, &str)], validation: &str) -> Reads {
    let policy = CelPolicy::compile(Expressions {
        variables: variables
            .iter()
            .map(|(name, expression)| Named { name: (*name).into(), expression: (*expression).into() })
            .collect(),
        validations: vec![ValidationText {
            expression: validation.into(),
            message: String::new(),
            message_expression: "object.metadata.name".into(),
            refusal: Refusal::INVALID,
        }],
        ..Expressions::default()
    });
    assert_eq!(policy.explain(super::super::policy::Role::Validation(0)), None);
    policy.reads()
}

fn fields(variables: &[(&str, &str)], validation: &str) -> String {
    let fields = reads(variables, validation).fields.unwrap_or_default();
    fields.into_iter().map(|PathPattern(path)| path).collect::<Vec<_>>().join(" ")
}

#[test]
fn follows_fields_items_and_macros() {
    for (expression, expected) in [
        ("object.spec.replicas <= 5", "spec.replicas"),
        ("object.spec.containers.all(c, c.image.contains(':'))", "spec.containers[*].image"),
        (
            "object.spec.?initContainers.orValue([]).all(c, !c.image.endsWith(':latest'))",
            "spec.initContainers[*].image",
        ),
        (
            "(object.spec.containers + object.spec.?initContainers.orValue([])).exists(c, c.?securityContext.?privileged.orValue(false))",
            "spec.containers[*].securityContext.privileged spec.initContainers[*].securityContext.privileged",
        ),
        (
            "object.spec.containers.filter(c, c.name != 'x').map(c, c.image).exists(i, i == 'a')",
            "spec.containers[*].image spec.containers[*].name",
        ),
        ("'team' in object.metadata.labels", "metadata.labels.team"),
        ("object.metadata.annotations['a.b/c'] == 'x'", "metadata.annotations[a.b/c]"),
        ("object.metadata.labels.exists(k, k.startsWith('x'))", "metadata.labels[*]"),
        ("[object.spec.a, object.spec.b].all(x, x > 1)", "spec.a spec.b"),
        ("[[object.spec.a]].all(l, l.all(x, x.y == 1))", "spec.a.y"),
        ("object.spec.?a.optMap(v, v.b > 1).orValue(true)", "spec.a.b"),
        ("object.spec.ports[0].port == 80", "spec.ports[*].port"),
        ("object == oldObject", ""),
        ("request.operation == 'CREATE'", ""),
    ] {
        assert_eq!(fields(&[], expression), expected, "{expression}");
    }
}

#[test]
fn tells_the_whole_object_from_nothing() {
    assert_eq!(reads(&[], "object == oldObject").fields, Some(vec![PathPattern(String::new())]));
    assert_eq!(reads(&[], "request.operation == 'CREATE'").fields, Some(vec![]));
    assert!(reads(&[], "object == oldObject").old && !reads(&[], "object.a == 1").old);
}

#[test]
fn follows_variables_that_are_used() {
    let variables = [
        ("containers", "object.spec.containers"),
        ("all", "variables.containers + object.spec.?ephemeralContainers.orValue([])"),
        ("unused", "object.spec.hostNetwork == true"),
    ];
    assert_eq!(
        fields(&variables, "variables.all.all(c, c.image != '')"),
        "spec.containers[*].image spec.ephemeralContainers[*].image"
    );
}

#[test]
fn presence_is_told_apart() {
    let reads = reads(&[], "!has(object.spec.initContainers) || object.spec.initContainers.all(c, c.image != '')");
    assert_eq!(reads.presence, [PathPattern("spec.initContainers".into())]);
    assert_eq!(reads.fields, Some(vec![PathPattern("spec.initContainers[*].image".into())]));
}
