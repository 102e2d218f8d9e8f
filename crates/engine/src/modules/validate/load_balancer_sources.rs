//! Requires load balancers to say from where they can be reached.
//!
//! # What it checks
//! Services of type `LoadBalancer`: `spec.loadBalancerSourceRanges` must name at least one network, and none that is wider
//! than allowed. Where the field is absent, null or empty, the API server's older form of it counts, the annotation
//! `service.beta.kubernetes.io/load-balancer-source-ranges` with its list of networks between commas.
//!
//! A network that cannot be read, or that can be read in two ways, is refused. Not every load balancer obeys the field:
//! ask your cloud's controller.
//!
//! # Why
//! Without the field the whole world is let in. Most load balancers are made for one office, one partner, or one other
//! cluster.
//!
//! # Settings
//! - `allowed`: networks that the sources must lie in: `10.0.0.0/8`. Without it every network will do that is not wide.
//! - `widestIpv4`, `widestIpv6`: the shortest prefix that a network may have where `allowed` is absent: 8 and 32 by
//!   default, so that the world cannot be written as a few halves of it.
//! - `exemptNames`: patterns of names of Services that may be open to the world: `public-*`. By default none.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: office-only }
//! spec:
//!   module: load-balancer-sources
//!   settings:
//!     allowed: ["203.0.113.0/24", "2001:db8::/32"]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use crate::json::{Node, Path};
use crate::kubernetes::network::Network;
use crate::matching::glob;
use crate::modules::patterns;
use crate::review::{Operation, Subject};
use crate::rule::{Applies, Group, Module, Resources, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// From where load balancers may be reached.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Networks that the sources must lie in.
    allowed: Option<Vec<String>>,
    /// The shortest prefix of an IPv4 network where there is no list; 8 if absent.
    widest_ipv4: Option<u8>,
    /// The shortest prefix of an IPv6 network where there is no list; 32 if absent.
    widest_ipv6: Option<u8>,
    /// Patterns of names of Services that may be open to the world.
    exempt_names: Vec<String>,
}

/// See the page of `load-balancer-sources`.
#[derive(Debug)]
pub struct LoadBalancerSources {
    rule: Rule,
    exempt_names: Vec<String>,
    /// The end of messages.
    accepted: String,
}

#[derive(Debug)]
enum Rule {
    Within(Vec<Network>),
    AtMost { ipv4: u8, ipv6: u8 },
}

const ANNOTATION: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";

impl Module for LoadBalancerSources {
    const ID: &'static str = "load-balancer-sources";
    const GROUP: Group = Group::Network;
    const APPLIES: Applies = Applies::To(&[Resources {
        groups: &[""],
        resources: &["services"],
        operations: &[Operation::Create, Operation::Update],
    }]);
    const REPLACES: &'static [&'static str] = &[];
    const PUBLIC: &'static [&'static str] = &["loadBalancerSourceRanges"];
    const DOC: &'static str = include_str!("load_balancer_sources.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let Settings { allowed, widest_ipv4, widest_ipv6, exempt_names } = settings;
        let mut errors = vec![];
        let mut refuse = |pointer: &str, message: &str| {
            errors.push(SettingsError { pointer: pointer.to_owned(), message: message.to_owned() });
        };
        for (field, bits, most) in [("widestIpv4", widest_ipv4, 32), ("widestIpv6", widest_ipv6, 128)] {
            let pointer = format!("/{field}");
            match bits {
                Some(_) if allowed.is_some() => refuse(&pointer, "has no meaning beside a list of allowed networks"),
                Some(bits) if bits > most => {
                    refuse(&pointer, &format!("no prefix has {bits} bits: expected at most {most}"));
                }
                Some(0) => refuse(&pointer, "a prefix of 0 bits is the whole world: expected at least 1"),
                _ => {}
            }
        }
        let rule = match &allowed {
            None => Rule::AtMost { ipv4: widest_ipv4.unwrap_or(8), ipv6: widest_ipv6.unwrap_or(32) },
            Some(allowed) => {
                if allowed.is_empty() {
                    refuse("/allowed", "no source is allowed: expected at least one network, or no list");
                }
                Rule::Within(patterns::of_networks("/allowed", allowed).unwrap_or_else(|problems| {
                    errors.extend(problems);
                    vec![]
                }))
            }
        };
        let accepted = match &rule {
            Rule::Within(_) => format!("allowed: {}", allowed.unwrap_or_default().join(", ")),
            Rule::AtMost { ipv4, ipv6 } => format!("allowed: prefixes of at least {ipv4} bits (IPv6: {ipv6})"),
        };
        if errors.is_empty() { Ok(Self { rule, exempt_names, accepted }) } else { Err(errors) }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let is_allowed = match &self.rule {
            Rule::Within(allowed) => {
                format!("{}.exists(n, cidr(n).containsCIDR(t))", twin::lists(allowed.iter().map(ToString::to_string)))
            }
            Rule::AtMost { ipv4, ipv6 } => {
                format!("cidr(t).prefixLength() >= (cidr(t).ip().family() == 4 ? {ipv4} : {ipv6})")
            }
        };
        let is_right = |text: &str| format!("[{text}.trim()].exists(t, isCIDR(t) && {is_allowed})");
        let ranges = "#object.?spec.?loadBalancerSourceRanges.orValue([])";
        let annotation = format!("#object.?metadata.?annotations[?{}].orValue('')", twin::quoted(ANNOTATION));
        let is_meant = format!(
            "#object.?spec.?type.orValue('') == 'LoadBalancer' && ![{}].exists(n, {})",
            twin::OBJECT_NAME,
            twin::fits("n", &self.exempt_names)
        );
        let of_ranges = format!(
            "({is_meant} ? {ranges}.transformList(i, r, !{}, \
             'spec.loadBalancerSourceRanges[' + string(i) + ']\\n' + r) : [])",
            is_right("r")
        );
        let of_annotation = twin::one_with(
            &format!(
                "{is_meant} && {ranges}.size() == 0 && ({annotation}.trim() == '' || \
                 !{annotation}.split(',').all(r, {}))",
                is_right("r")
            ),
            "spec.loadBalancerSourceRanges",
            &format!("({annotation}.trim() == '' ? '' : {annotation})"),
        );
        let message = format!(
            "the load balancer is open to sources that are not allowed, or to the world; name its sources; {}",
            self.accepted
        );
        Ok(CelTwin::of(format!("{of_ranges} + {of_annotation}"), message)
            .differing("refuses networks that the API server of Kubernetes 1.33 and newer warns about"))
    }
}

