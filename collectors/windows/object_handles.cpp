#include "collectors/windows/object_handles.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "collectors/base/byte_reader.h"
#include "collectors/base/label_text.h"
#include "collectors/handle_table.h"
#include "collectors/windows/nt_layout.h"
#include "collectors/windows/process_info.h"
#include "collectors/windows/sum_lines.h"

namespace kmem::windows {

namespace {

constexpr std::size_t kMostTypes = 512, kMostNameChars = 64;
constexpr std::size_t kMostPairs = 65'536;  // of process and type while they are counted

using Pair = std::pair<std::uint64_t, std::uint32_t>;  // process id, index of type
struct PairHash {
  std::size_t operator()(const Pair& pair) const {
    return static_cast<std::size_t>(pair.first * 0x9E3779B97F4A7C15ULL ^ pair.second);
  }
};
struct Counts {
  std::unordered_map<Pair, std::uint64_t, PairHash> of;
  std::uint64_t handles = 0, skipped = 0;
};

/// The kernel's own names, such as "ALPC Port": anything else was read from the wrong place.
bool is_type_name(std::span<const std::byte> utf16) {
  const base::ByteReader reader(utf16);
  if (utf16.empty() || utf16.size() > 2 * kMostNameChars) return false;
  for (std::size_t at = 0; at + 2 <= utf16.size(); at += 2)
    if (const auto c = reader.read<std::uint16_t>(at); *c < 0x20 || *c > 0x7E) return false;
  return true;
}

template <int P>
base::Result<std::vector<ObjectTypeName>> types_of(std::span<const std::byte> bytes) {
  const base::ByteReader reader(bytes);
  const auto count = reader.read<std::uint32_t>(0);
  if (!count) return base::Error{base::ErrorCode::kMalformed, "object types of " + std::to_string(bytes.size()) + " bytes"};
  std::vector<ObjectTypeName> types;
  std::size_t at = P;
  while (types.size() < std::min<std::size_t>(*count, kMostTypes)) {
    const auto entry = reader.read<NtObjectType<P>>(at);
    if (!entry) break;
    const auto name = reader.slice(at + sizeof(*entry), entry->type_name.length & ~std::size_t{1});
    if (!name || entry->type_name.maximum_length < entry->type_name.length) break;
    if (!is_type_name(*name)) return base::Error{base::ErrorCode::kMalformed, "object types of an unknown layout"};
    // From 8.1 on each has an index of its own; before it none has.
    const bool fits = types.empty() || (entry->type_index == 0) == (types[0].index == 0);
    const bool is_twice = entry->type_index != 0 && std::any_of(types.begin(), types.end(), [&](const ObjectTypeName& type) {
                            return type.index == entry->type_index;
                          });
    if (!fits || is_twice)
      return base::Error{base::ErrorCode::kMalformed, "object types whose index is not where it is known to be"};
    types.push_back({utf16_label(*name), entry->type_index, entry->handles});
    at += sizeof(*entry) + ((entry->type_name.maximum_length + std::size_t{P} - 1) & ~(std::size_t{P} - 1));
  }
  return types;
}

template <typename Row, typename Head>
base::Result<Counts> count_rows(std::span<const std::byte> bytes, std::size_t first_row) {
  const base::ByteReader reader(bytes);
  const auto claimed = reader.read<Head>(0);
  if (!claimed || bytes.size() < first_row)
    return base::Error{base::ErrorCode::kMalformed, "handle table of " + std::to_string(bytes.size()) + " bytes"};
  const std::uint64_t held = (bytes.size() - first_row) / sizeof(Row);
  Counts counts;
  counts.handles = std::min<std::uint64_t>(*claimed, held);
  counts.skipped = *claimed - counts.handles;
  for (std::uint64_t i = 0; i < counts.handles; ++i) {
    const auto row = reader.read<Row>(first_row + static_cast<std::size_t>(i) * sizeof(Row));
    const Pair pair{static_cast<std::uint64_t>(row->process_id), row->type_index};
    const auto known = counts.of.find(pair);
    if (known != counts.of.end()) {
      ++known->second;
    } else if (counts.of.size() < kMostPairs) {
      counts.of.emplace(pair, 1);
    } else {
      ++counts.skipped;
    }
  }
  return counts;
}

template <int P>
base::Result<Counts> count_class(std::span<const std::byte> bytes, std::uint32_t info_class) {
  if (info_class == kHandleClass) return count_rows<NtHandle<P>, std::uint32_t>(bytes, P);
  return count_rows<NtHandleEx<P>, Word<P>>(bytes, 2 * P);
}

/// Whether half of the handles or more are those of processes that are there; processes that came or went in between are few.
bool belongs_to(std::span<const std::uint64_t> pids, std::uint64_t mask, const Counts& counts) {
  if (pids.empty()) return true;  // nobody says who is there
  std::vector<std::uint64_t> known;
  for (const std::uint64_t pid : pids) known.push_back(pid & mask);
  std::sort(known.begin(), known.end());
  std::uint64_t theirs = 0, all = 0;
  for (const auto& [pair, handles] : counts.of) {
    all += handles;
    if (std::binary_search(known.begin(), known.end(), pair.first)) theirs += handles;
  }
  return 2 * theirs >= all;
}

/// Where the kernel's list begins to number its types.
std::uint32_t first_index(std::span<const ObjectTypeName> types, const Counts& counts) {
  std::map<std::uint32_t, std::uint64_t> by_index;
  for (const auto& [pair, handles] : counts.of) by_index[pair.second] += handles;
  const auto distance = [&](std::uint32_t first) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < types.size(); ++i) {
      const auto found = by_index.find(first + static_cast<std::uint32_t>(i));
      const std::uint64_t seen = found == by_index.end() ? 0 : found->second;
      sum += seen > types[i].handles ? seen - types[i].handles : types[i].handles - seen;
    }
    return sum;
  };
  return distance(1) <= distance(2) ? 1 : 2;
}

