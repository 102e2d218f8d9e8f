//! Requires a PodDisruptionBudget, one that lets a pod go, for workloads with several replicas.
//!
//! # What it checks
//! Deployments, StatefulSets, ReplicaSets and ReplicationControllers with enough replicas (absent or null is 1, as the API
//! server fills it in), when they are created or updated. Exactly one PodDisruptionBudget of their namespace must select the
//! labels of their template, because nothing that two of them select can be evicted. And it must let a pod go while all
//! replicas are up: `minAvailable` below their number, or `maxUnavailable` of at least one; percentages are rounded up, as
//! the API server does, and where both are absent `minAvailable` is 1.
//!
//! A PodDisruptionBudget itself (policy/v1) is refused if it can never let a pod go: `maxUnavailable` of 0, or `minAvailable`
//! of 100%.
//!
//! With `required: false` a workload may do without a budget. One that it has must let a pod go all the same, however few
//! the replicas are.
//!
//! This is best effort. Budgets are looked up as they are at that moment, a few seconds old perhaps: one that is changed or
//! deleted later is not noticed before the workload is updated, and one that is created after its workload comes too late,
//! so create it first, as Helm does. What an autoscaler does to the number of replicas is not looked at.
//!
//! What a controller made passes, such as the ReplicaSets of a Deployment. The server's role must allow to list
//! `poddisruptionbudgets` of the group `policy`; where they cannot be listed, that is an evaluation error. Offline they are
//! read from the files under `--params`.
//!
//! # Why
//! Without a budget the drain of a node may take all replicas at once; with one that lets none go, it never ends.
//!
//! # Settings
//! - `minReplicas`: from how many replicas on a budget is required; 2 by default, and no less.
//! - `required`: whether a budget is required at all; true by default. With false there can be no `minReplicas`.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: disruption-budget }
//! spec:
//!   module: disruption-budget
//!   settings: { minReplicas: 3 }
//!   failurePolicy: Ignore
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use crate::json::{Node, Path};
use crate::kubernetes::label_selector::selects;
use crate::kubernetes::owner::is_controlled;
use crate::kubernetes::pod::Pod;
use crate::modules::problem::problem;
use crate::review::{KindName, Lookup, ObjectName, Operation, Subject};
use crate::rule::{Applies, Group, Module, Resources, SettingsError, Validate};
use crate::twin::{CelTwin, NoTwin};
use crate::verdict::Report;

/// Which workloads need a budget.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// From how many replicas on; 2 by default.
    min_replicas: Option<i64>,
    /// Whether they need one, or only one that lets a pod go if they have one.
    required: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { min_replicas: None, required: true }
    }
}

/// See the page of `disruption-budget`.
#[derive(Debug)]
pub struct DisruptionBudget {
    /// From how many replicas on there must be one; None where that is left to whoever writes the workload.
    required_from: Option<i64>,
}

const WRITES: &[Operation] = &[Operation::Create, Operation::Update];

const KIND: KindName<'static> = KindName {
    api_version: std::borrow::Cow::Borrowed("policy/v1"),
    kind: std::borrow::Cow::Borrowed("PodDisruptionBudget"),
};

impl Module for DisruptionBudget {
    const ID: &'static str = "disruption-budget";
    const GROUP: Group = Group::Reliability;
    const APPLIES: Applies = Applies::To(&[
        Resources { groups: &["apps"], resources: &["deployments", "replicasets", "statefulsets"], operations: WRITES },
        Resources { groups: &[""], resources: &["replicationcontrollers"], operations: WRITES },
        Resources { groups: &["policy"], resources: &["poddisruptionbudgets"], operations: WRITES },
    ]);
    const REPLACES: &'static [&'static str] = &["gatekeeper-library/poddisruptionbudget"];
    const PUBLIC: &'static [&'static str] = &["maxUnavailable", "minAvailable", "replicas"];
    const DOC: &'static str = include_str!("disruption_budget.rs");
    type Settings = Settings;

    fn new(Settings { min_replicas, required }: Settings) -> Result<Self, Vec<SettingsError>> {
        match min_replicas {
            Some(min) if min < 2 => {
                let message = format!("{min} is too low: a budget that lets one go protects no single replica");
                Err(vec![problem("/minReplicas", message)])
            }
            Some(_) if !required => {
                let message = "no budget is required, however many replicas there are: leave it out, or required";
                Err(vec![problem("/minReplicas", message)])
            }
            min => Ok(Self { required_from: required.then_some(min.unwrap_or(2)) }),
        }
    }

    fn lookups(&self) -> Vec<Lookup<'static>> {
        vec![Lookup::Objects(ObjectName { kind: KIND, namespace: "".into(), name: "".into() })]
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        Err(NoTwin::LOOKS_UP)
    }
}

