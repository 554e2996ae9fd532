#include "collectors/windows/pool_tag_info.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "collectors/base/byte_reader.h"
#include "collectors/base/label_text.h"
#include "collectors/windows/nt_layout.h"

namespace kmem::windows {

namespace {

/// In 32-bit words, which a 32-bit kernel's processor sorts and compares at once.
struct KeyedRow {
  std::uint32_t tag, row;
};

/// By counting: a few µs for a real table, and no hostile one can make it quadratic. Stable.
void sort_by_tag(std::vector<KeyedRow>& keys) {
  constexpr std::size_t kDigits = 4;
  std::array<std::array<std::uint32_t, 256>, kDigits> starts{};
  for (const KeyedRow& key : keys)
    for (std::size_t digit = 0; digit < kDigits; ++digit) ++starts[digit][(key.tag >> (8 * digit)) & 255];
  std::vector<KeyedRow> sorted(keys.size());
  for (std::size_t digit = 0; digit < kDigits; ++digit) {
    std::uint32_t next = 0;
    for (std::uint32_t& start : starts[digit]) next += std::exchange(start, next);
    for (const KeyedRow& key : keys) sorted[starts[digit][(key.tag >> (8 * digit)) & 255]++] = key;
    keys.swap(sorted);
  }
}

/// One pool's half of the rows of one tag.
template <typename Counter>
struct Half {
  Counter allocations = 0;
  Counter frees = 0;
  std::uint64_t bytes = 0;
  std::uint64_t outstanding = 0;

  /// False when torn.
  bool add(Counter allocs, Counter freed, std::uint64_t used) {
    allocations += allocs;
    frees += freed;
    bytes += used;
    const Counter live = allocs - freed;
    const bool torn = live >> (8 * sizeof(Counter) - 1) != 0;
    if (!torn) outstanding += live;
    return !torn;
  }
};

template <typename Counter>
bool is_live(const Half<Counter>& half) {
  return half.bytes != 0 || half.outstanding != 0;
}

template <typename Counter>
void append_live(const Half<Counter>& half, Pool pool, const std::string& tag, std::vector<TagUsage>& out) {
  if (!is_live(half)) return;
  TagUsage& row = out.emplace_back();
  row.pool = pool;
  row.counter_bits = 8 * sizeof(Counter);
  row.key = tag_key(pool, tag);
  row.tag = tag;
  row.bytes = half.bytes;
  row.outstanding = half.outstanding;
  row.allocations = half.allocations;
  row.frees = half.frees;
}

/// Sums the first `rows` entries, which are there, by tag; gives how many halves were torn.
template <typename Entry>
std::uint64_t append_rows(const base::ByteReader& reader, std::size_t first, std::size_t rows, std::vector<TagUsage>& out) {
  using Counter = typename Entry::Counter;
  std::uint64_t skipped = 0;
  std::vector<KeyedRow> keys(rows);
  for (std::uint32_t row = 0; row < rows; ++row)
    keys[row] = {*reader.read<std::uint32_t>(first + row * sizeof(Entry)) & ~kProtectedPool, row};
  sort_by_tag(keys);

  for (std::size_t at = 0; at < rows;) {
    const std::uint32_t tag = keys[at].tag;
    Half<Counter> paged;
    Half<Counter> nonpaged;
    for (; at < rows && keys[at].tag == tag; ++at) {
      const Entry entry = *reader.read<Entry>(first + keys[at].row * sizeof(Entry));
      skipped += !paged.add(entry.paged_allocs, entry.paged_frees, entry.paged_used);
      skipped += !nonpaged.add(entry.nonpaged_allocs, entry.nonpaged_frees, entry.nonpaged_used);
    }
    if (!is_live(paged) && !is_live(nonpaged)) continue;
    std::array<char, sizeof(tag)> raw;
    std::memcpy(raw.data(), &tag, sizeof(tag));
    const std::string text = base::label_text(std::string_view(raw.data(), raw.size()));
    append_live(paged, Pool::kPaged, text, out);
    append_live(nonpaged, Pool::kNonpaged, text, out);
  }
  return skipped;
}

template <typename Entry, int P>
base::Result<std::uint64_t> parse(std::span<const std::byte> bytes, std::vector<TagUsage>& out) {
  const base::ByteReader reader(bytes);
  const auto count = reader.read<std::uint32_t>(0);
  if (!count) return base::Error{base::ErrorCode::kMalformed, "pool tag table of " + std::to_string(bytes.size()) + " bytes"};
  const std::size_t held = bytes.size() < P ? 0 : (bytes.size() - P) / sizeof(Entry);
  const std::size_t rows = std::min({std::size_t{*count}, held, kMaxTagRows});
  return *count - rows + append_rows<Entry>(reader, P, rows, out);
}

}  // namespace

std::uint64_t append_tag_rows(std::span<const std::byte> bytes, std::uint8_t pointer_bytes, std::vector<TagUsage>& out) {
  const base::ByteReader reader(bytes);
  const auto held = [&](std::size_t entry_bytes) { return std::min(bytes.size() / entry_bytes, kMaxTagRows); };
  return pointer_bytes == 4 ? append_rows<NtPoolTag<4>>(reader, 0, held(sizeof(NtPoolTag<4>)), out)
                            : append_rows<NtPoolTag<8>>(reader, 0, held(sizeof(NtPoolTag<8>)), out);
}

base::Result<std::uint64_t> parse_pool_tags(std::span<const std::byte> bytes, std::uint32_t info_class,
                                            std::uint8_t pointer_bytes, std::vector<TagUsage>& out) {
  if (info_class == kPoolTag2Class)
    return pointer_bytes == 4 ? parse<NtPoolTag2<4>, 4>(bytes, out) : parse<NtPoolTag2<8>, 8>(bytes, out);
  return pointer_bytes == 4 ? parse<NtPoolTag<4>, 4>(bytes, out) : parse<NtPoolTag<8>, 8>(bytes, out);
}

}  // namespace kmem::windows
