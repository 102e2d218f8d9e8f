//! The server as a whole: two listeners, the files it watches, its end.
//!
//! Admission has a runtime with a worker for each core. Metrics, probes, files and signals have another one, on a thread of
//! its own: however busy admission is, the probes are answered and a new certificate is seen.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use super::connection::{self, Ending, Settings};
use super::handler::Admission;
use super::pages::{self, Pages};
use super::stage::{Stage, shut_down};
use super::tls::{self, CertificateFiles, Change, Presented};
use crate::cluster::Cluster;
use crate::source::directory::{self, Directory, Read};
use crate::source::{Loaded, UnitState, starter};
use crate::telemetry::Metrics;

/// What the server is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the API server connects.
    pub listen: SocketAddr,
    /// Where Prometheus and probes connect.
    pub metrics_listen: SocketAddr,
    /// Files and folders with policies; none: the starter policies.
    pub policies: Vec<PathBuf>,
    /// A kubeconfig for what policies ask the cluster; in a pod none is needed.
    pub kubeconfig: Option<PathBuf>,
    /// Where the certificate comes from.
    pub certificate: CertificateSource,
    /// Whether HTTP/2 is offered.
    pub http2: bool,
    /// How long a terminating server goes on answering.
    pub drain: Duration,
    /// How many connections may be open.
    pub max_connections: usize,
    /// The largest body, in bytes.
    pub max_body: usize,
    /// What all bodies under way may hold, in bytes.
    pub max_in_flight: usize,
}

/// Where the certificate comes from.
#[derive(Clone, Debug)]
pub enum CertificateSource {
    /// Files that are reloaded when they change.
    Files {
        /// The chain, PEM.
        chain: PathBuf,
        /// The key, PEM.
        key: PathBuf,
    },
    /// One made in memory.
    SelfSigned {
        /// Names beside localhost.
        names: Vec<String>,
        /// Where the certificate is written, for clients that shall trust it.
        write_to: Option<PathBuf>,
    },
}

/// Why the server did not start.
#[derive(Debug)]
pub struct StartError(String);

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}

impl From<io::Error> for StartError {
    fn from(error: io::Error) -> Self {
        Self(format!("cannot start: {error}"))
    }
}

/// Serves until SIGTERM or SIGINT, then drains and finishes. A second signal ends it at once.
///
/// # Errors
/// What kept it from starting: an address in use, a certificate that cannot be read, a folder that is not there.
pub fn run(config: &Config) -> Result<(), StartError> {
    let metrics = Arc::new(Metrics::default());
    let operations = runtime::Builder::new_current_thread().enable_all().build()?;
    let workers = runtime::Builder::new_multi_thread().enable_all().thread_name("admission").build()?;
    let cluster = workers.block_on(Cluster::find(config.kubeconfig.as_deref())).map_err(StartError)?;
    let mut policies = Policies::new(&config.policies, cluster.is_some());
    let admission = Admission::new(Arc::clone(&metrics), cluster, config.max_body, config.max_in_flight);
    let admission = Arc::new(admission);
    let pages = Pages { admission, metrics, ready: Arc::new(AtomicBool::new(false)) };
    let first = policies.first().map_err(StartError)?;
    let (presented, files) = certificate(&config.certificate)?;
    let presented = Arc::new(presented);
    let tls =
        tls::server_config(Arc::clone(&presented), config.http2).map_err(|error| StartError(error.to_string()))?;

    let listener = bind(&workers, config.listen)?;
    let metrics_listener = bind(&operations, config.metrics_listen)?;
    let addresses = (listener.local_addr()?, metrics_listener.local_addr()?);

    // The handlers stand before anybody can know the address and send a signal.
    let signals = {
        let _context = operations.enter();
        Signals::listen()?
    };
    announce(addresses, config.policies.is_empty());
    policies.take(&pages, first);
    follow(policies, pages.clone())?;

    let (stage, stages) = watch::channel(Stage::Serving);
    let settings = Settings { connections: config.max_connections, ..Settings::default() };
    let router = service(pages::admission(pages.clone()));
    let tls = TlsAcceptor::from(Arc::new(tls));
    let served = workers.spawn(connection::serve(listener, Some(tls), router, settings.clone(), stages.clone()));

    let plain = service(pages::operations(pages.clone()));
    let beside = Beside { pages: pages.clone(), stage, drain: config.drain, presented, files, signals };
    let (ended, end_of_operations) = watch::channel(());
    let operations_thread = thread::Builder::new().name("operations".to_owned()).spawn(move || {
        operations.block_on(async move {
            let plain = connection::serve(metrics_listener, None, plain, settings, stages);
            let beside = beside.run();
            let mut end = end_of_operations;
            tokio::select! {
                // Both end with the stage; what they wait for beyond is the end of admission.
                ((), _) = async { tokio::join!(beside, plain) } => {}
                _ = end.changed() => {}
            }
        });
    })?;

    pages.ready.store(true, Relaxed);
    let ending = workers.block_on(served);
    drop(ended);
    // Only a panic of its thread could be reported here, and the panic hook has done that.
    let _ = operations_thread.join();
    match ending {
        Ok(Ending::Finished) => tracing::info!("every request was answered, ending"),
        Ok(Ending::Cut(connections)) => tracing::warn!(connections, "ending with requests under way"),
        Err(error) => return Err(StartError(format!("the listener ended: {error}"))),
    }
    Ok(())
}

