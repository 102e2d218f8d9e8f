{{- define "admittance.name" -}}
{{ .Values.fullnameOverride | default "admittance" }}
{{- end }}

{{/* What selects the pods: never changes, not by a new version either. */}}
{{- define "admittance.selector" -}}
app.kubernetes.io/name: admittance
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: webhook
{{- end }}

{{- define "admittance.labels" -}}
app.kubernetes.io/name: admittance
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "admittance.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{- define "admittance.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default (include "admittance.name" .) }}
{{- else -}}
{{ .Values.serviceAccount.name | default "default" }}
{{- end -}}
{{- end }}

{{- define "admittance.certificateSecret" -}}
{{- $suffix := eq .Values.certificates.mode "managed" | ternary "certificates" "tls" -}}
{{ .Values.certificates.secretName | default (printf "%s-%s" (include "admittance.name" .) $suffix) }}
{{- end }}

{{/* `90d`, `12h`, `30m`, `45s` in seconds. */}}
{{- define "admittance.seconds" -}}
{{- $unit := trimAll "0123456789" . -}}
{{- mul (trimSuffix $unit . | int64) (get (dict "s" 1 "m" 60 "h" 3600 "d" 86400) $unit) -}}
{{- end }}

{{/* How long a pod may take to end: draining, then the last answers, and a reserve. */}}
{{- define "admittance.terminationSeconds" -}}
{{ add .Values.drainSeconds .Values.webhook.timeoutSeconds 10 }}
{{- end }}

{{/* Namespaces that are not judged, as a JSON list. */}}
{{- define "admittance.exemptNamespaces" -}}
{{ concat (list "kube-system" "kube-node-lease" .Release.Namespace) .Values.exemptNamespaces | uniq | sortAlpha | toJson }}
{{- end }}

{{/* Namespaces of policy ConfigMaps, as a JSON list. */}}
{{- define "admittance.policyNamespaces" -}}
{{ concat (list .Release.Namespace) .Values.policies.namespaces | uniq | sortAlpha | toJson }}
{{- end }}

{{- define "admittance.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{- define "admittance.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile: { type: RuntimeDefault }
{{- end }}
