//! Refuses environment variables that are read from Secrets.
//!
//! # What it checks
//! `env[*].valueFrom.secretKeyRef` and `envFrom[*].secretRef` of init, regular and ephemeral containers, in pods and in the
//! templates of workloads. Secrets that are mounted as volumes pass. A value that is written into the pod itself
//! (`env[*].value`) is not looked at.
//!
//! # Why
//! The environment is handed down to every child process, shows in crash dumps and debug pages, and is logged by many
//! programs when they start. A mounted Secret is read by who opens the file, and follows when it is rotated.
//!
//! # Settings
//! - `allowed`: Secrets that may be read into the environment, as patterns of their names: `legacy-*`. By default none.
//! - `exemptImages`: containers that are let pass, by what their images begin with, in the notation of
//!   `allowed-registries`: `docker.io/library/postgres`. By default none.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: no-secrets-in-env }
//! spec:
//!   module: secrets-in-env
//!   settings:
//!     exemptImages: [docker.io/library/postgres]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::exempt_images::ExemptImages;
use crate::json::{Node, Path};
use crate::matching::glob;
use crate::modules::patterns;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// What may be read into the environment.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Patterns of the names of Secrets.
    allowed: Vec<String>,
    /// What the images of containers begin with that are let pass.
    exempt_images: Vec<String>,
}

/// See the page of `secrets-in-env`.
#[derive(Debug)]
pub struct SecretsInEnv {
    allowed: Vec<String>,
    exempt: ExemptImages,
}

impl Module for SecretsInEnv {
    const ID: &'static str = "secrets-in-env";
    const GROUP: Group = Group::PodHardening;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &["kyverno/disallow-secrets-from-env-vars"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("secrets_in_env.rs");
    type Settings = Settings;

    fn new(Settings { allowed, exempt_images }: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors: Vec<SettingsError> = patterns::of_secrets("/allowed", &allowed, true).collect();
        for (position, text) in allowed.iter().enumerate() {
            if !text.is_empty() && text.bytes().all(|byte| byte == b'*') {
                let message = format!("{text:?} allows every Secret: the policy refuses nothing");
                errors.push(SettingsError { pointer: format!("/allowed/{position}"), message });
            }
        }
        let exempt = ExemptImages::new(&exempt_images).map_err(|more| errors.extend(more)).unwrap_or_default();
        if errors.is_empty() { Ok(Self { allowed, exempt }) } else { Err(errors) }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let allowed = twin::fits("r.?name.orValue('')", &self.allowed);
        let shown = "r.?name.orValue('') + ' ' + r.?key.orValue('') + (r.?optional.orValue(false) ? ' optional' : '')";
        let of_variables = format!(
            "c.it.?env.orValue([]).filter(e, e.?valueFrom.?secretKeyRef.hasValue() && \
             ![e.valueFrom.secretKeyRef].exists(r, {allowed})).map(e, [e.valueFrom.secretKeyRef].map(r, \
             c.at + '.env[' + e.name + '].valueFrom.secretKeyRef\\n' + {shown})[0])"
        );
        let of_sources = format!(
            "c.it.?envFrom.orValue([]).transformList(i, e, e.?secretRef.hasValue() && \
             ![e.secretRef].exists(r, {allowed}), [e.secretRef].map(r, \
             c.at + '.envFrom[' + string(i) + '].secretRef\\n' + {shown})[0])"
        );
        let judged = format!("#containers.filter(c, true{})", self.exempt.and_not("c.it"));
        let findings = twin::nested(&judged, "c", &format!("{of_variables} + {of_sources}"));
        Ok(CelTwin::of(findings, "a Secret is read into the environment: mount it as a volume"))
    }
}

impl SecretsInEnv {
    fn judge(&self, path: &Path<'_>, reference: Node<'_>, report: &mut Report<'_>) {
        let fits = |name: &str| self.allowed.iter().any(|pattern| glob::fits(pattern, name));
        if !reference.str("name").is_some_and(fits) {
            let message = "a Secret is read into the environment: mount it as a volume";
            report.finding(path, reference, message);
        }
    }
}

impl Validate for SecretsInEnv {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let Some(pod) = subject.pod() else { return };
        self.exempt.visit_containers(&pod, |container| {
            let list = container.path.key("env");
            for (index, variable) in container.node.items_of("env").iter().enumerate() {
                if let Some(reference) = variable.at(&["valueFrom", "secretKeyRef"]) {
                    let variable = list.item(index, "name", *variable);
                    self.judge(&variable.key("valueFrom").key("secretKeyRef"), reference, report);
                }
            }
            let list = container.path.key("envFrom");
            for (index, source) in container.node.items_of("envFrom").iter().enumerate() {
                if let Some(reference) = source.field("secretRef") {
                    self.judge(&list.index(index).key("secretRef"), reference, report);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_patterns_that_fit_none_or_all() {
        let allowed = ["legacy-*", "Legacy", "*"].map(str::to_owned).to_vec();
        let errors = SecretsInEnv::new(Settings { allowed, exempt_images: vec!["nginx".into()] }).unwrap_err();
        let expected = [
            (
                "/allowed/1",
                "\"Legacy\" fits no Secret: expected lower-case letters, digits, `-` and `.`, with `*` for any text",
            ),
            ("/allowed/2", "\"*\" allows every Secret: the policy refuses nothing"),
            (
                "/exemptImages/0",
                "\"nginx\" names no registry: expected a host and perhaps a path, `docker.io/library/nginx` or `ghcr.io/acme`",
            ),
        ];
        let found: Vec<(&str, &str)> =
            errors.iter().map(|error| (error.pointer.as_str(), error.message.as_str())).collect();
        assert_eq!(found, expected);
    }
}
