//! The scenarios: what is sent to which servers, and what must come back. Marks stand beside what they are about.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::{
    Failure,
    expected::Expected::{Denied, Patched},
    figures::{
        growth::{LOADED, SIZE},
        ratio::GROUP as COST,
    },
    policies::{self, Sort},
    reviews::Review,
    scenario::{MUTATE, Scenario, Server},
};

/// How many policies the sets have that are in the repository, by what the server says of itself.
const RULES: usize = 14;
const HARDENED: usize = 25;

/// What most policies may cost beside one, where none matches.
const STANDSTILL: f64 = 1.05;

/// All scenarios; the policies that they need are written into `folder`. `is_quick` leaves out what lies between.
pub(crate) fn all(folder: &Path, is_quick: bool) -> Result<Vec<Scenario>, Failure> {
    let mut scenarios = costs(folder)?;
    for sort in [Sort::Modules, Sort::Cel, Sort::Mixed] {
        if is_quick && sort == Sort::Mixed {
            continue;
        }
        let [few, many]: [&[usize]; 2] =
            if is_quick { [&[1, 1_000], &[1, 100, 1_000]] } else { [&[1, 16, 100, 1_000]; 2] };
        scenarios.push(loaded(folder, sort, false, few)?);
        scenarios.push(loaded(folder, sort, true, many)?);
    }
    let sizes: &[usize] = if is_quick { &[2, 16, 64] } else { &[2, 8, 16, 32, 64] };
    for &kib in sizes {
        scenarios.push(size(kib)?);
    }
    Ok(scenarios)
}

/// The fourteen rules, as modules and as VAPs.
pub(crate) fn rules() -> [Server; 2] {
    [
        Server::product("fourteen modules", repository("benches/rules.modules.yaml"), RULES),
        Server::product("fourteen VAPs", repository("benches/rules.vap.yaml"), RULES),
    ]
}

fn costs(folder: &Path) -> Result<Vec<Scenario>, Failure> {
    let none = policies::write(folder, Sort::Modules, RULES, false)?;
    let hardened = |name: &str| Server::product(name, repository("manifests/policies/hardened"), HARDENED);
    let cost = |name: &str, review, servers| Scenario { group: COST, name: name.to_owned(), review, servers };

    let [modules, vaps] = rules();
    let mut pass = floors();
    pass.extend([
        Server::floor("hyper"),
        Server::product("no policy matches", none, RULES).limit(0.35),
        modules.limit(0.6),
        vaps.limit(1.0),
        hardened("hardened, /mutate").on(MUTATE).limit(0.8),
        hardened("hardened, /validate").limit(0.8),
    ]);

    let [modules, vaps] = rules();
    let mut fail = floors();
    fail.extend([
        modules.expects(Denied(403)),
        vaps.expects(Denied(422)),
        hardened("hardened, /validate").expects(Denied(403)),
    ]);

    let mut open = floors();
    open.push(hardened("hardened, /mutate").on(MUTATE).expects(Patched(filled_in())).limit(0.8));

    let with_rules = || floors().into_iter().chain(rules()).collect::<Vec<_>>();
    let mut config_map = floors();
    config_map.extend([
        Server::product("a module about labels", policies::write_for_config_maps(folder, Sort::Modules)?, 1),
        Server::product("an expression over all data", policies::write_for_config_maps(folder, Sort::Cel)?, 1),
    ]);
    Ok(vec![
        cost("pod", Review::recorded("pass")?, pass),
        cost("pod, denied", Review::recorded("fail")?, fail),
        cost("pod, patched", Review::open()?, open),
        cost("pod without managedFields", Review::recorded("pass-slim")?, with_rules()),
        cost("pod, UPDATE with both objects", Review::update()?, with_rules()),
        cost("ConfigMap of 1 MB", Review::config_map(1_000_000)?, config_map),
    ])
}

/// More and more policies in one run.
fn loaded(folder: &Path, sort: Sort, is_matching: bool, counts: &[usize]) -> Result<Scenario, Failure> {
    let mut servers = floors();
    for (place, &count) in counts.iter().enumerate() {
        let policies = u32::try_from(count)?.into();
        let matching = if is_matching { policies } else { 0.0 };
        let limit = (!is_matching && place + 1 == counts.len()).then_some(STANDSTILL);
        let written = policies::write(folder, sort, count, is_matching)?;
        servers.push(Server::product(format!("{count} loaded"), written, count).loaded(policies, matching, limit));
    }
    let matching = if is_matching { "all match" } else { "none matches" };
    let name = format!("{}, {matching}", sort.name());
    Ok(Scenario { group: LOADED, name, review: Review::recorded("pass")?, servers })
}

fn size(kib: usize) -> Result<Scenario, Failure> {
    let servers = floors().into_iter().chain(rules()).collect();
    Ok(Scenario { group: SIZE, name: format!("pod of {kib} KiB"), review: Review::pod(kib << 10)?, servers })
}

fn floors() -> Vec<Server> {
    vec![Server::floor("null"), Server::floor("parse")]
}

/// What the hardened pack puts into `Review::open`.
fn filled_in() -> Value {
    let container = json!({ "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] } });
    let pod = json!({ "runAsNonRoot": true, "seccompProfile": { "type": "RuntimeDefault" } });
    let add = |path: &str, value: &Value| json!({ "op": "add", "path": path, "value": value });
    json!([
        add("/spec/containers/0/securityContext", &container),
        add("/spec/containers/1/securityContext", &container),
        add("/spec/containers/2/securityContext", &container),
        add("/spec/securityContext", &pod),
    ])
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
