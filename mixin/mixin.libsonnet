// Stormcell as a Prometheus mixin: rules and dashboards as they lie in rules/ and grafana/dashboards/, with
// what a site has differently put in.
//
//   (import 'stormcell/mixin/mixin.libsonnet') + { _config+:: { runbookURL: 'https://git.example.com/stormcell/' } }
local groups = std.parseYaml(importstr '../rules/stormcell.yml').groups;

{
  _config+:: {
    // In front of the runbooks' path in this source: the address of your copy.
    runbookURL: '',
    // As browsers reach Stormcell, without a slash at the end; empty: what Stormcell tells (web.external_url), or
    // the address that is scraped.
    externalURL: '',
    // The severity that pages: of our pages, of the site's alerts that ring by themselves, and so of clusters.
    // It has to be a value of the label `severity`. The routes to the pager ask for it too.
    pageSeverity: 'critical',
    // Under which job Stormcell is scraped.
    job: 'stormcell',
    // The data sources of the dashboards.
    prometheusUID: 'prometheus',
    stormcellUID: 'stormcell',
  },

  local config = self._config,
  local told = '{{ with . | first | label "external_url" }}{{ . }}{{ else }}http://{{ . | first | label "instance" }}{{ end }}',
  local annotation(name, text) =
    if name == 'runbook_url' then config.runbookURL + text
    else if config.externalURL != '' then std.strReplace(text, told, config.externalURL)
    else text,
  local adapted(rule) = rule {
    expr: std.strReplace(
      std.strReplace(rule.expr, 'job="stormcell"', 'job="%s"' % config.job),
      'severity="critical"', 'severity="%s"' % config.pageSeverity
    ),
  } + (
    if 'alert' in rule then {
      annotations: std.mapWithKey(annotation, rule.annotations),
      labels+: {
        severity: if rule.labels.severity == 'critical' then config.pageSeverity else rule.labels.severity,
      },
    } else {}
  ),
  // All in one field and in their order: a rule that follows in its group sees what the one before has recorded
  // just now, in another group up to one evaluation later, and by so much pages would be late.
  prometheusRules+:: { groups: [] },
  prometheusAlerts+:: {
    groups: [group { rules: std.map(adapted, group.rules) } for group in groups],
  },

  local dashboard(text) = std.parseJson(
    std.strReplace(
      std.strReplace(text, '"uid": "prometheus"', '"uid": "%s"' % config.prometheusUID),
      '"uid": "stormcell"', '"uid": "%s"' % config.stormcellUID
    )
  ),
  grafanaDashboards+:: {
    'storm-room.json': dashboard(importstr '../grafana/dashboards/storm-room.json'),
    'history.json': dashboard(importstr '../grafana/dashboards/history.json'),
    'stormcell-itself.json': dashboard(importstr '../grafana/dashboards/stormcell-itself.json'),
  },
}
