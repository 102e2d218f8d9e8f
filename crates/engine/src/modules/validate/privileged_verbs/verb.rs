//! Verbs that RBAC and the certificate API give a meaning of its own.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::json::{List, Node};

/// A verb with a meaning of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Verb {
    /// Roles with more rights than one has may be written.
    Escalate,
    /// Roles with more rights than one has may be given.
    Bind,
    /// Requests may be sent in somebody else's name.
    Impersonate,
    /// Requests for certificates of a signer may be approved.
    Approve,
    /// Certificates of a signer may be issued.
    Sign,
    /// Trust bundles of a signer may be published.
    Attest,
}

impl Verb {
    /// As rules spell it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Escalate => "escalate",
            Self::Bind => "bind",
            Self::Impersonate => "impersonate",
            Self::Approve => "approve",
            Self::Sign => "sign",
            Self::Attest => "attest",
        }
    }

    /// Groups and resources that it has a meaning for.
    const fn targets(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Escalate | Self::Bind => {
                &[("rbac.authorization.k8s.io", "roles"), ("rbac.authorization.k8s.io", "clusterroles")]
            }
            Self::Impersonate => &[
                ("", "users"),
                ("", "groups"),
                ("", "serviceaccounts"),
                ("authentication.k8s.io", "users"),
                ("authentication.k8s.io", "groups"),
                ("authentication.k8s.io", "serviceaccounts"),
                ("authentication.k8s.io", "userextras"),
                ("authentication.k8s.io", "uids"),
                ("authentication.k8s.io", "nodes"),
            ],
            Self::Approve | Self::Sign | Self::Attest => &[("certificates.k8s.io", "signers")],
        }
    }

    /// Whether a verb of a rule takes this one in.
    pub(super) fn is_in(self, text: &str) -> bool {
        text == "*" || text == self.as_str() || (self == Self::Impersonate && text.starts_with("impersonate:"))
    }

    /// Whether the rule `r` with the verb `x` gives it, in CEL; `named`: unless it names objects, where that counts.
    pub(super) fn in_cel(self, named: bool) -> String {
        let impersonates = if self == Self::Impersonate { " || x.startsWith('impersonate:')" } else { "" };
        let is_let = named && matches!(self, Self::Bind | Self::Impersonate);
        let unnamed = if is_let { " && r.?resourceNames.orValue([]).size() == 0" } else { "" };
        let target = |(group, resource): &(&str, &str)| {
            let parts =
                if *resource == "userextras" { " || z.startsWith('userextras/') || z.startsWith('*/')" } else { "" };
            format!(
                "r.?apiGroups.orValue([]).exists(g, g in ['*', '{group}']) && \
                 r.?resources.orValue([]).exists(z, z in ['*', '{resource}']{parts})"
            )
        };
        let targets: Vec<String> = self.targets().iter().map(target).collect();
        format!("(x in ['*', '{}']{impersonates}){unnamed} && ({})", self.as_str(), targets.join(" || "))
    }

    /// Whether it has a meaning for something that the rule is about.
    pub(super) fn concerns(self, rule: Node<'_>) -> bool {
        self.targets().iter().any(|target| is_about(rule, *target))
    }
}

fn has(list: List<'_>, is_it: impl Fn(&str) -> bool) -> bool {
    list.iter().any(|item| item.as_str().is_some_and(&is_it))
}

/// Whether the rule is about this resource. Of `userextras` it is a subresource that is asked for: `userextras/scopes`.
fn is_about(rule: Node<'_>, (group, resource): (&str, &str)) -> bool {
    let is_part = |text: &str| {
        let whole = text.split_once('/').map(|(whole, _)| whole);
        resource == "userextras" && matches!(whole, Some("userextras" | "*"))
    };
    let is_resource = |text: &str| text == "*" || text == resource || is_part(text);
    has(rule.items_of("apiGroups"), |text| text == "*" || text == group) && has(rule.items_of("resources"), is_resource)
}
