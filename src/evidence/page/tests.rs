use std::collections::BTreeMap;

use super::*;
use crate::evidence::sketch::Hash;
use crate::evidence::tally::Violator;

fn page(shared: bool, time: u64, policies: Vec<PolicyOfPage>) -> Page {
    Page { schema_version: 1, time, shared, policies }
}

fn policy_of(version: &str, since: u64, namespace: &str, requests: u64) -> PolicyOfPage {
    let owner = OwnerOfPage { owner: format!("{namespace}/Job/x"), requests: 1, last: since };
    let counts = Counts {
        requests,
        violations: 1,
        first: since,
        last: since,
        violators: 1,
        violating_owners: vec![owner],
        ..Counts::default()
    };
    PolicyOfPage {
        name: "p".to_owned(),
        version: version.to_owned(),
        since,
        owners: requests,
        total: counts.clone(),
        namespaces: vec![NamespaceOfPage { namespace: Some(namespace.to_owned()), counts }],
        ..PolicyOfPage::default()
    }
}

#[test]
fn adds_up_servers_that_know_nothing_of_each_other() {
    let one = page(false, 50, vec![policy_of("v", 20, "shop", 3)]);
    let other = page(false, 60, vec![policy_of("v", 10, "bank", 4)]);
    let sum = Page::together(&[one, other]).unwrap();
    let p = sum.policy("p").unwrap();
    assert_eq!((sum.time, p.since, p.owners, p.total.requests, p.total.violations), (60, 10, 4, 7, 2));
    assert_eq!((p.total.violators, p.total.violating_owners.len()), (2, 2));
    let namespaces: Vec<_> = p.namespaces.iter().map(|it| it.namespace.as_deref().unwrap()).collect();
    assert_eq!(namespaces, ["bank", "shop"]);
}

#[test]
fn takes_of_servers_that_share_what_the_one_says_that_knows_most() {
    let pages = [3, 9, 4].map(|requests| page(true, requests, vec![policy_of("v", 20, "shop", requests)]));
    assert_eq!(Page::together(&pages).unwrap().policy("p").unwrap().total.requests, 9);
    let newer = page(true, 70, vec![policy_of("w", 60, "shop", 1)]);
    let mixed = [pages[1].clone(), newer];
    assert_eq!(Page::together(&mixed).unwrap().policy("p").unwrap().version, "w");
    assert_eq!(Page::together(&[]), None);
}

#[test]
fn shows_what_was_counted_and_reads_it_again() {
    let mut tally = Tally { requests: 4, violations: 2, first: 1, last: 3, last_trouble: 2, ..Tally::default() };
    tally.violators.add(Hash::default().part("x"));
    tally.owners.push(Violator { owner: "shop/Job/x".to_owned(), requests: 2, last: 2 });
    let known = PolicyEvidence {
        version: "v".to_owned(),
        since: 1,
        namespaces: BTreeMap::from([("shop".to_owned(), tally.clone()), (String::new(), tally.clone())]),
        others: tally,
        ..PolicyEvidence::default()
    };
    let book = Book { policies: BTreeMap::from([("p".to_owned(), known)]), ..Book::default() };
    let page = Page::of_book(&book, 9);
    let text = serde_json::to_string(&page).unwrap();
    assert_eq!(serde_json::from_str::<Page>(&text).unwrap(), page);
    let p: serde_json::Value = serde_json::from_str::<serde_json::Value>(&text).unwrap()["policies"][0].take();
    assert_eq!((&p["requests"], &p["violators"]), (&12.into(), &1.into()), "the same owner in each");
    let namespaces: Vec<_> = p["namespaces"].as_array().unwrap().iter().map(|it| it["namespace"].as_str()).collect();
    assert_eq!(namespaces, [Some(""), Some("shop"), None]);
    assert_eq!(p["namespaces"][0]["violatingOwners"][0]["owner"], "shop/Job/x");
}
