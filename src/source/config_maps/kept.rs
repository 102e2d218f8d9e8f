//! Last good versions in ConfigMaps: one object a unit, compressed, with its digest.

use std::collections::BTreeMap;
use std::time::Duration;

use admittance_engine::unit::Unit;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use sha2::{Digest as _, Sha256};

use crate::cluster::Mirror;
use crate::source::Revision;
use crate::source::last_good::{LastGood, pack, unpack};

/// The label of such a ConfigMap.
pub(super) const KEPT_LABEL: &str = "admittance.dev/last-good";
/// How long to wait after a version could not be kept.
pub(super) const RETRY_EVERY: Duration = Duration::from_secs(5);

const UNIT: &str = "admittance.dev/unit";
const DIGEST: &str = "admittance.dev/digest";
const SOURCE_UID: &str = "admittance.dev/source-uid";
const SOURCE_VERSION: &str = "admittance.dev/source-version";
const FILE: &str = "unit.json.gz";

/// Such a ConfigMap as it stands in the cluster.
#[derive(Debug)]
pub(super) struct KeptObject {
    resource_version: Option<String>,
    good: Option<LastGood>,
}

impl KeptObject {
    /// Reads it. What is damaged is said, and counts as absent.
    pub(super) fn of(object: ConfigMap) -> Self {
        let metadata = object.metadata;
        let annotations = metadata.annotations.unwrap_or_default();
        let text = |key: &str| annotations.get(key).map(String::as_str).unwrap_or_default();
        let bytes = object.binary_data.and_then(|mut data| data.remove(FILE)).unwrap_or_default().0;
        let good = match unpack(&bytes, text(DIGEST)) {
            Ok(unit) => {
                let version = text(SOURCE_VERSION).parse().unwrap_or_default();
                Some(LastGood { unit, revision: Revision { uid: text(SOURCE_UID).to_owned(), version } })
            }
            Err(error) => {
                let name = metadata.name.as_deref().unwrap_or_default();
                tracing::error!(name, unit = text(UNIT), %error, "a last good version is damaged and not used");
                None
            }
        };
        Self { resource_version: metadata.resource_version, good }
    }

    /// The version, if it can be used.
    pub(super) const fn last_good(&self) -> Option<&LastGood> {
        self.good.as_ref()
    }
}

/// Writes last good versions.
pub(super) struct Keeper {
    config_maps: Api<ConfigMap>,
    namespace: String,
}

impl Keeper {
    pub(super) fn new(client: Client, namespace: &str) -> Self {
        Self { config_maps: Api::namespaced(client, namespace), namespace: namespace.to_owned() }
    }

    /// Writes a version unless the cluster has it, or a later one. False where it is to be tried again.
    ///
    /// Two replicas may write at once: then one of them is refused, sees what the other one wrote, and asks again if that is
    /// not the same.
    pub(super) async fn keep(&self, good: &LastGood, kept: &Mirror<KeptObject>) -> bool {
        let name = object_name(&good.unit.name);
        let there = kept.get(&self.namespace, &name);
        if there.and_then(KeptObject::last_good).is_some_and(|there| there.covers(&good.revision, &good.unit.digest()))
        {
            return true;
        }
        let object = self.object(&name, good, there.and_then(|there| there.resource_version.clone()));
        let parameters = PostParams::default();
        let written = match there {
            Some(_) => self.config_maps.replace(&name, &parameters, &object).await,
            None => self.config_maps.create(&parameters, &object).await,
        };
        match written {
            Ok(_) => true,
            // It is there now, or gone, or another: the watch says it, and the version is asked to be kept again.
            Err(kube::Error::Api(status)) if status.code == 409 || status.code == 404 => true,
            Err(error) => {
                tracing::warn!(unit = good.unit.name, %error, "the version that runs cannot be kept for later starts");
                false
            }
        }
    }

    fn object(&self, name: &str, good: &LastGood, resource_version: Option<String>) -> ConfigMap {
        let LastGood { unit, revision } = good;
        let annotations = [
            (UNIT, unit.name.clone()),
            (DIGEST, unit.digest()),
            (SOURCE_UID, revision.uid.clone()),
            (SOURCE_VERSION, revision.version.to_string()),
        ];
        let metadata = ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(self.namespace.clone()),
            labels: Some(BTreeMap::from([(KEPT_LABEL.to_owned(), "true".to_owned())])),
            annotations: Some(annotations.map(|(key, text)| (key.to_owned(), text)).into()),
            owner_references: self.owner(unit, revision).map(|owner| vec![owner]),
            resource_version,
            ..ObjectMeta::default()
        };
        let data = BTreeMap::from([(FILE.to_owned(), ByteString(pack(unit)))]);
        ConfigMap { metadata, binary_data: Some(data), ..ConfigMap::default() }
    }

    /// The ConfigMap with which it goes: the garbage collector sees to it. An owner is of the same namespace.
    fn owner(&self, unit: &Unit, revision: &Revision) -> Option<OwnerReference> {
        let name = unit.name.strip_prefix(&self.namespace)?.strip_prefix('/')?;
        Some(OwnerReference {
            api_version: "v1".to_owned(),
            kind: "ConfigMap".to_owned(),
            name: name.to_owned(),
            uid: revision.uid.clone(),
            ..OwnerReference::default()
        })
    }
}

/// What the object of a unit is called. Names of namespaces and ConfigMaps together may be longer than a name.
fn object_name(unit: &str) -> String {
    let digest = Sha256::digest(unit);
    let front = digest.iter().take(8).fold(0_u64, |front, byte| front << 8 | u64::from(*byte));
    format!("admittance-good-{front:016x}")
}
