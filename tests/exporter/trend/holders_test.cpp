#include "exporter/trend/holders.h"

#include <gtest/gtest.h>

#include <string>

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
  out.processes = {{4, "System", 2'000, {}, {}}, {1234, "updater.exe", 100 + objects - others, {}, {}}, {88, "busy.exe", busy, {}, {}}};
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
    engine.observe(sampler.take(leaking_machine(kBegin + hour * kOneHour, objects, static_cast<std::uint64_t>(hour) * 10, 9'000 + static_cast<std::uint64_t>(hour % 7) * 50)));
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

  // A history that was kept tells the same, as `top` reads it.
  TrendEngine kept;
  ASSERT_TRUE(kept.load(engine.save()).ok());
  EXPECT_EQ(find_holder(kept, *kept.find(Kind::kTag, Pool::kNonpaged, "Even")), holder);
}

TEST(Holders, NobodyIsNamedWhoseHandlesDoNotGrowAlongside) {
  TrendEngine engine;
  Sampler sampler;
  for (int hour = 0; hour < 12 * 24; ++hour) {
    // The driver's own: no handle to them. busy.exe gains 8 times as many of something else.
    const auto objects = static_cast<std::uint64_t>(5'000 + hour * 500);
    engine.observe(sampler.take(leaking_machine(kBegin + hour * kOneHour, objects, objects, 9'000 + static_cast<std::uint64_t>(hour) * 4'000)));
  }
  EXPECT_EQ(find_holder(engine, *engine.find(Kind::kTag, Pool::kNonpaged, "Even")), std::nullopt);
  EXPECT_EQ(find_holder(engine, *engine.find(Kind::kPool, Pool::kNonpaged, "")), std::nullopt);
}

class HolderWatchTest : public testing::Test {
 protected:
  std::optional<Holder> look(std::uint64_t objects, std::vector<ObjectHandles> handles) {
    Snapshot snapshot = leaking_machine(kBegin, objects, 0, 9'000);
    snapshot.object_handles = std::move(handles);
    const auto holder = watch_.find(snapshot, Pool::kNonpaged, "Even");
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

TEST_F(HolderWatchTest, ProcessesThatShareTheGrowthAreNotNamedAndAnEndedSuspectBeginsAnew) {
  EXPECT_EQ(look(50'000, {{1234, "Event", 10'000}, {88, "Event", 10'000}}), std::nullopt);
  EXPECT_EQ(look(52'000, {{1234, "Event", 10'900}, {88, "Event", 10'900}}), std::nullopt);
  watch_.end_review();  // not asked for meanwhile
  EXPECT_EQ(look(90'000, {{1234, "Event", 80'000}})->basis, Holder::Basis::kTypeHeld);
}

}  // namespace
}  // namespace kmem::trend
