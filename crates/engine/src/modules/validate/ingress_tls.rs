//! Requires TLS for every host of an Ingress.
//!
//! # What it checks
//! Each host of a rule of an Ingress (networking.k8s.io/v1) must stand among the `hosts` of its `tls` section, by itself
//! or below a wildcard of one label: `*.example.com` serves `shop.example.com` and not `a.shop.example.com`. A rule without
//! a host, and an Ingress without rules, need an entry of the `tls` section at least.
//!
//! An entry without `hosts` serves no host: what it stands for is left to the controller, and controllers disagree. What
//! the certificate in the Secret says is not looked at.
//!
//! # Why
//! What is sent without TLS can be read and changed by everybody on the way. A host that was forgotten in the `tls` section
//! is served all the same: in plain text, or with the controller's own certificate.
//!
//! # Settings
//! - `secrets`: whether each entry of the `tls` section must name a `secretName`; false by default, for controllers that
//!   have a certificate of their own.
//! - `noPlainHttp`: whether the annotation `kubernetes.io/ingress.allow-http` must be `"false"`, for the controllers that go
//!   by it; false by default.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: tls-everywhere }
//! spec:
//!   module: ingress-tls
//!   settings:
//!     secrets: true
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::ingress::{Host, INGRESSES};
use crate::json::{List, Node, Path};
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// What is required besides an entry for each host.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Whether each entry must name a Secret.
    secrets: bool,
    /// Whether the annotation that turns plain HTTP off is required.
    no_plain_http: bool,
}

/// See the page of `ingress-tls`.
#[derive(Debug)]
pub struct IngressTls(Settings);

const ALLOW_HTTP: &str = "kubernetes.io/ingress.allow-http";

impl Module for IngressTls {
    const ID: &'static str = "ingress-tls";
    const GROUP: Group = Group::Network;
    const APPLIES: Applies = Applies::To(INGRESSES);
    const REPLACES: &'static [&'static str] = &["gatekeeper-library/httpsonly", "kyverno/require-ingress-https"];
    const PUBLIC: &'static [&'static str] = &["host"];
    const DOC: &'static str = include_str!("ingress_tls.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        Ok(Self(settings))
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let (rules, entries) = ("#object.?spec.?rules.orValue([])", "#object.?spec.?tls.orValue([])");
        let is_served = format!(
            "{entries}.exists(e, e.?hosts.orValue([]).exists(o, [o.lowerAscii()].exists(l, l == h || \
             l.startsWith('*.') && !h.startsWith('*.') && h.indexOf('.') > 0 && \
             h.substring(h.indexOf('.')) == l.substring(1))))"
        );
        let mut parts = vec![
            twin::one(
                &format!(
                    "{entries}.size() == 0 && ({rules}.size() == 0 || {rules}.exists(r, r.?host.orValue('') == ''))"
                ),
                "spec.tls",
            ),
            format!(
                "{rules}.transformList(i, r, r.?host.orValue('') != '' && \
                 ![r.host.lowerAscii()].exists(h, {is_served}), 'spec.rules[' + string(i) + '].host\\n' + r.host)"
            ),
        ];
        if self.0.secrets {
            parts.push(format!(
                "{entries}.transformList(i, e, e.?secretName.orValue('') == '', \
                 'spec.tls[' + string(i) + '].secretName')"
            ));
        }
        if self.0.no_plain_http {
            let annotation = format!("#object.?metadata.?annotations[?{}]", twin::quoted(ALLOW_HTTP));
            parts.push(twin::one_with(
                &format!("{annotation}.orValue('') != 'false'"),
                &format!("metadata.annotations[{ALLOW_HTTP}]"),
                &format!("({annotation}.hasValue() ? '=' + {annotation}.orValue('') : '')"),
            ));
        }
        Ok(CelTwin::of(parts.join(" + "), "TLS is required, with a Secret where that is asked, and no plain HTTP"))
    }
}

/// Whether one of the entries names the host, or a wildcard above it.
fn is_served(entries: List<'_>, host: &str) -> bool {
    let hosts = || entries.iter().flat_map(|entry| entry.items_of("hosts")).filter_map(|host| host.as_str());
    hosts().any(|own| Host::of(own).serves(Host::of(host)))
}

impl Validate for IngressTls {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let spec = subject.object.field("spec").unwrap_or_default();
        let place = Path::root("spec");
        let (rules, entries) = (spec.items_of("rules"), spec.items_of("tls"));
        let (rules_place, tls) = (place.key("rules"), place.key("tls"));
        let is_hostless = |rule: &Node<'_>| rule.field("host").is_none_or(|host| host.as_str() == Some(""));
        if entries.is_empty() && (rules.is_empty() || rules.iter().any(is_hostless)) {
            report.finding(&tls, Node::NULL, "TLS is required; add an entry");
        }
        for (index, rule) in rules.iter().enumerate().filter(|(_, rule)| !is_hostless(rule)) {
            let host = rule.field("host").unwrap_or_default();
            if !host.as_str().is_some_and(|host| is_served(entries, host)) {
                let message = format!("host {} has no TLS; add it to spec.tls", report.show("host", host));
                report.finding(&rules_place.index(index).key("host"), host, message);
            }
        }
        for (index, entry) in entries.iter().enumerate().filter(|_| self.0.secrets) {
            let secret = entry.field("secretName").filter(|secret| secret.as_str() != Some(""));
            if secret.is_none() {
                report.finding(&tls.index(index).key("secretName"), Node::NULL, "a Secret is required; name it");
            }
        }
        if self.0.no_plain_http && subject.annotation(ALLOW_HTTP) != Some("false") {
            let found = subject.object.at(&["metadata", "annotations", ALLOW_HTTP]).unwrap_or_default();
            let message = "the annotation must be \"false\": plain HTTP is not allowed";
            report.finding(&Path::root("metadata").key("annotations").key(ALLOW_HTTP), found, message);
        }
    }
}