/// Routers as the connection code wants them.
fn service(
    router: Router,
) -> TowerToHyperService<
    impl tower::Service<
        axum::http::Request<super::exchange::RequestBody>,
        Response = axum::response::Response,
        Error = std::convert::Infallible,
        Future: Send,
    > + Clone
    + Send,
> {
    TowerToHyperService::new(router.map_request(|request: axum::http::Request<_>| request.map(Body::new)))
}

fn bind(runtime: &runtime::Runtime, address: SocketAddr) -> Result<TcpListener, StartError> {
    runtime
        .block_on(TcpListener::bind(address))
        .map_err(|error| StartError(format!("cannot listen on {address}: {error}")))
}

fn certificate(source: &CertificateSource) -> Result<(Presented, Option<CertificateFiles>), StartError> {
    match source {
        CertificateSource::Files { chain, key } => {
            let (files, certificate) =
                CertificateFiles::open(chain, key).map_err(|error| StartError(error.to_string()))?;
            Ok((Presented::new(certificate), Some(files)))
        }
        CertificateSource::SelfSigned { names, write_to } => {
            let made = tls::self_signed(names).map_err(|error| StartError(error.to_string()))?;
            if let Some(path) = write_to {
                std::fs::write(path, &made.pem)
                    .map_err(|error| StartError(format!("cannot write {}: {error}", path.display())))?;
            }
            Ok((Presented::new(made.certificate), None))
        }
    }
}

/// The policies' source and what was loaded from it.
struct Policies {
    directory: Option<Directory>,
    loaded: Loaded,
    last_error: Option<String>,
}

impl Policies {
    fn new(paths: &[PathBuf], has_cluster: bool) -> Self {
        let directory = (!paths.is_empty()).then(|| Directory::new(paths.to_vec()));
        Self { directory, loaded: Loaded::new(has_cluster), last_error: None }
    }

    /// The first look: a path that is not there is an error; a broken file is none, it is reported when it is taken.
    fn first(&mut self) -> Result<Vec<Read>, String> {
        match &mut self.directory {
            Some(directory) => Ok(directory.poll().map_err(|error| error.to_string())?.unwrap_or_default()),
            None => Ok(vec![Read::Unit(starter::unit())]),
        }
    }

    /// A later look. What cannot be listed changes nothing, and is said once.
    fn look(&mut self, pages: &Pages) {
        let Some(directory) = &mut self.directory else { return };
        match directory.poll() {
            Ok(Some(files)) => self.take(pages, files),
            Ok(None) => self.last_error = None,
            Err(error) => {
                let error = error.to_string();
                if self.last_error.as_ref() != Some(&error) {
                    tracing::error!(error, "the policies that were loaded before stay");
                    self.last_error = Some(error);
                }
            }
        }
    }

