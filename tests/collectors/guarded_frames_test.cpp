#include "collectors/guarded_frames.h"

#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <thread>

#include "collectors/base/clock.h"
#include "collectors/base/left_thread.h"
#include "collectors/windows/windows_frames.h"

namespace kmem {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr std::int64_t kSilent = no_answer(System::kLinux);

/// A kernel of three parts, of which any can be held; it is never destroyed, as a real one.
struct FakeKernel {
  std::mutex mutex;
  std::condition_variable changed;
  std::set<std::string, std::less<>> held;
  std::set<std::string, std::less<>> waiting;
  int sources = 0, asked = 0;
  bool root_held = false;
  std::atomic<int> wanting = 0;  // sources that were told that handles are wanted

  void pass(std::string_view name) {
    std::unique_lock lock(mutex);
    ++asked;
    if (!held.contains(name)) return;
    waiting.emplace(name);
    changed.notify_all();
    changed.wait(lock, [&] { return !held.contains(name); });
    waiting.erase(std::string(name));
    changed.notify_all();
  }
  void hold(const std::string& name) {
    const std::scoped_lock lock(mutex);
    held.insert(name);
  }
  void let_go(const std::string& name) {
    std::unique_lock lock(mutex);
    held.erase(name);
    changed.notify_all();
    changed.wait(lock, [&] { return !waiting.contains(name); });
  }
};

class FakeFrames final : public FrameSource {
 public:
  explicit FakeFrames(FakeKernel& kernel) : kernel_(kernel) {}
  void set_gate(PartGate* gate) override { gate_ = gate; }
  void want_object_handles(bool wanted) override { kernel_.wanting += wanted ? 1 : 0; }
  base::Result<void> acquire(RawFrame& frame) override {
    kernel_.pass("root");
    frame.system = System::kLinux;
    frame.time = ++clock;
    for (const std::string_view name : {"a", "b", "c"}) {
      if (gate_ != nullptr && !gate_->enter(name, name)) continue;
      kernel_.pass(name);
      RawPart& part = frame.part(name);
      part.collector = name;
      part.time = 0;
      part.status = 0;
      part.bytes = std::string(name) + std::to_string(frame.time);
    }
    return {};
  }
  static inline std::atomic<int> clock{0};

 private:
  FakeKernel& kernel_;
  PartGate* gate_ = nullptr;
};

class GuardedFramesTest : public testing::Test {
 protected:
  GuardedFramesTest() { begin(); }
  ~GuardedFramesTest() override { end(); }

  void begin() {
    frames_ = make_guarded_frames(
        [this] {
          ++kernel_.sources;
          return std::make_unique<FakeFrames>(kernel_);
        },
        System::kLinux);
    FakeFrames::clock = 0;
  }
  void end() {
    for (const char* name : {"root", "a", "b", "c", "log"}) kernel_.let_go(name);
    frames_.reset();
    while (base::LeftThread::count() > 0) std::this_thread::yield();
  }
  /// Where the machine stands still every part seems to hang: what a case finds counts with more patience, too.
  void with_patience(const std::function<void()>& found) {
    for (const milliseconds patience : {milliseconds(30), milliseconds(500)}) {
      part_ = patience;
      testing::TestPartResultArray faults;
      {
        const testing::ScopedFakeTestPartResultReporter instead(
            testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &faults);
        found();
      }
      if (faults.size() == 0) return;
      end();
      kernel_.sources = kernel_.wanting = 0;
      frame_ = {};
      begin();
    }
    part_ = seconds(8);
    found();
  }

  base::Result<void> acquire() { return acquire({seconds(60), part_}); }
  base::Result<void> acquire(const Patience& patience) { return frames_->acquire_within(frame_, patience); }
  /// Name and bytes of what answered, "-" before those of what did not.
  std::map<std::string, std::string> parts() {
    std::map<std::string, std::string> all;
    for (const RawPart& part : frame_.parts) {
      EXPECT_FALSE(all.contains(part.name)) << part.name << " twice";
      all[part.name] = (part.status == kSilent ? "-" : "") + part.bytes;
    }
    return all;
  }

