// STAGE 4 in: who may be behind each exported tag, ready to be copied onto the page. Made anew only when the exported
// tags or what is known of them change. Thread: value type; one writer.
#pragma once

#include <string>
#include <vector>

#include "collectors/snapshot.h"

namespace kmem::metrics {

struct TagOwners {
  struct Row {
    Pool pool = Pool::kPaged;
    std::string tag;
    std::string driver;  // several: "a.sys, b.sys"; empty where only the component is known
    std::string description;
    std::string source;
  };
  std::vector<Row> rows;        // one a tag; only tags of which something is known
  bool same_as_before = false;  // as when the families were last built
};

}  // namespace kmem::metrics
