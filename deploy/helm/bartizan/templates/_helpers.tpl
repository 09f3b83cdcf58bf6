{{- define "bartizan.name" -}}
{{- if contains "bartizan" .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-bartizan" .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- /* What tells the pods of this release. */ -}}
{{- define "bartizan.selector" -}}
app.kubernetes.io/name: bartizan
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "bartizan.labels" -}}
{{ include "bartizan.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "bartizan.serviceAccount" -}}
{{- default (include "bartizan.name" .) .Values.serviceAccount.name -}}
{{- end -}}

{{- define "bartizan.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{- /* The file `bartizan.yaml`: the values' configuration under what the pod needs. */ -}}
{{- define "bartizan.config" -}}
{{- $server := dict "listen" "0.0.0.0:8000" -}}
{{- if .Values.tls.enabled -}}
{{- $tls := dict "enabled" true "cert_file" "/etc/bartizan-tls/tls.crt" "key_file" "/etc/bartizan-tls/tls.key" -}}
{{- $_ := set $server "tls" $tls -}}
{{- else -}}
{{- $_ := set $server "allow-plain-text-beyond-loopback" true -}}
{{- end -}}
{{- $key := dict "from" "environment" "name" "BARTIZAN_MASTER_KEY" -}}
{{- $own := dict "data" "/var/lib/bartizan" "server" $server "secrets" (dict "master-key" $key) -}}
{{- mergeOverwrite (deepCopy .Values.config) $own | toYaml -}}
{{- end -}}

{{- /* Replicas that share nothing would each have keys and budgets of their own. */ -}}
{{- define "bartizan.check" -}}
{{- $several := or .Values.autoscaling.enabled (gt (int .Values.replicas) 1) -}}
{{- if and $several (not .Values.configSecret) -}}
{{- $place := dig "store" "place" "" .Values.config -}}
{{- if not (hasPrefix "postgres" $place) -}}
{{- fail "more than one replica needs `config.store.place` at PostgreSQL (or `configSecret`)" -}}
{{- end -}}
{{- if ne (dig "limits" "store" "kind" "" .Values.config) "redis" -}}
{{- fail "more than one replica needs `config.limits.store` of kind `redis` (or `configSecret`)" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.networkPolicy.enabled (empty .Values.networkPolicy.clients) -}}
{{- fail "`networkPolicy.clients` names nobody, so that nobody could ask" -}}
{{- end -}}
{{- end -}}

{{- /* A peer of a network policy: a namespace by the label that Kubernetes sets itself, and pods. */ -}}
{{- define "bartizan.peer" -}}
- namespaceSelector:
    matchLabels:
      kubernetes.io/metadata.name: {{ .namespace | quote }}
  podSelector:
    matchLabels:
      {{- toYaml .podLabels | nindent 6 }}
{{- end -}}
