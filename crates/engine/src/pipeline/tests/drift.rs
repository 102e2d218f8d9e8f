//! Mutations that are not in the object when `/validate` sees it.

use super::*;
use crate::document::SourceFile;
use crate::set::link;
use crate::unit::{Unit, compile};

const PULL: &str =
    "{ name: pull }\nspec: { module: set-image-pull-policy, settings: { policy: Always, overwrite: true } ";
const LABEL: &str = "{ name: team }\nspec: { module: add-labels, settings: { labels: { team: shop } } ";

fn policies(documents: &[String]) -> &'static PolicySet {
    let document =
        |text: &String| format!("apiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: {text} }}\n---\n");
    let text: String = documents.iter().map(document).collect();
    let compiled = compile(&Unit::of_file(SourceFile::new("policies.yaml", text)));
    let compiled = compiled.unwrap_or_else(|problems| panic!("{}", problems[0]));
    Box::leak(Box::new(link(&[compiled]).0))
}

/// Lines about drift, those of the denial, and warnings.
fn drift(set: &'static PolicySet, operation: &str, objects: &str) -> (Vec<String>, Vec<String>, Vec<String>) {
    with_review(operation, objects, |review| {
        let run = Run { judges_drift: true, ..run(Route::Validate) };
        let verdict = admit(set, review, &run).unwrap();
        assert!(verdict.edits.is_empty());
        assert!(admit(set, review, &Run { judges_drift: false, ..run }).unwrap().drifts.is_empty());
        let drifts = verdict.drifts.iter().map(ToString::to_string).collect();
        (drifts, verdict.message().lines().map(str::to_owned).collect(), verdict.warnings())
    })
}

fn pod(metadata: &str, pull_policy: &str) -> String {
    format!(
        r#""object":{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"web"{metadata}}},"spec":{{"containers":[{{"name":"a","image":"a:1","imagePullPolicy":"Always"}},{{"name":"b","image":"b:1","imagePullPolicy":"{pull_policy}"}}]}}}}"#
    )
}

