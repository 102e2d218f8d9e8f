{{/* The alerts, as a list of rules. Takes the root. Each has a page in docs/runbooks. */}}
{{- define "admittance.alerts" -}}
{{- $name := include "admittance.name" . -}}
{{- $pods := .Values.prometheusRule.selector | default (printf `job="%s-metrics",namespace="%s"` $name .Release.Namespace) -}}
{{- $entries := `name=~"(mutate|validate)[.]admittance[.]dev"` -}}
- alert: AdmittanceDown
  expr: absent(up{ {{- $pods -}} } == 1)
  for: 2m
  labels: { severity: critical }
  annotations:
    summary: No replica of Admittance answers
    description: {{ eq .Values.mode "closed" | ternary "Writes outside of the exempt namespaces are refused." "Writes pass without being judged." }}
- alert: AdmittanceUnitBroken
  expr: max(admittance_units_broken{ {{- $pods -}} }) > 0
  for: 5m
  labels: { severity: warning }
  annotations:
    summary: Policies are broken
    description: "{{`{{ $value }}`}} ConfigMaps or files of policies do not compile. The last good version of each runs, where there is one."
- alert: AdmittancePoliciesStale
  expr: max(admittance_units{ {{- $pods }},state="stale"}) > 0
  for: 1d
  labels: { severity: warning }
  annotations:
    summary: Old versions of policies have been running for a day
    description: "{{`{{ $value }}`}} ConfigMaps or files of policies have been broken for a day: what runs is not what they say."
- alert: AdmittanceReplicasDisagree
  expr: count(count by (digest) (admittance_policy_set_info{ {{- $pods -}} } == 1)) > 1
  for: 1m
  labels: { severity: critical }
  annotations:
    summary: Replicas of Admittance run different policies
    description: "There are {{`{{ $value }}`}} different sets of policies: what becomes of a request depends on the replica that it meets."
- alert: AdmittanceUnreached
  expr: max(admittance_policies_unreached{ {{- $pods -}} }) > 0
  for: 15m
  labels: { severity: warning }
  annotations:
    summary: Policies are never asked
    description: "The webhook configurations do not send what {{`{{ $value }}`}} policies are about."
- alert: AdmittanceTwinsStale
  expr: max(admittance_twins{ {{- $pods }},state=~"stale|missing"}) > 0
  for: 1h
  labels: { severity: warning }
  annotations:
    summary: The API server's own copies of policies are out of date
    description: "{{`{{ $value }}`}} twins of policies are stale or missing: while no pod answers, something else is checked than the policies say."
- alert: AdmittanceCertificateExpires
  expr: min(admittance_certificate_expiry_timestamp_seconds{ {{- $pods -}} }) - time() < {{ include "admittance.expirySeconds" . }}
  for: 5m
  labels: { severity: critical }
  annotations:
    summary: The certificate of Admittance ends soon
    description: "It ends in {{`{{ $value | humanizeDuration }}`}} and has not been renewed. The API server will then take no answer."
- alert: AdmittanceFailsOpen
  # A counter begins with its first event: a series that was not there ten minutes ago counts as a whole.
  expr: |-
    sum by (name) (
      increase(apiserver_admission_webhook_fail_open_count{ {{- $entries -}} }[10m]) > 0
      or
      (apiserver_admission_webhook_fail_open_count{ {{- $entries -}} } > 0 unless apiserver_admission_webhook_fail_open_count{ {{- $entries -}} } offset 10m)
    ) > 0
  labels: { severity: critical }
  annotations:
    summary: Requests passed unchecked
    description: "The API server could not ask {{`{{ $labels.name }}`}} about {{`{{ $value | humanize }}`}} requests of the last ten minutes and let them pass."
- alert: AdmittanceFailsClosed
  expr: |-
    sum by (name) (
      increase(apiserver_admission_webhook_rejection_count{ {{- $entries -}} ,error_type="calling_webhook_error"}[10m]) > 0
      or
      (apiserver_admission_webhook_rejection_count{ {{- $entries -}} ,error_type="calling_webhook_error"} > 0 unless apiserver_admission_webhook_rejection_count{ {{- $entries -}} ,error_type="calling_webhook_error"} offset 10m)
    ) > 0
  labels: { severity: critical }
  annotations:
    summary: Requests were refused because nobody judged them
    description: "The API server could not ask {{`{{ $labels.name }}`}} about {{`{{ $value | humanize }}`}} requests of the last ten minutes and refused them."
- alert: AdmittanceErrors
  expr: sum by (policy) (increase(admittance_policy_findings_total{ {{- $pods }},action="Error"}[10m])) > 0
  for: 5m
  labels: { severity: warning }
  annotations:
    summary: A policy cannot be evaluated
    description: "{{`{{ $labels.policy }}`}} failed {{`{{ $value | humanize }}`}} times in ten minutes. Its failurePolicy decided instead of it."
- alert: AdmittanceSlow
  expr: histogram_quantile(0.99, sum by (le, route) (rate(admittance_request_duration_seconds_bucket{ {{- $pods -}} }[5m]))) > 0.5
  for: 10m
  labels: { severity: warning }
  annotations:
    summary: Answers take long
    description: "One answer in a hundred on /{{`{{ $labels.route }}`}} takes {{`{{ $value | humanizeDuration }}`}} or more. The API server waits {{ .Values.webhook.timeoutSeconds }}s."
- alert: AdmittanceShedding
  expr: sum(increase(admittance_shed_total{ {{- $pods -}} }[5m])) > 0
  for: 2m
  labels: { severity: warning }
  annotations:
    summary: Requests are refused because there are too many
    description: "{{`{{ $value | humanize }}`}} requests were turned away in five minutes."
{{- end }}

{{/* When a certificate has been renewed for long if anything renews it: a week before its end, or a tenth of its life. */}}
{{- define "admittance.expirySeconds" -}}
{{- if eq .Values.certificates.mode "files" -}}
604800
{{- else -}}
{{ min 604800 (div (include "admittance.seconds" .Values.certificates.life | int64) 10) }}
{{- end -}}
{{- end }}
