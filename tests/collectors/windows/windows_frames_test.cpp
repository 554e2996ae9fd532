#include "collectors/windows/windows_frames.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "collectors/windows/object_handles.h"
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
    kernel_->answers[66] =
        NtBytes(32).put(0, std::uint32_t{1}).put(8, std::uint64_t{0x1001}).put(16, std::uint64_t{4096}).text(24, "Irp ").str();
    kernel_->statuses[80] = kStatusPrivilegeNotHeld;
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
  EXPECT_THAT(names(frame), ElementsAre("nt/0", "nt/2", "nt/37", "nt/3", "nt/21", "nt/5", "nt/5.base", "nt/255", "nt/22",
                                        "nt/67", "kmem/big_pool", "nt/80", "kmem/memory_status", "kmem/registry"));
  EXPECT_EQ(frame.find("nt/2")->bytes, std::string(312, 'p'));
  EXPECT_EQ(frame.find("nt/2")->micros, 250u);
  EXPECT_EQ(frame.find("nt/3")->bytes, std::string(48, 't'));
  EXPECT_EQ(frame.find("nt/5")->bytes, std::string(300'000, 'q'));
  EXPECT_EQ(frame.find("nt/5.base")->bytes, std::to_string(kernel_->last_address[5]));
  EXPECT_EQ(frame.find("nt/21")->bytes, std::string(64, 'c'));
  EXPECT_EQ(frame.find("nt/22")->bytes, std::string(9000, 'g'));
  EXPECT_EQ(frame.find("nt/67")->bytes, std::string(40'000, 's'));
  EXPECT_EQ(frame.find("kmem/big_pool")->bytes, "rows=1\nskipped=0\nn 49727020 1 4096\n");
  EXPECT_EQ(frame.find("nt/80")->status, 0xC0000061);
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

/// Up to Windows 7 the lists are 21 words, then 22; a kernel may refuse every length but its own.
TEST(MemoryListFrames, OfBothLengthsAreRead) {
  const test::TickingClock clock;
  for (const std::size_t width : {4u, 8u}) {
    for (const std::size_t words : {21u, 22u}) {
      for (const bool is_exact : {false, true}) {
        auto kernel = std::make_unique<FakeKernel>();
        kernel->answers[80] = std::string(words * width, 'm');
        if (is_exact) kernel->exact.insert(80);
        WindowsFrames frames(std::move(kernel), std::make_unique<FakeRegistry>(), {}, clock, static_cast<std::uint8_t>(width));
        RawFrame frame;
        ASSERT_TRUE(frames.acquire(frame).ok());
        EXPECT_EQ(frame.find("nt/80")->status, 0) << width << " " << words << " " << is_exact;
        EXPECT_EQ(frame.find("nt/80")->bytes, std::string(words * width, 'm')) << width << " " << words << " " << is_exact;
      }
    }
  }
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
  collectors.big_pool = collectors.memory_lists = false;
  auto frames = make(collectors);
  RawFrame frame;
  ASSERT_TRUE(frames.acquire(frame).ok());
  EXPECT_THAT(names(frame), ElementsAre("nt/3"));
  EXPECT_THAT(kernel_->asked, ElementsAre(0u, 3u));
  EXPECT_EQ(frame.page_bytes, 8192u);
}

TEST_F(WindowsFramesTest, TheBigPoolIsAskedForOnceAMinute) {
  auto frames = make({});
  RawFrame frame;
  const auto asked = [this] { return std::count(kernel_->asked.begin(), kernel_->asked.end(), 66u); };
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(frames.acquire(frame).ok());
  EXPECT_EQ(asked(), 1);
  EXPECT_EQ(frame.find("kmem/big_pool")->time, 1'700'000'000'123);
  clock_.skip(std::chrono::seconds(61));
  kernel_->answers.erase(66);
  ASSERT_TRUE(frames.acquire(frame).ok());
  EXPECT_EQ(frame.find("kmem/big_pool")->status, 0xC0000003);
  EXPECT_EQ(frame.find("kmem/big_pool")->bytes, "");
}

TEST_F(WindowsFramesTest, SettingsAreReadOnceAMinute) {
  auto frames = make({});
  RawFrame frame;
  ASSERT_TRUE(frames.acquire(frame).ok());
  registry_->values = {{"SystemPages", 8}};
  ASSERT_TRUE(frames.acquire(frame).ok());
  EXPECT_EQ(frame.find("kmem/registry")->bytes, "SystemPages=7\n");
  EXPECT_EQ(frame.find("kmem/registry")->time, 1'700'000'000'123);
  clock_.skip(std::chrono::seconds(61));
  ASSERT_TRUE(frames.acquire(frame).ok());
  EXPECT_EQ(frame.find("kmem/registry")->bytes, "SystemPages=8\n");
}

TEST_F(WindowsFramesTest, HandlesAreAskedForWhileTheyAreWantedEveryTenMinutes) {
  kernel_->answers[5] = NtBytes(256).word(80, 70'000, 8).put(96, std::uint32_t{2}).str();
  kernel_->answers[64] = NtBytes(16 + 2 * 40)
                             .word(0, 2, 8)
                             .word(24, 70'000, 8)
                             .put(46, std::uint16_t{9})
                             .word(64, 70'000, 8)
                             .put(86, std::uint16_t{9})
                             .str();
  auto frames = make({});
  RawFrame frame;
  ASSERT_TRUE(frames.acquire(frame).ok());
  EXPECT_EQ(frame.find("kmem/object_handles"), nullptr);
  frames.want_object_handles(true);
  ASSERT_TRUE(frames.acquire(frame).ok());
  ASSERT_TRUE(frames.acquire(frame).ok());
  EXPECT_EQ(frame.find("kmem/object_handles")->bytes, "handles=2\nskipped=0\n70000 2 type 9\n");
  EXPECT_EQ(std::count(kernel_->asked.begin(), kernel_->asked.end(), 64u), 1);
  // Where 64 is not, or too long, 16 has to do.
  kernel_->answers.erase(64);
  kernel_->answers[16] =
      NtBytes(8 + 24).put(0, std::uint32_t{1}).put(8, std::uint16_t{70'000 - 65'536}).put(12, std::uint8_t{3}).str();
  clock_.skip(std::chrono::minutes(10));
  ASSERT_TRUE(frames.acquire(frame).ok());
  EXPECT_EQ(frame.find("kmem/object_handles")->bytes, "handles=1\nskipped=0\n70000 1 type 3\n");
  kernel_->answers[16] = std::string(kMaxHandleTableBytes + 1, 'h');
  clock_.skip(std::chrono::minutes(10));
  ASSERT_TRUE(frames.acquire(frame).ok());
  EXPECT_EQ(frame.find("kmem/object_handles")->status, kStatusLengthMismatch);
  frames.want_object_handles(false);
  ASSERT_TRUE(frames.acquire(frame).ok());
  EXPECT_EQ(frame.find("kmem/object_handles"), nullptr);
}

TEST_F(WindowsFramesTest, AnAnswerThatStopsComingLeavesNoOldBytes) {
  auto frames = make({});
  RawFrame frame;
  ASSERT_TRUE(frames.acquire(frame).ok());
  kernel_->answers.erase(3);
  kernel_->answers.erase(22);
  registry_->status = kStatusAccessDenied;
  clock_.skip(std::chrono::seconds(61));
  ASSERT_TRUE(frames.acquire(frame).ok());
  for (const char* const name : {"nt/3", "nt/22", "kmem/registry"}) {
    EXPECT_NE(frame.find(name)->status, 0) << name;
    EXPECT_EQ(frame.find(name)->bytes, "") << name;
  }
}

}  // namespace
}  // namespace kmem::windows
