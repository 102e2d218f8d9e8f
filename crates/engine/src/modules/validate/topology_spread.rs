//! Requires the replicas of a workload to be spread over nodes or zones.
//!
//! # What it checks
//! The templates of Deployments, StatefulSets, ReplicaSets and ReplicationControllers with enough replicas (absent or null
//! is 1, as the API server fills it in). For each topology key there must be an item of `topologySpreadConstraints` with
//! this `topologyKey` that selects the pods of the template; one without `labelSelector`, or whose selector does not fit
//! the template's labels, spreads nothing and does not count. Nor does one whose `maxSkew` or `whenUnsatisfiable` is not
//! accepted.
//!
//! A required pod anti-affinity with this topology key that selects the template's own pods counts as well, unless
//! `antiAffinity` is false: it allows one replica for each node or zone.
//!
//! What a controller made passes, such as the ReplicaSets of a Deployment. The default constraints of the scheduler's
//! configuration are not seen from here and do not count.
//!
//! # Why
//! Three replicas on one node go down with it. The scheduler packs them there when that is where the room is.
//!
//! # Settings
//! - `topologyKeys`: labels of nodes over whose values replicas are spread. By default `kubernetes.io/hostname`; zones are
//!   `topology.kubernetes.io/zone`.
//! - `minReplicas`: from how many replicas on; 2 by default. What an autoscaler governs has often fewer in its manifest:
//!   with 1 everything is judged.
//! - `maxSkew`: the highest `maxSkew` that counts. By default any.
//! - `whenUnsatisfiable`: which of `DoNotSchedule` and `ScheduleAnyway` count. By default both.
//! - `antiAffinity`: whether a required pod anti-affinity counts; true by default.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: topology-spread }
//! spec:
//!   module: topology-spread
//!   settings:
//!     topologyKeys: [kubernetes.io/hostname, topology.kubernetes.io/zone]
//!     maxSkew: 1
//!     minReplicas: 3
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use crate::json::{List, Node};
use crate::kubernetes::label_selector::selects;
use crate::kubernetes::names::is_label_key;
use crate::kubernetes::owner::is_controlled;
use crate::kubernetes::pod::Pod;
use crate::modules::problem::problem;
use crate::review::{Operation, Subject};
use crate::rule::{Applies, Group, Module, Resources, SettingsError, Validate};
use crate::twin::{CelTwin, NoTwin};
use crate::verdict::Report;

/// Over what replicas must be spread, and how.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Keys of labels of nodes.
    topology_keys: Vec<String>,
    /// From how many replicas on.
    min_replicas: i64,
    /// The highest `maxSkew` that counts.
    max_skew: Option<i64>,
    /// Which values of `whenUnsatisfiable` count.
    when_unsatisfiable: Vec<WhenUnsatisfiable>,
    /// Whether a required pod anti-affinity counts.
    anti_affinity: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            topology_keys: vec!["kubernetes.io/hostname".to_owned()],
            min_replicas: 2,
            max_skew: None,
            when_unsatisfiable: vec![WhenUnsatisfiable::DoNotSchedule, WhenUnsatisfiable::ScheduleAnyway],
            anti_affinity: true,
        }
    }
}

/// What the scheduler does with a pod that would break the constraint (core/v1 UnsatisfiableConstraintAction).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
enum WhenUnsatisfiable {
    /// The pod waits.
    DoNotSchedule,
    /// The pod is put where it breaks it least.
    ScheduleAnyway,
}

/// See the page of `topology-spread`.
#[derive(Debug)]
pub struct TopologySpread {
    settings: Settings,
    /// The end of messages: `, with maxSkew of at most 1`, or nothing.
    accepted: String,
}

const WRITES: &[Operation] = &[Operation::Create, Operation::Update];

impl Module for TopologySpread {
    const ID: &'static str = "topology-spread";
    const GROUP: Group = Group::Reliability;
    const APPLIES: Applies = Applies::To(&[
        Resources { groups: &["apps"], resources: &["deployments", "replicasets", "statefulsets"], operations: WRITES },
        Resources { groups: &[""], resources: &["replicationcontrollers"], operations: WRITES },
    ]);
    const REPLACES: &'static [&'static str] = &["kyverno/topologyspreadconstraints-policy"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("topology_spread.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors = vec![];
        if settings.topology_keys.is_empty() {
            let message = "nothing is spread over: name at least one label of nodes, such as kubernetes.io/hostname";
            errors.push(problem("/topologyKeys", message));
        }
        for (position, key) in settings.topology_keys.iter().enumerate().filter(|(_, key)| !is_label_key(key)) {
            let message = format!("{key:?} can be no label of a node: expected one such as \"kubernetes.io/hostname\"");
            errors.push(problem(format!("/topologyKeys/{position}"), message));
        }
        if let Some(skew) = settings.max_skew.filter(|skew| *skew < 1) {
            errors.push(problem("/maxSkew", format!("{skew} is too low: expected at least 1")));
        }
        let [does_not, does] = [WhenUnsatisfiable::DoNotSchedule, WhenUnsatisfiable::ScheduleAnyway]
            .map(|action| settings.when_unsatisfiable.contains(&action));
        let action = match (does_not, does) {
            (true, true) => "",
            (true, false) => ", with whenUnsatisfiable DoNotSchedule",
            (false, true) => ", with whenUnsatisfiable ScheduleAnyway",
            (false, false) => {
                let message = "no constraint counts: name DoNotSchedule, ScheduleAnyway or both";
                errors.push(problem("/whenUnsatisfiable", message));
                ""
            }
        };
        let skew = settings.max_skew.map(|skew| format!(", with maxSkew of at most {skew}")).unwrap_or_default();
        let accepted = format!("{skew}{action}");
        if errors.is_empty() { Ok(Self { settings, accepted }) } else { Err(errors) }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        Err(NoTwin("it compares selectors with labels, which is not written in CEL".into()))
    }
}

