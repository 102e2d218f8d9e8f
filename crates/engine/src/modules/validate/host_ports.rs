//! Refuses ports of the node that are not on a list.
//!
//! # What it checks
//! `hostPort` in the ports of init, regular and ephemeral containers, in pods and in the templates of workloads. A
//! `hostPort` that is absent, null or 0 claims no port of the node.
//!
//! In a pod with `hostNetwork: true` every container port is a port of the node, whatever `hostPort` says: the API server
//! fills in `hostPort` from `containerPort` in pods, and leaves it out in templates. There `containerPort` is judged, so
//! that a Deployment is refused when its pods would be.
//!
//! # Why
//! A port of the node is taken from all other pods, keeps a pod from nodes where it is in use, and lies open to whoever
//! reaches the node, past NetworkPolicies and Services. The Pod Security Standards forbid it from `baseline` on.
//!
//! # Settings
//! - `allowed`: the ports that may be claimed: `"9000"`, or a range with both ends: `"8000-8080"`. By default none.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: host-ports }
//! spec:
//!   module: host-ports
//!   settings:
//!     allowed: ["80", "443", "30000-32767"]
//! ```

use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::json::{Node, Path};
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// Which ports of the node pods may claim.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Ports (`"9000"`) and ranges of ports (`"8000-8080"`) that may be claimed.
    allowed: Vec<String>,
}

/// See the page of `host-ports`.
#[derive(Debug)]
pub struct HostPorts {
    allowed: Vec<RangeInclusive<u16>>,
    /// The end of each message.
    accepted: String,
}

impl Module for HostPorts {
    const ID: &'static str = "host-ports";
    const GROUP: Group = Group::PodHardening;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &[
        "gatekeeper-library/host-network-ports",
        "kyverno/disallow-host-ports",
        "kyverno/disallow-host-ports-range",
        "pss/hostPorts",
    ];
    const PUBLIC: &'static [&'static str] = &["hostPort"];
    const DOC: &'static str = include_str!("host_ports.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut allowed = vec![];
        let mut errors = vec![];
        for (position, text) in settings.allowed.iter().enumerate() {
            match ports(text) {
                Some(ports) => allowed.push(ports),
                None => errors.push(SettingsError {
                    pointer: format!("/allowed/{position}"),
                    message: format!("{text:?} names no ports: expected 1 to 65535, or a range such as \"8000-8080\""),
                }),
            }
        }
        let accepted = match settings.allowed.as_slice() {
            [] => "none is".to_owned(),
            allowed => format!("allowed: {}", allowed.join(", ")),
        };
        if errors.is_empty() { Ok(Self { allowed, accepted }) } else { Err(errors) }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let port = "(p.?hostPort.orValue(0) != 0 ? p.hostPort \
                    : #spec.?hostNetwork.orValue(false) ? p.?containerPort.orValue(0) : 0)";
        let is_wrong = format!("{port} != 0 && !{}", twin::in_ranges(port, &self.allowed));
        let ports = format!(
            "c.it.?ports.orValue([]).transformList(i, p, {is_wrong}, c.at + '.ports[' + \
             p.?name.orValue(string(i)) + '].hostPort\\n' + string({port}))"
        );
        let message = format!("host ports are not allowed; {}", self.accepted);
        Ok(CelTwin::of(twin::nested("#containers", "c", &ports), message))
    }
}

/// `9000`, or `8000-8080`.
fn ports(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (1 <= first && first <= last).then_some(first..=last)
}

impl HostPorts {
    fn allows(&self, port: Node<'_>) -> bool {
        let port = port.as_i64().and_then(|port| u16::try_from(port).ok());
        port.is_some_and(|port| self.allowed.iter().any(|ports| ports.contains(&port)))
    }

    fn judge(&self, list: &Path<'_>, index: usize, port: Node<'_>, host_network: bool, report: &mut Report<'_>) {
        let claimed = port.field("hostPort").filter(|claimed| claimed.as_i64() != Some(0));
        let Some(claimed) = claimed.or_else(|| port.field("containerPort").filter(|_| host_network)) else {
            return;
        };
        if self.allows(claimed) {
            return;
        }
        let shown = report.show("hostPort", claimed);
        let reason = if host_network { " (with hostNetwork every container port is one)" } else { "" };
        let message = format!("host port {shown}{reason} is not allowed; {}", self.accepted);
        report.finding(&list.item(index, "name", port).key("hostPort"), claimed, message);
    }
}

impl Validate for HostPorts {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let Some(pod) = subject.pod() else { return };
        let host_network = pod.spec().get("hostNetwork").and_then(Node::as_bool) == Some(true);
        pod.visit_containers(|container| {
            let list = container.path.key("ports");
            for (index, port) in container.node.items_of("ports").iter().enumerate() {
                self.judge(&list, index, *port, host_network, report);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_ports_and_ranges() {
        assert_eq!(
            (ports("9000"), ports("8000-8080"), ports("1-65535")),
            (Some(9000..=9000), Some(8000..=8080), Some(1..=65535))
        );
        for text in ["", "0", "0-1", "65536", "8080-8000", "80-", "-80", "http", "80-90-100", "8 0"] {
            assert_eq!(ports(text), None, "{text:?}");
        }
    }

    #[test]
    fn rejects_settings_that_name_no_ports() {
        let errors = HostPorts::new(Settings { allowed: vec!["80".into(), "http".into(), "0".into()] }).unwrap_err();
        let expected = |pointer: &str, text: &str| SettingsError {
            pointer: pointer.to_owned(),
            message: format!("\"{text}\" names no ports: expected 1 to 65535, or a range such as \"8000-8080\""),
        };
        assert_eq!(errors, [expected("/allowed/1", "http"), expected("/allowed/2", "0")]);
    }
}
