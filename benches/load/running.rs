//! The servers of a scenario, started, ready, and connected to.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use hyper::StatusCode;
use serde_json::Value;

use crate::{
    Failure,
    client::{self, Clients, Task},
    process::Process,
    reviews::Review,
    scenario::{Kind, Server},
};

/// How long a server with a thousand policies may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// One server with its clients.
pub(crate) struct Running {
    pub(crate) process: Process,
    pub(crate) clients: Clients,
    /// MiB, before the first connection that is kept.
    pub(crate) idle_mib: f64,
}

impl Running {
    /// Starts a server, waits until it is ready with all its policies, and connects.
    pub(crate) async fn start(
        server: &Server,
        review: &Review,
        binary: &Path,
        connections: u32,
    ) -> Result<Self, Failure> {
        let process = match &server.kind {
            Kind::Floor(kind) => Process::floor(&server.name, kind, &review.uid)?,
            Kind::Product { policies, loaded } => {
                let process = Process::product(&server.name, binary, policies)?;
                ready(&process).await?;
                if let Some(expected) = *loaded {
                    has_loaded(&process, expected).await?;
                }
                process
            }
        };
        let idle_mib = process.memory_mib("VmRSS:")?;
        let task = Task { path: server.path, review: review.clone(), expected: server.expected.clone() };
        let clients = Clients::connect(&process, connections, task).await?;
        Ok(Self { process, clients, idle_mib })
    }
}

async fn ready(process: &Process) -> Result<(), Failure> {
    let begun = Instant::now();
    while client::get(process, "/readyz").await?.0 != StatusCode::OK {
        if begun.elapsed() > PATIENCE {
            return Err(format!("\"{}\" is not ready after {PATIENCE:?}", process.name).into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// A unit that is broken would make the server faster than it is.
async fn has_loaded(process: &Process, expected: usize) -> Result<(), Failure> {
    let (_, body) = client::get(process, "/policies").await?;
    let page: Value = serde_json::from_slice(&body)?;
    if page.get("policies") == Some(&expected.into()) {
        return Ok(());
    }
    Err(format!("\"{}\" was given {expected} policies and says {}", process.name, String::from_utf8_lossy(&body))
        .into())
}
