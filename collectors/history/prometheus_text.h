// One line of `promtool tsdb dump` or of a metrics page: {__name__="up",job="x"} 1 1793952000000 -> its parts.
// Thread: pure; parts are views into the line. Failure: why it is no such line.
#pragma once

#include <string_view>

#include "collectors/history/series_store.h"

namespace kmem::history {

struct SampleLine {
  std::string_view series;  // name and labels
  std::string_view value;
  std::string_view time;  // empty: none
};
/// nullptr, or why not.
[[nodiscard]] const char* parse_sample_line(std::string_view line, SampleLine& out);
/// nullptr, or why not. The metric's name is the label __name__, and the first if it stands before the brace.
[[nodiscard]] const char* parse_series(std::string_view text, Labels& labels);
/// "{...} =>" of `promtool query range`, whose samples are the lines below: 1 @[1793952000].
[[nodiscard]] bool begins_query_series(std::string_view line);
/// Whether a line is most likely one of these.
[[nodiscard]] bool is_sample_line(std::string_view line);

}  // namespace kmem::history
