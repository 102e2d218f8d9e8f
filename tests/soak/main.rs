//! Drives a cluster that hack/cluster/up started and the chart is installed in: makes objects without a pause while things
//! happen, holds what becomes of every one against what must, and prints a table. `hack/cluster/soak` runs it.
//!
//! The cluster is that of KUBECONFIG, its folder is CLUSTER; helm and kubectl are in PATH.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the table, and what is done meanwhile")]

mod api;
mod cluster;
mod counts;
mod load;
mod metrics;
mod objects;
mod scenario;
mod scenarios;
mod table;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::json;

use api::Proxy;
use cluster::{Cluster, Mode, run};
use objects::{EXEMPT, JUDGED};
use scenario::{Row, Size};

const USAGE: &str = "usage: soak ROOT IMAGE OTHER-IMAGE SECONDS [PART OF A SCENARIO'S NAME]";

/// What `make cluster` does: everything once, and at the same time what may happen at the same time.
const SHORT: Size = Size {
    is_long: false,
    restarts: 1,
    rotations: 1,
    edits: 10,
    starved: Duration::from_secs(10),
    rate: 10.0,
    around: Duration::from_secs(2),
};
/// What `make soak` does, in each mode: ten restarts, ten certificates, a hundred edits in all.
const LONG: Size = Size {
    is_long: true,
    restarts: 5,
    rotations: 5,
    edits: 50,
    starved: Duration::from_mins(1),
    rate: 20.0,
    around: Duration::from_secs(3),
};

fn main() -> ExitCode {
    let mut rows = vec![];
    let result = all(&mut rows);
    println!("\n{}", table::table(&rows));
    let mut is_good = true;
    for row in rows.iter().filter(|row| !row.broken.is_empty()) {
        is_good = false;
        for problem in &row.broken {
            eprintln!("soak: {} ({}): {problem}", row.name, row.mode.name());
        }
    }
    if let Err(error) = result {
        eprintln!("soak: {error}");
        is_good = false;
    }
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn all(rows: &mut Vec<Row>) -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [root, usual, other, seconds, rest @ ..] = &*arguments else { return Err(USAGE.to_owned()) };
    let seconds: u64 = seconds.parse().map_err(|_| USAGE)?;
    let only = rest.first().map_or("", String::as_str);
    let folder = std::env::var("CLUSTER").map_err(|_| "CLUSTER is not set: hack/cluster/with sets it")?;
    let size = if seconds > 0 { LONG } else { SHORT };
    let proxy = Proxy::start()?;
    let cluster = Cluster {
        api: proxy.api(),
        folder: folder.into(),
        root: root.into(),
        images: [usual.clone(), other.clone()],
        // A new one after two thirds of it, and a new CA after ten of them.
        life: if size.is_long { "2m" } else { "30s" },
    };
    let began = Instant::now();
    let mut done = |row: Row| {
        println!("{}", table::cells(&row));
        for problem in row.broken.iter().chain(&row.counts.said) {
            println!("    {problem}");
        }
        rows.push(row);
    };

    for namespace in [JUDGED, EXEMPT] {
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        let made = cluster.api.create("/api/v1/namespaces", &object);
        if !made.is_good() && made.status != 409 {
            return Err(made.message());
        }
    }
    // The first installation is the one that lacks its image: it is mended, and the rest goes on with it.
    done(scenarios::no_image(&cluster));
    run("helm", &["test", cluster::OWN, "--namespace", cluster::OWN, "--timeout", "3m"])?;
    for (number, mode) in [Mode::Open, Mode::Closed].into_iter().cycle().enumerate() {
        if number >= 2 && began.elapsed() >= Duration::from_secs(seconds) {
            break;
        }
        cluster.install(mode, usual, &[])?;
        // The API server hears of it within a second or so.
        std::thread::sleep(Duration::from_secs(2));
        scenarios::in_mode(&cluster, mode, &size, only, &mut done)?;
    }
    if only.is_empty() {
        cluster.install(Mode::Closed, usual, &[])?;
        done(scenarios::healed_by_itself(&cluster, &size)?);
        done(scenarios::nothing_changes(&cluster, Mode::Closed));
        done(scenarios::rolled_back(&cluster, Mode::Closed, &size)?);
        done(scenarios::deleted_role(&cluster));
        done(scenarios::nothing_left(&cluster));
    }
    println!("\nall of it took {:.0} s", began.elapsed().as_secs_f64());
    Ok(())
}
