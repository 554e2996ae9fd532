"""The Windows packages: the installer's tables, and under Wine the life of the installed service, of the `service`
command and of the zip. Everything that was run, and what it said, is in the log.

Wine runs installers and services, but keeps no firewall rules (its netsh does nothing), no events and no recovery
actions, and refuses what came to services after Server 2003. So rules are read from the tables and the installer's log,
events from the message resource (imports_test.py, service_tests)."""
import filecmp
import glob
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.request
import zipfile

from harness import EXE, SOURCE_DIR, Case, Page, free_port, path_for_exe, wait_until

VERSION = os.environ["KMEM_VERSION"]
NEXT = re.sub(r"^\d+", lambda major: str(int(major[0]) + 1), VERSION)
KEY = r"HKLM\SOFTWARE\kmem_exporter"
SERVICE_KEY = r"HKLM\SYSTEM\CurrentControlSet\Services\kmem_exporter"
EVENTS_KEY = r"HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\kmem_exporter"


# What 0.1.0's packages were made of; the program within is this one, which every version of its own writes and reads the same.
OLDEST, OLDEST_TABLES = "0.1.0", os.path.join(SOURCE_DIR, "tests/fixtures/kmem_exporter-0.1.0.wxs")
REFUSED = 1603 & 0xFF  # what is left of msiexec's code here


def make_packages(folder, version, arch, *description):
    subprocess.run([os.path.join(SOURCE_DIR, "packaging/windows/make-msi.sh"), EXE, arch, version, folder, *description],
                   check=True, stdin=subprocess.DEVNULL, timeout=240)
    return os.path.join(folder, f"kmem_exporter-{version}-{arch}")


