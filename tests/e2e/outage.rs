//! The server is gone for a while.

use serde_json::json;

use super::{
    api::{Answer, Api},
    control_plane::ControlPlane,
    registration::Registration,
    webhook::Webhook,
};

const POLICY: &str = "
apiVersion: admittance.dev/v1alpha1
kind: Policy
metadata: { name: latest-tag }
spec: { module: latest-tag }
";

async fn run(api: &Api, namespace: &str, image: &str) -> Answer {
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web"},
        "spec": {"containers": [{"name": "web", "image": image}]},
    });
    api.post(&format!("/api/v1/namespaces/{namespace}/pods?dryRun=All"), &pod).await
}

#[track_caller]
fn assert_judged(answer: Answer, test: &str) {
    let message = answer.expect_failed(403);
    assert!(
        message.starts_with(&format!("admission webhook \"validate.{test}.example\" denied the request: latest-tag: "))
    );
}

/// What happens to an object that should be refused, before, while and after the server is away.
async fn end_and_start_again(test: &str, registration: Registration<'_>, meanwhile: impl AsyncFnOnce(&Api)) {
    let Some(control_plane) = ControlPlane::shared() else { return };
    let api = control_plane.api().await;
    control_plane.namespace(&api, test, test).await;
    let webhook = Webhook::start_with_files(POLICY);
    registration.act_on(&api, &webhook, test).await;
    assert_judged(run(&api, test, "nginx").await, test);

    webhook.terminate();
    let (status, ended) = webhook.end();
    assert!(status.success(), "{status}");
    meanwhile(&api).await;

    let webhook = Webhook::start_again(ended);
    assert_judged(run(&api, test, "nginx").await, test);
    run(&api, test, "nginx:1.27").await.expect_created();
    webhook.wait_for_decision("the pod", |seen| seen.name == "web");
}

#[tokio::test]
async fn lets_objects_pass_meanwhile_where_it_fails_open() {
    end_and_start_again("open", Registration::open("open"), async |api| {
        run(api, "open", "nginx").await.expect_created();
    })
    .await;
}

#[tokio::test]
async fn refuses_objects_meanwhile_where_it_fails_closed() {
    end_and_start_again("closed", Registration::closed("closed"), async |api| {
        let message = run(api, "closed", "nginx:1.27").await.expect_failed(500);
        let begin =
            "Internal error occurred: failed calling webhook \"mutate.closed.example\": failed to call webhook: Post ";
        assert!(message.starts_with(begin) && message.ends_with("connect: connection refused"), "{message}");
    })
    .await;
}

/// A server that is told to end answers on until its time is over, so nothing fails where others take over.
#[tokio::test]
async fn answers_while_it_drains() {
    let Some(control_plane) = ControlPlane::shared() else { return };
    let api = control_plane.api().await;
    control_plane.namespace(&api, "drain", "drain").await;
    let webhook = Webhook::start_with_files(POLICY);
    Registration::closed("drain").act_on(&api, &webhook, "drain").await;
    webhook.terminate();
    super::control_plane::wait_for("the end of readiness", || webhook.log().contains("draining").then_some(()));
    for _ in 0..20 {
        run(&api, "drain", "nginx:1.27").await.expect_created();
        assert_judged(run(&api, "drain", "nginx").await, "drain");
    }
    let (status, _) = webhook.end();
    assert!(status.success(), "{status}");
}
