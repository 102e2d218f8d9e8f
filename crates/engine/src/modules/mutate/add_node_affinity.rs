//! Adds demands and wishes on nodes to the node affinity of pods.
//!
//! # What it does
//! `required`: each expression is added to every term of
//! `nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution` that does not have an equal one. Of the terms a node must
//! meet one, so all of them get it; where there is none, one is made. A term without any expression matches no node and
//! stays as it is.
//!
//! `preferred`: each is added to `preferredDuringSchedulingIgnoredDuringExecution` unless there is an equal one.
//!
//! Pods are changed when they are created, never mirror pods. A pod that names its node, and the pod of a DaemonSet, are left
//! alone: their nodes are settled. Give such workloads their affinity in the template.
//!
//! # Why
//! A node selector can only say `key: value`. Affinity says "one of these zones", "not on spot machines", or "rather there".
//!
//! # Settings
//! - `required`: expressions, each with `key`, `operator` (`In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt` or `Lt`) and
//!   `values`, about labels of nodes.
//! - `preferred`: each with a `weight` from 1 to 100 and `matchExpressions`.
//!
//! At least one of the two.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: no-spot-machines }
//! spec:
//!   module: add-node-affinity
//!   settings:
//!     required:
//!       - { key: example.com/capacity, operator: NotIn, values: [spot] }
//!     preferred:
//!       - weight: 50
//!         matchExpressions:
//!           - { key: topology.kubernetes.io/zone, operator: In, values: [eu-1a] }
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::open;
use super::placed::is_placed;
use crate::json::edit::{self, Edited};
use crate::json::{Arena, Node};
use crate::kubernetes::names::{is_label_key, is_label_value};
use crate::kubernetes::pod::Changeable;
use crate::modules::problem::problem;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, Mutate, PathPattern, SettingsError};
use crate::verdict::{PolicyError, Report};

/// What is asked of nodes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// What a node must meet.
    required: Vec<Expression>,
    /// What it should.
    preferred: Vec<Preference>,
}

/// A wish, with its weight.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Preference {
    /// How much it counts, from 1 to 100.
    weight: i64,
    /// What is wished for; all of it.
    match_expressions: Vec<Expression>,
}

/// A condition on a label of a node (core/v1 NodeSelectorRequirement).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Expression {
    /// The label's key.
    key: String,
    /// How its value is compared.
    operator: Operator,
    /// What it is compared with.
    #[serde(default)]
    values: Vec<String>,
}

/// How the value of a node's label is compared (core/v1 NodeSelectorOperator).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
enum Operator {
    /// It is one of them.
    In,
    /// It is none of them, or absent.
    NotIn,
    /// It is there.
    Exists,
    /// It is absent.
    DoesNotExist,
    /// It is a higher number.
    Gt,
    /// It is a lower number.
    Lt,
}

impl Operator {
    const fn as_str(self) -> &'static str {
        match self {
            Self::In => "In",
            Self::NotIn => "NotIn",
            Self::Exists => "Exists",
            Self::DoesNotExist => "DoesNotExist",
            Self::Gt => "Gt",
            Self::Lt => "Lt",
        }
    }
}

impl Expression {
    /// What the API server would refuse it for.
    fn check(&self, pointer: &str, errors: &mut Vec<SettingsError>) {
        let Self { key, operator, values } = self;
        if !is_label_key(key) {
            let message = format!("{key:?} can be no label of a node: expected one such as \"example.com/pool\"");
            errors.push(problem(format!("{pointer}/key"), message));
        }
        let is_number = || values.iter().all(|value| value.parse::<i64>().is_ok());
        let message = match operator {
            Operator::In | Operator::NotIn if values.is_empty() => "expected at least one value",
            Operator::In | Operator::NotIn if !values.iter().all(|value| is_label_value(value)) => {
                "expected values that a label can have"
            }
            Operator::Exists | Operator::DoesNotExist if !values.is_empty() => "expected no values",
            Operator::Gt | Operator::Lt if values.len() != 1 || !is_number() => "expected one whole number, in quotes",
            _ => return,
        };
        errors.push(problem(format!("{pointer}/values"), format!("{message} for {}", operator.as_str())));
    }

    fn build<'a>(&'a self, arena: &'a Arena) -> Node<'a> {
        let values = arena.list_of(self.values.iter().map(|value| Node::string(value)));
        let operator = Node::string(self.operator.as_str());
        let entries = [("key", Node::string(&self.key)), ("operator", operator), ("values", values)];
        arena.map_of(entries.into_iter().take(if self.values.is_empty() { 2 } else { 3 }))
    }
}

/// See the page of `add-node-affinity`.
#[derive(Debug)]
pub struct AddNodeAffinity(Settings);

const REQUIRED: [&str; 4] =
    ["affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"];
const PREFERRED: [&str; 3] = ["affinity", "nodeAffinity", "preferredDuringSchedulingIgnoredDuringExecution"];

