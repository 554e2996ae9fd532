#include "collectors/linux/tag_sums.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <string>

#include "collectors/base/label_text.h"

namespace kmem::linux {
namespace {

std::uint64_t add_saturating(std::uint64_t a, std::uint64_t b) {
  return a > std::numeric_limits<std::uint64_t>::max() - b ? std::numeric_limits<std::uint64_t>::max() : a + b;
}

bool is_legal(std::string_view text) {
  constexpr std::uint64_t kOnes = 0x0101010101010101U, kHighs = kOnes * 0x80;
  for (; text.size() >= 8; text.remove_prefix(8)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), 8);
    // Of legal bytes, adding 1 and subtracting 0x20 leave the high bit alone; a borrow or carry comes from another only.
    if (((word | (word + kOnes) | (word - kOnes * 0x20)) & kHighs) != 0) return false;
  }
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

}  // namespace

TagSums::TagSums(std::vector<TagUsage>& tags, std::size_t expected)
    : tags_(tags), slots_(std::bit_ceil(std::max<std::size_t>(expected, 32) * 2), kFree) {}

std::uint32_t* TagSums::find(std::uint64_t key) {
  const std::size_t mask = slots_.size() - 1;
  // FNV-1a is weak in its low bits for short texts; the fold spreads the high ones.
  std::size_t at = static_cast<std::size_t>(key ^ (key >> 32)) & mask;
  while (slots_[at] != kFree && tags_[slots_[at]].key != key) at = (at + 1) & mask;
  return &slots_[at];
}

void TagSums::grow() {
  std::vector<std::uint32_t> old(slots_.size() * 2, kFree);
  old.swap(slots_);
  for (const std::uint32_t index : old)
    if (index != kFree) *find(tags_[index].key) = index;
}

void TagSums::add(Pool pool, std::string_view raw_tag, std::uint64_t bytes, std::uint64_t outstanding) {
  if (bytes == 0 && outstanding == 0) return;
  std::string escaped;
  if (!is_legal(raw_tag)) {
    escaped = base::label_text(raw_tag);
    raw_tag = escaped;
  }
  const std::uint64_t key = tag_key(pool, raw_tag);
  std::uint32_t* slot = find(key);
  if (*slot != kFree) {
    TagUsage& tag = tags_[*slot];
    tag.bytes = add_saturating(tag.bytes, bytes);
    tag.outstanding = add_saturating(tag.outstanding, outstanding);
    return;
  }
  *slot = static_cast<std::uint32_t>(tags_.size());
  TagUsage& tag = tags_.emplace_back();
  tag.pool = pool;
  tag.key = key;
  tag.tag = raw_tag;
  tag.bytes = bytes;
  tag.outstanding = outstanding;
  if (++used_ * 2 > slots_.size()) grow();
}

}  // namespace kmem::linux
