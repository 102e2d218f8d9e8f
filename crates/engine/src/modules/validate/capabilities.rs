//! Refuses capabilities that are not on a list, and containers that keep those which must be dropped.
//!
//! # What it checks
//! `securityContext.capabilities` of init, regular and ephemeral containers, in pods and in the templates of workloads.
//! Everything under `add` must be allowed, and `drop` must hold everything that is required, or `ALL`, which is all of them.
//! A container that says nothing drops nothing.
//!
//! Names are compared as they are written. Runtimes also read `net_admin` and some `CAP_NET_ADMIN`, so that neither is
//! allowed by `NET_ADMIN`, nor drops it here. Pods for Windows (`spec.os.name: windows`) pass: the API server does not let
//! them set the field. A privileged container has all capabilities whatever it says: see `privileged`.
//!
//! # Why
//! Each capability is a part of root's power over the node: `SYS_ADMIN` is most of it, `NET_RAW`, which containers have by
//! default, forges packets. The Pod Security Standards ask in `restricted` for what is the default here.
//!
//! # Settings
//! - `allowedAdd`: capabilities that may be added; `"*"` for any. By default `NET_BIND_SERVICE`.
//! - `requiredDrop`: capabilities that must be dropped. By default `ALL`; empty for none.
//! - `exemptImages`: containers that are let pass, by what their images begin with, in the notation of
//!   `allowed-registries`: `registry.example.com/platform/cni`. By default none.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: few-capabilities }
//! spec:
//!   module: capabilities
//!   settings:
//!     allowedAdd: [NET_BIND_SERVICE, SYS_TIME]
//!     requiredDrop: [ALL]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::accepted::accepted;
use super::exempt_images::ExemptImages;
use crate::json::{Node, Path};
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// Which capabilities containers may have.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Capabilities that may be added, such as `NET_BIND_SERVICE`; `*` for any.
    allowed_add: Vec<String>,
    /// Capabilities that must be dropped, such as `ALL`.
    required_drop: Vec<String>,
    /// What the images of containers begin with that are let pass.
    exempt_images: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            allowed_add: vec!["NET_BIND_SERVICE".to_owned()],
            required_drop: vec![ALL.to_owned()],
            exempt_images: vec![],
        }
    }
}

/// All capabilities there are.
const ALL: &str = "ALL";

/// See the page of `capabilities`.
#[derive(Debug)]
pub struct Capabilities {
    /// None: any.
    allowed_add: Option<Vec<String>>,
    required_drop: Vec<String>,
    exempt: ExemptImages,
    /// The end of messages about `add`.
    accepted: String,
}

impl Module for Capabilities {
    const ID: &'static str = "capabilities";
    const GROUP: Group = Group::PodHardening;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &[
        "gatekeeper-library/capabilities",
        "kyverno/disallow-capabilities",
        "kyverno/disallow-capabilities-strict",
        "kyverno/require-drop-all",
        "kyverno/require-drop-cap-net-raw",
        "pss/capabilities_baseline",
        "pss/capabilities_restricted",
    ];
    const PUBLIC: &'static [&'static str] = &["add"];
    const DOC: &'static str = include_str!("capabilities.rs");
    type Settings = Settings;

    fn new(Settings { allowed_add, required_drop, exempt_images }: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors = misspelt("allowedAdd", &allowed_add, true);
        errors.extend(misspelt("requiredDrop", &required_drop, false));
        for (position, name) in allowed_add.iter().enumerate().filter(|(_, name)| required_drop.contains(name)) {
            let message = format!("{name:?} must be dropped: it cannot be added as well");
            errors.push(SettingsError { pointer: format!("/allowedAdd/{position}"), message });
        }
        let allows_any = allowed_add.iter().any(|name| name == "*");
        if allows_any && required_drop.is_empty() {
            let message = "every capability is allowed and none must be dropped: the policy refuses nothing".to_owned();
            errors.push(SettingsError { pointer: "/allowedAdd".to_owned(), message });
        }
        let exempt = ExemptImages::new(&exempt_images).map_err(|more| errors.extend(more)).unwrap_or_default();
        let accepted = accepted(&allowed_add);
        let module = Self { allowed_add: (!allows_any).then_some(allowed_add), required_drop, exempt, accepted };
        if errors.is_empty() { Ok(module) } else { Err(errors) }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let field = "c.it.?securityContext.?capabilities";
        let judged = match self.exempt.and_not("c.it") {
            none if none.is_empty() => "#containers".to_owned(),
            some => format!("#containers.filter(c, true{some})"),
        };
        let mut twin = CelTwin::default();
        if let Some(allowed) = &self.allowed_add {
            let added = format!(
                "{field}.?add.orValue([]).filter(a, !(a in {})).map(a, c.at + '.securityContext.capabilities.add\\n' + a)",
                twin::lists(allowed)
            );
            let message = format!("adding these capabilities is not allowed; {}", self.accepted);
            twin = twin.and(twin::unless_windows(&twin::nested(&judged, "c", &added)), message);
        }
        if !self.required_drop.is_empty() {
            let dropped = format!("{field}.?drop.orValue([])");
            let names = format!(
                "'ALL' in {dropped} ? [] : {}.filter(d, !(d in {dropped})).map(d, c.at + '.securityContext.capabilities.drop\\n' + d)",
                twin::lists(&self.required_drop)
            );
            let message = format!("these capabilities must be dropped: {}", self.required_drop.join(", "));
            twin = twin.and(twin::unless_windows(&twin::nested(&judged, "c", &names)), message);
        }
        Ok(twin)
    }
}

