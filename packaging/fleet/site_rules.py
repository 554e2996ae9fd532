#!/usr/bin/env python3
"""The rules once for each site, so that none reads all hosts at once: every selector asks for one value of a label.

  site_rules.py --out FOLDER [--settings FILE] [--label site] [--tags 60] [--limit 2000000] VALUE...

Reads dashboards/prometheus/*.rules.yml (--rules for another folder), which dashboards/generate.py wrote by the same settings, and writes FILE.VALUE.rules.yml for each value, its groups
NAME-VALUE, and kmem-rest.rules.yml: what is said of Prometheus or of every host's `up`, and an alert for hosts that have another
value or none, whom no rule would judge. Says how many hosts of TAGS exported tags a value may have until a rule reads LIMIT
chunks (max_fetched_chunks_per_query, whose default this is)."""

import argparse
import glob
import importlib.util
import json
import os
import re
import sys

import yaml

DASHBOARDS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../dashboards")
RULES = os.path.join(DASHBOARDS, "prometheus")
CHUNK_SECONDS = 7200  # no store of Prometheus' blocks lets a chunk reach over two hours, however few samples it then has
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_STRING = r'"(?:[^"\\]|\\.)*"'
_PART = re.compile(
    rf"""{_STRING}|'(?:[^'\\]|\\.)*'|\#[^\n]*|\[[^\]]*\]
      |(?:[a-z]+\s+)?(?:by|without)\s*\([^)]*\)|(?:on|ignoring|group_left|group_right)\s*\([^)]*\)
      |(?:and|or|unless|bool|offset|group_left|group_right|inf|nan)\b(?!:)|[A-Za-z_]\w*\s*\(|\d[\w.]*
      |(?P<name>[A-Za-z_:][\w:]*)?(?P<matchers>\{{(?:{_STRING}|[^"}}])*\}})
      |(?P<bare>[A-Za-z_:][\w:]*)""",
    re.VERBOSE | re.IGNORECASE,
)


def of_value(expression, label, value):
    """The expression of the series that have the value only."""

    def one(found):
        name, matchers = found["name"] or found["bare"], found["matchers"] or "{}"
        if found["name"] is None and found["bare"] is None and found["matchers"] is None:
            return found[0]
        if re.search(rf"\b{label}\s*(=|!)", matchers):
            raise SystemExit(f"site_rules: {name or ''}{matchers} asks for {label} already")
        rest = matchers[1:-1].strip()
        return f'{name or ""}{{{label}="{value}"{", " if rest else ""}{rest}}}'

    return _PART.sub(one, expression)


def of_a_site(rule):
    """Not what is said of Prometheus itself, and that no host at all is there is said once."""
    return not re.search(r"\bprometheus_\w+|\babsent(_over_time)?\(", rule["expr"])


def chunks_a_series(expression):
    """What an expression reads of each series at most: a chunk for two hours of every range, and one where it begins."""
    spans = [sum(int(count) * _SECONDS[unit] for count, unit in re.findall(r"(\d+)([smhdw])", found))
             for found in re.findall(r"\[([^\]:]*)[^\]]*\]", expression)]
    return sum(-(-span // CHUNK_SECONDS) + 1 for span in spans) or 1


def of_tags(expression):
    return bool(re.search(r"kmem_pool_tag_bytes|subject:kmem_bytes|node_slabinfo", expression))


def hosts_within(document, tags, limit):
    """So many hosts may the costliest rule of the file read."""
    return min(limit // (chunks_a_series(rule["expr"]) * (tags if of_tags(rule["expr"]) else 1))
               for group in document["groups"] for rule in group["rules"])


def for_value(document, label, value):
    # Links to any exporter that is up look for one among these only.
    def text(template):
        return template.replace("up{job=~", f'up{{{label}=\\"{value}\\",job=~')

    groups = []
    for group in document["groups"]:
        rules = []
        for rule in filter(of_a_site, group["rules"]):
            rule = {**rule, "expr": of_value(rule["expr"], label, value)}
            if "annotations" in rule:
                rule["annotations"] = {name: text(said) for name, said in rule["annotations"].items()}
            rules.append(rule)
        groups.append({**group, "name": f"{group['name']}-{value}", "rules": rules})
    return {"groups": groups}


def words_of(settings):
    """What the rules' own generator makes of them: job, severities, where a runbook is."""
    spec = importlib.util.spec_from_file_location("generate", os.path.join(DASHBOARDS, "generate.py"))
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    with open(settings, encoding="utf-8") as file:
        return generate.words(generate.checked(json.load(file)))


def rest(documents, label, values, words):
    rules = [rule for document in documents for group in document["groups"] for rule in group["rules"] if not of_a_site(rule)]
    known = "|".join(value.replace(".", r"\\.") for value in values)
    unjudged = {
        "alert": "KmemHostsWithoutRules",
        "expr": f'count by ({label}, job) (up{{job=~"{words["job"]}", {label}!~"{known}"}})',
        "for": "15m",
        "labels": {"severity": words["ticket"]},
        "annotations": {
            "summary": "No rule judges some hosts.",
            "description": "{{ $value }} hosts of job {{ $labels.job }} have "
            + f'{label} "{{{{ $labels.{label} }}}}", for which no rules are loaded: write them with site_rules.py.',
            "runbook_url": f"{words['elsewhere']}/KmemHostsWithoutRules{words['end']}",
            "dashboard_url": f"{words['grafana']}/d/kmem-fleet?var-job={{{{ $labels.job | urlquery }}}}",
        },
    }
    return {"groups": [{"name": "kmem-rest", "rules": [*rules, unjudged]}]}


class Plain(yaml.SafeDumper):
    def ignore_aliases(self, data):
        return True


def write(path, document):
    with open(path, "w", encoding="utf-8") as out:
        out.write("# Written by packaging/fleet/site_rules.py.\n")
        yaml.dump(document, out, Dumper=Plain, sort_keys=False, width=10_000)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--rules", default=RULES)
    parser.add_argument("--label", default="site")
    parser.add_argument("--tags", type=int, default=60)
    parser.add_argument("--limit", type=int, default=2_000_000)
    parser.add_argument("--settings", default=os.path.join(DASHBOARDS, "settings.json"), help="job, severity and runbooks")
    parser.add_argument("values", nargs="+", metavar="VALUE")
    chosen = parser.parse_args(arguments)
    for name, shape in [(chosen.label, r"[A-Za-z_]\w*"), *((value, r"[\w.-]+") for value in chosen.values)]:
        if not re.fullmatch(shape, name):
            raise SystemExit(f"site_rules: not a {'value' if name != chosen.label else 'label'}: {name!r}")
    if len(set(chosen.values)) != len(chosen.values):
        raise SystemExit("site_rules: a value is there twice")
    paths = sorted(glob.glob(os.path.join(chosen.rules, "*.rules.yml")))
    if not paths:
        raise SystemExit(f"site_rules: no *.rules.yml in {chosen.rules}")
    os.makedirs(chosen.out, exist_ok=True)
    documents = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            documents.append(yaml.safe_load(file))
        name = os.path.basename(path).removesuffix(".rules.yml")
        for value in chosen.values:
            write(os.path.join(chosen.out, f"{name}.{value}.rules.yml"), for_value(documents[-1], chosen.label, value))
        print(f"{name}: {hosts_within(documents[-1], chosen.tags, chosen.limit)} hosts a {chosen.label}")
    write(os.path.join(chosen.out, "kmem-rest.rules.yml"), rest(documents, chosen.label, chosen.values, words_of(chosen.settings)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
