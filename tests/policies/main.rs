//! Random policies of Kubernetes with their bindings, parameters and a request: judged by `admittance check --jsonl` and by the
//! API server's own code, and what such runs have found.
//!
//! `ADMITTANCE_ORACLES` names the folder of `policy-oracle` (hack/oracle), `ADMITTANCE_POLICIES` says how many documents (500),
//! `ADMITTANCE_SEED` which (any number), `ADMITTANCE_PRINTED` of how many forms of disagreements one is printed (10). What
//! differs is made as small as it still differs.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "allowed in tests, which clippy does not take the modules beside one for"
)]

#[path = "../../crates/engine/tests/differential/chance.rs"]
mod chance;
mod compare;
mod documents;
mod expressions;
mod matching;
mod mutations;
mod objects;
#[path = "../../crates/engine/tests/differential/oracle.rs"]
mod oracle;
mod policies;
mod requests;
mod shrink;

use std::collections::BTreeMap;

use chance::Chance;
use compare::{Judge, difference};
use documents::Generator;
use oracle::Oracle;
use serde_json::Value;
use shrink::{Smallest, shrink};

/// How many are sent to the oracle at once.
const BATCH: usize = 100;

/// How often the oracle is asked about a line on which it differs: what its own answers differ in is no disagreement.
const REPEATED: usize = 6;

fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap())
}

/// The oracle, with what it answers where it takes too long.
fn oracle() -> Option<Oracle> {
    Oracle::find("policy-oracle", &[], || serde_json::json!({ "failure": "panic: it takes too long" }))
}

/// What differs, unless the oracle differs from itself.
fn settled(oracle: &Oracle, line: &Value, ours: &Value) -> Option<String> {
    let answers = oracle.answers(&vec![line.clone(); REPEATED]);
    let found: Vec<Option<String>> = answers.iter().map(|theirs| difference(ours, theirs)).collect();
    if found.iter().any(Option::is_none) {
        return None;
    }
    found.into_iter().next().flatten()
}

#[test]
fn agrees_with_the_api_server_on_random_policies() {
    let count = number("ADMITTANCE_POLICIES", 500);
    let Some(oracle) = oracle() else {
        println!("skipped {count} documents: ADMITTANCE_ORACLES names no folder with policy-oracle");
        return;
    };
    let seed = number("ADMITTANCE_SEED", 1);
    let (mut chance, generator, mut judge) = (Chance(seed as u64), Generator::new(), Judge::new());
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    let mut different = Vec::new();
    for start in (0..count).step_by(BATCH) {
        let lines: Vec<Value> = (start..count.min(start + BATCH)).map(|_| generator.line(&mut chance)).collect();
        for (line, theirs) in lines.iter().zip(oracle.answers(&lines)) {
            for outcome in compare::outcomes(line, &theirs) {
                *outcomes.entry(outcome).or_default() += 1;
            }
            let ours = judge.answer(line);
            if difference(&ours, &theirs).is_some()
                && let Some(what) = settled(&oracle, line, &ours)
            {
                println!("{what}:\n  ours   {}\n  theirs {}", ours[&what], theirs[&what]);
                different.push((line.clone(), what));
            }
        }
    }
    println!("seed {seed}: {outcomes:?}, {} of {count} differ", different.len());
    let printed = number("ADMITTANCE_PRINTED", 10);
    let mut forms: BTreeMap<String, usize> = BTreeMap::new();
    for (line, what) in &different {
        if forms.len() < printed {
            let Smallest { form, report } = shrink(&oracle, &mut judge, line, what);
            let times = forms.entry(form).or_default();
            *times += 1;
            if *times == 1 {
                println!("{report}");
            }
        }
    }
    assert!(different.is_empty(), "{} of {count} documents differ with seed {seed}", different.len());
    // A generator of nonsense would agree, too.
    for (outcome, percent) in [("denied", 15), ("admitted", 10), ("changed", 8), ("warned", 3), ("annotated", 5)] {
        let times = outcomes.get(outcome).copied().unwrap_or_default();
        assert!(times * 100 >= count * percent, "{times} of {count} are {outcome}: {outcomes:?}");
    }
}

/// The answers are the API server's.
#[test]
fn keeps_what_such_runs_have_found() {
    let mut judge = Judge::new();
    for (index, text) in include_str!("regressions.jsonl").lines().enumerate() {
        let row: Value = serde_json::from_str(text).unwrap();
        let ours = judge.answer(&row["line"]);
        assert_eq!(difference(&ours, &row["answer"]), None, "line {}: {text}\nours: {ours}", index + 1);
    }
}
