//! A server in a process of its own: started, asked for its address, measured, ended.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::Failure;

/// The unit of `utime` and `stime` in `/proc/PID/stat`: `USER_HZ`, 100 on every platform that the product is built for.
const TICKS_A_SECOND: f64 = 100.0;

/// A running server; ended on drop.
pub(crate) struct Process {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    pub(crate) is_floor: bool,
    child: Child,
}

impl Process {
    /// A floor: this program, as a server. It prints its address on stdout.
    pub(crate) fn floor(kind: &str, uid: &str) -> Result<Self, Failure> {
        let name = if kind == "null" { "N  constant answer" } else { "P  body parsed, uid echoed" };
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["floor", kind, "--listen", "127.0.0.1:0", "--uid", uid]).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let said = child.stdout.take();
        let address = first_line(said)?.parse()?;
        Ok(Self { name: name.to_owned(), address, is_floor: true, child })
    }

    /// The product. Its first line on stderr is `listening on https://ADDRESS`.
    pub(crate) fn product(binary: &Path, policies: &Path) -> Result<Self, Failure> {
        let mut command = Command::new(binary);
        command.args(["serve", "--listen", "127.0.0.1:0", "-p"]).arg(policies);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let said = child.stderr.take();
        let line = first_line(said)?;
        let Some(address) = line.strip_prefix("listening on https://").and_then(|address| address.parse().ok()) else {
            return Err(format!(
                "expected \"listening on https://ADDRESS\" from \"{}\", got \"{line}\"",
                binary.display()
            )
            .into());
        };
        Ok(Self { name: "A  admittance".to_owned(), address, is_floor: false, child })
    }

    /// The CPU time that it has used, user and system.
    pub(crate) fn cpu_seconds(&self) -> Result<f64, Failure> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name, in parentheses, may hold spaces: fields are counted behind it, where the state is the third.
        let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
        let ticks = |field: usize| fields.split(' ').nth(field - 3).and_then(|ticks| ticks.parse::<u32>().ok());
        let (Some(user), Some(system)) = (ticks(14), ticks(15)) else {
            return Err(format!("cannot read CPU time from \"{stat}\"").into());
        };
        Ok(f64::from(user + system) / TICKS_A_SECOND)
    }

    /// A line of `/proc/PID/status`, in KiB.
    pub(crate) fn memory_kib(&self, field: &str) -> Result<u32, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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