class WithPackages(Case):
    """Made once for all tests: self.first, of this version, and self.second, of a later one; without their ending."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix="kmem-packages-")
        cls.addClassCleanup(shutil.rmtree, folder)
        with open(EXE, "rb") as image:
            start = image.read(4096)
        header = int.from_bytes(start[0x3C:0x40], "little")
        cls.arch = {b"\x64\x86": "x64", b"\x4c\x01": "x86", b"\x64\xaa": "arm64"}[start[header + 4:header + 6]]
        cls.first, cls.second = (make_packages(folder, version, cls.arch) for version in (VERSION, NEXT))


class Tables(WithPackages):
    """What the installer holds, without running it."""

    def rows(self, name, package=None):
        told = subprocess.run(["msiinfo", "export", (package or self.first) + ".msi", name], check=True, capture_output=True, text=True).stdout
        names, _, _, *rows = (line.split("\t") for line in told.replace("\r", "").splitlines())
        return [dict(zip(names, row)) for row in rows]

    def table(self, name, package=None):
        """By its first column."""
        return {next(iter(row.values())): row for row in self.rows(name, package)}

    def test_service_runs_with_few_rights(self):
        service = self.table("ServiceInstall")["Service"]
        self.assertEqual((service["Name"], service["StartName"]), ("kmem_exporter", r"NT AUTHORITY\LocalService"))
        self.assertEqual((service["ServiceType"], service["StartType"]), ("16", "2"))  # own process, with Windows
        # Started by installing, stopped by both, removed by uninstalling.
        self.assertEqual(self.table("ServiceControl")["ServiceControl"]["Event"], str(1 + 2 + 32 + 128))

    def test_configuration_stays_and_the_program_replaces_older_ones(self):
        wide = 0 if self.arch == "x86" else 256
        components = self.table("Component")
        self.assertEqual(int(components["Configuration"]["Attributes"]), 128 + 16 + wide)  # never overwritten, permanent
        self.assertEqual(int(components["Program"]["Attributes"]), wide)
        self.assertEqual(self.table("File")["ProgramFile"]["Version"], VERSION + ".0")
        self.assertNotIn("ProgramFile", self.table("MsiFileHash"))

    def test_steps_are_in_order(self):
        steps = self.table("InstallExecuteSequence")
        order = sorted(steps, key=lambda step: int(steps[step]["Sequence"]))
        wanted = ["ChangeAll", "AppSearch", "KeepListenAddress", "KeepConfigFile", "KeepExtraFlags", "KeepFirewall",
                  "KeepInstallFolder", "ResetListenAddress", "ResetConfigFile", "ResetExtraFlags", "ResetFirewall",
                  "LaunchConditions", "CostFinalize", "DefaultConfigFile", "SetListenFlag", "RemoveData", "RemoveState",
                  "InstallInitialize", "RemoveExistingProducts", "StartAgain",
                  "AwaitStop", "StopServices", "CloseFirewall", "RemoveFiles", "InstallFiles", "InstallServices", "Configure",
                  "StartServices", "OpenFirewall", "InstallFinalize"]
        self.assertEqual([step for step in order if step in wanted], wanted)

    def test_what_is_taken_back_leaves_the_service_running(self):
        """AwaitStop stops it before StopServices, whose rollback then has nothing to start. A rollback goes backwards: what is
        scheduled first comes last, with the files and the service of before."""
        action = self.table("CustomAction")["StartAgain"]
        # 50: a program that a property names; 64: its result is ignored; 256 + 1024: in the rollback; 2048: as the system.
        self.assertEqual(int(action["Type"]), 50 + 64 + 256 + 1024 + 2048)
        self.assertEqual((action["Source"], action["Target"]), ("Net", "start kmem_exporter"))
        steps = self.table("InstallExecuteSequence")
        self.assertEqual(steps["StartAgain"]["Condition"], "Installed")
        changing = ("AwaitStop", "StopServices", "InstallFiles", "InstallServices", "Configure")
        self.assertLess(int(steps["StartAgain"]["Sequence"]), min(int(steps[step]["Sequence"]) for step in changing))
        self.assertIn("net.exe", self.table("CustomAction")["SetNet"]["Target"])

    def test_a_double_click_keeps_what_was_chosen(self):
        """With its windows, msiexec runs the user's sequence first and hands its public properties over: an INSTALLDIR that
        CostFinalize made up there would count as chosen."""
        steps, installing = self.table("InstallUISequence"), self.table("InstallExecuteSequence")
        order = sorted(steps, key=lambda step: int(steps[step]["Sequence"]))
        wanted = ["AppSearch", "KeepListenAddress", "KeepConfigFile", "KeepExtraFlags", "KeepFirewall", "KeepInstallFolder",
                  "LaunchConditions", "CostFinalize", "ExecuteAction"]
        self.assertEqual([step for step in order if step in wanted], wanted)
        keeps = [step for step in wanted if step.startswith("Keep")]
        for step in keeps:
            self.assertEqual(steps[step]["Condition"], installing[step]["Condition"] + " AND NOT Installed")
        # The rest is for the sequence that installs, whose AppSearch may not run again.
        self.assertEqual({step for step in steps if step in self.table("CustomAction")}, set(keeps))
        searched = {row["Property"] for row in self.rows("AppSearch")}
        self.assertEqual(len(searched), len(keeps))
        self.assertLessEqual(searched, set(self.table("Property")["SecureCustomProperties"]["Value"].split(";")))

    def test_3010_is_for_files_in_use_alone(self):
        for name in ("InstallExecuteSequence", "InstallUISequence"):
            self.assertEqual({"ForceReboot", "ScheduleReboot"} & set(self.table(name)), set())
        self.assertNotIn("REBOOT", self.table("Property"))

    def test_firewall_rules_are_for_those_who_ask(self):
        actions, steps = self.table("CustomAction"), self.table("InstallExecuteSequence")
        self.assertEqual(actions["OpenFirewall"]["Target"],
                         'advfirewall firewall add rule name=kmem_exporter dir=in action=allow protocol=TCP '
                         'program="[INSTALLDIR]kmem_exporter.exe"')
        self.assertEqual(actions["CloseFirewall"]["Target"], "advfirewall firewall delete rule name=kmem_exporter")
        for action in ("OpenFirewall", "OpenOldFirewall", "CloseFirewall", "CloseOldFirewall"):
            # A program by property (50), as the system (2048) in the script (1024), its failure ignored (64).
            self.assertEqual(int(actions[action]["Type"]), 50 + 64 + 1024 + 2048)
            wanted = "ADD_FIREWALL" if action.startswith("Open") else "OLD_FIREWALL"
            self.assertIn(f'{wanted}~="yes"', steps[action]["Condition"])

    def test_properties_reach_the_installing_service(self):
        secure = self.table("Property")["SecureCustomProperties"]["Value"].split(";")
        self.assertLessEqual({"LISTEN_ADDRESS", "CONFIG_FILE", "EXTRA_FLAGS", "ADD_FIREWALL", "INSTALLDIR", "REMOVE_DATA",
                              "WIX_UPGRADE_DETECTED"},
                             set(secure))

    def test_nothing_asks_a_user(self):
        tables = subprocess.run(["msiinfo", "tables", self.first + ".msi"], check=True, capture_output=True, text=True).stdout.split()
        self.assertEqual({"Dialog", "Control", "ControlEvent"} & set(tables), set())

    def test_all_that_a_reader_is_sent_to_is_there(self):
        """The zip has what the installer has; README's links lead to files of it."""
        with zipfile.ZipFile(self.first + ".zip") as archive:
            names = {name.split("/", 1)[1] for name in archive.namelist() if not name.endswith("/")}
            readme = archive.read(os.path.basename(self.first) + "/README.md").decode()
        self.assertEqual(names, {row["FileName"].split("|")[-1] for row in self.rows("File")})
        self.assertLessEqual({"kmem_exporter.exe", "README.md", "CHECKLIST.md", "selfcheck.ps1", "leak-signatures.txt"}, names)
        links = set(re.findall(r"\]\(([^)#]+)\)", readme))
        self.assertIn("CHECKLIST.md", links)
        self.assertEqual({link for link in links if not link.startswith("https:")} - names, set())

    def test_its_machine_is_the_programs(self):
        told = subprocess.run(["msiinfo", "suminfo", self.first + ".msi"], check=True, capture_output=True, text=True).stdout
        word, schema = {"x64": ("x64", 200), "x86": ("Intel", 200), "arm64": ("Arm64", 500)}[self.arch]
        self.assertRegex(told, rf"(?m)^Template: {word};1033\n")
        self.assertRegex(told, rf"(?m)^Version: {schema} ")

    def test_data_go_only_when_somebody_asks(self):
        rows, steps = self.table("RemoveFile"), self.table("InstallExecuteSequence")
        self.assertLessEqual({(name, f"{kind}TOREMOVE", "2") for name in ("*", "") for kind in ("STATE", "DATA")},
                             {(row["FileName"], row["DirProperty"], row["InstallMode"]) for row in rows.values()})
        for action in ("RemoveData", "RemoveState"):
            self.assertEqual(steps[action]["Condition"], 'REMOVE="ALL" AND REMOVE_DATA~="yes" AND NOT UPGRADINGPRODUCTCODE')

    def test_ids_are_of_version_and_architecture(self):
        def ids(package):
            return (self.table("Property", package)["ProductCode"]["Value"],
                    self.table("Component", package)["Program"]["ComponentId"])
        first, second = ids(self.first), ids(self.second)
        self.assertEqual(ids(make_packages(self.folder, VERSION, self.arch)), first)
        self.assertNotEqual(second[0], first[0])
        self.assertEqual(second[1], first[1])

    def test_zip_holds_the_same_files(self):
        with zipfile.ZipFile(self.first + ".zip") as files:
            files.extractall(self.folder)
            names = {name for name in files.namelist() if not name.endswith("/")}
        self.assertEqual({os.path.basename(name) for name in names},
                         {row["FileName"].split("|")[-1] for row in self.table("File").values()})
        program, = (name for name in names if name.endswith(".exe"))
        self.assertTrue(filecmp.cmp(os.path.join(self.folder, program), EXE, shallow=False))


