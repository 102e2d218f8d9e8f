//! The pages beside admission: probes, what is loaded, metrics.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use admittance_engine::export::{self, Installed};
use admittance_engine::pipeline::Route;
use admittance_engine::review::Lookup;
use admittance_engine::set::Entries;
use admittance_engine::set::declared;
use admittance_engine::unit::PolicySummary;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{any, get};
use serde::Serialize;
use tokio::sync::watch;

use super::exchange::VerifiedClient;
use super::explain::{self, Door, Explain};
use super::handler::Admission;
use super::reach::Reach;
use super::twins::Twins;
use crate::evidence;
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
    /// What the policies that run may ask of the cluster.
    pub declared: watch::Sender<BTreeSet<Lookup<'static>>>,
    /// What the API server sends.
    pub reach: Arc<Reach>,
    /// Whether replicas keep their evidence together.
    pub shares_evidence: bool,
    /// Who may ask why requests were decided as they were, and the answers; None where nobody can be asked who it is.
    pub explain: Option<(Arc<Door>, Arc<Explain>)>,
    /// What the API server refuses by itself.
    pub twins: Arc<Twins>,
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
        let standing = |state| active.units.iter().filter(|unit| unit.state == state).count();
        let units = [("active", UnitState::Active), ("stale", UnitState::Stale), ("broken", UnitState::Broken)];
        let units = units.map(|(label, state)| (label, standing(state)));
        self.metrics.activated(active.set.digest(), active.set.len(), &units);
        // What they will ask is fetched from now on; until it is here, the cluster is asked.
        self.declared.send_if_modified(|known| {
            let now = declared(&active.set);
            let is_other = *known != now;
            *known = now;
            is_other
        });
        self.admission.activate(Arc::new(active));
        self.hold();
        self.hold_twins();
    }

    /// What the API server sends from now on; None where it is not known.
    pub fn know(&self, entries: Option<Entries>) {
        self.admission.know(entries.clone());
        self.reach.know(entries);
        self.hold();
    }

    /// The twins that are in the cluster from now on.
    pub fn know_twins(&self, installed: Vec<Installed>) {
        self.twins.know(installed);
        self.hold_twins();
    }

    fn hold_twins(&self) {
        if let Some(standing) = self.twins.hold(&self.admission.active().compiled) {
            self.metrics.twins(&export::State::ALL.map(|state| (state.as_str(), standing.count(state))));
        }
    }

    fn hold(&self) {
        let unreached = self.reach.hold(&self.admission.active().set);
        self.metrics.unreached.set(i64::try_from(unreached).unwrap_or(i64::MAX));
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
        .route("/explain", get(explanations))
        .fallback(not_found)
        .with_state(pages)
}

/// The plain listener: metrics, probes, what is loaded, what it has done.
pub fn operations(pages: Pages) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/startupz", get(startupz))
        .route("/policies", get(policies))
        .route("/evidence", get(evidence))
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
    pages.admission.answer_about_units(request, pages.reach.entries()).await
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
    pages.admission.count();
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, content_type)], pages.metrics.page()).into_response()
}

async fn policies(State(pages): State<Pages>) -> Response {
    let active = pages.admission.active();
    Json(PoliciesPage {
        schema_version: 1,
        digest: active.set.digest(),
        policies: active.set.len(),
        units: active.units.iter().map(|unit| UnitOfPage::of(unit, &pages)).collect(),
    })
    .into_response()
}

async fn evidence(State(pages): State<Pages>) -> Response {
    let evidence = pages.admission.evidence();
    Json(evidence::page::Page::of(evidence, pages.shares_evidence, evidence::now())).into_response()
}

async fn explanations(State(pages): State<Pages>, request: Request) -> Response {
    let Some((door, explain)) = &pages.explain else { return not_found().await };
    match door.open(request.headers()).await {
        Ok(()) => explain::answer(explain, request.uri().query()),
        Err(refused) => refused.response(),
    }
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
    units: Vec<UnitOfPage<'p>>,
}

/// A unit, and whether its policies are asked.
#[derive(Serialize)]
struct UnitOfPage<'p> {
    name: &'p str,
    state: UnitState,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'p str>,
    policies: Vec<PolicyOfPage<'p>>,
    problems: &'p [String],
}

#[derive(Serialize)]
struct PolicyOfPage<'p> {
    #[serde(flatten)]
    summary: &'p PolicySummary,
    /// What of all that it is for is not sent, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    unreached: Option<String>,
    /// How its twin stands, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    twin: Option<&'static str>,
}

impl<'p> UnitOfPage<'p> {
    fn of(unit: &'p UnitStatus, pages: &Pages) -> Self {
        let policy = |summary: &'p PolicySummary| PolicyOfPage {
            summary,
            unreached: pages.reach.of(&summary.name),
            twin: pages.twins.of(&summary.name),
        };
        Self {
            name: &unit.name,
            state: unit.state,
            digest: unit.digest.as_deref(),
            policies: unit.policies.iter().map(policy).collect(),
            problems: &unit.problems,
        }
    }
}
