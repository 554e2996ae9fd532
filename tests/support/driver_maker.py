"""Builds small Windows drivers, in which it is known what is a pool tag and what only looks like one: with mingw for x86
and x64, and with clang in Microsoft's way of calling for x64 and ARM64."""
import os
import random
import subprocess
from concurrent.futures import ThreadPoolExecutor

COMPILERS = {"x64": "x86_64-w64-mingw32-gcc", "x86": "i686-w64-mingw32-gcc"}
CLANG_TARGETS = {"x64ms": "x86_64-pc-windows-msvc", "arm64": "aarch64-pc-windows-msvc", "x86ms": "i686-pc-windows-msvc"}
FRAMES = ["-fomit-frame-pointer", "-fno-omit-frame-pointer"]
LEVELS = ["-O0", "-O1", "-O2", "-Os", "-O3"]

HEAD = """
typedef unsigned long ULONG; typedef unsigned short USHORT; typedef __SIZE_TYPE__ SIZE_T; typedef void *PVOID;
#define KERNEL __declspec(dllimport)
#define NT __attribute__((stdcall))
KERNEL PVOID NT ExAllocatePoolWithTag(int type, SIZE_T bytes, ULONG tag);
KERNEL void NT ExFreePoolWithTag(PVOID block, ULONG tag);
KERNEL void NT ExInitializeNPagedLookasideList(PVOID list, PVOID allocate, PVOID release, ULONG flags, SIZE_T bytes,
                                               ULONG tag, USHORT depth);
KERNEL ULONG __cdecl DbgPrint(const char *format, ...);
KERNEL PVOID NT MmGetSystemRoutineAddress(PVOID name);
extern volatile ULONG sink; volatile ULONG sink;
extern PVOID keep[16]; PVOID keep[16];
"""

KERNEL_FUNCTIONS = ["ExAllocatePoolWithTag", "ExFreePoolWithTag", "ExInitializeNPagedLookasideList", "DbgPrint",
                    "MmGetSystemRoutineAddress"]

# Each makes code for one driver out of tags that it may use: (the C text, the tags that count).


def direct(tags):
    a, b = tags[:2]
    return f"""
PVOID get{a[1]}(SIZE_T n) {{ return ExAllocatePoolWithTag(0, n, {a[0]}); }}
void put{a[1]}(PVOID p) {{ if (p) ExFreePoolWithTag(p, {a[0]}); }}
ULONG both{b[1]}(SIZE_T n) {{ PVOID p = ExAllocatePoolWithTag(1, n * 3 + 16, {b[0]}); if (!p) return 1;
  keep[1] = p; DbgPrint("%p allocated", p); ExFreePoolWithTag(p, {b[0]}); return 0; }}
""", [a, b]


def wrapped(tags):
    a, b = tags[:2]
    return f"""
static __attribute__((noinline)) PVOID take(ULONG tag, SIZE_T n) {{ sink += tag; return ExAllocatePoolWithTag(1, n, tag); }}
PVOID one{a[1]}(void) {{ return take({a[0]}, 64); }}
PVOID two{b[1]}(SIZE_T n) {{ return take({b[0]}, n + 8); }}
""", [a, b]


def lookaside(tags):
    a = tags[0]
    return f"""
static char list{a[1]}[256];
void prepare{a[1]}(void) {{ ExInitializeNPagedLookasideList(list{a[1]}, 0, 0, 0, 128, {a[0]}, 0); }}
""", [a]


def table(tags):
    rows = "".join(f"{{{tag[0]}, {size}, {flags}}}," for tag, size, flags in zip(tags[:3], (512, 4096, 24), (1, 2, 3)))
    return f"""
static const struct {{ ULONG tag, bytes, flags; }} kKinds{tags[0][1]}[] = {{{rows}}};
PVOID kind{tags[0][1]}(ULONG i) {{ return ExAllocatePoolWithTag((int)kKinds{tags[0][1]}[i].flags, kKinds{tags[0][1]}[i].bytes,
  kKinds{tags[0][1]}[i].tag); }}
""", tags[:3]


def constant(tags):
    a = tags[0]
    return f"""
const volatile ULONG kTag{a[1]} = {a[0]};
PVOID fixed{a[1]}(void) {{ return ExAllocatePoolWithTag(0, 48, kTag{a[1]}); }}
""", [a]


