#include "collectors/drivers/image_scan.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string_view>

#include "collectors/drivers/stored_constants.h"
#include "collectors/drivers/tag_flow.h"

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

/// Run of text that contains bytes[at .. at + 4): how much of it lies before, and behind, the four.
struct TextRun {
  std::size_t before = 0, behind = 0;
};
TextRun text_run(std::span<const std::byte> bytes, std::size_t at) {
  constexpr std::size_t kEnough = 64;
  TextRun run;
  while (run.before < std::min(at, kEnough) && is_printable(bytes[at - 1 - run.before])) ++run.before;
  while (run.behind < kEnough && at + 4 + run.behind < bytes.size() && is_printable(bytes[at + 4 + run.behind])) ++run.behind;
  return run;
}
bool stands_alone(std::span<const std::byte> bytes, std::size_t at) {
  const TextRun run = text_run(bytes, at);
  return run.before == 0 && run.behind == 0;
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

bool is_word(std::uint32_t tag) {
  int letters = 0, signs = 0;
  for (int i = 0; i < 4; ++i, tag >>= 8) {
    letters += kKinds[tag & 0xFF] == kLetter;
    signs += kKinds[tag & 0xFF] == kSign;
  }
  return signs == 0 && letters >= 2;
}

bool is_known_number(std::uint32_t value) {
  // "expand 32-byte k" and its 16: ChaCha and Salsa, wherever somebody ciphers.
  constexpr std::array<std::uint32_t, 3> kCiphers = {0x61707865, 0x79622D32, 0x79622D36};
  if (std::find(kCiphers.begin(), kCiphers.end(), value) != kCiphers.end()) return true;
  constexpr std::uint32_t kMost = 1024;
  constexpr std::array<std::uint32_t, 10> kMore = {1'440,   3'600,     10'000,    60'000,     86'400,
                                                   100'000, 1'000'000, 3'600'000, 10'000'000, 1'000'000'000};
  // 2^n / divisor, rounded either way.
  const auto is_of = [value](std::uint64_t divisor) {
    const std::uint64_t product = value * divisor;
    const std::uint64_t below = std::bit_floor(product);
    return product - below < divisor || 2 * below - product < divisor;
  };
  for (std::uint32_t divisor = 3; divisor < kMost; ++divisor)
    if (is_of(divisor)) return true;
  return std::any_of(kMore.begin(), kMore.end(), is_of);
}

void Finds::add(std::uint32_t tag, Evidence evidence) {
  if (tags_.size() >= kMaxTagsPerImage && !tags_.contains(tag)) return;
  ImageTag& found = tags_[tag];
  found.tag = tag;
  found.evidence = std::max(found.evidence, evidence);
  if (found.places < UINT16_MAX) ++found.places;
}

void Finds::merge(const Finds& other) {
  for (const auto& [tag, theirs] : other.tags_) {
    if (tags_.size() >= kMaxTagsPerImage && !tags_.contains(tag)) continue;
    ImageTag& found = tags_[tag];
    found = {tag, std::max(found.evidence, theirs.evidence), std::max(found.places, theirs.places)};
  }
}

std::vector<ImageTag> Finds::take() const {
  std::vector<ImageTag> all;
  all.reserve(tags_.size());
  for (const auto& [tag, found] : tags_) all.push_back(found);
  std::sort(all.begin(), all.end(), [](const ImageTag& a, const ImageTag& b) { return a.tag < b.tag; });
  return all;
}

void Loads::number(std::uint32_t address, std::uint32_t tag, Evidence evidence) {
  if (numbers_.size() < kMaxTagsPerImage) numbers_.push_back({address, tag, evidence});
  touched_.push_back(address);
}

bool Loads::is_constant(const PeImage& image, std::uint32_t address) const {
  const PeSection* const section = image.section_at(address);
  if (section == nullptr || image.is_foreign(address)) return false;
  const std::size_t at = address - section->address;
  if (section->bytes.size() - at < 4) return false;
  const TextRun run = text_run(section->bytes, at);
  if (run.before != 0) return false;
  // Where a text follows at once, the constant has to lie as a number does.
  if (run.behind != 0 && address % 4 != 0) return false;
  const auto next = std::upper_bound(touched_.begin(), touched_.end(), address);
  return next == touched_.end() || *next - address > 4 + run.behind;
}

void Loads::settle(const PeImage& image, Finds& finds) {
  std::sort(touched_.begin(), touched_.end());
  for (const Number& one : numbers_)
    if (is_constant(image, one.address)) finds.add(one.tag, one.evidence);
}

void scan_data(const PeImage& image, const PeSection& section, Finds& finds) {
  const std::span<const std::byte> bytes = section.bytes;
  const Neighbours neighbours(image);
  // {tag, 0x40}: only a row of the same table tells that this is no text.
  const auto begins_row = [&](std::size_t at) {
    const std::uint32_t after = at + 8 <= bytes.size() ? dword(bytes, at + 4) : 0;
    const TextRun run = text_run(bytes, at);
    return after != 0 && Neighbours::is_small(after) && run.before == 0 && run.behind <= 1;
  };
  std::vector<std::size_t> entries;  // places that stand for themselves
  for (std::size_t at = 0; at + 4 <= bytes.size(); at += 4) {
    const std::uint32_t value = dword(bytes, at);
    if (!is_plausible_tag(value) || !is_word(value)) continue;
    // Four letters and nothing behind them is how a short text looks as well.
    const std::uint32_t after = at + 8 <= bytes.size() ? dword(bytes, at + 4) : 0;
    const std::uint32_t later = at + 12 <= bytes.size() ? dword(bytes, at + 8) : 0;
    const bool points = neighbours.is_address(after, later);
    if (points ? text_run(bytes, at).before != 0 : !stands_alone(bytes, at)) continue;
    if (!points && (after & 0xFF) == 0 && (after == 0 || !Neighbours::is_small(after))) continue;
    if (neighbours.is_address(value, after)) continue;
    const std::uint32_t before = at >= 4 ? dword(bytes, at - 4) : 0;
    if (!neighbours.fits(before) || !neighbours.fits(after)) continue;
    if (!Neighbours::is_small(before) && !Neighbours::is_small(after)) continue;
    if (!image.is_foreign(section.address + static_cast<std::uint32_t>(at))) entries.push_back(at);
  }
  // The other rows of the same table.
  std::vector<std::size_t> rows = entries;
  for (std::size_t i = 0; i < rows.size() && rows.size() < kMaxTagsPerImage; ++i)
    for (const std::size_t stride : {8U, 12U, 16U, 24U, 32U})
      for (const std::size_t at : {rows[i] + stride, rows[i] - stride})
        if (at < bytes.size() && at + 4 <= bytes.size() && is_plausible_tag(dword(bytes, at)) && begins_row(at) &&
            std::find(rows.begin(), rows.end(), at) == rows.end())
          rows.push_back(at);
  for (const std::size_t at : rows) finds.add(dword(bytes, at), Evidence::kData);
}

void scan_row(const PeImage& image, std::span<const std::uint32_t> row, Finds& finds) {
  const auto is_text = [](std::uint32_t value) {
    const Piece piece = piece_of(value);
    return piece == Piece::kWhole || piece == Piece::kTail;
  };
  const auto is_field = [&](std::uint32_t value) {
    int zeros = 0;
    for (int i = 0; i < 32; i += 8) zeros += ((value >> i) & 0xFF) == 0 ? 1 : 0;
    return zeros >= 2 && !is_text(value);
  };
  const bool narrow = image.machine == Machine::kX86;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (!is_plausible_tag(row[i]) || !is_word(row[i]) || is_known_number(row[i])) continue;
    if (narrow && row[i] - static_cast<std::uint32_t>(image.base) < image.size_bytes) continue;
    bool fits = i + 1 == row.size() || row[i + 1] == 0 || piece_of(row[i + 1]) == Piece::kNone, has_number = false;
    for (std::size_t j = 0; j < row.size(); ++j) {
      if (j == i) continue;
      fits = fits && is_field(row[j]);
      has_number = has_number || piece_of(row[j]) == Piece::kNone;
    }
    if (fits && has_number) finds.add(row[i], Evidence::kImmediate);
  }
}

