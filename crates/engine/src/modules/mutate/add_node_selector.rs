//! Adds labels of nodes to the node selectors of pods.
//!
//! # What it does
//! Sets each key of `nodeSelector` that the pod does not have; one that is null counts as absent. A key that the pod has
//! keeps its value unless `overwrite` is set.
//!
//! Pods are changed when they are created, never mirror pods. A pod that names its node is left alone: its kubelet would
//! refuse it if the labels did not fit. So is the pod of a DaemonSet, which is made for one node and would wait for it for
//! ever: give such workloads their selector in the template.
//!
//! # Why
//! Namespaces belong to pools of nodes: by team, by region, by what the machines cost. Said once here, it holds for every
//! pod. (It is what the admission plugin PodNodeSelector does, without a flag of the API server.)
//!
//! # Settings
//! - `nodeSelector`: keys and values of labels; at least one.
//! - `overwrite`: whether a key with another value is set as well; false by default.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: nodes-of-the-shop }
//! spec:
//!   module: add-node-selector
//!   settings:
//!     nodeSelector: { example.com/pool: shop }
//!     overwrite: true
//!   namespaces: { include: ["shop-*"] }
//! ```

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::open;
use super::placed::is_placed;
use crate::json::{Node, Path, edit};
use crate::kubernetes::names::{is_label_key, is_label_value};
use crate::kubernetes::pod::Changeable;
use crate::modules::problem::problem;
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, Mutate, PathPattern, SettingsError};
use crate::verdict::{PolicyError, Report};

/// Which labels nodes must have.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Keys and values of labels of nodes.
    node_selector: BTreeMap<String, String>,
    /// Whether keys that have another value are set as well.
    overwrite: bool,
}

/// See the page of `add-node-selector`.
#[derive(Debug)]
pub struct AddNodeSelector(Settings);

const FIELD: &str = "nodeSelector";

impl Module for AddNodeSelector {
    const ID: &'static str = "add-node-selector";
    const GROUP: Group = Group::Reliability;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] = &["kubernetes/PodNodeSelector", "kyverno/add-nodeSelector"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("add_node_selector.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors = vec![];
        if settings.node_selector.is_empty() {
            let message = "there is nothing to add: name at least one label of nodes, with its value";
            errors.push(problem("/nodeSelector", message));
        }
        for (key, value) in &settings.node_selector {
            let pointer = Path::root(FIELD).key(key).to_pointer();
            if !is_label_key(key) {
                let message = format!("{key:?} can be no label of a node: expected one such as \"example.com/pool\"");
                errors.push(problem(pointer, message));
            } else if !is_label_value(value) {
                errors.push(problem(pointer, format!("{value:?} can be no label's value")));
            }
        }
        if errors.is_empty() { Ok(Self(settings)) } else { Err(errors) }
    }

    fn writes(&self) -> Vec<PathPattern> {
        self.0.node_selector.keys().map(|key| PathPattern(format!("spec.nodeSelector[{key}]"))).collect()
    }
}

impl Mutate for AddNodeSelector {
    fn mutate<'a>(&'a self, subject: Subject<'_, 'a>, _: &mut Report<'_>) -> Result<Node<'a>, PolicyError> {
        let Some((pod, Changeable::All)) = open::pod(&subject).filter(|(pod, _)| !is_placed(pod)) else {
            return Ok(subject.object);
        };
        let Settings { node_selector, overwrite } = &self.0;
        let arena = subject.arena();
        let root = pod.edit_spec(arena, |spec| {
            let present = spec.field(FIELD).unwrap_or_default();
            let missing = node_selector.iter().filter(|(key, value)| match present.field(key) {
                Some(found) => *overwrite && open::is_replaceable(found) && found.as_str() != Some(value),
                None => true,
            });
            missing
                .into_iter()
                .try_fold(spec, |spec, (key, value)| edit::set(arena, spec, &[FIELD, key], Node::string(value)))
        })?;
        Ok(root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_what_no_node_is_labelled_with() {
        let labels = [("a b", "x"), ("example.com/pool", "x y")];
        let node_selector = labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let errors = AddNodeSelector::new(Settings { node_selector, overwrite: false }).unwrap_err();
        let message = "\"a b\" can be no label of a node: expected one such as \"example.com/pool\"";
        assert_eq!(
            errors,
            [
                problem("/nodeSelector/a b", message),
                problem("/nodeSelector/example.com~1pool", "\"x y\" can be no label's value")
            ]
        );
        let none = AddNodeSelector::new(Settings::default()).unwrap_err();
        let message = "there is nothing to add: name at least one label of nodes, with its value";
        assert_eq!(none, [problem("/nodeSelector", message)]);
    }
}
