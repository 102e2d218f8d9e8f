//! The built binary, run as users run it.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tempfile::TempDir;

use super::{
    api::Api,
    control_plane::{PATIENCE, wait_for},
};

/// Runs a server, and ends it when the pipe to the test breaks. It says the server's process id first, and ends as the
/// server did.
const KEEPER: &str = r#"
"$@" < /dev/null &
server=$!
echo $server
{ cat; kill -KILL $server; } <&0 > /dev/null 2>&1 &
watcher=$!
wait $server
status=$?
kill $watcher
exit $status
"#;

/// A running server. It is killed when this is dropped.
pub(super) struct Webhook {
    keeper: Child,
    server: i32,
    /// Where the API server finds it.
    pub(super) address: String,
    /// Policies, certificate, log.
    folder: TempDir,
}

/// How the server is to be started; the rest is as by default.
#[derive(Default)]
pub(super) struct Options<'o> {
    /// The text of the one policy file.
    pub(super) policies: &'o str,
    /// Another name for the server, in its certificate.
    pub(super) name: Option<&'o str>,
    /// Further flags.
    pub(super) flags: &'o [&'o str],
}

/// One line of the log: a decision.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Decision {
    /// `Mutate` or `Validate`.
    pub(super) message: String,
    pub(super) operation: String,
    pub(super) kind: String,
    pub(super) subresource: String,
    pub(super) name: String,
    pub(super) verdict: String,
    pub(super) user: String,
    pub(super) dry_run: bool,
}

impl Webhook {
    /// With a certificate that it makes itself.
    pub(super) fn start(options: &Options<'_>) -> Self {
        let folder = Self::folder_with(options.policies);
        let mut flags = vec!["--write-certificate".to_owned(), folder.path().join("cert.pem").display().to_string()];
        if let Some(name) = options.name {
            flags.extend(["--tls-name".to_owned(), name.to_owned()]);
        }
        flags.extend(options.flags.iter().map(|&flag| flag.to_owned()));
        Self::run(folder, "127.0.0.1:0", &flags)
    }

    /// With the certificates that these flags name.
    pub(super) fn start_as_told(options: &Options<'_>) -> Self {
        let flags: Vec<String> = options.flags.iter().map(|&flag| flag.to_owned()).collect();
        Self::run(Self::folder_with(options.policies), "127.0.0.1:0", &flags)
    }

    /// With a certificate from files, which it has again after [`Self::start_again`].
    pub(super) fn start_with_files(policies: &str) -> Self {
        let folder = Self::folder_with(policies);
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        fs::write(folder.path().join("cert.pem"), made.cert.pem()).unwrap();
        fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        let flags = Self::flags_of_files(folder.path());
        Self::run(folder, "127.0.0.1:0", &flags)
    }

    /// Starts a server that has ended, at its address, with its files.
    pub(super) fn start_again(ended: Ended) -> Self {
        let flags = Self::flags_of_files(ended.folder.path());
        Self::run(ended.folder, &ended.address, &flags)
    }

