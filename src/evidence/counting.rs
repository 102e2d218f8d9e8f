//! One decision, counted; and what was counted, gathered.
//!
//! Counting is on the way of every request: it takes one of a few locks that nobody else holds, looks up a policy and a
//! namespace, and allocates nothing but for what is new. Gathering empties those shards into one book.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use admittance_engine::kubernetes::owner;
use admittance_engine::pipeline::Route;
use admittance_engine::review::Review;
use admittance_engine::unit::CompiledUnit;
use admittance_engine::verdict::wording::cut;
use admittance_engine::verdict::{Action, Origin, Verdict};
use sha2::{Digest as _, Sha256};

use super::book::{Book, PolicyEvidence};
use super::sketch::{Hash, Sketch};
use super::tally::Tally;
use crate::source::Active;

/// How many requests can be counted at once.
const SHARDS: usize = 16;
/// How many tallies a shard may hold between two gatherings: what is in further namespaces counts together.
const TALLIES: usize = 4_096;
/// The longest text that names an owner, in bytes: kinds and names of controllers are what a user wrote.
const OWNER: usize = 320;

/// All that was counted.
pub struct Evidence {
    shards: [Mutex<Shard>; SHARDS],
    gathered: Mutex<Gathered>,
}

/// What was counted since the last gathering, by the address of the policy's origin: it is the policy in the version that
/// judged, and it lives as long as this holds it.
#[derive(Default)]
struct Shard {
    policies: HashMap<usize, Counted>,
    tallies: usize,
}

struct Counted {
    origin: Arc<Origin>,
    owners: Sketch,
    namespaces: HashMap<Box<str>, Tally>,
    others: Tally,
}

/// A policy that is active, for pages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) module: Option<&'static str>,
    pub(super) action: &'static str,
    pub(super) unit: String,
}

#[derive(Default)]
struct Gathered {
    /// Counted since the last time that it was kept: every active policy, if only with its version.
    fresh: Book,
    /// On its way to where it is kept, with its number; it may be there already.
    pending: Option<(u64, Book)>,
    /// As it was last read or written.
    kept: Book,
    /// The origins of the policies that are active.
    origins: HashSet<usize>,
    rows: BTreeMap<String, Row>,
    additions: u64,
}

fn address(origin: &Arc<Origin>) -> usize {
    Arc::as_ptr(origin).addr()
}

impl Default for Evidence {
    fn default() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::default()), gathered: Mutex::default() }
    }
}

impl Evidence {
    /// Counts one decision. Dry runs are none, and on `/validate` only policies that judge have decided.
    pub fn count<'a>(&self, review: &Review<'a>, verdict: &Verdict<'a>, route: Route, now: u64) {
        if review.dry_run || (verdict.turn.is_none() && verdict.failures.is_empty()) {
            return;
        }
        let owner = Owner::of(review, verdict);
        self.shard().count(review.namespace, verdict, route, &owner, now);
    }

    /// A shard that nobody else counts into; if there is none, the first.
    fn shard(&self) -> MutexGuard<'_, Shard> {
        let free = self.shards.iter().find_map(|shard| shard.try_lock().ok());
        free.unwrap_or_else(|| {
            let [first, ..] = &self.shards;
            first.lock().unwrap_or_else(PoisonError::into_inner)
        })
    }

    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        for shard in &self.shards {
            let counted = std::mem::take(&mut *shard.lock().unwrap_or_else(PoisonError::into_inner));
            gathered.take(counted);
        }
        gathered
    }

    /// From now on these are the policies that are active: one in another version than before begins anew.
    pub fn activate(&self, active: &Active, now: u64) {
        self.gathered().activate(active, now);
    }

    /// All there is, with what was read from where it is kept.
    pub fn book(&self) -> Book {
        self.gathered().book()
    }

    /// The active policies.
    pub(super) fn rows(&self) -> BTreeMap<String, Row> {
        self.gathered().rows.clone()
    }

    /// What is to be kept next, and its number: the same again until [`Self::is_kept`].
    pub(super) fn pending(&self) -> (u64, Book) {
        let mut gathered = self.gathered();
        if gathered.pending.is_none() {
            let next = gathered.fresh.emptied();
            gathered.additions += 1;
            gathered.pending = Some((gathered.additions, std::mem::replace(&mut gathered.fresh, next)));
        }
        gathered.pending.clone().unwrap_or_default()
    }

    /// What is pending is in `kept` now, as it stands where it is kept.
    pub(super) fn is_kept(&self, kept: Book) {
        let mut gathered = self.gathered();
        gathered.pending = None;
        gathered.kept = kept;
    }

    /// What was kept before this process.
    pub(super) fn remember(&self, kept: Book) {
        self.gathered().kept = kept;
    }

    /// As if a policy had judged so many requests without a finding.
    #[cfg(test)]
    pub(super) fn invent(&self, policy: &str, namespace: &str, requests: u64) {
        let tally = Tally { requests, first: 1, last: 1, ..Tally::default() };
        if let Some(known) = self.gathered().fresh.policies.get_mut(policy) {
            known.tally(Some(namespace)).add(&tally);
        }
    }

    /// Leaves out of a book what is not active any more.
    pub(super) fn tidy(&self, book: &mut Book, now: u64) {
        let gathered = self.gathered();
        let active: BTreeSet<&str> = gathered.rows.keys().map(String::as_str).collect();
        // Before the first policies are loaded, none is active.
        if !active.is_empty() {
            book.forget(&active, now);
        }
    }
}

