#include "collectors/base/byte_reader.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace kmem::base {
namespace {

constexpr std::array<std::byte, 6> kBytes = {std::byte{1}, std::byte{2}, std::byte{3},
                                             std::byte{4}, std::byte{5}, std::byte{6}};

TEST(ByteReader, ReadsLittleEndianAtAnyAlignment) {
  const ByteReader reader(kBytes);
  EXPECT_EQ(reader.read<std::uint32_t>(0), 0x04030201U);
  EXPECT_EQ(reader.read<std::uint32_t>(1), 0x05040302U);
  EXPECT_EQ(reader.read<std::uint8_t>(5), 6);
}

TEST(ByteReader, RefusesWhatDoesNotFit) {
  const ByteReader reader(kBytes);
  EXPECT_TRUE(reader.read<std::uint32_t>(2).has_value());
  EXPECT_FALSE(reader.read<std::uint32_t>(3).has_value());
  EXPECT_FALSE(reader.read<std::uint8_t>(6).has_value());
  EXPECT_FALSE(reader.read<std::uint8_t>(7).has_value());
  EXPECT_FALSE(reader.read<std::uint64_t>(std::numeric_limits<std::size_t>::max() - 3).has_value());
}

TEST(ByteReader, SlicesWithinBounds) {
  const ByteReader reader(kBytes);
  const auto middle = reader.slice(2, 3);
  ASSERT_TRUE(middle.has_value());
  EXPECT_EQ(middle->size(), 3U);
  EXPECT_EQ(middle->front(), std::byte{3});
  EXPECT_EQ(reader.slice(6, 0)->size(), 0U);
  EXPECT_FALSE(reader.slice(6, 1).has_value());
  EXPECT_FALSE(reader.slice(7, 0).has_value());
  EXPECT_FALSE(reader.slice(1, std::numeric_limits<std::size_t>::max()).has_value());
}

}  // namespace
}  // namespace kmem::base
