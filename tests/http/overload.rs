//! More than the server wants to hold: the API server is asked to come again once, then the answer is a denial.

use tokio::io::AsyncWriteExt as _;
use tokio::time::{Duration, sleep};

use super::{Kind, POLICIES, pod, review, server};

/// The head of a request whose body shall not come to its end.
fn held_head(length: usize) -> Vec<u8> {
    let head = "POST /validate?timeout=30s HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n";
    format!("{head}content-length: {length}\r\n\r\n").into_bytes()
}

#[tokio::test]
async fn asks_to_come_again_once_and_then_denies() {
    let (server, _folder) = server(POLICIES, &["--max-in-flight-mib", "1"]);
    let mut client = server.client().await;
    let small = |uid| review(uid, Kind::Pod, &pod("nginx:1.27"));
    // An object of 700 KB: alone it fits into the budget, beside another one it does not.
    let annotation = format!(r#""name":"web","annotations":{{"a":"{}"}}"#, "1".repeat(700_000));
    let large = |uid: &str| review(uid, Kind::Pod, &pod("nginx:1.27").replacen(r#""name":"web""#, &annotation, 1));
    assert_eq!(client.review("/validate", large("fits")).await.response("fits")["allowed"], true);

    // Bodies that never end: one takes most of the budget.
    let mut held = server.stream().await;
    held.write_all(&held_head(1_000_000)).await.unwrap();
    held.write_all(&vec![b' '; 999_000]).await.unwrap();
    held.flush().await.unwrap();
    sleep(Duration::from_millis(200)).await;

    for uid in ["a", "b"] {
        let mut client = server.client().await;
        let first = client.review("/validate", large(uid)).await;
        assert_eq!((first.status.as_u16(), first.header("retry-after")), (429, "1"), "{}", first.text());
        let mut client = server.client().await;
        let second = client.review("/validate", large(uid)).await.response(uid);
        assert_eq!(second["allowed"], false);
        assert_eq!((&second["status"]["code"], &second["status"]["reason"]), (&429.into(), &"TooManyRequests".into()));
    }
    // What is small is judged all the same.
    assert_eq!(client.review("/validate", small("small")).await.response("small")["allowed"], true);
    // Where not a byte is left, the same holds for every request: its front is looked at all the same.
    let mut rest = server.stream().await;
    rest.write_all(&held_head(48_576)).await.unwrap();
    rest.write_all(&vec![b' '; 48_000]).await.unwrap();
    rest.flush().await.unwrap();
    sleep(Duration::from_millis(200)).await;
    let first = client.review("/mutate", small("c")).await;
    assert_eq!((first.status.as_u16(), first.header("retry-after")), (429, "1"), "{}", first.text());
    assert_eq!(client.review("/mutate", small("c")).await.response("c")["status"]["code"], 429);
    let page = server.page("/metrics").await.text();
    assert!(page.contains(r#"admittance_requests_total{route="validate",outcome="rejected"} 4"#), "{page}");

    // Gone, they give back what they held.
    drop((held, rest));
    for _ in 0..100 {
        let mut client = server.client().await;
        let answer = client.review("/validate", large("later")).await;
        if answer.status == 200 && answer.response("later")["allowed"] == true {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("the budget was not given back");
}
