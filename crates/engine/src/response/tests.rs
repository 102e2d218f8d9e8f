//! Exact bytes: what the API server reads.

use std::sync::Arc;

use base64::Engine as _;

use super::*;
use crate::deadline::Deadline;
use crate::document::SourceFile;
use crate::json::Arena;
use crate::pipeline::{Budget, Detail, Run, admit};
use crate::review::{Envelope, NoLookups};
use crate::set::link;
use crate::unit::{Unit, compile};

const POLICIES: &str = "
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: team }
spec: { module: add-labels, settings: { labels: { team: shop } }, matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: [v1], resources: [pods], operations: ['*'] }] } }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: latest }
spec: { module: latest-tag }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: ports }
spec: { module: host-ports, actions: [Warn, Audit] }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: keep }
spec: { module: delete-protection, matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [DELETE] }] } }
";

fn answer_to(route: Route, operation: &str, objects: &str) -> String {
    let unit = Unit::of_file(SourceFile::new("policies.yaml", POLICIES));
    let compiled = compile(&unit).unwrap_or_else(|problems| panic!("{}", problems[0]));
    let (set, problems) = link(&[Arc::clone(&compiled)]);
    assert!(problems.is_empty());
    let body = format!(
        r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{{"uid":"705ab4f5-6393-11e8-b7cc-42010a800002","operation":"{operation}","kind":{{"group":"","version":"v1","kind":"Pod"}},"resource":{{"group":"","version":"v1","resource":"pods"}},"name":"web","namespace":"default","userInfo":{{"username":"jane"}},{objects}}}}}"#
    );
    let arena = Arena::with_limit(1 << 20);
    let review = Envelope::read(&arena, body.as_bytes()).0.into_review(&arena).unwrap();
    let run = Run {
        route,
        deadline: Deadline::never(),
        budget: Budget::default(),
        lookups: &NoLookups,
        detail: Detail::Findings,
        timed: false,
        judges_drift: false,
    };
    String::from_utf8(answer(&review, &admit(&set, &review, &run).unwrap(), route)).unwrap()
}

fn pod(image: &str) -> String {
    format!(r#""object":{{"metadata":{{"name":"web"}},"spec":{{"containers":[{{"name":"web","image":"{image}"}}]}}}}"#)
}

const START: &str = r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"705ab4f5-6393-11e8-b7cc-42010a800002","#;

#[test]
fn allows_with_nothing_but_the_uid() {
    assert_eq!(answer_to(Route::Validate, "CREATE", &pod("nginx:1")), format!("{START}\"allowed\":true}}}}"));
}

#[test]
fn patches_with_patch_and_its_type_together() {
    let patch = r#"[{"op":"add","path":"/metadata/labels","value":{"team":"shop"}}]"#;
    let encoded = base64::engine::general_purpose::STANDARD.encode(patch);
    assert_eq!(
        answer_to(Route::Mutate, "CREATE", &pod("nginx")),
        format!(
            r#"{START}"allowed":true,"patch":"{encoded}","patchType":"JSONPatch","auditAnnotations":{{"mutations.1":"team: add /metadata/labels"}}}}}}"#
        )
    );
}

#[test]
fn leaves_an_empty_patch_out() {
    let object = r#""object":{"metadata":{"labels":{"team":"shop"}},"spec":{}}"#;
    assert_eq!(answer_to(Route::Mutate, "CREATE", object), format!("{START}\"allowed\":true}}}}"));
}

#[test]
fn never_patches_on_validate_delete_and_connect() {
    for (route, operation) in [(Route::Validate, "CREATE"), (Route::Mutate, "DELETE"), (Route::Mutate, "CONNECT")] {
        let answer = answer_to(route, operation, &pod("nginx:1"));
        assert!(answer.ends_with("\"allowed\":true}}"), "{answer}");
    }
}

#[test]
fn denies_with_status_causes_and_every_finding() {
    let object = r#""object":{"spec":{"initContainers":[{"name":"a","image":"busybox"}],"containers":[{"name":"b","image":"nginx:latest"}]}}"#;
    let said =
        |image: &str| format!(r#"image \"{image}\" is not pinned: name a tag other than \"latest\", or a digest"#);
    let (first, second) = (said("busybox"), said("nginx:latest"));
    assert_eq!(
        answer_to(Route::Validate, "CREATE", object),
        format!(
            r#"{START}"allowed":false,"status":{{"status":"Failure","message":"latest: spec.initContainers[0].image: {first}\nlatest: spec.containers[0].image: {second}","reason":"Forbidden","details":{{"causes":[{{"reason":"latest","message":"{first}","field":"spec.initContainers[0].image"}},{{"reason":"latest","message":"{second}","field":"spec.containers[0].image"}}]}},"code":403}}}}}}"#
        )
    );
}

#[test]
fn warns_and_annotates_beside_the_permission() {
    let object =
        r#""object":{"spec":{"containers":[{"name":"a","image":"a:1","ports":[{"containerPort":80,"hostPort":80}]}]}}"#;
    let text = "ports: spec.containers[0].ports[0].hostPort: host port 80 is not allowed; none is";
    assert_eq!(
        answer_to(Route::Validate, "CREATE", object),
        format!(
            r#"{START}"allowed":true,"auditAnnotations":{{"validation_failure":"{text}"}},"warnings":["{text}"]}}}}"#
        )
    );
}

#[test]
fn judges_the_stored_object_on_delete() {
    let object = r#""object":null,"oldObject":{"metadata":{"annotations":{"admittance.dev/protected":"true"}}}"#;
    let answer = answer_to(Route::Validate, "DELETE", object);
    assert!(answer.starts_with(&format!("{START}\"allowed\":false")), "{answer}");
}

#[test]
fn answers_a_dry_run_alike() {
    let dry = format!(r#""dryRun":true,{}"#, pod("nginx"));
    for route in [Route::Mutate, Route::Validate] {
        assert_eq!(answer_to(route, "CREATE", &dry), answer_to(route, "CREATE", &pod("nginx")));
    }
}

#[test]
fn refuses_what_no_policy_has_judged() {
    assert_eq!(
        String::from_utf8(refuse("u\"1", Refusal::TOO_LARGE, "too large")).unwrap(),
        r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"u\"1","allowed":false,"status":{"status":"Failure","message":"too large","reason":"RequestEntityTooLarge","code":413}}}"#
    );
}
