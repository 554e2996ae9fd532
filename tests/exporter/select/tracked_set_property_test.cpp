// Thousands of random readings: whatever the kernel lists, the sums hold, the cap holds, the order is stable, and a set
// that is killed and loaded at random points cannot be told from one that ran through.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <memory>
#include <random>

#include "exporter/select/tracked_set.h"
#include "tests/exporter/select/snapshots.h"

namespace kmem::select {
namespace {

std::uint64_t add(std::uint64_t a, std::uint64_t b) { return a + b < a ? std::numeric_limits<std::uint64_t>::max() : a + b; }

class Kernel {
 public:
  explicit Kernel(std::uint32_t seed) : random_(seed) {
    for (std::size_t i = 0; i < 90; ++i) {
      pools_.push_back(static_cast<Pool>(i % 3 == 2 ? 6 : i % 3));
      names_.push_back(std::string("tag").append(std::to_string(i)));
    }
    allocations_.resize(names_.size());
  }

  std::uint64_t below(std::uint64_t bound) { return std::uniform_int_distribution<std::uint64_t>(0, bound - 1)(random_); }

  Snapshot read() {
    time_ += below(50) == 0 ? -static_cast<base::UnixMillis>(below(kDay))
                            : static_cast<base::UnixMillis>(below(below(20) == 0 ? 9 * kDay : 6 * kHour));
    if (below(100) == 0) boot_ = time_;
    Snapshot snapshot = snapshot_at(time_);
    snapshot.boot_time = boot_ + static_cast<base::UnixMillis>(below(2'000));
    const std::uint64_t alive = below(100);
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (below(100) > alive) continue;
      TagUsage usage = tag_usage(pools_[i], names_[i], size(), size());
      usage.counter_bits = static_cast<std::uint8_t>(i % 3 * 32);
      allocations_[i] += below(1U << 30);
      usage.allocations = allocations_[i];
      usage.frees = allocations_[i] / 2;
      if (usage.counter_bits == 32) {
        usage.allocations = static_cast<std::uint32_t>(usage.allocations);
        usage.frees = static_cast<std::uint32_t>(usage.frees);
      }
      snapshot.tags.push_back(usage);
    }
    std::shuffle(snapshot.tags.begin(), snapshot.tags.end(), random_);
    return snapshot;
  }

  std::vector<TagId> suspects() {
    std::vector<TagId> ids;
    while (below(3) == 0) {
      const auto i = static_cast<std::size_t>(below(names_.size()));
      ids.push_back({pools_[i], names_[i]});
    }
    return ids;
  }

 private:
  std::uint64_t size() {
    const std::uint64_t kind = below(20);
    return kind == 0 ? std::numeric_limits<std::uint64_t>::max() - below(3) : kind < 4 ? below(3) : below(1ULL << below(40));
  }

  std::mt19937 random_;
  base::UnixMillis time_ = 1'700'000'000'000;
  base::UnixMillis boot_ = time_ - kDay;
  std::vector<Pool> pools_;
  std::vector<std::string> names_;
  std::vector<std::uint64_t> allocations_;
};

void expect_equal(const Selection& a, const Selection& b) {
  ASSERT_EQ(a.members.size(), b.members.size());
  for (std::size_t i = 0; i < a.members.size(); ++i) {
    const Member& left = a.members[i];
    const Member& right = b.members[i];
    ASSERT_EQ(left.pool, right.pool);
    ASSERT_EQ(left.tag, right.tag);
    ASSERT_EQ(left.present, right.present);
    ASSERT_EQ(left.bytes, right.bytes);
    ASSERT_EQ(left.allocations_total, right.allocations_total);
    ASSERT_EQ(left.frees_total, right.frees_total);
  }
  ASSERT_EQ(a.pools.size(), b.pools.size());
  for (std::size_t i = 0; i < a.pools.size(); ++i) ASSERT_EQ(a.pools[i].evictions_total, b.pools[i].evictions_total);
}

void expect_sums(const Snapshot& snapshot, const Selection& selection) {
  std::map<Pool, std::array<std::uint64_t, 3>> listed, exported;
  for (const TagUsage& usage : snapshot.tags) {
    auto& sums = listed[usage.pool];
    sums = {add(sums[0], usage.bytes), add(sums[1], usage.outstanding), sums[2] + 1};
  }
  for (const PoolSelection& pool : selection.pools)
    exported[pool.pool] = {pool.other_bytes, pool.other_outstanding, pool.live_tags};
  for (const Member& member : selection.members) {
    ASSERT_EQ(exported.count(member.pool), 1U);
    auto& sums = exported[member.pool];
    sums = {add(sums[0], member.bytes), add(sums[1], member.outstanding), sums[2]};
  }
  ASSERT_EQ(listed, exported);
}

// The members of one tick, seen from the one before: those who stay keep their order and newcomers follow.
void expect_stable_order(const Selection& before, const Selection& after) {
  for (std::size_t pool = 0; pool < kPoolCount; ++pool) {
    const auto old_tags = member_tags(before, static_cast<Pool>(pool));
    const auto new_tags = member_tags(after, static_cast<Pool>(pool));
    auto next = new_tags.begin();
    for (const std::string& tag : old_tags) next += next != new_tags.end() && *next == tag;
    for (; next != new_tags.end(); ++next) ASSERT_EQ(std::count(old_tags.begin(), old_tags.end(), *next), 0) << *next;
  }
}

struct Case {
  std::size_t top, cap, tracked;
  bool all;
};

class TrackedSetProperty : public testing::TestWithParam<Case> {};

TEST_P(TrackedSetProperty, HoldsForRandomReadingsAndRestarts) {
  const Case param = GetParam();
  config::Tags tags;
  tags.top_bytes = tags.top_outstanding = tags.top_growth = param.top;
  tags.max_exported = param.cap;
  tags.max_tracked = param.tracked;
  tags.all = param.all;
  tags.dwell = std::chrono::hours(5 * 24);
  tags.include = {"tag3", "nonpaged/tag4", "nobody"};
  Kernel kernel(static_cast<std::uint32_t>(param.top * 1'000 + param.cap));
  TrackedSet steady(tags, {});
  auto restarted = std::make_unique<TrackedSet>(tags, config::Processes{});
  Selection selection, twin, scrape, before;
  for (int i = 0; i < 2'000; ++i) {
    SCOPED_TRACE(i);
    const Snapshot snapshot = kernel.read();
    const auto suspects = kernel.suspects();
    steady.update(snapshot, suspects);
    restarted->update(snapshot, suspects);
    steady.fill(snapshot, selection);
    restarted->fill(snapshot, twin);
    ASSERT_NO_FATAL_FAILURE(expect_sums(snapshot, selection));
    ASSERT_NO_FATAL_FAILURE(expect_equal(selection, twin));
    ASSERT_NO_FATAL_FAILURE(expect_stable_order(before, selection));
    ASSERT_LE(steady.tracking().tracked, param.tracked);
    for (std::size_t pool = 0; pool < kPoolCount; ++pool) {
      ASSERT_LE(member_tags(selection, static_cast<Pool>(pool)).size(), param.all ? param.tracked : param.cap);
    }
    ASSERT_LE(selection.members.size(), param.tracked);

    if (kernel.below(3) == 0) {  // a scrape between two ticks
      const Snapshot between = kernel.read();
      steady.fill(between, scrape);
      restarted->fill(between, twin);
      ASSERT_NO_FATAL_FAILURE(expect_sums(between, scrape));
      ASSERT_NO_FATAL_FAILURE(expect_equal(scrape, twin));
    }
    before = selection;
    if (kernel.below(10) == 0) {
      const std::string saved = restarted->save();
      restarted = std::make_unique<TrackedSet>(tags, config::Processes{});
      ASSERT_TRUE(restarted->load(saved));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, TrackedSetProperty,
                         testing::Values(Case{3, 8, 4096, false}, Case{3, 4, 64, false}, Case{20, 40, 4096, false},
                                         Case{1, 1, 64, false}, Case{3, 8, 64, true}, Case{2, 60, 70, false},
                                         Case{3, 8, 200, true}));

}  // namespace
}  // namespace kmem::select
