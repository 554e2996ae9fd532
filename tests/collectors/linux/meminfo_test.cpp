#include "collectors/linux/meminfo.h"

#include <gtest/gtest.h>

namespace kmem::linux {
namespace {

std::optional<std::uint64_t> pool_bytes(const Snapshot& snapshot, Pool pool) {
  for (const PoolTotals& totals : snapshot.pools)
    if (totals.pool == pool) return totals.bytes;
  return std::nullopt;
}

TEST(Meminfo, EveryFieldGoesToItsPlaceInBytes) {
  Snapshot out;
  const auto skipped = parse_meminfo(
      "MemTotal:       24684092 kB\nMemFree:        1 kB\nMemAvailable:   24365316 kB\nBuffers: 2232 kB\n"
      "Cached:            45240 kB\nSwapCached:            7 kB\nActive(anon):       1568 kB\nKReclaimable:      93000 "
      "kB\n"
      "Slab:             117796 kB\nSReclaimable:      93464 kB\nSUnreclaim:        24332 kB\nKernelStack:        1540 "
      "kB\n"
      "PageTables:         2556 kB\nSecPageTables:         9 kB\nCommitLimit:    12342044 kB\nCommitted_AS:      71760 "
      "kB\n"
      "VmallocTotal:   34359738367 kB\nVmallocUsed:       14396 kB\nVmallocChunk:          0 kB\nPercpu:              "
      "688 kB\n"
      "HugePages_Total:       3\nHugepagesize:       2048 kB\n",
      out);
  ASSERT_TRUE(skipped);
  EXPECT_EQ(*skipped, 0U);
  EXPECT_EQ(out.pools.size(), 4U);
  EXPECT_EQ(pool_bytes(out, Pool::kSlabReclaimable), 93464U * 1024);
  EXPECT_EQ(pool_bytes(out, Pool::kSlabUnreclaimable), 24332U * 1024);
  EXPECT_EQ(pool_bytes(out, Pool::kVmalloc), 14396U * 1024);
  EXPECT_EQ(pool_bytes(out, Pool::kPercpu), 688U * 1024);
  EXPECT_EQ(out.physical_memory_bytes, 24684092ULL * 1024);
  EXPECT_EQ(out.available_bytes, 24365316ULL * 1024);
  EXPECT_EQ(out.file_cache_bytes, 45240U * 1024);
  EXPECT_EQ(out.kernel_stack_bytes, 1540U * 1024);
  EXPECT_EQ(out.page_table_bytes, 2556U * 1024);
  EXPECT_EQ(out.commit_limit_bytes, 12342044ULL * 1024);
  EXPECT_EQ(out.commit_bytes, 71760U * 1024);
  EXPECT_FALSE(out.commit_peak_bytes);
}

const PoolLimit* pool_limit(const Snapshot& snapshot, Pool pool) {
  for (const PoolTotals& totals : snapshot.pools)
    if (totals.pool == pool) return totals.limit ? &*totals.limit : nullptr;
  return nullptr;
}

TEST(MeminfoLimits, SlabAgainstMemoryVmallocAgainstTheSmallerOfMemoryAndAddressSpace) {
  constexpr std::string_view kUse = "SReclaimable: 1 kB\nSUnreclaim: 2 kB\nVmallocUsed: 3 kB\nPercpu: 4 kB\n";
  Snapshot wide;  // 64 bit: 32 TiB of address space
  ASSERT_TRUE(parse_meminfo("MemTotal: 1000 kB\nVmallocTotal: 34359738367 kB\n" + std::string(kUse), wide));
  for (const Pool pool : {Pool::kSlabReclaimable, Pool::kSlabUnreclaimable, Pool::kVmalloc}) {
    ASSERT_NE(pool_limit(wide, pool), nullptr);
    EXPECT_EQ(pool_limit(wide, pool)->bytes, 1000U * 1024);
    EXPECT_EQ(pool_limit(wide, pool)->source, "kernel");
    EXPECT_EQ(pool_limit(wide, pool)->rule, "MemTotal");
  }
  EXPECT_EQ(pool_limit(wide, Pool::kPercpu), nullptr);

  Snapshot narrow;  // 32 bit: 120 MiB
  ASSERT_TRUE(parse_meminfo("MemTotal: 4000000 kB\nVmallocTotal: 122880 kB\n" + std::string(kUse), narrow));
  EXPECT_EQ(pool_limit(narrow, Pool::kVmalloc)->bytes, 122'880U * 1024);
  EXPECT_EQ(pool_limit(narrow, Pool::kVmalloc)->rule, "VmallocTotal");
  EXPECT_EQ(pool_limit(narrow, Pool::kSlabUnreclaimable)->rule, "MemTotal");

  Snapshot unknown;
  ASSERT_TRUE(parse_meminfo(kUse, unknown));
  EXPECT_EQ(pool_limit(unknown, Pool::kSlabUnreclaimable), nullptr);
  EXPECT_EQ(pool_limit(unknown, Pool::kVmalloc), nullptr);
}

TEST(Meminfo, WhatAnOldKernelDoesNotTellIsAbsent) {
  Snapshot out;
  // Linux 4.4 .. 5.2: a constant 0; MemAvailable came with 3.14, Percpu with 4.20.
  ASSERT_TRUE(parse_meminfo("MemTotal: 100 kB\nCached: 0 kB\nSUnreclaim: 5 kB\nVmallocUsed: 0 kB\n", out));
  EXPECT_EQ(pool_bytes(out, Pool::kVmalloc), std::nullopt);
  EXPECT_EQ(pool_bytes(out, Pool::kPercpu), std::nullopt);
  EXPECT_EQ(out.available_bytes, std::nullopt);
  EXPECT_EQ(out.file_cache_bytes, 0U);  // a real 0 stays
}

TEST(Meminfo, FieldsInAnyOrderAndBadOnesAreCounted) {
  Snapshot out;
  const auto skipped = parse_meminfo(
      "Percpu: 2 kB\nMemTotal: 9 kB\nCached: -1 kB\nPageTables: 3\nKernelStack: 18014398509481984 kB\nCommitLimit: 4 "
      "kB x",
      out);
  ASSERT_TRUE(skipped);
  EXPECT_EQ(*skipped, 4U);  // sign, no unit, more than 64 bits of bytes, something behind
  EXPECT_EQ(out.physical_memory_bytes, 9U * 1024);
  EXPECT_EQ(pool_bytes(out, Pool::kPercpu), 2U * 1024);
  EXPECT_FALSE(out.file_cache_bytes || out.page_table_bytes || out.kernel_stack_bytes || out.commit_limit_bytes);
}

TEST(Meminfo, TextOfAnotherFileIsRefused) {
  for (const std::string_view text : {"", "\n\n", "slabinfo - version: 2.1\n", "MemTotal 5 kB\n", "memtotal: 5 kB\n"}) {
    Snapshot out;
    const auto result = parse_meminfo(text, out);
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().code, base::ErrorCode::kMalformed);
    EXPECT_TRUE(out.pools.empty());
  }
}

}  // namespace
}  // namespace kmem::linux
