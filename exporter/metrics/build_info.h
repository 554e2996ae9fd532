// What this program was made from; fixed at build time. Thread: any. Failure: "unknown" as revision outside git.
#pragma once

#include <string_view>

namespace kmem::metrics {

struct BuildInfo {
  std::string_view version, revision, compiler;
};
[[nodiscard]] BuildInfo build_info();

}  // namespace kmem::metrics
