// links: kmem_page
// Any bytes as a URL's query: refused with a reason, or within its bounds; and a link made of it says the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "exporter/page/query.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void require_bounded(const kmem::page::TagQuery& query) {
  require(query.limit >= 1 && query.limit <= kmem::page::kMaxRows && query.offset <= 1'000'000);
  require(query.filter.size() <= 256 && query.chart.size() <= 256);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kmem::page;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::vector<std::string_view> all = {"pool",   "filter", "sort",  "order",  "limit",
                                             "offset", "course", "chart", "verdict"};
  const TagQuery defaults;
  const auto strict = parse_query(text, all, defaults);
  require(strict.ok() || !strict.error().message.empty());
  const TagQuery lenient = parse_query_leniently(text, all, defaults);
  require_bounded(lenient);
  if (!strict) return 0;
  require_bounded(*strict);
  const std::string link = query_link(*strict, defaults);
  const auto again = parse_query(link == "./" ? std::string_view() : std::string_view(link).substr(1), all, defaults);
  require(again.ok());
  require(again->pool == strict->pool && again->filter == strict->filter && again->sort == strict->sort &&
          again->descending == strict->descending && again->limit == strict->limit && again->chart == strict->chart);
  return 0;
}
