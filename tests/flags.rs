//! Flags of `serve` that do not fit.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

/// What a server that does not start says, after its exit code 2.
fn refused(flags: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_admittance"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"]).args(flags);
    let output = command.env_remove("KUBERNETES_SERVICE_HOST").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// Others set it for all pods of a cluster: a webhook that did not start for it would be a webhook less.
#[test]
fn starts_although_a_collector_of_traces_is_named() {
    let mut process = Command::new(env!("CARGO_BIN_EXE_admittance"))
        .args(["serve", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--log-format", "text"])
        .env_remove("KUBERNETES_SERVICE_HOST")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
    let warning = "no traces are sent: this server is built without the feature otlp";
    let mut said: Vec<String> = vec![];
    while !(said.iter().any(|line| line.starts_with("listening on https://"))
        && said.iter().any(|line| line.contains(warning)))
    {
        said.push(lines.next().unwrap_or_else(|| panic!("the server has ended: {said:?}")));
    }
    process.kill().unwrap();
    process.wait().unwrap();
}

#[test]
fn rejects_flags_about_certificates_that_do_not_fit() {
    let managed = ["--certificate-secret", "certificates", "--service", "admittance"];
    let with = |more: &[&'static str]| [&managed[..], more].concat();
    let lives = "expected a number with a unit: 500ms, 30s, 5m, 12h or 90d";
    let cases: [(Vec<&str>, String); 8] = [
        (managed[..2].to_vec(), "the following required arguments were not provided:\n  --service <NAME>".to_owned()),
        (with(&["--tls-cert", "a", "--tls-key", "b"]), "cannot be used with".to_owned()),
        (with(&["--write-certificate", "a"]), "cannot be used with".to_owned()),
        (with(&["--certificate-life", "1w"]), format!("'1w' for '--certificate-life <DURATION>': {lives}")),
        (
            with(&["--certificate-life", "4s"]),
            "'4s' for '--certificate-life <DURATION>': expected 5s to 3650d".to_owned(),
        ),
        (
            managed.to_vec(),
            "error: --certificate-secret needs a cluster: name one with --kubeconfig, or run in a pod\n".to_owned(),
        ),
        (
            vec!["--explain"],
            "error: --explain needs a cluster, which knows who may ask: name one with --kubeconfig, or run in a pod\n"
                .to_owned(),
        ),
        (
            vec!["--client-ca", "no-such-file"],
            "error: cannot read \"no-such-file\": No such file or directory (os error 2)\n".to_owned(),
        ),
    ];
    for (flags, message) in cases {
        let said = refused(&flags);
        assert!(said.contains(&message), "{flags:?}: {said}");
    }
}
