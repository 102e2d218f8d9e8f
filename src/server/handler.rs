//! One request for admission: from its body to the bytes of its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use admittance_engine::deadline::Deadline;
use admittance_engine::json::Arena;
use admittance_engine::pipeline::{self, Budget as MemoryBudget, Detail, Needs, Route, Run};
use admittance_engine::response;
use admittance_engine::review::{Envelope, Lookup, Lookups, Review, Target};
use admittance_engine::set::{Entries, PolicySet};
use admittance_engine::verdict::Refusal;
use arc_swap::{ArcSwap, ArcSwapOption};
use axum::extract::Request;
use axum::response::Response;

use super::arenas::Arenas;
use super::body::{self, Budget, Collected, Incomplete, Reason};
use super::explain::{Decided, Explain};
use super::problem::{Problem, TurnedAway, bare, incomplete_request, review, wrong_request};
use super::steady::{LONG_ENOUGH, Steady};
use super::{timeout, units};
use crate::cluster::{Asked, Cluster};
use crate::evidence::{self, Evidence};
use crate::recording::{Given, Recorder};
use crate::source::Active;
use crate::telemetry::metrics::{OutcomeLabel, ShedLabels};
use crate::telemetry::{Metrics, NamespaceGroups, Observation, TraceParent, Traced, Traces, observe, route_label};

/// Of how many reviews one has its policies timed: reading a clock costs as much as a small policy.
const TIMED: usize = 64;
const TOO_MANY: &str = "too many requests are under way: try again";
/// How often a request may wait for answers of the cluster.
const ROUNDS: usize = 3;

/// What requests may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest body, in bytes.
    pub body: usize,
    /// What the bodies of all requests under way may hold, in bytes.
    pub in_flight: usize,
    /// How many requests may be under way.
    pub requests: usize,
    /// What objects that policies look up may take, in bytes.
    pub cache: usize,
}

/// What all requests share.
#[derive(Debug)]
pub struct Admission {
    cluster: Option<Cluster>,
    active: ArcSwap<Active>,
    /// Since when the mutating policies are the same, and for how long they must have been.
    steady: ArcSwap<Steady>,
    steady_after: Duration,
    /// What the API server sends, where that is known.
    entries: ArcSwapOption<Entries>,
    metrics: Arc<Metrics>,
    groups: NamespaceGroups,
    evidence: Arc<Evidence>,
    explain: Option<Arc<Explain>>,
    traces: Traces,
    in_flight: Budget,
    /// How many requests may be under way, and are.
    max_requests: usize,
    requests: AtomicUsize,
    /// How many reviews policies have judged.
    judged: AtomicUsize,
    max_body: usize,
    arenas: Arenas,
    turned_away: TurnedAway,
    recorder: Option<Arc<Recorder>>,
}

impl Admission {
    /// Nothing is active yet: an empty set, which allows everything.
    pub fn new(metrics: Arc<Metrics>, cluster: Option<Cluster>, groups: NamespaceGroups, limits: Limits) -> Self {
        Self {
            cluster,
            active: ArcSwap::default(),
            steady: ArcSwap::from_pointee(Steady::new()),
            steady_after: LONG_ENOUGH,
            entries: ArcSwapOption::empty(),
            metrics,
            groups,
            evidence: Arc::default(),
            explain: None,
            traces: Traces::default(),
            in_flight: Budget::new(limits.in_flight),
            max_requests: limits.requests,
            requests: AtomicUsize::new(0),
            judged: AtomicUsize::new(0),
            max_body: limits.body,
            arenas: Arenas::default(),
            turned_away: TurnedAway::default(),
            recorder: None,
        }
    }

    /// The same where objects are held against mutators that have been the same for so long.
    #[must_use]
    pub fn steady_after(mut self, long_enough: Duration) -> Self {
        self.steady_after = long_enough;
        self
    }

    /// What the API server sends from now on; None where it is not known.
    pub fn know(&self, entries: Option<Entries>) {
        self.entries.store(entries.map(Arc::new));
    }

    /// The same with somebody who records what is judged.
    #[must_use]
    pub fn recorded_by(self, recorder: Option<Arc<Recorder>>) -> Self {
        Self { recorder, ..self }
    }

    /// The same, sending traces.
    #[must_use]
    pub fn with_traces(self, traces: Traces) -> Self {
        Self { traces, ..self }
    }

    /// The same, explaining decisions to those who ask later.
    #[must_use]
    pub fn with_explanations(self, explain: Option<Arc<Explain>>) -> Self {
        Self { explain, ..self }
    }

    /// Requests that come from now on are judged by this set; those under way end with the one they began with.
    pub fn activate(&self, active: Arc<Active>) {
        self.steady.store(Arc::new(self.steady.load().after(&active)));
        self.evidence.activate(&active, evidence::now());
        self.active.store(active);
    }

    /// What is active.
    pub fn active(&self) -> Arc<Active> {
        self.active.load_full()
    }

    /// What policies have done so far.
    pub fn evidence(&self) -> &Arc<Evidence> {
        &self.evidence
    }

