//! Traces: a span for each request, sent by OTLP over HTTP, where the server is built with the feature `otlp` and
//! OTEL_EXPORTER_OTLP_ENDPOINT (or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) names a collector.
//!
//! A span is a child of the API server's own where that sends `traceparent` (its TracingConfiguration). It is made of what the
//! log line is made of, after the answer: of an object's content it holds nothing.

use std::time::Duration;

use admittance_engine::pipeline::Route;
use admittance_engine::review::Review;
use admittance_engine::verdict::{Refusal, Verdict};
use axum::http::HeaderMap;

#[cfg(feature = "otlp")]
mod export;

/// Variables of OpenTelemetry's specification that name a collector.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];

/// Where spans go: nowhere, without the feature or a collector.
#[derive(Debug, Default)]
pub struct Traces {
    #[cfg(feature = "otlp")]
    exporter: Option<export::Exporter>,
}

/// The span that a request belongs to (W3C Trace Context, `traceparent`); all zero without one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TraceParent {
    trace: u128,
    span: u64,
    is_sampled: bool,
}

impl TraceParent {
    /// Of a request's headers. A header that is not as it should be is none, as the specification has it.
    pub fn of(headers: &HeaderMap) -> Self {
        let header = headers.get("traceparent").and_then(|value| value.to_str().ok());
        header.and_then(Self::parse).unwrap_or_default()
    }

    /// `VERSION-TRACE-SPAN-FLAGS`, lower-case hexadecimal digits of fixed number.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut part = |length: usize| {
            let part = parts.next().filter(|part| part.len() == length)?;
            part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')).then_some(part)
        };
        let (version, trace, span, flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
        if version == "ff" || (version == "00" && parts.next().is_some()) {
            return None;
        }
        let trace = u128::from_str_radix(trace, 16).ok().filter(|trace| *trace != 0)?;
        let span = u64::from_str_radix(span, 16).ok().filter(|span| *span != 0)?;
        let is_sampled = u8::from_str_radix(flags, 16).is_ok_and(|flags| flags & 1 == 1);
        Some(Self { trace, span, is_sampled })
    }
}

/// One request that is over.
#[derive(Clone, Copy, Debug)]
pub struct Traced {
    /// Where it came in.
    pub route: Route,
    /// What it belongs to.
    pub parent: TraceParent,
    /// From the request to its answer.
    pub elapsed: Duration,
}

impl Traces {
    /// What the environment asks for. What is sent is carried by `runtime`.
    ///
    /// A collector that cannot be sent to, among them any where the feature is not built in, is warned about and nothing else:
    /// others set these variables, for all pods of a cluster.
    pub fn start(runtime: &tokio::runtime::Handle) -> Self {
        let Some(variable) = ENDPOINTS.into_iter().find(|name| std::env::var_os(name).is_some_and(|it| !it.is_empty()))
        else {
            return Self::default();
        };
        #[cfg(feature = "otlp")]
        match export::Exporter::start(runtime.clone()) {
            Ok(exporter) => return Self { exporter: Some(exporter) },
            Err(error) => tracing::warn!(variable, error, "no traces are sent"),
        }
        #[cfg(not(feature = "otlp"))]
        {
            let _ = runtime;
            tracing::warn!(variable, "no traces are sent: this server is built without the feature otlp");
        }
        Self::default()
    }

    /// A decision.
    pub fn decided(&self, review: &Review<'_>, verdict: &Verdict<'_>, traced: Traced) {
        #[cfg(feature = "otlp")]
        if let Some(exporter) = &self.exporter {
            exporter.decided(review, verdict, traced);
        }
        #[cfg(not(feature = "otlp"))]
        let _ = (review, verdict, traced);
    }

    /// A request that was not judged.
    pub fn not_judged(&self, uid: &str, refusal: Refusal, traced: Traced) {
        #[cfg(feature = "otlp")]
        if let Some(exporter) = &self.exporter {
            exporter.not_judged(uid, refusal, traced);
        }
        #[cfg(not(feature = "otlp"))]
        let _ = (uid, refusal, traced);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_trace_parent_and_takes_none_from_a_wrong_one() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let parent = TraceParent {
            trace: 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736,
            span: 0x00f0_67aa_0ba9_02b7,
            is_sampled: true,
        };
        assert_eq!(TraceParent::parse(text), Some(parent));
        let unsampled = TraceParent { is_sampled: false, ..parent };
        assert_eq!(TraceParent::parse(&text.replace("-01", "-00")), Some(unsampled));
        // A later version may say more.
        assert_eq!(TraceParent::parse(&format!("01{}-more", &text[2..])), Some(parent));
        for wrong in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        ] {
            assert_eq!(TraceParent::parse(wrong), None, "{wrong}");
        }
    }
}
