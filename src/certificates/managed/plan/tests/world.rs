//! The world: whatever happens in it happens because a test says so.

use std::collections::BTreeMap;

use super::super::super::live::Configuration;
use super::super::*;

pub(super) const LIFE: Duration = Duration::from_hours(90 * 24);
pub(super) const SECOND: Duration = Duration::from_secs(1);

/// The version of a configuration, and its entries: name, caBundle, and whether a replica has written it.
pub(super) type Entries = (u64, Vec<(&'static str, Vec<u8>, bool)>);

pub(super) struct World {
    pub(super) now: SystemTime,
    pub(super) wishes: Wishes,
    pub(super) secret: Option<(u64, Data)>,
    pub(super) configurations: BTreeMap<Kind, Entries>,
    pub(super) replicas: Vec<Replica>,
    version: u64,
    /// What was written into the Secret, and why.
    pub(super) reasons: Vec<&'static str>,
}

pub(super) struct Replica {
    seen: Seen,
    version: Option<u64>,
    live: Live,
    trusted: Trusted,
    pub(super) leaf: Option<Arc<Leaf>>,
    pub(super) again: Option<SystemTime>,
    /// How much its clock is fast.
    pub(super) fast: Duration,
}

impl Replica {
    pub(super) fn new() -> Self {
        Self {
            seen: Seen::Unknown,
            version: None,
            live: Live::default(),
            trusted: Trusted::default(),
            leaf: None,
            again: None,
            fast: Duration::ZERO,
        }
    }

    pub(super) fn root(&self) -> Option<&Root> {
        self.leaf.as_ref().map(|leaf| &leaf.root)
    }
}

impl World {
    pub(super) fn new(replicas: usize, life: Duration) -> Self {
        let mut world = Self {
            now: SystemTime::UNIX_EPOCH + Duration::from_hours(500_000),
            wishes: Wishes { names: vec!["admittance.admittance.svc".to_owned(), "127.0.0.1".to_owned()], life },
            secret: None,
            configurations: BTreeMap::new(),
            replicas: (0..replicas).map(|_| Replica::new()).collect(),
            version: 0,
            reasons: vec![],
        };
        Kind::BOTH.into_iter().for_each(|kind| world.create(kind));
        world
    }

    fn next_version(&mut self) -> u64 {
        self.version += 1;
        self.version
    }

    /// As Helm does.
    pub(super) fn create(&mut self, kind: Kind) {
        let names: &[&str] = match kind {
            Kind::Mutating => &["mutate.admittance.dev"],
            Kind::Validating => &["validate.admittance.dev", "units.admittance.dev", "other.example"],
        };
        let entries = names.iter().map(|name| (*name, vec![], false)).collect();
        let version = self.next_version();
        self.configurations.insert(kind, (version, entries));
    }

    /// Somebody writes another bundle into the first entry.
    pub(super) fn overwrite(&mut self, kind: Kind, bundle: &[u8]) {
        let version = self.next_version();
        if let Some((known, entries)) = self.configurations.get_mut(&kind) {
            *known = version;
            (entries[0].1, entries[0].2) = (bundle.to_vec(), false);
        }
    }

    /// Somebody changes what is in the Secret.
    pub(super) fn damage(&mut self, change: impl FnOnce(&mut Data)) {
        let version = self.next_version();
        if let Some((known, data)) = &mut self.secret {
            *known = version;
            change(data);
        }
    }

    pub(super) fn look_at_secret(&mut self, replica: usize) {
        let seen = &mut self.replicas[replica];
        seen.version = self.secret.as_ref().map(|(version, _)| *version);
        seen.seen = self.secret.as_ref().map_or(Seen::Absent, |(_, data)| Seen::Present(data.clone()));
    }

    pub(super) fn look_at(&mut self, replica: usize, kind: Kind) {
        let configuration = self.configurations.get(&kind).map(|(version, entries)| {
            let entries = entries.iter().map(|(name, bundle, _)| ((*name).to_owned(), bundle.clone()));
            Configuration::of("uid".to_owned(), version.to_string(), entries)
        });
        self.replicas[replica].live.known.insert(kind, configuration);
    }

    pub(super) fn plan(&mut self, replica: usize) -> Plan {
        let replica = &mut self.replicas[replica];
        let now = self.now + replica.fast;
        let roots = known(&replica.seen, &replica.live, replica.leaf.as_ref());
        replica.trusted.observe(&replica.live, &roots, now);
        plan(&Situation {
            now,
            wishes: &self.wishes,
            secret: &replica.seen,
            live: &replica.live,
            trusted: &replica.trusted,
            presented: replica.leaf.as_ref(),
        })
    }

    /// A replica does what its plan says, by what it has seen. Says whether it did anything.
    pub(super) fn act(&mut self, replica: usize) -> bool {
        let Plan { present, store, bundles, again } = self.plan(replica);
        let has_work = present.is_some() || store.is_some() || !bundles.is_empty();
        let now = self.now + self.replicas[replica].fast;
        self.replicas[replica].again = again;
        if let Some(leaf) = present {
            self.replicas[replica].leaf = Some(leaf);
        }
        if let Some(order) = store
            && self.secret.as_ref().map(|(version, _)| *version) == self.replicas[replica].version
        {
            let reason = order.reason;
            let data = order.carry_out(now, self.wishes.life).unwrap();
            self.reasons.push(reason);
            self.secret = Some((self.next_version(), data));
            self.look_at_secret(replica);
        }
        for (kind, bundle) in bundles {
            let read = self.replicas[replica].live.known[&kind].clone().unwrap();
            let version = self.next_version();
            if let Some((known, entries)) = self.configurations.get_mut(&kind)
                && known.to_string() == read.version
            {
                *known = version;
                for (name, there, is_written) in entries {
                    if read.entries.iter().any(|entry| entry.name == *name) {
                        (*there, *is_written) = (bundle.clone().into_bytes(), true);
                    }
                }
                self.look_at(replica, kind);
            }
        }
        has_work
    }

    /// Everybody looks and acts until nobody has anything to do.
    pub(super) fn settle(&mut self) {
        for _ in 0..30 {
            let mut has_work = false;
            for replica in 0..self.replicas.len() {
                self.look_at_secret(replica);
                Kind::BOTH.into_iter().for_each(|kind| self.look_at(replica, kind));
                has_work |= self.act(replica);
            }
            if !has_work {
                return;
            }
        }
        panic!("replicas do not come to rest: {:?}", self.reasons);
    }

    /// The next time at which anybody would do something by itself.
    pub(super) fn next(&self) -> SystemTime {
        self.replicas.iter().filter_map(|replica| replica.again).min().unwrap()
    }

    pub(super) fn stored(&self) -> Stored {
        Stored::read(&self.secret.as_ref().unwrap().1, &[], self.now)
    }

    /// The CAs that entries of ours trust, by name; panics where the entries differ.
    pub(super) fn bundle(&self) -> Vec<String> {
        let entries = self.configurations.values().flat_map(|(_, entries)| entries);
        let mut ours = entries.filter(|(name, ..)| name.ends_with(".admittance.dev"));
        let first = &ours.next().unwrap().1;
        assert!(ours.all(|(_, bundle, _)| bundle == first));
        root::read(first).into_iter().map(|root| root.name).collect()
    }

    /// What each replica presents, by the name of its CA.
    pub(super) fn presented(&self) -> Vec<String> {
        self.replicas.iter().map(|replica| replica.root().map_or("none".to_owned(), |root| root.name.clone())).collect()
    }
}
