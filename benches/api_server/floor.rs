//! The null webhook: what the API server and any webhook on this connection code pay for a call.
//!
//! The answer is constant but for the uid, which the API server checks: it is cut out of the text, not parsed.

use std::{
    convert::Infallible,
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use admittance::certificates::{Certificate, Presented};
use admittance::server::{
    body::{self, Budget, MAX_BODY_BYTES},
    connection::{Settings, serve},
    exchange::RequestBody,
    stage::Stage,
    tls::server_config,
};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
    service::service_fn,
};
use tokio::{net::TcpListener, sync::watch, time::Instant};
use tokio_rustls::TlsAcceptor;

use crate::Failure;

const DEADLINE: Duration = Duration::from_secs(4);
const BUDGET_BYTES: usize = 256 << 20;

/// Serves until it is killed. The argument is the folder with `cert.pem` and `key.pem`.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let [certificate] = arguments else { return Err("usage: floor FOLDER".into()) };
    let file = |name| fs::read(Path::new(certificate).join(name));
    let certificate = Certificate::from_pem(&file("cert.pem")?, &file("key.pem")?, SystemTime::now())
        .map_err(|flaw| format!("{flaw:?}"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        eprintln!("listening on https://{}", listener.local_addr()?);
        let presented = Arc::new(Presented::new(certificate));
        let tls = TlsAcceptor::from(Arc::new(server_config(presented, None, false)?));
        let budget = Arc::new(Budget::new(BUDGET_BYTES));
        let service = service_fn(move |request| handle(request, Arc::clone(&budget)));
        let (_stage, seen) = watch::channel(Stage::Serving);
        serve(listener, Some(tls), service, Settings::default(), seen).await;
        Ok(())
    })
}

async fn handle(request: Request<RequestBody>, budget: Arc<Budget>) -> Result<Response<Full<Bytes>>, Infallible> {
    let collected = body::collect(request.into_body(), MAX_BODY_BYTES, Instant::now() + DEADLINE, &budget).await;
    let answer = collected.ok().and_then(|collected| uid(collected.bytes()).map(answer));
    let status = if answer.is_some() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let mut response = Response::new(Full::new(Bytes::from(answer.unwrap_or_default())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// The first `uid` of the text: the API server writes `request.uid` before the object.
fn uid(review: &[u8]) -> Option<&str> {
    const KEY: &[u8] = br#""uid":""#;
    let behind = review.windows(KEY.len()).position(|window| window == KEY)? + KEY.len();
    let text = review.get(behind..)?;
    let uid = text.get(..text.iter().position(|&byte| byte == b'"')?)?;
    std::str::from_utf8(uid).ok()
}

fn answer(uid: &str) -> String {
    format!(
        r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{{"uid":"{uid}","allowed":true}}}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_with_the_uid_of_the_request_and_not_of_the_object() {
        let review = include_bytes!("../review-pass.json");
        assert_eq!(
            uid(review).map(answer).unwrap_or_default(),
            r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{"uid":"2dac5d85-616b-4480-8371-bf1563b9453e","allowed":true}}"#
        );
    }

    #[test]
    fn refuses_what_has_no_uid() {
        assert_eq!(uid(br#"{"request":{"uid":"a"#), None);
        assert_eq!(uid(b"{}"), None);
    }
}
