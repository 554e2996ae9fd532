// The log's lines to where standard error goes. A reader that does not read (a hung journal, a full pipe) holds nobody:
// the line is lost, and the next that is taken says how many were. Thread: one at a time. Failure: false, the line is lost.
#pragma once

#include <string_view>

namespace kmem::base {

[[nodiscard]] bool write_to_log(std::string_view line);

}  // namespace kmem::base
