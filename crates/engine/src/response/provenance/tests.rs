//! Operations with their policies, in the audit log too.

use super::*;
use crate::deadline::Deadline;
use crate::document::SourceFile;
use crate::json::Arena;
use crate::json::patch;
use crate::pipeline::{Budget, Detail, Route, Run, admit};
use crate::review::{Envelope, NoLookups};
use crate::set::link;
use crate::unit::{Unit, compile};

fn with_verdict<T>(policies: &str, object: &str, test: impl FnOnce(&Arena, &Verdict<'_>) -> T) -> T {
    let compiled = compile(&Unit::of_file(SourceFile::new("policies.yaml", policies)));
    let (set, _) = link(&[compiled.unwrap_or_else(|problems| panic!("{}", problems[0]))]);
    let body = format!(
        r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{"uid":"u","operation":"CREATE","kind":{{"version":"v1","kind":"Pod"}},"resource":{{"version":"v1","resource":"pods"}},"namespace":"default","object":{object}}}}}"#
    );
    let arena = Arena::with_limit(1 << 20);
    let review = Envelope::read(&arena, body.as_bytes()).0.into_review(&arena).unwrap();
    let run = Run {
        route: Route::Mutate,
        deadline: Deadline::never(),
        budget: Budget::default(),
        lookups: &NoLookups,
        detail: Detail::Findings,
        timed: false,
        judges_drift: false,
    };
    test(&arena, &admit(&set, &review, &run).unwrap())
}

fn add_labels(name: &str, labels: &str, more: &str) -> String {
    format!(
        "apiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: {name} }}\nspec: {{ module: add-labels, settings: {{ labels: {labels}, overwrite: true }}{more} }}\n---\n"
    )
}

#[test]
fn names_the_policy_of_each_operation_also_of_those_that_are_written_over() {
    let policies = [
        add_labels("a", "{ team: shop }", ""),
        add_labels("b", "{ team: bank, tier: web }", ", order: 1"),
        add_labels("ghost", "{ x: ghost }", ", actions: [Audit], order: 2"),
    ];
    with_verdict(&policies.concat(), r#"{"metadata":{"name":"web"}}"#, |arena, verdict| {
        let written = provenance(verdict);
        let lines: Vec<String> = written.iter().map(ToString::to_string).collect();
        let first = ["a: add /metadata/labels", "b: replace /metadata/labels/team", "b: add /metadata/labels/tier"];
        assert_eq!(lines[..3], first);
        assert!(written.iter().all(|written| written.shadow == (written.origin.policy == "ghost")));
        assert!(written.iter().any(|written| written.shadow));
        let sent: Vec<_> = written.into_iter().filter(|it| !it.shadow).map(|it| it.operation).collect();
        assert_eq!(patch::apply(arena, verdict.roots.original, &sent).unwrap(), verdict.roots.mutated);
        let keys = ["mutations.1", "mutations.2", "mutations.3"].map(str::to_owned);
        let expected: Vec<(String, String)> = keys.into_iter().zip(first.map(str::to_owned)).collect();
        assert_eq!(annotations(&provenance(verdict)), expected);
    });
}

#[test]
fn counts_the_operations_beyond_the_twentieth_and_cuts_long_paths() {
    let labels: Vec<String> = (0..23).map(|n| format!("l{n}: v")).collect();
    let prefix = format!("{}.{}.{}.{}", "a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(60));
    let policy = add_labels("many", &format!("{{ '{prefix}/x': long, {} }}", labels.join(", ")), "");
    with_verdict(&policy, r#"{"metadata":{"labels":{"old":"1"}}}"#, |_, verdict| {
        let annotations = annotations(&provenance(verdict));
        assert_eq!(annotations.len(), 21);
        assert_eq!(annotations[20], ("mutations.21".to_owned(), "… and 4 more".to_owned()));
        assert!(annotations.iter().all(|(_, text)| text.len() <= 256));
        assert!(annotations.iter().any(|(_, text)| text.ends_with('…')));
    });
}

#[test]
fn finds_what_one_policy_wrote_over_another_of_the_same_order() {
    let of = |order: &str| {
        let policies = [
            add_labels("a", "{ tier: web }", ""),
            add_labels("b", "{ team: shop }", ""),
            add_labels("c", "{ team: bank }", order),
        ];
        with_verdict(&policies.concat(), r#"{"metadata":{"labels":{"team":"old"}}}"#, |_, verdict| {
            let found = overwritten(&provenance(verdict));
            found.iter().map(|(path, one, other)| format!("{path} {} {}", one.policy, other.policy)).collect::<Vec<_>>()
        })
    };
    assert_eq!(of(""), ["/metadata/labels/team b c"]);
    assert_eq!(of(", order: 1"), [""; 0]);
}
