"""The dashboards by Grafana's own schema, of releases 10, 11 and the newest that its foundation SDK has: read as its types and
written again, nothing is lost but what only the Prometheus data source knows. Skipped where PyPI is out of reach."""

import json
import os
import subprocess
import sys
import unittest

from dashboards import FOLDER, UIDS

PACKAGE = "grafana-foundation-sdk"
RELEASES = {"10": "1769699998!10.1.0", "11": "1769699379!11.6.0", "newest": "1769699241"}
# Annotations of Prometheus, a variable's text for people, what a repeated panel had in another place before 10.2.
UNKNOWN = {
    "/annotations/list/*/step",
    "/annotations/list/*/textFormat",
    "/annotations/list/*/titleFormat",
    "/templating/list/*/definition",
}
OLD = {"/annotations/list/*/builtIn", "/panels/*/maxPerRow"}
AGAIN = """
import json, sys
sys.path.insert(0, sys.argv[1])
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard
plugins.register_default_plugins()
print(json.dumps([Dashboard.from_json(one) for one in json.load(sys.stdin)], cls=JSONEncoder))
"""


def lost(before, after, path=""):
    """Paths of what is not in `after` any more, or has another value or type there."""
    if isinstance(before, dict):
        for name, value in before.items():
            if isinstance(after, dict) and name in after:
                yield from lost(value, after[name], f"{path}/{name}")
            elif value not in (None, [], {}, False, ""):
                yield f"{path}/{name}"
    elif isinstance(before, list):
        if not isinstance(after, list) or len(before) != len(after):
            yield path
        else:
            for one, other in zip(before, after):
                yield from lost(one, other, path + "/*")
    elif before != after:
        yield path


def installed(version):
    """The folder of that SDK, fetched once."""
    folder = os.path.join(os.environ["KMEM_KEEP"], version.replace("!", "-"))
    if not os.path.isdir(os.path.join(folder, "grafana_foundation_sdk")):
        for pip in ([sys.executable, "-m", "pip"], ["pip3"]):
            try:
                command = [*pip, "install", "-q", "--no-deps", "--target", folder, f"{PACKAGE}=={version}"]
                if subprocess.run(command, capture_output=True, timeout=120).returncode == 0:
                    return folder
            except (OSError, subprocess.TimeoutExpired):
                pass
        raise unittest.SkipTest(f"{PACKAGE} {version} cannot be had")
    return folder


class Schema(unittest.TestCase):
    def again(self, release, made):
        done = subprocess.run(
            [sys.executable, "-c", AGAIN, installed(RELEASES[release])],
            input=json.dumps(made),
            capture_output=True,
            text=True,
        )
        self.assertEqual(done.returncode, 0, f"{release}: {done.stderr}")
        return json.loads(done.stdout)

    def test_grafana_knows_every_field(self):
        made = []
        for uid in UIDS:
            with open(os.path.join(FOLDER, uid + ".json"), encoding="utf-8") as file:
                made.append(json.load(file))
        for release in RELEASES:
            known = UNKNOWN | OLD if release == "10" else UNKNOWN
            for before, after in zip(made, self.again(release, made), strict=True):
                self.assertLessEqual(set(lost(before, after)), known, f"{release}: {before['uid']}")
        # A field that no Grafana has is seen.
        broken = json.loads(json.dumps(made[:1]))
        next(panel for panel in broken[0]["panels"] if panel["type"] == "stat")["fieldConfigs"] = {"x": 1}
        self.assertIn("/panels/*/fieldConfigs", set(lost(broken[0], self.again("newest", broken)[0])))


if __name__ == "__main__":
    unittest.main(verbosity=2)
