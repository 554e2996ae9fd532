// Snapshots built in the test body: time in days and hours, tags by pool and name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/snapshot.h"
#include "exporter/select/tracked_set.h"
#include "tests/support/tag_usage.h"

namespace kmem::select {

inline constexpr base::UnixMillis kMinute = 60'000, kHour = 60 * kMinute, kDay = 24 * kHour;
inline constexpr std::uint64_t kKiB = 1024, kMiB = 1024 * kKiB;

using test::tag_usage;

inline Snapshot snapshot_at(base::UnixMillis time, std::vector<TagUsage> tags = {}) {
  Snapshot snapshot;
  snapshot.time = time;
  snapshot.tags = std::move(tags);
  return snapshot;
}

/// "t0000".. with bytes falling from `top` in steps of one KiB.
inline std::vector<TagUsage> falling_tags(Pool pool, std::size_t count, std::uint64_t top = 100 * kMiB) {
  std::vector<TagUsage> tags;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string digits = std::to_string(10'000 + i).substr(1);
    tags.push_back(tag_usage(pool, std::string("t").append(digits), top - i * kKiB));
  }
  return tags;
}

inline std::vector<std::string> member_tags(const Selection& selection, Pool pool) {
  std::vector<std::string> tags;
  for (const Member& member : selection.members) {
    if (member.pool == pool) tags.push_back(member.tag);
  }
  return tags;
}

inline const Member* find_member(const Selection& selection, Pool pool, std::string_view tag) {
  for (const Member& member : selection.members) {
    if (member.pool == pool && member.tag == tag) return &member;
  }
  return nullptr;
}

inline const PoolSelection* find_pool(const Selection& selection, Pool pool) {
  for (const PoolSelection& each : selection.pools) {
    if (each.pool == pool) return &each;
  }
  return nullptr;
}

/// A tick and the scrape that follows it on the same reading.
inline Selection tick(TrackedSet& set, const Snapshot& snapshot, const std::vector<TagId>& suspects = {}) {
  set.update(snapshot, suspects);
  Selection selection;
  set.fill(snapshot, selection);
  return selection;
}

}  // namespace kmem::select
