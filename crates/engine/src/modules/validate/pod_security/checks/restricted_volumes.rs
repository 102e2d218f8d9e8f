//! `restrictedVolumes`: in addition to restricting hostPath volumes, the restricted profile limits usage of inline pod volume
//! sources.

use super::{Check, Forbidden, Level, Node, PodFields, Revision, Values, host_path_volumes, plural, quoted};

pub(super) const CHECK: Check = Check {
    id: "restrictedVolumes",
    level: Level::Restricted,
    revisions: &[Revision { since: 0, replaces: &[host_path_volumes::ID], judge }],
};

/// The types of volumes that pods may have.
pub(in crate::modules::validate) const ALLOWED: [&str; 9] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

/// In the order in which upstream looks for them: the first is named.
const RESTRICTED: &[&str] = &[
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "gitRepo",
    "nfs",
    "iscsi",
    "glusterfs",
    "rbd",
    "flexVolume",
    "cinder",
    "cephfs",
    "flocker",
    "fc",
    "azureFile",
    "vsphereVolume",
    "quobyte",
    "azureDisk",
    "photonPersistentDisk",
    "portworxVolume",
    "scaleIO",
    "storageos",
];

fn judge(pod: &PodFields<'_>) -> Option<Forbidden> {
    let mut types = Values::new();
    let mut bad = vec![];
    for volume in pod.spec.items_of("volumes") {
        if let Some(source) = restricted_source(*volume) {
            bad.push(volume.str("name").unwrap_or_default());
            types.insert(source);
        }
    }
    (!bad.is_empty()).then(|| Forbidden {
        reason: "restricted volume types",
        detail: format!(
            "{} {} {} {} {}",
            plural("volume", "volumes", bad.len()),
            quoted(&bad),
            plural("uses", "use", bad.len()),
            plural("restricted volume type", "restricted volume types", types.len()),
            quoted(&types),
        ),
    })
}

/// The source of a volume, if it is not allowed. One that nobody knows yet is not; none at all is `emptyDir`, which the API
/// server fills in.
fn restricted_source(volume: Node<'_>) -> Option<&'static str> {
    let has = |source: &&'static str| volume.field(source).is_some();
    if ALLOWED.iter().any(has) {
        return None;
    }
    let known = RESTRICTED.iter().find(|source| has(source)).copied();
    let other = || volume.entries().iter().any(|(key, value)| *key != "name" && !value.is_null());
    known.or_else(|| other().then_some("unknown"))
}
