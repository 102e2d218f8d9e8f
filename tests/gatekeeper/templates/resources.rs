//! What containers request and are limited to.

use serde_json::{Map, Value, json};

use super::images::{EXEMPT, exempt};
use super::{Acts, Mapped, Template, one};

const DEFAULTS: Template = Template {
    kind: "",
    library: "",
    modules: &["resource-requirements"],
    parameters: &[],
    note: "",
    acts: Acts::Writes,
    counts: false,
    differs: Some("a limit or a request of 0 counts as none"),
    map: |_| Ok(vec![]),
};

pub(super) const LIMITS: Template = Template {
    kind: "K8sContainerLimits",
    library: "containerlimits",
    parameters: &[
        ("cpu", "`limits: [cpu, memory]` and `containers.cpu.maxLimit`; with `-1` neither is said of the CPU"),
        EXEMPT,
        ("memory", "`containers.memory.maxLimit`"),
    ],
    note: "`requests: []`, for the template looks at limits alone",
    map: |parameters| {
        let has_cpu = parameters["cpu"] != "-1";
        let limits: &[&str] = if has_cpu { &["cpu", "memory"] } else { &["memory"] };
        bounds(parameters, &[], limits, "maxLimit", &[("cpu", has_cpu), ("memory", true)])
    },
    ..DEFAULTS
};

pub(super) const EPHEMERAL_STORAGE_LIMIT: Template = Template {
    kind: "K8sContainerEphemeralStorageLimit",
    library: "ephemeralstoragelimit",
    parameters: &[
        ("ephemeral-storage", "`limits: [ephemeral-storage]` and `containers.ephemeral-storage.maxLimit`"),
        EXEMPT,
    ],
    note: "`requests: []`",
    acts: Acts::Create,
    map: |parameters| bounds(parameters, &[], &["ephemeral-storage"], "maxLimit", &[("ephemeral-storage", true)]),
    ..DEFAULTS
};

pub(super) const REQUESTS: Template = Template {
    kind: "K8sContainerRequests",
    library: "containerrequests",
    parameters: &[
        ("cpu", "`requests: [cpu, memory]` and `containers.cpu.maxRequest`"),
        EXEMPT,
        ("memory", "`containers.memory.maxRequest`"),
    ],
    note: "`limits: []`, for the template looks at requests alone. A limit without a request requests the limit, as behind \
           an API server",
    map: |parameters| bounds(parameters, &["cpu", "memory"], &[], "maxRequest", &[("cpu", true), ("memory", true)]),
    ..DEFAULTS
};

pub(super) const RATIOS: Template = Template {
    kind: "K8sContainerRatios",
    library: "containerresourceratios",
    parameters: &[
        ("cpuRatio", "`containers.cpu.maxRatio`; where it is absent, that is `ratio` too"),
        EXEMPT,
        ("ratio", "`containers.memory.maxRatio`, as a number"),
    ],
    note: "`requests` and `limits` are `[cpu, memory]`",
    map: |parameters| {
        let ratio = |name: &str| parameters[name].as_str().and_then(|text| text.parse::<f64>().ok());
        let memory = ratio("ratio").ok_or("a ratio is needed")?;
        let cpu = ratio("cpuRatio").unwrap_or(memory);
        let both = json!(["cpu", "memory"]);
        let containers = json!({"cpu": {"maxRatio": cpu}, "memory": {"maxRatio": memory}});
        let settings = json!({
            "requests": both, "limits": both, "containers": containers, "exemptImages": exempt(parameters)?,
        });
        Ok(vec![one("resource-requirements", settings)])
    },
    ..DEFAULTS
};

/// Containers must have these, and those of the parameters that count are the highest.
fn bounds(parameters: &Value, requests: &[&str], limits: &[&str], most: &str, counting: &[(&str, bool)]) -> Mapped {
    let mut containers = Map::new();
    for (name, _) in counting.iter().filter(|(_, counts)| *counts) {
        if let Some(quantity) = parameters[*name].as_str() {
            containers.insert((*name).to_owned(), json!({most: quantity}));
        }
    }
    let settings = json!({
        "requests": requests, "limits": limits, "containers": containers, "exemptImages": exempt(parameters)?,
    });
    Ok(vec![one("resource-requirements", settings)])
}