    fn take(&mut self, pages: &Pages, files: Vec<Read>) {
        let (active, reports) = self.loaded.update(files);
        for report in reports {
            tracing::error!("{report}");
        }
        let broken = active.units.iter().filter(|unit| unit.state != UnitState::Active).count();
        pages.metrics.policies.set(i64::try_from(active.set.len()).unwrap_or(i64::MAX));
        pages.metrics.broken_units.set(i64::try_from(broken).unwrap_or(i64::MAX));
        pages.metrics.reloads.inc();
        tracing::info!(
            policies = active.set.len(),
            units = active.units.len(),
            broken,
            digest = active.set.digest(),
            "policies active"
        );
        pages.admission.activate(Arc::new(active));
    }
}

/// Looks at the policy files from a thread of its own, for as long as the process lives: compiling a thousand policies must
/// not keep a probe waiting.
fn follow(mut policies: Policies, pages: Pages) -> io::Result<()> {
    if policies.directory.is_none() {
        return Ok(());
    }
    let look = move || {
        loop {
            thread::sleep(directory::POLL_EVERY);
            // A panic is reported by the hook; the set that was active before stays, and the next change is looked at.
            let _ = catch_unwind(AssertUnwindSafe(|| policies.look(&pages)));
        }
    };
    thread::Builder::new().name("policies".to_owned()).spawn(look).map(drop)
}

/// What asks the process to end.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// What happens beside admission: the certificate's files, signals, the end.
struct Beside {
    pages: Pages,
    stage: watch::Sender<Stage>,
    drain: Duration,
    presented: Arc<Presented>,
    files: Option<CertificateFiles>,
    signals: Signals,
}

impl Beside {
    async fn run(mut self) {
        self.note_expiry();
        let mut tick = tokio::time::interval(tls::POLL_EVERY);
        loop {
            tokio::select! {
                _ = tick.tick() => self.look(),
                () = self.signals.next() => break,
            }
        }
        tracing::info!(seconds = self.drain.as_secs(), "draining");
        self.pages.ready.store(false, Relaxed);
        shut_down(&self.stage, self.drain, self.signals.next()).await;
    }

    fn look(&mut self) {
        if let Some(files) = &mut self.files {
            match files.poll(&self.presented) {
                Some(Change::Replaced(_)) => {
                    tracing::info!("the certificate was replaced");
                    self.note_expiry();
                }
                Some(Change::Kept(error)) => tracing::error!(%error, "the certificate that was served before stays"),
                None => {}
            }
        }
    }

    fn note_expiry(&self) {
        let expiry = self.presented.not_after().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.pages.metrics.certificate_expiry.set(expiry.as_secs_f64());
        if self.presented.not_after() < SystemTime::now() {
            tracing::error!("the certificate has expired");
        }
    }
}

/// A request that the starter policies deny, for trying out.
const SAMPLE: &str = r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"try-me","operation":"CREATE","kind":{"group":"","version":"v1","kind":"Pod"},"resource":{"group":"","version":"v1","resource":"pods"},"namespace":"default","userInfo":{"username":"you"},"object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web"},"spec":{"containers":[{"name":"web","image":"nginx:latest","ports":[{"containerPort":80,"hostPort":80}]}]}}}}"#;

/// The first line on standard error is for programs, the rest for people. Until the policies are loaded, connections wait.
#[expect(clippy::print_stderr, reason = "what a person who starts the server by hand sees")]
fn announce((listen, metrics): (SocketAddr, SocketAddr), starter: bool) {
    eprintln!("listening on https://{listen}");
    eprintln!("metrics on http://{metrics}/metrics");
    if starter {
        eprintln!("try it:\n  curl -sk https://{listen}/validate -H 'Content-Type: application/json' -d '{SAMPLE}'");
    }
}
