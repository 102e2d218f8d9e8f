//! The webhook configurations as they are in the cluster, and since when they trust whom.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use super::root::{self, Root, RootId};

/// The entries of ours in a webhook configuration have names that end so.
const OURS: &str = ".admittance.dev";

/// Which of the two webhook configurations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Mutating,
    Validating,
}

impl Kind {
    pub(super) const BOTH: [Self; 2] = [Self::Mutating, Self::Validating];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Mutating => "MutatingWebhookConfiguration",
            Self::Validating => "ValidatingWebhookConfiguration",
        }
    }
}

/// A webhook configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Configuration {
    pub(super) uid: String,
    pub(super) version: String,
    /// The entries of ours.
    pub(super) entries: Vec<Entry>,
}

/// An entry of a webhook configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    /// Its caBundle; empty where it has none.
    pub(super) bundle: Vec<u8>,
    /// The CAs of ours in it.
    roots: Vec<Root>,
}

impl Configuration {
    /// Of all entries, by name and caBundle.
    pub(super) fn of(uid: String, version: String, entries: impl Iterator<Item = (String, Vec<u8>)>) -> Self {
        let ours = entries.filter(|(name, _)| name.ends_with(OURS));
        let entries = ours.map(|(name, bundle)| Entry { name, roots: root::read(&bundle), bundle });
        Self { uid, version, entries: entries.collect() }
    }

    /// The CAs of ours in any entry.
    pub(super) fn roots(&self) -> Vec<Root> {
        self.entries.iter().flat_map(|entry| entry.roots.iter().cloned()).collect()
    }

    fn trusts(&self, wanted: &Root) -> bool {
        self.entries.iter().all(|entry| entry.roots.contains(wanted))
    }
}

/// What is known of the two.
#[derive(Clone, Debug, Default)]
pub(super) struct Live {
    /// Those that were looked for; none where there is none.
    pub(super) known: BTreeMap<Kind, Option<Configuration>>,
}

impl Live {
    /// Whether both were looked for.
    pub(super) fn is_known(&self) -> bool {
        Kind::BOTH.iter().all(|kind| self.known.contains_key(kind))
    }

    /// Those that there are.
    pub(super) fn configurations(&self) -> impl Iterator<Item = (Kind, &Configuration)> {
        self.known.iter().filter_map(|(kind, found)| Some((*kind, found.as_ref()?)))
    }

    /// The CAs of ours in any of them.
    pub(super) fn roots(&self) -> Vec<Root> {
        self.configurations().flat_map(|(_, configuration)| configuration.roots()).collect()
    }

    /// Whether every entry has it. One that is not there asks nobody, and gets its bundle when it comes.
    pub(super) fn trusts(&self, root: &Root) -> bool {
        self.is_known() && self.configurations().all(|(_, configuration)| configuration.trusts(root))
    }
}

/// Since when each CA has been in every entry, without a break, as far as this replica has seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Trusted {
    since: BTreeMap<RootId, SystemTime>,
    /// Those that were there when this replica looked for the first time: for how long, it does not know.
    from_start: Option<BTreeSet<RootId>>,
}

impl Trusted {
    /// Takes note of what is trusted now, of these.
    pub(super) fn observe<'r>(&mut self, live: &Live, roots: impl IntoIterator<Item = &'r Root>, now: SystemTime) {
        if !live.is_known() {
            return;
        }
        let before = std::mem::take(&mut self.since);
        for root in roots {
            if live.trusts(root) {
                // A clock that was set back must not make it wait longer than from now on.
                let since = before.get(&root.id).copied().unwrap_or(now).min(now);
                self.since.insert(root.id, since);
            }
        }
        match &mut self.from_start {
            None => self.from_start = Some(self.since.keys().copied().collect()),
            Some(from_start) => from_start.retain(|id| self.since.contains_key(id)),
        }
    }

    /// Since when it has been trusted; none where it is not.
    pub(super) fn since(&self, root: &Root) -> Option<SystemTime> {
        self.since.get(&root.id).copied()
    }

    /// Whether it has been trusted ever since this replica looked for the first time.
    pub(super) fn is_from_start(&self, root: &Root) -> bool {
        self.from_start.as_ref().is_some_and(|from_start| from_start.contains(&root.id))
    }
}
