//! The built binary on the command line: what it prints, where, and how it ends.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) struct Outcome {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) code: Option<i32>,
}

impl Outcome {
    /// The lines of `-o jsonl`.
    pub(crate) fn lines(&self) -> Vec<Value> {
        assert!(self.err.is_empty(), "{}", self.err);
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// A folder in which commands run.
pub(crate) struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// With these files in it.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let folder = Self::new();
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Outcome {
        self.run_with(arguments, "")
    }

    fn run_with(&self, arguments: &[&str], input: &str) -> Outcome {
        let mut child = Command::new(env!("CARGO_BIN_EXE_admittance"))
            .args(arguments)
            .current_dir(self.0.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        Outcome {
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
            code: output.status.code(),
        }
    }
}

fn demo() -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/policies/reference-demo");
    path.to_str().unwrap().to_owned()
}

pub(crate) fn pod(name: &str, image: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\nspec:\n  containers:\n    - name: web\n      image: {image}\n"
    )
}

pub(crate) fn policy(name: &str, spec: &str) -> String {
    format!("apiVersion: admittance.dev/v1alpha1\nkind: Policy\nmetadata: {{ name: {name} }}\nspec: {spec}\n")
}

#[test]
fn denies_with_the_starter_policies_and_says_where() {
    let folder =
        Folder::with(&[("pods.yaml", &format!("{}---\n{}", pod("a", "nginx:latest"), pod("b", "nginx:1.27")))]);
    let outcome = folder.run(&["check", "pods.yaml"]);
    assert_eq!(
        outcome.out,
        "pods.yaml: Pod default/a: denied\n  deny   8:14 latest-tag: spec.containers[0].image: image \"nginx:latest\" is not pinned: \
         name a tag other than \"latest\", or a digest\n2 objects: 1 denied\n"
    );
    assert_eq!((outcome.err.as_str(), outcome.code), ("", Some(1)));
}

#[test]
fn judges_the_five_objects_of_the_demonstration() {
    let special = |kind: &str, rest: &str| {
        format!("apiVersion: apps/v1\nkind: {kind}\nmetadata: {{ name: d, {rest} }}\nspec: {{}}\n")
    };
    let sidecar = pod("c", "nginx:alpine").replace("name: c", "name: c\n  namespace: special");
    let created =
        [pod("a", "nginx:latest"), pod("b", "nginx:alpine"), sidecar, special("Deployment", "namespace: special")];
    let deleted = [
        special("Deployment", "namespace: special-system, annotations: {skip: 'false'}"),
        special("Deployment", "namespace: special-system"),
    ];
    let folder = Folder::with(&[("created.yaml", &created.join("---\n")), ("deleted.yaml", &deleted.join("---\n"))]);
    let judged = |arguments: &[&str]| {
        let outcome = folder.run(&[&["check", "-o", "jsonl", "-p", &demo()], arguments].concat());
        assert_eq!(outcome.code, Some(1));
        outcome.lines()
    };
    let lines = judged(&["created.yaml"]);
    let brief = |line: &Value| (line["allowed"].clone(), line["findings"][0]["policy"].clone(), line["patch"].clone());
    let annotated = json!({ "op": "add", "path": "/metadata/annotations", "value": { "origin": "fromMutation" } });
    let sidecar = json!({ "op": "add", "path": "/spec/containers/1", "value": { "command": ["sleep", "infinity"], "image": "busybox:1.37", "name": "test-sidecar" } });
    assert_eq!(
        lines.iter().map(brief).collect::<Vec<_>>(),
        [
            (json!(false), json!("no-latest-tag"), json!([annotated])),
            (json!(true), Value::Null, json!([annotated])),
            (json!(true), Value::Null, json!([annotated, sidecar])),
            (json!(false), json!("no-new-deployments"), Value::Null),
        ]
    );
    let lines = judged(&["--operation", "delete", "deleted.yaml"]);
    assert_eq!(brief(&lines[0]), (json!(false), json!("keep-deployments"), Value::Null));
    assert_eq!(brief(&lines[1]), (json!(true), Value::Null, Value::Null));
    assert_eq!(lines[0]["operation"], "DELETE");
}

