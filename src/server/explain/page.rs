//! The page `/explain`: a question, and the explanations that fit it.

use std::sync::atomic::Ordering::Relaxed;

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Json, Response};
use serde::Serialize;
use serde_json::value::RawValue;

use super::Explain;
use super::ring::Wanted;

/// How many are shown unless the question says otherwise, and at the most.
const SHOWN: usize = 100;
const MOST: usize = 1_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    schema_version: u32,
    /// How many are kept.
    kept: usize,
    /// How many decisions could not be explained, because too many came at once.
    missed: u64,
    /// Those that fit, the newest first.
    explanations: Vec<Box<RawValue>>,
}

/// The answer to a question as it stands in a URL: `namespace=shop&kind=Pod&name=web&policy=tags&uid=…&denied=true&limit=10`.
pub fn answer(explain: &Explain, question: Option<&str>) -> Response {
    let (wanted, most) = match read(question.unwrap_or_default()) {
        Ok(read) => read,
        Err(problem) => return (StatusCode::BAD_REQUEST, format!("{problem}\n")).into_response(),
    };
    let (explanations, kept) = explain.ring.find(&wanted, most);
    let missed = explain.missed.load(Relaxed);
    Json(Page { schema_version: 1, kept, missed, explanations }).into_response()
}

fn read(question: &str) -> Result<(Wanted, usize), String> {
    let (mut wanted, mut most) = (Wanted::default(), SHOWN);
    for pair in question.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let text = decoded(value).ok_or_else(|| format!("`{key}` is not encoded as in a URL"))?;
        match key {
            "uid" => wanted.uid = Some(text),
            "namespace" => wanted.namespace = Some(text),
            "kind" => wanted.kind = Some(text),
            "name" => wanted.name = Some(text),
            "policy" => wanted.policy = Some(text),
            "denied" => wanted.denied = text == "true",
            "limit" => {
                most = text.parse().ok().filter(|most| (1..=MOST).contains(most)).ok_or("`limit` is from 1 to 1000")?;
            }
            _ => return Err("known are uid, namespace, kind, name, policy, denied, limit".to_owned()),
        }
    }
    Ok((wanted, most))
}

/// A value of a query, percent-decoded.
fn decoded(text: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.bytes());
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            b'+' => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_questions_and_refuses_what_is_none() {
        let (wanted, most) = read("namespace=shop&kind=pod&name=a%2Fb&denied=true&limit=5&uid=u&policy=x").unwrap();
        assert_eq!((wanted.namespace.as_deref(), wanted.name.as_deref(), most), (Some("shop"), Some("a/b"), 5));
        assert!(wanted.denied && wanted.uid.is_some() && wanted.policy.is_some() && wanted.kind.is_some());
        assert_eq!(read("").unwrap(), (Wanted::default(), SHOWN));
        for (question, problem) in [
            ("limit=0", "`limit` is from 1 to 1000"),
            ("limit=x", "`limit` is from 1 to 1000"),
            ("name=%zz", "`name` is not encoded as in a URL"),
            ("name=%f", "`name` is not encoded as in a URL"),
            ("name=%ff", "`name` is not encoded as in a URL"),
            ("pod=x", "known are uid, namespace, kind, name, policy, denied, limit"),
        ] {
            assert_eq!(read(question).unwrap_err(), problem, "{question}");
        }
    }
}
