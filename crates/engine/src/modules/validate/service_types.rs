//! Allows Services certain types only.
//!
//! # What it checks
//! `spec.type` of Services. A type that is absent, null or empty is `ClusterIP`, as the API server fills it in.
//!
//! A Service of type `LoadBalancer` gets ports of every node as well, unless `spec.allocateLoadBalancerNodePorts` is false.
//! Where `LoadBalancer` is allowed and `NodePort` is not, it must therefore be false, and no port may name a `nodePort`.
//! Set `nodePortsOfLoadBalancers` for load balancers that need ports of nodes.
//!
//! # Why
//! `NodePort` opens a port on every node, past the load balancer and what protects it. `LoadBalancer` orders, and pays for,
//! an address of the cloud that the world can reach. `ExternalName` makes a name inside the cluster lead outside, or to
//! another namespace.
//!
//! # Settings
//! - `allowed`: the types: `ClusterIP`, `NodePort`, `LoadBalancer`, `ExternalName`. By default `ClusterIP` alone.
//! - `nodePortsOfLoadBalancers`: whether Services of type `LoadBalancer` may have ports of nodes although `NodePort` is not
//!   allowed; false by default.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: no-node-ports }
//! spec:
//!   module: service-types
//!   settings:
//!     allowed: [ClusterIP, LoadBalancer]
//!     nodePortsOfLoadBalancers: true
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use crate::json::{Node, Path};
use crate::review::{Operation, Subject};
use crate::rule::{Applies, Group, Module, Resources, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// Which types Services may have.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// The types.
    allowed: Vec<ServiceType>,
    /// Whether load balancers may have ports of nodes where the type NodePort is not allowed.
    node_ports_of_load_balancers: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { allowed: vec![ServiceType::ClusterIP], node_ports_of_load_balancers: false }
    }
}

/// How a Service is reached (core/v1 ServiceType).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum ServiceType {
    /// By an address of the cluster's own.
    ClusterIP,
    /// By a port of every node as well.
    NodePort,
    /// By an address of a load balancer as well.
    LoadBalancer,
    /// Not at all: the name stands for another one.
    ExternalName,
}

impl ServiceType {
    const fn as_str(self) -> &'static str {
        match self {
            Self::ClusterIP => "ClusterIP",
            Self::NodePort => "NodePort",
            Self::LoadBalancer => "LoadBalancer",
            Self::ExternalName => "ExternalName",
        }
    }
}

/// See the page of `service-types`.
#[derive(Debug)]
pub struct ServiceTypes {
    allowed: Vec<ServiceType>,
    /// Whether load balancers must do without ports of nodes.
    refuses_node_ports: bool,
    /// The end of each message.
    accepted: String,
}

