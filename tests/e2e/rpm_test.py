"""The RPM package: made, read and installed by Debian's rpm into a root of its own; upgraded with a changed configuration, removed.
Its scripts run with tools that only write down what they were asked, for they want the machine's own users. As root."""
import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

if os.geteuid() != 0:  # its files belong to root
    kept = [f"{name}={value}" for name, value in os.environ.items() if name.startswith(("KMEM_", "PYTHON"))]
    os.execvp("sudo", ["sudo", "env", *kept, sys.executable, *sys.argv])

from harness import Case, Exporter

VERSION = os.environ["KMEM_VERSION"]
CONFIG = "etc/kmem_exporter/kmem_exporter.yml"


def sh(*command, text=None):
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=360)
    if done.returncode != 0:
        raise AssertionError(f"{command} gave {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


class Rpm(Case):
    packages = {}

    @classmethod
    def made(cls, version):
        """The package of a version, made once."""
        if version not in cls.packages:
            out = tempfile.mkdtemp(prefix="kmem-rpm-")
            cls.addClassCleanup(shutil.rmtree, out)
            sh(os.environ["KMEM_CPACK"], "--config", os.path.join(os.environ["KMEM_BUILD_DIR"], "CPackConfig.cmake"), "-G", "RPM", "-B", out,
               "-D", f"CPACK_PACKAGE_VERSION={version}")
            (cls.packages[version],) = glob.glob(os.path.join(out, "*.rpm"))
        return cls.packages[version]

    def rpm(self, *arguments):
        root = os.path.join(self.folder, "root")
        return sh("rpm", "--root", root, "--dbpath", "/var/lib/rpm", *arguments)

    def read(self, path):
        with open(os.path.join(self.folder, "root", path), encoding="utf-8") as file:
            return file.read()

    def test_it_says_what_it_is(self):
        package = self.made(VERSION)

        def asked(form):
            return sh("rpm", "-qp", "--qf", form, package)

        self.assertEqual(asked("%{name} %{version} %{license} %{arch}"), f"kmem-exporter {VERSION} Apache-2.0 {os.uname().machine}")
        self.assertIn("which cache leaks", asked("%{description}"))
        self.assertNotIn("CPack", asked("%{description}%{vendor}"))
        self.assertEqual(sh("rpm", "-qpc", package).split(), ["/" + CONFIG])
        files = sh("rpm", "-qpl", package).split()
        for path in ("/usr/bin/kmem_exporter", "/usr/lib/systemd/system/kmem_exporter.service", "/usr/share/man/man1/kmem_exporter.1.gz",
                     # Where Fedora's family looks for them.
                     "/usr/share/zsh/site-functions/_kmem_exporter", "/usr/share/fish/vendor_completions.d/kmem_exporter.fish",
                     "/usr/share/bash-completion/completions/kmem_exporter",
                     "/usr/share/licenses/kmem-exporter/LICENSE", "/usr/share/licenses/kmem-exporter/THIRD_PARTY_NOTICES"):
            self.assertIn(path, files)
        self.assertEqual([path for path in files if "vendor-completions" in path or path.endswith("/copyright")], [])
        flags = dict(line.rsplit(" ", 1) for line in asked("[%{filenames} %{fileflags:fflags}\n]").splitlines() if line[-1] != " ")
        self.assertEqual(flags["/" + CONFIG], "cn")  # config, noreplace
        self.assertEqual(flags["/usr/share/licenses/kmem-exporter/LICENSE"], "l")
        # Folders of the system are not its own.
        self.assertEqual({"/usr/bin", "/usr/share", "/usr/lib/systemd/system"} & set(files), set())
        self.assertEqual(asked("%{prefixes}"), "(none)")  # unit and scripts name the places
        self.assertIn("shadow-utils", sh("rpm", "-qpR", package))
        needed = set(sh("rpm", "-qp", "--qf", "[%{requirename}\n]", package).split())
        # Nothing that those systems no longer have, as libcrypt.so.1.
        self.assertEqual({name.split("(")[0] for name in needed if ".so." in name} - {"ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"},
                         {"libc.so.6", "libm.so.6", "libssl.so.3", "libcrypto.so.3", "libz.so.1"})

    def ran(self, script, argument, users=False):
        """What the script asks of the system's tools, where systemd runs and the user is there or not."""
        tools = os.path.join(self.folder, "tools")
        os.makedirs(tools, exist_ok=True)
        for name, status in {"systemctl": 0, "groupadd": 0, "useradd": 0, "getent": 0 if users else 2}.items():
            with open(os.path.join(tools, name), "w") as out:
                out.write(f'#!/bin/sh\n[ {name} = getent ] || echo {name} "$@" >&3\nexit {status}\n')
            os.chmod(os.path.join(tools, name), 0o755)
        done = subprocess.run(["unshare", "--mount", "sh", "-ec", 'mount -t tmpfs none /run; mkdir -p /run/systemd/system; exec 3>&1; '
                               f'PATH="{tools}:$PATH" sh -e /dev/stdin {argument}'], input=script, capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return [line.replace("systemctl ", "") for line in done.stdout.splitlines()]

    def test_its_scripts_do_what_a_package_of_that_family_does(self):
        package = self.made(VERSION)
        pre, post, preun, postun = (sh("rpm", "-qp", "--qf", f"%{{{tag}}}", package) for tag in ("prein", "postin", "preun", "postun"))
        service = "kmem_exporter.service"
        self.assertEqual([line.split()[0] for line in self.ran(pre, 1)], ["groupadd", "useradd"])
        self.assertEqual(self.ran(pre, 2, users=True), [])
        # The argument is how many versions there are afterwards.
        self.assertEqual(self.ran(post, 1), [f"--no-reload preset {service}"])
        self.assertEqual(self.ran(post, 2), [])
        self.assertEqual(self.ran(preun, 0), [f"--no-reload disable --now kmem_exporter.socket {service}"])
        self.assertEqual(self.ran(preun, 1), [])
        self.assertEqual(self.ran(postun, 0), ["daemon-reload"])
        self.assertEqual(self.ran(postun, 1), ["daemon-reload", f"try-restart {service}"])

    def test_it_is_installed_runs_keeps_what_was_changed_and_goes(self):
        old, new = self.made(VERSION), self.made(VERSION + ".1")
        os.makedirs(os.path.join(self.folder, "root/var/lib/rpm"))
        self.rpm("--initdb")
        how = ("--force-debian", "--nodeps", "--noscripts")
        self.rpm("-i", *how, old)
        self.assertEqual(self.rpm("-V", "--nodeps", "kmem-exporter"), "")
        program = os.path.join(self.folder, "root/usr/bin/kmem_exporter")
        self.assertIn(VERSION, sh(program, "--version"))
        with open(program, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        bill = json.loads(self.read("usr/share/doc/kmem-exporter/sbom.cdx.json"))
        self.assertEqual(bill["metadata"]["component"]["hashes"], [{"alg": "SHA-256", "content": digest}])
        with Exporter(command=[program, "serve"]) as exporter:
            status, _, page = exporter.get("/metrics")
        self.assertEqual(status, 200)
        self.assertIn(b"\nkmem_pool_bytes{", page)
        with open(os.path.join(self.folder, "root", CONFIG), "a", encoding="utf-8") as out:
            out.write("# mine\n")
        self.rpm("-U", *how, new)
        self.assertEqual(self.rpm("-q", "--qf", "%{version}", "kmem-exporter"), VERSION + ".1")
        self.assertIn("# mine\n", self.read(CONFIG))
        self.rpm("-e", "--nodeps", "--noscripts", "kmem-exporter")
        self.assertFalse(os.path.exists(program))
        self.assertIn("# mine\n", self.read(CONFIG + ".rpmsave"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
