//! A policy that panics, among others and while other requests run. No built-in module does, so the server's own parts
//! are put together here around one that does.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use admittance::server::handler::{Admission, Limits};
use admittance::server::pages::{self, Pages};
use admittance::source::Active;
use admittance::telemetry::{Metrics, NamespaceGroups};
use admittance_engine::document::SourceFile;
use admittance_engine::matching::{MatchConstraints, NamespaceGlobs};
use admittance_engine::policy::{Actions, Existing, FailurePolicy, Head, Validator};
use admittance_engine::review::Subject;
use admittance_engine::rule::{Applies, Validate};
use admittance_engine::set::{PolicySet, link};
use admittance_engine::unit::{Unit, compile};
use admittance_engine::verdict::{Origin, Report};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::sync::watch;
use tower::ServiceExt as _;

use super::{Kind, POLICIES, pod, review};

/// Reports something, then panics over every pod that is not called `calm`.
struct Panics(Arc<AtomicUsize>);

impl Validate for Panics {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        if subject.label("mood") == Some("calm") {
            return;
        }
        report.finding_of_request("half a judgement, which must not be seen");
        self.0.fetch_add(1, Relaxed);
        // A panic in all but the report on standard error, of which there would be hundreds.
        resume_unwind(Box::new("SECRET-4711"));
    }
}

fn validator(name: &str, failure_policy: FailurePolicy, panics: &Arc<AtomicUsize>) -> Arc<Validator> {
    let origin = Origin { policy: name.to_owned(), module: None, unit: "test".to_owned(), line: 1, binding: None };
    Arc::new(Validator {
        head: Head {
            lookups: vec![],
            origin: Arc::new(origin),
            constraints: MatchConstraints::for_module(&Applies::Pods, false),
            namespaces: NamespaceGlobs::new(&serde_json::from_value(json!({})).unwrap()).unwrap(),
            binding: None,
            failure_policy,
            public: &[],
        },
        actions: Actions::Deny { audit: false },
        existing: Existing::Allow,
        message: None,
        rule: Box::new(Panics(Arc::clone(panics))),
    })
}

fn router(set: PolicySet) -> Router {
    let metrics = Arc::new(Metrics::default());
    let limits = Limits { body: 20 << 20, in_flight: 256 << 20, requests: 1_024, cache: 0 };
    let admission = Arc::new(Admission::new(Arc::clone(&metrics), None, NamespaceGroups::default(), limits));
    admission.activate(Arc::new(Active { set, ..Active::default() }));
    let declared = watch::Sender::default();
    pages::admission(
        Pages {
            admission,
            metrics,
            health: Arc::default(),
            declared,
            reach: Arc::default(),
            shares_evidence: false,
            explain: None,
            twins: Arc::default(),
        },
        false,
    )
}

async fn ask(router: Router, uid: String, object: String) -> Value {
    let request = Request::post("/validate?timeout=10s").header("content-type", "application/json");
    let request = request.body(Body::from(review(&uid, Kind::Pod, &object))).unwrap();
    let answer = router.oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    let mut review: Value = serde_json::from_slice(&body).unwrap();
    let response = review["response"].take();
    assert_eq!(response["uid"], uid);
    assert!(!String::from_utf8_lossy(&body).contains("SECRET-4711"));
    response
}

/// The mean time of a request.
async fn pace(router: &Router) -> Duration {
    const REQUESTS: u32 = 200;
    let begun = Instant::now();
    for _ in 0..REQUESTS {
        let calm = pod("nginx:1.27").replace(r#""name":"web"}"#, r#""name":"web","labels":{"mood":"calm"}}"#);
        assert_eq!(ask(router.clone(), "calm".to_owned(), calm).await["allowed"], true);
    }
    begun.elapsed() / REQUESTS
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keeps_a_panic_with_its_policy_while_others_are_judged() {
    let panics = Arc::new(AtomicUsize::new(0));
    let unit = Unit::of_file(SourceFile::new("policies.yaml", POLICIES));
    let (set, _) = link(&[compile(&unit).unwrap()]);
    let mut validators = set.validators().to_vec();
    validators.push(validator("a-ignored", FailurePolicy::Ignore, &panics));
    validators.push(validator("panics", FailurePolicy::Fail, &panics));
    let router = router(PolicySet::new(set.mutators().to_vec(), validators, String::new()));
    // The first requests warm up what all share.
    pace(&router).await;
    let before = pace(&router).await;

    let said = "panics: evaluation error: the policy panicked; this is a bug in its module, please report it";
    let requests: Vec<_> = (0..64)
        .map(|n| {
            let router = router.clone();
            tokio::spawn(async move {
                for round in 0..10 {
                    let uid = format!("{n}-{round}");
                    let image = if n % 2 == 0 { "nginx" } else { "nginx:1.27" };
                    let response = ask(router.clone(), uid, pod(image)).await;
                    let status = &response["status"];
                    let message = status["message"].as_str().unwrap();
                    if n % 2 == 0 {
                        assert_eq!(status["code"], 403);
                        assert!(message.starts_with("tags: spec.containers[0].image: "), "{message}");
                        assert!(message.ends_with(&format!("\n{said}")), "{message}");
                    } else {
                        assert_eq!((&status["code"], message), (&500.into(), said));
                    }
                    let audited = response["auditAnnotations"]["validation_failure"].as_str().unwrap();
                    assert!(audited.contains("registries: ") && audited.contains("a-ignored: evaluation error: "));
                }
            })
        })
        .collect();
    for request in requests {
        request.await.unwrap();
    }
    assert_eq!(panics.load(Relaxed), 64 * 10 * 2);
    let after = pace(&router).await;
    println!("1,280 panics in 640 requests; a request took {before:?} before and {after:?} after");
}