impl fmt::Debug for Evidence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Evidence")
    }
}

impl Book {
    /// The same policies in the same versions, with nothing counted.
    fn emptied(&self) -> Self {
        let emptied = |evidence: &PolicyEvidence| PolicyEvidence {
            version: evidence.version.clone(),
            since: evidence.since,
            ..PolicyEvidence::default()
        };
        let policies = self.policies.iter().map(|(name, evidence)| (name.clone(), emptied(evidence))).collect();
        Self { policies, ..Self::default() }
    }
}

impl Gathered {
    /// Takes over what a shard has counted. What is about policies that are not active any more is dropped: those were
    /// requests under way when the policies changed.
    fn take(&mut self, shard: Shard) {
        for counted in shard.policies.into_values() {
            if !self.origins.contains(&address(&counted.origin)) {
                continue;
            }
            let Some(evidence) = self.fresh.policies.get_mut(&counted.origin.policy) else { continue };
            evidence.owners.merge(&counted.owners);
            for (namespace, tally) in counted.namespaces {
                evidence.tally(Some(&namespace)).add(&tally);
            }
            evidence.others.add(&counted.others);
        }
    }

    fn activate(&mut self, active: &Active, now: u64) {
        let mut fresh = Book::default();
        for (name, version) in versions(&active.compiled) {
            let same = |book: &Book| book.policies.get(&name).filter(|known| known.version == version).cloned();
            let evidence = same(&self.fresh).unwrap_or_else(|| {
                let pending = self.pending.as_ref().and_then(|(_, pending)| same(pending));
                // What is kept of the same version, and says that it began earlier, is added to.
                let since = pending.map_or(now, |known| known.since);
                PolicyEvidence { version: version.clone(), since, ..PolicyEvidence::default() }
            });
            fresh.policies.insert(name, evidence);
        }
        self.fresh = fresh;
        let set = &active.set;
        let heads = set.mutators().iter().map(|it| &it.head).chain(set.validators().iter().map(|it| &it.head));
        self.origins = heads.map(|head| address(&head.origin)).collect();
        self.rows = rows(active);
    }

    fn book(&self) -> Book {
        let mut book = self.kept.clone();
        self.pending.iter().for_each(|(_, pending)| book.add(pending));
        book.add(&self.fresh);
        book
    }
}

/// The policies of these units, each with a digest of all documents that make it what it is.
pub fn versions(units: &[Arc<CompiledUnit>]) -> BTreeMap<String, String> {
    let mut parts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, version) in units.iter().flat_map(|unit| unit.versions()) {
        parts.entry(name).or_default().push(version);
    }
    let whole = |mut parts: Vec<&str>| match parts.as_slice() {
        [one] => (*one).to_owned(),
        _ => {
            parts.sort_unstable();
            let digest = Sha256::digest(parts.join(" "));
            digest.iter().take(8).fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
        }
    };
    parts.into_iter().map(|(name, parts)| (name.to_owned(), whole(parts))).collect()
}

