#include "collectors/history/text_rows.h"

#include <gmock/gmock.h>

namespace kmem::history {
namespace {

struct RowCase {
  std::string line;
  RowKind kind;
  std::string reason;
};

TagUsage read_as_told(const RowCase& one) {
  TagUsage row;
  std::string reason;
  EXPECT_EQ(parse_poolmon_row(one.line, row, reason), one.kind) << one.line;
  EXPECT_EQ(reason, one.reason) << one.line;
  return row;
}

TEST(PoolmonRow, EveryWayToBreak) {
  const RowCase cases[] = {
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
  for (const RowCase& one : cases) read_as_told(one);
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

TEST(PoolmonRow, CellsThatTouch) {
  struct Touching {
    std::string line, tag;
    std::uint64_t allocations, frees, bytes;
  };
  const Touching parted[] = {
      // Diff and Bytes; Frees and Diff; Allocs and Frees; Bytes and Per Alloc; all of them.
      {" Leak Nonp  123456789 (   0)  123456788 (   0)         11234567890 (     0) 1234567890", "Leak", 123456789, 123456788,
       1234567890},
      {" Leak Nonp  123456789  123456788         11234567890 1234567890", "Leak", 123456789, 123456788, 1234567890},
      {" Leak Nonp  999999999  123456788876543211 1234567890          1", "Leak", 999999999, 123456788, 1234567890},
      {" Leak Nonp  123456789123456788         1 1234567890 1234567890", "Leak", 123456789, 123456788, 1234567890},
      {" Leak Nonp  123456789  123456788         1 12345678901234567890 [x.sys]", "Leak", 123456789, 123456788, 1234567890},
      {" Leak Nonp1234567890123456789 111111110112345678901 11", "Leak", 1234567890, 123456789, 12345678901},
      // The type, on either side.
      {" Leak Paged123456789 (   0)123456788 (   0)       1      96 (     0)     96", "Leak", 123456789, 123456788, 96},
      {" LeakNonp         14         5         9       900    100", "Leak", 14, 5, 900},
      {" LeakPaged123456789 123456788 1 96 96", "Leak", 123456789, 123456788, 96},
      // Nothing is alive.
      {" Leak Nonp  123456789123456789         0          0          0", "Leak", 123456789, 123456789, 0},
  };
  for (const Touching& one : parted) {
    TagUsage row;
    std::string reason;
    ASSERT_EQ(parse_poolmon_row(one.line, row, reason), RowKind::kRow) << one.line << reason;
    EXPECT_EQ(row.tag, one.tag) << one.line;
    EXPECT_EQ(row.pool, one.line.find("Paged") != std::string::npos ? Pool::kPaged : Pool::kNonpaged) << one.line;
    EXPECT_EQ(row.allocations, one.allocations) << one.line;
    EXPECT_EQ(row.frees, one.frees) << one.line;
    EXPECT_EQ(row.bytes, one.bytes) << one.line;
  }
  const RowCase refused[] = {
      // A cut row is none whose cells touch: 50 and 1 would be 501.
      {" Leak Nonp 100 50 50 501", RowKind::kBroken, "the row ends before Per Alloc"},
      {" Leak Nonp 123456789 123456788 1 1234567890", RowKind::kBroken, "the row ends before Per Alloc"},
      // No way keeps both, with a digit changed.
      {" Leak Nonp  123456789  123456788         21234567890 1234567890", RowKind::kBroken, "the row ends before Per Alloc"},
      {" Leak Nonp  123456789  123456788         11234567890 1234567891", RowKind::kBroken, "the row ends before Per Alloc"},
      // What changed stands behind Bytes, which cannot end before it.
      {" Leak Nonp  123456789 (   0)  123456788 (   0)         1 (    0) 12345678901234567890", RowKind::kBroken,
       "Bytes is not a number that fits"},
      {" Leak Nonp  0123456123456         0          0          0", RowKind::kBroken, "the row ends before Per Alloc"},
  };
  for (const RowCase& one : refused) EXPECT_EQ(read_as_told(one).tag, "Leak") << one.line;
}

TEST(PoolusedRow, BrokenAndOther) {
  const PoolusedColumns brief{{Pool::kNonpaged, Pool::kPaged}, false};
  std::vector<TagUsage> rows;
  std::string reason;
  EXPECT_EQ(parse_poolused_row(" Leak 14 x 0 0", brief, rows, reason), RowKind::kBroken);
  EXPECT_EQ(reason, "nonpaged Used is not a number that fits");
  for (const char* const touching :
       {" Leak 1234567812345678901          0            0\t12 x", " Leak 1123456789 0 0 12 x", " Leak 9 900 123456 0"}) {
    EXPECT_EQ(parse_poolused_row(touching, brief, rows, reason), RowKind::kBroken) << touching;
    EXPECT_THAT(reason, testing::EndsWith("paged Used is less than a byte an allocation, as where cells touch"));
  }
  EXPECT_EQ(parse_poolused_row(" Leak 9 900 0 0", brief, rows, reason), RowKind::kRow);
  EXPECT_EQ(parse_poolused_row("TOTAL 14 1 0 0", brief, rows, reason), RowKind::kOther);
  EXPECT_EQ(parse_poolused_row(" Leak", brief, rows, reason), RowKind::kOther);
  EXPECT_EQ(parse_poolused_row("", brief, rows, reason), RowKind::kOther);
  ASSERT_EQ(parse_poolused_row(" A 1  14 1400 2 32 x", brief, rows, reason), RowKind::kRow);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].tag, "A 1 ");
  EXPECT_EQ(rows[0].counter_bits, 0);
  EXPECT_EQ(rows[1].outstanding, 2U);
}

TEST(PoolusedRow, VerboseGroupsHaveFreesAndDiff) {
  const std::string header = " Tag    Allocs    Frees     Diff     Used   Allocs    Frees     Diff     Used";
  const auto columns = parse_poolused_header(header, "            NonPaged                              Paged");
  ASSERT_TRUE(columns);
  EXPECT_TRUE(columns->verbose);
  EXPECT_EQ(columns->pools, (std::vector{Pool::kNonpaged, Pool::kPaged}));
  std::vector<TagUsage> rows;
  std::string reason;
  ASSERT_EQ(parse_poolused_row(" Leak    91000    90000     1000  1024000        5        2        3       64", *columns, rows,
                               reason),
            RowKind::kRow);
  EXPECT_EQ(rows[0].bytes, 1'024'000U);
  EXPECT_EQ(rows[0].outstanding, 1000U);
  EXPECT_EQ(rows[0].allocations, 91'000U);
  EXPECT_EQ(rows[1].bytes, 64U);
  EXPECT_EQ(rows[1].frees, 2U);
  EXPECT_EQ(parse_poolused_row(" Leak 91000 90000 7 1024000 0 0 0 0", *columns, rows, reason), RowKind::kBroken);
  EXPECT_EQ(reason, "nonpaged Diff is not Allocs less Frees");
  // 3,000,000,000 as the debugger prints it with a sign.
  ASSERT_EQ(parse_poolused_row(" Leak 3000000000 0 -1294967296 96 0 0 0 0", *columns, rows, reason), RowKind::kRow);
  EXPECT_EQ(rows[0].outstanding, 3'000'000'000U);
  // NT 4 has one group, and its title says which.
  const auto one = parse_poolused_header("Tag Allocs Frees Diff Used", "     Paged");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->pools, std::vector{Pool::kPaged});
  EXPECT_TRUE(parse_poolused_header("Tag Allocs Frees Diff Used", "Sorting by Tag")->pools.empty());
  const auto swapped = parse_poolused_header(" Tag Allocs Used Allocs Used", "Paged NonPaged");
  ASSERT_TRUE(swapped);
  EXPECT_EQ(swapped->pools, (std::vector{Pool::kPaged, Pool::kNonpaged}));
  EXPECT_FALSE(parse_poolused_header(" Tag Type Allocs Used", ""));
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

TEST(ProcessRow, CellsThatTouch) {
  const auto columns = parse_process_header(
      "Process ID         Proc.Name Wrkng.Set PagedPool  NonPgdPl  Pagefile    Commit   Handles   Threads");
  ASSERT_TRUE(columns);
  struct Touching {
    const char* line;
    std::uint64_t pid;
    const char* name;
    std::uint64_t paged, nonpaged, handles;
  };
  const Touching cases[] = {
      {"000001A8        sqlservr.exe1437696000     90000     12000   3000000   3000000      2259        12", 0x1a8,
       "sqlservr.exe", 90'000, 12'000, 2259},
      {"000001A8averylongservice.exe1437696000143769600114376960021437696003   3000000      2259        12", 0x1a8,
       "averylongservice.exe", 1'437'696'001, 1'437'696'002, 2259},
      {"000001A8deadbeefdeadbeefdeadbeef.exe   1200000     90000     12000   3000000   3000000      2259        12", 0x1a8,
       "deadbeefdeadbeefdeadbeef.exe", 90'000, 12'000, 2259},
      {"00000000000001A8     service 12.exe   1200000     90000     12000   3000000   3000000      2259        12", 0x1a8,
       "service 12.exe", 90'000, 12'000, 2259},
      {"000001A8        sqlservr.exe14376960000     90000     12000   3000000   3000000      2259        12", 0x1a8,
       "sqlservr.exe", 90'000, 12'000, 2259},
      {"000001A8          service 12   1200000     90000     12000   3000000   3000000      2259        12", 0x1a8,
       "service 12", 90'000, 12'000, 2259},
      {"000001A8 svc.exe 1200000 90000 12000 3000000 3000000 2259 12", 0x1a8, "svc.exe", 90'000, 12'000, 2259},
      {"000001A8\tsvc.exe\t1200000\t90000\t12000\t3000000\t3000000\t2259\t12", 0x1a8, "svc.exe", 90'000, 12'000, 2259},
  };
  for (const Touching& one : cases) {
    ProcessUsage row;
    std::string reason;
    ASSERT_EQ(parse_process_row(one.line, *columns, row, reason), RowKind::kRow) << one.line << reason;
    EXPECT_EQ(row.pid, one.pid) << one.line;
    EXPECT_EQ(row.name, one.name) << one.line;
    EXPECT_EQ(row.paged_pool_bytes, one.paged) << one.line;
    EXPECT_EQ(row.nonpaged_pool_bytes, one.nonpaged) << one.line;
    EXPECT_EQ(row.handles, one.handles) << one.line;
  }
  for (const char* const line :
       {"000001A8 service 12 1200000 90000 12000 3000000 3000000 2259 12",  // one number too many
        "000001A8averylongservicename71437696000     90000     12000   3000000   3000000      2259        12",
        "000001A8        sqlservr.exe1437696000     90000     120003000000030000000001   3000000      2259        12"}) {
    ProcessUsage row;
    std::string reason;
    EXPECT_EQ(parse_process_row(line, *columns, row, reason), RowKind::kBroken) << line;
  }
}

}  // namespace
}  // namespace kmem::history
