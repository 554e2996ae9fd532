#include "exporter/trend/headroom.h"

#include <gtest/gtest.h>

#include <string>

#include "exporter/trend/engine.h"
#include "exporter/trend/sampler.h"
#include "exporter/trend/timeline.h"

namespace kmem::trend {
namespace {

constexpr double kMiB = 1024.0 * 1024;
constexpr base::UnixMillis kMidnight = 1'700'006'400'000;  // midnight

PoolTotals pool_of(Pool pool, std::uint64_t bytes) {
  PoolTotals totals;
  totals.pool = pool;
  totals.bytes = bytes;
  return totals;
}

Snapshot windows() {
  Snapshot snapshot;
  snapshot.system = System::kWindows;
  snapshot.commit_bytes = 700;
  snapshot.commit_limit_bytes = 1000;
  snapshot.available_bytes = 200;
  snapshot.physical_memory_bytes = 900;
  return snapshot;
}

void expect_room(const Room& room, double amount, Bound bound) {
  EXPECT_EQ(room.amount, amount);
  EXPECT_EQ(bound_name(room.bound), bound_name(bound));
}

TEST(Headroom, OfAWindowsPoolTheSmallestOfItsBounds) {
  const Snapshot snapshot = windows();
  PoolTotals nonpaged = pool_of(Pool::kNonpaged, 100);
  nonpaged.limit = PoolLimit{500, "estimate", "x"};
  const auto rooms = headrooms_of(nonpaged, snapshot);
  expect_room(rooms[0], 400, Bound::kPoolLimit);
  expect_room(rooms[1], 300, Bound::kCommitLimit);
  expect_room(rooms[2], 200, Bound::kAvailableMemory);
  expect_room(smallest(rooms), 200, Bound::kAvailableMemory);
  // Paged pool can leave memory: commit is what it takes.
  expect_room(smallest(headrooms_of(pool_of(Pool::kPaged, 100), snapshot)), 300, Bound::kCommitLimit);
  nonpaged.limit->bytes = 150;
  expect_room(smallest(headrooms_of(nonpaged, snapshot)), 50, Bound::kPoolLimit);
}

TEST(Headroom, BeyondALimitNothingIsLeftAndWithoutOneNothingIsTold) {
  Snapshot snapshot = windows();
  snapshot.commit_bytes = 1200;
  PoolTotals nonpaged = pool_of(Pool::kNonpaged, 600);
  nonpaged.limit = PoolLimit{500, "estimate", "x"};
  expect_room(headrooms_of(nonpaged, snapshot)[0], 0, Bound::kPoolLimit);
  expect_room(headrooms_of(nonpaged, snapshot)[1], 0, Bound::kCommitLimit);
  snapshot.commit_limit_bytes = 0;
  EXPECT_FALSE(headrooms_of(nonpaged, snapshot)[1].known());
  snapshot = windows();
  snapshot.commit_bytes = 1001;
  expect_room(smallest(headrooms_of(pool_of(Pool::kPaged, 100), snapshot)), 0, Bound::kCommitLimit);
}

TEST(Headroom, LinuxEndsWithWhatCanBeReclaimedAndNeverWithTheCommitLimit) {
  Snapshot snapshot = windows();
  snapshot.system = System::kLinux;
  snapshot.settings = {{"vm.overcommit_memory", 2}};  // binds processes, not the kernel
  for (const Pool pool : {Pool::kSlabUnreclaimable, Pool::kVmalloc, Pool::kPercpu}) {
    const auto rooms = headrooms_of(pool_of(pool, 100), snapshot);
    EXPECT_FALSE(rooms[1].known());
    expect_room(smallest(rooms), 200, Bound::kAvailableMemory);
  }
  for (const Room& room : headrooms_of(pool_of(Pool::kSlabReclaimable, 100), snapshot)) EXPECT_FALSE(room.known());
}

TEST(Headroom, WhatIsNotKnownIsAbsent) {
  Snapshot snapshot;
  EXPECT_FALSE(smallest(headrooms_of(pool_of(Pool::kNonpaged, 100), snapshot)).known());
  EXPECT_FALSE(smallest(headrooms_of(PoolTotals{}, windows())).known());
  snapshot.commit_limit_bytes = 10;  // without what is committed
  EXPECT_FALSE(smallest(headrooms_of(pool_of(Pool::kPaged, 100), snapshot)).known());
  // A recording that knows the memory's size alone.
  snapshot.physical_memory_bytes = 900;
  expect_room(smallest(headrooms_of(pool_of(Pool::kSlabUnreclaimable, 100), snapshot)), 800, Bound::kPoolLimit);
  EXPECT_FALSE(smallest(headrooms_of(pool_of(Pool::kVmalloc, 100), snapshot)).known());
}

TEST(Headroom, ALimitOf0IsNone) {
  Snapshot snapshot = windows();
  snapshot.commit_limit_bytes = 0;
  PoolTotals paged = pool_of(Pool::kPaged, 100);
  paged.limit = PoolLimit{0, "kernel", "x"};
  for (const Room& room : headrooms_of(paged, snapshot)) EXPECT_FALSE(room.known());
  Sampler sampler;
  snapshot.pools = {paged};
  for (const Sample& sample : sampler.take(snapshot, {}).subjects)
    EXPECT_FALSE(sample.limit.has_value()) << kind_name(sample.kind);
}

TEST(DayOfRoom, TheLeastOfADayAndNoLonger) {
  DayOfRoom day;
  EXPECT_FALSE(day.least(0).known());
  day.note(100, {50, Bound::kPoolLimit});
  day.note(100, {20, Bound::kCommitLimit});
  day.note(100, {30, Bound::kPoolLimit});
  expect_room(day.least(100), 20, Bound::kCommitLimit);
  day.note(110, {25, Bound::kAvailableMemory});
  expect_room(day.least(110), 20, Bound::kCommitLimit);
  expect_room(day.least(123), 20, Bound::kCommitLimit);
  expect_room(day.least(124), 25, Bound::kAvailableMemory);
  EXPECT_FALSE(day.least(134).known());
  day.note(200, {90, Bound::kPoolLimit});
  expect_room(day.least(200), 90, Bound::kPoolLimit);
  day.forget();
  EXPECT_FALSE(day.least(200).known());
}

TEST(DayOfRoom, IsKeptAndHostileBytesAreRefused) {
  DayOfRoom day;
  day.note(100, {50, Bound::kAvailableMemory});
  std::string bytes;
  base::WireWriter out(bytes);
  day.save(out);
  DayOfRoom kept;
  base::WireReader in(bytes);
  kept.load(in, 101);
  EXPECT_TRUE(in.finish().ok());
  expect_room(kept.least(101), 50, Bound::kAvailableMemory);
  base::WireReader future(bytes);
  kept.load(future, 99);
  EXPECT_FALSE(future.ok());
  for (const std::size_t at : {std::size_t{7}, std::size_t{12}}) {  // the hour, a bound
    std::string broken = bytes;
    broken[at] = '\x7F';
    base::WireReader reader(broken);
    DayOfRoom().load(reader, 101);
    EXPECT_FALSE(reader.ok()) << at;
  }
}

/// A host of 343 MiB of paged pool: by day it holds 15 MiB more than at night, and it gains 2.7 MiB a day.
class Host {
 public:
  void run(int hours) {
    for (const int end = hour_ + hours; hour_ < end; ++hour_) {
      const double noon = 0.5 - 0.5 * std::cos(hour_ % 24 / 24.0 * 6.283185307);
      const double held = kMiB * (200 + 2.7 * hour_ / 24.0);
      Snapshot snapshot;
      snapshot.system = System::kWindows;
      snapshot.time = kMidnight + hour_ * kHourMs;
      snapshot.boot_time = kMidnight - 5 * kDayMs;
      PoolTotals paged = pool_of(Pool::kPaged, static_cast<std::uint64_t>(held + 15 * kMiB * noon));
      paged.limit = PoolLimit{343 << 20, "kernel", "x"};
      snapshot.pools = {paged};
      snapshot.commit_bytes = static_cast<std::uint64_t>(2000 * kMiB);
      snapshot.commit_limit_bytes = commit_limit_;
      snapshot.tags.resize(1);
      snapshot.tags[0].tag = "Leak";
      snapshot.tags[0].bytes = static_cast<std::uint64_t>(held - 190 * kMiB);
      engine_.observe(sampler_.take(snapshot));
      peak_ = *paged.bytes;
    }
  }
  [[nodiscard]] SubjectReport pool() const { return *engine_.find(Kind::kPool, Pool::kPaged, ""); }
  [[nodiscard]] SubjectReport tag() const { return *engine_.find(Kind::kTag, Pool::kPaged, "Leak"); }

