//! Mutators one after the other, and again until they agree.

use super::*;

#[test]
fn runs_mutators_by_order_then_by_name_each_on_the_root_before_and_then_until_they_agree() {
    let after_a: fn(Node<'_>) -> bool = |object| object.at(&["metadata", "labels", "a"]).is_some();
    let mutators = vec![
        mutator("z", 0, Changes(ALWAYS, "a")),
        mutator("b", 1, Changes(after_a, "b")),
        mutator("a", 1, Changes(after_a, "c")),
        mutator("y", -1, Changes(after_a, "d")),
    ];
    let seen = judge(set(mutators, vec![]), Route::Mutate);
    assert_eq!(seen.labels, ["a", "c", "b", "d"]);
    assert_eq!(seen.edits, ["z", "a", "b", "y"]);
}

#[test]
fn keeps_the_root_before_a_mutator_that_fails_or_panics() {
    let mutators = vec![
        mutator("a", 0, Changes(ALWAYS, "first")),
        mutator("b", 0, Changes(NEVER, "panics")),
        mutator("c", 0, Changes(NEVER, "errs")),
        mutator("d", 0, Changes(ALWAYS, "last")),
    ];
    let seen = judge(set(mutators, vec![]), Route::Mutate);
    assert_eq!(seen.labels, ["first", "last"]);
    assert!(!seen.allowed);
    assert_eq!(
        seen.lines,
        [
            "b: evaluation error: the policy panicked; this is a bug in its module, please report it",
            "c: evaluation error: no reason"
        ]
    );
}

/// A mutator that gives the label a value, whatever it has.
struct Says(&'static str);

impl Mutate for Says {
    fn mutate<'a>(&self, subject: Subject<'_, 'a>, _: &mut Report<'_>) -> Result<Node<'a>, PolicyError> {
        Ok(edit::set(subject.arena(), subject.object, &["metadata", "labels", "said"], Node::string(self.0))?)
    }
}

fn says(name: &str, value: &'static str) -> Arc<Mutator> {
    Arc::new(Mutator { rule: Box::new(Says(value)), ..shadowed(name, false) })
}

fn shadowed(name: &str, shadow: bool) -> Mutator {
    let rule = Box::new(Changes(|object| object.at(&["metadata", "labels", "b"]).is_some(), "a"));
    Mutator { head: head(name, FailurePolicy::Fail), order: 0, shadow, is_reinvoked: false, on_drift: None, rule }
}

#[test]
fn lets_the_last_one_have_its_way_where_two_undo_each_others_work() {
    let policies = set(vec![says("a", "one"), says("b", "other")], vec![]);
    with_review("CREATE", r#""object":{}"#, |review| {
        let verdict = admit(policies, review, &Run { detail: Detail::Trace, ..run(Route::Mutate) }).unwrap();
        assert_eq!(seen(&verdict).edits, ["a", "b"]);
        let said = verdict.roots.mutated.at(&["metadata", "labels", "said"]);
        assert_eq!((said.and_then(Node::as_str), verdict.matched), (Some("other"), 2));
    });
}

#[test]
fn runs_on_as_far_as_each_reason_for_another() {
    let chain = vec![
        mutator("a", 0, Changes(|object| object.at(&["metadata", "labels", "b"]).is_some(), "a")),
        mutator("b", 0, Changes(|object| object.at(&["metadata", "labels", "c"]).is_some(), "b")),
        mutator("c", 0, Changes(|object| object.at(&["metadata", "labels", "d"]).is_some(), "c")),
        mutator("d", 0, Changes(ALWAYS, "d")),
    ];
    assert_eq!(judge(set(chain, vec![]), Route::Mutate).edits, ["d", "c", "b", "a"]);
}

#[test]
fn fails_once_and_says_once_what_became_of_each() {
    // Its failure is ignored, so that the others go on.
    let fails = Mutator {
        head: head("a", FailurePolicy::Ignore),
        rule: Box::new(Changes(NEVER, "errs")),
        ..shadowed("a", false)
    };
    let mutators = vec![
        Arc::new(fails),
        mutator("b", 0, Changes(|object| object.at(&["metadata", "labels", "c"]).is_some(), "b")),
        Arc::new(shadowed("c", false)),
        mutator("d", 0, Changes(NEVER, "d")),
        mutator("e", 0, Changes(ALWAYS, "c")),
    ];
    with_review("CREATE", r#""object":{}"#, |review| {
        let verdict =
            admit(set(mutators, vec![]), review, &Run { detail: Detail::Trace, ..run(Route::Mutate) }).unwrap();
        let steps: Vec<String> =
            verdict.trace.iter().map(|step| format!("{} {}", step.origin.policy, step.reason)).collect();
        assert_eq!(
            steps,
            [
                "a evaluation error: no reason",
                "b changes nothing",
                "c changes nothing",
                "d changes nothing",
                "e changes the object",
                "b changes the object",
                "c changes the object"
            ]
        );
        assert_eq!((verdict.failures.len(), verdict.matched), (1, 5));
    });
}

#[test]
fn agrees_on_what_would_be_as_well() {
    let policies = set(vec![Arc::new(shadowed("a", true)), mutator("b", 0, Changes(ALWAYS, "b"))], vec![]);
    for route in [Route::Offline, Route::Mutate] {
        with_review("CREATE", r#""object":{}"#, |review| {
            let verdict = admit(policies, review, &run(route)).unwrap();
            assert_eq!(seen(&verdict).labels, ["b"]);
            let shadow = verdict.roots.shadow.get("metadata").unwrap_or_default().entries_of("labels");
            assert_eq!(shadow.iter().map(|(key, _)| *key).collect::<Vec<_>>(), ["b", "a"]);
        });
    }
    with_review("CREATE", r#""object":{}"#, |review| {
        let verdict = admit(policies, review, &run(Route::Validate)).unwrap();
        let shadow = verdict.roots.shadow.get("metadata").unwrap_or_default().entries_of("labels");
        assert_eq!(shadow.iter().map(|(key, _)| *key).collect::<Vec<_>>(), ["b", "a"]);
    });
}
