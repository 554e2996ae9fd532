// A driver image's bytes -> the pool tags in it, without being told which to look for. Code is read instruction by
// instruction, so that only real constants count, and what becomes of them is seen (Evidence). Constants among data
// count when they stand alone or in a table, but not as part of a text, a GUID or a record of the linker.
// Thread: pure. Failure: as parse_pe. Bounds: kMaxImageBytes, kMaxTagsPerImage; time is linear in the bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <unordered_map>
#include <vector>

#include "collectors/base/result.h"
#include "collectors/drivers/image_tags.h"
#include "collectors/drivers/pe_image.h"

namespace kmem::drivers {

inline constexpr std::size_t kMaxImageBytes = std::size_t{128} << 20;
inline constexpr std::size_t kMaxTagsPerImage = 8192;

/// Sorted by tag.
[[nodiscard]] base::Result<std::vector<ImageTag>> scan_image(std::span<const std::byte> file);

/// Could this be a tag? Letters, digits and some signs, blanks only at the end, not four times the same.
[[nodiscard]] bool is_plausible_tag(std::uint32_t tag);

/// Letters and digits alone, and two of the former: among data, anything else is too often a number.
[[nodiscard]] bool is_word(std::uint32_t tag);
/// Numbers that look like tags and that many programs have: what compilers multiply by instead of dividing (0x66666667,
/// "gfff", is for 5 and 10), words of ciphers. Only a call can make tags of them.
[[nodiscard]] bool is_known_number(std::uint32_t value);

/// What the passes over an image have found so far.
class Finds {
 public:
  void add(std::uint32_t tag, Evidence evidence);
  [[nodiscard]] bool has(std::uint32_t tag) const { return tags_.contains(tag); }
  /// The same image's, found in another way: the better evidence counts, and no place twice.
  void merge(const Finds& other);
  /// What is less than this goes.
  /// Those of less evidence go, but for some.
  void keep_from(Evidence least, const std::set<std::uint32_t>& but) {
    std::erase_if(tags_, [&](const auto& entry) { return entry.second.evidence < least && !but.contains(entry.first); });
  }
  [[nodiscard]] std::vector<ImageTag> take() const;

 private:
  std::unordered_map<std::uint32_t, ImageTag> tags_;
};

// The passes, one section each.
/// `knows_own`: what the image's own functions are handed is told by TagFlow.
void scan_x86_code(const PeImage& image, const PeSection& section, Finds& finds, bool knows_own);
void scan_arm64_code(const PeImage& image, const PeSection& section, Finds& finds);
void scan_data(const PeImage& image, const PeSection& section, Finds& finds);

/// Fields that code stores at once: a tag among numbers, which no text has beside it.
void scan_row(const PeImage& image, std::span<const std::uint32_t> row, Finds& finds);

/// What code reads from memory, at addresses that it names. A constant is read alone; a text that is copied as numbers
/// is read piece after piece.
class Loads {
 public:
  void number(std::uint32_t address, std::uint32_t tag, Evidence evidence);
  void other(std::uint32_t address) { touched_.push_back(address); }
  void settle(const PeImage& image, Finds& finds);

 private:
  struct Number {
    std::uint32_t address = 0, tag = 0;
    Evidence evidence = Evidence::kLoaded;
  };
  [[nodiscard]] bool is_constant(const PeImage& image, std::uint32_t address) const;

  std::vector<Number> numbers_;
  std::vector<std::uint32_t> touched_;  // all, the numbers' too
};

/// PROTECTED_POOL: the kernel strips this bit before it counts an allocation.
inline constexpr std::uint32_t kProtectedPool = 0x80000000;

}  // namespace kmem::drivers
