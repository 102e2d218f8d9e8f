//! Looks, plans, does, until the process ends.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use futures_util::future::FutureExt as _;
use futures_util::stream::StreamExt as _;
use k8s_openapi::api::core::v1::Secret;
use kube::Client;

use super::super::Presented;
use super::authority::Leaf;
use super::cluster::{Cluster, Failure, News};
use super::live::{Configuration, Kind, Live, Trusted};
use super::plan::{Order, Plan, Situation, Wishes, known, plan};
use super::stored::Seen;

/// How often the Secret is read, at the least; it is read by name, which no watch could do with fewer rights.
const READ_EVERY: Duration = Duration::from_secs(5);
/// How long to wait after something failed: at first, and at the most.
const RETRY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(10));
/// A plan that is never satisfied must not keep the runtime busy.
const ROUNDS: usize = 8;

/// What is kept, and where.
#[derive(Clone, Debug)]
pub struct Managed {
    /// The server's own namespace: the Secret's and the Service's.
    pub namespace: String,
    /// The name of the Secret.
    pub secret: String,
    /// The name of the Service: the certificate is for it.
    pub service: String,
    /// Further names and addresses that the certificate is for.
    pub names: Vec<String>,
    /// The name of both webhook configurations.
    pub configuration: String,
    /// How long a leaf lives; a CA lives ten times as long.
    pub life: Duration,
}

impl Managed {
    fn wishes(&self) -> Wishes {
        let service = format!("{}.{}", self.service, self.namespace);
        let mut names = vec![format!("{service}.svc"), format!("{service}.svc.cluster.local"), service];
        names.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
        for name in self.names.iter().filter(|name| !name.is_empty()) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        Wishes { names, life: self.life }
    }
}

/// Keeps a certificate presented that the API server trusts, whatever happens to the Secret and to the configurations,
/// until the process ends.
///
/// Every replica does this, and none leads: what is written is written on condition that nobody else has written since it
/// was read.
pub async fn keep(client: Client, managed: Managed, presented: Arc<Presented>) {
    let cluster = Cluster::new(&client, &managed.namespace, &managed.secret, &managed.configuration);
    let mut watched = cluster.watch();
    let mut keeper = Keeper::new(cluster, managed.wishes(), presented);
    loop {
        let wake = keeper.work().await;
        tokio::select! {
            Some((kind, news)) = watched.next() => {
                let mut next = Some((kind, news));
                // What has arrived together is judged together.
                while let Some((kind, news)) = next {
                    keeper.hear(kind, news);
                    next = watched.next().now_or_never().flatten();
                }
            }
            () = tokio::time::sleep_until(wake.into()) => {}
        }
    }
}

/// What a replica knows, and what it tries.
struct Keeper {
    cluster: Cluster,
    wishes: Wishes,
    presented: Arc<Presented>,
    /// The same, with its key and its CA.
    leaf: Option<Arc<Leaf>>,
    secret: Option<Secret>,
    seen: Seen,
    read_at: Instant,
    live: Live,
    /// Lists that are not complete yet.
    arriving: BTreeMap<Kind, Option<Configuration>>,
    trusted: Trusted,
    tries: BTreeMap<Task, Try>,
}

/// What can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Task {
    Read,
    Store,
    Apply(Kind),
    Watch(Kind),
}

/// A task that has failed.
struct Try {
    problem: String,
    again: Instant,
    rest: Duration,
}

impl Keeper {
    fn new(cluster: Cluster, wishes: Wishes, presented: Arc<Presented>) -> Self {
        Self {
            cluster,
            wishes,
            presented,
            leaf: None,
            secret: None,
            seen: Seen::Unknown,
            read_at: Instant::now(),
            live: Live::default(),
            arriving: BTreeMap::new(),
            trusted: Trusted::default(),
            tries: BTreeMap::new(),
        }
    }

    /// Takes note of what a watch says.
    fn hear(&mut self, kind: Kind, news: News) {
        match news {
            News::Trouble(problem) => return self.failed(Task::Watch(kind), problem),
            // Nothing has been heard yet.
            News::Begins => return drop(self.arriving.insert(kind, None)),
            News::Is(configuration) => match self.arriving.get_mut(&kind) {
                Some(arriving) => *arriving = configuration,
                None => drop(self.live.known.insert(kind, configuration)),
            },
            News::Complete => {
                if let Some(configuration) = self.arriving.remove(&kind) {
                    self.live.known.insert(kind, configuration);
                }
            }
        }
        self.succeeded(Task::Watch(kind));
    }

    /// Does all that can be done now, and says when to come again.
    async fn work(&mut self) -> Instant {
        for _ in 0..ROUNDS {
            if Instant::now() >= self.read_at {
                self.read().await;
            }
            let now = SystemTime::now();
            let roots = known(&self.seen, &self.live, self.leaf.as_ref());
            self.trusted.observe(&self.live, &roots, now);
            let (wishes, presented) = (&self.wishes, self.leaf.as_ref());
            let situation =
                Situation { now, wishes, secret: &self.seen, live: &self.live, trusted: &self.trusted, presented };
            let Plan { present, store, bundles, again } = plan(&situation);
            let mut has_changed = false;
            if let Some(leaf) = present {
                self.present(leaf, now);
                has_changed = true;
            }
            // What need not be done any more need not be tried again.
            if store.is_none() {
                self.succeeded(Task::Store);
            }
            for kind in Kind::BOTH.into_iter().filter(|kind| bundles.iter().all(|(wanted, _)| wanted != kind)) {
                self.succeeded(Task::Apply(kind));
            }
            if let Some(order) = store.filter(|_| self.is_due(Task::Store)) {
                has_changed |= self.store(order, now).await;
            }
            for (kind, bundle) in bundles {
                if self.is_due(Task::Apply(kind)) {
                    has_changed |= self.apply(kind, &bundle).await;
                }
            }
            if !has_changed {
                let again = again.and_then(|again| again.duration_since(SystemTime::now()).ok());
                return self.wake(again);
            }
        }
        Instant::now() + RETRY.0
    }

