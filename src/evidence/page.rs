//! Evidence as the page `/evidence` shows it, and as commands read it there.

use serde::{Deserialize, Serialize};

use super::Evidence;
use super::book::{Book, PolicyEvidence};
use super::counting::Row;
use super::tally::Tally;

/// The page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    /// 1
    pub schema_version: u32,
    /// When it was made, in seconds since 1970, as all times here.
    pub time: u64,
    /// Whether it is about all replicas: what the others have counted is at most a minute late.
    pub shared: bool,
    /// Every active policy, by name.
    pub policies: Vec<PolicyOfPage>,
}

/// One policy in the version that is active.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyOfPage {
    /// Its name.
    pub name: String,
    /// Its module; None for a policy in CEL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// `Deny`, `Warn`, `Audit` or `Mutate`.
    pub action: String,
    /// The file or ConfigMap that it stands in.
    pub unit: String,
    /// A digest of what it says.
    pub version: String,
    /// Since when this version is active.
    pub since: u64,
    /// How many different owners the objects had that it judged: exact up to 64.
    pub owners: u64,
    /// Everywhere.
    #[serde(flatten)]
    pub total: Counts,
    /// By namespace; the empty one is what is in none, a last one without a name all that are not counted apart.
    pub namespaces: Vec<NamespaceOfPage>,
}

/// One namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamespaceOfPage {
    /// Its name; None for all that are not counted apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// What was counted.
    #[serde(flatten)]
    pub counts: Counts,
}

/// What was counted. Times are zero for never.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Requests that it judged, without dry runs.
    pub requests: u64,
    /// Those in which it found something that it refuses, or would with the action Deny.
    pub violations: u64,
    /// Those in which it found only what it never does more than warn about.
    pub warnings: u64,
    /// Those that were refused for it.
    pub denied: u64,
    /// Those whose object it changed, or would have changed.
    pub mutations: u64,
    /// Those in which it could not be evaluated.
    pub errors: u64,
    /// The first request.
    pub first: u64,
    /// The last one.
    pub last: u64,
    /// The last violation or evaluation error.
    pub last_trouble: u64,
    /// How many different owners the objects with violations have: exact up to 64.
    pub violators: u64,
    /// The first of them.
    pub violating_owners: Vec<OwnerOfPage>,
}

/// The owner of objects with violations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerOfPage {
    /// `NAMESPACE/KIND/NAME`; `KIND/NAME` of what is in no namespace.
    pub owner: String,
    /// Requests with violations.
    pub requests: u64,
    /// The last of them.
    pub last: u64,
}

impl Page {
    /// The page of a server.
    pub fn of(evidence: &Evidence, shared: bool, time: u64) -> Self {
        let (book, rows) = (evidence.book(), evidence.rows());
        let nothing = PolicyEvidence::default();
        let policy = |(name, row): (String, Row)| {
            let known = book.policies.get(&name).unwrap_or(&nothing);
            policy(name, row, known)
        };
        Self { schema_version: 1, time, shared, policies: rows.into_iter().map(policy).collect() }
    }

    /// The evidence that somebody kept, without what is known of policies by running them.
    pub fn of_book(book: &Book, time: u64) -> Self {
        let policies = book.policies.iter().map(|(name, known)| policy(name.clone(), Row::default(), known));
        Self { schema_version: 1, time, shared: true, policies: policies.collect() }
    }

    /// The policy of this name.
    pub fn policy(&self, name: &str) -> Option<&PolicyOfPage> {
        self.policies.iter().find(|policy| policy.name == name)
    }

    /// What several servers together know. Where each knows of the others, it is what the one knows that knows most.
    pub fn together(pages: &[Self]) -> Option<Self> {
        let (first, rest) = pages.split_first()?;
        let mut sum = first.clone();
        for page in rest {
            sum.time = sum.time.max(page.time);
            for policy in &page.policies {
                match sum.policies.iter_mut().find(|known| known.name == policy.name) {
                    None => sum.policies.push(policy.clone()),
                    Some(known) if known.version != policy.version => {
                        if known.since < policy.since {
                            *known = policy.clone();
                        }
                    }
                    Some(known) if page.shared => {
                        if known.total.requests < policy.total.requests {
                            *known = policy.clone();
                        }
                    }
                    Some(known) => known.add(policy),
                }
            }
        }
        sum.policies.sort_by(|left, right| left.name.cmp(&right.name));
        Some(sum)
    }
}

fn policy(name: String, row: Row, known: &PolicyEvidence) -> PolicyOfPage {
    let namespace = |(namespace, tally): (Option<&str>, &Tally)| NamespaceOfPage {
        namespace: namespace.map(ToOwned::to_owned),
        counts: Counts::of(tally),
    };
    PolicyOfPage {
        name,
        module: row.module.map(ToOwned::to_owned),
        action: row.action.to_owned(),
        unit: row.unit,
        version: known.version.clone(),
        since: known.since,
        owners: known.owners.count(),
        total: Counts::of(&known.total()),
        namespaces: known.tallies().map(namespace).collect(),
    }
}

impl PolicyOfPage {
    /// Servers that know nothing of each other. How many owners there are together is not known: at least these.
    fn add(&mut self, other: &Self) {
        self.since = self.since.min(other.since);
        self.owners = self.owners.max(other.owners);
        self.total.add(&other.total);
        for NamespaceOfPage { namespace, counts } in &other.namespaces {
            match self.namespaces.iter_mut().find(|known| known.namespace == *namespace) {
                Some(known) => known.counts.add(counts),
                None => {
                    self.namespaces.push(NamespaceOfPage { namespace: namespace.clone(), counts: counts.clone() });
                }
            }
        }
        self.namespaces.sort_by(|left, right| {
            left.namespace.is_none().cmp(&right.namespace.is_none()).then(left.namespace.cmp(&right.namespace))
        });
    }
}

impl Counts {
    fn of(tally: &Tally) -> Self {
        let owner = |known: &super::tally::Violator| OwnerOfPage {
            owner: known.owner.clone(),
            requests: known.requests,
            last: known.last,
        };
        Self {
            requests: tally.requests,
            violations: tally.violations,
            warnings: tally.warnings,
            denied: tally.denied,
            mutations: tally.mutations,
            errors: tally.errors,
            first: tally.first,
            last: tally.last,
            last_trouble: tally.last_trouble,
            violators: tally.violators.count(),
            violating_owners: tally.owners.iter().map(owner).collect(),
        }
    }

    fn add(&mut self, other: &Self) {
        let mut sum = self.tally();
        sum.add(&other.tally());
        let violators = self.violators.max(other.violators);
        *self = Self::of(&sum);
        self.violators = violators.max(u64::try_from(self.violating_owners.len()).unwrap_or(u64::MAX));
    }

    fn tally(&self) -> Tally {
        let mut tally = Tally {
            requests: self.requests,
            violations: self.violations,
            warnings: self.warnings,
            denied: self.denied,
            mutations: self.mutations,
            errors: self.errors,
            first: self.first,
            last: self.last,
            last_trouble: self.last_trouble,
            ..Tally::default()
        };
        self.violating_owners.iter().for_each(|known| tally.name(&known.owner, known.requests, known.last));
        tally
    }
}

#[cfg(test)]
mod tests;
