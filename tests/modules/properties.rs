//! What must hold on any JSON: no panic, and for mutators that twice is once and that nothing is lost.

use admittance_engine::json::Arena;
use admittance_engine::modules::{MODULES, ModuleEntry};
use admittance_engine::review::Operation;
use proptest::prelude::*;
use serde_json::{Map, Value};

use super::run::{Input, body, build, inputs_of, review, run};
use crate::case::{Case, Request, cases, documents};

/// Words that modules look for: as keys and as values they lead into every branch.
const WORDS: &[&str] = &[
    "metadata",
    "labels",
    "annotations",
    "name",
    "namespace",
    "ownerReferences",
    "controller",
    "spec",
    "template",
    "jobTemplate",
    "containers",
    "initContainers",
    "ephemeralContainers",
    "volumes",
    "image",
    "reference",
    "pullPolicy",
    "imagePullPolicy",
    "ports",
    "hostPort",
    "containerPort",
    "hostNetwork",
    "hostUsers",
    "hostAliases",
    "hostnames",
    "env",
    "envFrom",
    "volumeMounts",
    "mountPath",
    "resources",
    "requests",
    "limits",
    "memory",
    "tolerations",
    "key",
    "operator",
    "effect",
    "nodeSelector",
    "nodeName",
    "priorityClassName",
    "priority",
    "replicas",
    "schedule",
    "restartPolicy",
    "livenessProbe",
    "terminationGracePeriodSeconds",
    "topologySpreadConstraints",
    "labelSelector",
    "matchLabels",
    "affinity",
    "nodeAffinity",
    "requiredDuringSchedulingIgnoredDuringExecution",
    "nodeSelectorTerms",
    "matchExpressions",
    "dnsPolicy",
    "dnsConfig",
    "options",
    "runtimeClassName",
    "securityContext",
    "capabilities",
    "add",
    "drop",
    "seccompProfile",
    "seLinuxOptions",
    "type",
    "procMount",
    "runAsUser",
    "sysctls",
    "hostPath",
    "hostPID",
    "path",
    "volumeMounts",
    "mountPath",
    "readOnly",
    "os",
    "windows",
    "windowsOptions",
    "hostProcess",
    "privileged",
    "allowPrivilegeEscalation",
    "runAsNonRoot",
    "runAsGroup",
    "supplementalGroups",
    "fsGroup",
    "appArmorProfile",
    "localhostProfile",
    "Localhost",
    "Unconfined",
    "env",
    "envFrom",
    "valueFrom",
    "secretKeyRef",
    "secretRef",
    "imagePullSecrets",
    "serviceAccountName",
    "automountServiceAccountToken",
    "livenessProbe",
    "httpGet",
    "host",
    "seccomp.security.alpha.kubernetes.io/pod",
    "pod-security.kubernetes.io/enforce",
    "team",
    "admittance.dev/protected",
    "true",
    "kubernetes.io/config.mirror",
    "nginx:latest",
    "registry.example.com:5000/a/b@sha256:00",
    "Always",
    "Never",
    "default",
    "",
    "ü/~1",
];

const KINDS: &[(&str, &str)] = &[
    ("v1", "Pod"),
    ("v1", "Pod"),
    ("v1", "Namespace"),
    ("v1", "Service"),
    ("v1", "ServiceAccount"),
    ("v1", "PodTemplate"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "ReplicaSet"),
    ("batch/v1", "CronJob"),
    ("batch/v1", "Job"),
    ("example.com/v1", "Pod"),
    ("", ""),
];

const SUBRESOURCES: &[&str] = &["", "", "", "status", "ephemeralcontainers", "resize", "scale"];

