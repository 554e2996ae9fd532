#!/usr/bin/env python3
"""Writes the dashboards' JSON beside this file, from what is in source/ and ../settings.json.  generate.py [FOLDER]"""

import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "source"))


def write(folder, settings):
    import panels

    panels.use(settings)  # before the others, whose links are made when they are imported
    import exporter
    import fleet
    import host
    import leak

    os.makedirs(folder, exist_ok=True)
    for module in (fleet, host, leak, exporter):
        made = module.build()
        with open(os.path.join(folder, made["uid"] + ".json"), "w", encoding="utf-8") as out:
            json.dump(made, out, indent=1, ensure_ascii=False)
            out.write("\n")


if __name__ == "__main__":
    with open(os.path.join(HERE, "../settings.json"), encoding="utf-8") as file:
        write(sys.argv[1] if len(sys.argv) > 1 else HERE, json.load(file))
