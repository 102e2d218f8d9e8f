//! One request for admission: from its body to the bytes of its answer.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use admittance_engine::deadline::Deadline;
use admittance_engine::json::Arena;
use admittance_engine::pipeline::{self, Budget as MemoryBudget, Needs, Route, Run};
use admittance_engine::response;
use admittance_engine::review::{Envelope, Lookup, Lookups, Review};
use admittance_engine::set::{Entries, PolicySet};
use admittance_engine::verdict::Refusal;
use arc_swap::ArcSwap;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;

use super::body::{self, Budget, Collected, Reason};
use super::units;
use crate::cluster::{Asked, Cluster};
use crate::source::Active;
use crate::telemetry::metrics::OutcomeLabel;
use crate::telemetry::{Metrics, Observation, observe, route_label};

/// The time that the API server is assumed to wait if it does not say: its own default.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// What is kept of it for the way: the API server rounds its timeout up to whole seconds.
const MARGIN: Duration = Duration::from_millis(1_200);
/// How often a request may wait for answers of the cluster.
const ROUNDS: usize = 3;

/// What all requests share.
#[derive(Debug)]
pub struct Admission {
    cluster: Option<Cluster>,
    active: ArcSwap<Active>,
    metrics: Arc<Metrics>,
    in_flight: Budget,
    max_body: usize,
    arenas: Arenas,
    turned_away: TurnedAway,
}

impl Admission {
    /// Nothing is active yet: an empty set, which allows everything.
    pub fn new(metrics: Arc<Metrics>, cluster: Option<Cluster>, max_body: usize, max_in_flight: usize) -> Self {
        Self {
            cluster,
            active: ArcSwap::default(),
            metrics,
            in_flight: Budget::new(max_in_flight),
            max_body,
            arenas: Arenas::default(),
            turned_away: TurnedAway::default(),
        }
    }

    /// Requests that come from now on are judged by this set; those under way end with the one they began with.
    pub fn activate(&self, active: Arc<Active>) {
        self.active.store(active);
    }

    /// What is active.
    pub fn active(&self) -> Arc<Active> {
        self.active.load_full()
    }

    /// Answers one request.
    pub async fn answer(&self, route: Route, request: Request) -> Response {
        let started = Instant::now();
        let deadline = started + time_for(request.uri().query());
        let (collected, problem) = self.receive(request, deadline).await;
        let call = Call { route, started, deadline };
        let active = self.active.load_full();
        let mut asked = Asked::new(self.cluster.as_ref(), &active.set, &active.parameters);
        let mut rounds = 0;
        loop {
            match self.decide(&active, call, collected.bytes(), problem.as_ref(), &asked) {
                Answer::Review(bytes) => return review(bytes),
                Answer::Bare(problem) => return bare(&problem),
                Answer::Needs { lookups, .. } if rounds < ROUNDS => asked = asked.fetch(lookups, deadline).await,
                Answer::Needs { uid, lookups } => return review(self.unanswered(call, &uid, &lookups)),
            }
            rounds += 1;
        }
    }

    /// Answers a request that is about the policies themselves: see `units`.
    pub async fn answer_about_units(&self, request: Request, entries: Option<Arc<Entries>>) -> Response {
        let deadline = Instant::now() + time_for(request.uri().query());
        let (collected, problem) = self.receive(request, deadline).await;
        if let Some(problem) = problem {
            return bare(&problem);
        }
        let (bytes, active) = (collected.bytes().to_vec(), self.active.load_full());
        // Compiling takes up to a second, and is asked for when somebody edits a policy.
        match tokio::task::spawn_blocking(move || units::judge(&bytes, &active, entries.as_deref())).await {
            Ok(Ok(bytes)) => review(bytes),
            Ok(Err(error)) => bare(&Problem::new(Refusal::BAD_REQUEST, error)),
            Err(_) => bare(&Problem::new(Refusal::INTERNAL_ERROR, "the policies could not be judged")),
        }
    }

    /// A request's body, and what is wrong with the request; then the body may end early.
    async fn receive(&self, request: Request, deadline: Instant) -> (Collected<'_>, Option<Problem>) {
        let problem = wrong_request(&request);
        let collected = body::collect(request.into_body(), self.max_body, deadline.into(), &self.in_flight).await;
        match collected {
            Ok(collected) => (collected, problem),
            Err(incomplete) => (incomplete.prefix, Some(incomplete_request(incomplete.reason))),
        }
    }