impl LoadBalancerSources {
    fn allows(&self, text: &str) -> bool {
        // The API server wants a prefix, and lets blanks stand around it (k8s.io/kubernetes, pkg/api/v1/service).
        let network = Some(text.trim()).filter(|text| text.contains('/')).and_then(Network::parse);
        network.is_some_and(|network| match &self.rule {
            Rule::Within(allowed) => allowed.iter().any(|one| one.covers(network)),
            Rule::AtMost { ipv4, ipv6 } => network.bits() >= if network.is_ipv4() { *ipv4 } else { *ipv6 },
        })
    }
}

impl Validate for LoadBalancerSources {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let spec = subject.object.field("spec").unwrap_or_default();
        let name = subject.review.object_name();
        if spec.str("type") != Some("LoadBalancer") || self.exempt_names.iter().any(|one| glob::fits(one, name)) {
            return;
        }
        let place = Path::root("spec");
        let list = place.key("loadBalancerSourceRanges");
        let ranges = spec.items_of("loadBalancerSourceRanges");
        for (index, range) in ranges.iter().enumerate() {
            if !range.as_str().is_some_and(|text| self.allows(text)) {
                let shown = report.show("loadBalancerSourceRanges", *range);
                report.finding(&list.index(index), *range, format!("source {shown} is not allowed; {}", self.accepted));
            }
        }
        if !ranges.is_empty() {
            return;
        }
        match subject.annotation(ANNOTATION).filter(|text| !text.trim().is_empty()) {
            Some(text) if text.split(',').all(|range| self.allows(range)) => {}
            Some(text) => {
                let message = format!("a source of the load balancer is not allowed; {}", self.accepted);
                let place = Path::root("metadata");
                report.finding(&place.key("annotations").key(ANNOTATION), Node::string(text), message);
            }
            None => {
                let message = format!("the load balancer is open to the world; name its sources; {}", self.accepted);
                report.finding(&list, Node::NULL, message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_settings_that_let_nobody_or_everybody_in() {
        let errors = |settings: Settings| {
            let errors = LoadBalancerSources::new(settings).map(|_| ()).unwrap_err();
            errors.into_iter().map(|error| (error.pointer, error.message)).collect::<Vec<_>>()
        };
        let pair = |pointer: &str, message: &str| (pointer.to_owned(), message.to_owned());
        assert_eq!(
            errors(Settings { allowed: Some(vec![]), widest_ipv4: Some(8), ..Settings::default() }),
            [
                pair("/widestIpv4", "has no meaning beside a list of allowed networks"),
                pair("/allowed", "no source is allowed: expected at least one network, or no list"),
            ]
        );
        assert_eq!(
            errors(Settings { widest_ipv4: Some(33), widest_ipv6: Some(0), ..Settings::default() }),
            [
                pair("/widestIpv4", "no prefix has 33 bits: expected at most 32"),
                pair("/widestIpv6", "a prefix of 0 bits is the whole world: expected at least 1"),
            ]
        );
    }
}
