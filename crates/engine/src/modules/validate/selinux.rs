//! Refuses SELinux options that are not allowed.
//!
//! # What it checks
//! `seLinuxOptions` in the security contexts of pods and of the templates of workloads, and of their init, regular and
//! ephemeral containers: the `type`, the `user`, the `role` and the `level`, wherever they are written. What is absent, null
//! or empty is chosen by the container runtime, and passes.
//!
//! In pods for Windows (`spec.os.name: windows`) the API server refuses the fields by itself.
//!
//! # Why
//! SELinux keeps containers from the node by their type, and from each other by their level. With a type such as `spc_t`
//! nothing of it is left. The Pod Security Standards ask from `baseline` on for what is the default here.
//!
//! # Settings
//! - `types`: types that may be set. By default `container_t`, `container_init_t`, `container_kvm_t` and
//!   `container_engine_t`.
//! - `users`: users that may be set; by default none.
//! - `roles`: roles that may be set; by default none.
//! - `levels`: levels that may be set, as patterns: `s0:c123,*`. By default `"*"`, any, as in the Pod Security Standards.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: selinux }
//! spec:
//!   module: selinux
//!   settings:
//!     types: [container_t, container_init_t]
//!     levels: []
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::accepted::accepted;
use crate::matching::glob;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// Which options may be set.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Types, such as `container_t`.
    types: Vec<String>,
    /// Users.
    users: Vec<String>,
    /// Roles.
    roles: Vec<String>,
    /// Patterns of levels; `*` for any.
    levels: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        let types = ["container_t", "container_init_t", "container_kvm_t", "container_engine_t"];
        Self { types: types.map(str::to_owned).to_vec(), users: vec![], roles: vec![], levels: vec!["*".to_owned()] }
    }
}

/// See the page of `selinux`.
#[derive(Debug)]
pub struct Selinux {
    options: [Allowed; 4],
}

/// What one of the four options may be.
#[derive(Debug)]
struct Allowed {
    field: &'static str,
    patterns: Vec<String>,
    /// The end of messages.
    accepted: String,
}

impl Module for Selinux {
    const ID: &'static str = "selinux";
    const GROUP: Group = Group::PodHardening;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] =
        &["gatekeeper-library/selinux", "kyverno/disallow-selinux", "pss/seLinuxOptions"];
    const PUBLIC: &'static [&'static str] = &["type"];
    const DOC: &'static str = include_str!("selinux.rs");
    type Settings = Settings;

    fn new(Settings { types, users, roles, levels }: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors = vec![];
        for (field, names) in [("types", &types), ("users", &users), ("roles", &roles)] {
            let is_part = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
            let wrong = names.iter().enumerate().filter(|(_, name)| name.is_empty() || !name.bytes().all(is_part));
            errors.extend(wrong.map(|(position, name)| SettingsError {
                pointer: format!("/{field}/{position}"),
                message: format!("{name:?} is no name of SELinux: expected letters, digits and `_`"),
            }));
        }
        for position in levels.iter().enumerate().filter(|(_, level)| level.is_empty()).map(|(position, _)| position) {
            let message =
                "an empty level is none: expected one such as \"s0:c123,c456\", with `*` for any text".to_owned();
            errors.push(SettingsError { pointer: format!("/levels/{position}"), message });
        }
        let options = [("type", types), ("user", users), ("role", roles), ("level", levels)];
        let options = options.map(|(field, patterns)| Allowed { field, accepted: accepted(&patterns), patterns });
        if errors.is_empty() { Ok(Self { options }) } else { Err(errors) }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let found = "c.it.?seLinuxOptions";
        let mut parts = vec![];
        for Allowed { field, patterns, .. } in &self.options {
            let value = format!("{found}.?{field}.orValue('')");
            let is_wrong = format!("{value} != '' && !{}", twin::fits(&value, patterns));
            parts.push(twin::contexts(&is_wrong, &format!("seLinuxOptions.{field}"), &value));
        }
        let accepted: Vec<String> =
            self.options.iter().map(|Allowed { field, accepted, .. }| format!("{field}: {accepted}")).collect();
        let message = format!("these options of SELinux are not allowed; {}", accepted.join("; "));
        Ok(CelTwin::of(parts.join(" + "), message))
    }
}

impl Validate for Selinux {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let Some(pod) = subject.pod() else { return };
        pod.visit_security(|context| {
            let Some(found) = context.node.field("seLinuxOptions") else { return };
            let path = context.path.key("seLinuxOptions");
            for Allowed { field, patterns, accepted } in &self.options {
                let Some(value) = found.field(field).filter(|value| value.as_str() != Some("")) else { continue };
                let fits = |text: &str| patterns.iter().any(|pattern| glob::fits(pattern, text));
                if !value.as_str().is_some_and(fits) {
                    let message = match *field {
                        "type" => format!("type {} is not allowed; {accepted}", report.show("type", value)),
                        field => format!("this {field} is not allowed; {accepted}"),
                    };
                    report.finding(&path.key(field), value, message);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_names_that_are_none() {
        let types = vec!["container_t".to_owned(), "container-t".to_owned()];
        let settings = Settings { types, levels: vec![String::new()], ..Settings::default() };
        let expected =
            |pointer: &str, message: &str| SettingsError { pointer: pointer.to_owned(), message: message.to_owned() };
        assert_eq!(
            Selinux::new(settings).unwrap_err(),
            [
                expected("/types/1", "\"container-t\" is no name of SELinux: expected letters, digits and `_`"),
                expected(
                    "/levels/0",
                    "an empty level is none: expected one such as \"s0:c123,c456\", with `*` for any text"
                )
            ]
        );
    }
}
