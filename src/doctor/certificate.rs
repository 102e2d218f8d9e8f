//! Whether the API server trusts the certificate that the servers show.

use k8s_openapi::ByteString;
use rustls::RootCertStore;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use serde_json::Value;

use super::selecting::fails_closed;
use super::{Finding, Severity, Snapshot};
use crate::cluster::at;

pub(super) fn examine(snapshot: &Snapshot, found: &mut Vec<Finding>) {
    let chains: Vec<(&str, Vec<u8>)> = snapshot
        .secrets
        .iter()
        .filter_map(|(name, secret)| Some((name.as_str(), bytes(at(secret, "/data/tls.crt"))?)))
        .collect();
    for entry in snapshot.entries() {
        let Some(bundle) = bytes(at(entry, "/clientConfig/caBundle")).filter(|bundle| !bundle.is_empty()) else {
            continue;
        };
        let service = at(entry, "/clientConfig/service");
        let (Some(service), Some(namespace)) = (at(service, "/name").as_str(), at(service, "/namespace").as_str())
        else {
            continue;
        };
        let host = format!("{service}.{namespace}.svc");
        for (secret, chain) in &chains {
            let Err(why) = verify(&bundle, chain, &host) else { continue };
            let becomes = if fails_closed(entry) { "refused" } else { "let pass unchecked" };
            found.push(Finding::new(
                Severity::High,
                format!(
                    "the caBundle of {} does not verify the certificate in the Secret {secret} for {host}: {why}",
                    at(entry, "/name").as_str().unwrap_or_default()
                ),
                format!("every request is {becomes}"),
                "with managed certificates look at the server's log, else put the certificate's CA into the caBundle",
            ));
        }
    }
}

fn bytes(text: &Value) -> Option<Vec<u8>> {
    serde_json::from_value::<ByteString>(text.clone()).ok().map(|bytes| bytes.0)
}

fn verify(bundle: &[u8], chain: &[u8], host: &str) -> Result<(), String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(bundle).flatten() {
        // What is no authority for rustls may still be one for the API server, beside others.
        let _ = roots.add(certificate);
    }
    let chain: Vec<CertificateDer<'_>> = CertificateDer::pem_slice_iter(chain).flatten().collect();
    let Some((leaf, others)) = chain.split_first() else { return Err("it holds no certificate".to_owned()) };
    if roots.is_empty() {
        return Err("it holds no certificate of an authority".to_owned());
    }
    let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
    // The API server takes a certificate that it was given as it is, also one that calls itself an authority.
    if CertificateDer::pem_slice_iter(bundle).flatten().any(|trusted| trusted == *leaf) {
        let parsed = ParsedCertificate::try_from(leaf).map_err(|error| error.to_string())?;
        return verify_server_name(&parsed, &name).map_err(|error| error.to_string());
    }
    let provider = std::sync::Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(std::sync::Arc::new(roots), provider)
        .build()
        .map_err(|error| error.to_string())?;
    verifier
        .verify_server_cert(leaf, others, &name, &[], UnixTime::now())
        .map(|_| ())
        .map_err(|error| error.to_string())
}
