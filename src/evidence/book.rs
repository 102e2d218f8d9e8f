//! All policies with what they did, each in the version that is active.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

use super::sketch::Sketch;
use super::tally::{Tally, earlier};

/// How many namespaces are counted apart for one policy; what is in others counts together.
pub const NAMESPACES: usize = 200;
/// How many policies.
pub const POLICIES: usize = 2_000;
/// The most that a packed book may have, in bytes: a ConfigMap takes a megabyte, its watchers should not have to.
pub const PACKED: usize = 256 << 10;
/// The most that an unpacked one may have.
const UNPACKED: u64 = 32 << 20;
/// How long a policy that is not active is remembered, in seconds: replicas do not see a change in the same moment.
const REMEMBERED: u64 = 600;
/// How many writers are remembered.
const WRITERS: usize = 64;

/// The evidence about all policies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Book {
    /// The version of this format.
    pub schema_version: u32,
    /// Who has added to it, and the number of the last addition: one whose success was not heard of is not made twice.
    pub writers: BTreeMap<String, u64>,
    /// By name.
    pub policies: BTreeMap<String, PolicyEvidence>,
}

/// The evidence about one version of one policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PolicyEvidence {
    /// A digest of what the policy says.
    pub version: String,
    /// Since when this version is active, in seconds since 1970.
    pub since: u64,
    /// The owners of the objects that it judged.
    #[serde(skip_serializing_if = "Sketch::is_empty")]
    pub owners: Sketch,
    /// By namespace; empty for what is in none.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub namespaces: BTreeMap<String, Tally>,
    /// Of all other namespaces together.
    #[serde(skip_serializing_if = "Tally::is_empty")]
    pub others: Tally,
}

/// Why bytes are no packed book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged(String);

impl fmt::Display for Damaged {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl PolicyEvidence {
    /// All of it.
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        self.tallies().for_each(|(_, tally)| total.add(tally));
        total
    }

    /// Each namespace that is counted apart, then, under None, all others together.
    pub fn tallies(&self) -> impl Iterator<Item = (Option<&str>, &Tally)> {
        let apart = self.namespaces.iter().map(|(name, tally)| (Some(name.as_str()), tally));
        apart.chain(std::iter::once((None, &self.others)).filter(|(_, others)| !others.is_empty()))
    }

    /// The tally of a namespace; of all others where too many are counted apart, or for None.
    pub fn tally(&mut self, namespace: Option<&str>) -> &mut Tally {
        match namespace {
            Some(name) if self.namespaces.contains_key(name) || self.namespaces.len() < NAMESPACES => {
                self.namespaces.entry(name.to_owned()).or_default()
            }
            _ => &mut self.others,
        }
    }

    fn add(&mut self, other: &Self) {
        self.since = earlier(self.since, other.since);
        self.owners.merge(&other.owners);
        for (namespace, tally) in other.tallies() {
            self.tally(namespace).add(tally);
        }
    }

    /// Counts all but `most` namespaces together: those without violations and with the fewest requests first.
    fn fold(&mut self, most: usize) {
        let mut by_weight: Vec<(bool, u64, String)> = self
            .namespaces
            .iter()
            .map(|(name, tally)| (tally.violations + tally.errors > 0, tally.requests, name.clone()))
            .collect();
        by_weight.sort();
        let folded = by_weight.len().saturating_sub(most);
        for (_, _, name) in by_weight.into_iter().take(folded) {
            if let Some(tally) = self.namespaces.remove(&name) {
                self.others.add(&tally);
            }
        }
    }
}

impl Book {
    /// What both have counted. Of two versions of a policy the one that became active later stays.
    pub fn add(&mut self, other: &Self) {
        for (name, evidence) in &other.policies {
            let has_room = self.policies.len() < POLICIES;
            match self.policies.get_mut(name) {
                Some(known) if known.version == evidence.version => known.add(evidence),
                Some(known) if known.since > evidence.since => {}
                Some(known) => *known = evidence.clone(),
                None if has_room => drop(self.policies.insert(name.clone(), evidence.clone())),
                None => {}
            }
        }
    }

    /// Leaves out policies that are not active and were not for a while.
    pub fn forget(&mut self, active: &BTreeSet<&str>, now: u64) {
        self.policies.retain(|name, evidence| {
            active.contains(name.as_str()) || evidence.total().last.max(evidence.since) + REMEMBERED > now
        });
    }

    /// Whether a writer's addition of this number is in it.
    pub fn has(&self, writer: &str, number: u64) -> bool {
        self.writers.get(writer).is_some_and(|last| *last >= number)
    }

    /// Notes that a writer's addition of this number is in it. Writers' names begin with when they started.
    pub fn sign(&mut self, writer: &str, number: u64) {
        self.writers.insert(writer.to_owned(), number);
        while self.writers.len() > WRITERS {
            self.writers.pop_first();
        }
    }

    /// In few bytes, and at most [`PACKED`]: gzip of JSON. What does not fit is counted together, namespace by namespace.
    pub fn pack(&mut self) -> Vec<u8> {
        self.schema_version = 1;
        let mut most = NAMESPACES;
        loop {
            let packed = self.packed();
            if packed.len() <= PACKED || self.policies.is_empty() {
                return packed;
            }
            if most == 0 {
                // Thousands of policies: names of owners go before counts do, and counts of those without violations last.
                let is_bare = self.policies.values().all(|it| it.others.owners.is_empty() && it.owners.is_empty());
                if is_bare {
                    self.policies.pop_last();
                    continue;
                }
                for evidence in self.policies.values_mut() {
                    evidence.owners = Sketch::default();
                    evidence.others.owners.clear();
                    evidence.others.violators = Sketch::default();
                }
            } else {
                most /= 2;
                self.policies.values_mut().for_each(|evidence| evidence.fold(most));
            }
        }
    }

    fn packed(&self) -> Vec<u8> {
        let json = serde_json::to_vec(self).unwrap_or_default();
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        // Writing to memory cannot fail.
        let _ = encoder.write_all(&json);
        encoder.finish().unwrap_or_default()
    }

    /// The book that was packed.
    ///
    /// # Errors
    /// Bytes that are none, or are of a later version's format.
    pub fn unpack(bytes: &[u8]) -> Result<Self, Damaged> {
        let mut json = Vec::new();
        GzDecoder::new(bytes)
            .take(UNPACKED)
            .read_to_end(&mut json)
            .map_err(|error| Damaged(format!("it cannot be unpacked: {error}")))?;
        let mut book: Self =
            serde_json::from_slice(&json).map_err(|error| Damaged(format!("it is no evidence: {error}")))?;
        if book.schema_version != 1 {
            return Err(Damaged(format!("its schemaVersion is {}, known is 1", book.schema_version)));
        }
        for evidence in book.policies.values_mut() {
            evidence.owners.mend();
            evidence.others.violators.mend();
            evidence.namespaces.values_mut().for_each(|tally| tally.violators.mend());
        }
        Ok(book)
    }
}

#[cfg(test)]
mod tests;
