#include "exporter/trend/subject.h"

#include <gmock/gmock.h>

#include "exporter/trend/engine.h"

namespace kmem::trend {
namespace {

constexpr base::UnixMillis kHour = 3'600'000, kFirst = 1'700'000'000'000;
constexpr std::string_view kCacheSite = "vmlinux:__filemap_get_folio:mm/filemap.c";
constexpr std::string_view kDriverSite = "nvme:nvme_alloc:drivers/nvme/host/core.c";

TEST(TrendSubject, NamesStandForTheirKindsAndVerdictsAndBack) {
  EXPECT_EQ(kind_name(Kind::kTag), "tag");
  EXPECT_EQ(kind_name(Kind::kPool), "pool");
  EXPECT_EQ(kind_name(Kind::kSystemPtes), "system_ptes");
  EXPECT_EQ(kind_name(Kind::kCommit), "commit");
  EXPECT_EQ(kind_name(Kind::kHandles), "handles");
  EXPECT_EQ(kind_name(Kind::kAvailable), "available_memory");
  EXPECT_EQ(kind_name(Kind::kCommitLimit), "commit_limit");
  EXPECT_TRUE(is_room(Kind::kCommitLimit) && is_room(Kind::kAvailable) && !is_room(Kind::kSystemPtes));
  EXPECT_TRUE(counts_down(Kind::kAvailable) && counts_down(Kind::kSystemPtes));
  EXPECT_FALSE(counts_down(Kind::kCommit) || counts_down(Kind::kPool));
  EXPECT_EQ(pool_name_of(Kind::kTag, Pool::kNonpaged), "nonpaged");
  EXPECT_EQ(pool_name_of(Kind::kCommit, Pool::kNonpaged), "");
  EXPECT_EQ(verdict_name(Verdict::kLeak), "leak");
  EXPECT_EQ(verdict_word(Verdict::kLeak), "LEAK");
  EXPECT_EQ(verdict_word(Verdict::kOk), "ok");
  for (std::size_t i = 0; i < kVerdictCount; ++i)
    EXPECT_EQ(parse_verdict(verdict_name(static_cast<Verdict>(i))), static_cast<Verdict>(i));
  EXPECT_EQ(parse_verdict("LEAK"), std::nullopt);
  EXPECT_EQ(parse_verdict(""), std::nullopt);
}

TEST(TrendSubject, WhatTheKernelTakesBackByItselfIsNoLeak) {
  EXPECT_TRUE(may_leak(Kind::kTag, Pool::kNonpaged, "Leak"));
  EXPECT_TRUE(may_leak(Kind::kTag, Pool::kSlabUnreclaimable, "kmalloc-64"));
  EXPECT_FALSE(may_leak(Kind::kTag, Pool::kSlabReclaimable, "dentry"));
  EXPECT_FALSE(may_leak(Kind::kPool, Pool::kSlabReclaimable, ""));
  EXPECT_TRUE(may_leak(Kind::kTag, Pool::kAllocinfo, kDriverSite));
  EXPECT_FALSE(may_leak(Kind::kTag, Pool::kAllocinfo, kCacheSite));
  EXPECT_FALSE(may_leak(Kind::kTag, Pool::kAllocinfo, "xfs:xfs_inode_alloc:fs/xfs/xfs_icache.c"));
  EXPECT_TRUE(may_leak(Kind::kTag, Pool::kPercpu, kCacheSite)) << "no site, whatever it is called";
  for (std::size_t i = 0; i < kKindCount; ++i)
    EXPECT_EQ(counts_bytes(static_cast<Kind>(i)),
              static_cast<Kind>(i) != Kind::kSystemPtes && static_cast<Kind>(i) != Kind::kHandles);
  // A process may be called anything, and commit has no pool.
  EXPECT_TRUE(may_leak(Kind::kHandles, Pool::kAllocinfo, "odd:mm/name (7)"));
  EXPECT_TRUE(may_leak(Kind::kCommit, Pool::kSlabReclaimable, ""));
}

TEST(TrendSubject, APoolFollowsTheTagsOfItsOwn) {
  EXPECT_TRUE(follows(Kind::kPool, Pool::kPaged, Kind::kTag, Pool::kPaged));
  EXPECT_FALSE(follows(Kind::kPool, Pool::kPaged, Kind::kTag, Pool::kNonpaged));
  EXPECT_FALSE(follows(Kind::kTag, Pool::kPaged, Kind::kTag, Pool::kPaged));
  EXPECT_FALSE(follows(Kind::kPool, Pool::kPaged, Kind::kPool, Pool::kPaged));
  EXPECT_FALSE(follows(Kind::kCommit, Pool::kPaged, Kind::kTag, Pool::kPaged));
}

/// Four weeks by the hour in which everything grows alike, and the pools with it.
void grow(TrendEngine& engine, Pool pool, std::string_view tag) {
  for (int hour = 0; hour < 28 * 24; ++hour) {
    const std::uint64_t bytes = 1'000'000 + static_cast<std::uint64_t>(hour) * 10'240;
    const std::vector<Sample> samples = {{Kind::kPool, pool, {}, 2 * bytes, {}, 1e9},
                                         {Kind::kTag, pool, tag, bytes, {}, {}},
                                         {Kind::kTag, pool, kDriverSite, bytes, {}, {}}};
    engine.observe({kFirst + hour * kHour, kFirst - kHour, samples});
  }
  engine.settle();
}

TEST(TrendEngineVerdict, OfWhatCannotLeakIsOkHoweverItGrows) {
  TrendEngine engine;
  grow(engine, Pool::kSlabReclaimable, "dentry");
  EXPECT_THAT(engine.report(false), testing::IsEmpty());
  for (const SubjectReport& report : engine.report(true)) {
    EXPECT_EQ(report.verdict, Verdict::kOk) << report.text;
    EXPECT_FALSE(report.may_leak);
    EXPECT_EQ(report.confidence, 0);
    EXPECT_EQ(report.credible_slope_per_second, 0);
    EXPECT_EQ(report.since, std::nullopt);
    EXPECT_EQ(report.first_detected, std::nullopt);
    EXPECT_EQ(report.exhaustion.has_value(), false) << "it ends nothing";
    EXPECT_NEAR(report.slope_7d_per_second.value(), (report.kind == Kind::kPool ? 2 : 1) * 10'240 / 3600.0, 0.01)
        << "its growth is told as it is";
  }
  for (const Outline& outline : engine.outlines()) EXPECT_EQ(outline.verdict, Verdict::kOk);

  TrendEngine sites;
  grow(sites, Pool::kAllocinfo, kCacheSite);
  EXPECT_EQ(sites.find(Kind::kTag, Pool::kAllocinfo, kCacheSite)->verdict, Verdict::kOk);
  EXPECT_EQ(sites.find(Kind::kTag, Pool::kAllocinfo, kDriverSite)->verdict, Verdict::kLeak);
}

/// Older programs judged everything and left it to their readers to look away.
TEST(TrendEngineVerdict, OfAnOlderStateIsTakenBackWhereNothingCanLeak) {
  TrendEngine engine;
  grow(engine, Pool::kNonpaged, "dentry");
  ASSERT_EQ(engine.find(Kind::kTag, Pool::kNonpaged, "dentry")->verdict, Verdict::kLeak);
  std::string state = engine.save();
  // The same bytes with the pool of a reclaimable cache: kind, pool and verdict lead each subject.
  const std::string from = {'\0', static_cast<char>(Pool::kNonpaged), static_cast<char>(Verdict::kLeak)};
  const std::string text = "dentry";
  const std::size_t name = state.find(text);
  ASSERT_NE(name, std::string::npos);
  const std::size_t at = state.rfind(from, name);
  ASSERT_LT(name - at, 16U);
  state[at + 1] = static_cast<char>(Pool::kSlabReclaimable);

  TrendEngine later;
  ASSERT_TRUE(later.load(state).ok());
  const SubjectReport report = later.find(Kind::kTag, Pool::kSlabReclaimable, text).value();
  EXPECT_EQ(report.verdict, Verdict::kOk);
  EXPECT_EQ(report.confidence, 0);
  EXPECT_EQ(report.first_detected, std::nullopt);
  EXPECT_EQ(later.find(Kind::kTag, Pool::kNonpaged, kDriverSite)->verdict, Verdict::kLeak) << "the others stand";
}

}  // namespace
}  // namespace kmem::trend
