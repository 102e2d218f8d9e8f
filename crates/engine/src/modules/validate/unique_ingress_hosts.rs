//! Refuses Ingresses that claim a host which another Ingress has.
//!
//! # What it checks
//! `host` of each rule of an Ingress (networking.k8s.io/v1), against all other Ingresses of the cluster, whatever their
//! class. The same host twice is refused, and so is a wildcard and a name below it, whichever of the two was first:
//! `*.example.com` and `shop.example.com`. Capital letters make no difference. Rules without a host are held against one
//! another; what they take is only what no other rule does. `ingress-hosts` refuses them altogether.
//!
//! It asks the cluster for its Ingresses, which the server's role must allow it to list, and an answer may be some
//! seconds old. Two that are made at the same moment can both pass: this is a fence against mistakes, no lock. Where
//! the cluster cannot be asked, that is an evaluation error, and the policy's `failurePolicy` decides. Offline the
//! other Ingresses are those in the files of `--params`.
//!
//! # Why
//! Requests for a host that two Ingresses claim go to either, to the older, or to the one whose path is longer, as the
//! controller pleases. Whoever adds a second one takes over somebody else's site, by mistake or not.
//!
//! # Settings
//! - `byPath`: whether Ingresses may share a host if no path of one is a path of the other; false by default. A path below
//!   another one is another path, and takes its requests.
//! - `inNamespace`: whether Ingresses of one namespace may share a host; false by default.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: one-owner-for-each-host }
//! spec:
//!   module: unique-ingress-hosts
//!   settings:
//!     inNamespace: true
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::ingress::{Host, INGRESSES};
use super::others;
use crate::json::{Node, Path};
use crate::review::{Lookup, Operation, Subject};
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{CelTwin, NoTwin};
use crate::verdict::Report;

/// Which Ingresses may share a host.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Whether Ingresses may share a host if they share no path of it.
    by_path: bool,
    /// Whether Ingresses of one namespace may share a host.
    in_namespace: bool,
}

/// See the page of `unique-ingress-hosts`.
#[derive(Debug)]
pub struct UniqueIngressHosts(Settings);

fn ingresses() -> Lookup<'static> {
    others::all("networking.k8s.io/v1", "Ingress", "")
}

impl Module for UniqueIngressHosts {
    const ID: &'static str = "unique-ingress-hosts";
    const GROUP: Group = Group::Network;
    const APPLIES: Applies = Applies::To(INGRESSES);
    const REPLACES: &'static [&'static str] = &[
        "gatekeeper-library/uniqueingresshost",
        "kyverno/restrict-ingress-host",
        "kyverno/unique-ingress-host-and-path",
    ];
    const PUBLIC: &'static [&'static str] = &["host"];
    const DOC: &'static str = include_str!("unique_ingress_hosts.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        Ok(Self(settings))
    }

    fn lookups(&self) -> Vec<Lookup<'static>> {
        vec![ingresses()]
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        Err(NoTwin::LOOKS_UP)
    }
}

/// The rules of an Ingress, each with its host.
fn rules(ingress: Node<'_>) -> impl Iterator<Item = (Node<'_>, &str)> + Clone {
    let rules = ingress.field("spec").unwrap_or_default().items_of("rules");
    rules.iter().map(|rule| (*rule, rule.str("host").unwrap_or_default()))
}

/// Whether a request can be for both.
fn meet(left: &str, right: &str) -> bool {
    match (left, right) {
        ("", "") => true,
        ("", _) | (_, "") => false,
        _ => Host::of(left).serves(Host::of(right)) || Host::of(right).serves(Host::of(left)),
    }
}

/// The paths of a rule, without a slash at the end; one without a text is the whole site.
fn paths(rule: Node<'_>) -> impl Iterator<Item = &str> + Clone {
    let paths = rule.field("http").unwrap_or_default().items_of("paths");
    paths.iter().map(|path| path.str("path").unwrap_or_default().trim_end_matches('/'))
}

impl UniqueIngressHosts {
    fn collide(&self, own: (Node<'_>, &str), other: (Node<'_>, &str)) -> bool {
        let (own_paths, other_paths) = (paths(own.0), paths(other.0));
        // A rule without paths leaves nothing of its host to others.
        let is_whole = || own_paths.clone().next().is_none() || other_paths.clone().next().is_none();
        let share_a_path = || own_paths.clone().any(|path| other_paths.clone().any(|taken| taken == path));
        meet(own.1, other.1) && (!self.0.by_path || is_whole() || share_a_path())
    }
}

impl Validate for UniqueIngressHosts {
    fn validate<'a>(&'a self, subject: Subject<'_, 'a>, report: &mut Report<'_>) {
        let review = subject.review;
        if !matches!(review.operation, Operation::Create | Operation::Update) || rules(subject.object).next().is_none()
        {
            return;
        }
        let Some(others) = others::besides(&subject, ingresses(), report) else { return };
        let is_judged = |other: &Node<'_>| !self.0.in_namespace || others::namespace_of(*other) != review.namespace;
        let taken = others.filter(is_judged).flat_map(rules);
        let place = Path::root("spec");
        let list = place.key("rules");
        for (index, (rule, host)) in rules(subject.object).enumerate() {
            if !taken.clone().any(|other| self.collide((rule, host), other)) {
                continue;
            }
            let found = rule.get("host").unwrap_or_default();
            let message = match (host, self.0.by_path) {
                ("", _) => "another Ingress takes the requests for every name; name a host".to_owned(),
                (_, false) => {
                    format!("another Ingress has host {}, or one that takes its requests", report.show("host", found))
                }
                (_, true) => format!("another Ingress has host {} with the same path", report.show("host", found)),
            };
            report.finding(&list.index(index).key("host"), found, message);
        }
    }

    fn asks(&self) -> Option<&'static str> {
        Some("reads all Ingresses")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_meet_by_name_and_by_wildcard() {
        for (left, right, expected) in [
            ("a.example.com", "A.example.com", true),
            ("*.example.com", "a.example.com", true),
            ("a.example.com", "*.example.com", true),
            ("*.example.com", "*.example.com", true),
            ("*.example.com", "a.b.example.com", false),
            ("", "", true),
            ("", "a.example.com", false),
        ] {
            assert_eq!(meet(left, right), expected, "{left} {right}");
        }
    }
}
