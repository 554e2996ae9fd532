"""The Windows program loads on NT 5.2: every import is one that Server 2003 exports; its size is bounded, and it brings
its version and the text of its events.

The list beside it (fixtures/nt52_exports.txt, "dll name" a line) holds only functions whose documentation or system
definition files give Server 2003 or earlier; a new import fails here until somebody has looked it up. On ARM64 the first
Windows is 10: its list (fixtures/windows10_exports.txt) holds what else its compiler's runtime asks for, and the C runtime is
Windows' own, by the names of its parts (api-ms-win-crt-...)."""
import os
import struct
import sys
import unittest

EXE, FIXTURES = os.environ["KMEM_EXE"], os.path.join(os.environ["KMEM_SOURCE_DIR"], "tests/fixtures")
MACHINES = {"x86_64": 0x8664, "i686": 0x14C, "aarch64": 0xAA64}


class Image:
    def __init__(self, path):
        with open(path, "rb") as image:
            self.bytes = image.read()
        at = self.u32(0x3C)
        assert self.bytes[at:at + 4] == b"PE\0\0"
        self.machine, sections, optional_size = self.u16(at + 4), self.u16(at + 6), self.u16(at + 20)
        optional = at + 24
        self.wide = self.u16(optional) == 0x20B
        self.subsystem_version = (self.u16(optional + 48), self.u16(optional + 50))
        directories = optional + (112 if self.wide else 96)
        self.import_address, self.resource_address = self.u32(directories + 8), self.u32(directories + 16)
        self.sections = [struct.unpack_from("<IIII", self.bytes, optional + optional_size + 40 * i + 8)
                         for i in range(sections)]

    def u16(self, at):
        return struct.unpack_from("<H", self.bytes, at)[0]

    def u32(self, at):
        return struct.unpack_from("<I", self.bytes, at)[0]

    def offset(self, address):
        for size, start, raw_size, raw in self.sections:
            if start <= address < start + max(size, raw_size):
                return raw + address - start
        raise AssertionError(f"address {address:#x} lies in no section")

    def text(self, address):
        at = self.offset(address)
        return self.bytes[at:self.bytes.index(b"\0", at)].decode()

    def imports(self):
        entry = self.offset(self.import_address)
        while self.u32(entry + 12):
            dll = self.text(self.u32(entry + 12)).lower()
            thunk = self.offset(self.u32(entry) or self.u32(entry + 16))
            step = 8 if self.wide else 4
            while value := int.from_bytes(self.bytes[thunk:thunk + step], "little"):
                by_number = value >> (step * 8 - 1)
                yield dll, f"#{value & 0xFFFF}" if by_number else self.text(value + 2)
                thunk += step
            entry += 20

    def resource(self, *ids):
        """The bytes of the resource whose type is the first id; the others are name and language, each the first if left out."""
        root = self.offset(self.resource_address)
        at = root
        for wanted in (*ids, None, None, None)[:3]:
            rows = [struct.unpack_from("<II", self.bytes, at + 16 + 8 * i) for i in range(self.u16(at + 12) + self.u16(at + 14))]
            at = root + (next(to for name, to in rows if wanted in (None, name)) & 0x7FFFFFFF)
        address, size = struct.unpack_from("<II", self.bytes, at)
        return self.bytes[self.offset(address):][:size]


def listed(name):
    with open(os.path.join(FIXTURES, name)) as lines:
        return {tuple(line.split()) for line in lines if line.strip() and not line.startswith("#")}


class Imports(unittest.TestCase):
    def setUp(self):
        self.image = Image(EXE)
        self.on_arm = self.image.machine == MACHINES["aarch64"]

    def test_every_import_exists_on_its_oldest_windows(self):
        known = listed("nt52_exports.txt")
        wanted = set(self.image.imports())
        self.assertGreater(len(wanted), 50)
        if self.on_arm:
            known |= listed("windows10_exports.txt")
            wanted = {(dll, name) for dll, name in wanted if not dll.startswith("api-ms-win-crt-")}
        self.assertEqual(sorted(wanted - known), [])

    def test_header_and_size(self):
        self.assertEqual(self.image.machine, MACHINES[os.environ["KMEM_MACHINE"]])
        self.assertLessEqual(self.image.subsystem_version, (10, 0) if self.on_arm else (5, 2))
        self.assertLessEqual(os.path.getsize(EXE), 11 * 1024 * 1024)

    def test_events_have_messages(self):
        table = Image(EXE).resource(11)
        messages = {}
        for block in range(struct.unpack_from("<I", table)[0]):
            first, last, at = struct.unpack_from("<III", table, 4 + 12 * block)
            for number in range(first, last + 1):
                length, flags = struct.unpack_from("<HH", table, at)
                self.assertEqual(flags, 1)  # UTF-16
                messages[number] = table[at + 4:at + length].decode("utf-16-le").rstrip("\r\n\0")
                at += length
        self.assertEqual(messages, {0x40000001: "%1", 0x80000002: "%1", 0xC0000003: "%1"})

    def test_the_file_tells_its_version(self):
        version = Image(EXE).resource(16)
        major, minor, patch = map(int, os.environ["KMEM_VERSION"].split("."))
        at = version.index(struct.pack("<I", 0xFEEF04BD))
        self.assertEqual(struct.unpack_from("<II", version, at + 8), (major << 16 | minor, patch << 16))


if __name__ == "__main__":
    if sys.argv[1:] == ["--list"]:
        for name in sorted(set(Image(EXE).imports())):
            print(*name)
    else:
        unittest.main(verbosity=2)
