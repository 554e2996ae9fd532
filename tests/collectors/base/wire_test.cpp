#include "collectors/base/wire.h"

#include <gtest/gtest.h>

#include <limits>

namespace kmem::base {
namespace {

using namespace std::literals;

TEST(Wire, WritesTheBytesItPromises) {
  std::string bytes;
  WireWriter out(bytes);
  out.fixed(std::uint32_t{0x01020304});
  out.fixed(std::int16_t{-2});
  out.varint(0);
  out.varint(300);
  out.string("ab");
  EXPECT_EQ(bytes, "\x04\x03\x02\x01\xfe\xff\x00\xac\x02\x02"s + "ab");
}

TEST(Wire, GivesBackWhatWasWritten) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  std::string bytes;
  WireWriter out(bytes);
  for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{128}, kMax >> 1, kMax}) {
    out.varint(value);
    out.fixed(value);
  }
  out.string("");
  out.string("tag\0x"s);
  WireReader in(bytes);
  for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{128}, kMax >> 1, kMax}) {
    EXPECT_EQ(in.varint(), value);
    EXPECT_EQ(in.fixed<std::uint64_t>(), value);
  }
  EXPECT_EQ(in.string(8), "");
  EXPECT_EQ(in.string(8), "tag\0x"s);
  EXPECT_TRUE(in.finish().ok());
}

TEST(Wire, EveryTruncationFailsAndStaysFailed) {
  std::string bytes;
  WireWriter out(bytes);
  out.varint(300);
  out.fixed(std::uint32_t{7});
  out.string("abc");
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    WireReader in(std::string_view(bytes).substr(0, length));
    (void)in.varint();
    (void)in.fixed<std::uint32_t>();
    EXPECT_EQ(in.string(10), "") << length;
    EXPECT_FALSE(in.ok()) << length;
    EXPECT_EQ(in.fixed<std::uint8_t>(), 0) << length;
    EXPECT_EQ(in.finish().error().code, ErrorCode::kMalformed) << length;
  }
}

TEST(Wire, ErrorsNameTheByte) {
  WireReader short_of(
      "\x01\x05"
      "ab"sv);
  (void)short_of.varint();
  (void)short_of.string(10);
  EXPECT_EQ(short_of.finish().error().message, "bad value or end of data at byte 2");
  WireReader left_over("\x01xy"sv);
  (void)left_over.varint();
  EXPECT_EQ(left_over.finish().error().message, "2 bytes too many from byte 1");
}

TEST(Wire, RefusesVarintsBeyond64Bit) {
  const std::string largest = std::string(9, '\xff') + "\x01";
  const std::string larger = std::string(9, '\xff') + "\x02";
  const std::string long_one(100, '\x80');
  WireReader most(largest);
  EXPECT_EQ(most.varint(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_TRUE(most.finish().ok());
  WireReader too_big(larger);
  EXPECT_EQ(too_big.varint(), 0U);
  EXPECT_FALSE(too_big.ok());
  WireReader endless(long_one);
  EXPECT_EQ(endless.varint(), 0U);
  EXPECT_FALSE(endless.ok());
}

TEST(Wire, CountsAreBoundedByTheBytesThatAreThere) {
  const std::string bytes =
      "\x03"
      "abcdef"s;
  EXPECT_EQ(WireReader(bytes).count(2, 100), 3U);
  WireReader too_long(bytes);
  EXPECT_EQ(too_long.count(3, 100), 0U);
  EXPECT_FALSE(too_long.ok());
  WireReader too_many(bytes);
  EXPECT_EQ(too_many.count(1, 2), 0U);
  EXPECT_FALSE(too_many.ok());
}

TEST(Wire, StringsAreBounded) {
  WireReader in(
      "\x03"
      "abc"sv);
  EXPECT_EQ(in.string(2), "");
  EXPECT_FALSE(in.ok());
}

}  // namespace
}  // namespace kmem::base
