//! Clients that do not wait: requests are due at a constant rate, whatever has become of those before.
//!
//! How long one took is counted from the moment at which it was due, not from when a connection was free to take it: a
//! server that stalls is charged with everybody who waited meanwhile (no coordinated omission). What the generator
//! itself is late by is in there too, and is measured apart.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use tokio::{
    sync::{Mutex, mpsc},
    task::JoinSet,
};

use crate::{
    Failure,
    client::{Clients, Done, Task, Wrong},
    expected::Checker,
    tls::Sender,
};

/// How long the first request is ahead.
const LEAD: Duration = Duration::from_millis(20);

/// What a turn brought.
pub(crate) struct Turn {
    /// From due to answered, shortest first.
    pub(crate) latencies: Vec<Duration>,
    /// From due to handed to the clients, shortest first: the generator's own part.
    pub(crate) lateness: Vec<Duration>,
    /// From the first that was due to the last answer.
    pub(crate) elapsed: Duration,
}

type Due = Arc<Mutex<mpsc::UnboundedReceiver<Instant>>>;

/// Sends `rate` requests a second for `seconds`, and waits for all answers.
pub(crate) async fn run(clients: &mut Clients, rate: f64, seconds: f64) -> Result<Turn, Failure> {
    let (sender, due) = mpsc::unbounded_channel();
    let due: Due = Arc::new(Mutex::new(due));
    let mut running = JoinSet::new();
    for connection in clients.idle.drain(..) {
        running.spawn(post(Arc::clone(&clients.task), connection, Arc::clone(&due)));
    }
    let begun = Instant::now() + LEAD;
    let pacer = thread::spawn(move || pace(&sender, begun, rate, seconds));
    let (mut latencies, mut wrong) = (Vec::new(), Wrong::default());
    while let Some(done) = running.join_next().await {
        let (mut some, done) = done??;
        latencies.append(&mut some);
        clients.idle.push(wrong.take(done));
    }
    let elapsed = begun.elapsed();
    wrong.outcome(u32::try_from(latencies.len())?)?;
    let mut lateness = pacer.join().map_err(|_| "the generator of load panicked")?;
    latencies.sort_unstable();
    lateness.sort_unstable();
    Ok(Turn { latencies, lateness, elapsed })
}

/// A thread of its own, because the runtime's timers count in milliseconds.
fn pace(due: &mpsc::UnboundedSender<Instant>, begun: Instant, rate: f64, seconds: f64) -> Vec<Duration> {
    let mut lateness = Vec::new();
    for number in 0_u32.. {
        let after = f64::from(number) / rate;
        if after >= seconds {
            break;
        }
        let moment = begun + Duration::from_secs_f64(after);
        thread::sleep(moment.saturating_duration_since(Instant::now()));
        lateness.push(moment.elapsed());
        if due.send(moment).is_err() {
            break;
        }
    }
    lateness
}

/// One connection: takes what is due, first come first served.
async fn post(task: Arc<Task>, mut sender: Sender, due: Due) -> Result<(Vec<Duration>, Done), Failure> {
    let mut checker = Checker::new(&task.review.uid, &task.expected);
    let mut latencies = Vec::new();
    loop {
        let next = due.lock().await.recv().await;
        let Some(moment) = next else { break };
        let (status, body) = task.ask(&mut sender).await?;
        latencies.push(moment.elapsed());
        checker.take(status, body);
    }
    let Checker { wrong, first, .. } = checker;
    Ok((latencies, Done { sender, wrong, first }))
}
