//! The certificate and the handshake, seen from outside.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use admittance::{
    certificates::{CertificateFiles, Change, Presented},
    server::connection::Settings,
};
use rustls::ProtocolVersion;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::peer::{Server, post, read_to_end};

/// Makes a pair in a new folder below `mount`; returns its certificate.
fn make(mount: &Path, version: &str) -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    let folder = mount.join(version);
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("tls.crt"), certificate.pem()).unwrap();
    fs::write(folder.join("tls.key"), key.serialize_pem()).unwrap();
    certificate.pem()
}

/// Lets `..data` point to another folder, as the kubelet does.
fn swap(mount: &Path, version: &str) {
    symlink(version, mount.join("..data_tmp")).unwrap();
    fs::rename(mount.join("..data_tmp"), mount.join("..data")).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_answering_while_certificates_rotate() {
    let mount = tempfile::tempdir().unwrap();
    // Clients trust every certificate that there will be, as with a caBundle that holds the next one already.
    let certificates: Vec<_> = (0..=20).map(|version| make(mount.path(), &format!("..v{version}"))).collect();
    swap(mount.path(), "..v0");
    for name in ["tls.crt", "tls.key"] {
        symlink(format!("..data/{name}"), mount.path().join(name)).unwrap();
    }
    let (mut files, certificate) =
        CertificateFiles::open(mount.path().join("tls.crt"), mount.path().join("tls.key")).unwrap();
    let presented = Arc::new(Presented::new(certificate));
    let server = Server::presenting(Arc::clone(&presented), certificates.join("\n"), Settings::default(), false).await;
    let server = Arc::new(server);

    // One client keeps its connection, one makes a new one for each request.
    let rotating = Arc::new(AtomicBool::new(true));
    let clients: Vec<_> = [true, false]
        .into_iter()
        .map(|keeps_connection| {
            let (server, rotating) = (Arc::clone(&server), Arc::clone(&rotating));
            tokio::spawn(async move {
                let mut client = server.client().await;
                let mut answered = 0;
                while rotating.load(Relaxed) {
                    if !keeps_connection {
                        client = server.client().await;
                    }
                    assert_eq!(post(&mut client, "/", "review").await.unwrap().1, "review");
                    answered += 1;
                }
                answered
            })
        })
        .collect();
    for version in 1..=20 {
        swap(mount.path(), &format!("..v{version}"));
        assert!(matches!(files.poll(&presented), Some(Change::Replaced(_))));
        assert!(files.poll(&presented).is_none());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    rotating.store(false, Relaxed);
    for client in clients {
        let answered: usize = client.await.expect("a request failed");
        assert!(answered > 0, "no request ran");
    }
    *server.trusted.lock().unwrap() = certificates.last().unwrap().clone();
    server.shake(&[]).await.expect("the newest certificate is not the one presented");
}

#[tokio::test]
async fn keeps_the_old_pair_while_the_new_one_is_broken() {
    let mount = tempfile::tempdir().unwrap();
    let pem = make(mount.path(), "..v0");
    swap(mount.path(), "..v0");
    let folder = mount.path().join("..data");
    let (mut files, certificate) = CertificateFiles::open(folder.join("tls.crt"), folder.join("tls.key")).unwrap();
    let presented = Arc::new(Presented::new(certificate));
    let server = Server::presenting(Arc::clone(&presented), pem, Settings::default(), false).await;

    make(mount.path(), "..v1");
    fs::copy(mount.path().join("..v0/tls.key"), mount.path().join("..v1/tls.key")).unwrap();
    swap(mount.path(), "..v1");
    let Some(Change::Kept(error)) = files.poll(&presented) else { panic!("a key of another certificate was taken") };
    assert!(error.to_string().contains("does not belong to the certificate in"), "{error}");
    assert_eq!(post(&mut server.client().await, "/", "review").await.unwrap().1, "review");
}

#[tokio::test]
async fn accepts_http1_though_the_client_prefers_http2() {
    let server = Server::tls(Settings::default(), false).await;
    let chosen = |alpn| {
        let server = &server;
        async move {
            let stream = server.shake(alpn).await?;
            std::io::Result::Ok(stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec))
        }
    };
    assert_eq!(chosen(&["h2", "http/1.1"]).await.unwrap(), Some(b"http/1.1".to_vec()));
    assert_eq!(chosen(&["http/1.1"]).await.unwrap(), Some(b"http/1.1".to_vec()));
    assert_eq!(chosen(&[]).await.unwrap(), None);
    assert_eq!(chosen(&["h2"]).await.unwrap_err().to_string(), "received fatal alert: NoApplicationProtocol");

    let http2 = Server::tls(Settings::default(), true).await;
    let stream = http2.shake(&["http/1.1", "h2"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
}

#[tokio::test]
async fn accepts_tls_1_2_and_1_3() {
    let server = Server::tls(Settings::default(), false).await;
    for (version, expected) in
        [(&rustls::version::TLS12, ProtocolVersion::TLSv1_2), (&rustls::version::TLS13, ProtocolVersion::TLSv1_3)]
    {
        let stream = server.shake_as(server.client_config(&[version], &[])).await.unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(expected));
    }
}

#[tokio::test]
async fn rejects_tls_1_1_with_an_alert() {
    let server = Server::tls(Settings::default(), false).await;
    // A ClientHello of TLS 1.1 with one cipher suite and signature_algorithms: rustls cannot send one.
    let mut hello = vec![0x03, 0x02];
    hello.extend([0x5a; 32]);
    hello.extend([0, 0, 2, 0xc0, 0x13, 1, 0]);
    hello.extend([0, 12, 0, 13, 0, 8, 0, 6, 4, 3, 8, 4, 4, 1]);
    let mut record = vec![22, 3, 1, 0, u8::try_from(hello.len() + 4).unwrap()];
    record.extend([1, 0, 0, u8::try_from(hello.len()).unwrap()]);
    record.extend(hello);
    let mut tcp = server.tcp().await;
    tcp.write_all(&record).await.unwrap();
    let mut alert = [0; 7];
    tcp.read_exact(&mut alert).await.unwrap();
    // Alert, level fatal, protocol_version (70).
    assert_eq!((alert[0], alert[5], alert[6]), (21, 2, 70));
    assert_eq!(tcp.read(&mut alert).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn rejects_plain_http_on_a_tls_listener_and_lives_on() {
    let server = Server::tls(Settings::default(), false).await;
    let mut tcp = server.tcp().await;
    tcp.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let said = read_to_end(&mut tcp).await.unwrap_or_default();
    assert!(!said.contains("HTTP"), "{said}");
    assert_eq!(post(&mut server.client().await, "/", "review").await.unwrap().1, "review");
}
