//! Refuses versions of built-in APIs that are deprecated or gone.
//!
//! # What it checks
//! The version that whoever asks has written, before the API server converts anything, on CREATE and UPDATE. It is refused
//! where the Kubernetes release of the settings, or an earlier one, no longer serves it, and unless `deprecated` is false
//! also where it is deprecated. The message names the version to use instead, if there is one.
//!
//! What is deprecated since when stands in Kubernetes' own types; the table ends with v1.36. Custom resources and versions
//! that are not in it pass. An API server refuses versions that it has lost by itself: such manifests are found offline,
//! and before an upgrade, where they can still be mended.
//!
//! # Why
//! An upgrade takes versions away. A chart, a pipeline or an operator that still writes one stops working that day.
//!
//! # Settings
//! - `version`: the release to be ready for: `v1.37`, or `1.37`. By default v1.36, the newest known.
//! - `deprecated`: whether versions are refused that are deprecated and still served; true by default.
//! - `allowed`: versions that pass all the same, as a manifest names them: `policy/v1beta1`. By default none.
//! - `exemptUsers`: patterns of users who may use them. By default those that Kubernetes' own parts act as: they are
//!   upgraded with the cluster. A list of your own replaces the default.
//! - `exemptGroups`: patterns of groups whose members may.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: ready-for-1-25 }
//! spec:
//!   module: deprecated-apis
//!   settings:
//!     version: v1.25
//!     deprecated: false
//!   actions: [Warn]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::exempt::{self, Exempt};
use crate::json::{Node, Path};
use crate::kubernetes::kinds::Kinds;
use crate::kubernetes::lifecycle::{self, Lifecycle, Lifecycles};
use crate::review::{Operation, Subject};
use crate::rule::{Applies, Group, Module, Resources, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// What must not be used any more, and by whom it may.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// The Kubernetes release to be ready for: `v1.36`.
    version: Option<String>,
    /// Whether versions are refused that are deprecated and still served.
    deprecated: bool,
    /// Versions that pass all the same: `policy/v1beta1`.
    allowed: Vec<String>,
    /// Patterns of users who may use them.
    exempt_users: Vec<String>,
    /// Patterns of groups whose members may use them.
    exempt_groups: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            version: None,
            deprecated: true,
            allowed: vec![],
            exempt_users: exempt::control_plane(),
            exempt_groups: vec![],
        }
    }
}

/// See the page of `deprecated-apis`.
#[derive(Debug)]
pub struct DeprecatedApis {
    /// Kinds that are refused, and what is said of each.
    refused: Vec<(Lifecycle, String)>,
    exempt: Exempt,
}

