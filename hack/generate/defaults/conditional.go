package main

import (
	"math"
	"reflect"

	corev1 "k8s.io/api/core/v1"
)

func is(path string, values ...any) Condition { return Condition{Path: path, In: values} }

func has(path string) Condition {
	there := true
	return Condition{Path: path, Present: &there}
}

func lacks(path string) Condition {
	there := false
	return Condition{Path: path, Present: &there}
}

// conditional are the rules that depend on other fields, which no probe of bare structs can find. They follow
// SetDefaults_… in k8s.io/kubernetes v1.36.3, pkg/apis/{core,apps,batch}/v1/defaults.go, and the conversions to and from
// the internal types in conversion.go beside it (service accounts, annotations of old, kinds of claims, rollingUpdate
// that has no absence inside). Random objects prove them complete (random.go).
var conditional = map[string][]Rule{
	"Container":          {{Set: "imagePullPolicy", PullPolicy: "image"}},
	"EphemeralContainer": {{Set: "imagePullPolicy", PullPolicy: "image"}},
	"ImageVolumeSource":  {{Set: "pullPolicy", PullPolicy: "reference"}},
	"PodSpec": {
		{Set: "serviceAccountName", Copy: "serviceAccount"},
		{Set: "serviceAccount", Copy: "serviceAccountName", Replace: true},
	},
	"Pod": append(initContainerAnnotations(), []Rule{
		{Set: "spec.terminationGracePeriodSeconds", To: 1, Replace: true, If: []Condition{{Path: "spec.terminationGracePeriodSeconds", Below: new(int)}}},
		{Set: "spec.containers[].resources.requests", Keys: "limits"},
		{Set: "spec.initContainers[].resources.requests", Keys: "limits"},
		{Named: "pod-level-resources"},
		{Set: "spec.containers[].ports[].hostPort", Sibling: "containerPort", If: []Condition{is("spec.hostNetwork", true)}},
		{Set: "spec.initContainers[].ports[].hostPort", Sibling: "containerPort", If: []Condition{is("spec.hostNetwork", true)}},
	}...),
	"DaemonSet": {{Set: "metadata.annotations[deprecated.daemonset.template.generation]", To: "0"}},
	"Deployment": {
		{Remove: "metadata.annotations[deprecated.deployment.rollback.to]", If: []Condition{is("metadata.annotations[deprecated.deployment.rollback.to]", "")}},
	},
	"PodStatus":       {{Named: "pod-ips"}},
	"PodTemplateSpec": initContainerAnnotations(),
	"ReplicationController": {
		{Set: "spec.selector", Copy: "spec.template.metadata.labels"},
		{Set: "metadata.labels", Copy: "spec.template.metadata.labels"},
	},
	"ServicePort": {{Set: "targetPort", Copy: "port", Over: []any{""}}},
	"ServiceSpec": {
		{Set: "sessionAffinity", To: "None"},
		{Remove: "sessionAffinityConfig", If: []Condition{is("sessionAffinity", "None")}},
		{Set: "sessionAffinityConfig.clientIP.timeoutSeconds", To: 10800, If: []Condition{is("sessionAffinity", "ClientIP")}},
		{Set: "type", To: "ClusterIP"},
		{Set: "externalTrafficPolicy", To: "Cluster", If: []Condition{is("type", "LoadBalancer", "NodePort")}},
		{Set: "externalTrafficPolicy", To: "Cluster", If: []Condition{is("type", "ClusterIP"), has("externalIPs")}},
		{Set: "internalTrafficPolicy", To: "Cluster", If: []Condition{is("type", "ClusterIP", "LoadBalancer", "NodePort")}},
		{Set: "allocateLoadBalancerNodePorts", To: true, If: []Condition{is("type", "LoadBalancer")}},
	},
	"Service": {
		{Set: "status.loadBalancer.ingress[].ipMode", To: "VIP", If: []Condition{is("spec.type", "LoadBalancer"), has("status.loadBalancer.ingress[].ip")}},
	},
	"DeploymentStrategy": {
		{Set: "type", To: "RollingUpdate"},
		{Set: "rollingUpdate.maxUnavailable", To: "25%", If: []Condition{is("type", "RollingUpdate")}},
		{Set: "rollingUpdate.maxSurge", To: "25%", If: []Condition{is("type", "RollingUpdate")}},
		{Set: "rollingUpdate.maxUnavailable", To: 0, If: []Condition{has("rollingUpdate")}},
		{Set: "rollingUpdate.maxSurge", To: 0, If: []Condition{has("rollingUpdate")}},
	},
	"DaemonSetUpdateStrategy": {
		{Set: "type", To: "RollingUpdate"},
		{Set: "rollingUpdate.maxUnavailable", To: 1, If: []Condition{is("type", "RollingUpdate")}},
		{Set: "rollingUpdate.maxSurge", To: 0, If: []Condition{is("type", "RollingUpdate")}},
		// The internal type knows no absence here.
		{Set: "rollingUpdate.maxUnavailable", To: 0, If: []Condition{has("rollingUpdate")}},
		{Set: "rollingUpdate.maxSurge", To: 0, If: []Condition{has("rollingUpdate")}},
	},
	"StatefulSetUpdateStrategy": {
		{Set: "rollingUpdate", To: map[string]any{}, If: []Condition{lacks("type")}},
		{Set: "type", To: "RollingUpdate"},
		{Set: "rollingUpdate.partition", To: 0, If: []Condition{has("rollingUpdate")}},
	},
	"StatefulSet": {
		{Set: "spec.volumeClaimTemplates[].apiVersion", To: "v1", Replace: true},
		{Set: "spec.volumeClaimTemplates[].kind", To: "PersistentVolumeClaim", Replace: true},
	},
	"Job": {
		{Set: "spec.completions", To: 1, If: []Condition{lacks("spec.parallelism")}},
		{Set: "spec.parallelism", To: 1},
		{Set: "spec.backoffLimit", To: math.MaxInt32, If: []Condition{has("spec.backoffLimitPerIndex")}},
		{Set: "spec.backoffLimit", To: 6},
		{Set: "spec.podReplacementPolicy", To: "Failed", If: []Condition{has("spec.podFailurePolicy")}},
		{Set: "spec.podReplacementPolicy", To: "TerminatingOrFailed"},
		{Set: "metadata.labels", Copy: "spec.template.metadata.labels"},
	},
	"Volume": {{Set: "emptyDir", To: map[string]any{}, If: withoutSource()}},
}

// withoutSource holds for a volume that has none of the sources there are.
func withoutSource() []Condition {
	var none []Condition
	for _, source := range jsonFields(reflect.TypeFor[corev1.VolumeSource]()) {
		none = append(none, lacks(source.name))
	}
	return none
}

// initContainerAnnotations are dropped from whatever holds a pod's metadata, lest old kubelets heed them.
func initContainerAnnotations() (rules []Rule) {
	for _, key := range []string{
		"pod.beta.kubernetes.io/init-containers", "pod.alpha.kubernetes.io/init-containers",
		"pod.beta.kubernetes.io/init-container-statuses", "pod.alpha.kubernetes.io/init-container-statuses",
	} {
		rules = append(rules, Rule{Remove: "metadata.annotations[" + key + "]"})
	}
	return rules
}
