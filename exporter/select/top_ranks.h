// STAGE 2, inside: the k largest of a stream of (value, key, item), best first, ties to the smaller key. One bounded
// heap: most of a long stream is refused by one comparison, and k may exceed the stream's length.
// Thread: value type. Failure: none.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace kmem::select {

class TopRanks {
 public:
  struct Entry {
    std::uint64_t value = 0;
    std::uint64_t key = 0;
    std::uint32_t item = 0;
  };

  void reset(std::size_t k) {
    k_ = k;
    entries_.clear();
  }

  /// Nothing is no rank: value 0 is not taken.
  void offer(std::uint64_t value, std::uint64_t key, std::uint32_t item) {
    const Entry entry{value, key, item};
    if (value == 0 || k_ == 0) return;
    if (entries_.size() == k_) {
      if (!better(entry, entries_.front())) return;
      std::pop_heap(entries_.begin(), entries_.end(), better);
      entries_.pop_back();
    }
    entries_.push_back(entry);
    std::push_heap(entries_.begin(), entries_.end(), better);
  }

  /// Best first. Ends the stream: offer() may not follow before reset().
  const std::vector<Entry>& ranked() {
    std::sort(entries_.begin(), entries_.end(), better);
    return entries_;
  }

 private:
  static bool better(const Entry& a, const Entry& b) { return a.value != b.value ? a.value > b.value : a.key < b.key; }

  std::size_t k_ = 0;
  std::vector<Entry> entries_;  // a heap with the worst in front, until ranked()
};

}  // namespace kmem::select
