//! Requires HorizontalPodAutoscalers to have room to scale, and a target.
//!
//! # What it checks
//! HorizontalPodAutoscalers (autoscaling/v1 and v2), when they are created or updated. `maxReplicas` must lie above
//! `minReplicas`, which is 1 if it is absent or null, as the API server fills it in. For bounds on the numbers themselves see
//! `replicas`.
//!
//! With `targetExists`, what `scaleTargetRef` names must be there, in the namespace of the autoscaler. It is looked up in the
//! cluster at that moment, so create the workload first, as Helm does; what is deleted later is not noticed. Targets of other
//! kinds than Deployments, ReplicaSets, StatefulSets and ReplicationControllers pass: whoever writes an autoscaler must not
//! make the server look for anything at all. What cannot be asked for is an evaluation error, and the policy's
//! `failurePolicy` decides. Offline targets are read from the files under `--params`.
//!
//! # Why
//! An autoscaler whose bounds are equal scales nothing, and one with a misspelt target does so silently: both are noticed
//! when the load comes.
//!
//! # Settings
//! - `minSpread`: how far `maxReplicas` must lie above `minReplicas`; 1 by default.
//! - `targetExists`: whether the target must be there; false by default.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: autoscalers }
//! spec:
//!   module: autoscalers
//!   settings: { minSpread: 2, targetExists: true }
//!   failurePolicy: Ignore
//! ```

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::json::{Node, Path};
use crate::modules::problem::problem;
use crate::review::{KindName, Lookup, ObjectName, Operation, Subject};
use crate::rule::{Applies, Group, Module, Resources, SettingsError, Validate};
use crate::twin::{CelTwin, NoTwin};
use crate::verdict::Report;

/// What autoscalers need.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// How far the highest number must lie above the lowest.
    min_spread: i64,
    /// Whether the target must be there.
    target_exists: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { min_spread: 1, target_exists: false }
    }
}

/// What is looked for.
const TARGETS: [KindName<'static>; 4] = [
    target("apps/v1", "Deployment"),
    target("apps/v1", "ReplicaSet"),
    target("apps/v1", "StatefulSet"),
    target("v1", "ReplicationController"),
];

const fn target(api_version: &'static str, kind: &'static str) -> KindName<'static> {
    KindName { api_version: Cow::Borrowed(api_version), kind: Cow::Borrowed(kind) }
}

/// See the page of `autoscalers`.
#[derive(Debug)]
pub struct Autoscalers(Settings);

impl Module for Autoscalers {
    const ID: &'static str = "autoscalers";
    const GROUP: Group = Group::Reliability;
    const APPLIES: Applies = Applies::To(&[Resources {
        groups: &["autoscaling"],
        resources: &["horizontalpodautoscalers"],
        operations: &[Operation::Create, Operation::Update],
    }]);
    const REPLACES: &'static [&'static str] = &["gatekeeper-library/horizontalpodautoscaler"];
    const PUBLIC: &'static [&'static str] = &["kind", "maxReplicas", "name"];
    const DOC: &'static str = include_str!("autoscalers.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let Settings { min_spread, target_exists } = settings;
        if min_spread < 0 {
            let message = format!("{min_spread} is too low: maxReplicas is never below minReplicas");
            return Err(vec![problem("/minSpread", message)]);
        }
        if min_spread == 0 && !target_exists {
            return Err(vec![problem("", "nothing is asked: expected a minSpread from 1 on, or targetExists")]);
        }
        Ok(Self(settings))
    }

    fn lookups(&self) -> Vec<Lookup<'static>> {
        let any = |kind| Lookup::Object(ObjectName { kind, namespace: "".into(), name: "".into() });
        if self.0.target_exists { TARGETS.map(any).into() } else { vec![] }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        Err(NoTwin::LOOKS_UP)
    }
}

impl Autoscalers {
    fn judge_room(&self, spec: Node<'_>, report: &mut Report<'_>) {
        let least = spec.field("minReplicas").map_or(Some(1), Node::as_i64);
        let most = spec.field("maxReplicas").unwrap_or_default();
        // What is no number is refused by the API server.
        let Some((least, number)) = least.zip(most.as_i64()) else { return };
        if number.saturating_sub(least) < self.0.min_spread {
            let (shown, spread) = (report.show("maxReplicas", most), self.0.min_spread);
            let message =
                format!("maxReplicas {shown} leaves too little room: expected at least {spread} above minReplicas");
            report.finding(&Path::root("spec").key("maxReplicas"), most, message);
        }
    }
}

fn judge_target(subject: Subject<'_, '_>, spec: Node<'_>, report: &mut Report<'_>) {
    let target = spec.field("scaleTargetRef").unwrap_or_default();
    // It is required with kind and name: the API server refuses an autoscaler without them.
    let Some((kind, name)) = target.str("kind").zip(target.str("name")) else { return };
    let api_version = target.str("apiVersion").filter(|version| !version.is_empty()).unwrap_or("v1");
    let of_target = |known: &KindName<'_>| known.api_version == api_version && known.kind == kind;
    let Some(kind) = TARGETS.into_iter().find(of_target) else { return };
    let object = ObjectName { kind, namespace: subject.review.namespace.into(), name: name.into() };
    let found = report.look_up(Lookup::Object(object), subject.arena());
    if found.is_some_and(|found| found.is_none()) {
        let kind = report.show("kind", target.field("kind").unwrap_or_default());
        let name = report.show("name", target.field("name").unwrap_or_default());
        let message = format!("there is no {kind} {name} to scale: create it first");
        report.finding(&Path::root("spec").key("scaleTargetRef"), target, message);
    }
}

impl Validate for Autoscalers {
    fn validate<'a>(&'a self, subject: Subject<'_, 'a>, report: &mut Report<'_>) {
        let spec = subject.object.field("spec").unwrap_or_default();
        if !subject.review.subresource.is_empty() {
            return;
        }
        self.judge_room(spec, report);
        if self.0.target_exists {
            judge_target(subject, spec, report);
        }
    }

    fn asks(&self) -> Option<&'static str> {
        self.0.target_exists.then_some("gets what autoscalers scale")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_settings_that_ask_nothing() {
        let errors = |min_spread| Autoscalers::new(Settings { min_spread, ..Settings::default() }).unwrap_err();
        assert_eq!(errors(-1), [problem("/minSpread", "-1 is too low: maxReplicas is never below minReplicas")]);
        assert_eq!(errors(0), [problem("", "nothing is asked: expected a minSpread from 1 on, or targetExists")]);
    }
}
