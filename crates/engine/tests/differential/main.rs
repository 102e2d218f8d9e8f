//! Random expressions, evaluated by this engine and by the API server's own code, and what such runs have found.
//!
//! `ADMITTANCE_ORACLES` names the folder of `cel-oracle` (hack/oracle), `ADMITTANCE_EXPRESSIONS` says how many (2,000),
//! `ADMITTANCE_SEED` which (any number), `ADMITTANCE_IGNORE` a text in answers of ours that are known to be wrong. What differs
//! is made as small as it still differs.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "allowed in tests, which clippy does not take the modules beside one for"
)]

mod chance;
mod compare;
mod generate;
mod instance;
mod kind;
mod leaves;
mod oracle;
mod shrink;
mod tree;
mod types;
mod world;

use std::collections::BTreeMap;

use chance::Chance;
use compare::{difference, our_answer};
use generate::Generator;
use oracle::Oracle;
use serde_json::{Value, json};
use shrink::shrink;
use tree::Node;
use world::World;

/// How many are sent to the oracle at once.
const BATCH: usize = 200;

/// Of how many forms of disagreements one is printed (`ADMITTANCE_PRINTED`).
const PRINTED: u64 = 25;

/// Whether the oracle, asked again, agrees: what its own answers differ in is no disagreement.
fn wavers(oracle: &Oracle, line: &Value, ours: &Value) -> bool {
    oracle.answers(&vec![line.clone(); 6]).iter().any(|theirs| difference(ours, theirs).is_none())
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
fn agrees_with_the_api_server_on_random_expressions() {
    let count = usize::try_from(number("ADMITTANCE_EXPRESSIONS", 2_000)).unwrap();
    // Evaluated three times: what depends on the order of a Go map is marked `unstable`. An expression that takes too long
    // counts as one on which it panics.
    let endless = || json!({ "phase": "panic", "error": "it takes too long" });
    let Some(oracle) = Oracle::find("cel-oracle", &["-repeat", "3"], endless) else {
        println!("skipped {count} expressions: ADMITTANCE_ORACLES names no folder with cel-oracle");
        return;
    };
    let seed = number("ADMITTANCE_SEED", 1);
    let ignored = std::env::var("ADMITTANCE_IGNORE").ok();
    let (world, mut chance) = (World::new(), Chance(seed));
    let mut generator = Generator::new(&world);
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    let mut worked: BTreeMap<&str, usize> = generator.templates.iter().map(|template| (template.text, 0)).collect();
    let mut different: Vec<(Node, Value)> = Vec::new();
    for start in (0..count).step_by(BATCH) {
        let indices = start..count.min(start + BATCH);
        let nodes: Vec<Node> = indices.map(|index| generator.expression(&mut chance, index)).collect();
        let lines: Vec<Value> = nodes.iter().map(|node| world.line(&mut chance, &node.text())).collect();
        let answers = oracle.answers(&lines);
        for ((node, line), theirs) in nodes.into_iter().zip(lines).zip(answers) {
            *outcomes.entry(theirs["phase"].as_str().unwrap_or("value").to_owned()).or_default() += 1;
            if theirs.get("phase").is_none() {
                node.templates(&mut |template| *worked.entry(template.text).or_default() += 1);
            }
            let ours = our_answer(&line);
            let is_known = ignored.as_ref().is_some_and(|text| ours.to_string().contains(text));
            if !is_known && difference(&ours, &theirs).is_some() && !wavers(&oracle, &line, &ours) {
                different.push((node, line));
            }
        }
    }
    println!("seed {seed}: {outcomes:?}, {} differ", different.len());
    let never: Vec<&&str> = worked.iter().filter(|(_, count)| **count == 0).map(|(text, _)| text).collect();
    println!("forms that gave no value: {never:?}");
    let printed = usize::try_from(number("ADMITTANCE_PRINTED", PRINTED)).unwrap();
    let mut forms: BTreeMap<String, usize> = BTreeMap::new();
    for (node, line) in &different {
        if forms.len() < printed {
            let smallest = shrink(&oracle, node, line);
            let times = forms.entry(smallest.form).or_default();
            *times += 1;
            if *times == 1 {
                println!("{}", smallest.report);
            }
        }
    }
    assert!(different.is_empty(), "{} of {count} expressions differ with seed {seed}", different.len());
    // A generator of nonsense would agree, too.
    assert!(outcomes.get("value").is_some_and(|values| values * 100 >= count * 45), "{outcomes:?}");
    assert!(count < 10_000 || never.len() < 5, "{never:?}");
}

/// For expressions whose types are known before they are evaluated: without dyn, as upstream.
#[test]
fn values_are_of_their_static_types() {
    let count = usize::try_from(number("ADMITTANCE_EXPRESSIONS", 1_000)).unwrap();
    let (world, mut chance) = (World::new(), Chance(number("ADMITTANCE_SEED", 2)));
    let mut generator = Generator::new(&world);
    let mut typed = 0;
    for index in 0..count {
        generator.prefers_constants = chance.percent(30);
        let mut node = generator.expression(&mut chance, index);
        let of = |node: &Node, chance: &mut Chance| world.line(chance, &node.text()).to_string();
        let line = of(&node, &mut chance);
        typed += usize::from(types::is_typed(&line));
        let Some(mut found) = types::broken(&line) else { continue };
        while let Some((smaller, why)) = node
            .smaller(&generate::plainest)
            .into_iter()
            .filter(|smaller| smaller.text().len() < node.text().len())
            .find_map(|smaller| types::broken(&of(&smaller, &mut chance)).map(|why| (smaller, why)))
        {
            (node, found) = (smaller, why);
        }
        panic!("{}: {found}", node.text());
    }
    println!("{typed} of {count} are typed");
    // A generator of dyn would find nothing.
    assert!(typed * 5 > count, "{typed} of {count}");
}

/// The answers are the API server's.
#[test]
fn keeps_what_such_runs_have_found() {
    for (index, text) in include_str!("regressions.jsonl").lines().enumerate() {
        let row: Value = serde_json::from_str(text).unwrap();
        let ours = our_answer(&row["query"]);
        assert_eq!(difference(&ours, &row["answer"]), None, "line {}: {text}\nours: {ours}", index + 1);
    }
}
