#include "collectors/make_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collectors/base/file_io.h"
#include "collectors/base/log.h"
#include "collectors/live_frames.h"
#include "collectors/replay/capture.h"
#include "tests/support/temp_folder.h"

namespace kmem {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

base::Result<std::unique_ptr<FrameSource>> make(const std::string& kind) {
  static const base::SystemClock clock;
  config::Source source;
  source.kind = kind;
  return make_frames(source, clock);
}

TEST(MakeSource, AutoAndTheKernelsOwnNameAreThisKernel) {
  for (const std::string& kind : {std::string("auto"), std::string(live_kernel())}) {
    auto source = make(kind);
    ASSERT_TRUE(source.ok()) << source.error().message;
    RawFrame frame;
    ASSERT_TRUE((*source)->acquire(frame).ok());
    EXPECT_EQ(frame.system, live_kernel() == "linux" ? System::kLinux : System::kWindows);
    EXPECT_FALSE(frame.parts.empty());
    EXPECT_TRUE((*source)->advance());
  }
}

TEST(MakeSource, TheOtherSystemsKernelIsUnsupported) {
  const std::string other = live_kernel() == "linux" ? "windows" : "linux";
  const auto source = make(other);
  ASSERT_FALSE(source.ok());
  EXPECT_EQ(source.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(source.error().message, "source " + other + ": this program runs on " + std::string(live_kernel()) +
                                        "; it can auto, " + std::string(live_kernel()) + ", replay:FILE");
}

TEST(MakeSource, ReplaysACapture) {
  const test::TempFolder folder;
  const std::string path = folder.path() + "a:b.kmc";  // the first colon ends the name, the others are the path's
  const std::string legal = live_kernel() == "windows" ? folder.path() + "a.kmc" : path;
  RawFrame written;
  written.system = System::kWindows;
  written.time = 77;
  {
    auto writer = replay::CaptureWriter::open(base::os_file_system(), legal);
    ASSERT_TRUE(writer.ok()) << writer.error().message;
    ASSERT_TRUE(writer->append(written).ok());
  }
  auto source = make("replay:" + legal);
  ASSERT_TRUE(source.ok()) << source.error().message;
  RawFrame frame;
  ASSERT_TRUE((*source)->acquire(frame).ok());
  EXPECT_EQ(frame.system, System::kWindows);
  EXPECT_EQ(frame.time, 77);
  EXPECT_FALSE((*source)->advance());
}

TEST(MakeKernelSource, ReplaysAnyHistoryAndLogsWhatItSkipped) {
  const test::TempFolder folder;
  const std::string path = folder.path() + "history.csv";
  ASSERT_TRUE(base::replace_file(base::os_file_system(), path,
                                 "timestamp,pool,tag,bytes\n1000000010,paged,Leak,1\nx,paged,Leak,2\n1000000020,paged,Leak,3\n")
                  .ok());
  std::vector<std::string> log;
  base::set_log_sink([&](std::string_view line) { log.emplace_back(line); });
  static const base::SystemClock clock;
  config::Source config;
  config.kind = "replay:" + path;
  auto source = make_kernel_source(config, clock);
  ASSERT_TRUE(source.ok()) << source.error().message;
  Snapshot snapshot;
  ASSERT_TRUE((*source)->read(snapshot).ok());
  EXPECT_EQ(snapshot.time, 1'000'000'010'000);
  EXPECT_TRUE((*source)->advance());
  ASSERT_TRUE((*source)->read(snapshot).ok());
  EXPECT_EQ(snapshot.time, 1'000'000'020'000);
  EXPECT_FALSE((*source)->advance());
  EXPECT_FALSE((*source)->advance());
  base::set_log_sink({});
  ASSERT_EQ(log.size(), 1U);
  EXPECT_THAT(log.front(), HasSubstr("history.csv:3: timestamp"));
  EXPECT_THAT(log.front(), HasSubstr("count=1"));
}

TEST(MakeKernelSource, GivesLiveKernelsAndTheSameErrors) {
  static const base::SystemClock clock;
  config::Source config;
  auto live = make_kernel_source(config, clock);
  ASSERT_TRUE(live.ok()) << live.error().message;
  Snapshot snapshot;
  ASSERT_TRUE((*live)->read(snapshot).ok());
  EXPECT_EQ(snapshot.system, live_kernel() == "linux" ? System::kLinux : System::kWindows);
  config.kind = "replay:";
  EXPECT_EQ(make_kernel_source(config, clock).error().message, "source replay: names no file; write replay:FILE");
  config.kind = "linx";
  EXPECT_EQ(make_kernel_source(config, clock).error().message,
            "source \"linx\" is none of auto, linux, windows or replay:FILE; did you mean linux?");
}

TEST(MakeSource, ReplayWantsAFileThatIsThere) {
  EXPECT_EQ(make("replay:").error().message, "source replay: names no file; write replay:FILE");
  EXPECT_EQ(make("replay").error().code, ErrorCode::kInvalid);
  const auto absent = make("replay:no/such/file");
  ASSERT_FALSE(absent.ok());
  EXPECT_EQ(absent.error().code, ErrorCode::kAbsent);
  EXPECT_THAT(absent.error().message, HasSubstr("no/such/file: cannot open: "));
}

TEST(MakeSource, AMistypedNameGetsTheNearestOne) {
  const auto message = [](const std::string& kind) {
    const auto source = make(kind);
    return source ? std::string("made") : source.error().message;
  };
  EXPECT_EQ(message("linx"), "source \"linx\" is none of auto, linux, windows or replay:FILE; did you mean linux?");
  EXPECT_EQ(message("reply:x"), "source \"reply:x\" is none of auto, linux, windows or replay:FILE; did you mean replay:FILE?");
  EXPECT_EQ(message("freebsd"), "source \"freebsd\" is none of auto, linux, windows or replay:FILE");
  EXPECT_EQ(message(""), "source \"\" is none of auto, linux, windows or replay:FILE");
  EXPECT_EQ(message("auto:x"), "source \"auto:x\" is none of auto, linux, windows or replay:FILE; did you mean auto?");
  EXPECT_EQ(make("linx").error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace kmem
