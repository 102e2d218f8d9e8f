//! Adds tolerations to pods that lack them.
//!
//! # What it does
//! Adds each toleration that the pod does not have. One with the same key, operator, value and effect counts as the same,
//! whatever its `tolerationSeconds`; so what the API server gives every pod for nodes that are not ready or unreachable
//! stays as it is. An operator that is absent is `Equal`.
//!
//! Pods are changed when they are created, never mirror pods. Which ones is said by the policy's `namespaces` and by the
//! selectors of its `matchConstraints`.
//!
//! # Why
//! Nodes with a taint belong to some teams or some kinds of work. The platform knows which namespaces those are; nobody has
//! to write it into every manifest, and nobody else can.
//!
//! # Settings
//! - `tolerations`: the tolerations, as a pod's specification writes them; at least one.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: batch-nodes }
//! spec:
//!   module: add-tolerations
//!   settings:
//!     tolerations:
//!       - { key: example.com/pool, operator: Equal, value: batch, effect: NoSchedule }
//!   namespaces: { include: ["batch-*"] }
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::open;
use crate::json::{Arena, Node, edit};
use crate::kubernetes::names::{is_label_key, is_label_value};
use crate::kubernetes::pod::Changeable;
use crate::modules::problem::problem;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, Mutate, PathPattern, SettingsError};
use crate::verdict::{PolicyError, Report};

/// What pods tolerate.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// The tolerations.
    tolerations: Vec<Toleration>,
}

/// A toleration, as a pod's specification writes it (core/v1 Toleration).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Toleration {
    /// The taint's key; all taints if it is empty.
    key: String,
    /// How the taint's value is compared.
    operator: Operator,
    /// The taint's value.
    value: String,
    /// The taint's effect; all effects if it is absent.
    effect: Option<Effect>,
    /// How long a pod stays on a node that gets the taint.
    #[serde(rename = "tolerationSeconds")]
    seconds: Option<i64>,
}

/// How a toleration compares values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
enum Operator {
    /// The values must be equal.
    #[default]
    Equal,
    /// Any value will do.
    Exists,
}

/// What a taint does (core/v1 TaintEffect).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
enum Effect {
    /// No pod is put there.
    NoSchedule,
    /// Pods are put elsewhere if that can be.
    PreferNoSchedule,
    /// Pods that are there must go.
    NoExecute,
}

impl Effect {
    const fn as_str(self) -> &'static str {
        match self {
            Self::NoSchedule => "NoSchedule",
            Self::PreferNoSchedule => "PreferNoSchedule",
            Self::NoExecute => "NoExecute",
        }
    }
}

impl Toleration {
    /// What the API server would refuse it for; None for nothing.
    fn problem(&self) -> Option<(&'static str, String)> {
        let Self { key, operator, value, effect, seconds } = self;
        let is_exists = *operator == Operator::Exists;
        if key.is_empty() && !is_exists {
            return Some(("key", "without a key the operator must be Exists, which tolerates every taint".to_owned()));
        }
        if !key.is_empty() && !is_label_key(key) {
            return Some((
                "key",
                format!("{key:?} can be no key of a taint: expected one such as \"example.com/pool\""),
            ));
        }
        if is_exists && !value.is_empty() {
            return Some(("value", "the operator Exists compares no value: leave it out, or use Equal".to_owned()));
        }
        if !is_label_value(value) {
            return Some(("value", format!("{value:?} can be no value of a taint")));
        }
        let lasts = seconds.is_some() && *effect != Some(Effect::NoExecute);
        lasts.then(|| {
            ("tolerationSeconds", "only the effect NoExecute has a time: set it, or leave this out".to_owned())
        })
    }

    /// Whether a pod's toleration is this one, apart from its time. What the pod leaves out has the API server's meaning.
    fn is(&self, node: Node<'_>) -> bool {
        let text = |key| node.field(key).map_or(Some(""), Node::as_str);
        let operator = match text("operator") {
            Some("" | "Equal") => Operator::Equal,
            Some("Exists") => Operator::Exists,
            _ => return false,
        };
        let effect = self.effect.map_or("", Effect::as_str);
        let is_text = |key, expected: &str| text(key) == Some(expected);
        operator == self.operator
            && is_text("key", &self.key)
            && is_text("value", &self.value)
            && is_text("effect", effect)
    }