#[test]
fn writes_the_fields_of_a_line_in_their_order() {
    let folder = Folder::with(&[
        ("p.yaml", &policy("no-latest", "{ module: latest-tag, actions: [Warn, Audit] }")),
        (
            "a.json",
            r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"web","image":"x"}]}}"#,
        ),
    ]);
    let outcome = folder.run(&["check", "-p", "p.yaml", "-o", "jsonl", "a.json"]);
    let found = r#"image \"x\" is not pinned: name a tag other than \"latest\", or a digest"#;
    let text = format!("no-latest: spec.containers[0].image: {found}");
    let expected = [
        r#"{"file":"a.json","index":0,"apiVersion":"v1","kind":"Pod","namespace":"default","name":"a","operation":"CREATE","allowed":true,"#,
        &format!(
            r#""warnings":["{text}"],"findings":[{{"policy":"no-latest","module":"latest-tag","unit":"p.yaml","line":1,"action":"Warn","#
        ),
        &format!(r#""path":"spec.containers[0].image","container":"web","message":"{found}"}}],"errors":[],"#),
        &format!(r#""auditAnnotations":{{"validation_failure":"{text}"}},"#),
        r#""object":{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"web","image":"x"}]}}}"#,
        "\n",
    ];
    assert_eq!((outcome.out, outcome.code), (expected.concat(), Some(0)));
}

#[test]
fn patches_the_document_as_it_was_written_and_not_its_defaults() {
    let folder = Folder::with(&[
        ("p/pull.yaml", &policy("pull", "{ module: set-image-pull-policy }")),
        ("p/labels.yaml", &policy("labels", "{ module: add-labels, settings: { labels: { team: red } } }")),
        (
            "pod.yaml",
            &pod("a", "nginx:1.27")
                .replace("nginx:1.27", "nginx:1.27\n      resources: { limits: { memory: 1024Mi } }"),
        ),
    ]);
    let line = folder.run(&["check", "-p", "p", "-o", "jsonl", "pod.yaml"]).lines().remove(0);
    let label = json!({ "op": "add", "path": "/metadata/labels", "value": { "team": "red" } });
    let pull = json!({ "op": "add", "path": "/spec/containers/0/imagePullPolicy", "value": "Always" });
    assert_eq!(line["patch"], json!([label, pull]));
    assert_eq!(
        line["object"]["spec"],
        json!({ "containers": [{ "name": "web", "image": "nginx:1.27", "resources": { "limits": { "memory": "1024Mi" } }, "imagePullPolicy": "Always" }] })
    );
    let diff = folder.run(&["check", "-p", "p", "--diff", "pod.yaml"]);
    assert_eq!(
        diff.out,
        "pod.yaml: Pod default/a: allowed, changed\n  change labels\n  change pull\n\
         --- pod.yaml: Pod default/a\n+++ pod.yaml: Pod default/a after mutation\n@@ -2,6 +2,8 @@\n kind: Pod\n metadata:\n   name: a\n\
         +  labels:\n+    team: red\n spec:\n   containers:\n   - name: web\n@@ -9,3 +11,4 @@\n     resources:\n       limits:\n         \
         memory: 1024Mi\n+    imagePullPolicy: Always\n1 object: 0 denied, 1 changed\n"
    );
}

#[test]
fn places_findings_in_the_file_wherever_mutation_moved_the_container() {
    let sidecar =
        "{ module: inject-sidecar, settings: { container: { name: first, image: busybox }, position: First } }";
    let folder = Folder::with(&[
        ("p/sidecar.yaml", &policy("sidecar", sidecar)),
        ("p/tag.yaml", &policy("tag", "{ module: latest-tag }")),
        ("pod.yaml", &pod("a", "nginx")),
    ]);
    let found = "is not pinned: name a tag other than \"latest\", or a digest";
    assert_eq!(
        folder.run(&["check", "-p", "p", "pod.yaml"]).out,
        format!(
            "pod.yaml: Pod default/a: denied\n  deny   7:5 tag: spec.containers[0].image: image \"busybox\" {found}\n  \
             deny   8:14 tag: spec.containers[1].image: image \"nginx\" {found}\n  change sidecar\n1 object: 1 denied, 1 changed\n"
        )
    );
}

#[test]
fn shows_policies_what_the_api_server_would_send_unless_told_not_to() {
    let own_name = "{ module: required-labels, settings: { labels: [{ key: kubernetes.io/metadata.name }] }, matchConstraints: \
                    { resourceRules: [{ apiGroups: [''], apiVersions: ['*'], operations: [CREATE], resources: [namespaces] }] } }";
    let folder = Folder::with(&[
        ("labels.yaml", &policy("labels", "{ module: add-labels, settings: { labels: { team: red } } }")),
        ("own-name.yaml", &policy("own-name", own_name)),
        ("shop.yaml", &policy("shop", "{ module: latest-tag, namespaces: { include: [shop] } }")),
        ("pod.yaml", &pod("a\n  labels: { team: null }", "nginx:1.27")),
        ("latest.yaml", &pod("b", "nginx")),
        ("namespace.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: { name: shop }\n"),
    ]);
    let patch = |arguments: &[&str]| {
        let arguments = [&["check", "-p", "labels.yaml", "-o", "jsonl", "pod.yaml"], arguments].concat();
        folder.run(&arguments).lines().remove(0)["patch"].clone()
    };
    assert_eq!(patch(&[]), Value::Null, "null is the empty string in a map of strings: the label is there");
    assert_eq!(patch(&["--raw"]), json!([{ "op": "replace", "path": "/metadata/labels/team", "value": "red" }]));
    let code = |arguments: &[&str]| {
        folder.run(&[&["check", "-p", "own-name.yaml", "namespace.yaml"], arguments].concat()).code
    };
    assert_eq!((code(&[]), code(&["--raw"])), (Some(0), Some(1)));
    for (arguments, code) in [(&["--namespace", "shop"][..], 1), (&[], 0)] {
        let outcome = folder.run(&[&["check", "-p", "shop.yaml", "latest.yaml"], arguments].concat());
        assert_eq!(outcome.code, Some(code), "{}{}", outcome.out, outcome.err);
    }
}

#[test]
fn reads_lists_reviews_and_standard_input() {
    let review = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "1", "kind": { "group": "", "version": "v1", "kind": "Pod" },
            "resource": { "group": "", "version": "v1", "resource": "pods" }, "subResource": "ephemeralcontainers",
            "name": "r", "namespace": "shop", "operation": "UPDATE", "userInfo": { "username": "ann" },
            "oldObject": { "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "r" }, "spec": { "containers": [] } },
            "object": { "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "r" }, "spec": { "containers": [], "ephemeralContainers": [{ "name": "e", "image": "busybox" }] } }
        }
    });
    let folder = Folder::with(&[
        (
            "m/list.yaml",
            "apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: a}\n  spec: {containers: [{name: web, image: x}]}\n- metadata: {name: b, namespace: shop}\n",
        ),
        ("m/review.json", &review.to_string()),
    ]);
    let outcome = folder.run_with(&["check", "-o", "jsonl", "m", "-"], &pod("c", "nginx"));
    let brief = |line: &Value| {
        let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        format!(
            "{} {} {} {}/{} {} {}",
            text("file"),
            line["index"],
            text("kind"),
            text("namespace"),
            text("name"),
            text("operation"),
            line["allowed"]
        )
    };
    assert_eq!(
        outcome.lines().iter().map(brief).collect::<Vec<_>>(),
        [
            "m/list.yaml 0 Pod default/a CREATE false",
            "m/list.yaml 1 Pod shop/b CREATE true",
            "m/review.json 0 Pod shop/r UPDATE false",
            "<stdin> 0 Pod default/c CREATE false",
        ]
    );
    let text = folder.run(&["check", "m/review.json"]).out;
    let column = review.to_string().find("\"busybox\"").unwrap() + 1;
    assert!(text.contains(&format!("  deny   1:{column} latest-tag: spec.ephemeralContainers[0].image: ")), "{text}");
    let no_request = r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{}}"#;
    let outcome = folder.run_with(&["check", "-"], no_request);
    assert_eq!(outcome.code, Some(2));
    assert!(
        outcome.err.starts_with("error: the AdmissionReview has no request\n --> <stdin>:1:1\n"),
        "{}",
        outcome.err
    );
}

