#include "collectors/windows/session_pool_tags.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "collectors/base/byte_reader.h"
#include "collectors/windows/nt_layout.h"
#include "collectors/windows/pool_tag_info.h"

namespace kmem::windows {

namespace {

struct Block {
  std::uint32_t session = 0;
  std::span<const std::byte> rows;
  std::uint64_t missing = 0;  // rows claimed but not held
};

struct Blocks {
  std::vector<Block> all;
  bool broken = false;  // something follows that is no block
};

template <int P>
Blocks read_chain(std::span<const std::byte> bytes) {
  const base::ByteReader reader(bytes);
  Blocks found;
  for (std::size_t at = 0; found.all.size() < kMaxSessions;) {
    const auto head = reader.read<NtSessionPoolTags<P>>(at);
    if (!head) break;
    const std::uint64_t next = head->next_entry_offset;
    const std::size_t left = bytes.size() - at;
    if (next != 0 && (next < sizeof(*head) || next > left)) break;
    const std::size_t room = (next == 0 ? left : static_cast<std::size_t>(next)) - sizeof(*head);
    const std::size_t rows = std::min<std::size_t>(head->count, room / sizeof(NtPoolTag<P>));
    found.all.push_back({head->session_id, bytes.subspan(at + sizeof(*head), rows * sizeof(NtPoolTag<P>)), head->count - rows});
    if (next == 0) return found;
    at += static_cast<std::size_t>(next);
  }
  found.broken = true;
  return found;
}

/// Session and count, then the rows; nothing before, between or after.
template <int P>
Blocks read_unchained(std::span<const std::byte> bytes) {
  constexpr std::size_t kHeadBytes = 2 * sizeof(std::uint32_t);
  const base::ByteReader reader(bytes);
  Blocks found;
  std::size_t at = 0;
  while (at < bytes.size() && found.all.size() < kMaxSessions) {
    const auto session = reader.read<std::uint32_t>(at);
    const auto count = reader.read<std::uint32_t>(at + sizeof(*session));
    if (!session || !count || *count == 0 || *count > (bytes.size() - at - kHeadBytes) / sizeof(NtPoolTag<P>)) break;
    const std::size_t length = *count * sizeof(NtPoolTag<P>);
    found.all.push_back({*session, bytes.subspan(at + kHeadBytes, length), 0});
    at += kHeadBytes + length;
  }
  found.broken = at != bytes.size();
  return found;
}

template <int P>
base::Result<std::uint64_t> parse(std::span<const std::byte> bytes, std::vector<SessionTagUsage>& out) {
  Blocks blocks = read_chain<P>(bytes);
  const bool lies = std::any_of(blocks.all.begin(), blocks.all.end(), [](const Block& one) { return one.missing > 0; });
  if (blocks.broken || lies)
    if (Blocks other = read_unchained<P>(bytes); !other.broken && !other.all.empty()) blocks = std::move(other);
  if (blocks.all.empty())
    return base::Error{base::ErrorCode::kMalformed, "session pool tags of " + std::to_string(bytes.size()) + " bytes"};

  std::uint64_t skipped = blocks.broken ? 1 : 0;
  std::set<std::uint32_t> seen;
  std::vector<TagUsage> rows;
  for (const Block& block : blocks.all) {
    skipped += block.missing;
    if (!seen.insert(block.session).second) {
      ++skipped;
      continue;
    }
    rows.clear();
    skipped += append_tag_rows(block.rows, P, rows);
    for (TagUsage& row : rows) out.push_back({block.session, std::move(row)});
  }
  return skipped;
}

}  // namespace

base::Result<std::uint64_t> parse_session_pool_tags(std::span<const std::byte> bytes, std::uint8_t pointer_bytes,
                                                    std::vector<SessionTagUsage>& out) {
  if (bytes.empty()) return std::uint64_t{0};  // no session has a pool of its own
  return pointer_bytes == 4 ? parse<4>(bytes, out) : parse<8>(bytes, out);
}

}  // namespace kmem::windows
