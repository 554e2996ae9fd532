#include "exporter/top/columns.h"

#include <gmock/gmock.h>

#include "tests/exporter/top/rows.h"

namespace kmem::top {
namespace {

using testing::HasSubstr;
using testing::Not;

class WindowsColumns : public testing::Test {
 protected:
  WindowsColumns() {
    table_.update(reading({counted(Pool::kNonpaged, "Irp ", 75'320'886, 75'307'223, 4'645'296),
                           counted(Pool::kPaged, "MmSt", 997'690, 989'424, 28'019'248)}));
    table_.update(reading({counted(Pool::kNonpaged, "Irp ", 75'321'006, 75'307'341, 4'645'936),
                           counted(Pool::kPaged, "MmSt", 997'690, 989'424, 28'019'248)}));
  }
  Columns columns(std::size_t width, std::size_t first_column = 0) const {
    ColumnOptions options;
    options.width = width;
    options.first_column = first_column;
    return {all(table_), options};
  }
  UsageTable table_;
};

TEST_F(WindowsColumns, AreThoseOfPoolmonWithNumbersInFullWhereThereIsRoom) {
  const Columns wide = columns(120);
  EXPECT_EQ(wide.title(), " Tag  Type    Allocs           Frees         Diff    Bytes        Per Alloc");
  EXPECT_EQ(wide.text(*all(table_)[1]), " Irp  Nonp  75321006 ( 120) 75307341 ( 118) 13665  4645936 ( 640)       339");
  EXPECT_EQ(wide.text(*all(table_)[0]), " MmSt Paged   997690 (   0)   989424 (   0)  8266 28019248 (   0)      3389");
}

TEST_F(WindowsColumns, OnANarrowScreenNumbersAreShortAndDriversFit) {
  table_.rows()[0].driver = "afd.sys, tcpip.sys, http.sys";
  const Columns narrow = columns(80);
  EXPECT_EQ(narrow.title(), " Tag  Type  Allocs        Frees         Diff Bytes        Per Alloc Driver");
  EXPECT_EQ(narrow.text(table_.rows()[0]), " Irp  Nonp   75.3M ( 120) 75.3M ( 118) 13.7k 4.43M ( 640)       339 [afd.sys, t~");
  for (std::size_t width = 12; width < 140; ++width) {
    EXPECT_LE(columns(width).text(table_.rows()[0]).size(), width) << width;
    EXPECT_LE(columns(width).title().size(), width) << width;
  }
}

TEST_F(WindowsColumns, WhatDoesNotFitIsReachedByMoving) {
  EXPECT_THAT(columns(30).text(table_.rows()[0]), Not(HasSubstr("339")));
  EXPECT_EQ(columns(30, columns(30).count() - 1).text(table_.rows()[0]), " Irp  Nonp        339");
}

TEST_F(WindowsColumns, TrendMarksTheRowAndHasAColumnWhereAnythingIsKnown) {
  EXPECT_THAT(columns(200).title(), Not(HasSubstr("Trend")));
  table_.rows()[0].trend = "LEAK +431K/d 94%";
  table_.rows()[0].mark = Mark::kLeak;
  table_.rows()[1].mark = Mark::kWatch;
  const Columns wide = columns(200);
  EXPECT_THAT(wide.title(), HasSubstr("Trend"));
  EXPECT_EQ(wide.text(table_.rows()[0]),
            "!Irp  Nonp  75321006 ( 120) 75307341 ( 118) 13665  4645936 ( 640)       339 LEAK +431K/d 94%");
  EXPECT_EQ(wide.text(table_.rows()[1])[0], '+');
}

TEST_F(WindowsColumns, WhatIsMissedLeastGivesWayToTheTrend) {
  table_.rows()[0].driver = "tcpip.sys, afd.sys";
  table_.rows()[0].trend = "LEAK +431K/d 94%";
  EXPECT_EQ(columns(80).title(), " Tag  Type  Allocs        Frees  Diff Bytes        Driver     Trend");
  EXPECT_EQ(columns(80).text(table_.rows()[0]),
            " Irp  Nonp   75.3M ( 120) 75.3M 13.7k 4.43M ( 640) [tcpip.sy~ LEAK +431K/d 94%");
  EXPECT_EQ(columns(86).title(), " Tag  Type  Allocs        Frees         Diff Bytes        Driver     Trend");
  EXPECT_THAT(columns(60).title(), HasSubstr("Frees         Diff"));  // it would not be enough
}

TEST(Columns, AKernelThatDoesNotCountHasNoCountersAndItsTagsAreShownInFullWhereTheyFit) {
  UsageTable table;
  table.update(reading({uncounted(Pool::kSlabReclaimable, "an_inode_cache_with_a_very_long_name", 100, 102'400)}));
  table.update(reading({uncounted(Pool::kSlabReclaimable, "an_inode_cache_with_a_very_long_name", 90, 98'304)}));
  ColumnOptions options;
  const Columns usual(all(table), options);
  EXPECT_EQ(usual.title(), " Tag                                  Type   Diff        Bytes         Per Alloc");
  EXPECT_EQ(usual.text(table.rows()[0]), " an_inode_cache_with_a_very_long_name Recl     90 ( -10) 98304 (-4096)      1092");
  options.width = 65;
  EXPECT_EQ(Columns(all(table), options).text(table.rows()[0]),
            " an_inode_cache_with~ Recl     90 ( -10) 96.0K (-4096)      1092");
}

TEST(Columns, GrowthIsThereWhenAskedForAndUnknownChangesAreDashes) {
  UsageTable table;
  table.update(reading({counted(Pool::kPaged, "Tag ", 5, 0, 100)}));
  ColumnOptions options;
  options.growth = true;
  const Columns columns(all(table), options);
  EXPECT_EQ(columns.title(), " Tag  Type  Allocs        Frees         Diff Bytes        Per Alloc Growth");
  EXPECT_EQ(columns.text(table.rows()[0]), " Tag  Paged      5 (   -)     0 (   -)     5   100 (   -)        20      0");
  options.deltas = false;
  EXPECT_EQ(Columns(all(table), options).text(table.rows()[0]), " Tag  Paged      5     0     5   100        20      0");
}

TEST_F(WindowsColumns, DoNotMoveFromFrameToFrame) {
  ColumnOptions options;
  options.width = 120;
  const Columns before(all(table_), options);
  UsageTable small;
  small.update(reading({counted(Pool::kNonpaged, "Irp ", 5, 1, 640)}));
  options.layout = before.layout();
  EXPECT_EQ(Columns(all(small), options).title(), before.title());
  options.layout = {};
  EXPECT_NE(Columns(all(small), options).title(), before.title());

  // Nor do numbers become long again for the moment that they would fit.
  options.width = 70;
  options.layout = {false, {}};
  small.update(reading({counted(Pool::kNonpaged, "Irp ", 50'000, 1, 640)}));
  EXPECT_THAT(Columns(all(small), options).text(small.rows()[0]), HasSubstr("50.0k"));
}

TEST(Columns, EveryPoolHasItsWord) {
  for (std::size_t pool = 0; pool < kPoolCount; ++pool) {
    EXPECT_GE(type_word(static_cast<Pool>(pool)).size(), 4U);
    EXPECT_LE(type_word(static_cast<Pool>(pool)).size(), 5U);
  }
}

}  // namespace
}  // namespace kmem::top
