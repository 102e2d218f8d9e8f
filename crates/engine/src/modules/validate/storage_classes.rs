//! Allows claims for storage of certain classes only.
//!
//! # What it checks
//! `storageClassName` of PersistentVolumeClaims, of the `volumeClaimTemplates` of StatefulSets, and of the claims that pods
//! make for themselves (`ephemeral` volumes), in pods and in the templates of workloads.
//!
//! The annotation `volume.beta.kubernetes.io/storage-class` is older than the field and still goes before it: where a
//! claim has it, it is judged in the field's place.
//!
//! A claim that names no class gets the cluster's default class, which the API server fills in before anybody else sees the
//! claim, but not in templates: `default` says whether none may be named. The empty name asks for a volume without a class,
//! one that somebody made by hand: `static` says whether that is allowed.
//!
//! # Why
//! A class decides what a volume costs, whether it is encrypted and backed up, and whether the data outlives the claim.
//!
//! # Settings
//! - `allowed`: patterns of the classes: `standard`, `ssd-*`. At least one.
//! - `default`: whether claims may name no class; true by default. What the API server has filled in must be on the list
//!   all the same.
//! - `static`: whether the empty name is allowed; false by default.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: encrypted-storage }
//! spec:
//!   module: storage-classes
//!   settings:
//!     allowed: [standard-encrypted, "ssd-*-encrypted"]
//!     default: false
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use crate::json::{Node, Path};
use crate::matching::glob;
use crate::review::{Operation, Subject};
use crate::rule::{Applies, Group, Module, Resources, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// Which classes claims may name.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Patterns of the classes.
    allowed: Vec<String>,
    /// Whether claims may name no class.
    default: bool,
    /// Whether claims may name the empty class: a volume that somebody made by hand.
    r#static: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { allowed: vec![], default: true, r#static: false }
    }
}

/// See the page of `storage-classes`.
#[derive(Debug)]
pub struct StorageClasses {
    settings: Settings,
    /// The end of each message.
    accepted: String,
}

const WRITES: &[Operation] = &[Operation::Create, Operation::Update];

/// Goes before the field (k8s.io/component-helpers, storage/volume, GetPersistentVolumeClaimClass).
const ANNOTATION: &str = "volume.beta.kubernetes.io/storage-class";

impl Module for StorageClasses {
    const ID: &'static str = "storage-classes";
    const GROUP: Group = Group::Access;
    const APPLIES: Applies = Applies::To(&[
        Resources {
            groups: &[""],
            resources: &["persistentvolumeclaims", "pods", "podtemplates", "replicationcontrollers"],
            operations: WRITES,
        },
        Resources {
            groups: &["apps"],
            resources: &["daemonsets", "deployments", "replicasets", "statefulsets"],
            operations: WRITES,
        },
        Resources { groups: &["batch"], resources: &["cronjobs", "jobs"], operations: WRITES },
    ]);
    const REPLACES: &'static [&'static str] = &["gatekeeper-library/storageclass", "kyverno/require-storageclass"];
    const PUBLIC: &'static [&'static str] = &["storageClassName"];
    const DOC: &'static str = include_str!("storage_classes.rs");
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let mut errors = vec![];
        if settings.allowed.is_empty() {
            errors.push(SettingsError {
                pointer: "/allowed".to_owned(),
                message: "no class is allowed: expected at least one pattern, such as \"standard\"".to_owned(),
            });
        }
        let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.*?".contains(&byte);
        for (position, pattern) in settings.allowed.iter().enumerate() {
            if pattern.is_empty() || !pattern.bytes().all(is_letter) {
                errors.push(SettingsError {
                    pointer: format!("/allowed/{position}"),
                    message: format!(
                        "{pattern:?} fits no class: expected lower-case letters, digits, `-` and `.`, with `*` for any text and `?` \
                         for one character"
                    ),
                });
            }
        }
        let accepted = format!("allowed: {}", settings.allowed.join(", "));
        if errors.is_empty() { Ok(Self { settings, accepted }) } else { Err(errors) }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let Settings { allowed, default, r#static } = &self.settings;
        let annotation = format!("k.?metadata.?annotations[?{}]", twin::quoted(ANNOTATION));
        let class = format!("{annotation}.or(k.?spec.?storageClassName)");
        let is_wrong = format!(
            "[{class}].exists(s, !s.hasValue() ? {} : s.orValue('') == '' ? {} : !{})",
            !default,
            !r#static,
            twin::fits("s.orValue('')", allowed)
        );
        let found = format!(
            "(({annotation}.hasValue() ? 'annotation ' : '') + ({class}.hasValue() ? '=' : '') + {class}.orValue(''))"
        );
        let claims = format!(
            "(request.kind.kind == 'PersistentVolumeClaim' && request.kind.group == '' ? [#object].filter(k, {is_wrong})\
             .map(k, 'spec.storageClassName\\n' + {found}) : [])"
        );
        let templates = format!(
            "(request.kind.kind == 'StatefulSet' && request.kind.group == 'apps' ? \
             #object.?spec.?volumeClaimTemplates.orValue([]).transformList(i, k, {is_wrong}, \
             'spec.volumeClaimTemplates[' + string(i) + '].spec.storageClassName\\n' + {found}) : [])"
        );
        let volumes = format!(
            "#spec.?volumes.orValue([]).filter(v, v.?ephemeral.?volumeClaimTemplate.hasValue() && \
             [v.ephemeral.volumeClaimTemplate].exists(k, {is_wrong})).map(v, [v.ephemeral.volumeClaimTemplate].map(k, \
             'volumes[' + v.name + '].ephemeral.volumeClaimTemplate.spec.storageClassName\\n' + {found})[0])"
        );
        let message = format!("this storage class, or none, is not allowed; {}", self.accepted);
        Ok(CelTwin::of(format!("{claims} + {templates} + {volumes}"), message))
    }
}

