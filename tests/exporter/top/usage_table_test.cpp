#include "exporter/top/usage_table.h"

#include <gmock/gmock.h>

#include "tests/exporter/top/rows.h"

namespace kmem::top {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const UsageRow& row_of(const UsageTable& table, std::string_view tag) {
  for (const UsageRow& row : table.rows())
    if (row.tag == tag) return row;
  static const UsageRow none;
  ADD_FAILURE() << "no row " << tag;
  return none;
}

TEST(UsageTable, TheFirstReadingHasNoChanges) {
  UsageTable table;
  table.update(reading({counted(Pool::kNonpaged, "Even", 100, 40, 6000)}));
  const UsageRow& row = row_of(table, "Even");
  EXPECT_EQ(row.pool, Pool::kNonpaged);
  EXPECT_EQ(row.allocations, 100U);
  EXPECT_EQ(row.frees, 40U);
  EXPECT_EQ(row.outstanding, 60U);
  EXPECT_EQ(row.bytes, 6000U);
  EXPECT_EQ(row.bytes_per_allocation(), 100U);
  EXPECT_EQ(row.allocations_delta, std::nullopt);
  EXPECT_EQ(row.bytes_delta, std::nullopt);
  EXPECT_EQ(row.growth_bytes, 0);
}

TEST(UsageTable, ChangesSinceTheReadingBeforeAndGrowthSinceTheFirst) {
  UsageTable table;
  table.update(reading({counted(Pool::kNonpaged, "Even", 100, 40, 6000)}));
  table.update(reading({counted(Pool::kNonpaged, "Even", 150, 45, 10'500)}));
  table.update(reading({counted(Pool::kNonpaged, "Even", 151, 60, 9100)}));
  const UsageRow& row = row_of(table, "Even");
  EXPECT_EQ(row.allocations_delta, 1);
  EXPECT_EQ(row.frees_delta, 15);
  EXPECT_EQ(row.outstanding_delta, -14);
  EXPECT_EQ(row.bytes_delta, -1400);
  EXPECT_EQ(row.growth_bytes, 3100);
}

TEST(UsageTable, CountersThatWrapGoOn) {
  UsageTable table;
  table.update(reading({counted(Pool::kPaged, "Wrap", 0xFFFF'FFF0, 0xFFFF'FFE0, 64)}));
  table.update(reading({counted(Pool::kPaged, "Wrap", 0x10, 0xFFFF'FFF4, 64)}));
  EXPECT_EQ(row_of(table, "Wrap").allocations_delta, 0x20);
  EXPECT_EQ(row_of(table, "Wrap").frees_delta, 0x14);
}

TEST(UsageTable, ATagThatAppearsHeldNothingBeforeAndItsCountersAreNobodysGuess) {
  UsageTable table;
  table.update(reading({counted(Pool::kPaged, "Old ", 1, 0, 10)}));
  table.update(reading({counted(Pool::kPaged, "Old ", 1, 0, 10), counted(Pool::kPaged, "New ", 900, 895, 80)}));
  EXPECT_EQ(row_of(table, "New ").bytes_delta, 80);
  EXPECT_EQ(row_of(table, "New ").outstanding_delta, 5);
  EXPECT_EQ(row_of(table, "New ").growth_bytes, 80);
  EXPECT_EQ(row_of(table, "New ").allocations_delta, std::nullopt);
  // Gone for one reading and back: what it held is all new again, what was counted meanwhile is known.
  table.update(reading({counted(Pool::kPaged, "Old ", 1, 0, 10)}));
  table.update(reading({counted(Pool::kPaged, "New ", 910, 907, 48)}));
  ASSERT_EQ(table.rows().size(), 1U);
  EXPECT_EQ(row_of(table, "New ").bytes_delta, 48);
  EXPECT_EQ(row_of(table, "New ").allocations_delta, 10);
}

TEST(UsageTable, AKernelThatDoesNotCountHasChangesOfLiveOnes) {
  UsageTable table;
  table.update(reading({uncounted(Pool::kSlabUnreclaimable, "kmalloc-64", 100, 6400)}));
  table.update(reading({uncounted(Pool::kSlabUnreclaimable, "kmalloc-64", 130, 8320)}));
  const UsageRow& row = row_of(table, "kmalloc-64");
  EXPECT_FALSE(row.counted);
  EXPECT_EQ(row.allocations_delta, std::nullopt);
  EXPECT_EQ(row.outstanding_delta, 30);
}

TEST(UsageTable, OneTagInTwoPoolsIsTwo) {
  UsageTable table;
  table.update(reading({counted(Pool::kPaged, "Io  ", 1, 0, 10), counted(Pool::kNonpaged, "Io  ", 5, 0, 50)}));
  table.update(reading({counted(Pool::kNonpaged, "Io  ", 7, 0, 70), counted(Pool::kPaged, "Io  ", 1, 0, 10)}));
  EXPECT_EQ(table.rows()[0].bytes_delta, 20);
  EXPECT_EQ(table.rows()[1].bytes_delta, 0);
}

TEST(UsageTable, ARebootBeginsAnewAndAClockThatIsSetDoesNot) {
  UsageTable table;
  Snapshot first = reading({counted(Pool::kPaged, "Tag ", 1000, 0, 1000)});
  table.update(first);
  first.tags[0] = counted(Pool::kPaged, "Tag ", 1010, 0, 1010);
  *first.boot_time += 5000;
  table.update(first);
  EXPECT_EQ(table.rows()[0].growth_bytes, 10);
  *first.boot_time += 86'400'000;
  first.tags[0] = counted(Pool::kPaged, "Tag ", 7, 0, 7);
  table.update(first);
  EXPECT_EQ(table.rows()[0].growth_bytes, 0);
  EXPECT_EQ(table.rows()[0].bytes_delta, std::nullopt);
  EXPECT_EQ(table.readings(), 1U);
}

class Chosen : public testing::Test {
 protected:
  Chosen() {
    table_.update(reading({counted(Pool::kPaged, "Aaaa", 50, 40, 100), counted(Pool::kNonpaged, "Bbbb", 900, 899, 400),
                           counted(Pool::kPaged, "Cccc", 30, 10, 200), counted(Pool::kPaged, "Dddd", 9, 8, 7)}));
    table_.update(reading({counted(Pool::kPaged, "Aaaa", 50, 40, 100), counted(Pool::kNonpaged, "Bbbb", 905, 904, 390),
                           counted(Pool::kPaged, "Cccc", 32, 11, 260), counted(Pool::kPaged, "Dddd", 99, 98, 8)}));
    table_.rows()[0].driver = "Afd.sys";
  }
  std::vector<std::string> by(SortBy sort) const { return tags_of(chosen_rows(table_.rows(), {sort, {}, ""})); }
  UsageTable table_;
};

TEST_F(Chosen, EveryOrder) {
  EXPECT_THAT(by(SortBy::kBytes), ElementsAre("Bbbb", "Cccc", "Aaaa", "Dddd"));
  EXPECT_THAT(by(SortBy::kOutstanding), ElementsAre("Cccc", "Aaaa", "Bbbb", "Dddd"));
  EXPECT_THAT(by(SortBy::kRate), ElementsAre("Dddd", "Bbbb", "Cccc", "Aaaa"));
  EXPECT_THAT(by(SortBy::kGrowth), ElementsAre("Cccc", "Dddd", "Aaaa", "Bbbb"));
  EXPECT_THAT(by(SortBy::kTag), ElementsAre("Aaaa", "Bbbb", "Cccc", "Dddd"));
  EXPECT_THAT(by(SortBy::kAllocations), ElementsAre("Bbbb", "Dddd", "Aaaa", "Cccc"));
  EXPECT_THAT(by(SortBy::kFrees), ElementsAre("Bbbb", "Dddd", "Aaaa", "Cccc"));
  EXPECT_THAT(by(SortBy::kPerAllocation), ElementsAre("Bbbb", "Cccc", "Aaaa", "Dddd"));
}

TEST_F(Chosen, OnePoolAndAFilterOfEitherCaseOverTagAndDriver) {
  EXPECT_THAT(tags_of(chosen_rows(table_.rows(), {SortBy::kTag, Pool::kPaged, ""})), ElementsAre("Aaaa", "Cccc", "Dddd"));
  EXPECT_THAT(tags_of(chosen_rows(table_.rows(), {SortBy::kTag, {}, "cC"})), ElementsAre("Cccc"));
  EXPECT_THAT(tags_of(chosen_rows(table_.rows(), {SortBy::kTag, {}, "AFD"})), ElementsAre("Aaaa"));
  EXPECT_THAT(tags_of(chosen_rows(table_.rows(), {SortBy::kTag, Pool::kNonpaged, "afd"})), IsEmpty());
}

TEST(Sort, EveryOneHasItsWordAndKeyAndPlace) {
  for (const SortWord& word : kSortWords) {
    EXPECT_EQ(parse_sort(word.word), word.by);
    EXPECT_EQ(&sort_word(word.by), &word);
    for (const SortWord& other : kSortWords) EXPECT_TRUE(&other == &word || other.key != word.key) << word.word;
  }
  EXPECT_EQ(parse_sort("size"), std::nullopt);
}

}  // namespace
}  // namespace kmem::top