    /// Everything from the body to the answer, in one piece: nothing of a review crosses an await.
    fn decide(
        &self,
        active: &Active,
        call: Call,
        body: &[u8],
        problem: Option<&Problem>,
        lookups: &dyn Lookups,
    ) -> Answer {
        let mut arena = self.arenas.take();
        let answer = self.judge(active, &arena, call, body, problem.cloned(), lookups);
        arena.reset();
        self.arenas.give_back(arena);
        answer
    }

    fn judge(
        &self,
        active: &Active,
        arena: &Arena,
        call: Call,
        body: &[u8],
        problem: Option<Problem>,
        lookups: &dyn Lookups,
    ) -> Answer {
        let mutates = call.route == Route::Mutate;
        let (envelope, read) = Envelope::read_for(arena, body, &|target| active.set.concerns(target, mutates));
        let uid = envelope.uid();
        let problem = match (problem, read) {
            (Some(problem), _) => Some(problem),
            (None, Err(error)) => Some(Problem::new(Refusal::BAD_REQUEST, error.to_string())),
            (None, Ok(())) => None,
        };
        let review = match problem {
            Some(problem) => Err(problem),
            None => envelope.into_review(arena).map_err(|error| Problem::new(Refusal::BAD_REQUEST, error.to_string())),
        };
        match review {
            Ok(review) => self.admit(&active.set, call, &review, lookups),
            Err(problem) => self.turn_away(call, uid, problem),
        }
    }

    fn admit<'a>(&self, set: &'a PolicySet, call: Call, review: &Review<'a>, lookups: &dyn Lookups) -> Answer {
        let run = Run {
            route: call.route,
            deadline: Deadline::at(call.deadline),
            budget: MemoryBudget::default(),
            lookups,
            trace: false,
        };
        match pipeline::admit(set, review, &run) {
            Ok(verdict) => {
                let bytes = response::answer(review, &verdict, call.route);
                let patched = call.route == Route::Mutate && !verdict.edits.is_empty();
                let seen = Observation { route: call.route, patched, elapsed: call.started.elapsed() };
                observe(&self.metrics, review, &verdict, seen);
                Answer::Review(bytes)
            }
            Err(Needs(lookups)) => Answer::Needs { uid: review.uid.to_owned(), lookups },
        }
    }

    /// The answer where every round of lookups led to new ones.
    fn unanswered(&self, call: Call, uid: &str, lookups: &[Lookup<'_>]) -> Vec<u8> {
        let names: Vec<String> = lookups.iter().map(ToString::to_string).collect();
        let message = format!("not known after {ROUNDS} rounds of questions to the cluster: {}", names.join(", "));
        self.reject(call, uid, Refusal::INTERNAL_ERROR, &message);
        response::refuse(uid, Refusal::INTERNAL_ERROR, &message)
    }

    /// The answer to what no policy can judge. With a uid it is a denial: any other status opens the door where the webhook
    /// fails open.
    fn turn_away(&self, call: Call, uid: Option<&str>, problem: Problem) -> Answer {
        let Problem { refusal, message } = &problem;
        self.reject(call, uid.unwrap_or_default(), *refusal, message);
        match uid {
            None => Answer::Bare(problem),
            // The API server tries again after a 429 that says when; the second time the answer is a denial.
            Some(uid) if *refusal == Refusal::TOO_MANY_REQUESTS && self.turned_away.is_first(uid) => {
                Answer::Bare(problem)
            }
            Some(uid) => Answer::Review(response::refuse(uid, *refusal, message)),
        }
    }

    fn reject(&self, call: Call, uid: &str, refusal: Refusal, message: &str) {
        self.metrics.request(route_label(call.route), OutcomeLabel::rejected, call.started.elapsed());
        tracing::warn!(uid, code = refusal.code, message, "not judged");
    }
}

#[derive(Clone, Copy)]
struct Call {
    route: Route,
    started: Instant,
    deadline: Instant,
}

enum Answer {
    Review(Vec<u8>),
    Bare(Problem),
    /// Policies have to know more first.
    Needs {
        uid: String,
        lookups: Vec<Lookup<'static>>,
    },
}

/// Why a request is not judged.
#[derive(Clone, Debug)]
struct Problem {
    refusal: Refusal,
    message: String,
}

impl Problem {
    fn new(refusal: Refusal, message: impl Into<String>) -> Self {
        Self { refusal, message: message.into() }
    }
}

/// The time for a request: what `?timeout=` says less the margin, at least half of it.
fn time_for(query: Option<&str>) -> Duration {
    let said = query
        .into_iter()
        .flat_map(|query| query.split('&'))
        .find_map(|pair| pair.strip_prefix("timeout="))
        .and_then(parse_duration)
        .filter(|time| !time.is_zero())
        .unwrap_or(DEFAULT_TIMEOUT);
    said.saturating_sub(MARGIN).max(said / 2)
}

