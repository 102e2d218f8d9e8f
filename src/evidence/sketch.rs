//! How many different things were seen: the smallest of their hashes (Bar-Yossef et al., "Counting distinct elements in a data
//! stream", 2002). Exact up to [`KEPT`], within about an eighth beyond, and two sketches add up to that of both.

use serde::{Deserialize, Serialize};

/// How many hashes are kept: 256 bytes.
pub const KEPT: usize = 64;

/// A sketch of a set of texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sketch(Vec<u32>);

/// The hash of a text, given in parts: the same on every machine and in every version.
#[derive(Clone, Copy, Debug)]
pub struct Hash(u64);

impl Default for Hash {
    fn default() -> Self {
        // FNV-1a's offset.
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hash {
    /// One more part; where it ends counts too.
    #[must_use]
    pub fn part(self, text: &str) -> Self {
        let feed = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        Self(text.bytes().chain(std::iter::once(0xff)).fold(self.0, feed))
    }

    /// Mixed, so that every bit depends on all of them (MurmurHash3's finalizer).
    fn finish(self) -> u32 {
        let mut hash = self.0;
        for factor in [0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53] {
            hash = (hash ^ (hash >> 33)).wrapping_mul(factor);
        }
        u32::try_from(hash >> 32).unwrap_or_default()
    }
}

impl Sketch {
    /// Takes one down. Allocates only for one that is new among the smallest.
    pub fn add(&mut self, hash: Hash) {
        self.insert(hash.finish());
    }

    fn insert(&mut self, hash: u32) {
        if self.0.len() >= KEPT && self.0.last().is_some_and(|largest| *largest <= hash) {
            return;
        }
        if let Err(place) = self.0.binary_search(&hash) {
            self.0.insert(place, hash);
            self.0.truncate(KEPT);
        }
    }

    /// What both have seen.
    pub fn merge(&mut self, other: &Self) {
        other.0.iter().for_each(|hash| self.insert(*hash));
    }

    /// About how many there were.
    pub fn count(&self) -> u64 {
        let seen = u64::try_from(self.0.len()).unwrap_or(u64::MAX);
        match self.0.last() {
            Some(largest) if self.0.len() >= KEPT => (seen - 1).saturating_mul(1 << 32) / u64::from(*largest).max(1),
            _ => seen,
        }
    }

    /// Whether nothing was seen.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was read may have been written by anybody.
    pub(super) fn mend(&mut self) {
        self.0.sort_unstable();
        self.0.dedup();
        self.0.truncate(KEPT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sketch(range: std::ops::Range<u32>) -> Sketch {
        let mut sketch = Sketch::default();
        for number in range {
            sketch.add(Hash::default().part("shop").part(&number.to_string()));
        }
        sketch
    }

    #[test]
    fn counts_few_exactly_and_many_within_a_quarter() {
        assert_eq!([sketch(0..0).count(), sketch(0..1).count(), sketch(0..63).count()], [0, 1, 63]);
        for many in [1_000_u32, 20_000, 300_000] {
            let (count, many) = (sketch(0..many).count(), u64::from(many));
            assert!(count.abs_diff(many) * 4 < many, "{count} of {many}");
        }
    }

    #[test]
    fn adds_up_to_what_either_has_seen_in_any_order() {
        let (left, right, both) = (sketch(0..40_000), sketch(20_000..60_000), sketch(0..60_000));
        let mut one = left.clone();
        one.merge(&right);
        let mut other = right;
        other.merge(&left);
        assert_eq!((&one, &other), (&both, &both));
    }

    #[test]
    fn tells_parts_apart() {
        let hash = |parts: &[&str]| parts.iter().fold(Hash::default(), |hash, part| hash.part(part)).finish();
        assert_ne!(hash(&["a", "bc"]), hash(&["ab", "c"]));
        assert_eq!(hash(&["shop", "web"]), 0xff8b_391a, "kept evidence goes by it: it never changes");
    }

    #[test]
    fn mends_what_was_written_by_others() {
        let mut sketch = Sketch([vec![9, 3, 3], vec![7; 200]].concat());
        sketch.mend();
        assert_eq!(sketch, Sketch(vec![3, 7, 9]));
    }
}
