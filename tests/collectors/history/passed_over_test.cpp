// Rows that were passed over: the looks they may have belonged to lack them, they are not gone there; and looks at times
// that nothing bears out.
#include <gmock/gmock.h>

#include "collectors/base/time_words.h"
#include "tests/collectors/history/read_history.h"

namespace kmem::history {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

/// "day hour: tag bytes ...", "?" behind it where the pools of tags have gaps.
std::vector<std::string> looks_of(const test::WholeHistory& history) {
  std::vector<std::string> lines;
  for (const Snapshot& snapshot : history.snapshots) {
    std::vector<std::string> tags;
    for (const TagUsage& tag : snapshot.tags) tags.push_back(" " + tag.tag + "=" + std::to_string(tag.bytes));
    std::sort(tags.begin(), tags.end());
    std::string line = base::rfc3339(snapshot.time).substr(0, 13);
    for (const std::string& tag : tags) line += tag;
    lines.push_back(line + (snapshot.gaps.pools != 0 ? " ?" : ""));
  }
  return lines;
}

const std::string kScript = "DateTime,Tag,PagedUsedBytes,NonPagedUsedBytes\n";
std::string row(const std::string& time, const std::string& tag, int bytes) {
  return time + ":00:00Z," + tag + ",0," + std::to_string(bytes) + "\n";
}
std::string own(const std::string& time, const std::string& tag, int bytes) {
  return time + ":00:00Z,nonpaged," + tag + "," + std::to_string(bytes) + "\n";
}

TEST(PassedOver, ARowFarAheadIsLackedByTheLooksBesideIt) {
  const auto read = test::read_text(kScript + row("2026-11-03T18", "Aaaa", 10) + row("2026-11-03T18", "Bbbb", 20) +
                                    row("2026-11-04T18", "Aaaa", 11) + row("2036-11-04T18", "Bbbb", 21) +
                                    row("2026-11-05T18", "Aaaa", 12) + row("2026-11-05T18", "Bbbb", 22) +
                                    row("2026-11-06T18", "Aaaa", 13));
  EXPECT_THAT(looks_of(read), ElementsAre("2026-11-03T18 Aaaa=10 Bbbb=20", "2026-11-04T18 Aaaa=11 ?",
                                          "2026-11-05T18 Aaaa=12 Bbbb=22 ?", "2026-11-06T18 Aaaa=13"));
  EXPECT_THAT(read.skipped, ElementsAre("f:5: its time lies far ahead of those above and below it"));
}

TEST(PassedOver, ARowInThePastIsLackedByTheLooksBesideIt) {
  const auto read = test::read_text(kScript + row("2026-11-03T18", "Aaaa", 10) + row("2026-11-03T18", "Bbbb", 20) +
                                    row("2026-11-04T18", "Aaaa", 11) + row("2016-11-04T18", "Bbbb", 21) +
                                    row("2026-11-05T18", "Aaaa", 12) + row("2026-11-05T18", "Bbbb", 22));
  EXPECT_THAT(looks_of(read), ElementsAre("2026-11-03T18 Aaaa=10 Bbbb=20", "2026-11-04T18 Aaaa=11 ?",
                                          "2026-11-05T18 Aaaa=12 Bbbb=22 ?"));
}

TEST(PassedOver, ATimeThatIsNotOneIsLackedByTheNextLookToo) {
  for (const std::string bad : {"2o26-11-04T18", "2016-11-04T18"}) {
    const auto script = test::read_text(kScript + row("2026-11-03T18", "Aaaa", 10) + row("2026-11-03T18", "Bbbb", 20) +
                                        row(bad, "Aaaa", 11) + row("2026-11-04T18", "Bbbb", 21) +
                                        row("2026-11-05T18", "Bbbb", 22));
    EXPECT_THAT(looks_of(script), ElementsAre("2026-11-03T18 Aaaa=10 Bbbb=20 ?", "2026-11-04T18 Bbbb=21 ?",
                                              "2026-11-05T18 Bbbb=22"))
        << bad;
  }
  const auto csv =
      test::read_text("timestamp,pool,tag,bytes\n" + own("2026-11-03T18", "Aaaa", 10) + own("2026-11-03T18", "Bbbb", 20) +
                      own("2o26-11-04T18", "Aaaa", 11) + own("2026-11-04T18", "Bbbb", 21) + own("2026-11-05T18", "Bbbb", 22));
  EXPECT_THAT(looks_of(csv), ElementsAre("2026-11-03T18 Aaaa=10 Bbbb=20 ?", "2026-11-04T18 Bbbb=21 ?", "2026-11-05T18 Bbbb=22"));
}

TEST(PassedOver, OurOwnCsvKnowsSlipsAsWell) {
  std::string text = "timestamp,pool,tag,bytes\n";
  for (int day = 10; day < 20; ++day) {
    const std::string time = "2026-11-" + std::to_string(day) + "T18";
    text += own(time, "Aaaa", day) + own(day == 14 ? "2036-11-14T18" : time, "Bbbb", day);
  }
  const auto read = test::read_text(text);
  const auto looks = looks_of(read);
  ASSERT_EQ(looks.size(), 10U);
  EXPECT_EQ(looks[3], "2026-11-13T18 Aaaa=13 Bbbb=13");
  EXPECT_EQ(looks[4], "2026-11-14T18 Aaaa=14 ?");
  EXPECT_EQ(looks[5], "2026-11-15T18 Aaaa=15 Bbbb=15 ?");
  EXPECT_EQ(looks[6], "2026-11-16T18 Aaaa=16 Bbbb=16");
  EXPECT_THAT(read.skipped, ElementsAre(HasSubstr("f:11: its time, 2036-11-14T18:00:00Z, lies years ahead of all others")));
}

TEST(PassedOver, LastLooksYearsAheadAreNone) {
  const std::string head = " Tag  Type Allocs Frees Diff Bytes Per Alloc\n";
  const auto look = [&](const std::string& time, int bytes) {
    return time + " 18:00Z\n" + head + " Leak Nonp 9 1 8 " + std::to_string(bytes) + " 8\n";
  };
  std::string text = look("2026-11-03", 100) + look("2026-11-04", 101) + look("2026-11-05", 102);
  const auto read = test::read_text(text + look("2036-11-06", 103));
  EXPECT_THAT(looks_of(read), ElementsAre("2026-11-03T18 Leak=100", "2026-11-04T18 Leak=101", "2026-11-05T18 Leak=102 ?"));
  EXPECT_THAT(read.skipped, ElementsAre("f:10: its time, 2036-11-06T18:00:00Z, lies years ahead of all others, and is one of the last"));
  // A host that was recorded again years later.
  text += look("2036-11-06", 103) + look("2036-11-07", 104) + look("2036-11-08", 105) + look("2036-11-09", 106);
  EXPECT_EQ(test::read_text(text).snapshots.size(), 7U);
  EXPECT_EQ(test::read_text(text).skipped_count, 0U);
}

TEST(PassedOver, SumsOfSeveralRowsWithOneBrokenAreNone) {
  const std::string numbers = " 192 192 64 64 1 : tunables 0 0 0 : slabdata 3 3 0\n";
  const std::string other = " 256 256 64 64 1 : tunables 0 0 0 : slabdata 4 4 0\n";
  const std::string slabs = "2026-11-05 18:00Z\nslabinfo - version: 2.1\n# name <active_objs>\n";
  const std::string later = "2026-11-05 19:00Z\nslabinfo - version: 2.1\n# name <active_objs>\n";
  const auto slab = test::read_text(slabs + "dma" + numbers + "dma" + other + "one" + numbers + later + "dma" + numbers +
                                    "dma 256 256 64 64 1 : tunables 0 0 0 : sl@bdata 4 4 0\none" + numbers);
  EXPECT_THAT(looks_of(slab), ElementsAre("2026-11-05T18 dma=28672 one=12288", "2026-11-05T19 one=12288 ?"));

  const std::string alloc = "2026-11-05 18:00Z\nallocinfo - version: 1.0\n";
  EXPECT_THAT(looks_of(test::read_text(alloc + "8192 2 mm/slub.c:1 func:two\n10x4 1 mm/slub.c:2 func:two\n4096 1 a.c:1 func:one\n")),
              ElementsAre("2026-11-05T18 kernel:one:a.c=4096 ?"));

  const std::string area = "0xffffc90000000000-0xffffc90000003000 12288 ";
  EXPECT_THAT(looks_of(test::read_text("2026-11-05 18:00Z\n" + area + "two+0x1/0x2 pages=2 vmalloc\n" +
                                       "0xffffc90000000000-0xffffc90000003000 1x2 two+0x1/0x2 pages=2 vmalloc\n" + area +
                                       "one+0x1/0x2 pages=2 vmalloc\n")),
              ElementsAre("2026-11-05T18 one=12288 ?"));
  // It does not tell whose it was.
  EXPECT_THAT(looks_of(test::read_text("2026-11-05 18:00Z\n" + area + "two+0x1/0x2 pages=2 vmalloc\n" +
                                       "0xffffc90000000000-0xffffc90000\n" + area + "one+0x1/0x2 pages=2 vmalloc\n")),
              ElementsAre("2026-11-05T18 ?"));
}

}  // namespace
}  // namespace kmem::history
