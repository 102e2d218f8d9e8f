//! The floors: what any webhook on this connection code pays, and what one pays that parses a review the common way.

use std::{convert::Infallible, sync::Arc, time::Duration};

use admittance::certificates::{Presented, self_signed};
use admittance::server::{
    body::{self, Budget, MAX_BODY_BYTES},
    connection::{Settings, serve},
    exchange::RequestBody,
    stage::Stage,
    tls::server_config,
};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, StatusCode, header::CONTENT_TYPE, service::service_fn};
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch, time::Instant};
use tokio_rustls::TlsAcceptor;

use crate::Failure;

const DEADLINE: Duration = Duration::from_secs(4);
const BUDGET_BYTES: usize = 256 << 20;

/// What is done with a review.
#[derive(Clone, Copy)]
enum Kind {
    Null,
    Parse,
}

/// Serves `null` or `parse` until it is killed: `KIND --listen ADDRESS --uid UID`.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let [kind, listen, address, uid_flag, uid] = arguments else {
        return Err("usage: floor null|parse --listen ADDRESS --uid UID".into());
    };
    let kind = match (kind.as_str(), listen.as_str(), uid_flag.as_str()) {
        ("null", "--listen", "--uid") => Kind::Null,
        ("parse", "--listen", "--uid") => Kind::Parse,
        _ => return Err("usage: floor null|parse --listen ADDRESS --uid UID".into()),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(listen_on(kind, address, uid))
}

async fn listen_on(kind: Kind, address: &str, uid: &str) -> Result<(), Failure> {
    let listener = TcpListener::bind(address).await?;
    println!("{}", listener.local_addr()?);
    let presented = Arc::new(Presented::new(self_signed(&[])?.certificate));
    let tls = TlsAcceptor::from(Arc::new(server_config(presented, None, false)?));
    let constant = Bytes::from(answer(uid));
    let budget = Arc::new(Budget::new(BUDGET_BYTES));
    let service = service_fn(move |request| handle(kind, request, constant.clone(), Arc::clone(&budget)));
    let (_stage, seen) = watch::channel(Stage::Serving);
    serve(listener, Some(tls), service, Settings::default(), seen).await;
    Ok(())
}

async fn handle(
    kind: Kind,
    request: Request<RequestBody>,
    constant: Bytes,
    budget: Arc<Budget>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let collected = body::collect(request.into_body(), MAX_BODY_BYTES, Instant::now() + DEADLINE, &budget).await;
    let said = match (collected, kind) {
        (Err(_), _) => None,
        (Ok(_), Kind::Null) => Some(constant),
        (Ok(collected), Kind::Parse) => {
            let review: Option<Value> = serde_json::from_slice(collected.bytes()).ok();
            review.as_ref().and_then(|review| uid(review).ok()).map(|uid| Bytes::from(answer(uid)))
        }
    };
    let status = if said.is_some() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let mut response = Response::new(Full::new(said.unwrap_or_default()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/json"));
    Ok(response)
}

/// The uid of a review.
pub(crate) fn uid(review: &Value) -> Result<&str, Failure> {
    review.pointer("/request/uid").and_then(Value::as_str).ok_or_else(|| "the review has no request.uid".into())
}

fn answer(uid: &str) -> String {
    let uid = Value::from(uid);
    format!(
        r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{{"uid":{uid},"allowed":true}}}}"#
    )
}
