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
  const auto read =
      test::read_text(kScript + row("2026-11-03T18", "Aaaa", 10) + row("2026-11-03T18", "Bbbb", 20) +
                      row("2026-11-04T18", "Aaaa", 11) + row("2036-11-04T18", "Bbbb", 21) + row("2026-11-05T18", "Aaaa", 12) +
                      row("2026-11-05T18", "Bbbb", 22) + row("2026-11-06T18", "Aaaa", 13));
  EXPECT_THAT(looks_of(read), ElementsAre("2026-11-03T18 Aaaa=10 Bbbb=20", "2026-11-04T18 Aaaa=11 ?",
                                          "2026-11-05T18 Aaaa=12 Bbbb=22 ?", "2026-11-06T18 Aaaa=13"));
  EXPECT_THAT(read.skipped, ElementsAre("f:5: its time lies far ahead of those above and below it"));
}

TEST(PassedOver, ARowInThePastIsLackedByTheLooksBesideIt) {
  const auto read = test::read_text(kScript + row("2026-11-03T18", "Aaaa", 10) + row("2026-11-03T18", "Bbbb", 20) +
                                    row("2026-11-04T18", "Aaaa", 11) + row("2016-11-04T18", "Bbbb", 21) +
                                    row("2026-11-05T18", "Aaaa", 12) + row("2026-11-05T18", "Bbbb", 22));
  EXPECT_THAT(looks_of(read),
              ElementsAre("2026-11-03T18 Aaaa=10 Bbbb=20", "2026-11-04T18 Aaaa=11 ?", "2026-11-05T18 Aaaa=12 Bbbb=22 ?"));
}

TEST(PassedOver, ATimeThatIsNotOneIsLackedByTheNextLookToo) {
  for (const std::string bad : {"2o26-11-04T18", "2016-11-04T18"}) {
    const auto script =
        test::read_text(kScript + row("2026-11-03T18", "Aaaa", 10) + row("2026-11-03T18", "Bbbb", 20) + row(bad, "Aaaa", 11) +
                        row("2026-11-04T18", "Bbbb", 21) + row("2026-11-05T18", "Bbbb", 22));
    EXPECT_THAT(looks_of(script),
                ElementsAre("2026-11-03T18 Aaaa=10 Bbbb=20 ?", "2026-11-04T18 Bbbb=21 ?", "2026-11-05T18 Bbbb=22"))
        << bad;
  }
  const auto csv =
      test::read_text("timestamp,pool,tag,bytes\n" + own("2026-11-03T18", "Aaaa", 10) + own("2026-11-03T18", "Bbbb", 20) +
                      own("2o26-11-04T18", "Aaaa", 11) + own("2026-11-04T18", "Bbbb", 21) + own("2026-11-05T18", "Bbbb", 22));
  EXPECT_THAT(looks_of(csv),
              ElementsAre("2026-11-03T18 Aaaa=10 Bbbb=20 ?", "2026-11-04T18 Bbbb=21 ?", "2026-11-05T18 Bbbb=22"));
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
  EXPECT_THAT(read.skipped,
              ElementsAre("f:10: its time, 2036-11-06T18:00:00Z, lies years ahead of all others, and is one of the last"));
  // A host that was recorded again years later.
  text += look("2036-11-06", 103) + look("2036-11-07", 104) + look("2036-11-08", 105) + look("2036-11-09", 106);
  EXPECT_EQ(test::read_text(text).snapshots.size(), 7U);
  EXPECT_EQ(test::read_text(text).skipped_count, 0U);
}

/// Of either order, without a mark.
std::string wide(const std::string& text, bool little) {
  std::string out;
  for (const char c : text) {
    if (little) out.append({c, '\0'});
    else out.append({'\0', c});
  }
  return out;
}

