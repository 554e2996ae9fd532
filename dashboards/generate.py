#!/usr/bin/env python3
"""Writes rules, Alertmanager's example, the mixin's rules and Grafana's dashboards from source/ and settings.json.

  generate.py [--settings FILE] [--out FOLDER]    FOLDER: this one unless told otherwise

host_labels   what tells one exporter from another: every join, link and variable keeps them; job and instance are two of them
severity      the label's value for what wakes people, and for what waits for Monday
job           regular expression of the exporters' scrape jobs
time_zone     whose nights and weekends Alertmanager's example mutes, as in Europe/Berlin
runbooks      prefix of the runbooks' addresses; "" stands for the exporter's own pages, at SCHEME://INSTANCE/runbooks. An
              alert that no exporter stands behind then leads to any that is up, and has no link where none is
windows_exporter, node_exporter   matchers of the hosts whose other exporters are judged, as in `job="windows"`
mixin_rules   the files whose rules the mixin's prometheusRules and prometheusAlerts are"""

import argparse
import glob
import json
import os
import re
import runpy
import zoneinfo

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.join(HERE, "source")
MARK = re.compile(r"<<([a-z_]+)>>")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def refuse(what):
    raise SystemExit(f"generate: {what}")


def same_keys(found, wanted, where=""):
    """Every key of the shipped settings and no other, so that none is mistyped."""
    for name in found:
        if name not in wanted:
            refuse(f"{where}{name} is no setting; there are {sorted(wanted)}")
    for name, value in wanted.items():
        if name not in found:
            refuse(f"{where}{name} is missing")
        if isinstance(value, dict):
            if not isinstance(found[name], dict):
                refuse(f"{where}{name}: want {sorted(value)}: {found[name]!r}")
            same_keys(found[name], value, f"{where}{name}.")


def checked_words(settings):
    if settings["scheme"] not in ("http", "https"):
        refuse(f"scheme: want http or https: {settings['scheme']!r}")
    try:
        re.compile(settings["job"])
    except re.error as error:
        refuse(f"job: no regular expression: {settings['job']!r}: {error}")
    zone, zones = settings["time_zone"], zoneinfo.available_timezones()
    if not re.fullmatch(r"[A-Za-z0-9_+/-]+", zone) or zones and zone not in zones:
        refuse(f"time_zone: want a name as in Europe/Berlin: {zone!r}")
    for name in ("runbooks", "grafana"):
        if settings[name] and not re.fullmatch(r"https?://\S*[^\s/]", settings[name]):
            refuse(f"{name}: want http://... or https://..., without a / at the end: {settings[name]!r}")


def checked_thresholds(shares):
    for name, value in shares.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0 or "near" in name and value > 1:
            refuse(f"thresholds.{name}: want {'a share of 1' if 'near' in name else 'days'}: {value!r}")
    if shares["days_page"] > shares["days_ticket"]:
        refuse("thresholds: days_page is more than days_ticket, so that pages would come before tickets")
    for what in ("pool", "commit"):
        if shares[what + "_near_page"] < shares[what + "_near_ticket"]:
            refuse(f"thresholds: {what}_near_page is less than {what}_near_ticket, so that pages would come before tickets")


def checked(settings):
    same_keys(settings, json.loads(read(os.path.join(HERE, "settings.json"))))
    checked_words(settings)
    checked_thresholds(settings["thresholds"])
    labels, severity = settings["host_labels"], settings["severity"]
    if not {"job", "instance"} <= set(labels) or len(set(labels)) != len(labels):
        refuse(f"host_labels: want job, instance and any others, once each: {labels}")
    for name in [*labels, *severity.values()]:
        if not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name):
            refuse(f"not a name: {name!r}")
    if severity["page"] == severity["ticket"]:
        refuse(f"severity: want two values, page and ticket: {severity}")
    known = {os.path.basename(path).removesuffix(".rules.yml") for path in glob.glob(os.path.join(SOURCE, "*.rules.yml"))}
    if not set(settings["mixin_rules"]) <= known:
        refuse(f"mixin_rules: there are {sorted(known)}: {settings['mixin_rules']}")
    return settings