impl Module for AddNodeAffinity {
    const ID: &'static str = "add-node-affinity";
    const GROUP: Group = Group::Reliability;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &["kyverno/add-node-affinity"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("add_node_affinity.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors = vec![];
        if settings.required.is_empty() && settings.preferred.is_empty() {
            errors.push(problem("", "there is nothing to add: name required, preferred or both"));
        }
        for (position, expression) in settings.required.iter().enumerate() {
            expression.check(&format!("/required/{position}"), &mut errors);
        }
        for (position, preference) in settings.preferred.iter().enumerate() {
            let pointer = format!("/preferred/{position}");
            if !(1..=100).contains(&preference.weight) {
                let message = format!("{} is out of range: expected 1 to 100", preference.weight);
                errors.push(problem(format!("{pointer}/weight"), message));
            }
            if preference.match_expressions.is_empty() {
                errors.push(problem(format!("{pointer}/matchExpressions"), "nothing is wished for: name at least one"));
            }
            for (place, expression) in preference.match_expressions.iter().enumerate() {
                expression.check(&format!("{pointer}/matchExpressions/{place}"), &mut errors);
            }
        }
        if errors.is_empty() { Ok(Self(settings)) } else { Err(errors) }
    }

    fn writes(&self) -> Vec<PathPattern> {
        let required =
            (!self.0.required.is_empty()).then(|| format!("spec.{}[*].matchExpressions", REQUIRED.join(".")));
        let preferred = (!self.0.preferred.is_empty()).then(|| format!("spec.{}[*]", PREFERRED.join(".")));
        required.into_iter().chain(preferred).map(PathPattern).collect()
    }
}

/// The list under `field` with those of `items` that it lacks, at its end.
fn add_missing<'a>(arena: &'a Arena, holder: Node<'a>, path: &[&str], items: Node<'a>) -> Edited<'a> {
    let present = holder.at(path).map_or(&[][..], Node::items);
    let missing = items.items().iter().filter(|item| !present.contains(item));
    missing.into_iter().try_fold(holder, |holder, item| edit::append(arena, holder, path, *item))
}

impl AddNodeAffinity {
    fn require<'a>(&'a self, arena: &'a Arena, spec: Node<'a>) -> Edited<'a> {
        if self.0.required.is_empty() {
            return Ok(spec);
        }
        let expressions = arena.list_of(self.0.required.iter().map(|expression| expression.build(arena)));
        if spec.at(&REQUIRED).is_none_or(|terms| terms.as_list().is_some_and(<[_]>::is_empty)) {
            let term = arena.map(&[("matchExpressions", expressions)]);
            return edit::append(arena, spec, &REQUIRED, term);
        }
        let says = |term: Node<'_>, field| !term.items_of(field).is_empty();
        edit::update(arena, spec, &REQUIRED, |terms| {
            edit::map_items(arena, terms, |_, term| match term {
                term if says(term, "matchExpressions") || says(term, "matchFields") => {
                    add_missing(arena, term, &["matchExpressions"], expressions)
                }
                term => Ok(term),
            })
        })
    }

    fn prefer<'a>(&'a self, arena: &'a Arena, spec: Node<'a>) -> Edited<'a> {
        let build = |preference: &'a Preference| {
            let expressions = arena.list_of(preference.match_expressions.iter().map(|it| it.build(arena)));
            let term = arena.map(&[("matchExpressions", expressions)]);
            arena.map(&[("weight", Node::int(preference.weight)), ("preference", term)])
        };
        add_missing(arena, spec, &PREFERRED, arena.list_of(self.0.preferred.iter().map(build)))
    }
}

impl Mutate for AddNodeAffinity {
    fn mutate<'a>(&'a self, subject: Subject<'_, 'a>, _: &mut Report<'_>) -> Result<Node<'a>, PolicyError> {
        let Some((pod, Changeable::All)) = open::pod(&subject).filter(|(pod, _)| !is_placed(pod)) else {
            return Ok(subject.object);
        };
        let arena = subject.arena();
        let root = pod.edit_spec(arena, |spec| self.require(arena, spec).and_then(|spec| self.prefer(arena, spec)))?;
        Ok(root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_what_the_api_server_would_refuse() {
        let errors = |settings| AddNodeAffinity::new(serde_json::from_value(settings).unwrap()).unwrap_err();
        let message = "there is nothing to add: name required, preferred or both";
        assert_eq!(errors(serde_json::json!({})), [problem("", message)]);
        assert_eq!(
            errors(serde_json::json!({
                "required": [
                    {"key": "a b", "operator": "Exists"}, {"key": "a", "operator": "In"},
                    {"key": "a", "operator": "NotIn", "values": ["b c"]},
                    {"key": "a", "operator": "DoesNotExist", "values": ["b"]},
                    {"key": "a", "operator": "Gt", "values": ["x"]}, {"key": "a", "operator": "Lt", "values": ["7"]}
                ],
                "preferred": [{"weight": 0}]
            })),
            [
                problem(
                    "/required/0/key",
                    "\"a b\" can be no label of a node: expected one such as \"example.com/pool\""
                ),
                problem("/required/1/values", "expected at least one value for In"),
                problem("/required/2/values", "expected values that a label can have for NotIn"),
                problem("/required/3/values", "expected no values for DoesNotExist"),
                problem("/required/4/values", "expected one whole number, in quotes for Gt"),
                problem("/preferred/0/weight", "0 is out of range: expected 1 to 100"),
                problem("/preferred/0/matchExpressions", "nothing is wished for: name at least one"),
            ]
        );
    }
}
