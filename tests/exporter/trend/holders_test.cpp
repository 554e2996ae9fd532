#include "exporter/trend/holders.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "collectors/handle_table.h"
#include "exporter/trend/sampler.h"

namespace kmem::trend {
namespace {

constexpr base::UnixMillis kBegin = 1'700'000'000'000;
constexpr base::UnixMillis kOneHour = 3'600'000;

/// 48 bytes an event: `objects` of them, of which updater.exe keeps all but `others`.
Snapshot leaking_machine(base::UnixMillis time, std::uint64_t objects, std::uint64_t others, std::uint64_t busy) {
  Snapshot out;
  out.system = System::kWindows;
  out.time = time;
  out.boot_time = kBegin - kOneHour;
  TagUsage even;
  even.pool = Pool::kNonpaged;
  even.tag = "Even";
  even.key = tag_key(even.pool, even.tag);
  even.bytes = 48 * objects;
  even.outstanding = objects;
  out.tags = {even};
  out.pools = {{Pool::kNonpaged, 100'000'000 + even.bytes, {}, {}, {}, {}}};
  out.processes = {
      {4, "System", 2'000, {}, {}}, {1234, "updater.exe", 100 + objects - others, {}, {}}, {88, "busy.exe", busy, {}, {}}};
  return out;
}

TEST(Holders, ObjectsAreKnownByTheirTagsAndPools) {
  EXPECT_EQ(object_type_of(Pool::kNonpaged, "Even")->type, "Event");
  EXPECT_EQ(object_type_of(Pool::kPaged, "Key ")->type, "Key");
  EXPECT_EQ(object_type_of(Pool::kSlabUnreclaimable, "filp")->plural, "open files");
  EXPECT_EQ(object_type_of(Pool::kNonpaged, "Irp "), nullptr);
  EXPECT_EQ(object_type_of(Pool::kSlabUnreclaimable, "Even"), nullptr);
}

TEST(Holders, WhoGainsHandlesAsFastAsTheTagGainsObjectsIsNamed) {
  TrendEngine engine;
  Sampler sampler;
  std::uint64_t objects = 5'000;
  for (int hour = 0; hour < 20 * 24; ++hour, objects += 500)
    engine.observe(sampler.take(leaking_machine(kBegin + hour * kOneHour, objects, static_cast<std::uint64_t>(hour) * 10,
                                                9'000 + static_cast<std::uint64_t>(hour % 7) * 50)));
  const auto tag = engine.find(Kind::kTag, Pool::kNonpaged, "Even");
  ASSERT_TRUE(tag.has_value());
  EXPECT_NEAR(tag->bytes_per_allocation.value(), 48, 0.5);
  const auto holder = find_holder(engine, *tag);
  ASSERT_TRUE(holder.has_value());
  EXPECT_EQ(holder->process, "updater.exe");
  EXPECT_EQ(holder->pid, 1234U);
  EXPECT_EQ(holder->basis, Holder::Basis::kGrowth);
  EXPECT_NEAR(holder->share, 0.98, 0.01);
  EXPECT_EQ(holder->handles, 100 + (objects - 500) - 479 * 10);
  EXPECT_EQ(holder_words(*holder, Pool::kNonpaged, "Even"), "98 % of the growth by updater.exe (pid 1234): 239,810 handles");

  EXPECT_EQ(holder_words(holder, *tag), holder_words(*holder, Pool::kNonpaged, "Even"));
  EXPECT_EQ(holder_words(std::nullopt, *tag), "");
  EXPECT_EQ(short_holder_words(*holder), "98% updater.exe(1234)");
  EXPECT_EQ(short_holder_words({"a.exe", 0, Holder::Basis::kGrowth, 0.6, 1}), "60% a.exe");

  // A history that was kept tells the same, as `top` reads it.
  TrendEngine kept;
  ASSERT_TRUE(kept.load(engine.save()).ok());
  EXPECT_EQ(find_holder(kept, *kept.find(Kind::kTag, Pool::kNonpaged, "Even")), holder);
}

TEST(Holders, OfTwoThatGrowAlongsideTheFasterIsNamedAndHasNoMoreThanAll) {
  for (const bool first_is_faster : {true, false}) {
    TrendEngine engine;
    Sampler sampler;
    for (std::uint64_t hour = 0; hour < 12 * 24; ++hour) {
      Snapshot snapshot = leaking_machine(kBegin + static_cast<std::int64_t>(hour) * kOneHour, 5'000 + hour * 500, 0, 9'000);
      const auto faster = 1'000 + hour * 600, slower = 1'000 + hour * 300;
      snapshot.processes = {{100, "a.exe", first_is_faster ? faster : slower, {}, {}},
                            {200, "b.exe", first_is_faster ? slower : faster, {}, {}}};
      engine.observe(sampler.take(snapshot));
    }
    const auto holder = find_holder(engine, *engine.find(Kind::kTag, Pool::kNonpaged, "Even"));
    ASSERT_TRUE(holder);
    EXPECT_EQ(holder->process, first_is_faster ? "a.exe" : "b.exe");
    EXPECT_EQ(holder->share, 1) << "600 handles an hour of 500 objects";
  }
}

TEST(Holders, NobodyIsNamedWhoseHandlesDoNotGrowAlongside) {
  TrendEngine engine;
  Sampler sampler;
  for (int hour = 0; hour < 12 * 24; ++hour) {
    // The driver's own: no handle to them. busy.exe gains 8 times as many of something else.
    const auto objects = static_cast<std::uint64_t>(5'000 + hour * 500);
    engine.observe(sampler.take(
        leaking_machine(kBegin + hour * kOneHour, objects, objects, 9'000 + static_cast<std::uint64_t>(hour) * 4'000)));
  }
  EXPECT_EQ(find_holder(engine, *engine.find(Kind::kTag, Pool::kNonpaged, "Even")), std::nullopt);
  EXPECT_EQ(find_holder(engine, *engine.find(Kind::kPool, Pool::kNonpaged, "")), std::nullopt);
}

class HolderWatchTest : public testing::Test {
 protected:
  std::optional<Holder> look(std::uint64_t objects, std::vector<ObjectHandles> handles) {
    Snapshot snapshot = leaking_machine(kBegin, objects, 0, 9'000);
    snapshot.object_handles = std::move(handles);
    watch_.observe(snapshot);
    return review();
  }
  std::optional<Holder> review() {
    const auto holder = watch_.find(Pool::kNonpaged, "Even");
    watch_.end_review();
    return holder;
  }
  HolderWatch watch_;
};

TEST_F(HolderWatchTest, FirstWhatIsHeldThenWhatGrowsByTheType) {
  EXPECT_EQ(look(50'000, {}), std::nullopt);
  const std::vector<ObjectHandles> first = {{88, "File", 400'000}, {1234, "Event", 30'000}, {88, "Event", 15'000}};
  EXPECT_EQ(look(50'000, first), (Holder{"updater.exe", 1234, Holder::Basis::kTypeHeld, 0.6, 30'000}));
  // 1,000 more since, of which busy.exe has nearly all.
  const auto later = look(51'000, {{1234, "Event", 30'010}, {88, "Event", 15'980}});
  ASSERT_TRUE(later.has_value());
  EXPECT_EQ(*later, (Holder{"busy.exe", 88, Holder::Basis::kTypeGrowth, 0.98, 15'980}));
  EXPECT_EQ(holder_words(*later, Pool::kNonpaged, "Even"), "98 % of the growth by busy.exe (pid 88): 15,980 event handles");
  EXPECT_EQ(holder_words({"a.exe", 7, Holder::Basis::kTypeHeld, 0.6, 30'000}, Pool::kPaged, "Key "),
            "60 % of them held by a.exe (pid 7): 30,000 registry key handles");
}

/// 100 objects a minute, all of updater.exe; the table is of every 10th minute, reviews are of any.
TEST_F(HolderWatchTest, FewerThanTwoHundredObjectsSayNothing) {
  EXPECT_EQ(look(199, {{1234, "Event", 199}}), std::nullopt);
  EXPECT_EQ(look(200, {{1234, "Event", 200}}), (Holder{"updater.exe", 1234, Holder::Basis::kTypeHeld, 1, 200}));
}

TEST_F(HolderWatchTest, ATableIsComparedWithTheTagAsItWasThen) {
  std::vector<ObjectHandles> table;
  for (std::uint64_t minute = 0; minute < 60; ++minute) {
    const std::uint64_t objects = 50'000 + minute * 100;
    if (minute % 10 == 0) table = {{1234, "Event", 20'000 + minute * 100}, {88, "Event", 7}};
    Snapshot snapshot = leaking_machine(kBegin, objects, 0, 9'000);
    snapshot.object_handles = table;
    watch_.observe(snapshot);
    if (minute % 15 != 4 && minute < 40) continue;  // then each minute
    const auto holder = review();
    const std::uint64_t since_base = minute / 10 * 10;
    if (since_base == 0) {
      EXPECT_EQ(holder, std::nullopt) << "20,000 of 50,000";
    } else {
      EXPECT_EQ(holder, (Holder{"updater.exe", 1234, Holder::Basis::kTypeGrowth, 1, 20'000 + since_base * 100})) << minute;
    }
  }
  // A reading without the table says nothing, and what comes back unchanged is of the time when it came.
  EXPECT_EQ(look(70'000, {}), std::nullopt);
  EXPECT_EQ(look(90'000, table)->share, 1);
}

TEST_F(HolderWatchTest, WhoIsNotInAFullTableMayHaveHadAsManyAsItsLast) {
  std::vector<ObjectHandles> full = {{1234, "Event", 5'000}};
  while (full.size() < kMaxHandleRows) full.push_back({10'000 + full.size(), "File", 900});
  EXPECT_EQ(look(50'000, full), std::nullopt);
  // busy.exe had 890, and has 20 more; updater.exe has 600 of the 700 more.
  full[0].handles = 5'600;
  full[1] = {88, "Event", 910};
  EXPECT_EQ(look(50'700, full)->pid, 1234U);
  full[0].handles = 5'000;
  EXPECT_EQ(look(50'701, full), std::nullopt) << "not 910 of 701";

  watch_.end_review();
  EXPECT_EQ(look(50'000, {{1234, "Event", 5'000}}), std::nullopt);
  EXPECT_EQ(look(50'700, {{1234, "Event", 5'000}, {88, "Event", 690}})->pid, 88U) << "a table that has all: it had none";
}

TEST_F(HolderWatchTest, ProcessesThatShareTheGrowthAreNotNamedAndAnEndedSuspectBeginsAnew) {
  EXPECT_EQ(look(50'000, {{1234, "Event", 10'000}, {88, "Event", 10'000}}), std::nullopt);
  EXPECT_EQ(look(52'000, {{1234, "Event", 10'900}, {88, "Event", 10'900}}), std::nullopt);
  watch_.end_review();  // not asked for meanwhile
  EXPECT_EQ(look(90'000, {{1234, "Event", 80'000}})->basis, Holder::Basis::kTypeHeld);
}

}  // namespace
}  // namespace kmem::trend
