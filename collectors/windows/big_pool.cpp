#include "collectors/windows/big_pool.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "collectors/base/byte_reader.h"
#include "collectors/base/label_text.h"
#include "collectors/windows/nt_layout.h"
#include "collectors/windows/sum_lines.h"

namespace kmem::windows {

namespace {

struct Sum {
  std::uint64_t allocations = 0, bytes = 0;
};

template <int P>
base::Result<std::string> sum_rows(std::span<const std::byte> bytes) {
  const base::ByteReader reader(bytes);
  const auto claimed = reader.read<std::uint32_t>(0);
  if (!claimed) return base::Error{base::ErrorCode::kMalformed, "big pool table of " + std::to_string(bytes.size()) + " bytes"};
  const std::uint64_t held = bytes.size() < P ? 0 : (bytes.size() - P) / sizeof(NtBigPool<P>);
  const std::uint64_t rows = std::min<std::uint64_t>(*claimed, held);
  std::uint64_t skipped = *claimed - rows;
  std::unordered_map<std::uint64_t, Sum> sums;  // by tag, and one bit more for the pool
  bool has_addresses = false;
  for (std::uint64_t i = 0; i < rows; ++i) {
    const auto row = reader.read<NtBigPool<P>>(P + static_cast<std::size_t>(i) * sizeof(NtBigPool<P>));
    if (row->size == 0) continue;  // freed
    has_addresses = has_addresses || row->address != 0;
    const std::uint64_t key = std::uint64_t{row->tag & ~kProtectedPool} << 1 | (row->address & 1);
    if (!sums.contains(key) && sums.size() >= kMaxBigPoolTags) {
      ++skipped;
      continue;
    }
    Sum& into = sums[key];
    ++into.allocations;
    into.bytes += row->size;
  }
  std::vector<std::pair<std::uint64_t, Sum>> sorted(sums.begin(), sums.end());
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return std::tuple(b.second.bytes, a.first) < std::tuple(a.second.bytes, b.first);
  });
  std::string text = "rows=" + std::to_string(rows) + "\nskipped=" + std::to_string(skipped) + "\n";
  for (const auto& [key, of] : sorted) {
    text += !has_addresses ? "? " : (key & 1) != 0 ? "n " : "p ";
    std::array<char, 16> hex{};
    const auto tag = static_cast<std::uint32_t>(key >> 1);
    std::snprintf(hex.data(), hex.size(), "%02x%02x%02x%02x", tag & 255, tag >> 8 & 255, tag >> 16 & 255, tag >> 24);
    text.append(hex.data()).append(" ").append(std::to_string(of.allocations)).append(" ");
    text.append(std::to_string(of.bytes)).append("\n");
  }
  return text;
}

/// Where each tag lives that is in one pool only.
using Homes = std::unordered_map<std::string_view, std::optional<Pool>>;
Homes homes_of(std::span<const TagUsage> tags) {
  Homes homes;
  for (const TagUsage& row : tags)
    if (const auto [at, is_new] = homes.emplace(row.tag, row.pool); !is_new) at->second.reset();
  return homes;
}

}  // namespace

base::Result<std::string> sum_big_pool(std::span<const std::byte> bytes, std::uint8_t pointer_bytes) {
  return pointer_bytes == 4 ? sum_rows<4>(bytes) : sum_rows<8>(bytes);
}

base::Result<std::uint64_t> parse_big_pool(std::string_view text, std::span<const TagUsage> tags,
                                           std::vector<BigPoolUsage>& out) {
  std::size_t rows = 0;
  std::optional<Homes> homes;
  return read_sum_lines(text, "rows=", [&](std::string_view line) {
    BigPoolUsage row;
    std::string raw;
    const bool named = line.size() > 10 && (line[0] == 'p' || line[0] == 'n' || line[0] == '?') && line[1] == ' ';
    if (!named || rows >= 2 * kMaxBigPoolTags) return false;
    for (std::size_t at = 2; at < 10; at += 2) {
      unsigned byte = 0;
      if (std::from_chars(line.data() + at, line.data() + at + 2, byte, 16).ptr != line.data() + at + 2) return false;
      raw.push_back(static_cast<char>(byte));
    }
    const char pool = line[0];
    line.remove_prefix(10);
    const bool is_whole = take_blank(line) && take_number(line, row.allocations) && take_blank(line) &&
                          take_number(line, row.bytes) && line.empty();
    if (!is_whole) return false;
    row.tag = base::label_text(raw);
    if (pool == '?') {
      if (!homes) homes = homes_of(tags);
      const auto home = homes->find(row.tag);
      if (home == homes->end() || !home->second) return false;
      row.pool = *home->second;
    } else {
      row.pool = pool == 'n' ? Pool::kNonpaged : Pool::kPaged;
    }
    row.key = tag_key(row.pool, row.tag);
    out.push_back(std::move(row));
    ++rows;
    return true;
  });
}

}  // namespace kmem::windows