#[test]
fn names_path_wanted_and_found_of_what_is_missing_or_overwritten() {
    let set = policies(&[PULL.to_owned(), LABEL.to_owned()]);
    let lines = [
        "team: metadata.labels.team: the mutation is not in the object: wanted \"shop\", found nothing",
        "pull: spec.containers[1].imagePullPolicy: the mutation is not in the object: wanted \"Always\", found \"Never\"",
    ];
    let (mut drifts, denial, warnings) = drift(set, "CREATE", &pod("", "Never"));
    drifts.sort_by_key(|line| !line.starts_with("team"));
    assert_eq!(drifts, lines);
    assert!(denial.is_empty() && warnings.is_empty(), "a report is neither");
    with_review("CREATE", &pod("", "Never"), |review| {
        let run = Run { judges_drift: true, ..run(Route::Validate) };
        let annotations = admit(set, review, &run).unwrap().audit_annotations();
        assert_eq!(annotations.len(), 1);
        assert_eq!(annotations[0].0, "mutation_drift");
        assert!(lines.iter().all(|line| annotations[0].1.lines().any(|text| text == *line)));
    });
    assert_eq!(drift(set, "CREATE", &pod(r#","labels":{"team":"shop"}"#, "Always")).0, [""; 0]);
}

#[test]
fn says_nothing_of_what_the_user_set_and_the_policy_only_defaults() {
    let set = policies(&[LABEL.to_owned()]);
    assert_eq!(drift(set, "CREATE", &pod(r#","labels":{"team":"bank"}"#, "Never")).0, [""; 0]);
}

#[test]
fn denies_or_warns_where_the_policy_says_so() {
    let line = "pull: spec.containers[1].imagePullPolicy: the mutation is not in the object: wanted \"Always\", found \"Never\"";
    let set = policies(&[format!("{PULL}, onDrift: Deny, required: true")]);
    let (drifts, denial, warnings) = drift(set, "CREATE", &pod("", "Never"));
    assert_eq!((drifts, denial, warnings.len()), (vec![line.to_owned()], vec![line.to_owned()], 0));
    let set = policies(&[format!("{PULL}, onDrift: Warn")]);
    let (drifts, denial, warnings) = drift(set, "CREATE", &pod("", "Never"));
    assert_eq!((drifts.len(), denial.len(), warnings), (1, 0, vec![line.to_owned()]));
}

#[test]
fn judges_only_requests_whose_mutation_would_be_stored() {
    let cel = "{ name: cel }\nspec: { matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: [v1], resources: ['pods', 'pods/*'], operations: ['*'] }] }, mutations: [{ patchType: ApplyConfiguration, applyConfiguration: { expression: 'Object{metadata: Object.metadata{labels: {\"a\": \"b\"}}}' } }] ";
    let set = policies(&[cel.to_owned(), PULL.to_owned(), LABEL.to_owned()]);
    let old = format!("{},{}", pod("", "Never"), pod("", "Never").replacen("object", "oldObject", 1));
    assert_eq!(
        drift(set, "UPDATE", &old).0,
        ["cel: metadata.labels.a: the mutation is not in the object: wanted \"b\", found nothing"],
        "modules change no stored pod"
    );
    let of_status = |body: String| body.replacen(r#""namespace""#, r#""subResource":"status","namespace""#, 1);
    let arena = Arena::with_limit(1 << 20);
    let body = of_status(format!(
        r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{"uid":"u","operation":"UPDATE","kind":{{"version":"v1","kind":"Pod"}},"resource":{{"version":"v1","resource":"pods"}},"namespace":"default",{old}}}}}"#
    ));
    let (envelope, read) = Envelope::read(&arena, body.as_bytes());
    read.unwrap();
    let review = envelope.into_review(&arena).unwrap();
    assert_eq!(review.subresource, "status");
    let verdict = admit(set, &review, &Run { judges_drift: true, ..run(Route::Validate) }).unwrap();
    assert!(verdict.drifts.is_empty());
    let deleted = pod("", "Never").replacen("object", "oldObject", 1);
    assert!(drift(set, "DELETE", &deleted).0.is_empty());
}

#[test]
fn takes_what_a_later_policy_wrote_over_for_no_drift() {
    let label = |name: &str, value: &str, order: i32| {
        format!(
            "{{ name: {name} }}\nspec: {{ module: add-labels, settings: {{ labels: {{ team: {value} }}, overwrite: true }}, order: {order} "
        )
    };
    let set = policies(&[label("one", "shop", 0), label("two", "bank", 1)]);
    assert!(drift(set, "CREATE", &pod(r#","labels":{"team":"bank"}"#, "Never")).0.is_empty());
    assert_eq!(
        drift(set, "CREATE", &pod(r#","labels":{"team":"shop"}"#, "Never")).0,
        ["two: metadata.labels.team: the mutation is not in the object: wanted \"bank\", found \"shop\""]
    );
}

#[test]
fn takes_what_the_api_server_writes_otherwise_for_no_drift() {
    let mutation = |patch: &str| {
        format!(
            "{{ name: cel }}\nspec: {{ matchConstraints: {{ resourceRules: [{{ apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [CREATE] }}] }}, mutations: [{{ patchType: JSONPatch, jsonPatch: {{ expression: '{patch}' }} }}] "
        )
    };
    let patch = r#"[JSONPatch{op: "add", path: "/spec/containers/0/resources", value: {"limits": {"cpu": "1000m"}}}, JSONPatch{op: "add", path: "/spec/containers/1/env", value: [{"name": "KEY", "value": "secret-4711"}]}]"#;
    let set = policies(&[mutation(patch)]);
    let object = |cpu: &str, key: &str| {
        format!(
            r#""object":{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"web"}},"spec":{{"containers":[{{"name":"a","image":"a:1","imagePullPolicy":"Always","resources":{{"limits":{{"cpu":"{cpu}"}},"requests":{{"cpu":"{cpu}"}}}}}},{{"name":"b","image":"b:1","imagePullPolicy":"Always","env":[{{"name":"KEY","value":"{key}"}}]}}]}}}}"#
        )
    };
    assert!(drift(set, "CREATE", &object("1", "secret-4711")).0.is_empty());
    let (drifts, ..) = drift(set, "CREATE", &object("1", "other"));
    assert_eq!(
        drifts,
        [
            "cel: spec.containers[1].env[0].value: the mutation is not in the object: wanted (a string, not shown), found (a string, not shown)"
        ]
    );
}

#[test]
fn asks_what_the_mutators_ask() {
    let copy = "{ name: copy }\nspec: { module: copy-namespace-labels, settings: { labels: [team] } ";
    with_review("CREATE", &pod("", "Never"), |review| {
        let run = Run { judges_drift: true, lookups: &Unasked, ..run(Route::Validate) };
        let needs = admit(policies(&[copy.to_owned()]), review, &run).unwrap_err();
        assert_eq!(needs, Needs(vec![Lookup::Namespace("default".into())]));
    });
}

#[test]
fn allocates_nothing_where_nothing_is_missing() {
    let set = policies(&[format!("{PULL}, onDrift: Deny, required: true"), format!("{LABEL}, onDrift: Warn")]);
    let mut arena = Arena::with_limit(1 << 24);
    arena.text(&" ".repeat(1 << 20));
    arena.reset();
    let body = format!(
        r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{"uid":"u","operation":"CREATE","kind":{{"version":"v1","kind":"Pod"}},"resource":{{"version":"v1","resource":"pods"}},"namespace":"default",{}}}}}"#,
        pod(r#","labels":{"team":"shop"}"#, "Always")
    );
    let (envelope, read) = Envelope::read(&arena, body.as_bytes());
    read.unwrap();
    let review = envelope.into_review(&arena).unwrap();
    let allocations = |judges_drift: bool| {
        let run = Run { judges_drift, ..run(Route::Validate) };
        let mut drifts = None;
        let measured =
            allocation_counter::measure(|| drifts = admit(set, &review, &run).map(|it| it.drifts.len()).ok());
        assert_eq!(drifts, Some(0));
        measured.count_total
    };
    // What is read when it is first asked for is read.
    allocations(true);
    assert_eq!((allocations(false), allocations(true)), (0, 0));
}