impl TopologySpread {
    fn counts(&self, constraint: Node<'_>, key: &str, labels: Node<'_>) -> bool {
        let Settings { max_skew, when_unsatisfiable, .. } = &self.settings;
        let action = match constraint.str("whenUnsatisfiable") {
            Some("DoNotSchedule") => WhenUnsatisfiable::DoNotSchedule,
            Some("ScheduleAnyway") => WhenUnsatisfiable::ScheduleAnyway,
            _ => return false,
        };
        let is_skew = |skew: i64| max_skew.is_none_or(|most| skew <= most);
        when_unsatisfiable.contains(&action)
            && constraint.get("maxSkew").and_then(Node::as_i64).is_some_and(is_skew)
            && is_over(constraint, key, labels)
    }
}

/// Whether a constraint or a term of an affinity is about pods with these labels, over the values of this key.
fn is_over(item: Node<'_>, key: &str, labels: Node<'_>) -> bool {
    let selector = item.field("labelSelector").filter(|selector| selector.as_map().is_some());
    item.str("topologyKey") == Some(key) && selector.is_some_and(|selector| selects(selector, labels))
}

/// Terms of other namespaces are about other pods.
fn keeps_apart(terms: List<'_>, key: &str, labels: Node<'_>) -> bool {
    let is_own = |term: &Node<'_>| term.items_of("namespaces").is_empty() && term.field("namespaceSelector").is_none();
    terms.iter().any(|term| is_own(term) && is_over(*term, key, labels))
}

impl Validate for TopologySpread {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let Some(pod) = subject.pod().filter(Pod::is_template) else { return };
        let replicas = subject.object.at(&["spec", "replicas"]).map_or(Some(1), Node::as_i64);
        let is_few = replicas.is_some_and(|replicas| replicas < self.settings.min_replicas);
        if is_few || is_controlled(subject.object) || !subject.review.subresource.is_empty() {
            return;
        }
        let (spec, labels) = (pod.spec(), pod.metadata().field("labels").unwrap_or_default());
        let constraints = spec.items_of("topologySpreadConstraints");
        let affinity = spec.at(&["affinity", "podAntiAffinity"]).filter(|_| self.settings.anti_affinity);
        let terms = affinity.map_or(&[][..], |it| it.items_of("requiredDuringSchedulingIgnoredDuringExecution"));
        for key in &self.settings.topology_keys {
            let is_spread = constraints.iter().any(|constraint| self.counts(*constraint, key, labels));
            if is_spread || keeps_apart(terms, key, labels) {
                continue;
            }
            let found = spec.field("topologySpreadConstraints").unwrap_or_default();
            let message = format!(
                "the pods are not spread over {key:?}: add a constraint with this topologyKey that selects them{}",
                self.accepted
            );
            pod.with_spec_path(|spec| report.finding(&spec.key("topologySpreadConstraints"), found, message));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_settings_that_nothing_can_meet() {
        let settings = Settings {
            topology_keys: vec!["a b".into()],
            max_skew: Some(0),
            when_unsatisfiable: vec![],
            ..Settings::default()
        };
        assert_eq!(
            TopologySpread::new(settings).unwrap_err(),
            [
                problem(
                    "/topologyKeys/0",
                    "\"a b\" can be no label of a node: expected one such as \"kubernetes.io/hostname\""
                ),
                problem("/maxSkew", "0 is too low: expected at least 1"),
                problem("/whenUnsatisfiable", "no constraint counts: name DoNotSchedule, ScheduleAnyway or both")
            ]
        );
        let none = TopologySpread::new(Settings { topology_keys: vec![], ..Settings::default() }).unwrap_err();
        let message = "nothing is spread over: name at least one label of nodes, such as kubernetes.io/hostname";
        assert_eq!(none, [problem("/topologyKeys", message)]);
    }
}
