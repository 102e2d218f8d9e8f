//! Refuses kernel parameters that are not on a list.
//!
//! # What it checks
//! `securityContext.sysctls` of pods and of the templates of workloads. The name of each must be allowed and not forbidden.
//! Names may be written with dots or with slashes (`net/ipv4/ip_forward`), as the kubelet reads them; they are compared
//! with dots.
//!
//! The kubelet refuses what it does not know to be safe unless it is told otherwise (`--allowed-unsafe-sysctls`), but only
//! when the pod is on its node. In pods for Windows the API server refuses the field by itself.
//!
//! # Why
//! Some parameters belong to the whole node and not to the pod, and some switch off protections of the kernel. The Pod
//! Security Standards allow from `baseline` on what is the default here.
//!
//! # Settings
//! - `allowed`: parameters that may be set, as names or as beginnings of names with a `*` at the end: `net.core.*`. By
//!   default the safe ones of Kubernetes 1.37: `kernel.shm_rmid_forced`, and of `net.ipv4`: `ip_local_port_range`,
//!   `ip_local_reserved_ports`, `ip_unprivileged_port_start`, `ping_group_range`, `tcp_fin_timeout`, `tcp_keepalive_intvl`,
//!   `tcp_keepalive_probes`, `tcp_keepalive_time`, `tcp_notsent_lowat`, `tcp_rmem`, `tcp_slow_start_after_idle`,
//!   `tcp_syncookies` and `tcp_wmem`.
//! - `forbidden`: parameters that may not be set although they are allowed, in the same notation. By default none.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: sysctls }
//! spec:
//!   module: sysctls
//!   settings:
//!     allowed: ["net.*"]
//!     forbidden: [net.ipv4.ip_forward]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::accepted::accepted;
use crate::json::{Node, Path};
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// Which parameters pods may set.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Names that may be set, or their beginnings with a `*`.
    allowed: Vec<String>,
    /// Names that may not, or their beginnings with a `*`.
    forbidden: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { allowed: SAFE.map(str::to_owned).to_vec(), forbidden: vec![] }
    }
}

/// What is safe in Kubernetes 1.37 (k8s.io/pod-security-admission, policy/check_sysctls.go).
const SAFE: [&str; 14] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_notsent_lowat",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_slow_start_after_idle",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
];

/// See the page of `sysctls`.
#[derive(Debug)]
pub struct Sysctls {
    allowed: Vec<Name>,
    forbidden: Vec<Name>,
    /// The end of messages.
    accepted: String,
}

/// A name, or the beginning of one.
#[derive(Debug)]
struct Name {
    text: String,
    is_prefix: bool,
}

impl Module for Sysctls {
    const ID: &'static str = "sysctls";
    const GROUP: Group = Group::PodHardening;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] =
        &["gatekeeper-library/forbidden-sysctls", "kyverno/restrict-sysctls", "pss/sysctls"];
    const PUBLIC: &'static [&'static str] = &["name"];
    const DOC: &'static str = include_str!("sysctls.rs");
    type Settings = Settings;

    fn new(Settings { allowed: texts, forbidden }: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors = vec![];
        let allowed = names("allowed", &texts, &mut errors);
        let forbidden = names("forbidden", &forbidden, &mut errors);
        if errors.is_empty() && forbidden.is_empty() && allowed.iter().any(|name| name.text.is_empty()) {
            let message = "every parameter is allowed and none forbidden: the policy refuses nothing".to_owned();
            errors.push(SettingsError { pointer: "/allowed".to_owned(), message });
        }
        for (position, name) in forbidden.iter().enumerate() {
            if errors.is_empty() && !allowed.iter().any(|allowed| allowed.meets(name)) {
                let message = format!("{:?} is not allowed anyway: leave it out", texts_of(name));
                errors.push(SettingsError { pointer: format!("/forbidden/{position}"), message });
            }
        }
        let accepted = accepted(&texts);
        if errors.is_empty() { Ok(Self { allowed, forbidden, accepted }) } else { Err(errors) }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let cover = |names: &[Name]| {
            let parts: Vec<String> = names
                .iter()
                .map(|name| match name {
                    Name { text, is_prefix: true } => format!("n.startsWith({})", twin::quoted(text)),
                    Name { text, .. } => format!("n == {}", twin::quoted(text)),
                })
                .collect();
            if parts.is_empty() { "false".to_owned() } else { format!("({})", parts.join(" || ")) }
        };
        // As `with_dots`; no name holds the sign in between.
        let name = "[s.name.matches('^[^./]*/') \
                    ? s.name.replace('/', '!').replace('.', '/').replace('!', '.') : s.name]";
        let is_allowed = format!("{name}.all(n, {} && !{})", cover(&self.allowed), cover(&self.forbidden));
        let findings = format!(
            "#spec.?securityContext.?sysctls.orValue([]).filter(s, !{is_allowed}).map(s, \
             'securityContext.sysctls[' + s.name + '].name')"
        );
        Ok(CelTwin::of(findings, format!("setting it is not allowed; {}", self.accepted)))
    }
}

