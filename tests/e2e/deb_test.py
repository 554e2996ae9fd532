"""The Debian package on this machine: installed, run as its unit declares, upgraded, removed, purged. As root.

No systemd is needed: the unit is parsed, and setpriv gives the program the user, the capabilities and the restriction
that stand in it. What systemd would hear comes to a socket of the test."""
import glob
import hashlib
import json
import os
import pwd
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import unittest

if os.geteuid() != 0:  # dpkg and another user's processes need it
    kept = [f"{name}={value}" for name, value in os.environ.items() if name.startswith(("KMEM_", "PYTHON"))]
    os.execvp("sudo", ["sudo", "env", *kept, sys.executable, *sys.argv])

from harness import SOURCE_DIR, Case, Exporter

UNIT = "/usr/lib/systemd/system/kmem_exporter.service"
CONFIG = "/etc/kmem_exporter/kmem_exporter.yml"
STATE = "/var/lib/kmem_exporter"
SOCKET_LINK = "/etc/systemd/system/sockets.target.wants/kmem_exporter.socket"
WATCHDOG_SECONDS = 4
# The oldest of the suites that the package is for, Ubuntu 22.04, as it came out. Ubuntu 24.04 and Debian 13 have no libssl3, but
# libssl3t64 provides it there.
OLDEST_SUITE = {"libc6": "2.35-0ubuntu3", "libssl3": "3.0.2-0ubuntu1", "zlib1g": "1:1.2.11.dfsg-2ubuntu9",
                "init-system-helpers": "1.62", "passwd": "1:4.8.1-2ubuntu2"}
PROGRAM = "/usr/bin/kmem_exporter"


def sh(*command, check=True):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=360)
    if check and done.returncode != 0:
        raise AssertionError(f"{command} gave {done.returncode}:\n{done.stdout}")
    return done.stdout


def traces():
    """What names the package in the places where packages leave things."""
    found = {path for folder in ("/etc", "/usr", "/var/lib", "/run", "/lib/systemd")
             for path in sh("find", folder, "-xdev", "(", "-name", "*kmem_exporter*", "-o", "-name", "*kmem-exporter*", ")",
                            check=False).splitlines()}
    with open("/etc/passwd") as users, open("/etc/group") as groups:
        found |= {line for line in [*users, *groups] if "kmem_exporter" in line}
    return found


def parse_unit(path):
    """{setting: value} of [Service]; repeated ones joined by blanks."""
    settings = {}
    with open(path) as lines:
        section = ""
        for line in map(str.strip, lines):
            if line.startswith("["):
                section = line
            elif section == "[Service]" and "=" in line and not line.startswith("#"):
                name, value = line.split("=", 1)
                settings[name] = f"{settings[name]} {value}" if name in settings else value
    return settings


def declared(settings, capabilities=None):
    """The command that runs the unit's ExecStart as the unit says."""
    wanted = settings["AmbientCapabilities"].split() if capabilities is None else capabilities
    assert set(wanted) <= set(settings["CapabilityBoundingSet"].split())
    assert settings["NoNewPrivileges"] == "yes"
    names = ",".join(["-all"] + ["+" + name.lower().removeprefix("cap_") for name in wanted])
    return ["sh", "-c", f'umask {settings["UMask"]}; exec "$@"', "sh",
            "setpriv", "--reuid", settings["User"], "--regid", settings["User"], "--clear-groups", "--bounding-set", names,
            "--inh-caps", names, "--ambient-caps", names, "--no-new-privs", *settings["ExecStart"].split()]