  FakeKernel kernel_;
  std::unique_ptr<FrameSource> frames_;
  RawFrame frame_;
  milliseconds part_{30};  // what a part may take
};

TEST_F(GuardedFramesTest, AnswersAreThoseOfTheSource) {
  ASSERT_TRUE(acquire({seconds(30), seconds(30)}));
  EXPECT_THAT(parts(), UnorderedElementsAre(Pair("a", "a1"), Pair("b", "b1"), Pair("c", "c1")));
  ASSERT_TRUE(acquire({seconds(30), seconds(30)}));
  EXPECT_THAT(parts(), UnorderedElementsAre(Pair("a", "a2"), Pair("b", "b2"), Pair("c", "c2")));
  EXPECT_EQ(kernel_.sources, 1);
}

TEST_F(GuardedFramesTest, EverySourceLearnsThatHandlesAreWanted) {
  with_patience([this] {
    frames_->want_object_handles(true);  // before there is one
    ASSERT_TRUE(acquire({seconds(30), seconds(30)}));
    EXPECT_EQ(kernel_.wanting, 1);
    frames_->want_object_handles(true);
    EXPECT_EQ(kernel_.wanting, 2);
    kernel_.hold("b");
    ASSERT_TRUE(acquire());
    EXPECT_EQ(kernel_.wanting, 3) << "the source that stands in for the one that hangs";
  });
}

TEST_F(GuardedFramesTest, APartThatHangsKeepsItsLastAnswerAndTheOthersGoOn) {
  with_patience([this] {
    ASSERT_TRUE(acquire({seconds(30), seconds(30)}));
    kernel_.hold("b");
    ASSERT_TRUE(acquire());
    auto now = parts();
    EXPECT_EQ(now["b"], "-b1");
    EXPECT_NE(now["a"], "a1");
    EXPECT_NE(now["c"], "c1");
    EXPECT_EQ(frame_.find("b")->time, 1) << "when it was read";
    for (int i = 0; i < 20; ++i) {
      const auto before = parts()["c"];
      ASSERT_TRUE(acquire({seconds(30), seconds(30)})) << "nobody waits for it again";
      EXPECT_EQ(parts()["b"], "-b1");
      EXPECT_NE(parts()["c"], before);
    }
    EXPECT_EQ(kernel_.sources, 2) << "one thread more, not a pile";
  });
}

TEST_F(GuardedFramesTest, APartThatHangsFromTheStartIsNamed) {
  with_patience([this] {
    kernel_.hold("a");
    ASSERT_TRUE(acquire());
    auto now = parts();
    EXPECT_EQ(now["a"], "-");
    EXPECT_TRUE(now.contains("b") && now.contains("c"));
  });
}

TEST_F(GuardedFramesTest, ItIsBackWithItsNextAnswer) {
  with_patience([this] {
    ASSERT_TRUE(acquire({seconds(30), seconds(30)}));
    kernel_.hold("b");
    ASSERT_TRUE(acquire());
    kernel_.let_go("b");
    std::string back;
    for (int i = 0; i < 5'000 && (back = parts()["b"]).starts_with("-"); ++i) {
      std::this_thread::sleep_for(milliseconds(1));
      ASSERT_TRUE(acquire({seconds(30), seconds(30)}));
    }
    EXPECT_FALSE(back.starts_with("-"));
    std::string later = back;
    for (int i = 0; i < 5'000 && later == back; ++i) {
      std::this_thread::sleep_for(milliseconds(1));
      ASSERT_TRUE(acquire({seconds(30), seconds(30)}));
      later = parts()["b"];
    }
    EXPECT_NE(later, back) << "and goes on";
    EXPECT_EQ(kernel_.sources, 2);
  });
}

TEST_F(GuardedFramesTest, AllPartsMayHang) {
  with_patience([this] {
    for (const char* name : {"a", "b", "c"}) kernel_.hold(name);
    ASSERT_TRUE(acquire());
    EXPECT_THAT(parts(), UnorderedElementsAre(Pair("a", "-"), Pair("b", "-"), Pair("c", "-")));
    EXPECT_EQ(kernel_.sources, 4);
    ASSERT_TRUE(acquire());
    EXPECT_EQ(kernel_.sources, 4);
  });
}

TEST_F(GuardedFramesTest, AWayToAllThatHangsIsAnErrorFirstAndThenTheLastFrame) {
  kernel_.hold("root");
  EXPECT_EQ(acquire({milliseconds(60), milliseconds(30)}).error().message, "the kernel does not answer");
  kernel_.let_go("root");
  ASSERT_TRUE(acquire({seconds(30), seconds(30)}));
  kernel_.hold("root");
  ASSERT_TRUE(acquire({milliseconds(60), milliseconds(30)}));
  EXPECT_TRUE(frame_.repeated);
  for (const auto& [name, bytes] : parts()) EXPECT_TRUE(bytes.starts_with("-")) << name;
  EXPECT_EQ(kernel_.sources, 1);
  kernel_.let_go("root");
  ASSERT_TRUE(acquire({seconds(30), seconds(30)}));
  EXPECT_FALSE(frame_.repeated);
  for (const auto& [name, bytes] : parts()) EXPECT_FALSE(bytes.starts_with("-")) << name;
}

TEST_F(GuardedFramesTest, WhoComesBackFindsTheReadingThatWasBegun) {
  kernel_.hold("c");
  EXPECT_EQ(acquire({milliseconds(1), milliseconds(1), true}).error().code, base::ErrorCode::kBusy);
  EXPECT_EQ(acquire({milliseconds(1), milliseconds(1), true}).error().code, base::ErrorCode::kBusy);
  kernel_.let_go("c");
  ASSERT_TRUE(acquire({seconds(30), seconds(30)}));
  EXPECT_THAT(parts(), UnorderedElementsAre(Pair("a", "a1"), Pair("b", "b1"), Pair("c", "c1")));
  EXPECT_EQ(kernel_.sources, 1) << "nothing counts as stuck";
}

TEST_F(GuardedFramesTest, NobodyWaitsOnceItStops) {
  ASSERT_TRUE(acquire({seconds(30), seconds(30)}));
  kernel_.hold("b");
  frames_->stop_waiting();
  ASSERT_TRUE(acquire({std::chrono::hours(1), std::chrono::hours(1)}));
  EXPECT_TRUE(frame_.repeated);
}

/// A System log whose service does not answer.
class BlockedLog final : public windows::SystemLog {
 public:
  explicit BlockedLog(FakeKernel& kernel) : kernel_(kernel) {}
  [[nodiscard]] windows::EventForm form() const override { return windows::EventForm::kRecord; }
  windows::NtStatus read_back(bool, const std::function<bool(std::string_view)>&) override {
    kernel_.pass("log");
    return windows::kStatusOk;
  }

