#include "exporter/terminal/frame.h"

#include <gtest/gtest.h>

namespace kmem::terminal {
namespace {

TEST(Frame, HostileBytesBecomeHarmlessAndLongTextIsCut) {
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
  const std::string shown = drawable(every, 1000);
  ASSERT_EQ(shown.size(), 256U);
  for (std::size_t i = 0; i < shown.size(); ++i) EXPECT_EQ(shown[i], i >= 0x20 && i < 0x7f ? static_cast<char>(i) : '?') << i;
  EXPECT_EQ(drawable("\x1b]0;title\x07", 6), "?]0;ti");
}

TEST(Frame, FitsTheScreenExactly) {
  const Frame frame{{"bar", Style::kBar}, {"0123456789"}, {"beyond"}};
  EXPECT_EQ(fitted(frame, {2, 5}), (Frame{{"bar  ", Style::kBar}, {"01234"}}));
  EXPECT_EQ(fitted(frame, {5, 20}), (Frame{{"bar                 ", Style::kBar}, {"0123456789"}, {"beyond"}, {}, {}}));
  EXPECT_TRUE(fitted(frame, {0, 5}).empty());
}

}  // namespace
}  // namespace kmem::terminal
