//! Who goes by what is redacted.

use super::*;
use crate::redaction::Redaction;
use crate::verdict::Doubt;

fn reads(subject: Subject<'_, '_>, key: &str) -> bool {
    subject.object.at(&["metadata", "labels"]).and_then(|labels| labels.str(key)).is_some()
}

fn refuse(report: &mut Report<'_>) {
    report.finding(&Path::root("metadata"), Node::NULL, "no".to_owned());
}

/// What is in doubt where the label `pin` is redacted: the policies with what they could have done, and the outcome.
fn doubts(mutators: Vec<Arc<Mutator>>, validators: Vec<Arc<Validator>>) -> (Vec<String>, Option<bool>) {
    let set = set(mutators, validators);
    let objects = r#""object":{"metadata":{"labels":{"pin":"4711","team":"a"}}}"#;
    with_review("CREATE", objects, |review| {
        let redaction = Redaction::with(vec!["Pod:metadata.labels.pin".parse().unwrap()]);
        let review = redaction.review(review).unwrap();
        let verdict = admit(set, &review, &run(Route::Offline)).unwrap();
        let name = |doubt: &Doubt| {
            format!("{} {}{}", doubt.origin.policy, doubt.action, if doubt.mutates { " changes" } else { "" })
        };
        (verdict.doubts.iter().map(name).collect(), verdict.is_allowed_for_certain())
    })
}

#[test]
fn names_policies_that_look_at_what_is_redacted() {
    let looks = Odd(|subject, _| assert!(reads(subject, "pin")));
    let other = Odd(|subject, _| assert!(reads(subject, "team")));
    let found = doubts(vec![], vec![validator("a", DENY, looks), validator("b", DENY, other)]);
    assert_eq!(found, (vec!["a Deny".to_owned()], None));
    let looks = || Odd(|subject, _| assert!(reads(subject, "pin")));
    let found = doubts(
        vec![],
        vec![validator("a", Actions::Audit, looks()), validator("b", Actions::Warn { audit: false }, looks())],
    );
    assert_eq!(found, (vec!["a Audit".to_owned(), "b Warn".to_owned()], Some(true)));
}

#[test]
fn knows_a_denial_that_nobody_in_doubt_can_take_back() {
    let looks = || Odd(|subject, _| assert!(reads(subject, "pin")));
    let denies = || validator("denies", DENY, Odd(|_, report| refuse(report)));
    assert_eq!(doubts(vec![], vec![validator("a", DENY, looks()), denies()]).1, Some(false));
    let both = Odd(|subject, report| {
        assert!(reads(subject, "pin"));
        refuse(report);
    });
    assert_eq!(doubts(vec![], vec![validator("a", DENY, both)]).1, None);
    let changes = || {
        mutator("changes", 0, Changes(|object| object.at(&["metadata", "labels"]).unwrap().str("pin").is_some(), "new"))
    };
    assert_eq!(doubts(vec![changes()], vec![denies()]), (vec!["changes Deny changes".to_owned()], None));
}

#[test]
fn has_no_doubt_where_changes_are_made_beside_what_is_redacted() {
    let changes = mutator("changes", 0, Changes(|object| object.at(&["metadata", "labels", "new"]).is_none(), "new"));
    let set = set(vec![changes], vec![]);
    with_review("CREATE", r#""object":{"metadata":{"labels":{"pin":"4711"}}}"#, |review| {
        let review = Redaction::with(vec!["Pod:metadata.labels.pin".parse().unwrap()]).review(review).unwrap();
        let verdict = admit(set, &review, &run(Route::Mutate)).unwrap();
        let patch = serde_json::to_string(&crate::response::patch(&review, &verdict)).unwrap();
        assert_eq!(patch, r#"[{"op":"add","path":"/metadata/labels/new","value":"new"}]"#);
        assert!(verdict.doubts.is_empty());
    });
}
