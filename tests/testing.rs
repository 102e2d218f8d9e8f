//! `admittance test`: what it prints in each format, how it ends, and what it writes.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

const POLICIES: &str = "\
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: ports }
spec: { module: host-ports }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: team }
spec: { module: add-labels, settings: { labels: { team: none } } }
";

const CASES: &str = "\
apiVersion: admittance.dev/v1alpha1
kind: PolicyTest
metadata: { name: pods }
spec:
  cases:
  - name: a port of the node   # not for web servers
    object:
      apiVersion: v1
      kind: Pod
      metadata: { name: a }
      spec: { containers: [{ name: c, image: i, ports: [{ hostPort: 80 }] }] }
    expect:
      allowed: false
      policies: [ports]
  - name: a team of its own
    object: &team
      apiVersion: v1
      kind: Pod
      metadata: { name: a, labels: { team: blue } }
    expect:
      allowed: true
      object: *team
";

struct Outcome {
    out: String,
    err: String,
    code: Option<i32>,
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn run(folder: &Path, arguments: &[&str]) -> Outcome {
    let output =
        Command::new(env!("CARGO_BIN_EXE_admittance")).arg("test").args(arguments).current_dir(folder).output();
    let output = output.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Outcome { out: text(output.stdout), err: text(output.stderr), code: output.status.code() }
}

#[test]
fn passes_tests_in_files_of_their_own_and_beside_the_policies() {
    let apart = folder(&[("policies.yaml", POLICIES), ("tests.yaml", CASES)]);
    let outcome = run(apart.path(), &[]);
    assert_eq!((outcome.out.as_str(), outcome.err.as_str()), ("2 cases in 1 test: 2 passed, 0 failed\n", ""));
    assert_eq!(outcome.code, Some(0));
    let whole = folder(&[("all.yaml", &format!("{POLICIES}---\n{CASES}"))]);
    assert_eq!(run(whole.path(), &["all.yaml", "--require-coverage"]).code, Some(0));
    // Policies from elsewhere, whose own tests are not run.
    let outcome = run(apart.path(), &["tests.yaml", "-p", "policies.yaml"]);
    assert_eq!((outcome.out.as_str(), outcome.code), ("2 cases in 1 test: 2 passed, 0 failed\n", Some(0)));
    let outcome = run(apart.path(), &["tests.yaml"]);
    assert_eq!(outcome.code, Some(1), "without policies nothing is denied: {}", outcome.out);
}

#[test]
fn shows_of_a_failed_case_what_each_expression_came_to_and_what_did_not_match() {
    let policies = "\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: few }
spec:
  matchConstraints:
    resourceRules: [{ apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments] }]
  variables: [{ name: most, expression: '3' }]
  validations: [{ expression: object.spec.replicas <= variables.most, message: too many }]
---
apiVersion: admittance.dev/v1alpha1
kind: PolicyTest
metadata: { name: few }
spec:
  cases:
  - name: four
    object: { apiVersion: apps/v1, kind: Deployment, metadata: { name: web }, spec: { replicas: 4 } }
    expect: { allowed: true }
  - name: a pod
    object: { apiVersion: v1, kind: Pod, metadata: { name: web } }
    expect: { policies: [few] }
";
    let folder = folder(&[("all.yaml", policies)]);
    let outcome = run(folder.path(), &[]);
    let (failures, _) = outcome.out.split_once("not covered").unwrap();
    assert_eq!(
        failures,
        "\
FAIL ./all.yaml:15:11: few: four
  allowed: expected true, got false
    few: too many
  what the policies did:
    few  1 finding
      variables.most: 3  3
      validations[0]:
        object.spec.replicas <= variables.most  false
          object.spec.replicas                  4
          variables.most                        3

FAIL ./all.yaml:18:11: few: a pod
  policies: expected [\"few\"], got []
  what the policies did:
    few  group: wanted apps, found core (matchConstraints.resourceRules)

"
    );
}

#[test]
fn shows_failures_first_with_a_diff_and_then_what_is_not_covered() {
    let cases =
        CASES.replace("allowed: false\n      policies: [ports]", "allowed: true").replace(": blue", ": red, a: b");
    let cases = cases.replace(
        "object: *team",
        "object: { apiVersion: v1, kind: Pod, metadata: { name: a, labels: { team: red } } }",
    );
    let folder = folder(&[("policies.yaml", POLICIES), ("tests.yaml", &cases)]);
    let outcome = run(folder.path(), &[]);
    assert_eq!(
        outcome.out,
        "\
FAIL ./tests.yaml:6:11: pods: a port of the node
  allowed: expected true, got false
    ports: spec.containers[0].ports[0].hostPort: host port 80 is not allowed; none is
  what the policies did:
    team   changes the object
      add /metadata/labels: {\"team\":\"none\"}
    ports  1 finding

FAIL ./tests.yaml:14:11: pods: a team of its own
  `object` is another one
    --- expected
    +++ got
    @@ -2,5 +2,6 @@
     kind: Pod
     metadata:
       labels:
    +    a: b
         team: red
       name: a
  what the policies did:
    team   changes nothing
    ports  nothing against it

2 cases in 1 test: 0 passed, 2 failed
"
    );
    assert_eq!((outcome.err.as_str(), outcome.code), ("", Some(1)));

    let one = CASES.split("  - name: a team").next().unwrap().to_owned();
    let folder = self::folder(&[("policies.yaml", POLICIES), ("tests.yaml", &one)]);
    let outcome = run(folder.path(), &["--require-coverage"]);
    assert_eq!(
        outcome.out,
        "\
not covered
  ./policies.yaml:3:19: policy `ports`: no case shows an object that it lets pass
  ./policies.yaml:8:19: policy `team`: no case shows an object that it leaves as it is

1 case in 1 test: 1 passed, 0 failed
"
    );
    assert_eq!((outcome.code, run(folder.path(), &[]).code), (Some(1), Some(0)));
}

#[test]
fn prints_json_and_lines_of_it() {
    let cases = CASES.replace("[ports]", "[team]");
    let folder = folder(&[("policies.yaml", POLICIES), ("tests.yaml", &cases)]);
    let outcome = run(folder.path(), &["-o", "jsonl"]);
    let lines: Vec<Value> = outcome.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut first = lines[0].clone();
    let trace = first.as_object_mut().unwrap().remove("trace").unwrap();
    let steps: Vec<_> = trace.as_array().unwrap().iter().map(|step| (&step["policy"], &step["outcome"])).collect();
    assert_eq!(steps, [(&json!("team"), &json!("changed")), (&json!("ports"), &json!("found"))]);
    assert_eq!(
        first,
        json!({
            "type": "case", "file": "./tests.yaml", "line": 6, "column": 11, "test": "pods", "case": "a port of the node",
            "passed": false,
            "failures": [{
                "field": "policies", "expected": ["team"], "got": ["ports"], "note": "", "line": 14, "column": 7,
                "message": "policies: expected [\"team\"], got [\"ports\"]",
            }],
        })
    );
    assert_eq!((lines.len(), &lines[1]["passed"], &lines[1]["failures"]), (2, &json!(true), &json!([])));
    let document: Value = serde_json::from_str(&run(folder.path(), &["-o", "json"]).out).unwrap();
    assert_eq!(
        (&document["schemaVersion"], &document["passed"], &document["failed"]),
        (&json!(1), &json!(1), &json!(1))
    );
    assert_eq!((&document["cases"][0], &document["uncovered"]), (&lines[0], &json!([])));
    assert_eq!(outcome.code, Some(1));
}

#[test]
fn ends_with_2_where_nothing_can_be_run() {
    let broken = CASES.replace("expect:\n      allowed: false", "expct:\n      allowed: false");
    let folder = folder(&[("policies.yaml", POLICIES), ("tests.yaml", &broken)]);
    let outcome = run(folder.path(), &[]);
    assert_eq!((outcome.out.as_str(), outcome.code), ("", Some(2)));
    let shown = "error: unknown field `expct`, did you mean `expect`?\n  --> ./tests.yaml:12:5\n";
    assert!(outcome.err.starts_with(shown), "{}", outcome.err);
    let outcome = run(folder.path(), &["policies.yaml"]);
    let none = "error: no tests in \"policies.yaml\": they are documents of kind PolicyTest\n";
    assert_eq!((outcome.err.as_str(), outcome.code), (none, Some(2)));
    let outcome = run(folder.path(), &["missing"]);
    let missing = "error: cannot read policies from missing: No such file or directory (os error 2)\n";
    assert_eq!((outcome.err.as_str(), outcome.code), (missing, Some(2)));
    let named = CASES.replace("spec:\n  cases", "spec:\n  policies: [port]\n  cases");
    fs::write(folder.path().join("tests.yaml"), named).unwrap();
    let outcome = run(folder.path(), &[]);
    let unknown = "error: unknown policy `port`, did you mean `ports`?\n --> ./tests.yaml:5:14\n";
    assert!(outcome.err.starts_with(unknown) && outcome.code == Some(2), "{}", outcome.err);
}

#[test]
fn fails_where_mutating_twice_is_not_mutating_once() {
    let policy = "\
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: count }
spec:
  matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [configmaps] }] }
  mutations:
  - patchType: ApplyConfiguration
    applyConfiguration: { expression: 'Object{data: {\"count\": string(int(object.data.count) + 1)}}' }
