//! What `check --explain` and `cel --explain` print, word for word.

use crate::cli::Folder;

#[test]
fn takes_expressions_apart_as_far_as_they_were_evaluated() {
    let folder = Folder::with(&[
        (
            "cel.yaml",
            r#"apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: odd }
spec:
  matchConstraints:
    resourceRules: [{ apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods] }]
  validations:
    - expression: object.spec.nope == 1
    - expression: object.metadata.name == 'a' || object.spec.nope == 1
    - expression: object.spec.containers.all(c, c.image.startsWith('registry/') && c.name != 'z')
"#,
        ),
        (
            "pod.yaml",
            r"apiVersion: v1
kind: Pod
metadata: { name: a }
spec:
  containers:
    - { name: one, image: registry/one:1 }
    - { name: two, image: two:1 }
    - { name: three, image: registry/three:1 }
",
        ),
    ]);
    let outcome = folder.run(&["check", "--explain", "-p", "cel.yaml", "pod.yaml"]);
    assert_eq!(
        (outcome.out.as_str(), outcome.code),
        (
            r#"pod.yaml: Pod default/a: denied

  odd: denies, 1 finding (cel.yaml:1)
    evaluation error: expression 'object.spec.nope == 1' resulted in error: no such key: nope
    failed expression: object.spec.containers.all(c, c.image.startsWith('registry/') && c.name != 'z')
    validations[0]:
      object.spec.nope == 1  error: no such key: nope
        object.spec.nope     error: no such key: nope
    validations[1]:
      object.metadata.name == 'a' || object.spec.nope == 1  true
        object.metadata.name == 'a'                         true
          object.metadata.name                              "a"
        object.spec.nope == 1                               not evaluated
    validations[2]:
      object.spec.containers.all(c, c.image.startsWith('registry/') && c.name != 'z')  false
        object.spec.containers                                [{"name": "one", "image": "registry/one:1", "resources": {}, "terminationMessagePath": "/dev/termina…
        [0] c.image.startsWith('registry/') && c.name != 'z'  true
          c.image.startsWith('registry/')                     true
            c.image                                           "registry/one:1"
          c.name != 'z'                                       true
            c.name                                            "one"
        [1] c.image.startsWith('registry/') && c.name != 'z'  false
          c.image.startsWith('registry/')                     false
            c.image                                           "two:1"
          c.name != 'z'                                       not evaluated

1 object: 1 denied
"#,
            Some(1)
        )
    );
}

#[test]
fn shows_nothing_of_a_secret_but_what_anybody_may_read() {
    let folder = Folder::with(&[
        (
            "secrets.yaml",
            r#"apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: long }
spec:
  matchConstraints:
    resourceRules: [{ apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [secrets] }]
  variables:
    - { name: said, expression: "object.stringData.password + '!'" }
  validations:
    - expression: variables.said.size() > 20 && object.metadata.labels.team == 'red'
      message: too short
"#,
        ),
        (
            "secret.yaml",
            r"apiVersion: v1
kind: Secret
metadata: { name: s, labels: { team: red } }
stringData: { password: hunter2 }
",
        ),
    ]);
    let outcome = folder.run(&["check", "--explain", "-p", "secrets.yaml", "secret.yaml"]);
    assert_eq!(
        (outcome.out.as_str(), outcome.code),
        (
            r"secret.yaml: Secret default/s: denied

  long: denies, 1 finding (secrets.yaml:1)
    too short
    variables.said:
      object.stringData.password + '!'  (string, not shown)
        object.stringData.password      (string, not shown)
    validations[0]:
      variables.said.size() > 20 && object.metadata.labels.team == 'red'  false
        variables.said.size() > 20            false
          variables.said.size()               (int, not shown)
            variables.said                    (string, not shown)
        object.metadata.labels.team == 'red'  not evaluated

1 object: 1 denied
",
            Some(1)
        )
    );
}

#[test]
fn names_who_put_into_the_object_what_is_not_in_the_file() {
    let folder = Folder::with(&[
        (
            "mutate.yaml",
            r#"apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: sidecar }
spec: { module: inject-sidecar, settings: { container: { name: proxy, image: proxy } } }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: team }
spec: { module: add-labels, settings: { labels: { team: red } }, actions: [Audit] }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: tags }
spec: { module: latest-tag }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: elsewhere }
spec: { module: latest-tag, namespaces: { exclude: ["def*"] } }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: labelled }
spec: { module: latest-tag, matchConstraints: { objectSelector: { matchLabels: { app: web } } } }
"#,
        ),
        (
            "pod.yaml",
            r"apiVersion: v1
kind: Pod
metadata: { name: a }
spec:
  containers:
    - { name: one, image: registry/one:1 }
    - { name: two, image: two:1 }
    - { name: three, image: registry/three:1 }
",
        ),
    ]);
    let outcome = folder.run(&["check", "--explain", "-p", "mutate.yaml", "pod.yaml"]);
    assert_eq!(
        (outcome.out.as_str(), outcome.code),
        (
            r#"pod.yaml: Pod default/a: denied

  sidecar: changes the object (module inject-sidecar, mutate.yaml:1)
    add /spec/containers/3: {"image":"proxy","name":"proxy"}

  team: would change the object, in shadow mode (module add-labels, mutate.yaml:6)
    add /metadata/labels: {"team":"red"}

  tags: denies, 1 finding (module latest-tag, mutate.yaml:11)
    image "proxy" is not pinned: name a tag other than "latest", or a digest
     --> pod.yaml:6:5
      |
    6 |     - { name: one, image: registry/one:1 }
      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ spec.containers[3].image is not in the file: sidecar adds it

  not matched
    elsewhere  namespace: wanted not def*, found default (namespaces.exclude[0])
    labelled   label app: wanted app in (web), found no label app (matchConstraints.objectSelector)

1 object: 1 denied, 1 changed
"#,
            Some(1)
        )
    );
}

