// Eight weeks of a machine with 3,000 tags in two pools: sizes over five decades, daily and weekly swing, bursts that
// come and go, tags that die and are replaced, and one slow leak that starts at 4 KiB.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <iostream>
#include <optional>
#include <unordered_map>

#include "exporter/select/tracked_set.h"
#include "tests/exporter/select/snapshots.h"

namespace kmem::select {
namespace {

constexpr std::size_t kTags = 3'000;
constexpr base::UnixMillis kStep = 10 * kMinute;
constexpr std::size_t kTicks = static_cast<std::size_t>(56 * kDay / kStep);
constexpr Pool kPools[] = {Pool::kPaged, Pool::kNonpaged};
constexpr std::uint64_t kLeakBytesPerDay = 48 * kKiB;

class Machine {
 public:
  explicit Machine(std::uint64_t seed) : random_(seed) {
    for (std::size_t i = 0; i < 144; ++i) {
      swing_[i] = static_cast<std::uint64_t>(512 - 512 * std::cos(static_cast<double>(i) * 6.283185 / 144));
    }
    snapshot_.tags.resize(kTags + 1);
    traits_.resize(kTags);
    for (std::size_t i = 0; i < kTags; ++i) be_born(i);
    snapshot_.tags[kTags] = tag_usage(Pool::kNonpaged, "Leak", 0);
  }

