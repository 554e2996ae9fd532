"""Completions as each shell gives them, and the manual page as man reads it. A shell that this machine lacks is skipped, but
bash. PowerShell's is looked at as text: none runs here."""
import os
import pty
import re
import select
import shutil
import subprocess
import time
import unittest

from harness import Case, EXE

COMMANDS = {"serve", "once", "top", "record", "analyze", "backfill", "attribute", "check-config", "service", "completion", "manual"}
LEVELS = {"debug", "info", "warn", "error"}
ACTIONS = {"install", "uninstall", "start", "stop", "reload", "status", "configure"}


def printed(*arguments):
    return subprocess.run([EXE, *arguments], capture_output=True, text=True, check=True, timeout=60).stdout


class Completions(Case):
    def script(self, shell):
        path = os.path.join(self.folder, "_kmem_exporter")
        with open(path, "w", encoding="utf-8") as file:
            file.write(printed("completion", shell))
        return path

    def bash(self, *words):
        """What is offered for the last of the words, which bash has taken apart as it does."""
        text = " ".join(f"'{word}'" for word in ("kmem_exporter", *words))
        done = subprocess.run(["bash", "--norc", "-c", f'. "{self.path}"; COMP_WORDS=({text}); COMP_CWORD={len(words)}\n'
                               '_kmem_exporter; printf "%s\\n" "${COMPREPLY[@]}"'], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.stderr, "")
        return set(done.stdout.split())

    def test_bash(self):
        self.path = self.script("bash")
        self.assertEqual(self.bash(""), COMMANDS)
        self.assertEqual(self.bash("an"), {"analyze"})
        self.assertEqual(self.bash("--log.level", ""), LEVELS)
        self.assertEqual(self.bash("--log.level", "="), LEVELS)
        self.assertEqual(self.bash("--log.level", "=", "w"), {"warn"})
        self.assertEqual(self.bash("--metrics.profile", "=", ""), {"lean", "default", "full"})
        self.assertEqual(self.bash("service", ""), ACTIONS)
        self.assertEqual(self.bash("analyze", "--format", "="), {"text", "json"})
        self.assertEqual(self.bash("record", "--du"), {"--duration"})
        self.assertEqual(self.bash("--du"), set())
        self.assertEqual(self.bash("--log.level", "info", "top", "--sort", "rat"), {"rate"})
        self.assertEqual(self.bash("check-config", self.path[:-3]), {self.path})
        self.assertTrue({"--no-collector.slabinfo", "--help"} <= self.bash("--"))

    @unittest.skipUnless(shutil.which("fish"), "no fish here")
    def test_fish(self):
        path = self.script("fish")
        wanted = {"kmem_exporter ": COMMANDS, "kmem_exporter --log.level=": {"--log.level=" + level for level in LEVELS},
                  "kmem_exporter --log.level w": {"warn"}, "kmem_exporter service ": ACTIONS,
                  "kmem_exporter record --dur": {"--duration"}, "kmem_exporter analyze --format ": {"text", "json"},
                  f"kmem_exporter check-config {path[:-3]}": {path}}
        script = f'source "{path}"\n' + "".join(f"echo '?'\ncomplete -C '{line}'\n" for line in wanted)
        done = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True, timeout=120,
                              env={**os.environ, "HOME": self.folder})
        self.assertEqual(done.stderr, "")
        answers = [set(line.split("\t")[0] for line in part.strip().splitlines()) for part in done.stdout.split("?\n")[1:]]
        self.assertEqual(dict(zip(wanted, answers)), wanted)

    @unittest.skipUnless(shutil.which("zsh"), "no zsh here")
    def test_zsh(self):
        path = self.script("zsh")
        leader, follower = pty.openpty()
        shell = subprocess.Popen(["zsh", "-f", "-i"], stdin=follower, stdout=follower, stderr=follower, start_new_session=True,
                                 env={**os.environ, "HOME": self.folder, "TERM": "dumb", "ZDOTDIR": self.folder})
        os.close(follower)
        self.addCleanup(os.close, leader)
        self.addCleanup(shell.wait)
        self.addCleanup(shell.kill)

        def asked(text, until):
            os.write(leader, text.encode())
            seen, end = "", time.monotonic() + 60
            while not re.search(until, seen) and time.monotonic() < end:
                if select.select([leader], [], [], 1)[0]:
                    seen += os.read(leader, 65536).decode(errors="replace")
            self.assertRegex(seen, until)
            return seen

        asked(f"unsetopt zle_bracketed_paste; PS1='>' RPS1=; autoload -Uz compinit; compinit -u -D; source '{path}'; "
              "bindkey '^I' complete-word; show() { zle -I; print -r -- \"<$BUFFER>\"; BUFFER=; }; zle -N show; bindkey '^X' show; "
              "echo re''ady\n", r"ready\r?\n")
        # What is unique is put into the line, and ^X shows the line.
        for typed, line in {"kmem_exporter check": "check-config", "kmem_exporter --log.level=w": "--log.level=warn",
                            "kmem_exporter service unin": "uninstall", "kmem_exporter record --du": "--duration=",
                            "kmem_exporter analyze --format=j": "--format=json", "kmem_exporter --metrics.profile=l": "profile=lean",
                            f"kmem_exporter check-config {path[:-3]}": "_kmem_exporter"}.items():
            shown = asked(typed + "\t\x18", r"<[^\n]*>\r?\n")
            self.assertIn(line, re.findall(r"<(.*?)>\r?\n", shown)[-1], shown)

    def test_powershell_as_text(self):
        text = printed("completion", "powershell")
        self.assertIn("Register-ArgumentCompleter -Native -CommandName kmem_exporter", text)
        outside = re.sub(r"'(?:[^']|'')*'|\"[^\"]*\"|#.*", "", text)
        for opening, closing in ("()", "{}", "[]"):
            self.assertEqual(outside.count(opening), outside.count(closing), opening)
        self.assertIn("'--log.level' = @('debug', 'info', 'warn', 'error')", text)
        self.assertIn("'service' = @('install', 'uninstall', 'start', 'stop', 'reload', 'status', 'configure')", text)
        self.assertEqual(set(re.findall(r"^    '([a-z-]+)' = '", text, re.M)), COMMANDS)

    def test_manual_names_every_flag_of_the_help(self):
        page = os.path.join(self.folder, "kmem_exporter.1")
        with open(page, "w", encoding="utf-8") as file:
            file.write(printed("manual"))
        flags = set(re.findall(r"^  (--[a-z._-]+)", printed("--help"), re.M))
        with open(page, encoding="utf-8") as file:
            self.assertEqual(flags - set(re.findall(r"\\fB(--[a-z._-]+)", file.read().replace("\\-", "-"))), set())
        if shutil.which("man"):
            done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True, timeout=60,
                                  env={**os.environ, "LC_ALL": "C.UTF-8", "MANROFFSEQ": "", "MANWIDTH": "80"})
            self.assertEqual(done.stderr, "")


if __name__ == "__main__":
    unittest.main()
