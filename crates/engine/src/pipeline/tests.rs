//! The flow over made-up rules: who has a turn, in which order, and what a failure leaves behind.

mod doubts;
mod drift;
mod mutators;

use crate::policy::FailurePolicy;
use std::sync::Arc;
use std::time::Instant;

use super::*;
use crate::deadline::Deadline;
use crate::json::{Arena, Path, edit};
use crate::matching::{MatchConstraints, NamespaceGlobs};
use crate::review::{Answer, Envelope, Lookups, NoLookups};
use crate::rule::{Applies, Mutate, Resources, Validate};
use crate::verdict::Origin;

/// A mutator of one line.
struct Changes(fn(Node<'_>) -> bool, &'static str);

impl Mutate for Changes {
    fn mutate<'a>(&self, subject: Subject<'_, 'a>, _: &mut Report<'_>) -> Result<Node<'a>, PolicyError> {
        if (self.0)(subject.object) {
            let arena = subject.arena();
            let value = Node::string(arena.text(self.1));
            return Ok(edit::set(arena, subject.object, &["metadata", "labels", self.1], value)?);
        }
        match self.1 {
            "panics" => panic!("secret-4711"),
            "errs" => Err(PolicyError::Other("no reason".to_owned())),
            _ => Ok(subject.object),
        }
    }
}

/// A validator that holds each label against the object.
struct Labels;

impl Validate for Labels {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let metadata = Path::root("metadata");
        let labels = metadata.key("labels");
        for (key, value) in subject.object.get("metadata").unwrap_or_default().entries_of("labels") {
            report.finding(&labels.key(key), *value, format!("label {key}"));
        }
    }
}

/// A validator that does something odd.
struct Odd(fn(Subject<'_, '_>, &mut Report<'_>));

impl Validate for Odd {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        (self.0)(subject, report);
    }
}

fn head(name: &str, failure_policy: FailurePolicy) -> Head {
    const ANY: Applies = Applies::To(&[Resources { groups: &["*"], resources: &["*/*"], operations: &Operation::ALL }]);
    let origin =
        Origin { policy: name.to_owned(), module: Some("made-up"), unit: "test".to_owned(), line: 1, binding: None };
    Head {
        lookups: vec![],
        origin: Arc::new(origin),
        constraints: MatchConstraints::for_module(&ANY, false),
        namespaces: NamespaceGlobs::default(),
        binding: None,
        failure_policy,
        public: &[],
    }
}

fn mutator(name: &str, order: i32, rule: Changes) -> Arc<Mutator> {
    Arc::new(Mutator {
        head: head(name, FailurePolicy::Fail),
        order,
        shadow: false,
        is_reinvoked: false,
        on_drift: None,
        rule: Box::new(rule),
    })
}

fn validator(name: &str, actions: Actions, rule: impl Validate + 'static) -> Arc<Validator> {
    let head = head(name, FailurePolicy::Fail);
    Arc::new(Validator { head, actions, existing: Existing::Allow, message: None, rule: Box::new(rule) })
}

const DENY: Actions = Actions::Deny { audit: false };

/// A set that lives as long as any review: verdicts may borrow texts of policies.
fn set(mutators: Vec<Arc<Mutator>>, validators: Vec<Arc<Validator>>) -> &'static PolicySet {
    Box::leak(Box::new(PolicySet::new(mutators, validators, String::new())))
}

/// What tests look at.
#[derive(Debug, PartialEq)]
struct Seen {
    allowed: bool,
    lines: Vec<String>,
    labels: Vec<String>,
    edits: Vec<String>,
}

fn run(route: Route) -> Run<'static> {
    Run {
        route,
        deadline: Deadline::never(),
        budget: Budget::default(),
        lookups: &NoLookups,
        detail: Detail::Findings,
        timed: false,
        judges_drift: false,
    }
}

fn with_review<T>(operation: &str, objects: &str, test: impl FnOnce(&Review<'_>) -> T) -> T {
    let arena = Arena::with_limit(1 << 20);
    let body = format!(
        r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{"uid":"u","operation":"{operation}","kind":{{"version":"v1","kind":"Pod"}},"resource":{{"version":"v1","resource":"pods"}},"namespace":"default",{objects}}}}}"#
    );
    let (envelope, read) = Envelope::read(&arena, body.as_bytes());
    read.unwrap();
    test(&envelope.into_review(&arena).unwrap())
}