fn rows(active: &Active) -> BTreeMap<String, Row> {
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    let set = &active.set;
    let mutators = set.mutators().iter().map(|it| (&it.head, if it.shadow { "Audit" } else { "Mutate" }));
    let validators = set.validators().iter().map(|it| (&it.head, it.actions.gravest().as_str()));
    for (head, action) in mutators.chain(validators) {
        let origin = &head.origin;
        let row = Row { module: origin.module, action, unit: origin.unit.clone() };
        // Of several bindings the one that does most.
        let gravity = |action: &str| ["Mutate", "Deny", "Warn", "Audit"].iter().position(|word| *word == action);
        match rows.get_mut(&origin.policy) {
            Some(known) if gravity(known.action) <= gravity(row.action) => {}
            _ => drop(rows.insert(origin.policy.clone(), row)),
        }
    }
    rows
}

impl Shard {
    fn count(&mut self, namespace: &str, verdict: &Verdict<'_>, route: Route, owner: &Owner<'_>, now: u64) {
        for turn in verdict.turns() {
            let is_same = |origin: &Origin| origin.policy == turn.origin.policy;
            // Of a policy that several bindings put in force the first stands for all; on /validate mutators only compare.
            let is_again = turn.origin.binding.is_some() && turn.before().any(|earlier| is_same(earlier.origin));
            if is_again || (turn.mutates && route == Route::Validate) {
                continue;
            }
            let (owners, tally) = self.tally(turn.origin, namespace);
            owners.add(owner.hash());
            tally.requests += 1;
            tally.first = if tally.first == 0 { now } else { tally.first };
            tally.last = now;
            let findings = || verdict.findings.iter().filter(|found| is_same(&found.origin));
            if verdict.edits.iter().any(|edit| is_same(&edit.origin)) {
                tally.mutations += 1;
            }
            if findings().any(|found| found.finding.gravest == Action::Deny) {
                tally.violations += 1;
                tally.last_trouble = now;
                tally.violators.add(owner.hash());
                tally.name(&owner.to_string(), 1, now);
            } else if findings().next().is_some() {
                tally.warnings += 1;
            }
            if findings().any(|found| found.action == Action::Deny) {
                tally.denied += 1;
            }
        }
        for (position, failure) in verdict.failures.iter().enumerate() {
            let before = verdict.failures.iter().take(position);
            if before.into_iter().all(|other| other.origin.policy != failure.origin.policy) {
                let (_, tally) = self.tally(&failure.origin, namespace);
                tally.errors += 1;
                tally.last_trouble = now;
            }
        }
    }

    fn tally(&mut self, origin: &Arc<Origin>, namespace: &str) -> (&mut Sketch, &mut Tally) {
        let counted = self.policies.entry(address(origin)).or_insert_with(|| Counted {
            origin: Arc::clone(origin),
            owners: Sketch::default(),
            namespaces: HashMap::new(),
            others: Tally::default(),
        });
        if !counted.namespaces.contains_key(namespace) {
            if self.tallies >= TALLIES {
                return (&mut counted.owners, &mut counted.others);
            }
            self.tallies += 1;
            counted.namespaces.insert(namespace.into(), Tally::default());
        }
        let tally = counted.namespaces.get_mut(namespace).unwrap_or(&mut counted.others);
        (&mut counted.owners, tally)
    }
}

/// Who has to do with a violation: the controller that made the object, or the object itself.
struct Owner<'a> {
    namespace: &'a str,
    kind: &'a str,
    name: &'a str,
    /// Whether the name is only the front of one.
    is_front: bool,
}

impl<'a> Owner<'a> {
    fn of(review: &Review<'a>, verdict: &Verdict<'a>) -> Self {
        let object = verdict.roots.original;
        let controller = owner::controller(object).and_then(|owner| Some((owner.str("kind")?, owner.str("name")?)));
        let named = |text: Option<&str>| text.is_some_and(|text| !text.is_empty());
        let metadata = object.get("metadata").unwrap_or_default();
        let is_front = controller.is_none() && review.name.is_empty() && !named(metadata.str("name"));
        let (kind, name) = controller.unwrap_or_else(|| (review.kind.kind, review.object_name()));
        // The name of a Namespace is its own, and so is that which the request is in.
        let namespace = if review.is_of_namespace() { "" } else { review.namespace };
        Self { namespace, kind, name, is_front }
    }

    fn hash(&self) -> Hash {
        Hash::default().part(self.namespace).part(self.kind).part(self.name)
    }
}

impl fmt::Display for Owner<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let front = if self.namespace.is_empty() { "" } else { "/" };
        let rest = if self.is_front { "*" } else { "" };
        let text = format!("{}{front}{}/{}{rest}", self.namespace, self.kind, self.name);
        formatter.write_str(&cut(&text, OWNER))
    }
}

#[cfg(test)]
pub(crate) mod tests;
