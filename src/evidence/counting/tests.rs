use admittance_engine::deadline::Deadline;
use admittance_engine::document::SourceFile;
use admittance_engine::json::Arena;
use admittance_engine::pipeline::{Budget, Detail, Run, admit};
use admittance_engine::review::{Envelope, NoLookups};
use admittance_engine::set::link;
use admittance_engine::unit::{Unit, compile};

use super::*;

pub(crate) const POLICIES: &str = r"
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: tags }
spec: { module: latest-tag }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: ports }
spec: { module: host-ports, actions: [Audit] }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: labels }
spec: { module: add-labels, settings: { labels: { team: web } }, actions: [Audit] }
";

pub(crate) fn active(policies: &str) -> Active {
    let unit = compile(&Unit::of_file(SourceFile::new("p.yaml", policies))).unwrap();
    let compiled = vec![unit];
    Active { set: link(&compiled).0, compiled, ..Active::default() }
}

fn pod(name: &str, image: &str, owner: &str) -> String {
    let owners = if owner.is_empty() {
        String::new()
    } else {
        format!(r#","ownerReferences":[{{"kind":"ReplicaSet","name":"{owner}","controller":true}}]"#)
    };
    format!(
        r#""object":{{"metadata":{{{name}{owners}}},"spec":{{"containers":[{{"name":"c","image":"{image}","ports":[{{"hostPort":80}}]}}]}}}}"#
    )
}

fn judge(evidence: &Evidence, active: &Active, route: Route, namespace: &str, rest: &str, now: u64) {
    let body = format!(
        r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{"uid":"u","operation":"CREATE","kind":{{"group":"","version":"v1","kind":"Pod"}},"resource":{{"group":"","version":"v1","resource":"pods"}},"namespace":"{namespace}","userInfo":{{"username":"u"}},{rest}}}}}"#
    );
    let arena = Arena::with_limit(Budget::REVIEW);
    let (envelope, read) = Envelope::read(&arena, body.as_bytes());
    read.unwrap();
    let review = envelope.into_review(&arena).unwrap();
    let run = Run {
        route,
        deadline: Deadline::never(),
        budget: Budget::default(),
        lookups: &NoLookups,
        detail: Detail::Findings,
        timed: false,
        judges_drift: false,
    };
    let verdict = admit(&active.set, &review, &run).unwrap();
    evidence.count(&review, &verdict, route, now);
}

fn both(evidence: &Evidence, active: &Active, namespace: &str, rest: &str, now: u64) {
    judge(evidence, active, Route::Mutate, namespace, rest, now);
    judge(evidence, active, Route::Validate, namespace, rest, now);
}