TEST(PassedOver, APlainPieceBetweenTextsOfUtf16LosesNothing) {
  const auto look = [](const std::string& day, int bytes) {
    return "2026-11-" + day + " 18:00Z\n Tag  Type Allocs Frees Diff Bytes Per Alloc\n Leak Nonp 9 1 8 " +
           std::to_string(bytes) + " 8\n";
  };
  const std::string one = look("05", 100), other = look("06", 101);
  for (const bool little : {true, false})
    for (const std::string mark : {"", little ? "\xff\xfe" : "\xfe\xff"})
      for (const std::string piece : {"", "\n", "\r\n", "hi\n", "---\n", "-----\n", "a longer line of another program\r\n"}) {
        const auto read = test::read_text(mark + wide(one, little) + piece + mark + wide(other, little));
        EXPECT_THAT(looks_of(read), ElementsAre("2026-11-05T18 Leak=100", "2026-11-06T18 Leak=101"))
            << little << mark.size() << piece;
      }
  const auto both = ElementsAre("2026-11-05T18 Leak=100", "2026-11-06T18 Leak=101");
  EXPECT_THAT(looks_of(test::read_text(one + "\xfe\xff" + wide(other, false))), both);
  EXPECT_THAT(looks_of(test::read_text(one + "\xff\xfe" + wide(other, true))), both);
  EXPECT_THAT(looks_of(test::read_text("\xff\xfe" + wide(one, true) + "\xfe\xff" + wide(other, false))), both);
}

TEST(PassedOver, LinesAboveDatesThatComeAgainTellHosts) {
  const auto hosts_of = [](const std::string& text) {
    test::MemoryFiles files;
    files.put("f", text);
    HistoryOptions options;
    options.all_hosts = true;
    std::vector<std::string> found;
    for (int looks = 0; looks < 2; ++looks) {
      found.clear();
      auto source = open_history(files, {"f"}, options);
      EXPECT_TRUE(source.ok());
      Snapshot snapshot;
      do {
        EXPECT_TRUE((*source)->read(snapshot).ok());
        found.push_back((*source)->host() + " " + std::to_string(snapshot.tags.empty() ? 0 : snapshot.tags[0].bytes));
      } while ((*source)->advance());
      EXPECT_TRUE(looks == 0 || (*source)->host().empty() || (*source)->skipped_count() == 0);
      options.learned = (*source)->learned();
    }
    return found;
  };
  const std::string table = ":00Z\n Tag  Type Allocs Frees Diff Bytes Per Alloc\n Leak Nonp 9 1 8 ";
  for (const auto& [one, other] :
       {std::pair("=== SRV1 ===", "=== SRV2 ==="), std::pair("SRV1", "SRV2"), std::pair("Computer: SRV1", "Computer: SRV2")})
    EXPECT_THAT(
        hosts_of(std::string(one) + "\n2026-11-05 18:00" + table + "100 8\n" + other + "\n2026-11-05 18:01" + table +
                 "500 8\n" + one + "\n2026-11-06 18:00" + table + "101 8\n" + other + "\n2026-11-06 18:01" + table + "501 8\n"),
        ElementsAre("SRV1 100", "SRV2 500", "SRV1 101", "SRV2 501"))
        << one;
  const std::string slab = " 192 192 64 64 1 : tunables 0 0 0 : slabdata 3 3 0\n", head = "slabinfo - version: 2.1\n";
  EXPECT_THAT(hosts_of("== h1 ==\n2026-11-05 18:00:00Z\n" + head + "dma" + slab + "== h2 ==\n2026-11-05 18:01:00Z\n" + head +
                       "dma" + slab + "== h1 ==\n2026-11-06 18:00:00Z\n" + head + "dma" + slab +
                       "== h2 ==\n2026-11-06 18:01:00Z\n" + head + "dma" + slab),
              ElementsAre("h1 12288", "h2 12288", "h1 12288", "h2 12288"));
  // Numbers of runs are no hosts, nor is one heading.
  EXPECT_THAT(hosts_of("Run1\n2026-11-05 18:00" + table + "100 8\nRun2\n2026-11-06 18:00" + table + "101 8\n"),
              ElementsAre(" 100", " 101"));
}

