#include "collectors/base/label_text.h"

#include <gtest/gtest.h>

#include <array>

namespace kmem::base {
namespace {

TEST(LabelText, KeepsPrintableAsciiAndTrailingBlanks) {
  EXPECT_EQ(label_text("Irp "), "Irp ");
  EXPECT_EQ(label_text(" ~\"\\"), " ~\"\\");
  EXPECT_EQ(label_text(""), "");
}

TEST(LabelText, WritesOtherBytesAsLowerCaseHex) {
  EXPECT_EQ(label_text(std::string_view("\x00\x1f\x7f\xc3\xbc\xff", 6)), "\\x00\\x1f\\x7f\\xc3\\xbc\\xff");
  EXPECT_EQ(label_text("A\nB"), "A\\x0aB");
}

TEST(LabelText, EveryByteGivesLegalText) {
  for (int byte = 0; byte < 256; ++byte) {
    const char raw = static_cast<char>(byte);
    const std::string text = label_text(std::string_view(&raw, 1));
    const bool legal = byte >= 0x20 && byte <= 0x7e;
    ASSERT_EQ(text.size(), legal ? 1U : 4U) << byte;
    for (const char c : text) ASSERT_TRUE(c >= 0x20 && c <= 0x7e) << byte;
  }
}

TEST(LabelText, TakesBytesToo) {
  const std::array<std::byte, 2> raw = {std::byte{'E'}, std::byte{0x80}};
  EXPECT_EQ(label_text(raw), "E\\x80");
}

}  // namespace
}  // namespace kmem::base