#[test]
fn reports_a_broken_file_in_its_place_and_judges_the_others() {
    let folder = Folder::with(&[
        ("m/a.yaml", &pod("a", "nginx:1")),
        ("m/b.yaml", "apiVersion: v1\nkind: Pod\nkind: Pod\n"),
        ("m/c.yaml", "just: text\n"),
        ("m/d.yaml", &pod("d", "nginx")),
    ]);
    let outcome = folder.run(&["check", "m", "gone.yaml"]);
    assert_eq!(outcome.code, Some(2));
    assert_eq!(
        outcome.out,
        "m/d.yaml: Pod default/d: denied\n  deny   8:14 latest-tag: spec.containers[0].image: image \"nginx\" is not pinned: name a tag \
         other than \"latest\", or a digest\n2 objects: 1 denied, 3 errors\n"
    );
    for part in ["error: cannot read \"gone.yaml\": No such file", " --> m/b.yaml:3:1\n", " --> m/c.yaml:1:1\n"] {
        assert!(outcome.err.contains(part), "{part} is not in {}", outcome.err);
    }
}

#[test]
fn judges_nothing_where_policies_are_broken() {
    let folder = Folder::with(&[
        ("p/a.yaml", &policy("a", "{ module: host-port }")),
        ("p/b.yaml", &policy("b", "{ module: latest-tag, actons: [Deny] }")),
        ("pod.yaml", &pod("a", "nginx")),
        ("empty/readme.txt", ""),
    ]);
    let outcome = folder.run(&["check", "-p", "p", "pod.yaml"]);
    assert_eq!((outcome.out.as_str(), outcome.code), ("", Some(2)));
    for part in [
        "did you mean `host-ports`?",
        " --> p/a.yaml:4:17\n",
        "did you mean `actions`?",
        " --> p/b.yaml:4:29\n",
        "^^^^^^",
    ] {
        assert!(outcome.err.contains(part), "{part} is not in {}", outcome.err);
    }
    let outcome = folder.run(&["check", "-p", "empty", "pod.yaml"]);
    assert_eq!((outcome.err.as_str(), outcome.code), ("error: no policies in \"empty\"\n", Some(2)));
}

