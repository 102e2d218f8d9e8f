//! The last good version of a unit: what runs while its present version is broken, also in a server that starts then.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read as _, Write as _};

use admittance_engine::document::SourceFile;
use admittance_engine::unit::Unit;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

use super::read::Revision;

/// The most that a packed unit may hold: more than any ConfigMap.
const MAX_BYTES: u64 = 8 << 20;

/// A version of a unit that ran.
#[derive(Clone, Debug)]
pub struct LastGood {
    /// Its files.
    pub unit: Unit,
    /// Which version of which object it was.
    pub revision: Revision,
}

impl LastGood {
    /// Whether a version need not be kept beside this one: it is the same, or an older one of the same object.
    pub fn covers(&self, revision: &Revision, digest: &str) -> bool {
        self.revision.uid == revision.uid && (self.revision.version > revision.version || self.unit.digest() == digest)
    }
}

/// The last good versions of all units, by name.
pub type LastGoods = BTreeMap<String, LastGood>;

/// Why a packed unit cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged(String);

impl fmt::Display for Damaged {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Packed {
    name: String,
    /// Names and texts.
    files: Vec<(String, String)>,
}

/// A unit in few bytes: gzip of JSON. The same unit always makes the same bytes.
pub fn pack(unit: &Unit) -> Vec<u8> {
    let files = unit.files.iter().map(|file| (file.name().to_owned(), file.text().to_owned())).collect();
    let json = serde_json::to_vec(&Packed { name: unit.name.clone(), files }).unwrap_or_default();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // Writing to memory cannot fail.
    let _ = encoder.write_all(&json);
    encoder.finish().unwrap_or_default()
}

/// The unit, if it is the one of this digest.
///
/// # Errors
/// Bytes that are no packed unit, or are another one's.
pub fn unpack(bytes: &[u8], digest: &str) -> Result<Unit, Damaged> {
    let mut json = Vec::new();
    GzDecoder::new(bytes)
        .take(MAX_BYTES)
        .read_to_end(&mut json)
        .map_err(|error| Damaged(format!("it cannot be unpacked: {error}")))?;
    let Packed { name, files } =
        serde_json::from_slice(&json).map_err(|error| Damaged(format!("it is no unit: {error}")))?;
    let unit = Unit { name, files: files.into_iter().map(|(name, text)| SourceFile::new(name, text)).collect() };
    match unit.digest() {
        found if found == digest => Ok(unit),
        found => Err(Damaged(format!("its digest is {found}, and {digest} is said"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit() -> Unit {
        let file = |name: &str, text: &str| SourceFile::new(name, text);
        Unit {
            name: "ns/rules".to_owned(),
            files: vec![file("ns/rules/a.yaml", "ä: 1\n"), file("ns/rules/b.yaml", "")],
        }
    }

    #[test]
    fn unpacks_what_was_packed() {
        let (unit, packed) = (unit(), pack(&unit()));
        assert_eq!(packed, pack(&unit));
        let found = unpack(&packed, &unit.digest()).unwrap();
        assert_eq!(found.digest(), unit.digest());
        assert_eq!(found.files[0].text(), "ä: 1\n");
    }

    #[test]
    fn refuses_what_is_damaged_or_another_unit() {
        let (unit, packed) = (unit(), pack(&unit()));
        let digest = unit.digest();
        assert_eq!(unpack(&packed, "abc").unwrap_err().to_string(), format!("its digest is {digest}, and abc is said"));
        assert!(
            unpack(&packed[..packed.len() / 2], &digest)
                .unwrap_err()
                .to_string()
                .starts_with("it cannot be unpacked: ")
        );
        assert!(unpack(b"", &digest).is_err());
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(b"{}").unwrap();
        let other = encoder.finish().unwrap();
        assert_eq!(
            unpack(&other, &digest).unwrap_err().to_string(),
            "it is no unit: missing field `name` at line 1 column 2"
        );
    }

    #[test]
    fn stops_at_a_bomb() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        (0..32).for_each(|_| encoder.write_all(&vec![b' '; 1 << 20]).unwrap());
        let bomb = encoder.finish().unwrap();
        assert!(unpack(&bomb, "x").unwrap_err().to_string().starts_with("it is no unit: EOF"));
    }
}
