//! `admittance serve`

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use tracing_subscriber::EnvFilter;

use super::BROKEN;
use super::duration::duration;
use super::recording;
use crate::server::{self, CertificateSource, Config, Limits};
use crate::source::Tests;
use crate::telemetry::logs::{self, LogFormat};
use crate::telemetry::{NamespaceGroup, NamespaceGroups};

/// The library logs each request to the cluster that fails; who asked says it once.
const QUIET: &str = "kube_client::client::builder=off";
/// The shortest life of a kept certificate.
const SHORTEST_LIFE: Duration = Duration::from_secs(5);
/// The longest life of a kept certificate.
const LONGEST_LIFE: Duration = Duration::from_hours(3_650 * 24);

/// With no flags: https on 127.0.0.1:8443, a self-signed certificate in memory, the built-in starter policies.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags are independent of each other")]
pub(super) struct Arguments {
    /// Where the API server connects (https: POST /mutate, /validate; GET /healthz, /readyz, /policies).
    #[arg(long, env = "ADMITTANCE_LISTEN", default_value = "127.0.0.1:8443", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Where Prometheus and probes connect (plain http: GET /metrics, /healthz, /readyz, /policies).
    #[arg(long, env = "ADMITTANCE_METRICS_LISTEN", default_value = "127.0.0.1:9797", value_name = "ADDRESS")]
    metrics_listen: SocketAddr,
    /// A file or folder with policies; may be repeated. Without it the built-in starter policies are served.
    #[arg(short, long, env = "ADMITTANCE_POLICIES", value_delimiter = ':', value_name = "PATH")]
    policies: Vec<PathBuf>,
    /// What becomes of files and ConfigMaps with policies and without tests (PolicyTest): they are taken, or refused. Where there
    /// are tests, they must pass either way.
    #[arg(long, env = "ADMITTANCE_TESTS", value_enum, default_value_t, value_name = "TESTS")]
    tests: Tests,
    /// Whom policies ask about namespaces and permissions: the current context of this file. In a pod it is the cluster
    /// that the pod runs in; elsewhere, without a file, nobody is asked.
    #[arg(long, env = "ADMITTANCE_KUBECONFIG", value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The server's own namespace. In a pod it is that of its service account.
    #[arg(long, env = "ADMITTANCE_NAMESPACE", value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Serve the policies in ConfigMaps of the own namespace that are labelled admittance.dev/policies=true.
    #[arg(long, env = "ADMITTANCE_CONFIG_MAPS")]
    config_maps: bool,
    /// A further namespace with such ConfigMaps; may be repeated.
    #[arg(
        long,
        env = "ADMITTANCE_CONFIG_MAPS_FROM",
        value_delimiter = ',',
        requires = "config_maps",
        value_name = "NAMESPACE"
    )]
    config_maps_from: Vec<String>,
    /// The name of the MutatingWebhookConfiguration and of the ValidatingWebhookConfiguration that lead here. What they do not
    /// send of what policies are for is reported; with a kept certificate they get its CA.
    #[arg(long, env = "ADMITTANCE_WEBHOOK_CONFIGURATION", default_value = "admittance", value_name = "NAME")]
    webhook_configuration: String,
    /// Watch the twins of policies in the cluster (ValidatingAdmissionPolicies that `admittance export vap` made), and report
    /// those that are stale or missing.
    #[arg(long, env = "ADMITTANCE_TWINS")]
    twins: bool,
    /// The certificate chain, PEM. Reloaded when it changes.
    #[arg(long, env = "ADMITTANCE_TLS_CERT", requires = "tls_key", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key, PEM.
    #[arg(long, env = "ADMITTANCE_TLS_KEY", requires = "tls_cert", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// Have certificates kept: a CA and a certificate in this Secret of the own namespace, the CA in the caBundle of the
    /// webhook configurations, both renewed in time.
    #[arg(
        long,
        env = "ADMITTANCE_CERTIFICATE_SECRET",
        requires = "service",
        conflicts_with_all = ["tls_cert", "write_certificate"],
        value_name = "NAME"
    )]
    certificate_secret: Option<String>,
    /// The name of the Service, in the own namespace, that the kept certificate is for.
    #[arg(long, env = "ADMITTANCE_SERVICE", value_name = "NAME")]
    service: Option<String>,
    /// How long a kept certificate lives, as 90d, 12h, 2m or 30s; it is renewed after two thirds. Its CA lives ten times as
    /// long.
    #[arg(
        long,
        env = "ADMITTANCE_CERTIFICATE_LIFE",
        default_value = "90d",
        value_parser = certificate_life,
        value_name = "DURATION"
    )]
    certificate_life: Duration,
    /// A name or address that the self-signed or kept certificate is also for; may be repeated.
    #[arg(long, conflicts_with = "tls_cert", value_name = "NAME")]
    tls_name: Vec<String>,
    /// Where to write the self-signed certificate, PEM, for `--cacert` or a webhook configuration's caBundle.
    #[arg(long, conflicts_with = "tls_cert", value_name = "FILE")]
    write_certificate: Option<PathBuf>,
    /// Judge only for clients with a certificate that a CA in this file has signed, PEM. Reloaded when it changes. The API
    /// server shows a certificate only where its AdmissionConfiguration names a kubeconfig that has one.
    #[arg(long, env = "ADMITTANCE_CLIENT_CA", value_name = "FILE")]
    client_ca: Option<PathBuf>,
    /// Offer HTTP/2 as well. The API server speaks HTTP/1.1 to Services.
    #[arg(long)]
    http2: bool,
    /// How long a terminating server goes on answering, in seconds: until every node has heard that it leaves.
    #[arg(long, env = "ADMITTANCE_DRAIN_SECONDS", default_value_t = 5, value_name = "SECONDS")]
    drain_seconds: u64,
    /// The age, give or take a tenth, at which a connection is ended with an answer, so that the API server's connections
    /// spread over replicas: 30s, 5m.
    #[arg(long, env = "ADMITTANCE_CONNECTION_AGE", default_value = "5m", value_parser = duration, value_name = "DURATION")]
    connection_age: Duration,
    /// How many connections may be open.
    #[arg(long, default_value_t = 4_096, value_name = "NUMBER")]
    max_connections: usize,
    /// The largest request body, in MiB.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_024), value_name = "MIB")]
    max_body_mib: u32,
    /// What the bodies of all requests under way may hold together, in MiB.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=65_536), value_name = "MIB")]
    max_in_flight_mib: u32,
    /// How many requests may be under way. What comes beyond is asked to come again, then denied.
    #[arg(long, env = "ADMITTANCE_MAX_REQUESTS", default_value_t = 1_024, value_name = "NUMBER")]
    max_requests: usize,
    /// What may be kept of the objects that policies look up in the cluster, in MiB.
    #[arg(long, env = "ADMITTANCE_MAX_CACHE_MIB", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=65_536), value_name = "MIB")]
    max_cache_mib: u32,
    /// How long the policies that change objects must have been the same before objects on /validate are held against them:
    /// longer than a change takes to reach every replica.
    #[arg(long, env = "ADMITTANCE_DRIFT_AFTER", default_value = "1m", value_parser = duration, value_name = "DURATION")]
    drift_after: Duration,
    /// A group of namespaces that metrics count apart, NAME=PATTERN[,PATTERN]...; may be repeated. A namespace is in the
    /// first group that it fits.
    #[arg(long, env = "ADMITTANCE_NAMESPACE_GROUPS", value_delimiter = ';', value_name = "GROUP")]
    namespace_group: Vec<NamespaceGroup>,
    /// Keep explanations of decisions in memory, of denials and of a sample of what is allowed, for `admittance explain`, which
    /// denials then name. Who asks must be known to the cluster, and may `get` the path /explain.
    #[arg(long, env = "ADMITTANCE_EXPLAIN")]
    explain: bool,
    /// What explanations may take in memory, in MiB.
    #[arg(long, env = "ADMITTANCE_EXPLAIN_BUFFER", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1_024), value_name = "MIB")]
    explain_buffer: u32,
    /// Of how many requests that are allowed one is explained. 0: none.
    #[arg(long, env = "ADMITTANCE_EXPLAIN_ONE_IN", default_value_t = 100, value_name = "NUMBER")]
    explain_one_in: usize,
    /// A file in which evidence is kept over restarts: what policies did and would have done. With --config-maps and without
    /// this, a ConfigMap of the own namespace does that for all replicas.
    #[arg(long, env = "ADMITTANCE_EVIDENCE", value_name = "FILE")]
    evidence: Option<PathBuf>,
    #[command(flatten)]
    recording: recording::Recording,
    /// What log lines look like.
    #[arg(long, env = "ADMITTANCE_LOG_FORMAT", value_enum, default_value_t, value_name = "FORMAT")]
    log_format: LogFormat,
    /// What is logged: error, warn, info, debug, or a filter in tracing's syntax.
    #[arg(long, env = "ADMITTANCE_LOG", default_value = "info", value_name = "FILTER")]
    log: String,
}

