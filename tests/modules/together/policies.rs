//! Policies of modules that change objects, and what becomes of pods by some of them.

use std::fs;
use std::sync::Arc;

use admittance_engine::deadline::Deadline;
use admittance_engine::document::SourceFile;
use admittance_engine::json::Node;
use admittance_engine::kubernetes::kinds::Kinds;
use admittance_engine::modules::MODULES;
use admittance_engine::pipeline::{Budget, Detail, Route, Run, admit};
use admittance_engine::review::{Lazy, Lookups, Review};
use admittance_engine::set::{PolicySet, link};
use admittance_engine::unit::{CompiledUnit, Unit, compile};
use serde_json::{Value, json};

use crate::case::{Case, root};
use crate::modules::run::{inputs_of, settings_of};

/// Settings beside those of the cases and pages, with which modules meet at one place.
fn meeting() -> Vec<(&'static str, Value)> {
    vec![
        ("add-labels", json!({"labels": {"team": "red"}, "overwrite": true})),
        ("add-annotations", json!({"annotations": {"debug": "on"}})),
        ("add-image-pull-secret", json!({"names": ["hub"], "images": ["docker.io"]})),
        ("copy-namespace-labels", json!({"labels": ["team"], "overwrite": true})),
        (
            "inject-sidecar",
            json!({"container": {"name": "agent", "image": "docker.io/library/agent",
                "securityContext": {"runAsUser": 0}}, "volumes": [{"name": "shared", "emptyDir": {}}]}),
        ),
        (
            "inject-init-container",
            json!({"container": {"name": "agent", "image": "quay.io/a/b:1", "env": [{"name": "A", "value": "b"}]},
                "volumes": [{"name": "shared", "emptyDir": {"medium": "Memory"}}]}),
        ),
        (
            "inject-volume",
            json!({"volumes": [{"name": "shared", "configMap": {"name": "c"}}],
                "mounts": [{"name": "shared", "mountPath": "/s"}]}),
        ),
        ("set-security-context", json!({})),
        ("set-seccomp", json!({})),
        ("set-image-pull-policy", json!({"policy": "Always"})),
    ]
}

/// How many settings of a module take part, besides: more of them take longer and differ in what does not meet others.
const MOST: usize = 4;

/// A policy that changes objects.
pub(super) struct Policy {
    pub(super) module: &'static str,
    pub(super) settings: Value,
    first: Arc<CompiledUnit>,
    second: Arc<CompiledUnit>,
}

impl Policy {
    /// Of every module that changes objects: its page's, its cases', and those that meet others.
    pub(super) fn all(cases: &[Case]) -> Vec<Self> {
        let mut all = vec![];
        for module in MODULES.iter().filter(|module| module.mutates) {
            let mut inputs = inputs_of(module, cases);
            inputs.retain(|input| input.case.title().starts_with("mutated-"));
            let mut settings = settings_of(module, &inputs);
            settings.truncate(MOST);
            settings.extend(meeting().into_iter().filter(|(id, _)| *id == module.id).map(|(_, settings)| settings));
            all.extend(settings.into_iter().map(|settings| Self {
                module: module.id,
                first: compiled(module.id, &settings, 0),
                second: compiled(module.id, &settings, 1),
                settings,
            }));
        }
        all
    }
}

/// The policy with this order, which is its name as well.
fn compiled(module: &str, settings: &Value, order: usize) -> Arc<CompiledUnit> {
    let document = json!({
        "apiVersion": "admittance.dev/v1alpha1",
        "kind": "Policy",
        "metadata": {"name": format!("policy-{order}")},
        "spec": {"module": module, "settings": settings, "order": order},
    });
    let file = SourceFile::new(format!("{order}.yaml"), document.to_string());
    compile(&Unit::of_file(file)).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn set_of(units: &[Arc<CompiledUnit>]) -> PolicySet {
    let (set, problems) = link(units);
    assert!(problems.is_empty(), "{problems:?}");
    set
}

/// The first one before the other, and after it.
pub(super) fn in_both_orders(one: &Policy, other: &Policy) -> [PolicySet; 2] {
    [(one, other), (other, one)].map(|(one, other)| set_of(&[Arc::clone(&one.first), Arc::clone(&other.second)]))
}

/// One after the other.
pub(super) fn in_order<'p>(policies: impl Iterator<Item = &'p Policy>) -> PolicySet {
    let units = policies.enumerate().map(|(order, policy)| compiled(policy.module, &policy.settings, order));
    set_of(&units.collect::<Vec<_>>())
}

/// The object as policies leave it, and their errors.
pub(super) type Outcome<'a> = (Node<'a>, Vec<String>);

/// Requests to create pods: of no module in particular, and of the cases of each module.
pub(super) fn bodies(cases: &[Case], kinds: &Kinds) -> Vec<(String, String)> {
    let pod = fs::read_to_string(root().join("benches/review-pass.json")).unwrap();
    let mut bodies = vec![(String::new(), pod)];
    let mutates = |case: &&Case| MODULES.iter().any(|module| module.mutates && module.id == case.folder());
    for case in cases.iter().filter(mutates) {
        if case.object["kind"] == "Pod" && case.operation() == "CREATE" && case.request.subresource.is_empty() {
            let body = case.review(kinds);
            bodies.push((case.folder().to_owned(), body));
        }
    }
    bodies
}

/// What becomes of the request's object.
pub(super) fn mutated<'a>(set: &'a PolicySet, review: &Review<'a>, lookups: &dyn Lookups) -> (Node<'a>, Vec<String>) {
    let run = Run {
        route: Route::Mutate,
        deadline: Deadline::never(),
        budget: Budget::default(),
        lookups,
        detail: Detail::Findings,
        timed: false,
        judges_drift: false,
    };
    let verdict = admit(set, review, &run).unwrap();
    let failures = verdict.failures.iter();
    let mut errors: Vec<String> =
        failures.map(|failure| format!("{}: {}", failure.origin.module.unwrap_or_default(), failure.error)).collect();
    errors.sort();
    (verdict.roots.mutated, errors)
}

/// The request with another object.
pub(super) fn again<'a>(review: &Review<'a>, object: Node<'a>) -> Review<'a> {
    Review { object: Some(Lazy::of(review.arena, object)), ..review.clone() }
}
