use super::*;
use crate::document::SourceFile;
use crate::unit::{Unit, compile};

fn problems(text: &str) -> Vec<String> {
    let unit = Unit::of_file(SourceFile::new("t.yaml", text));
    compile(&unit).map_or_else(|problems| problems.iter().map(ToString::to_string).collect(), |_| vec![])
}

/// A test of these cases, whose first line is line 5.
fn test(cases: &str) -> String {
    format!(
        "apiVersion: admittance.dev/v1alpha1\nkind: PolicyTest\nmetadata: {{ name: t }}\nspec:\n  cases:\n  {}\n",
        cases.trim_end().replace('\n', "\n  ")
    )
}

fn read(text: &str) -> PolicyTest {
    let unit = Unit::of_file(SourceFile::new("t.yaml", text));
    compile(&unit).unwrap_or_else(|problems| panic!("{}", problems[0])).tests()[0].clone()
}

const POD: &str = "{ apiVersion: v1, kind: Pod, metadata: { name: a } }";

#[test]
fn reads_every_field() {
    let text = test(
        "\
- name: everything
  object: { apiVersion: autoscaling/v1, kind: Scale, metadata: { name: a } }
  oldObject: { apiVersion: autoscaling/v1, kind: Scale, metadata: { name: a } }
  operation: UPDATE
  request:
    resource: { group: apps, version: v1, resource: deployments }
    subresource: scale
    name: b
    options: { kind: UpdateOptions }
    dryRun: true
  namespace: shop
  namespaceObject: { metadata: { labels: { team: a } } }
  userInfo: { username: ann, uid: '1', groups: [dev], extra: { scopes: [a, b] } }
  params: { apiVersion: v1, kind: ConfigMap, metadata: { name: p } }
  authorizer: [{ verb: get, resource: pods }, { path: /healthz }]
  expect:
    allowed: false
    code: 403
    message: /no .* here/
    policies: [x]
    warnings: [one]
    auditAnnotations: { k: v }
    errors: []
",
    );
    let read = read(&text);
    let case = &read.cases[0];
    assert_eq!((case.operation, case.subresource.as_str(), case.dry_run), (Operation::Update, "scale", true));
    let resource =
        ResourceName::Whole { group: "apps".to_owned(), version: "v1".to_owned(), resource: "deployments".to_owned() };
    assert_eq!(case.resource, Some(resource));
    assert_eq!((case.request_name.as_str(), case.namespace.as_str()), ("b", "shop"));
    assert_eq!((case.user.username.as_str(), case.user.groups.join(" ")), ("ann", "dev".to_owned()));
    assert_eq!(case.params.len(), 1);
    assert!(matches!(&case.authorizer, Some(Authorizer::Only(rules)) if rules.len() == 2));
    let expect = &case.expect;
    assert_eq!((expect.allowed, expect.code), (Some(false), Some(403)));
    assert!(expect.message.as_ref().unwrap().fits("there is no light here."));
    assert_eq!(expect.policies.as_deref(), Some(&["x".to_owned()][..]));
    let places: Vec<String> = expect.places.iter().map(|(field, place)| format!("{field} {place}")).collect();
    assert_eq!(places[0], "allowed t.yaml:22:7");
    assert_eq!(places.len(), 7);
    assert_eq!(case.place.to_string(), "t.yaml:6:11");
}

#[test]
fn fills_in_what_is_left_out() {
    let text = test(&format!("- {{ name: a, object: {POD} }}\n- {{ name: b, oldObject: {POD}, params: null }}"));
    let read = read(&text);
    let [created, deleted] = read.cases.as_slice() else { panic!() };
    assert_eq!((created.operation, deleted.operation), (Operation::Create, Operation::Delete));
    assert_eq!((created.namespace.as_str(), created.user.username.as_str()), ("default", "admittance-test"));
    assert!(created.expect.is_empty() && deleted.params.is_empty() && created.authorizer.is_none());
}

