//! What could lock a cluster, or leave things in it unchecked: what `admittance doctor` looks at, and what it finds.
//!
//! [`Snapshot`] is what was read, as the API server says it. Each room holds one subject against it and finds what is wrong: it
//! asks nobody, so that tests need no cluster.

mod agents;
mod certificate;
mod entries;
mod others;
mod policies;
mod replicas;
mod selecting;
mod snapshot;
mod units;
mod twins;

pub use policies::Policies;
pub use snapshot::{Asks, Snapshot};

use serde::Serialize;

/// How grave it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// The cluster can lock itself, or nothing is checked.
    High,
    /// Something is unchecked, or will be when one more thing fails.
    Medium,
    /// Worth a look.
    Low,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// How grave it is.
    pub severity: Severity,
    /// What is wrong, and with what.
    pub what: String,
    /// What comes of it.
    pub why: String,
    /// What to do.
    pub remedy: String,
}

impl Finding {
    fn new(severity: Severity, what: impl Into<String>, why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { severity, what: what.into(), why: why.into(), remedy: remedy.into() }
    }
}

/// Everything that is wrong, the gravest first.
pub fn examine(snapshot: &Snapshot, policies: &Policies) -> Vec<Finding> {
    let mut found = vec![];
    snapshot.version(&mut found);
    entries::examine(snapshot, &mut found);
    units::examine(snapshot, &mut found);
    certificate::examine(snapshot, &mut found);
    replicas::examine(snapshot, &mut found);
    others::examine(snapshot, &mut found);
    agents::examine(snapshot, &mut found);
    policies.examine(snapshot, &mut found);
    twins::examine(snapshot, policies.units(), &mut found);
    found.sort_by_key(|finding| finding.severity);
    found
}

#[cfg(test)]
mod tests;
