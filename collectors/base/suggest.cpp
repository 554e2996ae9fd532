#include "collectors/base/suggest.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>

#include "collectors/base/ascii_case.h"
#include "collectors/base/digit.h"

namespace kmem::base {
namespace {

constexpr std::size_t kLongestWord = 64;

std::size_t edits(std::string_view a, std::string_view b) {
  using Row = std::array<std::size_t, kLongestWord + 1>;
  std::array<Row, 3> rows{};  // a swap looks two rows back
  for (std::size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    Row& row = rows[i % 3];
    const Row& above = rows[(i - 1) % 3];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = ascii_lower(a[i - 1]) == ascii_lower(b[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0U : 1U)});
      if (i > 1 && j > 1 && ascii_lower(a[i - 1]) == ascii_lower(b[j - 2]) && ascii_lower(a[i - 2]) == ascii_lower(b[j - 1]))
        row[j] = std::min(row[j], rows[(i - 2) % 3][j - 2] + 1);
    }
  }
  return rows[a.size() % 3][b.size()];
}

/// Of words of one length: how far apart their digits are. TLS14 is nearer to TLS13 than to TLS10.
std::size_t digits_apart(std::string_view a, std::string_view b) {
  std::size_t apart = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    if (is_digit(a[i]) && is_digit(b[i])) apart += static_cast<std::size_t>(std::abs(a[i] - b[i]));
  return apart;
}

}  // namespace

std::optional<std::string> nearest(std::string_view word, std::span<const std::string_view> candidates) {
  if (word.empty() || word.size() > kLongestWord) return std::nullopt;
  std::size_t best_edits = std::max<std::size_t>(word.size() / 3, 1) + 1;
  std::string_view best;
  std::string_view longer;
  std::size_t longer_count = 0;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > kLongestWord) continue;
    // A word changed in every letter is another word; lengths alone may be too far apart.
    const std::size_t apart = std::max(word.size(), candidate.size()) - std::min(word.size(), candidate.size());
    const std::size_t distance = apart < best_edits ? edits(word, candidate) : best_edits;
    const bool is_as_near = !best.empty() && distance == best_edits && candidate.size() == word.size() &&
                            best.size() == word.size() && digits_apart(word, candidate) < digits_apart(word, best);
    if ((distance < best_edits && distance < word.size()) || is_as_near) {
      best_edits = distance;
      best = candidate;
    }
    if (word.size() >= 3 && candidate.starts_with(word)) {
      longer = candidate;
      ++longer_count;
    }
  }
  if (!best.empty()) return std::string(best);
  if (longer_count == 1) return std::string(longer);
  return std::nullopt;
}

}  // namespace kmem::base
