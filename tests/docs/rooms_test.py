"""The link graph is the allowed include graph: a file may include headers of its own room (a CMake target) and of those that
the room links, a header only what the room links publicly; and no folder is in a cycle with others. rooms.txt, which CMake
writes (kmem_room), says which rooms there are; files of the other system count, too."""
import collections
import os
import re
import unittest

ROOT = os.environ["KMEM_SOURCE_DIR"]
ROOMS = os.environ["KMEM_ROOMS"]
FOLDERS = ("collectors", "config", "exporter")
OS_SUFFIX = re.compile(r"_(win32|posix|linux|absent|own|crypt_posix|portable)$")


class Room:
    def __init__(self, line):
        self.name, self.folder, sources, links, private = line.split("|")
        self.sources = {os.path.basename(word) for word in re.findall(r"[\w/.+-]+\.(?:cpp|h)\b", sources)}
        self.subfolders = {os.path.dirname(word) for word in re.findall(r"[\w/.+-]+\.(?:cpp|h)\b", sources)}
        self.public = set(filter(None, links.split(";")))
        self.private = set(filter(None, private.split(";")))

    def is_headers_only(self):
        return all(name.endswith(".h") for name in self.sources)

    def folders(self):
        """A target may be made above its folder (exporter/ makes kmem_commands of commands/)."""
        return {os.path.normpath(os.path.join(self.folder, sub)) for sub in self.subfolders if not os.path.isabs(sub)}


def read_rooms():
    with open(ROOMS, encoding="utf-8") as file:
        return {room.name: room for room in map(Room, filter(None, file.read().split("\n")))}


def read_includes():
    """{file: [headers of this program that it includes]}"""
    includes = {}
    for top in FOLDERS:
        for folder, _, names in os.walk(os.path.join(ROOT, top)):
            for name in names:
                if name.endswith((".h", ".cpp")):
                    path = os.path.join(folder, name)
                    with open(path, encoding="utf-8") as file:
                        found = re.findall(r'^#include "((?:collectors|config|exporter)/[^"]+)"', file.read(), re.M)
                    includes[os.path.relpath(path, ROOT).replace(os.sep, "/")] = found
    return includes


def stem(name):
    return OS_SUFFIX.sub("", os.path.splitext(name)[0])


def owners(files, rooms):
    """{file: room}, and the files that are nobody's. A header is its twin's, what is left its folder's only room's."""
    at = collections.defaultdict(list)
    for room in rooms.values():
        for folder in room.folders():
            at[folder].append(room)
    found, orphans = {}, []
    for path in files:
        folder, name = os.path.split(path)
        here = at[folder]
        named = [room for room in here if name in room.sources]
        twins = [room for room in here if stem(name) in map(stem, room.sources)]
        built = [room for room in here if not room.is_headers_only()]
        mine = named or twins or (built if len(built) == 1 else [])
        if len(mine) == 1:
            found[path] = mine[0].name
        else:
            orphans.append(path)
    return found, orphans


def reachable(rooms, name):
    """What a room's public links give, themselves included."""
    seen, todo = set(), [name]
    while todo:
        one = todo.pop()
        if one not in seen and one in rooms:
            seen.add(one)
            todo += rooms[one].public
    return seen


def faults_of(includes, rooms):
    owner, orphans = owners(includes, rooms)
    faults = [f"{path} belongs to no room" for path in orphans]
    for path, headers in includes.items():
        if path not in owner:
            continue
        room = rooms[owner[path]]
        public = reachable(rooms, room.name)
        allowed = public.union(*(reachable(rooms, link) for link in room.private)) if path.endswith(".cpp") else public
        for header in headers:
            if header not in owner:
                faults.append(f"{path} includes {header}, which is no file of a room")
            elif owner[header] not in allowed:
                how = "" if path.endswith(".cpp") else " publicly"
                faults.append(f"{path} includes {header}, but {room.name} does not link {owner[header]}{how}")
    return faults


