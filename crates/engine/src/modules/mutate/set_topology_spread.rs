//! Spreads the pods of a workload over nodes or zones.
//!
//! # What it does
//! Adds each of `constraints` to `topologySpreadConstraints` of pods that have none with the same `topologyKey` and
//! `whenUnsatisfiable`. A pod is spread among the pods that have the same values as it of the labels under `byLabels`; a pod
//! that lacks one of them is left alone, for it could only be spread among strangers.
//!
//! Pods are changed when they are created, never mirror pods. A pod that names its node, and the pod of a DaemonSet, are left
//! alone too: their nodes are settled.
//!
//! # Why
//! Three replicas on one node go down with it. The scheduler can spread by default, but not by the platform's zones, and its
//! configuration is out of reach in managed clusters.
//!
//! # Settings
//! - `constraints`: each with a `topologyKey`, `maxSkew` (1 by default) and `whenUnsatisfiable`: `ScheduleAnyway` (the
//!   default), or `DoNotSchedule`, with which pods wait where there are too few nodes. At least one.
//! - `byLabels`: keys of labels of the pods; by default `app.kubernetes.io/name` and `app.kubernetes.io/instance`.
//! - `perRevision`: whether the pods of each revision of a Deployment are spread by themselves (`matchLabelKeys` with
//!   `pod-template-hash`, Kubernetes 1.27 or later); true by default. Without it a rollout counts the old pods too, and the
//!   new ones end up uneven when those are gone.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: spread-over-zones }
//! spec:
//!   module: set-topology-spread
//!   settings:
//!     constraints:
//!       - { topologyKey: topology.kubernetes.io/zone }
//!       - { topologyKey: kubernetes.io/hostname }
//!     byLabels: [app.kubernetes.io/name]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::open;
use super::placed::is_placed;
use crate::json::{Arena, Entry, Node, edit};
use crate::kubernetes::names::is_label_key;
use crate::kubernetes::pod::Changeable;
use crate::modules::problem::problem;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, Mutate, PathPattern, SettingsError};
use crate::verdict::{PolicyError, Report};

/// How pods are spread.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// What is added.
    constraints: Vec<Constraint>,
    /// Labels whose values tell which pods belong together.
    by_labels: Vec<String>,
    /// Whether each revision is spread by itself.
    per_revision: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let by_labels = ["app.kubernetes.io/name", "app.kubernetes.io/instance"].map(str::to_owned).to_vec();
        Self { constraints: vec![], by_labels, per_revision: true }
    }
}

/// A constraint.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Constraint {
    /// A label of nodes: pods are spread over its values.
    topology_key: String,
    /// How many more pods there may be at one value than at another.
    max_skew: i64,
    /// What is done with a pod that breaks it.
    when_unsatisfiable: WhenUnsatisfiable,
}

impl Default for Constraint {
    fn default() -> Self {
        Self { topology_key: String::new(), max_skew: 1, when_unsatisfiable: WhenUnsatisfiable::default() }
    }
}

/// What the scheduler does with a pod that would break the constraint (core/v1 UnsatisfiableConstraintAction).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
enum WhenUnsatisfiable {
    /// The pod waits.
    DoNotSchedule,
    /// The pod is put where it breaks it least.
    #[default]
    ScheduleAnyway,
}

impl WhenUnsatisfiable {
    const fn as_str(self) -> &'static str {
        match self {
            Self::DoNotSchedule => "DoNotSchedule",
            Self::ScheduleAnyway => "ScheduleAnyway",
        }
    }
}

/// See the page of `set-topology-spread`.
#[derive(Debug)]
pub struct SetTopologySpread(Settings);

const FIELD: &str = "topologySpreadConstraints";

/// The label by which a Deployment tells its revisions apart.
const REVISION: &str = "pod-template-hash";

impl Module for SetTopologySpread {
    const ID: &'static str = "set-topology-spread";
    const GROUP: Group = Group::Reliability;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &[];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("set_topology_spread.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let Settings { constraints, by_labels, .. } = &settings;
        let mut errors = vec![];
        if constraints.is_empty() {
            let message = "there is nothing to add: name at least one, such as {topologyKey: kubernetes.io/hostname}";
            errors.push(problem("/constraints", message));
        }
        if by_labels.is_empty() {
            let message = "nothing tells which pods belong together: name at least one of their labels";
            errors.push(problem("/byLabels", message));
        }
        for (position, constraint) in constraints.iter().enumerate() {
            let (pointer, key) = (format!("/constraints/{position}"), &constraint.topology_key);
            if !is_label_key(key) {
                let message =
                    format!("{key:?} can be no label of a node: expected one such as \"kubernetes.io/hostname\"");
                errors.push(problem(format!("{pointer}/topologyKey"), message));
            }
            if !(1..=i64::from(i32::MAX)).contains(&constraint.max_skew) {
                let skew = constraint.max_skew;
                errors.push(problem(
                    format!("{pointer}/maxSkew"),
                    format!("{skew} is out of range: expected at least 1"),
                ));
            }
            let is_same = |other: &Constraint| {
                other.topology_key == *key && other.when_unsatisfiable == constraint.when_unsatisfiable
            };
            if constraints.iter().take(position).any(is_same) {
                errors.push(problem(pointer, "there is one for this key already: leave one of them out"));
            }
        }
        for (position, key) in by_labels.iter().enumerate() {
            let pointer = format!("/byLabels/{position}");
            if !is_label_key(key) {
                let message = format!("{key:?} can be no label: expected one such as \"app.kubernetes.io/name\"");
                errors.push(problem(pointer, message));
            } else if key == REVISION && settings.per_revision {
                errors.push(problem(pointer, "perRevision names it already: leave it out"));
            } else if by_labels.iter().take(position).any(|other| other == key) {
                errors.push(problem(pointer, "it is there already: leave one of them out"));
            }
        }
        if errors.is_empty() { Ok(Self(settings)) } else { Err(errors) }
    }

