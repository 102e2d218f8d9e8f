//! What is to be done next, and when: a pure function of what the Secret and the webhook configurations hold, of what this
//! replica presents, and of the time. Nobody leads: every replica does what is due, and who writes second is refused.
//!
//! The leaf in the Secret is always one that may be presented. A new CA is put beside the leaf of the old one, and into the
//! bundles; only when it has been in all of them for a while is a leaf of it made.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::authority::{Authority, Leaf, Unmade};
use super::bundle::Trust;
use super::live::{Kind, Live, Trusted};
use super::root::{self, LIVES, Root};
use super::stored::{self, Data, Seen, Stored};

/// The longest time for which a new CA has to be trusted before a leaf of it is presented.
const SETTLED: Duration = Duration::from_mins(1);

/// What the certificates are to be.
#[derive(Clone, Debug)]
pub(super) struct Wishes {
    /// The names and addresses that they are for.
    pub(super) names: Vec<String>,
    /// How long a leaf lives.
    pub(super) life: Duration,
}

impl Wishes {
    /// For how long a new CA has to be trusted before a leaf of it is presented.
    pub(super) fn settled(&self) -> Duration {
        SETTLED.min(self.life / 6)
    }
}

/// All that a plan is made from.
#[derive(Debug)]
pub(super) struct Situation<'s> {
    pub(super) now: SystemTime,
    pub(super) wishes: &'s Wishes,
    pub(super) secret: &'s Seen,
    pub(super) live: &'s Live,
    pub(super) trusted: &'s Trusted,
    /// What this replica presents.
    pub(super) presented: Option<&'s Arc<Leaf>>,
}

/// What is to be done now, in this order; then a new plan is to be made.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) present: Option<Arc<Leaf>>,
    pub(super) store: Option<Order>,
    /// What a bundle is to be replaced by.
    pub(super) bundles: Vec<(Kind, String)>,
    /// When something else may have to be done, if nothing changes.
    pub(super) again: Option<SystemTime>,
}

/// What is to be written into the Secret.
#[derive(Debug)]
pub(super) struct Order {
    /// The CA, unless there is to be a new one.
    authority: Option<Authority>,
    leaf: Signed,
    /// What the bundle holds, beside a new CA.
    bundle: Vec<Root>,
    /// What it is for, for the log.
    pub(super) reason: &'static str,
    pub(super) makes_authority: bool,
}

/// The leaf that is written.
#[derive(Debug)]
enum Signed {
    /// One that there is.
    Kept(Arc<Leaf>),
    /// A new one of this CA, for these names.
    By(Box<Authority>, Vec<String>),
    /// A new one of the CA that is written, for these names.
    ByCurrent(Vec<String>),
}

impl Order {
    /// Makes what is to be written.
    pub(super) fn carry_out(self, now: SystemTime, life: Duration) -> Result<Data, Unmade> {
        let mut bundle = self.bundle;
        let authority = match self.authority {
            Some(authority) => authority,
            None => Authority::make(now, life)?,
        };
        if !bundle.contains(&authority.root) {
            bundle.push(authority.root.clone());
            bundle.sort();
        }
        let leaf = match self.leaf {
            Signed::Kept(leaf) => leaf,
            Signed::By(signer, names) => Arc::new(signer.issue(&names, now, life)?),
            Signed::ByCurrent(names) => Arc::new(authority.issue(&names, now, life)?),
        };
        Ok(Stored::write(&authority, &leaf, &bundle))
    }
}

/// Whether something may be done now; if not, when, if that is known.
enum May {
    Now,
    At(SystemTime),
    Later,
}

/// Collects the times at which something may have to be done.
struct Agenda {
    now: SystemTime,
    next: Option<SystemTime>,
}

impl Agenda {
    fn note(&mut self, time: SystemTime) {
        if time > self.now {
            self.next = Some(self.next.map_or(time, |next| next.min(time)));
        }
    }

    fn allows(&mut self, may: &May) -> bool {
        if let May::At(time) = may {
            self.note(*time);
        }
        matches!(may, May::Now)
    }
}

/// All CAs that are known: those whose trust is to be observed.
pub(super) fn known(secret: &Seen, live: &Live, presented: Option<&Arc<Leaf>>) -> Vec<Root> {
    let mut roots = live.roots();
    roots.extend(presented.map(|leaf| leaf.root.clone()));
    if let Seen::Present(data) = secret {
        roots.extend(stored::roots(data));
    }
    roots
}

/// What is to be done.
pub(super) fn plan(situation: &Situation<'_>) -> Plan {
    let Situation { now, wishes, live, .. } = *situation;
    let mut agenda = Agenda { now, next: None };
    let stored = match situation.secret {
        Seen::Unknown => return Plan { present: None, store: None, bundles: vec![], again: None },
        Seen::Absent => None,
        Seen::Present(data) => {
            let known = known(&Seen::Absent, live, situation.presented);
            Some(Stored::read(data, &known, now))
        }
    };
    let presented = situation.presented.filter(|leaf| leaf.not_after() > now);
    let stored_leaf = stored.as_ref().and_then(|stored| stored.leaf.as_ref().ok());

    let mut roots = live.roots();
    roots.extend(stored.iter().flat_map(|stored| stored.bundle.iter().cloned()));
    let authority = stored.as_ref().and_then(|stored| stored.authority.as_ref().ok());
    let mut in_use: Vec<Root> = authority.iter().map(|authority| authority.root.clone()).collect();
    in_use.extend(stored_leaf.into_iter().chain(presented).map(|leaf| leaf.root.clone()));
    let trust = Trust::of(roots, in_use, wishes.life);
    for root in trust.roots() {
        agenda.note(trust.leaves(root));
    }
    for leaf in stored_leaf.into_iter().chain(presented) {
        agenda.note(leaf.not_after());
    }

    let is_other = |leaf: &&Arc<Leaf>| presented.is_none_or(|presented| presented.chain != leaf.chain);
    let present = stored_leaf.filter(is_other).filter(|leaf| agenda.allows(&situation.may_present(leaf))).cloned();
    let bundles = situation.bundles(&trust);
    let store = situation.store(stored, &trust, &mut agenda);
    Plan { present, store, bundles, again: agenda.next }
}

