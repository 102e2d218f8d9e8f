//! One request and its answer on a connection: what is in flight, and when an answer says `Connection: close`.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::{
    Request, Response, Version,
    body::Incoming,
    header::{CONNECTION, HeaderValue},
    service::Service,
};
use pin_project_lite::pin_project;

use super::stream::Activity;

/// The service of one connection: passes requests on to `inner`, and keeps the connection's books.
pub(super) struct Exchange<S> {
    pub(super) inner: S,
    pub(super) books: Arc<Books>,
    /// Whether the client has shown a certificate that was verified.
    pub(super) is_verified: bool,
}

/// An extension of each request of a client that has shown a certificate that was verified.
#[derive(Clone, Copy, Debug)]
pub struct VerifiedClient;

/// What decides whether an answer is a connection's last.
pub(super) struct Books {
    pub(super) activity: Arc<Activity>,
    /// Whether the whole server is draining.
    pub(super) draining: Arc<AtomicBool>,
    /// The age from which on the next answer is the last.
    pub(super) max_age: Option<Duration>,
}

impl Books {
    fn is_last(&self) -> bool {
        self.draining.load(Relaxed)
            || self.activity.closing()
            || self.max_age.is_some_and(|max_age| self.activity.age() >= max_age)
    }

    /// Tells the client that this is the last answer: by a header, or in HTTP/2 by closing the connection gracefully.
    fn mark<B>(&self, answer: &mut Response<B>, version: Version) {
        if version >= Version::HTTP_2 {
            if self.is_last() {
                self.activity.close();
            }
        // With a body that was not read to its end nothing can follow: the client must know.
        } else if self.activity.body_open() || self.is_last() {
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

impl<S, B> Service<Request<Incoming>> for Exchange<S>
where
    S: Service<Request<RequestBody>, Response = Response<B>>,
{
    type Response = Response<AnswerBody<B>>;
    type Error = S::Error;
    type Future = Answering<S::Future>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let version = request.version();
        let in_flight = InFlight::begin(&self.books, !request.body().is_end_stream());
        let mut request = request.map(|incoming| RequestBody { incoming, activity: Arc::clone(&self.books.activity) });
        if self.is_verified {
            request.extensions_mut().insert(VerifiedClient);
        }
        Answering { future: self.inner.call(request), version, in_flight: Some(in_flight) }
    }
}

/// Counts a request as in flight until its answer's last byte was handed over, or nobody waits for it any more.
struct InFlight(Arc<Books>);

impl InFlight {
    fn begin(books: &Arc<Books>, has_body: bool) -> Self {
        books.activity.begin_request(has_body);
        Self(Arc::clone(books))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.activity.end_request();
    }
}

/// The body of a request, as it arrives.
#[derive(Debug)]
pub struct RequestBody {
    incoming: Incoming,
    activity: Arc<Activity>,
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut this.incoming).poll_frame(context));
        if frame.is_none() || this.incoming.is_end_stream() {
            this.activity.end_body();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

pin_project! {
    /// An answer that is being made.
    pub(super) struct Answering<F> {
        #[pin]
        future: F,
        version: Version,
        in_flight: Option<InFlight>,
    }
}

impl<F, B, E> Future for Answering<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<AnswerBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut answer = ready!(this.future.poll(context))?;
        let in_flight = this.in_flight.take();
        if let Some(InFlight(books)) = &in_flight {
            books.mark(&mut answer, *this.version);
        }
        Poll::Ready(Ok(answer.map(|body| AnswerBody { body, in_flight })))
    }
}

pin_project! {
    /// The body of an answer; its request is in flight until it is dropped.
    pub(super) struct AnswerBody<B> {
        #[pin]
        body: B,
        in_flight: Option<InFlight>,
    }
}

impl<B: Body> Body for AnswerBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.project().body.poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
