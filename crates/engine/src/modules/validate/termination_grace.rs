//! Holds the time that pods get to end within a range.
//!
//! # What it checks
//! `terminationGracePeriodSeconds` of pods and of the templates of workloads, and of the liveness and startup probes of
//! their containers, which replace the pod's when such a probe fails. In a pod's specification what is absent or null is
//! 30, as the API server fills it in; a probe without it uses the pod's. A negative number counts as 1, as it does to the
//! API server.
//!
//! # Why
//! With 0 a pod is killed at once, requests are cut off, and a StatefulSet may run twice what must run once. With hours a
//! node cannot be drained.
//!
//! # Settings
//! - `minSeconds`: the lowest value; 1 by default.
//! - `maxSeconds`: the highest value; 600 by default.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: termination-grace }
//! spec:
//!   module: termination-grace
//!   settings: { minSeconds: 10, maxSeconds: 300 }
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use crate::json::{Node, Path};
use crate::modules::range::Range;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// How long pods may take to end.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// The lowest value, in seconds.
    min_seconds: i64,
    /// The highest value, in seconds.
    max_seconds: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { min_seconds: 1, max_seconds: 600 }
    }
}

/// See the page of `termination-grace`.
#[derive(Debug)]
pub struct TerminationGrace(Range);

const FIELD: &str = "terminationGracePeriodSeconds";

/// What the API server fills in (core/v1, `DefaultTerminationGracePeriodSeconds`).
const DEFAULT: i64 = 30;

impl Module for TerminationGrace {
    const ID: &'static str = "termination-grace";
    const GROUP: Group = Group::Reliability;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &[];
    const PUBLIC: &'static [&'static str] = &[FIELD];
    const DOC: &'static str = include_str!("termination_grace.rs");
    type Settings = Settings;

    fn new(Settings { min_seconds, max_seconds }: Settings) -> Result<Self, Vec<SettingsError>> {
        Range::new(["minSeconds", "maxSeconds"], 0, Some(min_seconds), Some(max_seconds)).map(Self)
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let judged = |value: &str| self.0.in_cel(&format!("({value} < 0 ? 1 : {value})"));
        let of_pod = format!("#spec.?{FIELD}.orValue({DEFAULT})");
        let mut findings = twin::one_with(
            &format!("!(#pod == {{}}) && !{}", judged(&of_pod)),
            FIELD,
            &format!("(#spec.?{FIELD}.hasValue() ? string({of_pod}) : '')"),
        );
        for probe in ["livenessProbe", "startupProbe"] {
            let value = format!("c.it.?{probe}.?{FIELD}");
            let number = format!("{value}.orValue({DEFAULT})");
            let is_wrong = format!("{value}.hasValue() && !{}", judged(&number));
            findings += " + ";
            findings += &twin::containers_with(&is_wrong, &format!("{probe}.{FIELD}"), &format!("string({number})"));
        }
        Ok(CelTwin::of(findings, format!("the grace period is out of range: expected {}", self.0)))
    }
}

impl TerminationGrace {
    fn judge(&self, path: &Path<'_>, found: Node<'_>, absent: i64, report: &mut Report<'_>) {
        let seconds = if found.is_null() { Some(absent) } else { found.as_i64() };
        let effective = seconds.map(|seconds| if seconds < 0 { 1 } else { seconds });
        if effective.is_some_and(|seconds| self.0.contains(seconds)) {
            return;
        }
        let accepted = self.0;
        let message = if found.is_null() {
            format!("the grace period is {absent} seconds unless it is set: expected {accepted}")
        } else {
            format!("a grace period of {} seconds is out of range: expected {accepted}", report.show(FIELD, found))
        };
        report.finding(path, found, message);
    }
}

impl Validate for TerminationGrace {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let Some(pod) = subject.pod() else { return };
        let found = pod.spec().field(FIELD).unwrap_or_default();
        pod.with_spec_path(|spec| self.judge(&spec.key(FIELD), found, DEFAULT, report));
        pod.visit_containers(|container| {
            for probe in ["livenessProbe", "startupProbe"] {
                if let Some(found) = container.node.at(&[probe, FIELD]) {
                    self.judge(&container.path.key(probe).key(FIELD), found, DEFAULT, report);
                }
            }
        });
    }
}
