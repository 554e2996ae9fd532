// The small parts: index, ranks, daily floors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/base/flat_index.h"
#include "exporter/select/daily_floor.h"
#include "exporter/select/tag_table.h"
#include "exporter/select/top_ranks.h"

namespace kmem::select {
namespace {

using testing::ElementsAre;

TEST(FlatIndex, FindsEveryKeyAmongThousandsAndAsksAtSharedKeys) {
  FlatIndex index;
  const auto any = [](std::uint32_t) { return true; };
  EXPECT_EQ(index.find(1, any), FlatIndex::kNone);
  for (std::uint32_t i = 0; i < 5'000; ++i) index.insert(i * 4'096ULL, i);
  for (std::uint32_t i = 0; i < 5'000; ++i) ASSERT_EQ(index.find(i * 4'096ULL, any), i);
  EXPECT_EQ(index.find(4'097, any), FlatIndex::kNone);
  index.insert(4'096, 9'999);
  EXPECT_EQ(index.find(4'096, [](std::uint32_t slot) { return slot == 9'999; }), 9'999U);
  EXPECT_EQ(index.find(4'096, [](std::uint32_t) { return false; }), FlatIndex::kNone);
  index.clear();
  EXPECT_EQ(index.find(4'096, any), FlatIndex::kNone);
}

std::vector<std::uint32_t> items(TopRanks& ranks) {
  std::vector<std::uint32_t> result;
  for (const TopRanks::Entry& entry : ranks.ranked()) result.push_back(entry.item);
  return result;
}

TEST(TopRanks, BestFirstTiesBySmallerKeyZeroNever) {
  TopRanks ranks;
  ranks.reset(3);
  const std::uint64_t values[] = {5, 9, 0, 9, 7, 9, 1};
  for (std::uint32_t i = 0; i < 7; ++i) ranks.offer(values[i], 100 - i, i);
  EXPECT_THAT(items(ranks), ElementsAre(5, 3, 1));
  ranks.reset(10);
  ranks.offer(2, 1, 4);
  EXPECT_THAT(items(ranks), ElementsAre(4));
  ranks.reset(0);
  ranks.offer(2, 1, 4);
  EXPECT_TRUE(ranks.ranked().empty());
}

TEST(DailyFloor, GrowthIsFloorAgainstFloorFromTheThirdDay) {
  DailyFloor floor;
  EXPECT_EQ(floor.growth(), 0U);
  floor.note(10, 500, false);
  floor.note(10, 100, false);
  floor.note(10, 900, false);
  floor.note(11, 300, false);
  EXPECT_EQ(floor.growth(), 0U);
  floor.note(12, 8'000, false);
  EXPECT_EQ(floor.growth(), 200U);  // yesterday's 300 against the first day's 100
  floor.note(12, 250, false);
  EXPECT_EQ(floor.growth(), 150U);
  for (int day = 13; day <= 30; ++day) floor.note(day, static_cast<std::uint64_t>(day) * 1'000, false);
  EXPECT_EQ(floor.growth(), 6'000U);  // day 29 against day 23: a week before day 30
}

TEST(DailyFloor, DaysWithoutAReadingAreUnknownAndDaysOfAbsenceAreZero) {
  DailyFloor floor;
  floor.note(1, 1'000, false);
  floor.note(5, 2'000, false);
  EXPECT_EQ(floor.growth(), 1'000U);
  EXPECT_EQ(floor.lowest()[1], DailyFloor::kNoData);
  floor.note(7, 9'000, true);
  EXPECT_THAT(floor.lowest(), ElementsAre(0, 0, 2'000, DailyFloor::kNoData, DailyFloor::kNoData, DailyFloor::kNoData, 1'000,
                                          DailyFloor::kNoData));
  EXPECT_EQ(floor.growth(), 0U);
  floor.note(100, 50, false);
  EXPECT_EQ(floor.growth(), 0U) << "all older days are forgotten";
}

TEST(DailyFloor, ShrinkingIsNoGrowthAndAClockSetBackIsAbsorbed) {
  DailyFloor floor;
  for (int day = 0; day < 5; ++day) floor.note(day, static_cast<std::uint64_t>(1'000 - day * 100), false);
  EXPECT_EQ(floor.growth(), 0U);
  floor.not_after(2);
  floor.note(3, 50, false);
  EXPECT_EQ(floor.newest_day(), 3);
  EXPECT_THAT(floor.lowest()[0], 50U);
  EXPECT_EQ(DailyFloor::day_of(-1), -1);
  EXPECT_EQ(DailyFloor::day_of(86'399'999), 0);
  EXPECT_EQ(DailyFloor::day_of(86'400'000), 1);
}

TEST(TagTable, SlotsAreStableAndUsedAgainAfterReindex) {
  TagTable table(3);
  const auto slot = [&](const char* tag) { return table.find(Pool::kPaged, tag_key(Pool::kPaged, tag), tag); };
  const auto insert = [&](const char* tag) { return table.insert(Pool::kPaged, tag_key(Pool::kPaged, tag), tag); };
  insert("a");
  const std::uint32_t b = insert("b");
  insert("c");
  EXPECT_TRUE(table.full());
  table.erase(b);
  EXPECT_FALSE(table.full());
  EXPECT_EQ(slot("b"), FlatIndex::kNone);
  EXPECT_EQ(insert("d"), b);
  table.reindex();
  EXPECT_EQ(slot("d"), b);
  EXPECT_EQ(slot("b"), FlatIndex::kNone);
  EXPECT_NE(slot("a"), FlatIndex::kNone);
  EXPECT_EQ(table.find(Pool::kNonpaged, tag_key(Pool::kPaged, "a"), "a"), FlatIndex::kNone);
  EXPECT_EQ(table.size(), 3U);
}

TEST(Elapsed, NeverRunsBackwardsOrOverflows) {
  EXPECT_EQ(elapsed(5, 7), 2);
  EXPECT_EQ(elapsed(7, 5), 0);
  EXPECT_EQ(elapsed(kNever, std::numeric_limits<base::UnixMillis>::max()), std::numeric_limits<base::UnixMillis>::max());
}

}  // namespace
}  // namespace kmem::select