fn seen(verdict: &Verdict<'_>) -> Seen {
    let labels = verdict.roots.mutated.get("metadata").unwrap_or_default().entries_of("labels");
    Seen {
        allowed: verdict.is_allowed(),
        lines: verdict.message().lines().map(str::to_owned).collect(),
        labels: labels.iter().map(|(key, _)| (*key).to_owned()).collect(),
        edits: verdict.edits.iter().map(|edit| edit.origin.policy.clone()).collect(),
    }
}

fn judge(set: &'static PolicySet, route: Route) -> Seen {
    with_review("CREATE", r#""object":{"metadata":{"name":"web"}}"#, |review| {
        seen(&admit(set, review, &run(route)).unwrap())
    })
}

const ALWAYS: fn(Node<'_>) -> bool = |_| true;
const NEVER: fn(Node<'_>) -> bool = |_| false;

#[test]
fn keeps_other_findings_beside_a_panic() {
    let validators = vec![
        validator("a", DENY, Odd(|_, _| panic!("secret-4711"))),
        validator("b", DENY, Odd(|_, report| report.finding_of_request("found"))),
    ];
    with_review("CREATE", r#""object":{}"#, |review| {
        let verdict = admit(set(vec![], validators), review, &run(Route::Validate)).unwrap();
        assert_eq!(verdict.refusal(), Some(crate::verdict::Refusal::FORBIDDEN));
        assert_eq!(
            verdict.message(),
            "b: found\na: evaluation error: the policy panicked; this is a bug in its module, please report it"
        );
    });
}

#[test]
fn passes_over_errors_under_ignore_and_warns_or_notes_by_the_actions() {
    let broken = |name, actions, failure_policy| {
        let rule = Box::new(Odd(|_, report| report.error(PolicyError::Other("odd".to_owned()))));
        Arc::new(Validator {
            head: head(name, failure_policy),
            actions,
            existing: Existing::Allow,
            message: None,
            rule,
        })
    };
    let validators = vec![
        broken("ignored", DENY, FailurePolicy::Ignore),
        broken("warned", Actions::Warn { audit: false }, FailurePolicy::Fail),
        broken("audited", Actions::Audit, FailurePolicy::Fail),
    ];
    with_review("CREATE", r#""object":{}"#, |review| {
        let verdict = admit(set(vec![], validators), review, &run(Route::Validate)).unwrap();
        assert!(verdict.is_allowed());
        assert_eq!(verdict.warnings(), ["warned: evaluation error: odd"]);
        assert_eq!(
            verdict.audit_annotations(),
            [(
                "validation_failure".to_owned(),
                "audited: evaluation error: odd\nignored: evaluation error: odd".to_owned()
            )]
        );
    });
}

#[test]
fn judges_the_mutated_object_offline_and_the_sent_one_on_validate() {
    let policies = || set(vec![mutator("a", 0, Changes(ALWAYS, "x"))], vec![validator("labels", DENY, Labels)]);
    assert_eq!(judge(policies(), Route::Offline).lines, ["labels: metadata.labels.x: label x"]);
    let validated = judge(policies(), Route::Validate);
    assert!(validated.allowed && validated.edits.is_empty() && validated.labels.is_empty());
    let mutated = judge(policies(), Route::Mutate);
    assert!(mutated.allowed && mutated.labels == ["x"]);
}

