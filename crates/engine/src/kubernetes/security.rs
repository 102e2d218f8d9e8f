//! Security contexts: a pod's, and those of its containers (core/v1 PodSecurityContext and SecurityContext). What a
//! container's own leaves out is taken from the pod's, for the fields that both have.

use super::pod::Pod;
use crate::json::{Node, Path};

/// A security context where it stands.
#[derive(Clone, Copy)]
pub struct Context<'p, 'a> {
    /// `securityContext`; null if there is none.
    pub node: Node<'a>,
    /// Its place in the whole object.
    pub path: Path<'p>,
    /// The container that it belongs to; None for the pod's.
    pub container: Option<Node<'a>>,
}

impl<'a> Pod<'a> {
    /// The pod's own security context; null if it has none.
    pub fn security(&self) -> Node<'a> {
        self.spec().field("securityContext").unwrap_or_default()
    }

    /// Calls `visit` with the pod's security context, then with that of each container: init, regular, ephemeral. A
    /// context that is absent is visited as null.
    pub fn visit_security(&self, mut visit: impl FnMut(&Context<'_, 'a>)) {
        let node = self.security();
        self.with_spec_path(|spec| visit(&Context { node, path: spec.key("securityContext"), container: None }));
        self.visit_containers(|container| {
            let node = container.node.field("securityContext").unwrap_or_default();
            visit(&Context { node, path: container.path.key("securityContext"), container: Some(container.node) });
        });
    }

    /// Whether it says that it runs on Windows (`spec.os.name`). The API server refuses such a pod if it sets what only
    /// Linux has, and the kubelet of a Linux node does not run it.
    pub fn is_windows(&self) -> bool {
        self.spec().at(&["os", "name"]).and_then(Node::as_str) == Some("windows")
    }

    /// Whether it is meant for Windows, also where only its node selector tells.
    pub fn is_meant_for_windows(&self) -> bool {
        let selected = self.spec().at(&["nodeSelector", "kubernetes.io/os"]);
        self.is_windows() || selected.and_then(Node::as_str) == Some("windows")
    }

    /// The service account that it runs as. The older field counts where the newer one is empty, as in core/v1's
    /// conversion; where both are, the API server takes `default`.
    pub fn service_account(&self) -> &'a str {
        let named = |field| self.spec().str(field).filter(|name| !name.is_empty());
        named("serviceAccountName").or_else(|| named("serviceAccount")).unwrap_or("default")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Arena, read};

    #[test]
    fn visits_the_pod_and_then_its_containers() {
        let text = r#"{"spec":{"os":{"name":"windows"},"securityContext":{"a":1},"containers":[{"securityContext":{"b":2}},{}],
            "initContainers":[{"securityContext":null}],"ephemeralContainers":[{"securityContext":{"c":3}}]}}"#;
        let arena = Arena::with_limit(1 << 20);
        let pod = Pod::of("", "Pod", read(&arena, text).unwrap()).unwrap();
        let mut seen = vec![];
        pod.visit_security(|context| {
            let path = context.path.to_buf().to_string();
            seen.push((path, serde_json::to_string(&context.node).unwrap(), context.container.is_some()));
        });
        let expected = |path: &str, node: &str, of_container| (path.to_owned(), node.to_owned(), of_container);
        assert_eq!(
            seen,
            [
                expected("spec.securityContext", r#"{"a":1}"#, false),
                expected("spec.initContainers[0].securityContext", "null", true),
                expected("spec.containers[0].securityContext", r#"{"b":2}"#, true),
                expected("spec.containers[1].securityContext", "null", true),
                expected("spec.ephemeralContainers[0].securityContext", r#"{"c":3}"#, true),
            ]
        );
    }

    #[test]
    fn tells_windows_and_service_accounts() {
        let arena = Arena::with_limit(1 << 20);
        let pod = |spec: &str| {
            let text = format!(r#"{{"spec":{spec}}}"#);
            Pod::of("", "Pod", read(&arena, arena.text(&text)).unwrap()).unwrap()
        };
        for (spec, is_windows, is_meant) in [
            (r#"{"os":{"name":"windows"}}"#, true, true),
            (r#"{"os":{"name":"linux"}}"#, false, false),
            (r#"{"nodeSelector":{"kubernetes.io/os":"windows"}}"#, false, true),
            ("{}", false, false),
        ] {
            assert_eq!((pod(spec).is_windows(), pod(spec).is_meant_for_windows()), (is_windows, is_meant), "{spec}");
        }
        for (spec, account) in [
            (r#"{"serviceAccountName":"new","serviceAccount":"old"}"#, "new"),
            (r#"{"serviceAccountName":"","serviceAccount":"old"}"#, "old"),
            ("{}", "default"),
        ] {
            assert_eq!(pod(spec).service_account(), account, "{spec}");
        }
    }
}
