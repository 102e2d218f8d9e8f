//! The clients of one server that wait for each answer: as many requests under way as there are connections.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, StatusCode};
use tokio::task::JoinSet;

use crate::{
    Failure,
    expected::{Checker, Expected},
    process::Process,
    reviews::Review,
    tls::{self, Sender},
};

/// What is sent to a server, and what is to come back.
pub(crate) struct Task {
    pub(crate) path: &'static str,
    pub(crate) review: Review,
    pub(crate) expected: Expected,
}

/// The connections to one server, and what is sent on them.
pub(crate) struct Clients {
    pub(crate) idle: Vec<Sender>,
    pub(crate) task: Arc<Task>,
}

/// What a connection brings back: itself, how many answers were wrong, and what was wrong with the first.
pub(crate) struct Done {
    pub(crate) sender: Sender,
    pub(crate) wrong: u32,
    pub(crate) first: Option<String>,
}

impl Clients {
    pub(crate) async fn connect(server: &Process, connections: u32, task: Task) -> Result<Self, Failure> {
        Ok(Self { idle: tls::connect(server.address, connections).await?, task: Arc::new(task) })
    }

    /// Posts `requests` reviews, shared out over the connections, and checks every answer.
    pub(crate) async fn post(&mut self, requests: u32) -> Result<(), Failure> {
        let mut left = requests;
        let each = requests.div_ceil(u32::try_from(self.idle.len())?);
        let mut running = JoinSet::new();
        for sender in self.idle.drain(..) {
            let share = each.min(left);
            left -= share;
            running.spawn(Arc::clone(&self.task).post(sender, share));
        }
        let mut wrong = Wrong::default();
        while let Some(done) = running.join_next().await {
            self.idle.push(wrong.take(done??));
        }
        wrong.outcome(requests)
    }
}

/// The wrong answers of a turn.
#[derive(Default)]
pub(crate) struct Wrong {
    count: u32,
    first: Option<String>,
}

impl Wrong {
    pub(crate) fn take(&mut self, done: Done) -> Sender {
        self.count += done.wrong;
        self.first = self.first.take().or(done.first);
        done.sender
    }

    /// An error where any was wrong.
    pub(crate) fn outcome(self, requests: u32) -> Result<(), Failure> {
        match self.first {
            None => Ok(()),
            Some(first) => Err(format!("{} of {requests} answers are wrong, one of them: {first}", self.count).into()),
        }
    }
}

impl Task {
    async fn post(self: Arc<Self>, mut sender: Sender, requests: u32) -> Result<Done, Failure> {
        let mut checker = Checker::new(&self.review.uid, &self.expected);
        for _ in 0..requests {
            let (status, body) = self.ask(&mut sender).await?;
            checker.take(status, body);
        }
        let Checker { wrong, first, .. } = checker;
        Ok(Done { sender, wrong, first })
    }

    /// One review, and its answer.
    pub(crate) async fn ask(&self, sender: &mut Sender) -> Result<(StatusCode, Bytes), Failure> {
        sender.ready().await?;
        let request = Request::post(self.path)
            .header("host", "127.0.0.1")
            .header("content-type", "application/json")
            .body(Full::new(self.review.body.clone()))?;
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        Ok((status, answer.into_body().collect().await?.to_bytes()))
    }
}

/// A page of a server.
pub(crate) async fn get(server: &Process, path: &str) -> Result<(StatusCode, Bytes), Failure> {
    let mut senders = tls::connect(server.address, 1).await?;
    let sender = senders.first_mut().ok_or("no connection")?;
    let request = Request::get(path).header("host", "127.0.0.1").body(Full::default())?;
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    Ok((status, answer.into_body().collect().await?.to_bytes()))
}