    fn build<'a>(&'a self, arena: &'a Arena) -> Node<'a> {
        let operator = if self.operator == Operator::Exists { "Exists" } else { "Equal" };
        let texts = [
            ("key", self.key.as_str()),
            ("operator", operator),
            ("value", self.value.as_str()),
            ("effect", self.effect.map_or("", Effect::as_str)),
        ];
        let texts = texts.into_iter().filter(|(_, text)| !text.is_empty()).map(|(key, text)| (key, Node::string(text)));
        let seconds = self.seconds.map(|seconds| ("tolerationSeconds", Node::int(seconds)));
        arena.map(&texts.chain(seconds).collect::<Vec<_>>())
    }
}

/// See the page of `add-tolerations`.
#[derive(Debug)]
pub struct AddTolerations(Vec<Toleration>);

impl Module for AddTolerations {
    const ID: &'static str = "add-tolerations";
    const GROUP: Group = Group::Reliability;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &["kyverno/add-tolerations"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("add_tolerations.rs");
    type Settings = Settings;

    fn new(Settings { tolerations }: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors = vec![];
        if tolerations.is_empty() {
            let message =
                "there is nothing to add: name at least one, such as {key: example.com/pool, operator: Exists}";
            errors.push(problem("/tolerations", message));
        }
        for (position, toleration) in tolerations.iter().enumerate() {
            if let Some((field, message)) = toleration.problem() {
                errors.push(problem(format!("/tolerations/{position}/{field}"), message));
            }
            let is_same = |other: &Toleration| {
                Toleration { seconds: None, ..other.clone() } == Toleration { seconds: None, ..toleration.clone() }
            };
            if tolerations.iter().take(position).any(is_same) {
                errors.push(problem(format!("/tolerations/{position}"), "it is there already: leave one of them out"));
            }
        }
        if errors.is_empty() { Ok(Self(tolerations)) } else { Err(errors) }
    }

    fn writes(&self) -> Vec<PathPattern> {
        vec![PathPattern("spec.tolerations[*]".to_owned())]
    }
}

impl Mutate for AddTolerations {
    fn mutate<'a>(&'a self, subject: Subject<'_, 'a>, _: &mut Report<'_>) -> Result<Node<'a>, PolicyError> {
        let Some((pod, Changeable::All)) = open::pod(&subject) else { return Ok(subject.object) };
        let arena = subject.arena();
        let root = pod.edit_spec(arena, |spec| {
            let present = spec.items_of("tolerations");
            let missing = self.0.iter().filter(|toleration| !present.iter().any(|node| toleration.is(*node)));
            missing
                .into_iter()
                .try_fold(spec, |spec, toleration| edit::append(arena, spec, &["tolerations"], toleration.build(arena)))
        })?;
        Ok(root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_tolerations_that_the_api_server_would_refuse() {
        let errors = |tolerations| {
            let settings = serde_json::json!({"tolerations": tolerations});
            AddTolerations::new(serde_json::from_value(settings).unwrap()).unwrap_err()
        };
        assert_eq!(
            errors(serde_json::json!([
                {}, {"key": "a b"}, {"key": "a", "operator": "Exists", "value": "b"}, {"key": "a", "value": "b c"},
                {"key": "a", "tolerationSeconds": 5}, {"key": "a", "effect": "NoExecute"},
                {"key": "a", "operator": "Equal", "effect": "NoExecute", "tolerationSeconds": 5}
            ])),
            [
                problem("/tolerations/0/key", "without a key the operator must be Exists, which tolerates every taint"),
                problem(
                    "/tolerations/1/key",
                    "\"a b\" can be no key of a taint: expected one such as \"example.com/pool\""
                ),
                problem("/tolerations/2/value", "the operator Exists compares no value: leave it out, or use Equal"),
                problem("/tolerations/3/value", "\"b c\" can be no value of a taint"),
                problem(
                    "/tolerations/4/tolerationSeconds",
                    "only the effect NoExecute has a time: set it, or leave this out"
                ),
                problem("/tolerations/6", "it is there already: leave one of them out"),
            ]
        );
        let message = "there is nothing to add: name at least one, such as {key: example.com/pool, operator: Exists}";
        assert_eq!(errors(serde_json::json!([])), [problem("/tolerations", message)]);
    }
}
