#!/usr/bin/env python3
"""Fills in what only a release knows (version, addresses, checksums) and writes what deploys the packages:
OUT/kubernetes (kustomize), OUT/winget, OUT/chocolatey, OUT/ansible. PACKAGES is the folder with the .msi files of x64 and x86.
Failure: exit 1 when an installer is missing, or a placeholder has no value."""
import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import uuid

import yaml

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
INSTALLERS = uuid.UUID("6e0c5bc2-d30c-4ef8-8d17-cdbf6860c957")  # as packaging/windows/make-msi.sh has it


# Any exporter serves them; the Service of packaging/kubernetes finds one.
RUNBOOKS = "http://kmem-exporter.kmem-exporter.svc.cluster.local:10054/runbooks"


def fill(source, out, values):
    for folder, _, names in os.walk(source):
        for name in names:
            path = os.path.join(folder, name)
            target = os.path.join(out, os.path.relpath(path, source))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(path, encoding="utf-8") as text:
                text = text.read()
            for name in re.findall(r"@([A-Z][A-Z0-9_]*)@", text):
                if name not in values:
                    raise SystemExit(f"deployment: {os.path.relpath(path, ROOT)}: @{name}@ has no value")
            text = re.sub(r"@([A-Z][A-Z0-9_]*)@", lambda match: values[match[1]], text)
            with open(target, "w", encoding="utf-8") as file:
                file.write(text)


def prometheus_rule(runbooks):
    """The rules of dashboards/, with these runbooks, as Prometheus Operator wants them."""
    groups = []
    dashboards = os.path.join(ROOT, "dashboards")
    with open(os.path.join(dashboards, "settings.json"), encoding="utf-8") as text:
        settings = json.load(text)
    settings["runbooks"] = runbooks
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "settings.json"), "w", encoding="utf-8") as file:
            json.dump(settings, file)
        subprocess.run([sys.executable, "-B", os.path.join(dashboards, "generate.py"), "--settings", file.name, "--out", folder],
                       check=True)
        made = os.path.join(folder, "prometheus")
        # Rules of windows_exporter's own metrics belong to its users.
        for name in sorted(os.listdir(made)):
            if name.startswith(("kmem-agent", "kmem-floors")):
                with open(os.path.join(made, name), encoding="utf-8") as text:
                    groups += yaml.safe_load(text)["groups"]
    return {"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule", "metadata": {"name": "kmem-exporter"},
            "spec": {"groups": groups}}


def installers(packages, version):
    """Checksum and product of each."""
    values = {}
    for arch in ("x64", "x86"):
        path = os.path.join(packages, f"kmem_exporter-{version}-{arch}.msi")
        try:
            with open(path, "rb") as file:
                values[f"SHA256_{arch.upper()}"] = hashlib.sha256(file.read()).hexdigest().upper()
        except FileNotFoundError:
            raise SystemExit(f"deployment: no {path}; --no-windows makes no manifests of winget and Chocolatey") from None
        values[f"PRODUCT_{arch.upper()}"] = str(uuid.uuid5(INSTALLERS, f"{version} {arch}")).upper()
    return values


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("version")
    parser.add_argument("url", help="where the packages will be")
    parser.add_argument("packages")
    parser.add_argument("out")
    parser.add_argument("--image", default="registry.invalid/kmem_exporter",
                        help="registry and name of the image, without a tag (%(default)s)")
    parser.add_argument("--runbooks", default=RUNBOOKS, help='as in dashboards/settings.json: "" is http://INSTANCE/runbooks (%(default)s)')
    parser.add_argument("--project-url", help="of the project's page (url)")
    parser.add_argument("--no-windows", action="store_true", help="no installers are there; no manifests of winget and Chocolatey")
    given = parser.parse_args()
    if re.search("[:@][^/]*$", given.image):
        raise SystemExit(f"deployment: {given.image}: the tag is the version's")
    values = {"VERSION": given.version, "URL": given.url, "IMAGE": given.image, "PROJECT": given.project_url or given.url}
    packages = ["kubernetes", "ansible"]
    if not given.no_windows:
        values |= installers(given.packages, given.version)
        packages += ["winget", "chocolatey"]
    shutil.rmtree(given.out, ignore_errors=True)
    for name in packages:
        fill(os.path.join(ROOT, "packaging", name), os.path.join(given.out, name), values)
    with open(os.path.join(given.out, "kubernetes/prometheusrule.yaml"), "w", encoding="utf-8") as file:
        yaml.safe_dump(prometheus_rule(given.runbooks), file, sort_keys=False, allow_unicode=True, width=120)


if __name__ == "__main__":
    main()
