//! Objects are made without a pause, each is checked, and is deleted a little later.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::api::{Answer, Api};
use crate::counts::{Counts, Outcome};
use crate::objects::{JUDGED, Sort, is_hardened, is_untouched};

/// How many are asked for at the same time: one request that hangs does not keep the others.
const THREADS: u64 = 6;
/// How long an object stands: long enough for a Deployment to get its pod.
const LIFE: Duration = Duration::from_secs(3);
/// How long deletions are tried again after the last object was made.
const CLEARING: Duration = Duration::from_mins(1);
/// An object that was due longer ago is left out.
const LATE: Duration = Duration::from_millis(500);

/// What goes on until it is stopped.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Counts>>,
}

/// What the threads have in common.
struct Plan {
    api: Api,
    rate: f64,
    began: Instant,
    next: AtomicU64,
    stop: Arc<AtomicBool>,
    /// Tells objects of one load from those of others.
    round: u64,
}

impl Load {
    /// Makes up to `rate` objects a second.
    pub(crate) fn start(api: Api, rate: f64) -> Self {
        static ROUND: AtomicU64 = AtomicU64::new(0);
        let stop = Arc::new(AtomicBool::new(false));
        let round = ROUND.fetch_add(1, Relaxed);
        let plan = Arc::new(Plan {
            api,
            rate,
            began: Instant::now(),
            next: AtomicU64::new(0),
            stop: Arc::clone(&stop),
            round,
        });
        let threads = (0..THREADS).map(|_| {
            let plan = Arc::clone(&plan);
            thread::spawn(move || Worker { plan, counts: Counts::default(), made: VecDeque::new() }.run())
        });
        Self { stop, threads: threads.collect() }
    }

    /// Makes no more, deletes what is left, and says what came of all.
    pub(crate) fn stop(self) -> Result<Counts, String> {
        self.stop.store(true, Relaxed);
        let mut all = Counts::default();
        for thread in self.threads {
            all.add(&thread.join().map_err(|_| "a thread of the load panicked")?);
        }
        Ok(all)
    }
}

struct Made {
    until: Instant,
    sort: Sort,
    name: String,
}

struct Worker {
    plan: Arc<Plan>,
    counts: Counts,
    made: VecDeque<Made>,
}

impl Worker {
    fn run(mut self) -> Counts {
        while !self.plan.stop.load(Relaxed) {
            let number = self.plan.next.fetch_add(1, Relaxed);
            #[expect(clippy::cast_precision_loss, reason = "numbers of objects are small")]
            let due = self.plan.began + Duration::from_secs_f64(number as f64 / self.plan.rate);
            if due.elapsed() > LATE {
                continue;
            }
            self.clear(false);
            thread::sleep(due.saturating_duration_since(Instant::now()));
            self.make(number);
        }
        let end = Instant::now() + CLEARING;
        while !self.made.is_empty() && Instant::now() < end {
            self.clear(true);
        }
        self.counts
    }

    fn make(&mut self, number: u64) {
        let sort = Sort::of(number);
        let name = format!("load-{}-{number}", self.plan.round);
        let began = Instant::now();
        let answer = self.plan.api.create(&sort.collection(), &sort.object(&name));
        let outcome = judge(sort, &answer);
        self.counts.objects += 1;
        self.counts.denied += u64::from(outcome == Outcome::Right && sort.is_bad());
        self.counts.exempt += u64::from(outcome == Outcome::Right && sort == Sort::ExemptPod);
        self.counts.failed_exempt += u64::from(outcome == Outcome::Failed && sort == Sort::ExemptPod);
        self.counts.note(outcome, began, || {
            if answer.is_good() { format!("{sort:?} {name}") } else { format!("{sort:?} {name}: {}", answer.message()) }
        });
        // Where nothing was heard, it may be there.
        if answer.is_good() || outcome == Outcome::Unavailable {
            self.made.push_back(Made { until: began + LIFE, sort, name });
        }
    }

