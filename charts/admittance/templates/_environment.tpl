{{/* What the server is told, as a list of variables: `admittance serve --help` says what each means. */}}
{{- define "admittance.environment" -}}
{{- $name := include "admittance.name" . -}}
- { name: ADMITTANCE_LISTEN, value: {{ printf "%s:%d" .Values.listenAddress (int .Values.ports.webhook) | quote }} }
- { name: ADMITTANCE_METRICS_LISTEN, value: {{ printf "%s:%d" .Values.listenAddress (int .Values.ports.metrics) | quote }} }
- { name: ADMITTANCE_CONFIG_MAPS, value: "true" }
{{- with .Values.policies.namespaces }}
- { name: ADMITTANCE_CONFIG_MAPS_FROM, value: {{ uniq . | sortAlpha | join "," | quote }} }
{{- end }}
{{- if ne .Values.policies.tests "honoured" }}
- { name: ADMITTANCE_TESTS, value: {{ .Values.policies.tests }} }
{{- end }}
- { name: ADMITTANCE_WEBHOOK_CONFIGURATION, value: {{ $name }} }
{{- if .Values.twins.enabled }}
- { name: ADMITTANCE_TWINS, value: "true" }
{{- end }}
{{- if eq .Values.certificates.mode "managed" }}
- { name: ADMITTANCE_SERVICE, value: {{ $name }} }
- { name: ADMITTANCE_CERTIFICATE_SECRET, value: {{ include "admittance.certificateSecret" . }} }
- { name: ADMITTANCE_CERTIFICATE_LIFE, value: {{ .Values.certificates.life }} }
{{- else }}
- { name: ADMITTANCE_TLS_CERT, value: /tls/tls.crt }
- { name: ADMITTANCE_TLS_KEY, value: /tls/tls.key }
{{- end }}
{{- if .Values.webhook.clientCA.configMap }}
- { name: ADMITTANCE_CLIENT_CA, value: /client-ca/ca.crt }
{{- end }}
- { name: ADMITTANCE_MAX_REQUESTS, value: {{ .Values.maxRequests | quote }} }
- { name: ADMITTANCE_CONNECTION_AGE, value: {{ .Values.connectionAge }} }
- { name: ADMITTANCE_DRAIN_SECONDS, value: {{ .Values.drainSeconds | quote }} }
{{- if .Values.explain.enabled }}
- { name: ADMITTANCE_EXPLAIN, value: "true" }
- { name: ADMITTANCE_EXPLAIN_BUFFER, value: {{ .Values.explain.bufferMiB | quote }} }
- { name: ADMITTANCE_EXPLAIN_ONE_IN, value: {{ .Values.explain.oneIn | quote }} }
{{- end }}
{{- with .Values.record }}
{{- if .enabled }}
- { name: ADMITTANCE_RECORD, value: /recordings }
- { name: ADMITTANCE_RECORD_MAX_MIB, value: {{ .maxMebibytes | quote }} }
- { name: ADMITTANCE_RECORD_SAMPLE, value: {{ .sample | quote }} }
{{- with .namespaces }}
- { name: ADMITTANCE_RECORD_NAMESPACES, value: {{ join "," . | quote }} }
{{- end }}
{{- end }}
{{- with .redact }}
- { name: ADMITTANCE_REDACT, value: {{ join ";" . | quote }} }
{{- end }}
{{- end }}
- { name: ADMITTANCE_LOG_FORMAT, value: {{ .Values.logs.format }} }
- { name: ADMITTANCE_LOG, value: {{ .Values.logs.level | quote }} }
{{- end }}