impl Module for ServiceTypes {
    const ID: &'static str = "service-types";
    const GROUP: Group = Group::Network;
    const APPLIES: Applies = Applies::To(&[Resources {
        groups: &[""],
        resources: &["services"],
        operations: &[Operation::Create, Operation::Update],
    }]);
    const REPLACES: &'static [&'static str] = &[
        "gatekeeper-library/block-loadbalancer-services",
        "gatekeeper-library/block-nodeport-services",
        "kyverno/restrict-loadbalancer",
        "kyverno/restrict-node-port",
    ];
    const PUBLIC: &'static [&'static str] = &["type"];
    const DOC: &'static str = include_str!("service_types.rs");
    type Settings = Settings;

    fn new(Settings { allowed, node_ports_of_load_balancers }: Settings) -> Result<Self, Vec<SettingsError>> {
        let has = |wanted: ServiceType| allowed.contains(&wanted);
        let mut errors = vec![];
        if allowed.is_empty() {
            errors.push(SettingsError {
                pointer: "/allowed".to_owned(),
                message: "no type is allowed: expected at least one, such as \"ClusterIP\"".to_owned(),
            });
        }
        let is_for_nothing = has(ServiceType::NodePort) || !has(ServiceType::LoadBalancer);
        if node_ports_of_load_balancers && is_for_nothing {
            errors.push(SettingsError {
                pointer: "/nodePortsOfLoadBalancers".to_owned(),
                message: "changes nothing unless \"LoadBalancer\" is allowed and \"NodePort\" is not".to_owned(),
            });
        }
        let refuses_node_ports = !has(ServiceType::NodePort) && !node_ports_of_load_balancers;
        let names: Vec<&str> = allowed.iter().map(|allowed| allowed.as_str()).collect();
        let accepted = format!("allowed: {}", names.join(", "));
        if errors.is_empty() { Ok(Self { allowed, refuses_node_ports, accepted }) } else { Err(errors) }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let names = twin::lists(self.allowed.iter().map(|allowed| allowed.as_str()));
        let kind = "[#object.?spec.?type.orValue('')].map(t, t == '' ? 'ClusterIP' : t)[0]";
        let of_kind = twin::one_with(&format!("!({kind} in {names})"), "spec.type", kind);
        let mut twin = CelTwin::of(of_kind, format!("this service type is not allowed; {}", self.accepted));
        if self.refuses_node_ports {
            let is_meant = format!("'LoadBalancer' in {names} && {kind} == 'LoadBalancer'");
            let allocate = "#object.?spec.?allocateLoadBalancerNodePorts";
            let allocates = twin::one_with(
                &format!("{is_meant} && {allocate}.orValue(true)"),
                "spec.allocateLoadBalancerNodePorts",
                &format!("({allocate}.hasValue() ? 'true' : '')"),
            );
            let claimed = format!(
                "({is_meant} && !{allocate}.orValue(true) ? #object.?spec.?ports.orValue([]).transformList(i, p, \
                 p.?nodePort.orValue(0) != 0, 'spec.ports[' + p.?name.orValue(string(i)) + '].nodePort\\n' + \
                 string(p.nodePort)) : [])"
            );
            twin = twin
                .and(allocates, "a load balancer gets ports of every node, which are not allowed; set it to false")
                .and(claimed, "a port of every node is not allowed; leave it out");
        }
        Ok(twin)
    }
}

impl Validate for ServiceTypes {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let spec = subject.object.field("spec").unwrap_or_default();
        let found = spec.field("type").filter(|found| found.as_str() != Some(""));
        let name = found.map_or(Some(ServiceType::ClusterIP.as_str()), Node::as_str);
        let place = Path::root("spec");
        if !name.is_some_and(|name| self.allowed.iter().any(|allowed| allowed.as_str() == name)) {
            let found = found.unwrap_or(Node::string(ServiceType::ClusterIP.as_str()));
            let message = format!("service type {} is not allowed; {}", report.show("type", found), self.accepted);
            report.finding(&place.key("type"), found, message);
        } else if self.refuses_node_ports && name == Some(ServiceType::LoadBalancer.as_str()) {
            let allocate = spec.field("allocateLoadBalancerNodePorts");
            if allocate.and_then(Node::as_bool) != Some(false) {
                let message = "a load balancer gets ports of every node, which are not allowed; set it to false";
                report.finding(&place.key("allocateLoadBalancerNodePorts"), allocate.unwrap_or_default(), message);
            }
            let ports = place.key("ports");
            for (index, port) in spec.items_of("ports").iter().enumerate() {
                let claimed = port.field("nodePort").filter(|claimed| claimed.as_i64() != Some(0));
                if let Some(claimed) = claimed.filter(|_| allocate.and_then(Node::as_bool) == Some(false)) {
                    let message = "a port of every node is not allowed; leave it out";
                    report.finding(&ports.item(index, "name", *port).key("nodePort"), claimed, message);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_settings_that_allow_nothing_or_change_nothing() {
        let new = |allowed: &[ServiceType], node_ports_of_load_balancers| {
            let settings = Settings { allowed: allowed.to_vec(), node_ports_of_load_balancers };
            let errors = ServiceTypes::new(settings).map(|_| ()).unwrap_err();
            errors.into_iter().map(|error| (error.pointer, error.message)).collect::<Vec<_>>()
        };
        let one = |pointer: &str, message: &str| vec![(pointer.to_owned(), message.to_owned())];
        assert_eq!(
            new(&[], false),
            one("/allowed", "no type is allowed: expected at least one, such as \"ClusterIP\"")
        );
        let message = "changes nothing unless \"LoadBalancer\" is allowed and \"NodePort\" is not";
        assert_eq!(new(&[ServiceType::ClusterIP], true), one("/nodePortsOfLoadBalancers", message));
        assert_eq!(
            new(&[ServiceType::NodePort, ServiceType::LoadBalancer], true),
            one("/nodePortsOfLoadBalancers", message)
        );
    }
}
