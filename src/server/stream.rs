//! One connection's socket as hyper reads and writes it: the deadlines between requests, and an end that lets an
//! answer arrive.
//!
//! hyper has one timer for "no header yet", which would also be the time that a connection may stay idle. Here they are
//! apart: the first request's header is due soon after the connection stands, a later one's soon after its first byte,
//! and in between a connection may be idle for long. While a request is handled nothing is due: its body and its
//! evaluation have deadlines of their own.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::Notify,
    time::{Duration, Instant, Sleep, sleep_until},
};
use tokio_rustls::server::TlsStream;

use super::connection::Settings;

/// What the socket, the requests on it and the accept loop tell each other about one connection.
#[derive(Debug)]
pub(super) struct Activity {
    opened: Instant,
    /// How many requests have begun.
    begun: AtomicU32,
    /// How many of them have not been answered to the end.
    in_flight: AtomicU32,
    /// Whether the body of the last request has been read to its end.
    body_open: AtomicBool,
    /// When the connection last had nothing in flight, in milliseconds since it was opened; [`BUSY`] while it has.
    idle_since: AtomicU64,
    /// Whether the connection is to end with its next answer, or at once where it is idle.
    closing: AtomicBool,
    /// Wakes the connection's task when `closing` was set from outside.
    pub(super) wake: Notify,
}

const BUSY: u64 = u64::MAX;

impl Activity {
    pub(super) fn new() -> Self {
        Self {
            opened: Instant::now(),
            begun: AtomicU32::new(0),
            in_flight: AtomicU32::new(0),
            body_open: AtomicBool::new(false),
            idle_since: AtomicU64::new(0),
            closing: AtomicBool::new(false),
            wake: Notify::new(),
        }
    }

    pub(super) fn age(&self) -> Duration {
        self.opened.elapsed()
    }

    /// When the connection became idle; `None` while a request is in flight.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let millis = self.idle_since.load(Relaxed);
        (millis != BUSY).then(|| self.opened + Duration::from_millis(millis))
    }

    pub(super) fn begin_request(&self, has_body: bool) {
        self.begun.fetch_add(1, Relaxed);
        self.in_flight.fetch_add(1, Relaxed);
        self.body_open.store(has_body, Relaxed);
        self.idle_since.store(BUSY, Relaxed);
    }

    pub(super) fn end_request(&self) {
        if self.in_flight.fetch_sub(1, Relaxed) == 1 {
            let millis = u64::try_from(self.age().as_millis()).unwrap_or(BUSY - 1);
            self.idle_since.store(millis, Relaxed);
        }
    }

    pub(super) fn end_body(&self) {
        self.body_open.store(false, Relaxed);
    }

    pub(super) fn body_open(&self) -> bool {
        self.body_open.load(Relaxed)
    }

    pub(super) fn closing(&self) -> bool {
        self.closing.load(Relaxed)
    }

    /// Ends the connection: at once where it is idle, else with its next answer.
    pub(super) fn close(&self) {
        self.closing.store(true, Relaxed);
        self.wake.notify_one();
    }
}

/// A socket with or without TLS; one type, so that hyper's state machine is compiled once.
#[derive(Debug)]
pub(super) enum Socket {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Socket {
    /// Whether the TLS handshake chose HTTP/2.
    pub(super) fn negotiated_http2(&self) -> bool {
        matches!(self, Self::Tls(tls) if tls.get_ref().1.alpn_protocol() == Some(b"h2"))
    }

    /// Whether the client has shown a certificate; the handshake fails with one that cannot be verified.
    pub(super) fn has_client_certificate(&self) -> bool {
        matches!(self, Self::Tls(tls) if tls.get_ref().1.peer_certificates().is_some())
    }

    fn tcp(&mut self) -> &mut TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(tls) => tls.get_mut().0,
        }
    }
}

/// Applies a method of `AsyncRead` or `AsyncWrite` to whichever socket it is.
macro_rules! each {
    ($socket:expr, $method:ident $(, $argument:expr)*) => {
        match $socket {
            Socket::Plain(tcp) => Pin::new(tcp).$method($($argument),*),
            Socket::Tls(tls) => Pin::new(tls.as_mut()).$method($($argument),*),
        }
    };
}

/// What is awaited from the client while no request is in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    /// The first byte of the first header.
    First,
    /// The first byte of a later header.
    Next,
    /// The rest of a header.
    Header,
}

/// How long an idle connection that was told to close waits for one more request. Shorter, and requests that cross the
/// close on the wire fail.
const LAST_CALL: Duration = Duration::from_millis(100);

/// A socket with deadlines.
pub(super) struct TimedStream {
    socket: Socket,
    activity: Arc<Activity>,
    settings: Arc<Settings>,
    /// Whether bytes between requests are headers; in HTTP/2 they may be anything.
    http1: bool,
    awaited: Awaited,
    /// When it is due; set when it is first waited for, so that a request that comes whole never looks at the clock.
    due: Option<Instant>,
    /// When the connection ends if it stays idle, once it was told to close.
    leaving: Option<Instant>,
    /// The `begun` of the activity that `awaited` belongs to.
    begun: u32,
    alarm: Alarm,
    /// Set while the client does not take what is written.
    stalled: Option<(Instant, Alarm)>,
    /// Whether the client has sent its last byte.
    ended: bool,
    /// Set once our side is shut down and the rest of what the client sends is swallowed.
    lingering: Option<Instant>,
}