fn misspelt(field: &str, names: &[String], may_be_any: bool) -> Vec<SettingsError> {
    let is_name = |name: &str| {
        let is_plain = |byte: u8| byte == b'_' || byte.is_ascii_uppercase() || byte.is_ascii_digit();
        !name.is_empty() && name.bytes().all(is_plain) && !name.starts_with("CAP_")
    };
    let wrong = names.iter().enumerate().filter(|(_, name)| !(is_name(name) || may_be_any && *name == "*"));
    wrong
        .map(|(position, name)| SettingsError {
            pointer: format!("/{field}/{position}"),
            message: format!(
                "{name:?} is no capability as pods name them: expected one such as \"NET_ADMIN\", or \"ALL\""
            ),
        })
        .collect()
}

impl Capabilities {
    fn judge(&self, path: &Path<'_>, capabilities: Node<'_>, report: &mut Report<'_>) {
        if let Some(allowed) = &self.allowed_add {
            let is_allowed = |added: Node<'_>| added.as_str().is_some_and(|name| allowed.iter().any(|it| it == name));
            let added = capabilities.field("add").unwrap_or_default();
            let wrong_type = Some(added).filter(|added| !added.is_null() && added.as_list().is_none());
            for added in added.items().iter().copied().chain(wrong_type).filter(|added| !is_allowed(*added)) {
                let shown = report.show("add", added);
                let message = format!("adding capability {shown} is not allowed; {}", self.accepted);
                report.finding(&path.key("add"), added, message);
            }
        }
        let dropped = capabilities.items_of("drop");
        let drops = |name: &str| dropped.iter().any(|dropped| dropped.as_str() == Some(name));
        if self.required_drop.is_empty() || drops(ALL) {
            return;
        }
        for name in self.required_drop.iter().filter(|name| !drops(name)) {
            let message = format!("capability {name:?} must be dropped: add it to the list");
            report.finding(&path.key("drop"), Node::string(name), message);
        }
    }
}

impl Validate for Capabilities {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let Some(pod) = subject.pod().filter(|pod| !pod.is_windows()) else { return };
        self.exempt.visit_containers(&pod, |container| {
            let capabilities = container.node.at(&["securityContext", "capabilities"]).unwrap_or_default();
            self.judge(&container.path.key("securityContext").key("capabilities"), capabilities, report);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_names_that_are_none_and_lists_that_contradict_each_other() {
        let errors = |allowed: &[&str], dropped: &[&str]| {
            let texts = |names: &[&str]| names.iter().map(ToString::to_string).collect();
            let (allowed_add, required_drop) = (texts(allowed), texts(dropped));
            let errors = Capabilities::new(Settings { allowed_add, required_drop, exempt_images: vec![] }).unwrap_err();
            errors.into_iter().map(|error| (error.pointer, error.message)).collect::<Vec<_>>()
        };
        let name = |name: &str| {
            format!("{name:?} is no capability as pods name them: expected one such as \"NET_ADMIN\", or \"ALL\"")
        };
        assert_eq!(
            errors(&["CAP_NET_ADMIN", "NET_RAW"], &["net_raw", "*", "NET_RAW"]),
            [
                ("/allowedAdd/0".to_owned(), name("CAP_NET_ADMIN")),
                ("/requiredDrop/0".to_owned(), name("net_raw")),
                ("/requiredDrop/1".to_owned(), name("*")),
                ("/allowedAdd/1".to_owned(), "\"NET_RAW\" must be dropped: it cannot be added as well".to_owned()),
            ]
        );
        let nothing = "every capability is allowed and none must be dropped: the policy refuses nothing".to_owned();
        assert_eq!(errors(&["*"], &[]), [("/allowedAdd".to_owned(), nothing)]);
    }
}
