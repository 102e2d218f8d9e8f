//! Spans as OpenTelemetry's exporter wants them, and the HTTP client that carries them.

use std::fmt;
use std::time::{Duration, SystemTime};

use admittance_engine::pipeline::Route;
use admittance_engine::review::Review;
use admittance_engine::verdict::{Refusal, Verdict};
use async_trait::async_trait;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceFlags, TraceId,
    TraceState, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tokio::runtime::Handle;

use super::{TraceParent, Traced};

/// How long a collector may take.
const WITHIN: Duration = Duration::from_secs(10);
/// What an answer of a collector may hold, in bytes.
const LARGEST_ANSWER: usize = 64 << 10;

/// Gathers spans and sends them from a thread of its own. What it cannot send in time is dropped.
pub(super) struct Exporter {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl Exporter {
    pub(super) fn start(runtime: Handle) -> Result<Self, String> {
        let exporter = SpanExporter::builder().with_http().with_http_client(Carrier::new(runtime)?).build();
        let exporter = exporter.map_err(|error| error.to_string())?;
        let resource = Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
        let resource = match std::env::var_os("OTEL_SERVICE_NAME") {
            None => resource.with_service_name("admittance"),
            Some(_) => resource,
        };
        let provider =
            SdkTracerProvider::builder().with_resource(resource.build()).with_batch_exporter(exporter).build();
        let tracer = provider.tracer("admittance");
        Ok(Self { provider, tracer })
    }

    pub(super) fn decided(&self, review: &Review<'_>, verdict: &Verdict<'_>, traced: Traced) {
        let mut attributes = vec![
            KeyValue::new("admission.uid", review.uid.to_owned()),
            KeyValue::new("admission.operation", review.operation.as_str()),
            KeyValue::new("admission.kind", review.kind.kind.to_owned()),
            KeyValue::new("admission.subresource", review.subresource.to_owned()),
            KeyValue::new("k8s.namespace.name", review.namespace.to_owned()),
            KeyValue::new("admission.name", review.object_name().to_owned()),
            KeyValue::new("admission.dry_run", review.dry_run),
            KeyValue::new("admission.allowed", verdict.is_allowed()),
            KeyValue::new("admission.policies.matched", i64::try_from(verdict.matched).unwrap_or(i64::MAX)),
        ];
        attributes.retain(|attribute| attribute.value.as_str() != "");
        let mut span = self.span(attributes, traced);
        for finding in &verdict.findings {
            let policy = KeyValue::new("policy", finding.origin.policy.clone());
            span.add_event("finding", vec![policy, KeyValue::new("action", finding.action.as_str())]);
        }
        for failure in &verdict.failures {
            span.add_event("evaluation error", vec![KeyValue::new("policy", failure.origin.policy.clone())]);
        }
        if verdict.fatal().next().is_some() {
            span.set_status(Status::error("evaluation error"));
        }
        span.end();
    }

    pub(super) fn not_judged(&self, uid: &str, refusal: Refusal, traced: Traced) {
        let mut attributes = vec![KeyValue::new("admission.code", i64::from(refusal.code))];
        if !uid.is_empty() {
            attributes.push(KeyValue::new("admission.uid", uid.to_owned()));
        }
        let mut span = self.span(attributes, traced);
        span.set_status(Status::error(refusal.reason));
        span.end();
    }

    fn span(&self, attributes: Vec<KeyValue>, traced: Traced) -> opentelemetry_sdk::trace::Span {
        let name = if traced.route == Route::Mutate { "mutate" } else { "validate" };
        let began = SystemTime::now() - traced.elapsed;
        let builder =
            SpanBuilder::from_name(name).with_kind(SpanKind::Server).with_start_time(began).with_attributes(attributes);
        self.tracer.build_with_context(builder, &context(traced.parent))
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        // What is left is sent, if the collector is there.
        if let Err(error) = self.provider.shutdown() {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

fn context(parent: TraceParent) -> Context {
    if parent == TraceParent::default() {
        return Context::new();
    }
    let flags = if parent.is_sampled { TraceFlags::SAMPLED } else { TraceFlags::NOT_SAMPLED };
    let (trace, span) = (TraceId::from(parent.trace), SpanId::from(parent.span));
    Context::new().with_remote_span_context(SpanContext::new(trace, span, flags, true, TraceState::NONE))
}

impl fmt::Debug for Exporter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Exporter")
    }
}

/// Sends on the server's runtime what the exporter's thread, which has none, asks for.
#[derive(Debug)]
struct Carrier {
    runtime: Handle,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Carrier {
    fn new(runtime: Handle) -> Result<Self, String> {
        let builder = hyper_rustls::HttpsConnectorBuilder::new();
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let builder = builder
            .with_provider_and_native_roots(provider)
            .map_err(|error| format!("the machine's certificates cannot be read: {error}"))?;
        let connector = builder.https_or_http().enable_http1().build();
        Ok(Self { runtime, client: Client::builder(TokioExecutor::new()).build(connector) })
    }
}

#[async_trait]
impl HttpClient for Carrier {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sent = self.runtime.spawn(async move {
            let answer = async {
                let (parts, body) = client.request(request.map(Full::new)).await?.into_parts();
                let body = Limited::new(body, LARGEST_ANSWER).collect().await?.to_bytes();
                Ok::<_, HttpError>(Response::from_parts(parts, body))
            };
            tokio::time::timeout(WITHIN, answer).await?
        });
        sent.await?
    }
}
