//! Replicas, budgets and probes.

use serde_json::{Value, json};

use super::{Acts, Template, one, texts};

const DEFAULTS: Template = Template { acts: Acts::Writes, ..Template::PLAIN };

pub(super) const REPLICA_LIMITS: Template = Template {
    kind: "K8sReplicaLimits",
    library: "replicalimits",
    modules: &["replicas"],
    parameters: &[(
        "ranges",
        "`ranges`, with `min_replicas` as `min` and `max_replicas` as `max`; `allowZero` for a range from 0",
    )],
    note: "`exemptUsers: []`. What a controller made passes; a number that is absent is 1",
    map: |parameters| Ok(vec![one("replicas", ranges(parameters)?)]),
    ..DEFAULTS
};

pub(super) const AUTOSCALER: Template = Template {
    kind: "K8sHorizontalPodAutoscaler",
    library: "horizontalpodautoscaler",
    modules: &["autoscalers", "replicas"],
    parameters: &[
        ("enforceScaleTargetRef", "`autoscalers` with `targetExists`"),
        ("minimumReplicaSpread", "`autoscalers` with `minSpread`"),
        ("ranges", "`replicas` with `ranges`, as for K8sReplicaLimits"),
    ],
    note: "The server's role must allow to get what is scaled",
    map: |parameters| {
        let spread =
            parameters["minimumReplicaSpread"].as_i64().ok_or("without minimumReplicaSpread it refuses everything")?;
        let target = parameters["enforceScaleTargetRef"] == true;
        Ok(vec![
            one("replicas", ranges(parameters)?),
            one("autoscalers", json!({"minSpread": spread, "targetExists": target})),
        ])
    },
    ..DEFAULTS
};

/// The settings of `replicas`.
fn ranges(parameters: &Value) -> Result<Value, String> {
    let given = || parameters["ranges"].as_array().into_iter().flatten();
    let whole = |range: &&Value| range["min_replicas"].is_i64() && range["max_replicas"].is_i64();
    let ends =
        |range: &Value| (range["min_replicas"].as_i64().unwrap_or(0), range["max_replicas"].as_i64().unwrap_or(0));
    let usable: Vec<(i64, i64)> = given().filter(whole).map(ends).filter(|(min, max)| min <= max && *max > 0).collect();
    if usable.is_empty() {
        return Err("no range holds a number, which refuses everything".to_owned());
    }
    let ranges: Vec<Value> = usable.iter().map(|(min, max)| json!({"min": min.max(&1), "max": max})).collect();
    let allows_zero = given().filter(whole).map(ends).any(|(min, max)| min <= 0 && max >= 0);
    Ok(json!({"ranges": ranges, "allowZero": allows_zero, "exemptUsers": []}))
}

pub(super) const DISRUPTION_BUDGET: Template = Template {
    kind: "K8sPodDisruptionBudget",
    library: "poddisruptionbudget",
    modules: &["disruption-budget"],
    note: "`required: false`, for the template judges the budgets that there are. The server's role must allow to list \
           PodDisruptionBudgets. Percentages are counted as the API server does; the template takes them for more than any \
           number",
    differs: Some("a percentage of 0, two budgets for the same pods and a budget without numbers let no pod go"),
    map: |_| Ok(vec![one("disruption-budget", json!({"required": false}))]),
    ..DEFAULTS
};

pub(super) const REQUIRED_PROBES: Template = Template {
    kind: "K8sRequiredProbes",
    library: "requiredprobes",
    modules: &["probes"],
    parameters: &[("probeTypes", "`actions`"), ("probes", "`probes`")],
    note: "`jobs: true` and `sidecars: false`; the defaults spare pods that end and judge native sidecars",
    acts: Acts::Create,
    map: |parameters| {
        let (probes, actions) = (texts(parameters, "probes"), texts(parameters, "probeTypes"));
        if probes.is_empty() {
            return Ok(vec![]);
        }
        if actions.is_empty() {
            return Err("without probeTypes it refuses everything".to_owned());
        }
        Ok(vec![one("probes", json!({"probes": probes, "actions": actions, "jobs": true, "sidecars": false}))])
    },
    ..DEFAULTS
};