    fn writes(&self) -> Vec<PathPattern> {
        let keys = self.0.constraints.iter().map(|constraint| &constraint.topology_key);
        keys.map(|key| PathPattern(format!("spec.{FIELD}[topologyKey={key}]"))).collect()
    }
}

impl Constraint {
    fn is(&self, node: Node<'_>) -> bool {
        node.str("topologyKey") == Some(&self.topology_key)
            && node.str("whenUnsatisfiable") == Some(self.when_unsatisfiable.as_str())
    }

    fn build<'a>(
        &'a self,
        arena: &'a Arena,
        labels: impl ExactSizeIterator<Item = Entry<'a>>,
        per_revision: bool,
    ) -> Node<'a> {
        let selector = arena.map(&[("matchLabels", arena.map_of(labels))]);
        let of_revision = arena.list(&[Node::string(REVISION)]);
        let entries = [
            ("maxSkew", Node::int(self.max_skew)),
            ("topologyKey", Node::string(&self.topology_key)),
            ("whenUnsatisfiable", Node::string(self.when_unsatisfiable.as_str())),
            ("labelSelector", selector),
            ("matchLabelKeys", of_revision),
        ];
        arena.map_of(entries.into_iter().take(if per_revision { 5 } else { 4 }))
    }
}

impl Mutate for SetTopologySpread {
    fn mutate<'a>(&'a self, subject: Subject<'_, 'a>, _: &mut Report<'_>) -> Result<Node<'a>, PolicyError> {
        let Some((pod, Changeable::All)) = open::pod(&subject).filter(|(pod, _)| !is_placed(pod)) else {
            return Ok(subject.object);
        };
        let Settings { constraints, by_labels, per_revision } = &self.0;
        let own = pod.metadata().field("labels").unwrap_or_default();
        let value_of = |key: &str| own.str(key).unwrap_or_default();
        if by_labels.iter().any(|key| own.str(key).is_none()) {
            return Ok(subject.object);
        }
        let arena = subject.arena();
        let labels = by_labels.iter().map(|key| (key.as_str(), Node::string(value_of(key))));
        let root = pod.edit_spec(arena, |spec| {
            let present = spec.items_of(FIELD);
            let missing = constraints.iter().filter(|constraint| !present.iter().any(|node| constraint.is(*node)));
            missing.into_iter().try_fold(spec, |spec, constraint| {
                edit::append(arena, spec, &[FIELD], constraint.build(arena, labels.clone(), *per_revision))
            })
        })?;
        Ok(root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_constraints_that_spread_nothing() {
        let errors = |settings| SetTopologySpread::new(serde_json::from_value(settings).unwrap()).unwrap_err();
        let message = "there is nothing to add: name at least one, such as {topologyKey: kubernetes.io/hostname}";
        assert_eq!(errors(serde_json::json!({})), [problem("/constraints", message)]);
        assert_eq!(
            errors(serde_json::json!({
                "constraints": [{}, {"topologyKey": "zone", "maxSkew": 0}, {"topologyKey": "zone"}],
                "byLabels": ["a b", "pod-template-hash", "app", "app"]
            })),
            [
                problem(
                    "/constraints/0/topologyKey",
                    "\"\" can be no label of a node: expected one such as \"kubernetes.io/hostname\""
                ),
                problem("/constraints/1/maxSkew", "0 is out of range: expected at least 1"),
                problem("/constraints/2", "there is one for this key already: leave one of them out"),
                problem("/byLabels/0", "\"a b\" can be no label: expected one such as \"app.kubernetes.io/name\""),
                problem("/byLabels/1", "perRevision names it already: leave it out"),
                problem("/byLabels/3", "it is there already: leave one of them out"),
            ]
        );
        let message = "nothing tells which pods belong together: name at least one of their labels";
        let settings = serde_json::json!({"constraints": [{"topologyKey": "zone"}], "byLabels": []});
        assert_eq!(errors(settings), [problem("/byLabels", message)]);
    }
}
