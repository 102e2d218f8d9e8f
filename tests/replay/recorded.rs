//! From a server's requests to a recording, and from there to differences.

use std::os::unix::fs::PermissionsExt as _;

use rustix::process::Signal;
use tempfile::TempDir;

use super::*;
use crate::binary::Binary;

/// A folder with `policies.yaml` and a recording in `recorded`, of two pods on both routes and a Secret.
async fn recording(arguments: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("policies.yaml"), POLICIES).unwrap();
    let (policies, recorded) = (folder.path().join("policies.yaml"), folder.path().join("recorded"));
    let fixed =
        ["--policies", policies.to_str().unwrap(), "--record", recorded.to_str().unwrap(), "--drain-seconds", "0"];
    let mut server = Binary::serve(&[&fixed[..], arguments].concat());
    let mut client = server.client().await;
    for pod in [pod("web-1", "nginx:1.27"), pod("web-2", "nginx:latest")] {
        let body = review("Pod", "shop", &pod).to_string();
        for route in ["/mutate", "/validate"] {
            client.review(route, body.clone()).await.response("u");
        }
    }
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "data": {"pin": MARK}});
    assert_eq!(
        client.review("/validate", review("Secret", "shop", &secret).to_string()).await.response("u")["allowed"],
        true
    );
    drop(client);
    server.signal(Signal::TERM);
    assert!(server.end().await.success());
    let log = server.log();
    assert!(!log.iter().any(|line| line.contains("ERROR")), "{log:?}");
    folder
}

#[tokio::test]
async fn decides_a_recording_alike_and_holds_no_secret() {
    let folder = recording(&["--redact", "Pod:spec.containers[*].env[*].value"]).await;
    let files = recordings(&folder.path().join("recorded"));
    for file in &files {
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let text = text(&folder.path().join("recorded"));
    assert_eq!((files.len(), text.lines().count()), (1, 5));
    assert!(!text.contains(MARK) && text.matches("admittance.dev/redacted#").count() == 9, "{text}");
    let Outcome { out, err, code } = replay(folder.path(), &["-p", "policies.yaml", "recorded"]);
    let wanted = "\
replayed 5 reviews: 4 decided alike, 0 otherwise, 1 undecidable

undecidable: 1 review
        1  pins looked at what is redacted
        1  pins looks at what is redacted
";
    assert_eq!((out.as_str(), err.as_str(), code), (wanted, "", Some(0)));
}

const CHANGED: &str = r"
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: ports }
spec: { module: host-ports }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: origin }
spec: { module: add-annotations, settings: { annotations: { origin: elsewhere } } }
";

#[tokio::test]
async fn names_what_is_decided_otherwise() {
    let folder = recording(&[]).await;
    fs::write(folder.path().join("new.yaml"), CHANGED).unwrap();
    let Outcome { out, err, code } = replay(folder.path(), &["-p", "new.yaml", "recorded"]);
    assert_eq!((err.as_str(), code), ("", Some(1)));
    let file = format!("recorded/{}", recordings(&folder.path().join("recorded"))[0].file_name().unwrap().display());
    let text = text(&folder.path().join("recorded"));
    let times: Vec<String> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["time"].as_str().unwrap().to_owned())
        .collect();
    let wanted = format!(
        "\
replayed 5 reviews: 0 decided alike, 4 otherwise (1 newly denied, 2 patch changed, 1 message changed), 1 undecidable

newly denied by ports: 1 review
  namespaces: shop 1
  owners:     ReplicaSet shop/web 1
  first:      CREATE pods shop/web-1 by ann at {}
              {file}:2
    before: allowed
      warning: ports: spec.containers[0].ports[0].hostPort: host port 80 is not allowed
    now:    denied
      ports: spec.containers[0].ports[0].hostPort: host port 80 is not allowed

patch changed by origin: 2 reviews
  namespaces: shop 2
  owners:     ReplicaSet shop/web 2
  first:      CREATE pods shop/web-1 by ann at {}
              {file}:1
    before: allowed
      {{\"op\":\"add\",\"path\":\"/metadata/annotations/origin\",\"value\":\"admittance\"}}
    now:    allowed
      {{\"op\":\"add\",\"path\":\"/metadata/annotations/origin\",\"value\":\"elsewhere\"}}
",
        times[1], times[0]
    );
    assert!(out.starts_with(&wanted), "{out}\nwanted\n{wanted}");
    let same = replay(folder.path(), &["-p", "new.yaml", "--baseline", "new.yaml", "recorded"]);
    assert_eq!(same.out, "replayed 5 reviews: 5 decided alike, 0 otherwise, 0 undecidable\n");
    let both = replay(folder.path(), &["-p", "new.yaml", "--baseline", "policies.yaml", "recorded", "-o", "json"]);
    let found: Value = serde_json::from_str(&both.out).unwrap();
    assert_eq!((&found["different"], &found["undecidable"]["reviews"]), (&json!(4), &json!(1)), "{found:#}");
    assert_eq!(both.code, Some(1));
    let allowed = ["--allow", "newly-denied", "--allow", "patch-changed", "--allow", "message-changed"];
    let all = [&["-p", "new.yaml", "recorded"], &allowed[..]].concat();
    assert_eq!(replay(folder.path(), &all).code, Some(0));
    assert_eq!(replay(folder.path(), &all[..7]).code, Some(1));
    assert_formats(folder.path(), &file);
}

fn assert_formats(folder: &Path, file: &str) {
    let lines = replay(folder, &["-p", "new.yaml", "recorded", "-o", "jsonl"]).out;
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seen: Vec<_> =
        lines[..4].iter().map(|line| (line["line"].as_u64().unwrap(), line["change"].as_str().unwrap())).collect();
    assert_eq!(seen, [(1, "patchChanged"), (2, "newlyDenied"), (3, "patchChanged"), (4, "messageChanged")]);
    let markdown = replay(folder, &["-p", "new.yaml", "recorded", "-o", "markdown"]).out;
    let table = "\
### Policies on recorded requests

Replayed 5 reviews: 0 decided alike, 4 otherwise (1 newly denied, 2 patch changed, 1 message changed), 1 undecidable.

| change | policy | reviews | namespaces | owners |
| --- | --- | ---: | --- | --- |
| newly denied | ports | 1 | shop 1 | ReplicaSet shop/web 1 |
| patch changed | origin | 2 | shop 2 | ReplicaSet shop/web 2 |
";
    assert!(markdown.starts_with(table), "{markdown}");
    let annotations = replay(folder, &["-p", "new.yaml", "recorded", "-o", "github"]).out;
    let first = "::error file=new.yaml,line=2,endLine=2,col=1,endColumn=2,title=newly denied by ports::1 review, first CREATE pods shop/web-1 by ann at ";
    assert!(annotations.starts_with(first), "{annotations}");
    assert!(annotations.ends_with("message changed), 1 undecidable\n") && !annotations.contains(file), "{annotations}");
}

#[tokio::test]
async fn records_a_sample_of_some_namespaces() {
    let folder = recording(&["--record-sample", "2", "--record-namespaces", "team-*,shop"]).await;
    assert_eq!(text(&folder.path().join("recorded")).lines().count(), 3);
    let folder = recording(&["--record-namespaces", "team-*"]).await;
    assert_eq!(text(&folder.path().join("recorded")), "");
    let none = replay(folder.path(), &["-p", "policies.yaml", "recorded"]);
    assert_eq!((none.err.as_str(), none.code), ("error: no review could be judged again\n", Some(2)));
}
