//! The loop around a connection: deadlines, bounds, and the end in two phases.

use std::time::Duration;

use admittance::server::{
    connection::{Ending, Settings},
    stage::Stage,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

use crate::peer::{BODY_LIMIT, PATIENCE, Server, converse, post, read_to_end};

const MILLISECOND: Duration = Duration::from_millis(1);

/// Deadlines short enough to wait for.
fn short() -> Settings {
    Settings {
        handshake: 200 * MILLISECOND,
        header: 300 * MILLISECOND,
        idle: 800 * MILLISECOND,
        linger: 500 * MILLISECOND,
        stall: 400 * MILLISECOND,
        ..Settings::default()
    }
}

/// Whether a deadline was kept: a little early where the clock here began a little late, and late on a busy machine.
#[track_caller]
fn assert_about(elapsed: Duration, expected: Duration) {
    let kept = elapsed + 30 * MILLISECOND >= expected && elapsed < expected + 400 * MILLISECOND;
    assert!(kept, "{elapsed:?} is not about {expected:?}");
}

async fn answered(stream: &mut TcpStream, request: &[u8]) -> String {
    stream.write_all(request).await.unwrap();
    let mut said = vec![0; 4_096];
    let length = timeout(PATIENCE, stream.read(&mut said)).await.unwrap().unwrap();
    said.truncate(length);
    String::from_utf8(said).unwrap()
}

#[tokio::test]
async fn rejects_a_handshake_that_takes_too_long() {
    let server = Server::tls(short(), false).await;
    for first_bytes in [&b""[..], &[22, 3, 1, 2, 0, 1]] {
        let (said, elapsed) = converse(&mut server.tcp().await, first_bytes).await;
        assert_eq!(said, "");
        assert_about(elapsed, 200 * MILLISECOND);
    }
}

#[tokio::test]
async fn rejects_a_first_header_that_takes_too_long_even_if_it_trickles() {
    let server = Server::tls(short(), false).await;
    let mut silent = server.shake(&[]).await.unwrap();
    let (said, elapsed) = converse(&mut silent, b"").await;
    assert_eq!(said, "");
    assert_about(elapsed, 300 * MILLISECOND);

    let mut trickling = server.shake(&[]).await.unwrap();
    let begun = Instant::now();
    while trickling.write_all(b"GET / HTTP/1.1\r\nx: y\r\n").await.is_ok() && begun.elapsed() < PATIENCE {
        let mut byte = [0];
        if let Ok(read) = timeout(50 * MILLISECOND, trickling.read(&mut byte)).await {
            assert_eq!(read.unwrap_or(0), 0);
            break;
        }
    }
    assert_about(begun.elapsed(), 300 * MILLISECOND);
}

#[tokio::test]
async fn rejects_a_later_header_that_takes_too_long_from_its_first_byte_on() {
    let server = Server::plain(short()).await;
    let mut tcp = server.tcp().await;
    assert!(answered(&mut tcp, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.starts_with("HTTP/1.1 200 OK\r\n"));
    // Idle for longer than a header may take, but not for too long.
    sleep(500 * MILLISECOND).await;
    tcp.write_all(b"GET / HT").await.unwrap();
    let begun = Instant::now();
    let _ = read_to_end(&mut tcp).await;
    assert_about(begun.elapsed(), 300 * MILLISECOND);
}

#[tokio::test]
async fn keeps_an_idle_connection_for_its_time_and_then_ends_it_properly() {
    let server = Server::tls(short(), false).await;
    let mut tls = server.shake(&[]).await.unwrap();
    for _ in 0..3 {
        tls.write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
        let mut said = [0; 4_096];
        let length = tls.read(&mut said).await.unwrap();
        assert!(said[..length].ends_with(b"ok"));
        sleep(500 * MILLISECOND).await;
    }
    let begun = Instant::now();
    // A clean end of TLS: rustls reports a missing close_notify as an error.
    assert_eq!(read_to_end(&mut tls).await.unwrap(), "");
    assert_about(begun.elapsed(), 300 * MILLISECOND);
}

#[tokio::test]
async fn keeps_the_time_of_a_slow_body_apart_from_that_of_headers() {
    let server = Server::plain(short()).await;
    let mut tcp = server.tcp().await;
    tcp.write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\n").await.unwrap();
    for byte in [b"a", b"b", b"c", b"d"] {
        sleep(110 * MILLISECOND).await;
        tcp.write_all(byte).await.unwrap();
    }
    assert!(answered(&mut tcp, b"").await.ends_with("\r\n\r\nabcd"));

    let (said, elapsed) = converse(&mut tcp, b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nab").await;
    assert!(said.contains("connection: close\r\n"), "{said}");
    assert!(said.ends_with("the request body did not arrive in time after 2"), "{said}");
    assert_about(elapsed, 500 * MILLISECOND);
}

/// A client that writes all of its request before it reads any of the answer.
#[tokio::test]
async fn accepts_that_a_client_reads_its_answer_only_after_it_has_sent_far_too_much() {
    let chunk = vec![b'x'; 64 << 10];
    let declared = 8 * BODY_LIMIT;
    for tls in [false, true] {
        let server =
            if tls { Server::tls(Settings::default(), false).await } else { Server::plain(Settings::default()).await };
        for (path, header, expected) in [
            ("/", format!("content-length: {declared}\r\n\r\n"), "the request body is too large after 65536"),
            (
                "/",
                format!("transfer-encoding: chunked\r\n\r\n{declared:x}\r\n"),
                "the request body is too large after 1048576",
            ),
            ("/unread", format!("content-length: {declared}\r\n\r\n"), "not read"),
        ] {
            let head = format!("POST {path} HTTP/1.1\r\nhost: a\r\n{header}");
            let mut stream = server.stream(tls).await;
            stream.write_all(head.as_bytes()).await.unwrap();
            for _ in 0..declared / chunk.len() {
                stream.write_all(&chunk).await.expect("reset while sending");
            }
            // The answer and the end come without waiting for the rest of the chunked body.
            let said = read_to_end(&mut stream).await.expect("reset before the answer was read");
            assert!(said.contains("connection: close\r\n") && said.ends_with(expected), "{said}");
        }
    }
}

#[tokio::test]
async fn rejects_a_client_that_goes_on_sending_after_its_answer() {
    let server = Server::plain(short()).await;
    let mut tcp = server.tcp().await;
    let begun = Instant::now();
    tcp.write_all(b"POST /unread HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000000000\r\n\r\n").await.unwrap();
    while tcp.write_all(&[b'x'; 4_096]).await.is_ok() && begun.elapsed() < PATIENCE {
        sleep(MILLISECOND).await;
    }
    assert_about(begun.elapsed(), 500 * MILLISECOND);
}

#[tokio::test]
async fn rejects_a_client_that_does_not_take_its_answer() {
    let server = Server::plain(short()).await;
    let mut tcp = server.tcp().await;
    tcp.write_all(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    sleep(Duration::from_secs(3)).await;
    let mut said = Vec::new();
    let _ = timeout(PATIENCE, tcp.read_to_end(&mut said)).await.expect("the server kept the connection");
    assert!(said.len() < 64 << 20, "the whole answer waited in memory");
}

#[tokio::test]
async fn accepts_http_1_0() {
    let server = Server::plain(Settings::default()).await;
    let (said, _) = converse(&mut server.tcp().await, b"POST / HTTP/1.0\r\ncontent-length: 3\r\n\r\nold").await;
    assert!(said.starts_with("HTTP/1.0 200 OK\r\n") && said.ends_with("\r\n\r\nold"), "{said}");
}

#[tokio::test]
async fn accepts_pipelined_requests_in_order() {
    let server = Server::plain(short()).await;
    let mut requests = Vec::new();
    for (path, body) in [("/", "one"), ("/slow", "two"), ("/", "three")] {
        requests
            .extend(format!("POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n{body}", body.len()).bytes());
    }
    requests.extend(b"POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 4\r\n\r\nfour");
    let (said, _) = converse(&mut server.tcp().await, &requests).await;
    let bodies: Vec<_> =
        said.split("HTTP/1.1 200 OK\r\n").skip(1).map(|answer| answer.split("\r\n\r\n").nth(1).unwrap()).collect();
    assert_eq!(bodies, ["one", "two", "three", "four"]);
}

#[tokio::test]
async fn accepts_http2_where_it_is_asked_for_and_ends_it_gracefully() {
    let server = Server::tls(Settings::default(), true).await;
    let stream = server.shake(&["h2"]).await.unwrap();
    let (mut client, connection) = hyper::client::conn::http2::handshake(
        hyper_util::rt::TokioExecutor::new(),
        hyper_util::rt::TokioIo::new(stream),
    )
    .await
    .unwrap();
    let connection = tokio::spawn(connection);
    let request = |path| {
        hyper::Request::post(format!("https://localhost{path}"))
            .body(http_body_util::Full::new(bytes::Bytes::from("two")))
            .unwrap()
    };
    let in_flight = client.send_request(request("/slow"));
    sleep(100 * MILLISECOND).await;
    server.stage.send_replace(Stage::Finishing);
    assert_eq!(in_flight.await.unwrap().status(), 200);
    timeout(PATIENCE, connection).await.unwrap().unwrap().unwrap();
    assert_eq!(server.end().await, Ending::Finished);
}

#[tokio::test]
async fn rejects_garbage_and_headers_that_are_too_large() {
    let server = Server::plain(Settings { header_bytes: 16 << 10, ..Settings::default() }).await;
    let garbage: Vec<u8> = (0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let (said, _) = converse(&mut server.tcp().await, &garbage).await;
    assert!(said.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{said}");
    let large = format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "y".repeat(1 << 20));
    let (said, _) = converse(&mut server.tcp().await, large.as_bytes()).await;
    assert!(said.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\n"), "{said}");
    let fits = format!("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx: {}\r\n\r\n", "y".repeat(10 << 10));
    let (said, _) = converse(&mut server.tcp().await, fits.as_bytes()).await;
    assert!(said.starts_with("HTTP/1.1 200 OK\r\n"), "{said}");
}

#[tokio::test]
async fn keeps_answering_through_a_drain_and_finishes_what_is_in_flight() {
    let server = Server::tls(Settings::default(), false).await;
    let mut early = server.client().await;
    assert_eq!(post(&mut early, "/", "a").await.unwrap(), (None, "a".into()));
    let mut idle = server.client().await;
    assert_eq!(post(&mut idle, "/", "b").await.unwrap(), (None, "b".into()));
    let mut busy = server.client().await;
    let in_flight = tokio::spawn(async move { post(&mut busy, "/slow", "c").await });
    sleep(50 * MILLISECOND).await;

    server.stage.send_replace(Stage::Draining);
    let closing = Some("close".to_owned());
    assert_eq!(in_flight.await.unwrap().unwrap(), (closing.clone(), "c".into()));
    assert_eq!(post(&mut early, "/", "d").await.unwrap(), (closing.clone(), "d".into()));
    assert!(timeout(PATIENCE, early.ready()).await.unwrap().is_err(), "the connection was kept");
    let mut new = server.client().await;
    assert_eq!(post(&mut new, "/", "e").await.unwrap(), (closing.clone(), "e".into()));

    let mut last = server.client().await;
    let in_flight = tokio::spawn(async move { post(&mut last, "/slow", "f").await });
    sleep(50 * MILLISECOND).await;
    server.stage.send_replace(Stage::Finishing);
    sleep(50 * MILLISECOND).await;
    assert!(TcpStream::connect(server.address).await.is_err(), "a connection was accepted after the end");
    sleep(100 * MILLISECOND).await;
    assert!(timeout(PATIENCE, idle.ready()).await.unwrap().is_err(), "an idle connection was kept");
    assert_eq!(in_flight.await.unwrap().unwrap(), (closing, "f".into()));
    assert_eq!(server.end().await, Ending::Finished);
}

#[tokio::test]
async fn keeps_a_request_that_has_arrived_when_the_server_finishes() {
    let server = Server::plain(Settings::default()).await;
    let mut tcp = server.tcp().await;
    assert!(answered(&mut tcp, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.starts_with("HTTP/1.1 200 OK\r\n"));
    // One thread: the request lies in the socket, unread, when the stage changes.
    tcp.write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nlate").await.unwrap();
    server.stage.send_replace(Stage::Finishing);
    let said = read_to_end(&mut tcp).await.unwrap();
    assert!(said.contains("connection: close\r\n") && said.ends_with("late"), "{said}");
    assert_eq!(server.end().await, Ending::Finished);
}

#[tokio::test]
async fn rejects_requests_in_flight_only_after_the_deadline_or_a_second_signal() {
    let server = Server::plain(Settings { finish: 200 * MILLISECOND, ..Settings::default() }).await;
    let mut tcp = server.tcp().await;
    tcp.write_all(b"GET /later HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    sleep(50 * MILLISECOND).await;
    let begun = Instant::now();
    server.stage.send_replace(Stage::Finishing);
    assert_eq!(server.end().await, Ending::Cut(1));
    assert_about(begun.elapsed(), 200 * MILLISECOND);

    for after_finishing in [false, true] {
        let server = Server::plain(Settings::default()).await;
        let mut tcp = server.tcp().await;
        tcp.write_all(b"GET /later HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        sleep(50 * MILLISECOND).await;
        if after_finishing {
            server.stage.send_replace(Stage::Finishing);
            sleep(50 * MILLISECOND).await;
        }
        let begun = Instant::now();
        server.stage.send_replace(Stage::Ended);
        assert_eq!(server.end().await, Ending::Cut(1));
        assert_about(begun.elapsed(), Duration::ZERO);
    }
}

#[tokio::test]
async fn keeps_connections_only_up_to_their_age() {
    let server = Server::tls(Settings { max_age: Some(300 * MILLISECOND), ..Settings::default() }, false).await;
    let mut client = server.client().await;
    assert_eq!(post(&mut client, "/", "young").await.unwrap(), (None, "young".into()));
    sleep(350 * MILLISECOND).await;
    assert_eq!(post(&mut client, "/", "old").await.unwrap(), (Some("close".to_owned()), "old".into()));
}

#[tokio::test]
async fn keeps_busy_connections_and_closes_the_idlest_where_there_are_too_many() {
    let server = Server::plain(Settings { connections: 3, ..Settings::default() }).await;
    let hello = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    let mut busy = server.tcp().await;
    busy.write_all(b"GET /later HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    sleep(20 * MILLISECOND).await;
    let mut idlest = server.tcp().await;
    answered(&mut idlest, hello).await;
    sleep(20 * MILLISECOND).await;
    let mut idle = server.tcp().await;
    answered(&mut idle, hello).await;
    sleep(20 * MILLISECOND).await;
    let mut fourth = server.tcp().await;
    assert!(answered(&mut fourth, hello).await.starts_with("HTTP/1.1 200 OK\r\n"));
    assert_eq!(read_to_end(&mut idlest).await.unwrap(), "");
    assert!(answered(&mut idle, hello).await.starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(answered(&mut busy, b"").await.starts_with("HTTP/1.1 200 OK\r\n"));
}

#[tokio::test]
async fn keeps_a_newcomer_waiting_while_every_connection_is_busy() {
    let server = Server::plain(Settings { connections: 1, ..Settings::default() }).await;
    let mut busy = Vec::new();
    for _ in 0..2 {
        let mut tcp = server.tcp().await;
        tcp.write_all(b"GET /later HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        busy.push(tcp);
        sleep(20 * MILLISECOND).await;
    }
    let begun = Instant::now();
    let mut newcomer = server.tcp().await;
    assert!(answered(&mut newcomer, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.starts_with("HTTP/1.1 200 OK\r\n"));
    assert_about(begun.elapsed(), 960 * MILLISECOND);
    for mut tcp in busy {
        assert!(answered(&mut tcp, b"").await.starts_with("HTTP/1.1 200 OK\r\n"));
    }
}

/// The resident memory of this process, in kibibytes.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_2000_idle_connections_in_little_memory_and_answers_beside_them() {
    const IDLE: usize = 2_000;
    // Both ends are in this process.
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let soft: usize = files.split_whitespace().nth(3).unwrap().parse().unwrap_or(usize::MAX);
    if soft < 2 * IDLE + 200 {
        println!("skipped: {soft} open files are allowed, {} are needed (ulimit -n)", 2 * IDLE + 200);
        return;
    }
    let server = Server::tls(Settings::default(), false).await;
    let before = resident_kib();
    let dial = || async {
        let mut idle = Vec::new();
        for _ in 0..IDLE / 4 {
            let mut tls = server.shake(&[]).await.unwrap();
            tls.write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nok").await.unwrap();
            let mut said = [0; 1_024];
            let length = tls.read(&mut said).await.unwrap();
            assert!(said[..length].ends_with(b"ok"));
            idle.push(tls);
        }
        idle
    };
    let idle = tokio::join!(dial(), dial(), dial(), dial());
    let each_kib = (resident_kib().saturating_sub(before)) / IDLE as u64;
    println!("{each_kib} KiB for each connection, both ends together");
    assert!(each_kib < 100, "{each_kib} KiB for each connection");
    assert_eq!(post(&mut server.client().await, "/", "review").await.unwrap().1, "review");
    server.stage.send_replace(Stage::Finishing);
    assert_eq!(server.end().await, Ending::Finished);
    drop(idle);
}