    /// Answers one request.
    pub async fn answer(&self, route: Route, request: Request) -> Response {
        let started = Instant::now();
        let deadline = started + timeout::time_for(request.uri().query());
        let parent = TraceParent::of(request.headers());
        let under_way = UnderWay::begin(self);
        let (collected, problem) = self.receive(request, deadline).await;
        let problem = problem.or_else(|| under_way.is_one_too_many.then(|| self.shed("requests", TOO_MANY)));
        let call = Call { route, started, deadline, parent, judges_drift: false };
        let active = self.active.load_full();
        let mut asked = Asked::new(self.cluster.as_ref(), &active.set, &active.parameters);
        let mut rounds = 0;
        loop {
            match self.decide(&active, call, collected.bytes(), problem.as_ref(), &asked) {
                Answer::Review(bytes) => return review(bytes),
                Answer::Judged { bytes, denied, judges_drift, given } => {
                    if let Some(explain) = &self.explain {
                        let decided = Decided { route, denied, judges_drift, body: collected.bytes(), active: &active };
                        explain.take(&decided, || asked.facts());
                    }
                    if let (Some(recorder), Some(given)) = (&self.recorder, given) {
                        recorder.take(route, collected.bytes(), &active, &asked, given);
                    }
                    return review(bytes);
                }
                Answer::Bare(problem) => return bare(&problem),
                Answer::Needs { lookups, .. } if rounds < ROUNDS => asked = asked.fetch(lookups, deadline).await,
                Answer::Needs { uid, lookups } => return review(self.unanswered(call, &uid, &lookups)),
            }
            rounds += 1;
        }
    }

    /// Answers a request that is about the policies themselves: see `units`.
    pub async fn answer_about_units(&self, request: Request, entries: Option<Arc<Entries>>) -> Response {
        let deadline = Instant::now() + timeout::time_for(request.uri().query());
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
            Err(incomplete) => {
                let Incomplete { reason, prefix } = incomplete;
                let problem = match reason {
                    Reason::OverBudget => self.shed("bytes", &reason.to_string()),
                    other => incomplete_request(other),
                };
                (prefix, Some(problem))
            }
        }
    }

    fn shed(&self, limit: &'static str, message: &str) -> Problem {
        self.metrics.shed.get_or_create(&ShedLabels { limit }).inc();
        Problem::new(Refusal::TOO_MANY_REQUESTS, message)
    }

    /// Says what is under way: for the page of metrics, where it is asked for, so that no request writes it.
    pub fn count(&self) {
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        self.metrics.in_flight.set(count(self.requests.load(Relaxed)));
        self.metrics.in_flight_bytes.set(count(self.in_flight.taken()));
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
        let is_steady = !mutates && self.steady.load().is_for(self.steady_after);
        let concerns = |target: &Target<'_>| {
            active.set.concerns(target, mutates) || (is_steady && active.set.concerns(target, true))
        };
        let (envelope, read) = Envelope::read_for(arena, body, &concerns);
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
            Ok(review) => {
                let was_sent = || self.entries.load().as_ref().is_none_or(|entries| entries.mutate.sends(&review));
                let call = Call { judges_drift: is_steady && was_sent(), ..call };
                self.admit(&active.set, call, &review, lookups)
            }
            Err(problem) => self.turn_away(call, uid, problem),
        }
    }

    fn admit<'a>(&self, set: &'a PolicySet, call: Call, review: &Review<'a>, lookups: &dyn Lookups) -> Answer {
        let run = Run {
            route: call.route,
            deadline: Deadline::at(call.deadline),
            budget: MemoryBudget::default(),
            lookups,
            detail: Detail::Findings,
            timed: self.judged.fetch_add(1, Relaxed).is_multiple_of(TIMED),
            judges_drift: call.judges_drift,
        };
        match pipeline::admit(set, review, &run) {
            Ok(verdict) => {
                let denied = verdict.refusal().is_some();
                let how = (denied && self.explain.is_some()).then(|| how_to_ask(review));
                let written = response::provenance(&verdict);
                let bytes = response::answer_with(review, &verdict, call.route, (&written, how.as_deref()));
                let patched = call.route == Route::Mutate && !verdict.edits.is_empty();
                let seen = Observation { route: call.route, patched, elapsed: call.started.elapsed() };
                observe(&self.metrics, &self.groups, review, (&verdict, &written), seen);
                self.evidence.count(review, &verdict, call.route, evidence::now());
                self.traces.decided(review, &verdict, call.traced());
                let is_wanted = self.recorder.as_ref().is_some_and(|recorder| recorder.wants(review));
                Answer::Judged {
                    bytes,
                    denied,
                    judges_drift: call.judges_drift,
                    given: is_wanted.then(|| Given::of(&verdict)),
                }
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
        self.traces.not_judged(uid, refusal, call.traced());
        tracing::warn!(uid, code = refusal.code, message, "not judged");
    }
}

/// The last line of a denial. It says nothing that is unique to the request: controllers turn denials into Events.
fn how_to_ask(review: &Review<'_>) -> String {
    let within = if review.namespace.is_empty() { String::new() } else { format!(" -n {}", review.namespace) };
    format!("why: admittance explain --denied{within}")
}

/// A request that is under way until this is dropped.
struct UnderWay<'a> {
    requests: &'a AtomicUsize,
    is_one_too_many: bool,
}

impl<'a> UnderWay<'a> {
    fn begin(admission: &'a Admission) -> Self {
        let before = admission.requests.fetch_add(1, Relaxed);
        Self { requests: &admission.requests, is_one_too_many: before >= admission.max_requests }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.requests.fetch_sub(1, Relaxed);
    }
}

#[derive(Clone, Copy)]
struct Call {
    route: Route,
    started: Instant,
    deadline: Instant,
    judges_drift: bool,
    parent: TraceParent,
}

impl Call {
    fn traced(self) -> Traced {
        Traced { route: self.route, parent: self.parent, elapsed: self.started.elapsed() }
    }
}

enum Answer {
    Review(Vec<u8>),
    /// Policies have decided.
    Judged {
        bytes: Vec<u8>,
        denied: bool,
        judges_drift: bool,
        /// What a recording needs of it.
        given: Option<Given>,
    },
    Bare(Problem),
    /// Policies have to know more first.
    Needs {
        uid: String,
        lookups: Vec<Lookup<'static>>,
    },
}
