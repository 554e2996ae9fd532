#include "collectors/drivers/pe_image.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>

#include "collectors/base/byte_reader.h"

namespace kmem::drivers {
namespace {

using base::ByteReader;
using base::Error;
using base::ErrorCode;

constexpr std::uint16_t kMaxSections = 96;  // the loader's own limit
constexpr std::size_t kSectionBytes = 40;
constexpr std::uint32_t kCode = 0x20, kUninitialized = 0x80, kDiscardable = 0x02000000, kExecutable = 0x20000000;
constexpr std::size_t kMaxForeign = 200'000;  // a large driver has 100,000 functions

enum Directory : std::size_t { kImports = 1, kResources = 2, kExceptions = 3, kRelocations = 5, kDebug = 6, kDirectories = 7 };

struct Headers {
  std::uint16_t machine = 0;
  std::uint16_t sections = 0;
  std::size_t section_table = 0;
  std::array<PeRange, kDirectories> directories{};
};

Error malformed(const char* what) { return {ErrorCode::kMalformed, std::string("not a program image: ") + what}; }

PeRange range_of(std::uint32_t start, std::uint32_t length) { return {start, start + std::min(length, UINT32_MAX - start)}; }

base::Result<Headers> parse_headers(const ByteReader& file, PeImage& image) {
  const auto dos = file.read<std::uint16_t>(0);
  const auto start = file.read<std::uint32_t>(0x3C);
  if (!dos || *dos != 0x5A4D) return malformed("it does not begin with MZ");
  if (!start) return malformed("its header is cut off");
  const std::size_t pe = *start;
  if (file.read<std::uint32_t>(pe) != 0x4550U) return malformed("no PE signature where its header says");
  const auto machine = file.read<std::uint16_t>(pe + 4);
  const auto sections = file.read<std::uint16_t>(pe + 6);
  const auto optional_bytes = file.read<std::uint16_t>(pe + 20);
  const std::size_t optional = pe + 24;
  const auto magic = file.read<std::uint16_t>(optional);
  if (!machine || !sections || !optional_bytes || !magic) return malformed("its header is cut off");
  Headers out{*machine, *sections, optional + *optional_bytes, {}};
  switch (*machine) {
    case 0x014C: image.machine = Machine::kX86; break;
    case 0x8664: image.machine = Machine::kX64; break;
    case 0xAA64: image.machine = Machine::kArm64; break;
    default: {
      char text[64];
      std::snprintf(text, sizeof text, "code for machine 0x%04x, which is not understood", unsigned{*machine});
      return Error{ErrorCode::kUnsupported, text};
    }
  }
  const bool wide = *magic == 0x20B;
  if (!wide && *magic != 0x10B) return malformed("its optional header is of no known kind");
  if (wide == (image.machine == Machine::kX86)) return malformed("header and machine do not go together");
  if (out.sections == 0 || out.sections > kMaxSections) return malformed("impossible number of sections");
  const auto base32 = file.read<std::uint32_t>(optional + 28);
  const auto base64 = file.read<std::uint64_t>(optional + 24);
  const auto size = file.read<std::uint32_t>(optional + 56);
  const std::size_t table = optional + (wide ? 112 : 96);
  const auto count = file.read<std::uint32_t>(table - 4);
  if (!base32 || !base64 || !size || !count || table > out.section_table) return malformed("its header is cut off");
  image.base = wide ? *base64 : *base32;
  image.size_bytes = *size;
  const std::size_t room = (out.section_table - table) / 8;
  for (std::size_t i = 0; i < std::min({std::size_t{*count}, room, out.directories.size()}); ++i) {
    const auto address = file.read<std::uint32_t>(table + 8 * i);
    const auto length = file.read<std::uint32_t>(table + 8 * i + 4);
    if (address && length) out.directories[i] = range_of(*address, *length);
  }
  return out;
}

base::Result<void> parse_sections(const ByteReader& file, const Headers& headers, PeImage& image) {
  std::vector<std::pair<std::size_t, std::size_t>> in_file;
  for (std::size_t i = 0; i < headers.sections; ++i) {
    const std::size_t row = headers.section_table + i * kSectionBytes;
    const auto memory_bytes = file.read<std::uint32_t>(row + 8);
    const auto address = file.read<std::uint32_t>(row + 12);
    const auto file_bytes = file.read<std::uint32_t>(row + 16);
    const auto offset = file.read<std::uint32_t>(row + 20);
    const auto flags = file.read<std::uint32_t>(row + 36);
    if (!memory_bytes || !address || !file_bytes || !offset || !flags) return malformed("its section table is cut off");
    if ((*flags & kUninitialized) != 0 || *file_bytes == 0 || *offset == 0) continue;
    if (*offset >= file.size()) return malformed("a section lies behind the file's end");
    const std::size_t here = std::min<std::size_t>(*file_bytes, file.size() - *offset);
    // Behind the size in memory there is only filling.
    const std::size_t used = *memory_bytes == 0 ? here : std::min<std::size_t>(here, *memory_bytes);
    if (*address > UINT32_MAX - used) return malformed("a section does not fit into the address space");
    in_file.emplace_back(*offset, *offset + used);
    const bool executable = (*flags & (kExecutable | kCode)) != 0;
    image.sections.push_back({*address, *file.slice(*offset, used), executable, !executable && (*flags & kDiscardable) != 0});
  }
  std::sort(in_file.begin(), in_file.end());
  std::sort(image.sections.begin(), image.sections.end(),
            [](const PeSection& a, const PeSection& b) { return a.address < b.address; });
  for (std::size_t i = 1; i < in_file.size(); ++i)
    if (in_file[i].first < in_file[i - 1].second) return malformed("sections overlap in the file");
  for (std::size_t i = 1; i < image.sections.size(); ++i)
    if (image.sections[i].address - image.sections[i - 1].address < image.sections[i - 1].bytes.size())
      return malformed("sections overlap in memory");
  return {};
}

/// Where the records that the debug directory lists lie.
void add_debug_records(PeImage& image, PeRange directory) {
  constexpr std::uint32_t kEntryBytes = 28, kMaxEntries = 64;
  for (std::uint32_t i = 0; i < kMaxEntries && (directory.end - directory.start) / kEntryBytes > i; ++i) {
    const std::uint32_t entry = directory.start + i * kEntryBytes;
    const auto length = image.dword_at(entry + 16);
    const auto address = image.dword_at(entry + 20);
    if (length && address && *address != 0) image.foreign.push_back(range_of(*address, *length));
  }
}

/// x64: the unwind codes that each function's entry points to. They are bytes of any value, between the constants.
void add_unwind_codes(PeImage& image, PeRange directory) {
  constexpr std::uint32_t kEntryBytes = 12;
  if (image.machine != Machine::kX64) return;
  for (std::uint32_t at = directory.start; directory.end - at >= kEntryBytes && image.foreign.size() < kMaxForeign;
       at += kEntryBytes) {
    const auto info = image.dword_at(at + 8);
    if (!info) return;
    const auto head = image.dword_at(*info);
    if (!head) continue;
    const std::uint32_t codes = (*head >> 16) & 0xFF;
    image.foreign.push_back(range_of(*info, 4 + 2 * (codes + (codes & 1)) + 8));
  }
}

/// "" when it is cut off or too long.
std::string_view text_at(const PeImage& image, std::uint32_t address) {
  constexpr std::size_t kMaxName = 256;
  const PeSection* const section = image.section_at(address);
  if (section == nullptr) return {};
  const auto rest = section->bytes.subspan(address - section->address);
  const std::string_view text(reinterpret_cast<const char*>(rest.data()), std::min(rest.size(), kMaxName));
  const std::size_t end = text.find('\0');
  return end == text.npos ? std::string_view() : text.substr(0, end);
}

/// "_Name@12" and "@Name@12" are how x86 compilers write Name, where an import library was made carelessly.
std::string_view undecorated(std::string_view name) {
  const std::size_t at = name.rfind('@');
  if (at == name.npos || at == 0 || name.find_first_not_of("0123456789", at + 1) != name.npos) return name;
  name = name.substr(0, at);
  if (name.front() == '_' || name.front() == '@') name.remove_prefix(1);
  return name;
}

bool is_kernel(std::string_view module) {
  constexpr std::array<std::string_view, 4> kNames = {"ntoskrnl.exe", "ntkrnlpa.exe", "ntkrnlmp.exe", "hal.dll"};
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + ('a' - 'A') : a) == b; };
  return std::any_of(kNames.begin(), kNames.end(), [&](std::string_view name) {
    return std::equal(module.begin(), module.end(), name.begin(), name.end(), same);
  });
}

