//! A certificate made in memory, for a server that was given none.

use std::fmt;
use std::time::{Duration, SystemTime};

use super::Certificate;

/// How long a self-signed certificate lives; it ends with the process anyway.
const SELF_SIGNED_LIFE: Duration = Duration::from_hours(365 * 24);

/// A certificate made in memory, for a server that was given none.
#[derive(Debug)]
pub struct SelfSigned {
    /// What the server presents.
    pub certificate: Certificate,
    /// The certificate alone, as PEM: what a client trusts (`curl --cacert`, a webhook's `caBundle`).
    pub pem: String,
}

/// Makes a certificate for `localhost`, `127.0.0.1`, `::1` and the names and addresses in `more`; valid for a year.
pub fn self_signed(more: &[String]) -> Result<SelfSigned, SelfSignedError> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    for name in more.iter().filter(|name| !name.is_empty()) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    let make = || -> Result<(String, String), rcgen::Error> {
        let mut wanted = rcgen::CertificateParams::new(names)?;
        let now = SystemTime::now();
        // An hour back, for clients whose clock is behind ours.
        wanted.not_before = (now - Duration::from_hours(1)).into();
        wanted.not_after = (now + SELF_SIGNED_LIFE).into();
        wanted.distinguished_name = rcgen::DistinguishedName::new();
        wanted.distinguished_name.push(rcgen::DnType::CommonName, "admittance self-signed");
        wanted.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
        wanted.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        let key = rcgen::KeyPair::generate()?;
        Ok((wanted.self_signed(&key)?.pem(), key.serialize_pem()))
    };
    let (pem, key) = make().map_err(|error| SelfSignedError(error.to_string()))?;
    let certificate = Certificate::from_pem(pem.as_bytes(), key.as_bytes(), SystemTime::now())
        .map_err(|flaw| SelfSignedError(format!("{flaw:?}")))?;
    Ok(SelfSigned { certificate, pem })
}

/// Why no certificate could be made in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelfSignedError(String);

impl fmt::Display for SelfSignedError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "cannot make a self-signed certificate ({}): give a certificate and a key as files", self.0)
    }
}

impl std::error::Error for SelfSignedError {}