---
apiVersion: admittance.dev/v1alpha1
kind: PolicyTest
metadata: { name: count }
spec:
  cases:
  - { name: counts, object: { apiVersion: v1, kind: ConfigMap, metadata: { name: a }, data: { count: '1' } }, expect: { allowed: true } }
";
    let folder = folder(&[("all.yaml", policy)]);
    let outcome = run(folder.path(), &[]);
    let shown = "\
FAIL ./all.yaml:15:13: count: counts
  mutating twice is not mutating once: changed a second time by count
    --- mutated once
    +++ mutated twice
    @@ -1,6 +1,6 @@
     apiVersion: v1
     data:
    -  count: \"2\"
    +  count: \"3\"
     kind: ConfigMap
     metadata:
       name: a
";
    assert!(outcome.out.starts_with(shown) && outcome.code == Some(1), "{}", outcome.out);
}

const BARE: &str = "\
# What is proven.
apiVersion: admittance.dev/v1alpha1
kind: PolicyTest
metadata: { name: pods }
spec:
  cases:
    # The first one.
    - name: denied
      object: { apiVersion: v1, kind: Pod, metadata: { name: a }, spec: { containers: [{ name: c, ports: [{ hostPort: 80 }] }] } }   # a port
    - name: changed
      expect:   # to be written
      object:
        apiVersion: v1
        kind: Pod
        metadata:
          name: a

    - { name: flow, object: { apiVersion: v1, kind: Pod, metadata: { name: a, labels: { team: b } } } }   # in one line
    - { name: braces, object: { apiVersion: v1, kind: Pod, metadata: { labels: { team: b } } }, expect: {} }
    - name: kept
      object: { apiVersion: v1, kind: Pod }
      expect: { allowed: true }  # stays
