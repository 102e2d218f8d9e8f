//! What happens to the cluster while objects are made.

mod outages;
mod recovery;
mod steady;

use std::time::Duration;

use crate::cluster::{Cluster, Mode, run};
use crate::scenario::{Bound, Row, Size, under_load};

pub(crate) use recovery::{deleted_role, healed_by_itself, no_image, nothing_changes, nothing_left, rolled_back};

/// One of them: its name, what may come of it, what is done.
type Scenario = (&'static str, Bound, fn(&Cluster, Mode, &Size) -> Result<String, String>);

/// Those that are run in both modes. The times are those of two busy cores.
const SCENARIOS: &[Scenario] = &[
    ("upgrade to another image", Bound::Nothing, upgrade),
    ("rollout restart", Bound::Nothing, restart),
    ("certificates rotate", Bound::Nothing, steady::rotate),
    ("policies change, every fifth time broken", Bound::Nothing, steady::edit),
    ("processors are busy", Bound::Nothing, steady::starve),
    ("a replica is killed", Bound::Calls(Duration::from_secs(5)), outages::kill_one),
    ("the API server restarts", Bound::CallsAndServer(Duration::from_secs(20)), outages::restart_api_server),
    ("etcd stops for 5 s", Bound::CallsAndServer(Duration::from_secs(20)), outages::pause_store),
    ("all replicas are gone", Bound::Calls(Duration::from_secs(40)), outages::lose_all),
];

/// Runs those whose name holds `only`, and gives each row to `done`.
pub(crate) fn in_mode(
    cluster: &Cluster,
    mode: Mode,
    size: &Size,
    only: &str,
    done: &mut dyn FnMut(Row),
) -> Result<(), String> {
    for (name, bound, act) in SCENARIOS.iter().filter(|(name, ..)| name.contains(only)) {
        done(under_load(cluster, (name, mode, *bound, size.rate), || act(cluster, mode, size))?);
    }
    Ok(())
}

/// To the other image; the usual one comes back with what is done next in another mode.
fn upgrade(cluster: &Cluster, mode: Mode, _: &Size) -> Result<String, String> {
    let [_, other] = &cluster.images;
    cluster.install(mode, other, &[])?;
    cluster.settle()?;
    Ok("two new pods".to_owned())
}

fn restart(cluster: &Cluster, _: Mode, size: &Size) -> Result<String, String> {
    for _ in 0..size.restarts {
        run("kubectl", &["--namespace", "admittance", "rollout", "restart", "deployment/admittance"])?;
        run("kubectl", &["--namespace", "admittance", "rollout", "status", "deployment/admittance", "--timeout=4m"])?;
        cluster.settle()?;
    }
    Ok(format!("{}x", size.restarts))
}