fn word() -> impl Strategy<Value = String> {
    let text = prop::collection::vec(any::<char>(), 0..8).prop_map(String::from_iter);
    prop_oneof![8 => prop::sample::select(WORDS).prop_map(str::to_owned), 1 => text]
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0..70_000i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(word(), inner, 0..6)
                .prop_map(|map| Value::from(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Anything at all, or an object of a case in which some places are replaced by anything.
pub(super) fn any_object(inputs: &[Input]) -> impl Strategy<Value = Value> + use<> {
    let objects = inputs.iter().flat_map(|Input { case, .. }| [case.object.clone(), case.old_object.clone()]);
    let objects: Vec<Value> = objects.filter(|object| !object.is_null()).collect();
    let broken =
        (prop::sample::select(objects), prop::collection::vec((any::<prop::sample::Index>(), any_json()), 0..4));
    prop_oneof![
        1 => any_json(),
        4 => broken.prop_map(|(mut object, places)| {
            for (place, value) in places {
                let mut countdown = place.index(count(&object));
                replace(&mut object, &mut countdown, value);
            }
            object
        })
    ]
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(map) => map.values().map(count).sum(),
        _ => 0,
    }
}

/// Replaces the value that is reached after `countdown` others.
fn replace(here: &mut Value, countdown: &mut usize, mut with: Value) -> Option<Value> {
    if *countdown == 0 {
        *here = with;
        return None;
    }
    *countdown -= 1;
    let children: Vec<&mut Value> = match here {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(map) => map.values_mut().collect(),
        _ => vec![],
    };
    for child in children {
        with = replace(child, countdown, with)?;
    }
    Some(with)
}

fn any_settings(module: &ModuleEntry, inputs: &[Input]) -> impl Strategy<Value = Value> + use<> {
    let example = documents(&module.example()).first().map(|document| document["spec"]["settings"].clone());
    let cases = inputs.iter().map(|input| input.settings.clone());
    prop::sample::select(cases.chain(example).collect::<Vec<Value>>())
}

fn any_request() -> impl Strategy<Value = Request> {
    let operation = prop::sample::select(&Operation::ALL[..]);
    (operation, prop::sample::select(SUBRESOURCES)).prop_map(|(operation, subresource)| Request {
        operation: Some(operation.as_str().to_owned()),
        subresource: subresource.to_owned(),
        ..Request::default()
    })
}

fn any_kind() -> impl Strategy<Value = (&'static str, &'static str)> {
    prop::sample::select(KINDS)
}

pub(super) fn of_kind(mut object: Value, (api_version, kind): (&str, &str)) -> Value {
    if let Value::Object(map) = &mut object {
        map.insert("apiVersion".to_owned(), api_version.into());
        map.insert("kind".to_owned(), kind.into());
    }
    object
}

/// Whether all of `old` is in `new`: keys, and items in their order. Null may become anything, and where `may_change` says so
/// a scalar may become another one, or go.
fn is_kept(old: &Value, new: &Value, may_change: &dyn Fn(&str) -> bool, key: &str) -> bool {
    match (old, new) {
        (Value::Null, _) => true,
        (Value::Object(old), Value::Object(new)) => {
            let is_kept =
                |key: &str, old| new.get(key).map_or(may_change(key), |new| is_kept(old, new, may_change, key));
            old.iter().all(|(key, old)| is_kept(key, old))
        }
        (Value::Array(old), Value::Array(new)) => {
            let mut rest = new.iter();
            old.iter().all(|old| rest.any(|new| is_kept(old, new, may_change, key)))
        }
        (Value::Object(_) | Value::Array(_), _) => false,
        (old, new) => old == new || may_change(key),
    }
}

/// Scalars that a module may change whatever it is told, and why.
const MAY_CHANGE: &[(&str, &str, &str)] = &[
    ("replace-registry", "image", "names of images are what it changes"),
    ("replace-registry", "reference", "names of images are what it changes"),
];

/// Maps of which a module may take entries away, and why.
const MAY_SHRINK: &[(&str, &str, &str)] =
    &[("remove-annotations", "/metadata/annotations", "it is for that; which of them go, its cases say")];

/// What the API server fills in where nobody wrote it: modules take its value for none.
const DEFAULTED: &[&str] = &[
    "dnsPolicy",
    "imagePullPolicy",
    "preemptionPolicy",
    "priority",
    "priorityClassName",
    "pullPolicy",
    "terminationGracePeriodSeconds",
];

fn holds(module: &'static ModuleEntry, settings: &Value, case: &Case) {
    let (arena, body) = (Arena::with_limit(1 << 24), body(case));
    let built = build(module, settings);
    let review = review(&arena, &body);
    let judged = review.judged().unwrap();
    let Ok((once, reported)) = run(&built, module.public, &review, judged) else { return };
    if !module.mutates {
        return;
    }
    assert!(reported.findings.is_empty() && reported.errors.is_empty(), "{}", module.id);
    let twice = run(&built, module.public, &review, once).unwrap().0;
    let print = |node| serde_json::to_string(&node).unwrap();
    assert!(once.is_same(twice), "{}: once\n{}\ntwice\n{}", module.id, print(once), print(twice));
    // Told to, a module replaces values by its own; keys of maps and items of lists that it does not know stay even so.
    let overwrites = settings["overwrite"] == true;
    let is_named = |key: &str| MAY_CHANGE.iter().any(|(id, named, _)| *id == module.id && *named == key);
    let may_change = |key: &str| overwrites || is_named(key) || DEFAULTED.contains(&key);
    let (mut old, new) = (serde_json::to_value(judged).unwrap(), serde_json::to_value(once).unwrap());
    for (_, pointer, _) in MAY_SHRINK.iter().filter(|(id, ..)| *id == module.id) {
        old.pointer_mut(pointer).map(Value::take);
    }
    assert!(is_kept(&old, &new, &may_change, ""), "{}: from\n{old}\nto\n{new}", module.id);
}

#[test]
fn mutators_are_idempotent_and_lose_nothing_on_every_case() {
    let cases = cases();
    for module in MODULES {
        for Input { settings, case } in inputs_of(module, &cases) {
            holds(module, &settings, &case);
        }
    }
}

#[test]
fn modules_hold_on_any_json() {
    let cases = cases();
    for module in MODULES {
        let inputs = inputs_of(module, &cases);
        let any = cases[0].clone();
        let input =
            (any_settings(module, &inputs), any_request(), any_kind(), any_object(&inputs), any_object(&inputs));
        // Half of proptest's own count for each module; PROPTEST_CASES asks for more.
        let config = ProptestConfig { cases: ProptestConfig::default().cases / 2, ..ProptestConfig::default() };
        proptest!(config, |((settings, request, kind, object, old_object) in input)| {
            holds(module, &settings, &any.asking(request, of_kind(object, kind), of_kind(old_object, kind)));
        });
    }
}
