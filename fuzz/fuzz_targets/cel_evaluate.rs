//! Whatever the expression, compiling and evaluating it over a pod ends within its bounds, and twice with the same answer.

#![no_main]

use std::time::{Duration, Instant};

use admittance_engine::deadline::Deadline;
use admittance_engine::expression::query::answer;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

const POD: &str = r#"{
    "apiVersion": "v1", "kind": "Pod",
    "metadata": {"name": "web-0", "namespace": "shop", "labels": {"app": "web"}, "creationTimestamp": "2025-11-03T09:12:44Z"},
    "spec": {
        "replicas": 3, "ratio": 0.5, "nothing": null, "hostNetwork": false,
        "containers": [
            {"name": "main", "image": "registry.k8s.io/pause:3.9", "ports": [{"containerPort": 80}], "resources": {"limits": {"cpu": "500m"}}},
            {"name": "side", "image": "nginx", "command": ["sh", "-c", "sleep 1"]}
        ]
    }
}"#;

fuzz_target!(|text: &str| {
    let pod: Value = serde_json::from_str(POD).expect("the pod is JSON");
    let line = json!({
        "expr": text,
        "vars": {"object": pod, "request": {"operation": "CREATE", "name": "web-0"}},
        "values": {"u": {"uint": 7}, "t": {"timestamp": "2024-07-01T10:20:30.5Z"}, "y": {"bytes": "/wBh"}, "o": {"optional": 3}},
    })
    .to_string();
    let start = Instant::now();
    let patience = Duration::from_secs(1);
    let first = answer(&line, Deadline::at(start + patience));
    assert!(start.elapsed() < 5 * patience, "the deadline is kept");
    if start.elapsed() < patience / 2 {
        let again = answer(&line, Deadline::at(Instant::now() + 5 * patience));
        assert_eq!(format!("{first:?}"), format!("{again:?}"));
    }
});