impl Module for DeprecatedApis {
    const ID: &'static str = "deprecated-apis";
    const GROUP: Group = Group::Access;
    const APPLIES: Applies = Applies::To(&[Resources {
        groups: &["*"],
        resources: &["*"],
        operations: &[Operation::Create, Operation::Update],
    }]);
    const REPLACES: &'static [&'static str] =
        &["gatekeeper-library/verifydeprecatedapi", "kyverno/check-deprecated-apis"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("deprecated_apis.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors = vec![];
        let minor = settings.version.as_deref().map_or(Some(Lifecycles::NEWEST), minor);
        if minor.is_none() {
            let version = settings.version.as_deref().unwrap_or_default();
            errors.push(SettingsError {
                pointer: "/version".to_owned(),
                message: format!("{version:?} is no release of Kubernetes: expected one such as \"v1.36\""),
            });
        }
        let (lifecycles, kinds) = (Lifecycles::built_in(), Kinds::built_in());
        let rows = lifecycles.rows();
        for (position, allowed) in settings.allowed.iter().enumerate() {
            if !rows.iter().any(|row| row.api_version() == *allowed) {
                errors.push(SettingsError {
                    pointer: format!("/allowed/{position}"),
                    message: format!("{allowed:?} is not deprecated: expected a version such as \"policy/v1beta1\""),
                });
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let minor = minor.unwrap_or_default();
        let is_past = |release: Option<u16>| release.is_some_and(|release| release <= minor);
        let is_refused = |row: &&Lifecycle| {
            (is_past(row.removed) || (settings.deprecated && is_past(row.deprecated)))
                && !settings.allowed.contains(&row.api_version())
        };
        let refused = rows.iter().filter(is_refused).map(|row| {
            let replacement = lifecycles.replacement(row, &kinds);
            (*row, message(row, replacement))
        });
        let exempt = Exempt { users: settings.exempt_users, groups: settings.exempt_groups };
        Ok(Self { refused: refused.collect(), exempt })
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let refused: Vec<String> =
            self.refused.iter().map(|(row, _)| format!("{}/{}/{}", row.group, row.version, row.kind)).collect();
        let asked = "request.requestKind.group + '/' + request.requestKind.version + '/' + request.requestKind.kind";
        let is_wrong = format!(
            "request.operation in ['CREATE', 'UPDATE'] && {asked} in {} && !{}",
            twin::lists(&refused),
            self.exempt.in_cel()
        );
        let message = "this version of the kind is deprecated or removed; use a newer one";
        Ok(CelTwin::of(twin::one(&is_wrong, "apiVersion"), message).of_change())
    }
}

/// `36` of `v1.36` and `1.36`.
fn minor(version: &str) -> Option<u16> {
    let minor = version.strip_prefix('v').unwrap_or(version).strip_prefix("1.")?;
    let is_number = minor.bytes().all(|byte| byte.is_ascii_digit()) && (minor == "0" || !minor.starts_with('0'));
    if is_number { minor.parse().ok() } else { None }
}

fn message(row: &Lifecycle, replacement: Option<(&str, &str)>) -> String {
    let since = row.deprecated.map(|minor| format!("deprecated in v1.{minor}"));
    let gone = row.removed.map(|minor| format!("removed in v1.{minor}"));
    let ends = [since, gone].into_iter().flatten().collect::<Vec<_>>().join(" and ");
    let advice = match replacement {
        Some((group, version)) => format!("use {}", lifecycle::api_version(group, version)),
        None => "nothing takes its place".to_owned(),
    };
    format!("{} of {} is {ends}; {advice}", row.kind, row.api_version())
}

impl Validate for DeprecatedApis {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let (review, asked) = (subject.review, subject.review.request_kind);
        // The version is the request's, not the stored object's.
        if !matches!(review.operation, Operation::Create | Operation::Update) || subject.is_stored() {
            return;
        }
        let is_asked =
            |row: &Lifecycle| row.kind == asked.kind && row.version == asked.version && row.group == asked.group;
        let Some((_, message)) = self.refused.iter().find(|(row, _)| is_asked(row)) else { return };
        if !self.exempt.covers(&review.user) {
            let value = subject.object.get("apiVersion").unwrap_or(Node::NULL);
            report.finding(&Path::root("apiVersion"), value, message.as_str());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_releases() {
        assert_eq!((minor("v1.36"), minor("1.9"), minor("1.0")), (Some(36), Some(9), Some(0)));
        for text in ["", "v1", "v2.0", "1.36.3", "1.036", "1.", "v1.x", "latest"] {
            assert_eq!(minor(text), None, "{text}");
        }
    }

    #[test]
    fn rejects_settings_about_what_is_not_there() {
        let settings = Settings {
            version: Some("latest".into()),
            allowed: vec!["policy/v1beta1".into(), "apps/v1".into()],
            ..Settings::default()
        };
        let errors = DeprecatedApis::new(settings).unwrap_err();
        let errors: Vec<_> = errors.iter().map(|error| (error.pointer.as_str(), error.message.as_str())).collect();
        assert_eq!(
            errors,
            [
                ("/version", "\"latest\" is no release of Kubernetes: expected one such as \"v1.36\""),
                ("/allowed/1", "\"apps/v1\" is not deprecated: expected a version such as \"policy/v1beta1\""),
            ]
        );
    }
}
