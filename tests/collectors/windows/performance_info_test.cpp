#include "collectors/windows/performance_info.h"

#include <gtest/gtest.h>

#include "tests/collectors/windows/nt_bytes.h"

namespace kmem::windows {
namespace {

using test::NtBytes;

/// A kernel that counts everything: each field gets a value of its own.
NtBytes full(std::size_t size = 312) {
  NtBytes bytes(size);
  for (std::size_t at = 0; at + 4 <= size; at += 4) bytes.put(at, static_cast<std::uint32_t>(1'000'000 + at));
  return bytes;
}

PerformanceInfo parse_good(const NtBytes& bytes) {
  const auto info = parse_performance(bytes.span());
  EXPECT_TRUE(info.ok());
  return info ? *info : PerformanceInfo{};
}

TEST(PerformanceInfo, EveryFieldIsReadFromItsPlace) {
  const PerformanceInfo info = parse_good(full());
  EXPECT_EQ(info.available_pages, 1'000'044u);
  EXPECT_EQ(info.committed_pages, 1'000'048u);
  EXPECT_EQ(info.commit_limit_pages, 1'000'052u);
  EXPECT_EQ(info.commit_peak_pages, 1'000'056u);
  EXPECT_EQ(info.free_system_ptes, 1'000'136u);
  EXPECT_TRUE(info.has_pools);
  EXPECT_EQ(info.paged.pages, 1'000'112u);
  EXPECT_EQ(info.paged.resident_pages, 1'000'168u);
  EXPECT_EQ(info.paged.allocations, 1'000'120u);
  EXPECT_EQ(info.paged.frees, 1'000'124u);
  EXPECT_EQ(info.paged.lookaside_hits, 1'000'156u);
  EXPECT_EQ(info.nonpaged.pages, 1'000'116u);
  EXPECT_EQ(info.nonpaged.resident_pages, std::nullopt);
  EXPECT_EQ(info.nonpaged.allocations, 1'000'128u);
  EXPECT_EQ(info.nonpaged.frees, 1'000'132u);
  EXPECT_EQ(info.nonpaged.lookaside_hits, 1'000'152u);
}

TEST(PerformanceInfo, LateFieldsExistOnlyWithinTheLengthGiven) {
  for (const std::size_t size : {312u, 328u, 344u, 367u})
    EXPECT_EQ(parse_good(full(size)).system_page_table_pages, std::nullopt) << size;
  NtBytes bytes = full(376);
  bytes.put(360, std::uint64_t{4321});
  EXPECT_EQ(parse_good(bytes).system_page_table_pages, 4321u);
  EXPECT_EQ(parse_good(full(1000)).free_system_ptes, 1'000'136u);  // a kernel of tomorrow
}

TEST(PerformanceInfo, CachesDriversAndWhatNewerKernelsAdd) {
  PerformanceInfo info = parse_good(full());
  EXPECT_EQ(info.resident_code_pages, 1'000'140u);
  EXPECT_EQ(info.driver_pages, 1'000'144u);
  EXPECT_EQ(info.resident_cache_pages, 1'000'164u);
  EXPECT_EQ(info.resident_driver_pages, 1'000'172u);
  EXPECT_EQ(info.dirty_cache_pages, std::nullopt);
  NtBytes bytes = full(376);
  for (const std::size_t at : {312u, 328u, 336u, 344u, 352u, 368u}) bytes.put(at, std::uint64_t{at});
  info = parse_good(bytes);
  EXPECT_EQ(info.dirty_cache_pages, 312u);
  EXPECT_EQ(info.resident_available_pages, 328u);
  EXPECT_EQ(info.shared_commit_pages, 336u);
  EXPECT_EQ(info.mdl_pages, 344u);
  EXPECT_EQ(info.pfn_database_pages, 352u);
  EXPECT_EQ(info.contiguous_pages, 368u);
  bytes.put(328, std::int64_t{-5});  // more is promised than there is
  EXPECT_EQ(parse_good(bytes).resident_available_pages, std::nullopt);
  EXPECT_EQ(parse_good(full(375)).contiguous_pages, std::nullopt);
}

TEST(PerformanceInfo, TooShortIsMalformed) {
  for (const std::size_t size : {0u, 4u, 311u}) {
    const auto info = parse_performance(full(size).span());
    ASSERT_FALSE(info.ok()) << size;
    EXPECT_EQ(info.error().code, base::ErrorCode::kMalformed);
  }
  EXPECT_EQ(parse_performance(NtBytes(311).span()).error().message, "performance information of 311 bytes");
}

TEST(PerformanceInfo, ConstantZerosOfWineAreNoFigures) {
  NtBytes bytes(312);
  bytes.put(44, std::uint32_t{500'000}).put(48, std::uint32_t{100'000}).put(52, std::uint32_t{900'000});
  const PerformanceInfo info = parse_good(bytes);
  EXPECT_EQ(info.available_pages, 500'000u);
  EXPECT_EQ(info.committed_pages, 100'000u);
  EXPECT_EQ(info.commit_limit_pages, 900'000u);
  EXPECT_FALSE(info.has_pools);
  EXPECT_EQ(info.commit_peak_pages, std::nullopt);
  EXPECT_EQ(info.free_system_ptes, std::nullopt);
  EXPECT_EQ(info.paged.pages, std::nullopt);
  EXPECT_EQ(info.paged.allocations, std::nullopt);
  EXPECT_EQ(info.nonpaged.lookaside_hits, std::nullopt);
}

TEST(PerformanceInfo, AnySingleFigureMakesItAKernelWithPools) {
  for (const std::size_t offset : {56u, 112u, 116u, 120u, 124u, 128u, 132u, 136u, 152u, 156u, 168u}) {
    NtBytes bytes(312);
    bytes.put(offset, std::uint32_t{1});
    EXPECT_TRUE(parse_good(bytes).has_pools) << offset;
  }
}

TEST(PerformanceInfo, PtesAndResidentPagesThatAKernelDoesNotCountAreAbsent) {
  NtBytes bytes = full();
  bytes.put(136, std::uint32_t{0}).put(168, std::uint32_t{0});
  const PerformanceInfo info = parse_good(bytes);
  EXPECT_EQ(info.free_system_ptes, std::nullopt);
  EXPECT_EQ(info.paged.resident_pages, std::nullopt);
  EXPECT_EQ(info.paged.pages, 1'000'112u);
}

TEST(PerformanceInfo, ACounterThatJustWrappedTo0IsARealZero) {
  NtBytes bytes = full();
  bytes.put(120, std::uint32_t{0}).put(156, std::uint32_t{0});
  const PerformanceInfo info = parse_good(bytes);
  EXPECT_EQ(info.paged.allocations, 0u);
  EXPECT_EQ(info.paged.frees, 1'000'124u);
  EXPECT_EQ(info.paged.lookaside_hits, 0u);
}

TEST(PerformanceInfo, CountersThatAreZeroTogetherAreNotKept) {
  NtBytes bytes = full();
  bytes.put(128, std::uint32_t{0}).put(132, std::uint32_t{0}).put(152, std::uint32_t{0}).put(156, std::uint32_t{0});
  const PerformanceInfo info = parse_good(bytes);
  EXPECT_EQ(info.nonpaged.allocations, std::nullopt);
  EXPECT_EQ(info.nonpaged.frees, std::nullopt);
  EXPECT_EQ(info.paged.lookaside_hits, std::nullopt);
  EXPECT_EQ(info.nonpaged.lookaside_hits, std::nullopt);
  EXPECT_EQ(info.paged.allocations, 1'000'120u);
}

TEST(PerformanceInfo, NothingButZerosGivesNothing) {
  const PerformanceInfo info = parse_good(NtBytes(312));
  EXPECT_EQ(info.available_pages, std::nullopt);
  EXPECT_EQ(info.committed_pages, std::nullopt);
  EXPECT_EQ(info.commit_limit_pages, std::nullopt);
}

}  // namespace
}  // namespace kmem::windows
