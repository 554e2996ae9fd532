// The shapes of sources_truth_test.cpp: what people have of the known truth, as its tools write it. Thread: any, values only.
#pragma once

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "collectors/snapshot.h"
#include "exporter/trend/subject.h"
#include "tests/exporter/commands/known_truth.h"

namespace kmem::test {

struct Shape {
  const char* name;
  const Truth& truth;
  trend::Kind kind;
  Pool pool;
  std::string tag;
  std::uint64_t rows;        // of a snapshot: tags, pools and processes
  std::uint64_t unit_bytes;  // in which the format counts
  bool counted;              // it tells live allocations, too
  std::function<std::string()> make;
  double now = 0, a_day = kLeakPerDay;  // 0: what the leak (or of a pool all) holds at the end
  std::uint64_t allocation_bytes = kAllocationBytes;
  std::uint64_t idle = 0;  // of each tag's allocations, not live
};
inline std::ostream& operator<<(std::ostream& out, const Shape& shape) { return out << shape.name; }

[[nodiscard]] const std::vector<Shape>& truth_shapes();

}  // namespace kmem::test
