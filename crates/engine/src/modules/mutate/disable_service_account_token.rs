//! Keeps the tokens of service accounts out of pods that do not ask for them.
//!
//! # What it does
//! Sets `automountServiceAccountToken: false` in a ServiceAccount that is created and does not say what it wants. Pods that
//! need the token ask for it with `automountServiceAccountToken: true` of their own, which goes before the ServiceAccount's.
//!
//! Templates can be named in `matchConstraints`: there it sets the field in the pod's specification, but for templates that
//! belong to another object, as a ReplicaSet's to its Deployment. Pods themselves are never changed: the API server mounts
//! the token before it asks a webhook, so that the field would come too late. ServiceAccounts that are there already are
//! not changed either, unless `matchConstraints` names UPDATE.
//!
//! # Why
//! Few programs talk to the API server. In all others the token waits for an intruder, who can do with it what the service
//! account may do.
//!
//! # Settings
//! - `names`: service accounts that are meant, as patterns of their names: `default`, `web-*`. By default all, `"*"`.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: no-tokens-by-default }
//! spec:
//!   module: disable-service-account-token
//!   settings:
//!     names: [default]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::open;
use crate::json::{Node, edit};
use crate::kubernetes::pod::{Changeable, Pod};
use crate::matching::glob;
use crate::review::{Operation, Subject};
use crate::rule::{Applies, Group, Module, Mutate, PathPattern, Resources, SettingsError};
use crate::verdict::{PolicyError, Report};

/// Whose tokens are kept back.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Patterns of the names of service accounts.
    names: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { names: vec!["*".to_owned()] }
    }
}

/// See the page of `disable-service-account-token`.
#[derive(Debug)]
pub struct DisableServiceAccountToken {
    names: Vec<String>,
}

const FIELD: &str = "automountServiceAccountToken";

impl Module for DisableServiceAccountToken {
    const ID: &'static str = "disable-service-account-token";
    const GROUP: Group = Group::PodHardening;
    const APPLIES: Applies =
        Applies::To(&[Resources { groups: &[""], resources: &["serviceaccounts"], operations: &[Operation::Create] }]);
    const REPLACES: &'static [&'static str] = &["kyverno/disable-automountserviceaccounttoken"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("disable_service_account_token.rs");
    type Settings = Settings;

    fn new(Settings { names }: Settings) -> Result<Self, Vec<SettingsError>> {
        let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.*?".contains(&byte);
        let is_pattern = |name: &str| !name.is_empty() && name.bytes().all(is_part);
        let wrong = names.iter().enumerate().filter(|(_, name)| !is_pattern(name));
        let mut errors: Vec<SettingsError> = wrong
            .map(|(position, name)| SettingsError {
                pointer: format!("/names/{position}"),
                message: format!(
                    "{name:?} fits no service account: expected lower-case letters, digits, `-` and `.`, with `*` for any text"
                ),
            })
            .collect();
        if names.is_empty() {
            let message = "no service account is meant: name at least one, or \"*\" for all".to_owned();
            errors.push(SettingsError { pointer: "/names".to_owned(), message });
        }
        if errors.is_empty() { Ok(Self { names }) } else { Err(errors) }
    }

    fn writes(&self) -> Vec<PathPattern> {
        vec![PathPattern(FIELD.to_owned()), PathPattern(format!("spec.template.spec.{FIELD}"))]
    }
}

impl DisableServiceAccountToken {
    fn means(&self, name: &str) -> bool {
        self.names.iter().any(|pattern| glob::fits(pattern, name))
    }

    fn means_pod(&self, pod: &Pod<'_>) -> bool {
        pod.is_template() && self.means(pod.service_account())
    }
}

impl Mutate for DisableServiceAccountToken {
    fn mutate<'a>(&self, subject: Subject<'_, 'a>, _: &mut Report<'_>) -> Result<Node<'a>, PolicyError> {
        let (arena, kind, object) = (subject.arena(), subject.review.kind, subject.object);
        if let Some((pod, Changeable::All)) = open::pod(&subject).filter(|(pod, _)| self.means_pod(pod)) {
            return Ok(pod.edit_spec(arena, |spec| edit::set_default(arena, spec, &[FIELD], Node::bool(false)))?);
        }
        let is_account = kind.group.is_empty() && kind.kind == "ServiceAccount" && open::is_open(&subject);
        let name = object.field("metadata").and_then(|metadata| metadata.str("name")).unwrap_or_default();
        if is_account && self.means(name) {
            return Ok(edit::set_default(arena, object, &[FIELD], Node::bool(false))?);
        }
        Ok(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_names_that_fit_no_service_account() {
        let errors = |names: &[&str]| {
            let names = names.iter().map(ToString::to_string).collect();
            let errors = DisableServiceAccountToken::new(Settings { names }).unwrap_err();
            errors.into_iter().map(|error| (error.pointer, error.message)).collect::<Vec<_>>()
        };
        let nobody = "no service account is meant: name at least one, or \"*\" for all".to_owned();
        assert_eq!(errors(&[]), [("/names".to_owned(), nobody)]);
        let misspelt = "\"Web\" fits no service account: expected lower-case letters, digits, `-` and `.`, with `*` for any \
                        text";
        assert_eq!(errors(&["web", "Web"]), [("/names/1".to_owned(), misspelt.to_owned())]);
    }
}