/// A timer that is set anew only when it must ring earlier or has rung too early: most deadlines are never reached,
/// and setting a timer takes the runtime's lock.
#[derive(Debug)]
struct Alarm(Pin<Box<Sleep>>);

impl Alarm {
    fn at(due: Instant) -> Self {
        Self(Box::pin(sleep_until(due)))
    }

    /// Whether `due` has passed; if not, the task is woken then (or earlier).
    fn rings(&mut self, due: Instant, context: &mut Context<'_>) -> bool {
        if self.0.deadline() > due {
            self.0.as_mut().reset(due);
        }
        while self.0.as_mut().poll(context).is_ready() {
            if due <= Instant::now() {
                return true;
            }
            self.0.as_mut().reset(due);
        }
        false
    }
}

impl TimedStream {
    /// Begins with the deadline of the first request's header.
    pub(super) fn new(socket: Socket, activity: Arc<Activity>, settings: Arc<Settings>, http1: bool) -> Self {
        let due = Instant::now() + settings.header;
        Self {
            socket,
            activity,
            settings,
            http1,
            awaited: Awaited::First,
            due: Some(due),
            leaving: None,
            begun: 0,
            alarm: Alarm::at(due),
            stalled: None,
            ended: false,
            lingering: None,
        }
    }

    fn note_header_bytes(&mut self) {
        match self.awaited {
            // The first header's time runs since the connection stands.
            Awaited::First => self.awaited = Awaited::Header,
            Awaited::Next => {
                self.awaited = Awaited::Header;
                self.due = None;
            }
            Awaited::Header => {}
        }
    }

    /// What reading gives while the client sends nothing and no request is in flight.
    fn poll_idle(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let due = match (self.due, self.awaited, self.activity.idle_since()) {
            (Some(due), _, _) => due,
            (None, Awaited::Next, Some(idle_since)) => idle_since + self.settings.idle,
            (None, _, _) => Instant::now() + self.settings.header,
        };
        self.due = Some(due);
        let between = self.awaited != Awaited::Header;
        // Told to close, an idle connection ends here, after a moment in which a request that has arrived or is on its
        // way is still taken and answered; hyper's own graceful shutdown would close on it.
        let due = if between && self.http1 && self.activity.closing() {
            due.min(*self.leaving.get_or_insert_with(|| Instant::now() + LAST_CALL))
        } else {
            due
        };
        if self.alarm.rings(due, context) {
            return Poll::Ready(if between { Ok(()) } else { Err(io::ErrorKind::TimedOut.into()) });
        }
        Poll::Pending
    }

    /// Passes a write on, and fails it once the client has taken nothing for `Settings::stall`.
    fn timed_write<T>(&mut self, written: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let stall = self.settings.stall;
        let (due, alarm) = self.stalled.get_or_insert_with(|| {
            let due = Instant::now() + stall;
            (due, Alarm::at(due))
        });
        if alarm.rings(*due, context) { Poll::Ready(Err(io::ErrorKind::TimedOut.into())) } else { Poll::Pending }
    }

    /// Swallows what the client still sends, until it ends or `Settings::linger` is over.
    ///
    /// Closing a socket that has unread bytes, or gets more, resets the connection, and a reset may take the answer
    /// from the client before it was read (RFC 9112, section 9.6). The bytes are not decrypted.
    fn poll_linger(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let linger = self.settings.linger;
        let due = *self.lingering.get_or_insert_with(|| Instant::now() + linger);
        let mut swallowed = [0; 8 << 10];
        loop {
            let mut buffer = ReadBuf::new(&mut swallowed);
            match Pin::new(self.socket.tcp()).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    if due <= Instant::now() {
                        return Poll::Ready(Ok(()));
                    }
                }
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => {
                    return if self.alarm.rings(due, context) { Poll::Ready(Ok(())) } else { Poll::Pending };
                }
            }
        }
    }
}

impl AsyncRead for TimedStream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let begun = this.activity.begun.load(Relaxed);
        if begun != this.begun {
            this.begun = begun;
            this.awaited = Awaited::Next;
            this.due = None;
        }
        let busy = this.activity.in_flight.load(Relaxed) > 0;
        let before = buffer.filled().len();
        match each!(&mut this.socket, poll_read, context, buffer) {
            Poll::Ready(Ok(())) => {
                if buffer.filled().len() == before {
                    this.ended = true;
                } else if this.http1 && !busy {
                    this.note_header_bytes();
                }
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending if busy => {
                // Nothing is due, but hyper may not read again when the answer is done: the alarm brings it back here
                // by the time at which the connection could have been idle for too long.
                let _ = this.alarm.rings(Instant::now() + this.settings.idle, context);
                Poll::Pending
            }
            Poll::Pending => this.poll_idle(context),
        }
    }
}

impl AsyncWrite for TimedStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = each!(&mut this.socket, poll_write, context, bytes);
        this.timed_write(written, context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = each!(&mut this.socket, poll_write_vectored, context, slices);
        this.timed_write(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        match &self.socket {
            Socket::Plain(tcp) => tcp.is_write_vectored(),
            Socket::Tls(tls) => tls.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = each!(&mut this.socket, poll_flush, context);
        this.timed_write(flushed, context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.lingering.is_none() {
            let shut = each!(&mut this.socket, poll_shutdown, context);
            ready!(this.timed_write(shut, context))?;
            let unread = this.awaited == Awaited::Header || this.activity.body_open();
            if this.ended || !unread {
                return Poll::Ready(Ok(()));
            }
        }
        this.poll_linger(context)
    }
}