/// Go's notation of durations, as far as the API server writes it: `10s`, `1m30s`, `500ms`; capped at 30 s, the most that
/// a webhook configuration can say.
fn parse_duration(text: &str) -> Option<Duration> {
    const LONGEST: f64 = 30.0;
    let (mut rest, mut seconds) = (text, 0.0);
    while !rest.is_empty() {
        let digits = rest.find(|char: char| !char.is_ascii_digit() && char != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|char: char| char.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let scale = match unit {
            "h" => 3_600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * scale;
        rest = after;
    }
    Some(Duration::from_secs_f64(seconds.min(LONGEST)))
}

/// What is wrong with a request before its body is read.
fn wrong_request(request: &Request) -> Option<Problem> {
    if request.method() != Method::POST {
        let refusal = Refusal { code: 405, reason: "MethodNotAllowed" };
        return Some(Problem::new(
            refusal,
            format!("{} is not allowed here, POST an AdmissionReview", request.method()),
        ));
    }
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return None;
    }
    let refusal = Refusal { code: 415, reason: "UnsupportedMediaType" };
    Some(Problem::new(refusal, "expected content type application/json"))
}

fn incomplete_request(reason: Reason) -> Problem {
    let refusal = match reason {
        Reason::TooLarge => Refusal::TOO_LARGE,
        Reason::Late => Refusal::TIMEOUT,
        Reason::OverBudget => Refusal::TOO_MANY_REQUESTS,
        Reason::Broken => Refusal::BAD_REQUEST,
    };
    Problem::new(refusal, reason.to_string())
}

fn review(bytes: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(bytes));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn bare(problem: &Problem) -> Response {
    let mut response = Response::new(Body::from(format!("{}\n", problem.message)));
    *response.status_mut() = StatusCode::from_u16(problem.refusal.code).unwrap_or(StatusCode::BAD_REQUEST);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    match problem.refusal.code {
        405 => drop(headers.insert(ALLOW, HeaderValue::from_static("POST"))),
        429 => drop(headers.insert(RETRY_AFTER, HeaderValue::from_static("1"))),
        _ => {}
    }
    response
}

/// Arenas that wait for the next review: their memory is warm.
#[derive(Debug, Default)]
struct Arenas(Mutex<Vec<Arena>>);

/// How many arenas wait at the most, and how large one may be: what one huge review took is given back.
const KEPT_ARENAS: usize = 64;
const KEPT_BYTES: usize = 1 << 20;

impl Arenas {
    fn take(&self) -> Arena {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        kept.unwrap_or_else(|| Arena::with_limit(MemoryBudget::REVIEW))
    }

    fn give_back(&self, arena: Arena) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT_ARENAS && arena.used() <= KEPT_BYTES {
            kept.push(arena);
        }
    }
}

/// The uids that were turned away lately, as hashes.
#[derive(Debug, Default)]
struct TurnedAway(Mutex<VecDeque<u64>>);

/// How many uids are remembered: more retries than an API server has under way.
const REMEMBERED: usize = 4_096;

impl TurnedAway {
    fn is_first(&self, uid: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        uid.hash(&mut hasher);
        let hash = hasher.finish();
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.contains(&hash) {
            return false;
        }
        if seen.len() == REMEMBERED {
            seen.pop_front();
        }
        seen.push_back(hash);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_the_api_server_time_to_read_the_answer() {
        let time = |query| time_for(query).as_millis();
        assert_eq!(time(Some("timeout=10s")), 8_800);
        assert_eq!(time(Some("timeout=5s&x=1")), 3_800);
        assert_eq!(time(Some("timeout=2s")), 1_000);
        assert_eq!(time(Some("timeout=1s")), 500);
        assert_eq!(time(Some("timeout=1m30s")), 28_800);
        assert_eq!(time(Some("timeout=500ms")), 250);
        assert_eq!(time(None), 8_800);
        for odd in ["timeout=", "timeout=0s", "timeout=-1s", "timeout=10", "timeout=x", "timeout=1e9s"] {
            assert_eq!(time(Some(odd)), 8_800, "{odd}");
        }
    }

    #[test]
    fn tells_the_first_overload_of_a_request_from_its_second() {
        let turned_away = TurnedAway::default();
        assert!(turned_away.is_first("a") && turned_away.is_first("b") && !turned_away.is_first("a"));
        for n in 0..REMEMBERED {
            turned_away.is_first(&n.to_string());
        }
        assert!(turned_away.is_first("a"));
    }
}
