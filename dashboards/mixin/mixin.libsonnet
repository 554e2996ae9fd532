// The same rules and dashboards for those who deploy by jsonnet, Helm or kustomize. Override _config:
//   (import 'mixin.libsonnet') + { _config+:: { severity+: { page: 'critical', ticket: 'warning' } } }
// _config is dashboards/settings.json; what its words stand for is as in dashboards/generate.py, and tests compare both.
// The dashboards are made for settings.json's host_labels, job and thresholds: other ones need generate.py.
{
  local settings = import '../settings.json',
  local sources = importstr 'rules.json',
  _config:: settings,

  local config = self._config,
  local labels = config.host_labels,
  local peers = std.filter(function(name) name != 'instance', labels),
  local more = std.filter(function(name) name != 'job', peers),
  local matchers(names) = std.join(',', [name + '=%q' for name in names]),
  local maybe(name) = '(index $labels "' + name + '")',
  local arguments(names) = std.join(' ', [if std.member(more, name) then maybe(name) else '$labels.' + name for name in names]),
  local with(format) = std.join('', [std.strReplace(format, 'NAME', name) for name in more]),
  local match = matchers(labels),
  local args = arguments(labels),
  local up = 'up{job=~\\"' + config.job + '\\"',
  local own = config.scheme + '://{{ $labels.instance }}/runbooks',
  local elsewhere = '{{ with printf "topk(1, 2 * (' + up + ',' + match + '} == 1) or ' + up + '} == 1)" ' + std.join(' ', std.map(maybe, labels)) +
                    ' | query }}' +
                    config.scheme + '://{{ . | first | label "instance" }}/runbooks',
  local words = {
    host: std.join(', ', labels),
    peers: std.join(', ', peers),
    match: match,
    args: args,
    peer_match: matchers(peers),
    peer_args: arguments(peers),
    link: 'var-job={{ $labels.job | urlquery }}&var-instance={{ $labels.instance | urlquery }}' +
          with('{{ with $labels.NAME }}&var-NAME={{ . | urlquery }}{{ end }}'),
    place: with('{{ with $labels.NAME }} of NAME {{ . }}{{ end }}'),
    job: config.job,
    runbooks: if config.runbooks == '' then own else config.runbooks,
    elsewhere: if config.runbooks == '' then elsewhere else config.runbooks,
    end: if config.runbooks == '' then '{{ end }}' else '',
    if_ours: '{{ if match "^(?:' + config.job + ')$" $labels.job }}',
    grafana: config.grafana,
    windows: config.windows_exporter,
    node: config.node_exporter,
    and_node: if config.node_exporter == '' then '' else ', ' + config.node_exporter,
  } + config.severity + { [name]: '%g' % config.thresholds[name] for name in std.objectFields(config.thresholds) },

  // In a JSON text a value stands without the quotes around it.
  local inside(value) = local text = std.manifestJsonEx(value, ''); std.substr(text, 1, std.length(text) - 2),
  local fill(text, name) = std.strReplace(text, '<<' + name + '>>', inside(words[name])),
  local files = std.parseJson(std.foldl(fill, std.objectFields(words), sources)),

  // All files, and the rules of those that _config.mixin_rules names: add 'kmem-windows-exporter' or 'kmem-node-exporter' where
  // you scrape it. Both record the same series for the same floors, which promtool takes for duplicates.
  prometheusRulesFiles:: files,
  prometheusRules:: { groups: std.flattenArrays([files[name + '.rules.yml'].groups for name in config.mixin_rules]) },
  prometheusAlerts:: { groups: [
    group { rules: [rule for rule in group.rules if std.objectHas(rule, 'alert')] }
    for group in $.prometheusRules.groups
    if std.length([rule for rule in group.rules if std.objectHas(rule, 'alert')]) > 0
  ] },
  grafanaDashboards:: {
    'kmem-exporter.json': import '../grafana/kmem-exporter.json',
    'kmem-fleet.json': import '../grafana/kmem-fleet.json',
    'kmem-host.json': import '../grafana/kmem-host.json',
    'kmem-leak.json': import '../grafana/kmem-leak.json',
  },
}
