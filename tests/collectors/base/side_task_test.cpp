#include "collectors/base/side_task.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>

#include "collectors/base/flapping.h"
#include "collectors/base/left_thread.h"

namespace kmem::base {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

TEST(SideTask, WorksOffOneTaskAtATime) {
  SideTask side;
  EXPECT_TRUE(side.is_idle());
  std::promise<void> go;
  std::atomic<int> done{0};
  ASSERT_TRUE(side.start([&done, open = go.get_future().share()] {
    open.wait();
    ++done;
  }));
  EXPECT_FALSE(side.wait(milliseconds(5)));
  EXPECT_FALSE(side.start([&done] { done += 100; })) << "the first is still at work";
  go.set_value();
  EXPECT_TRUE(side.wait(hours(1)));
  EXPECT_EQ(done, 1);
  ASSERT_TRUE(side.start([&done] { ++done; }));
  EXPECT_TRUE(side.wait(hours(1)));
  EXPECT_EQ(done, 2);
}

TEST(SideTask, WhatATaskThrowsStaysInside) {
  SideTask side;
  ASSERT_TRUE(side.start([] { throw std::runtime_error("disk"); }));
  EXPECT_TRUE(side.wait(hours(1)));
  ASSERT_TRUE(side.start([] {}));
  EXPECT_TRUE(side.wait(hours(1)));
}

TEST(SideTask, OneThatHangsIsLeftBehindAndCounted) {
  std::promise<void> go;
  {
    SideTask side;
    ASSERT_TRUE(side.start([open = go.get_future().share()] { open.wait(); }));
  }
  EXPECT_EQ(LeftThread::count(), 1);
  go.set_value();
  while (LeftThread::count() > 0) std::this_thread::yield();
}

TEST(Flapping, WhatPeopleChangeIsSaidMoreOften) {
  Flapping flapping(20);
  int said = 0;
  for (int i = 0; i < 50; ++i) said += flapping.changed(std::chrono::seconds(i)) ? 1 : 0;
  EXPECT_EQ(said, 20);
  EXPECT_EQ(flapping.told_late(Flapping::kTime), 50U);
}

TEST(Flapping, SaysTheFirstChangesAndCountsTheRest) {
  Flapping flapping;
  auto now = std::chrono::nanoseconds(minutes(5));
  EXPECT_TRUE(flapping.changed(now));
  EXPECT_TRUE(flapping.changed(now));
  int said = 0;
  for (int i = 0; i < 500; ++i) said += flapping.changed(now += std::chrono::seconds(1)) ? 1 : 0;
  EXPECT_EQ(said, 0);
  EXPECT_FALSE(flapping.told_late(now));
  now += minutes(2);
  EXPECT_EQ(flapping.told_late(now), 502U);
  EXPECT_FALSE(flapping.told_late(now)) << "once";
  EXPECT_TRUE(flapping.changed(now)) << "a new time";
  EXPECT_FALSE(flapping.told_late(now + minutes(20))) << "what was said need not be told again";
}

}  // namespace
}  // namespace kmem::base
