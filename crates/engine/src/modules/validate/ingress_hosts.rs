//! Refuses Ingresses that claim whole domains, or hosts that are not on a list.
//!
//! # What it checks
//! `host` of each rule of an Ingress (networking.k8s.io/v1), and the `hosts` of its `tls` section.
//!
//! - A rule whose `host` is absent, null or empty takes the requests for every name, and `spec.defaultBackend` takes all
//!   that no rule matches, also beside rules with hosts. Both are refused, unless `emptyHost` allows them.
//! - A host with `*.` in front takes the requests for all names with one label more. It is refused, unless `wildcards`
//!   allows it. In the `tls` section it names a certificate and passes.
//! - Where there is a list of allowed hosts, every host must be on it, in rules as in the `tls` section. A wildcard host is
//!   on the list if all that it stands for is.
//!
//! # Why
//! Requests go to whoever claims their name. An Ingress without a host, or with `*.example.com`, draws the requests for
//! names that belong to others, with their cookies and passwords.
//!
//! # Settings
//! - `allowed`: hosts, and domains with all that lies below them: `www.example.com`, `*.shop.example.com` (which fits
//!   `a.shop.example.com` and `a.b.shop.example.com`, but not `shop.example.com` itself). Without it every host is allowed
//!   that is no wildcard.
//! - `wildcards`: whether hosts may begin with `*.`; false by default.
//! - `emptyHost`: whether rules may do without a host, and Ingresses have a default backend; false by default.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: own-hosts }
//! spec:
//!   module: ingress-hosts
//!   settings:
//!     allowed: ["*.apps.example.com", www.example.com]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::ingress::{Host, INGRESSES, is_host};
use crate::json::{Node, Path};
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// Which hosts Ingresses may claim.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Hosts (`www.example.com`), and domains with all that lies below them (`*.example.com`).
    allowed: Option<Vec<String>>,
    /// Whether hosts may begin with `*.`.
    wildcards: bool,
    /// Whether rules may do without a host, and Ingresses have a default backend.
    empty_host: bool,
}

/// See the page of `ingress-hosts`.
#[derive(Debug)]
pub struct IngressHosts {
    settings: Settings,
    /// The end of messages about the list.
    accepted: String,
}

impl Module for IngressHosts {
    const ID: &'static str = "ingress-hosts";
    const GROUP: Group = Group::Network;
    const APPLIES: Applies = Applies::To(INGRESSES);
    const REPLACES: &'static [&'static str] = &[
        "gatekeeper-library/block-wildcard-ingress",
        "kyverno/disallow-empty-ingress-host",
        "kyverno/restrict-ingress-defaultbackend",
        "kyverno/restrict-ingress-wildcard",
    ];
    const PUBLIC: &'static [&'static str] = &["host", "hosts"];
    const DOC: &'static str = include_str!("ingress_hosts.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors = vec![];
        let allowed = settings.allowed.as_deref();
        if allowed.is_some_and(<[String]>::is_empty) {
            errors.push(SettingsError {
                pointer: "/allowed".to_owned(),
                message: "no host is allowed: expected at least one, or no list".to_owned(),
            });
        }
        for (position, text) in allowed.unwrap_or_default().iter().enumerate().filter(|(_, text)| !is_host(text)) {
            errors.push(SettingsError {
                pointer: format!("/allowed/{position}"),
                message: format!(
                    "{text:?} is no host: expected a DNS name in lower case, such as \"www.example.com\" or \"*.example.com\""
                ),
            });
        }
        if allowed.is_some() && settings.empty_host {
            errors.push(SettingsError {
                pointer: "/emptyHost".to_owned(),
                message: "without a host a rule takes the requests for every name, also for those that are not allowed"
                    .to_owned(),
            });
        }
        let accepted = allowed.map(|allowed| format!("allowed: {}", allowed.join(", "))).unwrap_or_default();
        if errors.is_empty() { Ok(Self { settings, accepted }) } else { Err(errors) }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let Settings { allowed, wildcards, empty_host } = &self.settings;
        let listed: Vec<String> = allowed
            .iter()
            .flatten()
            .map(|one| match Host::of(one) {
                Host::Name(name) => format!("h.lowerAscii() == {}", twin::quoted(name)),
                Host::Wildcard(suffix) => format!("h.lowerAscii().endsWith({})", twin::quoted(suffix)),
            })
            .collect();
        let is_listed = if allowed.is_none() { "true".to_owned() } else { format!("({})", listed.join(" || ")) };
        let of_rule = if *wildcards { String::new() } else { "h.contains('*') || ".to_owned() };
        let mut parts = vec![format!(
            "#object.?spec.?rules.orValue([]).transformList(i, r, [r.?host.orValue('')].exists(h, \
             h == '' ? {} : ({of_rule}!{is_listed})), 'spec.rules[' + string(i) + '].host\\n' + r.?host.orValue(''))",
            !empty_host
        )];
        parts.push(twin::nested_at(
            "#object.?spec.?tls.orValue([])",
            ("i", "t"),
            &format!(
                "t.?hosts.orValue([]).transformList(j, h, !{is_listed}, \
                 'spec.tls[' + string(i) + '].hosts[' + string(j) + ']\\n' + h)"
            ),
        ));
        if !empty_host {
            parts.push(twin::one("#object.?spec.?defaultBackend.hasValue()", "spec.defaultBackend"));
        }
        let accepted = if self.accepted.is_empty() { "name each host".to_owned() } else { self.accepted.clone() };
        let twin = CelTwin::of(parts.join(" + "), format!("this host, or none, is not allowed; {accepted}"));
        Ok(twin.differing("takes another default backend for the same as before"))
    }
}