fn names(field: &str, texts: &[String], errors: &mut Vec<SettingsError>) -> Vec<Name> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/');
    let mut names = vec![];
    for (position, text) in texts.iter().enumerate() {
        let beginning = text.strip_suffix('*');
        let name = beginning.unwrap_or(text);
        if text.is_empty() || !name.bytes().all(is_part) {
            let message =
                format!("{text:?} fits no parameter: expected a name, or its beginning and a `*`: \"net.core.*\"");
            errors.push(SettingsError { pointer: format!("/{field}/{position}"), message });
        }
        names.push(Name { text: with_dots(name).collect(), is_prefix: beginning.is_some() });
    }
    names
}

fn texts_of(name: &Name) -> String {
    format!("{}{}", name.text, if name.is_prefix { "*" } else { "" })
}

impl Name {
    fn covers(&self, name: &str) -> bool {
        let mut found = with_dots(name);
        let begins = self.text.chars().all(|wanted| found.next() == Some(wanted));
        begins && (self.is_prefix || found.next().is_none())
    }

    /// Whether both cover a name.
    fn meets(&self, other: &Self) -> bool {
        self.covers(&other.text) || (other.is_prefix && other.covers(&self.text))
    }
}

/// The name with dots (k8s.io/component-helpers, NormalizeName): if a slash is the first separator, slashes are dots and
/// dots are slashes.
fn with_dots(name: &str) -> impl Iterator<Item = char> + '_ {
    let has_slashes = name.chars().find(|char| matches!(char, '.' | '/')) == Some('/');
    name.chars().map(move |char| match char {
        '/' if has_slashes => '.',
        '.' if has_slashes => '/',
        other => other,
    })
}

impl Sysctls {
    fn judge(&self, path: &Path<'_>, sysctl: Node<'_>, report: &mut Report<'_>) {
        let name = sysctl.get("name").unwrap_or_default();
        let is_in = |names: &[Name]| name.as_str().is_some_and(|name| names.iter().any(|it| it.covers(name)));
        let message = if is_in(&self.forbidden) {
            format!("setting {} is forbidden", report.show("name", name))
        } else if is_in(&self.allowed) {
            return;
        } else {
            format!("setting {} is not allowed; {}", report.show("name", name), self.accepted)
        };
        report.finding(&path.key("name"), name, message);
    }
}

impl Validate for Sysctls {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let Some(pod) = subject.pod() else { return };
        pod.with_spec_path(|spec| {
            let security = spec.key("securityContext");
            let list = security.key("sysctls");
            for (index, sysctl) in pod.security().items_of("sysctls").iter().enumerate() {
                self.judge(&list.item(index, "name", *sysctl), *sysctl, report);
            }
        });
    }
}

#[cfg(test)]
mod tests;