class ServiceManager:
    """Hears what a service tells systemd."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        os.chmod(folder, 0o755)
        os.chmod(self.path, 0o777)
        self.socket.settimeout(60)

    def next(self):
        return self.socket.recv(4096).decode().split("\n")

    def next_but(self, skipped):
        while (message := self.next()) == [skipped]:
            pass
        return message


class Package(Case):
    @classmethod
    def setUpClass(cls):
        status = sh("dpkg-query", "-Wf", "${Status}", "kmem-exporter", check=False)
        assert "installed" not in status or "not-installed" in status, "kmem-exporter is installed here; the test would purge it"

    def setUp(self):
        super().setUp()
        self.before = traces()
        self.packages = []
        for version in (os.environ["KMEM_VERSION"], os.environ["KMEM_VERSION"] + ".1"):
            out = os.path.join(self.folder, version)
            sh(os.environ["KMEM_CPACK"], "--config", os.path.join(os.environ["KMEM_BUILD_DIR"], "CPackConfig.cmake"), "-B", out,
               "-D", f"CPACK_PACKAGE_VERSION={version}")
            self.packages += glob.glob(os.path.join(out, "*.deb"))
        self.assertEqual(len(self.packages), 2)
        self.addCleanup(sh, "dpkg", "--purge", "kmem-exporter", check=False)

    def test_life_of_the_package(self):
        self.assertEqual(sh("sh", "-c", f"lintian --allow-root {self.packages[0]} 2> /dev/null", check=False), "")
        for wanted in sh("dpkg-deb", "-f", self.packages[0], "Depends").strip().split(", "):
            name, relation, version = re.fullmatch(r"(\S+) \((>=) (\S+)\)", wanted).groups() if "(" in wanted else (wanted, "ge", "0")
            sh("dpkg", "--compare-versions", OLDEST_SUITE[name], relation, version)  # fails where it is too old
        print(sh("dpkg", "-i", self.packages[0]))
        self.assertEqual(sh("dpkg", "--verify", "kmem-exporter"), "")
        with open(PROGRAM, "rb") as file, open("/usr/share/doc/kmem-exporter/sbom.cdx.json") as bill:
            digest = hashlib.sha256(file.read()).hexdigest()
            self.assertEqual(json.load(bill)["metadata"]["component"]["hashes"], [{"alg": "SHA-256", "content": digest}])
        with open("/usr/share/doc/kmem-exporter/README.md", encoding="utf-8") as readme:
            links = set(re.findall(r"\]\(([^)]*)\)", readme.read()))
        self.assertIn("#install", links)
        self.assertEqual([link for link in links if not link.startswith("#")], [])  # what it would lead to is not in the package
        for shell, path in {"bash": "bash-completion/completions/kmem_exporter", "zsh": "zsh/vendor-completions/_kmem_exporter",
                            "fish": "fish/vendor_completions.d/kmem_exporter.fish"}.items():
            self.assertEqual(sh("cat", f"/usr/share/{path}"), sh(PROGRAM, "completion", shell))
        self.assertEqual(sh("zcat", "/usr/share/man/man1/kmem_exporter.1.gz"), sh(PROGRAM, "manual"))
        self.assertIn(CONFIG, sh("dpkg-query", "-Wf", "${Conffiles}", "kmem-exporter"))
        user = pwd.getpwnam("kmem_exporter")
        self.assertEqual((user.pw_shell, user.pw_dir), ("/usr/sbin/nologin", STATE))
        self.assertIn("fine", sh(PROGRAM, "check-config", CONFIG))

        # What an administrator does who wants systemd to listen; purge takes it back.
        sh("systemctl", "--root=/", "enable", "kmem_exporter.socket")
        self.assertTrue(os.path.islink(SOCKET_LINK))

        settings = parse_unit(UNIT)
        self.run_as_declared(settings, user)
        self.run_without_the_capability(settings)

        with open(CONFIG, "a") as config:
            config.write("tags:\n  top_bytes: 7\n")
        print(sh("dpkg", "-i", self.packages[1]))
        with open(CONFIG) as config:
            self.assertIn("top_bytes: 7", config.read())
        self.assertTrue(os.path.exists(f"{STATE}/trend.state") and os.path.islink(SOCKET_LINK))

        print(sh("dpkg", "--remove", "kmem-exporter"))
        self.assertFalse(os.path.exists(PROGRAM))
        self.assertTrue(os.path.exists(CONFIG) and os.path.exists(f"{STATE}/trend.state"))
        print(sh("dpkg", "--purge", "kmem-exporter"))
        self.assertEqual(traces() - self.before, set())

    def run_as_declared(self, settings, user):
        # What systemd does for StateDirectory=.
        self.assertEqual((settings["StateDirectory"], settings["StateDirectoryMode"]), (os.path.basename(STATE), "0700"))
        os.mkdir(STATE, 0o700)
        os.chown(STATE, user.pw_uid, user.pw_gid)
        self.assertEqual((settings["Type"], settings["WatchdogSec"]), ("notify", "2min"))
        manager = ServiceManager(self.folder)
        env = {"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": str(WATCHDOG_SECONDS * 1_000_000)}
        with Exporter(command=declared(settings), env={**os.environ, **env}) as exporter:
            self.assertIn("READY=1", manager.next())
            with open(f"/proc/{exporter.process.pid}/status") as status:
                facts = dict(re.findall(r"^(\w+):\s+(.*)$", status.read(), re.M))
            self.assertEqual(facts["Uid"].split(), [str(user.pw_uid)] * 4)
            self.assertEqual(facts["Gid"].split(), [str(user.pw_gid)] * 4)
            self.assertEqual(facts["NoNewPrivs"], "1")
            for name in ("CapPrm", "CapEff", "CapInh", "CapBnd", "CapAmb"):  # 2 is CAP_DAC_READ_SEARCH
                self.assertEqual(int(facts[name], 16), 1 << 2, name)
            page = exporter.page()
            self.assertEqual(page.value("kmem_scrape_collector_success", collector="slabinfo"), 1)
            self.assertTrue(page.has("kmem_pool_tag_bytes", pool="slab_unreclaimable"))

            began = time.monotonic()
            for _ in range(3):
                self.assertEqual(manager.next(), ["WATCHDOG=1"])
            # Each before its time is over; they are due at half of it.
            self.assertLess(time.monotonic() - began, 3 * WATCHDOG_SECONDS)
            self.assertIn("kill -HUP $MAINPID", settings["ExecReload"])
            exporter.process.send_signal(signal.SIGHUP)
            self.assertEqual(manager.next_but("WATCHDOG=1")[0], "RELOADING=1")
            self.assertIn("READY=1", manager.next_but("WATCHDOG=1"))
            exporter.process.send_signal(signal.SIGTERM)
            self.assertEqual(manager.next_but("WATCHDOG=1")[0], "STOPPING=1")
            self.assertEqual(exporter.process.wait(60), 0)
        manager.socket.close()
        for name in ("selection.state", "trend.state"):
            kept = os.stat(f"{STATE}/{name}")
            self.assertEqual((kept.st_uid, stat.S_IMODE(kept.st_mode) & 0o077), (user.pw_uid, 0), name)

    def run_without_the_capability(self, settings):
        with Exporter(command=declared(settings, capabilities=[])) as exporter:
            page = exporter.page()
            self.assertEqual(page.value("kmem_scrape_collector_success", collector="slabinfo"), 0)
            self.assertFalse(page.has("kmem_pool_tag_outstanding_allocations"))
            self.assertGreater(page.value("kmem_pool_bytes", pool="slab_unreclaimable"), 0)
            self.assertEqual(exporter.stop(), 0)


class Unit(unittest.TestCase):
    def test_is_hardened(self):
        told = sh("systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold=20",
                  os.path.join(SOURCE_DIR, "packaging/linux/kmem_exporter.service"))
        found = re.search(r"Overall exposure level for \S+: ([\d.]+)", told)
        self.assertTrue(found, told)
        print("systemd-analyze security:", found.group(0))
        self.assertLessEqual(float(found.group(1)), 2.0)
        settings = parse_unit(os.path.join(SOURCE_DIR, "packaging/linux/kmem_exporter.service"))
        self.assertEqual(settings["CapabilityBoundingSet"], "CAP_DAC_READ_SEARCH")
        self.assertEqual(settings["ProtectSystem"], "strict")


if __name__ == "__main__":
    unittest.main(verbosity=2)
