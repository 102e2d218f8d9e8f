//! Which fields modules decide by, or write.

/// What a module looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Declared {
    pub id: &'static str,
    /// Fields of the object itself.
    pub fields: &'static [&'static str],
    /// Fields of pods, in pods and in templates of pods. `containers[*].x` stands for all three lists of containers.
    pub pods: &'static [&'static str],
    /// Whether changes alone are judged, so that what is created is not its concern.
    pub changes: bool,
    /// Whether what is created alone is judged.
    pub creation: bool,
}

const fn pods(id: &'static str, pods: &'static [&'static str]) -> Declared {
    Declared { id, fields: &[], pods, changes: false, creation: false }
}

const fn own(id: &'static str, fields: &'static [&'static str]) -> Declared {
    Declared { id, fields, pods: &[], changes: false, creation: false }
}

const IMAGE: &[&str] = &["containers[*].image"];
const SECURITY: &[&str] = &["spec.securityContext", "containers[*].securityContext"];
const LABELS: &[&str] = &["metadata.labels"];
const ANNOTATIONS: &[&str] = &["metadata.annotations"];
const STORAGE_CLASSES: &[&str] = &[
    "spec.storageClassName",
    "metadata.annotations[volume.beta.kubernetes.io/storage-class]",
    "spec.volumeClaimTemplates",
];
const RULES: &[&str] = &["rules", "aggregationRule"];

/// By id. That every module is here is tested.
pub(super) const DECLARED: &[Declared] = &[
    own("add-annotations", ANNOTATIONS),
    pods("add-image-pull-secret", &["spec.imagePullSecrets"]),
    own("add-labels", LABELS),
    pods("add-node-affinity", &["spec.affinity"]),
    pods("add-node-selector", &["spec.nodeSelector"]),
    pods("add-tolerations", &["spec.tolerations"]),
    pods("allowed-registries", IMAGE),
    own("allowed-users", &[""]),
    own("anonymous-bindings", &["subjects"]),
    pods("apparmor", &["metadata.annotations", "spec.securityContext", "containers[*].securityContext"]),
    own("autoscalers", &["spec"]),
    pods("capabilities", &["containers[*].securityContext"]),
    own("cluster-admin-bindings", &["roleRef", "subjects"]),
    own("copy-namespace-labels", LABELS),
    own("cron-schedule", &["spec.schedule", "spec.timeZone", "spec.concurrencyPolicy"]),
    own("default-namespace", &["metadata.namespace"]),
    own("default-service-account-bindings", &["subjects"]),
    own("delete-protection", &["metadata.annotations", "metadata.labels"]),
    own("deprecated-apis", &[]),
    own("disable-service-account-token", &["automountServiceAccountToken"]),
    own(
        "disruption-budget",
        &[
            "spec.replicas",
            "spec.template.metadata.labels",
            "spec.minAvailable",
            "spec.maxUnavailable",
            "spec.selector",
        ],
    ),
    own("exec-into-pods", &[]),
    own("external-ips", &["spec.externalIPs"]),
    pods("fs-group", &["spec.securityContext"]),
    pods("host-namespaces", &["spec.hostNetwork", "spec.hostPID", "spec.hostIPC", "spec.hostUsers"]),
    pods("host-path", &["spec.volumes", "containers[*].volumeMounts"]),
    pods("host-ports", &["containers[*].ports"]),
    pods("host-process", SECURITY),
    pods("image-digests", IMAGE),
    pods("image-pull-policy", &["containers[*].imagePullPolicy", "containers[*].image"]),
    pods("image-pull-secrets", &["spec.imagePullSecrets"]),
    Declared { changes: true, ..own("immutable-fields", &[]) },
    Declared { changes: true, ..own("immutable-labels", LABELS) },
    own("ingress-hosts", &["spec.rules", "spec.tls"]),
    own("ingress-tls", &["spec.rules", "spec.tls", "metadata.annotations"]),
    pods("inject-env", &["containers[*].env"]),
    pods("inject-host-aliases", &["spec.hostAliases"]),
    pods("inject-init-container", &["spec.initContainers[*].name"]),
    pods("inject-sidecar", &["spec.containers[*].name", "spec.initContainers[*].name"]),
    pods("inject-volume", &["spec.volumes", "containers[*].volumeMounts"]),
    own("job-ttl", &["spec.ttlSecondsAfterFinished", "spec.jobTemplate.spec.ttlSecondsAfterFinished"]),
    Declared { pods: LABELS, ..own("label-values", LABELS) },
    pods("latest-tag", IMAGE),
    own("load-balancer-sources", &["spec.type", "spec.loadBalancerSourceRanges", "metadata.annotations"]),
    own("locked-namespaces", &["metadata.namespace"]),
    Declared { creation: true, ..own("naked-pods", &["metadata.ownerReferences"]) },
    own("name-pattern", &["metadata.name"]),
    pods(
        "pod-security",
        &[
            "spec.hostNetwork",
            "spec.hostPID",
            "spec.hostIPC",
            "spec.hostUsers",
            "spec.volumes",
            "spec.securityContext",
            "containers[*].securityContext",
            "containers[*].ports",
            "containers[*].livenessProbe",
            "containers[*].readinessProbe",
            "containers[*].startupProbe",
            "containers[*].lifecycle",
        ],
    ),
    pods("priority-classes", &["spec.priorityClassName"]),
    pods("privilege-escalation", &["containers[*].securityContext"]),
    pods("privileged", &["containers[*].securityContext"]),
    own("privileged-verbs", RULES),
    pods("probes", &["containers[*].livenessProbe", "containers[*].readinessProbe", "containers[*].startupProbe"]),
    pods("proc-mount", &["containers[*].securityContext"]),
    own("remove-annotations", ANNOTATIONS),
    pods("replace-registry", IMAGE),
    own("replicas", &["spec.replicas", "spec.minReplicas", "spec.maxReplicas"]),
    Declared { pods: ANNOTATIONS, ..own("required-annotations", ANNOTATIONS) },
    Declared { pods: LABELS, ..own("required-labels", LABELS) },
    pods("resource-requirements", &["spec.resources", "containers[*].resources"]),
    pods("root-filesystem", &["containers[*].securityContext"]),
    pods("run-as-group", SECURITY),
    pods("run-as-user", SECURITY),
    pods("seccomp", SECURITY),
    pods("secrets-in-env", &["containers[*].env", "containers[*].envFrom"]),
    pods("selinux", SECURITY),
    pods("service-account-token", &["spec.automountServiceAccountToken"]),
    own("service-types", &["spec.type", "spec.ports", "spec.allocateLoadBalancerNodePorts"]),
    pods("set-default-resources", &["containers[*].resources"]),
    pods("set-dns-config", &["spec.dnsConfig", "spec.dnsPolicy"]),
    pods("set-image-pull-policy", &["containers[*].imagePullPolicy"]),
    pods("set-priority-class", &["spec.priorityClassName"]),
    pods("set-runtime-class", &["spec.runtimeClassName"]),
    pods("set-seccomp", SECURITY),
    pods("set-security-context", SECURITY),
    pods("set-termination-grace", &["spec.terminationGracePeriodSeconds"]),
    pods("set-topology-spread", &["spec.topologySpreadConstraints"]),
    Declared { pods: &["spec.volumes"], ..own("storage-classes", STORAGE_CLASSES) },
    pods("sysctls", &["spec.securityContext"]),
    pods("termination-grace", &["spec.terminationGracePeriodSeconds"]),
    own(
        "topology-spread",
        &[
            "spec.replicas",
            "spec.template.metadata.labels",
            "spec.template.spec.topologySpreadConstraints",
            "spec.template.spec.affinity",
        ],
    ),
    own("unique-ingress-hosts", &["spec.rules"]),
    own("unique-service-selectors", &["spec.selector", "spec.type"]),
    pods("volume-types", &["spec.volumes"]),
    own("wildcard-rbac", RULES),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::MODULES;

    #[test]
    fn every_module_declares_what_it_looks_at() {
        let declared: Vec<&str> = DECLARED.iter().map(|row| row.id).collect();
        let modules: Vec<&str> = MODULES.iter().map(|module| module.id).collect();
        assert_eq!(declared, modules);
    }
}
