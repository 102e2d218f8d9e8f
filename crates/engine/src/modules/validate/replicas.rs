//! Holds the number of replicas of a workload within a range.
//!
//! # What it checks
//! `spec.replicas` of Deployments, StatefulSets, ReplicaSets and ReplicationControllers, the same set through their
//! `scale` subresource, and `minReplicas` and `maxReplicas` of HorizontalPodAutoscalers. What is absent or null is 1, as the
//! API server fills it in; in a `scale` it is 0.
//!
//! What a controller made passes: the ReplicaSets of a Deployment are scaled by it. What the HorizontalPodAutoscaler itself
//! sets through `scale` passes too: its own bounds are judged instead, when they are written. A Deployment whose replicas
//! it governs is best written with the `replicas` of its `minReplicas`, or with none when it is updated: the API server
//! keeps what the autoscaler has set if the field is left to it by server-side apply.
//!
//! # Why
//! With one replica every rollout, every drained node and every crash is an outage. Too many of them are a typing error that
//! fills the cluster.
//!
//! # Settings
//! - `min`, `max`: the lowest and the highest number. By default at least 2.
//! - `ranges`: instead of them, ranges of which one must fit, each with `min`, `max` or both: `{ min: 3, max: 5 }`. Both bounds
//!   of a HorizontalPodAutoscaler must be in the same one.
//! - `allowZero`: whether 0 passes, which switches a workload off; false by default.
//! - `exemptUsers`: patterns of users who may set any number. By default the HorizontalPodAutoscaler. A list of your own
//!   replaces the default.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: replicas }
//! spec:
//!   module: replicas
//!   settings: { min: 2, max: 50, allowZero: true }
//!   namespaces: { include: ["prod-*"] }
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::exempt::Exempt;
use crate::json::{Node, Path};
use crate::kubernetes::owner::is_controlled;
use crate::modules::problem::problem;
use crate::modules::range::Range;
use crate::review::{Operation, Subject};
use crate::rule::{Applies, Group, Module, Resources, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// How many replicas there may be.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// The lowest number; at least 1, and 2 if neither this nor `max` is there.
    min: Option<i64>,
    /// The highest number; by default none.
    max: Option<i64>,
    /// Instead of the two: ranges of which one must fit.
    ranges: Vec<Ends>,
    /// Whether 0 passes.
    allow_zero: bool,
    /// Patterns of users who may set any number.
    exempt_users: Vec<String>,
}

/// One range.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Ends {
    /// The lowest number; at least 1.
    min: Option<i64>,
    /// The highest number; by default none.
    max: Option<i64>,
}

impl Default for Settings {
    fn default() -> Self {
        let autoscaler = "system:serviceaccount:kube-system:horizontal-pod-autoscaler";
        Self { min: None, max: None, ranges: vec![], allow_zero: false, exempt_users: vec![autoscaler.to_owned()] }
    }
}

/// See the page of `replicas`.
#[derive(Debug)]
pub struct Replicas {
    /// At least one.
    ranges: Vec<Range>,
    /// `2 to 5 or at least 9`
    accepted: String,
    allow_zero: bool,
    exempt: Exempt,
}

const WRITES: &[Operation] = &[Operation::Create, Operation::Update];

impl Module for Replicas {
    const ID: &'static str = "replicas";
    const GROUP: Group = Group::Reliability;
    const APPLIES: Applies = Applies::To(&[
        Resources {
            groups: &["apps"],
            resources: &[
                "deployments",
                "deployments/scale",
                "statefulsets",
                "statefulsets/scale",
                "replicasets",
                "replicasets/scale",
            ],
            operations: WRITES,
        },
        Resources {
            groups: &[""],
            resources: &["replicationcontrollers", "replicationcontrollers/scale"],
            operations: WRITES,
        },
        Resources { groups: &["autoscaling"], resources: &["horizontalpodautoscalers"], operations: WRITES },
    ]);
    const REPLACES: &'static [&'static str] =
        &["gatekeeper-library/horizontalpodautoscaler", "gatekeeper-library/replicalimits"];
    const PUBLIC: &'static [&'static str] = &["maxReplicas", "minReplicas", "replicas"];
    const DOC: &'static str = include_str!("replicas.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let Settings { min, max, ranges, allow_zero, exempt_users } = settings;
        let ranges = if ranges.is_empty() {
            let min = if max.is_none() { min.or(Some(2)) } else { min };
            vec![Range::new(["min", "max"], 1, min, max)?]
        } else {
            alternatives(min.or(max), &ranges)?
        };
        let accepted = ranges.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
        Ok(Self { ranges, accepted, allow_zero, exempt: Exempt { users: exempt_users, groups: vec![] } })
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let passes = |value: &str| {
            let ranges: Vec<String> = self.ranges.iter().map(|range| range.in_cel(value)).collect();
            let zero = if self.allow_zero { format!(" || {value} == 0") } else { String::new() };
            format!("({}{zero})", ranges.join(" || "))
        };
        let is_judged = format!(
            "request.?subResource.orValue('') in ['', 'scale'] && !{} && !{}",
            self.exempt.in_cel(),
            twin::IS_CONTROLLED
        );
        let judge = |kind: &str, field: &str, absent: i64, also: &str| {
            let value = format!("#object.?spec.?{field}");
            let number = format!("{value}.orValue({absent})");
            let is_wrong = format!("{is_judged} && {kind}{also} && !{}", passes(&number));
            let shown = format!("({value}.hasValue() ? string({number}) : '')");
            twin::one_with(&is_wrong, &format!("spec.{field}"), &shown)
        };
        let (scaler, scale) = ("request.kind.kind == 'HorizontalPodAutoscaler'", "request.kind.kind == 'Scale'");
        let other = "!(request.kind.kind in ['HorizontalPodAutoscaler', 'Scale'])";
        let has_max = " && #object.?spec.?maxReplicas.hasValue()";
        let (min, max) = ("#object.?spec.?minReplicas.orValue(1)", "#object.?spec.?maxReplicas.orValue(0)");
        let fits: Vec<String> = self
            .ranges
            .iter()
            .map(|range| format!("{} && ({} || {min} == 0)", range.in_cel(max), range.in_cel(min)))
            .collect();
        let room = twin::one_with(
            &format!(
                "{is_judged} && {scaler}{has_max} && {} && {} && {max} != 0 && !({})",
                passes(min),
                passes(max),
                fits.join(" || ")
            ),
            "spec.maxReplicas",
            &format!("string({max})"),
        );
        let findings = [
            judge(scaler, "minReplicas", 1, ""),
            judge(scaler, "maxReplicas", 0, has_max),
            room,
            judge(scale, "replicas", 0, ""),
            judge(other, "replicas", 1, ""),
        ];
        let message = format!("this number is out of range: expected {}", self.accepted);
        Ok(CelTwin::of(findings.join(" + "), message))
    }
}