def cycle_of(includes, rooms):
    """A way through folders back to where it began, or nothing. A folder above others is the rooms that it holds."""
    owner, _ = owners(includes, rooms)
    folders = {os.path.dirname(path) for path in includes}
    above = {folder for folder in folders if any(other.startswith(folder + "/") for other in folders)}

    def place(path):
        folder = os.path.dirname(path)
        return owner.get(path, path) if folder in above else folder

    arrows = collections.defaultdict(set)
    for path, headers in includes.items():
        arrows[place(path)] |= {place(header) for header in headers} - {place(path)}
    done = set()

    def walk(at, way):
        if at in way:
            return way[way.index(at) :] + [at]
        if at in done:
            return []
        for to in sorted(arrows[at]):
            if found := walk(to, way + [at]):
                return found
        done.add(at)
        return []

    for start in sorted(arrows):
        if found := walk(start, []):
            return found
    return []


def includes_between(includes, way):
    """The first include that leads from each folder of a way to the next, a line each."""
    lines = []
    for here, there in zip(way, way[1:]):
        for path, headers in includes.items():
            found = [header for header in headers if os.path.dirname(header) == there]
            if os.path.dirname(path) == here and found:
                lines.append(f"\n{path} includes {found[0]}")
                break
    return "".join(lines)


class Rooms(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.rooms, self.includes = read_rooms(), read_includes()

    def turned(self, path, header):
        """The includes as they would be with one more. Faults that are there already are told once, above."""
        if faults_of(self.includes, self.rooms) or cycle_of(self.includes, self.rooms):
            self.skipTest("the tree has faults")
        self.assertIn(path, self.includes)
        self.assertIn(header, self.includes)
        return {**self.includes, path: self.includes[path] + [header]}

    def test_every_include_is_linked(self):
        self.assertGreater(len(self.rooms), 20)
        self.assertGreater(sum(map(len, self.includes.values())), 800)
        if faults := faults_of(self.includes, self.rooms):
            self.fail("\n" + "\n".join(faults))

    def test_no_room_is_in_a_cycle(self):
        if way := cycle_of(self.includes, self.rooms):
            self.fail(" -> ".join(way) + includes_between(self.includes, way))

    def test_links_have_no_cycle_either(self):
        for name, room in self.rooms.items():
            reached = set()
            todo = list(room.public | room.private)
            while todo:
                one = todo.pop()
                if one in self.rooms and one not in reached:
                    reached.add(one)
                    todo += self.rooms[one].public | self.rooms[one].private
            self.assertNotIn(name, reached, f"{name} links, over others, itself")

    def test_an_arrow_that_is_turned_fails(self):
        for path, header, room in (
            ("collectors/base/clock.h", "collectors/snapshot.h", "kmem_snapshot"),
            ("config/knobs.cpp", "collectors/snapshot.h", "kmem_snapshot"),
            ("collectors/snapshot.h", "exporter/select/tracked_set.h", "kmem_select"),
            ("exporter/select/tracked_set.h", "exporter/trend/engine.h", "kmem_trend"),
            ("exporter/encode/encode.h", "exporter/metrics/families.h", "kmem_metrics"),
            ("collectors/linux/meminfo.cpp", "collectors/source.h", "kmem_source"),
        ):
            faults = faults_of(self.turned(path, header), self.rooms)
            self.assertEqual(len(faults), 1, (path, header, faults))
            self.assertIn(f"{path} includes {header}, but", faults[0])
            self.assertIn(f"does not link {room}", faults[0])

    def test_a_turned_arrow_that_is_linked_is_a_cycle(self):
        """As collectors and config once were."""
        for path, header in (
            ("collectors/base/log.h", "config/config.h"),
            ("config/knobs.cpp", "collectors/windows/limits.h"),
            ("collectors/drivers/attribution.h", "exporter/page/view.h"),
        ):
            found = cycle_of(self.turned(path, header), self.rooms)
            self.assertGreater(len(found), 2, (path, header))
            self.assertEqual(found[0], found[-1])

    def test_a_header_may_not_lean_on_a_private_link(self):
        faults = faults_of(self.turned("exporter/top/view.h", "exporter/trend/headroom.h"), self.rooms)
        self.assertEqual(len(faults), 1, faults)
        self.assertIn("does not link kmem_trend publicly", faults[0])

    def test_a_header_of_no_room_is_told(self):
        faults = faults_of({**self.includes, "collectors/strange.h": []}, self.rooms)
        self.assertIn("collectors/strange.h belongs to no room", faults)


if __name__ == "__main__":
    unittest.main()
