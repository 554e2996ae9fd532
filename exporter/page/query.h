// STAGE 6, the page: a URL's query -> which tags, in which order; and that order applied. Pure.
// Failure: strict parsing says which parameter is wrong and what it may be; lenient parsing takes the default instead.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/result.h"
#include "exporter/page/view.h"

namespace kmem::page {

enum class Column : std::uint8_t { kTag, kPool, kBytes, kOutstanding, kPerAllocation, kRate, kGrowth, kDriver };
inline constexpr std::array<std::string_view, 8> kColumnNames = {
    "tag", "pool", "bytes", "outstanding", "bytes_per_allocation", "allocations_per_second", "growth", "driver"};

inline constexpr std::size_t kMaxRows = 1000;

struct TagQuery {
  std::optional<Pool> pool;
  std::string filter;  // part of a tag's or driver's name or description, letters of either case
  Column sort = Column::kBytes;
  bool descending = true;
  std::size_t limit = 100, offset = 0;
  bool course = false;                    // with the lowest of each day
  std::string chart;                      // "nonpaged/Thre", "commit": what the page is to draw
  std::optional<trend::Verdict> verdict;  // of trends; none: whatever is not ok

  /// Whether the drivers of every tag have to be known before the wanted ones are.
  [[nodiscard]] bool needs_drivers() const { return !filter.empty() || sort == Column::kDriver; }
};

/// `allowed`: the parameters that this address knows; another is a fault, and so is one that is given twice.
[[nodiscard]] base::Result<TagQuery> parse_query(std::string_view query, const std::vector<std::string_view>& allowed,
                                                 const TagQuery& defaults = {});
/// What cannot be used is left out.
[[nodiscard]] TagQuery parse_query_leniently(std::string_view query, const std::vector<std::string_view>& allowed,
                                             const TagQuery& defaults);
/// The query of a link to the page: only what differs from `defaults`, beginning with "?", or "./" if nothing does.
[[nodiscard]] std::string query_link(const TagQuery& query, const TagQuery& defaults);
[[nodiscard]] std::string percent_encoded(std::string_view text);

/// Leaves the wanted rows in `rows` and says how many matched before they were cut to offset and limit.
[[nodiscard]] std::size_t choose(std::vector<TagRow>& rows, const TagQuery& query);

}  // namespace kmem::page
