#include "exporter/top/view.h"

#include <gtest/gtest.h>

namespace kmem::top {
namespace {

using terminal::Key;
using terminal::KeyKind;

class Keys : public testing::Test {
 protected:
  Asked press(KeyKind kind) { return apply(view_, {kind}, extent_); }
  Asked type(std::string_view text) {
    Asked last = Asked::kNothing;
    for (const char c : text) last = apply(view_, {KeyKind::kCharacter, c}, extent_);
    return last;
  }
  View view_;
  Extent extent_{100, 20, 9, {Pool::kNonpaged, Pool::kPaged}, {}};
};

TEST_F(Keys, SortOrdersAndBackToTheTop) {
  for (const auto& [key, by] : {std::pair("d", SortBy::kOutstanding),
                                {"r", SortBy::kRate},
                                {"g", SortBy::kGrowth},
                                {"t", SortBy::kTag},
                                {"a", SortBy::kAllocations},
                                {"f", SortBy::kFrees},
                                {"m", SortBy::kPerAllocation},
                                {"b", SortBy::kBytes}}) {
    view_.first_row = 40;
    EXPECT_EQ(type(key), Asked::kNothing);
    EXPECT_EQ(view_.choice.sort, by) << key;
    EXPECT_EQ(view_.first_row, 0U);
  }
  type("xz1");
  EXPECT_EQ(view_.choice.sort, SortBy::kBytes);
}

TEST_F(Keys, ThePoolGoesRound) {
  type("p");
  EXPECT_EQ(view_.choice.pool, Pool::kNonpaged);
  type("p");
  EXPECT_EQ(view_.choice.pool, Pool::kPaged);
  type("p");
  EXPECT_EQ(view_.choice.pool, std::nullopt);
  view_.choice.pool = Pool::kVmalloc;  // gone meanwhile
  type("p");
  EXPECT_EQ(view_.choice.pool, std::nullopt);
  extent_.pools.clear();
  type("p");
  EXPECT_EQ(view_.choice.pool, std::nullopt);
}

TEST_F(Keys, MovingStaysInside) {
  press(KeyKind::kUp);
  EXPECT_EQ(view_.first_row, 0U);
  press(KeyKind::kDown);
  press(KeyKind::kPageDown);
  EXPECT_EQ(view_.first_row, 21U);
  press(KeyKind::kPageUp);
  EXPECT_EQ(view_.first_row, 1U);
  press(KeyKind::kEnd);
  EXPECT_EQ(view_.first_row, 80U);
  press(KeyKind::kPageDown);
  EXPECT_EQ(view_.first_row, 80U);
  press(KeyKind::kHome);
  EXPECT_EQ(view_.first_row, 0U);
  for (int i = 0; i < 30; ++i) press(KeyKind::kRight);
  EXPECT_EQ(view_.first_column, 8U);
  press(KeyKind::kLeft);
  EXPECT_EQ(view_.first_column, 7U);
  extent_.rows = 5;  // fewer than a page
  press(KeyKind::kEnd);
  EXPECT_EQ(view_.first_row, 0U);
}

TEST_F(Keys, AFilterIsTypedWithKeysThatElsewhereMeanOtherThings) {
  type("/qp?");
  EXPECT_EQ(view_.typed, "qp?");
  EXPECT_EQ(view_.effective().filter, "qp?");
  EXPECT_EQ(view_.choice.filter, "");
  press(KeyKind::kBackspace);
  press(KeyKind::kEnter);
  EXPECT_EQ(view_.typed, std::nullopt);
  EXPECT_EQ(view_.choice.filter, "qp");
  type("/x");
  EXPECT_EQ(view_.typed, "qpx");
  press(KeyKind::kEscape);
  EXPECT_EQ(view_.choice.filter, "qp");
  press(KeyKind::kEscape);
  EXPECT_EQ(view_.choice.filter, "");
  type("/");
  press(KeyKind::kBackspace);
  EXPECT_EQ(view_.typed, std::nullopt);
  type("/" + std::string(500, 'x'));
  EXPECT_EQ(view_.typed->size(), kLongestFilter);
}

TEST_F(Keys, QuitHelpAndReading) {
  EXPECT_EQ(type(" "), Asked::kReading);
  type("?");
  EXPECT_TRUE(view_.help);
  EXPECT_EQ(type("q"), Asked::kNothing);  // only leaves the help
  EXPECT_FALSE(view_.help);
  EXPECT_EQ(type("q"), Asked::kQuit);
  type("/");
  EXPECT_EQ(type("q"), Asked::kNothing);
  EXPECT_EQ(press(KeyKind::kInterrupt), Asked::kQuit);
}

}  // namespace
}  // namespace kmem::top
