#include "exporter/terminal/vt_painter.h"

#include <gtest/gtest.h>

namespace kmem::terminal {
namespace {

TEST(VtPainter, DrawsTheFirstFrameWholeAndThenOnlyWhatChanged) {
  VtPainter painter;
  Frame frame{{"top", Style::kBar}, {"one"}, {"two", Style::kStrong}, {"bad", Style::kAlarm}};
  EXPECT_EQ(painter.paint(frame, {5, 6}),
            "\x1b[0m\x1b[2J"
            "\x1b[1;1H\x1b[7mtop   \x1b[0m"
            "\x1b[2;1Hone\x1b[K"
            "\x1b[3;1H\x1b[1mtwo\x1b[0m\x1b[K"
            "\x1b[4;1H\x1b[1;31mbad\x1b[0m\x1b[K");
  EXPECT_EQ(painter.paint(frame, {5, 6}), "");
  frame[1].text = "uno";
  EXPECT_EQ(painter.paint(frame, {5, 6}), "\x1b[2;1Huno\x1b[K");
  frame[1].style = Style::kStrong;
  EXPECT_EQ(painter.paint(frame, {5, 6}), "\x1b[2;1H\x1b[1muno\x1b[0m\x1b[K");
  frame.resize(3);
  EXPECT_EQ(painter.paint(frame, {5, 6}), "\x1b[4;1H\x1b[K");
}

TEST(VtPainter, ALineThatFillsTheWidthIsNotErasedAtItsEnd) {
  VtPainter painter;
  (void)painter.paint({}, {1, 4});
  EXPECT_EQ(painter.paint({{"full"}}, {1, 4}), "\x1b[1;1Hfull");
  EXPECT_EQ(painter.paint({{"overlong"}}, {1, 4}), "\x1b[1;1Hover");
}

TEST(VtPainter, AnotherSizeOrAScreenNobodyKnowsIsDrawnWhole) {
  VtPainter painter;
  const Frame frame{{"one"}};
  (void)painter.paint(frame, {2, 10});
  EXPECT_EQ(painter.paint(frame, {3, 10}), "\x1b[0m\x1b[2J\x1b[1;1Hone\x1b[K");
  EXPECT_EQ(painter.paint(frame, {3, 10}), "");
  painter.forget();
  EXPECT_EQ(painter.paint(frame, {3, 10}), "\x1b[0m\x1b[2J\x1b[1;1Hone\x1b[K");
}

TEST(VtPainter, NoTextOfAFrameReachesTheTerminalAsACommand) {
  VtPainter painter;
  (void)painter.paint({}, {1, 40});
  EXPECT_EQ(painter.paint({{"a\x1b[2Jb\r\n\x9b"
                            "1m\x07"}},
                          {1, 40}),
            "\x1b[1;1Ha?[2Jb???1m?\x1b[K");
}

}  // namespace
}  // namespace kmem::terminal