    /// The next time at which something is due.
    fn wake(&self, planned: Option<Duration>) -> Instant {
        let planned = planned.map(|planned| Instant::now() + planned);
        // Reading and watching have their own times.
        let is_planned = |task: &Task| matches!(task, Task::Store | Task::Apply(_));
        let failed = self.tries.iter().filter(|(task, _)| is_planned(task)).map(|(_, tried)| tried.again);
        failed.chain(planned).chain([self.read_at]).min().unwrap_or(self.read_at)
    }

    fn present(&mut self, leaf: Arc<Leaf>, now: SystemTime) {
        let seconds = leaf.not_after().duration_since(now).unwrap_or_default().as_secs();
        tracing::info!(ca = leaf.root.name, expires_in_seconds = seconds, "a certificate is presented from now on");
        self.presented.replace(leaf.certificate.clone());
        self.leaf = Some(leaf);
    }

    async fn read(&mut self) {
        match self.cluster.read().await {
            Ok(secret) => {
                self.succeeded(Task::Read);
                self.saw(secret);
            }
            Err(failure) => {
                self.failed(Task::Read, failure.text());
                self.read_at = Instant::now() + RETRY.0 * 4;
            }
        }
    }

    fn saw(&mut self, secret: Option<Secret>) {
        self.seen = match &secret {
            None => Seen::Absent,
            Some(secret) => Seen::Present(secret.data.clone().unwrap_or_default()),
        };
        self.secret = secret;
        // Short lives are for trying out.
        self.read_at = Instant::now() + READ_EVERY.min(self.wishes.life / 20);
    }

    /// Writes the Secret. Says whether anything is otherwise now.
    async fn store(&mut self, order: Order, now: SystemTime) -> bool {
        let (reason, makes_authority) = (order.reason, order.makes_authority);
        let data = match order.carry_out(now, self.wishes.life) {
            Ok(data) => data,
            Err(unmade) => {
                self.failed(Task::Store, unmade.to_string());
                return false;
            }
        };
        match self.cluster.write(self.secret.as_ref(), data).await {
            Ok(secret) => {
                self.succeeded(Task::Store);
                let message = if makes_authority { "a new CA was made" } else { "the certificates were renewed" };
                tracing::info!(reason, "{message}");
                self.saw(Some(secret));
                true
            }
            Err(Failure::Conflict) => {
                // Another replica has done it.
                self.read_at = Instant::now();
                true
            }
            Err(Failure::Trouble(problem)) => {
                self.failed(Task::Store, problem);
                false
            }
        }
    }

    /// Writes a bundle. Says whether anything is otherwise now.
    async fn apply(&mut self, kind: Kind, bundle: &str) -> bool {
        let Some(Some(read)) = self.live.known.get(&kind) else { return false };
        match self.cluster.apply(kind, read, bundle).await {
            Ok(configuration) => {
                self.succeeded(Task::Apply(kind));
                tracing::info!(kind = kind.name(), "the webhook configuration got its caBundle");
                self.live.known.insert(kind, Some(configuration));
                true
            }
            Err(failure) => {
                // What stands in the way of a conflict comes by the watch.
                self.failed(Task::Apply(kind), failure.text());
                false
            }
        }
    }

    fn is_due(&self, task: Task) -> bool {
        self.tries.get(&task).is_none_or(|tried| tried.again <= Instant::now())
    }

    fn succeeded(&mut self, task: Task) {
        if let Some(tried) = self.tries.remove(&task)
            && !tried.problem.is_empty()
        {
            tracing::info!("{}: it works again", task.text());
        }
    }

    /// Says each distinct problem once; an empty one is none.
    fn failed(&mut self, task: Task, problem: String) {
        let before = self.tries.remove(&task);
        let rest = before.as_ref().map_or(RETRY.0, |before| (before.rest * 2).min(RETRY.1));
        if !problem.is_empty() && before.is_none_or(|before| before.problem != problem) {
            tracing::error!(problem, "{}", task.text());
        }
        self.tries.insert(task, Try { problem, again: Instant::now() + rest, rest });
    }
}

impl Failure {
    /// What is wrong; nothing is where somebody was faster.
    fn text(self) -> String {
        match self {
            Self::Conflict => String::new(),
            Self::Trouble(problem) => problem,
        }
    }
}

impl Task {
    const fn text(self) -> &'static str {
        match self {
            Self::Read => "the Secret of the certificates cannot be read",
            Self::Store => "the Secret of the certificates cannot be written",
            Self::Apply(Kind::Mutating) => "the caBundle of the MutatingWebhookConfiguration cannot be written",
            Self::Apply(Kind::Validating) => "the caBundle of the ValidatingWebhookConfiguration cannot be written",
            Self::Watch(Kind::Mutating) => "the MutatingWebhookConfiguration cannot be watched",
            Self::Watch(Kind::Validating) => "the ValidatingWebhookConfiguration cannot be watched",
        }
    }
}
