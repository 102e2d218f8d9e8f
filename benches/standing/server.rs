//! The product in a process of its own: started, waited for, measured, ended.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::Failure;

const POLL: Duration = Duration::from_millis(2);
/// How long a server is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// A running server, which is ready; ended on drop.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    metrics: SocketAddr,
    /// How long it took from the start of the process until /readyz said 200.
    pub(crate) ready: Duration,
    /// Its certificate is in here.
    folder: TempDir,
    child: Child,
}

impl Server {
    /// Starts `admittance serve -p POLICIES` on two free ports, at the default log level, and waits until it is ready.
    /// None where it is not within [`PATIENCE`].
    pub(crate) fn start(binary: &Path, policies: &Path) -> Result<Option<Self>, Failure> {
        let (address, metrics) = (free_port()?, free_port()?);
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(binary);
        command.args(["serve", "--listen", &address.to_string(), "--metrics-listen", &metrics.to_string(), "-p"]);
        command.arg(policies).arg("--write-certificate").arg(folder.path().join("certificate.pem"));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let begun = Instant::now();
        let child = command.spawn().map_err(|error| format!("cannot start {}: {error}", binary.display()))?;
        let mut server = Self { address, metrics, ready: Duration::ZERO, folder, child };
        while !matches!(server.get("/readyz"), Ok((200, _))) {
            if let Some(status) = server.child.try_wait()? {
                return Err(format!("{status}: {command:?}").into());
            }
            if begun.elapsed() > PATIENCE {
                return Ok(None);
            }
            thread::sleep(POLL);
        }
        server.ready = begun.elapsed();
        Ok(Some(server))
    }

    /// The same with so many policies, all of which must run: a set of which half is broken is ready sooner.
    pub(crate) fn with(binary: &Path, policies: &Path, count: usize) -> Result<Option<Self>, Failure> {
        let Some(server) = Self::start(binary, policies)? else { return Ok(None) };
        server.expect_policies(count)?;
        Ok(Some(server))
    }

    /// Whether so many policies run.
    pub(crate) fn expect_policies(&self, count: usize) -> Result<(), Failure> {
        let (_, page) = self.get("/policies")?;
        let page: Value = serde_json::from_str(&page)?;
        let running = page.get("policies").and_then(Value::as_u64);
        if running == u64::try_from(count).ok() {
            return Ok(());
        }
        Err(format!("expected {count} policies to run, got {running:?}: {:.2000}", page.to_string()).into())
    }

    /// Its certificate, PEM.
    pub(crate) fn certificate(&self) -> Result<String, Failure> {
        Ok(fs::read_to_string(self.folder.path().join("certificate.pem"))?)
    }

    /// Status and body of a page of the listener without TLS.
    pub(crate) fn get(&self, path: &str) -> Result<(u16, String), Failure> {
        let mut stream = TcpStream::connect(self.metrics)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or("no status")?;
        Ok((status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()))
    }

    /// A line of `/proc/PID/status`, such as `VmRSS`, in KiB.
    pub(crate) fn memory_kib(&self, field: &str) -> Result<u64, Failure> {
        memory_kib(&self.child.id().to_string(), field)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A line of the status of a process, in KiB.
pub(crate) fn memory_kib(process: &str, field: &str) -> Result<u64, Failure> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
    Ok(line.trim_start_matches(':').trim().trim_end_matches(" kB").parse()?)
}

fn free_port() -> Result<SocketAddr, Failure> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
