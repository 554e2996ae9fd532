// The value in which a file ends without an end of its line: it may be cut, and each digit that it lost makes it a tenth.
// What the lines near the end say of the same thing tells whether it is whole; a thing that is new there may be a cut
// name. Thread: one. Failure: none.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "collectors/base/digit.h"
#include "collectors/history/csv_fields.h"
#include "collectors/history/line_reader.h"

namespace kmem::history {

inline constexpr const char* kCutAtEnd = "the file ends within this row";

/// What may be the name without its end. Case does not matter.
[[nodiscard]] inline bool is_beginning_of(std::string_view text, std::string_view name) {
  return text.size() < name.size() && same_word(name.substr(0, text.size()), text);
}

class OpenEnd {
 public:
  /// For every row near the end. False: the file ends in this one, and what stands last in it is not known to be whole.
  [[nodiscard]] bool is_whole(const LineReader& lines, std::string_view what, double value, bool stands_last) {
    constexpr double kMuchLess = 5;
    if (!lines.nears_end()) return true;
    const auto [known, is_new] = values_.try_emplace(std::string(what), value);
    const double before = known->second;
    known->second = value;
    return !stands_last || !lines.is_open_ended() || (!is_new && value * kMuchLess >= before);
  }
  /// What is between quotes or has a unit behind it is whole.
  [[nodiscard]] static bool ends_in_digit(const LineReader& lines) {
    return !lines.line().empty() && base::is_digit(lines.line().back());
  }

 private:
  std::unordered_map<std::string, double> values_;
};

}  // namespace kmem::history
