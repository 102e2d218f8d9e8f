//! `admittance status`

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anstream::{AutoStream, ColorChoice};
use clap::{Args, ValueEnum};
use futures_util::future::join_all;

use super::asking;
use super::duration::duration;
use super::servers::{Reached, Servers};
use super::{BROKEN, DENIED};
use crate::output::Colour;
use crate::output::status::{self, Page, Server, Standing};

/// Show what running servers have loaded: their units, states and problems, whether they run the same, and what their
/// policies did so far or would have done.
#[derive(Debug, Args)]
#[command(after_long_help = EXIT_CODES)]
pub(super) struct Arguments {
    #[command(flatten)]
    servers: Servers,
    /// Ask again until all is well, for as long as this: 30s, 2m.
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    wait: Option<Duration>,
    /// What is printed.
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Format,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  every server is ready, all its units are active, and all run the same policies
  1  something is not so
  2  usage, or a server that cannot be asked";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON document with a schemaVersion.
    Json,
}

/// How long it rests before it asks again.
const PAUSE: Duration = Duration::from_millis(250);

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let servers = match asking::block_on(ask_until_good(arguments)).and_then(|servers| servers) {
        Ok(servers) => servers,
        Err(problem) => {
            anstream::eprintln!("error: {problem}");
            return ExitCode::from(BROKEN);
        }
    };
    let colour = match AutoStream::choice(&std::io::stdout()) {
        ColorChoice::Never => Colour::Off,
        _ => Colour::On,
    };
    let printed = super::print(&match arguments.output {
        Format::Text => status::text(&servers, colour),
        Format::Json => status::json(&servers),
    });
    match status::standing(&servers) {
        Standing::Good => printed,
        Standing::Bad => ExitCode::from(DENIED),
        Standing::Unknown => ExitCode::from(BROKEN),
    }
}

async fn ask_until_good(arguments: &Arguments) -> Result<Vec<Server>, String> {
    let end = arguments.wait.map(|wait| Instant::now() + wait);
    loop {
        let servers = ask(arguments).await;
        let is_good = servers.as_ref().is_ok_and(|servers| status::standing(servers) == Standing::Good);
        if is_good || end.is_none_or(|end| Instant::now() + PAUSE > end) {
            return servers;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn ask(arguments: &Arguments) -> Result<Vec<Server>, String> {
    let reached = arguments.servers.reach().await?;
    Ok(join_all(reached.iter().map(look)).await)
}

async fn look(server: &Reached) -> Server {
    let mut found = Server { name: server.name.clone(), ready: false, page: None, evidence: None, problem: None };
    match server.is_well("/readyz").await {
        Ok(ready) => found.ready = ready,
        Err(problem) => return Server { problem: Some(problem), ..found },
    }
    match server.page::<Page>("/policies", "policies").await {
        Ok(Some(page)) => found.page = Some(page),
        Ok(None) => found.problem = Some("/policies is not there: is it a server of this kind?".to_owned()),
        Err(problem) => found.problem = Some(problem),
    }
    // The listener behind TLS does not have it, nor do earlier versions.
    found.evidence = server.page("/evidence", "evidence").await.ok().flatten();
    found
}
