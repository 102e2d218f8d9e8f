//! The webhooks, in processes of their own, and the CPU time of a process.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::Failure;

/// The unit of `utime` and `stime` in `/proc/PID/stat`: `USER_HZ`, 100 on every platform that the product is built for.
const TICKS_A_SECOND: f64 = 100.0;

/// The CPU time that a process has used, user and system.
pub(crate) fn cpu_seconds(pid: u32) -> Result<f64, Failure> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name, in parentheses, may hold spaces: fields are counted behind it, where the state is the third.
    let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
    let ticks = |field: usize| fields.split(' ').nth(field - 3).and_then(|ticks| ticks.parse::<u32>().ok());
    let (Some(user), Some(system)) = (ticks(14), ticks(15)) else {
        return Err(format!("cannot read CPU time from \"{stat}\"").into());
    };
    Ok(f64::from(user + system) / TICKS_A_SECOND)
}

/// A running webhook; ended on drop.
pub(crate) struct Webhook {
    child: Child,
    /// Where it listens, on loopback.
    pub(crate) port: u16,
}

impl Webhook {
    /// The null webhook: this program, as a server. `certificate` is the folder with `cert.pem` and `key.pem`.
    pub(crate) fn null(certificate: &Path) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("floor").arg(certificate);
        Self::start(command)
    }

    /// The product, as users start it.
    pub(crate) fn product(binary: &Path, policies: &Path, certificate: &Path) -> Result<Self, Failure> {
        let mut command = Command::new(binary);
        command.args(["serve", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "-p"]).arg(policies);
        command.arg("--tls-cert").arg(certificate.join("cert.pem"));
        command.arg("--tls-key").arg(certificate.join("key.pem"));
        Self::start(command)
    }

    /// Both say `listening on https://127.0.0.1:PORT` in their first line on stderr.
    fn start(mut command: Command) -> Result<Self, Failure> {
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child =
            spawned.map_err(|error| format!("cannot run \"{}\": {error}", command.get_program().display()))?;
        let said = child.stderr.take();
        let mut webhook = Self { child, port: 0 };
        let line = first_line(said)?;
        let port = line.strip_prefix("listening on https://127.0.0.1:").and_then(|port| port.parse().ok());
        webhook.port =
            port.ok_or_else(|| format!("expected \"listening on https://127.0.0.1:PORT\", got \"{line}\""))?;
        Ok(webhook)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Webhook {
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
    Ok(line.trim_end().to_owned())
}
