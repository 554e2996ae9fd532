// What holds for the Snapshot of any Linux text: legal labels, keys that fit, no tag twice, no dead tag.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <unordered_set>

#include "collectors/linux/text_scan.h"
#include "collectors/snapshot.h"

namespace kmem::fuzz {

/// Every line, and what each line may say was left out.
inline bool is_sound_skipped(std::uint64_t skipped, std::size_t size) {
  return skipped <= size * (1 + linux::kMostLeftOut / linux::kLeftOut.size());
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

inline void require(bool holds) {
  if (!holds) std::abort();
}

inline void require_legal(std::string_view label) {
  for (const char c : label) require(c >= 0x20 && c <= 0x7e);
}

inline void require_sound(const Snapshot& snapshot) {
  std::unordered_set<std::uint64_t> keys;
  for (const TagUsage& tag : snapshot.tags) {
    require_legal(tag.tag);
    require(tag.key == tag_key(tag.pool, tag.tag));
    require(keys.insert(tag.key).second);
    require(tag.bytes != 0 || tag.outstanding != 0);
  }
  for (const ProcessUsage& process : snapshot.processes) require_legal(process.name);
  for (const Setting& setting : snapshot.settings) require_legal(setting.name);
  for (const FailureEvents& events : snapshot.failure_events) require_legal(events.provider);
  for (const PartStatus& part : snapshot.parts) require((part.state == PartState::kOk) == part.reason.empty());
}

}  // namespace kmem::fuzz
