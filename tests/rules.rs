//! The fourteen rules of benches, in CEL and as modules, on its three reviews: what the API server's own validator says of
//! those in CEL.

use admittance_engine::deadline::Deadline;
use admittance_engine::document::SourceFile;
use admittance_engine::json::Arena;
use admittance_engine::pipeline::{Budget, Detail, Route, Run, admit};
use admittance_engine::review::{Envelope, NoLookups};
use admittance_engine::set::link;
use admittance_engine::unit::{Unit, compile};

const CEL: &str = include_str!("../benches/rules.vap.yaml");
const MODULES: &str = include_str!("../benches/rules.modules.yaml");

/// `POLICY: MESSAGE` of each denial of a review, in the order of the names.
fn denials(rules: &str, review: &str) -> Vec<String> {
    let file = SourceFile::new("rules.yaml", rules);
    let (policies, problems) = link(&[compile(&Unit::of_file(file)).unwrap()]);
    assert_eq!((policies.len(), problems.len()), (14, 0));
    let arena = Arena::with_limit(Budget::REVIEW);
    let (envelope, read) = Envelope::read(&arena, review.as_bytes());
    read.unwrap();
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
    let verdict = admit(&policies, &review, &run).unwrap();
    assert_eq!((verdict.matched, verdict.failures.len()), (14, 0));
    verdict.denials().map(|denial| format!("{}: {}", denial.origin.policy, denial.finding.message)).collect()
}

#[test]
fn admits_the_reviews_that_the_api_server_admits() {
    for review in [include_str!("../benches/review-pass.json"), include_str!("../benches/review-pass-slim.json")] {
        for rules in [CEL, MODULES] {
            assert_eq!(denials(rules, review), Vec::<String>::new());
        }
    }
}

#[test]
fn refuses_by_the_nine_rules_by_which_the_api_server_refuses() {
    let review = include_str!("../benches/review-fail.json");
    let names = |rules| {
        let mut names: Vec<String> =
            denials(rules, review).iter().map(|denial| denial.split(": ").next().unwrap().to_owned()).collect();
        names.dedup();
        names
    };
    assert_eq!(names(MODULES), names(CEL));
    assert_eq!(
        denials(CEL, review),
        [
            "bench-allowed-registries: images must come from registry.example.com or mirror.example.com",
            "bench-host-network: hostNetwork is not allowed",
            "bench-host-ports: hostPort is not allowed",
            "bench-latest-tag: images need a tag or digest, and the tag may not be latest",
            "bench-privilege-escalation: allowPrivilegeEscalation must be false",
            "bench-privileged: privileged containers are not allowed",
            "bench-required-labels: labels app.kubernetes.io/name, app.kubernetes.io/version and team are required",
            "bench-resource-limits: containers need cpu and memory requests and a memory limit",
            "bench-volume-types: only configMap, csi, downwardAPI, emptyDir, ephemeral, image, persistentVolumeClaim, projected and secret volumes are allowed",
        ]
    );
}