pub(super) fn run(arguments: Arguments) -> ExitCode {
    match start(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("error: {error}");
            ExitCode::from(BROKEN)
        }
    }
}

fn start(arguments: Arguments) -> Result<(), String> {
    let invalid = |error: &dyn fmt::Display| format!("invalid value '{}' for --log: {error}", arguments.log);
    let filter = EnvFilter::try_new(&arguments.log).map_err(|error| invalid(&error))?;
    let filter = if arguments.log.contains("kube_client") {
        filter
    } else {
        filter.add_directive(QUIET.parse().map_err(|error| invalid(&error))?)
    };
    let certificate = match (arguments.tls_cert, arguments.tls_key, arguments.certificate_secret, arguments.service) {
        (Some(chain), Some(key), ..) => CertificateSource::Files { chain, key },
        (_, _, Some(secret), Some(service)) => CertificateSource::Managed {
            secret,
            service,
            configuration: arguments.webhook_configuration.clone(),
            life: arguments.certificate_life,
            names: arguments.tls_name,
        },
        _ => CertificateSource::SelfSigned { names: arguments.tls_name, write_to: arguments.write_certificate },
    };
    let config = Config {
        listen: arguments.listen,
        metrics_listen: arguments.metrics_listen,
        policies: arguments.policies,
        tests: arguments.tests,
        kubeconfig: arguments.kubeconfig,
        namespace: arguments.namespace,
        config_maps: arguments.config_maps.then_some(arguments.config_maps_from),
        webhook_configuration: arguments.webhook_configuration,
        twins: arguments.twins,
        certificate,
        client_ca: arguments.client_ca,
        http2: arguments.http2,
        drain: Duration::from_secs(arguments.drain_seconds),
        connection_age: arguments.connection_age,
        max_connections: arguments.max_connections,
        drift_after: arguments.drift_after,
        limits: Limits {
            body: mebibytes(arguments.max_body_mib),
            in_flight: mebibytes(arguments.max_in_flight_mib),
            requests: arguments.max_requests,
            cache: mebibytes(arguments.max_cache_mib),
        },
        evidence: arguments.evidence,
        explain_buffer: arguments.explain.then(|| mebibytes(arguments.explain_buffer)),
        explain_one_in: arguments.explain_one_in,
        namespace_groups: NamespaceGroups::new(arguments.namespace_group)?,
        redaction: arguments.recording.redaction(),
        recording: arguments.recording.settings()?,
    };
    let _logs = logs::start(arguments.log_format, filter).map_err(|error| format!("cannot start: {error}"))?;
    server::run(&config).map_err(|error| error.to_string())
}

/// From [`SHORTEST_LIFE`], below which whole seconds are too coarse, to [`LONGEST_LIFE`].
fn certificate_life(text: &str) -> Result<Duration, String> {
    let life = duration(text)?;
    if (SHORTEST_LIFE..=LONGEST_LIFE).contains(&life) { Ok(life) } else { Err("expected 5s to 3650d".to_owned()) }
}

fn mebibytes(count: u32) -> usize {
    usize::try_from(u64::from(count) << 20).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        arguments: Arguments,
    }

    #[test]
    fn reads_ages_with_their_unit() {
        let age = |text: &str| {
            Command::try_parse_from(["serve", "--connection-age", text]).map(|it| it.arguments.connection_age)
        };
        assert_eq!(age("5m").ok(), Some(Duration::from_mins(5)));
        assert_eq!(age("1s").ok(), Some(Duration::from_secs(1)));
        assert!(age("300").is_err(), "a number without a unit says nothing");
    }
}