#[test]
fn compares_updates_with_the_stored_object() {
    let folder = Folder::with(&[
        ("old.yaml", &format!("{}---\n{}", pod("a", "nginx"), pod("b", "nginx:1"))),
        ("a.yaml", &pod("a", "nginx")),
        ("b.yaml", &pod("b", "nginx")),
        ("c.yaml", &pod("c", "nginx")),
    ]);
    let codes =
        ["a.yaml", "b.yaml", "c.yaml"].map(|file| folder.run(&["check", "--old-object", "old.yaml", file]).code);
    assert_eq!(codes, [Some(0), Some(1), Some(2)], "violated before, violated newly, not stored");
    let missing = folder.run(&["check", "--old-object", "old.yaml", "c.yaml"]);
    assert!(
        missing.err.contains("an UPDATE needs the stored object, and --old-object has no Pod \"default/c\""),
        "{}",
        missing.err
    );
    let outcome = folder.run(&["check", "--operation", "UPDATE", "a.yaml"]);
    assert_eq!(outcome.err, "error: --operation UPDATE needs --old-object with the objects as they are stored\n");
    assert_eq!(outcome.code, Some(2));
    let outcome = folder.run(&["check", "--diff", "-o", "jsonl", "a.yaml"]);
    assert_eq!(outcome.err, "error: --diff is for -o text: with jsonl the field patch says what changes\n");
    let outcome = folder.run(&["check", "--operation", "DELETE", "--old-object", "old.yaml", "a.yaml"]);
    assert_eq!(outcome.code, Some(2));
}

