#include "exporter/page/words.h"

#include <gtest/gtest.h>

#include <limits>

#include "collectors/windows/limits.h"

namespace kmem::page {
namespace {

TEST(Words, BytesHaveThreeDigitsThatCount) {
  EXPECT_EQ(byte_words(0), "0 B");
  EXPECT_EQ(byte_words(1023), "1023 B");
  EXPECT_EQ(byte_words(1024), "1.00 KiB");
  EXPECT_EQ(byte_words(312.4 * 1024 * 1024), "312 MiB");
  EXPECT_EQ(byte_words(12.34 * 1024), "12.3 KiB");
  EXPECT_EQ(byte_words(1023.9 * 1024), "1.00 MiB");
  EXPECT_EQ(byte_words(18'446'744'073'709'551'615.0), "16.0 EiB");
}

TEST(Words, CountsAreGrouped) {
  EXPECT_EQ(count_words(0), "0");
  EXPECT_EQ(count_words(999), "999");
  EXPECT_EQ(count_words(1000), "1,000");
  EXPECT_EQ(count_words(std::numeric_limits<std::uint64_t>::max()), "18,446,744,073,709,551,615");
  EXPECT_EQ(number_words(0.424), "0.42");
  EXPECT_EQ(number_words(12'345.4), "12,345");
  EXPECT_EQ(plural_words(1, "tag"), "1 tag");
  EXPECT_EQ(plural_words(2, "tag"), "2 tags");
}

TEST(Words, GrowthHasItsSign) {
  EXPECT_EQ(growth_words(3.1 * 1024 * 1024, true), "+3.10 MiB/day");
  EXPECT_EQ(growth_words(-120.2, false), "-120/day");
  EXPECT_EQ(growth_words(0.3, true), "0/day");
}

TEST(Words, DurationsUseTheLargestUnitThatFits) {
  EXPECT_EQ(duration_words(30), "less than a minute");
  EXPECT_EQ(duration_words(3600), "about 60 minutes");
  EXPECT_EQ(duration_words(20 * 3600.0), "about 20 hours");
  EXPECT_EQ(duration_words(41.3 * 86'400), "about 41 days");
  EXPECT_EQ(duration_words(2.64 * 86'400), "about 2.6 days") << "what was divided shows";
  EXPECT_EQ(duration_words(9.94 * 86'400), "about 9.9 days");
  EXPECT_EQ(duration_words(9.96 * 86'400), "about 10 days");
  EXPECT_EQ(duration_words(1.6 * 3600), "about 1.6 hours");
  EXPECT_EQ(duration_words(60), "about 1 minute");
  EXPECT_EQ(duration_words(3 * 365.25 * 86'400), "about 3 years");
  EXPECT_EQ(duration_words(std::numeric_limits<double>::infinity()), "more than 10 years");
  EXPECT_EQ(range_words(33 * 86'400, 52 * 86'400), "33 days to 52 days");
  EXPECT_EQ(range_words(33 * 86'400, std::numeric_limits<double>::infinity()), "33 days to never");
  EXPECT_EQ(range_words(33 * 86'400, 33.1 * 86'400), "");
}

TEST(Words, EveryRuleOfTheLimitsIsSaidInWords) {
  EXPECT_EQ(limit_words("estimate", "2000_2003_x86"),
            "limit: an estimate, what 32-bit Windows 2000 to Server 2003 takes by itself");
  EXPECT_EQ(limit_words("estimate", "2003_x86_most"), "limit: an estimate, the most that 32-bit Windows Server 2003 can take");
  EXPECT_EQ(limit_words("registry", "PagedPoolSize"), "limit: set in the registry by PagedPoolSize");
  EXPECT_EQ(limit_words("kernel", "registry_quota"), "limit: as the kernel tells it");
  EXPECT_EQ(limit_words("kernel", "MemTotal"), "limit: the whole memory");
  EXPECT_EQ(limit_words("kernel", "not enforced on this system"), "limit: not enforced on this system");
  EXPECT_EQ(limit_words("estimate", "x86, 1 GB"), "limit by estimate: x86, 1 GB");
  for (const std::string_view rule : windows::limit_rules())
    EXPECT_EQ(limit_words("estimate", rule).find('_'), std::string::npos) << rule;
}

TEST(Words, DaysNameTheYearOnlyWhereItIsAnother) {
  constexpr base::UnixMillis kNov30 = 1'764'460'800'000;
  EXPECT_EQ(day_words(1'762'214'400'000, kNov30), "4 Nov");
  EXPECT_EQ(day_words(1'730'678'400'000, kNov30), "4 Nov 2024");
  EXPECT_EQ(minute_words(kNov30 + 61'000), "2025-11-30 00:01 UTC");
}

}  // namespace
}  // namespace kmem::page
