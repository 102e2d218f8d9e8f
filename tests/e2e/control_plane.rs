//! A control plane of its own for the tests: etcd, kube-apiserver, kube-controller-manager.

use std::{
    env, fmt,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{ChildStdin, Command, Stdio},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use super::api::Api;

/// Nothing that tests wait for takes longer than this, on a busy machine either.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// The label that says to which test a namespace belongs.
pub(super) const TEST_LABEL: &str = "admittance-test";

const CONTROLLERS: &str = "kube-controller-manager";

/// A running control plane. It ends with the test process: then its lifeline breaks.
pub(super) struct ControlPlane {
    folder: PathBuf,
    /// Whether something makes pods of Deployments.
    pub(super) has_controllers: bool,
    _lifeline: ChildStdin,
}

/// Which processes are needed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Parts {
    /// The API server and what it needs.
    ApiServer,
    /// Those that make pods of Deployments, too.
    Controllers,
}

impl ControlPlane {
    /// The one that tests share, with controllers. `None` where these tests were told not to run.
    pub(super) fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<ControlPlane>> = OnceLock::new();
        SHARED.get_or_init(|| Self::start_if_told(Parts::Controllers, "")).as_ref()
    }

    /// One whose objects nobody touches but the test: there is no garbage collector and no controller.
    pub(super) fn without_controllers() -> Option<Self> {
        Self::start_if_told(Parts::ApiServer, "")
    }

    /// The same with further flags for the API server, split at blanks.
    pub(super) fn with_flags(flags: &str) -> Option<Self> {
        Self::start_if_told(Parts::ApiServer, flags)
    }

    fn start_if_told(parts: Parts, flags: &str) -> Option<Self> {
        match env::var("ADMITTANCE_E2E").as_deref() {
            Ok("skip") => {
                say("SKIPPED: tests behind a real API server, as ADMITTANCE_E2E=skip says");
                None
            }
            Ok("require" | "") | Err(_) => {
                let found = Command::new(script("cached")).stderr(Stdio::piped()).output().unwrap();
                let missing = String::from_utf8_lossy(&found.stderr);
                assert!(
                    found.status.success(),
                    "tests behind a real API server cannot run: {missing}Run hack/control-plane/build (it needs Go, and \
                     minutes), or set KUBEBUILDER_ASSETS, or leave these tests out with ADMITTANCE_E2E=skip"
                );
                // envtest's binaries lack it.
                let controllers = Path::new(std::str::from_utf8(&found.stdout).unwrap().trim_end()).join(CONTROLLERS);
                Some(Self::start(parts == Parts::Controllers && controllers.is_file(), flags))
            }
            Ok(other) => panic!("ADMITTANCE_E2E is \"{other}\": say require or skip"),
        }
    }

    fn start(has_controllers: bool, flags: &str) -> Self {
        let mut child = Command::new(script("with"))
            .args(["sh", "-c", r#"echo "$CONTROL_PLANE"; exec cat"#])
            .env("CONTROLLERS", if has_controllers { "1" } else { "" })
            .env("APISERVER_FLAGS", flags)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut folder = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut folder).unwrap();
        if folder.is_empty() {
            let mut said = String::new();
            child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            panic!("the control plane did not start:\n{said}");
        }
        let control_plane =
            Self { folder: PathBuf::from(folder.trim_end()), has_controllers, _lifeline: child.stdin.take().unwrap() };
        // It is awaited so that no dead process stays in the table of processes while the tests run.
        thread::spawn(move || child.wait());
        control_plane
    }

    /// A client with an administrator's rights. It belongs to the runtime that it is made in.
    pub(super) async fn api(&self) -> Api {
        Api::connect(&self.folder.join("kubeconfig")).await
    }

    /// An administrator's kubeconfig.
    pub(super) fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    /// Runs kubectl as a person does.
    pub(super) fn kubectl(&self, arguments: &[&str]) -> Said {
        self.kubectl_with(arguments, "")
    }

    /// Runs kubectl with `input` on its standard input.
    pub(super) fn kubectl_with(&self, arguments: &[&str], input: &str) -> Said {
        let mut child = Command::new(self.folder.join("bin/kubectl"))
            .args(arguments)
            .env("KUBECONFIG", self.folder.join("kubeconfig"))
            // kubectl keeps what it discovered by host and port, and ports are used again by other control planes.
            .env("KUBECACHEDIR", self.folder.join("kubectl"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // kubectl may end before it has read everything: then its own message says why.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        Said {
            succeeded: output.status.success(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Makes a namespace that belongs to `test`: the webhooks of no other test see what happens in it.
    pub(super) async fn namespace(&self, api: &Api, test: &str, name: &str) {
        let namespace = json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {TEST_LABEL: test}}
        });
        api.post("/api/v1/namespaces", &namespace).await.expect_created();
    }
}

/// What kubectl said.
pub(super) struct Said {
    pub(super) succeeded: bool,
    pub(super) out: String,
    pub(super) err: String,
}

impl Said {
    /// What it printed, after it succeeded without a complaint.
    #[track_caller]
    pub(super) fn well(self) -> String {
        assert!(self.succeeded && self.err.is_empty(), "{self}");
        self.out
    }

    /// What it complained of, after it failed.
    #[track_caller]
    pub(super) fn badly(self) -> String {
        assert!(!self.succeeded && self.out.is_empty(), "{self}");
        self.err
    }
}

impl fmt::Display for Said {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.succeeded { "succeeded" } else { "failed" };
        write!(formatter, "kubectl {verb}\n{}{}", self.out, self.err)
    }
}

/// Says something that the test harness does not swallow, as it does with `eprintln!`.
pub(super) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("hack/control-plane").join(name)
}

/// Asks until there is an answer.
#[track_caller]
pub(super) fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