def words(settings):
    """What stands for each <<word>> of the sources. mixin.libsonnet says the same in jsonnet."""
    labels = settings["host_labels"]
    peers = [name for name in labels if name != "instance"]
    more = [name for name in labels if name not in ("job", "instance")]
    job = settings["job"]
    match = ",".join(name + "=%q" for name in labels)
    # A label that a series lacks is "" to index, and no value at all to vmalert otherwise.
    maybe = {name: f'(index $labels "{name}")' for name in labels}
    of = {name: maybe[name] if name in more else "$labels." + name for name in labels}
    args = " ".join(of[name] for name in labels)
    live = f'2 * (up{{job=~\\"{job}\\",{match}}} == 1) or up{{job=~\\"{job}\\"}} == 1'
    own = f"{settings['scheme']}://{{{{ $labels.instance }}}}/runbooks"
    # The alert's own host where it has the exporter, or any that has: all serve the same pages. An alert of a job has no host.
    elsewhere = (
        f'{{{{ with printf "topk(1, {live})" {" ".join(maybe.values())} | query }}}}'
        f'{settings["scheme"]}://{{{{ . | first | label "instance" }}}}/runbooks'
    )
    return {
        "host": ", ".join(labels),
        "peers": ", ".join(peers),
        "match": match,
        "args": args,
        "peer_match": ",".join(name + "=%q" for name in peers),
        "peer_args": " ".join(of[name] for name in peers),
        "link": "var-job={{ $labels.job | urlquery }}&var-instance={{ $labels.instance | urlquery }}"
        + "".join(f"{{{{ with $labels.{name} }}}}&var-{name}={{{{ . | urlquery }}}}{{{{ end }}}}" for name in more),
        "place": "".join(f"{{{{ with $labels.{name} }}}} of {name} {{{{ . }}}}{{{{ end }}}}" for name in more),
        # The same in Alertmanager's templates, of what all alerts of a message share.
        "common_place": "".join(f"{{{{ with .CommonLabels.{name} }}}} of {name} {{{{ . }}}}{{{{ end }}}}" for name in more),
        "job": job,
        "time_zone": settings["time_zone"],
        "runbooks": settings["runbooks"] or own,
        "elsewhere": settings["runbooks"] or elsewhere,
        "end": "" if settings["runbooks"] else "{{ end }}",
        # The floors judge hosts of other exporters, too, whom no dashboard knows.
        "if_ours": f'{{{{ if match "^(?:{job})$" $labels.job }}}}',
        "grafana": settings["grafana"],
        "windows": settings["windows_exporter"],
        "node": settings["node_exporter"],
        "and_node": settings["node_exporter"] and ", " + settings["node_exporter"],
        **settings["severity"],
        **{name: f"{value:g}" for name, value in settings["thresholds"].items()},
    }


def filled(text, settings):
    known = words(settings)
    return MARK.sub(lambda found: known[found[1]], text)


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", default=os.path.join(HERE, "settings.json"))
    parser.add_argument("--out", default=HERE)
    chosen = parser.parse_args(arguments)
    settings = checked(json.loads(read(chosen.settings)))
    rules = {}
    for path in sorted(glob.glob(os.path.join(SOURCE, "*.rules.yml"))):
        text, name = read(path), os.path.basename(path)
        rules[name] = yaml.safe_load(text)
        note = f"# Written by dashboards/generate.py from source/{name}: change that, or settings.json.\n"
        write(os.path.join(chosen.out, "prometheus", name), note + filled(text, settings))
    write(os.path.join(chosen.out, "mixin/rules.json"), json.dumps(rules, indent=1) + "\n")
    for name in ("alertmanager.yml", "kmem.tmpl"):
        write(os.path.join(chosen.out, "alertmanager", name), filled(read(os.path.join(SOURCE, name)), settings))
    grafana = runpy.run_path(os.path.join(HERE, "grafana/generate.py"))
    grafana["write"](os.path.join(chosen.out, "grafana"), settings)


if __name__ == "__main__":
    main()