    /// Deletes what stands long enough, or one of the rest.
    fn clear(&mut self, is_ending: bool) {
        while let Some(made) = self.made.pop_front() {
            if !is_ending && made.until > Instant::now() {
                return self.made.push_front(made);
            }
            if made.sort == Sort::GoodDeployment {
                self.look_at_pods(&made.name);
            }
            let began = Instant::now();
            let answer = self.plan.api.delete(&format!("{}/{}", made.sort.collection(), made.name));
            if answer.is_good() || answer.status == 404 {
                continue;
            }
            self.counts.note(unmade(&answer), began, || format!("deleting {}: {}", made.name, answer.message()));
            thread::sleep(Duration::from_millis(200));
            return self.made.push_back(Made { until: Instant::now() + Duration::from_secs(1), ..made });
        }
    }

    fn look_at_pods(&mut self, deployment: &str) {
        let began = Instant::now();
        let path = format!("/api/v1/namespaces/{JUDGED}/pods?labelSelector=of%3D{deployment}");
        let answer = self.plan.api.get(&path).json();
        for pod in answer.get("items").and_then(Value::as_array).into_iter().flatten() {
            self.counts.pods_of_deployments += 1;
            let outcome = if is_hardened(pod) { Outcome::Right } else { Outcome::Unmutated };
            self.counts.note(outcome, began, || format!("a pod of the Deployment {deployment}"));
        }
    }
}

/// Whether what became of an object is what must.
fn judge(sort: Sort, answer: &Answer) -> Outcome {
    const DENIED: &str = r#"admission webhook "validate.admittance.dev" denied the request: "#;
    if answer.is_good() {
        let object = answer.json();
        return match sort {
            Sort::BadPod | Sort::BadDeployment => Outcome::Allowed,
            Sort::GoodPod if !is_hardened(&object) => Outcome::Unmutated,
            Sort::ExemptPod if !is_untouched(&object) => Outcome::Unmutated,
            _ => Outcome::Right,
        };
    }
    let message = answer.message();
    let is_denial = answer.status == 403 && message.contains(DENIED) && message.contains("hardened-");
    if sort.is_bad() && is_denial { Outcome::Right } else { unmade(answer) }
}

/// Why something that should be was not.
fn unmade(answer: &Answer) -> Outcome {
    if answer.text.contains("webhook") {
        return Outcome::Failed;
    }
    match answer.status {
        // Nothing, the proxy's, the API server's own troubles with its store; while it starts, who may do what is not known.
        0 | 401 | 403 | 429 | 500 | 502 | 503 | 504 => Outcome::Unavailable,
        _ => Outcome::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, text: &str) -> Answer {
        Answer { status, text: text.to_owned() }
    }

    #[test]
    fn tells_denials_from_failed_calls_and_from_an_api_server_that_is_away() {
        let denial = r#"{"message": "admission webhook \"validate.admittance.dev\" denied the request: hardened-pod-security: no"}"#;
        let failure =
            r#"{"message": "Internal error occurred: failed calling webhook \"validate.admittance.dev\": refused"}"#;
        assert_eq!(judge(Sort::BadPod, &answer(403, denial)), Outcome::Right);
        assert_eq!(judge(Sort::GoodPod, &answer(403, denial)), Outcome::Failed);
        assert_eq!(judge(Sort::BadPod, &answer(500, failure)), Outcome::Failed);
        assert_eq!(judge(Sort::BadPod, &answer(0, "connection refused")), Outcome::Unavailable);
        assert_eq!(judge(Sort::BadPod, &answer(201, "{}")), Outcome::Allowed);
        assert_eq!(judge(Sort::GoodPod, &answer(201, "{}")), Outcome::Unmutated);
        assert_eq!(judge(Sort::GoodDeployment, &answer(201, "{}")), Outcome::Right);
    }
}
