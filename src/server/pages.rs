//! The pages beside admission: probes, what is loaded, metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use admittance_engine::pipeline::Route;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{any, get};
use serde::Serialize;

use super::exchange::VerifiedClient;
use super::handler::Admission;
use crate::source::{Active, UnitState, UnitStatus};
use crate::telemetry::Metrics;

/// What the pages show.
#[derive(Clone, Debug)]
pub struct Pages {
    /// What judges.
    pub admission: Arc<Admission>,
    /// What counts.
    pub metrics: Arc<Metrics>,
    /// What probes are told.
    pub health: Arc<Health>,
}

/// What probes are told.
#[derive(Debug, Default)]
pub struct Health {
    /// Whether it has been ready once.
    started: AtomicBool,
    ready: AtomicBool,
    leaving: AtomicBool,
}

impl Health {
    /// Policies and certificate are there, and a request of our own was answered.
    pub fn enter(&self) {
        self.started.store(true, Relaxed);
        self.ready.store(true, Relaxed);
    }

    /// Requests should go elsewhere from now on.
    pub fn leave(&self) {
        self.leaving.store(true, Relaxed);
    }

    fn is_ready(&self) -> bool {
        self.ready.load(Relaxed) && !self.leaving.load(Relaxed)
    }
}

impl Pages {
    /// Requests that come from now on are judged by this.
    pub fn activate(&self, active: Active) {
        let broken = active.units.iter().filter(|unit| unit.state != UnitState::Active).count();
        self.metrics.policies.set(i64::try_from(active.set.len()).unwrap_or(i64::MAX));
        self.metrics.broken_units.set(i64::try_from(broken).unwrap_or(i64::MAX));
        self.metrics.reloads.inc();
        self.admission.activate(Arc::new(active));
    }
}

/// The listener behind TLS: admission, probes, what is loaded. Admission may be for clients with a verified certificate
/// alone.
pub fn admission(pages: Pages, is_for_verified_clients: bool) -> Router {
    let mut reviews =
        Router::new().route("/mutate", any(mutate)).route("/validate", any(validate)).route("/units", any(units));
    if is_for_verified_clients {
        reviews = reviews.route_layer(from_fn(only_verified));
    }
    reviews
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/policies", get(policies))
        .fallback(not_found)
        .with_state(pages)
}

/// The plain listener: metrics, probes, what is loaded.
pub fn operations(pages: Pages) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/startupz", get(startupz))
        .route("/policies", get(policies))
        .fallback(not_found)
        .with_state(pages)
}

async fn only_verified(request: Request, next: Next) -> Response {
    if request.extensions().get::<VerifiedClient>().is_none() {
        return (StatusCode::FORBIDDEN, "a client certificate is needed\n").into_response();
    }
    next.run(request).await
}

async fn mutate(State(pages): State<Pages>, request: Request) -> Response {
    pages.admission.answer(Route::Mutate, request).await
}

async fn validate(State(pages): State<Pages>, request: Request) -> Response {
    pages.admission.answer(Route::Validate, request).await
}

async fn units(State(pages): State<Pages>, request: Request) -> Response {
    pages.admission.answer_about_units(request).await
}

async fn healthz() -> &'static str {
    "ok\n"
}

async fn readyz(State(pages): State<Pages>) -> Response {
    probe(pages.health.is_ready(), "not ready\n")
}

async fn startupz(State(pages): State<Pages>) -> Response {
    probe(pages.health.started.load(Relaxed), "starting\n")
}

fn probe(is_so: bool, otherwise: &'static str) -> Response {
    if is_so { "ok\n".into_response() } else { (StatusCode::SERVICE_UNAVAILABLE, otherwise).into_response() }
}

async fn metrics(State(pages): State<Pages>) -> Response {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, content_type)], pages.metrics.page()).into_response()
}

async fn policies(State(pages): State<Pages>) -> Response {
    let active = pages.admission.active();
    Json(PoliciesPage {
        schema_version: 1,
        digest: active.set.digest(),
        policies: active.set.len(),
        units: &active.units,
    })
    .into_response()
}

async fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "not found\n").into_response()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PoliciesPage<'p> {
    schema_version: u32,
    digest: &'p str,
    policies: usize,
    units: &'p [UnitStatus],
}