 private:
  FakeKernel& kernel_;
};
class NoKernel final : public windows::NtQuery {
 public:
  windows::NtStatus query(std::uint32_t, std::span<std::byte>, std::uint32_t&) override {
    return windows::kStatusNotImplemented;
  }
};
class NoRegistry final : public windows::Registry {
 public:
  windows::NtStatus open() override { return windows::kStatusOk; }
  std::optional<std::uint32_t> value(std::string_view) override { return std::nullopt; }
};

TEST_F(GuardedFramesTest, ASystemLogThatBlocksStopsOneReadingForAMomentAndNoOther) {
  with_patience([this] {
    // A thread that is left behind may outlive the test.
    static const base::SystemClock clock;
    static const config::Collectors collectors;
    const auto frames = make_guarded_frames(
        [this] {
          auto made = std::make_unique<windows::WindowsFrames>(std::make_unique<NoKernel>(), std::make_unique<NoRegistry>(),
                                                               collectors, clock, std::uint8_t{8});
          made->add_system(nullptr, std::make_unique<BlockedLog>(kernel_));
          return made;
        },
        System::kWindows);
    kernel_.hold("log");
    const auto status = [&](std::string_view name) { return frame_.part(name).status; };
    ASSERT_TRUE(frames->acquire_within(frame_, {seconds(60), part_}));
    EXPECT_EQ(status("kmem/events"), no_answer(System::kWindows));
    EXPECT_EQ(status("kmem/registry"), 0);
    // From now on nobody waits for it, however patient he is.
    const auto began = std::chrono::steady_clock::now();
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(frames->acquire_within(frame_, {seconds(60), seconds(60)}));
      EXPECT_EQ(status("kmem/events"), no_answer(System::kWindows));
      EXPECT_EQ(status("kmem/registry"), 0);
    }
    EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(50));
    kernel_.let_go("log");
  });
}

TEST_F(GuardedFramesTest, WhatHangsAtTheEndIsLeftBehindAndCounted) {
  with_patience([this] {
    kernel_.hold("b");
    ASSERT_TRUE(acquire());
    frames_.reset();
    EXPECT_EQ(base::LeftThread::count(), 1);
    kernel_.let_go("b");
    while (base::LeftThread::count() > 0) std::this_thread::yield();
  });
}

}  // namespace
}  // namespace kmem
