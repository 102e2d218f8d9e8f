use admittance_engine::document::SourceFile;

use super::*;

fn unit(name: &str, text: &str) -> Unit {
    Unit { name: name.to_owned(), files: vec![SourceFile::new(format!("{name}/a.yaml"), text)] }
}

fn at(version: u64) -> Revision {
    Revision { uid: "u".to_owned(), version }
}

fn read(name: &str, text: &str, version: u64) -> Read {
    Read::Unit(unit(name, text), at(version))
}

fn policy(name: &str, module: &str) -> String {
    format!(
        "apiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: {name} }}\nspec: {{ module: {module} }}\n"
    )
}

fn kept(name: &str, text: &str, version: u64) -> LastGoods {
    LastGoods::from([(name.to_owned(), LastGood { unit: unit(name, text), revision: at(version) })])
}

/// `POLICY=MODULE` of what runs.
fn running(update: &Update) -> Vec<String> {
    let units = update.active.units.iter().flat_map(|unit| &unit.policies);
    units.map(|policy| format!("{}={}", policy.name, policy.module.unwrap())).collect()
}

fn states(update: &Update) -> Vec<UnitState> {
    update.active.units.iter().map(|unit| unit.state).collect()
}

fn good(update: &Update) -> Vec<(&str, u64)> {
    update.good.iter().map(|good| (good.unit.name.as_str(), good.revision.version)).collect()
}

#[test]
fn keeps_what_ran_while_an_edit_is_broken_and_asks_for_what_runs_to_be_kept() {
    let mut loaded = Loaded::new(true, Tests::Honoured);
    let update = loaded.update(vec![read("ns/a", &policy("x", "host-ports"), 1)], &LastGoods::new());
    assert_eq!((running(&update), good(&update)), (vec!["x=host-ports".to_owned()], vec![("ns/a", 1)]));
    let there = kept("ns/a", &policy("x", "host-ports"), 1);
    let update = loaded.update(vec![read("ns/a", &policy("x", "no-module"), 2)], &there);
    assert_eq!((running(&update), states(&update)), (vec!["x=host-ports".to_owned()], vec![UnitState::Stale]));
    assert_eq!((good(&update), update.reports.len()), (vec![], 1));
    assert_eq!(update.changes[0].state, UnitState::Stale);
    let again = loaded.update(vec![read("ns/a", &policy("x", "no-module"), 2)], &there);
    assert!(again.reports.is_empty() && again.changes.is_empty());
}

#[test]
fn starts_with_the_kept_version_of_a_unit_that_is_broken() {
    let there = kept("ns/a", &policy("x", "host-ports"), 3);
    let update = Loaded::new(true, Tests::Honoured).update(vec![read("ns/a", "broken", 4)], &there);
    assert_eq!((running(&update), states(&update)), (vec!["x=host-ports".to_owned()], vec![UnitState::Stale]));

    // An object that was made anew is another one, and what is gone runs no more.
    let anew = Read::Unit(unit("ns/a", "broken"), Revision { uid: "v".to_owned(), version: 5 });
    let update = Loaded::new(true, Tests::Honoured).update(vec![anew], &there);
    assert_eq!((running(&update), states(&update)), (vec![], vec![UnitState::Broken]));
    assert!(Loaded::new(true, Tests::Honoured).update(vec![], &there).active.units.is_empty());
}

#[test]
fn goes_by_the_later_of_two_good_versions() {
    let (old, new) = (policy("x", "host-ports"), policy("x", "privileged"));
    let mut loaded = Loaded::new(true, Tests::Honoured);
    loaded.update(vec![read("ns/a", &old, 1)], &LastGoods::new());
    // Another replica ran a version that this one has not seen.
    let update = loaded.update(vec![read("ns/a", "broken", 9)], &kept("ns/a", &new, 5));
    assert_eq!(running(&update), ["x=privileged"]);
    // What was kept before what ran here is not gone back to.
    let mut loaded = Loaded::new(true, Tests::Honoured);
    loaded.update(vec![read("ns/a", &new, 5)], &kept("ns/a", &old, 1));
    let update = loaded.update(vec![read("ns/a", "broken", 9)], &kept("ns/a", &old, 1));
    assert_eq!(running(&update), ["x=privileged"]);
}

#[test]
fn never_puts_one_unit_out_of_force_by_editing_another() {
    let (a, b) = (policy("x", "host-ports"), policy("z", "privileged"));
    let mut loaded = Loaded::new(true, Tests::Honoured);
    loaded.update(vec![read("ns/a", &a, 1), read("ns/b", &b, 2)], &LastGoods::new());
    let taking = read("ns/a", &policy("z", "host-ports"), 3);
    let update = loaded.update(vec![taking.clone(), read("ns/b", &b, 2)], &LastGoods::new());
    assert_eq!(running(&update), ["x=host-ports", "z=privileged"]);
    assert_eq!(states(&update), [UnitState::Stale, UnitState::Active]);
    assert_eq!(
        update.changes[0].problems,
        [
            "ns/a/a.yaml:3:19: error: policy `z` is defined in ns/b already: all of ns/a is left out until one of them is renamed"
        ]
    );
    // Without a good version all of the later one is left out; once the name is free it runs.
    let mut fresh = Loaded::new(true, Tests::Honoured);
    let there = kept("ns/b", &b, 2);
    let update = fresh.update(vec![taking.clone(), read("ns/b", &b, 2)], &there);
    assert_eq!(
        (running(&update), states(&update)),
        (vec!["z=privileged".to_owned()], vec![UnitState::Broken, UnitState::Active])
    );
    let update = fresh.update(vec![taking], &there);
    assert_eq!((running(&update), states(&update)), (vec!["z=host-ports".to_owned()], vec![UnitState::Active]));
}

