// Reads tags out of a Snapshot for assertions: "pool/tag" -> (bytes, outstanding).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "collectors/snapshot.h"

namespace kmem::test {

inline std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> tags_of(const Snapshot& snapshot) {
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> tags;
  for (const TagUsage& tag : snapshot.tags)
    tags[std::string(pool_name(tag.pool)) + "/" + tag.tag] = {tag.bytes, tag.outstanding};
  return tags;
}

inline const PartStatus* status_of(const Snapshot& snapshot, std::string_view collector) {
  for (const PartStatus& part : snapshot.parts)
    if (part.collector == collector) return &part;
  return nullptr;
}

}  // namespace kmem::test
