"""The finished program is hardened, by its own headers: ELF or PE, no tool in between. On Linux also: it asks for no library
and no version of one that a supported suite lacks."""
import os
import re
import struct
import unittest

with open(os.environ["KMEM_EXE"], "rb") as program:
    IMAGE = program.read()
# Debian 12 and 13, Ubuntu 22.04 and 24.04, Fedora and Enterprise Linux 10 have these by these names; the oldest C library among
# them is 2.35, the oldest OpenSSL 3.0. The C++ library is inside.
LIBRARIES = {"libc.so.6", "libm.so.6", "libssl.so.3", "libcrypto.so.3", "libz.so.1", "ld-linux-x86-64.so.2",
             "ld-linux-aarch64.so.1"}
OLDEST = {"GLIBC": (2, 35), "OPENSSL": (3, 0, 0)}


class Elf:
    """A 64-bit little-endian program."""

    def __init__(self, image):
        assert image[:6] == b"\x7fELF\x02\x01"
        self.image = image
        self.type, self.machine = struct.unpack_from("<HH", image, 16)
        at, = struct.unpack_from("<Q", image, 32)
        size, count = struct.unpack_from("<HH", image, 54)
        # (type, flags, offset, address, size in the file)
        self.segments = [struct.unpack_from("<IIQQ8xQ", image, at + size * i) for i in range(count)]
        start, length = next((row[2], row[4]) for row in self.segments if row[0] == 2)
        self.dynamic = [struct.unpack_from("<QQ", image, start + 16 * i) for i in range(length // 16)]
        self.strings = self.offset(self.value(5))

    def value(self, tag):
        return next((value for key, value in self.dynamic if key == tag), 0)

    def offset(self, address):
        return next(row[2] + address - row[3] for row in self.segments
                    if row[0] == 1 and row[3] <= address < row[3] + row[4])

    def text(self, at):
        at += self.strings
        return self.image[at:self.image.index(b"\0", at)].decode()

    def needed(self):
        return {self.text(value) for key, value in self.dynamic if key == 1}

    def versions(self):
        """{"GLIBC_2.34", ...}"""
        found, at = set(), self.offset(self.value(0x6FFFFFFE))
        for _ in range(self.value(0x6FFFFFFF)):
            count, _, first, following = struct.unpack_from("<HIII", self.image, at + 2)
            entry = at + first
            for _ in range(count):
                name, after = struct.unpack_from("<II", self.image, entry + 8)
                found.add(self.text(name))
                entry += after
            at += following
        return found


@unittest.skipUnless(IMAGE.startswith(b"\x7fELF"), "no ELF")
class Linux(unittest.TestCase):
    def setUp(self):
        self.elf = Elf(IMAGE)

    def test_loads_anywhere(self):
        self.assertEqual(self.elf.type, 3)  # ET_DYN
        self.assertTrue(self.elf.value(0x6FFFFFFB) & 0x08000000, "DF_1_PIE")

    def test_its_tables_are_read_only_once_it_runs(self):
        self.assertIn(0x6474E552, [row[0] for row in self.elf.segments])  # GNU_RELRO
        self.assertTrue(self.elf.value(30) & 8 or self.elf.value(0x6FFFFFFB) & 1, "BIND_NOW")

    def test_nothing_is_writable_and_executable(self):
        for kind, flags, *_ in self.elf.segments:
            self.assertNotEqual(flags & 3, 3, hex(kind))
        self.assertEqual([row[1] & 1 for row in self.elf.segments if row[0] == 0x6474E551], [0])  # GNU_STACK

    def test_the_compiler_guards_its_stack_and_its_buffers(self):
        asked = set(re.findall(rb"__[a-z]+_chk(?:_fail)?(?=\0)", IMAGE))
        self.assertIn(b"__stack_chk_fail", asked)
        self.assertIn(b"__memcpy_chk", asked)  # _FORTIFY_SOURCE
        if self.elf.machine == 62:  # x86-64: indirect jumps land on endbr64 alone
            self.assertGreater(IMAGE.count(b"\xf3\x0f\x1e\xfa"), 1000)

    def test_every_supported_suite_has_what_it_asks_for(self):
        self.assertLessEqual(self.elf.needed(), LIBRARIES)
        for library, oldest in OLDEST.items():
            newest = max(tuple(map(int, version.split("."))) for name in self.elf.versions()
                         for version in re.findall(rf"^{library}_([\d.]+)$", name))
            print(f"the newest version of {library} that is asked for:", newest)
            self.assertLessEqual(newest, oldest)


@unittest.skipUnless(IMAGE.startswith(b"MZ"), "no PE")
class Windows(unittest.TestCase):
    def test_header(self):
        at, = struct.unpack_from("<I", IMAGE, 0x3C)
        optional = at + 24
        is_wide = struct.unpack_from("<H", IMAGE, optional)[0] == 0x20B
        characteristics, = struct.unpack_from("<H", IMAGE, optional + 70)
        self.assertTrue(characteristics & 0x40, "ASLR")
        self.assertTrue(characteristics & 0x100, "DEP")
        self.assertEqual(bool(characteristics & 0x20), is_wide, "high entropy")
        # Without relocations the loader cannot move it.
        self.assertFalse(struct.unpack_from("<H", IMAGE, at + 22)[0] & 1, "relocations stripped")
        directories = optional + (112 if is_wide else 96)
        self.assertGreater(struct.unpack_from("<I", IMAGE, directories + 5 * 8 + 4)[0], 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
