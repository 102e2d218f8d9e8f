//! Keeps fields of objects as they were when the object was made.
//!
//! # What it checks
//! UPDATE: whatever the paths of the settings lead to must be the same in the stored object and in the new one. A field
//! that is null counts as absent, and numbers are compared by value. What the API server fills in is compared as well, so
//! leaving a field out that has a default is no change.
//!
//! `[*]` stands for every item of a list or every value of a map. Items that all have a `name` are found again by it,
//! others by their position. An item that comes or goes takes the fields in it along: that is a change, too.
//!
//! By default it judges every kind, without subresources such as `deployments/scale`: name the kinds that you mean in the
//! policy's `matchConstraints`.
//!
//! # Why
//! A few fields decide who pays for an object, whom it may act as, or which data it writes to. Kubernetes lets them change
//! under a running workload; a new object would be the honest way.
//!
//! # Settings
//! - `fields`: the paths, at least one: `spec.template.spec.serviceAccountName`, `spec.ports[*].nodePort`,
//!   `metadata.annotations[example.com/owner]`. Not those that the API server changes with each update itself.
//! - `allowSet`: whether a field that was absent may be set once; false by default.
//! - `exemptUsers`: patterns of users who may change them. By default those that Kubernetes' own parts act as
//!   (`system:serviceaccount:kube-system:*`, `system:node:*` and so on). A list of your own replaces the default.
//! - `exemptGroups`: patterns of groups whose members may.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: service-accounts-stay }
//! spec:
//!   module: immutable-fields
//!   settings:
//!     fields: [spec.template.spec.serviceAccountName]
//!   matchConstraints:
//!     resourceRules:
//!       - apiGroups: [apps]
//!         apiVersions: [v1]
//!         operations: [UPDATE]
//!         resources: [deployments, statefulsets, daemonsets]
//! ```

mod compare;

use schemars::JsonSchema;
use serde::Deserialize;

use self::compare::Pair;
use super::exempt::{self, Exempt};
use crate::json::Path;
use crate::modules::field_path::{FieldPath, Step};
use crate::review::{Operation, Subject};
use crate::rule::{Applies, Group, Module, PathPattern, Reads, Resources, SettingsError, Validate};
use crate::twin::{CelTwin, NoTwin};
use crate::verdict::Report;

/// Which fields stay, and who may change them.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Paths of the fields that stay.
    fields: Vec<String>,
    /// Whether a field that was absent may be set.
    allow_set: bool,
    /// Patterns of users who may change them.
    exempt_users: Vec<String>,
    /// Patterns of groups whose members may change them.
    exempt_groups: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { fields: vec![], allow_set: false, exempt_users: exempt::control_plane(), exempt_groups: vec![] }
    }
}

/// See the page of `immutable-fields`.
#[derive(Debug)]
pub struct ImmutableFields {
    fields: Vec<FieldPath>,
    allow_set: bool,
    exempt: Exempt,
}

/// Fields of the metadata that the API server changes itself (k8s.io/apiserver, pkg/registry/rest and
/// pkg/endpoints/handlers/fieldmanager).
const CHANGING: [&str; 5] =
    ["managedFields", "resourceVersion", "generation", "deletionTimestamp", "deletionGracePeriodSeconds"];

impl Module for ImmutableFields {
    const ID: &'static str = "immutable-fields";
    const GROUP: Group = Group::Metadata;
    const APPLIES: Applies =
        Applies::To(&[Resources { groups: &["*"], resources: &["*"], operations: &[Operation::Update] }]);
    const REPLACES: &'static [&'static str] = &["gatekeeper-library/noupdateserviceaccount"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("immutable_fields.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let (mut fields, mut errors) = (vec![], vec![]);
        if settings.fields.is_empty() {
            errors.push(SettingsError {
                pointer: "/fields".into(),
                message: "no field is named: expected at least one path, such as \"spec.storageClassName\"".into(),
            });
        }
        for (position, text) in settings.fields.iter().enumerate() {
            let problem = match FieldPath::parse(text) {
                Ok(path) => match CHANGING.iter().find(|field| path.meets(&["metadata", field])) {
                    Some(field) => format!("{text:?} takes in metadata.{field}, which the API server changes itself"),
                    None => {
                        fields.push(path);
                        continue;
                    }
                },
                Err(message) => message,
            };
            errors.push(SettingsError { pointer: format!("/fields/{position}"), message: problem });
        }
        let exempt = Exempt { users: settings.exempt_users, groups: settings.exempt_groups };
        if errors.is_empty() { Ok(Self { fields, allow_set: settings.allow_set, exempt }) } else { Err(errors) }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        Err(NoTwin("it compares parts of objects by paths, which is not written in CEL".into()))
    }
}

impl ImmutableFields {
    fn judge(&self, (old, new): Pair<'_>, place: &Path<'_>, report: &mut Report<'_>) {
        let message = match (old, new) {
            (Some(old), Some(new)) if old == new => return,
            (None, Some(_)) if self.allow_set => return,
            (None, Some(_)) => "the field cannot be set after the object was created",
            (Some(_), None) => "the field cannot be removed after the object was created",
            _ => "the field cannot change after the object was created",
        };
        report.finding(place, new.unwrap_or_default(), message);
    }
}

impl Validate for ImmutableFields {
    fn reads(&self) -> Reads {
        let fields = self.fields.iter().map(|path| PathPattern(path.to_string())).collect();
        Reads { fields: Some(fields), old: true, ..Reads::default() }
    }

    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let review = subject.review;
        let Some(old) = subject.old_object.filter(|_| review.operation == Operation::Update) else { return };
        if self.exempt.covers(&review.user) {
            return;
        }
        for FieldPath(steps) in &self.fields {
            let [Step::Key(first), rest @ ..] = steps.as_slice() else { continue };
            let pair = (old.field(first), subject.object.field(first));
            compare::visit(rest, pair, &Path::root(first), &mut |pair, place| self.judge(pair, place, report));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_paths_that_cannot_be_held() {
        let fields = ["spec.replicas", "spec..x", "metadata", "metadata.managedFields[*].time", "[*]"];
        let settings = Settings { fields: fields.map(str::to_owned).to_vec(), ..Settings::default() };
        let errors = ImmutableFields::new(settings).unwrap_err();
        let errors: Vec<_> = errors.iter().map(|error| (error.pointer.as_str(), error.message.as_str())).collect();
        assert_eq!(
            errors,
            [
                (
                    "/fields/1",
                    "\"spec..x\" is no path of a field: expected fields with dots between them, [*] for every item, and other \
                     keys in brackets: \"spec.ports[*].nodePort\", \"metadata.annotations[example.com/owner]\""
                ),
                ("/fields/2", "\"metadata\" takes in metadata.managedFields, which the API server changes itself"),
                (
                    "/fields/3",
                    "\"metadata.managedFields[*].time\" takes in metadata.managedFields, which the API server changes itself"
                ),
                ("/fields/4", "\"[*]\" takes in metadata.managedFields, which the API server changes itself"),
            ]
        );
        let none = ImmutableFields::new(Settings::default()).unwrap_err();
        assert_eq!(
            none.first().unwrap().message,
            "no field is named: expected at least one path, such as \"spec.storageClassName\""
        );
    }
}
