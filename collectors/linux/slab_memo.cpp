#include "collectors/linux/slab_memo.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "collectors/base/label_text.h"
#include "collectors/linux/slab_reclaim.h"
#include "collectors/linux/slabinfo.h"
#include "collectors/linux/text_scan.h"

namespace kmem::linux {
namespace {

constexpr unsigned kLearnAgain = 16;

bool is_alive(const TagUsage& usage) { return usage.bytes != 0 || usage.outstanding != 0; }

}  // namespace

base::Result<std::uint64_t> SlabMemo::parse(std::string_view text, std::string_view reclaim, std::uint32_t page_bytes,
                                            Snapshot& out) {
  if (!rows_.empty() && page_bytes == page_bytes_ && reclaim == reclaim_) {
    const std::size_t before = out.tags.size();
    if (parse_known(text, out)) return std::uint64_t{0};
    out.tags.erase(out.tags.begin() + static_cast<std::ptrdiff_t>(before), out.tags.end());
  }
  rows_.clear();
  auto result = parse_slabinfo(text, reclaim, page_bytes, out);
  if (not_before_ != 0) {
    --not_before_;
  } else if (!result || *result != 0 || !learn(text, reclaim, page_bytes)) {
    rows_.clear();
    not_before_ = kLearnAgain;
  }
  return result;
}

bool SlabMemo::parse_known(std::string_view text, Snapshot& out) {
  if (!text.starts_with(head_)) return false;
  const char* at = text.data() + head_.size();
  const char* const end = text.data() + text.size();
  out.tags.reserve(out.tags.size() + rows_.size());
  for (Row& row : rows_) {
    const std::size_t size = row.line.size();
    if (static_cast<std::size_t>(end - at) > size && at[size] == '\n' && std::memcmp(at, row.line.data(), size) == 0) {
      at += size + 1;
    } else {
      const void* const found = std::memchr(at, '\n', static_cast<std::size_t>(end - at));
      if (found == nullptr) return false;
      const char* const line_end = static_cast<const char*>(found);
      if (!parse_changed({at, static_cast<std::size_t>(line_end - at)}, row)) return false;
      at = line_end + 1;
    }
    if (is_alive(row.usage)) out.tags.push_back(row.usage);
  }
  return at == end;
}

bool SlabMemo::parse_changed(std::string_view line, Row& row) const {
  SlabRow read;
  std::uint64_t bytes = 0;
  if (!is_slab_row(line) || !parse_slab_row(line, read) || read.cache.size() != row.name_bytes ||
      std::memcmp(read.cache.data(), row.line.data(), row.name_bytes) != 0 || !slab_bytes(read, page_bytes_, bytes))
    return false;
  row.usage.bytes = bytes;
  row.usage.outstanding = read.active_objects;
  row.line.assign(line);
  return true;
}

/// Only a list of whole lines whose rows are all understood and whose tags are all different.
bool SlabMemo::learn(std::string_view text, std::string_view reclaim, std::uint32_t page_bytes) {
  if (text.empty() || text.back() != '\n') return false;
  ReclaimReader pools(reclaim);
  LineReader lines(text);
  std::vector<std::uint64_t> keys;
  std::size_t head = 0;
  for (std::string_view line; lines.next(line);) {
    if (!is_slab_row(line)) {
      if (!rows_.empty()) return false;
      head += line.size() + 1;
      continue;
    }
    SlabRow read;
    std::uint64_t bytes = 0;
    if (!parse_slab_row(line, read) || !slab_bytes(read, page_bytes, bytes)) return false;
    Row& row = rows_.emplace_back();
    row.line = line;
    row.name_bytes = read.cache.size();
    row.usage.pool = pools.reclaimable(read.cache) ? Pool::kSlabReclaimable : Pool::kSlabUnreclaimable;
    row.usage.tag = base::label_text(read.cache);
    row.usage.key = tag_key(row.usage.pool, row.usage.tag);
    row.usage.bytes = bytes;
    row.usage.outstanding = read.active_objects;
    keys.push_back(row.usage.key);
  }
  std::sort(keys.begin(), keys.end());
  if (std::adjacent_find(keys.begin(), keys.end()) != keys.end()) return false;
  head_ = text.substr(0, head);
  reclaim_ = reclaim;
  page_bytes_ = page_bytes;
  return !rows_.empty();
}

}  // namespace kmem::linux
