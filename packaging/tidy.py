#!/usr/bin/env python3
"""clang-tidy over many files in little time: most of what a file costs is its headers, so files of a room are read as one.

Usage: tidy.py [--quick] DATABASE FILES...   DATABASE: the folder of a compile_commands.json; FILES from the checkout's top
--quick leaves out clang-analyzer-*, which walks paths and takes most of the time.
Files that do not compile together are looked at in smaller joints, in the end alone. Exit 0 only when nothing was found.
"""
import argparse
import concurrent.futures
import itertools
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import time

MOST = 8  # files of a joint: more need more memory, and one that does not fit costs more
FINDING = re.compile(r"^(?=\S+:\d+:\d+: (?:error|warning): )", re.MULTILINE)


def flags_of(database, top):
    """By file: what its compiler is told, without the file and what it makes of it. Others take those of their folder."""
    flags = {}
    for entry in json.loads((database / "compile_commands.json").read_text()):
        file = os.path.relpath(entry["file"], top)
        told = re.sub(r" -o \S+ -c \S+$", "", entry["command"])
        flags[file] = told
        flags.setdefault(os.path.dirname(file), told)
    return flags


def look(database, files, told, checks):
    """What clang-tidy says of the files: a list of findings. `checks` are added to .clang-tidy's."""
    def run(folder, file):
        return subprocess.run(["clang-tidy", "--quiet", "--config-file=.clang-tidy", f"--checks={checks}", "-p", folder, file],
                              capture_output=True, text=True, check=False)

    if len(files) == 1:
        done = run(database, files[0])
    else:  # one text, not one of #includes: the analyzer and other checks look at the main file alone
        folder = database / "joints" / re.sub(r"\W", "_", files[0])  # one each: a database has one fixed name
        folder.mkdir(parents=True, exist_ok=True)
        joint, lines = folder / "joint.cpp", []
        for file in files:
            text = pathlib.Path(file).read_text().split("\n")
            lines += [(file, number, line) for number, line in enumerate(text, 1)]
        joint.write_text("".join(f"{line}\n" for _, _, line in lines))
        entry = {"directory": os.getcwd(), "file": str(joint), "command": f"{told} -c {joint}"}
        (folder / "compile_commands.json").write_text(json.dumps([entry]))
        done = run(folder, joint)
        if "[clang-diagnostic-error" in done.stdout or (done.returncode and not done.stdout.strip()):
            half = len(files) // 2
            return look(database, files[:half], told, checks) + look(database, files[half:], told, checks)
        done.stdout = re.sub(f"{re.escape(str(joint))}:(\\d+)", lambda at: "%s:%d" % lines[int(at[1]) - 1][:2], done.stdout)
    findings = [text for text in FINDING.split(done.stdout) if text.strip()]
    return findings or ([f"{' '.join(files)}: {done.stderr}\n"] if done.returncode else [])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("database", type=pathlib.Path)
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    database, files, top = options.database.resolve(), options.files, os.getcwd()
    checks = "-clang-analyzer-*" if options.quick else ""
    started = time.monotonic()
    flags = flags_of(database, top)
    told = {file: flags.get(file) or flags.get(os.path.dirname(file)) for file in files}
    unknown = [file for file in files if not told[file] or not os.path.isfile(file)]
    if unknown:
        sys.exit(f"tidy: no source file, or in a folder that the build does not know: {' '.join(unknown)}")
    work = []
    rooms = itertools.groupby(sorted(files, key=lambda file: (os.path.dirname(file), told[file], file)),
                              lambda file: (os.path.dirname(file), told[file]))
    for (_, how), room in rooms:
        room = list(room)
        work += [(room[at:at + MOST], how) for at in range(0, len(room), MOST)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        distinct = set()  # a header's come once a joint
        for finding in itertools.chain.from_iterable(pool.map(lambda joint: look(database, *joint, checks), work)):
            if finding not in distinct:
                print(finding, end="", flush=True)
            distinct.add(finding)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"lint: clang-tidy found {len(distinct) or 'nothing'} in {len(files)} files, "
          f"{used.ru_utime + used.ru_stime:.0f} s of CPU in {time.monotonic() - started:.0f} s")
    sys.exit(1 if distinct else 0)


main()
