// STAGE 1: the texts in which sums of a long table travel in a RawFrame: a head "NAME=N", "skipped=N", then a line a row.
// Thread: pure. Failure: no head is kMalformed; lines that are no rows are counted and passed over.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

#include "collectors/base/result.h"

namespace kmem::windows {

/// Off the front of `text`.
template <typename Number>
bool take_number(std::string_view& text, Number& number) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
  return true;
}

inline bool take_blank(std::string_view& text) {
  if (!text.starts_with(' ')) return false;
  text.remove_prefix(1);
  return true;
}

/// `head` is "NAME="; `take` (line -> whether it is a row) keeps rows. Gives the lines that are none, and what the text
/// itself says it lacks.
template <typename Take>
base::Result<std::uint64_t> read_sum_lines(std::string_view text, std::string_view head, Take take) {
  constexpr std::string_view kSkipped = "skipped=";
  constexpr std::uint64_t kMostSkipped = std::uint64_t{1} << 32;
  if (!text.starts_with(head)) return base::Error{base::ErrorCode::kMalformed, "sums without their head " + std::string(head)};
  std::uint64_t skipped = 0;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.starts_with(head)) continue;
    if (line.starts_with(kSkipped)) {
      std::uint64_t number = 0;
      line.remove_prefix(kSkipped.size());
      skipped += take_number(line, number) && line.empty() ? std::min(number, kMostSkipped) : 1;
    } else if (!take(line)) {
      ++skipped;
    }
  }
  return skipped;
}

}  // namespace kmem::windows
