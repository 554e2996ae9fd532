#include "collectors/history/text_rows.h"

#include <gtest/gtest.h>

namespace kmem::history {
namespace {

struct Case {
  std::string line;
  RowKind kind;
  std::string reason;
};

TEST(PoolmonRow, EveryWayToBreak) {
  const Case cases[] = {
      {" Leak Nonp", RowKind::kBroken, "the row ends before Allocs"},
      {" Leak Nonp 14", RowKind::kBroken, "the row ends before Frees"},
      {" Leak Nonp 14 ( 1", RowKind::kBroken, "Frees is not a number that fits"},
      {" Leak Nonp 14 ( x) 5", RowKind::kBroken, "Frees is not a number that fits"},
      {" Leak Nonp 14 5", RowKind::kBroken, "the row ends before Diff"},
      {" Leak Nonp 14 5 9", RowKind::kBroken, "the row ends before Bytes"},
      {" Leak Nonp 14 5 9 900", RowKind::kBroken, "the row ends before Per Alloc"},
      {" Leak Nonp 14 5 9 900 100x", RowKind::kBroken, "Per Alloc is not a number that fits"},
      {" Leak Nonp 1x4 5 9 900 100", RowKind::kBroken, "Allocs is not a number that fits"},
      {" Leak Nonp -14 5 9 900 100", RowKind::kBroken, "Allocs is not a number that fits"},
      {" Leak Nonp 18446744073709551616 5 9 900 100", RowKind::kBroken, "Allocs is not a number that fits"},
      {" Leak Nonp 14 5 9 -99999999999 100", RowKind::kBroken, "Bytes is not a number that fits"},
      {" Total Nonp 14 5 9 900 100", RowKind::kOther, ""},
      {" Leak Nope 14 5 9 900 100", RowKind::kOther, ""},
      {" Leak Pagedx 14 5 9 900 100", RowKind::kOther, ""},
      {"      Nonp 14 5 9 900 100", RowKind::kOther, ""},
      {"", RowKind::kOther, ""},
  };
  for (const Case& one : cases) {
    TagUsage row;
    std::string reason;
    EXPECT_EQ(parse_poolmon_row(one.line, row, reason), one.kind) << one.line;
    EXPECT_EQ(reason, one.reason) << one.line;
  }
}

TEST(PoolmonRow, TagsKeepTheirBlanks) {
  const std::pair<std::string, std::string> cases[] = {
      {" Irp  Nonp 14 5 9 900 100", "Irp "},  {" Mm   Nonp 14 5 9 900 100", "Mm  "},
      {"Irp Nonp 14 5 9 900 100", "Irp "},    {"     Irp  Nonp 14 5 9 900 100", "Irp "},
      {" A B  Nonp 14 5 9 900 100", "A B "},  {"  MSI Nonp 14 5 9 900 100", " MSI"},
      {" Nonp Paged 14 5 9 900 100", "Nonp"}, {"\tLeak\tnonp\t14\t5\t9\t900\t100", "Leak"},
  };
  for (const auto& [line, tag] : cases) {
    TagUsage row;
    std::string reason;
    ASSERT_EQ(parse_poolmon_row(line, row, reason), RowKind::kRow) << line << reason;
    EXPECT_EQ(row.tag, tag) << line;
    EXPECT_EQ(row.pool, line.find("Paged") != std::string::npos ? Pool::kPaged : Pool::kNonpaged);
    EXPECT_EQ(row.bytes, 900U);
    EXPECT_EQ(row.outstanding, 9U);
  }
}

TEST(PoolmonRow, CountersOver32BitsAreTakenAs64) {
  TagUsage row;
  std::string reason;
  ASSERT_EQ(parse_poolmon_row(" Leak Nonp 5000000000(  3)1000000000(2) -294967296 4000000000(9)1[x]", row, reason),
            RowKind::kRow);
  EXPECT_EQ(row.counter_bits, 64);
  EXPECT_EQ(row.outstanding, 4'000'000'000U);
  EXPECT_EQ(row.bytes, 4'000'000'000U);
}

TEST(PoolusedRow, BrokenAndOther) {
  TagUsage nonpaged;
  TagUsage paged;
  std::string reason;
  EXPECT_EQ(parse_poolused_row(" Leak 14 x 0 0", nonpaged, paged, reason), RowKind::kBroken);
  EXPECT_EQ(reason, "nonpaged Used is not a number that fits");
  EXPECT_EQ(parse_poolused_row("TOTAL 14 1 0 0", nonpaged, paged, reason), RowKind::kOther);
  EXPECT_EQ(parse_poolused_row(" Leak", nonpaged, paged, reason), RowKind::kOther);
  EXPECT_EQ(parse_poolused_row("", nonpaged, paged, reason), RowKind::kOther);
  ASSERT_EQ(parse_poolused_row(" A 1  14 1400 2 32 x", nonpaged, paged, reason), RowKind::kRow);
  EXPECT_EQ(nonpaged.tag, "A 1 ");
  EXPECT_EQ(nonpaged.counter_bits, 0);
  EXPECT_EQ(paged.outstanding, 2U);
}

TEST(ProcessRow, ColumnsComeFromTheHeader) {
  EXPECT_FALSE(parse_process_header(" Tag  Type Allocs"));
  EXPECT_FALSE(parse_process_header("Process ID Proc.Name"));
  const auto columns = parse_process_header("Process ID  Proc.Name Handles Threads User Gdi");
  ASSERT_TRUE(columns);
  EXPECT_EQ(columns->count, 4U);
  ProcessUsage row;
  std::string reason;
  ASSERT_EQ(parse_process_row("0x1F  a b.exe  7 1 2 3", *columns, row, reason), RowKind::kRow);
  EXPECT_EQ(row.pid, 31U);
  EXPECT_EQ(row.name, "a b.exe");
  EXPECT_EQ(row.handles, 7U);
  EXPECT_FALSE(row.paged_pool_bytes);
  EXPECT_FALSE(row.nonpaged_pool_bytes);
  EXPECT_EQ(parse_process_row("zz name 7 1 2 3", *columns, row, reason), RowKind::kOther);
  EXPECT_EQ(parse_process_row("1F name 7 1 2 x", *columns, row, reason), RowKind::kBroken);
}

}  // namespace
}  // namespace kmem::history
