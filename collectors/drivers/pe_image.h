// A Windows program image's headers: bytes of the file -> machine and sections, x86, x64 and ARM64. Nothing in the file
// is believed before it was compared with the file's size; what is given lies inside the file and overlaps nowhere.
// Thread: pure; the result borrows the bytes. Failure: kMalformed says what is wrong, kUnsupported names the machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "collectors/base/result.h"

namespace kmem::drivers {

enum class Machine : std::uint8_t { kX86, kX64, kArm64 };

struct PeSection {
  std::uint32_t address = 0;         // relative to the image's base
  std::span<const std::byte> bytes;  // what the file has of it
  bool executable = false;
  bool for_loader = false;  // data thrown away after loading: relocations, debug information
};

struct PeRange {
  std::uint32_t start = 0, end = 0;  // relative addresses

  bool operator==(const PeRange&) const = default;
};

/// A function of another image, as the loader binds it.
struct PeImport {
  std::uint32_t address = 0;  // of the word that will hold the function's
  std::string_view name;      // without a compiler's decoration
  bool of_kernel = false;     // of ntoskrnl or hal
};

struct PeImage {
  Machine machine = Machine::kX64;
  std::uint64_t base = 0;
  std::uint32_t size_bytes = 0;     // in memory
  std::vector<PeSection> sections;  // by address
  /// What is neither code nor the program's own data: resources, relocations, debug records, unwind tables. By start.
  std::vector<PeRange> foreign;
  std::vector<PeImport> imports;  // by address

  [[nodiscard]] const PeSection* section_at(std::uint32_t address) const;
  [[nodiscard]] std::optional<std::uint32_t> dword_at(std::uint32_t address) const;
  [[nodiscard]] bool is_foreign(std::uint32_t address) const;
  [[nodiscard]] const PeImport* import_at(std::uint32_t address) const;
};

[[nodiscard]] base::Result<PeImage> parse_pe(std::span<const std::byte> file);

}  // namespace kmem::drivers