#[test]
fn reports_all_that_is_unknown_mistyped_or_missing() {
    let text = test(&format!(
        "\
- name: a
  object: {POD}
  expect: {{ alowed: true, code: abc, message: /(/ }}
- name: a
  objet: {POD}
- object: {POD}
  request: {{ resource: [a] }}
  authorizer: Maybe"
    ));
    assert_eq!(
        problems(&text),
        [
            "t.yaml:8:15: error: unknown field `alowed`, did you mean `allowed`?",
            "t.yaml:8:35: error: expected an integer from 0 to 65535, found the string \"abc\"",
            "t.yaml:8:49: error: error parsing regexp: missing closing ): `(`",
            "t.yaml:9:11: error: case `a` stands twice",
            "t.yaml:9:5: error: missing field `object`, or for a DELETE `oldObject`",
            "t.yaml:10:5: error: unknown field `objet`, did you mean `object`?",
            "t.yaml:11:5: error: missing field `name`",
            "t.yaml:12:26: error: expected a string or a map, found a list",
            "t.yaml:13:17: error: unknown value `Maybe`, accepted are Allow, Deny, Error",
        ]
    );
    assert_eq!(
        problems(
            "apiVersion: admittance.dev/v1alpha1\nkind: PolicyTest\nmetadata: { name: T }\nspec: { case: [], policies: [], cases: [] }\n"
        ),
        [
            "t.yaml:3:19: error: invalid name `T`: expected at most 63 lower case letters, digits, `-` and `.`, with a letter or digit at both ends",
            "t.yaml:4:9: error: unknown field `case`, did you mean `cases`?",
            "t.yaml:4:29: error: expected the policies that are tested, found none",
            "t.yaml:4:40: error: expected cases, found none",
        ]
    );
}

#[test]
fn rejects_fields_that_contradict_each_other() {
    let one = |fields: &str| problems(&test(&format!("- {{ name: a, {fields} }}")));
    let old = POD.replace("name: a", "name: a, namespace: shop");
    for (fields, problem) in [
        (format!("oldObject: {POD}, operation: CREATE"), "a CREATE has no `oldObject`"),
        (format!("object: {POD}, operation: DELETE"), "a DELETE has an `oldObject` and no `object`"),
        (format!("object: {POD}, operation: UPDATE"), "an UPDATE needs `oldObject`"),
        (format!("oldObject: {POD}, operation: UPDATE"), "an UPDATE needs `object`"),
        (format!("object: {old}, namespace: b"), "the `object` is in namespace `shop`, not in `b`"),
        ("object: { apiVersion: v1, kind: Node }, namespace: b".to_owned(), "a Node is in no namespace"),
        (
            format!("object: {old}, namespaceObject: {{ metadata: {{ name: b }} }}"),
            "the request is in namespace `shop`, not in `b`",
        ),
        ("object: { kind: Node }".to_owned(), "`object` needs apiVersion"),
        (format!("object: {POD}, params: {{ kind: A }}"), "a parameter needs apiVersion, kind and metadata.name"),
        (
            format!("object: {POD}, expect: {{ allowed: true, code: 403 }}"),
            "`code` is of a denial, and the request is allowed",
        ),
        (format!("object: {POD}, expect: {{ allowed: false, patch: [] }}"), "a request that is denied has no `patch`"),
        (
            format!("object: {POD}, expect: {{ message: a, object: {POD} }}"),
            "a request that is denied has no `object`, and `message` is of a denial",
        ),
        (format!("oldObject: {POD}, expect: {{ patch: [] }}"), "nothing is changed in a DELETE"),
        (format!("object: {POD}, expect: {{ code: 200 }}"), "expected the code of a denial, 400 to 599"),
        (format!("object: {POD}, expect: {{ message: '' }}"), "an empty text is a part of every text"),
        (format!("object: {POD}, expect: {{ policies: [x, x] }}"), "policy `x` stands twice"),
    ] {
        let found = one(&fields);
        assert!(found.len() == 1 && found[0].ends_with(&format!(": error: {problem}")), "{fields}: {found:?}");
    }
}

#[test]
fn rejects_a_second_test_of_the_same_name_and_places_problems_in_config_maps() {
    let text = test(&format!("- {{ name: a, object: {POD} }}"));
    assert_eq!(problems(&format!("{text}---\n{text}")), ["t.yaml:10:19: error: test `t` is defined twice"]);
    let indented = text.replace('\n', "\n    ");
    let config_map = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: m, labels: {{ admittance.dev/policies: \"true\" }} }}\ndata:\n  a.yaml: |\n    {indented}"
    );
    let read = read(&config_map);
    assert_eq!(
        (read.place.to_string(), read.cases[0].place.to_string()),
        ("t.yaml:8:23".into(), "t.yaml:11:17".into())
    );
    let broken = config_map.replace("name: a,", "name: a, expect: { errors: [/)/] },");
    assert_eq!(problems(&broken), ["t.yaml:11:39: error: error parsing regexp: unexpected ): `)`"]);
}
