//! Requires probes of containers that are meant to run on.
//!
//! # What it checks
//! `readinessProbe` and `livenessProbe` of regular containers and native sidecars, in pods and in the templates of
//! workloads. A probe that is absent, null or has no action (`httpGet`, `tcpSocket`, `grpc` or `exec`) is none.
//!
//! Pods with `restartPolicy: Never` or `OnFailure` end when their work is done and need no probes. The templates of Jobs
//! and CronJobs always say one of the two, so they and their pods pass. Init containers that end, and ephemeral
//! containers, can have no probes.
//!
//! # Why
//! Without a readiness probe a Service sends requests to a container that cannot answer yet, and a rollout goes on although
//! the new version never starts. Without a liveness probe nothing restarts a container that hangs.
//!
//! # Settings
//! - `probes`: the probes that are required: `readinessProbe`, `livenessProbe`, `startupProbe`. By default the first two.
//! - `match`: `All` (the default), or `Any` if one of them is enough.
//! - `actions`: what a probe may do: `httpGet`, `tcpSocket`, `grpc`, `exec`. By default any of them. A probe that does
//!   something else counts as none.
//! - `sidecars`: whether native sidecars need probes; true by default.
//! - `jobs`: whether pods that end need probes too; false by default.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: probes }
//! spec:
//!   module: probes
//!   settings:
//!     probes: [readinessProbe]
//!     actions: [httpGet, grpc]
//!     sidecars: false
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use crate::json::Node;
use crate::kubernetes::lifetime::{is_sidecar, runs_to_its_end};
use crate::kubernetes::pod::{Container, ContainerList};
use crate::modules::problem::problem;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// Which probes are required, and where.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// The probes that are required.
    probes: Vec<Probe>,
    /// Whether all of them are, or any is enough.
    #[serde(rename = "match")]
    needed: Needed,
    /// What a probe may do; anything if the list is absent.
    actions: Vec<Action>,
    /// Whether native sidecars need them.
    sidecars: bool,
    /// Whether pods that end need them.
    jobs: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            probes: vec![Probe::Readiness, Probe::Liveness],
            needed: Needed::All,
            actions: vec![Action::HttpGet, Action::TcpSocket, Action::Grpc, Action::Exec],
            sidecars: true,
            jobs: false,
        }
    }
}

/// A probe of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
enum Probe {
    /// Whether requests may be sent to it.
    #[serde(rename = "readinessProbe")]
    Readiness,
    /// Whether it must be restarted.
    #[serde(rename = "livenessProbe")]
    Liveness,
    /// Whether it has started.
    #[serde(rename = "startupProbe")]
    Startup,
}

/// How many of the probes are required.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
enum Needed {
    /// Each of them.
    #[default]
    All,
    /// One of them.
    Any,
}

/// What a probe does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Action {
    /// A request by HTTP.
    HttpGet,
    /// A connection.
    TcpSocket,
    /// A request by gRPC.
    Grpc,
    /// A command in the container.
    Exec,
}

impl Probe {
    const fn field(self) -> &'static str {
        match self {
            Self::Readiness => "readinessProbe",
            Self::Liveness => "livenessProbe",
            Self::Startup => "startupProbe",
        }
    }
}

impl Action {
    const fn field(self) -> &'static str {
        match self {
            Self::HttpGet => "httpGet",
            Self::TcpSocket => "tcpSocket",
            Self::Grpc => "grpc",
            Self::Exec => "exec",
        }
    }
}

/// See the page of `probes`.
#[derive(Debug)]
pub struct Probes {
    settings: Settings,
    /// `readinessProbe or livenessProbe`
    any: String,
    /// `httpGet, grpc`
    actions: String,
}