    fn folder_with(policies: &str) -> TempDir {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("policies")).unwrap();
        fs::write(folder.path().join("policies/policies.yaml"), policies).unwrap();
        folder
    }

    fn flags_of_files(folder: &Path) -> Vec<String> {
        let file = |name| folder.join(name).display().to_string();
        vec!["--tls-cert".to_owned(), file("cert.pem"), "--tls-key".to_owned(), file("key.pem")]
    }

    fn run(folder: TempDir, listen: &str, flags: &[String]) -> Self {
        let log = File::create(folder.path().join("log")).unwrap();
        let mut command = Command::new("bash");
        command.args(["-c", KEEPER, "keeper", env!("CARGO_BIN_EXE_admittance"), "serve"]).args([
            "--listen",
            listen,
            "--metrics-listen",
            "127.0.0.1:0",
            "--log-format",
            "json",
        ]);
        // Files are units, too, by their paths.
        if !flags.iter().any(|flag| flag == "--config-maps") {
            command.arg("--policies").arg(folder.path().join("policies"));
        }
        let mut keeper = command.args(flags).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let pid = wait_for_line(&mut keeper);
        let mut webhook = Self { keeper, server: pid.parse().unwrap(), address: String::new(), folder };
        webhook.address = wait_for("the server's address", || {
            let log = webhook.log();
            let line = log.lines().find_map(|line| line.strip_prefix("listening on https://"));
            assert!(!log.lines().any(|line| line.starts_with("error:")), "{log}");
            line.filter(|_| log.contains("metrics on ")).map(str::to_owned)
        });
        webhook
    }

    /// The certificate that clients are to trust, PEM.
    pub(super) fn certificate(&self) -> Vec<u8> {
        fs::read(self.folder.path().join("cert.pem")).unwrap()
    }

    /// A client of the server itself.
    pub(super) fn client(&self) -> Api {
        Api::of_server(&format!("https://{}", self.address), &self.certificate())
    }

    /// A client of its plain listener.
    pub(super) fn operations(&self) -> Api {
        let log = self.log();
        let url = log.lines().find_map(|line| line.strip_prefix("metrics on ")).unwrap();
        Api::of_server(url.strip_suffix("/metrics").unwrap(), b"")
    }

    /// What its page of metrics says.
    pub(super) async fn metrics(&self) -> String {
        self.operations().get("/metrics").await.text
    }

    /// Where its policy files are.
    pub(super) fn policies(&self) -> PathBuf {
        self.folder.path().join("policies")
    }

    /// Puts these files, whose names it has not had before, in the place of its policies, and waits until they are in force.
    pub(super) async fn replace_policies(&self, files: &[(String, String)]) {
        let folder = self.policies();
        for old in fs::read_dir(&folder).unwrap() {
            fs::remove_file(old.unwrap().path()).unwrap();
        }
        for (name, text) in files {
            // Under a name that the server passes over until the file is whole.
            let unfinished = folder.join(format!(".{name}"));
            fs::write(&unfinished, text).unwrap();
            fs::rename(&unfinished, folder.join(name)).unwrap();
        }
        let mut wanted: Vec<String> = files.iter().map(|(name, _)| folder.join(name).display().to_string()).collect();
        wanted.sort();
        let (client, begun) = (self.client(), Instant::now());
        loop {
            let page = client.get("/policies").await.expect_ok();
            let units = page["units"].as_array().unwrap();
            if units.iter().map(|unit| unit["name"].as_str().unwrap()).eq(&wanted) {
                assert!(units.iter().all(|unit| unit["state"] == "active"), "{page}");
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "waited in vain for {wanted:?}: {page}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Everything that it said: lines are gathered for a moment before they are written.
    pub(super) fn log(&self) -> String {
        std::thread::sleep(crate::binary::LOGGED_WITHIN);
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// What it decided up to now, in order.
    pub(super) fn decisions(&self) -> Vec<Decision> {
        self.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Waits for a decision.
    #[track_caller]
    pub(super) fn wait_for_decision(&self, what: &str, is_meant: impl Fn(&Decision) -> bool) -> Decision {
        wait_for(what, || self.decisions().into_iter().find(&is_meant))
    }

    /// Asks it to end, as the kubelet does.
    pub(super) fn terminate(&self) {
        let server = Pid::from_raw(self.server).unwrap();
        kill_process(server, Signal::TERM).unwrap();
    }

    /// Waits until it ends by itself.
    pub(super) fn end(mut self) -> (ExitStatus, Ended) {
        let status = wait_for("the end of the server", || self.keeper.try_wait().unwrap());
        let folder = std::mem::replace(&mut self.folder, TempDir::new().unwrap());
        (status, Ended { address: std::mem::take(&mut self.address), folder })
    }
}

/// A server that has ended, with what it needs to be started again.
pub(super) struct Ended {
    address: String,
    folder: TempDir,
}

impl Drop for Webhook {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

fn wait_for_line(keeper: &mut Child) -> String {
    use std::io::{BufRead as _, BufReader};
    let mut line = String::new();
    BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}
