//! What happens in which order, and after which time.

use k8s_openapi::ByteString;

use super::super::super::stored::{BUNDLE, CA_KEY, CERTIFICATE, KEY};
use super::super::*;
use super::world::{LIFE, Replica, SECOND, World};

/// Two replicas that have started.
fn started() -> (World, String) {
    let mut world = World::new(2, LIFE);
    world.settle();
    let name = world.stored().authority.unwrap().root.name;
    (world, name)
}

#[test]
fn presents_at_once_at_the_first_start() {
    let (world, first) = started();
    assert_eq!(world.reasons, ["there was no Secret"]);
    assert_eq!(world.presented(), [first.clone(), first.clone()]);
    assert_eq!(world.bundle(), [first]);
    let (stored, leaf) = (world.stored(), world.replicas[0].leaf.clone().unwrap());
    assert_eq!(leaf.names, world.wishes.names);
    assert_eq!(leaf.span.created + LIFE, leaf.span.not_after);
    let root = stored.authority.unwrap().root;
    assert_eq!(root.span.created + LIFE * 10, root.span.not_after);
    // The entry of somebody else is left alone.
    assert!(
        world.configurations[&Kind::Validating]
            .1
            .iter()
            .any(|(name, bundle, _)| *name == "other.example" && bundle.is_empty())
    );
    assert_eq!(world.next(), world.now + LIFE * 2 / 3);
}

#[test]
fn renews_a_leaf_after_two_thirds_of_its_life_without_waiting() {
    let (mut world, first) = started();
    let before = world.replicas[0].leaf.clone().unwrap();
    world.now = world.next() - SECOND;
    world.settle();
    assert_eq!(world.reasons.len(), 1);
    world.now = world.next();
    world.settle();
    assert_eq!(world.reasons[1..], ["the certificate was due for renewal"]);
    let after = world.replicas.iter().map(|replica| replica.leaf.clone().unwrap().chain.clone()).collect::<Vec<_>>();
    assert!(after[0] == after[1] && after[0] != before.chain);
    assert_eq!(world.bundle(), [first]);
}

#[test]
fn a_new_ca_signs_only_when_it_has_been_trusted_for_a_minute_and_the_old_one_leaves_when_its_leaves_have_expired() {
    let (mut world, first) = started();
    let begun = world.now;
    // Nine leaves are renewed before it.
    for _ in 0..10 {
        world.now = world.next();
        world.settle();
    }
    assert_eq!(world.reasons.last(), Some(&"the CA was due for renewal"));
    assert_eq!(world.now, begun + LIFE * 10 * 2 / 3);
    let second = world.stored().authority.unwrap().root.name;
    assert_eq!(world.bundle(), [second.clone(), first.clone()]);
    assert_eq!(world.presented(), [first.clone(), first.clone()]);
    // The old CA has signed a last leaf: all of its life is left for what comes.
    assert_eq!(world.replicas[1].leaf.clone().unwrap().span.created, world.now);

    let renewed = world.now;
    world.now = world.next() - SECOND;
    world.settle();
    assert_eq!(world.presented(), [first.clone(), first.clone()]);
    world.now = world.next();
    assert_eq!(world.now, renewed + Duration::from_mins(1));
    world.settle();
    assert_eq!(world.reasons.last(), Some(&"the new CA is trusted"));
    assert_eq!(world.presented(), [second.clone(), second.clone()]);
    assert_eq!(world.bundle(), [second.clone(), first.clone()]);

    world.now = renewed + LIFE - SECOND;
    world.settle();
    assert_eq!(world.bundle(), [second.clone(), first]);
    world.now = renewed + LIFE;
    world.settle();
    assert_eq!(world.bundle(), std::slice::from_ref(&second));
    assert_eq!(world.stored().bundle.iter().map(|root| root.name.clone()).collect::<Vec<_>>(), [second]);
}

#[test]
fn waits_a_sixth_of_a_short_life() {
    let mut world = World::new(1, SECOND * 12);
    world.settle();
    world.secret = None;
    let deleted = world.now;
    world.settle();
    world.now = world.next();
    assert_eq!(world.now, deleted + SECOND * 2);
    world.settle();
    assert_eq!(world.reasons.last(), Some(&"the new CA is trusted"));
}