#[test]
fn says_what_is_let_pass_since_it_was_there_before() {
    let folder = Folder::with(&[
        (
            "mutate.yaml",
            r#"apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: sidecar }
spec: { module: inject-sidecar, settings: { container: { name: proxy, image: proxy } } }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: team }
spec: { module: add-labels, settings: { labels: { team: red } }, actions: [Audit] }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: tags }
spec: { module: latest-tag }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: elsewhere }
spec: { module: latest-tag, namespaces: { exclude: ["def*"] } }
---
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: labelled }
spec: { module: latest-tag, matchConstraints: { objectSelector: { matchLabels: { app: web } } } }
"#,
        ),
        (
            "old.yaml",
            r"apiVersion: v1
kind: Pod
metadata: { name: a, labels: { app: db } }
spec: { containers: [{ name: one, image: one }] }
",
        ),
    ]);
    let outcome = folder.run(&["check", "--explain", "-p", "mutate.yaml", "--old-object", "old.yaml", "old.yaml"]);
    assert_eq!(
        (outcome.out.as_str(), outcome.code),
        (
            r#"old.yaml: Pod default/a: allowed

  tags: 1 finding, as in the stored object (existing: Allow) (module latest-tag, mutate.yaml:11)
    let pass, the stored object has it too: spec.containers[0].image: image "one" is not pinned: name a tag other than "latest", or a digest

  not matched
    elsewhere  namespace: wanted not def*, found default (namespaces.exclude[0])
    labelled   label app: wanted app in (web), found app=db (matchConstraints.objectSelector)
    sidecar    operation: wanted CREATE, found UPDATE (matchConstraints.resourceRules)
    team       operation: wanted CREATE, found UPDATE (matchConstraints.resourceRules)

1 object: 0 denied
"#,
            Some(0)
        )
    );
}

#[test]
fn names_bindings_and_parameters() {
    let folder = Folder::with(&[
        (
            "vap.yaml",
            r#"apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: limit }
spec:
  paramKind: { apiVersion: v1, kind: ConfigMap }
  matchConstraints:
    resourceRules: [{ apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [deployments] }]
  validations:
    - expression: object.spec.replicas <= int(params.data.max)
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: { name: everywhere }
spec: { policyName: limit, validationActions: [Warn], paramRef: { name: limits, namespace: default, parameterNotFoundAction: Deny } }
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: { name: marked }
spec:
  policyName: limit
  validationActions: [Deny]
  paramRef: { name: limits, namespace: default, parameterNotFoundAction: Deny }
  matchResources: { objectSelector: { matchLabels: { strict: "yes" } } }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: limits, namespace: default }
data: { max: "3" }
"#,
        ),
        (
            "deploy.yaml",
            r"apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec: { replicas: 5 }
",
        ),
    ]);
    let outcome = folder.run(&["check", "--explain", "-p", "vap.yaml", "deploy.yaml"]);
    assert_eq!(
        (outcome.out.as_str(), outcome.code),
        (
            r#"deploy.yaml: Deployment default/web: allowed with warnings

  limit: warns, 1 finding (bound by everywhere, vap.yaml:1)
    failed expression: object.spec.replicas <= int(params.data.max)
    validations[0] with params default/limits:
      object.spec.replicas <= int(params.data.max)  false
        object.spec.replicas                        5
        int(params.data.max)                        3
          params.data.max                           "3"

  not matched
    limit by marked  label strict: wanted strict in (yes), found no label strict (matchResources.objectSelector)

1 object: 0 denied, 1 with warnings
"#,
            Some(0)
        )
    );
}

#[test]
fn shows_the_turns_of_a_macro_that_tell_something() {
    let outcome = Folder::with(&[]).run(&["cel", "--explain", "lists.range(30).all(x, x < 20)"]);
    let expected = r"lists.range(30).all(x, x < 20)  false
  lists.range(30)               [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 2…
  [0] x < 20                    true
  [1] x < 20                    true
  [2] x < 20                    true
  [3] x < 20                    true
  [4] x < 20                    true
  … 11 turns like these
  [16] x < 20                   true
  [17] x < 20                   true
  [18] x < 20                   true
  [19] x < 20                   true
  [20] x < 20                   false
    x                           20
";
    assert_eq!((outcome.out.as_str(), outcome.code), (expected, Some(0)));
    let outcome = Folder::with(&[]).run(&["cel", "--explain", "[1].map(x, x / 0)"]);
    assert_eq!(
        (outcome.out.as_str(), outcome.code),
        (
            r"[1].map(x, x / 0)  error: division by zero
  [1]              [1]
  [0] x / 0        error: division by zero
    x              1
",
            Some(1)
        )
    );
}
