#include "collectors/history/sorted_reader.h"

#include <utility>

namespace kmem::history {

std::size_t bytes_of(const Snapshot& snapshot) {
  constexpr std::size_t kNames = 16;
  std::size_t names = 0;
  for (const TagUsage& tag : snapshot.tags) names += tag.tag.size() < kNames ? 0 : tag.tag.size();
  return sizeof(Snapshot) + names + snapshot.tags.capacity() * sizeof(TagUsage) +
         snapshot.processes.capacity() * (sizeof(ProcessUsage) + kNames) +
         snapshot.session_tags.capacity() * sizeof(SessionTagUsage) + snapshot.pools.capacity() * sizeof(PoolTotals);
}

base::Result<bool> SortedReader::next(Snapshot& out) {
  while (pieces_.empty()) {
    if (!any_left_) {
      if (failed_) return *std::exchange(failed_, std::nullopt);
      return false;
    }
    if (auto filled = fill(); !filled) return filled.error();
  }
  const auto first = pieces_.begin();
  given_ = first->first;
  out = std::move(first->second.snapshot);
  host_ = std::move(first->second.host);
  line_ = first->second.line;
  pieces_.erase(first);
  return true;
}

base::Result<void> SortedReader::fill() {
  auto reader = open_(passes_ == 0);
  if (!reader) return reader.error();
  ++passes_;
  failed_.reset();
  std::optional<base::UnixMillis> beyond;  // of what there was no room for
  std::size_t bytes = 0, all = 0;
  for (;;) {
    Piece piece;
    const auto more = (*reader)->next(piece.snapshot);
    // What stands above is good; where it breaks off is said at the end.
    if (!more) failed_ = more.error();
    if (!more || !*more) break;
    const base::UnixMillis time = piece.snapshot.time;
    piece.snapshot.tags.shrink_to_fit();
    piece.bytes = bytes_of(piece.snapshot);
    all += piece.bytes;
    if ((given_ && time <= *given_) || (beyond && time >= *beyond)) continue;
    piece.host = (*reader)->host();
    piece.line = (*reader)->line();
    bytes += piece.bytes;
    pieces_.emplace(time, std::move(piece));
    // Of one time all or none.
    while (bytes > room_bytes_ && pieces_.begin()->first != std::prev(pieces_.end())->first) {
      beyond = std::prev(pieces_.end())->first;
      for (auto last = pieces_.lower_bound(*beyond); last != pieces_.end(); last = pieces_.erase(last))
        bytes -= last->second.bytes;
    }
  }
  if (const char* const fault = (*reader)->fault_of_order()) {
    pieces_.clear();
    any_left_ = false;
    return base::Error{base::ErrorCode::kMalformed, fault};
  }
  any_left_ = beyond.has_value();
  if (all / room_bytes_ >= kMostPasses)
    return base::Error{
        base::ErrorCode::kMalformed,
        "its readings are not in order of time, and it is too long to be sorted here; sort it by time: sort -s -k1,1 FILE (of "
        "lines that begin with a time as 2026-11-05T18:00:00Z)"};
  return {};
}

}  // namespace kmem::history
