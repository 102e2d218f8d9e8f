//! The CA with its key, and the leaves that it signs. ECDSA with P-256: every TLS client takes it.

use std::fmt;
use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData as _,
};
use rustls::RootCertStore;
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::pki_types::UnixTime;
use rustls::server::ParsedCertificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::super::certificate::{Certificate, Flaw, provider};
use super::root::{self, BACKDATED, LIVES, NAME, Root, Span};

/// A CA that can sign.
pub(super) struct Authority {
    pub(super) root: Root,
    key: KeyPair,
}

/// A leaf with its key, and whose it is.
#[derive(Clone)]
pub(super) struct Leaf {
    /// PEM.
    pub(super) chain: Vec<u8>,
    /// PEM.
    pub(super) key: Vec<u8>,
    pub(super) root: Root,
    pub(super) span: Span,
    /// The names and addresses that it is for.
    pub(super) names: Vec<String>,
    pub(super) certificate: Certificate,
}

/// Why what is in the Secret cannot be used; never with a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Damage(pub(super) &'static str);

/// Why no certificate could be made: a name that none can hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unmade(String);

impl fmt::Display for Unmade {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "no certificate can be made: {}", self.0)
    }
}

impl From<rcgen::Error> for Unmade {
    fn from(error: rcgen::Error) -> Self {
        Self(error.to_string())
    }
}

impl Authority {
    /// A new one for leaves that live for `life`.
    pub(super) fn make(now: SystemTime, life: Duration) -> Result<Self, Unmade> {
        let key = KeyPair::generate()?;
        // Random as the key is: clients that know several CAs find the right one by its name.
        let random = key.public_key_raw().iter().rev().take(8).fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
        let mut wanted = of_name(&format!("{NAME}{random:016x}"));
        wanted.not_before = (now - BACKDATED).into();
        wanted.not_after = (now + life * LIVES).into();
        wanted.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let made = wanted.self_signed(&key)?;
        let root = Root::of(made.der().clone()).ok_or_else(|| Unmade("it cannot be read again".to_owned()))?;
        Ok(Self { root, key })
    }

    /// Reads a PEM certificate and a PEM key.
    pub(super) fn read(certificate: &[u8], key: &[u8], now: SystemTime) -> Result<Self, Damage> {
        let root = root::read(certificate).into_iter().next().ok_or(Damage("ca.crt is not a CA of ours"))?;
        let key = str::from_utf8(key).ok().and_then(|key| KeyPair::from_pem(key).ok());
        let key = key.ok_or(Damage("ca.key is not a private key"))?;
        if key.subject_public_key_info() != root.public_key {
            return Err(Damage("ca.key does not belong to ca.crt"));
        }
        if root.span.not_after <= now {
            return Err(Damage("the CA has expired"));
        }
        Ok(Self { root, key })
    }

    /// The private key, PEM.
    pub(super) fn key(&self) -> Vec<u8> {
        self.key.serialize_pem().into_bytes()
    }

    /// Signs a leaf for these names and addresses. It lives for `life`, not longer than leaves of this CA may.
    pub(super) fn issue(&self, names: &[String], now: SystemTime, life: Duration) -> Result<Leaf, Unmade> {
        let mut wanted = CertificateParams::new(names)?;
        wanted.distinguished_name = DistinguishedName::new();
        wanted.distinguished_name.push(DnType::CommonName, "Admittance");
        wanted.not_before = (now - BACKDATED).into();
        wanted.not_after = (now + life.min(self.root.leaf_life())).min(self.root.span.not_after).into();
        wanted.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        wanted.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        wanted.use_authority_key_identifier_extension = true;
        let (key, issuer) = (KeyPair::generate()?, of_name(&self.root.name));
        let made = wanted.signed_by(&key, &Issuer::from_params(&issuer, &self.key))?;
        Leaf::read(made.pem().as_bytes(), key.serialize_pem().as_bytes(), std::slice::from_ref(&self.root), now)
            .map_err(|damage| Unmade(damage.0.to_owned()))
    }
}

fn of_name(name: &str) -> CertificateParams {
    let mut wanted = CertificateParams::default();
    wanted.distinguished_name = DistinguishedName::new();
    wanted.distinguished_name.push(DnType::CommonName, name);
    wanted.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    wanted
}

impl Leaf {
    /// Reads a PEM chain and a PEM key that one of `roots` has signed, for use at `now`.
    pub(super) fn read(chain: &[u8], key: &[u8], roots: &[Root], now: SystemTime) -> Result<Self, Damage> {
        let certificate = Certificate::from_pem(chain, key, now).map_err(|flaw| {
            Damage(match flaw {
                Flaw::Certificate(_) => "tls.crt is not a certificate",
                Flaw::Key(_) => "tls.key is not a private key",
                Flaw::Mismatch => "tls.key does not belong to tls.crt",
                Flaw::Expired => "the certificate has expired",
            })
        })?;
        let unreadable = Damage("tls.crt is not a certificate");
        let der = certificate.leaf().ok_or(unreadable)?;
        let (_, parsed) = X509Certificate::from_der(der).map_err(|_| unreadable)?;
        let (span, names) = (Span::of(&parsed), names(&parsed));
        let issuer = parsed.issuer().iter_common_name().next().and_then(|name| name.as_str().ok()).unwrap_or_default();
        let checked = ParsedCertificate::try_from(der).map_err(|_| unreadable)?;
        // Who has made it may have a clock that is ahead of ours: replicas must not undo what the others do.
        let since = now.max(span.created).duration_since(UNIX_EPOCH).unwrap_or_default();
        let algorithms = provider().signature_verification_algorithms;
        let has_signed = |root: &&Root| {
            let mut anchors = RootCertStore::empty();
            let time = UnixTime::since_unix_epoch(since);
            root.name == issuer
                && root.span.not_after > now
                && anchors.add(root.der.clone()).is_ok()
                && verify_server_cert_signed_by_trust_anchor(&checked, &anchors, &[], time, algorithms.all).is_ok()
        };
        let root = roots.iter().find(has_signed).ok_or(Damage("the certificate is not of a CA that is known"))?.clone();
        let certificate = certificate.under_root_until(root.span.not_after);
        Ok(Self { chain: chain.to_vec(), key: key.to_vec(), root, span, names, certificate })
    }

    /// When it cannot be used any more: its own end, or its CA's.
    pub(super) const fn not_after(&self) -> SystemTime {
        self.certificate.not_after()
    }

    /// Whether it is for all of these names and addresses.
    pub(super) fn is_for(&self, names: &[String]) -> bool {
        names.iter().all(|name| self.names.contains(name))
    }
}

fn names(parsed: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(names)) = parsed.subject_alternative_name() else { return vec![] };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match <[u8; 4]>::try_from(*bytes) {
            Ok(four) => Some(IpAddr::from(four).to_string()),
            Err(_) => <[u8; 16]>::try_from(*bytes).ok().map(|sixteen| IpAddr::from(sixteen).to_string()),
        },
        _ => None,
    };
    names.value.general_names.iter().filter_map(name).collect()
}

/// Never prints the key.
impl fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Authority").field("name", &self.root.name).finish_non_exhaustive()
    }
}

/// Never prints the key.
impl fmt::Debug for Leaf {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Leaf").field("root", &self.root.name).field("span", &self.span).finish_non_exhaustive()
    }
}
