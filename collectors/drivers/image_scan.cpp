#include "collectors/drivers/image_scan.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

namespace kmem::drivers {
namespace {

enum CharKind : std::uint8_t { kNone, kSign, kBlank, kDigit, kLetter };

constexpr std::array<CharKind, 256> char_kinds() {
  std::array<CharKind, 256> kinds{};
  for (std::size_t c = '0'; c <= '9'; ++c) kinds[c] = kDigit;
  for (std::size_t c = 'A'; c <= 'Z'; ++c) kinds[c] = kinds[c + 32] = kLetter;
  for (const char c : std::string_view("!#$&*+-./:=@?_")) kinds[static_cast<unsigned char>(c)] = kSign;
  kinds[' '] = kBlank;
  return kinds;
}
constexpr std::array<CharKind, 256> kKinds = char_kinds();

constexpr bool is_printable(std::byte c) { return c >= std::byte{0x20} && c <= std::byte{0x7E}; }

std::uint32_t dword(std::span<const std::byte> bytes, std::size_t at) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

/// Length of the run of text that contains bytes[at .. at + 4).
std::size_t text_run(std::span<const std::byte> bytes, std::size_t at) {
  constexpr std::size_t kEnough = 64;
  std::size_t first = at, last = at + 4;
  while (first > 0 && at - first < kEnough && is_printable(bytes[first - 1])) --first;
  while (last < bytes.size() && last - at < kEnough && is_printable(bytes[last])) ++last;
  return last - first;
}

/// Letters and digits alone, and more of the former: among data, anything else is too often a number.
bool is_word(std::uint32_t tag) {
  int letters = 0, signs = 0;
  for (int i = 0; i < 4; ++i, tag >>= 8) {
    letters += kKinds[tag & 0xFF] == kLetter;
    signs += kKinds[tag & 0xFF] == kSign;
  }
  return signs == 0 && letters >= 2;
}

/// What stands beside a tag in a table of the program: a small number, nothing, an address, another tag.
class Neighbours {
 public:
  explicit Neighbours(const PeImage& image)
      : low_(static_cast<std::uint32_t>(image.base)), high_(static_cast<std::uint32_t>(image.base >> 32)),
        size_(image.size_bytes), wide_(image.machine != Machine::kX86) {}

  static bool is_small(std::uint32_t value) { return value <= 0xFFFF; }
  [[nodiscard]] bool fits(std::uint32_t value) const {
    return is_small(value) || value - low_ < size_ || value == UINT32_MAX || is_plausible_tag(value);
  }
  [[nodiscard]] bool is_address(std::uint32_t value, std::uint32_t after) const {
    return value - low_ < size_ && (!wide_ || after == high_);
  }

 private:
  std::uint32_t low_, high_, size_;
  bool wide_;
};

}  // namespace

bool is_plausible_tag(std::uint32_t tag) {
  // Every byte in 0x20..0x7F, or it is no text; most numbers end here.
  if ((tag & 0x80808080) != 0 || ((tag - 0x20202020) & 0x80808080) != 0) return false;
  std::array<CharKind, 4> kinds{};
  for (std::size_t i = 0; i < 4; ++i) kinds[i] = kKinds[(tag >> (8 * i)) & 0xFF];
  if (kinds[0] == kNone || kinds[0] == kBlank) return false;
  int letters = 0, digits = 0, signs = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    if (kinds[i] == kNone) return false;
    if (i > 0 && kinds[i - 1] == kBlank && kinds[i] != kBlank) return false;
    letters += kinds[i] == kLetter;
    digits += kinds[i] == kDigit;
    signs += kinds[i] == kSign;
  }
  if ((letters == 0 && digits < 4) || signs > 1 || letters + digits < 2) return false;
  return tag != (tag & 0xFF) * 0x01010101U;
}

void Finds::add(std::uint32_t tag, Evidence evidence) {
  if (tags_.size() >= kMaxTagsPerImage && !tags_.contains(tag)) return;
  ImageTag& found = tags_[tag];
  found.tag = tag;
  found.evidence = std::max(found.evidence, evidence);
  if (found.places < UINT16_MAX) ++found.places;
}

std::vector<ImageTag> Finds::take() const {
  std::vector<ImageTag> all;
  all.reserve(tags_.size());
  for (const auto& [tag, found] : tags_) all.push_back(found);
  std::sort(all.begin(), all.end(), [](const ImageTag& a, const ImageTag& b) { return a.tag < b.tag; });
  return all;
}

bool is_lone_dword(const PeImage& image, std::uint32_t address) {
  const PeSection* const section = image.section_at(address);
  if (section == nullptr || image.is_foreign(address)) return false;
  const std::size_t at = address - section->address;
  return section->bytes.size() - at >= 4 && text_run(section->bytes, at) == 4;
}

void scan_data(const PeImage& image, const PeSection& section, Finds& finds) {
  const std::span<const std::byte> bytes = section.bytes;
  const Neighbours neighbours(image);
  const auto next_is_small = [&](std::size_t at) {
    return at + 8 <= bytes.size() && Neighbours::is_small(dword(bytes, at + 4));
  };
  std::vector<std::size_t> entries;  // places that stand for themselves
  for (std::size_t at = 0; at + 4 <= bytes.size(); at += 4) {
    const std::uint32_t value = dword(bytes, at);
    if (!is_plausible_tag(value) || !is_word(value) || text_run(bytes, at) != 4) continue;
    // Four letters and nothing behind them is how a short text looks as well.
    const std::uint32_t after = at + 8 <= bytes.size() ? dword(bytes, at + 4) : 0;
    if ((after & 0xFF) == 0 && (after == 0 || !Neighbours::is_small(after))) continue;
    if (neighbours.is_address(value, after)) continue;
    const std::uint32_t before = at >= 4 ? dword(bytes, at - 4) : 0;
    if (!neighbours.fits(before) || !neighbours.fits(after)) continue;
    if (!Neighbours::is_small(before) && !Neighbours::is_small(after)) continue;
    if (!image.is_foreign(section.address + static_cast<std::uint32_t>(at))) entries.push_back(at);
  }
  // The other rows of the same table, where what follows the tag happens to look like text: {tag, 0x40}.
  std::vector<std::size_t> rows = entries;
  for (std::size_t i = 0; i < rows.size() && rows.size() < kMaxTagsPerImage; ++i)
    for (const std::size_t stride : {8U, 12U, 16U, 24U, 32U})
      for (const std::size_t at : {rows[i] + stride, rows[i] - stride})
        if (at < bytes.size() && at + 4 <= bytes.size() && is_plausible_tag(dword(bytes, at)) && next_is_small(at) &&
            std::find(rows.begin(), rows.end(), at) == rows.end())
          rows.push_back(at);
  for (const std::size_t at : rows) finds.add(dword(bytes, at), Evidence::kData);
}

base::Result<std::vector<ImageTag>> scan_image(std::span<const std::byte> file) {
  if (file.size() > kMaxImageBytes)
    return base::Error{base::ErrorCode::kInvalid, "larger than " + std::to_string(kMaxImageBytes >> 20) + " MiB"};
  const auto image = parse_pe(file);
  if (!image) return image.error();
  Finds finds;
  for (const PeSection& section : image->sections) {
    if (section.for_loader) continue;
    if (!section.executable) {
      scan_data(*image, section, finds);
    } else if (image->machine == Machine::kArm64) {
      scan_arm64_code(*image, section, finds);
    } else {
      scan_x86_code(*image, section, finds);
    }
  }
  return finds.take();
}

}  // namespace kmem::drivers
