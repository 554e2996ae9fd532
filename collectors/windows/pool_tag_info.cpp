#include "collectors/windows/pool_tag_info.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include "collectors/base/byte_reader.h"
#include "collectors/base/label_text.h"
#include "collectors/windows/nt_layout.h"

namespace kmem::windows {

namespace {

/// Row numbers in the lower half, tags in the upper, ordered by tag. By counting: a few µs for a real table, and no
/// hostile one can make it quadratic.
void sort_by_tag(std::vector<std::uint64_t>& keys) {
  std::vector<std::uint64_t> sorted(keys.size());
  for (int shift = 32; shift < 64; shift += 8) {
    std::array<std::uint32_t, 257> starts{};
    for (const std::uint64_t key : keys) ++starts[((key >> shift) & 255) + 1];
    for (std::size_t i = 1; i < 256; ++i) starts[i] += starts[i - 1];
    for (const std::uint64_t key : keys) sorted[starts[(key >> shift) & 255]++] = key;
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
void append_live(const Half<Counter>& half, Pool pool, const std::string& tag, std::vector<TagUsage>& out) {
  if (half.bytes == 0 && half.outstanding == 0) return;
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
  const auto entry_at = [&](std::uint64_t key) {
    return *reader.read<Entry>(first + static_cast<std::uint32_t>(key) * sizeof(Entry));
  };
  std::vector<std::uint64_t> keys(rows);
  for (std::size_t row = 0; row < rows; ++row)
    keys[row] = std::uint64_t{*reader.read<std::uint32_t>(first + row * sizeof(Entry)) & ~kProtectedPool} << 32 | row;
  sort_by_tag(keys);

  for (std::size_t at = 0; at < rows;) {
    const auto tag = static_cast<std::uint32_t>(keys[at] >> 32);
    Half<Counter> paged;
    Half<Counter> nonpaged;
    for (; at < rows && keys[at] >> 32 == tag; ++at) {
      const Entry entry = entry_at(keys[at]);
      skipped += !paged.add(entry.paged_allocs, entry.paged_frees, entry.paged_used);
      skipped += !nonpaged.add(entry.nonpaged_allocs, entry.nonpaged_frees, entry.nonpaged_used);
    }
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