void add_imports(PeImage& image, PeRange directory) {
  constexpr std::uint32_t kEntryBytes = 20, kMaxModules = 1024;
  constexpr std::size_t kMaxImports = 65'536;
  const std::uint32_t word = image.machine == Machine::kX86 ? 4 : 8;
  for (std::uint32_t i = 0; i < kMaxModules && (directory.end - directory.start) / kEntryBytes > i; ++i) {
    const std::uint32_t entry = directory.start + i * kEntryBytes;
    const auto names = image.dword_at(entry), module = image.dword_at(entry + 12), bound = image.dword_at(entry + 16);
    if (!names || !module || !bound || *bound == 0) break;
    const bool of_kernel = is_kernel(text_at(image, *module));
    // Some linkers give only the table that is bound, which holds the names until then.
    const std::uint32_t table = *names != 0 ? *names : *bound;
    for (std::uint32_t at = 0; image.imports.size() < kMaxImports; at += word) {
      if (at > UINT32_MAX - std::max(table, *bound) - word) break;
      const auto low = image.dword_at(table + at);
      const auto high = word == 8 ? image.dword_at(table + at + 4) : std::optional<std::uint32_t>(0);
      if (!low || !high || (*low | *high) == 0) break;
      const bool by_number = ((word == 8 ? *high : *low) & 0x80000000) != 0;
      if (by_number || *low > UINT32_MAX - 2) continue;
      if (const auto name = undecorated(text_at(image, *low + 2)); !name.empty())
        image.imports.push_back({*bound + at, name, of_kernel});
    }
  }
  std::stable_sort(image.imports.begin(), image.imports.end(),
                   [](const PeImport& a, const PeImport& b) { return a.address < b.address; });
}

}  // namespace

