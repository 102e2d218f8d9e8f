//! Adds labels to objects that lack them.
//!
//! # What it does
//! Sets each label that the object does not have; one that is null counts as absent. A label that the object has keeps
//! its value unless `overwrite` is set.
//!
//! By default it acts on pods when they are created, and never on their updates, nor on mirror pods. Other kinds, and
//! their updates, are named in the policy's `matchConstraints`. The labels of templates are left alone: pods get theirs
//! when they are made, and GitOps tools see no drift.
//!
//! # Why
//! Cost centres, network zones and stages are known to the platform and forgotten by people. Added on the way in, they
//! are on everything.
//!
//! # Settings
//! - `labels`: keys and values to add; at least one.
//! - `overwrite`: whether a label with another value is set as well; false by default. A Service or a ReplicaSet finds its
//!   pods by labels: do not overwrite those.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: label-pods-of-the-shop }
//! spec:
//!   module: add-labels
//!   settings:
//!     labels:
//!       example.com/cost-center: "4711"
//!       zone: internal
//!   namespaces: { include: ["shop-*"] }
//! ```

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::entries::Entries;
use crate::json::Node;
use crate::kubernetes::names::{is_label_key, is_label_value};
use crate::review::{Operation, Subject};
use crate::rule::{Applies, Group, Module, Mutate, PathPattern, Resources, SettingsError};
use crate::verdict::{PolicyError, Report};

/// Which labels are added.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Keys and values of the labels.
    labels: BTreeMap<String, String>,
    /// Whether labels that have another value are set as well.
    overwrite: bool,
}

/// See the page of `add-labels`.
#[derive(Debug)]
pub struct AddLabels(Entries);

impl Module for AddLabels {
    const ID: &'static str = "add-labels";
    const GROUP: Group = Group::Metadata;
    const APPLIES: Applies =
        Applies::To(&[Resources { groups: &[""], resources: &["pods"], operations: &[Operation::Create] }]);
    const REPLACES: &'static [&'static str] = &["kyverno/add-labels"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("add_labels.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        Entries::new("labels", settings.labels, settings.overwrite, is_label_key, is_label_value).map(Self)
    }

    fn writes(&self) -> Vec<PathPattern> {
        self.0.writes()
    }
}

impl Mutate for AddLabels {
    fn mutate<'a>(&self, subject: Subject<'_, 'a>, _: &mut Report<'_>) -> Result<Node<'a>, PolicyError> {
        self.0.add(&subject)
    }
}