base::Result<std::vector<ImageTag>> scan_image(std::span<const std::byte> file) {
  if (file.size() > kMaxImageBytes)
    return base::Error{base::ErrorCode::kInvalid, "larger than " + std::to_string(kMaxImageBytes >> 20) + " MiB"};
  const auto image = parse_pe(file);
  if (!image) return image.error();
  Finds finds;
  const bool follows = image->machine != Machine::kArm64 && has_tag_calls(*image);
  for (const PeSection& section : image->sections) {
    if (section.for_loader) continue;
    if (!section.executable) {
      scan_data(*image, section, finds);
    } else if (image->machine == Machine::kArm64) {
      scan_arm64_code(*image, section, finds);
    } else {
      scan_x86_code(*image, section, finds, follows);
    }
  }
  if (follows) {
    TagFlow flow(*image);
    Finds known;
    follow_x86(*image, flow);
    flow.finish(known, finds);
    // Where every tag is known, what merely looks like one is none, unless a structure keeps it, which other modules may read.
    const bool of_kernel =
        std::all_of(image->imports.begin(), image->imports.end(), [](const PeImport& import) { return import.of_kernel; });
    if (flow.knows_all() && of_kernel) finds.keep_from(Evidence::kArgument, flow.kept_in_structures());
    finds.merge(known);
  }
  return finds.take();
}

}  // namespace kmem::drivers