  const Snapshot& at(std::size_t tick) {
    snapshot_.time = static_cast<base::UnixMillis>(tick) * kStep;
    const bool weekend = tick / 144 % 7 >= 5;
    const std::uint64_t swing = swing_[tick % 144] / (weekend ? 4 : 1);
    for (std::size_t i = 0; i < kTags; ++i) {
      Traits& traits = traits_[i];
      const std::uint64_t dice = next();
      if (dice % 43'200 == 0) be_born(i);  // ten of the 3,000 a day
      if (dice % 28'800 == 1) {
        traits.burst_until = tick + 1 + dice / 28'800 % 72;
        traits.burst = 1 + dice / 3'000'000 % 40;
      }
      std::uint64_t bytes = traits.base + traits.base * traits.swing / 100 * swing / 1024;
      if (tick < traits.burst_until) bytes += traits.base * traits.burst;
      bytes += traits.base / 64 * (dice >> 60);
      snapshot_.tags[i].bytes = bytes;
      snapshot_.tags[i].outstanding = bytes / traits.object + 1;
    }
    TagUsage& leak = snapshot_.tags[kTags];
    leak.bytes = 4 * kKiB + kLeakBytesPerDay * tick / 144;
    leak.outstanding = leak.bytes / 512;
    return snapshot_;
  }

 private:
  struct Traits {
    std::uint64_t base = 0, swing = 0, object = 64, burst = 0, burst_until = 0;
  };

  void be_born(std::size_t i) {
    const double decade = static_cast<double>(next() % 1'000'000) / 1e6;
    traits_[i] = {static_cast<std::uint64_t>(64 * std::pow(1e6, decade * decade)), next() % 80, 32ULL << (next() % 8), 0, 0};
    const std::string name = std::string("n").append(std::to_string(born_++));
    snapshot_.tags[i] = tag_usage(kPools[i % 2], name, 0);
  }
  std::uint64_t next() {
    random_ ^= random_ << 13;
    random_ ^= random_ >> 7;
    return random_ ^= random_ << 17;
  }

  std::uint64_t random_;
  std::uint64_t born_ = 0;
  std::array<std::uint64_t, 144> swing_{};
  std::vector<Traits> traits_;
  Snapshot snapshot_;
};

struct Seen {
  base::UnixMillis admitted = 0, last = kNever;
  int stays = 0;
};

TEST(TrackedSetSimulation, EightWeeksOfChurnKeepEveryPromise) {
  const config::Tags config;
  TrackedSet set(config, {});
  Machine machine(88172645463325252ULL);

  std::unordered_map<std::uint64_t, Seen> seen;
  std::array<std::size_t, 2> distinct{}, most{};
  std::array<std::uint64_t, 2> evictions{};
  std::array<std::vector<std::uint64_t>, 2> before, now;
  std::optional<base::UnixMillis> leak_since;
  std::uint64_t leak_bytes = 0;
  int most_stays = 0;
  Selection selection;

  for (std::size_t step = 0; step < kTicks; ++step) {
    const Snapshot& snapshot = machine.at(step);
    set.update(snapshot, {});
    set.fill(snapshot, selection);

    std::array<std::uint64_t, 2> total{}, exported{};
    for (const TagUsage& usage : snapshot.tags) total[static_cast<std::size_t>(usage.pool)] += usage.bytes;
    for (auto& keys : now) keys.clear();
    for (const Member& member : selection.members) {
      exported[static_cast<std::size_t>(member.pool)] += member.bytes;
      now[static_cast<std::size_t>(member.pool)].push_back(member.key);
      if (member.tag == "Leak" && !leak_since) leak_since = snapshot.time, leak_bytes = member.bytes;
    }
    ASSERT_EQ(selection.pools.size(), 2U);
    for (std::size_t pool = 0; pool < 2; ++pool) {
      most[pool] = std::max(most[pool], now[pool].size());
      ASSERT_EQ(exported[pool] + selection.pools[pool].other_bytes, total[pool]) << "at tick " << step;

      // The old ones keep their order; who left did so by the cap, which counts it, or after the dwell.
      std::size_t at = 0, left = 0, expired = 0;
      for (const std::uint64_t key : before[pool]) {
        if (at < now[pool].size() && now[pool][at] == key) {
          ++at;
        } else {
          ++left;
          if (snapshot.time - seen[key].admitted >= 28 * kDay) ++expired;
        }
      }
      const std::uint64_t evicted = selection.pools[pool].evictions_total - evictions[pool];
      ASSERT_GE(left, evicted) << "at tick " << step;
      ASSERT_LE(left - evicted, expired) << "at tick " << step;
      evictions[pool] = selection.pools[pool].evictions_total;
      for (; at < now[pool].size(); ++at) {
        Seen& tag = seen[now[pool][at]];
        ASSERT_TRUE(tag.last == kNever || tag.last < snapshot.time - kStep) << "reordered at tick " << step;
        if (tag.stays++ == 0) ++distinct[pool];
        tag.admitted = snapshot.time;
        most_stays = std::max(most_stays, tag.stays);
      }
      for (const std::uint64_t key : now[pool]) seen[key].last = snapshot.time;
      before[pool] = now[pool];
    }
  }

  for (std::size_t pool = 0; pool < 2; ++pool) {
    EXPECT_LE(most[pool], config.max_exported);
    EXPECT_LE(distinct[pool], 2 * config.max_exported);
    EXPECT_GT(distinct[pool], config.max_exported) << "no churn reached the list: the simulation proves nothing";
  }
  EXPECT_LE(most_stays, 2) << "tags that come and go";
  // The 20th tag by bytes has tens of MiB then. By peaks instead of floors the leak would not be seen in 8 weeks.
  ASSERT_TRUE(leak_since.has_value());
  EXPECT_LE(*leak_since, 8 * kDay);
  EXPECT_LE(leak_bytes, 400 * kKiB);
  EXPECT_EQ(set.tracking().untracked, 0U);
  RecordProperty("leak_since_hours", static_cast<int>(*leak_since / kHour));
  RecordProperty("leak_bytes", static_cast<int>(leak_bytes));
  std::cout << "leak in at day " << static_cast<double>(*leak_since) / kDay << " with " << leak_bytes / kKiB
            << " KiB; distinct " << distinct[0] << " and " << distinct[1] << ", evictions " << evictions[0] << " and "
            << evictions[1] << "\n";
}

}  // namespace
}  // namespace kmem::select
