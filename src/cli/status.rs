//! `admittance status`

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anstream::{AutoStream, ColorChoice};
use axum::http::Uri;
use clap::{Args, ValueEnum};
use futures_util::future::join_all;
use kube::config::Config;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::asking::{self, Asked};
use super::duration::duration;
use super::{BROKEN, DENIED};
use crate::cluster::at;
use crate::output::Colour;
use crate::output::status::{self, Page, Server, Standing};

/// Show what running servers have loaded: their units, states and problems, and whether they run the same.
#[derive(Debug, Args)]
#[command(after_long_help = EXIT_CODES)]
pub(super) struct Arguments {
    /// A server's URL, of either listener; may be repeated, for replicas that should run the same. Without it:
    /// http://127.0.0.1:9797, or with --kubeconfig every pod of the Service.
    #[arg(long, value_name = "URL")]
    server: Vec<Uri>,
    /// Whom servers behind TLS must be certified by, PEM.
    #[arg(long, conflicts_with = "insecure", value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Trust servers behind TLS whatever their certificate is.
    #[arg(long)]
    insecure: bool,
    /// Ask every pod of the Service through the API server of this file's current context.
    #[arg(long, conflicts_with = "server", value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The Service's namespace.
    #[arg(long, requires = "kubeconfig", default_value = "admittance", value_name = "NAMESPACE")]
    namespace: String,
    /// The Service's name.
    #[arg(long, requires = "kubeconfig", default_value = "admittance", value_name = "NAME")]
    service: String,
    /// Ask again until all is well, for as long as this: 30s, 2m.
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    wait: Option<Duration>,
    /// What is printed.
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Format,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  every server is ready, all its units are active, and all run the same policies
  1  something is not so
  2  usage, or a server that cannot be asked";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON document with a schemaVersion.
    Json,
}

/// How long it rests before it asks again.
const PAUSE: Duration = Duration::from_millis(250);

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let servers = match asking::block_on(ask_until_good(arguments)).and_then(|servers| servers) {
        Ok(servers) => servers,
        Err(problem) => {
            anstream::eprintln!("error: {problem}");
            return ExitCode::from(BROKEN);
        }
    };
    let colour = match AutoStream::choice(&std::io::stdout()) {
        ColorChoice::Never => Colour::Off,
        _ => Colour::On,
    };
    let printed = super::print(&match arguments.output {
        Format::Text => status::text(&servers, colour),
        Format::Json => status::json(&servers),
    });
    match status::standing(&servers) {
        Standing::Good => printed,
        Standing::Bad => ExitCode::from(DENIED),
        Standing::Unknown => ExitCode::from(BROKEN),
    }
}

async fn ask_until_good(arguments: &Arguments) -> Result<Vec<Server>, String> {
    let end = arguments.wait.map(|wait| Instant::now() + wait);
    loop {
        let servers = ask(arguments).await;
        let is_good = servers.as_ref().is_ok_and(|servers| status::standing(servers) == Standing::Good);
        if is_good || end.is_none_or(|end| Instant::now() + PAUSE > end) {
            return servers;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn ask(arguments: &Arguments) -> Result<Vec<Server>, String> {
    if let Some(kubeconfig) = &arguments.kubeconfig {
        return ask_pods(kubeconfig, &arguments.namespace, &arguments.service).await;
    }
    let own = [Uri::from_static("http://127.0.0.1:9797")];
    let urls: &[Uri] = if arguments.server.is_empty() { &own } else { &arguments.server };
    let roots = arguments.ca.as_deref().map(certificates).transpose()?;
    let mut asked = vec![];
    for url in urls {
        if !matches!(url.scheme_str(), Some("http" | "https")) {
            return Err(format!("{url} is no URL of a server: expected http://HOST:PORT or https://HOST:PORT"));
        }
        let mut config = Config::new(url.clone());
        // Where none is needed, none is looked for: an image with nothing but the binary has none.
        config.accept_invalid_certs = arguments.insecure || url.scheme_str() == Some("http");
        config.root_cert = roots.clone().or_else(|| config.accept_invalid_certs.then(Vec::new));
        config.default_retry = false;
        asked.push((url.to_string().trim_end_matches('/').to_owned(), Asked::of(config)?));
    }
    Ok(join_all(asked.iter().map(|(name, asked)| look(name, asked, String::new()))).await)
}

fn certificates(path: &Path) -> Result<Vec<Vec<u8>>, String> {
    let unusable =
        |error: &dyn std::fmt::Display| format!("cannot use the certificates in {}: {error}", path.display());
    let found = CertificateDer::pem_file_iter(path).map_err(|error| unusable(&error))?;
    let found: Result<Vec<Vec<u8>>, _> = found.map(|one| one.map(|one| one.to_vec())).collect();
    match found {
        Ok(found) if found.is_empty() => Err(unusable(&"there is none")),
        Ok(found) => Ok(found),
        Err(error) => Err(unusable(&error)),
    }
}

/// The pods behind the Service, each through the API server's proxy: by the port for metrics where the Service has one, else
/// by its first.
async fn ask_pods(kubeconfig: &Path, namespace: &str, service: &str) -> Result<Vec<Server>, String> {
    let (asked, _) = asking::cluster(Some(kubeconfig)).await?;
    let path = format!(
        "/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3D{service}"
    );
    let mut pods = vec![];
    for slice in asked.list(&path).await? {
        let ports = at(&slice, "/ports").as_array().cloned().unwrap_or_default();
        let Some((scheme, port)) = ports
            .iter()
            .find(|port| at(port, "/name") == "metrics")
            .map(|port| ("http", port))
            .or_else(|| ports.first().map(|port| ("https", port)))
            .and_then(|(scheme, port)| Some((scheme, at(port, "/port").as_u64()?)))
        else {
            continue;
        };
        for endpoint in at(&slice, "/endpoints").as_array().into_iter().flatten() {
            if let Some(pod) = at(endpoint, "/targetRef/name").as_str() {
                let proxy = format!("/api/v1/namespaces/{namespace}/pods/{scheme}:{pod}:{port}/proxy");
                pods.push((format!("{namespace}/{pod}"), proxy));
            }
        }
    }
    // A pod may stand in a slice for each family of addresses.
    pods.sort();
    pods.dedup_by(|left, right| left.0 == right.0);
    if pods.is_empty() {
        return Err(format!("the Service {namespace}/{service} has no pods"));
    }
    Ok(join_all(pods.into_iter().map(|(name, proxy)| {
        let asked = &asked;
        async move { look(&name, asked, proxy).await }
    }))
    .await)
}

async fn look(name: &str, asked: &Asked, below: String) -> Server {
    let name = name.to_owned();
    let ready = match asked.get(&format!("{below}/readyz")).await {
        Ok(answer) => answer.status == 200,
        Err(problem) => return Server { name, ready: false, page: None, problem: Some(problem) },
    };
    let path = format!("{below}/policies");
    let page = asked.get(&path).await.and_then(|answer| answer.found(&path));
    let page = page.and_then(|page| {
        let page = page.ok_or_else(|| format!("{path} is not there: is it a server of this kind?"))?;
        serde_json::from_value::<Page>(page).map_err(|error| format!("{path} is no page of policies: {error}"))
    });
    match page {
        Ok(page) => Server { name, ready, page: Some(page), problem: None },
        Err(problem) => Server { name, ready, page: None, problem: Some(problem) },
    }
}
