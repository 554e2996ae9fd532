// Lines that are cut, joined, or stand in the wrong place: what they told is used, or listed with line and cause.
#include <gmock/gmock.h>

#include "tests/collectors/history/read_history.h"

namespace kmem::history {
namespace {

using testing::Contains;
using testing::ElementsAreArray;
using testing::HasSubstr;

const std::string kDate = "2026-11-14 18:00Z\n";
const std::string kPoolsnap = " Tag  Type     Allocs     Frees      Diff     Bytes  Per Alloc";
const std::string kLeakRow = " Leak Nonp     1000      500     500    512000      1024";
const std::string kThreRow = " Thre Nonp       90       80      10     12160      1216";
const std::string kSlabinfoHead =
    "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables "
    "<limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>";
const std::string kDentry = "dentry 2000 2100 192 21 1 : tunables 0 0 0 : slabdata 100 100 0";
const std::string kFiles = "files 160 160 512 16 2 : tunables 0 0 0 : slabdata 10 10 0";
const std::string kSlabtopHead = "  OBJS ACTIVE  USE OBJ SIZE  SLABS OBJ/SLAB CACHE SIZE NAME";
const std::string kSlabtopDentry = " 2100 2000  95%    0.19K    100       21       400K dentry";
const std::string kSlabtopFiles = "  160  160 100%    0.50K     10       16        80K files";
const std::string kAllocinfoHead = "allocinfo - version: 1.0\n#     <size>  <calls> <tag info>\n";
const std::string kSite = "       40960       10 mm/slub.c:1879 func:alloc_slab_page\n";
const std::string kSiteRead = "allocinfo 'kernel:alloc_slab_page:mm/slub.c' 40960 10";
const std::string kVmBefore = "Debug session time: Sat Nov 14 18:00:00.000 2026 (UTC + 0:00)\n";
const std::string kUptime = "System Uptime: 1 days 2:00:00.000\n";
const std::string kVmNonpaged = "NonPagedPool Usage:           250 (       1000 Kb)\n";

struct Loss {
  std::string name, text;
  std::vector<std::string> tags;  // tags_of() the only or last snapshot; empty: not looked at
  std::string skipped;            // a part of one piece; empty: nothing is skipped
  std::uint64_t paged = 0;        // the whole pool; 0: not looked at
};
void PrintTo(const Loss& loss, std::ostream* out) { *out << loss.name; }

std::vector<Loss> losses() {
  const std::string row_in_heading = "a row stands behind the heading in one line";
  return {
      {"poolsnap's heading and first row",
       kDate + kPoolsnap + kLeakRow + "\n" + kThreRow + "\n",
       {"nonpaged 'Thre' 12160 10 32 90 80"},
       "f:2: " + row_in_heading},
      {"slabinfo's",
       kDate + kSlabinfoHead + kDentry + "\n" + kFiles + "\n",
       {"slab_unreclaimable 'files' 81920 160"},
       "f:3: " + row_in_heading},
      {"slabtop's",
       kDate + kSlabtopHead + kSlabtopDentry + "\n" + kSlabtopFiles + "\n",
       {"slab_unreclaimable 'files' 81920 160"},
       "f:2: " + row_in_heading},
      {"vmstat's",
       kDate + "Cache Num Total Size Pages dentry 2000 2100 192 21\nfiles 160 160 512 16\n",
       {"slab_unreclaimable 'files' 81920 160"},
       "f:2: " + row_in_heading},
      {"allocinfo's heading is cut", kDate + "allocinfo - \n#     <size>  <calls> <tag info>\n" + kSite, {kSiteRead}, ""},
      {"allocinfo's heading stands above its date",
       "allocinfo - version: 1.0\n" + kDate + "#     <size>  <calls> <tag info>\n" + kSite,
       {kSiteRead},
       ""},
      {"a row in allocinfo's heading",
       kDate + "allocinfo - version: 1.0\n#     <size>  <calls> <tag info>" + kSite,
       {},
       "f:3: " + row_in_heading},
      {"a row of vmstat behind its name",
       kDate + "Cache Num Total Size Pages\nfiles 160 160 512 16\ndentry      \n",
       {"slab_unreclaimable 'files' 81920 160"},
       "f:4: not a row of vmstat -m"},
      {"a row of slabtop above its heading",
       kDate + kSlabtopDentry + "\n" + kSlabtopHead + "\n" + kSlabtopFiles + "\n",
       {"slab_unreclaimable 'files' 81920 160"},
       "f:2: a row of slabtop, but not its heading above it"},
      {"a field of meminfo without its number",
       kDate + "MemTotal: 100 kB\nSReclaimable:     \nSUnreclaim: 300 kB\n",
       {},
       "f:3: not a row of /proc/meminfo"},
      {"two fields of meminfo in one line",
       kDate + "MemTotal: 100 kB\nMemFree:  12 kBSUnreclaim:  300 kB\nSReclaimable: 5 kB\n",
       {},
       "f:3: two rows in one line"},
      {"a row of allocinfo above its heading",
       kDate + "       81920       20 drivers/net/foo.c:10 [foo] func:bar\n" + kAllocinfoHead + kSite,
       {kSiteRead},
       "f:2: a row of /proc/allocinfo, but not its heading above it"},
      {"!vm cut",
       kVmBefore + kUptime + kVmNonpaged + "PagedPool Usage:            \n",
       {},
       "f:4: not a number of pages, and of Kb in brackets"},
      {"!vm's lines joined",
       kVmBefore + kUptime + kVmNonpaged +
           "NonPagedPool Max:  4294967296 (17179869184 Kb)PagedPool Usage:     50000 (     200000 Kb)\n",
       {},
       "",
       204'800'000},
      {"the uptime cut", kVmBefore + "System Uptime: 1 da\n" + kVmNonpaged, {}, "f:2: the uptime is not understood"},
      {"poolmon's head joined",
       kDate +
           " Memory: 8388148K Avail: 4000000K  PageFlts: 1   InRam Krnl: 1K P:200000K Commit:3000000K Limit:16000000K "
           "Peak:4000000K            Pool N:100000K P:210000K\n" +
           kPoolsnap + "\n" + kLeakRow + "\n",
       {"nonpaged 'Leak' 512000 500 32 1000 500"},
       "",
       215'040'000},
      {"poolmon's head cut",
       kDate + " Commit:3000000K Limit:16000000K Peak:400\n" + kPoolsnap + "\n" + kLeakRow + "\n",
       {"nonpaged 'Leak' 512000 500 32 1000 500"},
       "f:2: the line ends before the pools' totals"},
      {"a row above the heading of CSV",
       "2026-11-14T18:00:00Z,nonpaged,Thre,9\ntimestamp,pool,tag,bytes\n2026-11-14T18:00:00Z,nonpaged,Leak,8\n",
       {"nonpaged 'Leak' 8 ?"},
       "f:1: a row above the heading"},
      {"a row above a script's heading",
       "2026-11-14 18:00:00Z,Thre,9,9\nDateTime,Tag,PagedUsedBytes,NonPagedUsedBytes\n2026-11-14 18:00:00Z,Leak,0,8\n",
       {},
       "f:1: a row above the heading"},
      {"vmallocinfo's bytes without a digit",
       kDate + "0xffffb2c000000000-0xffffb2c000005000   2048 a+0x1/0x2 vmap\n0xffffb2c000005000-0xffffb2c000007000   8192 "
               "b+0x1/0x2 vmap\n",
       {},
       "f:2: its bytes are not what its addresses say"},
      {"vmallocinfo's hashed addresses say nothing",
       kDate + "0x000000002c000000-0x00000000cc005000   20480 a+0x1/0x2 vmap\n",
       {"vmalloc 'a' 20480 1"},
       ""},
      {"slabtop's size without a digit",
       kDate + kSlabtopHead + "\n 2100 2000  95%    0.19K    100       21       40K dentry\n" + kSlabtopFiles + "\n",
       {"slab_unreclaimable 'files' 81920 160"},
       "f:3: not a row of slabtop"},
      {"vmstat's objects without a digit",
       kDate + "Cache Num Total Size Pages\ndentry 2000 2100 192 2\nfiles 160 160 512 16\n",
       {"slab_unreclaimable 'files' 81920 160"},
       "f:3: its slabs would be less than half full"},
      {"rows of slabinfo twice",
       kDate + kSlabinfoHead + "\n" + kDentry + "\n" + kFiles + "\n" + kDentry + "\n" + kFiles + "\n",
       {"slab_reclaimable 'dentry' 409600 2000", "slab_unreclaimable 'files' 81920 160"},
       "f:6: rows that stand in this table already, in the same order"},
      {"another look of slabinfo without its date",
       kDate + kSlabinfoHead + "\n" + kDentry + "\n" + kFiles + "\nskb 16 16 256 16 1 : tunables 0 0 0 : slabdata 1 1 0\n" +
           "dentry 2050 2100 192 21 1 : tunables 0 0 0 : slabdata 100 100 0\n" + kFiles + "\n",
       {"slab_unreclaimable 'skb' 4096 16"},
       "f:8: the table begins again here without a date between"},
      {"rows of allocinfo twice",
       kDate + kAllocinfoHead + kSite + "  8192 2 mm/a.c:1 func:b\n" + kSite + "  8192 2 mm/a.c:1 func:b\n",
       {kSiteRead, "allocinfo 'kernel:b:mm/a.c' 8192 2"},
       "f:6: rows that stand in this table already"},
      {"an equal row alone is no copy",
       kDate + kAllocinfoHead + kSite + "  8192 2 mm/a.c:1 func:b\n  8192 2 mm/a.c:1 func:b\n  8192 2 mm/a.c:1 func:b\n",
       {kSiteRead, "allocinfo 'kernel:b:mm/a.c' 24576 6"},
       ""},
      {"two rows of slabinfo in one",
       kDate + kSlabinfoHead + "\nkmalloc-512 1000 1024 192 21 1 : tunables 0 0 0 : slabdata 1000 1000 0\n" + kFiles + "\n",
       {"slab_unreclaimable 'files' 81920 160"},
       "f:4: not a row of /proc/slabinfo"},
      {"slabinfo behind blanks",
       kDate + "    slabinfo - version: 2.1\n    " + kDentry + "\n    " + kFiles + "\n",
       {"slab_reclaimable 'dentry' 409600 2000", "slab_unreclaimable 'files' 81920 160"},
       ""},
      {"allocinfo behind blanks",
       kDate + "    allocinfo - version: 1.0\n    #     <size>  <calls> <tag info>\n    " + kSite,
       {kSiteRead},
       ""},
      {"a row of vmallocinfo without its addresses",
       kDate + "000005000   20480 irq_init+0xcf/0x100 vmap\n0xffffb2c000005000-0xffffb2c000006000    4096 a+0x1/0x2 vmap\n" +
           "0xffffb2c000006000-0xffffb2c000008000    8192 irq_init+0xcf/0x100 vmap\n",
       {"vmalloc 'a' 4096 1"},
       "f:2: a row of /proc/vmallocinfo without its addresses"},
      {"a reply's line behind allocinfo",
       kDate + kAllocinfoHead + kSite + "\nOn 2026-11-18 09:00:00 bob wrote:\n",
       {kSiteRead},
       "f:6: not a row of /proc/allocinfo"},
      {"slabtop cut by a terminal",
       kDate +
           " Active / Total Objects (% used) : 1 / 2 (95.3%)\n Active / Total Size (% used)       : 4352.00K / 4608.00K (9\n" +
           kSlabtopHead.substr(0, 60) + "\n" +
           " 21000  20000  95%    0.19K   1000       21      4000K dentr\n  160  160 100%    0.50K     10       16        80K files\n",
       {"slab_unreclaimable 'files' 81920 160"},
       "f:5: its name may be cut"},
      {"memsnap's heading cut, and a cell that touches",
       "Process ID         Proc.Name Wrkng.Set PagedPool  NonPgdPl  Pagefile\n!LogType=memsnap\n"
       "!SystemTime=11\\14\\2026 18:00:00.0000 (GMT)\n!TickCount=3600000\n"
       "000001a8        sqlservr.exe1437696000     90000     12000   3000000   3\n",
       {},
       "f:5: the process has not the 4 numbers of the header"},
      {"three decimals of bytes in perfmon",
       "\"(PDH-CSV 4.0) (UTC)(0)\",\"\\\\H\\Memory\\Pool Paged Bytes\"\n\"11/14/2026 18:00:00.000\",\"204.800\"\n"
       "\"11/14/2026 19:00:00.000\",\"204800.500\"\n\"11/14/2026 20:00:00.000\",\"999.000\"\n",
       {},
       "f:2: Memory\\Pool Paged Bytes \"204.800\" may part thousands or decimals",
       999},
      {"lines that cat ends",
       "timestamp,pool,tag,bytes$\n2026-11-14T18:00:00Z,nonpaged,Leak,7000$\n2026-11-14T18:00:00Z,nonpaged,CM31,9000$\n",
       {"nonpaged 'CM31' 9000 ?", "nonpaged 'Leak' 7000 ?"},
       ""},
      {"!poolused's bytes without a digit",
       kVmBefore + kUptime +
           "               NonPaged                  Paged\n Tag     Allocs         Used     Allocs         Used\n\n"
           " Leak      1000      102400          0            0\n CM31         0            0      10000      9000000\n\n"
           "TOTAL      1000      1024000      10000      9000000\n",
       {"paged 'CM31' 9000000 10000"},
       "f:9: the number of \"Leak\" may be cut"},
  };
}

class Losses : public testing::TestWithParam<Loss> {};

TEST_P(Losses, AreUsedOrListed) {
  const auto read = test::read_text(GetParam().text);
  if (GetParam().skipped.empty()) EXPECT_EQ(read.skipped, std::vector<std::string>());
  else if (!read.error.empty()) EXPECT_THAT(read.error, HasSubstr(GetParam().skipped));
  else EXPECT_THAT(read.skipped, Contains(HasSubstr(GetParam().skipped)));
  if (!GetParam().tags.empty()) {
    ASSERT_FALSE(read.snapshots.empty()) << read.error;
    EXPECT_THAT(test::tags_of(read.snapshots.back()), ElementsAreArray(GetParam().tags));
  }
  if (GetParam().paged == 0) return;
  ASSERT_FALSE(read.snapshots.empty()) << read.error;
  std::uint64_t paged = 0;
  for (const PoolTotals& pool : read.snapshots.back().pools)
    if (pool.pool == Pool::kPaged) paged = pool.bytes.value_or(0);
  EXPECT_EQ(paged, GetParam().paged);
}

INSTANTIATE_TEST_SUITE_P(Files, Losses, testing::ValuesIn(losses()), [](const auto& each) {
  std::string name;
  for (const char c : each.param.name)
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) name += c;
  return name;
});

TEST(LossesOfLists, TheLastOneCutBetweenRowsIsSaid) {
  std::string text = "timestamp,pool,tag,bytes\n";
  for (int hour = 10; hour < 14; ++hour)
    for (int tag = 0; tag < (hour == 13 ? 4 : 8); ++tag)
      text += "2026-11-14T" + std::to_string(hour) + ":00:00Z,nonpaged,T" + std::to_string(tag) + "," +
              std::to_string(9000 * (tag + 1)) + "\n";
  const auto read = test::read_text(text);
  ASSERT_EQ(read.snapshots.size(), 4U);
  EXPECT_TRUE(read.snapshots[3].gaps.has(Pool::kNonpaged));
  EXPECT_THAT(read.warnings, Contains(HasSubstr("its last list ends before rows that stood behind the others before")));
}

TEST(LossesOfLists, ATagThatTheLastOneLacksIsUnknownUnlessATotalFellWithIt) {
  const auto read = [](std::uint64_t total) {
    std::string text = "timestamp,pool,tag,bytes\n";
    for (int hour = 10; hour < 13; ++hour)
      for (int tag = 0; tag < 12; ++tag)
        if (hour < 12 || tag != 5)
          text += "2026-11-14T" + std::to_string(hour) + ":00:00Z,nonpaged,T" + std::to_string(tag) + ",900000\n";
    for (int hour = 10; total > 0 && hour < 13; ++hour)
      text += "2026-11-14T" + std::to_string(hour) + ":00:00Z,nonpaged,," + std::to_string(hour < 12 ? 10800000 : total) + "\n";
    return test::read_text(text);
  };
  for (const std::uint64_t total : {0U, 10800000U}) {
    const auto found = read(total);
    ASSERT_EQ(found.snapshots.size(), 3U);
    EXPECT_FALSE(found.snapshots[1].gaps.has(Pool::kNonpaged));
    EXPECT_TRUE(found.snapshots[2].gaps.has(Pool::kNonpaged)) << total;
    EXPECT_THAT(found.warnings, Contains(HasSubstr("its last list lacks a tag of much"))) << total;
  }
  const auto gone = read(9900000);
  ASSERT_EQ(gone.snapshots.size(), 3U);
  EXPECT_FALSE(gone.snapshots[2].gaps.has(Pool::kNonpaged));
  EXPECT_EQ(gone.warnings, std::vector<std::string>());
}

TEST(LossesOfColumns, OfThePoolThatHasNoOtherAreNamed) {
  for (const std::string unit : {"Avg", "Sectors", "Objects", "Kbit", "Max", "Prev"}) {
    const auto read =
        test::read_text("Time,Tag,NonPagedUsedBytes" + unit + ",PagedUsedBytes\n2026-11-14 18:00:00Z,Leak,77,5\n");
    EXPECT_THAT(read.warnings, Contains(HasSubstr("not understood: \"NonPagedUsedBytes" + unit + "\""))) << unit;
  }
}

}  // namespace
}  // namespace kmem::history
