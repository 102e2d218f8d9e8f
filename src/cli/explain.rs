//! `admittance explain`

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use clap::{Args, ValueEnum};

use super::servers::{Listener, Servers};
use super::{BROKEN, DENIED, asking};
use crate::evidence::now;
use crate::output::Colour;
use crate::output::explanations::{self, Page, together};

/// Ask running servers why they decided as they did: every denial of late, and a sample of what was allowed. With --kubeconfig
/// all pods of the Service are asked, through the API server, with a token that it makes for nothing else.
#[derive(Debug, Args)]
#[command(after_long_help = EXIT_CODES)]
pub(super) struct Arguments {
    /// The object: `web`, or with its kind `Pod/web`, or a kind alone: `Pod/`.
    #[arg(value_name = "KIND/NAME")]
    object: Option<String>,
    /// The object's namespace.
    #[arg(short = 'n', long = "in", value_name = "NAMESPACE")]
    within: Option<String>,
    /// Only decisions in which this policy found, changed or could not judge something.
    #[arg(long, value_name = "POLICY")]
    policy: Option<String>,
    /// Only the request with this uid.
    #[arg(long, value_name = "UID")]
    uid: Option<String>,
    /// Only denials.
    #[arg(long)]
    denied: bool,
    /// How many are shown, the newest.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1_000), value_name = "NUMBER")]
    limit: u16,
    #[command(flatten)]
    servers: Servers,
    /// A file with a token for servers that are asked by --server: its audience must be admittance.dev, as that of
    /// `kubectl create token admittance-explain --audience admittance.dev`.
    #[arg(long, requires = "server", value_name = "FILE")]
    token: Option<PathBuf>,
    /// The ServiceAccount, of the Service's namespace, that is made a token for.
    #[arg(long, requires = "kubeconfig", default_value = "admittance-explain", value_name = "NAME")]
    service_account: String,
    /// What is printed.
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Format,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  something fits
  1  nothing does
  2  usage, or a server that cannot be asked";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON document with a schemaVersion.
    Json,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let page = match asking::block_on(ask(arguments)).and_then(|page| page) {
        Ok(page) => page,
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
        Format::Text => explanations::text(&page, now(), colour),
        Format::Json => explanations::json(&page),
    });
    if page.explanations.is_empty() { ExitCode::from(DENIED) } else { printed }
}

async fn ask(arguments: &Arguments) -> Result<Page, String> {
    let servers = &arguments.servers;
    let token = match &arguments.token {
        Some(path) => {
            let text = std::fs::read_to_string(path);
            Some(text.map_err(|error| format!("cannot read {}: {error}", path.display()))?.trim().to_owned())
        }
        None => servers.token(&arguments.service_account).await?,
    };
    let pages: Vec<Page> = servers.pages_of(Listener::Tls, &question(arguments), "explanations", token).await?;
    if pages.is_empty() {
        return Err("no server has a page /explain: they keep none without --explain".to_owned());
    }
    Ok(together(pages, arguments.limit.into()))
}

/// The path, with what is asked for.
fn question(arguments: &Arguments) -> String {
    let (kind, name) = match arguments.object.as_deref().map(|object| object.split_once('/').unwrap_or(("", object))) {
        Some((kind, name)) => (Some(kind), Some(name)),
        None => (None, None),
    };
    let mut path = format!("/explain?limit={}", arguments.limit);
    for (key, value) in [
        ("kind", kind),
        ("name", name),
        ("namespace", arguments.within.as_deref()),
        ("policy", arguments.policy.as_deref()),
        ("uid", arguments.uid.as_deref()),
        ("denied", arguments.denied.then_some("true")),
    ] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            let _ = write!(path, "&{key}={}", escaped(value));
        }
    }
    path
}

/// Percent-encoded, all but what no URL means anything by.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |escaped, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped + char::from(byte).encode_utf8(&mut [0; 4])
        } else {
            escaped + &format!("%{byte:02X}")
        }
    })
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
    fn asks_for_what_it_was_told() {
        let asked = |words: &[&str]| {
            let command = Command::try_parse_from([&["explain"], words].concat()).unwrap();
            question(&command.arguments)
        };
        assert_eq!(asked(&[]), "/explain?limit=10");
        assert_eq!(asked(&["web"]), "/explain?limit=10&name=web");
        assert_eq!(
            asked(&["Pod/web", "-n", "shop", "--denied"]),
            "/explain?limit=10&kind=Pod&name=web&namespace=shop&denied=true"
        );
        assert_eq!(asked(&["Pod/", "--uid", "a&b ü"]), "/explain?limit=10&kind=Pod&uid=a%26b%20%C3%BC");
        assert_eq!(asked(&["--policy", "tags", "--limit", "3"]), "/explain?limit=3&policy=tags");
    }
}
