//! A server in a process of its own: started, asked for its address, looked at, ended.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::{Failure, cpu::Clock};

/// A running server; ended on drop.
pub(crate) struct Process {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    pub(crate) cpu: Clock,
    child: Ended,
}

impl Process {
    /// A floor: this program, as a server. It prints its address on stdout.
    pub(crate) fn floor(name: &str, kind: &str, uid: &str) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["floor", kind, "--listen", "127.0.0.1:0", "--uid", uid]).stdout(Stdio::piped());
        let mut child = Ended(command.spawn()?);
        let said = child.0.stdout.take();
        let address = first_line(said)?.parse()?;
        Self::new(name, address, child)
    }

    /// The product, with its own defaults, but that connections are kept for as long as a run may take: five minutes is
    /// when it ends them to spread clients over replicas. Its first line on stderr is `listening on https://ADDRESS`.
    pub(crate) fn product(name: &str, binary: &Path, policies: &Path) -> Result<Self, Failure> {
        let mut command = Command::new(binary);
        command.args(["serve", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"]);
        command.args(["--connection-age", "60m", "-p"]).arg(policies);
        let spawned = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = Ended(spawned.map_err(|error| format!("cannot run \"{}\": {error}", binary.display()))?);
        let said = child.0.stderr.take();
        let line = first_line(said)?;
        let Some(address) = line.strip_prefix("listening on https://").and_then(|address| address.parse().ok()) else {
            return Err(format!(
                "expected \"listening on https://ADDRESS\" from \"{}\", got \"{line}\"",
                binary.display()
            )
            .into());
        };
        Self::new(name, address, child)
    }

    fn new(name: &str, address: SocketAddr, child: Ended) -> Result<Self, Failure> {
        Ok(Self { name: name.to_owned(), address, cpu: Clock::of(child.0.id())?, child })
    }

    /// A line of `/proc/PID/status`, in MiB.
    pub(crate) fn memory_mib(&self, field: &str) -> Result<f64, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
        let kib: u32 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(f64::from(kib) / 1_024.0)
    }
}

/// A child that ends with us.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The first line of `said`; the rest is read and dropped, so that the server never blocks on it.
fn first_line(said: Option<impl Read + Send + 'static>) -> Result<String, Failure> {
    let mut said = BufReader::new(said.ok_or("no pipe to the server")?);
    let mut line = String::new();
    said.read_line(&mut line)?;
    std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
    if line.is_empty() {
        Err("the server ended before it said where it listens".into())
    } else {
        Ok(line.trim_end().to_owned())
    }
}
