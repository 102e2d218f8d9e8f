//! What costs nothing: policies that match and find nothing allocate nothing, once the object's tree is there and memory is warm;
//! and that tree is made once at the most, and only for policies that could match.

#![cfg(test)]

use std::fs;
use std::path::PathBuf;

use admittance_engine::deadline::Deadline;
use admittance_engine::document::{Limits, SourceFile, Spanned, parse};
use admittance_engine::json::{Arena, Node};
use admittance_engine::pipeline::{Budget, Detail, Route, Run, admit};
use admittance_engine::review::{Answer, Envelope, Lookup, Lookups, Review};
use admittance_engine::set::{PolicySet, link};
use admittance_engine::unit::{Unit, compile};
use serde_json::Value;

/// The namespace of the request, at hand as in a server that watches namespaces.
struct Cluster;

impl Lookups for Cluster {
    fn answer<'a>(&self, lookup: &Lookup<'_>, arena: &'a Arena) -> Answer<'a> {
        let labels = || arena.map(&[("team", Node::string("payments"))]);
        match lookup {
            Lookup::Namespace(_) => Answer::Found(arena.map(&[("metadata", arena.map(&[("labels", labels())]))])),
            _ => Answer::Unavailable("there is nothing else"),
        }
    }
}

const RUN: Run<'static> = Run {
    route: Route::Validate,
    deadline: Deadline::never(),
    budget: Budget { policy: 16 << 20 },
    lookups: &Cluster,
    detail: Detail::Findings,
    timed: false,
    judges_drift: false,
};

fn file(path: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The policies of these files; of ConfigMaps those in their data.
fn set(paths: &[&str]) -> PolicySet {
    let mut texts = vec![];
    for path in paths {
        let source = SourceFile::new(*path, file(path));
        let documents = parse(&source, &Limits::default()).documents;
        let maps: Vec<Value> = documents.iter().map(Spanned::to_value).collect();
        let data = maps.iter().filter_map(|map| map.get("data").and_then(Value::as_object));
        let inner: Vec<String> =
            data.flat_map(|data| data.values()).map(|text| text.as_str().unwrap().to_owned()).collect();
        texts.extend(if inner.is_empty() { vec![file(path)] } else { inner });
    }
    let unit = |(position, text)| {
        compile(&Unit::of_file(SourceFile::new(format!("{position}.yaml"), text))).unwrap_or_else(|it| panic!("{it:?}"))
    };
    let units: Vec<_> = texts.into_iter().enumerate().map(unit).collect();
    let (set, problems) = link(&units);
    assert!(problems.is_empty(), "{problems:?}");
    set
}

fn review<'a>(arena: &'a Arena, body: &'a str) -> Review<'a> {
    let (envelope, read) = Envelope::read(arena, body.as_bytes());
    read.unwrap();
    envelope.into_review(arena).unwrap()
}

const MODULES: &str = "benches/rules.modules.yaml";
const VAPS: &str = "benches/rules.vap.yaml";
const HARDENED: &str = "manifests/policies/hardened/hardened.yaml";

/// What an audit annotation takes: its key and its value, and the lists that it goes through.
const ANNOTATED: u64 = 5;

#[test]
fn policies_that_find_nothing_allocate_nothing() {
    let body = file("benches/review-pass.json");
    for (paths, matched) in [(&[MODULES][..], 14), (&[VAPS], 14), (&[HARDENED], 2), (&[MODULES, VAPS, HARDENED], 30)] {
        let set = set(paths);
        let mut arena = Arena::with_limit(1 << 26);
        // Once for memory, and for what is made when it is first needed, such as a pattern's automaton.
        let mut counted = None;
        for _ in 0..3 {
            arena.reset();
            let review = review(&arena, &body);
            review.judged().unwrap();
            let mut verdict = None;
            let measured = allocation_counter::measure(|| verdict = admit(&set, &review, &RUN).ok());
            let verdict = verdict.unwrap();
            assert_eq!((verdict.matched, verdict.findings.len(), verdict.failures.len()), (matched, 0, 0), "{paths:?}");
            counted = Some((measured.count_total, verdict.annotations.len()));
        }
        let (allocations, said) = counted.unwrap();
        // The Pod Security Standards say in the audit log by what they judged.
        assert_eq!(said, usize::from(paths.contains(&HARDENED)), "{paths:?}");
        assert_eq!(allocations, if said == 0 { 0 } else { ANNOTATED }, "{paths:?}");
    }
}

/// Bytes of the arena that the object's tree takes.
fn tree(body: &str) -> usize {
    let arena = Arena::with_limit(1 << 26);
    let review = review(&arena, body);
    let before = arena.used();
    review.judged().unwrap();
    arena.used() - before
}

#[test]
fn the_tree_is_made_once_however_many_policies_read_it() {
    let body = file("benches/review-pass.json");
    for paths in [&[MODULES][..], &[VAPS], &[MODULES, VAPS, HARDENED]] {
        let set = set(paths);
        // What evaluation takes where the tree is there, and where it is not.
        let taken = |is_there: bool| {
            let arena = Arena::with_limit(1 << 26);
            let review = review(&arena, &body);
            if is_there {
                review.judged().unwrap();
            }
            let before = arena.used();
            assert!(admit(&set, &review, &RUN).unwrap().is_allowed());
            arena.used() - before
        };
        assert_eq!(taken(false), taken(true) + tree(&body), "{paths:?}");
    }
}

#[test]
fn no_tree_is_made_where_no_policy_could_match() {
    let body = file("benches/review-pass.json").replacen(r#""operation":"CREATE""#, r#""operation":"CONNECT""#, 1);
    let set = set(&[MODULES, VAPS]);
    let arena = Arena::with_limit(1 << 26);
    let review = review(&arena, &body);
    let before = arena.used();
    let verdict = admit(&set, &review, &RUN).unwrap();
    assert_eq!((verdict.matched, verdict.is_allowed()), (0, true));
    assert_eq!(arena.used(), before);
    review.judged().unwrap();
    assert_eq!(arena.used(), before + tree(&body));
}
