//! Sets what pods ask for the names of hosts, and how.
//!
//! # What it does
//! Fills in `dnsConfig`: `nameservers` and `searches` each where the pod has none, and each of `options` whose name the pod
//! does not have. And `dnsPolicy`, where the pod has `ClusterFirst`: the API server fills that in where nothing is said, so
//! it cannot be told from a choice; any other is one and stays.
//!
//! Pods are changed when they are created, never mirror pods.
//!
//! # Why
//! With the default `ndots: 5` a pod asks for every name outside of the cluster up to five times: `ndots: 2` or a name server
//! on the node takes most of the load from the cluster's DNS.
//!
//! # Settings
//! - `nameservers`: at most 3 addresses.
//! - `searches`: at most 32 domains.
//! - `options`: options, each with a `name` and perhaps a `value` (a text): `{name: ndots, value: "2"}`.
//! - `dnsPolicy`: `ClusterFirst`, `ClusterFirstWithHostNet`, `Default` or `None`, which needs `nameservers`.
//!
//! At least one of them.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: fewer-questions }
//! spec:
//!   module: set-dns-config
//!   settings:
//!     options:
//!       - { name: ndots, value: "2" }
//! ```

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Deserialize;

use super::open;
use crate::json::edit::{self, Edited};
use crate::json::{Arena, Node};
use crate::kubernetes::names::is_subdomain;
use crate::kubernetes::pod::Changeable;
use crate::modules::problem::problem;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, Mutate, PathPattern, SettingsError};
use crate::verdict::{PolicyError, Report};

/// What pods get.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Addresses of name servers.
    nameservers: Vec<String>,
    /// Domains in which names are looked up.
    searches: Vec<String>,
    /// Options of the resolver.
    options: Vec<DnsOption>,
    /// Where the pod's own configuration comes from.
    dns_policy: Option<DnsPolicy>,
}

/// An option of the resolver (core/v1 PodDNSConfigOption).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct DnsOption {
    /// Its name: `ndots`.
    name: String,
    /// Its value, if it has one.
    value: Option<String>,
}

/// Where a pod's configuration comes from (core/v1 DNSPolicy).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
enum DnsPolicy {
    /// The cluster's DNS; the node's for pods in the node's network.
    ClusterFirst,
    /// The cluster's DNS, also in the node's network.
    ClusterFirstWithHostNet,
    /// The node's.
    Default,
    /// `dnsConfig` alone.
    None,
}

impl DnsPolicy {
    const fn as_str(self) -> &'static str {
        match self {
            Self::ClusterFirst => "ClusterFirst",
            Self::ClusterFirstWithHostNet => "ClusterFirstWithHostNet",
            Self::Default => "Default",
            Self::None => "None",
        }
    }
}

/// See the page of `set-dns-config`.
#[derive(Debug)]
pub struct SetDnsConfig(Settings);

/// The limits of core/v1 (validation, `MaxDNSNameservers` and `MaxDNSSearchPaths`).
const MOST: [(&str, usize); 2] = [("nameservers", 3), ("searches", 32)];