// Readings in another order than time's are read in that order by a second look.
TEST(PassedOver, RowsByTagAndOldBehindNewAreReadInOrderOfTime) {
  std::string by_tag, in_order, old_behind_new, ours, ours_in_order;
  for (const std::string tag : {"Aaaa", "Bbbb", "Cccc"})
    for (int day = 10; day < 18; ++day) {
      by_tag += row("2026-11-" + std::to_string(day) + "T18", tag, day);
      ours += own("2026-11-" + std::to_string(day) + "T18", tag, day);
    }
  const auto day_of = [&](int day, auto make) {
    std::string text;
    for (const std::string tag : {"Aaaa", "Bbbb", "Cccc"}) text += make("2026-11-" + std::to_string(day) + "T18", tag, day);
    return text;
  };
  for (int day = 10; day < 18; ++day) in_order += day_of(day, row), ours_in_order += day_of(day, own);
  for (const int day : {14, 15, 16, 17, 10, 11, 12, 13}) old_behind_new += day_of(day, row);
  const auto expected = looks_of(test::read_text(kScript + in_order));
  ASSERT_EQ(expected.size(), 8U);
  for (const std::string& text : {by_tag, old_behind_new}) {
    const auto read = test::read_text(kScript + text);
    EXPECT_EQ(looks_of(read), expected);
    EXPECT_EQ(read.skipped_count, 0U);
    EXPECT_THAT(read.warnings, Contains("f: its readings are not in order of time, which they are read in"));
  }
  const std::string head = "timestamp,pool,tag,bytes\n";
  EXPECT_EQ(looks_of(test::read_text(head + ours)), expected);
  EXPECT_EQ(looks_of(test::read_text(head + ours_in_order)), expected);
  // Two times alone, far from each other.
  const auto two = test::read_text(kScript + row("2026-11-03T18", "Aaaa", 1) + row("2026-11-10T18", "Aaaa", 2) +
                                   row("2026-11-03T18", "Bbbb", 3) + row("2026-11-10T18", "Bbbb", 4));
  EXPECT_THAT(looks_of(two), ElementsAre("2026-11-03T18 Aaaa=1 Bbbb=3", "2026-11-10T18 Aaaa=2 Bbbb=4"));
}

TEST(PassedOver, RowsThatAreMissingHereAndThereAreUnknown) {
  std::string text = "timestamp,pool,tag,bytes\n", whole = text;
  for (int day = 10; day < 28; ++day) {
    const std::string time = "2026-11-" + std::to_string(day) + "T18";
    for (int tag = 0; tag < 6; ++tag) {
      const std::string line = own(time, "Tag" + std::to_string(tag), 9000 + 100 * tag + day);
      if ((day * 7 + tag * 5) % 4 != 0) text += line;
      if (tag != 3 || day < 20) whole += line;
    }
  }
  const auto read = test::read_text(text);
  ASSERT_EQ(read.snapshots.size(), 18U);
  for (const Snapshot& snapshot : read.snapshots) EXPECT_TRUE(snapshot.gaps.has(Pool::kNonpaged));
  EXPECT_THAT(read.warnings, Contains(HasSubstr("rows are missing here and there")));
  // One that really goes is gone.
  const auto gone = test::read_text(whole);
  for (const Snapshot& snapshot : gone.snapshots) EXPECT_EQ(snapshot.gaps.pools, 0);
  EXPECT_TRUE(gone.warnings.empty());
}

TEST(PassedOver, ARowThatIsTheSumOfAllOthersIsNoTag) {
  std::string text = kScript;
  for (int day = 10; day < 13; ++day) {
    const std::string time = "2026-11-" + std::to_string(day) + "T18:00:00Z,";
    const std::string n = std::to_string(day);
    text += time + "Aaaa,10000,200" + n + "\n" + time + "Bbbb,20000,300" + n + "\n" + time + "Cccc,30000,500" + n + "\n" +
            time + "Dddd,0,7000\n" + time + "Alles,60000," + std::to_string(100000 + 3 * day + 7000) + "\n";
  }
  const auto read = test::read_text(text);
  ASSERT_EQ(read.snapshots.size(), 3U);
  for (const Snapshot& snapshot : read.snapshots) EXPECT_EQ(snapshot.tags.size(), 7U);
  EXPECT_THAT(read.warnings, Contains("f: rows of \"Alles\" are the sums of all others and so no tags; they are passed over"));
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
  EXPECT_THAT(
      looks_of(test::read_text(alloc + "8192 2 mm/slub.c:1 func:two\n10x4 1 mm/slub.c:2 func:two\n4096 1 a.c:1 func:one\n")),
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
