//! What happens to the cluster while objects are made.

mod outages;
mod recovery;
mod steady;

use std::thread;
use std::time::Duration;

use crate::cluster::{Cluster, Mode, run};
use crate::scenario::{Bound, Row, Size, under_load};

pub(crate) use recovery::{deleted_role, healed_by_itself, no_image, nothing_changes, nothing_left, rolled_back};

/// What is done to the cluster; what it returns is noted.
type Act = fn(&Cluster, Mode, &Size) -> Result<String, String>;

/// One of them.
struct Scenario {
    name: &'static str,
    /// What may come of it.
    bound: Bound,
    act: Act,
    when: When,
}

/// When it is run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    /// In both modes, always.
    Always,
    /// In both modes where there is time, else in mode closed alone, which promises more.
    ClosedFirst,
    /// Where there is no time for one after the other.
    Short,
    /// Where there is time.
    Long,
}

impl When {
    fn is_now(self, mode: Mode, size: &Size) -> bool {
        match self {
            Self::Always => true,
            Self::ClosedFirst => size.is_long || mode == Mode::Closed,
            Self::Short => !size.is_long,
            Self::Long => size.is_long,
        }
    }
}

const fn scenario(name: &'static str, bound: Bound, act: Act, when: When) -> Scenario {
    Scenario { name, bound, act, when }
}

/// The times are those of two busy cores.
const SCENARIOS: &[Scenario] = &[
    scenario("upgrade to another image", Bound::Nothing, upgrade, When::Long),
    scenario("rollout restart", Bound::Nothing, restart, When::Long),
    scenario("certificates rotate", Bound::Nothing, steady::rotate, When::Long),
    scenario("policies change, every fifth time broken", Bound::Nothing, steady::edit, When::Long),
    scenario("upgrade and restart, new certificates and policies", Bound::Nothing, at_once, When::Short),
    scenario("processors are busy", Bound::Nothing, steady::starve, When::Always),
    scenario("a replica is killed", Bound::Calls(Duration::from_secs(5)), outages::kill_one, When::Always),
    scenario(
        "the API server restarts",
        Bound::CallsAndServer(Duration::from_secs(20)),
        outages::restart_api_server,
        When::ClosedFirst,
    ),
    scenario(
        "etcd stops for 5 s",
        Bound::CallsAndServer(Duration::from_secs(20)),
        outages::pause_store,
        When::ClosedFirst,
    ),
    scenario("all replicas are gone", Bound::Calls(Duration::from_secs(40)), outages::lose_all, When::Always),
];

/// Runs those whose name holds `only`, and gives each row to `done`.
pub(crate) fn in_mode(
    cluster: &Cluster,
    mode: Mode,
    size: &Size,
    only: &str,
    done: &mut dyn FnMut(Row),
) -> Result<(), String> {
    for scenario in SCENARIOS.iter().filter(|it| it.name.contains(only) && it.when.is_now(mode, size)) {
        let about = (scenario.name, mode, scenario.bound, size);
        done(under_load(cluster, about, || (scenario.act)(cluster, mode, size))?);
    }
    Ok(())
}

/// An upgrade and a restart; meanwhile certificates rotate and policies change.
fn at_once(cluster: &Cluster, mode: Mode, size: &Size) -> Result<String, String> {
    let done: [Result<String, String>; 3] = thread::scope(|scope| {
        let rotations = scope.spawn(|| steady::rotate(cluster, mode, size));
        let edits = scope.spawn(|| steady::edit(cluster, mode, size));
        let pods = upgrade(cluster, mode, size).and_then(|_| restart(cluster, mode, size));
        let joined =
            |thread: thread::ScopedJoinHandle<'_, _>| thread.join().map_err(|_| "a thread panicked".to_owned())?;
        [
            pods.map(|_| "new pods twice".to_owned()),
            joined(rotations).map(|count| format!("certificates {count}")),
            joined(edits),
        ]
    });
    let notes: Vec<String> = done.into_iter().collect::<Result<_, _>>()?;
    Ok(notes.join(", "))
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
