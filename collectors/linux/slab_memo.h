// STAGE 1: slabinfo, reading after reading: what parse_slabinfo() gives, but a row that stands as it stood is not parsed
// again, and a list of the same caches needs no look-up by name. What is odd in any way goes the whole way each time.
// Thread: one caller at a time. Failure: as parse_slabinfo().
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/result.h"
#include "collectors/snapshot.h"

namespace kmem::linux {

class SlabMemo {
 public:
  base::Result<std::uint64_t> parse(std::string_view text, std::string_view reclaim, std::uint32_t page_bytes, Snapshot& out);

 private:
  struct Row {
    std::string line;
    std::size_t name_bytes = 0;
    TagUsage usage;
  };

  bool parse_known(std::string_view text, Snapshot& out);
  bool parse_changed(std::string_view line, Row& row) const;
  bool learn(std::string_view text, std::string_view reclaim, std::uint32_t page_bytes);

  std::string head_;  // the lines before the rows
  std::string reclaim_;
  std::uint32_t page_bytes_ = 0;
  std::vector<Row> rows_;    // empty: nothing is known
  unsigned not_before_ = 0;  // readings, since the last list that could not be learnt
};

}  // namespace kmem::linux
