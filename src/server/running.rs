//! The server as a whole: two listeners, the files it watches, its end.
//!
//! Admission has a runtime with a worker for each core. Metrics, probes, files and signals have another one, on a thread of
//! its own: however busy admission is, the probes are answered and a new certificate is seen.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::unbounded_channel;
use tokio::sync::watch;
use tokio::task::JoinError;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use super::config::{CertificateSource, Config, StartError};
use super::connection::{self, Ending, Settings};
use super::explain::{Door, Explain};
use super::handler::Admission;
use super::handshake;
use super::pages::{self, Pages};
use super::stage::{Stage, shut_down};
use super::tls;
use super::watching::{Follower, Watching, managed, watched};
use crate::certificates::{self, CertificateFiles, Change, ClientAuthoritiesFile, Presented};
use crate::cluster::{self, Cluster, Mirrors};
use crate::evidence::{Keeper, Store};
use crate::recording::{self, Recorder};
use crate::source::policies::{Link, Policies};
use crate::telemetry::{Metrics, Traces};

/// Serves until SIGTERM or SIGINT, then drains and finishes. A second signal ends it at once.
///
/// # Errors
/// What kept it from starting: an address in use, a certificate that cannot be read, a folder that is not there.
pub fn run(config: &Config) -> Result<(), StartError> {
    let metrics = Arc::new(Metrics::default());
    let operations = runtime::Builder::new_current_thread().enable_all().build()?;
    let workers = runtime::Builder::new_multi_thread().enable_all().thread_name("admission").build()?;
    let connection = workers.block_on(cluster::connection(config.kubeconfig.as_deref())).map_err(StartError)?;
    let mirrors = Arc::new(Mirrors::new(config.limits.cache, Arc::clone(&metrics)));
    let cluster = ask(&workers, connection.as_ref(), &mirrors)?;
    let traces = Traces::start(operations.handle());
    let managed = managed(config, connection.as_ref())?;
    let (policies, follower) = policies(config, connection.as_ref())?;
    let is_starter = config.policies.is_empty() && follower.is_none();
    let recorder = recorder(config, &metrics)?;
    let explain = explaining(config, &workers, connection.as_ref())?;
    let explanations = explain.as_ref().map(|(_, explain)| Arc::clone(explain));
    let admission = Admission::new(Arc::clone(&metrics), cluster, config.namespace_groups.clone(), config.limits)
        .with_traces(traces)
        .with_explanations(explanations)
        .recorded_by(recorder.clone())
        .steady_after(config.drift_after);
    let (declared, declarations) = watch::channel(BTreeSet::new());
    let own_namespace = follower.as_ref().map(|(places, ..)| places.own.clone()).filter(|_| config.evidence.is_none());
    let pages = Pages {
        admission: Arc::new(admission),
        metrics,
        health: Arc::default(),
        declared,
        reach: Arc::default(),
        shares_evidence: own_namespace.is_some(),
        explain,
        twins: Arc::default(),
    };
    let keeper = config.evidence.clone().map(|path| keeper(&pages, path)).transpose()?;
    let Keys { presented, files, clients, tls, is_for_verified_clients } = keys(config)?;
    let listener = bind(&workers, config.listen)?;
    let metrics_listener = bind(&operations, config.metrics_listen)?;
    let addresses = (listener.local_addr()?, metrics_listener.local_addr()?);

    // The handlers stand before anybody can know the address and send a signal.
    let signals = {
        let _context = operations.enter();
        Signals::listen()?
    };
    announce(addresses, is_starter);

    let (stage, mut stages) = watch::channel(Stage::Serving);
    let settings = settings(config);
    let plain = connection::serve(
        metrics_listener,
        None,
        service(pages::operations(pages.clone())),
        Settings { max_age: None, ..settings.clone() },
        stages.clone(),
    );
    let beside = Beside {
        pages: pages.clone(),
        stage,
        drain: config.drain,
        presented: Arc::clone(&presented),
        files,
        clients,
        signals,
    };
    let (ended, end_of_operations) = watch::channel(());
    let has_cluster = connection.is_some();
    let watching = connection.map(|connection| Watching {
        connection,
        mirrors: Arc::clone(&mirrors),
        declared: declarations,
        configuration: config.webhook_configuration.clone(),
        pages: pages.clone(),
        twins: config.twins,
        config_maps: follower,
        managed,
        presented: Arc::clone(&presented),
        evidence: own_namespace,
    });
    let operations_thread = operate(operations, (watching, keeper), (beside, plain), end_of_operations)?;

    let (loaded, mut first) = watch::channel(false);
    let activating = pages.clone();
    policies.follow(move |active| {
        activating.activate(active);
        loaded.send_replace(true);
    })?;

    // Until there are policies and a certificate, connections wait: who is not answered at once is answered by them.
    let is_ending = workers.block_on(async {
        tokio::select! {
            () = async { _ = first.wait_for(|is_loaded| *is_loaded).await; presented.filled().await } => false,
            _ = stages.wait_for(|stage| *stage != Stage::Serving) => true,
        }
    });
    let ending = if is_ending {
        Ok(Ending::Finished)
    } else {
        let router = service(pages::admission(pages.clone(), is_for_verified_clients));
        let tls = Some(TlsAcceptor::from(Arc::new(tls)));
        let served = workers.spawn(connection::serve(listener, tls, router, settings, stages.clone()));
        let declared = pages.declared.clone();
        let is_complete = move || !has_cluster || mirrors.has(&declared.borrow());
        let health = Arc::clone(&pages.health);
        workers.spawn(handshake::await_own_answer(addresses.0, presented, stages, health, is_complete));
        workers.block_on(served)
    };
    drop(ended);
    // Only a panic of its thread could be reported here, and the panic hook has done that.
    let _ = operations_thread.join();
    conclude(ending, recorder.as_deref())
}

