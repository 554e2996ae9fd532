#include "collectors/windows/windows_frames.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <memory>

#include "tests/collectors/windows/fake_kernel.h"
#include "tests/collectors/windows/nt_bytes.h"

namespace kmem::windows {
namespace {

using test::FakeKernel;
using test::FakeRegistry;
using test::NtBytes;
using testing::ElementsAre;

class WindowsFramesTest : public testing::Test {
 protected:
  WindowsFramesTest() {
    kernel_->answers[0] = NtBytes(64).put(8, std::uint32_t{8192}).str();
    kernel_->answers[2] = std::string(312, 'p');
    kernel_->answers[3] = std::string(48, 't');
    kernel_->answers[5] = std::string(300'000, 'q');
    kernel_->answers[21] = std::string(64, 'c');
    kernel_->answers[22] = std::string(9000, 'g');
    kernel_->answers[67] = std::string(40'000, 's');
    kernel_->statuses[37] = kStatusAccessDenied;
    registry_->values = {{"SystemPages", 7}};
  }
  WindowsFrames make(const config::Collectors& collectors, std::uint8_t pointer_bytes = 8) {
    return {std::unique_ptr<NtQuery>(kernel_), std::unique_ptr<Registry>(registry_), collectors, clock_, pointer_bytes};
  }
  static std::vector<std::string> names(const RawFrame& frame) {
    std::vector<std::string> all;
    for (const RawPart& part : frame.parts) all.push_back(part.name);
    return all;
  }

  FakeKernel* kernel_ = new FakeKernel;  // owned by the frames that make() gives
  FakeRegistry* registry_ = new FakeRegistry;
  test::TickingClock clock_;
};

TEST_F(WindowsFramesTest, EveryAnswerBecomesAPart) {
  auto frames = make({});
  RawFrame frame;
  ASSERT_TRUE(frames.acquire(frame).ok());
  EXPECT_EQ(frame.system, System::kWindows);
  EXPECT_EQ(frame.pointer_bytes, 8);
  EXPECT_EQ(frame.page_bytes, 8192u);
  EXPECT_EQ(frame.time, 1'700'000'000'123);
  EXPECT_THAT(names(frame), ElementsAre("nt/0", "nt/2", "nt/37", "nt/3", "nt/21", "nt/5", "nt/5.base", "nt/255",
                                        "nt/22", "nt/67", "kmem/registry"));
  EXPECT_EQ(frame.find("nt/2")->bytes, std::string(312, 'p'));
  EXPECT_EQ(frame.find("nt/2")->micros, 250u);
  EXPECT_EQ(frame.find("nt/3")->bytes, std::string(48, 't'));
  EXPECT_EQ(frame.find("nt/5")->bytes, std::string(300'000, 'q'));
  EXPECT_EQ(frame.find("nt/5.base")->bytes, std::to_string(kernel_->last_address[5]));
  EXPECT_EQ(frame.find("nt/21")->bytes, std::string(64, 'c'));
  EXPECT_EQ(frame.find("nt/22")->bytes, std::string(9000, 'g'));
  EXPECT_EQ(frame.find("nt/67")->bytes, std::string(40'000, 's'));
  EXPECT_EQ(frame.find("nt/255")->status, 0xC0000003);
  EXPECT_EQ(frame.find("nt/37")->status, 0xC0000022);
  EXPECT_EQ(frame.find("kmem/registry")->bytes, "SystemPages=7\n");
}

TEST_F(WindowsFramesTest, FixedClassesAreAskedWithTheSizeOfTheLayout) {
  kernel_->answers[0] = NtBytes(44).put(8, std::uint32_t{4096}).str();
  kernel_->answers[21] = std::string(36, 'c');
  auto frames = make({}, 4);
  RawFrame frame;
  ASSERT_TRUE(frames.acquire(frame).ok());
  EXPECT_EQ(frame.pointer_bytes, 4);
  EXPECT_EQ(kernel_->last_size[0], 44u);
  EXPECT_EQ(kernel_->last_size[2], 376u);
  EXPECT_EQ(kernel_->last_size[3], 48u);
  EXPECT_EQ(kernel_->last_size[21], 36u);
  EXPECT_EQ(kernel_->last_size[37], 12u);
}

TEST_F(WindowsFramesTest, WideTagsAreEnoughWhereTheyExist) {
  kernel_->answers[255] = std::string(70'000, 'w');
  auto frames = make({});
  RawFrame frame;
  ASSERT_TRUE(frames.acquire(frame).ok());
  EXPECT_EQ(frame.find("nt/255")->bytes, std::string(70'000, 'w'));
  EXPECT_EQ(frame.find("nt/22"), nullptr);
}

TEST_F(WindowsFramesTest, AnUnsupportedWideClassIsAskedForOnlyOnce) {
  kernel_->answers.erase(67);
  auto frames = make({});
  RawFrame first;
  RawFrame second;
  ASSERT_TRUE(frames.acquire(first).ok());
  ASSERT_TRUE(frames.acquire(second).ok());
  EXPECT_EQ(std::count(kernel_->asked.begin(), kernel_->asked.end(), 255u), 1);
  EXPECT_EQ(std::count(kernel_->asked.begin(), kernel_->asked.end(), 67u), 1);
  EXPECT_EQ(second.find("nt/255")->status, 0xC0000003);
  EXPECT_EQ(second.find("nt/67")->status, 0xC0000003);
  EXPECT_EQ(second.find("nt/22")->bytes, std::string(9000, 'g'));
}

TEST_F(WindowsFramesTest, ARefusedWideClassIsTriedAgain) {
  kernel_->statuses[255] = kStatusAccessDenied;
  auto frames = make({});
  RawFrame frame;
  ASSERT_TRUE(frames.acquire(frame).ok());
  kernel_->answers[255] = "late";
  ASSERT_TRUE(frames.acquire(frame).ok());
  EXPECT_EQ(frame.find("nt/255")->status, 0);
  EXPECT_EQ(frame.find("nt/255")->bytes, "late");
}

TEST_F(WindowsFramesTest, CollectorsThatAreOffAreNotAskedAndThePageSizeIsKnownAllTheSame) {
  config::Collectors collectors;
  collectors.basic = collectors.performance = collectors.file_cache = false;
  collectors.processes = collectors.pool_tags = collectors.settings = collectors.session_pool_tags = false;
  auto frames = make(collectors);
  RawFrame frame;
  ASSERT_TRUE(frames.acquire(frame).ok());
  EXPECT_THAT(names(frame), ElementsAre("nt/3"));
  EXPECT_THAT(kernel_->asked, ElementsAre(0u, 3u));
  EXPECT_EQ(frame.page_bytes, 8192u);
}

TEST_F(WindowsFramesTest, AnAnswerThatStopsComingLeavesNoOldBytes) {
  auto frames = make({});
  RawFrame frame;
  ASSERT_TRUE(frames.acquire(frame).ok());
  kernel_->answers.erase(3);
  kernel_->answers.erase(22);
  registry_->status = kStatusAccessDenied;
  ASSERT_TRUE(frames.acquire(frame).ok());
  for (const char* const name : {"nt/3", "nt/22", "kmem/registry"}) {
    EXPECT_NE(frame.find(name)->status, 0) << name;
    EXPECT_EQ(frame.find(name)->bytes, "") << name;
  }
}

}  // namespace
}  // namespace kmem::windows