  TrendEngine engine_;
  Sampler sampler_;
  std::uint64_t commit_limit_ = static_cast<std::uint64_t>(8000 * kMiB);
  std::uint64_t peak_ = 0;
  int hour_ = 0;
};

void expect_divided(const Exhaustion& end) {
  EXPECT_GT(end.pace_per_second, 0);
  EXPECT_NEAR(end.seconds, end.room / end.pace_per_second, 1e-6 * end.seconds);
}

TEST(Exhaustion, AHostThatFailsAtNoonIsReckonedFromNoon) {
  Host host;
  host.run(45 * 24);  // to midnight
  const Exhaustion end = *host.pool().exhaustion;
  // At yesterday's noon 200 + 2.7 x 44.5 + 15 MiB were in use: 7.85 left.
  EXPECT_NEAR(end.room / kMiB, 343 - 215 - 2.7 * 44.5, 0.2);
  EXPECT_EQ(end.bound, Bound::kPoolLimit);
  EXPECT_NEAR(end.pace_per_second * 86400 / kMiB, 2.7, 0.15);
  EXPECT_NEAR(end.seconds / 86400, 7.85 / 2.7, 0.25);
  expect_divided(end);
  // The tag has its pool's room.
  EXPECT_EQ(host.tag().exhaustion->room, end.room);
  EXPECT_EQ(host.tag().exhaustion->bound, end.bound);
  expect_divided(*host.tag().exhaustion);
}

TEST(Exhaustion, IsOfWhateverEndsFirstAndNamesIt) {
  Host host;
  host.run(44 * 24);
  host.commit_limit_ = static_cast<std::uint64_t>(2005 * kMiB);
  host.run(24);
  const Exhaustion end = *host.tag().exhaustion;
  EXPECT_EQ(bound_name(end.bound), "commit_limit");
  EXPECT_NEAR(end.room, 5 * kMiB, 1);
  expect_divided(end);
}

TEST(Exhaustion, OutlivesARestartAndBeginsAnewAtAReboot) {
  Host host;
  host.run(44 * 24 + 18);
  const double room = host.pool().exhaustion->room;
  TrendEngine restarted;
  ASSERT_TRUE(restarted.load(host.engine_.save()).ok());
  EXPECT_EQ(restarted.find(Kind::kPool, Pool::kPaged, "")->exhaustion->room, room);
  Sample pool;
  pool.kind = Kind::kPool;
  pool.amount = static_cast<std::uint64_t>(100 * kMiB);
  pool.limit = 343 * kMiB;
  const base::UnixMillis boot = kMidnight + host.hour_ * kHourMs;
  host.engine_.observe({boot + kHourMs, boot, {&pool, 1}});
  EXPECT_EQ(host.pool().exhaustion->room, 243 * kMiB);
}

/// A pool that gains 10 MiB a day of 8 GiB, of which something else takes 190; `fall`: what memory loses a day.
SubjectReport pool_beside(double fall, TrendEngine& engine) {
  Sampler sampler;
  Snapshot snapshot;
  snapshot.system = System::kWindows;
  snapshot.boot_time = kMidnight - 5 * kDayMs;
  snapshot.pools = {pool_of(Pool::kNonpaged, 0)};
  snapshot.tags.resize(1);
  snapshot.tags[0].tag = "Leak";
  snapshot.tags[0].pool = Pool::kNonpaged;
  for (int hour = 0; hour < 28 * 24; ++hour) {
    const double days = hour / 24.0;
    snapshot.time = kMidnight + hour * kHourMs;
    snapshot.tags[0].bytes = static_cast<std::uint64_t>(kMiB * (50 + 10 * days));
    snapshot.pools[0].bytes = static_cast<std::uint64_t>(kMiB * (400 + 10 * days));
    snapshot.available_bytes = static_cast<std::uint64_t>(kMiB * (8192 - fall * days));
    engine.observe(sampler.take(snapshot));
  }
  engine.settle();
  return *engine.find(Kind::kPool, Pool::kNonpaged, "");
}

TEST(Exhaustion, MemoryThatSomethingElseTakesIsDividedByAllOfIt) {
  TrendEngine engine;
  const SubjectReport pool = pool_beside(200, engine);
  const Exhaustion end = *pool.exhaustion;
  EXPECT_TRUE(end.of_room);
  EXPECT_EQ(end.bound, Bound::kAvailableMemory);
  EXPECT_NEAR(end.pace_per_second * 86400 / kMiB, 200, 2);
  EXPECT_NEAR(end.seconds / 86400, (8192 - 200 * 28) / 200.0, 0.3);
  expect_divided(end);
  // Its own growth stays its own, and the tag ends with it.
  EXPECT_NEAR(pool.credible_slope_per_second * 86400 / kMiB, 10, 0.2);
  EXPECT_EQ(engine.find(Kind::kTag, Pool::kNonpaged, "Leak")->exhaustion->seconds, end.seconds);
  // What memory is left has no row and is not counted; it is named, for no pool takes most of it.
  EXPECT_EQ(engine.summary().subjects, 2U);
  EXPECT_EQ(engine.outlines().size(), 2U);
  EXPECT_EQ(engine.report(true).size(), 2U);
  const Readiness::Growth fall = *engine.readiness().largest;
  EXPECT_EQ(fall.kind, Kind::kAvailable);
  EXPECT_EQ(growth_label(fall), "Falls now: ");
  EXPECT_NEAR(fall.amount / kMiB, 800, 10);
  EXPECT_EQ(growth_claim(fall), ", at that pace used up in 13 days");
  TrendEngine restarted;
  ASSERT_TRUE(restarted.load(engine.save()).ok());
  EXPECT_EQ(restarted.find(Kind::kPool, Pool::kNonpaged, "")->exhaustion->seconds, end.seconds);
}

TEST(Exhaustion, MemoryThatThePoolTakesIsDividedByThePoolAlone) {
  TrendEngine engine;
  const Exhaustion end = *pool_beside(10, engine).exhaustion;
  EXPECT_FALSE(end.of_room);
  EXPECT_NEAR(end.pace_per_second * 86400 / kMiB, 10, 0.2);
  EXPECT_FALSE(engine.readiness().largest);
}

}  // namespace
}  // namespace kmem::trend