#[test]
fn counts_what_each_policy_did_or_would_have_done() {
    let (evidence, active) = (Evidence::default(), active(POLICIES));
    evidence.activate(&active, 100);
    both(&evidence, &active, "shop", &pod(r#""name":"a""#, "nginx:1", ""), 110);
    both(&evidence, &active, "shop", &pod(r#""generateName":"web-""#, "nginx", "web"), 120);
    both(&evidence, &active, "bank", &pod(r#""generateName":"job-""#, "nginx", ""), 130);
    let dry = format!(r#""dryRun":true,{}"#, pod(r#""name":"a""#, "nginx", ""));
    both(&evidence, &active, "bank", &dry, 140);
    let book = evidence.book();
    let told: Vec<String> = book
        .policies
        .iter()
        .map(|(name, known)| {
            let total = known.total();
            format!(
                "{name} since {}: {} requests of {}, {} violations, {} denied, {} mutations, {}..{}, trouble {}",
                known.since,
                total.requests,
                known.owners.count(),
                total.violations,
                total.denied,
                total.mutations,
                total.first,
                total.last,
                total.last_trouble
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "labels since 100: 3 requests of 3, 0 violations, 0 denied, 3 mutations, 110..130, trouble 0",
            "ports since 100: 3 requests of 3, 3 violations, 0 denied, 0 mutations, 110..130, trouble 130",
            "tags since 100: 3 requests of 3, 2 violations, 2 denied, 0 mutations, 110..130, trouble 130",
        ]
    );
    let owners = |policy: &str, namespace: &str| {
        let owners = &book.policies[policy].namespaces[namespace].owners;
        owners.iter().map(|it| (it.owner.clone(), it.requests)).collect::<Vec<_>>()
    };
    let named = |text: &str| (text.to_owned(), 1);
    assert_eq!(owners("tags", "shop"), [named("shop/ReplicaSet/web")]);
    assert_eq!(owners("tags", "bank"), [named("bank/Pod/job-*")]);
    assert_eq!(owners("ports", "shop"), [named("shop/Pod/a"), named("shop/ReplicaSet/web")]);
}

#[test]
fn begins_anew_with_a_new_version_alone() {
    let (evidence, first) = (Evidence::default(), active(POLICIES));
    evidence.activate(&first, 100);
    let bad = pod(r#""name":"a""#, "nginx", "");
    both(&evidence, &first, "shop", &bad, 110);
    let second = active(&POLICIES.replace("[Audit] }\n---", "[Warn] }\n---"));
    evidence.activate(&second, 200);
    let since = |name: &str| {
        let book = evidence.book();
        (book.policies[name].since, book.policies[name].total().requests)
    };
    assert_eq!((since("tags"), since("ports")), ((100, 1), (200, 0)));
    both(&evidence, &first, "shop", &bad, 210);
    assert_eq!((since("tags"), since("ports")), ((100, 1), (200, 0)), "a request under way went by the old policies");
    both(&evidence, &second, "shop", &bad, 220);
    assert_eq!((since("tags"), since("ports")), ((100, 2), (200, 1)));
}

#[test]
fn counts_policies_that_cannot_be_evaluated() {
    let policies = "
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: broken }
spec:
  matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: [v1], resources: [pods], operations: [CREATE] }] }
  validations: [{ expression: object.spec.nothing == 1 }, { expression: object.spec.nothing == 2 }]
";
    let (evidence, active) = (Evidence::default(), active(policies));
    evidence.activate(&active, 1);
    both(&evidence, &active, "shop", &pod(r#""name":"a""#, "nginx", ""), 7);
    let total = evidence.book().policies["broken"].total();
    assert_eq!((total.requests, total.errors, total.violations, total.last_trouble), (1, 1, 0, 7));
}

#[test]
fn hands_out_the_same_addition_until_it_is_kept() {
    let (evidence, active) = (Evidence::default(), active(POLICIES));
    evidence.activate(&active, 1);
    let good = pod(r#""name":"a""#, "nginx:1", "");
    let requests = |book: &Book| book.policies["tags"].total().requests;
    both(&evidence, &active, "shop", &good, 2);
    let (number, first) = evidence.pending();
    both(&evidence, &active, "shop", &good, 3);
    assert_eq!(evidence.pending(), (number, first.clone()));
    assert_eq!((requests(&first), requests(&evidence.book())), (1, 2));
    evidence.is_kept(first);
    let (next, second) = evidence.pending();
    assert_eq!((next, requests(&second), requests(&evidence.book())), (number + 1, 1, 2));
}

#[test]
fn allocates_nothing_for_what_it_has_seen_and_finds_nothing_in() {
    let (evidence, active) = (Evidence::default(), active(POLICIES));
    evidence.activate(&active, 1);
    let body = format!(
        r#"{{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{{"uid":"u","operation":"CREATE","kind":{{"group":"","version":"v1","kind":"Pod"}},"resource":{{"group":"","version":"v1","resource":"pods"}},"namespace":"shop","userInfo":{{"username":"u"}},{}}}}}"#,
        pod(r#""name":"a""#, "nginx:1", "").replace("\"hostPort\":80", "")
    );
    let arena = Arena::with_limit(Budget::REVIEW);
    let (envelope, _) = Envelope::read(&arena, body.as_bytes());
    let review = envelope.into_review(&arena).unwrap();
    let run = Run {
        route: Route::Validate,
        deadline: Deadline::never(),
        budget: Budget::default(),
        lookups: &NoLookups,
        detail: Detail::Findings,
        timed: false,
        judges_drift: false,
    };
    let verdict = admit(&active.set, &review, &run).unwrap();
    evidence.count(&review, &verdict, Route::Validate, 2);
    let seen = allocation_counter::measure(|| evidence.count(&review, &verdict, Route::Validate, 3));
    assert_eq!(seen.count_total, 0);
    assert_eq!(evidence.book().policies["ports"].total().requests, 2);
}

#[test]
fn counts_from_many_threads() {
    let (evidence, active) = (Evidence::default(), active(POLICIES));
    evidence.activate(&active, 1);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (evidence, active) = (&evidence, &active);
            scope.spawn(move || {
                for request in 0..50 {
                    let bad = pod(&format!(r#""name":"p-{thread}-{request}""#), "nginx", "");
                    judge(evidence, active, Route::Validate, &format!("ns-{}", request % 3), &bad, 5);
                }
            });
        }
        for _ in 0..20 {
            evidence.book();
        }
    });
    let total = evidence.book().policies["tags"].total();
    assert_eq!((total.requests, total.violations), (400, 400));
}
