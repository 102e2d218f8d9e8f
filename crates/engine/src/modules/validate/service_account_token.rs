//! Refuses pods that are given the token of their service account.
//!
//! # What it checks
//! `automountServiceAccountToken` of pods and of the templates of workloads. It must be false, unless the service account is
//! allowed. Absent or null leaves it to the ServiceAccount, where it mostly means true, and is refused as well: what a
//! ServiceAccount says can change after the pod was admitted.
//!
//! A token that a pod mounts by itself, as a `projected` volume with an audience and an end, was asked for and passes; so do
//! mirror pods, to which the API server gives none.
//!
//! # Why
//! Few programs talk to the API server. In all others the token waits for an intruder, who can do with it what the service
//! account may do.
//!
//! # Settings
//! - `allowed`: service accounts whose pods may have their token, as patterns of `NAMESPACE/NAME`:
//!   `monitoring/prometheus`, `*/operator-*`. By default none.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: no-service-account-tokens }
//! spec:
//!   module: service-account-token
//!   settings:
//!     allowed: [monitoring/prometheus, "argocd/*"]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use crate::matching::glob;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// Whose pods may have a token.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Patterns of service accounts: `NAMESPACE/NAME`.
    allowed: Vec<String>,
}

/// See the page of `service-account-token`.
#[derive(Debug)]
pub struct ServiceAccountToken {
    /// Patterns of namespaces, and of names.
    allowed: Vec<(String, String)>,
}

impl Module for ServiceAccountToken {
    const ID: &'static str = "service-account-token";
    const GROUP: Group = Group::PodHardening;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] =
        &["gatekeeper-library/automount-serviceaccount-token", "kyverno/restrict-automount-sa-token"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("service_account_token.rs");
    type Settings = Settings;

    fn new(Settings { allowed: texts }: Settings) -> Result<Self, Vec<SettingsError>> {
        let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.*?".contains(&byte);
        let is_pattern = |text: &str| !text.is_empty() && text.bytes().all(is_part);
        let (mut allowed, mut errors) = (vec![], vec![]);
        for (position, text) in texts.iter().enumerate() {
            let pointer = format!("/allowed/{position}");
            match text.split_once('/').filter(|(namespace, name)| is_pattern(namespace) && is_pattern(name)) {
                Some((namespace, name)) if is_any(namespace) && is_any(name) => {
                    let message = format!("{text:?} allows every service account: the policy refuses nothing");
                    errors.push(SettingsError { pointer, message });
                }
                Some((namespace, name)) => allowed.push((namespace.to_owned(), name.to_owned())),
                None => {
                    let message =
                        format!("{text:?} fits no service account: expected NAMESPACE/NAME, with `*` for any text");
                    errors.push(SettingsError { pointer, message });
                }
            }
        }
        if errors.is_empty() { Ok(Self { allowed }) } else { Err(errors) }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let automount = "#spec.?automountServiceAccountToken";
        let accounts: Vec<String> = self
            .allowed
            .iter()
            .map(|(namespace, name)| {
                format!("{} && {}", twin::fits(twin::NAMESPACE, &[namespace]), twin::fits("a", &[name]))
            })
            .collect();
        let accounts = if accounts.is_empty() { "false".to_owned() } else { accounts.join(" || ") };
        let named = "(#spec.?serviceAccountName.orValue('') != '' ? #spec.serviceAccountName \
                     : #spec.?serviceAccount.orValue('') != '' ? #spec.serviceAccount : 'default')";
        let is_mirror = "#object.kind == 'Pod' && \
                         #pod.?metadata.?annotations[?'kubernetes.io/config.mirror'].hasValue()";
        let is_wrong = format!(
            "!(#pod == {{}}) && {automount}.orValue(true) && !({is_mirror}) && ![{named}].exists(a, {accounts})"
        );
        let value = format!("({automount}.hasValue() ? 'true' : '')");
        let findings = twin::one_with(&is_wrong, "automountServiceAccountToken", &value);
        Ok(CelTwin::of(findings, "the pod is given the token of its service account: set it to false"))
    }
}

fn is_any(pattern: &str) -> bool {
    pattern.bytes().all(|byte| byte == b'*')
}

impl ServiceAccountToken {
    fn allows(&self, namespace: &str, name: &str) -> bool {
        self.allowed.iter().any(|(namespaces, names)| glob::fits(namespaces, namespace) && glob::fits(names, name))
    }
}

impl Validate for ServiceAccountToken {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let Some(pod) = subject.pod() else { return };
        let automount = pod.spec().get("automountServiceAccountToken").unwrap_or_default();
        let is_mirror =
            !pod.is_template() && pod.metadata().at(&["annotations", "kubernetes.io/config.mirror"]).is_some();
        if automount.as_bool() == Some(false)
            || is_mirror
            || self.allows(subject.review.namespace, pod.service_account())
        {
            return;
        }
        let message = if automount.is_null() {
            "the pod is given the token of its service account where nothing is said: set it to false"
        } else {
            "the pod is given the token of its service account: set it to false"
        };
        pod.with_spec_path(|spec| report.finding(&spec.key("automountServiceAccountToken"), automount, message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_patterns_that_fit_none_or_all() {
        let allowed = ["monitoring/*", "prometheus", "a/b/c", "Shop/web", "*/*", "/web"].map(str::to_owned).to_vec();
        let errors = ServiceAccountToken::new(Settings { allowed }).unwrap_err();
        let misspelt = |position: usize, text: &str| SettingsError {
            pointer: format!("/allowed/{position}"),
            message: format!("{text:?} fits no service account: expected NAMESPACE/NAME, with `*` for any text"),
        };
        let all = SettingsError {
            pointer: "/allowed/4".to_owned(),
            message: "\"*/*\" allows every service account: the policy refuses nothing".to_owned(),
        };
        assert_eq!(
            errors,
            [misspelt(1, "prometheus"), misspelt(2, "a/b/c"), misspelt(3, "Shop/web"), all, misspelt(5, "/web")]
        );
    }
}
