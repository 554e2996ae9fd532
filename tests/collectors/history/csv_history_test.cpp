#include <gmock/gmock.h>

#include "tests/collectors/history/read_history.h"

namespace kmem::history {
namespace {

using test::read_fixture;
using test::read_text;
using test::tags_of;
using test::totals_of;
using test::WholeHistory;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr base::UnixMillis kMayDayAt6 = 1'714'543'200'000;   // 2024-05-01T06:00:00Z
constexpr base::UnixMillis kSeptember9 = 1'000'000'000'000;  // 2001

TEST(CsvHistory, ColumnsInAnyOrderQuotesTotalsAndZones) {
  const WholeHistory found = read_fixture("history.csv");
  ASSERT_EQ(found.snapshots.size(), 3U) << found.error;
  EXPECT_EQ(found.snapshots[0].time, kMayDayAt6);
  EXPECT_EQ(found.snapshots[0].system, System::kWindows);
  EXPECT_EQ(found.snapshots[0].boot_time, 1'714'435'200'000);
  EXPECT_THAT(tags_of(found.snapshots[0]), ElementsAre("nonpaged 'Irp ' 4096 15 64 25 10"));
  EXPECT_THAT(totals_of(found.snapshots[0]),
              ElementsAre(Pair("commit", 13'105'000'000), Pair("commit.limit", 33'000'000'000), Pair("nonpaged.allocations", 9),
                          Pair("nonpaged.bytes", 1'000'000), Pair("nonpaged.frees", 7), Pair("paged.bytes", 2'000'000),
                          Pair("ptes", 33444)));
  EXPECT_EQ(found.snapshots[1].time, kMayDayAt6 + 500);
  EXPECT_FALSE(found.snapshots[1].boot_time);
  EXPECT_THAT(tags_of(found.snapshots[1]), ElementsAre("paged 'Leak' 8192 ?"));
  EXPECT_THAT(totals_of(found.snapshots[1]), IsEmpty());
  EXPECT_EQ(found.snapshots[2].time, 1'714'546'800'250);
  EXPECT_EQ(found.snapshots[2].boot_time, 1'714'435'200'000);
  EXPECT_THAT(tags_of(found.snapshots[2]), ElementsAre("nonpaged 'Irp ' 4097 15 64 26 10", "paged 'Live' 64 3"));
  EXPECT_THAT(found.skipped, IsEmpty());
}

TEST(CsvHistory, LinuxPools) {
  const WholeHistory found = read_text(
      "timestamp,pool,tag,bytes\n1000000001,slab_unreclaimable,kmalloc-64,5\n1000000001,SLAB_RECLAIMABLE,dentry,6\n1000000001,vmalloc,x,7\n"
      "1000000001,percpu,,8\n1000000001,allocinfo,\"mm/a.c:1 f\",9\n");
  ASSERT_EQ(found.snapshots.size(), 1U) << found.error;
  EXPECT_EQ(found.snapshots[0].system, System::kLinux);
  EXPECT_THAT(tags_of(found.snapshots[0]), ElementsAre("allocinfo 'mm/a.c:1 f' 9 ?", "slab_reclaimable 'dentry' 6 ?",
                                                       "slab_unreclaimable 'kmalloc-64' 5 ?", "vmalloc 'x' 7 ?"));
  EXPECT_THAT(totals_of(found.snapshots[0]), ElementsAre(Pair("percpu.bytes", 8)));
}

TEST(CsvHistory, EveryBrokenRowSaysWhyAndLosesNothingElse) {
  const std::pair<std::string, std::string> cases[] = {
      {"1000000010,page,Leak,1,,,,", "pool \"page\" is not known; did you mean paged?"},
      {"1000000010,disk,Leak,1,,,,", "pool \"disk\" is not known"},
      {"1000000010,paged,Leak,,,,,", "bytes is empty"},
      {"1000000010,paged,Leak,-1,,,,", "bytes \"-1\" is not a count"},
      {"1000000010,paged,Leak,1e40,,,,", "bytes \"1e40\" is not a count"},
      {"1000000010,paged,Leak,nan,,,,", "bytes \"nan\" is not a count"},
      {"1000000010,paged,Leak,1,x,,,", "allocs \"x\" is not a count"},
      {"1000000010,paged,Leak,1,,x,,", "frees \"x\" is not a count"},
      {"1000000010,paged,Leak,1,,,x,", "outstanding \"x\" is not a count"},
      {"1000000010,paged,Leak,1,,,,x", "boot_time \"x\" is neither RFC 3339 nor Unix seconds"},
      {"1000000010,system_ptes,Leak,1,,,,", "system_ptes has no tags"},
      {",paged,Leak,1,,,,", "timestamp is empty"},
      {"noon,paged,Leak,1,,,,", "timestamp \"noon\" is neither RFC 3339 nor Unix seconds"},
      {"2024-05-01T06:00:00,paged,Leak,1,,,,", "timestamp \"2024-05-01T06:00:00\" has no zone; write Z or an offset behind it"},
      {"2024-02-30T06:00:00Z,paged,Leak,1,,,,", "timestamp \"2024-02-30T06:00:00Z\" is no time that exists"},
      {"2024-05-01T06:00:00CET,paged,Leak,1,,,,", "timestamp \"2024-05-01T06:00:00CET\" has a zone that is not understood"},
      {"1714543200000,paged,Leak,1,,,,", "timestamp \"1714543200000\" is neither RFC 3339 nor Unix seconds"},
      {"1000000010,paged,Leak,1,,,", "7 fields where the header has 8"},
      {"1000000010,paged,\"Leak,1,,,,", "a quote is not closed on its line"},
      {"1000000010,paged,\"Leak\"x,1,,,,", "text follows a closing quote"},
      {"1000000010,paged,Good,5,,,,", "the snapshot has this tag already"},
      {"1000000010,paged,,5,,,,", "the snapshot has this total already"},
      {"1000000010,paged," + std::string(257, 't') + ",1,,,,", "a tag longer than 256 bytes"},
      {"1000000010,paged," + std::string(65'536, 't') + ",1,,,,", "longer than 65536 bytes"},
  };
  for (const auto& [row, reason] : cases) {
    const WholeHistory found = read_text(
        "timestamp,pool,tag,bytes,allocs,frees,outstanding,boot_time\n"
        "1000000010,paged,Good,4,,,,\n1000000010,paged,,9,,,,\n" +
        row + "\n1000000010,paged,Last,6,,,,\n");
    ASSERT_EQ(found.snapshots.size(), 1U) << row << found.error;
    EXPECT_THAT(tags_of(found.snapshots[0]), ElementsAre("paged 'Good' 4 ?", "paged 'Last' 6 ?")) << row;
    EXPECT_THAT(found.skipped, ElementsAre("f:4: " + reason)) << row;
  }
}

TEST(CsvHistory, RowsMayBeOutOfOrderALittle) {
  const WholeHistory found = read_text(
      "timestamp,pool,tag,bytes\n1000000020,paged,A,1\n1000000010,paged,A,2\n1000000020,paged,B,3\n1000000030,paged,A,4\n1000000040,paged,A,5\n1000000050,paged,A,6\n"
      "1000000015,paged,A,10\n1000000060,paged,A,7\n1000000010,paged,B,8\n1000000005,paged,A,9\n");
  std::vector<base::UnixMillis> times;
  for (const Snapshot& snapshot : found.snapshots) times.push_back(snapshot.time);
  EXPECT_THAT(times, ElementsAre(kSeptember9 + 10'000, kSeptember9 + 15'000, kSeptember9 + 20'000, kSeptember9 + 30'000,
                                 kSeptember9 + 40'000, kSeptember9 + 50'000, kSeptember9 + 60'000));
  EXPECT_THAT(tags_of(found.snapshots[2]), ElementsAre("paged 'A' 1 ?", "paged 'B' 3 ?"));
  EXPECT_THAT(found.skipped,
              ElementsAre("f:10: timestamp \"1000000010\" goes back more than 4 snapshots; sort the rows by timestamp",
                          "f:11: timestamp \"1000000005\" goes back more than 4 snapshots; sort the rows by timestamp"));
}

TEST(CsvHistory, FilesPutOneBehindAnother) {
  const WholeHistory found =
      read_text("timestamp,pool,tag,bytes\n1000000010,paged,A,1\n\ntimestamp,tag,pool,bytes,allocs\n1000000020,A,paged,2,\n");
  ASSERT_EQ(found.snapshots.size(), 2U);
  EXPECT_THAT(tags_of(found.snapshots[1]), ElementsAre("paged 'A' 2 ?"));
  EXPECT_THAT(found.skipped, IsEmpty());
}

TEST(CsvHistory, RowsOfASnapshotAreBounded) {
  std::string text = "timestamp,pool,tag,bytes\n";
  for (int i = 0; i < 65'537; ++i) text += "1000000010,paged,t" + std::to_string(i) + ",1\n";
  const WholeHistory found = read_text(text + "1000000020,paged,t,1\n");
  ASSERT_EQ(found.snapshots.size(), 2U);
  EXPECT_EQ(found.snapshots[0].tags.size(), 65'536U);
  EXPECT_THAT(found.skipped, ElementsAre("f:65538: too many rows in one snapshot"));
}

TEST(CsvHistory, AHeaderThatCannotBeUsedSaysWhy) {
  const auto error = [](const std::string& text) { return read_text(text).error; };
  EXPECT_EQ(error("timestmp,pool,tag,bytes\n"),
            "no usable history: f:1: no column timestamp, but \"timestmp\"; timestamp, pool, tag and bytes are needed");
  EXPECT_EQ(error("timestamp,pool,tag\n"),
            "no usable history: f:1: no column bytes; timestamp, pool, tag and bytes are needed");
  EXPECT_EQ(error("timestamp,pool,tag,bytes,bytes\n"), "no usable history: f:1: two columns are named bytes");
  EXPECT_EQ(error("timestamp,pool,tag,bytes\nx,paged,A,1\n"),
            "no usable history: f:2: timestamp \"x\" is neither RFC 3339 nor Unix seconds; nothing usable is in this "
            "file");
}

TEST(CsvHistory, BlanksAroundTagsAreTheKernelsInWindowsPoolsAlone) {
  const WholeHistory found = read_text(
      "timestamp,pool,tag,bytes\n1000000001,nonpaged, Ab ,1\n1000000001,slab_unreclaimable, ab ,2\n1000000001,vmalloc, x ,3\n");
  ASSERT_EQ(found.snapshots.size(), 1U) << found.error;
  EXPECT_THAT(tags_of(found.snapshots[0]),
              ElementsAre("nonpaged 'Ab  ' 1 ?", "slab_unreclaimable 'ab' 2 ?", "vmalloc 'x' 3 ?"));
}

TEST(CsvHistory, ATagOfBlanksAloneIsThePoolsTotal) {
  const WholeHistory found = read_text("timestamp,pool,tag,bytes\n2026-11-14T18:00:00Z , paged ,  , 20480000\n");
  ASSERT_EQ(found.snapshots.size(), 1U) << found.error;
  EXPECT_TRUE(found.snapshots[0].tags.empty());
  EXPECT_THAT(totals_of(found.snapshots[0]), ElementsAre(testing::Pair("paged.bytes", 20'480'000)));
}

TEST(CsvHistory, AHostsNameHasABound) {
  const std::string longest(256, 'h');
  const WholeHistory found = read_text("timestamp,pool,tag,bytes,host\n1000000001,paged,Leak,1," + longest +
                                       "\n1000000001,paged,Leak,2," + longest + "h\n");
  ASSERT_EQ(found.snapshots.size(), 1U) << found.error;
  EXPECT_THAT(tags_of(found.snapshots[0]), ElementsAre("paged 'Leak' 1 ?"));
  EXPECT_THAT(found.skipped, ElementsAre("f:3: a host longer than 256 bytes"));
}

// Refused before the first row of their time: more than there is room for, and what begins behind them may lack a row.
TEST(CsvHistory, RefusedRowsOfTimesToComeHaveABound) {
  const auto gaps_behind = [](int refused) {
    std::string text = "timestamp,pool,tag,bytes,host\n";
    for (int i = 0; i < refused; ++i) text += std::to_string(1'000'000'000 + i) + ",paged,Leak,many,a\n";
    const WholeHistory found = read_text(text + "1000000000,paged,Leak,1,a\n1500000000,paged,Leak,1,a\n");
    EXPECT_EQ(found.snapshots.size(), 2U) << found.error;
    EXPECT_TRUE(found.snapshots.at(0).gaps.has(Pool::kPaged));
    return found.snapshots.at(1).gaps.has(Pool::kPaged);
  };
  EXPECT_FALSE(gaps_behind(4096));
  EXPECT_TRUE(gaps_behind(4097));
}

// Rows that wait have a bound, whichever way times go: hosts whose rows came long ago are given before their window is full.
TEST(CsvHistory, ManyHostsOfManyTags) {
  constexpr int kHosts = 20, kTags = 1000;
  const auto rows = [](int hour) {
    std::string text;
    for (int host = 0; host < kHosts; ++host)
      for (int tag = 0; tag < kTags; ++tag)
        text += std::to_string(1'000'000'000 + 3600 * hour) + ",paged,T" + std::to_string(tag) + "," + std::to_string(tag + 1) +
                ",h" + std::to_string(host) + "\n";
    return text;
  };
  HistoryOptions options;
  options.all_hosts = true;
  for (const std::vector<int>& hours : {std::vector<int>{0, 1, 2, 3, 4, 5}, {5, 4, 3, 2, 1, 0}}) {
    std::string text = "timestamp,pool,tag,bytes,host\n";
    for (const int hour : hours) text += rows(hour);
    test::MemoryFiles files;
    files.put("f", text);
    const WholeHistory found = test::read_history(files, {"f"}, options);
    EXPECT_THAT(found.skipped, IsEmpty());
    ASSERT_EQ(found.snapshots.size(), 6U * kHosts) << found.error;
    for (std::size_t i = 0; i < found.snapshots.size(); ++i) {
      ASSERT_EQ(found.snapshots[i].tags.size(), std::size_t{kTags});
      EXPECT_EQ(found.snapshots[i].time, kSeptember9 + static_cast<base::UnixMillis>(i / kHosts) * 3'600'000);
    }
  }
}

}  // namespace
}  // namespace kmem::history
