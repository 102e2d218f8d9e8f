//! Whatever happens, in whatever order: what is presented is trusted.

use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;

use super::super::super::stored::KEYS;
use super::super::*;
use super::world::{Entries, Replica, World};

/// Somebody's doing; everything comes to rest before the next.
#[derive(Clone, Debug)]
enum Disturbance {
    None,
    DeleteSecret,
    /// What is under one of its keys is gone.
    DamageSecret(usize),
    /// What is under one of its keys is what is under another one.
    ConfuseSecret(usize, usize),
    Overwrite(Kind),
    CreateAgain(Kind),
    Restart(usize),
    /// The Secret is gone, and who starts is the first to see it.
    RestartWithoutSecret(usize),
}

/// What happens between.
#[derive(Clone, Debug)]
enum Step {
    /// Time passes: so many thousandths of a life.
    Pass(u32),
    LookAtSecret(usize),
    LookAt(usize, Kind),
    Act(usize),
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Mutating), Just(Kind::Validating)]
}

fn disturbance() -> impl Strategy<Value = Disturbance> {
    prop_oneof![
        3 => Just(Disturbance::None),
        2 => Just(Disturbance::DeleteSecret),
        2 => (0..KEYS.len()).prop_map(Disturbance::DamageSecret),
        2 => (0..KEYS.len(), 0..KEYS.len()).prop_map(|(one, other)| Disturbance::ConfuseSecret(one, other)),
        1 => kind().prop_map(Disturbance::Overwrite),
        1 => kind().prop_map(Disturbance::CreateAgain),
        1 => (0..3_usize).prop_map(Disturbance::Restart),
        1 => (0..3_usize).prop_map(Disturbance::RestartWithoutSecret),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0..60_u32).prop_map(Step::Pass),
        1 => (0..3_usize).prop_map(Step::LookAtSecret),
        2 => (0..3_usize, kind()).prop_map(|(replica, kind)| Step::LookAt(replica, kind)),
        3 => (0..3_usize).prop_map(Step::Act),
    ]
}

struct Run {
    world: World,
    /// What API servers may still know of the configurations: they are behind by up to half of the time that is waited.
    past: VecDeque<(SystemTime, BTreeMap<Kind, Entries>)>,
    acted: Vec<SystemTime>,
}

impl Run {
    fn new(life: Duration, fast: &[u32]) -> Self {
        let mut world = World::new(3, life);
        for (replica, fast) in world.replicas.iter_mut().zip(fast) {
            replica.fast = (life * *fast / 1_000).min(Duration::from_mins(30));
        }
        world.settle();
        Self { acted: vec![world.now; 3], past: VecDeque::new(), world }
    }

    fn disturb(&mut self, disturbance: &Disturbance) {
        let world = &mut self.world;
        match *disturbance {
            Disturbance::None => {}
            Disturbance::DeleteSecret => world.secret = None,
            Disturbance::DamageSecret(key) => world.damage(|data| drop(data.remove(KEYS[key]))),
            Disturbance::ConfuseSecret(one, other) => world.damage(|data| {
                let value = data[KEYS[other]].clone();
                data.insert(KEYS[one].to_owned(), value);
            }),
            Disturbance::Overwrite(kind) => world.overwrite(kind, b"nothing"),
            Disturbance::CreateAgain(kind) => world.create(kind),
            Disturbance::Restart(replica) | Disturbance::RestartWithoutSecret(replica) => {
                let fast = world.replicas[replica].fast;
                world.replicas[replica] = Replica::new();
                world.replicas[replica].fast = fast;
                if matches!(disturbance, Disturbance::RestartWithoutSecret(_)) {
                    world.secret = None;
                    world.look_at_secret(replica);
                    Kind::BOTH.into_iter().for_each(|kind| world.look_at(replica, kind));
                    for _ in 0..8 {
                        world.act(replica);
                    }
                }
            }
        }
        self.remember();
        self.check();
    }

    fn act(&mut self, replica: usize) {
        self.world.act(replica);
        self.acted[replica] = self.world.now;
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Pass(thousandths) => {
                self.remember();
                self.world.now += self.world.wishes.life * thousandths / 1_000;
                for replica in 0..3 {
                    if self.world.now > self.acted[replica] + self.world.wishes.life / 10 {
                        self.world.look_at_secret(replica);
                        Kind::BOTH.into_iter().for_each(|kind| self.world.look_at(replica, kind));
                        self.act(replica);
                    }
                }
            }
            Step::LookAtSecret(replica) => self.world.look_at_secret(replica),
            Step::LookAt(replica, kind) => self.world.look_at(replica, kind),
            Step::Act(replica) => self.act(replica),
        }
        self.remember();
        self.check();
    }

    /// Time enough for everything to come to rest.
    fn rest(&mut self) {
        for _ in 0..4 {
            self.world.now += self.world.wishes.life / 10;
            self.remember();
            self.world.settle();
            self.acted = vec![self.world.now; 3];
            self.remember();
            self.check();
        }
        let stored = self.world.stored();
        assert!(stored.leaf.is_ok(), "{stored:?}: {:?}", self.world.reasons);
        let (authority, leaf) = (stored.authority.unwrap(), stored.leaf.unwrap());
        assert_eq!(leaf.root, authority.root);
        assert!(self.world.replicas.iter().all(|replica| replica.leaf.as_ref().unwrap().chain == leaf.chain));
        assert!(self.world.bundle().contains(&authority.root.name));
    }

    fn remember(&mut self) {
        self.past.push_back((self.world.now, self.world.configurations.clone()));
        let oldest = self.world.now - Duration::from_mins(1).min(self.world.wishes.life / 6) / 2;
        // The last state from before is the one that is known at that time.
        while self.past.get(1).is_some_and(|(time, _)| *time <= oldest) {
            self.past.pop_front();
        }
    }

    /// What is presented has not expired, and every entry that a replica has written trusts it.
    fn check(&self) {
        let now = [(self.world.now, self.world.configurations.clone())];
        for replica in &self.world.replicas {
            let Some(leaf) = &replica.leaf else { continue };
            let root = root::write([&leaf.root]);
            assert!(leaf.not_after() > self.world.now, "an expired leaf is presented: {:?}", self.world.reasons);
            for (_, configurations) in self.past.iter().chain(&now) {
                for (name, bundle, is_written) in configurations.values().flat_map(|(_, entries)| entries) {
                    let is_trusted = || String::from_utf8_lossy(bundle).contains(&root);
                    assert!(!is_written || is_trusted(), "{name} does not trust {leaf:?}: {:?}", self.world.reasons);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_presented_is_trusted_at_every_moment(
        seconds in prop_oneof![Just(12_u64), Just(3_600), Just(7_776_000)],
        fast in prop::collection::vec(0..20_u32, 3),
        events in prop::collection::vec((disturbance(), prop::collection::vec(step(), 0..30)), 1..8),
    ) {
        let mut run = Run::new(Duration::from_secs(seconds), &fast);
        run.rest();
        for (disturbance, steps) in &events {
            run.disturb(disturbance);
            steps.iter().for_each(|step| run.step(step));
            run.rest();
        }
    }
}
