"""The tests that a run of ctest did not end when its --stop-time came: not begun, or stopped before their own timeout.
Usage: ctest --show-only=json-v1 ... | not_ended.py LOG     prints a name a line"""
import json
import re
import sys

with open(sys.argv[1], errors="replace") as log:
    ended = {name: (words, float(seconds)) for name, words, seconds in
             re.findall(r"^ *\d+/\d+ Test +#\d+: (\S+) \.*(.*?) +([\d.]+) sec", log.read(), re.MULTILINE)}
for test in json.load(sys.stdin)["tests"]:
    own = next((one["value"] for one in test.get("properties", []) if one["name"] == "TIMEOUT"), 1500)  # ctest's default
    words, seconds = ended.get(test["name"], ("", 0))
    if not words or ("Timeout" in words and seconds < own):
        print(test["name"])
