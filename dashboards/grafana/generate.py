#!/usr/bin/env python3
"""Writes the dashboards' JSON beside this file, from what is in source/.  generate.py [FOLDER]"""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "source"))
import exporter  # noqa: E402
import fleet  # noqa: E402
import host  # noqa: E402
import leak  # noqa: E402


def write(folder):
    for module in (fleet, host, leak, exporter):
        made = module.build()
        with open(os.path.join(folder, made["uid"] + ".json"), "w", encoding="utf-8") as out:
            json.dump(made, out, indent=1, ensure_ascii=False)
            out.write("\n")


if __name__ == "__main__":
    write(sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__)))
