//! Services, Ingresses and their endpoints.

use serde_json::json;

use super::{Acts, Template, one, texts};

const DEFAULTS: Template = Template { acts: Acts::Writes, ..Template::PLAIN };

pub(super) const BLOCK_ENDPOINT_EDIT: Template = Template {
    kind: "K8sBlockEndpointEditDefaultRole",
    library: "block-endpoint-edit-default-role",
    note: "An expression: the rules of the ClusterRole `system:aggregate-to-edit` name no `endpoints` with the verbs \
           create, patch or update",
    map: |_| {
        let rule = "has(rule.resources) && 'endpoints' in rule.resources && has(rule.verbs) \
                    && rule.verbs.exists(verb, verb in ['create', 'patch', 'update'])";
        Ok(vec![json!({"validations": [{
            "expression": format!(
                "object.metadata.?name.orValue('') != 'system:aggregate-to-edit' || !has(object.rules) \
                 || object.rules == null || !object.rules.exists(rule, {rule})"
            ),
            "message": "system:aggregate-to-edit may not change endpoints",
        }]})])
    },
    ..DEFAULTS
};

pub(super) const BLOCK_LOAD_BALANCER: Template = Template {
    kind: "K8sBlockLoadBalancer",
    library: "block-loadbalancer-services",
    modules: &["service-types"],
    note: "`allowed: [ClusterIP, NodePort, ExternalName]`",
    map: |_| Ok(vec![one("service-types", json!({"allowed": ["ClusterIP", "NodePort", "ExternalName"]}))]),
    ..DEFAULTS
};

pub(super) const BLOCK_NODE_PORT: Template = Template {
    kind: "K8sBlockNodePort",
    library: "block-nodeport-services",
    modules: &["service-types"],
    note: "`allowed: [ClusterIP, LoadBalancer, ExternalName]` and `nodePortsOfLoadBalancers: true`. Without the latter the \
           ports of nodes that load balancers open are refused as well",
    map: |_| {
        let allowed = ["ClusterIP", "LoadBalancer", "ExternalName"];
        Ok(vec![one("service-types", json!({"allowed": allowed, "nodePortsOfLoadBalancers": true}))])
    },
    ..DEFAULTS
};

pub(super) const BLOCK_WILDCARD_INGRESS: Template = Template {
    kind: "K8sBlockWildcardIngress",
    library: "block-wildcard-ingress",
    modules: &["ingress-hosts"],
    note: "No settings",
    counts: true,
    differs: Some("a default backend takes the requests for every name too, and is refused"),
    map: |_| Ok(vec![one("ingress-hosts", json!({}))]),
    ..DEFAULTS
};

pub(super) const EXTERNAL_IPS: Template = Template {
    kind: "K8sExternalIPs",
    library: "externalip",
    modules: &["external-ips"],
    parameters: &[("allowedIPs", "`allowed`, which takes networks as well")],
    differs: Some("an address that can be read in two ways is refused"),
    map: |parameters| Ok(vec![one("external-ips", json!({"allowed": texts(parameters, "allowedIPs")}))]),
    ..DEFAULTS
};

pub(super) const HTTPS_ONLY: Template = Template {
    kind: "K8sHttpsOnly",
    library: "httpsonly",
    modules: &["ingress-tls"],
    parameters: &[(
        "tlsOptional",
        "false: `ingress-tls` with `noPlainHttp: true`. True: `required-annotations` with the key \
         `kubernetes.io/ingress.allow-http` and the pattern `false`",
    )],
    differs: Some("each host must stand in the `tls` section: an entry without hosts serves none"),
    map: |parameters| {
        Ok(vec![if parameters["tlsOptional"] == true {
            let annotation = json!({"key": "kubernetes.io/ingress.allow-http", "pattern": "false"});
            one("required-annotations", json!({"annotations": [annotation], "templates": false}))
        } else {
            one("ingress-tls", json!({"noPlainHttp": true}))
        }])
    },
    ..DEFAULTS
};

pub(super) const UNIQUE_INGRESS_HOST: Template = Template {
    kind: "K8sUniqueIngressHost",
    library: "uniqueingresshost",
    modules: &["unique-ingress-hosts"],
    note: "No settings. The server's role must allow to list Ingresses",
    differs: Some("a wildcard and a name below it are the same host, and rules without a host are too"),
    map: |_| Ok(vec![one("unique-ingress-hosts", json!({}))]),
    ..DEFAULTS
};
