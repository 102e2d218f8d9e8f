//! Webhook configurations: what tells the API server to ask.

use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    api::Api,
    control_plane::{PATIENCE, TEST_LABEL},
    webhook::Webhook,
};

/// What both configurations of a test say.
#[derive(Clone, Copy)]
pub(super) struct Registration<'r> {
    /// The name of the test. The webhooks are called `mutate.TEST.example` and `validate.TEST.example`.
    test: &'r str,
    failure_policy: &'r str,
    service: Option<(&'r str, &'r str)>,
    is_for_marked_requests: bool,
    /// Whose namespaces; by default the test's own.
    namespaces_of: &'r str,
    /// Whether the API server asks again after later webhooks have changed the object.
    reinvocation_policy: &'r str,
}

/// What a request that is meant for one server alone says of its user, by the header `Impersonate-Extra-Server`.
const MARK: &str = "server";

impl<'r> Registration<'r> {
    /// Webhooks that see what happens in namespaces of `test`, by the server's address. Without an answer requests fail.
    pub(super) fn closed(test: &'r str) -> Self {
        Self {
            test,
            failure_policy: "Fail",
            service: None,
            is_for_marked_requests: false,
            namespaces_of: test,
            reinvocation_policy: "IfNeeded",
        }
    }

    /// The same, but without an answer requests succeed.
    pub(super) fn open(test: &'r str) -> Self {
        Self { failure_policy: "Ignore", ..Self::closed(test) }
    }

    /// The same by a Service, as in a cluster.
    pub(super) fn through_service(self, namespace: &'r str, name: &'r str) -> Self {
        Self { service: Some((namespace, name)), ..self }
    }

    /// The same for requests, wherever they are about, that are marked with the name of the test.
    pub(super) fn for_marked_requests(self) -> Self {
        Self { is_for_marked_requests: true, ..self }
    }

    /// The same in namespaces of another test name, as a second server's.
    pub(super) fn in_namespaces_of(self, test: &'r str) -> Self {
        Self { namespaces_of: test, ..self }
    }

    /// The same, but what later webhooks make of an object is not mutated again.
    pub(super) fn once(self) -> Self {
        Self { reinvocation_policy: "Never", ..self }
    }
}

impl Registration<'_> {
    /// Registers and waits until both webhooks act in `namespace`.
    pub(super) async fn act_on(&self, api: &Api, webhook: &Webhook, namespace: &str) {
        for (path, kind, route) in [
            ("mutatingwebhookconfigurations", "MutatingWebhookConfiguration", "mutate"),
            ("validatingwebhookconfigurations", "ValidatingWebhookConfiguration", "validate"),
        ] {
            let configuration = json!({
                "apiVersion": "admissionregistration.k8s.io/v1",
                "kind": kind,
                "metadata": {"name": self.test},
                "webhooks": [self.webhook(webhook, route)],
            });
            api.post(&format!("/apis/admissionregistration.k8s.io/v1/{path}"), &configuration).await.expect_created();
        }
        if self.is_for_marked_requests {
            acts(&self.mark(&api.speaking_as("admin", &["system:masters"])), webhook, namespace).await;
        } else {
            acts(api, webhook, namespace).await;
        }
    }

    /// A client whose requests, made as somebody else, are marked for this server.
    pub(super) fn mark(&self, speaking_as_somebody: &Api) -> Api {
        speaking_as_somebody.saying(&format!("Impersonate-Extra-{MARK}"), self.test)
    }

    fn webhook(&self, webhook: &Webhook, route: &str) -> Value {
        let mut entry = json!({
            "name": format!("{route}.{}.example", self.test),
            "admissionReviewVersions": ["v1"],
            "clientConfig": self.client_config(webhook, route),
            "sideEffects": "None",
            "timeoutSeconds": 5,
            "failurePolicy": self.failure_policy,
            "rules": [{
                "apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*/*"], "scope": "*"
            }],
        });
        if self.is_for_marked_requests {
            let extra = "request.userInfo.extra";
            let expression = format!("has({extra}) && '{MARK}' in {extra} && {extra}['{MARK}'] == ['{}']", self.test);
            entry["matchConditions"] = json!([{"name": "mark", "expression": expression}]);
        } else {
            entry["namespaceSelector"] = json!({"matchLabels": {TEST_LABEL: self.namespaces_of}});
            // Cluster-scoped objects have no namespace to select by: another test's would be seen too.
            entry["rules"][0]["scope"] = json!("Namespaced");
        }
        if route == "mutate" {
            entry["reinvocationPolicy"] = json!(self.reinvocation_policy);
        }
        entry
    }

    fn client_config(&self, webhook: &Webhook, route: &str) -> Value {
        let bundle = STANDARD.encode(webhook.certificate());
        match self.service {
            None => json!({"url": format!("https://{}/{route}", webhook.address), "caBundle": bundle}),
            Some((namespace, name)) => {
                let port: u16 = webhook.address.rsplit(':').next().unwrap().parse().unwrap();
                let service = json!({"namespace": namespace, "name": name, "path": format!("/{route}"), "port": port});
                json!({"service": service, "caBundle": bundle})
            }
        }
    }
}

/// Asks until the server has been asked on both routes. The API server takes up to a second to notice a configuration.
async fn acts(api: &Api, webhook: &Webhook, namespace: &str) {
    let begun = Instant::now();
    for n in 0.. {
        let name = format!("does-it-act-{n}");
        let probe = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
        let answer = api.post(&format!("/api/v1/namespaces/{namespace}/configmaps?dryRun=All"), &probe).await;
        tokio::time::sleep(Duration::from_millis(30)).await;
        let asked: Vec<_> = webhook.decisions().into_iter().filter(|decision| decision.name == name).collect();
        if ["Mutate", "Validate"].iter().all(|&route| asked.iter().any(|decision| decision.message == route)) {
            return;
        }
        let log = webhook.log();
        assert!(begun.elapsed() < PATIENCE, "the webhooks do not act: {}\n{log}", answer.text);
    }
}