/// Replicas that saw the same edits at other times, and one that starts at the end, run the same.
#[test]
fn comes_to_the_same_set_whatever_a_replica_has_seen_before() {
    let texts = [policy("x", "host-ports"), policy("x", "privileged"), "broken".to_owned(), policy("z", "host-ports")];
    let mut seed = 7_u64;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    for _ in 0..40 {
        let (mut here, mut there) = (Loaded::new(true, Tests::Honoured), Loaded::new(true, Tests::Honoured));
        let mut store = LastGoods::new();
        let mut units = vec![];
        for version in 1..12 {
            units = ["ns/a", "ns/b"].map(|name| read(name, &texts[next(texts.len())], version)).to_vec();
            let mut replicas = [&mut here, &mut there];
            // One of them sleeps now and then; what is kept is written by either.
            let awake = next(3);
            for (_, replica) in replicas.iter_mut().enumerate().filter(|(n, _)| awake == 2 || *n == awake) {
                for good in replica.update(units.clone(), &store).good {
                    let is_older =
                        store.get(&good.unit.name).is_none_or(|kept| kept.revision.version <= good.revision.version);
                    if is_older {
                        store.insert(good.unit.name.clone(), good);
                    }
                }
            }
        }
        let mut settle = |replica: &mut Loaded| {
            loop {
                let update = replica.update(units.clone(), &store);
                if update.good.is_empty() {
                    return (update.active.set.digest().to_owned(), running(&update));
                }
                store.extend(update.good.into_iter().map(|good| (good.unit.name.clone(), good)));
            }
        };
        settle(&mut here);
        settle(&mut there);
        let (one, other, fresh) =
            (settle(&mut here), settle(&mut there), settle(&mut Loaded::new(true, Tests::Honoured)));
        assert_eq!(one, other);
        assert_eq!(one, fresh);
    }
}

const TEST: &str = "\
---
apiVersion: admittance.dev/v1alpha1
kind: PolicyTest
metadata: { name: t }
spec: { cases: [{ name: a port, object: { apiVersion: v1, kind: Pod, spec: { containers: [{ name: c, ports: [{ hostPort: 80 }] }] } }, expect: { allowed: ALLOWED } }] }
";

/// A policy against ports of the node, with a test that expects this of one.
fn tested(allowed: bool) -> String {
    policy("x", "host-ports") + &TEST.replace("ALLOWED", &allowed.to_string())
}

#[test]
fn keeps_the_last_good_version_where_a_units_own_tests_fail() {
    let problem = "ns/a/a.yaml:9:146: error: test `t`, case `a port` fails: allowed: expected true, got false";
    let mut loaded = Loaded::new(true, Tests::Honoured);
    let update = loaded.update(vec![read("ns/a", &tested(true), 1)], &LastGoods::new());
    assert_eq!((running(&update), states(&update)), (vec![], vec![UnitState::Broken]));
    assert_eq!((good(&update), &update.changes[0].problems), (vec![], &vec![problem.to_owned()]));
    assert!(update.reports[0].starts_with("error: test `t`, case `a port` fails"), "{}", update.reports[0]);

    let update = loaded.update(vec![read("ns/a", &tested(false), 2)], &LastGoods::new());
    assert_eq!((running(&update), states(&update)), (vec!["x=host-ports".to_owned()], vec![UnitState::Active]));
    assert_eq!(good(&update), [("ns/a", 2)]);

    let edit = tested(false).replace("host-ports", "privileged");
    let update = loaded.update(vec![read("ns/a", &edit, 3)], &kept("ns/a", &tested(false), 2));
    assert_eq!((running(&update), states(&update)), (vec!["x=host-ports".to_owned()], vec![UnitState::Stale]));
    let problem = "ns/a/a.yaml:9:146: error: test `t`, case `a port` fails: allowed: expected false, got true";
    assert_eq!(update.active.units[0].problems, [problem]);
}

#[test]
fn does_not_prove_again_what_has_run() {
    let there = kept("ns/a", &tested(true), 1);
    let update = Loaded::new(true, Tests::Required).update(vec![read("ns/a", &tested(true), 1)], &there);
    assert_eq!((running(&update), states(&update)), (vec!["x=host-ports".to_owned()], vec![UnitState::Active]));
}

#[test]
fn refuses_units_without_tests_where_they_are_required() {
    let mut loaded = Loaded::new(true, Tests::Required);
    let update = loaded.update(vec![read("ns/a", &policy("x", "host-ports"), 1)], &LastGoods::new());
    let problem =
        "ns/a/a.yaml:3:19: error: policy `x` has no tests, and this server requires them: put a PolicyTest beside it";
    assert_eq!((states(&update), &update.changes[0].problems), (vec![UnitState::Broken], &vec![problem.to_owned()]));
    let update = loaded.update(vec![read("ns/a", &tested(false), 2)], &LastGoods::new());
    assert_eq!(states(&update), [UnitState::Active]);

    // What ran before they were required goes on, and is said to have none.
    let (bare, mut loaded) = (policy("x", "host-ports"), Loaded::new(true, Tests::Required));
    let update = loaded.update(vec![read("ns/a", &bare, 1)], &kept("ns/a", &bare, 1));
    assert_eq!((running(&update), states(&update)), (vec!["x=host-ports".to_owned()], vec![UnitState::Stale]));
    assert_eq!(update.active.units[0].problems, [problem]);
}
