use super::*;
use crate::json::{Arena, read};

#[test]
fn counts_what_may_go_as_the_disruption_controller_does() {
    let arena = Arena::with_limit(1 << 20);
    let spares = |spec: &str, replicas| {
        let text = arena.format(format_args!(r#"{{"spec":{spec}}}"#));
        super::spares(read(&arena, text).unwrap(), replicas)
    };
    for (spec, replicas, expected) in [
        (r#"{"maxUnavailable":1}"#, 3, Some(1)),
        (r#"{"maxUnavailable":0}"#, 3, Some(0)),
        (r#"{"maxUnavailable":"10%"}"#, 3, Some(1)),
        (r#"{"maxUnavailable":"0%"}"#, 3, Some(0)),
        (r#"{"maxUnavailable":"100%"}"#, 3, Some(3)),
        (r#"{"minAvailable":2}"#, 3, Some(1)),
        (r#"{"minAvailable":3}"#, 3, Some(0)),
        (r#"{"minAvailable":9}"#, 3, Some(0)),
        (r#"{"minAvailable":"50%"}"#, 3, Some(1)),
        (r#"{"minAvailable":"90%"}"#, 3, Some(0)),
        ("{}", 3, Some(2)),
        (r#"{"minAvailable":"all"}"#, 3, None),
        (r#"{"maxUnavailable":[]}"#, 3, None),
    ] {
        assert_eq!(spares(spec, replicas), expected, "{spec}");
    }
}

#[test]
fn rejects_single_replicas() {
    let errors = DisruptionBudget::new(Settings { min_replicas: Some(1), required: true }).unwrap_err();
    let message = "1 is too low: a budget that lets one go protects no single replica";
    assert_eq!(errors, [problem("/minReplicas", message)]);
    let errors = DisruptionBudget::new(Settings { min_replicas: Some(3), required: false }).unwrap_err();
    let message = "no budget is required, however many replicas there are: leave it out, or required";
    assert_eq!(errors, [problem("/minReplicas", message)]);
}
