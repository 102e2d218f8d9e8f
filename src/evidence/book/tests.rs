use super::*;
use crate::evidence::sketch::Hash;

fn tally(requests: u64, violations: u64) -> Tally {
    Tally { requests, violations, first: 100, last: 200, ..Tally::default() }
}

fn book(policy: &str, version: &str, since: u64, namespaces: &[(&str, Tally)]) -> Book {
    let namespaces = namespaces.iter().map(|(name, tally)| ((*name).to_owned(), tally.clone())).collect();
    let evidence = PolicyEvidence { version: version.to_owned(), since, namespaces, ..PolicyEvidence::default() };
    Book { policies: BTreeMap::from([(policy.to_owned(), evidence)]), ..Book::default() }
}

#[test]
fn adds_what_is_about_the_same_version_and_takes_the_later_one_else() {
    let old = book("p", "v1", 50, &[("shop", tally(3, 1))]);
    let mut sum = old.clone();
    sum.add(&book("p", "v1", 40, &[("shop", tally(2, 0)), ("", tally(1, 0))]));
    sum.add(&book("q", "v1", 60, &[]));
    let p = &sum.policies["p"];
    assert_eq!((p.since, p.namespaces["shop"].requests, p.namespaces[""].requests, p.total().requests), (40, 5, 1, 6));
    assert_eq!(sum.policies["q"].since, 60);

    let new = book("p", "v2", 70, &[]);
    let mut left = old.clone();
    left.add(&new);
    let mut right = new.clone();
    right.add(&old);
    assert_eq!((&left, &right), (&new, &new), "what a replica that is late has counted of the old version is dropped");
}

#[test]
fn counts_namespaces_together_beyond_a_number() {
    let mut sum = Book::default();
    for number in 0..NAMESPACES + 50 {
        sum.add(&book("p", "v", 1, &[(&format!("ns-{number}"), tally(1, 0))]));
    }
    let p = &sum.policies["p"];
    assert_eq!((p.namespaces.len(), p.others.requests), (NAMESPACES, 50));
    assert_eq!(p.total().requests, 250);
}

#[test]
fn forgets_policies_that_are_gone_for_ten_minutes() {
    let mut sum = book("gone", "v", 10, &[("shop", tally(1, 0))]);
    sum.add(&book("here", "v", 10, &[]));
    let active = BTreeSet::from(["here"]);
    sum.forget(&active, 799);
    assert_eq!(sum.policies.len(), 2);
    sum.forget(&active, 800);
    assert_eq!(sum.policies.keys().collect::<Vec<_>>(), ["here"]);
}

#[test]
fn knows_the_additions_of_the_last_writers() {
    let mut sum = Book::default();
    (0..100).for_each(|number| sum.sign(&format!("{number:03}"), 2));
    assert!(sum.has("099", 2) && sum.has("099", 1) && !sum.has("099", 3) && !sum.has("000", 1));
    assert_eq!(sum.writers.len(), WRITERS);
}

#[test]
fn unpacks_what_was_packed_and_nothing_else() {
    let mut one = book("p", "v", 7, &[("shop", tally(3, 1))]);
    one.policies.get_mut("p").unwrap().owners.add(Hash::default().part("x"));
    let packed = one.pack();
    assert_eq!(Book::unpack(&packed), Ok(one));
    let said = |bytes: &[u8]| Book::unpack(bytes).unwrap_err().to_string();
    assert!(said(&packed[..20]).starts_with("it cannot be unpacked: "));
    let pack = |text: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    assert_eq!(said(&pack("[]")), "its schemaVersion is 0, known is 1");
    assert_eq!(said(&pack(r#"{"schemaVersion":2}"#)), "its schemaVersion is 2, known is 1");
    assert!(said(&pack("7")).starts_with("it is no evidence: "));
}

/// Names that gzip cannot shorten.
fn noise(seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    [next(), next(), next()].map(|number| format!("{number:016x}")).concat()
}

#[test]
fn packs_any_number_of_policies_into_the_same_room() {
    let mut sum = Book::default();
    for policy in 0..50_u64 {
        let namespaces: Vec<(String, Tally)> = (0..80_u64)
            .map(|namespace| {
                let mut one = tally(1 + namespace, u64::from(namespace == 0));
                (0..10).for_each(|owner| one.name(&noise(policy * 10_000 + namespace * 10 + owner), 1, 1));
                (noise(policy * 1_000 + namespace), one)
            })
            .collect();
        let namespaces: Vec<(&str, Tally)> =
            namespaces.iter().map(|(name, tally)| (name.as_str(), tally.clone())).collect();
        sum.add(&book(&format!("p{policy}"), "v", 1, &namespaces));
    }
    let before: u64 = sum.policies.values().map(|it| it.total().requests).sum();
    let packed = sum.pack();
    assert!(packed.len() <= PACKED, "{}", packed.len());
    let read = Book::unpack(&packed).unwrap();
    assert_eq!(read.policies.values().map(|it| it.total().requests).sum::<u64>(), before, "nothing is lost");
    let p = &read.policies["p0"];
    assert!(p.namespaces.values().any(|tally| tally.violations > 0), "those with violations stay apart the longest");
}