# The end.
";

#[test]
fn writes_what_happens_and_touches_nothing_else() {
    let written = BARE
        .replace("   # a port\n", "   # a port\n      expect:\n        allowed: false\n        policies: [ports]\n        message: \"ports: spec.containers[0].ports[0].hostPort: host port 80 is not allowed; none is\"\n")
        .replace("# to be written\n", "# to be written\n        allowed: true\n        object:\n          apiVersion: v1\n          kind: Pod\n          metadata:\n            name: a\n            labels:\n              team: none\n")
        .replace("team: b } } } }   #", "team: b } } }, expect: { allowed: true } }   #")
        .replace("expect: {} }", "expect: { allowed: true } }");
    let folder = folder(&[("policies.yaml", POLICIES), ("tests.yaml", BARE)]);
    let outcome = run(folder.path(), &[]);
    assert!(outcome.out.contains("it expects nothing: `admittance test --update` writes down what happens"));
    assert_eq!(outcome.code, Some(1));
    let outcome = run(folder.path(), &["--update"]);
    assert_eq!(
        (outcome.out.as_str(), outcome.err.as_str(), outcome.code),
        ("./tests.yaml: 4 cases written\n", "", Some(0))
    );
    assert_eq!(fs::read_to_string(folder.path().join("tests.yaml")).unwrap(), written);
    let outcome = run(folder.path(), &[]);
    assert_eq!((outcome.out.lines().last(), outcome.code), (Some("5 cases in 1 test: 5 passed, 0 failed"), Some(0)));
    let again = run(folder.path(), &["--update"]);
    assert_eq!((again.out.as_str(), again.code), ("every case expects something: nothing to write\n", Some(0)));
}

