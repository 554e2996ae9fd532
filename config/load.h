// Configuration text (YAML) -> Config, or every fault in it at once, each with its place and what was expected.
// Relative paths in it count from the file's folder. Thread: pure. Failure: faults; config is then not to be used.
#pragma once

#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/fault.h"

namespace kmem::config {

struct LoadResult {
  Config config;
  std::vector<Fault> faults;  // by place

  [[nodiscard]] bool ok() const { return faults.empty(); }
};

/// `base` holds the values of what the text leaves out.
[[nodiscard]] LoadResult load(std::string_view text, std::string_view file_name, const Config& base = {});

}  // namespace kmem::config