def field(tags):
    a = tags[0]
    return f"""
struct block{a[1]} {{ PVOID next; ULONG tag; ULONG bytes; }};
void mark{a[1]}(struct block{a[1]} *b, ULONG n) {{ b->tag = {a[0]}; b->bytes = n; b->next = keep[2]; }}
""", [a]


def protected(tags):
    a = tags[0]
    return f"""
PVOID guard{a[1]}(void) {{ return ExAllocatePoolWithTag(0, 96, {a[0]} | 0x80000000UL); }}
void unguard{a[1]}(PVOID p) {{ ExFreePoolWithTag(p, {a[0]} | 0x80000000UL); }}
""", [a]


def hoisted(tags):
    a = tags[0]
    return f"""
ULONG many{a[1]}(SIZE_T n) {{ for (ULONG i = 0; i < 16; ++i) {{ keep[i] = ExAllocatePoolWithTag((int)(i & 1), n * i, {a[0]});
  if (!keep[i]) {{ while (i) ExFreePoolWithTag(keep[--i], {a[0]}); return 1; }} }} DbgPrint("%u", (unsigned)n); return 0; }}
""", [a]


def sized(tags):
    a, b, c = tags
    return f"""
ULONG sizes{a[1]}(SIZE_T n) {{ keep[3] = ExAllocatePoolWithTag(0, 0x38, {a[0]}); keep[4] = ExAllocatePoolWithTag(0, 0x4840, {b[0]});
  keep[5] = ExAllocatePoolWithTag(0, n, {c[0]}); return 0; }}
""", tags[:3]


def nested(tags):
    a, b = tags[:2]
    return f"""
PVOID length{a[1]}(PVOID sid) {{ return ExAllocatePoolWithTag(1, RtlLengthSid(sid), {a[0]}); }}
PVOID quota{b[1]}(PVOID sid, SIZE_T n) {{ return ExAllocatePoolWithQuotaTag(9, n + RtlLengthSid(sid) / 10, {b[0]}); }}
""", [a, b]


def chosen(tags):
    a, b, c = tags
    return f"""
PVOID choice{a[1]}(SIZE_T n) {{ return ExAllocatePoolWithTag(0, n, n > 64 ? {a[0]} : {b[0]}); }}
ULONG later{c[1]}(SIZE_T n) {{ volatile ULONG count = 0; ULONG tag = {c[0]}; for (count = 0; count < n; ++count) sink += count;
  keep[6] = ExAllocatePoolWithTag(1, n, tag); return count; }}
""", tags[:3]


def newer(tags):
    a, b, c = tags
    return f"""
static char listx{a[1]}[256];
PVOID pool2{a[1]}(SIZE_T n) {{ return ExAllocatePool2(0x40, n, {a[0]}); }}
int listex{b[1]}(void) {{ return ExInitializeLookasideListEx(listx{a[1]}, 0, 0, 512, 0, 0x61, {b[0]}, 0); }}
void lock{c[1]}(PVOID lock) {{ IoInitializeRemoveLockEx(lock, {c[0]}, 1, 100, 0x38); }}
""", tags[:3]


def header(tags):
    a, b = tags[:2]
    return f"""
struct head{a[1]} {{ USHORT type, size; ULONG tag; ULONG count; }};
void init{a[1]}(struct head{a[1]} *h) {{ h->type = 2; h->size = sizeof *h; h->tag = {a[0]}; h->count = 0; }}
struct want{b[1]} {{ ULONG kind, tag, bytes, flags; }};
ULONG ask{b[1]}(ULONG (*ask)(struct want{b[1]} *)) {{ struct want{b[1]} want; want.kind = 1; want.tag = {b[0]}; want.bytes = 0;
  want.flags = 0x38; return ask(&want); }}
""", [a, b]


MORE_MAKERS = [sized, nested, chosen, newer, header]
MAKERS = [direct, wrapped, lookaside, table, constant, field, protected, hoisted]

