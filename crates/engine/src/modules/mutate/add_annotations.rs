//! Adds annotations to objects that lack them.
//!
//! # What it does
//! Sets each annotation that the object does not have; one that is null counts as absent. An annotation that the object
//! has keeps its value unless `overwrite` is set.
//!
//! By default it acts on pods when they are created, and never on their updates, nor on mirror pods. Other kinds, and
//! their updates, are named in the policy's `matchConstraints`. The annotations of templates are left alone: pods get
//! theirs when they are made, and GitOps tools see no drift.
//!
//! # Why
//! Annotations steer what looks at pods from outside: scrapers, autoscalers, service meshes, backups. Added on the way in,
//! nobody has to remember them.
//!
//! # Settings
//! - `annotations`: keys and values to add; at least one.
//! - `overwrite`: whether an annotation with another value is set as well; false by default.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: let-the-autoscaler-move-pods }
//! spec:
//!   module: add-annotations
//!   settings:
//!     annotations:
//!       cluster-autoscaler.kubernetes.io/safe-to-evict: "true"
//!   matchConstraints:
//!     objectSelector:
//!       matchLabels: { example.com/stateless: "true" }
//! ```

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::entries::Entries;
use crate::json::Node;
use crate::kubernetes::names::is_annotation_key;
use crate::review::{Operation, Subject};
use crate::rule::{Applies, Group, Module, Mutate, PathPattern, Resources, SettingsError};
use crate::verdict::{PolicyError, Report};

/// Which annotations are added.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Keys and values of the annotations.
    annotations: BTreeMap<String, String>,
    /// Whether annotations that have another value are set as well.
    overwrite: bool,
}

/// See the page of `add-annotations`.
#[derive(Debug)]
pub struct AddAnnotations(Entries);

impl Module for AddAnnotations {
    const ID: &'static str = "add-annotations";
    const GROUP: Group = Group::Metadata;
    const APPLIES: Applies =
        Applies::To(&[Resources { groups: &[""], resources: &["pods"], operations: &[Operation::Create] }]);
    const REPLACES: &'static [&'static str] = &["kyverno/add-safe-to-evict"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("add_annotations.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        // Every string is a value that an annotation may have.
        Entries::new("annotations", settings.annotations, settings.overwrite, is_annotation_key, |_| true).map(Self)
    }

    fn writes(&self) -> Vec<PathPattern> {
        self.0.writes()
    }
}

impl Mutate for AddAnnotations {
    fn mutate<'a>(&self, subject: Subject<'_, 'a>, _: &mut Report<'_>) -> Result<Node<'a>, PolicyError> {
        self.0.add(&subject)
    }
}
