// STAGE 1 helper: adds rows to Snapshot.tags, one entry a (pool, tag) however many rows name it. Sums stop at the
// largest number instead of wrapping. Thread: one parser's local. Failure: none.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "collectors/snapshot.h"

namespace kmem::linux {

class TagSums {
 public:
  /// `expected` tags are held without growing.
  TagSums(std::vector<TagUsage>& tags, std::size_t expected);

  /// A row with neither bytes nor allocations is dead and leaves no entry.
  void add(Pool pool, std::string_view raw_tag, std::uint64_t bytes, std::uint64_t outstanding);

 private:
  static constexpr std::uint32_t kFree = UINT32_MAX;

  [[nodiscard]] std::uint32_t* find(std::uint64_t key);
  void grow();

  std::vector<TagUsage>& tags_;
  std::vector<std::uint32_t> slots_;  // open addressing by key; index into tags_
  std::size_t used_ = 0;
};

}  // namespace kmem::linux