#[test]
fn writes_into_the_keys_of_a_config_map() {
    let indent = |text: &str| text.lines().fold(String::new(), |all, line| all + "    " + line + "\n");
    let cases = CASES.replace("    expect:\n      allowed: true\n      object: *team\n", "");
    let map = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: m, labels: {{ admittance.dev/policies: \"true\" }} }}\ndata:\n  policies.yaml: |\n{}  tests.yaml: |\n{}",
        indent(POLICIES),
        indent(&cases)
    );
    let folder = folder(&[("map.yaml", &map)]);
    let outcome = run(folder.path(), &["map.yaml", "--update"]);
    assert_eq!((outcome.out.as_str(), outcome.err.as_str()), ("map.yaml: 1 case written\n", ""));
    let written = fs::read_to_string(folder.path().join("map.yaml")).unwrap();
    assert_eq!(written, format!("{map}        expect:\n          allowed: true\n"));
}

#[test]
fn runs_again_when_a_file_changes() {
    let folder = folder(&[("policies.yaml", POLICIES), ("tests.yaml", CASES)]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_admittance"))
        .args(["test", "--watch"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (sender, lines) = mpsc::channel();
    let out = BufReader::new(child.stdout.take().unwrap());
    let reader = thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    let sum = || {
        let next = || lines.recv_timeout(Duration::from_secs(20)).expect("a sum within 20 seconds");
        std::iter::repeat_with(next).find(|line| line.contains(" cases in ")).unwrap()
    };
    assert_eq!(sum(), "2 cases in 1 test: 2 passed, 0 failed");
    fs::write(folder.path().join("tests.yaml"), CASES.replace("[ports]", "[team]")).unwrap();
    assert_eq!(sum(), "2 cases in 1 test: 1 passed, 1 failed");
    child.kill().unwrap();
    child.wait().unwrap();
    drop(reader);
}

#[test]
fn writes_for_ci_systems() {
    let one = CASES.split("  - name: a team").next().unwrap().replace("[ports]", "[team]");
    let folder = folder(&[("policies.yaml", POLICIES), ("tests.yaml", &one)]);
    let outcome = run(folder.path(), &["-o", "junit"]);
    let failure =
        "test `pods`, case `a port of the node` fails: policies: expected [&quot;team&quot;], got [&quot;ports&quot;]";
    let head = format!(
        "\
<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<testsuites name=\"admittance test\" tests=\"1\" failures=\"1\" errors=\"0\" skipped=\"0\">
  <testsuite name=\"./tests.yaml: pods\" tests=\"1\" failures=\"1\" errors=\"0\" skipped=\"0\">
    <testcase classname=\"pods\" name=\"a port of the node\" file=\"./tests.yaml\" line=\"6\">
      <failure message=\"{failure}\" type=\"policies\">FAIL ./tests.yaml:6:11: pods: a port of the node&#10;"
    );
    assert!(outcome.out.starts_with(&head), "{}", outcome.out);
    assert_eq!(outcome.code, Some(1));
    let outcome = run(folder.path(), &["-o", "github"]);
    assert_eq!(
        outcome.out,
        "\
::error file=./tests.yaml,line=14,endLine=14,col=7,endColumn=15,title=pods%3A a port of the node::test `pods`, case `a port of the node` fails: policies: expected [\"team\"], got [\"ports\"]
::notice file=./policies.yaml,line=3,endLine=3,col=19,endColumn=24,title=not covered::policy `ports`: no case shows an object that it lets pass
::notice file=./policies.yaml,line=8,endLine=8,col=19,endColumn=23,title=not covered::policy `team`: no case shows an object that it leaves as it is
1 case in 1 test: 0 passed, 1 failed
"
    );
}

#[test]
fn names_settings_that_no_case_depends_on() {
    let policies = "\
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: ports }
spec: { module: host-ports, settings: { allowed: ['80'] } }
";
    let case = |port| {
        format!(
            "{{ name: p{port}, object: {{ apiVersion: v1, kind: Pod, spec: {{ containers: [{{ name: c, ports: [{{ hostPort: {port} }}] }}] }} }}, expect: {{ policies: [{}] }} }}",
            if port == 80 { "" } else { "ports" }
        )
    };
    let tests = |ports: &[u16]| {
        let cases = ports.iter().fold(String::new(), |all, port| all + "  - " + &case(*port) + "\n");
        format!(
            "---\napiVersion: admittance.dev/v1alpha1\nkind: PolicyTest\nmetadata: {{ name: t }}\nspec:\n  cases:\n{cases}"
        )
    };
    let folder = folder(&[("a.yaml", &format!("{policies}{}", tests(&[80, 81])))]);
    assert_eq!(run(folder.path(), &["--require-coverage"]).code, Some(0));
    let none = "{ name: none, object: { apiVersion: v1, kind: Pod }, expect: { policies: [] } }";
    fs::write(folder.path().join("a.yaml"), format!("{policies}{}  - {none}\n", tests(&[81]))).unwrap();
    let outcome = run(folder.path(), &[]);
    assert_eq!(
        outcome.out,
        "\
not covered
  ./a.yaml:3:19: policy `ports`: no case depends on settings.allowed

2 cases in 1 test: 2 passed, 0 failed
"
    );
}