# Words that no driver here uses as a tag, in every shape that texts and numbers take.
DECOYS = """
static const char *const kNames[] = {"Wait", "Open", "Shut", "Driver", "Leak", "Path", "None found", "Data"};
const char kShort[][8] = {"Abcd", "Efgh", "Ijkl"};
const char kMagic[4] __attribute__((nonstring)) = {'P', 'K', 3, 4};
const unsigned char kGuid[2][16] = {{0x4d, 0x36, 0x65, 0x62, 0x25, 0xe3, 0xcd, 0x11, 0xbf, 0xc1, 8, 0, 0x2b, 0xe1, 3, 0x18},
                                    {0x41, 0x7a, 0x71, 0x6b, 0x9c, 0x11, 0xd1, 0x43, 0x87, 0x52, 0, 0xaa, 0, 0x4b, 0xa9, 0xb}};
int same_text(const char *a, const char *b) { while (*a && *a == *b) ++a, ++b; return *a == *b; }
ULONG decoys(ULONG kind, const char *name, const ULONG *file) {
  char device[] = "Device7", local[8] = "Root", small[5] = "Temp"; unsigned short wide[] = u"Wide";
  sink += (ULONG)device[kind & 7] + (ULONG)local[kind & 7] + (ULONG)small[kind & 3] + wide[kind & 3];
  if (file[0] == 0x46464952) return 1;  /* RIFF */
  if (file[1] == 0x45564157 || file[2] == 0x20746d66) return 2;
  switch (file[3]) { case 0x61746164: return 3; case 0x74636166: return 4; case 0x20657563: return 5; }
  for (ULONG i = 0; i < sizeof kNames / sizeof kNames[0]; ++i) if (same_text(name, kNames[i])) return 10 + i;
  DbgPrint("Pool tag Zqxw was not freed: %s in %s", name, kShort[kind % 3]);
  DbgPrint("Tags");
  MmGetSystemRoutineAddress((PVOID)u"ExAllocatePool2");
  return kGuid[kind & 1][kind & 15] + (ULONG)kMagic[kind & 3];
}
"""
# No machine code tells these from a tag: a text of four letters copied as a number, a file's mark handed to a function.
COPIED = """
void name_it(char *to) { __builtin_memcpy(to, "%s", 4); to[9] = 1; }
"""
HANDED = """
static __attribute__((noinline)) ULONG find_chunk(const ULONG *file, ULONG mark) { while (*file && *file != mark) ++file; return *file; }
ULONG chunk(const ULONG *file) { return find_chunk(file, %s); }
"""
TAIL = """
ULONG NT DriverEntry(PVOID object, PVOID path) { (void)path; keep[0] = object; return decoys(1, "x", (const ULONG *)object); }
"""
RESOURCE = """1 VERSIONINFO
BEGIN
  BLOCK "StringFileInfo"
  BEGIN
    BLOCK "040904b0"
    BEGIN
      VALUE "CompanyName", "Fabr Corp"
      VALUE "FileDescription", "Test Leak Pool"
    END
  END
  BLOCK "VarFileInfo"
  BEGIN
    VALUE "Translation", 0x409, 1200
  END
END
"""
MORE_HEAD = HEAD + """
KERNEL ULONG NT RtlLengthSid(PVOID sid);
KERNEL PVOID NT ExAllocatePoolWithQuotaTag(int type, SIZE_T bytes, ULONG tag);
KERNEL PVOID NT ExAllocatePool2(unsigned long long flags, SIZE_T bytes, ULONG tag);
KERNEL int NT ExInitializeLookasideListEx(PVOID list, PVOID allocate, PVOID release, int type, ULONG flags, SIZE_T bytes,
                                          ULONG tag, USHORT depth);
KERNEL void NT IoInitializeRemoveLockEx(PVOID lock, ULONG tag, ULONG minutes, ULONG most, ULONG bytes);
KERNEL void NT KeBugCheckEx(ULONG code, SIZE_T a, SIZE_T b, SIZE_T c, SIZE_T d);
"""
MORE_EXPORTS = {"ExAllocatePoolWithTag": 12, "ExFreePoolWithTag": 8, "ExInitializeNPagedLookasideList": 28, "DbgPrint": None,
                "MmGetSystemRoutineAddress": 4, "RtlLengthSid": 4, "ExAllocatePoolWithQuotaTag": 12, "ExAllocatePool2": 16,
                "ExInitializeLookasideListEx": 32, "IoInitializeRemoveLockEx": 20, "KeBugCheckEx": 20}
