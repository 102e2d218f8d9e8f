//! What the server is told, and why it does not start.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use admittance_engine::redaction::Redaction;

use super::handler::Limits;
use crate::recording;
use crate::source::Tests;
use crate::telemetry::NamespaceGroups;

/// What the server is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the API server connects.
    pub listen: SocketAddr,
    /// Where Prometheus and probes connect.
    pub metrics_listen: SocketAddr,
    /// Files and folders with policies; none: the starter policies.
    pub policies: Vec<PathBuf>,
    /// What becomes of units without tests.
    pub tests: Tests,
    /// A kubeconfig for what policies ask the cluster; in a pod none is needed.
    pub kubeconfig: Option<PathBuf>,
    /// The server's own namespace; in a pod none needs to be named.
    pub namespace: Option<String>,
    /// Whether policies come from ConfigMaps of the own namespace, and from which others.
    pub config_maps: Option<Vec<String>>,
    /// The name of the webhook configurations that send requests here.
    pub webhook_configuration: String,
    /// Whether the twins of policies in the cluster are watched.
    pub twins: bool,
    /// Where the certificate comes from.
    pub certificate: CertificateSource,
    /// The CAs of the clients that may ask for admission, PEM; none: everybody may.
    pub client_ca: Option<PathBuf>,
    /// Whether HTTP/2 is offered.
    pub http2: bool,
    /// How long a terminating server goes on answering.
    pub drain: Duration,
    /// The age at which a connection's next answer is its last.
    pub connection_age: Duration,
    /// How many connections may be open.
    pub max_connections: usize,
    /// How long the mutating policies must have been the same before objects are held against them.
    pub drift_after: Duration,
    /// What requests may take.
    pub limits: Limits,
    /// A file in which evidence is kept over restarts; with policies in ConfigMaps a ConfigMap does that.
    pub evidence: Option<PathBuf>,
    /// What explanations may take, in bytes; None: none are kept. They are for those whom a cluster knows.
    pub explain_buffer: Option<usize>,
    /// Of how many requests that are allowed one is explained; zero: none.
    pub explain_one_in: usize,
    /// What metrics count apart.
    pub namespace_groups: NamespaceGroups,
    /// What of a review nobody may see who looks at it later.
    pub redaction: Redaction,
    /// Where reviews are recorded, and which.
    pub recording: Option<recording::Settings>,
}

/// Where the certificate comes from.
#[derive(Clone, Debug)]
pub enum CertificateSource {
    /// Files that are reloaded when they change.
    Files {
        /// The chain, PEM.
        chain: PathBuf,
        /// The key, PEM.
        key: PathBuf,
    },
    /// A CA and a leaf of our own in a Secret of the own namespace, and in the webhook configurations what trusts them.
    Managed {
        /// The Secret's name.
        secret: String,
        /// The Service's name: the certificate is for it.
        service: String,
        /// The name of both webhook configurations.
        configuration: String,
        /// How long a leaf lives.
        life: Duration,
        /// Names beside the Service's and localhost.
        names: Vec<String>,
    },
    /// One made in memory.
    SelfSigned {
        /// Names beside localhost.
        names: Vec<String>,
        /// Where the certificate is written, for clients that shall trust it.
        write_to: Option<PathBuf>,
    },
}

/// Why the server did not start.
#[derive(Debug)]
pub struct StartError(pub(super) String);

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}

impl From<io::Error> for StartError {
    fn from(error: io::Error) -> Self {
        Self(format!("cannot start: {error}"))
    }
}
