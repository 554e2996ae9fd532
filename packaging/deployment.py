#!/usr/bin/env python3
"""Fills in what only a release knows (version, addresses, checksums) and writes what deploys the packages:
OUT/kubernetes (kustomize), OUT/winget, OUT/chocolatey, OUT/ansible.
Usage: deployment.py VERSION URL PACKAGES OUT      PACKAGES: the folder with the .msi files; without them no winget and Chocolatey
Failure: exit 1 when a placeholder has no value."""
import hashlib
import os
import re
import shutil
import sys
import uuid

import yaml

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
INSTALLERS = uuid.UUID("6e0c5bc2-d30c-4ef8-8d17-cdbf6860c957")  # as packaging/windows/make-msi.sh has it


def fill(source, out, values):
    for folder, _, names in os.walk(source):
        for name in names:
            path = os.path.join(folder, name)
            target = os.path.join(out, os.path.relpath(path, source))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(path, encoding="utf-8") as text:
                text = text.read()
            text = re.sub(r"@([A-Z][A-Z0-9_]*)@", lambda match: values[match[1]], text)
            with open(target, "w", encoding="utf-8") as file:
                file.write(text)


def prometheus_rule():
    """All that dashboards/prometheus has, as Prometheus Operator wants it."""
    groups = []
    folder = os.path.join(ROOT, "dashboards/prometheus")
    # Rules of windows_exporter's own metrics belong to its users.
    for name in sorted(os.listdir(folder)):
        if name.startswith(("kmem-agent", "kmem-floors")):
            with open(os.path.join(folder, name), encoding="utf-8") as text:
                groups += yaml.safe_load(text)["groups"]
    return {"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule", "metadata": {"name": "kmem-exporter"},
            "spec": {"groups": groups}}


def main(version, url, packages, out):
    values = {"VERSION": version, "URL": url}
    for arch in ("x64", "x86"):
        path = os.path.join(packages, f"kmem_exporter-{version}-{arch}.msi")
        if os.path.exists(path):
            with open(path, "rb") as file:
                values[f"SHA256_{arch.upper()}"] = hashlib.sha256(file.read()).hexdigest().upper()
            values[f"PRODUCT_{arch.upper()}"] = str(uuid.uuid5(INSTALLERS, f"{version} {arch}")).upper()
    shutil.rmtree(out, ignore_errors=True)
    fill(os.path.join(ROOT, "packaging/kubernetes"), os.path.join(out, "kubernetes"), values)
    with open(os.path.join(out, "kubernetes/prometheusrule.yaml"), "w", encoding="utf-8") as file:
        yaml.safe_dump(prometheus_rule(), file, sort_keys=False, allow_unicode=True, width=120)
    fill(os.path.join(ROOT, "packaging/ansible"), os.path.join(out, "ansible"), values)
    if "SHA256_X64" in values and "SHA256_X86" in values:
        fill(os.path.join(ROOT, "packaging/winget"), os.path.join(out, "winget"), values)
        fill(os.path.join(ROOT, "packaging/chocolatey"), os.path.join(out, "chocolatey"), values)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