/// How many of the replicas the budget lets go while all of them are up (pkg/controller/disruption, `getExpectedPodCount`).
/// None for a number that cannot be read.
fn spares(budget: Node<'_>, replicas: i64) -> Option<i64> {
    let spec = budget.field("spec").unwrap_or_default();
    if let Some(most) = spec.field("maxUnavailable") {
        return scaled(most, replicas).map(|most| most.min(replicas));
    }
    let least = spec.field("minAvailable").map_or(Some(1), |least| scaled(least, replicas))?;
    Some((replicas - least).max(0))
}

/// A number, or a percentage of the replicas, rounded up (intstr.GetScaledValueFromIntOrPercent).
fn scaled(value: Node<'_>, replicas: i64) -> Option<i64> {
    if let Some(number) = value.as_i64() {
        return Some(number);
    }
    let percent: i64 = value.as_str()?.strip_suffix('%')?.parse().ok()?;
    let hundredths = percent.checked_mul(replicas)?;
    Some(hundredths.div_euclid(100) + i64::from(hundredths.rem_euclid(100) > 0))
}

/// Whether a budget lets no pod go, however many there are.
fn judge_budget(subject: Subject<'_, '_>, report: &mut Report<'_>) {
    let spec = subject.object.field("spec").unwrap_or_default();
    for (field, never) in [("maxUnavailable", &["0", "0%"][..]), ("minAvailable", &["100%"])] {
        let found = spec.field(field).unwrap_or_default();
        let is_never = match found.as_str() {
            Some(text) => never.contains(&text),
            None => field == "maxUnavailable" && found.as_i64() == Some(0),
        };
        if is_never && subject.review.subresource.is_empty() {
            let message = format!("{field} {} lets no pod go: use maxUnavailable: 1", report.show(field, found));
            report.finding(&Path::root("spec").key(field), found, message);
        }
    }
}

impl Validate for DisruptionBudget {
    fn validate<'a>(&'a self, subject: Subject<'_, 'a>, report: &mut Report<'_>) {
        if subject.review.kind.kind == "PodDisruptionBudget" {
            judge_budget(subject, report);
            return;
        }
        let Some(pod) = subject.pod().filter(Pod::is_template) else { return };
        let found = subject.object.at(&["spec", "replicas"]).unwrap_or_default();
        // What is no number is refused by the API server, as is a number that is too large.
        let replicas = if found.is_null() { 1 } else { found.as_i64().unwrap_or_default() };
        let is_few = self.required_from.is_some_and(|least| replicas < least);
        if is_few || is_controlled(subject.object) || !subject.review.subresource.is_empty() {
            return;
        }
        let name = ObjectName { kind: KIND, namespace: subject.review.namespace.into(), name: "".into() };
        let Some(budgets) = report.look_up(Lookup::Objects(name), subject.arena()) else { return };
        let labels = pod.metadata().field("labels").unwrap_or_default();
        let is_for_it = |budget: &&Node<'_>| {
            let selector = budget.at(&["spec", "selector"]).filter(|selector| selector.as_map().is_some());
            selector.is_some_and(|selector| selects(selector, labels))
        };
        let mut budgets = budgets.unwrap_or_default().items().iter().filter(is_for_it);
        let message = match (budgets.next(), budgets.next()) {
            (Some(budget), None) => {
                // Switched off for a while: what counts is the first that comes back.
                if spares(*budget, replicas.max(1)).is_some_and(|spare| spare > 0) {
                    return;
                }
                let name = budget.at(&["metadata", "name"]).and_then(Node::as_str).unwrap_or_default();
                format!("the PodDisruptionBudget {name:?} lets none of the pods go: use maxUnavailable: 1")
            }
            (Some(_), Some(_)) => {
                "more than one PodDisruptionBudget selects the pods, so that none can be evicted: leave one".to_owned()
            }
            (None, _) if self.required_from.is_none() => return,
            (None, _) => {
                "no PodDisruptionBudget selects the pods: create one before them, such as maxUnavailable: 1".to_owned()
            }
        };
        report.finding(&Path::root("spec").key("replicas"), found, message);
    }

    fn asks(&self) -> Option<&'static str> {
        Some("lists PodDisruptionBudgets")
    }
}

#[cfg(test)]
mod tests;
