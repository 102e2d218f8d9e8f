//! The floors: what any webhook on this connection code pays, what one pays that parses a review the common way, and
//! what hyper and rustls take alone.

use std::{convert::Infallible, error::Error, sync::Arc, time::Duration};

use admittance::certificates::{Presented, self_signed};
use admittance::server::{
    body::{self, Budget, MAX_BODY_BYTES},
    connection::{Settings, serve},
    exchange::RequestBody,
    stage::Stage,
    tls::server_config,
};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response, StatusCode, body::Incoming, header::CONTENT_TYPE, server::conn::http1, service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch, time::Instant};
use tokio_rustls::TlsAcceptor;

use crate::Failure;

const DEADLINE: Duration = Duration::from_secs(4);
const BUDGET_BYTES: usize = 256 << 20;
const USAGE: &str = "usage: floor null|parse|hyper --listen ADDRESS --uid UID";

/// What is done with a review.
#[derive(Clone, Copy)]
enum Kind {
    Null,
    Parse,
    /// As `Null`, without the server's connection code.
    Hyper,
}

/// Serves until it is killed: `KIND --listen ADDRESS --uid UID`.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let [kind, listen, address, uid_flag, uid] = arguments else {
        return Err(USAGE.into());
    };
    let kind = match (kind.as_str(), listen.as_str(), uid_flag.as_str()) {
        ("null", "--listen", "--uid") => Kind::Null,
        ("parse", "--listen", "--uid") => Kind::Parse,
        ("hyper", "--listen", "--uid") => Kind::Hyper,
        _ => return Err(USAGE.into()),
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
    if let Kind::Hyper = kind {
        return serve_bare(listener, tls, constant).await;
    }
    let budget = Arc::new(Budget::new(BUDGET_BYTES));
    let service = service_fn(move |request| handle(kind, request, constant.clone(), Arc::clone(&budget)));
    let (_stage, seen) = watch::channel(Stage::Serving);
    serve(listener, Some(tls), service, Settings::default(), seen).await;
    Ok(())
}

/// hyper as its own examples show it: the body is collected, nothing is bounded.
async fn serve_bare(listener: TcpListener, tls: TlsAcceptor, constant: Bytes) -> Result<(), Failure> {
    loop {
        let (tcp, _) = listener.accept().await?;
        tcp.set_nodelay(true)?;
        let (tls, constant) = (tls.clone(), constant.clone());
        tokio::spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let constant = constant.clone();
                async move {
                    request.into_body().collect().await?;
                    Ok::<_, hyper::Error>(respond(Some(constant)))
                }
            });
            let stream = TokioIo::new(tls.accept(tcp).await?);
            http1::Builder::new().serve_connection(stream, service).await?;
            Ok::<_, Box<dyn Error + Send + Sync>>(())
        });
    }
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
        (Ok(_), Kind::Null | Kind::Hyper) => Some(constant),
        (Ok(collected), Kind::Parse) => {
            let review: Option<Value> = serde_json::from_slice(collected.bytes()).ok();
            review.as_ref().and_then(|review| uid(review).ok()).map(|uid| Bytes::from(answer(uid)))
        }
    };
    Ok(respond(said))
}

fn respond(said: Option<Bytes>) -> Response<Full<Bytes>> {
    let status = if said.is_some() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let mut response = Response::new(Full::new(said.unwrap_or_default()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/json"));
    response
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
