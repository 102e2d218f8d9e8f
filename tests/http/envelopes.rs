//! Bodies that are no review, and what is said to them: a bare status where there is no uid to answer, and a denial
//! where there is one. Any other answer than 200 opens the door where the webhook fails open.

use bytes::Bytes;
use hyper::Method;
use serde_json::Value;

use super::{Kind, POLICIES, corpora, front, pod, review, server};

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
const MIB: usize = 1 << 20;

#[tokio::test]
async fn answers_bodies_without_a_uid_with_a_bare_status() {
    let (server, _folder) = server(POLICIES, &[]);
    let no_uid = r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"operation":"CREATE"}}"#;
    let no_request = r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}"#;
    let number = r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":7}}"#;
    let list = r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":[{"uid":"u"}]}"#;
    let empty = r#"{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":""}}"#;
    let early = "the AdmissionReview cannot be read: the JSON ends too early at line 1 column";
    let plain = &[("content-type", "text/plain")];
    let with_charset = &[("content-type", "Application/JSON; charset=utf-8")];
    let large = "x".repeat(24 * MIB);
    let spaces = " ".repeat(24 * MIB);
    for (method, headers, body, status, said) in [
        (Method::POST, JSON, "", 400, &*format!("{early} 0\n")),
        (Method::POST, JSON, r#"{"kind":"Admiss"#, 400, &format!("{early} 15\n")),
        (Method::POST, JSON, "{}", 400, "expected apiVersion admission.k8s.io/v1 and kind AdmissionReview\n"),
        (
            Method::POST,
            JSON,
            "[]",
            400,
            "the AdmissionReview cannot be read: a value has the wrong type at line 1 column 2\n",
        ),
        (Method::POST, JSON, no_request, 400, "the AdmissionReview has no request\n"),
        (Method::POST, JSON, no_uid, 400, "the AdmissionReview's request has no uid\n"),
        (Method::POST, with_charset, no_uid, 400, "the AdmissionReview's request has no uid\n"),
        (Method::POST, JSON, empty, 400, "the AdmissionReview's request has no uid\n"),
        (
            Method::POST,
            JSON,
            number,
            400,
            "the AdmissionReview cannot be read: a value has the wrong type at line 1 column 79\n",
        ),
        (
            Method::POST,
            JSON,
            list,
            400,
            "the AdmissionReview cannot be read: a value has the wrong type at line 1 column 72\n",
        ),
        (Method::POST, plain, "hello", 415, "expected content type application/json\n"),
        (Method::POST, &[], "{}", 415, "expected content type application/json\n"),
        (Method::GET, JSON, "", 405, "GET is not allowed here, POST an AdmissionReview\n"),
        (Method::DELETE, JSON, "{}", 405, "DELETE is not allowed here, POST an AdmissionReview\n"),
        (Method::POST, JSON, &large, 413, "the request body is too large\n"),
        (Method::POST, JSON, &spaces, 413, "the request body is too large\n"),
    ] {
        for path in ["/mutate", "/validate?timeout=10s"] {
            let mut client = server.client().await;
            let body = Bytes::copy_from_slice(body.as_bytes());
            let answer = client.send(method.clone(), path, headers, body).await.unwrap();
            assert_eq!((answer.status.as_u16(), &*answer.text()), (status, said), "{method} {path}");
            assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
            assert_eq!(answer.header("allow"), if status == 405 { "POST" } else { "" });
        }
    }
    let answer = server.client().await.send(Method::GET, "/elsewhere", &[], Bytes::new()).await.unwrap();
    assert_eq!(answer.status, 404);
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
async fn answers_whatever_has_a_uid_with_a_denial() {
    let (server, _folder) = server(POLICIES, &[]);
    let good = review("u", Kind::Pod, &pod("nginx:1.27"));
    let changed = |from: &str, to: &str| {
        assert!(good.contains(from));
        good.replacen(from, to, 1).into_bytes()
    };
    let cut = |at: &str| good.split_once(at).unwrap().0.as_bytes().to_vec();
    let too_large = [front("u").as_bytes(), br#","object":""#, &vec![b'x'; 24 * MIB], br#""}}"#].concat();
    let nested = |field: &str, depth: usize| {
        format!("{},\"{field}\":{}{}}}}}", front("u"), "[".repeat(depth), "]".repeat(depth)).into_bytes()
    };
    let not_utf8 =
        |bytes: Vec<u8>| bytes.into_iter().map(|byte| if byte == b'~' { 0xff } else { byte }).collect::<Vec<u8>>();
    for (what, body, code, said) in [
        ("too large", too_large, 413, "the request body is too large"),
        (
            "cut after the uid",
            cut(r#","kind":{"group""#),
            400,
            "the AdmissionReview cannot be read: the JSON ends too early at line 1 column 81",
        ),
        (
            "cut in the object",
            cut(r#""containers""#),
            400,
            "the AdmissionReview cannot be read: the JSON ends too early at",
        ),
        (
            "text after the end",
            [good.as_bytes(), b"{}"].concat(),
            400,
            "the AdmissionReview cannot be read: invalid JSON at",
        ),
        (
            "beta",
            changed("admission.k8s.io/v1", "admission.k8s.io/v1beta1"),
            400,
            "expected apiVersion admission.k8s.io/v1 and kind AdmissionReview",
        ),
        (
            "another kind",
            changed("AdmissionReview", "ConversionReview"),
            400,
            "expected apiVersion admission.k8s.io/v1 and kind AdmissionReview",
        ),
        (
            "unknown operation",
            changed("CREATE", "READ"),
            400,
            "the request's operation is none of CREATE, UPDATE, DELETE, CONNECT",
        ),
        (
            "operation in small letters",
            changed("CREATE", "create"),
            400,
            "the request's operation is none of CREATE, UPDATE, DELETE, CONNECT",
        ),
        (
            "no operation",
            changed(r#""operation":"CREATE","#, ""),
            400,
            "the request's operation is none of CREATE, UPDATE, DELETE, CONNECT",
        ),
        (
            "operation of the wrong type",
            changed(r#""CREATE""#, "{}"),
            400,
            "the AdmissionReview cannot be read: a value has the wrong type at",
        ),
        (
            "name of the wrong type",
            changed(r#""web""#, "7"),
            400,
            "the AdmissionReview cannot be read: a value has the wrong type at",
        ),
        (
            "user of the wrong type",
            changed(r#"{"username":"ann","groups":["dev"]}"#, "[]"),
            400,
            "the AdmissionReview cannot be read: a value has the wrong type at",
        ),
        (
            "groups of the wrong type",
            changed(r#"["dev"]"#, r#"[["dev"]]"#),
            400,
            "the AdmissionReview cannot be read: a value has the wrong type at",
        ),
        (
            "kind of the wrong type",
            changed(r#"{"group":"","version":"v1","kind":"Pod"}"#, "true"),
            400,
            "the AdmissionReview cannot be read: a value has the wrong type at",
        ),
        (
            "dryRun of the wrong type",
            changed(r#""dryRun":false"#, r#""dryRun":"no""#),
            400,
            "the AdmissionReview cannot be read: a value has the wrong type at",
        ),
        (
            "not UTF-8 in the envelope",
            not_utf8(changed(r#""ann""#, r#""a~n""#)),
            400,
            "the AdmissionReview is not UTF-8 after",
        ),
        (
            "not UTF-8 in the object",
            not_utf8(changed("nginx:1.27", "nginx:1~27")),
            400,
            "the AdmissionReview is not UTF-8 after",
        ),
        (
            "a user nested deeply",
            nested("userInfo", 100_000),
            400,
            "the AdmissionReview cannot be read: a value has the wrong type at",
        ),
        (
            "an operation nested deeply",
            nested("operation", 100_000),
            400,
            "the AdmissionReview cannot be read: a value has the wrong type at",
        ),
        (
            "an unknown field nested deeply",
            nested("other", 100_000),
            400,
            "the request's operation is none of CREATE, UPDATE, DELETE, CONNECT",
        ),
        (
            "only a uid",
            format!("{}}}}}", front("u")).into_bytes(),
            400,
            "the request's operation is none of CREATE, UPDATE, DELETE, CONNECT",
        ),
    ] {
        for path in ["/mutate", "/validate"] {
            let response = server.client().await.review(path, body.clone()).await.response("u");
            let status = &response["status"];
            let message = status["message"].as_str().unwrap();
            assert!(status["code"] == code && message.starts_with(said), "{what}: {status}");
            assert_eq!(status["reason"], if code == 413 { "RequestEntityTooLarge" } else { "BadRequest" });
        }
    }
    for (method, headers, code) in [(Method::PUT, JSON, 405), (Method::POST, &[("content-type", "text/yaml")][..], 415)]
    {
        let answer = server.client().await.send(method, "/mutate", headers, good.clone().into()).await.unwrap();
        assert_eq!(answer.response("u")["status"]["code"], code);
    }
}

#[tokio::test]
async fn judges_objects_only_as_far_as_a_policy_reads_them() {
    let (server, _folder) = server(POLICIES, &[]);
    let mut client = server.client().await;
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep = format!(r#"{{"metadata":{{"name":"web"}},"data":{nested}}}"#);
    let twice = r#"{"metadata":{"name":"web"},"spec":{"containers":[]},"spec":{}}"#;
    for (object, error) in [
        (&*nested, "nested more than 128 levels deep at line 1 column 128"),
        (&deep, "nested more than 128 levels deep at line 1 column 161"),
        (twice, "duplicate key at line 1 column 62"),
        (r#"{"metadata":{"name":"web"},"weight":1e999}"#, "number out of range at line 1 column 41"),
    ] {
        for path in ["/mutate", "/validate"] {
            let response = client.review(path, review("u", Kind::ConfigMap, object)).await.response("u");
            assert_eq!(response["allowed"], true, "{path} {error}");
            let response = client.review(path, review("u", Kind::Pod, object)).await.response("u");
            let policy = if path == "/mutate" { "origin" } else { "tags" };
            let said = format!("{policy}: evaluation error: the object cannot be read: {error}");
            assert_eq!(response["status"]["message"], said);
            assert_eq!(
                (&response["status"]["code"], &response["status"]["reason"]),
                (&500.into(), &"InternalError".into())
            );
        }
    }
}

#[tokio::test]
async fn allows_objects_of_any_shape_in_which_nothing_is_wrong() {
    let (server, _folder) = server(POLICIES, &[]);
    let mut client = server.client().await;
    for object in [
        "null",
        "true",
        "7",
        "[]",
        "{}",
        r#""pod""#,
        r#"{"spec":7}"#,
        r#"{"spec":{"containers":{}}}"#,
        r#"{"spec":{"containers":[7,null,[],{"image":[]},{"ports":{}},{"ports":["a",{"hostPort":"80"}]}]}}"#,
    ] {
        let response = client.review("/validate", review("u", Kind::Pod, object)).await.response("u");
        let message = response["status"]["message"].as_str().unwrap_or_default();
        assert!(!message.contains("panicked"), "{object}: {message}");
        let response = client.review("/mutate", review("u", Kind::Pod, object)).await.response("u");
        let message = response["status"]["message"].as_str().unwrap_or_default();
        assert!(!message.contains("panicked"), "{object}: {message}");
    }
}

#[tokio::test]
async fn judges_an_object_that_its_escapes_make_six_times_as_large() {
    let (server, _folder) = server(POLICIES, &[]);
    let mut client = server.client().await;
    let escaped = "\\u003c".repeat(1_300_000);
    let pod = |image| {
        format!(
            r#"{{"metadata":{{"name":"web","annotations":{{"a":"{escaped}"}}}},"spec":{{"containers":[{{"name":"web","image":"{image}"}}]}}}}"#
        )
    };
    let denied = client.review("/validate", review("u", Kind::Pod, &pod("nginx"))).await.response("u");
    assert_eq!(denied["status"]["code"], 403);
    let allowed = client.review("/validate", review("u", Kind::Pod, &pod("nginx:1.27"))).await.response("u");
    assert_eq!(allowed["allowed"], true);
    let answer = client.review("/mutate", review("u", Kind::Pod, &pod("nginx:1.27"))).await;
    assert!(answer.response("u")["patch"].is_string() && answer.body.len() < 400, "{}", answer.body.len());
    // What a denial of such an update looks like: old and new object in one review.
    let body = review("u", Kind::Pod, &pod("nginx")).replace("CREATE", "UPDATE");
    let body = body.replace(r#""oldObject":null"#, &format!(r#""oldObject":{}"#, pod("nginx:1.27")));
    assert!(body.len() > 14 * MIB);
    assert_eq!(client.review("/validate", body).await.response("u")["status"]["code"], 403);
}

#[tokio::test]
async fn answers_every_review_of_the_corpus_with_its_uid() {
    const EXPECTED: usize = 194;
    let path = corpora().join("admission-requests.jsonl");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped {EXPECTED} cases: {} is not there (set ADMITTANCE_CORPORA)", path.display());
        return;
    };
    let (server, _folder) = server(POLICIES, &[]);
    let mut client = server.client().await;
    let (mut reviews, mut denied) = (0, 0);
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let review = &line["review"];
        let uid = review["request"]["uid"].as_str();
        reviews += 1;
        for path in ["/mutate", "/validate"] {
            let answer = client.review(path, review.to_string()).await;
            match uid.filter(|uid| !uid.is_empty()) {
                Some(uid) => denied += u32::from(answer.response(uid)["allowed"] == false),
                None => assert_eq!(answer.status, 400, "{}", line["id"]),
            }
        }
    }
    assert_eq!(reviews, EXPECTED);
    println!("{reviews} reviews answered twice, {denied} denials");
}