const PeSection* PeImage::section_at(std::uint32_t address) const {
  auto after = std::upper_bound(sections.begin(), sections.end(), address,
                                [](std::uint32_t at, const PeSection& section) { return at < section.address; });
  if (after == sections.begin()) return nullptr;
  --after;
  return address - after->address < after->bytes.size() ? &*after : nullptr;
}

std::optional<std::uint32_t> PeImage::dword_at(std::uint32_t address) const {
  const PeSection* const section = section_at(address);
  if (section == nullptr) return std::nullopt;
  return ByteReader(section->bytes).read<std::uint32_t>(address - section->address);
}

bool PeImage::is_foreign(std::uint32_t address) const {
  const auto after = std::upper_bound(foreign.begin(), foreign.end(), address,
                                      [](std::uint32_t at, const PeRange& range) { return at < range.start; });
  return after != foreign.begin() && address < std::prev(after)->end;
}

const PeImport* PeImage::import_at(std::uint32_t address) const {
  const auto at = std::lower_bound(imports.begin(), imports.end(), address,
                                   [](const PeImport& one, std::uint32_t wanted) { return one.address < wanted; });
  return at != imports.end() && at->address == address ? &*at : nullptr;
}

base::Result<PeImage> parse_pe(std::span<const std::byte> bytes) {
  const ByteReader file(bytes);
  PeImage image;
  const auto headers = parse_headers(file, image);
  if (!headers) return headers.error();
  if (auto parsed = parse_sections(file, *headers, image); !parsed) return parsed.error();

  add_imports(image, headers->directories[kImports]);
  for (const Directory directory : {kResources, kExceptions, kRelocations, kDebug})
    image.foreign.push_back(headers->directories[directory]);
  add_debug_records(image, headers->directories[kDebug]);
  add_unwind_codes(image, headers->directories[kExceptions]);
  std::sort(image.foreign.begin(), image.foreign.end(), [](const PeRange& a, const PeRange& b) { return a.start < b.start; });
  // Made disjoint, so that the last range that begins before an address answers for all.
  std::vector<PeRange> merged;
  for (const PeRange& range : image.foreign) {
    if (range.start == range.end) continue;
    if (!merged.empty() && range.start <= merged.back().end) {
      merged.back().end = std::max(merged.back().end, range.end);
    } else {
      merged.push_back(range);
    }
  }
  image.foreign = std::move(merged);
  return image;
}

}  // namespace kmem::drivers
