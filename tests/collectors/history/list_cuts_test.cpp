// What a table lacks though it was not gone: rows that were refused, and lists that are cut or torn.
#include <gmock/gmock.h>

#include "tests/collectors/history/read_history.h"

namespace kmem::history {
namespace {

using testing::ElementsAre;

/// Of each snapshot, the pools whose lists have gaps; "+" with processes.
std::vector<std::string> gaps_of(const std::string& text) {
  std::vector<std::string> found;
  for (const Snapshot& snapshot : test::read_text(text).snapshots) {
    std::string names;
    for (std::size_t pool = 0; pool < kPoolCount; ++pool)
      if (snapshot.gaps.has(static_cast<Pool>(pool))) names += (names.empty() ? "" : " ") + std::string(kPoolNames[pool]);
    found.push_back(names + (snapshot.gaps.processes ? "+" : ""));
  }
  return found;
}

using Rows = std::vector<std::pair<std::string, int>>;

std::string poolmon(int hour, const Rows& rows, const std::string& more = "") {
  std::string text = "2026-11-05 1" + std::to_string(hour) + ":00:00Z\n Tag  Type Allocs Frees Diff Bytes Per Alloc\n";
  for (const auto& [tag, bytes] : rows) text += " " + tag + " Nonp 9 1 8 " + std::to_string(bytes) + " 8\n";
  return text + more;
}
std::string csv(const std::vector<Rows>& tables) {
  std::string text = "timestamp,pool,tag,bytes\n";
  std::size_t hour = 0;
  for (const Rows& rows : tables) {
    for (const auto& [tag, bytes] : rows)
      text += "2026-11-05T1" + std::to_string(hour) + ":00:00Z,nonpaged," + tag + "," + std::to_string(bytes) + "\n";
    ++hour;
  }
  return text;
}

const Rows kFive = {{"Leak", 900}, {"CM31", 500}, {"MmSt", 300}, {"Irp ", 200}, {"File", 100}};

TEST(ListCuts, ARefusedRowIsAGapOfItsTableAlone) {
  EXPECT_THAT(gaps_of(poolmon(0, kFive) + poolmon(1, kFive, " Thre Nonp 9 1 8 12x4 8\n") + poolmon(2, kFive)),
              ElementsAre("", testing::StartsWith("paged nonpaged"), ""));
  EXPECT_THAT(gaps_of(poolmon(0, kFive) + poolmon(1, kFive, " Thre Nonp 9\n")),
              ElementsAre("", testing::StartsWith("paged nonpaged")));
  EXPECT_THAT(gaps_of("timestamp,pool,tag,bytes\n2026-11-05T10:00:00Z,nonpaged,A,1\n2026-11-05T10:00:00Z,nonpaged,B,x\n"
                      "2026-11-05T11:00:00Z,nonpaged,B,x\n2026-11-05T11:00:00Z,nonpaged,A,1\n"
                      "2026-11-05T12:00:00Z,nonpaged,A,1\n2026-11-05T12:00:00Z,nonpaged,A,1\n"
                      "2026-11-05T13:00:00Z,nonpaged,A,1\n2026-11-05T13:00:00Z,nonpa\n"),
              ElementsAre("nonpaged", "nonpaged", "", testing::StartsWith("paged nonpaged")));
  EXPECT_THAT(
      gaps_of("DateTime,Tag,PagedUsedBytes,NonPagedUsedBytes\n2026-11-05 10:00,Leak,1,2\n2026-11-05 10:00,CM31,1,x\n"
              "2026-11-05 11:00,Leak,1,2\n2026-11-05 11:00,CM31,1,2\n2026-11-05 12:00,Leak,1,2\n2026-11-05 12:00,CM31,1\n"),
      ElementsAre("nonpaged", "", "paged nonpaged"));
  EXPECT_THAT(gaps_of("2026-11-05T10:00:00Z\nslabinfo - version: 2.1\ndentry 1 2 192 21 1 : tunables 0 0 0 : slabdata 1 1 0\n"
                      "inode_cache 1 2 x 21 1 : tunables 0 0 0 : slabdata 1 1 0\n0x0-0x1 8192 a+0x1/0x2 vmalloc\n"),
              ElementsAre("slab_reclaimable slab_unreclaimable"));
  EXPECT_THAT(gaps_of("\"(PDH-CSV 4.0) (UTC)(0)\",\"\\\\H\\Process(a)\\Handle Count\",\"\\\\H\\Process(b)\\Handle Count\"\n"
                      "\"11/05/2026 10:00:00.000\",\"5\",\"7\"\n\"11/05/2026 11:00:00.000\",\"5\",\"x\"\n"),
              ElementsAre("", "+"));
}

TEST(ListCuts, SlabtopSaysHowManyCachesThereAre) {
  const std::string head =
      "2026-11-05T10:00:00Z\n Active / Total Objects (% used)    : 1 / 2 (50.0%)\n"
      " Active / Total Caches (% used)     : 2 / 2 (100.0%)\n  OBJS ACTIVE  USE OBJ SIZE  SLABS OBJ/SLAB CACHE SIZE NAME\n";
  const std::string one = "    42     40  95%    0.19K      2       21         8K dentry\n";
  const std::string two = "    16     16 100%    0.50K      1       16         8K kmalloc-512\n";
  EXPECT_THAT(gaps_of(head + one + two), ElementsAre(""));
  EXPECT_THAT(gaps_of(head + one), ElementsAre("slab_reclaimable slab_unreclaimable"));
}

TEST(ListCuts, AsManyRowsEachTimeAndOthersAreACutList) {
  const Rows first = {{"A", 900}, {"B", 500}, {"C", 300}, {"D", 200}};
  const Rows second = {{"A", 900}, {"B", 510}, {"C", 300}, {"E", 210}};
  const std::string cut = "paged nonpaged";
  // Where D has fallen below the end it stays unknown, however long nothing else moves.
  EXPECT_THAT(gaps_of(csv({first, first, second, second, first})), ElementsAre("", "", cut, cut, cut));
  // By name, on the first page of a screen.
  const Rows page = {{"Aa", 5}, {"Bb", 9000}, {"Cc", 80}, {"Dd", 70}};
  const Rows pushed = {{"Aa", 5}, {"Ab", 6}, {"Bb", 9000}, {"Cc", 80}};
  EXPECT_THAT(gaps_of(csv({page, pushed, pushed, page})), ElementsAre("", cut, cut, cut));
  // More rows than ever: whole, as far as anything tells.
  Rows more = first;
  more.push_back({"F", 1});
  EXPECT_THAT(gaps_of(csv({first, second, more})), ElementsAre("", cut, ""));
}

TEST(ListCuts, WhatVanishesFromAWholeTableIsGone) {
  const Rows without_last(kFive.begin(), kFive.end() - 1);
  Rows without_second = kFive;
  without_second.erase(without_second.begin() + 1);
  EXPECT_THAT(gaps_of(csv({kFive, without_last, kFive})), ElementsAre("", "", ""));
  EXPECT_THAT(gaps_of(csv({kFive, without_second, without_second})), ElementsAre("", "", ""));
  // One goes that held much, another comes.
  Rows replaced = without_second;
  replaced.push_back({"New ", 50});
  EXPECT_THAT(gaps_of(csv({kFive, replaced, replaced})), ElementsAre("", "", ""));
}

TEST(ListCuts, ARowWhoseCountsProveThatItWasThereIsUnknownWhereItIsMissing) {
  const auto look = [](int hour, const std::vector<std::string>& rows) {
    std::string text;
    for (const std::string& row : rows) text += "2026-11-05T1" + std::to_string(hour) + ":00:00Z,nonpaged," + row + "\n";
    return text;
  };
  const std::string head = "timestamp,pool,tag,bytes,allocs,frees\n", a = "Aaaa,900,1000,100", c = "Cccc,700,800,100";
  const std::string before = head + look(0, {a, "Bbbb,800,900,100", c}) + look(1, {a, c}) + look(2, {a, c});
  EXPECT_THAT(gaps_of(before + look(3, {a, "Bbbb,820,920,100", c})), ElementsAre("", "paged nonpaged", "paged nonpaged", ""));
  // All of it may have been freed.
  EXPECT_THAT(gaps_of(before + look(3, {a, "Bbbb,820,1720,900", c})), ElementsAre("", "", "", ""));
  // Another boot's counts.
  EXPECT_THAT(gaps_of(before + look(3, {a, "Bbbb,820,825,5", c})), ElementsAre("", "", "", ""));
}

TEST(ListCuts, AllocinfoListsRowsOfNothingToo) {
  const auto look = [](int hour, const std::string& rows) {
    return "2026-11-05T1" + std::to_string(hour) + ":00:00Z\nallocinfo - version: 1.0\n# <size> <calls> <tag info>\n" + rows;
  };
  const std::string a = " 4096 1 mm/a.c:1 func:a\n", b = " 8192 2 mm/b.c:2 func:b\n",
                    c = " 4096 1 drivers/c.c:3 [mod] func:c\n";
  EXPECT_THAT(gaps_of(look(0, a + b + c) + look(1, a + c) + look(2, a + c) + look(3, a + b + c)),
              ElementsAre("", "allocinfo", "allocinfo", ""));
  EXPECT_THAT(gaps_of(look(0, a + b + c) + look(1, a + " 0 0 mm/b.c:2 func:b\n" + c)), ElementsAre("", ""));
  EXPECT_THAT(gaps_of(look(0, a + c) + look(1, c)), ElementsAre("", "allocinfo"));
  // Its module is gone; of one row that cannot be told.
  const std::string d = " 4096 1 drivers/d.c:4 [mod] func:d\n";
  EXPECT_THAT(gaps_of(look(0, a + b + c + d) + look(1, a + b) + look(2, a + b)), ElementsAre("", "", ""));
  EXPECT_THAT(gaps_of(look(0, a + b + c) + look(1, a + b)), ElementsAre("", "allocinfo"));
}

TEST(ListCuts, ATableThatIsTornAtTheFilesEndHasGaps) {
  const Rows torn(kFive.begin(), kFive.begin() + 2);
  EXPECT_THAT(gaps_of(csv({kFive, kFive, torn})), ElementsAre("", "", "paged nonpaged"));
  EXPECT_THAT(gaps_of(csv({kFive, torn, torn})), ElementsAre("", "", ""));
}

}  // namespace
}  // namespace kmem::history
