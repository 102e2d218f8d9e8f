//! Refuses Services that select the same pods as another one.
//!
//! # What it checks
//! `spec.selector` of Services, against the other Services of the namespace: the same keys with the same values, in any
//! order. One that asks for less, and so takes in the pods of another, is not the same. Services without a selector, and
//! those of type `ExternalName`, which have no pods, pass and are not held against others.
//!
//! It asks the cluster for its Services, which the server's role must allow it to list, and an answer may be some
//! seconds old. Two that are made at the same moment can both pass: this is a fence against mistakes, no lock. Where
//! the cluster cannot be asked, that is an evaluation error, and the policy's `failurePolicy` decides. Offline the
//! other Services are those in the files of `--params`.
//!
//! # Why
//! A selector that was copied along with a manifest sends requests to the pods of another application, and both look
//! healthy.
//!
//! # Settings
//! - `headless`: whether a Service without an address (`clusterIP: None`), as StatefulSets have them, may stand beside one
//!   with an address; false by default.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: one-service-each }
//! spec:
//!   module: unique-service-selectors
//!   settings:
//!     headless: true
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::others;
use crate::json::{Node, Path};
use crate::review::{Lookup, Operation, Subject};
use crate::rule::{Applies, Group, Module, Resources, SettingsError, Validate};
use crate::twin::{CelTwin, NoTwin};
use crate::verdict::Report;

/// Which Services may select the same pods.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Whether a Service without an address may stand beside one with an address.
    headless: bool,
}

/// See the page of `unique-service-selectors`.
#[derive(Debug)]
pub struct UniqueServiceSelectors(Settings);

impl Module for UniqueServiceSelectors {
    const ID: &'static str = "unique-service-selectors";
    const GROUP: Group = Group::Network;
    const APPLIES: Applies = Applies::To(&[Resources {
        groups: &[""],
        resources: &["services"],
        operations: &[Operation::Create, Operation::Update],
    }]);
    const REPLACES: &'static [&'static str] = &["gatekeeper-library/uniqueserviceselector"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("unique_service_selectors.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        Ok(Self(settings))
    }

    fn lookups(&self) -> Vec<Lookup<'static>> {
        vec![others::all("v1", "Service", "")]
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        Err(NoTwin::LOOKS_UP)
    }
}

/// The selector of a Service that has pods by it.
fn selector(service: Node<'_>) -> Option<Node<'_>> {
    let spec = service.field("spec")?;
    let has_pods = spec.str("type") != Some("ExternalName");
    spec.field("selector").filter(|selector| has_pods && !selector.entries().is_empty())
}

fn is_headless(service: Node<'_>) -> bool {
    service.at(&["spec", "clusterIP"]).and_then(Node::as_str) == Some("None")
}

impl Validate for UniqueServiceSelectors {
    fn validate<'a>(&'a self, subject: Subject<'_, 'a>, report: &mut Report<'_>) {
        let review = subject.review;
        let is_write = matches!(review.operation, Operation::Create | Operation::Update);
        let Some(own) = selector(subject.object).filter(|_| is_write) else { return };
        let lookup = others::all("v1", "Service", review.namespace);
        let Some(mut others) = others::besides(&subject, lookup, report) else { return };
        let is_same = |other: Node<'_>| {
            let may_share = self.0.headless && is_headless(other) != is_headless(subject.object);
            !may_share && selector(other).is_some_and(|taken| taken == own)
        };
        if others.any(is_same) {
            let message = "another Service of the namespace selects the same pods; add a label of its own";
            report.finding(&Path::root("spec").key("selector"), own, message);
        }
    }

    fn asks(&self) -> Option<&'static str> {
        Some("reads the Services of the namespace")
    }
}