#[test]
fn shows_shadow_mutations_to_shadow_validators_alone() {
    let shadow = Arc::new(Mutator {
        head: head("a", FailurePolicy::Fail),
        order: 0,
        shadow: true,
        is_reinvoked: false,
        on_drift: None,
        rule: Box::new(Changes(ALWAYS, "ghost")),
    });
    let validators = || vec![validator("deny", DENY, Labels), validator("dry", Actions::Audit, Labels)];
    let policies = set(vec![shadow, mutator("b", 0, Changes(ALWAYS, "real"))], validators());
    with_review("CREATE", r#""object":{}"#, |review| {
        let verdict = admit(policies, review, &run(Route::Offline)).unwrap();
        let found: Vec<String> = verdict.findings.iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "deny: metadata.labels.real: label real",
                "dry: metadata.labels.ghost: label ghost",
                "dry: metadata.labels.real: label real"
            ]
        );
        let edits: Vec<(&str, bool)> =
            verdict.edits.iter().map(|edit| (edit.origin.policy.as_str(), edit.shadow)).collect();
        assert_eq!(edits, [("a", true), ("b", false)]);
        let turns: Vec<(&str, bool)> =
            verdict.turns().map(|turn| (turn.origin.policy.as_str(), turn.mutates)).collect();
        assert_eq!(verdict.shadow_changes(), ["a: add /metadata"]);
        assert_eq!(verdict.audit_annotations().last().unwrap().1, "a: add /metadata");
        assert_eq!(turns, [("dry", false), ("deny", false), ("b", true), ("a", true)], "each once, the last first");
        let verdict = admit(policies, review, &run(Route::Validate)).unwrap();
        let found: Vec<String> = verdict.findings.iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            ["dry: metadata.labels.ghost: label ghost", "dry: metadata.labels.real: label real"],
            "what shadow validators see on /validate is what they would see"
        );
    });
}

#[test]
fn lets_violations_pass_that_the_stored_object_has_already() {
    let objects = r#""object":{"metadata":{"labels":{"old":"1","new":"1","changed":"2"}}},
        "oldObject":{"metadata":{"labels":{"old":"1","changed":"1"}}}"#;
    let strict = Validator {
        head: head("strict", FailurePolicy::Fail),
        actions: DENY,
        existing: Existing::Deny,
        message: Some("mine, not {message}".to_owned()),
        rule: Box::new(Labels),
    };
    let policies = set(vec![], vec![validator("lenient", DENY, Labels), Arc::new(strict)]);
    let seen = with_review("UPDATE", objects, |review| seen(&admit(policies, review, &run(Route::Validate)).unwrap()));
    assert_eq!(
        seen.lines,
        [
            "lenient: metadata.labels.new: label new",
            "lenient: metadata.labels.changed: label changed",
            "strict: metadata.labels.old: mine, not label old",
            "strict: metadata.labels.new: mine, not label new",
            "strict: metadata.labels.changed: mine, not label changed"
        ]
    );
}

#[test]
fn lets_an_object_go_that_is_being_deleted() {
    let objects = r#""object":{"metadata":{"labels":{"x":"1"},"deletionTimestamp":"t"}},
        "oldObject":{"metadata":{"labels":{"x":"1"},"deletionTimestamp":"t","finalizers":["f"]}}"#;
    let strict = Validator {
        existing: Existing::Deny,
        head: head("strict", FailurePolicy::Fail),
        actions: DENY,
        message: None,
        rule: Box::new(Labels),
    };
    let policies = set(vec![mutator("a", 0, Changes(ALWAYS, "x"))], vec![Arc::new(strict)]);
    with_review("UPDATE", objects, |review| {
        assert!(admit(policies, review, &run(Route::Offline)).unwrap().is_allowed());
    });
}

#[test]
fn changes_nothing_on_delete_and_judges_the_stored_object() {
    let policies = set(vec![mutator("a", 0, Changes(ALWAYS, "x"))], vec![validator("labels", DENY, Labels)]);
    let objects = r#""object":null,"oldObject":{"metadata":{"labels":{"old":"1"}}}"#;
    let seen = with_review("DELETE", objects, |review| seen(&admit(policies, review, &run(Route::Offline)).unwrap()));
    assert_eq!((seen.lines, seen.edits), (vec!["labels: metadata.labels.old: label old".to_owned()], vec![]));
}

#[test]
fn fails_every_policy_whose_turn_comes_after_the_deadline() {
    let policies = set(vec![], vec![validator("a", DENY, Labels), validator("b", Actions::Audit, Labels)]);
    with_review("CREATE", r#""object":{}"#, |review| {
        let run = Run { deadline: Deadline::at(Instant::now()), ..run(Route::Validate) };
        let verdict = admit(policies, review, &run).unwrap();
        assert_eq!(verdict.message(), "a: evaluation error: the time for this request was over");
        assert_eq!(verdict.failures.len(), 2);
    });
}