/// Writes what is left to be recorded, and says how it ended.
fn conclude(ending: Result<Ending, JoinError>, recorder: Option<&Recorder>) -> Result<(), StartError> {
    if let Some(recorder) = recorder {
        recorder.end();
    }
    match ending {
        Ok(Ending::Finished) => tracing::info!("every request was answered, ending"),
        Ok(Ending::Cut(connections)) => tracing::warn!(connections, "ending with requests under way"),
        Err(error) => return Err(StartError(format!("the listener ended: {error}"))),
    }
    Ok(())
}

/// All that goes on beside admission, on a thread of its own, until the end of `end`'s other half.
fn operate(
    runtime: runtime::Runtime,
    (watching, keeper): (Option<Watching>, Option<Keeper>),
    (beside, plain): (Beside, impl Future<Output: Send> + Send + 'static),
    mut end: watch::Receiver<()>,
) -> io::Result<thread::JoinHandle<()>> {
    thread::Builder::new().name("operations".to_owned()).spawn(move || {
        runtime.block_on(async move {
            let keeper = watching.and_then(Watching::begin).or(keeper);
            if let Some(keeper) = &keeper {
                tokio::spawn(keeper.clone().follow());
            }
            tokio::select! {
                // Both end with the stage; what they wait for beyond is the end of admission.
                ((), _) = async { tokio::join!(beside.run(), plain) } => {}
                _ = end.changed() => {}
            }
            if let Some(keeper) = keeper {
                keeper.finish().await;
            }
        });
    })
}

/// Who may ask why requests were decided as they were, and the answers.
type Explaining = (Arc<Door>, Arc<Explain>);

/// What explains decisions, and who may ask; None where none are kept.
fn explaining(
    config: &Config,
    workers: &runtime::Runtime,
    connection: Option<&kube::Config>,
) -> Result<Option<Explaining>, StartError> {
    let Some(bytes) = config.explain_buffer else { return Ok(None) };
    let Some(connection) = connection else {
        let problem = "--explain needs a cluster, which knows who may ask: name one with --kubeconfig, or run in a pod";
        return Err(StartError(problem.to_owned()));
    };
    let _context = workers.enter();
    let client = cluster::client(connection.clone()).map_err(StartError)?;
    let explain = Explain::start(bytes, config.explain_one_in)?;
    Ok(Some((Arc::new(Door::new(client)), explain)))
}

fn recorder(config: &Config, metrics: &Arc<Metrics>) -> Result<Option<Arc<Recorder>>, StartError> {
    let start = |settings: &recording::Settings| {
        Recorder::start(settings, config.redaction.clone(), Arc::clone(metrics)).map(Arc::new).map_err(StartError)
    };
    config.recording.as_ref().map(start).transpose()
}

/// A cluster that the workers can ask.
fn ask(
    workers: &runtime::Runtime,
    connection: Option<&kube::Config>,
    mirrors: &Arc<Mirrors>,
) -> Result<Option<Cluster>, StartError> {
    let _context = workers.enter();
    connection.cloned().map(|to| Cluster::new(to, Arc::clone(mirrors))).transpose().map_err(StartError)
}

/// What keeps evidence in a file, which must be there or can be made.
fn keeper(pages: &Pages, path: PathBuf) -> Result<Keeper, StartError> {
    let (store, evidence) = (Store::file(path).map_err(StartError)?, Arc::clone(pages.admission.evidence()));
    Ok(Keeper::new(evidence, store))
}

fn settings(config: &Config) -> Settings {
    Settings { connections: config.max_connections, max_age: Some(config.connection_age), ..Settings::default() }
}

/// The sources of policies, and what is to watch those in the cluster.
fn policies(config: &Config, connection: Option<&kube::Config>) -> Result<(Policies, Option<Follower>), StartError> {
    let (link, follower) = match watched(config, connection)? {
        None => (None, None),
        Some(places) => {
            let ((sender, seen), (told, orders)) = (std::sync::mpsc::channel(), unbounded_channel());
            (Some(Link { seen, told }), Some((places, sender, orders)))
        }
    };
    let mut policies = Policies::new(&config.policies, link, connection.is_some(), config.tests);
    policies.first().map_err(StartError)?;
    Ok((policies, follower))
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

/// What the listener behind TLS goes by.
struct Keys {
    presented: Arc<Presented>,
    files: Option<CertificateFiles>,
    clients: Option<ClientAuthoritiesFile>,
    tls: rustls::ServerConfig,
    is_for_verified_clients: bool,
}

fn keys(config: &Config) -> Result<Keys, StartError> {
    let (presented, files) = certificate(&config.certificate)?;
    let presented = Arc::new(presented);
    let clients = config.client_ca.as_ref().map(ClientAuthoritiesFile::open).transpose();
    let clients = clients.map_err(|error| StartError(error.to_string()))?;
    let authorities = clients.as_ref().map(ClientAuthoritiesFile::authorities);
    let is_for_verified_clients = authorities.is_some();
    let tls = tls::server_config(Arc::clone(&presented), authorities, config.http2)
        .map_err(|error| StartError(error.to_string()))?;
    Ok(Keys { presented, files, clients, tls, is_for_verified_clients })
}

fn certificate(source: &CertificateSource) -> Result<(Presented, Option<CertificateFiles>), StartError> {
    match source {
        CertificateSource::Files { chain, key } => {
            let (files, certificate) =
                CertificateFiles::open(chain, key).map_err(|error| StartError(error.to_string()))?;
            Ok((Presented::new(certificate), Some(files)))
        }
        CertificateSource::Managed { .. } => Ok((Presented::empty(), None)),
        CertificateSource::SelfSigned { names, write_to } => {
            let made = certificates::self_signed(names).map_err(|error| StartError(error.to_string()))?;
            if let Some(path) = write_to {
                std::fs::write(path, &made.pem)
                    .map_err(|error| StartError(format!("cannot write {}: {error}", path.display())))?;
            }
            Ok((Presented::new(made.certificate), None))
        }
    }
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
    clients: Option<ClientAuthoritiesFile>,
    signals: Signals,
}

impl Beside {
    async fn run(mut self) {
        let mut changes = self.presented.changes();
        self.note_expiry();
        let mut tick = tokio::time::interval(certificates::POLL_EVERY);
        loop {
            tokio::select! {
                _ = tick.tick() => {
                    self.look();
                    self.look_at_clients();
                }
                Ok(()) = changes.changed() => self.note_expiry(),
                () = self.signals.next() => break,
            }
        }
        tracing::info!(seconds = self.drain.as_secs(), "draining");
        self.pages.health.leave();
        shut_down(&self.stage, self.drain, self.signals.next()).await;
    }

    fn look(&mut self) {
        if let Some(files) = &mut self.files {
            match files.poll(&self.presented) {
                Some(Change::Replaced(_)) => tracing::info!("the certificate was replaced"),
                Some(Change::Kept(error)) => tracing::error!(%error, "the certificate that was served before stays"),
                None => {}
            }
        }
    }

    fn look_at_clients(&mut self) {
        match self.clients.as_mut().and_then(ClientAuthoritiesFile::poll) {
            Some(Ok(())) => tracing::info!("the CAs of clients were replaced"),
            Some(Err(error)) => tracing::error!(%error, "the CAs of clients stay as they were"),
            None => {}
        }
    }

    fn note_expiry(&self) {
        let Some(not_after) = self.presented.not_after() else { return };
        let expiry = not_after.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.pages.metrics.certificate_expiry.set(expiry.as_secs_f64());
        if not_after < SystemTime::now() {
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
