//! Random expressions, evaluated by this engine and by the API server's own code.
//!
//! `ADMITTANCE_EXPRESSIONS` says how many (2,000), `ADMITTANCE_SEED` which (any number).

mod chance;
mod generate;
mod kind;
mod leaves;
mod oracle;
mod tree;
mod world;

use std::collections::BTreeMap;

use chance::Chance;
use generate::Generator;
use oracle::Oracle;
use serde_json::Value;
use tree::Node;
use world::World;

/// How many are sent to the oracle at once.
const BATCH: usize = 1_000;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
fn most_expressions_mean_something_upstream_and_every_form_does() {
    let count = usize::try_from(number("ADMITTANCE_EXPRESSIONS", 2_000)).unwrap();
    let Some(oracle) = Oracle::find() else {
        println!("skipped {count} expressions: ADMITTANCE_ORACLES names no folder with cel-oracle");
        return;
    };
    let seed = number("ADMITTANCE_SEED", 1);
    println!("seed {seed}");
    let (world, mut chance) = (World::new(), Chance(seed));
    let mut generator = Generator::new(&world);
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    let mut worked: BTreeMap<&str, usize> = generator.templates.iter().map(|template| (template.text, 0)).collect();
    let mut errors: BTreeMap<String, usize> = BTreeMap::new();
    for start in (0..count).step_by(BATCH) {
        let nodes: Vec<Node> =
            (start..count.min(start + BATCH)).map(|index| generator.expression(&mut chance, index)).collect();
        let lines: Vec<Value> = nodes.iter().map(|node| world.line(&mut chance, &node.text())).collect();
        for (node, answer) in nodes.iter().zip(oracle.answers(&lines)) {
            let phase = answer["phase"].as_str().unwrap_or("value");
            *outcomes.entry(phase.to_owned()).or_default() += 1;
            if phase == "value" {
                node.templates(&mut |template| *worked.entry(template.text).or_default() += 1);
            } else if phase != "eval" {
                let message = answer["error"].as_str().unwrap().lines().next().unwrap().to_owned();
                let message =
                    message.split_once(' ').unwrap().1.split_once(' ').map(|x| x.1.to_owned()).unwrap_or_default();
                *errors.entry(format!("{phase} {message}   e.g. {}", node.text())).or_default() += 1;
            }
        }
    }
    println!("{outcomes:?}");
    for (m, n) in errors.iter().take(3000) {
        println!("ERR {n} {m}");
    }
    println!("never: {:#?}", worked.iter().filter(|(_, count)| **count == 0).map(|(text, _)| text).collect::<Vec<_>>());
}
