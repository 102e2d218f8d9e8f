//! What a person sees who tries the policy set reference-demo with kubectl.

use serde_json::Value;

use super::{
    control_plane::ControlPlane,
    registration::Registration,
    webhook::{Options, Webhook},
};

const DEMO: &str = include_str!("../../manifests/policies/reference-demo/reference-demo.yaml");

const NGINX_ALPINE: &str = "
apiVersion: v1
kind: Pod
metadata: { name: nginx, annotations: { owner: ann } }
spec:
  containers: [{ name: nginx, image: nginx:alpine }]
";

fn deployment(annotations: &str) -> String {
    format!(
        "
apiVersion: apps/v1
kind: Deployment
metadata: {{ name: web, annotations: {annotations} }}
spec:
  replicas: 0
  selector: {{ matchLabels: {{ app: web }} }}
  template:
    metadata: {{ labels: {{ app: web }} }}
    spec: {{ containers: [{{ name: web, image: nginx:1.27-alpine }}] }}
"
    )
}

/// Name and image of each container.
fn containers(pod: &Value) -> Vec<(&str, &str)> {
    let containers = pod["spec"]["containers"].as_array().unwrap();
    containers.iter().map(|container| (text(&container["name"]), text(&container["image"]))).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[tokio::test]
async fn shows_kubectl_the_outcomes_of_the_demo() {
    let Some(control_plane) = ControlPlane::shared() else { return };
    let api = control_plane.api().await;
    for namespace in ["demo", "special", "special-system"] {
        control_plane.namespace(&api, "demo", namespace).await;
    }
    let webhook = Webhook::start(&Options { policies: DEMO, ..Options::default() });
    Registration::closed("demo").act_on(&api, &webhook, "demo").await;
    let pod = |namespace, name| {
        let said = control_plane.kubectl(&["get", "pod", "-n", namespace, name, "-o", "json"]).well();
        serde_json::from_str::<Value>(&said).unwrap()
    };

    let said = control_plane.kubectl(&["run", "latest", "-n", "demo", "--image=nginx:latest"]);
    assert_eq!(
        said.badly(),
        "Error from server (Forbidden): admission webhook \"validate.demo.example\" denied the request: no-latest-tag: \
         spec.containers[0].image: image \"nginx:latest\" is not pinned: name a tag other than \"latest\", or a digest\n"
    );

    let said = control_plane.kubectl_with(&["create", "-n", "demo", "-f", "-"], NGINX_ALPINE);
    assert_eq!(said.well(), "pod/nginx created\n");
    let nginx = pod("demo", "nginx");
    assert_eq!(nginx["metadata"]["annotations"], serde_json::json!({"owner": "ann", "origin": "fromMutation"}));
    assert_eq!(containers(&nginx), [("nginx", "nginx:alpine")]);

    let said = control_plane.kubectl_with(&["create", "-n", "special", "-f", "-"], NGINX_ALPINE);
    assert_eq!(said.well(), "pod/nginx created\n");
    let with_sidecar = [("nginx", "nginx:alpine"), ("test-sidecar", "busybox:1.37")];
    assert_eq!(containers(&pod("special", "nginx")), with_sidecar);

    // As it is stored, it comes back for a second round.
    let stored = control_plane.kubectl(&["get", "pod", "-n", "special", "nginx", "-o", "yaml"]).well();
    let said = control_plane.kubectl_with(&["replace", "--force", "--grace-period=0", "-f", "-"], &stored);
    assert!(said.succeeded && said.out.ends_with("pod/nginx replaced\n"), "{said}");
    assert_eq!(containers(&pod("special", "nginx")), with_sidecar);

    let said = control_plane.kubectl_with(&["apply", "-n", "special", "-f", "-"], &deployment("{}"));
    assert_eq!(
        said.badly(),
        "Error from server (Forbidden): error when creating \"STDIN\": admission webhook \"validate.demo.example\" denied \
         the request: no-new-deployments: metadata.namespace: Deployment cannot be created in namespace \"special\", which \
         is locked\n"
    );

    let manifest = deployment("{ skip: \"false\" }");
    let said = control_plane.kubectl_with(&["apply", "-n", "special-system", "-f", "-"], &manifest);
    assert_eq!(said.well(), "deployment.apps/web created\n");
    let kept = "Error from server (Forbidden): admission webhook \"validate.demo.example\" denied the request: \
                keep-deployments: metadata.annotations.skip: the annotation protects the object from deletion while it is \
                \"false\"; change it first\n";
    let delete = ["delete", "-n", "special-system", "deployment", "web"];
    assert_eq!(control_plane.kubectl(&delete).badly(), kept);
    let delete_all = ["delete", "--raw", "/apis/apps/v1/namespaces/special-system/deployments"];
    assert_eq!(control_plane.kubectl(&delete_all).badly(), kept);
    let said = control_plane.kubectl(&["annotate", "-n", "special-system", "deployment", "web", "skip-"]);
    assert_eq!(said.well(), "deployment.apps/web annotated\n");
    let said = control_plane.kubectl(&delete);
    assert!(said.out.starts_with("deployment.apps \"web\" deleted"), "{said}");
}

#[tokio::test]
async fn answers_a_dry_run_as_it_answers_in_earnest() {
    let Some(control_plane) = ControlPlane::shared() else { return };
    let api = control_plane.api().await;
    control_plane.namespace(&api, "dry-run", "dry-run").await;
    let webhook = Webhook::start(&Options { policies: DEMO, ..Options::default() });
    Registration::closed("dry-run").act_on(&api, &webhook, "dry-run").await;

    let create = ["create", "-n", "dry-run", "--dry-run=server", "-o", "json", "-f", "-"];
    let shown: Value = serde_json::from_str(&control_plane.kubectl_with(&create, NGINX_ALPINE).well()).unwrap();
    assert_eq!(shown["metadata"]["annotations"]["origin"], "fromMutation");
    for route in ["Mutate", "Validate"] {
        let seen = webhook.wait_for_decision(route, |seen| seen.message == route && seen.name == "nginx");
        assert!(seen.dry_run, "{seen:?}");
    }

    let said = control_plane.kubectl(&["run", "x", "-n", "dry-run", "--dry-run=server", "--image=nginx:latest"]);
    assert!(
        said.badly()
            .starts_with("Error from server (Forbidden): admission webhook \"validate.dry-run.example\" denied")
    );

    let said = control_plane.kubectl(&["get", "pods", "-n", "dry-run"]);
    assert_eq!(said.err, "No resources found in dry-run namespace.\n");
}
