"""What deploys the packages: it parses, its names agree with each other and with the program, nothing is left to fill in."""
import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import uuid
import xml.etree.ElementTree

import yaml

SOURCE_DIR, VERSION, EXE = (os.environ["KMEM_" + name] for name in ("SOURCE_DIR", "VERSION", "EXE"))


def load(path):
    with open(path, encoding="utf-8") as text:
        return list(yaml.safe_load_all(text))


class Deployment(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="kmem-deployment-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        for arch in ("x64", "x86"):
            with open(os.path.join(cls.folder, f"kmem_exporter-{VERSION}-{arch}.msi"), "w") as file:
                file.write(arch)
        cls.out = os.path.join(cls.folder, "out")
        done = cls.deploy("--image", "host.invalid:5000/of/kmem", "--project-url", "https://host.invalid/p", VERSION,
                          "https://host.invalid/r", cls.folder, cls.out)
        assert done.returncode == 0, done.stderr

    @staticmethod
    def deploy(*arguments):
        return subprocess.run([sys.executable, "-B", os.path.join(SOURCE_DIR, "packaging/deployment.py"), *arguments],
                              capture_output=True, text=True, timeout=120)

    def files(self, pattern):
        found = sorted(glob.glob(os.path.join(self.out, pattern), recursive=True))
        self.assertTrue(found, pattern)
        return found

    def test_nothing_is_left_to_fill_in(self):
        for path in self.files("**/*.*"):
            with open(path, encoding="utf-8") as text:
                self.assertNotRegex(text.read(), r"@[A-Z][A-Z0-9_]*@", path)

    def test_what_is_missing_is_said(self):
        out, missing = os.path.join(self.folder, "none"), os.path.join(self.folder, "missing")
        done = self.deploy(VERSION, "https://host.invalid/r", missing, out)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"no {missing}/kmem_exporter-{VERSION}-x64.msi", done.stderr)
        self.assertFalse(os.path.exists(out))
        done = self.deploy("--no-windows", "--runbooks", "", VERSION, "https://host.invalid/r", missing, out)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(sorted(os.listdir(out)), ["ansible", "kubernetes"])
        with open(os.path.join(out, "kubernetes/prometheusrule.yaml"), encoding="utf-8") as text:
            self.assertIn("http://{{ $labels.instance }}/runbooks/Kmem", text.read())
        done = self.deploy("--no-windows", "--image", "host.invalid/kmem:1", VERSION, "https://host.invalid/r", missing, out)
        self.assertEqual((done.returncode, "tag" in done.stderr), (1, True), done.stderr)

    def test_kubernetes_agrees_with_itself(self):
        folder = os.path.join(self.out, "kubernetes")
        kustomization, = load(os.path.join(folder, "kustomization.yaml"))
        self.assertEqual(set(kustomization["resources"]) | {"kustomization.yaml"}, set(os.listdir(folder)))
        resources = {row["kind"]: row for name in kustomization["resources"] for row in load(os.path.join(folder, name))}
        self.assertEqual(resources["Namespace"]["metadata"]["name"], kustomization["namespace"])
        template = resources["DaemonSet"]["spec"]["template"]
        container, = template["spec"]["containers"]
        self.assertEqual([(image["name"], image["newName"], image["newTag"]) for image in kustomization["images"]],
                         [(container["image"], "host.invalid:5000/of/kmem", VERSION)])
        # What the pod wants, no other level admits.
        self.assertEqual(resources["Namespace"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"], "privileged")
        service = resources["Service"]
        for selector in (resources["DaemonSet"]["spec"]["selector"]["matchLabels"], resources["PodMonitor"]["spec"]["selector"]["matchLabels"],
                         service["spec"]["selector"]):
            self.assertLessEqual(selector.items(), template["metadata"]["labels"].items())
        # Where the alerts lead is there.
        port, = service["spec"]["ports"]
        self.assertIn(port["targetPort"], [row["name"] for row in container["ports"]])
        place = f"http://{service['metadata']['name']}.{kustomization['namespace']}.svc.cluster.local:{port['port']}/runbooks/"
        addresses = [row["annotations"]["runbook_url"] for group in resources["PrometheusRule"]["spec"]["groups"] for row in group["rules"]
                     if "alert" in row]
        self.assertEqual([address for address in addresses if not address.startswith(place)], [])
        # The part that is off is right, too.
        with open(os.path.join(folder, "kustomization.yaml"), encoding="utf-8") as text:
            more = yaml.safe_load(re.sub("(?m)^#(?=patches|  )", "", text.read()))
        for patch in more["patches"]:
            for change in yaml.safe_load(patch["patch"]):
                at = resources[patch["target"]["kind"]]
                *path, added = change["path"].strip("/").split("/")
                for step in path:
                    at = at[int(step)] if isinstance(at, list) else at[step]
                self.assertNotIn(added, at)
                at[added] = change["value"]
        self.assertEqual(container["ports"][0]["hostPort"], container["ports"][0]["containerPort"])
        self.assertIn({"sourceLabels": ["__meta_kubernetes_pod_node_name"], "targetLabel": "instance", "replacement": "$1:10054"},
                      resources["PodMonitor"]["spec"]["podMetricsEndpoints"][0]["relabelings"])
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        for endpoint in resources["PodMonitor"]["spec"]["podMetricsEndpoints"]:
            self.assertIn(endpoint["port"], ports)
            # A pod that begins anew is the same host.
            dropped = [row["regex"] for row in endpoint["relabelings"] if row.get("action") == "labeldrop"]
            self.assertTrue(any(re.fullmatch(regex, "pod") for regex in dropped), dropped)
        self.assertIn(f"--web.listen-address=:{ports['metrics']}", container["args"])
        self.assertLessEqual({mount["name"] for mount in container["volumeMounts"]}, {row["name"] for row in template["spec"]["volumes"]})
        self.assertEqual(container["securityContext"]["capabilities"], {"drop": ["ALL"], "add": ["DAC_READ_SEARCH"]})
        # The program knows every flag.
        done = subprocess.run([EXE, "once", *container["args"], "--log.level=error"], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_kubernetes_has_all_rules_of_the_agent(self):
        rule, = load(os.path.join(self.out, "kubernetes/prometheusrule.yaml"))
        alerts = {row["alert"] for group in rule["spec"]["groups"] for row in group["rules"] if "alert" in row}
        shipped = {row["alert"] for name in ("agent", "floors") for document in
                   load(os.path.join(SOURCE_DIR, f"dashboards/prometheus/kmem-{name}.rules.yml"))
                   for group in document["groups"] for row in group["rules"] if "alert" in row}
        self.assertGreater(len(shipped), 5)
        self.assertEqual(alerts, shipped)
        names = [group["name"] for group in rule["spec"]["groups"]]
        self.assertEqual(len(names), len(set(names)))

    def test_windows_package_managers_have_the_checksums(self):
        for arch in ("x64", "x86"):
            digest = hashlib.sha256(arch.encode()).hexdigest().upper()
            installer, = (row for row in load(os.path.join(self.out, "winget/KmemExporter.KmemExporter.installer.yaml"))[0]["Installers"]
                          if row["Architecture"] == arch)
            self.assertEqual((installer["InstallerSha256"], installer["InstallerUrl"]),
                             (digest, f"https://host.invalid/r/kmem_exporter-{VERSION}-{arch}.msi"))
            with open(os.path.join(SOURCE_DIR, "packaging/windows/make-msi.sh"), encoding="utf-8") as text:
                space, = re.findall(r'uuid\.UUID\("([0-9a-f-]+)"\)', text.read())
            self.assertEqual(installer["ProductCode"], "{" + str(uuid.uuid5(uuid.UUID(space), f"{VERSION} {arch}")).upper() + "}")
            with open(os.path.join(self.out, "chocolatey/tools/chocolateyinstall.ps1"), encoding="utf-8") as text:
                self.assertIn(digest, text.read())
        # As the repository of winget wants them named.
        self.assertEqual([os.path.basename(path) for path in self.files("winget/*")],
                         [f"KmemExporter.KmemExporter{part}.yaml" for part in (".installer", ".locale.en-US", "")])
        manifests = [load(path)[0] for path in self.files("winget/*.yaml")]
        self.assertEqual({(row["PackageIdentifier"], row["PackageVersion"]) for row in manifests}, {("KmemExporter.KmemExporter", VERSION)})
        self.assertEqual(sorted(row["ManifestType"] for row in manifests), ["defaultLocale", "installer", "version"])
        nuspec = xml.etree.ElementTree.parse(os.path.join(self.out, "chocolatey/kmem_exporter.nuspec")).getroot()
        self.assertEqual([row.text for row in nuspec.iter() if row.tag.endswith("}version")], [VERSION])
        self.assertEqual([row.text for row in nuspec.iter() if row.tag.endswith("}projectUrl")], ["https://host.invalid/p"])

    def test_ansible_role_uses_only_variables_and_handlers_that_it_has(self):
        role = os.path.join(self.out, "ansible/kmem_exporter")
        known = set(load(os.path.join(role, "defaults/main.yml"))[0])
        handlers = {row["name"] for row in load(os.path.join(role, "handlers/main.yml"))[0]}
        for path in self.files("ansible/kmem_exporter/tasks/*.yml"):
            for task in load(path)[0]:
                self.assertRegex(task["name"], r"^[A-Z]")
                known |= set(task.get("vars", {})) | {task[key] for key in ("register",) if key in task}
                if "notify" in task:
                    self.assertIn(task["notify"], handlers)
                if included := task.get("ansible.builtin.include_tasks"):
                    self.assertTrue(os.path.exists(os.path.join(role, "tasks", included)))
        # A dry run on a new host, which has neither the package's file nor what the package brings, passes over what needs them.
        for task in load(os.path.join(role, "tasks/linux.yml"))[0]:
            if not {"ansible.builtin.copy", "ansible.builtin.stat"} & set(task):
                self.assertIn("ansible_check_mode", task.get("when", ""), task["name"])
        # Ansible looks all modules up when it reads a file; those that are not its own are in files that a host of Linux never reads.
        for path in self.files("ansible/kmem_exporter/*/*.yml"):
            if "windows" not in os.path.basename(path) and os.path.basename(os.path.dirname(path)) in ("tasks", "handlers"):
                modules = {key for task in load(path)[0] for key in task if "." in key}
                self.assertEqual({name for name in modules if not name.startswith("ansible.builtin.")}, set(), path)
        for path in self.files("ansible/kmem_exporter/**/*.*"):
            with open(path, encoding="utf-8") as text:
                for expression in re.findall(r"\{\{(.*?)\}\}|that:((?:\n\s+- .*)+)", text.read()):
                    self.assertLessEqual(set(re.findall(r"\bkmem_exporter_\w+", " ".join(expression))), known, path)


if __name__ == "__main__":
    unittest.main(verbosity=2)
