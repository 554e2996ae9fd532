#include "collectors/base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace kmem::base {
namespace {

TEST(Utf8, FindsTheFirstBadByte) {
  EXPECT_EQ(find_non_utf8("plain"), std::string::npos);
  EXPECT_EQ(find_non_utf8("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"), std::string::npos);
  EXPECT_EQ(find_non_utf8("ab\xFF"), 2U);
  EXPECT_EQ(find_non_utf8("a\xC3"), 1U);             // cut
  EXPECT_EQ(find_non_utf8("\xC0\x80"), 0U);          // overlong
  EXPECT_EQ(find_non_utf8("\xE0\x80\x80"), 0U);      // overlong
  EXPECT_EQ(find_non_utf8("\xED\xA0\x80"), 0U);      // surrogate
  EXPECT_EQ(find_non_utf8("\xF4\x90\x80\x80"), 0U);  // beyond U+10FFFF
  EXPECT_EQ(find_non_utf8("\xF0\x8F\x80\x80"), 0U);  // overlong
}

TEST(Utf8, TellsTheLengthOfTheFirstCharacter) {
  EXPECT_EQ(utf8_length("a\xFF"), 1U);
  EXPECT_EQ(utf8_length("\xC3\xA4x"), 2U);
  EXPECT_EQ(utf8_length("\xE2\x82\xAC"), 3U);
  EXPECT_EQ(utf8_length("\xF0\x9F\x98\x80"), 4U);
  for (const char* none : {"", "\x80", "\xC1\x80", "\xE2\x82", "\xF5\x80\x80\x80"}) EXPECT_EQ(utf8_length(none), 0U) << none;
}

}  // namespace
}  // namespace kmem::base
