//! How a server ends without failing a request: the stages, and the order they come in.
//!
//! A pod that is deleted goes on receiving requests until every node has heard of it, and a client that keeps its
//! connection hears of nothing. So the end has two phases: while draining, everything is still accepted and answered,
//! and each answer asks the client to leave; only then is the listener closed and what is in flight finished.

use std::{future::Future, pin::pin, time::Duration};

use tokio::sync::watch;

/// Where a server stands; later stages are greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Everything is accepted and answered.
    Serving,
    /// Everything is accepted and answered, and each answer says `Connection: close`.
    Draining,
    /// Nothing is accepted; idle connections are closed, requests in flight are answered.
    Finishing,
    /// Everything ends at once.
    Ended,
}

/// Leads the listeners that watch `stage` to their end; to be called at the first signal.
///
/// They drain for `drain`, then finish. When `again` (the second signal) completes, they end at once. Returns only
/// then: the caller waits for its listeners beside it.
pub async fn shut_down(stage: &watch::Sender<Stage>, drain: Duration, again: impl Future<Output = ()>) {
    let mut again = pin!(again);
    stage.send_replace(Stage::Draining);
    if tokio::time::timeout(drain, again.as_mut()).await.is_err() {
        stage.send_replace(Stage::Finishing);
        again.await;
    }
    stage.send_replace(Stage::Ended);
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::{sync::watch, time::sleep};

    use super::*;

    const DRAIN: Duration = Duration::from_secs(5);

    #[tokio::test(start_paused = true)]
    async fn keeps_draining_before_it_finishes() {
        let (stage, seen) = watch::channel(Stage::Serving);
        let driver = tokio::spawn(async move { shut_down(&stage, DRAIN, pending()).await });
        sleep(Duration::from_millis(4_999)).await;
        assert_eq!(*seen.borrow(), Stage::Draining);
        sleep(Duration::from_millis(2)).await;
        assert_eq!(*seen.borrow(), Stage::Finishing);
        assert!(!driver.is_finished());
    }

    #[tokio::test(start_paused = true)]
    async fn ends_at_once_at_the_second_signal_in_either_phase() {
        for second in [Duration::from_secs(1), Duration::from_secs(7)] {
            let (stage, seen) = watch::channel(Stage::Serving);
            shut_down(&stage, DRAIN, sleep(second)).await;
            assert_eq!(*seen.borrow(), Stage::Ended);
        }
    }
}
