//! What policies cost a real API server and its webhook, added up: the same rules in Admittance and natively.
//!
//! `hack/bench/api-server` runs it beside a control plane of its own. One API server takes four configurations in turn,
//! round by round: no policy, a null webhook, the rules as its own ValidatingAdmissionPolicies, and Admittance serving
//! the same file. In each it gets the same number of creates of the same pod (dry run) over the same kept connections,
//! every one of which must be answered with 201, and the CPU time of the API server and of the webhook is read.
//!
//! One API server that is switched, rather than four side by side: what is compared then runs in the same process, with
//! the same heap and the same work in the background, and nothing else is busy meanwhile. A configuration counts only
//! when it is seen to be in force (`configuration.rs`), after a second of rest, whose CPU time is shown, and a warm-up.
//! Which configuration comes first moves on from round to round, so that none is always measured after the same one.
//!
//! CPU time and not creates a second is compared: the clients run on the same cores.

// One program, run by a script: it prints, and ends with an exit code.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark reports on the terminal")]

mod client;
mod configuration;
mod floor;
mod metrics;
mod options;
mod pods;
mod process;
mod scene;
mod table;

use std::{path::Path, process::ExitCode, time::Duration};

use configuration::Configuration;
use metrics::Snapshot;
use options::Options;
use process::cpu_seconds;
use scene::Scene;
use table::{Figure, Table};

/// The allocator of the product, for the null webhook.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What anything here fails with: text for a person.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How long the API server is left alone before it is measured.
const REST: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.split_first() {
        Some((first, rest)) if first == "floor" => floor::run(rest).map(|()| true),
        _ => Options::parse(&arguments).and_then(|options| compare(&options)),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("api-server: {failure}");
            ExitCode::from(2)
        }
    }
}

/// Whether the ratio keeps the limit.
fn compare(options: &Options) -> Result<bool, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let mut table = Table::default();
    runtime.block_on(async {
        let mut scene = Scene::set(options).await?;
        // The first round, a short one, wakes everything up and does not count.
        for round in 0..=options.rounds {
            let mut order = Configuration::ALL;
            order.rotate_left(usize::try_from(round)? % Configuration::ALL.len());
            for configuration in order {
                eprintln!("round {round} of {}: {}", options.rounds, configuration.name());
                let failed = |failure: Failure| format!("{}: {failure}", configuration.name());
                let creates = if round == 0 { options.warm_up() } else { options.creates };
                scene.apply(configuration).await.map_err(failed)?;
                let figures = measure(&mut scene, configuration, options, creates).await.map_err(failed)?;
                scene.remove(configuration)?;
                if round > 0 {
                    table.add(configuration, round, figures);
                }
            }
        }
        match &options.profiles {
            Some(folder) => profile(&mut scene, options, folder).await,
            None => Ok(()),
        }
    })?;
    print!("{}", table.render(options));
    if let Some(file) = &options.csv {
        std::fs::write(file, table.csv()).map_err(|error| format!("cannot write \"{}\": {error}", file.display()))?;
    }
    let ratio = table.ratio();
    let kept = options.limit.is_none_or(|limit| ratio <= limit);
    let verdict = options
        .limit
        .map_or(String::new(), |limit| format!(", {} the limit of {limit}", if kept { "within" } else { "over" }));
    println!("(admittance - no policy) / (native policies - no policy) = {ratio:.4}{verdict}");
    Ok(kept)
}

/// Writes a CPU profile of the API server in each configuration: where it spends what was measured.
async fn profile(scene: &mut Scene, options: &Options, folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder)?;
    for configuration in Configuration::ALL {
        eprintln!("profile: {}", configuration.name());
        scene.apply(configuration).await?;
        scene.load.post(pods::DRY_RUN, &scene.pods.good, options.warm_up()).await?;
        let profile = scene.profile(options.warm_up()).await?;
        std::fs::write(folder.join(format!("{}.pb.gz", configuration.name())), profile)?;
        scene.remove(configuration)?;
    }
    Ok(())
}

/// One configuration in one round: it must be in force before and after.
async fn measure(
    scene: &mut Scene,
    configuration: Configuration,
    options: &Options,
    creates: u32,
) -> Result<Vec<Figure>, Failure> {
    let api_server = scene.api_server;
    let webhook = scene.webhook(configuration).map(process::Webhook::pid);
    let of_webhook = || webhook.map_or(Ok(0.0), cpu_seconds);

    let idle = cpu_seconds(api_server)?;
    tokio::time::sleep(REST).await;
    let idle = (cpu_seconds(api_server)? - idle) / REST.as_secs_f64();
    let path = pods::DRY_RUN;
    let good = scene.pods.good.clone();
    scene.load.post(path, &good, options.warm_up()).await?;

    let earlier = scene.snapshot(configuration).await?;
    let (api_before, webhook_before) = (cpu_seconds(api_server)?, of_webhook()?);
    let begun = std::time::Instant::now();
    let took = scene.load.post(path, &good, creates).await?;
    let elapsed = begun.elapsed();
    let (api_after, webhook_after) = (cpu_seconds(api_server)?, of_webhook()?);
    let counted = scene.snapshot(configuration).await?.since(&earlier);
    check(&counted, configuration, creates)?;
    if let Err(seen) = scene.in_force(configuration).await? {
        return Err(format!("no longer in force after the round: {seen}").into());
    }

    let thousand = |seconds: f64| seconds * 1_000.0 / f64::from(creates);
    let mut figures = vec![
        Figure::new("cpu_api_server", "s/1000", thousand(api_after - api_before)),
        Figure::new("cpu_webhook", "s/1000", thousand(webhook_after - webhook_before)),
        Figure::new("cpu", "s/1000", thousand(api_after - api_before + webhook_after - webhook_before)),
        Figure::new("idle_cpu_api_server", "s/s", idle),
        Figure::new("rate", "1/s", f64::from(creates) / elapsed.as_secs_f64()),
        Figure::new("p50", "ms", took.quantile(0.5)),
        Figure::new("p99", "ms", took.quantile(0.99)),
    ];
    for (histogram, mean, p99) in [
        (&counted.request, "request_mean", "request_p99"),
        (&counted.admission, "admission_mean", "admission_p99"),
        (&counted.webhook, "webhook_mean", "webhook_p99"),
    ] {
        if histogram.count() > 0.0 {
            figures.push(Figure::new(mean, "ms", histogram.mean() * 1_000.0));
            figures.push(Figure::new(p99, "ms", histogram.quantile(0.99) * 1_000.0));
        }
    }
    Ok(figures)
}

/// Whether the API server itself counted what it was sent, and asked whom it was to ask.
fn check(counted: &Snapshot, configuration: Configuration, creates: u32) -> Result<(), Failure> {
    let creates = f64::from(creates);
    let asked = if configuration.webhook_name().is_some() { creates } else { 0.0 };
    for (what, count, expected) in
        [("pods created", counted.request.count(), creates), ("calls of webhooks", counted.webhook.count(), asked)]
    {
        if (count - expected).abs() > 0.5 {
            return Err(format!("the API server counted {count} {what}, expected {expected}").into());
        }
    }
    Ok(())
}