#[test]
fn answers_questions_about_namespaces_from_files() {
    let selecting = "{ module: latest-tag, matchConstraints: { namespaceSelector: { matchLabels: { stage: prod } } } }";
    let namespace = |stage: &str| {
        format!("apiVersion: v1\nkind: Namespace\nmetadata: {{ name: default, labels: {{ stage: {stage} }} }}\n")
    };
    let folder = Folder::with(&[
        ("p.yaml", &policy("prod", selecting)),
        ("m/pod.yaml", &pod("a", "nginx")),
        ("prod.yaml", &namespace("prod")),
        ("test.yaml", &namespace("test")),
        ("z/prod.yaml", &namespace("prod")),
    ]);
    let run = |arguments: &[&str]| folder.run(&[&["check", "-p", "p.yaml", "m"], arguments].concat());
    assert_eq!(run(&["--namespace-object", "test.yaml"]).code, Some(0));
    assert_eq!(run(&["--namespace-object", "prod.yaml"]).code, Some(1));
    assert_eq!(run(&["z"]).code, Some(1), "a Namespace among the manifests");
    assert_eq!(run(&["z", "--namespace-object", "test.yaml"]).code, Some(0), "a given one has precedence");
    assert_eq!(
        run(&[]).out,
        "m/pod.yaml: Pod default/a: denied\n  deny   prod: evaluation error: namespace `default` is not known: it is not among the \
         manifests, name its file with --namespace-object\n1 object: 1 denied\n"
    );
    let outcome = run(&["--namespace-object", "m/pod.yaml"]);
    assert!(
        outcome.err.starts_with("error: --namespace-object takes Namespaces with a name\n --> m/pod.yaml:1:1\n"),
        "{}",
        outcome.err
    );
}

#[test]
fn judges_ten_thousand_files_in_seconds_and_in_order() {
    let folder = Folder::new();
    for number in 0..10_000 {
        let image = if number % 1000 == 7 { "nginx" } else { "nginx:1.27" };
        folder.write(&format!("m/{:02}/{number:05}.yaml", number / 500), &pod(&format!("p{number}"), image));
    }
    let start = Instant::now();
    let outcome = folder.run(&["check", "m"]);
    let took = start.elapsed();
    let expected = (0..10).fold(String::new(), |mut text, thousand| {
        let number = thousand * 1000 + 7;
        let _ = write!(
            text,
            "m/{:02}/{number:05}.yaml: Pod default/p{number}: denied\n  deny   8:14 latest-tag: spec.containers[0].image: image \
             \"nginx\" is not pinned: name a tag other than \"latest\", or a digest\n",
            number / 500
        );
        text
    });
    assert_eq!(outcome.out, expected + "10000 objects: 10 denied\n");
    // Without optimisation, on a machine that others use as well.
    assert!(took < Duration::from_secs(50), "{took:?}");
}

