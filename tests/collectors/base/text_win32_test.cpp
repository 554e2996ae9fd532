#include "collectors/base/text_win32.h"

#include <gmock/gmock.h>

namespace kmem::base {
namespace {

TEST(TextWin32, GoesThereAndBack) {
  for (const std::string text : {"", "C:\\a b.sys", "\xc3\xa4\xe6\x97\xa5\xf0\x9f\x98\x80", "a\nb"})
    EXPECT_EQ(to_utf8(to_wide(text)), text);
  EXPECT_EQ(to_wide("\xc3\xa4\xf0\x9f\x98\x80"), L"\xe4\xd83d\xde00");
  EXPECT_EQ(to_utf8(std::wstring(L"a\0b", 3)), std::string("a\0b", 3));
}

TEST(TextWin32, LoneSurrogatesAreReplaced) {
  EXPECT_EQ(to_utf8(L"a\xd83d"
                    L"b"),
            "a\xef\xbf\xbd"
            "b");
}

TEST(TextWin32, ErrorsHaveTheSystemsWordsAndTheirNumber) {
  EXPECT_THAT(system_words(5), testing::EndsWith("denied (error 5)"));
  EXPECT_EQ(system_words(0xdead'0001), "error 3735879681");
}

}  // namespace
}  // namespace kmem::base