impl Module for Probes {
    const ID: &'static str = "probes";
    const GROUP: Group = Group::Reliability;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &["gatekeeper-library/requiredprobes", "kyverno/require-probes"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("probes.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors = vec![];
        if settings.probes.is_empty() {
            errors.push(problem("/probes", "no probe is required: name at least one, such as readinessProbe"));
        }
        if settings.actions.is_empty() {
            errors.push(problem("/actions", "a probe must do something: name at least one action, such as httpGet"));
        }
        let join = |names: Vec<&str>, between: &str| names.join(between);
        let any = join(settings.probes.iter().map(|probe| probe.field()).collect(), " or ");
        let actions = join(settings.actions.iter().map(|action| action.field()).collect(), ", ");
        if errors.is_empty() { Ok(Self { settings, any, actions }) } else { Err(errors) }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let Settings { probes, needed, actions, sidecars, jobs } = &self.settings;
        let has = |probe: &Probe| {
            let does: Vec<String> = actions
                .iter()
                .map(|action| format!("c.it.?{}.?{}.hasValue()", probe.field(), action.field()))
                .collect();
            format!("({})", does.join(" || "))
        };
        let of_init = if *sidecars {
            "c.at.startsWith('initContainers[') && c.it.?restartPolicy.orValue('') == 'Always'"
        } else {
            "false"
        };
        let runs = "!(#spec.?restartPolicy.orValue('') in ['Never', 'OnFailure'])";
        let is_meant =
            format!("{} && (c.at.startsWith('containers[') || {of_init})", if *jobs { "true" } else { runs });
        if *needed == Needed::Any {
            let any: Vec<String> = probes.iter().map(has).collect();
            let findings = format!("#containers.filter(c, {is_meant} && !({})).map(c, c.at)", any.join(" || "));
            let message = format!("the container has no {}: add one, with one of {}", self.any, self.actions);
            return Ok(CelTwin::of(findings, message));
        }
        let mut twin = CelTwin::default();
        for probe in probes {
            let is_wrong = format!("{is_meant} && !{}", has(probe));
            let message = format!("the container has no {}: add one, with one of {}", probe.field(), self.actions);
            twin = twin.and(twin::containers(&is_wrong, probe.field()), message);
        }
        Ok(twin.differing("takes a probe that does nothing for the same as before where only its other fields change"))
    }
}

impl Probes {
    fn has(&self, container: Node<'_>, probe: Probe) -> bool {
        let does = |probe: Node<'_>| self.settings.actions.iter().any(|action| probe.field(action.field()).is_some());
        container.field(probe.field()).is_some_and(does)
    }

    fn judge(&self, container: &Container<'_, '_>, report: &mut Report<'_>) {
        let missing = self.settings.probes.iter().filter(|probe| !self.has(container.node, **probe));
        if self.settings.needed == Needed::Any {
            if missing.count() == self.settings.probes.len() {
                let message = format!("the container has no {}: add one, with one of {}", self.any, self.actions);
                report.finding(&container.path, Node::NULL, message);
            }
            return;
        }
        for probe in missing {
            let (field, actions) = (probe.field(), &self.actions);
            let found = container.node.field(field).unwrap_or_default();
            let message = format!("the container has no {field}: add one, with one of {actions}");
            report.finding(&container.path.key(field), found, message);
        }
    }
}

impl Validate for Probes {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let Some(pod) = subject.pod().filter(|pod| self.settings.jobs || !runs_to_its_end(pod.spec())) else { return };
        pod.visit_containers(|container| {
            let is_sidecar = self.settings.sidecars && is_sidecar(container.list, container.node);
            if is_sidecar || container.list == ContainerList::Regular {
                self.judge(container, report);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_settings_that_require_nothing() {
        let nothing = Settings { probes: vec![], actions: vec![], ..Settings::default() };
        let errors = Probes::new(nothing).unwrap_err();
        assert_eq!(
            errors,
            [
                problem("/probes", "no probe is required: name at least one, such as readinessProbe"),
                problem("/actions", "a probe must do something: name at least one action, such as httpGet")
            ]
        );
    }
}
