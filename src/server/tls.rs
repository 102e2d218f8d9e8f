//! The TLS settings of a listener.
//!
//! rustls with aws-lc-rs, TLS 1.2 and 1.3. Sessions are never resumed: a resumed one would skip the certificate that
//! was just rotated in, and the API server does not resume anyway.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::NoServerSessionStorage;

use crate::certificates::{ClientAuthorities, Presented, provider};

/// The TLS settings of a listener that presents `presented`.
///
/// ALPN is `http/1.1` alone, with `h2` before it only where `http2` says so: the API server keeps one HTTP/2
/// connection to one replica, which would then get all of the load. Clients are asked for certificates where somebody
/// can verify them.
pub fn server_config(
    presented: Arc<Presented>,
    clients: Option<Arc<ClientAuthorities>>,
    http2: bool,
) -> Result<ServerConfig, rustls::Error> {
    let config = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let mut config = match clients {
        None => config.with_no_client_auth(),
        Some(clients) => config.with_client_cert_verifier(clients),
    }
    .with_cert_resolver(presented);
    config.alpn_protocols = if http2 { vec![b"h2".to_vec()] } else { Vec::new() };
    config.alpn_protocols.push(b"http/1.1".to_vec());
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificates::self_signed;

    #[test]
    fn accepts_http1_alone_unless_told_otherwise() {
        let presented = Arc::new(Presented::new(self_signed(&[]).unwrap().certificate));
        assert_eq!(server_config(Arc::clone(&presented), None, false).unwrap().alpn_protocols, [b"http/1.1".to_vec()]);
        assert_eq!(
            server_config(presented, None, true).unwrap().alpn_protocols,
            [b"h2".to_vec(), b"http/1.1".to_vec()]
        );
    }
}
