//! Refuses external addresses of Services that are not on a list.
//!
//! # What it checks
//! `spec.externalIPs` of Services, each address by itself. An address that can be read in two ways (`010.0.0.1`) is
//! refused; an IPv4 address in IPv6 notation (`::ffff:10.0.0.1`) counts as the IPv4 address. An absent list, null and an
//! empty one claim nothing.
//!
//! The other way to draw traffic, an address written into the status of a Service (`services/status`), is open to
//! whoever may change that subresource: keep the permission for the controller of the load balancers.
//!
//! # Why
//! Nobody checks whether the address belongs to whoever writes it down: kube-proxy sends the traffic of the whole cluster
//! for `8.8.8.8` to the pods of a Service that claims `8.8.8.8`
//! ([CVE-2020-8554](https://github.com/kubernetes/kubernetes/issues/97076)). It is not mended; Kubernetes deprecates the
//! field.
//!
//! # Settings
//! - `allowed`: addresses (`203.0.113.7`) and networks (`203.0.113.0/28`, `2001:db8::/64`) that may be claimed. By default
//!   none.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: own-addresses }
//! spec:
//!   module: external-ips
//!   settings:
//!     allowed: ["203.0.113.0/28"]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use crate::json::{Node, Path};
use crate::kubernetes::network::Network;
use crate::modules::patterns;
use crate::review::{Operation, Subject};
use crate::rule::{Applies, Group, Module, Resources, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// Which addresses Services may claim.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Addresses and networks (CIDR) that may be claimed.
    allowed: Vec<String>,
}

/// See the page of `external-ips`.
#[derive(Debug)]
pub struct ExternalIps {
    allowed: Vec<Network>,
    /// The end of each message.
    accepted: String,
}

impl Module for ExternalIps {
    const ID: &'static str = "external-ips";
    const GROUP: Group = Group::Network;
    const APPLIES: Applies = Applies::To(&[Resources {
        groups: &[""],
        resources: &["services"],
        operations: &[Operation::Create, Operation::Update],
    }]);
    const REPLACES: &'static [&'static str] = &[
        "gatekeeper-library/externalip",
        "kubernetes/DenyServiceExternalIPs",
        "kyverno/restrict-service-external-ips",
    ];
    const PUBLIC: &'static [&'static str] = &["externalIPs"];
    const DOC: &'static str = include_str!("external_ips.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let allowed = patterns::of_networks("/allowed", &settings.allowed)?;
        let accepted = match settings.allowed.as_slice() {
            [] => "none is".to_owned(),
            allowed => format!("allowed: {}", allowed.join(", ")),
        };
        Ok(Self { allowed, accepted })
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let networks = twin::lists(self.allowed.iter().map(ToString::to_string));
        let is_allowed = if self.allowed.is_empty() {
            "false".to_owned()
        } else {
            format!("isIP(a) && {networks}.exists(n, cidr(n).containsIP(a))")
        };
        let findings = format!(
            "#object.?spec.?externalIPs.orValue([]).transformList(i, a, !({is_allowed}), \
             'spec.externalIPs[' + string(i) + ']\\n' + a)"
        );
        Ok(CelTwin::of(findings, format!("external IPs are not allowed; {}", self.accepted)))
    }
}

impl ExternalIps {
    fn judge(&self, place: &Path<'_>, address: Node<'_>, report: &mut Report<'_>) {
        // The API server takes addresses here, no networks.
        let read = address.as_str().filter(|text| !text.contains('/')).and_then(Network::parse);
        if read.is_some_and(|read| self.allowed.iter().any(|network| network.covers(read))) {
            return;
        }
        let message = format!("external IP {} is not allowed; {}", report.show("externalIPs", address), self.accepted);
        report.finding(place, address, message);
    }
}

impl Validate for ExternalIps {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let Some(addresses) = subject.object.at(&["spec", "externalIPs"]) else { return };
        let spec = Path::root("spec");
        let list = spec.key("externalIPs");
        if addresses.as_list().is_none() {
            return self.judge(&list, addresses, report);
        }
        for (index, address) in addresses.items().iter().enumerate() {
            self.judge(&list.index(index), *address, report);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_settings_that_name_no_network() {
        let allowed = ["10.0.0.0/8", "010.0.0.1", "example.com", "10.0.0.1/8"].map(str::to_owned).to_vec();
        let errors = ExternalIps::new(Settings { allowed }).map(|_| ()).unwrap_err();
        let errors: Vec<_> = errors.iter().map(|error| (error.pointer.as_str(), error.message.as_str())).collect();
        let expected = "expected one such as \"203.0.113.7\", \"203.0.113.0/28\" or \"2001:db8::/64\"";
        assert_eq!(
            errors,
            [
                ("/allowed/1", format!("\"010.0.0.1\" is no address and no network: {expected}").as_str()),
                ("/allowed/2", format!("\"example.com\" is no address and no network: {expected}").as_str()),
                ("/allowed/3", "\"10.0.0.1/8\" has bits behind its prefix: write the network or the address"),
            ]
        );
    }
}