class Installed(WithPackages):
    """In Wine's prefix, which must know no kmem_exporter yet."""

    def setUp(self):
        super().setUp()
        drive = os.path.join(os.environ["WINEPREFIX"], "drive_c")
        self.program_folder = os.path.join(drive, "Program Files", "kmem_exporter")
        self.program = os.path.join(self.program_folder, "kmem_exporter.exe")
        self.data = os.path.join(drive, "ProgramData", "kmem_exporter")
        self.config = os.path.join(self.data, "kmem_exporter.yml")
        self.cached = os.path.join(drive, "windows", "Installer")
        self.port = free_port()
        self.used = set()  # packages
        self.addCleanup(self.remove_everything)
        if os.path.exists(self.program_folder) or os.path.exists(self.data):  # a test was cut
            self.remove_everything()

    def wine(self, *command, code=0):
        """What it said; also to the log."""
        for _ in range(3):
            began = time.monotonic()
            done = subprocess.run(["wine", *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  text=True, errors="replace", timeout=240)
            # Wine ends a program without a word, once in thousands of starts; the exporter does not.
            if code in (None, done.returncode) or done.stdout.strip() or command[0] == "msiexec":
                break
        self.took = time.monotonic() - began
        said = "".join(f"    {line}\n" for line in done.stdout.replace("\r", "").splitlines() if line.strip())
        words = [os.path.basename(word) if "/" in word and os.path.exists(word) else word for word in command]
        print(f"> {' '.join(words)}    [{done.returncode}, {self.took:.1f} s]\n{said}", end="", flush=True)
        if code is not None:
            self.assertEqual(done.returncode, code, done.stdout)
        return done.stdout

    def msiexec(self, verb, package, *properties, code=0):
        log = os.path.join(self.folder, "msi.log")
        self.used.add(package)
        try:
            self.wine("msiexec", verb, path_for_exe(package + ".msi"), "/qn", "/l*v", path_for_exe(log), *properties, code=code)
        except AssertionError:
            with open(log, errors="replace") as told:
                print("".join(told.readlines()[-60:]))
            raise
        with open(log, errors="replace") as told:
            return told.read()

    def state(self):
        found = re.search(r"STATE\s*: \d+\s+(\w+)", self.wine("sc", "query", "kmem_exporter", code=None))
        return found.group(1) if found else None

    def registry(self):
        """Lines that name the exporter, but for the installer's own note of where the configuration is that stays."""
        lines = set()
        for root in ("Software", "System"):
            path = os.path.join(self.folder, "exported.reg")
            # Where Wine runs 32-bit programs too, `reg` is one and would show its own view.
            subprocess.run(["wine", "reg", "export", f"HKLM\\{root}", path_for_exe(path), "/y", "/reg:64"], check=True,
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=240)
            with open(path, encoding="utf-16") as exported:
                lines |= {line.strip() for line in exported if "kmem_exporter" in line.lower()}
        return {line for line in lines if line != r'"00000000000000000000000000000000"="C:\\ProgramData\\kmem_exporter\\kmem_exporter.yml"'}

    def remove_everything(self):
        for package in self.used if self.used or not os.path.exists(self.program_folder) else (self.first, self.second):
            subprocess.run(["wine", "msiexec", "/x", path_for_exe(package + ".msi"), "/qn"], stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=240)
        subprocess.run(["wine", EXE, "service", "uninstall"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=240)
        for folder in (self.data, self.program_folder):
            shutil.rmtree(folder, ignore_errors=True)

    def page(self, port=None):
        def answered():
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port or self.port}/metrics", timeout=20) as answer:
                    return answer.read().decode()
            except OSError:
                return None
        page = Page(wait_until(answered, 15, "the service answers"))
        print(f"    /metrics: {len(page.samples)} samples, "
              f"kmem_commit_bytes {page.value('kmem_commit_bytes'):.0f}", flush=True)
        return page

    def kept_state(self):
        return {os.path.basename(path) for path in glob.glob(os.path.join(self.data, "state", "*"))}

    def processes_shown(self):
        return len(self.page().family("kmem_process_handles"))

    def assert_processes(self, *counts):
        """As soon as a service that has just started knows as many."""
        until = time.monotonic() + 180  # the next sampling is a minute away
        while self.processes_shown() not in counts and time.monotonic() < until:
            time.sleep(0.5)
        self.assertIn(self.processes_shown(), counts)

    def product(self):
        """The version that Windows lists, or None."""
        listed = self.wine("reg", "query", r"HKLM\Software\Microsoft\Windows\CurrentVersion\Uninstall", "/s", "/reg:64", code=None)
        found = [re.search(r"DisplayVersion +REG_SZ +(\S+)", part)[1] for part in re.split(r"\n(?=HKEY)", listed)
                 if re.search(r"DisplayName +REG_SZ +kmem_exporter", part)]
        self.assertLessEqual(len(found), 1, found)
        return found[0] if found else None

    def step(self, what, verb, package, *properties, code=0, service="RUNNING", product=None):
        """Runs the installer, writes down a row of the matrix, and gives the installer's log."""
        log = self.msiexec(verb, package, *properties, code=code)
        row = (what, "1603" if code == REFUSED else str(code), f"{self.took:.1f}", self.state() or "none", self.product() or "none",
               "kept" if os.path.exists(self.config) else "none", "kept" if self.kept_state() else "none")
        self.matrix.append(row)
        self.assertEqual(row[3:5], (service or "none", product or "none"), what)
        self.assertGreater(len(log), 1000)
        return log

    def assert_choices(self, address, flags, firewall):
        chosen = self.wine("reg", "query", KEY, "/reg:64")
        for name, value in (("ListenAddress", address), ("ExtraFlags", flags), ("Firewall", firewall)):
            self.assertRegex(chosen, rf"{name} +REG_SZ *{re.escape(value)}\n")

    def test_matrix(self):
        self.matrix = [("step", "code", "s", "service", "product", "configuration", "state")]
        self.addCleanup(lambda: print("\n".join("| " + " | ".join(row) + " |" for row in self.matrix)))
        cached = set(os.listdir(self.cached)) if os.path.isdir(self.cached) else set()
        oldest = make_packages(self.folder, OLDEST, self.arch, OLDEST_TABLES)
        here, there = f"127.0.0.1:{self.port}", free_port()

        log = self.step(f"install {OLDEST}", "/i", oldest, f"LISTEN_ADDRESS={here}", "ADD_FIREWALL=yes",
                        "EXTRA_FLAGS=--processes.top=5", product=OLDEST)
        self.assertTrue(re.search("Action ended [0-9:]+: OpenFirewall. Return value 1", log))
        self.assert_processes(3, 4, 5)  # all that runs here, or five
        # The administrator's: flags win over it, so those are taken back for the new version.
        with open(self.config, "a") as config:
            config.write("processes:\r\n  top: 2\r\n")
        with open(self.config, "rb") as config:
            configured = config.read()

        self.step(f"upgrade to {VERSION}", "/i", self.first, "EXTRA_FLAGS=--log.level=info", product=VERSION)
        with open(self.config, "rb") as config:
            self.assertEqual(config.read(), configured)
        self.assert_processes(2)
        self.assertLessEqual({"selection.state", "trend.state"}, self.kept_state())
        self.assert_choices(here, "--log.level=info", "yes")
        service = self.wine("reg", "query", SERVICE_KEY)
        # In quotes: else C:\Program.exe would run in its place.
        self.assertRegex(service, r'ImagePath +REG_\w+ +"C:\\Program Files\\kmem_exporter\\kmem_exporter.exe" serve ')
        self.assertRegex(service, r"ObjectName +REG_SZ +NT AUTHORITY\\LocalService")
        self.assertRegex(service, r"Start +REG_DWORD +0x2")
        self.assertIn(f"version {VERSION} ", self.wine(self.program, "--version"))
        top = self.wine(self.program, "top", "--once")
        self.assertRegex(top, r"Memory [\d.]+[MG] +Avail [\d.]+[MG] +Commit [\d.]+[MG] of [\d.]+[MG]")

        self.step(f"downgrade to {OLDEST}", "/i", oldest, code=REFUSED, product=VERSION)

        os.remove(os.path.join(self.program_folder, "README.md"))
        self.wine("reg", "delete", EVENTS_KEY, "/f")
        # What `msiexec /fa` asks for; Wine's own /fa knows no packages.
        self.step("repair", "/i", self.first, "REINSTALL=ALL", "REINSTALLMODE=amus", product=VERSION)
        self.assertTrue(os.path.exists(os.path.join(self.program_folder, "README.md")))
        events = self.wine("reg", "query", EVENTS_KEY)
        self.assertRegex(events, r"EventMessageFile +REG_EXPAND_SZ +C:\\Program Files\\kmem_exporter\\kmem_exporter.exe")
        self.assertRegex(events, r"TypesSupported +REG_DWORD +0x7")
        self.assert_choices(here, "--log.level=info", "yes")
        self.assert_processes(2)

        self.step("another address", "/i", self.first, f"LISTEN_ADDRESS=127.0.0.1:{there}", product=VERSION)
        self.page(there)
        self.assert_choices(f"127.0.0.1:{there}", "--log.level=info", "yes")

        log = self.step("flags and firewall taken back", "/i", self.first, "EXTRA_FLAGS=default", "ADD_FIREWALL=default", product=VERSION)
        self.assertTrue(re.search("Action ended [0-9:]+: CloseFirewall. Return value 1", log))
        self.assertFalse(re.search("Action ended [0-9:]+: OpenFirewall. Return value 1", log))
        self.assert_choices(f"127.0.0.1:{there}", "", "")
        self.assertNotIn("log.level", self.wine("reg", "query", SERVICE_KEY))
        self.page(there)

        self.step("uninstall", "/x", self.first, service=None)
        self.assertFalse(os.path.exists(self.program_folder))
        self.assertEqual(self.registry(), set())
        self.assertEqual(set(os.listdir(self.cached)) - cached, set())
        self.assertEqual(set(os.listdir(self.data)), {"kmem_exporter.yml", "state"})
        self.assertLessEqual({"selection.state", "trend.state"}, self.kept_state())

        self.step("install again", "/i", self.first, f"LISTEN_ADDRESS={here}", product=VERSION)
        self.assert_processes(2)  # what stayed is taken up again

        self.step("uninstall with REMOVE_DATA=yes", "/x", self.first, "REMOVE_DATA=yes", service=None)
        self.assertFalse(os.path.exists(self.data))
        self.assertEqual(self.registry(), set())

        # Blanks and letters of anywhere.
        drive = os.path.join(os.environ["WINEPREFIX"], "drive_c")
        folder, settings = os.path.join(drive, "K\u00e4se und \u041f\u0443\u0442\u044c"), os.path.join(drive, "\u8a2d\u5b9a \u00fc")
        for path in (folder, settings):
            self.addCleanup(shutil.rmtree, path, ignore_errors=True)
            shutil.rmtree(path, ignore_errors=True)
        os.mkdir(settings)
        with open(os.path.join(settings, "my config.yml"), "w", encoding="utf-8") as config:
            config.write("processes:\n  top: 3\nstorage:\n  path: \"\"\n")
        self.step("install with blanks and letters of anywhere", "/i", self.first, f"LISTEN_ADDRESS={here}",
                  f"INSTALLDIR=C:\\{os.path.basename(folder)}", f"CONFIG_FILE=C:\\{os.path.basename(settings)}\\my config.yml", product=VERSION)
        self.assert_processes(3)
        self.assertTrue(os.path.exists(os.path.join(folder, "kmem_exporter.exe")))
        self.step(f"upgrade to {NEXT}, in the same folder", "/i", self.second, product=NEXT)
        self.assertTrue(os.path.exists(os.path.join(folder, "kmem_exporter.exe")))
        self.assertFalse(os.path.exists(self.program_folder))
        self.assert_processes(3)
        self.step("uninstall of it", "/x", self.second, "REMOVE_DATA=yes", service=None)
        self.assertFalse(os.path.exists(os.path.join(folder, "kmem_exporter.exe")))
        self.assertTrue(os.path.exists(os.path.join(settings, "my config.yml")))  # not the installer's
        self.assertEqual(self.registry(), set())

    def test_installer_takes_back_what_cannot_run(self):
        log = self.msiexec("/i", self.first, "LISTEN_ADDRESS=nowhere", code=None)
        self.assertTrue(re.search("Action ended [0-9:]+: Configure. Return value 0", log))
        self.assertIsNone(self.state())
        self.assertFalse(os.path.exists(self.program_folder))
        self.assertEqual(self.registry(), set())

    def test_service_command(self):
        with zipfile.ZipFile(self.first + ".zip") as files:
            files.extractall(self.folder)
        program = os.path.join(self.folder, f"kmem_exporter-{VERSION}-x64", "kmem_exporter.exe")
        self.assertIn("service install", self.wine(program, "service", "start", code=1))
        said = self.wine(program, "service", "install", f"--web.listen-address=127.0.0.1:{self.port}")
        # Unknown to Wine as to Server 2003, and no reason not to install.
        for setting in ("delayed start", "restart after reported failures", "the service's own identity"):
            self.assertIn(f"warning: {setting} is not set", said)
        # Again, with what is wanted now; but not another program's.
        other = free_port()
        self.assertIn(f":{other}", self.wine(program, "service", "install", f"--web.listen-address=127.0.0.1:{other}"))
        self.assertIn(f":{other}", self.wine("reg", "query", SERVICE_KEY))
        self.wine(program, "service", "install", f"--web.listen-address=127.0.0.1:{self.port}")
        stranger = shutil.copy(program, os.path.join(self.folder, "stranger.exe"))
        self.assertRegex(self.wine(stranger, "service", "install", code=2), r"is there already and runs \".*\\kmem_exporter.exe\" serve ")
        self.assertIn(f":{self.port}", self.wine("reg", "query", SERVICE_KEY))
        self.assertEqual(self.state(), "STOPPED")
        with open(self.config) as config:
            self.assertIn('path: "state"', config.read())
        self.assertRegex(self.wine("reg", "query", EVENTS_KEY), r"EventMessageFile +REG_EXPAND_SZ .*kmem_exporter.exe")

        self.assertIn("service kmem_exporter runs", self.wine(program, "service", "start"))
        self.assertEqual(self.state(), "RUNNING")
        self.page()
        self.assertIn("runs already", self.wine(program, "service", "start"))
        self.assertIn("from its next start on", self.wine(program, "service", "install", f"--web.listen-address=127.0.0.1:{self.port}"))
        self.assertEqual(self.state(), "RUNNING")

        with open(self.config, "a") as config:
            config.write("processes:\n  top: 1\n")
        self.wine(program, "service", "reload")
        wait_until(lambda: self.processes_shown() == 1, 10, "the new configuration is in force")

        # Clients that send nothing and half a request hold nobody up. What any command takes here is this machine's pace.
        self.wine(program, "--version")
        pace = self.took
        with socket.create_connection(("127.0.0.1", self.port)), socket.create_connection(("127.0.0.1", self.port)) as half:
            half.sendall(b"GET /metrics HTTP/1.1\r\nHost: ")
            self.assertIn("is stopped", self.wine(program, "service", "stop"))
            self.assertLess(self.took, 5 + 10 * pace)
        self.assertEqual(self.state(), "STOPPED")
        # Again, and with nobody to hear of it, as an installer's server has it.
        silent = ["sh", "-c", 'exec "$@" >&- 2>&-', "sh", "wine", program, "service", "stop"]
        self.assertEqual(subprocess.run(silent, stdin=subprocess.DEVNULL, timeout=240).returncode, 0)

        self.wine(program, "service", "start")
        self.page()
        self.assertIn("configuration and state stay", self.wine(program, "service", "uninstall"))
        self.assertLess(self.took, 5 + 10 * pace)
        self.assertIsNone(self.state())
        self.assertEqual(self.registry(), set())
        self.assertEqual(set(os.listdir(self.data)), {"kmem_exporter.yml", "state"})
        self.assertLessEqual({"selection.state", "trend.state"}, self.kept_state())
        self.assertIn("service install", self.wine(program, "service", "uninstall", code=1))

    def test_service_that_cannot_run_says_so(self):
        with socket.create_server(("127.0.0.1", self.port)):
            self.wine(EXE, "service", "install", f"--web.listen-address=127.0.0.1:{self.port}")
            self.assertIn("did not start (exit code 1)", self.wine(EXE, "service", "start", code=1))
        self.assertEqual(self.state(), "STOPPED")
        with open(self.config, "w") as config:
            config.write("tags:\n  nonsense: 1\n")
        self.assertIn("did not start (exit code 2)", self.wine(EXE, "service", "start", code=1))
        self.wine(EXE, "service", "uninstall")


if __name__ == "__main__":
    unittest.main(verbosity=2)