impl Module for SetDnsConfig {
    const ID: &'static str = "set-dns-config";
    const GROUP: Group = Group::Reliability;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &["kyverno/add-ndots"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("set_dns_config.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let errors = settings.problems();
        if errors.is_empty() { Ok(Self(settings)) } else { Err(errors) }
    }

    fn writes(&self) -> Vec<PathPattern> {
        let Settings { nameservers, searches, options, dns_policy } = &self.0;
        let lists = [("nameservers", nameservers), ("searches", searches)];
        let lists = lists.into_iter().filter(|(_, texts)| !texts.is_empty());
        let lists = lists.map(|(field, _)| format!("spec.dnsConfig.{field}"));
        let options = options.iter().map(|option| format!("spec.dnsConfig.options[name={}]", option.name));
        let policy = dns_policy.map(|_| "spec.dnsPolicy".to_owned());
        lists.chain(options).chain(policy).map(PathPattern).collect()
    }
}

impl Settings {
    fn problems(&self) -> Vec<SettingsError> {
        let Self { nameservers, searches, options, dns_policy } = self;
        let mut errors = vec![];
        if nameservers.is_empty() && searches.is_empty() && options.is_empty() && dns_policy.is_none() {
            let message = "there is nothing to set: name nameservers, searches, options or dnsPolicy";
            errors.push(problem("", message));
        }
        for ((field, most), texts) in MOST.into_iter().zip([nameservers, searches]) {
            if texts.len() > most {
                let count = texts.len();
                errors.push(problem(format!("/{field}"), format!("{count} are too many: expected at most {most}")));
            }
        }
        for (position, address) in nameservers.iter().enumerate().filter(|(_, it)| it.parse::<IpAddr>().is_err()) {
            let message = format!("{address:?} is no address: expected one such as \"10.1.2.3\"");
            errors.push(problem(format!("/nameservers/{position}"), message));
        }
        for (position, domain) in searches.iter().enumerate().filter(|(_, domain)| !is_search(domain)) {
            let message = format!("{domain:?} can be no domain: expected one such as \"example.com\"");
            errors.push(problem(format!("/searches/{position}"), message));
        }
        for (position, option) in options.iter().enumerate() {
            let pointer = format!("/options/{position}/name");
            if option.name.is_empty() {
                errors.push(problem(pointer, "the option has no name: expected one such as \"ndots\""));
            } else if options.iter().take(position).any(|other| other.name == option.name) {
                errors.push(problem(pointer, format!("{:?} is set already: leave one of them out", option.name)));
            }
        }
        if *dns_policy == Some(DnsPolicy::None) && nameservers.is_empty() {
            let message = "a pod with the policy None has no other name servers: name at least one";
            errors.push(problem("/nameservers", message));
        }
        errors
    }
}

/// `.` alone, or a domain, perhaps with a dot at its end and with underscores.
fn is_search(domain: &str) -> bool {
    let name = domain.strip_suffix('.').unwrap_or(domain);
    domain == "." || is_subdomain(&name.replace('_', "-"))
}

impl DnsOption {
    fn build<'a>(&'a self, arena: &'a Arena) -> Node<'a> {
        let value = self.value.as_ref().map(|value| ("value", Node::string(value)));
        let entries: Vec<_> = std::iter::once(("name", Node::string(&self.name))).chain(value).collect();
        arena.map(&entries)
    }
}

impl SetDnsConfig {
    fn set<'a>(&'a self, arena: &'a Arena, spec: Node<'a>) -> Edited<'a> {
        let Settings { nameservers, searches, options, dns_policy } = &self.0;
        let present = spec.field("dnsConfig").unwrap_or_default();
        let mut spec = spec;
        for (field, texts) in [("nameservers", nameservers), ("searches", searches)] {
            let is_said = present.field(field).is_some_and(|list| list.as_list().is_none_or(|list| !list.is_empty()));
            if !texts.is_empty() && !is_said {
                let items: Vec<_> = texts.iter().map(|text| Node::string(text)).collect();
                spec = edit::set(arena, spec, &["dnsConfig", field], arena.list(&items))?;
            }
        }
        let known = present.items_of("options");
        for option in options.iter().filter(|option| known.iter().all(|it| it.str("name") != Some(&option.name))) {
            spec = edit::append(arena, spec, &["dnsConfig", "options"], option.build(arena))?;
        }
        let default = DnsPolicy::ClusterFirst.as_str();
        let policy = spec.field("dnsPolicy").map_or(Some(default), Node::as_str);
        let is_default = policy.is_some_and(|policy| policy == default || policy.is_empty());
        match dns_policy {
            Some(policy) if is_default && *policy != DnsPolicy::ClusterFirst => {
                edit::set(arena, spec, &["dnsPolicy"], Node::string(policy.as_str()))
            }
            _ => Ok(spec),
        }
    }
}

impl Mutate for SetDnsConfig {
    fn mutate<'a>(&'a self, subject: Subject<'_, 'a>, _: &mut Report<'_>) -> Result<Node<'a>, PolicyError> {
        let Some((pod, Changeable::All)) = open::pod(&subject) else { return Ok(subject.object) };
        let arena = subject.arena();
        Ok(pod.edit_spec(arena, |spec| self.set(arena, spec))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(settings: serde_json::Value) -> Vec<SettingsError> {
        SetDnsConfig::new(serde_json::from_value(settings).unwrap()).unwrap_err()
    }

    #[test]
    fn rejects_what_the_api_server_would_refuse() {
        let message = "there is nothing to set: name nameservers, searches, options or dnsPolicy";
        assert_eq!(errors(serde_json::json!({})), [problem("", message)]);
        assert_eq!(
            errors(serde_json::json!({
                "nameservers": ["10.0.0.1", "dns", "10.0.0.3", "10.0.0.4"], "searches": [".", "a_b.example.com.", "a b"],
                "options": [{"value": "2"}, {"name": "ndots"}, {"name": "ndots"}]
            })),
            [
                problem("/nameservers", "4 are too many: expected at most 3"),
                problem("/nameservers/1", "\"dns\" is no address: expected one such as \"10.1.2.3\""),
                problem("/searches/2", "\"a b\" can be no domain: expected one such as \"example.com\""),
                problem("/options/0/name", "the option has no name: expected one such as \"ndots\""),
                problem("/options/2/name", "\"ndots\" is set already: leave one of them out"),
            ]
        );
        let message = "a pod with the policy None has no other name servers: name at least one";
        assert_eq!(errors(serde_json::json!({"dnsPolicy": "None"})), [problem("/nameservers", message)]);
    }
}
