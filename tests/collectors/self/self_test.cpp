#include "collectors/self/self.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <vector>

namespace kmem::self {
namespace {

double now_seconds() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

TEST(Self, CpuTimeGrowsByWork) {
  const double before = read_self().cpu_seconds;
  const auto start = std::chrono::steady_clock::now();
  volatile std::uint64_t work = 0;
  while (std::chrono::steady_clock::now() - start < std::chrono::milliseconds(200)) work = work + 1;
  const double used = read_self().cpu_seconds - before;
  EXPECT_GT(used, 0.005);  // a busy machine gives less than it was asked for
  EXPECT_LT(used, 5);
}

TEST(Self, ResidentMemoryGrowsByWhatIsTouched) {
  constexpr std::size_t kBlock = std::size_t{32} << 20;
  const std::uint64_t before = read_self().resident_bytes;
  std::vector<char> block(kBlock);
  std::memset(block.data(), 1, kBlock);
  const std::uint64_t after = read_self().resident_bytes;
  EXPECT_GT(before, 100'000U);
  EXPECT_GE(after, before + kBlock * 3 / 4);
  EXPECT_LT(after, before + kBlock * 4);
  EXPECT_EQ(block[kBlock / 2], 1);
}

TEST(Self, StartedBeforeNowAndStaysSo) {
  const double first = read_self().start_time_seconds;
  EXPECT_LT(first, now_seconds() + 0.1);
  EXPECT_GT(first, now_seconds() - 3600);
  EXPECT_EQ(read_self().start_time_seconds, first);
}

TEST(Self, OpenFilesAreCounted) {
  const auto before = read_self().open_handles;
#ifdef _WIN32
  EXPECT_NE(before, 0U);
  if (!before) return;  // Wine succeeds and says 0: no figure, so there is nothing more to compare
#endif
  ASSERT_TRUE(before);
  std::FILE* const files[] = {std::tmpfile(), std::tmpfile(), std::tmpfile()};
  const auto during = read_self().open_handles;
  for (std::FILE* const file : files) {
    ASSERT_NE(file, nullptr);
    std::fclose(file);
  }
  EXPECT_GE(*during, *before + 3);
  EXPECT_LE(*read_self().open_handles, *during - 3);
}

}  // namespace
}  // namespace kmem::self
