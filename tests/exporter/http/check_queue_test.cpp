#include "exporter/http/check_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "collectors/base/left_thread.h"
#include "exporter/http/address_group.h"

namespace kmem::http {
namespace {

TEST(AddressGroup, Ipv4ByAddressIpv6ByNetwork) {
  EXPECT_EQ(address_group("10.1.2.3"), "10.1.2.3");
  EXPECT_NE(address_group("10.1.2.3"), address_group("10.1.2.4"));
  EXPECT_EQ(address_group("2001:db8:1:2:3:4:5:6"), address_group("2001:db8:1:2::9"));
  EXPECT_NE(address_group("2001:db8:1:2::9"), address_group("2001:db8:1:3::9"));
  EXPECT_EQ(address_group("2001:db8::1"), address_group("2001:db8:0:0:ffff::1"));
  EXPECT_EQ(address_group("::1"), address_group("::2"));
  EXPECT_NE(address_group("fe80::1%eth0"), address_group("::1"));
  EXPECT_EQ(address_group(""), "");
}

/// One thread that is held until all has been submitted, then works off in the queue's order.
class CheckQueueTest : public testing::Test {
 protected:
  CheckQueueTest() {
    queue_.submit("holder", [this](bool) {
      held_.set_value();
      go_.get_future().wait();
    });
    held_.get_future().wait();
  }
  void submit(const std::string& group, const std::string& name) {
    queue_.submit(group, [this, name](bool run) {
      const std::lock_guard lock(mutex_);
      (run ? ran_ : refused_).push_back(name);
    });
  }
  std::vector<std::string> run_all() {
    std::promise<void> end;
    go_.set_value();
    while (true) {
      {
        const std::lock_guard lock(mutex_);
        if (ran_.size() + refused_.size() == submitted_) break;
      }
      std::this_thread::yield();
    }
    return ran_;
  }

  std::promise<void> held_, go_;
  std::mutex mutex_;
  std::vector<std::string> ran_, refused_;
  std::size_t submitted_ = 0;
  CheckQueue queue_{1};
};

TEST_F(CheckQueueTest, WhoAsksOnceDoesNotWaitForWhoAsksOften) {
  for (int i = 0; i < 12; ++i) submit("guesser", "guess");
  submit("scraper", "scraper");
  submitted_ = 13;
  const auto order = run_all();
  EXPECT_EQ(order[1], "scraper") << "second of 13";
}

TEST_F(CheckQueueTest, OfOneAddressTheOldestComesFirst) {
  for (const char* name : {"guess 1", "guess 2", "scraper"}) submit("proxy", name);
  submitted_ = 3;
  EXPECT_EQ(run_all(), (std::vector<std::string>{"guess 1", "guess 2", "scraper"}));
}

TEST_F(CheckQueueTest, WhoAsksAgainComesAfterWhoCameMeanwhile) {
  std::atomic<std::size_t> asked{0};
  std::function<void(bool)> again = [&](bool) {
    if (asked++ < 60) queue_.submit("proxy", again);
    const std::lock_guard lock(mutex_);
    ran_.push_back("guess");
  };
  for (int guesser = 0; guesser < 40; ++guesser) queue_.submit("proxy", again);
  submit("proxy", "scraper");
  submitted_ = 101;
  const auto order = run_all();
  EXPECT_EQ(std::find(order.begin(), order.end(), "scraper") - order.begin(), 40) << "one guess of each";
}

TEST_F(CheckQueueTest, OneAddressHasABoundOfItsOwnAndTheNewestComesIn) {
  for (std::size_t i = 0; i < CheckQueue::kMostOfOne + 5; ++i) submit("guesser", std::to_string(i));
  EXPECT_EQ(refused_, (std::vector<std::string>{"0", "1", "2", "3", "4"})) << "the oldest";
  submitted_ = CheckQueue::kMostOfOne + 5;
  const auto order = run_all();
  EXPECT_EQ(order.size(), CheckQueue::kMostOfOne);
  EXPECT_EQ(order[0], "5");
}

TEST_F(CheckQueueTest, WhenAllIsTakenTheOneWithMostLosesHisOldest) {
  for (std::size_t i = 0; i < CheckQueue::kMost; ++i)
    submit("guesser " + std::to_string(i / CheckQueue::kMostOfOne), "guess " + std::to_string(i));
  EXPECT_TRUE(refused_.empty());
  submit("scraper", "scraper");
  ASSERT_EQ(refused_.size(), 1U);
  EXPECT_EQ(refused_[0].substr(0, 6), "guess ");
  submitted_ = CheckQueue::kMost + 1;
  const auto order = run_all();
  EXPECT_EQ(order[4], "scraper") << "after one of each guesser's";
}

TEST(CheckQueue, ACheckThatLastsIsLeftBehindAtTheEnd) {
  std::promise<void> go, held;
  {
    CheckQueue queue(1);
    queue.submit("a", [&held, open = go.get_future().share()](bool) {
      held.set_value();
      open.wait();
    });
    held.get_future().wait();
  }
  EXPECT_GE(base::LeftThread::count(), 1);
  go.set_value();
}

}  // namespace
}  // namespace kmem::http
