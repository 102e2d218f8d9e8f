//! What is in the Secret.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use k8s_openapi::ByteString;

use super::authority::{Authority, Damage, Leaf};
use super::root::{self, Root};

/// The data of a Secret.
pub(super) type Data = BTreeMap<String, ByteString>;

pub(super) const CA_CERTIFICATE: &str = "ca.crt";
pub(super) const CA_KEY: &str = "ca.key";
pub(super) const CERTIFICATE: &str = "tls.crt";
pub(super) const KEY: &str = "tls.key";
/// Every CA that is still trusted.
pub(super) const BUNDLE: &str = "ca-bundle.crt";
/// All of them.
pub(super) const KEYS: [&str; 5] = [CA_CERTIFICATE, CA_KEY, CERTIFICATE, KEY, BUNDLE];

/// The CAs of ours in the data of a Secret.
pub(super) fn roots(data: &Data) -> Vec<Root> {
    let texts = [CA_CERTIFICATE, BUNDLE].into_iter().filter_map(|key| data.get(key));
    texts.flat_map(|text| root::read(&text.0)).collect()
}

/// What is in the Secret, read and checked.
pub(super) struct Stored {
    pub(super) authority: Result<Authority, Damage>,
    /// May be of an earlier CA than `authority`: until that one is trusted.
    pub(super) leaf: Result<Arc<Leaf>, Damage>,
    /// The CAs in the bundle.
    pub(super) bundle: Vec<Root>,
    /// The bundle as it is written.
    pub(super) bundle_text: Vec<u8>,
}

impl Stored {
    /// Reads the data of a Secret. The leaf may also be of one of the `known` CAs.
    pub(super) fn read(data: &Data, known: &[Root], now: SystemTime) -> Self {
        let text = |key: &str| data.get(key).map(|bytes| bytes.0.as_slice()).unwrap_or_default();
        let authority = Authority::read(text(CA_CERTIFICATE), text(CA_KEY), now);
        let bundle = root::read(text(BUNDLE));
        let mut candidates: Vec<Root> = authority.iter().map(|authority| authority.root.clone()).collect();
        candidates.extend(bundle.iter().chain(known).cloned());
        let leaf = Leaf::read(text(CERTIFICATE), text(KEY), &candidates, now).map(Arc::new);
        Self { authority, leaf, bundle, bundle_text: text(BUNDLE).to_vec() }
    }

    /// The data of a Secret that says this.
    pub(super) fn write(authority: &Authority, leaf: &Leaf, bundle: &[Root]) -> Data {
        let values = [
            root::write([&authority.root]).into_bytes(),
            authority.key(),
            leaf.chain.clone(),
            leaf.key.clone(),
            root::write(bundle).into_bytes(),
        ];
        KEYS.into_iter().map(str::to_owned).zip(values.map(ByteString)).collect()
    }
}

/// Never prints the keys.
impl fmt::Debug for Stored {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut printed = formatter.debug_struct("Stored");
        printed.field("authority", &self.authority).field("leaf", &self.leaf).field("bundle", &self.bundle);
        printed.finish_non_exhaustive()
    }
}

/// What is known of the Secret. Its Debug prints no data.
#[derive(Clone)]
pub(super) enum Seen {
    /// It has not been read yet.
    Unknown,
    /// There is none.
    Absent,
    /// Its data.
    Present(Data),
}

impl fmt::Debug for Seen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Unknown => "Unknown",
            Self::Absent => "Absent",
            Self::Present(_) => "Present",
        })
    }
}
