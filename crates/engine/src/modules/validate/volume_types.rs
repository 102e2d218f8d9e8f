//! Refuses volumes of types that are not on a list.
//!
//! # What it checks
//! The volumes of pods and of the templates of workloads. The type of a volume is the field that says where its files come
//! from: `configMap`, `hostPath`. Each that is not null must be allowed. A volume without any is an `emptyDir`, which the
//! API server fills in.
//!
//! # Why
//! Some types reach the node (`hostPath`), some bring storage in past the administrator's PersistentVolumes (`nfs`,
//! `iscsi`), some are no longer there. The Pod Security Standards allow in `restricted` what is the default here.
//!
//! # Settings
//! - `allowed`: the types that may be used. By default `configMap`, `csi`, `downwardAPI`, `emptyDir`, `ephemeral`, `image`,
//!   `persistentVolumeClaim`, `projected` and `secret`.
//!
//! # Example
//! ```yaml
//! apiVersion: admittance.dev/v1alpha1
//! kind: Policy
//! metadata: { name: volume-types }
//! spec:
//!   module: volume-types
//!   settings:
//!     allowed: [configMap, secret, projected, downwardAPI, emptyDir, persistentVolumeClaim]
//! ```

use schemars::JsonSchema;
use serde::Deserialize;

use super::accepted::accepted;
use super::pod_security::RESTRICTED_VOLUMES;
use crate::json::{Node, Path};
use crate::review::Subject;
use crate::rule::{Applies, Group, Module, SettingsError, Validate};
use crate::twin::{self, CelTwin, NoTwin};
use crate::verdict::Report;

/// Which volumes pods may have.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Settings {
    /// Types of volumes, by their fields: `configMap`.
    allowed: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { allowed: RESTRICTED_VOLUMES.map(str::to_owned).to_vec() }
    }
}

/// The others there are (core/v1 VolumeSource).
const OTHERS: [&str; 21] = [
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "gitRepo",
    "glusterfs",
    "hostPath",
    "iscsi",
    "nfs",
    "photonPersistentDisk",
    "portworxVolume",
    "quobyte",
    "rbd",
    "scaleIO",
    "storageos",
    "vsphereVolume",
];

/// See the page of `volume-types`.
#[derive(Debug)]
pub struct VolumeTypes {
    allowed: Vec<String>,
    /// The end of each message.
    accepted: String,
}

impl Module for VolumeTypes {
    const ID: &'static str = "volume-types";
    const GROUP: Group = Group::PodHardening;
    const APPLIES: Applies = Applies::Pods;
    const REPLACES: &'static [&'static str] =
        &["gatekeeper-library/volumes", "kyverno/restrict-volume-types", "pss/restrictedVolumes"];
    const PUBLIC: &'static [&'static str] = &[];
    const DOC: &'static str = include_str!("volume_types.rs");
    type Settings = Settings;

    fn new(Settings { allowed }: Settings) -> Result<Self, Vec<SettingsError>> {
        let is_known = |name: &str| RESTRICTED_VOLUMES.contains(&name) || OTHERS.contains(&name);
        let unknown = allowed.iter().enumerate().filter(|(_, name)| !is_known(name));
        let errors: Vec<SettingsError> = unknown
            .map(|(position, name)| SettingsError {
                pointer: format!("/allowed/{position}"),
                message: format!("{name:?} is no type of volumes: expected a field such as \"configMap\" or \"nfs\""),
            })
            .collect();
        let accepted = accepted(&allowed);
        if errors.is_empty() { Ok(Self { allowed, accepted }) } else { Err(errors) }
    }

    fn twin(&self) -> Result<CelTwin, NoTwin> {
        let allowed = twin::lists(&self.allowed);
        let named = format!("v.filter(k, k != 'name' && !(k in {allowed})).map(k, 'volumes[' + v.name + '].' + k)");
        let none = if self.allowed.iter().any(|kind| kind == "emptyDir") {
            String::new()
        } else {
            "v.size() == 1 ? ['volumes[' + v.name + '].emptyDir'] : ".to_owned()
        };
        let findings = twin::nested("#spec.?volumes.orValue([])", "v", &format!("{none}{named}"));
        let message = format!("volumes of this type are not allowed; {}", self.accepted);
        Ok(CelTwin::of(findings, message)
            .differing("takes a volume for the same as before where only its source changes"))
    }
}

impl VolumeTypes {
    fn judge(&self, path: &Path<'_>, volume: Node<'_>, report: &mut Report<'_>) {
        let sources = volume.entries().iter().filter(|(key, value)| *key != "name" && !value.is_null());
        let mut judge = |kind: &str, source| {
            if !self.allowed.iter().any(|allowed| allowed == kind) {
                let message = format!("volumes of this type are not allowed; {}", self.accepted);
                report.finding(&path.key(kind), source, message);
            }
        };
        let mut has_any = false;
        for (kind, source) in sources {
            has_any = true;
            judge(kind, *source);
        }
        if !has_any {
            judge("emptyDir", Node::NULL);
        }
    }
}

impl Validate for VolumeTypes {
    fn validate(&self, subject: Subject<'_, '_>, report: &mut Report<'_>) {
        let Some(pod) = subject.pod() else { return };
        pod.with_spec_path(|spec| {
            let list = spec.key("volumes");
            for (index, volume) in pod.spec().items_of("volumes").iter().enumerate() {
                self.judge(&list.item(index, "name", *volume), *volume, report);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Arena, read};
    use crate::kubernetes::decoding;
    use crate::kubernetes::schema::Schemas;

    #[test]
    fn rejects_types_that_there_are_not() {
        let mut errors =
            VolumeTypes::new(Settings { allowed: vec!["emptyDir".into(), "EmptyDir".into()] }).unwrap_err();
        let expected = SettingsError {
            pointer: "/allowed/1".to_owned(),
            message: "\"EmptyDir\" is no type of volumes: expected a field such as \"configMap\" or \"nfs\"".to_owned(),
        };
        assert_eq!(errors.pop(), Some(expected));
    }

    #[test]
    fn types_are_fields_of_volumes() {
        let schema = Schemas::built_in().of("v1", "Pod").unwrap();
        let arena = Arena::with_limit(1 << 20);
        let fault = |name: &str| {
            let text = format!(r#"{{"spec":{{"volumes":[{{"{name}":{{}}}}]}}}}"#);
            decoding::fault(&schema, Node::NULL, read(&arena, &text).unwrap())
        };
        for name in RESTRICTED_VOLUMES.into_iter().chain(OTHERS) {
            assert_eq!(fault(name), None, "{name}");
        }
        assert!(fault("EmptyDir").is_some());
    }
}