impl Situation<'_> {
    fn presented(&self) -> Option<&Arc<Leaf>> {
        self.presented.filter(|leaf| leaf.not_after() > self.now)
    }

    /// Whether a CA has been trusted for long enough.
    fn is_settled(&self, root: &Root) -> May {
        let Some(since) = self.trusted.since(root) else { return May::Later };
        let then = since + self.wishes.settled();
        if then <= self.now { May::Now } else { May::At(then) }
    }

    /// Whether a leaf of the Secret may take the place of what is presented.
    fn may_present(&self, leaf: &Leaf) -> May {
        match self.presented() {
            Some(presented) if presented.root == leaf.root => May::Now,
            // Somebody who has presented already may not present again what nobody trusts; better than what has expired it is.
            None if self.presented.is_some() => May::Now,
            // A start. What is in the Secret may be presented, unless it was made because what others present was lost.
            None if self.trusted.is_from_start(&leaf.root) || self.trusts_no_other(&leaf.root) => May::Now,
            _ => self.is_settled(&leaf.root),
        }
    }

    /// Whether nobody can present a leaf of another CA and be trusted, as far as is known.
    fn trusts_no_other(&self, root: &Root) -> bool {
        !self.live.is_known() || self.live.roots().iter().all(|other| other == root)
    }

    /// The bundles that are not as they are to be.
    fn bundles(&self, trust: &Trust) -> Vec<(Kind, String)> {
        let mut bundles = vec![];
        for (kind, configuration) in self.live.configurations() {
            let wanted = root::write(&trust.wanted(&configuration.roots(), self.now));
            // Without any CA there is nothing yet that could be written.
            if !wanted.is_empty() && configuration.entries.iter().any(|entry| entry.bundle != wanted.as_bytes()) {
                bundles.push((kind, wanted));
            }
        }
        bundles
    }

    /// What is to be written into the Secret.
    fn store(&self, stored: Option<Stored>, trust: &Trust, agenda: &mut Agenda) -> Option<Order> {
        let (now, names, life) = (self.now, &self.wishes.names, self.wishes.life);
        let there = stored.as_ref().map(|stored| stored.bundle.clone()).unwrap_or_default();
        let bundle = trust.wanted(&there, now);
        let Some(Stored { authority, leaf, bundle_text, .. }) = stored else {
            return self.new_authority(None, None, bundle, "there was no Secret");
        };
        let authority = match authority {
            Ok(authority) => authority,
            Err(damage) => return self.new_authority(None, leaf.ok(), bundle, damage.0),
        };
        let due = authority.root.span.due(life * LIVES);
        if due <= now {
            return self.new_authority(Some(authority), leaf.ok(), bundle, "the CA was due for renewal");
        }
        agenda.note(due);
        let order = |authority, leaf, reason| {
            Some(Order { authority: Some(authority), leaf, bundle: bundle.clone(), reason, makes_authority: false })
        };
        let leaf = match leaf {
            Ok(leaf) => leaf,
            Err(damage) => {
                let kept = self.presented().filter(|leaf| leaf.root != authority.root);
                let kept = kept.filter(|_| !agenda.allows(&self.is_settled(&authority.root))).cloned();
                return order(authority, kept.map_or_else(|| Signed::ByCurrent(names.clone()), Signed::Kept), damage.0);
            }
        };
        let may = if leaf.root == authority.root { May::Now } else { self.is_settled(&authority.root) };
        if agenda.allows(&may) {
            let due = leaf.span.due(life);
            agenda.note(due);
            if leaf.root != authority.root {
                return order(authority, Signed::ByCurrent(names.clone()), "the new CA is trusted");
            }
            if due <= now {
                return order(authority, Signed::ByCurrent(names.clone()), "the certificate was due for renewal");
            }
            if !leaf.is_for(names) {
                // Replicas that are started with other names keep theirs until it is renewed.
                let mut all = leaf.names.clone();
                all.extend(names.iter().filter(|name| !leaf.names.contains(name)).cloned());
                return order(authority, Signed::ByCurrent(all), "a name was missing");
            }
        }
        if self.live.is_known() && root::write(&bundle).as_bytes() != bundle_text {
            return order(authority, Signed::Kept(leaf), "the bundle was not up to date");
        }
        None
    }

    /// A new CA, with a leaf that is trusted already as long as there is one.
    fn new_authority(
        &self,
        old: Option<Authority>,
        stored: Option<Arc<Leaf>>,
        bundle: Vec<Root>,
        reason: &'static str,
    ) -> Option<Order> {
        // Who is trusted must be known, or the bundle would not hold it.
        if !self.live.is_known() {
            return None;
        }
        let names = self.wishes.names.clone();
        let leaf = match (old, stored.or_else(|| self.presented().cloned())) {
            // The last leaf of the old CA gives the new one all the time that a leaf lives.
            (Some(old), leaf) if leaf.as_ref().is_none_or(|leaf| leaf.root == old.root) => {
                Signed::By(Box::new(old), names)
            }
            (_, Some(leaf)) => Signed::Kept(leaf),
            (_, None) => Signed::ByCurrent(names),
        };
        Some(Order { authority: None, leaf, bundle, reason, makes_authority: true })
    }
}

impl fmt::Display for Order {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.reason)
    }
}

#[cfg(test)]
mod tests;
