//! The accept loop of one listener, with or without TLS: what is accepted, for how long, and how it ends.
//!
//! Our own loop, because the deadlines of a handshake, of a header and of an idle connection differ, because a server
//! that runs out of file descriptors must live on, and because its end has two phases (see [`super::stage`]).

use std::{
    collections::HashMap,
    error::Error,
    hash::{BuildHasher, RandomState},
    io,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use http_body::Body;
use hyper::{
    Request, Response,
    server::conn::{http1, http2},
    service::Service,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{Id, JoinSet},
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_rustls::TlsAcceptor;

use super::{
    exchange::{Books, Exchange, RequestBody},
    stage::Stage,
    stream::{Activity, Socket, TimedStream},
};

/// The bounds of a listener's connections.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many connections may be open. One more closes the one that has been idle longest: to wait instead would let
    /// connections that somebody opened and forgot keep the API server out. Where none is idle, accepting waits.
    pub connections: usize,
    /// How long a TLS handshake may take.
    pub handshake: Duration,
    /// How long a request's header may take: the first one from the handshake on, later ones from their first byte.
    pub header: Duration,
    /// How long a connection may be idle. Longer than the client's own 90 s, or posts meet a closed connection.
    pub idle: Duration,
    /// How long a client may take nothing of what is written to it.
    pub stall: Duration,
    /// How long a client that is still sending when its answer is complete is listened to, so that it reads the answer.
    pub linger: Duration,
    /// The size of the buffer that a request's header must fit into (else 431), at least 8 KiB.
    pub header_bytes: usize,
    /// The age at which an answer is a connection's last, varied by a tenth, so that long-lived clients spread over
    /// replicas; `None` keeps connections as long as clients want.
    pub max_age: Option<Duration>,
    /// How long requests in flight may take to end once the server is finishing.
    pub finish: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connections: 4_096,
            handshake: Duration::from_secs(10),
            header: Duration::from_secs(10),
            idle: Duration::from_mins(2),
            stall: Duration::from_secs(30),
            linger: Duration::from_secs(5),
            header_bytes: 64 << 10,
            max_age: None,
            finish: Duration::from_secs(15),
        }
    }
}

/// How a listener ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every request in flight was answered.
    Finished,
    /// So many connections had to be cut, for the deadline had passed or the stage was [`Stage::Ended`].
    Cut(usize),
}

/// How long accepting rests after the first error of a row (twice as long after each further one).
const FIRST_REST: Duration = Duration::from_millis(10);
const LONGEST_REST: Duration = Duration::from_secs(1);

/// How often a full listener looks for a connection that has become idle.
const FULL_RETRY: Duration = Duration::from_millis(100);

/// Serves `service` on `listener`, behind TLS where `tls` is given, until `stage` says to end.
///
/// `service` is cloned for each connection. HTTP/1.0 and HTTP/1.1, and HTTP/2 where TLS negotiated `h2`. When the
/// sender of `stage` is gone, the listener finishes.
pub async fn serve<S, B>(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    service: S,
    settings: Settings,
    mut stage: watch::Receiver<Stage>,
) -> Ending
where
    S: Service<Request<RequestBody>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let shared = Shared { tls, settings: Arc::new(settings), draining: Arc::new(AtomicBool::new(false)) };
    let mut open = Open::default();
    let mut rest = Rest::default();
    loop {
        let full = open.tasks.len() > shared.settings.connections;
        tokio::select! {
            changed = stage.changed() => {
                shared.draining.store(true, Relaxed);
                let now = if changed.is_ok() { *stage.borrow_and_update() } else { Stage::Finishing };
                match now {
                    Stage::Serving => shared.draining.store(false, Relaxed),
                    Stage::Draining => {}
                    Stage::Finishing => break,
                    Stage::Ended => return Ending::Cut(open.tasks.len()),
                }
            }
            () = open.joined(), if !open.tasks.is_empty() => {}
            () = sleep(FULL_RETRY), if full => open.close_idlest(),
            () = rest.over(), if rest.until.is_some() => rest.until = None,
            accepted = listener.accept(), if !full && rest.until.is_none() => match accepted {
                Ok((tcp, peer)) => {
                    rest.length = FIRST_REST;
                    open.spawn(&shared, tcp, peer, service.clone());
                    if open.tasks.len() > shared.settings.connections {
                        open.close_idlest();
                    }
                }
                Err(error) if concerns_one_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, connections = open.tasks.len(), "cannot accept: closing the connection that is idle longest");
                    open.close_idlest();
                    rest.begin();
                }
            },
        }
    }
    drop(listener);
    finish(open, &shared.settings, stage).await
}

/// Closes idle connections and waits for the others.
async fn finish(mut open: Open, settings: &Settings, mut stage: watch::Receiver<Stage>) -> Ending {
    for activity in open.activities.values() {
        activity.close();
    }
    let mut deadline = pin!(sleep(settings.finish));
    let mut ended = pin!(async {
        // Without a sender nobody can end it any more; the deadline will.
        if stage.wait_for(|stage| *stage == Stage::Ended).await.is_err() {
            std::future::pending::<()>().await;
        }
    });
    while !open.tasks.is_empty() {
        tokio::select! {
            () = open.joined() => {}
            () = &mut deadline => return Ending::Cut(open.tasks.len()),
            () = &mut ended => return Ending::Cut(open.tasks.len()),
        }
    }
    Ending::Finished
}

