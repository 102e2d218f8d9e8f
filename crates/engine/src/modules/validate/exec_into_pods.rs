//! Refuses commands, terminals and tunnels into running pods.
//!
//! # What it checks
//! CONNECT to `pods/exec` (`kubectl exec`, `kubectl cp`), `pods/attach`, `pods/portforward`, and where the settings name it
//! `pods/proxy`: everywhere, or in the namespaces and pods of the settings, for everybody but the exempt.
//!
//! What it cannot see: what is run inside, because the commands go past the API server's admission. A debug container
//! (`kubectl debug`) is an update of `pods/ephemeralcontainers`, and the kubelet's own API is guarded by `nodes/proxy`:
//! take these permissions away.
//!
//! # Why
//! Whoever is inside a pod has its secrets, its service account and its place in the network, and what they change there
//! no review has seen.
//!
//! # Settings
//! - `connections`: which of `exec`, `attach`, `portforward` and `proxy`; the first three by default.
//! - `namespaces`: patterns of the namespaces: `prod`, `prod-*`. By default all.
//! - `pods`: patterns of the pods' names: `vault-*`. By default all.
//! - `exemptUsers`: patterns of users who may. By default those that Kubernetes' own parts act as. A list of your own
//!   replaces the default.
//! - `exemptGroups`: patterns of groups whose members may.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: hands-off-production }
//! spec:
//!   module: exec-into-pods
//!   settings:
//!     namespaces: [prod, "prod-*"]
//!     exemptGroups: [on-call]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::exempt::{self, Exempt};
use crate::json::Node;
use crate::matching::glob;
use crate::modules::patterns;
use crate::review::{Operation, Subject};
use crate::rule::{Applies, Group, Module, Resources, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// Which connections are refused, where, and to whom.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// The connections.
    connections: Vec<Connection>,
    /// Patterns of the namespaces; all if there are none.
    namespaces: Vec<String>,
    /// Patterns of the names of pods; all if there are none.
    pods: Vec<String>,
    /// Patterns of users who may connect.
    exempt_users: Vec<String>,
    /// Patterns of groups whose members may connect.
    exempt_groups: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connections: vec![Connection::Exec, Connection::Attach, Connection::Portforward],
            namespaces: vec![],
            pods: vec![],
            exempt_users: exempt::control_plane(),
            exempt_groups: vec![],
        }
    }
}

/// A way into a pod: a subresource of pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Connection {
    /// A command is run in a container.
    Exec,
    /// The terminal of a container's own process.
    Attach,
    /// A tunnel to the pod's ports.
    Portforward,
    /// HTTP requests through the API server.
    Proxy,
}

impl Connection {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Exec => "exec",
            Self::Attach => "attach",
            Self::Portforward => "portforward",
            Self::Proxy => "proxy",
        }
    }
}

/// See the page of `exec-into-pods`.
#[derive(Debug)]
pub struct ExecIntoPods {
    connections: Vec<Connection>,
    namespaces: Vec<String>,
    pods: Vec<String>,
    exempt: Exempt,
}

impl Module for ExecIntoPods {
    const ID: &'static str = "exec-into-pods";
    const GROUP: Group = Group::Access;
    const APPLIES: Applies = Applies::To(&[Resources {
        groups: &[""],
        resources: &["pods/attach", "pods/exec", "pods/portforward", "pods/proxy"],
        operations: &[Operation::Connect],
    }]);
    const REPLACES: &'static [&'static str] =
        &["kyverno/block-pod-exec-by-namespace", "kyverno/block-pod-exec-by-pod-name"];
    const PUBLIC: &'static [&'static str] = &["namespace"];
    const DOC: &'static str = include_str!("exec_into_pods.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let Settings { connections, namespaces, pods, exempt_users, exempt_groups } = settings;
        let mut errors = vec![];
        if connections.is_empty() {
            errors.push(SettingsError {
                pointer: "/connections".to_owned(),
                message: "no connection is refused: expected at least one, such as \"exec\"".to_owned(),
            });
        }
        errors.extend(patterns::of_namespaces("/namespaces", &namespaces));
        for (position, pattern) in pods.iter().enumerate().filter(|(_, pattern)| !is_pod_pattern(pattern)) {
            errors.push(SettingsError {
                pointer: format!("/pods/{position}"),
                message: format!(
                    "{pattern:?} fits no pod: expected lower-case letters, digits, `-` and `.`, with `*` for any text and `?` for \
                     one character"
                ),
            });
        }
        let exempt = Exempt { users: exempt_users, groups: exempt_groups };
        if errors.is_empty() { Ok(Self { connections, namespaces, pods, exempt }) } else { Err(errors) }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let connections = twin::lists(self.connections.iter().map(|connection| connection.as_str()));
        let meant = |value: &str, patterns: &[String]| match patterns {
            [] => "true".to_owned(),
            patterns => twin::fits(value, patterns),
        };
        let is_wrong = format!(
            "request.operation == 'CONNECT' && request.resource.resource == 'pods' && \
             request.?subResource.orValue('') in {connections} && {} && {} && !{}",
            meant(twin::NAMESPACE, &self.namespaces),
            meant("request.?name.orValue('')", &self.pods),
            self.exempt.in_cel()
        );
        let message = "this connection to pods is not allowed in this namespace";
        Ok(CelTwin::of(twin::one(&is_wrong, ""), message).of_change())
    }
}

/// Whether some pod may be called so (a DNS subdomain).
fn is_pod_pattern(pattern: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.*?".contains(&byte);
    !pattern.is_empty() && pattern.bytes().all(is_letter)
}

fn is_meant(patterns: &[String], name: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| glob::fits(pattern, name))
}

impl Validate for ExecIntoPods {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let review = subject.review;
        let connection = self.connections.iter().find(|connection| connection.as_str() == review.subresource);
        let is_pod = review.operation == Operation::Connect && review.resource.resource == "pods";
        let Some(connection) = connection.filter(|_| is_pod) else { return };
        if is_meant(&self.namespaces, review.namespace)
            && is_meant(&self.pods, review.name)
            && !self.exempt.covers(&review.user)
        {
            let namespace = report.show("namespace", Node::string(review.namespace));
            let connection = connection.as_str();
            report.finding_of_request(format!("pods/{connection} is not allowed in namespace {namespace}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_settings_that_refuse_nothing() {
        let settings = Settings {
            connections: vec![],
            namespaces: vec!["Prod".into()],
            pods: vec!["web-*".into(), "a b".into()],
            ..Settings::default()
        };
        let errors = ExecIntoPods::new(settings).unwrap_err();
        let places: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(places, ["/connections", "/namespaces/0", "/pods/1"]);
        assert_eq!(
            errors.last().unwrap().message,
            "\"a b\" fits no pod: expected lower-case letters, digits, `-` and `.`, with `*` for any text and `?` for one \
             character"
        );
    }
}
