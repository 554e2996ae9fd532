#include "exporter/top/numbers.h"

#include <gtest/gtest.h>

#include <limits>

namespace kmem::top {
namespace {

TEST(Numbers, ThreeDigitsThatCountInAtMostFiveCharacters) {
  EXPECT_EQ(short_count(std::uint64_t{0}), "0");
  EXPECT_EQ(short_count(std::uint64_t{9999}), "9999");
  EXPECT_EQ(short_count(std::uint64_t{10'000}), "10.0k");
  EXPECT_EQ(short_count(std::uint64_t{75'321'006}), "75.3M");
  EXPECT_EQ(short_count(std::uint64_t{999'499}), "999k");
  EXPECT_EQ(short_count(std::uint64_t{999'500}), "1.00M");
  EXPECT_EQ(short_count(std::uint64_t{4'294'967'295}), "4.29G");
  EXPECT_EQ(short_bytes(std::uint64_t{9999}), "9999");
  EXPECT_EQ(short_bytes(std::uint64_t{19'661}), "19.2K");
  EXPECT_EQ(short_bytes(std::uint64_t{1023 * 1024}), "1.00M");
  EXPECT_EQ(short_bytes(std::uint64_t{16} << 40), "16.0T");
  EXPECT_EQ(short_bytes(std::numeric_limits<std::uint64_t>::max()), "16.0E");
}

TEST(Numbers, SignsStay) {
  EXPECT_EQ(short_count(std::int64_t{-12'345}), "-12.3k");
  EXPECT_EQ(short_bytes(std::int64_t{-5}), "-5");
  EXPECT_EQ(short_bytes(std::int64_t{104'857'600}), "100M");
  EXPECT_EQ(short_bytes(std::numeric_limits<std::int64_t>::min()), "-8.00E");
}

TEST(Numbers, NoneIsLonger) {
  for (int bit = 0; bit < 64; ++bit)
    for (const std::uint64_t value : {std::uint64_t{1} << bit, (std::uint64_t{1} << bit) - 1}) {
      EXPECT_LE(short_count(value).size(), 5U) << value;
      EXPECT_LE(short_bytes(value).size(), 5U) << value;
    }
}

}  // namespace
}  // namespace kmem::top