/// The ranges of the setting `ranges`, which does not go with one beside it.
fn alternatives(beside: Option<i64>, ranges: &[Ends]) -> Result<Vec<Range>, Vec<SettingsError>> {
    let (mut read, mut errors) = (vec![], vec![]);
    if beside.is_some() {
        errors.push(problem("/ranges", "min and max are one range already: give it here, or leave ranges out"));
    }
    for (index, ends) in ranges.iter().enumerate() {
        match Range::new(["min", "max"], 1, ends.min, ends.max) {
            Ok(range) => read.push(range),
            Err(problems) => errors.extend(
                problems
                    .into_iter()
                    .map(|error| SettingsError { pointer: format!("/ranges/{index}{}", error.pointer), ..error }),
            ),
        }
    }
    if errors.is_empty() { Ok(read) } else { Err(errors) }
}

impl Replicas {
    fn passes(&self, number: i64) -> bool {
        self.ranges.iter().any(|range| range.contains(number)) || (number == 0 && self.allow_zero)
    }

    fn judge(&self, field: &'static str, spec: Node<'_>, absent: i64, report: &mut Report<'_>) {
        let found = spec.field(field).unwrap_or_default();
        // What is no whole number is none that is accepted.
        let number = if found.is_null() { Some(absent) } else { found.as_i64() };
        if number.is_some_and(|number| self.passes(number)) {
            return;
        }
        let accepted = &self.accepted;
        let message = if found.is_null() {
            format!("{field} is {absent} unless it is set: expected {accepted}")
        } else {
            format!("{field} {} is out of range: expected {accepted}", report.show(field, found))
        };
        report.finding(&Path::root("spec").key(field), found, message);
    }

    /// Bounds that pass, each by itself, must be in one range.
    fn judge_room(&self, spec: Node<'_>, report: &mut Report<'_>) {
        let min = spec.field("minReplicas").map_or(Some(1), Node::as_i64);
        let max = spec.field("maxReplicas").unwrap_or_default();
        let Some((min, number)) = min.zip(max.as_i64()).filter(|(min, max)| self.passes(*min) && self.passes(*max))
        else {
            return;
        };
        // From 0 on it scales up to any of them.
        let fits = |range: &Range| range.contains(number) && (range.contains(min) || min == 0);
        if number != 0 && !self.ranges.iter().any(fits) {
            let accepted = &self.accepted;
            let message = format!(
                "maxReplicas {} is in another range than minReplicas: expected {accepted}",
                report.show("maxReplicas", max)
            );
            report.finding(&Path::root("spec").key("maxReplicas"), max, message);
        }
    }
}

impl Validate for Replicas {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let review = subject.review;
        let is_subresource = !matches!(review.subresource, "" | "scale");
        if is_subresource || self.exempt.covers(&review.user) || is_controlled(subject.object) {
            return;
        }
        let spec = subject.object.field("spec").unwrap_or_default();
        match review.kind.kind {
            "HorizontalPodAutoscaler" => {
                self.judge("minReplicas", spec, 1, report);
                // It is required: the API server refuses an autoscaler without it.
                if spec.field("maxReplicas").is_some() {
                    self.judge("maxReplicas", spec, 0, report);
                    self.judge_room(spec, report);
                }
            }
            "Scale" => self.judge("replicas", spec, 0, report),
            _ => self.judge("replicas", spec, 1, report),
        }
    }
}

#[cfg(test)]
mod tests;
