#include "config/text.h"

#include <array>
#include <limits>
#include <span>
#include <utility>

#include "collectors/base/clock.h"
#include "collectors/base/label_text.h"
#include "collectors/base/utf8.h"

namespace kmem::config {
namespace {

using Unit = std::pair<std::string_view, std::uint64_t>;

// Largest first.
constexpr std::array<Unit, 6> kDurationUnits = {{{"w", 7 * base::kDayMillis},
                                                 {"d", base::kDayMillis},
                                                 {"h", base::kHourMillis},
                                                 {"m", base::kMinuteMillis},
                                                 {"s", base::kSecondMillis},
                                                 {"ms", 1}}};
constexpr std::array<Unit, 4> kByteUnits = {{{"GiB", 1ULL << 30}, {"MiB", 1ULL << 20}, {"KiB", 1ULL << 10}, {"B", 1}}};

// Twelve digits hold every value any knob takes, and twelve digits of weeks still fit 64 bits.
constexpr std::size_t kMaxDigits = 12;

std::string_view take_while_digit(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && text[length] >= '0' && text[length] <= '9') ++length;
  const std::string_view digits = text.substr(0, length);
  text.remove_prefix(length);
  return digits;
}

std::string with_largest_unit(std::uint64_t value, std::span<const Unit> units) {
  for (const auto& [name, size] : units)
    if (value % size == 0) return std::to_string(value / size) + std::string(name);
  return {};
}

}  // namespace

std::optional<std::uint64_t> parse_count(std::string_view text) {
  const std::string_view digits = take_while_digit(text);
  if (digits.empty() || digits.size() > kMaxDigits || !text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : digits) value = value * 10 + static_cast<std::uint64_t>(c - '0');
  return value;
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  if (text == "0") return std::chrono::milliseconds(0);
  if (text.empty()) return std::nullopt;
  std::uint64_t total = 0;
  std::size_t next_unit = 0;
  while (!text.empty()) {
    const std::optional<std::uint64_t> number = parse_count(take_while_digit(text));
    std::size_t length = 0;
    while (length < text.size() && text[length] >= 'a' && text[length] <= 'z') ++length;
    const std::string_view unit = text.substr(0, length);
    text.remove_prefix(length);
    while (next_unit < kDurationUnits.size() && kDurationUnits[next_unit].first != unit) ++next_unit;
    if (!number || next_unit == kDurationUnits.size()) return std::nullopt;
    const std::uint64_t size = kDurationUnits[next_unit++].second;
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (*number > (kMax - total) / size) return std::nullopt;
    total += *number * size;
  }
  return std::chrono::milliseconds(static_cast<std::int64_t>(total));
}

std::string duration_text(std::chrono::milliseconds duration) {
  if (duration.count() <= 0) return "0s";
  // Weeks are understood but not written: 28d says more than 4w.
  return with_largest_unit(static_cast<std::uint64_t>(duration.count()), std::span(kDurationUnits).subspan(1));
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  const std::optional<std::uint64_t> number = parse_count(take_while_digit(text));
  if (!number) return std::nullopt;
  if (text.empty()) return number;
  for (const auto& [name, size] : kByteUnits) {
    if (name != text) continue;
    if (*number > std::numeric_limits<std::uint64_t>::max() / size) return std::nullopt;
    return *number * size;
  }
  return std::nullopt;
}

std::string bytes_text(std::uint64_t bytes) { return bytes == 0 ? "0B" : with_largest_unit(bytes, kByteUnits); }

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kShown = 60;
  bool cut = false;
  if (text.size() > kShown) {
    std::size_t end = kShown;
    while (end > kShown - 4 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;
    text = text.substr(0, end);
    cut = true;
  }
  bool plain = base::find_non_utf8(text) == std::string_view::npos;
  for (const char c : text) plain = plain && static_cast<unsigned char>(c) >= 0x20 && c != 0x7F;
  std::string out = "\"" + (plain ? std::string(text) : base::label_text(text));
  out += cut ? "...\"" : "\"";
  return out;
}

std::string relative_to_file(std::string_view path, std::string_view file) {
  const bool rooted = path.empty() || path[0] == '/' || path[0] == '\\' || (path.size() > 1 && path[1] == ':');
  const std::size_t folder_end = file.find_last_of("/\\");
  if (rooted || folder_end == std::string_view::npos) return std::string(path);
  return std::string(file.substr(0, folder_end + 1)) + std::string(path);
}

}  // namespace kmem::config
