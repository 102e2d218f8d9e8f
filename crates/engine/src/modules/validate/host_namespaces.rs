//! Refuses pods that share namespaces with their node.
//!
//! # What it checks
//! `hostNetwork`, `hostPID` and `hostIPC` of pods and of the templates of workloads. Each must be absent, null or false,
//! unless it is allowed.
//!
//! # Why
//! In the node's network a pod reaches what listens on localhost there, past all NetworkPolicies; among the node's
//! processes it reads their environment and, as root, walks into their files; the node's IPC is shared memory of others.
//! The Pod Security Standards forbid all three from `baseline` on.
//!
//! # Settings
//! - `allowed`: what may be shared, of `hostNetwork`, `hostPID` and `hostIPC`. By default nothing; all three would leave
//!   nothing to refuse.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: host-namespaces }
//! spec:
//!   module: host-namespaces
//!   settings:
//!     allowed: [hostNetwork]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::accepted::accepted;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// What may be shared with the node.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Namespaces of the node that pods may use.
    allowed: Vec<HostNamespace>,
}

/// A namespace of the node, by the field of the pod's specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum HostNamespace {
    /// The node's network.
    #[serde(rename = "hostNetwork")]
    Network,
    /// The node's processes.
    #[serde(rename = "hostPID")]
    Pid,
    /// The node's shared memory.
    #[serde(rename = "hostIPC")]
    Ipc,
}

impl HostNamespace {
    const ALL: [Self; 3] = [Self::Network, Self::Pid, Self::Ipc];

    const fn field(self) -> &'static str {
        match self {
            Self::Network => "hostNetwork",
            Self::Pid => "hostPID",
            Self::Ipc => "hostIPC",
        }
    }
}

/// See the page of `host-namespaces`.
#[derive(Debug)]
pub struct HostNamespaces {
    forbidden: Vec<HostNamespace>,
    /// The end of each message.
    accepted: String,
}

impl Module for HostNamespaces {
    const ID: &'static str = "host-namespaces";
    const GROUP: Group = Group::PodHardening;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] =
        &["gatekeeper-library/host-namespaces", "kyverno/disallow-host-namespaces", "pss/hostNamespaces"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("host_namespaces.rs");
    type Settings = Settings;

    fn new(Settings { allowed }: Settings) -> Result<Self, Vec<SettingsError>> {
        let (allowed, forbidden): (Vec<_>, Vec<_>) =
            HostNamespace::ALL.into_iter().partition(|namespace| allowed.contains(namespace));
        if forbidden.is_empty() {
            let message = "everything is allowed: leave out at least one, or the policy refuses nothing".to_owned();
            return Err(vec![SettingsError { pointer: "/allowed".to_owned(), message }]);
        }
        let names: Vec<&str> = allowed.into_iter().map(HostNamespace::field).collect();
        Ok(Self { forbidden, accepted: accepted(&names) })
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let fields = twin::lists(self.forbidden.iter().map(|namespace| namespace.field()));
        let message = format!("sharing the node's namespace is not allowed; {}", self.accepted);
        Ok(CelTwin::of(format!("{fields}.filter(f, #spec[?f].orValue(false))"), message))
    }
}

impl Validate for HostNamespaces {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let Some(pod) = subject.pod() else { return };
        for namespace in &self.forbidden {
            let field = namespace.field();
            // Something else than a boolean is no reason to let it pass.
            if let Some(found) = pod.spec().field(field).filter(|found| found.as_bool() != Some(false)) {
                let message = format!("sharing the node's namespace is not allowed; {}", self.accepted);
                pod.with_spec_path(|spec| report.finding(&spec.key(field), found, message));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_settings_that_allow_everything() {
        let errors = HostNamespaces::new(Settings { allowed: HostNamespace::ALL.to_vec() }).unwrap_err();
        let message = "everything is allowed: leave out at least one, or the policy refuses nothing".to_owned();
        assert_eq!(errors, [SettingsError { pointer: "/allowed".to_owned(), message }]);
    }
}
