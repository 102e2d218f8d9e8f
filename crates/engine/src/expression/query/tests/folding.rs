//! What is computed when a program is made changes no value, no error and no cost: random expressions, most of them of
//! constants, against the same without it. `ADMITTANCE_SEED` and `ADMITTANCE_EXPRESSIONS` say which and how many.

#[path = "../../../../tests/differential/chance.rs"]
mod chance;
#[path = "../../../../tests/differential/generate.rs"]
mod generate;
#[path = "../../../../tests/differential/kind.rs"]
mod kind;
#[path = "../../../../tests/differential/leaves.rs"]
mod leaves;
#[path = "../../../../tests/differential/tree.rs"]
mod tree;
#[path = "../../../../tests/differential/world.rs"]
mod world;

use super::super::{Compiled, Query, compile};
use crate::cel::encoding::encode;
use crate::cel::program;
use crate::deadline::Deadline;
use crate::json::Arena;
use crate::oracle;

/// Value or `!` and error, and the cost.
fn evaluated(compiled: &Compiled, query: &Query<'_>) -> (String, u64) {
    let arena = Arena::with_limit(64 << 20);
    let bound = compiled.bind(query, &arena).unwrap();
    let evaluated = compiled.evaluate(&bound, &arena, Deadline::never(), &mut ());
    let text = match evaluated.outcome {
        Ok(value) => encode(value).unwrap_or_else(|error| error.to_string()),
        Err(error) => format!("!{error}"),
    };
    (text, evaluated.cost)
}

/// The answers with folding and without; None for what is no program.
fn both(line: &str) -> Option<((String, u64), (String, u64))> {
    let query = Query::read(line).unwrap();
    let mut compiled = compile(&query).ok()?;
    let folded = evaluated(&compiled, &query);
    compiled.program = program::unfolded(&query.expr, compiled.program.checked().clone()).unwrap();
    Some((folded, evaluated(&compiled, &query)))
}

#[test]
fn folding_changes_nothing() {
    let count = std::env::var("ADMITTANCE_EXPRESSIONS").map_or(1_000, |text| text.parse().unwrap());
    let world = world::World::new();
    let mut generator = generate::Generator::new(&world);
    generator.prefers_constants = true;
    let mut chance = chance::Chance(oracle::seed());
    let (mut programs, mut values) = (0, 0);
    for number in 0..count {
        let mut node = generator.expression(&mut chance, number);
        let of = |node: &tree::Node, chance: &mut chance::Chance| world.line(chance, &node.text()).to_string();
        let Some((folded, unfolded)) = both(&of(&node, &mut chance)) else { continue };
        programs += 1;
        values += usize::from(!folded.0.starts_with('!'));
        if folded == unfolded {
            continue;
        }
        // The smallest one like it.
        let differs = |node: &tree::Node, chance: &mut chance::Chance| {
            both(&of(node, chance)).is_some_and(|(folded, unfolded)| folded != unfolded)
        };
        while let Some(smaller) = node
            .smaller(&generate::plainest)
            .into_iter()
            .find(|smaller| smaller.text().len() < node.text().len() && differs(smaller, &mut chance))
        {
            node = smaller;
        }
        let mut forms = vec![];
        node.templates(&mut |template| forms.push(template.text));
        panic!("{} made of {forms:?}: {:?}", node.text(), both(&of(&node, &mut chance)));
    }
    // A generator of nonsense would find nothing.
    assert!(programs * 2 > count && values * 3 > count, "{programs} programs and {values} values of {count}");
}

/// Each of what is computed before, where it is easy to see.
#[test]
fn leaves_out_folding_where_it_is_told_to() {
    for (text, value, cost) in [
        ("[1, 2][0]", r#"{"int":1}"#, 2),
        ("{'a': [1]}['a'] == [int('1')]", r#"{"bool":true}"#, 3),
        ("dyn(2.0) in [1, 2]", r#"{"bool":true}"#, 0),
        ("'b' + 'c' in ['a', 'bc']", r#"{"bool":true}"#, 1),
        ("'abc'.matches('^[a-c]+$')", r#"{"bool":true}"#, 2),
        ("quantity('1Gi').isGreaterThan(quantity('1Mi'))", r#"{"bool":true}"#, 3),
        ("cidr('10.0.0.0/8').containsIP('10.1.2.3')", r#"{"bool":true}"#, 3),
        ("semver('1.2.3').major()", r#"{"int":1}"#, 2),
        ("[1, 2, 3].map(x, x * 2)", r#"{"list":[2,4,6]}"#, 43),
    ] {
        let line = serde_json::json!({ "expr": text }).to_string();
        let (folded, unfolded) = both(&line).unwrap();
        assert_eq!((folded.0.as_str(), &folded), (value, &unfolded), "{text}");
        assert_eq!(folded.1, cost, "{text}");
    }
}
