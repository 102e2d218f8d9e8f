use super::*;
use crate::json::Arena;
use crate::review::{Envelope, NoLookups};

/// What is said of a request of this user to scale a Deployment.
fn of_scale(user: &str, spec: &str) -> Vec<String> {
    let arena = Arena::with_limit(1 << 20);
    let body = arena.format(format_args!(
        r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{"uid":"1","operation":"UPDATE",
        "kind":{{"group":"autoscaling","version":"v1","kind":"Scale"}},"subResource":"scale","name":"web",
        "resource":{{"group":"apps","version":"v1","resource":"deployments"}},"namespace":"shop",
        "userInfo":{{"username":"{user}"}},"object":{{"apiVersion":"autoscaling/v1","kind":"Scale","spec":{spec}}}}}}}"#
    ));
    let (envelope, read) = Envelope::read(&arena, body.as_bytes());
    read.unwrap();
    let review = envelope.into_review(&arena).unwrap();
    let (object, mut report) = (review.judged().unwrap(), Report::new(Replicas::PUBLIC, &NoLookups));
    let module = Replicas::new(Settings::default()).unwrap();
    module.validate(Subject { object, old_object: None, review: &review }, &mut report);
    report.into_reported().findings.into_iter().map(|finding| finding.message).collect()
}

#[test]
fn judges_a_scale_unless_the_autoscaler_sets_it() {
    let autoscaler = "system:serviceaccount:kube-system:horizontal-pod-autoscaler";
    assert_eq!(of_scale("ann", r#"{"replicas":1}"#), ["replicas 1 is out of range: expected at least 2"]);
    assert_eq!(of_scale("ann", "{}"), ["replicas is 0 unless it is set: expected at least 2"]);
    assert_eq!(of_scale("ann", r#"{"replicas":2}"#), [""; 0]);
    assert_eq!(of_scale(autoscaler, r#"{"replicas":1}"#), [""; 0]);
}

#[test]
fn takes_two_for_the_lowest_unless_a_highest_is_given() {
    let range = |min, max| Replicas::new(Settings { min, max, ..Settings::default() }).unwrap().accepted;
    assert_eq!(
        [range(None, None), range(None, Some(9)), range(Some(3), None)],
        ["at least 2", "at most 9", "at least 3"]
    );
}

#[test]
fn takes_several_ranges_and_none_beside_them() {
    let ends = |min, max| Ends { min, max };
    let settings = Settings { ranges: vec![ends(Some(2), Some(5)), ends(Some(9), None)], ..Settings::default() };
    assert_eq!(Replicas::new(settings.clone()).unwrap().accepted, "2 to 5 or at least 9");
    let errors = Replicas::new(Settings { max: Some(3), ..settings }).unwrap_err();
    assert_eq!(errors, [problem("/ranges", "min and max are one range already: give it here, or leave ranges out")]);
    let errors =
        Replicas::new(Settings { ranges: vec![ends(Some(6), Some(5)), ends(None, None)], ..Settings::default() });
    assert_eq!(
        errors.unwrap_err(),
        [
            problem("/ranges/0/min", "min 6 is above max 5: nothing can meet both"),
            problem("/ranges/1", "nothing is bounded: expected min, max or both"),
        ]
    );
}