# Divisors, numbers that a function without a tag gets, numbers of ciphers.
MORE_DECOYS = """
int shares(int n, long long wide) { return n / 3 + n / 5 + n % 10 + n / 15 + n / 17 + n / 253 + n / 100 + n / 85 + (int)(wide / 10); }
ULONG spread(const ULONG *from, ULONG *to, ULONG n) { for (ULONG i = 0; i < n; ++i) { to[i] = (ULONG)((int)from[i] / 10);
  if ((int)to[i] % 3 == 0) DbgPrint("%u of %u", i, (ULONG)((int)to[i] / 17)); } return n; }
void stop(ULONG what) { if (what == 7) KeBugCheckEx(0x4B505952, 1, 2, 0x4B505953, what); DbgPrint("%x %x", 0x4B505954, what); }
"""
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def literal(text):
    return "0x%08xUL" % int.from_bytes(text.encode("ascii"), "little")


def make_tag(chance, used):
    while True:
        text = chance.choice(LETTERS) + "".join(chance.choice(LETTERS + "0123456789") for _ in range(3))
        if chance.random() < 0.15:
            text = text[:3] + " "
        if text not in used and sum(c.isalpha() for c in text) >= 2:
            used.add(text)
            return text


def machine_of(index, by_clang):
    if index < by_clang:
        return "arm64" if index % 2 else "x64ms"
    return "x86" if index % 3 == 2 else "x64"


def build_drivers(folder, by_mingw=36, by_clang=12, seed=20):
    """Fills the folder with drivers; gives {file name: set of its tags}."""
    chance = random.Random(seed)
    used, shared = set(), []
    truth, jobs = {}, []
    resource = os.path.join(folder, "version.rc")
    with open(resource, "w", encoding="ascii") as out:
        out.write(RESOURCE)
    for index in range(by_clang + by_mingw):
        machine = machine_of(index, by_clang)
        name = f"drv{index:02d}{machine}.sys"
        text, tags = HEAD + DECOYS, set()
        makers = [MAKERS[(index + step) % len(MAKERS)] for step in (0, 1, 3)]
        for number, maker in enumerate(makers):
            # Some tags are those of other drivers, too.
            mine = [chance.choice(shared) if shared and chance.random() < 0.2 else make_tag(chance, used) for _ in range(3)]
            mine = list(dict.fromkeys(mine)) + [make_tag(chance, used) for _ in range(3)]
            code, counted = maker([(literal(tag), f"_{index}_{number}_{place}", tag) for place, tag in enumerate(mine[:3])])
            text += code
            tags |= {tag[2] for tag in counted}
            shared += [tag[2] for tag in counted if maker is not table and maker is not field]
        if index % 12 == 5:
            text += COPIED % make_tag(chance, used)
        if index % 18 == 7:
            text += HANDED % literal(make_tag(chance, used))
        truth[name] = tags
        source = os.path.join(folder, name + ".c")
        with open(source, "w", encoding="ascii") as out:
            out.write(text + TAIL)
        jobs.append((machine, LEVELS[index % len(LEVELS)], source, os.path.join(folder, name), resource, index % 4 == 0))
    compile_all(compile_driver, jobs, folder)
    return truth