#[test]
fn waits_anew_when_a_bundle_is_overwritten_meanwhile() {
    let mut world = World::new(1, LIFE);
    world.settle();
    let first = world.stored().authority.unwrap().root.name;
    world.secret = None;
    world.settle();
    world.now += SECOND * 40;
    world.overwrite(Kind::Mutating, b"");
    world.settle();
    assert_eq!(world.bundle().len(), 2);
    world.now += SECOND * 59;
    world.settle();
    assert_eq!(world.presented(), std::slice::from_ref(&first));
    world.now += SECOND;
    world.settle();
    assert!(!world.presented().contains(&first));
}

#[test]
fn a_deleted_secret_gets_a_new_ca_beside_the_leaf_that_is_presented() {
    let (mut world, first) = started();
    let leaf = world.replicas[0].leaf.clone().unwrap();
    world.secret = None;
    world.settle();
    assert_eq!(world.reasons[1..], ["there was no Secret"]);
    assert_eq!(world.stored().leaf.unwrap().chain, leaf.chain);
    assert_eq!(world.presented(), [first.clone(), first.clone()]);
    assert_eq!(world.bundle().len(), 2);
    world.now = world.next();
    world.settle();
    assert_eq!(world.reasons[2..], ["the new CA is trusted"]);
}

#[test]
fn heals_each_damage_of_the_secret() {
    type Damage = fn(&mut Data);
    let cases: [(&str, &str, Damage); 9] = [
        ("ca.key is not a private key", "the new CA is trusted", |data| drop(data.remove(CA_KEY))),
        ("ca.key does not belong to ca.crt", "the new CA is trusted", |data| {
            let other = rcgen::KeyPair::generate().unwrap().serialize_pem();
            data.insert(CA_KEY.to_owned(), ByteString(other.into_bytes()));
        }),
        ("ca.crt is not a CA of ours", "the new CA is trusted", |data| {
            let other = data[CERTIFICATE].clone();
            data.insert("ca.crt".to_owned(), other);
        }),
        ("ca.crt is not a CA of ours", "the new CA is trusted", Data::clear),
        ("tls.key is not a private key", "tls.key is not a private key", |data| drop(data.remove(KEY))),
        ("tls.key does not belong to tls.crt", "tls.key does not belong to tls.crt", |data| {
            let other = data[CA_KEY].clone();
            data.insert(KEY.to_owned(), other);
        }),
        ("tls.crt is not a certificate", "tls.crt is not a certificate", |data| {
            data.insert(CERTIFICATE.to_owned(), ByteString(b"nothing".to_vec()));
        }),
        ("the certificate is not of a CA that is known", "the certificate is not of a CA that is known", |data| {
            let foreign = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
            data.insert(CERTIFICATE.to_owned(), ByteString(foreign.cert.pem().into_bytes()));
            data.insert(KEY.to_owned(), ByteString(foreign.signing_key.serialize_pem().into_bytes()));
        }),
        ("the bundle was not up to date", "the bundle was not up to date", |data| drop(data.remove(BUNDLE))),
    ];
    for (first_reason, last_reason, damage) in cases {
        let (mut world, first) = started();
        world.damage(damage);
        world.settle();
        assert_eq!(world.reasons.get(1), Some(&first_reason));
        assert_eq!(world.presented(), [first.clone(), first], "{first_reason}");
        world.now += Duration::from_mins(1);
        world.settle();
        assert_eq!(world.reasons.last(), Some(&last_reason));
        let stored = world.stored();
        let root = stored.authority.unwrap().root;
        assert_eq!(stored.leaf.unwrap().root, root);
        assert_eq!(world.presented(), [root.name.clone(), root.name.clone()]);
        assert!(world.bundle().contains(&root.name));
    }
}

#[test]
fn restores_a_bundle_and_gives_one_to_a_configuration_that_comes_back() {
    let (mut world, first) = started();
    for bundle in [&b""[..], b"nothing", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        world.overwrite(Kind::Validating, bundle);
        world.settle();
        assert_eq!(world.bundle(), std::slice::from_ref(&first));
    }
    world.configurations.remove(&Kind::Mutating);
    world.settle();
    world.create(Kind::Mutating);
    world.settle();
    assert_eq!(world.bundle(), [first]);
    assert_eq!(world.reasons.len(), 1);
}

