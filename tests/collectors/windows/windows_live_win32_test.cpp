// The kernel this runs on, be it Windows or Wine.
#include <gtest/gtest.h>

#include <process.h>

#include <algorithm>

#include "collectors/windows/windows_frames_win32.h"
#include "collectors/windows/windows_parse.h"

namespace kmem::windows {
namespace {

TEST(WindowsLive, ThisKernelIsRead) {
  const base::SystemClock clock;
  const auto frames = make_windows_frames(config::Source{}, clock);
  RawFrame frame;
  ASSERT_TRUE(frames->acquire(frame).ok());
  Snapshot snapshot;
  parse_windows_frame(frame, snapshot);

  EXPECT_EQ(frame.pointer_bytes, sizeof(void*));
  EXPECT_EQ(frame.page_bytes, 4096u);
  EXPECT_EQ(snapshot.parts.size(), 12u);
  ASSERT_TRUE(snapshot.physical_memory_bytes.has_value());
  EXPECT_GT(*snapshot.physical_memory_bytes, 64u << 20);
  ASSERT_TRUE(snapshot.available_bytes && snapshot.commit_bytes && snapshot.commit_limit_bytes);
  EXPECT_LT(*snapshot.available_bytes, *snapshot.physical_memory_bytes * 2);
  EXPECT_LE(*snapshot.commit_bytes, *snapshot.commit_limit_bytes);
  ASSERT_TRUE(snapshot.boot_time.has_value());
  EXPECT_LT(*snapshot.boot_time, clock.wall() + 60'000);

  const auto self = std::find_if(snapshot.processes.begin(), snapshot.processes.end(),
                                 [](const ProcessUsage& row) { return row.pid == static_cast<std::uint64_t>(_getpid()); });
  ASSERT_NE(self, snapshot.processes.end());
  EXPECT_EQ(self->name, "windows_tests.exe");
  EXPECT_GT(self->handles.value_or(0), 0u);

  for (const PartStatus& part : snapshot.parts) {
    // Wine's System log is always empty, which is no log: its zeros would be made up.
    if (part.collector == "events") {
      EXPECT_EQ(part.state == PartState::kUnsupported, snapshot.failure_events.empty()) << part.reason;
    } else if (part.collector == "pool_tags") {
      EXPECT_EQ(part.state == PartState::kUnsupported, snapshot.tags.empty()) << part.reason;
    } else if (part.collector == "big_pool") {
      EXPECT_EQ(part.state == PartState::kUnsupported, snapshot.big_pool.empty()) << part.reason;
    } else if (part.collector == "memory_lists") {
      EXPECT_EQ(part.state == PartState::kUnsupported, snapshot.memory_lists.empty()) << part.reason;
    } else if (part.collector != "session_pool_tags" || part.state != PartState::kUnsupported) {
      EXPECT_EQ(part.state, PartState::kOk) << part.collector << ": " << part.reason;
    }
  }
  for (const PoolTotals& pool : snapshot.pools) EXPECT_NE(pool.bytes, 0u);
  EXPECT_NE(snapshot.system_ptes_free, 0u);
  EXPECT_NE(snapshot.file_cache_bytes, 0u);
}

TEST(WindowsLive, BuffersAreUsedAgain) {
  const base::SystemClock clock;
  const auto frames = make_windows_frames(config::Source{}, clock);
  RawFrame frame;
  ASSERT_TRUE(frames->acquire(frame).ok());
  const std::string first = frame.find("nt/5.base")->bytes;
  ASSERT_TRUE(frames->acquire(frame).ok());
  EXPECT_EQ(frame.find("nt/5.base")->bytes, first);
}

}  // namespace
}  // namespace kmem::windows
