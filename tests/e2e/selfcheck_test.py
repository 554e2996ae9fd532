"""packaging/windows/selfcheck.ps1 without a PowerShell: it uses nothing that PowerShell 2 lacks, its brackets and strings close, it
asks for metrics and labels that exist, and it asks for every counter that a metric's source names."""
import os
import re
import unittest

ROOT = os.environ["KMEM_SOURCE_DIR"]

# What came after PowerShell 2, or works otherwise in it.
NEWER = {
    r"\[ordered\]": "3", r"\[pscustomobject\]": "3", r"\s-(not)?in\s": "3", r"\$PSItem\b": "3", r"\$PSScriptRoot\b": "3 in scripts",
    r"\bInvoke-(WebRequest|RestMethod)\b": "3", r"\bConvert(To|From)-Json\b": "3", r"\bGet-Cim\w+": "3", r"\s-Raw\b": "3",
    r"\bGet-ChildItem\b.*\s-(File|Directory)\b": "3", r"\|\s*(Where-Object|\?)\s+[^{\s]": "3", r"\|\s*(ForEach-Object|%)\s+[^{\s]": "3",
    r"\.(ForEach|Where)\(": "4", r"::new\(": "5", r"^\s*(class|enum|using)\b": "5", r"\?\?": "7", r"&&|\|\|": "7", r"\?\.": "7",
    r"-shl\b|-shr\b": "3", r"\s-Parallel\b": "7", r"#requires": "none needed", r"\bTest-NetConnection\b": "4", r"\bUnblock-File\b": "3",
}


def code_of(text):
    """Without comments and contents of strings; raises ValueError where something does not close."""
    out, closers, at = [], [], 0
    while at < len(text):
        char = text[at]
        if char == "#":
            at = text.find("\n", at)
            continue
        if char in "'\"":
            end = at + 1
            while text[end:end + 1] != char or text[end + 1:end + 2] == char:
                end += 2 if text[end:end + 1] in (char, "`" if char == '"' else char) else 1
                if end >= len(text) or "\n" in text[at:end]:
                    raise ValueError("a string that does not end: " + text[at:at + 60])
            out.append(char + char)
            at = end + 1
            continue
        if char in "([{":
            closers.append({"(": ")", "[": "]", "{": "}"}[char])
        elif char in ")]}" and (not closers or closers.pop() != char):
            raise ValueError(f"a {char} that closes nothing, after " + "".join(out)[-60:])
        out.append(char)
        at += 1
    if closers:
        raise ValueError("does not close: " + "".join(closers))
    return "".join(out)


class SelfCheck(unittest.TestCase):
    def setUp(self):
        with open(os.path.join(ROOT, "packaging/windows/selfcheck.ps1"), encoding="ascii") as script:  # PowerShell 2 guesses others
            self.text = script.read()
        self.code = code_of(self.text)
        with open(os.path.join(ROOT, "exporter/metrics/README.md"), encoding="utf-8") as table:
            rows = [line.split(" | ") for line in table if line.startswith("| kmem_")]
        self.metrics = {row[0].lstrip("| "): (row[2].split(", "), row[3]) for row in rows}

    def test_powershell_2_knows_all_of_it(self):
        for pattern, since in NEWER.items():
            self.assertNotRegex(self.code, re.compile(pattern, re.M | re.I), f"needs PowerShell {since}")

    def test_the_checker_sees_what_is_wrong(self):
        for broken in ("if ($a { }", "$a = 'b", "}", '"a`"'):
            self.assertRaises(ValueError, code_of, broken + "\n")
        self.assertEqual(code_of("a 'it''s' \"b`\"c\" # ('\nb"), "a '' \"\" \nb")
        self.assertRegex(code_of("$x | Where-Object Name -eq 3"), r"\|\s*(Where-Object|\?)\s+[^{\s]")

    def test_it_asks_for_what_the_page_has(self):
        asked = set(re.findall(r"\bkmem_[a-z_]+", self.text)) - {"kmem_exporter"}
        self.assertEqual(asked - set(self.metrics), set())
        for metric, label in re.findall(r"(kmem_\w+)\{(\w+)=", self.text):
            self.assertIn(label, self.metrics[metric][0])

    def test_it_asks_for_every_gauge_that_is_a_counter_of_windows(self):
        for name, (_, source) in self.metrics.items():
            for counters in re.findall(r"Windows: Memory\\([^.;]*)[.]", source):
                for counter in counters.split(", "):
                    if "_total" not in name and not name.endswith("_boot_max"):
                        self.assertIn(f"'{counter}'", self.text, name)

    def test_functions_are_made_before_they_are_used(self):
        for name in re.findall(r"(?m)^function (\S+?)[({ ]", self.code):
            self.assertTrue(self.code[:self.code.index(name)].endswith("function "), name)
        used = set(re.findall(r"\b(?:Confirm-|Skip-|Write-|Read-|Get-Label)[\w-]*", self.code))
        made = set(re.findall(r"(?m)^function (\S+?)[({ ]", self.code))
        self.assertEqual(used - made - {"Read-Host", "Write-Output"}, set())  # PowerShell's own

    def test_it_can_be_pasted(self):
        """A console that takes lines one by one runs what is whole: an `else` on a line of its own comes too late, and `exit`
        takes the console away with the result. So all of it is one function, and only a script file ends by `exit`."""
        depth, top = 0, []
        for line in self.code.splitlines():
            if depth == 0 and line.strip():
                top.append(line.strip())
            depth += sum(line.count(char) for char in "({[") - sum(line.count(char) for char in ")}]")
        self.assertEqual([re.split(r"[( ]", line)[0] for line in top], ["param", "function", "Start-SelfCheck", "if", ""])
        self.assertEqual(re.findall(r"\bexit\b.*", self.code), ["exit $script:exitCode }"])
        self.assertIn("if ($MyInvocation.MyCommand.Path) { exit", self.code)


if __name__ == "__main__":
    unittest.main(verbosity=2)
