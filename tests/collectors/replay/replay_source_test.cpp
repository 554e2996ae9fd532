#include "collectors/replay/replay_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/base/log.h"
#include "tests/collectors/replay/frames.h"

namespace kmem::replay {
namespace {

using base::ErrorCode;
using test::capture_of;
using test::linux_frame;
using test::MemoryFiles;
using test::windows_frame;
using testing::ElementsAre;
using testing::HasSubstr;

class Replay : public testing::Test {
 protected:
  Replay() {
    base::set_log_sink([this](std::string_view line) { log_.emplace_back(line); });
  }
  ~Replay() override { base::set_log_sink({}); }

  // Times of the frames from the current one on.
  static std::vector<base::UnixMillis> times(FrameSource& source) {
    std::vector<base::UnixMillis> all;
    RawFrame frame;
    do {
      if (!source.acquire(frame)) return {};
      all.push_back(frame.time);
    } while (source.advance());
    return all;
  }

  MemoryFiles files_;
  std::vector<std::string> log_;
};

TEST_F(Replay, GivesTheCurrentFrameUntilAdvanced) {
  files_.put("c", capture_of({linux_frame(1), windows_frame(2)}));
  auto source = make_replay_frames(files_, {"c"});
  ASSERT_TRUE(source.ok()) << source.error().message;
  RawFrame frame;
  for (int again = 0; again < 2; ++again) {
    ASSERT_TRUE((*source)->acquire(frame).ok());
    EXPECT_TRUE(frame == linux_frame(1));
  }
  EXPECT_TRUE((*source)->advance());
  ASSERT_TRUE((*source)->acquire(frame).ok());
  EXPECT_TRUE(frame == windows_frame(2));
}

TEST_F(Replay, TheLastFrameStays) {
  files_.put("c", capture_of({linux_frame(1), linux_frame(2)}));
  auto source = make_replay_frames(files_, {"c"});
  ASSERT_TRUE(source.ok());
  EXPECT_THAT(times(**source), ElementsAre(1, 2));
  EXPECT_FALSE((*source)->advance());
  EXPECT_THAT(times(**source), ElementsAre(2));
  EXPECT_TRUE(log_.empty());
}

TEST_F(Replay, SeveralFilesAreOneHistoryInTimeOrder) {
  files_.put("late", capture_of({linux_frame(30), linux_frame(40)}));
  files_.put("early", capture_of({linux_frame(10), linux_frame(20)}));
  files_.put("latest", capture_of({linux_frame(50)}));
  auto source = make_replay_frames(files_, {"latest", "late", "early"});
  ASSERT_TRUE(source.ok());
  EXPECT_THAT(times(**source), ElementsAre(10, 20, 30, 40, 50));
}

TEST_F(Replay, DamageIsLoggedOnceAndEndsThatFile) {
  std::string damaged = capture_of({linux_frame(1), linux_frame(2), linux_frame(3)});
  damaged[damaged.size() - 5] ^= 1;
  files_.put("damaged", damaged);
  files_.put("good", capture_of({linux_frame(9)}));
  auto source = make_replay_frames(files_, {"damaged", "good"});
  ASSERT_TRUE(source.ok());
  EXPECT_THAT(times(**source), ElementsAre(1, 2, 9));
  EXPECT_FALSE((*source)->advance());
  const std::string at = std::to_string(capture_of({linux_frame(1), linux_frame(2)}).size());
  EXPECT_THAT(log_, ElementsAre(HasSubstr("damaged: damaged at byte " + at + ": the frame's body is changed")));
}

TEST_F(Replay, WholeFramesBehindDamageAreUsedAlsoBehindTheFirst) {
  std::string damaged = capture_of({linux_frame(1), linux_frame(2), linux_frame(3), linux_frame(4)});
  damaged[60] ^= 1;
  damaged[capture_of({linux_frame(1), linux_frame(2)}).size() + 40] ^= 1;
  files_.put("damaged", damaged);
  auto source = make_replay_frames(files_, {"damaged"});
  ASSERT_TRUE(source.ok());
  EXPECT_THAT(times(**source), ElementsAre(2, 4));
  EXPECT_THAT(log_, ElementsAre(HasSubstr("damaged at byte 16: "), HasSubstr("the frame's body is changed")));
}

TEST_F(Replay, AFileWithoutFramesIsLeftOut) {
  files_.put("empty", capture_of({}));
  files_.put("other", "timestamp,pool\n");
  files_.put("good", capture_of({linux_frame(1)}));
  auto source = make_replay_frames(files_, {"empty", "other", "good"});
  ASSERT_TRUE(source.ok());
  EXPECT_THAT(times(**source), ElementsAre(1));
  EXPECT_THAT(log_, ElementsAre(HasSubstr("empty: no frames yet"), HasSubstr("other: not a capture")));
}

TEST_F(Replay, NothingUsableIsAnErrorThatSaysWhy) {
  files_.put("other", "rubbish");
  files_.put("torn", capture_of({linux_frame(1)}).substr(0, 40));
  const auto other = make_replay_frames(files_, {"other"});
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().message, "nothing to replay: other: not a capture");
  EXPECT_EQ(make_replay_frames(files_, {"torn"}).error().message,
            "nothing to replay: torn: damaged at byte 16: the file ends within a frame's header");
  EXPECT_EQ(make_replay_frames(files_, {}).error().code, ErrorCode::kMalformed);
}

TEST_F(Replay, AFileThatIsNotThereIsAnError) {
  files_.put("good", capture_of({linux_frame(1)}));
  EXPECT_EQ(make_replay_frames(files_, {"good", "absent"}).error().code, ErrorCode::kAbsent);
}

}  // namespace
}  // namespace kmem::replay