#[test]
fn a_configuration_that_is_not_there_holds_nothing_up() {
    let (mut world, first) = started();
    world.configurations.remove(&Kind::Mutating);
    world.secret = None;
    world.settle();
    world.now = world.next();
    world.settle();
    assert!(!world.presented().contains(&first));
}

#[test]
fn a_replica_that_starts_presents_what_is_in_the_secret_also_while_a_new_ca_waits() {
    let (mut world, first) = started();
    world.secret = None;
    world.settle();
    world.now += SECOND * 50;
    world.replicas.push(Replica::new());
    world.settle();
    assert_eq!(world.presented(), [first.clone(), first.clone(), first.clone()]);
    // The others have waited, and what they decide is good for the third.
    world.now += SECOND * 10;
    world.settle();
    assert_eq!(world.presented().iter().filter(|name| **name == first).count(), 1);
    world.now += SECOND * 50;
    world.settle();
    assert!(!world.presented().contains(&first));
}

#[test]
fn a_replica_that_starts_without_secret_does_not_present_what_nobody_trusts_yet() {
    let (mut world, first) = started();
    world.secret = None;
    // It is faster than those that know what is presented.
    world.replicas.insert(0, Replica::new());
    world.settle();
    assert_eq!(world.presented(), ["none".to_owned(), first.clone(), first.clone()]);
    assert_eq!(world.bundle().len(), 2);
    world.now = world.next();
    world.settle();
    let second = world.stored().authority.unwrap().root.name;
    assert_eq!(world.presented(), [second.clone(), second.clone(), second]);
}

#[test]
fn starts_again_after_everything_has_expired() {
    let (mut world, first) = started();
    for (after, reason) in [
        (LIFE * 2, "the certificate has expired"),
        (LIFE * 5, "the CA was due for renewal"),
        (LIFE * 30, "the CA has expired"),
    ] {
        world.replicas = vec![Replica::new()];
        world.now += after;
        world.settle();
        assert!(world.reasons.contains(&reason), "{:?}", world.reasons);
        assert!(world.replicas[0].leaf.as_ref().unwrap().not_after() > world.now);
    }
    assert!(!world.bundle().contains(&first));
}

#[test]
fn takes_names_up_without_dropping_those_of_others() {
    let (mut world, _) = started();
    world.wishes.names.push("webhook.example".to_owned());
    world.settle();
    assert_eq!(world.reasons[1..], ["a name was missing"]);
    world.wishes.names = vec!["another.example".to_owned()];
    world.settle();
    let names = world.stored().leaf.unwrap().names.clone();
    assert_eq!(names, ["admittance.admittance.svc", "127.0.0.1", "webhook.example", "another.example"]);
    world.now = world.next();
    world.settle();
    assert_eq!(world.stored().leaf.unwrap().names, ["another.example"]);
}

#[test]
fn follows_a_life_that_is_made_shorter_or_longer() {
    let (mut world, _) = started();
    world.wishes.life = Duration::from_hours(12);
    world.now += Duration::from_hours(24);
    world.settle();
    assert_eq!(world.reasons[1..], ["the certificate was due for renewal"]);
    world.wishes.life = LIFE;
    world.now += Duration::from_hours(9);
    world.settle();
    assert_eq!(world.reasons[2..], ["the certificate was due for renewal"]);
    assert_eq!(world.replicas[0].leaf.clone().unwrap().span.length(), LIFE);
}

#[test]
fn bundles_do_not_grow_when_a_secret_is_deleted_again_and_again() {
    let (mut world, first) = started();
    for _ in 0..20 {
        world.secret = None;
        world.now += SECOND;
        world.settle();
    }
    assert_eq!(world.presented(), [first.clone(), first.clone()]);
    assert!(world.bundle().contains(&first));
    assert_eq!(world.bundle().len(), 10);
}

#[test]
fn keeps_keys_out_of_debug_output() {
    let (mut world, _) = started();
    let stored = world.stored();
    world.secret = None;
    world.look_at_secret(0);
    let plan = world.plan(0);
    let seen = Seen::Present(Data::from([(KEY.to_owned(), ByteString(b"secret".to_vec()))]));
    let printed = format!("{stored:?} {plan:?} {seen:?}").to_lowercase();
    assert!(plan.store.is_some() && !printed.contains("key"), "{printed}");
    assert!(!printed.contains("begin") && !printed.contains("115, 101, 99"), "{printed}");
}
