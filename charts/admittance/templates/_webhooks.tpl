{{/*
What both configurations never send, whatever the policies are: a cluster that cannot write these cannot recover, or the
API server forbids it. Each condition reads the request alone and cannot fail: a failing condition would skip the webhook
in mode open, and refuse the request in mode closed.
*/}}
{{- define "admittance.matchConditions" -}}
# The API server's own requests.
- name: not-the-api-server
  expression: "!has(request.userInfo.username) || request.userInfo.username != 'system:apiserver'"
# Heartbeats of nodes, and what a new node needs in order to join.
- name: not-nodes
  expression: "request.resource.group != '' || request.resource.resource != 'nodes'"
- name: not-leases
  expression: "request.resource.group != 'coordination.k8s.io' || request.resource.resource != 'leases'"
- name: not-csi-nodes
  expression: "request.resource.group != 'storage.k8s.io' || request.resource.resource != 'csinodes'"
- name: not-certificate-requests
  expression: "request.resource.group != 'certificates.k8s.io' || request.resource.resource != 'certificatesigningrequests'"
- name: not-events
  expression: "!(request.resource.group in ['', 'events.k8s.io']) || request.resource.resource != 'events'"
# Questions that are stored nowhere: SubjectAccessReview, TokenReview and their like; tokens of service accounts.
- name: not-reviews
  expression: "!(request.resource.group in ['authentication.k8s.io', 'authorization.k8s.io'])"
- name: not-tokens
  expression: "request.resource.resource != 'serviceaccounts' || !has(request.subResource) || request.subResource != 'token'"
# What switches this webhook off.
- name: not-webhook-configurations
  expression: "request.resource.group != 'admissionregistration.k8s.io' || !(request.resource.resource in ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'])"
# What the chart makes outside of its namespace: without it, nothing could be upgraded while the webhook is down.
- name: not-own-roles
  expression: "request.resource.group != 'rbac.authorization.k8s.io' || !(request.resource.resource in ['clusterroles', 'clusterrolebindings']) || request.name != '{{ include "admittance.name" . }}'"
{{- with .Values.policies.namespaces }}
# What repairs a policy, outside of the own namespace, which is exempt as a whole.
- name: not-policy-config-maps
  expression: "request.resource.group != '' || request.resource.resource != 'configmaps' || !has(request.namespace) || !(request.namespace in {{ include "admittance.celStrings" . }})"
- name: not-own-roles-beside-policies
  expression: "request.resource.group != 'rbac.authorization.k8s.io' || request.name != '{{ include "admittance.name" $ }}-policies' || !has(request.namespace) || !(request.namespace in {{ include "admittance.celStrings" . }})"
{{- end }}
# Custom objects outside of namespaces that agents of the exempt namespaces keep: addresses of pods, nodes to come.
- name: not-agents-of-exempt-namespaces
  expression: "has(request.namespace) && request.namespace != '' || !request.resource.group.contains('.') || request.resource.group.endsWith('.k8s.io') || !has(request.userInfo.groups) || !request.userInfo.groups.exists(group, group in {{ include "admittance.exemptGroups" . }})"
{{- end }}

{{/* A list of strings in CEL. Names of namespaces hold no quotes: the schema sees to it. */}}
{{- define "admittance.celStrings" -}}
['{{ uniq . | sortAlpha | join "', '" }}']
{{- end }}

{{- define "admittance.exemptGroups" -}}
{{- $groups := list -}}
{{- range include "admittance.exemptNamespaces" . | fromJsonArray -}}
{{- $groups = append $groups (printf "system:serviceaccounts:%s" .) -}}
{{- end -}}
{{- include "admittance.celStrings" $groups -}}
{{- end }}

{{/* What all entries have in common, besides what is matched. Takes the root and the path. */}}
{{- define "admittance.entry" -}}
admissionReviewVersions: [v1]
sideEffects: None
timeoutSeconds: {{ .root.Values.webhook.timeoutSeconds }}
matchPolicy: Equivalent
clientConfig:
  service: { namespace: {{ .root.Release.Namespace }}, name: {{ include "admittance.name" .root }}, path: {{ .path }}, port: 443 }
  {{- /* Managed: the webhook writes it, as a field of its own. cert-manager's injector writes it too. */}}
  {{- if eq .root.Values.certificates.mode "files" }}
  caBundle: {{ .root.Values.certificates.caBundle | trim | printf "%s\n" | b64enc }}
  {{- end }}
{{- end }}

{{/* Whom and when the entries for all objects are asked about. */}}
{{- define "admittance.everything" -}}
failurePolicy: {{ eq .Values.mode "closed" | ternary "Fail" "Ignore" }}
namespaceSelector:
  matchExpressions:
    - { key: kubernetes.io/metadata.name, operator: NotIn, values: {{ include "admittance.exemptNamespaces" . }} }
objectSelector: {}
matchConditions:
  {{- include "admittance.matchConditions" . | nindent 2 }}
{{- end }}

{{- define "admittance.configurationMetadata" -}}
name: {{ include "admittance.name" . }}
labels:
  {{- include "admittance.labels" . | nindent 2 }}
{{- if eq .Values.certificates.mode "certManager" }}
annotations:
  cert-manager.io/inject-ca-from: {{ .Release.Namespace }}/{{ include "admittance.name" . }}
{{- end }}
{{- end }}
