{{- define "operator.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{- define "operator.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- $generated := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- .Values.fullnameOverride | default $generated | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{- define "operator.configName" -}}
{{- include "operator.fullname" . | trunc 56 | trimSuffix "-" }}-config
{{- end }}

{{/* Names the ServiceAccount and, as in the original, its ClusterRole and bindings. */}}
{{- define "operator.serviceAccountName" -}}
{{- $default := .Values.serviceAccount.create | ternary (include "operator.fullname" .) "default" -}}
{{- .Values.serviceAccount.name | default $default -}}
{{- end }}

{{/* Text stays as it is; a map becomes YAML; empty text means none. */}}
{{- define "operator.config" -}}
{{- $config := .Values.operatorConfig -}}
{{- if kindIs "invalid" $config -}}
{{- $config = .Files.Get "files/default-config.yaml" -}}
{{- end -}}
{{- if $config -}}
{{- kindIs "string" $config | ternary $config (toYaml $config) -}}
{{- end -}}
{{- end }}

{{/* Immutable once installed. The chart's own labels win over the user's. */}}
{{- define "operator.selectorLabels" -}}
{{- $own := dict "app.kubernetes.io/name" (include "operator.name" .) "app.kubernetes.io/instance" .Release.Name -}}
{{- merge $own (.Values.extraLabelsSelector | default dict) | toYaml -}}
{{- end }}

{{- define "operator.labels" -}}
{{- $own := include "operator.selectorLabels" . | fromYaml -}}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") -}}
{{- $_ := set $own "app.kubernetes.io/version" .Chart.AppVersion -}}
{{- $_ := set $own "app.kubernetes.io/managed-by" .Release.Service -}}
{{- merge $own (.Values.extraLabels | default dict) | toYaml -}}
{{- end }}
