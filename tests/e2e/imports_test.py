"""The Windows program loads on NT 5.2: every import is one that Server 2003 exports, and its size is bounded.

The list beside it (fixtures/nt52_exports.txt, "dll name" a line) holds only functions whose documentation or system
definition files give Server 2003 or earlier; a new import fails here until somebody has looked it up."""
import os
import struct
import sys
import unittest

EXE, LIST = os.environ["KMEM_EXE"], os.path.join(os.environ["KMEM_SOURCE_DIR"], "tests/fixtures/nt52_exports.txt")


class Image:
    def __init__(self, path):
        with open(path, "rb") as image:
            self.bytes = image.read()
        at = self.u32(0x3C)
        assert self.bytes[at:at + 4] == b"PE\0\0"
        sections, optional_size = self.u16(at + 6), self.u16(at + 20)
        optional = at + 24
        self.wide = self.u16(optional) == 0x20B
        self.subsystem_version = (self.u16(optional + 48), self.u16(optional + 50))
        directories = optional + (112 if self.wide else 96)
        self.import_address = self.u32(directories + 8)
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


class Imports(unittest.TestCase):
    def test_every_import_exists_on_nt_52(self):
        with open(LIST) as lines:
            known = {tuple(line.split()) for line in lines if line.strip() and not line.startswith("#")}
        wanted = set(Image(EXE).imports())
        self.assertGreater(len(wanted), 50)
        self.assertEqual(sorted(wanted - known), [])

    def test_header_and_size(self):
        image = Image(EXE)
        self.assertLessEqual(image.subsystem_version, (5, 2))
        self.assertLessEqual(os.path.getsize(EXE), 10 * 1024 * 1024)


if __name__ == "__main__":
    if sys.argv[1:] == ["--list"]:
        for name in sorted(set(Image(EXE).imports())):
            print(*name)
    else:
        unittest.main(verbosity=2)