def compile_all(compile_one, jobs, folder):
    """Only the drivers stay."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda job: compile_one(*job), jobs))
    for name in os.listdir(folder):
        if not name.endswith(".sys"):
            os.remove(os.path.join(folder, name))


def build_more_drivers(folder, seed=21):
    """The same of makers and compilers that differ in how x86 passes arguments: every level, with and without frames."""
    chance, used, truth, jobs = random.Random(seed), set(), {}, []
    variants = [(machine, level, frame) for machine in ("x86", "x86ms", "x64", "x64ms") for level in ("-O0", "-O1", "-O2", "-Os")
                for frame in (FRAMES if machine.startswith("x86") else FRAMES[:1])]
    for machine, width in (("x86", "i686"), ("x64", "x86_64")):
        definition = os.path.join(folder, machine + ".def")
        with open(definition, "w", encoding="ascii") as out:
            out.write("LIBRARY ntoskrnl.exe\nEXPORTS\n")
            for name, size in MORE_EXPORTS.items():
                out.write(name + (f"@{size}\n" if machine == "x86" and size is not None else "\n"))
        checked(width + "-w64-mingw32-dlltool", "-k", "-d", definition, "-l", os.path.join(folder, machine + ".lib"))
    for index, (machine, level, frame) in enumerate(variants):
        name = f"more{index:02d}{machine}.sys"
        text, tags = MORE_HEAD + DECOYS + MORE_DECOYS, set()
        for number, maker in enumerate(MORE_MAKERS + [direct, wrapped, hoisted]):
            code, counted = maker([(literal(tag), f"_{index}_{number}_{place}", tag)
                                   for place, tag in enumerate(make_tag(chance, used) for _ in range(3))])
            text += code
            tags |= {tag[2] for tag in counted}
        truth[name] = tags
        source = os.path.join(folder, name + ".c")
        with open(source, "w", encoding="ascii") as out:
            out.write(text + TAIL)
        jobs.append((machine, level, frame, source, os.path.join(folder, name)))
    compile_all(compile_more, jobs, folder)
    return truth


def compile_more(machine, level, frame, source, output):
    flags = ["-std=gnu11", "-w", level, frame, "-fno-builtin", "-fno-stack-protector"]
    library = os.path.join(os.path.dirname(output), machine[:3] + ".lib")
    if machine in COMPILERS:
        entry = "_DriverEntry@8" if machine == "x86" else "DriverEntry"
        checked(COMPILERS[machine], *flags, "-s", "-shared", "-nostdlib", "-fno-stack-check", "-mno-stack-arg-probe",
                "-Wl,--subsystem,native", f"-Wl,--entry,{entry}", source, library, "-lgcc", "-o", output)
        return
    checked("clang", f"--target={CLANG_TARGETS[machine]}", *flags, "-c", source, "-o", output + ".obj")
    # Wide divisions are the C library's on x86.
    helpers = ["/alternatename:__alldiv=_DriverEntry@8"] if machine == "x86ms" else []
    checked("lld-link", "/dll", "/subsystem:native", "/entry:DriverEntry", "/nodefaultlib", "/safeseh:no", *helpers, output + ".obj",
            library, f"/out:{output}")


def compile_driver(machine, level, source, output, resource, with_library):
    if machine in CLANG_TARGETS:
        compile_with_clang(CLANG_TARGETS[machine], level, source, output)
    else:
        compile_with_mingw(machine, level, source, output, resource, with_library)


def checked(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr}")


def compile_with_mingw(machine, level, source, output, resource, with_library):
    compiler = COMPILERS[machine]
    version = output + ".o"
    checked(compiler.replace("gcc", "windres"), resource, version)
    entry = "_DriverEntry@8" if machine == "x86" else "DriverEntry"
    # Somebody else's code makes it look more like a real driver: tables, texts, functions by the hundred.
    library = ["-Wl,--undefined=" + ("_inflate" if machine == "x86" else "inflate"), "-l:libz.a", "-lmsvcrt"] if with_library else []
    checked(compiler, "-std=gnu11", level, "-s", "-shared", "-nostdlib", "-fno-builtin", "-fno-stack-check",
            "-mno-stack-arg-probe", "-Wl,--subsystem,native", f"-Wl,--entry,{entry}", source, version, *library,
            "-lntoskrnl", "-lgcc", "-o", output)


def compile_with_clang(target, level, source, output):
    # Calls go through the import table, of which no library is needed here: only its place in memory.
    imports = output + "-imports.c"
    with open(imports, "w", encoding="ascii") as out:
        for name in KERNEL_FUNCTIONS:
            out.write(f"void *__imp_{name};\n")
    objects = []
    for each in (source, imports):
        objects.append(each + ".obj")
        checked("clang", f"--target={target}", "-std=gnu11", "-w", level, "-fno-builtin", "-fno-stack-protector", "-c", each,
                "-o", objects[-1])
    checked("lld-link", "/dll", "/subsystem:native", "/entry:DriverEntry", "/nodefaultlib", *objects, f"/out:{output}")