#[test]
fn ends_quietly_when_nobody_reads_on() {
    let folder = Folder::new();
    let many: Vec<String> = (0..5000).map(|number| pod(&format!("p{number}"), "nginx")).collect();
    folder.write("many.yaml", &many.join("---\n"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_admittance"))
        .args(["check", "-o", "jsonl", "many.yaml"])
        .current_dir(folder.0.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((String::from_utf8(output.stderr).unwrap(), output.status.code()), (String::new(), Some(1)));
}

#[test]
fn keeps_control_characters_of_manifests_off_the_terminal() {
    let folder = Folder::with(&[("pod.yaml", &pod("\"a\\e[2J\"", "nginx"))]);
    let out = folder.run(&["check", "pod.yaml"]).out;
    assert!(out.starts_with("pod.yaml: Pod default/a\\u{1b}[2J: denied\n"), "{out}");
}

#[test]
fn shows_modules_and_names_the_one_that_was_meant() {
    let folder = Folder::new();
    let page = folder.run(&["modules", "latest-tag"]);
    assert!(
        page.out.starts_with("latest-tag\n\nRefuses images") && page.out.contains("\nWhat it matches by default\n"),
        "{}",
        page.out
    );
    let list: Value = serde_json::from_str(&folder.run(&["modules", "-o", "json"]).out).unwrap();
    assert_eq!(list["schemaVersion"], 1);
    assert_eq!(list["modules"].as_array().unwrap().len(), admittance_engine::modules::MODULES.len());
    let one: Value = serde_json::from_str(&folder.run(&["modules", "host-ports", "-o", "json"]).out).unwrap();
    assert_eq!(one["modules"][0]["settings"]["properties"]["allowed"]["type"], "array");
    let found = folder.run(&["modules", "--search", "Kyverno NEWEST"]).out;
    assert!(found.starts_with("Images\n  latest-tag  validates  Refuses") && !found.contains("host-ports"), "{found}");
    let none = folder.run(&["modules", "--search", "no such words"]);
    let text = "error: no module fits \"no such words\"; `admittance modules` lists all\n";
    assert_eq!((none.out.as_str(), none.err.as_str(), none.code), ("", text, Some(1)));
    let unknown = folder.run(&["modules", "hostports"]);
    assert_eq!((unknown.out.as_str(), unknown.code), ("", Some(2)));
    assert!(unknown.err.contains("tip: a similar value exists: 'host-ports'"), "{}", unknown.err);
}

#[test]
fn prints_the_schema_of_policies() {
    let outcome = Folder::new().run(&["schema"]);
    let schema: Value = serde_json::from_str(&outcome.out).unwrap();
    assert_eq!((schema, outcome.code), (admittance_engine::unit::schema::schema(), Some(0)));
}

#[test]
fn evaluates_an_expression_over_files_and_values() {
    let folder = Folder::with(&[("pod.yaml", &pod("a", "nginx:1.27"))]);
    let expression = "object.spec.containers.map(c, c.image).size() < max";
    let outcome = folder.run(&["cel", expression, "--var", "object=@pod.yaml", "--var", "max=5", "--cost"]);
    assert_eq!(outcome.out, "true\ntype: bool\ncost: 21, estimated 15 or more\n");
    assert_eq!((outcome.err.as_str(), outcome.code), ("", Some(0)));
    let outcome = folder.run(&["cel", "[max, 1u]", "--var", "max=5", "-o", "json"]);
    assert_eq!(outcome.code, Some(2), "{}", outcome.err);
    let outcome = folder.run(&["cel", "[uint(max), 1u]", "--var", "max=5", "-o", "json"]);
    let document: Value = serde_json::from_str(&outcome.out).unwrap();
    let value = json!({ "list": [{ "uint": 5 }, { "uint": 1 }] });
    assert_eq!(document, json!({ "schemaVersion": 1, "value": value, "type": "list(uint)", "cost": 12 }));
}

#[test]
fn marks_what_is_wrong_with_an_expression() {
    let folder = Folder::with(&[("pod.yaml", &pod("a", "nginx:1.27"))]);
    let outcome = folder.run(&["cel", "object.spec.nope || request.nope"]);
    assert_eq!((outcome.out.as_str(), outcome.code), ("", Some(2)));
    assert!(outcome.err.starts_with("error: undefined field 'nope'"), "{}", outcome.err);
    assert!(outcome.err.contains(" --> <expression>:1:21\n"), "{}", outcome.err);
    let outcome = folder.run(&["cel", "object.spec.nope == 1", "--var", "object=@pod.yaml"]);
    assert_eq!(
        (outcome.err.as_str(), outcome.code),
        (
            "error: no such key: nope\n --> <expression>:1:1\n  |\n1 | object.spec.nope == 1\n  | ^^^^^^^^^^^^^^^^\n",
            Some(1)
        )
    );
    for (arguments, problem) in [
        (
            ["x", "--var", "x=text"],
            "error: the value of --var x is no JSON (expected ident at line 1 column 2): a text needs quotes, --var 'x=\"text\"'\n",
        ),
        (["x", "--var", "x=@gone.yaml"], "error: cannot read \"gone.yaml\": No such file or directory (os error 2)\n"),
    ] {
        let outcome = folder.run(&[&["cel"], &arguments[..]].concat());
        assert_eq!((outcome.err.as_str(), outcome.code), (problem, Some(2)));
    }
    let outcome = folder.run(&["cel", "[1].sort()", "--kubernetes-version", "1.33"]);
    assert!(outcome.err.contains("1.34") && outcome.code == Some(2), "{}", outcome.err);
    let outcome = folder.run(&["cel", "1", "--kubernetes-version", "new"]);
    assert!(outcome.err.contains("is no version of Kubernetes") && outcome.code == Some(2), "{}", outcome.err);
}

#[test]
fn answers_lines_with_lines_and_says_what_is_no_question() {
    let input = "{\"id\":\"a\",\"expr\":\"x + 1u\",\"values\":{\"x\":{\"uint\":3}}}\nnope\n{\"expr\":\"int('x')\",\"check_only\":true}\n";
    let outcome = Folder::new().run_with(&["cel", "--jsonl"], input);
    assert_eq!(outcome.code, Some(0));
    let lines = outcome.lines();
    assert_eq!(lines[0], json!({ "id": "a", "value": { "uint": 4 }, "type": "uint", "cost": 2 }));
    assert_eq!((&lines[1]["phase"], &lines[2]["phase"]), (&json!("input"), &json!("check")));
}
