"""The RPM package: made, read and installed by Debian's rpm into a root of its own; upgraded with a changed configuration, removed.
Its scripts are parsed and not run, for they want the machine's own users. As root."""
import glob
import os
import subprocess
import sys
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
    def made(self, version):
        out = os.path.join(self.folder, version)
        sh(os.environ["KMEM_CPACK"], "--config", os.path.join(os.environ["KMEM_BUILD_DIR"], "CPackConfig.cmake"), "-G", "RPM", "-B", out,
           "-D", f"CPACK_PACKAGE_VERSION={version}")
        (package,) = glob.glob(os.path.join(out, "*.rpm"))
        return package

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
                     "/usr/share/doc/kmem-exporter/THIRD_PARTY_NOTICES"):
            self.assertIn(path, files)
        # Folders of the system are not its own.
        self.assertEqual({"/usr/bin", "/usr/share", "/usr/lib/systemd/system"} & set(files), set())
        self.assertIn("shadow-utils", sh("rpm", "-qpR", package))
        for tag in ("prein", "postin", "preun", "postun"):
            script = asked(f"%{{{tag}}}")
            self.assertRegex(script, "kmem_exporter")
            sh("sh", "-n", text=script)

    def test_it_is_installed_runs_keeps_what_was_changed_and_goes(self):
        old, new = self.made(VERSION), self.made(VERSION + ".1")
        os.makedirs(os.path.join(self.folder, "root/var/lib/rpm"))
        self.rpm("--initdb")
        how = ("--force-debian", "--nodeps", "--noscripts")
        self.rpm("-i", *how, old)
        self.assertEqual(self.rpm("-V", "--nodeps", "kmem-exporter"), "")
        program = os.path.join(self.folder, "root/usr/bin/kmem_exporter")
        self.assertIn(VERSION, sh(program, "--version"))
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