#[test]
fn fails_a_policy_that_takes_more_memory_than_its_budget() {
    let greedy = Odd(|subject, _| {
        for _ in 0..64 {
            let _ = subject.arena().text(&"x".repeat(1 << 20));
        }
    });
    let policies = set(vec![], vec![validator("greedy", DENY, greedy)]);
    with_review("CREATE", r#""object":{}"#, |review| {
        let verdict = admit(policies, review, &run(Route::Validate)).unwrap();
        assert_eq!(verdict.message(), "greedy: evaluation error: the policy needs more memory than a policy may use");
    });
}

#[test]
fn fails_every_policy_on_an_object_that_cannot_be_read() {
    let policies = set(vec![], vec![validator("a", DENY, Labels)]);
    with_review("CREATE", &format!(r#""object":{}{}"#, "[".repeat(200), "]".repeat(200)), |review| {
        let verdict = admit(policies, review, &run(Route::Validate)).unwrap();
        assert_eq!(
            verdict.message(),
            "a: evaluation error: the object cannot be read: nested more than 128 levels deep at line 1 column 128"
        );
    });
}

/// Knows nothing yet.
struct Unasked;

impl Lookups for Unasked {
    fn answer<'a>(&self, _: &Lookup<'_>, _: &'a Arena) -> Answer<'a> {
        Answer::Unknown
    }
}

#[test]
fn returns_all_needs_at_once_and_each_once() {
    fn asks_for(name: &'static str, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let _ = report.look_up(Lookup::Namespace(name.into()), subject.arena());
    }
    let asks = |name| match name {
        "a" => Odd(|subject, report| asks_for("shop", subject, report)),
        _ => Odd(|subject, report| asks_for("bank", subject, report)),
    };
    let validators = ["a", "b", "c"].map(|name| validator(name, DENY, asks(name)));
    with_review("CREATE", r#""object":{}"#, |review| {
        let run = Run { lookups: &Unasked, ..run(Route::Validate) };
        let needs = admit(set(vec![], validators.to_vec()), review, &run).unwrap_err();
        assert_eq!(needs, Needs(vec![Lookup::Namespace("bank".into()), Lookup::Namespace("shop".into())]));
    });
}

#[test]
fn says_what_became_of_each_candidate_when_asked() {
    let mut elsewhere = head("elsewhere", FailurePolicy::Fail);
    elsewhere.namespaces = NamespaceGlobs::new(&crate::matching::RawNamespaceGlobs {
        include: Some(vec!["prod-*".to_owned()]),
        exclude: None,
    })
    .unwrap();
    let elsewhere =
        Validator { head: elsewhere, actions: DENY, existing: Existing::Allow, message: None, rule: Box::new(Labels) };
    let policies = set(
        vec![mutator("a", 0, Changes(ALWAYS, "x")), mutator("b", 0, Changes(NEVER, "y"))],
        vec![Arc::new(elsewhere), validator("labels", DENY, Labels)],
    );
    with_review("CREATE", r#""object":{}"#, |review| {
        let verdict = admit(policies, review, &Run { detail: Detail::Trace, ..run(Route::Offline) }).unwrap();
        let steps: Vec<(&str, &str)> =
            verdict.trace.iter().map(|step| (step.origin.policy.as_str(), step.reason.as_str())).collect();
        assert_eq!(
            steps,
            [
                ("a", "changes the object"),
                ("b", "changes nothing"),
                ("elsewhere", "namespaces.include does not name the namespace"),
                ("labels", "1 finding"),
            ]
        );
    });
}

#[test]
fn says_how_long_each_policy_took_when_asked() {
    let policies = set(vec![mutator("a", 0, Changes(NEVER, "x"))], vec![validator("labels", DENY, Labels)]);
    with_review("CREATE", r#""object":{}"#, |review| {
        let verdict = admit(policies, review, &Run { timed: true, ..run(Route::Offline) }).unwrap();
        let names: Vec<&str> = verdict.times.iter().map(|(origin, _)| origin.policy.as_str()).collect();
        assert_eq!(names, ["a", "labels"]);
        assert!(admit(policies, review, &run(Route::Offline)).unwrap().times.is_empty());
    });
}