/// 16 bits of an id -> the process that has them, if only one does.
std::uint64_t whole_pid(std::uint64_t pid, std::span<const std::uint64_t> pids) {
  std::uint64_t found = pid;
  std::size_t matches = 0;
  for (const std::uint64_t each : pids)
    if ((each & 0xFFFF) == pid) found = each, ++matches;
  return matches == 1 ? found : pid;
}

}  // namespace

base::Result<std::vector<ObjectTypeName>> parse_object_types(std::span<const std::byte> bytes, std::uint8_t pointer_bytes) {
  return pointer_bytes == 4 ? types_of<4>(bytes) : types_of<8>(bytes);
}

base::Result<std::string> count_handles(std::span<const std::byte> bytes, std::uint32_t info_class, std::uint8_t pointer_bytes,
                                        std::span<const ObjectTypeName> types, std::span<const std::uint64_t> pids,
                                        std::uint64_t skipped_before) {
  auto counts = pointer_bytes == 4 ? count_class<4>(bytes, info_class) : count_class<8>(bytes, info_class);
  if (!counts) return counts.error();
  counts->skipped += skipped_before;
  if (!belongs_to(pids, info_class == kHandleClass ? 0xFFFF : ~std::uint64_t{0}, *counts))
    return base::Error{base::ErrorCode::kMalformed, "a handle table of an unknown layout: most of its processes do not exist"};
  const bool numbered = std::any_of(types.begin(), types.end(), [](const ObjectTypeName& type) { return type.index != 0; });
  const std::uint32_t first = numbered ? 0 : first_index(types, *counts);
  std::map<std::uint32_t, std::string_view> names;
  for (std::size_t i = 0; i < types.size(); ++i)
    names[numbered ? types[i].index : first + static_cast<std::uint32_t>(i)] = types[i].name;

  struct Row {
    std::uint64_t pid, handles;
    std::uint32_t index;
  };
  std::vector<Row> rows;
  rows.reserve(counts->of.size());
  for (const auto& [pair, handles] : counts->of) rows.push_back({pair.first, handles, pair.second});
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return std::tuple(b.handles, a.pid, a.index) < std::tuple(a.handles, b.pid, b.index);
  });
  if (rows.size() > kMaxHandleRows) rows.resize(kMaxHandleRows);
  std::string text = "handles=" + std::to_string(counts->handles) + "\nskipped=" + std::to_string(counts->skipped) + "\n";
  for (const Row& row : rows) {
    const auto name = names.find(row.index);
    text += std::to_string(info_class == kHandleClass ? whole_pid(row.pid, pids) : row.pid);
    text.append(" ").append(std::to_string(row.handles)).append(" ");
    text.append(name == names.end() ? "type " + std::to_string(row.index) : std::string(name->second)).append("\n");
  }
  return text;
}

base::Result<std::uint64_t> parse_handle_counts(std::string_view text, std::vector<ObjectHandles>& out) {
  std::size_t rows = 0;
  return read_sum_lines(text, "handles=", [&](std::string_view line) {
    ObjectHandles row;
    const bool is_whole = rows < kMaxHandleRows && take_number(line, row.pid) && take_blank(line) &&
                          take_number(line, row.handles) && take_blank(line) && !line.empty();
    if (!is_whole) return false;
    row.type = base::label_text(line);
    out.push_back(std::move(row));
    ++rows;
    return true;
  });
}

}  // namespace kmem::windows