impl IngressHosts {
    fn is_listed(&self, host: Host<'_>) -> bool {
        let allowed = self.settings.allowed.as_ref();
        allowed.is_none_or(|allowed| allowed.iter().any(|one| Host::of(one).holds(host)))
    }

    /// A host that is there. `field` is the public one that it stands in.
    fn judge(&self, field: &str, found: Node<'_>, place: &Path<'_>, report: &mut Report<'_>) {
        let host = found.as_str().map(Host::of);
        let is_wildcard = || found.as_str().is_some_and(|text| text.contains('*'));
        let shown = report.show(field, found);
        let message = match host {
            Some(_) if field == "host" && !self.settings.wildcards && is_wildcard() => {
                format!("host {shown} takes the requests for all names below it; name each host")
            }
            Some(host) if self.is_listed(host) => return,
            None if self.settings.allowed.is_none() => return,
            _ => format!("host {shown} is not allowed; {}", self.accepted),
        };
        report.finding(place, found, message);
    }
}

impl Validate for IngressHosts {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let spec = subject.object.field("spec").unwrap_or_default();
        let place = Path::root("spec");
        if let Some(backend) = spec.field("defaultBackend").filter(|_| !self.settings.empty_host) {
            let message = "it takes the requests for every name that no rule matches; use a rule with a host";
            report.finding(&place.key("defaultBackend"), backend, message);
        }
        let list = place.key("rules");
        for (index, rule) in spec.items_of("rules").iter().enumerate() {
            let rule_place = list.index(index);
            let place = rule_place.key("host");
            match rule.field("host").filter(|host| host.as_str() != Some("")) {
                Some(host) => self.judge("host", host, &place, report),
                None if self.settings.empty_host => {}
                None => {
                    let message = "without a host it takes the requests for every name; name one";
                    report.finding(&place, Node::NULL, message);
                }
            }
        }
        let list = place.key("tls");
        for (index, tls) in spec.items_of("tls").iter().enumerate() {
            let entry = list.index(index);
            let hosts = entry.key("hosts");
            for (index, host) in tls.items_of("hosts").iter().enumerate() {
                self.judge("hosts", *host, &hosts.index(index), report);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_lists_that_no_host_can_be_on() {
        let new = |allowed: &[&str], empty_host| {
            let allowed = Some(allowed.iter().map(ToString::to_string).collect());
            let errors = IngressHosts::new(Settings { allowed, empty_host, wildcards: false }).map(|_| ()).unwrap_err();
            errors.into_iter().map(|error| (error.pointer, error.message)).collect::<Vec<_>>()
        };
        let pair = |pointer: &str, message: &str| (pointer.to_owned(), message.to_owned());
        assert_eq!(new(&[], false), [pair("/allowed", "no host is allowed: expected at least one, or no list")]);
        assert_eq!(
            new(&["a.com", "*"], true),
            [
                pair(
                    "/allowed/1",
                    "\"*\" is no host: expected a DNS name in lower case, such as \"www.example.com\" or \"*.example.com\""
                ),
                pair(
                    "/emptyHost",
                    "without a host a rule takes the requests for every name, also for those that are not allowed"
                ),
            ]
        );
    }
}
