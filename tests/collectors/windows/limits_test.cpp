// The published tables, row by row, and what goes before them.
#include "collectors/windows/limits.h"

#include <gtest/gtest.h>

#include <string>

namespace kmem::windows {
namespace {

constexpr std::uint64_t kMebibyte = 1ULL << 20, kGiB = 1ULL << 30, kTiB = 1ULL << 40;

LimitFacts machine(Machine width, std::uint32_t major, std::uint32_t minor, std::uint64_t memory,
                   std::uint64_t commit_limit = 0) {
  LimitFacts facts;
  facts.system = {major, minor, 9600, width, false};
  facts.physical_bytes = memory;
  facts.commit_limit_bytes = commit_limit != 0 ? commit_limit : memory * 2;
  return facts;
}
LimitFacts x86(std::uint32_t major, std::uint32_t minor, std::uint64_t memory, std::uint64_t commit_limit = 0) {
  return machine(Machine::kX86, major, minor, memory, commit_limit);
}
LimitFacts x64(std::uint32_t major, std::uint32_t minor, std::uint64_t memory, std::uint64_t commit_limit = 0) {
  return machine(Machine::kX64, major, minor, memory, commit_limit);
}

std::uint64_t nonpaged(const LimitFacts& facts) { return pool_limits(facts).nonpaged.value_or(PoolLimit{}).bytes; }
std::uint64_t paged(const LimitFacts& facts) { return pool_limits(facts).paged.value_or(PoolLimit{}).bytes; }

// --- nonpaged pool, table of "Pushing the Limits of Windows"

TEST(NonpagedLimit, Xp2003On32Bit) {
  // Up to 1.2 GB of memory 32 to 256 MB, above 256 MB; 128 MB on a machine of 512 MB, and with /3GB.
  for (const auto& [major, minor] : {std::pair(5U, 0U), std::pair(5U, 1U), std::pair(5U, 2U)}) {
    EXPECT_EQ(nonpaged(x86(major, minor, 64 * kMebibyte)), 32 * kMebibyte);
    EXPECT_EQ(nonpaged(x86(major, minor, 512 * kMebibyte)), 128 * kMebibyte);
    EXPECT_EQ(nonpaged(x86(major, minor, 1229 * kMebibyte)), 256 * kMebibyte);
    EXPECT_EQ(nonpaged(x86(major, minor, 2 * kGiB)), 256 * kMebibyte);
    EXPECT_EQ(nonpaged(x86(major, minor, 64 * kGiB)), 256 * kMebibyte);
  }
  std::uint64_t last = 0;
  for (std::uint64_t memory = 64 * kMebibyte; memory <= 2 * kGiB; memory += 8 * kMebibyte) {
    const std::uint64_t bytes = nonpaged(x86(5, 2, memory));
    EXPECT_GE(bytes, last) << memory;
    EXPECT_LE(bytes, 256 * kMebibyte);
    last = bytes;
  }
  LimitFacts three_gb = x86(5, 1, 2 * kGiB);
  three_gb.user_bytes = 3 * kGiB;
  EXPECT_EQ(nonpaged(three_gb), 128 * kMebibyte);
}

TEST(NonpagedLimit, Xp2003On64Bit) {
  EXPECT_EQ(nonpaged(x64(5, 2, 2 * kGiB)), 2048ULL * 400 * 1024);
  EXPECT_EQ(nonpaged(x64(5, 2, kTiB)), 128 * kGiB);
}

TEST(NonpagedLimit, Vista2008Windows7And2008R2) {
  for (const std::uint32_t minor : {0U, 1U}) {
    EXPECT_EQ(nonpaged(x86(6, minor, 2 * kGiB)), 1536 * kMebibyte);
    EXPECT_EQ(nonpaged(x86(6, minor, 64 * kGiB)), 2 * kGiB);
    EXPECT_EQ(nonpaged(x64(6, minor, 8 * kGiB)), 6 * kGiB);
    EXPECT_EQ(nonpaged(x64(6, minor, kTiB)), 128 * kGiB);
  }
}

TEST(NonpagedLimit, Windows8And2012) {
  EXPECT_EQ(nonpaged(x86(6, 2, 2 * kGiB)), 1536 * kMebibyte);
  EXPECT_EQ(nonpaged(x86(6, 2, 16 * kGiB)), 2 * kGiB);
  // The table says twice the memory, the vendor's says the memory, which nonpaged pool can never be larger than.
  EXPECT_EQ(nonpaged(x64(6, 2, 8 * kGiB)), 8 * kGiB);
  EXPECT_EQ(nonpaged(x64(6, 2, kTiB)), 128 * kGiB);
}

TEST(NonpagedLimit, OtherVersions) {
  EXPECT_EQ(nonpaged(x86(4, 0, 256 * kMebibyte)), 128 * kMebibyte);
  for (const auto& [major, minor] : {std::pair(6U, 3U), std::pair(10U, 0U)}) {
    EXPECT_EQ(nonpaged(x64(major, minor, 256 * kGiB)), 256 * kGiB);
    EXPECT_EQ(nonpaged(x64(major, minor, 24 * kTiB)), 16 * kTiB);
  }
  EXPECT_EQ(nonpaged(x86(10, 0, 4 * kGiB)), 2 * kGiB);
}

// --- paged pool, the other table

TEST(PagedLimit, Xp2003On32Bit) {
  // "up to 491 MB" and "up to 650 MB": what the registry's maximum gives. 2000 up to 470.
  for (const auto& [minor, most] :
       {std::pair(0U, 470 * kMebibyte), std::pair(1U, 491 * kMebibyte), std::pair(2U, 650 * kMebibyte)}) {
    LimitFacts facts = x86(5, minor, 4 * kGiB);
    facts.settings.paged_pool_size = 0xFFFFFFFF;
    EXPECT_EQ(paged(facts), most) << minor;
    EXPECT_EQ(pool_limits(facts).paged->source, "registry");
    EXPECT_EQ(pool_limits(facts).paged->rule, "PagedPoolSize");
    // Untuned it is less; published: 360 MB on XP with 2 GB.
    for (const std::uint64_t memory : {256 * kMebibyte, kGiB, 2 * kGiB, 4 * kGiB, 64 * kGiB})
      EXPECT_LE(paged(x86(5, minor, memory)), most);
  }
  EXPECT_EQ(paged(x86(5, 1, 2 * kGiB)), 360 * kMebibyte);
  EXPECT_EQ(pool_limits(x86(5, 1, 2 * kGiB)).paged->source, "estimate");
  EXPECT_EQ(pool_limits(x86(5, 1, 2 * kGiB)).paged->rule, "xp_x86");
  EXPECT_EQ(paged(x86(5, 0, 2 * kGiB)), 340 * kMebibyte);
  EXPECT_EQ(paged(x86(5, 0, 512 * kMebibyte)), 264 * kMebibyte);
  EXPECT_EQ(paged(x86(5, 2, 4 * kGiB)), 352 * kMebibyte);
  EXPECT_EQ(paged(x86(5, 2, kGiB)), 168 * kMebibyte);
  LimitFacts three_gb = x86(5, 2, 4 * kGiB);
  three_gb.user_bytes = 2900 * kMebibyte;  // /3GB /USERVA=2900
  EXPECT_EQ(paged(three_gb), 158 * kMebibyte);
}

TEST(PagedLimit, Xp2003On64Bit) {
  // Exactly four times the nonpaged limit, or 128 GB.
  EXPECT_EQ(paged(x64(5, 2, 2 * kGiB, 16 * kGiB)), 4 * nonpaged(x64(5, 2, 2 * kGiB)));
  EXPECT_EQ(paged(x64(5, 2, kTiB)), 128 * kGiB);
}

TEST(PagedLimit, Vista2008Windows7And2008R2) {
  for (const std::uint32_t minor : {0U, 1U}) {
    EXPECT_EQ(paged(x86(6, minor, 8 * kGiB)), 2 * kGiB);
    EXPECT_EQ(paged(x86(6, minor, 512 * kMebibyte, 1200 * kMebibyte)), 1200 * kMebibyte);
    EXPECT_EQ(paged(x64(6, minor, 8 * kGiB, 16 * kGiB)), 16 * kGiB);
    EXPECT_EQ(paged(x64(6, minor, kTiB)), 128 * kGiB);
  }
}

TEST(PagedLimit, Windows8And2012) {
  EXPECT_EQ(paged(x86(6, 2, 512 * kMebibyte, 1200 * kMebibyte)), 1200 * kMebibyte);
  EXPECT_EQ(paged(x86(6, 2, 8 * kGiB)), 2 * kGiB);
  EXPECT_EQ(paged(x64(6, 2, 8 * kGiB, 100 * kGiB)), 100 * kGiB);
  EXPECT_EQ(paged(x64(6, 2, kTiB)), 384 * kGiB);
}

TEST(PagedLimit, OtherVersions) {
  EXPECT_EQ(paged(x86(4, 0, 256 * kMebibyte)), 192 * kMebibyte);
  EXPECT_EQ(paged(x64(6, 3, 64 * kGiB, 80 * kGiB)), 80 * kGiB);
  EXPECT_EQ(paged(x64(10, 0, 12 * kTiB)), 31 * kTiB / 2);
  EXPECT_EQ(pool_limits(x64(10, 0, 16 * kGiB)).paged->rule, "8.1_and_later_x64");
}

TEST(Limits, TheDynamicKernelHasWhatProgramsLeaveIt) {
  LimitFacts facts = x86(6, 1, 8 * kGiB);
  facts.user_bytes = 3 * kGiB;
  EXPECT_EQ(paged(facts), kGiB);
  EXPECT_EQ(nonpaged(facts), kGiB);
}

TEST(Limits, CommitIsTheCeilingOfAnyOfThem) {
  EXPECT_EQ(paged(x86(5, 2, 2 * kGiB, 300 * kMebibyte)), 300 * kMebibyte);
  EXPECT_EQ(nonpaged(x64(10, 0, 8 * kGiB, 7 * kGiB)), 7 * kGiB);
  LimitFacts unknown = x64(10, 0, 8 * kGiB);
  unknown.commit_limit_bytes.reset();
  EXPECT_EQ(nonpaged(unknown), 8 * kGiB);
  EXPECT_EQ(paged(unknown), 31 * kTiB / 2);
}

TEST(Limits, RegistrySizesWinOverEstimatesWithinWhatTheVersionAllows) {
  LimitFacts facts = x86(5, 2, 4 * kGiB);
  facts.settings.paged_pool_size = 192'000'000;
  facts.settings.nonpaged_pool_size = 100 * kMebibyte;
  EXPECT_EQ(paged(facts), 192'000'000U);
  EXPECT_EQ(nonpaged(facts), 100 * kMebibyte);
  EXPECT_EQ(pool_limits(facts).nonpaged->rule, "NonPagedPoolSize");
  facts.settings.nonpaged_pool_size = 0x40000000;
  EXPECT_EQ(nonpaged(facts), 256 * kMebibyte);
  facts.settings.paged_pool_size = facts.settings.nonpaged_pool_size = 0;  // automatic
  EXPECT_EQ(pool_limits(facts).paged->source, "estimate");
  EXPECT_EQ(pool_limits(facts).nonpaged->source, "estimate");
  LimitFacts wide = x64(5, 2, 4 * kGiB);
  wide.settings.paged_pool_size = 0xFFFFFFFF;
  EXPECT_EQ(pool_limits(wide).paged->source, "estimate");
  LimitFacts seven = x86(6, 1, 4 * kGiB);
  seven.settings.paged_pool_size = 100 * kMebibyte;
  EXPECT_EQ(paged(seven), 2 * kGiB);
}

TEST(Limits, RegistryLimitsBindOn32BitSinceVistaSp1) {
  LimitFacts facts = x86(6, 0, 4 * kGiB);
  facts.system.build = 6001;
  facts.settings.paged_pool_limit_mb = 301;
  facts.settings.nonpaged_pool_limit_mb = 5000;
  EXPECT_EQ(paged(facts), 302 * kMebibyte);
  EXPECT_EQ(pool_limits(facts).paged->source, "registry");
  EXPECT_EQ(pool_limits(facts).paged->rule, "PagedPoolLimit");
  EXPECT_EQ(pool_limits(facts).nonpaged->source, "estimate");
  facts.system.build = 6000;
  EXPECT_EQ(paged(facts), 2 * kGiB);
  LimitFacts wide = x64(6, 1, 4 * kGiB);
  wide.settings.paged_pool_limit_mb = 300;
  EXPECT_EQ(paged(wide), 8 * kGiB);
}

TEST(Limits, TheKernelsOwnWordIsTakenWhereItCanBeTrusted) {
  LimitFacts facts = x86(5, 2, 4 * kGiB);
  facts.settings.paged_pool_size = 0xFFFFFFFF;
  facts.quota_paged_bytes = 343 * kMebibyte;
  EXPECT_EQ(paged(facts), 343 * kMebibyte);
  EXPECT_EQ(pool_limits(facts).paged->source, "kernel");
  EXPECT_EQ(pool_limits(facts).paged->rule, "registry_quota");

  facts.quota_paged_bytes = 0x200000;  // what Wine and ReactOS answer
  EXPECT_EQ(pool_limits(facts).paged->source, "registry");
  facts.quota_paged_bytes = 343 * kMebibyte + 1;
  EXPECT_EQ(pool_limits(facts).paged->source, "registry");
  facts.quota_paged_bytes = 700 * kMebibyte;
  EXPECT_EQ(pool_limits(facts).paged->source, "registry");
  facts.quota_paged_bytes = 343 * kMebibyte;
  facts.paged_bytes = 344 * kMebibyte;
  EXPECT_EQ(pool_limits(facts).paged->source, "registry");
  LimitFacts later = x64(6, 1, 4 * kGiB);
  later.quota_paged_bytes = 343 * kMebibyte;
  EXPECT_EQ(pool_limits(later).paged->source, "estimate");
}

TEST(Limits, AnEstimateThatUseRefutesGivesWay) {
  LimitFacts facts = x86(5, 2, 4 * kGiB);
  facts.paged_bytes = 400 * kMebibyte;
  EXPECT_EQ(paged(facts), 650 * kMebibyte);
  EXPECT_EQ(pool_limits(facts).paged->rule, "2003_x86_most");
  facts.paged_bytes = 700 * kMebibyte;
  EXPECT_FALSE(pool_limits(facts).paged);
  EXPECT_FALSE(pool_limits(facts).paged_trim_bytes);
}

TEST(Limits, WhatIsUnknownHasNone) {
  LimitFacts wine = x64(10, 0, 8 * kGiB);
  wine.system.wine = true;
  EXPECT_FALSE(pool_limits(wine).paged || pool_limits(wine).nonpaged);
  for (const LimitFacts& facts : {machine(Machine::kOther, 5, 2, kGiB), x86(3, 51, kGiB), x64(10, 0, 0)}) {
    EXPECT_FALSE(pool_limits(facts).paged);
    EXPECT_FALSE(pool_limits(facts).nonpaged);
  }
}

// --- trimming

TEST(TrimThreshold, EightyPercentUnlessTheRegistrySaysOtherwise) {
  LimitFacts facts = x86(5, 2, 4 * kGiB);
  facts.quota_paged_bytes = 343 * kMebibyte;
  EXPECT_EQ(*pool_limits(facts).paged_trim_bytes / kMebibyte, 274U);
  EXPECT_EQ(*pool_limits(facts).paged_trim_bytes, 343 * kMebibyte * 80 / 100);
  for (const std::uint32_t percent : {60U, 50U, 40U}) {
    facts.settings.pool_usage_maximum = percent;
    EXPECT_EQ(*pool_limits(facts).paged_trim_bytes, 343 * kMebibyte * percent / 100);
  }
  facts.settings.pool_usage_maximum = 0;
  EXPECT_EQ(*pool_limits(facts).paged_trim_bytes / kMebibyte, 274U);
  facts.settings.pool_usage_maximum = 250;
  EXPECT_EQ(*pool_limits(facts).paged_trim_bytes / kMebibyte, 274U);
  EXPECT_FALSE(pool_limits(x64(6, 0, 4 * kGiB)).paged_trim_bytes);
  EXPECT_FALSE(pool_limits(x86(4, 0, kGiB)).paged_trim_bytes);
}

TEST(SystemPtes, OneMapsAPage) {
  EXPECT_EQ(page_table_entries(2 * kGiB), 524'288U);
  EXPECT_EQ(page_table_entries(3 * kGiB), 786'432U);
}

// --- which Windows

TEST(SystemFactsText, VersionMachineAndWine) {
  const auto facts = parse_system_facts("version=5.2.3790\nmachine=x86\nlater=word\nnonsense\n");
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->version(), 502U);
  EXPECT_EQ(facts->build, 3790U);
  EXPECT_EQ(facts->machine, Machine::kX86);
  EXPECT_FALSE(facts->wine);
  const auto wine = parse_system_facts("machine=arm64\nwine=1\nversion=10.0.19043");
  ASSERT_TRUE(wine);
  EXPECT_EQ(wine->version(), 1000U);
  EXPECT_EQ(wine->machine, Machine::kX64);
  EXPECT_TRUE(wine->wine);
  EXPECT_EQ(parse_system_facts("version=5.2.1\nmachine=ia64")->machine, Machine::kOther);
  EXPECT_EQ(parse_system_facts("version=5.2.1\nmachine=ia64")->architecture, "ia64");
  for (const char* bad : {"", "machine=x86", "version=", "version=5.2", "version=5.2.x", "version=5.2.1.", "version=0.0.0",
                          "version=5.2.99999999"})
    EXPECT_FALSE(parse_system_facts(bad)) << bad;
}

TEST(SystemFactsText, TheProductByItsName) {
  const auto product = [](const std::string& text) { return parse_system_facts(text)->product; };
  EXPECT_EQ(product("version=5.2.3790\nservice_pack=Service Pack 2\nproduct=Microsoft Windows Server 2003 R2\n"),
            "Microsoft Windows Server 2003 R2 Service Pack 2");
  EXPECT_EQ(product("version=5.2.3790\nservice_pack=Service Pack 2\n"), "") << "recorded before it was read";
  EXPECT_EQ(product("version=10.0.22631\nproduct=Windows 10 Pro\n"), "Windows 11 Pro");
  EXPECT_EQ(product("version=10.0.19045\nproduct=Windows 10 Pro\n"), "Windows 10 Pro");
  EXPECT_EQ(product("version=10.0.26100\nproduct=Windows Server 2025 Standard\n"), "Windows Server 2025 Standard");
  EXPECT_EQ(product("version=5.1.2600\nproduct=X\xff\n"), "X\\xff");
  EXPECT_EQ(product("version=5.1.2600\nproduct=" + std::string(1000, 'a')).size(), 128U);
}

}  // namespace
}  // namespace kmem::windows
