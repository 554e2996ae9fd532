#include <cstdio>

#include "collectors/base/log_out.h"

namespace kmem::base {

// By stderr, whose handle may change while the program runs.
bool write_to_log(std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
  return true;
}

}  // namespace kmem::base