impl StorageClasses {
    /// `claim` is a claim or a template of one, whose place is `place`; the root has none.
    fn judge(&self, claim: Node<'_>, place: Option<&Path<'_>>, report: &mut Report<'_>) {
        let annotation = claim.at(&["metadata", "annotations", ANNOTATION]);
        let found = annotation.or_else(|| claim.at(&["spec", "storageClassName"]));
        let message = match found.map(Node::as_str) {
            None if self.settings.default => return,
            None => format!("a storage class is required; {}", self.accepted),
            Some(Some("")) if self.settings.r#static => return,
            Some(Some("")) => format!("a volume without a storage class is not allowed; {}", self.accepted),
            Some(Some(name)) if self.settings.allowed.iter().any(|pattern| glob::fits(pattern, name)) => return,
            // Values of annotations are not for messages.
            _ if annotation.is_some() => format!("the storage class is not allowed; {}", self.accepted),
            _ => {
                let shown = report.show("storageClassName", found.unwrap_or_default());
                format!("storage class {shown} is not allowed; {}", self.accepted)
            }
        };
        let value = found.unwrap_or_default();
        let part = if annotation.is_some() { "metadata" } else { "spec" };
        let place = place.map_or_else(|| Path::root(part), |place| place.key(part));
        if annotation.is_some() {
            report.finding(&place.key("annotations").key(ANNOTATION), value, message);
        } else {
            report.finding(&place.key("storageClassName"), value, message);
        }
    }

    fn judge_volumes(&self, spec: Node<'_>, place: &Path<'_>, report: &mut Report<'_>) {
        let list = place.key("volumes");
        for (index, volume) in spec.items_of("volumes").iter().enumerate() {
            if let Some(claim) = volume.at(&["ephemeral", "volumeClaimTemplate"]) {
                let place = list.item(index, "name", *volume);
                let place = place.key("ephemeral");
                self.judge(claim, Some(&place.key("volumeClaimTemplate")), report);
            }
        }
    }
}

impl Validate for StorageClasses {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let kind = subject.review.kind;
        match (kind.group, kind.kind) {
            ("", "PersistentVolumeClaim") => self.judge(subject.object, None, report),
            ("apps", "StatefulSet") => {
                let place = Path::root("spec");
                let list = place.key("volumeClaimTemplates");
                let claims = subject.object.field("spec").unwrap_or_default().items_of("volumeClaimTemplates");
                for (index, claim) in claims.iter().enumerate() {
                    self.judge(*claim, Some(&list.index(index)), report);
                }
            }
            _ => {}
        }
        if let Some(pod) = subject.pod() {
            pod.with_spec_path(|place| self.judge_volumes(pod.spec(), place, report));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_settings_that_allow_nothing() {
        let errors = StorageClasses::new(Settings::default()).unwrap_err();
        assert_eq!(
            errors.first().unwrap().message,
            "no class is allowed: expected at least one pattern, such as \"standard\""
        );
        let settings = Settings { allowed: vec!["ssd-*".into(), "SSD".into()], ..Settings::default() };
        let errors = StorageClasses::new(settings).unwrap_err();
        assert_eq!(errors.first().unwrap().pointer, "/allowed/1");
    }
}
