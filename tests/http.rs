//! What the built binary answers over the wire to whatever is sent to it.

mod drift;
mod envelopes;
mod hostile;
mod overload;
mod panics;
mod secrets;
mod texts;

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::binary::Binary;

/// A policy that reads every pod, one that warns, one that only audits, and one that changes pods.
const POLICIES: &str = r"
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: tags }
spec: { module: latest-tag }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: ports }
spec: { module: host-ports, actions: [Warn] }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: registries }
spec: { module: allowed-registries, settings: { allowed: [registry.example.com] }, actions: [Audit] }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: origin }
spec: { module: add-annotations, settings: { annotations: { origin: admittance } } }
";

/// A server with policies from a text; the folder must live as long as the server.
fn server(policies: &str, arguments: &[&str]) -> (Binary, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("policies.yaml"), policies).unwrap();
    let path = folder.path().to_str().unwrap();
    let server = Binary::serve(&[&["--policies", path], arguments].concat());
    let log = server.log();
    assert!(!log.iter().any(|line| line.contains("ERROR")), "{log:?}");
    (server, folder)
}

/// A request to create the object in `object`, a JSON text, as a pod or as something that no policy matches.
fn review(uid: &str, kind: Kind, object: &str) -> String {
    let (resource, kind) = match kind {
        Kind::Pod => ("pods", "Pod"),
        Kind::ConfigMap => ("configmaps", "ConfigMap"),
    };
    let mut text = front(uid);
    let _ = write!(
        text,
        r#","kind":{{"group":"","version":"v1","kind":"{kind}"}},"resource":{{"group":"","version":"v1","resource":"{resource}"}},"name":"web","namespace":"shop","operation":"CREATE","userInfo":{{"username":"ann","groups":["dev"]}},"object":{object},"oldObject":null,"dryRun":false}}}}"#
    );
    text
}

#[derive(Clone, Copy)]
enum Kind {
    Pod,
    ConfigMap,
}

/// The front of a review, up to its uid.
fn front(uid: &str) -> String {
    format!(r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{{"uid":"{uid}""#)
}

/// A pod with an image, as JSON.
fn pod(image: &str) -> String {
    format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"web"}},"spec":{{"containers":[{{"name":"web","image":"{image}"}}]}}}}"#
    )
}

/// Where the collections of cases lie that are too large to live with the code.
pub(crate) fn corpora() -> PathBuf {
    let beside = || crate::case::root().join("../shared/corpora");
    std::env::var_os("ADMITTANCE_CORPORA").map_or_else(beside, PathBuf::from)
}
