#include "collectors/base/bell.h"

#include <gtest/gtest.h>

#include <thread>

namespace kmem::base {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

TEST(Bell, ARingBeforeTheWaitIsHeardOnce) {
  Bell bell;
  bell.ring();
  bell.ring();
  EXPECT_TRUE(bell.wait_until(steady_clock::now() + hours(1)));
  EXPECT_FALSE(bell.wait_until(steady_clock::now()));
}

TEST(Bell, WithoutARingTheTimeEndsTheWait) {
  Bell bell;
  const auto until = steady_clock::now() + milliseconds(20);
  EXPECT_FALSE(bell.wait_until(until));
  EXPECT_GE(steady_clock::now(), until);
  EXPECT_FALSE(bell.wait_until(steady_clock::time_point())) << "a time that has been";
  EXPECT_FALSE(bell.wait_until(steady_clock::time_point(hours(-1)))) << "before the clock began";
  EXPECT_FALSE(bell.wait_until(steady_clock::time_point::min()));
}

TEST(Bell, EveryQuestionGetsItsAnswer) {
  Bell asked, answered;
  int question = 0, answer = 0;
  constexpr int kRounds = 2'000;
  std::thread other([&] {
    for (int i = 0; i < kRounds; ++i) {
      asked.wait();
      answer = question * 2;
      answered.ring();
    }
  });
  for (question = 1; question <= kRounds; ++question) {
    asked.ring();
    ASSERT_TRUE(answered.wait_until(steady_clock::now() + hours(1)));
    ASSERT_EQ(answer, question * 2);
  }
  other.join();
}

}  // namespace
}  // namespace kmem::base