/// Whether an error of `accept` says something about the connection that was to be accepted, not about the listener.
fn concerns_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted, NetworkDown, TimedOut};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted | NetworkDown | TimedOut
    )
}

/// The pause after an error of `accept`.
struct Rest {
    until: Option<Instant>,
    length: Duration,
}

impl Default for Rest {
    fn default() -> Self {
        Self { until: None, length: FIRST_REST }
    }
}

impl Rest {
    fn begin(&mut self) {
        self.until = Some(Instant::now() + self.length);
        self.length = (self.length * 2).min(LONGEST_REST);
    }

    async fn over(&self) {
        if let Some(until) = self.until {
            sleep_until(until).await;
        }
    }
}

/// What all connections of a listener have in common.
#[derive(Clone)]
struct Shared {
    tls: Option<TlsAcceptor>,
    settings: Arc<Settings>,
    draining: Arc<AtomicBool>,
}

/// The connections that are open; dropping it ends them.
#[derive(Default)]
struct Open {
    tasks: JoinSet<()>,
    activities: HashMap<Id, Arc<Activity>>,
    jitter: RandomState,
}

impl Open {
    /// Waits until a connection has ended.
    async fn joined(&mut self) {
        let id = match self.tasks.join_next_with_id().await {
            None => return,
            Some(Ok((id, ()))) => id,
            Some(Err(error)) => {
                if error.is_panic() {
                    tracing::error!("a handler panicked: its connection was closed without an answer");
                }
                error.id()
            }
        };
        self.activities.remove(&id);
    }

    fn close_idlest(&self) {
        let idle = self.activities.values().filter(|activity| !activity.closing());
        let idlest =
            idle.filter_map(|activity| Some((activity.idle_since()?, activity))).min_by_key(|(since, _)| *since);
        if let Some((_, activity)) = idlest {
            activity.close();
        }
    }

    fn spawn<S, B>(&mut self, shared: &Shared, tcp: TcpStream, peer: SocketAddr, inner: S)
    where
        S: Service<Request<RequestBody>, Response = Response<B>> + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let activity = Arc::new(Activity::new());
        let books = Books {
            activity: Arc::clone(&activity),
            draining: Arc::clone(&shared.draining),
            max_age: shared.settings.max_age.map(|age| vary(age, self.jitter.hash_one(peer))),
        };
        let exchange = Exchange { inner, books: Arc::new(books), is_verified: false };
        let connection = connection(tcp, shared.clone(), exchange, Arc::clone(&activity));
        let task = self.tasks.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%peer, error, "connection ended");
            }
        });
        self.activities.insert(task.id(), activity);
    }
}

/// `age`, up to a tenth less or more.
fn vary(age: Duration, random: u64) -> Duration {
    let thousandth = u32::try_from(random % 201).unwrap_or(0);
    age * (900 + thousandth) / 1_000
}

/// Serves one connection to its end.
async fn connection<S, B>(
    tcp: TcpStream,
    shared: Shared,
    mut exchange: Exchange<S>,
    activity: Arc<Activity>,
) -> Result<(), Box<dyn Error + Send + Sync>>
where
    S: Service<Request<RequestBody>, Response = Response<B>> + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let Shared { tls, settings, .. } = shared;
    tcp.set_nodelay(true)?;
    let socket = match tls {
        None => Socket::Plain(tcp),
        Some(tls) => tokio::select! {
            shaken = timeout(settings.handshake, tls.accept(tcp)) => Socket::Tls(Box::new(shaken??)),
            () = activity.wake.notified() => return Ok(()),
        },
    };
    exchange.is_verified = socket.has_client_certificate();
    let http2 = socket.negotiated_http2();
    let header_bytes = settings.header_bytes;
    let stream = TimedStream::new(socket, Arc::clone(&activity), settings, !http2);
    if http2 {
        return Box::pin(serve_http2(TokioIo::new(stream), exchange, activity, header_bytes)).await;
    }
    let http1 = http1::Builder::new().max_buf_size(header_bytes).serve_connection(TokioIo::new(stream), exchange);
    let mut http1 = pin!(http1);
    loop {
        tokio::select! {
            biased;
            ended = http1.as_mut() => return Ok(ended?),
            // Told to close: the stream, polled again, says that it has ended where no request is in flight.
            () = activity.wake.notified() => {}
        }
    }
}

async fn serve_http2<S, B>(
    stream: TokioIo<TimedStream>,
    exchange: Exchange<S>,
    activity: Arc<Activity>,
    header_bytes: usize,
) -> Result<(), Box<dyn Error + Send + Sync>>
where
    S: Service<Request<RequestBody>, Response = Response<B>> + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let http2 = http2::Builder::new(TokioExecutor::new())
        .max_header_list_size(u32::try_from(header_bytes).unwrap_or(u32::MAX))
        .serve_connection(stream, exchange);
    let mut http2 = pin!(http2);
    loop {
        tokio::select! {
            biased;
            ended = http2.as_mut() => return Ok(ended?),
            () = activity.wake.notified() => http2.as_mut().graceful_shutdown(),
        }
    }
}
